from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError

from kms_constructs.runtime.sharing import Proof, Result, Step
from tests.runtime.replay import client_error
from tests.runtime.shared_world import DECRYPTS, OWNER, READER, SHARED, STRANGER, World, allow, role
from tests.sources.kms_api.build import GOOD_POLICY


def said(steps: list[Step]) -> dict[str, Result]:
    return {f"{one.proof.value}: {one.what}": one.result for one in steps}


STATIC = {
    "policy: The source may call kms:GenerateDataKey through S3": Result.HOLDS,
    "policy: The target may call kms:Decrypt through S3": Result.HOLDS,
    "policy: The outsider may not call kms:Decrypt through S3": Result.HOLDS,
}
LIVE = {
    "call: The source writes an object under the key, with the encryption context": Result.HOLDS,
    "call: The target reads what the source wrote": Result.HOLDS,
    "call: The outsider cannot read it": Result.HOLDS,
    "call: The outsider may not decrypt by itself": Result.HOLDS,
    "call: The target may not decrypt by itself": Result.HOLDS,
    "call: The object is gone": Result.HOLDS,
}


def test_what_is_shared_is_proven_by_policy_and_by_call() -> None:
    world = World()
    steps = world.steps()
    assert said(steps) == {**STATIC, **LIVE}
    assert list(said(steps)) == [*STATIC, *LIVE]
    assert world.objects == {}


TARGET = "policy: The target may call kms:Decrypt through S3"
READS = "call: The target reads what the source wrote"
WRITES = "call: The source writes an object under the key, with the encryption context"
OUTSIDER = "policy: The outsider may not call kms:Decrypt through S3"
DOWN = EndpointConnectionError(endpoint_url="https://s3")
ALONE = {**SHARED, "Statement": [*SHARED["Statement"], allow(READER, "kms:Decrypt")]}  # type: ignore[misc]
PUBLIC = {**SHARED, "Statement": [*SHARED["Statement"], {  # type: ignore[misc]
    "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}]}  # fmt: skip


def bounded(action: str | None) -> World:
    """The target with a permissions boundary that allows one action; None for one that is not told."""
    arn = f"arn:aws:iam::{READER}:policy/Boundary"
    (reader,) = DECRYPTS["RoleDetailList"]
    roles = [{**reader, "PermissionsBoundary": {"PermissionsBoundaryArn": arn}}]
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}}
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": document}
    policy = {"Arn": arn, "PolicyName": "Boundary", "PolicyVersionList": [version]}
    return World(iam={READER: {"RoleDetailList": roles, "Policies": [policy] if action else []}})


CASES: dict[str, tuple[World, dict[str, Result]]] = {
    "the target has no IAM policy": (World(iam={}), {TARGET: Result.FAILS}),
    "the key policy does not name the target": (World(policy=GOOD_POLICY), {TARGET: Result.FAILS}),
    "the target's IAM cannot be read": (
        World(raises={(READER, "get_account_authorization_details"): client_error("AccessDenied")}),
        {TARGET: Result.OPEN},
    ),
    "the key policy cannot be read": (
        World(raises={(OWNER, "get_key_policy"): client_error("AccessDeniedException")}),
        {TARGET: Result.OPEN, OUTSIDER: Result.OPEN},
    ),
    "the target is refused": (
        World(raises={(READER, "get_object"): client_error("AccessDenied")}),
        {READS: Result.FAILS},
    ),
    "S3 is down for the target": (World(raises={(READER, "get_object"): DOWN}), {READS: Result.OPEN}),
    "another key was used": (World(used="arn:aws:kms:eu-west-1:1:key/other"), {WRITES: Result.FAILS}),
    "the object is another": (World(spoilt=True), {READS: Result.FAILS}),
    "a boundary that is not among the answers": (bounded(None), {TARGET: Result.OPEN}),
    "a boundary that allows it": (bounded("kms:Decrypt"), {TARGET: Result.HOLDS}),
    "a boundary that allows something else": (bounded("kms:Encrypt"), {TARGET: Result.FAILS}),
    "a boundary that does not speak of KMS": (bounded("s3:*"), {TARGET: Result.FAILS}),
    "a target that its IAM does not list": (
        World(iam={READER: {"RoleDetailList": []}}),
        {TARGET: Result.OPEN},
    ),
    "a source that its IAM does not list": (
        World(iam={OWNER: {}, READER: DECRYPTS}),
        {"policy: The source may call kms:GenerateDataKey through S3": Result.OPEN},
    ),
    "the clean-up is refused": (
        World(raises={(OWNER, "delete_object"): client_error("AccessDenied")}),
        {"call: The object is gone": Result.FAILS},
    ),
    "a target that may decrypt without S3, and does": (
        World(policy=ALONE, alone=True),
        {"call: The target may decrypt by itself": Result.HOLDS},
    ),
    "a target that may decrypt without S3, and cannot": (
        World(policy=ALONE),
        {"call: The target may decrypt by itself": Result.OPEN},
    ),
    "a target that may not decrypt without S3, and does": (
        World(alone=True),
        {"call: The target may not decrypt by itself": Result.FAILS},
    ),
    "the source writes, and is not told so": (
        World(raises={(OWNER, "put_object"): DOWN}, writes_all_the_same=True),
        {WRITES: Result.OPEN, "call: The object is gone": Result.HOLDS},
    ),
    "the source cannot write": (
        World(raises={(OWNER, "put_object"): client_error("AccessDenied")}),
        {WRITES: Result.FAILS, "call: The object is gone": Result.HOLDS},
    ),
}


@pytest.mark.parametrize(("world", "expected"), CASES.values(), ids=CASES)
def test_what_does_not_hold(world: World, expected: dict[str, Result]) -> None:
    found = said(world.steps())
    assert {name: found[name] for name in expected} == expected
    assert world.objects == {} or "The object is gone" in str(expected)


def test_what_nothing_allows_is_said_so_whatever_is_not_known_beside() -> None:
    world = World(policy=GOOD_POLICY, iam={READER: {"RoleDetailList": []}})
    found = {f"{one.proof.value}: {one.what}": one for one in world.steps()}[TARGET]
    assert (found.result, found.why) == (Result.FAILS, "nothing allows it")


def test_an_outsider_whom_the_key_policy_lets_in_with_its_own_iam() -> None:
    iam = {
        STRANGER: {"RoleDetailList": [{**DECRYPTS["RoleDetailList"][0], "Arn": role(STRANGER)}]},
        READER: DECRYPTS,
    }
    assert said(World(policy=PUBLIC, iam=iam).steps())[OUTSIDER] is Result.FAILS


def test_the_object_is_deleted_when_the_run_is_interrupted() -> None:
    world = World(raises={(READER, "get_object"): KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        world.steps()
    assert world.objects == {}
    assert (OWNER, "delete_object") in world.calls


def test_without_an_outsider_nothing_is_said_of_one() -> None:
    assert [one for one in World().steps(outsider=False) if "outsider" in one.what] == []
    assert {one.proof for one in World().steps(outsider=False)} == set(Proof)
