"""How a source speaks of a key: where each fact stands, how it is set, and what a few things are called.

A rule knows facts, not files. It says "set the rotation period to at most 365" by `Vocabulary.remedy`, and a
template's key answers in the words of CloudFormation, another source's key in that source's. A fact that a
source cannot tell of a key has no term, and rules about it do not apply to such a key.

`CLOUDFORMATION` stands here and not with its source because the texts of the catalogue are in its words, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType

from msgspec.structs import replace

from kms_constructs.model.frozen import Frozen


class Fact(Enum):
    """What a source may tell of a key."""

    POLICY = auto()
    ROTATION = auto()
    ROTATION_PERIOD = auto()
    PENDING_WINDOW = auto()
    REMOVAL = auto()
    """What becomes of the key when its declaration goes."""
    REPLACEMENT = auto()
    """What becomes of the key when an update replaces it."""
    KEY_SPEC = auto()
    ORIGIN = auto()
    MULTI_REGION = auto()
    TAGS = auto()
    ALIAS = auto()
    USE = auto()
    """Which resources use the key."""
    MATERIAL_EXPIRY = auto()
    LOCKOUT_BYPASS = auto()
    DESCRIPTION = auto()
    ENABLED = auto()
    REPLICAS = auto()
    """In which Regions the key has replicas."""

    # They are looked up for every key and rule, and Enum's own hash is a function in Python.
    __hash__ = object.__hash__


class Term(Frozen, frozen=True):
    """One fact in the words of a source.

    Args:
        name: What the source calls it: ``EnableKeyRotation``.
        path: Where it stands within the resource, for findings; empty when it stands nowhere.
        how: How it is set, with ``{name}`` and ``{value}``.
    """

    name: str
    path: str = ""
    how: str = "Set {name} to {value}"


class Vocabulary(Frozen, frozen=True, kw_only=True):
    """The words of one source. All of them are required, so that no source speaks another's by oversight.

    Args:
        source: What the source is.
        terms: The facts that the source tells of a key.
        kms_types: Prefix of the types of KMS's own resources; what they name they do not use.
        app: What is judged together, as in "in this app".
        stack: What a key stands in, as in "deploys the stack".
        resolve: Sentence: how to make ``{what}`` known.
        say_account: Sentence: how to say that the account is ``{account}``.
        decide: Sentence: how to make known whether an alias exists.
        point: Sentence: how to make known which key an alias points at.
        rotate: Clause: how to switch rotation on, often enough.
        keep: Clause: how to keep a key from being deleted by accident.
        hand_on: Clause: how to say that others use the key.
        make_multi_region: Clause: how to make a multi-Region key.
        alias: An alias, with its article.
        record_events: Clause: how to make a trail record KMS events.
        unused: Sentence: that nothing is seen to use the key.
        no_expiry: Sentence: that there is no expiry of imported material.
        updates_replace_keys: Whether a change of a key may make another key in its place, and delete it;
            replicas are replaced anywhere.
    """

    source: str
    terms: Mapping[Fact, Term]
    kms_types: str
    app: str
    stack: str
    resolve: str
    say_account: str
    decide: str
    point: str
    rotate: str
    keep: str
    hand_on: str
    make_multi_region: str
    alias: str
    record_events: str
    unused: str
    no_expiry: str
    updates_replace_keys: bool = True

    def knows(self, fact: Fact) -> bool:
        """Whether the source tells this fact of a key."""
        return fact in self.terms

    def name(self, fact: Fact) -> str:
        """What the source calls a fact that it tells."""
        return self.terms[fact].name

    def path(self, fact: Fact) -> str:
        """Where a fact stands, for findings; empty for one that the source does not tell."""
        term = self.terms.get(fact)
        return term.path if term is not None else ""

    def remedy(self, fact: Fact, value: object) -> str:
        """How a fact that the source tells is set, as a clause without a full stop.

        Example:
            >>> CLOUDFORMATION.remedy(Fact.ROTATION_PERIOD, "at most 365")
            'Set RotationPeriodInDays to at most 365'
        """
        term = self.terms[fact]
        return term.how.format(name=term.name, value=value)

    def say(self, text: str, **more: str) -> str:
        """A text with its slots filled by the words of this source.

        Args:
            text: With names of words in braces: ``the role that deploys the {stack}``.
            more: Further slots.

        Example:
            >>> CLOUDFORMATION.say("in this {app}")
            'in this app'
        """
        return text.format_map(_Slots(self, more)) if "{" in text or "}" in text else text

    def is_kms(self, resource_type: str) -> bool:
        """Whether a type of resource is KMS's own: an alias names a key and does not use it."""
        return resource_type.startswith(self.kms_types)


