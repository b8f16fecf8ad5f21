"""What the rules look at: the few things that these data classes compute."""

from __future__ import annotations

import pytest

from kms_constructs.model.estate import Key, Location
from kms_constructs.model.policy import Policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown

ACCOUNT = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        pytest.param(Location("a.json"), "a.json", id="a file alone"),
        pytest.param(Location("a.json", "App", "Key961B73FD"), "a.json: Key961B73FD", id="a resource"),
        pytest.param(
            Location("a.json", "App", "Key961B73FD", "App/Key/Resource"),
            "a.json: App/Key/Resource",
            id="a construct path says more",
        ),
        pytest.param(
            Location(
                "arn:aws:kms:eu-west-1:111122223333:key/1",
                logical_id="arn:aws:kms:eu-west-1:111122223333:key/1",
            ),
            "arn:aws:kms:eu-west-1:111122223333:key/1",
            id="a live key is not said twice",
        ),
    ],
)
def test_a_location_as_a_person_reads_it(location: Location, expected: str) -> None:
    assert str(location) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            {"account": "111122223333", "region": "eu-west-1"},
            "arn:aws:kms:eu-west-1:111122223333:key/App.Key",
            id="all known",
        ),
        pytest.param(
            {"account": "111122223333", "region": "cn-north-1", "partition": "aws-cn"},
            "arn:aws-cn:kms:cn-north-1:111122223333:key/App.Key",
            id="another partition",
        ),
        pytest.param(
            {"account": ACCOUNT, "region": Unknown("no Region was given")},
            f"arn:aws:kms:*:{ACCOUNT}:key/App.Key",
            id="an unknown Region is any Region",
        ),
    ],
)
def test_the_arn_that_resources_of_iam_policies_are_held_against(fields, expected: str) -> None:
    key = Key(id="App.Key", location=Location("a.json"), policy=Policy(), **fields)

    assert key.arn_pattern == expected


@pytest.mark.parametrize(
    ("path", "scope", "lies_in"),
    [
        ("App/Key/Resource", "App", True),
        ("App/Key/Resource", "App/Key/Resource", True),
        ("Apple/Key", "App", False),
        ("Other/Key", "App", False),
        (None, "App", None),
    ],
)
def test_where_a_resource_lies(path: str | None, scope: str, lies_in: bool | None) -> None:
    assert Location("a.json", construct_path=path).lies_in(scope) is lies_in
