"""A KMS for every test, and no way past it."""

from __future__ import annotations

import os
import socket

import pytest

from tests.runtime.material.fake_kms import FakeKms


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def refuse(_socket: socket.socket, address: object) -> None:
        raise AssertionError(f"a test wanted to reach {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    # By the same monkeypatch as whatever else takes the pauses out, so that all are put back in their order.
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)


@pytest.fixture
def kms() -> FakeKms:
    return FakeKms()
