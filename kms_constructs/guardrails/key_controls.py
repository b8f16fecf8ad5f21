"""The requirements on keys themselves: KMS:001 to KMS:010, and the lint of their policies."""

from __future__ import annotations

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Severity

_GUIDE = "https://docs.aws.amazon.com/kms/latest/developerguide"

KMS_001 = Control(
    id="KMS:001",
    title="Keys that can rotate do, often enough",
    rationale=(
        "Rotation bounds how much data one generation of key material protects. It costs nothing in "
        "operation: the key keeps its id, and old data stays readable."
    ),
    remediation=(
        "Set EnableKeyRotation to true and RotationPeriodInDays to at most the configured ceiling (365 days "
        "by default)."
    ),
    references=(f"{_GUIDE}/rotate-keys.html",),
    scope=(Subject.KEY,),
    severity=Severity.MEDIUM,
    mappings={
        Framework.CIS_5: ("3.6",),
        Framework.CIS_7: ("4.6",),
        Framework.SOC_2: ("CC6.1",),
        Framework.SECURITY_HUB: ("KMS.4",),
        Framework.NIST: ("SC-12", "SC-12(2)", "SC-28(3)"),
        Framework.PCI_DSS: ("3.7.4",),
    },
)

KMS_002 = Control(
    id="KMS:002",
    title="Keys are not deleted by accident",
    rationale=(
        "CloudFormation deletes a key with its stack, and when an update replaces it, unless it is told "
        "otherwise. The pending window is the last chance to notice."
    ),
    remediation=(
        "Set DeletionPolicy to Retain or RetainExceptOnCreate and UpdateReplacePolicy to Retain, and "
        "PendingWindowInDays to at least the configured minimum; cancel a deletion that nobody meant."
    ),
    references=(
        f"{_GUIDE}/deleting-keys.html",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
        "aws-attribute-deletionpolicy.html",
    ),
    scope=(Subject.KEY,),
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC7.5"),
        Framework.SECURITY_HUB: ("KMS.3",),
        Framework.NIST: ("SC-12", "SC-12(2)"),
    },
)

KMS_003 = Control(
    id="KMS:003",
    title="Every key is used by something",
    rationale=(
        "A key that nothing uses costs money every month, has a policy that somebody has to review, and is "
        "often the trace of a resource that is encrypted with another key than was meant."
    ),
    remediation=(
        "Give the key to the resources that it is meant for; if others use it, output or export its ARN; "
        "else remove it. Look at its last usage before a live key is deleted."
    ),
    references=(f"{_GUIDE}/deleting-keys-determining-usage.html",),
    scope=(Subject.KEY,),
    severity=Severity.WARNING,
    mappings={Framework.NIST: ("CM-7", "SC-12")},
)

