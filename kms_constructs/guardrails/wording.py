"""What several rules say alike: details of finding ids, and which contributions make one finding."""

from __future__ import annotations

from collections.abc import Iterable

from kms_constructs.analysis.reach import Contribution
from kms_constructs.analysis.witness import Witness
from kms_constructs.model.estate import IdentityPolicy, Key

DELEGATION = "delegation"
"""Access that a key policy leaves to IAM policies."""
IAM_POLICY = "iam-policy"
"""Access that an IAM policy gives."""
UNRESOLVED = "unresolved"
"""What decides is not known."""


def unshown(shown: Witness | None) -> str:
    """What an undetermined finding says where no witness was found; empty where one was."""
    return "" if shown else " No request was found that shows it, nor a proof that there is none."


def resolve(subject: Key | IdentityPolicy, what: str = "value") -> str:
    """What to do about a value that is not known, in the words of the source."""
    return subject.vocabulary.resolve.format(what=what)


def merged(parts: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """The contributions with those of one statement put together, for one finding each."""
    groups: dict[tuple[int, int, bool, str | None], list[Contribution]] = {}
    for part in parts:
        groups.setdefault((id(part.statement), id(part.grant), part.delegated, part.unresolved), []).append(
            part
        )
    return tuple(
        group[0]
        if len(group) == 1
        else group[0].of(tuple(dict.fromkeys(cell for part in group for cell in part.cells)))
        for group in groups.values()
    )
