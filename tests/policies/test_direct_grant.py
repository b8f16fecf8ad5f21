"""Direct grants: what was declared is allowed, everything else stays denied, and the report says so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from aws_cdk import App, Aws, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from kms_constructs.analysis.evaluate import Request, evaluate
from kms_constructs.cdk.key.replica_plan import ReplicaConfig
from kms_constructs.errors import ArgumentError, GuardrailError
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.finding import Finding
from kms_constructs.model.policy import parse_policy
from kms_constructs.policies.direct_grant import DirectGrant
from kms_constructs.policies.root_access import RootAccess
from kms_constructs.policies.services.service_access import ServiceAccess
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from kms_constructs.testing import access, assert_guardrails
from tests.cdk.keys import ACCOUNT, ADMIN, DEPLOY, RESCUE, USER, key_resource, new_key, new_stack, statements

pytestmark = pytest.mark.cdk

TODAY = datetime.now(UTC).date()
REPORT = f"arn:aws:iam::{ACCOUNT}:role/Report"
SETUP = f"arn:aws:iam::{ACCOUNT}:role/ReportSetup"
OTHER = f"arn:aws:iam::{ACCOUNT}:role/Other"
EVERYTHING = parse_policy({"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}})
DIRECT = {"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"}


def finance(**arguments: Any) -> DirectGrant:
    """The grant of the reference module's example: decryption where Department is Finance."""
    given: dict[str, Any] = {
        "grantee": REPORT,
        "operations": ["Decrypt", "DescribeKey"],
        "created_by": [SETUP],
        "encryption_context_subset": {"Department": "Finance"},
    }
    return DirectGrant(**{**given, **arguments})


def stack_with(*grants: DirectGrant, **arguments: Any) -> Stack:
    stack = new_stack()
    key = new_key(stack, direct_grants=grants, policy_reviewed_on=TODAY, **arguments)
    s3.Bucket(stack, "Bucket", encryption_key=key)
    return stack


def deny(sid: str, **more: object) -> dict[str, object]:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {"BoolIfExists": DIRECT, **more},
    }


def test_a_declared_grant_is_written_into_policy_and_metadata():
    stack = stack_with(finance(name="finance", retiring_principal=USER))
    found = statements(stack)
    assert found["DirectGrant1"] == {
        "Sid": "DirectGrant1",
        "Effect": "Allow",
        "Principal": {"AWS": SETUP},
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "kms:GranteePrincipal": REPORT,
                "kms:RetiringPrincipal": USER,
                "kms:GrantConstraintType": "EncryptionContextSubset",
                "kms:EncryptionContext:Department": "Finance",
            },
            "Null": {"kms:GrantOperations": "false"},
            "ForAllValues:StringEquals": {
                "kms:GrantOperations": ["Decrypt", "DescribeKey"],
                "kms:EncryptionContextKeys": ["Department"],
            },
        },
    }
    assert found["DenyDirectGrants"] == deny("DenyDirectGrants", ArnNotEquals={"aws:PrincipalArn": SETUP})
    assert found["DenyOtherGrantees"] == deny(
        "DenyOtherGrantees", StringNotEquals={"kms:GranteePrincipal": REPORT}
    )
    assert key_resource(stack)["Metadata"]["kms-constructs"]["directGrants"] == [
        {
            "grantee": REPORT,
            "operations": ["Decrypt", "DescribeKey"],
            "createdBy": [SETUP],
            "constraints": {"EncryptionContextSubset": {"Department": "Finance"}},
            "retiring": USER,
            "name": "finance",
        }
    ]


def test_without_constraint_and_retiring_principal():
    stack = stack_with(finance(encryption_context_subset={}, operations=["kms:Encrypt", "Encrypt"]))
    assert statements(stack)["DirectGrant1"]["Condition"] == {
        "StringEquals": {"kms:GranteePrincipal": REPORT},
        "Null": {"kms:GrantOperations": "false", "kms:RetiringPrincipal": "true"},
        "ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt"]},
    }
    assert key_resource(stack)["Metadata"]["kms-constructs"]["directGrants"] == [
        {"grantee": REPORT, "operations": ["Encrypt"], "createdBy": [SETUP]}
    ]


def test_the_whole_encryption_context():
    stack = stack_with(finance(encryption_context_subset={}, encryption_context_equals={"b": "2", "a": "1"}))
    condition = statements(stack)["DirectGrant1"]["Condition"]
    assert condition["StringEquals"] == {
        "kms:GranteePrincipal": REPORT,
        "kms:GrantConstraintType": "EncryptionContextEquals",
        "kms:EncryptionContext:a": "1",
        "kms:EncryptionContext:b": "2",
    }
    assert condition["ForAllValues:StringEquals"]["kms:EncryptionContextKeys"] == ["a", "b"]


