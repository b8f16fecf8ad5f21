"""An AWS that is none: no run of the fuzz leaves this machine, and what answers is made up."""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import os
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock

from botocore.exceptions import EndpointConnectionError

from fuzzing.documents import KEY_ARN, broken_copy, public_key
from kms_constructs.cli import material_options
from kms_constructs.runtime import sessions
from kms_constructs.runtime.material.calls import Clients, clients_of
from kms_constructs.runtime.sharing import Party
from tests.runtime.material.fake_kms import FakeKms, RefusalError, stub_client
from tests.runtime.material.samples import SPECS
from tests.runtime.replay import client_error
from tests.runtime.shared_world import DECRYPTS, KEY, OWNER, READER, SHARED, STRANGER, World

_CODES: Final = (
    "AccessDeniedException", "NotFoundException", "KMSInvalidStateException", "IncorrectKeyMaterialException",
    "ExpiredImportTokenException", "LimitExceededException", "ThrottlingException", "ExpiredTokenException",
    "AccessDenied", "NoSuchBucket", "SlowDown", "DryRunOperationException", "Odd\x1b[2J", "",
)  # fmt: skip
_MESSAGES: Final = ("because", "", "\x1b[2J\u202e", "two\nlines", "a" * 3_000)
_FEW: Final = (0, 0, 0, 1, 2)
_CALLS: Final = (
    "put_object", "get_object", "delete_object", "list_object_versions", "decrypt", "describe_key",
    "list_key_policies", "get_key_policy", "list_grants", "list_resource_tags",
    "get_account_authorization_details",
)  # fmt: skip


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """No credentials, no configuration, no way out; pauses take no time."""

    def refuse(_socket: socket.socket, address: object) -> None:
        raise ConnectionRefusedError(f"the fuzz does not reach {address}")

    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    bare |= {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with (
        mock.patch.dict(os.environ, bare, clear=True),
        mock.patch.object(socket.socket, "connect", refuse),
        mock.patch("botocore.endpoint.time.sleep"),
    ):
        yield


# --- KMS, for key material ----------------------------------------------------------------------------------

_clients: dict[str | None, Any] = {}
"""Clients by Region, for to make one takes longer than a run."""
_answering: list[Kms] = []


@dataclass(repr=False)
class Kms(FakeKms):
    """KMS that unwraps nothing, for nobody has the private key, and refuses what it is told to."""

    refusals: dict[str, tuple[str, str]] = field(default_factory=dict)

    def _client(self, region: str | None) -> Any:
        if region not in _clients:
            client = _clients[region] = stub_client(region or "eu-west-1")
            client.meta.events.register("before-send.kms.*", _answer)
        return _clients[region]

    def answer(self, request: Any, **others: object) -> Any:
        """What comes back."""
        return self._answer(request, **others)

    def _key(self, body: dict[str, Any]) -> Any:
        operation = self.calls[-1][0]
        if operation in self.refusals:
            raise RefusalError(*self.refusals[operation])
        return super()._key(body)

    def _GetParametersForImport(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - KMS's name
        key = self._key(body)
        return {
            "KeyId": key.arn,
            "ImportToken": base64.b64encode(b"token").decode(),
            "PublicKey": base64.b64encode(
                public_key(int(body["WrappingKeySpec"].removeprefix("RSA_")))
            ).decode(),
            "ParametersValidTo": 4_070_908_800,
        }

    def _ImportKeyMaterial(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        key = self._key(body)
        material = hashlib.sha256(body["EncryptedKeyMaterial"].encode()).digest()
        if key.had and body.get("ImportType") == "NEW_KEY_MATERIAL":
            key.waits = material
        elif material not in key.had:
            key.had.insert(0, material)
        key.valid_to, key.state = body.get("ValidTo"), "Enabled"
        return {"KeyId": key.arn} | (
            {"KeyMaterialId": key.id_of(material)} if key.spec == "SYMMETRIC_DEFAULT" else {}
        )

    def _ListKeyRotations(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if self._key(body).spec != "SYMMETRIC_DEFAULT":
            raise RefusalError("UnsupportedOperationException")
        return super()._ListKeyRotations(body)


def _answer(request: Any, **others: object) -> Any:
    return _answering[-1].answer(request, **others)


@contextlib.contextmanager
def kms(number: str) -> Iterator[Kms]:
    """An account with one key for imported material, in some state, or with replicas."""
    dice = random.Random(f"kms:{number}")  # noqa: S311 - repeatable on purpose
    found = Kms()
    spec = dice.choice((*["SYMMETRIC_DEFAULT"] * 12, *SPECS, "ODD_SPEC"))
    if dice.random() < 0.2:
        keys = found.add_multi_region("eu-west-1", dice.choice(("us-east-1", "eu-north-1")), spec=spec)
    else:
        keys = []
    keys.append(found.add(spec, arn=KEY_ARN))
    found.aliases["alias/orders"] = keys[0].arn
    for key in keys:
        key.state = dice.choice((*["PendingImport", "Enabled"] * 4, "Disabled", "PendingDeletion", "Od\x1bd"))
        key.origin = dice.choice((*["EXTERNAL"] * 8, "AWS_KMS", "EXTERNAL_KEY_STORE"))
        key.had = [bytes([one]) * 32 for one in range(dice.choice((0, 0, 1, 3)))]
        key.missing = {one for one in key.had if dice.random() < 0.2}
        key.waits = dice.choice((None, None, b"\x09" * 32))
        key.valid_to = dice.choice((None, 4_070_908_800.0, 0.0))
        key.tags = dice.choice((
            {}, {"kms:material-expires": "2099-01-01"}, {"kms:material-expires": "soon\x1b[2J"},
            {"kms:material-expires": "0001-01-01", "a": "b"}, {"kms:material-expires": "9999-12-31"},
        ))  # fmt: skip
    operations = ("DescribeKey", "ListResourceTags", "GetParametersForImport", "ImportKeyMaterial",
                  "ListKeyRotations", "RotateKeyOnDemand", "DeleteImportedKeyMaterial")  # fmt: skip
    if dice.random() < 0.25:
        found.refusals[dice.choice(operations)] = (dice.choice(_CODES), dice.choice(_MESSAGES))
    if dice.random() < 0.1:
        found.faults.append((dice.choice(operations), dice.choice(("lost", "unreachable"))))

    def clients(profile: str | None, region: str | None) -> Clients:
        clients_of(profile, region)  # it refuses what is no Region
        return found.clients()

    _answering.append(found)
    try:
        with (
            mock.patch.object(material_options, "_clients", clients),
            mock.patch("kms_constructs.runtime.material.materials.time.sleep"),
        ):
            yield found
    finally:
        _answering.pop()


# --- two accounts and a stranger ----------------------------------------------------------------------------


@contextlib.contextmanager
def sharing(number: str) -> Iterator[World]:
    """Two accounts that share a key, more or less, and a stranger."""
    dice = random.Random(f"sharing:{number}")  # noqa: S311 - repeatable on purpose
    policy, iam = broken_copy(SHARED, dice, _FEW), copy.deepcopy(DECRYPTS)
    # What is around policies has the form that boto3 gives it.
    for one in iam["RoleDetailList"][0]["RolePolicyList"]:
        one["PolicyDocument"] = broken_copy(one["PolicyDocument"], dice, _FEW)
    world = World(
        policy=policy if isinstance(policy, dict) else {},
        iam={READER: iam},
        used=dice.choice((KEY, KEY, "", "arn:aws:kms:eu-west-1:111122223333:key/\x1b[2J")),
        spoilt=dice.random() < 0.2,
        alone=dice.random() < 0.2,
        raises={
            (dice.choice((OWNER, READER, STRANGER)), dice.choice(_CALLS)): dice.choice(
                (client_error(dice.choice(_CODES)), EndpointConnectionError(endpoint_url="https://\x1b[2J"))
            )
            for _ in range(dice.choice((0, 0, 1, 3)))
        },
    )
    accounts = {"source": OWNER, "target": READER, "outsider": STRANGER}

    def party(name: str, profile: str, region: str) -> Party:
        return (
            sessions_party(name, profile, region) if profile == "odd" else world.party(name, accounts[name])
        )

    sessions_party = sessions.party
    with mock.patch.object(sessions, "party", party):
        yield world
