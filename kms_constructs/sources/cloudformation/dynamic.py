"""Dynamic references: what CloudFormation puts a value in the place of at deployment.

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kms_constructs.model.text import CLOSE, OPEN, HoleKind, display, hole

_DYNAMIC = re.compile(
    rf"\{{\{{(?P<resolve>resolve:(?:[^{{}}{OPEN}]|{OPEN}[^{CLOSE}]*{CLOSE})*)\}}\}}"
    r"|\[\[(?P<product>servicecatalog:[^\[\]]*)\]\]"
)
"""References that CloudFormation, or a transform of AWS, puts a value in the place of at deployment."""


def is_dynamic(text: str) -> bool:
    """Whether a text may hold such a reference."""
    return "{{resolve:" in text or "[[servicecatalog:" in text


def undecided_parts(text: str, environment: Iterable[str]) -> str:
    """A text with holes in the places of its references.

    Args:
        text: The text.
        environment: Account and Region, in each of which a reference has a value of its own.
    """
    where = "/".join(display(part) for part in environment)

    def undecided(match: re.Match[str]) -> str:
        name = display(match.group("resolve") or match.group("product"))
        return hole(HoleKind.UNRESOLVED, f"{name}@{where}")

    return _DYNAMIC.sub(undecided, text)
