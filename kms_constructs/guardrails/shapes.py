"""What keys have in common that differ by names alone: see `alike`.

A name is taken as such, a *token*, only where nothing tells it from another but being equal or not:

* it is the plain name of a role or user in a literal ARN, of no form that means something (roles of AWS,
  roles of the CDK, names as CloudFormation makes them), or a role's name that CloudFormation is yet to make,
* no wildcard and no undecided text may mean it that stands in the key policy, in the configuration, in an IAM
  policy or in a policy of the organization, unless that means every name, and
* nothing there names it otherwise, in any spelling, but the IAM policies that are for this key alone.

Everything else of the key policy, and of the IAM policies that are for the key alone, is compared as it
stands. Policies of one shape are equally long, for there is a greatest size, and their names are in the same
order among all texts, for messages are sorted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence, Set
from functools import lru_cache
from typing import Final

from kms_constructs.guardrails.settings import Settings
from kms_constructs.guardrails.tokens import (
    all_made,
    all_words,
    beginnings,
    is_made,
    may_be,
    may_be_made,
    may_mean_names,
    speaks_of_one_key,
    texts_in_any,
    texts_of,
    token,
)
from kms_constructs.model.arn import canonical, cut
from kms_constructs.model.estate import Estate, IdentityPolicy, IdentityPolicyKind, Key, KeyKind
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import MADE_ROLE, may_be_generated
from kms_constructs.model.policy import Statement
from kms_constructs.model.text import CLOSE, OPEN, display, has_hole, hole, holes
from kms_constructs.model.unknown import is_unknown

_FIELDS: Final = 6
_ITSELF: Final = "\ue002"
"""Stands for the key in the IAM policies that are for it alone."""


class Shape:
    """What keys have in common that are alike. It is hashed once, for every rule asks for it."""

    __slots__ = ("_hash", "_parts")

    def __init__(self, parts: tuple[Hashable, ...]) -> None:
        self._parts = parts
        self._hash = hash(parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Shape) and self._parts == other._parts)


class Shaped(Frozen, frozen=True):
    """A key whose tokens are taken out.

    Args:
        shape: What is left, and where the tokens stood.
        arns: The ARNs that are tokens, in the order in which they first appear.
        own: The IAM policies that are for this key alone.
    """

    shape: Shape
    arns: tuple[str, ...]
    own: tuple[IdentityPolicy, ...] = ()

    @property
    def spelt(self) -> tuple[str, ...]:
        """The ARNs as policies have them, then as messages show them."""
        return (*self.arns, *map(display, self.arns))


class Shapes:
    """Finds the shapes of the keys of an estate.

    Args:
        estate: The estate. It has to live as long as this.
        config: The configuration that it is judged by.
    """

    def __init__(self, estate: Estate, config: Settings) -> None:
        self._around = _Around(estate, config)
        self._said: dict[int, _Said] = {}
        self._contents: dict[Hashable, int] = {}
        self._known: dict[Shape, Shape] = {}

    def of(self, key: Key) -> Shaped | None:
        """The key as a shape and its tokens; None when it has to be judged by itself."""
        around = self._around
        if not _is_plain(key) or around.speaks_of(key):
            return None
        own = around.own(key)
        spoken = _Spoken()
        for statement in key.policy.statements:
            said = self._said.get(id(statement))
            if said is None:
                said = self._said[id(statement)] = _said(statement, self._contents)
            if said.of_one_key:
                return None
            spoken.take(said)
        for before, policy in own:
            for said in _said_by(before, policy, key.key_id, self._contents):
                if said.of_one_key:
                    return None
                spoken.take(said)
        for control, patterns in key.authorised.items():
            spoken.say(control, patterns)
        spoken.say("deployer", () if key.deployer is None else (key.deployer,))
        policies = tuple(policy for _, policy in own)
        arns = tuple(_tokens(spoken, around, policies))
        shape = Shape((*_numbered(spoken, arns), *_facts(key)))
        return Shaped(self._known.setdefault(shape, shape), arns, policies)


class _Around:
    """What beside a key's own policy takes part in judging it, as far as that tells names or keys apart."""

    def __init__(self, estate: Estate, config: Settings) -> None:
        keys = frozenset(key.key_id for key in estate.keys if _is_one_hole(key.key_id))
        texts = dict.fromkeys(texts_in_any((config, estate.organization)))
        self._words = Counter(all_words(texts))
        self._made: Counter[str] = Counter(all_made(texts))
        self._of: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
        self._own: dict[str, list[tuple[int, IdentityPolicy]]] = {}
        of_several = {*_key_ids(texts_in_any(estate.organization), keys)}
        by_name = any(map(speaks_of_one_key, texts_in_any(estate.organization)))
        before = 0
        for policy in estate.identity_policies:
            told = frozenset(texts_of(policy))
            self._of[id(policy)] = words, made = all_words(told), all_made(told)
            self._words.update(words)
            self._made.update(made)
            texts.update(dict.fromkeys(told))
            by_name = by_name or any(map(speaks_of_one_key, told))
            named = _key_ids(told, keys)
            alone = next(iter(named)) if len(named) == 1 else None
            if alone is not None and _is_for(policy, alone):
                self._own.setdefault(alone, []).append((before, policy))
            else:
                of_several |= named
                before += 1
        self.patterns = tuple(text for text in texts if may_mean_names(text) and not is_made(text))
        self.spells_made_names = any(map(may_be_generated, texts))
        self._by_name_of_key = by_name
        self._of_several = of_several

    def speaks_of(self, key: Key) -> bool:
        """Whether anything speaks of this key that is not for it alone."""
        return self._by_name_of_key or not _is_one_hole(key.key_id) or key.key_id in self._of_several

    def own(self, key: Key) -> Sequence[tuple[int, IdentityPolicy]]:
        """The IAM policies that are for this key alone, each with how many are for others before it."""
        return self._own.get(key.key_id, ())

    def has_word(self, word: str, but: Iterable[IdentityPolicy]) -> bool:
        """Whether a word stands anywhere but in some IAM policies."""
        return self._words[word] > sum(word in self._of[id(policy)][0] for policy in but)

    def has_made(self, resource: str, but: Iterable[IdentityPolicy]) -> bool:
        """Whether something of a resource that deployment makes stands anywhere but in some IAM policies."""
        return self._made[resource] > sum(resource in self._of[id(policy)][1] for policy in but)


