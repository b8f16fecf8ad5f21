"""Which keys a Resource names, and which partition a key lies in."""

from __future__ import annotations

import pytest

from kms_constructs.analysis.identity_index import IdentityIndex
from kms_constructs.analysis.key_names import KeyName, home_partition, open_resource, speaks_of_key
from kms_constructs.analysis.separation import overlaps
from kms_constructs.model.arn import OPEN_PARTITION
from kms_constructs.model.estate import IdentityPolicy, IdentityPolicyKind, Location
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from tests.strategies import HOME, KEY_ARN, KEY_ID, OTHER, key_of

GENERATED = hole(HoleKind.GENERATED, "Stack.Key.Id")
ANOTHER = hole(HoleKind.GENERATED, "Stack.Other.Id")
SOME_ID = hole(HoleKind.UNRESOLVED, "Id")
ACCOUNT = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
REGION = hole(HoleKind.ENVIRONMENT, "AWS::Region")
START = f"arn:aws:kms:us-east-1:{HOME}:key/"
ELSEWHERE = f"arn:aws:kms:eu-west-1:{HOME}:key/"
OF_PARTITION = f"arn:{OPEN_PARTITION}:kms:us-east-1:{HOME}:key/"

# what is known of the key, resource, whether it names the key
NAMES: dict[str, tuple[dict[str, str], str, bool | None]] = {
    "all": ({}, "*", True),
    "itself": ({}, KEY_ARN, True),
    "another": ({}, KEY_ARN[:-1], False),
    "any of its account": ({}, f"{START}*", True),
    "any of another account": ({}, f"arn:aws:kms:us-east-1:{OTHER}:key/*", False),
    "an alias": ({}, f"arn:aws:kms:us-east-1:{HOME}:alias/app", False),
    "a bucket": ({}, "arn:aws:s3:::bucket", False),
    "another partition": ({}, KEY_ARN.replace(":aws:", ":aws-cn:"), False),
    "any partition": ({}, KEY_ARN.replace(":aws:", ":*:"), True),
    "an undecided id": ({}, START + SOME_ID, None),
    "a variable": ({}, "arn:aws:kms:*:${aws:PrincipalAccount}:key/*", None),
    "an id, of a key that is not made yet": ({"key_id": GENERATED}, KEY_ARN, None),
    "a pattern of ids": ({"key_id": GENERATED}, f"{START}1*", None),
    "itself by a generated id": ({"key_id": GENERATED}, START + GENERATED, True),
    "another by a generated id": ({"key_id": GENERATED}, START + ANOTHER, False),
    "an id elsewhere": ({"key_id": GENERATED}, f"arn:aws:kms:eu-west-1:{HOME}:key/{KEY_ID}", False),
    "an account that is not known": ({"account": ACCOUNT}, f"{START}*", None),
    "the account, by its hole": ({"account": ACCOUNT}, f"arn:aws:kms:us-east-1:{ACCOUNT}:key/*", True),
    "a Region that is not known": ({"region": REGION}, f"{START}*", None),
    "every Region": ({"region": REGION}, f"arn:aws:kms:*:{HOME}:key/*", True),
    "a partition that is not known": ({"partition": OPEN_PARTITION}, KEY_ARN, None),
    "the partition, by its hole": ({"partition": OPEN_PARTITION}, OF_PARTITION + KEY_ID, True),
    "an open partition in a known one": ({}, OF_PARTITION + KEY_ID, True),
}


@pytest.mark.parametrize(("facts", "resource", "expected"), NAMES.values(), ids=NAMES)
def test_names(facts: dict[str, str], resource: str, expected: bool | None) -> None:
    key = key_of({"Statement": []}, **facts)
    assert KeyName.of(key).names(resource) is expected
    for element, answer in (
        ("Resource", expected),
        ("NotResource", None if expected is None else not expected),
    ):
        (statement,) = parse_policy({"Statement": {"Effect": "Allow", element: resource}}).statements
        assert speaks_of_key(statement, KeyName.of(key)) is answer


@pytest.mark.parametrize(
    ("facts", "resource", "expected"),
    [
        pytest.param({"key_id": GENERATED}, ELSEWHERE + KEY_ID, None, id="an id elsewhere"),
        pytest.param({"key_id": GENERATED}, f"{ELSEWHERE}*", None, id="any key elsewhere"),
        pytest.param(
            {"key_id": GENERATED}, ELSEWHERE + ANOTHER, False, id="another key of the app elsewhere"
        ),
        pytest.param({"key_id": GENERATED}, KEY_ARN, None, id="an id here"),
        pytest.param({"key_id": GENERATED}, f"{START}*", True, id="any key here"),
        pytest.param(
            {"key_id": GENERATED}, ELSEWHERE.replace(HOME, OTHER) + KEY_ID, False, id="of another account"
        ),
        pytest.param(
            {"key_id": GENERATED}, f"{ELSEWHERE.replace(HOME, OTHER)}*", False, id="any of another account"
        ),
        pytest.param({}, ELSEWHERE + KEY_ID, False, id="an id elsewhere, and that of the key is known"),
    ],
)
def test_the_policy_of_a_key_may_mean_it_by_an_arn_of_another_region(
    facts: dict[str, str], resource: str, expected: bool | None
) -> None:
    """It was written for the key, and for another Region than the one that it is judged in."""
    assert KeyName.of(key_of({"Statement": []}, **facts), in_own_policy=True).names(resource) is expected


