"""What the command exits with."""

from __future__ import annotations

from enum import IntEnum

from kms_constructs.guardrails.verdict import Verdict


class ExitCode(IntEnum):
    """The exit codes of every command."""

    CLEAN = Verdict.CLEAN.exit_code
    VIOLATIONS = Verdict.VIOLATIONS.exit_code
    UNUSABLE = Verdict.UNREADABLE.exit_code
    UNDETERMINED = Verdict.UNDETERMINED.exit_code
    INTERRUPTED = 130
