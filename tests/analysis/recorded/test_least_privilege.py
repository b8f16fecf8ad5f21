"""Key policies narrowed to what was used."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kms_constructs.analysis.diff import diff_access
from kms_constructs.analysis.recorded import least_privilege
from kms_constructs.analysis.recorded.asked import asked_of
from kms_constructs.analysis.recorded.call import Recorded, RecordedKey
from kms_constructs.analysis.recorded.least_privilege import (
    Dropped,
    Narrowed,
    Narrowing,
    document_of,
    narrowed,
    narrowings,
    wider_than,
)
from kms_constructs.analysis.recorded.replay import Replay
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.model.actions import ACTIONS
from kms_constructs.model.estate import Estate, Key, Location
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from tests import strategies as world
from tests.trails import ACCOUNT, APP, ORDERS, REGION, one_by_one, record

OPS = f"arn:aws:iam::{ACCOUNT}:role/Ops"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
LOGS = f"logs.{REGION}.amazonaws.com"


def allow(principal: object, actions: object, sid: str = "Users", **rest: Any) -> dict[str, Any]:
    service = isinstance(principal, str) and principal.endswith(".com")
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service" if service else "AWS": principal},
        "Action": actions,
        "Resource": "*",
        **rest,
    }


def key_of(*statements: dict[str, Any]) -> Key:
    return Key(
        id="orders",
        location=Location("t.json", logical_id="OrdersKey"),
        account=ACCOUNT,
        region=REGION,
        policy=parse_policy({"Statement": list(statements)}),
        key_id=ORDERS.rpartition("/")[2],
    )


def narrowing(statements: list[dict[str, Any]], records: list[dict[str, Any]]) -> Narrowing:
    told = Recorded(calls=one_by_one(records), keys=(RecordedKey(arn=ORDERS),))
    (found,) = narrowings(told, Estate(keys=(key_of(*statements),))).keys
    return found


USED = [record("Decrypt"), record("DescribeKey")]
VIA = {"Condition": {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}}
MFA = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}

CASES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]] = {
    "what-is-not-used-goes": (
        [allow(APP, ["kms:Decrypt", "kms:Encrypt", "kms:DescribeKey"])],
        USED,
        [allow(APP, ["kms:Decrypt", "kms:DescribeKey"])],
    ),
    "what-is-used-stays": ([allow(APP, "kms:Decrypt")], USED, [allow(APP, "kms:Decrypt")]),
    "who-does-nothing-goes": (
        [allow([APP, OPS], ["kms:Decrypt", "kms:DescribeKey"])],
        USED,
        [allow(APP, ["kms:Decrypt", "kms:DescribeKey"])],
    ),
    "who-only-describes-keeps-that": (
        [allow(APP, ["kms:Decrypt", "kms:DescribeKey"])],
        [record("DescribeKey")],
        [allow(APP, "kms:DescribeKey")],
    ),
    "each-keeps-its-own": (
        [allow([APP, OPS], ["kms:Decrypt", "kms:Encrypt"])],
        [record("Decrypt"), record("Encrypt", caller=OPS)],
        [allow(APP, "kms:Decrypt"), allow(OPS, "kms:Encrypt", "Users2")],
    ),
    "a-pattern-is-written-out": (
        [allow(APP, ["kms:GenerateDataKey*", "kms:Describe*"])],
        [record("GenerateDataKey"), record("DescribeKey")],
        [allow(APP, ["kms:GenerateDataKey", "kms:Describe*"])],
    ),
    "conditions-stay": (
        [allow(APP, ["kms:Decrypt", "kms:Encrypt"], **VIA)],
        [record("Decrypt", service="s3.amazonaws.com")],
        [allow(APP, "kms:Decrypt", **VIA)],
    ),
    "administration-stays": (
        [allow(OPS, ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:Get*", "kms:TagResource"])],
        USED,
        [allow(OPS, ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:Get*", "kms:TagResource"])],
    ),
    "the-root-statement-stays": ([allow(ROOT, "kms:*")], USED, [allow(ROOT, "kms:*")]),
    "the-account-stays-beside-others": (
        [allow([ROOT, OPS], ["kms:Decrypt", "kms:PutKeyPolicy"])],
        USED,
        [allow(ROOT, ["kms:Decrypt", "kms:PutKeyPolicy"]), allow(OPS, "kms:PutKeyPolicy", "Users2")],
    ),
    "everyone-stays": ([allow("*", "kms:Decrypt", **VIA)], [], [allow("*", "kms:Decrypt", **VIA)]),
    "denies-stay": (
        [allow(APP, "kms:Decrypt"), {**allow("*", "kms:Encrypt", "Never"), "Effect": "Deny"}],
        USED,
        [allow(APP, "kms:Decrypt"), {**allow("*", "kms:Encrypt", "Never"), "Effect": "Deny"}],
    ),
    "a-grant-is-use": (
        [allow(APP, ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"])],
        USED,
        [allow(APP, ["kms:ListGrants", "kms:RevokeGrant"])],
    ),
    "a-service-by-whatever-name": (
        [allow(LOGS, ["kms:Decrypt", "kms:Encrypt"])],
        [record("Encrypt", caller=None, service="logs.amazonaws.com")],
        [allow(LOGS, "kms:Encrypt")],
    ),
    "a-service-without-name-may-be-any": (
        [allow(LOGS, ["kms:Decrypt", "kms:Encrypt"])],
        [record("Encrypt", caller=None, service="AWS Internal")],
        [allow(LOGS, "kms:Encrypt")],
    ),
    "who-is-told-by-account-alone-may-be-any-of-it": (
        [allow([APP, "arn:aws:iam::444455556666:role/X"], "kms:Decrypt")],
        [record("Decrypt", userIdentity={"type": "AWSAccount", "accountId": "444455556666"})],
        [allow("arn:aws:iam::444455556666:role/X", "kms:Decrypt")],
    ),
    "what-hangs-on-what-is-not-recorded-stays-when-used": (
        [allow(APP, ["kms:Decrypt", "kms:Encrypt"], **MFA)],
        USED,
        [allow(APP, "kms:Decrypt", **MFA)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_policy_and_the_one_that_is_enough(name: str) -> None:
    statements, records, expected = CASES[name]
    found = narrowing(statements, records)

    assert found.refused == ""
    assert found.after["Statement"] == document_of(parse_policy({"Statement": expected}))["Statement"]
    assert found.before["Statement"] == document_of(parse_policy({"Statement": statements}))["Statement"]


def test_it_says_what_it_takes_away_and_what_stays() -> None:
    found = narrowing(
        [allow([APP, OPS], ["kms:Decrypt", "kms:DescribeKey"]), allow(ROOT, "kms:*", "Root")], USED
    )

    assert found.dropped == (Dropped("Users", OPS, ("Decrypt", "DescribeKey")),)
    assert found.kept == ("Root leaves it to IAM policies",)
    assert found.calls == 2


def test_the_diff_is_a_unified_one() -> None:
    diff = narrowing([allow(APP, ["kms:Decrypt", "kms:Encrypt"])], USED).diff()

    assert diff.startswith(f"--- {ORDERS} as it is\n+++ {ORDERS} as it is used\n@@ ")
    assert '-        "kms:Decrypt",\n-        "kms:Encrypt"\n' in diff


def test_there_is_no_diff_where_all_is_used() -> None:
    assert narrowing([allow(APP, "kms:Decrypt")], USED).diff() == ""


def test_a_name_that_deployment_decides_may_be_anybodys() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/{hole(HoleKind.UNRESOLVED, 'RoleName')}"
    found = narrowing([allow(role, ["kms:Decrypt", "kms:Encrypt"])], USED)

    assert found.after["Statement"] == [
        {**allow(f"arn:aws:iam::{ACCOUNT}:role/${{RoleName}}", "kms:Decrypt")}
    ]


def test_a_policy_that_is_not_known_stays() -> None:
    key = key_of()
    told = Recorded(calls=one_by_one(USED), keys=(RecordedKey(arn=ORDERS),))
    (found,) = narrowings(told, Estate(keys=(key,))).keys

    assert (found.diff(), found.dropped) == ("", ())


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        pytest.param([allow([APP, OPS], "kms:*")], "Users would give more", id="more"),
        pytest.param([allow(APP, "kms:Encrypt")], "Decrypt of", id="less-than-was-used"),
    ],
)
def test_what_is_not_proven_is_not_proposed(
    statements: list[dict[str, Any]], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = parse_policy({"Statement": statements})
    monkeypatch.setattr(least_privilege, "narrowed", lambda *_: Narrowed(wrong, (), (), (1,)))
    found = narrowing([allow(APP, ["kms:Decrypt", "kms:Encrypt"])], USED)

    assert found.refused.startswith(why)
    assert (found.diff(), found.dropped) == ("", ())


def test_what_is_a_gain_to_the_comparison_of_access_is_not_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = parse_policy({"Statement": [allow([APP, OPS], ["kms:Decrypt", "kms:Encrypt"])]})
    monkeypatch.setattr(least_privilege, "narrowed", lambda *_: Narrowed(wrong, (), (), (1,)))
    monkeypatch.setattr(least_privilege, "wider_than", lambda *_: None)
    found = narrowing([allow(APP, ["kms:Decrypt", "kms:Encrypt"])], USED)

    assert found.refused == f"{OPS} would gain decrypt"


@pytest.mark.parametrize(
    ("narrow", "wide", "statement"),
    [
        pytest.param([allow(APP, "kms:Decrypt")], [allow(APP, "kms:*")], None, id="fewer-actions"),
        pytest.param([allow(APP, "kms:*")], [allow(APP, "kms:Decrypt")], "Users", id="more-actions"),
        pytest.param([allow(APP, "kms:*")], [allow([APP, OPS], "kms:*")], None, id="fewer-principals"),
        pytest.param([allow([APP, OPS], "kms:*")], [allow(APP, "kms:*")], "Users", id="more-principals"),
        pytest.param([allow(APP, "kms:*")], [allow(APP, "kms:*", **VIA)], "Users", id="no-condition"),
        pytest.param([allow(APP, "s3:Get*")], [allow(APP, "kms:*")], "Users", id="an-action-of-others"),
        pytest.param([], [{**allow(APP, "kms:*"), "Effect": "Deny"}], "Users", id="a-deny-less"),
    ],
)
def test_what_gives_more_is_named(
    narrow: list[dict[str, Any]], wide: list[dict[str, Any]], statement: str | None
) -> None:
    assert wider_than(parse_policy({"Statement": narrow}), parse_policy({"Statement": wide})) == statement


def lines_of(document: Any) -> list[str]:
    return json.dumps(document, indent=2, ensure_ascii=False).splitlines()


def patched(found: Narrowing) -> list[str]:
    """The lines of the policy with its diff applied, as `patch` does."""
    old, new = lines_of(found.before), []
    place = 0
    for line in found.diff().splitlines()[2:]:
        if line.startswith("@@"):
            start = int(line.split()[1].removeprefix("-").split(",")[0]) - 1
            new += old[place:start]
            place = start
        elif line.startswith("+"):
            new.append(line[1:])
        else:
            assert old[place] == line[1:]
            new += [line[1:]] if line.startswith(" ") else []
            place += 1
    return new + old[place:]


calls = st.lists(
    st.builds(
        lambda who, action: record(
            action,
            caller=None if who in world.SERVICES else who,
            service=who if who in world.SERVICES else None,
            key=world.KEY_ARN,
            awsRegion="us-east-1",
        ),
        st.sampled_from(world.PRINCIPALS),
        st.sampled_from(
            ("Decrypt", "Encrypt", "CreateGrant", "GenerateDataKey", "DescribeKey", "PutKeyPolicy")
        ),
    ),
    max_size=8,
)


@given(document=world.documents(), records=calls)
def test_nobody_gains_and_every_recorded_call_stays_as_it_was(
    document: dict[str, Any], records: list[dict[str, Any]]
) -> None:
    """Held against the evaluators, without the proofs that a proposal makes for itself."""
    key = world.key_of(document)
    told = one_by_one(records)
    found = narrowed(key.policy, told)
    policy, dropped = found.policy, found.dropped
    changed = world.key_of(policy)
    estates = [Estate(keys=(one,)) for one in (key, changed)]
    old, new = (EstateAccess(one) for one in estates)
    for action in ("Decrypt", "Encrypt", "CreateGrant", "PutKeyPolicy", "DescribeKey", "TagResource"):
        for who in world.PRINCIPALS:
            assert not new.could(changed, who, action) or old.could(key, who, action), (who, action)
    assert wider_than(policy, key.policy) is None

    before, after = (Replay(one, asked_of(estates).keys) for one in estates)
    for call in told:
        assert after.judge(call, changed).verdict is before.judge(call, key).verdict
    management = {name for name in ACTIONS if name in ("PutKeyPolicy", "TagResource", "ScheduleKeyDeletion")}
    assert not any(management & set(one.actions) for one in dropped)


@given(document=world.documents(), records=calls)
def test_a_proposal_is_never_refused_for_want_of_proof(
    document: dict[str, Any], records: list[dict[str, Any]]
) -> None:
    key = world.key_of(document)
    told = Recorded(calls=one_by_one(records), keys=(RecordedKey(arn=world.KEY_ARN),))
    (found,) = narrowings(told, Estate(keys=(key,))).keys
    assume(not key.policy.unknown)

    narrow = narrowed(key.policy, told.calls).policy
    if not narrow.statements:
        assert found.refused == "nothing of it was used, and a key needs a policy"
        return
    assert found.refused == ""
    assert patched(found) == lines_of(found.after)
    gains = [
        change
        for change in diff_access(Estate(keys=(key,)), Estate(keys=(world.key_of(narrow),)))
        if change.gains and change.after is not change.before
    ]
    assert gains == []
