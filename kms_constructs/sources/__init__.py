"""Templates, assemblies, Terraform plans and key policy files as an estate. Pure: no CDK, no boto3."""

from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from kms_constructs.sources.files import load
from kms_constructs.sources.policy_file import key_from_policy

__all__ = ["TemplateInput", "estate_from_templates", "key_from_policy", "load"]
