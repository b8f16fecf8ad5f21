"""Every format that reports are written in, once: its name, the endings of its files, and what it draws.

A command has the formats that draw what it reports; the first of them is its default. What draws is loaded
when it is called, for a page needs jinja2, SARIF pydantic, the table rich, and each run most often one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import field

from kms_constructs.model.frozen import Frozen
from kms_constructs.reports.trail_against import (
    Impacts,
    Narrower,
    Usages,
    csv_impacts,
    csv_usages,
    diff_narrower,
    json_impacts,
    json_narrower,
    json_usages,
    table_impacts,
    table_usages,
)

if TYPE_CHECKING:
    from kms_constructs.analysis.access import AccessMatrix
    from kms_constructs.analysis.diff import AccessChange
    from kms_constructs.guardrails.control import Control
    from kms_constructs.guardrails.finding import Report
    from kms_constructs.model.estate import Estate, SourceProblem
    from kms_constructs.reports.console import Look
    from kms_constructs.reports.trail_findings import TrailFindings
    from kms_constructs.reports.trail_report import TrailReports


class Judged(Frozen, frozen=True):
    """What ``check`` reports.

    Args:
        report: What was found.
        estate: What was judged.
        everything: Whether to show what is compliant or does not apply, too.
        quiet: Whether to leave out everything but the findings.
        verbose: Whether each finding has a block of its own, where the format would put them together.
    """

    report: Report
    estate: Estate
    everything: bool = False
    quiet: bool = False
    verbose: bool = True


class Audited(Frozen, frozen=True):
    """What ``audit`` reports: what ``check`` does, of live keys."""

    judged: Judged


class Accesses(Frozen, frozen=True):
    """What ``explain`` reports: the access matrices of keys, and the estate they come from."""

    matrices: Sequence[AccessMatrix]
    estate: Estate


class Changes(Frozen, frozen=True):
    """What ``diff`` reports: the changes of access, and what could not be read."""

    changes: Sequence[AccessChange]
    problems: Sequence[SourceProblem]


class Controls(Frozen, frozen=True):
    """What ``guardrails`` reports: controls, in full or in a line each."""

    controls: Sequence[Control]
    full: bool


Reported = TypeVar("Reported")
Draw = Callable[[Reported, Callable[[], "Look"]], str]
"""Draws what is reported. The look is asked for by what has one: it, too, is slow to load."""


class Format(Frozen, frozen=True, kw_only=True):
    """One format. What it has no function for it does not draw.

    Args:
        name: What ``--format`` calls it.
        endings: Endings of files that are written in it unless ``--format`` says otherwise.
    """

    name: str
    endings: tuple[str, ...] = ()
    judged: Draw[Judged] | None = None
    audited: Draw[Audited] | None = None
    accesses: Draw[Accesses] | None = None
    changes: Draw[Changes] | None = None
    controls: Draw[Controls] | None = None
    impacts: Draw[Impacts] | None = None
    usages: Draw[Usages] | None = None
    narrower: Draw[Narrower] | None = None
    detected: Draw[TrailFindings] | None = None
    trail_reports: Draw[TrailReports] | None = None

    @property
    def draws_audits(self) -> Draw[Audited] | None:
        """What draws audits: as what ``check`` reports, unless the format has more to say of live keys."""
        judged = self.judged
        if self.audited is not None or judged is None:
            return self.audited
        return lambda it, look: judged(it.judged, look)


class Formats(Frozen, Generic[Reported], frozen=True):
    """The formats of one command.

    Args:
        draws: Name to what draws, the default first.
    """

    draws: dict[str, Draw[Reported]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What ``--format`` takes, the default first."""
        return tuple(self.draws)

    @property
    def endings(self) -> dict[str, str]:
        """Ending of a file to the name of its format."""
        return {ending: one.name for one in FORMATS if one.name in self.draws for ending in one.endings}


def _table_judged(it: Judged, look: Callable[[], Look]) -> str:
    from kms_constructs.reports.table import report_table

    return report_table(
        it.report,
        look(),
        everything=it.everything,
        titles=_titles(),
        quiet=it.quiet,
        verbose=it.verbose,
    )


