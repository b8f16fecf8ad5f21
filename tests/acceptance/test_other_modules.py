"""Mistakes in what users of other modules write, and what is said of them here."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs import ArgumentError, ExternalAccess, ServiceAccess
from tests.acceptance.support import (
    ACCOUNT,
    OTHER,
    REGION,
    allowed,
    assert_nothing_open,
    encrypting,
    flagged,
    judged,
    new_key,
    new_stack,
    open_findings,
    role,
    template,
)

ADMIN = role("KeyAdmin")
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
TEN_DIGITS = "arn:aws:iam::1111111111:user/root"


def test_case_11_an_action_that_kms_does_not_have() -> None:
    """``kms:Describe`` allows nothing; most checkers do not look."""
    given = template(allowed("Read", role("App"), ["kms:Decrypt", "kms:Describe"]))

    (found,) = open_findings(judged(given))

    assert (found.id, found.outcome.value, found.path, found.message, found.fix) == (
        "KMS:LINT[unknown-action]",
        "violation",
        "Properties/KeyPolicy/Statement/1/Action",
        "Statement 'Read': KMS has no action 'kms:Describe'.",
        "Did you mean kms:DescribeKey?",
    )


@pytest.mark.cdk
@pytest.mark.parametrize("side", ["key_users", "decrypt_only_users"])
def test_case_12_a_person_who_administers_and_reads(side: str) -> None:
    person = f"arn:aws:iam::{ACCOUNT}:user/person1"

    people: dict[str, Any] = {"key_administrators": [ADMIN, person], side: [person]}

    with pytest.raises(ArgumentError) as caught:
        new_key(new_stack(), **people)

    assert str(caught.value) == (
        f"Data/Key: {side}='{person}' is refused: the same principal stands in key_administrators, and "
        f"whoever manages a key may not use it. Fix: take it out of key_administrators or out of {side}"
    )


@pytest.mark.cdk
def test_case_13_an_external_user_of_a_ten_digit_account() -> None:
    with pytest.raises(ArgumentError) as caught:
        new_key(
            new_stack(),
            key_administrators=[ADMIN],
            external_access=[
                ExternalAccess(
                    principals=[TEN_DIGITS], permissions=["decrypt"], organization_id="o-abcdefghij"
                )
            ],
        )

    assert (caught.value.argument, caught.value.value) == ("principals", TEN_DIGITS)
    assert "an account id is twelve digits" in str(caught.value)


@pytest.mark.cdk
def test_case_13_the_same_access_for_an_account_that_exists() -> None:
    stack = new_stack()
    key = new_key(
        stack,
        key_administrators=[ADMIN],
        external_access=[
            ExternalAccess(
                principals=[role("Reader", OTHER)],
                permissions=["decrypt"],
                organization_id="o-abcdefghij",
            )
        ],
    )
    encrypting(stack, key)

    assert_nothing_open(stack)


def test_case_16_a_trail_without_its_arn() -> None:
    """The encryption context names the trail, and AWS still documents aws:SourceArn for CloudTrail."""
    service = {"Service": "cloudtrail.amazonaws.com"}
    context = {
        "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"}
    }
    given = template(
        allowed("TrailEncrypts", service, "kms:GenerateDataKey*", Condition=context),
        allowed("TrailDescribes", service, "kms:DescribeKey"),
    )

    (found,) = open_findings(judged(given))

    assert (found.id, found.outcome.value, found.path, found.message, found.fix) == (
        "IAM-KMS-6[source]",
        "violation",
        "Properties/KeyPolicy/Statement/1",
        "Statement 'TrailEncrypts' lets cloudtrail.amazonaws.com use the key; no condition says for whose "
        "resources.",
        "CloudTrail Lake event data store: it sends neither aws:SourceArn nor aws:SourceAccount, and a "
        "statement that asks for one allows nothing. AWS documents nothing else that limits it, so accept it "
        "by acknowledging IAM-KMS-6[source:*] with the reason, and give the key to nothing else. CloudTrail "
        "trail: add aws:SourceArn (ArnLike) and kms:EncryptionContext:aws:cloudtrail:arn (StringLike).",
    )
    mended = allowed(
        "TrailEncrypts",
        service,
        "kms:GenerateDataKey*",
        Condition={**context, "ArnLike": {"aws:SourceArn": TRAIL}},
    )
    assert flagged(template(mended)) == []


@pytest.mark.cdk
def test_case_16_the_preset_has_the_condition() -> None:
    stack = new_stack()
    key = new_key(stack, key_administrators=[ADMIN], services=[ServiceAccess.cloudtrail(trail_arns=[TRAIL])])
    encrypting(stack, key)

    assert_nothing_open(stack)


def test_case_17_the_root_of_a_second_account_with_grants() -> None:
    """Any IAM policy there may use the key, and hand it out to whomever it likes."""
    second = allowed(
        "SecondAccount", f"arn:aws:iam::{OTHER}:root", ["kms:CreateGrant", "kms:Decrypt", "kms:Encrypt"]
    )

    found = open_findings(judged(template(second)))

    assert [(one.id, one.outcome.value, one.path, one.message) for one in found] == [
        (
            "IAM-KMS-6[CreateGrant]",
            "violation",
            "Properties/KeyPolicy/Statement/1",
            "Statement 'SecondAccount' allows kms:CreateGrant for other purposes than AWS services' own (by "
            f"the IAM policies of any principal of account {OTHER}): its holder can give whomever it likes "
            "the use of the key.",
        ),
        (
            "KMS:004[cross-account]",
            "violation",
            "Properties/KeyPolicy/Statement/1",
            f"Statement 'SecondAccount' lets in any principal of account {OTHER} of another account; no "
            "condition limits what for.",
        ),
    ]
