"""CloudTrail trails of an account: whether they record what is done with keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from kms_constructs.model.estate import Location, Trail
from kms_constructs.model.live import Unanswered
from kms_constructs.model.unknown import Unknown
from kms_constructs.sources.event_selectors import recorded
from kms_constructs.sources.kms_api.answers import GLOBAL, Answer, Answers, Call, Scope
from kms_constructs.sources.kms_api.keys import unanswered
from kms_constructs.sources.kms_api.organization import NO_ORGANIZATION, ORGANIZATIONS
from kms_constructs.sources.kms_api.vocabulary import KMS_API

CLOUDTRAIL: Final = "cloudtrail"
DESCRIBE_ORGANIZATION: Final = "DescribeOrganization"
"""Asked where no trail is shown: an account in no organization has none then, nor has a management account.

See: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html
"""


def trails_in(answer: Answer) -> dict[str, str]:
    """ARN of each trail of an answer of DescribeTrails, and its home Region."""
    return {
        arn: str(one.get("HomeRegion") or "")
        for one in answer.items("trailList")
        if isinstance(arn := one.get("TrailARN"), str)
    }


class Trails(Struct):
    """The trails of one account.

    Args:
        answers: What was answered.
        scope: The account.
        unanswered: Where calls are told that brought nothing.
    """

    answers: Answers
    scope: Scope
    unanswered: list[Unanswered]

    def read(self, regions: Iterable[str]) -> Iterator[Trail]:
        """Each trail once, whichever Regions show it.

        A trail of which nothing is known stands for those that could not be listed. It also stands for the
        trail of an organization that the account may belong to, in Regions that show no trail at all.

        Args:
            regions: The Regions in which the account has keys.
        """
        homes: dict[str, str] = {}
        shown: dict[str, list[str]] = {}
        dark: list[str] = []
        for region in self.scope.regions:
            call = Call.of(self.scope.account, region, CLOUDTRAIL, "DescribeTrails")
            answer = self.answers.of(call)
            found = trails_in(answer)
            for arn, home in found.items():
                homes.setdefault(arn, home or region)
                shown.setdefault(arn, []).append(region)
            if answer.refusal is not None:
                location = Location(f"{self.scope.account}/{region}", logical_id="trails")
                self.unanswered.append(unanswered(call, answer, location, "which trails there are"))
                yield self._open(location, (region,), f"DescribeTrails brought {answer.refusal.code}")
            elif not found:
                dark.append(region)
        for arn, home in homes.items():
            yield self._trail(arn, home, tuple(shown[arn]))
        used = set(regions)
        unseen = tuple(region for region in dark if region in used)
        why = self._organization() if unseen else None
        if why is not None:
            location = Location(f"{self.scope.account}/{ORGANIZATIONS}", logical_id="trails")
            yield self._open(location, unseen, f"no trail is shown in {', '.join(unseen)}, and {why}")

    def _organization(self) -> str | None:
        """Why a trail may record the account without being shown to it; None when there can be none."""
        mine = "the account's organization may have one that is not shown to it"
        if self.scope.organization:
            return mine
        call = Call.of(self.scope.account, GLOBAL, ORGANIZATIONS, DESCRIBE_ORGANIZATION)
        answer = self.answers.of(call)
        if answer.refusal is None:
            of = answer.content.get("Organization")
            management = of.get("MasterAccountId") if isinstance(of, Mapping) else None
            return None if management == self.scope.account else mine
        if answer.refusal.code == NO_ORGANIZATION:
            return None
        location = Location(f"{self.scope.account}/{ORGANIZATIONS}")
        self.unanswered.append(unanswered(call, answer, location, "whether it is in an organization"))
        return f"whether an organization has one is not known: {call.operation} brought {answer.refusal.code}"

    def _open(self, location: Location, regions: tuple[str, ...], reason: str) -> Trail:
        why = Unknown(reason)
        return Trail(
            id=f"trails of {location.source}",
            location=location,
            logging=why,
            kms_excluded=why,
            management_events=why,
            vocabulary=KMS_API,
            account=self.scope.account,
            regions=regions,
        )

    def _trail(self, arn: str, home: str, regions: tuple[str, ...]) -> Trail:
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
            account=self.scope.account,
            regions=regions,
        )

    def _ask(self, region: str, operation: str, name: str, arn: str, location: Location) -> Answer:
        call = Call.of(self.scope.account, region, CLOUDTRAIL, operation, **{name: arn})
        answer = self.answers.of(call)
        if answer.refusal is not None:
            self.unanswered.append(unanswered(call, answer, location, "what the trail records"))
        return answer
