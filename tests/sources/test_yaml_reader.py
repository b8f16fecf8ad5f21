"""YAML as CloudFormation reads it; both of PyYAML's parsers give the same."""

from __future__ import annotations

import pytest
import yaml

from kms_constructs.model.position import Position
from kms_constructs.sources import yaml_reader
from kms_constructs.sources.yaml_reader import MAX_NESTING, Misread, NotYamlError, YamlError, read_yaml


@pytest.fixture(params=["C", "Python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader")


VALUES = {
    "nothing": ("# only a comment", None),
    "plain text": ("a: b c", {"a": "b c"}),
    "booleans of YAML 1.1": ("a: [yes, No, on, OFF, true]", {"a": [True, False, True, False, True]}),
    "text in quotes": ("a: ['yes', \"12\"]", {"a": ["yes", "12"]}),
    "text that says so": ("a: [!!str 12, ! 12]", {"a": ["12", "12"]}),
    "numbers": (
        "a: [12, 0x1f, 017, 1_000, 1.5, .inf, 1e3]",
        {"a": [12, 31, 15, 1000, 1.5, float("inf"), "1e3"]},
    ),
    "numbers that say so": ("a: [!!int 012, !!float 1, !!bool on, !!null x]", {"a": [10, 1.0, True, None]}),
    "null": ("a: [~, null, '', ]\nb:", {"a": [None, None, ""], "b": None}),
    "dates are text": (
        "a: [2012-10-17, 2020-13-45, 2001-12-14 21:59:43.10 -5]",
        {"a": ["2012-10-17", "2020-13-45", "2001-12-14 21:59:43.10 -5"]},
    ),
    "keys are text as written": (
        "2012-10-17: 1\nyes: 2\n012: 3\n1.10: 4",
        {"2012-10-17": 1, "yes": 2, "012": 3, "1.10": 4},
    ),
    "an account id that is no octal number": (
        "a: [012345678901, 111122223333]",
        {"a": ["012345678901", 111122223333]},
    ),
    "short forms": (
        "a: [!Ref X, !Condition X, !GetAtt A.B.C, !GetAtt [A, B], !Sub '${X}', !Base64 x, !Cidr [a, 1, 2]]",
        {
            "a": [
                {"Ref": "X"},
                {"Condition": "X"},
                {"Fn::GetAtt": ["A", "B.C"]},
                {"Fn::GetAtt": ["A", "B"]},
                {"Fn::Sub": "${X}"},
                {"Fn::Base64": "x"},
                {"Fn::Cidr": ["a", 1, 2]},
            ]
        },
    ),
    "a short form's text is text": ("a: !Ref 012", {"a": {"Ref": "012"}}),
    "short forms of objects": (
        "a: !Transform {Name: AWS::Include}\nb: !Sub\n - ${x}\n - x: 1",
        {"a": {"Fn::Transform": {"Name": "AWS::Include"}}, "b": {"Fn::Sub": ["${x}", {"x": 1}]}},
    ),
    "short forms in short forms": (
        "a: !If [X, !Ref Y, !GetAtt Z.A]",
        {"a": {"Fn::If": ["X", {"Ref": "Y"}, {"Fn::GetAtt": ["Z", "A"]}]}},
    ),
    "aliases": ("a: &x [1]\nb: *x\nc: {d: *x}", {"a": [1], "b": [1], "c": {"d": [1]}}),
    "an alias as a key": ("a: &x k\n*x : 1", {"a": "k", "k": 1}),
    "merges": ("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}", {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 3}}),
    "merges of several": ("a: {<<: [{p: 1}, {p: 2, q: 2}], r: 3}", {"a": {"p": 1, "q": 2, "r": 3}}),
    "a text that looks like a merge": ("a: {'<<': 1}", {"a": {"<<": 1}}),
    "blocks": ("a: |\n  x\n  y\nb: >\n  x\n  y\n", {"a": "x\ny\n", "b": "x y\n"}),
    "deep enough": ("[" * MAX_NESTING + "]" * MAX_NESTING, None),
}


@pytest.mark.parametrize(("text", "data"), VALUES.values(), ids=VALUES.keys())
def test_values(text: str, data: object) -> None:
    found = read_yaml(text).data
    if data is None and found is not None:
        depth = 0
        while isinstance(found, list):
            found, depth = (found[0] if found else None), depth + 1
        assert depth == MAX_NESTING
    else:
        assert found == data


