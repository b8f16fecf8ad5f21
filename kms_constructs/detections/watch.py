"""One thing to watch for, as data: EventBridge rules, messages, trail analysis and documentation read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import field
from msgspec.structs import replace

from kms_constructs.model.frozen import Frozen

KMS = "kms.amazonaws.com"
CLOUDTRAIL = "cloudtrail.amazonaws.com"

API_CALL = "AWS API Call via CloudTrail"
"""Detail type of the events that CloudTrail hands to EventBridge; they need a trail that logs."""


class Level(StrEnum):
    """How loud it is: critical ones go to a topic of their own."""

    CRITICAL = "critical"
    ALERT = "alert"
    INFORMATION = "information"


class Result(StrEnum):
    """What became of the call."""

    SUCCEEDED = "succeeded"
    DENIED = "denied"
    ANY = "any"


class Callers(StrEnum):
    """Whose calls count."""

    ANYONE = "anyone"
    NO_SERVICE = "anyone but AWS services on their own behalf"
    ROOT_USER = "the account's root user"
    AUTHORISED = "authorised principals"
    UNAUTHORISED = "anyone but the authorised principals"


class Watch(Frozen, frozen=True, kw_only=True):
    """One thing to watch for.

    Args:
        id: Short name, unique: ``schedule-key-deletion``.
        title: What happened, as a sentence without a full stop.
        control: Id of the control of the catalogue that it serves.
        level: How loud it is.
        event_names: CloudTrail's names of the calls; empty for any call.
        detail_type: EventBridge's detail type; KMS's own events have types of their own and no event name.
        event_source: Service whose calls they are.
        result: What has to have become of the call.
        callers: Whose calls count.
        parameters: Request parameters that must have these values.
        guarded: Whether the control authorises principals for it, so that authorised and other callers can be
            told apart.
        on_key: Whether the event names a KMS key.
        expected: Who may be expected to do it.
        reason: Why it matters.
        respond: What to do when it happens.
        references: Pages of AWS's documentation.
    """

    id: str
    title: str
    control: str
    level: Level
    event_names: tuple[str, ...] = ()
    detail_type: str = API_CALL
    event_source: str = KMS
    result: Result = Result.SUCCEEDED
    callers: Callers = Callers.ANYONE
    parameters: Mapping[str, bool] = field(default_factory=dict)
    guarded: bool = False
    on_key: bool = True
    expected: str
    reason: str
    respond: str
    references: tuple[str, ...]

    @property
    def source(self) -> str:
        """EventBridge's name of the service: ``aws.kms``."""
        return f"aws.{self.event_source.partition('.')[0]}"

    @property
    def is_call(self) -> bool:
        """Whether it is a call that CloudTrail recorded, and so needs a trail."""
        return self.detail_type == API_CALL

    def split(self, authorised: Sequence[str]) -> tuple[Watch, ...]:
        """The calls of authorised principals, and those of everybody else, which are critical.

        Args:
            authorised: ARNs of the authorised principals, the pattern ``*`` allowed. Where there are none,
                every call is one of somebody else.

        Returns:
            The watch itself where no principals are authorised for its control.

        Example:
            >>> from kms_constructs.detections.catalogue import find_watch
            >>> found = find_watch("put-key-policy").split(["arn:aws:iam::111122223333:role/Deploy"])
            >>> [(watch.id, watch.level.value) for watch in found]
            [('put-key-policy', 'alert'), ('put-key-policy-unauthorised', 'critical')]
        """
        if not self.guarded or not authorised:
            return (self,)
        return (
            replace(
                self,
                level=Level.ALERT,
                callers=Callers.AUTHORISED,
                title=f"{self.title}, by an authorised principal",
            ),
            replace(
                self,
                id=f"{self.id}-unauthorised",
                level=Level.CRITICAL,
                callers=Callers.UNAUTHORISED,
                title=f"{self.title}, by a principal that is not authorised to",
            ),
        )
