"""What a key was declared to be: all its arguments checked, and nothing made yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from aws_cdk import RemovalPolicy

from kms_constructs.cdk.key import arguments as checks
from kms_constructs.cdk.key.held_to_guardrails import hold_to_guardrails
from kms_constructs.cdk.key.key_arguments import KeyArguments
from kms_constructs.cdk.key.principals import arns, named_grants, named_principals
from kms_constructs.cdk.key.replica_plan import ReplicaConfig, replica_configs
from kms_constructs.cdk.key.stack_facts import StackFacts
from kms_constructs.errors import ArgumentError
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.policies.direct_grant import checked_grants
from kms_constructs.policies.key_policy import KeyPolicySpec
from kms_constructs.policies.material import check_importers, material_expiry
from kms_constructs.policies.principals import NamedPrincipal
from kms_constructs.policies.target import PolicyTarget, statements_of, via_service

Named = dict[str, tuple[NamedPrincipal, ...]]
"""Principals by the argument that names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedKey:
    """A key as it was declared.

    Args:
        alias: Name of the alias, with ``alias/``.
        more_aliases: Further names.
        description: What the key protects.
        tags: Tags, the construct's own ones included.
        rotation_period: Days; None for a key that does not rotate by itself.
        removal_policy: What happens when the key leaves its stack.
        replicas: Replicas that it is to have.
        target: What its statements are written for.
        managing: Who manages the key, by argument.
        using: Who uses it, by argument.
        policy: What decides its policy.
        parameter: Name of the SSM parameter for its ARN, or None.
        logical_id: The logical id that it is pinned to, or None.
    """

    alias: str
    more_aliases: tuple[str, ...]
    description: str
    tags: dict[str, str]
    rotation_period: int | None
    removal_policy: RemovalPolicy
    replicas: tuple[ReplicaConfig, ...]
    target: PolicyTarget
    managing: Named
    using: Named
    policy: KeyPolicySpec
    parameter: str | None
    logical_id: str | None


def checked_key(
    given: KeyArguments, facts: StackFacts, where: str, *, config: GuardrailConfig, replica: bool
) -> CheckedKey:
    """Checks all arguments of a key.

    Args:
        given: The arguments, defaults filled in.
        facts: Of the stack that the key goes into.
        where: Construct path of the key, for errors.
        config: The configuration of the guardrails that the key will be held to.
        replica: Whether it is a replica key, which rotates with its primary and has no replicas.

    Raises:
        ArgumentError: An argument was refused; the message names argument, value, rule and fix.
    """
    check = checks.Refusals(where)
    alias, more_aliases = check.aliases(given["alias"], given["additional_aliases"])
    description = check.text(
        "description", given["description"], "what the key protects", checks.MAXIMUM_DESCRIPTION_LENGTH
    )
    spec, usage, origin = check.key_type(given["key_spec"], given["key_usage"], given["origin"])
    expires = material_expiry(given["material_expires"], origin, where)
    tags = _tags(check, given, alias, expires)
    rotation = None if replica else check.rotation_period(given["rotation_period"], spec, origin)
    window = check.pending_window(given["pending_window"])
    removal = check.removal_policy(given["removal_policy"])
    hold_to_guardrails(
        config,
        where=where,
        replica=replica,
        key_spec=spec,
        origin=origin,
        tags=tags,
        multi_region=given["multi_region"] or bool(given["replica_regions"]),
        rotation_period=rotation,
        pending_window=window,
        removal_policy=removal,
    )
    replicas = replica_configs(given["replica_regions"], facts=facts, removal_policy=removal, where=where)
    managing, using = _people(check, given, facts, origin)
    target = PolicyTarget(
        partition=facts.partition,
        account=facts.account,
        region=facts.region,
        key_spec=spec,
        key_usage=usage,
        where=where,
    )
    sources = (
        *check.sources("services", given["services"]),
        *check.sources("external_access", given["external_access"]),
    )
    brought = statements_of(sources, target)
    check.brought(managing, brought)
    grants = checked_grants(named_grants(given["direct_grants"], where=where), target)
    check.separation(managing, {"direct_grants": grants.principals})
    via = check.texts("via_services", given["via_services"])
    policy = KeyPolicySpec(
        root_arn=facts.root_arn,
        root_access=check.root_access(given["root_access"]),
        administrators=arns(managing["key_administrators"]),
        break_glass=arns(managing["break_glass_principals"]),
        deployment=arns(managing["deployment_principals"]),
        users=arns(using["key_users"]),
        encrypt_only=arns(using["encrypt_only_users"]),
        decrypt_only=arns(using["decrypt_only_users"]),
        key_spec=spec,
        key_usage=usage,
        origin=origin,
        pending_window=window,
        via_services=tuple(via_service(one, target) for one in via),
        deployment_as_users=check.deployment_as_users(managing["deployment_principals"], brought),
        deployment_may_delete=removal is RemovalPolicy.DESTROY,
        multi_region=given["multi_region"] or bool(replicas),
        replica=replica,
        importers=arns(managing.get("key_material_importers", managing["key_administrators"])),
        material_expires=expires,
        direct_grants=grants.declared,
        further=tuple(brought),
    )
    parameter, pinned = given["parameter_name"], given["logical_id"]
    return CheckedKey(
        alias=alias,
        more_aliases=tuple(more_aliases),
        description=description,
        tags=tags,
        rotation_period=rotation,
        removal_policy=removal,
        replicas=replicas,
        target=target,
        managing=managing,
        using=using,
        policy=policy,
        parameter=None if parameter is None else check.parameter_name(parameter),
        logical_id=None if pinned is None else check.logical_id(pinned),
    )


