"""Breaks the text of files: bytes that are flipped, cut out, doubled; other encodings; an end too early."""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Callable
from typing import Any, Final

import yaml

_BITS: Final = (
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\x1b[2J", "\u202e".encode(), b'"', b"{", b"[", b"]}", b"\\",
    b"\\ud800", b"&a ", b"*a ", b"!Ref ", b"<<: ", b": ", b"\n- ", b"\t", b"#", b"1e999", b"-", b"NaN",
    b"\r\n", b"--- ",
)  # fmt: skip


def cut(text: bytes, dice: random.Random) -> bytes:
    """Without its end."""
    return text[: dice.randrange(len(text) + 1)]


def flip(text: bytes, dice: random.Random) -> bytes:
    """With some bits turned."""
    changed = bytearray(text)
    for _ in range(dice.choice((1, 1, 3, 20))):
        if changed:
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _insert(text: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(text) + 1)
    return text[:place] + dice.choice(_BITS) * dice.choice((1, 1, 1, 300)) + text[place:]


def _drop(text: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(text) + 1)
    return text[:start] + text[start + dice.choice((1, 2, 40)) :]


def _double(text: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(text) + 1)
    part = text[start : start + dice.choice((3, 30, 300))]
    return text[:start] + part * dice.choice((2, 3, 50)) + text[start:]


def _encode(text: bytes, dice: random.Random) -> bytes:
    encoding = dice.choice(("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp037"))
    return text.decode("utf-8", "replace").encode(encoding, "replace")


_WRECKS: Final[tuple[Callable[[bytes, random.Random], bytes], ...]] = (
    cut, flip, flip, _insert, _insert, _drop, _double, _encode,
)  # fmt: skip


def wrecked(content: bytes, dice: random.Random) -> bytes:
    """A text, broken in one or two ways."""
    for _ in range(dice.choice((1, 1, 2))):
        content = dice.choice(_WRECKS)(content, dice)
    return content


def written(document: Any, dice: random.Random, *, yaml_too: bool = False) -> tuple[bytes, str]:
    """A document as text, and the ending of a file that holds it."""
    if yaml_too and dice.random() < 0.15:
        with contextlib.suppress(yaml.YAMLError, ValueError, RecursionError):
            # Parsed anew, so that it has no anchors for what is shared.
            text = yaml.safe_dump(json.loads(json.dumps(document)), allow_unicode=dice.random() < 0.5)
            return text.encode("utf-8", "surrogatepass"), ".yaml"
    text = json.dumps(document, ensure_ascii=dice.random() < 0.8)
    if dice.random() < 0.9:  # what is no JSON is refused at once, and then nothing else is tried
        text = re.sub(r"\bNaN\b|-?\bInfinity\b", "1.5", text)
    return text.encode("utf-8", "surrogatepass"), ".json"


def toml(value: Any, depth: int = 0) -> str:
    """A document as TOML."""
    if isinstance(value, dict):
        members = (f"{json.dumps(str(name))} = {toml(member, depth + 1)}" for name, member in value.items())
        return f"{{{', '.join(members)}}}" if depth else "\n".join(members)
    if isinstance(value, list):
        return f"[{', '.join(toml(one, depth + 1) for one in value)}]"
    return "nan" if value is None else json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")


def is_json(content: bytes) -> bool:
    """Whether anybody could read it as JSON."""
    try:
        json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return True
