from __future__ import annotations

import pytest

from kms_constructs.model.estate import IdentityPolicy, Key
from kms_constructs.model.unknown import Unknown
from tests.guardrails.factories import (
    ACCOUNT,
    ROOT,
    C,
    Said,
    U,
    V,
    a_key,
    a_policy,
    allow,
    an_iam_policy,
    deny,
    iam_allow,
    judge,
    role,
    said,
)

FIRST, SECOND, THIRD = (f"Properties/KeyPolicy/Statement/{index}" for index in range(3))
WHY = Unknown("parameter Who has no default")
GOOD = Said(C, "", "", "No principal both manages the key and uses it.")
ADMIN_ACTIONS = ("kms:EnableKey", "kms:TagResource")
GRANT_DENY = deny("*", "kms:CreateGrant", Condition={"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}})
KEY_ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/Key"


def both(
    who: str, manages: str, uses: str, why: str = "", *, detail: str = "key-policy", path: str = SECOND
) -> Said:
    return Said(V, detail, path, f"{who} can both manage the key ({manages}) and use it ({uses}).{why}")


GRANTS = " CreateGrant lets it give itself Decrypt."
GOOD_CASES = {
    "apart": a_key(allow(role("Admin"), *ADMIN_ACTIONS), allow(role("App"), "kms:Decrypt")),
    "grants for services only": a_key(
        allow(
            role("Admin"),
            "kms:CreateGrant",
            "kms:EnableKey",
            Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ),
    "grants denied": a_key(allow(role("Admin"), "kms:Create*", "kms:Enable*"), GRANT_DENY),
    "reading is neither": a_key(allow(role("App"), "kms:Decrypt", "kms:DescribeKey", "kms:ListGrants")),
    "use that the key has not": a_key(
        allow(role("App"), "kms:Sign", "kms:EnableKey"), key_usage="ENCRYPT_DECRYPT"
    ),
    "the root user alone": a_key(
        policy=a_policy(allow(ROOT, "kms:*", Condition={"ArnEquals": {"aws:PrincipalArn": ROOT}}))
    ),
    "denied to the manager": a_key(
        allow(role("Admin"), *ADMIN_ACTIONS),
        allow("*", "kms:Decrypt", Condition={"ArnLike": {"aws:PrincipalArn": role("*")}}),
        deny("*", "kms:Decrypt", Condition={"ArnEquals": {"aws:PrincipalArn": role("Admin")}}),
    ),
}


@pytest.mark.parametrize("key", GOOD_CASES.values(), ids=GOOD_CASES)
def test_separate(key: Key) -> None:
    assert said(judge("IAM-KMS-8", key)) == [GOOD]


CASES = {
    "one statement": (
        a_key(allow(role("Ops"), "kms:Decrypt", "kms:EnableKey")),
        [both(role("Ops"), "EnableKey", "Decrypt")],
    ),
    "two statements": (
        a_key(allow(role("Ops"), "kms:EnableKey"), allow(role("Ops"), "kms:Decrypt")),
        [both(role("Ops"), "EnableKey", "Decrypt", path=THIRD)],
    ),
    "the console's administrators: a wildcard that holds CreateGrant": (
        a_key(allow([role("A"), role("B")], "kms:Create*")),
        [both(f"{role('A')}, {role('B')}", "CreateAlias", "CreateGrant", GRANTS, detail="CreateGrant")],
    ),
    "CreateGrant beside other use": (
        a_key(allow(role("Ops"), "kms:Decrypt", "kms:CreateGrant", "kms:EnableKey")),
        [
            both(
                role("Ops"),
                "EnableKey",
                "CreateGrant, Decrypt",
                " CreateGrant, too, lets it give itself Decrypt.",
            )
        ],
    ),
    "a wildcard that meets": (
        a_key(
            allow(role("Admin"), *ADMIN_ACTIONS),
            allow("*", "kms:Decrypt", Condition={"ArnLike": {"aws:PrincipalArn": role("*")}}),
        ),
        [both(role("Admin"), "EnableKey, TagResource", "Decrypt", path=THIRD)],
    ),
    "signing": (
        a_key(allow(role("Ops"), "kms:Sign", "kms:EnableKey"), key_spec="RSA_2048", key_usage="SIGN_VERIFY"),
        [both(role("Ops"), "EnableKey", "Sign")],
    ),
    "who, is not known": (
        a_key(allow({"AWS": WHY}, "kms:Decrypt", "kms:EnableKey")),
        [
            Said(
                U,
                "unresolved",
                SECOND,
                "Any principal of any account, any AWS service can both manage the key (EnableKey) and use "
                "it (Decrypt), if parameter Who has no default turns out so.",
            )
        ],
    ),
}


@pytest.mark.parametrize(("key", "expected"), CASES.values(), ids=CASES)
def test_not_separate(key: Key, expected: list[Said]) -> None:
    assert said(judge("IAM-KMS-8", key)) == expected


def test_full_delegation_is_one_finding_that_names_the_account() -> None:
    key = a_key(policy=a_policy(allow(ROOT, "kms:*", sid="Root"), allow(role("Admin"), *ADMIN_ACTIONS)))
    (finding,) = judge("IAM-KMS-8", key)
    assert (finding.outcome, finding.detail, finding.path) == (V, "delegation", FIRST)
    assert finding.principals == (f"any principal of account {ACCOUNT}",)
    assert finding.message.endswith(
        "The key policy leaves use to the account's IAM policies, and any of them may hand it out."
    )
    assert finding.chain == (
        "statement 'Root' → manages",
        "statement 'Root' → delegates use to IAM policies",
    )


IAM_CASES: dict[str, tuple[IdentityPolicy, list[Said]]] = {
    "gives management to the user": (
        an_iam_policy(iam_allow("kms:PutKeyPolicy", KEY_ARN)),
        [
            both(
                role("App"),
                "PutKeyPolicy",
                "Decrypt",
                " An IAM policy of this app adds the managing side.",
                detail="iam-policy",
            )
        ],
    ),
    "on another key": (an_iam_policy(iam_allow("kms:PutKeyPolicy", KEY_ARN + "2")), [GOOD]),
    "to another role": (
        an_iam_policy(iam_allow("kms:PutKeyPolicy", KEY_ARN), attached_to=(role("Admin"),)),
        [GOOD],
    ),
}


@pytest.mark.parametrize(("policy", "expected"), IAM_CASES.values(), ids=IAM_CASES)
def test_iam_policies_where_management_is_delegated(policy: IdentityPolicy, expected: list[Said]) -> None:
    key = a_key(policy=a_policy(allow(ROOT, "kms:PutKeyPolicy"), allow(role("App"), "kms:Decrypt")))
    assert said(judge("IAM-KMS-8", key, policies=[policy])) == expected
