"""KMS at the other end of the wire: it unwraps, refuses other material, and fails when it is told to.

It answers what botocore would have sent, after serialisation, signing and logging, so that retries and logs
are the real ones. Permissions and everything else that the tests do not ask for is left out.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError

from kms_constructs.runtime.material.calls import ATTEMPTS, Clients
from tests.runtime.material.samples import key_arn, public_der, unwrap, wrapping_key


@dataclass(repr=False)
class FakeKey:
    arn: str
    spec: str = "SYMMETRIC_DEFAULT"
    state: str = "PendingImport"
    origin: str = "EXTERNAL"
    tags: dict[str, str] = field(default_factory=dict)
    primary: str | None = None
    replicas: tuple[str, ...] = ()
    had: list[bytes] = field(default_factory=list)
    """Every material that it was given, the current first, the waiting last."""
    waits: bytes | None = None
    missing: set[bytes] = field(default_factory=set)
    valid_to: float | None = None
    parameters: tuple[str, int, bytes] | None = None
    """Algorithm, bits and token of the last parameters."""

    def id_of(self, material: bytes) -> str:
        return hashlib.sha256(self.arn.rpartition("/")[2].encode() + material).hexdigest()


class _Raw:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.data


class RefusalError(Exception):
    def __init__(self, code: str, message: str = "because") -> None:
        self.code = code
        self.message = message


@dataclass(repr=False)
class FakeKms:
    """All Regions of one account."""

    keys: dict[str, FakeKey] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Operation and what happens to its next call: an error code, `lost` after it was done, `unreachable`."""

    def add(self, spec: str = "SYMMETRIC_DEFAULT", *, arn: str = "", **rest: Any) -> FakeKey:
        key = FakeKey(arn or key_arn(), spec, **rest)
        self.keys[key.arn] = key
        return key

    def add_multi_region(self, *regions: str, spec: str = "SYMMETRIC_DEFAULT") -> list[FakeKey]:
        arns = [key_arn(region, "mrk-1234abcd12ab34cd56ef1234567890ab") for region in regions]
        return [self.add(spec, arn=arn, primary=arns[0], replicas=tuple(arns[1:])) for arn in arns]

    def clients(self) -> Clients:
        return Clients(self._client)

    def _client(self, region: str | None) -> Any:
        client = stub_client(region or "eu-west-1")
        client.meta.events.register("before-send.kms.*", self._answer)
        return client

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def sent(self, operation: str) -> list[dict[str, Any]]:
        return [request for name, request in self.calls if name == operation]

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        body = json.loads(request.body)
        self.calls.append((operation, body))
        fault = next((one for one in self.faults if one[0] == operation), None)
        if fault is not None:
            self.faults.remove(fault)
        kind = fault[1] if fault else ""
        if kind == "unreachable":
            raise ConnectionClosedError(endpoint_url=request.url)
        try:
            if kind not in {"", "lost"}:
                raise RefusalError(kind)
            answer = getattr(self, f"_{operation}")(body)
        except RefusalError as error:
            return _response(400, {"__type": error.code, "message": error.message})
        if kind == "lost":
            raise ConnectionClosedError(endpoint_url=request.url)
        return _response(200, answer)

    def _key(self, body: dict[str, Any]) -> FakeKey:
        name = self.aliases.get(body["KeyId"], body["KeyId"])
        if name not in self.keys:
            raise RefusalError("NotFoundException")
        return self.keys[name]

    def _DescribeKey(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - KMS's name
        key = self._key(body)
        metadata: dict[str, Any] = {
            "Arn": key.arn,
            "KeyId": key.arn.rpartition("/")[2],
            "KeySpec": key.spec,
            "KeyState": key.state,
            "Origin": key.origin,
            "MultiRegion": key.primary is not None,
        }
        if key.state == "Enabled":
            metadata["ExpirationModel"] = (
                "KEY_MATERIAL_EXPIRES" if key.valid_to else "KEY_MATERIAL_DOES_NOT_EXPIRE"
            )
            if key.valid_to:
                metadata["ValidTo"] = key.valid_to
        if key.primary:
            metadata["MultiRegionConfiguration"] = {
                "MultiRegionKeyType": "PRIMARY" if key.arn == key.primary else "REPLICA",
                "PrimaryKey": {"Arn": key.primary, "Region": key.primary.split(":")[3]},
                "ReplicaKeys": [{"Arn": arn, "Region": arn.split(":")[3]} for arn in key.replicas],
            }
        return {"KeyMetadata": metadata}

    def _ListResourceTags(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        pairs = sorted(self._key(body).tags.items())
        start = int(body.get("Marker", "0"))
        tags = [{"TagKey": name, "TagValue": value} for name, value in pairs[start : start + 1]]
        more = start + 1 < len(pairs)
        return {"Tags": tags, "Truncated": more} | ({"NextMarker": str(start + 1)} if more else {})

    def _GetParametersForImport(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        key = self._key(body)
        bits = int(body["WrappingKeySpec"].removeprefix("RSA_"))
        key.parameters = (body["WrappingAlgorithm"], bits, f"token {len(self.calls)}".encode())
        return {
            "KeyId": key.arn,
            "ImportToken": base64.b64encode(key.parameters[2]).decode(),
            "PublicKey": base64.b64encode(public_der(wrapping_key(bits))).decode(),
            "ParametersValidTo": (datetime.now(UTC) + timedelta(hours=24)).timestamp(),
        }

    def _ImportKeyMaterial(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        key = self._key(body)
        assert key.parameters is not None
        algorithm, bits, token = key.parameters
        if base64.b64decode(body["ImportToken"]) != token:
            raise RefusalError("InvalidImportTokenException")
        try:
            material = unwrap(wrapping_key(bits), algorithm, base64.b64decode(body["EncryptedKeyMaterial"]))
        except ValueError:
            raise RefusalError("InvalidCiphertextException") from None
        self._take(key, material, body)
        key.valid_to = body.get("ValidTo")
        if not key.missing:
            key.state = "Enabled"
        return {"KeyId": key.arn} | (
            {"KeyMaterialId": key.id_of(material)} if key.spec == "SYMMETRIC_DEFAULT" else {}
        )

    def _take(self, key: FakeKey, material: bytes, body: dict[str, Any]) -> None:
        kind = body.get("ImportType") or ("EXISTING_KEY_MATERIAL" if key.had else "NEW_KEY_MATERIAL")
        source = self.keys[key.primary] if key.primary else key
        known = [*source.had, *([source.waits] if source.waits else []), *key.had]
        if key.spec != "SYMMETRIC_DEFAULT":
            if known and material not in known:
                raise RefusalError("IncorrectKeyMaterialException")
            key.had, key.missing = [material], set()
            return
        pinned = body.get("KeyMaterialId")
        if pinned and pinned != key.id_of(material):
            raise RefusalError("IncorrectKeyMaterialException")
        if kind == "EXISTING_KEY_MATERIAL":
            if material not in known:
                raise RefusalError("IncorrectKeyMaterialException")
            if material == source.waits and key is not source:
                key.waits = material
            elif material not in key.had and material != key.waits:
                key.had.append(material)
            key.missing.discard(material)
        elif material in known or key.arn != source.arn or (key.had and key.waits):
            raise RefusalError("IncorrectKeyMaterialException")
        elif key.had:
            key.waits = material
        else:
            key.had.append(material)

    def _ListKeyRotations(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        key = self._key(body)
        assert key.spec == "SYMMETRIC_DEFAULT"
        assert body["IncludeKeyMaterial"] == "ALL_KEY_MATERIAL"
        entries = [
            {
                "KeyId": key.arn,
                "KeyMaterialId": key.id_of(one),
                "KeyMaterialState": "CURRENT" if index == 0 else "NON_CURRENT",
                "ImportState": "PENDING_IMPORT" if one in key.missing else "IMPORTED",
            }
            for index, one in enumerate(key.had)
        ]
        if key.waits:
            everywhere = all(self.keys[arn].waits == key.waits for arn in key.replicas)
            state = "PENDING_ROTATION" if everywhere else "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
            entries.append(
                {
                    "KeyId": key.arn,
                    "KeyMaterialId": key.id_of(key.waits),
                    "KeyMaterialState": state,
                    "ImportState": "IMPORTED",
                }
            )
        start = int(body.get("Marker", "0"))
        more = start + 1 < len(entries)
        return {"Rotations": entries[start : start + 1], "Truncated": more} | (
            {"NextMarker": str(start + 1)} if more else {}
        )

    def _RotateKeyOnDemand(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        key = self._key(body)
        if not key.waits or any(self.keys[arn].waits != key.waits for arn in key.replicas):
            raise RefusalError("KMSInvalidStateException")
        for one in [key, *(self.keys[arn] for arn in key.replicas)]:
            assert one.waits is not None
            one.had.insert(0, one.waits)
            one.waits = None
        return {"KeyId": key.arn}

    def _DeleteImportedKeyMaterial(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        key = self._key(body)
        wanted = body.get("KeyMaterialId")
        found = next((one for one in key.had if wanted in {None, key.id_of(one)}), None)
        if found is None:
            raise RefusalError("NotFoundException")
        key.missing.add(found)
        key.state, key.valid_to = "PendingImport", None
        return {"KeyId": key.arn} | (
            {"KeyMaterialId": key.id_of(found)} if key.spec == "SYMMETRIC_DEFAULT" else {}
        )


def _response(status: int, body: dict[str, Any]) -> AWSResponse:
    headers = {"x-amzn-requestid": "test", "content-type": "application/x-amz-json-1.1"}
    return AWSResponse("https://kms.test/", status, headers, _Raw(json.dumps(body).encode()))


def stub_client(region: str = "eu-west-1") -> Any:
    """A client with credentials that are none; it has a wire when somebody gives it one."""
    session = boto3.Session("testing", "testing", region_name=region)
    return session.client("kms", config=Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS}))
