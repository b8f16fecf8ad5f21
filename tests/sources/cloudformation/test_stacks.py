"""Several templates together: exports, outputs of stacks, nested stacks, resources by macros and loops."""

from itertools import product
from typing import Any

import pytest

from kms_constructs.model.estate import SourceProblem
from kms_constructs.model.unknown import Unknown
from kms_constructs.sources import TemplateInput, estate_from_templates
from tests.sources.support import ACCOUNT, estate_of, generated

KEY = {"Type": "AWS::KMS::Key"}
EXPORT = {"Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}, "Export": {"Name": "key-arn"}}}
PROCESSED = "Give the processed template (aws cloudformation get-template --template-stage Processed)"


def _queue(value: object) -> dict[str, object]:
    return {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": value}}}


def _used(*templates: TemplateInput) -> list[list[str]]:
    """Of each key, the stacks that use it."""
    return [
        [reference.location.stack for reference in key.references]
        for key in estate_from_templates(templates).keys
    ]


def _producer(
    account: str | None = ACCOUNT, region: str | None = "eu-west-1", name: str = "A"
) -> TemplateInput:
    return TemplateInput(
        {"Resources": {"Key": KEY}, "Outputs": EXPORT}, f"{name}.json", name, account, region
    )


def _consumer(
    value: object, account: str | None = ACCOUNT, region: str | None = "eu-west-1"
) -> TemplateInput:
    return TemplateInput({"Resources": _queue(value)}, "b.json", "B", account, region)


IMPORT = {"Fn::ImportValue": {"Fn::Sub": "key-arn"}}


class TestExports:
    def test_an_import_in_the_same_environment(self) -> None:
        assert _used(_producer(), _consumer(IMPORT)) == [["B"]]

    def test_the_order_of_the_templates_does_not_matter(self) -> None:
        assert _used(_consumer(IMPORT), _producer()) == [["B"]]

    def test_an_import_in_another_region_finds_nothing(self) -> None:
        assert _used(_producer(), _consumer(IMPORT, region="us-east-1")) == [[]]

    def test_an_import_in_an_unknown_environment(self) -> None:
        assert _used(_producer(None, None), _consumer(IMPORT)) == [["B"]]

    def test_the_export_of_the_same_environment_is_taken(self) -> None:
        other = _producer(region="us-east-1", name="C")
        assert _used(_producer(), other, _consumer(IMPORT)) == [["B"], []]

    def test_the_export_of_the_same_environment_is_taken_before_one_that_may_be(self) -> None:
        somewhere = _producer(None, None, name="C")
        assert _used(_producer(), somewhere, _consumer(IMPORT)) == [["B"], []]
        assert _used(somewhere, _producer(), _consumer(IMPORT)) == [[], ["B"]]

    def test_two_exports_that_may_both_be_meant_are_none(self) -> None:
        assert _used(_producer(None, None), _producer(None, None, "C"), _consumer(IMPORT)) == [[], []]

    def test_an_export_that_is_not_made(self) -> None:
        template = {
            "Resources": {"Key": KEY},
            "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
            "Outputs": {"Arn": {**EXPORT["Arn"], "Condition": "Never"}},
        }
        assert _used(TemplateInput(template, "a.json", "A", ACCOUNT, "eu-west-1"), _consumer(IMPORT)) == [[]]

    def test_imports_in_a_circle_end(self) -> None:
        def circle(own: str, other: str) -> TemplateInput:
            output = {"O": {"Value": {"Fn::ImportValue": other}, "Export": {"Name": own}}}
            return TemplateInput(
                {"Resources": _queue({"Fn::ImportValue": other}), "Outputs": output}, own, own
            )

        assert estate_from_templates([circle("a", "b"), circle("b", "a")]).keys == ()


class TestKeysOfOneAlias:
    """An alias names a key in each Region: that of the Region where it is used, or any where none fits."""

    @pytest.mark.parametrize(
        ("region", "used"),
        [
            ("eu-west-1", [["B"], []]),
            ("us-east-1", [[], ["B"]]),
            ("ap-south-1", [["B"], ["B"]]),
            (None, [["B"], ["B"]]),
        ],
    )
    def test_it(self, region: str | None, used: list[list[str]]) -> None:
        alias = {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/app", "TargetKeyId": {"Ref": "Key"}},
        }
        stacks = (
            TemplateInput({"Resources": {"Key": KEY, "Alias": alias}}, f"{name}.json", name, ACCOUNT, place)
            for name, place in (("A", "eu-west-1"), ("C", "us-east-1"))
        )
        users = _used(*stacks, _consumer("alias/app", region=region))
        assert [[one for one in found if one == "B"] for found in users] == used


class TestStackOutputs:
    @pytest.mark.parametrize(
        ("output", "used"),
        [
            ({"StackName": "A", "Region": "eu-west-1", "OutputName": "Arn"}, ["B"]),
            ({"StackName": "A", "OutputName": "Arn"}, ["B"]),
            ({"StackName": "A", "Region": "us-east-1", "OutputName": "Arn"}, []),
            ({"StackName": "A", "Region": "eu-west-1", "OutputName": "Other"}, []),
            ({"StackName": "C", "Region": "eu-west-1", "OutputName": "Arn"}, []),
            ("A.Arn", []),
        ],
        ids=[
            "in a Region",
            "in the same Region",
            "in another Region",
            "of another name",
            "of another stack",
            "no object",
        ],
    )
    def test_it(self, output: object, used: list[str]) -> None:
        assert _used(_producer(), _consumer({"Fn::GetStackOutput": output})) == [used]


def _nested(**properties: object) -> dict[str, object]:
    return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "child.json", **properties}}


