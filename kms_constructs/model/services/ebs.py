"""Volumes of EBS."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ANY_FORM,
    LAUNCH_TEMPLATE,
    Consumer,
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

_PAGE = "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html"

REQUIREMENT = ServiceRequirement(
    name="ebs",
    title="EBS volume",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/kms/latest/developerguide/services-ebs.html",
    ),
    via="ec2",
    callers=(
        through_service(
            "ec2",
            Who.CREATOR,
            (
                "Decrypt",
                "DescribeKey",
                "GenerateDataKeyWithoutPlaintext",
                "ReEncryptFrom",
                "ReEncryptTo",
                "CreateGrant",
            ),
            page=_PAGE,
            when=When.CREATE,
            context={"aws:ebs:id": "*"},
            called=("DescribeKey", "GenerateDataKeyWithoutPlaintext", "CreateGrant"),
        ),
    ),
    consumers=(
        named_by("AWS::EC2::Volume", "KmsKeyId", page=_PAGE),
        named_by("AWS::EC2::Instance", "BlockDeviceMappings/*/Ebs/KmsKeyId", page=_PAGE),
        Consumer(
            (Step("AWS::EC2::Instance", ("LaunchTemplate/LaunchTemplateId",)), LAUNCH_TEMPLATE),
            ANY_FORM,
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "EBS volume",
            "ec2.Volume(encryption_key=key)",
            "whoever creates and attaches the volume",
            "services=[ServiceAccess.ebs([…])]",
            refused=True,
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.ebs([…])",
        sid="Ebs",
        shape=Shape.PRINCIPALS,
        summary=(
            "Lets principals of the key's account create and attach EBS volumes that are"
            " encrypted with this key."
        ),
        detail=(
            "Instances of Auto Scaling groups are launched by a service-linked role, which"
            " `auto_scaling` lets in."
        ),
        principals="Roles and users who create volumes, and launch instances that have them.",
    ),
    asks_through=("ec2",),
    notes=(
        (
            "The instance decrypts through a grant to its role aws:ec2-infrastructure, which a"
            " Deny by network location would hit."
        ),
        "Making a launch template calls nothing: whoever launches from it calls KMS.",
    ),
)
