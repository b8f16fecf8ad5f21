"""The seal of a key policy, and the grants that go through it.

CDK constructs change key policies in two ways: by ``key.grant…(grantee)`` and by
``key.add_to_resource_policy(statement)``. Under a sealed policy each wish has one of three answers:

* The declared policy says it already: nothing is written, and nothing complained about.
* It is a grant of use to a role or user whom the key policy can name without a dependency cycle, or use by
  such a principal through named services only (``secret.grant_read(function)``): that principal becomes a key
  user, with a statement of its own that is limited as the wish is.
* Everything else is refused, with the argument of `SecureKmsKey` that would give it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aws_cdk import Stack

from kms_constructs.cdk.key.coverage import covers
from kms_constructs.cdk.key.principals import named_principal
from kms_constructs.cdk.key.references import is_person_arn, owner_of
from kms_constructs.cdk.key.refusals import Refusals, account_in, account_of, is_root
from kms_constructs.cdk.key.wishes import Wish, conditions_of, flat, wishes
from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import ACTIONS, expand
from kms_constructs.model.arn import of_region
from kms_constructs.model.key_specs import using_actions
from kms_constructs.policies.key_policy import KeyPolicySpec, key_policy
from kms_constructs.policies.principals import NamedPrincipal
from kms_constructs.policies.root_access import RootAccess
from kms_constructs.policies.services.advice import calls_of, region_of, service_of
from kms_constructs.policies.statements import Condition, one_or_list, qualified, statement
from kms_constructs.policies.target import PolicyTarget, is_token

__all__ = ["GrantBook", "Wish", "wishes"]

_GRANT_ACTIONS = frozenset({"CreateGrant", "ListGrants", "RevokeGrant"})
"""Actions for which KMS knows whether an AWS service asks for its own resource."""

_RETIRE = "RetireGrant"
"""Left to the grant itself: a grant names who may retire it, and a key policy allows it to nobody else."""

_POSITIVE = frozenset({"ArnLike", "ArnEquals", "StringLike", "StringEquals"})
_SOURCE = re.compile(r"aws:source(arn|account)|kms:encryptioncontext:aws:[a-z0-9]+:arn")
"""Condition keys that tell whose resource a service acts for."""

_Granted = tuple[NamedPrincipal, tuple[str, ...]]
"""A principal, and the values of `kms:ViaService` that its statement is limited to; none for any."""


@dataclass
class GrantBook:
    """The key users that a key got after construction, and the answer to every wish for more.

    Args:
        spec: The declared policy.
        target: The key.
        managing: Who manages the key, by argument.
        using: Who uses it, by argument.
        stack: The stack of the key.
    """

    spec: KeyPolicySpec
    target: PolicyTarget
    managing: Mapping[str, Sequence[NamedPrincipal]]
    using: Mapping[str, Sequence[NamedPrincipal]]
    stack: Stack
    _granted: dict[_Granted, set[str]] = field(default_factory=dict)
    _services: list[tuple[Wish, Condition]] = field(default_factory=list)

    def resolve(self, value: object) -> object:
        """A value with CDK tokens turned into intrinsics, as the stack of the key does it."""
        return self.stack.resolve(value)

    def statements(self) -> list[dict[str, object]]:
        """The statements of the grants, in their order."""
        found: list[dict[str, object]] = []
        for number, ((principal, via), actions) in enumerate(self._granted.items(), 1):
            use = qualified(actions - _GRANT_ACTIONS)
            grants = qualified(actions & _GRANT_ACTIONS)
            who: dict[str, str] = {"AWS": principal.arn}
            limits: Condition = {"StringEquals": {"kms:ViaService": one_or_list(via)}} if via else {}
            if use:
                limit = limits or None
                found.append(statement(f"Granted{number}", "Allow", use, principal=who, conditions=limit))
            if grants:
                condition: Condition = {**limits, "Bool": {"kms:GrantIsForAWSResource": "true"}}
                found.append(
                    statement(f"Granted{number}Grants", "Allow", grants, principal=who, conditions=condition)
                )
        for number, (wish, limit) in enumerate(self._services, 1):
            use = qualified(self._wanted(wish.patterns))
            service = {"Service": one_or_list(wish.spelt)}
            found.append(
                statement(f"GrantedService{number}", "Allow", use, principal=service, conditions=limit)
            )
        return found

    def wishes(self, statement: object) -> list[Wish]:
        """What a statement, as JSON with tokens, asks for."""
        resolved = self.resolve(statement)
        assert isinstance(resolved, Mapping) and isinstance(statement, Mapping)  # noqa: S101, PT018 - an object
        return [self._at_home(wish) for wish in wishes(resolved, statement)]

    def _at_home(self, wish: Wish) -> Wish:
        """The wish with the Region of the key written out, as far as it is known when the app is made."""
        region = self.target.region
        if is_token(region) or not wish.via:
            return wish
        suffix = of_region(region).dns_suffix
        via = tuple(
            one.replace("${AWS::Region}", region).replace("${AWS::URLSuffix}", suffix) for one in wish.via
        )
        return replace(wish, via=via)

    def answer(self, asked: Mapping[str, Any]) -> list[ArgumentError]:
        """Answers every wish of a statement, as JSON with tokens: what of it is refused, and why.

        A message names the argument that would give what is refused.
        """
        return [error for wish in self.wishes(asked) for error in self._answer(wish, asked)]

    def _answer(self, wish: Wish, asked: Mapping[str, Any]) -> list[ArgumentError]:
        """Takes a wish up, or finds that the declared policy gives it already; else what is refused."""
        region = self.target.region
        places = {region_of(one) for one in wish.via}
        if places and not is_token(region) and not places & {region, None}:
            return [self._refusals.elsewhere(wish, sorted(filter(None, places))[0])]
        if self.allowed_already(wish):
            return []
        if self._is_own_service(wish, asked):
            self._services.append((wish, asked["Condition"]))
            return []
        if not self._may_be_taken_up(wish):
            return [self._refusals.wish(wish)]
        refused: list[ArgumentError] = []
        for arn in wish.spelt:
            try:
                self._grant_through(arn, wish)
            except ArgumentError as error:
                refused.append(error)
        return refused

    def _grant_through(self, arn: str, wish: Wish) -> None:
        """Makes one principal of a wish a key user through its services.

        Raises:
            ArgumentError: The principal cannot be named, or is refused.
        """
        owner = owner_of(arn)
        person = named_principal("grantee", arn, where=self.target.where)
        foreign: str | None = None
        if owner is not None:
            person = owner.named(arn)
            own = owner.stack.node.addr == self.stack.node.addr
            foreign = None if own else owner.stack.stack_name
        self.grant(person, wish.patterns, foreign_stack=foreign, via=wish.limits)

    def allowed_already(self, wish: Wish) -> bool:
        """Whether the declared policy gives what is wished, under the conditions that were declared.

        For a service, what it calls of the wished actions has to be declared; constructs ask for more.

        A wish for the key's whole account through a service (Secrets Manager and EBS make such) is given when
        a declared statement names that service: it then lets the declared principals through, and nobody
        else.
        """
        if not wish.positive:
            return False
        if wish.kind == "AWS" and wish.via and all(self._is_own_root(one) for one in wish.principals):
            services = {service_of(one) for one in wish.via}
            declared = {service_of(one) for other in self._allows() for one in other.via}
            if services <= declared:
                return True
        if all(self._covers(wish, principal) for principal in wish.principals):
            return True
        return wish.kind == "AWS" and self._analysed(wish.spelt, self._wanted(wish.patterns), wish.via)

    def person_allowed_already(
        self, person: NamedPrincipal, actions: Iterable[str], via: Sequence[str] = ()
    ) -> bool:
        """Whether declared statements and earlier grants allow a role or user these actions."""
        return self._wanted(actions) <= self._given_to(person, via)

    def grant(
        self, value: object, actions: Iterable[str], *, foreign_stack: str | None, via: Sequence[str] = ()
    ) -> None:
        """Makes a role or user a key user.

        Args:
            value: The role or user.
            actions: Action patterns, as policies write them.
            foreign_stack: Name of the role's stack when it is not the key's and its ARN is known there only.
            via: The services through which alone it uses the key, as ``kms:ViaService`` has them.

        Raises:
            ArgumentError: The principal cannot be named.
            SealedPolicyError: The principal manages the key, lives in another stack or account, or wants more
                than use.
        """
        where = self.target.where
        patterns = list(actions)
        person = named_principal("grantee", value, where=where)
        nameable = foreign_stack is None or self._can_be_named(person)
        if nameable and self.person_allowed_already(person, patterns, via):
            return
        shown = person.arn
        if is_token(shown):
            owner = owner_of(shown)
            known = value.node.path if hasattr(value, "node") else owner and owner.path
            shown = str(known or flat(self.resolve(shown)))
        wanted = self._wanted(patterns)
        excess = sorted(wanted - self._usable())
        if excess:
            raise self._refusals.excess(excess)
        abroad = self._lies_abroad(person)
        if nameable and (abroad or foreign_stack is not None) and self._analysed((person.arn,), wanted, via):
            return
        if abroad:
            raise self._refusals.abroad(person, shown, patterns, via, foreign=foreign_stack is not None)
        if foreign_stack is not None:
            raise self._refusals.foreign_stack(shown, foreign_stack, via)
        for argument, people in self.managing.items():
            for manager in people:
                if manager.same_as(person):
                    raise self._refusals.manager(shown, argument, via)
        for (known_person, limits), granted in self._granted.items():
            if known_person.same_as(person) and limits == tuple(via):
                granted.update(wanted)
                return
        self._granted[person, tuple(via)] = set(wanted)

    @property
    def _refusals(self) -> Refusals:
        return Refusals(self.target, self.stack.stack_name, frozenset(self._own_accounts()))

    def _may_be_taken_up(self, wish: Wish) -> bool:
        """Whether it is use by roles and users, through named services and under no further condition."""
        return (
            wish.positive
            and wish.kind == "AWS"
            and wish.limited
            and len(wish.spelt) == len(wish.principals)
            and all(is_person_arn(one) for one in wish.spelt)
        )

    def _is_own_service(self, wish: Wish, asked: Mapping[str, Any]) -> bool:
        """Whether a service asks for resources of the key's account, of a key that the account decides on.

        Under `RootAccess.FULL_DELEGATION` an IAM policy of the account gives use to whomever it likes. A
        construct's statement for a service, limited to the account's own resources, adds nothing to that.
        """
        condition = self.resolve(asked.get("Condition"))
        if (
            self.spec.root_access is not RootAccess.FULL_DELEGATION
            or not wish.positive
            or wish.kind != "Service"
            or not self._wanted(wish.patterns) <= self._usable() | {"DescribeKey"}
            or not isinstance(condition, Mapping)
        ):
            return False
        own = self._own_accounts()
        return any(
            operator in _POSITIVE
            and _SOURCE.fullmatch(key.lower())
            and bool(values)
            and all(account_in(one) in own for one in values)
            for operator, key, values in conditions_of({"Condition": condition})
        )

    def _can_be_named(self, person: NamedPrincipal) -> bool:
        """Whether other environments can name it: without a physical name they cannot, and CDK raises."""
        try:
            self.resolve(person.arn)
        except RuntimeError:
            return False
        return True

    def _lies_abroad(self, person: NamedPrincipal) -> bool:
        account = self.target.account
        return bool(person.account and not is_token(person.account + account) and person.account != account)

    def _analysed(self, principals: Sequence[str], wanted: Iterable[str], via: Sequence[str]) -> bool:
        wish = {
            "Effect": "Allow",
            "Action": "kms:*",
            "Resource": "*",
            "Principal": {"AWS": list(principals)},
        }
        names = [name for name in wanted if name in ACTIONS]
        if len(names) < len(set(wanted)):
            return False
        services = [str(self.resolve(one)) for one in via]
        return covers(self._declared(), wish, names, via=services, stack=self.stack)

    def _covers(self, wish: Wish, principal: str) -> bool:
        given: set[str] = set()
        services = {service_of(one) for one in wish.via}
        for other in self._allows():
            limited = {service_of(one) for one in other.via}
            if (
                other.kind == wish.kind
                and self._names(other, principal)
                and (not limited or services & limited)
            ):
                given |= other.actions
        wanted = self._wanted(wish.patterns)
        if wish.kind != "Service" or not (uses := calls_of(principal)):
            return bool(wanted) and wanted <= given
        # A preset gives what the service calls in one use; the CDK often asks for all of encryption.
        asked = [wanted & use or wanted for use in uses]
        return any(one and one <= given for one in asked)

    @staticmethod
    def _names(declared: Wish, principal: str) -> bool:
        if declared.kind == "Service":
            # The CDK asks for lambda.amazonaws.com where AWS documents lambda.REGION.amazonaws.com.
            return service_of(principal) in map(service_of, declared.principals)
        return principal in declared.principals

    def _given_to(self, person: NamedPrincipal, via: Sequence[str]) -> set[str]:
        given: set[str] = set()
        services = {service_of(one) for one in via}
        arn = flat(self.resolve(person.arn))
        for one in self._declared():
            if one["Effect"] != "Allow" or one["Sid"] == "RootAccount":
                continue
            for other in self.wishes(one):
                limits = {service_of(limit) for limit in other.via}
                # What a preset limits to its service is not the use that a grant is asked for.
                elsewhere = limits and str(one["Sid"]).startswith("Service") and not services & limits
                if other.kind == "AWS" and arn in other.principals and not elsewhere:
                    given |= other.actions
        by_argument = {
            "key_users": ("KeyUsers", "KeyUsersGrants"),
            "encrypt_only_users": ("EncryptOnly",),
            "decrypt_only_users": ("DecryptOnly",),
        }
        for argument, sids in by_argument.items():
            if any(user.same_as(person) for user in self.using.get(argument, ())):
                for sid in sids:
                    given |= self._actions_of(sid)
        for (known, limited), actions in self._granted.items():
            if known.same_as(person) and (not limited or (set(via) <= set(limited) and via)):
                given |= actions
        return given

    def _allows(self) -> list[Wish]:
        return [
            wish
            for one in self._declared()
            if one["Effect"] == "Allow" and one["Sid"] != "RootAccount"
            for wish in self.wishes(one)
        ]

    def _actions_of(self, sid: str) -> set[str]:
        return {
            name
            for one in self._declared()
            if one["Sid"] == sid
            for wish in self.wishes(one)
            for name in wish.actions
        }

    def _declared(self) -> list[Mapping[str, object]]:
        statements = key_policy(self.spec)["Statement"]
        assert isinstance(statements, list)  # noqa: S101 - key_policy writes a list
        return statements

    def _usable(self) -> frozenset[str]:
        """What a user of this key may be given."""
        return frozenset(using_actions(self.target.key_spec, self.target.key_usage)) | _GRANT_ACTIONS

    def _wanted(self, actions: Iterable[str]) -> set[str]:
        """The actions asked for, wildcards cut down to what fits the key, and RetireGrant left out."""
        usable = self._usable()
        wanted: set[str] = set()
        for pattern in actions:
            names = set(expand(pattern if ":" in pattern else f"kms:{pattern}"))
            fitting = names & usable
            wanted |= fitting if fitting and "*" in pattern else names or {pattern.removeprefix("kms:")}
        return wanted - {_RETIRE}

    def _own_accounts(self) -> set[str]:
        return {flat(self.resolve(self.target.account)), "${AWS::AccountId}"}

    def _is_own_root(self, principal: str) -> bool:
        return is_root(principal) and account_of(principal) in self._own_accounts()
