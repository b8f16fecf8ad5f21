"""Replica keys: their stacks, their policies, what the primary's policy says of them, and every refusal."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsii
import pytest
from aws_cdk import (
    App,
    Aspects,
    Aws,
    CrossStackReferences,
    DefaultStackSynthesizer,
    Environment,
    IAspect,
    NestedStack,
    ReferenceStrength,
    RemovalPolicies,
    RemovalPolicy,
    Stack,
    Stage,
    pipelines,
)
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from kms_constructs.cdk.configuration import put_in_force
from kms_constructs.cdk.key import replica_plan
from kms_constructs.cdk.key.replica import SecureKmsReplicaKey
from kms_constructs.cdk.key.replica_plan import ReplicaConfig, in_region
from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.errors import ArgumentError, SealedSynthError
from kms_constructs.policies.services.service_access import ServiceAccess
from kms_constructs.testing import access, assert_guardrails
from tests.cdk.keys import ACCOUNT, ADMIN, DEPLOY, RESCUE, USER, new_key

pytestmark = pytest.mark.cdk

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)
PRIMARY, EUROPE, ASIA = "us-east-1", "eu-west-1", "ap-northeast-1"
EUROPE_ADMIN = f"arn:aws:iam::{ACCOUNT}:role/EuropeKeyAdmin"
EUROPE_USER = f"arn:aws:iam::{ACCOUNT}:role/EuropeApp"
PRIMARY_ARN = f"arn:aws:kms:{PRIMARY}:{ACCOUNT}:key/mrk-1234abcd12ab34cd56ef1234567890ab"


def new_app(**context: Any) -> App:
    return App(analytics_reporting=False, context={"@aws-cdk/core:enablePartitionLiterals": True, **context})


def home(scope: Construct, name: str = "Data", **properties: Any) -> Stack:
    env = properties.pop("env", Environment(account=ACCOUNT, region=PRIMARY))
    return Stack(scope, name, env=env, **properties)


def key_in(scope: Construct, construct_id: str = "Key", **arguments: Any) -> SecureKmsKey:
    return new_key(scope, construct_id, **{"replica_regions": [EUROPE], "key_users": [USER], **arguments})


def templates(app: App) -> dict[str, dict[str, Any]]:
    """Every template of an app by stack name, nested stacks and stages included."""
    directory = Path(app.synth().directory)
    found: dict[str, dict[str, Any]] = {}
    for manifest in directory.rglob("manifest.json"):
        for name, artifact in json.loads(manifest.read_text("utf-8"))["artifacts"].items():
            if artifact["type"] == "aws:cloudformation:stack":
                properties = artifact["properties"]
                path = manifest.parent / properties["templateFile"]
                found[properties.get("stackName", name)] = json.loads(path.read_text("utf-8"))
    for path in directory.rglob("*.nested.template.json"):
        found[path.name] = json.loads(path.read_text("utf-8"))
    return found


def types_of(found: dict[str, dict[str, Any]]) -> set[str]:
    return {one["Type"] for template in found.values() for one in template.get("Resources", {}).values()}


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in template["Resources"].items() if one["Type"] == kind}


def replica_in(template: dict[str, Any]) -> dict[str, Any]:
    (found,) = of_type(template, "AWS::KMS::ReplicaKey").values()
    return found


def by_sid(resource: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["Sid"]: one for one in resource["Properties"]["KeyPolicy"]["Statement"]}


def exec_role(region: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/cdk-hnb659fds-cfn-exec-role-{account}-{region}"


def deny_but(sid: str, exempt: list[str], *actions: str) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": actions[0] if len(actions) == 1 else list(actions),
        "Resource": "*",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": exempt}},
    }


@pytest.fixture(scope="module")
def two_regions() -> dict[str, dict[str, Any]]:
    """A production key with two replicas, one of which has people, names and tags of its own."""
    app = new_app()
    put_in_force(app, {"production-pending-window": 14})
    key_in(
        home(app, termination_protection=True),
        alias="prod/s3-data",
        environment="prod",
        owner="data-team",
        break_glass_principals=[RESCUE],
        policy_reviewed_on=TODAY,
        tags={"team": "data"},
        via_services=["s3"],
        services=[ServiceAccess.cloudwatch_logs(log_groups=["/lake"])],
        replica_regions=[
            EUROPE,
            ReplicaConfig(
                ASIA,
                key_administrators=[EUROPE_ADMIN],
                key_users=[EUROPE_USER],
                break_glass_principals=[],
                via_services=[],
                services=[],
                aliases=["prod/asia", "prod/asia-old"],
                description="The lake in Asia",
                pending_window=14,
                tags={"team": "asia"},
                policy_reviewed_on=YESTERDAY,
            ),
        ],
    )
    return templates(app)


class TestTheReplica:
    """What a replica's stack holds."""

    def test_it_takes_over_what_the_primary_was_given(self, two_regions):
        replica = replica_in(two_regions[f"Data-replicas-{EUROPE}"])
        properties = replica["Properties"]
        assert {name: value for name, value in replica.items() if name != "Properties"} == {
            "Type": "AWS::KMS::ReplicaKey",
            "DeletionPolicy": "RetainExceptOnCreate",
            "UpdateReplacePolicy": "Retain",
            "Metadata": {
                "kms-constructs": {
                    "authorised": {
                        "IAM-KMS-2": [RESCUE],
                        "IAM-KMS-3": [RESCUE],
                        "IAM-KMS-4": [RESCUE],
                        "IAM-KMS-5": [RESCUE, exec_role(EUROPE)],
                        "IAM-KMS-7": [],
                    }
                }
            },
        }
        assert {name: value for name, value in properties.items() if name != "KeyPolicy"} == {
            "Description": "Data of the tests",
            "PendingWindowInDays": 30,
            "PrimaryKeyArn": {
                "Fn::GetStackOutput": {
                    "StackName": "Data",
                    "Region": PRIMARY,
                    "OutputName": "PublishOutputFnGetAttKey961B73FDArn43BC6B29",
                }
            },
            "Tags": [
                {"Key": "data-classification", "Value": "internal"},
                {"Key": "environment", "Value": "prod"},
                {"Key": "kms:alias", "Value": "prod/s3-data"},
                {"Key": "kms:policy-reviewed-on", "Value": TODAY.isoformat()},
                {"Key": "owner", "Value": "data-team"},
                {"Key": "service", "Value": "lake"},
                {"Key": "team", "Value": "data"},
            ],
        }

    def test_its_policy_is_written_for_its_region(self, two_regions):
        root = f"arn:aws:iam::{ACCOUNT}:root"
        found = by_sid(replica_in(two_regions[f"Data-replicas-{EUROPE}"]))
        assert list(found) == [
            "RootAccount",
            "KeyAdministrators",
            "BreakGlass",
            "Deployment",
            "MultiRegionSynchronisation",
            "KeyUsers",
            "KeyUsersGrants",
            "ServiceCloudWatchLogs",
            "DenyDestruction",
            "DenyPolicyChange",
            "DenyReplicationElsewhere",
            "DenyPrimaryChange",
            "DenyRotationOff",
            "DenyManagementToUsers",
            "DenyShortDeletionWindow",
            "DenyLockoutBypass",
            "DenyDirectGrants",
        ]
        assert found["BreakGlass"] == {
            "Sid": "BreakGlass",
            "Effect": "Allow",
            "Principal": {"AWS": RESCUE},
            "Action": [
                "kms:CancelKeyDeletion",
                "kms:DescribeKey",
                "kms:DisableKey",
                "kms:EnableKey",
                "kms:GetKeyPolicy",
                "kms:PutKeyPolicy",
                "kms:ScheduleKeyDeletion",
                "kms:UpdatePrimaryRegion",
            ],
            "Resource": "*",
        }
        assert found["KeyUsers"]["Condition"] == {
            "StringEquals": {"kms:ViaService": [f"s3.{EUROPE}.amazonaws.com"]}
        }
        assert found["ServiceCloudWatchLogs"]["Principal"] == {"Service": f"logs.{EUROPE}.amazonaws.com"}
        assert found["Deployment"]["Principal"] == {"AWS": exec_role(EUROPE)}
        assert found["DenyDestruction"] == deny_but(
            "DenyDestruction",
            [root, RESCUE],
            "kms:DeleteImportedKeyMaterial",
            "kms:DisableKey",
            "kms:ScheduleKeyDeletion",
        )
        assert found["DenyPolicyChange"] == deny_but(
            "DenyPolicyChange", [root, RESCUE, exec_role(EUROPE)], "kms:PutKeyPolicy"
        )
        assert found["DenyPrimaryChange"] == deny_but(
            "DenyPrimaryChange", [root, RESCUE], "kms:UpdatePrimaryRegion"
        )
        assert found["DenyReplicationElsewhere"] == {
            "Sid": "DenyReplicationElsewhere",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "kms:ReplicateKey",
            "Resource": "*",
        }
        assert "Condition" not in found["DenyRotationOff"]

    def test_rotation_and_replication_are_the_primary_s(self, two_regions):
        replica = replica_in(two_regions[f"Data-replicas-{EUROPE}"])
        allowed = {
            action
            for one in by_sid(replica).values()
            if one["Effect"] == "Allow"
            for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        }
        assert not allowed & {"kms:EnableKeyRotation", "kms:RotateKeyOnDemand", "kms:ReplicateKey"}

    def test_it_has_what_it_is_given_of_its_own(self, two_regions):
        template = two_regions[f"Data-replicas-{ASIA}"]
        replica = replica_in(template)
        found = by_sid(replica)
        assert found["KeyAdministrators"]["Principal"] == {"AWS": EUROPE_ADMIN}
        assert found["KeyUsers"] == {
            "Sid": "KeyUsers",
            "Effect": "Allow",
            "Principal": {"AWS": EUROPE_USER},
            "Action": [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyPair",
                "kms:GenerateDataKeyPairWithoutPlaintext",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            "Resource": "*",
        }
        assert "BreakGlass" not in found
        assert "ServiceCloudWatchLogs" not in found
        assert found["DenyShortDeletionWindow"]["Condition"] == {
            "NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "14"}
        }
        properties = replica["Properties"]
        assert (properties["Description"], properties["PendingWindowInDays"]) == ("The lake in Asia", 14)
        tags = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}
        assert tags["team"] == "asia"
        assert tags["kms:alias"] == "prod/asia"
        assert tags["kms:policy-reviewed-on"] == YESTERDAY.isoformat()
        names = [one["Properties"]["AliasName"] for one in of_type(template, "AWS::KMS::Alias").values()]
        assert names == ["alias/prod/asia", "alias/prod/asia-old"]

    def test_the_primary_lets_each_region_s_role_replicate_there_and_nobody_elsewhere(self, two_regions):
        (key,) = of_type(two_regions["Data"], "AWS::KMS::Key").values()
        found = by_sid(key)
        for sid, region in (("ReplicationToEuWest1", EUROPE), ("ReplicationToApNortheast1", ASIA)):
            assert found[sid] == {
                "Sid": sid,
                "Effect": "Allow",
                "Principal": {"AWS": exec_role(region)},
                "Action": "kms:ReplicateKey",
                "Resource": "*",
                "Condition": {"StringEquals": {"kms:ReplicaRegion": region}},
            }
        assert found["ReplicationRead"] == {
            "Sid": "ReplicationRead",
            "Effect": "Allow",
            "Principal": {"AWS": [exec_role(EUROPE), exec_role(ASIA)]},
            "Action": "kms:DescribeKey",
            "Resource": "*",
        }
        assert found["DenyReplicationElsewhere"]["Condition"] == {
            "StringNotEquals": {"kms:ReplicaRegion": [EUROPE, ASIA]}
        }
        assert found["DenyPrimaryChange"]["Condition"] == {
            "ArnNotEquals": {"aws:PrincipalArn": [f"arn:aws:iam::{ACCOUNT}:root", RESCUE]}
        }
        assert key["Properties"]["MultiRegion"] is True

    def test_no_function_parameter_or_custom_resource_is_made(self, two_regions):
        assert types_of(two_regions) == {"AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::KMS::Alias"}

    def test_the_stack_says_what_becomes_of_it(self, two_regions):
        assert two_regions[f"Data-replicas-{EUROPE}"]["Description"] == (
            f"Replicas in {EUROPE} of the KMS keys of stack Data. When the Region is taken out of"
            " replica_regions, this stack stays: delete it by hand."
        )


