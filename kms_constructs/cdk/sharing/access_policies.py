"""IAM policies for a key: the least that one task needs, and a permissions boundary for everyone else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from kms_constructs.cdk.key.hardened_key import HardenedKey
from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import DESCRIBING, ActionClass, KeyUsage, actions_of
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS
from kms_constructs.model.key_specs import KEY_SPECS, consuming_actions, producing_actions
from kms_constructs.policies.root_access import RootAccess
from kms_constructs.policies.statements import PolicyStatementJson, qualified, statement
from kms_constructs.policies.target import (
    PolicyTarget,
    check_list,
    context_conditions,
    is_token,
    via_service,
)

_ALIAS_ACTIONS = frozenset({"CreateAlias", "DeleteAlias", "UpdateAlias"})


class KeyTask(StrEnum):
    """What an IAM policy of `KeyAccessPolicies` lets its holder do."""

    ENCRYPT = "encrypt"
    DECRYPT = "decrypt"
    SIGN = "sign"
    VERIFY = "verify"
    MAC = "mac"
    ADMINISTER = "administer"


_USAGE = {
    KeyTask.ENCRYPT: KeyUsage.ENCRYPT_DECRYPT,
    KeyTask.DECRYPT: KeyUsage.ENCRYPT_DECRYPT,
    KeyTask.SIGN: KeyUsage.SIGN_VERIFY,
    KeyTask.VERIFY: KeyUsage.SIGN_VERIFY,
    KeyTask.MAC: KeyUsage.GENERATE_VERIFY_MAC,
}


class KeyAccessPolicies(Construct):
    """Managed IAM policies for one key: only those asked for, each for one task, on that key's ARN alone.

    An IAM policy works where the key policy delegates to IAM: on a plain `kms.Key`, on a `SecureKmsKey` with
    full delegation, and for a principal of another account that `ExternalAccess` lets in. A `SecureKmsKey`
    delegates administration alone by default: name its users in `key_users`, and use ``administer`` here. A
    policy that could give nothing, for a key made in the same account, is refused.

    ``administer`` reads and manages the key, and never deletes, disables, changes the policy, creates grants
    or uses the key. Nobody should hold it together with another of these policies: IAM-KMS-8 reports that.

    Example:
        >>> from aws_cdk import App, Stack, aws_kms
        >>> stack = Stack(App(analytics_reporting=False), "Access")
        >>> key = aws_kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd")
        >>> policies = KeyAccessPolicies(stack, "Policies", key=key, tasks=["decrypt"], via_services=["s3"])
        >>> sorted(policies.documents)
        ['decrypt']

    See: https://docs.aws.amazon.com/kms/latest/developerguide/iam-policies-best-practices.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        tasks: Sequence[str | KeyTask],
        key_spec: str | None = None,
        key_usage: KeyUsage | str | None = None,
        via_services: Sequence[str] = (),
        encryption_context: Mapping[str, str | Sequence[str]] | None = None,
        aliases: Sequence[str] = (),
        path: str = "/",
    ) -> None:
        """Writes one managed policy for each task.

        Args:
            scope: Where the policies go; with a key of another stack, the stack of their holders.
            construct_id: Id within it.
            key: Any key, imported ones included.
            tasks: Any of ``encrypt``, ``decrypt``, ``sign``, ``verify``, ``mac``, ``administer``.
            key_spec: The key's spec; a `SecureKmsKey` knows it, and for other keys it is symmetric by
                default.
            key_usage: The key's usage; likewise, and the first that the spec supports by default.
            via_services: Services that the use has to come through: ``s3``, or
                ``s3.eu-west-1.amazonaws.com``.
            encryption_context: Pairs that a request has to hold, for encrypt and decrypt; ``*`` for any text.
            aliases: Names of aliases that ``administer`` may move: ``alias/orders``. Without any it cannot
                change aliases.
            path: IAM path of the policies.

        Raises:
            ArgumentError: A task that is none or does not fit the key, or conditions that do not fit the
                task.
        """
        super().__init__(scope, construct_id)
        where = self.node.path
        known = key.target if isinstance(key, HardenedKey) else None
        spec = key_spec or (known.key_spec if known else "SYMMETRIC_DEFAULT")
        if spec not in KEY_SPECS:
            raise ArgumentError(
                "key_spec",
                spec,
                "KMS has no such key spec",
                f"choose among {', '.join(KEY_SPECS)}",
                where=where,
            )
        usage = key_usage or (known.key_usage if known and not key_spec else KEY_SPECS[spec].usages[0])
        check_list("tasks", tasks, where)
        wanted = tuple(dict.fromkeys(_task(item, where) for item in tasks))
        target = PolicyTarget(
            partition=Stack.of(self).partition,
            account=key.env.account,
            region=key.env.region,
            key_spec=spec,
            key_usage=KeyUsage(usage),
            where=where,
        )
        _check_fit(wanted, target, encryption_context or {}, aliases)
        if isinstance(key, HardenedKey) and key.env.account == Stack.of(self).account:
            _check_delegation(wanted, key.policy_spec.root_access, where)
        conditions = context_conditions(encryption_context or {})
        if via_services:
            check_list("via_services", via_services, where)
            services = [via_service(item, target) for item in via_services]
            conditions.setdefault("StringEquals", {})["kms:ViaService"] = services
        self.documents: dict[str, dict[str, Any]] = {}
        self._policies: dict[KeyTask, iam.ManagedPolicy] = {}
        for task in wanted:
            statements = (
                _administration(key.key_arn, target, aliases)
                if task is KeyTask.ADMINISTER
                else _use(task, key.key_arn, target, conditions)
            )
            document = {"Version": "2012-10-17", "Statement": statements}
            self.documents[task.value] = document
            self._policies[task] = iam.ManagedPolicy(
                self,
                task.value.capitalize(),
                document=iam.PolicyDocument.from_json(document),
                description=f"Lets its holder {task.value} with one KMS key",
                path=path,
            )

    def policy(self, task: str | KeyTask) -> iam.ManagedPolicy:
        """The managed policy for a task: ``role.add_managed_policy(policies.policy("decrypt"))`` attaches it.

        Raises:
            ArgumentError: The task was not asked for.
        """
        found = self._policies.get(_task(task, self.node.path))
        if found is None:
            raise ArgumentError(
                "task",
                str(task),
                f"this construct was made for {', '.join(self.documents)}",
                "add the task to tasks",
                where=self.node.path,
            )
        return found


