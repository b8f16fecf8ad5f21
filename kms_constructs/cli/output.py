"""Where reports go: the terminal, as wide and as colourful as it is, or files."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from kms_constructs.model.estate import SourceProblem
    from kms_constructs.reports.console import Look

TERMINAL = "-"
_ELSEWHERE = "Fix: write the report to a file with --output"
_ENDINGS = {
    ".htm": "html",
    ".html": "html",
    ".json": "json",
    ".markdown": "markdown",
    ".md": "markdown",
    ".sarif": "sarif",
    ".txt": "table",
    ".xml": "junit",
}
_FILE_WIDTH = 120
_PROGRESS_AFTER_SECONDS = 1.0
_MAXIMUM_LISTED_PROBLEMS = 20

Render = Callable[["Target"], str]
"""Draws a report for a target."""


@dataclass(frozen=True, slots=True)
class Target:
    """One place that a report goes to.

    Args:
        file: Name of the file, or ``-`` for the terminal.
        format: Name of the format.
    """

    file: str
    format: str

    def look(self) -> Look:
        """Width and colours of the terminal, or those that suit a file."""
        from kms_constructs.reports.console import Look

        if self.file != TERMINAL:
            return Look(width=_FILE_WIDTH)
        return Look(width=_width(), colour=_colour(sys.stdout), unicode=_unicode(sys.stdout))


def targets(outputs: Sequence[str], format_: str | None, formats: Sequence[str]) -> tuple[Target, ...]:
    """Where the report goes and in which formats.

    Args:
        outputs: What ``--output`` was given; none for the terminal.
        format_: What ``--format`` was given.
        formats: The formats that the command has; the first is the default.

    Raises:
        click.UsageError: A file's ending tells no format that the command has.
    """
    return tuple(
        Target(file, format_ or (formats[0] if file == TERMINAL else _format_of(file, formats)))
        for file in dict.fromkeys(outputs or (TERMINAL,))
    )


def _format_of(file: str, formats: Sequence[str]) -> str:
    # "report.sarif.json" is the name that some CI systems want for SARIF.
    endings = [suffix.lower() for suffix in Path(file).suffixes]
    if endings[-2:] == [".sarif", ".json"] and "sarif" in formats:
        return "sarif"
    found = _ENDINGS.get(endings[-1]) if endings else None
    if found is not None and found in formats:
        return found
    known = sorted(ending for ending, name in _ENDINGS.items() if name in formats)
    raise click.UsageError(
        f"--output {file}: the ending tells no format. Fix: use one of {', '.join(known)}, or give --format"
    )


def draw(places: Sequence[Target], renderers: Mapping[str, Render]) -> tuple[str, ...]:
    """The report for each place."""
    return tuple(renderers[target.format](target) for target in places)


def write(places: Sequence[Target], texts: Sequence[str]) -> None:
    """Writes each text to its place.

    Raises:
        click.UsageError: A file cannot be written.
    """
    for target, text in zip(places, texts, strict=True):
        if target.file == TERMINAL:
            _to_terminal(text)
            continue
        try:
            Path(target.file).write_text(text, encoding="utf-8")
        except OSError as error:
            raise click.UsageError(
                f"--output {target.file}: it cannot be written: {error.strerror}. "
                "Fix: check the directory and its permissions"
            ) from error


def tell(message: str, *, colour: str | None = None) -> None:
    """Says something beside the report, on standard error."""
    if sys.stderr is None:
        return
    style = colour if _colour(sys.stderr) else None
    # What cannot be said there cannot be said anywhere; the exit code says it still.
    with contextlib.suppress(OSError):
        click.echo(click.style(message, fg=style) if style else message, err=True, color=bool(style))


def tell_problems(problems: Sequence[SourceProblem]) -> None:
    """Says what could not be read, on standard error."""
    from kms_constructs.reports.text import counted, one_line

    for problem in problems[:_MAXIMUM_LISTED_PROBLEMS]:
        place = ": ".join(one_line(part) for part in (problem.source, problem.logical_id) if part)
        fix = f" Fix: {one_line(problem.fix)}" if problem.fix else ""
        tell(f"{place}: {one_line(problem.message).rstrip('.')}.{fix}", colour="red")
    if (more := len(problems) - _MAXIMUM_LISTED_PROBLEMS) > 0:
        tell(f"… and {counted(more, 'further problem')}", colour="red")


def _to_terminal(text: str) -> None:
    """Writes to standard output; a reader that has gone away (``| head``) is no error.

    Raises:
        click.ClickException: Nothing can be written there: it is closed, or its disk is full.
    """
    if sys.stdout is None:
        raise click.ClickException(f"standard output is closed. {_ELSEWHERE}")
    try:
        if _unicode(sys.stdout):
            click.echo(text, nl=False, color=True)
        else:
            # Reports for machines are UTF-8 whatever the terminal is; the table was drawn in ASCII already,
            # and what a template put into it passes as escapes.
            encoding = sys.stdout.encoding or "ascii"
            click.echo(text.encode(encoding, "backslashreplace"), nl=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes standard output once more at its end.
        _drop_output()
    except OSError as error:
        _drop_output()
        raise click.ClickException(
            f"standard output cannot be written: {error.strerror or error}. {_ELSEWHERE}"
        ) from error


def settle() -> None:
    """Writes out what is still held back, before the interpreter does and complains in its own words."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _drop_output() -> None:
    """Lets what is still to be flushed, as the process ends, go nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _width() -> int:
    """Columns of the terminal; of that behind a pipe, too, for ``| less`` is looked at as well."""
    given = os.environ.get("COLUMNS", "")
    if given.isdigit() and int(given):
        return int(given)
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if columns := os.get_terminal_size(stream.fileno()).columns:
                return columns
    return _FILE_WIDTH


def _colour(stream: TextIO | None) -> bool:
    """Whether to write colours: see https://no-color.org and https://force-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def _unicode(stream: TextIO | None) -> bool:
    if stream is None:
        return True
    try:
        "✗→●◐○·…".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """Shows on a terminal what takes longer than a second, and wipes it away when it is done.

    Args:
        what: What is being done: ``reading 12 paths``.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    shown = threading.Event()

    def show() -> None:
        shown.set()
        sys.stderr.write(f"{what} …")
        sys.stderr.flush()

    timer = threading.Timer(_PROGRESS_AFTER_SECONDS, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if shown.is_set():
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
