"""Unpacks what is packed with gzip, within bounds."""

from __future__ import annotations

import zlib
from typing import Final

from kms_constructs.runtime.trail.sources import UnreadableError

_MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 31
"""Asks zlib for gzip, and checks its sum."""


def unpacked(content: bytes, limit: int) -> bytes:
    """The content of a file, whether it is packed or not: its first bytes tell.

    Args:
        content: As stored.
        limit: Bytes that it may be, unpacked.

    Raises:
        UnreadableError: It is torn or damaged, or larger than the limit.

    Example:
        >>> import gzip
        >>> unpacked(gzip.compress(b"{}"), 100)
        b'{}'
    """
    if not content.startswith(_MAGIC):
        if len(content) > limit:
            raise too_large(limit)
        return content
    parts: list[bytes] = []
    size = 0
    # A gzip file may be several, one behind the other; zeros behind the last are padding.
    while rest := content.lstrip(b"\0") if parts else content:
        stream = zlib.decompressobj(_GZIP)
        try:
            part = stream.decompress(rest, limit - size + 1)
        except zlib.error as error:
            raise UnreadableError("its gzip is damaged") from error
        size += len(part)
        if size > limit:
            raise too_large(limit)
        if not stream.eof:
            raise UnreadableError("its gzip breaks off")
        parts.append(part)
        content = stream.unused_data
    return parts[0] if len(parts) == 1 else b"".join(parts)


def too_large(limit: int) -> UnreadableError:
    """What to say of a file beyond the limit."""
    return UnreadableError(
        f"it is larger than {limit // 2**20} MB, unpacked: if that is right, give --max-file-size"
    )
