"""IAM-KMS-6: access for AWS services, and through them, is scoped.

Three things are judged:

* A service principal needs a condition on whose resource it acts for: ``aws:SourceArn``,
  ``aws:SourceAccount``, ``aws:SourceOrgID`` or ``aws:SourceOrgPaths``; or, for services that send one, on the
  encryption context. CloudTrail needs a source condition in any case, as AWS documents for it. A statement
  that only reads metadata (DescribeKey, GetPublicKey) is let off: it neither decrypts nor signs. One that
  only creates grants is scoped by ``kms:GrantIsForAWSResource``.
* ``Principal: "*"`` for cryptographic actions is meant for use through a service, so it needs
  ``kms:ViaService`` (or the encryption context that the service sends) and ``kms:CallerAccount``. Everyone
  whom ``NotPrincipal`` does not name is everyone. Let off are principals named by ``aws:PrincipalArn``: by
  account, and by a name, a path or a part of one; ``role/*`` names nobody, and is the whole account.
* CreateGrant, by whomever and however it comes about, needs Bool ``kms:GrantIsForAWSResource`` ``true``, or
  a Deny of everything else. ``BoolIfExists`` will not do in an Allow: it holds for requests without the key.
  Let off is a statement that allows grants that the key declares: to their grantees, with their operations
  and, where the declaration says who makes them, by these alone. Each such grant is reported, as a warning:
  somebody decided on it and should look at it again. Let off as well is a service principal that is limited
  as above and by ``kms:GrantOperations``, for services whose grants do not carry the flag (Fargate); and
  principals that are limited to their account and, by ``kms:ViaService``, to such a service (EKS).

What limits is decided key by key in `kms_constructs.model.limits`.

Anti-pattern::

    {"Statement": [{"Sid": "Topic", "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"}]}

Best practice::

    {"Statement": [{"Sid": "Topic", "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*",
                    "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"},
                                  "ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:orders"}}}]}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from kms_constructs.analysis.grantees import grantee_witness
from kms_constructs.analysis.key_names import KeyName, speaks_of_key
from kms_constructs.analysis.narrowing import (
    CALLER_ACCOUNT_KEYS,
    ENCRYPTION_CONTEXT,
    SOURCE_KEYS,
    VIA_SERVICE,
    covered_actions,
    narrowed_by,
    near_misses,
)
from kms_constructs.analysis.principals import Cell, PrincipalKind, root_arn
from kms_constructs.analysis.reach import Contribution, applies_to_action, statement_actions
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.analysis.witness import Witness, witness
from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.grant_scope import (
    GRANTEE,
    by_service,
    declared,
    scoped_service,
    through_service,
)
from kms_constructs.guardrails.rule import KeyRule, RuleContext, capitalized, heading, named
from kms_constructs.guardrails.source_advice import grants_without_flag, source_advice, vias_without_flag
from kms_constructs.guardrails.wording import UNRESOLVED, merged, resolve, unshown
from kms_constructs.model.actions import READING, USING
from kms_constructs.model.estate import Grant, Key
from kms_constructs.model.globs import globs_meet
from kms_constructs.model.limits import pins_account, source_keys
from kms_constructs.model.policy import Condition, Effect, Principal, Statement
from kms_constructs.model.text import CLOSE, OPEN, display, has_unresolved_hole, split_holes
from kms_constructs.model.unknown import is_unknown

CONTROL = Control(
    id="IAM-KMS-6",
    title="Access for AWS services, and through them, is scoped",
    rationale=(
        "A service principal acts for every customer of the service: without a source condition, somebody "
        "else's resource can make the service use the key (the confused deputy). Access meant for use "
        "through a service works for direct calls as well, unless kms:ViaService limits it. And a principal "
        "that may create grants for anything can hand decryption to whomever it likes, itself included."
    ),
    advice=(
        "Limit service principals by aws:SourceArn and aws:SourceAccount, or by the encryption context that "
        "the service sends; limit account-wide access by kms:ViaService and kms:CallerAccount; allow "
        "kms:CreateGrant only with Bool kms:GrantIsForAWSResource 'true', or deny it otherwise."
    ),
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service",
        "https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-grant-is-for-aws-resource",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
    ),
    scope=(Subject.KEY_POLICY,),
    actions=("kms:CreateGrant",),
    severity=Severity.MEDIUM,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-3", "AC-4", "AC-6"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
    authorisable=True,
)

CREATE_GRANT = "CreateGrant"
DIRECT_GRANT = "direct-grant"
SOURCE = "source"
VIA = "via-service"
CALLER = "caller-account"

_ANY_SERVICE = Principal("Service", "any AWS service")
_GRANT_FLAG = "kms:grantisforawsresource"
_PRINCIPAL_ARN = "aws:principalarn"
_CRYPTOGRAPHIC = frozenset(USING)
_FIRST = frozenset({"Decrypt", "GenerateDataKey", "Encrypt"})
_DIRECTLY = {"kms:viaservice": None}


class ServiceScopeRule(KeyRule):
    """Looks at service principals, at everyone as principal, and at CreateGrant."""

    control = CONTROL
    reads_policy: ClassVar[bool] = True
    by_shape: ClassVar[bool] = True
    reads_properties: ClassVar[bool] = False
    compliant_message: ClassVar[str] = "Access for AWS services, and through them, is scoped."

    def __init__(self, context: RuleContext) -> None:
        super().__init__(context)
        self._access = EstateAccess(context.estate)

    def judge(self, key: Key) -> Iterator[Finding]:
        """What a service could be made to do, and who may grant to anyone."""
        name = KeyName.of(key, in_own_policy=True)
        for statement in key.policy.statements:
            if statement.effect is Effect.DENY or speaks_of_key(statement, name) is False:
                continue
            unknown = (statement.principals, statement.not_principals, statement.conditions)
            if any(map(is_unknown, unknown)):
                yield from self._unreadable(key, statement)
                continue
            yield from self._statement(key, statement)
        yield from self._grants(key)
        for grant in key.grants:
            # Operations that are not known may hold CreateGrant: then it has been reported already.
            if not grant.for_aws_service and not is_unknown(grant.operations):
                yield self._direct(key, grant, grant.operations)

    def _statement(self, key: Key, statement: Statement) -> Iterator[Finding]:
        assert not is_unknown(statement.principals)  # noqa: S101 - judge asks
        principals = statement.principals or ()
        services = [one for one in principals if one.type == "Service" and self._judged(one)]
        if services:
            yield from self._services(key, statement, services)
        people = [one.value for one in principals if one.type != "Service"]
        if "*" in people or statement.not_principals is not None:
            if _services_only(_known(statement)):
                yield from self._services(key, statement, [_ANY_SERVICE])
            else:
                yield from self._everyone(key, statement)
        elif (open_ := next(filter(_perhaps_everyone, people), None)) and any(self._everyone(key, statement)):
            yield self._not_known(key, statement, f"{display(open_)} may turn out to be everyone")

    def _judged(self, principal: Principal) -> bool:
        return any(globs_meet(pattern, principal.value) for pattern in self.config.scoped_services)

    def _unreadable(self, key: Key, statement: Statement) -> Iterator[Finding]:
        for unknown in (statement.principals, statement.not_principals, statement.conditions):
            if is_unknown(unknown):
                if covered_actions(statement) - READING:
                    yield self._not_known(key, statement, unknown.reason)
                return

    def _not_known(self, key: Key, statement: Statement, reason: str) -> Finding:
        return self.undetermined(
            key,
            f"Whether {named(statement)} scopes what services may do is not known: {reason}.",
            detail=UNRESOLVED,
            path=statement.path,
            fix=resolve(key),
        )

    def _services(self, key: Key, statement: Statement, services: list[Principal]) -> Iterator[Finding]:
        conditions = _known(statement)
        actions = covered_actions(statement) - READING
        if actions <= {CREATE_GRANT} and (not actions or _for_services_only(conditions)):
            return
        keys = source_keys(one.value for one in services)
        verdict = narrowed_by(conditions, keys)
        if verdict is True:
            return
        names = ", ".join(display(one.value) for one in services)
        outcome = _outcome(key, statement, verdict, actions)
        problem = (
            "whether its conditions limit that is decided at deployment only"
            if verdict is None
            else "no condition says for whose resources"
        )
        shown = self._shown(key, statement, actions, [one.value for one in services])
        note = near_misses(conditions, keys) + _why_open(verdict, outcome, shown)
        yield self.finding(
            outcome if shown is not None else Outcome.UNDETERMINED,
            key.location,
            f"{heading(statement)} lets {names} use the key; {problem}.{note}",
            witness=shown,
            detail=SOURCE,
            path=statement.path,
            principals=tuple(display(one.value) for one in services),
            fix=source_advice(
                [one.value for one in services],
                actions,
                by_context=ENCRYPTION_CONTEXT in keys,
                finding=f"{self.control.id}[{SOURCE}:*]",
            ),
        )

    def _everyone(self, key: Key, statement: Statement) -> Iterator[Finding]:
        conditions = _known(statement)
        actions = covered_actions(statement) & _CRYPTOGRAPHIC
        if not actions or narrowed_by(conditions, (_PRINCIPAL_ARN,)):
            return
        through = (VIA_SERVICE, ENCRYPTION_CONTEXT)
        for keys, detail, problem, fix in (
            (
                through,
                VIA,
                "use the key directly, and not only through a service",
                "Add StringEquals kms:ViaService with the service, or name the principals.",
            ),
            (
                (*CALLER_ACCOUNT_KEYS, *SOURCE_KEYS),
                CALLER,
                "use the key from any account",
                "Add StringEquals kms:CallerAccount with the account.",
            ),
        ):
            verdict = _best(narrowed_by(conditions, keys), narrowed_by(conditions, (_PRINCIPAL_ARN,)))
            if detail == CALLER:
                verdict = _best(verdict, *map(pins_account, conditions))
            if verdict is True:
                continue
            shown = self._shown(key, statement, actions, (), caller=detail == CALLER)
            outcome = _outcome(key, statement, verdict, actions)
            yield self.finding(
                outcome if shown is not None else Outcome.UNDETERMINED,
                key.location,
                f"{heading(statement)} lets everyone {problem}"
                f"{', unless a value decided at deployment limits it' if verdict is None else ''}."
                f"{near_misses(conditions, keys)}{_why_open(verdict, outcome, shown)}",
                detail=detail,
                path=statement.path,
                principals=("*",),
                witness=shown,
                fix=fix,
            )

    def _shown(
        self,
        key: Key,
        statement: Statement,
        actions: frozenset[str],
        services: Sequence[str],
        *,
        caller: bool = False,
    ) -> Witness | None:
        """A request that the statement lets through: of one of the services, or of somebody else.

        Args:
            key: The key.
            statement: The statement.
            actions: What it is asked about.
            services: The services; empty for everybody else.
            caller: Whether the caller has to be of another account.
        """
        home = (f"arn:{key.partition}:iam::{key.account}:*",)
        for action in sorted(actions, key=lambda name: (name not in _FIRST, name)):
            for part in self._access.reach(key, action).contributions:
                cells = tuple(cell for cell in part.cells if _is_asked(cell, services))
                if part.statement is not statement or not cells:
                    continue
                # A direct call shows it best; where kms:ViaService has to be there, one through some service.
                for known in (None,) if services or caller else (_DIRECTLY, None):
                    found = witness(
                        part.of(cells),
                        key,
                        action,
                        organization=self.estate.organization,
                        but=home if caller else (),
                        known=known,
                    )
                    if found is not None:
                        return found
        return None

    def _grants(self, key: Key) -> Iterator[Finding]:
        authorised = (root_arn(key.account, key.partition), *self.config.authorised_for(self.control.id))
        for value, note in (
            ("false", ""),
            (None, " BoolIfExists also holds for requests that do not carry kms:GrantIsForAWSResource."),
        ):
            region = self._access.reach(key, CREATE_GRANT, context={_GRANT_FLAG: value})
            parts = [
                part
                for part in merged(region.escapes(authorised))
                if not (
                    declared(part, key) or by_service(part) or scoped_service(part) or through_service(part)
                )
            ]
            for part in parts:
                shown = witness(
                    part,
                    key,
                    CREATE_GRANT,
                    organization=self.estate.organization,
                    but=authorised,
                    known={_GRANT_FLAG: value},
                )
                yield self._grant(key, part, note, shown)
            if parts:
                return

    def _direct(self, key: Key, grant: Grant, operations: tuple[str, ...]) -> Finding:
        """Reports a grant that people make; one to nobody knows whom fails."""
        grantee = grant.grantee
        called = f" '{display(grant.name)}'" if grant.name else ""
        if is_unknown(grantee):
            return self.undetermined(
                key,
                f"Whom direct grant{called} lets use the key is not known: {grantee.reason}.",
                detail=DIRECT_GRANT,
                fix="Declare the grantee as a literal.",
            )
        limits = "; ".join(
            f"{kind} {', '.join(f'{name}={display(value)}' for name, value in sorted(pairs.items()))}"
            for kind, pairs in sorted(grant.constraints.items())
        )
        shown = grantee_witness(grant, key, self._access, self.estate.organization)
        return self.finding(
            Outcome.UNDETERMINED if shown is None else Outcome.VIOLATION,
            key.location,
            f"Direct grant{called}, made by people and by no AWS service, gives {display(grantee)} the use of"
            f" the key: {', '.join(operations)}{f' ({limits})' if limits else ''}.{unshown(shown)}",
            severity=Severity.WARNING,
            witness=shown,
            detail=DIRECT_GRANT,
            principals=(display(grantee),),
            fix="Keep it while it is needed, and acknowledge it with the reason; else revoke it, and take its"
            " declaration out.",
        )

    def _grant(self, key: Key, part: Contribution, note: str, shown: Witness | None) -> Finding:
        who = f"by the IAM policies of {part.principals}" if part.delegated else f"to {part.principals}"
        message = (
            f"{capitalized(part.label)} allows kms:CreateGrant for other purposes than AWS services' own "
            f"({who}): its holder can give whomever it likes the use of the key.{note}"
        )
        left = tuple(_left_by_denies(key))
        if left:
            message += f" The Deny of other grants leaves those to {', '.join(map(display, left))}."
        return self.finding(
            Outcome.UNDETERMINED if part.unresolved or shown is None else Outcome.VIOLATION,
            key.location,
            message + (f" Not resolved: {part.unresolved}." if part.unresolved else unshown(shown)),
            detail=CREATE_GRANT,
            path=part.statement.path if part.statement is not None else "",
            chain=(part.describe(),),
            principals=(part.principals,),
            witness=shown,
            fix=_grant_fix(part, left, f"{self.control.id}[{CREATE_GRANT}:*]"),
        )


def _grant_fix(part: Contribution, left: tuple[str, ...], finding: str) -> str:
    """What to do about grants for anyone, without breaking those that carry no flag."""
    if left:
        return (
            "Write the accounts out in the values of kms:GranteePrincipal, and limit kms:GrantOperations in "
            f"the Allow; or acknowledge {finding} with the reason. These grants are none for AWS resources, "
            "so a condition on kms:GrantIsForAWSResource would end what they are for."
        )
    actions = covered_actions(part.statement) if part.statement is not None else frozenset()
    if titles := grants_without_flag(actions):
        limits = " or ".join(f"{via}.<region>.amazonaws.com" for via in vias_without_flag(actions))
        limited = f", limited by StringEquals kms:ViaService {limits}" if limits else ""
        return (
            f"If this is for {' or '.join(titles)}: its grant does not carry kms:GrantIsForAWSResource, so "
            "that a condition on it would break the creation; keep the statement to whoever creates it"
            f"{limited}; or authorise these for IAM-KMS-6 or acknowledge {finding} with the reason. If not, "
            "take kms:CreateGrant out."
        )
    return (
        "Add Bool kms:GrantIsForAWSResource 'true' to the Allow, or deny kms:CreateGrant to everyone "
        "with BoolIfExists kms:GrantIsForAWSResource 'false'; but not where a grant is needed that does not "
        f"carry it ({', '.join(grants_without_flag())})."
    )


def _left_by_denies(key: Key) -> Iterator[str]:
    """The grantees whom a Deny of grants that are not for AWS resources leaves out."""
    for statement in key.policy.statements:
        if statement.effect is not Effect.DENY or not applies_to_action(
            statement, CREATE_GRANT, certainly=True
        ):
            continue
        conditions = _known(statement)
        if not any(one.folded_key == _GRANT_FLAG for one in conditions):
            continue
        for one in conditions:
            negated = one.base in ("stringnotequals", "stringnotlike", "arnnotequals", "arnnotlike")
            if one.folded_key == GRANTEE and negated and not is_unknown(one.values):
                yield from one.values


def _is_asked(cell: Cell, services: Sequence[str]) -> bool:
    if not services:
        return cell.kind is not PrincipalKind.SERVICE
    return cell.kind is PrincipalKind.SERVICE and (
        _ANY_SERVICE.value in services or bool(set(cell.include) & set(services)) or cell.literal is None
    )


def _outcome(key: Key, statement: Statement, verdict: bool | None, actions: frozenset[str]) -> Outcome:
    """A violation where nothing is open: conditions, actions, the effect, and that it means this key."""
    certain = statement_actions(statement.actions, statement.not_actions, certainly=True)
    sure = (
        verdict is False
        and statement.certain
        and statement.effect is Effect.ALLOW
        and bool(certain & actions)
    )
    means_it = sure and speaks_of_key(statement, KeyName.of(key, in_own_policy=True)) is True
    return Outcome.VIOLATION if means_it else Outcome.UNDETERMINED


def _why_open(verdict: bool | None, outcome: Outcome, shown: Witness | None) -> str:
    """Why it is undetermined, where no condition is the reason."""
    if verdict is None:
        return ""
    if outcome is Outcome.UNDETERMINED:
        return " Whether the statement allows this on this key is decided at deployment."
    return unshown(shown)


def _known(statement: Statement) -> tuple[Condition, ...]:
    return () if is_unknown(statement.conditions) else statement.conditions


def _for_services_only(conditions: tuple[Condition, ...]) -> bool:
    return _demands(conditions, _GRANT_FLAG)


def _services_only(conditions: tuple[Condition, ...]) -> bool:
    return _demands(conditions, "aws:principalisawsservice")


def _demands(conditions: tuple[Condition, ...], key: str) -> bool:
    """Whether a condition wants this key, and wants it to be true."""
    return any(
        condition.folded_key == key
        and condition.base == "bool"
        and not condition.if_exists
        and condition.qualifier != "forallvalues"
        and not is_unknown(condition.values)
        and bool(condition.values)
        and all(value.lower() == "true" for value in condition.values)
        for condition in conditions
    )


def _best(*verdicts: bool | None) -> bool | None:
    """Conditions hold together: one that limits will do."""
    if True in verdicts:
        return True
    return None if None in verdicts else False


def _perhaps_everyone(value: str) -> bool:
    """Whether a principal that is not resolved may turn out to be an asterisk."""
    return has_unresolved_hole(value) and all(
        piece == "*" or (piece[0] == OPEN and piece[-1] == CLOSE) for piece in split_holes(value)
    )