class GuardrailPermissionsBoundary(Construct):
    """A permissions boundary that forbids the guarded actions on every key and limits nothing else.

    Deleting and disabling keys, deleting imported material, changing key policies, turning rotation off and
    creating grants other than through an AWS service stay impossible for whoever has it, whatever else is
    attached. It grants nothing. Whoever may change a role's boundary can take it off: guard that, too.

    Example:
        >>> from aws_cdk import App, Stack, aws_iam
        >>> stack = Stack(App(analytics_reporting=False), "Boundary")
        >>> boundary = GuardrailPermissionsBoundary(stack, "Boundary")
        >>> boundary.apply(aws_iam.User(stack, "Developer"))

    See: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, path: str = "/") -> None:
        """Makes the managed policy that is the boundary.

        Args:
            scope: The stack.
            construct_id: Id within it.
            path: IAM path of the policy.
        """
        super().__init__(scope, construct_id)
        self.document: dict[str, Any] = {
            "Version": "2012-10-17",
            "Statement": [
                statement("NoLimitOtherwise", "Allow", "*"),
                statement(
                    "DenyGuardedActions",
                    "Deny",
                    sorted(guarded.qualified for guarded in GUARDED_ACTIONS.values()),
                ),
                statement(
                    "DenyDirectGrants",
                    "Deny",
                    "kms:CreateGrant",
                    conditions={"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}},
                ),
            ],
        }
        self.policy = iam.ManagedPolicy(
            self,
            "Policy",
            document=iam.PolicyDocument.from_json(self.document),
            description="Permissions boundary: no destruction, policy change or direct grant of KMS keys",
            path=path,
        )

    def apply(self, scope: IConstruct) -> None:
        """Puts the boundary on every role and user in a scope: one role, a stack, the app."""
        iam.PermissionsBoundary.of(scope).apply(self.policy)


def _task(value: object, where: str) -> KeyTask:
    try:
        return KeyTask(str(value).lower())
    except ValueError:
        raise ArgumentError(
            "tasks", value, f"a task is one of {', '.join(KeyTask)}", "choose among these", where=where
        ) from None


def _check_delegation(tasks: Sequence[KeyTask], root_access: RootAccess, where: str) -> None:
    """Refuses policies that could give nothing, because the key policy does not delegate that to IAM."""
    for task in tasks:
        if root_access is RootAccess.FULL_DELEGATION or (
            root_access is RootAccess.ADMINISTRATION and task is KeyTask.ADMINISTER
        ):
            continue
        argument = "key_administrators" if task is KeyTask.ADMINISTER else "key_users"
        raise ArgumentError(
            "tasks",
            task.value,
            f"the key policy leaves none of it to IAM policies (root_access is {root_access.value}), so "
            "the policy would give nothing",
            f"name the principals in {argument} of the key",
            where=where,
        )


def _check_fit(
    tasks: Sequence[KeyTask],
    target: PolicyTarget,
    context: Mapping[str, str | Sequence[str]],
    aliases: Sequence[str],
) -> None:
    for task in tasks:
        usage = _USAGE.get(task)
        if usage is not None and usage is not target.key_usage:
            raise ArgumentError(
                "tasks",
                task.value,
                f"this key is for {target.key_usage.value}, and {task.value} needs {usage.value}",
                "ask for what the key does",
                where=target.where,
            )
    if context and target.key_spec != "SYMMETRIC_DEFAULT":
        raise ArgumentError(
            "encryption_context",
            dict(context),
            "only symmetric encryption has an encryption context",
            "leave it out, or use a symmetric key",
            where=target.where,
        )
    if aliases and KeyTask.ADMINISTER not in tasks:
        raise ArgumentError(
            "aliases",
            list(aliases),
            "aliases matter to administer alone",
            "leave them out",
            where=target.where,
        )
    for alias in aliases:
        if not is_token(alias) and (
            not re.fullmatch(r"alias/[A-Za-z0-9/_-]{1,250}", alias) or alias.startswith("alias/aws/")
        ):
            raise ArgumentError(
                "aliases",
                alias,
                "an alias is alias/ and then letters, digits, / _ and -, and not alias/aws/…",
                "write it like alias/orders",
                where=target.where,
            )


def _use(
    task: KeyTask, key_arn: str, target: PolicyTarget, conditions: Mapping[str, Mapping[str, Any]]
) -> list[PolicyStatementJson]:
    actions: set[str] = set()
    if task in (KeyTask.ENCRYPT, KeyTask.SIGN, KeyTask.MAC):
        actions.update(producing_actions(target.key_spec, target.key_usage))
    if task in (KeyTask.DECRYPT, KeyTask.VERIFY, KeyTask.MAC):
        actions.update(consuming_actions(target.key_spec, target.key_usage))
    return [
        statement(
            f"Key{task.value.capitalize()}",
            "Allow",
            qualified(actions - DESCRIBING),
            resource=key_arn,
            conditions=conditions,
        ),
        statement("KeyMetadata", "Allow", qualified(actions & DESCRIBING), resource=key_arn),
    ]


def _administration(key_arn: str, target: PolicyTarget, aliases: Sequence[str]) -> list[PolicyStatementJson]:
    managing = {*actions_of(ActionClass.READ, ActionClass.MANAGE), "RevokeGrant"}
    statements = [
        statement("KeyAdminister", "Allow", qualified(managing - _ALIAS_ACTIONS), resource=key_arn),
        # These two list the account; KMS knows no resource for them.
        statement("KeyList", "Allow", qualified(("ListAliases", "ListKeys"))),
    ]
    if aliases:
        prefix = f"arn:{target.partition}:kms:{target.region}:{target.account}:"
        where = [key_arn, *(f"{prefix}{alias}" for alias in aliases)]
        statements.append(statement("KeyAliases", "Allow", qualified(_ALIAS_ACTIONS), resource=where))
    return statements
