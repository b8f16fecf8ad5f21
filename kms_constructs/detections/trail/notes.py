"""What a trail does not tell, counted and said."""

from __future__ import annotations

from collections import Counter


class Notes:
    """Takes what cannot be judged, one text for a kind of it."""

    def __init__(self) -> None:
        self._counted: Counter[str] = Counter()
        self._told: dict[str, None] = {}

    def add(self, what: str, count: int = 1) -> None:
        """Counts something: ``grants to …``; the number is put before it."""
        if count:
            self._counted[what] += count

    def tell(self, sentence: str) -> None:
        """Takes a sentence as it is."""
        self._told[sentence] = None

    def lines(self) -> tuple[str, ...]:
        """All of it: sentences first."""
        return (*self._told, *(f"{count} {what}" for what, count in sorted(self._counted.items())))
