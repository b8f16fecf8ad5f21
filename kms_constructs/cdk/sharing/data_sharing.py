"""Sharing encrypted objects with another account: key, bucket, both policies, and what the others attach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from kms_constructs.cdk.key.principals import arns, named_principals
from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.errors import ArgumentError
from kms_constructs.policies.external_access import ExternalAccess, Permission
from kms_constructs.policies.principals import Principals
from kms_constructs.policies.services.service_access import ServiceAccess
from kms_constructs.policies.statements import PolicyStatementJson, qualified, statement

_WRITE = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject")
_READ = ("s3:GetObject", "s3:GetObjectVersion")
_LIST = ("s3:GetBucketLocation", "s3:ListBucket")
_SSE = "s3:x-amz-server-side-encryption"
_SSE_KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"
_SSE_CUSTOMER = "s3:x-amz-server-side-encryption-customer-algorithm"


class CrossAccountDataSharing(Construct):
    """A bucket that two accounts share, encrypted with a key that only works through S3.

    Readers read, writers write, and nobody does both who is not named twice. Writing includes `kms:Decrypt`,
    which S3 needs for multipart uploads; as the key works through S3 alone, and the bucket policy lets a
    writer get nothing, no object can be read with it.

    The bucket takes TLS alone, no public access, no encryption but with this key (an upload that names no
    encryption gets it by default), keeps every version, and survives its stack like the key. Another account
    needs an IAM policy of its own as well: the outputs ``ExternalReaderPolicy`` and ``ExternalWriterPolicy``
    hold it, ready to attach.

    Example:
        >>> from aws_cdk import App, Stack
        >>> sharing = CrossAccountDataSharing(
        ...     Stack(App(analytics_reporting=False), "Sharing"), "Orders",
        ...     alias="orders/shared", description="Orders shared with analytics",
        ...     environment="prod", service="orders", data_classification="confidential",
        ...     key_administrators=["arn:aws:iam::111122223333:role/KeyAdmin"],
        ...     writers=["arn:aws:iam::111122223333:role/Orders"],
        ...     external_readers=["arn:aws:iam::444455556666:role/Analytics"],
        ... )
        >>> [statement["Sid"] for statement in sharing.external_reader_policy["Statement"]]
        ['ReadObjects', 'ListBucket', 'UseKeyThroughS3']

    See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html and
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alias: str,
        description: str,
        key_administrators: Principals,
        environment: str,
        service: str,
        data_classification: str,
        owner: str | None = None,
        break_glass_principals: Principals = (),
        deployment_principals: Principals | None = None,
        policy_reviewed_on: date | str | None = None,
        writers: Principals = (),
        readers: Principals = (),
        external_writers: Principals = (),
        external_readers: Principals = (),
        organization_id: str | None = None,
        bucket_name: str | None = None,
        access_log_bucket: s3.IBucket | None = None,
    ) -> None:
        """Makes key, bucket and policies.

        Args:
            scope: The stack of the data's owner.
            construct_id: Id within it.
            alias: Name of the key, with or without ``alias/``.
            description: What the key protects.
            key_administrators: Who manages the key and may not use it; at least one role or user.
            environment: Where it runs.
            service: What it serves.
            data_classification: How sensitive the data is.
            owner: Who answers for it.
            break_glass_principals: When given, deletion, disabling and policy changes are theirs alone.
            deployment_principals: Who deploys the stack; see `KeyArguments`.
            policy_reviewed_on: Day of the last review of the key policy.
            writers: Roles and users of the owner's account who write.
            readers: Roles and users of the owner's account who read.
            external_writers: Roles, users or account roots of other accounts that write.
            external_readers: Roles, users or account roots of other accounts that read.
            organization_id: When given, principals of other accounts have to belong to this organization.
            bucket_name: Name of the bucket. When given, the key works for objects of this bucket alone, by
                the encryption context; otherwise for whatever S3 encrypts with it.
            access_log_bucket: Where S3 writes the server access log.

        Raises:
            ArgumentError: Nobody in another account to share with, or anything that `SecureKmsKey` or
                `ExternalAccess` refuses.
        """
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        where = self.node.path
        if not (external_writers or external_readers):
            raise ArgumentError(
                "external_readers",
                external_readers,
                "there is nobody in another account to share with",
                "name external_readers, external_writers or both",
                where=where,
            )
        buckets = [] if bucket_name is None else [f"arn:{stack.partition}:s3:::{bucket_name}"]
        outside_writers = _external("Writers", external_writers, Permission.BOTH, buckets, organization_id)
        outside_readers = _external("Readers", external_readers, Permission.DECRYPT, buckets, organization_id)
        own = ServiceAccess.s3(writers, readers=readers, bucket_arns=buckets) if writers or readers else None
        self.key = SecureKmsKey(
            self,
            "Key",
            alias=alias,
            description=description,
            key_administrators=key_administrators,
            environment=environment,
            service=service,
            data_classification=data_classification,
            owner=owner,
            break_glass_principals=break_glass_principals,
            deployment_principals=deployment_principals,
            policy_reviewed_on=policy_reviewed_on,
            services=() if own is None else [own],
            external_access=[one for one in (outside_writers, outside_readers) if one is not None],
        )
        self.bucket = self._encrypted_bucket(bucket_name, access_log_bucket)
        in_organization = {} if organization_id is None else {"aws:PrincipalOrgID": organization_id}
        for one in (
            *self._only_this_key(),
            *self._objects("OwnWriters", _arns("writers", writers, where), _WRITE, {}),
            *self._objects("OwnReaders", _arns("readers", readers, where), _READ, {}),
            *self._objects("ExternalWriters", self._outside(outside_writers), _WRITE, in_organization),
            *self._objects("ExternalReaders", self._outside(outside_readers), _READ, in_organization),
        ):
            self.bucket.add_to_resource_policy(iam.PolicyStatement.from_json(one))
        self.external_writer_policy = (
            self._attachable("WriteObjects", _WRITE, ("Decrypt", "GenerateDataKey"), stack)
            if external_writers
            else None
        )
        self.external_reader_policy = (
            self._attachable("ReadObjects", _READ, ("Decrypt",), stack) if external_readers else None
        )
        self._write_outputs(stack)

    def _outside(self, access: ExternalAccess | None) -> Sequence[str]:
        return () if access is None else access.arns(self.key.target)

    def _encrypted_bucket(self, name: str | None, access_log_bucket: s3.IBucket | None) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Bucket",
            bucket_name=name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
            server_access_logs_bucket=access_log_bucket,
        )

    def _write_outputs(self, stack: Stack) -> None:
        for name, policy in (
            ("ExternalWriterPolicy", self.external_writer_policy),
            ("ExternalReaderPolicy", self.external_reader_policy),
        ):
            if policy is not None:
                CfnOutput(
                    self,
                    name,
                    value=stack.to_json_string(policy),
                    description="IAM policy for the principals of the other account",
                )
        CfnOutput(self, "BucketName", value=self.bucket.bucket_name)
        CfnOutput(self, "KeyArn", value=self.key.key_arn)

    def _only_this_key(self) -> list[PolicyStatementJson]:
        """Denies every encryption but with this key; an upload that asks for none gets it by default."""
        asked = {_SSE: "false"}
        everything = self.bucket.arn_for_objects("*")
        return [
            statement(
                sid, "Deny", ["s3:PutObject"], principal="*", resource=everything, conditions=conditions
            )
            for sid, conditions in (
                ("DenyOtherEncryption", {"Null": asked, "StringNotEquals": {_SSE: "aws:kms"}}),
                # Also denies aws:kms without a key: that would be the AWS managed key aws/s3.
                ("DenyOtherKeys", {"Null": asked, "StringNotEquals": {_SSE_KEY: self.key.key_arn}}),
                ("DenyCustomerProvidedKeys", {"Null": {_SSE_CUSTOMER: "false"}}),
            )
        ]

    def _objects(
        self, sid: str, principals: Sequence[str], actions: Sequence[str], equals: Mapping[str, str]
    ) -> list[PolicyStatementJson]:
        if not principals:
            return []
        who = {"AWS": list(principals)}
        conditions = {"StringEquals": equals}
        objects, bucket = self.bucket.arn_for_objects("*"), self.bucket.bucket_arn
        found = [statement(sid, "Allow", actions, principal=who, resource=objects, conditions=conditions)]
        if actions is _READ:
            found.append(
                statement(f"{sid}List", "Allow", _LIST, principal=who, resource=bucket, conditions=conditions)
            )
        return found

    def _attachable(
        self, sid: str, actions: Sequence[str], key_actions: Sequence[str], stack: Stack
    ) -> dict[str, Any]:
        """An IAM policy for principals of the other account."""
        through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}}
        listing = [statement("ListBucket", "Allow", _LIST, resource=self.bucket.bucket_arn)]
        return {
            "Version": "2012-10-17",
            "Statement": [
                statement(sid, "Allow", actions, resource=self.bucket.arn_for_objects("*")),
                *(listing if actions is _READ else ()),
                statement(
                    "UseKeyThroughS3",
                    "Allow",
                    qualified(key_actions),
                    resource=self.key.key_arn,
                    conditions=through_s3,
                ),
            ],
        }


def _arns(argument: str, principals: object, where: str) -> tuple[str, ...]:
    return arns(named_principals(argument, principals, where=where))


def _external(
    name: str,
    principals: Principals,
    permission: Permission,
    bucket_arns: Sequence[str],
    organization_id: str | None,
) -> ExternalAccess | None:
    if not principals:
        return None
    context = {"aws:s3:arn": [text for arn in bucket_arns for text in (arn, f"{arn}/*")]}
    return ExternalAccess(
        name=name,
        principals=principals,
        permissions=[permission],
        via_services=["s3"],
        encryption_context=context if bucket_arns else {},
        organization_id=organization_id,
    )
