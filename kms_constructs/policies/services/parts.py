"""What the presets of `ServiceAccess` are made of: checked sources and principals, statements by service."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import ActionClass, find_action
from kms_constructs.model.limits import ENCRYPTION_CONTEXT, limits, source_keys
from kms_constructs.model.policy import Condition
from kms_constructs.model.service_requirement import (
    ACCOUNT,
    CREATE_GRANT,
    FOR_AWS_RESOURCE,
    REGION,
    SOURCE_ARN,
    Caller,
    ServiceRequirement,
    Who,
)
from kms_constructs.policies.principals import named_principals
from kms_constructs.policies.target import (
    PolicyStatementJson,
    allow,
    arn_parts,
    as_deployed,
    check_account,
    check_list,
    is_token,
)

Templates = tuple[PolicyStatementJson, ...]
"""Statements in which the key's partition, account and Region are still open."""

FOR_AWS = {"Bool": {FOR_AWS_RESOURCE: "true"}}
"""The condition under which only AWS services create grants, and only for resources of their own."""


def role_arns(argument: str, values: Sequence[object]) -> list[str]:
    """ARNs of roles and users, each once.

    The account root is refused like everybody: it would let every IAM policy in the account hand out the key.
    """
    check_list(argument, values)
    return [principal.arn for principal in named_principals(argument, values, where="")]


def through(
    sid: str,
    services: str | Sequence[str],
    principals: Sequence[object],
    actions: Iterable[str],
    context: Mapping[str, Sequence[str]] | None = None,
    *,
    grants: bool = False,
    for_aws: bool = True,
    argument: str = "principals",
) -> Templates:
    """Statements for principals of the key's account who reach the key through a service.

    Args:
        sid: What the Sids begin with, after ``Service``.
        services: The services, as `kms:ViaService` names them.
        principals: Who they are.
        actions: What they do, but for CreateGrant.
        context: Values of condition keys on the encryption context.
        grants: Whether they create grants, too.
        for_aws: Whether these are grants for AWS resources, which few services do not say of theirs.
        argument: Name of the argument, for errors.
    """
    principal = {"AWS": role_arns(argument, principals)}
    names = [services] if isinstance(services, str) else list(dict.fromkeys(services))
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise ArgumentError(
                "resource_services",
                name,
                "a service is named as kms:ViaService does, without Region",
                "write it like ec2, rds, dynamodb",
            )
    equals: dict[str, Any] = {
        "kms:CallerAccount": ACCOUNT,
        "kms:ViaService": [f"{name}.{REGION}.amazonaws.com" for name in names],
    }
    found: list[PolicyStatementJson] = []
    if use := list(actions):
        limited = {"StringEquals": equals, "StringLike": context or {}}
        found.append(allow(f"Service{sid}", principal, use, limited))
    if grants:
        found.append(
            allow(
                f"Service{sid}Grants",
                principal,
                ("CreateGrant",),
                {"StringEquals": equals, **(FOR_AWS if for_aws else {})},
            )
        )
    return tuple(found)


def through_caller(
    requirement: ServiceRequirement,
    sid: str,
    principals: Sequence[object],
    context: Mapping[str, Sequence[str]] | None = None,
    *,
    services: Sequence[str] = (),
    argument: str = "principals",
) -> Templates:
    """Statements for principals who are one of the callers of a requirement.

    Args:
        requirement: What the service needs.
        sid: Which caller: what its Sid ends in.
        principals: Who they are.
        context: Values of condition keys on the encryption context.
        services: Further services that they reach the key through.
        argument: Name of the argument, for errors.
    """
    caller = requirement.caller(sid)
    assert requirement.preset is not None  # noqa: S101 - a preset calls this
    return through(
        f"{requirement.preset.sid}{sid}",
        (requirement.via, *requirement.also_via, *services),
        principals,
        [action for action in caller.actions if action != CREATE_GRANT],
        context,
        grants=caller.grants,
        argument=argument,
    )


def by_service(
    requirement: ServiceRequirement,
    sid: str,
    sources: Mapping[str, Sequence[str]],
    account: str = ACCOUNT,
    *,
    suffix: str = "",
    role_suffix: str = "",
) -> Templates:
    """Statements for a service that calls KMS as itself, or by its service-linked role.

    Args:
        requirement: What the service needs.
        sid: Which caller: what its Sid ends in.
        sources: Values of condition keys; where there are none, everything that the service sends.
        account: Account of the sources.
        suffix: What else the Sid ends in.
        role_suffix: What the name of the service-linked role ends in.
    """
    caller = requirement.caller(sid)
    assert requirement.preset is not None  # noqa: S101 - a preset calls this
    conditions: dict[str, dict[str, Any]] = {}
    for operator, key in caller.limits:
        sent = caller.sends[key]
        every = [one.replace(ACCOUNT, account) for one in ([sent] if isinstance(sent, str) else sent)]
        conditions.setdefault(operator, {})[key] = sources.get(key) or every
    return _with_grants(
        f"Service{requirement.preset.sid}{sid}", suffix, _principal(caller, role_suffix), caller, conditions
    )


