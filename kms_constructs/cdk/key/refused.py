"""Refusals of an app: written down where they happen, and raised together when it is synthesized.

Constructs ask keys for statements while the app is built, often from within Node, where an exception loses
its type and ends the run at the first of several. So a refusal is recorded with the line of the app that
asked. The synth of the app then raises all of them, and a stack with a refusal does not pass its validation,
whoever synthesizes it: nothing that was refused becomes a template.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from aws_cdk import App, Stack
from constructs import IConstruct

from kms_constructs.cdk.key.made_at import calling_line, leave_in
from kms_constructs.errors import ArgumentError, SealedSynthError
from kms_constructs.model.location import CodeLine


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal.

    Args:
        stack: The stack of the key that was asked.
        error: What is refused, and what gives it.
        asked_at: The line of the app that asked; None when it is not known.
        made_at: The line that made the key; None when it is not known.
    """

    stack: Stack
    error: ArgumentError
    asked_at: CodeLine | None
    made_at: CodeLine | None

    def __str__(self) -> str:
        places = []
        if self.asked_at is not None:
            places.append(f"asked for at {_named(self.asked_at)}")
        if self.made_at is not None and self.made_at != self.asked_at:
            places.append(f"the key is made at {_named(self.made_at)}")
        return f"{self.error} ({'; '.join(places)})" if places else str(self.error)


def _named(line: CodeLine) -> str:
    """A line as messages call it, without a path of this machine."""
    return f"{Path(line.file).name}:{line.line}" if Path(line.file).is_absolute() else str(line)


def refuse(stack: Stack, error: ArgumentError, made_at: CodeLine | None) -> None:
    """Records a refusal: the synth of the app will raise it, with all others.

    Args:
        stack: The stack of the key that was asked.
        error: What is refused.
        made_at: The line that made the key; None when it is not known.
    """
    root = stack.node.root
    watch(root)
    _REFUSED[root].setdefault(str(error), Refused(stack, error, calling_line(), made_at))


def watch(root: IConstruct) -> None:
    """Lets the synth of an app raise what its keys refuse; before it starts, for aspects ask as well.

    It leaves behind in the assembly which lines made the keys, too.

    Args:
        root: The root of the tree; where it is no app of Python's, the validation of its stacks refuses.
    """
    if root not in _REFUSED:
        _REFUSED[root] = {}
        if isinstance(root, App):
            _raise_at_synth(root)


def refused_in(stack: Stack) -> list[str]:
    """What is refused by the keys of one stack, in the order in which it was asked."""
    return [str(one) for one in _all_of(stack.node.root) if one.stack is stack]


def raise_refusals(scope: IConstruct) -> None:
    """Raises everything that the keys of an app have refused so far; nothing when that is nothing.

    Raises:
        SealedSynthError: Something was refused.
    """
    found = _all_of(scope.node.root)
    if found:
        raise SealedSynthError(found[0].error, tuple(map(str, found)))


def _all_of(root: IConstruct) -> list[Refused]:
    return list(_REFUSED.get(root, {}).values())


def _raise_at_synth(app: App) -> None:
    original: Callable[..., Any] = app.synth

    @wraps(original)
    def synth(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - what cdk.App.synth takes and returns
        try:
            assembly = original(*arguments, **options)
        except Exception:
            # What was refused explains most of what goes wrong after it, and CDK's validation says it again.
            raise_refusals(app)
            raise
        raise_refusals(app)  # without validation, or asked too late for it
        leave_in(Path(assembly.directory), app)
        return assembly

    app.synth = synth  # type: ignore[method-assign]


_REFUSED: WeakKeyDictionary[IConstruct, dict[str, Refused]] = WeakKeyDictionary()
"""What was refused, by the root of the app and by its text: constructs ask twice."""
