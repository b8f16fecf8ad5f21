"""How a use of a key that is refused is mended: the argument of a hardened key, and the statement of any key.

Both come from the requirement of the service, as the presets do.
"""

from __future__ import annotations

import json

from kms_constructs.analysis.service_calls import ServiceCall, known_value, written
from kms_constructs.model.service_requirement import Shape, Who
from kms_constructs.model.service_statement import statements_for
from kms_constructs.model.text import HoleKind, display, holes

_BY_ITSELF = (Who.SERVICE, Who.LINKED_ROLE)
_LIST = "[…]"


def argument(one: ServiceCall, *, named: bool) -> str:
    """The argument of `SecureKmsKey` that lets the caller in, as it is written; empty where there is none.

    Args:
        one: The call that is refused.
        named: Whether its principal is the one to let in: else ``role`` stands for who that is.

    Example:
        ``services=[ServiceAccess.cloudwatch_alarms()]``
    """
    preset = one.requirement.preset
    if preset is None:
        return next((row.argument for row in one.requirement.rows), "")
    call = preset.call.replace("(…)", "()")
    if one.caller.who in _BY_ITSELF:
        covered = preset.shape is not Shape.PRINCIPALS and (preset.shape is Shape.OWN or one.caller.limits)
        return f"services=[{call}]" if covered else ""
    who = repr(display(one.principal)) if named else "role"
    if _LIST in call:
        return f"services=[{call.replace(_LIST, f'[{who}]')}]"
    if "role" in call:
        return f"services=[{call.replace('role', who, 1)}]"
    return "" if one.caller.grants else f"key_users=[{who}]"


def statements(one: ServiceCall, *, named: bool) -> str:
    """The statements that let the caller in, as JSON for the key policy.

    Args:
        one: The call that is refused.
        named: Whether its principal is the one to let in: else ``<role>`` stands for who that is.
    """

    def value(name: str, sent: str) -> str:
        pattern = written(sent, one.use)
        known = known_value(name, pattern, one.use)
        # What CloudFormation makes up is not known to whoever writes the policy.
        return display(known if known is not None and _can_be_written(known) else pattern)

    principal = display(one.principal) if named else f"{one.principal.partition(':role/')[0]}:role/<role>"
    made = statements_for(one.requirement, one.caller, principal, value)
    return ", ".join(json.dumps(each, ensure_ascii=False) for each in made)


def _can_be_written(text: str) -> bool:
    return all(kind is HoleKind.ENVIRONMENT for kind, _ in holes(text))
