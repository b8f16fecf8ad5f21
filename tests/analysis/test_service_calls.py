"""The calls of uses: what they carry, and that keys which share answers get those that each gets alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_constructs.analysis import service_calls
from kms_constructs.analysis.certain import Answer, certain
from kms_constructs.analysis.service_calls import ServiceCall, UseAccess, calls_of
from kms_constructs.model.estate import Estate, Key, Location
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.service_requirement import KeyForm, Who
from kms_constructs.model.services import requirement_of
from kms_constructs.model.text import HoleKind, display, hole
from kms_constructs.model.unknown import Unknown
from kms_constructs.model.use import Link, Use, UsingRole

ACCOUNT = "111122223333"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/Other"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Worker"
PLACE = Location("app.json", "App", "User")


def a_use(requirement: str, *arns: str, **more: Any) -> Use:
    chain = tuple(
        Link(location=PLACE, resource_type="T", path="Properties", arn=arn) for arn in arns or ("",)
    )
    facts: dict[str, Any] = {
        "requirement": requirement,
        "key": "Key",
        "chain": chain,
        "form": KeyForm.ARN,
        "account": ACCOUNT,
        "region": "eu-west-1",
        "partition": "aws",
    }
    return Use(**{**facts, **more})


def calls(use: Use) -> list[ServiceCall]:
    needs = requirement_of(use.requirement)
    assert needs is not None
    return list(calls_of(use, needs))


def carried(use: Use, action: str) -> dict[str, object]:
    (one,) = calls(use)
    return {
        name: display(value) if isinstance(value, str) else value
        for name, value in one.call(action).context.items()
    }


def test_the_topic_is_the_context_and_the_alarm_the_source() -> None:
    alarm, topic = (
        f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:down",
        f"arn:aws:sns:eu-west-1:{ACCOUNT}:alerts",
    )
    assert carried(a_use("cloudwatch_alarms", alarm, topic), "Decrypt") == {
        "aws:sourceaccount": ACCOUNT,
        "aws:sourcearn": alarm,
        "kms:encryptioncontext:aws:sns:topicarn": topic,
    }


def test_what_no_resource_tells_is_open_within_what_aws_documents() -> None:
    assert carried(a_use("cloudwatch_alarms"), "Decrypt")["aws:sourcearn"] == (
        f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:${{sent.0}}"
    )


def test_what_a_service_does_not_send_is_absent() -> None:
    sent = carried(a_use("eventbridge_topics"), "Decrypt")
    assert (sent["aws:sourcearn"], sent["aws:sourceaccount"]) == (None, None)


def test_a_call_without_an_encryption_context_carries_none() -> None:
    ebs = a_use("ebs", creator=ROLE)
    name, flag = "kms:encryptioncontext:aws:ebs:id", "kms:grantisforawsresource"
    assert carried(ebs, "DescribeKey")[name] is None
    assert carried(ebs, "CreateGrant")[flag] == "true"
    assert flag not in carried(ebs, "GenerateDataKeyWithoutPlaintext")


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        pytest.param(a_use("sqs"), [], id="readers and writers"),
        pytest.param(a_use("dynamodb", creator=ROLE), [(ROLE, True)], id="who creates"),
        pytest.param(
            a_use("dynamodb"),
            [(f"arn:aws:iam::{ACCOUNT}:role/${{creator}}", False)],
            id="who creates, unknown",
        ),
        pytest.param(a_use("secret_rotation"), [], id="no role"),
        pytest.param(a_use("secret_rotation", roles=(UsingRole(0, ROLE),)), [(ROLE, True)], id="a role"),
        pytest.param(
            a_use("secret_rotation", roles=(UsingRole(0, Unknown("x")),)),
            [(f"arn:aws:iam::{ACCOUNT}:role/${{role}}", False)],
            id="a role, unknown",
        ),
        pytest.param(a_use("config"), [("config.amazonaws.com", True)], id="an option, and nothing else"),
        pytest.param(
            a_use("cloudtrail"), [("cloudtrail.amazonaws.com", True)] * 2, id="an option, and something else"
        ),
        pytest.param(
            a_use("cloudwatch_logs", region="cn-north-1", partition="aws-cn"),
            [("logs.cn-north-1.amazonaws.com.cn", True)],
            id="another partition",
        ),
    ],
)
def test_who_calls(use: Use, expected: list[tuple[str, bool]]) -> None:
    assert [(display(one.principal), one.known) for one in calls(use)] == expected


def a_key(number: int, *statements: object) -> Key:
    return Key(
        id=f"Key{number}",
        key_id=hole(HoleKind.GENERATED, f"App.Key{number}"),
        location=PLACE,
        account=ACCOUNT,
        region="eu-west-1",
        policy=parse_policy({"Statement": list(statements)}),
    )


PRINCIPALS: list[object] = [
    "*",
    {"AWS": "*"},
    {"AWS": ROLE},
    {"AWS": OTHER_ROLE},
    {"AWS": [OTHER_ROLE, "arn:aws:iam::444455556666:role/Worker"], "Service": "dynamodb.amazonaws.com"},
    {"AWS": [OTHER_ROLE, ROLE.replace("role", "*")]},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{hole(HoleKind.GENERATED, 'App.Role.Name')}"},
    {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/Worker/session"},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    {"Service": "cloudwatch.amazonaws.com"},
    {"Service": ["events.amazonaws.com", "logs.amazonaws.com"]},
    {"Service": "logs.eu-west-1.amazonaws.com"},
    {"Service": hole(HoleKind.UNRESOLVED, "S.Service")},
]
CONDITIONS: list[dict[str, object]] = [
    {},
    {},
    {"ArnEquals": {"aws:PrincipalArn": OTHER_ROLE}},
    {"ArnLike": {"aws:PrincipalArn": [OTHER_ROLE, ROLE]}},
    {"StringLike": {"aws:PrincipalArn": [OTHER_ROLE, f"arn:aws:iam::{ACCOUNT}:role/W*"]}},
    {"ArnNotEquals": {"aws:PrincipalArn": OTHER_ROLE}},
    {"ForAllValues:StringEquals": {"aws:PrincipalArn": OTHER_ROLE}},
    {"StringEquals": {"aws:PrincipalArn": OTHER_ROLE, "aws:SourceAccount": ACCOUNT}},
    {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    {"StringEquals": {"aws:SourceAccount": "444455556666"}},
    {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:*:{ACCOUNT}:alarm:up"}},
    {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:eu-west-1:{ACCOUNT}:*"}},
    {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/a"}},
    {"StringEquals": {"kms:ViaService": "dynamodb.eu-west-1.amazonaws.com"}},
    {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    {"StringEquals": {"aws:PrincipalAccount": "${aws:SourceAccount}"}},
    {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["aws:logs:arn"]}},
    {"Null": {"kms:EncryptionContext:aws:sns:topicArn": "false"}},
    {"StringEquals": {"aws:ResourceTag/service": "s1"}},
    {"StringEquals": {"aws:ResourceTag/service": "${aws:SourceAccount}"}},
    {"Bool": {"kms:MultiRegion": "true"}},
]
ACTIONS = ["kms:*", ["kms:Decrypt", "kms:GenerateDataKey*"], "kms:DescribeKey", "kms:CreateGrant"]
STATEMENTS = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Allow", "Deny"]),
        "Principal": st.sampled_from(PRINCIPALS),
        "Action": st.sampled_from(ACTIONS),
        "Condition": st.sampled_from(CONDITIONS),
        "Resource": st.just("*"),
    }
)
ALARM = f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:up"
ALARM_DOWN = f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:down"
GROUP = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/a"
USES = [
    a_use("cloudwatch_alarms"),
    a_use("cloudwatch_alarms", ALARM),
    a_use("cloudwatch_alarms", ALARM_DOWN),
    a_use("eventbridge_topics"),
    a_use("cloudwatch_logs"),
    a_use("cloudwatch_logs", GROUP),
    a_use("dynamodb"),
    a_use("dynamodb", creator=ROLE),
    a_use("dynamodb", creator=f"arn:aws:iam::{ACCOUNT}:role/Shop-Role-1ABCDEFGHIJKL"),
    a_use("step_functions", creator=ROLE, roles=(UsingRole(1, ROLE),)),
]


def test_the_answer_to_one_resource_is_not_that_to_another() -> None:
    """The same principal, action and statements, and what the call carries is not the same."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "kms:*",
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": ALARM}},
    }
    for order in ((ALARM, ALARM_DOWN), (ALARM_DOWN, ALARM)):
        access, found = UseAccess(Estate()), {}
        for alarm in order:
            (one,) = calls(a_use("cloudwatch_alarms", alarm))
            found[alarm] = {answer.answer for _, answer in access.answers(one, a_key(0, statement))}
        assert found == {ALARM: {Answer.CERTAIN}, ALARM_DOWN: {Answer.NEVER}}


