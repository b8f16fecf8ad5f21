"""Tags that the rules read, in whatever spelling an organization writes them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from kms_constructs.model.unknown import Unknown, is_unknown


class Tag(Enum):
    """A tag and its spellings, folded: in lower case, without dashes, underscores and spaces."""

    ENVIRONMENT = ("environment", "env")
    SERVICE = ("service",)
    DATA_CLASSIFICATION = ("dataclassification", "datacategory")
    POLICY_REVIEWED_ON = ("kms:policyreviewedon",)

    @property
    def written(self) -> str:
        """The tag key that SecureKmsKey writes."""
        return {
            Tag.ENVIRONMENT: "environment",
            Tag.SERVICE: "service",
            Tag.DATA_CLASSIFICATION: "data-classification",
            Tag.POLICY_REVIEWED_ON: "kms:policy-reviewed-on",
        }[self]


_FOLD = str.maketrans("", "", "-_ ")


def tag_value(tags: Mapping[str, str | Unknown] | Unknown, tag: Tag) -> str | Unknown | None:
    """Value of a tag; None when it is absent, unknown when the tags or the value cannot be resolved.

    When several spellings are there, the first of `Tag` counts.
    """
    if is_unknown(tags):
        return tags
    if not tags:
        return None
    folded = {name.lower().translate(_FOLD): value for name, value in tags.items()}
    return next((folded[name] for name in tag.value if name in folded), None)
