"""How much of an input is read and followed: every limit that an input can run into, in one place.

An input beyond a limit is never half judged: a file is refused with the limit and what to do (exit code 2),
and a key policy that takes too many steps counts as unknown, so that what depends on it is undetermined.
`docs/reference/limits.md` lists them all.
"""

from __future__ import annotations

from typing import Final

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
"""Bytes of a file. CloudFormation takes templates of 1 MB; plans and saved answers are larger."""

MAX_YAML_BYTES: Final = 8 * 1024 * 1024
"""Bytes of YAML text, which takes a hundred times longer to read than JSON."""

MAX_NESTING: Final = 200
"""Levels of nesting of a document, YAML aliases followed; templates need some thirty."""

MAX_VALUES: Final = 4_000_000
"""Values of a document: objects, lists, texts and numbers, which take some hundred bytes of memory each."""

MAX_ALIASED: Final = 250_000
"""Values that the aliases of a YAML document may stand for, all together: they can multiply without end."""

MAX_DIGITS: Final = 4_300
"""Digits of a number: Python makes no longer ones of text, for that takes the square of the time."""

MAX_STEPS: Final = 3_000_000
"""Comparisons of patterns, requests and statements that one key is given.

A key policy of twenty statements takes a few thousand. What overlaps in every way takes a number that grows
with a power of its length.
"""
