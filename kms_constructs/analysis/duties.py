"""Two requests of one principal that show an overlap of duties: it manages the key, and uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from msgspec.structs import replace

from kms_constructs.analysis.evaluate import kind_of
from kms_constructs.analysis.principals import Cell, PrincipalKind
from kms_constructs.analysis.separation import Gives, Overlap
from kms_constructs.analysis.witness import Witness, witness
from kms_constructs.model.estate import Key, Organization

_MOST_PAIRS = 8
_MOST_ACTIONS = 3


def duties_witness(overlap: Overlap, key: Key, organization: Organization) -> Witness | None:
    """The using request of a principal of an overlap, its managing one beside it.

    Args:
        overlap: Who both manages and uses the key.
        key: The key.
        organization: The organization's policies in force.

    Returns:
        The witness, of which `evaluate` allows both requests; None when none was found.
    """
    # The root user of the key's account is to manage it, so it shows nothing where others do both.
    others = tuple(cell for cell in overlap.cells if cell.kind is not PrincipalKind.ROOT)
    for manages, uses in islice(overlap.pairs, _MOST_PAIRS):
        for cell in others or overlap.cells:
            for manager in _requests(manages, (cell,), key, organization):
                caller = Cell(kind_of(manager.principal), (manager.principal,))
                user = next(_requests(uses, (caller,), key, organization), None)
                if user is not None:
                    return replace(user, beside=manager)
    return None


def _requests(
    gives: Gives, cells: tuple[Cell, ...], key: Key, organization: Organization
) -> Iterator[Witness]:
    known: Mapping[str, str | None] = {
        name: value for name, value in gives.context.items() if not isinstance(value, tuple)
    }
    for action in islice(gives.actions, _MOST_ACTIONS):
        found = witness(gives.part.of(cells), key, action, organization=organization, known=known)
        if found is not None:
            yield found
