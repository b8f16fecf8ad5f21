"""KMS:LIVE: live keys can be used, are used, and everything about them is known.

An audit that was refused an answer says so here: what was not answered is undetermined, never a pass.

Anti-pattern: a key whose material was never imported; whatever is encrypted with it next fails::

    {"DescribeKey": {"KeyState": "PendingImport", "Origin": "EXTERNAL"}}

Best practice::

    {"DescribeKey": {"KeyState": "Enabled"}}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import ClassVar, Final

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.live.attestation import without_image
from kms_constructs.guardrails.live.same import differing, listed
from kms_constructs.guardrails.rule import NOT_LIVE, KeyRule, heading
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.estate import Key, KeyKind, Location
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.vocabulary import Fact

CONTROL = Control(
    id="KMS:LIVE",
    title="Live keys can be used, are used, and everything about them is known",
    rationale=(
        "A key that is disabled, waits for its material or will lose it soon stops whatever it protects. "
        "A key that nobody uses costs money and has a policy to review. "
        "And what an audit could not read may be anything."
    ),
    advice="Look at the key's state, and bring it into the state that is meant.",
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html",
        "https://docs.aws.amazon.com/kms/latest/developerguide/monitoring-keys-determining-usage.html",
    ),
    scope=(Subject.KEY, Subject.KEY_POLICY, Subject.TRAIL),
    severity=Severity.MEDIUM,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC7.1"),
        Framework.NIST: ("SC-12", "CM-8"),
    },
)

UNANSWERED: Final = "unanswered"
"""Detail of the findings that stand for calls which brought nothing."""
UNUSED_DAYS: Final = 90
"""Days without a cryptographic operation after which a key is taken to be unused."""
EXPIRY_DAYS: Final = 30
"""Days before the expiry of imported material in which it is time to act."""
_BROKEN: Final = ("PendingImport", "Unavailable", "Updating", "Creating")
_PENDING: Final = ("PendingDeletion", "PendingReplicaDeletion")


class LiveRule(KeyRule):
    """Looks at the state, the usage and the replicas of live keys, and at what was not answered."""

    control = CONTROL
    compliant_message: ClassVar[str] = "The live key is in a state in which it can be used."

    def exempt(self, key: Key) -> str | None:
        """Keys that are not live."""
        return NOT_LIVE if key.live is None else None

    def judge(self, key: Key) -> Iterator[Finding]:
        """What is wrong with the key now."""
        yield from self._state(key)
        yield from self._usage(key)
        yield from self._expiry(key)
        for statement in without_image(key.policy):
            yield self.violation(
                key,
                f"{heading(statement)} asks for the attestation of an enclave and takes that of any image.",
                detail="attestation",
                path=statement.path,
                fix="Name the image: kms:RecipientAttestation:ImageSha384, or PCR8 for whoever signed it.",
            )
        yield from self._replica(key)

    def check_estate(self) -> Iterator[Finding]:
        """What was not answered, and accounts with Regions without any trail."""
        for gap in self.estate.unanswered:
            said = f" ({gap.message.rstrip('.')})" if gap.message else ""
            yield self.finding(
                Outcome.UNDETERMINED,
                gap.location,
                f"Not known is {gap.what}: {gap.call} brought {gap.code}{said}.",
                detail=UNANSWERED,
                path=gap.call.partition(":")[2],
                fix=f"Allow the caller {gap.call} if it was refused, and audit again; --resume asks only "
                "what is missing.",
            )
        yield from self._trails()

    def _trails(self) -> Iterator[Finding]:
        places: dict[str, set[str]] = {}
        for key in self.estate.keys:
            if key.live is not None:
                places.setdefault(key.account, set()).add(str(key.region))
        for account, regions in sorted(places.items()):
            trails = (one for one in self.estate.trails if one.account == account)
            if dark := sorted(regions.difference(*(one.regions for one in trails))):
                yield self.finding(
                    Outcome.VIOLATION,
                    Location(account),
                    f"No trail was found that records what is done with the keys in {', '.join(dark)}.",
                    detail="no-trail",
                    fix="Create a trail of all Regions that logs management events.",
                )

    def _state(self, key: Key) -> Iterator[Finding]:
        state = key.key_state
        if is_unknown(state):
            yield self.undetermined(
                key, f"The state of the key is not known: {state.reason}.", detail="state", path=_STATE
            )
        elif state in _BROKEN:
            yield self.violation(
                key, f"The key is in state {state}: nothing can use it.", detail="state", path=_STATE
            )
        elif state == "Disabled":
            yield self.violation(
                key,
                "The key is disabled: nothing can use it.",
                detail="state",
                path=_STATE,
                severity=Severity.WARNING,
                fix="Enable it if it is needed; else schedule its deletion once its last usage is long ago.",
            )

    def _usage(self, key: Key) -> Iterator[Finding]:
        live = key.live
        if live is None or is_unknown(live.last_used) or key.kind is KeyKind.REPLICA:
            return
        if live.seen_in_trail:
            return  # that it was used then says nothing of later
        last = live.last_used or live.tracked_since
        if last is None or key.key_state in _PENDING:
            return
        since = max(last, live.created or last)
        days = (self.context.today - date.fromisoformat(since)).days
        if days <= UNUSED_DAYS:
            return
        what = f"was last used on {last}" if live.last_used else f"has not been used since {since}"
        yield self.violation(
            key,
            f"The key {what}, longer ago than {UNUSED_DAYS} days.",
            detail="unused",
            severity=Severity.WARNING,
            path="GetKeyLastUsage",
            fix="Ask its owner. Disable it first: what is encrypted with it cannot be read without it, "
            "however long ago it was used.",
        )

    def _expiry(self, key: Key) -> Iterator[Finding]:
        expires = key.material_expires
        if not isinstance(expires, str) or key.key_state in _PENDING:
            return
        day = date.fromisoformat(expires[:10])
        today = self.context.today
        if today <= day <= today + timedelta(days=EXPIRY_DAYS):
            yield self.violation(
                key,
                f"The imported key material expires on {day}, within {EXPIRY_DAYS} days: then nothing can "
                "use the key.",
                detail="expiring",
                path=key.vocabulary.path(Fact.MATERIAL_EXPIRY),
                fix="Import the material again with a later expiry before that day.",
            )

    def _replica(self, key: Key) -> Iterator[Finding]:
        if key.kind is not KeyKind.REPLICA or not isinstance(key.primary, str):
            return
        primary = next((one for one in self.estate.keys if one.id == key.primary), None)
        if primary is None:
            yield from self._without_primary(key, key.primary)
            return
        unread = next((one.policy.unknown for one in (primary, key) if is_unknown(one.policy.unknown)), None)
        if unread is not None:
            yield self.undetermined(
                key,
                f"Whether the replica has the policy of its primary is not known: {unread.reason}.",
                detail="replica-policy",
                path=key.policy.path,
            )
            return
        regions = [one.region for one in (primary, key) if isinstance(one.region, str)]

        def without_region(text: str) -> str:
            for region in regions:
                text = text.replace(region, "REGION")
            return text

        gone, new = differing(primary.policy, key.policy, without_region)
        if gone or new:
            parts = [
                f"{side} has {listed(found)}"
                for side, found in (("the primary alone", gone), ("the replica alone", new))
                if found
            ]
            yield self.violation(
                key,
                f"The policy of the replica differs from that of its primary: {', and '.join(parts)}.",
                detail="replica-policy",
                path=key.policy.path,
                fix="Put the same key policy on both: KMS does not copy changes from one to the other.",
            )

    def _without_primary(self, key: Key, primary: str) -> Iterator[Finding]:
        """That the primary was not read: it could not be listed, or its Region was not audited."""
        arn = parse_arn(primary)
        home = f"{arn.account}/{arn.region}" if arn is not None else ""
        gap = next((one for one in self.estate.unanswered if one.location.source == home), None)
        why = f"in the Region of the primary {gap.call} brought {gap.code}" if gap is not None else ""
        if not why:
            why = "the Region of the primary was not audited, or the primary is not there"
        yield self.undetermined(
            key,
            f"Whether the replica has the policy of its primary is not known: {why}.",
            detail="replica-policy",
            path=key.policy.path,
            fix=f"Audit {home or 'the account and Region of the primary'} as well.",
        )


_STATE = "DescribeKey/KeyMetadata/KeyState"
