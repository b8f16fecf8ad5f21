"""How AWS writes the values of a policy element."""

from __future__ import annotations

from collections.abc import Sequence


def one_or_list(values: str | Sequence[str]) -> str | list[str]:
    """A single value by itself, several as a list.

    Example:
        >>> one_or_list(["kms:Decrypt"])
        'kms:Decrypt'
    """
    if isinstance(values, str):
        return values
    return values[0] if len(values) == 1 else list(values)
