"""CloudTrail trails of templates: whether they record what is done with keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kms_constructs.model.estate import SourceProblem, Trail
from kms_constructs.sources.cloudformation.keys import location_of
from kms_constructs.sources.cloudformation.properties import Properties
from kms_constructs.sources.cloudformation.scope import Resource, Scope
from kms_constructs.sources.event_selectors import recorded

TRAIL_TYPE: Final = "AWS::CloudTrail::Trail"


def trails_of(scope: Scope) -> tuple[tuple[Trail, Sequence[SourceProblem]], ...]:
    """The trails of a stack, and what is wrong with each."""
    found: list[tuple[Trail, Sequence[SourceProblem]]] = []
    for resource in scope.resources.values():
        if resource.type == TRAIL_TYPE:
            problems: list[SourceProblem] = []
            found.append((_trail(scope, resource, problems), problems))
    return tuple(found)


def _trail(scope: Scope, resource: Resource, problems: list[SourceProblem]) -> Trail:
    location = location_of(scope, resource)
    values = scope.properties(resource.logical_id)
    properties = Properties(values, location, problems)
    logging = properties.boolean("IsLogging")
    excluded, management, path = recorded(
        properties.raw("EventSelectors"), properties.raw("AdvancedEventSelectors")
    )
    return Trail(
        id=f"{scope.label}.{resource.logical_id}",
        location=location,
        logging=True if logging is None else logging,
        kms_excluded=excluded,
        management_events=management,
        path=f"Properties/{path}" if path else "",
    )
