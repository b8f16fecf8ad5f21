"""Every key spec that KMS has: which usages it supports and whether it can rotate.

An allow-list: a spec that is not here is refused by the construct and undetermined to the rules.

See: https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html and
https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
"""

from __future__ import annotations

from enum import StrEnum

from kms_constructs.model.actions import KeyUsage
from kms_constructs.model.frozen import Frozen


class Origin(StrEnum):
    """Where the key material comes from (KMS's ``Origin``)."""

    AWS_KMS = "AWS_KMS"
    EXTERNAL = "EXTERNAL"
    AWS_CLOUDHSM = "AWS_CLOUDHSM"
    EXTERNAL_KEY_STORE = "EXTERNAL_KEY_STORE"


MINIMUM_ROTATION_PERIOD_DAYS = 90
MAXIMUM_ROTATION_PERIOD_DAYS = 2560
DEFAULT_ROTATION_PERIOD_DAYS = 365
MINIMUM_PENDING_WINDOW_DAYS = 7
MAXIMUM_PENDING_WINDOW_DAYS = 30
MAXIMUM_KEY_POLICY_BYTES = 32_768


class KeySpec(Frozen, frozen=True):
    """One key spec.

    Args:
        name: KMS's ``KeySpec``.
        usages: The key usages that the spec supports, the default first.
        rotates: Whether automatic rotation exists for it (origin AWS_KMS given).
        has_public_key: Whether it is asymmetric, so that GetPublicKey works.
        data_keys: Whether it generates data keys.
    """

    name: str
    usages: tuple[KeyUsage, ...]
    rotates: bool = False
    has_public_key: bool = True
    data_keys: bool = False


def _table() -> dict[str, KeySpec]:
    encrypt, sign, mac, agree, encapsulate = (
        KeyUsage.ENCRYPT_DECRYPT,
        KeyUsage.SIGN_VERIFY,
        KeyUsage.GENERATE_VERIFY_MAC,
        KeyUsage.KEY_AGREEMENT,
        KeyUsage.ENCAPSULATE_DECAPSULATE,
    )
    specs = [
        KeySpec("SYMMETRIC_DEFAULT", (encrypt,), rotates=True, has_public_key=False, data_keys=True),
        *(KeySpec(f"RSA_{bits}", (encrypt, sign)) for bits in (2048, 3072, 4096)),
        *(KeySpec(f"ECC_NIST_P{bits}", (sign, agree)) for bits in (256, 384, 521)),
        KeySpec("ECC_NIST_EDWARDS25519", (sign,)),
        KeySpec("ECC_SECG_P256K1", (sign,)),
        KeySpec("SM2", (encrypt, sign, agree)),
        *(KeySpec(f"HMAC_{bits}", (mac,), has_public_key=False) for bits in (224, 256, 384, 512)),
        *(KeySpec(f"ML_DSA_{level}", (sign,)) for level in (44, 65, 87)),
        *(KeySpec(f"ML_KEM_{level}", (encapsulate,)) for level in (512, 768, 1024)),
    ]
    return {spec.name: spec for spec in specs}


KEY_SPECS: dict[str, KeySpec] = _table()
"""Every key spec by name."""


def can_rotate(spec: str, origin: str) -> bool:
    """Whether KMS rotates such a key automatically: symmetric encryption keys made by KMS, and no other.

    Raises:
        KeyError: The spec is not in `KEY_SPECS`.
    """
    return KEY_SPECS[spec].rotates and origin == Origin.AWS_KMS


def producing_actions(spec: str, usage: KeyUsage) -> tuple[str, ...]:
    """What the write side may do with such a key: encrypt, sign, make a MAC, encapsulate; and DescribeKey.

    Raises:
        KeyError: The spec is not in `KEY_SPECS`.
    """
    found = KEY_SPECS[spec]
    if usage is KeyUsage.ENCRYPT_DECRYPT:
        data_keys = (
            "GenerateDataKey",
            "GenerateDataKeyPair",
            "GenerateDataKeyPairWithoutPlaintext",
            "GenerateDataKeyWithoutPlaintext",
        )
        names = ("Encrypt", "ReEncryptTo", *(data_keys if found.data_keys else ()))
    else:
        names = {
            KeyUsage.SIGN_VERIFY: ("Sign",),
            KeyUsage.GENERATE_VERIFY_MAC: ("GenerateMac",),
            KeyUsage.KEY_AGREEMENT: ("DeriveSharedSecret",),
            KeyUsage.ENCAPSULATE_DECAPSULATE: ("Encapsulate",),
        }[usage]
    return _with_reads(found, names)


def consuming_actions(spec: str, usage: KeyUsage) -> tuple[str, ...]:
    """What the read side may do with such a key: decrypt, verify, decapsulate; and DescribeKey.

    Raises:
        KeyError: The spec is not in `KEY_SPECS`.
    """
    names = {
        KeyUsage.ENCRYPT_DECRYPT: ("Decrypt", "ReEncryptFrom"),
        KeyUsage.SIGN_VERIFY: ("Verify",),
        KeyUsage.GENERATE_VERIFY_MAC: ("VerifyMac",),
        KeyUsage.KEY_AGREEMENT: ("DeriveSharedSecret",),
        KeyUsage.ENCAPSULATE_DECAPSULATE: ("Decapsulate",),
    }[usage]
    return _with_reads(KEY_SPECS[spec], names)


def using_actions(spec: str, usage: KeyUsage) -> tuple[str, ...]:
    """What a key user may do with such a key: both sides together, sorted."""
    return tuple(sorted({*producing_actions(spec, usage), *consuming_actions(spec, usage)}))


def _with_reads(spec: KeySpec, names: tuple[str, ...]) -> tuple[str, ...]:
    reads = ("DescribeKey", "GetPublicKey") if spec.has_public_key else ("DescribeKey",)
    return tuple(sorted({*names, *reads}))
