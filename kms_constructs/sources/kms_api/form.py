"""By what saved answers are known; apart from what reads them, for most runs read none."""

from __future__ import annotations

from typing import Final

FORMAT: Final = "kms-constructs-answers"
"""The key that says that a document holds answers; its value is the version."""
