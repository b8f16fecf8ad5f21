"""What policies would have made of recorded calls: allowed, denied, or it cannot be told.

Every call was allowed when it was made. So what denies it for certain is what a change would break. What the
trail does not record, what is not in view and what a grant may give stays undetermined: neither a pass nor an
alarm.

See: https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec.structs import replace

from kms_constructs.analysis.access import describe_condition
from kms_constructs.analysis.call import Call, Certainty, Fact, InView, Step
from kms_constructs.analysis.certain import Answer, Attached, certain
from kms_constructs.analysis.conditions import holds
from kms_constructs.analysis.principals import same_principal
from kms_constructs.analysis.recorded.call import INTERNAL, RecordedCall, RecordedGrant
from kms_constructs.analysis.recorded.facts import facts_of, variants
from kms_constructs.model.actions import find_action
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.estate import Estate, IdentityPolicyKind, Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import globs_meet
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown


class Verdict(StrEnum):
    """What policies would have made of calls, worst first."""

    DENIED = "denied"
    UNDETERMINED = "undetermined"
    ALLOWED = "allowed"


class Judged(Frozen, frozen=True):
    """A verdict and why.

    Args:
        verdict: The verdict.
        reasons: What allows or denies it, or what is not known, each once.
    """

    verdict: Verdict
    reasons: tuple[str, ...] = ()


class Replay:
    """Judges recorded calls by the policies of one estate. Make one for an estate: it remembers.

    Args:
        estate: Everything that decides; its worlds are not looked at.
        asked: Folded condition keys that the calls were read for, those of the estate among them.
        grants: Grants that the trail saw being made.
    """

    def __init__(self, estate: Estate, asked: Iterable[str], grants: Iterable[RecordedGrant] = ()) -> None:
        self._estate = estate
        self._asked = frozenset(asked)
        self._views: dict[tuple[str, ...], InView] = {}
        self._grants: dict[str, list[RecordedGrant]] = {}
        for one in grants:
            self._grants.setdefault(one.key, []).append(one)

    def judge(self, call: RecordedCall, key: Key) -> Judged:
        """What the policies would have made of a call.

        Args:
            call: The call.
            key: The key of the estate that it was made on.
        """
        action = find_action(call.action)
        if action is None:
            return Judged(Verdict.UNDETERMINED, (f"kms:{call.action} is not known here",))
        names = tuple(_callers(call))
        if not names:
            return Judged(Verdict.UNDETERMINED, (f"the trail says {call.who} and not who called",))
        facts = facts_of(call, self._asked)
        answers = [
            certain(
                Call(principal=name, action=action.name, context={**facts, **more}),
                key,
                self._view(name, key),
            )
            for name in names
            for more in variants(call)
        ]
        return self._taken_together(call, answers, names, key, facts)

    def _taken_together(
        self,
        call: RecordedCall,
        answers: Sequence[Certainty],
        names: Sequence[str],
        key: Key,
        facts: Mapping[str, Fact],
    ) -> Judged:
        kinds = {one.answer for one in answers}
        if kinds == {Answer.CERTAIN}:
            return Judged(Verdict.ALLOWED, _once(step.label for one in answers for step in one.allows))
        if kinds == {Answer.NEVER}:
            denying = [step for one in answers for step in one.denies if step.certain]
            if not denying and (by := self._grant_for(call)) is not None:
                return Judged(Verdict.UNDETERMINED, (by,))
            return Judged(Verdict.DENIED, tuple(self._denials(answers, names, call.action, key, facts)))
        open_ = [one for one in answers if one.answer is Answer.OPEN]
        reasons = _once(reason for one in open_ for reason in _why_open(one, facts))
        if not open_:
            reasons = (f"the trail says {call.who}, and policies tell apart whom that may mean",)
        return Judged(Verdict.UNDETERMINED, reasons or ("it is decided at deployment",))

    def _grant_for(self, call: RecordedCall) -> str | None:
        """Why a grant may let the call through that no policy allows; None when there is none."""
        if call.action == "RetireGrant":
            return "whom a grant names may retire it, whatever policies say"
        if call.caller is not None and _is_infrastructure(call.caller):
            return "AWS's own role calls by a grant, which the trail need not show"
        for one in self._grants.get(call.key, ()):
            in_time = one.created <= call.last and (one.ended is None or one.ended >= call.first)
            operations = one.grant.operations
            carries = isinstance(operations, Unknown) or call.action in operations
            if in_time and carries and _is_grantee(one, call):
                return f"it may be by the grant made on {one.created}, which does not change"
        return None

    def _denials(
        self,
        answers: Sequence[Certainty],
        names: Sequence[str],
        action: str,
        key: Key,
        facts: Mapping[str, Fact],
    ) -> Iterator[str]:
        """Why nothing allows it: what denies it, or the conditions that it misses."""
        denying = _once(step.label for one in answers for step in one.denies if step.certain)
        if denying:
            yield from (f"{label} denies it" for label in denying)
            return
        told = False
        for name in names:
            # The same call with whatever it may carry: what allows that, allows it under conditions.
            loose = certain(Call(principal=name, action=action), key, self._view(name, key))
            for step in loose.allows if loose.answer is not Answer.NEVER else ():
                missed = _missed(step, facts)
                if missed:
                    told = True
                    unmet = ", ".join(missed)
                    yield f"{step.label} allows it under conditions that it does not meet: {unmet}"
        if not told:
            yield from _once(one.missing[0] for one in answers if one.missing and _REFUSED in one.missing[0])
            yield "neither the key policy nor a grant in view allows it"

    def _view(self, principal: str, key: Key) -> InView:
        place = (principal, key.account)
        found = self._views.get(place)
        if found is None:
            service = not principal.startswith("arn:")
            found = self._views[place] = InView(
                identity=() if service else tuple(self._attached(principal, boundary=False)),
                others_attached=not service,
                boundaries=() if service else tuple(self._attached(principal, boundary=True)),
                scps=self._estate.organization.scps,
                rcps=self._estate.organization.rcps,
            )
        return found

    def _attached(self, principal: str, *, boundary: bool) -> Iterator[Attached]:
        """The IAM policies of a caller, and those that may be."""
        arn = parse_arn(principal)
        for one in self._estate.identity_policies:
            if (one.kind is IdentityPolicyKind.BOUNDARY) is not boundary:
                continue
            if isinstance(one.attached_to, Unknown):
                if arn is not None and globs_meet(one.account, arn.account):
                    yield Attached(one.policy, one.name, certain=False)
            elif principal in one.attached_to:
                yield Attached(one.policy, one.name)
            elif any(globs_meet(holder, principal) for holder in one.attached_to):
                yield Attached(one.policy, one.name, certain=False)


def _callers(call: RecordedCall) -> Iterator[str]:
    """The names that the caller may have: one, where the trail tells it."""
    if call.caller is not None:
        arn = parse_arn(call.caller)
        if arn is None:
            return
        if arn.service == "sts" and arn.resource.startswith("assumed-role/"):
            # The ARN of a session does not tell the path of its role.
            name = arn.resource.split("/")[1]
            start = f"arn:{arn.partition}:iam::{arn.account}:role/"
            yield f"{start}{name}"
            yield f"{start}{hole(HoleKind.UNRESOLVED, 'path')}/{name}"
        elif arn.service in ("iam", "sts"):
            yield call.caller
    elif not call.by_service and call.caller_account:
        key = parse_arn(call.key)
        start = f"arn:{key.partition if key is not None else 'aws'}:iam::{call.caller_account}:"
        yield f"{start}role/{hole(HoleKind.UNRESOLVED, 'caller')}"
        yield f"{start}user/{hole(HoleKind.UNRESOLVED, 'caller')}"
        yield f"{start}root"
    elif call.service and call.service != INTERNAL:
        yield call.service
        yield from _other_names(call.service, call.key)


def _other_names(service: str, key: str) -> Iterator[str]:
    """What policies may call a service beside the name in the trail: with its Region or without."""
    arn = parse_arn(key)
    label, _, rest = service.partition(".")
    if arn is None or not arn.region:
        return
    if rest == "amazonaws.com":
        yield f"{label}.{arn.region}.{rest}"
    elif rest == f"{arn.region}.amazonaws.com":
        yield f"{label}.amazonaws.com"


def _is_infrastructure(caller: str) -> bool:
    """Whether it is a role of AWS's own in the account: ``aws:ec2-infrastructure``."""
    return ":assumed-role/aws:" in caller or ":role/aws:" in caller


