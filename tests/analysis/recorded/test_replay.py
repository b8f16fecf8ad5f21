"""What policies would have made of recorded calls."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.analysis.recorded.asked import asked_of
from kms_constructs.analysis.recorded.call import RecordedGrant
from kms_constructs.analysis.recorded.replay import Judged, Replay, Verdict
from kms_constructs.model.estate import (
    Estate,
    Grant,
    IdentityPolicy,
    IdentityPolicyKind,
    Key,
    Location,
    Organization,
)
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.unknown import Unknown
from tests.trails import ACCOUNT, APP, ORDERS, REGION, one_by_one, record

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
OPS = f"arn:aws:iam::{ACCOUNT}:role/Ops"
ELSEWHERE = "arn:aws:iam::444455556666:role/App"
LOGS = f"logs.{REGION}.amazonaws.com"
NOTHING = "neither the key policy nor a grant in view allows it"


def allow(principal: object, *actions: str, effect: str = "Allow", **condition: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Sid": "Users" if effect == "Allow" else "Never",
        "Effect": effect,
        "Principal": {"Service": principal} if str(principal).endswith(".com") else {"AWS": principal},
        "Action": list(actions),
        "Resource": "*",
    }
    if condition:
        found["Condition"] = condition["condition"]
    return found


def deny(*actions: str, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    return allow("*", *actions, effect="Deny", **({"condition": condition} if condition else {}))


def when(key: str, value: object, operator: str = "StringEquals") -> dict[str, Any]:
    return {operator: {key: value}}


def key_of(*statements: dict[str, Any], **facts: Any) -> Key:
    return Key(
        **{
            "id": "orders",
            "location": Location("t.json", logical_id="OrdersKey"),
            "account": ACCOUNT,
            "region": REGION,
            "policy": parse_policy({"Statement": list(statements)}),
            "key_id": ORDERS.rpartition("/")[2],
            **facts,
        }
    )


def iam(holder: str, *actions: str, effect: str = "Allow", **facts: Any) -> IdentityPolicy:
    document = {"Statement": {"Sid": "Iam", "Effect": effect, "Action": list(actions), "Resource": "*"}}
    return IdentityPolicy(
        **{
            "id": "p",
            "location": Location("t.json", logical_id="Policy"),
            "name": "AppPolicy",
            "kind": IdentityPolicyKind.INLINE,
            "policy": parse_policy(document),
            "attached_to": (holder,),
            "account": ACCOUNT,
            **facts,
        }
    )


def judged(
    statements: list[dict[str, Any]],
    told: dict[str, Any],
    *,
    grants: tuple[RecordedGrant, ...] = (),
    facts: dict[str, Any] | None = None,
    **estate: Any,
) -> Judged:
    key = key_of(*statements, **(facts or {}))
    found = Estate(keys=(key,), **estate)
    (call,) = one_by_one([told])
    return Replay(found, asked_of([found]).keys, grants).judge(call, key)


S3 = when("kms:ViaService", f"s3.{REGION}.amazonaws.com")
FINANCE = when("kms:EncryptionContext:dept", "finance")
ENDPOINT = when("aws:SourceVpce", "vpce-1")

CASES = {
    "named": ([allow(APP, "kms:Decrypt")], record(), "allowed", "statement 'Users'"),
    "no-longer-named": ([allow(OPS, "kms:Decrypt")], record(), "denied", NOTHING),
    "named-for-another-action": ([allow(APP, "kms:Encrypt")], record(), "denied", NOTHING),
    "denied-outright": (
        [allow(APP, "kms:*"), deny("kms:Decrypt")],
        record(),
        "denied",
        "statement 'Never' denies it",
    ),
    "left-to-iam-that-is-not-in-view": (
        [allow(ROOT, "kms:*")],
        record(),
        "undetermined",
        "an IAM policy that allows kms:Decrypt is not in view",
    ),
    "through-the-service": (
        [allow(APP, "kms:Decrypt", condition=S3)],
        record(service="s3.amazonaws.com"),
        "allowed",
        "statement 'Users'",
    ),
    "through-another-service": (
        [allow(APP, "kms:Decrypt", condition=S3)],
        record(service="secretsmanager.amazonaws.com"),
        "denied",
        f"conditions that it does not meet: kms:ViaService StringEquals s3.{REGION}.amazonaws.com",
    ),
    "not-through-a-service": (
        [allow(APP, "kms:Decrypt", condition=S3)],
        record(),
        "denied",
        "conditions that it does not meet: kms:ViaService",
    ),
    "through-a-service-without-name": (
        [allow(APP, "kms:Decrypt", condition=S3)],
        record(service="AWS Internal"),
        "undetermined",
        "the trail says 'AWS Internal'",
    ),
    "through-a-service-of-which-aws-says-nothing": (
        [allow(APP, "kms:Decrypt", condition=S3)],
        record(service="ec2-frontend-api.amazonaws.com"),
        "undetermined",
        "AWS does not document what kms:ViaService is for ec2-frontend-api.amazonaws.com",
    ),
    "context-met": (
        [allow(APP, "kms:Decrypt", condition=FINANCE)],
        record(context={"Dept": "finance"}),
        "allowed",
        "statement 'Users'",
    ),
    "context-missed": (
        [allow(APP, "kms:Decrypt", condition=FINANCE)],
        record(context={"dept": "sales"}),
        "denied",
        "kms:EncryptionContext:dept StringEquals finance",
    ),
    "context-absent": (
        [allow(APP, "kms:Decrypt", condition=FINANCE)],
        record(),
        "denied",
        "kms:EncryptionContext:dept StringEquals finance",
    ),
    "context-of-the-source-is-that-of-no-destination": (
        [allow(APP, "kms:ReEncryptTo", condition=FINANCE)],
        None,
        "denied",
        "kms:EncryptionContext:dept StringEquals finance",
    ),
    "organization-is-not-recorded": (
        [allow("*", "kms:Decrypt", condition=when("aws:PrincipalOrgID", "o-1234567890"))],
        record(),
        "undetermined",
        "aws:PrincipalOrgID StringEquals holds is open: CloudTrail does not record it",
    ),
    "a-deny-of-what-is-not-recorded": (
        [
            allow(APP, "kms:Decrypt"),
            deny("kms:*", condition=when("aws:MultiFactorAuthPresent", "false", "Bool")),
        ],
        record(),
        "undetermined",
        "CloudTrail does not record it",
    ),
    "through-the-endpoint": (
        [allow(APP, "kms:Decrypt", condition=ENDPOINT)],
        record(vpcEndpointId="vpce-1"),
        "allowed",
        "statement 'Users'",
    ),
    "past-the-endpoint": (
        [allow(APP, "kms:Decrypt", condition=ENDPOINT)],
        record(),
        "denied",
        "aws:SourceVpce StringEquals vpce-1",
    ),
    "from-the-network": (
        [allow(APP, "kms:Decrypt", condition=when("aws:SourceIp", "192.0.2.0/24", "IpAddress"))],
        record(),
        "allowed",
        "statement 'Users'",
    ),
    "from-an-address-behind-an-endpoint": (
        [allow(APP, "kms:Decrypt", condition=when("aws:SourceIp", "192.0.2.0/24", "IpAddress"))],
        record(vpcEndpointId="vpce-1"),
        "denied",
        "aws:SourceIp IpAddress 192.0.2.0/24",
    ),
    "from-the-address-of-a-service": (
        [allow(APP, "kms:Decrypt", condition=when("aws:SourceIp", "192.0.2.0/24", "IpAddress"))],
        record(service="s3.amazonaws.com"),
        "undetermined",
        "the trail tells the address of a service",
    ),
    "without-tls": (
        [allow(APP, "kms:Decrypt"), deny("kms:*", condition=when("aws:SecureTransport", "false", "Bool"))],
        record(),
        "allowed",
        "statement 'Users'",
    ),
    "a-service-by-its-name": (
        [allow("logs.amazonaws.com", "kms:Decrypt"), allow(LOGS, "kms:Decrypt")],
        record(caller=None, service="logs.amazonaws.com"),
        "allowed",
        "statement 'Users'",
    ),
    "a-service-by-another-of-its-names": (
        [allow(LOGS, "kms:Decrypt")],
        record(caller=None, service="logs.amazonaws.com"),
        "undetermined",
        "the trail says logs.amazonaws.com, and policies tell apart whom that may mean",
    ),
    "a-service-that-is-not-named": (
        [allow(APP, "kms:Decrypt")],
        record(caller=None, service=LOGS),
        "denied",
        NOTHING,
    ),
    "a-service-for-a-source": (
        [allow(LOGS, "kms:Decrypt", condition=when("aws:SourceAccount", ACCOUNT))],
        record(caller=None, service=LOGS),
        "undetermined",
        "CloudTrail does not record it",
    ),
    "a-service-without-name": (
        [allow(LOGS, "kms:Decrypt")],
        record(caller=None, service="AWS Internal"),
        "undetermined",
        "the trail says AWS Internal and not who called",
    ),
    "another-account-without-a-name": (
        [allow(ELSEWHERE, "kms:Decrypt")],
        record(userIdentity={"type": "AWSAccount", "accountId": "444455556666"}),
        "undetermined",
        "decided at deployment",
    ),
    "another-account-that-is-not-named": (
        [allow(APP, "kms:Decrypt")],
        record(userIdentity={"type": "AWSAccount", "accountId": "444455556666"}),
        "denied",
        NOTHING,
    ),
    "a-role-of-another-account": (
        [allow(ELSEWHERE, "kms:Decrypt")],
        record(caller=ELSEWHERE),
        "undetermined",
        "an IAM policy that allows kms:Decrypt is not in view",
    ),
    "a-session-without-its-role": (
        [allow(APP, "kms:Decrypt")],
        record(userIdentity={"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/App/me"}),
        "undetermined",
        "policies tell apart whom that may mean",
    ),
    "infrastructure-of-aws": (
        [allow(APP, "kms:Decrypt")],
        record(
            userIdentity={
                "type": "AssumedRole",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/aws:ec2-infrastructure/i-1",
            }
        ),
        "undetermined",
        "AWS's own role calls by a grant",
    ),
    "retired-by-whom-the-grant-names": (
        [allow(OPS, "kms:*")],
        record("RetireGrant"),
        "undetermined",
        "whom a grant names may retire it",
    ),
    "a-direct-grant-is-denied": (
        [
            allow(APP, "kms:CreateGrant"),
            deny("kms:CreateGrant", condition=when("kms:GrantIsForAWSResource", "true", "BoolIfExists")),
        ],
        record("CreateGrant", service="rds.amazonaws.com"),
        "denied",
        "statement 'Never' denies it",
    ),
    "a-grant-of-which-aws-does-not-say-what-it-carries": (
        [
            allow(APP, "kms:CreateGrant"),
            deny("kms:CreateGrant", condition=when("kms:GrantIsForAWSResource", "false", "Bool")),
        ],
        record("CreateGrant"),
        "undetermined",
        "policies tell apart",
    ),
    "the-context-that-a-grant-is-bound-to": (
        [allow(APP, "kms:CreateGrant", condition=FINANCE)],
        record("CreateGrant"),
        "undetermined",
        "CloudTrail does not record it",
    ),
    "a-grant-for-these-operations": (
        [
            allow(
                APP,
                "kms:CreateGrant",
                condition=when("kms:GrantOperations", "Decrypt", "ForAllValues:StringEquals"),
            )
        ],
        record("CreateGrant", request={"keyId": ORDERS, "operations": ["Decrypt"], "granteePrincipal": OPS}),
        "allowed",
        "statement 'Users'",
    ),
    "a-grant-for-other-operations": (
        [
            allow(
                APP,
                "kms:CreateGrant",
                condition=when("kms:GrantOperations", "Decrypt", "ForAllValues:StringEquals"),
            )
        ],
        record("CreateGrant", request={"keyId": ORDERS, "operations": ["Decrypt", "Encrypt"]}),
        "denied",
        "kms:GrantOperations ForAllValues:StringEquals Decrypt",
    ),
    "an-algorithm": (
        [allow(APP, "kms:Sign", condition=when("kms:SigningAlgorithm", "ECDSA_SHA_256"))],
        record("Sign", request={"keyId": ORDERS, "signingAlgorithm": "ECDSA_SHA_384"}),
        "denied",
        "kms:SigningAlgorithm StringEquals ECDSA_SHA_256",
    ),
    "an-algorithm-that-is-not-recorded": (
        [allow(APP, "kms:Sign", condition=when("kms:SigningAlgorithm", "ECDSA_SHA_256"))],
        record("Sign"),
        "undetermined",
        "CloudTrail does not record it",
    ),
    "the-alias-that-was-named": (
        [allow(APP, "kms:Decrypt", condition=when("kms:RequestAlias", "alias/orders"))],
        record(request={"keyId": "alias/orders"}),
        "allowed",
        "statement 'Users'",
    ),
    "an-action-that-is-new": ([allow(APP, "kms:*")], record("Teleport"), "undetermined", "not known here"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_and_a_policy(name: str) -> None:
    statements, told, verdict, reason = CASES[name]
    if told is None:
        source = ORDERS.replace("1111-1111-1111", "2222-2222-2222")
        told = record(
            "ReEncrypt",
            key=source,
            request={
                "sourceKeyId": source,
                "destinationKeyId": ORDERS,
                "sourceEncryptionContext": {"dept": "finance"},
            },
        )
        key = key_of(*statements)
        estate = Estate(keys=(key,))
        (call,) = (one for one in one_by_one([told]) if one.action == "ReEncryptTo")
        found = Replay(estate, asked_of([estate]).keys).judge(call, key)
    else:
        found = judged(statements, told)

    assert found.verdict == verdict, found
    assert reason in "; ".join(found.reasons)


def test_an_iam_policy_in_view_allows_what_the_key_policy_leaves_to_it() -> None:
    found = judged([allow(ROOT, "kms:*")], record(), identity_policies=(iam(APP, "kms:Decrypt"),))

    assert found == Judged(Verdict.ALLOWED, ("statement 'Users'", "IAM policy 'AppPolicy', statement 'Iam'"))


def test_an_iam_policy_of_somebody_else_does_not() -> None:
    found = judged([allow(ROOT, "kms:*")], record(), identity_policies=(iam(OPS, "kms:Decrypt"),))

    assert found.verdict is Verdict.UNDETERMINED


def test_an_iam_policy_of_which_nobody_knows_whose_it_is_leaves_it_open() -> None:
    policy = iam(APP, "kms:Decrypt", attached_to=Unknown("decided later"))
    found = judged([allow(ROOT, "kms:*")], record(), identity_policies=(policy,))

    assert found.verdict is Verdict.UNDETERMINED
    assert "whether it is attached is not known" in "; ".join(found.reasons)


def test_a_boundary_that_does_not_allow_it_leaves_it_open() -> None:
    boundary = iam(APP, "s3:*", kind=IdentityPolicyKind.BOUNDARY)
    found = judged([allow(APP, "kms:Decrypt")], record(), identity_policies=(boundary,))

    assert found.verdict is Verdict.UNDETERMINED
    assert "a permissions boundary that allows it is not in view" in found.reasons


def test_a_control_policy_denies() -> None:
    scp = parse_policy({"Statement": {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}})
    found = judged([allow(APP, "kms:*")], record(), organization=Organization(scps=(scp,)))

    assert found == Judged(Verdict.DENIED, ("service control policy, statement 0 denies it",))


def granted(grantee: str = APP, *operations: str, **times: Any) -> RecordedGrant:
    grant = Grant(grantee=grantee, operations=operations or ("Decrypt",), id="g-1")
    return RecordedGrant(key=ORDERS, grant=grant, **{"created": "2026-04-01T00:00:00Z", **times})


@pytest.mark.parametrize(
    ("grant", "verdict"),
    [
        pytest.param(granted(), "undetermined", id="grantee"),
        pytest.param(
            granted(f"arn:aws:sts::{ACCOUNT}:assumed-role/App/me"),
            "undetermined",
            id="a-session-of-the-grantee",
        ),
        pytest.param(granted(APP, "Encrypt"), "denied", id="another-operation"),
        pytest.param(granted(OPS), "denied", id="another-grantee"),
        pytest.param(granted(created="2026-06-01T00:00:00Z"), "denied", id="made-later"),
        pytest.param(granted(ended="2026-04-02T00:00:00Z"), "denied", id="revoked-before"),
        pytest.param(granted(ended="2026-06-02T00:00:00Z"), "undetermined", id="revoked-later"),
    ],
)
def test_what_a_grant_of_the_trail_may_allow_is_not_denied(grant: RecordedGrant, verdict: str) -> None:
    assert judged([allow(OPS, "kms:Decrypt")], record(), grants=(grant,)).verdict == verdict


def test_a_grant_to_a_service_counts_for_its_calls() -> None:
    told = record(caller=None, service="dynamodb.amazonaws.com")
    grant = granted(f"dynamodb.{REGION}.amazonaws.com")

    assert judged([allow(APP, "kms:*")], told, grants=(grant,)).verdict is Verdict.UNDETERMINED


def test_a_grant_does_not_help_against_a_deny() -> None:
    found = judged([allow(APP, "kms:*"), deny("kms:Decrypt")], record(), grants=(granted(),))

    assert found.verdict is Verdict.DENIED


def test_a_grant_of_the_live_key_allows() -> None:
    grant = Grant(grantee=APP, operations=("Decrypt",), id="g-1")
    found = judged([allow(OPS, "kms:*")], record(), facts={"grants": (grant,)})

    assert found.verdict is Verdict.ALLOWED
