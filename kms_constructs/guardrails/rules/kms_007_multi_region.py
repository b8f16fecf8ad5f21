"""KMS:007: data of critical classifications has multi-Region keys.

Which classifications are critical is configured (``multi-region-classifications``); by default none is.

Anti-pattern, with ``restricted`` configured::

    {"Key": {"Type": "AWS::KMS::Key",
             "Properties": {"Tags": [{"Key": "data-classification", "Value": "restricted"}]}}}

Best practice::

    {"Key": {"Type": "AWS::KMS::Key",
             "Properties": {"MultiRegion": true,
                            "Tags": [{"Key": "data-classification", "Value": "restricted"}]}}}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.guardrails.rule import KeyRule
from kms_constructs.model.declaration import Tag, tag_value
from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.vocabulary import Fact

CONTROL = Control(
    id="KMS:007",
    title="Data of critical classifications has multi-Region keys",
    rationale=(
        "Data that is replicated to another Region under a single-Region key cannot be read there when the "
        "Region of the key is down. A key cannot be made multi-Region later."
    ),
    advice=(
        "{make_multi_region} and a replica where the data is replicated; a key that exists "
        "has to be replaced and its data re-encrypted."
    ),
    references=("https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html",),
    scope=(Subject.KEY,),
    severity=Severity.MEDIUM,
    mappings={
        Framework.SOC_2: ("CC7.5",),
        Framework.NIST: ("CP-9", "CP-10", "SC-12(1)"),
    },
)


class MultiRegionRule(KeyRule):
    """Looks at whether the key is multi-Region where the data classification asks for it."""

    control = CONTROL
    compliant_message: ClassVar[str] = "The key is a multi-Region key, as its data classification wants."

    def judge(self, key: Key) -> Iterator[Finding]:
        """That a critical classification has a key of one Region."""
        wanted = {name.casefold() for name in self.config.multi_region_classifications}
        if not wanted:
            yield self.not_applicable(key, "no classification is configured to need multi-Region keys")
            return
        if key.kind is KeyKind.REPLICA or key.multi_region is True:
            return
        classification = tag_value(key.tags, Tag.DATA_CLASSIFICATION)
        path = key.vocabulary.path(Fact.MULTI_REGION)
        if classification is None:
            yield self.not_applicable(key, "the key has no data classification")
        elif is_unknown(classification):
            yield self.undetermined(
                key,
                f"The data classification is not known: {classification.reason}.",
                detail="classification",
                path=key.vocabulary.path(Fact.TAGS),
                fix="Give the tag data-classification as a literal.",
            )
        elif classification.casefold() not in wanted:
            yield self.not_applicable(key, f"data classified {classification} needs no multi-Region key")
        elif is_unknown(key.multi_region):
            yield self.undetermined(
                key,
                f"Whether it is a multi-Region key is not known: {key.multi_region.reason}.",
                detail="single-region",
                path=path,
            )
        else:
            yield self.violation(
                key,
                f"Data classified {classification} needs a multi-Region key, and this key is of one Region.",
                detail="single-region",
                path=path,
            )