def _is_grantee(recorded: RecordedGrant, call: RecordedCall) -> bool:
    grantee = recorded.grant.grantee
    if isinstance(grantee, Unknown):
        return True
    if call.caller is not None:
        return grantee.startswith("arn:") and same_principal(grantee, call.caller)
    if grantee.startswith("arn:"):
        arn = parse_arn(grantee)
        return not call.by_service and arn is not None and arn.account == call.caller_account
    return call.service is not None and grantee.partition(".")[0] == call.service.partition(".")[0]


_REFUSED = "of the key's account only"


def _missed(step: Step, facts: Mapping[str, Fact]) -> tuple[str, ...]:
    """The conditions of a statement that what a call carries does not meet."""
    statement = step.statement
    if statement is None or not isinstance(statement.conditions, tuple):
        return ()
    found: list[str] = []
    for condition in statement.conditions:
        fact = facts.get(condition.folded_key, _NOT_THERE)
        if not isinstance(fact, Unknown):
            carried = (fact,) if isinstance(fact, str) else fact
            if holds(condition, carried) is False:
                found.append(describe_condition(condition))
    return _once(found)


_NOT_THERE = Unknown("it is not asked of the trail")


def _why_open(found: Certainty, facts: Mapping[str, Fact]) -> Iterator[str]:
    for step in (*found.denies, *found.allows):
        if step.certain and step in found.denies:
            yield f"{step.label} denies it"
        elif not step.certain:
            yield _explained(step, facts)
    yield from (f"{what} is not in view" for what in found.missing)


def _explained(step: Step, facts: Mapping[str, Fact]) -> str:
    """What is open of a statement, and what the trail leaves out of it."""
    why = f"{step.label}: {step.why}" if step.why else step.label
    statement = step.statement
    if statement is None or not step.on_request or not isinstance(statement.conditions, tuple):
        return why
    for condition in statement.conditions:
        fact = facts.get(condition.folded_key)
        if isinstance(fact, Unknown) and condition.key in step.why:
            return f"{why}: {fact.reason}"
    return why


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def together(judged: Sequence[tuple[str, Judged]]) -> Judged:
    """One verdict of those of several worlds, each with what a person calls it.

    Where they differ it is not determined: which deployment it will be decides.
    """
    verdicts = {one.verdict for _, one in judged}
    if len(verdicts) == 1:
        first = judged[0][1]
        return replace(first, reasons=_once(reason for _, one in judged for reason in one.reasons))
    parts = _once(f"with {world}: {one.verdict.value}" for world, one in judged)
    return Judged(Verdict.UNDETERMINED, (f"deployment decides: {'; '.join(parts)}",))
