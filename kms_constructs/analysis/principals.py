"""Sets of principals: the cells that access regions are made of.

A cell is one kind of principal and a conjunction of patterns over its name: all of `include` match, none of
`exclude` does. The name of a role session is the ARN of its role, which is what ``aws:PrincipalArn`` holds.

A key and all principals that can call it lie in one partition, and patterns are held against names in that
partition, as AWS does: ``arn:aws:…`` matches nobody in ``aws-cn``, ``arn:*:…`` matches in both. Where the
partition is decided at deployment, names hold a hole for it, which may turn out to be any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import lru_cache

from kms_constructs.model.arn import OPEN_PARTITION, canonical, is_account_id, parse_arn
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import glob_covers, globs_meet, has_wildcard, is_literal, is_plain
from kms_constructs.model.policy import Principal
from kms_constructs.model.text import (
    CLOSE,
    FIELD_ANY,
    FIELD_STAR,
    OPEN,
    HoleKind,
    display,
    has_hole,
    has_unresolved_hole,
    hole,
    holes,
    split_holes,
)


class PrincipalKind(StrEnum):
    """The kinds of principal that can call KMS."""

    ROOT = "root user"
    USER = "user"
    ROLE = "role"
    FEDERATED = "federated user"
    SERVICE = "service"

    __hash__ = str.__hash__
    """As the text that it is equal to."""


IAM_KINDS = (PrincipalKind.ROOT, PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.FEDERATED)
"""Every kind that belongs to an account."""

ANY_PARTITION = FIELD_STAR
"""Stands for the partition where it does not matter."""

_RESOURCE = {
    PrincipalKind.ROOT: ("iam", "root"),
    PrincipalKind.USER: ("iam", "user/*"),
    PrincipalKind.ROLE: ("iam", "role/*"),
    PrincipalKind.FEDERATED: ("sts", "federated-user/*"),
}
_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")
_UNIQUE_IDS = {"AROA": PrincipalKind.ROLE, "AIDA": PrincipalKind.USER}
"""Beginnings of the ids by which a policy names a role or user that was deleted.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
"""
_WITH_UNIQUE_ID = "the principal with unique id "
_UNDECIDED_ACCOUNT = re.compile(f"{OPEN}e:[^{CLOSE}]*{CLOSE}")
_TO_FIELD = str.maketrans({"*": FIELD_STAR, "?": FIELD_ANY})
_CROSSING = re.compile(r"[*?]")


def localised(text: str, partition: str) -> str:
    """A text with the undecided partition written out, where it is known."""
    known = OPEN_PARTITION in text and partition != ANY_PARTITION
    return text.replace(OPEN_PARTITION, partition) if known else text


@lru_cache(maxsize=4096)
def account_pattern(kind: PrincipalKind, account: str, partition: str = ANY_PARTITION) -> str:
    """Pattern of every principal of a kind in an account.

    Args:
        kind: The kind.
        account: Twelve digits, text with holes, or a pattern: ``*`` for any account.
        partition: The partition that they lie in.
    """
    service, resource = _RESOURCE[kind]
    return f"arn:{partition}:{service}::{account.translate(_TO_FIELD)}:{resource}"


@lru_cache(maxsize=1024)
def root_arn(account: str, partition: str) -> str:
    """ARN of the root user of an account."""
    return account_pattern(PrincipalKind.ROOT, account, partition)


class Cell(Frozen, frozen=True):
    """A set of principals of one kind.

    Args:
        kind: Their kind.
        include: Patterns that all match the name. One literal pattern is exactly one principal.
        exclude: Patterns none of which matches.
    """

    kind: PrincipalKind
    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()

    @property
    def literal(self) -> str | None:
        """The name, when the cell is exactly one principal."""
        if len(self.include) != 1:
            return None
        # Which partition a deployment lies in makes no two principals out of one.
        name = self.include[0]
        known = name.replace(OPEN_PARTITION, "") if OPEN in name else name
        return name if is_literal(known) else None

    @property
    def account(self) -> str | None:
        """The account that all of it lies in; None when it may lie in several, and for services."""
        if self.kind is PrincipalKind.SERVICE:
            return None
        for pattern in self.include:
            account = _one_account(pattern)
            if account is not None:
                return account
        return None

    def within(self, patterns: Iterable[str]) -> bool:
        """Whether each of its principals matches one of the ARN patterns, for certain.

        Who names principals to be authorised means those of the key's partition, in whatever form.
        """
        return any(
            glob_covers(canonical(pattern), canonical(included)) or _same_role(pattern, included)
            for pattern in patterns
            for included in self.include
        )

    def contains(self, other: Cell) -> bool:
        """Whether every principal of another cell lies in this one, for certain."""
        return (
            self.kind is other.kind
            and all(any(glob_covers(wide, one) for one in other.include) for wide in self.include)
            and all(
                any(glob_covers(left_out, pattern) for left_out in other.exclude)
                or not all(globs_meet(pattern, one) for one in other.include)
                for pattern in self.exclude
            )
        )

    @property
    def ordered(self) -> Cell:
        """The same cell with its patterns sorted: what it was cut from in which order does not show."""
        if len(self.include) == 1 and len(self.exclude) < 2:
            return self
        return Cell(self.kind, tuple(sorted(self.include)), tuple(sorted(self.exclude)))

    def __str__(self) -> str:
        return describe_cells((self,))


_ANY_PATH = re.compile(r"role/\*/([\w+=,.@-]+)", re.ASCII)


@lru_cache(maxsize=16384)
def _same_role(pattern: str, included: str) -> bool:
    """Whether a pattern names the one role that a role of this name in any path can be.

    Names of roles are unique in an account, whatever their path: beside a role that is named there is no
    other.

    See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    role, named = parse_arn(included), parse_arn(pattern)
    found = _ANY_PATH.fullmatch(role.resource) if role is not None else None
    if role is None or named is None or found is None or not is_account_id(role.account):
        return False
    plain = named.service == "iam" and named.resource.startswith("role/") and is_literal(named.resource)
    name = named.resource.rsplit("/", 1)[-1]
    return plain and name == found.group(1) and named.account == role.account


