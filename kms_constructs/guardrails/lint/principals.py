"""Principals that KMS does not take.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from functools import lru_cache

from kms_constructs.guardrails.lint.places import SERVICE_PRINCIPAL
from kms_constructs.model.arn import is_account_id, parse_arn
from kms_constructs.model.policy import Principal
from kms_constructs.model.text import display, has_hole

_PARTITION = re.compile(r"aws[a-z-]*")
_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")
_NAMED = {"iam": ("user/", "role/"), "sts": ("assumed-role/", "federated-user/")}


@lru_cache(maxsize=16384)
def principal_problem(principal: Principal) -> tuple[str, str] | None:
    """What is wrong with a principal, and the fix; None when nothing is, or a part of it is undecided."""
    value = principal.value
    shown = display(value)
    if principal.type == "*" or has_hole(value):
        return None
    if principal.type == "CanonicalUser":
        return f"a canonical user ({shown}) is no principal of KMS", "Write the ARN of a role or user."
    if principal.type == "Service":
        if SERVICE_PRINCIPAL.fullmatch(value):
            return None
        return (
            f"{shown!r} is no service principal",
            "Write it as in 'logs.eu-west-1.amazonaws.com'; wildcards are not allowed.",
        )
    if principal.type == "Federated" or value == "*":
        return None
    if is_account_id(value):
        return None
    if _UNIQUE_ID.fullmatch(value):
        return (
            f"{value} is the unique id of a principal that has been deleted",
            "Take it out, or write the ARN of its successor.",
        )
    if value.isdigit():
        return f"{value} is no account id: it has {len(value)} digits", "Write twelve digits."
    arn = parse_arn(value)
    known = arn is not None and _PARTITION.fullmatch(arn.partition) and arn.service in _NAMED
    if arn is None or not known or arn.region or not arn.resource:
        return f"{shown!r} is no ARN of a principal", "Write the ARN of a role or user, or an account id."
    return _arn_problem(shown, arn.service, arn.account, arn.resource)


def _arn_problem(shown: str, service: str, account: str, resource: str) -> tuple[str, str] | None:
    if not is_account_id(account):
        return f"{shown}: {account!r} is no account id", "Write the account's twelve digits."
    if "*" in resource or "?" in resource:
        return (
            f"{shown}: a principal has no wildcards",
            "Name the principal, or use Principal '*' with ArnLike aws:PrincipalArn and the account.",
        )
    if service == "iam" and resource == "root":
        return None
    if any(resource.startswith(kind) and len(resource) > len(kind) for kind in _NAMED[service]):
        return None
    kind = resource.partition("/")[0]
    return f"{shown}: a {kind} cannot be a principal of a key policy", "Write the ARN of a role or user."
