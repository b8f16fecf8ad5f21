"""Concrete requests, decided by the documented logic."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.analysis.evaluate import Decision, Request, evaluate, substitute
from kms_constructs.analysis.principals import PrincipalKind
from kms_constructs.errors import ArgumentError
from kms_constructs.model.estate import Grant
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.unknown import Maybe, Unknown
from tests.strategies import HOME, KEY_ARN, OTHER, key_of

APP = f"arn:aws:iam::{HOME}:role/App"
ALICE = f"arn:aws:iam::{HOME}:user/alice"
ROOT = f"arn:aws:iam::{HOME}:root"
THEIRS = f"arn:aws:iam::{OTHER}:role/App"
LINKED = f"arn:aws:iam::{HOME}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"
WHY = Unknown("a test says so")


def allow(principal: object, **more: Any) -> dict[str, Any]:
    return {
        "Sid": "Yes",
        "Effect": "Allow",
        "Principal": principal,
        "Action": "kms:*",
        "Resource": "*",
        **more,
    }


def deny(**more: Any) -> dict[str, Any]:
    return {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", **more}


IAM = parse_policy({"Statement": {"Sid": "Mine", "Effect": "Allow", "Action": "kms:*", "Resource": "*"}})
IAM_DENY = parse_policy({"Statement": {"Sid": "Never", "Effect": "Deny", "Action": "kms:*", "Resource": "*"}})

NOTHING = Decision(False, ("nothing allows it",))
YES = Decision(True, ("key policy: Yes allows",))
BOTH = Decision(True, ("key policy: Yes allows", "IAM policy: Mine allows"))
NO = Decision(False, ("key policy: No denies",))

# statements, caller, whether its IAM policies allow, decision
CASES: dict[str, tuple[list[object], str, bool, Decision]] = {
    "named": ([allow({"AWS": APP})], APP, False, YES),
    "named in another partition": ([allow({"AWS": APP.replace("aws", "aws-cn", 1)})], APP, True, NOTHING),
    "not named": ([allow({"AWS": APP})], ALICE, True, NOTHING),
    "account, without IAM": ([allow({"AWS": HOME})], APP, False, NOTHING),
    "account, with IAM": ([allow({"AWS": ROOT})], APP, True, BOTH),
    "account, root user": ([allow({"AWS": ROOT})], ROOT, False, YES),
    "another account's root user": ([allow({"AWS": ROOT})], f"arn:aws:iam::{OTHER}:root", True, NOTHING),
    "IAM alone": ([allow({"AWS": ALICE})], APP, True, NOTHING),
    "named abroad, without IAM": ([allow({"AWS": THEIRS})], THEIRS, False, NOTHING),
    "named abroad, with IAM": ([allow({"AWS": THEIRS})], THEIRS, True, BOTH),
    "anyone, at home": ([allow("*")], APP, False, YES),
    "anyone, abroad without IAM": ([allow({"AWS": "*"})], THEIRS, False, NOTHING),
    "anyone, abroad with IAM": ([allow({"AWS": "*"})], THEIRS, True, BOTH),
    "service": ([allow({"Service": "s3.amazonaws.com"})], "s3.amazonaws.com", False, YES),
    "another service": ([allow({"Service": "s3.amazonaws.com"})], "logs.amazonaws.com", False, NOTHING),
    "all but me": (
        [{"Effect": "Allow", "NotPrincipal": {"AWS": APP}, "Action": "*", "Resource": "*"}],
        APP,
        True,
        NOTHING,
    ),
    "a session of mine": ([allow({"AWS": f"arn:aws:sts::{HOME}:assumed-role/App/s"})], APP, False, YES),
    "a session of another account": (
        [allow({"AWS": f"arn:aws:sts::{OTHER}:assumed-role/App/s"})],
        APP,
        True,
        NOTHING,
    ),
    "denied": ([allow({"AWS": APP}), deny()], APP, True, NO),
    "denied with my account": ([allow({"AWS": APP}), deny(Principal={"AWS": HOME})], APP, True, NO),
    "another is denied": ([allow({"AWS": APP}), deny(Principal={"AWS": ALICE})], APP, True, YES),
    "one session is denied": (
        [allow({"AWS": APP}), deny(Principal={"AWS": f"arn:aws:sts::{HOME}:assumed-role/App/s"})],
        APP,
        False,
        YES,
    ),
    "all but me are denied": (
        [
            allow({"AWS": APP}),
            {"Effect": "Deny", "NotPrincipal": {"AWS": [APP, ROOT]}, "Action": "*", "Resource": "*"},
        ],
        APP,
        False,
        YES,
    ),
    "all but me are denied, without my account": (
        [
            allow({"AWS": APP}),
            {"Effect": "Deny", "NotPrincipal": {"AWS": APP}, "Action": "*", "Resource": "*"},
        ],
        APP,
        False,
        Decision(False, ("key policy: statement 1 denies",)),
    ),
    "all but my account are denied": (
        [
            allow({"AWS": APP}),
            {"Effect": "Deny", "NotPrincipal": {"AWS": ROOT}, "Action": "*", "Resource": "*"},
        ],
        APP,
        False,
        Decision(False, ("key policy: statement 1 denies",)),
    ),
    "all but my account are denied, and I am its root user": (
        [
            allow({"AWS": ROOT}),
            {"Effect": "Deny", "NotPrincipal": {"AWS": ROOT}, "Action": "*", "Resource": "*"},
        ],
        ROOT,
        False,
        YES,
    ),
    "exempt": (
        [allow({"AWS": APP}), deny(Condition={"ArnNotEquals": {"aws:PrincipalArn": APP}})],
        APP,
        False,
        YES,
    ),
    "not exempt": (
        [allow({"AWS": APP}), deny(Condition={"ArnNotEquals": {"aws:PrincipalArn": ALICE}})],
        APP,
        False,
        NO,
    ),
    "exempt in another partition only": (
        [
            allow({"AWS": APP}),
            deny(Condition={"ArnNotEquals": {"aws:PrincipalArn": APP.replace("aws", "aws-cn", 1)}}),
        ],
        APP,
        False,
        NO,
    ),
    "exempt by a variable": (
        [
            allow({"AWS": APP}),
            deny(
                Condition={
                    "ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:role/App"}
                }
            ),
        ],
        APP,
        False,
        YES,
    ),
    "another key": ([allow({"AWS": APP}, Resource=KEY_ARN[:-1])], APP, True, NOTHING),
    "all but this key": (
        [{"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "*", "NotResource": KEY_ARN}],
        APP,
        True,
        NOTHING,
    ),
    "keys of my account": (
        [allow({"AWS": APP}, Resource="arn:aws:kms:*:${aws:PrincipalAccount}:key/*")],
        APP,
        False,
        YES,
    ),
    "keys by a variable without a value": (
        [allow({"AWS": APP}, Resource="arn:aws:kms:*:*:key/${aws:PrincipalTag/key}")],
        APP,
        False,
        NOTHING,
    ),
    "denied on keys by a variable without a value": (
        [allow({"AWS": APP}), deny(Resource="arn:aws:kms:*:*:key/${aws:PrincipalTag/key}")],
        APP,
        False,
        NO,
    ),
    "no resource": ([{"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "*"}], APP, True, NOTHING),
    "all but this action": (
        [{"Effect": "Allow", "Principal": {"AWS": APP}, "NotAction": "kms:De*", "Resource": "*"}],
        APP,
        True,
        NOTHING,
    ),
    "unknown effect": (
        [allow({"AWS": APP}, Effect=WHY)],
        APP,
        True,
        Decision(False, ("key policy: Yes denies",)),
    ),
    "unknown action": ([allow({"AWS": APP}, Action=WHY)], APP, True, NOTHING),
    "unknown Deny": ([allow({"AWS": APP}), deny(Action=WHY)], APP, True, NO),
    "unknown principal of a Deny": ([allow({"AWS": APP}), deny(Principal=WHY)], APP, True, NO),
    "unknown condition": ([allow({"AWS": APP}, Condition=WHY)], APP, True, NOTHING),
    "unknown condition of a Deny": ([allow({"AWS": APP}), deny(Condition=WHY)], APP, True, NO),
    "unknown resource": ([allow({"AWS": APP}, Resource=WHY)], APP, True, NOTHING),
    "perhaps allowed": ([Maybe(allow({"AWS": APP}), "x")], APP, True, NOTHING),
    "perhaps denied": ([allow({"AWS": APP}), Maybe(deny(), "x")], APP, True, NO),
}


@pytest.mark.parametrize(("statements", "caller", "iam", "expected"), CASES.values(), ids=CASES)
def test_decisions(statements: list[object], caller: str, iam: bool, expected: Decision) -> None:
    request = Request(principal=caller, action="kms:decrypt")
    policies = [IAM] if iam else []
    assert evaluate(request, key_of({"Statement": statements}), identity_policies=policies) == expected


COLON = f"arn:aws:iam::{HOME}:role/x:y/App"
ROLES = {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/*"}
UNDOCUMENTED = {
    "an exemption by an ARN pattern, for a path with a colon": (
        [allow({"AWS": COLON}), deny(Condition={"ArnNotLike": ROLES})],
        COLON,
        (False, False, True),
    ),
    "an Allow by an ARN pattern, for a path with a colon": (
        [allow({"AWS": COLON}, Condition={"ArnLike": ROLES})],
        COLON,
        (False, True, False),
    ),
    "a text pattern runs over colons": (
        [allow({"AWS": COLON}, Condition={"StringLike": ROLES})],
        COLON,
        (True, True, True),
    ),
    "a missing key under ForAnyValue with IfExists": (
        [
            allow({"Service": "s3.amazonaws.com"}),
            deny(Condition={"ForAnyValue:StringNotLikeIfExists": {"aws:PrincipalArn": ROOT}}),
        ],
        "s3.amazonaws.com",
        (False, False, True),
    ),
}


@pytest.mark.parametrize(("statements", "caller", "expected"), UNDOCUMENTED.values(), ids=UNDOCUMENTED)
def test_what_is_not_documented_is_what_is_assumed(
    statements: list[object], caller: str, expected: tuple[bool, bool, bool]
) -> None:
    """Nothing assumed: an Allow does not apply, a Deny does; else the condition holds, or does not."""
    key = key_of({"Statement": statements})
    request = Request(principal=caller, action="Decrypt")
    found = tuple(evaluate(request, key, assume=assume).allowed for assume in (None, True, False))
    assert found == expected


@pytest.mark.parametrize(
    ("caller", "action", "policies", "expected"),
    [
        (APP, "Decrypt", {"identity_policies": [IAM, IAM_DENY]}, ("IAM policy: Never denies",)),
        (APP, "Decrypt", {"scps": [IAM_DENY]}, ("service control policy: Never denies",)),
        (APP, "RetireGrant", {"scps": [IAM_DENY]}, ("service control policy: Never denies",)),
        (APP, "Decrypt", {"rcps": [IAM_DENY]}, ("resource control policy: Never denies",)),
        (APP, "RetireGrant", {"rcps": [IAM_DENY]}, ("key policy: Yes allows",)),
        (LINKED, "Decrypt", {"scps": [IAM_DENY], "rcps": [IAM_DENY]}, ("key policy: Yes allows",)),
        ("s3.amazonaws.com", "Decrypt", {"scps": [IAM_DENY]}, ("key policy: Yes allows",)),
        ("s3.amazonaws.com", "Decrypt", {"rcps": [IAM_DENY]}, ("resource control policy: Never denies",)),
        (
            THEIRS,
            "Decrypt",
            {"identity_policies": [IAM], "scps": [IAM_DENY]},
            ("key policy: Yes allows", "IAM policy: Mine allows"),
        ),
    ],
)
def test_policies_around_the_key(
    caller: str, action: str, policies: dict[str, Any], expected: tuple[str, ...]
) -> None:
    decision = evaluate(
        Request(principal=caller, action=action), key_of({"Statement": allow("*")}), **policies
    )
    assert decision == Decision(" allows" in expected[0], expected)


@pytest.mark.parametrize(
    ("caller", "action", "allowed"),
    [
        (THEIRS, "Decrypt", True),
        (THEIRS, "CreateGrant", True),
        (THEIRS, "DescribeKey", True),
        (THEIRS, "ScheduleKeyDeletion", False),
        (THEIRS, "GetKeyPolicy", False),
        (f"arn:aws:iam::{OTHER}:root", "PutKeyPolicy", False),
        (APP, "PutKeyPolicy", True),
        ("s3.amazonaws.com", "TagResource", True),
    ],
)
def test_what_kms_takes_from_other_accounts(caller: str, action: str, allowed: bool) -> None:
    key = key_of({"Statement": allow("*")})
    request = Request(principal=caller, action=action)
    assert evaluate(request, key, identity_policies=[IAM]).allowed is allowed


@pytest.mark.parametrize(
    ("grant", "context", "allowed"),
    [
        (Grant(APP, ("Decrypt",), name="g"), {}, True),
        (Grant(APP, ("Encrypt",), name="g"), {}, False),
        (Grant(ALICE, ("Decrypt",), name="g"), {}, False),
        (Grant(WHY, ("Decrypt",), name="g"), {}, False),
        (Grant(APP, WHY, name="g"), {}, False),
        (Grant(APP, ("Decrypt",), None, {"EncryptionContextSubset": {"dept": "it"}}, name="g"), {}, False),
        (
            Grant(APP, ("Decrypt",), None, {"EncryptionContextSubset": {"dept": "it"}}, name="g"),
            {"kms:encryptioncontext:dept": "it", "kms:encryptioncontext:stage": "prod"},
            True,
        ),
        (
            Grant(APP, ("Decrypt",), None, {"EncryptionContextEquals": {"dept": "it"}}, name="g"),
            {"kms:encryptioncontext:dept": "it", "kms:encryptioncontext:stage": "prod"},
            False,
        ),
        (
            Grant(APP, ("Decrypt",), None, {"EncryptionContextEquals": {"dept": "it"}}, name="g"),
            {"kms:encryptioncontext:dept": "it"},
            True,
        ),
    ],
)
def test_grants(grant: Grant, context: dict[str, str], allowed: bool) -> None:
    request = Request(principal=APP, action="Decrypt", context=context)
    expected = Decision(True, ("grant g allows",)) if allowed else NOTHING
    assert evaluate(request, key_of({"Statement": []}, grants=(grant,))) == expected


def test_a_deny_stands_above_a_grant() -> None:
    key = key_of({"Statement": deny()}, grants=(Grant(APP, ("Decrypt",)),))
    assert evaluate(Request(principal=APP, action="Decrypt"), key) == NO


@pytest.mark.parametrize(
    ("caller", "kind", "account", "kind_value"),
    [
        (ROOT, PrincipalKind.ROOT, HOME, ("Account",)),
        (ALICE, PrincipalKind.USER, HOME, ("User",)),
        (THEIRS, PrincipalKind.ROLE, OTHER, ("AssumedRole",)),
        (
            f"arn:aws-cn:sts::{HOME}:federated-user/fred",
            PrincipalKind.FEDERATED,
            HOME,
            ("FederatedUser",),
        ),
        ("s3.amazonaws.com", PrincipalKind.SERVICE, None, None),
    ],
)
def test_what_follows_from_the_caller(
    caller: str, kind: PrincipalKind, account: str | None, kind_value: tuple[str, ...] | None
) -> None:
    request = Request(principal=caller, action="Decrypt", context={"kms:viaservice": "s3"})
    assert (request.kind, request.account) == (kind, account)
    service = kind is PrincipalKind.SERVICE
    assert {
        key: request.values(key)
        for key in (
            "aws:principalarn",
            "aws:principalaccount",
            "kms:calleraccount",
            "aws:principalisawsservice",
            "aws:principaltype",
            "kms:viaservice",
            "aws:sourcearn",
        )
    } == {
        "aws:principalarn": None if service else (caller,),
        "aws:principalaccount": None if account is None else (account,),
        "kms:calleraccount": None if account is None else (account,),
        "aws:principalisawsservice": ("true",) if service else ("false",),
        "aws:principaltype": kind_value,
        "kms:viaservice": ("s3",),
        "aws:sourcearn": None,
    }


@pytest.mark.parametrize(
    "caller",
    [
        f"arn:aws:sts::{HOME}:assumed-role/App/s",
        f"arn:aws:iam::{HOME}:group/ops",
        "arn:aws:s3:::bucket",
    ],
)
def test_callers_that_do_not_call(caller: str) -> None:
    with pytest.raises(ArgumentError, match="for a role session name its role"):
        Request(principal=caller, action="Decrypt")


def test_an_action_that_does_not_exist() -> None:
    with pytest.raises(ArgumentError, match="KMS has no such action"):
        Request(principal=APP, action="kms:Decrypted")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a/${aws:PrincipalAccount}/b", f"a/{HOME}/b"),
        ("${AWS:principaltag/Team}", "it"),
        ("${aws:PrincipalTag/none}", None),
        ("${aws:PrincipalTag/none, 'all'}", "all"),
        ("${aws:PrincipalTag/none,'all'}-${aws:PrincipalTag/team}", "all-it"),
        ("${aws:PrincipalTag/star}", None),
        ("${aws:PrincipalTag/two}", None),
        ("${*}", None),
    ],
)
def test_policy_variables(text: str, expected: str | None) -> None:
    context = {
        "aws:principaltag/team": "it",
        "aws:principaltag/star": "*",
        "aws:principaltag/two": ("a", "b"),
    }
    assert substitute(text, Request(principal=APP, action="Decrypt", context=context)) == expected


def test_policy_variables_in_operators_that_take_none() -> None:
    condition = {"Bool": {"aws:PrincipalTag/ok": "${aws:PrincipalTag/ok}"}}
    key = key_of({"Statement": allow({"AWS": APP}, Condition=condition)})
    request = Request(principal=APP, action="Decrypt", context={"aws:principaltag/ok": "true"})
    assert evaluate(request, key) == NOTHING
