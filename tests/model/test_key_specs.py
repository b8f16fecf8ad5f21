"""The table of key specs, held against the KMS API's own enumerations."""

from __future__ import annotations

import botocore.session
import pytest

from kms_constructs.model.actions import ACTIONS, ActionClass, KeyUsage
from kms_constructs.model.key_specs import (
    DEFAULT_ROTATION_PERIOD_DAYS,
    KEY_SPECS,
    MAXIMUM_ROTATION_PERIOD_DAYS,
    MINIMUM_ROTATION_PERIOD_DAYS,
    Origin,
    can_rotate,
    consuming_actions,
    producing_actions,
    using_actions,
)

ENCRYPT = KeyUsage.ENCRYPT_DECRYPT
SIGN = KeyUsage.SIGN_VERIFY
MAC = KeyUsage.GENERATE_VERIFY_MAC
AGREE = KeyUsage.KEY_AGREEMENT
ENCAPSULATE = KeyUsage.ENCAPSULATE_DECAPSULATE

# Every spec with its usages, the default first, written out by hand from the developer guide.
USAGES = {
    "SYMMETRIC_DEFAULT": (ENCRYPT,),
    "RSA_2048": (ENCRYPT, SIGN),
    "RSA_3072": (ENCRYPT, SIGN),
    "RSA_4096": (ENCRYPT, SIGN),
    "ECC_NIST_P256": (SIGN, AGREE),
    "ECC_NIST_P384": (SIGN, AGREE),
    "ECC_NIST_P521": (SIGN, AGREE),
    "ECC_NIST_EDWARDS25519": (SIGN,),
    "ECC_SECG_P256K1": (SIGN,),
    "SM2": (ENCRYPT, SIGN, AGREE),
    "HMAC_224": (MAC,),
    "HMAC_256": (MAC,),
    "HMAC_384": (MAC,),
    "HMAC_512": (MAC,),
    "ML_DSA_44": (SIGN,),
    "ML_DSA_65": (SIGN,),
    "ML_DSA_87": (SIGN,),
    "ML_KEM_512": (ENCAPSULATE,),
    "ML_KEM_768": (ENCAPSULATE,),
    "ML_KEM_1024": (ENCAPSULATE,),
}
WITHOUT_PUBLIC_KEY = {"SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"}

SYMMETRIC_WRITE = (
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptTo",
)
SYMMETRIC_READ = ("Decrypt", "DescribeKey", "ReEncryptFrom")
PUBLIC_ENCRYPT_WRITE = ("DescribeKey", "Encrypt", "GetPublicKey", "ReEncryptTo")
PUBLIC_ENCRYPT_READ = ("Decrypt", "DescribeKey", "GetPublicKey", "ReEncryptFrom")
SIGNERS = ("DescribeKey", "GetPublicKey", "Sign")
VERIFIERS = ("DescribeKey", "GetPublicKey", "Verify")
MAC_MAKERS = ("DescribeKey", "GenerateMac")
MAC_CHECKERS = ("DescribeKey", "VerifyMac")
AGREEING = ("DeriveSharedSecret", "DescribeKey", "GetPublicKey")
ENCAPSULATING = ("DescribeKey", "Encapsulate", "GetPublicKey")
DECAPSULATING = ("Decapsulate", "DescribeKey", "GetPublicKey")

_BOTH_SIDES = {
    SIGN: (SIGNERS, VERIFIERS),
    MAC: (MAC_MAKERS, MAC_CHECKERS),
    AGREE: (AGREEING, AGREEING),
    ENCAPSULATE: (ENCAPSULATING, DECAPSULATING),
    ENCRYPT: (PUBLIC_ENCRYPT_WRITE, PUBLIC_ENCRYPT_READ),
}
SIDES = {(spec, usage): _BOTH_SIDES[usage] for spec, usages in USAGES.items() for usage in usages}
SIDES["SYMMETRIC_DEFAULT", ENCRYPT] = (SYMMETRIC_WRITE, SYMMETRIC_READ)


@pytest.fixture(scope="module")
def kms():
    return botocore.session.get_session().get_service_model("kms")


@pytest.mark.parametrize(
    ("shape", "known"),
    [
        pytest.param("KeySpec", set(KEY_SPECS), id="key specs"),
        pytest.param("KeyUsageType", {str(usage) for usage in KeyUsage}, id="key usages"),
        pytest.param("OriginType", {str(origin) for origin in Origin}, id="origins"),
    ],
)
def test_the_api_has_these_and_no_others(kms, shape: str, known: set[str]) -> None:
    assert set(kms.shape_for(shape).enum) == known


def test_the_bounds_of_the_rotation_period_are_those_of_the_api(kms) -> None:
    period = kms.shape_for("RotationPeriodInDaysType").metadata

    assert (period["min"], period["max"]) == (MINIMUM_ROTATION_PERIOD_DAYS, MAXIMUM_ROTATION_PERIOD_DAYS)
    assert period["min"] <= DEFAULT_ROTATION_PERIOD_DAYS <= period["max"]


def test_every_spec_has_the_usages_that_are_written_here() -> None:
    assert {name: spec.usages for name, spec in KEY_SPECS.items()} == USAGES


def test_a_spec_has_a_public_key_unless_it_is_symmetric() -> None:
    assert {name for name, spec in KEY_SPECS.items() if not spec.has_public_key} == WITHOUT_PUBLIC_KEY


def test_only_symmetric_encryption_keys_generate_data_keys() -> None:
    assert [name for name, spec in KEY_SPECS.items() if spec.data_keys] == ["SYMMETRIC_DEFAULT"]


def test_only_symmetric_encryption_keys_that_kms_made_rotate() -> None:
    rotating = [(spec, origin) for spec in KEY_SPECS for origin in Origin if can_rotate(spec, origin)]

    assert rotating == [("SYMMETRIC_DEFAULT", Origin.AWS_KMS)]


@pytest.mark.parametrize(("spec", "usage"), SIDES, ids=[f"{spec} {usage}" for spec, usage in SIDES])
def test_both_sides_of_every_spec_and_usage(spec: str, usage: KeyUsage) -> None:
    write, read = SIDES[spec, usage]

    assert producing_actions(spec, usage) == write
    assert consuming_actions(spec, usage) == read
    assert using_actions(spec, usage) == tuple(sorted({*write, *read}))


@pytest.mark.parametrize(("spec", "usage"), SIDES, ids=[f"{spec} {usage}" for spec, usage in SIDES])
def test_a_user_gets_reads_and_cryptography_of_the_usage_and_nothing_else(spec: str, usage: KeyUsage) -> None:
    used = [ACTIONS[name] for name in using_actions(spec, usage)]

    assert {action.classification for action in used} == {ActionClass.READ, ActionClass.CRYPTOGRAPHIC}
    assert all(
        usage in action.usages for action in used if action.classification is ActionClass.CRYPTOGRAPHIC
    )


@pytest.mark.parametrize("function", [producing_actions, consuming_actions, using_actions])
def test_a_spec_that_is_not_listed_is_refused(function) -> None:
    with pytest.raises(KeyError, match="RSA_8192"):
        function("RSA_8192", ENCRYPT)
