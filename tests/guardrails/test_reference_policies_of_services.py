"""KMS:USE on key policies of AWS's documentation: the policy is compliant, a near miss is told from it."""

from __future__ import annotations

import re

import pytest

from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, Outcome
from kms_constructs.model.services import requirements
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from tests.guardrails.factories import ACCOUNT, DEPLOYS, ROOT_STATEMENT, TODAY
from tests.guardrails.reference_policies import CREATOR, DOCS, REFERENCES, Reference, Statements


def judged(case: Reference, statements: Statements) -> list[Finding]:
    """What KMS:USE says of the key of a template."""
    policy = {"Version": "2012-10-17", "Statement": [ROOT_STATEMENT, DEPLOYS, *statements]}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy, **case.key}}
    template = TemplateInput(
        {"Resources": {"Key": key, **case.resources}},
        "app.json",
        account=ACCOUNT,
        region=case.region,
        creator=CREATOR,
    )
    report = judge(estate_from_templates([template]), today=TODAY)
    return [one for one in report.findings if one.control == "KMS:USE"]


@pytest.mark.parametrize("case", REFERENCES.values(), ids=REFERENCES)
def test_the_policy_of_the_documentation_is_compliant(case: Reference) -> None:
    (found,) = judged(case, case.right)

    assert (found.outcome, found.message) == (Outcome.COMPLIANT, "What is seen to use the key may use it.")


@pytest.mark.parametrize("case", REFERENCES.values(), ids=REFERENCES)
def test_a_near_miss_is_told_with_the_call_and_the_caller(case: Reference) -> None:
    said = judged(case, case.near)
    refused = {
        one.principals[0]: set(re.findall(r"kms:(\w+)", one.message.partition(" on the key")[0]))
        for one in said
    }

    assert refused == case.refused
    assert {one.outcome for one in said} == {case.outcome}
    assert all(one.message.startswith(f"{case.title}: ") for one in said)
    assert all("In any other key policy: " in one.fix for one in said)


@pytest.mark.parametrize("case", REFERENCES.values(), ids=REFERENCES)
def test_the_page_is_one_that_the_requirement_cites(case: Reference) -> None:
    """Who corrects the facts of a service finds the policy by its page."""
    cited = {page for one in requirements().values() if one.title == case.title for page in one.pages}

    assert f"{DOCS}{case.page}" in cited


def test_there_are_at_least_twenty() -> None:
    assert len(REFERENCES) >= 20
    assert len({case.title for case in REFERENCES.values()}) >= 20
