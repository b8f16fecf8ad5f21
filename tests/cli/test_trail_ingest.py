"""`kms-constructs trail ingest`: what it says, and what it exits with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kms_constructs.cli.main import main
from kms_constructs.exit_code import ExitCode
from tests.conftest import REPOSITORY
from tests.runtime.trail.samples import deliver, log, record


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["trail", "ingest", *map(str, arguments)])
    said = capsys.readouterr()
    return int(str(ended.value.code)), said.out, said.err


def test_it_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deliver(tmp_path / "logs", range(100))
    code, out, err = run(capsys, tmp_path / "logs", "--into", tmp_path / "store")
    assert (code, err) == (ExitCode.CLEAN, "")
    assert out.splitlines() == [
        "files taken                            2",
        "events read                          100",
        "  new in the store                   100",
        "quarantined                            0",
        "events in the store                  100",
        f"from 2026-05-01 00:00:00 UTC to 2026-05-01 01:39:00 UTC, in {tmp_path / 'store'}",
    ]
    code, out, err = run(capsys, tmp_path / "logs", "--into", tmp_path / "store")
    assert (code, out.splitlines()[1]) == (ExitCode.CLEAN, "  taken before                         2")


def test_what_is_quarantined_is_named_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torn = tmp_path / "torn.json"
    torn.write_bytes(log([record(1)])[:-9])
    good = tmp_path / "good.json"
    good.write_bytes(log([record(2), {**record(3), "eventID": None}]))
    code, out, err = run(capsys, torn, good, "--into", tmp_path / "store", "-q")
    assert (code, out) == (ExitCode.UNDETERMINED, "")
    lines = sorted(err.splitlines())
    assert len(lines) == 2
    assert lines[0].startswith("Quarantined: good.json, record 2: a record of an event has eventID")
    assert lines[1].startswith("Quarantined: torn.json: it is not JSON, or breaks off")


def test_the_summary_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    deliver(tmp_path / "logs", range(100))
    code, out, _ = run(capsys, tmp_path / "logs", bad, "--into", tmp_path / "store", "--format", "json")
    assert code == ExitCode.UNDETERMINED
    told = json.loads(out)
    assert told["quarantined"][0]["name"] == str(bad)
    del told["quarantined"]
    assert told == {
        "files": 2, "known": 0, "other": 0, "outside": 0, "events": 100, "kept": 100, "unrelated": 0,
        "duplicates": 0, "first": "2026-05-01T00:00:00.000000Z", "last": "2026-05-01T01:39:00.000000Z",
        "total": 100,
    }  # fmt: skip


def test_a_file_beyond_the_limit_is_taken_when_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_bytes(log([record(1)]).ljust(2**20 + 1))
    given = (tmp_path / "a.json", "--into", tmp_path / "store", "--max-file-size")
    code, _, err = run(capsys, *given, "1M")
    assert (code, "give --max-file-size" in err) == (ExitCode.UNDETERMINED, True)
    assert run(capsys, *given, "2m")[0] == ExitCode.CLEAN


WRONG = {
    "no-day": (["--since", "2026-02-30"], "'2026-02-30' is no day. Fix: write it as 2026-05-31"),
    "week": (["--until", "2026-W05-1"], "'2026-W05-1' is no day"),
    "order": (["--since", "2026-05-02", "--until", "2026-05-01"], "2026-05-02 is after --until 2026-05-01"),
    "region": (["--region", "Paris"], "'Paris' is no name of a Region. Fix: write it as eu-central-1"),
    "size": (["--max-file-size", "0"], "'0' is no size. Fix: write it as 512M or 2G"),
    "no-file": (["nowhere.json"], "nowhere.json: there is no such file or directory"),
    "no-bucket": (["s3:///AWSLogs"], "it names no bucket. Fix: Write s3://BUCKET/PREFIX"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_is_one_clear_error(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, problem = WRONG[name]
    given = arguments if not arguments[0].startswith("-") else [str(tmp_path), *arguments]
    code, out, err = run(capsys, *given, "--into", tmp_path / "store")
    assert (code, out) == (ExitCode.UNUSABLE, "")
    assert problem in " ".join(err.split())


def test_nothing_of_the_engine_is_loaded_for_help() -> None:
    done = subprocess.run(
        [
            sys.executable, "-c",
            "import sys; from kms_constructs.cli.main import cli; cli(['trail', 'ingest', '--help'], "
            "standalone_mode=False); "
            "print([one for one in ('boto3', 'duckdb', 'sqlglot') if one in sys.modules])",
        ],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
    assert "kms-constructs trail ingest ./logs --into trail" in done.stdout


@pytest.mark.parametrize("module", ["duckdb", "boto3"])
def test_without_the_extra_it_says_how_to_install_it(module: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-c",
            f"import sys; sys.modules[{module!r}] = None; from kms_constructs.cli.main import main; "
            f"main(['trail', 'ingest', 'a.json', '--into', {str(tmp_path / 'store')!r}])",
        ],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == ExitCode.UNUSABLE
    assert "pip install 'kms-constructs[trail]'" in done.stderr
    assert "Traceback" not in done.stderr