@lru_cache(maxsize=16384)
def _one_account(pattern: str) -> str | None:
    """The account that a pattern of names spells; None when it may match names of several."""
    arn = parse_arn(pattern)
    # Where a wildcard may run over a colon, what stands in the fifth place need not be the account.
    if arn is None or any(map(_CROSSING.search, arn.fields[:3])) or has_wildcard(arn.account):
        return None
    return arn.account


def lies_elsewhere(cell: Cell, account: str) -> bool:
    """Whether some pattern keeps all principals of a cell out of an account.

    Args:
        cell: The cell; a service lies in no account.
        account: Twelve digits, or text with holes.
    """
    return any(
        begin is not None and not globs_meet(begin, account) for begin in map(_account_begin, cell.include)
    )


@lru_cache(maxsize=16384)
def _account_begin(pattern: str) -> str | None:
    """What the account of every name that matches a pattern looks like; None when that is not told."""
    arn = parse_arn(pattern)
    if arn is None or any(map(_CROSSING.search, arn.fields[:3])):
        return None
    begin, *rest = _CROSSING.split(arn.account)
    return f"{begin}*" if rest else begin


def including(cell: Cell, pattern: str) -> Cell | None:
    """The part of the cell that matches the pattern, or None when there is none."""
    include = cell.include
    if any(glob_covers(pattern, present) for present in include):
        return cell
    if not _fits(cell.kind, pattern) or not all(globs_meet(pattern, present) for present in include):
        return None
    if any(glob_covers(excluded, pattern) for excluded in cell.exclude):
        return None
    kept = tuple(present for present in include if not glob_covers(present, pattern))
    return Cell(cell.kind, (*kept, pattern), cell.exclude)


@lru_cache(maxsize=16384)
def _fits(kind: PrincipalKind, pattern: str) -> bool:
    """Whether a principal of this kind can match; a wildcard before the resource may run over its colon."""
    if kind is PrincipalKind.SERVICE:
        return True
    arn = parse_arn(pattern)
    if arn is None or any(_CROSSING.search(field) or has_unresolved_hole(field) for field in arn.fields[:4]):
        return kind is not PrincipalKind.ROOT or "/" not in _without_holes(pattern)
    start = re.split(f"[*?{OPEN}{FIELD_STAR}{FIELD_ANY}]", arn.resource)[0]
    known = _RESOURCE[kind][1].rstrip("*")
    return start.startswith(known) or known.startswith(start)


def _without_holes(text: str) -> str:
    return "".join(piece for piece in split_holes(text) if not has_hole(piece))


