"""What is certainly allowed, certainly denied, or open, and why."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.analysis.certain import NOT_SAID, Answer, Attached, Call, InView, certain, key_facts
from kms_constructs.errors import ArgumentError
from kms_constructs.model.estate import Grant, KeyKind
from kms_constructs.model.policy import Policy, parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from tests.strategies import HOME, KEY_ARN, KEY_ID, OTHER, key_of

C, U, N = Answer.CERTAIN, Answer.OPEN, Answer.NEVER
ROOT = f"arn:aws:iam::{HOME}:root"
APP = f"arn:aws:iam::{HOME}:role/App"
ALICE = f"arn:aws:iam::{HOME}:user/alice"
THEIRS = f"arn:aws:iam::{OTHER}:role/App"
LINKED = f"arn:aws:iam::{HOME}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"
LOGS = "logs.amazonaws.com"
ACCOUNT = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
P = hole(HoleKind.UNRESOLVED, "P")
WHY = Unknown("a test says so")


def allow(principal: object, **more: Any) -> dict[str, Any]:
    who = principal if principal == "*" or isinstance(principal, dict) else {"AWS": principal}
    return {"Sid": "Yes", "Effect": "Allow", "Principal": who, "Action": "kms:*", "Resource": "*", **more}


def deny(**more: Any) -> dict[str, Any]:
    return {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", **more}


def when(operator: str, key: str, *values: object) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


def policy(effect: str = "Allow", **more: Any) -> Policy:
    return parse_policy({"Statement": {"Effect": effect, "Action": "kms:*", "Resource": "*", **more}})


IAM = InView(identity=(Attached(policy()),))
PERHAPS = InView(identity=(Attached(policy(), certain=False),))
OTHERS = InView(others_attached=True)

# statements, caller, what is in view, answer; the call is of Decrypt, and carries nothing that is not told
CASES: dict[str, tuple[list[object], str, InView, Answer]] = {
    "named": ([allow(APP)], APP, InView(), C),
    "anyone": ([allow("*")], APP, InView(), C),
    "a service": ([allow({"Service": LOGS})], LOGS, InView(), C),
    "nobody": ([], APP, IAM, N),
    "another": ([allow(ALICE)], APP, IAM, N),
    "the account, with an IAM policy": ([allow(HOME)], APP, IAM, C),
    "the account, with one that is perhaps attached": ([allow(HOME)], APP, PERHAPS, U),
    "the account, with others that may be": ([allow(HOME)], APP, OTHERS, U),
    "the account, without": ([allow(HOME)], APP, InView(), N),
    "the account, and its root user": ([allow(HOME)], ROOT, InView(), C),
    "from abroad, with an IAM policy": ([allow(THEIRS)], THEIRS, IAM, C),
    "from abroad, without": ([allow(THEIRS)], THEIRS, InView(), N),
    "from abroad, with one perhaps": ([allow(THEIRS)], THEIRS, PERHAPS, U),
    "one session of it": ([allow(f"arn:aws:sts::{HOME}:assumed-role/App/s")], APP, InView(), U),
    "whom, is not known": ([allow({"AWS": WHY})], APP, InView(), U),
    "whom, is a text that is not known": ([allow(P)], APP, InView(), U),
    "what, is not known": ([allow(APP, Action=WHY)], APP, InView(), U),
    "on what, is not known": ([allow(APP, Resource=WHY)], APP, InView(), U),
    "an Allow that may be there": ([Maybe(allow(APP), "x")], APP, InView(), U),
    "an Allow by the key's own ARN": ([allow(APP, Resource=KEY_ARN)], APP, InView(), C),
    "a Deny": ([allow(APP), deny()], APP, InView(), N),
    "a Deny of somebody else": ([allow(APP), deny(Principal={"AWS": ALICE})], APP, InView(), C),
    "a Deny of its account": ([allow(APP), deny(Principal={"AWS": HOME})], APP, InView(), N),
    "a Deny of one session": (
        [allow(APP), deny(Principal={"AWS": f"arn:aws:sts::{HOME}:assumed-role/App/s"})],
        APP,
        InView(),
        U,
    ),
    "a Deny that may be there": ([allow(APP), Maybe(deny(), "x")], APP, InView(), U),
    "a Deny of whom, is not known": ([allow(APP), deny(Principal={"AWS": P})], APP, InView(), U),
    "a Deny that exempts it and one who is not known": (
        [allow(APP), deny(**when("ArnNotEquals", "aws:PrincipalArn", APP, P))],
        APP,
        InView(),
        C,
    ),
    "a Deny that exempts one who is not known": (
        [allow(APP), deny(**when("ArnNotEquals", "aws:PrincipalArn", P))],
        APP,
        InView(),
        U,
    ),
    "a Deny by Region": ([allow(APP), deny(**when("StringEquals", "aws:RequestedRegion", "us-east-1"))],
        APP, InView(), N),
    "a Deny by another Region": (
        [allow(APP), deny(**when("StringEquals", "aws:RequestedRegion", "eu-west-1"))], APP, InView(), C),
    "a Deny by a tag of the key, which it may get": (
        [allow(APP), deny(**when("StringEquals", "aws:ResourceTag/a", "b"))], APP, InView(), U),
    "a Deny without a key that the call does not carry": (
        [allow(APP), deny(**when("StringNotEquals", "kms:ViaService", "s3.us-east-1.amazonaws.com"))],
        APP, InView(), N),
    "a Deny by a variable": (
        [allow(APP), deny(**when("StringNotEquals", "aws:PrincipalAccount", "${aws:ResourceAccount}"))],
        APP, InView(), C),
    "all but it are denied, with its account": (
        [allow(APP), {"Effect": "Deny", "NotPrincipal": {"AWS": [APP, ROOT]}, "Action": "*",
                      "Resource": "*"}],
        APP, InView(), C),
    "all but it are denied, without its account": (
        [allow(APP), {"Effect": "Deny", "NotPrincipal": {"AWS": APP}, "Action": "*", "Resource": "*"}],
        APP, InView(), N),
    "an IAM policy denies": (
        [allow(APP)], APP, InView(identity=(Attached(policy("Deny")),)), N),
    "an IAM policy that is perhaps attached denies": (
        [allow(APP)], APP, InView(identity=(Attached(policy("Deny"), certain=False),)), U),
    "a boundary that allows it": ([allow(HOME)], APP, InView(
        identity=IAM.identity, boundaries=(Attached(policy()),)), C),
    "a boundary that does not": ([allow(HOME)], APP, InView(
        identity=IAM.identity, boundaries=(Attached(policy(Action="s3:*")),)), N),
    "a boundary that does not, of one who is named": ([allow(APP)], APP, InView(
        boundaries=(Attached(policy(Action="s3:*")),)), U),
    "a service control policy": ([allow(APP)], APP, InView(scps=(policy("Deny"),)), N),
    "a service control policy, of the root user": ([allow(ROOT)], ROOT, InView(scps=(policy("Deny"),)), N),
    "a service control policy, from abroad": (
        [allow(THEIRS)], THEIRS, InView(identity=IAM.identity, scps=(policy("Deny"),)), C),
    "a service control policy, of a service": (
        [allow({"Service": LOGS})], LOGS, InView(scps=(policy("Deny"),)), C),
    "a resource control policy": ([allow(APP)], APP, InView(rcps=(policy("Deny"),)), N),
    "a resource control policy, from abroad": (
        [allow(THEIRS)], THEIRS, InView(identity=IAM.identity, rcps=(policy("Deny"),)), N),
    "a resource control policy, of a service-linked role": (
        [allow(LINKED)], LINKED, InView(rcps=(policy("Deny"),)), C),
    "a unique id": ([allow("AROAEXAMPLEEXAMPLE123")], APP, InView(), U),
    "the policy is not known": ([WHY], APP, InView(), U),
}  # fmt: skip


@pytest.mark.parametrize(("statements", "caller", "view", "answer"), CASES.values(), ids=CASES)
def test_answers(statements: list[object], caller: str, view: InView, answer: Answer) -> None:
    call = Call(principal=caller, action="kms:decrypt", others=None)
    assert certain(call, key_of({"Statement": statements}), view).answer is answer


@pytest.mark.parametrize(
    ("condition", "told", "answer"),
    [
        (when("StringEquals", "kms:ViaService", "a"), {"kms:viaservice": "a"}, C),
        (when("StringEquals", "kms:ViaService", "a"), {"kms:viaservice": "b"}, N),
        (when("StringEquals", "kms:ViaService", "a"), {"kms:viaservice": None}, N),
        (when("StringEquals", "kms:ViaService", "a"), {}, U),
        (when("StringEquals", "kms:ViaService", "a"), {"kms:viaservice": P}, U),
        (when("StringEquals", "kms:ViaService", P), {"kms:viaservice": P}, C),
        (when("StringLike", "kms:ViaService", "a*"), {"kms:viaservice": f"a{P}"}, C),
        (when("StringLike", "kms:ViaService", "b*"), {"kms:viaservice": f"a{P}"}, N),
        (when("StringEquals", "kms:ViaService", "a", P), {"kms:viaservice": "a"}, C),
        (when("Null", "kms:ViaService", "false"), {"kms:viaservice": P}, C),
        (when("Null", "kms:ViaService", "false"), {"kms:viaservice": NOT_SAID}, U),
        (when("StringAlike", "kms:ViaService", "a"), {"kms:viaservice": "a"}, U),
        (when("ForAllValues:StringEquals", "aws:TagKeys", "a", P), {"aws:tagkeys": ("a", "b")}, U),
        (when("ForAnyValue:StringEquals", "aws:TagKeys", "a", P), {"aws:tagkeys": ("a", "b")}, C),
        (when("Bool", "kms:GrantIsForAWSResource", "true"), {}, N),
        (when("StringEquals", "aws:SourceAccount", "${aws:SourceOrgID}"), {"aws:sourceaccount": "x"}, U),
    ],
)
def test_conditions_in_three_values(condition: dict[str, Any], told: dict[str, Any], answer: Answer) -> None:
    key = key_of({"Statement": [allow(APP, **condition)]})
    assert certain(Call(principal=APP, action="Decrypt", context=told), key).answer is answer


def test_the_reasons() -> None:
    scp = parse_policy(
        {
            "Statement": {
                "Sid": "Late",
                "Effect": "Deny",
                "Action": "kms:*",
                "Resource": "*",
                **when("DateLessThan", "aws:CurrentTime", "2030-01-01"),
            }
        }
    )
    found = certain(
        Call(principal=APP, action="Decrypt"),
        key_of({"Statement": [allow(HOME)]}),
        InView(others_attached=True, scps=(scp,)),
    )
    assert found.answer is U
    assert found.allowed is None
    assert [step.label for step in found.allows] == ["statement 'Yes'"]
    assert [(step.label, step.why, step.on_request) for step in found.denies] == [
        (
            "service control policy, statement 'Late'",
            "whether aws:CurrentTime DateLessThan holds is open",
            True,
        )
    ]
    assert found.missing == ("an IAM policy that allows kms:Decrypt",)


def test_administration_from_abroad() -> None:
    key = key_of({"Statement": [allow(THEIRS), allow("*")]})
    call = Call(principal=THEIRS, action="DisableKey", others=None)
    assert certain(call, key, IAM).answer is N
    unknown = key_of({"Statement": [allow(THEIRS)]}, account=ACCOUNT)
    assert certain(call, unknown, IAM).answer is U
    assert certain(Call(principal=THEIRS, action="Decrypt", others=None), unknown, IAM).answer is C


def test_the_account_is_the_same_whichever_it_is() -> None:
    key = key_of({"Statement": [allow(f"arn:aws:iam::{ACCOUNT}:root")]}, account=ACCOUNT)
    mine = Call(principal=f"arn:aws:iam::{ACCOUNT}:root", action="PutKeyPolicy", others=None)
    assert certain(mine, key).answer is C
    assert certain(Call(principal=ROOT, action="PutKeyPolicy", others=None), key).answer is U


def test_a_key_that_is_named_by_its_id() -> None:
    made = {"key_id": hole(HoleKind.GENERATED, "Key.Id")}
    call = Call(principal=APP, action="Decrypt", others=None)
    for statements, answer in (
        ([allow(APP, Resource=KEY_ARN)], U),
        ([allow(APP), deny(Resource=KEY_ARN)], U),
        ([allow(APP), deny(Resource=KEY_ARN.replace(HOME, OTHER))], C),
    ):
        assert certain(call, key_of({"Statement": statements}, **made)).answer is answer
    assert KEY_ID in KEY_ARN


@pytest.mark.parametrize(
    ("grant", "told", "answer"),
    [
        (Grant(APP, ("Decrypt",)), {}, C),
        (Grant(APP, ("Encrypt",)), {}, N),
        (Grant(ALICE, ("Decrypt",)), {}, N),
        (Grant(WHY, ("Decrypt",)), {}, U),
        (Grant(APP, WHY), {}, U),
        (Grant(APP, ("Decrypt",), constraints={"EncryptionContextSubset": {"a": "b"}}), {}, U),
        (
            Grant(APP, ("Decrypt",), constraints={"EncryptionContextSubset": {"a": "b"}}),
            {"kms:encryptioncontext:a": "b"},
            C,
        ),
        (
            Grant(APP, ("Decrypt",), constraints={"EncryptionContextEquals": {"a": "b"}}),
            {"kms:encryptioncontext:a": "c"},
            N,
        ),
    ],
)
def test_grants(grant: Grant, told: dict[str, Any], answer: Answer) -> None:
    key = key_of({"Statement": []}, grants=(grant,))
    assert certain(Call(principal=APP, action="Decrypt", context=told), key).answer is answer


def test_what_a_key_is_stands_in_every_request() -> None:
    key = key_of({"Statement": []}, multi_region=True, kind=KeyKind.REPLICA, tags={"Stage": "prod", "x": WHY})
    assert key_facts(key) == {
        "kms:keyorigin": "AWS_KMS",
        "kms:keyspec": "SYMMETRIC_DEFAULT",
        "kms:keyusage": "ENCRYPT_DECRYPT",
        "kms:multiregion": "true",
        "kms:multiregionkeytype": "REPLICA",
        "aws:requestedregion": "us-east-1",
        "aws:resourceaccount": HOME,
        "aws:resourcetag/stage": "prod",
        "aws:resourcetag/x": WHY,
    }
    assert key_facts(key_of({"Statement": []}, multi_region=WHY))["kms:multiregionkeytype"] is WHY


def test_an_action_that_kms_does_not_have() -> None:
    with pytest.raises(ArgumentError):
        Call(principal=APP, action="Decode")
