"""An access matrix as reports show it: labels, symbols, and cells that say the same thing taken together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from kms_constructs.analysis.access import Access
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import has_hole
from kms_constructs.model.unknown import is_unknown
from kms_constructs.reports.summary import natural_order
from kms_constructs.reports.text import one_line

if TYPE_CHECKING:
    from kms_constructs.analysis.access import AccessMatrix, Capability, MatrixRow
    from kms_constructs.model.estate import Key


class AccessMark(Frozen, frozen=True):
    """How a degree of access is written.

    Args:
        symbol: One character.
        ascii: One character for terminals without Unicode.
        word: As text.
        meaning: For the legend.
    """

    symbol: str
    ascii: str
    word: str
    meaning: str


def _mark_of(access: Access) -> AccessMark:
    match access:
        case Access.ALLOWED:
            return AccessMark("●", "A", "allowed", "the key policy or a grant allows it")
        case Access.CONDITIONAL:
            return AccessMark("◐", "C", "conditional", "allowed while the conditions hold")
        case Access.DELEGATED:
            return AccessMark("○", "I", "delegated", "IAM policies of the account decide")
        case Access.UNKNOWN:
            meaning = "cannot be resolved before deployment: treated as allowed"
            return AccessMark("?", "?", "unknown", meaning)
        case Access.DENIED:
            return AccessMark("·", ".", "no access", "nothing allows it")


MARKS: Mapping[Access, AccessMark] = {access: _mark_of(access) for access in Access}
"""How each degree of access is written, strongest first."""
LEGEND: Mapping[Access, AccessMark] = {
    access: mark for access, mark in MARKS.items() if access is not Access.DENIED
}
"""Those that a reader is told of: of what is not there, nothing is said."""


class AccessEntry(Frozen, frozen=True):
    """Capabilities that one principal has in the same way, for the same reason."""

    access: Access
    capabilities: tuple[Capability, ...]
    statements: tuple[str, ...]
    alternatives: tuple[tuple[str, ...], ...]

    @property
    def proviso(self) -> str:
        """The word before the conditions: what is allowed without any can have more under some."""
        return proviso(self.access)

    @property
    def labels(self) -> str:
        """The capabilities in words, comma-separated."""
        return ", ".join(capability.value for capability in self.capabilities)


def proviso(access: Access) -> str:
    """The word before the conditions on such access."""
    return "in part if" if access is Access.ALLOWED else "if"


def joined(alternatives: Sequence[Sequence[str]], write: Callable[[str], str] = one_line) -> str:
    """Conditions in words: those of one group are joined by "and", the groups by "or".

    Args:
        alternatives: The groups.
        write: How to write a condition.
    """
    groups = [" and ".join(map(write, group)) for group in alternatives]
    if len(groups) > 1:
        several = [len(group) > 1 for group in alternatives]
        groups = [f"({text})" if many else text for text, many in zip(groups, several, strict=True)]
    return " or ".join(groups)


def access_entries(row: MatrixRow, capabilities: Iterable[Capability]) -> tuple[AccessEntry, ...]:
    """What a principal may do, with the cells that share access, statements and conditions taken together.

    Capabilities that it does not have are left out.
    """
    together: dict[tuple[Access, tuple[str, ...], tuple[tuple[str, ...], ...]], list[Capability]] = {}
    for capability in capabilities:
        cell = row.cells.get(capability)
        if cell is None or cell.access is Access.DENIED:
            continue
        together.setdefault((cell.access, cell.statements, cell.alternatives), []).append(capability)
    order = list(MARKS)
    entries = [
        AccessEntry(access, tuple(members), statements, alternatives)
        for (access, statements, alternatives), members in together.items()
    ]
    return tuple(sorted(entries, key=lambda entry: order.index(entry.access)))


def key_title(key: Key) -> str:
    """What a report calls a key to people: as `key_name`, with the alias of a live key before its id."""
    return one_line(key.location.title) if key.location.alias else key_name(key)


def key_name(key: Key) -> str:
    """What a report calls a key: construct path, else logical id, else alias, else where it was found."""
    location = key.location
    name = location.construct_path or location.logical_id or (key.aliases[0] if key.aliases else "")
    return one_line(name or location.source)


def key_facts(key: Key) -> tuple[str, ...]:
    """Short facts that tell keys apart: aliases, kind, spec, usage, account and Region."""
    facts = [one_line(alias) for alias in key.aliases]
    if key.kind.value == "replica":
        facts.append("replica")
    elif key.multi_region is True:
        facts.append("multi-Region primary")
    if not key.policy_only:
        facts.extend(one_line(fact) for fact in (key.key_spec, key.key_usage) if not is_unknown(fact))
    region = "" if is_unknown(key.region) else key.region
    # A stack without an environment has neither: ${AWS::AccountId} would tell no key from another.
    facts.extend(one_line(place) for place in (key.account, region) if place and not has_hole(place))
    return tuple(facts)


def matrix_facts(matrix: AccessMatrix) -> tuple[str, ...]:
    """Short facts that tell matrices apart: those of the key, and which deployments it is about."""
    world = (f"with {one_line(matrix.world)}",) if matrix.world else ()
    return (*key_facts(matrix.key), *world)


def matrix_order(matrices: Iterable[AccessMatrix]) -> list[AccessMatrix]:
    """Matrices by source and name of their key."""
    return sorted(
        matrices,
        key=lambda matrix: (natural_order(matrix.key.location.source), natural_order(key_title(matrix.key))),
    )
