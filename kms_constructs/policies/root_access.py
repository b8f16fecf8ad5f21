"""How much the account root principal of a key policy delegates."""

from __future__ import annotations

from enum import StrEnum


class RootAccess(StrEnum):
    """What the statement for the account root principal hands to the account.

    The account root principal in a key policy does two things: it lets the root user recover a key that
    nobody can manage any more, and it delegates: any IAM policy of the account may then grant what the
    statement allows. Only the second thing is dangerous, and the three modes differ in it.

    In every mode the Denies of the key policy hold against the delegation too: nobody but the principals that
    were named may delete or disable the key or change its policy, whatever an IAM policy says.

    See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """

    ADMINISTRATION = "administration"
    """Administrative actions only: no IAM policy can hand out use of the key. The default."""

    FULL_DELEGATION = "full-delegation"
    """``kms:*``: IAM policies of the account may grant use of the key, and key administrators who may write
    IAM policies may grant it to themselves. Separation of duties is then a matter of IAM, not of this key:
    it declares so, and IAM-KMS-8 reports that as a warning."""

    ROOT_USER_ONLY = "root-user-only"
    """Administrative actions, and for the root user alone: no IAM policy counts at all."""
