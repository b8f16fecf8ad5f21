"""Which rule judges which control: every file in `rules` holds one rule, and its control beside it.

A file that is put there is a rule; nothing else has to name it.
"""

from __future__ import annotations

import re
from importlib import import_module
from inspect import isclass
from pkgutil import iter_modules

from kms_constructs.guardrails import rules
from kms_constructs.guardrails.rule import Rule


def _rule_in(name: str) -> type[Rule]:
    """The one rule that a file of `rules` defines."""
    module = import_module(f"{rules.__name__}.{name}")
    (found,) = (
        member
        for member in vars(module).values()
        if getattr(member, "__module__", None) == module.__name__
        and isclass(member)
        and issubclass(member, Rule)
    )
    return found


def _by_number(name: str) -> tuple[str | int, ...]:
    """``iam_kms_10`` after ``iam_kms_9``."""
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name))


_FILES = sorted((one.name for one in iter_modules(rules.__path__)), key=_by_number)

RULES: tuple[type[Rule], ...] = tuple(map(_rule_in, _FILES))
"""Every rule, in the order of the catalogue: the names of the files begin with the ids of their controls."""
