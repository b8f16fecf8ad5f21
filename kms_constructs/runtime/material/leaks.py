"""Key material where it must not be: in arguments and in the environment."""

from __future__ import annotations

import binascii
import hmac
import os
import re
from collections.abc import Iterable, Mapping, Sequence

from kms_constructs.errors import MaterialError
from kms_constructs.runtime.material.secret import Secret

_HEX = re.compile(r"[0-9A-Fa-f]{56,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{36,}={0,2}")


def check_unexposed(
    material: Secret, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> None:
    """Refuses material that stands in the arguments or the environment of this process.

    Raises:
        MaterialError: It is there, in hexadecimal or base64.
    """
    for name, text in (
        *(("the arguments", one) for one in arguments),
        *((f"the environment variable {name}", value) for name, value in (environment or {}).items()),
    ):
        if any(hmac.compare_digest(one, material.view) for one in _decoded(text)):
            raise MaterialError(
                "key material",
                f"it stands in {name}, where other processes, histories and crash reports have it",
                "make new material, and hand it over in a file of mode 0600 or a pipe",
            )


def _decoded(text: str) -> Iterable[bytes]:
    for token in _HEX.findall(text):
        if len(token) % 2 == 0:
            yield binascii.unhexlify(token)
    for token in _BASE64.findall(text):
        plain = token.translate(str.maketrans("-_", "+/")).rstrip("=")
        try:
            yield binascii.a2b_base64(plain + "=" * (-len(plain) % 4))
        except binascii.Error:
            continue


_LENGTHS = (28, 32, 48, 64)
"""Bytes of symmetric and HMAC material."""
_UNPADDED = 64


def looks_secret(text: str) -> bool:
    """Whether a text has the form of key material: hexadecimal or base64 of a key's length, or PEM."""
    if "-----BEGIN" in text:
        return True
    bare = text.strip()
    if bare.startswith("alias/"):
        return False
    if re.fullmatch(r"[0-9A-Fa-f]+", bare):
        return len(bare) in {2 * length for length in _LENGTHS}
    if not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", bare) or len(bare) % 4:
        return False
    # Without padding, of 48 bytes, it may be the name of a file as well.
    padded = bare.endswith("=") or (len(bare) == _UNPADDED and not os.path.lexists(bare))
    return padded and len(bare) * 3 // 4 - bare.count("=") in _LENGTHS
