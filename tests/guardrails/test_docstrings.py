"""Every rule's docstring shows an anti-pattern and a best practice; here both are run."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from typing import Any

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Outcome
from kms_constructs.guardrails.registry import RULES
from kms_constructs.guardrails.rule import Rule
from kms_constructs.model.estate import Estate
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.vocabulary import KEY_POLICY_FILE
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.guardrails.factories import ACCOUNT, TODAY, a_key
from tests.sources.kms_api.build import GOOD_POLICY, REGION, Seed, answers_of

CONFIGS = {"KMS:007": GuardrailConfig(multi_region_classifications=("restricted",))}
_BLOCK = re.compile(
    r"^(Anti-pattern|Best practice)[^\n]*(?:\n(?! )[^\n]+)*::\n\n((?:    .*\n|\n)+)", re.MULTILINE
)


def snippets(rule: type[Rule]) -> dict[str, object]:
    text = sys.modules[rule.__module__].__doc__ or ""
    return {name: json.loads(block) for name, block in _BLOCK.findall(text + "\n")}


LIVE = {"Declared", "DescribeKey", "GetKeyRotationStatus", "Grants"}
"""What a snippet about a live key may hold: answers of the KMS API, and properties of its declaration."""


def live(snippet: dict[str, Any]) -> Estate:
    trail = {"TrailARN": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/all", "HomeRegion": REGION}
    seed = Seed(metadata=snippet.get("DescribeKey", {}), grants=snippet.get("Grants", ()))
    if "GetKeyRotationStatus" in snippet:
        seed = replace(seed, rotation=snippet["GetKeyRotationStatus"])
    estate = estate_from_answers(answers_of(seed, trails=[trail]))
    if "Declared" not in snippet:
        return estate
    resources = {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": GOOD_POLICY, **snippet["Declared"]}},
        "Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": seed.aliases[0], "TargetKeyId": {"Ref": "Key"}},
        },
    }
    template = TemplateInput({"Resources": resources}, "app.json", account=ACCOUNT, region=REGION)
    return replace(estate, expected=estate_from_templates([template]).keys)


def outcomes(rule: type[Rule], snippet: object) -> set[Outcome]:
    assert isinstance(snippet, dict)
    if "Resources" not in snippet and snippet.keys() & LIVE:
        estate = live(snippet)
    elif "Statement" in snippet:
        key = a_key(policy=parse_policy(snippet, path="Properties/KeyPolicy"), vocabulary=KEY_POLICY_FILE)
        estate = Estate(keys=(key,))
    else:
        template = TemplateInput({"Resources": snippet}, "app.json", account=ACCOUNT, region="eu-west-1")
        estate = estate_from_templates([template])
    control = rule.control.id
    report = judge(estate, CONFIGS.get(control), controls=[control], today=TODAY)
    assert report.problems == ()
    return {finding.outcome for finding in report.findings}


@pytest.mark.parametrize("rule", RULES, ids=[rule.control.id for rule in RULES])
def test_the_anti_pattern_is_a_violation(rule: type[Rule]) -> None:
    assert Outcome.VIOLATION in outcomes(rule, snippets(rule)["Anti-pattern"])


@pytest.mark.parametrize("rule", RULES, ids=[rule.control.id for rule in RULES])
def test_the_best_practice_complies(rule: type[Rule]) -> None:
    assert outcomes(rule, snippets(rule)["Best practice"]) == {Outcome.COMPLIANT}


@pytest.mark.parametrize("rule", RULES, ids=[rule.control.id for rule in RULES])
def test_the_docstring_begins_with_the_control_and_its_title(rule: type[Rule]) -> None:
    first = (sys.modules[rule.__module__].__doc__ or "").partition("\n\n")[0].replace("\n", " ")
    control, _, title = first.partition(": ")
    if ":" in rule.control.id:
        control, _, title = first.rpartition(": ")
    assert control == rule.control.id
    assert title[0].lower() + title[1:].rstrip(".") == rule.control.title[0].lower() + rule.control.title[1:]
