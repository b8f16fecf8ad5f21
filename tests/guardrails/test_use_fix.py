"""Arguments that are printed for a refused call; the statements are held against presets elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.analysis.service_calls import ServiceCall, calls_of
from kms_constructs.guardrails.use_fix import argument, is_unlimited, statements
from kms_constructs.model.estate import Location
from kms_constructs.model.service_requirement import KeyForm
from kms_constructs.model.services import requirement_of
from kms_constructs.model.use import Link, Use, UsingRole

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Worker"


def calls(name: str, role: str = ROLE) -> list[ServiceCall]:
    needs = requirement_of(name)
    assert needs is not None
    link = Link(location=Location("app.json", "App", "User"), resource_type="T", path="Properties")
    facts: dict[str, Any] = {"chain": (link,), "form": KeyForm.ARN, "region": "eu-west-1", "partition": "aws"}
    roles = tuple(UsingRole(number, role) for number, _ in enumerate(needs.callers))
    use = Use(requirement=name, key="Key", account=ACCOUNT, creator=ROLE, roles=roles, **facts)
    return list(calls_of(use, needs))


@pytest.mark.parametrize(
    ("name", "named", "expected"),
    [
        pytest.param("sns", True, ["services=[ServiceAccess.sns()]"], id="a service"),
        pytest.param("efs", True, [f"services=[ServiceAccess.efs(['{ROLE}'])]"], id="who creates"),
        pytest.param("efs", False, ["services=[ServiceAccess.efs([role])]"], id="who creates, unknown"),
        pytest.param(
            "eventbridge_bus",
            True,
            ["services=[ServiceAccess.eventbridge_bus()]"] * 2 + [f"key_users=['{ROLE}']"],
            id="who creates, of a preset for the service alone",
        ),
        pytest.param("eventbridge_pipes", True, [f"key_users=['{ROLE}']"], id="no preset"),
        pytest.param("eventbridge_pipes", False, ["key_users=[role]"], id="no preset, and a role unknown"),
        pytest.param(
            "ecs_secrets",
            True,
            [f"services=[ServiceAccess.secrets_manager(['{ROLE}'])]"],
            id="the preset of another service",
        ),
        pytest.param("auto_scaling", True, ["services=[ServiceAccess.auto_scaling()]"], id="a linked role"),
    ],
)
def test_the_argument(name: str, named: bool, expected: list[str]) -> None:
    assert [argument(one, named=named) for one in calls(name)] == expected


@pytest.mark.parametrize(
    ("name", "access"),
    [
        ("codepipeline", "permissions=['both'], via_services=['s3']"),
        ("secret_rotation", "permissions=['both'], via_services=['secretsmanager']"),
        ("ecs_secrets", "permissions=['decrypt'], via_services=['secretsmanager']"),
    ],
)
def test_a_role_of_another_account(name: str, access: str) -> None:
    far = "arn:aws:iam::444455556666:role/Far"
    (one,) = calls(name, role=far)
    expected = f"external_access=[ExternalAccess(principals=['{far}'], {access})]"
    assert argument(one, named=True) == expected


def test_who_is_not_known_stands_open_in_the_statement() -> None:
    (one,) = calls("efs")
    assert f'"AWS": "arn:aws:iam::{ACCOUNT}:role/<role>"' in statements(one, named=False)
    assert f'"AWS": "{ROLE}"' in statements(one, named=True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sns", [False]),
        ("efs", [False]),
        ("eks", [False]),  # through EKS alone
        ("auto_scaling_other_account", [True]),
        ("cloudtrail_lake", [True, False]),
        ("cloudfront_logs", [True]),
        ("eventbridge_archive", [False, False]),  # DescribeKey tells metadata alone
        ("fargate_ephemeral_storage", [False, False, False]),  # grants of listed operations
    ],
)
def test_what_nothing_limits(name: str, expected: list[bool]) -> None:
    assert [is_unlimited(one) for one in calls(name)] == expected
