"""Positions of the values of a document, held against the text itself and against the other parser."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.model.position import Position
from kms_constructs.sources import TemplateInput, estate_from_templates
from kms_constructs.sources.positions import DocumentOrigin, JsonMarks, Pointer, at, step
from kms_constructs.sources.yaml_reader import read_yaml

TEXT = st.text()
NAMES = st.text("abcdefgh", min_size=1)


def values(texts: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    return st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=20,
    )


def pointers(value: object, here: Pointer = ()) -> Iterator[Pointer]:
    yield here
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, member in members:
        yield from pointers(member, (*here, key))


@given(values(TEXT), st.sampled_from([None, 0, 1, 4]), st.booleans())
def test_in_json_of_any_shape_every_value_stands_where_its_position_says(
    value: object, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    marks = JsonMarks(text)
    lines = text.split("\n")
    for pointer in pointers(value):
        position = marks.position(pointer)
        rest = "\n".join([lines[position.line - 1][position.column - 1 :], *lines[position.line :]])
        found, end = json.JSONDecoder().raw_decode(rest)
        if pointer and isinstance(pointer[-1], str):
            assert found == pointer[-1]
            found, _ = json.JSONDecoder().raw_decode(rest[end:].lstrip().removeprefix(":").lstrip())
        assert found == at(value, pointer)


@given(values(NAMES), st.sampled_from([None, 1, 4]))
def test_both_parsers_agree(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    document = read_yaml(text)
    assert document.data == value
    for pointer in pointers(value):
        assert document.marks.position(pointer) == JsonMarks(text).position(pointer)


@given(TEXT, st.lists(st.integers(0, 3) | TEXT, max_size=3))
def test_no_text_makes_it_fail(text: str, pointer: list[str | int]) -> None:
    assert JsonMarks(f"[{text}]").position(tuple(pointer)).line >= 1


DOCUMENT = {"a/b": [{"C": 1}], "list": [0, 1], "one": {"x": 1}, "text": '{"y":\n [1]}', "plain": "x"}


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("a/b/0/C", ("a/b", 0, "C")),
        ("a/b/0/c", ("a/b", 0, "C")),
        ("a/b/1", ("a/b",)),
        ("list/1", ("list", 1)),
        ("list/2", ("list",)),
        ("list/x", ("list",)),
        ("list/-1", ("list",)),
        ("list/²", ("list",)),
        ("one/0/x", ("one", "x")),
        ("one/1/x", ("one",)),
        ("text/y/0", ("text",)),
        ("plain/y", ("plain",)),
        ("plain/0", ("plain",)),
        ("none", ()),
        ("", ()),
    ],
)
def test_paths(path: str, pointer: Pointer) -> None:
    marks = JsonMarks(json.dumps(DOCUMENT, indent=1))
    assert DocumentOrigin(DOCUMENT, marks).position(path) == marks.position(pointer)


def test_a_key_that_is_there_is_meant_before_one_in_another_case() -> None:
    assert step({"ACTION": 1, "Action": 2}, ["Action"]) == (("Action",), 1)


def test_a_literal_block_is_looked_into() -> None:
    text = 'a:\n  - |\n\n    {"x":\n      {"y": 1}}\n'
    marks = read_yaml(text).marks
    assert marks.within(("a", 0), Position(3, 4)) == Position(5, 8)
    assert marks.within(("a",), Position(1, 1)) is None


NO_VALUE = {"Ref": "AWS::NoValue"}
CONDITIONS = st.sampled_from(["Yes", "No", "Open"])
ELEMENTS = st.recursive(
    st.just(NO_VALUE) | st.just("statement"),
    lambda inner: st.tuples(CONDITIONS, inner, inner).map(lambda parts: {"Fn::If": list(parts)}),
    max_leaves=4,
)
LISTS = st.lists(ELEMENTS, max_size=4)
STATEMENTS = LISTS | st.tuples(CONDITIONS, LISTS, LISTS).map(lambda parts: {"Fn::If": list(parts)})


def named(node: object, numbers: Iterator[int]) -> object:
    """The node with a statement of its own name in the place of each text that stands for one."""
    if node == "statement":
        return {"Sid": f"S{next(numbers)}", "Effect": "Allow", "Principal": "*", "Action": "kms:*"}
    if isinstance(node, dict):
        return {key: named(value, numbers) for key, value in node.items()}
    return [named(value, numbers) for value in node] if isinstance(node, list) else node


@given(STATEMENTS, st.sampled_from([None, 1]), st.booleans())
def test_whatever_decides_on_statements_each_stands_where_its_position_says(
    statements: object, indent: int | None, in_loop: bool
) -> None:
    policy = {"Statement": named(statements, itertools.count())}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}
    loop = {"Fn::ForEach::Keys": ["Name", ["A", "B"], {"Key${Name}": key}]}
    template = {
        "Parameters": {"P": {"Type": "String"}},
        "Conditions": {
            "Yes": {"Fn::Equals": ["a", "a"]},
            "No": {"Fn::Equals": ["a", "b"]},
            "Open": {"Fn::Equals": ["a", {"Ref": "P"}]},
        },
        "Transform": "AWS::LanguageExtensions",
        "Resources": loop if in_loop else {"Key": key},
    }
    text = json.dumps(template, indent=indent)
    estate = estate_from_templates([TemplateInput(template, "t.json", marks=JsonMarks(text))])
    assert len(estate.keys) == (2 if in_loop else 1)
    lines = text.split("\n")
    for found in estate.keys:
        for statement in found.policy.statements:
            if statement.sid is None:
                continue
            position = found.location.position(statement.path)
            assert position is not None
            rest = "\n".join([lines[position.line - 1][position.column - 1 :], *lines[position.line :]])
            assert json.JSONDecoder().raw_decode(rest)[0]["Sid"] == statement.sid


def test_keys_that_a_loop_makes_stand_where_the_loop_has_them() -> None:
    text = """\
{"Transform": "AWS::LanguageExtensions", "Resources": {"Fn::ForEach::Keys": ["Name", ["A", "B"], {
"${Name}": {
"Type": "AWS::KMS::Key",
"Metadata": {
"A": 1,
"x-${Name}": {
"y": 2}}}}]}}"""
    estate = estate_from_templates([TemplateInput(json.loads(text), "t.json", marks=JsonMarks(text))])
    found = {
        key.location.logical_id: [
            key.location.position(path) for path in ("", "Metadata/x-A", "Metadata/x-B/y", "Metadata/A")
        ]
        for key in estate.keys
    }
    resource, metadata, first, member, inner = (Position(line, 1) for line in (2, 4, 5, 6, 7))
    assert found == {"A": [resource, member, metadata, first], "B": [resource, metadata, inner, first]}
