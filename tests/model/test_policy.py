"""Reading policy documents: every legal spelling, and nothing malformed passes as harmless."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.model.policy import (
    Condition,
    Effect,
    Policy,
    PolicyProblem,
    Principal,
    Statement,
    default_key_policy,
    parse_policy,
)
from kms_constructs.model.text import CLOSE, OPEN, HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown, is_unknown

ROLE = "arn:aws:iam::111122223333:role/app"
ROOT = "arn:aws:iam::111122223333:root"


def statement(**elements: object) -> dict[str, Any]:
    """A plain statement with some elements replaced; None takes one out."""
    base: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"AWS": ROLE},
        "Action": "kms:Decrypt",
        "Resource": "*",
    }
    return {key: value for key, value in {**base, **elements}.items() if value is not None}


PLAIN = Statement(
    index=0,
    effect=Effect.ALLOW,
    principals=(Principal("AWS", ROLE),),
    actions=("kms:Decrypt",),
    resources=("*",),
    path="Statement/0",
)


def one(raw: object) -> tuple[Statement, tuple[PolicyProblem, ...]]:
    """The single statement of a policy that consists of it, and the problems found."""
    policy = parse_policy({"Version": "2012-10-17", "Statement": [raw]})
    assert policy.unknown is None
    (found,) = policy.statements
    return found, policy.problems


def altered(**fields: object) -> Statement:
    """The plain statement with some fields replaced."""
    return replace(PLAIN, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(statement(), PLAIN, id="scalars"),
        pytest.param(
            statement(Principal={"AWS": [ROLE]}, Action=["kms:Decrypt"], Resource=["*"]), PLAIN, id="lists"
        ),
        pytest.param(
            {"effect": "Allow", "PRINCIPAL": {"AWS": ROLE}, "action": "kms:Decrypt", "reSource": "*"},
            PLAIN,
            id="element names in another case",
        ),
        pytest.param(statement(Sid="UseKey"), altered(sid="UseKey"), id="a Sid"),
        pytest.param(statement(Effect="Deny"), altered(effect=Effect.DENY), id="a Deny"),
        pytest.param(
            statement(Principal="*"), altered(principals=(Principal("*", "*"),)), id="bare asterisk"
        ),
        pytest.param(
            statement(Principal={"AWS": "*"}),
            altered(principals=(Principal("AWS", "*"),)),
            id="asterisk under AWS",
        ),
        pytest.param(
            statement(Principal={"AWS": [ROLE, "111122223333"], "Service": "logs.amazonaws.com"}),
            altered(
                principals=(
                    Principal("AWS", ROLE),
                    Principal("AWS", "111122223333"),
                    Principal("Service", "logs.amazonaws.com"),
                )
            ),
            id="several types",
        ),
        pytest.param(
            statement(Principal={"AWS": 111122223333}),
            altered(principals=(Principal("AWS", "111122223333"),)),
            id="an account id that YAML read as a number",
        ),
        pytest.param(
            statement(Principal=None, NotPrincipal={"Federated": "cognito-identity.amazonaws.com"}),
            altered(
                principals=None, not_principals=(Principal("Federated", "cognito-identity.amazonaws.com"),)
            ),
            id="NotPrincipal",
        ),
        pytest.param(
            statement(Action=None, NotAction=["kms:Decrypt", "s3:*"]),
            altered(actions=None, not_actions=("kms:Decrypt", "s3:*")),
            id="NotAction",
        ),
        pytest.param(
            statement(Resource=None, NotResource="arn:aws:kms:*:*:alias/*"),
            altered(resources=None, not_resources=("arn:aws:kms:*:*:alias/*",)),
            id="NotResource",
        ),
        pytest.param(statement(Principal=None), altered(principals=None), id="no principal: an IAM policy"),
        pytest.param(statement(Resource=None), altered(resources=None), id="no resource"),
        pytest.param(
            statement(
                Condition={
                    "StringEquals": {"kms:CallerAccount": "111122223333", "kms:ViaService": ["a", "b"]},
                    "Bool": {"kms:GrantIsForAWSResource": True},
                    "NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": 30},
                }
            ),
            altered(
                conditions=(
                    Condition("StringEquals", "kms:CallerAccount", ("111122223333",)),
                    Condition("StringEquals", "kms:ViaService", ("a", "b")),
                    Condition("Bool", "kms:GrantIsForAWSResource", ("true",)),
                    Condition("NumericLessThan", "kms:ScheduleKeyDeletionPendingWindowInDays", ("30",)),
                )
            ),
            id="conditions with text, booleans and numbers",
        ),
        pytest.param(
            statement(Condition={"Bool": {"aws:SecureTransport": False}}),
            altered(conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),)),
            id="false is text in lower case",
        ),
        pytest.param(statement(Condition={}), PLAIN, id="an empty Condition is none"),
    ],
)
def test_every_legal_spelling_of_a_statement(raw: object, expected: Statement) -> None:
    assert one(raw) == (expected, ())


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"Statement": [statement()]}, id="no Version"),
        pytest.param({"Version": "2008-10-17", "Statement": [statement()]}, id="old Version"),
        pytest.param(
            {"Version": "2012-10-17", "Id": "key", "Statement": statement()}, id="one statement, no list"
        ),
        pytest.param({"statement": statement()}, id="statement in lower case"),
        pytest.param({"Statement": (statement(),)}, id="a tuple"),
        pytest.param(json.dumps({"Statement": [statement()]}), id="JSON text"),
        pytest.param("  " + json.dumps({"Statement": statement()}, indent=2), id="indented JSON text"),
    ],
)
def test_every_legal_spelling_of_a_document(document: object) -> None:
    policy = parse_policy(document)

    assert (policy.statements, policy.unknown, policy.problems) == ((PLAIN,), None, ())


def nobody_knows(reason: str) -> Statement:
    """What stands for a statement that cannot be read."""
    unknown = Unknown(reason)
    return Statement(
        0,
        unknown,
        principals=unknown,
        actions=unknown,
        resources=unknown,
        conditions=unknown,
        path="Statement/0",
    )


@pytest.mark.parametrize(
    ("raw", "expected", "problem"),
    [
        pytest.param(
            "Allow everything",
            nobody_knows("the statement is a str and must be an object"),
            PolicyProblem("Statement/0", "the statement is a str and must be an object"),
            id="a statement that is text",
        ),
        pytest.param(
            None,
            nobody_knows("the statement is a NoneType and must be an object"),
            PolicyProblem("Statement/0", "the statement is a NoneType and must be an object"),
            id="a statement that is null",
        ),
        pytest.param(
            statement(Effect="allow"),
            altered(effect=Unknown("Effect is neither Allow nor Deny")),
            PolicyProblem("Statement/0/Effect", "Effect must be Allow or Deny"),
            id="Effect in lower case",
        ),
        pytest.param(
            statement(Effect=None),
            altered(effect=Unknown("Effect is neither Allow nor Deny")),
            PolicyProblem("Statement/0/Effect", "Effect must be Allow or Deny"),
            id="no Effect",
        ),
        pytest.param(
            statement(Effect=["Allow"]),
            altered(effect=Unknown("Effect is neither Allow nor Deny")),
            PolicyProblem("Statement/0/Effect", "Effect must be Allow or Deny"),
            id="Effect as a list",
        ),
        pytest.param(
            statement(Sid=7),
            PLAIN,
            PolicyProblem("Statement/0/Sid", "Sid must be text, not a int"),
            id="a Sid that is a number",
        ),
        pytest.param(
            statement(Action=None),
            altered(actions=None),
            PolicyProblem("Statement/0", "the statement has neither Action nor NotAction"),
            id="no Action",
        ),
        pytest.param(
            statement(Action=[]),
            altered(actions=()),
            PolicyProblem("Statement/0/Action", "the list is empty"),
            id="an empty list of actions",
        ),
        pytest.param(
            statement(Action={"kms": "Decrypt"}),
            altered(actions=Unknown("a dict stands where text is wanted")),
            PolicyProblem("Statement/0/Action", "a dict stands where text is wanted"),
            id="an Action that is an object",
        ),
        pytest.param(
            statement(Action=["kms:Decrypt", None]),
            altered(actions=Unknown("a NoneType stands where text is wanted")),
            PolicyProblem("Statement/0/Action", "a NoneType stands where text is wanted"),
            id="an Action that is null",
        ),
        pytest.param(
            statement(NotAction="kms:Sign"),
            altered(not_actions=("kms:Sign",)),
            PolicyProblem("Statement/0", "the statement has both Action and NotAction"),
            id="Action and NotAction",
        ),
        pytest.param(
            statement(NotPrincipal="*"),
            altered(not_principals=(Principal("*", "*"),)),
            PolicyProblem("Statement/0", "the statement has both Principal and NotPrincipal"),
            id="Principal and NotPrincipal",
        ),
        pytest.param(
            statement(NotResource="*"),
            altered(not_resources=("*",)),
            PolicyProblem("Statement/0", "the statement has both Resource and NotResource"),
            id="Resource and NotResource",
        ),
        pytest.param(
            statement(Principal=ROLE),
            altered(principals=Unknown("the principal has no type")),
            PolicyProblem(
                "Statement/0/Principal",
                f"a principal must be an object such as {{'AWS': …}} or '*', not {ROLE!r}",
            ),
            id="a principal without its type",
        ),
        pytest.param(
            statement(Principal=[ROLE]),
            altered(principals=Unknown("the principal is no object")),
            PolicyProblem("Statement/0/Principal", "a principal must be an object or '*', not a list"),
            id="a list of principals",
        ),
        pytest.param(
            statement(Principal={"IAM": ROLE}),
            altered(principals=Unknown("the principal has an unknown type")),
            PolicyProblem("Statement/0/Principal", "'IAM' is no type of principal"),
            id="no such type of principal",
        ),
        pytest.param(
            statement(Principal={"AWS": []}),
            altered(principals=()),
            PolicyProblem("Statement/0/Principal", "there is no principal in it"),
            id="an empty list of principals",
        ),
        pytest.param(
            statement(Principal={"AWS": {"Ref": "Role"}}),
            altered(principals=Unknown("a dict stands where text is wanted")),
            PolicyProblem("Statement/0/Principal", "a dict stands where text is wanted"),
            id="an intrinsic that nobody resolved",
        ),
        pytest.param(
            statement(Conditions={}),
            PLAIN,
            PolicyProblem("Statement/0", "'Conditions' is no element of a statement"),
            id="a misspelt element",
        ),
        pytest.param(
            {**statement(), "action": "kms:Sign"},
            altered(actions=Unknown("Action stands twice")),
            PolicyProblem("Statement/0", "Action stands twice"),
            id="one element twice, in two cases",
        ),
        pytest.param(
            statement(Condition="none"),
            altered(conditions=Unknown("Condition is no object")),
            PolicyProblem("Statement/0/Condition", "Condition must be an object, not a str"),
            id="a Condition that is text",
        ),
        pytest.param(
            statement(Condition={"StringEquals": "x"}),
            altered(conditions=Unknown("a condition operator holds no object")),
            PolicyProblem("Statement/0/Condition", "StringEquals must hold an object"),
            id="a condition operator that holds text",
        ),
        pytest.param(
            statement(Condition={"StringEquals": {"kms:ViaService": {"a": 1}}}),
            altered(
                conditions=(
                    Condition(
                        "StringEquals", "kms:ViaService", Unknown("a dict stands where text is wanted")
                    ),
                )
            ),
            PolicyProblem(
                "Statement/0/Condition/StringEquals/kms:ViaService", "a dict stands where text is wanted"
            ),
            id="a condition value that is an object",
        ),
        pytest.param(
            statement(Condition={"StringEquals": {"kms:ViaService": []}}),
            altered(conditions=(Condition("StringEquals", "kms:ViaService", ()),)),
            PolicyProblem("Statement/0/Condition/StringEquals/kms:ViaService", "the list is empty"),
            id="a condition without values",
        ),
        pytest.param(
            statement(Principal={"AWS": 10**5000}),
            altered(principals=Unknown("a number is too long to read")),
            PolicyProblem("Statement/0/Principal", "a number is too long to read"),
            id="a number that Python will not write",
        ),
    ],
)
def test_what_is_malformed_is_a_problem_and_where_access_hangs_on_it_unknown(
    raw: object, expected: Statement, problem: PolicyProblem
) -> None:
    assert one(raw) == (expected, (problem,))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(
            "not JSON",
            Policy(
                unknown=Unknown("the text is not JSON"),
                problems=(PolicyProblem("P", "the policy is text that is not JSON"),),
                path="P",
            ),
            id="text",
        ),
        pytest.param(
            "[" * 100_000,
            Policy(
                unknown=Unknown("the text is not JSON"),
                problems=(PolicyProblem("P", "the policy is text that is not JSON"),),
                path="P",
            ),
            id="nested beyond reason",
        ),
        pytest.param(
            [],
            Policy(
                unknown=Unknown("the policy is a list and must be an object"),
                problems=(PolicyProblem("P", "the policy is a list and must be an object"),),
                path="P",
            ),
            id="a list",
        ),
        pytest.param(
            None,
            Policy(
                unknown=Unknown("the policy is a NoneType and must be an object"),
                problems=(PolicyProblem("P", "the policy is a NoneType and must be an object"),),
                path="P",
            ),
            id="null",
        ),
        pytest.param(
            {"Version": "2012-10-17"},
            Policy(
                unknown=Unknown("the policy has no Statement"),
                problems=(PolicyProblem("P/Statement", "the policy has no Statement"),),
                path="P",
            ),
            id="no Statement",
        ),
        pytest.param(
            {"Statement": [], "statement": [statement()]},
            Policy(
                unknown=Unknown("Statement stands twice"),
                problems=(PolicyProblem("P/Statement", "Statement stands twice"),),
                path="P",
            ),
            id="Statement twice, in two cases",
        ),
        pytest.param(
            '{"Statement": [], "Statement": []}',
            Policy(
                unknown=Unknown("Statement stands twice in one object"),
                problems=(PolicyProblem("P", "Statement stands twice in one object"),),
                path="P",
            ),
            id="Statement twice in JSON text",
        ),
        pytest.param(
            {"Statement": []},
            Policy(
                problems=(PolicyProblem("P/Statement", "the list of statements is empty"),), path="P", size=16
            ),
            id="no statement in the list",
        ),
        pytest.param(
            Unknown("parameter Policy has no default"),
            Policy(unknown=Unknown("parameter Policy has no default"), path="P"),
            id="unknown: no problem of the document's",
        ),
        pytest.param(
            {"Statement": Unknown("a transform makes it")},
            Policy(unknown=Unknown("a transform makes it"), path="P"),
            id="unknown statements",
        ),
    ],
)
def test_a_document_that_cannot_be_read_is_unknown_as_a_whole(document: object, expected: Policy) -> None:
    assert parse_policy(document, path="P") == expected


WHY = Unknown("parameter X has no default")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(WHY, nobody_knows(WHY.reason), id="statement"),
        pytest.param(statement(Effect=WHY), altered(effect=WHY), id="effect"),
        pytest.param(statement(Sid=WHY), PLAIN, id="Sid, which decides nothing"),
        pytest.param(statement(Principal=WHY), altered(principals=WHY), id="principal"),
        pytest.param(statement(Principal={"AWS": WHY}), altered(principals=WHY), id="value of a principal"),
        pytest.param(
            statement(Principal={"AWS": [ROLE, WHY]}), altered(principals=WHY), id="one of two principals"
        ),
        pytest.param(statement(Action=["kms:Sign", WHY]), altered(actions=WHY), id="one of two actions"),
        pytest.param(statement(Resource=WHY), altered(resources=WHY), id="resource"),
        pytest.param(statement(Condition=WHY), altered(conditions=WHY), id="conditions"),
        pytest.param(statement(Condition={"Bool": WHY}), altered(conditions=WHY), id="condition operator"),
        pytest.param(
            statement(Condition={"Bool": {"aws:SecureTransport": WHY}}),
            altered(conditions=(Condition("Bool", "aws:SecureTransport", WHY),)),
            id="condition value",
        ),
        pytest.param(
            Maybe(statement(), "IsProd"), altered(certain=False), id="a statement that may be absent"
        ),
        pytest.param(
            statement(Action=["kms:Sign", Maybe("kms:Verify", "IsProd")]),
            altered(actions=Unknown("an unresolved condition decides which values there are")),
            id="an action that may be absent",
        ),
        pytest.param(
            statement(Principal={"AWS": [Maybe(ROLE, "IsProd")]}),
            altered(principals=Unknown("an unresolved condition decides who the principals are")),
            id="a principal that may be absent",
        ),
    ],
)
def test_what_is_not_known_stays_unknown_and_is_no_problem(raw: object, expected: Statement) -> None:
    assert one(raw) == (expected, ())


def test_positions_and_paths_follow_the_document() -> None:
    policy = parse_policy(
        {"Statement": [statement(Sid="First"), statement(), statement(Effect="x")]},
        path="Properties/KeyPolicy",
    )

    assert [(found.index, found.label, found.path) for found in policy.statements] == [
        (0, "First", "Properties/KeyPolicy/Statement/0"),
        (1, "statement 1", "Properties/KeyPolicy/Statement/1"),
        (2, "statement 2", "Properties/KeyPolicy/Statement/2"),
    ]
    assert [problem.path for problem in policy.problems] == ["Properties/KeyPolicy/Statement/2/Effect"]


def test_a_label_shows_holes_as_a_person_reads_them() -> None:
    found, _ = one(statement(Sid="For" + hole(HoleKind.ENVIRONMENT, "AWS::Region")))

    assert found.label == "For${AWS::Region}"


@pytest.mark.parametrize(
    ("document", "size"),
    [
        pytest.param({"Statement": []}, len('{"Statement":[]}'), id="compact, without spaces"),
        pytest.param('{ "Statement" : [ ] }', len('{"Statement":[]}'), id="text is counted as KMS stores it"),
        pytest.param(
            {"Id": "é", "Statement": []}, len('{"Id":"e","Statement":[]}') + 1, id="bytes, not characters"
        ),
        pytest.param(
            {"Id": hole(HoleKind.GENERATED, "App.Name"), "Statement": []},
            len('{"Id":"","Statement":[]}'),
            id="what is decided later counts nothing",
        ),
        pytest.param({"Id": WHY, "Statement": []}, None, id="unknown"),
    ],
)
def test_the_size_is_that_of_the_compact_document(document: object, size: int | None) -> None:
    assert parse_policy(document).size == size


@pytest.mark.parametrize(
    ("operator", "qualifier", "base", "if_exists"),
    [
        ("StringEquals", "", "stringequals", False),
        ("stringlikeifexists", "", "stringlike", True),
        ("ForAnyValue:StringLike", "foranyvalue", "stringlike", False),
        ("FORALLVALUES:ArnNotEqualsIfExists", "forallvalues", "arnnotequals", True),
        ("Null", "", "null", False),
    ],
)
def test_the_parts_of_a_condition_operator(operator: str, qualifier: str, base: str, if_exists: bool) -> None:
    condition = Condition(operator, "AWS:PrincipalArn", ("x",))

    assert (condition.qualifier, condition.base, condition.if_exists) == (qualifier, base, if_exists)
    assert condition.folded_key == "aws:principalarn"


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        (Principal("*", "*"), "*"),
        (Principal("AWS", ROLE), f"AWS:{ROLE}"),
        (Principal("AWS", hole(HoleKind.GENERATED, "App.Role.Arn")), "AWS:${App.Role.Arn}"),
    ],
)
def test_a_principal_as_a_person_reads_it(principal: Principal, expected: str) -> None:
    assert str(principal) == expected


def test_the_default_key_policy_trusts_the_account_with_everything() -> None:
    assert default_key_policy("aws-cn", "111122223333").statements == (
        Statement(
            index=0,
            effect=Effect.ALLOW,
            sid="DefaultKeyPolicy",
            principals=(Principal("AWS", ROOT.replace("arn:aws:", "arn:aws-cn:")),),
            actions=("kms:*",),
            resources=("*",),
            path="Statement/0",
        ),
    )


# --- properties ---------------------------------------------------------------------------------------------

_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["Allow", "Deny", "*", ROLE, "kms:*"]),
)
_KEYS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        [
            "Statement",
            "statement",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
            "Sid",
            "AWS",
            "Service",
            "StringEquals",
            "kms:ViaService",
        ]
    ),
)
ANY_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=25,
)
ANY_RESOLVED = st.recursive(
    _LEAVES | st.builds(Unknown, st.text(max_size=4)),
    lambda inner: (
        st.lists(inner | st.builds(Maybe, inner, st.just("IsProd")), max_size=4)
        | st.dictionaries(_KEYS, inner, max_size=5)
    ),
    max_leaves=25,
)


def _understood(policy: Policy) -> bool:
    """Whether nothing about the policy is unknown."""
    return policy.unknown is None and not any(
        is_unknown(value)
        for found in policy.statements
        for value in (found.effect, found.principals, found.actions, found.resources, found.conditions)
    )


@given(ANY_RESOLVED)
def test_reading_never_raises_and_never_loses_a_statement(document: object) -> None:
    for given_document in (document, {"Statement": document}, {"Statement": [statement(), document]}):
        policy = parse_policy(given_document)

        assert isinstance(policy, Policy)
        if isinstance(given_document, dict) and isinstance(given_document.get("Statement"), list):
            duplicated = sum(str(key).lower() == "statement" for key in given_document) > 1
            assert is_unknown(policy.unknown) or not duplicated
            assert duplicated or len(policy.statements) == len(given_document["Statement"])


@given(ANY_JSON)
def test_plain_json_that_is_not_understood_is_always_a_problem(document: object) -> None:
    for given_document in (document, {"Statement": document}, {"Statement": [document]}):
        policy = parse_policy(given_document)

        assert _understood(policy) or policy.problems


@given(st.dictionaries(_KEYS, ANY_JSON, max_size=4))
def test_json_text_reads_as_the_object_it_is_text_of(document: dict[str, object]) -> None:
    text = json.dumps(document)

    assert parse_policy(text) == parse_policy(json.loads(text))


@given(st.text(max_size=40))
def test_text_never_raises(text: str) -> None:
    policy = parse_policy(text)

    assert policy.unknown is not None
    assert policy.problems


_STATEMENTS = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Principal": st.dictionaries(
            st.sampled_from(["AWS", "Service"]), st.sampled_from([ROLE, ROOT, "*"]), min_size=1
        ),
        "Action": st.sampled_from(["kms:Decrypt", "kms:*", "kms:Create*"]),
        "Resource": st.just("*"),
    }
)


@given(st.lists(_STATEMENTS, min_size=1, max_size=4))
def test_a_scalar_means_the_same_as_a_list_of_one(statements: list[dict[str, Any]]) -> None:
    def listed(raw: dict[str, Any]) -> dict[str, Any]:
        principal = {kind: [value] for kind, value in raw["Principal"].items()}
        return {**raw, "Principal": principal, "Action": [raw["Action"]], "Resource": [raw["Resource"]]}

    plain = parse_policy({"Statement": statements})

    assert parse_policy({"Statement": [listed(raw) for raw in statements]}).statements == plain.statements
    assert plain.problems == ()


_CHARACTERS = st.text(
    st.sampled_from("\x00\x08\t\n\r\x1f\x7f\x80\xff\u0100\\\"/'")
    | st.characters(codec="utf-8", exclude_characters=OPEN + CLOSE),
    max_size=6,
)
_MEMBERS = (
    _CHARACTERS | st.lists(_CHARACTERS, max_size=2) | st.dictionaries(_CHARACTERS, _CHARACTERS, max_size=2)
)


@given(
    st.dictionaries(
        st.sampled_from(["Sid", "Action", "Resource", "Other"]) | _CHARACTERS, _MEMBERS, max_size=4
    )
)
def test_the_size_and_the_characters_of_any_statement(raw: dict[str, object]) -> None:
    """Most statements are plain ASCII and weighed in a shorter way: it has to say the same."""
    policy = parse_policy({"Statement": [raw]})
    everything = json.dumps([raw], separators=(",", ":"), ensure_ascii=False)
    assert policy.size == len('{"Statement":}') + len(everything.encode())

    def texts(value: object) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for pair in value.items():
                yield from texts(list(pair))
        else:
            for one in value if isinstance(value, list) else []:
                yield from texts(one)

    refused = [
        char for text in texts(raw) for char in text if char not in "\t\n\r" and not "\x20" <= char <= "\xff"
    ]
    told = [problem.message for problem in policy.problems if "it holds the character" in problem.message]
    assert told == [
        f"it holds the character U+{ord(char):04X}, and KMS takes none beyond U+00FF" for char in refused[:1]
    ]
