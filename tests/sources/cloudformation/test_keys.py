"""Keys of templates: what CloudFormation coerces, what is absent, what cannot be known."""

import json
from dataclasses import MISSING, fields

import pytest

from kms_constructs.model.estate import Grant, Key, KeyKind, Location, Reference, SourceProblem
from kms_constructs.model.policy import default_key_policy
from kms_constructs.model.unknown import Unknown
from kms_constructs.sources import TemplateInput, estate_from_templates
from tests.sources.support import ACCOUNT, ANY_ACCOUNT, ANY_REGION, REGION, estate_of, generated, key_of

ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
POLICY = {"Statement": [{"Effect": "Allow", "Principal": ROOT, "Action": "kms:*", "Resource": "*"}]}
OPEN = Unknown("${App.Open} is decided at deployment")
PERHAPS = "condition Perhaps cannot be resolved: ${App.Fn::ImportValue(open)} is decided at deployment"
SECTIONS = {
    "Parameters": {"Open": {"Type": "String"}},
    "Conditions": {
        "Perhaps": {"Fn::Equals": [{"Fn::ImportValue": "open"}, "x"]},
        "Never": {"Fn::Equals": ["a", "b"]},
        "Always": {"Fn::Equals": ["a", "a"]},
    },
}


def open_key(properties: dict[str, object], **attributes: object) -> Key:
    resource = {"Type": "AWS::KMS::Key", "Properties": properties, **attributes}
    return estate_of({"Key": resource}, **SECTIONS).keys[0]


def test_a_key_with_nothing_given_has_the_defaults() -> None:
    key = key_of({})
    assert key == Key(
        id="App.Key",
        key_id=generated("App.Key.KeyId"),
        location=Location("app.json", "App", "Key"),
        policy=default_key_policy("aws", ACCOUNT),
        account=ACCOUNT,
        region=REGION,
    )
    assert key.arn_pattern == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{generated('App.Key.KeyId')}"


def test_a_stack_of_an_unknown_environment_has_holes_for_it() -> None:
    template = {"Resources": {"Key": {"Type": "AWS::KMS::Key"}}}
    key = estate_from_templates([TemplateInput(template, "dir/app.template.json")]).keys[0]
    assert (key.id, key.account, key.region) == ("app.Key", ANY_ACCOUNT, ANY_REGION)