def _tags(
    check: checks.Refusals, given: KeyArguments, alias: str, material_expires: date | None
) -> dict[str, str]:
    """The tags that were given, and those that the construct writes."""
    owner = given["owner"]
    own = {
        checks.TAG_ENVIRONMENT: check.text("environment", given["environment"], "the environment"),
        checks.TAG_SERVICE: check.text("service", given["service"], "the service"),
        checks.TAG_CLASSIFICATION: check.text(
            "data_classification", given["data_classification"], "the classification of the data"
        ),
        checks.TAG_OWNER: None if owner is None else check.text("owner", owner, "the owner"),
        checks.TAG_ALIAS: alias.removeprefix("alias/"),
        checks.TAG_REVIEWED: check.reviewed_on(given["policy_reviewed_on"]),
        # KMS returns no metadata of a template: whoever imports the material reads the day here.
        checks.TAG_MATERIAL: None if material_expires is None else material_expires.isoformat(),
    }
    return check.tags(given["tags"] or {}) | {key: text for key, text in own.items() if text is not None}


def _people(
    check: checks.Refusals, given: KeyArguments, facts: StackFacts, origin: str
) -> tuple[Named, Named]:
    """Who manages the key and who uses it, by argument; nobody does both."""

    def named(argument: str, values: object) -> tuple[NamedPrincipal, ...]:
        return named_principals(argument, values, where=check.where, account=facts.account)

    administrators = named("key_administrators", given["key_administrators"])
    check.administrators(administrators, given["key_administrators"])
    managing = {
        "key_administrators": administrators,
        "break_glass_principals": named("break_glass_principals", given["break_glass_principals"]),
        "deployment_principals": named("deployment_principals", _deployers(check, given, facts)),
    }
    check.deployers(managing["deployment_principals"], given["deployment_principals"])
    using = {
        "key_users": named("key_users", given["key_users"]),
        "encrypt_only_users": named("encrypt_only_users", given["encrypt_only_users"]),
        "decrypt_only_users": named("decrypt_only_users", given["decrypt_only_users"]),
    }
    importers = given["key_material_importers"]
    check_importers(importers, origin, check.where)
    if importers is not None:
        managing["key_material_importers"] = named("key_material_importers", importers)
    check.separation(managing, using)
    return managing, using


def _deployers(check: checks.Refusals, given: KeyArguments, facts: StackFacts) -> object:
    """Who was named, or the role that CloudFormation deploys with."""
    named: object = given["deployment_principals"]
    if named is not None:
        return named
    if facts.execution_role is None:
        raise ArgumentError(
            "deployment_principals",
            None,
            "the synthesizer of this stack does not say which role CloudFormation deploys with, and a"
            " deployer that the key policy does not know can never update the key again",
            "name the role: deployment_principals=['arn:aws:iam::111122223333:role/Deploy']",
            where=check.where,
        )
    return [facts.execution_role]