class TestTheStacks:
    """Where replicas go."""

    def test_keys_of_a_stack_share_one_stack_for_each_region(self):
        app = new_app()
        stack = home(app)
        one = key_in(stack, "One")
        two = key_in(Construct(stack, "Inner"), "One", alias="dev/two", replica_regions=[EUROPE, ASIA])
        assert one.replica(EUROPE).stack is two.replica(EUROPE).stack
        assert two.replica(EUROPE).node.path == f"Data-replicas-{EUROPE}/Inner/One"
        found = templates(app)
        assert set(found) == {"Data", f"Data-replicas-{EUROPE}", f"Data-replicas-{ASIA}"}
        assert len(of_type(found[f"Data-replicas-{EUROPE}"], "AWS::KMS::ReplicaKey")) == 2

    def test_stacks_do_not_share(self):
        app = new_app()
        keys = [key_in(home(app, name)) for name in ("One", "Two")]
        assert [key.replica(EUROPE).stack.stack_name for key in keys] == [
            f"One-replicas-{EUROPE}",
            f"Two-replicas-{EUROPE}",
        ]
        app.synth()

    def test_the_stack_is_protected_like_the_primary_s(self):
        app = new_app()
        kept = key_in(home(app, "Kept", termination_protection=True)).replica(EUROPE).stack
        loose = key_in(home(app, "Loose")).replica(EUROPE).stack
        assert (kept.termination_protection, loose.termination_protection) == (True, False)

    def test_stages(self):
        app = new_app()
        for name in ("Test", "Prod"):
            stage = Stage(app, name, env=Environment(account=ACCOUNT, region=PRIMARY))
            key = key_in(Stack(stage, "Data"))
            assert key.replica(EUROPE).node.path == f"{name}/Data-replicas-{EUROPE}/Key"
        found = templates(app)
        assert set(found) == {
            f"{stage}-Data{rest}" for stage in ("Test", "Prod") for rest in ("", f"-replicas-{EUROPE}")
        }
        for stage in ("Test", "Prod"):
            replica = replica_in(found[f"{stage}-Data-replicas-{EUROPE}"])
            reference = replica["Properties"]["PrimaryKeyArn"]["Fn::GetStackOutput"]
            assert reference["StackName"] == f"{stage}-Data"
            assert reference["OutputName"] in found[f"{stage}-Data"]["Outputs"]

    def test_cdk_pipelines(self):
        app = new_app()
        delivery = home(app, "Delivery")
        source = codecommit.Repository.from_repository_name(delivery, "Source", "app")
        pipeline = pipelines.CodePipeline(
            delivery,
            "Pipeline",
            synth=pipelines.ShellStep(
                "Synth",
                input=pipelines.CodePipelineSource.code_commit(source, "main"),
                commands=["make synth"],
            ),
        )
        stage = Stage(app, "Prod", env=Environment(account=ACCOUNT, region=PRIMARY))
        key_in(Stack(stage, "Data"))
        pipeline.add_stage(stage)
        found = templates(app)
        assert replica_in(found[f"Prod-Data-replicas-{EUROPE}"])["Properties"]["PrimaryKeyArn"]
        actions = [
            action["Name"]
            for one in of_type(found["Delivery"], "AWS::CodePipeline::Pipeline").values()
            for step in one["Properties"]["Stages"]
            for action in step["Actions"]
            if action["Name"].endswith("Deploy")
        ]
        assert actions.index("Data.Deploy") < actions.index(f"Data-replicas-{EUROPE}.Deploy")
        order = {
            action["Name"]: action["RunOrder"]
            for one in of_type(found["Delivery"], "AWS::CodePipeline::Pipeline").values()
            for step in one["Properties"]["Stages"]
            for action in step["Actions"]
        }
        assert order["Data.Deploy"] < order[f"Data-replicas-{EUROPE}.Prepare"]

    def test_a_primary_in_a_nested_stack(self):
        app = new_app()
        stack = home(app)
        key = key_in(NestedStack(stack, "Keys"))
        assert key.replica(EUROPE).node.path == f"Data-replicas-{EUROPE}/Keys/Key"
        found = templates(app)
        assert types_of(found) == {
            "AWS::CloudFormation::Stack",
            "AWS::KMS::Alias",
            "AWS::KMS::Key",
            "AWS::KMS::ReplicaKey",
        }
        reference = replica_in(found[f"Data-replicas-{EUROPE}"])["Properties"]["PrimaryKeyArn"]
        output = found["Data"]["Outputs"][reference["Fn::GetStackOutput"]["OutputName"]]
        nested, name = output["Value"]["Fn::GetAtt"]
        assert found["Data"]["Resources"][nested]["Type"] == "AWS::CloudFormation::Stack"
        assert name.startswith("Outputs.")

    def test_a_custom_qualifier_is_passed_on(self):
        app = new_app()
        stack = home(app, synthesizer=DefaultStackSynthesizer(qualifier="mykeys"))
        role = f"arn:aws:iam::{ACCOUNT}:role/cdk-mykeys-cfn-exec-role-{ACCOUNT}-{PRIMARY}"
        key_in(stack, deployment_principals=[role])
        artifacts = {one.stack_name: one for one in app.synth().stacks}
        replica = artifacts[f"Data-replicas-{EUROPE}"]
        assert "cdk-mykeys-cfn-exec-role" in str(replica.cloud_formation_execution_role_arn)
        deployment = by_sid(replica_in(replica.template))["Deployment"]
        assert deployment["Principal"] == {"AWS": role.replace(PRIMARY, EUROPE)}
        (key,) = of_type(artifacts["Data"].template, "AWS::KMS::Key").values()
        assert by_sid(key)["ReplicationToEuWest1"]["Principal"] == {"AWS": role.replace(PRIMARY, EUROPE)}

    def test_one_synthesizer_for_the_whole_app(self):
        app = App(
            analytics_reporting=False, default_stack_synthesizer=DefaultStackSynthesizer(qualifier="mykeys")
        )
        key_in(home(app), deployment_principals=[DEPLOY])
        replica = next(one for one in app.synth().stacks if one.stack_name == f"Data-replicas-{EUROPE}")
        assert "cdk-mykeys-" in str(replica.cloud_formation_execution_role_arn)
        assert by_sid(replica_in(replica.template))["Deployment"]["Principal"] == {"AWS": DEPLOY}

    def test_an_unknown_account(self):
        app = App(analytics_reporting=False)
        key = key_in(home(app, env=Environment(region=PRIMARY)))
        found = templates(app)
        (resource,) = of_type(found["Data"], "AWS::KMS::Key").values()
        principal = by_sid(resource)["ReplicationToEuWest1"]["Principal"]["AWS"]
        text = json.dumps(principal)
        assert '{"Ref": "AWS::AccountId"}' in text
        assert text.endswith(f'-{EUROPE}"]]}}')
        assert "Fn::GetStackOutput" in json.dumps(replica_in(found[f"Data-replicas-{EUROPE}"]))
        assert key.replica(EUROPE).stack.account == Aws.ACCOUNT_ID

    def test_references_stay_weak_whatever_the_app_says(self):
        app = new_app(**{"@aws-cdk/core:defaultCrossStackReferences": "strong"})
        key_in(home(app))
        assert types_of(templates(app)) == {"AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::KMS::Alias"}

    def test_a_name_of_one_s_own(self):
        app = new_app()
        key = key_in(home(app), replica_regions=[ReplicaConfig(EUROPE, stack_name="europe-keys")])
        assert key.replica(EUROPE).stack.stack_name == "europe-keys"
        assert key.replica(EUROPE).node.path == "europe-keys/Key"

    def test_a_pinned_logical_id_is_pinned_there_too(self):
        app = new_app()
        key_in(home(app), logical_id="LakeKey")
        assert list(of_type(templates(app)[f"Data-replicas-{EUROPE}"], "AWS::KMS::ReplicaKey")) == ["LakeKey"]


