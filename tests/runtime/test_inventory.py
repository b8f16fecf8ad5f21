from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.stub import Stubber

from kms_constructs.errors import SourceError
from kms_constructs.runtime.asking import Asker, trimmed
from kms_constructs.runtime.inventory import Inventory
from kms_constructs.runtime.journal import Journal
from kms_constructs.runtime.pace import QUOTAS, Pace, TokenBucket
from kms_constructs.sources.kms_api.answers import GLOBAL, Answers, Call
from tests.runtime.accounts import whole
from tests.runtime.replay import Replay, client_error
from tests.sources.kms_api.build import ACCOUNT, REGION, Seed, answers_of

QUICK = Pace(sleep=lambda _seconds: None)


def asker(replay: Replay, answers: Answers, **more: object) -> Asker:
    return Asker(answers, replay, pace=QUICK, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("page", [0, 1, 2, 3])
@pytest.mark.parametrize("threads", [1, 16])
def test_everything_is_asked_once_whatever_the_pages_and_threads(page: int, threads: int) -> None:
    replay = Replay(whole(), page=page)
    answers = Answers(whole().scopes)
    Inventory(asker(replay, answers), threads=threads).run()
    expected = {call for call in whole().given if not call.subject.startswith("aws-managed")}
    assert set(answers.given) == expected
    assert [call for call in expected if answers.given[call].content != whole().given[call].content] == []
    if not page:
        assert Counter(replay.asked) == Counter(expected)


def test_at_most_six_calls_a_key_and_one_for_its_last_usage() -> None:
    for last_usage, most in ((False, 6), (True, 7)):
        seed = Seed()
        replay = Replay(answers_of(seed, last_usage=last_usage))
        answers = Answers(answers_of(seed, last_usage=last_usage).scopes)
        Inventory(asker(replay, answers)).run()
        assert sum(call.subject == seed.key_id for call in replay.asked) == most


def test_keys_that_aws_manages_are_not_asked_about() -> None:
    replay = Replay(whole())
    Inventory(asker(replay, Answers(whole().scopes))).run()
    assert [call for call in replay.asked if call.subject == "aws-managed"] == []


def test_what_was_answered_is_not_asked_again_and_what_was_refused_is(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    bad = Call.of(ACCOUNT, REGION, "kms", "ListGrants", KeyId="good")
    with Journal(file) as journal:
        first = Replay(whole(), lambda call, _page: client_error("Throttling") if call == bad else None)
        Inventory(asker(first, Answers(whole().scopes), kept=journal.keep)).run()
    answers = Answers(whole().scopes)
    assert Journal(file).read_into(answers) == len(first.asked) - 1
    second = Replay(whole())
    Inventory(asker(second, answers)).run()
    assert second.asked == [bad]
    assert file.stat().st_mode & 0o077 == 0


def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    with Journal(file) as journal:
        Inventory(asker(Replay(whole()), Answers(whole().scopes), kept=journal.keep)).run()
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:9]) + lines[9][:20], "utf-8")
    answers = Answers(whole().scopes)
    assert Journal(file).read_into(answers) == 9
    with Journal(file) as journal:
        Inventory(asker(Replay(whole()), answers, kept=journal.keep)).run()
    again = Answers(whole().scopes)
    Journal(file).read_into(again)
    assert set(again.given) == set(answers.given)


def test_a_journal_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_text('{"Resources": {}}\n{}\n', "utf-8")
    with pytest.raises(SourceError, match="line 1 is no answer"):
        Journal(file).read_into(Answers())


def test_an_interruption_ends_the_run_and_keeps_what_there_is() -> None:
    def interrupts(call: Call, _page: int) -> BaseException | None:
        return KeyboardInterrupt() if call.operation == "ListGrants" else None

    answers = Answers(whole().scopes)
    with pytest.raises(KeyboardInterrupt):
        Inventory(asker(Replay(whole(), interrupts), answers), threads=2).run()
    assert 0 < len(answers.given) < len(whole().given)
    assert all(answer.refusal is None for answer in answers.given.values())


