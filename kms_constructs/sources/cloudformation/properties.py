"""Reads the properties of one resource as CloudFormation coerces them.

``"true"`` is a boolean and ``"7"`` a number to CloudFormation. What it would refuse is unknown, with a
problem that says so; what deployment decides is unknown without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kms_constructs.model.estate import Location, SourceProblem
from kms_constructs.model.exact import is_object
from kms_constructs.model.text import has_hole, has_unresolved_hole, undecided
from kms_constructs.model.unknown import Unknown, elements, is_unknown

_FIX: Final = "Write a value that CloudFormation accepts there"
_MISSING: Final = object()


class Properties:
    """The resolved properties of one resource.

    Args:
        values: The properties, or unknown as a whole.
        location: The resource, for problems.
        problems: Where problems are added.
    """

    def __init__(
        self, values: Mapping[str, object] | Unknown, location: Location, problems: list[SourceProblem]
    ) -> None:
        self._values = values
        self._location = location
        self._problems = problems

    def raw(self, name: str) -> object | None:
        """The resolved value; None when it is absent, unknown when the properties are."""
        if is_unknown(self._values):
            return self._values
        return self._values.get(name)

    def problem(self, name: str, message: str) -> Unknown:
        """Records a value that CloudFormation would refuse; returns it as unknown."""
        self._problems.append(
            SourceProblem(self._location.source, f"{name}: {message}", _FIX, self._location.logical_id)
        )
        return Unknown(f"{name}: {message}")

    def boolean(self, name: str) -> bool | Unknown | None:
        """A boolean, also as text."""
        value = self.raw(name)
        if value is None or isinstance(value, bool) or is_unknown(value):
            return value
        if isinstance(value, str):
            if value.lower() in ("true", "false"):
                return value.lower() == "true"
            if has_hole(value):
                return undecided(value)
        return self.problem(name, f"{_shown(value)} is no boolean")

    def integer(self, name: str) -> int | Unknown | None:
        """A whole number, also as text."""
        value = self.raw(name)
        if value is None or is_unknown(value):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, str):
            if has_hole(value):
                return undecided(value)
            text = value.strip()
            if text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 12:
                return int(text)
        return self.problem(name, f"{_shown(value)} is no whole number")

    def plain_text(self, name: str) -> str | Unknown | None:
        """A text that is known in full."""
        value = self.text(name)
        return undecided(value) if isinstance(value, str) and has_hole(value) else value

    def text(self, name: str) -> str | Unknown | None:
        """A text that may have holes."""
        value = self.raw(name)
        if value is None or isinstance(value, str) or is_unknown(value):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(value)
        return self.problem(name, f"{_a(value)} stands where text is wanted")

    def tags(self, name: str = "Tags") -> Mapping[str, str | Unknown] | Unknown:
        """A list of ``Key`` and ``Value``; unknown when a key is not known."""
        value = self.raw(name)
        if value is None:
            return {}
        if is_unknown(value):
            return value
        if isinstance(value, str) and has_unresolved_hole(value):
            return undecided(value)
        if not isinstance(value, list):
            return self.problem(name, f"{_a(value)} stands where a list of tags is wanted")
        found: dict[str, str | Unknown] = {}
        for index, (entry, reason) in enumerate(elements(value)):
            if is_unknown(entry):
                return entry
            if not is_object(entry) or "Key" not in entry:
                return self.problem(f"{name}/{index}", "a tag needs a Key and a Value")
            key, content = entry["Key"], entry.get("Value", _MISSING)
            if is_unknown(key):
                return key
            if not isinstance(key, str):
                return self.problem(f"{name}/{index}/Key", f"{_a(key)} is no tag key")
            if has_hole(key):
                return undecided(key)
            if content is _MISSING:
                found[key] = self.problem(f"{name}/{index}", "a tag needs a Key and a Value")
            elif reason:
                found[key] = Unknown(reason)
            elif isinstance(content, bool):
                found[key] = "true" if content else "false"
            elif isinstance(content, int | float):
                found[key] = str(content)
            elif isinstance(content, str):
                found[key] = undecided(content) if has_hole(content) else content
            elif is_unknown(content):
                found[key] = content
            else:
                found[key] = self.problem(f"{name}/{index}/Value", f"{_a(content)} is no tag value")
        return found


def _a(value: object) -> str:
    """What kind of value it is, with its article: ``an object``."""
    names = {
        "dict": "an object",
        "list": "a list",
        "bool": "a boolean",
        "int": "a number",
        "float": "a number",
    }
    return names.get(type(value).__name__, f"a {type(value).__name__}")


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str | int | float | bool) else _a(value)
