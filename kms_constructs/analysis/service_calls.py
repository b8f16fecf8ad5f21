"""The calls to KMS that a use of a key makes, and whether they are certainly allowed.

Who calls, what for, and what the calls carry stands in the requirement of the service; the resources of the
app tell the rest: the ARN of the topic is the encryption context, the alarm is the source. What neither tells
is open: a condition on it is neither met nor missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from msgspec import field
from msgspec.structs import replace

from kms_constructs.analysis.certain import (
    Answer,
    Attached,
    Call,
    Certainty,
    Fact,
    InView,
    certain,
    key_facts,
)
from kms_constructs.analysis.reach import deciding
from kms_constructs.model.actions import ACROSS_ACCOUNTS
from kms_constructs.model.arn import PARTITIONS, canonical, cut
from kms_constructs.model.estate import Estate, IdentityPolicyKind, Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import MADE_ROLE, glob_covers, has_variable, is_literal, may_be_generated
from kms_constructs.model.policy import Condition, Effect, Statement
from kms_constructs.model.service_requirement import (
    ACCOUNT,
    CONTEXT,
    CREATE_GRANT,
    FOR_AWS_RESOURCE,
    PARTITION,
    REGION,
    SOURCE_ARN,
    SUFFIX,
    Caller,
    ServiceRequirement,
    Who,
)
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown, is_unknown
from kms_constructs.model.use import Use

_WITHOUT_CONTEXT: Final = frozenset({"DescribeKey", "GetPublicKey", "Sign"})
"""Actions that take no encryption context."""
_ALL_CONTEXT: Final = "kms:encryptioncontextkeys"
_ON_GRANTS: Final = (FOR_AWS_RESOURCE, "kms:GrantOperations")
_ARN_FIELDS: Final = 6
_ONE: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:role|user)/[\w+=,.@/-]+", re.ASCII)
"""A role or user, and no pattern of any."""
_PRINCIPAL: Final = "aws:principalarn"
_PINNING: Final = frozenset({"arnequals", "arnlike", "stringequals", "stringlike"})
_CLAIMED: Final = frozenset({Who.SERVICE, Who.LINKED_ROLE, Who.CREATOR, Who.ROLE})


class ServiceCall(Frozen, frozen=True, kw_only=True, eq=False):
    """What one caller does for one use.

    Args:
        use: The use.
        requirement: What the service needs.
        caller: The caller.
        principal: ARN of a role, or a service principal; may have holes.
        known: Whether it is known who the principal is: else it stands for any role of the account.
        unseen: Whether it is a role of which nobody can write the name.
        context: Condition keys as the policy writes them, with what the calls carry.
    """

    use: Use
    requirement: ServiceRequirement
    caller: Caller
    principal: str
    known: bool
    unseen: bool = False
    context: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions whose refusal breaks something."""
        return self.caller.needed

    def call(self, action: str) -> Call:
        """One of the calls, as far as it is known."""
        carried = {
            name.lower(): None if name.startswith(CONTEXT) and action in _WITHOUT_CONTEXT else value
            for name, value in self.context.items()
            if name not in _ON_GRANTS or action == CREATE_GRANT
        }
        return Call(principal=self.principal, action=action, context=carried)


def calls_of(use: Use, requirement: ServiceRequirement) -> Iterator[ServiceCall]:
    """The calls that are made for a use, as far as anybody can tell.

    Who reads and who writes no template tells. A call that only an option or a feature makes is left out
    where the service makes others.
    """
    claimed = [caller for caller in requirement.callers if caller.who in _CLAIMED]
    always = [caller for caller in claimed if not caller.only_if]
    for number, caller in enumerate(requirement.callers):
        if not any(caller is other for other in always or claimed):
            continue
        one = ServiceCall(
            use=use,
            requirement=requirement,
            caller=caller,
            principal=written(caller.principal, use),
            known=True,
            context=_context(use, caller),
        )
        match caller.who:
            case Who.CREATOR:
                known = use.creator is not None
                yield replace(one, principal=use.creator or _anyone(use, "creator"), known=known)
            case Who.ROLE:
                for role in use.roles:
                    if role.caller != number:
                        continue
                    if is_unknown(role.arn):
                        yield replace(one, principal=_anyone(use, "role"), known=False)
                    else:
                        yield replace(one, principal=role.arn, unseen=role.unseen)
            case _:
                yield one


