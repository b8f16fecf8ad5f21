"""What is certainly allowed: the dual of R(X).

R(X) holds everyone who may possibly call an action, so what is not known counts for an Allow and not for a
Deny. Here it is the other way round: a call is certain when some Allow certainly applies and no Deny can.
What is not known counts for a Deny and not for an Allow. Both ask the same conditions, read in three values.

See: https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from msgspec.structs import replace

from kms_constructs.analysis.call import (
    BOUNDARY,
    GRANT,
    IAM_POLICY,
    KEY_POLICY,
    NOT_SAID,
    RCP,
    SCP,
    Answer,
    Attached,
    Call,
    Certainty,
    Fact,
    InView,
    Step,
    key_facts,
)
from kms_constructs.analysis.conditions import (
    GRANT_ACTIONS,
    GRANT_ONLY_KEYS,
    all_of,
    any_of,
    holds,
    principal_atom,
)
from kms_constructs.analysis.evaluate import is_service_linked, kind_of
from kms_constructs.analysis.key_names import KeyName, speaks_of_key
from kms_constructs.analysis.principals import Cell, PrincipalKind, is_session, localised, principal_cells
from kms_constructs.analysis.reach import UNBOUND_BY_RCP, applies_to_action
from kms_constructs.analysis.variables import filled
from kms_constructs.model.actions import ACROSS_ACCOUNTS
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.condition_operators import CONDITION_OPERATORS
from kms_constructs.model.estate import Grant, Key
from kms_constructs.model.globs import glob_covers, globs_meet, has_variable
from kms_constructs.model.policy import Condition, Effect, Principal, Statement
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import Unknown, is_unknown


def certain(call: Call, key: Key, view: InView | None = None) -> Certainty:
    """Whether a call is certainly allowed, certainly denied, or neither.

    Args:
        call: The call.
        key: The key; its policy and its grants count.
        view: What else decides; nothing when it is left out.

    Returns:
        The answer. Certain means that `evaluate` allows the call under every choice of what is not known:
        holes, condition keys, statements and attachments that may be there. Never means that it denies it
        under every choice.

    Example:
        >>> from kms_constructs.model.estate import Key, Location
        >>> from kms_constructs.model.policy import default_key_policy
        >>> key = Key(id="k", location=Location("k"), account="111122223333", region="us-east-1",
        ...     policy=default_key_policy("aws", "111122223333"))
        >>> certain(Call(principal="arn:aws:iam::111122223333:root", action="PutKeyPolicy"), key).answer
        <Answer.CERTAIN: 'certain'>
        >>> app = Call(principal="arn:aws:iam::111122223333:role/App", action="Decrypt")
        >>> certain(app, key, InView(others_attached=True)).missing
        ('an IAM policy that allows kms:Decrypt',)
    """
    return _Asked(call, key, view or InView()).answer()


_OF_THE_RESOURCE = ("aws:resourcetag/", "aws:resourceorg", "kms:resourcealiases")
"""Condition keys about the key itself of which neither a template nor a caller says everything."""


class _Asked:
    """One call against the statements of any policy, in three values."""

    def __init__(self, call: Call, key: Key, view: InView) -> None:
        self._call = call
        self._key = key
        self._view = view
        self._name = KeyName.of(key)
        self._own_name = KeyName.of(key, in_own_policy=True)
        self._principal = localised(call.principal, self._name.partition)
        self._kind = kind_of(self._principal)
        self._cell = Cell(self._kind, (self._principal,))
        arn = parse_arn(self._principal)
        self._account = arn.account if arn is not None and self._kind is not PrincipalKind.SERVICE else None

    @cached_property
    def _facts(self) -> dict[str, Fact]:
        service = self._kind is PrincipalKind.SERVICE
        kinds = {
            PrincipalKind.ROOT: "Account",
            PrincipalKind.USER: "User",
            PrincipalKind.ROLE: "AssumedRole",
            PrincipalKind.FEDERATED: "FederatedUser",
        }
        given = {
            name: value
            if isinstance(value, Unknown) or value is None
            else _local(value, self._name.partition)
            for name, value in self._call.context.items()
        }
        return {
            **key_facts(self._key),
            "aws:principalarn": None if service else self._principal,
            "aws:principalaccount": self._account,
            "kms:calleraccount": self._account,
            "aws:principalisawsservice": "true" if service else "false",
            "aws:principaltype": kinds.get(self._kind),
            **({"aws:userid": self._account} if self._kind is PrincipalKind.ROOT else {}),
            **given,
        }

    def _fact(self, key: str) -> Fact:
        if key in self._facts:
            return self._facts[key]
        if key.startswith(_OF_THE_RESOURCE):
            return NOT_SAID
        if key in GRANT_ONLY_KEYS and self._call.action not in GRANT_ACTIONS:
            return None
        return self._call.others

    # The answer

    @cached_property
    def _home(self) -> bool | None:
        """Whether the caller belongs to the key's account; a service always does."""
        return True if self._account is None else _same(self._account, self._key.account)

    def answer(self) -> Certainty:
        """Denies first, as IAM does."""
        bound_home = self._call.action not in ACROSS_ACCOUNTS and self._home is not True
        refused = f"KMS takes kms:{self._call.action} from principals of the key's account only"
        if bound_home and self._home is False:
            return Certainty(Answer.NEVER, missing=(refused,))
        if is_unknown(self._key.policy.unknown):
            step = Step(KEY_POLICY, None, False, self._key.policy.unknown.reason)
            return Certainty(Answer.OPEN, (step,), allowed=None)
        denies = tuple(self._denials())
        found, allows, missing = self._allowed()
        if found is False or any(step.certain for step in denies):
            return Certainty(Answer.NEVER, allows, denies, missing, found)
        if bound_home:
            missing = (*missing, refused)
        sure = found is True and not denies and not bound_home
        return Certainty(Answer.CERTAIN if sure else Answer.OPEN, allows, denies, missing, found)

    def _denials(self) -> Iterator[Step]:
        yield from self._denying(KEY_POLICY, (Attached(self._key.policy),), True)
        yield from self._denying(IAM_POLICY, self._view.identity, True)
        yield from self._denying(BOUNDARY, self._view.boundaries, True)
        if is_service_linked(self._principal):
            return
        scp_binds = False if self._account is None else self._home
        yield from self._denying(SCP, map(Attached, self._view.scps), scp_binds)
        yield from self._unlisted(scp_binds)
        if self._call.action not in UNBOUND_BY_RCP:
            yield from self._denying(RCP, map(Attached, self._view.rcps), True)

    def _denying(self, layer: str, policies: Iterable[Attached], binds: bool | None) -> Iterator[Step]:
        if binds is False:
            return
        for one in policies:
            unknown = one.policy.unknown
            if is_unknown(unknown):
                yield Step(layer, None, False, unknown.reason, name=one.name)
                continue
            for statement in one.policy.statements:
                if statement.effect is Effect.ALLOW:
                    continue
                verdict = self._applies(statement, self._own_name if layer == KEY_POLICY else self._name)
                if verdict.holds is not False and layer == KEY_POLICY:
                    verdict = verdict.also(_Verdict(self._is_denied(statement), _WHOM))
                if verdict.holds is False:
                    continue
                if not (one.certain and binds):
                    verdict = verdict.also(_Verdict(None, "whether it binds this principal is not known"))
                yield verdict.step(layer, statement, one.name)

    def _unlisted(self, binds: bool | None) -> Iterator[Step]:
        """Service control policies that list what is allowed take the rest away, if no other allows it."""
        scps = [one for one in self._view.scps if any(s.effect is Effect.ALLOW for s in one.statements)]
        if scps and binds is not False and self._any_allow(SCP, map(Attached, scps), False)[0] is not True:
            yield Step(SCP, None, False, "those that are given list what is allowed, and not this")

    def _allowed(self) -> _Way:
        """Whether something allows it, by what, and what is missing."""
        found = (*self._by_statements(), *self._by_grants())
        return max(found, key=_weight, default=(False, (), ()))

    def _by_statements(self) -> Iterator[_Way]:
        for statement in self._key.policy.statements:
            if statement.effect is Effect.DENY:
                continue
            verdict = self._applies(statement, self._own_name)
            if verdict.holds is False:
                continue
            for delegated, named in self._names(statement).items():
                if named is False:
                    continue
                taken = verdict.also(_Verdict(named, _WHOM))
                step = taken.step(KEY_POLICY, statement)
                yield self._with_identity(step, taken.holds, delegated=delegated)

    def _with_identity(self, step: Step, taken: bool | None, *, delegated: bool) -> _Way:
        """What a statement of the key policy comes to, together with the IAM policies that it needs."""
        if self._kind in (PrincipalKind.ROOT, PrincipalKind.SERVICE):
            return taken, (step,), ()
        needs = True if delegated else None if self._home is None else not self._home
        found, steps = self._by_identity
        bounded = self._within_boundary
        if needs is False:
            # Whether a boundary limits what a key policy gives a principal directly depends on how it names
            # it: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
            sure = taken if bounded is True else all_of((taken, None))
            return sure, (step,), () if bounded is True else (f"a {BOUNDARY} that allows it",)
        iam = f"an IAM policy that allows kms:{self._call.action}"
        missing = () if found is True else (iam,)
        if bounded is not True:
            missing = (*missing, f"a {BOUNDARY} that allows it")
        answer = all_of((taken, found, bounded))
        if needs is None and answer is False:
            answer = all_of((taken, None))
        return answer, (step, *steps), missing

    @cached_property
    def _by_identity(self) -> tuple[bool | None, tuple[Step, ...]]:
        """Whether an IAM policy of the caller allows it."""
        return self._any_allow(IAM_POLICY, self._view.identity, None if self._view.others_attached else False)

    @cached_property
    def _within_boundary(self) -> bool | None:
        """Whether the caller's boundaries allow it; yes when it has none."""
        answers = (
            any_of((self._any_allow(BOUNDARY, (one,), False)[0], None if not one.certain else False))
            for one in self._view.boundaries
        )
        return all_of(answers)

    def _any_allow(
        self, layer: str, policies: Iterable[Attached], rest: bool | None
    ) -> tuple[bool | None, tuple[Step, ...]]:
        best: tuple[bool | None, tuple[Step, ...]] = (rest, ())
        for one in policies:
            unknown = one.policy.unknown
            if is_unknown(unknown):
                best = (None, best[1] or (Step(layer, None, False, unknown.reason, name=one.name),))
                continue
            for statement in one.policy.statements:
                if statement.effect is Effect.DENY:
                    continue
                verdict = self._applies(statement, self._name)
                if not one.certain:
                    verdict = verdict.also(_Verdict(None, "whether it is attached is not known"))
                if verdict.holds is True:
                    return True, (verdict.step(layer, statement, one.name),)
                if verdict.holds is None and not best[1]:
                    best = (None, (verdict.step(layer, statement, one.name),))
        return best

    def _by_grants(self) -> Iterator[_Way]:
        for grant in self._key.grants:
            verdict = self._granted(grant)
            if verdict is not False:
                why = "" if verdict else "whom or what it serves is not known"
                yield verdict, (Step(GRANT, None, verdict is True, why, name=grant.name or ""),), ()

    def _granted(self, grant: Grant) -> bool | None:
        grantee: bool | None = None
        if not is_unknown(grant.grantee):
            grantee = _same(localised(grant.grantee, self._name.partition), self._principal)
        carries = None if is_unknown(grant.operations) else self._call.action in grant.operations
        return all_of((grantee, carries, *self._constraints(grant)))

    def _constraints(self, grant: Grant) -> Iterator[bool | None]:
        prefix = "kms:encryptioncontext:"
        equals = grant.constraints.get("EncryptionContextEquals")
        wanted = {**(equals or {}), **grant.constraints.get("EncryptionContextSubset", {})}
        for name, value in wanted.items():
            carried = self._fact(f"{prefix}{name.lower()}")
            if isinstance(carried, Unknown):
                yield None
            else:
                found = (carried,) if isinstance(carried, str) else carried or ()
                yield found == (value,) if len(found) != 1 else _same(found[0], value)
        if equals is None:
            return
        names = {name.lower() for name in equals}
        others = {one for one in self._facts if one.startswith(prefix)} - {f"{prefix}{one}" for one in names}
        yield from (None if isinstance(self._facts[one], Unknown) else not self._facts[one] for one in others)
        yield None if isinstance(self._call.others, Unknown) else True

    # One statement

    def _applies(self, statement: Statement, name: KeyName) -> _Verdict:
        """Whether all but the Principal element takes the call in."""
        found = _Verdict(True)
        for verdict in self._parts(statement, name):
            found = found.also(verdict)
            if found.holds is False:
                break
        return found

    def _parts(self, statement: Statement, name: KeyName) -> Iterator[_Verdict]:
        action = self._call.action
        if not applies_to_action(statement, action, certainly=False):
            yield _Verdict(False)
            return
        if not applies_to_action(statement, action, certainly=True):
            yield _Verdict(None, "its actions are decided at deployment")
        means_it = speaks_of_key(statement, name, self._filled)
        yield _Verdict(means_it, "whether it means this key is decided at deployment")
        if not statement.certain:
            yield _Verdict(None, "whether it exists is decided at deployment")
        if isinstance(statement.effect, Unknown):
            yield _Verdict(None, statement.effect.reason)
        if isinstance(statement.conditions, Unknown):
            yield _Verdict(None, statement.conditions.reason)
            return
        for condition in statement.conditions:
            why = f"whether {display(condition.key)} {condition.operator} holds is open"
            asked = isinstance(self._fact(condition.folded_key), Unknown)
            yield _Verdict(self.condition(condition), why, asked and not is_unknown(condition.values))

    def _filled(self, text: str) -> str | None:
        """The text with its policy variables replaced, as far as all of them are known."""
        if not has_variable(text):
            return text
        try:
            return filled(text, self._plain)
        except _OpenValueError:
            return None

    def _plain(self, key: str) -> tuple[str, ...] | None:
        fact = self._fact(key)
        if isinstance(fact, Unknown):
            raise _OpenValueError
        values = (fact,) if isinstance(fact, str) else fact
        if values is not None and any(map(has_hole, values)):
            raise _OpenValueError
        return values

    def condition(self, condition: Condition) -> bool | None:
        """Whether a condition holds for the call."""
        fact = self._fact(condition.folded_key)
        if isinstance(fact, Unknown):
            return None
        if condition.folded_key not in self._call.context:
            atom = principal_atom(condition, self._name.partition)
            if atom is not None and not atom.doubt and self._kind is not PrincipalKind.SERVICE:
                if not atom.satisfying(self._cell):
                    return False
                if not atom.failing(self._cell):
                    return True
        values = condition.values
        if isinstance(values, tuple):
            operator = CONDITION_OPERATORS.get(condition.base)
            values = tuple(localised(value, self._name.partition) for value in values)
            if operator is not None and operator.takes_variables:
                # What has no value stays as it is written, and so is compared with nothing.
                values = tuple(self._filled(value) or value for value in values)
            condition = replace(condition, values=values)
        return holds(condition, (fact,) if isinstance(fact, str) else fact)

    # Whom it means

    def _names(self, statement: Statement) -> dict[bool, bool | None]:
        """Whether an Allow means the caller: directly (False), and through its account (True)."""
        if isinstance(statement.principals, Unknown) or isinstance(statement.not_principals, Unknown):
            return {False: None, True: None}
        if statement.principals is not None:
            found = [self._is(principal) for principal in statement.principals]
            return {way: any_of(answer for how, answer in found if how is way) for way in (False, True)}
        if statement.not_principals is not None:
            left_out = any_of(answer for _, answer in map(self._is, statement.not_principals))
            return {False: None if left_out is None else not left_out, True: False}
        return {False: False, True: False}

    def _is_denied(self, statement: Statement) -> bool | None:
        """Whether a Deny of the key policy means the caller.

        See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        """
        if statement.principals is not None or isinstance(statement.not_principals, Unknown | None):
            return any_of(self._names(statement).values())
        found = [self._is(principal) for principal in statement.not_principals]
        ways = [any_of(answer for how, answer in found if how is way) for way in (False, True)]
        # A user or role is left out when it is named together with its account.
        alone = self._kind in (PrincipalKind.ROOT, PrincipalKind.SERVICE)
        left_out = any_of(ways) if alone else all_of(ways)
        return None if left_out is None else not left_out

    def _is(self, principal: Principal) -> tuple[bool, bool | None]:
        """Whether an entry means the caller through its account, and whether it means it."""
        if principal.type == "Service":
            if self._kind is not PrincipalKind.SERVICE:
                return False, False
            return False, _same(localised(principal.value, self._name.partition), self._principal)
        if principal.value == "*" and principal.type in ("AWS", "*"):
            return False, True
        found = principal_cells(principal, self._name.partition)
        if self._kind is PrincipalKind.SERVICE and found.unresolved is None:
            return found.delegated, False
        mine = [cell for cell in found.cells if cell.kind is self._kind]
        answers = [all_of(_matches(pattern, self._principal) for pattern in cell.include) for cell in mine]
        answer = any_of(answers)
        if answer and (found.unresolved is not None or is_session(principal.value)):
            # The caller stands for any session of a role, and the entry for one of them.
            answer = None
        return found.delegated, answer


