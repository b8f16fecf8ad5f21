"""Which conditions of an Allow really narrow it, and which only look as if they did.

A condition narrows when a request that the statement is not meant for cannot satisfy it. So an ``…IfExists``
operator and ``ForAllValues`` do not (a request that lacks the key passes), a negated operator does not (it
lets in all but a few), and a value such as ``*`` or ``arn:aws:s3:::*`` does not (everything matches it).

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from kms_constructs.analysis.statements import statement_actions
from kms_constructs.model.actions import ACTIONS
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.condition_operators import pinning_operators
from kms_constructs.model.policy import Condition, Statement
from kms_constructs.model.text import display, has_unresolved_hole
from kms_constructs.model.unknown import Unknown, is_unknown

SOURCE_KEYS = frozenset({"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"})
"""Keys that say for whose resource an AWS service acts."""
CALLER_ACCOUNT_KEYS = frozenset(
    {"kms:calleraccount", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths"}
)
"""Keys that say which account the caller belongs to."""
VIA_SERVICE = "kms:viaservice"
ENCRYPTION_CONTEXT = "kms:encryptioncontext:"
"""Prefix of the keys that compare one pair of the encryption context."""

_POSITIVE = pinning_operators()
_WORLD = frozenset({"0.0.0.0/0", "::/0"})


def narrows(condition: Condition) -> bool | None:
    """Whether a condition narrows what it stands in; None when its values are not known."""
    if condition.if_exists or condition.qualifier == "forallvalues" or condition.base not in _POSITIVE:
        return False
    if is_unknown(condition.values):
        return None
    if not all(_says_something(value) for value in condition.values):
        return False
    return None if any(has_unresolved_hole(value) for value in condition.values) else True


@lru_cache(maxsize=8192)
def _says_something(value: str) -> bool:
    """Whether a value rules anything out: an ARN has to tell an account or a name, other text a character."""
    if value in _WORLD:
        return False
    arn = parse_arn(value)
    if arn is None:
        return bool(value.strip("*?"))
    separator = next((character for character in arn.resource if character in "/:"), None)
    name = arn.resource.partition(separator)[2] if separator is not None else arn.resource
    return bool(arn.account.strip("*?")) or bool(name.strip("*?/:"))


def narrowed_by(conditions: Sequence[Condition], keys: Iterable[str]) -> bool | None:
    """Whether one of the conditions on these keys narrows: the best answer of them.

    Args:
        conditions: All hold together.
        keys: Folded condition keys; one that ends in a colon or slash stands for all that it begins.
    """
    wanted = tuple(keys)
    found: bool | None = False
    for condition in conditions:
        key = condition.folded_key
        if not any(key == name or (name[-1] in ":/" and key.startswith(name)) for name in wanted):
            continue
        verdict = narrows(condition)
        if verdict is True:
            return True
        if verdict is None:
            found = None
    return found


def near_misses(conditions: Sequence[Condition], keys: Iterable[str]) -> str:
    """A sentence on the conditions on these keys that do not narrow and why; empty when there is none."""
    wanted = tuple(keys)
    reasons: list[str] = []
    for condition in conditions:
        key = condition.folded_key
        if not any(key == name or (name[-1] in ":/" and key.startswith(name)) for name in wanted):
            continue
        if narrows(condition) is not False:
            continue
        if condition.if_exists or condition.qualifier == "forallvalues":
            why = f"{condition.operator} also holds for requests that lack the key"
        elif condition.base not in _POSITIVE:
            why = f"{condition.operator} lets in everything that it does not name"
        else:
            values = () if is_unknown(condition.values) else condition.values
            why = f"the value {', '.join(map(display, values))} matches everything"
        reasons.append(f"{condition.key} does not narrow it: {why}")
    return f" {'; '.join(reasons)}." if reasons else ""


@lru_cache(maxsize=4096)
def _covered(
    actions: tuple[str, ...] | Unknown | None, not_actions: tuple[str, ...] | Unknown | None
) -> frozenset[str]:
    return frozenset(
        name for name in statement_actions(actions, not_actions, certainly=False) if ACTIONS[name].on_key
    )


def covered_actions(statement: Statement) -> frozenset[str]:
    """Names of the key actions that a statement may speak of; all of them when its actions are not known."""
    return _covered(statement.actions, statement.not_actions)
