"""Every spelling of a principal, and the algebra of cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.analysis.principals import (
    IAM_KINDS,
    Cell,
    PrincipalCells,
    PrincipalKind,
    account_cells,
    account_pattern,
    cells_meet,
    describe_cells,
    everyone,
    excluding,
    including,
    is_session,
    lies_elsewhere,
    principal_cells,
    same_principal,
)
from kms_constructs.model.globs import glob_covers
from kms_constructs.model.policy import Principal
from kms_constructs.model.text import HoleKind, hole

HOME = "111122223333"
E = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
P = hole(HoleKind.ENVIRONMENT, "AWS::Partition")
G = hole(HoleKind.GENERATED, "App.Role")
U = hole(HoleKind.UNRESOLVED, "Admin")


def role(pattern: str) -> Cell:
    return Cell(PrincipalKind.ROLE, (pattern,))


APP = role(f"arn:aws:iam::{HOME}:role/App")
SPELLINGS = {
    "anyone": (Principal("*", "*"), PrincipalCells(everyone("aws"))),
    "any AWS principal": (Principal("AWS", "*"), PrincipalCells(everyone("aws"))),
    "account id": (Principal("AWS", HOME), PrincipalCells(account_cells(HOME, "aws"), delegated=True)),
    "root": (
        Principal("AWS", f"arn:aws:iam::{HOME}:root"),
        PrincipalCells(account_cells(HOME, "aws"), delegated=True),
    ),
    "root of another partition": (
        Principal("AWS", f"arn:aws-us-gov:iam::{HOME}:root"),
        PrincipalCells(
            account_cells(HOME, "aws-us-gov"),
            delegated=True,
            unresolved=f"arn:aws-us-gov:iam::{HOME}:root lies in partition aws-us-gov, and the key in aws",
        ),
    ),
    "root of an undecided account": (
        Principal("AWS", f"arn:{P}:iam::{E}:root"),
        PrincipalCells(account_cells(E, "aws"), delegated=True),
    ),
    "undecided account id": (Principal("AWS", E), PrincipalCells(account_cells(E, "aws"), delegated=True)),
    "role": (Principal("AWS", APP.include[0]), PrincipalCells((APP,))),
    "role in another partition form": (
        Principal("AWS", f"arn:aws-cn:iam::{HOME}:role/App"),
        PrincipalCells(
            (role(f"arn:aws-cn:iam::{HOME}:role/App"),),
            unresolved=f"arn:aws-cn:iam::{HOME}:role/App lies in partition aws-cn, and the key in aws",
        ),
    ),
    "role with a path": (
        Principal("AWS", f"arn:aws:iam::{HOME}:role/ops/App"),
        PrincipalCells((role(f"arn:aws:iam::{HOME}:role/ops/App"),)),
    ),
    "role with a generated name": (
        Principal("AWS", f"arn:{P}:iam::{E}:role/{G}"),
        PrincipalCells((role(f"arn:aws:iam::{E}:role/{G}"),)),
    ),
    "role with an unresolved name": (
        Principal("AWS", f"arn:aws:iam::{HOME}:role/{U}"),
        PrincipalCells(
            (role(f"arn:aws:iam::{HOME}:role/{U}"),),
            unresolved=f"arn:aws:iam::{HOME}:role/${{Admin}} is undecided",
        ),
    ),
    "session": (
        Principal("AWS", f"arn:aws:sts::{HOME}:assumed-role/App/session"),
        PrincipalCells((APP, role(f"arn:aws:iam::{HOME}:role/*/App"))),
    ),
    "user": (
        Principal("AWS", f"arn:aws:iam::{HOME}:user/team/bob"),
        PrincipalCells((Cell(PrincipalKind.USER, (f"arn:aws:iam::{HOME}:user/team/bob",)),)),
    ),
    "federated user": (
        Principal("AWS", f"arn:aws:sts::{HOME}:federated-user/fred"),
        PrincipalCells((Cell(PrincipalKind.FEDERATED, (f"arn:aws:sts::{HOME}:federated-user/fred",)),)),
    ),
    "service": (
        Principal("Service", "logs.amazonaws.com"),
        PrincipalCells((Cell(PrincipalKind.SERVICE, ("logs.amazonaws.com",)),)),
    ),
    "undecided service": (
        Principal("Service", f"logs.{U}.amazonaws.com"),
        PrincipalCells(
            (Cell(PrincipalKind.SERVICE, ("*",)),), unresolved="logs.${Admin}.amazonaws.com is undecided"
        ),
    ),
    "unique id": (
        Principal("AWS", "AROAEXAMPLEID"),
        PrincipalCells(everyone("aws"), unresolved="AROAEXAMPLEID is no ARN and no account id"),
    ),
    "eleven digits": (
        Principal("AWS", "11112222333"),
        PrincipalCells(everyone("aws"), unresolved="11112222333 is no ARN and no account id"),
    ),
    "unresolved": (
        Principal("AWS", U),
        PrincipalCells(everyone("aws"), unresolved="${Admin} is no ARN and no account id"),
    ),
    "group": (
        Principal("AWS", f"arn:aws:iam::{HOME}:group/ops"),
        PrincipalCells(
            everyone("aws"), unresolved=f"arn:aws:iam::{HOME}:group/ops is no principal that KMS knows"
        ),
    ),
    "no account": (
        Principal("AWS", "arn:aws:iam:::role/App"),
        PrincipalCells(everyone("aws"), unresolved="arn:aws:iam:::role/App has no account"),
    ),
    "federation": (
        Principal("Federated", "accounts.google.com"),
        PrincipalCells(everyone("aws"), unresolved="a Federated principal has no meaning in a key policy"),
    ),
}


@pytest.mark.parametrize(("principal", "expected"), SPELLINGS.values(), ids=SPELLINGS)
def test_principal_cells(principal: Principal, expected: PrincipalCells) -> None:
    assert principal_cells(principal, "aws") == expected


def test_everyone_is_every_kind() -> None:
    assert {cell.kind for cell in everyone()} == set(PrincipalKind)
    assert {cell.kind for cell in account_cells(HOME)} == set(IAM_KINDS)


PREFIXED = role(f"arn:aws:iam::{HOME}:role/App*")
NOT_OPS = Cell(PrincipalKind.ROLE, ("arn:aws:iam::*:role/*",), ("arn:aws:iam::*:role/ops/*",))


@pytest.mark.parametrize(
    ("cell", "pattern", "within", "without"),
    [
        pytest.param(APP, "arn:aws:iam::*:role/*", APP, None, id="all of it"),
        pytest.param(APP, "arn:aws:iam::*:user/*", None, APP, id="none of it"),
        pytest.param(
            PREFIXED,
            APP.include[0],
            APP,
            Cell(PrincipalKind.ROLE, PREFIXED.include, APP.include),
            id="one of it",
        ),
        pytest.param(
            PREFIXED,
            "*Admin",
            Cell(PrincipalKind.ROLE, (*PREFIXED.include, "*Admin")),
            Cell(PrincipalKind.ROLE, PREFIXED.include, ("*Admin",)),
            id="some of it",
        ),
        pytest.param(
            NOT_OPS,
            "arn:aws:iam::1:role/ops/App",
            None,
            Cell(PrincipalKind.ROLE, NOT_OPS.include, (*NOT_OPS.exclude, "arn:aws:iam::1:role/ops/App")),
            id="excluded already",
        ),
    ],
)
def test_cutting_a_cell(cell: Cell, pattern: str, within: Cell | None, without: Cell | None) -> None:
    assert (including(cell, pattern), excluding(cell, (pattern,))) == (within, without)


def test_cells_meet() -> None:
    assert cells_meet(PREFIXED, APP) == APP
    assert cells_meet(APP, PREFIXED) == APP
    assert cells_meet(APP, Cell(PrincipalKind.USER, ("*",))) is None
    assert cells_meet(NOT_OPS, role(f"arn:aws:iam::{HOME}:role/ops/App")) is None
    assert cells_meet(role(f"arn:aws:iam::{HOME}:role/ops/App"), NOT_OPS) is None


@pytest.mark.parametrize(
    ("cell", "patterns", "within"),
    [
        (APP, [f"arn:aws:iam::{HOME}:role/*"], True),
        (APP, [f"arn:aws-cn:iam::{HOME}:role/App"], True),
        (APP, ["arn:aws:iam::444455556666:role/*"], False),
        (APP, [], False),
        (PREFIXED, [APP.include[0]], False),
        (Cell(PrincipalKind.ROLE, (PREFIXED.include[0], "*Admin")), ["*Admin"], True),
    ],
)
def test_within(cell: Cell, patterns: list[str], within: bool) -> None:
    assert cell.within(patterns) is within


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (HOME, f"arn:aws-cn:iam::{HOME}:root", True),
        (f"arn:aws:sts::{HOME}:assumed-role/App/s", f"arn:aws:iam::{HOME}:role/App", True),
        (f"arn:aws:sts::{HOME}:assumed-role/App/s", f"arn:aws:iam::{HOME}:role/ops/App", True),
        (f"arn:{P}:iam::{HOME}:role/App", f"arn:aws:iam::{HOME}:role/App", True),
        (f"arn:aws:iam::{HOME}:role/App", f"arn:aws:iam::{HOME}:role/Other", False),
        (f"arn:aws:iam::{HOME}:role/App", f"arn:aws:iam::{HOME}:user/App", False),
        (f"arn:aws:iam::{HOME}:role/App", "arn:aws:iam::444455556666:role/App", False),
        (f"arn:aws:iam::{HOME}:role/App", f"arn:aws:iam::{E}:role/App", True),
    ],
)
def test_same_principal(left: str, right: str, same: bool) -> None:
    assert same_principal(left, right) is same
    assert same_principal(right, left) is same


def test_is_session() -> None:
    assert is_session(f"arn:aws-cn:sts::{HOME}:assumed-role/App/s")
    assert not is_session(f"arn:aws:sts::{HOME}:federated-user/assumed-role")
    assert not is_session(f"arn:aws:iam::{HOME}:role/assumed-role/App")


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (everyone(), "any principal of any account, any AWS service"),
        (account_cells(HOME), f"any principal of account {HOME}"),
        (account_cells(HOME)[:1], f"the root user of account {HOME}"),
        (account_cells(HOME)[1:3], f"any role or user of account {HOME}"),
        ((APP,), f"arn:aws:iam::{HOME}:role/App"),
        ((role(f"arn:aws:iam::{HOME}:role/{G}"),), f"arn:aws:iam::{HOME}:role/${{App.Role}}"),
        ((NOT_OPS,), "any role of any account except arn:aws:iam::*:role/ops/*"),
        ((Cell(PrincipalKind.SERVICE, ("logs.amazonaws.com",)),), "service logs.amazonaws.com"),
    ],
)
def test_describe(cells: tuple[Cell, ...], text: str) -> None:
    assert describe_cells(cells) == text


def test_account_and_literal() -> None:
    assert (APP.account, APP.literal) == (HOME, APP.include[0])
    assert (PREFIXED.account, PREFIXED.literal) == (HOME, None)
    assert (NOT_OPS.account, NOT_OPS.literal) == (None, None)
    assert Cell(PrincipalKind.SERVICE, ("logs.amazonaws.com",)).account is None


def test_a_wildcard_that_may_run_over_colons_hides_the_account() -> None:
    """``arn:*:*::1…:role/x`` matches ``arn:aws:iam::4…:role/p:y::1…:role/x``, a role of another account."""
    assert role(f"arn:*:*::{HOME}:role/x").account is None
    assert role(f"arn:*:iam::{HOME}:role/x").account is None
    assert role(account_pattern(PrincipalKind.ROLE, HOME)).account == HOME
    assert role(account_pattern(PrincipalKind.ROLE, "*")).account is None


def _role_cell(*include: str, but: tuple[str, ...] = ()) -> Cell:
    def arns(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"arn:aws:iam::111122223333:role/{name}" for name in names)

    return Cell(PrincipalKind.ROLE, arns(include), arns(but))


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        pytest.param(_role_cell("*"), _role_cell("App"), True, id="one of all"),
        pytest.param(_role_cell("App"), _role_cell("*"), False, id="all of one"),
        pytest.param(_role_cell("*-ops"), _role_cell("*-ops", "prod-*"), True, id="both of one"),
        pytest.param(_role_cell("*-ops", "prod-*"), _role_cell("*-ops"), False, id="one of both"),
        pytest.param(_role_cell("*-ops", "prod-*"), _role_cell("prod-app"), False, id="a name of one"),
        pytest.param(_role_cell("*-ops", "prod-*"), _role_cell("prod-x-ops"), True, id="a name of both"),
        pytest.param(_role_cell("*", but=("App",)), _role_cell("App"), False, id="who is left out"),
        pytest.param(_role_cell("*", but=("App",)), _role_cell("Ops"), True, id="who is not left out"),
        pytest.param(_role_cell("*", but=("App",)), _role_cell("*"), False, id="perhaps left out"),
        pytest.param(
            _role_cell("*", but=("App",)), _role_cell("*", but=("A*",)), True, id="left out by both"
        ),
        pytest.param(
            _role_cell("*"),
            Cell(PrincipalKind.USER, ("arn:aws:iam::111122223333:role/App",)),
            False,
            id="another kind",
        ),
    ],
)
def test_a_cell_contains_another(wide: Cell, narrow: Cell, expected: bool) -> None:
    assert wide.contains(narrow) is expected


def test_the_order_of_patterns_is_no_other_cell() -> None:
    left, right = _role_cell("a*", "*b", but=("x", "y")), _role_cell("*b", "a*", but=("y", "x"))
    assert left.ordered == right.ordered
    assert _role_cell("a").ordered == _role_cell("a")


OTHER = "444455556666"


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        (("arn:aws:iam::444455556666:role/App",), True),
        (("arn:aws:iam::4*:role/App",), True),
        (("arn:aws:iam::1*:role/App",), False),
        # The wildcard may run over the account, and a role's path may hold colons.
        (("arn:aws:iam::1*9:role/App",), False),
        (("arn:aws:iam::4*9:role/App",), True),
        (("arn:aws:iam::*9:role/App",), False),
        (("arn:aws:iam*:444455556666:role/App",), False),
        (("arn:aws:iam::1*9:role/App", "arn:aws:iam::444455556666:role/App"), True),
        ((f"arn:aws:iam::{E}:role/App",), False),
    ],
)
def test_lies_elsewhere(include: tuple[str, ...], expected: bool) -> None:
    assert lies_elsewhere(Cell(PrincipalKind.ROLE, include), HOME) is expected


_PIECES = st.text("19a:/*?", max_size=4)


@given(account=st.sampled_from([HOME, OTHER]), begin=_PIECES, rest=_PIECES, path=_PIECES)
def test_nobody_of_an_account_lies_elsewhere(account: str, begin: str, rest: str, path: str) -> None:
    """A pattern that a principal of the account matches keeps not all of its principals out."""
    name = f"arn:aws:iam::{account}:role/{path.translate({ord('*'): 'b', ord('?'): 'c'})}/App"
    for pattern in (
        f"arn:aws:iam::{account[:3]}{begin}*{rest}:role/*App",
        f"arn:aws:iam::{begin}*{rest}:role/*App",
        f"arn:aws:iam::{account}:role/{path}*App",
    ):
        if glob_covers(pattern, name):
            assert not lies_elsewhere(Cell(PrincipalKind.ROLE, (pattern,)), account)


_NAMES = st.sampled_from(
    [f"App{rest}" for rest in ("", "s", "*", "?", "${aws:username}", U, G, "-Role-1ABCDEFGHIJKL")]
).map(lambda name: f"arn:{'aws' if 's' in name else P}:iam::{HOME}:role/{name}")
_CELLS = st.builds(
    Cell,
    st.sampled_from([PrincipalKind.ROLE, PrincipalKind.USER]),
    st.lists(_NAMES, min_size=1, max_size=2, unique=True).map(tuple),
    st.lists(_NAMES, max_size=1).map(tuple),
)


@given(_CELLS, _CELLS)
def test_two_cells_meet_in_what_each_pattern_leaves_of_the_first(left: Cell, right: Cell) -> None:
    wanted: Cell | None = left if left.kind is right.kind else None
    for pattern in right.include:
        wanted = None if wanted is None else including(wanted, pattern)
    wanted = None if wanted is None else excluding(wanted, right.exclude)
    assert cells_meet(left, right) == wanted


@pytest.mark.parametrize("kind", [PrincipalKind.ROLE, PrincipalKind.SERVICE])
def test_a_name_meets_itself_alone(kind: PrincipalKind) -> None:
    one, other = (Cell(kind, (name,)) for name in (f"arn:aws:iam::{HOME}:role/a", "arn:aws:iam::*:role/a"))
    assert cells_meet(one, one) == one
    assert cells_meet(one, other) == one
    assert cells_meet(one, Cell(kind, (f"arn:aws:iam::{HOME}:role/b",))) is None
