"""What material a key spec takes: how long, or which kind of private key; and making and checking it.

An allow-list: KMS's other specs (SM2, ML-DSA, ML-KEM) are refused, for how their material is written is not
known here.

See: https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-conceptual.html
"""

from __future__ import annotations

import binascii
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from kms_constructs.errors import MaterialError
from kms_constructs.runtime.material.secret import Secret, kept_quiet

MOST_BYTES = 16_384
"""More than the longest material there is, an RSA 4096 private key in PEM, needs."""

_PUBLIC_EXPONENT = 65_537
_PEM_BEGIN = b"-----BEGIN"
_PRINTABLE = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\r\n")


class TextEncoding(StrEnum):
    """How material is written where it comes from."""

    RAW = "raw"
    HEX = "hex"
    BASE64 = "base64"


@dataclass(frozen=True, slots=True)
class MaterialSpec:
    """The material of one key spec.

    Args:
        key_spec: KMS's ``KeySpec``.
        length: Its length in bytes, for symmetric and HMAC keys; None for private keys.
        key_name: The private key in words: ``RSA private key of 2048 bits``.
        matches: Whether a private key is of that kind.
        make: Makes a private key of that kind.
    """

    key_spec: str
    length: int | None = None
    key_name: str = ""
    matches: Callable[[object], bool] = lambda _: False
    make: Callable[[], Any] = lambda: None

    @property
    def asymmetric(self) -> bool:
        """Whether the material is a private key."""
        return self.length is None

    @property
    def several(self) -> bool:
        """Whether a key of the spec can have several materials, and so be rotated."""
        return self.key_spec == "SYMMETRIC_DEFAULT"

    @property
    def wanted(self) -> str:
        """What is wanted, in words."""
        return f"{self.length} bytes" if self.length is not None else f"an {self.key_name}"


def _rsa(bits: int) -> MaterialSpec:
    return MaterialSpec(
        f"RSA_{bits}",
        key_name=f"RSA private key of {bits} bits",
        matches=lambda key: isinstance(key, rsa.RSAPrivateKey) and key.key_size == bits,
        make=lambda: rsa.generate_private_key(_PUBLIC_EXPONENT, bits),
    )


def _curve(key_spec: str, curve: ec.EllipticCurve) -> MaterialSpec:
    return MaterialSpec(
        key_spec,
        key_name=f"EC private key on {curve.name}",
        matches=lambda key: isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == curve.name,
        make=lambda: ec.generate_private_key(curve),
    )


