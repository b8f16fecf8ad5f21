from __future__ import annotations

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.unknown import Unknown
from kms_constructs.model.vocabulary import KEY_POLICY_FILE
from tests.guardrails.factories import C, N, Said, U, V, a_key, judge, said
from tests.vocabularies import KMS_API

WHY = Unknown("parameter Stage has no default")
WINDOW = "Properties/PendingWindowInDays"
GOOD = Said(C, "", "", "The key is kept when its stack goes, and its pending window is long enough.")
GONE = "the key goes when its stack, or the resource in it, is removed"
REPLACED = "the key goes when an update replaces it"


def deletion(message: str) -> Said:
    return Said(V, "deletion-policy", "DeletionPolicy", f"DeletionPolicy is {message}: {GONE}.")


def replacement(message: str) -> Said:
    return Said(
        V, "update-replace-policy", "UpdateReplacePolicy", f"UpdateReplacePolicy is {message}: {REPLACED}."
    )


def window(outcome: object, message: str) -> Said:
    return Said(outcome, "pending-window", WINDOW, message)  # type: ignore[arg-type]


DELETED = {"deletion_policy": "Delete", "update_replace_policy": "Delete"}
CASES = {
    "kept": (a_key(), [GOOD]),
    "kept, plain Retain": (a_key(deletion_policy="Retain"), [GOOD]),
    "window absent means 30": (a_key(pending_window=None), [GOOD]),
    "development may delete": (a_key(**DELETED, pending_window=7, tags={"Environment": "DEV"}), [GOOD]),
    "absent in development": (
        a_key(deletion_policy=None, update_replace_policy=None, tags={"environment": "sandbox"}),
        [GOOD],
    ),
    "deleted in production": (a_key(**DELETED), [deletion("Delete")]),
    "absent means deleted": (
        a_key(deletion_policy=None, update_replace_policy=None),
        [deletion("absent, which means Delete")],
    ),
    "no update replaces a key": (a_key(update_replace_policy=None), [GOOD]),
    "a replica is deleted in production": (
        a_key(**DELETED, kind=KeyKind.REPLICA),
        [deletion("Delete"), replacement("Delete")],
    ),
    "absent means deleted for a replica": (
        a_key(deletion_policy=None, update_replace_policy=None, kind=KeyKind.REPLICA),
        [deletion("absent, which means Delete"), replacement("absent, which means Delete")],
    ),
    **{
        f"short window in {name}": (
            a_key(pending_window=7, tags={"environment": name}),
            [
                window(
                    V,
                    "The pending window is 7 days; the configuration wants at least 30 in environment "
                    f"{name}.",
                )
            ],
        )
        for name in ("prd", "PROD", "production", "live")
    },
    "no environment": (a_key(deletion_policy="Delete", tags={}), [deletion("Delete")]),
    "no such policy": (
        a_key(deletion_policy="Snapshot", tags={"environment": "dev"}),
        [deletion("Snapshot")],
    ),
    "RetainExceptOnCreate is no update policy": (
        a_key(update_replace_policy="RetainExceptOnCreate", kind=KeyKind.REPLICA),
        [replacement("RetainExceptOnCreate")],
    ),
    "policy unknown": (
        a_key(deletion_policy=WHY),
        [
            Said(
                U,
                "deletion-policy",
                "DeletionPolicy",
                "DeletionPolicy is not known: parameter Stage has no default.",
            )
        ],
    ),
    "deleted, environment unknown": (
        a_key(deletion_policy="Delete", tags={"environment": WHY}),
        [
            Said(
                U,
                "deletion-policy",
                "DeletionPolicy",
                "DeletionPolicy deletes the key, which only short-lived environments may do, and the "
                "environment is not known: parameter Stage has no default.",
            )
        ],
    ),
    "short window in production": (
        a_key(pending_window=29),
        [
            window(
                V,
                "The pending window is 29 days; the configuration wants at least 30 in environment prod.",
            )
        ],
    ),
    "short window elsewhere": (a_key(pending_window=7, tags={"environment": "staging"}), [GOOD]),
    "below what KMS has": (
        a_key(pending_window=6, tags={}),
        [window(V, "The pending window is 6 days; the configuration wants at least 7.")],
    ),
    "above what KMS has": (
        a_key(pending_window=31),
        [window(V, "KMS has no pending window of 31 days.")],
    ),
    "window unknown": (
        a_key(pending_window=WHY),
        [window(U, "The pending window is not known: parameter Stage has no default.")],
    ),
    "short window, tags unknown": (
        a_key(pending_window=14, tags=WHY),
        [
            window(
                U,
                "The pending window is 14 days, too short for production, and whether this is production is "
                "not known: parameter Stage has no default.",
            )
        ],
    ),
    "replicas are judged too": (
        a_key(kind=KeyKind.REPLICA, deletion_policy="Delete"),
        [deletion("Delete")],
    ),
    "live and well": (
        a_key(vocabulary=KMS_API, key_state="Enabled", deletion_policy=None),
        [Said(C, "", "", "The key is not about to be deleted.")],
    ),
    "live and to be deleted": (
        a_key(vocabulary=KMS_API, key_state="PendingDeletion"),
        [Said(V, "pending-deletion", "", "The key is in state PendingDeletion: it will be deleted.")],
    ),
    "policy alone": (
        a_key(vocabulary=KEY_POLICY_FILE),
        [Said(N, "", "", "Not applicable: only the key policy was given.")],
    ),
}


@pytest.mark.parametrize(("key", "expected"), CASES.values(), ids=CASES)
def test_retention(key: Key, expected: list[Said]) -> None:
    assert said(judge("KMS:002", key)) == expected


def test_the_minimum_is_configured() -> None:
    config = GuardrailConfig(minimum_pending_window=20)
    assert said(judge("KMS:002", a_key(pending_window=19, tags={}), config)) == [
        window(V, "The pending window is 19 days; the configuration wants at least 20.")
    ]


def test_short_lived_environments_are_configured() -> None:
    config = GuardrailConfig(ephemeral_environments=("preview",))
    dev = a_key(deletion_policy="Delete", tags={"environment": "dev"})
    preview = a_key(deletion_policy="Delete", tags={"environment": "Preview"})
    assert said(judge("KMS:002", dev, config)) == [deletion("Delete")]
    assert said(judge("KMS:002", preview, config)) == [GOOD]
