"""For the pages of the API: a section ``Example:`` is one of examples; Google's style has either number."""

from __future__ import annotations

import re
from typing import Any

import griffe

_SECTION = re.compile(r"^( *)Example:$", re.MULTILINE)


class SingularExamples(griffe.Extension):
    """Lets griffe, which knows ``Examples:`` alone, read the other as well."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:  # noqa: ANN401 - what griffe hands over besides
        """Called by griffe for every object that it has loaded."""
        if obj.docstring is not None:
            obj.docstring.value = _SECTION.sub(r"\1Examples:", obj.docstring.value)