def excluding(cell: Cell, patterns: Sequence[str]) -> Cell | None:
    """The part of the cell that matches none of the patterns, or None when nothing is left."""
    exclude = list(cell.exclude)
    for pattern in patterns:
        if any(glob_covers(pattern, present) for present in cell.include):
            return None
        if pattern not in exclude and all(globs_meet(pattern, present) for present in cell.include):
            exclude.append(pattern)
    return Cell(cell.kind, cell.include, tuple(exclude))


@lru_cache(maxsize=64)
def everyone(partition: str = ANY_PARTITION) -> tuple[Cell, ...]:
    """Every principal there is in a partition, AWS services included."""
    return (
        *(Cell(kind, (account_pattern(kind, "*", partition),)) for kind in IAM_KINDS),
        Cell(PrincipalKind.SERVICE, ("*",)),
    )


@lru_cache(maxsize=4096)
def account_cells(account: str, partition: str = ANY_PARTITION) -> tuple[Cell, ...]:
    """Every principal of an account."""
    return tuple(Cell(kind, (account_pattern(kind, account, partition),)) for kind in IAM_KINDS)


@lru_cache(maxsize=16384)
def account_of(arn: str) -> str | None:
    """The account field of an IAM or STS ARN, which may be a pattern or have a hole; None for other text."""
    found = parse_arn(arn)
    return found.account if found is not None and found.service in ("iam", "sts", "*") else None


class PrincipalCells(Frozen, frozen=True):
    """What one entry of a Principal element stands for.

    Args:
        cells: The principals.
        delegated: Whether access goes through an account's IAM policies.
        unresolved: Why it is not known whom the entry means, or None.
    """

    cells: tuple[Cell, ...]
    delegated: bool = False
    unresolved: str | None = None


