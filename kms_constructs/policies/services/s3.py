"""The preset for S3."""

from __future__ import annotations

from collections.abc import Sequence

from kms_constructs.model.service_requirement import CONTEXT
from kms_constructs.model.services.s3 import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, object_contexts, through_caller


def s3(
    principals: Sequence[object] = (),
    *,
    readers: Sequence[object] = (),
    bucket_arns: Sequence[str] = (),
) -> Templates:
    """Lets principals of the key's account read and write objects that S3 encrypts with this key.

    Writing includes Decrypt: S3 needs it to put a multipart upload together. Whether a writer may read is
    for the bucket policy to say.

    Args:
        principals: Roles and users who write, and read where the bucket lets them.
        readers: Roles and users who only read.
        bucket_arns: When given, only objects of these buckets, by the encryption context `aws:s3:arn`
            (the bucket with an S3 Bucket Key, else the object).

    Raises:
        ArgumentError: Nobody named, a principal that is none, an ARN that is no bucket's.

    See: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    context = {f"{CONTEXT}aws:s3:arn": object_contexts("bucket_arns", bucket_arns)} if bucket_arns else {}
    made: Templates = ()
    if principals or not readers:
        made += through_caller(REQUIREMENT, "", principals, context)
    if readers:
        made += through_caller(REQUIREMENT, "Readers", readers, context, argument="readers")
    return made
