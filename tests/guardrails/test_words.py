"""A rule speaks the words of its key's source: of CloudFormation only to those who write templates."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge as judge_estate
from kms_constructs.guardrails.finding import Finding, Outcome
from kms_constructs.model.estate import Estate, Key, KeyKind, Location, Reference
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.unknown import Unknown
from kms_constructs.model.vocabulary import CLOUDFORMATION, Vocabulary
from tests.guardrails.factories import (
    ACCOUNT,
    ROOT,
    TODAY,
    a_key,
    a_trail,
    allow,
    an_iam_policy,
    iam_allow,
    judge,
)
from tests.strategies import key_of, statements
from tests.vocabularies import KMS_API, TERRAFORM

FOREIGN = re.compile(
    r"AWS::|CloudFormation|\bstacks?\b|\btemplates?\b|--parameter|Properties|(?<!Key)Metadata/"
    r"|\bthe app\b|this app\b|DeletionPolicy|UpdateReplacePolicy|PendingWindowInDays|EnableKeyRotation|"
    r"TargetKeyId|materialExpires|ExcludeManagementEventSources|Retain",
)
"""Words that nobody writes outside a template; those that a source's own paths hold are left to it."""
CONFIG = GuardrailConfig(multi_region_classifications=("restricted",), trusted_accounts=("999988887777",))
WHY = Unknown("it is not known")


def texts(findings: tuple[Finding, ...]) -> list[str]:
    return [text for one in findings for text in (one.message, one.fix, one.path)]


FACTS: dict[str, st.SearchStrategy[Any]] = {
    "rotation_enabled": st.sampled_from([None, True, False, WHY]),
    "rotation_period": st.sampled_from([None, 90, 400, 9999, WHY]),
    "pending_window": st.sampled_from([None, 7, 30, 99, WHY]),
    "deletion_policy": st.sampled_from([None, "Delete", "Retain", WHY]),
    "update_replace_policy": st.sampled_from([None, "Delete", "Retain", WHY]),
    "key_spec": st.sampled_from(["SYMMETRIC_DEFAULT", "RSA_4096", "NEW_SPEC", WHY]),
    "origin": st.sampled_from(["AWS_KMS", "EXTERNAL", WHY]),
    "multi_region": st.sampled_from([True, False, WHY]),
    "kind": st.sampled_from(KeyKind),
    "aliases": st.sampled_from([(), ("alias/a",)]),
    "conditional_aliases": st.sampled_from([(), ("alias/a",)]),
    "repeated_aliases": st.sampled_from([(), ("alias/a",)]),
    "deployer": st.sampled_from([None, "arn:aws:iam::111122223333:role/Deploy"]),
    "referenced_outside": st.booleans(),
    "bypass_lockout_check": st.sampled_from([True, False, WHY]),
    "key_state": st.sampled_from([None, "Enabled", "PendingDeletion"]),
    "material_expires": st.sampled_from([None, "2020-01-01", "2026-12-01", "soon", WHY]),
    "account": st.sampled_from([ACCOUNT, "\ue000e:AWS::AccountId\ue001"]),
    "tags": st.sampled_from(
        [
            {},
            WHY,
            {"environment": "prd", "data-classification": "restricted", "service": "a"},
            {"environment": "dev", "data-classification": WHY, "kms:policy-reviewed-on": "2020-01-01"},
            {"environment": WHY, "kms:policy-reviewed-on": "soon"},
        ]
    ),
}


@st.composite
def estates(draw: st.DrawFn, vocabulary: Vocabulary) -> Estate:
    facts = {name: draw(values) for name, values in FACTS.items()}
    document = {"Statement": draw(st.lists(statements(), max_size=3))}
    location = Location("source", logical_id="key")
    uses = tuple(
        Reference(location, kind, tags={"service": service})
        for kind, service in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["aws_s3_bucket", f"{vocabulary.kms_types}alias"]), st.sampled_from("ab")
                ),
                max_size=2,
            )
        )
    )
    key: Key = replace(key_of(document), location=location, vocabulary=vocabulary, references=uses, **facts)
    given = iam_allow(draw(st.sampled_from(["kms:*", "kms:DisableKey", "kms:Decrypt"])), "*")
    policy = an_iam_policy(policy=parse_policy({"Statement": [given]}), vocabulary=vocabulary)
    trails = draw(
        st.lists(
            st.builds(
                a_trail,
                logging=st.sampled_from([True, False, WHY]),
                kms_excluded=st.sampled_from([True, False, WHY]),
                management_events=st.booleans(),
                path=st.just(""),
                vocabulary=st.just(vocabulary),
            ),
            max_size=2,
        )
    )
    loose = draw(st.sampled_from([(), ("alias/loose",)]))
    return Estate(keys=(key,), identity_policies=(policy,), trails=tuple(trails), unattached_aliases=loose)


