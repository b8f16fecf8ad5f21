"""Makes an app itself fail when its guardrails do, whatever started it.

CDK leaves it to the CDK CLI to fail after a synth: it prints what it selects (``cdk synth`` of an app whose
keys are in stages prints nothing, and exits with 0), and ``cdk ls`` never asks. And what ``python app.py``
gets is an error of the process in which the JavaScript runs, with a hundred lines of traceback. So the synth
of the app is followed by a question to the packs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from kms_constructs.cdk.enforcement.nag_pack import GuardrailPack, Judgement
from kms_constructs.errors import GuardrailSynthError
from kms_constructs.guardrails.acceptance import one_by_one
from kms_constructs.guardrails.finding import Finding, RemarkKind, Report
from kms_constructs.reports.brief import brief_report
from kms_constructs.reports.json_report import report_json
from kms_constructs.reports.table import report_table
from kms_constructs.reports.text import counted, one_line
from kms_constructs.sources.cloudformation.acceptances import ABOVE_STACKS

REPORT_TEXT = "kms-constructs-report.txt"
"""The full report for people, in the assembly."""
REPORT_JSON = "kms-constructs-report.json"
"""The full report for programs, in the assembly."""
_MOST_REMARKS = 8
_MOST_WARNINGS = 10
"""Warnings that the CDK CLI is given to print at each synth: more are for the report."""
_CDK_REPORT = "validation-report.json"
_CDK_FAILURE = "Validation failed"
"""What CDK's error says when a validation plugin failed, whichever it was."""
_CLI_REPORTS = "@aws-cdk/core:failSynthOnValidationErrors"
"""Context by which the CDK CLI says that it shows validation reports itself."""
_CDK_ERROR = "ValidationFailed"


def fail_with(app: cdk.App, packs: Sequence[GuardrailPack]) -> None:
    """Lets ``app.synth()`` raise when one of the packs failed in it, and write the reports in any case.

    Args:
        app: The app, to which the packs have been added.
        packs: The packs.
    """
    original: Callable[..., Any] = app.synth
    for pack in packs:
        pack.quiet = pack.warn_only or _cdk_prints(app)
        pack.most_warnings = _MOST_WARNINGS

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
    _complete(directory, judged)
    _tell_readers(directory, judged[0][1].above)
    (directory / REPORT_TEXT).write_text(report_table(report), "utf-8")
    (directory / REPORT_JSON).write_text(report_json(report), "utf-8")
    stale = _remarks(report)
    if not (report.failures or report.problems):
        if stale:
            print("\n".join(stale), file=sys.stderr)  # noqa: T201 - there is no report that would say it
        return None
    message = "\n".join(
        [
            "The guardrails of kms-constructs fail:",
            brief_report(report.findings, report.problems),
            *stale,
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
        remarks=tuple(dict.fromkeys(remark for one in judgements for remark in one.report.remarks)),
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


def _remarks(report: Report) -> list[str]:
    """What accepts nothing any more: somebody relies on it. What the app declares it knows itself."""
    told = [one for one in report.remarks if one.kind is not RemarkKind.DECLARATION]
    lines = [f"note: {one_line(one.text)} {one_line(one.fix)}".rstrip() for one in told[:_MOST_REMARKS]]
    if (more := len(told) - _MOST_REMARKS) > 0:
        lines.append(f"note: and {counted(more, 'more note')}, in {REPORT_TEXT}")
    return lines


def _cdk_prints(app: cdk.App) -> bool:
    """Whether CDK, within the app, prints what the packs find: it does where neither its CLI nor pytest asks.

    Then there would be two reports, the longer of which is cut at random on its way through jsii.
    """
    if str(app.node.try_get_context(_CLI_REPORTS)).lower() == "false":
        return False
    mode = app.node.try_get_context("@aws-cdk/core:appMode") or os.environ.get("CDK_APP_MODE")
    under_test = os.environ.get("NODE_ENV") == "test" or any(
        os.environ.get(name) for name in ("PYTEST_VERSION", "PYTEST_CURRENT_TEST")
    )
    return mode != "inmemory" and (mode == "process" or not under_test)


def _complete(directory: Path, judged: Sequence[tuple[GuardrailPack, Judgement]]) -> None:
    """Completes CDK's validation report: with what was accepted, and with what CDK was not given to print."""
    path = directory / _CDK_REPORT
    document = json.loads(path.read_text("utf-8")) if path.is_file() else {"pluginReports": []}
    reports = document["pluginReports"]
    for pack, judgement in judged:
        accepted = [finding for finding in judgement.report.findings if finding.acknowledged is not None]
        found = next((one for one in reports if one["pluginName"] == pack.name), None)
        if found is None:
            if not accepted and not (pack.quiet and not pack.warn_only and judgement.violations):
                continue
            found = {"pluginName": pack.name, "conclusion": "success", "violations": []}
            reports.append(found)
        if pack.quiet and not pack.warn_only:
            found["violations"] = [_plain(violation) for violation in judgement.violations]
        if accepted:
            found["suppressedViolations"] = [
                _suppressed(part, whole.acknowledged or "")
                for whole in accepted
                for part in one_by_one(whole)
            ]
    path.write_text(json.dumps(document, indent=2), "utf-8")


def _plain(violation: cdk.PolicyViolation) -> dict[str, Any]:
    """A violation as CDK writes it."""
    return {
        "ruleName": violation.rule_name,
        "description": violation.description,
        "suggestedFix": violation.fix,
        "severity": violation.severity,
        "ruleMetadata": dict(violation.rule_metadata or {}),
        "violatingConstructs": [
            {
                "constructPath": one.construct_path or "",
                "cloudFormationResource": {
                    "templatePath": one.template_path,
                    "logicalId": one.resource_logical_id,
                    "propertyPaths": list(one.locations),
                },
            }
            for one in violation.violating_resources
        ],
    }


def _suppressed(finding: Finding, reason: str) -> dict[str, Any]:
    """An accepted finding as CDK writes a violation that is acknowledged."""
    name = (*finding.exact_ids, finding.id)[0]
    place = finding.location
    return {
        "ruleName": name,
        "description": finding.message,
        "severity": "error" if finding.severity.fails else "warning",
        "violatingConstructs": [
            {
                "constructPath": place.construct_path or "",
                "cloudFormationResource": {
                    "templatePath": Path(place.source).name,
                    "logicalId": place.logical_id,
                },
            }
        ],
        "acknowledgedId": name,
        "reason": reason,
    }


def _tell_readers(directory: Path, above: Mapping[str, Mapping[str, str]]) -> None:
    """Leaves what was acknowledged above the stacks to who reads the assembly later."""
    path = directory / ABOVE_STACKS
    if above:
        path.write_text(json.dumps(above, indent=2, sort_keys=True), "utf-8")
    else:
        path.unlink(missing_ok=True)


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
