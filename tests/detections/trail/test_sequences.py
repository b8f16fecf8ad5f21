from __future__ import annotations

import json
from typing import Any

import pytest

from kms_constructs.detections.trail.notes import Notes
from kms_constructs.detections.trail.policies import PolicyHistory
from kms_constructs.detections.trail.sequences import FOREVER, Deletions, Replicas
from tests.detections.events import ACCOUNT, ALICE, KEY, KEY_ID, OTHER, REPLICA, RESCUE, resource
from tests.detections.trail.samples import OUTSIDE_ROLE, recorded

ROOT = {
    "Sid": "Root", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*", "Resource": "*",
}  # fmt: skip


def allow(principal: object, *actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*", **more}


def text(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [ROOT, *statements]})


READER = allow({"AWS": RESCUE}, "kms:Decrypt")
LESS, MORE = text(READER), text(READER, allow({"AWS": OUTSIDE_ROLE}, "kms:Decrypt", "kms:Encrypt"))
PUBLIC = text(allow("*", "kms:Encrypt"))
OF_ORGANIZATION = text(
    allow("*", "kms:Decrypt", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
)


def put(policy: str, **told: Any) -> Any:
    return recorded(
        "PutKeyPolicy", parameters={"keyId": KEY_ID, "policyName": "default", "policy": policy}, **told
    )


def create(policy: str | None = LESS) -> Any:
    told = {} if policy is None else {"policy": policy}
    return recorded(
        "CreateKey", parameters={"keySpec": "SYMMETRIC_DEFAULT", **told},
        responseElements={"keyMetadata": {"arn": KEY, "keyId": KEY_ID}},
    )  # fmt: skip


def follow(*calls: Any) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    notes = Notes()
    history = PolicyHistory(notes)
    found = [(one.what.id, one.detail) for call in calls for one in history.follow(call)]
    return found, notes.lines()


@pytest.mark.parametrize(
    ("name", "calls", "found"),
    [
        ("a key is made", [create()], []),
        ("the same again", [create(), put(LESS)], []),
        ("less", [create(MORE), put(LESS)], []),
        ("more", [create(), put(MORE)], [("policy-gained", f"{OUTSIDE_ROLE} gained decrypt, encrypt")]),
        ("less and then more", [create(MORE), put(LESS), put(MORE)],
         [("policy-gained", f"{OUTSIDE_ROLE} gained decrypt, encrypt")]),
        ("refused, so the policy is the one before",
         [create(), put(MORE, error="AccessDenied"), put(LESS)], []),
        ("of the policy that KMS gives", [create(None), put(text())], []),
        ("more than KMS gives", [create(None), put(LESS)],
         [("policy-gained", f"{RESCUE} gained decrypt")]),
        ("of another key", [create(), recorded(
            "PutKeyPolicy", parameters={"keyId": OTHER, "policy": LESS}, resources=[resource(OTHER)])], []),
        ("blanks and order say nothing", [create(), put(json.dumps(json.loads(LESS), indent=3))], []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_who_gained(name: str, calls: list[Any], found: list[tuple[str, str]]) -> None:
    assert follow(*calls)[0] == found, name


@pytest.mark.parametrize(
    ("name", "calls", "public"),
    [
        ("by PutKeyPolicy", [put(PUBLIC)], True),
        ("by CreateKey", [create(PUBLIC)], True),
        ("by ReplicateKey", [recorded("ReplicateKey", parameters={"keyId": KEY, "policy": PUBLIC,
            "replicaRegion": "us-east-1"}, responseElements={"replicaKeyMetadata": {"arn": REPLICA}})], True),
        ("by ReplicateKey, told by the response", [recorded("ReplicateKey", parameters={"keyId": KEY,
            "replicaRegion": "us-east-1"}, responseElements={"replicaKeyMetadata": {"arn": REPLICA},
                                                             "replicaPolicy": PUBLIC})], True),
        ("for an organization", [put(OF_ORGANIZATION)], False),
        ("for one", [put(LESS)], False),
        ("refused", [put(PUBLIC, error="AccessDenied")], False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_who_lets_everybody_in(name: str, calls: list[Any], public: bool) -> None:
    assert ("made-public" in {one for one, _ in follow(*calls)[0]}) is public, name


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([put(LESS)], "1 new key policies whose predecessor the trail does not have"),
        ([put("{")], "1 new key policies that the trail does not hold in full"),
        ([put("[]"), put("[]")], "2 new key policies that the trail does not hold in full"),
        ([create(), put("{"), put(LESS)], "1 new key policies that the trail does not hold in full"),
    ],
)
def test_what_cannot_be_compared_is_said(calls: list[Any], said: str) -> None:
    found, notes = follow(*calls)
    assert not found
    assert any(note.startswith(said) for note in notes)


def test_the_time_of_a_deletion_ends_when_it_is_cancelled() -> None:
    deletions = Deletions()
    for call in (
        recorded("CancelKeyDeletion", at="2026-05-01T00:00:00Z"),
        recorded("ScheduleKeyDeletion", at="2026-05-02T00:00:00Z"),
        recorded("ScheduleKeyDeletion", at="2026-05-02T01:00:00Z", error="KMSInvalidStateException"),
        recorded("CancelKeyDeletion", at="2026-05-03T00:00:00Z"),
        recorded("ScheduleKeyDeletion", at="2026-05-04T00:00:00Z"),
        recorded("ScheduleKeyDeletion", at="2026-05-05T00:00:00Z", by=ALICE, parameters={"keyId": OTHER},
                 resources=[resource(OTHER)], error="AccessDenied"),
        recorded("DisableKey", at="2026-05-06T00:00:00Z"),
    ):  # fmt: skip
        deletions.follow(call)
    assert deletions.announced() == (
        (KEY, "2026-05-02T00:00:00Z", "2026-05-03T00:00:00Z"),
        (KEY, "2026-05-04T00:00:00Z", FOREVER),
    )


@pytest.mark.parametrize(
    ("seen", "times", "found"),
    [
        ({}, ["2026-05-20T10:00:00Z"], 1),
        ({(ACCOUNT, "us-east-1"): "2026-05-01T00:00:00Z"}, ["2026-05-20T10:00:00Z"], 0),
        ({(ACCOUNT, "us-east-1"): "2026-05-20T09:59:30Z"}, ["2026-05-20T10:00:00Z"], 1),
        ({(ACCOUNT, "us-east-1"): "2026-05-20T10:00:02Z"}, ["2026-05-20T10:00:00Z"], 1),
        ({("444455556666", "us-east-1"): "2026-05-01T00:00:00Z"}, ["2026-05-20T10:00:00Z"], 1),
        ({}, ["2026-05-20T10:00:00Z", "2026-05-20T11:00:00Z"], 1),
    ],
    ids=["nothing", "in use", "the key that it makes, before", "the key that it makes, after",
         "another account", "twice"],
)  # fmt: skip
def test_a_replica_in_a_region_that_was_not_in_use(
    seen: dict[tuple[str, str], str], times: list[str], found: int
) -> None:
    replicas = Replicas(seen)
    calls = [
        recorded("ReplicateKey", at=time, parameters={"keyId": KEY, "replicaRegion": "us-east-1"})
        for time in times
    ]
    assert sum(1 for call in calls for _ in replicas.follow(call)) == found


def test_a_refused_replica_is_none() -> None:
    call = recorded("ReplicateKey", parameters={"keyId": KEY, "replicaRegion": "x"}, error="AccessDenied")
    assert not list(Replicas({}).follow(call))
