"""Conditions that KMS refuses, or that hold for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from kms_constructs.guardrails.lint.remark import Remark
from kms_constructs.guardrails.rule import heading
from kms_constructs.model.condition_keys import is_condition_key, similar_key
from kms_constructs.model.condition_operators import CONDITION_OPERATORS
from kms_constructs.model.policy import Condition, Effect, Statement
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import is_unknown

_QUALIFIERS = frozenset({"", "foranyvalue", "forallvalues"})
_EXACT = frozenset({"stringequals", "stringnotequals", "stringequalsignorecase", "stringnotequalsignorecase"})
_LITERAL_ASTERISK = "kms:encryptioncontext:sourcearn"
"""Services that deliver logs send a source ARN with an asterisk in it: there it is the value itself.

See: https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
"""


def condition_remarks(statement: Statement) -> Iterator[Remark]:
    """What is wrong with the conditions of a statement."""
    if is_unknown(statement.conditions):
        return
    for condition in statement.conditions:
        for found in (_operator(condition), _key(statement, condition), _wildcard(statement, condition)):
            if found is not None:
                detail, message, fix, warns = found
                yield Remark(
                    detail, f"{heading(statement)}: {message}.", fix, f"{statement.path}/Condition", warns
                )


_Found = tuple[str, str, str, bool]


@lru_cache(maxsize=4096)
def _operator(condition: Condition) -> _Found | None:
    if condition.base in CONDITION_OPERATORS and condition.qualifier in _QUALIFIERS:
        if condition.base != "null" or not condition.if_exists:
            return None
        return (
            "unknown-operator",
            f"{condition.operator} is no operator, for Null asks itself whether the key exists",
            "Write Null.",
            False,
        )
    shown = display(condition.operator)
    return (
        "unknown-operator",
        f"IAM has no condition operator {shown!r}, and KMS refuses the policy",
        _similar_operator(condition),
        False,
    )


def _similar_operator(condition: Condition) -> str:
    import difflib

    known = {name: operator.name for name, operator in CONDITION_OPERATORS.items()}
    close = difflib.get_close_matches(condition.base, known, n=1, cutoff=0.6)
    return f"Did you mean {known[close[0]]}?" if close else "Write an operator that IAM has."


def _key(statement: Statement, condition: Condition) -> _Found | None:
    if has_hole(condition.key) or is_condition_key(condition.key):
        return None
    similar = similar_key(condition.key)
    denies = statement.effect is Effect.DENY
    harm = "so this Deny does not do what it seems to" if denies else "so it never matches"
    return (
        "unknown-condition-key",
        f"there is no condition key {display(condition.key)!r}: no request carries it, {harm}",
        f"Did you mean {similar}?" if similar else "Write a condition key of KMS or of IAM.",
        False,
    )


@lru_cache(maxsize=4096)
def _wildcard_in(condition: Condition) -> str | None:
    if condition.base not in _EXACT or is_unknown(condition.values):
        return None
    if condition.folded_key == _LITERAL_ASTERISK:
        return None
    return next((value for value in condition.values if "*" in value or "?" in value), None)


def _wildcard(statement: Statement, condition: Condition) -> _Found | None:
    value = _wildcard_in(condition)
    if value is None:
        return None
    is_arn = value.startswith("arn:") and condition.base in ("stringequals", "stringnotequals")
    negated = "Not" if "not" in condition.base else ""
    operator = f"Arn{negated}Like" if is_arn else f"String{negated}Like"
    return (
        "literal-wildcard",
        f"{condition.operator} compares {display(value)!r} letter by letter, for it knows no wildcards: "
        f"no value of {condition.key} equals it",
        f"Write {operator}" + (", or StringLike." if is_arn and not negated else "."),
        False,
    )
