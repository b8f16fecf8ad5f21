"""What the engine reads out of a trail is what every record tells by itself."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_constructs.analysis.evaluate import Request, evaluate
from kms_constructs.analysis.recorded.asked import Asked, asked_of
from kms_constructs.analysis.recorded.call import Recorded, RecordedKey
from kms_constructs.analysis.recorded.impact import impact_of
from kms_constructs.analysis.recorded.replay import Replay, Verdict
from kms_constructs.model.estate import Estate, IdentityPolicy, IdentityPolicyKind, Location
from kms_constructs.model.policy import parse_policy
from kms_constructs.runtime.trail.recorded import recorded_of
from tests import strategies as world
from tests.trails import ACCOUNT, APP, ORDERS, REGION, engine, one_by_one, record

few = settings(max_examples=settings.default.max_examples // 4)
OTHER = ORDERS.replace("1111-1111-1111", "2222-2222-2222")
NOTHING = Asked()


def read(records: list[dict[str, Any]], asked: Asked = NOTHING, **period: datetime) -> Recorded:
    return recorded_of(engine(records), asked, **period)


def told(found: Recorded) -> Counter[tuple[str, str, str]]:
    counted: Counter[tuple[str, str, str]] = Counter()
    for call in found.calls:
        counted[call.key, call.who, call.action] += call.calls
    return counted


OTHER_SIDE = {"type": "AWSAccount", "accountId": "444455556666"}
CASES: dict[str, tuple[list[dict[str, Any]], dict[tuple[str, str, str], int]]] = {
    "counted-together": (
        [record(), record(), record("Encrypt")],
        {("Decrypt", APP, ORDERS): 2, ("Encrypt", APP, ORDERS): 1},
    ),
    "failed-calls-are-none": (
        [record(errorCode="AccessDenied"), record(errorCode="DryRunOperationException")],
        {},
    ),
    "events-of-kms-itself-are-none": ([record("RotateKey", eventType="AwsServiceEvent")], {}),
    "other-services-are-none": ([record(eventSource="s3.amazonaws.com")], {}),
    "by-a-service": (
        [record(caller=None, service="logs.amazonaws.com")],
        {("Decrypt", "logs.amazonaws.com", ORDERS): 1},
    ),
    "by-a-service-that-only-the-address-tells": (
        [record(caller=None, sourceIPAddress="logs.amazonaws.com")],
        {("Decrypt", "logs.amazonaws.com", ORDERS): 1},
    ),
    "re-encrypted": (
        [record("ReEncrypt", key=OTHER, request={"sourceKeyId": OTHER, "destinationKeyId": ORDERS})],
        {("ReEncryptFrom", APP, OTHER): 1, ("ReEncryptTo", APP, ORDERS): 1},
    ),
    "re-encrypted-from-a-key-among-the-resources": (
        [record("ReEncrypt", key=OTHER, request={"destinationKeyId": ORDERS})],
        {("ReEncryptFrom", APP, OTHER): 1, ("ReEncryptTo", APP, ORDERS): 1},
    ),
    "re-encrypted-under-the-same-key": (
        [record("ReEncrypt", request={"sourceKeyId": ORDERS, "destinationKeyId": ORDERS})],
        {("ReEncryptFrom", APP, ORDERS): 1, ("ReEncryptTo", APP, ORDERS): 1},
    ),
    "recorded-in-two-accounts": (
        [
            record(sharedEventID="s-1", eventID="b"),
            record(sharedEventID="s-1", eventID="a", userIdentity=OTHER_SIDE, recipientAccountId="4" * 12),
        ],
        {("Decrypt", APP, ORDERS): 1},
    ),
    "key-among-the-resources-alone": ([record(request={})], {("Decrypt", APP, ORDERS): 1}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_counted(name: str) -> None:
    records, expected = CASES[name]

    assert told(read(records)) == {
        (key, who, action): count for (action, who, key), count in expected.items()
    }


def test_calls_without_a_key_are_counted_apart() -> None:
    found = read([record("ListKeys", key=None), record("CreateKey"), record()])

    assert (found.without_key, len(found.calls)) == (2, 1)


def test_a_period_takes_its_beginning_in_and_leaves_its_end_out() -> None:
    times = [f"2026-05-0{day}T00:00:00Z" for day in (1, 2, 3)]
    found = read(
        [record(time=time) for time in times],
        since=datetime(2026, 5, 2, tzinfo=UTC),
        until=datetime(2026, 5, 3, tzinfo=UTC),
    )

    assert [(call.calls, call.first, call.last) for call in found.calls] == [(1, times[1], times[1])]
    assert (found.first, found.last) == (times[1], times[1])


def test_nothing_recorded_is_nothing() -> None:
    assert read([]) == Recorded()


def alias_made(name: str, key: str, time: str, how: str = "CreateAlias") -> dict[str, Any]:
    return record(how, key=key, request={"aliasName": name, "targetKeyId": key}, time=time)


def test_an_alias_is_that_of_the_key_that_had_it_last() -> None:
    found = read(
        [
            alias_made("alias/orders", OTHER, "2026-05-01T00:00:00Z"),
            alias_made("alias/orders", ORDERS, "2026-05-03T00:00:00Z", "UpdateAlias"),
            record(key=OTHER, request={"keyId": "alias/orders"}, time="2026-05-02T00:00:00Z"),
        ]
    )

    assert {key.arn: key.aliases for key in found.keys} == {ORDERS: ("alias/orders",), OTHER: ()}


def test_a_key_has_the_tags_that_it_was_made_with() -> None:
    tags = [
        {"tagKey": "aws:cloudformation:stack-name", "tagValue": "Shop"},
        {"tagKey": "aws:cloudformation:logical-id", "tagValue": "OrdersKey"},
    ]
    found = read([record("CreateKey", request={"tags": tags}), record()])

    assert found.keys == (RecordedKey(arn=ORDERS, stack="Shop", logical_id="OrdersKey", calls=1),)


def test_grants_have_a_beginning_and_an_end() -> None:
    request = {"keyId": ORDERS, "granteePrincipal": APP, "operations": ["Decrypt"]}
    found = read(
        [
            record(
                "CreateGrant",
                request=request,
                responseElements={"grantId": "g-1"},
                time="2026-05-01T00:00:00Z",
            ),
            record(
                "CreateGrant",
                request=request,
                responseElements={"grantId": "g-2"},
                time="2026-05-02T00:00:00Z",
            ),
            record("RevokeGrant", request={"keyId": ORDERS, "grantId": "g-1"}, time="2026-05-03T00:00:00Z"),
        ]
    )

    assert [(one.grant.grantee, one.grant.operations, one.created, one.ended) for one in found.grants] == [
        (APP, ("Decrypt",), "2026-05-01T00:00:00Z", "2026-05-03T00:00:00Z"),
        (APP, ("Decrypt",), "2026-05-02T00:00:00Z", None),
    ]


def test_contexts_that_no_policy_tells_apart_are_one() -> None:
    condition = {"StringLike": {"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::orders/*", "*[x]_.?"]}}
    estate = _estate([{**_USERS, "Condition": condition}])
    objects = [f"arn:aws:s3:::{bucket}/{number}" for bucket in ("orders", "other") for number in range(30)]
    found = read(
        [record(context={"aws:s3:arn": one}) for one in [*objects, "a[x]_.b", "axx_.b", "orders\n"]],
        asked_of([estate]),
    )

    assert sorted(call.calls for call in found.calls) == [1, 30, 32]


def test_each_key_of_a_re_encryption_has_a_context_of_its_own() -> None:
    condition = {"StringEquals": {"kms:EncryptionContext:dept": "finance"}}
    request = {
        "sourceKeyId": OTHER,
        "destinationKeyId": ORDERS,
        "sourceEncryptionContext": {"dept": "sales"},
        "destinationEncryptionContext": {"dept": "finance"},
    }
    asked = asked_of([_estate([{**_USERS, "Condition": condition}])])
    found = read([record("ReEncrypt", key=OTHER, request=request)], asked)

    assert {call.action: call.context for call in found.calls} == {
        "ReEncryptFrom": (("dept", "sales"),),
        "ReEncryptTo": (("dept", "finance"),),
    }


_USERS = {"Sid": "Users", "Effect": "Allow", "Principal": {"AWS": APP}, "Action": "kms:*", "Resource": "*"}


def _estate(statements: list[dict[str, Any]], **parts: Any) -> Estate:
    key = world.key_of(
        {"Statement": statements},
        account=ACCOUNT,
        region=REGION,
        key_id=ORDERS.rpartition("/")[2],
    )
    return Estate(keys=(key,), **parts)


# Properties

VIA = {"s3.us-east-1.amazonaws.com": "s3.amazonaws.com", "rds.us-east-1.amazonaws.com": "rds.amazonaws.com"}
CONTEXT_ACTIONS = ("Decrypt", "Encrypt")


@st.composite
def requests(draw: st.DrawFn) -> tuple[Request, dict[str, Any]]:
    """A request in full, and the record that CloudTrail writes of it."""
    principal = draw(st.sampled_from(world.PRINCIPALS))
    action = draw(st.sampled_from(world.ACTIONS))
    service = principal in world.SERVICES
    context: dict[str, str | tuple[str, ...]] = {}
    via = None if service else draw(st.sampled_from((None, *VIA)))
    if via is not None:
        context["kms:viaservice"] = via
    carried = draw(
        st.sampled_from(
            ({}, {"dept": "finance"}, {"Dept": "App"}, {"stage": "x"}, {"dept": "f", "stage": "y"})
        )
    )
    if action in CONTEXT_ACTIONS and carried:
        context |= {f"kms:encryptioncontext:{name.lower()}": value for name, value in carried.items()}
        context["kms:encryptioncontextkeys"] = tuple(sorted(carried))
    if not service and draw(st.booleans()):
        context["aws:principaltag/team"] = draw(st.sampled_from(("App", "ops")))
    if action == "CreateGrant":
        for_aws = "true" if via is not None or service else draw(st.sampled_from((None, "false")))
        if for_aws is not None:
            context["kms:grantisforawsresource"] = for_aws
    written = record(
        action,
        caller=None if service else principal,
        key=world.KEY_ARN,
        service=principal if service else VIA.get(via or ""),
        context=carried if action in CONTEXT_ACTIONS else None,
        awsRegion="us-east-1",
    )
    return Request(principal=principal, action=action, context=context), written


def attached(documents: list[tuple[str, dict[str, Any]]]) -> tuple[IdentityPolicy, ...]:
    return tuple(
        IdentityPolicy(
            id=f"p{number}",
            location=Location("t"),
            name=f"p{number}",
            kind=IdentityPolicyKind.INLINE,
            policy=parse_policy(document),
            attached_to=(holder,),
            account=world.HOME,
        )
        for number, (holder, document) in enumerate(documents)
    )


@given(
    document=world.documents(),
    identity=st.lists(st.tuples(st.sampled_from(world.ROLES), world.identity_documents), max_size=2),
    told_=requests(),
)
def test_a_verdict_is_the_evaluators(
    document: dict[str, Any],
    identity: list[tuple[str, dict[str, Any]]],
    told_: tuple[Request, dict[str, Any]],
) -> None:
    """Allowed and denied hold whatever the trail does not tell; and it tells all but tags, sources, IAM."""
    request, written = told_
    key = world.key_of(document)
    estate = Estate(keys=(key,), identity_policies=attached(identity))
    (call,) = one_by_one([written])
    found = Replay(estate, asked_of([estate]).keys).judge(call, key)

    mine = [one.policy for one in estate.identity_policies if request.principal in one.attached_to]
    decisions = {
        evaluate(request, key, identity_policies=mine, assume=assume).allowed for assume in (True, False)
    }
    if found.verdict is not Verdict.UNDETERMINED:
        assert decisions == {found.verdict is Verdict.ALLOWED}, found


NOT_TOLD = ("aws:principaltag", "kms:grantisforawsresource")


@given(document=world.documents(), told_=requests())
def test_a_request_that_the_trail_tells_in_full_has_a_verdict(
    document: dict[str, Any], told_: tuple[Request, dict[str, Any]]
) -> None:
    request, written = told_
    key = world.key_of(document)
    estate = Estate(keys=(key,))
    asked = asked_of([estate]).keys
    everything = [parse_policy(world.EVERYTHING)]
    decisions = {
        evaluate(request, key, identity_policies=iam, assume=assume).allowed
        for iam in ([], everything)
        for assume in (True, False)
    }
    plain = request.principal not in world.SERVICES and request.action != "RetireGrant"
    if not plain or len(decisions) > 1 or any(name.startswith(NOT_TOLD) for name in asked):
        return
    if any("session" in str(statement) for statement in key.policy.statements):
        return
    (call,) = one_by_one([written])
    found = Replay(estate, asked).judge(call, key)

    assert found.verdict is (Verdict.ALLOWED if decisions == {True} else Verdict.DENIED), found


@given(document=world.documents(), told_=requests())
def test_what_is_told_less_of_is_at_most_undetermined(
    document: dict[str, Any], told_: tuple[Request, dict[str, Any]]
) -> None:
    _, written = told_
    key = world.key_of(document)
    estate = Estate(keys=(key,))
    replay = Replay(estate, asked_of([estate]).keys)
    (call,) = one_by_one([written])
    whole = replay.judge(call, key).verdict
    if call.service is None:
        return
    (less,) = one_by_one(
        [{**written, "userIdentity": {**written["userIdentity"], "invokedBy": "AWS Internal"}}]
    )

    assert replay.judge(less, key).verdict in (whole, Verdict.UNDETERMINED)


def verdicts(found: Recorded, estate: Estate) -> Counter[tuple[str, str, Verdict]]:
    counted: Counter[tuple[str, str, Verdict]] = Counter()
    for row in impact_of(found, estate).rows:
        counted[row.principal, row.action, row.verdict] += row.calls
    return counted


@few
@given(
    document=world.documents(),
    told_=st.lists(requests(), min_size=1, max_size=25),
    seed=st.integers(0, 9),
)
def test_taken_together_is_one_by_one_in_any_order(
    document: dict[str, Any], told_: list[tuple[Request, dict[str, Any]]], seed: int
) -> None:
    estate = Estate(keys=(world.key_of(document),))
    asked = asked_of([estate])
    records = [
        {**written, "eventID": f"e-{number}", "vpcEndpointId": f"vpce-{number % 2}" if number % 3 else None}
        for number, (_, written) in enumerate(told_)
    ]
    together = read(records, asked)
    keys = (RecordedKey(arn=world.KEY_ARN),)
    apart = Recorded(calls=one_by_one(records), keys=keys, grants=together.grants)
    shuffled = records.copy()
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - an order, and no secret
    again = read(shuffled, asked)

    assert verdicts(together, estate) == verdicts(apart, estate)
    assert set(again.calls) == set(together.calls)
    assert len(together.calls) <= len(apart.calls)
