"""One run of the fuzz: a command and everything that it finds around it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

Accounting = Callable[["Run", int, str], list[str]]
"""Holds what a command says of its input against the input: what is wrong, by run, exit code and output."""


@dataclass(frozen=True)
class Run:
    """One run: the command and its files.

    Args:
        arguments: The command line; files by name.
        files: Their content.
        must_be_refused: Whether one of them is nothing that could be read.
        hidden: Controls that must not pass, because what they read was hidden.
        hidden_of: Logical id of the key that it was hidden of; None for any.
        before: Command lines that run before it, over the same files.
        outside: Makes the AWS that answers; without it nobody does.
        alike: Whether the output has to be the same when no two keys are judged as one.
        accounting: What else has to hold of the output.
        asks: Whether it may end for want of an answer.
    """

    arguments: tuple[str, ...]
    files: dict[str, bytes]
    must_be_refused: bool = False
    hidden: tuple[str, ...] = ()
    hidden_of: str | None = None
    before: tuple[tuple[str, ...], ...] = ()
    outside: Callable[[], AbstractContextManager[Any]] = field(default=nullcontext, compare=False)
    alike: bool = False
    accounting: Accounting | None = None
    asks: bool = False

    def shown(self) -> str:
        """The command lines, long words cut."""
        lines = [" ".join(word if len(word) < 100 else f"{word[:60]}…" for word in one) for one in
                 (*self.before, self.arguments)]  # fmt: skip
        return ascii(" && ".join(lines))
