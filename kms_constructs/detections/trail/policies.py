"""Key policies as they follow each other in a trail: who gained, and who lets everybody in."""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec.structs import replace

from kms_constructs.analysis.diff import diff_access
from kms_constructs.detections.trail.calls import Call
from kms_constructs.detections.trail.catalogue import GAINED, PUBLIC
from kms_constructs.detections.trail.detection import TrailFinding
from kms_constructs.detections.trail.notes import Notes
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Outcome
from kms_constructs.model.arn import of_region
from kms_constructs.model.estate import Estate
from kms_constructs.model.policy import default_key_policy
from kms_constructs.sources.policy_file import key_from_policy, policy_in

POLICY_CALLS = ("CreateKey", "PutKeyPolicy", "ReplicateKey")
"""Calls that give a key a policy."""

_NO_PREDECESSOR = "new key policies whose predecessor the trail does not have: who gained is not known"
_UNREADABLE = "new key policies that the trail does not hold in full: what they give is not known"
_UNDECIDED = "new key policies of which it is not known whether they let everybody in"
_MOST = 3


class PolicyHistory:
    """The policy that each key has, as far as a trail tells it. Calls are given in the order of time.

    Memory grows with the keys.

    Args:
        notes: Takes what cannot be judged.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._known: dict[str, Estate] = {}

    def follow(self, call: Call) -> Iterator[TrailFinding]:
        """What a call that gives a policy leads to; nothing for other calls."""
        if call.event.event_name not in POLICY_CALLS or not call.succeeded:
            return
        key = _key_of(call)
        if not key:
            return
        new = self._read(call, key)
        before = self._known.pop(key, None)
        if new is None:
            self._notes.add(_UNREADABLE)
            return
        self._known[key] = new
        if call.event.event_name == "PutKeyPolicy":
            if before is None:
                self._notes.add(_NO_PREDECESSOR)
            elif detail := _gains(before, new):
                yield call.finding(GAINED, key=key, detail=detail)
        yield from self._public(call, key, new)

    def _public(self, call: Call, key: str, new: Estate) -> Iterator[TrailFinding]:
        open_to_all = [one for one in judge(new, controls=("KMS:004",)).findings if one.detail == "public"]
        if any(one.outcome is Outcome.VIOLATION for one in open_to_all):
            yield call.finding(PUBLIC, key=key)
        elif open_to_all:
            self._notes.add(_UNDECIDED)

    def _read(self, call: Call, key: str) -> Estate | None:
        text = call.request.get("policy") or call.response.get("replicaPolicy")
        _, _, _, region, account, _ = key.split(":", 5)
        if text is None and call.event.event_name != "PutKeyPolicy":
            made = key_from_policy({"Statement": []}, source=key, account=account, region=region)
            return Estate(keys=(replace(made, policy=default_key_policy(of_region(region).name, account)),))
        try:
            document = json.loads(text) if isinstance(text, str) else None
        except ValueError:
            return None
        if policy_in(document) is None:
            return None
        made = key_from_policy(document, source=key, account=account, region=region)
        return Estate(keys=(made,))


def _key_of(call: Call) -> str:
    """ARN of the key that the policy is of."""
    wanted = "replica" if call.event.event_name == "ReplicateKey" else None
    found = (row.key for row in call.keys if wanted is None or row.use == wanted)
    return next((key for key in found if ":key/" in key and key.count(":") >= _COLONS), "")


_COLONS = 5


def _gains(before: Estate, new: Estate) -> str:
    gained: dict[str, list[str]] = {}
    for change in diff_access(before, new):
        if change.gains:
            gained.setdefault(change.principal, []).append(change.capability.value)
    texts = [f"{who} gained {', '.join(what)}" for who, what in gained.items()]
    more = len(texts) - _MOST
    return "; ".join((*texts[:_MOST], *([f"and {more} more"] if more > 0 else [])))
