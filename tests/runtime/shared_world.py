"""A world of two accounts that share a key, and a stranger, for tests of `verify-sharing`."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kms_constructs.runtime.sharing import Party, Sharing, Step
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
