"""What the commands share that hold a trail against policies: their options, and how both are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from kms_constructs.cli import output
from kms_constructs.cli.boto import needing_trail
from kms_constructs.cli.options import Given
from kms_constructs.model.frozen import Frozen

if TYPE_CHECKING:
    from kms_constructs.analysis.recorded.call import Recorded
    from kms_constructs.model.estate import Estate
    from kms_constructs.runtime.trail.recorded import RecordedTrail

_Function = Callable[..., Any]


class TrailGiven(Frozen, frozen=True):
    """Which part of a trail is meant, and which of its keys is which of the input.

    Args:
        store: Directory of the store.
        since, until: First moment of the period and the one after its end, UTC; None for all there is.
        key_map: See `match_keys`.
    """

    store: Path
    since: datetime | None
    until: datetime | None
    key_map: dict[str, str]

    @property
    def last_day(self) -> date | None:
        """The last day of the period, which counts; None for the trail's last."""
        return None if self.until is None else (self.until - timedelta(days=1)).date()

    @contextmanager
    def opened(self) -> Iterator[RecordedTrail]:
        """The trail in the store.

        Raises:
            SourceError: It is none, or there is no DuckDB.
        """
        with needing_trail(str(self.store)):
            from kms_constructs.runtime.trail.recorded import RecordedTrail
            from kms_constructs.runtime.trail.store import TrailStore
        with TrailStore(self.store).opened() as connection:
            yield RecordedTrail(connection)

    def read(self, given: Given, *inputs: tuple[str, ...]) -> tuple[list[Estate], Recorded]:
        """What policies say, one estate for each input that is not empty, and what the trail tells of it.

        Args:
            given: What the caller says of the input; account and Region are the trail's where it says none.
            inputs: Paths of each input.

        Raises:
            SourceError: There is no store, no DuckDB, or nothing to read.
        """
        with self.opened() as opened, output.progress("Reading"):
            theirs = at_home(given, opened)
            estates = [theirs.estate(paths) for paths in inputs if paths]
            return estates, self.recorded(opened, estates)

    def recorded(self, trail: RecordedTrail, estates: Sequence[Estate]) -> Recorded:
        """What the trail tells, read for all that the estates ask of requests."""
        from kms_constructs.analysis.recorded.asked import asked_of

        return trail.recorded(asked_of(estates), since=self.since, until=self.until)


def trail_options(function: _Function) -> _Function:
    """STORE, ``--since``, ``--until`` and ``--key-map``: as one argument, `trail`."""

    @wraps(function)
    def with_trail(
        *,
        store: str,
        since: datetime | None,
        until: datetime | None,
        key_map: dict[str, str],
        **others: Any,  # noqa: ANN401 - the command's own options
    ) -> Any:  # noqa: ANN401 - whatever the command returns
        if since is not None and until is not None and since > until:
            raise click.UsageError("--since is after --until. Fix: give the earlier day first")
        trail = TrailGiven(
            Path(store),
            None if since is None else since.replace(tzinfo=UTC),
            # After the last day that there is nothing is left out.
            None
            if until is None or until.date() == date.max
            else until.replace(tzinfo=UTC) + timedelta(days=1),
            key_map,
        )
        return function(trail=trail, **others)

    decorated: _Function = with_trail
    for option in _OPTIONS:
        decorated = option(decorated)
    return click.argument("store", type=click.Path())(decorated)


def _pairs(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in values:
        # The ARN of a key has no equals sign.
        name, equals, wanted = value.partition("=")
        if not equals or not name or not wanted:
            raise click.BadParameter(f"{value!r} is not of the form KEY=NAME", context, parameter)
        found[name] = wanted
    return found


_DAY = click.DateTime(["%Y-%m-%d"])
_OPTIONS = (
    click.option(
        "--key-map",
        metavar="KEY=NAME",
        multiple=True,
        callback=_pairs,
        help="A key of the trail (ARN, id or alias) is that key of the input (alias, logical id or construct "
        "path), where aliases do not tell. May be repeated.",
    ),
    click.option("--until", type=_DAY, metavar="DAY", help="Last day, UTC.  [default: the trail's last]"),
    click.option("--since", type=_DAY, metavar="DAY", help="First day, UTC.  [default: the trail's first]"),
)


def at_home(given: Given, trail: RecordedTrail) -> Given:
    """What the caller gave, with account and Region of the trail where it says none and the trail has one."""
    deployment = given.deployment
    account, region = trail.home
    return replace(
        given,
        deployment=replace(
            deployment, account=deployment.account or account, region=deployment.region or region
        ),
    )


def tell_estates(estates: Sequence[Estate]) -> bool:
    """Says what could not be read of the input and how it was read; whether there was anything unreadable."""
    problems = tuple(dict.fromkeys(problem for estate in estates for problem in estate.problems))
    output.tell_problems(problems)
    output.tell_notes(tuple(dict.fromkeys(note for estate in estates for note in estate.notes)))
    return bool(problems)
