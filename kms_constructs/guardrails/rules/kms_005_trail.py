"""KMS:005: trails record KMS events.

Anti-pattern: a trail that leaves KMS events out to save money::

    {"Trail": {"Type": "AWS::CloudTrail::Trail",
               "Properties": {"IsLogging": true, "S3BucketName": "trail",
                              "EventSelectors": [{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}}}

Best practice: a trail that records all management events::

    {"Trail": {"Type": "AWS::CloudTrail::Trail",
               "Properties": {"IsLogging": true, "S3BucketName": "trail",
                              "EventSelectors": [{"IncludeManagementEvents": true, "ReadWriteType": "All"}]}}}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.rule import Rule
from kms_constructs.model.estate import Key, Trail
from kms_constructs.model.unknown import Unknown, is_unknown

CONTROL = Control(
    id="KMS:005",
    title="Trails record KMS events",
    rationale=(
        "KMS events are many, so some trails leave them out to save money. Then there is no record of who "
        "decrypted what, and none of who disabled a key."
    ),
    advice=("{record_events}; keep a trail that logs management events switched on."),
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html",
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html",
    ),
    scope=(Subject.TRAIL,),
    severity=Severity.MEDIUM,
    mappings={
        Framework.CIS_5: ("3.1",),
        Framework.SOC_2: ("CC7.1", "CC7.2"),
        Framework.NIST: ("AU-2", "AU-3", "AU-12"),
        Framework.PCI_DSS: ("10.2.1",),
    },
)


class TrailRule(Rule):
    """Looks at the trails of the estate. Without any, a trail of the organization is taken to record."""

    control = CONTROL

    def check_key(self, key: Key) -> Iterator[Finding]:
        """That the key's app has no trail to judge."""
        # Of a live key KMS:LIVE says which Regions no trail reaches.
        if not self.estate.trails and key.live is None:
            reason = "no trail was given; a trail of the account or organization is outside it"
            yield self.finding(Outcome.NOT_APPLICABLE, key.location, f"Not applicable: {reason}.")

    def check_estate(self) -> Iterator[Finding]:
        """What each trail leaves out, and whether any records at all."""
        accounts: dict[str, list[Trail]] = {}
        for trail in self.estate.trails:
            accounts.setdefault(trail.account, []).append(trail)
        for trails in accounts.values():
            findings = [self._trail(trail, trails) for trail in trails]
            yield from findings
            if not any(finding.outcome is Outcome.VIOLATION for finding in findings):
                yield from self._none(trails)

    def _none(self, trails: Sequence[Trail]) -> Iterator[Finding]:
        """That the trails of an account, or those that reach a Region, record nothing."""
        regions = dict.fromkeys(region for trail in trails for region in trail.regions)
        dark: dict[str, tuple[Trail, list[str]]] = {}
        for region in regions or ("",):
            here = [trail for trail in trails if not region or region in trail.regions]
            if all(_records(trail) is False for trail in here):
                dark.setdefault(here[0].id, (here[0], []))[1].append(region)
        for first, missing in dark.values():
            where = "The {app} has trails" if len(missing) == (len(regions) or 1) else ""
            yield self.finding(
                Outcome.VIOLATION,
                first.location,
                first.vocabulary.say(where or f"Trails reach {', '.join(missing)}")
                + ", and none of them records KMS events: they are switched off or record no management "
                "events.",
                fix="Let one trail record all management events, KMS included.",
                path=first.path,
                detail="none",
            )

    def _trail(self, trail: Trail, trails: Sequence[Trail]) -> Finding:
        if is_unknown(trail.kms_excluded):
            return self.finding(
                Outcome.UNDETERMINED,
                trail.location,
                f"Whether the trail leaves KMS events out is not known: {trail.kms_excluded.reason}.",
                fix=self.control.remedy(trail.vocabulary),
                path=trail.path,
                detail="excluded",
            )
        if trail.kms_excluded:
            return self.finding(
                Outcome.VIOLATION,
                trail.location,
                "The trail leaves KMS events out: nobody will see who decrypted, disabled or deleted.",
                fix=self.control.remedy(trail.vocabulary),
                path=trail.path,
                detail="excluded",
            )
        unknown = next(
            (value for value in (trail.logging, trail.management_events) if is_unknown(value)), None
        )
        if unknown is not None and not _recorded_by_others(trail, trails):
            return self.finding(
                Outcome.UNDETERMINED,
                trail.location,
                f"Whether the trail records management events is not known: {unknown.reason}.",
                fix=self.control.remedy(trail.vocabulary),
                path=trail.path,
                detail="none",
            )
        return self.finding(Outcome.COMPLIANT, trail.location, "The trail leaves no KMS events out.")


def _recorded_by_others(trail: Trail, trails: Iterable[Trail]) -> bool:
    """Whether other trails record for certain wherever a trail reaches."""
    sure = [one for one in trails if _records(one) is True]
    if not trail.regions:
        return bool(sure)
    return set(trail.regions) <= {region for one in sure for region in one.regions}


def _records(trail: Trail) -> bool | None:
    """Whether the trail records KMS events; None when that is not known."""
    facts: list[bool | Unknown] = [trail.logging, trail.management_events]
    facts.append(trail.kms_excluded if is_unknown(trail.kms_excluded) else not trail.kms_excluded)
    if any(fact is False for fact in facts):
        return False
    return None if any(is_unknown(fact) for fact in facts) else True