FIELDS = {
    "rotation": ({"EnableKeyRotation": True}, "rotation_enabled", True),
    "rotation as text": ({"EnableKeyRotation": "true"}, "rotation_enabled", True),
    "rotation off as text": ({"EnableKeyRotation": "False"}, "rotation_enabled", False),
    "rotation absent": ({}, "rotation_enabled", None),
    "rotation by NoValue": ({"EnableKeyRotation": {"Ref": "AWS::NoValue"}}, "rotation_enabled", None),
    "rotation open": ({"EnableKeyRotation": {"Ref": "Open"}}, "rotation_enabled", OPEN),
    "rotation by an open condition": (
        {"EnableKeyRotation": {"Fn::If": ["Perhaps", True, False]}},
        "rotation_enabled",
        Unknown(PERHAPS),
    ),
    "rotation that may be absent": (
        {"EnableKeyRotation": {"Fn::If": ["Perhaps", True, {"Ref": "AWS::NoValue"}]}},
        "rotation_enabled",
        Unknown(PERHAPS),
    ),
    "period": ({"RotationPeriodInDays": 90}, "rotation_period", 90),
    "period as text": ({"RotationPeriodInDays": "180"}, "rotation_period", 180),
    "period as float": ({"RotationPeriodInDays": 180.0}, "rotation_period", 180),
    "window as text": ({"PendingWindowInDays": "7"}, "pending_window", 7),
    "window open": ({"PendingWindowInDays": {"Ref": "Open"}}, "pending_window", OPEN),
    "spec": ({"KeySpec": "RSA_2048"}, "key_spec", "RSA_2048"),
    "spec open": ({"KeySpec": {"Ref": "Open"}}, "key_spec", OPEN),
    "usage": ({"KeyUsage": "SIGN_VERIFY"}, "key_usage", "SIGN_VERIFY"),
    "origin": ({"Origin": "EXTERNAL"}, "origin", "EXTERNAL"),
    "multi-Region": ({"MultiRegion": "true"}, "multi_region", True),
    "lockout check": ({"BypassPolicyLockoutSafetyCheck": True}, "bypass_lockout_check", True),
    "description": ({"Description": "data"}, "description", "data"),
    "tags": (
        {"Tags": [{"Key": "a", "Value": "b"}, {"Key": "n", "Value": 7}, {"Key": "t", "Value": True}]},
        "tags",
        {"a": "b", "n": "7", "t": "true"},
    ),
    "a tag with an open value": ({"Tags": [{"Key": "a", "Value": {"Ref": "Open"}}]}, "tags", {"a": OPEN}),
    "a tag with an open key": ({"Tags": [{"Key": {"Ref": "Open"}, "Value": "b"}]}, "tags", OPEN),
    "a tag that may be absent": (
        {"Tags": [{"Fn::If": ["Perhaps", {"Key": "a", "Value": "b"}, {"Ref": "AWS::NoValue"}]}]},
        "tags",
        {"a": Unknown(PERHAPS)},
    ),
    "tags open": ({"Tags": {"Ref": "Open"}}, "tags", OPEN),
    "all properties by a macro": (
        {"Fn::Transform": {"Name": "AWS::Include"}},
        "rotation_enabled",
        Unknown("Fn::Transform is decided at deployment"),
    ),
    "properties beside a macro": (
        {"EnableKeyRotation": True, "Fn::Transform": {"Name": "AWS::Include"}},
        "rotation_enabled",
        Unknown("Fn::Transform stands beside other members"),
    ),
}


@pytest.mark.parametrize(("properties", "field", "expected"), FIELDS.values(), ids=FIELDS.keys())
def test_field(properties: dict[str, object], field: str, expected: object) -> None:
    assert getattr(open_key(properties), field) == expected


NONSENSE = {
    "rotation": ({"EnableKeyRotation": "yes"}, "rotation_enabled", "EnableKeyRotation: 'yes' is no boolean"),
    "rotation as a number": (
        {"EnableKeyRotation": 2},
        "rotation_enabled",
        "EnableKeyRotation: 2 is no boolean",
    ),
    "rotation as a list": (
        {"EnableKeyRotation": [True]},
        "rotation_enabled",
        "EnableKeyRotation: a list is no boolean",
    ),
    "window": (
        {"PendingWindowInDays": "seven"},
        "pending_window",
        "PendingWindowInDays: 'seven' is no whole number",
    ),
    "window as a fraction": (
        {"PendingWindowInDays": 7.5},
        "pending_window",
        "PendingWindowInDays: 7.5 is no whole number",
    ),
    "window as a boolean": (
        {"PendingWindowInDays": True},
        "pending_window",
        "PendingWindowInDays: True is no whole number",
    ),
    "spec": ({"KeySpec": ["RSA_2048"]}, "key_spec", "KeySpec: a list stands where text is wanted"),
    "tags as an object": (
        {"Tags": {"a": "b"}},
        "tags",
        "Tags: an object stands where a list of tags is wanted",
    ),
    "a tag without key": ({"Tags": [{"Value": "b"}]}, "tags", "Tags/0: a tag needs a Key and a Value"),
    "a tag with a number as key": (
        {"Tags": [{"Key": 1, "Value": "b"}]},
        "tags",
        "Tags/0/Key: a number is no tag key",
    ),
}


