"""Input that means harm: the command names it and the limit, shows what it says, and judges the rest."""

from __future__ import annotations

import json
import os
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ROOT, Done, Run, policy, statement, template, write
from tests.sources.kms_api.build import Seed, answers_of

NESTED = 201
SECONDS = 40.0
"""Of processor time that an input may take: many times what it takes, for machines are slow."""


def aliases(levels: int = 9) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join([*lines, "Resources: {K: {Type: 'AWS::KMS::Key', Properties: {KeyPolicy: *a8}}}"])


def deep(text: str, brackets: int = NESTED) -> str:
    return text.replace("…", "[" * brackets + "]" * brackets)


REFUSED: dict[str, tuple[str, bytes, str]] = {
    "YAML bomb": ("a.yaml", aliases().encode(), "aliases stand for more than 250000 values"),
    "deep JSON": ("a.json", deep('{"Resources": …}', 100_000).encode(), "nested more than 200 levels deep"),
    "JSON a bit too deep": ("a.json", deep('{"Resources": …}').encode(), "nested more than 200 levels deep"),
    "deep YAML": ("a.yaml", deep("Resources: …", 100_000).encode(), "nested more than 200 levels deep"),
    "many values": ("a.json", b'{"Resources": [' + b"0," * 4_000_001 + b"0]}", "more than 4,000,000 values"),
    "long YAML": ("a.yaml", b"Resources:\n" + b"- a\n" * 2**21, "larger than 8 MB, the most"),
    "a long number": ("a.json", b'{"Resources": ' + b"9" * 5_000 + b"}", "more than 4,300 digits"),
    "a long number in YAML": ("a.yaml", b"Resources: " + b"9" * 5_000, "a number has 5,000 digits"),
    "NUL": ("a.json", b'{"Resources": \0{}}', "it holds a null character"),
    "UTF-16": ("a.json", '{"Resources": {}}'.encode("utf-16"), "it is not UTF-8 text"),
    "UTF-16 without a mark": ("a.yaml", "Resources: {}".encode("utf-16-le"), "it is not UTF-8 text"),
    "Latin-1": ("a.json", b'{"Resources": {"\xe9": {}}}', "it is not UTF-8 text"),
    "a surrogate": ("a.yaml", b'Resources: {"\\ud800": {}}', "it is not YAML"),
    "a key twice": ("a.json", b'{"Resources": {}, "Resources": {}}', "stands twice"),
    "a policy in a text, too deep": (
        "a.json",
        json.dumps({"Policy": deep('{"Statement": …}')}).encode(),
        "it is neither a template",
    ),
}  # fmt: skip

WRAP = ("material", "wrap", "--generate", "--discard", "-o", "wrapped.json")
COMMANDS: dict[str, Callable[[Path], list[str | Path]]] = {
    "check": lambda file: ["check", file],
    "explain": lambda file: ["explain", file],
    "diff": lambda file: ["diff", file, file],
    "baseline": lambda file: ["baseline", file, "-o", file.with_suffix(".out"), "--force"],
    "audit": lambda file: ["audit", "--offline", file],
    "remediate": lambda file: ["remediate", "--plan", file],
    "audit --against": lambda file: ["audit", "--offline", saved(file.parent), "--against", file],
    "--scp": lambda file: ["check", write(file.parent / "good.json", template()), "--scp", file],
    "--baseline": lambda file: ["check", write(file.parent / "good.json", template()), "--baseline", file],
    "--config": lambda file: ["config", "--config", file],
    "material wrap": lambda file: [*WRAP, file],
}


def saved(directory: Path, *seeds: Seed) -> Path:
    file = directory / "answers.json"
    file.write_text(answers_of(*(seeds or (Seed(),))).to_text(), "utf-8")
    return file


def harmless(text: str) -> bool:
    unseen = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return not [c for c in text if c != "\n" and unicodedata.category(c) in unseen]


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_is_named_and_the_rest_is_judged(
    kind: str, tmp_path: Path, run: Run, bad: Path
) -> None:
    name, content, said = REFUSED[kind]
    file = tmp_path / name
    file.write_bytes(content)
    done = run("check", file, bad, "-f", "json")
    assert done.code == 2
    (problem,) = done.json()["problems"]
    assert problem["source"] == str(file)
    assert said in problem["message"]
    assert problem["fix"]
    assert any(one["location"]["source"] == str(bad) for one in done.json()["findings"])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", REFUSED)
def test_no_command_fails_over_it(command: str, kind: str, tmp_path: Path, run: Run) -> None:
    name, content, _ = REFUSED[kind]
    file = tmp_path / name
    file.write_bytes(content)
    done = run(*COMMANDS[command](file))
    assert done.code == 2, done.err
    assert name in done.err + done.out
    assert "Internal error" not in done.err + done.out


