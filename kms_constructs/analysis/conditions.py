"""Conditions: decided against a known value, or turned into what they say of the principal.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from msgspec.structs import replace

from kms_constructs.analysis.principals import (
    ANY_PARTITION,
    IAM_KINDS,
    Cell,
    PrincipalKind,
    account_pattern,
    excluding,
    including,
    localised,
)
from kms_constructs.model.arn import cut
from kms_constructs.model.condition_operators import (
    CONDITION_OPERATORS,
    QUALIFIERS,
    ConditionOperator,
    ValueType,
)
from kms_constructs.model.effort import spend
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import (
    arn_pattern,
    glob_covers,
    glob_matches,
    globs_meet,
    has_variable,
    has_wildcard,
    is_literal,
)
from kms_constructs.model.policy import Condition
from kms_constructs.model.text import CLOSE, OPEN, RESERVED, has_hole, has_unresolved_hole
from kms_constructs.model.unknown import Unknown

GRANT_ONLY_KEYS = frozenset({"kms:grantisforawsresource"})
"""Condition keys that no request but those on grants carries."""
GRANT_ACTIONS = frozenset({"CreateGrant", "ListGrants", "RevokeGrant"})

_ARN_FIELDS = 6
_FEW = 8
"""Values up to which a comparison counts no steps: counting takes longer."""

RequestContext = Mapping[str, str | tuple[str, ...] | None]
"""Folded condition key to its value or values; None when the request does not carry it."""


def holds(condition: Condition, present: Sequence[str] | None) -> bool | None:
    """Whether a condition holds for a request that carries these values of its key.

    Args:
        condition: The condition.
        present: The values that the request carries; None when it does not carry the key.

    Returns:
        True or False, when that holds whatever the holes in the values turn out to be; None when the operator
        is not known, or its values are not, or where AWS does not say:
        whether ``ForAnyValue:…IfExists`` holds for a missing key, and whether a wildcard under an ``Arn…``
        operator runs over a colon in the resource.
    """
    if isinstance(condition.values, Unknown) or not condition.values or condition.qualifier not in QUALIFIERS:
        return None
    present = present or None  # a key without any value counts as missing
    if condition.base == "null":
        if any(value.lower() not in ("true", "false") for value in condition.values):
            return None
        return any((value.lower() == "true") == (present is None) for value in condition.values)
    operator = CONDITION_OPERATORS.get(condition.base)
    if operator is None:
        return None
    if present is None:
        return _missing(condition)
    verdicts: list[bool | None] = []
    if len(condition.values) > _FEW:
        spend(len(present) * len(condition.values))
    for value in present:
        matched = any_of(_compared(operator, value, wanted) for wanted in condition.values)
        verdicts.append(matched if matched is None else matched is not operator.negated)
    return all_of(verdicts) if condition.qualifier == "forallvalues" else any_of(verdicts)


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """Whether one of the answers is yes; None when that is open. No answers are a no."""
    open_ = False
    for answer in answers:
        if answer:
            return True
        open_ = open_ or answer is None
    return None if open_ else False


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """Whether all answers are yes; None when that is open. No answers are a yes."""
    open_ = False
    for answer in answers:
        if answer is False:
            return False
        open_ = open_ or answer is None
    return None if open_ else True


def _compared(operator: ConditionOperator, value: str, wanted: str) -> bool | None:
    """Whether one value of the request is what one value of the policy asks for; None when that is open."""
    if _unreadable_value(wanted):
        return None
    if not has_hole(value) and not has_hole(wanted):
        return COMPARISONS[operator.base](value, wanted)
    if value == wanted and not (operator.values is ValueType.ARN and len(cut(wanted)) < _ARN_FIELDS):
        return True
    if operator.values is ValueType.ARN:
        certain, possible = arn_pattern(wanted, certainly=True), arn_pattern(wanted, certainly=False)
    elif operator.base in ("stringequals", "stringlike"):
        certain = wanted if operator.base == "stringlike" else None
        possible = wanted
    else:
        return None
    if certain is not None and glob_covers(certain, value):
        return True
    return False if possible is not None and not globs_meet(possible, value) else None


def _missing(condition: Condition) -> bool | None:
    """Whether a request without the key satisfies a condition; None where AWS does not say."""
    if condition.qualifier == "foranyvalue":
        # It needs a value to match; what IfExists makes of that is not documented.
        return None if condition.if_exists else False
    if condition.if_exists or condition.qualifier == "forallvalues":
        return True
    operator = CONDITION_OPERATORS.get(condition.base)
    return operator is not None and operator.negated


_HOLES = re.compile(f"{OPEN}[^{CLOSE}]*{CLOSE}")


def _unreadable(condition: Condition, values: tuple[str, ...]) -> bool:
    """Whether AWS does not say what the condition means, or a policy variable decides it."""
    return not values or condition.qualifier not in QUALIFIERS or any(map(_unreadable_value, values))


@lru_cache(maxsize=16384)
def _unreadable_value(value: str) -> bool:
    return has_variable(value) or not RESERVED.isdisjoint(_HOLES.sub("", value))


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


def _like(value: str, wanted: str) -> bool:
    return glob_matches(wanted, value)


def _arn(value: str, wanted: str) -> bool | None:
    """Field by field: a wildcard does not run over the first five colons."""
    certain, possible = arn_pattern(wanted, certainly=True), arn_pattern(wanted, certainly=False)
    if certain is None or possible is None:
        return None
    if len(cut(value)) < len(cut(wanted)):
        return False
    if not has_wildcard(wanted):
        return value == wanted
    if glob_covers(certain, value):
        return True
    return None if glob_covers(possible, value) else False


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


COMPARISONS: dict[str, Callable[[str, str], bool | None]] = {
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
"""How each operator that negates no other compares a value of the request with one of the policy."""


def decide(condition: Condition, action: str, context: RequestContext) -> bool | None:
    """Whether a condition holds for an action under what is known of the request; None when it is open."""
    key = condition.folded_key
    if key in context:
        value = context[key]
        return holds(condition, (value,) if isinstance(value, str) else value)
    if key in GRANT_ONLY_KEYS and action not in GRANT_ACTIONS:
        return holds(condition, None)
    return None


Patterns = tuple[tuple[PrincipalKind, tuple[str, ...]], ...]
"""Patterns over names by kind of principal."""


class Atom(Frozen, frozen=True):
    """What one condition, or the Principal element, says of the principal.

    A principal satisfies it when its name matches one of the patterns of its kind (or none, when negated).
    A kind without an entry is decided by `missing`: True satisfies, False fails, None may do either.

    Args:
        patterns: Patterns by kind: whatever may match.
        negated: Whether matching means not satisfied.
        missing: For the kinds without an entry: whether they satisfy it; None when that is not known.
        certain: Patterns by kind of what matches for certain; None when they are the same.
        doubt: What AWS does not say, so that some principals may satisfy it or not; empty when it says all.
    """

    patterns: Patterns
    negated: bool = False
    missing: bool | None = False
    certain: Patterns | None = None
    doubt: str = ""

    def satisfying(self, cell: Cell) -> tuple[Cell, ...]:
        """The part of the cell that satisfies it, never too little."""
        return self._part(cell, want=True)

    def failing(self, cell: Cell) -> tuple[Cell, ...]:
        """The part of the cell that does not satisfy it, never too little."""
        return self._part(cell, want=False)

    def taken_for(self, *, satisfied: bool) -> Atom:
        """The same without its doubt: whoever may satisfy it does, or does not."""
        if not self.doubt:
            return self
        certain = self.patterns if self.certain is None else self.certain
        return replace(
            self,
            patterns=self.patterns if satisfied is not self.negated else certain,
            missing=satisfied if self.missing is None else self.missing,
            certain=None,
            doubt="",
        )

    def _part(self, cell: Cell, *, want: bool) -> tuple[Cell, ...]:
        leaves_out = self.negated is want
        listed = self.certain if leaves_out and self.certain is not None else self.patterns
        patterns = next((found for kind, found in listed if kind is cell.kind), None)
        if patterns is None:
            return () if self.missing is (not want) else (cell,)
        exact = _exact(patterns)
        if exact is not None and (name := cell.literal) is not None and is_literal(name):
            return (cell,) if ((name in exact) is not self.negated) is want else ()
        spend(len(patterns) * (len(cell.include) + len(cell.exclude)))
        if leaves_out:
            left = excluding(cell, patterns)
            return (left,) if left is not None else ()
        found = (including(cell, pattern) for pattern in patterns)
        return tuple(dict.fromkeys(part for part in found if part is not None))


@lru_cache(maxsize=16384)
def _exact(patterns: tuple[str, ...]) -> frozenset[str] | None:
    """The patterns as a set of names, when each stands for one name: then a look-up decides."""
    return frozenset(patterns) if all(is_literal(pattern) for pattern in patterns) else None


def everywhere(patterns: tuple[str, ...]) -> Patterns:
    """The same patterns for every kind that belongs to an account."""
    return tuple((kind, patterns) for kind in IAM_KINDS)


_ACCOUNT_KEYS = frozenset({"aws:principalaccount", "kms:calleraccount"})
_TYPES = {
    "Account": PrincipalKind.ROOT,
    "User": PrincipalKind.USER,
    "AssumedRole": PrincipalKind.ROLE,
    "FederatedUser": PrincipalKind.FEDERATED,
}
_COLON_DOUBT = "AWS does not say whether a wildcard under an Arn operator runs over a colon in a path"
_MISSING_DOUBT = "AWS does not say whether ForAnyValue with IfExists holds for a request without the key"


@lru_cache(maxsize=16384)
def principal_atom(condition: Condition, partition: str = ANY_PARTITION) -> Atom | None:
    """What the condition says of the principal, exactly; None when it says nothing or cannot be read.

    Args:
        condition: The condition.
        partition: The partition of the key, and so of all principals that can call it.
    """
    if isinstance(condition.values, Unknown) or _unreadable(condition, condition.values):
        return None
    if any(map(has_unresolved_hole, condition.values)):
        return None
    values = tuple(localised(value, partition) for value in condition.values)
    key = condition.folded_key
    if key == "aws:principalarn":
        return _arn_atom(condition, values)
    if key in _ACCOUNT_KEYS:
        return _account_atom(condition, values, partition)
    if key == "aws:principalisawsservice":
        return _service_atom(condition, values)
    if key == "aws:principaltype":
        return _type_atom(condition, values)
    return None


_HOLE_DOUBT = "a value of aws:PrincipalArn is decided at deployment"


@lru_cache(maxsize=4096)
def open_atom(condition: Condition, partition: str = ANY_PARTITION) -> Atom | None:
    """What a condition on ``aws:PrincipalArn`` says at most where its values are not all resolved.

    For an Allow alone: whom it lets in lies within the patterns, whatever the open names turn out to be.

    Args:
        condition: The condition.
        partition: The partition of the key.

    Returns:
        None where the condition may let in anyone: more than the end of an ARN is open, or the operator
        is one that also holds for what it does not name.
    """
    operator = CONDITION_OPERATORS.get(condition.base)
    if (
        condition.folded_key != "aws:principalarn"
        or operator is None
        or operator.negated
        or not operator.takes_variables
        or isinstance(condition.values, Unknown)
        or _unreadable(condition, condition.values)
        or _missing(condition) is not False
    ):
        return None
    values = tuple(localised(value, partition) for value in condition.values)
    for value in values:
        *fields, _ = cut(value)
        if len(fields) < 5 or any(map(has_unresolved_hole, fields)):
            return None
    return Atom(everywhere(values), missing=False, certain=everywhere(()), doubt=_HOLE_DOUBT)


def _arn_atom(condition: Condition, values: tuple[str, ...]) -> Atom | None:
    if condition.base == "null":
        return _null_atom(values)
    operator = CONDITION_OPERATORS.get(condition.base)
    if operator is None:
        return None
    patterns, certain = values, values
    if operator.values is ValueType.ARN:
        possible = [arn_pattern(value, certainly=False) for value in values]
        sure = [arn_pattern(value, certainly=True) for value in values]
        patterns = tuple(pattern for pattern in possible if pattern is not None)
        certain = tuple(pattern for pattern in sure if pattern is not None)
        if len(patterns) < len(values):
            return None
    elif operator.base == "stringequals":
        # No ARN has an asterisk in it, so such a value is equal to none.
        patterns = certain = tuple(value for value in values if not has_wildcard(value))
    elif operator.base != "stringlike":
        return None
    missing = _missing(condition)
    open_colon = certain != patterns
    return Atom(
        everywhere(patterns),
        negated=operator.negated,
        missing=missing,
        certain=everywhere(certain) if open_colon else None,
        doubt=_MISSING_DOUBT if missing is None else _COLON_DOUBT if open_colon else "",
    )


def _null_atom(values: tuple[str, ...]) -> Atom | None:
    wanted = {value.lower() for value in values}
    if wanted == {"true"}:
        return Atom(everywhere(()), missing=True)
    if wanted == {"false"}:
        return Atom(everywhere(("*",)), missing=False)
    return None


def _account_atom(condition: Condition, values: tuple[str, ...], partition: str) -> Atom | None:
    operator = CONDITION_OPERATORS.get(condition.base)
    if operator is None or operator.base not in ("stringequals", "stringlike"):
        return None
    if operator.base == "stringequals":
        values = tuple(value for value in values if not has_wildcard(value))
    patterns = tuple(
        (kind, tuple(account_pattern(kind, value, partition) for value in values)) for kind in IAM_KINDS
    )
    # AWS does not say what a call by a service itself carries here: services stay open both ways.
    return Atom(patterns, negated=operator.negated, missing=None)


def _service_atom(condition: Condition, values: tuple[str, ...]) -> Atom | None:
    wanted = {value.lower() for value in values}
    if condition.base != "bool" or wanted not in ({"true"}, {"false"}):
        return None
    service = wanted == {"true"}
    return Atom(
        (*everywhere(() if service else ("*",)), (PrincipalKind.SERVICE, ("*",) if service else ())),
    )


def _type_atom(condition: Condition, values: tuple[str, ...]) -> Atom | None:
    operator = CONDITION_OPERATORS.get(condition.base)
    # AWS compares in this spelling only: another one is equal to no type there is.
    if operator is None or operator.base != "stringequals" or any(value not in _TYPES for value in values):
        return None
    kinds = {_TYPES[value] for value in values}
    patterns = tuple((kind, ("*",) if kind in kinds else ()) for kind in IAM_KINDS)
    return Atom(patterns, negated=operator.negated, missing=None)
