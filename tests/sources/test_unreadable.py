"""A directory: what cannot be read may be a template, and is never passed over; what is none is."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms_constructs.errors import SourceError
from kms_constructs.sources.files import load

WHOLE = '{"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Key": {"Type": "AWS::KMS::Key"}}}'
UNREADABLE: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.json", b"", "the file is empty"),
    "blank": ("a.yaml", b" \n\n", "the file is empty"),
    "UTF-16": ("a.json", WHOLE.encode("utf-16"), "it is not UTF-8 text"),
    "UTF-16 without its mark": ("a.json", WHOLE.encode("utf-16-le"), "it is not UTF-8 text"),
    "Latin-1": ("a.yaml", b"Description: Schl\xfcssel\nResources: {}\n", "it is not UTF-8 text"),
    **{
        f"torn at {length}": ("a.json", WHOLE[:length].encode(), "it is not JSON")
        for length in (1, 5, 20, 35, 47, 52, 60, 70, 80, len(WHOLE) - 1)
    },
    "torn in a YAML value": ("a.yaml", b"Resources:\n  Key:\n    Type: 'AWS::K", "it is not YAML"),
    "torn after Resources": (
        "a.yml",
        b"AWSTemplateFormatVersion: 2010-09-09\nResources:\n",
        "Resources is no object",
    ),
    "torn template file": ("a.template", b'{"Par', "it is not"),
}
PASSED_OVER: dict[str, tuple[str, bytes]] = {
    "comments": ("tsconfig.json", b'{\n  // strict\n  "strict": true\n}'),
    "a chart": ("chart.yaml", b"kind: {{ .Values.kind }}\nresources: {}\n"),
    "another document": ("package.json", b'{"name": "x", "dependencies": {}}'),
    "a list": ("list.json", b"[1, 2]"),
}


@pytest.mark.parametrize(("name", "content", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_in_a_directory_is_a_problem(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / "good.json").write_text(WHOLE, "utf-8")
    (tmp_path / name).write_bytes(content)

    found = load([tmp_path])

    assert [(one.source, one.message[: len(problem)]) for one in found.problems] == [
        (str(tmp_path / name), problem)
    ]
    assert len(found.keys) == 1, "the others are read"


@pytest.mark.parametrize(("name", "content"), PASSED_OVER.values(), ids=PASSED_OVER)
def test_what_is_none_of_ours_is_passed_over(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "good.json").write_text(WHOLE, "utf-8")
    (tmp_path / name).write_bytes(content)
    assert load([tmp_path]).problems == ()


@pytest.mark.parametrize("region", ["foo", "eu-west", "EU-WEST-1", "", "eu-west-1 ", "*"])
def test_a_region_that_is_none_is_refused(region: str) -> None:
    with pytest.raises(SourceError, match="is no Region"):
        load(["any.json"], region=region)


@pytest.mark.parametrize(
    "region",
    ["eu-west-1", "us-gov-east-1", "ap-southeast-7", "us-iso-east-1", "us-isob-east-1", "eusc-de-east-1"],
)
def test_regions_of_every_partition_are_taken(region: str, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(WHOLE, "utf-8")
    (key,) = load([tmp_path], region=region).keys
    assert key.region == region
