"""The reference application: what it deploys, and that it may."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import aws_cdk
import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from app import new_app
from kms_constructs import ArgumentError
from kms_constructs.analysis.access import Access
from kms_constructs.testing import access, assert_guardrails
from reference_app.application import build
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.cdk

BIN = Path(sys.executable).parent
CDK = REPOSITORY / "node_modules" / ".bin" / "cdk"
CONTEXT = json.loads((REPOSITORY / "cdk.json").read_text("utf-8"))["context"]

ACCOUNT = "123456789012"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/security-admin-role"
BREAK_GLASS = f"arn:aws:iam::{ACCOUNT}:role/security-break-glass-role"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-us-east-1"
REPLICA_DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-eu-west-1"
USERS = {
    "dev": [f"arn:aws:iam::{ACCOUNT}:role/dev-app-role", f"arn:aws:iam::{ACCOUNT}:role/dev-terraform-role"],
    "prod": [
        f"arn:aws:iam::{ACCOUNT}:role/prod-app-role",
        f"arn:aws:iam::{ACCOUNT}:role/prod-terraform-deploy-role",
    ],
}

READ = [
    "kms:DescribeKey",
    "kms:GetKeyLastUsage",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
]
MANAGE = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
]
GUARDED = ["kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]
DEPLOY = [
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
]
USE = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]


def allow(
    sid: str, principal: object, actions: list[str] | str, condition: object = None
) -> dict[str, object]:
    """An Allow as the template should hold it."""
    found = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal if isinstance(principal, dict) else {"AWS": principal},
        "Action": actions if isinstance(actions, str) else sorted(actions),
        "Resource": "*",
    }
    return {**found, "Condition": condition} if condition else found


def deny(sid: str, actions: object, condition: object, principal: object = None) -> dict[str, object]:
    """A Deny to everyone as the template should hold it."""
    found = {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": principal or {"AWS": "*"},
        "Action": actions,
        "Resource": "*",
    }
    return {**found, "Condition": condition} if condition else found


def but(*exempt: str) -> dict[str, object]:
    """The condition that exempts principals from a Deny."""
    return {"ArnNotEquals": {"aws:PrincipalArn": list(exempt)}}


def shared_statements(
    environment: str, reports: object, region: str = "us-east-1"
) -> list[dict[str, object]]:
    """The statements of users and services, which all keys have alike."""
    arn = f"arn:aws:logs:{region}:{ACCOUNT}:log-group:/reference/{environment}/data"
    return [
        allow("KeyUsers", USERS[environment], USE),
        allow(
            "KeyUsersGrants",
            USERS[environment],
            ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
            {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        allow("DecryptOnly", {"AWS": reports}, ["kms:Decrypt", "kms:DescribeKey", "kms:ReEncryptFrom"]),
        allow(
            "ServiceCloudWatchLogs",
            {"Service": f"logs.{region}.amazonaws.com"},
            [
                "kms:Decrypt",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn}},
        ),
    ]


MANAGED_BY_NO_USER = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetParametersForImport",
    "kms:ImportKeyMaterial",
    "kms:ReplicateKey",
    "kms:RotateKeyOnDemand",
    "kms:SynchronizeMultiRegionKey",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
    "kms:UpdatePrimaryRegion",
]


def denies_at_the_end(window: int, *users: object) -> list[dict[str, object]]:
    """The Denies that exempt nobody, and the one for the users."""
    return [
        deny("DenyRotationOff", "kms:DisableKeyRotation", None),
        deny("DenyManagementToUsers", MANAGED_BY_NO_USER, {"ArnEquals": {"aws:PrincipalArn": list(users)}}),
        deny(
            "DenyShortDeletionWindow",
            "kms:ScheduleKeyDeletion",
            {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": str(window)}},
        ),
        deny(
            "DenyLockoutBypass",
            "kms:PutKeyPolicy",
            {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}},
        ),
        deny(
            "DenyDirectGrants",
            "kms:CreateGrant",
            {"BoolIfExists": {"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"}},
            "*",
        ),
    ]


REPORTS = {"Fn::GetAtt": ["Reports65402A0A", "Arn"]}
DEV_POLICY = [
    allow("RootAccount", ROOT, [*READ, *MANAGE, *GUARDED]),
    allow("KeyAdministrators", ADMIN, [*READ, *MANAGE, *GUARDED]),
    allow("Deployment", DEPLOYER, [*DEPLOY, "kms:ScheduleKeyDeletion"]),
    *shared_statements("dev", REPORTS),
    deny("DenyDestruction", ["kms:DeleteImportedKeyMaterial", "kms:DisableKey"], but(ROOT, ADMIN)),
    deny("DenyDeletion", "kms:ScheduleKeyDeletion", but(ROOT, ADMIN, DEPLOYER)),
    deny("DenyPolicyChange", "kms:PutKeyPolicy", but(ROOT, ADMIN, DEPLOYER)),
    *denies_at_the_end(7, *USERS["dev"], REPORTS),
]

EMERGENCY = ["kms:CancelKeyDeletion", "kms:DescribeKey", "kms:EnableKey", "kms:GetKeyPolicy"]
DENY_DESTRUCTION = deny(
    "DenyDestruction",
    ["kms:DeleteImportedKeyMaterial", "kms:DisableKey", "kms:ScheduleKeyDeletion"],
    but(ROOT, BREAK_GLASS),
)
DENY_PRIMARY_CHANGE = deny("DenyPrimaryChange", "kms:UpdatePrimaryRegion", but(ROOT, BREAK_GLASS))
SYNCHRONISATION = allow(
    "MultiRegionSynchronisation",
    ROOT,
    "kms:SynchronizeMultiRegionKey",
    {
        "ArnEquals": {
            "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/mrk.kms.amazonaws.com/"
            "AWSServiceRoleForKeyManagementServiceMultiRegionKeys"
        }
    },
)
PROD_POLICY = [
    allow("RootAccount", ROOT, [*READ, *MANAGE, *GUARDED, "kms:UpdatePrimaryRegion"]),
    allow("KeyAdministrators", ADMIN, [*READ, *MANAGE]),
    allow("BreakGlass", BREAK_GLASS, [*EMERGENCY, *GUARDED, "kms:UpdatePrimaryRegion"]),
    allow("Deployment", DEPLOYER, DEPLOY),
    allow(
        "ReplicationToEuWest1",
        REPLICA_DEPLOYER,
        "kms:ReplicateKey",
        {"StringEquals": {"kms:ReplicaRegion": "eu-west-1"}},
    ),
    allow("ReplicationRead", REPLICA_DEPLOYER, "kms:DescribeKey"),
    SYNCHRONISATION,
    *shared_statements("prod", REPORTS),
    DENY_DESTRUCTION,
    deny("DenyPolicyChange", "kms:PutKeyPolicy", but(ROOT, BREAK_GLASS, DEPLOYER)),
    deny(
        "DenyReplicationElsewhere",
        "kms:ReplicateKey",
        {"StringNotEquals": {"kms:ReplicaRegion": "eu-west-1"}},
    ),
    DENY_PRIMARY_CHANGE,
    *denies_at_the_end(30, *USERS["prod"], REPORTS),
]

# Rotation belongs to the primary key: nobody has it here.
ROTATION = {"kms:EnableKeyRotation", "kms:RotateKeyOnDemand"}
REPLICA_MANAGE = [action for action in MANAGE if action not in ROTATION]
REPLICA_POLICY = [
    allow("RootAccount", ROOT, [*READ, *REPLICA_MANAGE, *GUARDED, "kms:UpdatePrimaryRegion"]),
    allow("KeyAdministrators", ADMIN, [*READ, *REPLICA_MANAGE]),
    allow("BreakGlass", BREAK_GLASS, [*EMERGENCY, *GUARDED, "kms:UpdatePrimaryRegion"]),
    allow("Deployment", REPLICA_DEPLOYER, [action for action in DEPLOY if action not in ROTATION]),
    SYNCHRONISATION,
    *shared_statements("prod", f"arn:aws:iam::{ACCOUNT}:role/prod-reports-role", "eu-west-1"),
    DENY_DESTRUCTION,
    deny("DenyPolicyChange", "kms:PutKeyPolicy", but(ROOT, BREAK_GLASS, REPLICA_DEPLOYER)),
    deny("DenyReplicationElsewhere", "kms:ReplicateKey", None),
    DENY_PRIMARY_CHANGE,
    *denies_at_the_end(30, *USERS["prod"], f"arn:aws:iam::{ACCOUNT}:role/prod-reports-role"),
]
KEY_STACKS = {
    "dev-data-key": DEV_POLICY,
    "prod-data-key": PROD_POLICY,
    "prod-data-key-replicas-eu-west-1": REPLICA_POLICY,
}


def synthesize(environment: str, directory: Path) -> Path:
    """Synthesizes the application, guardrails and all, and returns its cloud assembly."""
    app = new_app(str(directory), environment=environment)
    build(app)
    app.synth()
    return directory


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesize("all", tmp_path_factory.mktemp("all") / "cdk.out")


def template(assembly: Path, stack: str) -> dict[str, Any]:
    """The template of a stack."""
    found: dict[str, Any] = json.loads((assembly / f"{stack}.template.json").read_text("utf-8"))
    return found


def key_of(assembly: Path, stack: str) -> dict[str, Any]:
    """The only key of a stack."""
    resources = template(assembly, stack)["Resources"].values()
    (key,) = (one for one in resources if one["Type"] in ("AWS::KMS::Key", "AWS::KMS::ReplicaKey"))
    return dict(key)


@pytest.mark.parametrize("stack", KEY_STACKS)
def test_the_whole_key_policy(assembly: Path, stack: str) -> None:
    policy = key_of(assembly, stack)["Properties"]["KeyPolicy"]
    expected = KEY_STACKS[stack]

    assert [statement["Sid"] for statement in policy["Statement"]] == [one["Sid"] for one in expected]
    for statement, wanted in zip(policy["Statement"], expected, strict=True):
        assert statement == wanted
    assert set(policy) == {"Version", "Statement"}


DEV_TAGS = {
    "data-classification": "internal",
    "environment": "dev",
    "kms:alias": "dev/s3-data",
    "kms:policy-reviewed-on": "2026-11-20",
    "service": "s3",
}
PROD_TAGS = {
    "Compliance": "soc2",
    "data-classification": "confidential",
    "environment": "prod",
    "kms:alias": "prod/s3-data",
    "kms:policy-reviewed-on": "2026-11-20",
    "service": "s3",
}
PRIMARY = {
    "EnableKeyRotation": True,
    "KeySpec": "SYMMETRIC_DEFAULT",
    "KeyUsage": "ENCRYPT_DECRYPT",
    "RotationPeriodInDays": 365,
}


@pytest.mark.parametrize(
    ("stack", "properties", "tags", "policies"),
    [
        pytest.param(
            "dev-data-key",
            {
                **PRIMARY,
                "Description": "Encrypts S3 data bucket objects in the dev environment",
                "MultiRegion": False,
                "PendingWindowInDays": 7,
            },
            DEV_TAGS,
            ("Delete", "Delete"),
            id="dev: seven days, and gone with its stack",
        ),
        pytest.param(
            "prod-data-key",
            {
                **PRIMARY,
                "Description": "Encrypts S3 data bucket objects in the prod environment",
                "MultiRegion": True,
                "PendingWindowInDays": 30,
            },
            PROD_TAGS,
            ("RetainExceptOnCreate", "Retain"),
            id="prod: thirty days, and kept",
        ),
        pytest.param(
            "prod-data-key-replicas-eu-west-1",
            {
                "Description": "Encrypts S3 data bucket objects in the prod environment",
                "PendingWindowInDays": 30,
                "PrimaryKeyArn": {
                    "Fn::GetStackOutput": {
                        "StackName": "prod-data-key",
                        "Region": "us-east-1",
                        "OutputName": "PublishOutputFnGetAttDataKey17AFBB84Arn5D1EA6C9",
                    }
                },
            },
            PROD_TAGS,
            ("RetainExceptOnCreate", "Retain"),
            id="replica: of the primary key, and kept",
        ),
    ],
)
def test_everything_else_about_the_key(assembly: Path, stack, properties, tags, policies) -> None:
    key = key_of(assembly, stack)
    others = {name: value for name, value in key["Properties"].items() if name not in ("KeyPolicy", "Tags")}

    assert others == properties
    assert {tag["Key"]: tag["Value"] for tag in key["Properties"]["Tags"]} == tags
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == policies


@pytest.mark.parametrize("stack", KEY_STACKS)
def test_the_alias_points_at_the_key(assembly: Path, stack: str) -> None:
    Template.from_json(template(assembly, stack)).has_resource_properties(
        "AWS::KMS::Alias",
        {
            "AliasName": f"alias/{stack.partition('-')[0]}/s3-data",
            "TargetKeyId": {"Fn::GetAtt": ["DataKey17AFBB84", "Arn"]},
        },
    )


@pytest.mark.parametrize(
    ("type_name", "path"),
    [
        pytest.param(
            "AWS::S3::Bucket",
            (
                "BucketEncryption",
                "ServerSideEncryptionConfiguration",
                0,
                "ServerSideEncryptionByDefault",
                "KMSMasterKeyID",
            ),
            id="bucket",
        ),
        pytest.param("AWS::SQS::Queue", ("KmsMasterKeyId",), id="queues"),
        pytest.param("AWS::Logs::LogGroup", ("KmsKeyId",), id="log group"),
    ],
)
@pytest.mark.parametrize(
    ("stack", "key_stack", "region"),
    [
        ("dev-data", "dev-data-key", "us-east-1"),
        ("prod-data", "prod-data-key", "us-east-1"),
        ("prod-data-eu-west-1", "prod-data-key-replicas-eu-west-1", "eu-west-1"),
    ],
)
def test_a_data_stack_encrypts_with_the_key_of_its_environment_and_region(
    assembly: Path, *, stack: str, key_stack: str, region: str, type_name: str, path: tuple[str | int, ...]
) -> None:
    (output,) = (
        name
        for name, value in template(assembly, key_stack)["Outputs"].items()
        if value["Value"] == {"Fn::GetAtt": ["DataKey17AFBB84", "Arn"]}
    )
    reference = {"Fn::GetStackOutput": {"StackName": key_stack, "Region": region, "OutputName": output}}
    resources = Template.from_json(template(assembly, stack)).find_resources(type_name)
    used = []
    for name, resource in resources.items():
        value = resource["Properties"]
        if name.startswith("AccessLogs"):
            continue
        for step in path:
            value = value[step]
        used.append(value)

    assert used == [reference] * len(used)
    assert used


def test_production_is_protected_against_termination_and_development_is_not(assembly: Path) -> None:
    manifest = json.loads((assembly / "manifest.json").read_text("utf-8"))
    protected = {
        name: artifact["properties"].get("terminationProtection", False)
        for name, artifact in manifest["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    }

    assert protected == {name: name.startswith("prod") for name in protected}
    assert {name for name in protected if name.startswith("dev")} == {"dev-data", "dev-data-key"}


def test_there_is_no_function_and_no_custom_resource(assembly: Path) -> None:
    types = {
        resource["Type"]
        for path in assembly.glob("*.template.json")
        for resource in json.loads(path.read_text("utf-8"))["Resources"].values()
    }

    assert {name for name in types if "Lambda" in name or "Custom" in name} == set()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("dev", {"dev-data", "dev-data-key"}),
        (
            "prod",
            {"prod-data", "prod-data-eu-west-1", "prod-data-key", "prod-data-key-replicas-eu-west-1"},
        ),
    ],
)
def test_the_context_chooses_the_environment(environment: str, expected: set[str], tmp_path: Path) -> None:
    directory = synthesize(environment, tmp_path)

    names = {path.name.removesuffix(".template.json") for path in directory.glob("*.template.json")}
    assert names == expected


def test_an_unknown_environment_is_refused_with_the_choice() -> None:
    with pytest.raises(
        ArgumentError,
        match=r"environment='staging' is refused: one of dev, prod, all\. Fix: .*-c environment=prod",
    ):
        build(cdk.App(analytics_reporting=False, context={"environment": "staging"}))


@pytest.mark.slow
def test_the_feature_flags_are_those_that_the_library_recommends_for_a_new_project() -> None:
    (archive,) = (Path(aws_cdk.__file__).parent / "_jsii").glob("aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(archive) as library:
        member = library.extractfile("package/recommended-feature-flags.json")
        assert member is not None
        recommended = json.loads(member.read())

    assert {name: value for name, value in CONTEXT.items() if name in recommended} == recommended
    assert set(CONTEXT) - set(recommended) == {"environment"}


def test_the_guardrails_hold_on_the_templates_alone(assembly: Path) -> None:
    assert assert_guardrails(assembly).keys == 3


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        pytest.param(
            "ScheduleKeyDeletion", {f"the root user of account {ACCOUNT}", BREAK_GLASS}, id="delete"
        ),
        pytest.param("DisableKey", {f"the root user of account {ACCOUNT}", BREAK_GLASS}, id="disable"),
        pytest.param(
            "PutKeyPolicy",
            {f"the root user of account {ACCOUNT}", BREAK_GLASS, DEPLOYER},
            id="change the policy",
        ),
        pytest.param("DisableKeyRotation", set(), id="turn rotation off: nobody"),
        pytest.param(
            "Decrypt",
            {
                *USERS["prod"],
                f"arn:aws:iam::{ACCOUNT}:role/prod-reports-role",
                "service logs.us-east-1.amazonaws.com",
            },
            id="decrypt",
        ),
        pytest.param("Encrypt", {*USERS["prod"], "service logs.us-east-1.amazonaws.com"}, id="encrypt"),
    ],
)
def test_who_could_ever_be_allowed_to(assembly: Path, action: str, expected: set[str]) -> None:
    assert access(assembly, "prod-data-key/DataKey/Resource").who_can(action) == expected


def test_the_administrator_of_production_manages_and_does_nothing_else(assembly: Path) -> None:
    row = access(assembly, "prod-data-key/DataKey/Resource").matrix.row(ADMIN)

    assert row is not None
    assert {
        str(capability) for capability, cell in row.cells.items() if cell.access is not Access.DENIED
    } == {
        "read",
        "manage",
    }


# --- by hand, as README says --------------------------------------------------------------------------------


def run(*command: str, cwd: Path = REPOSITORY, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a command with the virtual environment's programs first on the path."""
    paths = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **environment}
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **paths}, capture_output=True, text=True, check=False
    )


