"""Trails: whether they record what is done with keys."""

import pytest

from kms_constructs.model.estate import Location, Trail
from kms_constructs.model.unknown import is_unknown
from tests.sources.support import estate_of

KMS = "kms.amazonaws.com"


def _basic(**selector: object) -> dict[str, object]:
    return {"EventSelectors": [selector]}


def _advanced(*fields: dict[str, object]) -> dict[str, object]:
    return {"AdvancedEventSelectors": [{"Name": "n", "FieldSelectors": list(fields)}]}


MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}
DATA = {"Field": "eventCategory", "Equals": ["Data"]}
FIELDS = "Properties/AdvancedEventSelectors/0/FieldSelectors"
# Properties, and: excluded, management events, path.
RECORDED = {
    "nothing selected": ({}, (False, True, "")),
    "basic": (_basic(ReadWriteType="All", IncludeManagementEvents=True), (False, True, "")),
    "basic without KMS": (
        _basic(ExcludeManagementEventSources=["rdsdata.amazonaws.com", KMS]),
        (True, True, "Properties/EventSelectors/0/ExcludeManagementEventSources/1"),
    ),
    "basic without another": (
        _basic(ExcludeManagementEventSources=["rdsdata.amazonaws.com"]),
        (False, True, ""),
    ),
    "basic without management events": (
        _basic(IncludeManagementEvents="false"),
        (False, False, "Properties/EventSelectors"),
    ),
    "basic with reads only": (
        _basic(ReadWriteType="ReadOnly"),
        (True, True, "Properties/EventSelectors/0/ReadWriteType"),
    ),
    "basic with writes only": (_basic(ReadWriteType="WriteOnly"), (False, True, "")),
    "basic twice, one with KMS": (
        {"EventSelectors": [{"ExcludeManagementEventSources": [KMS]}, {"IncludeManagementEvents": True}]},
        (False, True, ""),
    ),
    "basic open": (
        _basic(ExcludeManagementEventSources={"Ref": "OpenList"}),
        (None, True, "Properties/EventSelectors/0/ExcludeManagementEventSources"),
    ),
    "advanced": (_advanced(MANAGEMENT), (False, True, "")),
    "advanced without KMS": (
        _advanced(MANAGEMENT, {"Field": "eventSource", "NotEquals": [KMS]}),
        (True, True, f"{FIELDS}/1/NotEquals"),
    ),
    "advanced without another": (
        _advanced(MANAGEMENT, {"Field": "eventSource", "NotEquals": ["rdsdata.amazonaws.com"]}),
        (False, True, ""),
    ),
    "advanced of another source only": (
        _advanced(MANAGEMENT, {"Field": "eventSource", "Equals": ["s3.amazonaws.com"]}),
        (True, True, f"{FIELDS}/1/Equals"),
    ),
    "advanced by a prefix": (
        _advanced(MANAGEMENT, {"Field": "eventSource", "NotStartsWith": ["kms."]}),
        (True, True, f"{FIELDS}/1/NotStartsWith"),
    ),
    "advanced with reads only": (
        _advanced(MANAGEMENT, {"Field": "readOnly", "Equals": ["true"]}),
        (True, True, f"{FIELDS}/1/Equals"),
    ),
    "advanced with data events only": (_advanced(DATA), (False, False, "Properties/AdvancedEventSelectors")),
    "advanced with data events and management events": (
        {"AdvancedEventSelectors": [{"FieldSelectors": [DATA]}, {"FieldSelectors": [MANAGEMENT]}]},
        (False, True, ""),
    ),
    "advanced open": (
        _advanced(MANAGEMENT, {"Field": "eventSource", "NotEquals": [{"Ref": "Open"}]}),
        (None, True, f"{FIELDS}/1/NotEquals"),
    ),
    "advanced nonsense": (
        {"AdvancedEventSelectors": [{"FieldSelectors": 1}]},
        (None, None, "Properties/AdvancedEventSelectors"),
    ),
}


@pytest.mark.parametrize(("properties", "expected"), RECORDED.values(), ids=RECORDED.keys())
def test_recorded(properties: dict[str, object], expected: tuple[object, object, str]) -> None:
    resource = {"Type": "AWS::CloudTrail::Trail", "Properties": properties}
    parameters = {"Open": {"Type": "String"}, "OpenList": {"Type": "CommaDelimitedList"}}
    trail = estate_of({"Trail": resource}, Parameters=parameters).trails[0]
    excluded, management = (
        None if is_unknown(value) else value for value in (trail.kms_excluded, trail.management_events)
    )
    assert (excluded, management, trail.path) == expected


def test_whether_it_logs_and_where() -> None:
    properties = {"IsLogging": "false"}
    resource = {"Type": "AWS::CloudTrail::Trail", "Properties": properties}
    assert estate_of({"Trail": resource}, Parameters={"Open": {"Type": "String"}}).trails == (
        Trail(
            id="App.Trail",
            location=Location("app.json", "App", "Trail"),
            logging=False,
        ),
    )
