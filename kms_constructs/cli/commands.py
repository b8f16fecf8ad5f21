"""The commands of a group, each loaded when it is asked for: one run needs one of them."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click


class Commands(MutableMapping[str, click.Command]):
    """Commands by name, from the files of this package.

    The command ``verify-sharing`` is ``verify_sharing`` of ``verify_sharing.py``, and ``detect`` of the group
    ``trail`` is ``detect`` of ``trail_detect.py``.

    Args:
        names: Their names.
        group: What their files are called after before their names.
    """

    def __init__(self, *names: str, group: str = "") -> None:
        self._group = f"{group}_" if group else ""
        self._names = dict.fromkeys(names)
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._names:
            raise KeyError(name)
        found = self._loaded.get(name)
        if found is None:
            word = name.replace("-", "_")
            module = import_module(f"{__package__}.{self._group}{word}")
            found = self._loaded[name] = vars(module)[word]
        return found

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._names[name] = None
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._names[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
