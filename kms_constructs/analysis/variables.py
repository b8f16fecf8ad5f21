"""Policy variables: ``${aws:PrincipalAccount}`` in a policy stands for what the request carries.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kms_constructs.model.globs import has_variable, has_wildcard

_VARIABLE = re.compile(r"\$\{([^},]*)(?:,\s*'([^']*)')?\}")

Carried = Callable[[str], tuple[str, ...] | None]
"""What a request carries for a folded condition key; None when it does not carry it."""


def filled(text: str, carried: Carried) -> str | None:
    """The text with its policy variables replaced by what the request carries.

    Args:
        text: Text of a policy.
        carried: What the request carries.

    Returns:
        The text; None when a variable has no single plain value, for AWS does not say what happens then.

    Example:
        >>> filled("arn:aws:kms:*:${aws:PrincipalAccount}:key/*", lambda key: ("111122223333",))
        'arn:aws:kms:*:111122223333:key/*'
    """
    if not has_variable(text):
        return text
    pieces: list[str] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        values = carried(found.group(1).strip().lower())
        value = found.group(2) if values is None else values[0] if len(values) == 1 else None
        if value is None or has_wildcard(value):
            return None
        pieces += (text[end : found.start()], value)
        end = found.end()
    result = "".join((*pieces, text[end:]))
    return None if has_variable(result) else result
