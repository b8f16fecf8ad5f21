"""What `Ref` and `Fn::GetAtt` return for resources: names and ARNs, as far as the template decides them.

A name that CloudFormation makes up is a generated hole; the ARN around it is known all the same. Types that
are not listed give one generated hole per attribute; custom resources may return anything.

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html
"""

from __future__ import annotations

from collections.abc import Callable

from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import CLOSE, has_hole
from kms_constructs.model.unknown import is_unknown
from kms_constructs.sources.cloudformation.sam import ROLE_MAKERS, role_path
from kms_constructs.sources.cloudformation.scope import Scope


class _Named(Frozen, frozen=True):
    """A resource whose ARN is built from its name.

    Args:
        property: The property that names it.
        arn: The ARN after the partition, with ``{region}``, ``{account}``, ``{path}`` and ``{name}``.
        ref_is_arn: Whether Ref returns the ARN; else it returns the name.
        arn_attribute: The attribute that returns the ARN.
        has_path: Whether it has an IAM path.
    """

    property: str
    arn: str
    ref_is_arn: bool = False
    arn_attribute: str = "Arn"
    has_path: bool = False


_REGIONAL = "{region}:{account}"
_NAMED: dict[str, _Named] = {
    "AWS::CloudTrail::Trail": _Named("TrailName", f"cloudtrail:{_REGIONAL}:trail/{{name}}"),
    "AWS::DynamoDB::GlobalTable": _Named("TableName", f"dynamodb:{_REGIONAL}:table/{{name}}"),
    "AWS::DynamoDB::Table": _Named("TableName", f"dynamodb:{_REGIONAL}:table/{{name}}"),
    "AWS::ECR::Repository": _Named("RepositoryName", f"ecr:{_REGIONAL}:repository/{{name}}"),
    "AWS::ECS::Cluster": _Named("ClusterName", f"ecs:{_REGIONAL}:cluster/{{name}}"),
    "AWS::IAM::Group": _Named("GroupName", "iam::{account}:group{path}{name}", has_path=True),
    "AWS::IAM::InstanceProfile": _Named(
        "InstanceProfileName", "iam::{account}:instance-profile{path}{name}", has_path=True
    ),
    "AWS::IAM::ManagedPolicy": _Named(
        "ManagedPolicyName",
        "iam::{account}:policy{path}{name}",
        ref_is_arn=True,
        arn_attribute="PolicyArn",
        has_path=True,
    ),
    "AWS::IAM::Role": _Named("RoleName", "iam::{account}:role{path}{name}", has_path=True),
    "AWS::IAM::User": _Named("UserName", "iam::{account}:user{path}{name}", has_path=True),
    "AWS::Kinesis::Stream": _Named("Name", f"kinesis:{_REGIONAL}:stream/{{name}}"),
    "AWS::Lambda::Function": _Named("FunctionName", f"lambda:{_REGIONAL}:function:{{name}}"),
    "AWS::Logs::LogGroup": _Named("LogGroupName", f"logs:{_REGIONAL}:log-group:{{name}}:*"),
    "AWS::S3::Bucket": _Named("BucketName", "s3:::{name}"),
    "AWS::SNS::Topic": _Named("TopicName", f"sns:{_REGIONAL}:{{name}}", True, "TopicArn"),
    "AWS::SQS::Queue": _Named("QueueName", f"sqs:{_REGIONAL}:{{name}}"),
    "AWS::Serverless::Function": _Named("FunctionName", f"lambda:{_REGIONAL}:function:{{name}}"),
    "AWS::Serverless::StateMachine": _Named(
        "Name", f"states:{_REGIONAL}:stateMachine:{{name}}", ref_is_arn=True
    ),
    "AWS::StepFunctions::StateMachine": _Named(
        "StateMachineName", f"states:{_REGIONAL}:stateMachine:{{name}}", ref_is_arn=True
    ),
}
_PREFIXES_OF_AWS = ("AWS::", "Alexa::")
_ANYTHING = ("AWS::CloudFormation::CustomResource", "AWS::CloudFormation::WaitCondition")


def attribute_of(scope: Scope, logical_id: str, name: str, depth: int) -> object:
    """The value of an attribute of a resource (``Ref`` for what `Ref` returns)."""
    resource = scope.resources.get(logical_id)
    if resource is None:
        made = _role_made_by_sam(scope, logical_id, name)
        return scope.absent(logical_id, name) if made is None else made
    special = _SPECIAL.get(resource.type)
    if special is not None:
        value = special(scope, logical_id, name, depth)
        if value is not None:
            return value
    named = _NAMED.get(resource.type)
    if named is not None:
        if name == named.arn_attribute or (name == "Ref" and named.ref_is_arn):
            return _arn(scope, logical_id, named, depth)
        if name in ("Ref", named.property) and resource.type != "AWS::SQS::Queue":
            return _name(scope, logical_id, named.property, depth)
    if resource.type in _ANYTHING or not resource.type.startswith(_PREFIXES_OF_AWS):
        return scope.unresolved(f"{logical_id}.{name}")
    if name != "Ref":
        # Where an attribute has a property's name, it returns that property.
        given = scope.resource_property(logical_id, name, depth)
        if given is not None:
            return scope.as_text(given, {"Fn::GetAtt": [logical_id, name]})
    return scope.generated(logical_id, name)


