"""The relations, held against an event of every API of KMS.

The shapes are those of AWS's pages on each, the wording is our own: where the key stands, under which name,
and what stands beside it.

See: https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_constructs.detections.catalogue import PERMISSION_ONLY
from kms_constructs.detections.relations import (
    EVENT_COLUMNS,
    KEY_COLUMNS,
    EventRow,
    KeyRow,
    flatten,
    is_wanted,
)
from kms_constructs.model.actions import ACTIONS
from tests.detections.events import (
    ACCOUNT,
    ALIAS,
    ALICE,
    INTERNAL,
    KEY,
    KEY_ID,
    OTHER,
    OTHER_ID,
    REGION,
    REPLICA,
    REPLICA_ID,
    RESCUE,
    ROOT,
    SERVICE,
    STRANGER,
    call,
    resource,
    session,
)

NAME = "alias/prod/orders"
PRIMARY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{REPLICA_ID}"
MEMBER = "444455556666"
FOREIGN = f"arn:aws:kms:{REGION}:{MEMBER}:key/{OTHER_ID}"
SSE = "x-amz-server-side-encryption-aws-kms-key-id"

Keys = list[tuple[str, str | None, str]]


@dataclass(frozen=True)
class Case:
    """An event and the keys that it tells of: ARN, alias, use."""

    name: str
    keys: Keys
    api: str = ""
    parameters: dict[str, Any] | None = None
    resources: list[dict[str, Any]] | None = None
    further: dict[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> dict[str, Any]:
        """The record."""
        api = self.api or self.name.split(":")[0]
        made: dict[str, Any] = call(
            api, parameters=self.parameters or {}, resources=self.resources or [], **self.further
        )["detail"]
        return made | {"requestParameters": self.parameters, "resources": self.resources}

    def __str__(self) -> str:
        return self.name


def _internal(**further: Any) -> dict[str, Any]:
    return {"by": INTERNAL, "eventType": "AwsServiceEvent", **further}


_LISTED = [resource(KEY)]
_UNTYPED = [resource(KEY, typed=False)]
_BY_KEY: Keys = [(KEY, None, "key")]

# Calls whose request names the key as keyId and whose resources list it.
_PLAIN = {
    "CancelKeyDeletion": {"responseElements": {"keyId": KEY}},
    "CreateGrant": {"responseElements": {"grantId": "f020fe75", "keyId": KEY}},
    "Decapsulate": {},
    "DeleteImportedKeyMaterial": {},
    "DeriveSharedSecret": {},
    "DescribeKey": {},
    "DisableKey": {},
    "DisableKeyRotation": {},
    "EnableKey": {},
    "EnableKeyRotation": {},
    "Encapsulate": {},
    "Encrypt": {},
    "GenerateDataKey": {"additionalEventData": {"keyMaterialId": "96083e4fb6dbc41d"}},
    "GenerateDataKeyPair": {},
    "GenerateDataKeyPairWithoutPlaintext": {},
    "GenerateDataKeyWithoutPlaintext": {},
    "GenerateMac": {},
    "GetKeyLastUsage": {},
    "GetKeyPolicy": {},
    "GetKeyRotationStatus": {},
    "GetParametersForImport": {},
    "GetPublicKey": {},
    "ImportKeyMaterial": {"responseElements": {"keyId": KEY}},
    "ListGrants": {},
    "ListKeyPolicies": {},
    "ListKeyRotations": {},
    "ListResourceTags": {},
    "PutKeyPolicy": {"responseElements": {"keyId": KEY}},
    "RevokeGrant": {"responseElements": {"keyId": KEY}},
    "RotateKeyOnDemand": {"responseElements": {"keyId": KEY}},
    "ScheduleKeyDeletion": {"responseElements": {"keyId": KEY, "keyState": "PendingDeletion"}},
    "Sign": {},
    "TagResource": {"responseElements": {"keyId": KEY}},
    "UntagResource": {},
    "UpdateKeyDescription": {},
    "Verify": {},
    "VerifyMac": {},
}
# Calls that are about no key.
_KEYLESS = {
    "ConnectCustomKeyStore": {"customKeyStoreId": "cks-1234567890abcdef0"},
    "CreateCustomKeyStore": {"customKeyStoreName": "Vault", "clusterId": "cluster-1a23b4cdefg"},
    "DeleteCustomKeyStore": {"customKeyStoreId": "cks-1234567890abcdef0"},
    "DescribeCustomKeyStores": {"customKeyStoreId": "cks-1234567890abcdef0"},
    "DisconnectCustomKeyStore": {"customKeyStoreId": "cks-1234567890abcdef0"},
    "GenerateRandom": None,
    "ListAliases": {"limit": 5},
    "ListKeys": None,
    "ListRetirableGrants": {"retiringPrincipal": RESCUE},
    "UpdateCustomKeyStore": {"customKeyStoreId": "cks-1234567890abcdef0"},
}

CASES = [
    *(Case(f"{api}: id", _BY_KEY, api, {"keyId": KEY_ID}, _LISTED, more) for api, more in _PLAIN.items()),
    *(Case(f"{api}: ARN, untyped", _BY_KEY, api, {"keyId": KEY}, _UNTYPED, more)
      for api, more in _PLAIN.items()),
    *(Case(f"{api}: alias", [(KEY, NAME, "key")], api, {"keyId": NAME}, _LISTED, more)
      for api, more in _PLAIN.items()),
    *(Case(f"{api}: refused", _BY_KEY, api, {"keyId": KEY_ID}, None, {"error": "AccessDenied"})
      for api in _PLAIN),
    *(Case(f"{api}: no key", [], api, parameters, None) for api, parameters in _KEYLESS.items()),

    Case("Decrypt: no key named, for the ciphertext tells it", [(KEY, None, "resource")],
         parameters={"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}, resources=_LISTED),
    Case("Decrypt: nothing told", [], parameters=None, resources=None, further={"error": "AccessDenied"}),
    Case("Decrypt: hidden", [], parameters={"keyId": "HIDDEN_DUE_TO_SECURITY_REASONS"}, resources=None),
    Case("Decrypt: alias ARN", [(KEY, NAME, "key")], parameters={"keyId": ALIAS}, resources=_LISTED),
    Case("Decrypt: alias that nothing resolves", [(ALIAS, NAME, "key")], parameters={"keyId": NAME},
         resources=None, further={"error": "NotFoundException"}),
    Case("Decrypt: AWS managed key by its alias", [(KEY, "alias/aws/ebs", "key")],
         parameters={"keyId": "alias/aws/ebs"}, resources=_UNTYPED),
    Case("Decrypt: key of another account", [(FOREIGN, None, "key")], parameters={"keyId": FOREIGN},
         resources=[{"accountId": MEMBER, "type": "AWS::KMS::Key", "ARN": FOREIGN}]),
    Case("Decrypt: by another account", _BY_KEY, parameters={"keyId": KEY}, resources=_LISTED,
         further={"by": STRANGER}),
    Case("Decrypt: a multi-Region key, asked by id", [(REPLICA, None, "key")],
         parameters={"keyId": REPLICA_ID}, resources=[resource(REPLICA)],
         further={"awsRegion": "us-east-1"}),
    Case("Decrypt: the same, nothing listed", [(REPLICA, None, "key")], parameters={"keyId": REPLICA_ID},
         resources=None, further={"awsRegion": "us-east-1"}),
    Case("Decrypt: in China", [(f"arn:aws-cn:kms:cn-north-1:{ACCOUNT}:key/{KEY_ID}", None, "key")],
         parameters={"keyId": KEY_ID}, resources=None, further={"awsRegion": "cn-north-1"}),
    Case("Decrypt: listed twice", _BY_KEY, parameters={"keyId": KEY}, resources=[*_LISTED, *_UNTYPED]),

    Case("ReEncrypt: both named", [(KEY, None, "source"), (OTHER, None, "destination")],
         parameters={"sourceKeyId": KEY_ID, "destinationKeyId": OTHER_ID},
         resources=[resource(KEY), resource(OTHER)]),
    Case("ReEncrypt: the ciphertext tells the source", [(OTHER, None, "destination"), (KEY, None, "source")],
         parameters={"destinationKeyId": OTHER_ID}, resources=[resource(KEY), resource(OTHER)]),
    Case("ReEncrypt: to an alias", [(OTHER, NAME, "destination"), (KEY, None, "source")],
         parameters={"destinationKeyId": NAME}, resources=[resource(KEY), resource(OTHER)]),
    Case("ReEncrypt: from an id to an alias", [(KEY, None, "source"), (OTHER, NAME, "destination")],
         parameters={"sourceKeyId": KEY_ID, "destinationKeyId": NAME},
         resources=[resource(KEY), resource(OTHER)]),
    Case("ReEncrypt: from an alias to an alias", [(KEY, NAME, "source"), (OTHER, "alias/new", "destination")],
         parameters={"sourceKeyId": NAME, "destinationKeyId": "alias/new"},
         resources=[resource(KEY), resource(OTHER)]),
    Case("ReEncrypt: under the same key", [(KEY, None, "source")],
         parameters={"sourceKeyId": KEY, "destinationKeyId": KEY_ID}, resources=_LISTED),
    Case("ReEncrypt: under the same key by its alias", [(KEY, NAME, "source")],
         parameters={"sourceKeyId": KEY, "destinationKeyId": NAME}, resources=_LISTED),
    Case("ReEncrypt: refused", [(KEY, None, "source"), (OTHER, None, "destination")],
         parameters={"sourceKeyId": KEY, "destinationKeyId": OTHER}, resources=None,
         further={"error": "AccessDenied"}),

    Case("CreateKey: with its policy", [(KEY, None, "resource")], parameters={"description": "orders"},
         resources=_LISTED, further={"responseElements": {"keyMetadata": {"arn": KEY, "keyId": KEY_ID}}}),
    Case("CreateKey: told by the response alone", [(KEY, None, "resource")], parameters={},
         resources=None, further={"responseElements": {"keyMetadata": {"arn": KEY, "keyId": KEY_ID}}}),
    Case("ReplicateKey: the replica in its Region", [(PRIMARY, None, "key"), (REPLICA, None, "replica")],
         parameters={"keyId": REPLICA_ID, "replicaRegion": "us-east-1"}, resources=[resource(PRIMARY)],
         further={"responseElements": {"replicaKeyMetadata": {"arn": REPLICA, "keyId": REPLICA_ID}}}),
    Case("UpdatePrimaryRegion: where the primary was", [(PRIMARY, None, "key")],
         parameters={"keyId": REPLICA_ID, "primaryRegion": "us-east-1"}, resources=[resource(PRIMARY)]),
    Case("UpdatePrimaryRegion: where it is now", [(REPLICA, None, "key")],
         parameters={"keyId": REPLICA, "primaryRegion": "us-east-1"}, resources=None,
         further={"by": {**ALICE, "invokedBy": "kms.amazonaws.com"}}),

    Case("CreateAlias: the key first", [(KEY, NAME, "key")],
         parameters={"aliasName": NAME, "targetKeyId": KEY_ID}, resources=[resource(KEY), resource(ALIAS)]),
    Case("UpdateAlias: the alias first", [(KEY, NAME, "key")],
         parameters={"aliasName": NAME, "targetKeyId": KEY_ID}, resources=[resource(ALIAS), resource(KEY)],
         further={"responseElements": {"keyId": KEY}}),
    Case("UpdateAlias: nothing listed", [(KEY, NAME, "key")],
         parameters={"aliasName": NAME, "targetKeyId": KEY_ID}, resources=None),
    Case("DeleteAlias: the key is among the resources", [(KEY, NAME, "key")], parameters={"aliasName": NAME},
         resources=[resource(ALIAS, typed=False), resource(KEY, typed=False)]),
    Case("DeleteAlias: the response tells the key", [(KEY, NAME, "key")], parameters={"aliasName": NAME},
         resources=[resource(ALIAS)], further={"responseElements": {"keyId": KEY}}),
    Case("DeleteAlias: refused", [(ALIAS, NAME, "key")], parameters={"aliasName": NAME},
         resources=None, further={"error": "AccessDenied"}),
    Case("RetireGrant: no request", [(KEY, None, "resource")], parameters=None, resources=_LISTED,
         further={"additionalEventData": {"grantId": "abcde1237f76"}, "responseElements": {"keyId": KEY}}),
    Case("RetireGrant: by token, the response tells the key", [(KEY, None, "resource")],
         parameters=None, resources=None, further={"responseElements": {"keyId": KEY}}),

    Case("RotateKey: an event of KMS itself", _BY_KEY, parameters=None, resources=_LISTED,
         further=_internal(serviceEventDetails={"keyId": KEY_ID, "rotationType": "AUTOMATIC"})),
    Case("DeleteKey: an event of KMS itself", [(KEY, None, "resource")], parameters=None, resources=_LISTED,
         further=_internal()),
    Case("DeleteKey: details alone", _BY_KEY, parameters=None, resources=None,
         further=_internal(serviceEventDetails={"keyId": KEY_ID})),
    Case("DeleteExpiredKeyMaterial: an event of KMS itself", _BY_KEY, parameters=None, resources=_LISTED,
         further=_internal(serviceEventDetails={"keyId": KEY_ID})),
    Case("SynchronizeMultiRegionKey: an event of KMS itself", [(PRIMARY, None, "resource")], parameters=None,
         resources=[resource(PRIMARY)], further=_internal()),

    Case("UpdateTrail: its key", _BY_KEY, parameters={"name": "main", "kmsKeyId": KEY}, resources=None,
         further={"service": "cloudtrail"}),
    Case("UpdateTrail: its key by an alias", [(KEY, NAME, "key")],
         parameters={"name": "main", "kmsKeyId": NAME}, resources=None,
         further={"service": "cloudtrail", "responseElements": {"kmsKeyId": KEY, "name": "main"}}),
    Case("CreateTrail: its key", _BY_KEY, parameters={"name": "main", "kmsKeyId": KEY_ID}, resources=None,
         further={"service": "cloudtrail"}),
    Case("UpdateTrail: encryption off", [], parameters={"name": "main", "kmsKeyId": ""}, resources=None,
         further={"service": "cloudtrail"}),
    Case("StopLogging: no key", [], parameters={"name": "main"}, resources=None,
         further={"service": "cloudtrail"}),

    Case("PutObject: the request tells the key", [(FOREIGN, None, "object")], parameters={SSE: FOREIGN},
         resources=[{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::orders/1"}],
         further={"service": "s3"}),
    Case("PutObject: a header as a list", [(FOREIGN, None, "object")], parameters={SSE: [FOREIGN]},
         resources=None, further={"service": "s3"}),
    Case("PutObject: in other letters", [(FOREIGN, None, "object")],
         parameters={"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": FOREIGN}, resources=None,
         further={"service": "s3"}),
    Case("PutObject: the bucket's default, told by the response", [(KEY, None, "object")],
         parameters={"bucketName": "orders"}, resources=None,
         further={"service": "s3", "responseElements": {SSE: KEY}}),
    Case("CopyObject: alias and answer", [(FOREIGN, NAME, "object")],
         parameters={SSE: f"arn:aws:kms:{REGION}:{MEMBER}:{NAME}"}, resources=None,
         further={"service": "s3", "responseElements": {SSE: FOREIGN}}),
    Case("PutBucketEncryption: what is written from now on", [(FOREIGN, None, "object")],
         parameters={"bucketName": "orders", "ServerSideEncryptionConfiguration": {"Rule": {
             "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": FOREIGN},
             "BucketKeyEnabled": True}}},
         resources=None, further={"service": "s3"}),
    Case("GetObject: no key", [], parameters={"bucketName": "orders"}, resources=None,
         further={"service": "s3"}),
    Case("CreateSecret: of another service, by its resources", [(KEY, None, "resource")],
         parameters={"name": "orders", "kmsKeyId": NAME}, resources=_LISTED,
         further={"service": "secretsmanager"}),
]  # fmt: skip
assert len({case.name for case in CASES}) == len(CASES)


def _keys(record: dict[str, Any]) -> Keys:
    return [(row.key, row.alias, row.use) for row in flatten(record)[1]]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_keys_of_an_event(case: Case) -> None:
    assert _keys(case.record) == case.keys


def test_every_api_of_kms_has_an_event() -> None:
    called = {case.api or case.name.split(":")[0] for case in CASES}
    assert set(ACTIONS) - PERMISSION_ONLY <= called
    assert {"ReEncrypt", "RotateKey", "DeleteKey", "DeleteExpiredKeyMaterial"} <= called


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_names_a_key_is_wanted(case: Case) -> None:
    ours = case.record["eventSource"] in ("kms.amazonaws.com", "cloudtrail.amazonaws.com")
    assert is_wanted(case.record) == (ours or bool(case.keys))


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (ALICE, (ALICE["arn"], "IAMUser", ACCOUNT, None, None)),
        (ROOT, (ROOT["arn"], "Root", ACCOUNT, None, None)),
        (session(RESCUE), (RESCUE, "AssumedRole", ACCOUNT,
                           f"arn:aws:sts::{ACCOUNT}:assumed-role/Rescue/deploy", None)),
        (session(RESCUE, invokedBy="s3.amazonaws.com"),
         (RESCUE, "AssumedRole", ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/Rescue/deploy",
          "s3.amazonaws.com")),
        (SERVICE, (None, "AWSService", None, None, "ec2.amazonaws.com")),
        (INTERNAL, (None, None, ACCOUNT, None, "AWS Internal")),
        (STRANGER, (None, "AWSAccount", "444455556666", None, None)),
        ({"type": "FederatedUser", "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/Bob", "accountId": ACCOUNT,
          "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": ALICE["arn"]}}},
         (ALICE["arn"], "FederatedUser", ACCOUNT, f"arn:aws:sts::{ACCOUNT}:federated-user/Bob", None)),
        ({"type": "IdentityCenterUser", "accountId": ACCOUNT},
         (None, "IdentityCenterUser", ACCOUNT, None, None)),
        (None, (None, None, None, None, None)),
    ],
    ids=["user", "root", "role", "role through a service", "service", "KMS itself", "another account",
         "federated", "identity centre", "nobody"],
)  # fmt: skip
def test_who_called(by: dict[str, Any] | None, expected: tuple[str | None, ...]) -> None:
    row, _ = flatten(call("Decrypt", by=by or {})["detail"] | {"userIdentity": by})
    assert (row.caller, row.caller_type, row.caller_account, row.session, row.service) == expected


def test_a_bare_id_is_one_of_the_callers_account() -> None:
    record = call("Decrypt", parameters={"keyId": KEY_ID}, resources=[])["detail"]
    record |= {"recipientAccountId": None}
    assert _keys(record) == _BY_KEY


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z"),
        ("2026-05-01T10:00:00.123Z", "2026-05-01T10:00:00Z"),
        ("2026-05-01T12:00:00+02:00", "2026-05-01T10:00:00Z"),
        ("2026-05-01 10:00:00", "2026-05-01T10:00:00Z"),
    ],
)
def test_times_are_utc_to_the_second(told: str, expected: str) -> None:
    row, keys = flatten(call("Decrypt")["detail"] | {"eventTime": told})
    assert row.event_time == expected
    assert [one.event_time for one in keys] == [expected]


@pytest.mark.parametrize("missing", ["eventID", "eventTime", "eventSource", "eventName"])
@pytest.mark.parametrize("value", [None, "", 7, "absent"])
def test_without_what_makes_an_event_it_is_none(missing: str, value: object) -> None:
    record: dict[str, Any] = call("Decrypt")["detail"] | {missing: value}
    if value == "absent":
        if missing == "eventTime":
            record[missing] = "yesterday"
        else:
            del record[missing]
    with pytest.raises(ValueError, match="a record of an event has"):
        flatten(record)


def test_contexts_and_texts_are_json_with_sorted_names() -> None:
    row, _ = flatten(
        call("ReEncrypt", parameters={
            "sourceEncryptionContext": {"b": "2", "a": "ü"}, "destinationEncryptionContext": {"c": "3"},
            "destinationKeyId": KEY,
        })["detail"]
    )  # fmt: skip
    assert row.encryption_context == '{"a":"ü","b":"2"}'
    assert row.destination_encryption_context == '{"c":"3"}'
    assert json.loads(str(row.request))["destinationKeyId"] == KEY
    assert (
        flatten(call("Decrypt", parameters={"encryptionContext": {}})["detail"])[0].encryption_context is None
    )


def test_columns_and_rows_agree() -> None:
    assert tuple(EVENT_COLUMNS) == EventRow._fields
    assert tuple(KEY_COLUMNS) == KeyRow._fields


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
    | st.sampled_from([KEY, KEY_ID, OTHER, ALIAS, NAME, REPLICA, "kms.amazonaws.com", "s3.amazonaws.com"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["ARN", "arn", "keyId", "aliasName", "targetKeyId", "sourceKeyId", "destinationKeyId",
                         "kmsKeyId", SSE, "keyMetadata", "replicaKeyMetadata", "sessionContext",
                         "sessionIssuer", "Rule", "ServerSideEncryptionConfiguration",
                         "ApplyServerSideEncryptionByDefault",
                         "KMSMasterKeyID", "encryptionContext"]),
        inner, max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip
_FIELDS = ["eventID", "eventTime", "eventName", "eventSource", "eventType", "awsRegion", "recipientAccountId",
           "userIdentity", "requestParameters", "responseElements", "serviceEventDetails", "resources",
           "additionalEventData", "errorCode", "readOnly"]  # fmt: skip


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(_FIELDS), _JSON), st.booleans())
def test_whatever_a_record_holds_it_is_rows_or_a_value_error(record: dict[str, Any], whole: bool) -> None:
    if whole:
        record |= {"eventID": "e", "eventTime": "2026-05-01T10:00:00Z", "eventName": "Decrypt",
                   "eventSource": record.get("eventSource") or "kms.amazonaws.com"}  # fmt: skip
    try:
        row, keys = flatten(record)
    except ValueError:
        assert not whole or not isinstance(record["eventSource"], str)
        return
    assert all(isinstance(value, str | bool | None) for value in row)
    assert len({one.key for one in keys}) == len(keys)
    assert all(one.event_id == row.event_id and one.key.startswith("arn:") for one in keys)
    assert all(one.use in {"key", "source", "destination", "object", "replica", "resource"} for one in keys)
    assert is_wanted(record) or not keys
