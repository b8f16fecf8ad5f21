"""Events as CloudTrail and KMS write them, each with the watches that it sets off.

The shapes are those of the examples in AWS's documentation: ids, ARNs and aliases in the request, resources
with and without a type, the alias first in those of UpdateAlias, null for what a refused call has not.

See: https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from kms_constructs.detections.catalogue import WATCHES
from kms_constructs.detections.watch import API_CALL

ACCOUNT = "111122223333"
REGION = "eu-west-1"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_ID = "0987dcba-09fe-87dc-65ba-ab0987654321"
REPLICA_ID = "mrk-1234abcd12ab34cd56ef1234567890ab"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}"
OTHER = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{OTHER_ID}"
REPLICA = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{REPLICA_ID}"
ALIAS = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/prod/orders"
RESCUE = f"arn:aws:iam::{ACCOUNT}:role/security/Rescue"

ALICE = {
    "type": "IAMUser",
    "principalId": "EX_PRINCIPAL_ID",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/Alice",
    "accountId": ACCOUNT,
    "accessKeyId": "EXAMPLE_KEY_ID",
    "userName": "Alice",
}
ROOT = {"type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}
SERVICE = {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}
INTERNAL = {"accountId": ACCOUNT, "invokedBy": "AWS Internal"}
STRANGER = {"type": "AWSAccount", "principalId": "EX_PRINCIPAL_ID", "accountId": "444455556666"}


def session(role: str, **further: Any) -> dict[str, Any]:
    """The identity of a session of a role."""
    name = role.rpartition("/")[2]
    return {
        "type": "AssumedRole",
        "principalId": "EX_PRINCIPAL_ID:deploy",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/deploy",
        "accountId": ACCOUNT,
        "accessKeyId": "EXAMPLE_KEY_ID",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "EX_PRINCIPAL_ID",
                "arn": role,
                "accountId": ACCOUNT,
                "userName": name,
            },
            "attributes": {"mfaAuthenticated": "false", "creationDate": "2026-11-26T08:00:00Z"},
        },
        **further,
    }


def resource(arn: str, *, typed: bool = True) -> dict[str, Any]:
    """An entry of ``resources``."""
    kind = {"type": "AWS::KMS::Key"} if typed else {}
    return {"accountId": ACCOUNT, **kind, "ARN": arn}


def call(
    name: str,
    *,
    by: dict[str, Any] = ALICE,
    parameters: dict[str, Any] | None = None,
    resources: list[dict[str, Any]] | None = None,
    error: str | None = None,
    service: str = "kms",
    detail_type: str = API_CALL,
    **further: Any,
) -> dict[str, Any]:
    """A call as EventBridge delivers it."""
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": by,
        "eventTime": "2026-11-26T09:58:30Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "AWS Internal",
        "requestParameters": {"keyId": KEY_ID} if parameters is None and error is None else parameters,
        "responseElements": None,
        "requestID": "ee408f36-ea01-422b-ac14-b0f147c68334",
        "eventID": "3c4226b0-1e81-48a8-a333-7fa5f3cbd118",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        **further,
    }
    record["resources"] = [resource(KEY)] if resources is None else resources
    if error is not None:
        record |= {"errorCode": error, "errorMessage": f"User: {by.get('arn')} is not authorized"}
    return envelope(record, source=f"aws.{service}", detail_type=detail_type)


def envelope(
    detail: dict[str, Any],
    *,
    source: str = "aws.kms",
    detail_type: str = API_CALL,
    arns: tuple[str, ...] = (),
) -> dict[str, Any]:
    """What EventBridge puts around an event."""
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": "2026-11-26T09:58:31Z",
        "region": REGION,
        "resources": list(arns),
        "detail": detail,
    }


@dataclass(frozen=True)
class Case:
    """An event, and what it sets off.

    Args:
        name: What is special about it.
        event: The event.
        fires: Ids of the watches that it sets off when every key is watched.
        of_key: Whether it tells of the key `KEY`, so that the same fire when that key alone is watched.
    """

    name: str
    event: dict[str, Any]
    fires: frozenset[str] = frozenset()
    of_key: bool = True

    def __str__(self) -> str:
        return self.name


def _guarded() -> list[Case]:
    """Each guarded action in every form, made from the list: one that is added is tested by itself."""
    found: list[Case] = []
    for watch in WATCHES:
        if not watch.guarded:
            continue
        (name,) = watch.event_names
        fires, denied = frozenset({watch.id}), frozenset({"denied-management"})
        rescue, deploy = session(RESCUE), session("arn:aws:iam::111122223333:role/Deploy")
        found += [
            Case(f"{name}: key id", call(name), fires),
            Case(f"{name}: key ARN, by a role", call(name, by=rescue, parameters={"keyId": KEY}), fires),
            Case(f"{name}: resource without a type",
                 call(name, by=deploy, resources=[resource(KEY, typed=False)]), fires),
            Case(f"{name}: no resources", call(name, by=deploy, resources=[]), fires),
            Case(f"{name}: null request", call(name, by=deploy, parameters={}), fires),
            Case(f"{name}: for CloudFormation",
                 call(name, by={**deploy, "invokedBy": "cloudformation.amazonaws.com"}), fires),
            Case(f"{name}: by a service", call(name, by=SERVICE), fires),
            Case(f"{name}: by another account", call(name, by=STRANGER), fires),
            Case(f"{name}: a replica", call(name, parameters={"keyId": REPLICA_ID},
                 resources=[resource(REPLICA)], awsRegion="us-east-1"), fires, of_key=False),
            Case(f"{name}: another key", call(name, parameters={"keyId": OTHER}, resources=[resource(OTHER)]),
                 fires, of_key=False),
            Case(f"{name}: refused, with resources", call(name, error="AccessDenied"), denied),
            Case(f"{name}: refused, with a request alone",
                 call(name, error="AccessDeniedException", parameters={"keyId": KEY}, resources=[]), denied),
            Case(f"{name}: failed",
                 call(name, parameters={"keyId": KEY_ID}, error="KMSInvalidStateException")),
            Case(f"{name}: of another service", call(name, service="dynamodb")),
            Case(f"{name}: on the console only",
                 call(name, detail_type="AWS Console Action via CloudTrail", eventType="AwsConsoleAction")),
        ]  # fmt: skip
    return found


def _of(*fires: str) -> frozenset[str]:
    return frozenset(fires)


_POLICY = {"keyId": KEY_ID, "policyName": "default", "policy": "{}"}
_BYPASS = {**_POLICY, "bypassPolicyLockoutSafetyCheck": True}

_FURTHER = [
    Case("bypass", call("PutKeyPolicy", parameters=_BYPASS), _of("put-key-policy", "lockout-bypass")),
    Case("bypass said and not done",
         call("PutKeyPolicy", parameters={**_BYPASS, "bypassPolicyLockoutSafetyCheck": False}),
         _of("put-key-policy")),
    Case("bypass refused", call("PutKeyPolicy", parameters=_BYPASS, error="AccessDenied"),
         _of("denied-management")),
    Case("bypass at creation", call("CreateKey", parameters={"bypassPolicyLockoutSafetyCheck": True}),
         _of("lockout-bypass")),
    Case("a key is made", call("CreateKey", parameters={"description": "orders"})),
    Case("replicated", call("ReplicateKey", parameters={"keyId": KEY_ID, "replicaRegion": "us-east-1"}),
         _of("replicate-key")),
    Case("replicated with bypass",
         call("ReplicateKey", parameters={"keyId": KEY, "bypassPolicyLockoutSafetyCheck": True}),
         _of("replicate-key", "lockout-bypass")),
    Case("replicated by KMS itself", call("SynchronizeMultiRegionKey", by=INTERNAL, parameters={},
         eventType="AwsServiceEvent", detail_type="AWS Service Event via CloudTrail")),
    Case("another primary",
         call("UpdatePrimaryRegion", parameters={"keyId": KEY, "primaryRegion": "us-east-1"}),
         _of("update-primary-region")),
    Case("root", call("EnableKey", by=ROOT), _of("root-user")),
    Case("root, refused", call("PutKeyPolicy", by=ROOT, parameters=_POLICY, error="AccessDenied"),
         _of("root-user", "denied-management")),
    Case("root disables", call("DisableKey", by=ROOT), _of("root-user", "disable-key")),
    Case("for root by a service", call("EnableKey", by={**ROOT, "invokedBy": "backup.amazonaws.com"})),
    Case("root reads", call("DescribeKey", by=ROOT, readOnly=True)),
    Case("grant by a user", call("CreateGrant", parameters={"keyId": KEY, "operations": ["Decrypt"]}),
         _of("create-grant")),
    Case("grant by a role", call("CreateGrant", by=session(RESCUE)), _of("create-grant")),
    Case("grant by a service", call("CreateGrant", by=SERVICE)),
    Case("grant by a service for a role",
         call("CreateGrant", by=session(RESCUE, invokedBy="autoscaling.amazonaws.com"))),
    Case("grant by KMS's own", call("CreateGrant", by=INTERNAL)),
    Case("grant refused", call("CreateGrant", error="AccessDenied"), _of("denied-management")),
    Case("deletion cancelled", call("CancelKeyDeletion"), _of("cancel-key-deletion")),
    Case("material imported", call("ImportKeyMaterial", parameters={
        "keyId": KEY, "expirationModel": "KEY_MATERIAL_EXPIRES", "validTo": "Nov 26, 2027 9:58:30 AM"}),
        _of("import-key-material")),
    Case("wrapping key asked for", call("GetParametersForImport", readOnly=True)),
    Case("alias moved", call("UpdateAlias",
         parameters={"aliasName": "alias/prod/orders", "targetKeyId": KEY_ID},
         resources=[resource(ALIAS, typed=False), resource(KEY)])),
    Case("alias move refused", call("UpdateAlias", error="AccessDenied",
         resources=[resource(ALIAS, typed=False), resource(KEY)]), _of("denied-management")),
    Case("alias deletion refused", call("DeleteAlias", error="AccessDenied",
         resources=[resource(ALIAS, typed=False), resource(OTHER)]), _of("denied-management"), of_key=False),
    Case("creation refused", call("CreateKey", error="AccessDenied", resources=[]), _of("denied-management"),
         of_key=False),
    Case("decryption refused", call("Decrypt", error="AccessDenied", readOnly=True)),
    Case("decrypted by alias", call("Decrypt", parameters={"keyId": "alias/prod/orders"}, readOnly=True)),
    Case("re-encrypted", call("ReEncrypt", parameters={"sourceKeyId": KEY, "destinationKeyId": OTHER},
         resources=[resource(KEY), resource(OTHER)], readOnly=True)),
    Case("random", call("GenerateRandom", parameters={}, resources=[], readOnly=True), of_key=False),
    Case("trail stopped",
         call("StopLogging", parameters={"name": "main"}, resources=[], service="cloudtrail"),
         _of("trail-stopped")),
    Case("selectors changed", call("PutEventSelectors", parameters={"trailName": "main"}, resources=[],
         service="cloudtrail"), _of("trail-stopped")),
    Case("trail read",
         call("GetTrailStatus", parameters={"name": "main"}, resources=[], service="cloudtrail")),
    Case("trail kept", call("StopLogging", parameters={"name": "main"}, resources=[], service="cloudtrail",
         error="AccessDenied")),
    Case("rotated", envelope({"key-id": KEY_ID, "key-origin": "AWS_KMS", "rotation-type": "ON_DEMAND"},
         detail_type="KMS CMK Rotation", arns=(KEY,)), _of("key-rotated")),
    Case("rotated, another key",
         envelope({"key-id": OTHER_ID}, detail_type="KMS CMK Rotation", arns=(OTHER,)),
         _of("key-rotated"), of_key=False),
    Case("rotated, in the trail", call("RotateKey", by=INTERNAL, parameters={}, eventType="AwsServiceEvent",
         detail_type="AWS Service Event via CloudTrail")),
    Case("expired", envelope({"key-id": KEY_ID}, detail_type="KMS Imported Key Material Expiration",
         arns=(KEY,)), _of("material-expired")),
    Case("deleted", envelope({"key-id": KEY_ID}, detail_type="KMS CMK Deletion", arns=(KEY,)),
         _of("key-deleted")),
    Case("somebody else's event",
         envelope({"key-id": KEY_ID}, source="my.kms", detail_type="KMS CMK Deletion",
         arns=(KEY,))),
]  # fmt: skip

CASES: list[Case] = [*_guarded(), *_FURTHER]
assert len({json.dumps(case.event, sort_keys=True) for case in CASES}) == len(CASES)
assert len({case.name for case in CASES}) == len(CASES)
