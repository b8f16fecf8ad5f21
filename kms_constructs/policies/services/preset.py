"""Presets as attributes of `ServiceAccess`: a function of their own, or made from a requirement alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from textwrap import fill
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

from kms_constructs.model.actions import KeyUsage
from kms_constructs.model.service_requirement import (
    ACCOUNT,
    CREATE_GRANT,
    FOR_AWS_RESOURCE,
    SOURCE_ARN,
    ServiceRequirement,
    Shape,
    Who,
)
from kms_constructs.model.services import requirement_of
from kms_constructs.policies.services.parts import Templates, by_service, checked_sources, through
from kms_constructs.policies.target import check_account

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Made_co = TypeVar("_Made_co", covariant=True)


class Named:
    """An attribute that knows its name, which is the name of its requirement."""

    _name = ""

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._name = name

    @property
    def requirement(self) -> ServiceRequirement | None:
        """What the service needs; None when the arguments alone say it."""
        return requirement_of(self._name)

    def _for_key(self, owner: Callable[..., _T], templates: Templates) -> _T:
        needs = self.requirement
        if needs is None:
            return owner(self._name, templates, None, None)
        return owner(self._name, templates, KeyUsage(needs.key_usage), needs.key_spec, needs.region or None)


class Preset(Named, Generic[_P]):
    """A preset with a function of its own: calling it on the class makes an instance of the class.

    Args:
        make: Makes the statements; its arguments and documentation are the preset's.
    """

    def __init__(self, make: Callable[_P, Templates]) -> None:
        self._make = make

    def __get__(self, instance: object, owner: Callable[..., _T]) -> Callable[_P, _T]:
        """The preset, for the class that it is asked of."""

        @wraps(self._make)
        def preset(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            return self._for_key(owner, self._make(*args, **kwargs))

        preset.__qualname__ = f"ServiceAccess.{self._name}"
        return preset


class OfPrincipals(Protocol[_Made_co]):
    """A preset for a service that calls KMS with the identity of its caller."""

    def __call__(self, principals: Sequence[object]) -> _Made_co:
        """The statements for these roles and users."""
        ...


class OfSources(Protocol[_Made_co]):
    """A preset for a service that calls KMS as itself."""

    def __call__(self, *, source_arns: Sequence[str] = (), account: str = ACCOUNT) -> _Made_co:
        """The statements for these resources of an account."""
        ...


class PrincipalsPreset(Named):
    """A preset that its requirement alone makes, for the principals that reach the key through the service.

    All of them get what any of them needs: who creates a resource and who uses it is not told apart.
    """

    def __get__(self, instance: object, owner: Callable[..., _T]) -> OfPrincipals[_T]:
        """The preset, for the class that it is asked of."""
        needs = self.requirement

        def preset(principals: Sequence[object]) -> _T:
            return self._for_key(owner, _of_principals(_known(needs), principals))

        return _described(preset, self._name, needs)


class SourcesPreset(Named):
    """A preset that its requirement alone makes, for a service that calls KMS as itself."""

    def __get__(self, instance: object, owner: Callable[..., _T]) -> OfSources[_T]:
        """The preset, for the class that it is asked of."""
        needs = self.requirement

        def preset(*, source_arns: Sequence[str] = (), account: str = ACCOUNT) -> _T:
            return self._for_key(owner, _of_sources(_known(needs), source_arns, account))

        return _described(preset, self._name, needs)


_Function = TypeVar("_Function", bound=Callable[..., object])


def _described(preset: _Function, name: str, requirement: ServiceRequirement | None) -> _Function:
    preset.__name__ = name
    preset.__qualname__ = f"ServiceAccess.{name}"
    preset.__doc__ = documentation(_known(requirement))
    return preset


_WIDTH = 100
"""Columns of documentation."""


def documentation(requirement: ServiceRequirement) -> str:
    """The documentation of a preset that its requirement alone makes."""
    text = requirement.preset
    assert text is not None  # noqa: S101 - a preset asks
    if text.shape is Shape.PRINCIPALS:
        arguments = {"principals": text.principals}
        raised = "No principal, or a principal that is none."
    else:
        arguments = {
            "source_arns": f"{text.sources}; everything of the account in the key's Region by default.",
            "account": "Account of these resources; the key's own by default.",
        }
        raised = "An ARN of another kind, or of another account."
    sections = [
        fill(text.summary, _WIDTH),
        fill(text.detail, _WIDTH),
        "Args:\n" + "\n".join(_item(name, said) for name, said in arguments.items()),
        "Raises:\n" + _item("ArgumentError", raised),
        f"See: {requirement.pages[0]}\n",
    ]
    return "\n\n".join(section for section in sections if section)


def _item(name: str, said: str) -> str:
    return fill(f"{name}: {said}", _WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8)


def _known(requirement: ServiceRequirement | None) -> ServiceRequirement:
    assert requirement is not None and requirement.preset is not None  # noqa: S101, PT018 - tested of each
    return requirement


def _of_principals(requirement: ServiceRequirement, principals: Sequence[object]) -> Templates:
    assert requirement.preset is not None  # noqa: S101 - a preset calls this
    callers = [one for one in requirement.callers if one.who not in (Who.SERVICE, Who.LINKED_ROLE)]
    actions = list(dict.fromkeys(action for one in callers for action in one.actions))
    return through(
        requirement.preset.sid,
        (requirement.via, *requirement.also_via),
        principals,
        [action for action in actions if action != CREATE_GRANT],
        grants=CREATE_GRANT in actions,
        for_aws=not any(FOR_AWS_RESOURCE in one.omits for one in callers),
    )


def _of_sources(requirement: ServiceRequirement, source_arns: Sequence[str], account: str) -> Templates:
    assert requirement.preset is not None  # noqa: S101 - a preset calls this
    check_account("account", account)
    arns = checked_sources("source_arns", source_arns, requirement.preset.source or None, account)
    return tuple(
        statement
        for caller in requirement.callers
        if caller.who is Who.SERVICE and caller.limits
        for statement in by_service(requirement, caller.sid, {SOURCE_ARN: arns}, account)
    )
