"""Forked programs are like programs: what a shell gives them and gets from them is the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import forked

SHOWS = "import os, sys\nprint(sys.argv[1:], os.environ.get('X'), os.getcwd(), sys.stdin.read())"
CODES = {
    "shows": SHOWS,
    "ends": "import sys\nsys.exit(int(sys.argv[1]))",
    "refuses": "import sys\nprint('said')\nsys.exit('why')",
    "breaks": "1 / 0",
    "writes": "import pathlib\npathlib.Path('made').touch()",
    "prepared": "import prepared_before",
}


@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        pytest.param("cd / && echo in | X=5 shows 'a b'", 0, "['a b'] 5 / in\n\n", "", id="what it gets"),
        pytest.param("shows </dev/null | tr '[' '('", 0, "(] None HERE \n", "", id="a pipe"),
        pytest.param("ends 0", 0, "", "", id="success"),
        pytest.param("ends 3", 3, "", "", id="a code"),
        pytest.param("refuses", 1, "said\n", "why\n", id="words"),
        pytest.param("breaks", 99, "", "ZeroDivisionError: division by zero\n", id="an exception"),
        pytest.param("umask 077; writes; ls -l made | cut -c1-10", 0, "-rw-------\n", "", id="umask"),
        pytest.param("prepared", 0, "", "", id="what is prepared"),
    ],
)
def test_a_program(line: str, code: int, out: str, err: str, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    before = "import sys, types\nsys.modules['prepared_before'] = types.ModuleType('prepared_before')"
    with forked.programs(programs, before, CODES):
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path, env={"PATH": f"{programs}:{Path(sys.executable).parent}:/usr/bin:/bin"},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert (done.returncode, done.stdout.replace(str(tmp_path), "HERE")) == (code, out)
    assert done.stderr.endswith(err)
    assert bool(done.stderr) == bool(err)
