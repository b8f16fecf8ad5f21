from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import click
import pytest

from kms_constructs.cli import main as entry
from kms_constructs.cli.commands import Commands
from kms_constructs.cli.main import cli
from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.config_schema import config_schema
from kms_constructs.reports.json_report import output_schema
from tests.cli.conftest import Run

UNUSED = (
    "kms_constructs.cli.audit",
    "kms_constructs.cli.trail",
    "kms_constructs.sources.kms_api.answers",
    "kms_constructs.sources.terraform.plans",
)
"""What another command loads, or another kind of input."""
HEAVY = ("aws_cdk", "jsii", "constructs", "cdk_nag", "boto3", "botocore", "cfnlint", "pydantic", "jinja2")


def commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    found = []
    for name, command in group.commands.items():
        found.append((*path, name))
        if isinstance(command, click.Group):
            found += commands(command, *path, name)
    return found


@pytest.mark.parametrize("path", commands(cli), ids=" ".join)
def test_every_command_has_help_with_an_example(run: Run, path: tuple[str, ...]) -> None:
    done = run(*path, "--help")
    assert done.code == 0
    if path != ("export", "schema"):
        assert "Example" in done.out
        assert "\n  kms-constructs " in done.out.replace("    kms-", "  kms-")


@pytest.mark.parametrize("path", commands(cli), ids=" ".join)
def test_every_option_has_help(path: tuple[str, ...]) -> None:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            assert parameter.help, f"{' '.join(path)}: {parameter.opts}"


def test_the_commands() -> None:
    assert sorted(cli.commands) == [
        "audit",
        "baseline",
        "check",
        "config",
        "diff",
        "explain",
        "export",
        "guardrails",
        "init",
        "material",
        "remediate",
        "trail",
        "verify-sharing",
    ]


def test_the_commands_are_a_mapping_of_click_commands() -> None:
    texts = {name: cli.commands[name].get_short_help_str() for name in ("check", "verify-sharing")}
    some = Commands(texts)
    assert (len(some), list(some)) == (2, ["check", "verify-sharing"])
    assert some["verify-sharing"].name == "verify-sharing"
    assert some["check"] is some["check"] is cli.commands["check"]
    assert dict(some.texts) == texts
    assert "audit" not in some
    some["audit"] = cli.commands["audit"]
    assert some.texts["audit"] == cli.commands["audit"].short_help
    del some["check"]
    assert list(some) == ["verify-sharing", "audit"]
    with pytest.raises(KeyError):
        some["check"]
    assert "check" not in some.texts


