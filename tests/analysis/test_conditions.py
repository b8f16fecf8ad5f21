"""Every operator against a value and a missing key; and what conditions say of principals."""

from __future__ import annotations

import pytest

from kms_constructs.analysis.conditions import Atom, decide, everywhere, holds, principal_atom
from kms_constructs.analysis.principals import IAM_KINDS, Cell, PrincipalKind, account_pattern
from kms_constructs.model.arn import OPEN_PARTITION
from kms_constructs.model.policy import Condition
from kms_constructs.model.text import FIELD_ANY, FIELD_STAR, HoleKind, hole
from kms_constructs.model.unknown import Unknown

U = hole(HoleKind.UNRESOLVED, "Admin")
E = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
HOME = "111122223333"
ARN = f"arn:aws:iam::{HOME}:role/App"


def one(operator: str, *values: str, key: str = "aws:PrincipalTag/team") -> Condition:
    return Condition(operator, key, values)


# operator, wanted, value: does it hold
OPERATORS = {
    "StringEquals same": ("StringEquals", "a", "a", True),
    "StringEquals other case": ("StringEquals", "a", "A", False),
    "StringEquals literal asterisk": ("StringEquals", "a*", "ab", False),
    "StringEquals any case of the operator": ("stringequals", "a", "a", True),
    "StringNotEquals same": ("StringNotEquals", "a", "a", False),
    "StringNotEquals other": ("StringNotEquals", "a", "b", True),
    "StringEqualsIgnoreCase": ("StringEqualsIgnoreCase", "aB", "Ab", True),
    "StringNotEqualsIgnoreCase": ("StringNotEqualsIgnoreCase", "aB", "Ab", False),
    "StringLike asterisk": ("StringLike", "a*c", "abbc", True),
    "StringLike question mark": ("StringLike", "a?c", "abbc", False),
    "StringLike is case-sensitive": ("StringLike", "A*", "ab", False),
    "StringLike brackets are plain": ("StringLike", "[ab]", "a", False),
    "StringLike brackets match themselves": ("StringLike", "[!a]*", "[!a]b", True),
    "StringNotLike": ("StringNotLike", "a*", "ab", False),
    "ArnEquals takes wildcards": ("ArnEquals", "arn:aws:iam::*:role/*", ARN, True),
    "ArnLike field by field": ("ArnLike", "arn:aws:*:role/App", ARN, None),
    "ArnLike does not cross a colon": ("ArnLike", f"arn:*::{HOME}:role/App:x", ARN, False),
    "ArnLike value that is no ARN": ("ArnLike", "arn:aws:iam::*:*", "AROAEXAMPLE", False),
    "ArnLike does not cross a colon before the resource": (
        "ArnLike",
        "arn:aws:iam::*:role/App",
        f"arn:aws:iam::{HOME}:user/x:role/App",
        False,
    ),
    "ArnLike over a colon in the resource": (
        "ArnLike",
        "arn:aws:iam::*:role/*",
        f"arn:aws:iam::{HOME}:role/x:y/App",
        None,
    ),
    "ArnNotLike over a colon in the resource": (
        "ArnNotLike",
        "arn:aws:iam::*:role/*",
        f"arn:aws:iam::{HOME}:role/x:y/App",
        None,
    ),
    "ArnEquals with a colon in the resource": (
        "ArnEquals",
        f"arn:aws:iam::{HOME}:role/x:y/App",
        f"arn:aws:iam::{HOME}:role/x:y/App",
        True,
    ),
    "StringLike over colons": (
        "StringLike",
        "arn:aws:iam::*:role/App",
        f"arn:aws:iam::{HOME}:user/x:role/App",
        True,
    ),
    "ArnLike in another partition": ("ArnLike", ARN.replace(":aws:", ":aws-cn:"), ARN, False),
    "ArnLike in any partition": ("ArnLike", ARN.replace(":aws:", ":*:"), ARN, True),
    "a character that means something here alone": ("StringLike", "a\ue003", "ab", None),
    "ArnNotEquals": ("ArnNotEquals", ARN, ARN, False),
    "ArnNotLike": ("ArnNotLike", "arn:aws:iam::*:user/*", ARN, True),
    "Bool": ("Bool", "true", "True", True),
    "Bool differs": ("Bool", "false", "true", False),
    "NumericEquals": ("NumericEquals", "7", "7.0", True),
    "NumericNotEquals": ("NumericNotEquals", "7", "8", True),
    "NumericLessThan": ("NumericLessThan", "30", "30", False),
    "NumericLessThanEquals": ("NumericLessThanEquals", "30", "30", True),
    "NumericGreaterThan": ("NumericGreaterThan", "30", "31", True),
    "NumericGreaterThanEquals": ("NumericGreaterThanEquals", "30", "29", False),
    "NumericEquals no number": ("NumericEquals", "seven", "7", None),
    "DateLessThan": ("DateLessThan", "2027-01-01T00:00:00Z", "2026-12-31T23:59:59Z", True),
    "DateGreaterThanEquals": ("DateGreaterThanEquals", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z", True),
    "DateEquals epoch": ("DateEquals", "0", "1970-01-01T00:00:00Z", True),
    "DateNotEquals": ("DateNotEquals", "0", "1970-01-01T00:00:00Z", False),
    "DateGreaterThan no date": ("DateGreaterThan", "tomorrow", "2027-01-01T00:00:00Z", None),
    "IpAddress": ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
    "NotIpAddress": ("NotIpAddress", "10.0.0.0/8", "10.1.2.3", False),
    "IpAddress no network": ("IpAddress", "10.0.0.0/99", "10.1.2.3", None),
    "BinaryEquals": ("BinaryEquals", "YQ==", "YQ==", True),
    "BinaryEquals no base64": ("BinaryEquals", "?", "YQ==", None),
    "Null true, present": ("Null", "true", "a", False),
    "Null false, present": ("Null", "false", "a", True),
    "Null nonsense": ("Null", "maybe", "a", None),
    "no such operator": ("StringEqual", "a", "a", None),
    "no such qualifier": ("ForSomeValues:StringEquals", "a", "a", None),
    "hole in the policy": ("StringEquals", U, "a", None),
    "hole in the request": ("StringEquals", "a", U, None),
    "policy variable": ("StringEquals", "${aws:username}", "a", None),
}


@pytest.mark.parametrize(("operator", "wanted", "value", "expected"), OPERATORS.values(), ids=OPERATORS)
def test_operators(operator: str, wanted: str, value: str, expected: bool | None) -> None:
    assert holds(one(operator, wanted), (value,)) is expected


@pytest.mark.parametrize("qualifier", ["", "ForAnyValue:", "ForAllValues:"])
@pytest.mark.parametrize("suffix", ["", "IfExists"])
@pytest.mark.parametrize(
    ("operator", "negated"),
    [
        ("StringEquals", False),
        ("StringLike", False),
        ("ArnLike", False),
        ("Bool", False),
        ("NumericLessThan", False),
        ("StringNotEquals", True),
        ("StringNotLike", True),
        ("ArnNotEquals", True),
        ("NotIpAddress", True),
    ],
)
@pytest.mark.parametrize("present", [None, ()], ids=["missing", "no values"])
def test_a_missing_key(
    qualifier: str, suffix: str, operator: str, negated: bool, present: tuple[str, ...] | None
) -> None:
    expected: bool | None = (
        bool(suffix) or qualifier == "ForAllValues:" or (negated and qualifier != "ForAnyValue:")
    )
    if suffix and qualifier == "ForAnyValue:":
        expected = None  # AWS does not say
    assert holds(one(qualifier + operator + suffix, "a"), present) is expected


def test_null_of_a_missing_key() -> None:
    assert holds(one("Null", "true"), None) is True
    assert holds(one("Null", "false"), None) is False
    assert holds(one("Null", "true"), ()) is True


# operator, wanted, values of the request: does it hold
SEVERAL = {
    "any of the policy's values": ("StringEquals", ("a", "b"), ("b",), True),
    "none of the policy's values": ("StringNotEquals", ("a", "b"), ("b",), False),
    "all within": ("ForAllValues:StringEquals", ("a", "b"), ("a", "b"), True),
    "one outside": ("ForAllValues:StringEquals", ("a",), ("a", "b"), False),
    "one within": ("ForAnyValue:StringEquals", ("a",), ("a", "b"), True),
    "none within": ("ForAnyValue:StringEquals", ("c",), ("a", "b"), False),
    "all differ": ("ForAllValues:StringNotEquals", ("c",), ("a", "b"), True),
    "one does not differ": ("ForAllValues:StringNotEquals", ("a",), ("a", "b"), False),
    "one differs": ("ForAnyValue:StringNotEquals", ("a",), ("a", "b"), True),
    "two booleans": ("Bool", ("true", "false"), ("false",), True),
    "two nulls": ("Null", ("true", "false"), ("a",), True),
}


@pytest.mark.parametrize(("operator", "wanted", "values", "expected"), SEVERAL.values(), ids=SEVERAL)
def test_several_values(
    operator: str, wanted: tuple[str, ...], values: tuple[str, ...], expected: bool
) -> None:
    assert holds(one(operator, *wanted), values) is expected


def test_values_that_say_nothing() -> None:
    assert holds(Condition("StringNotEquals", "aws:PrincipalArn", ()), ("a",)) is None
    assert holds(Condition("StringNotEquals", "aws:PrincipalArn", Unknown("x")), ("a",)) is None


@pytest.mark.parametrize(
    ("condition", "action", "context", "expected"),
    [
        pytest.param(one("StringEquals", "a", key="KMS:ViaService"), "Decrypt", {}, None, id="open"),
        pytest.param(
            one("StringEquals", "a", key="KMS:ViaService"),
            "Decrypt",
            {"kms:viaservice": "a"},
            True,
            id="known",
        ),
        pytest.param(
            one("StringEquals", "a", key="kms:ViaService"),
            "Decrypt",
            {"kms:viaservice": None},
            False,
            id="known to be missing",
        ),
        pytest.param(
            one("Bool", "true", key="kms:GrantIsForAWSResource"),
            "ScheduleKeyDeletion",
            {},
            False,
            id="no such key on this action",
        ),
        pytest.param(
            one("Bool", "true", key="kms:GrantIsForAWSResource"), "CreateGrant", {}, None, id="grants have it"
        ),
        pytest.param(
            one("BoolIfExists", "false", key="kms:GrantIsForAWSResource"),
            "Decrypt",
            {},
            True,
            id="missing, if it exists",
        ),
    ],
)
def test_decide(
    condition: Condition, action: str, context: dict[str, str | None], expected: bool | None
) -> None:
    assert decide(condition, action, context) is expected


def principal(operator: str, *values: str) -> Condition:
    return one(operator, *values, key="AWS:principalARN")


def accounts(*patterns: str) -> tuple[tuple[PrincipalKind, tuple[str, ...]], ...]:
    return tuple((kind, tuple(account_pattern(kind, found) for found in patterns)) for kind in IAM_KINDS)


def kinds(*wanted: PrincipalKind) -> tuple[tuple[PrincipalKind, tuple[str, ...]], ...]:
    return tuple((kind, ("*",) if kind in wanted else ()) for kind in IAM_KINDS)


SERVICE = PrincipalKind.SERVICE
ATOMS = {
    "one ARN": (principal("ArnEquals", ARN), Atom(everywhere((ARN,)))),
    "all but one ARN": (
        principal("ArnNotEquals", ARN),
        Atom(everywhere((ARN,)), negated=True, missing=True),
    ),
    "any value must differ": (
        principal("ForAnyValue:ArnNotEquals", ARN),
        Atom(everywhere((ARN,)), negated=True, missing=False),
    ),
    "if it exists": (principal("StringLikeIfExists", "*App"), Atom(everywhere(("*App",)), missing=True)),
    "for all values": (
        principal("ForAllValues:StringEquals", ARN),
        Atom(everywhere((ARN,)), missing=True),
    ),
    "literal asterisk": (principal("StringEquals", "*App", ARN), Atom(everywhere((ARN,)))),
    "only a literal asterisk": (
        principal("StringNotEquals", "*"),
        Atom(everywhere(()), negated=True, missing=True),
    ),
    "another partition": (
        principal("ArnLike", f"arn:aws-cn:iam::{HOME}:role/App"),
        Atom(everywhere((f"arn:aws-cn:iam::{HOME}:role/App",))),
    ),
    "a partition that the key's decides": (
        principal("ArnLike", f"arn:{OPEN_PARTITION}:iam::{HOME}:role/App"),
        Atom(everywhere((f"arn:{OPEN_PARTITION}:iam::{HOME}:role/App",))),
    ),
    "an ARN pattern": (
        principal("ArnLike", "arn:*:iam::*:role/App-?"),
        Atom(
            everywhere((f"arn:{FIELD_STAR}:iam::{FIELD_STAR}:role/App-?",)),
            certain=everywhere((f"arn:{FIELD_STAR}:iam::{FIELD_STAR}:role/App-{FIELD_ANY}",)),
            doubt="AWS does not say whether a wildcard under an Arn operator runs over a colon in a path",
        ),
    ),
    "a text pattern": (
        principal("StringLike", "arn:*:iam::*:role/App-?"),
        Atom(everywhere(("arn:*:iam::*:role/App-?",))),
    ),
    "any value, if it exists": (
        principal("ForAnyValue:ArnEqualsIfExists", ARN),
        Atom(
            everywhere((ARN,)),
            missing=None,
            doubt="AWS does not say whether ForAnyValue with IfExists holds for a request without the key",
        ),
    ),
    "a character that means something here alone": (principal("ArnLike", f"{ARN}\ue003"), None),
    "present": (principal("Null", "false"), Atom(everywhere(("*",)), missing=False)),
    "missing": (principal("Null", "true"), Atom(everywhere(()), missing=True)),
    "both": (principal("Null", "true", "false"), None),
    "no full ARN": (principal("ArnLike", "arn:aws:iam"), None),
    "a hole with colons": (principal("ArnLike", f"{hole(HoleKind.ENVIRONMENT, 'a:b:c:d:e:f')}"), None),
    "case-blind": (principal("StringEqualsIgnoreCase", ARN), None),
    "unresolved": (principal("ArnLike", U), None),
    "variable": (principal("ArnLike", "arn:aws:iam::${aws:PrincipalAccount}:role/App"), None),
    "no values": (principal("ArnNotEquals"), None),
    "bad qualifier": (principal("ForSomeValues:ArnLike", ARN), None),
    "account": (one("StringEquals", HOME, key="kms:CallerAccount"), Atom(accounts(HOME), missing=None)),
    "accounts but one": (
        one("StringNotLike", "1111*", key="aws:PrincipalAccount"),
        Atom(accounts("1111*"), negated=True, missing=None),
    ),
    "undecided account": (one("StringEquals", E, key="kms:CallerAccount"), Atom(accounts(E), missing=None)),
    "literal asterisk account": (
        one("StringEquals", "*", key="aws:PrincipalAccount"),
        Atom(accounts(), missing=None),
    ),
    "account, null": (one("Null", "true", key="aws:PrincipalAccount"), None),
    "account, case-blind": (one("StringEqualsIgnoreCase", HOME, key="aws:PrincipalAccount"), None),
    "a service": (
        one("Bool", "true", key="aws:PrincipalIsAWSService"),
        Atom((*everywhere(()), (SERVICE, ("*",)))),
    ),
    "no service": (
        one("BoolIfExists", "False", key="aws:PrincipalIsAWSService"),
        Atom((*everywhere(("*",)), (SERVICE, ()))),
    ),
    "either": (one("Bool", "true", "false", key="aws:PrincipalIsAWSService"), None),
    "service as a string": (one("StringEquals", "true", key="aws:PrincipalIsAWSService"), None),
    "root user": (
        one("StringEquals", "Account", key="aws:PrincipalType"),
        Atom(kinds(PrincipalKind.ROOT), missing=None),
    ),
    "no role": (
        one("StringNotEquals", "AssumedRole", key="aws:PrincipalType"),
        Atom(kinds(PrincipalKind.ROLE), negated=True, missing=None),
    ),
    "type in another case": (one("StringEquals", "assumedrole", key="aws:PrincipalType"), None),
    "type as a pattern": (one("StringLike", "User", key="aws:PrincipalType"), None),
    "another key": (one("StringEquals", "a", key="aws:PrincipalOrgID"), None),
}


@pytest.mark.parametrize(("condition", "expected"), ATOMS.values(), ids=ATOMS)
def test_principal_atom(condition: Condition, expected: Atom | None) -> None:
    assert principal_atom(condition) == expected


ROLE = Cell(PrincipalKind.ROLE, ("arn:aws:iam::*:role/*",))
APP = Cell(PrincipalKind.ROLE, (ARN,))
LOGS = Cell(SERVICE, ("logs.amazonaws.com",))


@pytest.mark.parametrize(
    ("atom", "cell", "satisfying", "failing"),
    [
        pytest.param(
            Atom(everywhere((ARN,))),
            ROLE,
            (APP,),
            (Cell(PrincipalKind.ROLE, ROLE.include, (ARN,)),),
            id="one of many",
        ),
        pytest.param(
            Atom(everywhere((ARN,)), negated=True, missing=True),
            ROLE,
            (Cell(PrincipalKind.ROLE, ROLE.include, (ARN,)),),
            (APP,),
            id="all but one",
        ),
        pytest.param(Atom(everywhere((ARN,))), APP, (APP,), (), id="exactly it"),
        pytest.param(Atom(everywhere((ARN,))), LOGS, (), (LOGS,), id="service without the key"),
        pytest.param(
            Atom(everywhere((ARN,)), negated=True, missing=True), LOGS, (LOGS,), (), id="service, negated"
        ),
        pytest.param(Atom(everywhere((ARN,)), missing=None), LOGS, (LOGS,), (LOGS,), id="service, not known"),
        pytest.param(Atom(everywhere(())), ROLE, (), (ROLE,), id="nobody"),
        pytest.param(Atom(everywhere(()), negated=True), ROLE, (ROLE,), (), id="all but nobody"),
    ],
)
def test_parts_of_a_cell(
    atom: Atom, cell: Cell, satisfying: tuple[Cell, ...], failing: tuple[Cell, ...]
) -> None:
    assert (atom.satisfying(cell), atom.failing(cell)) == (satisfying, failing)


def test_a_partition_that_the_key_decides_is_written_out() -> None:
    condition = principal("ArnLike", f"arn:{OPEN_PARTITION}:iam::{HOME}:role/App")
    assert principal_atom(condition, "aws-cn") == Atom(everywhere((ARN.replace(":aws:", ":aws-cn:"),)))


def test_what_is_in_doubt_can_be_taken_either_way() -> None:
    name = f"arn:aws:iam::{HOME}:role/x:y/App"
    colon = Cell(PrincipalKind.ROLE, (name,))
    for operator in ("ArnLike", "ArnNotLike"):
        atom = principal_atom(principal(operator, "arn:aws:iam::*:role/*"))
        assert atom is not None
        assert (atom.satisfying(colon), atom.failing(colon)) == ((colon,), (colon,))
        holding, failing = atom.taken_for(satisfied=True), atom.taken_for(satisfied=False)
        assert (holding.satisfying(colon), holding.failing(colon)) == ((colon,), ())
        assert (failing.satisfying(colon), failing.failing(colon)) == ((), (colon,))
        assert holding.taken_for(satisfied=False) is holding
