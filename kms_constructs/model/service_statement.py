"""The statement of a key policy that lets a caller of a service in, made from its requirement.

What a guardrail prints as the way to mend a policy comes from the same data as the presets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kms_constructs.model.service_requirement import (
    CREATE_GRANT,
    FOR_AWS_RESOURCE,
    Caller,
    ServiceRequirement,
    Who,
)


def statements_for(
    requirement: ServiceRequirement,
    caller: Caller,
    principal: str,
    write: Callable[[str], str],
) -> tuple[dict[str, Any], ...]:
    """What a key policy has to hold for a caller: use in one statement, CreateGrant in another.

    Args:
        requirement: What the service needs.
        caller: Who calls.
        principal: ARN of a role, or a service principal.
        write: Gives the value of a condition key from what the requirement says of it.
    """
    kind = "Service" if caller.who is Who.SERVICE else "AWS"
    conditions: dict[str, dict[str, Any]] = {}
    for operator, name in caller.limits:
        sent = caller.sends[name]
        values = [write(one) for one in ([sent] if isinstance(sent, str) else sent)]
        conditions.setdefault(operator, {})[name] = values[0] if len(values) == 1 else values
    sid = "".join(part.capitalize() for part in requirement.name.split("_")) + caller.sid
    alike = [one for one in requirement.callers if one.sid == caller.sid]
    number = alike.index(caller) if caller in alike else 0
    if number:
        sid += str(number + 1)
    made = []
    for suffix, names, more in (
        ("", [name for name in caller.actions if name != CREATE_GRANT], {}),
        (
            "Grants",
            [name for name in caller.actions if name == CREATE_GRANT],
            {"Bool": {FOR_AWS_RESOURCE: "true"}} if FOR_AWS_RESOURCE in caller.sends else {},
        ),
    ):
        if names:
            made.append(_statement(f"{sid}{suffix}", {kind: principal}, names, {**conditions, **more}))
    return tuple(made)


def _statement(
    sid: str, principal: Mapping[str, str], names: list[str], conditions: Mapping[str, Any]
) -> dict[str, Any]:
    actions = [f"kms:{name}" for name in sorted(names)]
    made: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": dict(principal),
        "Action": actions[0] if len(actions) == 1 else actions,
        "Resource": "*",
    }
    if conditions:
        made["Condition"] = dict(conditions)
    return made
