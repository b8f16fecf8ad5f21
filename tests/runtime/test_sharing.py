from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from kms_constructs.runtime.sharing import Party, Proof, Result, Sharing, Step
from tests.runtime.replay import client_error
from tests.sources.kms_api.build import GOOD_POLICY, REGION

OWNER, READER, STRANGER = "111122223333", "444455556666", "777788889999"
KEY = f"arn:aws:kms:{REGION}:{OWNER}:key/k"


def role(account: str) -> str:
    return f"arn:aws:iam::{account}:role/Data"


def allow(account: str, *actions: str, **more: object) -> dict[str, object]:
    who = {"AWS": role(account)}
    return {"Effect": "Allow", "Principal": who, "Action": list(actions), "Resource": "*", **more}


SHARED = {
    **GOOD_POLICY,
    "Statement": [
        *GOOD_POLICY["Statement"],  # type: ignore[misc]
        allow(OWNER, "kms:GenerateDataKey"),
        allow(
            READER,
            "kms:Decrypt",
            Condition={"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}},
        ),
    ],
}


def nothing(account: str) -> dict[str, object]:
    return {"RoleDetailList": [{"RoleName": "Data", "Arn": role(account)}]}


DECRYPTS = {
    "RoleDetailList": [
        {
            "RoleName": "Data",
            "Arn": role(READER),
            "RolePolicyList": [
                {
                    "PolicyName": "p",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY},
                    },
                }
            ],
        }
    ]
}


@dataclass
class World:
    """What AWS does, with one telling difference a test."""

    policy: Mapping[str, object] = field(default_factory=lambda: SHARED)
    iam: Mapping[str, object] = field(default_factory=lambda: {READER: DECRYPTS})
    raises: Mapping[tuple[str, str], BaseException] = field(default_factory=dict)
    used: str = KEY
    spoilt: bool = False
    alone: bool = False
    writes_all_the_same: bool = False
    objects: dict[str, bytes] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def party(self, name: str, account: str) -> Party:
        return Party(
            name, f"arn:aws:sts::{account}:assumed-role/Data/me", lambda _service: _Client(self, account)
        )

    def steps(self, *, outsider: bool = True) -> list[Step]:
        sharing = Sharing(
            source=self.party("source", OWNER),
            target=self.party("target", READER),
            outsider=self.party("outsider", STRANGER) if outsider else None,
            key_arn=KEY,
            bucket="shared",
        )
        return list(sharing.steps())


class _Client:
    def __init__(self, world: World, account: str) -> None:
        self._world, self._account = world, account

    def __getattr__(self, name: str) -> Any:
        def ask(**given: Any) -> dict[str, Any]:
            self._world.calls.append((self._account, name))
            error = self._world.raises.get((self._account, name))
            if error is not None:
                if self._world.writes_all_the_same:
                    self._answer(name, given)
                raise error
            return self._answer(name, given)

        return ask

    def _answer(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        if name == "put_object":
            world.objects[given["Key"]] = given["Body"]
            return {"SSEKMSKeyId": world.used, "VersionId": "v1"}
        if name == "get_object":
            if self._account == STRANGER:
                raise client_error("AccessDenied")
            body = world.objects[given["Key"]]
            return {"Body": io.BytesIO(b"other" if world.spoilt else body)}
        if name == "delete_object":
            assert given.get("VersionId") == "v1"
            world.objects.pop(given["Key"])
            return {}
        if name == "list_object_versions":
            versions = [{"Key": one, "VersionId": "v1"} for one in world.objects]
            return {"Versions": [*versions, {"Key": f"{given['Prefix']}-other", "VersionId": "v0"}]}
        if name == "decrypt":
            may = self._account == READER and world.alone
            raise client_error("DryRunOperationException" if may else "AccessDeniedException")
        return {
            "describe_key": {
                "KeyMetadata": {
                    "KeyId": "k",
                    "KeySpec": "SYMMETRIC_DEFAULT",
                    "Origin": "AWS_KMS",
                    "KeyUsage": "ENCRYPT_DECRYPT",
                    "KeyState": "Enabled",
                }
            },
            "list_key_policies": {"PolicyNames": ["default"]},
            "get_key_policy": {"Policy": json.dumps(world.policy)},
            "list_grants": {"Grants": []},
            "list_resource_tags": {"Tags": []},
            "get_account_authorization_details": world.iam.get(self._account, nothing(self._account)),
        }[name]  # type: ignore[return-value]


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
