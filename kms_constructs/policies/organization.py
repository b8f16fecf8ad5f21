"""Organization policies made from the catalogue: the guarded actions, denied to a whole organization.

A key policy guards one key. A service control policy (SCP) guards every key against the principals of the
organization's member accounts, and a resource control policy (RCP) guards the keys of those accounts against
everyone, principals of other organizations included. Both only deny: what they leave open still needs an
Allow. Neither reaches the management account, service-linked roles, or AWS managed keys (RCP).

These are plain dicts, so the CLI can export them without CDK.

See: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html,
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html and
https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, TypedDict

from kms_constructs.errors import ArgumentError
from kms_constructs.model.arn import is_account_id
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS, May
from kms_constructs.model.key_specs import MAXIMUM_PENDING_WINDOW_DAYS, MINIMUM_PENDING_WINDOW_DAYS
from kms_constructs.model.text import is_organization_id
from kms_constructs.policies.statements import Condition, one_or_list, qualified, statement
from kms_constructs.policies.target import account_refused, organization_refused

EVERY_ROOT_USER = "arn:*:iam::*:root"
"""ARN pattern of the root users, who may always change key policies: IAM-KMS-1 holds under these policies."""

PolicyJson = dict[str, Any]
"""A policy document as JSON."""

MAXIMUM_SCP_CHARACTERS = 10_240
MAXIMUM_RCP_CHARACTERS = 5_120
"""Quotas of AWS Organizations for one document.

