"""What access to a key is called: capabilities, how far a principal has one, and the matrix of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec.structs import force_setattr

from kms_constructs.model.actions import ActionClass, KeyUsage, actions_of
from kms_constructs.model.estate import Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS
from kms_constructs.model.policy import Condition
from kms_constructs.model.text import display
from kms_constructs.model.unknown import Unknown


class Capability(StrEnum):
    """What a principal can do with a key, as a person would ask; each guarded action is one of its own."""

    _ignore_ = ["members", "guarded"]  # noqa: RUF012 - the enum takes it away

    READ = "read"
    MANAGE = "manage"
    members = vars()
    for guarded in GUARDED_ACTIONS.values():
        members[guarded.capability.upper().replace(" ", "_")] = guarded.capability
    REPLICATE = "replicate"
    IMPORT = "import material"
    CREATE_GRANT = "create grant"
    ENCRYPT = "encrypt"
    DECRYPT = "decrypt"
    SIGN = "sign"
    VERIFY = "verify"
    GENERATE_MAC = "generate MAC"
    VERIFY_MAC = "verify MAC"
    AGREE = "agree key"
    ENCAPSULATE = "encapsulate"
    DECAPSULATE = "decapsulate"


ACTIONS_OF: Mapping[Capability, tuple[str, ...]] = {
    Capability.READ: actions_of(ActionClass.READ),
    Capability.MANAGE: actions_of(ActionClass.MANAGE),
    **{Capability(guarded.capability): (guarded.action,) for guarded in GUARDED_ACTIONS.values()},
    Capability.REPLICATE: actions_of(ActionClass.REPLICATE),
    Capability.IMPORT: ("ImportKeyMaterial",),
    Capability.CREATE_GRANT: ("CreateGrant",),
    Capability.ENCRYPT: (
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncryptTo",
    ),
    Capability.DECRYPT: ("Decrypt", "ReEncryptFrom"),
    Capability.SIGN: ("Sign",),
    Capability.VERIFY: ("Verify",),
    Capability.GENERATE_MAC: ("GenerateMac",),
    Capability.VERIFY_MAC: ("VerifyMac",),
    Capability.AGREE: ("DeriveSharedSecret",),
    Capability.ENCAPSULATE: ("Encapsulate",),
    Capability.DECAPSULATE: ("Decapsulate",),
}
"""The actions behind each capability; any one of them gives it."""

_BY_USAGE: Mapping[KeyUsage, tuple[Capability, ...]] = {
    KeyUsage.ENCRYPT_DECRYPT: (Capability.ENCRYPT, Capability.DECRYPT),
    KeyUsage.SIGN_VERIFY: (Capability.SIGN, Capability.VERIFY),
    KeyUsage.GENERATE_VERIFY_MAC: (Capability.GENERATE_MAC, Capability.VERIFY_MAC),
    KeyUsage.KEY_AGREEMENT: (Capability.AGREE,),
    KeyUsage.ENCAPSULATE_DECAPSULATE: (Capability.ENCAPSULATE, Capability.DECAPSULATE),
}


class Access(StrEnum):
    """How far a principal has a capability, most first."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    DELEGATED = "delegated"
    UNKNOWN = "unknown"
    DENIED = "-"


class MatrixCell(Frozen, frozen=True):
    """One principal's hold on one capability.

    Args:
        access: ``allowed``; ``conditional`` (conditions of the request decide); ``delegated`` (IAM policies
            of the account decide); ``unknown`` (something is not resolved); ``-`` (nobody can be given it
            without changing the key policy).
        statements: What gives it: Sids, grants, IAM policies.
        conditions: The conditions on it, one line each.
        alternatives: The same conditions in groups: those of a group hold together, and one group is enough.
            Without groups all of them hold together.
    """

    access: Access
    statements: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        """Takes conditions without groups for one group."""
        if self.conditions and not self.alternatives:
            force_setattr(self, "alternatives", (self.conditions,))


class MatrixRow(Frozen, frozen=True):
    """One principal and all of its capabilities."""

    principal: str
    kind: str
    cells: Mapping[Capability, MatrixCell]


class AccessMatrix(Frozen, frozen=True):
    """Who may do what with one key.

    Args:
        key: The key.
        capabilities: What is asked for.
        rows: One for each principal.
        world: Which deployments it is about, when they differ: ``Stage=prod``.
    """

    key: Key
    capabilities: tuple[Capability, ...]
    rows: tuple[MatrixRow, ...]
    world: str = ""

    def row(self, principal: str) -> MatrixRow | None:
        """The row of a principal by its exact name, or None."""
        return next((row for row in self.rows if row.principal == principal), None)


def capabilities_of(key: Key) -> tuple[Capability, ...]:
    """The capabilities that mean something for a key of this usage and origin."""
    usage = key.key_usage
    known = not isinstance(usage, Unknown) and usage in set(KeyUsage)
    using = (
        _BY_USAGE[KeyUsage(usage)]
        if known and not isinstance(usage, Unknown)
        else tuple(capability for group in _BY_USAGE.values() for capability in group)
    )
    external = key.origin != "AWS_KMS"
    general = (
        Capability.READ,
        Capability.MANAGE,
        *_guarded(external=external),
        *((Capability.REPLICATE,) if key.multi_region is not False else ()),
        Capability.CREATE_GRANT,
    )
    return (*general, *using)


def _guarded(*, external: bool) -> Iterator[Capability]:
    """The guarded actions, and importing material beside deleting it."""
    importing = external
    for guarded in GUARDED_ACTIONS.values():
        if external or not guarded.imported_material:
            yield Capability(guarded.capability)
        if importing and guarded.imported_material:
            yield Capability.IMPORT
            importing = False
    if importing:
        yield Capability.IMPORT


def describe_condition(condition: Condition) -> str:
    """A condition as one line: ``kms:ViaService StringEquals s3.us-east-1.amazonaws.com``."""
    if isinstance(condition.values, Unknown):
        values = f"not resolved: {condition.values.reason}"
    else:
        values = ", ".join(map(display, condition.values))
    return f"{condition.key} {condition.operator} {values}"
