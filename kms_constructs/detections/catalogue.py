"""Everything to watch for: the guarded actions as the catalogue has them, and what else endangers a key.

A guarded action that is added to the model, with its rule, is watched from then on: its rule of EventBridge,
its message, its row in the documentation and its tests are made from this list.

See: https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kms_constructs.detections.watch import CLOUDTRAIL, Callers, Level, Result, Watch
from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.control import Control
from kms_constructs.guardrails.finding import Severity
from kms_constructs.model.actions import ACTIONS, MANAGING_CLASSES, ActionClass
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS, GuardedAction, May

_PAGES = "https://docs.aws.amazon.com/kms/latest/developerguide/"
_EVENTS = f"{_PAGES}kms-events.html"

_EXPECTED = {
    May.NOBODY: "nobody",
    May.GUARDIANS: "break-glass principals, or administrators where a key has none",
    May.GUARDIANS_AND_DELETING_STACK: (
        "break-glass principals, or administrators where a key has none, and who deploys a stack that may "
        "delete its key"
    ),
    May.GUARDIANS_AND_DEPLOYMENT: (
        "break-glass principals, or administrators where a key has none, and who deploys the stack"
    ),
}

_ASK = "Ask the caller whether it was meant. If not, revoke the caller's sessions and credentials"

PERMISSION_ONLY = frozenset({"ReEncryptFrom", "ReEncryptTo", "SynchronizeMultiRegionKey"})
"""Actions that are no calls, so no event has their name."""

CHANGING: tuple[str, ...] = tuple(
    name
    for name, action in ACTIONS.items()
    if action.classification in MANAGING_CLASSES | {ActionClass.GRANT}
    and name not in PERMISSION_ONLY | {"GetParametersForImport"}
)
"""Calls that manage keys and grants. CloudTrail records GetParametersForImport as one that only reads."""


def watches(
    guarded: Mapping[str, GuardedAction] = GUARDED_ACTIONS, controls: Mapping[str, Control] = CATALOGUE
) -> tuple[Watch, ...]:
    """What to watch for, guarded actions first.

    Args:
        guarded: The guarded actions, by control.
        controls: The controls, by id.

    Example:
        >>> [watch.id for watch in watches()][:2]
        ['disable-key', 'schedule-key-deletion']
    """
    return (*(_guarded(one, controls[one.control]) for one in guarded.values()), *_further(controls))


def _guarded(action: GuardedAction, control: Control) -> Watch:
    loud = control.severity.at_least(Severity.HIGH) or action.may is May.NOBODY
    return Watch(
        id=_kebab(action.action),
        title=f"{action.action} was called ({action.capability})",
        control=control.id,
        level=Level.CRITICAL if loud else Level.ALERT,
        event_names=(action.action,),
        guarded=True,
        expected=_EXPECTED[action.may],
        reason=control.rationale,
        respond=f"{f'{action.undo}. ' if action.undo else ''}{_ASK}.",
        references=control.references,
    )


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def _further(controls: Mapping[str, Control]) -> Iterator[Watch]:
    yield Watch(
        id="lockout-bypass",
        title="A key policy was written with BypassPolicyLockoutSafetyCheck",
        control="IAM-KMS-1",
        level=Level.CRITICAL,
        event_names=("CreateKey", "PutKeyPolicy", "ReplicateKey"),
        parameters={"bypassPolicyLockoutSafetyCheck": True},
        expected="nobody",
        reason=controls["IAM-KMS-1"].rationale,
        respond="Read the key policy, and see that the root user can still change it: aws kms get-key-policy "
        f"--key-id KEY. {_ASK}.",
        references=(f"{_PAGES}key-policy-default.html", *controls["IAM-KMS-1"].references),
    )
    yield Watch(
        id="root-user",
        title="The account's root user changed something in KMS",
        control="IAM-KMS-1",
        level=Level.CRITICAL,
        event_names=CHANGING,
        result=Result.ANY,
        callers=Callers.ROOT_USER,
        expected="the root user, when a key is beyond everybody else's reach",
        reason="The root user is there to bring a key back. Whoever uses it otherwise has its password, and "
        "no key policy stops it.",
        respond="Call the holder of the root credentials. If it was not they: change the password, delete "
        "access keys of the root user, and follow the account's plan for incidents.",
        references=("https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html",),
    )
    yield Watch(
        id="denied-management",
        title="KMS refused a call that manages keys",
        control="IAM-KMS-8",
        level=Level.ALERT,
        event_names=CHANGING,
        result=Result.DENIED,
        expected="nobody; a deployment that lacks a permission looks the same",
        reason="Who tries what the key policy refuses is looking for a way in, or lacks a permission.",
        respond="See who called and from where, and what else the caller did since. A caller that nobody "
        "knows: revoke its sessions and credentials.",
        references=(f"{_PAGES}policy-evaluation.html",),
    )
    yield Watch(
        id="create-grant",
        title="A grant was created, and not by an AWS service",
        control="IAM-KMS-6",
        level=Level.ALERT,
        event_names=("CreateGrant",),
        callers=Callers.NO_SERVICE,
        expected="nobody, but for grants that a key declares",
        reason="A grant lets somebody use the key and stands in no policy: no review of policies finds it.",
        respond="List the grants and revoke what nobody declared: aws kms list-grants --key-id KEY; aws kms "
        "revoke-grant --key-id KEY --grant-id GRANT.",
        references=controls["IAM-KMS-6"].references,
    )
    yield Watch(
        id="replicate-key",
        title="A key was replicated into another Region",
        control="KMS:007",
        level=Level.ALERT,
        event_names=("ReplicateKey",),
        expected="who deploys the stacks of replica keys",
        reason="A replica decrypts the same data under a key policy of its own, in a Region that perhaps "
        "nobody watches.",
        respond="Read the policy of the replica in its Region. A replica that nobody ordered: schedule its "
        "deletion.",
        references=(f"{_PAGES}multi-region-keys-overview.html",),
    )
    yield Watch(
        id="update-primary-region",
        title="Another Region became the primary of a multi-Region key",
        control="KMS:007",
        level=Level.ALERT,
        event_names=("UpdatePrimaryRegion",),
        expected="break-glass principals, when a Region fails",
        reason="The primary key decides on rotation and replicas of all related keys, and a stack that "
        "declares it elsewhere cannot be deployed any more.",
        respond="Make the former Region the primary again: aws kms update-primary-region --key-id KEY "
        f"--primary-region REGION. {_ASK}.",
        references=(f"{_PAGES}multi-region-update.html",),
    )
    yield Watch(
        id="cancel-key-deletion",
        title="The deletion of a key was cancelled",
        control="KMS:002",
        level=Level.INFORMATION,
        event_names=("CancelKeyDeletion",),
        expected="administrators",
        reason="The key is saved, and disabled still.",
        respond="Enable the key, if its data is needed: aws kms enable-key --key-id KEY.",
        references=(f"{_PAGES}deleting-keys-scheduling-key-deletion.html",),
    )
    yield Watch(
        id="import-key-material",
        title="Key material was imported",
        control="KMS:009",
        level=Level.INFORMATION,
        event_names=("ImportKeyMaterial",),
        expected="who imports the material of a key",
        reason="Whoever imported it has a copy of the key outside KMS.",
        respond="See that it was done by those who do it, with an expiry: aws kms describe-key --key-id KEY.",
        references=(f"{_PAGES}importing-keys.html",),
    )
    yield Watch(
        id="trail-stopped",
        title="What the trail records was changed",
        control="KMS:005",
        level=Level.CRITICAL,
        event_names=("DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail"),
        event_source=CLOUDTRAIL,
        on_key=False,
        expected="who deploys the trail",
        reason="Without a trail that records KMS events, none of the other rules sees a call.",
        respond="Start logging again, KMS events included: aws cloudtrail start-logging --name TRAIL; aws "
        f"cloudtrail get-event-selectors --trail-name TRAIL. {_ASK}.",
        references=controls["KMS:005"].references,
    )
    yield _own_event("key-deleted", "KMS CMK Deletion", "KMS:002", Level.CRITICAL, (
        "KMS deleted a key",
        "nobody: its deletion was scheduled at least seven days ago",
        "What was encrypted under the key cannot be decrypted by anybody any more.",
        "Find out which data is lost, and why nobody cancelled the deletion in time.",
    ))  # fmt: skip
    yield _own_event("material-expired", "KMS Imported Key Material Expiration", "KMS:009", Level.CRITICAL, (
        "Imported key material has expired",
        "nobody: the alarm on SecondsUntilKeyMaterialExpiration comes first",
        "KMS deleted the material, so the key decrypts nothing until it is imported again.",
        "Import the same key material again, with an expiry.",
    ))  # fmt: skip
    yield _own_event("key-rotated", "KMS CMK Rotation", "KMS:001", Level.INFORMATION, (
        "KMS rotated a key",
        "KMS, once in a rotation period; administrators, on demand",
        "It shows that rotation works.",
        "Nothing, unless nobody expected it.",
    ))  # fmt: skip


def _own_event(
    name: str, detail_type: str, control: str, level: Level, texts: tuple[str, str, str, str]
) -> Watch:
    """An event that KMS sends by itself, after the fact and at best effort; no trail is needed for it."""
    title, expected, reason, respond = texts
    return Watch(
        id=name,
        title=title,
        control=control,
        level=level,
        detail_type=detail_type,
        result=Result.ANY,
        expected=expected,
        reason=reason,
        respond=respond,
        references=(_EVENTS,),
    )


WATCHES: tuple[Watch, ...] = watches()
"""Everything to watch for."""


def find_watch(watch_id: str) -> Watch:
    """The watch of this id.

    Raises:
        KeyError: There is none.
    """
    for watch in WATCHES:
        if watch.id == watch_id:
            return watch
    raise KeyError(watch_id)
