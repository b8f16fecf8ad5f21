"""How a use of a key that is refused is mended: the argument of a hardened key, and the statement of any key.

Both come from the requirement of the service, as the presets do.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

from kms_constructs.analysis.service_calls import ServiceCall, known_value, written
from kms_constructs.model.actions import ActionClass, find_action
from kms_constructs.model.arn import is_account_id, parse_arn
from kms_constructs.model.service_requirement import FOR_AWS_RESOURCE, VIA_SERVICE, Shape, Who
from kms_constructs.model.service_statement import statements_for
from kms_constructs.model.services import requirement_of
from kms_constructs.model.text import HoleKind, display, holes

_BY_ITSELF = (Who.SERVICE, Who.LINKED_ROLE)
_LIST = "[…]"
_OPERATIONS = "kms:GrantOperations"


def argument(one: ServiceCall, *, named: bool) -> str:
    """The argument of `SecureKmsKey` that lets the caller in, as it is written; empty where there is none.

    Args:
        one: The call that is refused.
        named: Whether its principal is the one to let in: else ``role`` stands for who that is.

    Example:
        ``services=[ServiceAccess.cloudwatch_alarms()]``
    """
    preset = one.requirement.preset
    if preset is None or (named and _is_abroad(one)):
        return _without_preset(one, named=named)
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


def _without_preset(one: ServiceCall, *, named: bool) -> str:
    """The argument for a principal that no preset of the requirement names."""
    documented = next((row.argument for row in one.requirement.rows), "")
    if one.caller.who in _BY_ITSELF or (one.caller.grants and FOR_AWS_RESOURCE not in one.caller.sends):
        return documented
    who = repr(display(one.principal)) if named else "role"
    if named and _is_abroad(one):
        return (
            f"external_access=[ExternalAccess(principals=[{who}], permissions=['{_permission(one)}'],"
            f" via_services=['{_through(one)}'])]"
        )
    elsewhere = _PRESET_OF_ANOTHER.match(documented)
    return elsewhere[0].replace("role", who) if elsewhere else f"key_users=[{who}]"


_PRESET_OF_ANOTHER = re.compile(r"services=\[ServiceAccess\.\w+\(\[role\]\)\]")


def _is_abroad(one: ServiceCall) -> bool:
    """Whether the principal lies in another account than the resource, for certain."""
    arn = parse_arn(one.principal)
    home = one.use.account
    return arn is not None and is_account_id(arn.account) and is_account_id(home) and arn.account != home


def _permission(one: ServiceCall) -> str:
    reads, writes = (
        "Decrypt" in one.caller.needed,
        bool({"Encrypt", "GenerateDataKey"} & set(one.caller.needed)),
    )
    return "both" if reads and writes else "encrypt" if writes else "decrypt"


def _through(one: ServiceCall) -> str:
    """The service that holds the data: what the calls say, else S3."""
    sent = one.caller.sends.get(VIA_SERVICE, "s3")
    return (sent if isinstance(sent, str) else sent[0]).partition(".")[0]


def statements(one: ServiceCall, *, named: bool) -> str:
    """The statements that let the caller in, as JSON for the key policy.

    Args:
        one: The call that is refused.
        named: Whether its principal is the one to let in: else ``<role>`` stands for who that is.
    """
    principal = display(one.principal) if named else f"{one.principal.partition(':role/')[0]}:role/<role>"
    use = one.use
    limits: list[tuple[str, str]] = []
    for _, name in one.caller.limits:
        sent = one.caller.sends[name]
        for value in (sent,) if isinstance(sent, str) else sent:
            pattern = written(value, use)
            known = known_value(name, pattern, use, one.caller) if "*" in pattern else None
            # What CloudFormation makes up is not known to whoever writes the policy.
            limits.append((value, known if known is not None and _can_be_written(known) else pattern))
    place = next(at for at, other in enumerate(one.requirement.callers) if other is one.caller)
    return _statements(one.requirement.name, place, principal, tuple(limits))


def is_unlimited(one: ServiceCall) -> bool:
    """Whether IAM-KMS-6 reports the statements: AWS documents nothing that limits them."""
    caller = one.caller
    if caller.grants and FOR_AWS_RESOURCE not in caller.sends:
        # Grants that a service makes for its own sources, of listed operations, are let off; so are those
        # that it makes in the name of a principal who comes through it.
        limited = {key for _, key in caller.limits}
        return _OPERATIONS not in limited if caller.who is Who.SERVICE else VIA_SERVICE not in limited
    return caller.who is Who.SERVICE and not caller.limits and any(map(_uses_the_key, caller.actions))


def _uses_the_key(name: str) -> bool:
    action = find_action(name)
    return action is None or action.classification is ActionClass.CRYPTOGRAPHIC


@lru_cache(maxsize=1024)
def _statements(name: str, place: int, principal: str, values: tuple[tuple[str, str], ...]) -> str:
    """The statements as JSON; the keys of an app ask for the same ones again and again."""
    requirement = requirement_of(name)
    assert requirement is not None  # noqa: S101 - it was found by this name
    known = dict(values)
    made = statements_for(
        requirement, requirement.callers[place], principal, lambda sent: display(known[sent])
    )
    return ", ".join(json.dumps(each, ensure_ascii=False) for each in made)


def _can_be_written(text: str) -> bool:
    return all(kind is HoleKind.ENVIRONMENT for kind, _ in holes(text))
