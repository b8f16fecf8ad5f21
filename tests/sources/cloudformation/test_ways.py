"""Steps of requirements, followed through properties: what they name, on which path, and with which doubt."""

from __future__ import annotations

import pytest

from kms_constructs.model.service_requirement import Step
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from kms_constructs.sources.cloudformation.ways import Named, has, named_by

OPEN = hole(HoleKind.UNRESOLVED, "S.Parameter")
UNDECIDED = "a property of the resource is decided at deployment"
ATTRIBUTES = Step(
    "T", ("Attributes/*/Value",), {"Type": "network", "Attributes/*/Key": "bucket"}, {"Type": "network"}
)
RULES = Step("T", ("Key",), {"Rules/*/Status": "Enabled"})
ANY = Step("T", ("Key",), {"Logs/*/Group": "*"})
NESTED = Step("T", ("Groups/*/Members/*/Address",), {"Groups/*/Members/*/Kind": "SNS"})


@pytest.mark.parametrize(
    ("step", "properties", "expected"),
    [
        pytest.param(Step("T", ("A/B",)), {"A": {"B": "k"}}, [Named(("A", "B"), "k")], id="a path"),
        pytest.param(
            Step("T", ("A", "B")), {"B": "k", "A": "j"}, [Named(("A",), "j"), Named(("B",), "k")], id="two"
        ),
        pytest.param(
            Step("T", ("A/*",)),
            {"A": ["j", "k"]},
            [Named(("A", "0"), "j"), Named(("A", "1"), "k")],
            id="each",
        ),
        pytest.param(Step("T", ("A/*",)), {"A": "k"}, [], id="no list"),
        pytest.param(Step("T", ("A",)), {"A": ""}, [], id="nothing"),
        pytest.param(Step("T", ("A",)), {"A": Unknown("x")}, [], id="unknown"),
        pytest.param(Step("T", ("A",)), {"A": {"B": "k"}}, [], id="an object"),
        pytest.param(
            Step("T", ("A/*",)),
            {"A": [Maybe("k", "perhaps")]},
            [Named(("A", "0"), "k", "perhaps")],
            id="perhaps",
        ),
        pytest.param(
            ATTRIBUTES,
            {
                "Type": "network",
                "Attributes": [{"Key": "size", "Value": "1"}, {"Key": "bucket", "Value": "b"}],
            },
            [Named(("Attributes", "1", "Value"), "b")],
            id="the same element",
        ),
        pytest.param(
            ATTRIBUTES,
            {"Attributes": [{"Key": "bucket", "Value": "b"}]},
            [Named(("Attributes", "0", "Value"), "b")],
            id="default",
        ),
        pytest.param(
            ATTRIBUTES,
            {"Type": "application", "Attributes": [{"Key": "bucket", "Value": "b"}]},
            [],
            id="another value",
        ),
        pytest.param(
            ATTRIBUTES,
            {"Type": OPEN, "Attributes": [{"Key": "bucket", "Value": "b"}]},
            [Named(("Attributes", "0", "Value"), "b", UNDECIDED)],
            id="a value that deployment decides",
        ),
        pytest.param(
            RULES,
            {"Key": "k", "Rules": [{"Status": "Disabled"}, {"Status": "Enabled"}]},
            [Named(("Key",), "k")],
            id="any element",
        ),
        pytest.param(RULES, {"Key": "k", "Rules": [{"Status": "Disabled"}]}, [], id="no element"),
        pytest.param(RULES, {"Key": "k"}, [], id="no list of conditions"),
        pytest.param(ANY, {"Key": "k", "Logs": [{"Group": OPEN}]}, [Named(("Key",), "k")], id="any value"),
        pytest.param(
            NESTED,
            {
                "Groups": [
                    {"Members": [{"Kind": "EMAIL", "Address": "a"}]},
                    {"Members": [{"Kind": "EMAIL", "Address": "b"}, {"Kind": "SNS", "Address": "c"}]},
                ]
            },
            [Named(("Groups", "1", "Members", "1", "Address"), "c")],
            id="two lists",
        ),
    ],
)
def test_what_a_step_names(step: Step, properties: dict[str, object], expected: list[Named]) -> None:
    assert list(named_by(step, properties)) == expected


def test_a_property_is_there_or_not() -> None:
    assert has({"A": {"B": Unknown("x")}}, "A/B")
    assert not has({"A": {}}, "A/B")
