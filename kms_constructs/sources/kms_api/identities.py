"""The IAM of an account, as GetAccountAuthorizationDetails answers it: policies, and who holds them.

See: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct, field

from kms_constructs.model.aws_managed import aws_managed_policy
from kms_constructs.model.estate import IdentityPolicy, IdentityPolicyKind, Location
from kms_constructs.model.policy import Policy, parse_policy
from kms_constructs.model.unknown import Unknown
from kms_constructs.sources.iam_policies import Holders, concerns_kms
from kms_constructs.sources.kms_api.answers import Answer, Scope
from kms_constructs.sources.kms_api.vocabulary import KMS_API

IAM: Final = "iam"
_AWS: Final = ":iam::aws:policy/"
_DETAILS: Final = (
    ("UserDetailList", "user", "UserPolicyList"),
    ("GroupDetailList", "group", "GroupPolicyList"),
    ("RoleDetailList", "role", "RolePolicyList"),
)


class _Managed(Struct):
    name: str
    arn: str
    policy: Policy
    holders: Holders
    bounded: Holders = field(default_factory=Holders)
    listed: bool = False


class Identities(Struct):
    """Reads the IAM policies of one account.

    Args:
        scope: The account.
        answer: What GetAccountAuthorizationDetails answered, all pages together.
    """

    scope: Scope
    answer: Answer
    _managed: dict[str, _Managed] = field(default_factory=dict)
    _members: dict[str, dict[str, None]] = field(default_factory=dict)

    def read(self) -> Iterator[IdentityPolicy]:
        """The policies that may allow some KMS action; one of unknown content, when not all are known."""
        for one in self.answer.items("Policies"):
            arn = _text(one, "Arn")
            own = _AWS not in arn
            self._managed[arn] = _Managed(
                _text(one, "PolicyName"), arn, _default_version(one), Holders(open=own), listed=True
            )
        self._find_members()
        for listed, kind, inline in _DETAILS:
            for one in self.answer.items(listed):
                yield from self._holder(one, kind, inline)
        for managed in self._managed.values():
            yield from self._finished(managed)
        if self.answer.refusal is not None:
            why = Unknown(f"GetAccountAuthorizationDetails brought {self.answer.refusal.code}")
            yield self._policy(
                policy_id=f"arn:{self.scope.partition}:iam::{self.scope.account}:policies",
                where="",
                name="IAM policies that could not be read",
                kind=IdentityPolicyKind.MANAGED,
                policy=Policy(unknown=why),
                holders=Holders(unknown=why, open=True),
            )

    def _find_members(self) -> None:
        groups = {_text(one, "GroupName"): _text(one, "Arn") for one in self.answer.items("GroupDetailList")}
        for user in self.answer.items("UserDetailList"):
            names = user.get("GroupList")
            for name in names if isinstance(names, list) else ():
                group = groups.get(str(name))
                if group is not None:
                    self._members.setdefault(group, {}).setdefault(_text(user, "Arn"))

    def _holder(self, one: Mapping[str, object], kind: str, inline: str) -> Iterator[IdentityPolicy]:
        arn = _text(one, "Arn")
        holders = Holders()
        holders.add(kind, arn, self._members.get(arn, ()))
        for policy in _objects(one.get(inline)):
            name = _text(policy, "PolicyName")
            document = policy.get("PolicyDocument")
            found = parse_policy(
                document if document is not None else Unknown("it has no PolicyDocument"),
                path=f"{name}/PolicyDocument",
            )
            if concerns_kms(found):
                yield self._policy(
                    policy_id=f"{arn}/{name}",
                    where=arn.rpartition("::")[2].partition(":")[2],
                    name=name,
                    kind=IdentityPolicyKind.INLINE,
                    policy=found,
                    holders=holders,
                )
        for attached in _objects(one.get("AttachedManagedPolicies")):
            managed = self._named(_text(attached, "PolicyArn"))
            managed.holders.add(kind, arn, self._members.get(arn, ()))
        boundary = one.get("PermissionsBoundary")
        if isinstance(boundary, Mapping):
            self._bounding(_text(boundary, "PermissionsBoundaryArn")).bounded.add(kind, arn)

    def _named(self, arn: str) -> _Managed:
        """A managed policy by its ARN: one that the answer does not hold is known by what AWS says of it."""
        found = self._managed.get(arn)
        if found is None:
            known: Policy | None
            if _AWS in arn:
                known = aws_managed_policy(arn.partition(":policy/")[2]) or Policy()
            else:
                known = Policy(unknown=Unknown(f"GetAccountAuthorizationDetails does not hold {arn}"))
            found = _Managed(arn.rpartition("/")[2], arn, known, Holders(open=_AWS not in arn))
            self._managed[arn] = found
        return found

    def _bounding(self, arn: str) -> _Managed:
        """The policy of a boundary. What it leaves is all that there is, so no part of it may be missing."""
        found = self._named(arn)
        if not found.listed and not found.policy.statements and found.policy.unknown is None:
            why = Unknown(f"GetAccountAuthorizationDetails does not hold {arn}")
            found.policy = Policy(unknown=why)
        return found

    def _finished(self, managed: _Managed) -> Iterator[IdentityPolicy]:
        """What the policy allows those who have it, and what it bounds those to whom it is a boundary."""
        aws = _AWS in managed.arn
        policy_id = f"{managed.arn} in {self.scope.account}" if aws else managed.arn
        where = f"policy/{managed.arn.partition(':policy/')[2]}"
        # One that bounds, and that nobody has, is meant as a boundary alone.
        attachable = managed.listed and not aws and not managed.bounded.any
        if concerns_kms(managed.policy) and (attachable or managed.holders.any):
            yield self._policy(
                policy_id=policy_id,
                where=where,
                name=managed.name,
                kind=IdentityPolicyKind.AWS_MANAGED if aws else IdentityPolicyKind.MANAGED,
                policy=managed.policy,
                holders=managed.holders,
            )
        if managed.bounded.any:
            # One that does not speak of KMS takes all of it away.
            kind = IdentityPolicyKind.BOUNDARY
            yield self._policy(
                policy_id=f"{policy_id}/{kind.name.lower()}",
                where=where,
                name=managed.name,
                kind=kind,
                policy=managed.policy,
                holders=managed.bounded,
            )

    def _policy(
        self,
        *,
        policy_id: str,
        where: str,
        name: str,
        kind: IdentityPolicyKind,
        policy: Policy,
        holders: Holders,
    ) -> IdentityPolicy:
        return IdentityPolicy(
            id=policy_id,
            location=Location(f"{self.scope.account}/{IAM}", logical_id=where),
            name=name,
            kind=kind,
            policy=policy,
            attached_to=holders.value,
            attachable=holders.open,
            account=self.scope.account,
            vocabulary=KMS_API,
        )


def _default_version(one: Mapping[str, object]) -> Policy:
    versions = [
        version
        for version in _objects(one.get("PolicyVersionList"))
        if version.get("IsDefaultVersion") is True
    ]
    if not versions:
        return Policy(unknown=Unknown(f"{_text(one, 'Arn')} comes without its default version"))
    return parse_policy(versions[0].get("Document"), path="PolicyVersion/Document")


def _objects(value: object) -> Iterator[Mapping[str, object]]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, Mapping):
            yield one


def _text(one: Mapping[str, object], name: str) -> str:
    value = one.get(name)
    return value if isinstance(value, str) else ""
