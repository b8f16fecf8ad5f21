"""The one place where a statement of a policy document is put together, key policy or other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

PolicyStatementJson = dict[str, Any]
"""One statement of a policy document, as JSON. CDK tokens may stand inside its texts."""

Condition = Mapping[str, Mapping[str, Any]]
"""Condition keys with their values, by operator."""


def statement(
    sid: str,
    effect: Literal["Allow", "Deny"],
    actions: str | Sequence[str],
    *,
    principal: object = None,
    resource: str | Sequence[str] = "*",
    conditions: Condition | None = None,
) -> PolicyStatementJson:
    """A statement, its members in the order in which AWS's documentation shows them.

    Args:
        sid: Its Sid.
        effect: ``Allow`` or ``Deny``.
        actions: Whole action names, written as they are given: one text, or a list.
        principal: Its principal; None in policies of identities and organizations, which have none.
        resource: The resource or resources; in a key policy ``*`` is the key.
        conditions: Operators without a key are left out, and so is a condition without an operator.

    Example:
        >>> statement("DenyAll", "Deny", "kms:*", principal="*", conditions={"Bool": {}})
        {'Sid': 'DenyAll', 'Effect': 'Deny', 'Principal': '*', 'Action': 'kms:*', 'Resource': '*'}
    """
    found: PolicyStatementJson = {"Sid": sid, "Effect": effect}
    if principal is not None:
        found["Principal"] = principal
    found["Action"] = actions if isinstance(actions, str) else list(actions)
    found["Resource"] = resource if isinstance(resource, str) else list(resource)
    # Copied, so that no two statements share a condition which one of them may change.
    condition = {operator: dict(keys) for operator, keys in (conditions or {}).items() if keys}
    if condition:
        found["Condition"] = condition
    return found


def qualified(actions: Iterable[str]) -> list[str]:
    """Names of KMS actions with their prefix, sorted, each once."""
    return sorted({f"kms:{action}" for action in actions})


def one_or_list(values: str | Sequence[str]) -> str | list[str]:
    """A single value as the text that IAM would make of it; several as a list."""
    if isinstance(values, str):
        return values
    return values[0] if len(values) == 1 else list(values)
