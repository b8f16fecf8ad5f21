"""Every report gives equal rows on every engine: executed, for text that looks right proves nothing.

- DuckDB, and PlainCount beside it: `test_reports`.
- Sail, Spark Connect with workers: where ``TRAIL_SAIL_PYTHON`` names a Python with ``pysail`` and
  ``pyspark-client``.
- Athena's API, in MiniStack, which has DuckDB underneath: it proves what is sent and read, not Trino.
- Trino's text, with the relations over CloudTrail's files, by two parsers: ``trino-sql-validator`` where
  ``TRINO_VALIDATOR_PYTHON`` names a Python that has it, and ``dt-sql-parser`` where ``TRINO_PARSER`` names a
  program that takes SQL as standard input and exits with 1 when it is none.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kms_constructs.detections.synthetic.trail import SyntheticTrail
from kms_constructs.detections.synthetic.world import TrailOptions
from kms_constructs.runtime.trail.athena import AthenaEngine
from kms_constructs.runtime.trail.athena_table import AthenaTable, Layout
from kms_constructs.runtime.trail.catalogue import reports
from kms_constructs.runtime.trail.compile import TABLES, Asked, Dialect, compile_query
from kms_constructs.runtime.trail.duckdb_engine import DuckDbEngine
from kms_constructs.runtime.trail.engine import ask
from tests import ministack
from tests.conftest import REPOSITORY
from tests.runtime.trail.plain_count import PlainCount
from tests.runtime.trail.records import flat_tables, rows_of

pytestmark = pytest.mark.slow

ASKED = Asked(since=date(2026, 5, 3), until=date(2026, 5, 20))
LAYOUT = Layout(bucket="trail-of-ours", accounts=("111122223333",), regions=("eu-central-1",))


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A synthetic trail as flat tables, and as files of Parquet."""
    directory = tmp_path_factory.mktemp("flat")
    trail = SyntheticTrail(TrailOptions(events=3000, days=30, seed=3))
    with duckdb.connect() as connection:
        events, keys = rows_of(trail.records())
        flat_tables(connection, events, keys)
        (directory / "tables").mkdir()
        for table in ("events", "event_keys"):
            connection.execute(f"copy {table} to '{directory}/tables/{table}.parquet'")
        counted = PlainCount(events, keys, ASKED.since, ASKED.until)
        for report in ask(DuckDbEngine(connection, "test"), reports().values(), ASKED):
            assert list(report.rows) == counted.report(report.name), report.name
            assert report.rows, report.name
        yield connection, directory


def as_json(rows: Any) -> Any:
    return [[cell.isoformat() if isinstance(cell, date) else cell for cell in row] for row in rows]


def texts(dialect: Dialect) -> Iterator[tuple[str, str]]:
    for name, query in reports().items():
        yield name, compile_query(query, dialect, ASKED)


def test_sail_gives_the_rows_of_duckdb(flat: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    python = os.environ.get("TRAIL_SAIL_PYTHON")
    if not python:
        pytest.skip(
            "TRAIL_SAIL_PYTHON names no Python with pysail and pyspark-client: benchmarks/trail_engines.sh"
        )
    connection, directory = flat
    (directory / "queries").mkdir()
    for name, sql in texts("spark"):
        (directory / "queries" / f"{name}.sql").write_text(sql, "utf-8")
    script = REPOSITORY / "tools" / "sail_rows.py"
    done = subprocess.run(
        [python, script, directory], check=False, capture_output=True, text=True, timeout=300,
        env={name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "SAIL"))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    for name, sql in texts("duckdb"):
        told = json.loads((directory / "rows" / f"{name}.json").read_text("utf-8"))
        assert told == as_json(connection.execute(sql).fetchall()), name


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ministack.MiniStack]:
    python = Path(ministack.PROGRAM).parent / "python"
    if python.exists() and subprocess.run([python, "-c", "import duckdb"], check=False).returncode:
        pytest.skip("MiniStack has no DuckDB beside it, and would invent rows: make pytest")
    with ministack.running(tmp_path_factory.mktemp("ministack")) as running:
        yield running


def test_the_api_of_athena_gives_the_rows_of_duckdb(
    flat: tuple[duckdb.DuckDBPyConnection, Path], emulator: ministack.MiniStack
) -> None:
    connection, directory = flat
    s3, glue = emulator.client("s3"), emulator.client("glue")
    s3.create_bucket(Bucket="flat", CreateBucketConfiguration={"LocationConstraint": ministack.REGION})
    glue.create_database(DatabaseInput={"Name": "logs"})
    for table in ("events", "event_keys"):
        s3.upload_file(str(directory / "tables" / f"{table}.parquet"), "flat", f"{table}/{table}.parquet")
        described = connection.execute(f"describe {table}").fetchall()
        glue.create_table(
            DatabaseName="logs",
            TableInput={
                "Name": table,
                "StorageDescriptor": {
                    "Columns": [{"Name": name, "Type": _hive(kind)} for name, kind, *_ in described],
                    "Location": f"s3://flat/{table}/",
                    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                    "SerdeInfo": {
                        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
                    },
                },
            },
        )
    athena = AthenaEngine(
        emulator.client("athena"), lambda _: TABLES, database="logs", output="s3://flat/results/", timeout=60
    )
    here = ask(DuckDbEngine(connection, "test"), reports().values(), ASKED)
    for mine, theirs in zip(here, ask(athena, reports().values(), ASKED), strict=True):
        assert list(theirs.rows) == list(mine.rows), mine.name


def _hive(kind: str) -> str:
    return {"VARCHAR": "string"}.get(kind, kind.lower())


def trino_texts() -> list[tuple[str, str]]:
    """Every report over flat tables and over CloudTrail's files, for all keys and for one."""
    table = AthenaTable("logs", LAYOUT)
    found = []
    for key in (None, "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"):
        asked = Asked(since=ASKED.since, until=ASKED.until, key=key, most=100)
        for name, query in reports().items():
            for kind, sources in (("flat", TABLES), ("files", table.sources(asked))):
                found.append((f"{name} over {kind}", compile_query(query, "trino", asked, sources)))
    return found


_VALIDATE = """
import json, sys, trino_sql_validator
wrong = {}
for name, sql in json.load(sys.stdin):
    found = trino_sql_validator.validate(sql)
    if not found.valid or found.unknown_functions or found.unknown_types:
        wrong[name] = repr(found)
print(json.dumps(wrong))
"""


def test_a_validator_of_trino_takes_every_report() -> None:
    python = os.environ.get("TRINO_VALIDATOR_PYTHON")
    if not python:
        pytest.skip(
            "TRINO_VALIDATOR_PYTHON names no Python with trino-sql-validator: benchmarks/trail_engines.sh"
        )
    done = subprocess.run(
        [python, "-c", _VALIDATE], input=json.dumps([*trino_texts(), ("no SQL", "select from where")]),
        check=True, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert list(json.loads(done.stdout)) == ["no SQL"], done.stdout[-2000:]


def test_a_parser_of_trino_takes_every_report() -> None:
    program = os.environ.get("TRINO_PARSER")
    if not program or shutil.which(program) is None:
        pytest.skip("TRINO_PARSER names no program with dt-sql-parser: benchmarks/trail_engines.sh")

    def taken(sql: str) -> bool:
        done = subprocess.run([program], input=sql, check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode in (0, 1), done.stderr[-2000:]
        return done.returncode == 0

    assert [name for name, sql in trino_texts() if not taken(sql)] == []
    assert not taken("select from where")
