"""A request that a grant lets through."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.analysis.grantees import grantee_witness
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.analysis.witness import Witness
from kms_constructs.model.estate import Estate, Grant, Organization
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.unknown import Unknown
from tests.strategies import HOME, OTHER, key_of

APP, PARTNER = f"arn:aws:iam::{HOME}:role/App", f"arn:aws:iam::{OTHER}:role/App"
WHY = Unknown("a test says so")
DEPT = "kms:encryptioncontext:dept"


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": list(actions), "Resource": "*", **more}


CASES: dict[str, tuple[Grant, list[dict[str, Any]], Witness | None]] = {
    "a role": (Grant(APP, ("Decrypt",)), [], Witness(APP, "Decrypt")),
    "a role of another account": (Grant(PARTNER, ("Encrypt",)), [], Witness(PARTNER, "Encrypt")),
    "a context that must be in it": (
        Grant(APP, ("Decrypt",), constraints={"EncryptionContextSubset": {"dept": "x"}}),
        [deny("kms:Decrypt", Condition={"StringNotEquals": {"kms:EncryptionContext:dept": "x"}})],
        Witness(APP, "Decrypt", {DEPT: "x"}),
    ),
    "a context that must be it": (
        Grant(APP, ("Decrypt",), constraints={"EncryptionContextEquals": {"dept": "x"}}),
        [],
        Witness(APP, "Decrypt"),
    ),
    "a context that is denied": (
        Grant(APP, ("Decrypt",), constraints={"EncryptionContextSubset": {"dept": "x"}}),
        [deny("kms:Decrypt", Condition={"StringEquals": {"kms:EncryptionContext:dept": "x"}})],
        None,
    ),
    "one of its operations is denied": (
        Grant(APP, ("Decrypt", "Encrypt")),
        [deny("kms:Decrypt")],
        Witness(APP, "Encrypt"),
    ),
    "all are denied": (Grant(APP, ("Decrypt", "Encrypt")), [deny("kms:*")], None),
    "operations that are not known": (Grant(APP, WHY), [], None),
}


@pytest.mark.parametrize(("grant", "statements", "expected"), CASES.values(), ids=CASES)
def test_what_a_grant_lets_through(
    grant: Grant, statements: list[dict[str, Any]], expected: Witness | None
) -> None:
    key = key_of({"Statement": statements}, grants=(grant,))
    found = grantee_witness(grant, key, EstateAccess(Estate(keys=(key,))), Organization())
    assert found == expected


def test_a_service_control_policy_binds_the_roles_of_the_account() -> None:
    organization = Organization(
        scps=(parse_policy({"Statement": {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}}),)
    )
    for grantee, expected in ((APP, None), (PARTNER, Witness(PARTNER, "Decrypt"))):
        grant = Grant(grantee, ("Decrypt",))
        key = key_of({"Statement": []}, grants=(grant,))
        access = EstateAccess(Estate(keys=(key,), organization=organization))
        assert grantee_witness(grant, key, access, organization) == expected
