"""Whether two key policies say the same: statement by statement, whatever their order, spelling and Sids."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from kms_constructs.guardrails.fingerprint import content
from kms_constructs.model.arn import is_account_id
from kms_constructs.model.policy import Policy, Principal, Statement
from kms_constructs.model.text import display, has_hole, split_holes
from kms_constructs.model.unknown import is_unknown


def differing(
    one: Policy, other: Policy, plain: Callable[[str], str] = lambda text: text
) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """The statements of each policy that the other has not.

    Args:
        one: A policy; it may have holes, each of which stands for any text.
        other: A policy.
        plain: Makes alike what is to count as the same: the names of Regions, for instance.

    Example:
        >>> from kms_constructs.model.policy import parse_policy
        >>> allow = {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
        >>> one = parse_policy({"Statement": [{**allow, "Sid": "A"}]})
        >>> differing(one, parse_policy({"Statement": {**allow, "Action": ["kms:decrypt"]}}))
        ((), ())
    """
    texts = [_text(statement, plain) for statement in one.statements]
    patterns = [_pattern(text) for text in texts]
    others = [_text(statement, plain) for statement in other.statements]
    return (
        _left(one.statements, (any(pattern.fullmatch(text) for text in others) for pattern in patterns)),
        _left(other.statements, (any(pattern.fullmatch(text) for pattern in patterns) for text in others)),
    )


def has_holes(policy: Policy) -> bool:
    """Whether a part of a policy is decided at deployment, or is not known."""
    return is_unknown(policy.unknown) or any(
        has_hole(_text(one, lambda text: text)) or '"unknown"' in _text(one, lambda text: text)
        for one in policy.statements
    )


def listed(statements: Iterable[Statement]) -> str:
    """Statements as a message calls them."""
    return ", ".join(display(one.label) for one in statements)


def _left(statements: tuple[Statement, ...], found: Iterable[bool]) -> tuple[Statement, ...]:
    return tuple(one for one, there in zip(statements, found, strict=True) if not there)


def _text(statement: Statement, plain: Callable[[str], str]) -> str:
    said = content(statement, principals=False)
    for name in ("principals", "not_principals"):
        principals = getattr(statement, name)
        if isinstance(principals, tuple):
            # With their holes, which `content` writes out for people.
            said[name] = sorted({f"{one.type}:{one.value}" for one in map(_spelled, principals)})
        elif is_unknown(principals):
            said[name] = {"unknown": principals.reason}
    return plain(json.dumps(said, sort_keys=True, ensure_ascii=False))


def _spelled(principal: Principal) -> Principal:
    """A principal as KMS writes it: an account by the ARN of its root, anyone by ``AWS: *``."""
    if principal.type == "AWS" and is_account_id(principal.value):
        return Principal("AWS", f"arn:aws:iam::{principal.value}:root")
    return Principal("AWS", "*") if principal.type == "*" else principal


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join(".+?" if has_hole(part) else re.escape(part) for part in split_holes(text)))
