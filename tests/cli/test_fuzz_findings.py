"""What `benchmarks/fuzz_commands.py` found, a case each: stores, records, names of files, text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from kms_constructs.cli import material_options
from kms_constructs.detections.relations import flatten
from kms_constructs.errors import SourceError
from kms_constructs.runtime.trail.ingest import ingest
from kms_constructs.runtime.trail.sources import LocalFiles, Scope
from kms_constructs.runtime.trail.store import telling_damage
from tests.cli.conftest import Run, policy, statement, template, write
from tests.cli.test_hostile_input import harmless, saved
from tests.runtime.material.conftest import _no_network  # noqa: F401 - a fixture
from tests.runtime.material.fake_kms import FakeKms
from tests.runtime.trail.samples import KEY, ROLE, log, record

LONG = "9" * 400
"""No file system that Linux uses takes a name as long as this."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 60 events, which every test may damage a copy of."""
    place = tmp_path_factory.mktemp("sound")
    (place / "a.json").write_bytes(log([record(number) for number in range(60)]))
    ingest(place / "store", [LocalFiles((place / "a.json",), Scope())])
    return place / "store"


@pytest.fixture
def store(tmp_path: Path, sound: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "store"))


# --- stores that are damaged ---


def parquet(store: Path, relation: str) -> Path:
    (file,) = store.glob(f"{relation}/month=*/*.parquet")
    return file


def turned(file: Path) -> None:
    """Turns bits in the middle, which is data."""
    content = bytearray(file.read_bytes())
    for place in range(len(content) // 4, len(content) // 2, 7):
        content[place] ^= 0xFF
    file.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "events gone": lambda store: parquet(store, "events").unlink(),
    "keys gone": lambda store: parquet(store, "event_keys").unlink(),
    "events empty": lambda store: parquet(store, "events").write_bytes(b""),
    "events cut": lambda store: parquet(store, "events").write_bytes(
        parquet(store, "events").read_bytes()[:-9]
    ),
    "events turned": lambda store: turned(parquet(store, "events")),
    "keys turned": lambda store: turned(parquet(store, "event_keys")),
    "other columns": lambda store: parquet(store, "events").write_bytes(
        parquet(store, "event_keys").read_bytes()
    ),
}


@pytest.mark.parametrize("command", ["report", "detect", "access", "impact", "least-privilege"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_store_is_named(damage: str, command: str, store: Path, tmp_path: Path, run: Run) -> None:
    DAMAGE[damage](store)
    against = () if command in ("report", "detect") else ("--against", write(tmp_path / "t.json", template()))
    done = run("trail", command, store, *against)
    assert done.code == 2
    assert ".parquet: it cannot be read: " in done.err or "the store cannot be asked" in done.err, done.err
    assert "into another directory" in done.err
    assert "Internal error" not in done.err


@pytest.mark.parametrize("damage", ["events gone", "events cut", "events turned"])
def test_a_damaged_store_takes_nothing_more(damage: str, store: Path, tmp_path: Path, run: Run) -> None:
    DAMAGE[damage](store)
    more = tmp_path / "more.json"
    more.write_bytes(log([record(number) for number in range(50, 70)]))
    done = run("trail", "ingest", more, "--into", store)
    assert done.code == 2
    assert ".parquet: it cannot be read: " in done.err


@pytest.mark.parametrize("column", ["request", "response"])
@pytest.mark.parametrize("command", ["report", "detect", "impact", "access", "least-privilege"])
def test_a_record_that_is_no_json(command: str, column: str, tmp_path: Path, run: Run) -> None:
    """A bit that turned in the text of a record leaves a Parquet file that can be read."""
    named = [{**record(one), "eventName": name} for one, name in enumerate(("CreateAlias", "PutKeyPolicy"))]
    (tmp_path / "logs.json").write_bytes(log([*named, record(2)]))
    store = tmp_path / "store"
    assert run("trail", "ingest", tmp_path / "logs.json", "--into", store).code == 0
    file = parquet(store, "events")
    with duckdb.connect() as connection:
        connection.read_parquet(str(file)).create("t")
        changed = {"request": "UPDATE t SET request = $1", "response": "UPDATE t SET response = $1"}
        connection.execute(changed[column], ['{"a" 1'])
        connection.table("t").write_parquet(str(file))
    more = () if command in ("report", "detect") else ("--against", write(tmp_path / "k.json", template()))
    done = run("trail", command, store, *more)
    assert done.code in {0, 1, 2, 3}
    assert "Internal error" not in done.err
    if done.code == 2:
        assert "it is no JSON" in done.err or "is no JSON" in done.err


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(duckdb.Error("TProtocolException: Invalid data\nmore"), True, id="a filter of a file"),
        pytest.param(duckdb.IOException("it went away"), True, id="a file that went away"),
        pytest.param(duckdb.BinderException("no such column"), False, id="a query that is wrong"),
    ],
)
def test_what_a_query_does_wrong_is_no_damage(error: duckdb.Error, told: bool, store: Path) -> None:
    files = {relation: [parquet(store, relation)] for relation in ("events", "event_keys")}
    with pytest.raises(SourceError if told else type(error)) as raised, telling_damage(store, files):
        raise error
    if told:
        assert str(raised.value).startswith(
            f"{store}: a file of it cannot be read: {str(error).splitlines()[0]}. "
        )


