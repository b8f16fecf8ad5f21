"""Logs of encrypted state machines."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    ANY_FORM,
    CONTEXT,
    PARTITION,
    REGION,
    Caller,
    Consumer,
    Row,
    ServiceRequirement,
    Step,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html"

REQUIREMENT = ServiceRequirement(
    name="step_functions_logs",
    title="Step Functions state machine with logs",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="delivery.logs.amazonaws.com",
            actions=("Decrypt",),
            page=_PAGE,
            note="AWS's statement has no condition.",
        ),
        Caller(
            who=Who.ROLE,
            actions=("GenerateDataKey",),
            page=_PAGE,
            roles=((Step("AWS::StepFunctions::StateMachine", ("RoleArn",)),),),
            sends={f"{CONTEXT}SourceArn": f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:*"},
            note="The asterisk is part of the value: a literal one.",
        ),
    ),
    consumers=(
        Consumer(
            (
                Step(
                    "AWS::StepFunctions::StateMachine",
                    ("EncryptionConfiguration/KmsKeyId",),
                    {"LoggingConfiguration/Destinations/*/CloudWatchLogsLogGroup/LogGroupArn": "*"},
                ),
            ),
            ANY_FORM,
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "Step Functions state machine with logs",
            "stepfunctions.CfnStateMachine(logging_configuration=…, encryption_configuration=…)",
            "delivery.logs.amazonaws.com, and the role of the state machine",
            "ServiceAccess.custom: AWS documents no condition",
        ),
    ),
    undocumented=("A condition key that the calls of log delivery carry.",),
)
