"""Who both manages and uses: the policies that people copy, and the ones that keep duties apart."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.analysis.separation import Overlap, overlaps, using_actions_of
from kms_constructs.model.estate import Grant, IdentityPolicy, IdentityPolicyKind, Location
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.unknown import Unknown
from tests.strategies import HOME, KEY_ARN, OTHER, key_of

ADMIN = f"arn:aws:iam::{HOME}:role/Admin"
APP = f"arn:aws:iam::{HOME}:role/App"
THEIRS = f"arn:aws:iam::{OTHER}:role/App"
ROOT = f"arn:aws:iam::{HOME}:root"
ACCOUNT = f"any principal of account {HOME}"
WHY = Unknown("a test says so")

# The AWS console's statement for key administrators.
CONSOLE_ADMIN = [
    *(
        f"kms:{verb}*"
        for verb in ("Create", "Describe", "Enable", "List", "Put", "Update", "Revoke", "Disable")
    ),
    *("kms:Get*", "kms:Delete*", "kms:TagResource", "kms:UntagResource"),
    *("kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:RotateKeyOnDemand"),
]
USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
MANAGE = ["kms:DisableKey", "kms:PutKeyPolicy", "kms:DescribeKey", "kms:TagResource"]
FOR_SERVICES = {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def allow(principal: object, action: object, sid: str, **more: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}


root = allow({"AWS": ROOT}, "kms:*", "Root")
root_manages = allow({"AWS": ROOT}, MANAGE, "Root")
root_user = allow({"AWS": ROOT}, "kms:*", "Root", Condition={"ArnEquals": {"aws:PrincipalArn": ROOT}})
admin = allow({"AWS": ADMIN}, MANAGE, "Admin")
app = allow({"AWS": APP}, USE, "Use")
attach = allow({"AWS": APP}, ["kms:CreateGrant", "kms:ListGrants"], "Attach", Condition=FOR_SERVICES)
deny_app = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant"],
    "Resource": "*",
    "Condition": {"ArnNotEquals": {"aws:PrincipalArn": APP}},
}
deny_policy = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["kms:PutKeyPolicy", "kms:DisableKey"],
    "Resource": "*",
    "Condition": {"ArnNotEquals": {"aws:PrincipalArn": [ROOT, ADMIN]}},
}
deny_management = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "kms:TagResource",
    "Resource": "*",
    "Condition": {"ArnEquals": {"aws:PrincipalArn": APP}},
}
LINKED = f"arn:aws:iam::{HOME}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
BOTH_PATTERNS = f"arn:aws:iam::{HOME}:role/*-ops and arn:aws:iam::{HOME}:role/prod-*"


def only(role: str) -> dict[str, Any]:
    """A condition that lets in the roles of a pattern alone."""
    return {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:{role}"}}


# statements, then per overlap: who, through what, one of its managing and one of its using actions
CASES: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str, str, str]]]] = {
    "default key policy": ([root], [(ACCOUNT, "delegation", "PutKeyPolicy", "Decrypt")]),
    "console": (
        [root, allow({"AWS": ADMIN}, CONSOLE_ADMIN, "Admins"), app, attach],
        [
            (ACCOUNT, "delegation", "PutKeyPolicy", "Decrypt"),
            (APP, "delegated policy", "PutKeyPolicy", "Decrypt"),
            (ADMIN, "delegated policy", "PutKeyPolicy", "CreateGrant"),
            (ADMIN, "delegation", "PutKeyPolicy", "Decrypt"),
            (ADMIN, "CreateGrant", "PutKeyPolicy", "CreateGrant"),
        ],
    ),
    "console without the account": (
        [allow({"AWS": ADMIN}, CONSOLE_ADMIN, "Admins"), app, attach],
        [(ADMIN, "CreateGrant", "PutKeyPolicy", "CreateGrant")],
    ),
    "same role twice": (
        [admin, allow({"AWS": ADMIN}, USE, "Use")],
        [(ADMIN, "key policy", "PutKeyPolicy", "Decrypt")],
    ),
    "a role of another partition is nobody here": (
        [admin, allow({"AWS": ADMIN.replace("aws", "aws-cn", 1)}, USE, "Use")],
        [],
    ),
    "a session of the administrator": (
        [admin, allow({"AWS": f"arn:aws:sts::{HOME}:assumed-role/Admin/s"}, USE, "Use")],
        [(ADMIN, "key policy", "PutKeyPolicy", "Decrypt")],
    ),
    "anyone by a condition": (
        [admin, allow("*", USE, "Use", Condition={"StringEquals": {"kms:CallerAccount": HOME}})],
        [(ADMIN, "key policy", "PutKeyPolicy", "Decrypt")],
    ),
    "everything": (
        [allow({"AWS": ADMIN}, "kms:*", "All")],
        [(ADMIN, "key policy", "PutKeyPolicy", "Decrypt")],
    ),
    "apart": ([admin, app, attach], []),
    "apart, account manages and writes the policy": (
        [root_manages, admin, app, attach],
        [(APP, "delegated policy", "PutKeyPolicy", "Decrypt")],
    ),
    "apart, account manages": (
        [root_manages, admin, app, attach, deny_policy],
        [(APP, "delegated management", "TagResource", "Decrypt")],
    ),
    "apart, account manages, and a Deny for the user": (
        [root_manages, admin, app, attach, deny_policy, deny_management],
        [],
    ),
    "apart, account manages, a service-linked role uses": (
        [
            root_manages,
            admin,
            allow({"AWS": LINKED}, USE, "Use"),
            allow({"AWS": LINKED}, "kms:CreateGrant", "G"),
        ],
        [],
    ),
    "another account manages, its role uses": (
        [allow({"AWS": OTHER}, MANAGE, "Theirs"), allow({"AWS": THEIRS}, USE, "Use")],
        [],
    ),
    "account manages, use by a grant for services only": ([root_manages, attach], []),
    "account manages, who uses is not resolved": (
        [root_manages, allow(WHY, USE, "Use")],
        [
            (f"the root user of account {HOME}", "unresolved", "PutKeyPolicy", "Decrypt"),
            (ACCOUNT, "unresolved", "PutKeyPolicy", "Decrypt"),
        ],
    ),
    "account manages, what a user does is not resolved": (
        [root_manages, deny_policy, allow({"AWS": APP}, WHY, "Use")],
        [
            (APP, "unresolved", "EnableKey", "Decrypt"),
            (APP, "delegated management", "TagResource", "Decrypt"),
        ],
    ),
    "two patterns": (
        [
            allow({"AWS": ROOT}, ["kms:EnableKey", "kms:Decrypt"], name, Condition=only(name))
            for name in ("role/*-ops", "role/prod-*")
        ],
        [
            (f"arn:aws:iam::{HOME}:role/*-ops", "delegation", "EnableKey", "Decrypt"),
            (BOTH_PATTERNS, "delegation", "EnableKey", "Decrypt"),
            (f"arn:aws:iam::{HOME}:role/prod-*", "delegation", "EnableKey", "Decrypt"),
        ],
    ),
    "an account and its role in one statement": (
        [allow({"AWS": [ROOT, APP]}, "kms:EnableKey", "Enable", Condition=only("role/App")), app],
        [
            (APP, "delegated management", "EnableKey", "Decrypt"),
            (APP, "key policy", "EnableKey", "Decrypt"),
        ],
    ),
    "a role and its account in one statement": (
        [allow({"AWS": [APP, ROOT]}, "kms:EnableKey", "Enable", Condition=only("role/App")), app],
        [
            (APP, "key policy", "EnableKey", "Decrypt"),
            (APP, "delegated management", "EnableKey", "Decrypt"),
        ],
    ),
    "apart, root user only": (
        [root_user, admin, app],
        [(f"the root user of account {HOME}", "root user", "PutKeyPolicy", "Decrypt")],
    ),
    "apart, another account uses": ([root_manages, admin, allow({"AWS": OTHER}, USE, "Theirs")], []),
    "account uses": (
        [allow({"AWS": ROOT}, USE, "Root"), admin],
        [(ADMIN, "delegation", "PutKeyPolicy", "Decrypt")],
    ),
    "account uses, but a Deny leaves one role": (
        [root_manages, allow({"AWS": ROOT}, USE, "Use"), admin, deny_app],
        [(APP, "delegation", "PutKeyPolicy", "Decrypt")],
    ),
    "account uses, a Deny leaves one role, administrators manage": (
        [allow({"AWS": ROOT}, USE, "Use"), admin, deny_app],
        [],
    ),
    "grants for services only": (
        [allow({"AWS": ADMIN}, [*MANAGE, "kms:CreateGrant"], "Admin", Condition=FOR_SERVICES)],
        [],
    ),
    "a direct grant by an administrator": (
        [admin, allow({"AWS": ADMIN}, "kms:CreateGrant", "Grants")],
        [(ADMIN, "CreateGrant", "PutKeyPolicy", "CreateGrant")],
    ),
    "a direct grant that a Deny forbids": (
        [
            admin,
            allow({"AWS": ADMIN}, "kms:CreateGrant", "Grants"),
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "kms:CreateGrant",
                "Resource": "*",
                "Condition": {"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}},
            },
        ],
        [],
    ),
    "a direct grant that a Deny forbids where the request carries the key": (
        [
            admin,
            allow({"AWS": ADMIN}, "kms:CreateGrant", "Grants"),
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "kms:CreateGrant",
                "Resource": "*",
                "Condition": {"Bool": {"kms:GrantIsForAWSResource": "false"}},
            },
        ],
        [(ADMIN, "CreateGrant", "PutKeyPolicy", "CreateGrant")],
    ),
    "the root user manages, anyone uses": (
        [root_manages, allow("*", USE, "Use")],
        [
            (f"the root user of account {HOME}", "root user", "PutKeyPolicy", "Decrypt"),
            (ACCOUNT, "delegated policy", "PutKeyPolicy", "Decrypt"),
        ],
    ),
    "not resolved": (
        [admin, allow(WHY, USE, "Use")],
        [(ADMIN, "unresolved", "PutKeyPolicy", "Decrypt")],
    ),
    "replication is managing": (
        [app, allow({"AWS": APP}, "kms:ReplicateKey", "Replicate")],
        [(APP, "key policy", "ReplicateKey", "Decrypt")],
    ),
    "reading is neither": (
        [app, allow({"AWS": ADMIN}, ["kms:Describe*", "kms:List*", "kms:Get*"], "Read"), admin],
        [],
    ),
}


@pytest.mark.parametrize(("statements", "expected"), CASES.values(), ids=CASES)
def test_overlaps(statements: list[dict[str, Any]], expected: list[tuple[str, str, str, str]]) -> None:
    found = overlaps(key_of({"Statement": statements}))
    assert [(one.principals, one.through) for one in found] == [
        (who, through) for who, through, _, _ in expected
    ]
    for one, (_, _, manages, uses) in zip(found, expected, strict=True):
        assert manages in one.manages
        assert uses in one.uses


def test_an_overlap_tells_how_it_comes_about() -> None:
    (found,) = overlaps(
        key_of({"Statement": [admin, allow({"AWS": ADMIN}, ["kms:Decrypt", "kms:CreateGrant"], "Use")]})
    )
    assert (found.manages, found.uses, found.chain, found.path, found.unresolved) == (
        ("DisableKey", "PutKeyPolicy", "TagResource"),
        ("CreateGrant", "Decrypt"),
        ("statement 'Admin' → manages", "statement 'Use' → uses"),
        "Statement/1",
        None,
    )


def test_an_overlap_that_is_not_resolved_says_why() -> None:
    (found,) = overlaps(key_of({"Statement": [admin, allow(WHY, USE, "Use")]}))
    assert found.unresolved == "a test says so"


def test_a_grant_is_use() -> None:
    key = key_of({"Statement": [admin]}, grants=(Grant(ADMIN, ("Decrypt",), name="mine"),))
    (found,) = overlaps(key)
    assert (found.principals, found.through, found.uses, found.chain) == (
        ADMIN,
        "key policy",
        ("Decrypt",),
        ("statement 'Admin' → manages", "grant 'mine' → uses"),
    )


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ("SIGN_VERIFY", ("Sign", "Verify")),
        ("GENERATE_VERIFY_MAC", ("GenerateMac", "VerifyMac")),
        ("KEY_AGREEMENT", ("DeriveSharedSecret",)),
        ("ENCAPSULATE_DECAPSULATE", ("Decapsulate", "Encapsulate")),
    ],
)
def test_use_depends_on_the_usage(usage: str, expected: tuple[str, ...]) -> None:
    assert using_actions_of(key_of({"Statement": []}, key_usage=usage)) == expected
    assert set(expected) < set(using_actions_of(key_of({"Statement": []}, key_usage=WHY)))
    assert set(expected) < set(using_actions_of(key_of({"Statement": []}, key_usage="NEW_USAGE")))


def test_use_that_the_key_cannot_do_is_none() -> None:
    statements = [admin, allow({"AWS": ADMIN}, USE, "Use")]
    assert overlaps(key_of({"Statement": statements}, key_usage="SIGN_VERIFY")) == ()


def iam(resource: object = "*", action: object = "kms:*", **facts: Any) -> IdentityPolicy:
    statement = {"Sid": "Manage", "Effect": "Allow", "Action": action, "Resource": resource}
    return IdentityPolicy(
        **{
            "id": "policy",
            "location": Location("test"),
            "name": "Ops",
            "kind": IdentityPolicyKind.INLINE,
            "policy": parse_policy({"Statement": statement}),
            "attached_to": (APP,),
            "account": HOME,
            **facts,
        }
    )


def by_iam(found: tuple[Overlap, ...]) -> list[Overlap]:
    """The overlaps that an IAM policy of the estate makes, beside what one might."""
    return [one for one in found if one.through == "IAM policy"]


@pytest.mark.parametrize(
    ("policy", "managed"),
    [
        pytest.param(iam(), ("DisableKey", "PutKeyPolicy", "TagResource"), id="all"),
        pytest.param(iam(KEY_ARN, "kms:DisableKey"), ("DisableKey",), id="one action on the key"),
        pytest.param(iam(KEY_ARN[:-1]), None, id="another key"),
        pytest.param(iam("*", USE), None, id="use only"),
        pytest.param(iam("*", "kms:ReplicateKey"), None, id="what the account is not delegated"),
        pytest.param(iam(attached_to=(ADMIN,)), None, id="not the user"),
        pytest.param(iam(attached_to=(THEIRS,)), None, id="another account"),
        pytest.param(iam(attached_to=()), None, id="attached to nobody"),
        pytest.param(iam(attached_to=(), attachable=True), None, id="attachable is not attached"),
    ],
)
def test_an_iam_policy_makes_a_user_a_manager(
    policy: IdentityPolicy, managed: tuple[str, ...] | None
) -> None:
    found = by_iam(overlaps(key_of({"Statement": [root_manages, admin, app]}), [policy]))
    if managed is None:
        assert found == []
        return
    (one,) = found
    assert (one.principals, one.through, one.manages, one.chain, one.path) == (
        APP,
        "IAM policy",
        managed,
        (
            f"statement 'Root' → delegates to the IAM policies of account {HOME}",
            "inline policy 'Ops', Manage",
            "statement 'Use' → uses",
        ),
        "Statement/2",
    )
    assert "Decrypt" in one.uses


def test_an_iam_policy_of_which_it_is_not_known_whom_it_serves() -> None:
    found = by_iam(overlaps(key_of({"Statement": [root_manages, admin, app]}), [iam(attached_to=WHY)]))
    assert [(one.principals, one.through, one.unresolved) for one in found] == [
        (APP, "IAM policy", "a test says so")
    ]


def test_an_iam_policy_where_nothing_is_delegated() -> None:
    assert overlaps(key_of({"Statement": [admin, app]}), [iam()]) == ()
