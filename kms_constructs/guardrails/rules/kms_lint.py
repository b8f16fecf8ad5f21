"""KMS:LINT: the key policy says what it means.

Anti-pattern: an action that KMS does not have, and a Resource that makes the statement mean nothing::

    {"Statement": [{"Sid": "App", "Effect": "Allow", "Action": ["kms:Decript", "kms:Describe"],
                    "Resource": "arn:aws:s3:::reports",
                    "Principal": {"AWS": "arn:aws:iam::111122223333:role/App"}}]}

Best practice::

    {"Statement": [{"Sid": "App", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:DescribeKey"],
                    "Resource": "*", "Principal": {"AWS": "arn:aws:iam::111122223333:role/App"}}]}
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache
from typing import ClassVar

from kms_constructs.analysis.key_names import KeyName, open_resource, speaks_of_key
from kms_constructs.analysis.principals import principal_cells
from kms_constructs.analysis.reach import is_abroad
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.lint.conditions import condition_remarks
from kms_constructs.guardrails.lint.lockout import lockout_remarks
from kms_constructs.guardrails.lint.places import partition_remarks, region_remarks
from kms_constructs.guardrails.lint.principals import principal_problem
from kms_constructs.guardrails.lint.properties import aliases_given_twice, property_remarks
from kms_constructs.guardrails.lint.remark import Remark
from kms_constructs.guardrails.rule import KeyRule, RuleContext, capitalized, heading, named
from kms_constructs.guardrails.wording import UNRESOLVED, resolve
from kms_constructs.model.actions import ACROSS_ACCOUNTS, ACTIONS, expand, find_action
from kms_constructs.model.estate import IdentityPolicy, IdentityPolicyKind, Key
from kms_constructs.model.key_specs import MAXIMUM_KEY_POLICY_BYTES
from kms_constructs.model.policy import Effect, Policy, Statement
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.vocabulary import Fact

CONTROL = Control(
    id="KMS:LINT",
    title="The key policy says what it means",
    rationale=(
        "A misspelt action, a Resource that is not '*', a principal that cannot exist or a Deny with "
        "NotPrincipal is either refused at deployment or, worse, accepted and does something else than it "
        "seems to."
    ),
    advice=(
        "Write actions as KMS names them, Resource '*', principals as full ARNs, and Denies with Principal "
        "'*' and a condition on aws:PrincipalArn."
    ),
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html",
        "https://docs.aws.amazon.com/service-authorization/latest/reference/"
        "list_awskeymanagementservice.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html",
    ),
    scope=(Subject.KEY_POLICY, Subject.IDENTITY_POLICY),
    severity=Severity.MEDIUM,
    mappings={Framework.NIST: ("AC-3", "CM-6")},
)

_GRANT_ONLY = frozenset({"CreateGrant", "ListGrants", "RevokeGrant"})
"""The actions whose requests carry kms:GrantIsForAWSResource."""
_ALIAS_ARN = re.compile(r"(arn:[^:]*:kms:[^:]*:[^:]*:)?alias/")
_ON_ALIASES = frozenset({"CreateAlias", "DeleteAlias", "UpdateAlias"})
"""Actions that are asked for the alias as well as for the key."""
_RESOURCE_FIX = "Write Resource '*', which in a key policy means the key."


class LintRule(KeyRule):
    """Looks for what KMS refuses and for what it takes to mean something else."""

    control = CONTROL
    by_shape: ClassVar[bool] = True
    reads_policy: ClassVar[bool] = False
    reads_properties: ClassVar[bool] = False
    compliant_message: ClassVar[str] = "The key policy says what it means."

    def __init__(self, context: RuleContext) -> None:
        super().__init__(context)
        self._access = EstateAccess(context.estate)

    def apart(self, key: Key) -> Hashable:
        """What is wrong with its properties."""
        return key.policy_only or tuple(property_remarks(key))

    def judge(self, key: Key) -> Iterator[Finding]:
        """What is wrong with how the policy is written, and with what cannot be deployed."""
        policy = key.policy
        for problem in policy.problems:
            yield self.violation(
                key,
                f"The key policy is malformed: {problem.message}.",
                detail="grammar",
                path=problem.path,
                fix="Correct the policy; KMS refuses it as it is.",
            )
        if is_unknown(policy.unknown) and not policy.problems:
            yield self._not_known(key, "The key policy", policy.unknown.reason, policy.path)
        yield from self._size(key, policy)
        yield from self._bypass(key)
        yield from self._twice(key, policy)
        for statement in policy.statements:
            yield from self._statement(key, statement)
        for remark in self._remarks(key):
            yield self._said(key, remark)

    def check_estate(self) -> Iterator[Finding]:
        """Actions that IAM policies name and KMS does not have, and aliases that two keys have."""
        named = {policy.id for policy in self.estate.identity_policies}
        for policy in self.estate.identity_policies:
            boundary = policy.kind is IdentityPolicyKind.BOUNDARY
            # What bounds and is attached as well is one document, and wrong once.
            if not (boundary and policy.id.removesuffix("/boundary") in named - {policy.id}):
                yield from self._identity_policy(policy)
        for key, remark in aliases_given_twice(self.estate.keys):
            yield self._said(key, remark)

    def _remarks(self, key: Key) -> Iterator[Remark]:
        """What the parts have to say, each in a file of its own."""
        for statement in key.policy.statements:
            yield from condition_remarks(statement)
            yield from partition_remarks(key, statement)
            yield from region_remarks(key, statement)
        yield from lockout_remarks(key, self._access)
        if not key.policy_only:
            yield from property_remarks(key)

    def _said(self, key: Key, remark: Remark) -> Finding:
        return self.finding(
            Outcome.VIOLATION,
            key.location,
            remark.message,
            fix=remark.fix,
            severity=Severity.WARNING if remark.warns else None,
            detail=remark.detail,
            path=remark.path,
        )

    def _not_known(self, key: Key, what: str, reason: str, path: str) -> Finding:
        return self.undetermined(
            key, f"{what} is not known: {reason}.", detail=UNRESOLVED, path=path, fix=resolve(key)
        )

    def _size(self, key: Key, policy: Policy) -> Iterator[Finding]:
        # A size that is not known comes with an element that is not known, which is reported as such.
        if policy.size is not None and policy.size > MAXIMUM_KEY_POLICY_BYTES:
            yield self.violation(
                key,
                f"The key policy has {policy.size} bytes; KMS takes {MAXIMUM_KEY_POLICY_BYTES}.",
                detail="size",
                path=policy.path,
                fix="Name roles instead of many users, put statements together, or use several keys.",
            )

    def _twice(self, key: Key, policy: Policy) -> Iterator[Finding]:
        """A Sid names one statement of a policy."""
        seen: set[str] = set()
        for statement in policy.statements:
            sid = statement.sid
            if not isinstance(sid, str) or not sid or has_hole(sid):
                continue
            # Of two that may not be there together, one is enough.
            if sid in seen and statement.certain:
                yield self.violation(
                    key,
                    f"Two statements have the Sid {sid!r}.",
                    detail="duplicate-sid",
                    path=f"{statement.path}/Sid",
                    fix="Give every statement a Sid of its own.",
                )
            if statement.certain:
                seen.add(sid)

    def _bypass(self, key: Key) -> Iterator[Finding]:
        if not key.vocabulary.knows(Fact.LOCKOUT_BYPASS):
            return
        name = key.vocabulary.name(Fact.LOCKOUT_BYPASS)
        path = key.vocabulary.path(Fact.LOCKOUT_BYPASS)
        flag = key.bypass_lockout_check
        if is_unknown(flag):
            yield self._not_known(key, name, flag.reason, path)
        elif flag:
            yield self.violation(
                key,
                f"{name} switches off KMS's check that somebody can still change the policy.",
                detail="lockout-bypass",
                path=path,
                fix="Take the property out.",
            )

    def _statement(self, key: Key, statement: Statement) -> Iterator[Finding]:
        for name, value in (
            ("Effect", statement.effect),
            ("Principal", statement.principals),
            ("NotPrincipal", statement.not_principals),
            ("Action", statement.actions),
            ("NotAction", statement.not_actions),
            ("Resource", statement.resources),
            ("Condition", statement.conditions),
        ):
            if is_unknown(value):
                yield self._not_known(
                    key, f"{name} of {named(statement)}", value.reason, f"{statement.path}/{name}"
                )
        yield from self._actions(key, statement)
        yield from self._resource(key, statement)
        yield from self._principals(key, statement)
        yield from self._inert(key, statement)
        yield from self._across_accounts(key, statement)

    def _actions(self, key: Key, statement: Statement) -> Iterator[Finding]:
        for name, actions in (("Action", statement.actions), ("NotAction", statement.not_actions)):
            if not isinstance(actions, tuple):
                continue
            for detail, problem, fix, severity in _action_problems(actions):
                yield self.finding(
                    Outcome.VIOLATION,
                    key.location,
                    f"{heading(statement)}: {problem}.",
                    fix=fix,
                    detail=detail,
                    path=f"{statement.path}/{name}",
                    severity=severity,
                )

    def _resource(self, key: Key, statement: Statement) -> Iterator[Finding]:
        resources = statement.resources
        path = f"{statement.path}/Resource"
        if resources is None:
            what = "NotResource" if statement.not_resources is not None else "no Resource"
            yield self.violation(
                key,
                f"{heading(statement)} has {what}; in a key policy that means nothing.",
                detail="resource",
                path=path,
                fix=_RESOURCE_FIX,
            )
        elif not is_unknown(resources):
            name = KeyName.of(key, in_own_policy=True)
            if speaks_of_key(statement, name) is False:
                yield self.violation(
                    key,
                    f"{heading(statement)} is for {', '.join(map(display, resources))}; in a key policy "
                    "that has no effect on the key.",
                    detail="resource",
                    path=path,
                    fix=_RESOURCE_FIX,
                )
            elif (reason := open_resource(statement, name)) is not None:
                yield self.undetermined(
                    key,
                    f"Whether {named(statement)} has an effect is not known: {reason}.",
                    detail="resource",
                    path=path,
                    fix=_RESOURCE_FIX,
                )

    def _principals(self, key: Key, statement: Statement) -> Iterator[Finding]:
        if statement.not_principals is not None:
            denies = statement.effect is Effect.DENY
            yield self.violation(
                key,
                f"{heading(statement)} has NotPrincipal: "
                + (
                    "a Deny of that form also hits the sessions and the account of those it names."
                    if denies
                    else "it lets in everyone in the world but those it names."
                ),
                detail="not-principal",
                path=f"{statement.path}/NotPrincipal",
                fix="Write Principal '*' with ArnNotEquals aws:PrincipalArn."
                if denies
                else "Name the principals.",
            )
        elif statement.principals is None:
            yield self.violation(
                key,
                f"{heading(statement)} has no Principal.",
                detail="principal",
                path=statement.path,
                fix="Say whom the statement is for.",
            )
        elif not is_unknown(statement.principals):
            for principal in statement.principals:
                problem = principal_problem(principal)
                if problem is not None:
                    yield self.violation(
                        key,
                        f"{heading(statement)}: {problem[0]}.",
                        detail="principal",
                        path=f"{statement.path}/Principal",
                        fix=problem[1],
                        principals=(display(principal.value),),
                    )

    def _inert(self, key: Key, statement: Statement) -> Iterator[Finding]:
        """A Deny that a condition on the wrong actions makes inert."""
        if statement.effect is not Effect.DENY or is_unknown(statement.conditions):
            return
        flags = [one for one in statement.conditions if one.folded_key == "kms:grantisforawsresource"]
        if not flags or all(one.if_exists or one.base == "null" for one in flags):
            return
        others = sorted(
            {name for action in _literal(statement.actions) for name in expand(action)} - _GRANT_ONLY
        )
        if others:
            yield self.violation(
                key,
                f"{heading(statement)} denies kms:{others[0]} on a condition on "
                "kms:GrantIsForAWSResource, which only requests on grants carry: it denies nothing.",
                detail="inert-deny",
                path=f"{statement.path}/Condition",
                fix="Put kms:CreateGrant into a Deny of its own.",
            )

    def _across_accounts(self, key: Key, statement: Statement) -> Iterator[Finding]:
        """An Allow of what KMS takes from no other account, for principals of one.

        See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
        """
        if statement.effect is not Effect.ALLOW or not isinstance(statement.principals, tuple):
            return
        # With a wildcard an action is likely meant for whom it can serve.
        actions = _at_home_only(statement.actions) if isinstance(statement.actions, tuple) else ()
        if not actions:
            return
        abroad = [
            display(principal.value)
            for principal in statement.principals
            if principal.type == "AWS"
            and principal.value != "*"
            and (cells := principal_cells(principal, KeyName.of(key).partition)).unresolved is None
            and all(is_abroad(cell, key.account) for cell in cells.cells)
        ]
        if abroad:
            yield self.finding(
                Outcome.VIOLATION,
                key.location,
                f"{heading(statement)} lets {', '.join(abroad)} call {', '.join(actions)}; KMS takes that "
                "from principals of the key's account only, so it has no effect.",
                detail="across-accounts",
                path=f"{statement.path}/Action",
                fix="Take these actions, or these principals, out of the statement.",
                principals=tuple(abroad),
                severity=Severity.WARNING,
            )

    def _identity_policy(self, policy: IdentityPolicy) -> Iterator[Finding]:
        for statement in policy.policy.statements:
            if (found := self._alias_resource(policy, statement)) is not None:
                yield found
            if _is_for_keys_alone(statement):
                for remark in condition_remarks(statement):
                    yield self._said_of_policy(policy, remark)
            for actions in (statement.actions, statement.not_actions):
                for action in _literal(actions):
                    if not action.lower().startswith("kms:") or expand(action):
                        continue
                    yield self.finding(
                        Outcome.VIOLATION,
                        policy.location,
                        f"{capitalized(policy.kind)} '{policy.name}', {statement.label}: "
                        f"KMS has no action {action!r}.",
                        fix=_suggestion(action),
                        detail="unknown-action",
                        path=f"{statement.path}/{'Action' if statement.actions is not None else 'NotAction'}",
                    )

    def _said_of_policy(self, policy: IdentityPolicy, remark: Remark) -> Finding:
        return self.finding(
            Outcome.VIOLATION,
            policy.location,
            f"{capitalized(policy.kind)} '{policy.name}': {remark.message}",
            fix=remark.fix,
            severity=Severity.WARNING if remark.warns else None,
            detail=remark.detail,
            path=remark.path,
        )

    def _alias_resource(self, policy: IdentityPolicy, statement: Statement) -> Finding | None:
        """A statement for keys whose Resource names aliases alone."""
        resources = statement.resources
        if is_unknown(statement.effect) or is_unknown(resources) or not resources:
            return None
        verb = "denies" if statement.effect is Effect.DENY else "allows"
        names = {name for action in _literal(statement.actions) for name in expand(action)} - _ON_ALIASES
        if not names or not all(_ALIAS_ARN.match(one) for one in resources):
            return None
        return self.finding(
            Outcome.VIOLATION,
            policy.location,
            f"{capitalized(policy.kind)} '{policy.name}', {statement.label} {verb} kms:{min(names)} on "
            f"{display(resources[0])}: the ARN of an alias is not that of its key, so that {verb} nothing.",
            fix="Name the ARN of the key, or write Resource '*' with the condition kms:ResourceAliases.",
            detail="alias-resource",
            severity=Severity.WARNING,
            path=f"{statement.path}/Resource",
        )


def _is_for_keys_alone(statement: Statement) -> bool:
    """Whether all actions are KMS's: requests to other services carry keys of their own."""
    actions = list(_literal(statement.actions))
    return bool(actions) and all(one.lower().startswith("kms:") for one in actions)


