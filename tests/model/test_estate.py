"""What the rules look at: the few things that these data classes compute."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from kms_constructs.model.estate import (
    Acceptance,
    Estate,
    IdentityPolicy,
    IdentityPolicyKind,
    Key,
    KeyKind,
    Location,
    Organization,
    SourceProblem,
    Trail,
)
from kms_constructs.model.live import Unanswered
from kms_constructs.model.policy import Policy, parse_policy
from kms_constructs.model.service_requirement import KeyForm
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown
from kms_constructs.model.use import Link, Use
from kms_constructs.model.worlds import World

ACCOUNT = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        pytest.param(Location("a.json"), "a.json", id="a file alone"),
        pytest.param(Location("a.json", "App", "Key961B73FD"), "a.json: Key961B73FD", id="a resource"),
        pytest.param(
            Location("a.json", "App", "Key961B73FD", "App/Key/Resource"),
            "a.json: App/Key/Resource",
            id="a construct path says more",
        ),
        pytest.param(
            Location(
                "arn:aws:kms:eu-west-1:111122223333:key/1",
                logical_id="arn:aws:kms:eu-west-1:111122223333:key/1",
            ),
            "arn:aws:kms:eu-west-1:111122223333:key/1",
            id="a live key is not said twice",
        ),
    ],
)
def test_a_location_as_a_person_reads_it(location: Location, expected: str) -> None:
    assert str(location) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            {"account": "111122223333", "region": "eu-west-1"},
            "arn:aws:kms:eu-west-1:111122223333:key/App.Key",
            id="all known",
        ),
        pytest.param(
            {"account": "111122223333", "region": "cn-north-1", "partition": "aws-cn"},
            "arn:aws-cn:kms:cn-north-1:111122223333:key/App.Key",
            id="another partition",
        ),
        pytest.param(
            {"account": ACCOUNT, "region": Unknown("no Region was given")},
            f"arn:aws:kms:*:{ACCOUNT}:key/App.Key",
            id="an unknown Region is any Region",
        ),
    ],
)
def test_the_arn_that_resources_of_iam_policies_are_held_against(fields, expected: str) -> None:
    key = Key(id="App.Key", location=Location("a.json"), policy=Policy(), **fields)

    assert key.arn_pattern == expected


@pytest.mark.parametrize(
    ("path", "scope", "lies_in"),
    [
        ("App/Key/Resource", "App", True),
        ("App/Key/Resource", "App/Key/Resource", True),
        ("Apple/Key", "App", False),
        ("Other/Key", "App", False),
        (None, "App", None),
    ],
)
def test_where_a_resource_lies(path: str | None, scope: str, lies_in: bool | None) -> None:
    assert Location("a.json", construct_path=path).lies_in(scope) is lies_in


def _policy(sid: str) -> Policy:
    return parse_policy({"Statement": {"Sid": sid, "Effect": "Deny", "Action": "kms:*", "Resource": "*"}})


def _estate(name: str) -> Estate:
    """An estate with something in every part of it."""
    place = Location(f"{name}.json", logical_id="Key")
    return Estate(
        keys=(Key(id=f"{name}.Key", location=place, policy=Policy(), account="1", region="r"),),
        identity_policies=(
            IdentityPolicy(
                id=f"{name}.P",
                location=place,
                name="P",
                kind=IdentityPolicyKind.INLINE,
                policy=Policy(),
                account="1",
            ),
        ),
        trails=(Trail(id=f"{name}.Trail", location=place),),
        organization=Organization((_policy(f"{name}Scp"),), (_policy(f"{name}Rcp"),)),
        problems=(SourceProblem(f"{name}.json", "it is broken", "Mend it"),),
        sources=(f"{name}.json",),
        unattached_aliases=(f"alias/{name}",),
        notes=(f"{name} is large",),
        uses=(_use(place, f"{name}.Key"),),
        unanswered=(
            Unanswered(
                location=place, call="kms:ListKeys", code="E", message="", what="which keys there are"
            ),
        ),
        expected=(Key(id=f"{name}.Key", location=place, policy=Policy(), account="1", region="r"),),
        acceptances=(Acceptance("KMS:010[*]", "it is found by its ARN", construct_path=name),),
    )


def _use(place: Location, key: str) -> Use:
    link = Link(location=place, resource_type="AWS::SQS::Queue", path="Properties/KmsMasterKeyId")
    return Use(
        requirement="sqs", key=key, chain=(link,), form=KeyForm.ARN, account="1", region="r", partition="aws"
    )


class TestMerge:
    @pytest.mark.parametrize("part", [one.name for one in fields(Estate) if one.name != "worlds"])
    def test_every_part_of_every_estate_is_there(self, part: str) -> None:
        one, two = _estate("one"), _estate("two")
        merged, mine, theirs = (getattr(estate, part) for estate in (Estate.merge(one, two), one, two))
        assert mine, "an estate of this test has something of everything"
        if part == "organization":
            assert merged == Organization((*mine.scps, *theirs.scps), (*mine.rcps, *theirs.rcps))
        else:
            assert merged == (*mine, *theirs)

    def test_every_world_of_one_is_there_with_every_world_of_the_other(self) -> None:
        one, two, three = _estate("one"), _estate("two"), _estate("three")
        worlds = (World(two, ((("Stage", "dev"),),)), World(three, ((("Stage", "prod"),),)))
        merged = Estate.merge(one, replace(two, worlds=worlds))
        assert [world.assignments for world in merged.worlds] == [one.assignments for one in worlds]
        assert [world.estate for world in merged.worlds] == [Estate.merge(one, two), Estate.merge(one, three)]
        assert replace(merged, worlds=()) == Estate.merge(one, two)

    def test_of_none_and_of_one(self) -> None:
        assert Estate.merge() == Estate()
        assert Estate.merge(_estate("one")) == _estate("one")
        assert Estate.merge(Estate(), _estate("one"), Estate()) == _estate("one")

    def test_what_is_said_twice_is_told_once(self) -> None:
        again = Estate.merge(_estate("one"), _estate("one"))
        assert (again.problems, again.sources, again.unattached_aliases, again.organization) == (
            _estate("one").problems,
            _estate("one").sources,
            _estate("one").unattached_aliases,
            _estate("one").organization,
        )

    def test_ids_stay_unique_and_keys_keep_their_arns(self) -> None:
        primary = _estate("one").keys[0]
        replica = replace(primary, id="one.Replica", kind=KeyKind.REPLICA, primary=primary.id)
        other = Estate(keys=(primary, replica), trails=_estate("one").trails, uses=_estate("one").uses)
        merged = Estate.merge(_estate("one"), other, other)
        assert [key.id for key in merged.keys] == [
            "one.Key",
            "one.Key#2",
            "one.Replica",
            "one.Key#3",
            "one.Replica#2",
        ]
        assert [key.primary for key in merged.keys] == [None, None, "one.Key#2", None, "one.Key#3"]
        assert {key.arn_pattern for key in merged.keys} == {primary.arn_pattern, replica.arn_pattern}
        assert [trail.id for trail in merged.trails] == ["one.Trail", "one.Trail#2", "one.Trail#3"]
        assert [use.key for use in merged.uses] == ["one.Key", "one.Key#2", "one.Key#3"]


def test_an_organization_without_policies_is_none() -> None:
    assert not Organization()
    assert Organization(scps=(_policy("A"),))
    assert Organization(rcps=(_policy("A"),))
