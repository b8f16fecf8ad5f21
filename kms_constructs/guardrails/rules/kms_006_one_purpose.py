"""KMS:006: a key serves one application and one data classification.

Only what is declared counts: the tags of the key and of the resources that use it. A bucket and a queue of
one service may share a key; a bucket tagged ``service=orders`` and one tagged ``service=payroll`` may not.

Anti-pattern: a queue of one service under the key of another::

    {"Key": {"Type": "AWS::KMS::Key",
             "Properties": {"Tags": [{"Key": "service", "Value": "orders"}]}},
     "Queue": {"Type": "AWS::SQS::Queue",
               "Properties": {"KmsMasterKeyId": {"Ref": "Key"},
                              "Tags": [{"Key": "service", "Value": "payroll"}]}}}

Best practice::

    {"Key": {"Type": "AWS::KMS::Key",
             "Properties": {"Tags": [{"Key": "service", "Value": "orders"}]}},
     "Queue": {"Type": "AWS::SQS::Queue",
               "Properties": {"KmsMasterKeyId": {"Ref": "Key"},
                              "Tags": [{"Key": "service", "Value": "orders"}]}}}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.guardrails.rule import KeyRule
from kms_constructs.model.declaration import Tag, tag_value
from kms_constructs.model.estate import Key, Reference
from kms_constructs.model.text import display
from kms_constructs.model.unknown import Unknown, is_unknown

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
        elif unknown is not None and found:
            yield self.undetermined(
                key,
                f"Whether the key serves one {tag.written} is not known: {unknown.reason}.",
                detail=tag.written,
                fix=f"Give the tag {tag.written} as a literal.",
            )


def _name(use: Reference) -> str:
    return use.location.construct_path or use.location.logical_id or use.resource_type