CHILD = TemplateInput(
    {
        "Parameters": {"Name": {"Type": "String", "Default": "d"}},
        "Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"Description": {"Ref": "Name"}}}},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}},
    },
    "dir/child.json",
)


def _parent(resources: dict[str, object], **sections: object) -> TemplateInput:
    return TemplateInput({"Resources": resources, **sections}, "dir/parent.json", "P", ACCOUNT, "eu-west-1")


class TestNestedStacks:
    def test_a_template_is_read_once_for_each_use_with_the_parameters_of_the_use(self) -> None:
        parent = _parent({"One": _nested(Parameters={"Name": "1"}), "Two": _nested()})
        keys = estate_from_templates([CHILD, parent]).keys
        assert [(key.id, key.description, key.location.stack) for key in keys] == [
            ("P.One.Key", "1", "P.One"),
            ("P.Two.Key", "d", "P.Two"),
        ]

    def test_outputs_reach_the_parent_and_go_no_further(self) -> None:
        parent = _parent({"One": _nested(), **_queue({"Fn::GetAtt": ["One", "Outputs.Arn"]})})
        key = estate_from_templates([CHILD, parent]).keys[0]
        assert ([use.location.logical_id for use in key.references], key.referenced_outside) == (
            ["Queue"],
            False,
        )

    def test_keys_of_the_parent_are_used_in_the_child(self) -> None:
        child = TemplateInput(
            {"Parameters": {"Arn": {"Type": "String"}}, "Resources": _queue({"Ref": "Arn"})}, "dir/child.json"
        )
        parent = _parent({"Key": KEY, "One": _nested(Parameters={"Arn": {"Fn::GetAtt": ["Key", "Arn"]}})})
        assert _used(child, parent) == [["P.One"]]

    def test_a_key_given_to_a_template_that_is_not_there_goes_outside(self) -> None:
        parent = _parent({"Key": KEY, "One": _nested(Parameters={"Arn": {"Fn::GetAtt": ["Key", "Arn"]}})})
        key = estate_from_templates([parent]).keys[0]
        assert (key.references, key.referenced_outside) == ((), True)

    def test_a_nested_stack_that_is_not_made_has_no_keys(self) -> None:
        parent = _parent(
            {"One": {**_nested(), "Condition": "Never"}}, Conditions={"Never": {"Fn::Equals": ["a", "b"]}}
        )
        assert estate_from_templates([CHILD, parent]).keys == ()

    def test_a_nested_stack_that_may_be_made_has_keys_that_may_exist(self) -> None:
        parent = _parent(
            {"One": {**_nested(), "Condition": "Perhaps"}},
            Conditions={"Perhaps": {"Fn::Equals": [{"Fn::ImportValue": "open"}, "b"]}},
        )
        assert [key.conditional for key in estate_from_templates([CHILD, parent]).keys] == [True]

    def test_an_asset_is_found_by_its_hash(self) -> None:
        digest = "0123456789abcdef" * 4
        stack = _nested(TemplateURL={"Fn::Sub": f"https://s3.${{AWS::URLSuffix}}/bucket/{digest}.json"})
        parent = TemplateInput(
            {"Resources": {"One": stack}}, "dir/parent.json", "P", assets={digest: CHILD.source}
        )
        assert [key.id for key in estate_from_templates([CHILD, parent]).keys] == ["P.One.Key"]

    def test_templates_that_nest_each_other_are_read_by_themselves(self) -> None:
        one = TemplateInput({"Resources": {"S": _nested(TemplateURL="b.json"), "Key": KEY}}, "a.json")
        two = TemplateInput({"Resources": {"S": _nested(TemplateURL="a.json"), "Key": KEY}}, "b.json")
        assert [key.id for key in estate_from_templates([one, two]).keys] == ["a.Key", "b.Key"]


