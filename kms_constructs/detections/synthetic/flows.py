"""What happens every day: who calls what on which key, as texts in which little is left to fill in.

A text is rendered once and filled in for every event, so that a million of them take seconds.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping

from kms_constructs.detections.synthetic import records
from kms_constructs.detections.synthetic.records import Record, record
from kms_constructs.detections.synthetic.world import (
    KIND_HMAC,
    KIND_SIGNING,
    Caller,
    SampleKey,
    TrailOptions,
    World,
)
from kms_constructs.model.frozen import Frozen

_SESSION, _TIME, _ADDRESS, _REQUEST, _EVENT, _SHARED = (f"\x00{name}\x00" for name in "stareh")

PCR = "3b4f5a1c09de72" * 6 + "a1b2c3d4e5f6"
"""A measurement of an enclave: 96 hexadecimal digits."""

_USES = {
    KIND_SIGNING: ("Sign", "Verify", "GetPublicKey", "DescribeKey"),
    KIND_HMAC: ("GenerateMac", "VerifyMac", "DescribeKey"),
}
_SYMMETRIC_USES = ("Decrypt", "GenerateDataKey", "Encrypt", "GenerateDataKeyWithoutPlaintext", "DescribeKey")
_VERSIONS = ("1.11", "1.11", "1.10", "1.08", "1.09", "1.11", "1.05")
_WRITES = frozenset({"Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"})


class Flow(Frozen, frozen=True):
    """One thing that happens again and again.

    Args:
        texts: A text for each account that records it, with its account and Region: two for a call across
            accounts.
        sessions: Names of sessions, one of which goes into the text; empty when it has no place for one.
        addresses: Where it comes from.
        shared: Whether the texts have a place for the id that they share.
        caller: ARN of the caller or name of the service.
        key: ARN of the key; empty without one.
        event: Name of the call.
    """

    texts: tuple[tuple[str, str, str], ...]
    sessions: tuple[str, ...]
    addresses: tuple[str, ...]
    shared: bool
    caller: str
    key: str
    event: str


def build_flows(world: World, options: TrailOptions, rng: random.Random) -> list[Flow]:
    """Every flow, those that happen most come first."""
    found = [flow for number, caller in enumerate(world.callers) for flow in _of(caller, number, world, rng)]
    found += [flow for name in options.services for flow in _of_service(name, world, rng)]
    if len(world.accounts) > 1:
        found += list(_across(world, rng))
    rng.shuffle(found)
    # Incidents need keys that are in much use, whatever the options.
    first, second = world.callers[0], world.callers[len(world.accounts)]
    busy = (
        _call("Decrypt", caller, key, rng)
        for caller, key in zip((first, first, second), world.busy, strict=True)
    )
    return [*busy, *found]


def _of(caller: Caller, number: int, world: World, rng: random.Random) -> Iterator[Flow]:
    own = [key for key in world.keys if key.account == caller.account]
    for key in rng.sample(own, min(len(own), 1 + number % 3)):
        names = _USES.get(key.kind, _SYMMETRIC_USES)
        for name in names[: 2 + number % 3]:
            yield _call(name, caller, key, rng)
        if key.kind in _USES or caller.is_user:
            continue
        if number % 4 == 0:
            yield _call("Decrypt", caller, key, rng, through=("AWS Internal", "s3"))
        elif number % 4 == 2:
            yield _call(
                "Decrypt", caller, key, rng, through=("secretsmanager.amazonaws.com", "secretsmanager")
            )
        if number % 10 == 0:
            yield _enclave(caller, key, rng)
        if number % 6 == 0:
            yield _s3_write(caller, key, rng)
        others = [one for one in own if one.kind not in _USES and one.region == key.region and one != key]
        if others and number % 5 == 0:
            yield _re_encrypt(caller, key, others[0], rng)
    if number % 4 == 1:
        yield _keyless(("ListAliases", "ListKeys", "GenerateRandom")[number % 3], caller, own[0].region, rng)


def _call(
    name: str, caller: Caller, key: SampleKey, rng: random.Random, through: tuple[str, str] | None = None
) -> Flow:
    """A call with a key. Named by ARN, by id or by alias, as callers do."""
    by: Record = _identity(caller)
    if through is not None:
        by["invokedBy"] = through[0]
    named = (key.arn, key.key_id, key.alias)[0 if name == "Decrypt" else rng.randrange(3)]
    parameters: dict[str, object] = {"keyId": named}
    if name in _WRITES | {"Decrypt"}:
        parameters |= {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"} if name in ("Decrypt", "Encrypt") else {}
        parameters["encryptionContext"] = _context(caller, key, through)
    if name.startswith("GenerateDataKey"):
        parameters["keySpec"] = "AES_256"
    if name in ("Sign", "Verify"):
        parameters |= {"messageType": "RAW", "signingAlgorithm": "ECDSA_SHA_256"}
    address = (through[0],) if through is not None else caller.addresses
    endpoint: Record = {"vpcEndpointId": caller.endpoint} if caller.endpoint and through is None else {}
    made = _blank(name, by, key, rng, parameters, key.arn, **endpoint)
    return _flow([made], caller.arn, key.arn, name, address, caller=caller)


def _context(caller: Caller, key: SampleKey, through: tuple[str, str] | None) -> dict[str, str]:
    if through is None:
        return {"application": caller.name, "table": key.alias.rpartition("/")[2]}
    if through[1] == "s3":
        return {"aws:s3:arn": f"arn:aws:s3:::{caller.name}-data"}
    return {
        "SecretARN": f"arn:aws:secretsmanager:{key.region}:{key.account}:secret:{caller.name}-AbCdEf",
        "SecretVersionId": records.identifier(random.Random(caller.name)),  # noqa: S311 - a label
    }


def _re_encrypt(caller: Caller, key: SampleKey, other: SampleKey, rng: random.Random) -> Flow:
    parameters = {
        "sourceKeyId": key.arn,
        "sourceEncryptionContext": {"application": caller.name},
        "sourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "destinationKeyId": other.arn,
        "destinationEncryptionContext": {"application": caller.name, "moved": "yes"},
        "destinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }
    endpoint: Record = {"vpcEndpointId": caller.endpoint} if caller.endpoint else {}
    by = _identity(caller)
    made = _blank("ReEncrypt", by, key, rng, parameters, key.arn, other.arn, **endpoint)
    return _flow([made], caller.arn, key.arn, "ReEncrypt", caller.addresses, caller=caller)


def _enclave(caller: Caller, key: SampleKey, rng: random.Random) -> Flow:
    endpoint: Record = {"vpcEndpointId": caller.endpoint} if caller.endpoint else {}
    parameters = {"keyId": key.arn, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    by = _identity(caller)
    made = _blank(
        "Decrypt", by, key, rng, parameters, key.arn, additionalEventData=recipient(PCR), **endpoint
    )
    return _flow([made], caller.arn, key.arn, "Decrypt", caller.addresses, caller=caller)


def recipient(measured: str) -> dict[str, object]:
    """What a call from an enclave tells of it."""
    prefix = "attestationDocument"
    pcrs = {f"{prefix}EnclavePCR{number}": measured for number in (1, 2)}
    return {
        "recipient": {
            f"{prefix}ModuleId": "i-0123456789abcdef0-enc0123456789abcde1",
            f"{prefix}EnclaveImageDigest": measured,
            **pcrs,
        }
    }


def _s3_write(caller: Caller, key: SampleKey, rng: random.Random) -> Flow:
    """A data event of S3; the trail that it stands in records them."""
    made = _blank("PutObject", _identity(caller), key, rng, s3_parameters(caller.name, key.arn))
    made |= {"resources": s3_resources(caller.name, key.account), "eventCategory": "Data"}
    made |= {"eventSource": "s3.amazonaws.com", "managementEvent": False, "eventVersion": "1.11"}
    return _flow([made], caller.arn, key.arn, "PutObject", caller.addresses, caller=caller)


def s3_parameters(bucket: str, key: str) -> dict[str, object]:
    """The request of a write with server-side encryption under a key."""
    return {
        "bucketName": f"{bucket}-data",
        "Host": f"{bucket}-data.s3.amazonaws.com",
        "key": "orders/2026.parquet",
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": key,
    }


def s3_resources(bucket: str, account: str) -> list[dict[str, str]]:
    """The object and its bucket, with the bucket's owner."""
    arn = f"arn:aws:s3:::{bucket}-data"
    return [
        {"type": "AWS::S3::Object", "ARN": f"{arn}/orders/2026.parquet"},
        {"accountId": account, "type": "AWS::S3::Bucket", "ARN": arn},
    ]


