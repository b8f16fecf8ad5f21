"""What every report of recorded calls says: its period, and which keys are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from kms_constructs.analysis.diff import key_name
from kms_constructs.analysis.recorded.judged import title_of
from kms_constructs.analysis.recorded.keys import Matching
from kms_constructs.analysis.recorded.names import Named
from kms_constructs.reports.text import counted, one_line, printable
from kms_constructs.reports.version import tool_version

SCHEMA_VERSION = "1.0"
"""Version of the JSON of these reports; the first number changes when a reader has to change."""


def version(command: str) -> dict[str, str]:
    """What each JSON document begins with."""
    return {"schemaVersion": SCHEMA_VERSION, "tool": f"kms-constructs {tool_version()}", "command": command}


def days_of(first: str, last: str) -> int:
    """How many days a period touches; 0 when there is none.

    Example:
        >>> days_of("2026-05-01T23:00:00Z", "2026-05-02T01:00:00Z")
        2
    """
    if not first or not last:
        return 0
    return (datetime.fromisoformat(last).date() - datetime.fromisoformat(first).date()).days + 1


def period(first: str, last: str) -> str:
    """The period as a sentence."""
    if not first:
        return "The trail tells of no call to KMS in this period."
    return f"Calls recorded from {first[:10]} to {last[:10]}, {counted(days_of(first, last), 'day')}."


def matching_lines(matching: Matching, named: Sequence[Named]) -> Iterator[str]:
    """What is said of keys that are in one of both alone, and of names that the trail tells."""
    if matching.only_recorded:
        names = [
            f"{one_line(title_of(key))} ({counted(key.calls, 'call')})" for key in matching.only_recorded
        ]
        yield f"Keys of the trail in no input: {_some(names)}"
    if matching.only_given:
        names = [one_line(key_name(key)) for key in matching.only_given]
        yield f"Keys of the input of which the trail tells nothing: {_some(names)}"
    for one in named:
        yield f"{one_line(one.logical_id)} of the template is {one_line(one.name)}, by CloudFormation's names"


_MOST = 10


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


def keys_json(matching: Matching) -> dict[str, Any]:
    """Which keys are the same, and which are in one of both alone."""
    return {
        "matched": [
            {
                "arn": printable(one.recorded.arn),
                "key": printable(key_name(one.key)),
                "by": printable(one.by),
            }
            for one in matching.matched
        ],
        "onlyInTrail": [
            {
                "arn": printable(key.arn),
                "aliases": [printable(alias) for alias in key.aliases],
                "calls": key.calls,
            }
            for key in matching.only_recorded
        ],
        "managedByAws": [printable(key.arn) for key in matching.managed_by_aws],
        "onlyInInput": [printable(key_name(key)) for key in matching.only_given],
    }
