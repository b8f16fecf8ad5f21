from __future__ import annotations

from dataclasses import replace

import pytest

from kms_constructs.guardrails.engine import judge as judge_estate
from kms_constructs.guardrails.finding import Severity
from kms_constructs.model.estate import Estate, IdentityPolicy, Key
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from tests.guardrails import factories
from tests.guardrails.factories import (
    ACCOUNT,
    DEPLOYS,
    OTHER,
    ROOT,
    ROOT_STATEMENT,
    TODAY,
    C,
    Said,
    U,
    V,
    a_policy,
    allow,
    an_iam_policy,
    deny,
    iam_allow,
    judge,
    role,
    said,
    service,
)

PATH = "Properties/KeyPolicy/Statement/1"
WHY = Unknown("parameter Who has no default")
GOOD = Said(C, "", "", "The key policy says what it means.")


def a_key(*statements: object, **changes: object) -> Key:
    """A key that can be deployed; the statements come between those of the root user and of the deployer."""
    if "policy" not in changes:
        changes["policy"] = a_policy(ROOT_STATEMENT, *statements, DEPLOYS)
    return factories.a_key(**changes)


def statement(**changes: object) -> Key:
    """A key with one sound statement, changed as given; None takes an element out."""
    sound = {
        "Sid": "Use",
        "Effect": "Allow",
        "Principal": {"AWS": role("App")},
        "Action": "kms:Decrypt",
        "Resource": "*",
    }
    return a_key({name: value for name, value in {**sound, **changes}.items() if value is not None})


def wrong(detail: str, text: str, element: str = "") -> Said:
    return Said(V, detail, f"{PATH}/{element}" if element else PATH, f"Statement 'Use'{text}.")


GOOD_CASES = {
    "sound": statement(),
    "wildcards": statement(Action=["kms:Describe*", "kms:*", "*", "kms:Get?eyPolicy"]),
    "another case": statement(Action="KMS:decrypt"),
    "a wildcard for the service": statement(Action="*:Decrypt"),
    "an action decided at deployment": statement(Action=f"kms:{hole(HoleKind.UNRESOLVED, 'Action')}"),
    "a principal decided at deployment": statement(
        Principal={"AWS": f"arn:aws:iam::{hole(HoleKind.ENVIRONMENT, 'A')}:role/x"}
    ),
    "account, user, session, federated user, service": statement(
        Principal={
            "AWS": [
                ACCOUNT,
                f"arn:aws:iam::{ACCOUNT}:user/path/u",
                f"arn:aws:sts::{ACCOUNT}:assumed-role/R/s",
                f"arn:aws:sts::{ACCOUNT}:federated-user/f",
            ],
            "Service": ["logs.eu-west-1.amazonaws.com", "logs.cn-north-1.amazonaws.com.cn"],
        }
    ),
    "everyone": statement(Principal="*"),
    "a Deny of direct grants": a_key(
        deny("*", "kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": "false"}})
    ),
    "a Deny whose condition holds without the key": a_key(
        deny(
            "*",
            "kms:DisableKey",
            "kms:CreateGrant",
            Condition={"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}},
        )
    ),
}


@pytest.mark.parametrize("key", GOOD_CASES.values(), ids=GOOD_CASES)
def test_sound(key: Key) -> None:
    assert said(judge("KMS:LINT", key)) == [GOOD]


