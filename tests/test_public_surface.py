"""What a user of the package sees: names, their types, their documentation."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import linecache
import pkgutil
import subprocess
import sys
from enum import Enum
from pathlib import Path

import pytest

import kms_constructs
from kms_constructs import errors

PACKAGE = Path(kms_constructs.__file__).parent
MODULES = sorted(module.name for module in pkgutil.walk_packages([str(PACKAGE)], "kms_constructs."))
WITH_NODE = tuple(name for name in MODULES if name.startswith("kms_constructs.cdk"))


MODULES_TO_RUN = [pytest.param(name, marks=pytest.mark.cdk if name in WITH_NODE else ()) for name in MODULES]
NAMES = [
    pytest.param(name, marks=pytest.mark.cdk if where.startswith("cdk") else ())
    for name, where in kms_constructs._WHERE.items()
]


def test_the_public_names_are_sorted_and_each_stands_once() -> None:
    assert kms_constructs.__all__ == sorted(set(kms_constructs.__all__))
    assert list(kms_constructs._WHERE) == kms_constructs.__all__


def test_dir_lists_every_public_name() -> None:
    assert set(kms_constructs.__all__) <= set(dir(kms_constructs))


def test_a_type_checker_sees_the_same_names_in_the_same_modules() -> None:
    tree = ast.parse(Path(kms_constructs.__file__).read_text("utf-8"))
    block = next(
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    seen = {
        alias.asname: (node.module or "").removeprefix("kms_constructs.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert seen == kms_constructs._WHERE


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(kms_constructs, name)

    assert value.__name__ == name
    assert value.__module__ == f"kms_constructs.{kms_constructs._WHERE[name]}"
    assert value.__doc__, f"{name} has no docstring of its own"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_called_shows_an_example(name: str) -> None:
    value = getattr(kms_constructs, name)
    raised_or_chosen = isinstance(value, type) and issubclass(value, Exception | Enum)

    assert raised_or_chosen or "Example" in value.__doc__


def test_a_name_that_is_not_there_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="module 'kms_constructs' has no attribute 'KmsKey'"):
        _ = kms_constructs.KmsKey  # type: ignore[attr-defined]


def test_a_construct_without_the_cdk_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['aws_cdk'] = None\n"  # as if it were not installed
        "import kms_constructs\n"
        "kms_constructs.SecureKmsKey"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: kms_constructs.SecureKmsKey needs aws_cdk. Fix: pip install 'kms-constructs[cdk]', "
        "or from a checkout of the repository: pip install '.[cdk]'"
    )


def test_every_exception_is_public() -> None:
    assert {name for name, _ in inspect.getmembers(errors, inspect.isclass)} <= set(kms_constructs.__all__)


@pytest.mark.cdk
def test_every_construct_and_every_pack_is_public() -> None:
    from cdk_nag import NagPack
    from constructs import Construct

    found = {
        value
        for module in WITH_NODE
        for value in vars(importlib.import_module(module)).values()
        if isinstance(value, type)
        and issubclass(value, Construct | NagPack)
        and value.__module__.startswith("kms_constructs.")
        and not value.__name__.startswith("_")
    }
    bases = {base for value in found for base in value.__mro__[1:]}

    assert {value.__name__ for value in found - bases} - set(kms_constructs.__all__) == set()


@pytest.mark.cdk
def test_every_construct_says_itself_what_it_takes() -> None:
    """Editors show the documentation of ``__init__``, and without one that of the CDK's base class."""
    from constructs import Construct

    constructs = [
        value
        for name in kms_constructs.__all__
        if isinstance(value := getattr(kms_constructs, name), type) and issubclass(value, Construct)
    ]
    assert len(constructs) >= 7
    for construct in constructs:
        init = vars(construct)["__init__"]
        for name in set(inspect.signature(init).parameters) - {"self"}:
            assert f"{name}: " in (init.__doc__ or ""), f"{construct.__name__}: {name}"


@pytest.mark.parametrize("module", MODULES_TO_RUN)
def test_the_examples_in_docstrings_run(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # For each docstring doctest sets its debugger up, which asks after every file that a line was read of.
    monkeypatch.setattr(linecache, "checkcache", lambda *_: None)
    outcome = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)

    assert outcome.failed == 0
