"""A printed fix mends what it is printed for, and breaks nothing else, where it can be followed as it stands.

Every anti-pattern of every rule is judged by every control. Each alternative of each fix that can be
carried out is, and the same controls judge what comes of it.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding
from kms_constructs.guardrails.registry import RULES
from kms_constructs.model.actions import ActionClass, actions_of
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from tests.guardrails.factories import ACCOUNT, TODAY
from tests.guardrails.test_docstrings import CONFIGS, snippets

LIVE = {"KMS:DRIFT", "KMS:GRANTS", "KMS:LIVE"}
"""Controls of live keys alone: no template has what they find, and `remediate` plans what mends it."""
Resources = dict[str, Any]
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/Deploy"
DEFAULT = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
]}  # fmt: skip
"""The policy that KMS gives a key without one; whoever changes it has to write it out first."""


@dataclass
class Place:
    """Where a finding is, in a template that may be changed."""

    resources: Resources
    finding: Finding
    authorised: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What the fix has the configuration say."""

    @property
    def resource(self) -> dict[str, Any]:
        found: dict[str, Any] = self.resources[self.finding.location.logical_id]
        return found

    @property
    def properties(self) -> dict[str, Any]:
        made: dict[str, Any] = self.resource.setdefault("Properties", {})
        return made

    @property
    def statements(self) -> list[dict[str, Any]]:
        name = "KeyPolicy" if self.resource["Type"] == "AWS::KMS::Key" else "PolicyDocument"
        policy = self.properties.setdefault(name, copy.deepcopy(DEFAULT))
        statements: list[dict[str, Any]] = policy["Statement"]
        return statements

    @property
    def statement(self) -> dict[str, Any]:
        return self.statements[int(re.search(r"Statement/(\d+)", self.finding.path)[1])]  # type: ignore[index]


Apply = Callable[[Place, "re.Match[str]"], None]


def take_out(place: Place, match: re.Match[str]) -> None:
    """The action, and with it the wildcard that has it: what is left is named."""
    place.statement["Action"] = [
        f"kms:{name}" for name in sorted(named(place.statement)) if f"kms:{name}" != match[1]
    ]


def named(statement: dict[str, Any]) -> set[str]:
    from kms_constructs.model.actions import expand

    given = statement["Action"]
    return {name for one in ([given] if isinstance(given, str) else given) for name in expand(one)}


def deny_to_all_but(place: Place, match: re.Match[str]) -> None:
    place.statements.append(
        {"Effect": "Deny", "Principal": "*", "Action": match[1], "Resource": "*",
         "Condition": {"ArnNotEquals": {"aws:PrincipalArn": [ROOT]}}}
    )  # fmt: skip


def only_the_deployer(place: Place, match: re.Match[str]) -> None:
    place.statements.append(
        {"Effect": "Allow", "Principal": {"AWS": DEPLOYER}, "Action": match[1], "Resource": "*"}
    )
    deny_to_all_but(place, match)
    place.statements[-1]["Condition"]["ArnNotEquals"]["aws:PrincipalArn"].append(DEPLOYER)
    place.authorised[place.finding.control] = (DEPLOYER,)


def administrative_only(place: Place, match: re.Match[str]) -> None:
    cryptographic = set(actions_of(ActionClass.CRYPTOGRAPHIC)) | {"CreateGrant"}
    place.statement["Action"] = [f"kms:{name}" for name in sorted(named(place.statement) - cryptographic)]


