"""Access logs of Application Load Balancers: no KMS key."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ANY_FORM,
    BUCKET,
    Consumer,
    Row,
    ServiceRequirement,
    Step,
)

_PAGE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html"
_DEFAULTS = {"Type": "application"}

REQUIREMENT = ServiceRequirement(
    name="alb_access_logs",
    title="Application Load Balancer access logs",
    pages=(_PAGE,),
    callers=(),
    consumers=(
        Consumer(
            (
                Step(
                    "AWS::ElasticLoadBalancingV2::LoadBalancer",
                    ("LoadBalancerAttributes/*/Value",),
                    {"Type": "application", "LoadBalancerAttributes/*/Key": "access_logs.s3.bucket"},
                    _DEFAULTS,
                ),
                BUCKET,
            ),
            ANY_FORM,
            _PAGE,
        ),
        Consumer(
            (
                Step(
                    "AWS::ElasticLoadBalancingV2::LoadBalancer",
                    ("LoadBalancerAttributes/*/Value",),
                    {"Type": "application", "LoadBalancerAttributes/*/Key": "connection_logs.s3.bucket"},
                    _DEFAULTS,
                ),
                BUCKET,
            ),
            ANY_FORM,
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "Application Load Balancer access logs",
            "load_balancer.log_access_logs(bucket)",
            "nobody",
            "none: the bucket takes SSE-S3 only",
            refused=True,
        ),
    ),
    unsupported="Application Load Balancers write logs to buckets with SSE-S3 only",
)
