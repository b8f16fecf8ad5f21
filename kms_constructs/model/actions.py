"""Every KMS action, classed by what it lets a principal do.

AWS's own access levels call Decrypt, DisableKey and TagResource alike "Write", so they cannot decide
separation of duties. The classes here can. An action that AWS adds and that is not listed makes a test fail;
an action that a policy names and that is not listed is treated as the worst of all classes.

See: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import glob_matches


class ActionClass(StrEnum):
    """What an action lets a principal do."""

    READ = "read"
    MANAGE = "manage"
    DESTRUCTIVE = "destructive"
    POLICY = "policy"
    GRANT = "grant"
    REPLICATE = "replicate"
    IMPORT = "import"
    CRYPTOGRAPHIC = "cryptographic"


class KeyUsage(StrEnum):
    """What a KMS key is for (KMS's ``KeyUsage``)."""

    ENCRYPT_DECRYPT = "ENCRYPT_DECRYPT"
    SIGN_VERIFY = "SIGN_VERIFY"
    GENERATE_VERIFY_MAC = "GENERATE_VERIFY_MAC"
    KEY_AGREEMENT = "KEY_AGREEMENT"
    ENCAPSULATE_DECAPSULATE = "ENCAPSULATE_DECAPSULATE"


class Action(Frozen, frozen=True):
    """One KMS action.

    Args:
        name: Without the ``kms:`` prefix, in AWS's spelling.
        classification: What it lets a principal do.
        on_key: Whether it acts on one key; False for account-wide actions, which a key policy cannot allow.
        usages: For cryptographic actions: the key usages that they work with.
        grantable: Whether a grant can carry it.
    """

    name: str
    classification: ActionClass
    on_key: bool = True
    usages: frozenset[KeyUsage] = frozenset()
    grantable: bool = False

    @property
    def qualified(self) -> str:
        """The action as a policy writes it: ``kms:Decrypt``."""
        return f"kms:{self.name}"


def _table() -> dict[str, Action]:
    usage = KeyUsage
    actions: list[Action] = []

    def add(classification: ActionClass, names: str, *, on_key: bool = True) -> None:
        actions.extend(Action(name, classification, on_key=on_key) for name in names.split())

    add(
        ActionClass.READ,
        "GetKeyLastUsage GetKeyPolicy GetKeyRotationStatus ListGrants ListKeyPolicies ListKeyRotations "
        "ListResourceTags",
    )
    add(ActionClass.READ, "DescribeCustomKeyStores ListAliases ListKeys ListRetirableGrants", on_key=False)
    actions.append(Action("DescribeKey", ActionClass.READ, grantable=True))
    # A public key is no secret: reading it neither decrypts nor signs.
    actions.append(Action("GetPublicKey", ActionClass.READ, grantable=True))
    add(
        ActionClass.MANAGE,
        "CancelKeyDeletion CreateAlias DeleteAlias EnableKey EnableKeyRotation RotateKeyOnDemand TagResource "
        "UntagResource UpdateAlias UpdateKeyDescription",
    )
    add(
        ActionClass.MANAGE,
        "ConnectCustomKeyStore CreateCustomKeyStore CreateKey UpdateCustomKeyStore",
        on_key=False,
    )
    add(
        ActionClass.DESTRUCTIVE, "DeleteImportedKeyMaterial DisableKey DisableKeyRotation ScheduleKeyDeletion"
    )
    add(ActionClass.DESTRUCTIVE, "DeleteCustomKeyStore DisconnectCustomKeyStore", on_key=False)
    add(ActionClass.POLICY, "PutKeyPolicy")
    add(ActionClass.REPLICATE, "ReplicateKey SynchronizeMultiRegionKey UpdatePrimaryRegion")
    add(ActionClass.IMPORT, "GetParametersForImport ImportKeyMaterial")
    actions.append(Action("CreateGrant", ActionClass.GRANT, grantable=True))
    actions.append(Action("RetireGrant", ActionClass.GRANT, grantable=True))
    actions.append(Action("RevokeGrant", ActionClass.GRANT))

    cryptographic: dict[KeyUsage, str] = {
        usage.ENCRYPT_DECRYPT: "Decrypt Encrypt GenerateDataKey GenerateDataKeyPair "
        "GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo",
        usage.SIGN_VERIFY: "Sign Verify",
        usage.GENERATE_VERIFY_MAC: "GenerateMac VerifyMac",
        usage.KEY_AGREEMENT: "DeriveSharedSecret",
        usage.ENCAPSULATE_DECAPSULATE: "Decapsulate Encapsulate",
    }
    for key_usage, names in cryptographic.items():
        actions.extend(
            Action(name, ActionClass.CRYPTOGRAPHIC, usages=frozenset({key_usage}), grantable=True)
            for name in names.split()
        )
    actions.append(Action("GenerateRandom", ActionClass.CRYPTOGRAPHIC, on_key=False))
    return {action.name: action for action in sorted(actions, key=lambda item: item.name)}


ACTIONS: dict[str, Action] = _table()
"""Every KMS action by name, sorted."""

_BY_FOLDED = {name.lower(): action for name, action in ACTIONS.items()}

READING = frozenset(name for name, action in ACTIONS.items() if action.classification is ActionClass.READ)
"""Actions that only read metadata: they neither decrypt nor sign."""

USING = frozenset(
    name for name, action in ACTIONS.items() if action.classification is ActionClass.CRYPTOGRAPHIC
)
"""Actions that use the key material."""

DESCRIBING = frozenset({"DescribeKey", "GetPublicKey"})
"""What a user of a key reads of it before using it."""

MANAGING_CLASSES = frozenset(
    {
        ActionClass.MANAGE,
        ActionClass.DESTRUCTIVE,
        ActionClass.POLICY,
        ActionClass.REPLICATE,
        ActionClass.IMPORT,
    }
)
"""Classes that count as managing a key when duties are separated."""

ACROSS_ACCOUNTS = frozenset(
    {
        "CreateGrant",
        "DescribeKey",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListGrants",
        "RetireGrant",
        "RevokeGrant",
        *(
            name
            for name, action in ACTIONS.items()
            if action.on_key and action.classification is ActionClass.CRYPTOGRAPHIC
        ),
    }
)
"""Actions on a key that KMS takes from principals of other accounts; of all others it takes none, whatever
policies say.

See: https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
"""


@lru_cache(maxsize=256)
def actions_of(*classes: ActionClass, usage: KeyUsage | None = None, on_key: bool = True) -> tuple[str, ...]:
    """Names of the actions in these classes, sorted.

    Args:
        classes: The classes wanted.
        usage: Only cryptographic actions that work with this key usage; None for all.
        on_key: Only actions on a key (the default), which are all that a key policy can allow.
    """
    return tuple(
        action.name
        for action in ACTIONS.values()
        if action.classification in classes
        and (action.on_key or not on_key)
        and (
            usage is None or action.classification is not ActionClass.CRYPTOGRAPHIC or usage in action.usages
        )
    )


def find_action(name: str) -> Action | None:
    """The action of this name, with or without ``kms:``, in any case; None when KMS has no such action."""
    return _BY_FOLDED.get(name.lower().removeprefix("kms:")) if name.isascii() else None


@lru_cache(maxsize=16384)
def action_matches(pattern: str, action: str) -> bool:
    """Whether an action pattern of a policy covers an action, as IAM does: case-insensitive, ``*`` and ``?``.

    Args:
        pattern: As the policy writes it: ``kms:Create*``, ``*``.
        action: With prefix: ``kms:CreateGrant``.
    """
    return glob_matches(pattern, action, fold=True)


@lru_cache(maxsize=4096)
def expand(pattern: str) -> tuple[str, ...]:
    """Names (without prefix) of every KMS action that the pattern covers, sorted; empty when none does."""
    return tuple(name for name in ACTIONS if action_matches(pattern, f"kms:{name}"))
