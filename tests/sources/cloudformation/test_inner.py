"""Templates that a template deploys: read where they are held or given, and a problem everywhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kms_constructs.model.estate import Estate
from kms_constructs.sources import TemplateInput, estate_from_templates, load
from tests.sources.support import ACCOUNT, REGION, environment

KEY = {"Type": "AWS::KMS::Key", "Properties": {"Description": {"Ref": "Text"}}}
BODY = {"Parameters": {"Text": {"Type": "String", "Default": "d"}}, "Resources": {"Key": KEY}}
CHILD = TemplateInput(BODY, "dir/child.yaml")
URL = "https://bucket.s3.amazonaws.com/a/child.yaml?versionId=1"
DIGEST = "0123456789abcdef" * 4
NESTED = "AWS::CloudFormation::Stack"
APPLICATION = "AWS::Serverless::Application"
STACK_SET = "AWS::CloudFormation::StackSet"
PRODUCT = "AWS::ServiceCatalog::CloudFormationProduct"
PROVISIONED = "AWS::ServiceCatalog::CloudFormationProvisionedProduct"


def _estate(kind: str, properties: object, *others: TemplateInput, **sections: object) -> Estate:
    template = {"Resources": {"R": {"Type": kind, "Properties": properties}}, **sections}
    return estate_from_templates([TemplateInput(template, "dir/app.json", "App", ACCOUNT, REGION), *others])


def _product(place: object) -> dict[str, object]:
    return {"Name": "p", "Owner": "o", "ProvisioningArtifactParameters": [{"Info": place}]}


# Type, properties, and what is said to be missing.
UNSEEN = {
    "a nested stack by URL": (NESTED, {"TemplateURL": URL}, f"the nested stack's template {URL}"),
    "a nested stack by a file": (NESTED, {"TemplateURL": "a.json"}, "the nested stack's template a.json"),
    "a nested stack without any": (NESTED, {}, "the nested stack's template"),
    "a nested stack by a parameter": (
        NESTED,
        {"TemplateURL": {"Ref": "Where"}},
        "the nested stack's template ${App.Where}",
    ),
    "an application of a repository": (
        APPLICATION,
        {"Location": {"ApplicationId": "a", "SemanticVersion": "1.0.0"}},
        "the nested stack's template",
    ),
    "a stack set by URL": (STACK_SET, {"TemplateURL": URL}, f"the stack set's template {URL}"),
    "a stack set without any": (STACK_SET, {}, "the stack set's template"),
    "a stack set whose body is open": (
        STACK_SET,
        {"TemplateBody": {"Ref": "Where"}},
        "the stack set's TemplateBody ${App.Where}",
    ),
    "a stack set whose body is open in part": (
        STACK_SET,
        {"TemplateBody": {"Fn::Sub": '{"Resources": {"A": "${Where}"}}'}},
        'the stack set\'s TemplateBody {"Resources": {"A": "${App.Where}"}}',
    ),
    "a product by URL": (
        PRODUCT,
        _product({"LoadTemplateFromURL": URL}),
        f"the product's template {URL}",
    ),
    "a product by a stack": (PRODUCT, _product({"ImportFromPhysicalId": "x"}), "the product's template"),
    "a product by a connection": (PRODUCT, {"SourceConnection": {}}, "the product's template"),
    "a product that is launched": (
        PROVISIONED,
        {"ProductId": "prod-1"},
        "the template of the product that it launches prod-1",
    ),
}


@pytest.mark.parametrize(("kind", "properties", "what"), UNSEEN.values(), ids=UNSEEN)
def test_what_is_deployed_unseen_is_a_problem(kind: str, properties: object, what: str) -> None:
    estate = _estate(kind, properties, Parameters={"Where": {"Type": "String"}})
    assert [(one.logical_id, one.message) for one in estate.problems] == [
        ("R", f"{what} is not among the inputs: keys that it makes are not seen")
    ]


SEEN = {
    "a nested stack by the name of the file": (NESTED, {"TemplateURL": URL}, ["App.R.Key"]),
    "an application by its file": (APPLICATION, {"Location": "./child.yaml"}, ["App.R.Key"]),
    "a stack set by the name of the file": (STACK_SET, {"TemplateURL": URL}, ["child.Key"]),
    "a product by the name of the file": (PRODUCT, _product({"LoadTemplateFromURL": URL}), ["child.Key"]),
}


@pytest.mark.parametrize(("kind", "properties", "keys"), SEEN.values(), ids=SEEN)
def test_what_is_given_is_seen(kind: str, properties: object, keys: list[str]) -> None:
    estate = _estate(kind, properties, CHILD)
    assert ([key.id for key in estate.keys], estate.problems) == (keys, ())


def test_two_files_of_one_name_are_not_told_apart() -> None:
    other = TemplateInput(BODY, "other/child.yaml")
    assert len(_estate(NESTED, {"TemplateURL": URL}, CHILD, other).problems) == 1


def test_a_stack_that_is_never_made_needs_no_template() -> None:
    never = {"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}}
    stack = {"Type": NESTED, "Condition": "Never", "Properties": {"TemplateURL": URL}}
    estate = estate_from_templates([TemplateInput({"Resources": {"R": stack}, **never}, "app.json")])
    assert estate.problems == ()


class TestStackSets:
    def test_its_body_is_a_template_of_accounts_of_its_own(self) -> None:
        estate = _estate(STACK_SET, {"TemplateBody": json.dumps(BODY)})
        key = estate.keys[0]
        assert estate.problems == ()
        assert (key.id, key.location.stack, key.description) == ("App.R.Key", "App.R", "d")
        assert (key.account, key.region) == (
            environment("App.R.AWS::AccountId"),
            environment("App.R.AWS::Region"),
        )

    PARAMETERS = {  # noqa: RUF012 - read only
        "given": ({"Parameters": [{"ParameterKey": "Text", "ParameterValue": "given"}]}, "given"),
        "another": ({"Parameters": [{"ParameterKey": "Other", "ParameterValue": "x"}]}, "d"),
        "open": ({"Parameters": [{"ParameterKey": "Text", "ParameterValue": {"Ref": "Where"}}]}, None),
        "open as a whole": ({"Parameters": {"Ref": "Where"}}, None),
        "different in a group": (
            {
                "StackInstancesGroup": [
                    {"ParameterOverrides": [{"ParameterKey": "Text", "ParameterValue": "x"}]}
                ]
            },
            None,
        ),
    }

    @pytest.mark.parametrize(("properties", "expected"), PARAMETERS.values(), ids=PARAMETERS)
    def test_its_parameters(self, properties: dict[str, object], expected: str | None) -> None:
        estate = _estate(
            STACK_SET,
            {"TemplateBody": json.dumps(BODY), **properties},
            Parameters={"Where": {"Type": "String"}, "Text": {"Type": "String", "Default": "of the app"}},
        )
        description = estate.keys[0].description
        assert description == expected or (expected is None and "Text" in str(description))

    def test_parameters_of_the_caller_are_not_its_own(self) -> None:
        template = {"Resources": {"R": {"Type": STACK_SET, "Properties": {"TemplateBody": json.dumps(BODY)}}}}
        found = estate_from_templates([TemplateInput(template, "app.json")], parameters={"Text": "given"})
        assert found.keys[0].description == "d"

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("{", "TemplateBody: it is not JSON"),
            ("[]", "TemplateBody is no template: it has no Resources"),
            ("{}", "TemplateBody is no template: it has no Resources"),
        ],
    )
    def test_a_body_that_is_no_template_is_a_problem(self, body: str, message: str) -> None:
        problems = _estate(STACK_SET, {"TemplateBody": body}).problems
        assert [problem.message.startswith(message) for problem in problems] == [True]

    def test_a_macro_in_its_body_is_a_problem(self) -> None:
        body = json.dumps({**BODY, "Fn::Transform": {"Name": "Own"}})
        problems = _estate(STACK_SET, {"TemplateBody": body}).problems
        assert [problem.message for problem in problems] == [
            "the template is changed by the macro Own, which is not run here"
        ]


@pytest.mark.parametrize("kind", [STACK_SET, PRODUCT])
def test_assets_of_an_assembly_are_read(tmp_path: Path, kind: str) -> None:
    url = {"Fn::Sub": f"https://s3.${{AWS::URLSuffix}}/bucket/{DIGEST}.json"}
    properties = {"TemplateURL": url} if kind == STACK_SET else _product({"LoadTemplateFromURL": url})
    files = {
        "manifest.json": {
            "version": "1",
            "artifacts": {
                "App": {
                    "type": "aws:cloudformation:stack",
                    "environment": f"aws://{ACCOUNT}/{REGION}",
                    "properties": {"templateFile": "App.template.json"},
                },
                "App.assets": {"type": "cdk:asset-manifest", "properties": {"file": "App.assets.json"}},
            },
        },
        "App.assets.json": {"files": {DIGEST: {"source": {"path": "inner.template.json"}}}},
        "App.template.json": {"Resources": {"R": {"Type": kind, "Properties": properties}}},
        "inner.template.json": BODY,
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    estate = load([tmp_path])
    assert ([key.id for key in estate.keys], estate.problems) == (["App.R.Key"], ())
    assert estate.keys[0].account == environment("App.R.AWS::AccountId")
