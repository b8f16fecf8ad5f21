"""KMS:DRIFT: live keys are as their templates declare them.

Judged where templates are given beside live keys (``kms-constructs audit --against cdk.out``). Which key a
template declares is told by its key id, by the tags that CloudFormation writes, by the primary of a replica,
and by aliases. Policies are compared by what they let anybody do, not by their spelling.

Anti-pattern: somebody switched rotation off by hand::

    {"Declared": {"EnableKeyRotation": true}, "GetKeyRotationStatus": {"KeyRotationEnabled": false}}

Best practice::

    {"Declared": {"EnableKeyRotation": true}, "GetKeyRotationStatus": {"KeyRotationEnabled": true}}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import ClassVar

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.live.drift import differences, replica_differences
from kms_constructs.guardrails.live.matching import (
    LISTING,
    Matches,
    aliases_may_hide,
    matches_of,
    may_be_audited,
    may_be_in,
)
from kms_constructs.guardrails.rule import NOT_LIVE, KeyRule
from kms_constructs.model.estate import Key
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.vocabulary import CLOUDFORMATION, Fact

CONTROL = Control(
    id="KMS:DRIFT",
    title="Live keys are as their templates declare them",
    rationale=(
        "A template that was reviewed says nothing of a key that was changed by hand since. The next "
        "deployment may take the change back, or trip over it."
    ),
    advice="Take the change back, or write it into the template and deploy it.",
    references=("https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html",),
    scope=(Subject.KEY, Subject.KEY_POLICY),
    severity=Severity.MEDIUM,
    mappings={Framework.SOC_2: ("CC7.1",), Framework.NIST: ("CM-2", "CM-3", "CM-6")},
)


class DriftRule(KeyRule):
    """Holds live keys against the keys of templates."""

    control = CONTROL
    compliant_message: ClassVar[str] = "The live key is as it is declared."

    def exempt(self, key: Key) -> str | None:
        """Keys that are not live, and all keys where there is nothing to hold them against."""
        if key.live is None:
            return NOT_LIVE
        return None if self.estate.expected else "no template was given to hold it against"

    def judge(self, key: Key) -> Iterable[Finding]:
        """How the key differs."""
        matches = self._matches
        declared = matches.declared_of(key)
        if declared is None:
            yield self._unmatched(key)
            return
        found = differences(key, declared)
        for one in chain(found, replica_differences(key, declared, self.estate.expected)):
            answer = self.undetermined if one.open else self.violation
            yield answer(key, one.message, detail=one.detail, path=key.vocabulary.path(one.fact))

    @cached_property
    def _matches(self) -> Matches:
        return matches_of(self.estate)

    def _unmatched(self, key: Key) -> Finding:
        """That nothing declares the key, or that it is not known what does."""
        if doubts := self._matches.doubts(key):
            return self.undetermined(
                key,
                "Which declaration is the key's cannot be told; it may be "
                f"{' or '.join(sorted(str(one.location) for one in doubts))}.",
                detail="match",
                fix="Give the template by its cloud assembly, which names stack and Region, or the Terraform "
                "state; and let the caller list the keys and aliases of every Region.",
            )
        hidden = aliases_may_hide(key)
        if hidden and any(self._matches.is_missing(one) for one in self.estate.expected):
            return self.undetermined(
                key, f"Whether the key is one that is declared is not known: {hidden}.", detail="match"
            )
        live = key.live
        stacks = {one.location.stack for one in self.estate.expected}
        if live is not None and live.stack in stacks - {""}:
            return self.violation(
                key,
                f"The stack {live.stack} made the key as {live.logical_id}, and its template declares it no "
                "longer.",
                detail="undeclared",
                severity=Severity.WARNING,
                fix="Take it back into the template, or retire it once nothing is encrypted with it.",
            )
        return self.not_applicable(key, "nothing that was given declares the key")

    def check_estate(self) -> Iterator[Finding]:
        """The declared keys that are not there."""
        hiding = [
            key
            for key in self.estate.keys
            if key.live is not None and aliases_may_hide(key) and self._matches.declared_of(key) is None
        ]
        for one in self.estate.expected:
            if one.vocabulary.knows(Fact.REMOVAL) and one.vocabulary.source != CLOUDFORMATION.source:
                continue  # the plan destroys it
            if not self._matches.is_missing(one):
                continue
            what = ", ".join(map(display, one.aliases)) or "it has no alias to find it by"
            audited = may_be_audited(one, self.estate.sources)
            named = one.aliases or one.location.stack or not has_hole(one.key_id)
            known = named and not any(may_be_in(one, key) for key in hiding)
            # Of keys that could not be listed nobody knows whether they are there.
            listed = not any(gap.call in LISTING for gap in self.estate.unanswered)
            sure = audited and known and listed and not one.conditional
            where = "" if audited else ", and the account and Region that it is for were not audited"
            yield self.finding(
                Outcome.VIOLATION if sure else Outcome.UNDETERMINED,
                one.location,
                f"No live key was found for this declaration ({what}){where}.",
                detail="missing",
                fix="Deploy the template, audit the account and Region that it is for, or give the key an "
                "alias.",
            )
