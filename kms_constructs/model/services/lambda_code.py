"""Packages of Lambda functions."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    CONTEXT,
    PARTITION,
    REGION,
    Caller,
    KeyForm,
    PresetText,
    Row,
    ServiceRequirement,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/lambda/latest/dg/encrypt-zip-package.html"
_CONTEXT = f"{CONTEXT}aws:lambda:FunctionArn"

REQUIREMENT = ServiceRequirement(
    name="lambda_code",
    title="Lambda deployment package",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="lambda.amazonaws.com",
            actions=("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            sends={_CONTEXT: f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:*"},
            limits=(("ArnLike", _CONTEXT),),
            note="AWS's example compares the context by StringLike. Lambda makes no grant here.",
        ),
    ),
    consumers=(named_by("AWS::Lambda::Function", "Code/SourceKMSKeyArn", page=_PAGE, forms=(KeyForm.ARN,)),),
    rows=(
        Row(
            "Lambda deployment package",
            "lambda_.CfnFunction(code=…source_kms_key_arn=key.key_arn…)",
            "lambda.amazonaws.com, and whoever views or changes the function",
            "services=[ServiceAccess.lambda_code()], and key_users",
        ),
    ),
    preset=PresetText(call="ServiceAccess.lambda_code(…)", sid="LambdaCode"),
    undocumented=("Whether a source is sent besides.",),
    notes=("Only who may use the key can view or manage the code and configuration of the function.",),
)