def written(template: str, use: Use) -> str:
    """A text of a requirement with account, Region and partition of the use."""
    if "<" not in template:
        return template
    suffix = PARTITIONS.get(use.partition, PARTITIONS["aws"]).dns_suffix
    values = {PARTITION: use.partition, ACCOUNT: use.account, REGION: use.region, SUFFIX: suffix}
    for name, value in values.items():
        template = template.replace(name, value)
    return template


def known_value(name: str, pattern: str, use: Use, caller: Caller) -> str | None:
    """What the calls carry for a condition key, where a resource of the way tells: the ARN of the topic."""
    if name in caller.by_name:
        return use.user.arn.rpartition("/")[2] or None
    own = (use.user.arn, *use.mentioned)
    others = tuple(link.arn for link in reversed(use.chain))
    for arn in (*own, *others) if name == SOURCE_ARN else (*others, *own):
        if arn and glob_covers(pattern, arn):
            return arn
    return None


def _anyone(use: Use, what: str) -> str:
    """Any role of the account; one for all uses, which nothing here holds against each other."""
    return f"arn:{use.partition}:iam::{use.account}:role/{hole(HoleKind.UNRESOLVED, what)}"


def _context(use: Use, caller: Caller) -> dict[str, Fact]:
    carried: dict[str, Fact] = dict.fromkeys(caller.omits)
    for name, sent in caller.sends.items():
        if not isinstance(sent, str):
            carried[name] = Unknown("AWS documents several values")
            continue
        pattern = written(sent, use)
        if "*" not in pattern:
            carried[name] = pattern
            continue
        carried[name] = known_value(name, pattern, use, caller) or _any(pattern)
    return carried


def _any(pattern: str) -> str:
    """The pattern as a text of which the parts under its asterisks are not known."""
    head, *rest = pattern.split("*")
    for number, part in enumerate(rest):
        head += hole(HoleKind.UNRESOLVED, f"sent.{number}") + part
    return head


class _Deciding(NamedTuple):
    """The statements that speak of an action, and whether a grant may carry it."""

    statements: tuple[Statement, ...]
    by_grants: bool


_REFUSED: Final = Certainty(Answer.NEVER)
"""The answer where no statement can mean the caller."""


class _Shape(Frozen, frozen=True):
    """What a statement depends on beside itself.

    Args:
        number: Statements that say the same share it.
        allows: Whether it is an Allow, or may be.
        services: What the services begin with that it names; None when it may mean any.
        others: Whether it may mean principals other than services.
        keys: The condition keys that it asks for.
        variables: Whether its values depend on others that the request carries, or are not known.
        of_key: Whether its resources depend on the key.
        named: The roles and users that it names and no other principals, services aside; None when it may
            mean more.
        pinned: The roles and users that a condition confines it to; None when none does.
    """

    number: int
    allows: bool
    services: frozenset[str] | None
    others: bool
    keys: frozenset[str]
    variables: bool
    of_key: bool
    named: frozenset[str] | None
    pinned: frozenset[str] | None

    @classmethod
    def of(cls, statement: Statement, number: int) -> _Shape:
        """The shape of a statement."""
        entries = statement.principals
        services: frozenset[str] | None = None
        others = True
        if isinstance(entries, tuple):
            named = [entry for entry in entries if entry.type == "Service"]
            others = len(named) < len(entries)
            anyone = any(entry.type != "Service" and entry.value == "*" for entry in entries)
            if not anyone and all(is_literal(entry.value) for entry in entries):
                services = frozenset(_label(entry.value) for entry in named)
        conditions = statement.conditions
        told = conditions if isinstance(conditions, tuple) else ()
        values = [value for one in told if isinstance(one.values, tuple) for value in one.values]
        return cls(
            number=number,
            allows=statement.effect is not Effect.DENY,
            services=services,
            others=others,
            keys=frozenset(one.folded_key for one in told),
            variables=is_unknown(conditions)
            or any(map(has_variable, values))
            or any(one.folded_key.startswith(_ALL_CONTEXT) for one in told),
            of_key=statement.resources != ("*",),
            named=_one_by_one(entry.value for entry in entries if entry.type != "Service")
            if isinstance(entries, tuple)
            else None,
            pinned=next(filter(None, map(_pinned, told)), None),
        )

    def may_mean(self, principal: str, *, service: bool, alone: bool) -> bool:
        """Whether it may be about a caller.

        Args:
            principal: The caller.
            service: Whether it is a service.
            alone: Whether the caller has this name and no other.
        """
        if alone and _ONE.fullmatch(principal) and not may_be_generated(principal):
            whom = canonical(principal)
            if self.pinned is not None and whom not in self.pinned:
                return False
            if self.allows and self.named is not None:
                return whom in self.named
        if not self.allows:
            return True
        return self.services is None or _label(principal) in self.services if service else self.others


