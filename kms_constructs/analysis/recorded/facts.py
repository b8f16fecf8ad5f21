"""What a trail tells of the condition keys of a request, and what it leaves open.

What CloudTrail does not record is not known, and so neither satisfies a condition nor misses it. What a call
of its kind never carries is absent.

See: https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from kms_constructs.analysis.call import Fact
from kms_constructs.analysis.conditions import GRANT_ACTIONS
from kms_constructs.analysis.evaluate import kind_of
from kms_constructs.analysis.principals import PrincipalKind
from kms_constructs.analysis.recorded.asked import CONTEXT_NAMES
from kms_constructs.analysis.recorded.call import INTERNAL, RecordedCall
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.limits import ENCRYPTION_CONTEXT
from kms_constructs.model.service_requirement import CREATE_GRANT, FOR_AWS_RESOURCE
from kms_constructs.model.services import requirements
from kms_constructs.model.unknown import Unknown

NOT_RECORDED: Final = Unknown("CloudTrail does not record it")
_SERVICE_TOLD: Final = Unknown("the trail tells the address of a service")
_UNNAMED: Final = Unknown("the trail says 'AWS Internal' and not which service it was")

_CONTEXT_ACTIONS: Final = frozenset(
    {
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncryptFrom",
        "ReEncryptTo",
        "CreateGrant",
        "RetireGrant",
    }
)
"""Actions whose requests may carry an encryption context: a grant's constraints count as one."""
_RECORDED_CONTEXT: Final = _CONTEXT_ACTIONS - {"CreateGrant", "RetireGrant"}


def _each(names: str, parameter: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), parameter)


_ON_GRANT = "CreateGrant"
PARAMETERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "kms:bypasspolicylockoutsafetycheck": _each("PutKeyPolicy", "bypassPolicyLockoutSafetyCheck"),
        "kms:datakeypairspec": _each(
            "GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext", "keyPairSpec"
        ),
        "kms:encryptionalgorithm": {
            **_each("Decrypt Encrypt", "encryptionAlgorithm"),
            "ReEncryptFrom": "sourceEncryptionAlgorithm",
            "ReEncryptTo": "destinationEncryptionAlgorithm",
        },
        "kms:expirationmodel": _each("ImportKeyMaterial", "expirationModel"),
        "kms:grantconstrainttype": _each(_ON_GRANT, "constraints"),
        "kms:granteeprincipal": _each(_ON_GRANT, "granteePrincipal"),
        "kms:granteeserviceprincipal": _each(_ON_GRANT, "granteeServicePrincipal"),
        "kms:grantoperations": _each(_ON_GRANT, "operations"),
        "kms:keyagreementalgorithm": _each("DeriveSharedSecret", "keyAgreementAlgorithm"),
        "kms:macalgorithm": _each("GenerateMac VerifyMac", "macAlgorithm"),
        "kms:messagetype": _each("Sign Verify", "messageType"),
        "kms:primaryregion": _each("UpdatePrimaryRegion", "primaryRegion"),
        "kms:replicaregion": _each("ReplicateKey", "replicaRegion"),
        "kms:retiringprincipal": _each(_ON_GRANT, "retiringPrincipal"),
        "kms:retiringserviceprincipal": _each(_ON_GRANT, "retiringServicePrincipal"),
        "kms:rotationperiodindays": _each("EnableKeyRotation", "rotationPeriodInDays"),
        "kms:schedulekeydeletionpendingwindowindays": _each("ScheduleKeyDeletion", "pendingWindowInDays"),
        "kms:signingalgorithm": _each("Sign Verify", "signingAlgorithm"),
        "kms:validto": _each("ImportKeyMaterial", "validTo"),
        "kms:wrappingalgorithm": _each("GetParametersForImport", "wrappingAlgorithm"),
        "kms:wrappingkeyspec": _each("GetParametersForImport", "wrappingKeySpec"),
    }
)
"""Condition keys that a parameter of the request decides: action to the parameter's name in the record."""

_ABSENT: Mapping[str, str | None] = MappingProxyType(
    {
        "kms:bypasspolicylockoutsafetycheck": "false",
        "kms:grantconstrainttype": None,
        "kms:granteeprincipal": None,
        "kms:granteeserviceprincipal": None,
        "kms:retiringprincipal": None,
        "kms:retiringserviceprincipal": None,
        "kms:schedulekeydeletionpendingwindowindays": "30",
    }
)
"""What a request carries whose record does not show the parameter; of others that is not known."""


