"""The key policy of `SecureKmsKey`, statement by statement, as plain dictionaries.

Pure dict building: no CDK, no validation (`arguments` does that). Principals are texts; they may hold CDK
tokens. A statement with nobody in it is not written.

See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from msgspec import field

from kms_constructs.model.actions import ActionClass, KeyUsage, actions_of
from kms_constructs.model.declaration import DELEGATION_CONTROL, Declaration
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS, GuardedAction, May
from kms_constructs.model.key_specs import (
    KEY_SPECS,
    Origin,
    can_rotate,
    consuming_actions,
    producing_actions,
    using_actions,
)
from kms_constructs.policies.declared_grant import DeclaredGrant, allowing
from kms_constructs.policies.denials import (
    deny_actions,
    deny_direct_grants,
    deny_lasting_material,
    deny_lockout_bypass,
    deny_management,
    deny_replication,
    deny_short_deletion_window,
)
from kms_constructs.policies.key_users import key_users_of
from kms_constructs.policies.root_access import RootAccess
from kms_constructs.policies.statements import (
    Condition,
    PolicyStatementJson,
    one_or_list,
    qualified,
    statement,
)

SYNCHRONISATION_ROLE = (
    "role/aws-service-role/mrk.kms.amazonaws.com/AWSServiceRoleForKeyManagementServiceMultiRegionKeys"
)
"""Path and name of the service-linked role that keeps multi-Region keys in step."""


class KeyPolicySpec(Frozen, frozen=True, kw_only=True):
    """Everything that decides a key policy, validated and as text.

    Args:
        root_arn: ARN of the account root principal.
        root_access: What the root statement delegates.
        administrators, break_glass, users, encrypt_only, decrypt_only, deployment: Principal ARNs.
        key_spec, key_usage, origin: As KMS names them.
        pending_window: Days; shorter deletion windows are denied.
        via_services: Full service names for ``kms:ViaService`` that limit `users`; empty for no limit.
        deployment_as_users: Deployment principals whom `further` names in another spelling.
        deployment_may_delete: Whether removing the key from its stack schedules its deletion.
        multi_region: Whether the key is a multi-Region primary.
        replication: Who may replicate the key, by Region: the deployment principals of the replica there.
        replica: Whether the policy is that of a replica key, whose rotation and replication are its
            primary's.
        importers: Who may import key material, for origin EXTERNAL.
        material_expires: Last day on which imported material may be valid.
        direct_grants: Grants that people may make themselves.
        further: Statements of services and other accounts, and grants, in order.
    """

    root_arn: str
    administrators: tuple[str, ...]
    deployment: tuple[str, ...]
    root_access: RootAccess = RootAccess.ADMINISTRATION
    break_glass: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    encrypt_only: tuple[str, ...] = ()
    decrypt_only: tuple[str, ...] = ()
    key_spec: str = "SYMMETRIC_DEFAULT"
    key_usage: KeyUsage = KeyUsage.ENCRYPT_DECRYPT
    origin: str = Origin.AWS_KMS.value
    pending_window: int = 30
    via_services: tuple[str, ...] = ()
    deployment_as_users: tuple[str, ...] = ()
    deployment_may_delete: bool = False
    multi_region: bool = False
    replication: tuple[tuple[str, tuple[str, ...]], ...] = ()
    replica: bool = False
    importers: tuple[str, ...] = ()
    material_expires: date | None = None
    direct_grants: tuple[DeclaredGrant, ...] = ()
    further: tuple[PolicyStatementJson, ...] = field(default=())

    @property
    def guardians(self) -> tuple[str, ...]:
        """Who may delete, disable and rewrite: the break-glass principals if any, else the administrators."""
        return self.break_glass or self.administrators

    @property
    def managers(self) -> frozenset[str]:
        """Everyone who manages the key in some way; the deployment principals may use it, too."""
        replicating = (arn for _, principals in self.replication for arn in principals)
        return frozenset(
            (
                *self.administrators,
                *self.break_glass,
                *self.deployment,
                *self.deployment_as_users,
                *self.importers,
                *replicating,
            )
        )


def key_policy(spec: KeyPolicySpec) -> dict[str, object]:
    """The whole key policy.

    Example:
        >>> policy = key_policy(KeyPolicySpec(
        ...     root_arn="arn:aws:iam::111122223333:root",
        ...     administrators=("arn:aws:iam::111122223333:role/KeyAdmin",),
        ...     deployment=("arn:aws:iam::111122223333:role/Deploy",),
        ... ))
        >>> [statement["Sid"] for statement in policy["Statement"]][:3]
        ['RootAccount', 'KeyAdministrators', 'Deployment']
    """
    candidates = (
        root_account(spec),
        key_administrators(spec),
        break_glass(spec),
        deployment(spec),
        *replication(spec),
        synchronisation(spec),
        key_users(spec),
        key_users_grants(spec),
        encrypt_only(spec),
        decrypt_only(spec),
        import_material(spec),
        *direct_grants(spec),
        *spec.further,
    )
    allows = [one for one in candidates if one is not None]
    return {"Version": "2012-10-17", "Statement": [*allows, *_denials(spec, allows)]}


def declaration(spec: KeyPolicySpec) -> Declaration:
    """What the key says of itself to the guardrails; they authorise the root user themselves."""
    expires = spec.material_expires
    authorised = {control: _who_may(spec, GUARDED_ACTIONS[control]) for control in sorted(GUARDED_ACTIONS)}
    if spec.root_access is RootAccess.FULL_DELEGATION:
        authorised[DELEGATION_CONTROL] = (spec.root_arn,)
    return Declaration(
        authorised=authorised,
        direct_grants=tuple(declared.grant for declared in spec.direct_grants),
        material_expires=None if expires is None else expires.isoformat(),
    )


def _who_may(spec: KeyPolicySpec, guarded: GuardedAction) -> tuple[str, ...]:
    """Who may carry out a guarded action, beside the root user."""
    who = {
        May.NOBODY: (),
        May.GUARDIANS: spec.guardians,
        May.GUARDIANS_AND_DELETING_STACK: (
            *spec.guardians,
            *(spec.deployment if spec.deployment_may_delete else ()),
        ),
        May.GUARDIANS_AND_DEPLOYMENT: (*spec.guardians, *spec.deployment),
    }
    return tuple(dict.fromkeys(who[guarded.may]))


def root_account(spec: KeyPolicySpec) -> PolicyStatementJson:
    """Recovery: the account root principal may administer the key, and, unless told otherwise, not use it."""
    if spec.root_access is RootAccess.FULL_DELEGATION:
        return _allow("RootAccount", (spec.root_arn,), ["kms:*"])
    actions = qualified(
        (
            *_read(),
            *_manage(spec),
            *_guarded(spec),
            *_replication(spec),
            "RevokeGrant",
        )
    )
    condition: Condition | None = None
    if spec.root_access is RootAccess.ROOT_USER_ONLY:
        condition = {"ArnEquals": {"aws:PrincipalArn": spec.root_arn}}
    return _allow("RootAccount", (spec.root_arn,), actions, condition)


def key_administrators(spec: KeyPolicySpec) -> PolicyStatementJson:
    """Reading and managing.

    Deleting, disabling and the policy only while there is no break-glass principal.
    """
    names = [
        *_read(),
        *_manage(spec),
        "RevokeGrant",
    ]
    if not spec.break_glass:
        names += [*_guarded(spec), *_replication(spec)]
    return _allow("KeyAdministrators", spec.administrators, qualified(names))


def break_glass(spec: KeyPolicySpec) -> PolicyStatementJson | None:
    """Deleting, disabling and rewriting, for the few who are called in an emergency."""
    if not spec.break_glass:
        return None
    names = [
        "DescribeKey",
        "GetKeyPolicy",
        "CancelKeyDeletion",
        "EnableKey",
        *_guarded(spec),
        *_replication(spec),
    ]
    return _allow("BreakGlass", spec.break_glass, qualified(names))


def deployment(spec: KeyPolicySpec) -> PolicyStatementJson | None:
    """What CloudFormation's handlers for keys and aliases call.

    Deletion only when the key may be destroyed.
    """
    names = [
        "CreateAlias",
        "DeleteAlias",
        "DescribeKey",
        "EnableKey",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "ListResourceTags",
        "PutKeyPolicy",
        "TagResource",
        "UntagResource",
        "UpdateAlias",
        "UpdateKeyDescription",
    ]
    if can_rotate(spec.key_spec, spec.origin) and not spec.replica:
        names.append("EnableKeyRotation")
    if spec.deployment_may_delete:
        names.append("ScheduleKeyDeletion")
    return _allow_some("Deployment", spec.deployment, qualified(names))


def replication(spec: KeyPolicySpec) -> tuple[PolicyStatementJson, ...]:
    """Replication into each declared Region by those who deploy the replica there, and by nobody else.

    KMS asks the primary's key policy when a replica is made; the replica's own policy decides from then on.
    """
    if not spec.replication:
        return ()
    everyone = tuple(dict.fromkeys(arn for _, principals in spec.replication for arn in principals))
    return (
        *(
            _allow(
                f"ReplicationTo{_camel(region)}",
                principals,
                ["kms:ReplicateKey"],
                {"StringEquals": {"kms:ReplicaRegion": region}},
            )
            for region, principals in spec.replication
        ),
        _allow("ReplicationRead", everyone, ["kms:DescribeKey"]),
    )


def synchronisation(spec: KeyPolicySpec) -> PolicyStatementJson | None:
    """KMS's own service-linked role keeps primary and replicas in step.

    The root principal limited to that role, and not the role itself: it is made with the first multi-Region
    key of the account, and KMS refuses a policy that names a role which does not exist.

    See: https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-auth-slr.html
    """
    if not (spec.multi_region or spec.replica):
        return None
    role = f"{spec.root_arn.removesuffix('root')}{SYNCHRONISATION_ROLE}"
    return _allow(
        "MultiRegionSynchronisation",
        (spec.root_arn,),
        ["kms:SynchronizeMultiRegionKey"],
        {"ArnEquals": {"aws:PrincipalArn": role}},
    )


def key_users(spec: KeyPolicySpec) -> PolicyStatementJson | None:
    """Both sides of the key's usage, through the given services only, if any are given."""
    actions = qualified(using_actions(spec.key_spec, spec.key_usage))
    return _allow_some("KeyUsers", spec.users, actions, _via(spec))


