from __future__ import annotations

import re

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.model.estate import Grant, Key
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from tests.guardrails.factories import (
    ACCOUNT,
    OTHER,
    ROOT,
    ROOT_STATEMENT,
    C,
    Said,
    U,
    V,
    a_key,
    a_policy,
    allow,
    deny,
    judge,
    role,
    said,
    service,
)

PATH = "Properties/KeyPolicy/Statement/1"
WHY = Unknown("parameter Source has no default")
GOOD = Said(C, "", "", "Access for AWS services, and through them, is scoped.")
SNS = service("sns.amazonaws.com")
TRAIL = service("cloudtrail.amazonaws.com")
LOGS = service("logs.eu-west-1.amazonaws.com")
USE = ("kms:Decrypt", "kms:GenerateDataKey*")
CALLER = {"kms:CallerAccount": ACCOUNT}
EC2 = {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}
EKS = {"kms:ViaService": "eks.eu-west-1.amazonaws.com"}


def used_by(principal: object, condition: object, *actions: str) -> Key:
    elements = {} if condition is None else {"Condition": condition}
    return a_key(allow(principal, *(actions or USE), sid="Use", **elements))


def everyone_but(**elements: object) -> dict[str, object]:
    """An Allow for everyone who is not named."""
    made = allow(role("X"), "kms:Decrypt", sid="Use", **elements)
    made["NotPrincipal"] = made.pop("Principal")
    return made


