from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from kms_constructs.errors import SourceError
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.policies.remediation import Change, Kind, against_policy, plan
from kms_constructs.runtime.applying import ALLOWED, apply
from kms_constructs.sources.kms_api.answers import Answers
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.guardrails.factories import TODAY
from tests.runtime.accounts import DELEGATING, policy, whole
from tests.runtime.replay import client_error
from tests.sources.kms_api.build import ACCOUNT, GOOD_POLICY, KEY_ID, REGION, ROOT, Seed, answers_of

ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}"
BREAK_GLASS = f"arn:aws:iam::{ACCOUNT}:role/BreakGlass"
USER = f"arn:aws:iam::{ACCOUNT}:role/User"
CONFIG = GuardrailConfig(authorised=dict.fromkeys(("IAM-KMS-3", "IAM-KMS-4", "IAM-KMS-5"), (BREAK_GLASS,)))
USERS = {
    "Sid": "Users",
    "Effect": "Allow",
    "Principal": {"AWS": USER},
    "Action": ["kms:Decrypt", "kms:DescribeKey"],
    "Resource": "*",
}


def planned(answers: Answers, config: GuardrailConfig = CONFIG) -> tuple[Change, ...]:
    estate = estate_from_answers(answers)
    return plan(judge(estate, config, today=TODAY), estate, answers, config)


def of(answers: Answers, finding: str, config: GuardrailConfig = CONFIG) -> Change:
    (found,) = (one for one in planned(answers, config) if finding in one.findings)
    return found


def test_rotation() -> None:
    change = of(answers_of(Seed(rotation={"KeyRotationEnabled": False})), "KMS:001[enabled]")
    assert change.kind is Kind.CHANGE
    assert change.command == (
        f"aws kms enable-key-rotation --region {REGION} --key-id {ARN} --rotation-period-in-days 365"
    )
    assert change.cdk == "rotation_period=365"
    assert change.terraform == "enable_key_rotation = true, rotation_period_in_days = 365"


def test_a_deletion_is_cancelled() -> None:
    change = of(answers_of(Seed(metadata={"KeyState": "PendingDeletion"})), "KMS:002[pending-deletion]")
    assert (change.kind, change.operation, dict(change.parameters)) == (
        Kind.CHANGE,
        "CancelKeyDeletion",
        {"KeyId": ARN},
    )


def test_guarded_actions_are_denied_to_all_but_the_authorised_in_one_policy() -> None:
    answers = answers_of(Seed(policy=policy(DELEGATING)))
    change = of(answers, "IAM-KMS-3[delegation]")
    assert change.kind is Kind.CHANGE
    assert {"IAM-KMS-4[delegation]", "IAM-KMS-5[delegation]", "IAM-KMS-7[delegation]"} <= set(change.findings)
    words = shlex.split(change.command)
    document = json.loads(words[words.index("--policy") + 1])
    assert document["Statement"][0] == DELEGATING
    exempt = {one["Sid"]: one.get("Condition") for one in document["Statement"][1:]}
    assert {str(one) for one in exempt.values()} == {
        str({"ArnNotEquals": {"aws:PrincipalArn": [ROOT, BREAK_GLASS]}}),
        "None",
    }
    again = answers_of(Seed(policy=document))
    assert [one for one in planned(again) if one.operation == "PutKeyPolicy"] == []


def test_nothing_is_denied_until_somebody_says_who_is_authorised() -> None:
    change = of(answers_of(Seed(policy=policy(DELEGATING))), "IAM-KMS-3[delegation]", GuardrailConfig())
    assert change.kind is Kind.BY_HAND
    assert 'authorised."IAM-KMS-3"' in change.why
    assert change.command == ""


def judged(new: object, controls: tuple[str, ...] = ()) -> str:
    answers = answers_of(Seed(policy=policy(*GOOD_POLICY["Statement"], USERS)))  # type: ignore[misc]
    estate = estate_from_answers(answers)
    return against_policy(estate.keys[0], json.dumps(new), controls, estate, CONFIG)


GOOD = [*GOOD_POLICY["Statement"], USERS]  # type: ignore[misc]
DENY = {"Effect": "Deny", "Principal": "*", "Resource": "*", "Sid": "No"}
AGAINST: dict[str, tuple[object, tuple[str, ...], str]] = {
    "nothing": (policy(*GOOD), (), ""),
    "it locks the account out": (policy(USERS), (), "It would break IAM-KMS-1"),
    "it locks the root user out": (
        policy(*GOOD, {**DENY, "Action": "kms:PutKeyPolicy"}),
        (),
        "It would break IAM-KMS-1",
    ),
    "it takes a use away": (
        policy(*GOOD_POLICY["Statement"]),  # type: ignore[misc]
        (),
        f"It would change how {USER} uses the key: decrypt",
    ),
    "it denies a use": (
        policy(*GOOD, {**DENY, "Action": "kms:Decrypt"}),
        (),
        f"It would change how {USER} uses the key: decrypt",
    ),
    "it lets everybody in": (
        policy(*GOOD, {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}),
        (),
        "It would break ",
    ),
    "it is not enough": (policy(*GOOD, DELEGATING), ("IAM-KMS-3",), "It would not be enough"),
}


@pytest.mark.parametrize(("new", "controls", "said"), AGAINST.values(), ids=AGAINST)
def test_a_policy_is_judged_before_it_is_proposed(new: object, controls: tuple[str, ...], said: str) -> None:
    found = judged(new, controls)
    assert found.startswith(said)
    assert bool(found) is bool(said)


def test_every_open_finding_has_one_entry_and_nothing_destructive_is_proposed() -> None:
    answers = whole()
    estate = estate_from_answers(answers)
    report = judge(estate, CONFIG, today=TODAY)
    changes = plan(report, estate, answers, CONFIG)
    wanted = {one.id for one in report.findings if one.outcome.value == "violation"}
    assert {name for one in changes for name in one.findings} == wanted
    assert {one.operation for one in changes} - {""} <= ALLOWED


class Client:
    """A client of KMS that notes what it is asked."""

    def __init__(self, policy: str = "", error: Exception | None = None) -> None:
        self._policy, self._error = policy, error
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def ask(**_given: Any) -> dict[str, str]:
            self.calls.append(name)
            if self._error is not None:
                raise self._error
            return {"Policy": self._policy}

        return ask


def test_a_policy_is_put_only_where_the_one_that_was_judged_still_is() -> None:
    given = {"KeyId": ARN, "PolicyName": "default", "Policy": "{}"}
    same, other = Client("old"), Client("newer")
    apply(same, "PutKeyPolicy", given, "old")
    assert same.calls == ["get_key_policy", "put_key_policy"]
    with pytest.raises(SourceError, match="has changed since it was judged"):
        apply(other, "PutKeyPolicy", given, "old")
    assert other.calls == ["get_key_policy"]


@pytest.mark.parametrize("operation", ["ScheduleKeyDeletion", "DisableKey", "RevokeGrant", "DeleteAlias"])
def test_nothing_destructive_is_called(operation: str) -> None:
    client = Client()
    with pytest.raises(SourceError, match="is never called here"):
        apply(client, operation, {"KeyId": ARN})
    assert client.calls == []


def test_what_aws_refuses_is_one_clear_error() -> None:
    with pytest.raises(SourceError, match="AWS did not take the change \\(AccessDeniedException"):
        apply(Client(error=client_error("AccessDeniedException")), "EnableKeyRotation", {"KeyId": ARN})
