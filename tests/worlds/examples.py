"""The smallest case of every class of unsound verdict that was ever found.

A class is a way of being wrong, named by its control and its cause. Each case is wrong in that way alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kms_constructs.model.estate import IdentityPolicyKind
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from tests.worlds.case import Case, Iam
from tests.worlds.vocabulary import HOME, KEY_ID, OTHER, PARTITIONS, PARTNER, arn

ROOT = arn("aws", HOME, "root")
APP = arn("aws", HOME, "role/App")
ADMIN = arn("aws", HOME, "role/AppAdmin")
KEY_ARN = f"arn:aws:kms:us-east-1:{HOME}:key/{KEY_ID}"
_KEY_HOLE = hole(HoleKind.GENERATED, "App.KeyId")
_ACCOUNT_HOLE = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
P = hole(HoleKind.UNRESOLVED, "P")
_WHY = Unknown("a test says so")


@dataclass(frozen=True)
class Example:
    """A case, the control that is wrong about it, and the IAM policy that it is wrong about, if any."""

    control: str
    case: Case
    place: int | None = None


def allow(principal: Any, *actions: str, **more: Any) -> dict[str, Any]:
    """One Allow on the key."""
    who = principal if isinstance(principal, dict) or principal == "*" else {"AWS": principal}
    return {"Effect": "Allow", "Principal": who, "Action": list(actions), "Resource": "*", **more}


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    """One Deny for everyone."""
    return {"Effect": "Deny", "Principal": "*", "Action": list(actions), "Resource": "*", **more}


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    """One condition."""
    return {operator: {key: list(values)}}


def _of(control: str, *statements: Any, place: int | None = None, **more: Any) -> Example:
    return Example(control, Case(statements=statements, **more), place)


def _root_denied(condition: Any, **more: Any) -> Example:
    return _of(
        "IAM-KMS-1", allow(ROOT, "kms:PutKeyPolicy"), deny("kms:PutKeyPolicy", Condition=condition), **more
    )


def _service(condition: Any) -> Example:
    sns = {"Service": "sns.amazonaws.com"}
    return _of("IAM-KMS-6", allow(sns, "kms:Decrypt", Condition=condition))


def _anyone(condition: Any) -> Example:
    return _of("KMS:004", allow("*", "kms:Decrypt", Condition=condition))


def _schedules(*statements: Any, **more: Any) -> Example:
    return _of("IAM-KMS-3", *statements, **more)


def _partition(name: str) -> dict[str, str]:
    return {"partition": name, "region": PARTITIONS[name]}


_SCHEDULE = "kms:ScheduleKeyDeletion"
_PLAIN_DENY = {"Statement": [{"Effect": "Deny", "Action": "kms:PutKeyPolicy", "Resource": "*"}]}

EXAMPLES: Mapping[str, Example] = {
    # IAM-KMS-1: what a Deny may do to the root user
    "1-date": _root_denied(when("DateGreaterThan", "aws:CurrentTime", "2026-01-01T00:00:00Z")),
    "1-epoch": _root_denied(when("NumericGreaterThan", "aws:EpochTime", "1767225600")),
    "1-address": _root_denied(when("IpAddress", "aws:SourceIp", "203.0.113.0/24")),
    "1-region": _root_denied(when("StringEquals", "aws:RequestedRegion", "us-east-1")),
    "1-organization": _root_denied(when("StringEquals", "aws:PrincipalOrgID", "o-home123456")),
    "1-organization-path": _root_denied(
        when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-home123456/*")
    ),
    "1-key-fact": _root_denied(when("StringEquals", "kms:KeyOrigin", "EXTERNAL")),
    "1-multi-region": _root_denied(when("Bool", "kms:MultiRegion", "false")),
    "1-resource-account": _root_denied(when("StringEquals", "aws:ResourceAccount", HOME)),
    "1-user-id": _root_denied(when("StringEquals", "aws:userid", HOME)),
    "1-null": _root_denied(when("Null", "aws:SourceIp", "false")),
    "1-ignore-case": _root_denied(when("StringEqualsIgnoreCase", "aws:PrincipalArn", ROOT)),
    "1-type": _root_denied(when("StringLike", "aws:PrincipalType", "Account")),
    "1-unresolved-value": _root_denied(when("ArnEquals", "aws:PrincipalArn", P)),
    "1-scp": _of("IAM-KMS-1", allow(ROOT, "kms:PutKeyPolicy"), scps=(_PLAIN_DENY,)),
    "1-rcp": _of(
        "IAM-KMS-1",
        allow(ROOT, "kms:PutKeyPolicy"),
        rcps=({"Statement": [{**_PLAIN_DENY["Statement"][0], "Principal": "*"}]},),
    ),
    "1-partition": _of(
        "IAM-KMS-1",
        allow(arn("aws-cn", HOME, "root"), "kms:PutKeyPolicy"),
        deny("kms:PutKeyPolicy", Condition=when("ArnNotEquals", "aws:PrincipalArn", ROOT)),
        **_partition("aws-cn"),
    ),
    "1-literal-resource": _of(
        "IAM-KMS-1",
        allow(ROOT, "kms:PutKeyPolicy"),
        deny("kms:PutKeyPolicy", Resource=KEY_ARN),
        key_id=_KEY_HOLE,
    ),
    # IAM-KMS-2, 3, 4, 5, 7: who may call one action
    "guarded-partition": _schedules(
        allow(arn("aws-us-gov", HOME, "root"), _SCHEDULE),
        deny(_SCHEDULE, Condition=when("ArnNotLike", "aws:PrincipalArn", f"arn:aws-us-gov:*::{HOME}:role/*")),
        **_partition("aws-us-gov"),
    ),
    "guarded-partition-string": _schedules(
        allow(arn("aws-cn", HOME, "root"), _SCHEDULE),
        deny(_SCHEDULE, Condition=when("StringLike", "aws:PrincipalArn", "arn:aws:*")),
        **_partition("aws-cn"),
    ),
    "guarded-colon": _schedules(
        allow(ROOT, _SCHEDULE),
        deny(
            _SCHEDULE,
            Condition=when(
                "ArnLike",
                "aws:PrincipalArn",
                "arn:aws:iam::*:role/*",
                "arn:aws:iam::*:user/*",
                "arn:aws:sts::*:federated-user/*",
            ),
        ),
    ),
    "guarded-colon-field": _schedules(
        allow(arn("aws", HOME, "user/x:role/App"), _SCHEDULE),
        deny(_SCHEDULE, Condition=when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*")),
    ),
    "guarded-literal-resource": _schedules(allow(APP, _SCHEDULE, Resource=KEY_ARN), key_id=_KEY_HOLE),
    "guarded-any-value-if-exists": _schedules(
        allow({"Service": "logs.amazonaws.com"}, _SCHEDULE),
        deny(_SCHEDULE, Condition=when("ForAnyValue:StringNotLikeIfExists", "aws:PrincipalArn", ROOT)),
    ),
    "guarded-iam-literal-resource": _schedules(
        allow(ROOT, _SCHEDULE),
        key_id=_KEY_HOLE,
        iam=(
            Iam(
                document={
                    "Statement": [
                        _PLAIN_DENY["Statement"][0]
                        | {"Effect": "Allow", "Action": _SCHEDULE, "Resource": KEY_ARN}
                    ]
                },
                attached=(APP,),
            ),
        ),
        place=0,
    ),
    # IAM-KMS-6
    "6-not-principal": _of(
        "IAM-KMS-6",
        {"Effect": "Allow", "NotPrincipal": {"AWS": APP}, "Action": "kms:Decrypt", "Resource": "*"},
    ),
    "6-literal-resource": _of(
        "IAM-KMS-6", allow({"Service": "sns.amazonaws.com"}, "kms:Decrypt", Resource=KEY_ARN)
    ),
    "6-unresolved-principal": _of("IAM-KMS-6", allow(P, "kms:Decrypt")),
    "6-source-arn": _service(when("StringLike", "aws:SourceArn", "arn:aws:*")),
    "6-source-arn-service": _service(when("StringLike", "aws:SourceArn", "arn:*:sns:*")),
    "6-source-account": _service(when("StringLike", "aws:SourceAccount", "9*")),
    "6-source-organization": _service(when("StringLike", "aws:SourceOrgID", "o-*")),
    "6-via-anything": _of(
        "IAM-KMS-6",
        allow(
            "*",
            "kms:Decrypt",
            Condition={
                **when("StringLike", "kms:ViaService", "*.amazonaws.com"),
                "StringEquals": {"aws:PrincipalOrgID": "o-home123456"},
            },
        ),
    ),
    "6-organization-of-anyone": _of(
        "IAM-KMS-6",
        allow(
            "*",
            "kms:Decrypt",
            Condition={
                "StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"},
                "StringLike": {"aws:PrincipalOrgID": "o-*"},
            },
        ),
    ),
    "6-principal-arn-of-anyone": _of(
        "IAM-KMS-6",
        allow("*", "kms:Decrypt", Condition=when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*")),
    ),
    "6-principal-arn-pattern": _of(
        "IAM-KMS-6",
        allow("*", "kms:Decrypt", Condition=when("ArnLike", "aws:PrincipalArn", arn("aws", HOME, "role/*"))),
    ),
    # IAM-KMS-8
    "8-two-patterns": _of(
        "IAM-KMS-8",
        *(
            allow(
                ROOT,
                "kms:EnableKey",
                "kms:Decrypt",
                Condition=when("ArnLike", "aws:PrincipalArn", arn("aws", HOME, pattern)),
            )
            for pattern in ("role/*-ops", "role/prod-*")
        ),
    ),
    "8-two-accounts": _of(
        "IAM-KMS-8",
        allow(ROOT, "kms:EnableKey"),
        allow(arn("aws", _ACCOUNT_HOLE, "root"), "kms:*"),
        account=_ACCOUNT_HOLE,
    ),
    "8-order-of-principals": _of(
        "IAM-KMS-8",
        allow(
            [ROOT, APP],
            "kms:EnableKey",
            Condition=when("ArnEquals", "aws:PrincipalArn", APP),
        ),
        allow(APP, "kms:Decrypt"),
    ),
    "8-unresolved-user": _of("IAM-KMS-8", allow(ROOT, "kms:EnableKey"), allow(P, "kms:Decrypt")),
    "8-absent-flag": _of(
        "IAM-KMS-8",
        allow(ADMIN, "kms:EnableKey", "kms:CreateGrant"),
        deny("kms:CreateGrant", Condition=when("Bool", "kms:GrantIsForAWSResource", "false")),
    ),
    "8-delegated-management": _of("IAM-KMS-8", allow(ROOT, "kms:EnableKey"), allow(APP, "kms:Decrypt")),
    "8-delegated-policy": _of("IAM-KMS-8", allow(ROOT, "kms:PutKeyPolicy"), allow(APP, "kms:Decrypt")),
    "8-literal-resource": _of(
        "IAM-KMS-8",
        allow(APP, "kms:EnableKey", Resource=KEY_ARN),
        allow(APP, "kms:Decrypt"),
        key_id=_KEY_HOLE,
    ),
    # KMS:004
    "004-unresolved-action": _of("KMS:004", {**allow("*"), "Action": _WHY}),
    "004-unresolved-action-text": _of("KMS:004", allow("*", P)),
    "004-unresolved-action-of-one": _of("KMS:004", allow(APP, P)),
    "004-perhaps-an-action": _of(
        "KMS:004", {**allow(APP), "Action": [Maybe("kms:Sign", "a test says so"), "*"]}
    ),
    "004-via-any-service": _of(
        "KMS:004",
        allow(
            arn("aws", OTHER, "role/App"),
            "kms:Decrypt",
            Condition=when("StringLike", "kms:ViaService", "*.amazonaws.com"),
        ),
    ),
    "004-organization": _anyone(when("StringLike", "aws:PrincipalOrgID", "o-*")),
    "004-organization-path": _anyone(when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-*/*")),
    "004-vpc": _anyone(when("StringLike", "aws:SourceVpc", "vpc-*")),
    "004-vpc-endpoint": _anyone(when("StringLike", "aws:SourceVpce", "vpce-*")),
    "004-user-id": _anyone(when("StringLike", "aws:userid", "*:*")),
    "004-addresses": _anyone(when("IpAddress", "aws:SourceIp", "0.0.0.0/1", "128.0.0.0/1")),
    "004-source-account": _anyone(when("StringLike", "aws:SourceAccount", "9*")),
    "004-source-arn": _anyone(when("StringLike", "aws:SourceArn", "arn:aws:*")),
    "004-unresolved-principal": _of("KMS:004", allow(P, "kms:Decrypt")),
    "004-literal-resource": _of("KMS:004", allow("*", "kms:Decrypt", Resource=KEY_ARN), key_id=_KEY_HOLE),
    "004-via-anything": _of(
        "KMS:004",
        allow(
            arn("aws", OTHER, "role/App"), "kms:Decrypt", Condition=when("StringLike", "kms:ViaService", "*")
        ),
    ),
    "004-iam-unresolved-resource": _of(
        "KMS:004",
        iam=(
            Iam(
                document={"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": P}]},
                attached=(APP,),
            ),
        ),
        place=0,
    ),
}
"""Class to its smallest case."""

FALSE_ALARMS: Mapping[str, Example] = {
    "session-of-authorised": _schedules(
        allow(arn("aws", HOME, "assumed-role/App/alice"), _SCHEDULE), authorised=(APP,)
    ),
    "deny-for-the-account": _schedules(
        allow(APP, _SCHEDULE),
        {"Effect": "Deny", "Principal": {"AWS": ROOT}, "Action": _SCHEDULE, "Resource": "*"},
    ),
    "administration-from-another-account": _schedules(allow(arn("aws", OTHER, "role/App"), _SCHEDULE)),
}
"""Kind to the smallest case in which a control objects to what no request can show."""

__all__ = ["EXAMPLES", "FALSE_ALARMS", "PARTNER", "Example", "IdentityPolicyKind", "allow", "deny", "when"]
