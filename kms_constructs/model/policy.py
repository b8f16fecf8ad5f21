"""A policy document as data: parsed once, tolerant of every legal spelling, silent about nothing.

IAM lets `Statement` be one object or a list, `Action` one string or a list, `Version` be missing, and element
names and condition keys differ in case. What is not legal becomes a `PolicyProblem` and, where access depends
on it, an unknown: an unknown Allow allows anyone, an unknown Deny denies nobody.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kms_constructs.model.arn import PARTITIONS, parse_arn
from kms_constructs.model.reading import parsed_json
from kms_constructs.model.text import CLOSE, OPEN, display, has_hole, split_holes
from kms_constructs.model.unknown import Maybe, Unknown, is_unknown


class Effect(StrEnum):
    """Effect of a statement."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """Something in a policy document that IAM or KMS would refuse, or that says nothing.

    Args:
        path: Where in the document, in CloudFormation's style: ``Statement/0/Principal``.
        message: What is wrong.
    """

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Principal:
    """One entry of a `Principal` or `NotPrincipal` element.

    Args:
        type: ``AWS``, ``Service``, ``Federated``, ``CanonicalUser``, or ``*`` for a bare asterisk.
        value: The ARN, account id, service name, or ``*``; may have holes.
    """

    type: str
    value: str

    def __str__(self) -> str:
        return "*" if self.type == "*" else f"{self.type}:{display(self.value)}"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition operator applied to one key.

    Args:
        operator: As written, for instance ``ForAnyValue:StringLikeIfExists``.
        key: As written, for instance ``kms:ViaService``; compare with `folded_key`.
        values: The values as text (booleans and numbers as JSON writes them), or unknown.
    """

    operator: str
    key: str
    values: tuple[str, ...] | Unknown

    @property
    def folded_key(self) -> str:
        """The key in lower case, for condition keys are case-insensitive."""
        return self.key.lower()

    @property
    def qualifier(self) -> str:
        """``foranyvalue``, ``forallvalues`` or nothing."""
        head, colon, _ = self.operator.partition(":")
        return head.lower() if colon else ""

    @property
    def if_exists(self) -> bool:
        """Whether a missing key satisfies the condition by an ``IfExists`` suffix."""
        return self.operator.lower().endswith("ifexists")

    @property
    def base(self) -> str:
        """The operator in lower case without qualifier and ``IfExists``: ``stringlike``."""
        name = self.operator.rpartition(":")[2].lower()
        return name.removesuffix("ifexists")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    An element that is absent is None; one that cannot be resolved is unknown.

    Args:
        index: Position in the document.
        effect: Allow, Deny or unknown.
        sid: The Sid, if any.
        principals, not_principals: Who; both None in an identity policy.
        actions, not_actions: What.
        resources, not_resources: On what.
        conditions: All must hold; unknown when any part of the element cannot be read.
        certain: False when a condition that cannot be resolved decides whether the statement exists.
        path: Where it stands, for instance ``Properties/KeyPolicy/Statement/0``.
    """

    index: int
    effect: Effect | Unknown
    sid: str | None = None
    principals: tuple[Principal, ...] | Unknown | None = None
    not_principals: tuple[Principal, ...] | Unknown | None = None
    actions: tuple[str, ...] | Unknown | None = None
    not_actions: tuple[str, ...] | Unknown | None = None
    resources: tuple[str, ...] | Unknown | None = None
    not_resources: tuple[str, ...] | Unknown | None = None
    conditions: tuple[Condition, ...] | Unknown = ()
    certain: bool = True
    path: str = ""

    @property
    def label(self) -> str:
        """The Sid, or the position when there is none: what a message calls the statement."""
        return display(self.sid) if self.sid else f"statement {self.index}"


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Policy:
    """A policy document.

    Args:
        statements: In order. Never empty for lack of understanding: what cannot be read is in `unknown`.
        unknown: Why the document as a whole is not known, or None.
        problems: What IAM or KMS would refuse.
        path: Where it stands: ``Properties/KeyPolicy``.
        size: Bytes of the document as compact JSON. Text that is decided at deployment counts nothing, so
            with holes it is a lower bound; None when a whole value is unknown.
    """

    statements: tuple[Statement, ...] = ()
    unknown: Unknown | None = None
    problems: tuple[PolicyProblem, ...] = ()
    path: str = ""
    size: int | None = None


DEFAULT_KEY_POLICY_SID = "DefaultKeyPolicy"


def default_key_policy(partition: str, account: str) -> Policy:
    """The key policy that KMS gives a key made without one: the account, through IAM, may do everything.

    See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """
    return parse_policy(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Sid": DEFAULT_KEY_POLICY_SID,
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
        },
        path="",
    )


def parse_policy(document: object, *, path: str = "") -> Policy:
    """Reads a policy document.

    Args:
        document: A mapping, JSON text of one, or unknown. Lists may hold `Maybe` elements, texts may have
            holes, and any value may be unknown.
        path: Where it stands, put before the paths of statements and problems.

    Returns:
        The policy. Never raises: a document that cannot be read is a policy that is unknown, with a problem.
    """
    return _Parser(path).policy(document)


def named_partition(policy: Policy) -> str | None:
    """The partition that a policy's own principals lie in; None when they do not tell.

    KMS takes no policy that names a principal of another partition. So the ARN of a principal settles it, if
    its statement is there for certain.
    """
    for statement in policy.statements:
        if not statement.certain:
            continue
        for principals in (statement.principals, statement.not_principals):
            for principal in principals if isinstance(principals, tuple) else ():
                arn = parse_arn(principal.value) if principal.type == "AWS" else None
                if arn is not None and arn.partition in PARTITIONS:
                    return arn.partition
    return None


_ELEMENTS = {
    name.lower(): name
    for name in (
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    )
}
_ONLY_TEXT = {str}
_VERSIONS = frozenset({"2012-10-17", "2008-10-17"})
_OUTSIDE = re.compile(f"[^\\t\\n\\r\\x20-\\xff{OPEN}{CLOSE}]")
"""What KMS refuses in the text of a key policy; the marks of holes are not part of it."""
_PRINCIPAL_TYPES = {name.lower(): name for name in ("AWS", "Service", "Federated", "CanonicalUser")}


def _scalar(value: object) -> str | Unknown:
    if isinstance(value, str) or is_unknown(value):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        try:
            return json.dumps(value)
        except ValueError:  # more digits than Python turns into text
            return Unknown("a number is too long to read")
    return Unknown(f"a {type(value).__name__} stands where text is wanted")


def _beyond(value: object) -> Iterator[str]:
    """Characters that KMS refuses, in any text of a document."""
    if isinstance(value, str):
        if not value.isascii() or not value.isprintable():
            plain = "".join(piece for piece in split_holes(value) if not has_hole(piece))
            yield from _OUTSIDE.findall(plain)
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield from _beyond(str(key))
            yield from _beyond(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _beyond(member)
    elif isinstance(value, Maybe):
        yield from _beyond(value.value)


class _Parser:
    def __init__(self, path: str) -> None:
        self._path = path
        self._problems: list[PolicyProblem] = []

    def policy(self, document: object) -> Policy:
        if isinstance(document, str):
            try:
                document = parsed_json(document, object_pairs_hook=self._object)
            except ValueError:
                document = Unknown("the text is not JSON")
                self._problem("", "the policy is text that is not JSON")
        if is_unknown(document):
            return Policy(unknown=document, problems=tuple(self._problems), path=self._path)
        if not isinstance(document, Mapping):
            message = f"the policy is a {type(document).__name__} and must be an object"
            self._problem("", message)
            return Policy(unknown=Unknown(message), problems=tuple(self._problems), path=self._path)
        self._version(document)
        self._characters(document)
        raw = self._statements(document)
        if is_unknown(raw):
            return Policy(unknown=raw, problems=tuple(self._problems), path=self._path)
        if raw is None:
            message = "the policy has no Statement"
            self._problem("Statement", message)
            return Policy(unknown=Unknown(message), problems=tuple(self._problems), path=self._path)
        statements = tuple(
            self._statement(index, value, certain) for index, (value, certain) in enumerate(_elements(raw))
        )
        if not statements:
            self._problem("Statement", "the list of statements is empty")
        return Policy(statements, None, tuple(self._problems), self._path, _size(document))

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        """An object of JSON text; a key that stands twice has no value that anyone could rely on."""
        found: dict[str, object] = {}
        for key, value in pairs:
            if key in found:
                self._problem("", f"{key} stands twice in one object")
            found[key] = Unknown(f"{key} stands twice in one object") if key in found else value
        return found

    def _version(self, document: Mapping[object, object]) -> None:
        for name, value in document.items():
            if str(name).lower() == "version" and not is_unknown(value) and not isinstance(value, Maybe):
                text = value.isoformat() if isinstance(value, date) else str(value)
                if text not in _VERSIONS and not has_hole(text):
                    self._problem("Version", f"there is no policy language of Version {display(text)!r}")

    def _characters(self, document: object) -> None:
        """KMS takes characters up to U+00FF alone, and of the control characters tab and line breaks."""
        found = next(_beyond(document), None)
        if found is not None:
            self._problem("", f"it holds the character U+{ord(found):04X}, and KMS takes none beyond U+00FF")

    def _statements(self, document: Mapping[object, object]) -> object:
        found = [value for key, value in document.items() if str(key).lower() == "statement"]
        if len(found) > 1:
            self._problem("Statement", "Statement stands twice")
            return Unknown("Statement stands twice")
        return found[0] if found else None

    def _problem(self, where: str, message: str) -> None:
        self._problems.append(PolicyProblem("/".join(part for part in (self._path, where) if part), message))

    def _statement(self, index: int, raw: object, certain: bool) -> Statement:
        where = f"Statement/{index}"
        path = "/".join(part for part in (self._path, where) if part)
        if not isinstance(raw, Mapping):
            if not is_unknown(raw):
                message = f"the statement is a {type(raw).__name__} and must be an object"
                self._problem(where, message)
                raw = Unknown(message)
            return Statement(
                index,
                raw,
                principals=raw,
                actions=raw,
                resources=raw,
                conditions=raw,
                certain=certain,
                path=path,
            )
        members = self._members(raw, where)
        conditions = self._conditions(members.get("Condition"), f"{where}/Condition")
        statement = Statement(
            index=index,
            effect=self._effect(members.get("Effect"), where),
            sid=self._sid(members.get("Sid"), where),
            principals=self._principals(members, "Principal", where),
            not_principals=self._principals(members, "NotPrincipal", where),
            actions=self._texts(members, "Action", where),
            not_actions=self._texts(members, "NotAction", where),
            resources=self._texts(members, "Resource", where),
            not_resources=self._texts(members, "NotResource", where),
            conditions=conditions,
            certain=certain,
            path=path,
        )
        if statement.actions is None and statement.not_actions is None:
            self._problem(where, "the statement has neither Action nor NotAction")
        for one, other in (
            ("Principal", "NotPrincipal"),
            ("Action", "NotAction"),
            ("Resource", "NotResource"),
        ):
            if one in members and other in members:
                self._problem(where, f"the statement has both {one} and {other}")
        return statement

    def _members(self, raw: Mapping[object, object], where: str) -> dict[str, object]:
        members: dict[str, object] = {}
        for key, value in raw.items():
            name = _ELEMENTS.get(str(key).lower())
            if name is None:
                self._problem(where, f"{display(str(key))!r} is no element of a statement")
            elif name in members:
                self._problem(where, f"{name} stands twice")
                members[name] = Unknown(f"{name} stands twice")
            else:
                members[name] = value
        return members

    def _sid(self, raw: object, where: str) -> str | None:
        if raw is None or isinstance(raw, str):
            return raw
        if not is_unknown(raw):
            self._problem(f"{where}/Sid", f"Sid must be text, not a {type(raw).__name__}")
        return None

    def _effect(self, raw: object, where: str) -> Effect | Unknown:
        if raw in (Effect.ALLOW.value, Effect.DENY.value):
            return Effect(str(raw))
        if is_unknown(raw):
            return raw
        self._problem(f"{where}/Effect", "Effect must be Allow or Deny")
        return Unknown("Effect is neither Allow nor Deny")

    def _texts(
        self, members: Mapping[str, object], name: str, where: str
    ) -> tuple[str, ...] | Unknown | None:
        if name not in members:
            return None
        return self._values(members[name], f"{where}/{name}")

    def _values(self, raw: object, where: str) -> tuple[str, ...] | Unknown:
        if type(raw) is str:
            return (raw,)
        if type(raw) is list and set(map(type, raw)) == _ONLY_TEXT:
            return tuple(raw)
        found: list[str] = []
        for value, certain in _elements(raw):
            text = _scalar(value)
            if is_unknown(text):
                if not is_unknown(value):
                    self._problem(where, text.reason)
                return text
            if not certain:
                return Unknown("an unresolved condition decides which values there are")
            found.append(text)
        if not found:
            self._problem(where, "the list is empty")
        return tuple(found)

    def _principals(
        self, members: Mapping[str, object], name: str, where: str
    ) -> tuple[Principal, ...] | Unknown | None:
        if name not in members:
            return None
        raw = members[name]
        path = f"{where}/{name}"
        if is_unknown(raw):
            return raw
        if isinstance(raw, str):
            if raw == "*":
                return (Principal("*", "*"),)
            self._problem(
                path, f"a principal must be an object such as {{'AWS': …}} or '*', not {display(raw)!r}"
            )
            return Unknown("the principal has no type")
        if not isinstance(raw, Mapping):
            self._problem(path, f"a principal must be an object or '*', not a {type(raw).__name__}")
            return Unknown("the principal is no object")
        found: list[Principal] = []
        for key, value in raw.items():
            kind = _PRINCIPAL_TYPES.get(str(key).lower())
            if kind is None:
                self._problem(path, f"{display(str(key))!r} is no type of principal")
                return Unknown("the principal has an unknown type")
            if key != kind:
                self._problem(path, f"{display(str(key))!r} is no type of principal: write {kind!r}")
            for element, certain in _elements(value):
                text = _scalar(element)
                if is_unknown(text):
                    if not is_unknown(element):
                        self._problem(path, text.reason)
                    return text
                if not certain:
                    return Unknown("an unresolved condition decides who the principals are")
                found.append(Principal(kind, text))
        if not found:
            self._problem(path, "there is no principal in it")
        return tuple(found)

    def _conditions(self, raw: object, where: str) -> tuple[Condition, ...] | Unknown:
        if raw is None:
            return ()
        if is_unknown(raw):
            return raw
        if not isinstance(raw, Mapping):
            self._problem(where, f"Condition must be an object, not a {type(raw).__name__}")
            return Unknown("Condition is no object")
        found: list[Condition] = []
        for operator, keys in raw.items():
            if not isinstance(keys, Mapping):
                if is_unknown(keys):
                    return keys
                self._problem(where, f"{display(str(operator))} must hold an object")
                return Unknown("a condition operator holds no object")
            for key, values in keys.items():
                parsed = self._values(values, f"{where}/{display(str(operator))}/{display(str(key))}")
                found.append(Condition(str(operator), str(key), parsed))
        return tuple(found)


def _elements(raw: object) -> Iterator[tuple[object, bool]]:
    for element in raw if isinstance(raw, list | tuple) else (raw,):
        if isinstance(element, Maybe):
            yield element.value, False
        else:
            yield element, True


def _size(document: object) -> int | None:
    try:
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        return len("".join(piece for piece in split_holes(text) if not has_hole(piece)).encode("utf-8"))
    except (TypeError, ValueError, RecursionError):
        return None
