"""A change of access as reports show it: a gain or a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kms_constructs.analysis.diff import AccessChange

_STRENGTH = {"-": 0, "delegated": 1, "conditional": 2, "unknown": 3, "allowed": 4}
"""How much each degree of access gives. Unknown stands above conditional, for it may be anything; what
becomes resolvable and turns out to be allowed still counts as a gain, so that nothing slips through."""


def gains(change: AccessChange) -> bool:
    """Whether the principal has more access after the change than before it."""
    return _STRENGTH[change.after.value] > _STRENGTH[change.before.value]
