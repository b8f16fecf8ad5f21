from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from kms_constructs.detections.event import Event
from kms_constructs.detections.judge import judge
from kms_constructs.detections.relations import flatten
from kms_constructs.detections.trail.notes import Notes
from kms_constructs.detections.trail.requests import judge_call
from tests.detections.events import (
    ACCOUNT,
    ALICE,
    CASES,
    INTERNAL,
    KEY,
    KEY_ID,
    RESCUE,
    ROOT,
    SERVICE,
    session,
)
from tests.detections.trail.samples import OUTSIDE_ROLE, OUTSIDER, recorded

FOREIGN = f"arn:aws:kms:eu-west-1:{OUTSIDER}:key/{KEY_ID}"
SSE = "x-amz-server-side-encryption-aws-kms-key-id"
PCR = "attestationDocumentEnclave"
ZERO, REAL = "0" * 96, "3b4f" * 24


@dataclass(frozen=True)
class Case:
    """A call, and what it sets off."""

    name: str
    fires: set[str]
    told: dict[str, Any] = field(default_factory=dict)
    api: str = ""

    def __str__(self) -> str:
        return self.name


def _grant(**parameters: str) -> dict[str, Any]:
    return {"parameters": {"keyId": KEY, **parameters}}


def _s3(**told: Any) -> dict[str, Any]:
    return {"service": "s3", "resources": [], **told}


def _trail(parameters: dict[str, Any], **told: Any) -> dict[str, Any]:
    return {"service": "cloudtrail", "resources": [], "parameters": parameters, **told}


def _enclave(readOnly: bool = True, **measured: str) -> dict[str, Any]:  # noqa: N803 - CloudTrail's name
    recipient = {f"{PCR}{name}": value for name, value in measured.items()}
    return {
        "readOnly": readOnly,
        "additionalEventData": {"recipient": {"attestationDocumentModuleId": "i-0123-enc4567", **recipient}},
    }


def _endpoint(**told: Any) -> dict[str, Any]:
    return {
        "parameters": {}, "resources": [], "eventType": "AwsVpceEvent", "eventCategory": "NetworkActivity",
        "vpcEndpointId": "vpce-1", "vpcEndpointAccountId": ACCOUNT, **told,
    }  # fmt: skip


_ADVANCED = [{"field": "eventCategory", "equals": ["Management"]}]

