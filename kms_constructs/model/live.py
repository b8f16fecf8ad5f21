"""What is known of live keys alone: no template tells when a key was last used."""

from __future__ import annotations

from kms_constructs.model.frozen import Frozen
from kms_constructs.model.location import Location
from kms_constructs.model.unknown import Unknown


class LiveKey(Frozen, frozen=True, kw_only=True):
    """What a live key has beside what any key has.

    Args:
        created: Day on which it was made, as ISO date; None where that is not said.
        deletion_date: Day on which it will be deleted, as ISO date; None when it will not, or unknown.
        last_used: Day of its last cryptographic operation as ISO date; None when there was none since
            `tracked_since`; unknown when it is not known, or was not asked.
        seen_in_trail: Whether that is a use which a trail recorded, where KMS tells none: there may be later
            ones.
        tracked_since: Day since which KMS keeps the last usage of the key, as ISO date.
        replicas: ARNs of its replica keys; unknown when they are not known.
        next_rotation: Day of the next automatic rotation, as ISO date; None where there is none or it is not
            said.
        key_store: Id of its custom key store; empty for a key in KMS itself.
        stack: Name of the CloudFormation stack that made it, by the tag that CloudFormation alone can write;
            empty without one.
        logical_id: What that stack's template calls it; empty without such a tag.

    See: https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
    """

    created: str | None = None
    deletion_date: str | Unknown | None = None
    last_used: str | Unknown | None = None
    seen_in_trail: bool = False
    tracked_since: str | None = None
    replicas: tuple[str, ...] | Unknown = ()
    next_rotation: str | None = None
    key_store: str = ""
    stack: str = ""
    logical_id: str = ""


class Unanswered(Frozen, frozen=True, kw_only=True):
    """A call that brought no answer, and what is therefore not known. It is reported and never passed over.

    Args:
        location: The key, or the Region or account, that it was about.
        call: The operation: ``kms:GetKeyPolicy``.
        code: AWS's error code, or what stands for it: ``AccessDeniedException``.
        message: What was said to it; holds no credentials.
        what: What is not known: ``the key policy``.
    """

    location: Location
    call: str
    code: str
    message: str
    what: str