BOMB = "a0: &a0 [x]\n" + "".join(
    f"a{index}: &a{index} [{', '.join([f'*a{index - 1}'] * 10)}]\n" for index in range(1, 10)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{index}: &a{index} [*a{index - 1}]\n" for index in range(1, 300))
# Text, what is wrong, and where.
REFUSED = {
    "a key twice": ("a: 1\nb: 2\na: 3", "a stands on line 1 already", (3, 1)),
    "a key twice, deep": ("x:\n  - y: {a: 1, a: 2}", "x.0.y.a stands on line 2 already", (2, 15)),
    "a key twice, written in two ways": ("a: 1\n'a': 2", "a stands on line 1 already", (2, 1)),
    "a null key": ("~: 1", "a key is null", (1, 1)),
    "an object as a key": ("? {a: 1}\n: 1", "a key is no text", (1, 3)),
    "a short form as a key": ("!Ref a: 1", "a key is no text", (1, 1)),
    "a second document": ("a: 1\n---\nb: 2", "there is a second document", (2, 1)),
    "an alias into itself": ("a: &a [*a]", "an alias points into itself", (1, 8)),
    "an alias of nothing": ("a: *x", "there is no anchor for the alias *x", (1, 4)),
    "an alias that multiplies": (BOMB, "its YAML aliases stand for more than 250000 values", (7, 10)),
    "an alias that nests": (CHAIN, "it is nested more than 200 levels deep", (200, 14)),
    "deep lists": ("a: " + "[" * 100_000, "it is nested more than 200 levels deep", (1, 203)),
    "deep objects": ("{a: " * 300, "it is nested more than 200 levels deep", (1, 801)),
    "deep blocks": ("- " * 300 + "x", "it is nested more than 200 levels deep", (1, 401)),
    "a merge of a text": ("a: {<<: b}", "<< takes the members of an object", (1, 9)),
    "a number that is none": ("a: !!int x", "invalid literal for int() with base 10: 'x'", (1, 4)),
    "a boolean that is none": ("a: !!bool x", "'x' is no bool", (1, 4)),
    "a tag that runs code": (
        "a: !!python/object/apply:os.system [ls]",
        "the tag !!python/object/apply:os.system is not known",
        (1, 4),
    ),
    "a tag that CloudFormation does not take": ("a: !!binary abc", "the tag !!binary is not known", (1, 4)),
    "a tag of another program": ("a: !<tag:x.org,2000:x> b", "the tag tag:x.org,2000:x is not known", (1, 4)),
}


@pytest.mark.parametrize(("text", "problem", "place"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(text: str, problem: str, place: tuple[int, int]) -> None:
    with pytest.raises(YamlError) as raised:
        read_yaml(text)
    assert (raised.value.problem, raised.value.position) == (problem, Position(*place))
    assert raised.value.fix


@pytest.mark.parametrize("text", ["a: [1\n", "a:\n\t- b", "a: 'b", "a: b: c", "a: \x07", "}"])
def test_what_is_no_yaml(text: str) -> None:
    with pytest.raises(NotYamlError):
        read_yaml(text)


def test_an_account_id_in_octal_is_told() -> None:
    document = read_yaml("a: [012345670123, '012345670123', 012345670]")
    assert document.misread == (Misread("012345670123", 1402433619, Position(1, 5)),)


def test_the_limit_of_aliases_is_one_for_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_reader, "MAX_ALIASED", 4)
    assert read_yaml("a: &x [1]\nb: [*x, *x]").data == {"a": [1], "b": [[1], [1]]}
    with pytest.raises(YamlError, match="more than 4 values"):
        read_yaml("a: &x [1]\nb: [*x, *x, *x]")


POSITIONS = """\
top:
  list:
    - one
    - {x: 1, y: &anchor [2]}
    - *anchor
  merged:
    <<: &base {p: 1, q: 2}
    q: 3
  short: !Sub text
"""


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        ((), (1, 1)),
        (("top",), (1, 1)),
        (("top", "list", 0), (3, 7)),
        (("top", "list", 1, "y"), (4, 14)),
        (("top", "list", 1, "y", 0), (4, 26)),
        (("top", "list", 2), (5, 7)),
        (("top", "list", 2, 0), (4, 26)),
        (("top", "merged", "p"), (7, 16)),
        (("top", "merged", "q"), (8, 5)),
        (("top", "short"), (9, 3)),
        (("top", "short", "Fn::Sub"), (9, 10)),
        (("top", "none", "x"), (1, 1)),
    ],
)
def test_positions(pointer: tuple[str | int, ...], place: tuple[int, int]) -> None:
    assert read_yaml(POSITIONS).marks.position(pointer) == Position(*place)
