from __future__ import annotations

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.unknown import Unknown
from kms_constructs.model.vocabulary import KEY_POLICY_FILE
from tests.guardrails.factories import C, N, Said, U, V, a_key, judge, said

WHY = Unknown("parameter Spec has no default")
ENABLED, PERIOD = "Properties/EnableKeyRotation", "Properties/RotationPeriodInDays"
GOOD = Said(C, "", "", "The key rotates often enough.")
OFF = Said(V, "enabled", ENABLED, "Automatic rotation is off.")
ABSENT = Said(V, "enabled", ENABLED, "Automatic rotation is not set, and KMS's default is off.")


def none(reason: str) -> Said:
    return Said(N, "", "", f"Not applicable: {reason}.")


CASES = {
    "on, default period": (a_key(), GOOD),
    "on, at the ceiling": (a_key(rotation_period=365), GOOD),
    "on, spec unknown: if it could not rotate, KMS would refuse it": (a_key(key_spec=WHY), GOOD),
    "off": (a_key(rotation_enabled=False), OFF),
    "absent": (a_key(rotation_enabled=None), ABSENT),
    "above the ceiling": (
        a_key(rotation_period=366),
        Said(V, "period", PERIOD, "The key rotates every 366 days; the configuration allows at most 365."),
    ),
    "below what KMS has": (
        a_key(rotation_period=89),
        Said(V, "period", PERIOD, "KMS has no rotation period of 89 days."),
    ),
    "above what KMS has": (
        a_key(rotation_period=2561),
        Said(V, "period", PERIOD, "KMS has no rotation period of 2561 days."),
    ),
    "period unknown": (
        a_key(rotation_period=WHY),
        Said(U, "period", PERIOD, "The rotation period is not known: parameter Spec has no default."),
    ),
    "switch unknown": (
        a_key(rotation_enabled=WHY),
        Said(U, "enabled", ENABLED, "Whether the key rotates is not known: parameter Spec has no default."),
    ),
    "off and spec unknown": (
        a_key(rotation_enabled=False, key_spec=WHY),
        Said(
            U,
            "key-spec",
            ENABLED,
            "The key does not rotate, and whether it could is not known: parameter Spec has no default.",
        ),
    ),
    "off and origin unknown": (
        a_key(rotation_enabled=None, origin=WHY),
        Said(
            U,
            "key-spec",
            ENABLED,
            "The key does not rotate, and whether it could is not known: parameter Spec has no default.",
        ),
    ),
    "a spec nobody knows": (
        a_key(key_spec="QUANTUM_1"),
        Said(
            U,
            "key-spec",
            "Properties/KeySpec",
            "Key spec 'QUANTUM_1' is not one that these rules know, nor whether it rotates.",
        ),
    ),
    "RSA": (
        a_key(key_spec="RSA_4096", rotation_enabled=None),
        none("KMS does not rotate RSA_4096 keys automatically"),
    ),
    "HMAC": (
        a_key(key_spec="HMAC_256", rotation_enabled=None),
        none("KMS does not rotate HMAC_256 keys automatically"),
    ),
    "imported": (
        a_key(origin="EXTERNAL", rotation_enabled=None),
        none("KMS does not rotate key material of origin EXTERNAL automatically"),
    ),
    "custom key store": (
        a_key(origin="AWS_CLOUDHSM", rotation_enabled=None),
        none("KMS does not rotate key material of origin AWS_CLOUDHSM automatically"),
    ),
    "replica": (
        a_key(kind=KeyKind.REPLICA, rotation_enabled=None),
        none("a replica key rotates with its primary key, where rotation is set"),
    ),
    "policy alone": (a_key(vocabulary=KEY_POLICY_FILE), none("only the key policy was given")),
}


@pytest.mark.parametrize(("key", "expected"), CASES.values(), ids=CASES)
def test_rotation(key: Key, expected: Said) -> None:
    assert said(judge("KMS:001", key)) == [expected]


@pytest.mark.parametrize(("period", "expected"), [(90, C), (91, V)])
def test_the_ceiling_is_configured(period: int, expected: object) -> None:
    found = judge("KMS:001", a_key(rotation_period=period), GuardrailConfig(rotation_period_ceiling=90))
    assert [finding.outcome for finding in found] == [expected]
