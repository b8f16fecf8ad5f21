"""Files and directories: what is read, what is passed over, what is a problem."""

import importlib
import json
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from kms_constructs import sources
from kms_constructs.errors import SourceError
from kms_constructs.model.estate import Deployment, Estate, SourceProblem
from kms_constructs.model.policy import Policy, parse_policy
from kms_constructs.sources import files, load, policy_file
from kms_constructs.sources.cloudformation import assembly
from kms_constructs.sources.decode import decode_document
from kms_constructs.sources.reader import Document, Reader
from kms_constructs.sources.registry import READERS
from tests.sources.support import ACCOUNT, ANY_ACCOUNT

TEMPLATE = {"Resources": {"Key": {"Type": "AWS::KMS::Key"}}}
YAML = (
    "Resources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      Description: !Sub '${AWS::Region}'\n"
)
KEY_POLICY = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ]
}
BUCKET_POLICY = {
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]
}
IAM_POLICY = {"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
WHAT = "Give a CloudFormation template, a cdk.out directory or a key policy"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(path: str, content: object) -> None:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def _problems(estate: Estate) -> list[tuple[str, str]]:
    return [(problem.source, problem.message) for problem in estate.problems]


@pytest.mark.usefixtures("root")
class TestFiles:
    @pytest.mark.parametrize(
        ("name", "content", "key"),
        [
            ("a.json", TEMPLATE, "a.Key"),
            ("a.template", TEMPLATE, "a.Key"),
            ("a", TEMPLATE, "a.Key"),
            ("a.yaml", YAML, "a.Key"),
            ("a.template", YAML, "a.Key"),
            ("policy.json", KEY_POLICY, "policy.json"),
            ("policy.json", {"Policy": json.dumps(KEY_POLICY), "PolicyName": "default"}, "policy.json"),
        ],
        ids=[
            "JSON",
            "JSON template",
            "no ending",
            "YAML",
            "YAML template",
            "policy",
            "printed",
        ],
    )
    def test_what_is_named_is_read(self, name: str, content: object, key: str) -> None:
        _write(name, content)
        estate = load([name], account=ACCOUNT, region="eu-west-1")
        assert [(found.id, found.account, found.region) for found in estate.keys] == [
            (key, ACCOUNT, "eu-west-1")
        ]
        assert (estate.problems, estate.sources) == ((), (name,))

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (
                {"KeyUsage": "x"},
                "it is neither a template (no Resources) nor a Terraform plan (no format_version) nor "
                "saved answers (no kms-constructs-answers) nor a key "
                "policy (no Statement)",
            ),
            ([1], "it holds a list and no object"),
            ("1", "it holds a value and no object"),
            ({"Resources": []}, "Resources is no object"),
            ({"artifacts": {}}, "it is the manifest of no assembly"),
            ("", "the file is empty"),
            ("{", "it is not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
        ],
        ids=["API answer", "list", "number", "bad template", "stray manifest", "empty", "broken"],
    )
    def test_what_is_named_and_is_nothing_is_a_problem(self, content: object, message: str) -> None:
        _write("a.json", content)
        assert _problems(load(["a.json"])) == [("a.json", message)]

    def test_one_broken_file_does_not_stop_the_others(self) -> None:
        _write("a.json", "{")
        _write("b.json", TEMPLATE)
        estate = load(["a.json", "b.json", "c.json"])
        assert [key.id for key in estate.keys] == ["b.Key"]
        assert [source for source, _ in _problems(estate)] == ["a.json", "c.json"]

    def test_a_file_is_read_once(self) -> None:
        _write("d/a.json", TEMPLATE)
        assert [key.id for key in load(["d/a.json", "d", "d/../d/a.json"]).keys] == ["a.Key"]

    def test_files_of_one_name_are_told_apart(self) -> None:
        _write("one/a.json", TEMPLATE)
        _write("two/a.json", TEMPLATE)
        assert [key.id for key in load(["one", "two"]).keys] == ["a.Key", "a#2.Key"]


