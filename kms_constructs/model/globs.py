"""Wildcard patterns over text with holes: does one match, cover, or meet another.

Two questions have to be kept apart. *Covers* is asked where access is taken away or found authorised: it is
true only when it holds whatever the undecided parts turn out to be. *Meets* is asked where access may exist:
it is false only when no choice of the undecided parts makes both match one text.

A policy variable (``${aws:PrincipalTag/team}``) is undecided as well: IAM puts a value of the request there.

Two more wildcards, `FIELD_STAR` and `FIELD_ANY`, run over everything but a colon. `arn_pattern` puts them
into a pattern that IAM compares field by field, so that such a pattern and one that is compared as a whole
can be held against each other.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from kms_constructs.model.arn import cut
from kms_constructs.model.effort import spend
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import CLOSE, FIELD_ANY, FIELD_STAR, OPEN, split_holes

_STAR = "*"
_ANY = "?"
_COLON = ":"
_ENVIRONMENT = "\ue002"
"""An account, Region or partition that deployment decides: any text but a generated one."""
_VARIABLE = re.compile(r"\$\{[^}]*\}")
MADE_ROLE = re.compile(
    rf"arn:aws[a-z-]*:iam::\d{{12}}:role/{OPEN}g:(?P<name>(?P<made>[A-Za-z0-9_][^{OPEN}{CLOSE}]*)\.Name){CLOSE}"
)
"""A role of which CloudFormation makes the name: no literal text is equal to it but one of that form."""
_GENERATED_NAME = re.compile(
    r"(?<=[/:])[A-Za-z][A-Za-z0-9-]*-(?P<id>[A-Za-z0-9]+)-(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{8,14}\Z"
)
_WILDCARDS = re.compile(f"[*?{FIELD_STAR}{FIELD_ANY}]")
_FIELDS = 6
_LONGEST = 2048
"""No ARN is longer. Longer text is not compared, so that no input makes a comparison slow."""


def has_variable(text: str) -> bool:
    """Whether the text has a policy variable, which IAM replaces by a value of the request."""
    return "${" in text and _VARIABLE.search(text) is not None


def without_variables(text: str) -> str:
    """The text with an asterisk for each policy variable: everything that it may turn out to be."""
    return _VARIABLE.sub(_STAR, text) if "${" in text else text


def has_wildcard(pattern: str) -> bool:
    """Whether the pattern has an asterisk or a question mark."""
    return _STAR in pattern or _ANY in pattern or _by_field(pattern)


def _by_field(pattern: str) -> bool:
    return FIELD_STAR in pattern or FIELD_ANY in pattern


_TO_FIELD = str.maketrans({_STAR: FIELD_STAR, _ANY: FIELD_ANY})


@lru_cache(maxsize=16384)
def arn_pattern(pattern: str, *, certainly: bool) -> str | None:
    """A pattern of an ``Arn…`` operator, as text that can be matched as a whole.

    Wildcards do not cross the first five colons. Whether one in the resource runs over a colon (IAM takes
    them in paths) AWS does not say.

    Args:
        pattern: As the policy writes it.
        certainly: Whether the pattern is to match only what it matches for certain, or all that it may match.

    Returns:
        The pattern; None for text that is no ARN, which such an operator cannot be compared with.
    """
    fields = cut(pattern)
    if len(fields) < _FIELDS:
        return None
    *outer, resource = fields
    inner = resource.translate(_TO_FIELD) if certainly else resource
    return ":".join((*(field.translate(_TO_FIELD) for field in outer), inner))


def glob_matches(pattern: str, text: str, *, fold: bool = False) -> bool:
    """Whether a pattern with ``*`` and ``?`` matches a plain text.

    Args:
        pattern: The pattern; nothing else in it has a meaning, brackets included.
        text: The text.
        fold: Whether upper and lower case are the same, in ASCII: the Kelvin sign is no k.

    Example:
        >>> glob_matches("kms:create*", "kms:CreateGrant", fold=True), glob_matches("[ab]", "a")
        (True, False)
    """
    return _expression(pattern, fold).fullmatch(text) is not None


@lru_cache(maxsize=32768)
def is_literal(pattern: str) -> bool:
    """Whether the pattern stands for exactly one text, all of it known or generated."""
    return not has_wildcard(pattern) and f"{OPEN}e:" not in pattern and f"{OPEN}u:" not in pattern


@lru_cache(maxsize=32768)
def glob_covers(pattern: str, other: str) -> bool:
    """Whether every text that `other` can stand for matches `pattern`, whatever its holes turn out to be.

    Sound and nearly complete: a wildcard of `other` is covered by an asterisk of `pattern` only.

    Example:
        >>> glob_covers("arn:aws:iam::*:role/ops-*", "arn:aws:iam::111122223333:role/ops-?")
        True
        >>> glob_covers("role/ops-?", "role/ops-*")
        False
    """
    if pattern in (_STAR, other):
        return True
    if not has_wildcard(pattern) or max(len(pattern), len(other)) > _LONGEST:
        return False
    if (OPEN in other and _is_broken(other)) or (OPEN in pattern and _is_broken(pattern)):
        return False
    if _by_field(pattern):
        if is_plain(other) and not all(run in other for run in _runs(pattern)):
            return False
        return _simulate(pattern, _tokens(without_variables(other)))
    if is_plain(other) and OPEN not in pattern:
        return _expression(pattern).fullmatch(other) is not None
    return _match(_tokens(pattern), _tokens(without_variables(other)))


@lru_cache(maxsize=8192)
def _runs(pattern: str) -> tuple[str, ...]:
    """What stands between the wildcards of a pattern."""
    return tuple([run for run in _WILDCARDS.split(pattern) if run])


@lru_cache(maxsize=32768)
def is_plain(text: str) -> bool:
    """Whether a text means itself and nothing else: it has no wildcard, no hole and no policy variable.

    Example:
        >>> is_plain("role/ops"), is_plain("role/ops-*"), is_plain("role/${aws:username}")
        (True, False, False)
    """
    return not has_wildcard(text) and OPEN not in text and "${" not in text


@lru_cache(maxsize=8192)
def _expression(pattern: str, fold: bool = False) -> re.Pattern[str]:
    """The pattern for plain text. Each run is taken at its first place for good, so none is slow."""
    first, *rest = ("".join("." if c == _ANY else re.escape(c) for c in run) for run in pattern.split(_STAR))
    if rest:
        *middle, last = rest
        first += "".join(f"(?>.*?{run})" for run in middle if run) + f".*{last}"
    return re.compile(first, re.DOTALL | re.IGNORECASE | re.ASCII if fold else re.DOTALL)


@lru_cache(maxsize=32768)
def globs_meet(left: str, right: str) -> bool:
    """Whether some text matches both patterns, for some choice of their holes.

    A generated part equals itself, may match a wildcard, and equals no other generated part. A generated name
    may equal a literal of the shape that CloudFormation gives names: see `may_be_generated`.

    Example:
        >>> globs_meet("role/*-admin", "role/prod-*")
        True
        >>> globs_meet("role/a", "role/b")
        False
    """
    left, right = without_variables(left), without_variables(right)
    if left == right or _STAR in (left, right) or max(len(left), len(right)) > _LONGEST:
        return True
    if OPEN not in left and OPEN not in right and not (_by_field(left) or _by_field(right)):
        left_wild, right_wild = has_wildcard(left), has_wildcard(right)
        if not left_wild and not right_wild:
            return False
        if not right_wild:
            return _expression(left).fullmatch(right) is not None
        if not left_wild:
            return _expression(right).fullmatch(left) is not None
    loosen_left, loosen_right = has_wildcard(right), has_wildcard(left)
    if _may_be_spelt(left, right) or _may_be_spelt(right, left):
        return True
    return _meet(_loose(left, generated=loosen_left), _loose(right, generated=loosen_right))


@lru_cache(maxsize=32768)
def may_be_generated(text: str) -> bool:
    """Whether a literal text ends as a name that CloudFormation makes: stack, logical id, random letters.

    Example:
        >>> may_be_generated("role/Shop-AppRole-1ABCDEFGHIJKL"), may_be_generated("role/Admin")
        (True, False)

    See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html
    """
    return _GENERATED_NAME.search(text) is not None


def _may_be_spelt(text: str, literal: str) -> bool:
    """Whether a text that ends in a generated name may be this literal one."""
    if OPEN in literal or has_wildcard(literal) or has_wildcard(text) or not text.endswith(f".Name{CLOSE}"):
        return False
    named = _GENERATED_NAME.search(literal)
    start, _, hole = text.rpartition(OPEN)
    if named is None or not hole.startswith("g:") or not globs_meet(start, literal[: named.start()]):
        return False
    # Names are cut to their longest: of the logical id the beginning may be all that is left.
    return hole.removesuffix(f".Name{CLOSE}").rpartition(".")[2].lower().startswith(named["id"].lower())


@lru_cache(maxsize=32768)
def _tokens(pattern: str) -> tuple[str, ...]:
    if OPEN not in pattern:
        return tuple(pattern)
    found: list[str] = []
    for piece in split_holes(pattern):
        if piece[0] == OPEN and piece[-1] == CLOSE:
            found.append(piece)
        else:
            found.extend(piece)
    return tuple(found)


@lru_cache(maxsize=32768)
def _is_broken(text: str) -> bool:
    """Whether text was put into a hole, or cut within one: nothing is known of it."""
    return any(
        OPEN in piece or CLOSE in piece
        for piece in split_holes(text)
        if not (piece[0] == OPEN and piece[-1] == CLOSE and piece.count(OPEN) == 1)
    )


def _loose(pattern: str, *, generated: bool) -> tuple[str, ...]:
    if OPEN in pattern and _is_broken(pattern):
        return (_STAR,)
    return tuple(_loosened(token, generated=generated) for token in _tokens(pattern))


def _loosened(token: str, *, generated: bool) -> str:
    if token[0] != OPEN or (token[1] == "g" and not generated):
        return token
    return _ENVIRONMENT if token[1] == "e" else _STAR


def _covers_one(token: str, other: str) -> bool:
    if token == _ANY:
        # A hole has a length of its own, an asterisk any: neither is one character.
        return other != _STAR and other[0] != OPEN and other != FIELD_STAR
    return token == other


_PERHAPS_COLON = frozenset({_STAR, _ANY, _COLON})


@lru_cache(maxsize=32768)
def _placed(pattern: str) -> tuple[int, int, int, int, dict[str, int]]:
    """A pattern's places as bits, by what stands there: both asterisks, both question marks, the rest."""
    found = dict(_places(_tokens(pattern)).at)
    star, field_star, any_, field_any = (found.pop(one, 0) for one in (_STAR, FIELD_STAR, _ANY, FIELD_ANY))
    return star, field_star, any_, field_any, found


