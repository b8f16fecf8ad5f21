"""Every intrinsic function, resolved and not."""

from collections.abc import Mapping

import pytest

from kms_constructs.model.text import split_holes
from kms_constructs.model.unknown import Maybe, Unknown
from kms_constructs.sources.cloudformation.scope import MAX_DEPTH, NO_VALUE
from kms_constructs.sources.cloudformation.template import TemplateInput
from tests.sources.support import ACCOUNT, REGION, environment, generated, scope_of, stack_of, unresolved

ROLE = {"Type": "AWS::IAM::Role", "Properties": {}}
NAMED_ROLE = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "Admin", "Path": "/ops/"}}
TEMPLATE = {
    "Parameters": {
        "Given": {"Type": "String", "Default": "given"},
        "Open": {"Type": "String"},
        "Only": {"Type": "String", "AllowedValues": ["one"]},
        "Number": {"Type": "Number", "Default": 7},
        "List": {"Type": "CommaDelimitedList", "Default": "a, b,c"},
        "Empty": {"Type": "CommaDelimitedList", "Default": ""},
        "OpenList": {"Type": "List<String>"},
        "Ssm": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/path"},
        "SsmList": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/path"},
    },
    "Mappings": {"Map": {"eu-west-1": {"Text": "mapped", "List": ["x", "y"]}}},
    "Conditions": {
        "Yes": {"Fn::Equals": [{"Ref": "Given"}, "given"]},
        "No": {"Fn::Equals": [{"Ref": "Given"}, "other"]},
        "Perhaps": {"Fn::Equals": [{"Ref": "Open"}, "x"]},
    },
    "Resources": {"Role": ROLE, "Named": NAMED_ROLE, "Key": {"Type": "AWS::KMS::Key"}},
}
OPEN = unresolved("App.Open")
ROLE_NAME = generated("App.Role.Name")
PERHAPS = "condition Perhaps cannot be resolved: ${App.Open} is decided at deployment"

