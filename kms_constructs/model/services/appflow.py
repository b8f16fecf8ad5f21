"""Flows of AppFlow."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    KeyForm,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/appflow/latest/userguide/security_iam_service-with-iam.html"

REQUIREMENT = ServiceRequirement(
    name="appflow",
    title="AppFlow flow",
    pages=(_PAGE,),
    via="appflow",
    callers=(
        through_service("appflow", Who.CREATOR, ("DescribeKey", "CreateGrant"), page=_PAGE, when=When.CREATE),
    ),
    consumers=(
        named_by("AWS::AppFlow::Flow", "KMSArn", page=_PAGE, forms=(KeyForm.ARN,)),
        named_by("AWS::AppFlow::ConnectorProfile", "KMSArn", page=_PAGE, forms=(KeyForm.ARN,)),
    ),
    rows=(
        Row(
            "AppFlow flow",
            "appflow.CfnFlow(kms_arn=key.key_arn)",
            "whoever creates the flow",
            "services=[ServiceAccess.appflow([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.appflow([…])",
        sid="Appflow",
        shape=Shape.PRINCIPALS,
        summary=(
            "Lets principals of the key's account create flows and connector profiles that"
            " AppFlow encrypts with this key."
        ),
        detail=("They also need `kms:ListKeys` and `kms:ListAliases`, which only an IAM policy can give."),
        principals="Roles and users who create flows.",
    ),
    asks_through=("appflow",),
    notes=("AWS lists kms:ListGrants, too, which a key user of a sealed key has.",),
)
