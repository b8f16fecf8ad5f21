"""What a report says of the requirements of others: CIS, NIST, PCI DSS, SOC 2, Security Hub, and a checklist.

Each is answered from the findings of the controls that serve it. A requirement that no key shows is not
decidable from here, and one that may be broken where nothing could be read is undetermined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.finding import Finding, Outcome, Report
from kms_constructs.model.declaration import Tag, tag_value
from kms_constructs.model.estate import Estate, Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.unknown import is_unknown

CHECKLIST: Final = "Checklist"
_UNLISTED: Final = ("ListKeys", "AssumeRole", "GetCallerIdentity", "DescribeRegions")
"""Calls without which nobody knows which keys there are."""
_ALSO_OF: Final = {"KMS:LIVE[no-trail]": "KMS:005"}
"""Findings that answer what is required of another control: it looks at trails, and there is none."""
_TAGS: Final = (Tag.ENVIRONMENT, Tag.SERVICE, Tag.DATA_CLASSIFICATION)


class Status(StrEnum):
    """How a requirement stands."""

    MET = "met"
    ACCEPTED = "met but for what is accepted"
    NOT_MET = "not met"
    UNDETERMINED = "undetermined"
    NOT_DECIDABLE = "not decidable from here"


class Requirement(Frozen, frozen=True):
    """One requirement, and how it stands.

    Args:
        framework: Whose it is: ``CIS AWS Foundations 5.0``.
        name: Its number, or what it asks.
        status: How it stands.
        evidence: Why: the controls with their findings, or what is missing.
    """

    framework: str
    name: str
    status: Status
    evidence: str


_ASKED: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("Keys rotate, and nobody can switch that off", ("KMS:001", "IAM-KMS-7")),
    ("Administrators and users are different principals", ("IAM-KMS-8",)),
    ("The root user can restore the key policy", ("IAM-KMS-1",)),
    ("Nobody deletes a production key by accident", ("KMS:002", "IAM-KMS-3")),
    ("Every key has an alias to be named by", ("KMS:010",)),
    ("Key users have the access that they need, and no more", ("KMS:004", "IAM-KMS-6")),
)
_NOT_HERE: Final = (
    (
        "The pending window of production keys is 30 days",
        "KMS tells it of no live key; its policy can ask for it (kms:ScheduleKeyDeletionPendingWindowInDays)",
    ),
    (
        "Key administrators are security or break-glass roles, and no application's",
        "what a role is for, its name does not prove",
    ),
)


def requirements(report: Report, estate: Estate) -> tuple[Requirement, ...]:
    """Every requirement of every framework, and the checklist, in a stable order.

    Args:
        report: What was found.
        estate: What was judged.
    """
    by_control: dict[str, list[Finding]] = {}
    for finding in (*report.findings, *report.unshown):
        answers = _ALSO_OF.get(finding.id, finding.control)
        by_control.setdefault(answers, []).append(finding)
    unlisted = any(
        one.control == "KMS:LIVE" and one.detail == "unanswered" and one.path in _UNLISTED
        for one in report.findings
    )
    serving: dict[tuple[str, str], list[str]] = {}
    for control in CATALOGUE.values():
        for framework, names in control.mappings.items():
            for name in names:
                serving.setdefault((framework.value, name), []).append(control.id)
    found = [
        _requirement(framework, name, controls, by_control, unlisted=unlisted)
        for (framework, name), controls in sorted(serving.items())
    ]
    found += [
        _requirement(CHECKLIST, name, controls, by_control, unlisted=unlisted) for name, controls in _ASKED
    ]
    found.append(_tags(estate.keys, unlisted=unlisted))
    found += [Requirement(CHECKLIST, name, Status.NOT_DECIDABLE, why) for name, why in _NOT_HERE]
    return tuple(found)


def _requirement(
    framework: str,
    name: str,
    controls: Sequence[str],
    by_control: dict[str, list[Finding]],
    *,
    unlisted: bool,
) -> Requirement:
    findings = [one for control in controls for one in by_control.get(control, ())]
    status = _status(findings)
    if status in (Status.MET, Status.ACCEPTED, Status.NOT_DECIDABLE) and unlisted:
        return Requirement(framework, name, Status.UNDETERMINED, "not every key could be listed")
    return Requirement(framework, name, status, "; ".join(_evidence(controls, by_control)))


def _status(findings: Sequence[Finding]) -> Status:
    open_ = [one for one in findings if one.acknowledged is None]
    if any(one.outcome is Outcome.VIOLATION for one in open_):
        return Status.NOT_MET
    if any(one.outcome is Outcome.UNDETERMINED for one in open_):
        return Status.UNDETERMINED
    if len(open_) < len(findings):
        return Status.ACCEPTED
    if any(one.outcome is Outcome.COMPLIANT for one in open_):
        return Status.MET
    return Status.NOT_DECIDABLE


def _evidence(controls: Sequence[str], by_control: dict[str, list[Finding]]) -> Iterator[str]:
    for control in controls:
        counts: dict[str, int] = {}
        for one in by_control.get(control, ()):
            said = "acknowledged" if one.acknowledged is not None else one.outcome.value
            counts[said] = counts.get(said, 0) + 1
        told = ", ".join(f"{number} {said}" for said, number in sorted(counts.items()))
        yield f"{control}: {told or 'not judged'}"


def _tags(keys: Sequence[Key], *, unlisted: bool) -> Requirement:
    title = f"Every key has the tags {', '.join(tag.written for tag in _TAGS)}"
    unknown = [key for key in keys if is_unknown(key.tags)]
    without = [key for key in keys if any(tag_value(key.tags, tag) is None for tag in _TAGS)]
    if without:
        return Requirement(CHECKLIST, title, Status.NOT_MET, f"{len(without)} of {len(keys)} keys lack some")
    if unknown or unlisted:
        return Requirement(CHECKLIST, title, Status.UNDETERMINED, "not all tags could be read")
    if not keys:
        return Requirement(CHECKLIST, title, Status.NOT_DECIDABLE, "there are no keys")
    return Requirement(CHECKLIST, title, Status.MET, f"all of {len(keys)} keys have them")
