"""IAM policies of a plan, and whom they are attached to.

Kept are the policies that allow, or may allow, some KMS action. A policy that is attached by an ARN and is
not in the plan is not part of the estate, as any other policy of the account is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from kms_constructs.model.aws_managed import aws_managed_policy
from kms_constructs.model.estate import IdentityPolicy, IdentityPolicyKind
from kms_constructs.model.policy import Policy
from kms_constructs.model.text import display, has_unresolved_hole, undecided
from kms_constructs.model.unknown import Unknown, is_unknown
from kms_constructs.sources.iam_policies import Holders, concerns_kms
from kms_constructs.sources.terraform.arguments import Arguments, location_of
from kms_constructs.sources.terraform.documents import Documents
from kms_constructs.sources.terraform.plan import Instance, as_list, as_map
from kms_constructs.sources.terraform.resolver import Resolver
from kms_constructs.sources.terraform.vocabulary import TERRAFORM

_PRINCIPALS: Final = {"aws_iam_role": "role", "aws_iam_user": "user", "aws_iam_group": "group"}
_INLINE: Final = {
    "aws_iam_role_policy": ("role", "role", "policy"),
    "aws_iam_user_policy": ("user", "user", "policy"),
    "aws_iam_group_policy": ("group", "group", "policy"),
    "aws_ssoadmin_permission_set_inline_policy": ("", "permission set", "inline_policy"),
}
"""Argument that names the holder, kind of the holder, and argument of the document."""
_ATTACHMENTS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "aws_iam_role_policy_attachment": (("role", "role"),),
    "aws_iam_user_policy_attachment": (("user", "user"),),
    "aws_iam_group_policy_attachment": (("group", "group"),),
    "aws_iam_policy_attachment": (("roles", "role"), ("users", "user"), ("groups", "group")),
}
"""Arguments that name the holders, each with their kind."""
_PERMISSION_SET_ATTACHMENT: Final = "aws_ssoadmin_managed_policy_attachment"
_MEMBERSHIPS: Final = {
    "aws_iam_group_membership": ("group", "users"),
    "aws_iam_user_group_membership": ("groups", "user"),
}
_AWS_POLICY: Final = ":iam::aws:policy/"

IDENTITY_TYPES: Final = frozenset(
    {
        *_PRINCIPALS,
        *_INLINE,
        *_ATTACHMENTS,
        _PERMISSION_SET_ATTACHMENT,
        *_MEMBERSHIPS,
        "aws_iam_policy",
    }
)
"""Types of resources that hold or are IAM policies or principals, or bring them together."""


class _Draft(Struct):
    instance: Instance
    id: str
    name: str
    kind: IdentityPolicyKind
    policy: Policy
    holders: Holders
    is_boundary: bool = False


class Identities:
    """Collects the IAM policies of a plan.

    Args:
        resolver: Its values.
        documents: Its policy documents.
    """

    def __init__(self, resolver: Resolver, documents: Documents) -> None:
        self._resolver = resolver
        self._documents = documents
        self._drafts: list[_Draft] = []
        self._managed: dict[str, _Draft] = {}
        self._by_name: dict[tuple[str, str, str], str] = {}
        self._members: dict[str, dict[str, None]] = {}

    # --- first pass: who there is ------------------------------------------------------------------

    def find_principal(self, instance: Instance) -> None:
        """Notes roles, users and groups by name."""
        kind = _PRINCIPALS.get(instance.type)
        if kind is not None:
            account = self._resolver.providers.account(instance)
            self._by_name[kind, account, self._resolver.name(instance)] = self._resolver.arn(instance)

    def find_members(self, instance: Instance) -> None:
        """Notes who is in which group; every principal has to be found before."""
        names = _MEMBERSHIPS.get(instance.type)
        if names is None:
            return
        arguments = Arguments(self._resolver, instance)
        groups, users = (_several(arguments, name) for name in names)
        for group in groups:
            if isinstance(group, str):
                members = self._members.setdefault(self._arn(instance, "group", group), {})
                members.update(
                    (self._arn(instance, "user", user), None) for user in users if isinstance(user, str)
                )

    # --- second pass: the policies -----------------------------------------------------------------

    def add(self, instance: Instance) -> None:
        """Adds what a resource holds or is of policies."""
        if instance.type == "aws_iam_policy":
            draft = self._keep(
                _Draft(
                    instance,
                    instance.address,
                    self._resolver.name(instance),
                    IdentityPolicyKind.MANAGED,
                    self._documents.policy(instance, "policy"),
                    Holders(open=True),
                )
            )
            self._managed[self._resolver.arn(instance)] = draft
        elif instance.type in _INLINE:
            holder, kind, document = _INLINE[instance.type]
            holders = Holders(open=not holder)
            if holder:
                self._hold(holders, instance, holder, kind)
            self._keep(
                _Draft(
                    instance,
                    instance.address,
                    self._resolver.text_of(instance, "name") if holder else instance.address,
                    IdentityPolicyKind.INLINE,
                    self._documents.policy(instance, document),
                    holders,
                )
            )
        elif instance.type in _PRINCIPALS:
            self._inline_blocks(instance)

    def _inline_blocks(self, instance: Instance) -> None:
        """The ``inline_policy`` blocks of a role."""
        if instance.unknown.get("inline_policy") is True and not self._resolver.is_set(
            instance, "inline_policy"
        ):
            return  # the provider will read back what others attach
        value = self._resolver.value(instance, "inline_policy")
        blocks = [value] if is_unknown(value) else as_list(value)
        for index, block in enumerate(blocks):
            document = block if is_unknown(block) else as_map(block).get("policy")
            name = as_map(block).get("name") if not is_unknown(block) else None
            if document is None and name in (None, ""):
                continue  # an empty block takes away all inline policies
            holders = Holders()
            holders.add(_PRINCIPALS[instance.type], self._resolver.arn(instance))
            self._keep(
                _Draft(
                    instance,
                    f"{instance.address}.inline_policy[{index}]",
                    name if isinstance(name, str) else instance.address,
                    IdentityPolicyKind.INLINE,
                    self._documents.policy_of(document, f"inline_policy/{index}/policy"),
                    holders,
                )
            )

    # --- third pass: attachments by ARN, boundaries ------------------------------------------------

    def attach(self, instance: Instance) -> None:
        """Attaches managed policies by ARN; every policy has to be added before."""
        arguments = Arguments(self._resolver, instance)
        if instance.type in _ATTACHMENTS:
            holders = Holders()
            for name, kind in _ATTACHMENTS[instance.type]:
                self._hold(holders, instance, name, kind)
            self._attach(instance, arguments.text("policy_arn"), "policy_arn", holders)
        elif instance.type == _PERMISSION_SET_ATTACHMENT:
            name = "managed_policy_arn"
            self._attach(instance, arguments.text(name), name, Holders(open=True))
        elif instance.type in _PRINCIPALS:
            self._managed_arns(instance, arguments)
            boundary = arguments.text("permissions_boundary")
            if isinstance(boundary, str) and boundary in self._managed:
                self._managed[boundary].is_boundary = True

    def _managed_arns(self, instance: Instance, arguments: Arguments) -> None:
        name = "managed_policy_arns"
        if instance.unknown.get(name) is True and not self._resolver.is_set(instance, name):
            return  # the provider will read back what others attach
        holders = Holders()
        holders.add(_PRINCIPALS[instance.type], self._resolver.arn(instance))
        arns = arguments.texts(name)
        for index, arn in enumerate((arns,) if is_unknown(arns) else arns):
            self._attach(instance, arn, f"{name}[{index}]", holders)

    def _attach(self, instance: Instance, arn: str | Unknown | None, where: str, holders: Holders) -> None:
        if isinstance(arn, str) and arn in self._managed:
            held = self._managed[arn].holders
            held.arns.update(holders.arns)
            held.open = held.open or holders.open
            if holders.unknown is not None:
                held.unknown = holders.unknown
            return
        kind = IdentityPolicyKind.MANAGED
        if isinstance(arn, str) and _AWS_POLICY in arn:
            kind = IdentityPolicyKind.AWS_MANAGED
            policy = aws_managed_policy(arn.partition(":policy/")[2])
            shown = arn.rpartition("/")[2]
        elif isinstance(arn, str) and has_unresolved_hole(arn):
            policy, shown = Policy(unknown=undecided(arn), path=where), display(arn)
        elif is_unknown(arn):
            policy, shown = Policy(unknown=arn, path=where), "a managed policy that is not known"
        elif arn is not None:
            doubt = Unknown(f"{display(arn)} is in no plan given")
            policy, shown = Policy(unknown=doubt, path=where), display(arn)
        else:
            return
        if policy is not None:
            self._keep(
                _Draft(
                    instance,
                    f"{instance.address}.{where}",
                    shown,
                    kind,
                    policy,
                    holders,
                )
            )

    def finish(self) -> Iterator[IdentityPolicy]:
        """The policies that may allow some KMS action, in the order of the plan."""
        for draft in self._drafts:
            if not concerns_kms(draft.policy):
                continue
            kind = draft.kind
            if draft.is_boundary and not draft.holders.any:
                kind = IdentityPolicyKind.BOUNDARY
            yield IdentityPolicy(
                id=f"{self._resolver.plan.label}{draft.id}",
                location=location_of(self._resolver, draft.instance),
                name=display(draft.name),
                kind=kind,
                policy=draft.policy,
                attached_to=draft.holders.value,
                attachable=draft.holders.open,
                account=self._resolver.providers.account(draft.instance),
                vocabulary=TERRAFORM,
            )

    # --- helpers -----------------------------------------------------------------------------------

    def _keep(self, draft: _Draft) -> _Draft:
        self._drafts.append(draft)
        return draft

    def _hold(self, holders: Holders, instance: Instance, name: str, kind: str) -> None:
        for holder in _several(Arguments(self._resolver, instance), name):
            if isinstance(holder, str):
                arn = self._arn(instance, kind, holder)
                holders.add(kind, arn, self._members.get(arn, ()))
            else:
                holders.unknown = holder

    def _arn(self, instance: Instance, kind: str, name: str) -> str:
        """ARN of a principal by name or ARN; without a path when the plan does not hold it."""
        if name.startswith("arn:"):
            return name
        where = self._resolver.providers
        account = where.account(instance)
        known = self._by_name.get((kind, account, name))
        return known or f"arn:{where.partition(instance)}:iam::{account}:{kind}/{name}"


def _several(arguments: Arguments, name: str) -> tuple[str | Unknown, ...]:
    """An argument that is one text or, where its name is a plural, a list of them."""
    if name.endswith("s"):
        found = arguments.texts(name)
        return (found,) if is_unknown(found) else found
    one = arguments.text(name)
    return () if one is None else (one,)


IDENTITY_PASSES: Final[tuple[Callable[[Identities, Instance], None], ...]] = (
    Identities.find_principal,
    Identities.find_members,
    Identities.add,
    Identities.attach,
)
"""What is done with every resource, one pass after the other."""
