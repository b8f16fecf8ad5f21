"""The emulator: moto in this process, with credentials that are none and no way out to a network."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from tests.cdk.keys import ACCOUNT
from tests.emulator.cloudformation import client_of, completed_cloudformation

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "MOTO_ACCOUNT_ID": ACCOUNT,
}
"""What boto3 and moto read; every other variable whose name starts with AWS_ is taken away."""


def _refuse(_socket: socket.socket, address: object) -> None:
    raise AssertionError(f"a test of the emulator wanted to reach {address}")


@pytest.fixture(scope="module")
def emulator() -> Iterator[None]:
    """An empty AWS account in moto, for one module."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setattr(socket.socket, "connect", _refuse)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        client_of.cache_clear()
        with mock_aws(config={"core": {"mock_credentials": False}}), completed_cloudformation():
            for region in ("eu-west-1", "us-east-1"):
                client_of("ssm", region).put_parameter(
                    Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String"
                )
            yield
