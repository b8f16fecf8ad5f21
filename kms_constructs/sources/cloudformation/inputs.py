"""What the templates say of one input: a parameter, or a pseudo parameter that nobody gave."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field


class Input(Struct):
    """What the templates say of one input.

    Args:
        takes: Which texts it may be at all.
        fallback: Its default.
        closed: Groups of values; it has one of each, or the deployment fails.
        compared: Values that it is compared with.
        decides: Whether anything but its own text depends on it.
    """

    takes: Callable[[str], bool] = lambda _: True
    fallback: str | None = None
    closed: list[tuple[str, ...]] = field(default_factory=list)
    compared: dict[str, None] = field(default_factory=dict)
    decides: bool = False

    def must_be(self, values: tuple[str, ...]) -> None:
        """Notes that the deployment fails with any other value."""
        group = tuple(filter(self.takes, values))
        if group:
            self.closed.append(group)

    def compared_with(self, values: tuple[str, ...]) -> None:
        """Notes that something is decided by whether it is one of these."""
        self.decides = True
        self.compared.update(dict.fromkeys(filter(self.takes, values)))

    def candidates(self) -> tuple[str | None, ...]:
        """The values to try, its default first; None for any other than these."""
        first = () if self.fallback is None else (self.fallback,)
        if self.closed:
            all_of = [one for one in self.closed[0] if all(one in group for group in self.closed[1:])]
            listed = all_of or list(self.closed[0])
            return tuple(dict.fromkeys([*(one for one in first if one in listed), *listed]))
        return (*dict.fromkeys((*first, *self.compared)), None)
