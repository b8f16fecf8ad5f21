"""Keys that differ by the names of roles and users alone, judged once.

A fleet is stamped from one module: a thousand keys, each with an administrator and users of its own, and one
policy. What a rule says of one of them it says of all, with other names. That holds of names which nothing
tells apart but being equal or not. So a name is taken as such, a *token*, only where

* it is the plain name of a role or user in a literal ARN, of no form that means something (roles of AWS,
  roles of the CDK, names as CloudFormation makes them),
* no wildcard and no undecided text may mean it that stands in the key policy, in the configuration, in an IAM
  policy or in a policy of the organization, unless that means every name, and
* nothing there names it otherwise, in any spelling.

Everything else of a key policy is compared as it stands. Policies of one shape are equally long, for there is
a greatest size, and their names are in the same order among all texts, for messages are sorted. Whatever does
not fit is judged by itself, and so is a key of which the policy or an IAM policy speaks by id, alias or tag.

See `tests/guardrails/test_alike.py`: with and without this, every finding is the same to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from kms_constructs.analysis.witness import Witness
from kms_constructs.guardrails.finding import INTERNAL_ERROR, Finding
from kms_constructs.guardrails.settings import Settings
from kms_constructs.model.arn import canonical, cut
from kms_constructs.model.changed import changed
from kms_constructs.model.estate import Estate, Key, KeyKind, Location
from kms_constructs.model.globs import glob_matches, has_wildcard, may_be_generated, without_variables
from kms_constructs.model.policy import Statement
from kms_constructs.model.text import display, has_hole, holes, split_holes
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.vocabulary import Vocabulary

FEWEST = 8
"""Fewer keys are judged one by one: to compare them takes longer than it saves."""

_TOKEN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:role|user)/(?P<name>[A-Za-z0-9_][A-Za-z0-9_-]*)")
_RESERVED = re.compile(r"aws|cdk-", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9_-]+")
_NAMES_ALL_OR_NONE = frozenset({"*", "role/*", "user/*", "root"})
"""What the last field of a principal's ARN may hold and tell no two names apart."""
_BY_NAME_OF_KEY = ("kms:resourcealiases", "kms:requestalias", "aws:resourcetag/")
"""Condition keys by which a policy speaks of one key and not of another."""


class Alike:
    """The shapes of the keys of one estate, and what rules found of the first key of each.

    Args:
        estate: The estate. It has to live as long as this.
        config: The configuration that it is judged by.
    """

    def __init__(self, estate: Estate, config: Settings) -> None:
        self._around = _Surroundings(estate, config)
        self._shaped: dict[int, _Shaped | None] = {}
        self._found: dict[tuple[type, _Shape], _Template | None] = {}

    def of(self, rule: type, key: Key, check: Callable[[], list[Finding]]) -> list[Finding]:
        """What a rule that judges by shape finds of a key.

        Args:
            rule: The rule.
            key: A key of the estate.
            check: Asks the rule about this key.
        """
        if id(key) not in self._shaped:
            self._shaped[id(key)] = self._around.shaped(key)
        shaped = self._shaped[id(key)]
        if shaped is None:
            return check()
        place = rule, shaped.shape
        if place in self._found:
            template = self._found[place]
            return check() if template is None else template.filled(key.location, shaped.arns)
        found = check()
        self._found[place] = _Template.of(found, key, shaped.arns)
        return found


class _Shape:
    """What keys have in common that are alike. It is hashed once, for every rule asks for it."""

    __slots__ = ("_hash", "_parts")

    def __init__(self, parts: tuple[Hashable, ...]) -> None:
        self._parts = parts
        self._hash = hash(parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, _Shape) and self._parts == other._parts)


@dataclass(frozen=True, slots=True)
class _Shaped:
    """A key whose tokens are taken out.

    Args:
        shape: What is left, and where the tokens stood.
        arns: The ARNs that are tokens, in the order in which they first appear.
    """

    shape: _Shape
    arns: tuple[str, ...]


