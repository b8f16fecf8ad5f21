"""What one call says by itself: who was root, who was granted, which key an object or a trail was given."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from kms_constructs.detections.catalogue import CHANGING
from kms_constructs.detections.event import Event
from kms_constructs.detections.judge import judge
from kms_constructs.detections.relations import S3
from kms_constructs.detections.trail.calls import Call, as_object
from kms_constructs.detections.trail.catalogue import (
    DEBUG_ENCLAVE,
    ENDPOINT_DENIED,
    ENDPOINT_OUTSIDER,
    FOREIGN_WRITE,
    OUTSIDE_GRANT,
    ROOT_USE,
    TRAIL_KEY,
    TRAIL_WITHOUT_KMS,
)
from kms_constructs.detections.trail.detection import TrailFinding
from kms_constructs.detections.trail.notes import Notes
from kms_constructs.detections.watch import CLOUDTRAIL, KMS
from kms_constructs.model.arn import is_account_id, parse_arn
from kms_constructs.sources.event_selectors import recorded

_UNTOLD = "grants to a principal of which CloudTrail tells no account: whether it is an outsider is not known"
NETWORK_ACTIVITY = "AwsVpceEvent"
"""What a VPC endpoint saw. The call has a record of its own, unless the endpoint refused it."""
REFUSED = "VpceAccessDenied"
_MEASUREMENTS = tuple(f"attestationDocumentEnclave{name}" for name in ("ImageDigest", "PCR1", "PCR2"))
_NOTHING = re.compile(r"0{32,}|A{32,}={0,2}")
"""A measurement of zeros, in hexadecimal or in base64."""


def judge_call(
    call: Call,
    *,
    authorised: Mapping[str, Sequence[str]] | None = None,
    trusted: Collection[str] = (),
    notes: Notes | None = None,
) -> Iterator[TrailFinding]:
    """What one call sets off: the watches, and what its request says.

    Args:
        call: The call.
        authorised: Control id to the ARNs of authorised principals, ``*`` allowed.
        trusted: Accounts that may be given keys, beside the key's own.
        notes: Takes what cannot be judged.
    """
    if call.event.event_type == NETWORK_ACTIVITY:
        yield from _endpoint(call, trusted)
        return
    event = Event.from_row(call.event, call.keys)
    for watch in judge(event, authorised=authorised):
        yield call.finding(watch, key=None if watch.on_key else "")
    if call.event.event_source == KMS:
        yield from _root(call)
        yield from _grant(call, trusted, notes or Notes())
        yield from _enclave(call)
    elif call.event.event_source == S3:
        yield from _write(call, trusted)
    elif call.event.event_source == CLOUDTRAIL:
        yield from _trail(call)


def _root(call: Call) -> Iterator[TrailFinding]:
    event = call.event
    if event.caller_type == "Root" and event.service is None and event.event_name not in CHANGING:
        yield call.finding(ROOT_USE, detail=event.event_name)


def _grant(call: Call, trusted: Collection[str], notes: Notes) -> Iterator[TrailFinding]:
    if call.event.event_name != "CreateGrant" or not call.succeeded:
        return
    home = call.key.split(":")[4] if call.key.startswith("arn:") else call.event.account
    for parameter, what in (
        ("granteePrincipal", "may use it"),
        ("retiringPrincipal", "may retire the grant"),
    ):
        told = call.request.get(parameter)
        if not isinstance(told, str) or not told:
            continue
        account = _account_of(told)
        if account is None:
            notes.add(_UNTOLD)
        elif account and account != home and account not in trusted:
            yield call.finding(OUTSIDE_GRANT, detail=f"{told} {what}")


def _account_of(principal: str) -> str | None:
    """The account of a principal; empty for AWS services, None where the text does not tell it."""
    if principal.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return ""
    # What a service does in an account is called 111122223333:aws:ec2-infrastructure:i-0123.
    account = principal.partition(":aws:")[0]
    if is_account_id(account):
        return account
    arn = parse_arn(principal)
    return None if arn is None else arn.account


def _endpoint(call: Call, trusted: Collection[str]) -> Iterator[TrailFinding]:
    event = call.event
    if event.event_source != KMS:
        return
    detail = f"{event.event_name} through {event.vpc_endpoint or 'an endpoint'}"
    if event.error_code == REFUSED:
        yield call.finding(ENDPOINT_DENIED, detail=detail)
    outside = event.caller_account not in (None, event.account, *trusted)
    if outside and event.service is None:
        yield call.finding(ENDPOINT_OUTSIDER, detail=detail)


def _enclave(call: Call) -> Iterator[TrailFinding]:
    if call.event.additional is None or not call.succeeded:
        return
    recipient = as_object(call.event.additional).get("recipient")
    if not isinstance(recipient, dict) or _MEASUREMENTS[0] not in recipient:
        return
    measured = [recipient[name] for name in _MEASUREMENTS if name in recipient]
    if all(isinstance(one, str) and _NOTHING.fullmatch(one) for one in measured):
        module = recipient.get("attestationDocumentModuleId")
        yield call.finding(DEBUG_ENCLAVE, detail=f"enclave {module}" if isinstance(module, str) else "")


def _write(call: Call, trusted: Collection[str]) -> Iterator[TrailFinding]:
    if not call.succeeded:
        return
    for row in call.keys:
        account = row.key.split(":")[4]
        if row.use == "object" and account not in (call.event.account, *trusted):
            bucket = call.request.get("bucketName")
            where = f" into {bucket}" if isinstance(bucket, str) else ""
            yield call.finding(FOREIGN_WRITE, key=row.key, detail=f"{call.event.event_name}{where}")


def _trail(call: Call) -> Iterator[TrailFinding]:
    if not call.succeeded:
        return
    if call.event.event_name == "PutEventSelectors":
        selectors = _capitals(call.request)
        excluded, management, _ = recorded(
            selectors.get("EventSelectors"), selectors.get("AdvancedEventSelectors")
        )
        if excluded is True or management is False:
            yield call.finding(TRAIL_WITHOUT_KMS, key="", detail=_named(call))
    if call.event.event_name == "UpdateTrail" and "kmsKeyId" in call.request:
        key = call.key or "no key"
        yield call.finding(TRAIL_KEY, key="", detail=f"{_named(call)} has {key} now")


def _named(call: Call) -> str:
    name = call.request.get("trailName") or call.request.get("name")
    return f"trail {name}" if isinstance(name, str) else "a trail"


def _capitals(value: object) -> dict[str, object]:
    """Records write the names of the API with a small letter in front."""
    return {
        f"{name[:1].upper()}{name[1:]}": _capitals_within(inner)
        for name, inner in (value.items() if isinstance(value, Mapping) else ())
    }


def _capitals_within(value: object) -> object:
    if isinstance(value, Mapping):
        return _capitals(value)
    return [_capitals_within(one) for one in value] if isinstance(value, list) else value