MATERIAL_SPECS: dict[str, MaterialSpec] = {
    spec.key_spec: spec
    for spec in (
        MaterialSpec("SYMMETRIC_DEFAULT", length=32),
        *(MaterialSpec(f"HMAC_{bits}", length=bits // 8) for bits in (224, 256, 384, 512)),
        *map(_rsa, (2048, 3072, 4096)),
        _curve("ECC_NIST_P256", ec.SECP256R1()),
        _curve("ECC_NIST_P384", ec.SECP384R1()),
        _curve("ECC_NIST_P521", ec.SECP521R1()),
        _curve("ECC_SECG_P256K1", ec.SECP256K1()),
        MaterialSpec(
            "ECC_NIST_EDWARDS25519",
            key_name="Ed25519 private key",
            matches=lambda key: isinstance(key, ed25519.Ed25519PrivateKey),
            make=ed25519.Ed25519PrivateKey.generate,
        ),
    )
}
"""The specs for which material is wrapped, by name."""


def material_spec(key_spec: str, region: str) -> MaterialSpec:
    """The material of a key spec.

    Raises:
        MaterialError: Material of the spec is not wrapped here.

    Example:
        >>> material_spec("HMAC_384", "eu-west-1").wanted
        '48 bytes'
    """
    if region.startswith("cn-"):
        raise MaterialError(
            key_spec,
            "material for keys of the China Regions follows other rules (SM2, SM4)",
            "import it with the console of those Regions",
        )
    found = MATERIAL_SPECS.get(key_spec)
    if found is None:
        raise MaterialError(
            key_spec,
            "material of this key spec is not wrapped here",
            f"use a key of one of the specs {', '.join(MATERIAL_SPECS)}",
        )
    return found


def generate(spec: MaterialSpec) -> Secret:
    """New material: random bytes, or a private key as PKCS#8 in DER."""
    return Secret.random(spec.length) if spec.length is not None else _pkcs8(spec.make())


def checked(
    spec: MaterialSpec, given: Secret, encoding: TextEncoding = TextEncoding.RAW, *, where: str
) -> Secret:
    """The material as KMS takes it: bytes of the right length, or PKCS#8 in DER.

    Args:
        spec: What the key takes.
        given: The material as it came; it is left as it is.
        encoding: How it is written; PEM is known by itself.
        where: Where it came from, for errors.

    Raises:
        MaterialError: It has the wrong length or type, or is text where bytes are wanted.

    Example:
        >>> checked(MATERIAL_SPECS["HMAC_256"], Secret.random(16), where="key.bin")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        kms_constructs.errors.MaterialError: key.bin: it holds 16 bytes, and a key of spec HMAC_256 takes ...
    """
    plain = _decoded(given, encoding, where)
    if plain is None:
        return _private_key(spec, given, where) if spec.asymmetric else _bytes(spec, given, where)
    with plain:
        return _private_key(spec, plain, where) if spec.asymmetric else _bytes(spec, plain, where)


def _decoded(given: Secret, encoding: TextEncoding, where: str) -> Secret | None:
    """What a text stands for; None when there is nothing to decode."""
    if encoding is TextEncoding.RAW:
        return None

    def decode() -> Secret:
        if encoding is TextEncoding.HEX:
            return Secret(bytearray(binascii.unhexlify(bytes(given.view).strip())))
        return Secret(bytearray(binascii.a2b_base64(b"".join(bytes(given.view).split()), strict_mode=True)))

    decoded: Secret = kept_quiet(
        where, f"it is no {encoding}", "say with --encoding how it is written", decode, ValueError
    )
    return decoded


def _bytes(spec: MaterialSpec, plain: Secret, where: str) -> Secret:
    view = plain.view
    text = bool(view) and all(byte in _PRINTABLE for byte in view)
    if len(view) != spec.length:
        raise MaterialError(
            where,
            f"it holds {len(view)} bytes{' of text' if text else ''}, "
            f"and a key of spec {spec.key_spec} takes {spec.wanted}",
            _SAY_HOW if text else _THE_BYTES,
        )
    if text:
        # Random bytes look so once in 10^12, and hexadecimal digits have half of their strength.
        raise MaterialError(where, "its bytes are text, not the random bytes of a key", _SAY_HOW)
    if _is_private_key(view):
        # That of Ed25519 has 48 bytes, as the material of HMAC_384 has.
        raise MaterialError(where, "it is a private key, not the random bytes of a key", _THE_BYTES)
    if len(set(view)) == 1:
        raise MaterialError(where, "all its bytes are the same", "give random bytes")
    return Secret(bytearray(view))


def _is_private_key(view: memoryview) -> bool:
    try:
        load_der_private_key(view, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


_SAY_HOW = "say with --encoding hex or --encoding base64 how it is written, or give random bytes"
_THE_BYTES = "give the very bytes of the key, neither encrypted nor with anything around them"


def _private_key(spec: MaterialSpec, plain: Secret, where: str) -> Secret:
    view = plain.view
    load = load_pem_private_key if bytes(view[: len(_PEM_BEGIN)]) == _PEM_BEGIN else load_der_private_key
    key = kept_quiet(
        where,
        f"it is no unencrypted private key in PKCS#8, and a key of spec {spec.key_spec} takes {spec.wanted}",
        "export the key as PKCS#8, DER or PEM, without a passphrase: openssl pkcs8 -topk8 -nocrypt",
        lambda: load(view, None),
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
    )
    if not spec.matches(key):
        raise MaterialError(
            where,
            f"it holds {_named(key)}, and a key of spec {spec.key_spec} takes {spec.wanted}",
            "give the private key that belongs to this KMS key",
        )
    return _pkcs8(key)


def _named(key: object) -> str:
    for spec in MATERIAL_SPECS.values():
        if spec.matches(key):
            return f"an {spec.key_name}"
    if isinstance(key, rsa.RSAPrivateKey):
        return f"an RSA private key of {key.key_size} bits"
    return "a private key of another kind"


def _pkcs8(key: Any) -> Secret:  # noqa: ANN401 - of one of several classes without a common one
    return Secret(bytearray(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())))
