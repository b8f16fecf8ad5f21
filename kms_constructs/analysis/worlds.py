"""Who may do what with the keys of an estate in every world that it can become."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from msgspec.structs import replace

from kms_constructs.analysis.access import AccessMatrix, MatrixRow, capabilities_of
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.model.estate import Estate
from kms_constructs.model.worlds import Assignment, Telling


def matrices_of(
    estate: Estate, keys: Collection[str] | None = None, principals: Sequence[str] = ()
) -> tuple[AccessMatrix, ...]:
    """The access matrix of each key, once for all worlds in which it says the same.

    Args:
        estate: Everything that decides.
        keys: Ids of keys; None for all.
        principals: Who is asked for; empty for everyone whom the matrix has.
    """
    found: dict[str, list[tuple[AccessMatrix, list[Assignment]]]] = {}
    for world in estate.every_world:
        access = EstateAccess(world.estate)
        for key in world.estate.keys:
            if keys is not None and key.id not in keys:
                continue
            matrix = (
                AccessMatrix(
                    key, capabilities_of(key), tuple(access.row(key, principal) for principal in principals)
                )
                if principals
                else access.matrix(key)
            )
            same = next(
                (members for one, members in found.setdefault(key.id, []) if _same(one, matrix)), None
            )
            if same is None:
                found[key.id].append((matrix, list(world.assignments)))
            else:
                same.extend(world.assignments)
    return tuple(_named(found))


def _same(one: AccessMatrix, other: AccessMatrix) -> bool:
    return one.capabilities == other.capabilities and _rows(one) == _rows(other)


def _rows(matrix: AccessMatrix) -> dict[str, MatrixRow]:
    return {row.principal: row for row in matrix.rows}


def _named(found: dict[str, list[tuple[AccessMatrix, list[Assignment]]]]) -> Iterator[AccessMatrix]:
    for matrices in found.values():
        telling = Telling([one for _, assignments in matrices for one in assignments])
        for matrix, assignments in matrices:
            world = telling(assignments)
            yield replace(matrix, world=world) if world else matrix
