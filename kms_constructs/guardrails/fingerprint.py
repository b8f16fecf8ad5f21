"""Fingerprints: what exactly a finding found, in twelve hexadecimal digits.

Somebody who accepts a finding accepts what is there: this control, of this resource, by these statements, for
this principal. A fingerprint is made of that, by content: statements are known by what they say and not by
their place or Sid, so reordering and renaming change nothing, and a statement that says more is another one.

The principals of a finding count one by one where the finding names them so: a statement that gains a
principal keeps the fingerprints that it had and gets one more. Where they are described together ("any
principal of account 111122223333"), the description counts, and the statement's own principals with it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from kms_constructs.guardrails.finding import Finding
from kms_constructs.model.estate import Estate, Location
from kms_constructs.model.policy import Condition, Policy, Statement
from kms_constructs.model.text import display
from kms_constructs.model.unknown import Unknown, is_unknown

DIGITS = 12
"""Length of a fingerprint: too long to be hit by chance among the findings of an organization."""

_LABEL = re.compile(r"\bstatement (?:'([^']*)'|(\d+))")
_IAM_POLICY = re.compile(
    r"\b(?:managed policy|inline policy|AWS managed policy|permissions boundary) '([^']*)'"
    r"(?:, [^ ;→]+(?: \d+)?)?"
)
_AGE = re.compile(r"\b\d+ days ago\b")
_ONE_PRINCIPAL = re.compile(r"(arn:[^ ,]+|service [^ ,]+|[a-z0-9.-]+\.amazonaws\.com(\.cn)?)")


def principals_of(finding: Finding) -> tuple[str, ...]:
    """The principals of a finding one by one, where it names them so; else none.

    Example:
        >>> from kms_constructs.guardrails.finding import Outcome, Severity
        >>> principals_of(Finding(control="KMS:004", outcome=Outcome.VIOLATION, severity=Severity.HIGH,
        ...     location=Location("t"), message="",
        ...     principals=("arn:aws:iam::1:role/A, arn:aws:iam::1:role/B",)))
        ('arn:aws:iam::1:role/A', 'arn:aws:iam::1:role/B')
    """
    found = [part for text in finding.principals for part in text.split(", ")]
    if not all(_ONE_PRINCIPAL.fullmatch(part) for part in found):
        return ()
    return tuple(dict.fromkeys(found))


def resource_name(location: Location) -> str:
    """What a resource is called wherever it is read: by its construct path, else by stack and logical id.

    Where neither tells it, the file does, by its path from the working directory.
    """
    if location.construct_path:
        return location.construct_path
    if location.stack and location.logical_id:
        return f"{location.stack}/{location.logical_id}"
    source = location.source
    if Path(source).is_absolute():
        relative = os.path.relpath(source)
        source = source if relative.startswith("..") else relative
    source = source.replace(os.sep, "/")
    return f"{source}/{location.logical_id}" if location.logical_id else source


class Fingerprints:
    """Makes the fingerprints of the findings of one estate.

    Args:
        estate: What was judged.
    """

    def __init__(self, estate: Estate) -> None:
        self._at: dict[Location, list[Policy]] = defaultdict(list)
        self._named: dict[str, list[Policy]] = defaultdict(list)
        self._grants: dict[Location, list[str]] = {}
        for world in estate.every_world:
            self._learn(world.estate)
        self._contents: dict[tuple[int, bool], str] = {}

    def _learn(self, estate: Estate) -> None:
        for one in estate.identity_policies:
            for place in (self._at[one.location], self._named[one.name], self._named[display(one.name)]):
                if one.policy not in place:
                    place.append(one.policy)
        for key in estate.keys:
            if key.policy not in self._at[key.location]:
                self._at[key.location].append(key.policy)
            if key.grants:
                self._grants[key.location] = [repr(asdict(grant)) for grant in key.grants]

    def of(self, finding: Finding) -> tuple[str, ...]:
        """One fingerprint for each principal that the finding names, in their order; else one."""
        named = principals_of(finding)
        known = self._known(finding, whole=not named)
        return tuple(_digest([*known, name]) for name in named) or (_digest([*known, *finding.principals]),)

    def _known(self, finding: Finding, *, whole: bool) -> list[object]:
        """Everything that the finding rests on but the principals that it names one by one."""
        policies = self._at.get(finding.location, [])
        statements = [one for policy in policies for one in policy.statements]
        about, rest = _statement_at(statements, finding.path)
        mentioned = dict.fromkeys(
            statement
            for text in (finding.message, *finding.chain)
            for statement in _mentioned(statements, text)
        )
        found = [self._content(one, whole=whole) for one in mentioned]
        if about is not None:
            found.append(self._content(about, whole=whole))
        names = [name for step in (finding.message, *finding.chain) for name in _IAM_POLICY.findall(step)]
        found += [
            self._content(statement, whole=True)
            for name in dict.fromkeys(names)
            for policy in self._named.get(name, ())
            for statement in policy.statements
        ]
        # A step by an IAM policy says who has it; a step by the statement alone says what its content says.
        steps = [step for step in finding.chain if whole or _IAM_POLICY.search(step)]
        return [
            finding.control,
            finding.detail,
            finding.outcome.value,
            resource_name(finding.location),
            rest,
            sorted(set(found)),
            # What rests on no statement rests on a value, and the message says which.
            *([] if found else [_AGE.sub("", finding.message)]),
            sorted({_LABEL.sub("statement", step) for step in steps}),
            self._grants_of(finding),
        ]

    def _grants_of(self, finding: Finding) -> list[str]:
        """The grants that a key declares, for what speaks of grants: no statement says what they give."""
        spoken = any("grant" in text.lower() for text in (finding.message, *finding.chain))
        return sorted(self._grants.get(finding.location, ())) if spoken else []

    def _content(self, statement: Statement, *, whole: bool) -> str:
        place = (id(statement), whole)
        if place not in self._contents:
            self._contents[place] = _digest(content(statement, principals=whole))
        return self._contents[place]


def content(statement: Statement, *, principals: bool = True) -> dict[str, object]:
    """What a statement says, as plain data: sorted, without its Sid and its place.

    Args:
        statement: The statement.
        principals: Whether to say for whom it is, too.
    """
    found: dict[str, object] = {
        "effect": _plain(statement.effect),
        "notPrincipals": _plain(statement.not_principals),
        "actions": _folded(statement.actions),
        "notActions": _folded(statement.not_actions),
        "resources": _plain(statement.resources),
        "notResources": _plain(statement.not_resources),
        "conditions": _conditions(statement.conditions),
        "certain": statement.certain,
    }
    if principals:
        found["principals"] = _plain(statement.principals)
    return {name: value for name, value in found.items() if value is not None}


def _conditions(given: tuple[Condition, ...] | Unknown) -> object:
    if is_unknown(given):
        return _plain(given)
    listed = [[one.operator.lower(), one.folded_key, _plain(one.values)] for one in given]
    return sorted(listed, key=json.dumps)


def _folded(actions: tuple[str, ...] | Unknown | None) -> object:
    return _plain(actions if actions is None or is_unknown(actions) else tuple(map(str.lower, actions)))


def _plain(value: object) -> object:
    if is_unknown(value):
        return {"unknown": value.reason}
    if isinstance(value, tuple):
        return sorted({str(one) for one in value})
    return None if value is None else str(value)


def _statement_at(statements: Iterable[Statement], path: str) -> tuple[Statement | None, str]:
    """The statement that a path leads to, and the rest of the path."""
    for statement in statements:
        if statement.path and (path == statement.path or path.startswith(f"{statement.path}/")):
            return statement, path.removeprefix(statement.path)
    return None, path


def _mentioned(statements: Iterable[Statement], text: str) -> Iterator[Statement]:
    """The statements that a text calls by their labels."""
    found = {sid or index for sid, index in _LABEL.findall(_IAM_POLICY.sub("", text))}
    for statement in statements:
        if (display(statement.sid) if statement.sid else str(statement.index)) in found:
            yield statement


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
