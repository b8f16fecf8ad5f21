"""IAM policies of templates, and whom they are attached to.

Kept are the policies that allow, or may allow, some KMS action. A customer managed policy that is attached by
an ARN and is in no template given may allow any: it is a policy of unknown content.

A role or user that a policy names, and that no template makes, may have any path: its name does not tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from kms_constructs.model.arn import parse_arn
from kms_constructs.model.estate import IdentityPolicy, IdentityPolicyKind
from kms_constructs.model.globs import globs_meet
from kms_constructs.model.text import HoleKind, holes
from kms_constructs.model.unknown import Unknown, elements, is_unknown
from kms_constructs.sources.cloudformation.own_policies import (
    AWS_POLICY,
    Attachments,
    Membership,
    OwnPolicy,
    Principals,
)
from kms_constructs.sources.cloudformation.resources import iam_arn
from kms_constructs.sources.cloudformation.scope import Scope
from kms_constructs.sources.iam_policies import Holders


class _Draft(Struct):
    own: OwnPolicy
    scope: Scope
    holders: Holders
    is_boundary: bool = False

    def finished(self) -> tuple[IdentityPolicy, ...]:
        """The policy, and what it is as a boundary."""
        attached, is_open = self.holders.value, self.holders.open
        place = attached, is_open, self.is_boundary
        made = self.own.found.get(place)
        if made is None:
            whole = replace(self.own.policy, attached_to=attached, attachable=is_open)
            made = (whole,)
            if self.is_boundary:
                # It allows nothing as a boundary, and all that it says wherever it is attached.
                kind = IdentityPolicyKind.BOUNDARY
                name = f"{whole.id}/{kind.name.lower()}"
                made = whole, replace(whole, id=name, kind=kind, attached_to=())
            self.own.found[place] = made
        return made


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

    def add_principals(self, principals: Principals) -> None:
        """Notes roles, users and groups by name."""
        self._by_name.update(principals)

    def add_members(self, scope: Scope, memberships: Iterable[Membership]) -> None:
        """Notes who is in which group; every principal has to be added before."""
        for groups, arn, users in memberships:
            found: dict[str, None] = {} if arn is None else {arn: None}
            doubt: Unknown | None = None
            for user, _ in elements(users) if users is not None else ():
                if isinstance(user, str):
                    found.update(dict.fromkeys(self._arns(scope, "user", user)))
                else:
                    doubt = user if is_unknown(user) else Unknown("a user is no text")
            self._join(scope, groups, found, doubt)

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

    def add(self, scope: Scope, policies: Iterable[OwnPolicy]) -> None:
        """Adds what the resources of a stack hold or are of policies."""
        for own in policies:
            draft = self._draft(scope, own)
            for kind, names in own.names:
                self._hold(draft.holders, scope, kind, names)
            if own.arn is not None:
                self._managed[own.arn] = draft
                self._by_resource.setdefault(_resource(own.arn), []).append((own.arn, draft))

    def _draft(self, scope: Scope, own: OwnPolicy) -> _Draft:
        draft = _Draft(own, scope, Holders(open=own.open))
        for kind, arn in own.holders:
            self._holder(draft.holders, kind, arn)
        self._drafts.append(draft)
        return draft

    # --- third pass: attachments by ARN, boundaries -------------------------------------------------

    def attach(self, scope: Scope, attachments: Iterable[Attachments]) -> None:
        """Attaches managed policies by ARN; every policy has to be added before."""
        for one in attachments:
            for arn, instead in one.entries:
                held = None if arn is None else self._held(arn)
                if held is not None:
                    self._holder(held.holders, one.kind, one.principal)
                elif instead is not None:
                    self._draft(scope, instead)
            draft = None if one.boundary is None else self._held(one.boundary)
            if draft is not None:
                draft.is_boundary = True

    def _held(self, arn: str) -> _Draft | None:
        """The policy of the templates that an ARN means.

        IAM attaches policies of the principal's own account only: where deployment decides which that is, it
        is the one that the ARN spells.
        """
        if arn in self._managed or AWS_POLICY in arn:
            return self._managed.get(arn)
        spelt = self._by_resource.get(_resource(arn), ())
        return next((draft for own, draft in spelt if globs_meet(own, arn)), None)

    def finish(self) -> Iterator[IdentityPolicy]:
        """The policies that may allow some KMS action, in the order of the templates."""
        for draft in self._drafts:
            if draft.own.concerns_kms:
                yield from draft.finished()

    # --- helpers ------------------------------------------------------------------------------------

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


def _is_open(arn: str) -> bool:
    return any(kind is not HoleKind.GENERATED for kind, _ in holes(arn.rpartition("/")[2]))


def _resource(arn: str) -> str:
    found = parse_arn(arn)
    return arn if found is None else found.resource
