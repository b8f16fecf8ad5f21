"""Grants to principals of the same stack, and the seal on everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kms_constructs.cdk.principals import NamedPrincipal


@dataclass
class GrantBook:
    """The statements that a key policy got after construction."""

    where: str
    managing: Mapping[str, Sequence[NamedPrincipal]]
    using: Mapping[str, Sequence[NamedPrincipal]]
    _statements: list[dict[str, object]] = field(default_factory=list)

    def statements(self) -> list[dict[str, object]]:
        """The statements, in the order of the grants."""
        return self._statements