VALUES = {
    "Ref to a parameter with a default": ({"Ref": "Given"}, "given"),
    "Ref to a parameter without one": ({"Ref": "Open"}, OPEN),
    "Ref to a parameter that allows one value": ({"Ref": "Only"}, "one"),
    "Ref to a number": ({"Ref": "Number"}, 7),
    "Ref to a list": ({"Ref": "List"}, ["a", "b", "c"]),
    "Ref to an empty list": ({"Ref": "Empty"}, []),
    "Ref to a list without a default": (
        {"Ref": "OpenList"},
        Unknown("parameter OpenList of App has no value that is known before deployment"),
    ),
    "Ref to an SSM parameter": ({"Ref": "Ssm"}, unresolved("App.Ssm")),
    "Ref to an SSM list": (
        {"Ref": "SsmList"},
        Unknown("parameter SsmList of App has no value that is known before deployment"),
    ),
    "Ref to nothing": ({"Ref": "Nowhere"}, unresolved("App.Nowhere.Ref")),
    "Ref that is no name": ({"Ref": ["Given"]}, Unknown("Ref names nothing")),
    "Ref to the account": ({"Ref": "AWS::AccountId"}, ACCOUNT),
    "Ref to the Region": ({"Ref": "AWS::Region"}, REGION),
    "Ref to the partition": ({"Ref": "AWS::Partition"}, "aws"),
    "Ref to the URL suffix": ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
    "Ref to the stack's name": ({"Ref": "AWS::StackName"}, "App"),
    "Ref to the stack's id": ({"Ref": "AWS::StackId"}, environment("App.AWS::StackId")),
    "Ref to no value": ({"Ref": "AWS::NoValue"}, NO_VALUE),
    "Ref to another pseudo parameter": (
        {"Ref": "AWS::NotificationARNs"},
        Unknown("AWS::NotificationARNs is decided at deployment"),
    ),
    "Ref to a role": ({"Ref": "Role"}, ROLE_NAME),
    "Ref to a named role": ({"Ref": "Named"}, "Admin"),
    "Ref to a key": ({"Ref": "Key"}, generated("App.Key.KeyId")),
    "GetAtt as a list": ({"Fn::GetAtt": ["Named", "Arn"]}, f"arn:aws:iam::{ACCOUNT}:role/ops/Admin"),
    "GetAtt as text": ({"Fn::GetAtt": "Role.Arn"}, f"arn:aws:iam::{ACCOUNT}:role/{ROLE_NAME}"),
    "GetAtt with a Ref in it": (
        {"Fn::GetAtt": ["Named", {"Fn::Sub": "Arn"}]},
        f"arn:aws:iam::{ACCOUNT}:role/ops/Admin",
    ),
    "GetAtt of a key": (
        {"Fn::GetAtt": ["Key", "Arn"]},
        f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{generated('App.Key.KeyId')}",
    ),
    "GetAtt of nothing": ({"Fn::GetAtt": ["Nowhere", "Arn"]}, unresolved("App.Nowhere.Arn")),
    "GetAtt without an attribute": (
        {"Fn::GetAtt": ["Role"]},
        Unknown("Fn::GetAtt needs a logical id and an attribute"),
    ),
    "Sub": ({"Fn::Sub": "${Given}-${AWS::Region}-${Role}"}, f"given-{REGION}-{ROLE_NAME}"),
    "Sub with an attribute": (
        {"Fn::Sub": "${Named.Arn}/*"},
        f"arn:aws:iam::{ACCOUNT}:role/ops/Admin/*",
    ),
    "Sub with variables": ({"Fn::Sub": ["${A}-${Given}", {"A": {"Ref": "Open"}}]}, f"{OPEN}-given"),
    "Sub with a literal": ({"Fn::Sub": "${!aws:username}"}, "${aws:username}"),
    "Sub of something else": ({"Fn::Sub": {"Ref": "Given"}}, Unknown("Fn::Sub needs a text")),
    "Sub with a bad shape": (
        {"Fn::Sub": ["${A}"]},
        Unknown("Fn::Sub needs a text, or a text and variables"),
    ),
    "Join": ({"Fn::Join": ["-", ["a", {"Ref": "Given"}, 1, True]]}, "a-given-1-true"),
    "Join with what is open": ({"Fn::Join": ["", ["a", {"Ref": "Open"}]]}, f"a{OPEN}"),
    "Join of a list parameter": ({"Fn::Join": ["+", {"Ref": "List"}]}, "a+b+c"),
    "Join leaves no value out": ({"Fn::Join": ["-", ["a", {"Ref": "AWS::NoValue"}, "b"]]}, "a-b"),
    "Join with a bad shape": ({"Fn::Join": ["-"]}, Unknown("Fn::Join needs a delimiter and a list")),
    "Select": ({"Fn::Select": [1, ["a", "b"]]}, "b"),
    "Select with an index as text": ({"Fn::Select": ["0", {"Ref": "List"}]}, "a"),
    "Select outside": ({"Fn::Select": [5, ["a"]]}, Unknown("Fn::Select has no element 5")),
    "Split": ({"Fn::Split": [",", "a,b"]}, ["a", "b"]),
    "Split of an ARN with generated parts": (
        {"Fn::Select": [1, {"Fn::Split": ["/", {"Fn::GetAtt": ["Role", "Arn"]}]}]},
        ROLE_NAME,
    ),
    "Split of what is open": (
        {"Fn::Split": [",", {"Ref": "Open"}]},
        Unknown("${App.Open} may hold ',' more often"),
    ),
    "If that holds": ({"Fn::If": ["Yes", "a", "b"]}, "a"),
    "If that does not": ({"Fn::If": ["No", "a", {"Ref": "AWS::NoValue"}]}, NO_VALUE),
    "If that is open": ({"Fn::If": ["Perhaps", "a", "b"]}, Unknown(PERHAPS)),
    "If that is open and does not matter": ({"Fn::If": ["Perhaps", "a", "a"]}, "a"),
    "If that is open, over lists": (
        {"Fn::If": ["Perhaps", ["a", "b"], ["a"]]},
        ["a", Maybe("b", PERHAPS)],
    ),
    "If as an element": (["a", {"Fn::If": ["Yes", "b", {"Ref": "AWS::NoValue"}]}], ["a", "b"]),
    "If as an element that is not there": (
        ["a", {"Fn::If": ["No", "b", {"Ref": "AWS::NoValue"}]}],
        ["a"],
    ),
    "If as an element that is open": (
        ["a", {"Fn::If": ["Perhaps", "b", "c"]}],
        ["a", Maybe("b", PERHAPS), Maybe("c", PERHAPS)],
    ),
    "If within an open If": (
        [{"Fn::If": ["Perhaps", {"Fn::If": ["Yes", "b", "c"]}, {"Ref": "AWS::NoValue"}]}],
        [Maybe("b", PERHAPS)],
    ),
    "If without its condition": (
        {"Fn::If": ["Missing", "a", "b"]},
        Unknown("condition Missing is not in the template"),
    ),
    "If with a bad shape": ({"Fn::If": ["Yes"]}, Unknown("Fn::If needs a condition and two values")),
    "FindInMap": ({"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "Text"]}, "mapped"),
    "FindInMap of a list": ({"Fn::FindInMap": ["Map", REGION, "List"]}, ["x", "y"]),
    "FindInMap with a default": (
        {"Fn::FindInMap": ["Map", REGION, "Other", {"DefaultValue": {"Ref": "Given"}}]},
        "given",
    ),
    "FindInMap of nothing": (
        {"Fn::FindInMap": ["Map", REGION, "Other"]},
        Unknown("the mapping has no Map/eu-west-1/Other"),
    ),
    "FindInMap of what is open": (
        {"Fn::FindInMap": ["Map", {"Ref": "Open"}, "Text"]},
        Unknown("the key Map/${App.Open}/Text of a mapping is decided at deployment"),
    ),
    "Base64": ({"Fn::Base64": {"Ref": "Given"}}, "Z2l2ZW4="),
    "ImportValue of what was not given": (
        {"Fn::ImportValue": "elsewhere"},
        unresolved("App.Fn::ImportValue(elsewhere)"),
    ),
    "GetStackOutput of what was not given": (
        {"Fn::GetStackOutput": {"StackName": "Other", "OutputName": "Arn", "Region": "us-east-1"}},
        unresolved("App.Fn::GetStackOutput(Other.Arn@us-east-1)"),
    ),
    "Length": ({"Fn::Length": {"Ref": "List"}}, 3),
    "Length of what is open": (
        {"Fn::Length": {"Ref": "OpenList"}},
        Unknown("the list that Fn::Length counts is not known"),
    ),
    "ToJsonString": ({"Fn::ToJsonString": {"a": [{"Ref": "Given"}]}}, '{"a":["given"]}'),
    "ToJsonString of what is open": (
        {"Fn::ToJsonString": {"a": {"Ref": "OpenList"}}},
        Unknown("a part of what Fn::ToJsonString writes is not known"),
    ),
    "GetAZs": ({"Fn::GetAZs": ""}, Unknown("Fn::GetAZs is decided at deployment")),
    "Cidr": ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, Unknown("Fn::Cidr is decided at deployment")),
    "Transform": (
        {"Fn::Transform": {"Name": "AWS::Include"}},
        Unknown("Fn::Transform is decided at deployment"),
    ),
    "an unknown function": ({"Fn::Frobnicate": 1}, Unknown("Fn::Frobnicate is not resolved")),
    "a function beside other members": (
        {"Fn::Transform": {}, "a": 1},
        Unknown("Fn::Transform stands beside other members"),
    ),
    "null": ({"a": None}, {"a": Unknown("null is no value in a template")}),
    "a member without value": ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
    "a dynamic reference": (
        "x{{resolve:ssm:/key}}y",
        f"x{unresolved(f'resolve:ssm:/key@{ACCOUNT}/{REGION}')}y",
    ),
    "a dynamic reference in Sub": (
        {"Fn::Sub": "${Given}{{resolve:ssm:/key}}"},
        f"given{unresolved(f'resolve:ssm:/key@{ACCOUNT}/{REGION}')}",
    ),
    "a dynamic reference that Sub puts together": (
        {"Fn::Sub": "x{{resolve:ssm:/${Given}}}y"},
        f"x{unresolved(f'resolve:ssm:/given@{ACCOUNT}/{REGION}')}y",
    ),
    "a dynamic reference that Join puts together": (
        {"Fn::Join": ["", ["{{resolve:ssm:/", {"Ref": "Open"}, "}}"]]},
        unresolved(f"resolve:ssm:/${{App.Open}}@{ACCOUNT}/{REGION}"),
    ),
    "a reference to an output of a product": (
        "x[[servicecatalog:product:output]]",
        f"x{unresolved(f'servicecatalog:product:output@{ACCOUNT}/{REGION}')}",
    ),
    "text that looks like a hole": ("\ue000g:App.Role.Name\ue001", "\ufffdg:App.Role.Name\ufffd"),
}


@pytest.mark.parametrize(("node", "expected"), VALUES.values(), ids=VALUES.keys())
def test_value(node: object, expected: object) -> None:
    assert scope_of(TEMPLATE).resolve(node) == expected


@pytest.mark.parametrize(
    ("depth", "expected"),
    [(30, "deep"), (2 * MAX_DEPTH, Unknown(f"it is nested deeper than {MAX_DEPTH} levels"))],
)
def test_functions_within_functions(depth: int, expected: object) -> None:
    node: object = "deep"
    for _ in range(depth):
        node = {"Fn::If": ["Yes", node, "shallow"]}
    assert scope_of(TEMPLATE).resolve(node) == expected


def test_the_same_unresolved_expression_is_the_same_text_and_another_is_not() -> None:
    scope = scope_of(TEMPLATE)
    one = scope.text({"Fn::Select": [0, {"Ref": "OpenList"}]})
    again = scope.text({"Fn::Select": [0, {"Ref": "OpenList"}]})
    other = scope.text({"Fn::Select": [1, {"Ref": "OpenList"}]})
    assert one == again
    assert one != other


CONDITIONS = {
    "equal": ({"Fn::Equals": ["a", "a"]}, True),
    "not equal": ({"Fn::Equals": ["a", "b"]}, False),
    "equal as texts": ({"Fn::Equals": [True, "true"]}, True),
    "open": ({"Fn::Equals": [{"Ref": "Open"}, "a"]}, None),
    "the same open value": ({"Fn::Equals": [{"Ref": "Open"}, {"Ref": "Open"}]}, True),
    "and": ({"Fn::And": [{"Condition": "Yes"}, {"Condition": "Yes"}]}, True),
    "and with what is false decides": ({"Fn::And": [{"Condition": "Perhaps"}, {"Condition": "No"}]}, False),
    "and that is open": ({"Fn::And": [{"Condition": "Perhaps"}, {"Condition": "Yes"}]}, None),
    "or with what is true decides": ({"Fn::Or": [{"Condition": "Perhaps"}, {"Condition": "Yes"}]}, True),
    "or that is open": ({"Fn::Or": [{"Condition": "Perhaps"}, {"Condition": "No"}]}, None),
    "not": ({"Fn::Not": [{"Condition": "No"}]}, True),
    "not of what is open": ({"Fn::Not": [{"Condition": "Perhaps"}]}, None),
    "a condition that is missing": ({"Condition": "Missing"}, None),
    "not with two": ({"Fn::Not": [{"Condition": "No"}, {"Condition": "No"}]}, None),
    "and of nothing": ({"Fn::And": []}, None),
    "no function": ({"Fn::Contains": [["a"], "a"]}, None),
}


@pytest.mark.parametrize(("node", "expected"), CONDITIONS.values(), ids=CONDITIONS.keys())
def test_condition(node: object, expected: bool | None) -> None:
    value = scope_of(TEMPLATE).truth(node, 0)
    assert (None if isinstance(value, Unknown) else value) is expected


PARTITIONS = {
    "China": ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
    "GovCloud": ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
    "elsewhere": ("eu-central-1", "aws", "amazonaws.com"),
}


@pytest.mark.parametrize(("region", "partition", "suffix"), PARTITIONS.values(), ids=PARTITIONS.keys())
def test_partition(region: str, partition: str, suffix: str) -> None:
    scope = stack_of(TemplateInput({"Resources": {}}, "a.json", region=region))
    assert scope.resolve([{"Ref": "AWS::Partition"}, {"Ref": "AWS::URLSuffix"}]) == [partition, suffix]


class TestWhatIsMadeToHurt:
    def test_a_circle_of_conditions_is_open(self) -> None:
        scope = scope_of(
            {"Conditions": {"A": {"Fn::Not": [{"Condition": "B"}]}, "B": {"Fn::Not": [{"Condition": "A"}]}}}
        )
        assert isinstance(scope.condition("A", 0), Unknown)

    def test_a_circle_of_names_is_open(self) -> None:
        resources = {
            "A": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "B"}}},
            "B": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "A"}}},
        }
        assert scope_of({"Resources": resources}).resolve({"Ref": "A"}) == unresolved("App.A.Ref")

    def test_depth_is_bounded(self) -> None:
        node: object = "x"
        for _ in range(5_000):
            node = {"Fn::Join": ["", [node]]}
        assert isinstance(scope_of(TEMPLATE).text(node), str)

    def test_length_is_bounded(self) -> None:
        resources: dict[str, object] = {
            f"R{index}": {
                "Type": "AWS::IAM::Role",
                "Properties": {"RoleName": {"Fn::Sub": f"${{R{index + 1}}}" * 4}},
            }
            for index in range(30)
        }
        resources["R30"] = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "x" * 50}}
        assert len(scope_of({"Resources": resources}).text({"Ref": "R0"})) < 2_000_000


