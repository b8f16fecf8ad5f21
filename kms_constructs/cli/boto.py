"""What commands that ask AWS say where boto3 is missing."""

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
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in ("boto3", "botocore"):
            raise
        raise SourceError(command, "AWS cannot be asked without boto3", how_to_install("runtime")) from error
