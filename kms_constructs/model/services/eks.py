"""Secrets of EKS clusters."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    FOR_AWS_RESOURCE,
    Caller,
    KeyForm,
    Row,
    ServiceRequirement,
    When,
    Who,
    named_by,
)

_PAGE = "https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html"

REQUIREMENT = ServiceRequirement(
    name="eks",
    title="EKS cluster",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/eks/latest/userguide/envelope-encryption.html",
    ),
    callers=(
        Caller(
            who=Who.CREATOR,
            actions=("DescribeKey", "CreateGrant"),
            page=_PAGE,
            when=When.CREATE,
            note="AWS says that kms:GrantIsForAWSResource is not supported for CreateCluster.",
            omits=(FOR_AWS_RESOURCE,),
        ),
    ),
    consumers=(
        named_by(
            "AWS::EKS::Cluster",
            "EncryptionConfig/*/Provider/KeyArn",
            page=_PAGE,
            forms=(
                KeyForm.ARN,
                KeyForm.ALIAS,
            ),
        ),
        named_by(
            "Custom::AWSCDK-EKS-Cluster",
            "Config/encryptionConfig/*/provider/keyArn",
            page=_PAGE,
            forms=(KeyForm.ARN,),
        ),
    ),
    rows=(
        Row(
            "EKS secrets",
            "eks.Cluster(secrets_encryption_key=key)",
            "whoever creates the cluster",
            (
                "direct_grants: the grant of CreateCluster is none for an AWS resource, and AWS does"
                " not document its operations"
            ),
        ),
    ),
)
