from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.model.estate import Location
from kms_constructs.reports.lines import Node, SourceLines, json_nodes
from tests.reports.samples import finding

JSON = """\
{
  "Resources": {
    "Key": {
      "Type": "AWS::KMS::Key",
      "Properties": {
        "EnableKeyRotation": false,
        "KeyPolicy": {
          "Statement": [
            {"Sid": "A, {[\\":", "Action": "kms:*"},
            {
              "Sid": "B",
              "Action": [
                "kms:Decrypt",
                "kms:Create*"
              ]
            }
          ]
        }
      }
    }
  }
}
"""
YAML = """\
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      EnableKeyRotation: !If [Prod, true, false]
      KeyPolicy:
        Statement:
          - Sid: A
            Action: kms:*
          - Sid: B
            Action:
              - kms:Decrypt
              - !Sub kms:${Verb}*
"""
POLICY = """\
{"Version": "2012-10-17",
 "Statement": [
   {"Effect": "Allow",
    "Action": "kms:*"}]}
"""


@pytest.mark.parametrize(
    ("document", "logical_id", "path", "line"),
    [
        pytest.param(("t.json", JSON), "Key", "", 3, id="json-resource"),
        pytest.param(("t.json", JSON), "Key", "Properties/EnableKeyRotation", 6, id="json-property"),
        pytest.param(("t.json", JSON), "Key", "Properties/KeyPolicy/Statement/1", 10, id="json-element"),
        pytest.param(
            ("t.json", JSON), "Key", "Properties/KeyPolicy/Statement/1/Action/1", 14, id="json-deep"
        ),
        pytest.param(("t.json", JSON), "Key", "Properties/Tags", 5, id="json-absent-property"),
        pytest.param(("t.json", JSON), "Other", "Properties", None, id="json-no-such-resource"),
        pytest.param(("t.yaml", YAML), "Key", "", 2, id="yaml-resource"),
        pytest.param(("t.yaml", YAML), "Key", "Properties/EnableKeyRotation", 5, id="yaml-short-form"),
        pytest.param(
            ("t.yaml", YAML), "Key", "Properties/KeyPolicy/Statement/1/Action/1", 13, id="yaml-deep"
        ),
        pytest.param(("p.json", POLICY), "", "Statement/0/Action", 4, id="policy"),
        pytest.param(("t.json", JSON[:-10]), "Key", "", None, id="broken-json"),
        pytest.param(("t.yaml", "a: ["), "Key", "", None, id="broken-yaml"),
        pytest.param(("t.yaml", ""), "Key", "", None, id="empty"),
    ],
)
def test_lines(
    tmp_path: Path, document: tuple[str, str], logical_id: str, path: str, line: int | None
) -> None:
    name, text = document
    file = tmp_path / name
    file.write_text(text, "utf-8")
    found = finding(location=Location(str(file), "", logical_id), path=path)
    assert SourceLines().line_of(found) == line


@pytest.mark.parametrize("source", ["no/such/file.json", "", "-", "arn:aws:kms:eu-west-1:111122223333:key/1"])
def test_what_is_no_file_has_no_lines(source: str) -> None:
    assert SourceLines().line_of(finding(location=Location(source, "", "Key"))) is None


def test_a_file_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text(JSON, "utf-8")
    lines = SourceLines()
    found = finding(location=Location(str(file), "", "Key"))
    assert lines.line_of(found) == 3
    file.unlink()
    assert lines.line_of(found) == 3


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def shape(value: object) -> object:
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return {str(index): shape(item) for index, item in enumerate(value)}
    return {}


def shape_of(node: Node) -> object:
    return {name: shape_of(member) for name, member in node.members.items()}


@given(VALUES, st.sampled_from([None, 1, 4]), st.booleans())
def test_json_of_any_shape_is_followed(value: object, indent: int | None, ascii_only: bool) -> None:
    node = json_nodes(json.dumps(value, indent=indent, ensure_ascii=ascii_only))
    assert node is not None
    assert shape_of(node) == shape(value)


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    assert json_nodes(text) is None or isinstance(json_nodes(text), Node)
