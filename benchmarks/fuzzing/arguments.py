"""Options of the commands, as they declare them, with values that are right, wrong and odd."""

from __future__ import annotations

import random
from functools import cache
from typing import Final

import click

from kms_constructs.cli.main import cli

VALUES: Final = (
    "", " ", "111122223333", "1111222233", "\u0661" * 12, "eu-west-1", "EU-WEST-1", "mars-1",
    "us-gov-west-1", "\x1b[2J", "\u202e", "\udcff", "::error::x", "a" * 5_000, "*a" * 500, "*", "KMS:001",
    "IAM-KMS-5", "KMS:999", "arn:aws:iam::111122223333:role/x", f"arn:aws:iam::*:role/{'*a' * 24}b",
    "arn:::::", "alias/orders", "Window=7", "Window=", "Admin=arn:aws:iam::1:role/*", "=x", "NAME=VALUE=",
    "IAM-KMS-3=arn:aws:iam::*:role/R", "-1", "0", "7", "30", "9" * 400, "1e9", "nan", "100GB", "2026-05-01",
    "2026-13-45", "0001-01-01", "9999-12-31", "2099-01-01T00:00:00Z", "a.json", "missing.json", "table",
    "json", "json:x.json", "x.html", "no/such/x.json", "'", '"', "[", "${x}", "{account}", "o-a1b2c3d4e5",
)  # fmt: skip
"""None of them leads out of the directory of the run, and none is ``-``, which waits for input."""
_NEVER: Final = frozenset({"--help", "--debug", "--from-command", "--from-file", "--quiet"})
"""Options that end a run before it began, start programs, or wait for input; and one that says nothing."""
_BOUNDED: Final = {("trail sample", "--events"): ("2000", "1999", "2001", "-1", "x", "")}
"""What takes long by right."""


@cache
def leaves() -> dict[str, click.Command]:
    """Every command, by its words."""
    found: dict[str, click.Command] = {}
    todo: list[tuple[str, click.Command]] = [("", cli)]
    while todo:
        name, one = todo.pop()
        if isinstance(one, click.Group):
            todo += [(f"{name} {word}".strip(), inner) for word, inner in one.commands.items()]
        else:
            found[name] = one
    return dict(sorted(found.items()))


@cache
def _options(name: str) -> tuple[click.Option, ...]:
    options = (one for one in leaves()[name].params if isinstance(one, click.Option))
    return tuple(one for one in options if one.opts[-1] not in _NEVER)


def odd(name: str, dice: random.Random) -> tuple[str, ...]:
    """Some options of a command."""
    words: list[str] = []
    for _ in range(dice.choice((1, 1, 2, 4))):
        option = dice.choice(_options(name))
        spelt = max(option.opts, key=len)
        if option.is_flag:
            words.append(dice.choice((spelt, *option.secondary_opts)))
            continue
        values = _BOUNDED.get((name, spelt), VALUES)
        if isinstance(option.type, click.Choice) and dice.random() < 0.8:
            values = tuple(map(str, option.type.choices))
        words += (spelt, dice.choice(values))
    return tuple(words)
