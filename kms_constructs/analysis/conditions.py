"""Conditions: decided against a known value, or turned into what they say of the principal.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from kms_constructs.analysis.principals import (
    IAM_KINDS,
    Cell,
    PrincipalKind,
    account_pattern,
    canonical_arn,
    excluding,
    in_partition,
    including,
)
from kms_constructs.model.globs import has_variable, is_literal
from kms_constructs.model.policy import Condition
from kms_constructs.model.text import CLOSE, OPEN, has_hole, has_unresolved_hole
from kms_constructs.model.unknown import Unknown

_NEGATIONS = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
}

GRANT_ONLY_KEYS = frozenset({"kms:grantisforawsresource"})
"""Condition keys that no request but those on grants carries."""
GRANT_ACTIONS = frozenset({"CreateGrant", "ListGrants", "RevokeGrant"})

RequestContext = Mapping[str, str | tuple[str, ...] | None]
"""Folded condition key to its value or values; None when the request does not carry it."""


def holds(condition: Condition, present: Sequence[str] | None) -> bool | None:
    """Whether a condition holds for a request that carries these values of its key.

    Args:
        condition: The condition.
        present: The values that the request carries; None when it does not carry the key.

    Returns:
        True or False; None when the operator is not known, or its values are not.
    """
    if isinstance(condition.values, Unknown) or _unreadable(condition, condition.values):
        return None
    present = present or None  # a key without any value counts as missing
    if condition.base == "null":
        if any(value.lower() not in ("true", "false") for value in condition.values):
            return None
        return any((value.lower() == "true") == (present is None) for value in condition.values)
    base = _NEGATIONS.get(condition.base, condition.base)
    negated = base != condition.base
    compare = _OPERATORS.get(base)
    if compare is None:
        return None
    if present is None:
        if condition.if_exists or condition.qualifier == "forallvalues":
            return True
        # A negated operator matches a missing key; ForAnyValue needs a value to match.
        return negated and condition.qualifier != "foranyvalue"
    if any(has_hole(value) for value in (*condition.values, *present)):
        return None
    verdicts: list[bool] = []
    for value in present:
        matched: bool | None = False
        for wanted in condition.values:
            one = compare(value, wanted)
            if one is None:
                return None
            matched = matched or one
        verdicts.append(not matched if negated else bool(matched))
    return all(verdicts) if condition.qualifier == "forallvalues" else any(verdicts)


_QUALIFIERS = frozenset({"", "foranyvalue", "forallvalues"})


def _unreadable(condition: Condition, values: tuple[str, ...]) -> bool:
    """Whether AWS does not say what the condition means, or a policy variable decides it."""
    return not values or condition.qualifier not in _QUALIFIERS or any(map(has_variable, values))


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool | None]:
    def decide(value: str, wanted: str) -> bool | None:
        try:
            return compare(float(value), float(wanted))
        except ValueError:
            return None

    return decide


def _instant(text: str) -> datetime:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), tz=UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _date(compare: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool | None]:
    def decide(value: str, wanted: str) -> bool | None:
        try:
            return compare(_instant(value), _instant(wanted))
        except (ValueError, OverflowError, OSError):
            return None

    return decide


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    # fnmatch gives [ a meaning that IAM does not: put it in a class of its own.
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))


def _like(value: str, wanted: str) -> bool:
    return _glob(wanted).match(value) is not None


def _arn(value: str, wanted: str) -> bool | None:
    """Field by field, for an asterisk in an ARN pattern does not run across a colon."""
    ours, theirs = value.split(":", 5), wanted.split(":", 5)
    if len(theirs) < 6:
        return None
    return len(ours) == len(theirs) and all(_like(a, b) for a, b in zip(ours, theirs, strict=True))


def _address(value: str, wanted: str) -> bool | None:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return None


def _binary(value: str, wanted: str) -> bool | None:
    try:
        return base64.b64decode(value, validate=True) == base64.b64decode(wanted, validate=True)
    except (binascii.Error, ValueError):
        return None


_OPERATORS: dict[str, Callable[[str, str], bool | None]] = {
    "stringequals": lambda value, wanted: value == wanted,
    "stringequalsignorecase": lambda value, wanted: value.casefold() == wanted.casefold(),
    "stringlike": _like,
    "arnequals": _arn,
    "arnlike": _arn,
    "bool": lambda value, wanted: value.lower() == wanted.lower(),
    "binaryequals": _binary,
    "ipaddress": _address,
    "numericequals": _number(lambda a, b: a == b),
    "numericlessthan": _number(lambda a, b: a < b),
    "numericlessthanequals": _number(lambda a, b: a <= b),
    "numericgreaterthan": _number(lambda a, b: a > b),
    "numericgreaterthanequals": _number(lambda a, b: a >= b),
    "dateequals": _date(lambda a, b: a == b),
    "datelessthan": _date(lambda a, b: a < b),
    "datelessthanequals": _date(lambda a, b: a <= b),
    "dategreaterthan": _date(lambda a, b: a > b),
    "dategreaterthanequals": _date(lambda a, b: a >= b),
}


def decide(condition: Condition, action: str, context: RequestContext) -> bool | None:
    """Whether a condition holds for an action under what is known of the request; None when it is open."""
    key = condition.folded_key
    if key in context:
        value = context[key]
        return holds(condition, (value,) if isinstance(value, str) else value)
    if key in GRANT_ONLY_KEYS and action not in GRANT_ACTIONS:
        return holds(condition, None)
    return None


@dataclass(frozen=True, slots=True)
class Atom:
    """What one condition, or the Principal element, says of the principal.

    A principal satisfies it when its name matches one of the patterns of its kind (or none, when negated).
    A kind without an entry is decided by `missing`: True satisfies, False fails, None may do either.

    Args:
        patterns: Patterns by kind.
        negated: Whether matching means not satisfied.
        missing: For the kinds without an entry: whether they satisfy it; None when that is not known.
    """

    patterns: tuple[tuple[PrincipalKind, tuple[str, ...]], ...]
    negated: bool = False
    missing: bool | None = False

    def _of(self, kind: PrincipalKind) -> tuple[str, ...] | None:
        for found, patterns in self.patterns:
            if found is kind:
                return patterns
        return None

    def satisfying(self, cell: Cell) -> tuple[Cell, ...]:
        """The part of the cell that satisfies it, never too little."""
        return self._part(cell, want=True)

    def failing(self, cell: Cell) -> tuple[Cell, ...]:
        """The part of the cell that does not satisfy it, never too little."""
        return self._part(cell, want=False)

    def _part(self, cell: Cell, *, want: bool) -> tuple[Cell, ...]:
        patterns = self._of(cell.kind)
        if patterns is None:
            return () if self.missing is (not want) else (cell,)
        exact = _exact(patterns)
        if exact is not None and (name := cell.literal) is not None:
            return (cell,) if ((name in exact) is not self.negated) is want else ()
        if self.negated is want:
            left = excluding(cell, patterns)
            return (left,) if left is not None else ()
        found = (including(cell, pattern) for pattern in patterns)
        return tuple(dict.fromkeys(part for part in found if part is not None))


@lru_cache(maxsize=16384)
def _exact(patterns: tuple[str, ...]) -> frozenset[str] | None:
    """The patterns as a set of names, when each stands for one name: then a look-up decides."""
    return frozenset(patterns) if all(is_literal(pattern) for pattern in patterns) else None


def everywhere(patterns: tuple[str, ...]) -> tuple[tuple[PrincipalKind, tuple[str, ...]], ...]:
    """The same patterns for every kind that belongs to an account."""
    return tuple((kind, patterns) for kind in IAM_KINDS)


_ACCOUNT_KEYS = frozenset({"aws:principalaccount", "kms:calleraccount"})
_TYPES = {
    "Account": PrincipalKind.ROOT,
    "User": PrincipalKind.USER,
    "AssumedRole": PrincipalKind.ROLE,
    "FederatedUser": PrincipalKind.FEDERATED,
}


@lru_cache(maxsize=16384)
def principal_atom(condition: Condition) -> Atom | None:
    """What the condition says of the principal, exactly; None when it says nothing or cannot be read.

    Exactly but for the partition, in which an ARN of another partition matches nobody: see
    `names_other_partition`.
    """
    if isinstance(condition.values, Unknown) or _unreadable(condition, condition.values):
        return None
    if any(map(has_unresolved_hole, condition.values)):
        return None
    key = condition.folded_key
    if key == "aws:principalarn":
        return _arn_atom(condition, condition.values)
    if key in _ACCOUNT_KEYS:
        return _account_atom(condition, condition.values)
    if key == "aws:principalisawsservice":
        return _service_atom(condition, condition.values)
    if key == "aws:principaltype":
        return _type_atom(condition, condition.values)
    return None


def names_other_partition(condition: Condition, partition: str) -> bool:
    """Whether a value of the condition is an ARN of another partition, and so matches nobody in this one.

    An atom takes it for the principal of the same name, which is too much where it takes access away.
    """
    values = () if isinstance(condition.values, Unknown) else condition.values
    return not all(in_partition(value, partition) for value in values)


def _missing(condition: Condition, *, negated: bool) -> bool:
    """Whether a principal that does not carry the key satisfies the condition."""
    if condition.if_exists or condition.qualifier == "forallvalues":
        return True
    return negated and condition.qualifier != "foranyvalue"


def _arn_atom(condition: Condition, values: tuple[str, ...]) -> Atom | None:
    if condition.base == "null":
        return _null_atom(values)
    base = _NEGATIONS.get(condition.base, condition.base)
    negated = base != condition.base
    if base in ("arnequals", "arnlike"):
        if any(_outer_colons(value) < 5 for value in values):
            return None
        patterns = tuple(canonical_arn(value) for value in values)
    elif base == "stringlike":
        patterns = tuple(canonical_arn(value) for value in values)
    elif base == "stringequals":
        # No ARN has an asterisk in it, so such a value is equal to none.
        patterns = tuple(canonical_arn(value) for value in values if "*" not in value and "?" not in value)
    else:
        return None
    return Atom(everywhere(patterns), negated=negated, missing=_missing(condition, negated=negated))


def _outer_colons(text: str) -> int:
    return re.sub(f"{OPEN}[^{CLOSE}]*{CLOSE}", "", text).count(":")


def _null_atom(values: tuple[str, ...]) -> Atom | None:
    wanted = {value.lower() for value in values}
    if wanted == {"true"}:
        return Atom(everywhere(()), missing=True)
    if wanted == {"false"}:
        return Atom(everywhere(("*",)), missing=False)
    return None


def _account_atom(condition: Condition, values: tuple[str, ...]) -> Atom | None:
    if condition.base == "null":
        return None
    base = _NEGATIONS.get(condition.base, condition.base)
    negated = base != condition.base
    if base not in ("stringequals", "stringlike"):
        return None
    if base == "stringequals":
        values = tuple(value for value in values if "*" not in value and "?" not in value)
    patterns = tuple((kind, tuple(account_pattern(kind, value) for value in values)) for kind in IAM_KINDS)
    # AWS does not say what a call by a service itself carries here: services stay open both ways.
    return Atom(patterns, negated=negated, missing=None)


def _service_atom(condition: Condition, values: tuple[str, ...]) -> Atom | None:
    wanted = {value.lower() for value in values}
    if condition.base != "bool" or wanted not in ({"true"}, {"false"}):
        return None
    service = wanted == {"true"}
    return Atom(
        (*everywhere(() if service else ("*",)), (PrincipalKind.SERVICE, ("*",) if service else ())),
    )


def _type_atom(condition: Condition, values: tuple[str, ...]) -> Atom | None:
    base = _NEGATIONS.get(condition.base, condition.base)
    negated = base != condition.base
    # AWS compares in this spelling only: another one is equal to no type there is.
    if base != "stringequals" or any(value not in _TYPES for value in values):
        return None
    kinds = {_TYPES[value] for value in values}
    patterns = tuple((kind, ("*",) if kind in kinds else ()) for kind in IAM_KINDS)
    return Atom(patterns, negated=negated, missing=None)
