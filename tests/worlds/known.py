"""The classes of unsound verdicts that are known and not mended yet.

`KNOWN_UNSOUND` is the list to work off: the example of a class fails as long as the class is in it and is not
to fail once it is not, and the random properties leave out what a class in it explains. A class is told
by the smallest case that shows the fault, which `shrink` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kms_constructs.model.text import has_hole, has_unresolved_hole
from kms_constructs.model.unknown import Maybe, Unknown
from tests.worlds.case import Case
from tests.worlds.claims import Witness
from tests.worlds.vocabulary import GUARDED

Sign = Callable[[Case, Witness], bool]
"""Whether a smallest case shows a class."""

_ALLOW, _DENY = "Allow", "Deny"


def _statements(case: Case) -> Iterator[dict[str, Any]]:
    for one in case.statements:
        yield one.value if isinstance(one, Maybe) else one
    for document in (*(iam.document for iam in case.iam), *case.scps, *case.rcps):
        for one in document["Statement"]:
            yield one.value if isinstance(one, Maybe) else one


def _conditions(case: Case, effect: str) -> Iterator[tuple[str, str, Any]]:
    for statement in _statements(case):
        condition = statement.get("Condition")
        if statement.get("Effect") in (effect, None) or isinstance(statement.get("Effect"), Unknown):
            for operator, keys in condition.items() if isinstance(condition, dict) else ():
                for key, values in keys.items():
                    yield operator.lower(), key.lower(), values


def _on(effect: str, *keys: str, operator: str = "") -> Sign:
    """A condition on one of these keys, in a statement of this effect."""
    return lambda case, _: any(
        (not keys or key in keys) and operator in name for name, key, _ in _conditions(case, effect)
    )


def _texts(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    else:
        yield value


def _open(effect: str, *elements: str) -> Sign:
    """One of these elements is not resolved, in a statement of this effect or of one that is not known."""

    def sign(case: Case, _: Witness) -> bool:
        return any(
            isinstance(text, Unknown | Maybe) or (isinstance(text, str) and has_unresolved_hole(text))
            for statement in _statements(case)
            if statement.get("Effect") == effect or isinstance(statement.get("Effect"), Unknown)
            for element in elements
            for text in _texts(statement.get(element))
        )

    return sign


def _named_resource(case: Case, _: Witness) -> bool:
    return any(
        (element == "NotResource") or any(text != "*" for text in _texts(statement[element]))
        for statement in _statements(case)
        for element in ("Resource", "NotResource")
        if element in statement
    )


def _elsewhere(case: Case, _: Witness) -> bool:
    return case.partition != "aws" and (
        any(True for effect in (_ALLOW, _DENY) for _ in _conditions(case, effect)) or bool(case.authorised)
    )


def _colon(_: Case, witness: Witness) -> bool:
    return ":" in witness.principal.split(":", 5)[-1]


def _delegated(case: Case, witness: Witness) -> bool:
    return witness.note.startswith("manages by IAM") and witness.note.endswith("uses by the key policy")


def _has(element: str) -> Sign:
    return lambda case, _: any(element in statement for statement in _statements(case))


def _any_value_if_exists(case: Case, _: Witness) -> bool:
    return any(
        name.startswith("foranyvalue:") and name.endswith("ifexists")
        for effect in (_ALLOW, _DENY)
        for name, _, _ in _conditions(case, effect)
    )


def _principals(case: Case, count: int) -> bool:
    return any(
        isinstance(statement.get("Principal"), dict) and len(list(_texts(statement["Principal"]))) >= count
        for statement in _statements(case)
    )


SIGNS: Mapping[str, tuple[tuple[str, ...], Sign]] = {
    **{
        f"1-{name}": (("IAM-KMS-1",), sign)
        for name, sign in {
            "date": _on(_DENY, "aws:currenttime"),
            "epoch": _on(_DENY, "aws:epochtime"),
            "address": _on(_DENY, "aws:sourceip"),
            "region": _on(_DENY, "aws:requestedregion"),
            "organization": _on(_DENY, "aws:principalorgid"),
            "organization-path": _on(_DENY, "aws:principalorgpaths"),
            "key-fact": _on(_DENY, "kms:keyorigin", "kms:keyspec", "kms:keyusage"),
            "multi-region": _on(_DENY, "kms:multiregion"),
            "resource-account": _on(_DENY, "aws:resourceaccount"),
            "user-id": _on(_DENY, "aws:userid"),
            "type": _on(_DENY, "aws:principaltype"),
            "null": _on(_DENY, operator="null"),
            "ignore-case": _on(_DENY, operator="ignorecase"),
            "unresolved-value": _open(_DENY, "Condition"),
            "scp": lambda case, _: bool(case.scps),
            "rcp": lambda case, _: bool(case.rcps),
            "partition": _elsewhere,
            "literal-resource": _named_resource,
        }.items()
    },
    **{
        f"guarded-{name}": (tuple(GUARDED), sign)
        for name, sign in {
            "partition": _elsewhere,
            "partition-string": _elsewhere,
            "colon": _colon,
            "colon-field": _colon,
            "literal-resource": _named_resource,
            "any-value-if-exists": _any_value_if_exists,
        }.items()
    },
    **{
        f"6-{name}": (("IAM-KMS-6",), sign)
        for name, sign in {
            "not-principal": _has("NotPrincipal"),
            "literal-resource": _named_resource,
            "unresolved-principal": _open(_ALLOW, "Principal"),
            "source-arn": _on(_ALLOW, "aws:sourcearn"),
            "source-arn-service": _on(_ALLOW, "aws:sourcearn"),
            "source-account": _on(_ALLOW, "aws:sourceaccount"),
            "source-organization": _on(_ALLOW, "aws:sourceorgid"),
            "via-anything": _on(_ALLOW, "kms:viaservice"),
            "organization-of-anyone": _on(_ALLOW, "aws:principalorgid", "aws:principalorgpaths"),
            "principal-arn-pattern": _on(_ALLOW, "aws:principalarn"),
        }.items()
    },
    **{
        f"8-{name}": (("IAM-KMS-8",), sign)
        for name, sign in {
            "two-patterns": lambda case, _: len(list(_conditions(case, _ALLOW))) >= 2,
            "two-accounts": lambda case, _: has_hole(case.account),
            "order-of-principals": lambda case, _: _principals(case, 2),
            "unresolved-user": _open(_ALLOW, "Principal"),
            "absent-flag": _on(_DENY, "kms:grantisforawsresource"),
            "delegated-management": lambda case, witness: (
                _delegated(case, witness) and "PutKeyPolicy" not in witness.note
            ),
            "delegated-policy": lambda case, witness: (
                _delegated(case, witness) and "PutKeyPolicy" in witness.note
            ),
            "literal-resource": _named_resource,
        }.items()
    },
    **{
        f"004-{name}": (("KMS:004",), sign)
        for name, sign in {
            "organization": _on(_ALLOW, "aws:principalorgid"),
            "organization-path": _on(_ALLOW, "aws:principalorgpaths"),
            "vpc": _on(_ALLOW, "aws:sourcevpc"),
            "vpc-endpoint": _on(_ALLOW, "aws:sourcevpce"),
            "user-id": _on(_ALLOW, "aws:userid"),
            "addresses": _on(_ALLOW, "aws:sourceip"),
            "source-account": _on(_ALLOW, "aws:sourceaccount"),
            "source-arn": _on(_ALLOW, "aws:sourcearn"),
            "via-any-service": _on(_ALLOW, "kms:viaservice"),
            "unresolved-action-of-one": _open(_ALLOW, "Action", "NotAction"),
            "perhaps-an-action": _open(_ALLOW, "Action", "NotAction"),
            "literal-resource": _named_resource,
            "iam-unresolved-resource": lambda case, witness: (
                witness.place is not None and _open(_ALLOW, "Resource")(case, witness)
            ),
        }.items()
    },
}
"""Class to the controls that it concerns and how a smallest case shows it."""


def classes_of(control: str, case: Case, witness: Witness) -> frozenset[str]:
    """The classes that explain why a control is wrong about a smallest case."""
    return frozenset(
        name for name, (controls, sign) in SIGNS.items() if control in controls and sign(case, witness)
    )


KNOWN_UNSOUND: Mapping[str, str] = {}
"""Class to the reason why it is wrong today: to be emptied."""

KNOWN_FALSE: Mapping[str, str] = {}
"""Kind of false alarm to the reason why it is raised today: to be emptied."""

__all__ = ["KNOWN_FALSE", "KNOWN_UNSOUND", "SIGNS", "classes_of"]
