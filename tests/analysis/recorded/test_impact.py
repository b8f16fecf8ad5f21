"""What a change would have done to recorded calls, in all worlds, and beside what is deployed."""

from __future__ import annotations

from typing import Any

from kms_constructs.analysis.recorded.call import Recorded, RecordedKey
from kms_constructs.analysis.recorded.impact import impact_of
from kms_constructs.analysis.recorded.replay import Verdict
from kms_constructs.analysis.recorded.usage import Used, usage_of
from kms_constructs.model.estate import Estate, Grant, IdentityPolicy, IdentityPolicyKind, Key, Location
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.worlds import World
from tests.trails import ACCOUNT, APP, ORDERS, REGION, one_by_one, record

OPS = f"arn:aws:iam::{ACCOUNT}:role/Ops"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
OTHER = ORDERS.replace("1111-1111-1111", "2222-2222-2222")
ID = hole(HoleKind.GENERATED, "Shop.OrdersKey.KeyId")


def estate(*principals: str, action: str = "kms:Decrypt", **facts: Any) -> Estate:
    statement = {
        "Sid": "Users",
        "Effect": "Allow",
        "Principal": {"AWS": list(principals)},
        "Action": action,
        "Resource": "*",
    }
    key = Key(
        **{
            "id": "Shop.OrdersKey",
            "location": Location("t.json", stack="Shop", logical_id="OrdersKey"),
            "account": ACCOUNT,
            "region": REGION,
            "policy": parse_policy({"Statement": statement}),
            "key_id": ID,
            "aliases": ("alias/orders",),
            **facts,
        }
    )
    return Estate(keys=(key,))


def told(*records: dict[str, Any], keys: tuple[RecordedKey, ...] | None = None) -> Recorded:
    mine = keys or (RecordedKey(arn=ORDERS, aliases=("alias/orders",)),)
    return Recorded(calls=one_by_one(records), keys=mine)


CALLS = (
    record(time="2026-05-01T00:00:00Z"),
    record(time="2026-05-03T00:00:00Z"),
    record(caller=OPS, time="2026-05-02T00:00:00Z"),
)


def summary(found: Any) -> list[tuple[str, str, str | None, int]]:
    return [(row.principal, row.verdict, row.before, row.calls) for row in found.rows]


def test_the_worst_comes_first_and_then_the_most() -> None:
    found = impact_of(
        told(*CALLS, record("Encrypt", caller=OPS), record("DescribeKey", caller=OPS)), estate(APP)
    )

    assert summary(found) == [
        (OPS, "denied", None, 1),
        (OPS, "denied", None, 1),
        (OPS, "denied", None, 1),
        (APP, "allowed", None, 2),
    ]
    assert [row.action for row in found.rows] == ["Decrypt", "DescribeKey", "Encrypt", "Decrypt"]
    assert (found.rows[-1].first, found.rows[-1].last) == ("2026-05-01T00:00:00Z", "2026-05-03T00:00:00Z")
    assert (found.calls(Verdict.DENIED), found.calls(Verdict.ALLOWED)) == (3, 2)


def test_beside_what_is_deployed_only_changes_count() -> None:
    found = impact_of(told(*CALLS, record(caller=ROOT)), estate(APP), estate(APP, OPS))

    assert summary(found)[0] == (OPS, "denied", "allowed", 1)
    assert {verdict: found.calls(verdict) for verdict in Verdict} == {
        Verdict.DENIED: 1,
        Verdict.UNDETERMINED: 0,
        Verdict.ALLOWED: 0,
    }
    assert [row.principal for row in found.rows if row.may_break] == [OPS]


def test_what_was_given_elsewhere_before_is_no_change() -> None:
    found = impact_of(told(*CALLS), estate(APP), estate(APP))

    assert found.calls(Verdict.DENIED) == 0
    assert found.calls(Verdict.DENIED, changed=False) == 1


def test_a_key_that_is_planned_no_longer_cannot_be_told() -> None:
    found = impact_of(told(*CALLS), Estate(), estate(APP))

    assert [(row.key, row.verdict, row.calls) for row in found.rows] == [
        ("alias/orders", "undetermined", 2),
        ("alias/orders", "undetermined", 1),
    ]
    assert "its deletion policy decides" in found.rows[0].reasons[0]


def test_grants_that_are_on_a_key_today_stay() -> None:
    grants = (
        Grant(grantee=OPS, operations=("Decrypt",), id="g-1"),
        Grant(grantee=ROOT, operations=("Decrypt",)),
    )
    deployed = estate(APP, grants=grants)
    found = impact_of(told(*CALLS, record(caller=ROOT)), estate(APP), deployed)

    assert summary(found) == [
        (ROOT, "denied", "allowed", 1),
        (APP, "allowed", "allowed", 2),
        (OPS, "allowed", "allowed", 1),
    ]


