"""What commands say whose extra is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kms_constructs.errors import SourceError, how_to_install


@contextmanager
def needing_boto3(command: str) -> Iterator[None]:
    """For imports of what asks AWS: names the extra where it is missing.

    Args:
        command: The command that needs it, for the message.

    Raises:
        SourceError: There is no boto3.
    """
    with _needing(command, "AWS cannot be asked without boto3", "runtime", ("boto3", "botocore")):
        yield


@contextmanager
def needing_trail(command: str) -> Iterator[None]:
    """For imports of what works on trails: names the extra where it is missing.

    Args:
        command: The command that needs it, for the message.

    Raises:
        SourceError: A part of the extra is missing.
    """
    problem = "trails are stored and asked by DuckDB and sqlglot, of which one is missing"
    with _needing(command, problem, "trail", ("boto3", "botocore", "duckdb", "sqlglot")):
        yield


@contextmanager
def _needing(command: str, problem: str, extra: str, modules: tuple[str, ...]) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in modules:
            raise
        raise SourceError(command, problem, how_to_install(extra)) from error
