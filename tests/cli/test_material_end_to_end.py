"""The commands against an emulator that unwraps: what it then encrypts, signs, authenticates is checked.

Not checked there, for it does not know it: expiry, other material, types of import, rotation.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from tests import ministack
from tests.cli import conftest
from tests.cli.conftest import Done
from tests.runtime.material.samples import SPECS, material_bytes

ACCOUNT = "111122223333"
USAGES = {
    "SYMMETRIC": "ENCRYPT_DECRYPT",
    "HMAC": "GENERATE_VERIFY_MAC",
    "RSA": "SIGN_VERIFY",
    "ECC": "SIGN_VERIFY",
}
MESSAGE = b"what the orders say"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ministack.MiniStack]:
    with ministack.running(tmp_path_factory.mktemp("ministack")) as one:
        yield one


class Run(Protocol):
    """Runs the command, in this process: the runbook is run in processes of its own."""

    def __call__(self, *arguments: str, code: int = 0) -> Done: ...


@pytest.fixture
def run(emulator: ministack.MiniStack, run: conftest.Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    monkeypatch.setenv("AWS_REGION", ministack.REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")

    def go(*arguments: str, code: int = 0) -> Done:
        done = run(*arguments)
        assert done.code == code, done.out + done.err
        assert "Traceback" not in done.err
        return done

    return go


def make(emulator: ministack.MiniStack, spec: str, **more: Any) -> str:
    made = emulator.client("kms").create_key(
        Origin="EXTERNAL", KeySpec=spec, KeyUsage=USAGES[spec.partition("_")[0]], **more
    )  # fmt: skip
    assert made["KeyMetadata"]["KeyState"] == "PendingImport"
    return str(made["KeyMetadata"]["Arn"])


def secret_file(name: str, data: bytes) -> str:
    Path(name).write_bytes(data)
    Path(name).chmod(0o600)
    return name


def check_use(client: Any, key: str, spec: str, data: bytes) -> None:
    """That the key works with this very material: by its own computation here."""
    if spec == "SYMMETRIC_DEFAULT":
        # So does this emulator make the id of a material.
        text = f"ministack:kms:key-material-id:{key.rpartition('/')[2]}".encode()
        made = client.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
        assert made == hmac.digest(data, text, "sha256").hex()
        ciphertext = client.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
        assert client.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == MESSAGE
    elif spec.startswith("HMAC"):
        digest = f"sha{spec.removeprefix('HMAC_')}"
        made = client.generate_mac(KeyId=key, Message=MESSAGE, MacAlgorithm=f"HMAC_SHA_{digest[3:]}")["Mac"]
        assert made == hmac.digest(data, MESSAGE, digest)
    elif spec.startswith("RSA"):
        private = load_der_private_key(data, None)
        made = client.sign(KeyId=key, Message=MESSAGE, SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")[
            "Signature"
        ]
        assert made == private.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())  # type: ignore[union-attr, call-arg, arg-type]
    elif spec.startswith("ECC"):
        private = load_der_private_key(data, None)
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        public = client.get_public_key(KeyId=key)["PublicKey"]
        assert public == private.public_key().public_bytes(*form)
        if isinstance(private, ec.EllipticCurvePrivateKey):
            algorithm = {"P384": "ECDSA_SHA_384", "P521": "ECDSA_SHA_512"}.get(spec[-4:], "ECDSA_SHA_256")
            made = client.sign(KeyId=key, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]
            digest = {"384": hashes.SHA384(), "512": hashes.SHA512()}.get(algorithm[-3:], hashes.SHA256())
            load_der_public_key(public).verify(made, MESSAGE, ec.ECDSA(digest))  # type: ignore[union-attr, call-arg, arg-type]


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"])
@pytest.mark.parametrize("spec", SPECS)
def test_the_key_works_with_the_very_material(
    emulator: ministack.MiniStack, run: Run, spec: str, algorithm: str
) -> None:
    if algorithm.startswith("RSAES") and spec.startswith("RSA"):
        pytest.skip("RSA private keys are too long for OAEP")
    client, key, data = emulator.client("kms"), make(emulator, spec), material_bytes(spec)
    done = run(
        "material", "import", key, "--valid-for", "30", "--wrapping-algorithm", algorithm,
        "--wrapping-key-spec", "RSA_3072", "--from-file", secret_file("in.key", data),
    )  # fmt: skip
    assert done.out.startswith(f"Imported into {key}: ")
    described = client.describe_key(KeyId=key)["KeyMetadata"]
    assert (described["KeyState"], described["ExpirationModel"]) == ("Enabled", "KEY_MATERIAL_EXPIRES")
    check_use(client, key, spec, data)


def test_what_was_encrypted_is_decrypted_after_delete_and_import_and_with_no_other_material(
    emulator: ministack.MiniStack,
    run: Run,
) -> None:
    client, key = emulator.client("kms"), make(emulator, "SYMMETRIC_DEFAULT")
    tag = {"TagKey": "kms:material-expires", "TagValue": "2999-01-01"}
    client.tag_resource(KeyId=key, Tags=[tag])
    secret_file("in.key", material_bytes("SYMMETRIC_DEFAULT"))
    late = run("material", "import", key, "--from-file", "in.key", code=2)
    assert "at most 365 days ahead" in late.err
    client.untag_resource(KeyId=key, TagKeys=[tag["TagKey"]])
    take = ("material", "import", key, "--never-expires", "--from-file")
    run(*take, "in.key")
    ciphertext = client.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
    run("material", "delete", key, "--confirm", key.rpartition("/")[2])
    status = run("material", "status", key, "--fail-within", "1", code=1)
    assert "PendingImport, no material can be used" in status.out
    with pytest.raises(client.exceptions.KMSInvalidStateException):
        client.decrypt(CiphertextBlob=ciphertext, KeyId=key)
    run(*take, "in.key")
    assert client.decrypt(CiphertextBlob=ciphertext, KeyId=key)["Plaintext"] == MESSAGE
    # The emulator takes other material, which KMS would not: what it then reads is something else, so that
    # the equality above is one of the material.
    run("material", "delete", key, "--confirm", key.rpartition("/")[2])
    run(*take, secret_file("other.key", material_bytes("HMAC_256")))
    assert client.decrypt(CiphertextBlob=ciphertext, KeyId=key)["Plaintext"] != MESSAGE


def test_two_keys_with_the_same_material_make_the_same_mac(emulator: ministack.MiniStack, run: Run) -> None:
    client = emulator.client("kms")
    first, second = make(emulator, "HMAC_512"), make(emulator, "HMAC_512")
    run("material", "import", first, "--valid-for", "9", "--generate", "--save", "made.key")
    run("material", "import", second, "--valid-for", "9", "--from-file", "made.key")
    for key in (first, second):
        check_use(client, key, "HMAC_512", Path("made.key").read_bytes())


def test_a_ceremony_and_a_replica(emulator: ministack.MiniStack, run: Run) -> None:
    client, key = emulator.client("kms"), make(emulator, "SYMMETRIC_DEFAULT", MultiRegion=True)
    secret_file("in.key", material_bytes("SYMMETRIC_DEFAULT"))
    run("material", "parameters", key, "-o", "parameters.json")
    run("material", "wrap", "parameters.json", "--from-file", "in.key", "-o", "wrapped.json")
    run("material", "upload", "wrapped.json", "--valid-for", "9")
    client.replicate_key(KeyId=key, ReplicaRegion="us-east-1")
    run("material", "import", key, "--valid-for", "9", "--from-file", "in.key", "--all-replicas")
    ciphertext = client.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
    elsewhere = emulator.client("kms", region="us-east-1")
    replica = key.replace(ministack.REGION, "us-east-1")
    assert elsewhere.decrypt(CiphertextBlob=ciphertext, KeyId=replica)["Plaintext"] == MESSAGE
    status = run("material", "status", replica)
    assert f"{key}\n  SYMMETRIC_DEFAULT, primary: Enabled" in status.out
    assert f"{replica}\n  SYMMETRIC_DEFAULT, replica: Enabled" in status.out


def test_an_emulator_that_refuses_the_type_is_never_asked(emulator: ministack.MiniStack, run: Run) -> None:
    key = make(emulator, "ECC_NIST_P256")
    done = run(
        "material", "import", key, "--valid-for", "9",
        "--from-file", secret_file("in.key", material_bytes("ECC_NIST_P384")), code=2,
    )  # fmt: skip
    assert "it holds an EC private key on secp384r1, and a key of spec ECC_NIST_P256 takes" in done.err
    assert emulator.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingImport"
