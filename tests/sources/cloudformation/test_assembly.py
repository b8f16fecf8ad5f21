"""Cloud assemblies from files alone."""

import json
from pathlib import Path

import pytest

from kms_constructs.model.estate import Estate
from kms_constructs.sources import load
from tests.sources.support import ACCOUNT, ANY_ACCOUNT, ANY_REGION

KEY = {"Type": "AWS::KMS::Key"}
UNKNOWN = "aws://unknown-account/unknown-region"


def _stack(file: str, environment: str = UNKNOWN, **more: object) -> dict[str, object]:
    return {
        "type": "aws:cloudformation:stack",
        "environment": environment,
        "properties": {"templateFile": file, **more},
    }


def _write(root: Path, files: dict[str, object]) -> Estate:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return load([root])


def _manifest(**artifacts: object) -> dict[str, object]:
    return {"version": "55.0.0", "artifacts": artifacts}


class TestStacks:
    @pytest.mark.parametrize(
        ("environment", "expected"),
        [
            (UNKNOWN, (ANY_ACCOUNT, ANY_REGION)),
            (f"aws://{ACCOUNT}/eu-west-1", (ACCOUNT, "eu-west-1")),
            (f"aws://{ACCOUNT}/unknown-region", (ACCOUNT, ANY_REGION)),
            ("nonsense", (ANY_ACCOUNT, ANY_REGION)),
        ],
    )
    def test_the_environment(self, tmp_path: Path, environment: str, expected: tuple[str, str]) -> None:
        estate = _write(
            tmp_path,
            {
                "manifest.json": _manifest(App=_stack("a.json", environment)),
                "a.json": {"Resources": {"Key": KEY}},
            },
        )
        assert [(key.account, key.region) for key in estate.keys] == [expected]

    def test_the_options_fill_in_what_the_environment_leaves_open(self, tmp_path: Path) -> None:
        one, two = _stack("a.json"), _stack("b.json", "aws://444455556666/us-east-1")
        template = {"Resources": {"Key": KEY}}
        _write(tmp_path, {"manifest.json": _manifest(A=one, B=two), "a.json": template, "b.json": template})
        estate = load([tmp_path], account=ACCOUNT, region="eu-west-1")
        assert [(key.account, key.region) for key in estate.keys] == [
            (ACCOUNT, "eu-west-1"),
            ("444455556666", "us-east-1"),
        ]

    def test_names_and_construct_paths(self, tmp_path: Path) -> None:
        metadata = {"/App/Key/Resource": [{"type": "aws:cdk:logicalId", "data": "Key"}]}
        stack = {**_stack("a.json", stackName="app-prod"), "metadata": metadata}
        estate = _write(
            tmp_path, {"manifest.json": _manifest(App=stack), "a.json": {"Resources": {"Key": KEY}}}
        )
        location = estate.keys[0].location
        assert (estate.keys[0].id, location.stack, location.construct_path) == (
            "app-prod.Key",
            "app-prod",
            "App/Key/Resource",
        )

    def test_construct_paths_in_a_file_of_their_own(self, tmp_path: Path) -> None:
        metadata = {"/App/Key/Resource": [{"type": "aws:cdk:logicalId", "data": "Key"}]}
        stack = {**_stack("a.json"), "additionalMetadataFile": "a.metadata.json"}
        files = {
            "manifest.json": _manifest(App=stack),
            "a.json": {"Resources": {"Key": KEY}},
            "a.metadata.json": metadata,
        }
        assert _write(tmp_path, files).keys[0].location.construct_path == "App/Key/Resource"

    def test_stages_are_read_and_circles_end(self, tmp_path: Path) -> None:
        stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}
        circle = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}
        files = {
            "manifest.json": _manifest(Prod=stage, Circle=circle),
            "assembly-Prod/manifest.json": _manifest(App=_stack("a.json")),
            "assembly-Prod/a.json": {"Resources": {"Key": KEY}},
        }
        estate = _write(tmp_path, files)
        assert ([key.id for key in estate.keys], estate.problems) == (["App.Key"], ())

    def test_a_nested_stack_by_its_asset_path_and_by_its_hash(self, tmp_path: Path) -> None:
        digest = "0123456789abcdef" * 4
        by_path = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "one.nested.json"}}
        url = {"Fn::Join": ["", ["https://s3/", {"Fn::Sub": f"{digest}.json"}]]}
        by_hash = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
        assets = {"type": "cdk:asset-manifest", "properties": {"file": "a.assets.json"}}
        metadata = {
            "/App/Two": [{"type": "aws:cdk:templateFile", "data": "two.nested.json"}],
            "/App/Two/Key/Resource": [{"type": "aws:cdk:logicalId", "data": "Key"}],
        }
        files = {
            "manifest.json": _manifest(App={**_stack("a.json"), "metadata": metadata}, Assets=assets),
            "a.json": {"Resources": {"One": by_path, "Two": by_hash}},
            "a.assets.json": {
                "files": {digest: {"source": {"path": "two.nested.json", "packaging": "file"}}}
            },
            "one.nested.json": {"Resources": {"Key": KEY}},
            "two.nested.json": {"Resources": {"Key": KEY}},
        }
        estate = _write(tmp_path, files)
        assert [(key.id, key.location.construct_path) for key in estate.keys] == [
            ("App.One.Key", None),
            ("App.Two.Key", "App/Two/Key/Resource"),
        ]
        assert estate.problems == ()

    def test_the_manifest_may_be_named(self, tmp_path: Path) -> None:
        _write(
            tmp_path,
            {"manifest.json": _manifest(App=_stack("a.json")), "a.json": {"Resources": {"Key": KEY}}},
        )
        assert [key.id for key in load([tmp_path / "manifest.json"]).keys] == ["App.Key"]

    def test_an_assembly_is_found_within_a_directory(self, tmp_path: Path) -> None:
        files = {"manifest.json": _manifest(App=_stack("a.json")), "a.json": {"Resources": {"Key": KEY}}}
        _write(tmp_path / "cdk.out", dict(files))
        assert [key.id for key in load([tmp_path]).keys] == ["App.Key"]


BROKEN = {
    "a template that is missing": (
        _manifest(App=_stack("a.json")),
        "a.json",
        "it cannot be read: No such file or directory",
    ),
    "a template outside": (
        _manifest(App=_stack("../a.json")),
        "manifest.json",
        "artifact App names a file outside of the assembly",
    ),
    "no template": (
        _manifest(App={"type": "aws:cloudformation:stack", "properties": {}}),
        "manifest.json",
        "artifact App names no file",
    ),
    "no artifacts": ({"version": "1", "artifacts": []}, "manifest.json", "it lists no artifacts"),
    "a stage that is missing": (
        _manifest(Prod={"type": "cdk:cloud-assembly", "properties": {"directoryName": "gone"}}),
        "gone/manifest.json",
        "it cannot be read: No such file or directory",
    ),
}


@pytest.mark.parametrize(("manifest", "source", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_broken(tmp_path: Path, manifest: object, source: str, message: str) -> None:
    estate = _write(tmp_path, {"manifest.json": manifest})
    assert [(problem.source, problem.message) for problem in estate.problems] == [
        (str(tmp_path / source), message)
    ]


def test_a_template_of_an_assembly_that_is_broken(tmp_path: Path) -> None:
    estate = _write(tmp_path, {"manifest.json": _manifest(App=_stack("a.json")), "a.json": "[]"})
    assert [problem.message for problem in estate.problems] == ["it holds no object"]
