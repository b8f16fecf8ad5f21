"""What is put in for the names that a template leaves to deployment: parameters, Region, account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import field

from kms_constructs.model.arn import OPEN_PARTITION, of_region
from kms_constructs.model.frozen import Frozen

ACCOUNT: Final = "AWS::AccountId"
REGION: Final = "AWS::Region"
PARTITION: Final = "AWS::Partition"


class Values(Frozen, frozen=True):
    """The values of one world.

    Args:
        parameters: What the caller gave, by name: before defaults.
        chosen: Values chosen for parameters of stacks that have no parent, and for the pseudo parameters that
            no input says; None where the value is left open. Before what the caller gave.
        excluded: By name, the values that an open one is known not to have.
        ignore_defaults: Whether a parameter that nobody gave a value has none, whatever its default.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, str | None] = field(default_factory=dict)
    excluded: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ignore_defaults: bool = False


def partition_of(region: str | None) -> str:
    """The partition of a Region; a hole when the Region is not given, for then deployment decides.

    Example:
        >>> partition_of("cn-north-1"), partition_of("us-gov-west-1")
        ('aws-cn', 'aws-us-gov')
    """
    return of_region(region).name if region else OPEN_PARTITION
