"""Who gains and who loses between two estates."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.analysis.access import Access, Capability
from kms_constructs.analysis.diff import AccessChange, diff_access, key_name
from kms_constructs.model.estate import Estate, Key, Location, Organization
from kms_constructs.model.policy import parse_policy
from tests.strategies import HOME, key_of

APP = f"arn:aws:iam::{HOME}:role/App"


def allow(action: object, sid: str = "Use", **more: Any) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": APP},
        "Action": action,
        "Resource": "*",
        **more,
    }


def key(*statements: object, name: str = "Key", stack: str = "App", **facts: Any) -> Key:
    return key_of(
        {"Statement": list(statements)},
        **{"location": Location("app.json", stack, name), "id": f"{stack}.{name}", **facts},
    )


def changes(old: list[Key], new: list[Key]) -> list[str]:
    return [
        f"{one.key} | {one.capability} | {one.before} → {one.after} | {'+' if one.gains else '-'} "
        f"{', '.join(one.statements)}"
        for one in diff_access(Estate(keys=tuple(old)), Estate(keys=tuple(new)))
    ]


def via(*services: str) -> dict[str, Any]:
    return {"StringEquals": {"kms:ViaService": list(services)}}


NAMED = {"aliases": ("alias/data",)}
CASES: dict[str, tuple[list[Key], list[Key], list[str]]] = {
    "nothing": ([key(allow("kms:Decrypt"))], [key(allow("kms:Decrypt", "Renamed"))], []),
    "a gain": (
        [key(allow("kms:Decrypt"))],
        [key(allow(["kms:Decrypt", "kms:Encrypt"]))],
        ["app.json: Key | encrypt | - → allowed | + Use"],
    ),
    "a loss": (
        [key(allow(["kms:Decrypt", "kms:Encrypt"], "Old"))],
        [key(allow("kms:Decrypt"))],
        ["app.json: Key | encrypt | allowed → - | - Old"],
    ),
    "narrowed": (
        [key(allow("kms:Decrypt"))],
        [key(allow("kms:Decrypt", Condition=via("s3")))],
        ["app.json: Key | decrypt | allowed → conditional | - Use"],
    ),
    "another condition is not proven to be narrower": (
        [key(allow("kms:Decrypt", Condition=via("s3")))],
        [key(allow("kms:Decrypt", Condition=via("rds")))],
        ["app.json: Key | decrypt | conditional → conditional | + Use"],
    ),
    "a new key": ([], [key(allow("kms:Decrypt"), **NAMED)], ["alias/data | decrypt | - → allowed | + Use"]),
    "a key gone": ([key(allow("kms:Decrypt"), **NAMED)], [], ["alias/data | decrypt | allowed → - | - Use"]),
    "a key that was renamed": (
        [key(allow("kms:Decrypt"), name="Old", **NAMED), key(name="Other")],
        [key(allow("kms:Decrypt"), name="New", **NAMED), key(name="Other")],
        [],
    ),
    "the same alias in another Region is another key": (
        [key(allow("kms:Decrypt"), name="Old", **NAMED), key(name="Other")],
        [key(allow("kms:Decrypt"), name="New", region="eu-west-1", **NAMED), key(name="Other")],
        ["alias/data | decrypt | - → allowed | + Use", "alias/data | decrypt | allowed → - | - Use"],
    ),
    "two single keys": (
        [key(allow("kms:Decrypt"), name="old.json", stack="")],
        [key(allow("kms:Encrypt"), name="new.json", stack="")],
        [
            "app.json: new.json | decrypt | allowed → - | - Use",
            "app.json: new.json | encrypt | - → allowed | + Use",
        ],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), CASES.values(), ids=CASES)
def test_changes(old: list[Key], new: list[Key], expected: list[str]) -> None:
    assert sorted(changes(old, new)) == sorted(expected)


def test_a_change_tells_all() -> None:
    (change,) = diff_access(
        Estate(keys=(key(),)), Estate(keys=(key(allow("kms:Decrypt", Condition=via("s3"))),))
    )
    assert change == AccessChange(
        "app.json: Key",
        APP,
        Capability.DECRYPT,
        Access.DENIED,
        Access.CONDITIONAL,
        ("Use",),
        ("kms:ViaService StringEquals s3",),
    )


def test_key_name() -> None:
    assert key_name(key(**NAMED)) == "alias/data"
    assert key_name(key()) == "app.json: Key"


def test_what_an_organization_policy_takes_is_lost() -> None:
    scp = parse_policy({"Statement": {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}})
    keys = (key(allow("kms:Decrypt")),)
    bound = Estate(keys=keys, organization=Organization(scps=(scp,)))
    (lost,) = diff_access(Estate(keys=keys), bound)
    (gained,) = diff_access(bound, Estate(keys=keys))
    assert [(one.capability, one.before, one.after) for one in (lost, gained)] == [
        (Capability.DECRYPT, Access.ALLOWED, Access.DENIED),
        (Capability.DECRYPT, Access.DENIED, Access.ALLOWED),
    ]


def test_conditions_that_no_longer_hold_together_are_a_gain() -> None:
    one, other = {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}, {"kms:EncryptionContext:app": "orders"}
    both = key(allow("kms:Decrypt", Condition={"StringEquals": {**one, **other}}))
    either = key(
        allow("kms:Decrypt", "One", Condition={"StringEquals": one}),
        allow("kms:Decrypt", "Other", Condition={"StringEquals": other}),
    )
    assert changes([both], [either]) == ["app.json: Key | decrypt | conditional → conditional | + One, Other"]