CASES_OF_CALLS = [
    Case("Decrypt: usual", set()),
    Case("Decrypt: root", {"root-user-use"}, {"by": ROOT, "readOnly": True}),
    Case("Decrypt: root, refused", {"root-user-use"}, {"by": ROOT, "error": "AccessDenied"}),
    Case("ListKeys: root", {"root-user-use"}, {"by": ROOT, "parameters": {}, "resources": []}),
    Case("Decrypt: for root by a service", set(), {"by": {**ROOT, "invokedBy": "s3.amazonaws.com"}}),
    Case("EnableKey: root, told once", {"root-user"}, {"by": ROOT}),

    Case("CreateGrant: at home", {"create-grant"}, _grant(granteePrincipal=RESCUE)),
    Case("CreateGrant: role of another account", {"create-grant", "grant-to-outsider"},
         _grant(granteePrincipal=OUTSIDE_ROLE)),
    Case("CreateGrant: another account whole", {"create-grant", "grant-to-outsider"},
         _grant(granteePrincipal=f"arn:aws:iam::{OUTSIDER}:root")),
    Case("CreateGrant: another account by its number", {"create-grant", "grant-to-outsider"},
         _grant(granteePrincipal=OUTSIDER)),
    Case("CreateGrant: a session of another account", {"create-grant", "grant-to-outsider"},
         _grant(granteePrincipal=f"arn:aws:sts::{OUTSIDER}:assumed-role/reader/one")),
    Case("CreateGrant: an outsider may retire it", {"create-grant", "grant-to-outsider"},
         _grant(granteePrincipal=RESCUE, retiringPrincipal=OUTSIDE_ROLE)),
    Case("CreateGrant: to a service", {"create-grant"},
         _grant(granteePrincipal="dynamodb.eu-west-1.amazonaws.com", retiringPrincipal="rds.amazonaws.com")),
    Case("CreateGrant: to an instance, as EC2 calls it", {"create-grant"},
         _grant(granteePrincipal=f"{ACCOUNT}:aws:ec2-infrastructure:i-81e2f56c")),
    Case("CreateGrant: to an instance of another account", {"create-grant", "grant-to-outsider"},
         _grant(granteePrincipal=f"{OUTSIDER}:aws:ec2-infrastructure:i-81e2f56c")),
    Case("CreateGrant: by a service, to an outsider", {"grant-to-outsider"},
         {"by": session(RESCUE, invokedBy="ec2.amazonaws.com"), **_grant(granteePrincipal=OUTSIDE_ROLE)}),
    Case("CreateGrant: by a service on its own behalf, at home", set(),
         {"by": SERVICE, **_grant(granteePrincipal=RESCUE)}),
    Case("CreateGrant: to an outsider, refused", {"denied-management"},
         {**_grant(granteePrincipal=OUTSIDE_ROLE), "error": "AccessDenied"}),

    Case("CopyObject: key of another account", {"foreign-key-write"}, _s3(parameters={SSE: FOREIGN})),
    Case("PutObject: key of another account, in a list", {"foreign-key-write"},
         _s3(parameters={SSE: [FOREIGN]})),
    Case("CreateMultipartUpload: key of another account", {"foreign-key-write"},
         _s3(parameters={SSE: FOREIGN})),
    Case("PutObject: told by the response", {"foreign-key-write"},
         _s3(parameters={"bucketName": "b"}, responseElements={SSE: FOREIGN})),
    Case("PutBucketEncryption: key of another account", {"foreign-key-write"},
         _s3(parameters={"ServerSideEncryptionConfiguration": {"Rule": {
             "ApplyServerSideEncryptionByDefault": {"KMSMasterKeyID": FOREIGN}}}})),
    Case("CopyObject: own key", set(), _s3(parameters={SSE: KEY})),
    Case("CopyObject: own key by its id", set(), _s3(parameters={SSE: KEY_ID})),
    Case("CopyObject: refused", set(), _s3(parameters={SSE: FOREIGN}, error="AccessDenied")),
    Case("PutObject: no key", set(), _s3(parameters={"bucketName": "b"})),

    Case("PutEventSelectors: KMS left out", {"trail-stopped", "trail-without-kms"}, _trail({
        "trailName": "main", "eventSelectors": [{"readWriteType": "All", "includeManagementEvents": True,
                                                 "excludeManagementEventSources": ["kms.amazonaws.com"]}]})),
    Case("PutEventSelectors: KMS left out, in the newer way", {"trail-stopped", "trail-without-kms"}, _trail({
        "trailName": "main", "advancedEventSelectors": [{"name": "m", "fieldSelectors": [
            *_ADVANCED, {"field": "eventSource", "notEquals": ["kms.amazonaws.com"]}]}]})),
    Case("PutEventSelectors: no management events", {"trail-stopped", "trail-without-kms"}, _trail({
        "trailName": "main", "eventSelectors": [{"includeManagementEvents": False}]})),
    Case("PutEventSelectors: RDS left out", {"trail-stopped"}, _trail({
        "trailName": "main", "eventSelectors": [
            {"includeManagementEvents": True, "excludeManagementEventSources": ["rdsdata.amazonaws.com"]}]})),
    Case("PutEventSelectors: everything", {"trail-stopped"}, _trail({
        "trailName": "main", "advancedEventSelectors": [{"name": "m", "fieldSelectors": _ADVANCED}]})),
    Case("PutEventSelectors: refused", set(), _trail({"trailName": "main", "eventSelectors": [
        {"includeManagementEvents": False}]}, error="AccessDenied")),
    Case("UpdateTrail: another key", {"trail-stopped", "trail-key-changed"},
         _trail({"name": "main", "kmsKeyId": FOREIGN})),
    Case("UpdateTrail: no key any more", {"trail-stopped", "trail-key-changed"},
         _trail({"name": "main", "kmsKeyId": ""})),
    Case("UpdateTrail: another bucket", {"trail-stopped"}, _trail({"name": "main", "s3BucketName": "b"})),
    Case("StopLogging: stopped", {"trail-stopped"}, _trail({"name": "main"})),
    Case("DescribeTrails: read", set(), _trail({})),

    Case("Decrypt: enclave in debug mode", {"enclave-debug"},
         _enclave(ImageDigest=ZERO, PCR1=ZERO, PCR2=ZERO, PCR3=REAL)),
    Case("GenerateDataKey: the same in base64", {"enclave-debug"},
         _enclave(ImageDigest="A" * 64, PCR1="A" * 64, PCR2="A" * 64)),
    Case("GenerateRandom: the digest alone is told", {"enclave-debug"},
         {**_enclave(ImageDigest=ZERO), "parameters": {}, "resources": []}),
    Case("Decrypt: enclave", set(), _enclave(ImageDigest=REAL, PCR1=REAL, PCR2=REAL)),
    Case("Decrypt: unsigned image, so PCR8 is zero", set(),
         _enclave(ImageDigest=REAL, PCR1=REAL, PCR2=REAL, PCR8=ZERO)),
    Case("Decrypt: debug mode, refused", set(),
         {**_enclave(ImageDigest=ZERO, PCR1=ZERO, PCR2=ZERO), "error": "AccessDenied"}),
    Case("Decrypt: no enclave", set(), {"additionalEventData": {"keyMaterialId": "96083e4fb6"}}),

    Case("Decrypt: what an endpoint saw", set(), _endpoint()),
    Case("DisableKey: what an endpoint saw, told by its own record", set(), _endpoint()),
    Case("Decrypt: refused by an endpoint", {"endpoint-denied"}, _endpoint(error="VpceAccessDenied")),
    Case("Decrypt: an outsider through an endpoint", {"endpoint-outsider"},
         _endpoint(by=session(OUTSIDE_ROLE) | {"accountId": OUTSIDER})),
    Case("PutObject: refused by an endpoint of S3", set(),
         {**_endpoint(error="VpceAccessDenied"), "service": "s3"}),

    Case("DeleteKey: KMS itself", {"key-deleted"},
         {"by": INTERNAL, "eventType": "AwsServiceEvent", "parameters": {}}),
    Case("RotateKey: KMS itself", {"key-rotated"},
         {"by": INTERNAL, "eventType": "AwsServiceEvent", "parameters": {}}),
    Case("DeleteExpiredKeyMaterial: KMS itself", {"material-expired"},
         {"by": INTERNAL, "eventType": "AwsServiceEvent", "parameters": {}}),
    Case("SynchronizeMultiRegionKey: KMS itself", set(),
         {"by": INTERNAL, "eventType": "AwsServiceEvent", "parameters": {}}),
    Case("DisableKey: with an old form of record", {"disable-key"},
         {"eventVersion": "1.02", "eventCategory": None, "managementEvent": None}),
]  # fmt: skip
assert len({case.name for case in CASES_OF_CALLS}) == len(CASES_OF_CALLS)