class _Surroundings:
    """What beside a key's own policy takes part in judging it, as far as that tells names or keys apart."""

    def __init__(self, estate: Estate, config: Settings) -> None:
        policies = frozenset(_texts((estate.identity_policies, estate.organization)))
        texts = policies | frozenset(_texts(config))
        self._words = _all_words(texts)
        self._open = tuple(filter(_may_mean_names, texts))
        self._ids = frozenset(identity for text in policies for identity in holes(text))
        self._by_name_of_key = any(map(_speaks_of_one_key, policies))
        self._known: dict[_Shape, _Shape] = {}

    def shaped(self, key: Key) -> _Shaped | None:
        """The key as a shape and its tokens; None when it has to be judged by itself."""
        own = holes(key.key_id)
        if self._by_name_of_key or not own or not self._ids.isdisjoint(own) or not _is_plain(key):
            return None
        spoken = _Spoken()
        if not all(map(spoken.take, key.policy.statements)):
            return None
        for control, patterns in key.authorised.items():
            spoken.parts.append(control)
            spoken.say(patterns)
        spoken.say(() if key.deployer is None else (key.deployer,))
        arns = tuple(self._tokens(spoken))
        shape = _Shape((*_numbered(spoken, arns), *_facts(key)))
        return _Shaped(self._known.setdefault(shape, shape), arns)

    def _tokens(self, spoken: _Spoken) -> Iterator[str]:
        """The ARNs whose names stand for nothing but themselves."""
        found = {text: match for text in spoken.texts if (match := _token(text)) is not None}
        if not found:
            return
        rest = [text for text in spoken.texts if text not in found]
        words = _all_words(frozenset((*rest, *spoken.labels)))
        patterns = (*filter(_may_mean_names, rest), *self._open)
        names = [match["name"].lower() for match in found.values()]
        begun = _beginnings(spoken.texts)
        for arn, name in zip(found, names, strict=True):
            told_apart = (
                names.count(name) > 1
                or name in words
                or name in self._words
                or arn in begun
                or any(_may_be(pattern, arn) for pattern in patterns)
            )
            if not told_apart:
                yield arn


class _Spoken:
    """The texts of a key policy, one after the other."""

    def __init__(self) -> None:
        self.parts: list[Hashable] = []
        self.texts: dict[str, None] = {}
        self.labels: list[str] = []

    def take(self, statement: Statement) -> bool:
        """Adds a statement; False when it speaks of this key and of no other."""
        if statement.resources != ("*",) or statement.not_resources is not None:
            return False
        self.parts += (
            statement.index,
            statement.effect,
            statement.sid,
            statement.actions,
            statement.not_actions,
        )
        self.parts += (statement.certain, statement.path)
        self.labels.append(statement.sid or "")
        for principals in (statement.principals, statement.not_principals):
            if principals is None or is_unknown(principals):
                self.parts.append(principals)
                continue
            self.parts += [principal.type for principal in principals]
            self.say([principal.value for principal in principals])
        if is_unknown(statement.conditions):
            self.parts.append(statement.conditions)
            return True
        for condition in statement.conditions:
            self.parts += (condition.operator, condition.key)
            if _speaks_of_one_key(condition.key):
                return False
            if is_unknown(condition.values):
                self.parts.append(condition.values)
            else:
                self.say(condition.values)
        return not any(":kms:" in text for text in self.texts)

    def say(self, texts: Sequence[str]) -> None:
        """Adds texts that may name principals."""
        self.parts.append(len(texts))
        self.parts += texts
        self.texts.update(dict.fromkeys(texts))


@dataclass(frozen=True, slots=True)
class _Template:
    """What a rule finds of every key of a shape.

    Args:
        findings: What it found of the first.
        pieces: For each of them its texts, in pieces, where they name tokens; None where they do not.
    """

    findings: tuple[Finding, ...]
    pieces: tuple[_Pieces | None, ...]

    @classmethod
    def of(cls, findings: Sequence[Finding], key: Key, arns: tuple[str, ...]) -> _Template | None:
        """What was found of a key as a template; None when it says of this key what it says of no other."""
        writer = _Writer(key, arns)
        pieces = []
        for finding in findings:
            if finding.location is not key.location or finding.detail == INTERNAL_ERROR or finding.world:
                return None
            cut_up = writer.pieces(finding)
            if cut_up is None:
                return None
            pieces.append(cut_up if cut_up.names else None)
        return cls(tuple(findings), tuple(pieces))

    def filled(self, location: Location, arns: tuple[str, ...]) -> list[Finding]:
        """What it finds of another key of the shape."""
        return [
            changed(finding, location=location) if pieces is None else pieces.filled(finding, location, arns)
            for finding, pieces in zip(self.findings, self.pieces, strict=True)
        ]


