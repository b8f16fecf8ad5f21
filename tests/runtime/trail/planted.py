"""What a synthetic trail has planted against what was found in it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kms_constructs.detections.synthetic.incidents import Incident
from kms_constructs.detections.trail.detection import TrailFinding

COUNTED_BY_DAY = "decrypt-volume"
"""Its day has what is usual beside what was planted."""

Row = tuple[str, str, str, int]


def expected_of(incidents: Iterable[Incident]) -> dict[tuple[str, str, str], tuple[int, frozenset[str]]]:
    """Detection, key and caller to the number of events and their ids."""
    found: dict[tuple[str, str, str], tuple[int, frozenset[str]]] = {}
    for one in incidents:
        for detection, ids in one.findings.items():
            place = detection, unit(one.key, detection), one.principal
            count, known = found.get(place, (0, frozenset()))
            found[place] = count + len(ids), known | frozenset(ids)
    return found


def unit(key: str, detection: str) -> str:
    """Related multi-Region keys are one where it is asked what is new to a key."""
    if detection.endswith("-never-seen") and ":key/mrk-" in key:
        return re.sub(r":kms:[^:]*:", ":kms:*:", key)
    return key


def differences(incidents: Iterable[Incident], findings: Iterable[TrailFinding]) -> list[str]:
    """What was not found, what was invented, and what was counted otherwise; none when all is well."""
    expected = expected_of(incidents)
    found = {(one.what.id, one.key, _principal(one)): one for one in findings}
    said = [f"not found: {place}" for place in expected.keys() - found.keys()]
    said += [f"invented: {place} {found[place].detail}" for place in found.keys() - expected.keys()]
    for place in expected.keys() & found.keys():
        count, ids = expected[place]
        one = found[place]
        if place[0] == COUNTED_BY_DAY:
            if one.count < count:
                said.append(f"counted {one.count} of {count}: {place}")
        elif one.count != count or not ids.issuperset(one.events) or len(one.events) != min(5, count):
            said.append(f"counted {one.count} {one.events} of {count}: {place}")
    return sorted(said)


def _principal(finding: TrailFinding) -> str:
    # What KMS does by itself has no caller; incidents tell none.
    return "" if finding.principal == "AWS Internal" else finding.principal