@pytest.mark.parametrize("case", CASES_OF_CALLS, ids=str)
def test_what_a_call_sets_off(case: Case) -> None:
    call = recorded(case.name.split(":")[0], **case.told)
    assert {one.what.id for one in judge_call(call)} == case.fires


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_rules_of_eventbridge_watch_for_is_found_in_a_trail_as_well(case: Any) -> None:
    """A row of a store tells of the watches what the record told."""
    if case.event["source"] not in ("aws.kms", "aws.cloudtrail", "aws.dynamodb"):
        return
    detail = case.event["detail"]
    if "eventID" not in detail:
        return
    row, keys = flatten(detail)
    expected = {watch.id for watch in judge(Event.from_record(detail))}
    # In a trail, what KMS does by itself is what EventBridge has under a name of its own.
    own = {"RotateKey": {"key-rotated"}}.get(row.event_name, set())
    assert {watch.id for watch in judge(Event.from_row(row, keys))} == expected | own


@pytest.mark.parametrize(("trusted", "fires"), [((OUTSIDER,), False), ((), True), (("444455556666",), True)])
def test_trusted_accounts_may_be_given_keys(trusted: tuple[str, ...], fires: bool) -> None:
    granted = recorded("CreateGrant", **_grant(granteePrincipal=OUTSIDE_ROLE))
    written = recorded("CopyObject", **_s3(parameters={SSE: FOREIGN}))
    for call, what in ((granted, "grant-to-outsider"), (written, "foreign-key-write")):
        assert (what in {one.what.id for one in judge_call(call, trusted=trusted)}) is fires


def test_a_grantee_of_no_known_account_is_said_and_not_guessed() -> None:
    notes = Notes()
    call = recorded("CreateGrant", **_grant(granteePrincipal="AROAEXAMPLEEXAMPLE12"))
    assert [one.what.id for one in judge_call(call, notes=notes)] == ["create-grant"]
    (line,) = notes.lines()
    assert line.startswith("1 grants to a principal of which CloudTrail tells no account")


def test_who_is_authorised_is_an_alert_and_others_are_critical() -> None:
    authorised = {"IAM-KMS-4": [RESCUE]}
    by_rescue, by_alice = recorded("DisableKey", by=session(RESCUE)), recorded("DisableKey", by=ALICE)
    assert [(one.what.id, one.level.value) for one in judge_call(by_rescue, authorised=authorised)] == [
        ("disable-key", "alert")
    ]
    assert [(one.what.id, one.level.value) for one in judge_call(by_alice, authorised=authorised)] == [
        ("disable-key-unauthorised", "critical")
    ]


def test_a_finding_tells_who_on_which_key_when() -> None:
    (finding,) = judge_call(recorded("DisableKey", by=session(RESCUE)))
    assert (finding.principal, finding.key, finding.count) == (RESCUE, KEY, 1)
    assert finding.first == finding.last == "2026-05-20T10:00:00Z"
    assert finding.events == ("3c4226b0-1e81-48a8-a333-7fa5f3cbd118",)


def test_what_is_no_json_tells_nothing() -> None:
    call = recorded("PutEventSelectors", **_trail({"eventSelectors": "none", "advancedEventSelectors": 7}))
    assert [one.what.id for one in judge_call(call)] == ["trail-stopped"]
    assert json.loads(str(call.event.request)) == {"eventSelectors": "none", "advancedEventSelectors": 7}
