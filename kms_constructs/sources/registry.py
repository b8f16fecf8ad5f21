"""The kinds of input that are read, in the order in which a document is offered to them."""

from __future__ import annotations

from typing import Final

from kms_constructs.sources.cloudformation.reader import CloudFormationReader
from kms_constructs.sources.kms_api.reader import KmsApiReader
from kms_constructs.sources.policy_file import PolicyFileReader
from kms_constructs.sources.reader import Reader
from kms_constructs.sources.terraform.reader import TerraformReader

READERS: Final[tuple[type[Reader], ...]] = (
    CloudFormationReader,
    TerraformReader,
    KmsApiReader,
    PolicyFileReader,
)
