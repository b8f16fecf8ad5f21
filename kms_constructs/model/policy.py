"""A policy document as data: parsed once, tolerant of every legal spelling, silent about nothing.

IAM lets `Statement` be one object or a list, `Action` one string or a list, `Version` be missing, and element
names and condition keys differ in case. What is not legal becomes a `PolicyProblem` and, where access depends
on it, an unknown: an unknown Allow allows anyone, an unknown Deny denies nobody.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from kms_constructs.model.arn import PARTITIONS, parse_arn
from kms_constructs.model.policy_parser import Parser, Prepare
from kms_constructs.model.statement import Condition, Effect, Policy, PolicyProblem, Principal, Statement

__all__ = [
    "DEFAULT_KEY_POLICY_SID",
    "Condition",
    "Effect",
    "Policy",
    "PolicyProblem",
    "Principal",
    "Statement",
    "default_key_policy",
    "named_partition",
    "parse_policy",
]

DEFAULT_KEY_POLICY_SID = "DefaultKeyPolicy"


def default_key_policy(partition: str, account: str) -> Policy:
    """The key policy that KMS gives a key made without one: the account, through IAM, may do everything.

    See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """
    return parse_policy(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Sid": DEFAULT_KEY_POLICY_SID,
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
        },
        path="",
    )


def parse_policy(document: object, *, path: str = "", prepare: Prepare | None = None) -> Policy:
    """Reads a policy document.

    Args:
        document: A mapping, JSON text of one, or unknown. Lists may hold `Maybe` elements, texts may have
            holes, and any value may be unknown.
        path: Where it stands, put before the paths of statements and problems.
        prepare: Makes each statement fit to be read. Its answer must depend on the statement alone, for a
            statement that was read is remembered.

    Returns:
        The policy. Never raises: a document that cannot be read is a policy that is unknown, with a problem.
    """
    return Parser(path, prepare).policy(document)


def named_partition(policy: Policy) -> str | None:
    """The partition that a policy's own principals lie in; None when they do not tell.

    KMS takes no policy that names a principal of another partition. So the ARN of a principal settles it, if
    its statement is there for certain.
    """
    for statement in policy.statements:
        if not statement.certain:
            continue
        for principals in (statement.principals, statement.not_principals):
            for principal in principals if isinstance(principals, tuple) else ():
                arn = parse_arn(principal.value) if principal.type == "AWS" else None
                if arn is not None and arn.partition in PARTITIONS:
                    return arn.partition
    return None