def key_users_grants(spec: KeyPolicySpec) -> PolicyStatementJson | None:
    """Grants that AWS services make for their own use on behalf of key users (EBS, RDS, Lambda, …).

    Written for symmetric encryption keys only: no AWS service asks a user for a grant on another kind of key.
    """
    if spec.key_usage is not KeyUsage.ENCRYPT_DECRYPT or not KEY_SPECS[spec.key_spec].data_keys:
        return None
    condition = {"Bool": {"kms:GrantIsForAWSResource": "true"}, **(_via(spec) or {})}
    actions = qualified(("CreateGrant", "ListGrants", "RevokeGrant"))
    return _allow_some("KeyUsersGrants", spec.users, actions, condition)


def encrypt_only(spec: KeyPolicySpec) -> PolicyStatementJson | None:
    """The write side: encrypt, sign, make a MAC, encapsulate."""
    actions = qualified(producing_actions(spec.key_spec, spec.key_usage))
    return _allow_some("EncryptOnly", spec.encrypt_only, actions)


def decrypt_only(spec: KeyPolicySpec) -> PolicyStatementJson | None:
    """The read side: decrypt, verify, decapsulate."""
    actions = qualified(consuming_actions(spec.key_spec, spec.key_usage))
    return _allow_some("DecryptOnly", spec.decrypt_only, actions)