def _within(levels: int, value: object) -> object:
    for _ in range(levels):
        value = {"in": value}
    return value


def test_what_a_circle_leaves_open_is_open_within_the_circle_alone() -> None:
    """The same element of a list, found out in a circle first, and then where it stands by itself."""
    element = {"one": 1, "two": 2, "other": {"Fn::GetAtt": ["B", "Foo"]}}  # enough of them to be looked up
    circle = {
        "A": {"Type": "AWS::X::Y", "Properties": {"Bar": [element]}},
        "B": {"Type": "AWS::X::Y", "Properties": {"Foo": {"Fn::GetAtt": ["A", "Bar"]}}},
    }
    for levels in range(20):
        properties = {"Deep": _within(levels, [element])}
        resources = {**circle, "C": {"Type": "AWS::X::Y", "Properties": properties}}
        after, alone = scope_of({"Resources": resources}), scope_of({"Resources": resources})
        after.properties("A")
        assert after.properties("C") == alone.properties("C")


def test_a_property_that_a_circle_leads_through_is_what_it_is_outside() -> None:
    function = {
        "Type": "AWS::Serverless::Function", "Properties": {"RolePath": {"Fn::Sub": "/${FunctionRole.Arn}/"}}
    }  # fmt: skip
    after, alone = (scope_of({"Resources": {"Function": function}}) for _ in range(2))
    after.attribute("FunctionRole", "Arn", 0)
    found = [scope.resource_property("Function", "RolePath", 0) for scope in (after, alone)]
    assert found[0] == found[1]
    assert str(found[0]).count("FunctionRole.Arn") == 1