def test_two_grants():
    found = statements(stack_with(finance(), finance(grantee=OTHER, created_by=[SETUP, USER])))
    assert {sid for sid in found if sid.startswith("DirectGrant")} == {"DirectGrant1", "DirectGrant2"}
    assert found["DenyDirectGrants"]["Condition"]["ArnNotEquals"] == {"aws:PrincipalArn": [SETUP, USER]}
    assert found["DenyOtherGrantees"]["Condition"]["StringNotEquals"] == {
        "kms:GranteePrincipal": [REPORT, OTHER]
    }


def test_without_grants_nothing_changes():
    stack = new_stack()
    new_key(stack)
    found = statements(stack)
    assert found["DenyDirectGrants"] == deny("DenyDirectGrants")
    assert "DenyOtherGrantees" not in found
    assert "directGrants" not in key_resource(stack)["Metadata"]["kms-constructs"]


EKS = {"kms:ViaService": "eks.eu-west-1.amazonaws.com"}


def test_what_comes_through_eks_is_left_out_where_the_key_is_declared_for_it():
    """Its grants carry no flag, so the Deny would refuse every cluster."""
    stack = new_stack()
    new_key(stack, services=[ServiceAccess.eks([USER])])
    assert statements(stack)["DenyDirectGrants"] == deny("DenyDirectGrants", StringNotEquals=EKS)


def test_what_comes_through_eks_may_have_any_grantee_and_declared_grants_may_not():
    stack = stack_with(finance(), services=[ServiceAccess.eks([USER])])
    found = statements(stack)
    assert found["DenyDirectGrants"] == deny(
        "DenyDirectGrants", StringNotEquals=EKS, ArnNotEquals={"aws:PrincipalArn": SETUP}
    )
    assert found["DenyOtherGrantees"] == deny(
        "DenyOtherGrantees", StringNotEquals={"kms:GranteePrincipal": REPORT, **EKS}
    )


ABROAD = "444455556666"
SCALING = (
    f"arn:aws:iam::{ABROAD}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
)
SCALES = [
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
]


def scaling(**arguments: Any) -> DirectGrant:
    """What AWS documents for an Auto Scaling group in another account."""
    given: dict[str, Any] = {
        "grantee": SCALING,
        "operations": SCALES,
        "created_by": [f"arn:aws:iam::{ABROAD}:role/ScalingSetup"],
    }
    return DirectGrant(**{**given, **arguments})


def test_a_service_linked_role_of_another_account_may_pass_its_grant_on():
    stack = stack_with(scaling())
    found = statements(stack)
    assert found["DirectGrant1"]["Principal"] == {"AWS": f"arn:aws:iam::{ABROAD}:role/ScalingSetup"}
    assert found["DirectGrant1"]["Condition"] == {
        "StringEquals": {"kms:GranteePrincipal": SCALING},
        "Null": {"kms:GrantOperations": "false", "kms:RetiringPrincipal": "true"},
        "ForAllValues:StringEquals": {"kms:GrantOperations": SCALES},
    }
    assert found["DenyOtherGrantees"] == deny(
        "DenyOtherGrantees", StringNotEquals={"kms:GranteePrincipal": SCALING}
    )
    report = assert_guardrails(stack, config=GuardrailConfig(trusted_accounts=(ABROAD,)))
    assert [one.id for one in report.findings if one.principals == (SCALING,)] == ["IAM-KMS-6[direct-grant]"]


def test_the_account_of_a_service_linked_role_has_to_be_trusted():
    with pytest.raises(GuardrailError, match=r"KMS:004\[cross-account\]"):
        assert_guardrails(stack_with(scaling()))


def test_whoever_makes_the_grant_lies_where_the_service_linked_role_lies():
    with pytest.raises(ArgumentError, match=f"account {ACCOUNT} and the grantee in {ABROAD}"):
        stack_with(scaling(created_by=[SETUP]))


def test_roles_of_the_app():
    stack = new_stack()
    roles = [iam.Role(stack, name, assumed_by=iam.AccountPrincipal(ACCOUNT)) for name in ("Report", "Setup")]
    key = new_key(
        stack,
        direct_grants=[finance(grantee=roles[0], created_by=[roles[1]])],
        policy_reviewed_on=TODAY,
    )
    s3.Bucket(stack, "Bucket", encryption_key=key)
    granted = statements(stack)["DirectGrant1"]
    assert "Fn::GetAtt" in granted["Principal"]["AWS"]
    assert "Fn::GetAtt" in granted["Condition"]["StringEquals"]["kms:GranteePrincipal"]
    (finding,) = reported(stack)
    assert "Department=Finance" in finding.message


def reported(stack: Stack) -> list[Finding]:
    """What the guardrails report without failing."""
    report = assert_guardrails(stack)
    return [one for one in report.findings if one.outcome.value in {"violation", "undetermined"}]


