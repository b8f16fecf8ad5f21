"""Effective access: every principal that a key policy, grants and IAM policies know, and what each may do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kms_constructs.analysis.identity import IdentityGrant, identity_grants, may_reach
from kms_constructs.analysis.principals import (
    Cell,
    PrincipalKind,
    any_meet,
    describe_cells,
    named_cells,
    same_principal,
)
from kms_constructs.analysis.reach import Contribution, Reach, reach_of
from kms_constructs.analysis.separation import DIRECT_GRANT_CONTEXT
from kms_constructs.model.actions import ActionClass, KeyUsage, actions_of
from kms_constructs.model.estate import IdentityPolicy, Key
from kms_constructs.model.globs import glob_covers
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
    """How far a principal has a capability."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    DELEGATED = "delegated"
    UNKNOWN = "unknown"
    DENIED = "-"


_RANK = (Access.ALLOWED, Access.CONDITIONAL, Access.DELEGATED, Access.UNKNOWN, Access.DENIED)


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One principal's hold on one capability.

    Args:
        access: ``allowed``; ``conditional`` (conditions of the request decide); ``delegated`` (IAM policies
            of the account decide); ``unknown`` (something is not resolved); ``-`` (nobody can be given it
            without changing the key policy).
        statements: What gives it: Sids, grants, IAM policies.
        conditions: The conditions on it, one line each.
    """

    access: Access
    statements: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One principal and all of its capabilities."""

    principal: str
    kind: str
    cells: Mapping[Capability, MatrixCell]


@dataclass(frozen=True, slots=True)
class AccessMatrix:
    """Who may do what with one key."""

    key: Key
    capabilities: tuple[Capability, ...]
    rows: tuple[MatrixRow, ...]

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


def access_matrix(key: Key, identity_policies: Sequence[IdentityPolicy] = ()) -> AccessMatrix:
    """Who may do what with a key.

    A row for every principal that the key policy or a grant names (an account principal is two: its root
    user, and everyone else through IAM), and for every role or user to whom an IAM policy of the estate
    gives what the key policy delegates.

    Args:
        key: The key.
        identity_policies: The IAM policies of the estate.
    """
    asked = _Asked.of(key)
    rows = {name: asked.row(cells) for name, cells in _groups(asked.regions.values()).items()}
    for arn, parts in _identity_parts(key, asked.regions, identity_policies).items():
        row = asked.row(named_cells(arn), parts)
        rows[row.principal] = row
    return AccessMatrix(key, asked.capabilities, tuple(rows.values()))


def access_row(key: Key, principal: str, identity_policies: Sequence[IdentityPolicy] = ()) -> MatrixRow:
    """What one principal may do with a key, whether the key policy names it or not.

    Unlike in the matrix, whatever takes the principal in counts as its own, and so does the account that
    decides by IAM policies: a capability is then delegated.

    Args:
        key: The key.
        principal: ARN of a role, user or root user, or the name of a service.
        identity_policies: The IAM policies of the estate; those attached to the principal count.
    """
    cells = named_cells(principal)
    # The ARN of the root user stands for its whole account in a policy; here it is asked for itself.
    cells = tuple(cell for cell in cells if cell.kind is PrincipalKind.ROOT) or cells
    asked = _Asked.of(key)
    parts = tuple(
        part
        for arn, found in _identity_parts(key, asked.regions, identity_policies).items()
        if same_principal(arn, principal)
        for part in found
    )
    return asked.row(cells, parts, delegations=True)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The regions of every action that means something for a key, asked once for all rows."""

    capabilities: tuple[Capability, ...]
    regions: Mapping[str, Reach]
    direct_grants: Reach

    @classmethod
    def of(cls, key: Key) -> _Asked:
        capabilities = capabilities_of(key)
        actions = (action for capability in capabilities for action in ACTIONS_OF[capability])
        regions = {action: reach_of(key, action) for action in actions}
        return cls(capabilities, regions, reach_of(key, "CreateGrant", context=DIRECT_GRANT_CONTEXT))

    def row(
        self, cells: Sequence[Cell], identity: Sequence[_IdentityPart] = (), *, delegations: bool = False
    ) -> MatrixRow:
        found = {
            capability: _cell(
                capability, cells, self.regions, self.direct_grants, identity, delegations=delegations
            )
            for capability in self.capabilities
        }
        return MatrixRow(describe_cells(cells), _kind(cells), found)


def _groups(regions: Iterable[Reach]) -> dict[str, tuple[Cell, ...]]:
    """The principals to show, by name: an account's users and roles together, its root user apart."""
    found: dict[str, dict[Cell, None]] = {}
    for region in regions:
        for part in region.contributions:
            root = tuple(cell for cell in part.cells if cell.kind is PrincipalKind.ROOT)
            rest = tuple(
                _without_exclusions(cell) for cell in part.cells if cell.kind is not PrincipalKind.ROOT
            )
            # Where a Deny leaves a few principals of an account, each has a row: not all may do the same.
            several = tuple(cell for cell in rest if cell.literal is None)
            single = ((cell,) for cell in rest if cell.literal is not None)
            for cells in (root, several, *single):
                if cells:
                    found.setdefault(describe_cells(cells), {}).update(dict.fromkeys(cells))
    return {name: tuple(cells) for name, cells in found.items()}


def _without_exclusions(cell: Cell) -> Cell:
    return Cell(cell.kind, cell.include)


