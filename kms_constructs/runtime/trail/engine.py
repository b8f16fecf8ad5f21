"""What runs the SQL of a report, and what it gives back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from kms_constructs.reports.trail_report import Cell, TrailReport
from kms_constructs.runtime.trail.catalogue import Query
from kms_constructs.runtime.trail.compile import Asked, Dialect, Sources, compile_query


@dataclass(frozen=True, slots=True)
class Rows:
    """The result of a query.

    Args:
        columns: Their names.
        rows: A cell a column, each.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]


class Engine(Protocol):
    """Something that runs SQL over ``events`` and ``event_keys``."""

    @property
    def dialect(self) -> Dialect:
        """What it is spoken to in."""

    def sources(self, asked: Asked) -> Sources:
        """What the two relations are there, for these days."""

    def run(self, sql: str) -> Rows:
        """The result of a query, whose values are in it.

        Raises:
            SourceError: The engine refuses it or fails.
        """


def statements(engine: Engine, queries: Iterable[Query], asked: Asked) -> list[tuple[Query, str]]:
    """Each report with what the engine is told; with `most`, one more row, to know whether there are more."""
    wider = asked if asked.most is None else replace(asked, most=asked.most + 1)
    sources = engine.sources(asked)
    return [(query, compile_query(query, engine.dialect, wider, sources)) for query in queries]


def ask(engine: Engine, queries: Iterable[Query], asked: Asked) -> list[TrailReport]:
    """Reports, by an engine.

    Args:
        engine: Runs them.
        queries: The reports.
        asked: About what.

    Raises:
        SourceError: The engine refuses one or fails.
    """
    return [_report(query, engine.run(sql), asked.most) for query, sql in statements(engine, queries, asked)]


def _report(query: Query, found: Rows, most: int | None) -> TrailReport:
    return TrailReport(
        name=query.name,
        title=query.title,
        answers=query.answers,
        columns=query.columns,
        rows=found.rows[:most],
        cut=most is not None and len(found.rows) > most,
    )
