"""The guardrails as organization policies, for a stack in the management account."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from aws_cdk import CfnTag
from aws_cdk import aws_organizations as organizations
from constructs import Construct

from kms_constructs.errors import ArgumentError
from kms_constructs.model.arn import is_account_id
from kms_constructs.policies.organization import (
    Exemptions,
    ExemptionsAndPerimeter,
    PolicyJson,
    resource_control_policy,
    service_control_policy,
)
from kms_constructs.policies.target import check_list, is_token

_TARGET = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}")
_NAME = re.compile(r"[ -~]{1,128}")


class GuardrailServiceControlPolicy(Construct):
    """The service control policy that guards every KMS key against principals of member accounts.

    Deploy it from the organization's management account, or from a delegated administrator for policies. The
    organization has to have service control policies enabled.

    Example:
        >>> from aws_cdk import App, Stack
        >>> policy = GuardrailServiceControlPolicy(
        ...     Stack(App(analytics_reporting=False), "Guardrails"), "Scp",
        ...     targets=["ou-ab12-11111111"], exempt_principals=["arn:aws:iam::*:role/BreakGlass"])
        >>> policy.document["Statement"][0]["Sid"]
        'DenyKeyDestruction'

    See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-organizations-policy.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        targets: Sequence[str],
        policy_name: str = "kms-guardrails-scp",
        description: str = "Guards KMS keys against destruction, policy changes and direct grants",
        tags: Mapping[str, str] | None = None,
        **exemptions: Unpack[Exemptions],
    ) -> None:
        """Makes the service control policy and attaches it.

        Args:
            scope: The stack.
            construct_id: Id within it.
            targets: Roots (``r-…``), organizational units (``ou-…``) and account ids to attach it to. Start
                with a test account: a policy that is too tight locks people out at once.
            policy_name: At most 128 characters, unique within the organization.
            description: At most 512 characters.
            tags: Tags of the policy.
            **exemptions: exempt_principals, deployment_principals, grant_principals and
                minimum_pending_window, as in `kms_constructs.policies.organization.service_control_policy`.

        Raises:
            ArgumentError: A target that is none, or exemptions that the document cannot hold.
        """
        super().__init__(scope, construct_id)
        self.document: PolicyJson = service_control_policy(**exemptions)
        self.policy = _policy(
            self,
            "SERVICE_CONTROL_POLICY",
            self.document,
            targets=targets,
            name=policy_name,
            description=description,
            tags=tags,
        )
        self.policy_id = self.policy.attr_id


class GuardrailResourceControlPolicy(Construct):
    """The resource control policy that guards the KMS keys of member accounts against everyone.

    Deploy it as `GuardrailServiceControlPolicy`; the organization has to have resource control policies
    enabled.

    Example:
        >>> from aws_cdk import App, Stack
        >>> policy = GuardrailResourceControlPolicy(
        ...     Stack(App(analytics_reporting=False), "Guardrails"), "Rcp", targets=["r-ab12"])
        >>> policy.document["Statement"][0]["Principal"]
        '*'

    See: https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        targets: Sequence[str],
        policy_name: str = "kms-guardrails-rcp",
        description: str = "Guards KMS keys against destruction, policy changes, direct grants and outsiders",
        tags: Mapping[str, str] | None = None,
        **exemptions: Unpack[ExemptionsAndPerimeter],
    ) -> None:
        """Makes the resource control policy and attaches it.

        Args:
            scope: The stack.
            construct_id: Id within it.
            targets: Roots (``r-…``), organizational units (``ou-…``) and account ids to attach it to.
            policy_name: At most 128 characters, unique within the organization.
            description: At most 512 characters.
            tags: Tags of the policy.
            **exemptions: exempt_principals, deployment_principals, grant_principals, minimum_pending_window,
                organization_id and trusted_accounts, as in
                `kms_constructs.policies.organization.resource_control_policy`.

        Raises:
            ArgumentError: A target that is none, or exemptions that the document cannot hold.
        """
        super().__init__(scope, construct_id)
        self.document: PolicyJson = resource_control_policy(**exemptions)
        self.policy = _policy(
            self,
            "RESOURCE_CONTROL_POLICY",
            self.document,
            targets=targets,
            name=policy_name,
            description=description,
            tags=tags,
        )
        self.policy_id = self.policy.attr_id


def _policy(
    scope: Construct,
    policy_type: str,
    document: PolicyJson,
    *,
    targets: Sequence[str],
    name: str,
    description: str,
    tags: Mapping[str, str] | None,
) -> organizations.CfnPolicy:
    where = scope.node.path
    check_list("targets", targets, where)
    for target in targets:
        if not (is_token(target) or is_account_id(target) or _TARGET.fullmatch(target)):
            raise ArgumentError(
                "targets",
                target,
                "a target is a root (r-…), an organizational unit (ou-…) or an account of twelve digits",
                "copy the id from the Organizations console",
                where=where,
            )
    if len(set(targets)) != len(targets):
        raise ArgumentError(
            "targets", list(targets), "a target stands twice", "name each target once", where=where
        )
    if not _NAME.fullmatch(name):
        raise ArgumentError(
            "policy_name", name, "a name is 1 to 128 ASCII characters", "shorten the name", where=where
        )
    if len(description) > 512:
        raise ArgumentError(
            "description",
            description,
            "a description holds at most 512 characters",
            "shorten the description",
            where=where,
        )
    content: Any = document
    return organizations.CfnPolicy(
        scope,
        "Policy",
        type=policy_type,
        name=name,
        description=description,
        content=content,
        target_ids=list(targets),
        tags=[CfnTag(key=key, value=value) for key, value in tags.items()] if tags else None,
    )
