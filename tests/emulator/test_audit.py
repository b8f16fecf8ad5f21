"""An audit of an account in the emulator, from the command line: what boto3 sends and moto answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kms_constructs.cli import main as entry
from tests.cdk.keys import ACCOUNT
from tests.emulator.cloudformation import client_of

pytestmark = [pytest.mark.emulator]
REGIONS = ("eu-west-1", "us-east-1")
ROOT = {
    "Sid": "Root",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"],
    "Resource": "*",
    "Condition": {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:root"}},
}
ALL = {"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [ROOT, *statements]})


@pytest.fixture(scope="module")
def account(emulator: None) -> dict[str, str]:
    """An account with a key for each violation."""
    kms = client_of("kms", "eu-west-1")

    def key(alias: str = "", *, rotates: bool = True, **given: Any) -> str:
        made = kms.create_key(**{"Policy": policy(), **given})["KeyMetadata"]["KeyId"]
        if rotates:
            kms.enable_key_rotation(KeyId=made)
        if alias:
            kms.create_alias(AliasName=f"alias/{alias}", TargetKeyId=made)
        return str(made)

    found = {
        "good": key("good"),
        "still": key("still", rotates=False),
        "public": key("public", Policy=policy(ALL)),
        "nameless": key(),
        "granted": key("granted"),
        "going": key("going"),
    }
    kms.create_grant(
        KeyId=found["granted"],
        GranteePrincipal="arn:aws:iam::444455556666:role/X",
        Operations=["Decrypt"],
    )
    kms.schedule_key_deletion(KeyId=found["going"], PendingWindowInDays=7)
    iam = client_of("iam", "us-east-1")
    iam.create_role(RoleName="App", AssumeRolePolicyDocument="{}")
    everything = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    iam.put_role_policy(
        RoleName="App",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
    )
    client_of("kms", "us-east-1").create_key(Policy=policy())
    return found


@pytest.fixture(scope="module")
def report(account: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("audit")
    regions = [word for region in REGIONS for word in ("--region", region)]
    with pytest.raises(SystemExit) as exit_:
        entry.main(
            [
                "audit",
                *regions,
                "--no-last-usage",
                "-o",
                str(folder / "out.json"),
                "--save",
                str(folder / "saved.json"),
            ]
        )
    assert exit_.value.code == 1
    return json.loads((folder / "out.json").read_text("utf-8")), folder


VIOLATIONS = {
    "good": set(),
    "still": {"KMS:001[enabled]"},
    "public": {"KMS:004[public]", "IAM-KMS-6[caller-account]", "IAM-KMS-6[via-service]"},
    "nameless": {"KMS:010[missing]"},
    "granted": {"KMS:004[cross-account]"},
    "going": {"KMS:002[pending-deletion]"},
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_each_key_breaks_what_it_was_made_to_break(
    report: tuple[dict[str, Any], Path], account: dict[str, str], name: str
) -> None:
    found = {
        one["id"]
        for one in report[0]["findings"]
        if one["location"]["logicalId"] == account[name] and one["outcome"] == "violation" and one["fails"]
    }
    assert found == VIOLATIONS[name]


def test_every_region_and_the_iam_of_the_account_are_read(report: tuple[dict[str, Any], Path]) -> None:
    assert {one["region"] for one in report[0]["keys"]} == set(REGIONS)
    assert "IAM-KMS-3[iam-policy]" in {one["id"] for one in report[0]["findings"]}
    assert [one for one in report[0]["findings"] if one["id"] == "KMS:LIVE[unanswered]"] == []


def test_what_was_saved_is_judged_alike_without_aws(report: tuple[dict[str, Any], Path]) -> None:
    document, folder = report
    with pytest.raises(SystemExit):
        entry.main(["audit", "--offline", str(folder / "saved.json"), "-o", str(folder / "again.json")])
    again = json.loads((folder / "again.json").read_text("utf-8"))
    assert again["findings"] == document["findings"]
    assert "testing" not in (folder / "saved.json").read_text("utf-8")
