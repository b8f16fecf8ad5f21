"""Reads the arguments of one resource by their types, which a plan has already: another type is a problem."""

from __future__ import annotations

from collections.abc import Mapping

from kms_constructs.model.estate import Location
from kms_constructs.model.text import has_hole, undecided
from kms_constructs.model.unknown import Unknown, is_unknown
from kms_constructs.sources.terraform.plan import AGAIN, Instance
from kms_constructs.sources.terraform.resolver import Resolver


class Arguments:
    """The arguments of one resource.

    Args:
        resolver: The values of its plan.
        instance: The resource.
    """

    def __init__(self, resolver: Resolver, instance: Instance) -> None:
        self._resolver = resolver
        self._instance = instance

    @property
    def location(self) -> Location:
        """Where the resource stands."""
        return location_of(self._resolver, self._instance)

    def raw(self, name: str) -> object:
        """The resolved value; None when it is absent."""
        return self._resolver.value(self._instance, name)

    def text(self, name: str) -> str | Unknown | None:
        """A text that may have holes; one that is empty is absent, as it is to the provider."""
        value = self.raw(name)
        if value is None or value == "" or is_unknown(value):
            return None if value == "" else value
        return value if isinstance(value, str) else self._problem(name, "text")

    def plain_text(self, name: str) -> str | Unknown | None:
        """A text that is known in full."""
        value = self.text(name)
        return undecided(value) if isinstance(value, str) and has_hole(value) else value

    def boolean(self, name: str) -> bool | Unknown | None:
        """A boolean."""
        value = self.raw(name)
        if value is None or isinstance(value, bool) or is_unknown(value):
            return value
        return self._other(value, name, "a boolean")

    def integer(self, name: str) -> int | Unknown | None:
        """A whole number."""
        value = self.raw(name)
        if value is None or is_unknown(value) or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return self._other(value, name, "a whole number")

    def texts(self, name: str) -> tuple[str | Unknown, ...] | Unknown:
        """A list of texts, each of which may have holes or be unknown."""
        value = self.raw(name)
        if value is None or is_unknown(value):
            return () if value is None else value
        if isinstance(value, str):
            return undecided(value)
        if not isinstance(value, list):
            return self._problem(name, "a list")
        return tuple(
            one if isinstance(one, str) or is_unknown(one) else Unknown(f"an element of {name} is no text")
            for one in value
        )

    def tags(self) -> Mapping[str, str | Unknown] | Unknown:
        """Tags, those that the provider gives to all resources included; unknown when they are not known."""
        name = "tags_all" if self._resolver.knows(self._instance, "tags_all") else "tags"
        value = self.raw(name)
        if value is None or is_unknown(value):
            return {} if value is None else value
        if isinstance(value, str):
            return undecided(value)
        if not isinstance(value, Mapping):
            return self._problem(name, "an object")
        return {key: self._tag(one) for key, one in value.items() if one is not None}

    def _tag(self, value: object) -> str | Unknown:
        if isinstance(value, str):
            return undecided(value) if has_hole(value) else value
        return value if is_unknown(value) else Unknown("the value of the tag is no text")

    def _other(self, value: object, name: str, wanted: str) -> Unknown:
        """What a value is that is not of its type: text that is decided after apply is no mistake."""
        if isinstance(value, str) and has_hole(value):
            return undecided(value)
        return self._problem(name, wanted)

    def _problem(self, name: str, wanted: str) -> Unknown:
        """Records a value of a type that the provider does not have there; returns it as unknown."""
        message = f"{name} is not {wanted}"
        self._resolver.plan.problem(message, AGAIN, self._instance.address)
        return Unknown(message)


def location_of(resolver: Resolver, instance: Instance) -> Location:
    """Where a resource stands."""
    return Location(resolver.plan.source, "", instance.address)
