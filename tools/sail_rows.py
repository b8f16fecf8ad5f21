"""Runs SQL of Spark's dialect on Sail, a Spark without a JVM, and writes the rows: for ``test_engines``.

It needs nothing of this project, and runs in an environment of its own, which `benchmarks/trail_engines.sh`
makes::

    python tools/sail_rows.py DIRECTORY

DIRECTORY has ``tables/NAME.parquet`` and ``queries/NAME.sql``; ``rows/NAME.json`` is made of them.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

MODE = "local-cluster"
"""A driver and workers that speak to each other: what is not the same in one process alone shows here."""


def plain(cell: Any) -> Any:  # noqa: ANN401 - a cell of Spark's
    """A cell as JSON has it."""
    return cell.isoformat() if isinstance(cell, (date, datetime)) else cell


def main(directory: Path) -> None:
    """Makes the rows."""
    os.environ["SAIL_MODE"] = MODE
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer()
    server.start(background=True)
    host, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://{host}:{port}").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    for table in sorted(directory.glob("tables/*.parquet")):
        spark.read.parquet(str(table)).createOrReplaceTempView(table.stem)
    (directory / "rows").mkdir(exist_ok=True)
    for query in sorted(directory.glob("queries/*.sql")):
        rows = [[plain(cell) for cell in row] for row in spark.sql(query.read_text("utf-8")).collect()]
        (directory / "rows" / f"{query.stem}.json").write_text(json.dumps(rows), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    # The client waits for a server that has gone, and never ends.
    sys.stdout.flush()
    os._exit(0)
