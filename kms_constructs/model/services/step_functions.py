"""State machines of Step Functions."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    PARTITION,
    REGION,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    Step,
    When,
    Who,
    named_by,
    through_service,
)

_PAGE = "https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html"

REQUIREMENT = ServiceRequirement(
    name="step_functions",
    title="Step Functions state machine",
    pages=(_PAGE,),
    via="states",
    callers=(
        through_service(
            "states", Who.CREATOR, ("DescribeKey", "GenerateDataKey"), page=_PAGE, when=When.CREATE
        ),
        through_service(
            "states",
            Who.ROLE,
            ("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            context={
                "aws:states:stateMachineArn": f"arn:{PARTITION}:states:{REGION}:{ACCOUNT}:stateMachine:*"
            },
            roles=((Step("AWS::StepFunctions::StateMachine", ("RoleArn",)),),),
            note="Synchronous express executions need Decrypt alone.",
        ),
    ),
    consumers=(named_by("AWS::StepFunctions::StateMachine", "EncryptionConfiguration/KmsKeyId", page=_PAGE),),
    rows=(
        Row(
            "Step Functions state machine",
            "stepfunctions.CfnStateMachine(encryption_configuration=…key.key_arn…)",
            "whoever creates the state machine, and its role",
            "services=[ServiceAccess.step_functions([…])], or key_users",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.step_functions([…])",
        sid="StepFunctions",
        shape=Shape.PRINCIPALS,
        summary=(
            "Lets principals of the key's account create and run state machines that Step"
            " Functions encrypts with this key."
        ),
        detail=(
            "With logging to CloudWatch Logs, delivery.logs.amazonaws.com needs Decrypt besides,"
            " for which AWS documents no condition."
        ),
        principals="Whoever creates state machines, and the roles of the state machines.",
    ),
    asks_through=("states",),
)
