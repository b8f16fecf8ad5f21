"""The shape of a key policy: which actions its statements speak of. Keys that are made alike share one."""

from __future__ import annotations

from functools import lru_cache

from kms_constructs.analysis.conditions import GRANT_ACTIONS
from kms_constructs.analysis.statements import statement_actions
from kms_constructs.model.actions import ACROSS_ACCOUNTS, ACTIONS
from kms_constructs.model.policy import Effect, Policy

Shape = tuple[tuple[bool, frozenset[str]], ...]
"""Of each statement whether it denies, and the actions that it speaks of."""
_NO_ACTIONS: frozenset[str] = frozenset()


def shape_of(policy: Policy) -> Shape:
    """The shape of a policy: what may allow speaks of too many actions, what denies of too few."""
    return tuple(
        (
            denies := statement.effect == Effect.DENY,
            statement_actions(statement.actions, statement.not_actions, denies)
            if statement.certain or not denies
            else _NO_ACTIONS,
        )
        for statement in policy.statements
    )


@lru_cache(maxsize=4096)
def actions_alike(shape: Shape, actions: tuple[str, ...], abroad: bool) -> tuple[tuple[str, ...], ...]:
    """The actions in groups, of a key of which nothing but the statements tells actions apart."""
    groups: dict[object, list[str]] = {}
    speaking = speaking_of(shape)
    for action in actions:
        place = action in GRANT_ACTIONS, abroad and action not in ACROSS_ACCOUNTS, speaking[action]
        groups.setdefault(place, []).append(action)
    return tuple(map(tuple, groups.values()))


@lru_cache(maxsize=4096)
def speaking_of(
    statements: Shape,
) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """For each action the positions of the Allows and of the Denies that speak of it.

    Policies of one shape share it: keys that are made alike differ in their principals only.
    """
    return {
        action: (
            tuple(at for at, (denies, names) in enumerate(statements) if not denies and action in names),
            tuple(at for at, (denies, names) in enumerate(statements) if denies and action in names),
        )
        for action in ACTIONS
    }
