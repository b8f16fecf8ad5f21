"""The version of this package, as reports and the command name it."""

from __future__ import annotations

from functools import lru_cache
from importlib import metadata


@lru_cache(maxsize=1)
def tool_version() -> str:
    """Version of the installed distribution; ``0+unknown`` when it runs from a copy not installed."""
    try:
        return metadata.version("kms-constructs")
    except metadata.PackageNotFoundError:
        return "0+unknown"
