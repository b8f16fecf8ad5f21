"""Broken files before every command that reads files: no crash, no hang, no pass, and no text that acts.

`fuzz.py` breaks documents and judges them in memory. This one writes them, breaks their text as well (bytes
that are flipped, cut out, doubled; other encodings; an end too early), and runs the commands as a terminal
does, in this process: check, explain, diff, baseline, audit, remediate, config and material wrap, over
templates, key policies, Terraform plans and states, saved answers, baselines, configurations and parameters.

    python benchmarks/fuzz_commands.py                               # 2,000 runs
    python benchmarks/fuzz_commands.py --runs 1000000 --jobs 2       # the million that the documents speak of
    python benchmarks/fuzz_commands.py --only 4711 --keep DIR        # one of them again; its files go to DIR

What must hold of every run: it ends within `SLOW` seconds of processor time, with an exit code that is
documented and without an internal error; what is no JSON is refused; nothing that stands for itself (control
characters, marks of direction) is written to the terminal; and where something was hidden that a guardrail
reads, that guardrail does not pass. Run N of a seed is the same on every machine. Exit code 1 when anything
was found.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import fuzz  # noqa: E402 - found beside this file

from kms_constructs.cli.main import main as command  # noqa: E402
from kms_constructs.guardrails.finding import INTERNAL_ERROR  # noqa: E402
from kms_constructs.runtime.material.ceremony import PARAMETERS_FORMAT  # noqa: E402
from kms_constructs.sources.kms_api.answers import Answers  # noqa: E402
from tests.sources.kms_api.build import ACCOUNT, Seed, answers_of, refused  # noqa: E402
from tests.sources.terraform.plans import made, plan, state  # noqa: E402

SEED: Final = 5
SLOW: Final = 15.0
"""Seconds of processor time that a run may take, on a machine with nothing else to do."""
CODES: Final = frozenset({0, 1, 2, 3})
_RAW: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
_PART: Final = 500
"""Runs that a process makes before it tells what it found."""

# --- documents --------------------------------------------------------------------------------------------


def _plain(policy: dict[str, Any]) -> dict[str, Any]:
    """A policy without functions of CloudFormation."""
    text = re.sub(r"\{[^{}]*\"Fn::[^{}]*\}", f'"arn:aws:iam::{ACCOUNT}:root"', json.dumps(policy))
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def documents() -> dict[str, tuple[Any, ...]]:
    """The documents that are broken, by their kind."""
    policies = tuple(map(_plain, (fuzz._HARDENED, fuzz._CONSOLE)))
    key = {"policy": json.dumps(policies[0]), "enable_key_rotation": True, "deletion_window_in_days": 30}
    alias = made("aws_kms_alias.a", {"name": "alias/orders", "target_key_id": "k"})
    seeds = (
        Seed(policy=policies[0], tags={"owner": "payments"}),
        Seed(policy=policies[1], rotation={"KeyRotationEnabled": False}, grants=[
            {"GrantId": "g", "Operations": ["Decrypt"], "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/A"}
        ]),
    )  # fmt: skip
    return {
        "template": (fuzz._TEMPLATE, fuzz._SECOND),
        "policy": policies,
        "plan": (
            plan(made("aws_kms_key.k", key), alias),
            plan(made("aws_kms_key.k", {"description": "d"}, unknown={"policy": True, "arn": True})),
            state(made("aws_kms_key.k", key), alias),
        ),
        "answers": tuple(json.loads(answers_of(seed).to_text()) for seed in seeds),
        "baseline": (
            {"version": 1, "accepted": [
                {"fingerprint": "0" * 16, "control": "KMS:001", "finding": "KMS:001[enabled]",
                 "resource": "Key", "severity": "medium", "principal": "", "message": "rotation is off"}
            ]},
        ),
        "config": (
            {"minimum-pending-window": 30, "trusted-accounts": [ACCOUNT], "severities": {"KMS:001": "low"}},
        ),
        "parameters": (
            {"format": PARAMETERS_FORMAT, "keys": [
                {"key": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/k", "keySpec": "SYMMETRIC_DEFAULT",
                 "wrappingAlgorithm": "RSAES_OAEP_SHA_256", "wrappingKeySpec": "RSA_2048",
                 "publicKey": "AAAA", "publicKeySha256": "00", "importToken": "AAAA",
                 "validTo": "2030-01-01T00:00:00+00:00"}
            ]},
        ),
    }  # fmt: skip


_HIDDEN_ANSWERS: Final = {
    "GetKeyPolicy": fuzz._POLICY_CONTROLS,
    "GetKeyRotationStatus": ("KMS:001",),
    "ListResourceTags": ("KMS:008",),
}


@cache
def _hidden_answers() -> tuple[tuple[str, Any], ...]:
    """Answers of which one was refused, with the name of its call."""
    found: list[tuple[str, Any]] = []
    for name in _HIDDEN_ANSWERS:
        answers: Answers = answers_of(Seed())
        for call in [one for one in answers.given if one.operation == name]:
            answers = refused(answers, call)
        found.append((name, json.loads(answers.to_text())))
    return tuple(found)


def _broken(kind: str, dice: random.Random, breaks: Sequence[int] = (0, 1, 1, 2, 3, 4)) -> Any:
    seeds = documents()[kind]
    document = fuzz._copy(dice.choice(seeds))
    everything = tuple(one for several in documents().values() for one in several)
    for _ in range(dice.choice(breaks)):
        places = fuzz._places(document)
        if places:
            node, key = dice.choice(places)
            dice.choice(fuzz._BREAKS)(node, key, dice, everything)
    return document


# --- text -------------------------------------------------------------------------------------------------

_BITS: Final = (
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\x1b[2J", "\u202e".encode(), b'"', b"{", b"[", b"]}", b"\\",
    b"\\ud800", b"&a ", b"*a ", b"!Ref ", b"<<: ", b": ", b"\n- ", b"\t", b"#", b"1e999", b"-", b"NaN",
    b"\r\n", b"--- ",
)  # fmt: skip


def _cut(text: bytes, dice: random.Random) -> bytes:
    return text[: dice.randrange(len(text) + 1)]


def _flip(text: bytes, dice: random.Random) -> bytes:
    changed = bytearray(text)
    for _ in range(dice.choice((1, 1, 3, 20))):
        if changed:
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _insert(text: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(text) + 1)
    return text[:place] + dice.choice(_BITS) * dice.choice((1, 1, 1, 300)) + text[place:]


def _drop(text: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(text) + 1)
    return text[:start] + text[start + dice.choice((1, 2, 40)) :]


def _double(text: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(text) + 1)
    part = text[start : start + dice.choice((3, 30, 300))]
    return text[:start] + part * dice.choice((2, 3, 50)) + text[start:]


def _encode(text: bytes, dice: random.Random) -> bytes:
    encoding = dice.choice(("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp037"))
    return text.decode("utf-8", "replace").encode(encoding, "replace")


_WRECKS: Final[tuple[Callable[[bytes, random.Random], bytes], ...]] = (
    _cut, _flip, _flip, _insert, _insert, _drop, _double, _encode,
)  # fmt: skip


def _written(document: Any, dice: random.Random, *, yaml_too: bool) -> tuple[bytes, str]:
    if yaml_too and dice.random() < 0.15:
        with contextlib.suppress(yaml.YAMLError, ValueError, RecursionError):
            # Parsed anew, so that it has no anchors for what is shared.
            text = yaml.safe_dump(json.loads(json.dumps(document)), allow_unicode=dice.random() < 0.5)
            return text.encode("utf-8", "surrogatepass"), ".yaml"
    text = json.dumps(document, ensure_ascii=dice.random() < 0.8)
    if dice.random() < 0.9:  # what is no JSON is refused at once, and then nothing else is tried
        text = re.sub(r"\bNaN\b|-?\bInfinity\b", "1.5", text)
    return text.encode("utf-8", "surrogatepass"), ".json"


def _toml(value: Any, depth: int = 0) -> str:
    if isinstance(value, dict):
        members = (f"{json.dumps(str(name))} = {_toml(member, depth + 1)}" for name, member in value.items())
        return f"{{{', '.join(members)}}}" if depth else "\n".join(members)
    if isinstance(value, list):
        return f"[{', '.join(_toml(one, depth + 1) for one in value)}]"
    return "nan" if value is None else json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")


# --- runs -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """One run: the command and its files.

    Args:
        arguments: The command line; files by name.
        files: Their content.
        must_be_refused: Whether one of them is nothing that could be read.
        hidden: Controls that must not pass, because what they read was hidden.
    """

    arguments: tuple[str, ...]
    files: dict[str, bytes]
    must_be_refused: bool = False
    hidden: tuple[str, ...] = ()


_COMMANDS: Final = (
    "check", "check", "explain", "diff", "baseline", "audit", "audit", "remediate", "check --baseline",
    "check --config", "check --scp", "audit --against", "config", "material wrap",
)  # fmt: skip
_FORMATS: Final = {
    "check": ("json", "json", "table", "sarif", "junit", "csv", "markdown", "github", "gitlab", "html"),
    "explain": ("json", "table", "markdown", "html"),
    "diff": ("json", "table", "markdown"),
    "audit": ("json", "json", "table", "markdown", "asff", "ocsf", "inventory", "html"),
    "remediate": ("json", "table"),
    "config": ("json", "table"),
}
_TEMPLATES: Final = ("template", "template", "policy", "plan")


def run_of(seed: int, number: int) -> Run:
    """The run of a number."""
    dice = random.Random(f"commands:{seed}:{number}")  # noqa: S311 - repeatable on purpose
    name = dice.choice(_COMMANDS)
    first, _, option = name.partition(" ")
    forms = _FORMATS.get(first, ())
    shown = ("-f", dice.choice(forms)) if forms else ()
    if number % 5 == 0 and first in ("check", "audit") and not option:
        return _blind(first, dice)
    kind = {"audit": "answers", "remediate": "answers", "config": "config", "material": "parameters"}.get(
        first
    )
    kind = kind or dice.choice(_TEMPLATES)
    file, content, refused_ = _file("a", kind, dice)
    files = {file: content}
    words: tuple[str, ...] = {
        "audit": ("audit", "--offline", file),
        "remediate": ("remediate", "--plan", file),
        "config": ("config", "--config", file),
        "baseline": ("baseline", file, "-o", "out.json", "--force"),
        "material": ("material", "wrap", file, "--generate", "--discard", "-o", "out.json"),
    }.get(first, (first, file))
    if option in ("--baseline", "--config", "--scp", "--against"):
        kinds = {"--baseline": "baseline", "--config": "config", "--scp": "policy", "--against": "template"}
        other, more, _ = _file("b", kinds[option], dice)
        files[other], words = more, (*words, option, other)
    elif first == "diff":
        other, more, _ = _file("b", dice.choice((kind, kind, "answers")), dice)
        files[other], words = more, (*words, other)
    return Run(
        (*words, *shown), files, refused_ and first in ("check", "explain", "baseline", "audit", "remediate")
    )


def _file(stem: str, kind: str, dice: random.Random) -> tuple[str, bytes, bool]:
    """A file, and whether nobody could read it."""
    document = _broken(kind, dice)
    if kind == "config":
        content, ending = (
            _toml(document if isinstance(document, dict) else {}).encode("utf-8", "surrogatepass"),
            ".toml",
        )
    else:
        content, ending = _written(document, dice, yaml_too=kind in ("template", "policy"))
    if dice.random() < 0.25:
        for _ in range(dice.choice((1, 1, 2))):
            content = dice.choice(_WRECKS)(content, dice)
    return f"{stem}{ending}", content, ending == ".json" and not _is_json(content)


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return True


def _blind(first: str, dice: random.Random) -> Run:
    """A run in which something that guardrails read is hidden from them."""
    if first == "audit":
        name, document = dice.choice(_hidden_answers())
        text = json.dumps(document).encode()
        return Run(
            ("audit", "--offline", "a.json", "--all", "-f", "json"),
            {"a.json": text},
            hidden=_HIDDEN_ANSWERS[name],
        )
    document = _broken("template", dice, (0, 1, 2))
    hidden = fuzz._blind(document, dice)
    content = json.dumps(document).encode("utf-8")
    controls = () if hidden is None else fuzz._READS[hidden[1]]
    named = () if hidden is None else (f"--hidden={hidden[0]}",)
    return Run(("check", "a.json", "-f", "json", *named), {"a.json": content}, hidden=controls)


# --- running ----------------------------------------------------------------------------------------------


@dataclass
class Result:
    """What the runs found.

    Args:
        problems: What must not have happened, by run.
        codes: How often each command ended with each code.
        slowest: Processor time and run of the slowest.
        blind: Runs that hid something.
    """

    problems: list[tuple[int, str]] = field(default_factory=list)
    codes: Counter[tuple[str, int]] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, -1)
    blind: int = 0

    def add(self, other: Result) -> None:
        """Adds what others found."""
        self.problems += other.problems
        self.codes += other.codes
        self.slowest = max(self.slowest, other.slowest)
        self.blind += other.blind


def check(seed: int, number: int, result: Result) -> None:
    """Makes one run in the current directory and notes what it finds."""
    run = run_of(seed, number)
    started = time.process_time()
    try:
        for name, content in run.files.items():
            Path(name).write_bytes(content)
        arguments = [word for word in run.arguments if not word.startswith("--hidden=")]
        code, out, err = _called(arguments)
        result.codes[run.arguments[0], code] += 1
        result.blind += bool(run.hidden)
        result.problems += [
            (number, f"{' '.join(arguments)}: {problem}") for problem in _wrong(run, code, out, err)
        ]
    except Exception:  # noqa: BLE001 - whatever it is, it must be told and the next run made
        result.problems.append((number, traceback.format_exc()))
    took = time.process_time() - started
    result.slowest = max(result.slowest, (took, number))
    if took > SLOW:
        result.problems.append((number, f"{' '.join(run.arguments)}: it took {took:.1f} s"))


def _called(arguments: Sequence[str]) -> tuple[int, str, str]:
    # As wide as a file, for whatever terminal this runs in; and surrogates pass, to be seen.
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogatepass", newline="") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            command(list(arguments))
        except SystemExit as exit_:
            code = exit_.code
    return (code if isinstance(code, int) else -1), _text(out), _text(err)


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def _wrong(run: Run, code: int, out: str, err: str) -> Iterator[str]:
    if code not in CODES:
        yield f"it ended with {code}"
    if "Internal error" in err or "Traceback" in err:
        yield err[:500]
    if f'"{INTERNAL_ERROR}"' in out or f"[{INTERNAL_ERROR}]" in out:
        place = out.find(INTERNAL_ERROR)
        yield f"a rule failed: {out[max(0, place - 500) : place + 500]}"
    if run.must_be_refused and code != 2:
        yield f"what is no JSON was not refused, and it ended with {code}"
    for text in (out.replace("\r\n", "\n"), err):
        raw = _RAW.search(text)
        if raw is not None:
            yield f"it wrote {raw.group(0)!r} as it is: {text[max(0, raw.start() - 60) : raw.end() + 20]!r}"
    if run.hidden and out.startswith("{"):
        yield from _passed(run, json.loads(out))


def _passed(run: Run, document: Any) -> Iterator[str]:
    name = next((word.partition("=")[2] for word in run.arguments if word.startswith("--hidden=")), None)
    for found in document["findings"]:
        mine = name is None or found["location"]["logicalId"] == name
        # What an audit has by its side, such as the account, has no key.
        if mine and found["control"] in run.hidden and found["outcome"] == "compliant":
            yield f"{found['control']} passes what it cannot know"


def runs(seed: int, numbers: range) -> Result:
    """Makes runs in a directory of their own, which is gone afterwards."""
    result = Result()
    before = Path.cwd()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as place:  # noqa: S108
        os.chdir(place)
        try:
            for number in numbers:
                check(seed, number, result)
        finally:
            os.chdir(before)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--start", type=int, default=0, help="number of the first run")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the runs")
    parser.add_argument("--only", type=int, metavar="N", help="make this run alone")
    parser.add_argument("--keep", metavar="DIR", help="with --only: leave its files there")
    given = parser.parse_args()
    numbers = range(given.start, given.start + given.runs)
    if given.only is not None:
        numbers = range(given.only, given.only + 1)
        run = run_of(given.seed, given.only)
        print(" ".join(run.arguments))
        if given.keep:
            Path(given.keep).mkdir(parents=True, exist_ok=True)
            for name, content in run.files.items():
                (Path(given.keep) / name).write_bytes(content)
    started = time.perf_counter()
    whole = Result()
    parts = [numbers[at : at + _PART] for at in range(0, len(numbers), _PART)]
    with contextlib.ExitStack() as stack:
        several = given.jobs > 1 and len(parts) > 1
        pool = stack.enter_context(ProcessPoolExecutor(given.jobs)) if several else None
        results = (
            pool.map(runs, [given.seed] * len(parts), parts)
            if pool
            else (runs(given.seed, one) for one in parts)
        )
        for done, result in enumerate(results, start=1):
            whole.add(result)
            for number, problem in result.problems:
                print(f"run {number}: {problem}", flush=True)
            if done % 20 == 0:
                print(f"{done * _PART:,} runs, {len(whole.problems)} problems", flush=True)
    took, slow = whole.slowest
    seconds = time.perf_counter() - started
    print(
        f"seed {given.seed}: {len(numbers):,} runs in {seconds:.0f} s, {whole.blind:,} with something "
        f"hidden; {len(whole.problems)} problems; slowest {took:.2f} s (run {slow}); "
        f"{', '.join(f'{name} {code}: {count:,}' for (name, code), count in sorted(whole.codes.items()))}"
    )
    return 1 if whole.problems else 0


if __name__ == "__main__":
    sys.exit(main())
