"""Hardened AWS KMS keys for AWS CDK, and the guardrails that refuse every other kind.

The names below are imported on first use, so that ``import kms_constructs`` loads neither aws_cdk nor boto3.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # type checkers do not follow __getattr__; a test holds this list against _WHERE
    from kms_constructs.cdk.access_policies import (
        GuardrailPermissionsBoundary as GuardrailPermissionsBoundary,
    )
    from kms_constructs.cdk.access_policies import KeyAccessPolicies as KeyAccessPolicies
    from kms_constructs.cdk.access_policies import KeyTask as KeyTask
    from kms_constructs.cdk.data_sharing import CrossAccountDataSharing as CrossAccountDataSharing
    from kms_constructs.cdk.direct_grant import DirectGrant as DirectGrant
    from kms_constructs.cdk.enforce import enforce_guardrails as enforce_guardrails
    from kms_constructs.cdk.external_access import ExternalAccess as ExternalAccess
    from kms_constructs.cdk.key_catalog import KeyCatalog as KeyCatalog
    from kms_constructs.cdk.nag_pack import IamKmsGuardrails as IamKmsGuardrails
    from kms_constructs.cdk.nag_pack import KmsRequirements as KmsRequirements
    from kms_constructs.cdk.organization_policies import (
        GuardrailResourceControlPolicy as GuardrailResourceControlPolicy,
    )
    from kms_constructs.cdk.organization_policies import (
        GuardrailServiceControlPolicy as GuardrailServiceControlPolicy,
    )
    from kms_constructs.cdk.replica import SecureKmsReplicaKey as SecureKmsReplicaKey
    from kms_constructs.cdk.replica_plan import ReplicaConfig as ReplicaConfig
    from kms_constructs.cdk.root_access import RootAccess as RootAccess
    from kms_constructs.cdk.secure_key import SecureKmsKey as SecureKmsKey
    from kms_constructs.cdk.service_access import ServiceAccess as ServiceAccess
    from kms_constructs.errors import ArgumentError as ArgumentError
    from kms_constructs.errors import ConfigurationError as ConfigurationError
    from kms_constructs.errors import GuardrailError as GuardrailError
    from kms_constructs.errors import KmsConstructsError as KmsConstructsError
    from kms_constructs.errors import SealedPolicyError as SealedPolicyError
    from kms_constructs.errors import SourceError as SourceError
    from kms_constructs.guardrails.config import Acknowledgement as Acknowledgement
    from kms_constructs.guardrails.config import GuardrailConfig as GuardrailConfig
    from kms_constructs.guardrails.config import load_config as load_config
    from kms_constructs.model.actions import KeyUsage as KeyUsage

_WHERE: dict[str, str] = {
    "Acknowledgement": "guardrails.config",
    "ArgumentError": "errors",
    "ConfigurationError": "errors",
    "CrossAccountDataSharing": "cdk.data_sharing",
    "DirectGrant": "cdk.direct_grant",
    "ExternalAccess": "cdk.external_access",
    "GuardrailConfig": "guardrails.config",
    "GuardrailError": "errors",
    "GuardrailPermissionsBoundary": "cdk.access_policies",
    "GuardrailResourceControlPolicy": "cdk.organization_policies",
    "GuardrailServiceControlPolicy": "cdk.organization_policies",
    "IamKmsGuardrails": "cdk.nag_pack",
    "KeyAccessPolicies": "cdk.access_policies",
    "KeyCatalog": "cdk.key_catalog",
    "KeyTask": "cdk.access_policies",
    "KeyUsage": "model.actions",
    "KmsConstructsError": "errors",
    "KmsRequirements": "cdk.nag_pack",
    "ReplicaConfig": "cdk.replica_plan",
    "RootAccess": "cdk.root_access",
    "SealedPolicyError": "errors",
    "SecureKmsKey": "cdk.secure_key",
    "SecureKmsReplicaKey": "cdk.replica",
    "ServiceAccess": "cdk.service_access",
    "SourceError": "errors",
    "enforce_guardrails": "cdk.enforce",
    "load_config": "guardrails.config",
}

__all__ = [  # noqa: PLE0604 - computed, so that a name cannot be listed and missing
    *sorted(_WHERE)
]


def __getattr__(name: str) -> object:
    """Imports a public name on first use (PEP 562)."""
    module = _WHERE.get(name)
    if module is None:
        raise AttributeError(f"module 'kms_constructs' has no attribute {name!r}")
    try:
        value: object = getattr(import_module(f"kms_constructs.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == __name__:
            raise
        message = f"kms_constructs.{name} needs {error.name}. Fix: pip install 'kms-constructs[cdk]'"
        raise ImportError(message, name=error.name) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
