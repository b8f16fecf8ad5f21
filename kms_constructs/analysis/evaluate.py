"""One concrete request, decided as AWS documents it.

This follows the published evaluation logic for a request that is fully known. It is no emulator of AWS: key
states, session policies and VPC endpoint policies are outside it, and organization policies are taken as
Denies next to an Allow of everything.

See: https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from kms_constructs.analysis.conditions import holds
from kms_constructs.analysis.principals import PrincipalKind, account_of, canonical_arn, is_session
from kms_constructs.analysis.reach import UNBOUND_BY_RCP, action_name, applies_to_action
from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import ACROSS_ACCOUNTS
from kms_constructs.model.estate import Grant, Key
from kms_constructs.model.globs import glob_covers, has_variable, has_wildcard
from kms_constructs.model.policy import Condition, Effect, Policy, Principal, Statement
from kms_constructs.model.unknown import Unknown, is_unknown


@lru_cache(maxsize=4096)
def _kind_of(principal: str) -> PrincipalKind:
    if not principal.startswith("arn:"):
        return PrincipalKind.SERVICE
    resource = canonical_arn(principal).split(":", 5)[-1]
    if resource == "root":
        return PrincipalKind.ROOT
    return {
        "user": PrincipalKind.USER,
        "role": PrincipalKind.ROLE,
        "federated-user": PrincipalKind.FEDERATED,
    }.get(resource.split("/")[0], PrincipalKind.SERVICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call to KMS.

    Args:
        principal: ARN of the caller (for a role session: of its role), or a service name.
        action: Name of the action, without ``kms:``.
        context: Folded condition key to its values. What follows from the principal is added by itself
            (``aws:PrincipalArn``, ``aws:PrincipalAccount``, ``aws:PrincipalType``, ``kms:CallerAccount``).

    Raises:
        ArgumentError: The principal is none that calls KMS, or KMS has no such action.
    """

    principal: str
    action: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "action", action_name(self.action))
        if self.principal.startswith("arn:") and self.kind is PrincipalKind.SERVICE:
            raise ArgumentError(
                "principal",
                self.principal,
                "a caller is a root user, user, role, federated user or service",
                "for a role session name its role: arn:aws:iam::111122223333:role/Name",
            )

    @property
    def kind(self) -> PrincipalKind:
        """Kind of the caller, as its name tells."""
        return _kind_of(self.principal)

    @property
    def account(self) -> str | None:
        """Account of the caller; None for a service."""
        return None if self.kind is PrincipalKind.SERVICE else account_of(self.principal)

    def values(self, key: str) -> tuple[str, ...] | None:
        """What the request carries for a folded condition key; None when it does not carry it."""
        given = self.context.get(key)
        if given is not None:
            return (given,) if isinstance(given, str) else given
        service = self.kind is PrincipalKind.SERVICE
        implied: dict[str, str | None] = {
            "aws:principalarn": None if service else self.principal,
            "aws:principalaccount": self.account,
            "kms:calleraccount": self.account,
            "aws:principalisawsservice": "true" if service else "false",
            "aws:principaltype": {
                PrincipalKind.ROOT: "Account",
                PrincipalKind.USER: "User",
                PrincipalKind.ROLE: "AssumedRole",
                PrincipalKind.FEDERATED: "FederatedUser",
            }.get(self.kind),
        }
        value = implied.get(key)
        return None if value is None else (value,)