def test_a_deep_configuration(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "c.toml"
    file.write_text(deep("a = …", 100_000), "utf-8")
    done = run("config", "--config", file)
    assert (done.code, "nested too deeply" in done.err) == (2, True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_what_is_no_regular_file(tmp_path: Path, run: Run, good: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    done = run("check", tmp_path, "-f", "json")
    said = {Path(one["source"]).name: one["message"] for one in done.json()["problems"]}
    assert said["pipe.json"] == "it is no regular file"
    assert said["loop.json"].startswith("it cannot be read")
    assert done.code == 2


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="the system has no endless file")
def test_a_file_without_an_end(run: Run) -> None:
    done = run("check", "/dev/zero", "-f", "json")
    (problem,) = done.json()["problems"]
    assert problem["message"] == "it cannot be read: it is larger than 64 MB, the most that is read"
    assert done.code == 2


# --- policies that take too long ---


def spread(make: Callable[[int], dict[str, Any]], number: int) -> dict[str, Any]:
    return policy(*(make(one) for one in range(number)))


def wide(condition: dict[str, object], effect: str = "Allow") -> dict[str, Any]:
    return {"Effect": effect, "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": condition}


def pattern(number: int) -> str:
    return "*" + "".join("ab"[(number >> bit) & 1] + "*" for bit in range(9))


TANGLED: dict[str, dict[str, Any]] = {
    "overlapping patterns": spread(
        lambda n: wide({"StringLike": {"aws:PrincipalArn": pattern(n)}}, ("Allow", "Deny")[n % 2]), 230
    ),
    "many patterns in one": policy(
        wide({"StringLike": {"aws:PrincipalArn": [f"*{n}*" for n in range(3_000)]}})
    ),
    "globs against each other": policy(
        wide({"ArnLike": {"aws:PrincipalArn": [f"arn:aws:iam::*:role/{'*a' * n}" for n in range(1, 200)]}}),
        wide({"ArnNotLike": {"aws:PrincipalArn": [f"arn:aws:iam::*:role/{'*a*b' * n}" for n in range(99)]}},
             "Deny"),
    ),
    "thousands of values": policy(
        wide({
            "StringLike": {"kms:ViaService": [f"s{n}.*.amazonaws.com" for n in range(5_000)],
                           "aws:PrincipalArn": [f"arn:aws:iam::*:role/*x{n}*" for n in range(5_000)]},
            "StringEquals": {"aws:SourceAccount": [str(10**11 + n) for n in range(5_000)]},
        })
    ),
    "thousands of principals": policy(
        statement("S", [f"arn:aws:iam::{10**11 + n}:role/R{n}" for n in range(5_000)], "kms:*")
    ),
    "hundreds of statements": spread(
        lambda n: statement(f"S{n}", f"arn:aws:iam::{10**11 + n}:role/R", "kms:*"), 300
    ),
    "exceptions from exceptions": spread(
        lambda n: {"Effect": "Deny", "NotPrincipal": {"AWS": f"arn:aws:iam::111122223333:role/R{n}"},
                   "Action": f"kms:{'ABCDEG'[n % 6]}*", "Resource": "*"} if n % 2 else
        {**wide({"ArnNotLike": {"aws:PrincipalArn": f"arn:*:*:*:*:*/*{n}*"}}), "Action": "kms:*"}, 260
    ),
}  # fmt: skip


JUDGED: dict[str, tuple[Done, Done]] = {}
"""What ``check`` and ``explain`` said of a tangled policy, each within its time: they are asked once."""


Judged = Callable[[str], tuple[Done, Done]]


@pytest.fixture
def judged(tmp_path: Path, run: Run) -> Judged:
    def timed(command: str, file: Path) -> Done:
        began = time.process_time()
        done = run(command, file, "-f", "json")
        assert time.process_time() - began < SECONDS
        return done

    def of(name: str) -> tuple[Done, Done]:
        if name not in JUDGED:
            file = write(tmp_path / "policy.json", TANGLED[name])
            JUDGED[name] = (timed("check", file), timed("explain", file))
        return JUDGED[name]

    return of


@pytest.mark.parametrize("name", TANGLED)
def test_a_tangled_policy_ends_and_does_not_pass(name: str, judged: Judged) -> None:
    check, explain = judged(name)
    assert check.code in (1, 3)
    outcomes = {one["control"]: one["outcome"] for one in check.json()["findings"]}
    assert {outcomes[control] for control in ("IAM-KMS-2", "IAM-KMS-5", "IAM-KMS-8")} <= {
        "violation",
        "undetermined",
    }
    assert explain.code == 0


def test_the_limit_is_named(judged: Judged) -> None:
    check, explain = judged("globs against each other")
    said = [one["message"] for one in check.json()["findings"]]
    assert any("it takes more than 3,000,000 steps to follow" in message for message in said)
    rows = explain.json()["keys"][0]["principals"]
    assert {cell["access"] for row in rows for cell in row["access"]} == {"unknown"}


# --- text that means harm ---

HOSTILE = "\x1b]8;;x\x07\u202e\u200b<b>|=1\x9b\u0410dmin"


@pytest.mark.parametrize("command", ["check", "explain", "diff", "baseline"])
def test_names_in_a_template_are_shown(command: str, tmp_path: Path, run: Run) -> None:
    sid = statement(HOSTILE, f"arn:aws:iam::111122223333:role/{HOSTILE}", "kms:*")
    made = template({"KeyPolicy": policy(statement("Root", ROOT, "kms:*"), sid), "Description": HOSTILE})
    made["Resources"][HOSTILE] = made["Resources"]["OrdersKey"]  # type: ignore[index]
    file = write(tmp_path / f"{HOSTILE.replace('/', '')}.json", made)
    other = write(tmp_path / "other.json", template())
    arguments = {"diff": [other, file], "baseline": [file, "-o", tmp_path / "b.json"]}.get(command, [file])
    done = run(command, *arguments)
    assert harmless(done.out)
    assert harmless(done.err)
    assert "Internal error" not in done.err
    if command in ("check", "explain"):
        assert "\\u202e" in done.out


@pytest.mark.parametrize("words", ["audit", "audit -f json", "remediate", "remediate -f json"])
def test_names_of_an_account_are_shown(words: str, tmp_path: Path, run: Run) -> None:
    seed = Seed(
        key_id=HOSTILE,
        tags={HOSTILE: HOSTILE},
        aliases=(f"alias/{HOSTILE}",),
        metadata={"Description": HOSTILE},
        policy=policy(statement(HOSTILE, "*", "kms:*")),
        rotation={"KeyRotationEnabled": False},
    )
    file = saved(tmp_path, seed)
    given = ["--offline", file] if words.startswith("audit") else ["--plan", file]
    done = run(*words.split(), *given)
    assert harmless(done.out)
    assert harmless(done.err)
    assert done.code in (1, 3)


SHARING = ("verify-sharing", "--source-profile", "a", "--target-profile", "b", "--bucket", "c", "--key")


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", HOSTILE],
        ["check", "-", "--account", HOSTILE],
        [HOSTILE],
        ["check", f"--{HOSTILE}"],
        ["explain", "good.json", "--key", HOSTILE],
        ["check", "good.json", "--control", HOSTILE],
        ["check", "good.json", "--parameter", f"{HOSTILE}=x"],
        ["check", "good.json", "-o", f"{HOSTILE}.txtx"],
        ["config", "--config", HOSTILE],
        [*SHARING, HOSTILE],
    ],
    ids=lambda given: " ".join(given[:-1]),
)  # fmt: skip
@pytest.mark.usefixtures("good")
def test_arguments_are_shown(arguments: list[str], run: Run) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert harmless(done.err), done.err