def naming_properties(kind: str, attribute: str) -> tuple[str, ...]:
    """The properties of a type of resource that what `attribute_of` returns is made of."""
    named = _NAMED.get(kind)
    return (attribute,) if named is None else (named.property, "Path", attribute)


def _name(scope: Scope, logical_id: str, property_name: str, depth: int) -> str:
    given = scope.resource_property(logical_id, property_name, depth)
    if given is None:
        return scope.generated(logical_id, "Name")
    return scope.as_text(given, {"Ref": f"{logical_id}.{property_name}"})


def _arn(scope: Scope, logical_id: str, named: _Named, depth: int) -> str:
    path = "/"
    if named.has_path:
        given = scope.resource_property(logical_id, "Path", depth)
        if given is not None:
            path = scope.as_text(given, {"Ref": f"{logical_id}.Path"})
    tail = named.arn.format(
        region=scope.region,
        account=scope.account,
        path=path,
        name=_name(scope, logical_id, named.property, depth),
    )
    return f"arn:{scope.partition}:{tail}"


def iam_arn(scope: Scope, kind: str, name: str, path: str = "/") -> str:
    """ARN of a role, user or group of the scope's account that has this name; the path may be a pattern."""
    return f"arn:{scope.partition}:iam::{scope.account}:{kind}{path}{name}"


def _role_made_by_sam(scope: Scope, logical_id: str, name: str) -> str | None:
    maker = logical_id.removesuffix("Role")
    made_for = scope.resources.get(maker)
    if made_for is None or made_for.type not in ROLE_MAKERS or not logical_id.endswith("Role"):
        return None
    role_name = scope.generated(logical_id, "Name")
    if name == "Ref":
        return role_name
    if name != "Arn":
        return scope.generated(logical_id, name)
    return iam_arn(scope, "role", role_name, role_path(scope, maker, 0))


KEY_ID = f".KeyId{CLOSE}"
"""How the id of every key ends that deployment makes up."""


def key_id(scope: Scope, logical_id: str, depth: int) -> str:
    """Key id of a KMS key resource: a replica has its primary's."""
    if scope.resources[logical_id].type == "AWS::KMS::ReplicaKey":
        primary = scope.resource_property(logical_id, "PrimaryKeyArn", depth)
        if isinstance(primary, str) and ":key/" in primary:
            return primary.rpartition(":key/")[2]
        if primary is None or is_unknown(primary) or (isinstance(primary, str) and has_hole(primary)):
            return scope.unresolved(f"{logical_id}.KeyId")
    return scope.generated(logical_id, "KeyId")


def key_arn(scope: Scope, logical_id: str, depth: int = 0) -> str:
    """ARN of a KMS key resource."""
    name = key_id(scope, logical_id, depth)
    return f"arn:{scope.partition}:kms:{scope.region}:{scope.account}:key/{name}"


def _kms_key(scope: Scope, logical_id: str, name: str, depth: int) -> object | None:
    match name:
        case "Ref" | "KeyId":
            return key_id(scope, logical_id, depth)
        case "Arn":
            return key_arn(scope, logical_id, depth)
        case _:
            return None


def _kms_alias(scope: Scope, logical_id: str, name: str, depth: int) -> object | None:
    if name not in ("Ref", "AliasName"):
        return None
    given = scope.resource_property(logical_id, "AliasName", depth)
    return scope.as_text(given, {"Ref": f"{logical_id}.AliasName"})


def _nested_stack(scope: Scope, logical_id: str, name: str, depth: int) -> object | None:
    if not name.startswith("Outputs."):
        return None
    child = scope.children.get(logical_id)
    if child is None:
        return scope.unresolved(f"{logical_id}.{name}")
    return child.output(name.removeprefix("Outputs."), depth)


def _ssm_parameter(scope: Scope, logical_id: str, name: str, depth: int) -> object | None:
    if name == "Ref":
        return _name(scope, logical_id, "Name", depth)
    return None


_SPECIAL: dict[str, Callable[[Scope, str, str, int], object | None]] = {
    "AWS::CloudFormation::Stack": _nested_stack,
    "AWS::KMS::Alias": _kms_alias,
    "AWS::KMS::Key": _kms_key,
    "AWS::KMS::ReplicaKey": _kms_key,
    "AWS::SSM::Parameter": _ssm_parameter,
    "AWS::Serverless::Application": _nested_stack,
}