class TestTheKeyOfARegion:
    """`key.replica(region)` and what goes with it."""

    def test_a_bucket_in_that_region(self):
        app = new_app()
        stack = home(app)
        key = key_in(stack, policy_reviewed_on=TODAY)
        s3.Bucket(stack, "Bucket", encryption_key=key)
        europe = Stack(app, "Europe", env=Environment(account=ACCOUNT, region=EUROPE))
        s3.Bucket(europe, "Bucket", encryption_key=key.replica(EUROPE))
        found = templates(app)
        (bucket,) = of_type(found["Europe"], "AWS::S3::Bucket").values()
        rule = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
        imported = rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]["Fn::ImportValue"]
        exported = found[f"Data-replicas-{EUROPE}"]["Outputs"]
        (output,) = exported.values()
        assert output["Export"]["Name"] == imported
        (logical_id,) = of_type(found[f"Data-replicas-{EUROPE}"], "AWS::KMS::ReplicaKey")
        assert output["Value"] == {"Fn::GetAtt": [logical_id, "Arn"]}
        report = assert_guardrails(app)
        assert report.keys == 2

    def test_it_is_a_key_with_a_sealed_policy(self):
        app = new_app()
        replica = key_in(home(app)).replica(EUROPE)
        assert isinstance(replica, kms.Key)
        replica.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt"], resources=["*"], principals=[iam.ArnPrincipal(EUROPE_USER)]
            )
        )
        europe = Stack(app, "Europe", env=Environment(account=ACCOUNT, region=EUROPE))
        role = iam.Role(europe, "Role", assumed_by=iam.AccountPrincipal(ACCOUNT))
        replica.grant_decrypt(role)
        with pytest.raises(SealedSynthError, match=r"2 wishes[^*]*sealed[^*]*belongs to stack Europe"):
            app.synth()

    def test_a_role_of_its_own_stack_is_granted_in_its_policy(self):
        app = new_app()
        replica = key_in(home(app)).replica(EUROPE)
        role = iam.Role(replica.stack, "Role", assumed_by=iam.AccountPrincipal(ACCOUNT))
        replica.grant_decrypt(role)
        found = templates(app)
        granted = by_sid(replica_in(found[f"Data-replicas-{EUROPE}"]))["Granted1"]
        assert granted["Action"] == ["kms:Decrypt"]
        (key,) = of_type(found["Data"], "AWS::KMS::Key").values()
        assert "Granted1" not in by_sid(key)

    def test_arns_do_not_depend_on_the_replica_s_stack(self):
        app = new_app()
        stack = home(app)
        key = key_in(stack, replica_regions=[EUROPE, ReplicaConfig(ASIA, made_elsewhere=True)])
        role = iam.Role(stack, "Role", assumed_by=iam.AccountPrincipal(ACCOUNT))
        role.add_to_policy(
            iam.PolicyStatement(actions=["kms:Decrypt"], resources=list(key.replica_arns.values()))
        )
        assert list(key.replica_arns) == [EUROPE, ASIA]
        found = templates(app)
        (policy,) = of_type(found["Data"], "AWS::IAM::Policy").values()
        (logical_id,) = of_type(found["Data"], "AWS::KMS::Key")
        assert policy["Properties"]["PolicyDocument"]["Statement"][0]["Resource"] == [
            {"Fn::Join": ["", [f"arn:aws:kms:{region}:{ACCOUNT}:key/", {"Ref": logical_id}]]}
            for region in (EUROPE, ASIA)
        ]

    def test_replicas_by_region(self):
        key = key_in(home(new_app()), replica_regions=[EUROPE, ASIA])
        assert list(key.replicas) == [EUROPE, ASIA]
        assert key.replicas[ASIA] is key.replica(ASIA)
        assert key.replica(ASIA).alias_arn == f"arn:aws:kms:{ASIA}:{ACCOUNT}:alias/dev/key"
        assert dict(new_key(home(new_app())).replicas) == {}

    def test_other_regions_are_refused(self):
        key = key_in(home(new_app()))
        with pytest.raises(
            ArgumentError, match=r"it has: eu-west-1\. Fix: name the Region in replica_regions"
        ):
            key.replica(ASIA)
        with pytest.raises(ArgumentError, match="Fix: it is the Region of the key itself: use that"):
            key.replica(PRIMARY)

    def test_outputs_and_parameter_are_per_region(self):
        app = new_app()
        key_in(home(app), outputs=True, parameter_name="/keys/lake")
        template = templates(app)[f"Data-replicas-{EUROPE}"]
        (parameter,) = of_type(template, "AWS::SSM::Parameter").values()
        assert parameter["Properties"]["Name"] == "/keys/lake"
        assert parameter["Properties"]["Value"]["Fn::GetAtt"][1] == "Arn"
        assert {name[:6] for name in template["Outputs"]} == {"KeyKey", "KeyAli"}


