"""What rules are configured by: plain values, checked by whoever made them (`GuardrailConfig`).

Apart from `config`, which checks control ids against the catalogue: the catalogue is made of the rules, and
the rules read their settings here.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import field

from kms_constructs.guardrails.finding import Severity
from kms_constructs.model.declaration import EPHEMERAL_ENVIRONMENTS, PRODUCTION_ENVIRONMENTS
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.key_specs import (
    DEFAULT_ROTATION_PERIOD_DAYS,
    MAXIMUM_PENDING_WINDOW_DAYS,
    MINIMUM_PENDING_WINDOW_DAYS,
)

ANY_CONTROL = "*"
"""Stands for every control that principals can be authorised for."""


class Acknowledgement(Frozen, frozen=True):
    """A finding that somebody has looked at and accepted. It stays in the report and fails nothing.

    What is accepted is named by its fingerprint, which reports print: a statement that says more, or that
    reaches somebody else, is another finding. To accept everything of a kind, also what is still to come,
    takes a wildcard. The id of a control or of a kind alone accepts nothing, and the report says what to
    write.

    Args:
        id: A finding with its fingerprint (``IAM-KMS-8[CreateGrant:3fa9c2d10b7e]``), or a pattern over such
            ids with ``*`` and ``?`` (``IAM-KMS-8[CreateGrant:*]``, ``KMS:003[*]``, ``IAM-KMS-*``).
        reason: Why it is accepted.
        resource: Glob over the construct path, the logical id, ``stack/logical id`` or the source of the
            resource; ``*`` crosses slashes.
        fingerprint: The fingerprint, where the id does not hold it.
        until: Last day, as ISO date, on which it holds (UTC); empty for no end.

    Example:
        >>> Acknowledgement("KMS:003[*]", "used by machines outside AWS", "*/LegacyKey/*").resource
        '*/LegacyKey/*'
    """

    id: str
    reason: str
    resource: str = "*"
    fingerprint: str = ""
    until: str = ""


class Settings(Frozen, frozen=True, kw_only=True):
    """The values that the rules read. The defaults suit an application without special needs.

    Args:
        authorised: Control id, or ``"*"`` for every control that has it, to ARN globs of principals that may
            do what the control guards. What a key itself declares is authorised for that key as well.
        trusted_accounts: Twelve-digit accounts that keys may be shared with.
        organization_id: The organization that ``aws:PrincipalOrgID`` has to name; without one any will do.
        multi_region_classifications: Data classifications that need multi-Region keys (KMS:007).
        minimum_pending_window: Days, 7 to 30: least pending window of any key.
        production_pending_window: Days, 7 to 30: least pending window in the production environments.
        production_environments: Values of the tag ``environment`` that mean production.
        ephemeral_environments: Values of the tag ``environment`` whose keys may be deleted with their stack.
        rotation_period_ceiling: Days, 90 to 2560: longest rotation period.
        scoped_services: Globs of the service principals that need a source condition (IAM-KMS-6).
        review_max_age: Days that a policy review stays good (KMS:008).
        severities: Control or finding id to severity.
        undetermined_fails: Whether what cannot be determined fails; if not, it is a warning.
        disabled: Control id to the reason why it is switched off.
        acknowledgements: Accepted findings.
        excluded: Stack, construct path or logical id, or a glob over these, to the reason why nothing in it
            fails: its findings count as accepted.
        may_declare: What a template may authorise by its own metadata: control id, or ``"*"``, to ARN globs
            of principals (for IAM-KMS-6 the grantees of declared grants). None: anything, for an app judges
            what it declared itself.
        source: What it was read from, for messages.
    """

    authorised: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trusted_accounts: tuple[str, ...] = ()
    organization_id: str | None = None
    multi_region_classifications: tuple[str, ...] = ()
    minimum_pending_window: int = MINIMUM_PENDING_WINDOW_DAYS
    production_pending_window: int = MAXIMUM_PENDING_WINDOW_DAYS
    production_environments: tuple[str, ...] = PRODUCTION_ENVIRONMENTS
    ephemeral_environments: tuple[str, ...] = EPHEMERAL_ENVIRONMENTS
    rotation_period_ceiling: int = DEFAULT_ROTATION_PERIOD_DAYS
    scoped_services: tuple[str, ...] = ("*",)
    review_max_age: int = 365
    severities: Mapping[str, Severity] = field(default_factory=dict)
    undetermined_fails: bool = True
    disabled: Mapping[str, str] = field(default_factory=dict)
    acknowledgements: tuple[Acknowledgement, ...] = ()
    excluded: Mapping[str, str] = field(default_factory=dict)
    may_declare: Mapping[str, tuple[str, ...]] | None = None
    source: str = "default configuration"

    def authorised_for(self, control: str) -> tuple[str, ...]:
        """ARN globs of the principals authorised for a control, those of ``"*"`` included."""
        return (*self.authorised.get(ANY_CONTROL, ()), *self.authorised.get(control, ()))
