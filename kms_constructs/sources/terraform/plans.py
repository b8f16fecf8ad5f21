"""Plans and states, taken together, as one estate."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Final

from kms_constructs.model.estate import Deployment, Estate, Organization, SourceProblem
from kms_constructs.sources.terraform.documents import Documents
from kms_constructs.sources.terraform.identities import IDENTITY_PASSES, IDENTITY_TYPES, Identities
from kms_constructs.sources.terraform.keys import Keys
from kms_constructs.sources.terraform.organization import organization_policies
from kms_constructs.sources.terraform.plan import Instance, Json, Plan, as_list, as_map, as_text
from kms_constructs.sources.terraform.providers import Providers
from kms_constructs.sources.terraform.resolver import KEY_TYPES, Resolver
from kms_constructs.sources.terraform.trails import TRAIL_TYPE, trail_of

_NO_REFERENCE: Final = ("aws_kms_", "aws_organizations_")
"""Uses of a key that say nothing of what it protects: policies that allow its use, aliases, replicas."""
_CONCERN: Final = ("aws_kms_", "aws_iam_", "aws_cloudtrail", "aws_ssoadmin_")
"""Types of resources without which a plan is not judged."""


def estate_from_plans(
    plans: Iterable[tuple[Json, str]], deployment: Deployment, problems: list[SourceProblem]
) -> Estate:
    """Everything that plans and states declare about KMS keys and who may use them.

    What cannot be resolved is unknown and never absent. Never raises for what a plan holds. Each plan is
    resolved by itself: what one hands on to another is a value that Terraform has put into the other.

    Args:
        plans: The decoded documents, each with the name of its file.
        deployment: Account and Region of what does not say its own.
        problems: Where what cannot be read is told.

    Example:
        >>> plan = {"format_version": "1.2", "planned_values": {"root_module": {"resources": [
        ...     {"address": "aws_kms_key.a", "type": "aws_kms_key", "name": "a", "values": {}}]}}}
        >>> estate = estate_from_plans([(plan, "plan.json")], Deployment(), [])
        >>> [key.location.logical_id for key in estate.keys]
        ['aws_kms_key.a']
    """
    given = tuple(plans)
    return Estate.merge(
        *(
            _estate(Plan(content, source, _label(source, number, len(given)), problems), deployment)
            for number, (content, source) in enumerate(given, start=1)
        )
    )


def _label(source: str, number: int, of: int) -> str:
    """What tells names of one plan from those of another: nothing when there is one plan."""
    return "" if of == 1 else f"{PurePath(source).stem}#{number}:"


def _estate(plan: Plan, deployment: Deployment) -> Estate:
    _tell_what_is_missing(plan)
    resolver = Resolver(plan, Providers(plan, deployment))
    documents = Documents(resolver)
    managed = tuple(one for one in plan.instances.values() if not one.is_data)
    keys = Keys(resolver, documents)
    for add, wanted in (
        (keys.add, KEY_TYPES),
        (keys.add_alias, {"aws_kms_alias"}),
        (keys.add_policy, {"aws_kms_key_policy"}),
        (keys.add_grant, {"aws_kms_grant"}),
    ):
        for instance in managed:
            if instance.type in wanted:
                add(instance)
    for instance in managed:
        if not instance.type.startswith(_NO_REFERENCE) and instance.type not in IDENTITY_TYPES:
            keys.add_references(instance)
    keys.add_outputs()
    found = keys.finish()
    scps, rcps = organization_policies(resolver, documents, found)
    return Estate(
        keys=found,
        identity_policies=tuple(_identities(resolver, documents, managed).finish()),
        trails=tuple(
            trail_of(resolver, one) for one in managed if one.type == TRAIL_TYPE and not one.deleted
        ),
        organization=Organization(scps, rcps),
        sources=(plan.source,),
        unattached_aliases=tuple(keys.unattached),
    )


def _identities(resolver: Resolver, documents: Documents, managed: tuple[Instance, ...]) -> Identities:
    identities = Identities(resolver, documents)
    for step in IDENTITY_PASSES:
        for instance in managed:
            if instance.type in IDENTITY_TYPES and not instance.deleted:
                step(identities, instance)
    return identities


def _tell_what_is_missing(plan: Plan) -> None:
    if plan.content.get("errored") is True:
        plan.problem("the plan broke off with an error and is not complete", "Plan again without the error")
    elif plan.content.get("complete") is False:
        plan.problem(
            "the plan is not complete: it was made with -target, or leaves changes to a later plan",
            "Plan again without -target; apply what changes wait for",
        )
    for raw in as_list(plan.content.get("deferred_changes")):
        change = as_map(as_map(raw).get("resource_change"))
        if as_text(change.get("type")).startswith(_CONCERN):
            plan.problem(
                "its change is deferred, so the plan does not say what it will be",
                "Apply what it waits for, and plan again",
                as_text(change.get("address")),
            )
