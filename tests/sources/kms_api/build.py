"""Answers of one account, as AWS gives them, for tests: each key from a seed with one telling difference."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kms_constructs.sources.kms_api.answers import GLOBAL, Answer, Answers, Call, Refusal, Scope

ACCOUNT = "111122223333"
REGION = "eu-west-1"
KEY_ID = "11111111-2222-3333-4444-555555555555"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
GOOD_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "RootAccount",
            "Effect": "Allow",
            "Principal": {"AWS": ROOT},
            "Action": ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"],
            "Resource": "*",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": ROOT}},
        }
    ],
}


@dataclass(frozen=True, kw_only=True)
class Seed:
    """One key: what differs from a symmetric key that rotates every year."""

    key_id: str = KEY_ID
    region: str = REGION
    policy: Mapping[str, object] | str = field(default_factory=lambda: GOOD_POLICY)
    ram_policy: Mapping[str, object] | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Sequence[str] = ("alias/orders",)
    grants: Sequence[Mapping[str, object]] = ()
    rotation: Mapping[str, object] | None = field(
        default_factory=lambda: {"KeyRotationEnabled": True, "RotationPeriodInDays": 365}
    )
    usage: Mapping[str, object] = field(
        default_factory=lambda: {
            "KeyLastUsage": {"Timestamp": "2026-05-30T00:00:00+00:00"},
            "TrackingStartDate": "2026-01-01T00:00:00+00:00",
            "KeyCreationDate": "2025-01-01T00:00:00+00:00",
        }
    )

    @property
    def arn(self) -> str:
        return f"arn:aws:kms:{self.region}:{ACCOUNT}:key/{self.key_id}"


def answers_of(
    *seeds: Seed,
    iam: Mapping[str, object] | None = None,
    trails: Sequence[Mapping[str, object]] = (),
    selectors: Mapping[str, object] | None = None,
    last_usage: bool = True,
    management_account: str | None = None,
) -> Answers:
    """Everything that an audit of one account asks, answered."""
    regions = tuple(dict.fromkeys(seed.region for seed in seeds)) or (REGION,)
    found = Answers((Scope(account=ACCOUNT, regions=regions, last_usage=last_usage),))

    def given(region: str, service: str, operation: str, content: Mapping[str, Any], **more: str) -> None:
        found.given[Call.of(ACCOUNT, region, service, operation, **more)] = Answer(content, day="2026-06-01")

    given(GLOBAL, "iam", "GetAccountAuthorizationDetails", iam or {})
    for region in regions:
        mine = [seed for seed in seeds if seed.region == region]
        given(
            region,
            "kms",
            "ListAliases",
            {
                "Aliases": [
                    {"AliasName": alias, "TargetKeyId": seed.key_id}
                    for seed in mine
                    for alias in seed.aliases
                ]
            },
        )
        given(
            region, "kms", "ListKeys", {"Keys": [{"KeyId": seed.key_id, "KeyArn": seed.arn} for seed in mine]}
        )
        given(region, "cloudtrail", "DescribeTrails", {"trailList": list(trails)})
        for seed in mine:
            _key(seed, given)
    if not trails:
        call = Call.of(ACCOUNT, GLOBAL, "organizations", "DescribeOrganization")
        found.given[call] = (
            Answer(refusal=Refusal("AWSOrganizationsNotInUseException"), day="2026-06-01")
            if management_account is None
            else Answer({"Organization": {"MasterAccountId": management_account}}, day="2026-06-01")
        )
    for trail in trails:
        arn, home = str(trail["TrailARN"]), str(trail["HomeRegion"])
        given(home, "cloudtrail", "GetTrailStatus", {"IsLogging": True}, Name=arn)
        given(home, "cloudtrail", "GetEventSelectors", selectors or {}, TrailName=arn)
    return found


def _key(seed: Seed, given: Any) -> None:
    def kms(operation: str, content: Mapping[str, object], **more: str) -> None:
        given(seed.region, "kms", operation, content, KeyId=seed.key_id, **more)

    kms(
        "DescribeKey",
        {
            "KeyMetadata": {
                "AWSAccountId": ACCOUNT,
                "KeyId": seed.key_id,
                "Arn": seed.arn,
                "CreationDate": "2025-01-01T00:00:00+00:00",
                "Enabled": True,
                "KeyUsage": "ENCRYPT_DECRYPT",
                "KeyState": "Enabled",
                "Origin": "AWS_KMS",
                "KeyManager": "CUSTOMER",
                "KeySpec": "SYMMETRIC_DEFAULT",
                "MultiRegion": False,
                **seed.metadata,
            }
        },
    )
    names = ["default", *(["AWS_RAM"] if seed.ram_policy is not None else [])]
    kms("ListKeyPolicies", {"PolicyNames": names})
    for name, policy in (("default", seed.policy), ("AWS_RAM", seed.ram_policy)):
        if policy is not None:
            text = policy if isinstance(policy, str) else json.dumps(policy)
            kms("GetKeyPolicy", {"Policy": text, "PolicyName": name}, PolicyName=name)
    if seed.rotation is not None:
        kms("GetKeyRotationStatus", seed.rotation)
    kms("ListResourceTags", {"Tags": [{"TagKey": k, "TagValue": v} for k, v in seed.tags.items()]})
    kms("ListGrants", {"Grants": list(seed.grants)})
    kms("GetKeyLastUsage", seed.usage)


def refused(answers: Answers, call: Call, code: str = "AccessDeniedException") -> Answers:
    """The same answers, but for one call that was refused."""
    given = {**answers.given, call: Answer(refusal=Refusal(code, "it is refused"))}
    return Answers(answers.scopes, given)