def import_material(spec: KeyPolicySpec) -> PolicyStatementJson | None:
    """Importing key material, and what has to be asked for first; the material comes wrapped, by API.

    That the tags say until when it may be valid, and the list of rotations which materials there are, is why
    these two are read.
    """
    if spec.origin != Origin.EXTERNAL:
        return None
    actions = qualified(
        ("DescribeKey", "GetParametersForImport", "ImportKeyMaterial", "ListKeyRotations", "ListResourceTags")
    )
    return _allow_some("KeyMaterialImport", spec.importers, actions)


def direct_grants(spec: KeyPolicySpec) -> tuple[PolicyStatementJson, ...]:
    """Each declared grant for those who make it, and no grant beside it.

    ``ForAllValues`` also holds for an empty set, so the operations have to be there, too.
    """
    return tuple(
        _allow(f"DirectGrant{number}", grant.created_by, ["kms:CreateGrant"], allowing(grant))
        for number, grant in enumerate(spec.direct_grants, 1)
    )


def _denials(spec: KeyPolicySpec, allows: Iterable[PolicyStatementJson]) -> tuple[PolicyStatementJson, ...]:
    """What nobody does but those whose duty it is, in the order in which it is written."""
    guardians = (spec.root_arn, *spec.guardians)
    related = spec.multi_region or spec.replica
    regions = [region for region, _ in spec.replication]
    return (
        *_deny_guarded(spec),
        *(deny_replication(guardians, regions) if related else ()),
        *_deny_to_all(),
        *deny_management(
            key_users_of(allows, (one.grantee for one in spec.direct_grants), but=spec.managers)
        ),
        deny_short_deletion_window(spec.pending_window),
        deny_lockout_bypass(),
        *deny_lasting_material(spec.material_expires),
        *deny_direct_grants(
            [creator for grant in spec.direct_grants for creator in grant.created_by],
            [grant.grantee for grant in spec.direct_grants],
            list(_granting_services(allows)),
        ),
    )