@pytest.mark.parametrize(("properties", "field", "message"), NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_is_unknown_and_a_problem(properties: dict[str, object], field: str, message: str) -> None:
    estate = estate_of({"Key": {"Type": "AWS::KMS::Key", "Properties": properties}})
    assert getattr(estate.keys[0], field) == Unknown(message)
    assert estate.problems == (
        SourceProblem("app.json", message, "Write a value that CloudFormation accepts there", "Key"),
    )


class TestPolicy:
    def test_it_is_parsed_with_its_path(self) -> None:
        policy = key_of({"KeyPolicy": POLICY}).policy
        assert [statement.path for statement in policy.statements] == ["Properties/KeyPolicy/Statement/0"]

    def test_it_may_be_text(self) -> None:
        assert key_of({"KeyPolicy": json.dumps(POLICY)}).policy == key_of({"KeyPolicy": POLICY}).policy

    @pytest.mark.parametrize("document", [{"Ref": "Open"}, {"Statement": {"Ref": "Open"}}])
    def test_one_that_a_parameter_decides_is_unknown_and_no_mistake(self, document: object) -> None:
        policy = open_key({"KeyPolicy": document}).policy
        doubt = policy.statements[0].effect if policy.unknown is None else policy.unknown
        assert (doubt, policy.problems) == (OPEN, ())

    @pytest.mark.parametrize("element", ["Effect", "Principal", "Condition"])
    def test_an_element_that_a_parameter_decides_is_unknown_and_no_mistake(self, element: str) -> None:
        statement = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
        policy = open_key({"KeyPolicy": {"Statement": [{**statement, element: {"Ref": "Open"}}]}}).policy
        found = policy.statements[0]
        values = {"Effect": found.effect, "Principal": found.principals, "Condition": found.conditions}
        assert (values[element], policy.problems) == (OPEN, ())

    def test_a_statement_by_an_open_condition_is_not_certain(self) -> None:
        statement = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
        chosen = {"Fn::If": ["Perhaps", statement, {"Ref": "AWS::NoValue"}]}
        policy = open_key({"KeyPolicy": {"Statement": [statement, chosen]}}).policy
        assert [found.certain for found in policy.statements] == [True, False]

    def test_a_document_by_an_open_condition_is_unknown(self) -> None:
        chosen = {"Fn::If": ["Perhaps", POLICY, {"Ref": "AWS::NoValue"}]}
        key = open_key({"KeyPolicy": chosen})
        assert key.policy.unknown == Unknown(PERHAPS)


NOT_OF_A_TEMPLATE = {"key_state", "vocabulary", "kind", "primary", "aliases_unknown", "live"}
"""Fields that a template does not fill, and those of replicas."""


def test_a_template_fills_every_field_of_a_key() -> None:
    """A field that nothing fills is a rule that nothing breaks."""
    key = {
        "Type": "AWS::KMS::Key",
        "Condition": "Perhaps",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Metadata": {
            "kms-constructs": {
                "authorised": {"IAM-KMS-3": ["a"]},
                "directGrants": [{"grantee": "a", "operations": ["Decrypt"]}],
                "materialExpires": "2027-01-01",
            }
        },
        "Properties": {
            "KeySpec": "RSA_2048",
            "KeyUsage": "SIGN_VERIFY",
            "Origin": "EXTERNAL",
            "MultiRegion": True,
            "EnableKeyRotation": True,
            "RotationPeriodInDays": 90,
            "PendingWindowInDays": 7,
            "Description": "data",
            "Tags": [{"Key": "a", "Value": "b"}],
            "BypassPolicyLockoutSafetyCheck": True,
            "Enabled": True,
        },
    }
    resources = {
        "Key": key,
        "Sure": {"Type": "AWS::KMS::Key"},
        "Alias": _alias("alias/a", {"Ref": "Key"}),
        "Again": _alias("alias/a", {"Ref": "Key"}),
        "Open": _alias("alias/b", {"Ref": "Sure"}, Condition="Perhaps"),
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}},
        "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Ref": "Key"}}},
    }
    creator = f"arn:aws-cn:iam::{ACCOUNT}:role/Deploy"
    template = TemplateInput(
        {"Resources": resources, **SECTIONS}, "t.json", "App", ACCOUNT, "cn-north-1", creator=creator
    )
    found = estate_from_templates([template]).keys
    left = {
        one.name
        for one in fields(Key)
        for default in [one.default_factory() if one.default_factory is not MISSING else one.default]
        if all(getattr(made, one.name) == default for made in found)
    }

    assert left == NOT_OF_A_TEMPLATE