CASES = {
    "MCAF: half a name": (
        statement(Action="kms:Describe"),
        [wrong("unknown-action", ": KMS has no action 'kms:Describe'", "Action")],
    ),
    "misspelt": (
        statement(Action=["kms:Decript", "kms:Encrypt"]),
        [wrong("unknown-action", ": KMS has no action 'kms:Decript'", "Action")],
    ),
    "a wildcard that matches nothing": (
        statement(Action="kms:Purge*"),
        [wrong("unknown-action", ": KMS has no action 'kms:Purge*'", "Action")],
    ),
    "no prefix": (
        statement(Action="Decrypt"),
        [wrong("unknown-action", ": 'Decrypt' has no service prefix", "Action")],
    ),
    "another service": (
        statement(Action="s3:GetObject"),
        [
            wrong(
                "foreign-action",
                ": 's3:GetObject' is no KMS action and means nothing in a key policy",
                "Action",
            )
        ],
    ),
    "in NotAction": (
        statement(Action=None, NotAction="kms:Decript"),
        [wrong("unknown-action", ": KMS has no action 'kms:Decript'", "NotAction")],
    ),
    "an action of the account": (
        statement(Action="kms:ListKeys"),
        [
            wrong(
                "account-action",
                ": kms:ListKeys is not an action on a key, so a key policy cannot allow it",
                "Action",
            )
        ],
    ),
    "a bucket": (
        statement(Resource="arn:aws:s3:::bucket"),
        [
            wrong(
                "resource",
                " is for arn:aws:s3:::bucket; in a key policy that has no effect on the key",
                "Resource",
            )
        ],
    ),
    "no Resource": (
        statement(Resource=None),
        [wrong("resource", " has no Resource; in a key policy that means nothing", "Resource")],
    ),
    "NotResource": (
        statement(Resource=None, NotResource="arn:aws:s3:::bucket"),
        [wrong("resource", " has NotResource; in a key policy that means nothing", "Resource")],
    ),
    "Allow NotPrincipal": (
        statement(Principal=None, NotPrincipal={"AWS": ROOT}),
        [
            wrong(
                "not-principal",
                " has NotPrincipal: it lets in everyone in the world but those it names",
                "NotPrincipal",
            )
        ],
    ),
    "Deny NotPrincipal": (
        statement(Effect="Deny", Principal=None, NotPrincipal={"AWS": ROOT}),
        [
            wrong(
                "not-principal",
                " has NotPrincipal: a Deny of that form also hits the sessions and the account of those it "
                "names",
                "NotPrincipal",
            )
        ],
    ),
    "no principal": (statement(Principal=None), [wrong("principal", " has no Principal")]),
    "Gruntwork: a ten-digit account": (
        statement(Principal={"AWS": "arn:aws:iam::1111111111:user/root"}),
        [
            wrong(
                "principal",
                ": arn:aws:iam::1111111111:user/root: '1111111111' is no account id",
                "Principal",
            )
        ],
    ),
    "a short account id": (
        statement(Principal={"AWS": "11112222333"}),
        [wrong("principal", ": 11112222333 is no account id: it has 11 digits", "Principal")],
    ),
    "a role with a wildcard": (
        statement(Principal={"AWS": role("App*")}),
        [wrong("principal", f": {role('App*')}: a principal has no wildcards", "Principal")],
    ),
    "a group": (
        statement(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:group/g"}),
        [
            wrong(
                "principal",
                f": arn:aws:iam::{ACCOUNT}:group/g: a group cannot be a principal of a key policy",
                "Principal",
            )
        ],
    ),
    "no ARN": (
        statement(Principal={"AWS": "App"}),
        [wrong("principal", ": 'App' is no ARN of a principal", "Principal")],
    ),
    "a deleted role": (
        statement(Principal={"AWS": "AROAEXAMPLEID1234567"}),
        [
            wrong(
                "principal",
                ": AROAEXAMPLEID1234567 is the unique id of a principal that has been deleted",
                "Principal",
            )
        ],
    ),
    "any service": (
        statement(Principal={"Service": "*.amazonaws.com"}),
        [wrong("principal", ": '*.amazonaws.com' is no service principal", "Principal")],
    ),
    "a canonical user": (
        statement(Principal={"CanonicalUser": "79a5"}),
        [wrong("principal", ": a canonical user (79a5) is no principal of KMS", "Principal")],
    ),
    "a Deny that does nothing": (
        a_key(
            deny(
                "*",
                "kms:CreateGrant",
                "kms:Decrypt",
                sid="Use",
                Condition={"Bool": {"kms:GrantIsForAWSResource": "false"}},
            )
        ),
        [
            wrong(
                "inert-deny",
                " denies kms:Decrypt on a condition on kms:GrantIsForAWSResource, which only requests on "
                "grants carry: it denies nothing",
                "Condition",
            )
        ],
    ),
    "malformed": (
        statement(Effect="allow"),
        [
            Said(
                V,
                "grammar",
                f"{PATH}/Effect",
                "The key policy is malformed: Effect must be Allow or Deny.",
            ),
            Said(
                U,
                "unresolved",
                f"{PATH}/Effect",
                "Effect of statement 'Use' is not known: Effect is neither Allow nor Deny.",
            ),
        ],
    ),
    "an element that is not known": (
        statement(Principal={"AWS": WHY}),
        [
            Said(
                U,
                "unresolved",
                f"{PATH}/Principal",
                "Principal of statement 'Use' is not known: parameter Who has no default.",
            )
        ],
    ),
    "the policy is not known": (
        a_key(policy=parse_policy(WHY, path="Properties/KeyPolicy")),
        [
            Said(
                U,
                "unresolved",
                "Properties/KeyPolicy",
                "The key policy is not known: parameter Who has no default.",
            )
        ],
    ),
    "not JSON": (
        a_key(policy=parse_policy("{", path="Properties/KeyPolicy")),
        [
            Said(
                V,
                "grammar",
                "Properties/KeyPolicy",
                "The key policy is malformed: the policy is text that is not JSON.",
            )
        ],
    ),
    "the lockout check is bypassed": (
        a_key(bypass_lockout_check=True),
        [
            Said(
                V,
                "lockout-bypass",
                "Properties/BypassPolicyLockoutSafetyCheck",
                "BypassPolicyLockoutSafetyCheck switches off KMS's check that somebody can still change the "
                "policy.",
            )
        ],
    ),
    "whether it is bypassed is not known": (
        a_key(bypass_lockout_check=WHY),
        [
            Said(
                U,
                "unresolved",
                "Properties/BypassPolicyLockoutSafetyCheck",
                "BypassPolicyLockoutSafetyCheck is not known: parameter Who has no default.",
            )
        ],
    ),
}


@pytest.mark.parametrize(("key", "expected"), CASES.values(), ids=CASES)
def test_lint(key: Key, expected: list[Said]) -> None:
    assert said(judge("KMS:LINT", key)) == expected


@pytest.mark.parametrize(
    ("action", "fix"),
    [
        ("kms:Decript", "Did you mean kms:Decrypt?"),
        ("kms:Describe", "Did you mean kms:DescribeKey?"),
        ("kms:Purge*", "Write an action that KMS has."),
        ("Decrypt", "Write kms:Decrypt."),
        ("Decript", "Did you mean kms:Decrypt?"),
    ],
)
def test_a_misspelt_action_comes_with_a_suggestion(action: str, fix: str) -> None:
    (finding,) = judge("KMS:LINT", statement(Action=action))
    assert finding.fix == fix


def test_what_does_no_harm_is_a_warning() -> None:
    (finding,) = judge("KMS:LINT", statement(Action="kms:ListKeys"))
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(("users", "expected"), [(700, C), (800, V)])
def test_the_size_that_kms_takes(users: int, expected: object) -> None:
    key = a_key(allow([role(f"App{index:04}") for index in range(users)], "kms:Decrypt"))
    (finding,) = judge("KMS:LINT", key)
    assert finding.outcome is expected
    assert (finding.detail == "size") is (expected is V)


ONE, TWO = allow(role("App"), "kms:Decrypt", sid="Use"), allow(role("App"), "kms:Encrypt", sid="Use")


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (
            [ONE, TWO],
            [
                Said(
                    V,
                    "duplicate-sid",
                    "Properties/KeyPolicy/Statement/2/Sid",
                    "Two statements have the Sid 'Use'.",
                )
            ],
        ),
        ([ONE, {**TWO, "Sid": "use"}], [GOOD]),
        ([ONE, Maybe(TWO, "a condition decides")], [GOOD]),
        ([{**ONE, "Sid": ""}, {**TWO, "Sid": ""}], [GOOD]),
    ],
    ids=["twice", "in another case", "of which one may not exist", "empty"],
)
def test_a_sid_names_one_statement(statements: list[object], expected: list[Said]) -> None:
    assert said(judge("KMS:LINT", a_key(*statements))) == expected


