"""The presets, the advice and the requirements that they are made from belong together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk import Environment, Stack
from aws_cdk import aws_iam as iam

from kms_constructs.cdk.key.refused import raise_refusals
from kms_constructs.errors import SealedSynthError
from kms_constructs.model.service_requirement import REGION as ANY_REGION
from kms_constructs.model.service_requirement import SUFFIX, ServiceRequirement, Shape, Who
from kms_constructs.model.services import requirements
from kms_constructs.policies.services.advice import preset_through, presets_of, service_of
from kms_constructs.policies.services.preset import Preset, PrincipalsPreset, SourcesPreset
from kms_constructs.policies.services.service_access import ServiceAccess, presets
from tests.cdk.keys import ACCOUNT, REGION, USER, new_key, new_stack

pytestmark = pytest.mark.cdk

REQUIREMENTS = requirements()
WITH_PRESET = {name: one for name, one in REQUIREMENTS.items() if one.preset is not None}
KINDS = {Shape.OWN: Preset, Shape.PRINCIPALS: PrincipalsPreset, Shape.SOURCES: SourcesPreset}


def test_every_preset_of_a_requirement_is_an_attribute_of_its_shape() -> None:
    wanted = {name: KINDS[one.preset.shape] for name, one in WITH_PRESET.items() if one.preset}

    assert {name: type(preset) for name, preset in presets().items()} == {**wanted, "custom": Preset}


@pytest.mark.parametrize("name", presets())
def test_a_preset_has_a_name_and_documentation(name: str) -> None:
    preset = getattr(ServiceAccess, name)

    assert preset.__name__ == name
    assert preset.__doc__.partition("\n")[0].startswith("Lets ")
    assert [line for line in preset.__doc__.splitlines() if len(line) > 110 and "https" not in line] == []
    assert ("\n    Args:" if type(presets()[name]) is Preset else "\nArgs:") in preset.__doc__


def test_what_is_written_of_presets_names_presets_that_there_are() -> None:
    """In README's table, in advice and in notes."""
    written = [
        text
        for one in REQUIREMENTS.values()
        for text in (
            *(row.argument for row in one.rows),
            *([one.preset.call] if one.preset else []),
            *one.notes,
        )
    ]
    named = {name for text in written for name in re.findall(r"ServiceAccess\.(\w+)", text)}

    assert named - presets().keys() == set()
    assert WITH_PRESET.keys() - named == set()


SERVICES = [
    ("sns.amazonaws.com", "sns"),
    ("secretsmanager.eu-west-1.amazonaws.com", "secretsmanager"),
    ("logs.us-gov-west-1.amazonaws.com", "logs"),
    ("logs.cn-north-1.amazonaws.com.cn", "logs"),
    ("logs.${AWS::Region}.${AWS::URLSuffix}", "logs"),
    ("ec2.${AWS::Region}.amazonaws.com", "ec2"),
    ("dnssec-route53.amazonaws.com", "dnssec-route53"),
    ("delivery.logs.amazonaws.com", "delivery.logs"),
    ("events.rds.amazonaws.com", "events.rds"),
    (f"logs.{ANY_REGION}.{SUFFIX}", "logs"),
    ("dynamodb", "dynamodb"),
]


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_a_service_is_known_by_its_principal_and_by_via_service(name: str, service: str) -> None:
    assert service_of(name) == service


ADVICE = [
    ("logs.eu-west-1.amazonaws.com", "declare services=[ServiceAccess.cloudwatch_logs()] on the key"),
    ("delivery.logs.amazonaws.com", "declare services=[ServiceAccess.log_delivery()] on the key"),
    ("events.rds.amazonaws.com", "declare services=[ServiceAccess.rds_events()] on the key"),
    (
        "events.amazonaws.com",
        "declare what the key is used for: services=[ServiceAccess.eventbridge()] (EventBridge rule with a"
        " queue as target), or services=[ServiceAccess.eventbridge_bus()] (EventBridge event bus), or"
        " services=[ServiceAccess.eventbridge_topics()] (EventBridge rule with a topic as target)",
    ),
    (
        "logging.s3.amazonaws.com",
        "take the key off: S3 delivers server access logs to buckets with SSE-S3 only",
    ),
    ("rds.amazonaws.com", ""),
]


@pytest.mark.parametrize(("principal", "advice"), ADVICE)
def test_advice_tells_services_apart_and_names_every_use_of_one(principal: str, advice: str) -> None:
    assert presets_of(principal) == advice


def test_advice_for_a_whole_account_through_a_service() -> None:
    assert preset_through("rds.eu-west-1.amazonaws.com") == "ServiceAccess.rds([…])"
    assert preset_through("workspaces") is None


SOMEBODY = {
    "dynamodb_replication": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders",
    "route53_dnssec": "Z0123456789",
}
"""What stands in the list of a preset that takes no principals."""


def followed(advice: str, name: str) -> dict[str, Any]:
    """The arguments of the key that a piece of advice asks for, taken literally."""
    found = re.search(rf"services=\[(ServiceAccess\.{name}\(.*?\))\]", advice)
    assert found is not None, advice
    text = found[1].replace("[…]", f"[{SOMEBODY.get(name, USER)!r}]").replace("(…)", "()")
    return {"services": [eval(text, {"ServiceAccess": ServiceAccess})]}  # noqa: S307 - our own text


def of_requirement(one: ServiceRequirement, **arguments: Any) -> tuple[Stack, Any]:
    env = Environment(account=ACCOUNT, region=one.region or REGION)
    stack = new_stack(env=env)
    key_of = {"key_spec": one.key_spec, "key_usage": one.key_usage} if one.region else {}
    return stack, new_key(stack, **key_of, **arguments)


def asked() -> Iterator[Any]:
    for name, one in WITH_PRESET.items():
        for principal in one.asks_as:
            plain = principal.replace(ANY_REGION, REGION).replace(SUFFIX, "amazonaws.com")
            actions = [
                action
                for caller in one.callers
                if caller.who is Who.SERVICE
                for action in caller.actions
                if action != "CreateGrant"
            ]
            who = iam.ServicePrincipal(plain)
            yield pytest.param(one, who, actions, {}, id=f"{name}-as-{plain}")
        for service in one.asks_through:
            via = {"StringEquals": {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}}
            yield pytest.param(one, iam.AccountRootPrincipal(), ["Decrypt"], via, id=f"{name}-through")


@pytest.mark.parametrize(("one", "who", "actions", "conditions"), list(asked()))
def test_advice_that_is_followed_literally_is_enough(
    one: ServiceRequirement, who: iam.IPrincipal, actions: list[str], conditions: dict[str, Any]
) -> None:
    statement = {
        "principals": [who],
        "actions": [f"kms:{action}" for action in actions],
        "resources": ["*"],
        "conditions": conditions,
    }
    _, key = of_requirement(one)
    key.add_to_resource_policy(iam.PolicyStatement(**statement))
    with pytest.raises(SealedSynthError) as refused:
        raise_refusals(key)
    assert refused.value.argument == "services"

    _, better = of_requirement(one, **followed(str(refused.value), one.name))
    before = better.declared_policy()

    assert better.add_to_resource_policy(iam.PolicyStatement(**statement)).statement_added
    assert better.declared_policy() == before
    raise_refusals(better)
