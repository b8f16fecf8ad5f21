"""Findings over every world of a template: what they say, and that none is lost."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_constructs.guardrails.config import Acknowledgement, GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, Outcome, Report
from kms_constructs.model.estate import Estate, Location
from tests.sources.cloudformation.templates_with_choices import (
    ACCOUNT,
    NOTHING,
    OWN,
    PUBLIC,
    ROOT,
    STAGE,
    TEXT,
    Part,
    by_stage,
    equals,
    estate_of,
    key,
    nesting,
    ref,
    template,
    when,
)

OPEN_IN_PROD = when("IsProd", PUBLIC)
NOT_KNOWN = {**PUBLIC, "Principal": {"AWS": {"Fn::ImportValue": "who"}}}
LIMITED = {**PUBLIC, "Condition": {"StringLike": {"aws:PrincipalOrgID": {"Fn::ImportValue": "who"}}}}
TAGGED: Part = {"Tags": [{"Key": "Environment", "Value": ref("Stage")}], "EnableKeyRotation": True}
READ: Part = {
    "Type": "AWS::IAM::ManagedPolicy",
    "Properties": {
        "PolicyDocument": {
            "Statement": {
                "Effect": "Allow",
                "Action": "kms:Decrypt",
                "Resource": {"Fn::FindInMap": ["Env", ref("Stage"), "Key"]},
            }
        }
    },
}
KEY_ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ALIAS: Part = {
    "Type": "AWS::KMS::Alias",
    "Properties": {"AliasName": "alias/a", "TargetKeyId": ref("Key")},
}
EVERYONE = "Statement 'Open' lets in any principal of any account; no condition says who may call."
VIOLATION, UNDETERMINED, COMPLIANT = Outcome.VIOLATION, Outcome.UNDETERMINED, Outcome.COMPLIANT

Told = tuple[Outcome, str, str, str]
CASES: dict[str, tuple[str, Estate, list[Told]]] = {
    "a branch that opens the key": (
        "KMS:004",
        estate_of(by_stage(OPEN_IN_PROD)),
        [
            (
                VIOLATION,
                "KMS:004[public]",
                "Stage=prod",
                f"With Stage=prod: {EVERYONE}",
            )
        ],
    ),
    "in every world": (
        "KMS:004",
        estate_of(by_stage(PUBLIC, when("IsProd", {**OWN, "Sid": "More"}))),
        [
            (
                VIOLATION,
                "KMS:004[public]",
                "",
                EVERYONE,
            )
        ],
    ),
    "in both branches, in other places": (
        "KMS:004",
        estate_of(by_stage(when("IsProd", {**OWN, "Sid": "More"}), PUBLIC)),
        [
            (
                VIOLATION,
                "KMS:004[public]",
                "",
                EVERYONE,
            )
        ],
    ),
    "in none": (
        "KMS:004",
        estate_of(by_stage(when("IsProd", {**OWN, "Sid": "More"}))),
        [
            (
                COMPLIANT,
                "KMS:004",
                "",
                "Every Allow names who it is for, and is limited where it leaves the account.",
            )
        ],
    ),
    "undetermined in one and a violation in another": (
        "KMS:004",
        estate_of(by_stage(when("IsProd", PUBLIC, LIMITED))),
        [
            (
                VIOLATION,
                "KMS:004[public]",
                "Stage=prod",
                f"With Stage=prod: {EVERYONE}",
            )
        ],
    ),
    "for two reasons": (
        "KMS:010",
        estate_of(
            by_stage(
                Resources={"Key": key(), "Name": {**ALIAS, "Condition": "Shown"}},
                Conditions={
                    "Shown": {
                        "Fn::And": [equals(ref("Stage"), "prod"), equals({"Fn::ImportValue": "x"}, "y")]
                    }
                },
            )
        ),
        [
            (
                UNDETERMINED,
                "KMS:010[conditional]",
                "Stage=prod",
                "With Stage=prod: Whether alias/a exists is not known: a condition decides it that is not "
                "resolved.",
            ),
            (VIOLATION, "KMS:010[missing]", "Stage=dev", "With Stage=dev: The key has no alias."),
        ],
    ),
    "undetermined in one and compliant in another": (
        "KMS:004",
        estate_of(by_stage(when("IsProd", NOT_KNOWN))),
        [
            (
                UNDETERMINED,
                "KMS:004[unresolved]",
                "Stage=prod",
                "With Stage=prod: Whom statement 'Open' lets in is not known: "
                "${app.Fn::ImportValue(who)} is no ARN and no account id.",
            )
        ],
    ),
    "a resource that some worlds have": (
        "KMS:004",
        estate_of(by_stage(Resources={"Key": {**key(PUBLIC), "Condition": "IsProd"}})),
        [
            (
                VIOLATION,
                "KMS:004[public]",
                "",
                EVERYONE,
            )
        ],
    ),
    "what keeps the key follows its environment": (
        "KMS:002",
        estate_of(
            by_stage(
                Resources={
                    "Key": {**key(DeletionPolicy=when("IsProd", "Retain", "Delete")), "Properties": TAGGED}
                }
            )
        ),
        [
            (
                COMPLIANT,
                "KMS:002",
                "",
                "The key is kept when its stack goes, and its pending window is long enough.",
            )
        ],
    ),
    "an alias in one world": (
        "KMS:010",
        estate_of(by_stage(Resources={"Key": key(), "Name": {**ALIAS, "Condition": "IsProd"}})),
        [(VIOLATION, "KMS:010[missing]", "Stage=dev", "With Stage=dev: The key has no alias.")],
    ),
    "an IAM policy by a mapping": (
        "KMS:004",
        estate_of(
            by_stage(
                Resources={"Read": READ}, Mappings={"Env": {"dev": {"Key": "*"}, "prod": {"Key": KEY_ARN}}}
            )
        ),
        [
            (
                VIOLATION,
                "KMS:004[decrypt-on-all-keys]",
                "Stage=dev",
                "With Stage=dev: Managed policy 'Read', statement 0 gives any principal of account "
                "${AWS::AccountId} kms:Decrypt on all keys.",
            )
        ],
    ),
    "any other value than those that are named": (
        "KMS:004",
        estate_of(by_stage(when("IsProd", NOTHING, PUBLIC), stage=TEXT)),
        [
            (
                VIOLATION,
                "KMS:004[public]",
                "Stage=dev or (another value)",
                f"With Stage=dev or (another value): {EVERYONE}",
            )
        ],
    ),
    "a value of the parent": (
        "KMS:004",
        estate_of(nesting({"Stage": ref("Stage")}), nested=by_stage(OPEN_IN_PROD)),
        [
            (
                VIOLATION,
                "KMS:004[public]",
                "Stage=prod",
                f"With Stage=prod: {EVERYONE}",
            )
        ],
    ),
    "beyond the bound": (
        "KMS:010",
        estate_of(
            template(
                {
                    "Key": key(*(when(f"C{number}", {**OWN, "Sid": f"S{number}"}) for number in range(6))),
                    "Name": {**ALIAS, "Condition": "C6"},
                },
                Parameters={f"P{number}": STAGE for number in range(7)},
                Conditions={f"C{number}": equals(ref(f"P{number}"), "prod") for number in range(7)},
            )
        ),
        [
            (
                UNDETERMINED,
                "KMS:010[conditional]",
                "",
                "Whether alias/a exists is not known: a condition decides it that is not resolved.",
            )
        ],
    ),
}


def told(report: Report) -> list[Told]:
    return [(one.outcome, one.id, one.world, one.message) for one in report.findings]


@pytest.mark.parametrize(("control", "estate", "findings"), CASES.values(), ids=CASES.keys())
def test_findings(control: str, estate: Estate, findings: list[Told]) -> None:
    assert told(judge(estate, controls=[control])) == findings


def test_the_report_counts_the_keys_of_all_worlds() -> None:
    resources: Part = {
        "Key": {**key(), "Condition": "IsProd"},
        "Other": {**key(), "Condition": "IsDev"},
    }
    conditions = {"IsProd": equals(ref("Stage"), "prod"), "IsDev": equals(ref("Stage"), "dev")}
    assert judge(estate_of(by_stage(Resources=resources, Conditions=conditions))).keys == 2


def test_a_finding_of_one_world_can_be_acknowledged() -> None:
    accepted = Acknowledgement(id="KMS:004[public:*]", resource="*Key", reason="it is a test")
    report = judge(
        estate_of(by_stage(OPEN_IN_PROD)),
        GuardrailConfig(acknowledgements=(accepted,)),
        controls=["KMS:004"],
    )
    assert [(one.world, one.acknowledged) for one in report.findings] == [("Stage=prod", "it is a test")]


def test_a_key_is_judged_anew_where_the_iam_policies_differ() -> None:
    """The key is the same in both worlds; what an IAM policy makes of its delegation is not."""
    delegating = key(
        {**PUBLIC, "Sid": "All", "Action": "kms:EnableKey", "Principal": {"AWS": ROOT}},
        {
            **PUBLIC,
            "Sid": "Use",
            "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/App"}},
        },
    )
    role: Part = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": "App",
            "AssumeRolePolicyDocument": {},
            "Policies": [
                {
                    "PolicyName": "P",
                    "PolicyDocument": {
                        "Statement": {
                            "Effect": "Allow",
                            "Action": "kms:EnableKey",
                            "Resource": "*",
                        }
                    },
                }
            ],
        },
        "Condition": "IsProd",
    }
    document = by_stage(Resources={"Key": delegating, "Role": role})
    merged = judge(estate_of(document), controls=["IAM-KMS-8"])
    in_prod = judge(estate_of(document, {"Stage": "prod"}), controls=["IAM-KMS-8"])
    in_dev = judge(estate_of(document, {"Stage": "dev"}), controls=["IAM-KMS-8"])
    assert violations(list(in_prod.findings)) != violations(list(in_dev.findings))
    assert violations(list(merged.findings)) == violations([*in_prod.findings, *in_dev.findings])


# --- no verdict of a world is lost ----------------------------------------------------------------------

NAMES = ("Stage", "Size", "Open")
VALUES = ("a", "b", "c")
STATEMENTS = (
    PUBLIC,
    {**PUBLIC, "Sid": "All", "Action": "kms:*", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
    {**PUBLIC, "Sid": "Deny", "Effect": "Deny", "Action": "kms:PutKeyPolicy"},
    NOT_KNOWN,
    LIMITED,
    NOTHING,
)
parameters = st.fixed_dictionaries(
    {}, optional={name: st.lists(st.sampled_from(VALUES), min_size=1, unique=True) for name in NAMES}
)
comparisons = st.builds(
    lambda name, value: equals(ref(name), value), st.sampled_from(NAMES), st.sampled_from(VALUES)
)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"Fn::And": parts}, st.lists(inner, min_size=2, max_size=2)),
        st.builds(lambda parts: {"Fn::Or": parts}, st.lists(inner, min_size=2, max_size=2)),
        st.builds(lambda part: {"Fn::Not": [part]}, inner),
    ),
    max_leaves=4,
)
statements = st.recursive(
    st.sampled_from(STATEMENTS),
    lambda inner: st.builds(when, st.sampled_from(["One", "Two"]), inner, inner),
    max_leaves=4,
)
mapped = st.builds(
    lambda name, row: (
        {"Fn::FindInMap": ["Map", ref(name), "Who"]},
        {one: {"Who": row[one]} for one in VALUES},
    ),
    st.sampled_from(NAMES),
    st.fixed_dictionaries({one: st.sampled_from(["*", ACCOUNT]) for one in VALUES}),
)


@st.composite
def documents(draw: st.DrawFn) -> Part:
    """A template of two keys, an alias, an IAM policy; every parameter has allowed values."""
    allowed = {name: ["a"] for name in NAMES} | draw(parameters)
    who, rows = draw(mapped)
    listed = draw(st.lists(statements, max_size=3))
    first = key(*listed, {**PUBLIC, "Sid": "Mapped", "Principal": {"AWS": who}})
    first["DeletionPolicy"] = draw(st.sampled_from(["Retain", when("One", "Retain", "Delete")]))
    second = {**key(draw(statements)), "Condition": draw(st.sampled_from(["One", "Two"]))}
    return template(
        {
            "Key": first,
            "Second": second,
            "Name": {**ALIAS, "Condition": "Two"},
            "Read": {**READ, "Condition": "One"},
        },
        Parameters={name: {"Type": "String", "AllowedValues": values} for name, values in allowed.items()},
        Conditions={"One": draw(conditions), "Two": draw(conditions)},
        Mappings={
            "Map": rows,
            "Env": {one: {"Key": draw(st.sampled_from(["*", KEY_ARN]))} for one in VALUES},
        },
    )


RANK = (Outcome.NOT_APPLICABLE, COMPLIANT, UNDETERMINED, VIOLATION)


def worst(findings: list[Finding]) -> dict[tuple[str, Location], Outcome]:
    found: dict[tuple[str, Location], Outcome] = {}
    for one in findings:
        place = one.control, one.location
        found[place] = max(found.get(place, RANK[0]), one.outcome, key=RANK.index)
    return found


def violations(findings: list[Finding]) -> set[tuple[str, Location]]:
    return {(one.id, one.location) for one in findings if one.outcome is VIOLATION}


@settings(max_examples=60, deadline=None)
@given(documents())
def test_the_verdict_is_the_worst_over_every_choice(document: Part) -> None:
    declared = document["Parameters"]
    assert isinstance(declared, dict)
    choices = [
        dict(zip(declared, values, strict=True))
        for values in product(*(one["AllowedValues"] for one in declared.values()))
    ]
    each = [one for choice in choices for one in judge(estate_of(document, choice)).findings]
    merged = list(judge(estate_of(document)).findings)
    assert worst(merged) == worst(each)
    assert violations(merged) == violations(each)


@settings(max_examples=30, deadline=None)
@given(documents())
def test_the_order_of_inputs_changes_no_verdict(document: Part) -> None:
    declared = document["Parameters"]
    assert isinstance(declared, dict)
    turned = {
        name: {**one, "AllowedValues": one["AllowedValues"][::-1]} for name, one in reversed(declared.items())
    }
    one, other = judge(estate_of(document)), judge(estate_of({**document, "Parameters": turned}))
    assert worst(list(one.findings)) == worst(list(other.findings))
    assert violations(list(one.findings)) == violations(list(other.findings))
