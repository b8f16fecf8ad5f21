"""The arguments of a key as a table: ``python -m tools.arguments_table --write docs/reference/arguments.md``.

What it says of each is what its documentation in the code says.
"""

from __future__ import annotations

import inspect
import re
from enum import Enum

from kms_constructs.cdk.key.key_arguments import DEFAULTS, KeyArguments, SharedKeyArguments, described
from tools.generated_table import GeneratedTable, table


def markdown_table() -> str:
    """Every argument of `SecureKmsKey`: its name, what it means, its default."""
    meanings = described(KeyArguments)
    rows = [(f"`{name}`", _as_markdown(meanings[name]), _default(name)) for name in meanings]
    return table(("Argument", "Meaning", "Default"), rows)


def _as_markdown(text: str) -> str:
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def _default(name: str) -> str:
    if name in SharedKeyArguments.__required_keys__ or name not in DEFAULTS:
        return "required"
    value = DEFAULTS[name]
    if value is None or value == ():
        return "none"
    if isinstance(value, Enum):
        return f"`{value.name}`"
    return f"`{inspect.cleandoc(str(value))}`"


TABLE = GeneratedTable("arguments", markdown_table)

if __name__ == "__main__":
    raise SystemExit(TABLE.main())