GOOD_CASES = {
    "no services": a_key(allow(role("App"), "kms:Decrypt")),
    "source account": used_by(SNS, {"StringEquals": {"aws:SourceAccount": ACCOUNT}}),
    "source account, in another case": used_by(SNS, {"StringEquals": {"AWS:SourceAccount": ACCOUNT}}),
    "source ARN": used_by(SNS, {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{ACCOUNT}:*"}}),
    "source ARN of a bucket": used_by(SNS, {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::reports"}}),
    "source organization": used_by(SNS, {"StringEquals": {"aws:SourceOrgID": "o-aaaaaaaaaa"}}),
    "source path": used_by(SNS, {"ForAnyValue:StringLike": {"aws:SourceOrgPaths": "o-aaaaaaaaaa/r-1/*"}}),
    "encryption context": used_by(
        LOGS, {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:eu-west-1:{ACCOUNT}:*"}}
    ),
    "source account of this stack": used_by(
        SNS, {"StringEquals": {"aws:SourceAccount": hole(HoleKind.ENVIRONMENT, "AWS::AccountId")}}
    ),
    "source account, whichever a parameter names": used_by(
        SNS, {"StringEquals": {"aws:SourceAccount": hole(HoleKind.UNRESOLVED, "Source")}}
    ),
    "encryption context, with an asterisk that is one": used_by(
        service("states.amazonaws.com"),
        {
            "StringEquals": {
                "kms:EncryptionContext:SourceArn": f"arn:aws:logs:eu-west-1:{ACCOUNT}:*",
            }
        },
    ),
    "Fargate's grants": used_by(
        service("fargate.amazonaws.com"),
        {
            "StringEquals": {"kms:EncryptionContext:aws:ecs:clusterAccount": ACCOUNT},
            "StringLike": {"kms:EncryptionContext:aws:ecs:clusterName": "*"},
            "ForAllValues:StringEquals": {"kms:GrantOperations": "Decrypt"},
        },
        "kms:CreateGrant",
    ),
    "EKS's grants in the name of a role": used_by(
        role("Clusters"), {"StringEquals": {**CALLER, **EKS}}, "kms:CreateGrant"
    ),
    "everyone of an organization, whichever a parameter names, through a service": used_by(
        "*", {"StringEquals": {**EC2, "aws:PrincipalOrgID": hole(HoleKind.UNRESOLVED, "Org")}}
    ),
    "everyone but one, through a service of this account": a_key(
        everyone_but(Condition={"StringEquals": {**CALLER, **EC2}})
    ),
    "a principal that is not known, through a service of this account": used_by(
        {"AWS": hole(HoleKind.UNRESOLVED, "Who")}, {"StringEquals": {**CALLER, **EC2}}
    ),
    "a role of the account whose name is not known": used_by(role(hole(HoleKind.UNRESOLVED, "Name")), None),
    "reads only": used_by(TRAIL, None, "kms:DescribeKey"),
    "a statement that means nothing": a_key(allow(SNS, *USE, Resource="arn:aws:s3:::b")),
    "a Deny": a_key(deny(SNS, *USE)),
    "grants for services only": used_by(
        service("dnssec-route53.amazonaws.com"),
        {"Bool": {"kms:GrantIsForAWSResource": True}},
        "kms:CreateGrant",
    ),
    "everyone through a service of this account": used_by("*", {"StringEquals": {**CALLER, **EC2}}),
    "everyone with a context of this account": used_by(
        {"AWS": "*"},
        {
            "StringEquals": CALLER,
            "StringLike": {
                "kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"
            },
        },
        "kms:Decrypt",
    ),
    "any service, for the own organization": used_by(
        "*",
        {"Bool": {"aws:PrincipalIsAWSService": "true"}, "StringEquals": {"aws:SourceOrgID": "o-aaaaaaaaaa"}},
    ),
    "everyone, but by ARN": used_by("*", {"ArnLike": {"aws:PrincipalArn": role("App*")}}),
    "everyone, for reading metadata": used_by("*", {"StringEquals": CALLER}, "kms:DescribeKey"),
    "grants under a Deny": a_key(
        policy=a_policy(
            allow(ROOT, "kms:*"),
            deny("*", "kms:CreateGrant", Condition={"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}}),
        )
    ),
    "grants under the Deny of Control Tower": a_key(
        policy=a_policy(
            allow(ROOT, "kms:*"),
            deny(
                "*",
                "kms:CreateGrant",
                Condition={
                    "BoolIfExists": {
                        "kms:GrantIsForAWSResource": "false",
                        "aws:PrincipalIsAWSService": "false",
                    }
                },
            ),
        )
    ),
    "grants for the root user alone": a_key(
        policy=a_policy(allow(ROOT, "kms:*", Condition={"ArnEquals": {"aws:PrincipalArn": ROOT}}))
    ),
    "a grant that a service made": a_key(
        grants=(Grant(role("Ops"), ("CreateGrant", "Decrypt"), for_aws_service=True),)
    ),
}


@pytest.mark.parametrize("key", GOOD_CASES.values(), ids=GOOD_CASES)
def test_scoped(key: Key) -> None:
    assert said(judge("IAM-KMS-6", key)) == [GOOD]


UNLIMITED = "no condition says for whose resources"
SCALING = "arn:aws:iam::*:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"


def source(names: str, note: str = "", outcome: object = V, problem: str = "") -> Said:
    problem = problem or (
        UNLIMITED if outcome is V else "whether its conditions limit that is decided at deployment only"
    )
    text = f"Statement 'Use' lets {names} use the key; {problem}.{note}"
    return Said(outcome, "source", PATH, text)  # type: ignore[arg-type]


def everyone(detail: str, problem: str, note: str = "", outcome: object = V) -> Said:
    return Said(outcome, detail, PATH, f"Statement 'Use' lets everyone {problem}.{note}")  # type: ignore[arg-type]


DIRECT = everyone("via-service", "use the key directly, and not only through a service")
ANYWHERE = everyone("caller-account", "use the key from any account")


def grants(who: str, note: str = "", path: str = PATH, label: str = "Statement 'Use'") -> Said:
    return Said(
        V,
        "CreateGrant",
        path,
        f"{label} allows kms:CreateGrant for other purposes than AWS services' own ({who}): its holder can "
        f"give whomever it likes the use of the key.{note}",
    )


def direct(grantee: str, what: str, name: str = "") -> Said:
    made = "made by people and by no AWS service"
    return Said(
        V, "direct-grant", "", f"Direct grant{name}, {made}, gives {grantee} the use of the key: {what}."
    )


def declared_only(*operations: str) -> dict[str, dict[str, object]]:
    return {
        "ArnEquals": {"kms:GranteePrincipal": role("App")},
        "Null": {"kms:GrantOperations": "false"},
        "ForAllValues:StringEquals": {"kms:GrantOperations": list(operations)},
    }


IF_EXISTS = " BoolIfExists also holds for requests that do not carry kms:GrantIsForAWSResource."
WHOLE_ACCOUNT = f"any principal of account {ACCOUNT}"
CASES = {
    "no condition": (used_by(SNS, None), [source("sns.amazonaws.com")]),
    "two services": (
        used_by(service(["sns.amazonaws.com", "events.amazonaws.com"]), None),  # type: ignore[arg-type]
        [source("sns.amazonaws.com, events.amazonaws.com")],
    ),
    "one action beyond reading": (
        used_by(SNS, None, "kms:DescribeKey", "kms:Sign"),
        [source("sns.amazonaws.com")],
    ),
    "source account if it is there": (
        used_by(SNS, {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}),
        [
            source(
                "sns.amazonaws.com",
                " aws:SourceAccount does not narrow it: StringEqualsIfExists also holds for requests that "
                "lack the key.",
            )
        ],
    ),
    "for all values of none": (
        used_by(SNS, {"ForAllValues:StringEquals": {"aws:SourceAccount": ACCOUNT}}),
        [
            source(
                "sns.amazonaws.com",
                " aws:SourceAccount does not narrow it: ForAllValues:StringEquals also holds for requests "
                "that lack the key.",
            )
        ],
    ),
    "anything but": (
        used_by(SNS, {"StringNotEquals": {"aws:SourceAccount": OTHER}}),
        [
            source(
                "sns.amazonaws.com",
                " aws:SourceAccount does not narrow it: StringNotEquals lets in everything that it does not "
                "name.",
            )
        ],
    ),
    "any source": (
        used_by(SNS, {"StringLike": {"aws:SourceAccount": "*"}}),
        [
            source(
                "sns.amazonaws.com", " aws:SourceAccount does not narrow it: the value * matches everything."
            )
        ],
    ),
    "any trail of any account": (
        used_by(TRAIL, {"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:*:trail/*"}}),
        [
            source(
                "cloudtrail.amazonaws.com",
                " aws:SourceArn does not narrow it: the value arn:aws:cloudtrail:*:*:trail/* names "
                "no account, and no bucket.",
            )
        ],
    ),
    "a trail's context alone": (
        used_by(
            TRAIL,
            {
                "StringLike": {
                    "kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"
                }
            },
        ),
        [source("cloudtrail.amazonaws.com")],
    ),
    "the names of context keys": (
        used_by(SNS, {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "aws:sns:arn"}}),
        [source("sns.amazonaws.com")],
    ),
    "a condition that is not known": (
        used_by(SNS, {"StringEquals": {"aws:SourceAccount": WHY}}),
        [source("sns.amazonaws.com", outcome=U)],
    ),
    "a value decided at deployment": (
        used_by(SNS, {"StringLike": {"aws:SourceAccount": hole(HoleKind.UNRESOLVED, "Source")}}),
        [source("sns.amazonaws.com", outcome=U)],
    ),
    "conditions not known": (
        used_by(SNS, WHY),
        [
            Said(
                U,
                "unresolved",
                PATH,
                "Whether statement 'Use' scopes what services may do is not known: parameter Source has no "
                "default.",
            )
        ],
    ),
    "principals not known": (
        used_by(WHY, None, "kms:Sign"),
        [
            Said(
                U,
                "unresolved",
                PATH,
                "Whether statement 'Use' scopes what services may do is not known: parameter Source has no "
                "default.",
            )
        ],
    ),
    "any service": (
        used_by("*", {"Bool": {"aws:PrincipalIsAWSService": "true"}}),
        [source("any AWS service")],
    ),
    "everyone": (used_by("*", None), [ANYWHERE, DIRECT]),
    "everyone of the account": (used_by("*", {"StringEquals": CALLER}), [DIRECT]),
    "everyone through a service": (used_by("*", {"StringEquals": EC2}), [ANYWHERE]),
    "everyone through any service": (
        used_by("*", {"StringEquals": CALLER, "StringLike": {"kms:ViaService": "*"}}),
        [
            everyone(
                "via-service",
                "use the key directly, and not only through a service",
                " kms:ViaService does not narrow it: the value * matches everything.",
            )
        ],
    ),
    "everyone but one": (a_key(everyone_but()), [ANYWHERE, DIRECT]),
    "everyone through any service, in a pattern": (
        used_by("*", {"StringEquals": CALLER, "StringLike": {"kms:ViaService": "*.amazonaws.com"}}),
        [
            everyone(
                "via-service",
                "use the key directly, and not only through a service",
                " kms:ViaService does not narrow it: the value *.amazonaws.com names no service.",
            )
        ],
    ),
    "everyone of any organization, in a pattern": (
        used_by("*", {"StringEquals": EC2, "StringLike": {"aws:PrincipalOrgID": "o-*"}}),
        [
            everyone(
                "caller-account",
                "use the key from any account",
                " aws:PrincipalOrgID does not narrow it: the value o-* names no organization.",
            )
        ],
    ),
    "everyone of the account, by ARN": (
        used_by("*", {"ArnLike": {"aws:PrincipalArn": role("*")}}),
        [DIRECT],
    ),
    "everyone of any account, by ARN": (
        used_by("*", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/App"}}),
        [ANYWHERE, DIRECT],
    ),
    "everyone, by a name that is not known": (
        used_by("*", {"ArnLike": {"aws:PrincipalArn": role(hole(HoleKind.UNRESOLVED, "Name"))}}),
        [
            everyone(
                "via-service",
                "use the key directly, and not only through a service, unless a value decided at deployment "
                "limits it",
                outcome=U,
            )
        ],
    ),
    "a principal that may be everyone": (
        used_by({"AWS": hole(HoleKind.UNRESOLVED, "Who")}, None),
        [
            Said(
                U,
                "unresolved",
                PATH,
                "Whether statement 'Use' scopes what services may do is not known: ${Who} may turn out to be "
                "everyone.",
            )
        ],
    ),
    "a statement that may not be there": (
        a_key(policy=a_policy(ROOT_STATEMENT, Maybe(allow(SNS, *USE, sid="Use"), "x"))),
        [
            source(
                "sns.amazonaws.com",
                " Whether the statement allows this on this key is decided at deployment.",
                U,
                UNLIMITED,
            )
        ],
    ),
    "a key by an ARN of another Region": (
        a_key(
            allow(SNS, *USE, sid="Use", Resource=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/*"),
            key_id=hole(HoleKind.GENERATED, "App.Key"),
        ),
        [
            source(
                "sns.amazonaws.com",
                " Whether the statement allows this on this key is decided at deployment.",
                U,
                UNLIMITED,
            )
        ],
    ),
    "a resource that may be this key": (
        a_key(allow(SNS, *USE, sid="Use", Resource=hole(HoleKind.UNRESOLVED, "Key"))),
        [
            source(
                "sns.amazonaws.com",
                " Whether the statement allows this on this key is decided at deployment.",
                U,
                UNLIMITED,
            )
        ],
    ),
    "every key of the account, by pattern": (
        a_key(allow(SNS, *USE, sid="Use", Resource=f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/*")),
        [source("sns.amazonaws.com")],
    ),
    "a topic of that name in any account": (
        used_by(SNS, {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:orders"}}),
        [
            source(
                "sns.amazonaws.com",
                " aws:SourceArn does not narrow it: the value arn:aws:sns:*:*:orders names no account, and "
                "no bucket.",
            )
        ],
    ),
    "a cluster of that name in any account": (
        used_by(
            service("fargate.amazonaws.com"),
            {"StringEquals": {"kms:EncryptionContext:aws:ecs:clusterName": "prod"}},
        ),
        [
            source(
                "fargate.amazonaws.com",
                " kms:EncryptionContext:aws:ecs:clusterName does not narrow it: the value prod is a name "
                "that anybody can give.",
            )
        ],
    ),
    "Fargate's grants of anything": (
        used_by(
            service("fargate.amazonaws.com"),
            {"StringEquals": {"kms:EncryptionContext:aws:ecs:clusterAccount": ACCOUNT}},
            "kms:CreateGrant",
        ),
        [grants("to service fargate.amazonaws.com")],
    ),
    "grants of anything but for one sort of grantee": (
        a_key(
            allow(f"arn:aws:iam::{OTHER}:root", "kms:CreateGrant", sid="Use"),
            deny(
                "*",
                "kms:CreateGrant",
                Condition={
                    "Bool": {"kms:GrantIsForAWSResource": "false"},
                    "StringNotLike": {"kms:GranteePrincipal": SCALING},
                },
            ),
        ),
        [
            grants(
                f"by the IAM policies of any principal of account {OTHER}",
                f" The Deny of other grants leaves those to {SCALING}.",
            )
        ],
    ),
    "LZA: grants of everyone through a service": (
        used_by({"AWS": "*"}, {"StringEquals": {**CALLER, **EC2}}, "kms:Decrypt", "kms:CreateGrant"),
        [grants(f"to {WHOLE_ACCOUNT}, any AWS service")],
    ),
    "EKS's grants in the name of any account": (
        used_by({"AWS": "*"}, {"StringEquals": EKS}, "kms:CreateGrant"),
        [grants("to any principal of any account, any AWS service")],
    ),
    "EKS's grants, or those of a service that flags its own": (
        used_by(
            role("Clusters"),
            {"StringEquals": {**CALLER, "kms:ViaService": [*EKS.values(), *EC2.values()]}},
            "kms:CreateGrant",
        ),
        [grants(f"to {role('Clusters')}")],
    ),
    "EKS's grants by a pattern that others match": (
        used_by(
            role("Clusters"),
            {"StringEquals": CALLER, "StringLike": {"kms:ViaService": "e*.eu-west-1.amazonaws.com"}},
            "kms:CreateGrant",
        ),
        [grants(f"to {role('Clusters')}")],
    ),
    "grants by an administrator": (
        used_by(role("Admin"), None, "kms:Create*"),
        [grants(f"to {role('Admin')}")],
    ),
    "grants by the root of another account": (
        used_by(f"arn:aws:iam::{OTHER}:root", None, "kms:CreateGrant"),
        [grants(f"by the IAM policies of any principal of account {OTHER}")],
    ),
    "grants that the account's IAM decides on": (
        a_key(policy=a_policy(allow(ROOT, "kms:*", sid="Use"))),
        [grants(f"by the IAM policies of {WHOLE_ACCOUNT}", path="Properties/KeyPolicy/Statement/0")],
    ),
    "BoolIfExists": (
        used_by(role("App"), {"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}}, "kms:CreateGrant"),
        [grants(f"to {role('App')}", IF_EXISTS)],
    ),
    "a grant to somebody who was not declared": (
        a_key(
            allow(
                role("Ops"),
                "kms:CreateGrant",
                sid="Use",
                Condition={"ArnEquals": {"kms:GranteePrincipal": [role("App"), role("Else")]}},
            ),
            grants=(Grant(role("App"), ("Decrypt",)),),
        ),
        [grants(f"to {role('Ops')}"), direct(role("App"), "Decrypt")],
    ),
    "a grant of more than was declared": (
        a_key(
            allow(role("Ops"), "kms:CreateGrant", sid="Use", Condition=declared_only("Decrypt", "Encrypt")),
            grants=(Grant(role("App"), ("Decrypt",)),),
        ),
        [grants(f"to {role('Ops')}"), direct(role("App"), "Decrypt")],
    ),
    "a grant whose operations may be missing": (
        a_key(
            allow(
                role("Ops"),
                "kms:CreateGrant",
                sid="Use",
                Condition={name: keys for name, keys in declared_only("Decrypt").items() if name != "Null"},
            ),
            grants=(Grant(role("App"), ("Decrypt",)),),
        ),
        [grants(f"to {role('Ops')}"), direct(role("App"), "Decrypt")],
    ),
    "a declared grant": (
        a_key(
            allow(role("Ops"), "kms:CreateGrant", sid="Use", Condition=declared_only("Decrypt")),
            grants=(
                Grant(
                    role("App"),
                    ("Decrypt", "DescribeKey"),
                    constraints={"EncryptionContextSubset": {"Department": "Finance"}},
                    name="finance",
                ),
            ),
        ),
        [
            direct(
                role("App"),
                "Decrypt, DescribeKey (EncryptionContextSubset Department=Finance)",
                " 'finance'",
            )
        ],
    ),
    "a declared grant, made by whom it says": (
        a_key(
            allow(role("Ops"), "kms:CreateGrant", sid="Use", Condition=declared_only("Decrypt")),
            grants=(Grant(role("App"), ("Decrypt",), created_by=(role("Ops"),)),),
        ),
        [direct(role("App"), "Decrypt")],
    ),
    "a declared grant that another makes": (
        a_key(
            allow(role("Else"), "kms:CreateGrant", sid="Use", Condition=declared_only("Decrypt")),
            grants=(Grant(role("App"), ("Decrypt",), created_by=(role("Ops"),)),),
        ),
        [grants(f"to {role('Else')}"), direct(role("App"), "Decrypt")],
    ),
    "a declared grant of which nobody knows to whom": (
        a_key(grants=(Grant(Unknown("a parameter decides"), ("Decrypt",), name="app"),)),
        [
            Said(
                U,
                "direct-grant",
                "",
                "Whom direct grant 'app' lets use the key is not known: a parameter decides.",
            )
        ],
    ),
    "a grant that carries CreateGrant": (
        a_key(grants=(Grant(role("Ops"), ("CreateGrant",), name="ops"),)),
        [
            grants(f"to {role('Ops')}", path="", label="Grant 'ops'"),
            direct(role("Ops"), "CreateGrant", " 'ops'"),
        ],
    ),
}


@pytest.mark.parametrize(("key", "expected"), CASES.values(), ids=CASES)
def test_not_scoped(key: Key, expected: list[Said]) -> None:
    assert said(judge("IAM-KMS-6", key)) == expected


def test_grants_flagged_for_services_only_pass() -> None:
    key = used_by(role("App"), {"Bool": {"kms:GrantIsForAWSResource": "true"}}, "kms:CreateGrant")
    assert said(judge("IAM-KMS-6", key)) == [GOOD]


def test_the_services_that_need_a_scope_are_configured() -> None:
    key = used_by(SNS, None)
    assert said(judge("IAM-KMS-6", key, GuardrailConfig(scoped_services=("logs.*",)))) == [GOOD]
    assert said(judge("IAM-KMS-6", key, GuardrailConfig(scoped_services=("sns.*",)))) == [
        source("sns.amazonaws.com")
    ]


def test_direct_grants_are_authorised_by_the_configuration() -> None:
    key = used_by(role("Ops"), None, "kms:CreateGrant")
    assert said(judge("IAM-KMS-6", key, GuardrailConfig(authorised={"IAM-KMS-6": (role("Ops"),)}))) == [GOOD]


def test_the_advice_for_eks_followed_literally_is_scoped() -> None:
    """AWS's own form, DescribeKey and CreateGrant without a condition, and then what the fix says."""
    plain = used_by(role("Clusters"), None, "kms:DescribeKey", "kms:CreateGrant")
    (told,) = [one for one in judge("IAM-KMS-6", plain) if one.detail == "CreateGrant"]
    found = re.search(r"limited by StringEquals (\S+) (\S+);", told.fix)
    assert found is not None
    limit = {found[1]: found[2].replace("<region>", "eu-west-1")}

    limited = used_by(role("Clusters"), {"StringEquals": limit}, "kms:DescribeKey", "kms:CreateGrant")

    assert [one for one in judge("IAM-KMS-6", limited) if one.detail == "CreateGrant"] == []