def _kind(cells: Sequence[Cell]) -> str:
    kinds = list(dict.fromkeys(cell.kind.value for cell in cells))
    return kinds[0] if len(kinds) == 1 else "several"


@dataclass(frozen=True, slots=True)
class _IdentityPart:
    grant: IdentityGrant
    delegation: Contribution


def _identity_parts(
    key: Key, regions: Mapping[str, Reach], policies: Sequence[IdentityPolicy]
) -> dict[str, tuple[_IdentityPart, ...]]:
    delegated = {
        action: tuple(part for part in region.contributions if part.delegated)
        for action, region in regions.items()
    }
    delegated = {action: parts for action, parts in delegated.items() if parts}
    if not delegated:
        return {}
    found: dict[str, list[_IdentityPart]] = {}
    for policy in policies:
        if isinstance(policy.attached_to, Unknown) or not policy.attached_to:
            continue
        for grant in identity_grants(policy, delegated):
            if not may_reach(grant, key):
                continue
            for arn in policy.attached_to:
                cells = named_cells(arn)
                found.setdefault(arn, []).extend(
                    _IdentityPart(grant, part)
                    for part in delegated[grant.action]
                    if any_meet(cells, part.cells)
                )
    return {arn: tuple(parts) for arn, parts in found.items() if parts}


def _cell(
    capability: Capability,
    cells: Sequence[Cell],
    regions: Mapping[str, Reach],
    direct_grants: Reach,
    identity: Sequence[_IdentityPart],
    *,
    delegations: bool = False,
) -> MatrixCell:
    best = Access.DENIED
    statements: dict[str, None] = {}
    conditions: dict[str, None] = {}

    def note(access: Access, label: str, texts: Iterable[str]) -> None:
        nonlocal best
        best = min(best, access, key=_RANK.index)
        statements[label] = None
        conditions.update(dict.fromkeys(texts))

    for action in ACTIONS_OF[capability]:
        for part in regions[action].contributions:
            by_account = delegations and part.delegated and any_meet(cells, part.cells)
            if not by_account and not _named(part, cells):
                continue
            label = part.statement.label if part.statement is not None else part.label
            texts = tuple(describe_condition(condition) for condition in part.conditions)
            note(_access(part, cells), label, texts)
        for found in identity:
            if found.grant.action != action:
                continue
            conditional = bool(found.delegation.conditions) or found.grant.conditions != ()
            access = Access.UNKNOWN if found.grant.unresolved else Access.ALLOWED
            if access is Access.ALLOWED and conditional:
                access = Access.CONDITIONAL
            note(access, f"{found.delegation.label} → {found.grant.label}", _identity_conditions(found))
    if capability is Capability.CREATE_GRANT and best is Access.ALLOWED:
        direct = any(_named(part, cells) for part in direct_grants.contributions)
        via_identity = any(found.grant.action == "CreateGrant" for found in identity)
        if not direct and not via_identity:
            best = Access.CONDITIONAL
            conditions["only for AWS services (kms:GrantIsForAWSResource)"] = None
    return MatrixCell(best, tuple(statements), tuple(conditions))


def _identity_conditions(found: _IdentityPart) -> tuple[str, ...]:
    own = found.grant.conditions
    texts = (
        ("conditions that are not resolved",) if isinstance(own, Unknown) else map(describe_condition, own)
    )
    return (*map(describe_condition, found.delegation.conditions), *texts)


def _named(part: Contribution, cells: Sequence[Cell]) -> bool:
    """Whether a contribution takes in the principals of a row as such.

    What takes in a part of them has a row of its own. A delegation to an account is shown in the account's
    row; in the row of one of its roles it only shows once an IAM policy uses it.
    """
    return any(_covers(theirs, mine, part.delegated) for mine in cells for theirs in part.cells)


def _covers(theirs: Cell, mine: Cell, delegated: bool) -> bool:
    if theirs.kind is not mine.kind:
        return False
    if delegated and mine.kind is not PrincipalKind.ROOT:
        return theirs.include == mine.include
    if any(glob_covers(excluded, included) for excluded in theirs.exclude for included in mine.include):
        return False
    return all(any(glob_covers(one, included) for included in mine.include) for one in theirs.include)


def _access(part: Contribution, cells: Sequence[Cell]) -> Access:
    if part.unresolved:
        return Access.UNKNOWN
    if part.delegated and any(cell.kind is not PrincipalKind.ROOT for cell in cells):
        return Access.DELEGATED
    return Access.CONDITIONAL if part.conditions else Access.ALLOWED


def describe_condition(condition: Condition) -> str:
    """A condition as one line: ``kms:ViaService StringEquals s3.us-east-1.amazonaws.com``."""
    if isinstance(condition.values, Unknown):
        values = f"not resolved: {condition.values.reason}"
    else:
        values = ", ".join(map(display, condition.values))
    return f"{condition.key} {condition.operator} {values}"


def who_can(key: Key, action: str) -> tuple[str, ...]:
    """Everyone in R(action), as a person reads them, each once."""
    return tuple(dict.fromkeys(part.principals for part in reach_of(key, action).contributions))


__all__ = [
    "ACTIONS_OF",
    "Access",
    "AccessMatrix",
    "Capability",
    "MatrixCell",
    "MatrixRow",
    "access_matrix",
    "access_row",
    "capabilities_of",
    "describe_condition",
    "who_can",
]
