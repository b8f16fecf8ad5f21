"""What a deliberate fault is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault.

    Args:
        name: Short name.
        file: File of the package.
        old: Text that stands there exactly once.
        new: What the fault makes of it.
        harm: What the fault would do to a user.
        tests: Tests that have to notice it, where those of the analysis do not look.
    """

    name: str
    file: str
    old: str
    new: str
    harm: str
    tests: tuple[str, ...] = ()
