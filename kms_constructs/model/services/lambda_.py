"""Variables of Lambda functions."""

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

_PAGE = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html"

REQUIREMENT = ServiceRequirement(
    name="lambda_",
    title="Lambda function",
    pages=(_PAGE, "https://docs.aws.amazon.com/lambda/latest/dg/snapstart-security.html"),
    via="lambda",
    callers=(
        through_service(
            "lambda", Who.CREATOR, ("Decrypt", "Encrypt", "CreateGrant"), page=_PAGE, when=When.CREATE
        ),
    ),
    consumers=(named_by("AWS::Lambda::Function", "KmsKeyArn", page=_PAGE, forms=(KeyForm.ARN,)),),
    rows=(
        Row(
            "Lambda environment",
            "lambda_.Function(environment_encryption=key)",
            "whoever creates the function; its role is granted Decrypt",
            "services=[ServiceAccess.lambda_([…])], or key_users",
        ),
        Row(
            "Lambda SnapStart snapshot",
            "lambda_.CfnFunction(snap_start=…, kms_key_arn=key.key_arn)",
            "as for the function's variables: it is the same key",
            "services=[ServiceAccess.lambda_([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.lambda_([…])",
        sid="Lambda",
        shape=Shape.PRINCIPALS,
        summary="Lets principals of the key's account configure functions whose variables this key encrypts.",
        detail="The function's own role needs nothing: Lambda decrypts through the grant.",
        principals="Roles and users who create and change functions.",
    ),
    asks_through=("lambda",),
    undocumented=("Calls that SnapStart makes besides those for the function's variables.",),
)
