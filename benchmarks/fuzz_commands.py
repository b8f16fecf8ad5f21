"""Broken files and odd arguments before every command: no crash, no hang, no pass, and no text that acts.

`fuzz.py` breaks documents and judges them in memory. This one writes them, breaks their text as well (bytes
that are flipped, cut out, doubled; other encodings; an end too early), and runs the commands as a terminal
does, in this process: every one that `kms-constructs --help` leads to, over templates, key policies,
Terraform plans and states, saved answers, fleets of keys, baselines, configurations, policies of an
organization, wrapped key material, logs of CloudTrail and stores of them. A fifth of the runs have odd
options. Nothing leaves this machine: where a command asks AWS, nobody answers, or a KMS and an S3 that are
made up (`fuzzing/outside.py`).

    python benchmarks/fuzz_commands.py                               # 2,000 runs
    python benchmarks/fuzz_commands.py --runs 1000000 --jobs 2       # the million that the documents speak of
    python benchmarks/fuzz_commands.py --only 4711 --keep DIR        # one of them again; its files go to DIR

What must hold of every run: it ends within `SLOW` seconds of processor time, with an exit code that is
documented and without an internal error; what is no JSON is refused; nothing that stands for itself (control
characters, marks of direction) is written to the terminal; where something was hidden that a guardrail reads,
that guardrail does not pass; a fleet is judged as its keys are one by one, to the letter; and of every file
and record of a trail ingestion says what became of it. Run N of a seed is the same on every machine that has
the same versions of what is installed. Exit code 1 when anything was found.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from unittest import mock

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from fuzzing import outside  # noqa: E402 - found beside this file
from fuzzing.commands import WEIGHTS, command_of, run_of  # noqa: E402
from fuzzing.run import Run  # noqa: E402

from kms_constructs.cli.main import main as command  # noqa: E402
from kms_constructs.exit_code import ExitCode  # noqa: E402
from kms_constructs.guardrails import engine  # noqa: E402
from kms_constructs.guardrails.finding import INTERNAL_ERROR  # noqa: E402

SEED: Final = 5
SLOW: Final = 15.0
"""Seconds of processor time that a run may take, on a machine with nothing else to do."""
COMMANDS: Final = frozenset(map(command_of, WEIGHTS))
CODES: Final = frozenset({0, 1, 2, 3})
_RAW: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
_PART: Final = 500
"""Runs that a process makes before it tells what it found."""
_PARTS: Final = 20
"""Parts that one process makes, about."""

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
    """Makes one run in the current directory, which it leaves empty, and notes what it finds."""
    run = run_of(seed, number)
    started = time.process_time()
    try:
        _write(run)
        with run.outside():
            for one in run.before:
                code, _, err = _called(one)
                result.problems += [(number, f"{run.shown()}: {problem}") for problem in _crashed(code, err)]
            code, out, err = _called(run.arguments)
        result.codes[" ".join(run.arguments[: 2 if run.arguments[0] in _GROUPS else 1]), code] += 1
        result.blind += bool(run.hidden)
        found = [*_wrong(run, code, out, err), *_apart(run, code, out, err)]
        result.problems += [(number, f"{run.shown()}: {problem}") for problem in found]
    except Exception:  # noqa: BLE001 - whatever it is, it must be told and the next run made
        result.problems.append((number, f"{run.shown()}: {traceback.format_exc()}"))
    finally:
        _sweep()
    took = time.process_time() - started
    result.slowest = max(result.slowest, (took, number))
    if took > SLOW:
        result.problems.append((number, f"{run.shown()}: it took {took:.1f} s"))


_GROUPS: Final = frozenset(name.partition(" ")[0] for name in COMMANDS if " " in name)


def _write(run: Run, place: Path = Path()) -> None:
    for name, content in run.files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        if name.endswith(".key"):
            file.chmod(0o600)


def _sweep() -> None:
    with os.scandir() as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)  # noqa: PTH108 - as fast as can be, a million times


def _called(arguments: Sequence[str]) -> tuple[int, str, str]:
    # As wide as a file, for whatever terminal this runs in; and surrogates pass, to be seen.
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogatepass", newline="") for _ in range(2))
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "stdin", io.StringIO()),
    ):
        try:
            command(list(arguments))
        except SystemExit as exit_:
            code = exit_.code
    return (code if isinstance(code, int) else -1), _text(out), _text(err)


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def _crashed(code: int, err: str) -> Iterator[str]:
    if code not in CODES:
        yield f"it ended with {code}"
    if "Internal error" in err or "Traceback" in err:
        yield err[:500]


def _wrong(run: Run, code: int, out: str, err: str) -> Iterator[str]:
    if not (run.asks and code == ExitCode.INTERRUPTED):
        yield from _crashed(code, err)
    if f'"{INTERNAL_ERROR}"' in out or f"[{INTERNAL_ERROR}]" in out:
        place = out.find(INTERNAL_ERROR)
        yield f"a rule failed: {out[max(0, place - 500) : place + 500]}"
    if run.must_be_refused and code != ExitCode.UNUSABLE:
        yield f"what is no JSON was not refused, and it ended with {code}"
    for text in (out.replace("\r\n", "\n"), err):
        raw = _RAW.search(text)
        if raw is not None:
            yield f"it wrote {raw.group(0)!r} as it is: {text[max(0, raw.start() - 60) : raw.end() + 20]!r}"
    if run.hidden and out.startswith("{"):
        yield from _passed(run, json.loads(out))
    if run.accounting is not None:
        yield from run.accounting(run, code, out)


def _passed(run: Run, document: Any) -> Iterator[str]:
    for found in document["findings"]:
        mine = run.hidden_of is None or found["location"]["logicalId"] == run.hidden_of
        # What an audit has by its side, such as the account, has no key.
        if mine and found["control"] in run.hidden and found["outcome"] == "compliant":
            yield f"{found['control']} passes what it cannot know"


def _apart(run: Run, code: int, out: str, err: str) -> Iterator[str]:
    """Whether it says something else when no two keys are judged as one."""
    if not run.alike:
        return
    with mock.patch.dict(engine.judge.__kwdefaults__, share_from=math.inf):
        again = _called(run.arguments)
    if again != (code, out, err):
        lines = next(
            (pair for pair in zip(out.split("\n"), again[1].split("\n"), strict=False) if len(set(pair)) > 1),
            "",
        )
        yield f"keys that are alike are judged otherwise, {code} and {again[0]}: {lines!r:.500}"


def runs(seed: int, numbers: range) -> Result:
    """Makes runs in a directory of their own, which is gone afterwards."""
    result = Result()
    before = Path.cwd()
    place = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108
    inner, spare = place / "runs", place / "spare"
    try:
        inner.mkdir()
        spare.mkdir()
        os.chdir(inner)
        # What commands put aside until the process ends goes with the rest.
        with outside.nobody(), mock.patch.object(tempfile, "tempdir", str(spare)):
            for number in numbers:
                check(seed, number, result)
    finally:
        os.chdir(before)
        shutil.rmtree(place)
    return result


def _results(seed: int, parts: Sequence[range], jobs: int) -> Iterator[Result]:
    """What the parts found, in their order."""
    if len(parts) == 1:
        yield runs(seed, parts[0])
        return
    # New processes now and then: what the package remembers of texts is bounded, but not small. A pool that
    # renews its own (max_tasks_per_child) hangs in Python 3.11.
    for at in range(0, len(parts), jobs * _PARTS):
        some = parts[at : at + jobs * _PARTS]
        with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
            yield from pool.map(runs, [seed] * len(some), some)


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
        print(run.shown())
        if given.keep:
            _write(run, Path(given.keep))
    started = time.perf_counter()
    whole = Result()
    parts = [numbers[at : at + _PART] for at in range(0, len(numbers), _PART)]
    for done, result in enumerate(_results(given.seed, parts, given.jobs), start=1):
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
