"""Words of sources that are not CloudFormation, for tests that a rule speaks its key's source's words."""

from kms_constructs.sources.kms_api.vocabulary import KMS_API
from kms_constructs.sources.terraform.vocabulary import TERRAFORM

__all__ = ["KMS_API", "TERRAFORM"]
