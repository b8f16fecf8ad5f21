"""How a run ends, as a number: below everybody, for reports say it as well as commands."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the commands exit with, and so the verdict of a report."""

    CLEAN = 0
    VIOLATIONS = 1
    UNUSABLE = 2
    """An input could not be read, or the usage was wrong."""
    UNDETERMINED = 3
    """Nothing worse than what cannot be determined."""
    INTERRUPTED = 130
