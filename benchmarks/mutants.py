"""Deliberate faults in every layer, one at a time: the tests have to notice each.

Every mutant (`mutations/`, by layer) is one change of text in one file, made in a copy of the package.
`tests/analysis` and the tests of patterns run over the copy, or the tests that the mutant names; a mutant
that they let pass has survived, and the exit code is 1.

    python benchmarks/mutants.py            # all, one after the other
    python benchmarks/mutants.py session    # those whose name or file has this word

The tables of cases run first and catch nearly all within seconds; the properties run for those they miss.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
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


def main() -> int:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [mutant for mutant in MUTANTS if word in mutant.name or word in mutant.file]
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(REPOSITORY / "kms_constructs", copy / "kms_constructs")
        shutil.copytree(REPOSITORY / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(REPOSITORY / "pyproject.toml", copy)
        if not _run(copy, *CASES, f"--ignore={PROPERTIES}"):
            raise SystemExit("the tests fail without any mutant")
        if any(mutant.tests for mutant in chosen):
            shutil.copytree(REPOSITORY / "tests", copy / "tests", dirs_exist_ok=True)
        for mutant in chosen:
            target = copy / PACKAGE / mutant.file
            original = target.read_text(encoding="utf-8")
            if original.count(mutant.old) != 1:
                raise SystemExit(f"{mutant.name}: its text stands {original.count(mutant.old)} times")
            target.write_text(original.replace(mutant.old, mutant.new), encoding="utf-8")
            started = time.perf_counter()
            verdict = _verdict(copy, mutant)
            target.write_text(original, encoding="utf-8")
            survived += verdict == "SURVIVED"
            print(
                f"{mutant.name:34} {verdict:21} {time.perf_counter() - started:5.1f} s  {mutant.harm}",
                flush=True,
            )
    print(f"{len(chosen)} mutants, {len(chosen) - survived} killed, {survived} survived")
    return 1 if survived else 0


if __name__ == "__main__":
    raise SystemExit(main())