def templates(directory: Path) -> dict[str, str]:
    """Every template of an assembly, by name."""
    return {path.name: path.read_text("utf-8") for path in directory.glob("*.template.json")}


needs_cli = pytest.mark.skipif(not CDK.exists(), reason="the CDK CLI is installed by make install")


@pytest.mark.slow
def test_python_alone_synthesizes_the_same(assembly: Path, tmp_path: Path) -> None:
    done = run(sys.executable, "app.py", CDK_OUTDIR=str(tmp_path / "out"))

    assert (done.returncode, done.stderr) == (0, "")
    assert templates(tmp_path / "out") == templates(assembly)


@pytest.mark.slow
@needs_cli
def test_the_pinned_cli_synthesizes_the_same_and_diff_finds_nothing(assembly: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    synth = run(str(CDK), "synth", "--quiet", "--output", str(out))
    assert synth.returncode == 0, synth.stderr
    assert templates(out) == templates(assembly)

    old = assembly / "prod-data-key.template.json"
    diff = run(str(CDK), "diff", "prod-data-key", "--app", str(out), "--exclusively", "--template", str(old))
    assert diff.returncode == 0, diff.stderr
    assert "There were no differences" in diff.stdout + diff.stderr


WITH_A_MISTAKE = """
import sys
import aws_cdk as cdk
import app
from reference_app.application import build

cdk_app = app.new_app(sys.argv[1])
build(cdk_app)
stack = cdk.Stack(cdk_app, "Wrong")
cdk.CfnResource(stack, "Queue", type="AWS::SQS::Queue", properties={"Nonsense": 1})
cdk_app.synth()
"""


@pytest.mark.slow
@pytest.mark.validation
def test_cdks_own_template_validation_finds_a_planted_mistake_and_nothing_else(tmp_path: Path) -> None:
    done = run(sys.executable, "-c", WITH_A_MISTAKE, str(tmp_path / "out"), CDK_VALIDATION="true")

    assert "ValidationFailed" in done.stderr
    report = json.loads((tmp_path / "out" / "validation-report.json").read_text("utf-8"))
    found = {
        (plugin["pluginName"], construct["constructPath"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }
    assert found == {("CloudFormation Validate", "Wrong/Queue")}


@pytest.mark.slow
def test_cfn_lint_finds_nothing(assembly: Path) -> None:
    files = [str(path) for path in sorted(assembly.glob("*.template.json"))]
    done = run(str(BIN / "cfn-lint"), *files, cwd=assembly)

    assert (done.returncode, done.stdout) == (0, "")
