"""Holds the arguments of a key to the guardrails that its template will be held to.

What the construct accepts passes them, and what they refuse of the arguments it refuses in their words, under
the same configuration: the rules themselves are asked, over the key that the arguments describe. That is done
at construction, where the line that has to change is at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from aws_cdk import RemovalPolicy

from kms_constructs.errors import ArgumentError
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, Outcome
from kms_constructs.guardrails.rules.kms_001_rotation import RotationRule
from kms_constructs.guardrails.rules.kms_002_retention import RetentionRule
from kms_constructs.guardrails.rules.kms_007_multi_region import MultiRegionRule
from kms_constructs.model.estate import Estate, Key, KeyKind, Location
from kms_constructs.model.policy import Policy
from kms_constructs.model.unknown import Unknown
from kms_constructs.model.vocabulary import CLOUDFORMATION, Fact, Term
from kms_constructs.policies.target import is_token

_RULES: Final = (RotationRule, RetentionRule, MultiRegionRule)
_ARGUMENTS: Final = {
    Fact.ROTATION_PERIOD: "rotation_period",
    Fact.PENDING_WINDOW: "pending_window",
    Fact.MULTI_REGION: "multi_region",
}
_WORDS: Final = replace(
    CLOUDFORMATION,
    source="SecureKmsKey",
    terms=MappingProxyType(
        {
            **{fact: Term(argument, argument) for fact, argument in _ARGUMENTS.items()},
            Fact.ROTATION: Term("rotation", "rotation_period"),
            Fact.REMOVAL: Term("DeletionPolicy", "removal_policy", "Leave removal_policy out"),
        }
    ),
    make_multi_region="Give the key multi_region=True",
)
"""The rules' words for a template, but what is set is an argument."""
_WHERE: Final = (
    "where the guardrails are configured (pyproject.toml, cdk.json, or enforce_guardrails before the key)"
)
_SETTINGS: Final = ("rotation-period-ceiling", "minimum-pending-window", "production-pending-window")
POLICIES: Final = MappingProxyType(
    {
        RemovalPolicy.DESTROY: ("Delete", "Delete"),
        RemovalPolicy.RETAIN: ("Retain", "Retain"),
        RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE: ("RetainExceptOnCreate", "Retain"),
    }
)
"""DeletionPolicy and UpdateReplacePolicy of each removal policy that a key may have."""


def hold_to_guardrails(
    config: GuardrailConfig,
    *,
    where: str,
    replica: bool,
    key_spec: str,
    origin: str,
    tags: Mapping[str, str],
    multi_region: bool,
    rotation_period: int | None,
    pending_window: int,
    removal_policy: RemovalPolicy,
) -> None:
    """Refuses what the guardrails would refuse of the arguments of a key.

    Args:
        config: The configuration that the guardrails of the app have.
        where: Construct path of the key.
        replica: Whether it is a replica key.
        key_spec: Checked key spec.
        origin: Checked origin.
        tags: Its tags; what of them is decided at deployment is left to the template.
        multi_region: Whether it is a multi-Region key.
        rotation_period: Days, or None for a key that does not rotate by itself.
        pending_window: Days.
        removal_policy: One of `POLICIES`.

    Raises:
        ArgumentError: A guardrail refuses it; the message is the guardrail's, and says which setting would
            let it pass.
    """
    deletion, replacement = POLICIES[removal_policy]
    key = Key(
        id=where,
        location=Location(config.source, construct_path=f"{where}/Resource"),
        policy=Policy(statements=()),
        kind=KeyKind.REPLICA if replica else KeyKind.KEY,
        account="",
        region="",
        key_spec=key_spec,
        origin=origin,
        rotation_enabled=rotation_period is not None,
        rotation_period=rotation_period,
        pending_window=pending_window,
        deletion_policy=deletion,
        update_replace_policy=replacement,
        multi_region=multi_region,
        tags={
            name: Unknown("it is decided at deployment") if is_token(value) else value
            for name, value in tags.items()
        },
        vocabulary=_WORDS,
    )
    given: dict[str, object] = {
        "multi_region": multi_region,
        "rotation_period": rotation_period,
        "pending_window": pending_window,
        "removal_policy": removal_policy.name,
    }
    report = judge(Estate(keys=(key,)), config, controls=[rule.control.id for rule in _RULES], rules=_RULES)
    for finding in report.failures:
        if finding.outcome is Outcome.VIOLATION and finding.path in given:
            raise _refusal(finding, given[finding.path], where)


def _refusal(finding: Finding, value: object, where: str) -> ArgumentError:
    fix = finding.fix.rstrip(".")
    if any(name in fix for name in _SETTINGS):
        fix = f"{fix} {_WHERE}"
    return ArgumentError(
        finding.path, value, f"{finding.control}: {finding.message.rstrip('.')}", fix, where=where
    )
