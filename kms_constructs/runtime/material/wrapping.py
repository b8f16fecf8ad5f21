"""Wraps material under a public key, as KMS unwraps it.

``RSAES_OAEP_SHA_256`` encrypts the material itself with RSA. ``RSA_AES_KEY_WRAP_SHA_256`` encrypts an AES key
of 256 bits so, and wraps the material under that with AES key wrap with padding (RFC 5649): the one that fits
private keys, which are too long for RSA.

See: https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-encrypt-key-material.html
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from kms_constructs.errors import MaterialError
from kms_constructs.model.reading import bounded_bytes
from kms_constructs.runtime.material.secret import Secret, kept_quiet
from kms_constructs.runtime.material.specs import MaterialSpec

_AES_KEY_BYTES = 32
_OAEP_OVERHEAD_BYTES = 2 * 32 + 2
"""What OAEP with SHA-256 leaves no room for."""


class WrappingAlgorithm(StrEnum):
    """KMS's algorithms, but for those with SHA-1, PKCS#1 v1.5 and SM2."""

    RSAES_OAEP_SHA_256 = "RSAES_OAEP_SHA_256"
    RSA_AES_KEY_WRAP_SHA_256 = "RSA_AES_KEY_WRAP_SHA_256"


class WrappingKeySpec(StrEnum):
    """The public keys under which KMS lets material be wrapped."""

    RSA_2048 = "RSA_2048"
    RSA_3072 = "RSA_3072"
    RSA_4096 = "RSA_4096"

    @property
    def bits(self) -> int:
        """Length of the modulus."""
        return int(self.value.removeprefix("RSA_"))


def algorithm_for(
    spec: MaterialSpec, algorithm: WrappingAlgorithm | None, wrapping_key: WrappingKeySpec
) -> WrappingAlgorithm:
    """The algorithm that was chosen, or the one that AWS documents for the material.

    Raises:
        MaterialError: KMS refuses the material under this algorithm.

    Example:
        >>> from kms_constructs.runtime.material.specs import MATERIAL_SPECS
        >>> algorithm_for(MATERIAL_SPECS["RSA_2048"], None, WrappingKeySpec.RSA_4096).value
        'RSA_AES_KEY_WRAP_SHA_256'
    """
    both = WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_256
    if algorithm is None:
        return both if spec.asymmetric else WrappingAlgorithm.RSAES_OAEP_SHA_256
    too_long = spec.key_spec.startswith("RSA_") or (
        spec.key_spec == "ECC_NIST_P521" and wrapping_key is WrappingKeySpec.RSA_2048
    )
    if algorithm is WrappingAlgorithm.RSAES_OAEP_SHA_256 and too_long:
        raise MaterialError(
            algorithm,
            f"the material of a {spec.key_spec} key is too long for it under an {wrapping_key} key",
            f"use {both}",
        )
    return algorithm


def public_key_of(der: bytes, where: str) -> rsa.RSAPublicKey:
    """The RSA public key in a SubjectPublicKeyInfo.

    Raises:
        MaterialError: It is none, or one that is no wrapping key of KMS.
    """
    key = kept_quiet(
        where,
        "the public key cannot be read",
        "ask for new parameters with kms-constructs material parameters",
        lambda: load_der_public_key(der),
        ValueError,
        UnsupportedAlgorithm,
    )
    if not isinstance(key, rsa.RSAPublicKey) or f"RSA_{key.key_size}" not in list(WrappingKeySpec):
        raise MaterialError(
            where,
            "the public key is no RSA key of 2048, 3072 or 4096 bits",
            "ask for new parameters with kms-constructs material parameters",
        )
    return key


def public_key_from_pem(file: Path) -> rsa.RSAPublicKey:
    """The RSA public key in a PEM file.

    Raises:
        MaterialError: It cannot be read, or is no RSA public key of 2048, 3072 or 4096 bits.
    """
    where = f"--save-under {file}"
    try:
        key = load_pem_public_key(bounded_bytes(file))
    except OSError as error:
        raise MaterialError(where, f"it cannot be read: {error.strerror}", "check its name") from error
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPublicKey) or f"RSA_{key.key_size}" not in list(WrappingKeySpec):
        raise MaterialError(
            where,
            "it is no RSA public key of 2048, 3072 or 4096 bits in PEM",
            "openssl rsa -pubout writes the public key of a private key",
        )
    return key


def fingerprint(public_key: bytes) -> str:
    """SHA-256 of a public key, for people to compare: hexadecimal, in groups of four.

    Example:
        >>> fingerprint(b"")[:14]
        'e3b0 c442 98fc'
    """
    digest = hashlib.sha256(public_key).hexdigest()
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))


def wrap(material: Secret, public_key: rsa.RSAPublicKey, algorithm: WrappingAlgorithm, where: str) -> bytes:
    """The material, wrapped.

    Raises:
        MaterialError: It is too long for the algorithm.
    """
    if algorithm is WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_256:
        with Secret.random(_AES_KEY_BYTES) as aes_key:
            return _encrypt(public_key, aes_key) + aes_key_wrap_with_padding(aes_key.view, material.view)
    room = public_key.key_size // 8 - _OAEP_OVERHEAD_BYTES
    if len(material) > room:
        raise MaterialError(
            where,
            f"the material has {len(material)} bytes, and {algorithm} has room for {room}",
            f"use {WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_256}",
        )
    return _encrypt(public_key, material)


def _encrypt(public_key: rsa.RSAPublicKey, secret: Secret) -> bytes:
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label=None)
    # The library takes nothing but bytes: a copy that nobody can overwrite, for the length of this call.
    return public_key.encrypt(bytes(secret.view), oaep)