_Way = tuple[bool | None, tuple[Step, ...], tuple[str, ...]]
"""One way in which a call may be allowed: whether it is, by what, and what is missing."""


def _weight(way: _Way) -> int:
    """How near a way comes: what deployment alone decides comes nearer than what each request does."""
    if way[0] is None:
        return 1 if any(step.on_request for step in way[1]) else 2
    return 3 if way[0] else 0


_WHOM = "whether it means this principal is decided at deployment"


class _Verdict(NamedTuple):
    """Whether something holds; if that is open, why, and whether the request decides it."""

    holds: bool | None
    why: str = ""
    on_request: bool = False

    def also(self, other: _Verdict) -> _Verdict:
        """Whether both hold. The first reason stays."""
        holds = all_of((self.holds, other.holds))
        if holds is not None:
            return _Verdict(holds)
        open_ = [one for one in (self, other) if one.holds is None]
        return _Verdict(None, open_[0].why, any(one.on_request for one in open_))

    def step(self, layer: str, statement: Statement, name: str = "") -> Step:
        """The statement as a step of the answer."""
        return Step(layer, statement, self.holds is True, self.why, self.on_request, name)


class _OpenValueError(Exception):
    """A policy variable stands for something that is not known."""


def _matches(pattern: str, name: str) -> bool | None:
    if glob_covers(pattern, name):
        return True
    return None if globs_meet(pattern, name) else False


def _same(left: str, right: str) -> bool | None:
    """Whether two texts are the same, whatever their holes turn out to be."""
    if left == right:
        return True
    return None if (has_hole(left) or has_hole(right)) and globs_meet(left, right) else False


def _local(value: str | tuple[str, ...], partition: str) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return localised(value, partition)
    return tuple(localised(one, partition) for one in value)


__all__ = [
    "KEY_POLICY",
    "NOT_SAID",
    "Answer",
    "Attached",
    "Call",
    "Certainty",
    "Fact",
    "InView",
    "Step",
    "certain",
    "key_facts",
]
