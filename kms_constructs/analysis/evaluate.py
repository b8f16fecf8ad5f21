"""One concrete request, decided as AWS documents it.

This follows the published evaluation logic for a request that is fully known. It is no emulator of AWS: key
states, session policies and VPC endpoint policies are outside it, and organization policies are taken as
Denies next to an Allow of everything.

See: https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import lru_cache

from msgspec import field
from msgspec.structs import force_setattr, replace

from kms_constructs.analysis.conditions import holds
from kms_constructs.analysis.key_names import KeyName, speaks_of_key
from kms_constructs.analysis.principals import PrincipalKind, is_session, localised, root_arn
from kms_constructs.analysis.reach import UNBOUND_BY_RCP, action_name, statement_actions
from kms_constructs.analysis.variables import filled
from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import ACROSS_ACCOUNTS, ACTIONS
from kms_constructs.model.arn import OPEN_PARTITION, parse_arn
from kms_constructs.model.condition_operators import CONDITION_OPERATORS
from kms_constructs.model.effort import spend
from kms_constructs.model.estate import Grant, Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import has_variable
from kms_constructs.model.once import once
from kms_constructs.model.policy import Condition, Effect, Policy, Principal, Statement
from kms_constructs.model.unknown import Unknown, is_unknown


@lru_cache(maxsize=4096)
def kind_of(principal: str) -> PrincipalKind:
    """Kind of a caller, as its name tells: whatever is the name of no other kind is a service."""
    arn = parse_arn(principal)
    if arn is None:
        return PrincipalKind.SERVICE
    if arn.is_root:
        return PrincipalKind.ROOT
    return {
        "user": PrincipalKind.USER,
        "role": PrincipalKind.ROLE,
        "federated-user": PrincipalKind.FEDERATED,
    }.get(arn.resource.split("/")[0], PrincipalKind.SERVICE)


def may_call(principal: str) -> bool:
    """Whether a text is the name of a caller: an ARN of a root user, user, role or federated user, or no ARN.

    Example:
        >>> [may_call(one) for one in ("arn:aws:iam::111122223333:role/A", "logs.amazonaws.com", "arn:::::")]
        [True, True, False]
    """
    return not principal.startswith("arn:") or kind_of(principal) is not PrincipalKind.SERVICE


@lru_cache(maxsize=4096)
def _account_of(principal: str) -> str | None:
    arn = parse_arn(principal)
    return None if arn is None or kind_of(principal) is PrincipalKind.SERVICE else arn.account


class Request(Frozen, frozen=True, kw_only=True):
    """One call to KMS.

    Args:
        principal: ARN of the caller (for a role session: of its role), or a service name.
        action: Name of the action, without ``kms:``.
        context: Folded condition key to its values. What follows from the principal is added by itself
            (``aws:PrincipalArn``, ``aws:PrincipalAccount``, ``aws:PrincipalType``, ``kms:CallerAccount``, and
            ``aws:userid`` of a root user).

    Raises:
        ArgumentError: The principal is none that calls KMS, or KMS has no such action.
    """

    principal: str
    action: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        force_setattr(self, "action", action_name(self.action))
        if not may_call(self.principal):
            raise ArgumentError(
                "principal",
                self.principal,
                "a caller is a root user, user, role, federated user or service",
                "for a role session name its role: arn:aws:iam::111122223333:role/Name",
            )

    @property
    def kind(self) -> PrincipalKind:
        """Kind of the caller, as its name tells."""
        return kind_of(self.principal)

    @property
    def account(self) -> str | None:
        """Account of the caller; None for a service."""
        return _account_of(self.principal)

    def values(self, key: str) -> tuple[str, ...] | None:
        """What the request carries for a folded condition key; None when it does not carry it."""
        given = self.context.get(key)
        if given is not None:
            return (given,) if isinstance(given, str) else given
        implied = _IMPLIED.get(key)
        value = None if implied is None else implied(self)
        return None if value is None else (value,)


_TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE: "AssumedRole",
    PrincipalKind.FEDERATED: "FederatedUser",
}
_IMPLIED: dict[str, Callable[[Request], str | None]] = {
    "aws:principalarn": lambda one: None if one.kind is PrincipalKind.SERVICE else one.principal,
    "aws:principalaccount": lambda one: one.account,
    "kms:calleraccount": lambda one: one.account,
    "aws:principalisawsservice": lambda one: "true" if one.kind is PrincipalKind.SERVICE else "false",
    "aws:userid": lambda one: one.account if one.kind is PrincipalKind.ROOT else None,
    "aws:principaltype": lambda one: _TYPES.get(one.kind),
}
"""What follows from who calls, by folded condition key."""


class Decision(Frozen, frozen=True):
    """Whether a request is allowed, and by what.

    Args:
        allowed: The answer.
        reasons: The statements that decided, in the order they were met.
    """

    allowed: bool
    reasons: tuple[str, ...]


def evaluate(
    request: Request,
    key: Key,
    *,
    identity_policies: Sequence[Policy] = (),
    scps: Sequence[Policy] = (),
    rcps: Sequence[Policy] = (),
    boundaries: Sequence[Policy] = (),
    assume: bool | None = None,
) -> Decision:
    """Decides one request against a key, as AWS's documents say.

    Args:
        request: The call.
        key: The key; its policy and its grants count.
        identity_policies: The IAM policies attached to the caller.
        scps: Service control policies in force for the key's account.
        rcps: Resource control policies in force for the key's account.
        boundaries: Permissions boundaries of the caller: what its IAM policies give it they have to allow as
            well. What the key policy gives it directly they limit by their Denies only, unless it is a role.
        assume: How conditions are taken that AWS's documents leave open (see `conditions.holds`).

    Returns:
        The decision. Whatever cannot be decided (an unknown element, an operator that does not exist, what
        the documents leave open where nothing is assumed) denies: an Allow does not apply, a Deny does.

    Example:
        >>> from kms_constructs.model.estate import Key, Location
        >>> from kms_constructs.model.policy import default_key_policy, parse_policy
        >>> key = Key(id="k", location=Location("k"), account="111122223333", region="us-east-1",
        ...     policy=default_key_policy("aws", "111122223333"))
        >>> request = Request(principal="arn:aws:iam::111122223333:role/App", action="Decrypt")
        >>> evaluate(request, key).allowed
        False
        >>> iam = parse_policy({"Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}})
        >>> evaluate(request, key, identity_policies=[iam]).allowed
        True
    """
    judge = _Judge(request, key, KeyName.of(key), assume)
    if _from_abroad(request, key) and request.action not in ACROSS_ACCOUNTS:
        return Decision(False, (f"KMS takes {request.action} from principals of the key's account only",))
    linked = is_service_linked(request.principal)
    bound_by_scp = request.account == key.account and not linked
    unbound_by_rcp = linked or request.action in UNBOUND_BY_RCP
    layers: list[tuple[str, Iterable[Policy], bool]] = [
        ("key policy", (key.policy,), True),
        ("IAM policy", identity_policies, False),
        ("permissions boundary", boundaries, False),
        ("service control policy", scps if bound_by_scp else (), False),
        ("resource control policy", () if unbound_by_rcp else rcps, False),
    ]
    for name, policies, in_key_policy in layers:
        for policy in policies:
            denied = judge.first(policy, Effect.DENY, in_key_policy=in_key_policy)
            if denied is not None:
                return Decision(False, (f"{name}: {denied.label} denies",))
    by_identity = next(
        (
            statement
            for policy in identity_policies
            if (statement := judge.first(policy, Effect.ALLOW, in_key_policy=False)) is not None
        ),
        None,
    )
    bounded = all(judge.first(one, Effect.ALLOW, in_key_policy=False) is not None for one in boundaries)
    return _allowed_by_key(judge, by_identity if bounded else None, bounded=bounded)


def _allowed_by_key(judge: _Judge, by_identity: Statement | None, *, bounded: bool) -> Decision:
    request, key, partition = judge.request, judge.key, judge.name.partition
    home = request.account == key.account or request.kind is PrincipalKind.SERVICE
    for statement in _speaking(key.policy).of(request.action, Effect.ALLOW):
        if not judge.applies(statement, Effect.ALLOW):
            continue
        named = _names(statement, request, partition)
        if named is None:
            continue
        if named == "account" and request.kind is not PrincipalKind.ROOT and by_identity is None:
            continue
        if not home and request.kind is not PrincipalKind.ROOT and by_identity is None:
            continue
        if not bounded and request.kind is PrincipalKind.ROLE:
            continue
        reasons = [f"key policy: {statement.label} allows"]
        if by_identity is not None and (named == "account" or not home):
            reasons.append(f"IAM policy: {by_identity.label} allows")
        return Decision(True, tuple(reasons))
    for grant in key.grants:
        if _granted(grant, request, partition):
            return Decision(True, (f"grant {grant.name or 'without a name'} allows",))
    return Decision(False, ("nothing allows it",))


def _from_abroad(request: Request, key: Key) -> bool:
    """Whether the caller certainly belongs to another account than the key."""
    known = request.account is not None and key.account.isdigit()
    return known and request.account != key.account


def is_service_linked(principal: str) -> bool:
    """Whether a caller is a service-linked role, which no organization policy binds."""
    return kind_of(principal) is PrincipalKind.ROLE and ":role/aws-service-role/" in principal


class _Judge(Frozen, frozen=True):
    """One request against the statements of any policy."""

    request: Request
    key: Key
    name: KeyName
    assume: bool | None

    def first(self, policy: Policy, effect: Effect, *, in_key_policy: bool) -> Statement | None:
        """The first statement of this effect that applies."""
        speaking = _speaking(policy).of(self.request.action, effect)
        spend(len(speaking))
        for statement in speaking:
            if not self.applies(statement, effect):
                continue
            if in_key_policy and _names(statement, self.request, self.name.partition) is None:
                continue
            return statement
        return None

    def applies(self, statement: Statement, effect: Effect) -> bool:
        """Whether all but the Principal element of a statement that speaks of the action takes it in."""
        denies = effect is Effect.DENY
        if isinstance(statement.effect, Unknown):
            return denies
        on_key = speaks_of_key(statement, self.name, self._substitute)
        if on_key is False or (on_key is None and not denies):
            return False
        if isinstance(statement.conditions, Unknown):
            return denies
        for condition in statement.conditions:
            found = _substituted(condition, self.request, self.name.partition)
            verdict = holds(found, self.request.values(condition.folded_key))
            if verdict is None:
                verdict = self.assume
            if verdict is False or (verdict is None and not denies):
                return False
        return True

    def _substitute(self, text: str) -> str | None:
        return substitute(text, self.request)


def seen_of(action: str, key: Key, organization: Iterable[Policy]) -> Hashable:
    """What the evaluator sees of an action: it decides alike for two of which it sees the same.

    Args:
        action: Name of the action, without ``kms:``.
        key: The key.
        organization: Policies of its organization.
    """
    return (
        action in ACROSS_ACCOUNTS,
        action in UNBOUND_BY_RCP,
        tuple(_speaking(policy).places(action) for policy in (key.policy, *organization)),
        tuple(not is_unknown(grant.operations) and action in grant.operations for grant in key.grants),
    )


@once
def _speaking(policy: Policy) -> _Speaking:
    """The statements of a policy by the actions that they speak of: a few of many, and asked for often."""
    return _Speaking(policy.statements)


class _Speaking:
    def __init__(self, statements: tuple[Statement, ...]) -> None:
        self._statements = statements
        self._places = _places(tuple(map(_certainly_and_perhaps, statements)))

    def of(self, action: str, effect: Effect) -> list[Statement]:
        """Those that may have the effect and speak of the action; a Deny that is not known counts."""
        return [self._statements[place] for place in self._places[action][effect is Effect.DENY]]

    def places(self, action: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Where they stand: those that may allow the action, and those that may deny it."""
        return self._places[action]


_ALL_ACTIONS = frozenset(ACTIONS)
_NO_ACTIONS: frozenset[str] = frozenset()


def _certainly_and_perhaps(statement: Statement) -> tuple[frozenset[str], frozenset[str]]:
    """The actions that it allows as far as it is known, and those that it may deny."""
    if isinstance(statement.effect, Unknown):
        return _NO_ACTIONS, _ALL_ACTIONS
    denies = statement.effect is Effect.DENY
    if not denies and not statement.certain:
        return _NO_ACTIONS, _NO_ACTIONS
    actions = statement_actions(statement.actions, statement.not_actions, certainly=not denies)
    return (_NO_ACTIONS, actions) if denies else (actions, _NO_ACTIONS)


@lru_cache(maxsize=4096)
def _places(
    statements: tuple[tuple[frozenset[str], frozenset[str]], ...],
) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """For each action the places of the statements that allow and that deny it: for all of one shape."""
    return {
        action: (
            tuple(at for at, (allowed, _) in enumerate(statements) if action in allowed),
            tuple(at for at, (_, denied) in enumerate(statements) if action in denied),
        )
        for action in ACTIONS
    }


def substitute(text: str, request: Request) -> str | None:
    """The text with its policy variables replaced by what the request carries.

    Returns:
        The text; None when a variable has no single plain value, for AWS does not say what happens then.

    Example:
        >>> request = Request(principal="arn:aws:iam::111122223333:role/App", action="Decrypt")
        >>> substitute("arn:aws:kms:*:${aws:PrincipalAccount}:key/*", request)
        'arn:aws:kms:*:111122223333:key/*'
    """
    return filled(text, request.values)


def _substituted(condition: Condition, request: Request, partition: str) -> Condition:
    values = condition.values
    if isinstance(values, Unknown):
        return condition
    if any(OPEN_PARTITION in value for value in values):
        values = tuple(localised(value, partition) for value in values)
        condition = replace(condition, values=values)
    if not any(map(has_variable, values)):
        return condition
    operator = CONDITION_OPERATORS.get(condition.base)
    if operator is None or not operator.takes_variables:
        return condition
    found = [substitute(value, request) for value in values]
    known = tuple(value for value in found if value is not None)
    if len(known) < len(found):
        return replace(condition, values=Unknown("a policy variable has no value in the request"))
    return replace(condition, values=known)


def _names(statement: Statement, request: Request, partition: str) -> str | None:
    """How the statement takes the caller in: as ``principal``, through its ``account``, or not at all."""
    denies = statement.effect is Effect.DENY
    if isinstance(statement.principals, Unknown) or isinstance(statement.not_principals, Unknown):
        return "principal" if denies else None
    if statement.principals is not None:
        # The request stands for every session of a role: one that is denied leaves the others.
        found = {
            _matches(principal, request, partition)
            for principal in statement.principals
            if not (denies and is_session(principal.value))
        }
        return "principal" if "principal" in found else "account" if "account" in found else None
    if statement.not_principals is not None:
        left_out = {_matches(principal, request, partition) for principal in statement.not_principals}
        return None if _is_left_out(left_out, request, denies=denies) else "principal"
    return None


def _is_left_out(found: set[str | None], request: Request, *, denies: bool) -> bool:
    """Whether a NotPrincipal element leaves the caller out.

    Of a Deny a user or role has to be named together with its account: one without the other "might" be
    denied, and the account alone leaves out its root user only. An Allow leaves out whomever it names in
    any way.

    See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    if not denies or request.kind in (PrincipalKind.ROOT, PrincipalKind.SERVICE):
        return found != {None} and bool(found)
    return {"principal", "account"} <= found


def _matches(principal: Principal, request: Request, partition: str) -> str | None:
    if principal.type == "Service":
        return "principal" if principal.value == request.principal else None
    if principal.value == "*" and principal.type in ("AWS", "*"):
        return "principal"
    if principal.type != "AWS":
        return None
    value = localised(principal.value, partition)
    if value == request.principal:
        return "account" if request.kind is PrincipalKind.ROOT else "principal"
    caller = parse_arn(request.principal)
    if caller is None:
        return None
    if value in (caller.account, root_arn(caller.account, caller.partition)):
        return "account"
    arn = parse_arn(value)
    if arn is not None and is_session(value):
        # The statement names one session of the role; the request stands for all of them.
        role = arn.resource.split("/")[1]
        same = request.kind is PrincipalKind.ROLE and caller.resource.rsplit("/", 1)[-1] == role
        home = (arn.partition, arn.account) == (caller.partition, caller.account)
        return "principal" if same and home else None
    return None


def _granted(grant: Grant, request: Request, partition: str) -> bool:
    if is_unknown(grant.grantee) or is_unknown(grant.operations):
        return False
    if localised(grant.grantee, partition) != request.principal:
        return False
    if request.action not in grant.operations:
        return False
    prefix = "kms:encryptioncontext:"
    context = {
        name.removeprefix(prefix): request.values(name) for name in request.context if name.startswith(prefix)
    }
    equals = grant.constraints.get("EncryptionContextEquals")
    if equals is not None and context != {name.lower(): (value,) for name, value in equals.items()}:
        return False
    subset = grant.constraints.get("EncryptionContextSubset", {})
    return all(context.get(name.lower()) == (value,) for name, value in subset.items())
