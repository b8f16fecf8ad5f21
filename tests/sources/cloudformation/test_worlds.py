"""Which inputs decide, which values are tried, and which worlds they make."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from kms_constructs.model.estate import Estate
from kms_constructs.model.text import display
from kms_constructs.sources import TemplateInput, estate_from_templates
from kms_constructs.sources.cloudformation.worlds import MAX_WORLDS
from tests.sources.cloudformation.templates_with_choices import (
    ACCOUNT,
    PUBLIC,
    STAGE,
    TEXT,
    Part,
    by_stage,
    equals,
    estate_of,
    key,
    nesting,
    ref,
    template,
    when,
)

OTHER = "(another value)"
OPEN_IN_PROD = when("IsProd", PUBLIC)
MAPPED = {"Fn::FindInMap": ["Env", ref("Stage"), "Who"]}
ENV = {"Env": {"dev": {"Who": ACCOUNT}, "prod": {"Who": "*"}}}
BY_REGION = {"Fn::FindInMap": ["Env", ref("AWS::Region"), "Who"]}
REGIONS = {"Env": {"eu-west-1": {"Who": ACCOUNT}, "us-east-1": {"Who": "*"}, "default": {"Who": "*"}}}


def allow(who: object) -> Part:
    return {**PUBLIC, "Principal": {"AWS": who}}


@dataclass(frozen=True)
class Case:
    document: Part
    values: dict[str, list[str]]
    given: dict[str, str] = field(default_factory=dict)
    nested: Part | None = None
    account: str | None = None
    region: str | None = None


def _select(index: object) -> Part:
    return {"Fn::Select": [index, [ACCOUNT, "*"]]}


def _list(**more: object) -> Part:
    return {"Type": "CommaDelimitedList", "Default": ACCOUNT, **more}


NESTED = by_stage(OPEN_IN_PROD)
NESTED_TEXT = by_stage(OPEN_IN_PROD, stage=TEXT)
CASES = {
    "allowed values, the default first": Case(
        by_stage(OPEN_IN_PROD, stage={**STAGE, "Default": "prod"}), {"Stage": ["prod", "dev"]}
    ),
    "allowed values of numbers": Case(
        by_stage(
            when("Two", PUBLIC),
            stage={"Type": "Number", "AllowedValues": [1, 2], "Default": 2},
            Conditions={"Two": equals(ref("Stage"), 2)},
        ),
        {"Stage": ["2", "1"]},
    ),
    "allowed values in a policy": Case(by_stage(allow(ref("Stage"))), {"Stage": ["dev", "prod"]}),
    "a pattern that lists": Case(
        by_stage(OPEN_IN_PROD, stage={"Type": "String", "AllowedPattern": "^(dev|prod)$"}),
        {"Stage": ["dev", "prod"]},
    ),
    "a pattern that does not": Case(
        by_stage(OPEN_IN_PROD, stage={**TEXT, "AllowedPattern": "[a-z]+"}), {"Stage": ["dev", "prod", OTHER]}
    ),
    "free text in a condition": Case(by_stage(OPEN_IN_PROD, stage=TEXT), {"Stage": ["dev", "prod", OTHER]}),
    "free text without default": Case(
        by_stage(OPEN_IN_PROD, stage={"Type": "String"}), {"Stage": ["prod", OTHER]}
    ),
    "the name of an SSM parameter is no value": Case(
        by_stage(OPEN_IN_PROD, stage={"Type": "AWS::SSM::Parameter::Value<String>", "Default": "dev"}),
        {"Stage": ["prod", OTHER]},
    ),
    "nor is one that the caller gives": Case(
        by_stage(OPEN_IN_PROD, stage={"Type": "AWS::SSM::Parameter::Value<String>", "Default": "dev"}),
        {"Stage": ["prod", OTHER]},
        given={"Stage": "prod"},
    ),
    "a list that is empty or not": Case(
        template(
            {"Key": key(when("Some", allow(ref("Who"))))},
            Parameters={"Who": {"Type": "CommaDelimitedList", "Default": ""}},
            Conditions={"Some": {"Fn::Not": [equals({"Fn::Join": ["", ref("Who")]}, "")]}},
        ),
        {"Who": ['""', OTHER]},
    ),
    "a list of allowed values may hold any of them": Case(
        template({"Key": key(allow(ref("Who")))}, Parameters={"Who": _list(AllowedValues=[ACCOUNT, "*"])}),
        {"Who": [ACCOUNT, "*", f"{ACCOUNT},*"]},
    ),
    "a list of many allowed values": Case(
        template({"Key": key(allow(ref("Who")))}, Parameters={"Who": _list(AllowedValues=[*"abcd"])}),
        {"Who": [ACCOUNT, OTHER]},
    ),
    "nested conditions": Case(
        by_stage(
            when("Both", PUBLIC),
            Parameters={"Stage": TEXT, "Public": {"Type": "String", "AllowedValues": ["no", "yes"]}},
            Conditions={
                "Live": {"Fn::Or": [equals("prod", ref("Stage")), equals(ref("Stage"), "canary")]},
                "Both": {"Fn::And": [{"Condition": "Live"}, {"Fn::Not": [equals(ref("Public"), "no")]}]},
            },
        ),
        {"Stage": ["dev", "prod", "canary", OTHER], "Public": ["no", "yes"]},
    ),
    "the condition of the key": Case(
        by_stage(Resources={"Key": {**key(PUBLIC), "Condition": "IsProd"}}), {"Stage": ["dev", "prod"]}
    ),
    "a condition in a deletion policy": Case(
        by_stage(Resources={"Key": key(DeletionPolicy=when("IsProd", "Retain", "Delete"))}),
        {"Stage": ["dev", "prod"]},
    ),
    "a key of a mapping": Case(by_stage(allow(MAPPED), Mappings=ENV, stage=TEXT), {"Stage": ["dev", "prod"]}),
    "a key of a mapping in a branch": Case(
        by_stage(when("IsProd", allow(MAPPED)), Mappings=ENV, stage=TEXT), {"Stage": ["dev", "prod", OTHER]}
    ),
    "allowed values that the mapping has": Case(
        by_stage(
            allow(MAPPED), Mappings=ENV, stage={"Type": "String", "AllowedValues": ["prod", "qa", "dev"]}
        ),
        {"Stage": ["prod", "dev"]},
    ),
    "a mapping in a condition": Case(
        by_stage(OPEN_IN_PROD, stage=TEXT, Mappings=ENV, Conditions={"IsProd": equals(MAPPED, "*")}),
        {"Stage": ["dev", "prod"]},
    ),
    "a second key of a mapping": Case(
        by_stage(
            allow({"Fn::FindInMap": ["Env", "one", ref("Stage")]}),
            stage=TEXT,
            Mappings={"Env": {"one": {"dev": ACCOUNT, "prod": "*"}, "two": {"qa": "*"}}},
        ),
        {"Stage": ["dev", "prod"]},
    ),
    "a mapping with a default": Case(
        by_stage(
            allow({"Fn::FindInMap": [*MAPPED["Fn::FindInMap"], {"DefaultValue": "*"}]}),
            stage=TEXT,
            Mappings=ENV,
        ),
        {"Stage": ["dev", "prod", OTHER]},
    ),
    "an index": Case(
        by_stage(allow(_select(ref("Stage"))), stage={"Type": "Number", "Default": 1}), {"Stage": ["1", "0"]}
    ),
    "the Region": Case(
        by_stage(allow(BY_REGION), Mappings=REGIONS), {"AWS::Region": ["eu-west-1", "us-east-1"]}
    ),
    "the Region in a condition": Case(
        by_stage(OPEN_IN_PROD, Conditions={"IsProd": equals(ref("AWS::Region"), "eu-west-1")}),
        {"AWS::Region": ["eu-west-1", OTHER]},
    ),
    "the Region that is given": Case(by_stage(allow(BY_REGION), Mappings=REGIONS), {}, region="eu-west-1"),
    "the account": Case(
        by_stage(OPEN_IN_PROD, Conditions={"IsProd": equals(ref("AWS::AccountId"), ACCOUNT)}),
        {"AWS::AccountId": [ACCOUNT, OTHER]},
    ),
    "the account that is given": Case(
        by_stage(OPEN_IN_PROD, Conditions={"IsProd": equals(ref("AWS::AccountId"), ACCOUNT)}),
        {},
        account=ACCOUNT,
    ),
    "the partition": Case(
        by_stage(OPEN_IN_PROD, Conditions={"IsProd": equals(ref("AWS::Partition"), "aws-cn")}),
        {"AWS::Partition": ["aws-cn", OTHER]},
    ),
    "what the caller gives": Case(by_stage(OPEN_IN_PROD), {}, given={"Stage": "prod"}),
    "a text that decides nothing": Case(by_stage(allow({"Fn::Sub": "${Stage}-role"}), stage=TEXT), {}),
    "a condition of what has nothing to do with keys": Case(
        by_stage(
            Resources={"Key": key(), "Topic": {"Type": "AWS::SNS::Topic", "Condition": "IsProd"}},
        ),
        {},
    ),
    "the name of a bucket that a policy names": Case(
        by_stage(
            Resources={
                "Key": key({**PUBLIC, "Condition": {"ArnLike": {"aws:SourceArn": {"Fn::GetAtt": "B.Arn"}}}}),
                "B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "${Stage}-b"}}},
            },
        ),
        {"Stage": ["dev", "prod"]},
    ),
    "one that the policy does not name": Case(
        by_stage(
            Resources={
                "Key": key(),
                "B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "${Stage}-b"}}},
            },
        ),
        {},
    ),
    "passed to a nested stack": Case(
        nesting({"Stage": ref("Stage")}), {"Stage": ["dev", "prod"]}, nested=NESTED
    ),
    "passed to a nested stack with free text": Case(
        nesting({"Stage": {"Fn::Sub": "${Stage}"}}), {"Stage": ["dev", "prod", OTHER]}, nested=NESTED_TEXT
    ),
    "a nested stack gets what its parent says": Case(nesting({"Stage": "prod"}), {}, nested=NESTED),
    "or its default": Case(nesting({}), {}, nested=NESTED),
    "a nested stack that is there or not": Case(
        {
            **nesting({}),
            "Conditions": {"IsProd": equals(ref("Stage"), "prod")},
            "Resources": {"Nested": {**nesting({})["Resources"]["Nested"], "Condition": "IsProd"}},  # type: ignore[index]
        },
        {"Stage": ["dev", "prod", OTHER]},
        nested=template({"Key": key(PUBLIC)}),
    ),
    "an output of another stack": Case(
        template(
            {"Key": key(allow({"Fn::ImportValue": "who"}))},
            Parameters={"Stage": STAGE},
            Outputs={"Who": {"Value": MAPPED, "Export": {"Name": "who"}}},
            Mappings=ENV,
        ),
        {"Stage": ["dev", "prod"]},
    ),
    "a loop": Case(
        by_stage(
            Resources={"Fn::ForEach::Keys": ["Name", ["A", "B"], {"Key${Name}": key(OPEN_IN_PROD)}]},
            Transform="AWS::LanguageExtensions",
        ),
        {"Stage": ["dev", "prod"]},
    ),
}


def tried(estate: Estate) -> dict[str, list[str]]:
    """Every input that decides, with the values that are tried, in order."""
    found: dict[str, dict[str, None]] = {}
    for world in estate.worlds:
        for assignment in world.assignments:
            for name, value in assignment:
                found.setdefault(name, {})[value] = None
    return {name: list(values) for name, values in found.items()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_values_that_are_tried(case: Case) -> None:
    estate = estate_of(
        case.document, case.given, nested=case.nested, account=case.account, region=case.region
    )
    found = {name: sorted(values) for name, values in tried(estate).items()}
    assert found == {name: sorted(values) for name, values in case.values.items()}
    for name, values in case.values.items():
        assert dict(estate.worlds[0].assignments[0])[name] == values[0]


def test_worlds_are_told_apart_by_what_they_make() -> None:
    estate = estate_of(by_stage(OPEN_IN_PROD, stage=TEXT))
    assert [world.assignments for world in estate.worlds] == [
        ((("Stage", "dev"),), (("Stage", OTHER),)),
        ((("Stage", "prod"),),),
    ]
    assert estate.keys == estate.worlds[0].estate.keys


def test_two_branches_that_are_equal_make_one_world() -> None:
    assert estate_of(by_stage(when("IsProd", PUBLIC, PUBLIC))).worlds == ()


def test_what_is_equal_in_two_worlds_is_one_object() -> None:
    resources: Part = {"Same": key(), "Key": key(OPEN_IN_PROD)}
    one, other = (world.estate for world in estate_of(by_stage(Resources=resources)).worlds)
    assert one.keys[0] is other.keys[0]
    assert one.keys[1] != other.keys[1]


def test_a_parameter_of_one_name_has_one_value_in_all_templates() -> None:
    documents = [by_stage(OPEN_IN_PROD), by_stage(when("IsProd", PUBLIC))]
    inputs = [TemplateInput(one, f"{number}.json") for number, one in enumerate(documents)]
    estate = estate_from_templates(inputs)
    assert [len(world.estate.keys) for world in estate.worlds] == [2, 2]


def test_an_open_value_is_none_of_those_that_were_tried() -> None:
    estate = estate_of(by_stage(allow(ref("Stage")), OPEN_IN_PROD, stage=TEXT))
    principals = {
        world.assignments[0][0][1]: [
            [display(one.value) for one in statement.principals or ()]  # type: ignore[union-attr]
            for statement in world.estate.keys[0].policy.statements[1:]
        ]
        for world in estate.worlds
    }
    assert principals == {"dev": [["dev"]], "prod": [["prod"], ["*"]], OTHER: [["${app.Stage}"]]}


def test_the_name_of_an_ssm_parameter_is_not_its_value() -> None:
    read = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "*"}
    for given in ({}, {"Stage": "*"}):
        estate = estate_of(by_stage(allow(ref("Stage")), stage=read), given)
        principals = estate.keys[0].policy.statements[1].principals
        assert [display(one.value) for one in principals or ()] == ["${app.Stage}"]  # type: ignore[union-attr]


def test_more_worlds_than_the_bound_are_left_open_and_said() -> None:
    names = [f"P{number}" for number in range(8)]
    document = template(
        {"Key": key(*(when(f"C{name}", {**PUBLIC, "Sid": name}) for name in names))},
        Parameters={name: {"Type": "String", "AllowedValues": ["a", "b"]} for name in names},
        Conditions={f"C{name}": equals(ref(name), "b") for name in names},
    )
    estate = estate_of(document)
    assert len(estate.worlds) == MAX_WORLDS
    assert estate.notes == (
        "P0, P1, P2, P3, P4, P5, P6, P7 decide together among more than 64 deployments. P6, P7 is left open, "
        "and what depends on it is undetermined: give its value with --parameter.",
    )
    statements = estate.worlds[0].estate.keys[0].policy.statements
    assert [(one.sid, one.certain) for one in statements[1:]] == [("P6", False), ("P7", False)]


def test_regions_lie_in_their_partition() -> None:
    conditions = {"A": equals(ref("AWS::Region"), "cn-north-1"), "B": equals(ref("AWS::Partition"), "aws-cn")}
    estate = estate_of(by_stage(when("A", PUBLIC), when("B", {**PUBLIC, "Sid": "B"}), Conditions=conditions))
    made = {
        dict(one)["AWS::Region"]: (dict(one)["AWS::Partition"], len(world.estate.keys[0].policy.statements))
        for world in estate.worlds
        for one in world.assignments
        if dict(one)["AWS::Region"] != OTHER
    }
    assert made == {"cn-north-1": ("aws-cn", 3)}


HERE, THERE = ACCOUNT, "444455556666"


def _lives_in(account: object, **more: object) -> Part:
    own = {
        "Effect": "Allow",
        "Principal": {"AWS": account},
        "Action": "kms:*",
        "Resource": "*",
    }
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [own]}, **more}}


class TestHome:
    """The account that a key policy gives away."""

    @pytest.mark.parametrize(
        ("resources", "accounts"),
        [
            ({"A": _lives_in(HERE)}, [HERE]),
            ({"A": _lives_in(HERE), "B": key()}, [HERE, HERE]),
            ({"A": _lives_in(HERE), "B": _lives_in(THERE)}, ["${AWS::AccountId}", "${AWS::AccountId}"]),
            ({"A": _lives_in(HERE, BypassPolicyLockoutSafetyCheck=True)}, ["${AWS::AccountId}"]),
            ({"A": _lives_in(HERE, BypassPolicyLockoutSafetyCheck=ref("X"))}, ["${AWS::AccountId}"]),
            ({"A": key()}, ["${AWS::AccountId}"]),
        ],
        ids=[
            "its own",
            "of the stack",
            "two",
            "past the check",
            "perhaps past the check",
            "a pseudo parameter",
        ],
    )
    def test_account(self, resources: Part, accounts: list[str]) -> None:
        estate = estate_of(template(resources, Parameters={"X": {"Type": "String"}}))
        assert [display(one.account) for one in estate.keys] == accounts

    def test_what_is_given_wins(self) -> None:
        estate = estate_of(template({"A": _lives_in(HERE)}), account=THERE)
        assert [one.account for one in estate.keys] == [THERE]

    def test_each_world_has_its_own(self) -> None:
        estate = estate_of(by_stage(Resources={"A": _lives_in(when("IsProd", HERE, THERE))}))
        assert [world.estate.keys[0].account for world in estate.worlds] == [THERE, HERE]

    def test_a_key_that_may_be_absent_tells_nothing(self) -> None:
        perhaps = {"Perhaps": equals({"Fn::ImportValue": "x"}, "y")}
        resources: Part = {"A": {**_lives_in(HERE), "Condition": "Perhaps"}}
        estate = estate_of(template(resources, Conditions=perhaps))
        assert [display(one.account) for one in estate.keys] == ["${AWS::AccountId}"]
