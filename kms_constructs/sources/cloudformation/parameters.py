"""What a template declares of its parameters, and those that every template has."""

from __future__ import annotations

from collections.abc import Mapping

from kms_constructs.model.arn import PARTITIONS
from kms_constructs.model.text import HoleKind, display, has_hole, has_unresolved_hole, hole
from kms_constructs.model.unknown import Unknown
from kms_constructs.sources.cloudformation.scope import NO_VALUE, Scope


def is_list_type(declaration: Mapping[str, object]) -> bool:
    """Whether a parameter is a list, written as one text with commas."""
    kind = str(declaration.get("Type", "String"))
    return kind == "CommaDelimitedList" or "List<" in kind


def is_read_from_ssm(declaration: Mapping[str, object]) -> bool:
    """Whether a parameter's value is the name of an SSM parameter whose value is read at deployment.

    See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
    """
    return str(declaration.get("Type", "String")).startswith("AWS::SSM::Parameter::Value")


def as_declared(
    scope: Scope, name: str, declaration: Mapping[str, object], given: object, depth: int
) -> object:
    """What a parameter is given, as its declaration has it: text or a list of texts.

    Args:
        scope: The stack.
        name: The parameter.
        declaration: Its declaration.
        given: What it is given; None for nothing.
        depth: How deep it is asked for.
    """
    is_list = is_list_type(declaration)
    if isinstance(given, Mapping) or given is None:
        reason = f"parameter {name} of {scope.label} has no value that is known before deployment"
        return Unknown(reason) if is_list else scope.unresolved(name)
    if is_list:
        if isinstance(given, list):
            return given
        text = scope.as_text(scope.resolve(given, depth), given)
        if has_hole(text) and "," not in text:
            return Unknown(f"parameter {name} holds {display(text)}") if has_unresolved_hole(text) else [text]
        return [part.strip() for part in text.split(",")] if text else []
    if isinstance(given, list):
        parts = [scope.as_text(part, part) for part in given]
        return ",".join(parts)
    # A default is not searched for dynamic references twice: a resolved text has none left.
    return given if scope.parent is not None else scope.resolve(given, depth)


def pseudo_parameter(scope: Scope, stack_name: str, name: str) -> object:
    """The value of a parameter that CloudFormation gives every stack.

    Args:
        scope: The stack.
        stack_name: What it is called.
        name: Name of the parameter: ``AWS::Region``.

    See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
    """
    match name:
        case "AWS::AccountId":
            return scope.account
        case "AWS::Region":
            return scope.region
        case "AWS::Partition":
            return scope.partition
        case "AWS::URLSuffix":
            # Which suffix it is follows from the partition, and is as undecided as that.
            known = PARTITIONS.get(scope.partition)
            return known.dns_suffix if known else hole(HoleKind.ENVIRONMENT, "AWS::URLSuffix")
        case "AWS::StackName":
            return stack_name
        case "AWS::StackId":
            return hole(HoleKind.ENVIRONMENT, f"{scope.label}.AWS::StackId")
        case "AWS::NoValue":
            return NO_VALUE
        case _:
            return Unknown(f"{name} is decided at deployment")
