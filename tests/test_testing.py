"""The helpers for template assertion tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kms_constructs.analysis.access import Access, Capability
from kms_constructs.errors import ArgumentError, GuardrailError, SourceError
from kms_constructs.model.estate import Estate, IdentityPolicy, IdentityPolicyKind, Location
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.unknown import Unknown
from kms_constructs.sources.policy_file import key_from_policy
from kms_constructs.testing import KeyAccess, access, assert_guardrails
from tests.sources.cloudformation.templates_with_choices import PUBLIC, by_stage, when

ACCOUNT = "111122223333"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/Admin"
APP = f"arn:aws:iam::{ACCOUNT}:role/App"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ANYONE = f"any principal of account {ACCOUNT}"
THE_ROOT_USER = f"the root user of account {ACCOUNT}"

BY_STAGE = by_stage(when("IsProd", PUBLIC))
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Root",
            "Effect": "Allow",
            "Principal": {"AWS": ROOT},
            "Action": ["kms:PutKeyPolicy", "kms:DescribeKey"],
            "Resource": "*",
        },
        {
            "Sid": "Admins",
            "Effect": "Allow",
            "Principal": {"AWS": ADMIN},
            "Action": "kms:DisableKey",
            "Resource": "*",
        },
        {
            "Sid": "Users",
            "Effect": "Allow",
            "Principal": {"AWS": APP},
            "Action": "kms:Decrypt",
            "Resource": "*",
        },
    ],
}
TEMPLATE = {
    "Resources": {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": POLICY, "EnableKeyRotation": True}},
        "Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/data", "TargetKeyId": {"Ref": "Key"}},
        },
        "Operator": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "Operator",
                "AssumeRolePolicyDocument": {},
                "Policies": [
                    {
                        "PolicyName": "p",
                        "PolicyDocument": {
                            "Statement": {
                                "Effect": "Allow",
                                "Action": "kms:PutKeyPolicy",
                                "Resource": {"Fn::GetAtt": ["Key", "Arn"]},
                            }
                        },
                    }
                ],
            },
        },
    }
}


@pytest.fixture
def template_file(tmp_path: Path) -> Path:
    path = tmp_path / "app.json"
    path.write_text(json.dumps(TEMPLATE))
    return path


def test_a_template_that_holds_gives_its_report() -> None:
    report = assert_guardrails(TEMPLATE, controls=["KMS:001", "KMS:010"], account=ACCOUNT)

    assert [(finding.control, finding.outcome.value) for finding in report.findings] == [
        ("KMS:001", "compliant"),
        ("KMS:010", "compliant"),
    ]


def test_a_failure_reads_well_in_pytest() -> None:
    template = {"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {}}}}

    with pytest.raises(GuardrailError) as caught:
        assert_guardrails(template, controls=["KMS:001", "KMS:010"])

    assert str(caught.value).splitlines() == [
        "2 guardrail findings fail:",
        "  KMS:001[enabled] template: Key at Properties/EnableKeyRotation",
        "    Automatic rotation is not set, and KMS's default is off.",
        "    Fix: Set EnableKeyRotation to true.",
        "  KMS:010[missing] template: Key",
        "    The key has no alias.",
        "    Fix: Attach an AWS::KMS::Alias; a replica needs one of its own in its Region.",
    ]
    assert isinstance(caught.value, AssertionError)


def test_a_path_works_like_a_template(template_file: Path) -> None:
    assert assert_guardrails(str(template_file), controls=["KMS:010"]).keys == 1


def test_a_file_that_cannot_be_read_fails(tmp_path: Path) -> None:
    with pytest.raises(GuardrailError, match=r"unreadable .*missing\.json"):
        assert_guardrails(tmp_path / "missing.json")


def test_a_subject_without_keys_is_no_pass() -> None:
    with pytest.raises(ArgumentError, match="no key and no IAM policy"):
        assert_guardrails({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


def test_something_else_is_refused() -> None:
    with pytest.raises(ArgumentError, match="subject='int' is refused"):
        assert_guardrails(42)


@pytest.mark.parametrize("name", [None, "alias/data", "data", "Key"])
def test_a_key_is_found_by_alias_and_logical_id(name: str | None) -> None:
    assert access(TEMPLATE, name, account=ACCOUNT).may(APP, "kms:Decrypt")


def test_a_key_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(ArgumentError, match=r"there is no such key. Fix: name one of: alias/data"):
        access(TEMPLATE, "alias/other")


@pytest.mark.parametrize(
    ("principal", "action", "may", "could"),
    [
        (APP, "Decrypt", True, True),
        (ADMIN, "Decrypt", False, False),
        (ADMIN, "DisableKey", True, True),
        (ADMIN, "PutKeyPolicy", False, True),
        (f"arn:aws:iam::{ACCOUNT}:role/Operator", "PutKeyPolicy", True, True),
        (ROOT, "PutKeyPolicy", True, True),
        ("arn:aws:iam::444455556666:role/App", "PutKeyPolicy", False, False),
        ("logs.amazonaws.com", "Decrypt", False, False),
    ],
)
def test_who_may_and_who_could(principal: str, action: str, may: bool, could: bool) -> None:
    key = access(TEMPLATE, account=ACCOUNT)

    assert (key.may(principal, action), key.could(principal, action)) == (may, could)


def test_who_can_names_everyone() -> None:
    key = access(TEMPLATE, account=ACCOUNT)

    assert key.who_can("Decrypt") == {APP}
    assert key.who_can("kms:PutKeyPolicy") == {ANYONE, THE_ROOT_USER}
    assert key.who_can("Encrypt") == frozenset()


def test_an_iam_policy_of_unknown_holders_may_be_anyone_s() -> None:
    key = key_from_policy(POLICY, source="key policy", account=ACCOUNT)
    policy = IdentityPolicy(
        id="p",
        location=Location("app.json"),
        name="p",
        kind=IdentityPolicyKind.MANAGED,
        policy=parse_policy(
            {"Statement": {"Effect": "Allow", "Action": "kms:PutKeyPolicy", "Resource": "*"}}
        ),
        attached_to=Unknown("the parameter Roles has no default"),
        account=ACCOUNT,
    )

    found = KeyAccess(key, Estate(keys=(key,), identity_policies=(policy,)))

    assert found.may(ADMIN, "PutKeyPolicy"), "what cannot be resolved is not a no"
    assert not found.may(ADMIN, "Decrypt"), "neither the policy gives it nor the key policy delegates it"


def test_a_misspelt_action_is_refused() -> None:
    with pytest.raises(ArgumentError, match="KMS has no such action"):
        access(TEMPLATE).who_can("kms:Describe")


def test_the_root_user_may_what_is_its_account_s_without_any_iam_policy() -> None:
    key = access(POLICY, account=ACCOUNT)

    assert key.may(ROOT, "PutKeyPolicy"), "the account's own statement takes its root user in"
    assert not key.may(ADMIN, "PutKeyPolicy"), "everyone else of the account needs an IAM policy"


NOBODY = {"Statement": [{"Effect": "Deny", "Action": "kms:DisableKey", "Resource": "*", "Principal": "*"}]}
SCP = {"Statement": [{"Effect": "Deny", "Action": "kms:DisableKey", "Resource": "*"}]}


@pytest.mark.parametrize("organization", [{"scps": [SCP]}, {"rcps": [NOBODY]}], ids=["SCP", "RCP"])
@pytest.mark.parametrize("subject", [POLICY, TEMPLATE], ids=["key policy", "template"])
def test_the_organization_decides_too(subject: dict[str, Any], organization: dict[str, Any]) -> None:
    free, bound = access(subject, account=ACCOUNT), access(subject, account=ACCOUNT, **organization)

    assert (free.may(ADMIN, "DisableKey"), bound.may(ADMIN, "DisableKey")) == (True, False)
    assert (free.could(ADMIN, "DisableKey"), bound.could(ADMIN, "DisableKey")) == (True, False)
    assert (free.who_can("DisableKey"), bound.who_can("DisableKey")) == ({ADMIN}, frozenset())
    cells = [key.matrix.row(ADMIN) for key in (free, bound)]
    assert [row.cells[Capability.DISABLE].access if row else None for row in cells] == [Access.ALLOWED, None]
    with pytest.raises(GuardrailError, match="IAM-KMS-4"):
        assert_guardrails(subject, controls=["IAM-KMS-4"], account=ACCOUNT)
    assert_guardrails(subject, controls=["IAM-KMS-4"], account=ACCOUNT, **organization)


def test_an_organization_policy_may_be_a_file(tmp_path: Path, template_file: Path) -> None:
    file = tmp_path / "scp.json"
    file.write_text(json.dumps(SCP))

    assert not access(template_file, account=ACCOUNT, scps=[file]).may(ADMIN, "DisableKey")
    with pytest.raises(GuardrailError, match=r"unreadable .*none\.json"):
        assert_guardrails(template_file, controls=["KMS:010"], scps=[tmp_path / "none.json"])


def test_an_organization_policy_that_is_none_fails() -> None:
    with pytest.raises(GuardrailError, match="unreadable scp 1"):
        assert_guardrails(TEMPLATE, controls=["KMS:010"], scps=[{"Version": "2012-10-17"}])


def test_parameters() -> None:
    alias = {"AliasName": {"Ref": "Name"}, "TargetKeyId": {"Ref": "Key"}}
    template = {
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {**TEMPLATE["Resources"], "Alias": {"Type": "AWS::KMS::Alias", "Properties": alias}},
    }

    assert access(template, "alias/given", parameters={"Name": "alias/given"}, account=ACCOUNT).may(
        APP, "Decrypt"
    )
    assert_guardrails(template, controls=["KMS:010"], parameters={"Name": "alias/given"})
    with pytest.raises(GuardrailError, match="no template has a parameter 'Nam'"):
        assert_guardrails(template, controls=["KMS:010"], parameters={"Name": "alias/given", "Nam": "x"})


def test_an_account_that_is_none_is_refused() -> None:
    with pytest.raises(SourceError, match="is no account id"):
        access(TEMPLATE, account="1234")


@pytest.mark.cdk
def test_a_stack_is_judged_with_the_rest_of_its_app() -> None:
    import aws_cdk as cdk
    from aws_cdk import assertions
    from aws_cdk import aws_kms as kms

    app = cdk.App(analytics_reporting=False)
    good = cdk.Stack(app, "Good", env=cdk.Environment(account=ACCOUNT, region="us-east-1"))
    kms.Key(good, "Key", enable_key_rotation=True, alias="good")
    bad = cdk.Stack(app, "Bad", env=cdk.Environment(account=ACCOUNT, region="us-east-1"))
    kms.Key(bad, "Key", alias="bad")

    assert_guardrails(good, controls=["KMS:001"])
    with pytest.raises(GuardrailError, match="KMS:001"):
        assert_guardrails(bad, controls=["KMS:001"])
    with pytest.raises(GuardrailError, match="1 guardrail finding fails"):
        assert_guardrails(app, controls=["KMS:001"])
    with pytest.raises(GuardrailError, match="KMS:001"):
        assert_guardrails(assertions.Template.from_stack(bad), controls=["KMS:001"])
    assert access(app, "alias/bad").who_can("Decrypt") == {ANYONE, THE_ROOT_USER}
    assert access(bad).who_can("Decrypt") == {ANYONE, THE_ROOT_USER}


class TestWorlds:
    """Templates that parameters make different keys of."""

    def test_the_guardrails_hold_in_every_world(self) -> None:
        with pytest.raises(GuardrailError, match=r"With Stage=prod: Statement 'Open' lets in any principal"):
            assert_guardrails(BY_STAGE, controls=["KMS:004"])
        assert assert_guardrails(BY_STAGE, controls=["KMS:004"], parameters={"Stage": "dev"}).keys == 1

    def test_access_is_what_there_is_in_any_world(self) -> None:
        stranger = "arn:aws:iam::444455556666:role/App"
        everywhere, in_dev = access(BY_STAGE), access(BY_STAGE, parameters={"Stage": "dev"})
        assert everywhere.may(stranger, "Decrypt")
        assert everywhere.could(stranger, "Decrypt")
        assert "any principal of any account, any AWS service" in everywhere.who_can("Decrypt")
        assert not in_dev.could(stranger, "Decrypt")
        assert not in_dev.who_can("Decrypt")

    def test_a_key_is_found_by_its_name_in_any_world(self) -> None:
        named = {
            **BY_STAGE,
            "Resources": {
                **BY_STAGE["Resources"],  # type: ignore[dict-item]
                "Name": {
                    "Type": "AWS::KMS::Alias",
                    "Properties": {"AliasName": {"Fn::Sub": "alias/${Stage}"}, "TargetKeyId": {"Ref": "Key"}},
                },
            },
        }
        assert access(named, "alias/prod").could(APP, "Decrypt")
        assert access(named, "alias/dev").could(APP, "Decrypt")