@pytest.mark.parametrize("name", ["manifest.jsonl", "files/*.jsonl"])
def test_a_list_that_is_no_text(name: str, store: Path, tmp_path: Path, run: Run) -> None:
    (file,) = store.glob(name)
    file.write_bytes(file.read_bytes().replace(b'":"2', b'":"\xee2').replace(b'":"/', b'":"\xee/'))
    done = run("trail", "ingest", tmp_path / "logs", "--into", store)
    assert (done.code, "Internal error" in done.err) == (2, False)
    assert str(file) in done.err


# --- records ---


@pytest.mark.parametrize("half", ["\ud800", "\udc00\ud800", "a\udfffb"])
@pytest.mark.parametrize("place", ["encryptionContext", "a name in it"])
def test_half_a_character_in_a_record_is_kept_as_its_escape(
    half: str, place: str, tmp_path: Path, run: Run
) -> None:
    """DuckDB takes JSON with one for none at all, and then no report over the store could be made."""
    context = {half: "x"} if place == "a name in it" else {"order": half}
    one = record(1, requestParameters={"keyId": KEY, "encryptionContext": context})
    source = tmp_path / "a.json"
    source.write_text(json.dumps({"Records": [one, record(2)]}), "ascii")
    assert run("trail", "ingest", source, "--into", tmp_path / "store").code == 0
    asked = {"StringEquals": {"kms:EncryptionContext:order": "7"},
             "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["order"]}}  # fmt: skip
    users = statement("Users", ROLE, "kms:Decrypt", Condition=asked)
    against = write(tmp_path / "t.json", template({"KeyPolicy": policy(users)}))
    for command in ("access", "impact", "least-privilege"):
        done = run(
            "trail", command, tmp_path / "store", "--against", against, "--key-map", f"{KEY}=OrdersKey"
        )
        assert "Internal error" not in done.err
        assert done.code != 2
    done = run("trail", "report", tmp_path / "store", "--report", "by-encryption-context", "-f", "json")
    assert done.code == 0, done.err


@pytest.mark.parametrize("part", ["requestParameters", "responseElements", "additionalEventData"])
def test_columns_of_json_hold_whole_characters(part: str) -> None:
    row, _ = flatten(record(1, **{part: {"a\ud800": "\U0001f511\udfff"}}))
    column = {"requestParameters": row.request, "responseElements": row.response}.get(part, row.additional)
    assert column == '{"a\\\\ud800":"\U0001f511\\\\udfff"}'
    assert json.loads(column or "") == {"a\\ud800": "\U0001f511\\udfff"}


def test_a_log_whose_name_is_no_text_is_taken_once(tmp_path: Path, run: Run) -> None:
    for name in ("good\udcff.json", "bad\udcff.json"):
        (tmp_path / name).write_bytes(log([record(1)])[: None if name[0] == "g" else -9])
    words = ("trail", "ingest", tmp_path / "good\udcff.json", tmp_path / "bad\udcff.json")
    first, again = (run(*words, "--into", tmp_path / "store", "-f", "json") for _ in range(2))
    assert (first.code, first.json()["kept"], again.json()["known"]) == (3, 1, 1)
    assert first.json()["quarantined"][0]["name"] == f"{tmp_path}/bad\\udcff.json"


def test_names_of_logs_are_shown(tmp_path: Path, run: Run) -> None:
    (tmp_path / "\u202e.json").write_text("{}")
    done = run("trail", "ingest", tmp_path / "\u202e.json", "--into", tmp_path / "store", "-f", "json")
    assert done.code == 3
    assert harmless(done.out)
    assert done.json()["quarantined"][0]["name"] == str(tmp_path / "\u202e.json")


@pytest.mark.parametrize("name", ["\u202e", "a\x1b[2J"])
def test_directories_of_a_trail_are_shown(
    name: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("trail", "sample", "--into", name, "--events", "2000", "--days", "6")
    assert (done.code, harmless(done.out)) == (0, True)
    (tmp_path / "a.json").write_bytes(log([record(1)]))
    done = run("trail", "ingest", "a.json", "--into", f"{name.replace('[', '')}2")
    assert (done.code, harmless(done.out)) == (0, True)


@pytest.mark.parametrize("command", ["ingest", "report", "detect"])
def test_a_store_whose_path_is_no_text(command: str, store: Path, tmp_path: Path, run: Run) -> None:
    odd = store.rename(tmp_path / "\udcff")
    words = (tmp_path / "logs", "--into", odd) if command == "ingest" else (odd,)
    done = run("trail", command, *words)
    assert done.code == 2
    assert "the path is no UTF-8 text" in done.err


@pytest.mark.parametrize("days", ["3651", "111122223333", LONG])
def test_a_trail_beyond_the_calendar(days: str, tmp_path: Path, run: Run) -> None:
    done = run("trail", "sample", "--into", tmp_path / "s", "--events", "2000", "--days", days)
    assert done.code == 2
    assert "6<=x<=3650" in done.err


@pytest.mark.parametrize("days", ["0", "36501", "111122223333", LONG])
def test_a_baseline_beyond_the_calendar(days: str, store: Path, run: Run) -> None:
    done = run("trail", "detect", store, "--baseline-days", days)
    assert done.code == 2
    assert "1<=x<=36500" in done.err


@pytest.mark.parametrize(
    "given", [("--since", "0001-01-01"), ("--since", "0001-01-10", "--until", "9999-12-30")]
)
@pytest.mark.parametrize("days", ["1", "36500"])
def test_a_baseline_before_the_first_day_that_there_is(
    given: tuple[str, ...], days: str, store: Path, run: Run
) -> None:
    done = run("trail", "detect", store, *given, "--baseline-days", days, "-f", "json")
    assert done.code in {0, 1}
    assert json.loads(done.out)["period"]["calls"] == 60


def test_a_minute_before_the_first_that_there_is(tmp_path: Path, run: Run) -> None:
    early = {
        **record(1), "eventTime": "0001-01-01T00:00:30Z", "eventName": "ReplicateKey",
        "requestParameters": {"keyId": KEY, "replicaRegion": "eu-central-1"},
    }  # fmt: skip
    (tmp_path / "a.json").write_bytes(log([early]))
    assert run("trail", "ingest", tmp_path / "a.json", "--into", tmp_path / "store").code == 0
    assert run("trail", "detect", tmp_path / "store").code in {0, 1}


def test_a_baseline_after_the_last_day_that_there_is(tmp_path: Path, run: Run) -> None:
    late = {**record(1), "eventTime": "9999-12-31T23:59:59Z"}
    (tmp_path / "a.json").write_bytes(log([late]))
    assert run("trail", "ingest", tmp_path / "a.json", "--into", tmp_path / "store").code == 0
    assert run("trail", "detect", tmp_path / "store").code in {0, 1}


def test_until_the_last_day_that_there_is(store: Path, run: Run) -> None:
    done = run("trail", "detect", store, "--until", "9999-12-31", "-f", "json")
    assert done.code in {0, 1}
    assert json.loads(done.out)["period"]["calls"] == 60


@pytest.mark.parametrize("when", ["290000-01-01", "10000-01-01", "2000-01-01 (BC)"])
@pytest.mark.parametrize("command", ["access", "detect", "impact", "least-privilege"])
def test_a_time_that_no_record_can_have(command: str, when: str, tmp_path: Path, run: Run) -> None:
    """The calendar of DuckDB goes further than Python's, in which it gives the rest as text."""
    alias = {"aliasName": "alias/orders", "targetKeyId": KEY}
    named = [
        {**record(number), "eventName": "CreateAlias", "requestParameters": alias} for number in range(2)
    ]
    (tmp_path / "a.json").write_bytes(log(named))
    store = tmp_path / "store"
    assert run("trail", "ingest", tmp_path / "a.json", "--into", store).code == 0
    file = parquet(store, "events")
    with duckdb.connect() as connection:
        connection.read_parquet(str(file)).create("odd")
        odd = "UPDATE odd SET event_time = CAST(? AS TIMESTAMP) WHERE event_id LIKE '%1'"
        connection.execute(odd, [when])
        connection.table("odd").write_parquet(str(file))
    key = write(tmp_path / "k.json", template())
    done = run("trail", command, store, "--against", key)
    assert done.code == 2
    assert f"{store}: a call in it is of the time " in done.err
    assert "Fix: The store is damaged: ingest the trail anew into another directory" in done.err


@pytest.mark.parametrize(
    "reports", [1.5, True, "last-use", {"name": "last-use"}, [1.5], [{"name": "last-use", "rows": 7}]]
)
def test_what_is_no_report_on_the_last_use(reports: object, tmp_path: Path, run: Run) -> None:
    used = write(tmp_path / "used.json", {"reports": reports})
    done = run("audit", "--offline", saved(tmp_path), "--last-use", used)
    assert done.code == 2
    assert "it holds no report on the last use of keys" in done.err


# --- names of files ---


@pytest.mark.parametrize(
    "arguments",
    [
        ["init", LONG],
        ["init", LONG, "--force"],
        ["baseline", "good.json", "-o", LONG],
        ["baseline", "good.json", "-o", LONG, "--force"],
        ["baseline", "good.json", "-o", "", "--force"],
        ["baseline", "good.json", "-o", ".", "--force"],
        ["check", "good.json", "-o", f"json:{LONG}"],
        ["check", LONG],
        ["trail", "ingest", LONG, "--into", "store"],
        ["trail", "ingest", "good.json", "--into", LONG],
        ["trail", "report", LONG],
        ["trail", "detect", LONG],
        ["trail", "sample", "--into", LONG, "--events", "2000", "--days", "6"],
        ["material", "wrap", LONG, "--generate", "--discard", "-o", "wrapped.json"],
    ],
    ids=lambda given: " ".join(given).replace(LONG, "LONG"),
)
def test_names_that_no_file_can_have(
    arguments: list[str], tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "good.json", template())
    done = run(*arguments)
    assert done.code == 2
    assert "rror: " in done.err
    assert "Internal error" not in done.err


def test_the_place_of_an_app_is_shown(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("init", "a\u202e\x1b[2J")
    assert done.code == 0
    assert "cd a\\u202e\\x1b[2J\n" in done.out
    assert harmless(done.out)


# --- what KMS says ---


@pytest.mark.parametrize("command", ["status", "import"])
def test_what_kms_says_is_shown(command: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    kms = FakeKms()
    monkeypatch.setattr(material_options, "_clients", lambda _profile, _region: kms.clients())
    arn = "arn:aws:kms:eu-west-1:111122223333:key/k\u202e\x1b"
    key = kms.add(arn=arn, state="Od\x1b[2Jd" if command == "status" else "PendingImport")
    kms.aliases["alias/orders"] = key.arn
    more = ("--generate", "--discard", "--dry-run", "--never-expires") if command == "import" else ()
    done = run("material", command, "alias/orders", *more)
    assert harmless(done.out + done.err)


def test_a_region_that_is_none_in_the_arn_of_a_key(tmp_path: Path, run: Run) -> None:
    """The ARN stands in a file, where a bit flips; boto3 refuses it in words of its own."""
    done = run("material", "status", "arn:aws:kms:eu-we\ufeffst-1:111122223333:key/k")
    assert done.code == 2
    assert "this is no Region" in done.err
    assert harmless(done.out + done.err)
