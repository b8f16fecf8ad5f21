"""CloudTrail trails of an account: whether they record what is done with keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kms_constructs.model.estate import Location, Trail
from kms_constructs.model.live import Unanswered
from kms_constructs.model.unknown import Unknown
from kms_constructs.sources.event_selectors import recorded
from kms_constructs.sources.kms_api.answers import Answer, Answers, Call, Scope
from kms_constructs.sources.kms_api.keys import unanswered
from kms_constructs.sources.kms_api.vocabulary import KMS_API

CLOUDTRAIL: Final = "cloudtrail"


def trails_in(answer: Answer) -> dict[str, str]:
    """ARN of each trail of an answer of DescribeTrails, and its home Region."""
    return {
        arn: str(one.get("HomeRegion") or "")
        for one in answer.items("trailList")
        if isinstance(arn := one.get("TrailARN"), str)
    }


@dataclass(slots=True)
class Trails:
    """The trails of one account.

    Args:
        answers: What was answered.
        scope: The account.
        unanswered: Where calls are told that brought nothing.
    """

    answers: Answers
    scope: Scope
    unanswered: list[Unanswered]

    def read(self) -> Iterator[Trail]:
        """Each trail once, whichever Regions show it; an unknown one, where they could not be listed."""
        arns: dict[str, str] = {}
        for region in self.scope.regions:
            call = Call.of(self.scope.account, region, CLOUDTRAIL, "DescribeTrails")
            answer = self.answers.of(call)
            for arn, home in trails_in(answer).items():
                arns.setdefault(arn, home or region)
            if answer.refusal is not None:
                location = Location(f"{self.scope.account}/{region}", logical_id="trails")
                self.unanswered.append(unanswered(call, answer, location, "which trails there are"))
                why = Unknown(f"DescribeTrails brought {answer.refusal.code}")
                yield Trail(
                    id=f"trails of {self.scope.account}/{region}",
                    location=location,
                    logging=why,
                    kms_excluded=why,
                    management_events=why,
                    vocabulary=KMS_API,
                )
        for arn, home in arns.items():
            yield self._trail(arn, home)

    def _trail(self, arn: str, home: str) -> Trail:
        location = Location(f"{self.scope.account}/{home}", logical_id=arn.rpartition(":")[2])
        status = self._ask(home, "GetTrailStatus", "Name", arn, location)
        selectors = self._ask(home, "GetEventSelectors", "TrailName", arn, location)
        logging: bool | Unknown = status.content.get("IsLogging") is True
        if status.refusal is not None:
            logging = Unknown(f"GetTrailStatus brought {status.refusal.code}")
        basic: object = selectors.content.get("EventSelectors")
        if selectors.refusal is not None:
            basic = Unknown(f"GetEventSelectors brought {selectors.refusal.code}")
        excluded, management, path = recorded(basic, selectors.content.get("AdvancedEventSelectors"))
        return Trail(
            id=arn,
            location=location,
            logging=logging,
            kms_excluded=excluded,
            management_events=management,
            path=f"GetEventSelectors/{path}" if path else "",
            vocabulary=KMS_API,
        )

    def _ask(self, region: str, operation: str, name: str, arn: str, location: Location) -> Answer:
        call = Call.of(self.scope.account, region, CLOUDTRAIL, operation, **{name: arn})
        answer = self.answers.of(call)
        if answer.refusal is not None:
            self.unanswered.append(unanswered(call, answer, location, "what the trail records"))
        return answer
