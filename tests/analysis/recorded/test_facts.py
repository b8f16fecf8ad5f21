"""What a trail tells of condition keys."""

from __future__ import annotations

import pytest

from kms_constructs.analysis.recorded.facts import PARAMETERS, facts_of
from kms_constructs.model.actions import ACTIONS
from kms_constructs.model.condition_keys import GLOBAL_KEYS, KMS_KEYS
from kms_constructs.model.unknown import is_unknown
from tests.trails import ORDERS, REGION, one_by_one, record

EVERY = tuple(name.lower() for name in (*KMS_KEYS, *GLOBAL_KEYS))

DIRECT = {
    "aws:calledvia": None,
    "aws:calledviafirst": None,
    "aws:calledvialast": None,
    "aws:principalservicename": None,
    "aws:principalservicenameslist": None,
    "aws:securetransport": "true",
    "aws:sourceaccount": None,
    "aws:sourcearn": None,
    "aws:sourceip": "192.0.2.10",
    "aws:sourceorgid": None,
    "aws:sourceorgpaths": None,
    "aws:sourcevpc": None,
    "aws:sourcevpcarn": None,
    "aws:sourcevpce": None,
    "aws:userid": "AROAEXAMPLE:session",
    "aws:username": None,
    "aws:viaawsservice": "false",
    "aws:vpceaccount": None,
    "aws:vpceorgid": None,
    "aws:vpceorgpaths": None,
    "aws:vpcsourceip": None,
    "kms:encryptioncontextkeys": ("dept", "stage"),
    "kms:requestalias": None,
    "kms:viaservice": None,
}
"""What is known of a direct Decrypt by a role with an encryption context; parameters of others apart."""

BY_SERVICE = {
    "aws:principalservicename": None,
    "aws:principalservicenameslist": None,
    "aws:userid": "AROAEXAMPLE:session",
    "aws:username": None,
    "aws:viaawsservice": "true",
    "kms:encryptioncontextkeys": None,
    "kms:requestalias": None,
    "kms:viaservice": f"s3.{REGION}.amazonaws.com",
}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param(record(context={"stage": "x", "dept": "y"}), DIRECT, id="direct"),
        pytest.param(record(service="s3.amazonaws.com"), BY_SERVICE, id="through-a-service"),
        pytest.param(
            record(caller=None, service="logs.amazonaws.com"),
            {"kms:encryptioncontextkeys": None, "kms:requestalias": None},
            id="by-a-service",
        ),
    ],
)
def test_what_is_known_of_a_call_and_nothing_else(
    told: dict[str, object], expected: dict[str, object]
) -> None:
    (call,) = one_by_one([told])
    found = facts_of(call, EVERY)
    known = {name: value for name, value in found.items() if not is_unknown(value) and name not in PARAMETERS}

    assert known == expected


def test_parameters_of_other_actions_are_absent() -> None:
    (call,) = one_by_one([record("ListGrants")])
    found = facts_of(call, PARAMETERS)

    assert set(found.values()) == {None}


@pytest.mark.parametrize("key", PARAMETERS)
def test_a_parameter_is_that_of_actions_that_there_are(key: str) -> None:
    assert key in EVERY
    assert [action for action in PARAMETERS[key] if action not in ACTIONS] == []


@pytest.mark.parametrize(
    ("name", "request_", "key", "value"),
    [
        (
            "PutKeyPolicy",
            {"bypassPolicyLockoutSafetyCheck": True},
            "kms:bypasspolicylockoutsafetycheck",
            "true",
        ),
        ("PutKeyPolicy", {}, "kms:bypasspolicylockoutsafetycheck", "false"),
        (
            "ScheduleKeyDeletion",
            {"pendingWindowInDays": 7},
            "kms:schedulekeydeletionpendingwindowindays",
            "7",
        ),
        ("ScheduleKeyDeletion", {}, "kms:schedulekeydeletionpendingwindowindays", "30"),
        ("ReplicateKey", {"replicaRegion": "us-east-1"}, "kms:replicaregion", "us-east-1"),
        (
            "CreateGrant",
            {"constraints": {"encryptionContextSubset": {"a": "b"}}},
            "kms:grantconstrainttype",
            "EncryptionContextSubset",
        ),
        ("CreateGrant", {}, "kms:grantconstrainttype", None),
        (
            "CreateGrant",
            {"operations": ["Decrypt", "Encrypt"]},
            "kms:grantoperations",
            ("Decrypt", "Encrypt"),
        ),
    ],
)
def test_a_parameter_is_read(name: str, request_: dict[str, object], key: str, value: object) -> None:
    (call,) = one_by_one([record(name, request={"keyId": ORDERS, **request_})])

    assert facts_of(call, [key]) == {key: value}
