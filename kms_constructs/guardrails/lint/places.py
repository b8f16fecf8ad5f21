"""Principals and services of another partition or Region than the key's, and names of actions.

See: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from kms_constructs.guardrails.lint.remark import Remark
from kms_constructs.guardrails.rule import heading
from kms_constructs.model.arn import PARTITIONS, of_region, parse_arn
from kms_constructs.model.estate import Key
from kms_constructs.model.policy import Statement
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import is_unknown

_SUFFIXES = "|".join(sorted({re.escape(one.dns_suffix) for one in PARTITIONS.values()}, reverse=True))
SERVICE_PRINCIPAL = re.compile(rf"[a-z0-9.-]+\.({_SUFFIXES}|amazon\.com|aws\.internal|aws)")
"""Names of service principals, in every partition."""
_REGIONAL = re.compile(rf"(?P<service>[a-z0-9-]+)\.(?P<region>[a-z]{{2,4}}(-[a-z]+)+-\d+)\.({_SUFFIXES})")


def partition_remarks(key: Key, statement: Statement) -> Iterator[Remark]:
    """Principals of another partition: KMS refuses the policy."""
    if has_hole(key.partition):
        return
    for principals in (statement.principals, statement.not_principals):
        for principal in () if is_unknown(principals) else principals or ():
            arn = parse_arn(principal.value) if principal.type == "AWS" else None
            if arn is None or has_hole(arn.partition) or arn.partition == key.partition:
                continue
            if arn.partition not in PARTITIONS:
                continue  # told of as no principal at all
            yield Remark(
                "partition",
                f"{heading(statement)}: {display(principal.value)} lies in partition {arn.partition}, and "
                f"the key in {key.partition}; KMS refuses principals of another partition.",
                f"Write arn:{key.partition}:…, or ${{AWS::Partition}} in a template.",
                f"{statement.path}/Principal",
            )


def region_remarks(key: Key, statement: Statement) -> Iterator[Remark]:
    """Services of another Region: none of them calls KMS about this key."""
    region = key.region
    if is_unknown(region) or has_hole(region):
        return
    services = (
        [one.value for one in (statement.principals or ()) if one.type == "Service"]
        if not is_unknown(statement.principals)
        else []
    )
    yield from _elsewhere(statement, services, region, "Principal", "service principal")
    if is_unknown(statement.conditions):
        return
    for condition in statement.conditions:
        values = condition.values
        pins = condition.base in ("stringequals", "stringlike")
        if condition.folded_key == "kms:viaservice" and pins and not is_unknown(values):
            yield from _elsewhere(statement, list(values), region, "Condition", "kms:ViaService")


def _elsewhere(
    statement: Statement, names: list[str], region: str, element: str, what: str
) -> Iterator[Remark]:
    """Names of other Regions, unless one of the key's own stands beside them: then it serves many keys."""
    found = {name: _region_of(name) for name in names}
    here = {service for service, of in filter(None, found.values()) if of == region}
    for name, place in found.items():
        if place is None or place[1] == region or place[0] in here:
            continue
        if of_region(place[1]) != of_region(region):
            continue  # a policy for several partitions; its principals are judged by partition
        yield Remark(
            "other-region",
            f"{heading(statement)}: {what} {name} is of {place[1]}, and the key of {region}: services use "
            "keys of their own Region, so it lets nobody in.",
            f"Write {name.replace(place[1], region)}.",
            f"{statement.path}/{element}",
            warns=True,
        )


@lru_cache(maxsize=4096)
def _region_of(name: str) -> tuple[str, str] | None:
    match = _REGIONAL.fullmatch(name)
    return (match["service"], match["region"]) if match else None
