from __future__ import annotations

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.model.arn import OPEN_PARTITION
from kms_constructs.model.estate import Key, Organization
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from tests.guardrails.factories import (
    ACCOUNT,
    OTHER,
    ROOT,
    ROOT_STATEMENT,
    C,
    Said,
    U,
    V,
    a_key,
    a_policy,
    allow,
    deny,
    judge,
    role,
    said,
    service,
)

HOME = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
P = hole(HoleKind.UNRESOLVED, "P")
WHY = Unknown("parameter Who has no default")
FIRST, SECOND = "Properties/KeyPolicy/Statement/0", "Properties/KeyPolicy/Statement/1"
GOOD = Said(C, "", "", "The root user of the account can restore the key policy.")
MISSING = Said(
    V,
    "missing",
    "Properties/KeyPolicy",
    "No statement lets the account's root user call kms:PutKeyPolicy: when the principals that the policy "
    "names are gone, the key is locked.",
)
NOT_OTHERS = {"ArnNotEquals": {"aws:PrincipalArn": [ROOT, role("Admin")]}}


def key(*statements: object, **changes: object) -> Key:
    return a_key(policy=a_policy(*statements), **changes)


def conditional(label: str) -> Said:
    return Said(
        V,
        "conditional",
        f"{FIRST}/Condition",
        f"{label} lets the root user call kms:PutKeyPolicy only under a condition; in an emergency it may "
        "not hold.",
    )


def open_(label: str) -> Said:
    return Said(
        U,
        "unresolved",
        FIRST,
        f"Whether {label} lets the root user of this account call kms:PutKeyPolicy is decided at deployment "
        "only.",
    )


def denied(label: str) -> Said:
    return Said(V, "denied", SECOND, f"{label} denies the root user kms:PutKeyPolicy.")


def maybe_denied(label: str) -> Said:
    return Said(
        U,
        "denied",
        SECOND,
        f"{label} may deny the root user kms:PutKeyPolicy: whether it does is not decided by what is known "
        "here.",
    )


