"""Material of the wrong length or type is refused before anything is sent, whatever way it is written."""

from __future__ import annotations

import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from kms_constructs.errors import MaterialError
from kms_constructs.model.key_specs import KEY_SPECS
from kms_constructs.runtime.material.secret import Secret
from kms_constructs.runtime.material.specs import (
    MATERIAL_SPECS,
    TextEncoding,
    checked,
    generate,
    material_spec,
)
from tests.runtime.material.samples import SPECS, material_bytes, random_bytes

LENGTHS = {
    "SYMMETRIC_DEFAULT": 32, "HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64,
}  # fmt: skip
PLAIN = NoEncryption()


def check(spec: str, data: bytes, encoding: TextEncoding = TextEncoding.RAW) -> bytes:
    return bytes(checked(MATERIAL_SPECS[spec], Secret(bytearray(data)), encoding, where="given").view)


def test_what_is_not_taken_is_known() -> None:
    assert set(KEY_SPECS) - set(SPECS) == {
        "SM2", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87", "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024",
    }  # fmt: skip


@pytest.mark.parametrize("spec", ["SM2", "ML_DSA_65", "ML_KEM_768", "RSA_8192"])
def test_another_spec_is_refused(spec: str) -> None:
    with pytest.raises(MaterialError, match=f"{spec}: material of this key spec is not wrapped here"):
        material_spec(spec, "eu-west-1")


def test_the_china_regions_are_refused() -> None:
    with pytest.raises(MaterialError, match="China"):
        material_spec("SYMMETRIC_DEFAULT", "cn-north-1")


@pytest.mark.parametrize("spec", SPECS)
def test_what_is_made_is_taken(spec: str) -> None:
    with generate(MATERIAL_SPECS[spec]) as made:
        assert check(spec, bytes(made.view)) == bytes(made.view)


@pytest.mark.parametrize(("spec", "length"), LENGTHS.items())
def test_the_length_is_the_one_of_the_spec(spec: str, length: int) -> None:
    data = random_bytes(length)
    assert check(spec, data) == data
    for wrong in {0, 1, length - 1, length + 1, 2 * length}:
        with pytest.raises(MaterialError, match=rf"given: it holds {wrong} bytes.* takes {length} bytes"):
            check(spec, random_bytes(wrong))


@pytest.mark.parametrize(("spec", "length"), LENGTHS.items())
def test_text_stands_for_bytes_when_it_is_said(spec: str, length: int) -> None:
    data = random_bytes(length)
    assert check(spec, data.hex().encode() + b"\n", TextEncoding.HEX) == data
    assert check(spec, data.hex().upper().encode(), TextEncoding.HEX) == data
    assert check(spec, base64.b64encode(data) + b"\r\n", TextEncoding.BASE64) == data


@pytest.mark.parametrize(
    ("spec", "data", "encoding", "problem"),
    [
        pytest.param("HMAC_512", b"0123456789abcdef" * 4, "raw", "its bytes are text", id="hex as bytes"),
        pytest.param("HMAC_256", b"correct horse battery staple 123", "raw", "are text", id="a passphrase"),
        pytest.param("HMAC_256", bytes(32), "raw", "all its bytes are the same", id="zeros"),
        pytest.param("HMAC_256", b"\xff" * 32, "raw", "all its bytes are the same", id="ones"),
        pytest.param("HMAC_256", b"ab" * 32, "raw", "64 bytes of text.*--encoding", id="hex of the length"),
        pytest.param("HMAC_256", b"abc", "hex", "it is no hex", id="odd hex"),
        pytest.param("HMAC_256", b"zz" * 32, "hex", "it is no hex", id="not hex"),
        pytest.param("HMAC_256", b"****", "base64", "it is no base64", id="not base64"),
        pytest.param("HMAC_256", b"", "base64", "it holds 0 bytes", id="nothing"),
    ],
)
def test_what_is_no_key_is_refused(spec: str, data: bytes, encoding: str, problem: str) -> None:
    with pytest.raises(MaterialError, match=problem) as caught:
        check(spec, data, TextEncoding(encoding))
    if data:
        assert data.decode("latin-1") not in str(caught.value)


def test_a_private_key_of_the_right_length_is_no_material_of_a_mac() -> None:
    assert len(material_bytes("ECC_NIST_EDWARDS25519")) == LENGTHS["HMAC_384"]
    with pytest.raises(MaterialError, match="it is a private key, not the random bytes of a key"):
        check("HMAC_384", material_bytes("ECC_NIST_EDWARDS25519"))


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec not in LENGTHS])
@pytest.mark.parametrize("given", [spec for spec in SPECS if spec not in LENGTHS])
def test_a_private_key_of_another_kind_is_refused(spec: str, given: str) -> None:
    data = material_bytes(given)
    if spec == given:
        assert check(spec, data) == data
        return
    wanted, found = (re.escape(MATERIAL_SPECS[one].wanted) for one in (spec, given))
    with pytest.raises(MaterialError, match=f"it holds {found}, and a key of spec {spec} takes {wanted}"):
        check(spec, data)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec not in LENGTHS])
def test_every_way_to_write_a_private_key_comes_to_the_same(spec: str) -> None:
    data = material_bytes(spec)
    key = load_der_private_key(data, None)
    formats = [PrivateFormat.PKCS8]
    if spec != "ECC_NIST_EDWARDS25519":
        formats.append(PrivateFormat.TraditionalOpenSSL)
    for format_ in formats:
        for encoding in (Encoding.DER, Encoding.PEM):
            assert check(spec, key.private_bytes(encoding, format_, PLAIN)) == data
    assert check(spec, base64.b64encode(data), TextEncoding.BASE64) == data


RSA_KEY = rsa.generate_private_key(65_537, 2048)
SHORT_KEY = rsa.generate_private_key(65_537, 1024)  # noqa: S505 - that is the point


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"", "is no unencrypted private key", id="empty"),
        pytest.param(random_bytes(300), "is no unencrypted private key", id="noise"),
        pytest.param(
            RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
            "is no unencrypted private key",
            id="with a passphrase",
        ),
        pytest.param(
            RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "is no unencrypted private key",
            id="a public key",
        ),
        pytest.param(material_bytes("RSA_2048")[:-5], "is no unencrypted private key", id="cut off"),
        pytest.param(
            ed448.Ed448PrivateKey.generate().private_bytes(Encoding.DER, PrivateFormat.PKCS8, PLAIN),
            "a private key of another kind",
            id="Ed448",
        ),
        pytest.param(
            ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, PLAIN),
            "an EC private key on secp256r1",
            id="EC",
        ),
        pytest.param(
            SHORT_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, PLAIN),
            "an RSA private key of 1024 bits",
            id="a short RSA key",
        ),
    ],
)
def test_what_is_not_the_private_key_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(MaterialError, match=problem):
        check("RSA_2048", data)
