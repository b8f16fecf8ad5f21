"""Which watches an event sets off: for recorded trails, and as the measure of the rules of EventBridge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kms_constructs.detections.authorised import is_named
from kms_constructs.detections.catalogue import WATCHES
from kms_constructs.detections.event import Event
from kms_constructs.detections.watch import Callers, Result, Watch


def judge(
    event: Event,
    *,
    authorised: Mapping[str, Sequence[str]] | None = None,
    keys: Iterable[str] | None = None,
    watches: Iterable[Watch] = WATCHES,
) -> tuple[Watch, ...]:
    """What an event sets off.

    Args:
        event: The event.
        authorised: Control id to the ARNs of authorised principals, ``*`` allowed. For the controls that
            it names, calls of authorised principals are alerts and all others critical.
        keys: Ids and ARNs of the keys to watch; None for every key.
        watches: What to watch for.

    Returns:
        The watches, with the level that holds for this caller.

    Example:
        >>> event = Event(name="DisableKey", caller="arn:aws:iam::111122223333:role/Build")
        >>> [watch.id for watch in judge(event)]
        ['disable-key']
        >>> [watch.id for watch in judge(event, authorised={"IAM-KMS-4": ["arn:aws:iam::*:role/Rescue"]})]
        ['disable-key-unauthorised']
    """
    wanted = None if keys is None else frozenset(keys)
    told = authorised or {}
    return tuple(
        part
        for watch in watches
        for part in watch.split(told.get(watch.control, ()))
        if _fits(part, event, told.get(watch.control, ()))
        and (wanted is None or not watch.on_key or not wanted.isdisjoint(event.keys))
    )


def _fits(watch: Watch, event: Event, authorised: Sequence[str]) -> bool:
    return (
        watch.detail_type == event.detail_type
        and watch.event_source == event.source
        and (not watch.event_names or event.name in watch.event_names)
        and _became(watch.result, event)
        and _called(watch.callers, event, authorised)
        and all(event.parameters.get(name) is value for name, value in watch.parameters.items())
    )


def _became(result: Result, event: Event) -> bool:
    if result is Result.DENIED:
        return event.denied
    return result is Result.ANY or event.error is None


def _called(callers: Callers, event: Event, authorised: Sequence[str]) -> bool:
    named = event.caller is not None and is_named(event.caller, authorised)
    match callers:
        case Callers.ANYONE:
            return True
        case Callers.NO_SERVICE:
            return event.service is None
        case Callers.ROOT_USER:
            return event.caller_type == "Root" and event.service is None
        case Callers.AUTHORISED:
            return named
        case Callers.UNAUTHORISED:
            return not named
