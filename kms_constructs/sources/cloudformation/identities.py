"""IAM policies of templates, and whom they are attached to.

Kept are the policies that allow, or may allow, some KMS action. A customer managed policy that is attached by
an ARN and is in no template given may allow any: it is a policy of unknown content.

A role or user that a policy names, and that no template makes, may have any path: its name does not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from kms_constructs.model.arn import parse_arn
from kms_constructs.model.aws_managed import aws_managed_policy
from kms_constructs.model.estate import IdentityPolicy, IdentityPolicyKind, Location
from kms_constructs.model.globs import globs_meet
from kms_constructs.model.policy import Policy
from kms_constructs.model.text import HoleKind, display, has_unresolved_hole, holes
from kms_constructs.model.unknown import Unknown, elements, is_unknown
from kms_constructs.sources.cloudformation.documents import policy_of
from kms_constructs.sources.cloudformation.keys import location_of
from kms_constructs.sources.cloudformation.resources import iam_arn
from kms_constructs.sources.cloudformation.sam import POLICY_TEMPLATES, ROLE_MAKERS, policy_document
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
        self._by_resource: dict[str, list[tuple[str, _Draft]]] = {}
        self._by_name: dict[tuple[str, str, str], str] = {}
        self._members: dict[str, dict[str, None]] = {}
        self._perhaps_members: dict[str, Unknown] = {}

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
            self._join(scope, groups, {str(arn): None}, None)
        elif resource.type == "AWS::IAM::UserToGroupAddition":
            users = scope.resource_property(resource.logical_id, "Users", 0)
            found: dict[str, None] = {}
            doubt: Unknown | None = None
            for user, _ in elements(users) if users is not None else ():
                if isinstance(user, str):
                    found.update(dict.fromkeys(self._arns(scope, "user", user)))
                else:
                    doubt = user if is_unknown(user) else Unknown("a user is no text")
            self._join(scope, scope.resource_property(resource.logical_id, "GroupName", 0), found, doubt)

    def _join(self, scope: Scope, groups: object, users: Mapping[str, None], doubt: Unknown | None) -> None:
        for group, _ in elements(groups) if groups is not None else ():
            if isinstance(group, str):
                arn = self._group(scope, group)
                self._members.setdefault(arn, {}).update(users)
                if doubt is not None:
                    self._perhaps_members[arn] = doubt
            else:
                self._perhaps_members["*"] = group if is_unknown(group) else Unknown("a group is no text")

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
        elif resource.type in ROLE_MAKERS:
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
            self._by_resource.setdefault(_resource(str(arn)), []).append((str(arn), draft))

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
            if isinstance(entry, Mapping) and len(entry) == 1 and next(iter(entry)) in POLICY_TEMPLATES:
                document = policy_document(scope, entry)
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
            self._bound(scope, resource)
        elif resource.type == "AWS::SSO::PermissionSet":
            given = scope.resource_property(resource.logical_id, "ManagedPolicies", 0)
            self._attach(scope, resource, "group", principal="", given=given, name="ManagedPolicies")
            name = "CustomerManagedPolicyReferences"
            references = scope.resource_property(resource.logical_id, name, 0)
            named = [_named_policy(scope, one) for one, _ in elements(references if references else ())]
            self._attach(scope, resource, "group", principal="", given=named, name=name)
        elif resource.type in ROLE_MAKERS:
            self._bound(scope, resource)
            given = scope.resource_property(resource.logical_id, "Policies", 0)
            if given is not None and scope.resource_property(resource.logical_id, "Role", 0) is None:
                names = [
                    name if ":" in name else f"arn:{scope.partition}{_AWS_POLICY}{name}"
                    for name in self._texts(given)
                ]
                arn = str(scope.attribute(f"{resource.logical_id}Role", "Arn", 0))
                self._attach(scope, resource, "role", principal=arn, given=names, name="Policies")

    def _bound(self, scope: Scope, resource: Resource) -> None:
        boundary = scope.resource_property(resource.logical_id, "PermissionsBoundary", 0)
        draft = self._held(boundary) if isinstance(boundary, str) else None
        if draft is not None:
            draft.is_boundary = True

    def _held(self, arn: str) -> _Draft | None:
        """The policy of the templates that an ARN means.

        IAM attaches policies of the principal's own account only: where deployment decides which that is, it
        is the one that the ARN spells.
        """
        if arn in self._managed or _AWS_POLICY in arn:
            return self._managed.get(arn)
        spelt = self._by_resource.get(_resource(arn), ())
        return next((draft for own, draft in spelt if globs_meet(own, arn)), None)

    def _attach(
        self, scope: Scope, resource: Resource, kind: str, *, principal: str, given: object, name: str
    ) -> None:
        for index, (entry, _) in enumerate(elements(given) if given is not None else ()):
            path = f"Properties/{name}/{index}"
            held = self._held(entry) if isinstance(entry, str) else None
            if held is not None:
                self._holder(held.holders, kind, principal)
                continue
            sort = IdentityPolicyKind.MANAGED
            if isinstance(entry, str) and _AWS_POLICY in entry:
                policy = aws_managed_policy(entry.partition(":policy/")[2])
                shown, sort = entry.rpartition("/")[2], IdentityPolicyKind.AWS_MANAGED
            elif is_unknown(entry):
                policy, shown = Policy(unknown=entry, path=path), "a managed policy that is not known"
            elif isinstance(entry, str) and has_unresolved_hole(entry):
                doubt = Unknown(f"{display(entry)} is decided at deployment")
                policy, shown = Policy(unknown=doubt, path=path), display(entry)
            elif isinstance(entry, str):
                doubt = Unknown(f"{display(entry)} is in no template given")
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
                        sort,
                        policy,
                        holders,
                    )
                )

    def finish(self) -> Iterator[IdentityPolicy]:
        """The policies that may allow some KMS action, in the order of the templates."""
        for draft in self._drafts:
            if not concerns_kms(draft.policy):
                continue
            found = IdentityPolicy(
                id=draft.id,
                location=draft.location,
                name=draft.name,
                kind=draft.kind,
                policy=draft.policy,
                attached_to=draft.holders.value,
                attachable=draft.holders.open,
                account=draft.scope.account,
            )
            yield found
            if draft.is_boundary:
                # It allows nothing as a boundary, and all that it says wherever it is attached.
                kind = IdentityPolicyKind.BOUNDARY
                yield replace(found, id=f"{draft.id}/{kind.name.lower()}", kind=kind, attached_to=())

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
                arns = [self._group(scope, name)] if kind == "group" else self._arns(scope, kind, name)
                for arn in arns:
                    self._holder(holders, kind, arn)
            else:
                holders.unknown = name if is_unknown(name) else Unknown(f"the {kind} is no text")

    def _holder(self, holders: Holders, kind: str, arn: str) -> None:
        if kind != "group":
            holders.add(kind, arn)
            return
        # A group whose name deployment decides may be this one.
        is_open = _is_open(arn)
        found = (
            members
            for group, members in self._members.items()
            if group == arn or ((is_open or _is_open(group)) and globs_meet(group, arn))
        )
        holders.add(kind, arn, chain.from_iterable(found))
        for group, doubt in self._perhaps_members.items():
            if globs_meet(group, arn):
                holders.unknown = doubt

    def _arns(self, scope: Scope, kind: str, name: str) -> tuple[str, ...]:
        """ARN of a role or user of the scope's account by name; of any path when no template declares it."""
        declared = self._by_name.get((kind, scope.account, name))
        if declared is not None:
            return (declared,)
        return iam_arn(scope, kind, name), iam_arn(scope, kind, name, "/*/")

    def _group(self, scope: Scope, name: str) -> str:
        """What a group is called here: its ARN, without a path when no template declares it."""
        return self._by_name.get(("group", scope.account, name)) or iam_arn(scope, "group", name)

    @staticmethod
    def _texts(value: object) -> Iterator[str]:
        for text, _ in elements(value) if value is not None else ():
            if isinstance(text, str):
                yield text


def _is_open(arn: str) -> bool:
    return any(kind is not HoleKind.GENERATED for kind, _ in holes(arn.rpartition("/")[2]))


def _resource(arn: str) -> str:
    found = parse_arn(arn)
    return arn if found is None else found.resource


def _named_policy(scope: Scope, reference: object) -> object:
    """ARN of the customer managed policy that a permission set names, in whatever account it is used."""
    if not isinstance(reference, Mapping):
        return reference
    name, path = reference.get("Name"), reference.get("Path", "/")
    if not isinstance(name, str) or not isinstance(path, str):
        return Unknown("a customer managed policy is not known")
    return iam_arn(scope, "policy", name, path)


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
        *ROLE_MAKERS,
    }
)
"""Types of resources that hold or are IAM policies or principals."""