@pytest.mark.parametrize("vocabulary", [TERRAFORM, KMS_API], ids=lambda one: one.source)
@given(st.data())
def test_no_rule_speaks_cloudformation_of_a_key_of_another_source(
    vocabulary: Vocabulary, data: st.DataObject
) -> None:
    estate = data.draw(estates(vocabulary))
    findings = judge_estate(estate, CONFIG, today=TODAY).findings
    assert not any(finding.detail == "internal-error" for finding in findings)
    spoken = [text for text in texts(findings) if FOREIGN.search(text.replace("${AWS::AccountId}", ""))]
    assert spoken == []


def test_the_property_would_notice() -> None:
    key = a_key(
        rotation_enabled=False,
        pending_window=7,
        deletion_policy="Delete",
        referenced_outside=False,
        aliases=(),
    )
    findings = judge_estate(Estate(keys=(key,)), CONFIG, today=TODAY).findings
    spoken = {finding.control for finding in findings if FOREIGN.search(f"{finding.message} {finding.fix}")}
    assert {"KMS:001", "KMS:002", "KMS:003", "KMS:010"} <= spoken


CASES: dict[str, tuple[Vocabulary, str, dict[str, Any], str, str]] = {
    "rotation in a plan": (
        TERRAFORM,
        "KMS:001",
        {"rotation_enabled": False},
        "enable_key_rotation",
        "Set enable_key_rotation to true.",
    ),
    "rotation of a live key": (
        KMS_API,
        "KMS:001",
        {"rotation_enabled": False},
        "GetKeyRotationStatus/KeyRotationEnabled",
        "Switch rotation on.",
    ),
    "whether it rotates is not known": (
        TERRAFORM,
        "KMS:001",
        {"rotation_enabled": WHY},
        "enable_key_rotation",
        "Set enable_key_rotation to true and rotation_period_in_days to at most the configured ceiling (365 "
        "days by default).",
    ),
    "the window in a plan": (
        TERRAFORM,
        "KMS:002",
        {"pending_window": 7},
        "deletion_window_in_days",
        "Set deletion_window_in_days to at least 30, or lower production-pending-window.",
    ),
    "a use in a plan": (
        TERRAFORM,
        "KMS:003",
        {
            "referenced_outside": False,
            "references": (Reference(Location("plan.json"), "aws_kms_alias"),),
        },
        "",
        "Give the key to the resources that it is meant for; if others use it, hand its ARN on by an output "
        "of the root module; else remove it. Look at its last usage before a live key is deleted.",
    ),
    "an alias in a plan": (
        TERRAFORM,
        "KMS:010",
        {"aliases": ()},
        "",
        "Attach an aws_kms_alias; a replica needs one of its own in its Region.",
    ),
    "the lockout check in a plan": (
        TERRAFORM,
        "KMS:LINT",
        {"bypass_lockout_check": True},
        "bypass_policy_lockout_safety_check",
        "Take the property out.",
    ),
}


@pytest.mark.parametrize(("vocabulary", "control", "facts", "path", "fix"), CASES.values(), ids=CASES)
def test_path_and_fix(
    vocabulary: Vocabulary, control: str, facts: dict[str, Any], path: str, fix: str
) -> None:
    (found,) = judge(control, a_key(vocabulary=vocabulary, **facts))
    assert found.outcome in (Outcome.VIOLATION, Outcome.UNDETERMINED)
    assert (found.path, found.fix) == (path, fix)


def test_iam_policies_of_a_plan_are_the_plans() -> None:
    key = a_key(allow(ROOT, "kms:*", sid="All"), vocabulary=TERRAFORM)
    (found, *_) = judge("IAM-KMS-4", key)
    assert "no IAM policy of this plan does" in found.message


def test_the_catalogue_speaks_of_templates() -> None:
    (found,) = judge("KMS:010", a_key(aliases=()))
    assert found.fix == "Attach an AWS::KMS::Alias; a replica needs one of its own in its Region."
    assert CLOUDFORMATION.say("{alias}") == "an AWS::KMS::Alias"


def test_a_live_key_is_not_judged_by_what_no_api_tells() -> None:
    key = a_key(vocabulary=KMS_API, deletion_policy=None, update_replace_policy=None, pending_window=7)
    assert [finding.outcome for finding in judge("KMS:002", key)] == [Outcome.COMPLIANT]
