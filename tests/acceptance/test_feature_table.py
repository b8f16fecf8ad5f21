"""The feature table: a row for all that the Terraform module has, and nothing that is not so."""

from __future__ import annotations

import inspect
import re

import pytest

import kms_constructs
from kms_constructs import ReplicaConfig, SecureKmsKey, SecureKmsReplicaKey, ServiceAccess
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.cdk

COLUMNS = 6
INPUTS = [
    "aliases",
    "aliases_use_name_prefix",
    "bypass_policy_lockout_safety_check",
    "computed_aliases",
    "create",
    "create_external",
    "create_replica",
    "create_replica_external",
    "custom_key_store_id",
    "customer_master_key_spec",
    "deletion_window_in_days",
    "description",
    "enable_default_policy",
    "enable_key_rotation",
    "enable_route53_dnssec",
    "grants",
    "is_enabled",
    "key_administrators",
    "key_asymmetric_public_encryption_users",
    "key_asymmetric_sign_verify_users",
    "key_hmac_users",
    "key_material_base64",
    "key_owners",
    "key_service_roles_for_autoscaling",
    "key_service_users",
    "key_spec",
    "key_statements",
    "key_symmetric_encryption_users",
    "key_usage",
    "key_users",
    "multi_region",
    "override_policy_documents",
    "policy",
    "primary_external_key_arn",
    "primary_key_arn",
    "region",
    "rotation_period_in_days",
    "route53_dnssec_sources",
    "source_policy_documents",
    "tags",
    "valid_to",
]
OUTPUTS = [
    "aliases",
    "external_key_expiration_model",
    "external_key_state",
    "external_key_usage",
    "grants",
    "key_arn",
    "key_id",
    "key_policy",
    "key_region",
]


def rows() -> list[list[str]]:
    """The cells of the table, without its head and its headings."""
    text = (REPOSITORY / "docs" / "comparison.md").read_text(encoding="utf-8")
    table = text.partition("## From Terraform modules")[2].partition("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in table.splitlines()
        if line.startswith("| ")
    ]
    return [one for one in cells[1:] if not one[0].startswith("**")]


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_row_has_every_column() -> None:
    assert [one for one in rows() if len(one) != COLUMNS or not all(one)] == []


def test_every_input_and_output_has_one_row() -> None:
    named = [name for row in rows() for name in code(row[0])]

    assert sorted(named) == sorted([*INPUTS, *OUTPUTS])


def test_what_the_table_says_of_this_library_exists() -> None:
    """Arguments, attributes and names in the column of this library, as long as they are Python's."""
    arguments = {
        *inspect.signature(SecureKmsKey.__init__).parameters,
        *inspect.signature(SecureKmsReplicaKey.__init__).parameters,
        *ReplicaConfig.__slots__,
    }
    attributes = set(dir(SecureKmsKey))
    elsewhere = {
        "if",
        "custom",
        "grant_…",
        "env",
        "kms:*",
        "CreateGrant",
        "kms-constructs check",
        "explain",
        "diff",
    }
    for row in rows():
        for name in code(row[1]):
            plain = name.removesuffix("()").partition("=")[0]
            known = (
                name in elsewhere
                or plain in arguments | attributes
                or plain in kms_constructs.__all__
                or (plain.startswith("ServiceAccess.") and hasattr(ServiceAccess, plain.partition(".")[2]))
                or (plain.startswith("key.") and plain.split(".")[1] in attributes)
            )
            assert known, (row[0], name)