_Filler = Callable[[tuple[str, ...]], Any]
"""Makes a value out of the ARNs of a key."""


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The parts of a finding that name tokens, by field."""

    names: tuple[tuple[str, _Filler], ...]

    def filled(self, finding: Finding, location: Location, arns: tuple[str, ...]) -> Finding:
        """The finding with the names of another key."""
        return changed(finding, location=location, **{name: fill(arns) for name, fill in self.names})


class _OfOneKeyError(Exception):
    """A text says of the first key what is said of no other."""


class _Writer:
    """Cuts the texts of findings at the tokens.

    Args:
        key: The key that they were found of.
        arns: Its tokens.
    """

    def __init__(self, key: Key, arns: tuple[str, ...]) -> None:
        self._number = {spelt: number for number, arn in enumerate(arns) for spelt in (arn, canonical(arn))}
        self._plain = dict(enumerate(arns))
        self._arn = _any_of(self._number)
        names = [arn.rpartition("/")[2] for arn in arns]
        place = key.location
        told = (*names, place.source, place.stack, place.logical_id, place.construct_path or "", key.id)
        self._own = _any_of([one for one in (*told, *(identity for _, identity in holes(key.key_id))) if one])

    def pieces(self, finding: Finding) -> _Pieces | None:
        """The parts that name tokens; None when a text speaks of this key in another way."""
        try:
            made = [(name, self._filler(getattr(finding, name))) for name in _WRITTEN]
        except _OfOneKeyError:
            return None
        return _Pieces(tuple((name, fill) for name, fill in made if fill is not None))

    def _filler(self, value: object) -> _Filler | None:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, tuple):
            return self._sequence(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, Witness):
            return self._witness(value)
        return None

    def _text(self, text: str) -> _Filler | None:
        pieces = self._arn.split(text)
        if any(self._own.search(piece) for piece in pieces[::2]):
            raise _OfOneKeyError
        if len(pieces) == 1:
            return None
        form = "".join(
            f"{{{self._number[piece]}}}" if number % 2 else piece.replace("{", "{{").replace("}", "}}")
            for number, piece in enumerate(pieces)
        )
        if any(piece != self._plain[self._number[piece]] for piece in pieces[1::2]):
            raise _OfOneKeyError
        return lambda arns: form.format(*arns)

    def _sequence(self, values: tuple[object, ...]) -> _Filler | None:
        made = [(value, self._filler(value)) for value in values]
        if all(fill is None for _, fill in made):
            return None
        return lambda arns: tuple(value if fill is None else fill(arns) for value, fill in made)

    def _mapping(self, values: Mapping[object, object]) -> _Filler | None:
        made = [(name, value, self._filler(name), self._filler(value)) for name, value in values.items()]
        if any(named is not None for _, _, named, _ in made):
            raise _OfOneKeyError
        if all(fill is None for *_, fill in made):
            return None
        return lambda arns: {name: value if fill is None else fill(arns) for name, value, _, fill in made}

    def _witness(self, witness: Witness) -> _Filler | None:
        made = [(one.name, self._filler(getattr(witness, one.name))) for one in fields(Witness)]
        naming = [(name, fill) for name, fill in made if fill is not None]
        if not naming:
            return None
        return lambda arns: changed(witness, **{name: fill(arns) for name, fill in naming})


_WRITTEN = ("message", "fix", "detail", "chain", "principals", "witness")
"""The fields of a finding that may name somebody. A path leads through properties, which are alike."""


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    """Any of the texts, as a whole word."""
    either = "|".join(map(re.escape, sorted(texts, key=len, reverse=True))) or "(?!)"
    return re.compile(f"(?<![A-Za-z0-9])({either})(?![A-Za-z0-9_-])")


def _is_plain(key: Key) -> bool:
    """Whether nothing but its policy tells a rule by shape apart from other keys of its kind."""
    return key.kind is KeyKind.KEY and key.primary is None and not key.grants and key.live is None


def _facts(key: Key) -> Iterator[Hashable]:
    """What rules by shape look at beside the statements."""
    yield from (key.account, key.region, key.partition, key.key_spec, key.key_usage, key.origin)
    yield from (key.multi_region, key.bypass_lockout_check, key.conditional, id(key.vocabulary))
    yield from (key.policy.unknown, key.policy.problems, key.policy.path, key.policy.size)


def _numbered(spoken: _Spoken, arns: tuple[str, ...]) -> Iterator[Hashable]:
    """What is spoken with a number for each token, and how all texts are sorted.

    Sorted as principals are compared, without their partitions; as they stand they are then sorted alike.
    """
    number: dict[Hashable, Hashable] = {arn: (place,) for place, arn in enumerate(arns)}
    yield tuple([number.get(part, part) for part in spoken.parts])
    if arns:
        yield tuple([number.get(text, text) for text in sorted(spoken.texts, key=canonical)])


def _texts(value: object) -> Iterator[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for pair in value.items():
            yield from _texts(pair)
    elif isinstance(value, tuple | list | Set):
        for one in value:
            yield from _texts(one)
    elif is_dataclass(value) and not isinstance(value, Location | Vocabulary):
        for one in fields(value):
            yield from _texts(getattr(value, one.name))


@lru_cache(maxsize=16384)
def _token(text: str) -> re.Match[str] | None:
    found = _TOKEN.fullmatch(text)
    plain = found is not None and not _RESERVED.match(found["name"]) and not may_be_generated(text)
    return found if plain else None


@lru_cache(maxsize=16384)
def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))


def _all_words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset[str]().union(*map(_words, texts))


def _beginnings(texts: Iterable[str]) -> frozenset[str]:
    """The texts that another begins with: the next ones in order do."""
    ordered = sorted(texts)
    return frozenset(one for one, other in pairwise(ordered) if other.startswith(one))


def _speaks_of_one_key(text: str) -> bool:
    return text.lower().startswith(_BY_NAME_OF_KEY)


@lru_cache(maxsize=16384)
def _may_mean_names(text: str) -> bool:
    """Whether a text stands for several others, and they may be some names of principals and not all."""
    text = without_variables(text)
    if text == "*" or not (has_wildcard(text) or has_hole(text)):
        return False
    parts = cut(text)
    if len(parts) != _FIELDS or parts[0] != "arn":
        return True
    service, resource = parts[2], parts[5]
    known = not (has_wildcard(service) or has_hole(service))
    return not (known and service not in ("iam", "sts")) and resource not in _NAMES_ALL_OR_NONE


@lru_cache(maxsize=65536)
def _may_be(pattern: str, arn: str) -> bool:
    """Whether a pattern may mean the principal, by any of its names."""
    _, partition, _, _, account, resource = cut(arn)
    name = resource.partition("/")[2]
    session = f"arn:{partition}:sts::{account}:assumed-role/{name}/{name}"
    plain, without_partition = _globs(pattern)
    names = () if plain.startswith("arn:") else (resource, name, f"{name}:{name}", account)
    return any(glob_matches(plain, one, fold=True) for one in (arn, session, *names)) or any(
        glob_matches(without_partition, canonical(one), fold=True) for one in (arn, session)
    )


@lru_cache(maxsize=4096)
def _globs(pattern: str) -> tuple[str, str]:
    """A pattern with an asterisk for all that is not decided, as it stands and without its partition."""
    plain = without_variables(pattern)
    return _as_glob(plain), _as_glob(canonical(plain))


def _as_glob(text: str) -> str:
    return "".join("*" if has_hole(piece) else display(piece) for piece in split_holes(text))


_FIELDS = 6