def _literal(values: object) -> Iterable[str]:
    if not isinstance(values, tuple):
        return ()
    return (value for value in values if isinstance(value, str) and not has_hole(value))


@lru_cache(maxsize=4096)
def _at_home_only(actions: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the actions that KMS takes from principals of the key's account alone."""
    named = (find_action(action) for action in _literal(actions))
    return tuple(found.qualified for found in named if found and found.name not in ACROSS_ACCOUNTS)


@lru_cache(maxsize=4096)
def _action_problems(actions: tuple[str, ...]) -> tuple[tuple[str, str, str, Severity | None], ...]:
    """What is wrong with the actions of a list: lists are long, and many statements have the same."""
    return tuple(found for action in _literal(actions) if (found := _action_problem(action)) is not None)


def _action_problem(action: str) -> tuple[str, str, str, Severity | None] | None:
    """Detail, problem, fix and severity for an action of a key policy; None when it is fine."""
    if action == "*":
        return None
    prefix, colon, name = action.partition(":")
    if colon and prefix.lower() != "kms":
        if prefix.strip("*?") == "":
            return None
        return (
            "foreign-action",
            f"{action!r} is no KMS action and means nothing in a key policy",
            "Take it out.",
            None,
        )
    if not colon:
        fix = f"Write kms:{action}." if find_action(action) else _suggestion(f"kms:{action}")
        return "unknown-action", f"{action!r} has no service prefix", fix, None
    if not expand(action):
        return "unknown-action", f"KMS has no action {action!r}", _suggestion(action), None
    found = find_action(name)
    if found is not None and not found.on_key:
        return (
            "account-action",
            f"{action} is not an action on a key, so a key policy cannot allow it",
            "Take it out; IAM policies allow it.",
            Severity.WARNING,
        )
    return None


@lru_cache(maxsize=4096)
def _suggestion(action: str) -> str:
    name = action.partition(":")[2].rstrip("*")
    folded = {known.lower(): known for known in ACTIONS}
    several = [
        known
        for known, spelt in folded.items()
        if name and known.startswith(name.lower()) and ACTIONS[spelt].on_key
    ]
    if len(several) > 1:
        return f"Did you mean kms:{folded[several[0]][: len(name)]}*?"
    import difflib  # for what is misspelt

    close = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    if not close:
        close = [known for known in folded if name and known.startswith(name.lower())][:1]
    return f"Did you mean kms:{folded[close[0]]}?" if close else "Write an action that KMS has."
