"""Documents that came in as they are, and what they may not hold."""

from __future__ import annotations

from collections.abc import Mapping

from kms_constructs.model.text import CLOSE, OPEN


def plain(node: object, depth: int = 0) -> object:
    """The document without the two characters that mark holes.

    Args:
        node: Plain data, as it was decoded.
        depth: How deep it stands; what is nested beyond all reason is left out.
    """
    if isinstance(node, str):
        return (
            node.replace(OPEN, "\ufffd").replace(CLOSE, "\ufffd") if OPEN in node or CLOSE in node else node
        )
    if depth > 100:
        return None
    if isinstance(node, Mapping):
        return {plain(str(key), depth): plain(value, depth + 1) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [plain(value, depth + 1) for value in node]
    return node