KMS_004 = Control(
    id="KMS:004",
    title="Access to keys follows least privilege",
    rationale=(
        "A key that everyone may call, that another account may use for anything, that a role has all "
        "actions on, or an IAM policy that decrypts with every key: each makes encryption a formality."
    ),
    remediation=(
        "Name principals; limit other accounts by kms:ViaService, encryption context or organization and "
        "list them as trusted; list actions instead of kms:*; name keys in IAM policies that decrypt."
    ),
    references=(
        f"{_GUIDE}/least-privilege.html",
        f"{_GUIDE}/key-policy-modifying-external-accounts.html",
        "https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html",
    ),
    scope=(Subject.KEY_POLICY, Subject.IDENTITY_POLICY),
    actions=("kms:Decrypt", "kms:ReEncryptFrom"),
    severity=Severity.HIGH,
    mappings={
        Framework.CIS_7: ("2.21",),
        Framework.SOC_2: ("CC6.1", "CC6.3", "CC6.6"),
        Framework.SECURITY_HUB: ("KMS.1", "KMS.2", "KMS.5"),
        Framework.NIST: ("AC-2", "AC-2(1)", "AC-3", "AC-3(7)", "AC-3(15)", "AC-5", "AC-6", "AC-6(3)"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
)

KMS_005 = Control(
    id="KMS:005",
    title="Trails record KMS events",
    rationale=(
        "KMS events are many, so some trails leave them out to save money. Then there is no record of who "
        "decrypted what, and none of who disabled a key."
    ),
    remediation=(
        "Take kms.amazonaws.com out of ExcludeManagementEventSources (and of the trail's advanced event "
        "selectors); keep a trail that logs management events switched on."
    ),
    references=(
        f"{_GUIDE}/logging-using-cloudtrail.html",
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html",
    ),
    scope=(Subject.TRAIL,),
    severity=Severity.MEDIUM,
    mappings={
        Framework.CIS_5: ("3.1",),
        Framework.SOC_2: ("CC7.1", "CC7.2"),
        Framework.NIST: ("AU-2", "AU-3", "AU-12"),
        Framework.PCI_DSS: ("10.2.1",),
    },
)

KMS_006 = Control(
    id="KMS:006",
    title="A key serves one application and one data classification",
    rationale=(
        "Whoever may decrypt with a shared key may decrypt everything under it. One key per service and "
        "classification keeps a stolen permission, and a disabled key, to one of them."
    ),
    remediation="Give each service and each data classification a key of its own.",
    references=(f"{_GUIDE}/overview.html",),
    scope=(Subject.KEY,),
    severity=Severity.MEDIUM,
    mappings={
        Framework.SOC_2: ("CC6.1",),
        Framework.NIST: ("AC-4", "AC-6", "SC-12"),
    },
)

KMS_007 = Control(
    id="KMS:007",
    title="Data of critical classifications has multi-Region keys",
    rationale=(
        "Data that is replicated to another Region under a single-Region key cannot be read there when the "
        "Region of the key is down. A key cannot be made multi-Region later."
    ),
    remediation=(
        "Create the key with MultiRegion true and a replica where the data is replicated; a key that exists "
        "has to be replaced and its data re-encrypted."
    ),
    references=(f"{_GUIDE}/multi-region-keys-overview.html",),
    scope=(Subject.KEY,),
    severity=Severity.MEDIUM,
    mappings={
        Framework.SOC_2: ("CC7.5",),
        Framework.NIST: ("CP-9", "CP-10", "SC-12(1)"),
    },
)

KMS_008 = Control(
    id="KMS:008",
    title="The key policy has been reviewed lately",
    rationale=(
        "People change roles and services are retired, and key policies go on naming them. A review date on "
        "the key shows which policies nobody has looked at."
    ),
    remediation=(
        "Review the key policy and write the date into the tag kms:policy-reviewed-on (YYYY-MM-DD); "
        "SecureKmsKey does so with policy_reviewed_on."
    ),
    references=(f"{_GUIDE}/determining-access.html",),
    scope=(Subject.KEY,),
    severity=Severity.WARNING,
    mappings={
        Framework.SOC_2: ("CC6.2", "CC6.3"),
        Framework.NIST: ("AC-2", "AC-6(7)"),
        Framework.PCI_DSS: ("7.2.4",),
    },
)

KMS_009 = Control(
    id="KMS:009",
    title="Imported key material expires",
    rationale=(
        "KMS does not rotate imported material by itself. An expiry makes its owner bring new material, or "
        "the same again, deliberately, and prove that the copy outside AWS still exists."
    ),
    remediation=(
        "Import the material with an expiry (ValidTo, at most 365 days ahead), declare it on the key, and "
        "alarm on SecondsUntilKeyMaterialExpiration."
    ),
    references=(f"{_GUIDE}/importing-keys-import-key-material.html",),
    scope=(Subject.KEY,),
    actions=("kms:ImportKeyMaterial",),
    severity=Severity.MEDIUM,
    mappings={
        Framework.SOC_2: ("CC6.1",),
        Framework.NIST: ("SC-12", "SC-12(2)"),
        Framework.PCI_DSS: ("3.7.4",),
    },
)

KMS_010 = Control(
    id="KMS:010",
    title="Every key has an alias",
    rationale=(
        "A key id tells nobody what the key is for, and code that holds it has to change when the key is "
        "replaced. An alias names the purpose and can be pointed at the successor."
    ),
    remediation="Attach an AWS::KMS::Alias; a replica needs one of its own in its Region.",
    references=(f"{_GUIDE}/kms-alias.html",),
    scope=(Subject.KEY,),
    severity=Severity.LOW,
    mappings={Framework.NIST: ("CM-8",)},
)

KMS_LINT = Control(
    id="KMS:LINT",
    title="The key policy says what it means",
    rationale=(
        "A misspelt action, a Resource that is not '*', a principal that cannot exist or a Deny with "
        "NotPrincipal is either refused at deployment or, worse, accepted and does something else than it "
        "seems to."
    ),
    remediation=(
        "Write actions as KMS names them, Resource '*', principals as full ARNs, and Denies with Principal "
        "'*' and a condition on aws:PrincipalArn."
    ),
    references=(
        f"{_GUIDE}/key-policy-overview.html",
        "https://docs.aws.amazon.com/service-authorization/latest/reference/"
        "list_awskeymanagementservice.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html",
    ),
    scope=(Subject.KEY_POLICY, Subject.IDENTITY_POLICY),
    severity=Severity.MEDIUM,
    mappings={Framework.NIST: ("AC-3", "CM-6")},
)

KEY_CONTROLS = (
    KMS_001,
    KMS_002,
    KMS_003,
    KMS_004,
    KMS_005,
    KMS_006,
    KMS_007,
    KMS_008,
    KMS_009,
    KMS_010,
    KMS_LINT,
)