class TestAttributes:
    def test_deletion_policies(self) -> None:
        key = key_of({}, DeletionPolicy="RetainExceptOnCreate", UpdateReplacePolicy="Retain")
        assert (key.deletion_policy, key.update_replace_policy) == ("RetainExceptOnCreate", "Retain")

    def test_a_deletion_policy_that_a_parameter_decides(self) -> None:
        assert open_key({}, DeletionPolicy={"Ref": "Open"}).deletion_policy == OPEN

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [("Always", [False]), ("Never", []), ("Perhaps", [True]), ("Missing", [True])],
    )
    def test_a_condition_decides_whether_the_key_exists(self, condition: str, expected: list[bool]) -> None:
        estate = estate_of({"Key": {"Type": "AWS::KMS::Key", "Condition": condition}}, **SECTIONS)
        assert [key.conditional for key in estate.keys] == expected

    def test_the_construct_path_is_told_by_the_metadata(self) -> None:
        key = key_of({}, Metadata={"aws:cdk:path": "App/Key/Resource"})
        assert key.location == Location("app.json", "App", "Key", "App/Key/Resource")

    def test_what_the_construct_declares(self) -> None:
        role = f"arn:aws:iam::{ACCOUNT}:role/Admin"
        declared = {
            "authorised": {
                "IAM-KMS-3": [role, {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}],
                "IAM-KMS-7": [],
            },
            "directGrants": [
                {
                    "grantee": role,
                    "operations": ["Decrypt"],
                    "constraints": {"EncryptionContextEquals": {"Department": "Finance"}},
                    "retiring": role,
                },
                {"grantee": {"Ref": "AWS::NoValue"}},
            ],
            "materialExpires": "2027-01-01",
        }
        key = key_of({}, Metadata={"kms-constructs": declared})
        assert key.authorised == {"IAM-KMS-3": (role, f"arn:aws:iam::{ACCOUNT}:root"), "IAM-KMS-7": ()}
        assert key.grants == (
            Grant(
                grantee=role,
                operations=("Decrypt",),
                retiring=role,
                constraints={"EncryptionContextEquals": {"Department": "Finance"}},
            ),
            Grant(
                grantee=Unknown("the grantee of a grant is no text"),
                operations=Unknown("the operations of a declared grant are not known"),
            ),
        )
        assert key.material_expires == "2027-01-01"

    def test_what_cannot_be_resolved_authorises_nobody(self) -> None:
        declared = {"authorised": {"IAM-KMS-3": ["a", {"Fn::If": ["Perhaps", "b", "c"]}, {"Fn::Cidr": []}]}}
        assert open_key({}, Metadata={"kms-constructs": declared}).authorised == {"IAM-KMS-3": ("a",)}

    def test_a_pattern_authorises_nobody(self) -> None:
        declared = {"authorised": {"IAM-KMS-3": ["*", "arn:aws:iam::*:role/Ops", "a?", "b"], "*": "*"}}

        assert open_key({}, Metadata={"kms-constructs": declared}).authorised == {
            "IAM-KMS-3": ("b",),
            "*": (),
        }


def _alias(name: object, target: object, **attributes: object) -> dict[str, object]:
    return {
        "Type": "AWS::KMS::Alias",
        "Properties": {"AliasName": name, "TargetKeyId": target},
        **attributes,
    }


