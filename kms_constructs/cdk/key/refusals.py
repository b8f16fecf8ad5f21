"""What a sealed key policy answers to a wish that it does not grant: why, and what gives it.

Every fix can be followed as it stands; `tests/cdk/key/test_advice.py` follows each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kms_constructs.cdk.key.wishes import Wish
from kms_constructs.errors import SealedPolicyError
from kms_constructs.model.actions import KeyUsage, expand
from kms_constructs.model.arn import is_account_id
from kms_constructs.model.key_specs import consuming_actions, producing_actions, using_actions
from kms_constructs.policies.principals import NamedPrincipal
from kms_constructs.policies.services.advice import preset_through, presets_of, service_of
from kms_constructs.policies.target import PolicyTarget, is_token

_EVERYTHING = "kms:*"
_LIST = "[…]"
_ACROSS_ACCOUNTS = (KeyUsage.ENCRYPT_DECRYPT, KeyUsage.SIGN_VERIFY)
"""Usages of which `ExternalAccess` gives something."""
_NOT_ACROSS = (
    "keys of this usage are used in their own account alone: let a role of the key's account do it, and name"
    " that, key_users=[role]"
)
_FIELD = r"(?:\$\{[^}]*\}|[^:{}])*"
_ANY_ARN = re.compile(rf"arn:{_FIELD}:[a-z0-9-]+:{_FIELD}:(?P<account>[0-9]{{12}}|\$\{{AWS::AccountId\}}):.*")
_ARN = re.compile(rf"arn:{_FIELD}:(?:iam|sts)::(?P<account>{_FIELD}):.*")


@dataclass(frozen=True, slots=True)
class Refusals:
    """The refusals of one key.

    Args:
        target: The key.
        stack: Name of its stack.
        own_accounts: How resolved texts spell its account.
    """

    target: PolicyTarget
    stack: str
    own_accounts: frozenset[str]

    def wish(self, wish: Wish) -> SealedPolicyError:
        """A statement is refused."""
        argument, fix = self._advice(wish)
        return SealedPolicyError(
            argument,
            str(wish),
            "the key policy is sealed when the key is made, and this is not in it",
            fix,
            where=self.target.where,
            refused=f"a statement that a construct asks for ({wish})",
        )

    def elsewhere(self, wish: Wish, region: str) -> SealedPolicyError:
        """Use through services of another Region."""
        return SealedPolicyError(
            "replica_regions",
            str(wish),
            f"the key lies in {self.target.region}, and services use keys of their own Region alone",
            f"make the resource in {self.target.region}, or a replica of the key for it:"
            f" replica_regions=[{region!r}], and hand it key.replica({region!r})",
            where=self.target.where,
        )

    def excess(self, actions: Sequence[str]) -> SealedPolicyError:
        """A grant asks for more than use."""
        return SealedPolicyError(
            "actions",
            ", ".join(f"kms:{name}" for name in actions),
            f"a grant gives use of a {self.target.key_spec} key for {self.target.key_usage.value}, and"
            " nothing that administers it",
            "name administrators when the key is made, key_administrators=[role], or drop these actions",
            where=self.target.where,
        )

    def foreign_stack(self, shown: str, stack: str, via: Sequence[str]) -> SealedPolicyError:
        """A role of another stack, of which the ARN is not known before that stack is deployed."""
        argument = "key_users=[ARN]"
        preset = preset_through(via[0]) if via else None
        if preset is not None:
            argument = f"services=[{preset.replace(_LIST, '[ARN]')}]"
        return SealedPolicyError(
            "grantee",
            shown,
            f"the role or user belongs to stack {stack}: naming it in the key policy would make the key"
            " depend on a stack that depends on the key",
            f"make the role in stack {self.stack}, where the key is, grant to it there, and hand it to stack"
            f" {stack} (role=…). A role that is deployed before the key may lie anywhere: give it a physical"
            f" name (role_name=…) and name its ARN: {argument}. KMS refuses a key policy that names a role"
            " which does not exist yet, so a physical name alone is not enough for a role that is made later",
            where=self.target.where,
        )

    def abroad(
        self, person: NamedPrincipal, shown: str, actions: Iterable[str], via: Sequence[str], *, foreign: bool
    ) -> SealedPolicyError:
        """A role of another account."""
        arn = person.arn if not is_token(person.arn) else "ARN"
        # Whatever a pipeline does with artifacts, AWS's key policy for it lets both accounts read and write.
        call = self._external(arn, actions, via, both=foreign)
        fix = f"declare it with external_access=[ExternalAccess(…)], which puts conditions on it: {call}"
        if self.target.key_usage not in _ACROSS_ACCOUNTS:
            fix = _NOT_ACROSS
        elif foreign:
            fix = (
                f"use a role of your own in account {person.account}, with a physical name and deployed"
                " before the key (an action of a pipeline takes role=… and deployment_role=…), and"
                f" declare its ARN in external_access: {call}"
            )
        return SealedPolicyError(
            "grantee",
            shown,
            f"it lies in account {person.account} and the key in {self.target.account}",
            fix,
            where=self.target.where,
        )

    def manager(self, shown: str, argument: str, via: Sequence[str]) -> SealedPolicyError:
        """A principal that manages the key."""
        fix = f"grant to another role, or take it out of {argument}"
        if argument == "deployment_principals":
            fix = "grant to another role, key_users=[role]"
            preset = preset_through(via[0]) if via else None
            if preset is not None:
                who = repr(shown) if shown.startswith("arn:") and "$" not in shown else "role"
                declared = preset.replace(_LIST, f"[{who}]")
                fix += f"; what the deployer does through this service is declared: services=[{declared}]"
        return SealedPolicyError(
            "grantee",
            shown,
            f"the same principal stands in {argument}, and whoever manages a key may not use it",
            fix,
            where=self.target.where,
        )

    def _advice(self, wish: Wish) -> tuple[str, str]:
        if wish.kind == "Service":
            known = presets_of(wish.principals[0]) if len(wish.principals) == 1 else ""
            return "services", known or f"declare services=[{self._custom(wish)}] on the key"
        if wish.kind != "AWS":
            return "key_users", "name who uses the key, when it is made, each by itself: key_users=[role]"
        others = [one for one in wish.principals if self._lies_abroad(one)]
        if others:
            if self.target.key_usage not in _ACROSS_ACCOUNTS:
                return "key_users", _NOT_ACROSS
            call = self._external(_iam_arn(others[0]), wish.patterns, wish.via)
            return (
                "external_access",
                f"declare the other account on the key, under the condition that it uses it through the"
                f" service which holds the data: {call}",
            )
        if wish.via:
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
                f"name the roles that use the key through this service: key_users=[role],"
                f" via_services=[{service!r}], which limits every key user to it; the wish would let in every"
                " principal of the account",
            )
        if all(is_root(one) for one in wish.principals):
            fix = "name the roles that need it: key_users=[role]; a whole account is no key user"
            if _EVERYTHING in wish.patterns:
                fix += (
                    ". A construct that asks for all of KMS (an ecs.Cluster does, for ECS Exec) is handed the"
                    " key as kms.Key.from_key_arn(stack, 'ExecKey', key.key_arn), whose policy it leaves"
                    " alone; then give the task's role its part: key.grant_decrypt(task.task_role)"
                )
            return "key_users", fix
        return (
            "key_users",
            "name the principal when the key is made: key_users=[role] (or encrypt_only_users,"
            " decrypt_only_users), or call key.grant_decrypt(role) and its kin",
        )

    def _custom(self, wish: Wish) -> str:
        """A preset for services that no requirement knows, limited to the resources of the key's account."""
        usable = using_actions(self.target.key_spec, self.target.key_usage)
        names = sorted(name for name in wish.actions if name in usable) or ["Decrypt"]
        account = self.target.account
        own = "Aws.ACCOUNT_ID" if is_token(account) else repr(account)
        return ", ".join(
            f"ServiceAccess.custom({_with_suffix(one)!r}, {names!r}, source_account={own})"
            for one in wish.principals
        )

    def _lies_abroad(self, principal: str) -> bool:
        account = account_of(principal)
        return (
            account is not None
            and is_account_id(account)
            and any(is_account_id(own) for own in self.own_accounts)
            and account not in self.own_accounts
        )

    def _external(self, arn: str, patterns: Iterable[str], via: Sequence[str], *, both: bool = False) -> str:
        names = {name for pattern in patterns for name in expand(pattern)}
        shown = repr(arn) if arn != "ARN" else arn
        if self.target.key_usage is KeyUsage.SIGN_VERIFY:
            wanted = [one for one, name in (("sign", "Sign"), ("verify", "Verify")) if name in names]
            return (
                f"external_access=[ExternalAccess(principals=[{shown}], permissions={wanted},"
                " organization_id=ORGANIZATION)]"
            )
        produces = set(producing_actions(self.target.key_spec, self.target.key_usage))
        consumes = set(consuming_actions(self.target.key_spec, self.target.key_usage))
        makes, takes = names & (produces - consumes), names & (consumes - produces)
        permission = "both" if both or (makes and takes) else "encrypt" if makes else "decrypt"
        service = service_of(via[0]) if via else "s3"
        return (
            f"external_access=[ExternalAccess(principals=[{shown}], permissions=[{permission!r}],"
            f" via_services=[{service!r}])]"
        )


def _with_suffix(service: str) -> str:
    return service.replace("${AWS::URLSuffix}", "amazonaws.com")


def is_root(principal: str) -> bool:
    """Whether a principal, resolved, is a whole account."""
    return principal.endswith(":root") or is_account_id(principal)


def account_of(principal: str) -> str | None:
    """Account of a principal, resolved: twelve digits, or what CloudFormation fills in."""
    if is_account_id(principal):
        return principal
    found = _ARN.fullmatch(principal)
    return found["account"] if found else None


def account_in(text: str) -> str | None:
    """Account of any ARN, resolved; an account itself; None where the text may match several accounts."""
    if is_account_id(text) or text == "${AWS::AccountId}":
        return text
    found = _ANY_ARN.fullmatch(text)
    return found["account"] if found else None


def _iam_arn(principal: str) -> str:
    """The ARN that `ExternalAccess` takes: it fills the partition of the key in."""
    arn = f"arn:aws:iam::{principal}:root" if is_account_id(principal) else principal
    return arn.replace("${AWS::Partition}", "aws")
