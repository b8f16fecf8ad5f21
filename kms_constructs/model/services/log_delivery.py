"""Logs that AWS services deliver to encrypted buckets."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    ALL_SYMMETRIC,
    BUCKET,
    PARTITION,
    REGION,
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    Caller,
    Consumer,
    KeyForm,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    Step,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-S3.html"

REQUIREMENT = ServiceRequirement(
    name="log_delivery",
    title="Log delivery to S3",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-S3.html",
        "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/enable-access-logs.html",
        "https://docs.aws.amazon.com/waf/latest/developerguide/logging-s3.html",
    ),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="delivery.logs.amazonaws.com",
            actions=(*ALL_SYMMETRIC, "DescribeKey"),
            page=_PAGE,
            sends={SOURCE_ACCOUNT: ACCOUNT, SOURCE_ARN: f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:*"},
            limits=(
                ("StringEquals", SOURCE_ACCOUNT),
                ("ArnLike", SOURCE_ARN),
            ),
            called=("GenerateDataKey",),
            note=("WAF's page asks for GenerateDataKey* alone, the page on log delivery for all of them."),
        ),
    ),
    consumers=(
        Consumer(
            (Step("AWS::EC2::FlowLog", ("LogDestination",), {"LogDestinationType": "s3"}), BUCKET),
            (KeyForm.ARN,),
            _PAGE,
        ),
        Consumer(
            (
                Step(
                    "AWS::ElasticLoadBalancingV2::LoadBalancer",
                    ("LoadBalancerAttributes/*/Value",),
                    {"Type": "network", "LoadBalancerAttributes/*/Key": "access_logs.s3.bucket"},
                ),
                BUCKET,
            ),
            (KeyForm.ARN,),
            _PAGE,
        ),
        Consumer(
            (Step("AWS::WAFv2::LoggingConfiguration", ("LogDestinationConfigs/*",)), BUCKET),
            (KeyForm.ARN,),
            _PAGE,
        ),
        Consumer(
            (Step("AWS::Logs::DeliveryDestination", ("DestinationResourceArn",)), BUCKET),
            (KeyForm.ARN,),
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "VPC flow log, NLB access log, WAF log and other vended logs",
            "ec2.FlowLogDestination.to_s3(bucket)",
            "delivery.logs.amazonaws.com",
            "services=[ServiceAccess.log_delivery()]",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.log_delivery(…)",
        sid="LogDelivery",
        shape=Shape.SOURCES,
        summary="Lets AWS services deliver logs to buckets that are encrypted with this key.",
        detail=(
            "VPC flow logs, access logs of Network Load Balancers, WAF and others come by this"
            " way. The bucket has to name the key by its ARN."
        ),
        source="logs",
        sources="ARNs of the logs' sources: `arn:aws:logs:REGION:ACCOUNT:*`, or a delivery source",
    ),
    asks_as=("delivery.logs.amazonaws.com",),
    notes=(
        "Application Load Balancers do not come by this way, and take no KMS key at all.",
        (
            "AWS's page on Network Load Balancers shows the statement without a condition; its"
            " bucket policy has them."
        ),
    ),
)
