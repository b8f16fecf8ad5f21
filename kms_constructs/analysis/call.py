"""A call to KMS as far as it is known, what decides it, and what is known of the answer.

See: https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import field
from msgspec.structs import force_setattr

from kms_constructs.analysis.reach import action_name
from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.policy import Policy, Statement
from kms_constructs.model.unknown import Unknown, is_unknown

Fact = str | tuple[str, ...] | None | Unknown
"""What a request carries for a condition key: a value (which may have holes), nothing, or it is not known."""

NOT_SAID = Unknown("nothing is known of it")


class Answer(StrEnum):
    """What is known of a call."""

    CERTAIN = "certain"
    """It is allowed, whatever is not known turns out to be."""
    OPEN = "open"
    NEVER = "never"
    """It is denied, whatever is not known turns out to be."""


class Call(Frozen, frozen=True, kw_only=True):
    """A call to KMS, as far as it is known.

    Args:
        principal: ARN of the caller, with or without holes (for a role session: of its role), or the name of
            a service.
        action: Name of the action, with or without ``kms:``.
        context: Folded condition key to what the request carries for it. What follows from the principal
            and from the key need not be told.
        others: What it carries for condition keys that are told nowhere: nothing (None), or it is not known.

    Raises:
        ArgumentError: KMS has no such action.
    """

    principal: str
    action: str
    context: Mapping[str, Fact] = field(default_factory=dict)
    others: Unknown | None = NOT_SAID

    def __post_init__(self) -> None:
        force_setattr(self, "action", action_name(self.action))


class Attached(Frozen, frozen=True):
    """A policy in view.

    Args:
        policy: The policy.
        name: What messages call it.
        certain: Whether it is attached for certain.
    """

    policy: Policy
    name: str = ""
    certain: bool = True


class InView(Frozen, frozen=True, kw_only=True):
    """What decides beside the key policy and the grants.

    Args:
        identity: IAM policies of the caller, each attached for certain or perhaps.
        others_attached: Whether the caller may have IAM policies that are not in view. What they may allow
            is open then; that they deny something is not thought of.
        boundaries: Permissions boundaries of the caller.
        scps: Service control policies in force for the key's account (their Allow lists are taken to be
            ``*``).
        rcps: Resource control policies in force for the key's account.
    """

    identity: tuple[Attached, ...] = ()
    others_attached: bool = False
    boundaries: tuple[Attached, ...] = ()
    scps: tuple[Policy, ...] = ()
    rcps: tuple[Policy, ...] = ()


KEY_POLICY = "key policy"
IAM_POLICY = "IAM policy"
BOUNDARY = "permissions boundary"
SCP = "service control policy"
RCP = "resource control policy"
GRANT = "grant"


class Step(Frozen, frozen=True):
    """One statement (or grant) that decides, or may.

    Args:
        layer: ``key policy``, ``IAM policy``, ``service control policy``, …
        statement: The statement; None for a grant or a policy that is not known.
        certain: Whether it applies for certain.
        why: What is not known of it; empty when it applies for certain.
        on_request: Whether it hangs on what the request carries, and not on the deployment alone.
        name: Name of the policy or grant; empty for the key policy and for those of the organization.
    """

    layer: str
    statement: Statement | None
    certain: bool = True
    why: str = ""
    on_request: bool = False
    name: str = ""

    @property
    def label(self) -> str:
        """What a message calls it: ``key policy, statement 'Root'``."""
        named = f"{self.layer} '{self.name}'" if self.name else self.layer
        if self.statement is None:
            return named
        said = f"statement '{self.statement.label}'" if self.statement.sid else self.statement.label
        return said if self.layer == KEY_POLICY else f"{named}, {said}"


class Certainty(Frozen, frozen=True):
    """What is known of a call, and why.

    Args:
        answer: The answer.
        allows: What allows it: for certain when each step is certain. Empty when nothing can.
        denies: What denies it, or may.
        missing: What an Allow needs that is not in view, for instance an IAM policy.
        allowed: Whether the Allows alone let it through; None when that is open.
    """

    answer: Answer
    allows: tuple[Step, ...] = ()
    denies: tuple[Step, ...] = ()
    missing: tuple[str, ...] = ()
    allowed: bool | None = False


def key_facts(key: Key) -> dict[str, Fact]:
    """What every request on a key carries because of what the key is, by folded condition key.

    See: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    multi = key.multi_region
    return {
        "kms:keyorigin": key.origin,
        "kms:keyspec": key.key_spec,
        "kms:keyusage": key.key_usage,
        "kms:multiregion": multi if is_unknown(multi) else "true" if multi else "false",
        "aws:requestedregion": key.region,
        "kms:multiregionkeytype": _multi_region_type(key),
        "aws:resourceaccount": key.account,
        # Whoever may, gives a key more tags and aliases later.
        **{
            f"aws:resourcetag/{name.lower()}": value
            for name, value in (() if is_unknown(key.tags) else key.tags.items())
        },
    }


def _multi_region_type(key: Key) -> Fact:
    if is_unknown(key.multi_region):
        return key.multi_region
    return ("REPLICA" if key.kind is KeyKind.REPLICA else "PRIMARY") if key.multi_region else None
