"""Plain data told apart to the last bit, quickly."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing_extensions import TypeIs

_WITHOUT_REFERENCES: Final = 2
"""The version of `marshal` whose bytes hang on the value alone, and not on who else holds its parts."""

_NO_OBJECTS: Final = frozenset({str, list, bool, int, float, type(None)})
"""What else decoders make."""


def is_object(value: object) -> TypeIs[Mapping[str, object]]:
    """Whether it is an object, as decoders make them or of another class.

    Example:
        >>> is_object({"a": 1}), is_object([1])
        (True, False)
    """
    # What decoders make is asked for first: to ask whether a class counts as a mapping takes far longer.
    kind = type(value)
    return kind is dict or (kind not in _NO_OBJECTS and isinstance(value, Mapping))


def exact_bytes(value: object) -> bytes | None:
    """Bytes that two values share only if nothing tells them apart; None for what is no plain data.

    Tells apart whatever Python does: 1, 1.0 and True, and the order of members.

    Args:
        value: Objects, lists, texts, numbers, booleans and None are plain data; subclasses of them are not.

    Example:
        >>> exact_bytes({"a": 1}) == exact_bytes({"a": 1}), exact_bytes([1]) == exact_bytes([True])
        (True, False)
        >>> exact_bytes([object()]) is None
        True
    """
    try:
        return marshal.dumps(value, _WITHOUT_REFERENCES)  # type: ignore[arg-type]  # else it refuses
    except ValueError:
        return None
