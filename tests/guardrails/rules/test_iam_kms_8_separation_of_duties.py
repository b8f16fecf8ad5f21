from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge as run
from kms_constructs.guardrails.finding import Outcome, Severity
from kms_constructs.model.estate import Estate, IdentityPolicy, Key
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from tests.guardrails.factories import (
    ACCOUNT,
    ROOT,
    TODAY,
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
OTHER_ROOT = "arn:aws:iam::444455556666:root"
SCALING = "autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
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
                "it (Decrypt), if what is not known turns out so: parameter Who has no default.",
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


def handed(
    who: str,
    uses: str,
    manages: str,
    why: str = "",
    *,
    detail: str = "delegated-management",
    path: str = SECOND,
) -> Said:
    return Said(
        V,
        detail,
        path,
        f"{who} can use the key ({uses}), and the key policy leaves it to the account's IAM policies who"
        f" manages it ({manages}): any of them may hand that to its users.{why}",
    )


POLICY = " Who may write the key policy can let itself do anything."
ACCOUNT_MANAGES = allow(ROOT, *ADMIN_ACTIONS)
ACCOUNT_WRITES = allow(ROOT, "kms:EnableKey", "kms:PutKeyPolicy")
DELEGATED: dict[str, tuple[Key, list[Said]]] = {
    "management": (
        a_key(policy=a_policy(ACCOUNT_MANAGES, allow(role("App"), "kms:Decrypt"))),
        [handed(role("App"), "Decrypt", "EnableKey, TagResource")],
    ),
    "the key policy": (
        a_key(policy=a_policy(ACCOUNT_WRITES, allow(role("App"), "kms:Decrypt"))),
        [handed(role("App"), "Decrypt", "EnableKey, PutKeyPolicy", POLICY, detail="delegated-policy")],
    ),
    "the key policy, denied to all but the root user: management is left": (
        a_key(
            policy=a_policy(
                ACCOUNT_WRITES,
                allow(role("App"), "kms:Decrypt"),
                deny("*", "kms:PutKeyPolicy", Condition={"ArnNotEquals": {"aws:PrincipalArn": ROOT}}),
            )
        ),
        [handed(role("App"), "Decrypt", "EnableKey")],
    ),
    "management, denied to the users": (
        a_key(
            policy=a_policy(
                ACCOUNT_MANAGES,
                allow(role("App"), "kms:Decrypt"),
                deny("*", *ADMIN_ACTIONS, Condition={"ArnEquals": {"aws:PrincipalArn": [role("App")]}}),
            )
        ),
        [GOOD],
    ),
    "use as well: that says it all": (
        a_key(
            policy=a_policy(allow(ROOT, "kms:EnableKey", "kms:Decrypt"), allow(role("App"), "kms:Decrypt"))
        ),
        [
            both(
                f"Any principal of account {ACCOUNT}",
                "EnableKey",
                "Decrypt",
                " The key policy leaves use to the account's IAM policies, and any of them may hand it out.",
                detail="delegation",
                path=FIRST,
            )
        ],
    ),
    "to a service-linked role, whose policies are AWS's": (
        a_key(policy=a_policy(ACCOUNT_MANAGES, allow(role(f"aws-service-role/{SCALING}"), "kms:Decrypt"))),
        [GOOD],
    ),
    "by another account, from which KMS takes no management": (
        a_key(
            policy=a_policy(
                allow(OTHER_ROOT, *ADMIN_ACTIONS),
                allow(OTHER_ROOT.replace("root", "role/App"), "kms:Decrypt"),
            )
        ),
        [GOOD],
    ),
    "what a user may do is not known": (
        a_key(policy=a_policy(ACCOUNT_MANAGES, {**allow(role("App"), "kms:Decrypt"), "Condition": WHY})),
        [
            Said(
                U,
                "delegated-management",
                SECOND,
                f"{handed(role('App'), 'Decrypt', 'EnableKey, TagResource').message[:-1]}, if what is not"
                " known turns out so: parameter Who has no default.",
            )
        ],
    ),
    "who uses is not known": (
        a_key(policy=a_policy(ACCOUNT_MANAGES, allow({"AWS": WHY}, "kms:Decrypt"))),
        [
            Said(
                U,
                "unresolved",
                SECOND,
                f"Any principal of account {ACCOUNT} can both manage the key (EnableKey, TagResource) and use"
                " it (Decrypt), if what is not known turns out so: parameter Who has no default.",
            )
        ],
    ),
}


@pytest.mark.parametrize(("key", "expected"), DELEGATED.values(), ids=DELEGATED)
def test_delegated_management(key: Key, expected: list[Said]) -> None:
    assert said(judge("IAM-KMS-8", key)) == expected


@pytest.mark.parametrize("outcome", [V, U])
def test_delegated_management_warns_unless_the_configuration_raises_it(outcome: Outcome) -> None:
    condition = {} if outcome is V else {"Condition": WHY}
    app = {**allow(role("App"), "kms:Decrypt"), **condition}
    key = a_key(policy=a_policy(ACCOUNT_MANAGES, app))
    raised = GuardrailConfig(severities={"IAM-KMS-8[delegated-management]": Severity.HIGH})
    for config, severity in ((GuardrailConfig(), Severity.WARNING), (raised, Severity.HIGH)):
        report = run(Estate(keys=(key,)), config, controls=("IAM-KMS-8",), today=TODAY)
        (finding,) = report.findings
        assert (finding.outcome, finding.severity, finding.fails) == (outcome, severity, severity.fails)
        assert finding.principals == (role("App"),)


TWO_PATTERNS = [
    allow(
        ROOT,
        "kms:EnableKey",
        "kms:Decrypt",
        Condition={"ArnLike": {"aws:PrincipalArn": role(pattern)}},
    )
    for pattern in ("*-ops", "prod-*")
]
FLAG_FALSE = deny("*", "kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": "false"}})
IN_ANY_ORDER: dict[str, tuple[list[dict[str, Any]], set[tuple[str, str]]]] = {
    "two patterns of which each holds the conjunction": (
        TWO_PATTERNS,
        {("delegation", role("*-ops")), ("delegation", role("prod-*"))},
    ),
    "an account and its role in one statement": (
        [
            allow(
                [ROOT, role("App")],
                "kms:EnableKey",
                Condition={"ArnEquals": {"aws:PrincipalArn": role("App")}},
            ),
            allow(role("App"), "kms:Decrypt"),
        ],
        {("key-policy", role("App"))},
    ),
    "a Deny that wants the flag to be false": (
        [allow(role("Admin"), "kms:EnableKey", "kms:CreateGrant"), FLAG_FALSE],
        {("CreateGrant", role("Admin"))},
    ),
}


