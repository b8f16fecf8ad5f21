"""What the presets of `ServiceAccess` are made of: checked sources and principals, statements by service."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import ActionClass, find_action
from kms_constructs.model.condition_operators import CONDITION_OPERATORS, pinning_operators
from kms_constructs.policies.principals import named_principals
from kms_constructs.policies.target import (
    ACCOUNT,
    REGION,
    PolicyStatementJson,
    allow,
    arn_parts,
    check_account,
    check_list,
    is_token,
)

FOR_AWS_RESOURCE = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
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
    argument: str = "principals",
) -> tuple[PolicyStatementJson, ...]:
    """Statements for principals of the key's account who reach the key through a service."""
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
    found = [
        allow(f"Service{sid}", principal, actions, {"StringEquals": equals, "StringLike": context or {}})
    ]
    if grants:
        found.append(
            allow(
                f"Service{sid}Grants",
                principal,
                ("CreateGrant",),
                {"StringEquals": equals, **FOR_AWS_RESOURCE},
            )
        )
    return tuple(found)


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
        if any("*" in part or "?" in part for part in (partition, found, owner)) or resource in ("", "*"):
            raise ArgumentError(
                argument,
                arn,
                "a wildcard for service, account or the whole resource narrows nothing",
                "write the account out, and as much of the resource as is known",
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


_NARROWING = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")
_POSITIVE = frozenset(
    f"{qualifier}{name}"
    for name in pinning_operators()
    for qualifier in ("", "foranyvalue:")
    if CONDITION_OPERATORS[name].takes_variables
)
"""Operators that pin text or an ARN: what a source is told by."""


def names_source(operator: str, keys: Mapping[str, str | Sequence[str]]) -> bool:
    """Whether a condition names the source: positive operator, a key that tells it, a value that says it."""
    if operator.lower() not in _POSITIVE:
        return False
    for key, value in keys.items():
        folded = key.lower()
        if folded not in _NARROWING and not folded.startswith("kms:encryptioncontext:"):
            continue
        values = [value] if isinstance(value, str) else list(value)
        if values and all(item.strip("*?") for item in values):
            return True
    return False


def sid_word(principal: str) -> str:
    """A service principal as one word for a Sid: ``delivery.logs.amazonaws.com`` gives ``DeliveryLogs``."""
    labels = principal.partition(".amazonaws.com")[0]
    return "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", labels))[:40]
