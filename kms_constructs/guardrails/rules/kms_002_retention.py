"""KMS:002: keys are not deleted by accident.

No update replaces an ``AWS::KMS::Key``: CloudFormation fails the update that would. A replica key is replaced
when its ``PrimaryKeyArn`` changes, so that its UpdateReplacePolicy counts.

Anti-pattern: without a DeletionPolicy, CloudFormation deletes the key with its stack::

    {"Key": {"Type": "AWS::KMS::Key", "Properties": {"PendingWindowInDays": 7}}}

Best practice::

    {"Key": {"Type": "AWS::KMS::Key", "DeletionPolicy": "RetainExceptOnCreate",
             "UpdateReplacePolicy": "Retain", "Properties": {"PendingWindowInDays": 30}}}
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.guardrails.rule import KeyRule
from kms_constructs.model.declaration import Tag, is_environment, tag_value
from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.key_specs import MAXIMUM_PENDING_WINDOW_DAYS
from kms_constructs.model.unknown import Unknown, is_unknown
from kms_constructs.model.vocabulary import Fact

CONTROL = Control(
    id="KMS:002",
    title="Keys are not deleted by accident",
    rationale=(
        "CloudFormation deletes a key with its stack, and a replica key when an update replaces it, unless "
        "it is told otherwise. The pending window is the last chance to notice."
    ),
    advice=("{keep}; cancel a deletion that nobody meant."),
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
        "aws-attribute-deletionpolicy.html",
    ),
    scope=(Subject.KEY,),
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC7.5"),
        Framework.SECURITY_HUB: ("KMS.3",),
        Framework.NIST: ("SC-12", "SC-12(2)"),
    },
)

_KEEPING = {
    Fact.REMOVAL: ("Retain", "RetainExceptOnCreate"),
    Fact.REPLACEMENT: ("Retain",),
}
_CONSEQUENCES = {
    Fact.REMOVAL: "the key goes when its {stack}, or the resource in it, is removed",
    Fact.REPLACEMENT: "the key goes when an update replaces it",
}
_DETAILS = {Fact.REMOVAL: "deletion-policy", Fact.REPLACEMENT: "update-replace-policy"}
_PENDING_STATES = ("PendingDeletion", "PendingReplicaDeletion")


class RetentionRule(KeyRule):
    """Looks at the key's state where there is one, its pending window, and what may remove it."""

    control = CONTROL
    compliant_message: ClassVar[str] = (
        "The key is kept when its {stack} goes, and its pending window is long enough."
    )

    def judge(self, key: Key) -> Iterator[Finding]:
        """What could delete the key by accident."""
        if is_unknown(key.key_state):
            yield self.undetermined(
                key,
                f"Whether the key is about to be deleted is not known: {key.key_state.reason}.",
                detail="pending-deletion",
            )
        elif key.key_state in _PENDING_STATES:
            yield self.violation(
                key,
                f"The key is in state {key.key_state}: it will be deleted{_deleted_on(key)}.",
                detail="pending-deletion",
                fix="If nobody meant it, call CancelKeyDeletion and EnableKey before the window ends.",
            )
        environment = tag_value(key.tags, Tag.ENVIRONMENT)
        knows = key.vocabulary.knows
        if knows(Fact.PENDING_WINDOW):
            yield from self._window(key, environment)
        for fact, value in (
            (Fact.REMOVAL, key.deletion_policy),
            (Fact.REPLACEMENT, key.update_replace_policy),
        ):
            replaced = key.kind is KeyKind.REPLICA or key.vocabulary.updates_replace_keys
            if knows(fact) and (fact is not Fact.REPLACEMENT or replaced):
                yield from self._policy(key, fact, value, environment)

    def complies(self, key: Key) -> str:
        """What holds of the key, as far as its source can tell."""
        if key.vocabulary.knows(Fact.REMOVAL):
            return key.vocabulary.say(self.compliant_message)
        if key.vocabulary.knows(Fact.PENDING_WINDOW):
            return "The pending window of the key is long enough."
        return "The key is not about to be deleted."

    def _window(self, key: Key, environment: str | Unknown | None) -> Iterator[Finding]:
        path = key.vocabulary.path(Fact.PENDING_WINDOW)
        config = self.config
        window = MAXIMUM_PENDING_WINDOW_DAYS if key.pending_window is None else key.pending_window
        production = not is_unknown(environment) and is_environment(
            environment, config.production_environments
        )
        strictest = max(config.minimum_pending_window, config.production_pending_window)
        setting = "production-pending-window" if production else "minimum-pending-window"
        least = strictest if production else config.minimum_pending_window
        remedy = partial(key.vocabulary.remedy, Fact.PENDING_WINDOW)
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
                fix=f"{remedy(f'at most {MAXIMUM_PENDING_WINDOW_DAYS}')}.",
            )
        elif window < least:
            where = f" in environment {environment}" if production else ""
            yield self.violation(
                key,
                f"The pending window is {window} days; the configuration wants at least {least}{where}.",
                detail="pending-window",
                path=path,
                fix=f"{remedy(f'at least {least}')}, or lower {setting}.",
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
        self, key: Key, fact: Fact, value: str | Unknown | None, environment: str | Unknown | None
    ) -> Iterator[Finding]:
        attribute, path, detail = key.vocabulary.name(fact), key.vocabulary.path(fact), _DETAILS[fact]
        if is_unknown(value):
            yield self.undetermined(
                key, f"{attribute} is not known: {value.reason}.", detail=detail, path=path
            )
            return
        if value in _KEEPING[fact]:
            return
        if value in (None, "Delete"):
            if is_unknown(environment):
                yield self.undetermined(
                    key,
                    f"{attribute} deletes the key, which only short-lived environments may do, and the "
                    f"environment is not known: {environment.reason}.",
                    detail=detail,
                    path=path,
                )
                return
            if is_environment(environment, self.config.ephemeral_environments):
                return
        given = (
            f"{attribute} is {value}" if value is not None else f"{attribute} is absent, which means Delete"
        )
        ephemeral = ", ".join(self.config.ephemeral_environments)
        yield self.violation(
            key,
            f"{given}: {key.vocabulary.say(_CONSEQUENCES[fact])}.",
            detail=detail,
            path=path,
            fix=f"{key.vocabulary.remedy(fact, _KEEPING[fact][-1])}; only keys whose tag environment says "
            f"that it is short-lived ({ephemeral}) may go with their {key.vocabulary.stack}.",
        )


def _deleted_on(key: Key) -> str:
    day = key.live.deletion_date if key.live is not None else None
    return f" on {day}" if isinstance(day, str) else ""
