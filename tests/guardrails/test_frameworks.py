from __future__ import annotations

from dataclasses import replace

import pytest

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.control import Framework
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.frameworks import CHECKLIST, Status, requirements
from kms_constructs.guardrails.settings import Acknowledgement
from kms_constructs.model.estate import Estate
from kms_constructs.sources.kms_api.answers import Answers, Call
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.guardrails.factories import TODAY
from tests.sources.kms_api.build import ACCOUNT, KEY_ID, REGION, Seed, answers_of, refused

TAGS = {"environment": "prd", "service": "orders", "data-classification": "internal"}
ROTATION = ("CIS AWS Foundations 7.0", "4.6")
LISTED = Call.of(ACCOUNT, REGION, "kms", "ListKeys")


def statuses(answers: Answers, config: GuardrailConfig | None = None) -> dict[tuple[str, str], Status]:
    estate = estate_from_answers(answers)
    found = requirements(judge(estate, config, today=TODAY), estate)
    return {(one.framework, one.name): one.status for one in found}


OFF = Seed(rotation={"KeyRotationEnabled": False})
ACCEPTED = GuardrailConfig(acknowledgements=(Acknowledgement("KMS:001[*]", "it is replaced next week"),))
CASES: dict[str, tuple[Answers, GuardrailConfig | None, Status]] = {
    "met": (answers_of(Seed()), None, Status.MET),
    "not met": (answers_of(OFF), None, Status.NOT_MET),
    "accepted": (answers_of(OFF), ACCEPTED, Status.ACCEPTED),
    "one call was refused": (
        refused(answers_of(Seed()), Call.of(ACCOUNT, REGION, "kms", "GetKeyRotationStatus", KeyId=KEY_ID)),
        None,
        Status.UNDETERMINED,
    ),
    "no key can rotate": (
        answers_of(Seed(metadata={"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, rotation=None)),
        None,
        Status.NOT_DECIDABLE,
    ),
    "the keys could not be listed": (refused(answers_of(Seed()), LISTED), None, Status.UNDETERMINED),
}


@pytest.mark.parametrize(("answers", "config", "status"), CASES.values(), ids=CASES)
def test_a_requirement(answers: Answers, config: GuardrailConfig | None, status: Status) -> None:
    assert statuses(answers, config)[ROTATION] is status


def test_every_requirement_of_every_framework_is_answered() -> None:
    wanted = {
        (framework.value, name)
        for control in CATALOGUE.values()
        for framework, names in control.mappings.items()
        for name in names
    }
    found = statuses(answers_of(Seed()))
    assert {one for one in found if one[0] != CHECKLIST} == wanted
    assert {framework for framework, _ in found} == {one.value for one in Framework} | {CHECKLIST}


def test_nothing_is_met_where_no_key_could_be_listed() -> None:
    found = statuses(refused(answers_of(Seed()), LISTED))
    assert Status.MET not in found.values()


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        (answers_of(Seed(tags=TAGS)), Status.MET),
        (answers_of(Seed(tags=TAGS), Seed(key_id="two")), Status.NOT_MET),
        (
            refused(
                answers_of(Seed(tags=TAGS)), Call.of(ACCOUNT, REGION, "kms", "ListResourceTags", KeyId=KEY_ID)
            ),
            Status.UNDETERMINED,
        ),
        (answers_of(), Status.NOT_DECIDABLE),
    ],
    ids=["all", "one has none", "not read", "no keys"],
)
def test_the_tags_of_the_checklist(answers: Answers, status: Status) -> None:
    (found,) = (
        one for (_, name), one in statuses(answers).items() if name.startswith("Every key has the tags")
    )
    assert found is status


def test_what_no_answer_tells_is_said_to_be_so() -> None:
    estate = Estate()
    found = requirements(judge(estate, today=TODAY), replace(estate))
    assert {one.status for one in found if one.framework == CHECKLIST} == {Status.NOT_DECIDABLE}


@pytest.mark.parametrize(
    ("management", "status"), [(None, Status.NOT_MET), ("999988887777", Status.UNDETERMINED)]
)
def test_a_trail_that_is_not_there_breaks_what_asks_for_one(management: str | None, status: Status) -> None:
    found = statuses(answers_of(Seed(), management_account=management))
    assert found["CIS AWS Foundations 5.0", "3.1"] is status
