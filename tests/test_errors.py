"""The exceptions: one tree, and messages that say what to do."""

from __future__ import annotations

import inspect
import pickle

import pytest

from kms_constructs import errors
from kms_constructs.errors import (
    ArgumentError,
    ConfigurationError,
    GuardrailError,
    GuardrailSynthError,
    KmsCallError,
    KmsConstructsError,
    MaterialError,
    SealedPolicyError,
    SealedSynthError,
    SourceError,
)

CASES = [
    pytest.param(
        ArgumentError("alias", "aws/x", "'aws/' is reserved for AWS managed keys", "choose another name"),
        "alias='aws/x' is refused: 'aws/' is reserved for AWS managed keys. Fix: choose another name",
        id="ArgumentError",
    ),
    pytest.param(
        ArgumentError("pending_window", 3, "7 to 30 days", "pass 7 or more", where="App/Key"),
        "App/Key: pending_window=3 is refused: 7 to 30 days. Fix: pass 7 or more",
        id="ArgumentError with a place",
    ),
    pytest.param(
        SealedPolicyError("statement", {}, "the policy is sealed", "use key_users"),
        "statement={} is refused: the policy is sealed. Fix: use key_users",
        id="SealedPolicyError",
    ),
    pytest.param(
        SealedSynthError(ArgumentError("grantee", "A", "no", "b"), ("grantee='A' is refused: no. Fix: b",)),
        "grantee='A' is refused: no. Fix: b",
        id="SealedSynthError with one",
    ),
    pytest.param(
        SealedSynthError(ArgumentError("a", 1, "no", "b"), ("x", "y")),
        "2 wishes for more than sealed key policies say are refused:\n1. x\n2. y",
        id="SealedSynthError with two",
    ),
    pytest.param(
        SourceError("a.json", "it is empty", "pass a template"),
        "a.json: it is empty. Fix: pass a template",
        id="SourceError",
    ),
    pytest.param(
        ConfigurationError("pyproject.toml", "controls.X", "no such control", "see the list"),
        "pyproject.toml: controls.X: no such control. Fix: see the list",
        id="ConfigurationError",
    ),
    pytest.param(
        MaterialError("orders.key", "it holds 16 bytes", "give 32"),
        "orders.key: it holds 16 bytes. Fix: give 32",
        id="MaterialError",
    ),
    pytest.param(
        KmsCallError("alias/orders", "access is denied", "allow it", code="AccessDeniedException"),
        "alias/orders: access is denied. Fix: allow it",
        id="KmsCallError",
    ),
    pytest.param(GuardrailError("2 findings"), "2 findings", id="GuardrailError"),
]


@pytest.mark.parametrize(("error", "message"), CASES)
def test_a_message_says_what_was_given_what_is_allowed_and_what_to_do(error, message: str) -> None:
    assert str(error) == message


def test_one_class_catches_them_all() -> None:
    classes = {cls for _, cls in inspect.getmembers(errors, inspect.isclass)}

    assert classes == {
        KmsConstructsError,
        ArgumentError,
        SealedPolicyError,
        SealedSynthError,
        SourceError,
        ConfigurationError,
        MaterialError,
        KmsCallError,
        GuardrailError,
        GuardrailSynthError,
    }
    assert all(issubclass(cls, KmsConstructsError) for cls in classes)


def test_the_tree_in_the_docstring_names_every_class() -> None:
    documented = errors.__doc__ or ""

    assert [
        cls.__name__ for cls in KmsConstructsError.__subclasses__() if cls.__name__ not in documented
    ] == []
    assert "SealedPolicyError" in documented


@pytest.mark.parametrize(
    ("error", "also"),
    [
        (ArgumentError("a", 1, "b", "c"), ValueError),
        (SealedPolicyError("a", 1, "b", "c"), ArgumentError),
        (GuardrailError("x"), AssertionError),
    ],
    ids=["ArgumentError", "SealedPolicyError", "GuardrailError"],
)
def test_who_knows_only_the_builtin_class_catches_them_too(error: Exception, also: type[Exception]) -> None:
    with pytest.raises(also):
        raise error


@pytest.mark.parametrize(("error", "message"), CASES)
def test_an_error_crosses_process_boundaries(error, message: str) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - made a moment ago by this test

    assert (type(again), str(again), vars(again)) == (type(error), message, vars(error))