def test_a_statement_that_may_not_exist_is_read_all_the_same() -> None:
    key = a_key(Maybe(allow(service("logs"), "kms:Decrypt", sid="Use"), "a condition decides"))
    assert said(judge("KMS:LINT", key)) == [
        wrong("principal", ": 'logs' is no service principal", "Principal")
    ]


def test_iam_policies_are_read_for_actions_that_kms_has_not() -> None:
    policy = an_iam_policy(iam_allow(["kms:Decript", "s3:GetObjekt", "kms:Decrypt"], "*"))
    (finding,) = judge("KMS:LINT", None, policies=[policy])
    assert said([finding]) == [
        Said(
            V,
            "unknown-action",
            "Properties/PolicyDocument/Statement/0/Action",
            "Inline policy 'AppPolicy', statement 0: KMS has no action 'kms:Decript'.",
        )
    ]
    assert finding.fix == "Did you mean kms:Decrypt?"


KEY_BY_ID = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MADE, OTHER_KEY = (hole(HoleKind.GENERATED, f"App.{name}.Id") for name in ("Key", "Other"))


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        pytest.param(
            KEY_BY_ID,
            Said(
                U,
                "resource",
                f"{PATH}/Resource",
                f"Whether statement 'Use' has an effect is not known: whether {KEY_BY_ID} is this key is "
                "decided at deployment.",
            ),
            id="a key by its id",
        ),
        pytest.param(
            f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{OTHER_KEY}",
            wrong(
                "resource",
                f" is for arn:aws:kms:eu-west-1:{ACCOUNT}:key/${{App.Other.Id}}; in a key policy that has no "
                "effect on the key",
                "Resource",
            ),
            id="another key of the app",
        ),
        pytest.param(f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{MADE}", GOOD, id="itself"),
        pytest.param(f"arn:aws:kms:*:{ACCOUNT}:key/*", GOOD, id="every key of the account"),
    ],
)
def test_a_resource_that_may_be_the_key(resource: str, expected: Said) -> None:
    assert said(judge("KMS:LINT", replace(statement(Resource=resource), key_id=MADE))) == [expected]


