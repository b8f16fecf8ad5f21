"""Keys that differ by the names of roles and users alone, judged once.

A fleet is stamped from one module: a thousand keys, each with an administrator and users of its own, and one
policy. What a rule says of one of them it says of all, with other names. That holds of names which nothing
tells apart but being equal or not, and `shapes` knows which those are. Whatever does not fit is judged by
itself, and so is a key of which its policy, an IAM policy for several keys or a policy of the organization
speaks by id, alias or tag.

See `tests/guardrails/test_alike.py`: with and without this, every finding is the same to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from kms_constructs.analysis.witness import Witness
from kms_constructs.guardrails.finding import INTERNAL_ERROR, Finding
from kms_constructs.guardrails.settings import Settings
from kms_constructs.guardrails.shapes import Shape, Shaped, Shapes
from kms_constructs.model.arn import canonical
from kms_constructs.model.estate import Estate, Key, Location
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import display, holes

FEWEST = 8
"""Fewer keys are judged one by one: to compare them takes longer than it saves."""


class Alike:
    """The shapes of the keys of one estate, and what rules found of the first key of each.

    Args:
        estate: The estate. It has to live as long as this.
        config: The configuration that it is judged by.
    """

    def __init__(self, estate: Estate, config: Settings) -> None:
        self._shapes = Shapes(estate, config)
        self._shaped: dict[int, Shaped | None] = {}
        self._found: dict[tuple[type, Shape, Hashable], _Template | None] = {}
        self._writers: dict[int, _Writer] = {}

    def of(
        self, rule: type, key: Key, check: Callable[[], list[Finding]], apart: Hashable = ()
    ) -> list[Finding]:
        """What a rule that judges by shape finds of a key.

        Args:
            rule: The rule.
            key: A key of the estate.
            check: Asks the rule about this key.
            apart: What the rule looks at of the key beside what all rules by shape do.
        """
        if id(key) not in self._shaped:
            self._shaped[id(key)] = self._shapes.of(key)
        shaped = self._shaped[id(key)]
        if shaped is None:
            return check()
        place = rule, shaped.shape, apart
        if place in self._found:
            template = self._found[place]
            return check() if template is None else template.filled(key.location, shaped.spelt)
        found = check()
        writer = self._writers.get(id(key))  # the first key of a shape is that for most rules
        if writer is None:
            writer = self._writers[id(key)] = _Writer(key, shaped)
        self._found[place] = _Template.of(found, key, writer)
        return found


class Alikes:
    """What is known of the keys of one estate, for several reports on it: two packs judge one app."""

    def __init__(self) -> None:
        self._config: Settings | None = None
        self._known: dict[tuple[int, ...], tuple[tuple[object, ...], Alike]] = {}

    def of(self, estate: Estate, config: Settings) -> Alike:
        """What is known of an estate; new for a configuration that is not the last one.

        Args:
            estate: The estate, or another that has the same keys, IAM policies and organization.
            config: The configuration that it is judged by.
        """
        if config != self._config:
            self._config, self._known = config, {}
        parts = (estate.keys, estate.identity_policies, estate.organization)
        place = tuple(map(id, parts))
        if place not in self._known:
            self._known[place] = parts, Alike(estate, config)  # with the parts, whose ids stay theirs then
        return self._known[place][1]


class _Template(Frozen, frozen=True):
    """What a rule finds of every key of a shape.

    Args:
        findings: What it found of the first.
        pieces: For each of them its texts, in pieces, where they name tokens; None where they do not.
    """

    findings: tuple[Finding, ...]
    pieces: tuple[_Pieces | None, ...]

    @classmethod
    def of(cls, findings: Sequence[Finding], key: Key, writer: _Writer) -> _Template | None:
        """What was found of a key as a template; None when it says of this key what it says of no other."""
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
            replace(finding, location=location) if pieces is None else pieces.filled(finding, location, arns)
            for finding, pieces in zip(self.findings, self.pieces, strict=True)
        ]


_Filler = Callable[[tuple[str, ...]], Any]
"""Makes a value out of the ARNs of a key."""


class _Pieces(Frozen, frozen=True):
    """The parts of a finding that name tokens, by field."""

    names: tuple[tuple[str, _Filler], ...]

    def filled(self, finding: Finding, location: Location, arns: tuple[str, ...]) -> Finding:
        """The finding with the names of another key."""
        return replace(finding, location=location, **{name: fill(arns) for name, fill in self.names})


class _OfOneKeyError(Exception):
    """A text says of the first key what is said of no other."""


class _Writer:
    """Cuts the texts of findings at the tokens.

    Args:
        key: The key that they were found of.
        shaped: Its shape and tokens.
    """

    def __init__(self, key: Key, shaped: Shaped) -> None:
        spelt = shaped.spelt
        # What policies and messages spell in one way has the first number.
        self._number = {text: number for number, text in reversed([*enumerate(spelt)])}
        foreign = {canonical(text) for text in spelt} - self._number.keys()
        self._arn = _any_of((*self._number, *foreign))
        places = (key.location, *(policy.location for policy in shaped.own))
        told = [key.id, *(text.rpartition("/")[2] for text in spelt)]
        told += [identity for text in (key.key_id, *spelt) for _, identity in holes(text)]
        told += [identity.rpartition(".")[0] for text in spelt for _, identity in holes(text)]
        for place in places:
            told += (place.source, place.stack, place.logical_id, place.construct_path or "")
        for policy in shaped.own:
            told += (policy.id, policy.name, display(policy.name))
        self._own = _any_of([one for one in told if one])

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
            f"{{{self._number.get(piece)}}}" if number % 2 else piece.replace("{", "{{").replace("}", "}}")
            for number, piece in enumerate(pieces)
        )
        if any(piece not in self._number for piece in pieces[1::2]):
            raise _OfOneKeyError
        return lambda spelt: form.format(*spelt)

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
        made = [(name, self._filler(getattr(witness, name))) for name in Witness.__struct_fields__]
        naming = [(name, fill) for name, fill in made if fill is not None]
        if not naming:
            return None
        return lambda arns: replace(witness, **{name: fill(arns) for name, fill in naming})


_WRITTEN = ("message", "fix", "detail", "chain", "principals", "witness")
"""The fields of a finding that may name somebody. A path leads through properties, which are alike."""


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    """Any of the texts, as a whole word."""
    either = "|".join(map(re.escape, sorted(texts, key=len, reverse=True))) or "(?!)"
    return re.compile(f"(?<![A-Za-z0-9])({either})(?![A-Za-z0-9_-])")
