"""Calls as a trail recorded them, those that policies cannot tell apart taken together.

See: https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html
"""

from __future__ import annotations

from msgspec.structs import replace

from kms_constructs.model.estate import Grant
from kms_constructs.model.frozen import Frozen

INTERNAL = "AWS Internal"
"""What CloudTrail calls a service that it does not name."""


class RecordedCall(Frozen, frozen=True, kw_only=True):
    """Calls that succeeded and that no policy in question can tell apart.

    Args:
        key: ARN of the key; the ARN of an alias where the trail tells no key behind it.
        action: What policies call it, without ``kms:``: a ReEncrypt is two, one for each key.
        caller: ARN of the role or user; None for services, and where CloudTrail tells the account alone.
        caller_type: CloudTrail's type of identity: ``AssumedRole``, ``Root``, ``AWSService``, …
        caller_account: Account of the caller.
        service: The AWS service that called, for the caller or itself; None for a direct call.
        alias: Name of the alias that the call named, where policies ask for it.
        vpc_endpoint, source_address, user_agent, principal_id: As recorded, where policies ask for them.
        context: Names and values of the encryption context, as far as policies ask for them.
        context_names: All of its names, where policies ask for them.
        parameters: Parameters of the request and their values as JSON, where policies ask for them.
        calls: How many there were.
        first, last: When, UTC, ISO 8601.
    """

    key: str
    action: str
    caller: str | None = None
    caller_type: str | None = None
    caller_account: str | None = None
    service: str | None = None
    alias: str | None = None
    vpc_endpoint: str | None = None
    source_address: str | None = None
    user_agent: str | None = None
    principal_id: str | None = None
    context: tuple[tuple[str, str], ...] = ()
    context_names: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    calls: int = 1
    first: str = ""
    last: str = ""

    @property
    def by_service(self) -> bool:
        """Whether an AWS service called as itself, and no principal of an account."""
        return self.caller is None and self.caller_type != "AWSAccount"

    @property
    def who(self) -> str:
        """The caller as a person reads it."""
        if self.caller is not None:
            return self.caller
        if self.by_service:
            return self.service or "an AWS service"
        return f"somebody of account {self.caller_account or 'unknown'}"


def added(calls: RecordedCall, others: RecordedCall) -> RecordedCall:
    """Both as one, of which only the numbers differ."""
    return replace(
        calls,
        calls=calls.calls + others.calls,
        first=min(calls.first, others.first),
        last=max(calls.last, others.last),
    )


class RecordedGrant(Frozen, frozen=True, kw_only=True):
    """A grant that a trail saw being made.

    Args:
        key: ARN of the key.
        grant: The grant.
        created: When, UTC, ISO 8601.
        ended: When it was revoked or retired by its id; None where the trail does not show that.
    """

    key: str
    grant: Grant
    created: str
    ended: str | None = None


class RecordedKey(Frozen, frozen=True, kw_only=True):
    """A key that a trail tells of.

    Args:
        arn: Its ARN; the ARN of an alias where the trail tells no key behind it.
        aliases: The aliases that named it last, with ``alias/``.
        stack, logical_id: What CloudFormation tagged it with when it was made, where the trail shows that.
        calls: How many calls there were that succeeded.
    """

    arn: str
    aliases: tuple[str, ...] = ()
    stack: str = ""
    logical_id: str = ""
    calls: int = 0


class Recorded(Frozen, frozen=True, kw_only=True):
    """What a trail tells of the use of keys in a period.

    Args:
        calls: The calls that succeeded.
        grants: The grants that were made, at whatever time the trail shows.
        keys: The keys.
        first, last: The first and the last event of KMS in it; empty when there is none.
        without_key: Calls that succeeded and that concern no one key, which key policies do not decide.
    """

    calls: tuple[RecordedCall, ...] = ()
    grants: tuple[RecordedGrant, ...] = ()
    keys: tuple[RecordedKey, ...] = ()
    first: str = ""
    last: str = ""
    without_key: int = 0