@dataclass(frozen=True, slots=True)
class Decision:
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
) -> Decision:
    """Decides one request against a key, as AWS's documents say.

    Args:
        request: The call.
        key: The key; its policy and its grants count.
        identity_policies: The IAM policies attached to the caller.
        scps: Service control policies in force for the key's account.
        rcps: Resource control policies in force for the key's account.

    Returns:
        The decision. Whatever cannot be decided (an unknown element, an operator that does not exist) denies:
        an Allow does not apply, a Deny does.

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
    if _from_abroad(request, key) and request.action not in ACROSS_ACCOUNTS:
        return Decision(False, (f"KMS takes {request.action} from principals of the key's account only",))
    bound_by_scp = request.account == key.account and not _service_linked(request)
    unbound_by_rcp = _service_linked(request) or request.action in UNBOUND_BY_RCP
    layers: list[tuple[str, Iterable[Policy], bool]] = [
        ("key policy", (key.policy,), True),
        ("IAM policy", identity_policies, False),
        ("service control policy", scps if bound_by_scp else (), False),
        ("resource control policy", () if unbound_by_rcp else rcps, False),
    ]
    for name, policies, in_key_policy in layers:
        for policy in policies:
            denied = _first(policy, Effect.DENY, request, key, in_key_policy=in_key_policy)
            if denied is not None:
                return Decision(False, (f"{name}: {denied.label} denies",))
    by_identity = next(
        (
            statement
            for policy in identity_policies
            if (statement := _first(policy, Effect.ALLOW, request, key, in_key_policy=False)) is not None
        ),
        None,
    )
    return _allowed_by_key(request, key, by_identity)


def _allowed_by_key(request: Request, key: Key, by_identity: Statement | None) -> Decision:
    home = request.account == key.account or request.kind is PrincipalKind.SERVICE
    for statement in key.policy.statements:
        if not _applies(statement, Effect.ALLOW, request, key):
            continue
        named = _names(statement, request)
        if named is None:
            continue
        if named == "account" and request.kind is not PrincipalKind.ROOT and by_identity is None:
            continue
        if not home and request.kind is not PrincipalKind.ROOT and by_identity is None:
            continue
        reasons = [f"key policy: {statement.label} allows"]
        if by_identity is not None and (named == "account" or not home):
            reasons.append(f"IAM policy: {by_identity.label} allows")
        return Decision(True, tuple(reasons))
    for grant in key.grants:
        if _granted(grant, request):
            return Decision(True, (f"grant {grant.name or 'without a name'} allows",))
    return Decision(False, ("nothing allows it",))


def _from_abroad(request: Request, key: Key) -> bool:
    """Whether the caller certainly belongs to another account than the key."""
    known = request.account is not None and key.account.isdigit()
    return known and request.account != key.account


def _service_linked(request: Request) -> bool:
    return request.kind is PrincipalKind.ROLE and ":role/aws-service-role/" in request.principal


def _first(
    policy: Policy, effect: Effect, request: Request, key: Key, *, in_key_policy: bool
) -> Statement | None:
    for statement in policy.statements:
        if not _applies(statement, effect, request, key):
            continue
        if in_key_policy and _names(statement, request) is None:
            continue
        return statement
    return None


def _applies(statement: Statement, effect: Effect, request: Request, key: Key) -> bool:
    denies = effect is Effect.DENY
    if isinstance(statement.effect, Unknown):
        return denies
    if statement.effect is not effect:
        return False
    if not statement.certain and not denies:
        return False
    if not applies_to_action(statement, request.action, certainly=not denies):
        return False
    if not _on_key(statement, key, request, unknown=denies):
        return False
    if isinstance(statement.conditions, Unknown):
        return denies
    for condition in statement.conditions:
        verdict = holds(_substituted(condition, request), request.values(condition.folded_key))
        if verdict is False or (verdict is None and not denies):
            return False
    return True


def _on_key(statement: Statement, key: Key, request: Request, *, unknown: bool) -> bool:
    for listed, wanted in ((statement.resources, True), (statement.not_resources, False)):
        if listed is None:
            continue
        if isinstance(listed, Unknown):
            return unknown
        patterns = [substitute(pattern, request) for pattern in listed]
        if any(pattern is not None and glob_covers(pattern, key.arn_pattern) for pattern in patterns):
            return wanted
        return unknown if None in patterns else not wanted
    return False


_VARIABLE = re.compile(r"\$\{([^},]*)(?:,\s*'([^']*)')?\}")
_VARIABLES_IN = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})


def substitute(text: str, request: Request) -> str | None:
    """The text with its policy variables replaced by what the request carries.

    Returns:
        The text; None when a variable has no single plain value, for AWS does not say what happens then.

    Example:
        >>> request = Request(principal="arn:aws:iam::111122223333:role/App", action="Decrypt")
        >>> substitute("arn:aws:kms:*:${aws:PrincipalAccount}:key/*", request)
        'arn:aws:kms:*:111122223333:key/*'
    """
    if not has_variable(text):
        return text
    pieces: list[str] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        values = request.values(found.group(1).strip().lower())
        value = found.group(2) if values is None else values[0] if len(values) == 1 else None
        if value is None or has_wildcard(value):
            return None
        pieces += (text[end : found.start()], value)
        end = found.end()
    result = "".join((*pieces, text[end:]))
    return None if has_variable(result) else result


def _substituted(condition: Condition, request: Request) -> Condition:
    values = condition.values
    base = condition.base.replace("not", "", 1)
    if isinstance(values, Unknown) or base not in _VARIABLES_IN or not any(map(has_variable, values)):
        return condition
    found = [substitute(value, request) for value in values]
    known = tuple(value for value in found if value is not None)
    if len(known) < len(found):
        return replace(condition, values=Unknown("a policy variable has no value in the request"))
    return replace(condition, values=known)


def _names(statement: Statement, request: Request) -> str | None:
    """How the statement takes the caller in: as ``principal``, through its ``account``, or not at all."""
    denies = statement.effect is Effect.DENY
    if isinstance(statement.principals, Unknown) or isinstance(statement.not_principals, Unknown):
        return "principal" if denies else None
    if statement.principals is not None:
        # The request stands for every session of a role: one that is denied leaves the others.
        found = {
            _matches(principal, request)
            for principal in statement.principals
            if not (denies and is_session(principal.value))
        }
        return "principal" if "principal" in found else "account" if "account" in found else None
    if statement.not_principals is not None:
        left_out = {_matches(principal, request) for principal in statement.not_principals}
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


def _matches(principal: Principal, request: Request) -> str | None:
    if principal.type == "Service":
        return "principal" if principal.value == request.principal else None
    if principal.value == "*" and principal.type in ("AWS", "*"):
        return "principal"
    if principal.type != "AWS":
        return None
    value = canonical_arn(principal.value)
    if value == canonical_arn(request.principal):
        return "account" if request.kind is PrincipalKind.ROOT else "principal"
    if request.account is not None and value in (request.account, f"arn:aws:iam::{request.account}:root"):
        return "account"
    if value.startswith("arn:aws:sts::") and ":assumed-role/" in value:
        # The statement names one session of the role; the request stands for all of them.
        account = account_of(value)
        role = value.split("/")[1]
        same = request.kind is PrincipalKind.ROLE and request.principal.rsplit("/", 1)[-1] == role
        return "principal" if same and account == request.account else None
    return None


def _granted(grant: Grant, request: Request) -> bool:
    if is_unknown(grant.grantee) or is_unknown(grant.operations):
        return False
    if canonical_arn(grant.grantee) != canonical_arn(request.principal):
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
