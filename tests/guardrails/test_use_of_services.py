"""Every way of every requirement, without its statement and with it: made from the requirements' own data.

The key policy lets nobody use the key. KMS:USE has to name each call of the requirement and no other; then
what it prints is applied as it is printed, and nothing may be left to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, Outcome, Report
from kms_constructs.model.actions import KeyUsage
from kms_constructs.model.service_requirement import (
    Consumer,
    ServiceRequirement,
    Who,
)
from kms_constructs.model.services import requirements
from kms_constructs.policies.key_policy import KeyPolicySpec, key_policy
from kms_constructs.policies.services.service_access import ServiceAccess
from kms_constructs.policies.target import PolicyTarget
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from tests.guardrails.factories import ACCOUNT, ROOT, ROOT_STATEMENT, TODAY, role
from tests.ways import ROLE, resources_along

CREATOR = f"arn:aws:iam::{ACCOUNT}:role/Creator"
CLAIMED = {Who.SERVICE, Who.LINKED_ROLE, Who.CREATOR, Who.ROLE}
NO_ROLE_ON_THE_WAY = {"ecs_exec", "glue_security_configuration", "ecs_managed_ebs-1"}
"""The role is one of a resource that the way does not go through: of a task, of a job."""


@dataclass(frozen=True)
class Way:
    """One way of one requirement."""

    requirement: ServiceRequirement
    consumer: Consumer
    number: int

    @property
    def region(self) -> str:
        return self.requirement.region or "eu-west-1"

    def report(self, *statements: object) -> Report:
        policy = {"Version": "2012-10-17", "Statement": [ROOT_STATEMENT, *statements]}
        key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}
        way = resources_along(self.requirement, self.consumer, {"Fn::GetAtt": ["Key", "Arn"]})
        template = TemplateInput(
            {"Resources": {"Key": key, **way}},
            "app.json",
            account=ACCOUNT,
            region=self.region,
            creator=CREATOR,
        )
        return judge(estate_from_templates([template]), today=TODAY)

    @property
    def refused(self) -> list[Finding]:
        return said(self.report())


def said(report: Report) -> list[Finding]:
    return [
        one
        for one in report.findings
        if one.control == "KMS:USE" and one.outcome in (Outcome.VIOLATION, Outcome.UNDETERMINED)
    ]


def others(report: Report) -> set[str]:
    return {one.id for one in report.failures if one.control != "KMS:USE"}


@cache
def ways() -> dict[str, Way]:
    return {
        f"{one.name}-{number}": Way(one, consumer, number)
        for one in requirements().values()
        for number, consumer in enumerate(one.consumers)
    }


def claims(one: ServiceRequirement) -> dict[str, set[str]]:
    """The actions that each principal needs for certain, by the principal."""
    claimed = [caller for caller in one.callers if caller.who in CLAIMED]
    always = [caller for caller in claimed if not caller.only_if] or claimed
    found: dict[str, set[str]] = {}
    target = PolicyTarget(partition="aws", account=ACCOUNT, region=one.region or "eu-west-1")
    for caller in always:
        names = {Who.CREATOR: CREATOR, Who.ROLE: ROLE}
        principal = names.get(caller.who) or target.fill(caller.principal)
        found.setdefault(principal, set()).update(caller.needed)
    return found


def told(findings: list[Finding], title: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in findings:
        if one.message.startswith(f"{title}:") and one.principals:
            actions = set(re.findall(r"kms:([A-Za-z]+)", one.message.partition(" on the key")[0]))
            found.setdefault(one.principals[0], set()).update(actions)
    return found


@pytest.mark.parametrize("name", ways())
def test_without_its_statement_every_call_is_named_and_no_other(name: str) -> None:
    way = ways()[name]
    one = way.requirement
    expected = claims(one)
    if one.name in NO_ROLE_ON_THE_WAY or name in NO_ROLE_ON_THE_WAY:
        expected = {principal: actions for principal, actions in expected.items() if principal != ROLE}
    assert told(way.refused, one.title) == expected


def printed(finding: Finding) -> list[dict[str, Any]]:
    text = finding.fix.partition("In any other key policy: ")[2]
    found: list[dict[str, Any]] = json.loads(f"[{text}]")
    return found


@pytest.mark.parametrize("name", [name for name, way in ways().items() if not way.requirement.unsupported])
def test_with_the_printed_statements_nothing_is_left_to_say(name: str) -> None:
    way = ways()[name]
    report = way.report(*(statement for one in way.refused for statement in printed(one)))
    assert [one for one in said(report) if one.detail != "undocumented"] == []
    broken = others(report) - others(way.report())
    assert all(one.startswith("IAM-KMS-6[") for one in broken)
    warned = any("IAM-KMS-6 reports the statement" in one.fix for one in way.refused)
    assert warned == bool(broken), "the fix says so where AWS documents nothing that limits a statement"


def printed_argument(finding: Finding) -> str:
    found = re.search(r"On a SecureKmsKey: (.*?)\. In any other", finding.fix)
    return found.group(1) if found is not None else ""


WITH_ARGUMENTS = [
    name
    for name, way in ways().items()
    if any(printed_argument(one).startswith(("services=[", "key_users=[")) for one in way.refused)
    and way.requirement.name != "s3_replication"  # its buckets are for the author to name
]


def is_literal(argument: str) -> bool:
    """Whether it is arguments alone, and not advice on what AWS does not document."""
    return (
        argument.startswith(("services=[", "key_users=[")) and argument.endswith("]") and "…" not in argument
    )


def users(arns: Sequence[str], needs: ServiceRequirement) -> list[object]:
    """The statements that SecureKmsKey writes for its key users."""
    if not arns:
        return []
    spec = KeyPolicySpec(
        root_arn=ROOT,
        administrators=(role("Admin"),),
        deployment=(),
        users=tuple(arns),
        key_spec=needs.key_spec or "SYMMETRIC_DEFAULT",
        key_usage=KeyUsage(needs.key_usage),
    )
    written = key_policy(spec)["Statement"]
    assert isinstance(written, list)
    return [one for one in written if one["Sid"].startswith("KeyUsers")]


@pytest.mark.parametrize("name", WITH_ARGUMENTS)
def test_with_the_printed_argument_its_principal_is_let_in(name: str) -> None:
    way = ways()[name]
    needs = way.requirement
    target = PolicyTarget(
        partition="aws",
        account=ACCOUNT,
        region=way.region,
        key_spec=needs.key_spec or "SYMMETRIC_DEFAULT",
        key_usage=KeyUsage(needs.key_usage),
    )
    arguments = [(one.principals, printed_argument(one)) for one in way.refused]
    literal = [text for _, text in arguments if is_literal(text)]
    statements: list[object] = []
    for argument in literal:
        for each in re.split(r", (?=services=|key_users=)", argument):
            given = eval(f"dict({each})", {"ServiceAccess": ServiceAccess})  # noqa: S307 - printed here
            statements += [made for preset in given.get("services", ()) for made in preset.statements(target)]
            statements += users(given.get("key_users", ()), needs)
    # One preset serves all callers: where one of them is told in whole, so are the others.
    presets = any(text.startswith("services=[") for text in literal)
    open_ = {
        who
        for who, text in arguments
        if not is_literal(text) and not (presets and text.startswith("services=[") and text.endswith("]"))
    }
    left = said(way.report(*statements))
    assert {one.principals for one in left} == open_


def test_every_preset_for_a_resource_is_printed() -> None:
    """Presets of those who read and write are asked for by nobody: no template tells who they are."""
    printed_ = {
        way.requirement.name
        for way in ways().values()
        for one in way.refused
        if f"ServiceAccess.{way.requirement.name}(" in one.fix
    }
    claimable = {
        one.name
        for one in requirements().values()
        if one.preset is not None and one.consumers and any(caller.who in CLAIMED for caller in one.callers)
    }
    assert printed_ == claimable


NOWHERE = [
    name for name, way in ways().items() if not way.requirement.callers and not way.requirement.unsupported
]


@pytest.mark.parametrize("name", NOWHERE)
def test_what_aws_does_not_document_is_never_proven(name: str) -> None:
    way = ways()[name]
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    for report in (way.report(), way.report(everyone)):
        (found,) = said(report)
        assert (found.detail, found.outcome, found.fails) == ("undocumented", Outcome.UNDETERMINED, False)
        assert found.message.endswith(way.requirement.undocumented[-1])
        assert "key_users" in found.fix


UNSUPPORTED = [name for name, way in ways().items() if way.requirement.unsupported]


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_takes_no_key_is_a_violation_whatever_the_policy_says(name: str) -> None:
    way = ways()[name]
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    for report in (way.report(), way.report(everyone)):
        (found,) = [one for one in said(report) if one.detail == "unsupported"]
        assert (found.outcome, found.fails) == (Outcome.VIOLATION, True)
        assert way.requirement.unsupported in found.message
