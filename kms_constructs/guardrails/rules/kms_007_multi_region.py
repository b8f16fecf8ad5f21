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

from kms_constructs.guardrails.finding import Finding
from kms_constructs.guardrails.key_controls import KMS_007
from kms_constructs.guardrails.rule import KeyRule, property_path
from kms_constructs.model.declaration import Tag, tag_value
from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.unknown import is_unknown


class MultiRegionRule(KeyRule):
    """Looks at MultiRegion where the data classification asks for it."""

    control = KMS_007
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
        path = property_path(key, "MultiRegion")
        if classification is None:
            yield self.not_applicable(key, "the key has no data classification")
        elif is_unknown(classification):
            yield self.undetermined(
                key,
                f"The data classification is not known: {classification.reason}.",
                detail="classification",
                path=property_path(key, "Tags"),
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