class TestAspects:
    """What others set on the L1 of a replica does not reach the template."""

    def test_rotation_set_by_an_aspect(self):
        @jsii.implements(IAspect)
        class RotateEverything:
            def visit(self, node: IConstruct) -> None:
                if isinstance(node, kms.CfnKey):
                    node.enable_key_rotation = True
                    node.rotation_period_in_days = 90
                    node.multi_region = True

        app = new_app()
        key_in(home(app))
        Aspects.of(app).add(RotateEverything())
        RemovalPolicies.of(app).destroy()
        replica = replica_in(templates(app)[f"Data-replicas-{EUROPE}"])
        assert set(replica["Properties"]) == {
            "Description",
            "KeyPolicy",
            "PendingWindowInDays",
            "PrimaryKeyArn",
            "Tags",
        }
        assert replica["DeletionPolicy"] == "RetainExceptOnCreate"


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"break_glass_principals": [RESCUE]},
        {"key_spec": "HMAC_256"},
        {"key_spec": "ECC_NIST_P256", "key_usage": "SIGN_VERIFY"},
        {"environment": "prod", "services": [ServiceAccess.sns()]},
    ],
    ids=["plain", "break glass", "MAC", "signing", "for a service"],
)
def test_the_guardrails_find_nothing(arguments):
    app = new_app()
    stack = home(app)
    key = key_in(stack, policy_reviewed_on=TODAY, outputs=True, **arguments)
    report = assert_guardrails(app)
    assert report.keys == 2
    assert not [one for one in report.findings if one.outcome.value in {"violation", "undetermined"}]
    replica = access(key.replica(EUROPE).stack, "alias/dev/key")
    rescue = RESCUE if "break_glass_principals" in arguments else ADMIN
    assert replica.who_can("UpdatePrimaryRegion") == {rescue, f"the root user of account {ACCOUNT}"}
    assert replica.who_can("ReplicateKey") == set()
    primary = access(stack, "alias/dev/key")
    assert primary.who_can("ReplicateKey") == {exec_role(EUROPE)}


