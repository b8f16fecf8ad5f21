"""One writer at a time, by a lock that the system takes back from a process that is gone."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from kms_constructs.errors import SourceError


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Holds the lock of a file, which is made where it is missing.

    Args:
        file: The file; what it holds does not matter.

    Raises:
        SourceError: Another process holds it.
    """
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _take(handle)
        except OSError as error:
            raise SourceError(
                str(file.parent), "another run writes to this store", "Wait until it has ended"
            ) from error
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":  # pragma: no cover - the tests run elsewhere
    import msvcrt

    def _take(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
