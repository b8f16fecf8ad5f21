"""The printed statement of a caller: the one that the preset of its service writes."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.model.service_requirement import Shape, Who
from kms_constructs.model.service_statement import statements_for
from kms_constructs.model.services import requirement_of, requirements
from kms_constructs.policies.services.service_access import ServiceAccess
from kms_constructs.policies.target import PolicyTarget

TARGET = PolicyTarget(partition="aws", account="111122223333", region="eu-west-1")
WORKER = "arn:aws:iam::111122223333:role/Worker"
OF_SOURCES = [
    one.name
    for one in requirements().values()
    if one.preset is not None and one.preset.shape is Shape.SOURCES and not one.region
]


def without_sid(statements: Any) -> list[dict[str, Any]]:
    found = []
    for one in statements:
        actions = one["Action"]
        kept = {name: value for name, value in one.items() if name != "Sid"}
        found.append({**kept, "Action": sorted([actions] if isinstance(actions, str) else actions)})
    return found


@pytest.mark.parametrize("name", OF_SOURCES)
def test_it_is_the_statement_of_the_preset(name: str) -> None:
    one = requirement_of(name)
    assert one is not None
    made = [
        statement
        for caller in one.callers
        if caller.who is Who.SERVICE
        for statement in statements_for(one, caller, TARGET.fill(caller.principal), TARGET.fill)
    ]
    assert without_sid(made) == without_sid(getattr(ServiceAccess, name)().statements(TARGET))


def test_grants_stand_in_a_statement_of_their_own() -> None:
    one = requirement_of("efs")
    assert one is not None
    use, grants = statements_for(one, one.callers[0], WORKER, TARGET.fill)
    limits = {
        "kms:CallerAccount": "111122223333",
        "kms:ViaService": "elasticfilesystem.eu-west-1.amazonaws.com",
    }
    assert (use["Sid"], use["Condition"]) == ("Efs", {"StringEquals": limits})
    assert grants == {
        "Sid": "EfsGrants",
        "Effect": "Allow",
        "Principal": {"AWS": WORKER},
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {"StringEquals": limits, "Bool": {"kms:GrantIsForAWSResource": "true"}},
    }
