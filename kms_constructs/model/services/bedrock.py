"""Custom models and guardrails of Bedrock."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    KeyForm,
    PresetText,
    Row,
    ServiceRequirement,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/bedrock/latest/userguide/encryption-custom-job.html"

REQUIREMENT = ServiceRequirement(
    name="bedrock",
    title="Bedrock custom model",
    pages=(_PAGE,),
    via="bedrock",
    callers=(
        through_service(
            "bedrock",
            Who.CREATOR,
            ("Decrypt", "DescribeKey", "GenerateDataKey", "CreateGrant"),
            page=_PAGE,
            when=When.CREATE,
        ),
        through_service("bedrock", Who.READER, ("Decrypt", "GenerateDataKey"), page=_PAGE, sid="Invokers"),
    ),
    consumers=(named_by("AWS::Bedrock::Guardrail", "KmsKeyArn", page=_PAGE, forms=(KeyForm.ARN,)),),
    rows=(
        Row(
            "Bedrock guardrail",
            "bedrock.CfnGuardrail(kms_key_arn=key.key_arn)",
            "whoever creates the guardrail or custom model, and whoever invokes it",
            "services=[ServiceAccess.bedrock([…])], or key_users",
        ),
    ),
    preset=PresetText(call="ServiceAccess.bedrock([…])", sid="Bedrock"),
    asks_through=("bedrock",),
)