class TestAliases:
    @pytest.mark.parametrize(
        "target",
        [
            {"Ref": "Key"},
            {"Fn::GetAtt": ["Key", "Arn"]},
            {"Fn::GetAtt": "Key.KeyId"},
            {"Fn::Sub": "${Key.Arn}"},
        ],
        ids=["Ref", "Arn", "KeyId", "Sub"],
    )
    def test_it_is_attached_however_it_names_the_key(self, target: object) -> None:
        estate = estate_of({"Alias": _alias("alias/data", target), "Key": {"Type": "AWS::KMS::Key"}})
        assert (estate.keys[0].aliases, estate.unattached_aliases) == (("alias/data",), ())

    def test_one_whose_target_is_elsewhere_is_unattached(self) -> None:
        estate = estate_of({"Alias": _alias("alias/data", {"Ref": "Open"})}, **SECTIONS)
        assert estate.unattached_aliases == ("alias/data",)

    def test_one_that_may_be_absent_is_marked(self) -> None:
        resources = {
            "Key": {"Type": "AWS::KMS::Key"},
            "A": _alias("alias/a", {"Ref": "Key"}, Condition="Perhaps"),
            "B": _alias("alias/b", {"Ref": "Key"}),
            "C": _alias("alias/c", {"Ref": "Key"}, Condition="Never"),
        }
        key = estate_of(resources, **SECTIONS).keys[0]
        assert (key.aliases, key.conditional_aliases) == (("alias/a", "alias/b"), ("alias/a",))

    def test_one_that_two_resources_make_is_repeated(self) -> None:
        resources = {
            "Key": {"Type": "AWS::KMS::Key"},
            "A": _alias("alias/a", {"Ref": "Key"}),
            "B": _alias("alias/a", {"Ref": "Key"}),
            "C": _alias("alias/c", {"Ref": "Key"}),
            "D": _alias("alias/c", {"Ref": "Key"}, Condition="Perhaps"),
        }
        key = estate_of(resources, **SECTIONS).keys[0]
        assert (key.aliases, key.repeated_aliases) == (("alias/a", "alias/c"), ("alias/a",))

    def test_one_that_comes_and_goes_with_its_key_is_not_marked(self) -> None:
        resources = {
            "Key": {"Type": "AWS::KMS::Key", "Condition": "Perhaps"},
            "A": _alias("alias/a", {"Ref": "Key"}, Condition="Perhaps"),
        }
        assert estate_of(resources, **SECTIONS).keys[0].conditional_aliases == ()


