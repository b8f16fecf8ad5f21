"""What the parts of a key policy have in common: filling in the key, reading ARNs with CDK tokens."""

from __future__ import annotations

import pytest
from aws_cdk import Aws

from kms_constructs.errors import ArgumentError
from kms_constructs.policies.services.service_access import ServiceAccess
from kms_constructs.policies.target import PolicyTarget, arn_parts, check_list, via_service

pytestmark = pytest.mark.cdk

ROLE = "arn:aws:iam::111122223333:role/App"


def test_reads_arns_with_tokens():
    arn = f"arn:{Aws.PARTITION}:sns:{Aws.REGION}:{Aws.ACCOUNT_ID}:topic:part"
    assert arn_parts(arn) == (Aws.PARTITION, "sns", Aws.REGION, Aws.ACCOUNT_ID, "topic:part")
    assert arn_parts("arn:aws:s3:::bucket/a:b") == ("aws", "s3", "", "", "bucket/a:b")
    assert arn_parts(Aws.STACK_ID) is None
    assert arn_parts("topic") is None


def test_fills_in_the_key_and_touches_nothing_else():
    target = PolicyTarget(partition="aws-us-gov", account=Aws.ACCOUNT_ID, region="us-gov-west-1")
    template = {"a": ["arn:<partition>:sns:<region>:<account>:*"], "n": 1, "b": {"<region>": True}}
    assert target.fill(template) == {
        "a": [f"arn:aws-us-gov:sns:us-gov-west-1:{Aws.ACCOUNT_ID}:*"],
        "n": 1,
        "b": {"us-gov-west-1": True},
    }
    assert template["a"] == ["arn:<partition>:sns:<region>:<account>:*"]


@pytest.mark.parametrize(
    ("partition", "region", "suffix"),
    [
        pytest.param("aws", "eu-west-1", "amazonaws.com", id="commercial"),
        pytest.param("aws-us-gov", "us-gov-west-1", "amazonaws.com", id="GovCloud"),
        pytest.param("aws-cn", Aws.REGION, "amazonaws.com.cn", id="China by its partition"),
        pytest.param(Aws.PARTITION, "cn-north-1", "amazonaws.com.cn", id="China by its Region"),
        pytest.param(Aws.PARTITION, Aws.REGION, "amazonaws.com", id="nothing known"),
    ],
)
def test_the_suffix_of_service_names(partition: str, region: str, suffix: str) -> None:
    target = PolicyTarget(partition=partition, account="111122223333", region=region)

    assert target.fill("logs.<region>.<suffix>") == f"logs.{region}.{suffix}"


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
