"""KMS:006: a key serves one application and one data classification.

Only what is declared counts: the tags of the key and of the resources that use it. A bucket and a queue of
one service may share a key; a bucket tagged ``service=orders`` and one tagged ``service=payroll`` may not.
Where neither the key nor anything that uses it declares a data classification, nothing can be compared: that
is a warning, for no harm is known.

Anti-pattern: a queue of one service under the key of another::

    {"Key": {"Type": "AWS::KMS::Key",
             "Properties": {"Tags": [{"Key": "service", "Value": "orders"}]}},
     "Queue": {"Type": "AWS::SQS::Queue",
               "Properties": {"KmsMasterKeyId": {"Ref": "Key"},
                              "Tags": [{"Key": "service", "Value": "payroll"}]}}}

Best practice::

    {"Key": {"Type": "AWS::KMS::Key",
             "Properties": {"Tags": [{"Key": "service", "Value": "orders"},
                                     {"Key": "data-classification", "Value": "confidential"}]}},
     "Queue": {"Type": "AWS::SQS::Queue",
               "Properties": {"KmsMasterKeyId": {"Ref": "Key"},
                              "Tags": [{"Key": "service", "Value": "orders"}]}}}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.rule import KeyRule
from kms_constructs.model.declaration import Tag, tag_value
from kms_constructs.model.estate import Key, Reference
from kms_constructs.model.text import display
from kms_constructs.model.unknown import Unknown, is_unknown
from kms_constructs.model.vocabulary import Fact

CONTROL = Control(
    id="KMS:006",
    title="A key serves one application and one data classification",
    rationale=(
        "Whoever may decrypt with a shared key may decrypt everything under it. One key per service and "
        "classification keeps a stolen permission, and a disabled key, to one of them."
    ),
    advice="Give each service and each data classification a key of its own.",
    references=("https://docs.aws.amazon.com/kms/latest/developerguide/overview.html",),
    scope=(Subject.KEY,),
    severity=Severity.MEDIUM,
    mappings={
        Framework.SOC_2: ("CC6.1",),
        Framework.NIST: ("AC-4", "AC-6", "SC-12"),
    },
)

UNCLASSIFIED = "unclassified"

_TAGS = (Tag.DATA_CLASSIFICATION, Tag.SERVICE)


class OnePurposeRule(KeyRule):
    """Compares the tags of the key with those of the resources that use it."""

    control = CONTROL
    compliant_message: ClassVar[str] = "What is tagged agrees on one service and one data classification."

    def judge(self, key: Key) -> Iterator[Finding]:
        """Services and classifications that differ."""
        uses = tuple(use for use in key.references if not key.vocabulary.is_kms(use.resource_type))
        if not uses:
            yield self.not_applicable(key, key.vocabulary.say("no resource of the {app} uses the key"))
            return
        for tag in _TAGS:
            yield from self._compare(key, uses, tag)

    def _compare(self, key: Key, uses: tuple[Reference, ...], tag: Tag) -> Iterator[Finding]:
        found: dict[str, str] = {}
        unknown: Unknown | None = None
        own = tag_value(key.tags, tag)
        for value, who in (
            (own, "the key"),
            *((tag_value(use.tags, tag), _name(use)) for use in uses),
        ):
            if is_unknown(value):
                unknown = value
            elif value is not None:
                found.setdefault(value.strip().casefold(), f"{display(value.strip())!r} ({who})")
        if len(found) > 1:
            yield self.violation(
                key,
                f"The key serves more than one {tag.written}: {', '.join(found.values())}.",
                detail=tag.written,
                fix=f"Give each {tag.written} a key of its own, or correct the tags.",
            )
        elif not found and tag is Tag.DATA_CLASSIFICATION:
            yield self._unclassified(key, unknown)
        elif unknown is not None and found:
            yield self.undetermined(
                key,
                f"Whether the key serves one {tag.written} is not known: {unknown.reason}.",
                detail=tag.written,
                fix=f"Give the tag {tag.written} as a literal.",
            )

    def _unclassified(self, key: Key, unknown: Unknown | None) -> Finding:
        tag = Tag.DATA_CLASSIFICATION.written
        not_known = f", as far as the tags are known: {unknown.reason}" if unknown is not None else ""
        return self.finding(
            Outcome.VIOLATION if unknown is None else Outcome.UNDETERMINED,
            key.location,
            f"Neither the key nor what uses it declares a {tag}{not_known}.",
            severity=Severity.WARNING,
            detail=UNCLASSIFIED,
            path=key.vocabulary.path(Fact.TAGS),
            fix=f"Give the key the tag {tag} with the classification of the data under it.",
        )


def _name(use: Reference) -> str:
    return use.location.construct_path or use.location.logical_id or use.resource_type
