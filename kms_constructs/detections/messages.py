"""What a person reads when a rule of EventBridge matches: input paths and templates.

See: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kms_constructs.detections.patterns import WatchedKey
from kms_constructs.detections.watch import Watch
from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.control import Control

LONGEST_TEMPLATE = 8192
"""Characters that EventBridge takes in one input template."""

_CALL_PATHS: Mapping[str, str] = {
    "event": "$.detail.eventName",
    "error": "$.detail.errorCode",
    "caller": "$.detail.userIdentity.arn",
    "type": "$.detail.userIdentity.type",
    "role": "$.detail.userIdentity.sessionContext.sessionIssuer.arn",
    "service": "$.detail.userIdentity.invokedBy",
    "asked": "$.detail.requestParameters.keyId",
    "first": "$.detail.resources[0].ARN",
    "second": "$.detail.resources[1].ARN",
    "time": "$.detail.eventTime",
    "account": "$.account",
    "region": "$.detail.awsRegion",
    "address": "$.detail.sourceIPAddress",
    "id": "$.detail.eventID",
}
_OWN_PATHS: Mapping[str, str] = {
    "event": "$.detail-type",
    "asked": "$.detail.key-id",
    "first": "$.resources[0]",
    "time": "$.time",
    "account": "$.account",
    "region": "$.region",
    "id": "$.id",
}


def input_paths(watch: Watch) -> dict[str, str]:
    """The values of an event that the message holds; one that an event has not is left empty."""
    return dict(_CALL_PATHS if watch.is_call else _OWN_PATHS)


def message(
    watch: Watch, keys: Sequence[WatchedKey] = (), controls: Mapping[str, Control] = CATALOGUE
) -> tuple[str, ...]:
    """The lines of the message, with ``<name>`` where a value of the event goes.

    Args:
        watch: What happened.
        keys: The keys that the rule watches, whose aliases the event does not tell.
        controls: The controls, by id.

    Example:
        >>> from kms_constructs.detections.catalogue import find_watch
        >>> message(find_watch("disable-key"))[0]
        'CRITICAL: DisableKey was called (disable)'
    """
    control = controls[watch.control]
    lines = [f"{watch.level.value.upper()}: {watch.title}"]
    # A value that an event has not leaves a gap, so none stands in the middle of a sentence.
    if watch.is_call:
        lines += ["What: <event> <error>", "Who: <caller>", "Acting as: <type> <role> <service>"]
    else:
        lines.append("What: <event>")
    if watch.on_key:
        lines.append(f"Key: <first>{' <second>' if watch.is_call else ''}")
        lines.append("Named in the event as: <asked>")
        lines += _aliases(keys)
    lines.append("When: <time>, in account <account>, Region <region>")
    if watch.is_call:
        lines.append("From: <address>")
    lines += [
        f"Guardrail: {control.id}, {control.title}",
        f"Why it matters: {watch.reason}",
        f"Expected of: {watch.expected}",
        f"What to do: {watch.respond}",
        f"Read on: {watch.references[0]}",
        "Event: <id>",
    ]
    return tuple(line.replace('"', "'") for line in lines)


def input_template(watch: Watch, keys: Sequence[WatchedKey] = ()) -> str:
    """The message as EventBridge takes it: each line in quotes."""
    return "\n".join(f'"{line}"' for line in message(watch, keys))


def _aliases(keys: Sequence[WatchedKey]) -> list[str]:
    known = [key for key in keys if key.alias]
    if not known:
        return ["Alias: aws kms list-aliases --region <region> --key-id <first>"]
    if len(keys) == 1:
        return [f"Alias: {known[0].alias}"]
    return ["Alias:", *(f"  {key.alias} is {key.key_id}" for key in known)]
