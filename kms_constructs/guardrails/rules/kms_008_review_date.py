"""KMS:008: the key policy has been reviewed lately.

Where keys carry a date, each that does not is named. Where none of several does, review dates are not in use,
and that is said once for all of them.

Anti-pattern: no trace of a review::

    {"Key": {"Type": "AWS::KMS::Key", "Properties": {"Tags": []}}}

Best practice (the date has to be younger than ``review-max-age``)::

    {"Key": {"Type": "AWS::KMS::Key",
             "Properties": {"Tags": [{"Key": "kms:policy-reviewed-on", "Value": "2026-03-01"}]}}}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.rule import KeyRule, RuleContext
from kms_constructs.model.declaration import Tag, tag_value
from kms_constructs.model.estate import Key, Location
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import Unknown, is_unknown
from kms_constructs.model.vocabulary import Fact

CONTROL = Control(
    id="KMS:008",
    title="The key policy has been reviewed lately",
    rationale=(
        "People change roles and services are retired, and key policies go on naming them. A review date on "
        "the key shows which policies nobody has looked at."
    ),
    advice=(
        "Review the key policy and write the date into the tag kms:policy-reviewed-on (YYYY-MM-DD); "
        "SecureKmsKey does so with policy_reviewed_on."
    ),
    references=("https://docs.aws.amazon.com/kms/latest/developerguide/determining-access.html",),
    scope=(Subject.KEY,),
    severity=Severity.WARNING,
    mappings={
        Framework.SOC_2: ("CC6.2", "CC6.3"),
        Framework.NIST: ("AC-2", "AC-6(7)"),
        Framework.PCI_DSS: ("7.2.4",),
    },
)


class ReviewDateRule(KeyRule):
    """Looks at the tag ``kms:policy-reviewed-on``."""

    control = CONTROL
    compliant_message: ClassVar[str] = "The key policy was reviewed lately."

    def __init__(self, context: RuleContext) -> None:
        super().__init__(context)
        tagged = [tag_value(key.tags, Tag.POLICY_REVIEWED_ON) for key in self._keys]
        self._without = sum(value is None for value in tagged)
        self._unused = self._without > 1 and self._without == len(tagged)

    @property
    def _keys(self) -> tuple[Key, ...]:
        return tuple(key for key in self.estate.keys if not key.policy_only)

    def check_estate(self) -> Iterator[Finding]:
        """That no key has a date."""
        if self._unused:
            yield self.finding(
                Outcome.VIOLATION,
                Location(self.estate.sources[0] if self.estate.sources else self._keys[0].location.source),
                f"No review of a key policy is on record, for none of {self._without} keys.",
                detail="missing",
                fix=self.control.remedy(self._keys[0].vocabulary),
            )

    def judge(self, key: Key) -> Iterator[Finding]:
        """That the date is missing, no date, or too old."""
        path = key.vocabulary.path(Fact.TAGS)
        value = tag_value(key.tags, Tag.POLICY_REVIEWED_ON)
        if isinstance(value, str) and has_hole(value):
            value = Unknown(f"{display(value)} is decided at deployment")
        if is_unknown(value):
            yield self.undetermined(
                key, f"The date of the last review is not known: {value.reason}.", detail="date", path=path
            )
            return
        if value is None and self._unused:
            yield self.not_applicable(key, "no key carries a review date, which is reported once")
            return
        if value is None:
            yield self.violation(
                key, "No review of the key policy is on record.", detail="missing", path=path
            )
            return
        try:
            reviewed = date.fromisoformat(value.strip())
        except ValueError:
            yield self.violation(
                key,
                f"The review date {value!r} is no date.",
                detail="date",
                path=path,
                fix="Write the date as YYYY-MM-DD.",
            )
            return
        age = (self.context.today - reviewed).days
        if age < 0:
            yield self.violation(
                key,
                f"The review date {reviewed} lies in the future.",
                detail="future",
                path=path,
                fix="Write the day on which the policy was reviewed.",
            )
        elif age > self.config.review_max_age:
            yield self.violation(
                key,
                f"The last review of the key policy, on {reviewed}, is {age} days ago; the configuration "
                f"allows {self.config.review_max_age}.",
                detail="age",
                path=path,
            )
