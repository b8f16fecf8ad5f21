"""What of a record the fast way looks at, as types that msgspec reads in one pass."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from kms_constructs.detections.relations import KEY_PARAMETERS

_RAW: Final = msgspec.Raw(b"null")


class Issuer(msgspec.Struct, frozen=True, gc=False):
    """The role behind a session."""

    arn: str | None = None


class SessionContext(msgspec.Struct, frozen=True, gc=False):
    """Of a session."""

    sessionIssuer: Issuer | None = None  # noqa: N815 - CloudTrail's name


class Identity(msgspec.Struct, frozen=True, gc=False):
    """Who called."""

    type: str | None = None
    arn: str | None = None
    accountId: str | None = None  # noqa: N815
    principalId: str | None = None  # noqa: N815
    invokedBy: str | None = None  # noqa: N815
    sessionContext: SessionContext | None = None  # noqa: N815


class TypedRecord(msgspec.Struct, gc=False):
    """A record of CloudTrail, as far as it is looked at."""

    eventID: str  # noqa: N815
    eventTime: str  # noqa: N815
    eventSource: str  # noqa: N815
    eventName: str  # noqa: N815
    sharedEventID: str | None = None  # noqa: N815
    eventVersion: str | None = None  # noqa: N815
    eventType: str | None = None  # noqa: N815
    eventCategory: str | None = None  # noqa: N815
    readOnly: bool | None = None  # noqa: N815
    recipientAccountId: str | None = None  # noqa: N815
    awsRegion: str | None = None  # noqa: N815
    userIdentity: Identity | None = None  # noqa: N815
    sourceIPAddress: str | None = None  # noqa: N815
    userAgent: str | None = None  # noqa: N815
    vpcEndpointId: str | None = None  # noqa: N815
    errorCode: str | None = None  # noqa: N815
    errorMessage: str | None = None  # noqa: N815
    requestParameters: msgspec.Raw = _RAW  # noqa: N815
    responseElements: dict[str, Any] | None = None  # noqa: N815
    additionalEventData: dict[str, Any] | None = None  # noqa: N815
    serviceEventDetails: dict[str, Any] | None = None  # noqa: N815
    resources: msgspec.Raw = _RAW


class Log(msgspec.Struct):
    """A log file."""

    Records: list[TypedRecord]


class Answered(msgspec.Struct):
    """An event of LookupEvents."""

    CloudTrailEvent: str


class Answer(msgspec.Struct):
    """What LookupEvents answers."""

    Events: list[Answered]


class Parameters(msgspec.Struct, gc=False):
    """The parameters of a request, as far as the fast way understands them."""

    encryptionContext: dict[str, str] | None = None  # noqa: N815 - CloudTrail's name
    sourceEncryptionContext: dict[str, str] | None = None  # noqa: N815
    destinationEncryptionContext: dict[str, str] | None = None  # noqa: N815


def parameters_type() -> type[Parameters]:
    """With the parameters that name keys: ``p0``, ``p1`` and so on."""
    fields = [
        (f"p{number}", str | None, msgspec.field(default=None, name=name))
        for number, name in enumerate(KEY_PARAMETERS)
    ]
    made: Any = msgspec.defstruct("_Parameters", fields, bases=(Parameters,), gc=False)
    kind: type[Parameters] = made
    return kind
