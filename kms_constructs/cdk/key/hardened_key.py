"""`HardenedKey`: what `SecureKmsKey` and `SecureKmsReplicaKey` have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from kms_constructs.cdk.configuration import in_force
from kms_constructs.cdk.key.checked_key import checked_key
from kms_constructs.cdk.key.grants import GrantBook
from kms_constructs.cdk.key.guard import guard
from kms_constructs.cdk.key.key_arguments import complete
from kms_constructs.cdk.key.made_at import remember
from kms_constructs.cdk.key.principals import is_person
from kms_constructs.cdk.key.refused import refuse
from kms_constructs.cdk.key.sealed import SealedGrants, grants_each_use
from kms_constructs.cdk.key.stack_facts import child_path, facts_of, root_of, stack_of
from kms_constructs.errors import ArgumentError, SealedPolicyError
from kms_constructs.model.key_specs import Origin, can_rotate
from kms_constructs.policies.key_policy import declaration, key_policy


@grants_each_use("grant_", to="grant")
class HardenedKey(kms.Key):
    """A KMS key with a policy that is written whole at construction, and is sealed then.

    A subclass says which arguments it takes, and what of them a key of its kind has not.
    """

    _ARGUMENTS: ClassVar[type]
    """The TypedDict that declares the arguments."""
    _IS_REPLICA: ClassVar[bool]

    def __init__(self, scope: Construct, construct_id: str, arguments: Mapping[str, Any]) -> None:
        given = complete(self._ARGUMENTS, arguments, type(self).__name__)
        stack = stack_of(scope)
        self._stack = stack
        self._facts = facts_of(stack)
        checked = checked_key(
            given,
            self._facts,
            child_path(scope, construct_id),
            config=in_force(root_of(stack)),
            replica=self._IS_REPLICA,
        )
        self._given = given
        self._checked = checked
        self.target = checked.target
        self.policy_spec = checked.policy
        self._grant_book = GrantBook(checked.policy, checked.target, checked.managing, checked.using, stack)
        self._granting = False
        spec = checked.policy
        # For a replica, too, for it rotates with its primary: checks that look at constructs want to see
        # it. The guard keeps it out of the replica's template.
        rotates = can_rotate(spec.key_spec, spec.origin) or None
        multi_region = spec.multi_region or None
        self._made_with = {
            "description": checked.description,
            "enableKeyRotation": rotates,
            "multiRegion": multi_region,
            "keyPolicy": placeholder_policy(),
        }
        super().__init__(
            scope,
            construct_id,
            alias=checked.alias,
            description=checked.description,
            enable_key_rotation=rotates,
            multi_region=multi_region,
            policy=placeholder_policy(),
            removal_policy=checked.removal_policy,
        )
        self._made_at = remember(root_of(stack), checked.target.where)
        guard(stack, scope, self, self)
        self._add_what_was_asked_for()

    @property
    def alias_name(self) -> str:
        """Name of the alias, with ``alias/``."""
        return self._checked.alias

    @property
    def alias_arn(self) -> str:
        """ARN of the alias."""
        facts = self._facts
        return f"arn:{facts.partition}:kms:{facts.region}:{facts.account}:{self._checked.alias}"

    def declared_policy(self) -> dict[str, object]:
        """The key policy as it will be written: what was declared, and the grants made since."""
        spec = self.policy_spec
        further = (*spec.further, *self._grant_book.statements())
        return key_policy(replace(spec, further=further))

    def declared_properties(self) -> dict[str, object]:
        """CloudFormation properties but for the tags, as the guard of the stack writes them."""
        spec = self.policy_spec
        properties: dict[str, object] = {
            "Description": self._checked.description,
            "KeyPolicy": self.declared_policy(),
            "KeySpec": spec.key_spec,
            "KeyUsage": spec.key_usage.value,
            "MultiRegion": spec.multi_region,
            "PendingWindowInDays": spec.pending_window,
        }
        if spec.origin != Origin.AWS_KMS:
            properties["Origin"] = spec.origin
        if self._checked.rotation_period is not None:
            properties["EnableKeyRotation"] = True
            properties["RotationPeriodInDays"] = self._checked.rotation_period
        return properties

    def made_with(self) -> Mapping[str, object]:
        """Properties of the L1 as this construct made it, before anybody else could change them."""
        return self._made_with

    def declared_type(self) -> str | None:
        """Type of the resource, where it is none of AWS::KMS::Key."""
        return None

    def foreign_properties(self) -> frozenset[str]:
        """Properties that the resource may not have; none for a primary key."""
        return frozenset()

    def declared_tags(self) -> dict[str, str]:
        """Tags of the key; they win over tags that the app gives under the same names."""
        return self._checked.tags

    def declared_metadata(self) -> dict[str, object]:
        """Resource metadata, for the guardrails: who is authorised, direct grants, expiry of the material."""
        return declaration(self.policy_spec).to_json()

    def declared_removal_policy(self) -> RemovalPolicy:
        """What happens to the key when it leaves the stack."""
        return self._checked.removal_policy

    def apply_removal_policy(self, policy: RemovalPolicy) -> None:
        """Refuses another removal policy than the declared one.

        Raises:
            ArgumentError: The policy is another.
        """
        if policy is not self._checked.removal_policy:
            raise ArgumentError(
                "removal_policy",
                policy.name,
                f"{self._checked.removal_policy.name} was declared when the key was made",
                "give removal_policy to SecureKmsKey",
                where=self.target.where,
            )

    def add_to_resource_policy(
        self, statement: iam.PolicyStatement, allow_no_op: bool | None = None
    ) -> iam.AddToResourcePolicyResult:
        """Accepts what the declared policy says already; constructs of the CDK call this, too.

        Use by a role or user of the same stack through one service (``secret.grant_read(function)``) becomes
        a statement of its own, limited to that service. Everything else is refused: the refusals of an app
        are collected, and its synth raises them together.

        Raises:
            SealedSynthError: Not here but by ``app.synth()``: the statement is not in the declared policy, or
                the principal manages the key. The message names the argument that puts it there.
        """
        if not self._granting:
            for error in self._grant_book.answer(statement.to_statement_json()):
                refuse(self._stack, error, self._made_at)
        return iam.AddToResourcePolicyResult(statement_added=True, policy_dependable=self)

    def grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Makes a role or user of the same stack a key user, in its IAM policy and in the key policy.

        Args:
            grantee: The role or user; a Lambda function or another construct that has one.
            actions: KMS actions that use the key.

        Raises:
            ArgumentError: The grantee is nobody that a key policy can name.
            SealedSynthError: Not here but by ``app.synth()``: the grantee manages the key, lives in another
                stack or account, is a service, or the actions administer the key. The message names the
                argument to use.
        """
        principal = grantee.grant_principal
        if is_person(principal):
            try:
                self._grant_book.grant(principal, actions, foreign_stack=self._foreign_stack(principal))
            except SealedPolicyError as error:
                refuse(self._stack, error, self._made_at)
                return iam.Grant.drop(grantee, "refused")
            self._granting = True
        try:
            return kms.KeyGrants.from_key(self, False).actions(grantee, *actions)
        finally:
            self._granting = False

    def grant_admin(self, grantee: iam.IGrantable) -> iam.Grant:
        """Refuses: administrators are named when the key is made.

        Raises:
            SealedSynthError: Not here but by ``app.synth()``: always.
        """
        error = SealedPolicyError(
            "grantee",
            _name_of(grantee),
            "administrators are named when the key is made",
            "name it there: key_administrators=[role]",
            where=self.target.where,
        )
        refuse(self._stack, error, self._made_at)
        return iam.Grant.drop(grantee, "refused")

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

    def _add_what_was_asked_for(self) -> None:
        checked = self._checked
        if checked.logical_id is not None:
            resource = self.node.default_child
            assert isinstance(resource, kms.CfnKey)  # noqa: S101 - kms.Key makes one
            resource.override_logical_id(checked.logical_id)
        for name in checked.more_aliases:
            self.add_alias(name)
        if self._given["outputs"]:
            self._write_outputs()
        if checked.parameter is not None:
            self._publish(checked.parameter)

    def _publish(self, parameter: str) -> None:
        ssm.StringParameter(
            self,
            "Parameter",
            parameter_name=parameter,
            string_value=self.key_arn,
            description=f"ARN of the KMS key {self._checked.alias}",
            simple_name=not parameter.startswith("/"),
        )

    def _write_outputs(self) -> None:
        for name, value in (
            ("KeyArn", self.key_arn),
            ("KeyId", self.key_id),
            ("AliasName", self._checked.alias),
            ("AliasArn", self.alias_arn),
        ):
            CfnOutput(self, name, value=value)


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


def _name_of(grantee: Any) -> str:  # noqa: ANN401 - a construct, or a principal that is none
    """What to call a grantee in a message: its construct path, its ARN, or what kind of principal it is."""
    if (node := getattr(grantee, "node", None)) is not None:
        return str(node.path)
    return str(getattr(grantee, "arn", None) or type(grantee).__name__)
