"""A request that shows what a region says: concrete, and decided by `evaluate`.

Regions and rules reason about all requests at once. A witness is one of them: a caller, a context, and
whether it takes an IAM policy of the caller's. Where parts of a policy are decided at deployment, it says for
what they were taken. It is looked for, not computed: None means that none was found, and proves nothing.
"""

from __future__ import annotations

import weakref
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from itertools import islice, product

from msgspec import field
from msgspec.structs import replace

from kms_constructs.analysis.call import key_facts
from kms_constructs.analysis.carried import misses, nearest, values_around
from kms_constructs.analysis.conditions import GRANT_ACTIONS
from kms_constructs.analysis.contribution import Contribution
from kms_constructs.analysis.evaluate import (
    Request,
    evaluate,
    is_service_linked,
    kind_of,
    may_call,
    seen_of,
)
from kms_constructs.analysis.grounding import SOME_ACCOUNT, fill, grounded, grounded_statement, texts_of
from kms_constructs.analysis.key_names import home_partition
from kms_constructs.analysis.principals import Cell, PrincipalKind
from kms_constructs.analysis.reach import reach_of, same_account
from kms_constructs.model.arn import OPEN_PARTITION, is_account_id, parse_arn
from kms_constructs.model.effort import spend
from kms_constructs.model.estate import Key, Organization
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import glob_covers, has_wildcard
from kms_constructs.model.policy import Condition, Effect, Policy, Statement, parse_policy
from kms_constructs.model.text import FIELD_ANY, FIELD_STAR, display, has_hole
from kms_constructs.model.unknown import is_unknown

Context = dict[str, str | tuple[str, ...]]

_STEPS_OF_A_CONTRIBUTION = 4
_MOST_CALLERS = 24
_MOST_CONTEXTS = 128
_MOST_NAMELESS = 256
"""Sets of principals in which no name is found, before it is given up."""
_MOST_WORLDS = 8192
_NO_ORGANIZATION = Organization()
_ELSEWHERE = "444455556666"
_NOBODYS_SERVICE = "example.amazonaws.com"
_ALWAYS = {
    "aws:currenttime": "2026-06-01T12:00:00Z",
    "aws:epochtime": "1780315200",
    "aws:securetransport": "true",
    "aws:sourceip": "198.51.100.7",
}
"""What every direct call carries, as far as a policy asks for it."""
_IN_EVERY_CALL = frozenset({"aws:currenttime", "aws:epochtime", "aws:securetransport"})
_OF_THE_CALLER = frozenset(
    {
        "aws:principalarn",
        "aws:principalaccount",
        "kms:calleraccount",
        "aws:principalisawsservice",
        "aws:principaltype",
    }
)


class Witness(Frozen, frozen=True):
    """One request, and what comes of it.

    Args:
        principal: ARN of the caller, or the name of a service.
        action: Name of the action, without ``kms:``.
        context: What the request carries of the condition keys that the policies ask for.
        needs_iam: Whether it takes an IAM policy of the caller's that allows the action.
        allowed: Whether it is allowed, and not denied.
        taken: What undecided parts were taken for, by their names.
        beside: Another request of the same caller that belongs to it, or None.
    """

    principal: str
    action: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    needs_iam: bool = False
    allowed: bool = True
    taken: Mapping[str, str] = field(default_factory=dict)
    beside: Witness | None = None

    def __hash__(self) -> int:
        return hash((self.principal, self.action, self.needs_iam, self.allowed, self.beside))

    def describe(self) -> str:
        """The request in one line, as a person reads it.

        Example:
            >>> Witness("arn:aws:iam::111122223333:role/App", "Decrypt", needs_iam=True).describe()
            'arn:aws:iam::111122223333:role/App may call kms:Decrypt, given an IAM policy that allows it'
        """
        may = "may" if self.allowed else "may not"
        text = f"{self.principal} {may} call kms:{self.action}"
        if self.context:
            carried = (f"{name}={_one(value)}" for name, value in sorted(self.context.items()))
            text += f" with {', '.join(carried)}"
        if self.needs_iam:
            text += ", given an IAM policy that allows it"
        if self.taken:
            text += f" (taking {', '.join(f'{name} for {value}' for name, value in self.taken.items())})"
        return text if self.beside is None else f"{text}; {self.beside.describe()}"


