"""Deliberate faults in every layer, one at a time: the tests have to notice each.

Every mutant (`mutations/`, by layer) is one change of text in one file, made in a copy of the package.
`tests/analysis` and the tests of patterns run over the copy, or the tests that the mutant names; a mutant
that they let pass has survived, and the exit code is 1.

    python benchmarks/mutants.py            # all, as many at a time as there are cores
    python benchmarks/mutants.py session    # those whose name or file has this word

The tables of cases run first and catch nearly all within seconds; the properties run for those they miss.
"""

from __future__ import annotations

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutations import MUTANTS, Mutant

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = Path("kms_constructs")
PROPERTIES = "tests/analysis/test_properties.py"
CASES = (
    "tests/analysis",
    "tests/model/test_globs.py",
    "tests/model/test_limits.py",
    "tests/guardrails/rules/test_iam_kms_6_service_scope.py",
    "tests/guardrails/rules/test_kms_004_least_privilege.py",
)
LIMIT = 600
"""Seconds after which a run counts as killed: the mutant made it hang."""


def _run(copy: Path, *arguments: str) -> bool:
    """Whether the tests pass over the copy."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, check=False, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        return False
    if done.returncode not in {0, 1}:
        raise SystemExit(f"pytest could not run:\n{done.stdout.decode()}{done.stderr.decode()}")
    return done.returncode == 0


def _verdict(copy: Path, mutant: Mutant) -> str:
    if mutant.tests:
        return "SURVIVED" if _run(copy, *mutant.tests) else "killed by a case"
    if not _run(copy, *CASES, f"--ignore={PROPERTIES}"):
        return "killed by a case"
    return "SURVIVED" if _run(copy, PROPERTIES) else "killed by a property"


def _copied(folder: Path) -> Path:
    """A copy of the package and its tests."""
    shutil.copytree(REPOSITORY / "kms_constructs", folder / "kms_constructs")
    shutil.copytree(REPOSITORY / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


def _tried(mutant: Mutant, copies: queue.Queue[Path]) -> tuple[str, float]:
    """What becomes of a mutant, in one of the copies, and how long that took."""
    copy = copies.get()
    try:
        target = copy / PACKAGE / mutant.file
        original = target.read_text(encoding="utf-8")
        if original.count(mutant.old) != 1:
            raise SystemExit(f"{mutant.name}: its text stands {original.count(mutant.old)} times")
        target.write_text(original.replace(mutant.old, mutant.new), encoding="utf-8")
        started = time.perf_counter()
        verdict = _verdict(copy, mutant)
        target.write_text(original, encoding="utf-8")
        return verdict, time.perf_counter() - started
    finally:
        copies.put(copy)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("word", nargs="?", default="", help="a word in the name or the file of mutants")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="mutants at a time")
    given = parser.parse_args()
    chosen = [one for one in MUTANTS if given.word in one.name or given.word in one.file]
    survived = 0
    copies: queue.Queue[Path] = queue.Queue()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.jobs) as pool:
        for number in range(max(1, min(given.jobs, len(chosen)))):
            copies.put(_copied(Path(folder, str(number))))
        first = copies.get()
        if not _run(first, *CASES, f"--ignore={PROPERTIES}"):
            raise SystemExit("the tests fail without any mutant")
        copies.put(first)
        for mutant, (verdict, seconds) in zip(
            chosen, pool.map(lambda one: _tried(one, copies), chosen), strict=True
        ):
            survived += verdict == "SURVIVED"
            print(f"{mutant.name:34} {verdict:21} {seconds:5.1f} s  {mutant.harm}", flush=True)
    print(f"{len(chosen)} mutants, {len(chosen) - survived} killed, {survived} survived")
    return 1 if survived else 0


if __name__ == "__main__":
    raise SystemExit(main())
