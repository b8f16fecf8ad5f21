"""A second engine, written from AWS's documentation alone: plain, slow, and on documents as they are written.

It shares nothing with `kms_constructs.analysis`: no parser, no wildcard match, no operators. It answers
None where the documentation does not say what happens.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Values = tuple[str, ...]

_TAKEN_FROM_ABROAD = frozenset(
    """
    CreateGrant Decapsulate Decrypt DeriveSharedSecret DescribeKey Encapsulate Encrypt GenerateDataKey
    GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext GenerateMac
    GetKeyRotationStatus GetPublicKey ListGrants ReEncryptFrom ReEncryptTo RetireGrant RevokeGrant Sign Verify
    VerifyMac
    """.split()  # noqa: SIM905 - a list to read
)


@dataclass(frozen=True)
class Call:
    """One call: who, what, on which key, and what it carries (lower-case condition key to values)."""

    caller: str
    action: str
    key_arn: str
    carried: Mapping[str, Values] = field(default_factory=dict)

    @property
    def account(self) -> str:
        return self.caller.split(":")[4] if self.caller.startswith("arn:") else ""

    @property
    def resource(self) -> str:
        return self.caller.split(":", 5)[5] if self.caller.startswith("arn:") else ""

    @property
    def home(self) -> str:
        return self.key_arn.split(":")[4]

    def values(self) -> dict[str, Values]:
        """Everything that the request context holds."""
        if not self.caller.startswith("arn:"):
            return {"aws:principalisawsservice": ("true",), **self.carried}
        kinds = {"root": "Account", "user": "User", "role": "AssumedRole", "federated-user": "FederatedUser"}
        return {
            "aws:principalarn": (self.caller,),
            "aws:principalaccount": (self.account,),
            "kms:calleraccount": (self.account,),
            "aws:principalisawsservice": ("false",),
            "aws:principaltype": (kinds[self.resource.split("/")[0]],),
            **self.carried,
        }


def wild(pattern: str, text: str) -> bool:
    """Wildcards by their definition, letter by letter."""
    reachable = {0}
    for letter in pattern:
        if letter == "*":
            reachable = set(range(min(reachable), len(text) + 1)) if reachable else set()
        else:
            reachable = {at + 1 for at in reachable if at < len(text) and letter in ("?", text[at])}
    return len(text) in reachable


def decide(
    call: Call,
    key_policy: Sequence[Mapping[str, Any]],
    identity: Sequence[Mapping[str, Any]],
    scp: Sequence[Mapping[str, Any]],
    rcp: Sequence[Mapping[str, Any]],
) -> bool | None:
    """Whether the call is allowed: an explicit Deny, then the key policy and, where it leaves it to IAM,
    IAM."""
    if call.account not in {"", call.home} and call.action not in _TAKEN_FROM_ABROAD:
        return False
    linked = "/aws-service-role/" in call.resource
    layers = [(key_policy, True), (identity, False)]
    if call.account == call.home and not linked:
        layers.append((scp, False))
    if not linked and call.action != "RetireGrant":
        layers.append((rcp, True))
    denials = [
        _hits(one, "Deny", call, resource_based=based) for statements, based in layers for one in statements
    ]
    if True in denials:
        return False
    by_iam = _any(_hits(one, "Allow", call, resource_based=False) for one in identity)
    answers: list[bool | None] = []
    for one in key_policy:
        hit = _hits(one, "Allow", call, resource_based=True)
        if hit is False:
            continue
        needs_iam = _names(one, call) == "account" or call.account not in {"", call.home}
        if needs_iam and call.resource != "root":
            hit = _all((hit, by_iam))
        answers.append(hit)
    allowed = _any(answers)
    return allowed if allowed is False or None not in denials else None


def _any(answers: Iterable[bool | None]) -> bool | None:
    found = list(answers)
    return True if True in found else None if None in found else False


def _all(answers: Iterable[bool | None]) -> bool | None:
    found = list(answers)
    return False if False in found else None if None in found else True


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _hits(statement: Mapping[str, Any], effect: str, call: Call, *, resource_based: bool) -> bool | None:
    if statement["Effect"] != effect:
        return False
    found: list[bool | None] = [_speaks_of(statement, call), _is_on(statement, call)]
    if resource_based:
        named = _names(statement, call)
        found.append(None if named == "perhaps" else named != "")
    for operator, keys in statement.get("Condition", {}).items():
        found.extend(
            _condition(operator.lower(), call.values().get(key.lower()), _list(values))
            for key, values in keys.items()
        )
    return _all(found)


def _speaks_of(statement: Mapping[str, Any], call: Call) -> bool:
    name = f"kms:{call.action}".lower()
    if "Action" in statement:
        return any(wild(pattern.lower(), name) for pattern in _list(statement["Action"]))
    return not any(wild(pattern.lower(), name) for pattern in _list(statement["NotAction"]))


def _is_on(statement: Mapping[str, Any], call: Call) -> bool:
    if "Resource" in statement:
        return any(wild(pattern, call.key_arn) for pattern in _list(statement["Resource"]))
    return not any(wild(pattern, call.key_arn) for pattern in _list(statement["NotResource"]))


def _names(statement: Mapping[str, Any], call: Call) -> str:
    """How a statement names the caller: ``itself``, its ``account``, ``perhaps``, or not at all."""
    if "Principal" in statement:
        found = {_one(kind, value, call) for kind, value in _principals(statement["Principal"])}
        if statement["Effect"] == "Deny":
            # A request stands for every session of its role: a session that is denied leaves others.
            found.discard("session")
        return "itself" if found & {"itself", "session"} else "account" if "account" in found else ""
    found = {_one(kind, value, call) for kind, value in _principals(statement["NotPrincipal"])} - {""}
    if statement["Effect"] == "Allow":
        return "" if found else "itself"
    if call.resource == "root" or not call.account:
        return "" if found else "itself"
    if {"itself", "session"} & found:
        # Named without its account it "might" be denied.
        return "" if "account" in found else "perhaps"
    return "itself"


def _principals(element: Any) -> list[tuple[str, str]]:
    if element == "*":
        return [("AWS", "*")]
    return [(kind, value) for kind, values in element.items() for value in _list(values)]


def _one(kind: str, value: str, call: Call) -> str:
    if kind == "Service":
        return "itself" if value == call.caller else ""
    if value == "*":
        return "itself"
    if not call.account:
        return ""
    if value in {call.account, f"{call.caller.split(':iam:')[0].split(':sts:')[0]}:iam::{call.account}:root"}:
        return "account"
    if value == call.caller:
        return "itself"
    if ":assumed-role/" in value and call.resource.startswith("role/"):
        account, name = value.split(":")[4], value.split("/")[1]
        return "session" if (account, name) == (call.account, call.resource.split("/")[-1]) else ""
    return ""


def _condition(operator: str, carried: Values | None, wanted: list[Any]) -> bool | None:
    texts = [str(one).lower() if isinstance(one, bool) else str(one) for one in wanted]
    if operator == "null":
        return any((text.lower() == "true") == (not carried) for text in texts)
    qualifier, _, base = operator.rpartition(":")
    optional = base.endswith("ifexists")
    base = base.removesuffix("ifexists")
    negated = "not" in base
    compare = _comparison(base.replace("not", ""))
    if not carried:
        if qualifier == "foranyvalue":
            return None if optional else False
        return optional or negated or qualifier == "forallvalues"
    try:
        matched = [[compare(value, text) for text in texts] for value in carried]
    except ValueError:
        return None  # no date, number or address
    if any(None in answers for answers in matched):
        return None
    each = [any(answers) is not negated for answers in matched]
    if not qualifier and len(carried) > 1:
        return None if len(set(each)) > 1 else each[0]
    return all(each) if qualifier == "forallvalues" else any(each)


def _comparison(name: str) -> Any:
    def fields(value: str, pattern: str) -> bool | None:
        ours, theirs = value.split(":", 5), pattern.split(":", 5)
        if len(theirs) < 6:
            return None  # no ARN
        return len(ours) == len(theirs) and all(wild(b, a) for a, b in zip(ours, theirs, strict=True))

    def moment(text: str) -> datetime:
        return datetime.fromtimestamp(float(text), UTC) if text.isdigit() else datetime.fromisoformat(text)

    def ordered(relation: str, read: Any) -> Any:
        return {
            "equals": lambda a, b: read(a) == read(b),
            "lessthan": lambda a, b: read(a) < read(b),
            "lessthanequals": lambda a, b: read(a) <= read(b),
            "greaterthan": lambda a, b: read(a) > read(b),
            "greaterthanequals": lambda a, b: read(a) >= read(b),
        }[relation]

    if name.startswith("date"):
        return ordered(name.removeprefix("date"), moment)
    if name.startswith("numeric"):
        return ordered(name.removeprefix("numeric"), float)
    return {
        "stringequals": lambda a, b: a == b,
        "stringequalsignorecase": lambda a, b: a.lower() == b.lower(),
        "stringlike": lambda a, b: wild(b, a),
        "arnequals": fields,
        "arnlike": fields,
        "bool": lambda a, b: a.lower() == b.lower(),
        "ipaddress": lambda a, b: ipaddress.ip_address(a) in ipaddress.ip_network(b),
    }[name]
