"""The seal of a key policy, and the grants that go through it.

CDK constructs change key policies in two ways: by ``key.grant…(grantee)`` and by
``key.add_to_resource_policy(statement)``. Under a sealed policy each wish has one of three answers:

* The declared policy says it already: nothing is written, and nothing complained about.
* It is a grant of use to a role or user whom the key policy can name without a dependency cycle: that
  principal becomes a key user, with a statement of its own.
* Everything else is refused, with the argument of `SecureKmsKey` that would give it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kms_constructs.cdk.key.principals import named_principal
from kms_constructs.errors import ArgumentError, SealedPolicyError
from kms_constructs.model.actions import expand
from kms_constructs.model.arn import is_account_id
from kms_constructs.model.key_specs import using_actions
from kms_constructs.policies.key_policy import KeyPolicySpec, key_policy
from kms_constructs.policies.principals import NamedPrincipal
from kms_constructs.policies.services.advice import preset_through, presets_of, service_of
from kms_constructs.policies.statements import qualified, statement
from kms_constructs.policies.target import PolicyTarget, is_token

_GRANT_ACTIONS = frozenset({"CreateGrant", "ListGrants", "RevokeGrant"})
"""Actions for which KMS knows whether an AWS service asks for its own resource."""

_RETIRE = "RetireGrant"
"""Left to the grant itself: a grant names who may retire it, and a key policy allows it to nobody else."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a statement would allow, as far as sealing needs to know.

    Args:
        kind: ``AWS``, ``Service`` or another type of principal.
        principals: The principals.
        actions: Names of KMS actions, wildcards expanded, without prefix.
        via: Services named by a condition on ``kms:ViaService``.
        positive: Whether it is an Allow that names its actions and principals. Of nothing else can it be said
            that the declared policy gives it already.
    """

    kind: str
    principals: tuple[str, ...]
    actions: frozenset[str]
    via: tuple[str, ...] = ()
    positive: bool = True

    def __str__(self) -> str:
        through = f" through {', '.join(self.via)}" if self.via else ""
        return f"{', '.join(self.principals)}: {', '.join(sorted(self.actions))}{through}"


def wishes(statement: Mapping[str, object]) -> list[Wish]:
    """What a statement, as JSON, asks for: one wish for each type of principal."""
    actions = frozenset(
        name
        for pattern in _texts(statement.get("Action"))
        for name in (expand(pattern) or (pattern.removeprefix("kms:"),))
    )
    condition = statement.get("Condition")
    via = tuple(
        value
        for keys in (condition.values() if isinstance(condition, Mapping) else ())
        if isinstance(keys, Mapping)
        for key, values in keys.items()
        if str(key).lower() == "kms:viaservice"
        for value in _texts(values)
    )
    principal = statement.get("Principal")
    positive = statement.get("Effect") == "Allow" and bool(actions) and bool(principal)
    if not isinstance(principal, Mapping):
        return [Wish("*", tuple(_texts(principal)), actions, via, positive)]
    return [
        Wish(str(kind), tuple(_texts(values)), actions, via, positive) for kind, values in principal.items()
    ]


@dataclass
class GrantBook:
    """The key users that a key got after construction, and the answer to every wish for more.

    Args:
        spec: The declared policy.
        target: The key.
        managing: Who manages the key, by argument.
        using: Who uses it, by argument.
        resolve: Turns CDK tokens into intrinsics, as the stack of the key does.
    """

    spec: KeyPolicySpec
    target: PolicyTarget
    managing: Mapping[str, Sequence[NamedPrincipal]]
    using: Mapping[str, Sequence[NamedPrincipal]]
    resolve: Callable[[object], object]
    _granted: dict[NamedPrincipal, set[str]] = field(default_factory=dict)

    def statements(self) -> list[dict[str, object]]:
        """The statements of the grants, in their order."""
        found: list[dict[str, object]] = []
        for number, (principal, actions) in enumerate(self._granted.items(), 1):
            use = qualified(actions - _GRANT_ACTIONS)
            grants = qualified(actions & _GRANT_ACTIONS)
            who = {"AWS": principal.arn}
            if use:
                found.append(statement(f"Granted{number}", "Allow", use, principal=who))
            if grants:
                condition = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
                found.append(
                    statement(f"Granted{number}Grants", "Allow", grants, principal=who, conditions=condition)
                )
        return found

    def wishes(self, statement: object) -> list[Wish]:
        """What a statement, as JSON with tokens, asks for."""
        resolved = self.resolve(statement)
        assert isinstance(resolved, Mapping)  # noqa: S101 - a statement is an object
        return wishes(resolved)

    def allowed_already(self, wish: Wish) -> bool:
        """Whether the declared policy gives what is wished, under the conditions that were declared.

        For a service, declaring it is enough.

        A wish for the whole account through a service (Secrets Manager and EBS make such) is given when a
        declared statement names that service: it then lets the declared principals through, and nobody else.
        """
        if not wish.positive:
            return False
        if wish.kind == "AWS" and wish.via and all(self._is_root(one) for one in wish.principals):
            services = {service_of(one) for one in wish.via}
            declared = {service_of(one) for other in self._allows() for one in other.via}
            return services <= declared
        return all(self._covers(wish, principal) for principal in wish.principals)

    def person_allowed_already(self, person: NamedPrincipal, actions: Iterable[str]) -> bool:
        """Whether declared statements and earlier grants allow a role or user these actions."""
        return self._wanted(actions) <= self._given_to(person)

    def grant(self, value: object, actions: Iterable[str], *, foreign_stack: str | None) -> None:
        """Makes a role or user a key user.

        Args:
            value: The role or user.
            actions: Action patterns, as policies write them.
            foreign_stack: Name of the role's stack when it is not the key's and its ARN is known there only.

        Raises:
            ArgumentError: The principal cannot be named, or manages the key.
            SealedPolicyError: The principal lives in another stack or account, or wants more than use.
        """
        where = self.target.where
        patterns = list(actions)
        person = named_principal("grantee", value, where=where)
        if self.person_allowed_already(person, patterns):
            return
        shown = person.arn
        if is_token(shown):
            shown = str(value.node.path) if hasattr(value, "node") else _flat(self.resolve(shown))
        wanted = self._wanted(patterns)
        usable = {*using_actions(self.target.key_spec, self.target.key_usage), *_GRANT_ACTIONS}
        excess = sorted(wanted - usable)
        if excess:
            raise SealedPolicyError(
                "actions",
                ", ".join(f"kms:{name}" for name in excess),
                f"a grant gives use of a {self.target.key_spec} key for"
                f" {self.target.key_usage.value}, and nothing"
                " that administers it",
                "name administrators in key_administrators, or drop these actions",
                where=where,
            )
        if foreign_stack is not None:
            raise SealedPolicyError(
                "grantee",
                shown,
                f"the role or user belongs to stack {foreign_stack}: naming it in the key policy"
                " would make the key"
                " depend on a stack that depends on the key",
                "give it a physical name (role_name=…) and name its ARN in key_users of the key",
                where=where,
            )
        account = self.target.account
        if person.account and not is_token(person.account + account) and person.account != account:
            raise SealedPolicyError(
                "grantee",
                shown,
                f"it lies in account {person.account} and the key in {account}",
                "declare it with external_access=[ExternalAccess(…)], which puts conditions on it",
                where=where,
            )
        for argument, people in self.managing.items():
            for manager in people:
                if manager.same_as(person):
                    raise ArgumentError(
                        "grantee",
                        shown,
                        f"the same principal stands in {argument}, and whoever manages a key may not use it",
                        f"grant to another role, or take it out of {argument}",
                        where=where,
                    )
        for known, granted in self._granted.items():
            if known.same_as(person):
                granted.update(wanted)
                return
        self._granted[person] = set(wanted)

    def refusal(self, wish: Wish) -> SealedPolicyError:
        """The error for a wish that is not granted, with the argument that would give it."""
        argument, fix = self._advice(wish)
        return SealedPolicyError(
            argument,
            str(wish),
            "the key policy is sealed when the key is made, and this is not in it",
            fix,
            where=self.target.where,
        )

    def _advice(self, wish: Wish) -> tuple[str, str]:
        if wish.kind == "Service":
            known = presets_of(wish.principals[0]) if len(wish.principals) == 1 else ""
            custom = f"ServiceAccess.custom({wish.principals[0]!r}, […], source_arns=[…])"
            return "services", known or f"declare services=[{custom}] on the key"
        if wish.kind == "AWS" and wish.via:
            preset = preset_through(wish.via[0])
            if preset is not None:
                return (
                    "services",
                    f"declare services=[{preset}] with the roles that use the key through this service; the"
                    " wish would let in every principal of the account",
                )
            service = service_of(wish.via[0])
            return (
                "via_services",
                f"name the roles that use the key through this service in key_users, with"
                f" via_services=[{service!r}]; the wish would let in every principal of the account",
            )
        if wish.kind == "AWS" and all(self._is_root(one) for one in wish.principals):
            return "key_users", "name the roles that need it in key_users; a whole account is no key user"
        if wish.kind == "AWS":
            return (
                "key_users",
                "name the principal in key_users, encrypt_only_users or decrypt_only_users, or call"
                " key.grant_decrypt(role) and its kin",
            )
        return "services", "declare key_users, services or external_access when the key is made"

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
        wanted = self._wanted(wish.actions)
        # A preset gives what the service needs; the CDK often asks for all of encryption.
        return bool(wanted & given) if wish.kind == "Service" or wish.via else wanted <= given

    @staticmethod
    def _names(declared: Wish, principal: str) -> bool:
        if declared.kind == "Service":
            # The CDK asks for lambda.amazonaws.com where AWS documents lambda.REGION.amazonaws.com.
            return service_of(principal) in map(service_of, declared.principals)
        return principal in declared.principals

    def _given_to(self, person: NamedPrincipal) -> set[str]:
        given: set[str] = set()
        for other in self._allows():
            if other.kind == "AWS" and _flat(self.resolve(person.arn)) in other.principals:
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
        for known, actions in self._granted.items():
            if known.same_as(person):
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

    def _wanted(self, actions: Iterable[str]) -> set[str]:
        """The actions asked for, wildcards cut down to what fits the key, and RetireGrant left out."""
        usable = {*using_actions(self.target.key_spec, self.target.key_usage), *_GRANT_ACTIONS}
        wanted: set[str] = set()
        for pattern in actions:
            names = set(expand(pattern if ":" in pattern else f"kms:{pattern}"))
            fitting = names & usable
            wanted |= fitting if fitting and "*" in pattern else names or {pattern.removeprefix("kms:")}
        return wanted - {_RETIRE}

    def _is_root(self, principal: str) -> bool:
        return principal.endswith(":root") or is_account_id(principal)


def _flat(value: object) -> str:
    """A resolved value as one text: what CloudFormation fills in is written ``${Role.Arn}``."""
    if isinstance(value, Mapping) and len(value) == 1:
        function, arguments = next(iter(value.items()))
        if function == "Ref":
            return f"${{{arguments}}}"
        if function == "Fn::GetAtt" and isinstance(arguments, list):
            return f"${{{'.'.join(str(one) for one in arguments)}}}"
        if function == "Fn::Join" and isinstance(arguments, list) and len(arguments) == 2:
            return str(arguments[0]).join(_flat(part) for part in arguments[1])
        if function == "Fn::Sub" and isinstance(arguments, str):
            return arguments
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [_flat(one) for one in value]
    return [_flat(value)]