class TestReferences:
    RESOURCES = {  # noqa: RUF012 - read only
        "Key": {"Type": "AWS::KMS::Key"},
        "Alias": _alias("alias/data", {"Ref": "Key"}),
    }

    @pytest.mark.parametrize(
        "value",
        [
            {"Ref": "Key"},
            {"Fn::GetAtt": ["Key", "Arn"]},
            {"Ref": "Alias"},
            "alias/data",
            {"Fn::Sub": "arn:aws:kms:${AWS::Region}:${AWS::AccountId}:alias/data"},
            {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":kms:x:y:key/", {"Ref": "Key"}]]},
        ],
        ids=["Ref", "Arn", "Ref of the alias", "alias", "ARN of the alias", "ARN built"],
    )
    def test_a_use_however_it_names_the_key(self, value: object) -> None:
        queue = {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": value}}
        key = estate_of({**self.RESOURCES, "Queue": queue}).keys[0]
        location = Location("app.json", "App", "Queue")
        assert key.references == (Reference(location, "AWS::SQS::Queue", "Properties/KmsMasterKeyId"),)

    @pytest.mark.parametrize("value", ["alias/other", "alias/aws/s3", "data", {"Ref": "Alias.x"}])
    def test_no_use(self, value: object) -> None:
        queue = {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": value}}
        assert estate_of({**self.RESOURCES, "Queue": queue}).keys[0].references == ()

    def test_policies_and_aliases_are_no_use(self) -> None:
        statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": {"Fn::GetAtt": ["Key", "Arn"]}}
        document = {"Statement": [statement]}
        policy = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p", "PolicyDocument": document}}
        role = {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": document}]}}
        assert estate_of({**self.RESOURCES, "Policy": policy, "Role": role}).keys[0].references == ()

    @pytest.mark.parametrize(
        "more",
        [
            {"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}}},
            {"Outputs": {"Arn": {"Value": {"Fn::Sub": "${Key}"}, "Export": {"Name": "x"}}}},
        ],
        ids=["output", "export"],
    )
    def test_an_output_takes_the_key_outside(self, more: dict[str, object]) -> None:
        key = estate_of(self.RESOURCES, **more).keys[0]
        assert (key.referenced_outside, key.references) == (True, ())

    def test_an_ssm_parameter_takes_the_key_outside(self) -> None:
        parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}}
        key = estate_of({**self.RESOURCES, "P": parameter}).keys[0]
        assert (key.referenced_outside, key.references) == (True, ())

    def test_nothing_takes_a_key_outside_by_itself(self) -> None:
        key = estate_of(self.RESOURCES).keys[0]
        assert (key.referenced_outside, key.references) == (False, ())


class TestReplicas:
    @staticmethod
    def estate(primary_arn: object) -> tuple[Key, ...]:
        primary = {
            "Key": {
                "Type": "AWS::KMS::Key",
                "Properties": {"MultiRegion": True, "EnableKeyRotation": True, "RotationPeriodInDays": 90},
            }
        }
        output = {"Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}}
        replica = {"Replica": {"Type": "AWS::KMS::ReplicaKey", "Properties": {"PrimaryKeyArn": primary_arn}}}
        return estate_from_templates(
            [
                TemplateInput({"Resources": primary, "Outputs": output}, "p.json", "P", ACCOUNT, "us-east-1"),
                TemplateInput({"Resources": replica}, "r.json", "R", ACCOUNT, "eu-west-1"),
            ]
        ).keys

    def test_it_shares_what_belongs_to_the_primary(self) -> None:
        output = {"StackName": "P", "Region": "us-east-1", "OutputName": "Arn"}
        primary, replica = self.estate({"Fn::GetStackOutput": output})
        assert primary.primary is None
        assert (replica.kind, replica.primary, replica.region) == (KeyKind.REPLICA, "P.Key", "eu-west-1")
        assert (replica.rotation_enabled, replica.rotation_period, replica.key_spec) == (
            True,
            90,
            "SYMMETRIC_DEFAULT",
        )
        assert replica.key_id == primary.key_id
        assert replica.arn_pattern == primary.arn_pattern.replace("us-east-1", "eu-west-1")

    def test_without_its_primary_the_shared_facts_are_unknown(self) -> None:
        arn = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/mrk-1234"
        primary, replica = self.estate(arn)
        assert primary.primary is None
        assert (replica.primary, replica.key_id) == (arn, "mrk-1234")
        assert isinstance(replica.rotation_enabled, Unknown)

    def test_a_primary_that_is_open(self) -> None:
        _, replica = self.estate({"Fn::ImportValue": "elsewhere"})
        assert isinstance(replica.primary, Unknown)

    def test_a_reference_reaches_the_key_of_its_own_region(self) -> None:
        resources = {
            "Replica": {
                "Type": "AWS::KMS::ReplicaKey",
                "Properties": {
                    "PrimaryKeyArn": {
                        "Fn::GetStackOutput": {"StackName": "P", "Region": "us-east-1", "OutputName": "Arn"}
                    }
                },
            },
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": {"Ref": "Replica"}}},
        }
        primary = {"Key": {"Type": "AWS::KMS::Key", "Properties": {"MultiRegion": True}}}
        output = {"Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}}
        first, replica = estate_from_templates(
            [
                TemplateInput({"Resources": primary, "Outputs": output}, "p.json", "P", ACCOUNT, "us-east-1"),
                TemplateInput({"Resources": resources}, "r.json", "R", ACCOUNT, "eu-west-1"),
            ]
        ).keys
        assert ([len(key.references) for key in (first, replica)]) == [0, 1]
