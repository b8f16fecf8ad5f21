from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding
from kms_constructs.model.estate import Deployment, Estate
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from kms_constructs.sources.kms_api.answers import Answers, Call, Refusal, Scope
from kms_constructs.sources.kms_api.estate import estate_from_answers
from kms_constructs.sources.terraform.plans import estate_from_plans
from tests.guardrails.factories import TODAY, C, N, Said, U, V, a_key, said
from tests.guardrails.factories import judge as judge_key
from tests.sources.kms_api.build import ACCOUNT, GOOD_POLICY, KEY_ID, REGION, Seed, answers_of, refused

ALLOW = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:DescribeKey"], "Resource": "*", "Sid": "Users"}
USER = f"arn:aws:iam::{ACCOUNT}:role/User"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [*GOOD_POLICY["Statement"], *statements]}  # type: ignore[misc]


def declared(region: str = REGION, **properties: Any) -> Estate:
    resources = {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": GOOD_POLICY, "EnableKeyRotation": True, **properties},
        },
        "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
        "Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/orders", "TargetKeyId": {"Ref": "Key"}},
        },
    }
    template = TemplateInput({"Resources": resources}, "app.json", account=ACCOUNT, region=region)
    return estate_from_templates([template])


MADE = {"aws:cloudformation:stack-name": "App", "aws:cloudformation:logical-id": "Key"}
OTHER_REGION = "us-east-1"


def stack(
    *,
    name: str = "App",
    region: str = REGION,
    alias: object = None,
    replica: str | None = None,
    replica_properties: dict[str, Any] | None = None,
    **properties: Any,
) -> Estate:
    """A key of a stack with a name, and its replica in a stack of another Region."""
    key = {
        "Type": "AWS::KMS::Key",
        "Properties": {"KeyPolicy": GOOD_POLICY, "EnableKeyRotation": True, **properties},
    }
    resources: dict[str, Any] = {"Key": key}
    if alias is not None:
        named = {"AliasName": alias, "TargetKeyId": {"Ref": "Key"}}
        resources["Alias"] = {"Type": "AWS::KMS::Alias", "Properties": named}
    content = {
        "Resources": resources,
        "Parameters": {"Stage": {"Type": "String"}},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}},
    }
    templates = [TemplateInput(content, f"{name}.json", name, account=ACCOUNT, region=region)]
    if replica is not None:
        there = {
            "PrimaryKeyArn": {
                "Fn::GetStackOutput": {"StackName": name, "Region": region, "OutputName": "Arn"}
            },
            "KeyPolicy": GOOD_POLICY,
            **(replica_properties or {}),
        }
        made = {"Replica": {"Type": "AWS::KMS::ReplicaKey", "Properties": there}}
        templates.append(
            TemplateInput({"Resources": made}, "Replica.json", "Replica", account=ACCOUNT, region=replica)
        )
    return estate_from_templates(templates)


def multi_region(kind: str = "PRIMARY", *replicas: str) -> dict[str, object]:
    def there(region: str) -> dict[str, str]:
        return {"Arn": f"arn:aws:kms:{region}:{ACCOUNT}:key/mrk-1", "Region": region}

    return {
        "MultiRegion": True,
        "MultiRegionConfiguration": {
            "MultiRegionKeyType": kind,
            "PrimaryKey": there(REGION),
            "ReplicaKeys": [there(one) for one in replicas],
        },
    }


def primary(*replicas: str, **changes: Any) -> Seed:
    return Seed(key_id="mrk-1", metadata=multi_region("PRIMARY", *replicas), tags=MADE, **changes)


def replica(**changes: Any) -> Seed:
    given: dict[str, Any] = {"aliases": (), "metadata": multi_region("REPLICA", OTHER_REGION), **changes}
    return Seed(key_id="mrk-1", region=OTHER_REGION, **given)


def drift(seeds: list[Seed], *expected: Estate, answers: Answers | None = None) -> list[tuple[str, str, str]]:
    """Outcome, detail and where, of what fails or is not compared."""
    estate = estate_from_answers(answers_of(*seeds) if answers is None else answers)
    declared_keys = tuple(key for one in expected for key in one.keys)
    findings = judge(replace(estate, expected=declared_keys), controls=["KMS:DRIFT"], today=TODAY).findings
    return [(one.outcome.value, one.detail, str(one.location)) for one in findings if one.outcome is not C]


def found(seed: Seed, expected: Estate, refusing: str = "") -> tuple[Finding, ...]:
    answers = answers_of(seed)
    if refusing:
        more = {"PolicyName": "default"} if refusing == "GetKeyPolicy" else {}
        answers = refused(answers, Call.of(ACCOUNT, REGION, "kms", refusing, KeyId=KEY_ID, **more))
    estate = replace(estate_from_answers(answers), expected=expected.keys)
    return judge(estate, controls=["KMS:DRIFT"], today=TODAY).findings


