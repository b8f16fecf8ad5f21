"""Reads policy documents: each statement once, however many documents have it to the letter.

Policies of a fleet are stamped from one template and share most of their statements. A statement that has
been read is remembered by its text and place; whoever reads the same one again has the same object, of which
everything is frozen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final

from msgspec.structs import replace

from kms_constructs.model.exact import exact_bytes
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.reading import parsed_json
from kms_constructs.model.statement import Condition, Effect, Policy, PolicyProblem, Principal, Statement
from kms_constructs.model.text import CLOSE, OPEN, display, has_hole, split_holes
from kms_constructs.model.unknown import Maybe, Unknown, is_unknown

Prepare = Callable[[object], object]
"""Makes a statement of its source fit to be read; its answer depends on the statement alone."""

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


_MOST_KNOWN: Final = 4096
"""Statements that are remembered."""
_LONGEST_KNOWN: Final = 4096
"""Bytes of a statement that is remembered: longer ones are rarely repeated."""


class _Read(Frozen, frozen=True):
    """A statement that has been read.

    Args:
        statement: The statement.
        problems: What IAM or KMS would refuse of it.
        beyond: The first character in it that KMS refuses, if any.
        size: Bytes of it as compact JSON; None when a value of it is unknown.
    """

    statement: Statement
    problems: tuple[PolicyProblem, ...]
    beyond: str | None
    size: int | None


_KNOWN: dict[tuple[bytes, int, str, Prepare | None], _Read] = {}


class Parser:
    """Reads one policy document.

    Args:
        path: Where it stands, put before the paths of statements and problems.
        prepare: Makes each statement fit to be read; None when it is.
    """

    def __init__(self, path: str, prepare: Prepare | None = None) -> None:
        self._path = path
        self._prepare = prepare
        self._problems: list[PolicyProblem] = []

    def policy(self, document: object) -> Policy:
        """The policy that a document is: see `parse_policy`."""
        if isinstance(document, str):
            self._prepare = None  # it is no part of its source's own format
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
        name, raw = _statements_of(document)
        read = [] if raw is None or is_unknown(raw) else list(self._all_read(raw))
        self._characters(document, name, read)
        if name is None and raw is not None:
            self._problem("Statement", "Statement stands twice")
        if raw is None:
            raw = Unknown("the policy has no Statement")
            self._problem("Statement", raw.reason)
        if is_unknown(raw):
            return Policy(unknown=raw, problems=tuple(self._problems), path=self._path)
        for one in read:
            self._problems += one.problems
        if not read:
            self._problem("Statement", "the list of statements is empty")
        statements = tuple([one.statement for one in read])
        return Policy(statements, None, tuple(self._problems), self._path, _size_with(document, name, read))

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

    def _characters(self, document: Mapping[object, object], name: object, read: list[_Read]) -> None:
        """KMS takes characters up to U+00FF alone, and of the control characters tab and line breaks."""
        for key, member in document.items():
            found = next(_beyond(str(key)), None)
            if found is None and read and key == name:
                found = next((one.beyond for one in read if one.beyond is not None), None)
            elif found is None:
                found = next(_beyond(member), None)
            if found is not None:
                number = f"U+{ord(found):04X}"
                self._problem("", f"it holds the character {number}, and KMS takes none beyond U+00FF")
                return

    def _all_read(self, raw: object) -> Iterator[_Read]:
        for index, element in enumerate(raw if isinstance(raw, list | tuple) else (raw,)):
            if isinstance(element, Maybe):
                # Whether it is there is not part of its text.
                yield replace(self._read(index, element.value, certain=False), size=None)
                continue
            text = exact_bytes(element)
            if text is None:
                yield self._read(index, element)
                continue
            place = text, index, self._path, self._prepare
            found = _KNOWN.get(place)
            if found is None:
                found = self._read(index, element)
                if len(text) <= _LONGEST_KNOWN:
                    if len(_KNOWN) >= _MOST_KNOWN:
                        _KNOWN.clear()
                    _KNOWN[place] = found
            yield found

    def _read(self, index: int, raw: object, *, certain: bool = True) -> _Read:
        if self._prepare is not None:
            raw = self._prepare(raw)
        told, self._problems = self._problems, []
        statement = self._statement(index, raw, certain)
        problems, self._problems = tuple(self._problems), told
        return _Read(statement, problems, *_weighed(raw))

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


def _statements_of(document: Mapping[object, object]) -> tuple[object, object]:
    """The name of the member that holds the statements, and what it holds; no name when there are several."""
    names = [key for key in document if str(key).lower() == "statement"]
    if not names:
        return None, None
    return (names[0], document[names[0]]) if len(names) == 1 else (None, Unknown("Statement stands twice"))


_compact: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
"""As `json.dumps` does it, which makes an encoder for every call."""


def _size(document: object) -> int | None:
    try:
        return _bytes_of(_compact(document))
    except (TypeError, ValueError, RecursionError):
        return None


def _weighed(statement: object) -> tuple[str | None, int | None]:
    """The first character that KMS refuses, and the size."""
    try:
        text = _compact(statement)
        # JSON escapes control characters: without an escape there is none, and none beyond ASCII.
        if text.isascii() and "\\" not in text:
            return None, len(text)
        size = _bytes_of(text)
    except (TypeError, ValueError, RecursionError):
        size = None
    return next(_beyond(statement), None), size


def _bytes_of(text: str) -> int:
    return len("".join(piece for piece in split_holes(text) if not has_hole(piece)).encode("utf-8"))


def _size_with(document: Mapping[object, object], name: object, read: list[_Read]) -> int | None:
    """The size of a document, of which those of the statements are known."""
    listed = isinstance(document[name], list | tuple)
    rest = _size({key: ([] if listed else 0) if key == name else member for key, member in document.items()})
    sizes = [one.size for one in read]
    if rest is None or None in sizes:
        return None
    # The commas between them; or the nought that stood for the one.
    return rest + sum(size for size in sizes if size is not None) + (max(0, len(sizes) - 1) if listed else -1)
