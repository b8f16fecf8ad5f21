"""Parts of templates as text: to name them, and to look for something in them."""

from __future__ import annotations

import json
from collections.abc import Mapping


def name_of(node: object) -> str:
    """A short name for a part of a template: the same part has the same name."""
    import hashlib  # it loads a library for cryptography, and most templates leave nothing open

    text = compact(node) or f"{type(node).__name__}@{id(node)}"
    name = next(iter(node), "value") if isinstance(node, Mapping) and len(node) == 1 else "value"
    return f"{name}#{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"


def compact(node: object) -> str:
    """A part of a template as JSON; empty when it cannot be written so."""
    try:
        return json.dumps(node, sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError):
        return ""
