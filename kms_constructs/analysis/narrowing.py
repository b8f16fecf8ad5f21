"""Which conditions of an Allow really narrow it, and which only look as if they did.

What a value has to be is decided key by key in `kms_constructs.model.limits`; here conditions are looked at
together, and it is said why one does not narrow.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from kms_constructs.analysis.statements import statement_actions
from kms_constructs.model.actions import ACTIONS
from kms_constructs.model.limits import ENCRYPTION_CONTEXT, SOURCE_KEYS, limits, why_not
from kms_constructs.model.policy import Condition, Statement
from kms_constructs.model.text import display
from kms_constructs.model.unknown import Unknown

CALLER_ACCOUNT_KEYS = frozenset(
    {"kms:calleraccount", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths"}
)
"""Keys that say which account the caller belongs to."""
VIA_SERVICE = "kms:viaservice"


def narrows(condition: Condition) -> bool | None:
    """Whether a condition narrows what it stands in; None when its values are not known."""
    return limits(condition)


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
        if why := why_not(condition):
            reasons.append(f"{condition.key} does not narrow it: {display(why)}")
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


__all__ = [
    "CALLER_ACCOUNT_KEYS",
    "ENCRYPTION_CONTEXT",
    "SOURCE_KEYS",
    "VIA_SERVICE",
    "covered_actions",
    "narrowed_by",
    "narrows",
    "near_misses",
]
