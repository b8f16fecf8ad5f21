"""What Athena is told and answers, by the words of its API, and what queries will read, by moto's S3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from kms_constructs.errors import SourceError
from kms_constructs.runtime.trail.athena import AthenaEngine
from kms_constructs.runtime.trail.athena_cost import LEAST_BYTES, Files, cost, discovered, files
from kms_constructs.runtime.trail.athena_table import Layout
from kms_constructs.runtime.trail.compile import TABLES, Asked
from kms_constructs.runtime.trail.engine import Rows

ID = "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111"
HOME, OTHER = "111122223333", "444455556666"


def client_of(service: str) -> Any:
    return boto3.client(
        service,
        region_name="eu-central-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106
    )


@pytest.fixture
def athena() -> Iterator[tuple[Any, Stubber]]:
    client = client_of("athena")
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def engine(client: Any, waits: list[float] | None = None, **settings: Any) -> AthenaEngine:
    waited = waits if waits is not None else []
    return AthenaEngine(client, lambda _: TABLES, sleep=waited.append, **settings)


def started(stubber: Stubber, **expected: Any) -> None:
    stubber.add_response(
        "start_query_execution",
        {"QueryExecutionId": ID},
        {
            "QueryString": "select 1",
            "QueryExecutionContext": {"Database": "default"},
            "WorkGroup": "primary",
            **expected,
        },
    )


def looked(stubber: Stubber, state: str, reason: str = "", scanned: int = 0) -> None:
    status = {"State": state, **({"StateChangeReason": reason} if reason else {})}
    stubber.add_response(
        "get_query_execution",
        {"QueryExecution": {"Status": status, "Statistics": {"DataScannedInBytes": scanned}}},
        {"QueryExecutionId": ID},
    )


def answered(stubber: Stubber, rows: list[list[str | None]], token: str = "", after: str = "") -> None:
    kinds = {"name": "varchar", "calls": "bigint", "day": "date", "first": "timestamp(3)"}
    stubber.add_response(
        "get_query_results",
        {
            "ResultSet": {
                "ResultSetMetadata": {
                    "ColumnInfo": [{"Name": name, "Type": kind} for name, kind in kinds.items()]
                },
                "Rows": [
                    {"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in rows
                ],
            },
            **({"NextToken": token} if token else {}),
        },
        {"QueryExecutionId": ID, **({"NextToken": after} if after else {})},
    )


HEAD: list[str | None] = ["name", "calls", "day", "first"]


def test_rows_come_back_with_their_types_from_every_page(athena: tuple[Any, Stubber]) -> None:
    client, stubber = athena
    started(stubber)
    looked(stubber, "QUEUED")
    looked(stubber, "RUNNING")
    looked(stubber, "SUCCEEDED", scanned=12)
    answered(stubber, [HEAD, ["a", "3", "2026-05-01", "2026-05-01 10:00:00.000"]], token="next")  # noqa: S106
    answered(stubber, [[None, "4", None, None]], after="next")
    waits: list[float] = []
    asked = engine(client, waits)
    assert asked.run("select 1") == Rows(
        ("name", "calls", "day", "first"),
        [("a", 3, date(2026, 5, 1), datetime.fromisoformat("2026-05-01T10:00:00")), (None, 4, None, None)],
    )
    assert (asked.scanned, waits) == (12, [0.25, 0.375])


def test_the_settings_go_with_the_query(athena: tuple[Any, Stubber]) -> None:
    client, stubber = athena
    started(
        stubber,
        QueryExecutionContext={"Database": "logs"},
        WorkGroup="audit",
        ResultConfiguration={"OutputLocation": "s3://results/kms/"},
    )
    looked(stubber, "SUCCEEDED")
    answered(stubber, [HEAD])
    asked = engine(client, database="logs", workgroup="audit", output="s3://results/kms/")
    assert asked.run("select 1").rows == []


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_what_fails_says_why_in_one_line_at_once(athena: tuple[Any, Stubber], state: str) -> None:
    client, stubber = athena
    started(stubber)
    looked(stubber, state, reason="TABLE_NOT_FOUND:\n line 1:1")
    with pytest.raises(SourceError, match=rf"the query {ID} has {state.lower()}: TABLE_NOT_FOUND: line 1:1"):
        engine(client).run("select 1")


def test_a_query_whose_time_is_over_is_stopped(athena: tuple[Any, Stubber]) -> None:
    client, stubber = athena
    started(stubber)
    for _ in range(4):
        looked(stubber, "RUNNING")
    stubber.add_response("stop_query_execution", {}, {"QueryExecutionId": ID})
    with pytest.raises(SourceError, match="took longer than 1 s and was stopped"):
        engine(client, timeout=1).run("select 1")


def test_a_query_is_stopped_when_the_user_interrupts(athena: tuple[Any, Stubber]) -> None:
    client, stubber = athena
    started(stubber)
    looked(stubber, "RUNNING")
    stubber.add_response("stop_query_execution", {}, {"QueryExecutionId": ID})

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        AthenaEngine(client, lambda _: TABLES, sleep=interrupted).run("select 1")


def test_a_refusal_of_athena_is_one_error_with_what_to_allow(athena: tuple[Any, Stubber]) -> None:
    client, stubber = athena
    stubber.add_client_error("start_query_execution", "AccessDeniedException", "no", expected_params={
        "QueryString": "select 1", "QueryExecutionContext": ANY, "WorkGroup": ANY,
    })  # fmt: skip
    with pytest.raises(SourceError, match=r"AccessDeniedException.*Fix: Allow athena:StartQueryExecution"):
        engine(client).run("select 1")


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = client_of("s3")
        client.create_bucket(
            Bucket="trail-of-ours", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        yield client


def put(s3: Any, folder: str, day: str, size: int) -> None:
    key = f"{folder}/{day}/111122223333_CloudTrail_x.json.gz"
    s3.put_object(Bucket="trail-of-ours", Key=key, Body=b"x" * size)


@pytest.mark.parametrize("root", ["AWSLogs/", "logs/AWSLogs/o-exampleorgid/"])
def test_what_will_be_read_is_the_files_of_the_days_and_of_the_next(s3: Any, root: str) -> None:
    for day, size in (("2026/04/30", 1), ("2026/05/01", 10), ("2026/05/02", 100), ("2026/05/03", 1000)):
        put(s3, f"{root}{HOME}/CloudTrail/eu-central-1", day, size)
    put(s3, f"{root}{OTHER}/CloudTrail/us-east-1", "2026/05/01", 5)
    s3.put_object(Bucket="trail-of-ours", Key=f"{root}{HOME}/CloudTrail-Digest/eu-central-1/x", Body=b"x")
    layout = Layout(
        bucket="trail-of-ours",
        prefix="logs" if root.startswith("logs") else "",
        organization="o-exampleorgid" if "o-" in root else None,
    )
    known = discovered(s3, layout)
    assert (known.accounts, known.regions) == ((HOME, OTHER), ("eu-central-1", "us-east-1"))
    day = Asked(since=date(2026, 5, 1), until=date(2026, 5, 1))
    assert files(s3, known, day) == Files(3, 115)
    only = discovered(s3, Layout(**{**{f: getattr(layout, f) for f in ("bucket", "prefix", "organization")},
                                    "accounts": (OTHER,)}))  # fmt: skip
    assert files(s3, only, day) == Files(1, 5)


def test_a_bucket_without_a_trail_is_named(s3: Any) -> None:
    with pytest.raises(SourceError, match=r"^s3://trail-of-ours/AWSLogs/: there are no folders of a trail"):
        discovered(s3, Layout(bucket="trail-of-ours"))


def test_a_bucket_that_cannot_be_listed_is_named(s3: Any) -> None:
    with pytest.raises(SourceError, match=r"^s3://not-there: S3 does not list it: .*NoSuchBucket"):
        discovered(s3, Layout(bucket="not-there"))


def test_a_query_is_charged_for_ten_megabytes_at_least_and_for_each_reading() -> None:
    assert Files(1, 5).read(1) == LEAST_BYTES
    assert Files(1, 10**9).read(2) == 2 * 10**9
    assert (cost(10**12), cost(10**12, 6.75)) == (5.0, 6.75)
