"""Which key of a trail is which key of an estate, and which role is called how."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.analysis.recorded.call import RecordedKey
from kms_constructs.analysis.recorded.keys import match_keys
from kms_constructs.analysis.recorded.names import Named, generated_names, key_ids, with_names
from kms_constructs.errors import ArgumentError
from kms_constructs.model.estate import Estate, IdentityPolicy, IdentityPolicyKind, Key, Location
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown
from tests.trails import ACCOUNT, ORDERS, REGION

ID = hole(HoleKind.GENERATED, "Shop.OrdersKey.KeyId")
SOMEWHERE = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
OTHER = ORDERS.replace("1111-1111-1111", "2222-2222-2222")


def key(name: str = "orders", **facts: Any) -> Key:
    return Key(
        **{
            "id": name,
            "location": Location(
                "t.json", stack="Shop", logical_id="OrdersKey", construct_path="Shop/Orders/Resource"
            ),
            "account": ACCOUNT,
            "region": REGION,
            "policy": parse_policy({"Statement": []}),
            "key_id": ID,
            "aliases": ("alias/orders",),
            **facts,
        }
    )


def told(arn: str = ORDERS, *aliases: str, **facts: Any) -> RecordedKey:
    return RecordedKey(arn=arn, aliases=aliases, **facts)


LITERAL = key("live", key_id=ORDERS.rpartition("/")[2], aliases=())
CASES: dict[str, tuple[RecordedKey, list[Key], dict[str, str], str | None]] = {
    "arn": (told(), [LITERAL], {}, "its ARN"),
    "arn-before-alias": (told(ORDERS, "alias/orders"), [key(), LITERAL], {}, "its ARN"),
    "alias": (told(ORDERS, "alias/orders"), [key()], {}, "alias/orders"),
    "alias-arn": (told(f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/orders"), [key()], {}, "alias/orders"),
    "alias-in-an-account-that-deployment-decides": (
        told(ORDERS, "alias/orders"),
        [key(account=SOMEWHERE, region=Unknown("decided later"))],
        {},
        "alias/orders",
    ),
    "alias-of-another-account": (told(ORDERS, "alias/orders"), [key(account="444455556666")], {}, None),
    "alias-of-another-region": (told(ORDERS, "alias/orders"), [key(region="us-east-1")], {}, None),
    "alias-that-two-have": (told(ORDERS, "alias/orders"), [key(), key("b")], {}, None),
    "alias-that-may-not-be-there": (
        told(ORDERS, "alias/orders"),
        [key(conditional_aliases=("alias/orders",))],
        {},
        None,
    ),
    "alias-of-a-key-with-another-id": (told(OTHER, "alias/orders"), [key(key_id="9")], {}, None),
    "tags": (told(stack="Shop", logical_id="OrdersKey"), [key()], {}, "its tags"),
    "tags-of-another-stack": (told(stack="Bar", logical_id="OrdersKey"), [key()], {}, None),
    "map-by-arn": (told(), [key()], {ORDERS: "orders"}, "--key-map"),
    "map-by-id": (told(), [key()], {ORDERS.rpartition("/")[2]: "Shop/OrdersKey"}, "--key-map"),
    "map-by-alias": (told(ORDERS, "alias/old"), [key()], {"alias/old": "Shop/Orders"}, "--key-map"),
    "nothing": (told(), [key()], {}, None),
}


@pytest.mark.parametrize("name", CASES)
def test_a_key_is_matched(name: str) -> None:
    recorded, keys, key_map, by = CASES[name]
    found = match_keys([recorded], keys, key_map)

    assert [one.by for one in found.matched] == ([by] if by else [])
    assert found.only_recorded == (() if by else (recorded,))
    assert len(found.only_given) == len(keys) - (1 if by else 0)


def test_keys_that_aws_manages_are_apart() -> None:
    found = match_keys([told(ORDERS, "alias/aws/s3")], [key()])

    assert (len(found.managed_by_aws), found.only_recorded) == (1, ())


@pytest.mark.parametrize(
    ("key_map", "said"),
    [
        ({"9": "orders"}, "the trail tells of no key 9"),
        ({ORDERS: "nothing"}, "no keys of the input are called nothing"),
        ({ORDERS: "alias/orders"}, "2 keys of the input are called alias/orders"),
    ],
)
def test_a_map_to_nothing_is_refused(key_map: dict[str, str], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        match_keys([told()], [key(), key("b")], key_map)


# Names

ROLE = hole(HoleKind.GENERATED, "Shop.AppRole1A2B3C4D.Name")
SHOP = "Shop-AppRole1A2B3C4D-1ABCDEFGHIJKL"


def estate() -> Estate:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:Decrypt", "Resource": "*"}
    mine = {
        "Statement": {
            "Effect": "Allow",
            "Action": "kms:*",
            "Resource": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{ID}",
        }
    }
    policy = IdentityPolicy(
        id="p",
        location=Location("t.json"),
        name="p",
        kind=IdentityPolicyKind.INLINE,
        policy=parse_policy(mine),
        attached_to=(arn,),
        account=ACCOUNT,
    )
    return Estate(keys=(key(policy=parse_policy({"Statement": statement})),), identity_policies=(policy,))


@pytest.mark.parametrize(
    ("callers", "name"),
    [
        pytest.param([SHOP], SHOP, id="only-one"),
        pytest.param([SHOP, "Bar-AppRole1A2B3C4D-1ABCDEFGHIJKM"], SHOP, id="that-of-the-stack"),
        pytest.param(
            ["Bar-AppRole1A2B3C4D-1ABCDEFGHIJKM"], "Bar-AppRole1A2B3C4D-1ABCDEFGHIJKM", id="another-stack"
        ),
        pytest.param(
            ["Bar-AppRole1A2B3C4D-1ABCDEFGHIJKM", "Baz-AppRole1A2B3C4D-1ABCDEFGHIJKN"],
            None,
            id="two-that-it-may-be",
        ),
        pytest.param([SHOP, SHOP[:-1] + "M"], None, id="two-of-the-stack"),
        pytest.param(["Shop-OtherRole-1ABCDEFGHIJKL"], None, id="another-role"),
        pytest.param(["AppRole1A2B3C4D"], None, id="no-generated-name"),
    ],
)
def test_a_role_is_called_as_the_trail_tells(callers: list[str], name: str | None) -> None:
    arns = [f"arn:aws:iam::{ACCOUNT}:role/{one}" for one in callers]

    assert generated_names(estate(), arns) == ((Named(ROLE, "AppRole1A2B3C4D", name),) if name else ())


def test_a_name_is_written_everywhere() -> None:
    found = with_names(estate(), [Named(ROLE, "AppRole1A2B3C4D", SHOP)])
    arn = f"arn:aws:iam::{ACCOUNT}:role/{SHOP}"
    principals = found.keys[0].policy.statements[0].principals

    assert isinstance(principals, tuple)
    assert principals[0].value == arn
    assert found.identity_policies[0].attached_to == (arn,)


def test_the_id_of_a_key_is_told_unless_it_is_two() -> None:
    matching = match_keys([told(ORDERS, "alias/orders")], [key()])
    twice = match_keys([told(), told(OTHER)], [key()], {ORDERS: "orders", OTHER: "orders"})

    assert key_ids(matching) == {ID: ORDERS.rpartition("/")[2]}
    assert key_ids(twice) == {}
