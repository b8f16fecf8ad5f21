"""`SecureKmsKey`: a customer managed KMS key that nobody has to harden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from kms_constructs.cdk.key import arguments as checks
from kms_constructs.cdk.key.grants import GrantBook
from kms_constructs.cdk.key.guard import guard
from kms_constructs.cdk.key.replica_plan import ReplicaConfig, in_region, replica_configs
from kms_constructs.cdk.key.stack_facts import StackFacts, child_path, facts_of, stack_of
from kms_constructs.errors import ArgumentError, SealedPolicyError
from kms_constructs.model.actions import KeyUsage
from kms_constructs.model.key_specs import MAXIMUM_PENDING_WINDOW_DAYS, Origin, can_rotate
from kms_constructs.policies.direct_grant import DirectGrant, checked_grants
from kms_constructs.policies.key_policy import KeyPolicySpec, declaration, key_policy
from kms_constructs.policies.material import check_importers, material_expiry
from kms_constructs.policies.principals import NamedPrincipal, Principals, named_principals
from kms_constructs.policies.root_access import RootAccess
from kms_constructs.policies.target import PolicyTarget, StatementSource, statements_of, via_service

if TYPE_CHECKING:
    from kms_constructs.cdk.key.replica import SecureKmsReplicaKey


class SecureKmsKey(kms.Key):
    """A KMS key whose administrators cannot use it and whose users cannot manage it.

    The key policy is written whole at construction, with explicit actions and one statement for each duty,
    and is sealed then. Whatever IAM policies say: only the principals named here (and the account's root
    user) delete the key, disable it or change its policy, and nobody turns its rotation off.

    It is a `kms.Key`, so it goes wherever an `IKey` goes. An AWS service that uses the key as itself needs a
    statement, which `services` gives; what uses the key with its caller's identity (S3, DynamoDB, RDS, …)
    needs the caller among `key_users`, or a grant to a principal of the same stack:
    ``key.grant_decrypt(role)``, ``bucket.grant_read(role)``.

    What later changes cost: another `key_spec`, `key_usage`, `origin` or `multi_region` cannot be deployed to
    an existing key, and another construct path or `logical_id` makes another key. Properties of the L1 that
    are written by escape hatch are discarded, those that no argument writes included.

    Args:
        scope: Parent construct.
        construct_id: Id in the parent.
        alias: Name, with or without ``alias/``: letters, digits, ``/``, ``_``, ``-``.
        description: What the key protects; at most 8192 characters.
        key_administrators: Who manages the key and may not use it; at least one role or user.
        environment: Where it runs. ``prd``, ``prod``, ``production`` and ``live`` are production.
        service: What it serves; written as tag.
        data_classification: How sensitive the data is; written as tag.
        owner: Who answers for it; written as tag.
        key_users: Who encrypts and decrypts, or does whatever `key_usage` is.
        encrypt_only_users: Who only encrypts, signs, makes MACs.
        decrypt_only_users: Who only decrypts, verifies.
        break_glass_principals: When given, deletion, disabling and policy changes are theirs and no
            longer the administrators'.
        services: `ServiceAccess` presets for AWS services that use the key as themselves.
        external_access: `ExternalAccess` for principals of other accounts.
        direct_grants: `DirectGrant` declarations: grants that people make themselves, each of them an
            exception from the Deny on direct grants, which the guardrails report.
        via_services: Limits `key_users` to requests that come through these services: ``"s3"``, or the whole
            ``"s3.eu-west-1.amazonaws.com"``.
        key_spec: `kms.KeySpec` or its text; every spec that KMS has.
        key_usage: `kms.KeyUsage` or its text; needed only for specs with several usages.
        origin: ``AWS_KMS``, or ``EXTERNAL`` for imported key material. The material is imported by API and
            never stands in a template; KMS does not rotate it.
        material_expires: For imported material, and required then: the last day on which it may be valid, at
            most 365 days ahead. The key policy refuses an import without expiry or with a later one.
        key_material_importers: Who imports the material; by default the administrators.
        rotation_period: 90 to 2560 days, as int or Duration; 365 by default. There is no way to turn rotation
            off. Refused for specs that KMS does not rotate.
        multi_region: Whether the key is a multi-Region primary key. Cannot be changed later. The policy
            denies replication into Regions that `replica_regions` does not name.
        replica_regions: Regions with a replica key: ``"eu-west-1"``, or a `ReplicaConfig` for a replica with
            administrators, users, aliases of its own. Implies `multi_region`. Each Region gets a stack beside
            this one, called ``<stack>-replicas-<region>``, shared by the keys of this stack. Bootstrap the
            Regions first: the key policy names their execution roles, and KMS refuses roles that do not
            exist. A Region that is taken out later leaves its stack and its replica behind in AWS, to be
            deleted by hand.
        pending_window: 7 to 30 days between the order to delete the key and its end; shorter windows are
            denied.
        removal_policy: RETAIN_ON_UPDATE_OR_DELETE by default: the key survives its stack. A stack whose very
            creation fails after the key was made is rolled back as far as the key, which only the named may
            delete: CloudFormation reports ROLLBACK_FAILED then. With RETAIN it leaves the key behind without
            that. DESTROY is refused in production, and for a key with replicas.
        root_access: What the account's IAM policies may grant; see `RootAccess`.
        deployment_principals: Who deploys the stack. By default the CloudFormation execution role that the
            stack's synthesizer knows; to be named when it knows none.
        additional_aliases: Further names.
        tags: Further tags.
        parameter_name: Publishes the key's ARN in an SSM parameter of this name.
        outputs: Whether the stack gets CfnOutputs for key ARN, key id, alias name and alias ARN.
        logical_id: Pins the logical id, so that moving the construct does not replace the key.
        policy_reviewed_on: Day of the last review of the policy, written as tag.

    Raises:
        ArgumentError: An argument was refused; the message names argument, value, rule and fix.

    Example:
        >>> from aws_cdk import App, Stack
        >>> stack = Stack(App(analytics_reporting=False), "Data")
        >>> key = SecureKmsKey(
        ...     stack, "Key",
        ...     alias="dev/s3-data",
        ...     description="Objects of the data lake",
        ...     environment="dev", service="lake", data_classification="internal",
        ...     key_administrators=["arn:aws:iam::111122223333:role/KeyAdmin"],
        ...     key_users=["arn:aws:iam::111122223333:role/Lake"],
        ... )
        >>> key.alias_name
        'alias/dev/s3-data'

    See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
    """

    _IS_REPLICA: ClassVar[bool] = False

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alias: str,
        description: str,
        key_administrators: Principals = (),
        environment: str,
        service: str,
        data_classification: str,
        owner: str | None = None,
        key_users: Principals = (),
        encrypt_only_users: Principals = (),
        decrypt_only_users: Principals = (),
        break_glass_principals: Principals = (),
        services: Sequence[StatementSource] = (),
        external_access: Sequence[StatementSource] = (),
        direct_grants: Sequence[DirectGrant] = (),
        via_services: Sequence[str] = (),
        key_spec: kms.KeySpec | str = "SYMMETRIC_DEFAULT",
        key_usage: kms.KeyUsage | KeyUsage | str | None = None,
        origin: Origin | str = Origin.AWS_KMS,
        material_expires: date | str | None = None,
        key_material_importers: Principals | None = None,
        rotation_period: int | Duration | None = None,
        multi_region: bool = False,
        replica_regions: Sequence[str | ReplicaConfig] = (),
        pending_window: int | Duration = MAXIMUM_PENDING_WINDOW_DAYS,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        root_access: RootAccess = RootAccess.ADMINISTRATION,
        deployment_principals: Principals | None = None,
        additional_aliases: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
        parameter_name: str | None = None,
        outputs: bool = False,
        logical_id: str | None = None,
        policy_reviewed_on: date | str | None = None,
    ) -> None:
        stack = stack_of(scope)
        facts = facts_of(stack)
        where = child_path(scope, construct_id)
        check = checks.Refusals(where)

        self._alias_name, more_aliases = check.aliases(alias, additional_aliases)
        self._description = check.text(
            "description", description, "what the key protects", checks.MAXIMUM_DESCRIPTION_LENGTH
        )
        own_tags = {
            checks.TAG_ENVIRONMENT: check.text("environment", environment, "the environment"),
            checks.TAG_SERVICE: check.text("service", service, "the service"),
            checks.TAG_CLASSIFICATION: check.text(
                "data_classification", data_classification, "the classification of the data"
            ),
            checks.TAG_OWNER: None if owner is None else check.text("owner", owner, "the owner"),
            checks.TAG_ALIAS: self._alias_name.removeprefix("alias/"),
            checks.TAG_REVIEWED: check.reviewed_on(policy_reviewed_on),
        }
        self._tags = check.tags(tags or {}) | {
            key: text for key, text in own_tags.items() if text is not None
        }
        spec_name, usage, origin_name = check.key_type(key_spec, key_usage, origin)
        self._rotation_period = (
            None if self._IS_REPLICA else check.rotation_period(rotation_period, spec_name, origin_name)
        )
        window = check.pending_window(pending_window)
        self._removal_policy = check.removal_policy(removal_policy, environment)
        replicas = replica_configs(
            replica_regions, facts=facts, removal_policy=self._removal_policy, where=where
        )

        people = _People(check, facts, where)
        administrators = people.named("key_administrators", key_administrators)
        check.administrators(administrators, key_administrators)
        guardians = people.named("break_glass_principals", break_glass_principals)
        deployers = people.deployers(deployment_principals)
        using = {
            "key_users": people.named("key_users", key_users),
            "encrypt_only_users": people.named("encrypt_only_users", encrypt_only_users),
            "decrypt_only_users": people.named("decrypt_only_users", decrypt_only_users),
        }
        managing = {
            "key_administrators": administrators,
            "break_glass_principals": guardians,
            "deployment_principals": deployers,
        }
        check_importers(key_material_importers, origin_name, where)
        if key_material_importers is not None:
            managing["key_material_importers"] = people.named(
                "key_material_importers", key_material_importers
            )
        check.separation(managing, using)

        self.target = PolicyTarget(
            partition=facts.partition,
            account=facts.account,
            region=facts.region,
            key_spec=spec_name,
            key_usage=usage,
            where=where,
        )
        brought = statements_of(
            (*check.sources("services", services), *check.sources("external_access", external_access)),
            self.target,
        )
        check.brought(managing, brought)
        grants = checked_grants(direct_grants, self.target)
        check.separation(managing, {"direct_grants": grants.principals})
        self.policy_spec = KeyPolicySpec(
            root_arn=facts.root_arn,
            root_access=check.root_access(root_access),
            administrators=_arns(administrators),
            break_glass=_arns(guardians),
            deployment=_arns(deployers),
            users=_arns(using["key_users"]),
            encrypt_only=_arns(using["encrypt_only_users"]),
            decrypt_only=_arns(using["decrypt_only_users"]),
            key_spec=spec_name,
            key_usage=usage,
            origin=origin_name,
            pending_window=window,
            via_services=tuple(
                via_service(one, self.target) for one in check.texts("via_services", via_services)
            ),
            deployment_may_delete=self._removal_policy is RemovalPolicy.DESTROY,
            multi_region=multi_region or bool(replicas),
            replica=self._IS_REPLICA,
            importers=_arns(managing.get("key_material_importers", administrators)),
            material_expires=material_expiry(material_expires, origin_name, where),
            direct_grants=grants.declared,
            further=tuple(brought),
        )
        self._facts = facts
        self._grant_book = GrantBook(self.policy_spec, self.target, managing, using, stack.resolve)
        self._granting = False
        self._stack = stack
        parameter = None if parameter_name is None else check.parameter_name(parameter_name)
        pinned = None if logical_id is None else check.logical_id(logical_id)

        super().__init__(
            scope,
            construct_id,
            alias=self._alias_name,
            description=description,
            # For a replica, too, for it rotates with its primary: checks that look at constructs want to see
            # it. The guard keeps it out of the replica's template.
            enable_key_rotation=can_rotate(spec_name, origin_name) or None,
            multi_region=self.policy_spec.multi_region or None,
            policy=placeholder_policy(),
            removal_policy=self._removal_policy,
        )
        guard(stack, scope, self, self)
        if pinned is not None:
            self._pin(pinned)
        for name in more_aliases:
            self.add_alias(name)
        if outputs:
            self._write_outputs()
        if parameter is not None:
            self._publish(parameter)
        self._replicas: dict[str, SecureKmsReplicaKey] = {}
        if replicas:
            self._replicate(
                replicas,
                {
                    "description": description,
                    "key_administrators": key_administrators,
                    "environment": environment,
                    "service": service,
                    "data_classification": data_classification,
                    "owner": owner,
                    "key_users": key_users,
                    "encrypt_only_users": encrypt_only_users,
                    "decrypt_only_users": decrypt_only_users,
                    "break_glass_principals": break_glass_principals,
                    "services": services,
                    "external_access": external_access,
                    "via_services": via_services,
                    "key_spec": spec_name,
                    "key_usage": usage,
                    "origin": origin_name,
                    "material_expires": material_expires,
                    "key_material_importers": key_material_importers,
                    "pending_window": window,
                    "removal_policy": removal_policy,
                    "root_access": root_access,
                    "deployment_principals": deployment_principals,
                    "additional_aliases": more_aliases,
                    "alias": self._alias_name,
                    "tags": tags,
                    "parameter_name": parameter_name,
                    "outputs": outputs,
                    "logical_id": logical_id,
                    "policy_reviewed_on": policy_reviewed_on,
                },
            )

    def replica(self, region: str) -> SecureKmsReplicaKey:
        """The replica key in a Region, for the stacks of that Region.

        Args:
            region: One of the `replica_regions`.

        Raises:
            ArgumentError: This app makes no replica there.

        Example:
            ```python
            key = SecureKmsKey(stack, "Key", replica_regions=["eu-west-1"], …)
            s3.Bucket(european_stack, "Data", encryption_key=key.replica("eu-west-1"))
            ```
        """
        found = self._replicas.get(region)
        if found is None:
            there = ", ".join(self._replicas) or "none"
            raise ArgumentError(
                "region",
                region,
                f"the key has no replica there that this app makes; it has: {there}",
                "name the Region in replica_regions of the key"
                if region != self._facts.region
                else "it is the Region of the key itself: use that",
                where=self.target.where,
            )
        return found

    @property
    def replicas(self) -> Mapping[str, SecureKmsReplicaKey]:
        """The replica keys that this app makes, by Region."""
        return MappingProxyType(self._replicas)

    @property
    def replica_arns(self) -> Mapping[str, str]:
        """ARNs of the replica keys, by Region, including those that another app makes.

        They are made of the primary's key id, which all related keys share: using them makes no stack depend
        on a replica's stack.
        """
        facts = self._facts
        return {
            region: f"arn:{facts.partition}:kms:{region}:{facts.account}:key/{self.key_id}"
            for region, _ in self.policy_spec.replication
        }

    @property
    def alias_name(self) -> str:
        """Name of the alias, with ``alias/``."""
        return self._alias_name

    @property
    def alias_arn(self) -> str:
        """ARN of the alias."""
        facts = self._facts
        return f"arn:{facts.partition}:kms:{facts.region}:{facts.account}:{self._alias_name}"

    def declared_policy(self) -> dict[str, object]:
        """The key policy as it will be written: what was declared, and the grants made since."""
        spec = self.policy_spec
        further = (*spec.further, *self._grant_book.statements())
        return key_policy(replace(spec, further=further))

    def declared_properties(self) -> dict[str, object]:
        """CloudFormation properties but for the tags, as the guard of the stack writes them."""
        spec = self.policy_spec
        properties: dict[str, object] = {
            "Description": self._description,
            "KeyPolicy": self.declared_policy(),
            "KeySpec": spec.key_spec,
            "KeyUsage": spec.key_usage.value,
            "MultiRegion": spec.multi_region,
            "PendingWindowInDays": spec.pending_window,
        }
        if spec.origin != Origin.AWS_KMS:
            properties["Origin"] = spec.origin
        if self._rotation_period is not None:
            properties["EnableKeyRotation"] = True
            properties["RotationPeriodInDays"] = self._rotation_period
        return properties

    def declared_type(self) -> str | None:
        """Type of the resource, where it is none of AWS::KMS::Key."""
        return None

    def foreign_properties(self) -> frozenset[str]:
        """Properties that the resource may not have; none for a primary key."""
        return frozenset()

    def declared_tags(self) -> dict[str, str]:
        """Tags of the key; they win over tags that the app gives under the same names."""
        return self._tags

    def declared_metadata(self) -> dict[str, object]:
        """Resource metadata, for the guardrails: who is authorised, direct grants, expiry of the material."""
        return declaration(self.policy_spec).to_json()

    def declared_removal_policy(self) -> RemovalPolicy:
        """What happens to the key when it leaves the stack."""
        return self._removal_policy

    def apply_removal_policy(self, policy: RemovalPolicy) -> None:
        """Refuses another removal policy than the declared one.

        Raises:
            ArgumentError: The policy is another.
        """
        if policy is not self._removal_policy:
            raise ArgumentError(
                "removal_policy",
                policy.name,
                f"{self._removal_policy.name} was declared when the key was made",
                "give removal_policy to SecureKmsKey",
                where=self.target.where,
            )

    def add_to_resource_policy(
        self, statement: iam.PolicyStatement, allow_no_op: bool | None = None
    ) -> iam.AddToResourcePolicyResult:
        """Refuses what the declared policy does not say already; constructs of the CDK call this, too.

        Raises:
            SealedPolicyError: The statement is not in the declared policy. The message names the argument
                that puts it there.
        """
        if not self._granting:
            for wish in self._grant_book.wishes(statement.to_statement_json()):
                if not self._grant_book.allowed_already(wish):
                    raise self._grant_book.refusal(wish)
        return iam.AddToResourcePolicyResult(statement_added=True, policy_dependable=self)

    def grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Makes a role or user of the same stack a key user, in its IAM policy and in the key policy.

        Args:
            grantee: The role or user; a Lambda function or another construct that has one.
            actions: KMS actions that use the key.

        Raises:
            ArgumentError: The grantee manages the key.
            SealedPolicyError: The grantee lives in another stack or account, is a service, or the actions
                administer the key. The message names the argument to use.
        """
        principal = grantee.grant_principal
        if _is_person(principal):
            self._grant_book.grant(principal, actions, foreign_stack=self._foreign_stack(principal))
            self._granting = True
        try:
            return kms.KeyGrants.from_key(self, False).actions(grantee, *actions)
        finally:
            self._granting = False

    def grant_admin(self, grantee: iam.IGrantable) -> iam.Grant:
        """Refuses: administrators are named when the key is made.

        Raises:
            SealedPolicyError: Always.
        """
        raise SealedPolicyError(
            "grantee",
            grantee,
            "administrators are named when the key is made",
            "name it in key_administrators",
            where=self.target.where,
        )

    def grant_decrypt(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal of the same stack decrypt; see `grant`."""
        return self.grant(grantee, "kms:Decrypt")

    def grant_encrypt(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal of the same stack encrypt and make data keys; see `grant`."""
        return self.grant(grantee, *_ENCRYPT)

    def grant_encrypt_decrypt(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal of the same stack encrypt and decrypt; see `grant`."""
        return self.grant(grantee, "kms:Decrypt", *_ENCRYPT)

    def grant_sign(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal of the same stack sign; see `grant`."""
        return self.grant(grantee, "kms:Sign")

    def grant_verify(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal of the same stack verify signatures; see `grant`."""
        return self.grant(grantee, "kms:Verify")

    def grant_sign_verify(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal of the same stack sign and verify; see `grant`."""
        return self.grant(grantee, "kms:Sign", "kms:Verify")

    def grant_generate_mac(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal of the same stack make MACs; see `grant`."""
        return self.grant(grantee, "kms:GenerateMac")

    def grant_verify_mac(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal of the same stack verify MACs; see `grant`."""
        return self.grant(grantee, "kms:VerifyMac")

    @property
    def grants(self) -> kms.KeyGrants:
        """The grants of this key; they go through the seal like the methods of the key."""
        return SealedGrants.of(self)

    def _foreign_stack(self, principal: Any) -> str | None:  # noqa: ANN401 - some role or user
        """Name of the principal's stack when it is not the key's and makes its ARN."""
        arn = getattr(principal, "role_arn", None) or principal.user_arn
        if not arn.startswith("${Token["):
            return None
        stack = Stack.of(principal)
        own = stack is self._stack or stack.node.addr == self._stack.node.addr
        return None if own else stack.stack_name

    def _pin(self, logical_id: str) -> None:
        resource = self.node.default_child
        assert isinstance(resource, kms.CfnKey)  # noqa: S101 - kms.Key makes one
        resource.override_logical_id(logical_id)

    def _publish(self, parameter: str) -> None:
        ssm.StringParameter(
            self,
            "Parameter",
            parameter_name=parameter,
            string_value=self.key_arn,
            description=f"ARN of the KMS key {self._alias_name}",
            simple_name=not parameter.startswith("/"),
        )

    def _replicate(self, configs: Sequence[ReplicaConfig], given: Mapping[str, Any]) -> None:
        """Makes the replicas, and lets those who deploy them replicate the key."""
        # Here, because a replica is a SecureKmsKey itself.
        from kms_constructs.cdk.key.replica import make_replica

        replication: list[tuple[str, tuple[str, ...]]] = []
        for config in configs:
            if config.made_elsewhere:
                named = config.deployment_principals or [
                    in_region(arn, self._facts.region, config.region) for arn in self.policy_spec.deployment
                ]
                people = named_principals(
                    "deployment_principals", named, where=self.target.where, account=self._facts.account
                )
                replication.append((config.region, _arns(people)))
                continue
            replica = make_replica(self, self._stack, self._facts, config, given)
            self._replicas[config.region] = replica
            replication.append((config.region, replica.policy_spec.deployment))
        self.policy_spec = replace(self.policy_spec, replication=tuple(replication))
        self._grant_book.spec = self.policy_spec

    def _write_outputs(self) -> None:
        for name, value in (
            ("KeyArn", self.key_arn),
            ("KeyId", self.key_id),
            ("AliasName", self._alias_name),
            ("AliasArn", self.alias_arn),
        ):
            CfnOutput(self, name, value=value)


class _People:
    """Names principals for the arguments of one key, which may be anything until they are checked."""

    def __init__(self, check: checks.Refusals, facts: StackFacts, where: str) -> None:
        self._check = check
        self._facts = facts
        self._where = where

    def named(self, argument: str, values: Any) -> tuple[NamedPrincipal, ...]:  # noqa: ANN401
        return named_principals(argument, values, where=self._where, account=self._facts.account)

    def deployers(self, given: Any) -> tuple[NamedPrincipal, ...]:  # noqa: ANN401
        if given is None:
            role = self._facts.execution_role
            if role is None:
                raise ArgumentError(
                    "deployment_principals",
                    None,
                    "the synthesizer of this stack does not say which role CloudFormation deploys with, and a"
                    " deployer that the key policy does not know can never update the key again",
                    "name the role: deployment_principals=['arn:aws:iam::111122223333:role/Deploy']",
                    where=self._where,
                )
            given = [role]
        found = self.named("deployment_principals", given)
        if not found:
            raise ArgumentError(
                "deployment_principals",
                given,
                "KMS refuses a policy that its author cannot change again, so the deployer has to be in it",
                "name it, or leave the argument out to take the CloudFormation execution role",
                where=self._where,
            )
        return found


class SealedGrants(kms.KeyGrants):
    """`kms.KeyGrants` of a key with a sealed policy: the same methods, answered by the key."""

    _key: SecureKmsKey

    @classmethod
    def of(cls, key: SecureKmsKey) -> SealedGrants:
        """The grants of a key. It lives in Python alone, so nothing is made in Node."""
        made = cls.__new__(cls)
        made._key = key
        return made

    def actions(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """See `SecureKmsKey.grant`."""
        return self._key.grant(grantee, *actions)

    def admin(self, grantee: iam.IGrantable) -> iam.Grant:
        """See `SecureKmsKey.grant_admin`."""
        return self._key.grant_admin(grantee)

    def decrypt(self, grantee: iam.IGrantable) -> iam.Grant:
        """See `SecureKmsKey.grant_decrypt`."""
        return self._key.grant_decrypt(grantee)

    def encrypt(self, grantee: iam.IGrantable) -> iam.Grant:
        """See `SecureKmsKey.grant_encrypt`."""
        return self._key.grant_encrypt(grantee)

    def encrypt_decrypt(self, grantee: iam.IGrantable) -> iam.Grant:
        """See `SecureKmsKey.grant_encrypt_decrypt`."""
        return self._key.grant_encrypt_decrypt(grantee)

    def generate_mac(self, grantee: iam.IGrantable) -> iam.Grant:
        """See `SecureKmsKey.grant_generate_mac`."""
        return self._key.grant_generate_mac(grantee)

    def sign(self, grantee: iam.IGrantable) -> iam.Grant:
        """See `SecureKmsKey.grant_sign`."""
        return self._key.grant_sign(grantee)

    def sign_verify(self, grantee: iam.IGrantable) -> iam.Grant:
        """See `SecureKmsKey.grant_sign_verify`."""
        return self._key.grant_sign_verify(grantee)

    def verify(self, grantee: iam.IGrantable) -> iam.Grant:
        """See `SecureKmsKey.grant_verify`."""
        return self._key.grant_verify(grantee)

    def verify_mac(self, grantee: iam.IGrantable) -> iam.Grant:
        """See `SecureKmsKey.grant_verify_mac`."""
        return self._key.grant_verify_mac(grantee)


_ENCRYPT = ("kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")


def _is_person(principal: object) -> bool:
    """Whether it is a role or user, made in this app or imported."""
    return hasattr(principal, "role_arn") or hasattr(principal, "user_arn")


_PLACEHOLDER: list[iam.PolicyDocument] = []


def placeholder_policy() -> iam.PolicyDocument:
    """What `kms.Key` is given in place of the policy, which the guard writes.

    It denies everything: should it ever reach CloudFormation, KMS refuses it, and no key is made under a
    default. One document serves all keys, for making one costs a call into Node.
    """
    if not _PLACEHOLDER:
        deny = {
            "Sid": "NotYetWritten",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "kms:*",
            "Resource": "*",
        }
        _PLACEHOLDER.append(iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": [deny]}))
    return _PLACEHOLDER[0]


def _arns(principals: Sequence[NamedPrincipal]) -> tuple[str, ...]:
    return tuple(one.arn for one in principals)
