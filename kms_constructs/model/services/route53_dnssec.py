"""Hosted zones that Route 53 signs."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    FOR_AWS_RESOURCE,
    PARTITION,
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    Caller,
    KeyForm,
    PresetText,
    Row,
    ServiceRequirement,
    When,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/access-control-managing-permissions.html"

REQUIREMENT = ServiceRequirement(
    name="route53_dnssec",
    title="Route 53 DNSSEC",
    pages=(_PAGE,),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="dnssec-route53.amazonaws.com",
            actions=("DescribeKey", "GetPublicKey", "Sign", "CreateGrant"),
            page=_PAGE,
            when=When.CREATE,
            sends={
                SOURCE_ACCOUNT: ACCOUNT,
                SOURCE_ARN: f"arn:{PARTITION}:route53:::hostedzone/*",
                FOR_AWS_RESOURCE: "true",
            },
            limits=(("StringEquals", SOURCE_ACCOUNT), ("ArnLike", SOURCE_ARN)),
        ),
    ),
    consumers=(
        named_by(
            "AWS::Route53::KeySigningKey",
            "KeyManagementServiceArn",
            page=_PAGE,
            forms=(KeyForm.ARN,),
        ),
    ),
    rows=(
        Row(
            "Route 53 key-signing key",
            "route53.KeySigningKey(kms_key=key)",
            "dnssec-route53.amazonaws.com",
            "services=[ServiceAccess.route53_dnssec([…])]",
            refused=True,
        ),
    ),
    preset=PresetText(call="ServiceAccess.route53_dnssec([…])", sid="Route53Dnssec"),
    asks_as=("dnssec-route53.amazonaws.com",),
    key_spec="ECC_NIST_P256",
    key_usage="SIGN_VERIFY",
    region="us-east-1",
)
