"""The organization's policies that are in force for an account: its own, those of its units, of the root."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from kms_constructs.model.estate import Location, Organization
from kms_constructs.model.live import Unanswered
from kms_constructs.model.policy import Policy, parse_policy
from kms_constructs.sources.bound import RCP, SCP, bound, unread
from kms_constructs.sources.kms_api.answers import GLOBAL, Answer, Answers, Call, Scope
from kms_constructs.sources.kms_api.keys import unanswered

ORGANIZATIONS: Final = "organizations"
NO_ORGANIZATION: Final = "AWSOrganizationsNotInUseException"
"""What Organizations says to an account that is in none."""
NOT_ENABLED: Final = ("PolicyTypeNotEnabledException", NO_ORGANIZATION)
"""What Organizations says where there are no such policies at all."""
_DEEPEST: Final = 10


def policy_ids(answer: Answer) -> list[str]:
    """The ids of the policies of an answer of ListPoliciesForTarget."""
    return [str(one["Id"]) for one in answer.items("Policies") if isinstance(one.get("Id"), str)]


def parent_of(answer: Answer) -> str | None:
    """The unit or root that an answer of ListParents names."""
    return next((str(one["Id"]) for one in answer.items("Parents") if isinstance(one.get("Id"), str)), None)


class OrganizationPolicies(Struct):
    """Reads the policies that reach one account.

    In the place of those that could not be read stands one that may deny everything.

    Args:
        answers: What was answered.
        scope: The account.
        unanswered: Where calls are told that brought nothing.
    """

    answers: Answers
    scope: Scope
    unanswered: list[Unanswered]
    _lost: str = ""

    def read(self) -> Organization:
        """The policies, bound to the account."""
        if not self.scope.organization:
            return Organization()
        targets = tuple(self._targets())
        return Organization(*(tuple(self._policies(kind, targets)) for kind in (SCP, RCP)))

    def _targets(self) -> Iterator[str]:
        target: str | None = self.scope.account
        for _ in range(_DEEPEST):
            if target is None:
                return
            yield target
            if target.startswith("r-"):
                return
            answer = self._ask("ListParents", "where the account stands", ChildId=target)
            target = parent_of(answer)
            if target is None:
                self._lost = "ListParents"

    def _policies(self, kind: str, targets: tuple[str, ...]) -> Iterator[Policy]:
        known: dict[str, None] = {}
        lost = self._lost
        for target in targets:
            answer = self._ask(
                "ListPoliciesForTarget", "which policies reach it", TargetId=target, Filter=kind
            )
            known.update(dict.fromkeys(policy_ids(answer)))
            if self._refused(answer):
                lost = "ListPoliciesForTarget"
        for one in known:
            answer = self._ask("DescribePolicy", "a policy that reaches it", PolicyId=one)
            policy = answer.content.get("Policy")
            content = policy.get("Content") if isinstance(policy, Mapping) else None
            read = None if self._refused(answer) or content is None else parse_policy(content, path=one)
            if read is None or read.unknown is not None:
                lost = one
            else:
                yield bound(read, kind, [self.scope.account])
        if lost:
            yield unread(kind, [self.scope.account], lost)

    @staticmethod
    def _refused(answer: Answer) -> bool:
        return answer.refusal is not None and answer.refusal.code not in NOT_ENABLED

    def _ask(self, operation: str, what: str, **parameters: str) -> Answer:
        call = Call.of(self.scope.account, GLOBAL, ORGANIZATIONS, operation, **parameters)
        answer = self.answers.of(call)
        if self._refused(answer):
            location = Location(f"{self.scope.account}/{ORGANIZATIONS}")
            self.unanswered.append(unanswered(call, answer, location, what))
        return answer
