"""KMS:002: keys are not deleted by accident.

Anti-pattern: without a DeletionPolicy, CloudFormation deletes the key with its stack::

    {"Key": {"Type": "AWS::KMS::Key", "Properties": {"PendingWindowInDays": 7}}}

Best practice::

    {"Key": {"Type": "AWS::KMS::Key", "DeletionPolicy": "RetainExceptOnCreate",
             "UpdateReplacePolicy": "Retain", "Properties": {"PendingWindowInDays": 30}}}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kms_constructs.guardrails.finding import Finding
from kms_constructs.guardrails.key_controls import KMS_002
from kms_constructs.guardrails.rule import KeyRule, property_path
from kms_constructs.model.declaration import Tag, tag_value
from kms_constructs.model.estate import Key
from kms_constructs.model.key_specs import MAXIMUM_PENDING_WINDOW_DAYS
from kms_constructs.model.unknown import Unknown, is_unknown

_KEEPING = {
    "DeletionPolicy": ("Retain", "RetainExceptOnCreate"),
    "UpdateReplacePolicy": ("Retain",),
}
_CONSEQUENCES = {
    "DeletionPolicy": "the key goes when its stack, or the resource in it, is removed",
    "UpdateReplacePolicy": "the key goes when an update replaces it",
}
_DETAILS = {"DeletionPolicy": "deletion-policy", "UpdateReplacePolicy": "update-replace-policy"}
_PENDING_STATES = ("PendingDeletion", "PendingReplicaDeletion")


class RetentionRule(KeyRule):
    """Looks at the pending window, DeletionPolicy and UpdateReplacePolicy; for a live key, at its state."""

    control = KMS_002
    compliant_message: ClassVar[str] = (
        "The key is kept when its stack goes, and its pending window is long enough."
    )

    def judge(self, key: Key) -> Iterator[Finding]:
        """What could delete the key by accident."""
        if key.live:
            if key.key_state in _PENDING_STATES:
                yield self.violation(
                    key,
                    f"The key is in state {key.key_state}: it will be deleted.",
                    detail="pending-deletion",
                    fix="If nobody meant it, call CancelKeyDeletion and EnableKey before the window ends.",
                )
            return
        environment = tag_value(key.tags, Tag.ENVIRONMENT)
        yield from self._window(key, environment)
        yield from self._policy(key, "DeletionPolicy", key.deletion_policy, environment)
        yield from self._policy(key, "UpdateReplacePolicy", key.update_replace_policy, environment)

    def _window(self, key: Key, environment: str | Unknown | None) -> Iterator[Finding]:
        path = property_path(key, "PendingWindowInDays")
        config = self.config
        window = MAXIMUM_PENDING_WINDOW_DAYS if key.pending_window is None else key.pending_window
        production = not is_unknown(environment) and _listed(environment, config.production_environments)
        strictest = max(config.minimum_pending_window, config.production_pending_window)
        setting = "production-pending-window" if production else "minimum-pending-window"
        least = strictest if production else config.minimum_pending_window
        if is_unknown(window):
            yield self.undetermined(
                key, f"The pending window is not known: {window.reason}.", detail="pending-window", path=path
            )
        elif window > MAXIMUM_PENDING_WINDOW_DAYS:
            yield self.violation(
                key,
                f"KMS has no pending window of {window} days.",
                detail="pending-window",
                path=path,
                fix=f"Set PendingWindowInDays to at most {MAXIMUM_PENDING_WINDOW_DAYS}.",
            )
        elif window < least:
            where = f" in environment {environment}" if production else ""
            yield self.violation(
                key,
                f"The pending window is {window} days; the configuration wants at least {least}{where}.",
                detail="pending-window",
                path=path,
                fix=f"Set PendingWindowInDays to at least {least}, or lower {setting}.",
            )
        elif is_unknown(environment) and window < strictest:
            yield self.undetermined(
                key,
                f"The pending window is {window} days, too short for production, and whether this is "
                f"production is not known: {environment.reason}.",
                detail="pending-window",
                path=path,
            )

    def _policy(
        self, key: Key, attribute: str, value: str | Unknown | None, environment: str | Unknown | None
    ) -> Iterator[Finding]:
        detail = _DETAILS[attribute]
        if is_unknown(value):
            yield self.undetermined(
                key, f"{attribute} is not known: {value.reason}.", detail=detail, path=attribute
            )
            return
        if value in _KEEPING[attribute]:
            return
        if value in (None, "Delete"):
            if is_unknown(environment):
                yield self.undetermined(
                    key,
                    f"{attribute} deletes the key, which only short-lived environments may do, and the "
                    f"environment is not known: {environment.reason}.",
                    detail=detail,
                    path=attribute,
                )
                return
            if _listed(environment, self.config.ephemeral_environments):
                return
        given = (
            f"{attribute} is {value}" if value is not None else f"{attribute} is absent, which means Delete"
        )
        ephemeral = ", ".join(self.config.ephemeral_environments)
        yield self.violation(
            key,
            f"{given}: {_CONSEQUENCES[attribute]}.",
            detail=detail,
            path=attribute,
            fix=f"Set {attribute} to {_KEEPING[attribute][-1]}; only keys whose tag environment says that it "
            f"is short-lived ({ephemeral}) may go with their stack.",
        )


def _listed(environment: str | None, names: tuple[str, ...]) -> bool:
    return environment is not None and environment.casefold() in {name.casefold() for name in names}
