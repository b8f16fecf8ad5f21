"""Organization policies: whole documents, AWS's rules for them, their size, and what they decide."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.analysis.certain import Answer, Call, InView, certain
from kms_constructs.analysis.evaluate import Request, evaluate
from kms_constructs.analysis.reach import reach_of
from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import find_action
from kms_constructs.model.estate import Key, Location
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS
from kms_constructs.model.policy import default_key_policy, parse_policy
from kms_constructs.policies.organization import (
    MAXIMUM_RCP_CHARACTERS,
    MAXIMUM_SCP_CHARACTERS,
    compact,
    resource_control_policy,
    service_control_policy,
)

BREAK_GLASS = "arn:aws:iam::*:role/BreakGlass"
DEPLOYER = "arn:aws:iam::*:role/cdk-*-cfn-exec-role-*"
ROOTS = "arn:*:iam::*:root"
GRANTER = "arn:aws:iam::111122223333:role/Granter"
ORGANIZATION = "o-abcdefghij"


def deny(
    sid: str, actions: str | list[str], condition: dict[str, Any] | None = None, *, resource: bool = False
) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Deny",
        **({"Principal": "*"} if resource else {}),
        "Action": actions,
        "Resource": "*",
        **({"Condition": condition} if condition else {}),
    }


def but(*patterns: str) -> dict[str, Any]:
    return {"ArnNotLike": {"aws:PrincipalArn": patterns[0] if len(patterns) == 1 else list(patterns)}}


DESTRUCTION = ["kms:DeleteImportedKeyMaterial", "kms:DisableKey", "kms:ScheduleKeyDeletion"]
BYPASS = {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}}


def test_service_control_policy_without_exemption():
    assert service_control_policy() == {
        "Version": "2012-10-17",
        "Statement": [
            deny("DenyKeyDestruction", DESTRUCTION),
            deny("DenyKeyPolicyChange", "kms:PutKeyPolicy", but(ROOTS)),
            deny("DenyRotationOff", "kms:DisableKeyRotation"),
            deny("DenyLockoutBypass", ["kms:CreateKey", "kms:PutKeyPolicy"], BYPASS),
            deny(
                "DenyDirectGrants",
                "kms:CreateGrant",
                {"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}},
            ),
            deny(
                "DenyShortDeletionWindow",
                "kms:ScheduleKeyDeletion",
                {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}},
            ),
        ],
    }


def test_service_control_policy_with_every_exemption():
    document = service_control_policy(
        [BREAK_GLASS, BREAK_GLASS],
        deployment_principals=[DEPLOYER],
        grant_principals=[GRANTER],
        minimum_pending_window=7,
    )
    assert document["Statement"] == [
        deny("DenyKeyDestruction", DESTRUCTION, but(BREAK_GLASS)),
        deny("DenyKeyPolicyChange", "kms:PutKeyPolicy", but(BREAK_GLASS, DEPLOYER, ROOTS)),
        deny("DenyRotationOff", "kms:DisableKeyRotation"),
        deny("DenyLockoutBypass", ["kms:CreateKey", "kms:PutKeyPolicy"], BYPASS),
        deny(
            "DenyDirectGrants",
            "kms:CreateGrant",
            {"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}, **but(GRANTER)},
        ),
    ]


def test_resource_control_policy():
    document = resource_control_policy(
        [BREAK_GLASS],
        deployment_principals=[DEPLOYER],
        organization_id=ORGANIZATION,
        trusted_accounts=["444455556666"],
        minimum_pending_window=14,
    )
    assert document["Statement"] == [
        deny("DenyKeyDestruction", DESTRUCTION, but(BREAK_GLASS), resource=True),
        deny("DenyKeyPolicyChange", "kms:PutKeyPolicy", but(BREAK_GLASS, DEPLOYER, ROOTS), resource=True),
        deny("DenyRotationOff", "kms:DisableKeyRotation", resource=True),
        deny("DenyLockoutBypass", "kms:PutKeyPolicy", BYPASS, resource=True),
        deny(
            "DenyDirectGrants",
            "kms:CreateGrant",
            {
                "BoolIfExists": {
                    "kms:GrantIsForAWSResource": "false",
                    "aws:PrincipalIsAWSService": "false",
                }
            },
            resource=True,
        ),
        deny(
            "DenyShortDeletionWindow",
            "kms:ScheduleKeyDeletion",
            {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "14"}},
            resource=True,
        ),
        deny(
            "DenyOutsideOrganization",
            "kms:*",
            {
                "StringNotEqualsIfExists": {
                    "aws:PrincipalOrgID": ORGANIZATION,
                    "aws:PrincipalAccount": "444455556666",
                },
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
            },
            resource=True,
        ),
        deny(
            "DenyServicesForOutsiders",
            "kms:*",
            {
                "StringNotEqualsIfExists": {
                    "aws:SourceOrgID": ORGANIZATION,
                    "aws:SourceAccount": "444455556666",
                },
                "Null": {"aws:SourceAccount": "false"},
                "Bool": {"aws:PrincipalIsAWSService": "true"},
            },
            resource=True,
        ),
    ]


DOCUMENTS = {
    "scp": service_control_policy([BREAK_GLASS]),
    "rcp": resource_control_policy([BREAK_GLASS], organization_id=ORGANIZATION),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_guarded_action_of_the_catalogue_is_denied(name: str):
    denied = {
        action for statement in DOCUMENTS[name]["Statement"] for action in _as_list(statement["Action"])
    }
    assert denied >= {guarded.qualified for guarded in GUARDED_ACTIONS.values()}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_keeps_to_the_grammar_of_organization_policies(name: str):
    document = DOCUMENTS[name]
    sids = [statement["Sid"] for statement in document["Statement"]]
    assert document["Version"] == "2012-10-17"
    assert len(sids) == len(set(sids))
    for statement in document["Statement"]:
        assert statement["Effect"] == "Deny"
        assert statement["Resource"] == "*"
        assert statement["Sid"].isalnum()
        assert statement.get("Principal") == ("*" if name == "rcp" else None)
        assert not {"NotPrincipal", "NotAction", "NotResource"} & set(statement)
        for action in _as_list(statement["Action"]):
            assert action == "kms:*" or find_action(action) is not None


def test_leaves_room():
    assert len(compact(service_control_policy())) == 940
    assert len(compact(resource_control_policy())) == 1054
    assert len(compact(DOCUMENTS["rcp"])) < MAXIMUM_RCP_CHARACTERS / 2
    assert json.loads(compact(DOCUMENTS["scp"])) == DOCUMENTS["scp"]


@pytest.mark.parametrize("make", [service_control_policy, resource_control_policy])
@pytest.mark.parametrize("patterns", [(), (BREAK_GLASS,)])
def test_the_root_user_can_restore_the_key_policy_under_it(make, patterns):
    policy = parse_policy(make(patterns))
    view = InView(scps=(policy,)) if make is service_control_policy else InView(rcps=(policy,))
    context = {"kms:bypasspolicylockoutsafetycheck": "false"}
    for action, answer in (("PutKeyPolicy", Answer.CERTAIN), ("ScheduleKeyDeletion", Answer.NEVER)):
        call = Call(principal="arn:aws:iam::111122223333:root", action=action, context=context)
        assert certain(call, KEY, view).answer is answer


@pytest.mark.parametrize(
    ("make", "limit"),
    [
        pytest.param(service_control_policy, MAXIMUM_SCP_CHARACTERS, id="scp"),
        pytest.param(resource_control_policy, MAXIMUM_RCP_CHARACTERS, id="rcp"),
    ],
)
@given(count=st.integers(0, 400))
def test_never_grows_too_large(make: Any, limit: int, count: int):
    patterns = [f"arn:aws:iam::{number:012}:role/BreakGlass" for number in range(count)]
    # Each pattern stands in two statements, quoted and with a comma; nothing else grows.
    room = limit - 1_100 - 2 * sum(len(pattern) + 3 for pattern in patterns)
    if room < 0:
        with pytest.raises(ArgumentError, match="cover several principals by one pattern"):
            make(patterns)
    elif room > 200:
        assert len(compact(make(patterns))) <= limit


ACCOUNT = "111122223333"
KEY = Key(
    id="1234abcd",
    location=Location("key"),
    account=ACCOUNT,
    region="eu-west-1",
    policy=default_key_policy("aws", ACCOUNT),
)
EVERYTHING = parse_policy(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}
)
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/Admin"
SERVICE_LINKED = "arn:aws:iam::*:role/aws-service-role/*"  # organization policies do not reach these
GLASS = f"arn:aws:iam::{ACCOUNT}:role/BreakGlass"
DEPLOY = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-eu-west-1"
WINDOW = "kms:schedulekeydeletionpendingwindowindays"
FOR_AWS = "kms:grantisforawsresource"
BYPASS_KEY = "kms:bypasspolicylockoutsafetycheck"
DECISIONS: dict[str, tuple[str, str, dict[str, str], bool]] = {
    "administrator disables": (ADMIN, "DisableKey", {}, False),
    "administrator deletes": (ADMIN, "ScheduleKeyDeletion", {}, False),
    "administrator deletes material": (ADMIN, "DeleteImportedKeyMaterial", {}, False),
    "administrator changes the policy": (ADMIN, "PutKeyPolicy", {}, False),
    "administrator uses the key": (ADMIN, "Decrypt", {}, True),
    "administrator cancels a deletion": (ADMIN, "CancelKeyDeletion", {}, True),
    "break glass disables": (GLASS, "DisableKey", {}, True),
    "break glass changes the policy": (GLASS, "PutKeyPolicy", {BYPASS_KEY: "false"}, True),
    "break glass bypasses the lockout check": (GLASS, "PutKeyPolicy", {BYPASS_KEY: "true"}, False),
    "break glass deletes by default window": (GLASS, "ScheduleKeyDeletion", {}, True),
    "break glass deletes in 30 days": (GLASS, "ScheduleKeyDeletion", {WINDOW: "30"}, True),
    "break glass deletes in 29 days": (GLASS, "ScheduleKeyDeletion", {WINDOW: "29"}, False),
    "break glass turns rotation off": (GLASS, "DisableKeyRotation", {}, False),
    "deployer changes the policy": (DEPLOY, "PutKeyPolicy", {}, True),
    "deployer disables": (DEPLOY, "DisableKey", {}, False),
    "direct grant": (ADMIN, "CreateGrant", {FOR_AWS: "false"}, False),
    "grant that says nothing": (ADMIN, "CreateGrant", {}, False),
    "grant through a service": (ADMIN, "CreateGrant", {FOR_AWS: "true"}, True),
}


@pytest.mark.parametrize("kind", ["scp", "rcp"])
@pytest.mark.parametrize(
    ("principal", "action", "context", "allowed"), DECISIONS.values(), ids=DECISIONS.keys()
)
def test_decides_as_promised(kind: str, principal: str, action: str, context: dict[str, str], allowed: bool):
    make = service_control_policy if kind == "scp" else resource_control_policy
    policy = parse_policy(make([BREAK_GLASS], deployment_principals=[DEPLOYER]))
    request = Request(principal=principal, action=action, context=context)
    assert evaluate(request, KEY, identity_policies=[EVERYTHING]).allowed
    decision = evaluate(request, KEY, identity_policies=[EVERYTHING], **{f"{kind}s": [policy]})
    assert decision.allowed is allowed


@pytest.mark.parametrize("kind", ["scp", "rcp"])
@pytest.mark.parametrize("action", [guarded.action for guarded in GUARDED_ACTIONS.values()])
def test_the_region_shrinks_to_the_exempt(kind: str, action: str):
    make = service_control_policy if kind == "scp" else resource_control_policy
    policy = parse_policy(make([BREAK_GLASS]))
    # The root user may always restore the key policy: IAM-KMS-1.
    exempt = [BREAK_GLASS, SERVICE_LINKED, *(["arn:aws:iam::*:root"] if action == "PutKeyPolicy" else [])]
    assert reach_of(KEY, action).escapes(exempt)
    assert reach_of(KEY, action, **{f"{kind}s": [policy]}).escapes(exempt) == ()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "text for a list": ({"exempt_principals": BREAK_GLASS}, "a list is wanted"),
    "everybody": ({"exempt_principals": ["*"]}, "the ARN pattern of a role, a user or an account root"),
    "every role": ({"exempt_principals": ["arn:aws:iam::*:role/*"]}, "exempts every principal of its kind"),
    "every kind": ({"exempt_principals": ["arn:aws:iam::*:*"]}, "the ARN pattern of"),
    "session": (
        {"exempt_principals": ["arn:aws:sts::111122223333:assumed-role/BreakGlass/me"]},
        "for a session name its role",
    ),
    "ten-digit account": ({"deployment_principals": ["arn:aws:iam::1111111111:role/Deploy"]}, "twelve"),
    "partial account": ({"grant_principals": ["arn:aws:iam::1111*:role/Deploy"]}, "twelve digits or *"),
    "window too short": ({"minimum_pending_window": 6}, "a pending window is 7 to 30 days"),
    "window too long": ({"minimum_pending_window": 31}, "a pending window is 7 to 30 days"),
}


@pytest.mark.parametrize("make", [service_control_policy, resource_control_policy], ids=["scp", "rcp"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    REFUSED.values(),
    ids=REFUSED.keys(),
)
def test_refuses_with_the_reason(make: Any, arguments: dict[str, Any], message: str):
    with pytest.raises(ArgumentError) as raised:
        make(**arguments)
    assert message in str(raised.value)


REFUSED_PERIMETER: dict[str, tuple[dict[str, Any], str]] = {
    "organization": ({"organization_id": "abc"}, "an organization id is o-"),
    "account": ({"organization_id": ORGANIZATION, "trusted_accounts": ["1234"]}, "twelve digits"),
    "accounts without organization": ({"trusted_accounts": ["444455556666"]}, "give organization_id as well"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED_PERIMETER.values(), ids=REFUSED_PERIMETER.keys())
def test_refuses_a_perimeter_with_the_reason(arguments: dict[str, Any], message: str):
    with pytest.raises(ArgumentError) as raised:
        resource_control_policy(**arguments)
    assert message in str(raised.value)


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