def _simulate(pattern: str, text: tuple[str, ...]) -> bool:
    """A match with both sorts of asterisk, all positions at once: no place is taken for good."""
    star, field_star, any_, field_any, plain = _placed(pattern)
    stars = star | field_star
    places = _run(1, stars)
    for token in text:
        # A hole has a length of its own, an asterisk any: neither is one character. A hole has no colon.
        if token in _PERHAPS_COLON:
            stays, one = star, 0 if token == _STAR else any_
        else:
            stays, one = stars, 0 if token[0] == OPEN or token == FIELD_STAR else any_ | field_any
        at = plain.get(token, 0) | one
        places = places & stays | (places & at) << 1
        if not places:
            return False
        places = _run(places, stars)
    return places >> len(_tokens(pattern)) & 1 == 1


def _match(pattern: tuple[str, ...], text: tuple[str, ...]) -> bool:
    """Greedy wildcard match with one point of return: linear for all patterns met in practice."""
    position = index = 0
    star = -1
    mark = 0
    while index < len(text):
        if position < len(pattern) and pattern[position] == _STAR:
            star = position
            mark = index
            position += 1
        elif position < len(pattern) and _covers_one(pattern[position], text[index]):
            position += 1
            index += 1
        elif star >= 0:
            mark += 1
            position, index = star + 1, mark
        else:
            return False
    while position < len(pattern) and pattern[position] == _STAR:
        position += 1
    return position == len(pattern)


