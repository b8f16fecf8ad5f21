"""IAM-KMS-6: access for AWS services, and through them, is scoped.

Three things are judged:

* A service principal needs a condition on whose resource it acts for: ``aws:SourceArn``,
  ``aws:SourceAccount``, ``aws:SourceOrgID`` or ``aws:SourceOrgPaths``; or, for services that send one, on the
  encryption context. CloudTrail needs a source condition in any case, as AWS documents for it. A statement
  that only reads metadata (DescribeKey, GetPublicKey) is let off: it neither decrypts nor signs. One that
  only creates grants is scoped by ``kms:GrantIsForAWSResource``.
* ``Principal: "*"`` for cryptographic actions is meant for use through a service, so it needs
  ``kms:ViaService`` (or the encryption context that the service sends) and ``kms:CallerAccount``.
* CreateGrant, by whomever and however it comes about, needs Bool ``kms:GrantIsForAWSResource`` ``true``, or
  a Deny of everything else. ``BoolIfExists`` will not do in an Allow: it holds for requests without the key.
  Let off is a statement that allows grants that the key declares: to their grantees, with their operations
  and, where the declaration says who makes them, by these alone. Each such grant is reported, as a warning:
  somebody decided on it and should look at it again.

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

from collections.abc import Iterator
from typing import ClassVar

from kms_constructs.analysis.key_names import KeyName, speaks_of_key
from kms_constructs.analysis.narrowing import (
    CALLER_ACCOUNT_KEYS,
    ENCRYPTION_CONTEXT,
    SOURCE_KEYS,
    VIA_SERVICE,
    covered_actions,
    narrowed_by,
    narrows,
    near_misses,
)
from kms_constructs.analysis.principals import all_within, root_arn
from kms_constructs.analysis.reach import Contribution
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.rule import KeyRule, capitalized, heading, named
from kms_constructs.guardrails.wording import UNRESOLVED, merged, resolve
from kms_constructs.model.actions import READING, USING
from kms_constructs.model.arn import canonical
from kms_constructs.model.estate import Grant, Key
from kms_constructs.model.globs import glob_matches
from kms_constructs.model.policy import Condition, Effect, Principal, Statement
from kms_constructs.model.text import display
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

_NEEDS_SOURCE = frozenset({"cloudtrail.amazonaws.com"})
"""Services whose documented policies have a source condition beside the encryption context."""
_ANY_SERVICE = Principal("Service", "any AWS service")
_GRANT_FLAG = "kms:grantisforawsresource"


class ServiceScopeRule(KeyRule):
    """Looks at service principals, at everyone as principal, and at CreateGrant."""

    control = CONTROL
    reads_policy: ClassVar[bool] = True
    reads_properties: ClassVar[bool] = False
    compliant_message: ClassVar[str] = "Access for AWS services, and through them, is scoped."

    def judge(self, key: Key) -> Iterator[Finding]:
        """What a service could be made to do, and who may grant to anyone."""
        name = KeyName.of(key)
        for statement in key.policy.statements:
            if statement.effect is Effect.DENY or speaks_of_key(statement, name) is False:
                continue
            if is_unknown(statement.principals) or is_unknown(statement.conditions):
                yield from self._unreadable(key, statement)
                continue
            principals = statement.principals or ()
            services = [one for one in principals if one.type == "Service" and self._judged(one)]
            if services:
                yield from self._services(key, statement, services)
            if any(one.value == "*" and one.type in ("AWS", "*") for one in principals):
                if _services_only(_known(statement)):
                    yield from self._services(key, statement, [_ANY_SERVICE])
                else:
                    yield from self._everyone(key, statement)
        yield from self._grants(key)
        for grant in key.grants:
            # Operations that are not known may hold CreateGrant: then it has been reported already.
            if not grant.for_aws_service and not is_unknown(grant.operations):
                yield self._direct(key, grant, grant.operations)

    def _judged(self, principal: Principal) -> bool:
        return any(glob_matches(pattern, principal.value) for pattern in self.config.scoped_services)

    def _unreadable(self, key: Key, statement: Statement) -> Iterator[Finding]:
        unknown = statement.principals if is_unknown(statement.principals) else statement.conditions
        if is_unknown(unknown) and covered_actions(statement) - READING:
            yield self.undetermined(
                key,
                f"Whether {named(statement)} scopes what services may do is not known: {unknown.reason}.",
                detail=UNRESOLVED,
                path=statement.path,
                fix=resolve(key),
            )

    def _services(self, key: Key, statement: Statement, services: list[Principal]) -> Iterator[Finding]:
        conditions = _known(statement)
        actions = covered_actions(statement) - READING
        if actions <= {CREATE_GRANT} and (not actions or _for_services_only(conditions)):
            return
        keys = set(SOURCE_KEYS)
        if not _NEEDS_SOURCE & {one.value for one in services}:
            keys.add(ENCRYPTION_CONTEXT)
        verdict = narrowed_by(conditions, keys)
        if verdict is True:
            return
        names = ", ".join(display(one.value) for one in services)
        outcome = Outcome.UNDETERMINED if verdict is None else Outcome.VIOLATION
        problem = (
            "whether its conditions limit that is decided at deployment only"
            if verdict is None
            else "no condition says for whose resources"
        )
        yield self.finding(
            outcome,
            key.location,
            f"{heading(statement)} lets {names} use the key; {problem}.{near_misses(conditions, keys)}",
            detail=SOURCE,
            path=statement.path,
            principals=tuple(display(one.value) for one in services),
            fix="Add aws:SourceArn (ArnLike) and aws:SourceAccount (StringEquals)"
            + (", or the encryption context that the service sends." if ENCRYPTION_CONTEXT in keys else "."),
        )

    def _everyone(self, key: Key, statement: Statement) -> Iterator[Finding]:
        conditions = _known(statement)
        if not covered_actions(statement) & USING or narrowed_by(conditions, ("aws:principalarn",)):
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
            verdict = narrowed_by(conditions, keys)
            if verdict is True:
                continue
            yield self.finding(
                Outcome.UNDETERMINED if verdict is None else Outcome.VIOLATION,
                key.location,
                f"{heading(statement)} lets everyone {problem}"
                f"{', unless a value decided at deployment limits it' if verdict is None else ''}."
                f"{near_misses(conditions, keys)}",
                detail=detail,
                path=statement.path,
                principals=("*",),
                fix=fix,
            )

    def _grants(self, key: Key) -> Iterator[Finding]:
        authorised = (root_arn(key.account, key.partition), *self.config.authorised_for(self.control.id))
        access = EstateAccess(self.estate)
        for value, note in (
            ("false", ""),
            (None, " BoolIfExists also holds for requests that do not carry kms:GrantIsForAWSResource."),
        ):
            region = access.reach(key, CREATE_GRANT, context={_GRANT_FLAG: value})
            parts = [
                part
                for part in merged(region.escapes(authorised))
                if not _declared(part, key) and not _by_service(part)
            ]
            for part in parts:
                yield self._grant(key, part, note)
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
        return self.finding(
            Outcome.VIOLATION,
            key.location,
            f"Direct grant{called}, made by people and by no AWS service, gives {display(grantee)} the use of"
            f" the key: {', '.join(operations)}{f' ({limits})' if limits else ''}.",
            severity=Severity.WARNING,
            detail=DIRECT_GRANT,
            principals=(display(grantee),),
            fix="Keep it while it is needed, and acknowledge it with the reason; else revoke it, and take its"
            " declaration out.",
        )

    def _grant(self, key: Key, part: Contribution, note: str) -> Finding:
        who = f"by the IAM policies of {part.principals}" if part.delegated else f"to {part.principals}"
        message = (
            f"{capitalized(part.label)} allows kms:CreateGrant for other purposes than AWS services' own "
            f"({who}): its holder can give whomever it likes the use of the key.{note}"
        )
        return self.finding(
            Outcome.UNDETERMINED if part.unresolved else Outcome.VIOLATION,
            key.location,
            message + (f" Not resolved: {part.unresolved}." if part.unresolved else ""),
            detail=CREATE_GRANT,
            path=part.statement.path if part.statement is not None else "",
            chain=(part.describe(),),
            principals=(part.principals,),
            fix="Add Bool kms:GrantIsForAWSResource 'true' to the Allow, or deny kms:CreateGrant to everyone "
            "with BoolIfExists kms:GrantIsForAWSResource 'false'.",
        )


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
        and narrows(condition) is True
        and not is_unknown(condition.values)
        and all(value.lower() == "true" for value in condition.values)
        for condition in conditions
    )


def _by_service(part: Contribution) -> bool:
    return part.grant is not None and part.grant.for_aws_service


def _declared(part: Contribution, key: Key) -> bool:
    """Whether the statement only allows grants that the key declares: their grantees, their operations."""
    grants = [
        (canonical(grant.grantee), grant.operations)
        for grant in key.grants
        if not is_unknown(grant.grantee) and not is_unknown(grant.operations) and _made_by(grant, part)
    ]
    grantees: set[str] = set()
    for condition in part.conditions:
        if (
            condition.folded_key == "kms:granteeprincipal"
            and narrows(condition) is True
            and not is_unknown(condition.values)
        ):
            grantees = {canonical(value) for value in condition.values}
    declared = {name for grantee, names in grants if grantee in grantees for name in names}
    return bool(grantees) and grantees <= {grantee for grantee, _ in grants} and _only(part, declared)


def _made_by(grant: Grant, part: Contribution) -> bool:
    """Whether only those make the grant of whom its declaration says so, if it says."""
    return grant.created_by is None or all_within(part.cells, grant.created_by)


def _only(part: Contribution, operations: set[str]) -> bool:
    """Whether the statement allows grants of these operations alone.

    ``ForAllValues`` holds for an empty set, too; so the operations have to be there, by a Null condition.
    """
    named = [one for one in part.conditions if one.folded_key == "kms:grantoperations"]
    within = any(
        one.qualifier == "forallvalues"
        and one.base == "stringequals"
        and not is_unknown(one.values)
        and set(one.values) <= operations
        for one in named
    )
    there = any(
        one.base == "null" and not is_unknown(one.values) and set(one.values) == {"false"} for one in named
    )
    return within and there
