"""What a trail's event selectors leave out, in the words of CloudTrail's API, whichever source they are from.

See: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/filtering-data-events.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kms_constructs.model.text import has_hole, undecided
from kms_constructs.model.unknown import Unknown, elements, is_unknown

_KMS: Final = "kms.amazonaws.com"
_BASIC: Final = "EventSelectors"
_ADVANCED: Final = "AdvancedEventSelectors"


def recorded(basic: object, advanced: object) -> tuple[bool | Unknown, bool | Unknown, str]:
    """Whether KMS events are excluded, whether management events are recorded, and where that is said.

    Args:
        basic: ``EventSelectors``, resolved.
        advanced: ``AdvancedEventSelectors``, resolved; where there are any, the others do not count.

    Returns:
        The two answers, and a path such as ``EventSelectors/0/ExcludeManagementEventSources/0``.
    """
    for name, value, read in ((_ADVANCED, advanced, _advanced), (_BASIC, basic, _basic)):
        if is_unknown(value):
            return value, value, name
        if isinstance(value, list) and value:
            return read(value)
    return False, True, ""  # without selectors a trail records every management event


def _basic(selectors: list[object]) -> tuple[bool | Unknown, bool | Unknown, str]:
    """One selector that records management events with KMS is enough."""
    management: bool | Unknown = False
    excluded: bool | Unknown = False
    place = _BASIC
    for index, (selector, doubt) in enumerate(elements(selectors)):
        if not isinstance(selector, Mapping):
            unread = selector if is_unknown(selector) else Unknown("an event selector is no object")
            return unread, unread, place
        included = _boolean(selector.get("IncludeManagementEvents", True))
        if included is False:
            continue
        sources = selector.get("ExcludeManagementEventSources")
        out, found = _names_kms(sources)
        place_of = f"ExcludeManagementEventSources{found}"
        if out is not True and selector.get("ReadWriteType", "All") not in ("All", "WriteOnly"):
            # Only reads are recorded: what guards keys is the writes.
            kind = selector["ReadWriteType"]
            out = True if kind == "ReadOnly" else Unknown("ReadWriteType is decided at deployment")
            place_of = "ReadWriteType"
        if out is False and included is True and not doubt:
            return False, True, ""
        if doubt:
            included = Unknown(doubt)
        management = included if management is False or included is True else management
        if out is not False and (excluded is False or out is True):
            excluded = out if not doubt else Unknown(doubt)
            place = f"{_BASIC}/{index}/{place_of}"
    return excluded, management, place


def _names_kms(sources: object) -> tuple[bool | Unknown, str]:
    if sources is None:
        return False, ""
    open_value: bool | Unknown = False
    for index, (source, doubt) in enumerate(elements(sources)):
        if source == _KMS:
            return (Unknown(doubt) if doubt else True), f"/{index}"
        if is_unknown(source):
            open_value = source
        elif isinstance(source, str) and has_hole(source):
            open_value = undecided(source)
    return open_value, ""


def _advanced(selectors: list[object]) -> tuple[bool | Unknown, bool | Unknown, str]:
    """A selector of management events records KMS's unless its field selectors leave them out."""
    management: bool | Unknown = False
    excluded: bool | Unknown = False
    place = _ADVANCED
    for index, (selector, doubt) in enumerate(elements(selectors)):
        fields = selector.get("FieldSelectors") if isinstance(selector, Mapping) else selector
        if is_unknown(fields):
            return fields, fields, place
        if not isinstance(fields, list):
            unread = Unknown("an advanced event selector has no list of field selectors")
            return unread, unread, place
        category, out, found = _fields(fields)
        if category is False:
            continue
        if out is False and category is True and not doubt:
            return False, True, ""
        if doubt:
            category = Unknown(doubt)
        management = category if management is False or category is True else management
        if out is not False and (excluded is False or out is True):
            excluded = out if not doubt else Unknown(doubt)
            place = f"{_ADVANCED}/{index}/FieldSelectors{found}"
    return excluded, management, place


def _fields(fields: list[object]) -> tuple[bool | Unknown, bool | Unknown, str]:
    """Whether field selectors pick management events, and whether they leave KMS's out."""
    category: bool | Unknown = False
    out: bool | Unknown = False
    place = ""
    for index, (entry, doubt) in enumerate(elements(fields)):
        if doubt or not isinstance(entry, Mapping):
            unread = entry if is_unknown(entry) else Unknown(doubt or "a field selector is no object")
            return unread, unread, ""
        name = entry.get("Field")
        if is_unknown(name) or (isinstance(name, str) and has_hole(name)):
            unread = Unknown("the field of a field selector is decided at deployment")
            return unread, unread, ""
        if name == "eventCategory":
            category, _ = _has(entry.get("Equals"), "Management")
        elif name == "eventSource":
            for operator in ("NotEquals", "NotStartsWith", "NotEndsWith"):
                named, _ = _has(entry.get(operator), _KMS, operator)
                if named is not False:
                    out, place = named, f"/{index}/{operator}"
            for operator in ("Equals", "StartsWith", "EndsWith"):
                if operator in entry:
                    named, _ = _has(entry[operator], _KMS, operator)
                    if named is not True:
                        out, place = (named if is_unknown(named) else True), f"/{index}/{operator}"
        elif name == "readOnly":
            # Only reads, or only writes: what guards keys is the writes.
            reads, _ = _has(entry.get("Equals"), "true")
            if reads is not False and out is not True:
                out, place = reads, f"/{index}/Equals"
    return category, out, place


def _has(values: object, wanted: str, operator: str = "Equals") -> tuple[bool | Unknown, int]:
    if values is None:
        return False, -1
    open_value: bool | Unknown = False
    for index, (value, doubt) in enumerate(elements(values)):
        text = ("true" if value else "false") if isinstance(value, bool) else value
        if isinstance(text, str) and not has_hole(text):
            if _covers(operator, text, wanted):
                return (Unknown(doubt) if doubt else True), index
        else:
            open_value = text if is_unknown(text) else Unknown("a selector's value is decided at deployment")
    return open_value, -1


def _covers(operator: str, text: str, wanted: str) -> bool:
    if operator.endswith("StartsWith"):
        return wanted.startswith(text)
    if operator.endswith("EndsWith"):
        return wanted.endswith(text)
    return wanted == text


def _boolean(value: object) -> bool | Unknown:
    if isinstance(value, bool) or is_unknown(value):
        return value
    if isinstance(value, str):
        if value.lower() in ("true", "false"):
            return value.lower() == "true"
        return undecided(value) if has_hole(value) else Unknown("IncludeManagementEvents is no boolean")
    return Unknown("IncludeManagementEvents is no boolean")