def test_a_configuration_is_shown(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "c.toml"
    text = json.dumps(f"{HOSTILE}\U000e0041").replace("\\udb40\\udc41", "\\U000e0041")
    file.write_text(f'[[acknowledgements]]\nid = "KMS:001"\nreason = {text}\n', "utf-8")
    for form in ("table", "json"):
        done = run("config", "--config", file, "-f", form)
        assert done.code == 0, done.err
        assert harmless(done.out)


def test_no_line_of_the_terminal_is_a_command_of_github(tmp_path: Path, run: Run) -> None:
    made = template({"EnableKeyRotation": False})
    made["Resources"]["::error::pwned"] = made["Resources"]["OrdersKey"]  # type: ignore[index]
    done = run("check", write(tmp_path / "a.json", made), "--verbose")
    assert "\\x3a:error::pwned" in done.out
    assert not [line for line in done.out.splitlines() if line.lstrip().startswith("::")]


# --- what the fuzz found ---


def odd_partition() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads(answers_of(Seed()).to_text())
    answers["scopes"][0]["partition"] = "kms:Decrypt"
    return answers


def unknown_operation() -> dict[str, Any]:
    grant = {
        "GrantId": "g",
        "Operations": ["Decrxpt"],
        "GranteePrincipal": "arn:aws:iam::111122223333:role/A",
    }
    answers: dict[str, Any] = json.loads(answers_of(Seed(grants=[grant])).to_text())
    return answers


def tag_without_a_name() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads(answers_of(Seed(tags={"a": "b"})).to_text())
    for one in answers["answers"]:
        if one["call"] == "kms:ListResourceTags":
            one["answer"]["Tags"][0]["TagKey"] = [{}]
    return answers


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        pytest.param(odd_partition(), 2, id="a partition that is none"),
        pytest.param(unknown_operation(), 1, id="a grant of an operation that is not known"),
        pytest.param(tag_without_a_name(), 1, id="a tag whose name is no text"),
    ],
)
def test_answers_that_once_made_a_rule_fail(
    answers: dict[str, Any], code: int, tmp_path: Path, run: Run
) -> None:
    done = run("audit", "--offline", write(tmp_path / "a.json", answers), "-f", "json")
    assert done.code == code, done.err
    assert "internal-error" not in done.out