def for_aws_resources(place: Place, match: re.Match[str]) -> None:
    place.statements.append(
        {"Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant", "Resource": "*",
         "Condition": {"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}}}
    )  # fmt: skip


def allow_root(place: Place, match: re.Match[str]) -> None:
    place.statements.append(
        {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:PutKeyPolicy", "Resource": "*",
         "Condition": {"ArnEquals": {"aws:PrincipalArn": ROOT}}}
    )  # fmt: skip


def set_property(place: Place, match: re.Match[str]) -> None:
    place.properties[match[1]] = json.loads(match[2])


def set_attribute(place: Place, match: re.Match[str]) -> None:
    place.resource[match[1]] = match[2]


def attach_alias(place: Place, match: re.Match[str]) -> None:
    key = place.finding.location.logical_id
    place.resources[f"{key}Alias"] = {
        "Type": "AWS::KMS::Alias",
        "Properties": {"AliasName": "alias/new", "TargetKeyId": {"Ref": key}},
    }


def meant(place: Place, match: re.Match[str]) -> None:
    given = place.statement["Action"]
    actions = [given] if isinstance(given, str) else given
    wrong = next(one for one in actions if re.search(rf"\b{re.escape(one)}\b(?!\w)", place.finding.message))
    place.statement["Action"] = [match[1] if one == wrong else one for one in actions]


def add_statement(place: Place, match: re.Match[str]) -> None:
    place.statements.append(json.loads(match[1]))


def add_source(place: Place, match: re.Match[str]) -> None:
    place.statement["Condition"] = {
        "ArnLike": {"aws:SourceArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:*"},
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
    }


def add_caller_account(place: Place, match: re.Match[str]) -> None:
    limits = place.statement.setdefault("Condition", {}).setdefault("StringEquals", {})
    limits["kms:CallerAccount"] = ACCOUNT


def add_service(place: Place, match: re.Match[str]) -> None:
    limits = place.statement.setdefault("Condition", {}).setdefault("StringEquals", {})
    limits["kms:ViaService"] = "s3.eu-west-1.amazonaws.com"


def record_kms(place: Place, match: re.Match[str]) -> None:
    for selector in place.properties["EventSelectors"]:
        selector[match[2]] = [one for one in selector[match[2]] if one != match[1]]


FIXES: tuple[tuple[str, Apply], ...] = (
    (r"Take (kms:\w+) out of ", take_out),
    (r"Take (kms:\w+) out of .* deny it to (?:every|all)", deny_to_all_but),
    (r"Allow (kms:\w+) to the role that deploys the key, name it under authorised", only_the_deployer),
    (r"Give the account's root principal administrative actions only", administrative_only),
    (
        r"deny kms:CreateGrant to everyone with BoolIfExists kms:GrantIsForAWSResource 'false'",
        for_aws_resources,
    ),
    (r"Allow the account's root principal kms:PutKeyPolicy", allow_root),
    (r"Set (\w+) to (true|false)\b", set_property),
    (r"Set (\w+) to at (?:most|least) (\d+)", set_property),
    (r"Set (DeletionPolicy|UpdateReplacePolicy) to (\w+)", set_attribute),
    (r"Attach an AWS::KMS::Alias", attach_alias),
    (r"Did you mean (kms:\w+)\?", meant),
    (r"In any other key policy: (\{.*\})$", add_statement),
    (r"Add aws:SourceArn \(ArnLike\) and aws:SourceAccount", add_source),
    (r"Add StringEquals kms:ViaService ", add_service),
    (r"Add StringEquals kms:CallerAccount with the account", add_caller_account),
    (r"Take (kms\.amazonaws\.com) out of (\w+)", record_kms),
    (r"Write (Resource) '\*'", lambda place, match: place.statement.update({match[1]: "*"})),
)
NOT_LITERAL = (
    r"^Name separate principals",
    r"^List the actions",
    r"^Allow kms:PutKeyPolicy to the role that deploys the key, and exempt",
    r"^Give each ",
    r"^Create the key with MultiRegion",
    r"^Import the material",
    r"^Take kms:CreateGrant from those who manage",
    r"^Name ",
    r"^Record ",
)
"""Fixes that name nothing to write: somebody has to decide."""


def failing(
    resources: Resources, control: str, authorised: dict[str, tuple[str, ...]] | None = None
) -> list[Finding]:
    template = TemplateInput({"Resources": resources}, "app.json", account=ACCOUNT, region="eu-west-1")
    config = replace(CONFIGS.get(control, GuardrailConfig()), authorised=authorised or {})
    report = judge(estate_from_templates([template]), config, today=TODAY)
    assert report.problems == ()
    return list(report.failures)


def anti_pattern(rule: Any) -> Resources:
    found = snippets(rule)["Anti-pattern"]
    assert isinstance(found, dict)
    if "Statement" in found:
        return {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": found}}}
    return found


DECLARED = [rule for rule in RULES if rule.control.id not in LIVE]


@pytest.mark.parametrize("rule", DECLARED, ids=[rule.control.id for rule in DECLARED])
def test_a_fix_mends_and_breaks_nothing_else(rule: Any) -> None:
    control = rule.control.id
    before = failing(anti_pattern(rule), control)
    kinds = Counter((one.id, one.location.logical_id) for one in before)
    wrong = []
    for finding in before:
        applied = 0
        for pattern, apply in FIXES:
            match = re.search(pattern, finding.fix)
            if match is None:
                continue
            applied += 1
            resources = copy.deepcopy(anti_pattern(rule))
            place = Place(resources, finding)
            apply(place, match)
            after = Counter(
                (one.id, one.location.logical_id) for one in failing(resources, control, place.authorised)
            )
            if (
                after[finding.id, finding.location.logical_id]
                >= kinds[finding.id, finding.location.logical_id]
            ):
                wrong.append(f"{finding.id}: {apply.__name__} mends nothing: {finding.fix}")
            if new := after - kinds:
                wrong.append(f"{finding.id}: {apply.__name__} breaks {sorted(new)}: {finding.fix}")
            if after.total() >= kinds.total():
                wrong.append(f"{finding.id}: {apply.__name__}: {kinds.total()} became {after.total()}")
        if not applied and not any(re.search(one, finding.fix) for one in NOT_LITERAL):
            wrong.append(f"{finding.id}: nobody follows: {finding.fix}")

    assert wrong == []
