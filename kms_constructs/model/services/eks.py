"""Secrets of EKS clusters."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    VIA_SERVICE_PAGE,
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

_PAGE = "https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html"

REQUIREMENT = ServiceRequirement(
    name="eks",
    title="EKS cluster",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/eks/latest/userguide/envelope-encryption.html",
        VIA_SERVICE_PAGE,
    ),
    via="eks",
    callers=(
        through_service(
            "eks",
            Who.CREATOR,
            ("DescribeKey", "CreateGrant"),
            page=_PAGE,
            when=When.CREATE,
            for_aws_resource=False,
            note="AWS says that kms:GrantIsForAWSResource is not supported for CreateCluster.",
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
            "services=[ServiceAccess.eks([…])]; key_users do not do, whose grants are for AWS resources",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.eks([…])",
        sid="Eks",
        shape=Shape.PRINCIPALS,
        summary="Lets principals of the key's account create clusters whose secrets this key encrypts.",
        detail=(
            "EKS makes the grant that it needs in their name, and does not say that it is for an AWS"
            " resource: the Deny on direct grants leaves out what comes through EKS."
        ),
        principals="Roles and users who create clusters.",
    ),
    undocumented=("The grantee and the operations of the grant of CreateCluster.",),
)