def _principal(caller: Caller, role_suffix: str) -> dict[str, str]:
    if caller.who is Who.LINKED_ROLE:
        return {"AWS": caller.principal + role_suffix}
    return {"Service": caller.principal}


def _with_grants(
    sid: str,
    suffix: str,
    principal: Mapping[str, str],
    caller: Caller,
    conditions: Mapping[str, Mapping[str, Any]],
) -> Templates:
    """Use in one statement, CreateGrant in another: for AWS resources, where AWS says that they are."""
    made: list[PolicyStatementJson] = []
    if use := [action for action in caller.actions if action != CREATE_GRANT]:
        made.append(allow(f"{sid}{suffix}", principal, use, conditions))
    if caller.grants:
        own = FOR_AWS if FOR_AWS_RESOURCE in caller.sends else {}
        made.append(allow(f"{sid}Grants{suffix}", principal, (CREATE_GRANT,), {**conditions, **own}))
    return tuple(made)


def checked_sources(argument: str, arns: Sequence[str], service: str | None, account: str) -> list[str]:
    """Source ARNs of one service: account written out if there is one, wildcards in the resource alone."""
    if arns:
        check_list(argument, arns)
    for arn in arns:
        parts = arn_parts(arn)
        if parts is None:
            if arn.startswith("${Token["):
                continue
            raise ArgumentError(
                argument, arn, "a source is an ARN", "write it like arn:aws:sns:eu-west-1:111122223333:topic"
            )
        partition, found, _, owner, resource = parts
        if service is not None and found != service:
            raise ArgumentError(
                argument, arn, f"the ARN has to be of {service}, not of {found}", f"give the {service} ARN"
            )
        # AWS itself documents arn:aws:logs:REGION:ACCOUNT:* as a source: with its account it narrows.
        wild = any("*" in part or "?" in part for part in (partition, found, owner))
        if not resource or wild or limits(Condition("ArnLike", SOURCE_ARN, as_deployed(arn))) is not True:
            raise ArgumentError(
                argument,
                arn,
                "a wildcard for service, account, bucket or the whole resource narrows nothing",
                "write the account or the bucket out, and as much of the resource as is known",
            )
        if owner:
            check_account(argument, owner)
        if owner and account not in (ACCOUNT, owner) and not is_token(owner) and not is_token(account):
            raise ArgumentError(
                argument,
                arn,
                f"this belongs to account {owner}, not to {account}",
                "use one preset an account",
            )
    return list(arns)


def object_contexts(argument: str, bucket_arns: Sequence[str]) -> list[str]:
    """Encryption contexts of S3: the bucket (with a Bucket Key) and each object in it."""
    return [
        text for arn in checked_sources(argument, bucket_arns, "s3", ACCOUNT) for text in (arn, f"{arn}/*")
    ]


def written_out(actions: Sequence[str]) -> list[str]:
    """KMS actions that a service may have: no wildcard, none unknown, administrative or account-wide."""
    check_list("actions", actions)
    names: list[str] = []
    for given in actions:
        action = find_action(given) if isinstance(given, str) else None
        if action is None:
            rule = (
                "wildcards also cover what AWS adds later" if "*" in str(given) else "KMS has no such action"
            )
            raise ArgumentError("actions", given, rule, "write each action out: kms:Decrypt")
        allowed = action.classification in (ActionClass.CRYPTOGRAPHIC, ActionClass.READ) or (
            action.name == "CreateGrant"
        )
        if not allowed:
            raise ArgumentError(
                "actions",
                given,
                f"{action.qualified} administers the key, and no service needs that",
                "leave it out",
            )
        if not action.on_key:
            raise ArgumentError(
                "actions",
                given,
                f"{action.qualified} acts on the account, so a key policy cannot allow it",
                "leave it out, or put it into an IAM policy",
            )
        names.append(action.name)
    return list(dict.fromkeys(names))


def names_source(operator: str, keys: Mapping[str, str | Sequence[str]], principal: str = "") -> bool:
    """Whether a condition names the source of a service, as IAM-KMS-6 judges it."""
    wanted = source_keys([principal])
    return any(
        limits(Condition(operator, key, as_deployed(value))) is True
        for key, value in keys.items()
        if key.lower() in wanted
        or (ENCRYPTION_CONTEXT in wanted and key.lower().startswith(ENCRYPTION_CONTEXT))
    )


def sid_word(principal: str) -> str:
    """A service principal as one word for a Sid: ``delivery.logs.amazonaws.com`` gives ``DeliveryLogs``."""
    labels = principal.partition(".amazonaws.com")[0]
    return "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", labels))[:40]
