"""Text with holes: strings of which a part is decided at deployment.

A template says ``{"Fn::GetAtt": ["Role", "Arn"]}`` where a policy needs a principal. The name in that ARN is
not known at synth, and yet it is known *which* role it is. Such a text is kept as an ordinary `str` in which
the undecided part is a **hole**: a kind, and an identity that is unique within the estate, between two
private-use characters that no template can contain by accident.

Kinds of hole:

* ``GENERATED``: CloudFormation generates this part (a resource name, an id). Two holes with the same identity
  are equal; with different identities they differ. They differ from every literal text but those of the shape
  that CloudFormation gives names: of a stack that is there already, a template may spell one out.
* ``ENVIRONMENT``: decided by where the stack is deployed (account, Region, partition, stack id). The same
  identity is the same text; a different identity, or a literal, may or may not be equal.
* ``UNRESOLVED``: anything at all (a parameter without a default, an import from a template that was not
  given). The same identity is the same text; else nothing is known.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from kms_constructs.model.unknown import Unknown

OPEN = "\ue000"
CLOSE = "\ue001"
FIELD_STAR = "\ue003"
"""In a pattern: an asterisk that does not run over a colon, as in the fields of an ARN."""
FIELD_ANY = "\ue004"
"""In a pattern: a question mark that does not stand for a colon."""
RESERVED = frozenset({OPEN, CLOSE, "\ue002", FIELD_STAR, FIELD_ANY})
"""Characters that mean something inside this package: text that came in with one of them is not compared."""
_HOLE = re.compile(f"{OPEN}([geu]):([^{OPEN}{CLOSE}]*){CLOSE}")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")


class HoleKind(StrEnum):
    """What kind of text a hole stands for."""

    GENERATED = "g"
    ENVIRONMENT = "e"
    UNRESOLVED = "u"


_KINDS = {kind.value: kind for kind in HoleKind}
_UNRESOLVED = f"{OPEN}{HoleKind.UNRESOLVED}:"
_GENERATED = f"{OPEN}{HoleKind.GENERATED}:"


def hole(kind: HoleKind, identity: str) -> str:
    """The text that stands for an undecided part.

    Args:
        kind: What kind of text will stand here.
        identity: Unique within the estate, for instance ``StackA.Role.Name``; shown to people as
            ``${StackA.Role.Name}``.
    """
    clean = identity if identity.isascii() else identity.replace(OPEN, "").replace(CLOSE, "")
    return f"{OPEN}{kind}:{clean}{CLOSE}"


def has_hole(text: str) -> bool:
    """Whether a part of the text is decided at deployment only."""
    return OPEN in text


def has_unresolved_hole(text: str) -> bool:
    """Whether a part of the text may be anything at all."""
    return _UNRESOLVED in text


def has_generated_hole(text: str) -> bool:
    """Whether a part of the text is what a service makes up."""
    return _GENERATED in text


@lru_cache(maxsize=8192)
def holes(text: str) -> tuple[tuple[HoleKind, str], ...]:
    """Kind and identity of each hole, in order."""
    return tuple([(_KINDS[kind], identity) for kind, identity in _HOLE.findall(text)])


@lru_cache(maxsize=8192)
def display(text: str) -> str:
    """The text as a person reads it: each hole written as ``${identity}``, each wildcard as AWS writes it.

    Example:
        >>> display("role/" + hole(HoleKind.GENERATED, "App.Role.Name"))
        'role/${App.Role.Name}'
    """
    if FIELD_STAR in text or FIELD_ANY in text:
        text = text.replace(FIELD_STAR, "*").replace(FIELD_ANY, "?")
    return _HOLE.sub(lambda match: f"${{{match.group(2)}}}", text) if OPEN in text else text


def split_holes(text: str) -> tuple[str, ...]:
    """The text cut into its literal runs and its holes (each hole one piece, markers included)."""
    pieces: list[str] = []
    position = 0
    for match in _HOLE.finditer(text):
        if match.start() > position:
            pieces.append(text[position : match.start()])
        pieces.append(match.group(0))
        position = match.end()
    if position < len(text):
        pieces.append(text[position:])
    return tuple(pieces)


def is_organization_id(text: str) -> bool:
    """Whether the text is the id of an organization: ``o-`` and 10 to 32 lower-case letters or digits.

    See: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
    """
    return _ORGANIZATION.fullmatch(text) is not None


def undecided(text: str) -> Unknown:
    """The unknown that a text with holes is where a plain value is wanted."""
    return Unknown(f"{display(text)} is decided at deployment")
