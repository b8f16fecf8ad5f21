"""The engine that outgrows one machine: Athena, over the files of a trail where they lie.

The client is handed in. `kms_constructs.runtime.trail.athena_cost` tells what a query will cost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from kms_constructs.errors import SourceError
from kms_constructs.reports.trail_report import Cell
from kms_constructs.runtime.trail.compile import Asked, Dialect, Sources
from kms_constructs.runtime.trail.engine import Rows

TIMEOUT_SECONDS: Final = 600.0
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 5.0
_RUNNING: Final = frozenset({"QUEUED", "RUNNING"})


def clients(profile: str | None = None) -> tuple[Any, Any]:
    """Clients of S3 and of Athena.

    Args:
        profile: To ask with; None for the default.

    Raises:
        SourceError: There is no such profile, or no Region.
    """
    try:
        session = boto3.Session(profile_name=profile)
        return session.client("s3"), session.client("athena")
    except BotoCoreError as error:
        raise SourceError(
            "Athena",
            f"there is no way to ask it: {str(error).rstrip('.')}",
            "Set AWS_REGION, or give --profile",
        ) from error


class AthenaEngine:
    """Runs SQL in Athena.

    Args:
        client: boto3's ``athena`` client.
        made_of: What the two relations are there: ``AthenaTable(…).sources``.
        database: In which tables without one are looked for.
        workgroup: Whose limits and settings hold.
        output: Where results go, ``s3://…/``; None where the workgroup says it.
        timeout: Seconds that one query may take; then it is stopped.
        sleep: Waits between two looks at a query.
    """

    dialect: Dialect = "trino"

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - clients have no types
        made_of: Callable[[Asked], Sources],
        *,
        database: str = "default",
        workgroup: str = "primary",
        output: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._made_of = made_of
        self._database = database
        self._workgroup = workgroup
        self._output = output
        self._timeout = timeout
        self._sleep = sleep
        self.scanned = 0
        """Bytes that Athena says it scanned, of all queries so far."""

    def sources(self, asked: Asked) -> Sources:
        """What the two relations are, for these days."""
        return self._made_of(asked)

    def run(self, sql: str) -> Rows:
        """The result of a query. It is stopped when the user interrupts, and when its time is over.

        Raises:
            SourceError: Athena refuses it, it fails, or its time is over.
        """
        try:
            id_ = self._start(sql)
            try:
                execution = self._ended(id_)
            except BaseException:
                # It would go on, and cost, without anybody to read it.
                self._client.stop_query_execution(QueryExecutionId=id_)
                raise
            self._check(id_, execution)
            return self._result(id_)
        except (ClientError, BotoCoreError) as error:
            raise SourceError("Athena", f"it does not answer: {error}", _HOW_TO_ALLOW) from error

    def _start(self, sql: str) -> str:
        where = {} if self._output is None else {"ResultConfiguration": {"OutputLocation": self._output}}
        answer = self._client.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self._database},
            WorkGroup=self._workgroup,
            **where,
        )
        return str(answer["QueryExecutionId"])

    def _ended(self, id_: str) -> Mapping[str, Any]:
        waited, pause = 0.0, _FIRST_WAIT
        while True:
            execution: Mapping[str, Any] = self._client.get_query_execution(QueryExecutionId=id_)[
                "QueryExecution"
            ]
            if execution["Status"]["State"] not in _RUNNING:
                return execution
            if waited >= self._timeout:
                raise SourceError(
                    "Athena", f"the query {id_} took longer than {self._timeout:g} s and was stopped",
                    "Ask about fewer days, or give it longer with --timeout",
                )  # fmt: skip
            self._sleep(pause)
            waited += pause
            pause = min(pause * 1.5, _LONGEST_WAIT)

    def _check(self, id_: str, execution: Mapping[str, Any]) -> None:
        status = execution["Status"]
        self.scanned += execution.get("Statistics", {}).get("DataScannedInBytes", 0)
        if status["State"] != "SUCCEEDED":
            reason = status.get("StateChangeReason") or "it says no reason"
            raise SourceError(
                "Athena", f"the query {id_} has {status['State'].lower()}: {' '.join(reason.split())}",
                "Look at it in the console of Athena by this id",
            )  # fmt: skip

    def _result(self, id_: str) -> Rows:
        columns: tuple[str, ...] = ()
        rows: list[tuple[Cell, ...]] = []
        pages: Iterator[Mapping[str, Any]] = self._client.get_paginator("get_query_results").paginate(
            QueryExecutionId=id_
        )
        for number, page in enumerate(pages):
            found = page["ResultSet"]
            described = found.get("ResultSetMetadata", {}).get("ColumnInfo", [])
            kinds = [column["Type"] for column in described]
            columns = tuple(column["Name"] for column in described)
            listed = found["Rows"]
            # The first row of the first page is the names of the columns.
            if (
                number == 0
                and listed
                and [cell.get("VarCharValue") for cell in listed[0]["Data"]] == [*columns]
            ):
                listed = listed[1:]
            rows += [tuple(map(_typed, row["Data"], kinds)) for row in listed]
        return Rows(columns, rows)


_HOW_TO_ALLOW: Final = (
    "Allow athena:StartQueryExecution, GetQueryExecution, GetQueryResults and StopQueryExecution, "
    "glue:GetTable, GetDatabase and CreateTable, and s3 on the trail and on where results go"
)


def _typed(datum: Mapping[str, str], kind: str) -> Cell:
    """A cell as the column's type says: Athena tells everything as text."""
    text = datum.get("VarCharValue")
    if text is None:
        return None
    if kind in ("tinyint", "smallint", "integer", "bigint"):
        return int(text)
    if kind == "date":
        return date.fromisoformat(text)
    if kind.startswith("timestamp"):
        return datetime.fromisoformat(text.removesuffix(" UTC"))
    return text