def _one_by_one(values: Iterable[str]) -> frozenset[str] | None:
    """The roles and users that are named; None where something else is."""
    found = list(values)
    one_by_one = all(_ONE.fullmatch(value) or MADE_ROLE.fullmatch(value) for value in found)
    return frozenset(map(canonical, found)) if one_by_one else None


def _pinned(condition: Condition) -> frozenset[str] | None:
    """The roles and users that a condition confines its statement to."""
    if condition.folded_key != _PRINCIPAL or condition.operator.lower() not in _PINNING:
        return None
    return _one_by_one(condition.values) if isinstance(condition.values, tuple) else None


def _label(service: str) -> str:
    """What a service principal begins with, whatever its Region and partition."""
    return service.partition(".")[0]


def _content(statement: Statement) -> object:
    """What a statement says, wherever it stands."""
    return (
        statement.sid or statement.index,
        statement.effect,
        statement.principals,
        statement.not_principals,
        statement.actions,
        statement.not_actions,
        statement.resources,
        statement.not_resources,
        statement.conditions,
        statement.certain,
    )


class UseAccess:
    """Asks of the calls of an estate whether they are allowed."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._views: dict[str, InView] = {}
        self._attached: dict[str, list[Attached]] | None = None
        self._shapes: dict[object, _Shape] = {}
        self._shape_at: dict[int, _Shape] = {}
        self._answers: dict[object, Certainty] = {}

    def answers(self, one: ServiceCall, key: Key) -> Iterator[tuple[tuple[str, ...], Certainty]]:
        """What is known of the calls: actions, and the answer for each of them."""
        organization = self._estate.organization
        policies = (*organization.scps, *organization.rcps)
        groups: dict[object, tuple[_Deciding, list[str]]] = {}
        for name in one.actions:
            alike, statements, by_grants = deciding(key, name, policies)
            # A call without an encryption context is another call, and so is one that stays in the account.
            group = (alike, name in _WITHOUT_CONTEXT, name in ACROSS_ACCOUNTS)
            groups.setdefault(group, (_Deciding(statements, by_grants), []))[1].append(name)
        for decides, names in groups.values():
            yield tuple(names), self._answer(one, one.call(names[0]), key, decides)

    def _answer(self, one: ServiceCall, call: Call, key: Key, group: _Deciding) -> Certainty:
        """The answer. What is allowed for every resource of an account need not be asked for each."""
        context = _loosened(call.context)
        if context != call.context:
            # AWS's own statements take arn:aws:logs:REGION:ACCOUNT:* for what has colons in its resource.
            loose = self._shared(one, replace(call, context=context), key, group)
            if loose.answer is Answer.CERTAIN:
                return loose
        return self._shared(one, call, key, group)

    def _shared(self, one: ServiceCall, call: Call, key: Key, group: _Deciding) -> Certainty:
        """The answer, which keys with the same statements share: an app has many of one shape."""
        service = one.caller.who is Who.SERVICE
        shapes = [self._shape(statement) for statement in group.statements]
        alone = one.caller.who is not Who.LINKED_ROLE  # AWS puts a suffix to some
        meant = [shape for shape in shapes if shape.may_mean(one.principal, service=service, alone=alone)]
        view = self._view(one)
        if is_unknown(key.policy.unknown) or group.by_grants or view.identity or view.scps or view.rcps:
            return self._ask(one, call, key)
        if not any(shape.allows for shape in meant):
            return _REFUSED
        asked: Iterable[tuple[str, Fact]] = (*call.context.items(), *key_facts(key).items())
        if not any(shape.variables for shape in meant):
            names = frozenset().union(*(shape.keys for shape in meant))
            asked = [pair for pair in asked if pair[0] in names]
        same = (
            one.caller.who,
            call.principal,
            call.action,
            *asked,
            *(shape.number for shape in meant),
            key.id if any(shape.of_key for shape in meant) else "",
            key.account,
            key.region,
            key.partition,
        )
        found = self._answers.get(same)
        if found is None:
            found = self._answers[same] = self._ask(one, call, key)
        return found

    def _shape(self, statement: Statement) -> _Shape:
        place = id(statement)  # it lives as long as the estate does
        found = self._shape_at.get(place)
        if found is None:
            content = _content(statement)
            found = self._shapes.get(content)
            if found is None:
                found = self._shapes[content] = _Shape.of(statement, len(self._shapes))
            self._shape_at[place] = found
        return found

    def may(self, one: ServiceCall, action: str, key: Key) -> bool:
        """Whether its principal may call another action, as far as anybody can tell."""
        organization = self._estate.organization
        _, statements, by_grants = deciding(key, action, (*organization.scps, *organization.rcps))
        call = Call(principal=one.principal, action=action)
        found = self._shared(one, call, key, _Deciding(statements, by_grants))
        return found.answer is not Answer.NEVER

    def _ask(self, one: ServiceCall, call: Call, key: Key) -> Certainty:
        view = self._view(one)
        found = certain(call, key, view)
        if found.answer is Answer.NEVER:
            for other in _others(one):
                open_ = certain(replace(call, principal=other), key, view)
                if open_.answer is not Answer.NEVER:
                    return replace(open_, answer=Answer.OPEN)
        return found

    def _view(self, one: ServiceCall) -> InView:
        found = self._views.get(one.principal)
        if found is None:
            organization = self._estate.organization
            found = self._views[one.principal] = InView(
                identity=() if one.caller.who is Who.SERVICE else self._policies_of(one.principal),
                others_attached=one.caller.who is not Who.SERVICE,
                scps=organization.scps,
                rcps=organization.rcps,
            )
        return found

    def _policies_of(self, principal: str) -> tuple[Attached, ...]:
        if self._attached is None:
            self._attached = _by_holder(self._estate)
        return tuple(self._attached.get(canonical(principal), ()))


def _by_holder(estate: Estate) -> dict[str, list[Attached]]:
    """The IAM policies by whom they are attached to: those of which that is known."""
    found: dict[str, list[Attached]] = {}
    for policy in estate.identity_policies:
        if policy.kind is IdentityPolicyKind.BOUNDARY or is_unknown(policy.attached_to):
            continue
        for holder in policy.attached_to:
            found.setdefault(canonical(holder), []).append(Attached(policy.policy, policy.name))
    return found


def _loosened(context: Mapping[str, Fact]) -> dict[str, Fact]:
    """The context with ARNs of any resource, which no colon divides."""
    return {
        name: _without_colons(value) if isinstance(value, str) else value for name, value in context.items()
    }


def _without_colons(value: str) -> str:
    if value.count(":") < _ARN_FIELDS - 1:
        return value  # as most have: to cut them takes far longer than to count
    fields = cut(value)
    if len(fields) < _ARN_FIELDS:
        return value
    return ":".join((*fields[:-1], hole(HoleKind.UNRESOLVED, "sent.resource")))


def _others(one: ServiceCall) -> Iterable[str]:
    """Names that the caller may have as well: a service without its Region, a role with a suffix."""
    if one.caller.who is Who.LINKED_ROLE:
        yield one.principal + hole(HoleKind.UNRESOLVED, "suffix")
    elif one.caller.who is Who.SERVICE and REGION in one.caller.principal:
        yield written(
            one.caller.principal.replace(f"{REGION}.", "").replace(SUFFIX, "amazonaws.com"), one.use
        )
    elif one.caller.who is Who.CREATOR and not one.known:
        yield one.principal.replace(":role/", ":user/")