ABROAD = f"arn:aws:iam::{OTHER}:role/Ops"


@pytest.mark.parametrize(
    ("statement", "actions"),
    [
        (allow(ABROAD, "kms:ScheduleKeyDeletion", "kms:Decrypt"), ["kms:ScheduleKeyDeletion"]),
        (
            allow([OTHER, role("A")], "kms:PutKeyPolicy", "kms:disablekey"),
            ["kms:PutKeyPolicy", "kms:DisableKey"],
        ),
        (allow(ABROAD, "kms:Decrypt", "kms:CreateGrant", "kms:DescribeKey"), []),
        (allow(ABROAD, "kms:*"), []),
        (allow(role("A"), "kms:ScheduleKeyDeletion"), []),
        (allow("*", "kms:ScheduleKeyDeletion"), []),
        (deny(ABROAD, "kms:ScheduleKeyDeletion"), []),
    ],
)
def test_what_kms_takes_from_no_other_account_has_no_effect(
    statement: dict[str, object], actions: list[str]
) -> None:
    found = [one for one in judge("KMS:LINT", a_key(statement)) if one.detail == "across-accounts"]
    assert [one.severity for one in found] == ([Severity.WARNING] if actions else [])
    for one in found:
        assert f" call {', '.join(actions)}; KMS takes that from" in one.message
        assert one.message.endswith("only, so it has no effect.")
    # In which account the key lies has to be known.
    unknown = judge("KMS:LINT", a_key(statement, account=hole(HoleKind.ENVIRONMENT, "AWS::AccountId")))
    assert not [one for one in unknown if one.detail == "across-accounts"]


ALIAS = f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/a"


def limited(operator: str, key: str, value: str, *actions: str) -> dict[str, object]:
    return iam_allow(list(actions or ("kms:Decrypt",)), "*", Condition={operator: {key: value}})


@pytest.mark.parametrize(
    ("statement_", "detail"),
    [
        (limited("StringEquals", "kms:ResourceAlias", "alias/a"), "unknown-condition-key"),
        (limited("StringEquals", "aws:SourceAcount", ACCOUNT), "unknown-condition-key"),
        (limited("StringEqual", "aws:SourceAccount", ACCOUNT), "unknown-operator"),
        (limited("StringEquals", "kms:ViaService", "s3.*"), "literal-wildcard"),
        (limited("StringEquals", "aws:SourceAcount", ACCOUNT, "kms:Decrypt", "s3:GetObject"), ""),
        (limited("StringLike", "kms:ResourceAliases", "alias/a*"), ""),
        (iam_allow("kms:Decrypt", ALIAS), "alias-resource"),
        (iam_allow("kms:Decrypt", "alias/a"), "alias-resource"),
        ({**iam_allow("kms:DisableKey", ALIAS), "Effect": "Deny"}, "alias-resource"),
        (iam_allow("kms:CreateAlias", ALIAS), ""),
    ],
)
def test_statements_of_iam_policies_for_keys(statement_: dict[str, object], detail: str) -> None:
    found = judge_estate_of(an_iam_policy(statement_))
    assert found == ([detail] if detail else [])


def judge_estate_of(policy: IdentityPolicy) -> list[str]:
    estate = Estate(keys=(a_key(),), identity_policies=(policy,))
    report = judge_estate(estate, controls=["KMS:LINT"], today=TODAY)
    return [one.detail for one in report.findings if one.outcome is V and one.location == policy.location]
