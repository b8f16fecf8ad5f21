"""Fingerprints: what exactly a finding found, in twelve hexadecimal digits.

Somebody who accepts a finding accepts what is there: this control, of this resource, by these statements, for
this principal. A fingerprint is made of that, by content: statements are known by what they say and not by
their place or Sid, so reordering and renaming change nothing, and a statement that says more is another one.

The principals of a finding count one by one where the finding names them so: a statement that gains a
principal keeps the fingerprints that it had and gets one more. Where they are described together ("any
principal of account 111122223333"), the description counts, and the statement's own principals with it.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
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


class Evidence:
    """What a finding rested on when it was found: its fingerprints, made when they are asked for first.

    Args:
        fingerprints: Makes them.
        finding: The finding as the rule gave it: reports write it in other words, or with other places.
    """

    __slots__ = ("_finding", "_fingerprints", "_made")

    def __init__(self, fingerprints: Fingerprints, finding: Finding) -> None:
        self._fingerprints = fingerprints
        self._finding = finding
        self._made: tuple[str, ...] | None = None

    def fingerprints(self) -> tuple[str, ...]:
        """The fingerprints of the finding."""
        if self._made is None:
            self._made = self._fingerprints.of(self._finding)
        return self._made


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
        self._places: dict[Location, _Place] = {}

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
        known = _written(self._known(finding, whole=not named))
        if named:
            return tuple([_hashed(f"{known}, {_text(name)}]") for name in named])
        return (_hashed(f"{known}{''.join([f', {_text(one)}' for one in finding.principals])}]"),)

    def _known(self, finding: Finding, *, whole: bool) -> list[str | list[str]]:
        """Everything that the finding rests on but the principals that it names one by one."""
        here = self._place_of(finding.location)
        about, rest = here.at(finding.path)
        texts = (finding.message, *finding.chain)
        found = [
            self._content(one, whole=whole)
            for text in texts
            if "statement " in text
            for one in here.mentioned(text)
        ]
        if about is not None:
            found.append(self._content(about, whole=whole))
        names = [name for step in texts if _may_name_iam_policies(step) for name in _iam_policies(step)]
        found += [
            self._content(statement, whole=True)
            for name in dict.fromkeys(names)
            for policy in self._named.get(name, ())
            for statement in policy.statements
        ]
        # A step by an IAM policy says who has it; a step by the statement alone says what its content says.
        steps = [step for step in finding.chain if whole or _iam_policies(step)]
        return [
            finding.control,
            finding.detail,
            finding.outcome.value,
            here.name,
            rest,
            sorted(set(found)),
            # What rests on no statement rests on a value, and the message says which.
            *([] if found else [_AGE.sub("", finding.message)]),
            sorted({_LABEL.sub("statement", step) for step in steps}),
            # For what speaks of grants: no statement says what they give.
            here.grants if here.grants and _speaks_of_grants(finding) else [],
        ]

    def _place_of(self, location: Location) -> _Place:
        found = self._places.get(location)
        if found is None:
            policies = self._at.get(location, ())
            statements = [one for policy in policies for one in policy.statements]
            found = _Place(resource_name(location), statements, sorted(self._grants.get(location, ())))
            self._places[location] = found
        return found

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


class _Place:
    """A resource, and the statements there by what findings call them: there are a dozen findings on each.

    Args:
        name: What the resource is called.
        statements: Its statements, which may have labels and paths in common.
        grants: What its grants say.
    """

    def __init__(self, name: str, statements: Sequence[Statement], grants: list[str]) -> None:
        self.name = name
        self.grants = grants
        self._located = [one for one in statements if one.path]
        self._called: dict[str, list[Statement]] = defaultdict(list)
        for one in statements:
            self._called[display(one.sid) if one.sid else str(one.index)].append(one)

    def at(self, path: str) -> tuple[Statement | None, str]:
        """The statement that a path leads to, and the rest of the path."""
        for statement in self._located:
            if path.startswith(statement.path):
                rest = path.removeprefix(statement.path)
                if not rest or rest[0] == "/":
                    return statement, rest
        return None, path

    def mentioned(self, text: str) -> Iterator[Statement]:
        """The statements that a text calls by their labels."""
        own = _IAM_POLICY.sub("", text) if _may_name_iam_policies(text) else text
        for sid, index in _LABEL.findall(own):
            yield from self._called.get(sid or index, ())


def _may_name_iam_policies(text: str) -> bool:
    """Whether `_IAM_POLICY` may find something: in most texts it does not, and takes long to see it."""
    return "policy '" in text or "boundary '" in text


def _iam_policies(text: str) -> list[str]:
    """The names of the IAM policies that a text speaks of."""
    return _IAM_POLICY.findall(text) if _may_name_iam_policies(text) else []


def _speaks_of_grants(finding: Finding) -> bool:
    return any("grant" in text.lower() for text in (finding.message, *finding.chain))


_encoded = json.JSONEncoder(sort_keys=True, ensure_ascii=True).encode
"""As `json.dumps` does it, which makes an encoder for every call."""


_text = json.encoder.encode_basestring_ascii
"""As `_encoded` writes a text, which takes three times as long to find out that it is one."""


def _written(known: Iterable[str | list[str]]) -> str:
    """The beginning of a list as `_encoded` writes it, up to where more is to follow."""
    return "[" + ", ".join(
        [_text(one) if isinstance(one, str) else f"[{', '.join(map(_text, one))}]" for one in known]
    )


def _hashed(written: str) -> str:
    import hashlib  # it loads a library for cryptography, and most runs ask for no fingerprint

    return hashlib.sha256(written.encode()).hexdigest()[:DIGITS]


def _digest(value: object) -> str:
    return _hashed(_encoded(value))
