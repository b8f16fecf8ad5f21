from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Annotations, Match, Template

from kms_constructs.cdk.monitoring import monitoring as module
from kms_constructs.cdk.monitoring.central import KmsEventForwarder
from kms_constructs.cdk.monitoring.trail import MonitoringTrail
from kms_constructs.detections.catalogue import WATCHES
from kms_constructs.detections.messages import input_template
from kms_constructs.errors import ArgumentError
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS
from tests.cdk.keys import ACCOUNT, ADMIN, DEPLOY, REGION, RESCUE, new_key, new_stack, resources
from tests.cdk.monitoring.support import new_monitoring

pytestmark = pytest.mark.cdk

RULE = "AWS::Events::Rule"


def rules(stack: Stack) -> dict[str, dict[str, Any]]:
    """Rules by what they are about."""
    return {one["Properties"]["Description"]: one["Properties"] for one in resources(stack, RULE).values()}


def topic_of(rule: dict[str, Any]) -> str:
    (target,) = rule["Targets"]
    return target["Arn"]["Ref"]


def test_every_key_of_the_account_has_one_rule_for_each_watch() -> None:
    stack = new_stack("Security")
    monitoring = new_monitoring(stack)

    found = rules(stack)
    assert set(found) == {f"{watch.control}: {watch.title}" for watch in WATCHES}
    assert set(monitoring.rules) == {watch.id for watch in WATCHES}
    for watch in WATCHES:
        rule = found[f"{watch.control}: {watch.title}"]
        assert rule["State"] == "ENABLED"
        assert "EventBusName" not in rule
        loud = "Critical" if watch.level == "critical" else "KeysAlerts"
        assert loud in topic_of(rule)
        (target,) = rule["Targets"]
        assert "DeadLetters" in target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
        assert target["InputTransformer"]["InputTemplate"] == input_template(watch)


def test_a_secure_key_tells_whose_calls_are_expected() -> None:
    stack = new_stack("Security")
    key = new_key(stack, break_glass_principals=[RESCUE], deployment_principals=[DEPLOY], alias="prod/orders")
    new_monitoring(stack, keys=[key])

    found = rules(stack)
    policy = [one for name, one in found.items() if name.startswith("IAM-KMS-5: PutKeyPolicy")]
    callers = {
        json.dumps(one["EventPattern"]["detail"]["userIdentity"]["$or"][0]["sessionContext"], sort_keys=True)
        for one in policy
    }
    assert callers == {
        json.dumps({"sessionIssuer": {"arn": [RESCUE, DEPLOY]}}),
        json.dumps({"sessionIssuer": {"arn": [{"anything-but": [RESCUE, DEPLOY]}]}}),
    }
    assert sorted("Critical" in topic_of(one) for one in policy) == [False, True]
    # Nobody may switch rotation off, so there are no authorised callers to tell apart.
    assert len([name for name in found if name.startswith("IAM-KMS-7")]) == 1
    assert '"Alias: alias/prod/orders"' in policy[0]["Targets"][0]["InputTransformer"]["InputTemplate"]


def test_keys_with_the_same_guardians_share_a_rule() -> None:
    stack = new_stack("Security")
    keys = [new_key(stack, f"Key{number}") for number in range(3)]
    keys.append(new_key(stack, "Other", key_administrators=[RESCUE]))
    monitoring = new_monitoring(stack, keys=keys)

    assert {name for name in monitoring.rules if name.startswith("disable-key")} == {
        "disable-key", "disable-key-2", "disable-key-unauthorised", "disable-key-unauthorised-2",
        "disable-key-rotation",
    }  # fmt: skip
    template = rules(stack)["IAM-KMS-6: A grant was created, and not by an AWS service"]
    branches = template["EventPattern"]["detail"]["$or"]
    assert len(branches[0]["resources"]["ARN"]) == 4


