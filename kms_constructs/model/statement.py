"""What a policy document is once it has been read: statements, principals, conditions, problems."""

from __future__ import annotations

from enum import StrEnum

from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import display
from kms_constructs.model.unknown import Unknown


class Effect(StrEnum):
    """Effect of a statement."""

    ALLOW = "Allow"
    DENY = "Deny"


class PolicyProblem(Frozen, frozen=True):
    """Something in a policy document that IAM or KMS would refuse, or that says nothing.

    Args:
        path: Where in the document, in CloudFormation's style: ``Statement/0/Principal``.
        message: What is wrong.
    """

    path: str
    message: str


class Principal(Frozen, frozen=True):
    """One entry of a `Principal` or `NotPrincipal` element.

    Args:
        type: ``AWS``, ``Service``, ``Federated``, ``CanonicalUser``, or ``*`` for a bare asterisk.
        value: The ARN, account id, service name, or ``*``; may have holes.
    """

    type: str
    value: str

    def __str__(self) -> str:
        return "*" if self.type == "*" else f"{self.type}:{display(self.value)}"


class Condition(Frozen, frozen=True):
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


class Statement(Frozen, frozen=True):
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


class Policy(Frozen, frozen=True, weakref=True):
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