_WORDS = frozenset(Vocabulary.__struct_fields__) - {"source", "terms"}


class _Slots(dict[str, str]):
    """The words of a vocabulary, looked up as a text asks for them, and further slots."""

    def __init__(self, vocabulary: Vocabulary, more: dict[str, str]) -> None:
        super().__init__(more)
        self._vocabulary = vocabulary

    def __missing__(self, name: str) -> str:
        if name not in _WORDS:
            raise KeyError(name)
        word: str = getattr(self._vocabulary, name)
        return word


def _property(name: str) -> Term:
    return Term(name, f"Properties/{name}")


CLOUDFORMATION = Vocabulary(
    source="CloudFormation template",
    terms=MappingProxyType(
        {
            Fact.POLICY: _property("KeyPolicy"),
            Fact.ROTATION: _property("EnableKeyRotation"),
            Fact.ROTATION_PERIOD: _property("RotationPeriodInDays"),
            Fact.PENDING_WINDOW: _property("PendingWindowInDays"),
            Fact.REMOVAL: Term("DeletionPolicy", "DeletionPolicy"),
            Fact.REPLACEMENT: Term("UpdateReplacePolicy", "UpdateReplacePolicy"),
            Fact.KEY_SPEC: _property("KeySpec"),
            Fact.ORIGIN: _property("Origin"),
            Fact.MULTI_REGION: _property("MultiRegion"),
            Fact.TAGS: _property("Tags"),
            Fact.ALIAS: Term("AWS::KMS::Alias"),
            Fact.USE: Term("a reference to the key"),
            Fact.MATERIAL_EXPIRY: Term("materialExpires", "Metadata/kms-constructs/materialExpires"),
            Fact.LOCKOUT_BYPASS: _property("BypassPolicyLockoutSafetyCheck"),
            Fact.DESCRIPTION: _property("Description"),
            Fact.ENABLED: _property("Enabled"),
            Fact.REPLICAS: Term("AWS::KMS::ReplicaKey"),
        }
    ),
    kms_types="AWS::KMS::",
    app="app",
    stack="stack",
    resolve="Give the {what} as a literal, or give the templates and parameters that it comes from.",
    say_account="Say which account the template is deployed to: --account {account}.",
    decide="Give the alias the condition of the key, or the parameters that decide it (--parameter).",
    point="Give TargetKeyId of the alias as a reference to the key.",
    rotate=(
        "Set EnableKeyRotation to true and RotationPeriodInDays to at most the configured ceiling (365 days "
        "by default)"
    ),
    keep=(
        "Set DeletionPolicy to Retain or RetainExceptOnCreate and UpdateReplacePolicy to Retain, and "
        "PendingWindowInDays to at least the configured minimum"
    ),
    hand_on="output or export its ARN",
    make_multi_region="Create the key with MultiRegion true",
    alias="an AWS::KMS::Alias",
    record_events=(
        "Take kms.amazonaws.com out of ExcludeManagementEventSources (and of the trail's advanced event "
        "selectors)"
    ),
    unused="Nothing in the app uses the key, and no output or parameter hands it on.",
    no_expiry="No expiry of the imported key material is declared.",
    updates_replace_keys=False,
)
"""A template: attributes beside the resource, its properties under ``Properties``."""

KEY_POLICY_FILE = replace(
    CLOUDFORMATION,
    source="key policy file",
    terms=MappingProxyType({Fact.POLICY: Term("the key policy")}),
)
"""A key policy by itself, which is what goes into a template: only the policy is known."""
