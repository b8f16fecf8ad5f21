"""Templates that a resource of a template deploys: nested stacks, stack sets, products.

One whose template is not given may make keys that nobody sees here: that is a problem to report, never a
template without keys.

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stackset.html
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import PurePath
from typing import Final

from kms_constructs.errors import SourceError
from kms_constructs.model.estate import SourceProblem
from kms_constructs.model.exact import is_object
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import HoleKind, display, has_hole, holes
from kms_constructs.model.unknown import Unknown, elements, is_unknown
from kms_constructs.sources.cloudformation.scope import Resource, Scope, section
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.decode import decode

NESTED: Final[Mapping[str, str]] = {
    "AWS::CloudFormation::Stack": "TemplateURL",
    "AWS::Serverless::Application": "Location",
}
"""Types of resources that are stacks within the stack, and the property that says where the template is."""

_STACK_SET: Final = "AWS::CloudFormation::StackSet"
_PRODUCT: Final = "AWS::ServiceCatalog::CloudFormationProduct"
_PROVISIONED: Final = "AWS::ServiceCatalog::CloudFormationProvisionedProduct"
_DEPLOYED_ELSEWHERE: Final[Mapping[str, str]] = {
    _STACK_SET: "TemplateURL",
    _PRODUCT: "ProvisioningArtifactParameters",
}
_HASH = re.compile(r"[0-9a-f]{64}")
_GIVE: Final = "Give its template too: a file of that name, beside this one"
_GIVE_ANY: Final = "Give its template by itself, and accept that nothing ties it to this one"

Given = Callable[[str], bool]
"""Whether a template of this file name was given."""


@lru_cache(maxsize=4096)
def normal(path: str) -> str:
    """A path as paths of inputs are compared."""
    return posixpath.normpath(PurePath(path).as_posix())


def file_name(url: str) -> str:
    """The file name that a URL ends in; empty when it names none.

    Example:
        >>> file_name("https://example.s3.amazonaws.com/a/kms.yaml?versionId=1")
        'kms.yaml'
    """
    return url.partition("?")[0].partition("#")[0].rpartition("/")[2]


def nested_templates(item: TemplateInput) -> Iterator[tuple[str, str]]:
    """Logical id and template path of each nested stack whose template is a file beside the parent's.

    A template at a URL is given by its name: the path begins with ``//`` then.
    """
    for logical_id, raw in section(item.template, "Resources").items():
        if not is_object(raw) or (name := NESTED.get(str(raw.get("Type")))) is None:
            continue
        metadata, properties = raw.get("Metadata"), raw.get("Properties")
        path = metadata.get("aws:asset:path") if isinstance(metadata, Mapping) else None
        if path is None and isinstance(properties, Mapping):
            url = properties.get(name)
            path = url if isinstance(url, str) else None
            asset = _asset(item, url)
            if asset is not None:
                yield str(logical_id), normal(asset)
                continue
        if isinstance(path, str) and path and "://" not in path:
            yield str(logical_id), normal(posixpath.join(posixpath.dirname(normal(item.source)), path))
        elif isinstance(path, str) and file_name(path):
            yield str(logical_id), f"//{file_name(path)}"


def deployed_assets(item: TemplateInput) -> Iterator[tuple[str, str]]:
    """Logical id and file of each stack set and product whose template is an asset of the assembly."""
    for logical_id, raw in section(item.template, "Resources").items():
        if not is_object(raw) or (name := _DEPLOYED_ELSEWHERE.get(str(raw.get("Type")))) is None:
            continue
        properties = raw.get("Properties")
        given = properties.get(name) if isinstance(properties, Mapping) else None
        for part in given if isinstance(given, list) else (given,):
            asset = _asset(item, part)
            if asset is not None:
                yield str(logical_id), asset


def _asset(item: TemplateInput, node: object) -> str | None:
    """The file of the asset that a part of a template names by its hash."""
    if not item.assets:
        return None
    return next((item.assets[part] for part in _HASH.findall(_compact(node)) if part in item.assets), None)


class Inner(Frozen, frozen=True):
    """A template that stands in a template.

    Args:
        logical_id: The resource that deploys it.
        template: The template.
    """

    logical_id: str
    template: TemplateInput


def deployed(
    scope: Scope, resource: Resource, given: Given, *, nested_is_given: bool
) -> Iterator[Inner | SourceProblem]:
    """What a resource deploys that is no resource of its own stack.

    Args:
        scope: Its stack.
        resource: The resource.
        given: Which templates there are.
        nested_is_given: Whether the template of the nested stack that it is was given.

    Returns:
        Templates that it holds, and a problem for each that is neither held nor given.
    """
    if resource.type in NESTED:
        if not nested_is_given:
            place = scope.resource_property(resource.logical_id, NESTED[resource.type], 0)
            yield _missing(scope, resource, "the nested stack's template", place, _GIVE)
    elif resource.type == _STACK_SET:
        yield from _stack_set(scope, resource, given)
    elif resource.type == _PRODUCT:
        listed = scope.resource_property(resource.logical_id, "ProvisioningArtifactParameters", 0)
        for entry, _ in elements(listed) if listed is not None else ():
            info = entry.get("Info") if isinstance(entry, Mapping) else entry
            place = info.get("LoadTemplateFromURL") if isinstance(info, Mapping) else info
            if not _is_given(scope, place, given):
                yield _missing(scope, resource, "the product's template", place, _GIVE)
        source = scope.resource_property(resource.logical_id, "SourceConnection", 0)
        if source is not None:
            yield _missing(scope, resource, "the product's template", source, _GIVE_ANY)
    elif resource.type == _PROVISIONED:
        product = scope.resource_property(resource.logical_id, "ProductId", 0)
        if not _is_made_here(product):
            yield _missing(
                scope, resource, "the template of the product that it launches", product, _GIVE_ANY
            )


def _is_made_here(product: object) -> bool:
    """Whether a product is one of the templates given, which are looked into by themselves."""
    return isinstance(product, str) and any(kind is HoleKind.GENERATED for kind, _ in holes(product))


def _stack_set(scope: Scope, resource: Resource, given: Given) -> Iterator[Inner | SourceProblem]:
    body = scope.resource_property(resource.logical_id, "TemplateBody", 0)
    if body is None:
        place = scope.resource_property(resource.logical_id, "TemplateURL", 0)
        if not _is_given(scope, place, given):
            yield _missing(scope, resource, "the stack set's template", place, _GIVE)
        return
    if not isinstance(body, str) or has_hole(body):
        yield _missing(scope, resource, "the stack set's TemplateBody", body, _GIVE_ANY)
        return
    source = scope.input.source
    try:
        template = _decoded(body, f"{source}: TemplateBody")
    except SourceError as error:
        yield SourceProblem(source, f"TemplateBody: {error.problem}", error.fix, resource.logical_id)
        return
    if not isinstance(template, Mapping) or not isinstance(template.get("Resources"), Mapping):
        message = "TemplateBody is no template: it has no Resources"
        yield SourceProblem(source, message, "Give a CloudFormation template", resource.logical_id)
        return
    pinned = _with_parameters(template, _values(scope, resource))
    # It is deployed to accounts and Regions of its own.
    yield Inner(
        resource.logical_id, TemplateInput(pinned, source, within=f"{scope.label}.{resource.logical_id}")
    )


@lru_cache(maxsize=64)
def _decoded(body: str, source: str) -> object:
    """The template that a text is: once, for every world has it."""
    return decode(body, source)


def _values(scope: Scope, resource: Resource) -> Mapping[str, str | None] | Unknown:
    """Values of the parameters of a stack set; None for one that is not the same everywhere."""
    found: dict[str, str | None] = {}
    given = scope.resource_property(resource.logical_id, "Parameters", 0)
    groups = scope.resource_property(resource.logical_id, "StackInstancesGroup", 0)
    overrides: list[object] = []
    for group, _ in elements(groups) if groups is not None else ():
        if not isinstance(group, Mapping):
            return Unknown("the groups of instances are not known")
        overrides.append(group.get("ParameterOverrides"))
    for parameters, certain in ((given, True), *((one, False) for one in overrides)):
        for entry, doubt in elements(parameters) if parameters is not None else ():
            name = entry.get("ParameterKey") if isinstance(entry, Mapping) else None
            if not isinstance(entry, Mapping) or not isinstance(name, str) or has_hole(name):
                return Unknown("the parameters of the stack set are not known")
            value = entry.get("ParameterValue")
            known = certain and not doubt and isinstance(value, str) and not has_hole(value)
            found[name] = value if known and isinstance(value, str) else None
    return found


def _with_parameters(
    template: Mapping[str, object], values: Mapping[str, str | None] | Unknown
) -> Mapping[str, object]:
    """The template with what it is deployed with in the places of the defaults of its parameters."""
    parameters: dict[str, object] = {}
    for name, declared in section(template, "Parameters").items():
        if not isinstance(declared, Mapping) or (not is_unknown(values) and name not in values):
            parameters[name] = declared
            continue
        value = None if is_unknown(values) else values[name]
        kept = {key: one for key, one in declared.items() if key != "Default"}
        pinned = {} if value is None else {"Default": value, "AllowedValues": [value]}
        parameters[name] = {**kept, **pinned}
    return {**template, "Parameters": parameters} if parameters else template


def _is_given(scope: Scope, place: object, given: Given) -> bool:
    if not isinstance(place, str):
        return False
    assets = scope.input.assets or {}
    asset = next((assets[part] for part in _HASH.findall(display(place)) if part in assets), None)
    return given(file_name(asset if asset is not None else place))


def _missing(scope: Scope, resource: Resource, what: str, place: object, fix: str) -> SourceProblem:
    shown = f" {display(place)}" if isinstance(place, str) else ""
    message = f"{what}{shown} is not among the inputs: keys that it makes are not seen"
    return SourceProblem(scope.input.source, message, fix, resource.logical_id)


def _compact(node: object) -> str:
    """Every text in a part of a template, one after the other."""
    if isinstance(node, str):
        return node
    if isinstance(node, Mapping):
        return " ".join(map(_compact, node.values()))
    return " ".join(map(_compact, node)) if isinstance(node, list | tuple) else ""
