"""What `SecureKmsKey` accepts passes the guardrails, and what they refuse it refuses in their words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, RemovalPolicy
from aws_cdk.assertions import Template
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kms_constructs.cdk.enforcement.enforce import enforce_guardrails
from kms_constructs.cdk.key.replica_plan import ReplicaConfig
from kms_constructs.errors import ArgumentError, ConfigurationError
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Outcome
from kms_constructs.model.declaration import EPHEMERAL_ENVIRONMENTS, PRODUCTION_ENVIRONMENTS
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from kms_constructs.testing import assert_guardrails
from tests.cdk.keys import USER, key_resource, new_key, new_stack

pytestmark = pytest.mark.cdk

_WHERE = (
    "where the guardrails are configured (pyproject.toml, cdk.json, or enforce_guardrails before the key)"
)

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "rotates too seldom": (
        {"rotation_period": 730},
        "Data/Key: rotation_period=730 is refused: KMS:001: The key rotates every 730 days; the "
        "configuration allows at most 365. Fix: Set rotation_period to at most 365, or raise "
        f"rotation-period-ceiling {_WHERE}",
    ),
    "rotates too seldom, as Duration": (
        {"rotation_period": Duration.days(366)},
        "Data/Key: rotation_period=366 is refused: KMS:001: The key rotates every 366 days; the "
        "configuration allows at most 365. Fix: Set rotation_period to at most 365, or raise "
        f"rotation-period-ceiling {_WHERE}",
    ),
    "short window in production": (
        {"pending_window": 29, "environment": " Live"},
        "Data/Key: pending_window=29 is refused: KMS:002: The pending window is 29 days; the configuration "
        "wants at least 30 in environment  Live. Fix: Set pending_window to at least 30, or lower "
        f"production-pending-window {_WHERE}",
    ),
    "destroyed where it is not short-lived": (
        {"removal_policy": RemovalPolicy.DESTROY, "environment": "staging"},
        "Data/Key: removal_policy='DESTROY' is refused: KMS:002: DeletionPolicy is Delete: the key goes when "
        "its stack, or the resource in it, is removed. Fix: Leave removal_policy out; only keys whose tag "
        "environment says that it is short-lived (dev, development, sandbox, test) may go with their stack",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_refused_in_the_words_of_the_guardrails(arguments: dict[str, Any], said: str) -> None:
    stack = new_stack()

    with pytest.raises(ArgumentError) as caught:
        new_key(stack, **arguments)

    assert str(caught.value) == said
    assert stack.node.try_find_child("Key") is None


def test_a_replica_is_held_to_them_as_well() -> None:
    with pytest.raises(ArgumentError, match=r"pending_window=7 is refused: KMS:002"):
        new_key(
            new_stack(), environment="prod", replica_regions=[ReplicaConfig("us-east-1", pending_window=7)]
        )


ACCEPTED_BY: dict[str, tuple[dict[str, object], dict[str, Any]]] = {
    "a higher ceiling": ({"rotation-period-ceiling": 730}, {"rotation_period": 730}),
    "a shorter window": (
        {"production-pending-window": 14},
        {"pending_window": 14, "environment": "prod"},
    ),
    "an environment that is short-lived": (
        {"ephemeral-environments": ["staging"]},
        {"removal_policy": RemovalPolicy.DESTROY, "environment": "Staging"},
    ),
    "a severity that only warns": ({"severities": {"KMS:001": "warning"}}, {"rotation_period": 730}),
    "a control that is switched off": ({"disabled": {"KMS:001": "by hand"}}, {"rotation_period": 730}),
    "a key that is let off": ({"excluded": {"Data/Key": "legacy"}}, {"rotation_period": 730}),
    "an acknowledgement": (
        {"acknowledgements": [{"id": "KMS:001[*]", "resource": "Data/Key/*", "reason": "legacy"}]},
        {"rotation_period": 730},
    ),
}


@pytest.mark.parametrize(("config", "arguments"), ACCEPTED_BY.values(), ids=ACCEPTED_BY)
def test_what_the_configuration_accepts_the_key_accepts(
    config: dict[str, object], arguments: dict[str, Any]
) -> None:
    app = App(analytics_reporting=False)
    enforce_guardrails(app, config)

    new_key(new_stack(app=app), **arguments)

    app.synth()


def test_what_a_stricter_configuration_refuses_the_key_refuses() -> None:
    app = App(analytics_reporting=False)
    enforce_guardrails(app, {"minimum-pending-window": 14, "rotation-period-ceiling": 180})
    stack = new_stack(app=app)

    with pytest.raises(ArgumentError, match="pending_window=7 is refused: KMS:002"):
        new_key(stack, pending_window=7, rotation_period=180)
    with pytest.raises(ArgumentError, match="rotation_period=365 is refused: KMS:001"):
        new_key(stack)


def test_a_classification_that_needs_multi_region_keys() -> None:
    app = App(analytics_reporting=False)
    enforce_guardrails(app, {"multi-region-classifications": ["restricted"]})
    stack = new_stack(app=app)

    with pytest.raises(ArgumentError) as caught:
        new_key(stack, data_classification="Restricted")
    new_key(stack, "Related", data_classification="Restricted", multi_region=True)
    new_key(stack, "Replicated", data_classification="Restricted", replica_regions=["us-east-1"])

    assert str(caught.value).startswith(
        "Data/Key: multi_region=False is refused: KMS:007: Data classified Restricted needs a multi-Region "
        "key, and this key is of one Region. Fix: Give the key multi_region=True and a replica where the "
    )


def test_the_configuration_is_found_as_enforce_guardrails_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.kms-constructs]\nrotation-period-ceiling = 730\n")
    monkeypatch.chdir(tmp_path)

    new_key(new_stack(), rotation_period=730)

    app = App(analytics_reporting=False, context={"kms-constructs": {"rotation-period-ceiling": 200}})
    with pytest.raises(ArgumentError, match="allows at most 200"):
        new_key(new_stack(app=app), rotation_period=201)
    with pytest.raises(ConfigurationError, match="it holds a str"):
        new_key(new_stack(app=App(context={"kms-constructs": "strict"})))


def test_an_environment_that_is_decided_at_deployment_is_left_to_the_template() -> None:
    stack = new_stack()
    name = CfnParameter(stack, "Environment").value_as_string

    new_key(stack, environment=name, pending_window=7)

    assert key_resource(stack)["Properties"]["PendingWindowInDays"] == 7


_ENVIRONMENTS = st.one_of(
    st.sampled_from((*PRODUCTION_ENVIRONMENTS, *EPHEMERAL_ENVIRONMENTS, "staging", "qa", "preprod", "PRD ")),
    st.text("abc-LIVE prod", min_size=1, max_size=8).filter(str.strip),
)
_SPECS = st.sampled_from(
    (
        {},
        {"key_spec": "HMAC_256"},
        {"key_spec": "RSA_2048", "key_usage": "SIGN_VERIFY"},
        {"key_spec": "ML_KEM_768"},
        {"multi_region": True},
    )
)


_KEYS = st.fixed_dictionaries(
    {
        "environment": _ENVIRONMENTS,
        "data_classification": st.sampled_from(
            ("public", "internal", "confidential", "restricted", "PII", "c4")
        ),
        "rotation_period": st.one_of(st.none(), st.integers(90, 2560), st.sampled_from((365, 366, 730))),
        "pending_window": st.integers(7, 30),
        "removal_policy": st.sampled_from(
            (RemovalPolicy.DESTROY, RemovalPolicy.RETAIN, RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        ),
    }
)


def _with(environment: str, period: int, window: int, removal: RemovalPolicy) -> dict[str, Any]:
    return {
        "environment": environment,
        "data_classification": "internal",
        "rotation_period": period,
        "pending_window": window,
        "removal_policy": removal,
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(key=_KEYS, spec=_SPECS)
@example(_with("live", 365, 30, RemovalPolicy.RETAIN), {})
@example(_with("prd", 365, 29, RemovalPolicy.RETAIN), {})
@example(_with("dev", 366, 7, RemovalPolicy.DESTROY), {})
@example(_with("staging", 365, 7, RemovalPolicy.DESTROY), {})
def test_one_vocabulary(key: dict[str, Any], spec: dict[str, Any]) -> None:
    """What is accepted passes; what is refused breaks a guardrail, written into a template by other hands."""
    arguments = {**key, **spec, "key_users": [USER]}
    if "key_spec" in spec:
        del arguments["rotation_period"]
    stack = new_stack()
    refused = ""
    try:
        new_key(stack, **arguments)
    except ArgumentError as error:
        refused = str(error)
    if not refused:
        assert_guardrails(stack)
        return
    estate = estate_from_templates([TemplateInput(_by_hand(arguments), "by-hand.json")])
    found = [one for one in judge(estate).failures if one.outcome is Outcome.VIOLATION]
    assert any(f"{one.control}: {one.message.rstrip('.')}." in refused for one in found), (refused, found)


def _by_hand(arguments: dict[str, Any]) -> dict[str, Any]:
    """A template with a key of these properties, and else the policy that the construct writes."""
    held = ("rotation_period", "pending_window", "removal_policy")
    stack = new_stack()
    new_key(stack, **{name: value for name, value in arguments.items() if name not in held})
    template = dict(Template.from_stack(stack).to_json())
    key = next(one for one in template["Resources"].values() if one["Type"] == "AWS::KMS::Key")
    key["Properties"]["PendingWindowInDays"] = arguments["pending_window"]
    if arguments.get("rotation_period") is not None:
        key["Properties"]["RotationPeriodInDays"] = arguments["rotation_period"]
    if arguments["removal_policy"] is RemovalPolicy.DESTROY:
        key["DeletionPolicy"] = "Delete"
    return template
