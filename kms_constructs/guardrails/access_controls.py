"""The controls on who may do what with a key: IAM-KMS-1 to IAM-KMS-8."""

from __future__ import annotations

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Severity

_GUIDE = "https://docs.aws.amazon.com/kms/latest/developerguide"
_BOTH = (Subject.KEY_POLICY, Subject.IDENTITY_POLICY)

IAM_KMS_1 = Control(
    id="IAM-KMS-1",
    title="The account's root user can restore the key policy",
    rationale=(
        "Roles and users that a key policy names can be deleted, and a principal that is made again under "
        "the same name is another one. When nobody whom the policy names is left, nobody can change the "
        "policy, and the key is locked: only AWS Support can help. The root user cannot be deleted, so a "
        "statement that reaches it keeps a way back, for emergencies and not for daily work."
    ),
    remediation=(
        "Allow the account's root principal kms:PutKeyPolicy on Resource '*', without a condition, or with "
        "one that limits the statement to the root user (ArnEquals aws:PrincipalArn); and exempt the root "
        "user from every Deny on kms:PutKeyPolicy."
    ),
    references=(
        f"{_GUIDE}/key-policy-default.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html",
    ),
    scope=(Subject.KEY_POLICY,),
    actions=("kms:PutKeyPolicy",),
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC7.5"),
        Framework.NIST: ("SC-12(1)",),
    },
)

IAM_KMS_2 = Control(
    id="IAM-KMS-2",
    title="Only authorised principals, or none, can delete imported key material",
    rationale=(
        "Deleting imported material makes the key unusable at once, without a waiting period. What it "
        "encrypted stays unreadable until the very same material is imported again; if no copy of it was "
        "kept, for ever."
    ),
    remediation=(
        "Give kms:DeleteImportedKeyMaterial to break-glass principals only and deny it to everyone else in "
        "the key policy; take it out of IAM policies; forbid it with an organization policy; alarm on the "
        "call."
    ),
    references=(f"{_GUIDE}/importing-keys-delete-key-material.html",),
    scope=_BOTH,
    actions=("kms:DeleteImportedKeyMaterial",),
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-3", "AC-6", "SC-12", "SC-12(1)"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
    preventable=True,
)

IAM_KMS_3 = Control(
    id="IAM-KMS-3",
    title="Only authorised principals, or none, can schedule a key for deletion",
    rationale=(
        "A deleted key takes with it all data that it encrypted: nobody can bring it back, AWS included. The "
        "waiting period helps only those who notice in time that it runs."
    ),
    remediation=(
        "Give kms:ScheduleKeyDeletion to break-glass principals only and deny it to everyone else in the key "
        "policy; take it out of IAM policies; forbid it with an organization policy; alarm on the call."
    ),
    references=(
        f"{_GUIDE}/deleting-keys.html",
        "https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html",
    ),
    scope=_BOTH,
    actions=("kms:ScheduleKeyDeletion",),
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-3", "AC-6", "SC-12", "SC-12(1)"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
    preventable=True,
)

IAM_KMS_4 = Control(
    id="IAM-KMS-4",
    title="Only authorised principals, or none, can disable a key",
    rationale=(
        "A disabled key decrypts nothing from the next request on, so every service that reads data under it "
        "stops. Disabling is the quickest way to take a whole application down, in test environments too."
    ),
    remediation=(
        "Give kms:DisableKey to break-glass principals only and deny it to everyone else in the key policy; "
        "take it out of IAM policies; forbid it with an organization policy; alarm on the call."
    ),
    references=(f"{_GUIDE}/enabling-keys.html",),
    scope=_BOTH,
    actions=("kms:DisableKey",),
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-3", "AC-6", "SC-12(1)"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
    preventable=True,
)

IAM_KMS_5 = Control(
    id="IAM-KMS-5",
    title="Only authorised principals, or none, can replace the key policy",
    rationale=(
        "Whoever can put a key policy can write any key policy: it can give itself use of the key, shut "
        "others out, and take every other guardrail away. The permission is worth all the others together."
    ),
    remediation=(
        "Give kms:PutKeyPolicy to break-glass principals and to the role that deploys the stack, and deny it "
        "to everyone else but the root user; take it out of IAM policies; alarm on the call."
    ),
    references=(
        f"{_GUIDE}/key-policy-modifying.html",
        "https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html",
    ),
    scope=_BOTH,
    actions=("kms:PutKeyPolicy",),
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-3", "AC-3(7)", "AC-6", "SC-12"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
    preventable=True,
)

IAM_KMS_6 = Control(
    id="IAM-KMS-6",
    title="Access for AWS services, and through them, is scoped",
    rationale=(
        "A service principal acts for every customer of the service: without a source condition, somebody "
        "else's resource can make the service use the key (the confused deputy). Access meant for use "
        "through a service works for direct calls as well, unless kms:ViaService limits it. And a principal "
        "that may create grants for anything can hand decryption to whomever it likes, itself included."
    ),
    remediation=(
        "Limit service principals by aws:SourceArn and aws:SourceAccount, or by the encryption context that "
        "the service sends; limit account-wide access by kms:ViaService and kms:CallerAccount; allow "
        "kms:CreateGrant only with Bool kms:GrantIsForAWSResource 'true', or deny it otherwise."
    ),
    references=(
        f"{_GUIDE}/conditions-kms.html#conditions-kms-via-service",
        f"{_GUIDE}/conditions-kms.html#conditions-kms-grant-is-for-aws-resource",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
    ),
    scope=(Subject.KEY_POLICY,),
    actions=("kms:CreateGrant",),
    severity=Severity.MEDIUM,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-3", "AC-4", "AC-6"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
)

IAM_KMS_7 = Control(
    id="IAM-KMS-7",
    title="Only authorised principals, or none, can turn rotation off",
    rationale=(
        "Rotation that anyone can turn off is a setting and not a safeguard: the key keeps working without "
        "it, so nobody notices."
    ),
    remediation=(
        "Deny kms:DisableKeyRotation to everyone in the key policy; take it out of IAM policies; forbid it "
        "with an organization policy."
    ),
    references=(f"{_GUIDE}/rotating-keys-enable-disable.html",),
    scope=_BOTH,
    actions=("kms:DisableKeyRotation",),
    severity=Severity.MEDIUM,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-3", "AC-6", "SC-12"),
        Framework.PCI_DSS: ("3.7.4", "7.2.2"),
    },
    preventable=True,
)

IAM_KMS_8 = Control(
    id="IAM-KMS-8",
    title="No principal both manages the key and uses it",
    rationale=(
        "Whoever administers the keys should not read the data, and whoever reads the data should not decide "
        "who else may: one stolen identity then does not give both, and a slip by a user cannot break the "
        "key. Wildcards, the right to create grants, and delegation to the account's IAM join the two "
        "without anyone having written it down."
    ),
    remediation=(
        "Name separate principals for administration and for use; list actions instead of wildcards "
        "(kms:Create* includes kms:CreateGrant); give the account's root principal administrative actions "
        "only, so that no IAM policy can hand out use of the key."
    ),
    references=(
        f"{_GUIDE}/key-policy-default.html",
        "https://docs.aws.amazon.com/prescriptive-guidance/latest/aws-kms-best-practices/introduction.html",
    ),
    scope=_BOTH,
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-5", "AC-6", "SC-12"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
)

ACCESS_CONTROLS = (IAM_KMS_1, IAM_KMS_2, IAM_KMS_3, IAM_KMS_4, IAM_KMS_5, IAM_KMS_6, IAM_KMS_7, IAM_KMS_8)
