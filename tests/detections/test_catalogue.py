from __future__ import annotations

import dataclasses
import json

import pytest
from moto.events.models import EventPattern

from kms_constructs.detections.catalogue import CHANGING, WATCHES, find_watch, watches
from kms_constructs.detections.messages import message
from kms_constructs.detections.patterns import pattern
from kms_constructs.detections.watch import Callers, Level
from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.model.actions import ACTIONS
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS, GuardedAction, May
from tests.detections.events import call

ISSUE = {
    "cancel-key-deletion", "create-grant", "delete-imported-key-material", "denied-management", "disable-key",
    "disable-key-rotation", "import-key-material", "key-deleted", "key-rotated", "lockout-bypass",
    "material-expired", "put-key-policy", "replicate-key", "root-user", "schedule-key-deletion",
    "trail-stopped", "update-primary-region",
}  # fmt: skip


def test_everything_is_watched_that_was_to_be() -> None:
    assert {watch.id for watch in WATCHES} == ISSUE
    assert len(WATCHES) == len(ISSUE)


def test_every_guarded_action_has_one_and_says_who_may() -> None:
    assert {watch.control: watch.event_names for watch in WATCHES if watch.guarded} == {
        control: (guarded.action,) for control, guarded in GUARDED_ACTIONS.items()
    }
    assert find_watch("disable-key-rotation").expected == "nobody"


@pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: watch.id)
def test_every_watch_is_of_a_control_and_says_why_and_what_to_do(watch) -> None:
    assert watch.control in CATALOGUE
    assert all(text.strip() for text in (watch.title, watch.expected, watch.reason, watch.respond))
    assert all(page.startswith("https://docs.aws.amazon.com/") for page in watch.references)
    assert watch.references
    assert not {"{", "<", '"'} & set(watch.title + watch.expected + watch.reason + watch.respond)


def test_the_calls_are_calls_of_kms() -> None:
    for watch in WATCHES:
        if watch.is_call and watch.on_key:
            assert set(watch.event_names) <= set(ACTIONS), watch.id


def test_what_only_reads_is_not_among_the_calls_that_change() -> None:
    """Rules in state ENABLED never see what CloudTrail calls read-only, cryptographic calls among it."""
    read = {"Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GetKeyPolicy", "GetParametersForImport",
            "ListGrants", "Sign"}  # fmt: skip
    assert read.isdisjoint(CHANGING)
    assert {"ConnectCustomKeyStore", "CreateGrant", "PutKeyPolicy", "TagResource"} <= set(CHANGING)


def test_the_names_of_watches_are_known_or_an_error() -> None:
    with pytest.raises(KeyError):
        find_watch("nothing")


def test_without_authorised_principals_a_watch_stays_whole() -> None:
    for watch in WATCHES:
        assert watch.split([]) == (watch,)
    assert find_watch("create-grant").split(["arn:aws:iam::111122223333:role/A"]) == (
        find_watch("create-grant"),
    )


def test_with_them_it_is_split_by_caller() -> None:
    known, others = find_watch("disable-key").split(["arn:aws:iam::111122223333:role/A"])
    assert (known.level, known.callers, known.id) == (Level.ALERT, Callers.AUTHORISED, "disable-key")
    assert (others.level, others.callers) == (Level.CRITICAL, Callers.UNAUTHORISED)
    assert others.id == "disable-key-unauthorised"


def test_a_guarded_action_that_is_added_is_watched_with_its_message() -> None:
    """No further edit: the list, the pattern and the message follow from the model and the catalogue."""
    added = GuardedAction(
        control="IAM-KMS-99",
        action="RevokeGrant",
        capability="revoke grants",
        may=May.GUARDIANS,
        sid="DenyRevoke",
        organization_sid="DenyRevoke",
        undo="Create the grant again",
    )
    control = dataclasses.replace(
        CATALOGUE["IAM-KMS-3"], id="IAM-KMS-99", title="Only authorised principals can revoke grants",
        rationale="Services lose the key.", actions=("kms:RevokeGrant",),
    )  # fmt: skip
    controls = {**CATALOGUE, control.id: control}
    found = watches({**GUARDED_ACTIONS, control.id: added}, controls)

    (watch,) = [one for one in found if one.id == "revoke-grant"]
    assert len(found) == len(WATCHES) + 1
    matcher = EventPattern.load(json.dumps(pattern(watch)))
    assert matcher.matches_event(call("RevokeGrant"))  # type: ignore[arg-type]
    assert not matcher.matches_event(call("RetireGrant"))  # type: ignore[arg-type]
    lines = message(watch, controls=controls)
    assert lines[0] == "CRITICAL: RevokeGrant was called (revoke grants)"
    assert "Guardrail: IAM-KMS-99, Only authorised principals can revoke grants" in lines
    assert any(line.startswith("What to do: Create the grant again. Ask the caller") for line in lines)
