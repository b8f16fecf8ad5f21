"""What a part of the lint has to say."""

from __future__ import annotations

from kms_constructs.model.frozen import Frozen


class Remark(Frozen, frozen=True):
    """One thing that is wrong.

    Args:
        detail: Kind of the remark: the part of the finding's id in brackets.
        message: What is wrong, as a sentence.
        fix: What to do about it.
        path: Where.
        warns: Whether it only warns: KMS takes it, and it may be meant.
    """

    detail: str
    message: str
    fix: str
    path: str = ""
    warns: bool = False
