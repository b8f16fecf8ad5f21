"""What a key policy denies, to whom, statement by statement.

A Deny wins over every Allow, in this policy and in IAM policies, so these statements hold whatever is granted
elsewhere. What they need to know is handed in as plain texts; `key_policy` decides it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from kms_constructs.model.actions import MANAGING_CLASSES, actions_of
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS
from kms_constructs.policies.statements import (
    Condition,
    PolicyStatementJson,
    one_or_list,
    qualified,
    statement,
)

EVERYONE = {"AWS": "*"}

MANAGEMENT = tuple(
    sorted({*actions_of(*MANAGING_CLASSES)} - {guarded.action for guarded in GUARDED_ACTIONS.values()})
)
"""The managing actions that no other statement takes from all but the named: what KMS refuses for a key of
another kind stands here, too, so that the statement is the same for all keys."""


def deny_actions(sid: str, actions: Iterable[str], *, but: Sequence[str] = ()) -> PolicyStatementJson:
    """Nobody, or nobody but the exempt, calls the actions.

    Args:
        sid: Sid of the statement.
        actions: Names of actions, without prefix.
        but: ARNs of the exempt; nobody is when there is none.
    """
    names = qualified(actions)
    return _deny_but(sid, but, names) if but else _deny(sid, names)


def deny_management(users: Sequence[str]) -> tuple[PolicyStatementJson, ...]:
    """Whoever uses the key does not manage it, whatever IAM policies say; nothing where nobody uses it.

    PutKeyPolicy and the other guarded actions are denied to all but the named anyway, so KMS's lockout check
    finds nothing else than before. Granting and revoking is left alone: users revoke the grants that AWS
    services made for them.

    Args:
        users: ARNs of roles and users.
    """
    if not users:
        return ()
    condition = {"ArnEquals": {"aws:PrincipalArn": one_or_list(_once(users))}}
    return (_deny("DenyManagementToUsers", qualified(MANAGEMENT), condition),)


def deny_replication(exempt: Sequence[str], regions: Sequence[str]) -> tuple[PolicyStatementJson, ...]:
    """The key is replicated to the declared Regions only, and none but the exempt move its primary.

    A replica key carries them, too: they count from the moment that it is made the primary key.

    Args:
        exempt: The root user and the guardians.
        regions: Regions that are to have a replica.
    """
    elsewhere: Condition | None = (
        {"StringNotEquals": {"kms:ReplicaRegion": one_or_list(regions)}} if regions else None
    )
    return (
        _deny("DenyReplicationElsewhere", ["kms:ReplicateKey"], elsewhere),
        _deny_but("DenyPrimaryChange", exempt, ["kms:UpdatePrimaryRegion"]),
    )


def deny_short_deletion_window(days: int) -> PolicyStatementJson:
    """Nobody schedules a deletion with a shorter window."""
    limit = {"kms:ScheduleKeyDeletionPendingWindowInDays": str(days)}
    return _deny("DenyShortDeletionWindow", ["kms:ScheduleKeyDeletion"], {"NumericLessThan": limit})


def deny_lockout_bypass() -> PolicyStatementJson:
    """Nobody writes a policy with KMS's lockout safety check switched off."""
    return _deny(
        "DenyLockoutBypass",
        ["kms:PutKeyPolicy"],
        {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}},
    )


def deny_lasting_material(last_day: date | None) -> tuple[PolicyStatementJson, ...]:
    """No material is imported that never expires, or after the last day; nothing for other keys."""
    if last_day is None:
        return ()
    end = datetime.combine(last_day + timedelta(days=1), time(), UTC)
    never = {"kms:ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    late = {"kms:ValidTo": str(int(end.timestamp()))}
    return (
        _deny("DenyLastingMaterial", ["kms:ImportKeyMaterial"], {"StringEquals": never}),
        _deny("DenyMaterialBeyondExpiry", ["kms:ImportKeyMaterial"], {"NumericGreaterThan": late}),
    )


def deny_direct_grants(
    creators: Sequence[str], grantees: Sequence[str], services: Sequence[str] = ()
) -> tuple[PolicyStatementJson, ...]:
    """Grants only by AWS services for their own use, and those that were declared.

    Without declared grants in the form that AWS Control Tower's CT.KMS.PR.3 accepts. With them, the Deny
    leaves out those who make them, and a second one holds everybody, them included, to the declared grantees.
    Grants that a service makes in the name of a principal, without saying that they are for an AWS resource,
    are left out where the key is declared for that service.

    Args:
        creators: Who makes declared grants.
        grantees: Who gets something by them.
        services: Values of `kms:ViaService` under which services make such grants.

    See: https://docs.aws.amazon.com/controltower/latest/controlreference/kms-rules.html
    """
    elsewhere = {"kms:ViaService": one_or_list(_once(services))} if services else {}
    direct: Condition = {
        "BoolIfExists": {"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"},
        **({"StringNotEquals": elsewhere} if elsewhere else {}),
    }
    if not creators:
        return (_deny_grants("DenyDirectGrants", direct),)
    makers = {"aws:PrincipalArn": one_or_list(_once(creators))}
    getters = {"kms:GranteePrincipal": one_or_list(_once(grantees)), **elsewhere}
    return (
        _deny_grants("DenyDirectGrants", {**direct, "ArnNotEquals": makers}),
        _deny_grants("DenyOtherGrantees", {**direct, "StringNotEquals": getters}),
    )


def _once(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _deny(sid: str, actions: Sequence[str], condition: Condition | None = None) -> PolicyStatementJson:
    return statement(sid, "Deny", one_or_list(actions), principal=EVERYONE, conditions=condition)


def _deny_but(sid: str, exempt: Iterable[str], actions: Sequence[str]) -> PolicyStatementJson:
    return _deny(sid, actions, {"ArnNotEquals": {"aws:PrincipalArn": _once(exempt)}})


def _deny_grants(sid: str, condition: Condition) -> PolicyStatementJson:
    return statement(sid, "Deny", "kms:CreateGrant", principal="*", conditions=condition)