@pytest.mark.parametrize(("statements", "expected"), IN_ANY_ORDER.values(), ids=IN_ANY_ORDER)
def test_the_order_does_not_matter(statements: list[dict[str, Any]], expected: set[tuple[str, str]]) -> None:
    for given in (statements, statements[::-1]):
        turned = [
            {**one, "Principal": {"AWS": who[::-1]}}
            if one["Principal"] != "*" and isinstance(who := one["Principal"]["AWS"], list)
            else one
            for one in given
        ]
        for order in (given, turned):
            found = judge("IAM-KMS-8", a_key(policy=a_policy(*order)))
            assert {(one.detail, *one.principals) for one in found} == expected


IAM_CASES: dict[str, tuple[IdentityPolicy, list[Said]]] = {
    "gives management to the user": (
        an_iam_policy(iam_allow("kms:TagResource", KEY_ARN)),
        [
            both(
                role("App"),
                "TagResource",
                "Decrypt",
                " An IAM policy of this app adds the managing side.",
                detail="iam-policy",
            )
        ],
    ),
    **{
        f"perhaps: {name}": (
            policy,
            [
                Said(
                    U,
                    "unresolved",
                    SECOND,
                    f"{role('App')} can both manage the key (TagResource) and use it (Decrypt), if what is "
                    f"not known turns out so: {why}.",
                )
            ],
        )
        for name, policy, why in (
            (
                "a policy that is in no template",
                an_iam_policy(policy=parse_policy(WHY)),
                "parameter Who has no default",
            ),
            (
                "an action that deployment decides",
                an_iam_policy(iam_allow(hole(HoleKind.UNRESOLVED, "What"), KEY_ARN)),
                "${What} is undecided",
            ),
            (
                "a condition that is not known",
                an_iam_policy(iam_allow("kms:TagResource", KEY_ARN, Condition=WHY)),
                "parameter Who has no default",
            ),
            (
                "an effect that is not known",
                an_iam_policy({**iam_allow("kms:TagResource", KEY_ARN), "Effect": WHY}),
                "parameter Who has no default",
            ),
            (
                "a statement that may not be there",
                an_iam_policy(policy=parse_policy({"Statement": [Maybe(iam_allow("kms:*", "*"), "x")]})),
                "whether the statement is there at all is decided at deployment",
            ),
        )
    },
    "on another key": (an_iam_policy(iam_allow("kms:TagResource", KEY_ARN + "2")), []),
    "to another role": (
        an_iam_policy(iam_allow("kms:TagResource", KEY_ARN), attached_to=(role("Admin"),)),
        [],
    ),
}


@pytest.mark.parametrize(("policy", "expected"), IAM_CASES.values(), ids=IAM_CASES)
def test_iam_policies_where_management_is_delegated(policy: IdentityPolicy, expected: list[Said]) -> None:
    key = a_key(policy=a_policy(allow(ROOT, "kms:TagResource"), allow(role("App"), "kms:Decrypt")))
    found = judge("IAM-KMS-8", key, policies=[policy])
    # What an IAM policy may give tomorrow is reported, too, whatever one gives today.
    might = [handed(role("App"), "Decrypt", "TagResource")]
    assert said(found) == [*might, *expected]