class TestMadeElsewhere:
    """A primary here, its replica in another app."""

    def test_the_primary_allows_it_and_makes_nothing(self):
        app = new_app()
        key = key_in(home(app), replica_regions=[ReplicaConfig(EUROPE, made_elsewhere=True)])
        found = templates(app)
        assert list(found) == ["Data"]
        (resource,) = of_type(found["Data"], "AWS::KMS::Key").values()
        assert resource["Properties"]["MultiRegion"] is True
        assert by_sid(resource)["ReplicationToEuWest1"]["Principal"] == {"AWS": exec_role(EUROPE)}
        with pytest.raises(ArgumentError, match="no replica there that this app makes"):
            key.replica(EUROPE)

    def test_deployment_principals_may_be_named(self):
        app = new_app()
        key_in(
            home(app),
            replica_regions=[ReplicaConfig(EUROPE, made_elsewhere=True, deployment_principals=[DEPLOY])],
        )
        (resource,) = of_type(templates(app)["Data"], "AWS::KMS::Key").values()
        assert by_sid(resource)["ReplicationToEuWest1"]["Principal"] == {"AWS": DEPLOY}

    def test_the_replica(self):
        app = new_app()
        stack = Stack(app, "Europe", env=Environment(account=ACCOUNT, region=EUROPE))
        replica = standalone(stack)
        assert replica.primary_key_arn == PRIMARY_ARN
        template = templates(app)["Europe"]
        assert replica_in(template)["Properties"]["PrimaryKeyArn"] == PRIMARY_ARN
        assert types_of({"Europe": template}) == {"AWS::KMS::ReplicaKey", "AWS::KMS::Alias"}
        assert by_sid(replica_in(template))["Deployment"]["Principal"] == {"AWS": exec_role(EUROPE)}

    def test_the_replica_may_go_with_its_stack(self):
        app = new_app()
        stack = Stack(app, "Europe", env=Environment(account=ACCOUNT, region=EUROPE))
        standalone(stack, removal_policy=RemovalPolicy.DESTROY)
        replica = replica_in(templates(app)["Europe"])
        assert replica["DeletionPolicy"] == "Delete"
        assert "kms:ScheduleKeyDeletion" in by_sid(replica)["Deployment"]["Action"]

    def test_a_primary_of_the_same_app_by_weak_reference(self):
        app = new_app()
        key = key_in(home(app), replica_regions=[ReplicaConfig(EUROPE, made_elsewhere=True)])
        stack = Stack(app, "Europe", env=Environment(account=ACCOUNT, region=EUROPE))
        CrossStackReferences.of(stack).consume(ReferenceStrength.WEAK)
        standalone(stack, primary_key_arn=key.key_arn)
        found = templates(app)
        assert types_of(found) == {"AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::KMS::Alias"}
        assert "Fn::GetStackOutput" in replica_in(found["Europe"])["Properties"]["PrimaryKeyArn"]