FULL = allow(ROOT, "kms:*", sid="Root")
GOOD_CASES = {
    "root, limited to the root user": key(ROOT_STATEMENT),
    "root with everything": key(FULL),
    "bare account id": key(allow(ACCOUNT, "kms:Put*")),
    "in another partition": key(
        allow(f"arn:aws-cn:iam::{ACCOUNT}:root", "kms:PutKeyPolicy"), partition="aws-cn", region="cn-north-1"
    ),
    "in a partition that deployment decides": key(
        allow(f"arn:{OPEN_PARTITION}:iam::{ACCOUNT}:root", "kms:PutKeyPolicy"), partition=OPEN_PARTITION
    ),
    "in the partition that the policy names": key(
        allow(f"arn:aws-cn:iam::{ACCOUNT}:root", "kms:PutKeyPolicy"), partition=OPEN_PARTITION
    ),
    "Deny on the ARN of another partition": key(
        FULL,
        deny("*", "kms:*", Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws-cn:iam::{ACCOUNT}:root"}}),
    ),
    "everyone is the root user too": key(allow("*", "kms:*")),
    "the same account, decided at deployment": key(allow(f"arn:aws:iam::{HOME}:root", "kms:*"), account=HOME),
    "Deny that exempts the root user": key(FULL, deny("*", "kms:PutKeyPolicy", Condition=NOT_OTHERS)),
    "Deny for others": key(FULL, deny(role("App"), "kms:PutKeyPolicy")),
    "Deny of another action": key(FULL, deny("*", "kms:DisableKeyRotation")),
    "Deny of the lockout bypass": key(
        FULL,
        deny("*", "kms:PutKeyPolicy", Condition={"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}}),
    ),
    "Deny without TLS": key(FULL, deny("*", "kms:*", Condition={"Bool": {"aws:SecureTransport": "false"}})),
    "Deny through a service": key(
        FULL, deny("*", "kms:*", Condition={"StringEquals": {"kms:ViaService": "lambda.amazonaws.com"}})
    ),
    "Deny on something else": key(FULL, deny("*", "kms:*", Resource="arn:aws:s3:::bucket")),
    "Deny without a Resource": key(FULL, {"Effect": "Deny", "Principal": "*", "Action": "kms:*"}),
    "Deny NotPrincipal that names the root user": key(
        FULL, {"Effect": "Deny", "NotPrincipal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
    ),
    **{
        f"Deny by another {name}": key(FULL, deny("*", "kms:*", Condition=condition))
        for name, condition in {
            "Region": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
            "origin": {"StringEquals": {"kms:KeyOrigin": "EXTERNAL"}},
            "spec": {"StringNotEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}},
            "number of Regions": {"Bool": {"kms:MultiRegion": "true"}},
            "user id": {"StringLike": {"aws:userid": "AROA*:*"}},
            "user name": {"StringLike": {"aws:username": "*"}},
            "type": {"StringEquals": {"aws:PrincipalType": ["User", "AssumedRole"]}},
            "network": {"StringEquals": {"aws:SourceVpc": "vpc-1"}},
            "tag": {"StringEquals": {"aws:PrincipalTag/team": "a"}},
        }.items()
    },
    "Deny that exempts the root user and one who is not known": key(
        FULL, deny("*", "kms:PutKeyPolicy", Condition={"ArnNotEquals": {"aws:PrincipalArn": [ROOT, P]}})
    ),
    "one statement is enough": key(allow(role("Admin"), "kms:*"), FULL),
}
CASES = {
    "roles alone": (key(allow(role("Admin"), "kms:*")), MISSING),
    "root without PutKeyPolicy": (key(allow(ROOT, "kms:DescribeKey")), MISSING),
    "root of another account": (key(allow(f"arn:aws:iam::{OTHER}:root", "kms:*")), MISSING),
    "root of another partition, which KMS refuses": (
        key(allow(f"arn:aws-cn:iam::{ACCOUNT}:root", "kms:*")),
        MISSING,
    ),
    "a service": (key(allow(service("logs.amazonaws.com"), "kms:*")), MISSING),
    "a Resource that means nothing": (key(allow(ROOT, "kms:*", Resource="arn:aws:s3:::b")), MISSING),
    "no Resource": (key({"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*"}), MISSING),
    "limited to somebody else": (
        key(allow(ROOT, "kms:*", Condition={"ArnLike": {"aws:PrincipalArn": role("Admin*")}})),
        MISSING,
    ),
    "a condition": (
        key(allow(ROOT, "kms:*", sid="Root", Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}})),
        conditional("Statement 'Root'"),
    ),
    "multi-factor": (
        key(allow(ROOT, "kms:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})),
        conditional("Statement 0"),
    ),
    "who, is not known": (key(allow({"AWS": WHY}, "kms:*")), open_("statement 0")),
    "what, is not known": (
        key({"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": WHY, "Resource": "*"}),
        open_("statement 0"),
    ),
    "conditions not known": (key({**FULL, "Condition": WHY}), open_("statement 'Root'")),
    "effect not known": (key({**FULL, "Effect": WHY}), open_("statement 'Root'")),
    "the statement may not exist": (key(Maybe(FULL, "condition")), open_("statement 'Root'")),
    "account not known, root named": (key(FULL, account=HOME), open_("statement 'Root'")),
    "a Deny of everyone": (key(FULL, deny("*", "kms:PutKeyPolicy", sid="No")), denied("Statement 'No'")),
    "a Deny of the account": (key(FULL, deny(ROOT, "kms:Put*")), denied("Statement 1")),
    "a Deny by ARN that leaves the root user out": (
        key(FULL, deny("*", "kms:*", Condition={"ArnNotEquals": {"aws:PrincipalArn": role("Admin")}})),
        denied("Statement 1"),
    ),
    "a Deny of all but one action": (
        key(
            FULL,
            {"Effect": "Deny", "Principal": "*", "NotAction": "kms:Decrypt", "Resource": "*"},
        ),
        denied("Statement 1"),
    ),
    "a Deny NotPrincipal that leaves it out": (
        key(FULL, {"Effect": "Deny", "NotPrincipal": {"AWS": role("A")}, "Action": "*", "Resource": "*"}),
        denied("Statement 1"),
    ),
    "a Deny outside an endpoint": (
        key(FULL, deny("*", "kms:*", Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})),
        maybe_denied("Statement 1"),
    ),
    "a Deny outside the organization": (
        key(FULL, deny("*", "kms:*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}})),
        maybe_denied("Statement 1"),
    ),
    "a Deny that may not exist": (key(FULL, Maybe(deny("*", "kms:*"), "c")), maybe_denied("Statement 1")),
    "a Deny of whom, is not known": (key(FULL, deny({"AWS": WHY}, "kms:*")), maybe_denied("Statement 1")),
    "a Deny whose conditions are not known": (
        key(FULL, deny("*", "kms:*", Condition=WHY)),
        maybe_denied("Statement 1"),
    ),
    **{
        f"a Deny by {name}": (key(FULL, deny("*", "kms:*", Condition=condition)), maybe_denied("Statement 1"))
        for name, condition in {
            "date": {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}},
            "date, in seconds": {"NumericGreaterThan": {"aws:EpochTime": "1767225600"}},
            "address": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
            "no tag": {"Null": {"aws:PrincipalTag/team": "true"}},
            "its presence": {"Null": {"aws:SourceIp": "false"}},
            "organization": {"StringEquals": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}},
            "organization path": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-aaaaaaaaaa/*"}},
            "organization of the key": {"StringEquals": {"aws:ResourceOrgID": "o-aaaaaaaaaa"}},
            "alias, of which there may be more": {
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/x"}
            },
            "a tag that it may get": {"StringEquals": {"aws:ResourceTag/stage": "prod"}},
            "a value not known": {"ArnEquals": {"aws:PrincipalArn": P}},
            "values not known": {"ArnEquals": {"aws:PrincipalArn": WHY}},
            "an operator not known": {"StringAlike": {"aws:PrincipalArn": ROOT}},
            "one value not known": {"ArnLike": {"aws:PrincipalArn": [role("A"), P]}},
        }.items()
    },
    **{
        f"a Deny by {name}": (key(FULL, deny("*", "kms:*", Condition=condition)), denied("Statement 1"))
        for name, condition in {
            "Region": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
            "origin": {"StringEquals": {"kms:KeyOrigin": "AWS_KMS"}},
            "spec": {"StringLike": {"kms:KeySpec": "SYMMETRIC_*"}},
            "Regions": {"Bool": {"kms:MultiRegion": "false"}},
            "account of the key": {"StringEquals": {"aws:ResourceAccount": ACCOUNT}},
            "user id": {"StringEquals": {"aws:userid": ACCOUNT}},
            "ARN in any case": {"StringEqualsIgnoreCase": {"aws:PrincipalArn": ROOT.upper()}},
            "type": {"StringLike": {"aws:PrincipalType": "Acc*"}},
            "tag": {"StringEquals": {"aws:ResourceTag/environment": "prod"}},
            "variable": {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}},
        }.items()
    },
    "policy not known": (
        a_key(policy=parse_policy(WHY, path="Properties/KeyPolicy")),
        Said(
            U,
            "policy",
            "Properties/KeyPolicy",
            "The key policy is not known: parameter Who has no default.",
        ),
    ),
}


@pytest.mark.parametrize("key", GOOD_CASES.values(), ids=GOOD_CASES)
def test_the_root_user_can_restore(key: Key) -> None:
    assert said(judge("IAM-KMS-1", key)) == [GOOD]


@pytest.mark.parametrize(("key", "expected"), CASES.values(), ids=CASES)
def test_the_root_user_may_be_locked_out(key: Key, expected: Said) -> None:
    assert said(judge("IAM-KMS-1", key)) == [expected]


@pytest.mark.parametrize(("organization", "expected"), [("o-aaaaaaaaaa", C), ("o-bbbbbbbbbb", V)])
def test_a_configured_organization_decides(organization: str, expected: object) -> None:
    perimeter = deny("*", "kms:*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}})
    found = judge("IAM-KMS-1", key(FULL, perimeter), GuardrailConfig(organization_id=organization))
    assert [finding.outcome for finding in found] == [expected]


def test_a_deny_on_a_key_by_its_id_may_hit_the_root_user() -> None:
    by_id = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    made = {"key_id": hole(HoleKind.GENERATED, "Key.Id")}
    denying = key(FULL, deny("*", "kms:PutKeyPolicy", Resource=by_id), **made)
    assert said(judge("IAM-KMS-1", denying)) == [maybe_denied("Statement 1")]
    allowing = key(allow(ROOT, "kms:*", Resource=by_id), **made)
    assert said(judge("IAM-KMS-1", allowing)) == [open_("statement 0")]
    elsewhere = key(
        FULL, deny("*", "kms:PutKeyPolicy", Resource=by_id.replace("eu-west-1", "us-east-1")), **made
    )
    assert said(judge("IAM-KMS-1", elsewhere)) == [maybe_denied("Statement 1")]
    wide = key(allow(ROOT, "kms:*", Resource=f"arn:aws:kms:*:{ACCOUNT}:key/*"), **made)
    assert said(judge("IAM-KMS-1", wide)) == [GOOD]


_NAMES = {"scp": "service control policy", "rcp": "resource control policy"}
_ALL = {"Effect": "Deny", "Action": "kms:PutKeyPolicy", "Resource": "*"}
_BUT_ROOTS = {"Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:*:iam::*:root"}}}
_BUT_ONE = {"Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:*:iam::*:role/Admin"}}}
_BY_DATE = {"Condition": {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}}


@pytest.mark.parametrize(
    ("kind", "statement", "outcome"),
    [
        ("scp", _ALL, V),
        ("scp", {**_ALL, **_BUT_ONE}, V),
        ("scp", {**_ALL, **_BUT_ROOTS}, C),
        ("scp", {**_ALL, **_BY_DATE}, U),
        ("scp", {**_ALL, "Action": "kms:Decrypt"}, C),
        ("scp", {**_ALL, "Resource": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/*"}, C),
        ("scp", {"Effect": "Allow", "Action": "*", "Resource": "*"}, C),
        ("scp", {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, C),
        ("rcp", {**_ALL, "Principal": "*"}, V),
        ("rcp", {**_ALL, **_BUT_ROOTS, "Principal": "*"}, C),
    ],
)
def test_the_policies_of_the_organization_bind_the_root_user(
    kind: str, statement: dict[str, object], outcome: object
) -> None:
    policy = parse_policy({"Statement": [{"Sid": "Central", **statement}]})
    organization = Organization(**{f"{kind}s": (policy,)})
    found = judge("IAM-KMS-1", key(FULL), organization=organization)
    assert [finding.outcome for finding in found] == [outcome]
    assert outcome is C or found[0].message.startswith(f"A {_NAMES[kind]}, statement 'Central' ")


@pytest.mark.parametrize(
    ("listed", "outcome"),
    [
        (["ec2:*"], U),
        (["kms:Decrypt"], U),
        (["ec2:*", "*"], C),
        (["ec2:*", "kms:Put*"], C),
    ],
)
def test_a_service_control_policy_that_lists_what_is_allowed_leaves_out_the_rest(
    listed: list[str], outcome: object
) -> None:
    policies = tuple(
        parse_policy({"Statement": [{"Effect": "Allow", "Action": one, "Resource": "*"}]}) for one in listed
    )
    (found,) = judge("IAM-KMS-1", key(FULL), organization=Organization(scps=policies))
    assert found.outcome is outcome
    assert outcome is C or found.message == (
        "A service control policy may deny the root user kms:PutKeyPolicy: those that are given list what is "
        "allowed, and not this."
    )
