"""What is worked out once for an object that never changes, and remembered as long as the object lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TypeVar

_Subject = TypeVar("_Subject")
_Answer = TypeVar("_Answer")


def once(function: Callable[[_Subject], _Answer]) -> Callable[[_Subject], _Answer]:
    """The function, which asks each object only once.

    Exact as long as the answer depends on the object alone and the object is frozen. Objects are told apart
    by identity: two that are equal are asked each, for it takes longer to compare two policies than to find
    one in a dictionary. An answer goes when its object goes, so it must not hold the object.

    Args:
        function: Takes one object that weak references may point to.

    Example:
        >>> from kms_constructs.model.policy import Policy
        >>> asked = []
        >>> count = once(lambda policy: asked.append(policy.path) or len(policy.statements))
        >>> policy = Policy(path="KeyPolicy")
        >>> count(policy), count(policy), asked
        (0, 0, ['KeyPolicy'])
    """
    known: dict[int, tuple[weakref.ref[_Subject], _Answer]] = {}

    def remembering(subject: _Subject) -> _Answer:
        identity = id(subject)
        found = known.get(identity)
        if found is not None and found[0]() is subject:
            return found[1]
        answer = function(subject)
        known[identity] = weakref.ref(subject, lambda _: known.pop(identity, None)), answer
        return answer

    remembering.__doc__ = function.__doc__
    return remembering
