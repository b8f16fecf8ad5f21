"""`kms-constructs trail impact`, `access` and `least-privilege`."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kms_constructs.runtime.trail.ingest import ingest
from kms_constructs.runtime.trail.sources import LocalFiles, Scope
from tests.cli.conftest import ROOT, USER, Run, policy, statement, template, write
from tests.runtime import accounts
from tests.sources.kms_api import build
from tests.trails import ORDERS, record

OTHER = "arn:aws:iam::111122223333:role/Other"
GONE = ORDERS.replace("1111-1111-1111", "3333-3333-3333")
ADMINISTRATION = statement("Root", ROOT, "kms:PutKeyPolicy", "kms:DescribeKey")


def planned(*statements: dict[str, Any]) -> dict[str, Any]:
    return template({"KeyPolicy": policy(ADMINISTRATION, *statements)})


BOTH = planned(statement("Users", [USER, OTHER], "kms:Decrypt", "kms:Encrypt"))
ONE = planned(statement("Users", USER, "kms:Decrypt", "kms:Encrypt"))
FINANCE = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}}
OPEN = planned(statement("Users", [USER, OTHER], "kms:Decrypt", **FINANCE))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    by_alias = {"keyId": "alias/orders"}
    return stored(
        tmp_path_factory.mktemp("made"),
        [
            *(record(caller=USER, request=by_alias, time=f"2026-02-0{day}T10:00:00Z") for day in range(1, 6)),
            *(
                record(caller=OTHER, time=f"2026-02-0{day}T11:00:00Z", service="s3.amazonaws.com")
                for day in (2, 3)
            ),
        ],
    )


@pytest.fixture
def store(tmp_path: Path, made: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "store"))


def stored(directory: Path, records: list[dict[str, Any]]) -> Path:
    log = write(directory / "log.json", {"Records": records})
    ingest(directory / "store", [LocalFiles((log,), Scope())])
    return directory / "store"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, document in (("both", BOTH), ("one", ONE), ("open", OPEN)):
        write(tmp_path / f"{name}.json", document)
    write(tmp_path / "empty.json", {"Resources": {}})
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["--against", "both.json"], 0, id="nothing-denied"),
        pytest.param(["--against", "one.json"], 1, id="denied"),
        pytest.param(["--against", "open.json"], 3, id="undetermined"),
        pytest.param(["--against", "one.json", "--before", "both.json"], 1, id="denied-by-the-change"),
        pytest.param(["--against", "one.json", "--before", "one.json"], 0, id="no-change"),
        pytest.param(["--against", "one.json", "--until", "2026-02-01"], 0, id="before-it-was-called"),
        pytest.param(["--against", "one.json", "--since", "2026-02-04"], 0, id="after-it-was-called"),
        pytest.param(["--against", "one.json", "--until", "2026-02-02"], 1, id="the-last-day-counts"),
        pytest.param(["--against", "empty.json"], 3, id="no-key-in-common"),
        pytest.param(["--against", "broken.json"], 2, id="unreadable"),
        pytest.param([], 2, id="against-nothing"),
        pytest.param(["--against", "one.json", "--key-map", "x"], 2, id="no-map"),
        pytest.param(["--against", "one.json", "--key-map", "x=y"], 2, id="map-of-nothing"),
        pytest.param(
            ["--against", "one.json", "--since", "2026-02-02", "--until", "2026-02-01"], 2, id="backwards"
        ),
    ],
)
@pytest.mark.usefixtures("files")
def test_exit_codes_of_impact(run: Run, store: Path, arguments: list[str], code: int) -> None:
    assert run("trail", "impact", store, *arguments).code == code


@pytest.mark.usefixtures("files")
def test_impact_says_whom_a_change_breaks(run: Run, store: Path) -> None:
    done = run("trail", "impact", store, "--against", "one.json", "--before", "both.json")

    assert done.out == (
        "Calls recorded from 2026-02-01 to 2026-02-05, 5 days.\n\n"
        "alias/orders\n"
        f"  ✗ 2 calls of {OTHER} (Decrypt) through s3.amazonaws.com would have been denied\n"
        "    2026-02-02 to 2026-02-03, allowed before\n"
        "    neither the key policy nor a grant in view allows it\n\n"
        "2 calls would have been denied, 0 cannot be told, 0 would have been allowed, 5 as before\n"
    )


@pytest.mark.usefixtures("files")
def test_impact_as_json(run: Run, store: Path) -> None:
    document = run("trail", "impact", store, "--against", "one.json", "-f", "json").json()

    assert document["summary"] == {"denied": 2, "undetermined": 0, "allowed": 5, "unmatched": 0}
    assert document["rows"][0] == {
        "verdict": "denied",
        "key": "alias/orders",
        "arn": ORDERS,
        "principal": OTHER,
        "action": "Decrypt",
        "services": ["s3.amazonaws.com"],
        "calls": 2,
        "first": "2026-02-02T11:00:00Z",
        "last": "2026-02-03T11:00:00Z",
        "reasons": ["neither the key policy nor a grant in view allows it"],
    }
    assert document["keys"]["matched"] == [{"arn": ORDERS, "key": "alias/orders", "by": "alias/orders"}]


@pytest.mark.usefixtures("files")
def test_impact_as_csv(run: Run, store: Path) -> None:
    rows = list(
        csv.DictReader(io.StringIO(run("trail", "impact", store, "--against", "one.json", "-f", "csv").out))
    )

    assert [(row["verdict"], row["principal"], row["calls"]) for row in rows] == [
        ("denied", OTHER, "2"),
        ("allowed", USER, "5"),
    ]


@pytest.mark.usefixtures("files")
def test_all_shows_what_is_allowed(run: Run, store: Path) -> None:
    done = run("trail", "impact", store, "--against", "one.json", "--all")

    assert f"✓ 5 calls of {USER} (Decrypt) would have been allowed" in done.out


def test_account_and_region_are_those_of_the_trail(run: Run, store: Path, files: Path) -> None:
    """A template for any account is judged for that of the trail."""
    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/User"}
    write(files / "any.json", planned(statement("Users", root, "kms:Decrypt")))
    done = run("trail", "impact", store, "--against", "any.json", "-f", "json").json()

    assert [(row["principal"], row["verdict"]) for row in done["rows"]] == [
        (OTHER, "denied"),
        (USER, "allowed"),
    ]


@pytest.mark.usefixtures("files")
def test_keys_in_one_of_both_alone_are_said(run: Run, tmp_path: Path) -> None:
    store = stored(tmp_path, [record(caller=USER, key=GONE)])
    done = run("trail", "impact", store, "--against", "one.json")

    assert (done.code, done.out) == (
        3,
        "Calls recorded from 2026-05-01 to 2026-05-01, 1 day.\n\n"
        f"Keys of the trail in no input: {GONE} (1 call)\n"
        "Keys of the input of which the trail tells nothing: alias/orders\n"
        "1 call on keys in no input\n"
        "0 calls would have been denied, 0 cannot be told, 0 would have been allowed\n",
    )
    assert "No key of the trail is in the input, so nothing was judged. Fix: " in done.err


@pytest.mark.usefixtures("files")
def test_a_map_says_which_key_is_which(run: Run, tmp_path: Path) -> None:
    store = stored(tmp_path, [record(caller=OTHER, key=GONE)])

    assert run("trail", "impact", store, "--against", "one.json", "--key-map", f"{GONE}=orders").code == 1


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("command", ["impact", "access", "least-privilege"])
def test_what_is_no_store_is_named(run: Run, tmp_path: Path, command: str) -> None:
    done = run("trail", command, tmp_path / "nothing", "--against", "one.json")

    assert done.code == 2
    assert "it is no store of a trail. Fix: " in done.err


@pytest.mark.usefixtures("files")
def test_access_says_what_is_used_and_what_is_not(run: Run, store: Path) -> None:
    done = run("trail", "access", store, "--against", "one.json")

    assert done.code == 0
    assert done.out.endswith(
        "alias/orders\n"
        "  also open to the IAM policies of account 111122223333: reading and managing alone\n"
        f"  {USER}\n"
        "    ✓ Decrypt, 5 calls, last on 2026-02-05\n"
        "    ○ unused in 5 days: Encrypt\n"
        f"  {OTHER}  named by no policy in the input\n"
        "    ! Decrypt through s3.amazonaws.com, 2 calls, last on 2026-02-03\n"
        "      given elsewhere if at all: neither the key policy nor a grant in view allows it\n\n"
    )


@pytest.mark.usefixtures("files")
def test_access_as_json_and_csv(run: Run, store: Path, tmp_path: Path) -> None:
    written = tmp_path / "access.csv"
    run("trail", "access", store, "--against", "one.json", "-o", written)
    document = run("trail", "access", store, "--against", "one.json", "-f", "json").json()

    assert document["period"] == {"first": "2026-02-01T10:00:00Z", "last": "2026-02-05T10:00:00Z", "days": 5}
    assert [one["unused"] for one in document["usage"][0]["principals"]] == [["Encrypt"], []]
    rows = list(csv.DictReader(io.StringIO(written.read_text("utf-8"))))
    assert [(row["principal"], row["action"], row["status"]) for row in rows] == [
        (USER, "Decrypt", "used"),
        (USER, "Encrypt", "unused"),
        (OTHER, "Decrypt", "used, denied here"),
    ]


@pytest.mark.usefixtures("files")
def test_least_privilege_is_a_diff(run: Run, store: Path) -> None:
    done = run("trail", "least-privilege", store, "--against", "one.json")

    assert (done.code, done.out) == (
        0,
        "--- alias/orders as it is\n"
        "+++ alias/orders as it is used\n"
        "@@ -19,10 +19,7 @@\n"
        '       "Principal": {\n'
        f'         "AWS": "{USER}"\n'
        "       },\n"
        '-      "Action": [\n'
        '-        "kms:Decrypt",\n'
        '-        "kms:Encrypt"\n'
        "-      ],\n"
        '+      "Action": "kms:Decrypt",\n'
        '       "Resource": "*"\n'
        "     }\n"
        "   ]\n",
    )
    assert "alias/orders: 1 permission less, 5 calls stay" in done.err


@pytest.mark.usefixtures("files")
def test_least_privilege_as_json_can_be_put(run: Run, store: Path) -> None:
    document = run("trail", "least-privilege", store, "--against", "one.json", "-f", "json").json()
    (found,) = document["policies"]

    assert found["after"]["Statement"][1]["Action"] == "kms:Decrypt"
    assert found["dropped"] == [{"statement": "Users", "principal": USER, "actions": ["Encrypt"]}]
    assert (found["refused"], found["callsThatStay"]) == (None, 5)


def test_what_a_trail_says_stays_text(run: Run, tmp_path: Path, files: Path) -> None:
    hostile = "arn:aws:iam::111122223333:role/\x1b[2J=cmd"
    store = stored(tmp_path, [record(caller=hostile, key=ORDERS, request={"keyId": "alias/orders"})])
    for form in ("table", "json", "csv"):
        for command in ("impact", "access"):
            assert "\x1b" not in run("trail", command, store, "--against", files / "one.json", "-f", form).out


def test_without_duckdb_the_extra_is_named(store: Path, files: Path) -> None:
    code = (
        "import sys\nsys.modules['duckdb'] = None\nfrom kms_constructs.cli.main import main\n"
        f"main(['trail', 'impact', {str(store)!r}, '--against', {str(files / 'one.json')!r}])"
    )
    # In a process of its own, for modules that are imported anew are others than those of other tests.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "trails are stored and asked by DuckDB" in done.stderr
    assert "kms-constructs[trail]" in done.stderr


def test_documents_of_json_say_their_version(run: Run, store: Path, files: Path) -> None:
    for command in ("impact", "access", "least-privilege"):
        done = run("trail", command, store, "--against", files / "one.json", "-f", "json")
        assert json.loads(done.out)["schemaVersion"] == "1.0"
        assert json.loads(done.out)["command"] == f"trail {command}"


def test_saved_answers_of_an_audit_are_policies_in_force(run: Run, tmp_path: Path) -> None:
    """Keys are found by their ARNs; roles of the account have their IAM policies, keys their grants."""
    where = f"arn:aws:kms:{build.REGION}:{build.ACCOUNT}:key"
    rds = "rds.amazonaws.com"
    records = [
        record(caller=accounts.APP, key=f"{where}/delegating", awsRegion=build.REGION),
        record(caller=None, service=rds, key=f"{where}/granted", awsRegion=build.REGION),
        record(caller=None, service=rds, key=f"{where}/good", awsRegion=build.REGION),
    ]
    store = stored(tmp_path, records)
    (tmp_path / "answers.json").write_text(accounts.whole().to_text(), "utf-8")
    done = run("trail", "impact", store, "--against", "answers.json", "--all", "-f", "json").json()

    assert {(row["key"], row["verdict"]) for row in done["rows"]} == {
        (f"{where}/delegating", "allowed"),
        ("alias/granted", "undetermined"),
        ("alias/good", "denied"),
    }
    assert run("trail", "access", store, "--against", "answers.json").code == 0