def test_stacks_of_one_name_are_told_apart() -> None:
    keys = estate_from_templates([_producer(), _producer(region="us-east-1")]).keys
    assert [key.id for key in keys] == ["A.Key", "A#2.Key"]
    assert keys[0].key_id != keys[1].key_id


LOOP = {
    "Fn::ForEach::Keys": [
        "Name",
        ["a", {"Ref": "More"}],
        {
            "Key${Name}": {
                "Type": "AWS::KMS::Key",
                "Properties": {
                    "Description": {"Ref": "Name"},
                    "Tags": [{"Key": "n", "Value": {"Fn::Sub": "<${Name}>"}}],
                },
            }
        },
    ]
}


class TestContent:
    def test_a_loop_is_unrolled(self) -> None:
        estate = estate_of(
            LOOP, Parameters={"More": {"Type": "String", "Default": "b"}}, Transform="AWS::LanguageExtensions"
        )
        assert [(key.id, key.description, key.tags) for key in estate.keys] == [
            ("App.Keya", "a", {"n": "<a>"}),
            ("App.Keyb", "b", {"n": "<b>"}),
        ]
        assert estate.problems == ()

    @pytest.mark.parametrize(("levels", "seen"), [(1, True), (3, True), (5, True), (6, False)])
    def test_loops_within_loops_are_unrolled_as_deep_as_cloudformation_does(
        self, levels: int, *, seen: bool
    ) -> None:
        names = [f"N{level}" for level in range(levels)]
        body: dict[str, Any] = {
            "Key" + "".join(f"${{{name}}}" for name in names): {"Type": "AWS::KMS::Key", "Properties": {}}
        }
        for name in reversed(names):
            body = {f"Fn::ForEach::Of{name}": [name, ["a", "b"], body]}
        estate = estate_of(body, Transform="AWS::LanguageExtensions")
        made = ["App.Key" + "".join(values) for values in product("ab", repeat=levels)]
        assert [key.id for key in estate.keys] == (made if seen else [])
        said = {problem.message for problem in estate.problems}
        assert said == (set() if seen else {"the loop Fn::ForEach::OfN5 cannot be unrolled"})

    PROBLEMS = {  # noqa: RUF012 - read only
        "a loop over what is open": (
            {"Resources": LOOP, "Parameters": {"More": {"Type": "String"}}},
            "the loop Fn::ForEach::Keys cannot be unrolled",
            "",
        ),
        "a macro": (
            {"Resources": {}, "Transform": ["AWS::Serverless-2016-10-31", "Custom"]},
            "the template is changed by the macro Custom, which is not run here",
            "",
        ),
        "an include": (
            {"Resources": {}, "Transform": {"Name": "AWS::Include", "Parameters": {}}},
            "the template is changed by the macro AWS::Include, which is not run here",
            "",
        ),
        "a macro among the resources": (
            {"Resources": {"Fn::Transform": {"Name": "AWS::Include"}}},
            "a macro adds resources, and is not run here",
            "",
        ),
        "a macro of unknown name": (
            {"Resources": {}, "Transform": [{"Ref": "Macro"}]},
            "the template is changed by a macro of unknown name, which is not run here",
            "",
        ),
        "a macro at the top": (
            {"Resources": {}, "Fn::Transform": {"Name": "Own"}},
            "the template is changed by the macro Own, which is not run here",
            "",
        ),
        "a macro at the top, by its name": (
            {"Resources": {}, "Fn::Transform": "Own"},
            "the template is changed by the macro Own, which is not run here",
            "",
        ),
        "a macro in a section": (
            {"Resources": {}, "Mappings": {"Fn::Transform": {"Name": "AWS::Include"}}},
            "Mappings are changed by the macro AWS::Include, which is not run here",
            "",
        ),
        "a macro in a parameter": (
            {"Resources": {}, "Parameters": {"P": {"Type": "String", "Fn::Transform": {"Name": "Own"}}}},
            "parameter P is changed by a macro, which is not run here",
            "",
        ),
        "a macro beside the properties of a resource": (
            {"Resources": {"Key": {**KEY, "Fn::Transform": {"Name": "Own"}}}},
            "the resource is changed by a macro, which is not run here",
            "Key",
        ),
        "a macro in what a resource declares": (
            {"Resources": {"Key": {**KEY, "Metadata": {"Fn::Transform": {"Name": "Own"}}}}},
            "the resource is changed by a macro, which is not run here",
            "Key",
        ),
        "a module": (
            {"Resources": {"M": {"Type": "My::Own::Thing::MODULE"}}},
            "the resource is a module, which is not expanded here",
            "M",
        ),
    }

    @pytest.mark.parametrize(("template", "message", "logical_id"), PROBLEMS.values(), ids=PROBLEMS.keys())
    def test_what_cannot_be_seen_is_a_problem(
        self, template: dict[str, object], message: str, logical_id: str
    ) -> None:
        estate = estate_from_templates([TemplateInput(template, "app.json")])
        assert estate.problems == (SourceProblem("app.json", message, PROCESSED, logical_id),)

    @pytest.mark.parametrize("resource", [None, [], "x", {}, {"Type": 1}])
    def test_a_resource_without_type_is_a_problem(self, resource: object) -> None:
        estate = estate_from_templates([TemplateInput({"Resources": {"R": resource}}, "app.json")])
        fix = "Give every resource a Type"
        assert estate.problems == (SourceProblem("app.json", "the resource has no Type", fix, "R"),)

    @pytest.mark.parametrize("resources", [[], None, "x"])
    def test_resources_that_are_no_object_are_a_problem(self, resources: object) -> None:
        message, fix = "Resources is no object", "Give a CloudFormation template"
        estate = estate_from_templates([TemplateInput({"Resources": resources}, "app.json")])
        assert estate.problems == (SourceProblem("app.json", message, fix),)

    def test_a_stack_without_resources_is_none(self) -> None:
        assert estate_from_templates([TemplateInput({}, "app.json")]).problems == ()


