"""One case: what a template, its IAM policies and its organization say, before anything is resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import INTERNAL_ERROR, judge
from kms_constructs.guardrails.finding import Finding, Outcome
from kms_constructs.model.estate import (
    Estate,
    Grant,
    IdentityPolicy,
    IdentityPolicyKind,
    Key,
    Location,
    Organization,
)
from kms_constructs.model.policy import Policy, parse_policy
from tests.worlds.vocabulary import GUARDED, HOME, KEY_ID

Document = Mapping[str, Any]

CONTROLS = ("IAM-KMS-1", *GUARDED, "IAM-KMS-6", "IAM-KMS-8", "KMS:004")
"""The controls that have a claim."""
KEY_PLACE = Location("app.json", "App", "Key")


@dataclass(frozen=True, kw_only=True)
class Iam:
    """An IAM policy: its document, whom it is attached to, and whether others may get it."""

    document: Document
    attached: tuple[str, ...]
    attachable: bool = False
    kind: IdentityPolicyKind = IdentityPolicyKind.INLINE


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is judged. Texts may have holes, elements may be unknown or there only perhaps."""

    statements: tuple[Document, ...]
    partition: str = "aws"
    region: str = "us-east-1"
    account: str = HOME
    key_id: str = KEY_ID
    iam: tuple[Iam, ...] = ()
    scps: tuple[Document, ...] = ()
    rcps: tuple[Document, ...] = ()
    grants: tuple[Grant, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    authorised: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    organization: str | None = None

    def key(self) -> Key:
        """The key, which material can be imported into, so that every control applies."""
        return Key(
            **{
                "id": "Key",
                "location": KEY_PLACE,
                "policy": parse_policy({"Statement": list(self.statements)}, path="KeyPolicy"),
                "account": self.account,
                "region": self.region,
                "partition": self.partition,
                "key_id": self.key_id,
                "grants": self.grants,
                "origin": "EXTERNAL",
                **self.facts,
            }
        )

    def identity_policies(self) -> tuple[IdentityPolicy, ...]:
        """The IAM policies, each at a place of its own."""
        return tuple(
            IdentityPolicy(
                id=f"Policy{number}",
                location=policy_place(number),
                name=f"Policy{number}",
                kind=iam.kind,
                policy=parse_policy(iam.document),
                attached_to=iam.attached,
                attachable=iam.attachable,
                account=self.account,
            )
            for number, iam in enumerate(self.iam)
        )

    def organization_policies(self) -> tuple[tuple[Policy, ...], tuple[Policy, ...]]:
        """Service control policies and resource control policies."""
        return tuple(map(parse_policy, self.scps)), tuple(map(parse_policy, self.rcps))

    def estate(self) -> Estate:
        """All of it, to be judged together."""
        scps, rcps = self.organization_policies()
        return Estate(
            keys=(self.key(),),
            identity_policies=self.identity_policies(),
            organization=Organization(scps=tuple(scps), rcps=tuple(rcps)),
        )

    def config(self) -> GuardrailConfig:
        """The configuration."""
        return GuardrailConfig(
            authorised={"*": self.authorised} if self.authorised else {},
            trusted_accounts=self.trusted,
            organization_id=self.organization,
        )


def policy_place(number: int) -> Location:
    """Where an IAM policy of a case stands."""
    return Location("app.json", "App", f"Policy{number}")


@dataclass(frozen=True)
class Verdict:
    """What the controls say of the key and of the IAM policies."""

    findings: tuple[Finding, ...]

    def at(self, control: str, place: Location = KEY_PLACE) -> tuple[Finding, ...]:
        """The findings of a control at one place."""
        return tuple(one for one in self.findings if one.control == control and one.location == place)

    def outcomes(self, control: str, place: Location = KEY_PLACE) -> frozenset[Outcome]:
        """The outcomes of a control at one place."""
        return frozenset(one.outcome for one in self.at(control, place))

    def complies(self, control: str, place: Location = KEY_PLACE) -> bool:
        """Whether a control says of what stands there that it complies, and nothing else."""
        return self.outcomes(control, place) == {Outcome.COMPLIANT}

    @property
    def crashed(self) -> tuple[Finding, ...]:
        """Rules that failed."""
        return tuple(one for one in self.findings if one.detail == INTERNAL_ERROR)


def judged(case: Case, controls: tuple[str, ...] = CONTROLS) -> Verdict:
    """What the controls say of a case."""
    return Verdict(judge(case.estate(), case.config(), controls=controls).findings)