@lru_cache(maxsize=16384)
def principal_cells(principal: Principal, partition: str = ANY_PARTITION) -> PrincipalCells:
    """The principals that an entry of a Principal element stands for, never too few.

    Args:
        principal: The entry.
        partition: The partition of the key whose policy names it. An ARN of another one names nobody there:
            KMS refuses such a policy, so that the key may lie elsewhere than was said.

    See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    value = localised(principal.value, partition)
    if principal.type == "Service":
        if has_hole(value):
            return PrincipalCells(
                (Cell(PrincipalKind.SERVICE, ("*",)),), unresolved=f"{display(value)} is undecided"
            )
        return PrincipalCells((Cell(PrincipalKind.SERVICE, (value,)),))
    if value == "*":
        return PrincipalCells(everyone(partition))
    if principal.type != "AWS":
        return PrincipalCells(
            everyone(partition), unresolved=f"a {principal.type} principal has no meaning in a key policy"
        )
    return _aws_principal(value, partition)


def _aws_principal(value: str, partition: str) -> PrincipalCells:
    if is_account_id(value) or _UNDECIDED_ACCOUNT.fullmatch(value):
        return PrincipalCells(account_cells(value, partition), delegated=True)
    arn = parse_arn(value)
    if arn is None and (kind := _UNIQUE_IDS.get(value[:4])) and _UNIQUE_ID.fullmatch(value):
        # Its name is one text, which nobody knows.
        named = hole(HoleKind.UNRESOLVED, f"{_WITH_UNIQUE_ID}{value}")
        return PrincipalCells(
            (Cell(kind, (named,)),), unresolved=f"which {kind} has the unique id {value} is not known"
        )
    if arn is None:
        return PrincipalCells(everyone(partition), unresolved=f"{display(value)} is no ARN and no account id")
    if not arn.account:
        return PrincipalCells(everyone(partition), unresolved=f"{display(value)} has no account")
    undecided = f"{display(value)} is undecided" if has_unresolved_hole(value) else None
    if undecided is None and not globs_meet(arn.partition, partition):
        undecided = f"{display(value)} lies in partition {arn.partition}, and the key in {partition}"
    if arn.resource == "root":
        cells = account_cells(arn.account, arn.partition)
        return PrincipalCells(cells, delegated=True, unresolved=undecided)
    if arn.service == "sts" and arn.resource.startswith("assumed-role/"):
        # A session's ARN does not tell the path of its role.
        name = arn.resource.split("/")[1]
        start = f"arn:{arn.partition}:iam::{arn.account}:role/"
        found = (f"{start}{name}", f"{start}*/{name}")
        return PrincipalCells(tuple(Cell(PrincipalKind.ROLE, (one,)) for one in found), unresolved=undecided)
    for kind, prefix in (
        (PrincipalKind.USER, "user/"),
        (PrincipalKind.ROLE, "role/"),
        (PrincipalKind.FEDERATED, "federated-user/"),
    ):
        if arn.resource.startswith(prefix) and arn.service == _RESOURCE[kind][0]:
            return PrincipalCells((Cell(kind, (value,)),), unresolved=undecided)
    return PrincipalCells(everyone(partition), unresolved=f"{display(value)} is no principal that KMS knows")


def is_session(arn: str) -> bool:
    """Whether the ARN is that of one role session."""
    found = parse_arn(arn)
    return found is not None and found.service == "sts" and found.resource.startswith("assumed-role/")


def same_principal(left: str, right: str) -> bool:
    """Whether two spellings mean the same principal, or one lies within the other.

    Partition forms, bare account ids and role sessions count: ``arn:aws:sts::1…:assumed-role/R/s`` is role R.

    Example:
        >>> same_principal("111122223333", "arn:aws-cn:iam::111122223333:root")
        True
    """
    cells = [principal_cells(Principal("AWS", text)).cells for text in (left, right)]
    return any(
        a.kind is b.kind and all(globs_meet(x, y) for x in a.include for y in b.include)
        for a in cells[0]
        for b in cells[1]
    )


def cells_meet(left: Cell, right: Cell) -> Cell | None:
    """The principals that lie in both cells, never too few; None when there is none for certain."""
    if left.kind is not right.kind:
        return None
    if len(left.include) == len(right.include) == 1:
        one, other = left.include[0], right.include[0]
        if one != other and is_plain(one) and is_plain(other):
            return None  # two names: lists of thousands are held against each other
    found: Cell | None = left
    for pattern in right.include:
        found = including(found, pattern) if found is not None else None
    return excluding(found, right.exclude) if found is not None else None


def named_cells(name: str) -> tuple[Cell, ...]:
    """The principals that a name stands for: an ARN, an account id, an asterisk, or else a service."""
    aws = name.startswith("arn:") or name.isdigit() or name == "*"
    return principal_cells(Principal("AWS" if aws else "Service", name)).cells


def any_meet(left: Iterable[Cell], right: Sequence[Cell]) -> bool:
    """Whether some principal may lie in cells of both sides."""
    return any(cells_meet(one, other) is not None for one in left for other in right)


def all_within(cells: Iterable[Cell], patterns: Sequence[str]) -> bool:
    """Whether every principal of the cells matches one of the ARN patterns, for certain."""
    return bool(patterns) and all(cell.within(patterns) for cell in cells)


def describe_cells(cells: Iterable[Cell]) -> str:
    """The cells as a person reads them, merged where they make up an account or everyone."""
    return _described(tuple(cells))


@lru_cache(maxsize=16384)
def _described(cells: tuple[Cell, ...]) -> str:
    groups: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(_group_of(cell), []).append(cell)
    return ", ".join(dict.fromkeys(_describe_group(key, found) for key, found in groups.items()))


def _group_of(cell: Cell) -> tuple[str, ...]:
    if not _whole_account(cell):
        return ("one", _name(cell))
    return ("account", cell.account) if cell.account else ("everyone",)


def _whole_account(cell: Cell) -> bool:
    if cell.kind is PrincipalKind.SERVICE or len(cell.include) != 1:
        return False
    arn = parse_arn(cell.include[0])
    return arn is not None and (arn.service, arn.resource) == _RESOURCE[cell.kind]


def _name(cell: Cell) -> str:
    if cell.kind is PrincipalKind.SERVICE:
        return (
            "any AWS service" if cell.include == ("*",) else f"service {display(' and '.join(cell.include))}"
        )
    return " and ".join(map(_shown, cell.include))


def _shown(pattern: str) -> str:
    found = holes(pattern)
    return found[0][1] if found and found[0][1].startswith(_WITH_UNIQUE_ID) else display(pattern)


def _describe_group(key: tuple[str, ...], cells: Sequence[Cell]) -> str:
    kinds = {cell.kind for cell in cells}
    excluded = sorted({display(pattern) for cell in cells for pattern in cell.exclude})
    suffix = f" except {', '.join(excluded)}" if excluded else ""
    if key[0] == "one":
        return key[1] + suffix
    where = f"of account {display(key[1])}" if key[0] == "account" else "of any account"
    if kinds == {PrincipalKind.ROOT}:
        return f"the root user {where}"
    if len(kinds) >= 3:
        return f"any principal {where}{suffix}"
    return f"any {' or '.join(sorted(kind.value for kind in kinds))} {where}{suffix}"
