"""The documents that are broken, by their kind, and files of them."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import fuzz
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fuzzing.texts import is_json, toml, wrecked, written
from kms_constructs.runtime.material.ceremony import PARAMETERS_FORMAT, WRAPPED_FORMAT
from kms_constructs.runtime.material.wrapping import fingerprint
from kms_constructs.sources.kms_api.answers import Answers
from tests.sources.kms_api.build import ACCOUNT, Seed, answers_of, refused
from tests.sources.terraform.plans import made, plan, state

KEY_ARN: Final = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
LATER: Final = "2099-01-01T00:00:00+00:00"


def _plain(policy: dict[str, Any]) -> dict[str, Any]:
    """A policy without functions of CloudFormation."""
    text = re.sub(r"\{[^{}]*\"Fn::[^{}]*\}", f'"arn:aws:iam::{ACCOUNT}:root"', json.dumps(policy))
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def public_key(bits: int = 2048) -> bytes:
    """A public key that belongs to nobody: material can be wrapped under it, and never unwrapped."""
    modulus = int.from_bytes(hashlib.shake_256(b"nobody").digest(bits // 8)) | 1 | 1 << (bits - 1)
    key = rsa.RSAPublicNumbers(65_537, modulus).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


@cache
def documents() -> dict[str, tuple[Any, ...]]:
    """The documents that are broken, by their kind."""
    policies = tuple(map(_plain, (fuzz._HARDENED, fuzz._CONSOLE)))
    key = {"policy": json.dumps(policies[0]), "enable_key_rotation": True, "deletion_window_in_days": 30}
    alias = made("aws_kms_alias.a", {"name": "alias/orders", "target_key_id": "k"})
    seeds = (
        Seed(policy=policies[0], tags={"owner": "payments"}),
        Seed(policy=policies[1], rotation={"KeyRotationEnabled": False}, grants=[
            {"GrantId": "g", "Operations": ["Decrypt"], "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/A"}
        ]),
    )  # fmt: skip
    ceremony = {
        "key": KEY_ARN, "keySpec": "SYMMETRIC_DEFAULT", "wrappingAlgorithm": "RSAES_OAEP_SHA_256",
        "importToken": _text_of(b"token"), "validTo": LATER,
    }  # fmt: skip
    parameters = {
        **ceremony, "wrappingKeySpec": "RSA_2048", "publicKey": _text_of(public_key()),
        "publicKeySha256": fingerprint(public_key()),
    }  # fmt: skip
    wrapped = {**ceremony, "encryptedKeyMaterial": _text_of(b"\1" * 256)}
    return {
        "template": (fuzz._TEMPLATE, fuzz._SECOND),
        "policy": policies,
        "plan": (
            plan(made("aws_kms_key.k", key), alias),
            plan(made("aws_kms_key.k", {"description": "d"}, unknown={"policy": True, "arn": True})),
            state(made("aws_kms_key.k", key), alias),
        ),
        "answers": tuple(json.loads(answers_of(seed).to_text()) for seed in seeds),
        "baseline": (
            {"version": 1, "accepted": [
                {"fingerprint": "0" * 16, "control": "KMS:001", "finding": "KMS:001[enabled]",
                 "resource": "Key", "severity": "medium", "principal": "", "message": "rotation is off"}
            ]},
        ),
        "config": (
            {"minimum-pending-window": 30, "trusted-accounts": [ACCOUNT], "severities": {"KMS:001": "low"}},
        ),
        "organization": (
            {"Version": "2012-10-17", "Statement": [
                {"Sid": "NoDeletion", "Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion",
                 "Resource": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/A*"}}}
            ]},
            {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
        ),
        "last-use": (
            {"reports": [{"name": "last-use", "rows": [
                {"key": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
                 "last_use": "2026-05-31T10:00:00Z"}
            ]}]},
        ),
        "parameters": ({"format": PARAMETERS_FORMAT, "keys": [parameters]},),
        "wrapped": ({"format": WRAPPED_FORMAT, "keys": [wrapped]},),
    }  # fmt: skip


HIDDEN_ANSWERS: Final = {
    "GetKeyPolicy": fuzz._POLICY_CONTROLS,
    "GetKeyRotationStatus": ("KMS:001",),
    "ListResourceTags": ("KMS:008",),
}


@cache
def hidden_answers() -> tuple[tuple[str, Any], ...]:
    """Answers of which one was refused, with the name of its call."""
    found: list[tuple[str, Any]] = []
    for name in HIDDEN_ANSWERS:
        answers: Answers = answers_of(Seed())
        for call in [one for one in answers.given if one.operation == name]:
            answers = refused(answers, call)
        found.append((name, json.loads(answers.to_text())))
    return tuple(found)


def broken(kind: str, dice: random.Random, breaks: Sequence[int] = (0, 1, 1, 2, 3, 4)) -> Any:
    """A document of a kind, broken in some places."""
    return broken_copy(dice.choice(documents()[kind]), dice, breaks)


def broken_copy(seed: Any, dice: random.Random, breaks: Sequence[int] = (0, 1, 1, 2, 3, 4)) -> Any:
    """A copy of a document, broken in some places."""
    document = fuzz._copy(seed)
    everything = tuple(one for several in documents().values() for one in several)
    for _ in range(dice.choice(breaks)):
        places = fuzz._places(document)
        if places:
            node, key = dice.choice(places)
            dice.choice(fuzz._BREAKS)(node, key, dice, everything)
    return document


def file(stem: str, kind: str, dice: random.Random) -> tuple[str, bytes, bool]:
    """A file of a document, and whether nobody could read it."""
    return file_of(stem, broken(kind, dice), kind, dice)


def file_of(stem: str, document: Any, kind: str, dice: random.Random) -> tuple[str, bytes, bool]:
    """A file of this document, its text broken at times, and whether nobody could read it."""
    if kind == "config":
        text = toml(document if isinstance(document, dict) else {})
        content, ending = text.encode("utf-8", "surrogatepass"), ".toml"
    else:
        content, ending = written(document, dice, yaml_too=kind in ("template", "policy"))
    if dice.random() < 0.25:
        content = wrecked(content, dice)
    return f"{stem}{ending}", content, ending == ".json" and not is_json(content)
