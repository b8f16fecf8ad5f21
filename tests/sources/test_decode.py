"""Files that are broken, each with one clear problem; YAML's short forms."""

from pathlib import Path

import pytest

from kms_constructs.errors import SourceError
from kms_constructs.sources.decode import decode, read_text

YAML_FIX = "Correct the file there"
# Name, text, and what the problem says.
BROKEN = {
    "bad JSON": (
        "a.json",
        '{"a": 1,\n "b" 2}',
        "it is not JSON: Expecting ':' delimiter at line 2, column 6",
    ),
    "JSON that ends early": ("a.json", '{"a": [', "it is not JSON: Expecting value at line 1, column 8"),
    "two JSON documents": ("a.json", "{} {}", "it is not JSON: Extra data at line 1, column 4"),
    "a key twice": ("a.json", '{"x": {"a": 1, "a": 2}}', "the key 'a' stands twice in one object"),
    "NaN": ("a.json", '{"a": NaN}', "NaN is no JSON value"),
    "infinity": ("a.json", '{"a": -Infinity}', "-Infinity is no JSON value"),
    "deep JSON": ("a.json", "[" * 100_000, "it is nested more than 200 levels deep"),
    "deep YAML": (
        "a.yaml",
        "a: " + "[" * 300 + "]" * 300,
        "it is nested more than 200 levels deep at line 1, column 203",
    ),
    "a number that is too long": (
        "a.json",
        '{"a": ' + "1" * 5_000 + "}",
        "it holds a number of more than 4,300 digits",
    ),
    "bad YAML": (
        "a.yaml",
        "a: [1,\nb: 2",
        "it is not YAML: did not find expected ',' or ']' at line 3, column 1",
    ),
    "a tab in YAML": (
        "a.yaml",
        "a:\n\t- b",
        "it is not YAML: found character that cannot start any token at line 2, column 1",
    ),
    "a key twice in YAML": (
        "a.yaml",
        "a: 1\na: 2",
        "a stands on line 1 already at line 2, column 1",
    ),
    "a null key in YAML": ("a.yaml", "~: 1", "a key is null at line 1, column 1"),
}


@pytest.mark.parametrize(("name", "text", "problem"), BROKEN.values(), ids=BROKEN.keys())
def test_broken(name: str, text: str, problem: str) -> None:
    with pytest.raises(SourceError) as raised:
        decode(text, name)
    assert raised.value.problem == problem
    assert raised.value.fix


YAML = """
A: !Ref Name
B: !GetAtt Role.Arn
C: !GetAtt [Role, Arn]
D: !Sub "${Name}-x"
E: !Join ["-", [a, !Ref Name]]
F: !If [Cond, !Ref "AWS::NoValue", b]
G: !Equals [a, b]
H: !Condition Yes
I: 2012-10-17
J: "2012-10-17"
K: yes
L: ~
M: 1.5
N: &anchor {x: 1}
O: *anchor
"""


def test_yaml_short_forms() -> None:
    assert decode(YAML, "a.yaml") == {
        "A": {"Ref": "Name"},
        "B": {"Fn::GetAtt": ["Role", "Arn"]},
        "C": {"Fn::GetAtt": ["Role", "Arn"]},
        "D": {"Fn::Sub": "${Name}-x"},
        "E": {"Fn::Join": ["-", ["a", {"Ref": "Name"}]]},
        "F": {"Fn::If": ["Cond", {"Ref": "AWS::NoValue"}, "b"]},
        "G": {"Fn::Equals": ["a", "b"]},
        "H": {"Condition": "Yes"},
        "I": "2012-10-17",
        "J": "2012-10-17",
        "K": True,
        "L": None,
        "M": 1.5,
        "N": {"x": 1},
        "O": {"x": 1},
    }


@pytest.mark.parametrize("name", ["a.template", "a.yaml", "a.json", "a"])
def test_json_is_read_whatever_the_file_is_called(name: str) -> None:
    assert decode(' {"a": [1, true, null]}', name) == {"a": [1, True, None]}


def test_the_flow_style_of_yaml_is_no_json() -> None:
    assert decode("{a: !Ref b}", "a.template") == {"a": {"Ref": "b"}}


def test_anchors_that_multiply_are_refused() -> None:
    text = "a0: &a0 [x]\n" + "".join(
        f"a{index}: &a{index} [{', '.join([f'*a{index - 1}'] * 10)}]\n" for index in range(1, 10)
    )
    with pytest.raises(SourceError, match="YAML aliases"):
        decode(text, "a.yaml")


class TestReadText:
    def test_a_byte_order_mark_is_no_part_of_the_text(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        path.write_bytes(b"\xef\xbb\xbf{}")
        assert read_text(path, "a.json") == "{}"

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"", "the file is empty"),
            (b" \n", "the file is empty"),
            ('{"a": "ä"}'.encode("latin-1"), "it is not UTF-8 text (byte 7)"),
            ("{}".encode("utf-16"), "it is not UTF-8 text (byte 0)"),
        ],
        ids=["empty", "blank", "Latin-1", "UTF-16"],
    )
    def test_what_is_no_text(self, tmp_path: Path, content: bytes, problem: str) -> None:
        path = tmp_path / "a.json"
        path.write_bytes(content)
        with pytest.raises(SourceError) as raised:
            read_text(path, "a.json")
        assert raised.value.problem == problem

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError) as raised:
            read_text(tmp_path / "a.json", "a.json")
        assert raised.value.problem == "it cannot be read: No such file or directory"

    def test_a_file_that_is_far_too_large(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        with path.open("wb") as file:
            file.truncate(65 * 2**20)
        with pytest.raises(SourceError) as raised:
            read_text(path, "a.json")
        assert raised.value.problem == "it cannot be read: it is larger than 64 MB, the most that is read"
