"""CloudTrail trails of a plan: whether they record what is done with keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kms_constructs.model.estate import Trail
from kms_constructs.sources.event_selectors import recorded
from kms_constructs.sources.terraform.arguments import Arguments
from kms_constructs.sources.terraform.plan import Instance
from kms_constructs.sources.terraform.resolver import Resolver
from kms_constructs.sources.terraform.vocabulary import TERRAFORM

TRAIL_TYPE: Final = "aws_cloudtrail"
_NAMES: Final = {
    "event_selector": "EventSelectors",
    "advanced_event_selector": "AdvancedEventSelectors",
    "include_management_events": "IncludeManagementEvents",
    "exclude_management_event_sources": "ExcludeManagementEventSources",
    "read_write_type": "ReadWriteType",
    "field_selector": "FieldSelectors",
    "field": "Field",
    "equals": "Equals",
    "not_equals": "NotEquals",
    "starts_with": "StartsWith",
    "not_starts_with": "NotStartsWith",
    "ends_with": "EndsWith",
    "not_ends_with": "NotEndsWith",
}
"""Names of blocks and arguments, and what CloudTrail's API calls them."""
_OURS: Final = {theirs: ours for ours, theirs in _NAMES.items()}


def trail_of(resolver: Resolver, instance: Instance) -> Trail:
    """Reads a trail."""
    arguments = Arguments(resolver, instance)
    logging = arguments.boolean("enable_logging")
    excluded, management, path = recorded(
        _in_words_of_the_api(arguments.raw("event_selector")),
        _in_words_of_the_api(arguments.raw("advanced_event_selector")),
    )
    return Trail(
        id=f"{resolver.plan.label}{instance.address}",
        location=arguments.location,
        logging=True if logging is None else logging,
        kms_excluded=excluded,
        management_events=management,
        path="/".join(_OURS.get(step, step) for step in path.split("/")),
        vocabulary=TERRAFORM,
    )


def _in_words_of_the_api(value: object) -> object:
    """Blocks of a resource as the API has them: an argument that is empty is absent."""
    if isinstance(value, Mapping):
        return {
            _NAMES.get(str(name), str(name)): _in_words_of_the_api(one)
            for name, one in value.items()
            if one not in (None, [])
        }
    if isinstance(value, list):
        return [_in_words_of_the_api(one) for one in value]
    return value