class _Said(Frozen, frozen=True):
    """What a statement says.

    Args:
        content: A number for what it says; statements that say the same share it.
        parts: What it says, part by part.
        texts: Those of the parts that may name principals.
        label: Its Sid.
        of_one_key: Whether it speaks of this key and of no other.
    """

    content: int
    parts: tuple[Hashable, ...]
    texts: tuple[str, ...]
    label: str
    of_one_key: bool


def _said(statement: Statement, contents: dict[Hashable, int]) -> _Said:
    """What a statement of a key policy says."""
    of_one_key = statement.resources != ("*",) or statement.not_resources is not None
    return _said_with(statement, (), contents, of_one_key=of_one_key)


def _said_with(
    statement: Statement, first: tuple[Hashable, ...], contents: dict[Hashable, int], *, of_one_key: bool
) -> _Said:
    parts: list[Hashable] = [
        *first,
        statement.index,
        statement.effect,
        statement.sid,
        statement.actions,
        statement.not_actions,
        statement.certain,
        statement.path,
    ]
    texts: list[str] = []

    def say(values: Sequence[str]) -> None:
        parts.append(len(values))
        parts.extend(values)
        texts.extend(values)

    for principals in (statement.principals, statement.not_principals):
        if principals is None or is_unknown(principals):
            parts.append(principals)
            continue
        parts += [principal.type for principal in principals]
        say([principal.value for principal in principals])
    for condition in (statement.conditions,) if is_unknown(statement.conditions) else statement.conditions:
        if is_unknown(condition):
            parts.append(condition)
            continue
        parts += (condition.operator, condition.key)
        of_one_key = of_one_key or speaks_of_one_key(condition.key)
        if is_unknown(condition.values):
            parts.append(condition.values)
        else:
            say(condition.values)
    of_one_key = of_one_key or any(":kms:" in text for text in texts)
    whole = tuple(parts)
    content = contents.setdefault(whole, len(contents))
    return _Said(content, whole, tuple(texts), statement.sid or "", of_one_key)


def _said_by(
    before: int, policy: IdentityPolicy, key_id: str, contents: dict[Hashable, int]
) -> Iterator[_Said]:
    """What an IAM policy says that is for one key alone."""
    document = policy.policy
    parts: list[Hashable] = [before, policy.kind, policy.attachable, policy.account, id(policy.vocabulary)]
    parts += [document.problems, document.path]
    texts: tuple[str, ...] = ()
    if is_unknown(policy.attached_to):
        parts.append(policy.attached_to)
    else:
        texts = policy.attached_to
        parts += (len(texts), *texts)
    yield _Said(contents.setdefault(tuple(parts), len(contents)), tuple(parts), texts, "", of_one_key=False)
    for statement in document.statements:
        resources = _of_kms(statement)
        if resources:
            named = tuple(text.replace(key_id, _ITSELF) for text in resources)
            yield _said_with(statement, named, contents, of_one_key=False)


class _Spoken:
    """What is said of a key, and the texts in it that may name principals."""

    def __init__(self) -> None:
        self.said: list[_Said] = []
        self.texts: dict[str, None] = {}
        self.labels: list[str] = []

    def take(self, said: _Said) -> None:
        """Adds what a statement says."""
        self.said.append(said)
        self.texts.update(dict.fromkeys(said.texts))
        self.labels.append(said.label)

    def say(self, name: str, texts: tuple[str, ...]) -> None:
        """Adds texts of a name that may name principals; they have no number."""
        self.said.append(_Said(-1, (name, len(texts), *texts), texts, "", of_one_key=False))
        self.texts.update(dict.fromkeys(texts))


