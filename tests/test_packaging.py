"""What is built of this repository is whole, and says of itself what is so."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import kms_constructs
from tests.conftest import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the source distribution, and the wheel that is built of it."""
    directory = tmp_path_factory.mktemp("dist")
    for kind in ("sdist", "wheel"):
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(directory)],
            cwd=REPOSITORY, check=True, capture_output=True,
        )  # fmt: skip
    return directory


def in_git() -> set[str]:
    """The files that git has; skips where there is no repository, as in a source distribution."""
    done = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is no git repository")
    return {name for name in done.stdout.splitlines() if (REPOSITORY / name).is_file()}


def test_the_source_distribution_is_the_repository(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert in_git() - names == set()


def test_the_wheel_is_the_package(built: Path) -> None:
    (archive,) = built.glob("*.whl")
    with zipfile.ZipFile(archive) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
    assert {name for name in in_git() if name.startswith("kms_constructs/")} - names == set()
    assert {name.partition("/")[0] for name in names} == {"kms_constructs"}


def test_the_version_is_that_of_the_distribution() -> None:
    assert kms_constructs.__version__ == metadata.version("kms-constructs") == PROJECT["version"]


def test_the_classifiers_begin_with_the_least_python() -> None:
    prefix = "Programming Language :: Python :: 3."
    minors = [int(one.removeprefix(prefix)) for one in PROJECT["classifiers"] if one.startswith(prefix)]
    assert PROJECT["requires-python"] == f">=3.{minors[0]}"
    assert minors == list(range(minors[0], minors[-1] + 1))


def test_every_extra_that_is_spoken_of_is_there() -> None:
    extras = set(PROJECT["optional-dependencies"])
    texts = [
        REPOSITORY / "README.md",
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "kms_constructs").rglob("*.py"),
    ]
    for text in texts:
        for piece in text.read_text("utf-8").split("kms-constructs[")[1:]:
            named = set(piece.partition("]")[0].split(","))
            if piece.partition("]")[1] and all(name.isalpha() for name in named):
                assert named <= extras, text
