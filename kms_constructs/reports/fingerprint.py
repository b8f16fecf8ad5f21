"""What tells a finding from every other, from run to run: for formats whose readers track findings."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from kms_constructs.guardrails.finding import Finding

_STATEMENT_INDEX = re.compile(r"/\d+(?=/|$)")


def fingerprints(findings: Iterable[Finding]) -> tuple[str, ...]:
    """A fingerprint for each finding: what and where, without line numbers, statement indexes and wording.

    Those that would otherwise be equal get a number behind them, in the order given.
    """
    seen: Counter[str] = Counter()
    found = []
    for finding in findings:
        fingerprint = _fingerprint(finding)
        seen[fingerprint] += 1
        number = seen[fingerprint]
        found.append(fingerprint if number == 1 else f"{fingerprint}:{number}")
    return tuple(found)


def _fingerprint(finding: Finding) -> str:
    location = finding.location
    parts = [
        finding.id,
        location.stack,
        location.construct_path or location.logical_id or PurePosixPath(location.source).name,
        _STATEMENT_INDEX.sub("", finding.path),
        *sorted(finding.principals),
    ]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
