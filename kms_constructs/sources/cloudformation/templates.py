"""CloudFormation templates, taken together, as one estate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kms_constructs.model.estate import Estate
from kms_constructs.sources.cloudformation.identities import IDENTITY_PASSES, IDENTITY_TYPES, Identities
from kms_constructs.sources.cloudformation.keys import ALIAS_TYPE, KEY_TYPES, Keys
from kms_constructs.sources.cloudformation.scope import Scope, section
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.trails import TRAIL_TYPE, trail_of
from kms_constructs.sources.cloudformation.uses import uses_of
from kms_constructs.sources.cloudformation.world import World

# Uses of a key that say nothing of what it protects: policies that allow its use, aliases, replicas.
_NO_REFERENCE = frozenset(
    {*KEY_TYPES, ALIAS_TYPE, "AWS::Organizations::Policy", *IDENTITY_TYPES} - {"AWS::Serverless::Function"}
)


def estate_from_templates(
    templates: Iterable[TemplateInput], *, parameters: Mapping[str, str] | None = None
) -> Estate:
    """Everything that the templates declare about KMS keys and who may use them, resolved together.

    What one template exports another imports; nested stacks get their parameters from their parents. What
    cannot be resolved is unknown and never absent. Never raises for what a template holds. A nested stack is
    looked into when its template is among those given. Stacks of unknown accounts count as one account.

    Args:
        templates: The templates of one app or deployment.
        parameters: Values of template parameters by name; a parameter that is not named has its default.

    Example:
        >>> template = {"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {}}}}
        >>> estate = estate_from_templates([TemplateInput(template, "app.json")])
        >>> [key.id for key in estate.keys]
        ['app.Key']
    """
    inputs = tuple(templates)
    world = World(inputs, parameters or {})
    problems = world.problems
    keys = Keys(problems)
    for scope in world.scopes:
        for resource in scope.resources.values():
            if resource.type in KEY_TYPES:
                keys.add(scope, resource)
    for scope in world.scopes:
        for resource in scope.resources.values():
            if resource.type == ALIAS_TYPE:
                keys.add_alias(scope, resource)
    for scope in world.scopes:
        _add_references(keys, scope)
    uses = uses_of(world.scopes, keys.named, any_key=bool(keys))
    identities = Identities()
    for step in IDENTITY_PASSES:
        for scope in world.scopes:
            for resource in scope.resources.values():
                if resource.type in IDENTITY_TYPES:
                    step(identities, scope, resource)
    return Estate(
        keys=keys.finish(),
        identity_policies=tuple(identities.finish()),
        trails=tuple(
            trail_of(scope, resource, problems)
            for scope in world.scopes
            for resource in scope.resources.values()
            if resource.type == TRAIL_TYPE
        ),
        problems=tuple(dict.fromkeys(problems)),
        sources=tuple(dict.fromkeys(item.source for item in inputs)),
        unattached_aliases=tuple(keys.unattached),
        uses=uses,
    )


def _add_references(keys: Keys, scope: Scope) -> None:
    for resource in scope.resources.values():
        if resource.type == "AWS::CloudFormation::Stack":
            if resource.logical_id not in scope.children:
                keys.passed_on(scope, resource)
        elif resource.type not in _NO_REFERENCE:
            keys.add_references(scope, resource)
    if scope.parent is None:  # a nested stack's outputs reach no further than its parent
        for name in section(scope.input.template, "Outputs"):
            keys.add_output(scope, name)
