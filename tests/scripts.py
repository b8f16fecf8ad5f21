"""Scripts run as ``python FILE`` runs them, but in the process of the test, where aws_cdk is loaded already.

An interpreter and a Node for each app take a second of a processor, the app itself a tenth. What a process
adds, exit codes and tracebacks, is done here as an interpreter does it; that it does so is shown by the tests
that start one.
"""

from __future__ import annotations

import io
import linecache
import os
import runpy
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest


@dataclass(frozen=True)
class Ended:
    """What a script left behind: its exit code, and all that it wrote to both streams, in order."""

    code: int
    said: str


def run_file(file: str, *arguments: str, directory: Path, environment: Mapping[str, str]) -> Ended:
    """Runs ``python FILE ARGUMENTS`` in a directory, with these variables and no other."""
    script = partial(runpy.run_path, file, run_name="__main__")
    return _run(script, [file, *arguments], directory, environment, str(Path(directory, file).parent))


def run_text(text: str, *, directory: Path, environment: Mapping[str, str]) -> Ended:
    """Runs ``python -c TEXT`` in a directory, with these variables and no other."""
    script = partial(exec, compile(text, "<string>", "exec"), {"__name__": "__main__"})
    return _run(script, ["-c"], directory, environment, str(directory))


def _run(
    script: Callable[[], object],
    argv: list[str],
    directory: Path,
    environment: Mapping[str, str],
    beside: str,
) -> Ended:
    app = _app()  # Node starts with the variables of the test: by CDK_OUTDIR it would remember every app
    known = set(sys.modules)
    linecache.clearcache()  # another directory may have had a file of that name
    with (
        pytest.MonkeyPatch.context() as patch,
        io.TextIOWrapper(io.BytesIO(), "utf-8") as out,
        warnings.catch_warnings(),
        mock.patch.dict(os.environ, environment, clear=True),
    ):
        patch.chdir(directory)
        patch.setattr(sys, "argv", argv)
        patch.syspath_prepend(beside)
        patch.setattr("aws_cdk.App", app)
        _as_an_interpreter_warns()
        with redirect_stdout(out), redirect_stderr(out):
            code = _code_of(script)
        out.flush()
        out.seek(0)
        said = out.read()
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(f"{beside}{os.sep}"):
            del sys.modules[name]  # the next app may have another of that name
    return Ended(code, said)


@cache
def _app() -> type[Any]:
    import aws_cdk

    class App(aws_cdk.App):
        """An app that writes where it is told: its Node knows neither the variable nor the directory."""

        def __init__(self, **given: Any) -> None:
            outdir = given.pop("outdir", None) or os.environ.get("CDK_OUTDIR")
            super().__init__(**given, outdir=str(Path(outdir).absolute()) if outdir else None)

    return App


def _as_an_interpreter_warns() -> None:
    warnings.showwarning = lambda *told: sys.stderr.write(warnings.formatwarning(*told[:4]))
    warnings.simplefilter("default")
    for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", category)


def _code_of(script: Callable[[], object]) -> int:
    try:
        script()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)  # noqa: T201 - as an interpreter does
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception as error:  # noqa: BLE001 - as an interpreter does
        traceback.print_exception(error)
        return 1
    return 0
