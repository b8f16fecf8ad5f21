"""IAM of live accounts: who has which policy, and whom a permissions boundary bounds."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Report
from kms_constructs.model.estate import IdentityPolicyKind
from kms_constructs.model.unknown import is_unknown
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.guardrails.factories import TODAY
from tests.sources.kms_api.build import ACCOUNT, Seed, answers_of

MANAGED, AWS_MANAGED, BOUNDARY = (
    IdentityPolicyKind.MANAGED,
    IdentityPolicyKind.AWS_MANAGED,
    IdentityPolicyKind.BOUNDARY,
)
ARN = f"arn:aws:iam::{ACCOUNT}:policy/B"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ROLE, USER = f"arn:aws:iam::{ACCOUNT}:role/R", f"arn:aws:iam::{ACCOUNT}:user/U"


def policy(action: str, arn: str = ARN) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}}
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": document}
    return {"Arn": arn, "PolicyName": arn.rpartition("/")[2], "PolicyVersionList": [version]}


def role(boundary: str = "", attached: str = "") -> dict[str, Any]:
    return {
        "RoleName": "R",
        "Arn": ROLE,
        "AttachedManagedPolicies": [{"PolicyArn": attached}] if attached else [],
        **({"PermissionsBoundary": {"PermissionsBoundaryArn": boundary}} if boundary else {}),
    }


def user(boundary: str) -> dict[str, Any]:
    return {"UserName": "U", "Arn": USER, "PermissionsBoundary": {"PermissionsBoundaryArn": boundary}}


Found = tuple[str, IdentityPolicyKind, tuple[str, ...], bool]
CASES: dict[str, tuple[dict[str, Any], list[Found]]] = {
    "a policy that bounds a role": (
        {"RoleDetailList": [role(ARN)], "Policies": [policy("kms:*")]},
        [(f"{ARN}/boundary", BOUNDARY, (ROLE,), False)],
    ),
    "a policy that bounds a role and a user": (
        {"RoleDetailList": [role(ARN)], "UserDetailList": [user(ARN)], "Policies": [policy("kms:*")]},
        [(f"{ARN}/boundary", BOUNDARY, (USER, ROLE), False)],
    ),
    "a policy that bounds and is attached": (
        {"RoleDetailList": [role(ARN, ARN)], "Policies": [policy("kms:*")]},
        [(ARN, MANAGED, (ROLE,), False), (f"{ARN}/boundary", BOUNDARY, (ROLE,), False)],
    ),
    "a boundary that leaves nothing of KMS": (
        {"RoleDetailList": [role(ARN)], "Policies": [policy("s3:*")]},
        [(f"{ARN}/boundary", BOUNDARY, (ROLE,), False)],
    ),
    "a boundary that is not among the answers": (
        {"RoleDetailList": [role(ARN)]},
        [(f"{ARN}/boundary", BOUNDARY, (ROLE,), True)],
    ),
    "a boundary of AWS that is not among the answers, and known": (
        {"RoleDetailList": [role(ADMINISTRATOR)]},
        [(f"{ADMINISTRATOR} in {ACCOUNT}/boundary", BOUNDARY, (ROLE,), False)],
    ),
    "a boundary of AWS that is not among the answers, and known in part": (
        {"RoleDetailList": [role(READ_ONLY)]},
        [(f"{READ_ONLY} in {ACCOUNT}/boundary", BOUNDARY, (ROLE,), True)],
    ),
    "a boundary of AWS": (
        {"RoleDetailList": [role(READ_ONLY)], "Policies": [policy("kms:List*", READ_ONLY)]},
        [(f"{READ_ONLY} in {ACCOUNT}/boundary", BOUNDARY, (ROLE,), False)],
    ),
    "a policy without the version that counts": (
        {"Policies": [{**policy("kms:*"), "PolicyVersionList": []}]},
        [(ARN, MANAGED, (), True)],
    ),
    "no boundary": (
        {"RoleDetailList": [role(attached=ADMINISTRATOR)], "Policies": [policy("*", ADMINISTRATOR)]},
        [(f"{ADMINISTRATOR} in {ACCOUNT}", AWS_MANAGED, (ROLE,), False)],
    ),
}


@pytest.mark.parametrize(("iam", "expected"), CASES.values(), ids=CASES)
def test_whom_a_policy_is_attached_to_and_whom_it_bounds(iam: dict[str, Any], expected: list[Found]) -> None:
    estate = estate_from_answers(answers_of(Seed(), iam=iam))
    assert [
        (
            one.id,
            one.kind,
            () if is_unknown(one.attached_to) else one.attached_to,
            is_unknown(one.policy.unknown),
        )
        for one in estate.identity_policies
    ] == expected


def test_a_boundary_gives_nothing() -> None:
    iam = {"RoleDetailList": [role(ARN)], "Policies": [policy("kms:*")]}
    bounded = judge(estate_from_answers(answers_of(Seed(), iam=iam)), today=TODAY)
    unbounded = judge(estate_from_answers(answers_of(Seed())), today=TODAY)
    assert said(bounded) == said(unbounded)


def test_what_a_policy_says_wrong_is_said_once_though_it_bounds_and_is_attached() -> None:
    iam = {"RoleDetailList": [role(ARN, ARN)], "Policies": [policy("kms:Decript")]}
    report = judge(estate_from_answers(answers_of(Seed(), iam=iam)), controls=["KMS:LINT"], today=TODAY)
    assert [one.message for one in report.findings if one.fails] == [
        "Managed policy 'B', statement 0: KMS has no action 'kms:Decript'."
    ]


def said(report: Report) -> list[tuple[str, str]]:
    return [(one.id, one.message) for one in report.findings]
