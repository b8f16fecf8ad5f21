"""A secret is overwritten, and shows itself to nobody."""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import traceback

import pytest
from rich.console import Console
from rich.traceback import Traceback

from kms_constructs.errors import MaterialError
from kms_constructs.runtime.material.secret import Secret, kept_quiet

HIDDEN = b"never to be seen"
DRAWN = os.urandom(24).hex()
"""Stands in no source line that a traceback shows."""


def test_it_is_overwritten_at_the_end_of_its_block() -> None:
    buffer = bytearray(HIDDEN)
    with Secret(buffer) as secret:
        view = secret.view
        assert bytes(view) == HIDDEN
    assert bytes(buffer) == bytes(view) == bytes(len(HIDDEN))
    with pytest.raises(ValueError, match="overwritten"):
        _ = secret.view


def test_it_is_overwritten_when_the_block_fails() -> None:
    buffer = bytearray(HIDDEN)
    with pytest.raises(KeyError), Secret(buffer):
        raise KeyError
    assert not any(buffer)


def test_its_view_cannot_be_written() -> None:
    with pytest.raises(TypeError):
        Secret(bytearray(HIDDEN)).view[0] = 1


@pytest.mark.parametrize(
    "show", [repr, str, lambda secret: f"{secret}", lambda secret: f"{[secret]!r} {secret.view!r}"]
)
def test_no_text_of_it_has_its_content(show) -> None:
    text = show(Secret(bytearray(HIDDEN)))
    assert HIDDEN.decode() not in text
    assert HIDDEN.hex() not in text


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_it_is_not_copied(take) -> None:
    with pytest.raises(TypeError):
        take(Secret(bytearray(HIDDEN)))


@pytest.mark.parametrize("length", [0, 1, 9, 10])
def test_it_is_read_whole_up_to_the_limit(length: int) -> None:
    found = Secret.read(io.BytesIO(bytes(range(length))).readinto, 10)
    assert found is not None
    assert bytes(found.view) == bytes(range(length))


def test_more_than_the_limit_is_not_read() -> None:
    assert Secret.read(io.BytesIO(bytes(11)).readinto, 10) is None


def test_it_is_read_from_what_gives_a_little_at_a_time() -> None:
    pieces = iter([b"ab", b"c", b"def", b""])

    def read_into(buffer: memoryview) -> int:
        piece = next(pieces)
        buffer[: len(piece)] = piece
        return len(piece)

    found = Secret.read(read_into, 10)
    assert found is not None
    assert bytes(found.view) == b"abcdef"


def test_a_failure_shows_no_frame_that_held_the_material() -> None:
    def work() -> None:
        plain = DRAWN.upper()
        raise ValueError(plain)

    with pytest.raises(MaterialError) as caught:
        kept_quiet("orders", "it is bad", "make it good", work, ValueError)

    error = caught.value
    assert str(error) == "orders: it is bad. Fix: make it good"
    assert error.__context__ is None
    assert error.__cause__ is None
    console = Console(file=io.StringIO(), width=200)
    console.print(Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True))
    told = console.file.getvalue()  # type: ignore[attr-defined]
    told += "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert DRAWN not in told.lower()
