"""What the guardrails say of plans: in Terraform's words, as of templates, and of what modules create."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.model.estate import Estate, Location
from kms_constructs.sources import TemplateInput, estate_from_templates
from tests.sources.terraform import samples
from tests.sources.terraform.plans import (
    ACCOUNT,
    REGION,
    ROOT,
    Json,
    block,
    constant,
    made,
    module,
    plan,
    policy,
    read,
    refers,
    role,
    statement,
)
from tests.strategies import documents

TODAY = date(2026, 6, 1)
KEY = "aws_kms_key.a"
ADMIN, USER = role("KeyAdmin"), role("App")
OPEN = (Outcome.VIOLATION, Outcome.UNDETERMINED)


def findings_of(estate: Estate, **config: Any) -> tuple[Finding, ...]:
    settings = {"authorised": {"IAM-KMS-5": (DEPLOYER,)}, **config}
    return tuple(judge(estate, GuardrailConfig(**settings), today=TODAY).findings)


def open_ids(given: Json, **config: Any) -> dict[str, list[str]]:
    """Ids of what is open, sorted and each once, by resource."""
    estate, problems = read(given)
    assert problems == []
    found: dict[str, set[str]] = {}
    for one in findings_of(estate, **config):
        if one.outcome in OPEN:
            found.setdefault(one.location.logical_id, set()).add(one.id)
    return {name: sorted(ids) for name, ids in found.items()}


DEPLOYER = role("Deploy")

# --- whole findings, in Terraform's words ---------------------------------------------------------------


def _hardened(**changes: object) -> Json:
    """A key of which nothing is to be said, and its alias and use; with changes."""
    unless_authorised = {"ArnNotEquals": {"aws:PrincipalArn": [DEPLOYER, ROOT]}}
    document = policy(
        statement(
            {"AWS": ROOT},
            ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"],
            Sid="Root",
            Condition={"ArnEquals": {"aws:PrincipalArn": ROOT}},
        ),
        statement({"AWS": DEPLOYER}, ["kms:DescribeKey", "kms:PutKeyPolicy"], Sid="Deployment"),
        statement({"AWS": ADMIN}, ["kms:DescribeKey", "kms:TagResource"], Sid="Administrators"),
        statement({"AWS": USER}, ["kms:Decrypt", "kms:GenerateDataKey"], Sid="Users"),
        {
            "Sid": "DenyPolicyChange",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "kms:PutKeyPolicy",
            "Resource": "*",
            "Condition": unless_authorised,
        },
    )
    values: Json = {
        "deletion_window_in_days": 30,
        "enable_key_rotation": True,
        "rotation_period_in_days": 365,
        "multi_region": False,
        "policy": document,
        "tags": {
            "environment": "prod",
            "service": "orders",
            "data-classification": "internal",
            "kms:policy-reviewed-on": "2026-05-01",
        },
        **changes,
    }
    return made(KEY, values, unknown={"arn": True, "id": True, "key_id": True})


def _around(key: Json, *, alias: bool = True, use: bool = True, actions: list[str] | None = None) -> Json:
    key = {**key, "actions": actions or key["actions"]}
    instances = [key]
    if alias:
        unknown = {"arn": True, "id": True, "target_key_id": True}
        instances.append(made("aws_kms_alias.a", {"name": "alias/orders"}, unknown=unknown))
    if use:
        instances.append(made("aws_sqs_queue.q", unknown={"kms_master_key_id": True}))
    return plan(
        *instances,
        configuration=module(
            block(KEY),
            block("aws_kms_alias.a", {"target_key_id": refers("aws_kms_key.a.key_id")}),
            block("aws_sqs_queue.q", {"kms_master_key_id": refers("aws_kms_alias.a.arn")}),
        ),
    )


def _finding(control: str, message: str, fix: str, detail: str, **more: Any) -> Finding:
    return Finding(
        control=control,
        outcome=more.pop("outcome", Outcome.VIOLATION),
        severity=more.pop("severity", Severity.MEDIUM),
        location=Location("plan.json", "", KEY),
        message=message,
        fix=fix,
        detail=detail,
        **more,
    )


FORGET = (
    "Keep the block of the key, or let Terraform forget the key without destroying it (removed block with "
    "destroy = false); only keys whose tag environment says that it is short-lived (dev, development, "
    "sandbox, test) may go with their configuration."
)
WHOLE: dict[str, tuple[Json, list[Finding]]] = {
    "hardened": (_around(_hardened()), []),
    "rotation off": (
        _around(_hardened(enable_key_rotation=False)),
        [
            _finding(
                "KMS:001",
                "Automatic rotation is off.",
                "Set enable_key_rotation to true.",
                "enabled",
                path="enable_key_rotation",
            )
        ],
    ),
    "rotation too seldom": (
        _around(_hardened(rotation_period_in_days=900)),
        [
            _finding(
                "KMS:001",
                "The key rotates every 900 days; the configuration allows at most 365.",
                "Set rotation_period_in_days to at most 365, or raise rotation-period-ceiling.",
                "period",
                path="rotation_period_in_days",
            )
        ],
    ),
    "window too short": (
        _around(_hardened(deletion_window_in_days=7)),
        [
            _finding(
                "KMS:002",
                "The pending window is 7 days; the configuration wants at least 30 in environment prod.",
                "Set deletion_window_in_days to at least 30, or lower production-pending-window.",
                "pending-window",
                severity=Severity.HIGH,
                path="deletion_window_in_days",
            )
        ],
    ),
    "no alias": (
        _around(_hardened(), alias=False, use=False),
        [
            _finding(
                "KMS:003",
                "Nothing in the plan is seen to use the key, and no output of the root module hands it on.",
                "Give the key to the resources that it is meant for; if others use it, hand its ARN on by an "
                "output of the root module; else remove it. Look at its last usage before a live key is "
                "deleted.",
                "unused",
                severity=Severity.WARNING,
            ),
            _finding(
                "KMS:010",
                "The key has no alias.",
                "Attach an aws_kms_alias; a replica needs one of its own in its Region.",
                "missing",
                severity=Severity.LOW,
            ),
        ],
    ),
    "deleted": (
        _around(_hardened(), actions=["delete"]),
        [
            _finding(
                "KMS:002",
                "The planned action is Delete: the key goes when its configuration, or the resource in it, "
                "is removed.",
                FORGET,
                "deletion-policy",
                severity=Severity.HIGH,
            )
        ],
    ),
    "replaced": (
        _around(_hardened(), actions=["delete", "create"]),
        [
            _finding(
                "KMS:002",
                "The planned action is Delete: the key goes when an update replaces it.",
                "Take back the change that makes Terraform replace the key; only keys whose tag environment "
                "says that it is short-lived (dev, development, sandbox, test) may go with their "
                "configuration.",
                "update-replace-policy",
                severity=Severity.HIGH,
            )
        ],
    ),
    "deleted, in an environment that comes and goes": (
        _around(_hardened(tags={**_hardened()["values"]["tags"], "environment": "dev"}), actions=["delete"]),
        [],
    ),
}


@pytest.mark.parametrize(("given", "expected"), WHOLE.values(), ids=WHOLE.keys())
def test_whole_findings(given: Json, expected: list[Finding]) -> None:
    estate, problems = read(given)

    found = findings_of(estate, authorised={"IAM-KMS-5": (DEPLOYER,)})

    assert [one for one in found if one.outcome in OPEN] == expected
    assert problems == []


# --- what modules create --------------------------------------------------------------------------------

_DELEGATES = [f"IAM-KMS-{number}[delegation]" for number in (3, 4, 5)]
_ADMINISTERS = sorted([*_DELEGATES, *(f"IAM-KMS-{number}[principal]" for number in (3, 4, 5))])
_ROTATES = ["IAM-KMS-7[delegation]"]
_ADMINISTERS_ROTATION = ["IAM-KMS-7[delegation]", "IAM-KMS-7[principal]"]
_GRANTS = ["IAM-KMS-6[CreateGrant]"]
_ONE_IN_BOTH = ["IAM-KMS-8[CreateGrant]", "IAM-KMS-8[delegation]"]
_ARTICLE = [*_ADMINISTERS, *_GRANTS, *_ADMINISTERS_ROTATION, *_ONE_IN_BOTH]
_UNUSED, _NOT_REVIEWED, _NO_ALIAS = "KMS:003[unused]", "KMS:008[missing]", "KMS:010[missing]"

ARTICLE = {
    "": [_NOT_REVIEWED],
    "module.kms_s3.aws_kms_key.this": [*_ARTICLE, _UNUSED],
    "module.kms_s3_prod.aws_kms_key.this": [*_ARTICLE],
}
COMPLETE = {
    "": [_NOT_REVIEWED],
    "module.kms_complete.aws_kms_key.this[0]": [
        *_ADMINISTERS,
        *_GRANTS,
        "IAM-KMS-6[direct-grant]",
        *_ADMINISTERS_ROTATION,
        "IAM-KMS-8[delegation]",
        "IAM-KMS-8[key-policy]",
        "KMS:001[enabled]",
        _UNUSED,
        "KMS:004[all-actions]",
    ],
    "module.kms_default.aws_kms_key.this[0]": [
        *_DELEGATES,
        *_GRANTS,
        *_ROTATES,
        "IAM-KMS-8[delegation]",
        _UNUSED,
        _NO_ALIAS,
    ],
    "module.kms_dnssec_signing.aws_kms_key.this[0]": [
        *_DELEGATES,
        *_GRANTS,
        "IAM-KMS-6[source]",
        "IAM-KMS-8[delegation]",
        _UNUSED,
        _NO_ALIAS,
    ],
    "module.kms_external.aws_kms_external_key.this[0]": [
        "IAM-KMS-2[delegation]",
        *_DELEGATES,
        *_GRANTS,
        "IAM-KMS-8[delegation]",
        _UNUSED,
        _NO_ALIAS,
    ],
    "module.kms_primary.aws_kms_key.this[0]": [
        *_ADMINISTERS,
        *_GRANTS,
        *_ADMINISTERS_ROTATION,
        *_ONE_IN_BOTH,
        _UNUSED,
        _NO_ALIAS,
    ],
    "module.kms_replica.aws_kms_replica_key.this[0]": [
        *_ADMINISTERS,
        *_GRANTS,
        *_ONE_IN_BOTH,
        _NO_ALIAS,
    ],
}


def test_what_the_article_s_module_creates() -> None:
    assert open_ids(samples.article()) == ARTICLE


def test_what_the_complete_example_of_a_widely_used_module_creates() -> None:
    assert open_ids(samples.complete()) == COMPLETE


def test_a_public_key_is_public_in_a_plan_too() -> None:
    given = _around(_hardened(policy=policy(statement({"AWS": "*"}, "kms:Decrypt", Sid="Anyone"))))

    assert "KMS:004[public]" in open_ids(given)[KEY]


def test_an_iam_policy_that_decrypts_with_every_key_is_found() -> None:
    document = policy({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"})
    given = plan(
        made("aws_iam_role.app", {"name": "app", "path": "/"}, unknown={"arn": True, "id": True}),
        made("aws_iam_policy.wide", {"name": "wide", "path": "/", "policy": document}, unknown={"arn": True}),
        made("aws_iam_role_policy_attachment.a", {"role": "app"}, unknown={"policy_arn": True, "id": True}),
        configuration=module(
            block("aws_iam_role.app", {"name": constant("app")}),
            block("aws_iam_policy.wide"),
            block("aws_iam_role_policy_attachment.a", {"policy_arn": refers("aws_iam_policy.wide.arn")}),
        ),
    )

    found = open_ids(given)

    assert list(found) == ["aws_iam_policy.wide"]
    assert any(one.startswith("KMS:004") for one in found["aws_iam_policy.wide"])


# --- parity with a template -----------------------------------------------------------------------------


def _verdicts(estate: Estate) -> set[tuple[str, str, str]]:
    """Control, outcome and detail of every answer but that on uses, which a plan does not tell."""
    return {
        (one.control, one.outcome.value, one.detail)
        for one in findings_of(estate)
        if one.control != "KMS:USE"
    }


@settings(max_examples=60, deadline=None)
@given(documents())
def test_one_key_has_the_same_verdicts_from_a_template_and_from_a_plan(
    document: Mapping[str, object],
) -> None:
    template = {
        "Resources": {
            "Key": {
                "Type": "AWS::KMS::Key",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {"KeyPolicy": document, "EnableKeyRotation": True},
            },
            "Alias": {
                "Type": "AWS::KMS::Alias",
                "Properties": {"AliasName": "alias/orders", "TargetKeyId": {"Ref": "Key"}},
            },
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}},
        }
    }
    key = made(
        KEY,
        {"policy": json.dumps(document), "enable_key_rotation": True},
        unknown={"arn": True, "id": True, "key_id": True},
    )

    estate, problems = read(_around(key))

    assert problems == []
    assert _verdicts(estate) == _verdicts(
        estate_from_templates([TemplateInput(template, "app.json", "App", ACCOUNT, REGION)])
    )
