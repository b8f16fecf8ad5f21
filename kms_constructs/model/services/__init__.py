"""What each AWS service needs of a KMS key: one file a service, found by its name.

A file holds one `ServiceRequirement`, called ``REQUIREMENT``, and is named as the requirement is.
"""

from __future__ import annotations

import pkgutil
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec

from kms_constructs.model.service_requirement import ServiceRequirement


@lru_cache(maxsize=1)
def requirements() -> dict[str, ServiceRequirement]:
    """Every requirement, by name, in the order of the names."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: _read(name) for name in names}


@cache
def requirement_of(name: str) -> ServiceRequirement | None:
    """The requirement of this name, without reading the others; None when there is none."""
    return _read(name) if find_spec(f"{__name__}.{name}") is not None else None


def _read(name: str) -> ServiceRequirement:
    requirement = import_module(f"{__name__}.{name}").REQUIREMENT
    assert isinstance(requirement, ServiceRequirement)  # noqa: S101 - what the files hold
    return requirement
