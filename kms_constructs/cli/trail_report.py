"""`kms-constructs trail report`: what a trail tells of keys, in numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from msgspec import field

from kms_constructs.cli import output
from kms_constructs.cli.boto import needing_boto3, needing_trail
from kms_constructs.cli.options import output_options
from kms_constructs.errors import ArgumentError, SourceError
from kms_constructs.exit_code import ExitCode
from kms_constructs.model.frozen import Frozen
from kms_constructs.reports.formats import TRAIL_REPORTS

if TYPE_CHECKING:
    from kms_constructs.reports.trail_report import TrailReport, TrailReports
    from kms_constructs.runtime.trail.athena_cost import Files
    from kms_constructs.runtime.trail.athena_table import AthenaTable, Layout
    from kms_constructs.runtime.trail.catalogue import Query
    from kms_constructs.runtime.trail.compile import Asked, Sources

_ALL = "all"
_SHORT = 20
"""Rows that a table shows, and so all that an engine is asked for."""
_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_DAY = click.DateTime(["%Y-%m-%d"])


def _bytes(_context: click.Context, _parameter: click.Parameter, text: str) -> int:
    found = re.fullmatch(r"(\d+)\s*([KMGT]B)?", text.strip(), re.IGNORECASE)
    if found is None:
        raise click.BadParameter(f"{text!r} is no size: write it as 100GB")
    return int(found[1]) * _UNITS[(found[2] or "").upper()]


class _Wanted(Frozen, frozen=True, kw_only=True):
    """What is asked about, before the days of the trail are known."""

    store: str
    since: date | None
    until: date | None
    key: str | None
    most: int | None

    def asked(self, since: date, until: date) -> Asked:
        """About these days."""
        from kms_constructs.runtime.trail.compile import Asked

        try:
            return Asked(since=since, until=until, key=self.key, most=self.most)
        except ArgumentError as error:
            raise click.UsageError(
                f"--{error.argument} {error.value}: {error.rule}. Fix: {error.fix}"
            ) from error


class _Athena(Frozen, frozen=True, kw_only=True):
    """What only Athena is told."""

    organization: str | None
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    database: str
    table: str | None
    workgroup: str
    results: str | None
    profile: str | None
    timeout: int
    max_bytes: int
    price: float
    dry_run: bool


@click.command
@click.argument("store", metavar="STORE", type=click.Path())
@click.option("--report", "names", metavar="NAME", multiple=True,
              help="A report, `all`, or `list` for the names. May be repeated.  [default: all]")  # fmt: skip
@click.option("--since", type=_DAY, metavar="DAY", help="First day, UTC.  [default: the trail's first]")
@click.option("--until", type=_DAY, metavar="DAY", help="Last day, UTC.  [default: the trail's last]")
@click.option("--key", metavar="KEY", help="Only calls that name this key: its ARN, its id or an alias.")
@click.option("--engine", type=click.Choice(["duckdb", "athena"]), default="duckdb", show_default=True,
              help="Who counts: this machine, or Athena where the files lie.")  # fmt: skip
@click.option(
    "--dry-run", is_flag=True, help="Athena: print table, queries and what they would read; run none."
)
@click.option("--max-bytes", metavar="SIZE", default="100GB", show_default=True, callback=_bytes,
              help="Athena: refuse when the queries would read more.")  # fmt: skip
@click.option("--price-per-tb", "price", type=click.FloatRange(min=0), default=5.0, show_default=True,
              help="Athena: US dollars for 10^12 bytes; assumed, look up your Region's.")  # fmt: skip
@click.option("--organization", metavar="ID", help="Athena: the trail is that of this organization.")
@click.option("--account", "accounts", metavar="ID", multiple=True,
              help="Athena: only this account's files. May be repeated.  [default: all]")  # fmt: skip
@click.option("--region", "regions", metavar="REGION", multiple=True,
              help="Athena: only this Region's files. May be repeated.  [default: all]")  # fmt: skip
@click.option("--database", default="default", show_default=True, help="Athena: database of the table.")
@click.option("--table", metavar="NAME", help="Athena: name of the table.  [default: one for each layout]")
@click.option("--workgroup", default="primary", show_default=True, help="Athena: its limits hold.")
@click.option("--results", metavar="S3URI",
              help="Athena: where results go.  [default: where the workgroup says]")  # fmt: skip
@click.option("--timeout", metavar="SECONDS", type=click.IntRange(min=1), default=600, show_default=True,
              help="Athena: longest that a query may take.")  # fmt: skip
@click.option("--profile", metavar="NAME", help="Athena: profile to ask with.")
@output_options(TRAIL_REPORTS.names)
def report(
    *,
    store: str,
    names: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    key: str | None,
    engine: str,
    outputs: tuple[str, ...],
    format_: str | None,
    **athena: Any,  # noqa: ANN401 - the options of `_Athena`
) -> int:
    """Count what the trail in STORE tells of keys.

    By event, principal, key, alias, service, source, error and encryption context; over time; the first and
    the last use of each key; who calls on which key most.

    STORE is what `trail ingest` filled, or a directory or file of logs as CloudTrail delivers them, or with
    --engine athena the place before AWSLogs in a bucket, s3://BUCKET/PREFIX. Athena reads the files of the
    days asked, for money: --since is needed, and what the queries will read is said before they run.

    A call that several accounts recorded counts once.

    \b
    Examples:
      kms-constructs trail report trail/
      kms-constructs trail report trail/ --report by-principal --report by-error --since 2026-05-01
      kms-constructs trail report trail/ --key alias/orders -o orders.html
      kms-constructs trail report trail/ --report last-use -o last-use.json
      kms-constructs trail report s3://trail-of-ours --engine athena --since 2026-05-01 --dry-run

    \b
    Exit codes: 0 done, 2 wrong usage, a store that cannot be read or is empty, or more bytes than allowed.
    """
    if names == ("list",):
        click.echo(_list(), nl=False)
        return ExitCode.CLEAN
    if engine != "athena":
        _refuse_options_of_athena(tuple(athena))
    if since is not None and until is not None and since > until:
        raise click.UsageError("--since is after --until. Fix: give the earlier day first")
    with needing_trail(store):
        queries = _queries(names)
        places = output.targets(outputs, format_, TRAIL_REPORTS)
        wanted = _Wanted(
            store=store,
            since=since.date() if since else None,
            until=until.date() if until else None,
            key=key,
            most=_SHORT if {place.format for place in places} == {"table"} else None,
        )
        if engine == "athena":
            found = _by_athena(wanted, queries, _Athena(**athena))
        else:
            found = _by_duckdb(wanted, queries)
    if found is not None:
        output.write(places, output.draw(places, TRAIL_REPORTS, found))
    return ExitCode.CLEAN


def _refuse_options_of_athena(names: tuple[str, ...]) -> None:
    context = click.get_current_context()
    for parameter in context.command.params:
        if (
            parameter.name in names
            and context.get_parameter_source(parameter.name) != ParameterSource.DEFAULT
        ):
            raise click.UsageError(
                f"{parameter.opts[0]} is for --engine athena alone. Fix: add that, or leave this out"
            )


def _list() -> str:
    from kms_constructs.runtime.trail.catalogue import reports

    width = max(map(len, reports()))
    return "".join(f"{query.name:{width}}  {query.answers}\n" for query in reports().values())


def _queries(names: tuple[str, ...]) -> list[Query]:
    from kms_constructs.runtime.trail.catalogue import reports

    known = reports()
    for name in names:
        if name not in known and name != _ALL:
            raise click.UsageError(
                f"--report {name}: there is no such report. Fix: use {', '.join(known)}, or {_ALL}"
            )
    wanted = known if not names or _ALL in names else names
    return [query for query in known.values() if query.name in wanted]


def _together(source: str, asked: Asked, reports: list[TrailReport]) -> TrailReports:
    from kms_constructs.reports.trail_report import TrailReports

    return TrailReports(source=source, since=asked.since, until=asked.until, key=asked.key, reports=reports)


def _by_duckdb(wanted: _Wanted, queries: list[Query]) -> TrailReports:
    from kms_constructs.runtime.trail.duckdb_engine import DuckDbEngine
    from kms_constructs.runtime.trail.engine import ask
    from kms_constructs.runtime.trail.store import TrailStore

    with _stored(Path(wanted.store)) as directory, TrailStore(directory).opened() as connection:
        engine = DuckDbEngine(connection, wanted.store)
        spanned = engine.days()
        if spanned is None:
            raise SourceError(
                wanted.store, "it holds no event that bears on a key",
                "Ingest log files of a trail that records KMS events",
            )  # fmt: skip
        since, until = wanted.since or spanned[0], wanted.until or spanned[1]
        if since > until:
            raise click.UsageError(
                f"the trail is of {spanned[0]} to {spanned[1]}: nothing lies from {since} to {until}. "
                "Fix: ask about days of the trail"
            )
        asked = wanted.asked(since, until)
        with output.progress("Counting"):
            return _together(wanted.store, asked, ask(engine, queries, asked))


@contextmanager
def _stored(place: Path) -> Iterator[Path]:
    """The store; log files become one for as long as they are asked."""
    from kms_constructs.runtime.trail.ingest import ingest
    from kms_constructs.runtime.trail.manifest import MANIFEST
    from kms_constructs.runtime.trail.sources import LocalFiles, Scope

    if (place / MANIFEST).is_file():
        yield place
        return
    if not place.exists():
        raise SourceError(
            str(place), "there is no store and no log file",
            f"Fill a store first: kms-constructs trail ingest SOURCE... --into {place}",
        )  # fmt: skip
    with TemporaryDirectory(prefix="kms-constructs-trail-") as directory:
        with output.progress(f"Reading {place}"):
            summary = ingest(Path(directory), [LocalFiles((place,), Scope())])
        for one in summary.quarantined:
            output.tell(f"{one.name}: {one.problem}. It is left out.", colour="red")
        yield Path(directory)


def _by_athena(wanted: _Wanted, queries: list[Query], given: _Athena) -> TrailReports | None:
    since, until = wanted.since, wanted.until or datetime.now(UTC).date()
    if since is None:
        raise click.UsageError("Athena charges for what it reads. Fix: say the first day with --since")
    asked = wanted.asked(since, until)
    given_layout = _layout(wanted.store, given)
    with needing_boto3("trail report --engine athena"):
        from kms_constructs.runtime.trail import athena, athena_cost
        from kms_constructs.runtime.trail.athena_table import AthenaTable
        from kms_constructs.runtime.trail.engine import ask
    s3, client = athena.clients(given.profile)
    with output.progress("Listing the files"):
        layout = athena_cost.discovered(s3, given_layout)
        files = athena_cost.files(s3, layout, asked)
    table = AthenaTable(given.database, layout, given.table)
    sources = cache(table.sources)  # the same for every report
    engine = athena.AthenaEngine(
        client, sources, database=given.database, workgroup=given.workgroup, output=given.results,
        timeout=given.timeout,
    )  # fmt: skip
    costs = _Costs(queries, asked, table, sources(asked), files, given.price)
    if given.dry_run:
        click.echo(costs.script())
        return None
    output.tell(costs.summary())
    if costs.size > given.max_bytes:
        raise click.UsageError(
            f"the queries would read {_size(costs.size)}, and --max-bytes allows {_size(given.max_bytes)}. "
            "Fix: ask about fewer days or fewer reports, or allow more"
        )
    engine.run(table.create_statement())
    with output.progress("Athena is counting"):
        reports = ask(engine, queries, asked)
    output.tell(f"Athena says that it read {_size(engine.scanned)}.")
    return _together(wanted.store, asked, reports)


def _layout(store: str, given: _Athena) -> Layout:
    from kms_constructs.runtime.trail.athena_table import Layout

    found = re.fullmatch(r"s3://([^/]+)(?:/(.*))?", store)
    if found is None:
        raise click.UsageError(
            f"{store} is no place in S3. Fix: give what stands before AWSLogs, as s3://BUCKET/PREFIX"
        )
    prefix = (found[2] or "").partition("AWSLogs")[0].strip("/")
    return Layout(
        bucket=found[1],
        prefix=prefix,
        organization=given.organization,
        accounts=given.accounts,
        regions=given.regions,
    )


class _Costs(Frozen, frozen=True):
    """What queries are, will read and cost."""

    queries: list[Query]
    asked: Asked
    table: AthenaTable
    sources: Sources
    files: Files
    price: float
    sizes: dict[str, int] = field(default_factory=dict)
    """What is known of each query."""

    def read(self, query: Query) -> int:
        """Bytes that one query will read."""
        from kms_constructs.runtime.trail.compile import assemble, scans

        if query.name not in self.sizes:
            tree = assemble(query, self.asked, self.sources)
            self.sizes[query.name] = self.files.read(scans(tree, self.table.table))
        return self.sizes[query.name]

    @property
    def size(self) -> int:
        """Bytes that all will read."""
        return sum(map(self.read, self.queries))

    def summary(self) -> str:
        """In a sentence."""
        from kms_constructs.reports.text import counted
        from kms_constructs.runtime.trail.athena_cost import cost

        return (
            f"{counted(len(self.queries), 'query', 'queries')} over {counted(self.files.count, 'file')} of "
            f"{_size(self.files.size)}: about {_size(self.size)} to read, "
            f"${cost(self.size, self.price):.2f} at ${self.price:g} a TB (assumed)."
        )

    def script(self) -> str:
        """Everything that would be run."""
        from kms_constructs.runtime.trail.athena_cost import cost
        from kms_constructs.runtime.trail.compile import compile_query

        parts = [f"-- {self.summary()}", f"{self.table.create_statement()};"]
        for query in self.queries:
            size = self.read(query)
            sql = compile_query(query, "trino", self.asked, self.sources)
            parts.append(f"-- {query.name}: about {_size(size)}, ${cost(size, self.price):.4f}\n{sql};")
        return "\n\n".join(parts)


def _size(number: int) -> str:
    for unit in ("TB", "GB", "MB", "KB"):
        if number >= _UNITS[unit]:
            return f"{number / _UNITS[unit]:.4g} {unit}"
    return f"{number} bytes"
