"""Makes an app itself fail when its guardrails do, whatever started it.

CDK leaves it to the CDK CLI to fail after a synth: it prints what it selects (``cdk synth`` of an app whose
keys are in stages prints nothing, and exits with 0), and ``cdk ls`` never asks. And what ``python app.py`` gets
is an error of the process in which the JavaScript runs, with a hundred lines of traceback. So the synth of the
app is followed by a question to the packs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from kms_constructs.cdk.enforcement.nag_pack import GuardrailPack, Judgement
from kms_constructs.errors import GuardrailSynthError
from kms_constructs.guardrails.finding import Finding, Report
from kms_constructs.reports.brief import brief_report
from kms_constructs.reports.json_report import report_json
from kms_constructs.reports.table import report_table

REPORT_TEXT = "kms-constructs-report.txt"
"""The full report for people, in the assembly."""
REPORT_JSON = "kms-constructs-report.json"
"""The full report for programs, in the assembly."""
_CDK_REPORT = "validation-report.json"
_CDK_FAILURE = "Validation failed"
"""What CDK's error says when a validation plugin failed, whichever it was; under pytest it is the report itself."""
_CDK_ERROR = "ValidationFailed"


def fail_with(app: cdk.App, packs: Sequence[GuardrailPack]) -> None:
    """Lets ``app.synth()`` raise when one of the packs failed in it, and write the reports in any case.

    Args:
        app: The app, to which the packs have been added.
        packs: The packs.
    """
    original: Callable[..., Any] = app.synth

    @wraps(original)
    def synth(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - what cdk.App.synth takes and returns
        try:
            assembly = original(*arguments, **options)
        except RuntimeError as error:
            # CDK says that validation failed, whoever failed it. What else went wrong is for the app to see.
            failure = _failure(packs) if _is_validation(error) else None
            if failure is None:
                raise
            raise failure from None
        failure = _failure(packs)
        if failure is not None:
            raise failure
        return assembly

    app.synth = synth  # type: ignore[method-assign]


def _is_validation(error: RuntimeError) -> bool:
    text = str(error)
    return _CDK_FAILURE in text or _CDK_ERROR in text


def _failure(packs: Sequence[GuardrailPack]) -> GuardrailSynthError | None:
    """Writes the reports; what to raise, if anything failed."""
    judged = [(pack, pack.judgement) for pack in packs if pack.judgement is not None]
    if not judged:
        return None
    directory = judged[0][1].directory
    report = _joined([judgement for _, judgement in judged], directory)
    (directory / REPORT_TEXT).write_text(report_table(report), "utf-8")
    (directory / REPORT_JSON).write_text(report_json(report), "utf-8")
    if not (report.failures or report.problems):
        return None
    message = "\n".join(
        [
            "The guardrails of kms-constructs fail:",
            brief_report(report.findings, report.problems),
            *_others(directory, {pack.name for pack in packs}),
            f"Full report: {_shown(directory)}",
        ]
    )
    if all(pack.warn_only for pack, judgement in judged if judgement.failed):
        print(message.replace(" fail:", " would fail; they only warn here:", 1), file=sys.stderr)  # noqa: T201
        return None
    return GuardrailSynthError(message)


def _joined(judgements: Sequence[Judgement], directory: Path) -> Report:
    """The reports of packs over one assembly as one; files by their names in the assembly."""
    prefix = f"{directory}/"
    problems = dict.fromkeys(problem for one in judgements for problem in one.report.problems)
    found = [finding for one in judgements for finding in one.report.findings]
    return Report(
        findings=tuple(_within(finding, prefix) for finding in found),
        problems=tuple(
            replace(
                problem,
                source=problem.source.removeprefix(prefix),
                message=problem.message.replace(prefix, ""),
            )
            for problem in problems
        ),
        keys=max(one.report.keys for one in judgements),
        sources=tuple(source.removeprefix(prefix) for source in judgements[0].report.sources),
    )


def _within(finding: Finding, prefix: str) -> Finding:
    place = finding.location
    return replace(finding, location=replace(place, source=place.source.removeprefix(prefix)))


def _shown(directory: Path) -> str:
    """Where the full report is, as somebody in the working directory would name it."""
    try:
        return str((directory / REPORT_TEXT).resolve().relative_to(Path.cwd()))
    except ValueError:
        # A directory that CDK made up is of no use to anybody by its name.
        return f"{REPORT_TEXT} in the cloud assembly (App(outdir=…), CDK_OUTDIR or cdk --output says where)"


def _others(directory: Path, own: set[str]) -> list[str]:
    """Other validation plugins that failed in the same synth: what is said of ours must not hide them."""
    path = directory / _CDK_REPORT
    if not path.is_file():
        return []
    reports = json.loads(path.read_text("utf-8")).get("pluginReports", [])
    names = sorted(
        one["pluginName"]
        for one in reports
        if one.get("conclusion") == "failure" and one["pluginName"] not in own
    )
    return [f"Failed as well: {', '.join(names)}; see {_CDK_REPORT} beside it"] if names else []