def parameters_of(asked: Collection[str]) -> tuple[str, ...]:
    """The parameters of requests that have to be read for these condition keys, sorted."""
    return tuple(sorted({name for key in asked for name in PARAMETERS.get(key, {}).values()}))


def facts_of(call: RecordedCall, asked: Collection[str]) -> dict[str, Fact]:
    """What the requests carried for condition keys, as far as the trail tells.

    Args:
        call: The calls.
        asked: Folded condition keys. What follows from caller and key alone is left out.

    Example:
        >>> call = RecordedCall(key="arn:aws:kms:eu-west-1:111122223333:key/k", action="Decrypt",
        ...     caller="arn:aws:iam::111122223333:role/App", caller_type="AssumedRole",
        ...     service="s3.amazonaws.com")
        >>> facts_of(call, ["kms:viaservice", "aws:sourcevpce"])["kms:viaservice"]
        's3.eu-west-1.amazonaws.com'
    """
    found: dict[str, Fact] = {}
    for key in asked:
        told = _told(key, call)
        if told is not _LEFT:
            found[key] = told
    return found


_LEFT: Final = Unknown("another place says it")


def _told(key: str, call: RecordedCall) -> Fact:
    if key in PARAMETERS:
        return _parameter(key, call)
    if key == CONTEXT_NAMES:
        return _context_names(call)
    if key.startswith(ENCRYPTION_CONTEXT):
        return _context(key.removeprefix(ENCRYPTION_CONTEXT), call)
    if key.startswith("kms:recipientattestation:"):
        return NOT_RECORDED
    reader = _READERS.get(key)
    if reader is not None:
        return reader(call)
    if key in _OF_SOURCE:
        # Only a service that acts for a resource says which.
        return NOT_RECORDED if call.service else None
    return _LEFT if key in _BY_OTHERS or key.startswith("aws:resourcetag/") else NOT_RECORDED


_OF_SOURCE: Final = frozenset({"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"})
_BY_OTHERS: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:resourceaccount",
        "kms:calleraccount",
        "kms:grantisforawsresource",
        "kms:keyorigin",
        "kms:keyspec",
        "kms:keyusage",
        "kms:multiregion",
        "kms:multiregionkeytype",
    }
)
"""What follows from the caller or the key: `certain` knows it; and what `variants` of a call differ in."""


