"""KMS:DRIFT: live keys are as their templates declare them.

Judged where templates are given beside live keys (``kms-constructs audit --against cdk.out``). A key is the
one that a template declares when they share an alias, and may be in the same account and Region. Policies are
compared by what they let anybody do, not by their spelling.

Anti-pattern: somebody switched rotation off by hand::

    {"Declared": {"EnableKeyRotation": true}, "GetKeyRotationStatus": {"KeyRotationEnabled": false}}

Best practice::

    {"Declared": {"EnableKeyRotation": true}, "GetKeyRotationStatus": {"KeyRotationEnabled": true}}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.live.drift import declared_of, differences
from kms_constructs.guardrails.rule import NOT_LIVE, KeyRule
from kms_constructs.model.estate import Key
from kms_constructs.model.text import display

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
        declared = declared_of(key, self.estate.expected)
        if declared is None:
            yield self.not_applicable(
                key, "no template that was given declares a key with one of its aliases"
            )
            return
        for one in differences(key, declared):
            answer = self.undetermined if one.open else self.violation
            yield answer(key, one.message, detail=one.detail, path=key.vocabulary.path(one.fact))

    def check_estate(self) -> Iterator[Finding]:
        """The declared keys that are not there."""
        live = [key for key in self.estate.keys if key.live is not None]
        for one in self.estate.expected:
            if any(declared_of(key, (one,)) is not None for key in live):
                continue
            what = ", ".join(map(display, one.aliases)) or "it has no alias to find it by"
            known = one.aliases and all(key.aliases_unknown is None for key in live)
            # Of keys that could not be listed nobody knows whether they are there.
            sure = known and not any(gap.call in _LISTING for gap in self.estate.unanswered)
            yield self.finding(
                Outcome.VIOLATION if sure else Outcome.UNDETERMINED,
                one.location,
                f"No live key was found for this declaration ({what}).",
                detail="missing",
                fix="Deploy the template, audit the account and Region that it is for, or give the key an "
                "alias.",
            )


_LISTING = ("kms:ListKeys", "kms:ListAliases", "sts:AssumeRole")
