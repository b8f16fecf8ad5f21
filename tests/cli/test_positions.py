"""The line of a finding, in every format, for everything that stands between a text and what it means."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from junitparser import JUnitXml

from tests.cli.conftest import Run

COMMAND = [sys.executable, "-c", "from kms_constructs.cli.main import main; main()"]

ROOT = '{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}'
PUBLIC = '{"Sid": "Public", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}'
POLICY_TEXT = json.dumps(f'{{"Statement": [{ROOT}, {PUBLIC}]}}')
NO_VALUE = '{"Ref": "AWS::NoValue"}'


def json_template(*statements: str, before: str = "") -> str:
    listed = ",\n".join(statements)
    return f"""\
{{
 "Parameters": {{"Stage": {{"Type": "String"}}}},
 "Conditions": {{
  "Never": {{"Fn::Equals": ["a", "b"]}},
  "Always": {{"Fn::Equals": ["a", "a"]}},
  "Open": {{"Fn::Equals": [{{"Fn::ImportValue": "stage"}}, "prod"]}}
 }},
 "Resources": {{{before}
  "Key": {{
   "Type": "AWS::KMS::Key",
   "Properties": {{
    "KeyPolicy": {{
     "Statement": [
{listed}
     ]
    }}
   }}
  }}
 }}
}}
"""


YAML_HEAD = """\
Conditions:
  Never: !Equals [a, b]
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
"""
YAML_ROOT = """\
          - Effect: Allow
            Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}
            Action: kms:*
            Resource: "*"
"""
YAML_PUBLIC = """\
          - Sid: Public
            Effect: Allow
            Principal: "*"
            Action: kms:Decrypt
            Resource: "*"