def _granting_services(allows: Iterable[PolicyStatementJson]) -> Iterator[str]:
    """The services through which an Allow lets principals make grants that are not for AWS resources."""
    for one in allows:
        condition = one.get("Condition", {})
        if "kms:CreateGrant" in one.get("Action", ()) and "kms:GrantIsForAWSResource" not in condition.get(
            "Bool", {}
        ):
            via = condition.get("StringEquals", {}).get("kms:ViaService", [])
            yield from [via] if isinstance(via, str) else via


def _deny_guarded(spec: KeyPolicySpec) -> tuple[PolicyStatementJson, ...]:
    """Nobody but the root user and those who may carries out a guarded action.

    The deployment principals may change the policy because KMS refuses a policy under which its author could
    not change it again (the lockout safety check), and because the stack has to be able to update its key.
    Where the stack may delete its key they may do that, too, and nothing else of the kind, so that statement
    stands apart.
    """
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for guarded in GUARDED_ACTIONS.values():
        if guarded.may is not May.NOBODY:
            sid = guarded.sid_with_stack if spec.deployment_may_delete else ""
            exempt = (spec.root_arn, *_who_may(spec, guarded))
            groups.setdefault((sid or guarded.sid, exempt), []).append(guarded.action)
    return tuple(deny_actions(sid, actions, but=exempt) for (sid, exempt), actions in groups.items())


def _deny_to_all() -> tuple[PolicyStatementJson, ...]:
    """Nobody carries out a guarded action that nobody may, the root user included: turning rotation off.

    Written for keys that cannot rotate, too: there it denies what fails anyway, and one rule without
    exceptions is easier to check.
    """
    groups: dict[str, list[str]] = {}
    for guarded in GUARDED_ACTIONS.values():
        if guarded.may is May.NOBODY:
            groups.setdefault(guarded.sid, []).append(guarded.action)
    return tuple(deny_actions(sid, actions) for sid, actions in groups.items())


def _read() -> list[str]:
    """Reading but GetPublicKey: whoever holds the public key of an RSA key can encrypt with it."""
    return [name for name in actions_of(ActionClass.READ) if name != "GetPublicKey"]


def _manage(spec: KeyPolicySpec) -> list[str]:
    # Imported material rotates on demand only; a replica follows its primary.
    by_itself = can_rotate(spec.key_spec, spec.origin) and not spec.replica
    on_demand = KEY_SPECS[spec.key_spec].rotates and not spec.replica
    possible = {"EnableKeyRotation": by_itself, "RotateKeyOnDemand": on_demand}
    possible |= {guarded.action: False for guarded in GUARDED_ACTIONS.values()}
    return [name for name in actions_of(ActionClass.MANAGE) if possible.get(name, True)]


def _guarded(spec: KeyPolicySpec) -> list[str]:
    """The guarded actions that somebody may carry out and that mean something for the key."""
    imported = spec.origin == Origin.EXTERNAL
    return [
        guarded.action
        for guarded in GUARDED_ACTIONS.values()
        if guarded.may is not May.NOBODY and (imported or not guarded.imported_material)
    ]


def _replication(spec: KeyPolicySpec) -> list[str]:
    return ["UpdatePrimaryRegion"] if spec.multi_region or spec.replica else []


def _camel(region: str) -> str:
    """``EuWest1`` of ``eu-west-1``."""
    return "".join(part.capitalize() for part in region.split("-"))


def _via(spec: KeyPolicySpec) -> Condition | None:
    return {"StringEquals": {"kms:ViaService": list(spec.via_services)}} if spec.via_services else None


def _allow_some(
    sid: str, principals: Sequence[str], actions: list[str], condition: Condition | None = None
) -> PolicyStatementJson | None:
    return _allow(sid, principals, actions, condition) if principals else None


def _allow(
    sid: str, principals: Sequence[str], actions: list[str], condition: Condition | None = None
) -> PolicyStatementJson:
    who = {"AWS": one_or_list(principals)}
    return statement(sid, "Allow", one_or_list(actions), principal=who, conditions=condition)
