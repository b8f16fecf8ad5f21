from __future__ import annotations

import re

import pytest
from moto.events.utils import EventTemplateParser

from kms_constructs.detections.catalogue import WATCHES, find_watch
from kms_constructs.detections.messages import LONGEST_TEMPLATE, input_paths, input_template, message
from kms_constructs.detections.patterns import in_portions
from kms_constructs.detections.watch import Watch
from tests.detections.events import ACCOUNT, ALIAS, ALICE, CASES, KEY, KEY_ID, REGION
from tests.detections.test_patterns import WATCHED, keys

SPLIT = [part for watch in WATCHES for part in (watch, *watch.split(["arn:aws:iam::111122223333:role/A"]))]


def test_a_call_reads_well() -> None:
    assert message(find_watch("put-key-policy"), WATCHED) == (
        "CRITICAL: PutKeyPolicy was called (put policy)",
        "What: <event> <error>",
        "Who: <caller>",
        "Acting as: <type> <role> <service>",
        "Key: <first> <second>",
        "Named in the event as: <asked>",
        "Alias: aws kms list-aliases --region <region> --key-id <first>",
        "When: <time>, in account <account>, Region <region>",
        "From: <address>",
        "Guardrail: IAM-KMS-5, Only authorised principals, or none, can replace the key policy",
        "Why it matters: Whoever can put a key policy can write any key policy: it can give itself use of "
        "the key, shut others out, and take every other guardrail away. The permission is worth all the "
        "others together.",
        "Expected of: break-glass principals, or administrators where a key has none, and who deploys the "
        "stack",
        "What to do: Put the policy of the last deployment back: deploy the stack of the key again, or aws "
        "kms put-key-policy. Ask the caller whether it was meant. If not, revoke the caller's sessions and "
        "credentials.",
        "Read on: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying.html",
        "Event: <id>",
    )


def test_an_event_of_kms_itself_has_no_caller() -> None:
    lines = message(find_watch("key-deleted"), keys(1))
    assert lines[1:6] == (
        "What: <event>",
        "Key: <first>",
        "Named in the event as: <asked>",
        "Alias: alias/prod/0",
        "When: <time>, in account <account>, Region <region>",
    )
    assert not any(line.startswith(("Who", "From")) for line in lines)


def test_aliases_of_several_keys_are_told_apart() -> None:
    lines = message(find_watch("disable-key"), keys(2))
    place = lines.index("Alias:")
    assert lines[place + 1 : place + 3] == (
        "  alias/prod/0 is 00000000-12ab-34cd-56ef-1234567890ab",
        "  alias/prod/1 is 00000001-12ab-34cd-56ef-1234567890ab",
    )


def read(case: str, watch_id: str) -> list[str]:
    """The message that an event brings about, line by line, as moto transforms it."""
    watch = find_watch(watch_id)
    (event,) = [one.event for one in CASES if one.name == case]
    stamped = {**event, "ingestion-time": event["time"]}
    lines = [
        EventTemplateParser.parse(line, input_paths(watch), stamped)  # type: ignore[arg-type]
        for line in input_template(watch).splitlines()
    ]
    # moto leaves a value that the event has not as it stands; EventBridge puts nothing there.
    return [re.sub(r"<\w+>", "", str(line)).rstrip() for line in lines]


def test_values_of_an_event_come_from_their_paths() -> None:
    assert read("alias move refused", "denied-management")[:9] == [
        "ALERT: KMS refused a call that manages keys",
        "What: UpdateAlias AccessDenied",
        f"Who: {ALICE['arn']}",
        "Acting as: IAMUser",
        f"Key: {ALIAS} {KEY}",
        "Named in the event as:",
        f"Alias: aws kms list-aliases --region {REGION} --key-id {ALIAS}",
        f"When: 2026-11-26T09:58:30Z, in account {ACCOUNT}, Region {REGION}",
        "From: 192.0.2.1",
    ]


def test_a_role_is_told_beside_its_session() -> None:
    lines = read("DisableKey: for CloudFormation", "disable-key")
    assert lines[2:4] == [
        f"Who: arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/deploy",
        f"Acting as: AssumedRole arn:aws:iam::{ACCOUNT}:role/Deploy cloudformation.amazonaws.com",
    ]


def test_values_of_an_event_of_kms_come_from_their_paths() -> None:
    assert read("deleted", "key-deleted")[1:6] == [
        "What: KMS CMK Deletion",
        f"Key: {KEY}",
        f"Named in the event as: {KEY_ID}",
        f"Alias: aws kms list-aliases --region {REGION} --key-id {KEY}",
        f"When: 2026-11-26T09:58:31Z, in account {ACCOUNT}, Region {REGION}",
    ]


@pytest.mark.parametrize("watch", SPLIT, ids=lambda watch: watch.id)
def test_a_template_is_lines_in_quotes_whose_values_have_paths(watch: Watch) -> None:
    for portion in in_portions(watch, keys(40)):
        template = input_template(watch, portion)
        assert len(template) <= LONGEST_TEMPLATE
        assert all(re.fullmatch(r'"[^"\n\\]+"', line) for line in template.splitlines())
        assert set(re.findall(r"<(\w+)>", template)) <= set(input_paths(watch))
        assert set(re.findall(r"[<>]", re.sub(r"<\w+>", "", template))) == set()
