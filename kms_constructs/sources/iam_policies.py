"""What sources ask of IAM policies: whether one concerns KMS, and who holds it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from kms_constructs.model.actions import expand
from kms_constructs.model.policy import Effect, Policy, Statement
from kms_constructs.model.text import has_unresolved_hole
from kms_constructs.model.unknown import Unknown, is_unknown


class Holders(Struct):
    """Whom a policy is attached to, while it is being found out.

    Args:
        arns: Roles and users, each once.
        unknown: Set when they are not all known.
        open: Whether others may have the policy too.
    """

    arns: dict[str, None] = field(default_factory=dict)
    unknown: Unknown | None = None
    open: bool = False

    @property
    def value(self) -> tuple[str, ...] | Unknown:
        """Roles and users, or why they are not known."""
        return tuple(self.arns) if self.unknown is None else self.unknown

    @property
    def any(self) -> bool:
        """Whether anyone has it."""
        return self.unknown is not None or bool(self.arns)

    def add(self, kind: str, arn: str, members: Iterable[str] = ()) -> None:
        """Adds a role or user, or a group with those of its members that are known.

        Args:
            kind: ``role``, ``user`` or ``group``.
            arn: Its ARN.
            members: ARNs of the users of the group.
        """
        if kind == "group":
            self.open = True
            self.arns.update(dict.fromkeys(members))
        else:
            self.arns[arn] = None


def concerns_kms(policy: Policy) -> bool:
    """Whether a policy allows, or may allow, some KMS action."""
    return policy.unknown is not None or any(_allows_kms(statement) for statement in policy.statements)


def _allows_kms(statement: Statement) -> bool:
    if statement.effect is Effect.DENY:
        return False
    if statement.actions is None or is_unknown(statement.actions):
        # Everything but some actions: of KMS, something is left unless all of it is taken out.
        excluded = statement.not_actions
        return excluded is None or is_unknown(excluded) or not any(_is_all_of_kms(item) for item in excluded)
    return any(_may_be_kms(action) for action in statement.actions)


def _may_be_kms(action: str) -> bool:
    folded = action.lower()
    if folded.startswith("kms:") or has_unresolved_hole(action):
        return True
    return ("*" in folded or "?" in folded) and bool(expand(action))


def _is_all_of_kms(pattern: str) -> bool:
    return pattern.lower() in ("*", "kms:*")