def _table_audited(it: Audited, look: Callable[[], Look]) -> str:
    from kms_constructs.reports.audit import audit_text

    return _table_judged(it.judged, look) + (
        "" if it.judged.quiet else audit_text(it.judged.report, it.judged.estate)
    )


def _json_audited(it: Audited, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.audit import audit_json

    return audit_json(it.judged.report, it.judged.estate)


def _markdown_audited(it: Audited, look: Callable[[], Look]) -> str:
    from kms_constructs.reports.audit import audit_markdown

    return _markdown_judged(it.judged, look) + audit_markdown(it.judged.report, it.judged.estate)


def _html_audited(it: Audited, _look: Callable[[], Look]) -> str:
    from datetime import UTC, datetime

    from kms_constructs.analysis.worlds import matrices_of
    from kms_constructs.guardrails.score import Score
    from kms_constructs.reports.audit import audit_tables
    from kms_constructs.reports.html import report_html

    report, estate = it.judged.report, it.judged.estate
    tables = audit_tables(report, estate, datetime.now(UTC).date())
    return report_html(
        report,
        matrices_of(estate),
        titles=_titles(),
        title="KMS audit",
        tables=tables,
        score=Score.of(report).value,
    )


def _asff_audited(it: Audited, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.security_hub import findings_asff

    return findings_asff(it.judged.report)


def _ocsf_audited(it: Audited, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.security_hub import findings_ocsf

    return findings_ocsf(it.judged.report)


def _inventory_audited(it: Audited, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.inventory import inventory_csv

    return inventory_csv(it.judged.estate)


def _table_accesses(it: Accesses, look: Callable[[], Look]) -> str:
    from kms_constructs.reports.access_table import access_table

    return access_table(it.matrices, look())


def _table_changes(it: Changes, look: Callable[[], Look]) -> str:
    from kms_constructs.reports.access_table import diff_table

    return diff_table(it.changes, look())


def _table_controls(it: Controls, look: Callable[[], Look]) -> str:
    from kms_constructs.reports.catalogue import catalogue_table, control_details

    return (control_details if it.full else catalogue_table)(it.controls, look())


def _json_judged(it: Judged, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.json_report import report_json

    return report_json(it.report)


def _json_accesses(it: Accesses, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.json_report import access_json

    return access_json(it.matrices, it.estate.problems)


def _json_changes(it: Changes, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.json_report import diff_json

    return diff_json(it.changes, it.problems)


def _json_controls(it: Controls, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.json_report import catalogue_json

    return catalogue_json(it.controls)


def _sarif_judged(it: Judged, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.sarif import report_sarif

    return report_sarif(it.report, everything=it.everything)


def _junit_judged(it: Judged, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.junit import report_junit

    return report_junit(it.report)


def _html_judged(it: Judged, _look: Callable[[], Look]) -> str:
    from kms_constructs.analysis.worlds import matrices_of
    from kms_constructs.reports.html import report_html

    return report_html(it.report, matrices_of(it.estate), titles=_titles())


def _html_accesses(it: Accesses, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.html import access_html

    return access_html(it.matrices, problems=it.estate.problems, sources=it.estate.sources)


def _markdown_judged(it: Judged, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.markdown import report_markdown

    return report_markdown(it.report, everything=it.everything)


def _markdown_accesses(it: Accesses, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.markdown import access_markdown

    return access_markdown(it.matrices)


def _markdown_changes(it: Changes, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.markdown import diff_markdown

    return diff_markdown(it.changes)


def _markdown_controls(it: Controls, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.markdown import catalogue_markdown

    return catalogue_markdown(it.controls)


def _github_judged(it: Judged, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.github import report_github

    return report_github(it.report)


def _gitlab_judged(it: Judged, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.gitlab import report_gitlab

    return report_gitlab(it.report)


def _csv_judged(it: Judged, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.csv_report import report_csv

    return report_csv(it.report, everything=it.everything)


def _table_detected(it: TrailFindings, look: Callable[[], Look]) -> str:
    from kms_constructs.reports.trail_findings import findings_table

    return findings_table(it, look())


def _json_detected(it: TrailFindings, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.trail_findings import findings_json

    return findings_json(it)


def _csv_detected(it: TrailFindings, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.trail_findings import findings_csv

    return findings_csv(it)


def _table_trail(it: TrailReports, look: Callable[[], Look]) -> str:
    from kms_constructs.reports.trail_report import trail_table

    return trail_table(it, look())


def _json_trail(it: TrailReports, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.trail_report import trail_json

    return trail_json(it)


def _csv_trail(it: TrailReports, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.trail_report import trail_csv

    return trail_csv(it)


def _html_trail(it: TrailReports, _look: Callable[[], Look]) -> str:
    from kms_constructs.reports.trail_html import trail_html

    return trail_html(it)


def _titles() -> dict[str, str]:
    from kms_constructs.guardrails.catalogue import CATALOGUE

    return {control.id: control.title for control in CATALOGUE.values()}


FORMATS = (
    Format(name="diff", endings=(".diff", ".patch"), narrower=diff_narrower),
    Format(
        name="table",
        endings=(".txt",),
        judged=_table_judged,
        audited=_table_audited,
        accesses=_table_accesses,
        changes=_table_changes,
        controls=_table_controls,
        impacts=table_impacts,
        usages=table_usages,
        detected=_table_detected,
        trail_reports=_table_trail,
    ),
    Format(
        name="json",
        endings=(".json",),
        judged=_json_judged,
        audited=_json_audited,
        accesses=_json_accesses,
        changes=_json_changes,
        controls=_json_controls,
        impacts=json_impacts,
        usages=json_usages,
        narrower=json_narrower,
        detected=_json_detected,
        trail_reports=_json_trail,
    ),
    # "report.sarif.json" is the name that some CI systems want.
    Format(name="sarif", endings=(".sarif", ".sarif.json"), judged=_sarif_judged),
    Format(name="junit", endings=(".xml",), judged=_junit_judged),
    Format(
        name="html",
        endings=(".html", ".htm"),
        judged=_html_judged,
        audited=_html_audited,
        accesses=_html_accesses,
        trail_reports=_html_trail,
    ),
    Format(
        name="markdown",
        endings=(".md", ".markdown"),
        judged=_markdown_judged,
        audited=_markdown_audited,
        accesses=_markdown_accesses,
        changes=_markdown_changes,
        controls=_markdown_controls,
    ),
    Format(name="github", judged=_github_judged),
    Format(name="gitlab", judged=_gitlab_judged),
    Format(
        name="csv",
        endings=(".csv",),
        judged=_csv_judged,
        impacts=csv_impacts,
        usages=csv_usages,
        detected=_csv_detected,
        trail_reports=_csv_trail,
    ),
    Format(name="asff", endings=(".asff.json",), audited=_asff_audited),
    Format(name="ocsf", endings=(".ocsf.json",), audited=_ocsf_audited),
    Format(name="inventory", endings=(".inventory.csv",), audited=_inventory_audited),
)
"""The formats. A new one is a module of this folder and an entry here."""

JUDGED: Formats[Judged] = Formats({one.name: one.judged for one in FORMATS if one.judged})
AUDITED: Formats[Audited] = Formats({one.name: one.draws_audits for one in FORMATS if one.draws_audits})
ACCESSES: Formats[Accesses] = Formats({one.name: one.accesses for one in FORMATS if one.accesses})
CHANGES: Formats[Changes] = Formats({one.name: one.changes for one in FORMATS if one.changes})
CONTROLS: Formats[Controls] = Formats({one.name: one.controls for one in FORMATS if one.controls})
IMPACTS: Formats[Impacts] = Formats({one.name: one.impacts for one in FORMATS if one.impacts})
USAGES: Formats[Usages] = Formats({one.name: one.usages for one in FORMATS if one.usages})
NARROWER: Formats[Narrower] = Formats({one.name: one.narrower for one in FORMATS if one.narrower})
TRAIL_REPORTS: Formats[TrailReports] = Formats(
    {one.name: one.trail_reports for one in FORMATS if one.trail_reports}
)
DETECTED: Formats[TrailFindings] = Formats({one.name: one.detected for one in FORMATS if one.detected})
