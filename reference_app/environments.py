"""The environments as data. Production differs from development in values alone, never in code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ACCOUNT = "123456789012"
REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What differs between environments.

    Args:
        name: Also the prefix of stacks and aliases: ``dev``.
        key_administrators: ARNs of those who manage the key and cannot use it.
        break_glass_principals: When given, only they delete, disable and change the policy.
        key_users: ARNs of those who encrypt and decrypt.
        pending_window: Days between scheduling the deletion of the key and its deletion.
        retained: Whether keys and data outlive their stacks.
        data_classification: Of the data that the key protects.
        replica_regions: Regions that have the data, and so the key, as well.
        policy_reviewed_on: Day of the last review of who may do what; a guardrail warns when it is long ago.
        tags: Beside those that the key writes itself.
    """

    name: str
    key_administrators: tuple[str, ...]
    break_glass_principals: tuple[str, ...] = ()
    key_users: tuple[str, ...]
    pending_window: int
    retained: bool
    data_classification: str
    policy_reviewed_on: str
    replica_regions: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


def role(name: str) -> str:
    """ARN of a role of the application's account."""
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


DEV = Environment(
    name="dev",
    key_administrators=(role("security-admin-role"),),
    key_users=(role("dev-app-role"), role("dev-terraform-role")),
    pending_window=7,
    retained=False,
    data_classification="internal",
    policy_reviewed_on="2026-11-20",
)

PROD = Environment(
    name="prod",
    key_administrators=(role("security-admin-role"),),
    break_glass_principals=(role("security-break-glass-role"),),
    key_users=(role("prod-app-role"), role("prod-terraform-deploy-role")),
    pending_window=30,
    retained=True,
    data_classification="confidential",
    policy_reviewed_on="2026-11-20",
    replica_regions=("eu-west-1",),
    tags={"Compliance": "soc2"},
)

ENVIRONMENTS: dict[str, tuple[Environment, ...]] = {"dev": (DEV,), "prod": (PROD,), "all": (DEV, PROD)}
"""What the CDK context ``environment`` chooses from."""
