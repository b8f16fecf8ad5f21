"""The preset for every service that has none of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kms_constructs.errors import ArgumentError
from kms_constructs.model.service_requirement import ACCOUNT
from kms_constructs.policies.services.parts import (
    FOR_AWS,
    Templates,
    checked_sources,
    names_source,
    sid_word,
    written_out,
)
from kms_constructs.policies.target import PolicyStatementJson, allow, check_account, is_token


def custom(
    principal: str,
    actions: Sequence[str],
    *,
    source_arns: Sequence[str] = (),
    source_account: str | None = None,
    conditions: Mapping[str, Mapping[str, str | Sequence[str]]] | None = None,
    name: str | None = None,
) -> Templates:
    """Lets another AWS service use the key, under a condition on the source.

    CreateGrant gets a statement of its own, with `kms:GrantIsForAWSResource`.

    Args:
        principal: Service principal: ``delivery.logs.amazonaws.com``.
        actions: Names of KMS actions with or without ``kms:``, written out.
        source_arns: Values of `aws:SourceArn`; ``*`` for any text in the resource part.
        source_account: Value of `aws:SourceAccount`.
        conditions: Further conditions by operator and key, as in a policy. When neither `source_arns` nor
            `source_account` is given, one of them has to narrow the source: `aws:SourceArn`,
            `aws:SourceAccount`, `aws:SourceOrgID`, `aws:SourceOrgPaths` or an encryption context.
        name: Letters and digits for the Sid; made from the principal by default.

    Raises:
        ArgumentError: No narrowing condition; a wildcard, unknown, administrative or account-wide action.

    See: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    names = written_out(actions)
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?", principal) and not is_token(
        principal
    ):
        raise ArgumentError(
            "principal",
            principal,
            "a service principal ends in .amazonaws.com",
            "write it like delivery.logs.amazonaws.com; roles and users go into key_users",
        )
    given: dict[str, dict[str, Any]] = {operator: dict(keys) for operator, keys in (conditions or {}).items()}
    if source_arns:
        given.setdefault("ArnLike", {})["aws:SourceArn"] = checked_sources(
            "source_arns", source_arns, None, ACCOUNT
        )
    if source_account is not None:
        check_account("source_account", source_account)
        given.setdefault("StringEquals", {})["aws:SourceAccount"] = source_account
    if not any(names_source(operator, keys, principal) for operator, keys in given.items()):
        raise ArgumentError(
            "conditions",
            conditions,
            "a service works for every customer of AWS: a condition has to name the source",
            "give source_arns or source_account, or the encryption context that the service sends",
        )
    word = name if name is not None else sid_word(principal)
    if not re.fullmatch(r"[A-Za-z0-9]{1,40}", word):
        raise ArgumentError(
            "name", name, "a Sid holds letters and digits", "write one word of at most 40 characters"
        )
    templates: list[PolicyStatementJson] = []
    if use := [item for item in names if item != "CreateGrant"]:
        templates.append(allow(f"Service{word}", {"Service": principal}, use, given))
    if "CreateGrant" in names:
        for_resource = {**given.get("Bool", {}), **FOR_AWS["Bool"]}
        templates.append(
            allow(
                f"Service{word}Grants",
                {"Service": principal},
                ("CreateGrant",),
                {**given, "Bool": for_resource},
            )
        )
    return tuple(templates)
