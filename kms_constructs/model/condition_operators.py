"""Every condition operator of IAM, once: what it negates, what it compares, and what it can limit.

Whoever treats operators apart (three-valued conditions, policy variables, narrowing, the writers of policies)
asks this table; an operator that AWS adds is added here and in `analysis.conditions`, where it is compared.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from enum import StrEnum

from kms_constructs.model.frozen import Frozen


class ValueType(StrEnum):
    """What an operator takes its values for."""

    STRING = "string"
    NUMBER = "number"
    DATE = "date"
    BOOL = "bool"
    BINARY = "binary"
    ADDRESS = "IP address"
    ARN = "ARN"
    PRESENCE = "presence"


class ConditionOperator(Frozen, frozen=True):
    """One operator.

    Args:
        name: In AWS's spelling, without qualifier and ``IfExists``.
        base: Folded name of the operator whose comparison decides; its own unless it is negated.
        values: What its values are.
        pins: Whether a value limits the key to itself or to a pattern: what can narrow a statement.
    """

    name: str
    base: str
    values: ValueType
    pins: bool

    @property
    def folded(self) -> str:
        """The name in lower case: operators are not case-sensitive."""
        return self.name.lower()

    @property
    def negated(self) -> bool:
        """Whether it holds where its base does not, and for a key that the request does not carry."""
        return self.base != self.folded

    @property
    def takes_variables(self) -> bool:
        """Whether IAM replaces policy variables in its values."""
        return self.values in {ValueType.STRING, ValueType.ARN}


_PINNING = frozenset({ValueType.STRING, ValueType.ARN, ValueType.ADDRESS, ValueType.BOOL})
_RANGES = ("LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")


def _table() -> dict[str, ConditionOperator]:
    found: list[ConditionOperator] = []

    def add(values: ValueType, name: str, negation: str = "") -> None:
        found.append(ConditionOperator(name, name.lower(), values, values in _PINNING))
        if negation:
            found.append(ConditionOperator(negation, name.lower(), values, pins=False))

    add(ValueType.STRING, "StringEquals", "StringNotEquals")
    add(ValueType.STRING, "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")
    add(ValueType.STRING, "StringLike", "StringNotLike")
    for kind, prefix in ((ValueType.NUMBER, "Numeric"), (ValueType.DATE, "Date")):
        add(kind, f"{prefix}Equals", f"{prefix}NotEquals")
        for comparison in _RANGES:
            add(kind, f"{prefix}{comparison}")
    add(ValueType.BOOL, "Bool")
    add(ValueType.BINARY, "BinaryEquals")
    add(ValueType.ADDRESS, "IpAddress", "NotIpAddress")
    add(ValueType.ARN, "ArnEquals", "ArnNotEquals")
    add(ValueType.ARN, "ArnLike", "ArnNotLike")
    add(ValueType.PRESENCE, "Null")
    return {operator.folded: operator for operator in found}


CONDITION_OPERATORS: dict[str, ConditionOperator] = _table()
"""Every operator by its folded name."""

QUALIFIERS = frozenset({"", "foranyvalue", "forallvalues"})
"""What may stand before an operator, folded: nothing, or one of the set operators."""


def pinning_operators() -> frozenset[str]:
    """Folded names of the operators whose values can narrow a statement."""
    return frozenset(name for name, operator in CONDITION_OPERATORS.items() if operator.pins)
