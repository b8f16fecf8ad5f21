"""The texts in which principals may be named, and which of them are *tokens*: see `shapes`.

A token is the ARN of a role or user whose name means nothing by itself. Here stands what a text has to be for
that, and which other texts may mean it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import lru_cache
from itertools import pairwise

from kms_constructs.model.arn import canonical, cut
from kms_constructs.model.estate import IdentityPolicy, Location
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import (
    MADE_ROLE,
    glob_matches,
    globs_meet,
    has_wildcard,
    may_be_generated,
    without_variables,
)
from kms_constructs.model.policy import Statement
from kms_constructs.model.text import OPEN, display, has_hole, holes, split_holes
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.vocabulary import Vocabulary

_TOKEN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:role|user)/(?P<name>[A-Za-z0-9_][A-Za-z0-9_-]*)")
_RESERVED = re.compile(r"aws|cdk-", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9_-]+")
_NAMES_ALL_OR_NONE = frozenset({"*", "role/*", "user/*", "root"})
"""What the last field of a principal's ARN may hold and tell no two names apart."""
_BY_NAME_OF_KEY = ("kms:resourcealiases", "kms:requestalias", "aws:resourcetag/")
"""Condition keys by which a policy speaks of one key and not of another."""
_FIELDS = 6


def texts_in_any(value: object) -> Iterator[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for pair in value.items():
            yield from texts_in_any(pair)
    elif isinstance(value, tuple | list | Set):
        for one in value:
            yield from texts_in_any(one)
    elif isinstance(value, Statement):
        yield from _texts_in(value)
    elif isinstance(value, Frozen) and not isinstance(value, Location | Vocabulary):
        for name in value.__struct_fields__:
            yield from texts_in_any(getattr(value, name))


def _texts_in(statement: Statement) -> Iterator[str]:
    """Every text in a statement but the actions, which have wildcards, and name nobody."""
    yield statement.sid or ""
    for texts in (statement.resources, statement.not_resources):
        if texts is not None and not is_unknown(texts):
            yield from texts
    for principals in (statement.principals, statement.not_principals):
        if principals is not None and not is_unknown(principals):
            yield from (principal.value for principal in principals)
    for condition in () if is_unknown(statement.conditions) else statement.conditions:
        yield condition.key
        if not is_unknown(condition.values):
            yield from condition.values


def texts_of(policy: IdentityPolicy) -> Iterator[str]:
    """Every text in an IAM policy that may name somebody or a key."""
    yield policy.name
    if not is_unknown(policy.attached_to):
        yield from policy.attached_to
    for statement in policy.policy.statements:
        yield from _texts_in(statement)


@lru_cache(maxsize=16384)
def token(text: str) -> re.Match[str] | None:
    """A text that may be a token, matched by what tells its name: `MADE_ROLE` tells the resource, too."""
    found = MADE_ROLE.fullmatch(text) if OPEN in text else _TOKEN.fullmatch(text)
    if found is None or _RESERVED.match(found["name"]):
        return None
    return None if found.re is _TOKEN and may_be_generated(text) else found


def is_made(text: str) -> bool:
    """Whether a text is the role that a resource makes, and no other."""
    return OPEN in text and MADE_ROLE.fullmatch(text) is not None


@lru_cache(maxsize=16384)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))


def all_words(texts: Iterable[str]) -> frozenset[str]:
    """Every word of the texts, in lower case."""
    return frozenset[str]().union(*map(_words_of, texts))


def all_made(texts: Iterable[str]) -> frozenset[str]:
    """The resources of which something stands in texts that deployment makes."""
    return frozenset(
        identity.rpartition(".")[0] for text in texts if OPEN in text for _, identity in holes(text)
    )


def beginnings(texts: Iterable[str]) -> frozenset[str]:
    """The texts that another begins with: the next ones in order do."""
    ordered = sorted(texts)
    return frozenset(one for one, other in pairwise(ordered) if other.startswith(one))


def speaks_of_one_key(text: str) -> bool:
    """Whether a text is a condition key by which a policy speaks of one key and not of another."""
    return text.lower().startswith(_BY_NAME_OF_KEY)


@lru_cache(maxsize=16384)
def may_mean_names(text: str) -> bool:
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
def may_be(pattern: str, arn: str) -> bool:
    """Whether a pattern may mean the principal, by any of its names."""
    _, partition, _, _, account, resource = cut(arn)
    name = resource.partition("/")[2]
    session = f"arn:{partition}:sts::{account}:assumed-role/{name}/{name}"
    plain, without_partition = _globs(pattern)
    names = () if plain.startswith("arn:") else (resource, name, f"{name}:{name}", account)
    return any(glob_matches(plain, one, fold=True) for one in (arn, session, *names)) or any(
        glob_matches(without_partition, canonical(one), fold=True) for one in (arn, session)
    )


@lru_cache(maxsize=65536)
def may_be_made(pattern: str, arn: str) -> bool:
    """Whether a pattern may mean a role by the name that CloudFormation is yet to make."""
    _, partition, _, _, account, _ = cut(arn)
    plain, without_partition = (text.lower() for text in _globs(pattern))
    if not plain.startswith("arn:"):
        return True
    names = (f"arn:{partition}:iam::{account}:role/*", f"arn:{partition}:sts::{account}:assumed-role/*")
    return any(globs_meet(plain, one) or globs_meet(without_partition, canonical(one)) for one in names)


@lru_cache(maxsize=4096)
def _globs(pattern: str) -> tuple[str, str]:
    """A pattern with an asterisk for all that is not decided, as it stands and without its partition."""
    plain = without_variables(pattern)
    return _as_glob(plain), _as_glob(canonical(plain))


def _as_glob(text: str) -> str:
    return "".join("*" if has_hole(piece) else display(piece) for piece in split_holes(text))
