"""Material of every kind, in every way it may be written, and the private keys that unwrap it."""

from __future__ import annotations

import hashlib
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kms_constructs.runtime.material.secret import Secret
from kms_constructs.runtime.material.specs import MATERIAL_SPECS, generate

SPECS = sorted(MATERIAL_SPECS)
ACCOUNT = "111122223333"


def key_arn(region: str = "eu-west-1", key_id: str = "1234abcd-12ab-34cd-56ef-1234567890ab") -> str:
    return f"arn:aws:kms:{region}:{ACCOUNT}:key/{key_id}"


@cache
def wrapping_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, bits)


def public_der(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@cache
def material_bytes(key_spec: str) -> bytes:
    """The same material for a whole run."""
    return bytes(generate(MATERIAL_SPECS[key_spec]).view)


def material(key_spec: str) -> Secret:
    return Secret(bytearray(material_bytes(key_spec)))


def unwrap(key: rsa.RSAPrivateKey, algorithm: str, wrapped: bytes) -> bytes:
    """Written out by the text of RFC 8017 and RFC 5649 as KMS does it, not by the code that is tested."""
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label=None)
    if algorithm == "RSAES_OAEP_SHA_256":
        return key.decrypt(wrapped, oaep)
    assert algorithm == "RSA_AES_KEY_WRAP_SHA_256"
    modulus = key.key_size // 8
    aes_key = key.decrypt(wrapped[:modulus], oaep)
    assert len(aes_key) == 32
    return aes_key_unwrap_with_padding(aes_key, wrapped[modulus:])


def random_bytes(count: int) -> bytes:
    """Bytes without any order, and the same in every run: they stand in the names of tests."""
    return hashlib.shake_256(f"{count} bytes".encode()).digest(count)
