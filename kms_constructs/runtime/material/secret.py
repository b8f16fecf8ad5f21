"""Key material in memory: in a buffer that is overwritten, and that shows itself to nobody."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Self

from kms_constructs.errors import MaterialError


class Secret:
    """Bytes that are overwritten at the end of their ``with`` block.

    They are read through `view`, a memoryview, which shows no content in a traceback or a debugger's list of
    local variables. What they cannot hold off: copies that a library makes for itself while it works, for
    Python overwrites no ``bytes``, and pages that the operating system swaps out.

    Args:
        buffer: The bytes; the secret takes the buffer over and will overwrite it.

    Example:
        >>> with Secret(bytearray(b"not so secret")) as secret:
        ...     print(secret, len(secret.view))
        <Secret of 13 bytes> 13
        >>> secret
        <Secret, overwritten>
    """

    __slots__ = ("_buffer", "_gone")

    def __init__(self, buffer: bytearray) -> None:
        self._buffer = buffer
        self._gone = False

    @classmethod
    def random(cls, length: int) -> Secret:
        """Bytes from the operating system's source of randomness."""
        return cls(bytearray(os.urandom(length)))

    @classmethod
    def read(cls, read_into: Callable[[memoryview], int | None], limit: int) -> Secret | None:
        """Reads until the end, into one buffer that is never moved; None when there is more than the limit.

        Args:
            read_into: Fills a buffer and returns how much it filled, 0 at the end, as ``readinto`` of a raw
                file does.
            limit: Bytes that are read at most.
        """
        whole = bytearray(limit + 1)
        filled = 0
        try:
            while filled <= limit and (count := read_into(memoryview(whole)[filled:])):
                filled += count
            return None if filled > limit else cls(bytearray(memoryview(whole)[:filled]))
        finally:
            whole[:] = bytes(len(whole))

    @property
    def view(self) -> memoryview:
        """The bytes, to read.

        Raises:
            ValueError: They were overwritten.
        """
        if self._gone:
            raise ValueError("the secret was overwritten")
        return memoryview(self._buffer).toreadonly()

    def overwrite(self) -> None:
        """Overwrites the bytes with zeros."""
        # In place, so that every view shows zeros as well.
        self._buffer[:] = bytes(len(self._buffer))
        self._gone = True

    def __len__(self) -> int:
        return len(self._buffer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.overwrite()

    def __repr__(self) -> str:
        return "<Secret, overwritten>" if self._gone else f"<Secret of {len(self._buffer)} bytes>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is neither copied nor pickled")


def kept_quiet(
    subject: str, problem: str, fix: str, work: Callable[[], Any], *errors: type[Exception]
) -> Any:  # noqa: ANN401 - what the work returns
    """Does work on material; when it fails, says so without the exception, for its frames may hold material.

    Raises:
        MaterialError: The work failed with one of the errors.
    """
    try:
        return work()
    except errors:
        pass
    # Outside of the handler, so that the new exception has no context that leads to the old one's frames.
    raise MaterialError(subject, problem, fix)