class TestPace:
    def test_a_burst_of_one_second_and_then_the_rate(self) -> None:
        now = [0.0]

        def sleep(seconds: float) -> None:
            now[0] += seconds

        bucket = TokenBucket(5.0, clock=lambda: now[0], sleep=sleep)
        for _ in range(25):
            bucket.take()
        assert now[0] == pytest.approx(4.0)  # five at once, twenty at five a second

    @pytest.mark.parametrize("operation", QUOTAS)
    def test_no_operation_takes_more_than_half_of_its_quota(self, operation: str) -> None:
        now = [0.0]
        lock = threading.Lock()

        def sleep(seconds: float) -> None:
            with lock:
                now[0] += seconds

        pace = Pace(clock=lambda: now[0], sleep=sleep)
        calls = QUOTAS[operation] * 2
        for _ in range(calls):
            pace.wait(ACCOUNT, REGION, operation)
        assert calls / (now[0] + 1) <= QUOTAS[operation] / 2 + 1

    def test_regions_and_accounts_do_not_share(self) -> None:
        waited: list[float] = []
        pace = Pace(clock=lambda: 0.0, sleep=waited.append)
        for region in ("a", "b", "c"):
            pace.wait(ACCOUNT, region, "GetKeyLastUsage")
            pace.wait(ACCOUNT, region, "GetKeyLastUsage")
        assert waited == []


def test_answers_hold_times_as_text_and_nothing_of_the_transport() -> None:
    boto3 = pytest.importorskip("boto3")
    client = boto3.client(
        "kms",
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - it is none
    )
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"
    with Stubber(client) as stub:
        stub.add_client_error("list_keys", "ThrottlingException", "slow down")
        stub.add_response(
            "list_keys",
            {"Keys": [{"KeyId": "a", "KeyArn": arn}], "Truncated": True, "NextMarker": "m"},
            {"Limit": 1000},
        )
        stub.add_response(
            "list_keys",
            {"Keys": [{"KeyId": "b", "KeyArn": arn}], "Truncated": False},
            {"Limit": 1000, "Marker": "m"},
        )
        stub.add_response(
            "describe_key",
            {"KeyMetadata": {"KeyId": "a", "CreationDate": datetime(2026, 1, 1, tzinfo=UTC)}},
            {"KeyId": "a"},
        )
        asking = Asker(Answers(), lambda *_place: client, pace=QUICK)
        refused = asking.ask(Call.of(ACCOUNT, REGION, "kms", "ListKeys"))
        listed = asking.ask(Call.of(ACCOUNT, REGION, "kms", "ListKeys"))
        described = asking.ask(Call.of(ACCOUNT, REGION, "kms", "DescribeKey", KeyId="a"))
    assert refused.refusal is not None
    assert (refused.refusal.code, refused.refusal.message) == ("ThrottlingException", "slow down")
    assert [one["KeyId"] for one in listed.items("Keys")] == ["a", "b"]
    assert json.loads(json.dumps(described.content)) == {
        "KeyMetadata": {"KeyId": "a", "CreationDate": "2026-01-01T00:00:00+00:00"}
    }


def test_a_page_that_names_itself_ends() -> None:
    class Endless:
        def list_keys(self, **_given: object) -> dict[str, object]:
            return {"Keys": [], "Truncated": True, "NextMarker": "same"}

    asking = Asker(Answers(), lambda *_place: Endless(), pace=QUICK)
    answer = asking.ask(Call.of(ACCOUNT, REGION, "kms", "ListKeys"))
    assert answer.refusal is not None
    assert answer.refusal.code == "NoProgress"


def test_of_policies_the_version_that_counts_is_kept() -> None:
    versions = [{"VersionId": "v1", "IsDefaultVersion": False}, {"VersionId": "v2", "IsDefaultVersion": True}]
    content = {
        "Policies": [
            {"Arn": f"arn:aws:iam::{ACCOUNT}:policy/p", "PolicyVersionList": versions, "AttachmentCount": 0},
            {"Arn": "arn:aws:iam::aws:policy/X", "PolicyVersionList": versions, "AttachmentCount": 0},
        ],
        "RoleDetailList": [{"RoleName": "r", "AssumeRolePolicyDocument": {"Statement": []}}],
    }
    kept = trimmed(Call.of(ACCOUNT, GLOBAL, "iam", "GetAccountAuthorizationDetails"), content)
    assert [[one["VersionId"] for one in policy["PolicyVersionList"]] for policy in kept["Policies"]] == [
        ["v2"]
    ]
    assert kept["RoleDetailList"] == [{"RoleName": "r"}]
