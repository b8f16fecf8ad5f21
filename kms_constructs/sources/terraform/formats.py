"""What a document is in Terraform's terms, and what to do about one that ``show -json`` did not write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kms_constructs.sources.terraform.plan import AGAIN, Json

_MAJOR_VERSIONS: Final = ("0", "1")
_PARTS: Final = ("planned_values", "values", "resource_changes")
"""One of them is in every plan and every state that holds anything."""


def is_shown(content: object) -> bool:
    """Whether a document is what ``terraform show -json`` writes, of whatever version."""
    if not isinstance(content, Mapping) or "format_version" not in content:
        return False
    return "terraform_version" in content or any(part in content for part in _PARTS)


def version_problem(content: Json) -> tuple[str, str] | None:
    """What is wrong with the version of the format, and what to do; None when it is one that is read."""
    version = content.get("format_version")
    if isinstance(version, str) and version.partition(".")[0] in _MAJOR_VERSIONS:
        return None
    shown = repr(version) if isinstance(version, str | int | float) else "not text"
    return (
        f"its format_version is {shown}, and only versions {', '.join(_MAJOR_VERSIONS)} are known here",
        "Update kms-constructs, or write the plan with a version of Terraform that it knows",
    )


def mistaken(content: Json) -> str | None:
    """Why a document that is Terraform's all the same is not read; None when it does not look like that."""
    if "serial" in content and "lineage" in content:
        return "it is a state file as Terraform keeps it; give what terraform show -json makes of it"
    if content.get("@level") is not None and "@message" in content:
        return "it is the log of terraform plan -json; give what terraform show -json makes of a plan file"
    if isinstance(content.get("resource"), Mapping) or isinstance(content.get("module"), Mapping):
        return "it is Terraform configuration; give what terraform show -json makes of a plan file"
    if isinstance(content.get("provider_schemas"), Mapping):
        return "it holds provider schemas; give what terraform show -json makes of a plan file"
    return None


def undecodable(name: str, head: bytes) -> tuple[str, str] | None:
    r"""What a file that is no JSON is in Terraform's terms, and what to do; None when it is nothing of it.

    Args:
        name: Name of the file.
        head: Its first bytes.

    Example:
        >>> undecodable("plan.out", b"PK\x03\x04")[0]
        'it is a plan file in binary form'
    """
    if head.startswith(b"PK\x03\x04"):
        target = "plan.json" if name != "plan.json" else "shown.json"
        return (
            "it is a plan file in binary form",
            f"Run terraform show -json {name} > {target}, and give {target}",
        )
    if name.lower().endswith((".tf", ".tofu", ".hcl", ".tfvars")):
        return "it is Terraform configuration, not a plan", AGAIN
    if head.lstrip().startswith(b'{"@level"'):
        return "it is the log of terraform plan -json", AGAIN
    return None
