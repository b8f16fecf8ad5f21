"""Use of a key by principals of other accounts: never administration, always narrowed by a condition."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import DESCRIBING, KeyUsage
from kms_constructs.model.key_specs import KEY_SPECS, consuming_actions, producing_actions
from kms_constructs.model.service_requirement import PARTITION
from kms_constructs.model.text import is_organization_id
from kms_constructs.policies.principals import PrincipalLike, named_principal
from kms_constructs.policies.target import (
    PolicyStatementJson,
    PolicyTarget,
    allow,
    arn_parts,
    check_account,
    check_list,
    context_conditions,
    is_token,
    organization_refused,
    via_service,
)


class Permission(StrEnum):
    """What a principal of another account may do with a key."""

    ENCRYPT = "encrypt"
    DECRYPT = "decrypt"
    BOTH = "both"
    SIGN = "sign"
    VERIFY = "verify"
    DESCRIBE = "describe"


_USAGE = {
    Permission.ENCRYPT: KeyUsage.ENCRYPT_DECRYPT,
    Permission.DECRYPT: KeyUsage.ENCRYPT_DECRYPT,
    Permission.BOTH: KeyUsage.ENCRYPT_DECRYPT,
    Permission.SIGN: KeyUsage.SIGN_VERIFY,
    Permission.VERIFY: KeyUsage.SIGN_VERIFY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalAccess:
    """Lets principals of other accounts use a key, under at least one condition.

    A key policy alone does not give another account access: an IAM policy over there has to allow the same
    actions on this key's ARN (`CrossAccountDataSharing` writes it out). No permission here is administrative,
    for KMS has no cross-account administration, and none creates grants unless an AWS service does it for a
    resource of its own.

    At least one of `via_services`, `encryption_context` and `organization_id` is required, for a named role
    too: who may assume that role is decided in the other account.

    An encryption context exists for symmetric encryption alone, and DescribeKey never carries one. Reading
    metadata therefore stands in a statement of its own, without that condition; otherwise it would allow
    nothing.

    Args:
        principals: Roles and users of other accounts (ARNs or CDK objects), or account roots, which let the
            administrators of that account decide.
        permissions: Any of ``encrypt``, ``decrypt``, ``both``, ``sign``, ``verify``, ``describe``. Each
            includes reading the key's metadata.
        via_services: Services that the requests have to come through: ``s3`` for the key's Region, or in full
            ``s3.eu-west-1.amazonaws.com``.
        encryption_context: Pairs that the request's encryption context has to hold. A list of values means
            any of them; ``*`` in a value stands for any text.
        organization_id: ``o-`` and 10 to 32 lower-case letters or digits: the caller's organization.
        organization_paths: Paths within it: ``o-…/r-…/ou-…/*``.
        grants_for_aws_resources: Whether AWS services may create grants for their own resources on behalf of
            these principals (an EBS volume, an RDS instance). Needs `via_services`.
        name: Letters and digits put into the Sids, to tell several entries apart: ``Production``.

    Raises:
        ArgumentError: At construction for what is wrong in itself; in `statements` for what does not fit the
            key.

    Example:
        >>> ExternalAccess(
        ...     principals=["arn:aws:iam::444455556666:role/App"],
        ...     permissions=["decrypt"],
        ...     encryption_context={"Environment": "staging"},
        ... ).permissions
        (<Permission.DECRYPT: 'decrypt'>,)

    See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
    """

    principals: Sequence[PrincipalLike]
    permissions: Sequence[str | Permission]
    via_services: Sequence[str] = ()
    encryption_context: Mapping[str, str | Sequence[str]] = field(default_factory=dict, hash=False)
    organization_id: str | None = None
    organization_paths: Sequence[str] = ()
    grants_for_aws_resources: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        check_list("principals", self.principals)
        check_list("permissions", self.permissions)
        for argument in ("via_services", "organization_paths"):
            if values := getattr(self, argument):
                check_list(argument, values)
            object.__setattr__(self, argument, tuple(values))
        # Copied, so that what was checked is what is written.
        context = {key: _copied(value) for key, value in self.encryption_context.items()}
        object.__setattr__(self, "encryption_context", context)
        arns = tuple(dict.fromkeys(_principal_arn(item) for item in self.principals))
        object.__setattr__(self, "principals", arns)
        object.__setattr__(self, "permissions", tuple(_permission(item) for item in self.permissions))
        if not re.fullmatch(r"[A-Za-z0-9]{0,40}", self.name):
            raise ArgumentError(
                "name",
                self.name,
                "a Sid holds letters and digits",
                "write it as one word of at most 40 characters, for instance Production",
            )
        self._check_organization()
        if not (self.via_services or self.encryption_context or self.organization_id):
            raise ArgumentError(
                "external_access",
                list(arns),
                "access from another account is narrowed by a condition, always",
                "give via_services, encryption_context or organization_id",
            )
        self._check_context()
        if self.grants_for_aws_resources and not self.via_services:
            raise ArgumentError(
                "grants_for_aws_resources",
                True,
                "only the services named may create grants for these principals",
                "give via_services, for instance ['ec2'] for EBS volumes",
            )

    def _check_organization(self) -> None:
        organization = self.organization_id
        if organization is not None and not (is_token(organization) or is_organization_id(organization)):
            raise organization_refused("organization_id", organization)
        for path in self.organization_paths:
            if organization is None:
                raise ArgumentError(
                    "organization_paths",
                    path,
                    "paths narrow an organization that is named",
                    "give organization_id as well",
                )
            if not is_token(path) and not re.fullmatch(
                rf"{re.escape(organization)}/r-[a-z0-9]{{4,32}}(/ou-[a-z0-9]{{4,32}}-[a-z0-9]{{8,32}})*/\*?",
                path,
            ):
                raise ArgumentError(
                    "organization_paths",
                    path,
                    "a path is ORGANIZATION/ROOT/OU/… and ends in / for the accounts directly in it or in /* "
                    "for those below as well",
                    f"write it like {organization}/r-ab12/ou-ab12-11111111/*",
                )

    def _check_context(self) -> None:
        if not self.encryption_context:
            return
        context_conditions(self.encryption_context)
        if wrong := [p.value for p in self._permissions if p in (Permission.SIGN, Permission.VERIFY)]:
            raise ArgumentError(
                "encryption_context",
                dict(self.encryption_context),
                f"permission {wrong[0]} has no encryption context: only symmetric encryption has one",
                "narrow it by organization_id or via_services",
            )

    def arns(self, target: PolicyTarget) -> tuple[str, ...]:
        """ARNs of the principals as the policies around this key write them, in order, each once."""
        return tuple(target.fill(one) for one in self.principals)

    @property
    def _permissions(self) -> tuple[Permission, ...]:
        return tuple(_permission(item) for item in self.permissions)

    def statements(self, target: PolicyTarget) -> list[PolicyStatementJson]:
        """The statements for this key.

        Raises:
            ArgumentError: A permission, principal or condition that does not fit this key.
        """
        self._check_target(target)
        actions = self._actions(target)
        common: dict[str, dict[str, Any]] = {}
        equals: dict[str, Any] = {}
        if self.via_services:
            equals["kms:ViaService"] = [via_service(item, target) for item in self.via_services]
        if self.organization_id:
            equals["aws:PrincipalOrgID"] = self.organization_id
        if self.organization_paths:
            common["ForAnyValue:StringLike"] = {"aws:PrincipalOrgPaths": list(self.organization_paths)}
        principal = {"AWS": list(self.arns(target))}
        sid = f"External{self.name}"
        found: list[PolicyStatementJson] = []
        cryptographic = actions - DESCRIBING
        if cryptographic:
            context = context_conditions(self.encryption_context)
            conditions = {
                **context,
                "StringEquals": {**equals, **context.get("StringEquals", {})},
                **common,
            }
            found.append(allow(f"{sid}Use", principal, cryptographic, conditions))
            if self.grants_for_aws_resources:
                grant = {**conditions, "Bool": {"kms:GrantIsForAWSResource": "true"}}
                found.append(allow(f"{sid}Grants", principal, ("CreateGrant",), grant))
        if not equals:
            equals["kms:CallerAccount"] = self._accounts(target)
        found.append(
            allow(f"{sid}Describe", principal, actions & DESCRIBING, {"StringEquals": equals, **common})
        )
        return found

    def _accounts(self, target: PolicyTarget) -> list[str]:
        accounts: list[str] = []
        for arn in self.arns(target):
            parts = arn_parts(arn)
            if parts is None:
                raise ArgumentError(
                    "principals",
                    arn,
                    "the principal's account has to be readable when encryption_context stands alone",
                    "give organization_id too, or the ARN with its account",
                    where=target.where,
                )
            accounts.append(parts[3])
        return list(dict.fromkeys(accounts))

    def _check_target(self, target: PolicyTarget) -> None:
        for arn in self.arns(target):
            parts = arn_parts(arn)
            if parts is None:
                continue
            if parts[3] == target.account:
                raise ArgumentError(
                    "external_access",
                    arn,
                    "this principal lives in the key's own account",
                    "name it in key_users, encrypt_only_users or decrypt_only_users",
                    where=target.where,
                )
            if not is_token(parts[0]) and not is_token(target.partition) and parts[0] != target.partition:
                raise ArgumentError(
                    "external_access",
                    arn,
                    f"a principal of partition {parts[0]} cannot reach a key of partition {target.partition}",
                    "use a key in that partition",
                    where=target.where,
                )
        for permission in self._permissions:
            usage = _USAGE.get(permission)
            if usage is not None and usage is not target.key_usage:
                raise ArgumentError(
                    "permissions",
                    permission.value,
                    f"this key is for {target.key_usage.value}, and {permission.value} needs {usage.value}",
                    "ask for what the key does, or describe alone",
                    where=target.where,
                )
        if (self.encryption_context or self.grants_for_aws_resources) and (
            target.key_spec != "SYMMETRIC_DEFAULT"
        ):
            argument = "encryption_context" if self.encryption_context else "grants_for_aws_resources"
            raise ArgumentError(
                argument,
                getattr(self, argument),
                f"only symmetric encryption has it, and this key is {target.key_spec}",
                "narrow the access by organization_id or via_services",
                where=target.where,
            )

    def _actions(self, target: PolicyTarget) -> frozenset[str]:
        actions: set[str] = {"DescribeKey"}
        if KEY_SPECS[target.key_spec].has_public_key:
            actions.add("GetPublicKey")
        for permission in self._permissions:
            if permission in (Permission.ENCRYPT, Permission.BOTH, Permission.SIGN):
                actions.update(producing_actions(target.key_spec, target.key_usage))
            if permission in (Permission.DECRYPT, Permission.BOTH, Permission.VERIFY):
                actions.update(consuming_actions(target.key_spec, target.key_usage))
        return frozenset(actions)


def _principal_arn(value: object) -> str:
    """The ARN of a role, a user or an account root.

    The CDK's account principals know their account, and their partition only when the template is written:
    it is the key's.
    """
    account = getattr(value, "account_id", None)
    text = value if account is None else f"arn:{PARTITION}:iam::{account}:root"
    parts = arn_parts(text) if isinstance(text, str) else None
    if isinstance(text, str) and parts is not None and parts[1] == "iam" and parts[4] == "root":
        check_account("principals", parts[3])
        return text
    return named_principal("principals", value, where="").arn


def _copied(value: str | Sequence[str]) -> str | tuple[str, ...]:
    return value if isinstance(value, str) else tuple(value)


def _permission(value: object) -> Permission:
    try:
        return Permission(str(value).lower())
    except ValueError:
        raise ArgumentError(
            "permissions",
            value,
            f"a permission is one of {', '.join(Permission)}; administration is never shared",
            "choose among these",
        ) from None
