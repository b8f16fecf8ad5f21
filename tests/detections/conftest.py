"""The second matcher: an emulator that answers TestEventPattern."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ministack import MiniStack, running


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    with running(tmp_path_factory.mktemp("ministack")) as found:
        yield found