FINE = Said(C, "", "", "The live key is as it is declared.")
PATH = "GetKeyPolicy/Policy"
CASES: dict[str, tuple[Seed, dict[str, Any], Said]] = {
    "as declared": (Seed(), {}, FINE),
    "rotation switched off": (
        Seed(rotation={"KeyRotationEnabled": False}),
        {},
        Said(V, "rotation", "GetKeyRotationStatus/KeyRotationEnabled", "Rotation is off, and declared on."),
    ),
    "another period": (
        Seed(rotation={"KeyRotationEnabled": True, "RotationPeriodInDays": 400}),
        {},
        Said(
            V,
            "rotation",
            "GetKeyRotationStatus/RotationPeriodInDays",
            "It rotates every 400 days, and declared are 365.",
        ),
    ),
    "a tag changed": (
        Seed(tags={"environment": "dev", "more": "x"}),
        {"Tags": [{"Key": "environment", "Value": "prd"}]},
        Said(V, "tags", "ListResourceTags/Tags", "Its tags environment are not as declared."),
    ),
    "a statement in another spelling": (
        Seed(
            policy=policy(
                {
                    **ALLOW,
                    "Sid": "Other",
                    "Principal": {"AWS": [USER]},
                    "Action": ["kms:DescribeKey", "KMS:Decrypt"],
                }
            )
        ),
        {"KeyPolicy": policy({**ALLOW, "Principal": {"AWS": USER}})},
        FINE,
    ),
    "one statement cut into two": (
        Seed(
            policy=policy(
                {**ALLOW, "Action": "kms:Decrypt", "Principal": {"AWS": USER}},
                {**ALLOW, "Action": "kms:DescribeKey", "Principal": {"AWS": USER}},
            )
        ),
        {"KeyPolicy": policy({**ALLOW, "Principal": {"AWS": USER}})},
        FINE,
    ),
    "a role whose name is generated": (
        Seed(
            policy=policy(
                {**ALLOW, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/App-Role-1ABCDEFGHIJKL"}}
            )
        ),
        {"KeyPolicy": policy({**ALLOW, "Principal": {"AWS": {"Fn::GetAtt": ["Role", "Arn"]}}})},
        FINE,
    ),
    "somebody more may use it": (
        Seed(policy=policy({**ALLOW, "Action": "kms:Decrypt", "Principal": {"AWS": USER}})),
        {},
        Said(
            V,
            "policy",
            PATH,
            f"Its policy lets others do other things than declared: {USER}: decrypt - → allowed.",
        ),
    ),
    "another description": (
        Seed(metadata={"Description": "by hand"}),
        {"Description": "orders"},
        Said(
            V,
            "description",
            "DescribeKey/KeyMetadata/Description",
            "Its description is not the declared one.",
        ),
    ),
    "the declared description": (
        Seed(metadata={"Description": "orders"}),
        {"Description": "orders"},
        FINE,
    ),
    "a description that the template leaves to others": (Seed(metadata={"Description": "x"}), {}, FINE),
    "disabled by hand": (
        Seed(metadata={"KeyState": "Disabled"}),
        {},
        Said(
            V,
            "enabled",
            "DescribeKey/KeyMetadata/KeyState",
            "It is in state Disabled, and declared enabled.",
        ),
    ),
    "enabled by hand": (
        Seed(),
        {"Enabled": False},
        Said(
            V,
            "enabled",
            "DescribeKey/KeyMetadata/KeyState",
            "It is in state Enabled, and declared disabled.",
        ),
    ),
    "disabled as declared": (Seed(metadata={"KeyState": "Disabled"}), {"Enabled": False}, FINE),
    "a statement is gone": (
        Seed(),
        {"KeyPolicy": policy({**ALLOW, "Principal": {"AWS": {"Fn::GetAtt": ["Role", "Arn"]}}})},
        Said(V, "policy", PATH, "Its policy is not the declared one: without the declared Users."),
    ),
}


@pytest.mark.parametrize(("seed", "properties", "expected"), CASES.values(), ids=CASES)
def test_drift(seed: Seed, properties: dict[str, Any], expected: Said) -> None:
    assert said(found(seed, declared(**properties))) == [expected]


HERE, THERE = f"{ACCOUNT}/{REGION}", f"{ACCOUNT}/{OTHER_REGION}"
NAMELESS = Seed(aliases=(), tags=MADE)
STAGE = {"Fn::Sub": "alias/${Stage}-orders"}
UNDETERMINED, VIOLATION, NEITHER = U.value, V.value, N.value
MATCHES: dict[str, tuple[list[Seed], list[Estate], list[tuple[str, str, str]]]] = {
    "by the tags of its stack, without an alias": ([NAMELESS], [stack()], []),
    "by the tags of its stack, though its alias is another's": (
        [NAMELESS, Seed(key_id="2", aliases=("alias/orders",))],
        [stack(alias="alias/orders")],
        [(VIOLATION, "alias", f"{HERE}: {KEY_ID}"), (NEITHER, "", f"{HERE}: 2")],
    ),
    "another stack of the same template": (
        [NAMELESS, Seed(key_id="2", aliases=(), tags={**MADE, "aws:cloudformation:stack-name": "Dev"})],
        [stack()],
        [(NEITHER, "", f"{HERE}: 2")],
    ),
    "by the logical id, where the template does not say its stack": (
        [Seed(aliases=(), tags=MADE)],
        [stack(name="")],
        [],
    ),
    "two stacks of a template that does not say its own": (
        [NAMELESS, Seed(key_id="2", aliases=(), tags={**MADE, "aws:cloudformation:stack-name": "Dev"})],
        [stack(name="")],
        [(UNDETERMINED, "match", f"{HERE}: {KEY_ID}"), (UNDETERMINED, "match", f"{HERE}: 2")],
    ),
    "by its alias, of two stacks of a template": (
        [
            Seed(aliases=("alias/orders",), tags=MADE),
            Seed(key_id="2", aliases=(), tags={**MADE, "aws:cloudformation:stack-name": "Dev"}),
        ],
        [stack(name="", alias="alias/orders")],
        [(NEITHER, "", f"{HERE}: 2")],
    ),
    "its alias says one key, and its logical id another": (
        [Seed(aliases=("alias/orders",)), Seed(key_id="2", aliases=(), tags=MADE)],
        [stack(name="", alias="alias/orders")],
        [(UNDETERMINED, "match", f"{HERE}: {KEY_ID}"), (UNDETERMINED, "match", f"{HERE}: 2")],
    ),
    "by an alias that a parameter is part of": (
        [Seed(aliases=("alias/prd-orders",))],
        [stack(name="", alias=STAGE)],
        [],
    ),
    "two keys with such an alias": (
        [Seed(aliases=("alias/prd-orders",)), Seed(key_id="2", aliases=("alias/dev-orders",))],
        [stack(name="", alias=STAGE)],
        [(UNDETERMINED, "match", f"{HERE}: {KEY_ID}"), (UNDETERMINED, "match", f"{HERE}: 2")],
    ),
    "two declarations of one alias": (
        [Seed(aliases=("alias/orders",))],
        [stack(name="A", alias="alias/orders"), stack(name="B", alias="alias/orders")],
        [(UNDETERMINED, "match", f"{HERE}: {KEY_ID}")],
    ),
    "a key that its stack declares no longer": (
        [NAMELESS, Seed(key_id="2", aliases=(), tags={**MADE, "aws:cloudformation:logical-id": "Old"})],
        [stack()],
        [(VIOLATION, "undeclared", f"{HERE}: 2")],
    ),
    "a key in a Region that was not audited": (
        [NAMELESS],
        [stack(), stack(name="Far", region="ap-south-1", alias="alias/far")],
        [(UNDETERMINED, "missing", "Far.json: Key")],
    ),
    "a replica as declared": (
        [primary(OTHER_REGION), replica()],
        [stack(replica=OTHER_REGION, MultiRegion=True)],
        [],
    ),
    "a replica with another policy": (
        [primary(OTHER_REGION), replica(policy=policy({**ALLOW, "Principal": {"AWS": USER}}))],
        [stack(replica=OTHER_REGION, MultiRegion=True)],
        [(VIOLATION, "policy", f"{THERE}: mrk-1")],
    ),
    "a replica with other tags, another description, and disabled": (
        [
            primary(OTHER_REGION),
            replica(
                metadata={**multi_region("REPLICA", OTHER_REGION), "KeyState": "Disabled", "Description": "x"}
            ),
        ],
        [
            stack(
                replica=OTHER_REGION,
                MultiRegion=True,
                replica_properties={"Description": "y", "Tags": [{"Key": "a", "Value": "b"}]},
            )
        ],
        [
            (VIOLATION, "tags", f"{THERE}: mrk-1"),
            (VIOLATION, "description", f"{THERE}: mrk-1"),
            (VIOLATION, "enabled", f"{THERE}: mrk-1"),
        ],
    ),
    "a replica that is not there": (
        [primary()],
        [stack(replica=OTHER_REGION, MultiRegion=True)],
        [(VIOLATION, "replicas", f"{HERE}: mrk-1"), (UNDETERMINED, "missing", "Replica.json: Replica")],
    ),
    "a replica that is declared elsewhere": (
        [primary(OTHER_REGION, "ap-south-1"), replica()],
        [stack(replica=OTHER_REGION, MultiRegion=True)],
        [(VIOLATION, "replicas", f"{HERE}: mrk-1")],
    ),
    "a replica, and no declaration of any": (
        [primary(OTHER_REGION)],
        [stack(MultiRegion=True)],
        [(UNDETERMINED, "replicas", f"{HERE}: mrk-1")],
    ),
    "a replica that became the primary": (
        [
            Seed(key_id="mrk-1", metadata=multi_region("REPLICA", REGION), tags=MADE),
            replica(metadata=multi_region("PRIMARY", REGION)),
        ],
        [stack(MultiRegion=True)],
        [(VIOLATION, "identity", f"{HERE}: mrk-1"), (NEITHER, "", f"{THERE}: mrk-1")],
    ),
}


@pytest.mark.parametrize(("seeds", "expected", "fails"), MATCHES.values(), ids=MATCHES)
def test_which_key_is_declared_and_how_replicas_differ(
    seeds: list[Seed], expected: list[Estate], fails: list[tuple[str, str, str]]
) -> None:
    assert sorted(drift(seeds, *expected)) == sorted(fails)


def test_a_key_whose_aliases_and_tags_are_not_known_may_be_the_declared_one() -> None:
    for operation, parameters in (("ListAliases", {}), ("ListResourceTags", {"KeyId": KEY_ID})):
        answers = refused(
            answers_of(Seed(aliases=("alias/other",))),
            Call.of(ACCOUNT, REGION, "kms", operation, **parameters),
        )
        assert sorted(drift([], stack(alias="alias/orders"), answers=answers)) == [
            (UNDETERMINED, "match", f"{HERE}: {KEY_ID}"),
            (UNDETERMINED, "missing", "App.json: Key"),
        ]


@pytest.mark.parametrize(
    ("refused_account", "expected"),
    [("444455556666", []), (ACCOUNT, [(UNDETERMINED, "match")]), ("profile old", [(UNDETERMINED, "match")])],
)
def test_an_account_that_could_not_be_asked_may_hold_the_key_that_is_declared(
    refused_account: str, expected: list[tuple[str, str]]
) -> None:
    answers = answers_of(Seed())
    lost = Scope(account=refused_account, regions=(), refusal=Refusal("ExpiredToken"))
    both = Answers((*answers.scopes, lost), answers.given)
    assert [one[:2] for one in drift([], declared(), answers=both)] == expected


def test_a_terraform_state_knows_the_id_of_its_key() -> None:
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}"
    values = {"key_id": KEY_ID, "arn": arn, "policy": json.dumps(GOOD_POLICY), "enable_key_rotation": False}
    key = {
        "address": "aws_kms_key.a",
        "mode": "managed",
        "type": "aws_kms_key",
        "name": "a",
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "values": values,
    }
    state = {"format_version": "1.0", "values": {"root_module": {"resources": [key]}}}
    expected = estate_from_plans([(state, "state.json")], Deployment(), [])
    assert drift([Seed(aliases=())], expected) == [(VIOLATION, "rotation", f"{HERE}: {KEY_ID}")]


