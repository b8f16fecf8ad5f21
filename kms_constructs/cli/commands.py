"""The commands of a group, each loaded when it is asked for: one run needs one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module

import click


class Commands(MutableMapping[str, click.Command]):
    """Commands by name, from the files of this package.

    The command ``verify-sharing`` is ``verify_sharing`` of ``verify_sharing.py``, and ``detect`` of the group
    ``trail`` is ``detect`` of ``trail_detect.py``.

    Args:
        texts: What each does, by its name: the list of commands is shown without loading them.
        group: What their files are called after before their names.
    """

    def __init__(self, texts: Mapping[str, str], group: str = "") -> None:
        self._group = f"{group}_" if group else ""
        self._names = dict(texts)
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._names:
            raise KeyError(name)
        found = self._loaded.get(name)
        if found is None:
            word = name.replace("-", "_")
            module = import_module(f"{__package__}.{self._group}{word}")
            found = self._loaded[name] = vars(module)[word]
            found.short_help = self._names[name]
        return found

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._names[name] = command.get_short_help_str()
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._names[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def texts(self) -> Mapping[str, str]:
        """What each does, by its name."""
        return self._names


class LoadedWhenAsked(click.Group):
    """A group of `Commands`."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands, and loads none."""
        if not isinstance(self.commands, Commands):
            super().format_commands(ctx, formatter)
            return
        told = {name: click.Command(name, short_help=text) for name, text in self.commands.texts.items()}
        click.Group(commands=told).format_commands(ctx, formatter)
