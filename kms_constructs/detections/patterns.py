"""Event patterns of EventBridge, made of watches.

A caller is told by the ARN of the role where a session has one, and by that of the user otherwise. A key is
told by any resource of the event (aliases come first in those of UpdateAlias), or by the id or ARN in the
request: what KMS refused has no resources in some events, and no request in others.

See: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from kms_constructs.detections.watch import API_CALL, Callers, Result, Watch
from kms_constructs.model.frozen import Frozen

Pattern = dict[str, Any]
"""An event pattern, as JSON."""

LONGEST_PATTERN = 4096
"""Characters that EventBridge takes in one pattern, by default."""

_LONGEST_ARN = 2 * 128
"""What an ARN or id of a key that is a token may come to, at most, with quotes: id and ARN, twice the ARN."""

_DENIED = [{"prefix": "AccessDenied"}]
_ABSENT = [{"exists": False}]


class WatchedKey(Frozen, frozen=True, kw_only=True):
    """A key to watch.

    Args:
        arn: Its ARN, or a CDK token.
        key_id: Its id, or a CDK token; related multi-Region keys share it.
        alias: Its alias with ``alias/``, for messages; empty where it is not known.
    """

    arn: str
    key_id: str
    alias: str = ""


def pattern(watch: Watch, *, keys: Sequence[WatchedKey] = (), authorised: Sequence[str] = ()) -> Pattern:
    """The event pattern of a watch.

    Args:
        watch: What to watch for; split by `Watch.split` where authorised and other callers differ.
        keys: The keys to watch; every key of the account when there are none.
        authorised: Who is authorised; see `kms_constructs.detections.authorised.checked_authorised`.

    Example:
        >>> from kms_constructs.detections.catalogue import find_watch
        >>> pattern(find_watch("disable-key"))["detail"]["eventName"]
        ['DisableKey']
    """
    found: Pattern = {"source": [watch.source], "detail-type": [watch.detail_type]}
    scoped = keys if watch.on_key else ()
    if watch.detail_type != API_CALL:
        return found | ({"resources": [key.arn for key in scoped]} if scoped else {})
    detail: Pattern = {"eventSource": [watch.event_source]}
    if watch.event_names:
        detail["eventName"] = list(watch.event_names)
    if watch.result is not Result.ANY:
        detail["errorCode"] = _DENIED if watch.result is Result.DENIED else _ABSENT
    if identity := _identity(watch.callers, authorised):
        detail["userIdentity"] = identity
    if watch.parameters:
        detail["requestParameters"] = {name: [value] for name, value in watch.parameters.items()}
    if scoped:
        arns = [key.arn for key in scoped]
        detail["$or"] = [
            {"resources": {"ARN": arns}},
            {"requestParameters": {"keyId": [*(key.key_id for key in scoped), *arns]}},
        ]
    return found | {"detail": detail}


def in_portions(
    watch: Watch, keys: Sequence[WatchedKey], authorised: Sequence[str] = ()
) -> Iterator[tuple[WatchedKey, ...]]:
    """The keys in as few portions as the length of a pattern allows, in order; one empty one for no keys.

    Args:
        watch: What to watch for.
        keys: The keys.
        authorised: Who is authorised.

    Raises:
        ValueError: The principals alone leave no room for a key.
    """
    if not keys or not watch.on_key:
        yield ()
        return
    room = LONGEST_PATTERN - _length(pattern(watch, authorised=authorised)) - 100
    most = room // (2 * _LONGEST_ARN)
    if most < 1:
        raise ValueError("the authorised principals do not fit into one event pattern")
    for start in range(0, len(keys), most):
        yield tuple(keys[start : start + most])


def _length(one: Pattern) -> int:
    # A token stands for an ARN of unknown length; those of roles have at most 64 characters after the path.
    return len(json.dumps(one, separators=(",", ":"))) + 128 * json.dumps(one).count("${Token[")


def _identity(callers: Callers, authorised: Sequence[str]) -> Pattern:
    if callers is Callers.NO_SERVICE:
        return {"invokedBy": _ABSENT}
    if callers is Callers.ROOT_USER:
        return {"type": ["Root"], "invokedBy": _ABSENT}
    if callers is Callers.ANYONE:
        return {}
    wild = any("*" in one for one in authorised)
    listed = list(authorised)
    if callers is Callers.AUTHORISED:
        named: list[Any] = [{"wildcard": one} for one in listed] if wild else listed
        return {
            "$or": [
                {"sessionContext": {"sessionIssuer": {"arn": named}}},
                {"sessionContext": {"sessionIssuer": {"arn": _ABSENT}}, "arn": named},
            ]
        }
    others = [{"anything-but": {"wildcard": listed} if wild else listed}]
    return {
        "$or": [
            {"sessionContext": {"sessionIssuer": {"arn": others}}},
            {"sessionContext": {"sessionIssuer": {"arn": _ABSENT}}, "arn": others},
            {"sessionContext": {"sessionIssuer": {"arn": _ABSENT}}, "arn": _ABSENT},
        ]
    }
