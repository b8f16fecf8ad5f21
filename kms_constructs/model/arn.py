"""ARNs, the partitions that they lie in, and account ids.

An ARN has six fields between colons: ``arn``, partition, service, Region, account, resource. The resource is
everything after the fifth colon, and may hold colons itself: IAM takes them in the path of a role or user.
Text with holes is cut where it stands: a colon inside a hole does not count.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NewType

from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import CLOSE, OPEN, HoleKind, hole

AccountId = NewType("AccountId", str)
"""Twelve digits."""

OPEN_PARTITION = hole(HoleKind.ENVIRONMENT, "AWS::Partition")
"""The partition of a deployment whose Region is not known."""

_FIELDS = 6
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")


class Partition(Frozen, frozen=True):
    """A group of Regions with accounts, principals and service names of its own.

    Args:
        name: As the ARNs of the partition hold it: ``aws-us-gov``.
        dns_suffix: What its endpoints end in.
        region_prefixes: What the names of its Regions begin with; empty for ``aws``, whose Regions are all
            the others.
    """

    name: str
    dns_suffix: str
    region_prefixes: tuple[str, ...] = ()


PARTITIONS: dict[str, Partition] = {
    partition.name: partition
    for partition in (
        Partition("aws", "amazonaws.com"),
        Partition("aws-cn", "amazonaws.com.cn", ("cn-",)),
        Partition("aws-us-gov", "amazonaws.com", ("us-gov-",)),
        Partition("aws-iso", "c2s.ic.gov", ("us-iso-",)),
        Partition("aws-iso-b", "sc2s.sgov.gov", ("us-isob-",)),
        Partition("aws-iso-e", "cloud.adc-e.uk", ("eu-isoe-",)),
        Partition("aws-iso-f", "csp.hci.ic.gov", ("us-isof-",)),
        Partition("aws-eusc", "amazonaws.eu", ("eusc-",)),
    )
}
"""Every partition by name. A test holds them against botocore's."""


@lru_cache(maxsize=1024)
def of_region(region: str) -> Partition:
    """The partition of a Region: ``aws`` unless the Region's name says otherwise.

    Example:
        >>> of_region("cn-north-1").name, of_region("us-isob-east-1").name, of_region("eu-west-1").name
        ('aws-cn', 'aws-iso-b', 'aws')
    """
    return next(
        (found for found in PARTITIONS.values() if region.startswith(found.region_prefixes or ("\0",))),
        PARTITIONS["aws"],
    )


def is_account_id(text: str) -> bool:
    """Whether the text is an account id: twelve ASCII digits.

    Example:
        >>> is_account_id("111122223333"), is_account_id("11112222333"), is_account_id("١١١١٢٢٢٢٣٣٣٣")
        (True, False, False)
    """
    return _ACCOUNT.fullmatch(text) is not None


def is_region_name(text: str) -> bool:
    """Whether the text is written as the name of a Region is; whether AWS has one of that name is not asked.

    Example:
        >>> is_region_name("us-gov-west-1"), is_region_name("eu-west"), is_region_name("EU-WEST-1")
        (True, False, False)
    """
    return _REGION.fullmatch(text) is not None


class Arn(Frozen, frozen=True):
    """The fields of an ARN, each as written: a field may be a pattern, or have holes.

    Example:
        >>> found = parse_arn("arn:aws-cn:iam::111122223333:role/a:b/App")
        >>> found.partition, found.account, found.resource
        ('aws-cn', '111122223333', 'role/a:b/App')
    """

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @property
    def fields(self) -> tuple[str, str, str, str, str]:
        """Partition, service, Region, account and resource."""
        return self.partition, self.service, self.region, self.account, self.resource

    @property
    def canonical(self) -> str:
        """The ARN without its partition: what two ARNs of one principal have in common.

        For comparing alone: it is no ARN, and no text that anybody reads may show it.
        """
        return f"arn::{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def is_root(self) -> bool:
        """Whether it is the ARN of an account: as a caller its root user, in a policy all of it."""
        return self.service == "iam" and self.resource == "root"

    def __str__(self) -> str:
        return f"arn:{':'.join(self.fields)}"


@lru_cache(maxsize=32768)
def parse_arn(text: str) -> Arn | None:
    """The fields of an ARN; None for text that is none.

    Example:
        >>> parse_arn("arn:aws:iam::111122223333:root").is_root
        True
        >>> parse_arn("111122223333") is None
        True
    """
    fields = cut(text)
    return Arn(*fields[1:]) if len(fields) == _FIELDS and fields[0] == "arn" else None


def cut(text: str) -> tuple[str, ...]:
    """The text at its first five colons; fewer than six parts where there are not as many.

    Example:
        >>> cut("arn:aws:logs:us-east-1:111122223333:log-group:app:*")[-1]
        'log-group:app:*'
    """
    # Where the name is undecided alone, as mostly, all those colons stand before it.
    if OPEN not in text or text.count(":", 0, text.index(OPEN)) >= _FIELDS - 1:
        return tuple(text.split(":", _FIELDS - 1))
    fields: list[str] = [""]
    inside = False
    for character in text:
        inside = character == OPEN or (inside and character != CLOSE)
        if character == ":" and not inside and len(fields) < _FIELDS:
            fields.append("")
        else:
            fields[-1] += character
    return tuple(fields)


@lru_cache(maxsize=32768)
def canonical(text: str) -> str:
    """The canonical form of an ARN (see `Arn.canonical`); other text as it is."""
    found = parse_arn(text)
    return found.canonical if found is not None else text


__all__ = [
    "OPEN_PARTITION",
    "PARTITIONS",
    "AccountId",
    "Arn",
    "Partition",
    "canonical",
    "cut",
    "is_account_id",
    "of_region",
    "parse_arn",
]