def test_what_a_tag_allows_is_allowed_on_the_keys_that_have_it() -> None:
    statement = {
        "Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/team": "orders"}},
    }  # fmt: skip
    access = UseAccess(Estate())
    (one,) = calls(a_use("dynamodb", creator=ROLE))
    for team, answer in (("orders", Answer.CERTAIN), ("others", Answer.NEVER), ("orders", Answer.CERTAIN)):
        key = replace(a_key(0, statement), tags={"team": team})
        assert {found.answer for _, found in access.answers(one, key)} == {answer}


def test_a_service_linked_role_may_have_a_suffix() -> None:
    (one,) = calls(a_use("auto_scaling"))
    assert one.caller.who is Who.LINKED_ROLE
    statement = {
        "Effect": "Allow", "Principal": {"AWS": f"{one.principal}_Orders"}, "Action": "kms:*", "Resource": "*"
    }  # fmt: skip
    answers = {found.answer for _, found in UseAccess(Estate()).answers(one, a_key(0, statement))}
    assert answers == {Answer.OPEN}


def test_a_name_of_the_form_that_cloudformation_gives_may_be_that_of_a_role_of_a_template() -> None:
    made = f"arn:aws:iam::{ACCOUNT}:role/{hole(HoleKind.GENERATED, 'Shop.Role.Name')}"
    (one,) = calls(a_use("dynamodb", creator=f"arn:aws:iam::{ACCOUNT}:role/Shop-Role-1ABCDEFGHIJKL"))
    statement = {"Effect": "Allow", "Principal": {"AWS": made}, "Action": "kms:*", "Resource": "*"}
    answers = {found.answer for _, found in UseAccess(Estate()).answers(one, a_key(0, statement))}
    assert answers == {Answer.OPEN}