def _keyless(name: str, caller: Caller, region: str, rng: random.Random) -> Flow:
    nowhere = SampleKey(caller.account, region, "", "", "")
    endpoint: Record = {"vpcEndpointId": caller.endpoint} if caller.endpoint else {}
    parameters = {"numberOfBytes": 32} if name == "GenerateRandom" else None
    made = _blank(name, _identity(caller), nowhere, rng, parameters, **endpoint)
    return _flow([made], caller.arn, "", name, caller.addresses, caller=caller)


def _of_service(name: str, world: World, rng: random.Random) -> Iterator[Flow]:
    """A service on its own behalf; KMS tells no ARN of it."""
    usable = [key for key in world.keys if key.kind not in _USES]
    for key in rng.sample(usable, min(2, len(usable))):
        for event in ("GenerateDataKey", "Decrypt"):
            parameters = {
                "keyId": key.arn,
                "encryptionContext": {
                    f"aws:{name.partition('.')[0]}:arn": f"arn:aws:x:{key.region}:{key.account}:y"
                },
            }
            made = _blank(event, records.service(name), key, rng, parameters, key.arn)
            made |= {"userAgent": name, "sharedEventID": _SHARED}
            yield _flow([made], name, key.arn, event, (name,), shared=True)


def _across(world: World, rng: random.Random) -> Iterator[Flow]:
    """A role that uses a key of another account: each account records it in its own way."""
    for caller in [one for one in world.callers if not one.is_user][:3]:
        others = [one for one in world.keys if one.account != caller.account and one.kind not in _USES]
        key = rng.choice(others)
        parameters = {"keyId": key.arn, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
        endpoint: Record = {"vpcEndpointId": caller.endpoint} if caller.endpoint else {}
        seen = {**endpoint, "sharedEventID": _SHARED}
        mine = _blank("Decrypt", _identity(caller), key, rng, parameters, key.arn, **seen)
        mine["recipientAccountId"] = caller.account
        by = records.stranger(caller.account, caller.name)
        theirs = _blank("Decrypt", by, key, rng, parameters, key.arn, **seen)
        yield _flow(
            [mine, theirs], caller.arn, key.arn, "Decrypt", caller.addresses, shared=True, caller=caller
        )


def _identity(caller: Caller) -> Record:
    if caller.is_user:
        return records.user(caller.account, caller.name)
    return records.role(caller.account, caller.name, _SESSION)


def _blank(
    name: str,
    by: Record,
    key: SampleKey,
    rng: random.Random,
    parameters: Mapping[str, object] | None,
    *keys: str,
    **further: object,
) -> Record:
    return record(
        name,
        by=by,
        account=key.account,
        region=key.region,
        at=_TIME,
        address=_ADDRESS,
        event_id=_EVENT,
        request_id=_REQUEST,
        parameters=parameters,
        keys=keys,
        version=rng.choice(_VERSIONS),
        read_only=True,
        **further,  # type: ignore[arg-type]
    )


def _flow(
    made: list[Record],
    who: str,
    key: str,
    event: str,
    addresses: tuple[str, ...],
    *,
    shared: bool = False,
    caller: Caller | None = None,
) -> Flow:
    sessions: tuple[str, ...] = ()
    if caller is not None and not caller.is_user:
        labels = random.Random(caller.arn)  # noqa: S311 - names of sessions, no secret
        sessions = tuple(f"{labels.getrandbits(64):016x}" for _ in range(4))
    texts = tuple((_text(one), str(one["recipientAccountId"]), str(one["awsRegion"])) for one in made)
    return Flow(texts, sessions, addresses, shared, who, key, event)


def _text(made: Record) -> str:
    """The record with ``%(…)s`` where something is filled in."""
    text = json.dumps(made, separators=(",", ":")).replace("%", "%%")
    for mark in (_SESSION, _TIME, _ADDRESS, _REQUEST, _EVENT, _SHARED):
        text = text.replace(json.dumps(mark)[1:-1], f"%({mark[1]})s")
    return text
