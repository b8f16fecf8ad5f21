"""Findings as files for AWS Security Hub: ASFF for Security Hub CSPM, OCSF 1.6 for Security Hub.

Both tell compliance findings, one a finding and resource. Only what stands for an account can be told there:
findings of live keys name theirs; findings of other input are left out.

See: https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html and
https://schema.ocsf.io/1.6.0/classes/compliance_finding
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.finding import Finding, Outcome, Report, Severity
from kms_constructs.model.arn import is_account_id, of_region
from kms_constructs.reports.text import one_line
from kms_constructs.reports.version import tool_version

_SEVERITIES: Final = {
    Severity.HIGH: ("HIGH", 4),
    Severity.MEDIUM: ("MEDIUM", 3),
    Severity.LOW: ("LOW", 2),
    Severity.WARNING: ("INFORMATIONAL", 1),
}
"""Label of ASFF and severity_id of OCSF."""
_COMPLIANCE: Final = {
    Outcome.COMPLIANT: ("PASSED", 1, "Pass"),
    Outcome.VIOLATION: ("FAILED", 3, "Fail"),
    Outcome.UNDETERMINED: ("WARNING", 2, "Warning"),
}
"""Status of ASFF; status_id and status of OCSF's compliance."""
_GLOBAL: Final = "us-east-1"
_MOST_TITLE, _MOST_TEXT, _MOST_FIX = 256, 1024, 512
_WORKFLOW: Final = {False: "NEW", True: "SUPPRESSED"}


def findings_asff(report: Report, now: datetime | None = None) -> str:
    """The findings of live keys for BatchImportFindings, as ``{"Findings": […]}``.

    BatchImportFindings takes a hundred at a time.

    Args:
        report: What was found.
        now: When; None for now.
    """
    moment = _stamp(now)
    return _dump({"Findings": [_asff(one, *place, moment) for one, place in _placed(report)]})


def findings_ocsf(report: Report, now: datetime | None = None) -> str:
    """The findings of live keys as OCSF compliance findings (class 2003), a list.

    Args:
        report: What was found.
        now: When; None for now.
    """
    at = now or datetime.now(UTC)
    return _dump([_ocsf(one, *place, at) for one, place in _placed(report)])


def _placed(report: Report) -> Iterator[tuple[Finding, tuple[str, str]]]:
    """The findings that belong to an account, with it and the Region."""
    for finding in (*report.findings, *report.unshown):
        account, _, region = finding.location.source.partition("/")
        if finding.outcome in _COMPLIANCE and is_account_id(account):
            yield finding, (account, region if "-" in region else _GLOBAL)


def _asff(finding: Finding, account: str, region: str, moment: str) -> dict[str, Any]:
    partition = of_region(region).name
    control = CATALOGUE[finding.control]
    status, _, _ = _COMPLIANCE[finding.outcome]
    label = "INFORMATIONAL" if finding.outcome is Outcome.COMPLIANT else _SEVERITIES[finding.severity][0]
    return {
        "SchemaVersion": "2018-10-08",
        "Id": _uid(finding),
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "GeneratorId": f"kms-constructs/{finding.control}",
        "AwsAccountId": account,
        "Region": region,
        "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        "CreatedAt": moment,
        "UpdatedAt": moment,
        "Severity": {"Label": label},
        "Title": _cut(f"{finding.id}: {control.title}", _MOST_TITLE),
        "Description": _cut(finding.message, _MOST_TEXT),
        "Remediation": {
            "Recommendation": {
                "Text": _cut(finding.fix or control.remediation, _MOST_FIX),
                "Url": control.references[0],
            }
        },
        "ProductFields": {"kms-constructs/finding": finding.id, "kms-constructs/version": tool_version()},
        "Resources": [
            {
                "Type": "AwsKmsKey" if _is_key(finding) else "Other",
                "Id": _resource(finding, account, region, partition),
                "Partition": partition,
                "Region": region,
            }
        ],
        "Compliance": {"Status": status, "RelatedRequirements": _requirements(finding)[:32]},
        "Workflow": {"Status": _WORKFLOW[finding.acknowledged is not None]},
        "RecordState": "ACTIVE",
    }


def _ocsf(finding: Finding, account: str, region: str, at: datetime) -> dict[str, Any]:
    partition = of_region(region).name
    control = CATALOGUE[finding.control]
    _, compliance_id, compliance = _COMPLIANCE[finding.outcome]
    severity = 1 if finding.outcome is Outcome.COMPLIANT else _SEVERITIES[finding.severity][1]
    suppressed = finding.acknowledged is not None
    time = int(at.timestamp() * 1000)
    return {
        "activity_id": 1,
        "category_uid": 2,
        "class_uid": 2003,
        "type_uid": 200301,
        "time": time,
        "severity_id": severity,
        "status_id": 3 if suppressed else 1,
        "message": one_line(finding.message),
        "metadata": {
            "version": "1.6.0",
            "product": {"name": "kms-constructs", "vendor_name": "kms-constructs", "version": tool_version()},
        },
        "cloud": {"provider": "AWS", "region": region, "account": {"uid": account, "type_id": 10}},
        "finding_info": {
            "uid": _uid(finding),
            "title": f"{finding.id}: {control.title}",
            "desc": one_line(finding.message),
            "created_time": time,
            "types": ["KMS guardrail"],
        },
        "compliance": {
            "control": finding.control,
            "status_id": compliance_id,
            "status": compliance,
            "standards": sorted(framework.value for framework in control.mappings) or ["kms-constructs"],
            "requirements": _requirements(finding),
        },
        "remediation": {
            "desc": one_line(finding.fix or control.remediation),
            "references": list(control.references),
        },
        "resources": [
            {
                "uid": _resource(finding, account, region, partition),
                "type": "AwsKmsKey" if _is_key(finding) else "Other",
                "region": region,
                "cloud_partition": partition,
            }
        ],
    }


def _uid(finding: Finding) -> str:
    """The same for the same finding on every day: what Security Hub updates a finding by."""
    place = finding.location
    exact = finding.fingerprints or (finding.path,)
    known = json.dumps([place.source, place.logical_id, finding.id, finding.path, *exact])
    return f"kms-constructs/{place.source}/{finding.id}/{hashlib.sha256(known.encode()).hexdigest()[:32]}"


def _is_key(finding: Finding) -> bool:
    name = finding.location.logical_id
    return bool(name) and "/" not in name and name != "trails"


def _resource(finding: Finding, account: str, region: str, partition: str) -> str:
    name = finding.location.logical_id
    if _is_key(finding):
        return f"arn:{partition}:kms:{region}:{account}:key/{name}"
    return f"AWS::::Account:{account}" if not name else f"{finding.location.source}/{name}"


def _requirements(finding: Finding) -> list[str]:
    mappings = CATALOGUE[finding.control].mappings
    return [f"{framework.value} {name}" for framework, names in mappings.items() for name in names]


def _cut(text: str, most: int) -> str:
    line = one_line(text)
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _stamp(now: datetime | None) -> str:
    return (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _dump(document: object) -> str:
    return json.dumps(_shown(document), indent=2, ensure_ascii=False) + "\n"


def _shown(value: object) -> object:
    """The value with what an account put into its texts made harmless."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {one_line(name): _shown(member) for name, member in value.items()}
    return list(map(_shown, value)) if isinstance(value, list) else value
