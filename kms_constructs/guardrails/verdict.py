"""What a run comes to, in a word and in an exit code."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What a report comes to."""

    CLEAN = "clean"
    VIOLATIONS = "violations"
    UNREADABLE = "unreadable input"
    """Something could not be read, so nothing is said of the whole."""
    UNDETERMINED = "undetermined"
    """Nothing is known to be wrong, and not everything is known."""

    @property
    def exit_code(self) -> int:
        """What a command exits with; documented, so these numbers stay.

        Example:
            >>> Verdict.UNDETERMINED.exit_code
            3
        """
        return _EXIT_CODES[self]


_EXIT_CODES = {Verdict.CLEAN: 0, Verdict.VIOLATIONS: 1, Verdict.UNREADABLE: 2, Verdict.UNDETERMINED: 3}