@pytest.mark.usefixtures("root")
class TestDirectories:
    def test_templates_and_key_policies_are_found_and_all_else_is_passed_over(self) -> None:
        _write("d/a.json", TEMPLATE)
        _write("d/sub/b.yml", YAML)
        _write("d/sub/key-policy.json", KEY_POLICY)
        _write("d/bucket-policy.json", BUCKET_POLICY)
        _write("d/iam-policy.json", IAM_POLICY)
        _write("d/package.json", {"name": "x"})
        _write("d/tsconfig.json", "{ // comments\n}")
        _write("d/ci.yaml", "steps:\n- !bad\n\t x")
        _write("d/.hidden/c.json", TEMPLATE)
        _write("d/node_modules/c.json", TEMPLATE)
        _write("d/readme.txt", "text")
        estate = load(["d"])
        assert [key.id for key in estate.keys] == ["a.Key", "b.Key", str(Path("d/sub/key-policy.json"))]
        assert estate.problems == ()

    def test_a_broken_template_is_a_problem(self) -> None:
        # A mistake that every version of Python words alike.
        _write("d/a.json", '{"Resources": {"Key": {"Type": "AWS::KMS::Key"}')
        message = "it is not JSON: Expecting ',' delimiter at line 1, column 48"
        assert _problems(load(["d"])) == [(str(Path("d/a.json")), message)]

    def test_an_empty_directory_is_a_problem(self) -> None:
        Path("d").mkdir()
        assert _problems(load(["d"])) == [
            (
                "d",
                "the directory holds no template, assembly, Terraform plan, file of saved answers or key "
                "policy",
            )
        ]

    def test_nested_templates_are_resolved_with_their_parent(self) -> None:
        stack = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "./child.yaml"}}
        _write("d/parent.json", {"Resources": {"Child": stack}})
        _write("d/child.yaml", YAML)
        assert [key.id for key in load(["d"]).keys] == ["parent.Child.Key"]


@pytest.mark.usefixtures("root")
class TestOptions:
    def test_parameters(self) -> None:
        parameters = {"Text": {"Type": "String"}}
        key = {"Type": "AWS::KMS::Key", "Properties": {"Description": {"Ref": "Text"}}}
        _write("a.json", {"Parameters": parameters, "Resources": {"Key": key}})
        estate = load(["a.json"], parameters={"Text": "given", "Tex": "x"})
        assert [key.description for key in estate.keys] == ["given"]
        assert _problems(estate) == [("parameters", "no template has a parameter 'Tex'")]

    def test_organization_policies(self) -> None:
        _write("a.json", TEMPLATE)
        _write("scp.json", IAM_POLICY)
        _write("rcp.json", BUCKET_POLICY)
        _write("none.json", {})
        estate = load(["a.json"], scps=["scp.json"], rcps=["rcp.json", "none.json"])
        assert [len(policy.statements) for policy in estate.organization.scps] == [1]
        assert [len(policy.statements) for policy in estate.organization.rcps] == [1]
        assert _problems(estate) == [("none.json", "it is no policy: it has no Statement")]

    def test_the_account_is_unknown_when_nobody_says_it(self) -> None:
        _write("a.json", TEMPLATE)
        assert [key.account for key in load(["a.json"]).keys] == [ANY_ACCOUNT]

    @pytest.mark.parametrize("account", ["1234", "12345678901x", "", "1234567890123"])
    def test_an_account_that_is_none(self, account: str) -> None:
        with pytest.raises(SourceError, match="is no account id"):
            load(["a.json"], account=account)

    def test_no_path(self) -> None:
        with pytest.raises(SourceError, match="no path was given"):
            load([])

    def test_one_path_is_no_list(self) -> None:
        with pytest.raises(SourceError, match="Give a list"):
            load("a.json")


class _Notes(Reader):
    """A kind of input as a new source would add it."""

    kinds: ClassVar[Mapping[str, str]] = {"note": "a note"}
    lacking: ClassVar[str] = "a note (no Note)"
    suffixes: ClassVar[tuple[str, ...]] = (".note",)

    def __init__(self, deployment: Deployment, problems: list[SourceProblem]) -> None:
        super().__init__(deployment, problems)
        self.taken: list[str] = []

    def looks_relevant(self, text: str) -> bool:
        return "Note" in text

    def take(self, document: Document) -> bool:
        taken = isinstance(document.content, Mapping) and "Note" in document.content
        if taken:
            self.taken.append(document.source)
        return taken

    def why_not(self, content: Mapping[str, object]) -> str | None:
        return "it is half a note" if "Not" in content else None

    def parameters(self) -> frozenset[str]:
        return frozenset({"Noted"})

    def estate(self) -> Estate:
        return Estate(sources=tuple(self.taken), unattached_aliases=(f"alias/{self.deployment.account}",))


