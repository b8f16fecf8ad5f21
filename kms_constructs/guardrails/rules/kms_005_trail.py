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

from collections.abc import Iterator

from kms_constructs.guardrails.finding import Finding, Outcome
from kms_constructs.guardrails.key_controls import KMS_005
from kms_constructs.guardrails.rule import Rule
from kms_constructs.model.estate import Key, Trail
from kms_constructs.model.unknown import Unknown, is_unknown


class TrailRule(Rule):
    """Looks at the trails of the estate. Without any, a trail of the organization is taken to record."""

    control = KMS_005

    def check_key(self, key: Key) -> Iterator[Finding]:
        """That the key's app has no trail to judge."""
        if not self.estate.trails:
            reason = "no trail was given; a trail of the account or organization is outside it"
            yield self.finding(Outcome.NOT_APPLICABLE, key.location, f"Not applicable: {reason}.")

    def check_estate(self) -> Iterator[Finding]:
        """What each trail leaves out, and whether any records at all."""
        findings = [self._trail(trail) for trail in self.estate.trails]
        yield from findings
        if findings and all(_records(trail) is False for trail in self.estate.trails):
            if any(finding.outcome is Outcome.VIOLATION for finding in findings):
                return
            first = self.estate.trails[0]
            yield self.finding(
                Outcome.VIOLATION,
                first.location,
                "The app has trails, and none of them records KMS events: "
                "they are switched off or record no management events.",
                fix="Let one trail record all management events, KMS included.",
                path=first.path,
                detail="none",
            )

    def _trail(self, trail: Trail) -> Finding:
        if is_unknown(trail.kms_excluded):
            return self.finding(
                Outcome.UNDETERMINED,
                trail.location,
                f"Whether the trail leaves KMS events out is not known: {trail.kms_excluded.reason}.",
                fix=self.control.remediation,
                path=trail.path,
                detail="excluded",
            )
        if trail.kms_excluded:
            return self.finding(
                Outcome.VIOLATION,
                trail.location,
                "The trail leaves KMS events out: nobody will see who decrypted, disabled or deleted.",
                fix=self.control.remediation,
                path=trail.path,
                detail="excluded",
            )
        unknown = next(
            (value for value in (trail.logging, trail.management_events) if is_unknown(value)), None
        )
        if unknown is not None and not any(_records(other) is True for other in self.estate.trails):
            return self.finding(
                Outcome.UNDETERMINED,
                trail.location,
                f"Whether the trail records management events is not known: {unknown.reason}.",
                fix=self.control.remediation,
                path=trail.path,
                detail="none",
            )
        return self.finding(Outcome.COMPLIANT, trail.location, "The trail leaves no KMS events out.")


def _records(trail: Trail) -> bool | None:
    """Whether the trail records KMS events; None when that is not known."""
    facts: list[bool | Unknown] = [trail.logging, trail.management_events]
    facts.append(trail.kms_excluded if is_unknown(trail.kms_excluded) else not trail.kms_excluded)
    if any(fact is False for fact in facts):
        return False
    return None if any(is_unknown(fact) for fact in facts) else True