def _one(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else "/".join(value)


def witness(
    part: Contribution,
    key: Key,
    action: str,
    *,
    organization: Organization | None = None,
    but: Sequence[str] = (),
    known: Mapping[str, str | None] | None = None,
) -> Witness | None:
    """A request that a contribution to a region lets through.

    Args:
        part: Why principals are in the region.
        key: The key.
        action: Name of the action, without ``kms:``.
        organization: Policies of the organization in force.
        but: ARN patterns of principals that do not count, the authorised ones.
        known: Folded condition keys that the request has to carry, or with None must not.

    Returns:
        The witness, which `evaluate` allows; None when none was found.
    """
    world = _World.of(key, organization or _NO_ORGANIZATION, part)
    asked = known or {}
    place = world.seen_of(action), part.cells, id(part.statement), tuple(but), tuple(asked.items())
    if place not in world.shown:
        # The statement is kept with what was found, so that no other takes its id.
        world.shown[place] = part.statement, _found(world, part, action, but, asked)
    _, found = world.shown[place]
    return found if found is None or found.action == action else replace(found, action=action)


def _found(
    world: _World, part: Contribution, action: str, but: Sequence[str], known: Mapping[str, str | None]
) -> Witness | None:
    allow = world.statement(part)
    for caller in islice(filter(may_call, world.callers(part.cells, allow)), _MOST_CALLERS):
        if but and Cell(kind_of(caller), (caller,)).within(but):
            continue
        for context in islice(world.contexts(action, known, allow=allow), _MOST_CONTEXTS):
            found = world.ask(caller, action, context)
            if found is not None:
                return found
    return None


def refusal(
    principal: str,
    action: str,
    key: Key,
    *,
    organization: Organization | None = None,
    context: Mapping[str, str] | None = None,
    unforeseen: Collection[str] = (),
) -> Witness | None:
    """A plain call of a principal that is denied.

    Args:
        principal: ARN of a principal without IAM policies: a root user. It may have the holes of the key.
        action: Name of the action, without ``kms:``.
        key: The key.
        organization: Policies of the organization in force.
        context: What the call carries beside what each call does.
        unforeseen: Folded condition keys of which nobody can say what the call carries.

    Returns:
        The witness, which `evaluate` denies; None when none was found.
    """
    world = _World.of(key, organization or _NO_ORGANIZATION, None)
    caller = world.filled(principal)
    if has_hole(caller):
        return None
    for carried in islice(world.contexts(action, context or {}, free=unforeseen), _MOST_CONTEXTS):
        if not world.decide(caller, action, carried, iam=False):
            shown = {name: value for name, value in carried.items() if name in world.asked}
            return Witness(caller, action, shown, allowed=False, taken=world.taken(caller))
    return None


class _World(Frozen, frozen=True, eq=False, dict=True):
    """A key and its organization as they may be deployed: every hole is a text."""

    key: Key
    organization: Organization
    texts: Mapping[str, str]
    settled: bool
    """Whether the key policy leaves nothing open: it is deployed as it stands."""
    shown: dict[Hashable, tuple[Statement | None, Witness | None]] = field(default_factory=dict)
    """What was found before, by everything that a search depends on: many actions look alike to a policy."""
    _seen: dict[str, Hashable] = field(default_factory=dict)

    def seen_of(self, action: str) -> Hashable:
        """What decides of an action, and what its requests may carry: not its name."""
        if action not in self._seen:
            bound = self.organization
            seen = seen_of(action, self.key, (*bound.scps, *bound.rcps))
            self._seen[action] = action in GRANT_ACTIONS, seen
        return self._seen[action]

    @classmethod
    def of(cls, key: Key, organization: Organization, part: Contribution | None) -> _World:
        """The world of a key, made once: every rule asks for it, and once for each of its findings."""
        home = _home(key, part)
        place = id(key), id(organization), home
        known = _WORLDS.get(place)
        # An id is taken again when what had it is gone; so it is asked whether that is still there.
        if known is not None and known[0]() is key and known[1] is organization:
            return known[2]
        if len(_WORLDS) >= _MOST_WORLDS:
            _WORLDS.clear()
        made = cls._made(key, organization, home)
        _WORLDS[place] = weakref.ref(key), organization, made
        return made

    @classmethod
    def _made(cls, key: Key, organization: Organization, home: str) -> _World:
        texts = texts_of(key, organization, home)
        account = fill(key.account, texts)
        deployed = replace(
            key,
            account=account if is_account_id(account) else home,
            region="us-east-1" if is_unknown(key.region) else fill(key.region, texts),
            partition=texts.get(OPEN_PARTITION, key.partition),
            key_id=fill(key.key_id or key.id, texts),
            policy=grounded(key.policy, texts),
            grants=tuple(
                grant if is_unknown(grant.grantee) else replace(grant, grantee=fill(grant.grantee, texts))
                for grant in key.grants
            ),
        )
        bound = Organization(
            tuple(grounded(policy, texts) for policy in organization.scps),
            tuple(grounded(policy, texts) for policy in organization.rcps),
        )
        return cls(deployed, bound, texts, settled=deployed.policy is key.policy)

    def statement(self, part: Contribution) -> Statement | None:
        """The Allow that a contribution comes from, as it may be deployed."""
        if part.statement is None or self.settled:
            return part.statement
        return grounded_statement(part.statement, self.texts)

    def filled(self, text: str) -> str:
        """The text with its holes filled in."""
        return fill(text, self.texts)

    def taken(self, caller: str) -> dict[str, str]:
        """What the undecided parts were taken for that the caller's name or the key's account shows."""
        if not self.texts:
            return {}
        shown = (caller, self.key.account)
        return {
            display(hole): value
            for hole, value in self.texts.items()
            if hole != OPEN_PARTITION and any(value in text for text in shown)
        }

    @cached_property
    def _conditions(self) -> tuple[Condition, ...]:
        """Every condition of the policies, those of the Allows first."""
        found = [
            (condition, statement.effect)
            for policy in (self.key.policy, *self.organization.scps, *self.organization.rcps)
            for statement in policy.statements
            if isinstance(statement.conditions, tuple)
            for condition in statement.conditions
        ]
        found.sort(key=lambda one: one[1] is not Effect.ALLOW)
        return tuple(condition for condition, _ in found)

    @cached_property
    def asked(self) -> frozenset[str]:
        """Folded condition keys that some policy asks for."""
        return frozenset(condition.folded_key for condition in self._conditions)

    @cached_property
    def plain(self) -> Context:
        """What a plain call carries: what the key is, and what no call goes without."""
        facts = {name: value for name, value in key_facts(self.key).items() if isinstance(value, str | tuple)}
        return {**facts, **_ALWAYS}

    @cached_property
    def _choices(self) -> Mapping[str, tuple[str | tuple[str, ...] | None, ...]]:
        """What a request may carry of each condition key that is neither the key's nor the caller's."""
        facts = key_facts(self.key).keys()
        choices: dict[str, dict[str | tuple[str, ...] | None, None]] = {}
        for condition in self._conditions:
            name = condition.folded_key
            if name in _OF_THE_CALLER or name in facts:
                continue
            options = choices.setdefault(name, {self.plain.get(name): None})
            for value in values_around(condition):
                if value is not None or name not in _IN_EVERY_CALL:
                    options[value] = None
        return {name: tuple(options) for name, options in choices.items()}

    def contexts(
        self,
        action: str,
        known: Mapping[str, str | None],
        *,
        free: Collection[str] | None = None,
        allow: Statement | None = None,
    ) -> Iterator[Context]:
        """What a request may carry, what the Allow asks for first.

        Args:
            action: The action.
            known: What it has to carry, or with None must not.
            free: The condition keys that may be anything; None for all.
            allow: The Allow.
        """
        granting = action in GRANT_ACTIONS
        choices = {
            name: options
            for name, options in self._choices.items()
            if name not in known
            and (free is None or name in free)
            and (granting or name != "kms:grantisforawsresource")
        }
        if allow is not None and isinstance(allow.conditions, tuple):
            for condition in allow.conditions:
                # What satisfies the Allow is tried before what a plain call carries.
                if (options := choices.get(condition.folded_key)) is not None:
                    choices[condition.folded_key] = tuple(sorted(options, key=partial(misses, condition)))
        fixed = {name: value for name, value in known.items() if value is not None}
        if not choices:
            yield {**self.plain, **fixed}
            return
        names = list(choices)
        for chosen in nearest(list(choices.values())):
            carried = {**self.plain, **dict(zip(names, chosen, strict=True)), **fixed}
            yield {name: value for name, value in carried.items() if value is not None}

    def callers(self, cells: Iterable[Cell], allow: Statement | None) -> Iterator[str]:
        """Names of principals of the cells, one at least of each if one is found."""
        seen: set[str] = set()
        named = allow.principals if allow is not None else ()
        for principal in named if isinstance(named, tuple) else ():
            # What is not known was taken for a name: the cell says no more than that it is one.
            if principal.value in self.texts.values() and parse_arn(principal.value) is not None:
                seen.add(principal.value)
                yield principal.value
        nameless = 0
        for cell in cells:
            named_one = False
            for name in islice(self._names(cell), 4):
                named_one = True
                if name not in seen:
                    seen.add(name)
                    yield name
            nameless += not named_one
            if nameless > _MOST_NAMELESS:
                return  # hostile policies have thousands, and each is searched to its end

    def _names(self, cell: Cell) -> Iterator[str]:
        if cell.kind is PrincipalKind.SERVICE:
            yield from (_NOBODYS_SERVICE if name == "*" else self.filled(name) for name in cell.include)
            return
        include = [self.filled(pattern) for pattern in cell.include]
        exclude = [self.filled(pattern) for pattern in cell.exclude]
        for name in _candidates(cell.kind, tuple(include), self.key.account, self._partition):
            named = all(glob_covers(pattern, name) for pattern in include)
            if (
                parse_arn(name) is not None
                and named
                and not any(glob_covers(pattern, name) for pattern in exclude)
            ):
                yield name

    @cached_property
    def _partition(self) -> str:
        return home_partition(self.key)

    def decide(self, caller: str, action: str, context: Context, *, iam: bool) -> bool:
        """What the evaluator says."""
        request = Request(principal=caller, action=action, context=context)
        identity = (_allowing(action),) if iam else ()
        bound = self.organization
        return evaluate(
            request, self.key, identity_policies=identity, scps=bound.scps, rcps=bound.rcps
        ).allowed

    def ask(self, caller: str, action: str, context: Context) -> Witness | None:
        """The request as a witness, if it is allowed; without an IAM policy rather than with one."""
        # A root user and a service have no IAM policies, and AWS alone writes those of service-linked roles.
        alone = caller.endswith(":root") or not caller.startswith("arn:") or is_service_linked(caller)
        for iam in (False,) if alone else (False, True):
            if self.decide(caller, action, context, iam=iam):
                shown = {name: value for name, value in context.items() if name in self.asked}
                return Witness(caller, action, shown, iam, True, self.taken(caller))
        return None


_WORLDS: dict[tuple[int, int, str], tuple[weakref.ref[Key], Organization, _World]] = {}


def _home(key: Key, part: Contribution | None) -> str:
    """The account that a key is taken to lie in: one whose principals may change its policy.

    KMS refuses a policy under which its author could not change it again, and takes PutKeyPolicy from the
    key's own account only.

    See: https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    """
    if is_account_id(key.account):
        return key.account
    reach = reach_of(key, "PutKeyPolicy")
    spend(_STEPS_OF_A_CONTRIBUTION * len(reach.contributions))
    editors = reach.cells
    own = (cell.account for cell in (*(part.cells if part is not None else ()), *editors))
    tried = dict.fromkeys((*(one for one in own if one and is_account_id(one)), SOME_ACCOUNT))
    possible = (one for one in tried if any(same_account(cell, one) is not False for cell in editors))
    return next(possible, SOME_ACCOUNT)


@lru_cache(maxsize=128)
def _allowing(action: str) -> Policy:
    return parse_policy({"Statement": {"Effect": "Allow", "Action": f"kms:{action}", "Resource": "*"}})


# Who calls

_BEGIN = {
    PrincipalKind.ROOT: ("iam", "root"),
    PrincipalKind.USER: ("iam", "user/"),
    PrincipalKind.ROLE: ("iam", "role/"),
    PrincipalKind.FEDERATED: ("sts", "federated-user/"),
}
_WILD = str.maketrans({FIELD_STAR: "*", FIELD_ANY: "?"})


def _candidates(kind: PrincipalKind, include: tuple[str, ...], account: str, partition: str) -> Iterator[str]:
    """Names that may match all patterns: each pattern with its wildcards filled with pieces of the others."""
    literal = next((pattern for pattern in include if not has_wildcard(pattern)), None)
    if literal is not None:
        yield literal
        return
    service, begin = _BEGIN[kind]
    accounts = (account, _ELSEWHERE)
    if kind is PrincipalKind.ROOT:
        yield from (f"arn:{partition}:{service}::{one}:root" for one in _accounts(include, accounts))
        return
    pieces = _pieces(include, begin)
    for one in _accounts(include, accounts):
        for name in pieces:
            yield f"arn:{partition}:{service}::{one}:{name}"


def _accounts(include: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    """Accounts that the patterns spell, or begin to spell, and some others."""
    found: dict[str, None] = {}
    for pattern in include:
        arn = parse_arn(pattern.translate(_WILD))
        begin = arn.account.split("*")[0].split("?")[0] if arn is not None else ""
        if begin.isdigit():
            found[begin.ljust(12, "0")] = None
    yield from dict.fromkeys((*found, *others))


@lru_cache(maxsize=1024)
def _pieces(include: tuple[str, ...], begin: str) -> tuple[str, ...]:
    resources: list[str] = []
    for pattern in include:
        text = pattern.translate(_WILD)
        arn = parse_arn(text)
        resources.append(arn.resource if arn is not None else text.rsplit(":", 1)[-1])
    runs = [run for resource in resources for run in resource.removeprefix(begin).split("*") if run]
    fills = list(dict.fromkeys(("Example", "", *runs, *map("".join, product(runs[:6], repeat=2)))))
    found: dict[str, None] = {}
    for resource in resources:
        for one in fills:
            name = resource.replace("*", one).replace("?", "x")
            found[name if name.startswith(begin) else f"{begin}{name}"] = None
    found.update(dict.fromkeys(f"{begin}{one}" for one in fills if one))
    found.update(dict.fromkeys(f"{begin}{one}-2" for one in fills if one))
    return tuple(found)
