from __future__ import annotations

import pytest

from kms_constructs.model.declaration import Tag, tag_value
from kms_constructs.model.unknown import Unknown

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
