"""One key, told by a template, by a Terraform plan and by the KMS API, has the same findings."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Outcome
from kms_constructs.model.estate import Estate
from kms_constructs.sources import TemplateInput, estate_from_templates
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.guardrails.factories import TODAY
from tests.sources.kms_api.build import ACCOUNT, REGION, Seed, answers_of
from tests.sources.terraform.plans import block, constant, made, module, plan, read, refers
from tests.strategies import documents, identity_documents

UNTOLD = {
    "KMS:002": "a pending window and a removal policy are told of no live key",
    "KMS:003": "what uses a live key is not asked",
    "KMS:DRIFT": "of live keys alone",
    "KMS:GRANTS": "of live keys alone",
    "KMS:LIVE": "of live keys alone",
    "KMS:USE": "what uses a live key is not asked",
}
"""Controls that not every source can answer, and why."""
UNTOLD_KINDS = {
    "KMS:LINT[lockout]": "KMS has taken the policy of a live key already",
    "KMS:LINT": "that there is nothing else to say follows from it",
}
"""The same, of kinds of findings."""
CONFIG = GuardrailConfig(multi_region_classifications=("restricted",), rotation_period_ceiling=365)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"


@dataclass(frozen=True)
class Described:
    """A key, before it is told in anybody's words."""

    policy: dict[str, Any]
    rotates: bool
    period: int
    multi_region: bool
    alias: bool
    tags: dict[str, str]
    iam: dict[str, Any] | None


def of_whatever_key(document: dict[str, Any]) -> dict[str, Any]:
    """The policy without ARNs of keys: one that is not made yet has no id to hold against them."""
    listed = document["Statement"]
    statements = [
        {**{name: value for name, value in one.items() if name != "NotResource"}, "Resource": "*"}
        for one in (listed if isinstance(listed, list) else [listed])
    ]
    return {**document, "Statement": statements}


KEYS = st.builds(
    Described,
    policy=documents(most=3).map(of_whatever_key),
    rotates=st.booleans(),
    period=st.sampled_from([90, 365, 400]),
    multi_region=st.booleans(),
    alias=st.booleans(),
    tags=st.dictionaries(
        st.sampled_from(["environment", "data-classification", "kms:policy-reviewed-on"]),
        st.sampled_from(["prd", "restricted", "2026-01-01", "2020-01-01"]),
    ),
    iam=st.none() | identity_documents,
)


def by_template(key: Described) -> Estate:
    resources: dict[str, Any] = {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "KeyPolicy": key.policy,
                "EnableKeyRotation": key.rotates,
                **({"RotationPeriodInDays": key.period} if key.rotates else {}),
                "MultiRegion": key.multi_region,
                "Tags": [{"Key": name, "Value": value} for name, value in key.tags.items()],
            },
        }
    }
    if key.alias:
        resources["Alias"] = {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/a", "TargetKeyId": {"Ref": "Key"}},
        }
    if key.iam is not None:
        resources["Role"] = {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "App",
                "Policies": [{"PolicyName": "p", "PolicyDocument": key.iam}],
            },
        }
    template = TemplateInput({"Resources": resources}, "app.json", account=ACCOUNT, region=REGION)
    return estate_from_templates([template])


def by_plan(key: Described) -> Estate:
    values = {
        "policy": json.dumps(key.policy),
        "enable_key_rotation": key.rotates,
        **({"rotation_period_in_days": key.period} if key.rotates else {}),
        "multi_region": key.multi_region,
        "tags": key.tags,
    }
    instances = [made("aws_kms_key.a", values, unknown={"id": True, "arn": True, "key_id": True})]
    blocks = [block("aws_kms_key.a", {name: constant(value) for name, value in values.items()})]
    if key.alias:
        instances.append(made("aws_kms_alias.a", {"name": "alias/a"}, unknown={"target_key_id": True}))
        blocks.append(
            block(
                "aws_kms_alias.a",
                {"name": constant("alias/a"), "target_key_id": refers("aws_kms_key.a.key_id")},
            )
        )
    if key.iam is not None:
        instances += [
            made("aws_iam_role.r", {"name": "App", "path": "/"}, unknown={"arn": True, "id": True}),
            made("aws_iam_role_policy.p", {"name": "p", "role": "App", "policy": json.dumps(key.iam)}),
        ]
        blocks += [
            block("aws_iam_role.r", {"name": constant("App")}),
            block(
                "aws_iam_role_policy.p",
                {"name": constant("p"), "role": refers("aws_iam_role.r.name"), "policy": constant("")},
            ),
        ]
    estate, problems = read(plan(*instances, configuration=module(*blocks)))
    assert problems == []
    return estate


def by_api(key: Described) -> Estate:
    roles: list[dict[str, Any]] = []
    if key.iam is not None:
        policies = [{"PolicyName": "p", "PolicyDocument": key.iam}]
        roles = [{"RoleName": "App", "Arn": ROLE, "RolePolicyList": policies}]
    seed = Seed(
        policy=key.policy,
        rotation={"KeyRotationEnabled": key.rotates, "RotationPeriodInDays": key.period},
        metadata={"MultiRegion": key.multi_region},
        tags=key.tags,
        aliases=("alias/a",) if key.alias else (),
    )
    return estate_from_answers(answers_of(seed, iam={"RoleDetailList": roles}))


Said = tuple[str, str, str, str, str, tuple[str, ...]]


def findings_of(estate: Estate) -> set[Said]:
    """What is found, but for the words and the places of a source."""
    return {
        (
            one.control,
            one.detail,
            one.outcome.value,
            one.severity.value,
            found[0] if (found := re.findall(r"Statement/\d+", one.path)) else "",
            one.principals,
        )
        for one in judge(estate, CONFIG, today=TODAY).findings
        if one.control not in UNTOLD
        and one.id not in UNTOLD_KINDS
        and one.outcome is not Outcome.NOT_APPLICABLE
    }


@given(KEYS)
@settings(max_examples=40, deadline=None)
def test_the_same_key_has_the_same_findings_whoever_tells_of_it(key: Described) -> None:
    template, planned, live = (findings_of(one(key)) for one in (by_template, by_plan, by_api))
    assert template == live
    assert planned == live


def test_what_is_compared_is_most_of_the_catalogue() -> None:
    assert set(CATALOGUE) - set(UNTOLD) >= {f"IAM-KMS-{number}" for number in range(1, 9)}
    assert len(set(CATALOGUE) - set(UNTOLD)) > 2 * len(UNTOLD)


@given(KEYS, KEYS)
@settings(max_examples=60, deadline=None)
def test_a_key_has_drifted_from_whatever_declares_another_and_from_nothing_that_declares_it(
    key: Described, other: Described
) -> None:
    mine, others = (replace(one, alias=True) for one in (key, other))
    for told in (by_template, by_plan):
        assert drifted(mine, told(mine)) == set()
        found = drifted(mine, told(others))
        assert ("rotation" in found) == (
            (mine.rotates, mine.rotates and mine.period) != (others.rotates, others.rotates and others.period)
        )
        assert ("identity" in found) == (mine.multi_region != others.multi_region)
        changed = any(mine.tags.get(name) != value for name, value in others.tags.items())
        assert ("tags" in found) == changed


def drifted(key: Described, declared: Estate) -> set[str]:
    """In what a live key is not as it is declared, or may not be."""
    estate = replace(by_api(key), expected=declared.keys)
    findings = judge(estate, CONFIG, controls=["KMS:DRIFT"], today=TODAY).findings
    assert [one for one in findings if one.detail in ("match", "missing")] == []
    return {one.detail for one in findings if one.fails}