def test_an_element_is_resolved_once_and_anew_where_it_is_nested_deeper() -> None:
    element = {"one": {"Ref": "AWS::Region"}, "two": "y", "deep": _within(MAX_DEPTH - 4, "x")}
    resources = {
        name: {"Type": "AWS::X::Y", "Properties": {"Bar": _within(levels, [element, element])}}
        for name, levels in (("A", 0), ("B", 0), ("C", 3))
    }
    scope = scope_of({"Resources": resources})
    one, same, deeper = (scope.properties(name) for name in "ABC")
    assert isinstance(one, Mapping)
    assert isinstance(same, Mapping)
    first, second = one["Bar"]
    assert first is second is same["Bar"][0]
    assert "nested deeper" not in str(one)
    assert "nested deeper" in str(deeper)


def test_a_parameter_that_is_given_wins_over_its_default() -> None:
    scope = scope_of(TEMPLATE, Given="else", List="x,y", OpenList="p")
    assert [scope.resolve({"Ref": name}) for name in ("Given", "List", "OpenList")] == [
        "else",
        ["x", "y"],
        ["p"],
    ]


def test_the_value_of_an_ssm_parameter_is_not_its_name() -> None:
    assert scope_of(TEMPLATE, Ssm="/other").resolve({"Ref": "Ssm"}) == unresolved("App.Ssm")


def test_what_follows_from_an_account_that_is_not_known_is_one_hole() -> None:
    scope = stack_of(TemplateInput({"Resources": {}}, "app.json", "App"))
    found = scope.text({"Fn::Sub": "a{{resolve:ssm:/key}}${AWS::URLSuffix}"})
    assert split_holes(found) == (
        "a",
        unresolved("resolve:ssm:/key@${AWS::AccountId}/${AWS::Region}"),
        environment("AWS::URLSuffix"),
    )


MAP = {"Top": {"known": {"a": "x"}}}
MACRO = {"Fn::Transform": {"Name": "Own"}}


@pytest.mark.parametrize(
    "mappings",
    [{**MACRO, **MAP}, {"Top": {**MACRO}}, {"Top": {"known": MACRO}}],
    ids=["the section", "the map", "its members"],
)
@pytest.mark.parametrize("default", [[], [{"DefaultValue": "d"}]], ids=["", "with a default"])
def test_a_map_that_a_macro_makes_is_not_known(mappings: object, default: list[object]) -> None:
    scope = scope_of({"Mappings": mappings})
    found = scope.resolve({"Fn::FindInMap": ["Top", "known", "b", *default]})
    assert found == Unknown("a macro, which is not run here, makes the mapping Top")
