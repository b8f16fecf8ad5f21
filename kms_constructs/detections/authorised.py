"""ARNs and patterns of authorised principals, as rules of EventBridge can compare them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kms_constructs.errors import ArgumentError


def checked_authorised(authorised: Sequence[str], where: str = "") -> tuple[str, ...]:
    """The principals, sorted, each once.

    Args:
        authorised: ARNs of roles, users and root users, ``*`` allowed.
        where: Construct path, for errors.

    Raises:
        ArgumentError: One that EventBridge cannot compare: it knows ``*`` and no ``?``, no two ``*`` in a
            row, and a caller is told by an ARN of IAM, never by that of a session.
    """
    for one in authorised:
        if "?" in one or "**" in one or "\\" in one:
            raise ArgumentError(
                "authorised",
                one,
                "EventBridge compares callers with * alone, and never with ? or **",
                "write * for the part that differs",
                where=where,
            )
        if re.match(r"arn:[^:]*:sts:", one):
            raise ArgumentError(
                "authorised",
                one,
                "the ARN of a session names nobody for good",
                "name the role: arn:aws:iam::ACCOUNT:role/NAME",
                where=where,
            )
    return tuple(sorted(set(authorised)))


def is_named(caller: str, authorised: Sequence[str]) -> bool:
    """Whether a caller is one of the authorised, case and all, as EventBridge compares.

    Example:
        >>> is_named("arn:aws:iam::111122223333:role/Rescue", ["arn:aws:iam::*:role/Rescue"])
        True
    """
    return any(
        re.fullmatch(".*".join(map(re.escape, one.split("*"))), caller, re.DOTALL) for one in authorised
    )