def test_a_policy_that_is_not_known_leaves_it_open() -> None:
    (one,) = found(Seed(), declared(), refusing="GetKeyPolicy")
    assert (one.outcome, one.detail) == (U, "policy")


def test_a_declared_key_that_is_not_there() -> None:
    findings = found(Seed(aliases=("alias/other",)), declared())
    assert [(one.outcome, one.detail, one.location.logical_id) for one in findings if one.fails] == [
        (V, "missing", "Key")
    ]
    assert N in {one.outcome for one in findings}


def test_a_key_of_another_region_is_not_the_declared_one() -> None:
    assert "missing" in {one.detail for one in found(Seed(), declared(region="us-east-1"))}


def test_nothing_is_missing_for_certain_where_keys_could_not_be_listed() -> None:
    answers = refused(answers_of(Seed()), Call.of(ACCOUNT, REGION, "kms", "ListKeys"))
    estate = replace(estate_from_answers(answers), expected=declared().keys)
    (one,) = judge(estate, controls=["KMS:DRIFT"], today=TODAY).findings
    assert (one.outcome, one.detail) == (U, "missing")


def test_a_key_of_a_template_is_not_judged() -> None:
    assert said(judge_key("KMS:DRIFT", a_key())) == [Said(N, "", "", "Not applicable: it is no live key.")]
