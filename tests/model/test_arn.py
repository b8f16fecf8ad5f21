"""ARNs cut once, and every partition and Region, held against botocore's."""

from __future__ import annotations

import botocore.session
import pytest

from kms_constructs.model.arn import (
    OPEN_PARTITION,
    PARTITIONS,
    Arn,
    canonical,
    cut,
    is_account_id,
    of_region,
    parse_arn,
)
from kms_constructs.model.text import HoleKind, hole

HOME = "111122223333"
LONG_HOLE = hole(HoleKind.ENVIRONMENT, "a:b:c:d:e:f:g")

ARNS: dict[str, tuple[str, Arn | None]] = {
    "root": (f"arn:aws:iam::{HOME}:root", Arn("aws", "iam", "", HOME, "root")),
    "key": (
        f"arn:aws-us-gov:kms:us-gov-west-1:{HOME}:key/1",
        Arn("aws-us-gov", "kms", "us-gov-west-1", HOME, "key/1"),
    ),
    "colons in the path": (
        f"arn:aws:iam::{HOME}:role/a:b/c:d/App",
        Arn("aws", "iam", "", HOME, "role/a:b/c:d/App"),
    ),
    "colons in the name": (
        f"arn:aws:logs:eu-west-1:{HOME}:log-group:app:*",
        Arn("aws", "logs", "eu-west-1", HOME, "log-group:app:*"),
    ),
    "a pattern": ("arn:*:iam::*:role/*", Arn("*", "iam", "", "*", "role/*")),
    "holes with colons": (
        f"arn:{OPEN_PARTITION}:iam::{LONG_HOLE}:role/{LONG_HOLE}",
        Arn(OPEN_PARTITION, "iam", "", LONG_HOLE, f"role/{LONG_HOLE}"),
    ),
    "five fields": ("arn:aws:iam::role", None),
    "all in one hole": (LONG_HOLE, None),
    "an account id": (HOME, None),
    "another scheme": (f"urn:aws:iam::{HOME}:root", None),
    "nothing": ("", None),
}


@pytest.mark.parametrize(("text", "expected"), ARNS.values(), ids=ARNS)
def test_parse_arn(text: str, expected: Arn | None) -> None:
    assert parse_arn(text) == expected
    if expected is not None:
        assert str(expected) == text


def test_cut_keeps_all_of_the_text() -> None:
    assert [":".join(cut(text)) for text, _ in ARNS.values()] == [text for text, _ in ARNS.values()]


def test_only_the_account_itself_is_root() -> None:
    names = ("iam::1:root", "iam::1:role/root", "sts::1:root", "iam::1:root/x")
    assert [Arn("aws", *name.split(":")).is_root for name in names] == [True, False, False, False]


def test_the_canonical_form_leaves_the_partition_out_and_nothing_else() -> None:
    forms = {canonical(f"arn:{name}:iam::1:root") for name in (*PARTITIONS, "*", OPEN_PARTITION)}
    assert len(forms) == 1
    assert not forms & {f"arn:{name}:iam::1:root" for name in PARTITIONS}
    assert canonical("arn:aws:iam::1:root") != canonical("arn:aws:iam::2:root")
    assert canonical("logs.amazonaws.com") == "logs.amazonaws.com"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HOME, True),
        ("11112222333", False),
        ("1111222233334", False),
        ("11112222333a", False),
        ("١١١١٢٢٢٢٣٣٣٣", False),
        (f"{HOME}\n", False),
        ("", False),
    ],
)
def test_account_ids(text: str, expected: bool) -> None:
    assert is_account_id(text) is expected


def test_partitions_are_those_of_botocore() -> None:
    data = botocore.session.get_session().get_data("endpoints")
    assert {found["partition"]: found["dnsSuffix"] for found in data["partitions"]} == {
        name: partition.dns_suffix for name, partition in PARTITIONS.items()
    }


def test_every_region_lies_in_its_partition() -> None:
    data = botocore.session.get_session().get_data("partitions")
    regions = {
        region: found["id"]
        for found in data["partitions"]
        for region in found["regions"]
        if not region.endswith("-global")
    }
    assert {region: of_region(region).name for region in regions} == regions
