"""Policies of an organization that are in force for some accounts alone, as policies that say so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from kms_constructs.model.policy import Condition, Effect, Policy, Principal, Statement
from kms_constructs.model.unknown import is_unknown

SCP: Final = "SERVICE_CONTROL_POLICY"
RCP: Final = "RESOURCE_CONTROL_POLICY"
ACCOUNT_KEYS: Final = {SCP: "aws:PrincipalAccount", RCP: "aws:ResourceAccount"}
"""Condition key of the account that a policy of each kind is in force for."""


def bound(policy: Policy, kind: str, accounts: Iterable[str]) -> Policy:
    """The policy for these accounts alone: what is judged together may lie in others.

    Args:
        policy: The policy.
        kind: `SCP` or `RCP`.
        accounts: Twelve digits each.
    """
    condition = Condition("StringEquals", ACCOUNT_KEYS[kind], tuple(sorted(accounts)))
    return replace(
        policy,
        statements=tuple(
            one if is_unknown(one.conditions) else replace(one, conditions=(*one.conditions, condition))
            for one in policy.statements
        ),
    )


def unread(kind: str, accounts: Iterable[str], path: str) -> Policy:
    """What stands for policies that could not be read: a Deny of everything, which may or may not be there.

    It takes nothing from anybody for certain, and what it may deny nobody is shown to be allowed.

    Args:
        kind: `SCP` or `RCP`.
        accounts: Twelve digits each.
        path: What could not be read.
    """
    statement = Statement(
        index=0,
        effect=Effect.DENY,
        principals=(Principal("*", "*"),) if kind == RCP else None,
        actions=("*",),
        resources=("*",),
        certain=False,
        path=path,
    )
    return bound(Policy(statements=(statement,), path=path), kind, accounts)
