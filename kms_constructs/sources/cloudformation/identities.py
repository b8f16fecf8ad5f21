"""IAM policies of templates, and whom they are attached to.

Kept are the policies that allow, or may allow, some KMS action. A customer managed policy that is attached by
an ARN and is in no template given is not part of the estate, as any other policy of the account is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kms_constructs.model.aws_managed import aws_managed_policy
from kms_constructs.model.estate import IdentityPolicy, IdentityPolicyKind, Location
from kms_constructs.model.policy import Policy
from kms_constructs.model.text import display, has_unresolved_hole
from kms_constructs.model.unknown import Unknown, elements, is_unknown
from kms_constructs.sources.cloudformation.documents import policy_of
from kms_constructs.sources.cloudformation.keys import location_of
from kms_constructs.sources.cloudformation.resources import iam_arn
from kms_constructs.sources.cloudformation.scope import Resource, Scope
from kms_constructs.sources.iam_policies import Holders, concerns_kms

_PRINCIPALS: Final = {"AWS::IAM::Role": "role", "AWS::IAM::User": "user", "AWS::IAM::Group": "group"}
_ATTACHED: Final = {
    "AWS::IAM::Policy": IdentityPolicyKind.INLINE,
    "AWS::IAM::ManagedPolicy": IdentityPolicyKind.MANAGED,
}
_ATTACHED_TO_ONE: Final = {
    "AWS::IAM::RolePolicy": ("RoleName", "role"),
    "AWS::IAM::UserPolicy": ("UserName", "user"),
    "AWS::IAM::GroupPolicy": ("GroupName", "group"),
}
_AWS_POLICY: Final = ":iam::aws:policy/"
_SAM_TEMPLATES: Final = {
    "KMSDecryptPolicy": ["kms:Decrypt"],
    "KMSEncryptPolicy": ["kms:Encrypt"],
    "KMSEncryptPolicyV2": ["kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
}


@dataclass(slots=True)
class _Draft:
    scope: Scope
    location: Location
    id: str
    name: str
    kind: IdentityPolicyKind
    policy: Policy
    holders: Holders
    is_boundary: bool = False


class Identities:
    """Collects the IAM policies of every stack."""

    def __init__(self) -> None:
        self._drafts: list[_Draft] = []
        self._managed: dict[str, _Draft] = {}
        self._by_name: dict[tuple[str, str, str], str] = {}
        self._members: dict[str, dict[str, None]] = {}

    # --- first pass: who and what there is ----------------------------------------------------------

    def find_principal(self, scope: Scope, resource: Resource) -> None:
        """Notes roles, users and groups by name, and who is in which group."""
        kind = _PRINCIPALS.get(resource.type)
        if kind is not None:
            arn = scope.attribute(resource.logical_id, "Arn", 0)
            name = scope.attribute(resource.logical_id, "Ref", 0)
            if isinstance(arn, str) and isinstance(name, str):
                self._by_name[kind, scope.account, name] = arn

    def find_members(self, scope: Scope, resource: Resource) -> None:
        """Notes who is in which group; every principal has to be found before."""
        if resource.type == "AWS::IAM::User":
            arn = scope.attribute(resource.logical_id, "Arn", 0)
            groups = scope.resource_property(resource.logical_id, "Groups", 0)
            for group in self._texts(groups):
                self._members.setdefault(self._arn(scope, "group", group), {})[str(arn)] = None
        elif resource.type == "AWS::IAM::UserToGroupAddition":
            users = scope.resource_property(resource.logical_id, "Users", 0)
            for name in self._texts(scope.resource_property(resource.logical_id, "GroupName", 0)):
                members = self._members.setdefault(self._arn(scope, "group", name), {})
                members.update((self._arn(scope, "user", user), None) for user in self._texts(users))

    # --- second pass: the policies ------------------------------------------------------------------

    def add(self, scope: Scope, resource: Resource) -> None:
        """Adds what a resource holds or is of policies."""
        if resource.type in _ATTACHED:
            self._attached(scope, resource, _ATTACHED[resource.type])
        elif resource.type in _ATTACHED_TO_ONE:
            self._attached_to_one(scope, resource)
        elif resource.type in _PRINCIPALS:
            self._inline(scope, resource, _PRINCIPALS[resource.type])
        elif resource.type == "AWS::SSO::PermissionSet":
            self._permission_set(scope, resource)
        elif resource.type == "AWS::Serverless::Function":
            self._serverless(scope, resource)

    def _attached(self, scope: Scope, resource: Resource, kind: IdentityPolicyKind) -> None:
        holders = Holders(open=kind is IdentityPolicyKind.MANAGED)
        for name, principal in (("Roles", "role"), ("Users", "user"), ("Groups", "group")):
            self._hold(holders, scope, principal, scope.resource_property(resource.logical_id, name, 0))
        is_managed = kind is IdentityPolicyKind.MANAGED
        shown = scope.resource_property(
            resource.logical_id, "ManagedPolicyName" if is_managed else "PolicyName", 0
        )
        draft = self._draft(
            scope,
            resource,
            name=shown,
            kind=kind,
            document=scope.resource_property(resource.logical_id, "PolicyDocument", 0),
            path="Properties/PolicyDocument",
            holders=holders,
        )
        if is_managed:
            arn = scope.attribute(resource.logical_id, "PolicyArn", 0)
            self._managed[str(arn)] = draft

    def _attached_to_one(self, scope: Scope, resource: Resource) -> None:
        name, principal = _ATTACHED_TO_ONE[resource.type]
        holders = Holders()
        self._hold(holders, scope, principal, scope.resource_property(resource.logical_id, name, 0))
        self._draft(
            scope,
            resource,
            name=scope.resource_property(resource.logical_id, "PolicyName", 0),
            kind=IdentityPolicyKind.INLINE,
            document=scope.resource_property(resource.logical_id, "PolicyDocument", 0),
            path="Properties/PolicyDocument",
            holders=holders,
        )

    def _inline(self, scope: Scope, resource: Resource, principal: str) -> None:
        policies = scope.resource_property(resource.logical_id, "Policies", 0)
        for index, (entry, _) in enumerate(elements(policies) if policies is not None else ()):
            holders = Holders()
            self._holder(holders, principal, str(scope.attribute(resource.logical_id, "Arn", 0)))
            inner = entry if isinstance(entry, Mapping) else {}
            document = inner.get("PolicyDocument") if not is_unknown(entry) else entry
            self._draft(
                scope,
                resource,
                name=inner.get("PolicyName"),
                kind=IdentityPolicyKind.INLINE,
                document=document,
                path=f"Properties/Policies/{index}/PolicyDocument",
                holders=holders,
            )

    def _permission_set(self, scope: Scope, resource: Resource) -> None:
        document = scope.resource_property(resource.logical_id, "InlinePolicy", 0)
        if document is not None:
            self._draft(
                scope,
                resource,
                name=scope.resource_property(resource.logical_id, "Name", 0),
                kind=IdentityPolicyKind.INLINE,
                document=document,
                path="Properties/InlinePolicy",
                holders=Holders(open=True),
            )

    def _serverless(self, scope: Scope, resource: Resource) -> None:
        given = scope.resource_property(resource.logical_id, "Policies", 0)
        if given is None or scope.resource_property(resource.logical_id, "Role", 0) is not None:
            return
        arn = scope.attribute(f"{resource.logical_id}Role", "Arn", 0)
        for index, (entry, _) in enumerate(elements(given)):
            path = f"Properties/Policies/{index}"
            holders = Holders({str(arn): None})
            document: object = entry
            if isinstance(entry, str):
                continue  # names of managed policies: see attach()
            if isinstance(entry, Mapping) and len(entry) == 1 and next(iter(entry)) in _SAM_TEMPLATES:
                document = _sam_document(scope, entry)
            elif isinstance(entry, Mapping) and "Statement" not in entry:
                continue  # another of SAM's policy templates: none of them allows a KMS action
            self._draft(
                scope,
                resource,
                name=None,
                kind=IdentityPolicyKind.INLINE,
                document=document,
                path=path,
                holders=holders,
            )

    # --- third pass: attachments by ARN, boundaries -------------------------------------------------

    def attach(self, scope: Scope, resource: Resource) -> None:
        """Attaches managed policies by ARN; every policy has to be added before."""
        kind = _PRINCIPALS.get(resource.type)
        if kind is not None:
            arn = str(scope.attribute(resource.logical_id, "Arn", 0))
            given = scope.resource_property(resource.logical_id, "ManagedPolicyArns", 0)
            self._attach(scope, resource, kind, principal=arn, given=given, name="ManagedPolicyArns")
            boundary = scope.resource_property(resource.logical_id, "PermissionsBoundary", 0)
            if isinstance(boundary, str) and boundary in self._managed:
                self._managed[boundary].is_boundary = True
        elif resource.type == "AWS::SSO::PermissionSet":
            given = scope.resource_property(resource.logical_id, "ManagedPolicies", 0)
            self._attach(scope, resource, "group", principal="", given=given, name="ManagedPolicies")
        elif resource.type == "AWS::Serverless::Function":
            given = scope.resource_property(resource.logical_id, "Policies", 0)
            if given is not None and scope.resource_property(resource.logical_id, "Role", 0) is None:
                names = [
                    name if ":" in name else f"arn:{scope.partition}{_AWS_POLICY}{name}"
                    for name in self._texts(given)
                ]
                arn = str(scope.attribute(f"{resource.logical_id}Role", "Arn", 0))
                self._attach(scope, resource, "role", principal=arn, given=names, name="Policies")

    def _attach(
        self, scope: Scope, resource: Resource, kind: str, *, principal: str, given: object, name: str
    ) -> None:
        for index, (entry, _) in enumerate(elements(given) if given is not None else ()):
            path = f"Properties/{name}/{index}"
            if isinstance(entry, str) and entry in self._managed:
                self._holder(self._managed[entry].holders, kind, principal)
                continue
            if isinstance(entry, str) and _AWS_POLICY in entry:
                policy = aws_managed_policy(entry.partition(":policy/")[2])
                shown = entry.rpartition("/")[2]
            elif is_unknown(entry):
                policy, shown = Policy(unknown=entry, path=path), "a managed policy that is not known"
            elif isinstance(entry, str) and has_unresolved_hole(entry):
                doubt = Unknown(f"{display(entry)} is decided at deployment")
                policy, shown = Policy(unknown=doubt, path=path), display(entry)
            else:
                continue
            if policy is not None:
                holders = Holders(open=not principal)
                if principal:
                    self._holder(holders, kind, principal)
                self._drafts.append(
                    _Draft(
                        scope,
                        location_of(scope, resource),
                        f"{scope.label}.{resource.logical_id}/{name}/{index}",
                        shown,
                        IdentityPolicyKind.AWS_MANAGED,
                        policy,
                        holders,
                    )
                )

    def finish(self) -> Iterator[IdentityPolicy]:
        """The policies that may allow some KMS action, in the order of the templates."""
        for draft in self._drafts:
            if not concerns_kms(draft.policy):
                continue
            held = draft.holders.any
            yield IdentityPolicy(
                id=draft.id,
                location=draft.location,
                name=draft.name,
                kind=IdentityPolicyKind.BOUNDARY if draft.is_boundary and not held else draft.kind,
                policy=draft.policy,
                attached_to=draft.holders.value,
                attachable=draft.holders.open,
                account=draft.scope.account,
            )

    # --- helpers ------------------------------------------------------------------------------------

    def _draft(
        self,
        scope: Scope,
        resource: Resource,
        *,
        name: object,
        kind: IdentityPolicyKind,
        document: object,
        path: str,
        holders: Holders,
    ) -> _Draft:
        shown = name if isinstance(name, str) else resource.logical_id
        identity = f"{scope.label}.{resource.logical_id}"
        if path != "Properties/PolicyDocument":
            identity += path.removeprefix("Properties").removesuffix("/PolicyDocument")
        absent = Unknown("the policy document is missing")
        draft = _Draft(
            scope,
            location_of(scope, resource),
            identity,
            display(shown),
            kind,
            Policy(unknown=absent, path=path) if document is None else policy_of(document, path),
            holders,
        )
        self._drafts.append(draft)
        return draft

    def _hold(self, holders: Holders, scope: Scope, kind: str, names: object) -> None:
        if names is None:
            return
        for name, _ in elements(names):
            if isinstance(name, str):
                self._holder(holders, kind, self._arn(scope, kind, name))
            else:
                holders.unknown = name if is_unknown(name) else Unknown(f"the {kind} is no text")

    def _holder(self, holders: Holders, kind: str, arn: str) -> None:
        holders.add(kind, arn, self._members.get(arn, ()))

    def _arn(self, scope: Scope, kind: str, name: str) -> str:
        """ARN of a principal of the scope's account by name; without a path when no template declares it."""
        return self._by_name.get((kind, scope.account, name)) or iam_arn(scope, kind, name)

    @staticmethod
    def _texts(value: object) -> Iterator[str]:
        for text, _ in elements(value) if value is not None else ():
            if isinstance(text, str):
                yield text


def _sam_document(scope: Scope, entry: Mapping[str, object]) -> object:
    name, variables = next(iter(entry.items()))
    key = variables.get("KeyId") if isinstance(variables, Mapping) else None
    resource: object = Unknown(f"the key of {name} is not known")
    if isinstance(key, str):
        resource = f"arn:{scope.partition}:kms:{scope.region}:{scope.account}:key/{key}"
    return {"Statement": [{"Effect": "Allow", "Action": _SAM_TEMPLATES[name], "Resource": resource}]}


IDENTITY_PASSES: Final[tuple[Callable[[Identities, Scope, Resource], None], ...]] = (
    Identities.find_principal,
    Identities.find_members,
    Identities.add,
    Identities.attach,
)
"""What is done with every resource, one pass after the other."""

IDENTITY_TYPES: Final = frozenset(
    {
        *_PRINCIPALS,
        *_ATTACHED,
        *_ATTACHED_TO_ONE,
        "AWS::IAM::UserToGroupAddition",
        "AWS::SSO::PermissionSet",
        "AWS::Serverless::Function",
    }
)
"""Types of resources that hold or are IAM policies or principals."""
