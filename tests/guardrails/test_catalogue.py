from __future__ import annotations

import re
from pathlib import Path

import pytest

from kms_constructs.guardrails import rules
from kms_constructs.guardrails.catalogue import (
    CATALOGUE,
    IAM_KMS_PACK,
    KMS_REQUIREMENTS_PACK,
    Control,
    Framework,
    find_control,
)
from kms_constructs.guardrails.registry import RULES
from kms_constructs.model.actions import find_action
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS

EXPECTED = [
    *(f"IAM-KMS-{number}" for number in range(1, 9)),
    *(f"KMS:{number:03}" for number in range(1, 11)),
    "KMS:DRIFT",
    "KMS:GRANTS",
    "KMS:LINT",
    "KMS:LIVE",
    "KMS:USE",
]
FORMS = {
    Framework.CIS_5: r"\d\.\d{1,2}",
    Framework.CIS_7: r"\d\.\d{1,2}",
    Framework.SOC_2: r"CC[67]\.\d",
    Framework.SECURITY_HUB: r"KMS\.[1-5]",
    Framework.NIST: r"[A-Z]{2}-\d{1,2}(\(\d{1,2}\))?",
    Framework.PCI_DSS: r"\d{1,2}\.\d\.\d{1,2}",
}


def test_the_catalogue_holds_every_control_in_order() -> None:
    assert list(CATALOGUE) == EXPECTED
    assert (*IAM_KMS_PACK, *KMS_REQUIREMENTS_PACK) == tuple(EXPECTED)


def test_every_control_has_one_rule_and_every_rule_a_control() -> None:
    assert [rule.control.id for rule in RULES] == EXPECTED


def test_every_rule_has_a_file_of_its_own_named_for_its_control() -> None:
    files = {rule.__module__.rpartition(".")[2] for rule in RULES}
    found = {path.stem for path in Path(rules.__path__[0]).glob("*.py")}
    assert files == found - {"__init__"}
    for rule in RULES:
        prefix = rule.control.id.lower().replace("-", "_").replace(":", "_")
        assert rule.__module__.rpartition(".")[2].startswith(prefix)


def test_every_rule_has_a_table_of_cases() -> None:
    tables = Path(__file__).parent / "rules"
    for rule in RULES:
        stem = rule.__module__.rpartition(".")[2]
        own = "test_guarded_actions" if rule.control.id in GUARDED_ACTIONS else f"test_{stem}"
        text = (tables / f"{own}.py").read_text("utf-8")
        assert f'"{rule.control.id}"' in text or "GUARDED_ACTIONS" in text


@pytest.mark.parametrize("control", CATALOGUE.values(), ids=CATALOGUE)
def test_every_control_says_what_why_and_what_to_do(control: Control) -> None:
    assert not control.title.endswith(".")
    assert control.title[0].isupper()
    assert control.rationale.endswith(".")
    assert control.remediation.endswith(".")
    assert control.scope
    assert all(re.fullmatch(r"https://docs\.aws\.amazon\.com/\S+", url) for url in control.references)
    assert len(control.references) >= 1
    texts = f"{control.title} {control.rationale} {control.remediation}".lower()
    assert "cmk" not in texts
    assert "master key" not in texts


@pytest.mark.parametrize("control", CATALOGUE.values(), ids=CATALOGUE)
def test_every_action_and_mapping_is_well_formed(control: Control) -> None:
    assert all(action.startswith("kms:") and find_action(action) for action in control.actions)
    assert control.mappings
    for framework, requirements in control.mappings.items():
        assert requirements
        assert all(re.fullmatch(FORMS[framework], requirement) for requirement in requirements)


def test_every_framework_and_every_security_hub_control_on_kms_is_served() -> None:
    served = {framework: set() for framework in Framework}  # type: dict[Framework, set[str]]
    for control in CATALOGUE.values():
        for framework, requirements in control.mappings.items():
            served[framework].update(requirements)
    assert all(served.values())
    assert served[Framework.SECURITY_HUB] == {f"KMS.{number}" for number in range(1, 6)}


def test_guarded_actions_are_the_actions_of_their_controls() -> None:
    for control, guarded in GUARDED_ACTIONS.items():
        assert CATALOGUE[control].actions == (guarded.qualified,)
        assert CATALOGUE[control].preventable


def test_controls_are_found_in_any_case() -> None:
    assert find_control("kms:lint") is CATALOGUE["KMS:LINT"]
    assert find_control("KMS:011") is None
