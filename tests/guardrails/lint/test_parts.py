"""What KMS and CloudFormation refuse, and what means something else than it says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.analysis.evaluate import Request, evaluate
from kms_constructs.guardrails.finding import Severity
from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown
from tests.guardrails.factories import (
    ACCOUNT,
    DEPLOYS,
    POLICY_PATH,
    ROOT,
    ROOT_STATEMENT,
    V,
    a_key,
    a_policy,
    allow,
    an_iam_policy,
    deny,
    iam_allow,
    judge,
    role,
    service,
)

APP = role("App")
ANYONE = role("*")
STATEMENT = f"{POLICY_PATH}/Statement/1"


def with_statement(statement: dict[str, Any], **changes: Any) -> Key:
    return a_key(policy=a_policy(ROOT_STATEMENT, statement, DEPLOYS), **changes)


def used_when(condition: dict[str, Any], **changes: Any) -> Key:
    return with_statement(allow(APP, "kms:Decrypt", sid="Use", Condition=condition), **changes)


def made(**changes: Any) -> Key:
    return a_key(policy=a_policy(ROOT_STATEMENT, DEPLOYS), **changes)


def found(key: Key) -> list[tuple[str, str, str]]:
    """Detail, path and fix of what is wrong."""
    return [(one.detail, one.path, one.fix) for one in judge("KMS:LINT", key) if one.outcome is V]


CONDITIONS = {
    "a misspelt operator": (
        used_when({"StringEqual": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}),
        ("unknown-operator", "Did you mean StringEquals?"),
    ),
    "an unknown qualifier": (
        used_when({"ForEachValue:StringEquals": {"kms:GrantOperations": "Decrypt"}}),
        ("unknown-operator", "Did you mean StringEquals?"),
    ),
    "Null with IfExists": (
        used_when({"NullIfExists": {"kms:ViaService": "true"}}),
        ("unknown-operator", "Write Null."),
    ),
    "a misspelt key of KMS": (
        used_when({"StringEquals": {"kms:ViaServices": "s3.eu-west-1.amazonaws.com"}}),
        ("unknown-condition-key", "Did you mean kms:ViaService?"),
    ),
    "a misspelt global key in a Deny": (
        with_statement(
            deny("*", "kms:Decrypt", sid="Use", Condition={"Bool": {"aws:SecureTransports": "false"}})
        ),
        ("unknown-condition-key", "Did you mean aws:SecureTransport?"),
    ),
    "a key without a prefix": (
        used_when({"StringEquals": {"team": "a"}}),
        ("unknown-condition-key", "Write a condition key of KMS or of IAM."),
    ),
    "a wildcard that StringEquals does not know": (
        used_when({"StringEquals": {"kms:ViaService": "s3.*.amazonaws.com"}}),
        ("literal-wildcard", "Write StringLike."),
    ),
    "a wildcard in an ARN": (
        used_when({"StringEquals": {"aws:SourceArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:*"}}),
        ("literal-wildcard", "Write ArnLike, or StringLike."),
    ),
    "a wildcard in a negation": (
        with_statement(
            deny(
                "*", "kms:Decrypt", sid="Use", Condition={"StringNotEquals": {"aws:PrincipalArn": role("*")}}
            )
        ),
        ("literal-wildcard", "Write ArnNotLike."),
    ),
}


@pytest.mark.parametrize(("key", "expected"), CONDITIONS.values(), ids=CONDITIONS)
def test_conditions(key: Key, expected: tuple[str, str]) -> None:
    detail, fix = expected
    assert found(key) == [(detail, f"{STATEMENT}/Condition", fix)]


SOUND_CONDITIONS = {
    "a value of many": {"StringLike": {"kms:ViaService": ["s3.*.amazonaws.com"]}},
    "an asterisk that is the value": {
        "StringEquals": {"kms:EncryptionContext:SourceArn": f"arn:aws:logs:eu-west-1:{ACCOUNT}:*"}
    },
    "a key of a role's session": {"ArnEquals": {"lambda:SourceFunctionArn": "arn:aws:lambda:eu-west-1:1:f"}},
    "operators in another case": {"stringequalsifexists": {"AWS:PRINCIPALORGID": "o-abcdefghij"}},
    "Null": {"Null": {"kms:GrantOperations": "false"}},
    "a tag": {"StringEquals": {"aws:PrincipalTag/team": "a"}},
}


@pytest.mark.parametrize("condition", SOUND_CONDITIONS.values(), ids=SOUND_CONDITIONS)
def test_sound_conditions(condition: dict[str, Any]) -> None:
    assert found(used_when(condition)) == []


PLACES = {
    "a role of another partition": (
        with_statement(allow("arn:aws-us-gov:iam::111122223333:role/App", "kms:Decrypt", sid="Use")),
        [("partition", f"{STATEMENT}/Principal", "Write arn:aws:…, or ${AWS::Partition} in a template.")],
    ),
    "a partition that deployment decides": (
        with_statement(
            allow(f"arn:{hole(HoleKind.ENVIRONMENT, 'P')}:iam::{ACCOUNT}:role/App", "kms:Decrypt", sid="Use")
        ),
        [],
    ),
    "a service of another Region": (
        with_statement(
            allow(
                service("logs.us-east-1.amazonaws.com"),
                "kms:Decrypt",
                sid="Use",
                Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            )
        ),
        [("other-region", f"{STATEMENT}/Principal", "Write logs.eu-west-1.amazonaws.com.")],
    ),
    "through a service of another Region": (
        used_when({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}),
        [("other-region", f"{STATEMENT}/Condition", "Write s3.eu-west-1.amazonaws.com.")],
    ),
    "one Region of several": (
        used_when(
            {"StringEquals": {"kms:ViaService": ["s3.us-east-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"]}}
        ),
        [],
    ),
    "a Region that is not known": (
        used_when(
            {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
            region=hole(HoleKind.ENVIRONMENT, "R"),
        ),
        [],
    ),
    "a service without a Region": (
        with_statement(
            allow(
                service("sns.amazonaws.com"),
                "kms:Decrypt",
                sid="Use",
                Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            )
        ),
        [],
    ),
}


@pytest.mark.parametrize(("key", "expected"), PLACES.values(), ids=PLACES)
def test_places(key: Key, expected: list[tuple[str, str, str]]) -> None:
    assert found(key) == expected


@pytest.mark.parametrize(
    "name",
    [
        "logs.us-iso-east-1.c2s.ic.gov",
        "sns.amazonaws.eu",
        "logs.cn-north-1.amazonaws.com.cn",
        "s3.sc2s.sgov.gov",
    ],
)
def test_service_principals_of_every_partition(name: str) -> None:
    key = with_statement(
        allow(
            service(name),
            "kms:Decrypt",
            sid="Use",
            Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        )
    )
    assert found(key) == []


PROPERTIES = {
    "rotation of an asymmetric key": (
        made(key_spec="RSA_2048", key_usage="SIGN_VERIFY"),
        [("rotation", "Properties/EnableKeyRotation", "Take EnableKeyRotation out.")],
    ),
    "rotation of imported material": (
        made(origin="EXTERNAL", material_expires="2027-01-01"),
        [
            (
                "rotation",
                "Properties/EnableKeyRotation",
                "Take EnableKeyRotation out; rotate imported material on demand.",
            )
        ],
    ),
    "rotation off": (made(key_spec="RSA_2048", key_usage="SIGN_VERIFY", rotation_enabled=None), []),
    "a replica, which follows its primary": (
        made(kind=KeyKind.REPLICA, key_spec="RSA_2048", key_usage="SIGN_VERIFY"),
        [],
    ),
    "a spec that is not known": (made(key_spec=Unknown("why")), []),
    "no such spec": (made(key_spec="RSA_1024", rotation_enabled=None), None),
    "a usage that does not fit": (
        made(key_spec="HMAC_256", key_usage="ENCRYPT_DECRYPT", rotation_enabled=None),
        [("key-usage", "Properties/KeySpec", "Give it the usage GENERATE_VERIFY_MAC, or another spec.")],
    ),
    "an alias without its prefix": (made(aliases=("orders",)), [("alias", "", "Write alias/orders.")]),
    "a reserved alias": (
        made(aliases=("alias/aws/orders",)),
        [("alias", "", "Choose a name that begins otherwise.")],
    ),
    "an alias with a colon": (
        made(aliases=("alias/a:b",)),
        [("alias", "", "Use letters, digits, /, _ and -; at most 256 characters with alias/.")],
    ),
    "an alias that deployment decides": (made(aliases=(f"alias/{hole(HoleKind.UNRESOLVED, 'N')}",)), []),
}


@pytest.mark.parametrize(("key", "expected"), PROPERTIES.values(), ids=PROPERTIES)
def test_properties(key: Key, expected: list[tuple[str, str, str]] | None) -> None:
    if expected is None:
        assert [detail for detail, _, _ in found(key)] == ["key-spec"]
    else:
        assert found(key) == expected


def test_an_alias_of_two_keys_is_told_of_both() -> None:
    one, two = (made(location=made().location.__class__("app.json", "App", name)) for name in ("One", "Two"))
    from kms_constructs.guardrails.engine import judge as judge_estate
    from kms_constructs.model.estate import Estate

    report = judge_estate(Estate(keys=(one, two)), controls=["KMS:LINT"])
    assert [(item.detail, item.location.logical_id) for item in report.failures] == [
        ("alias-twice", "One"),
        ("alias-twice", "Two"),
    ]


LOCKED = {
    "only the root user": a_policy(ROOT_STATEMENT, allow(APP, "kms:Decrypt")),
    "denied to all but the root user": a_policy(
        allow(ROOT, "kms:PutKeyPolicy"),
        deny("*", "kms:PutKeyPolicy", Condition={"ArnNotEquals": {"aws:PrincipalArn": ROOT}}),
    ),
    "nobody": a_policy(allow(APP, "kms:Decrypt")),
}


@pytest.mark.parametrize("policy", LOCKED.values(), ids=LOCKED)
def test_a_policy_that_its_deployer_could_not_change(policy: Any) -> None:
    assert [detail for detail, _, _ in found(a_key(policy=policy))] == ["lockout"]


@pytest.mark.parametrize("policy", LOCKED.values(), ids=LOCKED)
def test_the_fix_for_a_lockout_followed_literally(policy: Any) -> None:
    deployer = role("Deploy")
    exempt = [ROOT, deployer]
    fixed = a_policy(
        allow(ROOT, "kms:PutKeyPolicy"),
        DEPLOYS,
        deny("*", "kms:PutKeyPolicy", Condition={"ArnNotEquals": {"aws:PrincipalArn": exempt}}),
    )
    key = a_key(policy=fixed, authorised={"IAM-KMS-5": (deployer,)})
    assert found(key) == []
    assert evaluate(Request(principal=deployer, action="PutKeyPolicy"), key).allowed


@pytest.mark.parametrize(
    "policy",
    [
        a_policy(allow(ROOT, "kms:PutKeyPolicy")),
        a_policy(ROOT_STATEMENT, DEPLOYS),
        a_policy(ROOT_STATEMENT, allow(hole(HoleKind.UNRESOLVED, "Who"), "kms:PutKeyPolicy")),
        parse_policy(Unknown("imported")),
    ],
    ids=["delegated to IAM", "the deployer", "whom nobody knows", "not known"],
)
def test_a_policy_that_somebody_may_change(policy: Any) -> None:
    assert "lockout" not in {detail for detail, _, _ in found(a_key(policy=policy))}


EVERY_IAM_POLICY = an_iam_policy(iam_allow("kms:*", "*"), attachable=True).policy


@given(
    st.lists(
        st.sampled_from(
            [
                ROOT_STATEMENT,
                allow(ROOT, "kms:PutKeyPolicy"),
                DEPLOYS,
                allow(APP, "kms:Decrypt"),
                deny("*", "kms:PutKeyPolicy", Condition={"ArnNotEquals": {"aws:PrincipalArn": ROOT}}),
                deny("*", "kms:PutKeyPolicy", Condition={"ArnNotLike": {"aws:PrincipalArn": role("D*")}}),
                deny(role("Deploy"), "kms:Put*"),
            ]
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_lockout_leaves_no_role_that_could_change_the_policy(statements: list[Any]) -> None:
    key = a_key(policy=a_policy(*statements))
    if "lockout" in {detail for detail, _, _ in found(key)}:
        for name in (role("Deploy"), APP, role("Any")):
            request = Request(principal=name, action="PutKeyPolicy")
            assert not evaluate(request, key, identity_policies=[EVERY_IAM_POLICY]).allowed


def test_an_alias_as_the_resource_of_an_iam_policy() -> None:
    policy = an_iam_policy(iam_allow(["kms:Decrypt"], f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/orders"))
    (finding,) = [one for one in judge("KMS:LINT", None, policies=[policy]) if one.outcome is V]
    assert (finding.detail, finding.severity) == ("alias-resource", Severity.WARNING)
    assert finding.path == "Properties/PolicyDocument/Statement/0/Resource"


@pytest.mark.parametrize(
    "statement",
    [
        iam_allow("kms:CreateAlias", f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/orders"),
        iam_allow("kms:Decrypt", [f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/a", "*"]),
        iam_allow("s3:GetObject", f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/orders"),
    ],
    ids=["an action on the alias", "the key as well", "no action of KMS"],
)
def test_an_alias_as_a_resource_that_may_be_meant(statement: dict[str, Any]) -> None:
    assert [
        one for one in judge("KMS:LINT", None, policies=[an_iam_policy(statement)]) if one.outcome is V
    ] == []


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"Version": "2012-10-18", "Statement": []}, "there is no policy language of Version '2012-10-18'"),
        (
            {"Statement": {"Sid": "Größe→", "Effect": "Allow"}},
            "it holds the character U+2192, and KMS takes none beyond U+00FF",
        ),
        (
            {
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Aws": APP},
                    "Action": "kms:Decrypt",
                    "Resource": "*",
                }
            },
            "'Aws' is no type of principal: write 'AWS'",
        ),
    ],
)
def test_grammar(document: Any, message: str) -> None:
    assert message in {problem.message for problem in parse_policy(document).problems}


def test_an_alias_that_two_resources_make() -> None:
    assert [detail for detail, _, _ in found(made(repeated_aliases=("alias/a",)))] == ["alias-twice"]


EXECUTION = role("cdk-hnb659fds-cfn-exec-role")
BY_OTHERS = a_policy(ROOT_STATEMENT, DEPLOYS)
OPS = {"aws:PrincipalArn": [ROOT, role("Ops")]}
KEPT_OUT = deny("*", "kms:PutKeyPolicy", Condition={"ArnNotEquals": OPS})


@pytest.mark.parametrize(
    ("key", "locked"),
    [
        (a_key(policy=BY_OTHERS, deployer=EXECUTION), True),
        (a_key(policy=a_policy(allow(ROOT, "kms:*"), KEPT_OUT), deployer=EXECUTION), True),
        (a_key(policy=BY_OTHERS, deployer=role("Deploy")), False),
        (a_key(policy=BY_OTHERS, deployer=None), False),
        (a_key(policy=BY_OTHERS, deployer=f"arn:aws:iam::{hole(HoleKind.ENVIRONMENT, 'A')}:role/x"), False),
        (a_key(policy=a_policy(allow(ROOT, "kms:*")), deployer=EXECUTION), False),
        (
            a_key(policy=BY_OTHERS, deployer=EXECUTION, authorised={"IAM-KMS-5": (role("Deploy"),)}),
            False,
        ),
    ],
    ids=[
        "others may",
        "denied to the execution role",
        "it may",
        "nobody says who deploys",
        "it is not known whole",
        "IAM policies may let it",
        "others are declared to deploy",
    ],
)
def test_the_role_that_deploys_has_to_be_able_to_change_the_policy(key: Key, locked: bool) -> None:
    details = [detail for detail, _, _ in found(key)]
    assert ("lockout" in details) is locked
    if locked:
        assert not evaluate(Request(principal=EXECUTION, action="PutKeyPolicy"), key).allowed
