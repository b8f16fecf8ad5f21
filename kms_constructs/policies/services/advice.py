"""Which preset answers what a construct asks of a key: taken from the requirements."""

from __future__ import annotations

import re

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


def region_of(name: str) -> str | None:
    """The Region in a service principal or a value of `kms:ViaService`, where one is written out.

    Example:
        >>> region_of("s3.eu-west-1.amazonaws.com"), region_of("s3.${AWS::Region}.amazonaws.com")
        ('eu-west-1', None)
    """
    return next((label for label in name.split(".") if _REGION.fullmatch(label)), None)


def presets_of(principal: str) -> str:
    """What lets a service principal use the key, as the fix of an error says it.

    One service uses keys in several ways, which a statement does not tell apart: then all are named.

    Returns:
        Empty when no requirement answers it.

    Example:
        >>> presets_of("sns.amazonaws.com")
        'declare services=[ServiceAccess.sns()] on the key'
    """
    service = service_of(principal)
    answers = [one for one in requirements().values() if service in map(service_of, one.asks_as)]
    for one in answers:
        if one.unsupported:
            return f"take the key off: {one.unsupported}"
    calls = [(one.preset.call.replace("(…)", "()"), one.title) for one in answers if one.preset is not None]
    if len(calls) == 1:
        return f"declare services=[{calls[0][0]}] on the key"
    ways = ", or ".join(f"services=[{call}] ({title})" for call, title in calls)
    return f"declare what the key is used for: {ways}" if ways else ""


def preset_through(service: str) -> str | None:
    """The preset that answers a statement that lets the whole account in through a service."""
    named = service_of(service)
    for one in requirements().values():
        if one.preset is not None and named in one.asks_through:
            return one.preset.call
    return None


def calls_of(principal: str) -> tuple[frozenset[str], ...]:
    """The KMS actions that a service principal calls, one set for each use that is known of it.

    What it calls for an option of the resource only is left out.

    Example:
        >>> [sorted(one) for one in calls_of("cloudfront.amazonaws.com")]
        [['Decrypt', 'Encrypt', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext']]
        >>> calls_of("workmail.amazonaws.com")
        ()
    """
    service = service_of(principal)
    uses = (
        frozenset(
            action
            for caller in one.callers
            if caller.principal and service_of(caller.principal) == service and not caller.only_if
            for action in caller.actions
        )
        for one in requirements().values()
    )
    return tuple(use for use in uses if use)
