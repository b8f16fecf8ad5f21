"""What the commands draw that hold a trail against policies.

What draws is loaded when it is called, as in `formats`, which has these as its entries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kms_constructs.model.frozen import Frozen

if TYPE_CHECKING:
    from kms_constructs.analysis.recorded.impact import Impact
    from kms_constructs.analysis.recorded.least_privilege import Narrowings
    from kms_constructs.analysis.recorded.usage import Usage
    from kms_constructs.reports.console import Look


class Impacts(Frozen, frozen=True):
    """What ``trail impact`` reports: what a change would have done to recorded calls.

    Args:
        impact: That.
        everything: Whether to show what is allowed or does not change, too.
    """

    impact: Impact
    everything: bool = False


class Usages(Frozen, frozen=True):
    """What ``trail access`` reports: who uses keys against who may."""

    usage: Usage


class Narrower(Frozen, frozen=True):
    """What ``trail least-privilege`` reports: key policies narrowed to what was used."""

    narrowings: Narrowings


def table_impacts(it: Impacts, look: Callable[[], Look]) -> str:
    """What a change would have broken, for terminals."""
    from kms_constructs.reports.trail_impact import impact_table

    return impact_table(it.impact, look(), everything=it.everything)


def json_impacts(it: Impacts, _look: Callable[[], Look]) -> str:
    """The same for programs."""
    from kms_constructs.reports.trail_impact import impact_json

    return impact_json(it.impact)


def csv_impacts(it: Impacts, _look: Callable[[], Look]) -> str:
    """The same for spreadsheets."""
    from kms_constructs.reports.trail_impact import impact_csv

    return impact_csv(it.impact)


def table_usages(it: Usages, look: Callable[[], Look]) -> str:
    """Who uses keys against who may, for terminals."""
    from kms_constructs.reports.trail_usage import usage_table

    return usage_table(it.usage, look())


def json_usages(it: Usages, _look: Callable[[], Look]) -> str:
    """The same for programs."""
    from kms_constructs.reports.trail_usage import usage_json

    return usage_json(it.usage)


def csv_usages(it: Usages, _look: Callable[[], Look]) -> str:
    """The same for spreadsheets."""
    from kms_constructs.reports.trail_usage import usage_csv

    return usage_csv(it.usage)


def diff_narrower(it: Narrower, _look: Callable[[], Look]) -> str:
    """Narrower policies, as a diff."""
    from kms_constructs.reports.trail_policy import narrowings_diff

    return narrowings_diff(it.narrowings)


def json_narrower(it: Narrower, _look: Callable[[], Look]) -> str:
    """The same for programs."""
    from kms_constructs.reports.trail_policy import narrowings_json

    return narrowings_json(it.narrowings)
