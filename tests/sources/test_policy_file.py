"""Key policies by themselves."""

import json

import pytest

from kms_constructs.analysis.reach import reach_of
from kms_constructs.model.estate import Deployment, Key, Location, SourceProblem
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.vocabulary import KEY_POLICY_FILE
from kms_constructs.sources import key_from_policy
from kms_constructs.sources.files import read_document
from kms_constructs.sources.policy_file import policy_in
from tests.sources.support import ACCOUNT, ANY_ACCOUNT, ANY_REGION


def _policy(*statements: tuple[object, object]) -> dict[str, object]:
    return {
        "Statement": [
            {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
            for principal, action in statements
        ]
    }


def _root(account: str, partition: str = "aws") -> dict[str, str]:
    return {"AWS": f"arn:{partition}:iam::{account}:root"}


def test_only_the_policy_is_known() -> None:
    document = _policy((_root(ACCOUNT), "kms:*"))
    assert key_from_policy(document, source="p.json", region="eu-west-1") == Key(
        id="p.json",
        location=Location("p.json"),
        policy=parse_policy(document),
        account=ACCOUNT,
        region="eu-west-1",
        key_id=hole(HoleKind.UNRESOLVED, "KeyId"),
        vocabulary=KEY_POLICY_FILE,
    )


def test_a_resource_that_names_one_key_may_name_this_one() -> None:
    arn = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    role = f"arn:aws:iam::{ACCOUNT}:role/App"
    statement = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:Decrypt", "Resource": arn}
    key = key_from_policy({"Statement": statement}, source="p.json", account=ACCOUNT, region="eu-west-1")
    assert [part.principals for part in reach_of(key, "Decrypt").contributions] == [role]


def test_it_may_be_text() -> None:
    document = _policy((_root(ACCOUNT), "kms:*"))
    assert key_from_policy(json.dumps(document), source="p") == key_from_policy(document, source="p")


ACCOUNTS = {
    "the root that may put the policy": (_policy((_root(ACCOUNT), "kms:*")), None, ACCOUNT),
    "as a bare account": (_policy(({"AWS": ACCOUNT}, "kms:Put*")), None, ACCOUNT),
    "not a root that may only use the key": (
        _policy((_root(ACCOUNT), "kms:*"), (_root("444455556666"), "kms:Decrypt")),
        None,
        ACCOUNT,
    ),
    "two roots that may put the policy": (
        _policy((_root(ACCOUNT), "kms:*"), (_root("444455556666"), "kms:*")),
        None,
        ANY_ACCOUNT,
    ),
    "a role alone": (_policy(({"AWS": f"arn:aws:iam::{ACCOUNT}:role/Admin"}, "kms:*")), None, ACCOUNT),
    "a root, and a role of another account": (
        _policy((_root(ACCOUNT), "kms:*"), ({"AWS": "arn:aws:iam::444455556666:role/Admin"}, "kms:*")),
        None,
        ANY_ACCOUNT,
    ),
    "nobody who may put the policy": (_policy((_root(ACCOUNT), "kms:Decrypt")), None, ANY_ACCOUNT),
    "what is given wins": (_policy((_root(ACCOUNT), "kms:*")), "444455556666", "444455556666"),
    "nothing that can be read": ([], None, ANY_ACCOUNT),
}


@pytest.mark.parametrize(("document", "given", "account"), ACCOUNTS.values(), ids=ACCOUNTS.keys())
def test_account(document: object, given: str | None, account: str) -> None:
    key = key_from_policy(document, source="p.json", account=given)
    assert (key.account, key.region) == (account, ANY_REGION)


def test_partition() -> None:
    china = _policy((_root(ACCOUNT, "aws-cn"), "kms:*"))
    assert key_from_policy(china, source="p").partition == "aws-cn"
    assert key_from_policy(_policy(), source="p", region="us-gov-west-1").partition == "aws-us-gov"


def test_text_that_looks_like_a_hole_is_none() -> None:
    policy = _policy(({"AWS": "\ue000e:AWS::AccountId\ue001"}, "kms:*"))
    statement = key_from_policy(policy, source="p").policy.statements[0]
    assert isinstance(statement.principals, tuple)
    assert statement.principals[0].value == "\ufffde:AWS::AccountId\ufffd"


POLICY = {"Version": "2012-10-17", "Statement": []}
DOCUMENTS = {
    "a policy": (POLICY, POLICY),
    "in lower case": ({"statement": []}, {"statement": []}),
    "as get-key-policy prints it": ({"Policy": json.dumps(POLICY), "PolicyName": "default"}, POLICY),
    "wrapped as an object": ({"Policy": POLICY}, POLICY),
    "wrapped nonsense": ({"Policy": "x"}, None),
    "a template": ({"Resources": {}, "Statement": []}, None),
    "an answer of the API": ({"KeyUsage": "ENCRYPT_DECRYPT"}, None),
    "a list": ([POLICY], None),
}


@pytest.mark.parametrize(("document", "policy"), DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_policy_in(document: object, policy: object) -> None:
    assert policy_in(document) == policy


ALLOW = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}


@pytest.mark.parametrize(
    "document",
    [
        {"Statement": [ALLOW]},
        {"statement": ALLOW},
        {"Policy": json.dumps({"Statement": [ALLOW, {**ALLOW, "Effect": "Deny"}]})},
    ],
    ids=["a list", "one statement", "printed"],
)
def test_a_policy_of_identities_is_no_key_policy(document: dict[str, object]) -> None:
    estate = read_document(document, "policy.json", Deployment())
    message = (
        "it is an IAM policy or a service control policy and no key policy: no statement has a Principal"
    )
    fix = (
        "Give a service control policy by --scp, and an IAM policy in a template that says whom it is "
        "attached to"
    )
    assert (estate.keys, estate.problems) == ((), (SourceProblem("policy.json", message, fix),))


@pytest.mark.parametrize(
    "statements",
    [
        [],
        [ALLOW, {**ALLOW, "Principal": "*"}],
        [{**ALLOW, "NotPrincipal": "*"}],
        [{**ALLOW, "Principals": "*"}],
        [{"Action": "kms:*"}],
        ["x"],
    ],
    ids=["empty", "one with", "NotPrincipal", "misspelt", "no Effect", "no object"],
)
def test_what_may_be_meant_for_a_key_is_judged_as_its_policy(statements: object) -> None:
    estate = read_document({"Statement": statements}, "policy.json", Deployment())
    assert [key.id for key in estate.keys] == ["policy.json"]
