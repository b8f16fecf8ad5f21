"""KMS:USE: whatever is given the key can use it.

Anti-pattern: an alarm notifies a topic that the key encrypts, and the key policy does not know CloudWatch;
the alarm fires and nobody hears of it::

    {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}},
     "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmActions": [{"Ref": "Topic"}]}},
     "Key": {"Type": "AWS::KMS::Key"}}

Best practice: the key policy lets the service in, for the alarms of this account::

    {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}},
     "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmActions": [{"Ref": "Topic"}]}},
     "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [
         {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Resource": "*",
          "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
          "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}]}}}}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from msgspec import Struct, field

from kms_constructs.analysis.certain import Answer, Certainty
from kms_constructs.analysis.service_calls import ServiceCall, UseAccess, calls_of
from kms_constructs.guardrails import use_fix
from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.rule import KeyRule, RuleContext, capitalized, heading
from kms_constructs.model.condition_operators import CONDITION_OPERATORS
from kms_constructs.model.estate import Key
from kms_constructs.model.policy import Effect, Statement
from kms_constructs.model.service_requirement import MANAGED_FOR_CALLERS, ServiceRequirement, Who
from kms_constructs.model.services import requirement_of
from kms_constructs.model.text import display
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.use import Use
from kms_constructs.model.vocabulary import Fact

CONTROL = Control(
    id="KMS:USE",
    title="Whatever is given the key can use it",
    rationale=(
        "A key policy that keeps everybody out is no use: an alarm that cannot use the key of its topic "
        "fires and nobody hears of it, a flow log is never written, a rotation fails at night. Most of "
        "these failures show nowhere at deployment."
    ),
    advice=(
        "Let the service in that calls KMS for the resource, with the conditions that it really sends; give "
        "the roles that call KMS themselves their use of the key."
    ),
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/service-integration.html",
        "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    ),
    scope=(Subject.KEY_POLICY, Subject.KEY),
    severity=Severity.MEDIUM,
    mappings={Framework.NIST: ("SC-12",)},
)

_SHOWN = 3
_DETAILS = {
    Who.SERVICE: "service",
    Who.LINKED_ROLE: "linked-role",
    Who.ROLE: "role",
    Who.CREATOR: "creator",
}
OPEN = "open"
"""Detail of what IAM policies decide that are not in view."""
UNDOCUMENTED = "undocumented"
"""Detail of uses of which AWS does not say what they need."""


class _Group(Struct):
    """The calls of one principal for one purpose, which make one finding."""

    first: ServiceCall
    uses: list[Use] = field(default_factory=list)
    actions: dict[str, None] = field(default_factory=dict)
    calls: list[ServiceCall] = field(default_factory=list)
    answers: list[Certainty] = field(default_factory=list)


class UseRule(KeyRule):
    """Asks for every resource that names the key whether its calls are allowed."""

    control = CONTROL
    compliant_message: ClassVar[str] = "What is seen to use the key may use it."

    def __init__(self, context: RuleContext) -> None:
        super().__init__(context)
        self._access = UseAccess(context.estate)
        self._uses: dict[str, list[Use]] = {}
        for use in context.estate.uses:
            self._uses.setdefault(use.key, []).append(use)

    def exempt(self, key: Key) -> str | None:
        """What uses the key has to be seen."""
        if not key.vocabulary.knows(Fact.USE):
            return "what uses the key is not seen here"
        return None if key.id in self._uses else "nothing that the requirements of services know uses the key"

    def judge(self, key: Key) -> Iterator[Finding]:
        """Which calls are refused, and which nobody here can tell."""
        refused: dict[object, _Group] = {}
        open_: dict[object, _Group] = {}
        for use in self._uses[key.id]:
            needs = requirement_of(use.requirement)
            assert needs is not None  # noqa: S101 - the source takes uses from the requirements
            if needs.unsupported:
                yield self._unsupported(key, use, needs)
                continue
            if not needs.callers:
                yield self._undocumented(key, use, needs)
            for one in calls_of(use, needs):
                for actions, answer in self._access.answers(one, key):
                    if answer.answer is Answer.CERTAIN:
                        continue
                    never = answer.answer is Answer.NEVER and not use.doubt and not one.caller.only_if
                    _add(refused if never else open_, one, actions, answer)
        for group in refused.values():
            yield self._refused(key, group)
        for purpose, group in open_.items():
            if purpose not in refused:  # else the same fix mends both
                yield self._open(key, group)

    def check_estate(self) -> Iterator[Finding]:
        """Uses of keys that AWS manages, of which nobody can change the policy."""
        for use in self._uses.get("", ()):
            needs = requirement_of(use.requirement)
            assert needs is not None  # noqa: S101 - the source takes uses from the requirements
            callers = [one for one in needs.callers if one.who is Who.SERVICE and not one.only_if]
            if use.managed in MANAGED_FOR_CALLERS and callers and len(use.chain) > 1:
                yield self.finding(
                    Outcome.UNDETERMINED if use.doubt else Outcome.VIOLATION,
                    use.holder.location,
                    f"{needs.title}: {callers[0].principal} can never use {use.managed}, which AWS manages "
                    f"and which lets in principals of the account alone; {use.way} needs it.",
                    fix=f"Encrypt {use.holder.name} with a customer managed key, and let the service in.",
                    severity=Severity.WARNING if use.doubt else None,
                    path=use.holder.path,
                    detail="aws-managed",
                    principals=(callers[0].principal,),
                )

    def _unsupported(self, key: Key, use: Use, needs: ServiceRequirement) -> Finding:
        return self.finding(
            Outcome.UNDETERMINED if use.doubt else Outcome.VIOLATION,
            key.location,
            f"{needs.title}: {needs.unsupported}. {use.way} needs this key, and so will never work.",
            fix=f"Take the key off {use.holder.name}, or deliver elsewhere.",
            severity=Severity.WARNING if use.doubt else None,
            detail="unsupported",
            chain=_chain(use),
        )

    def _undocumented(self, key: Key, use: Use, needs: ServiceRequirement) -> Finding:
        return self.finding(
            Outcome.UNDETERMINED,
            key.location,
            f"{needs.title}: whether {use.way} can use the key cannot be told, for AWS documents nowhere "
            f"what it needs: {' '.join(needs.undocumented)}",
            fix=f"Let whoever creates {use.user.name} use the key (key_users), and try it before you rely "
            "on it.",
            severity=Severity.WARNING,
            path=key.policy.path,
            detail=UNDOCUMENTED,
            chain=_chain(use),
        )

    def _refused(self, key: Key, group: _Group) -> Finding:
        one = group.first
        why = _why(key, group)
        without = f" {one.caller.without}" if one.caller.without else ""
        return self.finding(
            Outcome.VIOLATION,
            key.location,
            f"{one.requirement.title}: {_who(one)} may not call {_named(group.actions)} on the key, which "
            f"{_ways(group.uses)} needs.{why}{without}",
            fix=" ".join(self._fixes(key, group)),
            # The role that deploys may already rewrite the policy: what it lacks shows at deployment.
            severity=Severity.WARNING if one.caller.who is Who.CREATOR else None,
            path=key.policy.path,
            detail=_DETAILS[one.caller.who],
            chain=_chain(one.use),
            principals=() if one.unseen else (display(one.principal),),
        )

    def _open(self, key: Key, group: _Group) -> Finding:
        one = group.first
        steps = [step for answer in group.answers for step in (*answer.denies, *answer.allows)]
        why = next((f" ({step.label}: {display(step.why)})" for step in steps if step.why), "")
        told = next((missing for answer in group.answers for missing in answer.missing), "")
        condition = one.use.doubt or (f"if {one.caller.only_if}" if one.caller.only_if else "")
        who = _who(one) if one.known and not one.unseen else capitalized(_who(one))
        needs = f"{who} must be allowed {_named(group.actions)}"
        return self.finding(
            Outcome.UNDETERMINED,
            key.location,
            f"{one.requirement.title}: whether {_who(one)} may call {_named(group.actions)} on the key for "
            f"{_ways(group.uses)} cannot be told here{why}"
            + (f"; it is needed {condition}." if condition else "."),
            fix=f"{needs}"
            + (f": {told}, or a statement of the key policy. " if told else ", by the key policy. ")
            + " ".join(self._fixes(key, group)),
            severity=Severity.WARNING,
            path=key.policy.path,
            detail=OPEN,
            chain=_chain(one.use),
            principals=(display(one.principal),) if one.known and not one.unseen else (),
        )

    def _fixes(self, key: Key, group: _Group) -> Iterator[str]:
        one = group.first
        if one.unseen:
            yield (
                "The role is made by another application, and no key policy can name it. Let "
                f"{one.use.user.name} use a role of this app, and let that role in."
            )
            return
        named = one.known
        if one.caller.who is Who.CREATOR and named and self._access.may(one, "PutKeyPolicy", key):
            named = False
            yield (
                "That role may rewrite the key policy, and IAM-KMS-8 keeps use from those who may: let "
                "another role create the resource, and leave the key policy its managers."
            )
        if any(map(use_fix.is_unlimited, group.calls)):
            yield (
                "AWS documents no condition that limits this, so IAM-KMS-6 reports the statement: "
                "acknowledge it there."
            )
        arguments = (use_fix.argument(call, named=named) for call in group.calls)
        if told := ", ".join(dict.fromkeys(found for found in arguments if found)):
            yield f"On a SecureKmsKey: {told}."
        made = ", ".join(use_fix.statements(call, named=named) for call in group.calls)
        yield f"In any other key policy: {made}"


def _add(groups: dict[object, _Group], one: ServiceCall, actions: tuple[str, ...], answer: Certainty) -> None:
    principal = one.principal if one.known else ""
    group = groups.setdefault((one.requirement.name, one.caller.who, principal), _Group(one))
    if all(one.use is not other for other in group.uses):
        group.uses.append(one.use)
    group.actions.update(dict.fromkeys(actions))
    group.answers.append(answer)
    if all(one.caller is not other.caller for other in group.calls):
        group.calls.append(one)


def _who(one: ServiceCall) -> str:
    if one.unseen:
        return f"the role that is made for {one.use.user.name}"
    if one.known:
        return display(one.principal)
    if one.caller.who is Who.CREATOR:
        return f"whoever creates {one.use.user.name}"
    return f"the role of {one.use.user.name}"


def _named(actions: Iterable[str]) -> str:
    *others, last = (f"kms:{name}" for name in actions)
    return f"{', '.join(others)} and {last}" if others else last


def _ways(uses: Iterable[Use]) -> str:
    found = list(dict.fromkeys(use.way for use in uses))
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def _chain(use: Use) -> tuple[str, ...]:
    return tuple(f"{link.name} ({link.resource_type}) {link.path}" for link in use.chain)


def _why(key: Key, group: _Group) -> str:
    """What stands in the way, where a statement does."""
    denied = next((step.label for answer in group.answers for step in answer.denies if step.certain), None)
    if denied is not None:
        return f" The {denied} denies it."
    one = group.first
    lacking = [
        (statement, name)
        for statement in key.policy.statements
        if statement.effect is Effect.ALLOW and _means(statement, one.principal)
        for name in one.caller.omits
        if _demands(statement, name)
    ]
    if lacking:
        statement, name = lacking[0]
        return f" {heading(statement)} asks for {name}, which these calls do not carry."
    return ""


def _means(statement: Statement, principal: str) -> bool:
    found = statement.principals
    return isinstance(found, tuple) and any(one.value == principal for one in found)


def _demands(statement: Statement, name: str) -> bool:
    conditions = statement.conditions
    if is_unknown(conditions):
        return False
    return any(
        condition.folded_key == name.lower()
        and not condition.if_exists
        and (operator := CONDITION_OPERATORS.get(condition.base)) is not None
        and not operator.negated
        for condition in conditions
    )
