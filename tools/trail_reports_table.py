"""Reports of trails, and columns: ``python -m tools.trail_reports_table --write docs/trail-report.md``."""

from __future__ import annotations

from collections.abc import Iterable

from kms_constructs.runtime.trail.catalogue import Query, reports
from tools.generated_table import GeneratedTable, table


def markdown_tables(queries: Iterable[Query] | None = None) -> str:
    """A heading and a table of its columns for each report, as the heads of the SQL files say."""
    return "\n".join(map(_section, reports().values() if queries is None else queries))


def _section(query: Query) -> str:
    rows = [(f"`{name}`", meaning) for name, meaning in query.columns.items()]
    return f"### {query.name}\n\n{query.title}. {query.answers}\n\n{table(('Column', 'Meaning'), rows)}"


TABLE = GeneratedTable("trail-reports", markdown_tables)

if __name__ == "__main__":
    raise SystemExit(TABLE.main())
