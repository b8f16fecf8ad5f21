"""Every detection of others that the documentation names is caught, with events of our own wording."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from kms_constructs.detections.trail.calls import Call
from kms_constructs.detections.trail.catalogue import everything
from kms_constructs.detections.trail.notes import Notes
from kms_constructs.detections.trail.policies import PolicyHistory
from kms_constructs.detections.trail.requests import judge_call
from tests.detections.events import ACCOUNT, KEY, KEY_ID, RESCUE, SERVICE, session
from tests.detections.trail.samples import OUTSIDE_ROLE, OUTSIDER, recorded
from tests.detections.trail.test_sequences import LESS, MORE, OF_ORGANIZATION, PUBLIC, create, put
from tools.peer_detections import PEERS

SSE = "x-amz-server-side-encryption-aws-kms-key-id"
FOREIGN = f"arn:aws:kms:eu-west-1:{OUTSIDER}:key/{KEY_ID}"
BY = session("arn:aws:iam::111122223333:role/Intern")


def _copied(key: str, **told: Any) -> Call:
    parameters = {"bucketName": "orders", "x-amz-copy-source": "orders/1", "key": "1",
                  "x-amz-server-side-encryption": "aws:kms", SSE: key}  # fmt: skip
    return recorded("CopyObject", service="s3", by=BY, parameters=parameters, resources=[], **told)


def _seen(**told: Any) -> dict[str, Any]:
    return {
        "parameters": {}, "resources": [], "eventType": "AwsVpceEvent", "eventCategory": "NetworkActivity",
        "vpcEndpointId": "vpce-1", "vpcEndpointAccountId": ACCOUNT, **told,
    }  # fmt: skip


Events = list[list[Call]]
_LOST: Events = [
    [recorded("DisableKey", by=BY)],
    [recorded("ScheduleKeyDeletion", by=BY, parameters={"keyId": KEY, "pendingWindowInDays": 7})],
]
_KEPT: Events = [[recorded("EnableKey", by=BY)], [recorded("DisableKey", by=BY, error="AccessDenied")]]
_FOREIGN: tuple[Events, Events] = (
    [[_copied(FOREIGN)]],
    [[_copied(KEY)], [_copied(FOREIGN, error="AccessDenied")]],
)
_MADE_PUBLIC: tuple[Events, Events] = (
    [[create(PUBLIC)], [put(PUBLIC)]],
    [[create(LESS)], [put(OF_ORGANIZATION)]],
)

# Name of the rule to the trails that it speaks of, each of which fires, and to those near by, which do not.
EVENTS: dict[tuple[str, str], tuple[Events, Events]] = {
    ("Sigma", "AWS KMS Imported Key Material Usage"): (
        [[recorded("ImportKeyMaterial", by=BY)], [recorded("DeleteImportedKeyMaterial", by=BY)]],
        [[recorded("GetParametersForImport", by=BY)], [recorded("ImportKeyMaterial", error="AccessDenied")]],
    ),
    ("Elastic", "AWS KMS Customer Managed Key Disabled or Scheduled for Deletion"): (_LOST, _KEPT),
    ("Elastic", "AWS KMS Key Policy Updated via PutKeyPolicy"): (
        [[create(LESS), put(MORE)]],
        [[recorded("GetKeyPolicy", by=BY)], [put(MORE, error="AccessDenied")]],
    ),
    ("Elastic", "AWS KMS Imported Key Material Deleted"): (
        [[recorded("DeleteImportedKeyMaterial", by=BY)]],
        [[recorded("DeleteImportedKeyMaterial", by=BY, error="KMSInvalidStateException")]],
    ),
    ("Elastic", "AWS S3 Object Encryption Using External KMS Key"): _FOREIGN,
    ("Panther", "KMS CMK Disabled or Deleted"): (_LOST, _KEPT),
    ("Panther", "S3 objects copied under another account's key"): _FOREIGN,
    ("Panther", "Sensitive API Calls Via VPC Endpoint"): (
        [[recorded("ScheduleKeyDeletion", by=BY, vpcEndpointId="vpce-1", sourceIPAddress="10.0.0.7")]],
        [[recorded("DescribeKey", by=BY, vpcEndpointId="vpce-1", sourceIPAddress="10.0.0.7")]],
    ),
    ("Panther", "VPC Endpoint Access Denied"): (
        [[recorded("Decrypt", by=BY, **_seen(error="VpceAccessDenied"))]],
        [[recorded("Decrypt", by=BY, **_seen())], [recorded("Decrypt", by=BY, error="AccessDenied")]],
    ),
    ("Panther", "External Principal Accessing AWS Resources Via VPC Endpoint"): (
        [[recorded("Encrypt", **_seen(by=session(OUTSIDE_ROLE) | {"accountId": OUTSIDER}))]],
        [[recorded("Encrypt", **_seen(by=session(RESCUE)))], [recorded("Encrypt", **_seen(by=SERVICE))]],
    ),
    ("Panther", "AWS Resource Made Public"): _MADE_PUBLIC,
    ("Splunk", "AWS Detect Users creating keys with encrypt policy without MFA"): _MADE_PUBLIC,
    ("Splunk", "AWS Detect Users with KMS keys performing encryption S3"): _FOREIGN,
    ("Turbot", "KMS Key Scheduled Deletion"): (_LOST[1:], [[recorded("CancelKeyDeletion", by=BY)]]),
    ("Turbot", "CloudTrail Trails with KMS Key Updated"): (
        [
            [
                recorded(
                    "UpdateTrail",
                    service="cloudtrail",
                    parameters={"name": "t", "kmsKeyId": key},
                    resources=[],
                )
            ]
            for key in (FOREIGN, KEY, "")
        ],
        [
            [recorded("UpdateTrail", service="cloudtrail", parameters={"name": "t"}, resources=[])],
            [recorded("DescribeTrails", service="cloudtrail", parameters={}, resources=[])],
        ],
    ),
}


def _fired(calls: Iterable[Call]) -> set[str]:
    policies = PolicyHistory(Notes())
    found = set()
    for call in calls:
        found |= {one.what.id for one in (*judge_call(call), *policies.follow(call))}
    return found


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: f"{peer.product}: {peer.rule}")
def test_what_others_catch_is_caught(peer: Any) -> None:
    positive, negative = EVENTS[peer.product, peer.rule]
    fired = [_fired(calls) for calls in positive]
    assert all(one & set(peer.ours) for one in fired), "an event of theirs is not caught"
    assert set(peer.ours) <= set().union(*fired), "a detection that the table names does not fire"
    for calls in negative:
        assert not _fired(calls) & set(peer.ours)


def test_every_row_has_events_and_names_detections_that_there_are() -> None:
    assert set(EVENTS) == {(peer.product, peer.rule) for peer in PEERS}
    known = {one.id for one in everything()}
    assert all(set(peer.ours) <= known for peer in PEERS)
    assert {peer.product for peer in PEERS} == {"Sigma", "Elastic", "Panther", "Splunk", "Turbot"}
