"""Which preset answers what a construct asks of a key: taken from the requirements."""

from __future__ import annotations

import re
from functools import lru_cache

from kms_constructs.model.services import requirements

_TOKEN = re.compile(r"\$\{[^}]*\}|<[a-z]+>")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+")


def service_of(name: str) -> str:
    """A service principal or a value of `kms:ViaService` without Region and DNS suffix.

    Example:
        >>> service_of("logs.eu-west-1.amazonaws.com"), service_of("events.rds.amazonaws.com")
        ('logs', 'events.rds')
    """
    labels = _TOKEN.sub("", name.partition(".amazonaws.com")[0]).split(".")
    return ".".join(label for label in labels if label and not _REGION.fullmatch(label))


def preset_of(principal: str) -> str | None:
    """The preset that answers a statement for a service principal: ``ServiceAccess.sns(…)``.

    Returns:
        None when no requirement answers it.
    """
    return _calls()[0].get(service_of(principal))


def preset_through(service: str) -> str | None:
    """The preset that answers a statement that lets the whole account in through a service."""
    return _calls()[1].get(service_of(service))


@lru_cache(maxsize=1)
def _calls() -> tuple[dict[str, str], dict[str, str]]:
    known = [(one, one.preset.call) for one in requirements().values() if one.preset is not None]
    return (
        {service_of(principal): call for one, call in known for principal in one.asks_as},
        {service: call for one, call in known for service in one.asks_through},
    )
