"""Keys that `SecureKmsKey` declares, live in an emulator: what they are, and what they do for their users.

Like everywhere in this tier, that a call succeeds shows that it exists and fits the key, not that anybody is
allowed to make it: moto evaluates no key policy.
"""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App

from kms_constructs.model.actions import KeyUsage
from kms_constructs.model.key_specs import KEY_SPECS, using_actions
from kms_constructs.policies.direct_grant import DirectGrant
from tests.cdk.keys import ACCOUNT, REGION, USER, new_key, new_stack
from tests.emulator.cloudformation import Deployed, deploy, synthesized

pytestmark = [pytest.mark.cdk, pytest.mark.emulator]

CREATOR = f"arn:aws:iam::{ACCOUNT}:role/ReportSetup"
REPORT = f"arn:aws:iam::{ACCOUNT}:role/Report"

Kind = tuple[str, KeyUsage]

ENCRYPT = KeyUsage.ENCRYPT_DECRYPT
SIGN = KeyUsage.SIGN_VERIFY
MAC = KeyUsage.GENERATE_VERIFY_MAC

# Key spec and usage, and the algorithm of KMS that the test uses.
LIVE: dict[Kind, str] = {
    ("SYMMETRIC_DEFAULT", ENCRYPT): "SYMMETRIC_DEFAULT",
    ("RSA_2048", SIGN): "RSASSA_PSS_SHA_256",
    ("ECC_NIST_P256", SIGN): "ECDSA_SHA_256",
    ("ECC_NIST_P384", SIGN): "ECDSA_SHA_384",
    ("ECC_NIST_P521", SIGN): "ECDSA_SHA_512",
    ("ECC_SECG_P256K1", SIGN): "ECDSA_SHA_256",
    ("HMAC_224", MAC): "HMAC_SHA_224",
    ("HMAC_256", MAC): "HMAC_SHA_256",
    ("HMAC_384", MAC): "HMAC_SHA_384",
    ("HMAC_512", MAC): "HMAC_SHA_512",
}


def reason(spec: str, usage: KeyUsage) -> str | None:
    """Why moto cannot show such a key; None when it can."""
    if spec.startswith("ML_") or spec == "ECC_NIST_EDWARDS25519":
        return "moto refuses the key spec"
    if usage is KeyUsage.KEY_AGREEMENT:
        return "moto has no DeriveSharedSecret"
    if spec == "SM2":
        return "moto takes an RSA key for it; KMS has it in China alone"
    if spec.startswith("RSA_") and usage is ENCRYPT:
        return "moto encrypts with AES whatever the key spec"
    if spec in ("RSA_3072", "RSA_4096"):
        return "made like RSA_2048, and takes seconds to make"
    return None


ALL: list[Kind] = [(spec.name, usage) for spec in KEY_SPECS.values() for usage in spec.usages]


def test_every_kind_of_key_is_live_or_says_why_not() -> None:
    assert [kind for kind in ALL if reason(*kind) is None] == list(LIVE)


def logical_id(kind: Kind) -> str:
    return f"{kind[0]}{kind[1].value}".replace("_", "")


def alias(kind: Kind) -> str:
    return f"kinds/{kind[0].lower()}"


@pytest.fixture(scope="module")
def kinds(emulator: None) -> Deployed:
    """A key of every kind that moto has, in one stack."""
    app = App(analytics_reporting=False)
    stack = new_stack("Kinds", app)
    for spec, usage in LIVE:
        kind = (spec, usage)
        new_key(
            stack,
            logical_id(kind),
            logical_id=logical_id(kind),
            alias=alias(kind),
            additional_aliases=[f"more/{spec}"],
            key_spec=spec,
            key_usage=usage,
            key_users=[USER],
            owner="data-platform",
            tags={"cost-centre": "42"},
            policy_reviewed_on="2026-11-01",
        )
    return deploy("Kinds", REGION, synthesized(app)["Kinds"])


def ids(kinds: list[Kind]) -> list[str]:
    return [f"{spec}-{usage.value}" for spec, usage in kinds]


@pytest.mark.parametrize("kind", LIVE, ids=ids(list(LIVE)))
def test_the_key_is_what_was_declared(kind: Kind, kinds: Deployed) -> None:
    client, key = kinds.client("kms"), kinds.by_logical_id[logical_id(kind)]
    live = client.describe_key(KeyId=f"alias/{alias(kind)}")["KeyMetadata"]
    wanted = {
        "KeyId": key,
        "Arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key}",
        "KeySpec": kind[0],
        "KeyUsage": kind[1].value,
        "Origin": "AWS_KMS",
        "Description": "Data of the tests",
        "MultiRegion": False,
        "KeyState": "Enabled",
    }
    assert {name: live[name] for name in wanted} == wanted
    rotates = client.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert rotates is KEY_SPECS[kind[0]].rotates
    aliases = {one["AliasName"] for one in client.list_aliases(KeyId=key)["Aliases"]}
    assert aliases == {f"alias/{alias(kind)}", f"alias/more/{kind[0]}"}
    tags = client.list_resource_tags(KeyId=key)["Tags"]
    assert {tag["TagKey"]: tag["TagValue"] for tag in tags} == {
        "environment": "dev",
        "service": "lake",
        "data-classification": "internal",
        "owner": "data-platform",
        "kms:alias": alias(kind),
        "kms:policy-reviewed-on": "2026-11-01",
        "cost-centre": "42",
    }


