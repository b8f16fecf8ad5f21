"""The files of a ceremony: read back as they were written, and refused when they are something else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kms_constructs.errors import MaterialError, SourceError
from kms_constructs.runtime.material.ceremony import (
    ImportParameters,
    check_fresh,
    parameters_text,
    read_parameters,
    read_wrapped,
    wrapped_text,
    wrapped_under,
)
from kms_constructs.runtime.material.wrapping import WrappingAlgorithm, WrappingKeySpec
from tests.runtime.material.samples import key_arn, material, public_der, wrapping_key

NOW = datetime.now(UTC)
PARAMETERS = tuple(
    ImportParameters(
        key=key_arn(region),
        key_spec="HMAC_384",
        algorithm=WrappingAlgorithm.RSAES_OAEP_SHA_256,
        wrapping_key=WrappingKeySpec.RSA_2048,
        public_key=public_der(wrapping_key(2048)),
        token=region.encode(),
        valid_to=NOW + timedelta(hours=24),
    )
    for region in ("eu-west-1", "us-east-1")
)


def test_parameters_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "parameters.json"
    file.write_text(parameters_text(PARAMETERS))
    assert read_parameters(file) == PARAMETERS


def test_wrapped_material_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "wrapped.json"
    wrapped = tuple(wrapped_under(one, material("HMAC_384")) for one in PARAMETERS)
    file.write_text(wrapped_text(wrapped))
    assert read_wrapped(file) == wrapped


@pytest.mark.parametrize("entry", range(2))
@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("key", "orders", "an entry names no KMS key"),
        ("key", None, "'key' is missing"),
        ("wrappingAlgorithm", "RSAES_PKCS1_V1_5", "is not a valid WrappingAlgorithm"),
        ("publicKey", "***", "it is damaged"),
        ("publicKey", "AAAA", "is not the one that its fingerprint is of"),
        ("validTo", "soon", "it is damaged"),
        ("validTo", "2026-01-01T00:00:00", "a moment has no offset"),
        ("importToken", 5, "it is damaged"),
    ],
)
def test_damaged_parameters_are_refused(
    tmp_path: Path, entry: int, name: str, value: object, problem: str
) -> None:
    document = json.loads(parameters_text(PARAMETERS))
    if value is None:
        del document["keys"][entry][name]
    else:
        document["keys"][entry][name] = value
    file = tmp_path / "parameters.json"
    file.write_text(json.dumps(document))
    with pytest.raises(SourceError, match=f"parameters.json: .*{problem}"):
        read_parameters(file)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[]", b'{"format": "x"}', parameters_text(()).encode()])
def test_another_file_is_refused_without_its_content(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "some.json"
    file.write_bytes(data)
    with pytest.raises(SourceError, match="it is no file of the format") as caught:
        read_wrapped(file)
    assert caught.value.__context__ is None


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"it cannot be read.*give the file that kms-constructs material wrap"
    ):
        read_wrapped(tmp_path / "missing.json")


def test_parameters_that_expired_are_refused_before_anything_is_wrapped() -> None:
    check_fresh(PARAMETERS[0], NOW + timedelta(hours=23))
    with pytest.raises(MaterialError, match=r"its import parameters expired on .*valid for 24 hours"):
        check_fresh(PARAMETERS[0], NOW + timedelta(hours=24))


def test_neither_token_nor_material_stands_in_a_repr() -> None:
    wrapped = wrapped_under(PARAMETERS[0], material("HMAC_384"))
    assert "=b'" not in f"{wrapped!r}{PARAMETERS!r}"
