"""What is known of a stack holds in another world only where finding it out there would find the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from kms_constructs.model.estate import Estate
from kms_constructs.model.text import display
from kms_constructs.sources import TemplateInput, estate_from_templates
from kms_constructs.sources.decode import decode_document
from tests.sources.cloudformation.same import anew, plain
from tests.sources.cloudformation.templates_with_choices import (
    ACCOUNT,
    PUBLIC,
    STAGE,
    TEXT,
    Part,
    by_stage,
    equals,
    key,
    ref,
    template,
    when,
)

_PROD = {"IsProd": equals(ref("Stage"), "prod")}


def _imported(name: object) -> Part:
    return {"Fn::ImportValue": name}


def _joined(*parts: object) -> Part:
    return {"Fn::Join": ["", list(parts)]}


def _exports(**values: object) -> Part:
    return {name.title(): {"Value": value, "Export": {"Name": name}} for name, value in values.items()}


def _allowing(*principals: object) -> Part:
    return {**PUBLIC, "Principal": {"AWS": list(principals)}}


def _bucket(name: object) -> Part:
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}


def _nested(name: str, **parameters: object) -> Part:
    properties = {"TemplateURL": f"./{name}", "Parameters": parameters}
    return {"Type": "AWS::CloudFormation::Stack", "Properties": properties}


def _inputs(**templates: Part) -> list[TemplateInput]:
    where = {"account": ACCOUNT, "region": "eu-west-1"}
    return [TemplateInput(body, f"{name}.json", **where) for name, body in templates.items()]


def _as_anew(**templates: Part) -> Estate:
    """The estate of templates, which is as if nothing served two worlds."""
    inputs = _inputs(**templates)
    found = estate_from_templates(inputs)
    assert plain(found) == plain(anew(inputs))
    return found


def _allowed(estate: Estate, name: str) -> list[str]:
    """Whom the last statement of a key allows, in each world."""
    return [
        " ".join(display(one.value) for one in key.policy.statements[-1].principals or ())  # type: ignore[union-attr]
        for world in estate.every_world
        for key in world.estate.keys
        if key.id == name
    ]


def _by_stage(value: object, other: object) -> Part:
    return by_stage(_allowing(when("IsProd", value, other)))


class TestCircles:
    def test_within_a_template(self) -> None:
        estate = _as_anew(
            asks=by_stage(_allowing(_imported(when("IsProd", "one", "two")), _imported("three"))),
            circle=template(
                {"One": _bucket(_joined(ref("Two"), "-1")), "Two": _bucket(_joined(ref("One"), "-2"))},
                Outputs=_exports(one=ref("One"), two=ref("Two"), three=_joined(ref("One"), "-3")),
            ),
        )
        assert _allowed(estate, "asks.Key") == [
            "${circle.Two.Ref}-1-2 ${circle.Two.Ref}-1-3",
            "${circle.One.Ref}-2-1 ${circle.One.Ref}-2-1-3",
        ]

    def test_that_closes_in_one_world(self) -> None:
        estate = _as_anew(
            asks=template(
                {"Key": key(_allowing(ref("One"))), "One": _bucket(_imported("far"))},
                Outputs=_exports(near=ref("One")),
            ),
            far=template(
                {},
                Parameters={"Stage": STAGE},
                Conditions=_PROD,
                Outputs=_exports(far=when("IsProd", _imported("near"), "x")),
            ),
        )
        assert _allowed(estate, "asks.Key") == ["x", "${asks.One.Ref}"]

    def test_between_templates(self) -> None:
        estate = _as_anew(
            asks=_by_stage(_imported("one"), _imported("two")),
            one=template({}, Outputs=_exports(one=_joined(_imported("two"), "-1"))),
            two=template({}, Outputs=_exports(two=_joined(_imported("one"), "-2"))),
        )
        assert _allowed(estate, "asks.Key") == ["${two.Outputs.Two}-1-2", "${one.Outputs.One}-2-1"]


class TestImports:
    def test_of_what_another_stage_exports(self) -> None:
        estate = _as_anew(
            asks=template({"Key": key(_allowing(_imported("who")))}),
            who=template(
                {},
                Parameters={"Stage": STAGE},
                Conditions=_PROD,
                Outputs=_exports(who=when("IsProd", "prod", "dev")),
            ),
        )
        assert _allowed(estate, "asks.Key") == ["dev", "prod"]

    def test_by_a_property_that_is_known_already(self) -> None:
        role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": _imported("who")}}
        estate = _as_anew(
            asks=template(
                {"Key": key(_allowing(ref("Role"))), "Role": role}, Outputs=_exports(role=ref("Role"))
            ),
            more=template({"Key": key(_allowing(_imported("role")))}),
            who=template(
                {},
                Parameters={"Stage": STAGE},
                Conditions=_PROD,
                Outputs=_exports(who=when("IsProd", "prod", "dev")),
            ),
        )
        assert _allowed(estate, "more.Key") == ["dev", "prod"]

    def test_of_what_one_stage_exports_at_all(self) -> None:
        exported = {"Value": "who", "Export": {"Name": "who"}, "Condition": "IsProd"}
        estate = _as_anew(
            asks=template({"Key": key(_allowing(_imported("who")))}),
            who=template({}, Parameters={"Stage": STAGE}, Conditions=_PROD, Outputs={"Who": exported}),
        )
        assert _allowed(estate, "asks.Key") == ["${asks.Fn::ImportValue(who)}", "who"]

    def test_of_the_output_of_a_stack(self) -> None:
        asked = {"Fn::GetStackOutput": {"StackName": "Who", "OutputName": "Who"}}
        inputs = _inputs(
            asks=template({"Key": key(_allowing(asked))}),
            who=template(
                {},
                Parameters={"Stage": STAGE},
                Conditions=_PROD,
                Outputs={"Who": {"Value": when("IsProd", "prod", "dev")}},
            ),
        )
        inputs[1] = replace(inputs[1], stack="Who")
        estate = estate_from_templates(inputs)
        assert _allowed(estate, "asks.Key") == ["dev", "prod"]
        assert plain(estate) == plain(anew(inputs))

    def test_as_a_name_of_an_export(self) -> None:
        estate = _as_anew(
            named=template({}, Outputs={"One": {"Value": "1", "Export": {"Name": _imported("name")}}}),
            name=template({}, Outputs=_exports(name="one")),
            other=template({}, Outputs=_exports(other="2")),
            asks=by_stage(_allowing(_imported("other"), _imported("name"), when("IsProd", "prod"))),
        )
        assert _allowed(estate, "asks.Key") == ["2 one", "2 one prod"]

    def test_for_a_nested_stack(self) -> None:
        of_child = by_stage(when("IsProd", PUBLIC), stage=TEXT)
        estate = _as_anew(
            parent=template({"Child": _nested("child.json", Stage=_imported("stage"))}),
            child=of_child,
            stage=template({}, Parameters={"Stage": STAGE}, Outputs=_exports(stage=ref("Stage"))),
        )
        assert [len(world.estate.keys[0].policy.statements) for world in estate.worlds] == [1, 2]


class TestBeforeItIsDecidedWhichResourcesThereAre:
    CHILD: Part = template(
        {"Key": {**key(), "Condition": "IsX"}},
        Parameters={"X": TEXT},
        Conditions={"IsX": {"Fn::Not": [equals(ref("X"), "x")]}},
    )

    def _estate(self, yes: object, no: object) -> Estate:
        return _as_anew(
            parent=template(
                {"Child": _nested("child.json", X=when("IsProd", yes, no))},
                Parameters={"Stage": STAGE},
                Conditions=_PROD,
            ),
            child=self.CHILD,
            asked=template({"Key": key()}, Outputs=_exports(arn={"Fn::GetAtt": "Key.Arn"})),
            asks=template({"Key": key(_allowing(_imported("arn")))}),
        )

    def test_a_world_that_asks_first(self) -> None:
        first, second = _allowed(self._estate("x", _imported("arn")), "asks.Key")
        assert first == "${asked.Key.Arn}"
        assert second == f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/${{asked.Key.KeyId}}"

    def test_a_world_that_asks_after_another(self) -> None:
        first, second = _allowed(self._estate(_imported("arn"), "x"), "asks.Key")
        assert first == f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/${{asked.Key.KeyId}}"
        assert second == "${asked.Key.Arn}"


LATE: Part = {"Type": "String", "Default": "late"}


class TestNotes:
    def test_are_those_of_each_world(self) -> None:
        estate = _as_anew(
            asks=template(
                {"Key": key(_allowing(_imported("who")))},
                Parameters={"Late": LATE},
                Outputs=_exports(late=ref("Late")),
            ),
            who=template(
                {},
                Parameters={"Stage": STAGE},
                Conditions=_PROD,
                Outputs=_exports(who=when("IsProd", "late", _imported("late"))),
            ),
            differs=by_stage(when("IsProd", PUBLIC)),
        )
        assert [len(world.estate.notes) for world in estate.worlds] == [1, 0]

    def test_of_what_serves_every_world(self) -> None:
        estate = _as_anew(
            asks=template({"Key": key(_allowing(ref("Late"), ref("Gone")))}, Parameters={"Late": LATE}),
            differs=by_stage(when("IsProd", PUBLIC)),
        )
        assert [len(world.estate.notes) for world in estate.worlds] == [1, 1]
        assert [len(world.estate.problems) for world in estate.worlds] == [1, 1]

    def test_beside_what_is_imported(self) -> None:
        estate = _as_anew(
            asks=template({"Key": key(_allowing(_imported("who"), ref("Late")))}, Parameters={"Late": LATE}),
            who=template({}, Outputs=_exports(who="who")),
            differs=by_stage(when("IsProd", PUBLIC)),
        )
        assert [len(world.estate.notes) for world in estate.worlds] == [1, 1]

    def test_of_what_is_referred_to_in_one_world(self) -> None:
        estate = _as_anew(
            asks=template(
                {"Key": key(_allowing(when("IsWho", ref("Gone"), ref("More")), ref("Missing")))},
                Conditions={"IsWho": equals(_imported("who"), "prod")},
            ),
            who=template({}, Parameters={"Stage": STAGE}, Outputs=_exports(who=ref("Stage"))),
        )
        assert [len(world.estate.problems) for world in estate.worlds] == [2, 2]
        assert len(estate.problems) == 3


def _deep(node: object, levels: int) -> object:
    for _ in range(levels):
        node = _joined(node)
    return node


def test_what_is_cut_off_where_it_is_asked_for_deep_within() -> None:
    estate = _as_anew(
        asks=_by_stage(_deep(_imported("deep"), 20), _imported("deep")),
        deep=template({}, Outputs=_exports(deep=_deep("x", 20))),
    )
    first, second = _allowed(estate, "asks.Key")
    assert first == "x"
    assert second != "x"


def test_a_long_chain_of_imports() -> None:
    links = {
        f"link{number}": template(
            {"Key": key(_allowing(_imported(f"e{number + 1}")))},
            Outputs=_exports(**{f"e{number}": _imported(f"e{number + 1}")}),
        )
        for number in range(150)
    }
    links["link150"] = template({}, Parameters={"Other": TEXT}, Outputs=_exports(e150=ref("Other")))
    # In the first world each link asks the one before it; in the second all of them are asked for at once.
    _as_anew(asks=_by_stage(_imported("e0"), "x"), **dict(reversed(links.items())))


def test_a_chain_of_imports_deep_within_others() -> None:
    deep = {"Parameters": {"Stage": STAGE}}
    links = {
        f"link{number}": template(
            {},
            **(deep if number % 2 else {}),
            Outputs=_exports(**{f"e{number}": _deep(_imported(f"e{number + 1}"), 35 if number % 2 else 0)}),
        )
        for number in range(10)
    }
    _as_anew(asks=_by_stage(_imported("e0"), "x"), **dict(reversed(links.items())))


def test_a_key_that_something_refers_to_in_one_world() -> None:
    bucket = {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": when("IsProd", _imported("key"))}}
    estate = _as_anew(
        asks=template({"Topic": bucket}, Parameters={"Stage": STAGE}, Conditions=_PROD),
        key=template({"Key": key()}, Outputs=_exports(key={"Fn::GetAtt": "Key.Arn"})),
        differs=by_stage(when("IsProd", PUBLIC)),
    )
    assert [len(world.estate.keys[0].references) for world in estate.worlds] == [0, 1]


def test_a_stack_that_has_something_in_one_world_alone() -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": _imported("key")}}
    exported = {"Value": {"Fn::GetAtt": "Key.Arn"}, "Export": {"Name": "key"}, "Condition": "IsProd"}
    estate = _as_anew(
        asks=template({"Topic": topic}),
        key=template(
            {"Key": key()}, Parameters={"Stage": STAGE}, Conditions=_PROD, Outputs={"Key": exported}
        ),
    )
    assert [len(world.estate.keys[0].references) for world in estate.worlds] == [0, 1]


def test_the_region_is_in_everything() -> None:
    inputs = [
        TemplateInput(body, name, account=ACCOUNT)
        for name, body in {
            "asks.json": template(
                {"Key": key(when("IsHere", PUBLIC))},
                Conditions={"IsHere": equals(ref("AWS::Region"), "eu-west-1")},
            ),
            "calm.json": template({"Key": key()}),
        }.items()
    ]
    estate = estate_from_templates(inputs)
    assert plain(estate) == plain(anew(inputs))
    assert {key.region for world in estate.worlds for key in world.estate.keys} >= {"eu-west-1"}
    assert all(len({key.region for key in world.estate.keys}) == 1 for world in estate.worlds)


def test_a_policy_that_is_attached_in_one_world() -> None:
    allowed = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    policy = {"PolicyName": "Use", "Users": ["Ann"], "PolicyDocument": {"Statement": [allowed]}}
    user = {
        "Type": "AWS::IAM::User",
        "Properties": {"UserName": "Ann", "Path": when("IsProd", "/ops/", "/dev/")},
    }
    estate = _as_anew(
        policy=template({"Key": key(), "Policy": {"Type": "AWS::IAM::Policy", "Properties": policy}}),
        user=template({"User": user}, Parameters={"Stage": STAGE}, Conditions=_PROD),
    )
    assert [world.estate.identity_policies[0].attached_to for world in estate.worlds] == [
        (f"arn:aws:iam::{ACCOUNT}:user/dev/Ann",),
        (f"arn:aws:iam::{ACCOUNT}:user/ops/Ann",),
    ]


def _lines(estate: Estate, path: str) -> Sequence[int | None]:
    found = [world.estate.keys[0].location.position(path) for world in estate.worlds]
    return [None if one is None else one.line for one in found]


def test_a_line_is_that_of_the_world_that_has_the_key() -> None:
    body = template(
        {"Key": key(when("IsWho", PUBLIC), {**PUBLIC, "Sid": "Last"})},
        Conditions={"IsWho": equals(_imported("who"), "prod")},
    )
    text = json.dumps(body, indent=1)
    document = decode_document(text, "asks.json")
    assert isinstance(document.data, dict)
    inputs = _inputs(
        asks=document.data,
        who=template({}, Parameters={"Stage": STAGE}, Outputs=_exports(who=ref("Stage"))),
    )
    inputs[0] = replace(inputs[0], marks=document.marks)
    estate = estate_from_templates(inputs)
    path = "Properties/KeyPolicy/Statement/1/Sid"
    lines = text.splitlines()
    shown = ['"Last"' if line and '"Last"' in lines[line - 1] else '"Open"' for line in _lines(estate, path)]
    assert shown == ['"Last"', '"Open"']
    assert _lines(estate, path) == _lines(anew(inputs), path)
