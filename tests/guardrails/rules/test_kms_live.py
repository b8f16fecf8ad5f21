from __future__ import annotations

from dataclasses import replace

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, Outcome
from kms_constructs.model.estate import Estate
from kms_constructs.sources.kms_api.answers import Answer, Answers, Call, Refusal
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.guardrails.factories import TODAY, C, N, Said, U, V, a_key, said
from tests.guardrails.factories import judge as judge_key
from tests.sources.kms_api.build import ACCOUNT, GOOD_POLICY, KEY_ID, REGION, Seed, answers_of, refused

TRAIL = {"TrailARN": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/all", "HomeRegion": REGION}
STATE = "DescribeKey/KeyMetadata/KeyState"
PRIMARY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/mrk-1"


def live(*seeds: Seed) -> Estate:
    return estate_from_answers(answers_of(*seeds, trails=[TRAIL]))


def found(estate: Estate, control: str = "KMS:LIVE") -> tuple[Finding, ...]:
    return judge(estate, GuardrailConfig(), controls=[control], today=TODAY).findings


def enclave(**condition: str) -> Seed:
    allow = {
        "Sid": "Enclave",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/E"},
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringEqualsIgnoreCase": condition},
    }
    return Seed(policy={**GOOD_POLICY, "Statement": [*GOOD_POLICY["Statement"], allow]})  # type: ignore[misc]


def used(last: str | None, tracked: str = "2026-01-01", made: str = "2026-01-15") -> Seed:
    usage: dict[str, object] = {"TrackingStartDate": tracked, "KeyCreationDate": made}
    if last is not None:
        usage["KeyLastUsage"] = {"Timestamp": f"{last}T10:00:00+00:00"}
    return Seed(usage=usage, metadata={"CreationDate": f"{made}T10:00:00+00:00"})


def imported(until: str) -> Seed:
    return Seed(
        metadata={
            "Origin": "EXTERNAL",
            "ExpirationModel": "KEY_MATERIAL_EXPIRES",
            "ValidTo": f"{until}T00:00:00+00:00",
        }
    )


FINE = Said(C, "", "", "The live key is in a state in which it can be used.")
CASES: dict[str, tuple[Seed, Said]] = {
    "a good key": (Seed(), FINE),
    "it waits for its material": (
        Seed(metadata={"KeyState": "PendingImport"}),
        Said(V, "state", STATE, "The key is in state PendingImport: nothing can use it."),
    ),
    "disabled": (
        Seed(metadata={"KeyState": "Disabled"}),
        Said(V, "state", STATE, "The key is disabled: nothing can use it."),
    ),
    "used lately": (used("2026-05-20"), FINE),
    "used long ago": (
        used("2026-02-20"),
        Said(V, "unused", "GetKeyLastUsage", "The key was last used on 2026-02-20, longer ago than 90 days."),
    ),
    "never used": (
        used(None),
        Said(
            V,
            "unused",
            "GetKeyLastUsage",
            "The key has not been used since 2026-01-15, longer ago than 90 days.",
        ),
    ),
    "made lately and not yet used": (used(None, made="2026-05-20"), FINE),
    "whether it was used is not known": (used(None, made="2025-01-01"), FINE),
    "material expires soon": (
        imported("2026-06-20"),
        Said(
            V,
            "expiring",
            "DescribeKey/KeyMetadata/ValidTo",
            "The imported key material expires on 2026-06-20, within 30 days: then nothing can use the key.",
        ),
    ),
    "material expires next year": (imported("2027-02-01"), FINE),
    "an enclave with its image": (enclave(**{"kms:RecipientAttestation:ImageSha384": "ab"}), FINE),
    "an enclave with its signer": (enclave(**{"kms:RecipientAttestation:PCR8": "ab"}), FINE),
    "an enclave of any image": (
        enclave(**{"kms:RecipientAttestation:PCR3": "ab"}),
        Said(
            V,
            "attestation",
            "GetKeyPolicy/Policy/Statement/1",
            "Statement 'Enclave' asks for the attestation of an enclave and takes that of any image.",
        ),
    ),
}


@pytest.mark.parametrize(("seed", "expected"), CASES.values(), ids=CASES)
def test_a_live_key(seed: Seed, expected: Said) -> None:
    assert said(found(live(seed))) == [expected]


def test_a_key_of_a_template_is_not_judged() -> None:
    assert said(judge_key("KMS:LIVE", a_key())) == [Said(N, "", "", "Not applicable: it is no live key.")]


def test_an_account_without_a_trail() -> None:
    assert [(one.id, one.outcome, one.location.source) for one in trail_findings(answers_of(Seed()))] == [
        ("KMS:LIVE[no-trail]", V, ACCOUNT)
    ]


def trail_findings(answers: Answers) -> list[Finding]:
    estate = estate_from_answers(answers)
    controls = ["KMS:LIVE", "KMS:005"]
    return [one for one in judge(estate, controls=controls, today=TODAY).findings if one.fails]


def test_the_trail_of_an_organization_may_record_an_account_that_is_shown_none() -> None:
    member = answers_of(Seed(), management_account="999988887777")
    (one,) = trail_findings(member)
    assert (one.id, one.outcome, one.location.source) == (
        "KMS:005[excluded]",
        U,
        f"{ACCOUNT}/organizations",
    )
    assert "the account's organization may have one that is not shown to it" in one.message
    # To its management account every trail of the organization is shown.
    management = answers_of(Seed(), management_account=ACCOUNT)
    assert [one.id for one in trail_findings(management)] == ["KMS:LIVE[no-trail]"]


def test_an_account_that_does_not_say_whether_it_is_in_an_organization() -> None:
    call = Call.of(ACCOUNT, "global", "organizations", "DescribeOrganization")
    findings = trail_findings(refused(answers_of(Seed()), call))
    assert {(one.id, one.outcome) for one in findings} == {
        ("KMS:005[excluded]", U),
        ("KMS:LIVE[unanswered]", U),
    }


def test_the_trail_of_an_organization_that_is_shown_counts_as_any_other() -> None:
    arn = f"arn:aws:cloudtrail:{REGION}:999988887777:trail/organization"
    shown = {"TrailARN": arn, "HomeRegion": REGION, "IsOrganizationTrail": True}
    assert trail_findings(answers_of(Seed(), trails=[shown])) == []


def test_a_trail_of_one_region_says_nothing_of_another() -> None:
    answers = answers_of(Seed(), Seed(key_id="other", region="us-east-1"), trails=[TRAIL])
    answers.given[Call.of(ACCOUNT, "us-east-1", "cloudtrail", "DescribeTrails")] = Answer({"trailList": []})
    absent = Answer(refusal=Refusal("AWSOrganizationsNotInUseException"))
    answers.given[Call.of(ACCOUNT, "global", "organizations", "DescribeOrganization")] = absent
    (one,) = trail_findings(answers)
    assert (one.id, one.message.rpartition(" in ")[2]) == ("KMS:LIVE[no-trail]", "us-east-1.")


def test_a_trail_of_one_account_says_nothing_of_another() -> None:
    trail = estate_from_answers(answers_of(Seed(), trails=[TRAIL])).trails[0]
    off = replace(trail, id="off", account="444455556666", logging=False)
    estate = replace(live(Seed()), trails=(trail, off))
    findings = judge(estate, controls=["KMS:005"], today=TODAY).findings
    assert [(one.id, one.outcome) for one in findings if one.fails] == [("KMS:005[none]", V)]


def replica(**changes: object) -> Seed:
    configuration = {
        "MultiRegionKeyType": "REPLICA",
        "PrimaryKey": {"Arn": PRIMARY, "Region": "us-east-1"},
    }
    metadata = {"MultiRegion": True, "MultiRegionConfiguration": configuration}
    return replace(Seed(key_id="mrk-1", metadata=metadata), **changes)  # type: ignore[arg-type]


def primary(policy: object = GOOD_POLICY) -> Seed:
    return Seed(
        key_id="mrk-1",
        region="us-east-1",
        metadata={"MultiRegion": True},
        policy=policy,  # type: ignore[arg-type]
    )


def with_region(region: str) -> dict[str, object]:
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/A"},
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
    }
    return {**GOOD_POLICY, "Statement": [*GOOD_POLICY["Statement"], allow]}  # type: ignore[misc]