@pytest.mark.parametrize("words", [(), ("trail",)], ids=["all", "trail"])
def test_the_list_of_commands_loads_none(words: tuple[str, ...]) -> None:
    script = (
        "import sys\n"
        "from kms_constructs.cli.main import cli\n"
        f"cli([*{words!r}, '--help'], standalone_mode=False)\n"
        "print([one for one in sys.modules if one.startswith('kms_constructs')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    listed = done.stdout.partition("Commands:")[2]
    group = cli if not words else cli.commands["trail"]
    assert isinstance(group, click.Group)
    for name, command in group.commands.items():
        assert command.short_help
        assert f"  {name}  " in listed
        assert command.short_help in " ".join(listed.split())
    loaded = done.stdout.splitlines()[-1]
    assert "kms_constructs.cli.main" in loaded
    assert "kms_constructs.cli.trail_" not in loaded
    assert "kms_constructs.cli.check" not in loaded
    assert "kms_constructs.model" not in loaded


def test_the_version(run: Run) -> None:
    done = run("--version")
    assert (done.code, done.out) == (0, f"kms-constructs {metadata.version('kms-constructs')}\n")


@pytest.mark.parametrize("arguments", [["chek"], ["check", "--formt", "json"], ["check"]], ids=" ".join)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert "Usage: kms-constructs" in done.err


@pytest.mark.parametrize(
    ("statements", "unwanted"),
    [
        pytest.param("main(['--help'])", (*HEAVY, "rich", "yaml"), id="help"),
        pytest.param("main(['check', '--help'])", (*HEAVY, "rich", "yaml"), id="check-help"),
        pytest.param("main(['check', 'policy.json'])", (*HEAVY, *UNUSED), id="check-json"),
        pytest.param("main(['check', 'policy.json', '-f', 'json'])", (*HEAVY, "rich"), id="check-to-json"),
        pytest.param("main(['check', 'template.yaml'])", HEAVY, id="check-yaml"),
    ],
)
def test_nothing_heavy_is_loaded(tmp_path: Path, statements: str, unwanted: tuple[str, ...]) -> None:
    (tmp_path / "policy.json").write_text('{"Statement": []}', "utf-8")
    (tmp_path / "template.yaml").write_text("Resources: {Key: {Type: AWS::KMS::Key}}", "utf-8")
    code = (
        "import sys, json\n"
        "from kms_constructs.cli.main import main\n"
        "try:\n"
        f"    {statements}\n"
        "except SystemExit:\n"
        f"    print(json.dumps([name for name in {unwanted!r} if name in sys.modules]), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stderr.splitlines()[-1]) == []


def test_an_internal_error_is_one_message(run: Run, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr("kms_constructs.sources.load", fail)
    done = run("check", good)
    assert done.code == 2
    assert done.err.startswith("Internal error: ZeroDivisionError: by nought\n")
    assert "--debug" in done.err
    assert "Traceback" not in done.err


def test_debug_shows_where(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr("kms_constructs.sources.load", fail)
    with pytest.raises(ZeroDivisionError):
        entry.main(["--debug", "check", str(good)])


def test_an_interrupt(run: Run, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kms_constructs.sources.load", interrupt)
    done = run("check", good)
    assert (done.code, done.err.strip()) == (130, "Interrupted.")


COMMAND = [sys.executable, "-c", "from kms_constructs.cli.main import main; main()"]


def test_standard_input(bad: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "check", "-", "--control", "KMS:001", "-f", "json"],
        input=bad.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["summary"]["violation"] == 1


def test_a_reader_that_goes_away(bad: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "check", str(bad), "-f", "html"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 1
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        pytest.param({}, False, id="pipe"),
        pytest.param({"FORCE_COLOR": "1"}, True, id="forced"),
        pytest.param({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, id="no-color-wins"),
    ],
)
def test_colours(bad: Path, environment: dict[str, str], coloured: bool) -> None:
    done = subprocess.run(
        [*COMMAND, "check", str(bad)], capture_output=True, check=False, env={**os.environ, **environment}
    )
    assert (b"\x1b[" in done.stdout) == coloured


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_unicode(good: Path, encoding: str) -> None:
    for format_ in ("table", "json", "html"):
        done = subprocess.run(
            [*COMMAND, "explain", str(good), "-f", format_],
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONIOENCODING": encoding},
        )
        assert done.returncode == 0, done.stderr
        if format_ == "table":
            assert b"A allowed" in done.stdout


@pytest.mark.parametrize("columns", [40, 80, 160])
def test_the_width_of_the_terminal(bad: Path, columns: int) -> None:
    done = subprocess.run(
        [*COMMAND, "check", str(bad)],
        capture_output=True,
        check=False,
        env={**os.environ, "COLUMNS": str(columns)},
    )
    assert max(map(len, done.stdout.decode().splitlines())) <= columns


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        pytest.param([], list(CATALOGUE), id="all"),
        pytest.param(["kms:001", "IAM-KMS-8"], ["KMS:001", "IAM-KMS-8"], id="some-in-any-case"),
    ],
)
def test_guardrails(run: Run, arguments: list[str], ids: list[str]) -> None:
    document = run("guardrails", *arguments, "-f", "json").json()
    assert [control["id"] for control in document["controls"]] == ids
    assert run("guardrails", *arguments, "-f", "markdown").code == 0
    table = run("guardrails", *arguments).out
    assert all(CATALOGUE[control].title.split()[0] in table for control in ids)


def test_an_unknown_guardrail(run: Run) -> None:
    done = run("guardrails", "KMS:999")
    assert done.code == 2
    assert "There is no control 'KMS:999'" in done.err


BREAK_GLASS = "arn:aws:iam::*:role/BreakGlass"


@pytest.mark.parametrize("kind", ["scp", "rcp"])
@pytest.mark.parametrize("compact", [False, True], ids=["indented", "compact"])
def test_organization_policies(run: Run, kind: str, compact: bool) -> None:
    done = run("export", kind, "--exempt", BREAK_GLASS, *(["--compact"] if compact else []))
    document = done.json()
    assert done.code == 0
    assert document["Version"] == "2012-10-17"
    assert all(statement["Effect"] == "Deny" for statement in document["Statement"])
    assert BREAK_GLASS in done.out
    assert (len(done.out.splitlines()) == 1) == compact


def test_a_pending_window_for_the_organization(run: Run) -> None:
    assert run("export", "scp", "--minimum-pending-window", "14").json() != run("export", "scp").json()
    assert run("export", "scp", "--minimum-pending-window", "3").code == 2


def test_an_exemption_of_everybody_is_refused(run: Run) -> None:
    done = run("export", "scp", "--exempt", "*")
    assert done.code == 2
    assert done.err.startswith("Error: ")


def test_an_organization(run: Run, tmp_path: Path) -> None:
    done = run("export", "rcp", "--organization-id", "o-a1b2c3d4e5", "-o", "rcp.json")
    assert (done.code, done.out) == (0, "")
    assert "o-a1b2c3d4e5" in (tmp_path / "rcp.json").read_text("utf-8")


def test_the_schema(run: Run) -> None:
    assert run("export", "schema").json() == output_schema()


def test_the_schema_of_catalogues_is_written_without_loading_the_cdk(tmp_path: Path) -> None:
    code = (
        "import sys; from kms_constructs.cli.main import main\n"
        "try: main(['export', 'catalog-schema', '-o', 'keys.schema.json'])\n"
        "except SystemExit as done: assert not done.code, done.code\n"
        "assert 'aws_cdk' not in sys.modules and 'jsii' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    written = json.loads((tmp_path / "keys.schema.json").read_text("utf-8"))
    assert written["title"] == "Catalogue of KMS keys"
    assert {"stacks", "keys"} <= set(written["required"])


def test_the_configuration_round_trips(run: Run, tmp_path: Path) -> None:
    (tmp_path / "guardrails.toml").write_text(
        'trusted-accounts = ["444455556666"]\nundetermined-fails = false\n'
        '[authorised]\n"IAM-KMS-3" = ["arn:aws:iam::*:role/BreakGlass"]\n'
        '[severities]\n"KMS:010" = "warning"\n'
        '[[acknowledgements]]\nid = "KMS:003"\nreason = "used \\"outside\\" AWS"\n',
        "utf-8",
    )
    first = run("config", "--config", "guardrails.toml")
    (tmp_path / "again.toml").write_text(first.out, "utf-8")
    again = run("config", "--config", "again.toml")
    assert first.code == again.code == 0
    assert first.out.splitlines()[1:] == again.out.splitlines()[1:]
    assert first.out.splitlines()[0] == "# from guardrails.toml"
    assert 'trusted-accounts = ["444455556666"]' in first.out


def test_the_configuration_as_json(run: Run) -> None:
    document = run("config", "-f", "json").json()
    assert document["source"] == "default configuration"
    assert document["settings"]["minimum-pending-window"] == 7


def test_the_schema_of_the_configuration(run: Run, tmp_path: Path) -> None:
    done = run("export", "config-schema", "-o", "schema.json")
    assert (done.code, done.out) == (0, "")
    assert json.loads((tmp_path / "schema.json").read_text("utf-8")) == config_schema()


@pytest.mark.parametrize(
    ("shell", "says"),
    [
        ("bash", "complete -o nosort -F _kms_constructs_completion kms-constructs"),
        ("zsh", "#compdef kms-constructs"),
        ("fish", "complete --no-files --command kms-constructs"),
    ],
)
def test_the_completion_of_a_shell_is_printed(shell: str, says: str) -> None:
    environment = {**os.environ, "_KMS_CONSTRUCTS_COMPLETE": f"{shell}_source"}
    done = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert says in done.stdout


def test_a_command_is_completed() -> None:
    environment = {
        **os.environ,
        "_KMS_CONSTRUCTS_COMPLETE": "bash_complete",
        "COMP_WORDS": "kms-constructs ex",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["plain,explain", "plain,export"]
