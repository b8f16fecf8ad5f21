"""The reference application, synthesized and deployed by the CDK's own command line."""

from __future__ import annotations

import json
import shutil
from typing import Any

from e2e.chain import REGIONS, REPLICA_REGION, BrokenError, Chain
from reference_app.environments import ACCOUNT, ENVIRONMENTS, REGION

REPLICA = "AWS::KMS::ReplicaKey"
"""The one type of the application that the emulator's CloudFormation refuses."""

_TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    },
}


def deploy(run: Chain) -> None:
    """Synthesizes, makes the roles that the application takes for given, bootstraps, and deploys."""
    if run.synthesized is None:
        run.run("cdk", "synth", "--quiet", "--output", str(run.assembly))
    else:
        shutil.copytree(run.synthesized, run.assembly)
        run.say("(cdk.out is what cdk synth has just made)")
    run.run("kms-constructs", "check", str(run.assembly), shown=["keys:"])
    for arn in sorted(_given_roles()):
        run.client("iam").create_role(
            RoleName=arn.rpartition("/")[2], AssumeRolePolicyDocument=json.dumps(_TRUST)
        )
    deployed = run.directory / "deployed"
    shutil.copytree(run.assembly, deployed)
    places = (f"aws://{ACCOUNT}/{region}" for region in REGIONS)
    run.run("cdk", "bootstrap", "--app", str(deployed), *places)
    stacks = json.loads((run.assembly / "manifest.json").read_text("utf-8"))["artifacts"]
    names = [name for name, one in stacks.items() if one["type"] == "aws:cloudformation:stack"]
    replicas = [name for name in names if "replicas" in name]
    first = [name for name in names if name.endswith("-key")]
    run.run("cdk", "deploy", "--app", str(deployed), *first, "--exclusively", "--require-approval", "never")
    for name in replicas:
        _replicate(run, name)
    rest = [name for name in names if name not in first]
    run.run("cdk", "deploy", "--app", str(deployed), *rest, "--exclusively", "--require-approval", "never")
    for name in names:
        region = REPLICA_REGION if REPLICA_REGION in name else REGION
        found = run.client("cloudformation", region).describe_stacks(StackName=name)["Stacks"][0]
        if found["StackStatus"] != "CREATE_COMPLETE":
            raise BrokenError(f"{name} is {found['StackStatus']}")
    run.expect(True, f"{len(names)} stacks deployed by the CDK's command line: {', '.join(sorted(names))}")
    for environment in ENVIRONMENTS["all"]:
        _live_as_declared(run, environment.name, environment.replica_regions)


def _given_roles() -> set[str]:
    """The roles that the application names and does not make."""
    return {
        arn
        for environment in ENVIRONMENTS["all"]
        for arn in (
            *environment.key_administrators,
            *environment.break_glass_principals,
            *environment.key_users,
        )
    }


def _replicate(run: Chain, stack: str) -> None:
    """Makes the replicas of a stack as its template declares them, and takes them out of the template."""
    file = run.directory / "deployed" / f"{stack}.template.json"
    template = json.loads(file.read_text("utf-8"))
    for logical_id, one in list(template["Resources"].items()):
        if one["Type"] != REPLICA:
            continue
        properties = _resolved(run, one["Properties"])
        primary = properties["PrimaryKeyArn"]
        made = run.client("kms").replicate_key(
            KeyId=primary,
            ReplicaRegion=REPLICA_REGION,
            Policy=json.dumps(properties["KeyPolicy"]),
            Description=properties["Description"],
            Tags=[{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties["Tags"]],
        )
        arn = made["ReplicaKeyMetadata"]["Arn"]
        run.say(f"{logical_id} of {stack}: made by ReplicateKey, for the emulator refuses {REPLICA}")
        del template["Resources"][logical_id]
        file.write_text(json.dumps(_named(template, logical_id, arn)), "utf-8")
        template = json.loads(file.read_text("utf-8"))


def _resolved(run: Chain, value: Any) -> Any:
    """Properties with the outputs of other stacks put in: all that a replica refers to."""
    if isinstance(value, list):
        return [_resolved(run, one) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::GetStackOutput"}:
        asked = value["Fn::GetStackOutput"]
        stack = run.client("cloudformation", asked["Region"]).describe_stacks(StackName=asked["StackName"])
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Stacks"][0]["Outputs"]}
        return outputs[asked["OutputName"]]
    if any(name.startswith("Fn::") or name == "Ref" for name in value):
        raise BrokenError(f"a replica refers to {value}")
    return {name: _resolved(run, one) for name, one in value.items()}


def _named(value: Any, logical_id: str, arn: str) -> Any:
    """A template in which the ARN of what was made stands for what refers to it."""
    if isinstance(value, list):
        return [_named(one, logical_id, arn) for one in value]
    if not isinstance(value, dict):
        return value
    if value == {"Fn::GetAtt": [logical_id, "Arn"]}:
        return arn
    if value == {"Ref": logical_id}:
        return arn.rpartition("/")[2]
    return {name: _named(one, logical_id, arn) for name, one in value.items()}


def _live_as_declared(run: Chain, environment: str, replica_regions: tuple[str, ...]) -> None:
    """Reads alias, key, tags and rotation back."""
    alias = f"alias/{environment}/s3-data"
    for region in (REGION, *replica_regions):
        kms = run.client("kms", region)
        listed = {one["AliasName"]: one.get("TargetKeyId") for one in kms.list_aliases()["Aliases"]}
        found = kms.describe_key(KeyId=listed[alias])["KeyMetadata"]
        run.made[f"{environment}/{region}"] = found["Arn"]
        tags = {
            one["TagKey"]: one["TagValue"] for one in kms.list_resource_tags(KeyId=found["KeyId"])["Tags"]
        }
        rotates = (
            region in replica_regions
            or kms.get_key_rotation_status(KeyId=found["KeyId"])["KeyRotationEnabled"]
        )
        run.expect(
            found["KeyState"] == "Enabled" and tags["environment"] == environment and rotates,
            f"{alias} in {region} leads to a key that is enabled, rotates, and has its tags",
        )