def test_every_declared_grant_is_reported_and_nothing_fails():
    found = reported(stack_with(finance(name="finance"), finance(grantee=OTHER, operations=["Encrypt"])))
    assert [(one.id, one.severity.value, one.message) for one in found] == [
        (
            "IAM-KMS-6[direct-grant]",
            "warning",
            f"Direct grant 'finance', made by people and by no AWS service, gives {REPORT} the use of the"
            " key: Decrypt, DescribeKey (EncryptionContextSubset Department=Finance).",
        ),
        (
            "IAM-KMS-6[direct-grant]",
            "warning",
            f"Direct grant, made by people and by no AWS service, gives {OTHER} the use of the key:"
            " Encrypt (EncryptionContextSubset Department=Finance).",
        ),
    ]


def test_the_grantee_counts_as_a_user():
    key = access(stack_with(finance()), "alias/dev/key")
    assert REPORT in key.who_can("Decrypt")
    assert REPORT not in key.who_can("Encrypt")


ALLOWED = {
    "kms:GranteePrincipal": REPORT,
    "kms:GrantOperations": ("Decrypt",),
    "kms:GrantConstraintType": "EncryptionContextSubset",
    "kms:EncryptionContext:Department": "Finance",
    "kms:EncryptionContextKeys": ("Department",),
    "kms:GrantIsForAWSResource": "false",
    "aws:PrincipalIsAWSService": "false",
}


@pytest.mark.parametrize("mode", list(RootAccess), ids=lambda mode: mode.value)
@pytest.mark.parametrize(
    ("principal", "changes", "allowed"),
    [
        (SETUP, {}, True),
        (SETUP, {"kms:GrantOperations": ("Decrypt", "DescribeKey")}, True),
        (SETUP, {"kms:GrantOperations": ("Decrypt", "Encrypt")}, False),
        (SETUP, {"kms:GrantOperations": None}, False),
        (SETUP, {"kms:GranteePrincipal": SETUP}, False),
        (SETUP, {"kms:GranteePrincipal": ADMIN}, False),
        (SETUP, {"kms:EncryptionContext:Department": "Sales"}, False),
        (SETUP, {"kms:GrantConstraintType": None}, False),
        (SETUP, {"kms:GrantConstraintType": "EncryptionContextEquals"}, False),
        (SETUP, {"kms:EncryptionContextKeys": ("Department", "Team")}, False),
        (SETUP, {"kms:RetiringPrincipal": SETUP}, False),
        (ADMIN, {}, False),
        (REPORT, {}, False),
        (USER, {}, False),
        (USER, {"kms:GrantIsForAWSResource": "true"}, True),
    ],
    ids=[
        "as declared",
        "all operations",
        "a further operation",
        "no operations",
        "to itself",
        "to an administrator",
        "another context",
        "no constraint",
        "another kind of constraint",
        "a further pair",
        "a retiring principal",
        "by an administrator",
        "by the grantee",
        "by a key user",
        "by a key user through a service",
    ],
)
def test_who_may_make_which_grant(mode, principal, changes, allowed):
    (key,) = estate_of(mode).keys
    context = {name.lower(): value for name, value in {**ALLOWED, **changes}.items() if value is not None}
    # Where the key policy delegates use, IAM hands out more than a grant could; elsewhere it adds nothing.
    iam_policies = [] if mode is RootAccess.FULL_DELEGATION else [EVERYTHING]
    decision = evaluate(
        Request(principal=principal, action="CreateGrant", context=context),
        key,
        identity_policies=iam_policies,
    )
    assert decision.allowed is allowed, decision.reasons


_ESTATES: dict[RootAccess, Any] = {}


def estate_of(mode: RootAccess) -> Any:
    """The estate of a key with the grant, synthesized once for each mode."""
    if mode not in _ESTATES:
        stack = new_stack()
        new_key(stack, direct_grants=[finance()], key_users=[USER], root_access=mode)
        template = {"Resources": {"Key": key_resource(stack)}}
        _ESTATES[mode] = estate_from_templates(
            [TemplateInput(template, "Data", account=ACCOUNT, region="eu-west-1")]
        )
    return _ESTATES[mode]


def test_replicas_take_over_no_grant():
    app = App(analytics_reporting=False)
    stack = new_stack(app=app, env=Environment(account=ACCOUNT, region="us-east-1"))
    key = new_key(
        stack,
        direct_grants=[finance()],
        replica_regions=["eu-west-1", ReplicaConfig("eu-central-1", direct_grants=[finance(name="there")])],
    )
    assert key.replica("eu-west-1").policy_spec.direct_grants == ()
    assert [one.name for one in key.replica("eu-central-1").policy_spec.direct_grants] == ["there"]


