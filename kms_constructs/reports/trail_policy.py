"""Key policies narrowed to what was used: as a unified diff, and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kms_constructs.reports.text import printable
from kms_constructs.reports.trail_words import days_of, keys_json, version

if TYPE_CHECKING:
    from kms_constructs.analysis.recorded.least_privilege import Narrowing, Narrowings


def narrowings_diff(found: Narrowings) -> str:
    """The change of every policy that can be narrower."""
    return "".join(f"{printable(line)}\n" for one in found.keys for line in one.diff().splitlines())


def narrowings_json(found: Narrowings) -> str:
    """Every policy, the narrower one beside it, and what was taken away."""
    document: dict[str, Any] = {
        **version("trail least-privilege"),
        "period": {
            "first": found.first or None,
            "last": found.last or None,
            "days": days_of(found.first, found.last),
        },
        "policies": [_policy(one) for one in found.keys],
        "keys": keys_json(found.matching),
        "names": {printable(one.logical_id): printable(one.name) for one in found.named},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _policy(one: Narrowing) -> dict[str, Any]:
    return {
        "key": printable(one.key),
        "arn": printable(one.arn),
        "refused": printable(one.refused) or None,
        "before": _plain(one.before),
        "after": _plain(one.after),
        "dropped": [
            {
                "statement": printable(dropped.statement),
                "principal": printable(dropped.principal),
                "actions": list(dropped.actions),
            }
            for dropped in one.dropped
        ],
        "kept": [printable(why) for why in one.kept],
        "callsThatStay": one.calls,
    }


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """The document with every text of it printable."""
    if isinstance(value, Mapping):
        return {printable(str(key)): _plain(member) for key, member in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(member) for member in value]
    return printable(value) if isinstance(value, str) else value