def test_a_replica_with_the_policy_of_its_primary() -> None:
    estate = live(primary(with_region("us-east-1")), replica(policy=with_region(REGION)))
    assert {one.outcome for one in found(estate)} == {Outcome.COMPLIANT}


def test_a_replica_whose_policy_has_drifted() -> None:
    (one,) = (one for one in found(live(primary(), replica(policy=with_region(REGION)))) if one.fails)
    assert (one.detail, one.message) == (
        "replica-policy",
        "The policy of the replica differs from that of its primary: the replica alone has statement 1.",
    )


def test_a_primary_whose_policy_is_not_known_leaves_it_open() -> None:
    call = Call.of(ACCOUNT, "us-east-1", "kms", "GetKeyPolicy", KeyId="mrk-1", PolicyName="default")
    estate = estate_from_answers(refused(answers_of(primary(), replica(), trails=[TRAIL]), call))
    assert [one.outcome for one in found(estate) if one.detail == "replica-policy"] == [U]


def test_a_replica_whose_primary_was_not_audited_is_not_said_to_be_alike() -> None:
    (one,) = (one for one in found(live(replica())) if one.detail == "replica-policy")
    assert (one.outcome, one.fix) == (U, f"Audit {ACCOUNT}/us-east-1 as well.")


def test_what_was_not_answered_names_the_call() -> None:
    call = Call.of(ACCOUNT, REGION, "kms", "ListGrants", KeyId=KEY_ID)
    estate = estate_from_answers(refused(answers_of(Seed(), trails=[TRAIL]), call))
    (one,) = (one for one in found(estate) if one.detail == "unanswered")
    assert (one.outcome, one.location.logical_id, one.message, one.fix) == (
        U,
        KEY_ID,
        "Not known is the grants: kms:ListGrants brought AccessDeniedException (it is refused).",
        "Allow the caller kms:ListGrants if it was refused, and audit again; --resume asks only what is "
        "missing.",
    )


def test_a_state_that_is_not_known_is_no_pass() -> None:
    call = Call.of(ACCOUNT, REGION, "kms", "DescribeKey", KeyId=KEY_ID)
    estate = estate_from_answers(refused(answers_of(Seed(), trails=[TRAIL]), call))
    assert [one.outcome for one in found(estate) if one.detail == "state"] == [U]
    assert [one.outcome for one in found(estate, "KMS:002")] == [U]