@pytest.mark.usefixtures("root")
class TestANewKindOfInput:
    """A source is one reader and one line in the registry: everything else follows."""

    @pytest.fixture(autouse=True)
    def _registered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "READERS", (*READERS, _Notes))

    def test_named_and_found_and_merged(self) -> None:
        _write("a.note", {"Note": 1})
        _write("d/b.note", {"Note": 2})
        _write("d/c.note", {"other": 3})
        _write("d/d.json", {"Note": 4})
        _write("d/e.json", TEMPLATE)
        estate = load(["a.note", "d"], account=ACCOUNT)
        assert estate.problems == ()
        assert estate.sources == (str(Path("d/e.json")), "a.note", str(Path("d/b.note")))
        assert estate.unattached_aliases == (f"alias/{ACCOUNT}",)
        assert [key.account for key in estate.keys] == [ACCOUNT]

    def test_why_a_file_is_none(self) -> None:
        _write("a.json", {"Not": 1})
        _write("b.json", {"x": 1})
        assert [message for _, message in _problems(load(["a.json", "b.json"]))] == [
            "it is half a note",
            "it is neither a template (no Resources) nor a Terraform plan (no format_version) nor "
            "saved answers (no kms-constructs-answers) nor a key "
            "policy (no Statement) nor a note (no Note)",
        ]

    def test_its_parameters_are_known(self) -> None:
        _write("a.json", TEMPLATE)
        estate = load(["a.json"], parameters={"Noted": "x", "Other": "x"})
        assert _problems(estate) == [("parameters", "no template has a parameter 'Other'")]


@pytest.mark.usefixtures("root")
class TestReadOnce:
    """What is read is decoded once, and a policy is parsed once."""

    def test_the_manifest_of_an_assembly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "a.template.json"}}
        inner = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Stage"}}
        _write("cdk.out/manifest.json", {"version": "55.0.0", "artifacts": {"A": stack, "S": inner}})
        _write("cdk.out/a.template.json", TEMPLATE)
        _write("cdk.out/assembly-Stage/manifest.json", {"version": "55.0.0", "artifacts": {"A": stack}})
        _write("cdk.out/assembly-Stage/a.template.json", TEMPLATE)
        seen: list[str] = []

        def decoding(text: str, source: str) -> object:
            seen.append(Path(source).relative_to("cdk.out").as_posix())
            return decode_document(text, source)

        monkeypatch.setattr(assembly, "decode_document", decoding)
        assert len(load(["cdk.out"]).keys) == 2
        assert sorted(seen) == [
            "a.template.json",
            "assembly-Stage/a.template.json",
            "assembly-Stage/manifest.json",
            "manifest.json",
        ]

    @pytest.mark.parametrize("paths", [["d"], ["d/policy.json"]], ids=["found", "named"])
    def test_a_key_policy(self, monkeypatch: pytest.MonkeyPatch, paths: list[str]) -> None:
        _write("d/policy.json", KEY_POLICY)
        parsed: list[object] = []

        def parsing(document: object, **more: str) -> Policy:
            parsed.append(document)
            return parse_policy(document, **more)

        monkeypatch.setattr(policy_file, "parse_policy", parsing)
        assert len(load(paths).keys) == 1
        assert len(parsed) == 1


def test_an_organization_policy_as_plain_data(root: Path) -> None:
    (root / "a.json").write_text(json.dumps(TEMPLATE))
    estate = load(["a.json"], scps=[IAM_POLICY, {"Version": "2012-10-17"}], rcps=[KEY_POLICY])
    assert [len(policy.statements) for policy in (*estate.organization.scps, *estate.organization.rcps)] == [
        1,
        1,
    ]
    assert _problems(estate) == [("scp 2", "it is no policy: it has no Statement")]


def test_a_deployment_is_handed_in_once(root: Path) -> None:
    (root / "a.json").write_text(json.dumps(TEMPLATE))
    by_name = load(["a.json"], account=ACCOUNT, region="eu-west-1")
    assert load(["a.json"], Deployment(ACCOUNT, "eu-west-1")) == by_name


def test_every_reader_of_the_package_is_in_the_registry() -> None:
    for module in pkgutil.walk_packages(sources.__path__, f"{sources.__name__}."):
        importlib.import_module(module.name)
    known = {one for one in Reader.__subclasses__() if one.__module__.startswith(f"{sources.__name__}.")}
    assert known == set(READERS)