def standalone(stack: Stack, **arguments: Any) -> SecureKmsReplicaKey:
    given: dict[str, Any] = {
        "primary_key_arn": PRIMARY_ARN,
        "alias": "dev/lake",
        "description": "Data of the tests",
        "environment": "dev",
        "service": "lake",
        "data_classification": "internal",
        "key_administrators": [EUROPE_ADMIN],
    }
    return SecureKmsReplicaKey(stack, "Key", **{**given, **arguments})


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "one text": ({"replica_regions": EUROPE}, "replica_regions", "a list of Regions is wanted"),
    "no Region": ({"replica_regions": [7]}, "replica_regions", "a Region or a ReplicaConfig"),
    "empty": ({"replica_regions": [""]}, "replica_regions", "known at synthesis"),
    "unresolved": ({"replica_regions": [Aws.REGION]}, "replica_regions", "known at synthesis"),
    "unknown": ({"replica_regions": ["eu-west-9"]}, "replica_regions", "no such Region"),
    "an Availability Zone": ({"replica_regions": ["eu-west-1a"]}, "replica_regions", "no such Region"),
    "the primary's": ({"replica_regions": [PRIMARY]}, "replica_regions", "a Region holds one"),
    "twice": (
        {"replica_regions": [EUROPE, ReplicaConfig(EUROPE)]},
        "replica_regions",
        "at most one replica in a Region",
    ),
    "another partition": (
        {"replica_regions": ["cn-north-1"]},
        "replica_regions",
        "it lies in partition aws-cn and the primary key in aws",
    ),
    "DESTROY": (
        {"removal_policy": RemovalPolicy.DESTROY},
        "removal_policy",
        "KMS does not delete a primary key while it has replicas",
    ),
    "a custom key store": ({"origin": "AWS_CLOUDHSM"}, "origin", "AWS_KMS and EXTERNAL only"),
    "no alias": ({"replica_regions": [ReplicaConfig(EUROPE, aliases=[])]}, "aliases", "at least one name"),
    "a bad alias": ({"replica_regions": [ReplicaConfig(EUROPE, aliases=["a:b"])]}, "alias", "no colon"),
    "no administrators": (
        {"replica_regions": [ReplicaConfig(EUROPE, key_administrators=[])]},
        "key_administrators",
        "cannot be managed",
    ),
    "an administrator who uses": (
        {"replica_regions": [ReplicaConfig(EUROPE, key_administrators=[USER])]},
        "key_users",
        "the same principal stands in key_administrators",
    ),
    "a window out of bounds": (
        {"replica_regions": [ReplicaConfig(EUROPE, pending_window=3)]},
        "pending_window",
        "7 to 30 days",
    ),
    "a stack name too long": (
        {"replica_regions": [ReplicaConfig(EUROPE, stack_name="k" * 129)]},
        "replica_regions",
        "at most 128 characters",
    ),
    "made elsewhere with people": (
        {"replica_regions": [ReplicaConfig(EUROPE, made_elsewhere=True, key_users=[USER])]},
        "made_elsewhere",
        "key_users would have no effect here",
    ),
}