def test_the_best_of_several_resources_decides() -> None:
    name = KeyName.of(key_of({"Statement": []}, key_id=GENERATED))
    for resources, expected in (
        ([KEY_ARN, "arn:aws:s3:::bucket"], None),
        ([KEY_ARN, f"{START}*"], True),
        (["arn:aws:s3:::bucket"], False),
        ([], False),
        (None, False),
    ):
        document = {"Effect": "Allow", **({} if resources is None else {"Resource": resources})}
        (statement,) = parse_policy({"Statement": document}).statements
        assert speaks_of_key(statement, name) is expected


def test_why_it_is_open() -> None:
    name = KeyName.of(key_of({"Statement": []}, key_id=GENERATED))

    def reason(**elements: object) -> str | None:
        (statement,) = parse_policy({"Statement": {"Effect": "Allow", **elements}}).statements
        return open_resource(statement, name)

    assert reason(Resource=["*", KEY_ARN]) is None
    assert reason(Resource="arn:aws:s3:::bucket") is None
    assert reason() is None
    assert reason(Resource=KEY_ARN) == f"whether {KEY_ARN} is this key is decided at deployment"
    assert reason(NotResource=KEY_ARN) == f"whether {KEY_ARN} is this key is decided at deployment"
    assert reason(Resource=Unknown("a test says so")) == "a test says so"
    # The request decides that, and not the deployment.
    assert reason(Resource="arn:aws:kms:*:${aws:PrincipalAccount}:key/*") is None


def _statement(partition: str) -> dict[str, object]:
    principal = {"AWS": f"arn:{partition}:iam::{HOME}:role/App"}
    return {"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*"}


@pytest.mark.parametrize(
    ("partition", "statements", "expected"),
    [
        pytest.param("aws", [_statement("aws-cn")], "aws", id="the Region tells"),
        pytest.param(OPEN_PARTITION, [], OPEN_PARTITION, id="nothing tells"),
        pytest.param(OPEN_PARTITION, [_statement(OPEN_PARTITION)], OPEN_PARTITION, id="a hole tells nothing"),
        pytest.param(OPEN_PARTITION, [_statement("aws-iso-b")], "aws-iso-b", id="a principal tells"),
        pytest.param(OPEN_PARTITION, [_statement("aws-none")], OPEN_PARTITION, id="no partition at all"),
        pytest.param(
            OPEN_PARTITION,
            [Maybe(_statement("aws"), "x"), _statement("aws-cn")],
            "aws-cn",
            id="one that is there for certain",
        ),
        pytest.param(
            OPEN_PARTITION,
            [{"Effect": "Deny", "NotPrincipal": {"AWS": f"arn:aws-cn:iam::{HOME}:root"}}],
            "aws-cn",
            id="whoever is left out",
        ),
        pytest.param(
            OPEN_PARTITION,
            [{"Effect": "Allow", "Principal": {"AWS": HOME}}],
            OPEN_PARTITION,
            id="an account id",
        ),
    ],
)
def test_home_partition(partition: str, statements: list[object], expected: str) -> None:
    assert home_partition(key_of({"Statement": statements}, partition=partition)) == expected


def test_an_iam_policy_that_names_a_key_by_its_id_may_mean_the_one_that_is_made() -> None:
    """It may reach the key, and what follows from it is not known."""
    user = f"arn:aws:iam::{HOME}:role/App"
    iam = IdentityPolicy(
        id="policy",
        location=Location("test"),
        name="Mine",
        kind=IdentityPolicyKind.INLINE,
        policy=parse_policy(
            {"Statement": {"Effect": "Allow", "Action": "kms:EnableKey", "Resource": KEY_ARN}}
        ),
        attached_to=(user,),
        account=HOME,
    )
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "kms:EnableKey", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": user}, "Action": "kms:Decrypt", "Resource": "*"},
    ]
    index = IdentityIndex([iam], ("EnableKey",))
    reasons = {}
    for key_id in (KEY_ID, GENERATED, "another"):
        key = key_of({"Statement": statements}, key_id=key_id)
        reasons[key_id] = [one.unresolved for one in overlaps(key, [iam]) if one.through == "IAM policy"]
        assert bool(list(index.reaching(key))) is bool(reasons[key_id])
    assert reasons == {
        KEY_ID: [None],
        GENERATED: [f"whether {KEY_ARN} is this key is decided at deployment"],
        "another": [],
    }