def test_parameters_are_given_by_name() -> None:
    template = {
        "Parameters": {"Text": {"Type": "String", "Default": "d"}},
        "Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"Description": {"Ref": "Text"}}}},
    }
    item = TemplateInput(template, "app.json")
    assert estate_from_templates([item], parameters={"Text": "given"}).keys[0].description == "given"


def test_a_custom_resource_may_return_anything_and_an_aws_resource_only_its_own() -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": {"Fn::GetAtt": ["R", "Arn"]}}, "Action": "kms:*"}

    def principal(kind: str) -> object:
        key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [statement]}}}
        policy = estate_of({"R": {"Type": kind}, "Key": key}).keys[0].policy
        principals = policy.statements[0].principals
        assert principals is not None
        assert not isinstance(principals, Unknown)
        return principals[0].value

    assert principal("AWS::EKS::Cluster") == generated("App.R.Arn")
    assert principal("Custom::Thing") != generated("App.R.Arn")


def test_a_template_that_nests_itself_is_a_problem() -> None:
    item = TemplateInput({"Resources": {"S": _nested(TemplateURL="a.json"), "Key": KEY}}, "a.json")
    estate = estate_from_templates([item])
    message, fix = (
        "the nested stack's template holds this stack itself",
        "Give the nested stack's template by itself",
    )
    assert estate.problems == (SourceProblem("a.json", message, fix, "S"),)
    assert [key.id for key in estate.keys] == ["a.Key"]
