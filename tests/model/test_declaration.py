from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.model.declaration import (
    EPHEMERAL_ENVIRONMENTS,
    PRODUCTION_ENVIRONMENTS,
    Declaration,
    Tag,
    is_environment,
    tag_value,
)
from kms_constructs.model.estate import Grant
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown

WHY = Unknown("why")
CASES = {
    "as written": ({"data-classification": "public"}, Tag.DATA_CLASSIFICATION, "public"),
    "camel case": ({"DataClassification": "public"}, Tag.DATA_CLASSIFICATION, "public"),
    "another name": ({"Data Category": "public"}, Tag.DATA_CLASSIFICATION, "public"),
    "the first spelling counts": (
        {"DataCategory": "b", "data_classification": "a"},
        Tag.DATA_CLASSIFICATION,
        "a",
    ),
    "upper case": ({"ENVIRONMENT": "prod"}, Tag.ENVIRONMENT, "prod"),
    "short": ({"Env": "prod"}, Tag.ENVIRONMENT, "prod"),
    "review date": ({"kms:policy-reviewed-on": "2026-01-01"}, Tag.POLICY_REVIEWED_ON, "2026-01-01"),
    "absent": ({"name": "x"}, Tag.SERVICE, None),
    "no tags": ({}, Tag.SERVICE, None),
    "value not known": ({"service": WHY}, Tag.SERVICE, WHY),
    "tags not known": (WHY, Tag.SERVICE, WHY),
}


@pytest.mark.parametrize(("tags", "tag", "expected"), CASES.values(), ids=CASES)
def test_tag_value(tags: object, tag: Tag, expected: object) -> None:
    assert tag_value(tags, tag) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("tag", Tag)
def test_what_the_construct_writes_is_found(tag: Tag) -> None:
    assert tag_value({tag.written: "x"}, tag) == "x"


@pytest.mark.parametrize("name", PRODUCTION_ENVIRONMENTS)
def test_an_environment_is_production_however_it_is_spelt(name: str) -> None:
    for spelt in (name, name.upper(), f" {name.title()} "):
        assert is_environment(spelt, PRODUCTION_ENVIRONMENTS)
        assert not is_environment(spelt, EPHEMERAL_ENVIRONMENTS)


@pytest.mark.parametrize("name", [None, "", "preprod", "staging", "produc"])
def test_nothing_else_is_production(name: str | None) -> None:
    assert not is_environment(name, PRODUCTION_ENVIRONMENTS)


ARNS = st.sampled_from([f"arn:aws:iam::111122223333:role/{name}" for name in ("A", "B", "ops/C")])
GRANTS = st.builds(
    Grant,
    grantee=ARNS,
    operations=st.lists(st.sampled_from(["Decrypt", "Encrypt", "DescribeKey"]), min_size=1).map(tuple),
    retiring=st.none() | ARNS,
    constraints=st.dictionaries(
        st.sampled_from(["EncryptionContextEquals", "EncryptionContextSubset"]),
        st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
        max_size=1,
    ),
    name=st.none() | st.text(min_size=1, max_size=5),
    created_by=st.none() | st.lists(ARNS, min_size=1).map(tuple),
)


@given(
    st.builds(
        Declaration,
        authorised=st.dictionaries(st.sampled_from(["IAM-KMS-2", "IAM-KMS-3"]), st.lists(ARNS).map(tuple)),
        direct_grants=st.lists(GRANTS, max_size=3).map(tuple),
        material_expires=st.none() | st.dates().map(lambda day: day.isoformat()),
    )
)
def test_what_is_written_is_read(declared: Declaration) -> None:
    assert Declaration.from_json(declared.to_json()) == declared


HOLE = hole(HoleKind.ENVIRONMENT, "App.Day")
READ: dict[str, tuple[object, Declaration]] = {
    "no object": ("yes", Declaration()),
    "not known": (WHY, Declaration()),
    "nothing in it": ({}, Declaration()),
    "one authorised, not as a list": (
        {"authorised": {"IAM-KMS-3": "a"}},
        Declaration(authorised={"IAM-KMS-3": ("a",)}),
    ),
    "patterns, doubts and what is no text authorise nobody": (
        {"authorised": {"IAM-KMS-3": ["*", "a?", Maybe("b", "why"), WHY, 7, "c"], "*": "*"}},
        Declaration(authorised={"IAM-KMS-3": ("c",), "*": ()}),
    ),
    "authorised is no table": ({"authorised": ["a"]}, Declaration()),
    "an expiry that is decided at deployment": (
        {"materialExpires": HOLE},
        Declaration(material_expires=Unknown("${App.Day} is decided at deployment")),
    ),
    "an expiry that is no text": (
        {"materialExpires": 2027},
        Declaration(material_expires=Unknown("materialExpires is no date")),
    ),
    "a grant that is no object": (
        {"directGrants": ["Decrypt"]},
        Declaration(
            direct_grants=(
                Grant(Unknown("a declared grant is no object"), Unknown("a declared grant is no object")),
            )
        ),
    ),
    "a grant whose maker may be absent is made by nobody": (
        {"directGrants": [{"grantee": "a", "operations": "Decrypt", "createdBy": [Maybe("b", "why")]}]},
        Declaration(direct_grants=(Grant("a", ("Decrypt",), created_by=()),)),
    ),
    "a grant of which nothing says who makes it": (
        {"directGrants": [{"grantee": "a", "operations": ["Decrypt", WHY]}]},
        Declaration(direct_grants=(Grant("a", Unknown("the operations of a declared grant are not known")),)),
    ),
}


@pytest.mark.parametrize(("declared", "expected"), READ.values(), ids=READ)
def test_what_is_not_understood_gives_nobody_anything(declared: object, expected: Declaration) -> None:
    assert Declaration.from_json(declared) == expected