def _tokens(spoken: _Spoken, around: _Around, own: Sequence[IdentityPolicy]) -> Iterator[str]:
    """The ARNs whose names stand for nothing but themselves."""
    found = {text: match for text in spoken.texts if (match := token(text)) is not None}
    if not found:
        return
    rest = [text for text in spoken.texts if text not in found]
    told = (*rest, *spoken.labels)
    words = all_words(told)
    patterns = (*filter(may_mean_names, rest), *around.patterns)
    names = Counter(match["name"].lower() for match in found.values())
    begun = beginnings(spoken.texts)
    spelt = around.spells_made_names or any(map(may_be_generated, rest))
    for arn, match in found.items():
        name = match["name"].lower()
        if names[name] > 1 or arn in begun:
            continue
        if match.re is MADE_ROLE:
            resource = match["made"]
            told_apart = (
                spelt
                or around.has_made(resource, own)
                or any(may_be_made(pattern, arn) for pattern in patterns)
            )
        else:
            told_apart = (
                name in words
                or around.has_word(name, own)
                or any(may_be(pattern, arn) for pattern in patterns)
            )
        if not told_apart:
            yield arn


def _numbered(spoken: _Spoken, arns: tuple[str, ...]) -> Iterator[Hashable]:
    """What is spoken with a number for each token, and how all texts are sorted.

    Sorted as principals are compared, without their partitions, and as they are shown.
    """
    number: dict[Hashable, Hashable] = {arn: (place,) for place, arn in enumerate(arns)}
    tokens = frozenset(arns)
    yield tuple(
        [
            said.content
            if said.content >= 0 and tokens.isdisjoint(said.texts)
            else tuple([number.get(part, part) for part in said.parts])
            for said in spoken.said
        ]
    )
    if arns:
        yield tuple([number.get(text, text) for text in sorted(spoken.texts, key=canonical)])
    if any(map(has_hole, arns)):
        yield tuple([number.get(text, text) for text in sorted(spoken.texts, key=_shown)])


def _shown(text: str) -> str:
    return display(canonical(text))


def _is_plain(key: Key) -> bool:
    """Whether nothing but its policy tells a rule by shape apart from other keys of its kind."""
    return key.kind is KeyKind.KEY and key.primary is None and not key.grants and key.live is None


def _facts(key: Key) -> Iterator[Hashable]:
    """What rules by shape look at beside the statements."""
    yield from (key.account, key.region, key.partition, key.key_spec, key.key_usage, key.origin)
    yield from (key.multi_region, key.bypass_lockout_check, key.conditional, id(key.vocabulary))
    yield from (key.policy.unknown, key.policy.problems, key.policy.path, key.policy.size)


# --- IAM policies -----------------------------------------------------------------------------------------


def _is_one_hole(key_id: str) -> bool:
    """Whether a key id is one that deployment makes, as a whole."""
    return key_id.startswith(OPEN) and key_id.endswith(CLOSE) and key_id.count(OPEN) == 1


def _key_ids(texts: Iterable[str], keys: Set[str]) -> frozenset[str]:
    """Those of the keys' ids that stand in texts."""
    return frozenset(
        one
        for text in texts
        if OPEN in text
        for one in (hole(*found) for found in holes(text))
        if one in keys
    )


def _is_for(policy: IdentityPolicy, key_id: str) -> bool:
    """Whether all that an IAM policy says of keys it says of one, by its id."""
    if policy.kind is IdentityPolicyKind.BOUNDARY or policy.policy.unknown is not None:
        return False
    return all(_says_of(statement, key_id) for statement in policy.policy.statements)


def _says_of(statement: Statement, key_id: str) -> bool:
    resources = _of_kms(statement)
    if resources is None or not all(key_id in text for text in resources):
        return False
    conditions = () if is_unknown(statement.conditions) else statement.conditions
    values = (() if is_unknown(one.values) else one.values for one in conditions)
    return statement.principals is None is statement.not_principals and not any(
        key_id in text for several in values for text in several
    )


def _of_kms(statement: Statement) -> tuple[str, ...] | None:
    """The resources that may be keys: none where all lie in other services; None where it is not known."""
    resources = statement.resources
    if is_unknown(resources) or resources is None or statement.not_resources is not None:
        return None
    return tuple(text for text in resources if not _is_elsewhere(text))


@lru_cache(maxsize=4096)
def _is_elsewhere(resource: str) -> bool:
    """Whether a resource of an IAM policy is of another service than KMS for certain."""
    parts = cut(resource)
    if len(parts) < _FIELDS or parts[0] != "arn":
        return False
    service = parts[2]
    return service.isalnum() and service != "kms"