def _parameter(key: str, call: RecordedCall) -> Fact:
    name = PARAMETERS[key].get(call.action)
    if name is None:
        return None
    text = dict(call.parameters).get(name)
    if text is None:
        return _ABSENT.get(key, NOT_RECORDED)
    value = json.loads(text)
    if key == "kms:grantconstrainttype":
        return _constraint_type(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    return NOT_RECORDED


def _constraint_type(value: object) -> Fact:
    if not isinstance(value, Mapping) or not value:
        return None
    types = [name for name in _CONSTRAINTS if any(str(one).lower() == name.lower() for one in value)]
    return types[0] if len(types) == 1 else NOT_RECORDED


_CONSTRAINTS: Final = ("EncryptionContextEquals", "EncryptionContextSubset")


def _context(name: str, call: RecordedCall) -> Fact:
    if call.action not in _CONTEXT_ACTIONS:
        return None
    if call.action not in _RECORDED_CONTEXT:
        return NOT_RECORDED
    found = [value for given, value in call.context if given.lower() == name]
    if len(found) > 1:
        return Unknown("the encryption context has names that differ in case alone")
    return found[0] if found else None


def _context_names(call: RecordedCall) -> Fact:
    if call.action not in _CONTEXT_ACTIONS:
        return None
    if call.action not in _RECORDED_CONTEXT:
        return NOT_RECORDED
    return call.context_names or None


def _via(call: RecordedCall) -> Fact:
    if call.service is None:
        return None
    if call.caller is None:
        return NOT_RECORDED
    if call.service == INTERNAL:
        return _UNNAMED
    label = call.service.partition(".")[0]
    if label not in _vias():
        return Unknown(f"AWS does not document what kms:ViaService is for {call.service}")
    arn = parse_arn(call.key)
    return f"{label}.{arn.region}.amazonaws.com" if arn is not None else NOT_RECORDED


@lru_cache(maxsize=1)
def _vias() -> frozenset[str]:
    """Services whose value of ``kms:ViaService`` AWS documents."""
    found = {one for it in requirements().values() for one in (it.via, *it.also_via) if one}
    return frozenset(found)


def _address(call: RecordedCall) -> str | None:
    """The IP address that a call came from; None for that of a service."""
    try:
        return str(ipaddress.ip_address(call.source_address or ""))
    except ValueError:
        return None


def _source_ip(call: RecordedCall) -> Fact:
    if call.vpc_endpoint is not None:
        return None
    if call.service is not None:
        return _SERVICE_TOLD
    return _address(call) or _SERVICE_TOLD


def _vpc_source_ip(call: RecordedCall) -> Fact:
    if call.service is not None:
        return _SERVICE_TOLD
    return None if call.vpc_endpoint is None else _address(call) or NOT_RECORDED


def _vpc_endpoint(call: RecordedCall) -> Fact:
    if call.vpc_endpoint is not None:
        return call.vpc_endpoint
    return _SERVICE_TOLD if call.service is not None else None


def _of_endpoint(call: RecordedCall) -> Fact:
    return None if call.vpc_endpoint is None and call.service is None else NOT_RECORDED


def _direct(value: str | None) -> Callable[[RecordedCall], Fact]:
    """What a call carries that no service makes; of others it is not known."""
    return lambda call: value if call.service is None else NOT_RECORDED


def _via_aws_service(call: RecordedCall) -> Fact:
    if call.service is None:
        return "false"
    return "true" if call.caller is not None and call.service != INTERNAL else NOT_RECORDED


def _user_id(call: RecordedCall) -> Fact:
    # Of a root user it follows from the account.
    if call.caller is None:
        return NOT_RECORDED
    return _LEFT if kind_of(call.caller) is PrincipalKind.ROOT else call.principal_id or NOT_RECORDED


def _user_name(call: RecordedCall) -> Fact:
    if call.caller is None or kind_of(call.caller) is not PrincipalKind.USER:
        return None if call.caller is not None else NOT_RECORDED
    return call.caller.rpartition("/")[2]


def _user_agent(call: RecordedCall) -> Fact:
    return call.user_agent or NOT_RECORDED if call.service is None else NOT_RECORDED


def _service_name(call: RecordedCall) -> Fact:
    return NOT_RECORDED if call.caller is None else None


_READERS: Final[Mapping[str, Callable[[RecordedCall], Fact]]] = MappingProxyType(
    {
        "kms:viaservice": _via,
        "kms:requestalias": lambda call: call.alias,
        "aws:sourceip": _source_ip,
        "aws:vpcsourceip": _vpc_source_ip,
        "aws:sourcevpce": _vpc_endpoint,
        "aws:sourcevpc": _of_endpoint,
        "aws:sourcevpcarn": _of_endpoint,
        "aws:vpceaccount": _of_endpoint,
        "aws:vpceorgid": _of_endpoint,
        "aws:vpceorgpaths": _of_endpoint,
        "aws:viaawsservice": _via_aws_service,
        "aws:calledvia": _direct(None),
        "aws:calledviafirst": _direct(None),
        "aws:calledvialast": _direct(None),
        # KMS takes no call without TLS.
        "aws:securetransport": _direct("true"),
        "aws:userid": _user_id,
        "aws:username": _user_name,
        "aws:useragent": _user_agent,
        "aws:principalservicename": _service_name,
        "aws:principalservicenameslist": _service_name,
    }
)


def variants(call: RecordedCall) -> tuple[dict[str, Fact], ...]:
    """What the requests may have carried where the trail leaves a choice of few: each is judged.

    AWS does not say whether a CreateGrant that no service makes carries ``kms:GrantIsForAWSResource``.
    """
    folded = FOR_AWS_RESOURCE.lower()
    if call.action not in GRANT_ACTIONS:
        return ({},)
    if call.service is None:
        return ({folded: "false"}, {folded: None})
    label = call.service.partition(".")[0]
    if call.caller is not None and label in _vias() and label not in _without_resource():
        return ({folded: "true"},)
    return ({folded: NOT_RECORDED},)


@lru_cache(maxsize=1)
def _without_resource() -> frozenset[str]:
    """Services whose grants are documented to be for no AWS resource."""
    return frozenset(
        it.via
        for it in requirements().values()
        for caller in it.callers
        if CREATE_GRANT in caller.actions and FOR_AWS_RESOURCE in caller.omits
    )
