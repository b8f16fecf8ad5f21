"""The way into the emulator: what it cannot make fails loudly, and nothing gets out."""

from __future__ import annotations

import os
import socket
from typing import Any

import boto3
import pytest

from tests.cdk.keys import ACCOUNT, REGION
from tests.emulator.cloudformation import MADE_BY_API, deploy
from tests.emulator.conftest import ENVIRONMENT

pytestmark = pytest.mark.emulator


def template(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Resources": {"One": {"Type": kind, "Properties": properties}}}


def test_a_type_that_nobody_makes_is_an_error(emulator: None) -> None:
    with pytest.raises(UserWarning, match="Tried to parse AWS::Bedrock::Guardrail"):
        deploy("Unknown", REGION, template("AWS::Bedrock::Guardrail", Name="none"))


def test_a_resource_that_moto_only_reports_is_an_error(
    emulator: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(MADE_BY_API, "AWS::Redshift::Cluster")
    cluster = template(
        "AWS::Redshift::Cluster",
        ClusterType="single-node",
        DBName="orders",
        NodeType="ra3.large",
        MasterUsername="admin",
        MasterUserPassword="Not-a-secret-1",
    )
    with pytest.raises(AssertionError, match="One"):
        deploy("Reported", REGION, cluster)


def test_intrinsic_functions_are_resolved_before_an_api_is_called(emulator: None) -> None:
    live = deploy(
        "Resolved",
        REGION,
        {
            "Resources": {
                "Key": {
                    "Type": "AWS::KMS::Key",
                    "Properties": {
                        "Description": {"Fn::Sub": "of ${AWS::AccountId}"},
                        "KeyPolicy": {"Version": "2012-10-17", "Statement": []},
                        "Tags": [{"Key": "region", "Value": {"Ref": "AWS::Region"}}],
                    },
                },
                "Group": {
                    "Type": "AWS::Logs::LogGroup",
                    "Properties": {"KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
                },
            }
        },
    )
    key = live.client("kms").describe_key(KeyId=live.only("AWS::KMS::Key"))["KeyMetadata"]
    assert (key["Description"], key["AWSAccountId"]) == (f"of {ACCOUNT}", ACCOUNT)
    (group,) = live.client("logs").describe_log_groups()["logGroups"]
    assert group["kmsKeyId"] == live.key_arn == key["Arn"]


def test_the_credentials_are_none_and_the_network_is_closed(emulator: None) -> None:
    assert {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "MOTO_"))} == (
        ENVIRONMENT
    )
    assert boto3.client("sts").get_caller_identity()["Account"] == ACCOUNT
    with pytest.raises(AssertionError, match="wanted to reach"), socket.socket() as one:
        one.connect(("127.0.0.1", 9))
