from __future__ import annotations

import re

import pytest

from kms_constructs.detections.catalogue import WATCHES, find_watch
from kms_constructs.detections.messages import LONGEST_TEMPLATE, input_paths, input_template, message
from kms_constructs.detections.patterns import in_portions
from kms_constructs.detections.watch import Watch
from tests.detections.test_patterns import WATCHED, keys

SPLIT = [part for watch in WATCHES for part in (watch, *watch.split(["arn:aws:iam::111122223333:role/A"]))]


def test_a_call_reads_well() -> None:
    assert message(find_watch("put-key-policy"), WATCHED) == (
        "CRITICAL: PutKeyPolicy was called (put policy)",
        "What: <event> <error>",
        "Who: <caller> (type <type>, role <role>, through <service>)",
        "Key: <first> <second> (in the request: <asked>)",
        "Alias: aws kms list-aliases --region <region> --key-id <first>",
        "When: <time>, in account <account>, Region <region>",
        "From: <address>",
        "Guardrail: IAM-KMS-5, Only authorised principals, or none, can replace the key policy",
        "Why it matters: Whoever can put a key policy can write any key policy: it can give itself use of the "
        "key, shut others out, and take every other guardrail away. The permission is worth all the others "
        "together.",
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
    assert lines[1:5] == (
        "What: <event>",
        "Key: <first>",
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


@pytest.mark.parametrize("watch", SPLIT, ids=lambda watch: watch.id)
def test_a_template_is_lines_in_quotes_whose_values_have_paths(watch: Watch) -> None:
    for portion in in_portions(watch, keys(40)):
        template = input_template(watch, portion)
        assert len(template) <= LONGEST_TEMPLATE
        assert all(re.fullmatch(r'"[^"\n\\]+"', line) for line in template.splitlines())
        assert set(re.findall(r"<(\w+)>", template)) <= set(input_paths(watch))
        assert set(re.findall(r"[<>]", re.sub(r"<\w+>", "", template))) == set()
