"""What a run comes to, in a word and in an exit code."""

from __future__ import annotations

from enum import StrEnum

from kms_constructs.exit_code import ExitCode


class Verdict(StrEnum):
    """What a report comes to."""

    CLEAN = "clean"
    VIOLATIONS = "violations"
    UNREADABLE = "unreadable input"
    """Something could not be read, so nothing is said of the whole."""
    UNDETERMINED = "undetermined"
    """Nothing is known to be wrong, and not everything is known."""

    @property
    def exit_code(self) -> ExitCode:
        """What a command exits with; documented, so these numbers stay.

        Example:
            >>> int(Verdict.UNDETERMINED.exit_code)
            3
        """
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Verdict.CLEAN: ExitCode.CLEAN,
    Verdict.VIOLATIONS: ExitCode.VIOLATIONS,
    Verdict.UNREADABLE: ExitCode.UNUSABLE,
    Verdict.UNDETERMINED: ExitCode.UNDETERMINED,
}
