"""Scripts in the process of a test end as those do that have a process."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tests.scripts import Ended, run_file, run_text

pytestmark = pytest.mark.cdk

SAYS = """\
import os, sys, warnings, other
print(other.NAME, sys.argv, __name__, os.environ["OWN"], "HOME" in os.environ)
sys.stdout.flush()
"""
CASES = {
    "ends": SAYS,
    "ends with a code": f"{SAYS}sys.exit(3)",
    "ends with nothing": f"{SAYS}sys.exit()",
    "ends with a text": f"{SAYS}sys.exit('that is it')",
    "raises": f"{SAYS}raise ValueError('by nought')",
    "warns": f"{SAYS}warnings.warn('beware')",
    "warns of what is old, elsewhere": f"{SAYS}other.old()",
}
OTHER = """\
import warnings
NAME = {name!r}
def old():
    warnings.warn("old", DeprecationWarning)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return with_other(tmp_path, "first")


def with_other(directory: Path, name: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "other.py").write_text(OTHER.format(name=name), "utf-8")
    return directory


@pytest.mark.parametrize("name", CASES)
def test_it_ends_as_with_an_interpreter(name: str, directory: Path) -> None:
    (directory / "script.py").write_text(CASES[name], "utf-8")
    environment = {"OWN": "yes", "PATH": os.environ["PATH"]}
    process = subprocess.run(
        [sys.executable, "script.py", "given"],
        cwd=directory, env=environment, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip

    here = run_file("script.py", "given", directory=directory, environment=environment)

    def told(text: str) -> list[str]:
        lines = text.splitlines()
        return [lines[0], lines[-1]]  # between them stand frames, of this process others

    assert here.code == process.returncode
    assert told(here.said) == told(process.stdout)


def test_what_it_changes_is_as_before(directory: Path) -> None:
    before = (dict(os.environ), Path.cwd(), list(sys.path), list(sys.argv), warnings.filters[:])
    (directory / "script.py").write_text("import os, sys\nos.environ['LEFT'] = 'x'\nos.chdir('/')\n", "utf-8")

    run_file("script.py", directory=directory, environment=dict(os.environ))

    assert (dict(os.environ), Path.cwd(), list(sys.path), list(sys.argv), warnings.filters[:]) == before


def test_each_has_the_modules_beside_it(directory: Path, tmp_path: Path) -> None:
    second = with_other(tmp_path / "second", "second")
    said = [
        run_text("import other; print(other.NAME)", directory=place, environment={})
        for place in (directory, second)
    ]
    assert said == [Ended(0, "first\n"), Ended(0, "second\n")]


def test_an_app_writes_where_it_is_told(directory: Path) -> None:
    app = "import aws_cdk as cdk\ncdk.App({}).synth()"
    for text in (app.format(""), app.format("outdir='said'")):
        done = run_text(text, directory=directory, environment={"CDK_OUTDIR": "told"})
        assert done.code == 0, done.said
    assert (directory / "told" / "manifest.json").is_file()
    assert (directory / "said" / "manifest.json").is_file()
