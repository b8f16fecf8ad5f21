"""What the command exits with."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command."""

    CLEAN = 0
    VIOLATIONS = 1
    UNUSABLE = 2
    UNDETERMINED = 3
    INTERRUPTED = 130