@pytest.mark.parametrize("kind", ALL, ids=ids(ALL))
def test_what_users_may_do_are_operations_of_kms(kind: Kind, emulator: None) -> None:
    """Two of the actions are permissions alone: ReEncrypt needs the one on each of its keys."""
    operations = set(Deployed("", REGION, {}, {}).client("kms").meta.service_model.operation_names)
    actions = {"ReEncrypt" if one.startswith("ReEncrypt") else one for one in using_actions(*kind)}
    assert actions <= operations


CONTEXT = {"Department": "Finance"}
OTHER_CONTEXT = {"Department": "Sales"}


@pytest.fixture
def symmetric(kinds: Deployed) -> tuple[Any, str]:
    return kinds.client("kms"), f"alias/{alias(('SYMMETRIC_DEFAULT', ENCRYPT))}"


def test_decrypts_under_the_encryption_context_of_encryption_alone(symmetric: tuple[Any, str]) -> None:
    client, key = symmetric
    sealed = client.encrypt(KeyId=key, Plaintext=b"order", EncryptionContext=CONTEXT)["CiphertextBlob"]
    assert client.decrypt(CiphertextBlob=sealed, EncryptionContext=CONTEXT)["Plaintext"] == b"order"
    for wrong in (OTHER_CONTEXT, {}):
        with pytest.raises(client.exceptions.InvalidCiphertextException):
            client.decrypt(CiphertextBlob=sealed, EncryptionContext=wrong)


def test_makes_data_keys(symmetric: tuple[Any, str]) -> None:
    client, key = symmetric
    made = client.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT)
    assert len(made["Plaintext"]) == 32
    opened = client.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert opened["Plaintext"] == made["Plaintext"]
    sealed = client.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_128")
    assert len(client.decrypt(CiphertextBlob=sealed["CiphertextBlob"])["Plaintext"]) == 16


def test_re_encrypts_under_another_encryption_context(symmetric: tuple[Any, str]) -> None:
    client, key = symmetric
    sealed = client.encrypt(KeyId=key, Plaintext=b"order", EncryptionContext=CONTEXT)["CiphertextBlob"]
    again = client.re_encrypt(
        CiphertextBlob=sealed,
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId=key,
        DestinationEncryptionContext=OTHER_CONTEXT,
    )["CiphertextBlob"]
    assert client.decrypt(CiphertextBlob=again, EncryptionContext=OTHER_CONTEXT)["Plaintext"] == b"order"


SIGNING = [kind for kind in LIVE if kind[1] is SIGN]


@pytest.mark.parametrize("kind", SIGNING, ids=ids(SIGNING))
def test_signs_and_verifies(kind: Kind, kinds: Deployed) -> None:
    client = kinds.client("kms")
    how = {"KeyId": f"alias/{alias(kind)}", "SigningAlgorithm": LIVE[kind]}
    signature = client.sign(Message=b"order", **how)["Signature"]
    assert client.verify(Message=b"order", Signature=signature, **how)["SignatureValid"]
    # KMS raises KMSInvalidSignatureException where moto answers.
    assert not client.verify(Message=b"another", Signature=signature, **how)["SignatureValid"]


MACS = [kind for kind in LIVE if kind[1] is MAC]


@pytest.mark.parametrize("kind", MACS, ids=ids(MACS))
def test_makes_and_verifies_macs(kind: Kind, kinds: Deployed) -> None:
    client = kinds.client("kms")
    how = {"KeyId": f"alias/{alias(kind)}", "MacAlgorithm": LIVE[kind]}
    mac = client.generate_mac(Message=b"order", **how)["Mac"]
    assert client.verify_mac(Message=b"order", Mac=mac, **how)["MacValid"]
    with pytest.raises(client.exceptions.KMSInvalidMacException):
        client.verify_mac(Message=b"another", Mac=mac, **how)


def test_a_declared_grant_can_be_made_as_it_is_written_down(emulator: None) -> None:
    app = App(analytics_reporting=False)
    declared = DirectGrant(
        REPORT,
        ["Decrypt", "DescribeKey"],
        created_by=[CREATOR],
        encryption_context_subset=CONTEXT,
        retiring_principal=CREATOR,
    )
    new_key(new_stack("Granting", app), direct_grants=[declared])
    template = synthesized(app)["Granting"]
    live = deploy("Granting", REGION, template)
    client, key = live.client("kms"), live.only("AWS::KMS::Key")
    (resource,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::KMS::Key")
    (written,) = resource["Metadata"]["kms-constructs"]["directGrants"]
    client.create_grant(
        KeyId=key,
        GranteePrincipal=written["grantee"],
        Operations=written["operations"],
        Constraints=written["constraints"],
        RetiringPrincipal=written["retiring"],
    )
    (grant,) = client.list_grants(KeyId=key)["Grants"]
    wanted = {
        "GranteePrincipal": REPORT,
        "RetiringPrincipal": CREATOR,
        "Operations": ["Decrypt", "DescribeKey"],
        "Constraints": {"EncryptionContextSubset": CONTEXT},
    }
    assert {name: grant[name] for name in wanted} == wanted