def test_calls_on_keys_of_no_input_are_counted_apart() -> None:
    keys = (RecordedKey(arn=ORDERS, aliases=("alias/orders",)), RecordedKey(arn=OTHER))
    found = impact_of(told(*CALLS, record(key=OTHER), keys=keys), estate(APP))

    assert (found.unmatched, [key.arn for key in found.matching.only_recorded]) == (1, [OTHER])


def worlds(*estates: Estate) -> Estate:
    made = tuple(
        World(one, ((("Stage", name),),)) for one, name in zip(estates, ("dev", "prod"), strict=True)
    )
    return Estate(keys=estates[0].keys, worlds=made)


def test_where_deployment_decides_it_cannot_be_told() -> None:
    found = impact_of(told(*CALLS), worlds(estate(APP), estate(APP, OPS)))

    assert summary(found) == [(OPS, "undetermined", None, 1), (APP, "allowed", None, 2)]
    assert found.rows[0].reasons == ("deployment decides: with Stage=dev: denied; with Stage=prod: allowed",)


def test_where_all_deployments_deny_it_is_denied() -> None:
    assert summary(impact_of(told(*CALLS), worlds(estate(APP), estate(APP))))[0] == (OPS, "denied", None, 1)


def iam(holder: str, action: str) -> IdentityPolicy:
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{ID}"
    return IdentityPolicy(
        id="p",
        location=Location("t.json"),
        name="p",
        kind=IdentityPolicyKind.INLINE,
        policy=parse_policy({"Statement": {"Effect": "Allow", "Action": action, "Resource": arn}}),
        attached_to=(holder,),
        account=ACCOUNT,
    )


def test_an_iam_policy_on_the_key_of_the_template_counts() -> None:
    """Its id stands in the trail alone."""
    planned = estate(ROOT, action="kms:*")
    planned = Estate(keys=planned.keys, identity_policies=(iam(APP, "kms:Decrypt"),))

    assert summary(impact_of(told(*CALLS), planned)) == [
        (OPS, "undetermined", None, 1),
        (APP, "allowed", None, 2),
    ]


def test_a_template_for_any_account_is_judged_where_its_keys_are() -> None:
    """One template, deployed twice: who is named by the account's own id is another in each."""
    account, region = (hole(HoleKind.ENVIRONMENT, f"AWS::{name}") for name in ("AccountId", "Region"))
    planned = estate(f"arn:aws:iam::{account}:role/App", account=account, region=region)
    there = ORDERS.replace(ACCOUNT, "444455556666").replace(REGION, "us-east-1")
    keys = tuple(RecordedKey(arn=arn, aliases=("alias/orders",)) for arn in (ORDERS, there))
    elsewhere = APP.replace(ACCOUNT, "444455556666")
    found = impact_of(
        told(record(), record(caller=elsewhere, key=there), record(caller=OPS, key=there), keys=keys), planned
    )

    assert {(row.arn, row.principal, row.verdict) for row in found.rows} == {
        (ORDERS, APP, Verdict.ALLOWED),
        (there, elsewhere, Verdict.ALLOWED),
        (there, OPS, Verdict.DENIED),
    }


# Who may against who does


def test_who_may_and_does_not_and_who_does_and_is_named_nowhere() -> None:
    given = estate(APP, action="kms:*crypt")
    (key,) = usage_of(told(*CALLS), given).keys
    app, ops = key.principals

    assert (app.principal, app.named, [(one.action, one.calls) for one in app.used]) == (
        APP,
        True,
        [("Decrypt", 2)],
    )
    assert app.unused == ("Encrypt",)
    assert (ops.principal, ops.named, ops.unused) == (OPS, False, ())
    assert ops.used == (
        Used(
            action="Decrypt",
            verdict=Verdict.DENIED,
            reasons=("neither the key policy nor a grant in view allows it",),
            services=(),
            calls=1,
            first="2026-05-02T00:00:00Z",
            last="2026-05-02T00:00:00Z",
        ),
    )


def test_who_never_calls_has_all_unused() -> None:
    (key,) = usage_of(told(CALLS[0]), estate(APP, OPS)).keys

    assert [(one.principal, one.unused) for one in key.principals] == [(APP, ()), (OPS, ("Decrypt",))]


def test_what_an_iam_policy_gives_counts_as_permission() -> None:
    planned = estate(ROOT, action="kms:*")
    planned = Estate(keys=planned.keys, identity_policies=(iam(OPS, "kms:Encrypt"),))
    (key,) = usage_of(told(CALLS[0]), planned).keys

    assert [(one.principal, one.named, one.unused) for one in key.principals] == [
        (APP, False, ()),
        (OPS, True, ("Encrypt",)),
    ]
    assert list(key.open_to) == [f"the IAM policies of account {ACCOUNT}"]
    assert "Decrypt" in key.open_to[f"the IAM policies of account {ACCOUNT}"]
