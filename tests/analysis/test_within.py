"""The one question: everything in the estate that decides takes part, and remembering changes no answer."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kms_constructs
from kms_constructs.analysis.access import Access, AccessMatrix, Capability
from kms_constructs.analysis.reach import Reach
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.model.estate import (
    Estate,
    IdentityPolicy,
    IdentityPolicyKind,
    Key,
    Location,
    Organization,
)
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown
from tests.strategies import HOME, key_of

OPS = f"arn:aws:iam::{HOME}:role/Ops"
APP = f"arn:aws:iam::{HOME}:role/App"
ROOT = f"arn:aws:iam::{HOME}:root"


def allow(principal: object, *actions: str, sid: str = "Use", **more: Any) -> dict[str, Any]:
    return {
        "Sid": sid, "Effect": "Allow", "Principal": {"AWS": principal}, "Action": list(actions),
        "Resource": "*", **more,
    }  # fmt: skip


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Statement": {"Effect": "Deny", "Action": list(actions), "Resource": "*", **more}}


def a_key(*statements: object, name: str = "Key", **facts: Any) -> Key:
    return key_of({"Statement": list(statements)}, id=name, key_id=name, **facts)


def an_iam_policy(
    action: str, resource: str | list[str] = "*", attached_to: Any = (OPS,), **statement: Any
) -> IdentityPolicy:
    return IdentityPolicy(
        id="p",
        location=Location("app.json"),
        name=f"{action} on {resource}",
        kind=IdentityPolicyKind.INLINE,
        policy=parse_policy(
            {"Statement": {"Effect": "Allow", "Action": action, "Resource": resource, **statement}}
        ),
        attached_to=attached_to,
        account=HOME,
    )


UNBOUND = ("arn:aws:iam::*:role/aws-service-role/*",)
"""Service-linked roles, which no organization policy binds."""
SCP = Organization(scps=(parse_policy(deny("kms:ScheduleKeyDeletion", "kms:Decrypt")),))
RCP = Organization(rcps=(parse_policy(deny("kms:ScheduleKeyDeletion", "kms:Decrypt", Principal="*")),))
DIRECT = a_key(allow(OPS, "kms:ScheduleKeyDeletion", "kms:Decrypt", "kms:Encrypt"))
DELEGATED = a_key(allow(ROOT, "kms:ScheduleKeyDeletion", "kms:Decrypt", "kms:Encrypt"))


@pytest.mark.parametrize("organization", [SCP, RCP], ids=["SCP", "RCP"])
@pytest.mark.parametrize("key", [DIRECT, DELEGATED], ids=["key policy", "IAM policy"])
class TestTheOrganizationDecidesToo:
    def access(self, key: Key, organization: Organization) -> EstateAccess:
        return EstateAccess(
            Estate(keys=(key,), identity_policies=(an_iam_policy("kms:*"),), organization=organization)
        )

    def test_reach(self, key: Key, organization: Organization) -> None:
        access = self.access(key, organization)
        assert access.reach(key, "ScheduleKeyDeletion").escapes(UNBOUND) == ()
        assert access.reach(key, "Encrypt").escapes(UNBOUND)

    def test_reaches_of_many_actions(self, key: Key, organization: Organization) -> None:
        found = self.access(key, organization).shared_reaches(key, ("Decrypt", "Encrypt"))
        left = {name: bool(Reach(name, parts).escapes(UNBOUND)) for names, parts in found for name in names}
        assert left == {"Decrypt": False, "Encrypt": True}

    def test_may_and_could(self, key: Key, organization: Organization) -> None:
        bound, free = self.access(key, organization), self.access(key, Organization())
        for action, expected in (("Decrypt", False), ("Encrypt", True)):
            assert (bound.may(key, OPS, action), bound.could(key, OPS, action)) == (expected, expected)
            assert (free.may(key, OPS, action), free.could(key, OPS, action)) == (True, True)

    def test_matrix_and_row(self, key: Key, organization: Organization) -> None:
        access = self.access(key, organization)
        row = access.matrix(key).row(OPS)
        assert row is not None
        for found in (row, access.row(key, OPS)):
            assert found.cells[Capability.SCHEDULE_DELETION].access is Access.DENIED
            assert found.cells[Capability.DECRYPT].access is Access.DENIED
            assert found.cells[Capability.ENCRYPT].access is Access.ALLOWED

    def test_separation_of_duties(self, key: Key, organization: Organization) -> None:
        manages = organization.and_also(Organization(scps=(parse_policy(deny("kms:Encrypt")),)))
        free = [cell for overlap in self.access(key, Organization()).overlaps(key) for cell in overlap.cells]
        assert not all(cell.within(UNBOUND) for cell in free)
        left = [cell for overlap in self.access(key, manages).overlaps(key) for cell in overlap.cells]
        assert all(cell.within(UNBOUND) for cell in left)


def test_nobody_else_asks_the_analysis_without_an_estate() -> None:
    """Whoever asks for a region by itself would leave the organization out.

    A key asks of its own declaration alone whether it covers a grant, and no organization policy
    adds to that: what is covered stays covered.
    """
    package = Path(kms_constructs.__file__).parent
    asking = {"reach_of", "shared_reaches", "overlaps"}
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if path.parent.name != "analysis"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and asking & {name.name for name in node.names}
    }
    assert found == {"cdk/key/coverage.py"}


GENERATED = [hole(HoleKind.GENERATED, name) for name in ("One", "Two")]
ACCOUNT = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
KEY_IDS = ("plain", "other", *GENERATED, hole(HoleKind.UNRESOLVED, "KeyId"))
ARNS = tuple(f"arn:aws:kms:us-east-1:{account}:key/{name}" for account in (HOME, ACCOUNT) for name in KEY_IDS)
RESOURCES = (
    "*",
    "arn:aws:kms:*:*:key/*",
    "arn:aws:kms:*:*:key/pl*",
    f"arn:aws:kms:us-east-1:{HOME}:alias/a",
    *ARNS,
)
HOLDERS = (OPS, APP, f"arn:aws:iam::{HOME}:role/{GENERATED[0]}", f"arn:aws:iam::{ACCOUNT}:role/Ops")

statements = st.one_of(
    st.builds(allow, st.sampled_from((ROOT, *HOLDERS, f"arn:aws:iam::{ACCOUNT}:root", "*")), st.sampled_from(
        ("kms:*", "kms:Decrypt", "kms:Put*", "kms:CreateGrant")
    )),
    st.just({"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
             "Condition": {"ArnNotEquals": {"aws:PrincipalArn": OPS}}}),
)  # fmt: skip
keys = st.builds(
    lambda name, account, region, listed: a_key(*listed, name=name, account=account, region=region),
    st.sampled_from(KEY_IDS),
    st.sampled_from((HOME, ACCOUNT)),
    st.sampled_from(("us-east-1", Unknown("a test says so"))),
    st.lists(statements, max_size=3),
)
policies = st.builds(
    an_iam_policy,
    st.sampled_from(("*", "kms:Decrypt", "kms:Describe*", "kms:CreateGrant", "s3:GetObject")),
    st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2, unique=True),
    st.one_of(
        st.lists(st.sampled_from(HOLDERS), max_size=2, unique=True).map(tuple),
        st.just(Unknown("a test says so")),
    ),
)
estates = st.builds(
    lambda keys, policies, organization: Estate(
        keys=tuple(keys), identity_policies=tuple(policies), organization=organization
    ),
    st.lists(keys, min_size=1, max_size=4),
    st.lists(policies, max_size=4),
    st.sampled_from((Organization(), SCP)),
)


@given(estates)
def test_rows_that_keys_share_are_those_that_each_would_have(estate: Estate) -> None:
    together = EstateAccess(estate)
    for key in estate.keys:
        alone = EstateAccess(estate).matrix(key)
        assert together.matrix(key) == alone
        assert [row.principal for row in together.matrix(key).rows] == [row.principal for row in alone.rows]


@given(estates, st.randoms(use_true_random=False))
def test_a_row_in_the_matrix_says_what_the_row_by_itself_says(estate: Estate, random: Any) -> None:
    access = EstateAccess(estate)
    key = random.choice(estate.keys)
    for holder in HOLDERS:
        row = access.matrix(key).row(holder)
        for capability, cell in row.cells.items() if row is not None else ():
            # By itself a principal has also what is left to its account, and what takes more than it in.
            assert set(cell.statements) <= set(access.row(key, holder).cells[capability].statements)


def test_keys_of_one_shape_share_the_rows_of_those_whom_they_do_not_name() -> None:
    """The matrices of an estate would take quadratic time and memory otherwise."""
    root = allow(ROOT, "kms:*", sid="Root")
    named = [f"arn:aws:iam::{HOME}:role/App{number}" for number in range(30)]
    estate = Estate(
        keys=tuple(
            a_key(root, allow(arn, "kms:Decrypt"), name=f"key-{number}") for number, arn in enumerate(named)
        ),
        identity_policies=(
            an_iam_policy("kms:Describe*"),
            *(
                an_iam_policy("kms:Decrypt", f"arn:aws:kms:us-east-1:{HOME}:key/key-{number}", (arn,))
                for number, arn in enumerate(named)
            ),
            *(an_iam_policy("kms:ListGrants", "*", (arn,)) for arn in named),
        ),
    )
    matrices = EstateAccess(estate).matrices(estate.keys)

    made = {id(row) for matrix in matrices for row in matrix.rows if row.principal == OPS}
    assert len(made) == 1
    assert all(_principals(matrix) == _principals(matrices[0]) for matrix in matrices)
    for number, matrix in enumerate(matrices):
        rows = {row.principal: row for row in matrix.rows}
        decrypting = {name for name in named if rows[name].cells[Capability.DECRYPT].access is Access.ALLOWED}
        assert decrypting == {named[number]}
    assert len({id(row) for matrix in matrices for row in matrix.rows}) < 6 * len(estate.keys)


def _principals(matrix: AccessMatrix) -> set[str]:
    return {row.principal for row in matrix.rows}