See: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
"""


class Exemptions(TypedDict, total=False):
    """Whom an organization policy spares; `service_control_policy` says what each is."""

    exempt_principals: Sequence[str]
    deployment_principals: Sequence[str]
    grant_principals: Sequence[str]
    minimum_pending_window: int


class ExemptionsAndPerimeter(Exemptions, total=False):
    """What a resource control policy knows beside that; `resource_control_policy` says what each is."""

    organization_id: str | None
    trusted_accounts: Sequence[str]


def service_control_policy(
    exempt_principals: Sequence[str] = (),
    *,
    deployment_principals: Sequence[str] = (),
    grant_principals: Sequence[str] = (),
    minimum_pending_window: int = MAXIMUM_PENDING_WINDOW_DAYS,
) -> PolicyJson:
    """The SCP that keeps principals of member accounts from the guarded actions.

    Without any exemption nobody in the member accounts but their root users can change a key policy,
    CloudFormation's execution roles included: name these as `deployment_principals`. An exempt name in every
    account (``*``) is as safe as the right to create a role of that name.

    Args:
        exempt_principals: ARN patterns of who may delete, disable, and change policies: the break-glass
            roles. The account part may be ``*``; the name may not be.
        deployment_principals: ARN patterns of who may change key policies, and no more.
        grant_principals: ARN patterns of who may create grants directly rather than through an AWS service.
        minimum_pending_window: Days, 7 to 30: a shorter pending window is denied to everyone.

    Returns:
        The document, at most `MAXIMUM_SCP_CHARACTERS` as compact JSON.

    Raises:
        ArgumentError: A pattern that is none or exempts everybody, a window out of bounds, or so many
            patterns that the document grows too large.

    Example:
        >>> document = service_control_policy(["arn:aws:iam::*:role/BreakGlass"])
        >>> [statement["Sid"] for statement in document["Statement"]][:2]
        ['DenyKeyDestruction', 'DenyKeyPolicyChange']
    """
    statements = _guarded(
        exempt_principals,
        deployment_principals,
        grant_principals,
        minimum_pending_window,
        lockout_actions=("CreateKey", "PutKeyPolicy"),
    )
    return _document(statements, MAXIMUM_SCP_CHARACTERS, "service control policy", resource=False)


def resource_control_policy(
    exempt_principals: Sequence[str] = (),
    *,
    deployment_principals: Sequence[str] = (),
    grant_principals: Sequence[str] = (),
    minimum_pending_window: int = MAXIMUM_PENDING_WINDOW_DAYS,
    organization_id: str | None = None,
    trusted_accounts: Sequence[str] = (),
) -> PolicyJson:
    """The RCP that keeps everyone from the guarded actions on the keys of member accounts.

    No AWS service deletes keys, disables them or changes their policies as itself, so service principals are
    not exempt there; for grants they are, as for grants that a service makes on somebody's behalf. Creating a
    key has no resource yet, so an RCP says nothing about it: the SCP does.

    Args:
        exempt_principals: As in `service_control_policy`.
        deployment_principals: As in `service_control_policy`.
        grant_principals: As in `service_control_policy`.
        minimum_pending_window: As in `service_control_policy`.
        organization_id: When given, principals outside this organization cannot use the keys, and AWS
            services only for sources within it.
        trusted_accounts: Accounts outside the organization that may use the keys all the same.

    Returns:
        The document, at most `MAXIMUM_RCP_CHARACTERS` as compact JSON.

    Raises:
        ArgumentError: As in `service_control_policy`, or a malformed organization or account.
    """
    statements = _guarded(
        exempt_principals,
        deployment_principals,
        grant_principals,
        minimum_pending_window,
        lockout_actions=("PutKeyPolicy",),
    )
    for one in statements:
        if one["Sid"] == "DenyDirectGrants":
            one["Condition"]["BoolIfExists"]["aws:PrincipalIsAWSService"] = "false"
    statements += _perimeter(organization_id, trusted_accounts)
    return _document(statements, MAXIMUM_RCP_CHARACTERS, "resource control policy", resource=True)


def compact(document: PolicyJson) -> str:
    """The document as AWS counts it: JSON without white space."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _guarded(
    exempt: Sequence[str],
    deployment: Sequence[str],
    grants: Sequence[str],
    window: int,
    *,
    lockout_actions: Sequence[str],
) -> list[PolicyJson]:
    for argument, patterns in (
        ("exempt_principals", exempt),
        ("deployment_principals", deployment),
        ("grant_principals", grants),
    ):
        _check_patterns(argument, patterns)
    if isinstance(window, bool) or not MINIMUM_PENDING_WINDOW_DAYS <= window <= MAXIMUM_PENDING_WINDOW_DAYS:
        raise ArgumentError(
            "minimum_pending_window",
            window,
            f"a pending window is {MINIMUM_PENDING_WINDOW_DAYS} to {MAXIMUM_PENDING_WINDOW_DAYS} days",
            "give the shortest window that you would accept",
        )
    statements = [
        *_guarded_actions(exempt, deployment),
        _deny("DenyLockoutBypass", lockout_actions, {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}}),
        _deny(
            "DenyDirectGrants",
            ("CreateGrant",),
            # IfExists: a request that does not say it comes from an AWS service does not.
            {"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}, **_unless(grants)},
        ),
    ]
    if window > MINIMUM_PENDING_WINDOW_DAYS:
        # Without IfExists: a request that names no window gets KMS's default of 30 days.
        shorter = {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": str(window)}}
        statements.append(_deny("DenyShortDeletionWindow", ("ScheduleKeyDeletion",), shorter))
    return statements


def _guarded_actions(exempt: Sequence[str], deployment: Sequence[str]) -> list[PolicyJson]:
    """The guarded actions, denied to all but those who may.

    A stack deletes its keys by its own key policies; here its deployment principals change policies only. So
    do the root users of the accounts, each for its own account's keys: they are the way back that IAM-KMS-1
    asks for, and a service control policy binds those of member accounts.
    """
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for guarded in GUARDED_ACTIONS.values():
        who = {May.NOBODY: (), May.GUARDIANS_AND_DEPLOYMENT: (*exempt, *deployment, EVERY_ROOT_USER)}.get(
            guarded.may, tuple(exempt)
        )
        groups.setdefault((guarded.organization_sid, who), []).append(guarded.action)
    return [_deny(sid, actions, _unless(who)) for (sid, who), actions in groups.items()]


def _perimeter(organization_id: str | None, trusted_accounts: Sequence[str]) -> list[PolicyJson]:
    for account in trusted_accounts:
        if not is_account_id(account):
            raise account_refused("trusted_accounts", account)
    if organization_id is None:
        if trusted_accounts:
            raise ArgumentError(
                "trusted_accounts",
                list(trusted_accounts),
                "they are exceptions from the organization's perimeter, and none is asked for",
                "give organization_id as well",
            )
        return []
    if not is_organization_id(organization_id):
        raise organization_refused("organization_id", organization_id)
    outside: dict[str, Any] = {"aws:PrincipalOrgID": organization_id}
    if trusted_accounts:
        outside["aws:PrincipalAccount"] = one_or_list(trusted_accounts)
    return [
        statement(
            "DenyOutsideOrganization",
            "Deny",
            "kms:*",
            conditions={
                "StringNotEqualsIfExists": outside,
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
            },
        ),
        statement(
            "DenyServicesForOutsiders",
            "Deny",
            "kms:*",
            # Where a service sends no source account nothing is known: that is left to the key policies.
            conditions={
                "StringNotEqualsIfExists": {"aws:SourceOrgID": organization_id}
                | ({"aws:SourceAccount": one_or_list(trusted_accounts)} if trusted_accounts else {}),
                "Null": {"aws:SourceAccount": "false"},
                "Bool": {"aws:PrincipalIsAWSService": "true"},
            },
        ),
    ]


def _deny(sid: str, actions: Sequence[str], condition: Condition | None = None) -> PolicyJson:
    return statement(sid, "Deny", one_or_list(qualified(actions)), conditions=condition)


def _unless(patterns: Sequence[str]) -> dict[str, dict[str, Any]]:
    unique = list(dict.fromkeys(patterns))
    return {"ArnNotLike": {"aws:PrincipalArn": one_or_list(unique)}} if unique else {}


def _check_patterns(argument: str, patterns: Sequence[str]) -> None:
    if isinstance(patterns, str):
        raise ArgumentError(
            argument, patterns, "a list is wanted, not one text", f"write {argument}=[{patterns!r}]"
        )
    for pattern in patterns:
        match = re.fullmatch(
            r"arn:(?P<partition>[a-z*-]+):iam::(?P<account>[^:]+):(?P<resource>root|(?:role|user)/[\w+=,.@/*?-]+)",
            pattern,
        )
        if match is None or not (match["account"] == "*" or is_account_id(match["account"])):
            raise ArgumentError(
                argument,
                pattern,
                "an exemption is the ARN pattern of a role, a user or an account root; the account is twelve "
                "digits or *",
                "write it like arn:aws:iam::*:role/BreakGlass; for a session name its role",
            )
        name = match["resource"].rpartition("/")[2]
        if not name.strip("*?"):
            raise ArgumentError(
                argument,
                pattern,
                "this pattern exempts every principal of its kind",
                "write out the name, or a part of it that only these principals have",
            )


def _document(statements: list[PolicyJson], limit: int, kind: str, *, resource: bool) -> PolicyJson:
    if resource:
        statements = [
            {"Sid": item["Sid"], "Effect": item["Effect"], "Principal": "*", **item} for item in statements
        ]
    document: PolicyJson = {"Version": "2012-10-17", "Statement": statements}
    size = len(compact(document))
    if size > limit:
        raise ArgumentError(
            "exempt_principals",
            f"{size} characters",
            f"a {kind} holds at most {limit} characters",
            "cover several principals by one pattern (arn:aws:iam::*:role/break-glass/*), or attach several "
            "policies to different organizational units",
        )
    return document