"""


@dataclass(frozen=True)
class Case:
    """Files, of which the first is judged, and where the public statement stands.

    Args:
        files: Text by name.
        line, column: Counted from 1.
        path: What the finding says; it counts the statements that are there after resolution.
        source: The file that the line is of; the one that is judged, unless it says otherwise.
    """

    files: dict[str, str]
    line: int
    column: int
    path: str = "Properties/KeyPolicy/Statement/1"
    source: str = ""


CASES = {
    "JSON": Case({"t.json": json_template(ROOT, PUBLIC)}, 15, 1),
    "JSON on one line": Case(
        {"t.json": json.dumps(json.loads(json_template(ROOT, PUBLIC)))},
        1,
        json.dumps(json.loads(json_template(ROOT, PUBLIC))).index(PUBLIC) + 1,
    ),
    "JSON with the line breaks of Windows": Case(
        {"t.json": json_template(ROOT, PUBLIC).replace("\n", "\r\n")}, 15, 1
    ),
    "JSON in a file that says YAML": Case({"t.yaml": json_template(ROOT, PUBLIC)}, 15, 1),
    "one statement without a list": Case(
        {
            "t.json": '{"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {\n'
            f' "Statement":\n  {PUBLIC}}}}}}}}}}}'
        },
        2,
        2,
        "Properties/KeyPolicy/Statement/0",
    ),
    "elements in lower case": Case(
        {"t.json": json_template(ROOT, PUBLIC).replace('"Statement"', '"statement"')}, 15, 1
    ),
    "an If without a value first": Case(
        {"t.json": json_template(f'{{"Fn::If": ["Never", {ROOT}, {NO_VALUE}]}}', ROOT, PUBLIC)}, 16, 1
    ),
    "no value": Case({"t.json": json_template(NO_VALUE, ROOT, NO_VALUE, PUBLIC)}, 17, 1),
    "in the branch of an If": Case(
        {"t.json": json_template(ROOT, f'{{"Fn::If": ["Never", {ROOT},\n    {PUBLIC}]}}')}, 16, 5
    ),
    "in the branch of an If in an If": Case(
        {
            "t.json": json_template(
                ROOT,
                f'{{"Fn::If": ["Always", {{"Fn::If": ["Never", {NO_VALUE},\n  {PUBLIC}]}}, {NO_VALUE}]}}',
            )
        },
        16,
        3,
    ),
    "in the branch of an If that is open": Case(
        {"t.json": json_template(f'{{"Fn::If": ["Open", {ROOT},\n {ROOT}]}}', PUBLIC)}, 16, 1
    ),
    "after an If that is open": Case(
        {"t.json": json_template(f'{{"Fn::If": ["Open", {NO_VALUE}, {ROOT}]}}', ROOT, PUBLIC)},
        16,
        1,
        "Properties/KeyPolicy/Statement/2",
    ),
    "a list that an If decides": Case(
        {
            "t.json": json_template("STATEMENTS").replace(
                '"Statement": [\nSTATEMENTS\n     ]',
                f'"Statement": {{"Fn::If": ["Always", [{NO_VALUE}, {ROOT},\n{PUBLIC}], []]}}',
            )
        },
        14,
        1,
    ),
    "a list that an open If decides": Case(
        {
            "t.json": json_template("STATEMENTS")
            .replace(
                '"Statement": [\nSTATEMENTS\n     ]',
                f'"Statement": {{"Fn::If": ["Open", [{ROOT}], [\n{ROOT},\n{PUBLIC}]]}}',
            )
            # Whether it is there at all is known of no other condition than one that parameters decide.
            .replace('{"Fn::ImportValue": "stage"}', '{"Ref": "Stage"}')
        },
        15,
        1,
    ),
    "a policy that an If decides": Case(
        {
            "t.json": '{"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}, "Resources": {"Key": {\n'
            '"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Fn::If": ["Never",\n'
            f'{{"Statement": [{ROOT}]}},\n{{"Statement": [{ROOT},\n{PUBLIC}]}}]}}}}}}}}}}'
        },
        5,
        1,
    ),
    "a policy as JSON text": Case(
        {
            "t.json": '{"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {\n"KeyPolicy": '
            f"{POLICY_TEXT}}}}}}}}}"
        },
        2,
        1,
    ),
    "a policy that is written as JSON text": Case(
        {
            "t.json": '{"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy":\n'
            f'{{"Fn::ToJsonString": {{"Statement": [\n{ROOT},\n{PUBLIC}]}}}}}}}}}}}}'
        },
        4,
        1,
    ),
    "a loop": Case(
        {
            "t.json": '{"Transform": "AWS::LanguageExtensions", "Resources": {\n'
            '"Fn::ForEach::Keys": ["Name", ["Orders"], {\n"${Name}Key": {"Type": "AWS::KMS::Key", '
            f'"Properties": {{"KeyPolicy":\n{{"Statement": [{ROOT},\n {PUBLIC}]}}}}}}}}]}}}}'
        },
        5,
        2,
    ),
    "a loop in a loop": Case(
        {
            "t.json": '{"Transform": "AWS::LanguageExtensions", "Resources": {\n'
            '"Fn::ForEach::Keys": ["Name", ["Orders"], {\n"Fn::ForEach::${Name}Parts": ["Part", ["A"], {\n'
            '"${Name}${Part}Alias": {"Type": "AWS::KMS::Alias"},\n'
            '"${Name}${Part}": {"Type": "AWS::KMS::Key", '
            f'"Properties": {{"KeyPolicy":\n{{"Statement": [{ROOT},\n {PUBLIC}]}}}}}}}}]}}]}}}}'
        },
        7,
        2,
    ),
    "a nested stack": Case(
        {
            "parent.json": '{"Resources": {"Child": {"Type": "AWS::CloudFormation::Stack", '
            '"Properties": {"TemplateURL": "child.json"}}}}',
            "child.json": json_template(ROOT, PUBLIC),
        },
        15,
        1,
        source="child.json",
    ),
    "a key policy": Case({"p.json": f'{{"Statement": [\n{ROOT},\n {PUBLIC}]}}'}, 3, 2, "Statement/1"),
    "a key policy as AWS prints it": Case(
        {"p.json": f'{{\n"Policy": {POLICY_TEXT}}}'},
        2,
        1,
        "Statement/1",
    ),
    "YAML": Case(
        {
            "t.yaml": f"{YAML_HEAD}      KeyPolicy:\n        Statement:\n{YAML_ROOT}{YAML_PUBLIC}",
        },
        13,
        13,
    ),
    "YAML with an If without a value": Case(
        {
            "t.yaml": f"{YAML_HEAD}      KeyPolicy:\n        Statement:\n"
            f"          - !If [Never, {ROOT}, !Ref AWS::NoValue]\n{YAML_ROOT}{YAML_PUBLIC}",
        },
        14,
        13,
    ),
    "YAML in the branch of an If": Case(
        {
            "t.yaml": f"{YAML_HEAD}      KeyPolicy:\n        Statement:\n{YAML_ROOT}          - !If\n"
            f"            - Never\n            - {ROOT}\n            - {PUBLIC}\n",
        },
        16,
        15,
    ),
    "YAML with an anchor": Case(
        {
            "t.yaml": f"Metadata: &public\n  {PUBLIC}\n{YAML_HEAD}      KeyPolicy:\n        Statement:\n"
            f"          - {ROOT}\n          - *public\n"
        },
        12,
        13,
    ),
    "YAML with a policy as text": Case(
        {
            "t.yaml": f"{YAML_HEAD}      KeyPolicy: |\n        {{\n          "
            f'"Statement": [\n            {ROOT},\n            {PUBLIC}]}}\n'
        },
        11,
        13,
    ),
    "YAML with a policy as text with variables": Case(
        {
            "t.yaml": f'{YAML_HEAD}      KeyPolicy: !Sub |\n        {{"Id": "${{AWS::Region}}",\n'
            f'         "Statement": [\n         {ROOT},\n          {PUBLIC}]}}\n'
        },
        11,
        11,
    ),
    "YAML with a folded policy": Case(
        {
            "t.yaml": f'{YAML_HEAD}      KeyPolicy: >\n        {{"Statement": [\n        {ROOT},\n'
            f"        {PUBLIC}]}}\n"
        },
        7,
        7,
    ),
    "YAML with a loop": Case(
        {
            "t.yaml": "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::Keys:\n    - Name\n"
            "    - [Orders]\n    - ${Name}Key:\n        Type: AWS::KMS::Key\n        Properties:\n"
            "          KeyPolicy:\n            Statement:\n"
            f"              - {ROOT}\n              - {PUBLIC}\n"
        },
        12,
        17,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_line_of_a_finding_in_every_format(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in case.files.items():
        Path(name).write_bytes(text.encode("utf-8"))
    given = ("check", *case.files, "--account", "111122223333", "--control", "KMS:004")
    done = run(*given, *(f"-o{name}" for name in ("a.json", "a.sarif", "a.xml", "a.txt")))
    assert done.code == 1, done.err
    source = case.source or next(iter(case.files))

    (found,) = [
        one for one in json.loads(Path("a.json").read_text("utf-8"))["findings"] if one["detail"] == "public"
    ]
    assert (found["location"]["source"], found["path"]) == (source, case.path)
    assert (found["line"], found["column"]) == (case.line, case.column)

    (result,) = [
        one
        for one in json.loads(Path("a.sarif").read_text("utf-8"))["runs"][0]["results"]
        if one["properties"]["findingId"] == "KMS:004[public]"
    ]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": source},
        "region": {"startLine": case.line, "startColumn": case.column},
    }

    (test,) = [one for suite in JUnitXml.fromfile("a.xml") for one in suite if one.name == "KMS:004[public]"]
    assert (test._elem.get("file"), test._elem.get("line")) == (source, str(case.line))
    assert f"at: {source}:{case.line} {case.path}" in test.result[0].text.splitlines()

    assert f"    at  {case.path} ({source}:{case.line})" in Path("a.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (json_template(ROOT, PUBLIC), 15),
        (f'{{"Statement": [\n{ROOT},\n{PUBLIC}]}}', 3),
        (f"{YAML_HEAD}      KeyPolicy:\n        Statement:\n{YAML_ROOT}{YAML_PUBLIC}", 13),
    ],
    ids=["JSON", "a key policy", "YAML"],
)
def test_standard_input_has_lines(text: str, line: int) -> None:
    done = subprocess.run(
        [*COMMAND, "check", "-", "--account", "111122223333", "--control", "KMS:004", "-f", "json"],
        input=text.encode("utf-8"),
        capture_output=True,
        check=False,
    )
    found = [one for one in json.loads(done.stdout)["findings"] if one["detail"] == "public"]
    assert [one["line"] for one in found] == [line]


def test_a_file_that_changes_after_it_was_read_gives_no_other_lines(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kms_constructs.guardrails import engine

    file = tmp_path / "t.json"
    file.write_text(json_template(ROOT, PUBLIC), "utf-8")
    judge = engine.judge

    def judged(*arguments: object, **options: object) -> object:
        file.write_text("\n" * 100, "utf-8")
        return judge(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "judge", judged)
    done = run("check", file, "--account", "111122223333", "--control", "KMS:004", "-f", "json")
    found = [one for one in done.json()["findings"] if one["detail"] == "public"]
    assert [one["line"] for one in found] == [15]


def test_what_is_not_written_has_the_line_of_what_would_hold_it(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text(json_template(ROOT), "utf-8")
    (found,) = run("check", file, "--control", "KMS:001", "-f", "json").json()["findings"]
    assert (found["path"], found["line"]) == ("Properties/EnableKeyRotation", 11)


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        (
            '{"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [\n'
            f'{ROOT},\n{{"Fn::Transform": {{"Name": "AWS::Include"}}}}]}}}}}}}}}}',
            "Properties/KeyPolicy/Statement/1/Principal",
            3,
        ),
        (
            '{"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {\n"Description": "x",\n'
            '"KeyPolicy": {"Fn::Transform": {"Name": "AWS::Include"}}}}}}',
            "Properties/KeyPolicy",
            3,
        ),
    ],
    ids=["as a statement", "as the policy"],
)
def test_an_include_has_the_line_of_what_includes(
    run: Run, tmp_path: Path, text: str, path: str, line: int
) -> None:
    file = tmp_path / "t.json"
    file.write_text(text, "utf-8")
    done = run("check", file, "--account", "111122223333", "--control", "KMS:004", "-f", "json")
    found = [one for one in done.json()["findings"] if one["outcome"] == "undetermined"]
    assert [(one["path"], one["line"]) for one in found] == [(path, line)]


def test_an_octal_account_id_is_told(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(
        f"{YAML_HEAD}      KeyPolicy:\n        Statement:\n{YAML_ROOT}".replace(
            '!Sub "arn:aws:iam::${AWS::AccountId}:root"', "012345670123"
        ),
        "utf-8",
    )
    done = run("check", file, "-f", "json")
    assert done.code == 2
    assert done.json()["problems"] == [
        {
            "source": str(file),
            "logicalId": "",
            "message": "line 10: 012345670123 is octal to YAML, and so the number 1402433619",
            "fix": 'Quote it: "012345670123"',
        }
    ]
