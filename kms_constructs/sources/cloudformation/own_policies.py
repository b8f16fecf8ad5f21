"""The IAM policies of one stack, before it is known who of other stacks holds them.

What a stack has of them is the same in every world that the stack serves: it is read once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Final

from msgspec import Struct, field

from kms_constructs.model.aws_managed import aws_managed_policy
from kms_constructs.model.estate import IdentityPolicy, IdentityPolicyKind
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.policy import Policy
from kms_constructs.model.text import display, has_unresolved_hole
from kms_constructs.model.unknown import Unknown, elements, is_unknown
from kms_constructs.sources.cloudformation.documents import policy_of
from kms_constructs.sources.cloudformation.keys import location_of
from kms_constructs.sources.cloudformation.resources import iam_arn
from kms_constructs.sources.cloudformation.sam import POLICY_TEMPLATES, ROLE_MAKERS, policy_document
from kms_constructs.sources.cloudformation.scope import Resource, Scope
from kms_constructs.sources.iam_policies import concerns_kms

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
AWS_POLICY: Final = ":iam::aws:policy/"

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


class OwnPolicy(Struct, eq=False):
    """A policy by itself, as it was read for every world that has it.

    Args:
        policy: The policy, held by nobody yet.
        concerns_kms: Whether it allows, or may allow, some KMS action.
        open: Whether others than those who are named may have it.
        names: The kind of those it is attached to, and their names as the template has them.
        holders: Roles, users and groups that hold it, by ARN.
        arn: Its ARN, when it is a managed policy.
        found: It, with who holds it.
    """

    policy: IdentityPolicy
    concerns_kms: bool
    open: bool = False
    names: tuple[tuple[str, object], ...] = ()
    holders: tuple[tuple[str, str], ...] = ()
    arn: str | None = None
    found: dict[Hashable, tuple[IdentityPolicy, ...]] = field(default_factory=dict)


class Attachments(Frozen, frozen=True):
    """What a resource attaches by ARN.

    Args:
        kind: What it is: ``role``, ``user`` or ``group``.
        principal: Its ARN; empty for what has none.
        entries: The ARNs, each with the policy that it stands for where no template has it.
        boundary: ARN of the boundary.
    """

    kind: str
    principal: str
    entries: tuple[tuple[str | None, OwnPolicy | None], ...] = ()
    boundary: str | None = None


Principals = Mapping[tuple[str, str, str], str]
"""ARNs of roles, users and groups, by kind, account and name."""
Membership = tuple[object, str | None, object]
"""Groups, with the ARN of a user or the names of some that are in them."""


def principals_of(scope: Scope) -> Principals:
    """The roles, users and groups of a stack."""
    found: dict[tuple[str, str, str], str] = {}
    for resource in scope.resources.values():
        kind = _PRINCIPALS.get(resource.type)
        if kind is not None:
            arn = scope.attribute(resource.logical_id, "Arn", 0)
            name = scope.attribute(resource.logical_id, "Ref", 0)
            if isinstance(arn, str) and isinstance(name, str):
                found[kind, scope.account, name] = arn
    return found


def memberships_of(scope: Scope) -> tuple[Membership, ...]:
    """What a stack says of who is in which group."""
    found: list[Membership] = []
    for resource in scope.resources.values():
        if resource.type == "AWS::IAM::User":
            arn = scope.attribute(resource.logical_id, "Arn", 0)
            groups = scope.resource_property(resource.logical_id, "Groups", 0)
            found.append((groups, str(arn), None))
        elif resource.type == "AWS::IAM::UserToGroupAddition":
            users = scope.resource_property(resource.logical_id, "Users", 0)
            found.append((scope.resource_property(resource.logical_id, "GroupName", 0), None, users))
    return tuple(found)


def policies_of(scope: Scope) -> tuple[OwnPolicy, ...]:
    """What the resources of a stack hold or are of policies; those that allow nothing of KMS are left out."""
    # One that has an ARN may be attached: then it is not among those of unknown content.
    return tuple(
        own
        for resource in scope.resources.values()
        for own in _policies(scope, resource)
        if own.concerns_kms or own.arn is not None
    )


def _policies(scope: Scope, resource: Resource) -> Iterator[OwnPolicy]:
    if resource.type in _ATTACHED:
        yield _attached(scope, resource, _ATTACHED[resource.type])
    elif resource.type in _ATTACHED_TO_ONE:
        yield _attached_to_one(scope, resource)
    elif resource.type in _PRINCIPALS:
        yield from _inline(scope, resource, _PRINCIPALS[resource.type])
    elif resource.type == "AWS::SSO::PermissionSet":
        yield from _permission_set(scope, resource)
    elif resource.type in ROLE_MAKERS:
        yield from _serverless(scope, resource)


def _attached(scope: Scope, resource: Resource, kind: IdentityPolicyKind) -> OwnPolicy:
    is_managed = kind is IdentityPolicyKind.MANAGED
    names = tuple(
        (principal, scope.resource_property(resource.logical_id, name, 0))
        for name, principal in (("Roles", "role"), ("Users", "user"), ("Groups", "group"))
    )
    shown = scope.resource_property(
        resource.logical_id, "ManagedPolicyName" if is_managed else "PolicyName", 0
    )
    document = scope.resource_property(resource.logical_id, "PolicyDocument", 0)
    own = _own(scope, resource, shown, document, "Properties/PolicyDocument", kind=kind)
    own.open, own.names = is_managed, names
    if is_managed:
        own.arn = str(scope.attribute(resource.logical_id, "PolicyArn", 0))
    return own


def _attached_to_one(scope: Scope, resource: Resource) -> OwnPolicy:
    name, principal = _ATTACHED_TO_ONE[resource.type]
    names = ((principal, scope.resource_property(resource.logical_id, name, 0)),)
    shown = scope.resource_property(resource.logical_id, "PolicyName", 0)
    document = scope.resource_property(resource.logical_id, "PolicyDocument", 0)
    own = _own(scope, resource, shown, document, "Properties/PolicyDocument")
    own.names = names
    return own


def _inline(scope: Scope, resource: Resource, principal: str) -> Iterator[OwnPolicy]:
    given = scope.resource_property(resource.logical_id, "Policies", 0)
    for index, (entry, _) in enumerate(elements(given) if given is not None else ()):
        arn = str(scope.attribute(resource.logical_id, "Arn", 0))
        inner = entry if isinstance(entry, Mapping) else {}
        document = inner.get("PolicyDocument") if not is_unknown(entry) else entry
        path = f"Properties/Policies/{index}/PolicyDocument"
        own = _own(scope, resource, inner.get("PolicyName"), document, path)
        own.holders = ((principal, arn),)
        yield own


def _permission_set(scope: Scope, resource: Resource) -> Iterator[OwnPolicy]:
    document = scope.resource_property(resource.logical_id, "InlinePolicy", 0)
    if document is not None:
        shown = scope.resource_property(resource.logical_id, "Name", 0)
        own = _own(scope, resource, shown, document, "Properties/InlinePolicy")
        own.open = True
        yield own


def _serverless(scope: Scope, resource: Resource) -> Iterator[OwnPolicy]:
    given = scope.resource_property(resource.logical_id, "Policies", 0)
    if given is None or scope.resource_property(resource.logical_id, "Role", 0) is not None:
        return
    arn = str(scope.attribute(f"{resource.logical_id}Role", "Arn", 0))
    for index, (entry, _) in enumerate(elements(given)):
        document: object = entry
        if isinstance(entry, str):
            continue  # names of managed policies: see attachments_of()
        if isinstance(entry, Mapping) and len(entry) == 1 and next(iter(entry)) in POLICY_TEMPLATES:
            document = policy_document(scope, entry)
        elif isinstance(entry, Mapping) and "Statement" not in entry:
            continue  # another of SAM's policy templates: none of them allows a KMS action
        own = _own(scope, resource, None, document, f"Properties/Policies/{index}")
        own.holders = (("role", arn),)
        yield own


def _own(
    scope: Scope,
    resource: Resource,
    name: object,
    document: object,
    path: str,
    *,
    kind: IdentityPolicyKind = IdentityPolicyKind.INLINE,
) -> OwnPolicy:
    shown = name if isinstance(name, str) else resource.logical_id
    identity = f"{scope.label}.{resource.logical_id}"
    if path != "Properties/PolicyDocument":
        identity += path.removeprefix("Properties").removesuffix("/PolicyDocument")
    absent = Unknown("the policy document is missing")
    policy = Policy(unknown=absent, path=path) if document is None else policy_of(document, path)
    return _of_policy(scope, resource, identity, display(shown), kind=kind, policy=policy)


def _of_policy(
    scope: Scope, resource: Resource, identity: str, name: str, *, kind: IdentityPolicyKind, policy: Policy
) -> OwnPolicy:
    whole = IdentityPolicy(
        id=identity,
        location=location_of(scope, resource),
        name=name,
        kind=kind,
        policy=policy,
        account=scope.account,
    )
    return OwnPolicy(whole, concerns_kms(policy))


def attachments_of(scope: Scope) -> tuple[Attachments, ...]:
    """What the resources of a stack attach by ARN, and their boundaries."""
    return tuple(
        one
        for resource in scope.resources.values()
        if resource.type in IDENTITY_TYPES
        for one in _attachments(scope, resource)
    )


def _attachments(scope: Scope, resource: Resource) -> Iterator[Attachments]:
    kind = _PRINCIPALS.get(resource.type)
    if kind is not None:
        arn = str(scope.attribute(resource.logical_id, "Arn", 0))
        given = scope.resource_property(resource.logical_id, "ManagedPolicyArns", 0)
        entries = _entries(scope, resource, given, "ManagedPolicyArns", holder=(kind, arn))
        yield Attachments(kind, arn, entries, _boundary(scope, resource))
    elif resource.type == "AWS::SSO::PermissionSet":
        given = scope.resource_property(resource.logical_id, "ManagedPolicies", 0)
        yield Attachments(
            "group", "", _entries(scope, resource, given, "ManagedPolicies", holder=("group", ""))
        )
        name = "CustomerManagedPolicyReferences"
        references = scope.resource_property(resource.logical_id, name, 0)
        is_there = is_unknown(references) or references
        named = [_named_policy(scope, one) for one, _ in elements(references if is_there else ())]
        yield Attachments("group", "", _entries(scope, resource, named, name, holder=("group", "")))
    elif resource.type in ROLE_MAKERS:
        boundary = _boundary(scope, resource)
        given = scope.resource_property(resource.logical_id, "Policies", 0)
        if given is None or scope.resource_property(resource.logical_id, "Role", 0) is not None:
            yield Attachments("role", "", (), boundary)
            return
        names = [
            name if ":" in name else f"arn:{scope.partition}{AWS_POLICY}{name}"
            for name, _ in elements(given)
            if isinstance(name, str)
        ]
        arn = str(scope.attribute(f"{resource.logical_id}Role", "Arn", 0))
        yield Attachments(
            "role", arn, _entries(scope, resource, names, "Policies", holder=("role", arn)), boundary
        )


def _boundary(scope: Scope, resource: Resource) -> str | None:
    boundary = scope.resource_property(resource.logical_id, "PermissionsBoundary", 0)
    return boundary if isinstance(boundary, str) else None


def _entries(
    scope: Scope, resource: Resource, given: object, name: str, *, holder: tuple[str, str]
) -> tuple[tuple[str | None, OwnPolicy | None], ...]:
    """ARNs, each with the policy that it stands for where no template has it."""
    found: list[tuple[str | None, OwnPolicy | None]] = []
    for index, (entry, _) in enumerate(elements(given) if given is not None else ()):
        path = f"Properties/{name}/{index}"
        sort = IdentityPolicyKind.MANAGED
        policy: Policy | None
        if isinstance(entry, str) and AWS_POLICY in entry:
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
        own: OwnPolicy | None = None
        if policy is not None:
            identity = f"{scope.label}.{resource.logical_id}/{name}/{index}"
            own = _of_policy(scope, resource, identity, shown, kind=sort, policy=policy)
            own.open = not holder[1]
            own.holders = (holder,) if holder[1] else ()
        found.append((entry if isinstance(entry, str) else None, own if own and own.concerns_kms else None))
    return tuple(found)


def _named_policy(scope: Scope, reference: object) -> object:
    """ARN of the customer managed policy that a permission set names, in whatever account it is used."""
    if not isinstance(reference, Mapping):
        return reference
    name, path = reference.get("Name"), reference.get("Path", "/")
    if not isinstance(name, str) or not isinstance(path, str):
        return Unknown("a customer managed policy is not known")
    return iam_arn(scope, "policy", name, path)