def test_keys_for_other_roles_ask_once_whether_this_one_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that names others by their ARNs, or is confined to them, says nothing of this caller."""
    asked: list[str] = []
    monkeypatch.setattr(
        service_calls, "certain", lambda call, key, view: asked.append(key.id) or certain(call, key, view)
    )
    access = UseAccess(Estate())
    (one,) = calls(a_use("dynamodb", creator=ROLE))
    for number in range(3):
        made = hole(HoleKind.GENERATED, f"App.Role{number}.Name")
        others = [f"{OTHER_ROLE}{number}", f"arn:aws:iam::{ACCOUNT}:user/u{number}"]
        others.append(f"arn:aws:iam::{ACCOUNT}:role/{made}")
        key = a_key(
            number,
            {"Effect": "Allow", "Principal": {"AWS": others}, "Action": "kms:*", "Resource": "*"},
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"},
            {
                "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
                "Condition": {"ArnEquals": {"aws:PrincipalArn": others}},
            },
        )  # fmt: skip
        key = replace(key, tags={"Name": f"key-{number}"})
        assert {found.answer for _, found in access.answers(one, key)} == {Answer.CERTAIN}
    assert set(asked) == {"Key0"}


@settings(max_examples=60)
@given(policies=st.lists(st.lists(STATEMENTS, max_size=3), min_size=2, max_size=3))
def test_answers_that_keys_share_are_those_of_each_alone(policies: list[list[dict[str, object]]]) -> None:
    together = UseAccess(Estate())
    for number, statements in enumerate(policies):
        key = a_key(number, *statements)
        key = replace(key, tags={"service": f"s{number % 2}"}, multi_region=number == 1)
        for use in USES:
            for one in calls(use):
                shared = {name: found.answer for names, found in together.answers(one, key) for name in names}
                assert shared == {name: _alone(one, name, key) for name in one.actions}


def _alone(one: ServiceCall, action: str, key: Key) -> Answer:
    """The answer to one action, of a key by itself."""
    caller = replace(one.caller, actions=(action,), called=())
    ((_, found),) = UseAccess(Estate()).answers(replace(one, caller=caller), replace(key))
    return found.answer


@settings(max_examples=60)
@given(statements=st.lists(STATEMENTS, max_size=3))
def test_what_is_refused_or_allowed_is_so_for_the_call_itself(statements: list[dict[str, object]]) -> None:
    """An answer is never surer than what is known of the call alone, but where AWS documents more."""
    key = a_key(0, *statements)
    access = UseAccess(Estate())
    for use in USES:
        for one in calls(use):
            for names, found in access.answers(one, key):
                for name in names:
                    exact = certain(one.call(name), key)
                    if found.answer is Answer.NEVER:
                        assert exact.answer is Answer.NEVER
                    elif found.answer is Answer.CERTAIN:
                        assert exact.answer is not Answer.NEVER


def test_a_service_may_be_named_without_its_region() -> None:
    statement = {
        "Effect": "Allow", "Principal": {"Service": "logs.amazonaws.com"}, "Action": "kms:*", "Resource": "*"
    }  # fmt: skip
    (one,) = calls(a_use("cloudwatch_logs"))
    answers = [found.answer for _, found in UseAccess(Estate()).answers(one, a_key(0, statement))]
    assert set(answers) == {Answer.OPEN}
    assert one.caller.who is Who.SERVICE
