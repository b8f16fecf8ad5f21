"""Where reports go: the terminal, as wide and as colourful as it is, or files."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO, TypeVar

import click

if TYPE_CHECKING:
    from kms_constructs.model.estate import SourceProblem
    from kms_constructs.reports.console import Look
    from kms_constructs.reports.formats import Formats

TERMINAL = "-"
_ELSEWHERE = "Fix: write the report to a file with --output"
_FILE_WIDTH = 120
_PROGRESS_AFTER_SECONDS = 1.0
_MAXIMUM_LISTED_PROBLEMS = 20

Reported = TypeVar("Reported")


class Target(NamedTuple):
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


def targets(outputs: Sequence[str], format_: str | None, formats: Formats[Any]) -> tuple[Target, ...]:
    """Where the report goes and in which formats.

    Args:
        outputs: What ``--output`` was given, each with the name of a format and a colon before it or without;
            none for the terminal.
        format_: What ``--format`` was given.
        formats: The formats that the command has; the first is the default.

    Raises:
        click.UsageError: A file's ending tells no format of the command, or two formats go to one place.
    """
    found: dict[str, Target] = {}
    for given in outputs or (TERMINAL,):
        name, colon, rest = given.partition(":")
        if colon and rest and name in formats.names:
            target = Target(rest, name)
        elif given == TERMINAL:
            target = Target(given, format_ or formats.names[0])
        else:
            target = Target(given, format_ or _format_of(given, formats))
        if found.setdefault(target.file, target) != target:
            raise click.UsageError(
                f"--output {given}: {found[target.file].format} goes there already. "
                "Fix: give each format a file of its own"
            )
    return tuple(found.values())


def check(places: Sequence[Target]) -> None:
    """That files can be written, before what goes into them takes its time.

    Raises:
        click.UsageError: One cannot.
    """
    for target in places:
        parent = Path(target.file).absolute().parent
        if target.file != TERMINAL and not parent.is_dir():
            raise click.UsageError(
                f"--output {target.file}: it cannot be written: there is no directory {parent}. "
                "Fix: check the directory and its permissions"
            )


def _format_of(file: str, formats: Formats[Any]) -> str:
    # The longest ending tells most: .sarif.json is not .json.
    name = Path(file).name.lower()
    endings = formats.endings
    for ending in sorted(endings, key=len, reverse=True):
        if name.endswith(ending) and name != ending:
            return endings[ending]
    raise click.UsageError(
        f"--output {file}: the ending tells no format. Fix: use one of {', '.join(sorted(endings))}, "
        f"or give --format, or write the format before the name: {formats.names[0]}:{file}"
    )


def draw(places: Sequence[Target], formats: Formats[Reported], reported: Reported) -> tuple[str, ...]:
    """The report for each place."""
    return tuple(formats.draws[target.format](reported, target.look) for target in places)


def write(places: Sequence[Target], texts: Sequence[str]) -> None:
    """Writes each text to its place.

    Raises:
        click.UsageError: A file cannot be written.
    """
    for target, text in zip(places, texts, strict=True):
        if target.file == TERMINAL:
            to_terminal(text, for_people=target.format == "table")
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
    message = shown(message)
    style = colour if _colour(sys.stderr) else None
    # What cannot be said there cannot be said anywhere; the exit code says it still.
    with contextlib.suppress(OSError):
        click.echo(click.style(message, fg=style) if style else message, err=True, color=bool(style))


def shown(message: str) -> str:
    """A message with what input or arguments put into it made harmless; its lines stay lines."""
    if message.isascii() and message.isprintable() and not message.lstrip().startswith("::"):
        return message
    from kms_constructs.reports.text import printable, without_commands

    return without_commands(printable(message))


def tell_notes(notes: Iterable[str]) -> None:
    """What a reader has to know of how the input was read, on standard error."""
    for note in notes:
        tell(note, colour="yellow")


def tell_problems(problems: Sequence[SourceProblem]) -> None:
    """Says what could not be read, on standard error."""
    from kms_constructs.reports.text import counted, one_line

    for problem in problems[:_MAXIMUM_LISTED_PROBLEMS]:
        place = ": ".join(one_line(part) for part in (problem.source, problem.logical_id) if part)
        fix = f" Fix: {one_line(problem.fix)}" if problem.fix else ""
        tell(f"{place}: {one_line(problem.message).rstrip('.')}.{fix}", colour="red")
    if (more := len(problems) - _MAXIMUM_LISTED_PROBLEMS) > 0:
        tell(f"… and {counted(more, 'further problem')}", colour="red")


def to_terminal(text: str, *, for_people: bool) -> None:
    """Writes to standard output; a reader that has gone away (``| head``) is no error.

    Args:
        text: What to write.
        for_people: Whether a terminal that knows ASCII alone gets escapes for the rest. What programs read is
            UTF-8 whatever the terminal is, for an escape may be none in its format: JSON has no ``\\xfc``.

    Raises:
        click.ClickException: Nothing can be written there: it is closed, or its disk is full.
    """
    if sys.stdout is None:
        raise click.ClickException(f"standard output is closed. {_ELSEWHERE}")
    try:
        if not for_people:
            click.echo(text.encode("utf-8", "backslashreplace"), nl=False)
        elif _unicode(sys.stdout):
            click.echo(text, nl=False, color=True)
        else:
            # The table was drawn in ASCII already, and what a template put into it passes as escapes.
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


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """As `progress`, for what makes much and waits for nothing: the garbage collector is out of the way.

    Args:
        what: What is being done: ``Judging 12 keys``.
    """
    from kms_constructs.model.collector import collector_paused

    with progress(what), collector_paused():
        yield


class _Bar:
    """How far a number of calls is, on a terminal; nothing elsewhere."""

    def __init__(self, what: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._planned = 0
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(file=sys.stderr),
            transient=True,
            disable=sys.stderr is None or not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task(what, total=0)

    def planned(self, calls: int) -> None:
        """So many more calls are to be made."""
        self._planned += calls
        self._progress.update(self._task, total=self._planned)

    def done(self) -> None:
        """A call has been answered."""
        self._progress.advance(self._task)

    def start(self) -> None:
        """Shows it."""
        self._progress.start()

    def stop(self) -> None:
        """Wipes it away."""
        self._progress.stop()


@contextlib.contextmanager
def bar(what: str) -> Iterator[_Bar]:
    """A bar that shows how many of the planned calls are done, and is wiped away at the end.

    Args:
        what: What is being done: ``Asking AWS``.
    """
    shown = _Bar(what)
    shown.start()
    try:
        yield shown
    finally:
        shown.stop()
