"""Service and resource control policies of a plan, where they are sure to be in force for its keys.

A policy that denies counts for nothing unless it is certain to reach: one that is attached to something of
which the plan does not say whether the keys' accounts are under it is left out. So is one attached to a root,
which never reaches the management account, unless the plan says which account that is and holds no key of it.

What is judged together with the plan may lie in other accounts, so each statement is bound to those of the
plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kms_constructs.model.estate import Key
from kms_constructs.model.policy import Policy
from kms_constructs.model.text import has_hole
from kms_constructs.sources.bound import ACCOUNT_KEYS, bound
from kms_constructs.sources.terraform.arguments import Arguments
from kms_constructs.sources.terraform.documents import Documents
from kms_constructs.sources.terraform.plan import Instance, Plan, as_text
from kms_constructs.sources.terraform.resolver import Resolver

POLICY_TYPE: Final = "aws_organizations_policy"
ATTACHMENT_TYPE: Final = "aws_organizations_policy_attachment"
_KINDS: Final = tuple(ACCOUNT_KEYS)


def organization_policies(
    resolver: Resolver, documents: Documents, keys: Iterable[Key]
) -> tuple[tuple[Policy, ...], tuple[Policy, ...]]:
    """The service and the resource control policies that reach every account that has a key in the plan."""
    accounts = {key.account for key in keys}
    plan = resolver.plan
    targets: dict[str, set[str]] = {}
    for instance in _of_type(plan, ATTACHMENT_TYPE):
        arguments = Arguments(resolver, instance)
        policy, target = arguments.text("policy_id"), arguments.text("target_id")
        if isinstance(policy, str) and isinstance(target, str):
            targets.setdefault(policy, set()).add(target)
    found: tuple[list[Policy], list[Policy]] = ([], [])
    for instance in _of_type(plan, POLICY_TYPE):
        given = Arguments(resolver, instance).text("type")
        kind = _KINDS[0] if given is None else given
        reached = targets.get(resolver.text_of(instance, "id"), set())
        if kind in _KINDS and _reaches(plan, reached, accounts):
            policy_of = bound(documents.policy(instance, "content"), kind, accounts)
            found[_KINDS.index(kind)].append(policy_of)
    return tuple(found[0]), tuple(found[1])


def _of_type(plan: Plan, kind: str) -> Iterable[Instance]:
    return (one for one in plan.instances.values() if one.type == kind and not one.deleted)


def _reaches(plan: Plan, targets: set[str], accounts: set[str]) -> bool:
    if not accounts or any(has_hole(account) for account in accounts):
        return False
    if accounts <= targets:
        return True
    management = {
        as_text(one.values.get("master_account_id"))
        for one in plan.instances.values()
        if one.type == "aws_organizations_organization"
    } - {""}
    return (
        any(target.startswith("r-") for target in targets) and bool(management) and not management & accounts
    )
