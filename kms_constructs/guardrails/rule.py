"""What a rule is: a control, and a check that yields findings about one key or about the whole estate.

A rule yields what it has to say against a key; when it yields nothing, the key complies and the base says so.
A rule never sees severities, acknowledgements or switched-off controls: the engine applies those.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from datetime import date
from typing import ClassVar, Final, TypedDict, Unpack

from kms_constructs.analysis.witness import Witness
from kms_constructs.guardrails.control import Control
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.settings import Settings
from kms_constructs.model.estate import Estate, Key, Location
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.policy import Statement
from kms_constructs.model.unknown import is_unknown

NOT_LIVE: Final = "it is no live key"
"""Why a control about live keys does not apply to a key that is declared."""


class FindingParts(TypedDict, total=False):
    """Parts of a finding that not every finding has; see `Finding`."""

    path: str
    detail: str
    chain: tuple[str, ...]
    principals: tuple[str, ...]
    witness: Witness | None


class RuleContext(Frozen, frozen=True):
    """What every rule may look at.

    Args:
        estate: Everything that is judged together.
        config: The configuration.
        today: The day that ages are counted to.
    """

    estate: Estate
    config: Settings
    today: date


class Rule:
    """Base of every rule. One instance serves one evaluation, so per-estate work can be kept on it.

    Args:
        context: What it may look at.
    """

    control: ClassVar[Control]
    by_shape: ClassVar[bool] = False
    """Whether what it says of a key hangs on the key policy and on what may reach the key, and on no name by
    itself: then keys that differ by names alone are judged once; see `guardrails.alike`."""

    def __init__(self, context: RuleContext) -> None:
        self.context = context

    @property
    def config(self) -> Settings:
        """The configuration."""
        return self.context.config

    @property
    def estate(self) -> Estate:
        """Everything that is judged together."""
        return self.context.estate

    def apart(self, key: Key) -> Hashable:
        """What a rule by shape looks at of a key beside what all of them do."""
        return ()

    def check_key(self, key: Key) -> Iterable[Finding]:
        """What there is to say about one key, compliance included."""
        return ()

    def check_estate(self) -> Iterable[Finding]:
        """What there is to say about the rest of the estate: IAM policies, trails."""
        return ()

    def finding(
        self,
        outcome: Outcome,
        location: Location,
        message: str,
        *,
        fix: str = "",
        severity: Severity | None = None,
        **more: Unpack[FindingParts],
    ) -> Finding:
        """A finding of this rule, of the control's severity unless another is given."""
        return Finding(
            control=self.control.id,
            outcome=outcome,
            severity=severity or self.control.severity,
            location=location,
            message=message,
            fix=fix,
            **more,
        )


class KeyRule(Rule):
    """A rule about keys: `judge` yields what speaks against one, and nothing when it complies."""

    compliant_message: ClassVar[str]
    """What holds of a key that complies, as a sentence."""
    reads_policy: ClassVar[bool] = False
    """Whether it looks at the key policy: then a policy that is not known leaves it undetermined."""
    reads_properties: ClassVar[bool] = True
    """Whether it looks at other properties: then it does not apply to a key policy without its key."""

    def check_key(self, key: Key) -> Iterator[Finding]:
        """What `judge` yields, or that the key complies, or that neither can be said."""
        if self.reads_properties and key.policy_only:
            yield self.not_applicable(key, "only the key policy was given")
            return
        reason = self.exempt(key)
        if reason is not None:
            yield self.not_applicable(key, reason)
            return
        if self.reads_policy and is_unknown(key.policy.unknown):
            yield self.undetermined(
                key,
                f"The key policy is not known: {key.policy.unknown.reason}.",
                detail="policy",
                path=key.policy.path,
                fix=key.vocabulary.resolve.format(what="policy"),
            )
            return
        found = False
        for finding in self.judge(key):
            found = True
            yield finding
        if not found:
            yield self.finding(Outcome.COMPLIANT, key.location, self.complies(key))

    def exempt(self, key: Key) -> str | None:
        """Why the control does not apply to such a key, as a phrase; None when it does."""
        return None

    def complies(self, key: Key) -> str:
        """What holds of a key that complies, in the words of its source."""
        return self.compliant_message

    def judge(self, key: Key) -> Iterable[Finding]:
        """What speaks against the key, or why nothing can be said."""
        raise NotImplementedError

    def violation(
        self,
        key: Key,
        message: str,
        *,
        fix: str = "",
        severity: Severity | None = None,
        **more: Unpack[FindingParts],
    ) -> Finding:
        """The key breaks the control; of the control's severity unless another is given."""
        return self.finding(
            Outcome.VIOLATION,
            key.location,
            message,
            fix=fix or self.control.remedy(key.vocabulary),
            severity=severity,
            **more,
        )

    def undetermined(self, key: Key, message: str, *, fix: str = "", **more: Unpack[FindingParts]) -> Finding:
        """Whether the key breaks the control cannot be told, and why."""
        return self.finding(
            Outcome.UNDETERMINED,
            key.location,
            message,
            fix=fix or self.control.remedy(key.vocabulary),
            **more,
        )

    def not_applicable(self, key: Key, reason: str) -> Finding:
        """The control does not apply to the key, and why (a phrase)."""
        return self.finding(Outcome.NOT_APPLICABLE, key.location, f"Not applicable: {reason}.")


def named(statement: Statement) -> str:
    """The statement as a message calls it: by its Sid, or by its position."""
    return f"statement '{statement.label}'" if statement.sid else statement.label


def heading(statement: Statement) -> str:
    """The statement as a sentence begins with it."""
    return capitalized(named(statement))


def capitalized(text: str) -> str:
    """The text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]
