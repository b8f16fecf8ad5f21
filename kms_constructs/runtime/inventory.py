"""Asks accounts everything that the guardrails want to know of their live keys, in as few calls as there are.

Per key: DescribeKey, ListKeyPolicies, GetKeyPolicy, ListResourceTags, ListGrants; GetKeyRotationStatus where
the key can rotate; GetKeyLastUsage when it is wanted, in a lane of its own, for KMS lets five a second pass.
Per Region: ListAliases, ListKeys, DescribeTrails. Per account: GetAccountAuthorizationDetails, and
DescribeOrganization where some Region shows no trail.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final, Protocol

from kms_constructs.runtime.asking import Asker
from kms_constructs.sources.bound import RCP, SCP
from kms_constructs.sources.kms_api.answers import GLOBAL, KMS, Answer, Answers, Call, Scope
from kms_constructs.sources.kms_api.estate import DETAILS
from kms_constructs.sources.kms_api.identities import IAM
from kms_constructs.sources.kms_api.keys import aliases_of, is_managed, key_ids, may_rotate, policy_names
from kms_constructs.sources.kms_api.organization import ORGANIZATIONS, parent_of, policy_ids
from kms_constructs.sources.kms_api.trails import CLOUDTRAIL, DESCRIBE_ORGANIZATION, trails_in

THREADS: Final = 16
"""Measured at 30 ms a call: 8 threads make 230 calls a second, 16 make 405, and more gain little."""
USAGE_THREADS: Final = 2


class Progress(Protocol):
    """What is told of how far the asking is."""

    def planned(self, calls: int) -> None:
        """So many more calls are to be made."""

    def done(self) -> None:
        """A call has been answered."""


class _Silent:
    def planned(self, calls: int) -> None:
        """Nothing to tell."""

    def done(self) -> None:
        """Nothing to tell."""


_Next = Iterable[Call]
_Then = Callable[[Answer], _Next]


@dataclass(slots=True)
class Inventory:
    """Asks everything about the accounts of some answers.

    Args:
        asker: Asks, and keeps what is answered.
        progress: Is told how far it is.
        threads: How many calls are under way at most.
    """

    asker: Asker
    progress: Progress = field(default_factory=_Silent)
    threads: int = THREADS
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> Answers:
        """Asks, and returns all answers; those that were there already are not asked for again.

        A call that fails is an answer that says so. When the caller is interrupted, the calls that are under
        way end, and no other begins.
        """
        first = [call for scope in self.asker.answers.scopes for call in first_calls(scope)]
        with ThreadPoolExecutor(self.threads) as pool, ThreadPoolExecutor(USAGE_THREADS) as slow:
            pending: dict[Future[Answer], Call] = {}
            begun: set[Call] = set()

            def begin(calls: Iterable[Call]) -> None:
                # Several answers lead to one question: a trail of all Regions, a policy of two units.
                new = [call for call in dict.fromkeys(calls) if call not in begun]
                begun.update(new)
                self.progress.planned(len(new))
                for call in new:
                    lane = slow if call.operation == "GetKeyLastUsage" else pool
                    pending[lane.submit(self._ask, call)] = call

            try:
                begin(first)
                while pending:
                    finished, _ = wait(pending, return_when=FIRST_COMPLETED)
                    for future in finished:
                        call = pending.pop(future)
                        self.progress.done()
                        begin(self._following(call, future.result()))
            except BaseException:
                self._stop.set()
                raise
        return self.asker.answers

    def _ask(self, call: Call) -> Answer:
        return self.asker.answers.of(call) if self._stop.is_set() else self.asker.ask(call)

    def _following(self, call: Call, answer: Answer) -> Iterator[Call]:
        scope = next(one for one in self.asker.answers.scopes if one.account == call.account)
        return following(self.asker.answers, scope, call, answer)


def first_calls(scope: Scope) -> Iterator[Call]:
    """The calls that an account begins with; none when it cannot be asked."""
    if scope.refusal is not None:
        return
    yield Call.of(scope.account, GLOBAL, IAM, DETAILS)
    for region in scope.regions:
        # ListKeys follows: without the aliases it would be asked of keys that AWS manages.
        yield Call.of(scope.account, region, KMS, "ListAliases")
        yield Call.of(scope.account, region, CLOUDTRAIL, "DescribeTrails")
    if scope.organization:
        yield Call.of(scope.account, GLOBAL, ORGANIZATIONS, "ListParents", ChildId=scope.account)
        yield from _policies_for(scope, scope.account)


def following(answers: Answers, scope: Scope, call: Call, answer: Answer) -> Iterator[Call]:
    """The calls that an answer leads to.

    Args:
        answers: What was answered before.
        scope: The account.
        call: The question.
        answer: Its answer, however incomplete.
    """
    key_id = dict(call.parameters).get("KeyId", "")

    def kms(operation: str, **parameters: str) -> Call:
        return Call.of(call.account, call.region, KMS, operation, **parameters)

    if call.operation == "ListAliases":
        yield kms("ListKeys")
    elif call.operation == "ListKeys":
        aliases = aliases_of(answers.of(kms("ListAliases")))
        for one in key_ids(answer):
            if not is_managed(aliases.get(one, ()), {}):
                yield kms("DescribeKey", KeyId=one)
    elif call.operation == "DescribeKey":
        yield from _of_key(kms, scope, answer, key_id)
    elif call.operation == "ListKeyPolicies":
        for name in policy_names(answer):
            yield kms("GetKeyPolicy", KeyId=key_id, PolicyName=name)
    elif call.operation == "DescribeTrails":
        trails = trails_in(answer)
        if not trails and answer.refusal is None and not scope.organization:
            yield Call.of(call.account, GLOBAL, ORGANIZATIONS, DESCRIBE_ORGANIZATION)
        for arn, home in trails.items():
            for operation, name in (("GetTrailStatus", "Name"), ("GetEventSelectors", "TrailName")):
                yield Call.of(call.account, home or call.region, CLOUDTRAIL, operation, **{name: arn})
    elif call.operation == "ListParents":
        parent = parent_of(answer)
        if parent is not None:
            yield from _policies_for(scope, parent)
            if not parent.startswith("r-"):
                yield Call.of(scope.account, GLOBAL, ORGANIZATIONS, "ListParents", ChildId=parent)
    elif call.operation == "ListPoliciesForTarget":
        for policy in policy_ids(answer):
            yield Call.of(scope.account, GLOBAL, ORGANIZATIONS, "DescribePolicy", PolicyId=policy)


def _of_key(kms: Callable[..., Call], scope: Scope, answer: Answer, key_id: str) -> Iterator[Call]:
    raw = answer.content.get("KeyMetadata")
    metadata = raw if isinstance(raw, dict) else {}
    if is_managed((), metadata):
        return
    for operation in ("ListKeyPolicies", "ListResourceTags", "ListGrants"):
        yield kms(operation, KeyId=key_id)
    if may_rotate(metadata):
        yield kms("GetKeyRotationStatus", KeyId=key_id)
    if scope.last_usage:
        yield kms("GetKeyLastUsage", KeyId=key_id)


def _policies_for(scope: Scope, target: str) -> Iterator[Call]:
    for kind in (SCP, RCP):
        yield Call.of(
            scope.account, GLOBAL, ORGANIZATIONS, "ListPoliciesForTarget", TargetId=target, Filter=kind
        )
