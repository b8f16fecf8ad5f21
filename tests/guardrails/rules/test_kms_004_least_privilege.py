from __future__ import annotations

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.model.estate import Grant, IdentityPolicy, IdentityPolicyKind, Key
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown
from tests.guardrails.factories import (
    ACCOUNT,
    OTHER,
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
    service,
)

PATH = "Properties/KeyPolicy/Statement/1"
WHY = Unknown("parameter Who has no default")
HOME = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
GOOD = Said(C, "", "", "Every Allow names who it is for, and is limited where it leaves the account.")
ANYONE = "any principal of any account"
ABROAD = f"arn:aws:iam::{OTHER}:root"
READER = role("Reader", OTHER)
S3 = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}}


def used_by(principal: object, *actions: str, condition: object = None, **changes: object) -> Key:
    elements = {} if condition is None else {"Condition": condition}
    statement = allow(principal, *(actions or ("kms:Decrypt",)), sid="Use", **elements)
    return a_key(statement, **changes)


GOOD_CASES = {
    "own principals": used_by([role("App"), f"arn:aws:iam::{ACCOUNT}:user/u"]),
    "own account": used_by(ACCOUNT, "kms:*"),
    "everything for the root": a_key(policy=a_policy(allow(ROOT, "kms:*"))),
    "everyone, by ARN": used_by("*", condition={"ArnLike": {"aws:PrincipalArn": role("App*")}}),
    "everyone of the account": used_by("*", condition={"StringEquals": {"kms:CallerAccount": ACCOUNT}}),
    "everyone of an organization": used_by("*", condition=ORGANIZATION),
    "everyone of an organization, whichever a parameter names": used_by(
        "*", condition={"StringEquals": {"aws:PrincipalOrgID": hole(HoleKind.UNRESOLVED, "Org")}}
    ),
    "everyone, by an ARN whose name is a parameter": used_by(
        "*", condition={"ArnLike": {"aws:PrincipalArn": role(hole(HoleKind.UNRESOLVED, "Name"))}}
    ),
    "everyone behind an endpoint": used_by("*", condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}),
    "everyone from an address": used_by("*", condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
    "everyone, and a Deny of all but the account's": a_key(
        allow("*", "kms:Decrypt"),
        deny("*", "kms:*", Condition={"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}),
    ),
    "a Deny of everyone": a_key(deny("*", "kms:*")),
    "a service": used_by(service("logs.amazonaws.com")),
    "another account through a service": used_by(ABROAD, condition=S3),
    "another account with a context": used_by(
        READER, condition={"StringEquals": {"kms:EncryptionContext:stage": "staging"}}
    ),
    "another account of an organization": used_by(ABROAD, condition=ORGANIZATION),
    "another account reads metadata": used_by(ABROAD, "kms:DescribeKey"),
    "a statement that means nothing": a_key(allow(ABROAD, "kms:Decrypt", Resource="arn:aws:s3:::b")),
    "the key's own account, decided at deployment": a_key(
        policy=a_policy(allow(f"arn:aws:iam::{HOME}:root", "kms:*")), account=HOME
    ),
    "an account that the key authorises to administer it": a_key(
        policy=a_policy(allow(f"arn:aws:iam::{HOME}:root", "kms:*"), allow(role("App"), "kms:Decrypt")),
        account=HOME,
        authorised={"IAM-KMS-3": (role("Admin"),)},
    ),
    "a grant to an own role": a_key(grants=(Grant(role("App"), ("Decrypt",)),)),
    "a grant that a service made": a_key(grants=(Grant(READER, ("Decrypt",), for_aws_service=True),)),
    "a constrained grant": a_key(
        grants=(Grant(READER, ("Decrypt",), constraints={"EncryptionContextSubset": {"a": "b"}}),)
    ),
}


@pytest.mark.parametrize("key", GOOD_CASES.values(), ids=GOOD_CASES)
def test_least_privilege(key: Key) -> None:
    assert said(judge("KMS:004", key)) == [GOOD]


def found(outcome: object, detail: str, text: str, path: str = PATH) -> Said:
    return Said(outcome, detail, path, f"Statement 'Use' {text}.")  # type: ignore[arg-type]


def public(who: str = ANYONE) -> Said:
    return found(V, "public", f"lets in {who}; no condition says who may call")


def unlimited(who: str) -> Said:
    return found(V, "cross-account", f"lets in {who} of another account; no condition limits what for")


def everything(who: str) -> Said:
    return found(V, "all-actions", f"gives kms:* to {who}", f"{PATH}/Action")


def no_idea(reason: str = "parameter Who has no default") -> Said:
    return Said(U, "unresolved", f"{PATH}/Principal", f"Whom statement 'Use' lets in is not known: {reason}.")


READ, READ_SHOWN = hole(HoleKind.UNRESOLVED, "resolve:ssm:/a@x"), "${resolve:ssm:/a@x}"
PARTNER = f"any principal of account {OTHER}"
EVERYONE_THERE = (
    role("*", OTHER),
    ABROAD,
    f"arn:aws:iam::{OTHER}:user/*",
    f"arn:aws:sts::{OTHER}:federated-user/*",
)
CASES = {
    "everyone": (used_by("*"), [public()]),
    "everyone, as an AWS principal": (used_by({"AWS": "*"}), [public()]),
    "everyone, in a list": (used_by({"AWS": [role("App"), "*"]}), [public()]),
    "everyone through a service": (used_by("*", condition=S3), [public()]),
    "everyone of any organization": (
        used_by("*", condition={"StringLike": {"aws:PrincipalOrgID": "*"}}),
        [public()],
    ),
    "everyone of an organization, if any": (
        used_by("*", condition={"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}}),
        [public()],
    ),
    "everyone of any organization, in a pattern": (
        used_by("*", condition={"StringLike": {"aws:PrincipalOrgID": "o-*"}}),
        [public()],
    ),
    "everyone of an organization that a pattern decides": (
        used_by("*", condition={"StringLike": {"aws:PrincipalOrgID": hole(HoleKind.UNRESOLVED, "Org")}}),
        [found(U, "public", f"lets in {ANYONE}, unless a value that is not known limits it")],
    ),
    "everyone, by an ARN whose account is a parameter": (
        used_by(
            "*",
            condition={"ArnLike": {"aws:PrincipalArn": role("App", hole(HoleKind.UNRESOLVED, "Account"))}},
        ),
        [found(U, "public", f"lets in {ANYONE}, unless a value that is not known limits it")],
    ),
    "everyone, by an ARN of another account whose name is a parameter": (
        used_by(
            "*",
            condition={"ArnLike": {"aws:PrincipalArn": role(hole(HoleKind.UNRESOLVED, "Name"), OTHER)}},
        ),
        [no_idea("a value of aws:PrincipalArn is decided at deployment")],
    ),
    "everyone of an account that is not known": (
        used_by("*", condition={"StringEquals": {"kms:CallerAccount": WHY}}),
        [found(U, "public", f"lets in {ANYONE}, unless a value that is not known limits it")],
    ),
    "everyone from two halves of the world": (
        used_by("*", condition={"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}),
        [public()],
    ),
    "everyone from anywhere": (
        used_by("*", condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
        [public()],
    ),
    "everyone but one account": (
        used_by("*", condition={"StringNotEquals": {"aws:PrincipalAccount": OTHER}}),
        [public(f"{ANYONE} except {', '.join(EVERYONE_THERE)}")],
    ),
    "everyone but those named": (
        a_key(
            {
                "Sid": "Use",
                "Effect": "Allow",
                "NotPrincipal": {"AWS": ROOT},
                "Action": "kms:Decrypt",
                "Resource": "*",
            }
        ),
        [public()],
    ),
    "everyone with everything": (used_by("*", "kms:*"), [everything(f"{ANYONE}, any AWS service"), public()]),
    "an organization that is not known": (
        used_by("*", condition={"StringEquals": {"aws:PrincipalOrgID": WHY}}),
        [found(U, "public", f"lets in {ANYONE}, unless a value that is not known limits it")],
    ),
    "another account": (used_by(ABROAD), [unlimited(PARTNER)]),
    "another account that is read at deployment": (
        used_by(f"arn:aws:iam::{READ}:root"),
        [
            found(
                V,
                "cross-account",
                "lets in any principal of account ${resolve:ssm:/a@x}, which is read at deployment and named "
                "as another than the key's; no condition limits what for",
            )
        ],
    ),
    "another account that is read at deployment, through a service": (
        used_by(f"arn:aws:iam::{READ}:root", condition=S3),
        [no_idea(f"arn:aws:iam::{READ_SHOWN}:root is undecided")],
    ),
    "a role of an account that is read at deployment": (
        used_by(f"arn:aws:iam::{READ}:role/App"),
        [no_idea(f"arn:aws:iam::{READ_SHOWN}:role/App is undecided")],
    ),
    "an account that a parameter decides": (
        used_by(f"arn:aws:iam::{hole(HoleKind.UNRESOLVED, 'App.Account')}:root"),
        [no_idea("arn:aws:iam::${App.Account}:root is undecided")],
    ),
    "another account by its id": (used_by(OTHER), [unlimited(PARTNER)]),
    "a role of another account": (used_by(READER), [unlimited(READER)]),
    "everyone of another account": (
        used_by("*", condition={"StringEquals": {"kms:CallerAccount": OTHER}}),
        [unlimited(f"{PARTNER}")],
    ),
    "another account through any service": (
        used_by(ABROAD, condition={"StringLike": {"kms:ViaService": "*"}}),
        [unlimited(PARTNER)],
    ),
    "another account through a service that is not known": (
        used_by(ABROAD, condition={"StringEquals": {"kms:ViaService": WHY}}),
        [
            found(
                U,
                "cross-account",
                f"lets in {PARTNER} of another account, unless a value decided at deployment limits it",
            )
        ],
    ),
    "everything for a role": (used_by(role("Admin"), "kms:*"), [everything(role("Admin"))]),
    "everything for a service": (
        used_by(service("logs.amazonaws.com"), "*"),
        [everything("service logs.amazonaws.com")],
    ),
    "all but": (
        a_key(
            {
                "Sid": "Use",
                "Effect": "Allow",
                "Principal": {"AWS": role("A")},
                "NotAction": "kms:Decrypt",
                "Resource": "*",
            }
        ),
        [
            found(
                V,
                "all-actions",
                f"gives all actions but a few (NotAction) to {role('A')}",
                f"{PATH}/NotAction",
            )
        ],
    ),
    "everything for another account": (
        used_by(ABROAD, "kms:*"),
        [everything(PARTNER), unlimited(PARTNER)],
    ),
    "who, is not known": (used_by({"AWS": WHY}), [no_idea()]),
    "actions that are not known": (
        a_key(allow(role("App"), "kms:*", sid="Use") | {"Action": WHY}),
        [no_idea()],
    ),
    "actions of which one is undecided": (
        used_by(role("App"), hole(HoleKind.UNRESOLVED, "Action")),
        [no_idea("${Action} is undecided")],
    ),
    "actions of which one is undecided, for the account itself": (
        used_by(ROOT, hole(HoleKind.UNRESOLVED, "Action")),
        [GOOD],
    ),
    "no principal at all": (
        used_by("arn:aws:s3:::b"),
        [no_idea("arn:aws:s3:::b has no account")],
    ),
    "the key's account is not known": (
        a_key(
            policy=a_policy(
                allow(f"arn:aws:iam::{HOME}:root", "kms:*"), allow(READER, "kms:Decrypt", sid="Use")
            ),
            account=HOME,
        ),
        [
            found(
                U,
                "cross-account",
                f"lets in {READER}; whether that is the account of the key is decided at deployment",
            )
        ],
    ),
    "a grant to another account": (
        a_key(grants=(Grant(READER, ("Decrypt",)),)),
        [
            Said(
                V,
                "cross-account",
                "",
                f"A grant lets {READER} of another account use the key; no constraint limits it, and the "
                "account is not trusted.",
            )
        ],
    ),
}


@pytest.mark.parametrize(("key", "expected"), CASES.values(), ids=CASES)
def test_too_much(key: Key, expected: list[Said]) -> None:
    assert said(judge("KMS:004", key)) == expected


TRUSTING = GuardrailConfig(trusted_accounts=(OTHER,), organization_id="o-aaaaaaaaaa")
STRANGER = "123456789012"
TRUST_CASES = {
    "a role of a trusted account": (used_by(READER), [GOOD]),
    "a whole trusted account": (used_by(ABROAD), [unlimited(PARTNER)]),
    "a whole trusted account through a service": (used_by(ABROAD, condition=S3), [GOOD]),
    "another than the trusted, though limited": (
        used_by(role("R", STRANGER), condition=S3),
        [
            found(
                V,
                "untrusted-account",
                f"lets in {role('R', STRANGER)}; account {STRANGER} is not trusted",
            )
        ],
    ),
    "another account of the own organization": (
        used_by(role("R", STRANGER), condition=ORGANIZATION),
        [GOOD],
    ),
    "everyone of the own organization": (used_by("*", condition=ORGANIZATION), [GOOD]),
    "everyone of another organization": (
        used_by("*", condition={"StringEquals": {"aws:PrincipalOrgID": "o-bbbbbbbbbb"}}),
        [public()],
    ),
    "everyone of a part of the own organization": (
        used_by(
            "*", condition={"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-aaaaaaaaaa/r-1/ou-1/*"}}
        ),
        [GOOD],
    ),
    "the key's account is not known": (
        a_key(policy=a_policy(allow(READER, "kms:Decrypt")), account=HOME),
        [GOOD],
    ),
    "a grant": (a_key(grants=(Grant(READER, ("Decrypt",)),)), [GOOD]),
}


@pytest.mark.parametrize(("key", "expected"), TRUST_CASES.values(), ids=TRUST_CASES)
def test_trusted_accounts_and_the_organization(key: Key, expected: list[Said]) -> None:
    assert said(judge("KMS:004", key, TRUSTING)) == expected


IAM_PATH = "Properties/PolicyDocument/Statement/0"
NAMED = Said(C, "", "", "The policy names the keys that it decrypts with.")


def decrypts(what: str, keys: str = "all keys", who: str = role("App")) -> Said:
    return Said(
        V,
        "decrypt-on-all-keys",
        IAM_PATH,
        f"Inline policy 'AppPolicy', statement 0 gives {who} {what} on {keys}.",
    )


BOTH = "kms:Decrypt, kms:ReEncryptFrom"
IAM_CASES = {
    "one key": (an_iam_policy(iam_allow("kms:*", "arn:aws:kms:eu-west-1:111122223333:key/1")), [NAMED]),
    "all keys": (an_iam_policy(iam_allow("kms:Decrypt", "*")), [decrypts("kms:Decrypt")]),
    "re-encryption": (an_iam_policy(iam_allow("kms:ReEncrypt*", "*")), [decrypts("kms:ReEncryptFrom")]),
    "everything": (an_iam_policy(iam_allow("*", "*")), [decrypts(BOTH)]),
    "all keys of all accounts": (
        an_iam_policy(iam_allow("kms:*", "arn:aws:kms:*:*:key/*")),
        [decrypts(BOTH, "keys arn:aws:kms:*:*:key/*")],
    ),
    "through a service, as Security Hub sees it": (
        an_iam_policy(iam_allow("kms:Decrypt", "*", Condition=S3)),
        [decrypts("kms:Decrypt")],
    ),
    "by alias": (
        an_iam_policy(
            iam_allow(
                "kms:Decrypt",
                "*",
                Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/app"}},
            )
        ),
        [NAMED],
    ),
    "by tag": (
        an_iam_policy(
            iam_allow("kms:Decrypt", "*", Condition={"StringEquals": {"aws:ResourceTag/service": "app"}})
        ),
        [NAMED],
    ),
    "by any alias": (
        an_iam_policy(
            iam_allow("kms:Decrypt", "*", Condition={"ForAnyValue:StringLike": {"kms:ResourceAliases": "*"}})
        ),
        [decrypts("kms:Decrypt")],
    ),
    "encrypts only": (an_iam_policy(iam_allow("kms:Encrypt", "*")), []),
    "a boundary": (an_iam_policy(iam_allow("kms:*", "*"), kind=IdentityPolicyKind.BOUNDARY), []),
    "not known on what": (
        an_iam_policy(iam_allow("kms:Decrypt", "*") | {"Resource": WHY}),
        [
            Said(
                U,
                "decrypt-on-all-keys",
                IAM_PATH,
                f"Inline policy 'AppPolicy', statement 0 gives {role('App')} kms:Decrypt on all keys, if "
                "what is not known turns out so: parameter Who has no default.",
            )
        ],
    ),
    "a resource that is a parameter": (
        an_iam_policy(iam_allow("kms:Decrypt", hole(HoleKind.UNRESOLVED, "KeyArn"))),
        [
            Said(
                U,
                "decrypt-on-all-keys",
                IAM_PATH,
                f"Inline policy 'AppPolicy', statement 0 gives {role('App')} kms:Decrypt on keys "
                "${KeyArn}, if what is not known turns out so: ${KeyArn} is undecided.",
            )
        ],
    ),
    "a resource that is a parameter, by an alias that is one": (
        an_iam_policy(
            iam_allow(
                "kms:Decrypt",
                hole(HoleKind.UNRESOLVED, "KeyArn"),
                Condition={
                    "ForAnyValue:StringEquals": {"kms:ResourceAliases": hole(HoleKind.UNRESOLVED, "Alias")}
                },
            )
        ),
        [NAMED],
    ),
    "all keys in a statement after one that is not known": (
        an_iam_policy(
            iam_allow("kms:Decrypt", hole(HoleKind.UNRESOLVED, "KeyArn")), iam_allow("kms:Decrypt", "*")
        ),
        [
            Said(
                V,
                "decrypt-on-all-keys",
                "Properties/PolicyDocument/Statement/1",
                f"Inline policy 'AppPolicy', statement 1 gives {role('App')} kms:Decrypt on all keys.",
            )
        ],
    ),
    "an action that deployment decides": (
        an_iam_policy(iam_allow(hole(HoleKind.UNRESOLVED, "What"), "*")),
        [
            Said(
                U,
                "decrypt-on-all-keys",
                IAM_PATH,
                f"Inline policy 'AppPolicy', statement 0 gives {role('App')} kms:Decrypt, kms:ReEncryptFrom "
                "on all keys, if what is not known turns out so: ${What} is undecided.",
            )
        ],
    ),
    "an action that deployment decides, beside Decrypt": (
        an_iam_policy(iam_allow(["kms:Decrypt", f"kms:{hole(HoleKind.UNRESOLVED, 'What')}"], "*")),
        [decrypts("kms:Decrypt")],
    ),
    "conditions not known": (
        an_iam_policy(iam_allow("kms:Decrypt", "*", Condition=WHY)),
        [
            Said(
                U,
                "decrypt-on-all-keys",
                IAM_PATH,
                f"Inline policy 'AppPolicy', statement 0 gives {role('App')} kms:Decrypt on all keys, if "
                "what is not known turns out so: parameter Who has no default.",
            )
        ],
    ),
}


@pytest.mark.parametrize(("policy", "expected"), IAM_CASES.values(), ids=IAM_CASES)
def test_iam_policies(policy: IdentityPolicy, expected: list[Said]) -> None:
    assert said(judge("KMS:004", None, policies=[policy])) == expected


def test_the_configuration_authorises_iam_policies() -> None:
    policy = an_iam_policy(iam_allow("kms:Decrypt", "*"))
    config = GuardrailConfig(authorised={"KMS:004": (role("App"),)})
    assert said(judge("KMS:004", None, config, policies=[policy])) == [NAMED]


def test_an_iam_policy_that_cannot_be_judged_costs_no_key_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise IndexError("an IAM policy")

    monkeypatch.setattr("kms_constructs.guardrails.rules.kms_004_least_privilege.IdentityIndex", fail)
    outcomes = [(one.outcome, one.detail) for one in judge("KMS:004", used_by("*"))]
    assert sorted(outcomes) == [(U, "internal-error"), (V, "public")]