@pytest.mark.parametrize(("arguments", "argument", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(arguments, argument, reason):
    with pytest.raises(ArgumentError) as caught:
        key_in(home(new_app()), **arguments)
    assert caught.value.argument == argument
    assert reason in str(caught.value)
    assert caught.value.fix


def test_a_primary_without_a_region_is_refused():
    with pytest.raises(ArgumentError, match="the primary's stack has no fixed Region"):
        key_in(Stack(new_app(), "Data"))


def test_an_unnamed_role_of_the_primary_s_stack_is_refused():
    stack = home(new_app())
    role = iam.Role(stack, "App", assumed_by=iam.AccountPrincipal(ACCOUNT))
    with pytest.raises(ArgumentError) as caught:
        key_in(stack, key_users=[role])
    assert caught.value.argument == "key_users"
    assert caught.value.value == "Data/App"
    assert "this role belongs to stack Data in another Region" in str(caught.value)
    assert "give it a name (role_name=…)" in caught.value.fix


def test_a_named_role_of_the_primary_s_stack_is_written_by_name():
    app = new_app()
    stack = home(app)
    role = iam.Role(stack, "App", role_name="lake-app", assumed_by=iam.AccountPrincipal(ACCOUNT))
    key_in(stack, key_users=[role])
    found = templates(app)
    replica = replica_in(found[f"Data-replicas-{EUROPE}"])
    assert by_sid(replica)["KeyUsers"]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:role/lake-app"}


def test_a_stack_name_that_is_taken_is_refused():
    app = new_app()
    key_in(home(app, "One"), replica_regions=[ReplicaConfig(EUROPE, stack_name="keys")])
    with pytest.raises(ArgumentError, match="stack keys holds the replicas of One"):
        key_in(home(app, "Two"), replica_regions=[ReplicaConfig(EUROPE, stack_name="keys")])


def test_a_stack_has_no_more_keys_with_replicas_than_outputs(monkeypatch):
    monkeypatch.setattr(replica_plan, "MAXIMUM_OUTPUTS", 2)
    app = new_app()
    stack = home(app)
    for name in ("One", "Two"):
        key_in(stack, name, replica_regions=[EUROPE, ASIA])

    with pytest.raises(ArgumentError, match=r"Data has 2 keys with replicas already; each takes an output"):
        key_in(stack, "Three")
    key_in(stack, "Local", replica_regions=[])
    key_in(home(app, "More"), "Three")


STANDALONE_REFUSED: dict[str, tuple[dict[str, Any], Environment, str]] = {
    "no ARN": ({"primary_key_arn": "mrk-1234"}, Environment(account=ACCOUNT, region=EUROPE), "KMS key ARN"),
    "no text": ({"primary_key_arn": None}, Environment(account=ACCOUNT, region=EUROPE), "an ARN is wanted"),
    "an alias": (
        {"primary_key_arn": f"arn:aws:kms:{PRIMARY}:{ACCOUNT}:alias/lake"},
        Environment(account=ACCOUNT, region=EUROPE),
        "an alias ARN will not do",
    ),
    "a single-Region key": (
        {"primary_key_arn": f"arn:aws:kms:{PRIMARY}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
        Environment(account=ACCOUNT, region=EUROPE),
        "single-Region key",
    ),
    "another account": (
        {},
        Environment(account="444455556666", region=EUROPE),
        "replicates within an account only",
    ),
    "the primary's Region": ({}, Environment(account=ACCOUNT, region=PRIMARY), "a Region holds one"),
    "another partition": ({}, Environment(account=ACCOUNT, region="cn-north-1"), "partition aws-cn"),
    "no Region": ({}, Environment(account=ACCOUNT), "this stack has no fixed Region"),
}


@pytest.mark.parametrize(("arguments", "env", "reason"), STANDALONE_REFUSED.values(), ids=STANDALONE_REFUSED)
def test_standalone_refused(arguments, env, reason):
    with pytest.raises(ArgumentError) as caught:
        standalone(Stack(new_app(), "Europe", env=env), **arguments)
    assert reason in str(caught.value)


class TestReferencesOfTheSameApp:
    """A token for the primary is looked into."""

    @pytest.mark.parametrize(
        ("env", "reason"),
        [
            (Environment(account=ACCOUNT, region=EUROPE), "Lambda functions and SSM parameters"),
            (Environment(account="444455556666", region=EUROPE), "replicates within an account only"),
            (Environment(account=ACCOUNT, region=PRIMARY), "a Region holds one"),
        ],
        ids=["strong reference", "another account", "the same Region"],
    )
    def test_refused(self, env, reason):
        app = new_app()
        key = new_key(home(app), multi_region=True)
        with pytest.raises(ArgumentError) as caught:
            standalone(Stack(app, "Europe", env=env), primary_key_arn=key.key_arn)
        assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("arn:aws:iam::111122223333:role/exec-us-east-1", "arn:aws:iam::111122223333:role/exec-eu-west-1"),
        ("arn:aws:iam::111122223333:role/Deploy", "arn:aws:iam::111122223333:role/Deploy"),
        ("s3.us-east-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"),
        ("s3", "s3"),
    ],
    ids=["bootstrap role", "other role", "whole service name", "service"],
)
def test_names_of_the_primary_s_region_become_those_of_the_replica_s(given, expected):
    assert in_region(given, PRIMARY, EUROPE) == expected


def test_a_lambda_function_takes_the_replica_as_its_key():
    app = new_app()
    replica = key_in(home(app)).replica(EUROPE)
    europe = Stack(app, "Europe", env=Environment(account=ACCOUNT, region=EUROPE))
    role = iam.Role.from_role_arn(europe, "Role", USER)
    lambda_.Function(
        europe,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        role=role,
        environment_encryption=replica,
    )
    (function,) = of_type(templates(app)["Europe"], "AWS::Lambda::Function").values()
    assert "Fn::ImportValue" in function["Properties"]["KmsKeyArn"]
