"""The engine that is embedded: DuckDB over the store."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from kms_constructs.errors import SourceError
from kms_constructs.runtime.trail.compile import TABLES, Asked, Dialect, Sources
from kms_constructs.runtime.trail.engine import Rows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class DuckDbEngine:
    """Asks a connection that has ``events`` and ``event_keys``.

    Args:
        connection: Closed by whoever opened it.
        source: What the tables were read from, for messages.
    """

    dialect: Dialect = "duckdb"

    def __init__(self, connection: DuckDBPyConnection, source: str) -> None:
        self._connection = connection
        self._source = source

    def sources(self, _asked: Asked) -> Sources:
        """The tables."""
        return TABLES

    def days(self) -> tuple[date, date] | None:
        """The first and the last day that events are of; None without events."""
        ((first, last),) = self.run("select min(event_date), max(event_date) from events").rows
        return (first, last) if isinstance(first, date) and isinstance(last, date) else None

    def run(self, sql: str) -> Rows:
        """The result of a query.

        Raises:
            SourceError: DuckDB cannot read the store.
        """
        import duckdb

        try:
            found = self._connection.execute(sql)
            return Rows(tuple(column[0] for column in found.description or ()), found.fetchall())
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise SourceError(
                self._source,
                f"the store cannot be asked: {reason}",
                "Ingest the trail anew into another directory",
            ) from error
