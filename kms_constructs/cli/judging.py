"""What `check` and `audit` share: how keys are judged, what is shown, and how a run ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec.structs import replace

from kms_constructs.cli import output
from kms_constructs.cli.options import config_option, output_options
from kms_constructs.exit_code import ExitCode
from kms_constructs.guardrails.finding import Severity
from kms_constructs.model.frozen import Frozen

if TYPE_CHECKING:
    from kms_constructs.guardrails.finding import Report
    from kms_constructs.model.estate import Estate
    from kms_constructs.reports.formats import Formats

LEVELS = tuple(level.value for level in Severity)
_Function = Callable[..., Any]
_Reported = TypeVar("_Reported")
_OPTIONS: tuple[Any, ...] = (
    click.option("--all", "everything", is_flag=True, help="Show what is compliant or does not apply, too."),
    click.option(
        "--verbose", is_flag=True, help="Show every finding by itself, with its id, and all resources."
    ),
    click.option(
        "--baseline",
        "baseline_file",
        metavar="FILE",
        type=click.Path(),
        help="Accept what `kms-constructs baseline` found: only what is new or worse fails.",
    ),
    click.option(
        "--no-declarations",
        is_flag=True,
        help="Refuse what the input says of itself: whom it authorises, what it accepts.",
    ),
    click.option(
        "--control",
        "controls",
        metavar="ID",
        multiple=True,
        help="Judge by this control only. May be repeated.",
    ),
    config_option,
)
_ENDING: tuple[Any, ...] = (
    click.option("--undetermined-ok", is_flag=True, help="Only warn of what cannot be determined."),
    click.option("-q", "--quiet", is_flag=True, help="Only what fails; nothing when nothing does."),
    click.option(
        "--severity",
        metavar="LEVEL",
        type=click.Choice(LEVELS),
        help=f"Least severity shown: {', '.join(LEVELS)}. What is not shown counts all the same.",
    ),
    click.option(
        "--fail-on",
        metavar="LEVEL",
        type=click.Choice(LEVELS),
        help="Least severity that fails; what is less severe is a warning.  [default: low]",
    ),
    click.option(
        "--exit-zero", is_flag=True, help="Exit with 0 whatever was found; not if input is unreadable."
    ),
)


class Judging(Frozen, frozen=True, kw_only=True):
    """What the caller says of how to judge, and of what to show.

    Args:
        outputs, format_: Where reports go, and in which format.
        everything, verbose, quiet: What is shown.
        baseline_file, no_declarations, controls, config_file: What keys are judged by.
        undetermined_ok, severity, fail_on, exit_zero: What fails.
    """

    outputs: tuple[str, ...]
    format_: str | None
    everything: bool
    verbose: bool
    baseline_file: str | None
    no_declarations: bool
    controls: tuple[str, ...]
    config_file: str | None
    undetermined_ok: bool
    quiet: bool
    severity: str | None
    fail_on: str | None
    exit_zero: bool

    def run(
        self,
        read: Callable[[], Estate],
        formats: Formats[_Reported],
        show: Callable[[Report, Estate, Judging], _Reported],
        nothing: str = "There is no KMS key in what was given.",
    ) -> int:
        """Reads, judges, writes the reports, and tells what to exit with.

        Args:
            read: Reads what is to be judged; not before the arguments are known to be right.
            formats: The formats of the command.
            show: Makes of a report what the formats draw.
            nothing: What to say when there are no keys.
        """
        from kms_constructs.guardrails.baseline import Baseline
        from kms_constructs.guardrails.config import load_config
        from kms_constructs.guardrails.engine import judge
        from kms_constructs.reports.selection import failing_from, failures_of, shown_from
        from kms_constructs.reports.text import counted

        places = output.targets(self.outputs, self.format_, formats)
        output.check(places)
        settings = load_config(self.config_file)
        baseline = None if self.baseline_file is None else Baseline.read(self.baseline_file)
        if self.undetermined_ok:
            settings = replace(settings, undetermined_fails=False)
        estate = read()
        with output.working(f"Judging {counted(len(estate.keys), 'key')}"):
            report = judge(
                estate,
                settings,
                controls=self.controls or None,
                baseline=baseline,
                declarations=not self.no_declarations,
            )
            if self.fail_on is not None:
                report = failing_from(report, Severity(self.fail_on))
            if self.severity is not None:
                report = shown_from(report, Severity(self.severity))
            if self.quiet:
                report = failures_of(report)
            texts = output.draw(places, formats, show(report, estate, self))
        output.write(places, texts)
        _tell(places, report, quiet=self.quiet, nothing=nothing)
        if self.exit_zero and not report.problems:
            return ExitCode.CLEAN
        return report.exit_code


def judging_options(formats: Sequence[str]) -> Callable[[_Function], _Function]:
    """The options of how to judge, as one argument, `judging`.

    Args:
        formats: Names of the formats that the command has, the default first.
    """

    def decorate(function: _Function) -> _Function:
        names = Judging.__dataclass_fields__

        @wraps(function)
        def with_judging(**given: Any) -> Any:  # noqa: ANN401 - options of any kind, and what the command returns
            mine = {name: given.pop(name) for name in names}
            return function(judging=Judging(**mine), **given)

        decorated: Any = with_judging
        for option in reversed((*_OPTIONS, *_ENDING)):
            decorated = option(decorated)
        wrapped: _Function = output_options(formats)(decorated)
        return wrapped

    return decorate


def _tell(places: Sequence[output.Target], report: Report, *, quiet: bool, nothing: str) -> None:
    """The result in one line, where the report on the terminal does not end with it anyway."""
    from kms_constructs.guardrails.verdict import Verdict
    from kms_constructs.reports.summary import Summary

    on_terminal = any(place.file == output.TERMINAL and place.format == "table" for place in places)
    if not on_terminal:
        output.tell_problems(report.problems)
    if not on_terminal and not quiet:
        colours = {Verdict.CLEAN: "green", Verdict.UNDETERMINED: "magenta"}
        output.tell(str(Summary.of(report)), colour=colours.get(report.verdict, "red"))
    output.tell_notes(report.notes)
    if not report.keys and not report.problems and not quiet:
        output.tell(nothing, colour="yellow")