def test_any_key_is_watched_and_authorised_by_argument() -> None:
    stack = new_stack("Security")
    key = kms.Key.from_key_arn(stack, "Old", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd")
    monitoring = new_monitoring(stack, keys=[key], authorised={"IAM-KMS-4": ["arn:aws:iam::*:role/Rescue"]})

    assert "disable-key-unauthorised" in monitoring.rules
    assert "put-key-policy-unauthorised" not in monitoring.rules
    found = rules(stack)["IAM-KMS-4: DisableKey was called (disable), by an authorised principal"]
    assert found["EventPattern"]["detail"]["userIdentity"]["$or"][0] == {
        "sessionContext": {"sessionIssuer": {"arn": [{"wildcard": "arn:aws:iam::*:role/Rescue"}]}}
    }
    assert found["EventPattern"]["detail"]["$or"][1]["requestParameters"]["keyId"] == [
        "1234abcd", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd",
    ]  # fmt: skip


def test_a_guarded_action_that_is_added_gets_its_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    added = dataclasses.replace(
        WATCHES[0], id="revoke-grant", title="RevokeGrant was called", event_names=("RevokeGrant",)
    )
    monkeypatch.setattr(module, "WATCHES", (*WATCHES, added))
    stack = new_stack("Security")
    new_monitoring(stack, keys=[new_key(stack)])

    assert {name for name in rules(stack) if "RevokeGrant" in name} == {
        "IAM-KMS-4: RevokeGrant was called, by an authorised principal",
        "IAM-KMS-4: RevokeGrant was called, by a principal that is not authorised to",
    }


def test_topics_are_encrypted_and_let_eventbridge_and_cloudwatch_publish_over_tls_alone() -> None:
    stack = new_stack("Security")
    new_monitoring(stack)

    topics = resources(stack, "AWS::SNS::Topic")
    assert {one["Properties"]["TopicName"] for one in topics.values()} == {
        "prod-kms-alerts", "prod-kms-critical-alerts",
    }  # fmt: skip
    assert all("KmsMasterKeyId" in one["Properties"] for one in topics.values())
    for policy in resources(stack, "AWS::SNS::TopicPolicy").values():
        tls, bridge, watch = policy["Properties"]["PolicyDocument"]["Statement"]
        assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
        assert (bridge["Principal"], "Condition" in bridge) == ({"Service": "events.amazonaws.com"}, False)
        assert watch["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert watch["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    (queue,) = resources(stack, "AWS::SQS::Queue").values()
    assert "KmsMasterKeyId" in queue["Properties"]


def test_towards_topics_eventbridge_is_limited_by_the_encryption_context_and_by_no_source() -> None:
    stack = new_stack("Security")
    new_monitoring(stack)

    (key,) = resources(stack, "AWS::KMS::Key").values()
    (found,) = [
        one for one in key["Properties"]["KeyPolicy"]["Statement"] if one["Sid"] == "ServiceEventbridgeTopics"
    ]
    assert set(found["Condition"]) == {"ArnLike"}
    (context,) = found["Condition"]["ArnLike"]
    assert context == "kms:EncryptionContext:aws:sns:topicArn"
    assert [one["Fn::Join"][1][-1] for one in found["Condition"]["ArnLike"][context]] == [
        f":sns:{REGION}:{ACCOUNT}:prod-kms-alerts", f":sns:{REGION}:{ACCOUNT}:prod-kms-critical-alerts",
    ]  # fmt: skip


def test_who_is_told_by_mail_is_told_of_both_and_loses_nothing() -> None:
    stack = new_stack("Security")
    new_monitoring(stack, emails=["security@example.com"])

    found = list(resources(stack, "AWS::SNS::Subscription").values())
    assert len(found) == 2
    assert all(one["Properties"]["RedrivePolicy"]["deadLetterTargetArn"] for one in found)
    (key,) = resources(stack, "AWS::KMS::Key").values()
    assert "ServiceSns" in {one["Sid"] for one in key["Properties"]["KeyPolicy"]["Statement"]}


def bad(**arguments: Any) -> Any:
    return arguments


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (bad(trail=None), "a trail records that logs management events, KMS events included"),
        (bad(trail="main"), "MonitoringTrail.outside"),
        (bad(keys=[]), "no key is to be watched"),
        (bad(authorised={"KMS:001": [ADMIN]}), "one of IAM-KMS-4"),
        (bad(authorised={"IAM-KMS-4": ADMIN}), "a list of ARNs is wanted"),
        (bad(authorised={"IAM-KMS-4": [f"{ADMIN}?"]}), "with \\* alone"),
        (bad(authorised={"IAM-KMS-4": [f"{ADMIN}{n}" for n in range(200)]}, keys=None), None),
        (bad(name="a b"), "letters, digits and dashes"),
        (bad(name="x" * 41), "1 to 40"),
        (bad(organization_id="organization"), "an organization id is o-"),
        (bad(accounts=["12"]), "twelve digits"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value)[:20],
)  # fmt: skip
def test_what_cannot_be_is_refused(arguments: dict[str, Any], says: str | None) -> None:
    if says is None:
        with pytest.raises(ArgumentError, match="do not fit into one event pattern"):
            new_monitoring(keys=[new_key(new_stack())], authorised=arguments["authorised"])
        return
    with pytest.raises(ArgumentError, match=says) as caught:
        new_monitoring(**arguments)
    assert str(caught.value).startswith("Security/Keys: ")


def test_a_key_of_another_region_is_refused_with_the_way_out() -> None:
    app = App(analytics_reporting=False)
    there = new_stack("There", app, env=Environment(account=ACCOUNT, region="us-east-1"))
    here = new_stack("Security", app)
    with pytest.raises(ArgumentError, match="events of us-east-1 do not arrive in eu-west-1") as caught:
        new_monitoring(here, keys=[new_key(there)])
    assert "make a KmsEventForwarder in us-east-1" in str(caught.value)


def test_replicas_that_are_not_watched_are_told_of() -> None:
    stack = new_stack("Security")
    new_monitoring(stack, keys=[new_key(stack, replica_regions=["us-east-1"])])

    Annotations.from_stack(stack).has_warning(
        "/Security/Keys", Match.string_like_regexp("Make a KmsMonitoring in us-east-1")
    )


def test_a_replica_is_watched_in_its_own_region() -> None:
    app = App(analytics_reporting=False)
    key = new_key(new_stack("Data", app), replica_regions=["us-east-1"], alias="prod/orders")
    there = new_stack("Security", app, env=Environment(account=ACCOUNT, region="us-east-1"))
    new_monitoring(there, keys=[key.replica("us-east-1")])

    found = rules(there)["KMS:007: A key was replicated into another Region"]
    (arn,) = found["EventPattern"]["detail"]["$or"][0]["resources"]["ARN"]
    assert arn


def test_with_a_central_bus_replicas_are_watched_from_there() -> None:
    stack = new_stack("Security")
    key = new_key(stack, replica_regions=["us-east-1"], alias="prod/orders")
    monitoring = new_monitoring(stack, keys=[key], accounts=["444455556666"])

    Annotations.from_stack(stack).has_no_warning("/Security/Keys", Match.any_value())
    found = rules(stack)["KMS:001: KMS rotated a key"]
    assert len(found["EventPattern"]["resources"]) == 2
    assert ":kms:us-east-1:" in json.dumps(found["EventPattern"]["resources"][1])
    template = found["Targets"][0]["InputTransformer"]["InputTemplate"]
    assert "alias/prod/orders in us-east-1" in json.dumps(template)
    assert monitoring.bus_arn


def test_a_central_bus_takes_from_the_organization_and_carries_the_rules() -> None:
    stack = new_stack("Security")
    monitoring = new_monitoring(stack, organization_id="o-a1b2c3d4e5", accounts=["444455556666"])

    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::Events::EventBus", {"Name": "prod-kms"})
    policies = {
        one["Properties"]["StatementId"]: one["Properties"]["Statement"]
        for one in resources(stack, "AWS::Events::EventBusPolicy").values()
    }
    assert policies["Organization"]["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    assert policies["Organization"]["Action"] == "events:PutEvents"
    assert "444455556666" in json.dumps(policies["Accounts"]["Principal"])
    on_bus = [one for one in resources(stack, RULE).values() if "EventBusName" in one["Properties"]]
    assert len(on_bus) == len(WATCHES)
    (forwarder,) = [
        one["Properties"]
        for one in resources(stack, RULE).values()
        if "EventBusName" not in one["Properties"]
    ]
    assert forwarder["Targets"][0]["RoleArn"]
    assert monitoring.bus is not None


def test_without_a_central_bus_there_is_no_arn_of_one() -> None:
    with pytest.raises(ArgumentError, match="give organization_id or accounts"):
        _ = new_monitoring().bus_arn


def test_a_forwarder_wants_a_bus() -> None:
    with pytest.raises(ArgumentError, match="it is the ARN of an event bus"):
        KmsEventForwarder(new_stack("Member"), "Kms", bus_arn="prod-kms")


def test_what_it_makes_can_be_used() -> None:
    monitoring = new_monitoring(trail=MonitoringTrail.create())
    assert monitoring.alerts is not monitoring.critical_alerts
    assert monitoring.key.alias_name == "alias/prod-kms-monitoring"
    assert monitoring.dead_letters.queue_arn
    assert set(GUARDED_ACTIONS) <= {watch.control for watch in WATCHES}
