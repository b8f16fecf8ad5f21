"""One account with a key for each way to break something, all answered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from kms_constructs.sources.kms_api.answers import GLOBAL, Answer, Answers, Call
from tests.sources.kms_api.build import ACCOUNT, GOOD_POLICY, REGION, Seed, answers_of

OTHER_REGION = "us-east-1"
APP = f"arn:aws:iam::{ACCOUNT}:role/App"
PRIMARY = f"arn:aws:kms:{OTHER_REGION}:{ACCOUNT}:key/mrk-1"
TRAIL = {"TrailARN": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/all", "HomeRegion": REGION}
PUBLIC = {
    "Sid": "All",
    "Effect": "Allow",
    "Principal": "*",
    "Action": "kms:Decrypt",
    "Resource": "*",
}
DELEGATING = {
    "Sid": "Root",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
TAGS = {
    "environment": "prd",
    "service": "orders",
    "data-classification": "internal",
    "kms:policy-reviewed-on": "2026-03-01",
}


def policy(*statements: dict[str, object]) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def multi_region(kind: str) -> dict[str, object]:
    return {
        "MultiRegion": True,
        "MultiRegionConfiguration": {
            "MultiRegionKeyType": kind,
            "PrimaryKey": {"Arn": PRIMARY, "Region": OTHER_REGION},
            "ReplicaKeys": [{"Arn": PRIMARY.replace(OTHER_REGION, REGION), "Region": REGION}],
        },
    }


SEEDS = (
    Seed(key_id="good", aliases=("alias/good",), tags=TAGS),
    Seed(key_id="public", aliases=("alias/public",), policy=policy(*GOOD_POLICY["Statement"], PUBLIC)),  # type: ignore[misc]
    Seed(key_id="delegating", aliases=(), policy=policy(DELEGATING)),
    Seed(key_id="still", aliases=("alias/still",), rotation={"KeyRotationEnabled": False}, tags=TAGS),
    Seed(
        key_id="granted",
        aliases=("alias/granted",),
        grants=[
            {
                "GrantId": "g1",
                "GranteePrincipal": "arn:aws:iam::444455556666:role/X",
                "Operations": ["Decrypt"],
                "CreationDate": "2020-01-01",
            },
            {"GrantId": "g2", "GranteeServicePrincipal": "rds.amazonaws.com", "Operations": ["Decrypt"]},
        ],
    ),
    Seed(
        key_id="going",
        aliases=("alias/going",),
        metadata={"KeyState": "PendingDeletion", "DeletionDate": "2026-06-20"},
    ),
    Seed(
        key_id="signing",
        aliases=("alias/signing",),
        metadata={"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
        rotation=None,
    ),
    Seed(
        key_id="imported",
        aliases=("alias/imported",),
        metadata={"Origin": "EXTERNAL", "ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": "2026-06-20"},
        rotation={"KeyRotationEnabled": False},
    ),
    Seed(key_id="mrk-1", region=OTHER_REGION, aliases=("alias/many",), metadata=multi_region("PRIMARY")),
    Seed(
        key_id="mrk-1",
        aliases=("alias/many",),
        metadata=multi_region("REPLICA"),
        ram_policy=policy({**PUBLIC, "Principal": {"AWS": "444455556666"}}),
    ),
    Seed(key_id="aws-managed", aliases=("alias/aws/sns",), metadata={"KeyManager": "AWS"}),
)
IAM: dict[str, Any] = {
    "UserDetailList": [],
    "GroupDetailList": [],
    "RoleDetailList": [
        {
            "RoleName": "App",
            "Arn": APP,
            "RolePolicyList": [
                {
                    "PolicyName": "p",
                    "PolicyDocument": policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*"}),
                }
            ],
            "AttachedManagedPolicies": [],
        },
        {"RoleName": "Other", "Arn": f"arn:aws:iam::{ACCOUNT}:role/Other", "RolePolicyList": []},
    ],
    "Policies": [],
}


def whole(*, last_usage: bool = True) -> Answers:
    """Everything that an audit of the account is answered."""
    return answers_of(*SEEDS, iam=IAM, trails=[TRAIL], selectors={}, last_usage=last_usage)


def member() -> Answers:
    """An account whose organization has policies for it, and no trail that it is shown."""
    answers = answers_of(*SEEDS, iam=IAM)
    found = Answers((replace(answers.scopes[0], organization=True),), answers.given)
    del found.given[Call.of(ACCOUNT, GLOBAL, "organizations", "DescribeOrganization")]

    def given(operation: str, content: dict[str, Any], **more: str) -> None:
        call = Call.of(ACCOUNT, GLOBAL, "organizations", operation, **more)
        found.given[call] = Answer(content, day="2026-06-01")

    given("ListParents", {"Parents": [{"Id": "ou-1", "Type": "ORGANIZATIONAL_UNIT"}]}, ChildId=ACCOUNT)
    given("ListParents", {"Parents": [{"Id": "r-1", "Type": "ROOT"}]}, ChildId="ou-1")
    for target in (ACCOUNT, "ou-1", "r-1"):
        for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
            attached = [{"Id": f"p-{kind[:3].lower()}"}] if target == "r-1" else []
            given("ListPoliciesForTarget", {"Policies": attached}, TargetId=target, Filter=kind)
    deny = {"Effect": "Deny", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    for name, statements in (
        ("p-ser", [everything, deny]),
        ("p-res", [everything | {"Principal": "*"}, deny | {"Principal": "*"}]),
    ):
        given("DescribePolicy", {"Policy": {"Content": json.dumps(policy(*statements))}}, PolicyId=name)
    return found


def trailless() -> Answers:
    """An account in no organization, and without a trail."""
    return answers_of(*SEEDS, iam=IAM)