_OPEN_ENDED: Final = frozenset({_STAR, FIELD_STAR, _ENVIRONMENT})


class _Places(Frozen, frozen=True):
    """The places of a token sequence as bits, by what stands there.

    Args:
        every: All of them.
        at: Each token, wildcards included.
        open_ended: What may stand for any number of tokens.
        one: What stands for one token.
        holes: What only deployment decides.
    """

    every: int
    at: dict[str, int]
    open_ended: int
    one: int
    holes: int

    def absorbed_by(self, wide: str) -> int:
        """What something open-ended may run over."""
        if wide == _STAR:
            return self.every
        return self.every & ~(self.at.get(_COLON, 0) if wide == FIELD_STAR else self.holes)

    def absorbing(self, token: str) -> int:
        """What is open-ended and may run over a token."""
        found = self.at.get(_STAR, 0)
        if token != _COLON:
            found |= self.at.get(FIELD_STAR, 0)
        return found if token[0] == OPEN else found | self.at.get(_ENVIRONMENT, 0)

    def shared_with(self, token: str) -> int:
        """What stands for one token, which this one may be."""
        if token == _ANY:
            return self.one
        if token == FIELD_ANY:
            return self.one & ~self.at.get(_COLON, 0)
        found = self.at.get(token, 0) | self.at.get(_ANY, 0)
        return found if token == _COLON else found | self.at.get(FIELD_ANY, 0)


@lru_cache(maxsize=8192)
def _places(tokens: tuple[str, ...]) -> _Places:
    at: dict[str, int] = {}
    holes = 0
    for place, token in enumerate(tokens):
        at[token] = at.get(token, 0) | 1 << place
        if token[0] == OPEN:
            holes |= 1 << place
    every = (1 << len(tokens)) - 1
    open_ended = sum(at.get(token, 0) for token in _OPEN_ENDED)
    return _Places(every, at, open_ended, every & ~open_ended, holes)


def _meet(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether two token sequences with wildcards have a text in common.

    Goes through the left one with all places that are reached in the right one at once, as bits of a number:
    to follow each pair of places took millions of steps for hostile policies.
    """
    spend(len(left) + len(right))
    other = _places(right)
    reached = 1
    for token in left:
        if token in _OPEN_ENDED:
            reached = _run(reached, other.open_ended | other.absorbed_by(token))
            continue  # it may stand for nothing, so what is reached before it is reached behind it
        reached = _run(reached, other.open_ended)
        reached = reached & other.absorbing(token) | (reached & other.shared_with(token)) << 1
        if not reached:
            return False
    return _run(reached, other.open_ended) >> len(right) & 1 == 1


def _run(reached: int, over: int) -> int:
    """What is reached, with all that lies behind it up to the first place that cannot be run over."""
    # A carry runs through a row of ones.
    return reached | (over + (reached & over)) ^ over
