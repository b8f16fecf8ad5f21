"""What the parts of a key policy have in common: filling in the key, reading ARNs with CDK tokens."""

from __future__ import annotations

import pytest
from aws_cdk import App, Aws, Stack
from aws_cdk import aws_iam as iam

from kms_constructs.cdk.policy_target import PolicyTarget, arn_parts, check_list, principal_arn, via_service
from kms_constructs.cdk.service_access import ServiceAccess
from kms_constructs.errors import ArgumentError

pytestmark = pytest.mark.cdk

ROLE = "arn:aws:iam::111122223333:role/path/App"


@pytest.fixture(scope="module")
def stack() -> Stack:
    return Stack(App(analytics_reporting=False), "Principals")


def test_reads_arns_with_tokens():
    arn = f"arn:{Aws.PARTITION}:sns:{Aws.REGION}:{Aws.ACCOUNT_ID}:topic:part"
    assert arn_parts(arn) == (Aws.PARTITION, "sns", Aws.REGION, Aws.ACCOUNT_ID, "topic:part")
    assert arn_parts("arn:aws:s3:::bucket/a:b") == ("aws", "s3", "", "", "bucket/a:b")
    assert arn_parts(Aws.STACK_ID) is None
    assert arn_parts("topic") is None


def test_takes_principals_as_people_have_them(stack: Stack):
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    user = iam.User(stack, "User")
    assert principal_arn("principals", role) == role.role_arn
    assert principal_arn("principals", user) == user.user_arn
    assert principal_arn("principals", iam.ArnPrincipal(ROLE)) == ROLE
    assert principal_arn("principals", ROLE) == ROLE
    assert principal_arn("principals", f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/App") == (
        f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/App"
    )


REFUSED = {
    "number": 111122223333,
    "service": iam.ServicePrincipal("sns.amazonaws.com"),
    "bare asterisk": "*",
    "wildcard": "arn:aws:iam::111122223333:role/*",
    "session": "arn:aws:sts::111122223333:assumed-role/App/me",
    "short account": "arn:aws:iam::11112222333:role/App",
    "group": "arn:aws:iam::111122223333:group/Team",
    "queue": "arn:aws:sqs:eu-west-1:111122223333:queue",
    "Sub placeholder": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/App",
    "nothing": "",
}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED.keys())
def test_refuses_what_names_nobody(value: object):
    with pytest.raises(ArgumentError):
        principal_arn("principals", value)


def test_fills_in_the_key_and_touches_nothing_else():
    target = PolicyTarget(partition="aws-us-gov", account=Aws.ACCOUNT_ID, region="us-gov-west-1")
    template = {"a": ["arn:<partition>:sns:<region>:<account>:*"], "n": 1, "b": {"<region>": True}}
    assert target.fill(template) == {
        "a": [f"arn:aws-us-gov:sns:us-gov-west-1:{Aws.ACCOUNT_ID}:*"],
        "n": 1,
        "b": {"us-gov-west-1": True},
    }
    assert template["a"] == ["arn:<partition>:sns:<region>:<account>:*"]


def test_one_preset_serves_many_keys():
    access = ServiceAccess.config()
    for region in ("eu-west-1", "eu-central-1"):
        for account in ("111122223333", "444455556666"):
            target = PolicyTarget(partition="aws", account=account, region=region)
            (statement,) = access.statements(target)
            assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": account}


def test_names_services_as_kms_does():
    target = PolicyTarget(partition="aws", account="111122223333", region=Aws.REGION)
    assert via_service("s3", target) == f"s3.{Aws.REGION}.amazonaws.com"
    assert via_service("s3.eu-west-1.amazonaws.com", target) == "s3.eu-west-1.amazonaws.com"
    for bad in ("S3", "s3.amazonaws.com", "s3.*.amazonaws.com", ""):
        with pytest.raises(ArgumentError):
            via_service(bad, target)


def test_a_text_is_no_list():
    check_list("principals", [ROLE])
    with pytest.raises(ArgumentError, match="write principals="):
        check_list("principals", ROLE)
    with pytest.raises(ArgumentError, match="the list is empty"):
        check_list("principals", [])
