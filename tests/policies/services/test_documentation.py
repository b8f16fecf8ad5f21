"""The page on services: what its code says is so, and what it names there is."""

from __future__ import annotations

import re

import pytest

from kms_constructs.model.services import requirements
from kms_constructs.policies.services.service_access import presets
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "services-that-differ.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_its_code_runs(block: str) -> None:
    exec(block, {})  # noqa: S102 - our own text


def test_it_has_code() -> None:
    assert BLOCKS


def test_it_names_presets_that_there_are() -> None:
    named = set(re.findall(r"ServiceAccess\.(\w+)", PAGE))
    assert named
    assert named - presets().keys() == set()


def test_it_names_every_service_of_which_aws_documents_nothing() -> None:
    nothing = [
        one.title.split()[0] for one in requirements().values() if not one.callers and not one.unsupported
    ]
    assert nothing
    assert [name for name in nothing if name not in PAGE] == []
