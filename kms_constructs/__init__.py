"""Hardened AWS KMS keys for AWS CDK, and the guardrails that refuse every other kind.

The names below are imported on first use, so that ``import kms_constructs`` loads neither aws_cdk nor boto3.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # type checkers do not follow __getattr__; a test holds this list against _WHERE
    __version__: str
    """Version of the installed package."""

    from kms_constructs.cdk.enforcement.enforce import enforce_guardrails as enforce_guardrails
    from kms_constructs.cdk.enforcement.nag_pack import IamKmsGuardrails as IamKmsGuardrails
    from kms_constructs.cdk.enforcement.nag_pack import KmsRequirements as KmsRequirements
    from kms_constructs.cdk.enforcement.organization_policies import (
        GuardrailResourceControlPolicy as GuardrailResourceControlPolicy,
    )
    from kms_constructs.cdk.enforcement.organization_policies import (
        GuardrailServiceControlPolicy as GuardrailServiceControlPolicy,
    )
    from kms_constructs.cdk.fleet.key_catalog import KeyCatalog as KeyCatalog
    from kms_constructs.cdk.key.key_arguments import KeyArguments as KeyArguments
    from kms_constructs.cdk.key.replica import SecureKmsReplicaKey as SecureKmsReplicaKey
    from kms_constructs.cdk.key.replica_plan import ReplicaConfig as ReplicaConfig
    from kms_constructs.cdk.key.secure_key import SecureKmsKey as SecureKmsKey
    from kms_constructs.cdk.monitoring.alarms import MonitoringLimits as MonitoringLimits
    from kms_constructs.cdk.monitoring.central import KmsEventForwarder as KmsEventForwarder
    from kms_constructs.cdk.monitoring.monitoring import KmsMonitoring as KmsMonitoring
    from kms_constructs.cdk.monitoring.trail import MonitoringTrail as MonitoringTrail
    from kms_constructs.cdk.sharing.access_policies import (
        GuardrailPermissionsBoundary as GuardrailPermissionsBoundary,
    )
    from kms_constructs.cdk.sharing.access_policies import KeyAccessPolicies as KeyAccessPolicies
    from kms_constructs.cdk.sharing.access_policies import KeyTask as KeyTask
    from kms_constructs.cdk.sharing.data_sharing import CrossAccountDataSharing as CrossAccountDataSharing
    from kms_constructs.errors import ArgumentError as ArgumentError
    from kms_constructs.errors import ConfigurationError as ConfigurationError
    from kms_constructs.errors import GuardrailError as GuardrailError
    from kms_constructs.errors import GuardrailSynthError as GuardrailSynthError
    from kms_constructs.errors import KmsCallError as KmsCallError
    from kms_constructs.errors import KmsConstructsError as KmsConstructsError
    from kms_constructs.errors import MaterialError as MaterialError
    from kms_constructs.errors import SealedPolicyError as SealedPolicyError
    from kms_constructs.errors import SealedSynthError as SealedSynthError
    from kms_constructs.errors import SourceError as SourceError
    from kms_constructs.guardrails.config import GuardrailConfig as GuardrailConfig
    from kms_constructs.guardrails.config import load_config as load_config
    from kms_constructs.guardrails.settings import Acknowledgement as Acknowledgement
    from kms_constructs.model.actions import KeyUsage as KeyUsage
    from kms_constructs.policies.direct_grant import DirectGrant as DirectGrant
    from kms_constructs.policies.external_access import ExternalAccess as ExternalAccess
    from kms_constructs.policies.root_access import RootAccess as RootAccess
    from kms_constructs.policies.services.service_access import ServiceAccess as ServiceAccess

_WHERE: dict[str, str] = {
    "Acknowledgement": "guardrails.settings",
    "ArgumentError": "errors",
    "ConfigurationError": "errors",
    "CrossAccountDataSharing": "cdk.sharing.data_sharing",
    "DirectGrant": "policies.direct_grant",
    "ExternalAccess": "policies.external_access",
    "GuardrailConfig": "guardrails.config",
    "GuardrailError": "errors",
    "GuardrailPermissionsBoundary": "cdk.sharing.access_policies",
    "GuardrailResourceControlPolicy": "cdk.enforcement.organization_policies",
    "GuardrailServiceControlPolicy": "cdk.enforcement.organization_policies",
    "GuardrailSynthError": "errors",
    "IamKmsGuardrails": "cdk.enforcement.nag_pack",
    "KeyAccessPolicies": "cdk.sharing.access_policies",
    "KeyArguments": "cdk.key.key_arguments",
    "KeyCatalog": "cdk.fleet.key_catalog",
    "KeyTask": "cdk.sharing.access_policies",
    "KeyUsage": "model.actions",
    "KmsCallError": "errors",
    "KmsConstructsError": "errors",
    "KmsEventForwarder": "cdk.monitoring.central",
    "KmsMonitoring": "cdk.monitoring.monitoring",
    "KmsRequirements": "cdk.enforcement.nag_pack",
    "MaterialError": "errors",
    "MonitoringLimits": "cdk.monitoring.alarms",
    "MonitoringTrail": "cdk.monitoring.trail",
    "ReplicaConfig": "cdk.key.replica_plan",
    "RootAccess": "policies.root_access",
    "SealedPolicyError": "errors",
    "SealedSynthError": "errors",
    "SecureKmsKey": "cdk.key.secure_key",
    "SecureKmsReplicaKey": "cdk.key.replica",
    "ServiceAccess": "policies.services.service_access",
    "SourceError": "errors",
    "enforce_guardrails": "cdk.enforcement.enforce",
    "load_config": "guardrails.config",
}

__all__ = [  # noqa: PLE0604 - computed, so that a name cannot be listed and missing
    *sorted(_WHERE)
]


def __getattr__(name: str) -> object:
    """Imports a public name on first use (PEP 562)."""
    if name == "__version__":
        from kms_constructs.reports.version import tool_version

        return tool_version()
    module = _WHERE.get(name)
    if module is None:
        raise AttributeError(f"module 'kms_constructs' has no attribute {name!r}")
    try:
        value: object = getattr(import_module(f"kms_constructs.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == __name__:
            raise
        from kms_constructs.errors import how_to_install

        message = f"kms_constructs.{name} needs {error.name}. Fix: {how_to_install('cdk')}"
        raise ImportError(message, name=error.name) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