EIGHT = {str(number): "x" for number in range(8)}
REFUSED: dict[str, tuple[Any, str, str]] = {
    "one grant": (finance(), "direct_grants", "a list of DirectGrant is wanted"),
    "a dict": ([{"grantee": REPORT}], "direct_grants[0]", "a DirectGrant is wanted"),
    "the second one": ([finance(), None], "direct_grants[1]", "a DirectGrant is wanted"),
    "nobody makes it": ([finance(created_by=[])], "direct_grants[0].created_by", "nobody could make"),
    "creators as text": ([finance(created_by=SETUP)], "direct_grants[0].created_by", "a list of principals"),
    "a wildcard": ([finance(grantee="*")], "direct_grants[0].grantee", "wildcard"),
    "a session": (
        [finance(grantee=f"arn:aws:sts::{ACCOUNT}:assumed-role/Report/me")],
        "direct_grants[0].grantee",
        "this is a session",
    ),
    "an AWS service": (
        [finance(grantee="lambda.amazonaws.com")],
        "direct_grants[0].grantee",
        "an AWS service is no key user",
    ),
    "another account": (
        [finance(grantee="arn:aws:iam::444455556666:role/Report")],
        "direct_grants[0]",
        "it lies in account 444455556666 and the key in 111122223333",
    ),
    "a creator of another account": (
        [finance(created_by=["arn:aws:iam::444455556666:role/Setup"])],
        "direct_grants[0]",
        "it lies in account 444455556666",
    ),
    "to an administrator": ([finance(grantee=ADMIN)], "direct_grants", "stands in key_administrators"),
    "by an administrator": ([finance(created_by=[ADMIN])], "direct_grants", "stands in key_administrators"),
    "by break glass": ([finance(created_by=[RESCUE])], "direct_grants", "stands in break_glass_principals"),
    "by the deployer": ([finance(created_by=[DEPLOY])], "direct_grants", "stands in deployment_principals"),
    "operations as text": (
        [finance(operations="Decrypt")],
        "direct_grants[0].operations",
        "a list of grant operations",
    ),
    "an operation that no grant has": (
        [finance(operations=["ScheduleKeyDeletion"])],
        "direct_grants[0].operations",
        "has no such operation",
    ),
    "an operation of another usage": (
        [finance(operations=["Sign"])],
        "direct_grants[0].operations",
        "SYMMETRIC_DEFAULT key for ENCRYPT_DECRYPT has no such operation",
    ),
    "a wildcard operation": (
        [finance(operations=["GenerateDataKey*"])],
        "direct_grants[0].operations",
        "no such operation",
    ),
    "passing it on": (
        [finance(operations=["Decrypt", "CreateGrant"])],
        "direct_grants[0].operations",
        "the grantee could pass the use of the key on",
    ),
    "no use": ([finance(operations=["DescribeKey"])], "direct_grants[0].operations", "no use of the key"),
    "no operations": ([finance(operations=[])], "direct_grants[0].operations", "no use of the key"),
    "both constraints": (
        [finance(encryption_context_equals={"a": "b"})],
        "direct_grants[0].encryption_context_subset",
        "adds nothing",
    ),
    "nine pairs": (
        [finance(encryption_context_subset={**EIGHT, "9": "x"})],
        "direct_grants[0].encryption_context_subset",
        "at most 8 pairs",
    ),
    "a long value": (
        [finance(encryption_context_subset={"a": "x" * 385})],
        "direct_grants[0].encryption_context_subset",
        "at most 384 characters",
    ),
    "a value that is no text": (
        [finance(encryption_context_subset={"a": 1})],
        "direct_grants[0].encryption_context_subset",
        "pairs of texts",
    ),
    "a bad name": ([finance(name="a b")], "direct_grants[0].name", "letters, digits"),
}


@pytest.mark.parametrize(("grants", "argument", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(grants, argument, reason):
    with pytest.raises(ArgumentError) as caught:
        new_key(
            new_stack(), direct_grants=grants, break_glass_principals=[RESCUE], deployment_principals=[DEPLOY]
        )
    assert caught.value.argument == argument
    assert reason in str(caught.value)
    assert caught.value.fix


def test_a_key_without_encryption_context_takes_no_constraint():
    with pytest.raises(ArgumentError, match="a HMAC_256 key knows no encryption context"):
        new_key(new_stack(), key_spec="HMAC_256", direct_grants=[finance(operations=["VerifyMac"])])
    new_key(
        new_stack(),
        key_spec="HMAC_256",
        direct_grants=[finance(operations=["VerifyMac"], encryption_context_subset={})],
    )


def test_bounds_are_accepted():
    new_key(new_stack(), direct_grants=[finance(encryption_context_subset=EIGHT, name="a" * 256)])
    new_key(new_stack(), direct_grants=[finance(encryption_context_subset={"a": "x" * 384})])
    new_key(new_stack(), direct_grants=[finance(encryption_context_subset={"account": Aws.ACCOUNT_ID})])
