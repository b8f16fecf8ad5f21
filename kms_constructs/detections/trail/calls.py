"""A recorded call with its keys, as detections read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from kms_constructs.detections.catalogue import PERMISSION_ONLY
from kms_constructs.detections.relations import EventRow, KeyRow
from kms_constructs.detections.trail.detection import Detection, TrailFinding
from kms_constructs.detections.watch import Watch
from kms_constructs.model.actions import ACTIONS, ActionClass

CRYPTOGRAPHIC: tuple[str, ...] = (
    *sorted(
        name
        for name, action in ACTIONS.items()
        if action.classification is ActionClass.CRYPTOGRAPHIC and name not in PERMISSION_ONLY
    ),
    "ReEncrypt",
)
"""Calls that use a key."""

DECRYPTING = ("Decrypt", "ReEncrypt")
"""Calls that take something out."""


@dataclass(frozen=True)
class Call:
    """A call: its record, and the keys that it tells of."""

    event: EventRow
    keys: tuple[KeyRow, ...] = ()

    @cached_property
    def request(self) -> Mapping[str, object]:
        """Parameters of the request."""
        return as_object(self.event.request)

    @cached_property
    def response(self) -> Mapping[str, object]:
        """Elements of the response."""
        return as_object(self.event.response)

    @property
    def key(self) -> str:
        """ARN of the first key; empty without one."""
        return self.keys[0].key if self.keys else ""

    @property
    def succeeded(self) -> bool:
        """Whether it did what it was to do."""
        return self.event.error_code is None

    def finding(self, what: Watch | Detection, *, key: str | None = None, detail: str = "") -> TrailFinding:
        """A finding of this one call."""
        return TrailFinding(
            what=what,
            principal=principal_of(self.event),
            key=self.key if key is None else key,
            count=1,
            first=self.event.event_time,
            last=self.event.event_time,
            events=(self.event.event_id,),
            detail=detail,
        )


def principal_of(event: EventRow) -> str:
    """Who called, in one text.

    The ARN of the role or user; else the service; else what CloudTrail tells of a caller of another account:
    its account and the unique id of the role or user, without the session.

    Example:
        >>> from kms_constructs.detections.relations import flatten
        >>> record = {"eventID": "e", "eventTime": "2026-05-01T10:00:00Z", "eventName": "Decrypt",
        ...     "eventSource": "kms.amazonaws.com", "userIdentity": {"type": "AWSAccount",
        ...     "accountId": "444455556666", "principalId": "AROAEXAMPLE:session"}}
        >>> principal_of(flatten(record)[0])
        'account 444455556666 AROAEXAMPLE'
    """
    named = event.caller or event.service
    if named is not None or event.caller_account is None:
        return named or event.principal_id or ""
    unique = (event.principal_id or "").partition(":")[0]
    return f"account {event.caller_account} {unique}".rstrip()


def as_object(text: str | None) -> Mapping[str, object]:
    """The object that a text of JSON is; empty when it is none."""
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
