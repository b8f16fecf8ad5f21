from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.model.estate import Grant, Key, KeyKind
from kms_constructs.model.live import LiveKey
from kms_constructs.model.unknown import Unknown, is_unknown
from kms_constructs.sources.kms_api.answers import Answers, Call
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.sources.kms_api.build import ACCOUNT, GOOD_POLICY, KEY_ID, REGION, Seed, answers_of, refused

PRIMARY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/mrk-1"


def key_of(seed: Seed) -> Key:
    (key,) = estate_from_answers(answers_of(seed)).keys
    return key


FACTS: dict[str, tuple[Seed, dict[str, Any]]] = {
    "a plain key": (
        Seed(),
        {
            "id": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}",
            "kind": KeyKind.KEY,
            "account": ACCOUNT,
            "region": REGION,
            "key_spec": "SYMMETRIC_DEFAULT",
            "rotation_enabled": True,
            "rotation_period": 365,
            "aliases": ("alias/orders",),
            "key_state": "Enabled",
            "grants": (),
            "live": LiveKey(created="2025-01-01", last_used="2026-05-30", tracked_since="2026-01-01"),
        },
    ),
    "rotation is off": (Seed(rotation={"KeyRotationEnabled": False}), {"rotation_enabled": False}),
    "a key that cannot rotate is not asked": (
        Seed(metadata={"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, rotation=None),
        {"key_spec": "RSA_2048", "rotation_enabled": None, "rotation_period": None},
    ),
    "pending deletion": (
        Seed(metadata={"KeyState": "PendingDeletion", "DeletionDate": "2026-07-01T10:00:00+00:00"}),
        {"key_state": "PendingDeletion"},
    ),
    "imported material that expires": (
        Seed(
            metadata={
                "Origin": "EXTERNAL",
                "ExpirationModel": "KEY_MATERIAL_EXPIRES",
                "ValidTo": "2026-09-01T00:00:00+00:00",
            }
        ),
        {"origin": "EXTERNAL", "material_expires": "2026-09-01"},
    ),
    "imported material that does not": (
        Seed(metadata={"Origin": "EXTERNAL", "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}),
        {"material_expires": None},
    ),
    "a replica": (
        Seed(
            key_id="mrk-1",
            metadata={
                "MultiRegion": True,
                "MultiRegionConfiguration": {
                    "MultiRegionKeyType": "REPLICA",
                    "PrimaryKey": {"Arn": PRIMARY, "Region": "us-east-1"},
                },
            },
        ),
        {"kind": KeyKind.REPLICA, "multi_region": True, "primary": PRIMARY},
    ),
    "tags, without AWS's own": (
        Seed(tags={"environment": "prd", "aws:x": "y"}),
        {"tags": {"environment": "prd"}},
    ),
    "no alias": (Seed(aliases=()), {"aliases": ()}),
    "a grant to a role": (
        Seed(
            grants=[
                {
                    "GrantId": "g1",
                    "Name": "backup",
                    "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/A",
                    "Operations": ["Decrypt"],
                    "CreationDate": "2024-01-02T00:00:00+00:00",
                    "Constraints": {"EncryptionContextSubset": {"a": "b"}},
                }
            ]
        ),
        {
            "grants": (
                Grant(
                    grantee=f"arn:aws:iam::{ACCOUNT}:role/A",
                    operations=("Decrypt",),
                    constraints={"EncryptionContextSubset": {"a": "b"}},
                    name="backup",
                    id="g1",
                    created="2024-01-02",
                ),
            )
        },
    ),
    "a grant to a service": (
        Seed(
            grants=[
                {"GrantId": "g", "GranteeServicePrincipal": "rds.amazonaws.com", "Operations": ["Decrypt"]}
            ]
        ),
        {
            "grants": (
                Grant(grantee="rds.amazonaws.com", operations=("Decrypt",), for_aws_service=True, id="g"),
            )
        },
    ),
}


@pytest.mark.parametrize(("seed", "facts"), FACTS.values(), ids=FACTS)
def test_what_answers_say_of_a_key(seed: Seed, facts: dict[str, Any]) -> None:
    key = key_of(seed)
    assert {name: getattr(key, name) for name in facts} == facts


def test_the_second_policy_counts_as_the_first() -> None:
    shared = {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": "444455556666"},
            "Action": "kms:Decrypt",
            "Resource": "*",
        }
    }
    key = key_of(Seed(ram_policy=shared))
    assert [(one.index, one.path) for one in key.policy.statements] == [
        (0, "GetKeyPolicy/Policy/Statement/0"),
        (1, "GetKeyPolicy/AWS_RAM/Policy/Statement/0"),
    ]


@pytest.mark.parametrize(
    "seed",
    [Seed(aliases=("alias/aws/sns",)), Seed(aliases=(), metadata={"KeyManager": "AWS"})],
    ids=["by its alias", "by DescribeKey"],
)
def test_keys_that_aws_manages_are_left_out(seed: Seed) -> None:
    assert estate_from_answers(answers_of(seed)).keys == ()


USAGE: dict[str, tuple[dict[str, object], str | None, bool]] = {
    "used": ({"KeyLastUsage": {"Timestamp": "2026-05-01T00:00:00+00:00"}}, "2026-05-01", False),
    "made since records are kept, and never used": (
        {"TrackingStartDate": "2025-10-01", "KeyCreationDate": "2026-02-01"},
        None,
        False,
    ),
    "older than the records, and not used since: unknown": (
        {"TrackingStartDate": "2025-10-01", "KeyCreationDate": "2024-02-01"},
        None,
        True,
    ),
    "nothing is said": ({}, None, True),
}


@pytest.mark.parametrize(("usage", "day", "unknown"), USAGE.values(), ids=USAGE)
def test_last_usage(usage: dict[str, object], day: str | None, unknown: bool) -> None:
    live = key_of(Seed(usage=usage)).live
    assert live is not None
    assert is_unknown(live.last_used) is unknown
    assert unknown or live.last_used == day


CALLS: dict[str, tuple[str, dict[str, str], set[str]]] = {
    "DescribeKey": ("DescribeKey", {}, {"key_spec", "key_usage", "origin", "key_state", "material_expires"}),
    "GetKeyPolicy": ("GetKeyPolicy", {"PolicyName": "default"}, {"policy"}),
    "ListKeyPolicies": ("ListKeyPolicies", {}, {"policy"}),
    "GetKeyRotationStatus": ("GetKeyRotationStatus", {}, {"rotation_enabled", "rotation_period"}),
    "ListResourceTags": ("ListResourceTags", {}, {"tags"}),
    "ListGrants": ("ListGrants", {}, {"grants"}),
}


@pytest.mark.parametrize(("operation", "parameters", "facts"), CALLS.values(), ids=CALLS)
def test_what_is_not_answered_is_unknown_and_told(
    operation: str, parameters: dict[str, str], facts: set[str]
) -> None:
    call = Call.of(ACCOUNT, REGION, "kms", operation, KeyId=KEY_ID, **parameters)
    estate = estate_from_answers(refused(answers_of(Seed()), call))
    (key,) = estate.keys
    values = {
        "policy": key.policy.unknown,
        "grants": next((one.grantee for one in key.grants), None),
        **{name: getattr(key, name) for name in facts - {"policy", "grants"}},
    }
    assert {name for name in facts if not is_unknown(values[name])} == set()
    assert [(one.call, one.code, one.location.logical_id) for one in estate.unanswered] == [
        (f"kms:{operation}", "AccessDeniedException", KEY_ID)
    ]


def test_aliases_that_are_not_known_are_not_taken_to_be_none() -> None:
    estate = estate_from_answers(refused(answers_of(Seed()), Call.of(ACCOUNT, REGION, "kms", "ListAliases")))
    (key,) = estate.keys
    assert key.aliases_unknown == Unknown("ListAliases brought AccessDeniedException")


def test_what_was_not_asked_is_not_taken_to_be_empty() -> None:
    whole = answers_of(Seed())
    estate = estate_from_answers(Answers(whole.scopes, {}))
    assert [one.call for one in estate.unanswered] == [
        "kms:ListAliases",
        "kms:ListKeys",
        "iam:GetAccountAuthorizationDetails",
        "cloudtrail:DescribeTrails",
    ]
    assert {one.code for one in estate.unanswered} == {"NotAsked"}


def test_a_policy_that_is_no_json_is_unknown() -> None:
    assert is_unknown(key_of(Seed(policy="{")).policy.unknown)
    assert not is_unknown(key_of(Seed(policy=GOOD_POLICY)).policy.unknown)
