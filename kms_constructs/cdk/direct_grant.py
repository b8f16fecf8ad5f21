"""`DirectGrant`: a grant that people make themselves, declared."""
from __future__ import annotations
from dataclasses import dataclass
@dataclass(frozen=True, slots=True)
class DirectGrant:
    """To be written."""
