"""IAM-KMS-2, 3, 4, 5 and 7: one behaviour, five actions."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.finding import Finding
from kms_constructs.model.estate import IdentityPolicy, IdentityPolicyKind, Key, KeyKind, Organization
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS
from kms_constructs.model.policy import Policy, parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from kms_constructs.model.vocabulary import KEY_POLICY_FILE
from tests.guardrails.factories import (
    ACCOUNT,
    OTHER,
    ROOT,
    ROOT_STATEMENT,
    C,
    N,
    Said,
    U,
    V,
    a_key,
    a_policy,
    allow,
    an_iam_policy,
    deny,
    iam_allow,
    judge,
    role,
    said,
)

ACTIONS = {control: guarded.action for control, guarded in GUARDED_ACTIONS.items()}

FIRST, SECOND = "Properties/KeyPolicy/Statement/0", "Properties/KeyPolicy/Statement/1"
IAM_PATH = "Properties/PolicyDocument/Statement/0"
WHY = Unknown("parameter Who has no default")
GOOD = Said(C, "", "", "Only authorised principals can schedule the key for deletion.")
FULL = allow(ROOT, "kms:*", sid="Root")
KEY_ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/Key"
WHOLE_ACCOUNT = f"any principal of account {ACCOUNT}"


def guard(*exempt: str) -> dict[str, object]:
    return deny(
        "*",
        "kms:ScheduleKeyDeletion",
        sid="DenyDestruction",
        Condition={"ArnNotEquals": {"aws:PrincipalArn": [ROOT, *exempt]}},
    )


def principal(who: str, label: str = "Statement 1", path: str = SECOND) -> Said:
    return Said(
        V,
        "principal",
        path,
        f"{label} lets {who} call kms:ScheduleKeyDeletion without being authorised to schedule the key for "
        "deletion.",
    )


def delegated(seen: str) -> Said:
    return Said(
        V,
        "delegation",
        FIRST,
        f"Statement 'Root' leaves kms:ScheduleKeyDeletion to the IAM policies of {WHOLE_ACCOUNT}; {seen}.",
    )


UNKNOWN_NAME = hole(HoleKind.UNRESOLVED, "Name")
SOME_ROLE, NAMED = role(f"x/{UNKNOWN_NAME}"), role("x/${Name}")


def undecided(who: str, why: str = f"{NAMED} is undecided") -> Said:
    return Said(
        U,
        "unresolved",
        SECOND,
        f"Statement 1 lets {who} call kms:ScheduleKeyDeletion; whether that is only authorised principals is "
        f"not known: {why}.",
    )


NOBODY = "no IAM policy of this app does, and any other may"
AUTHORISED = {"IAM-KMS-3": (role("BreakGlass"),)}
CASES = {
    "nobody": (a_key(), [GOOD]),
    "users only": (a_key(allow(role("App"), "kms:Decrypt")), [GOOD]),
    "denied to all but the root user": (a_key(policy=a_policy(FULL, guard())), [GOOD]),
    "authorised by the key": (
        a_key(allow(role("BreakGlass"), "kms:ScheduleKeyDeletion"), authorised=AUTHORISED),
        [GOOD],
    ),
    "authorised by the key for all controls": (
        a_key(allow(role("BreakGlass"), "kms:ScheduleKeyDeletion"), authorised={"*": (role("Break*"),)}),
        [GOOD],
    ),
    "delegated, and left to the authorised": (
        a_key(policy=a_policy(FULL, guard(role("BreakGlass"))), authorised=AUTHORISED),
        [GOOD],
    ),
    "authorised for something else": (
        a_key(
            allow(role("BreakGlass"), "kms:ScheduleKeyDeletion"),
            authorised={"IAM-KMS-4": (role("BreakGlass"),)},
        ),
        [principal(role("BreakGlass"))],
    ),
    "an administrator": (
        a_key(allow(role("Admin"), "kms:ScheduleKeyDeletion", sid="Admins")),
        [principal(role("Admin"), "Statement 'Admins'")],
    ),
    "a wildcard": (a_key(allow(role("Admin"), "kms:S*")), [principal(role("Admin"))]),
    "all but": (
        a_key(
            {"Effect": "Allow", "Principal": {"AWS": role("A")}, "NotAction": "kms:Decrypt", "Resource": "*"}
        ),
        [principal(role("A"))],
    ),
    **{
        f"a name that deployment decides, {name}": (key, [finding])
        for name, key, finding in (
            (
                "and nobody is authorised",
                a_key(allow(SOME_ROLE, "kms:ScheduleKeyDeletion")),
                principal(NAMED),
            ),
            (
                "and cannot be the authorised one's",
                a_key(allow(SOME_ROLE, "kms:ScheduleKeyDeletion"), authorised={"*": (role("svc/Break*"),)}),
                principal(NAMED),
            ),
            (
                "and may be the authorised one's",
                a_key(allow(SOME_ROLE, "kms:ScheduleKeyDeletion"), authorised={"*": (role("*Glass"),)}),
                undecided(NAMED),
            ),
            (
                "and any is authorised",
                a_key(allow(SOME_ROLE, "kms:ScheduleKeyDeletion"), authorised={"*": (role("x/*"),)}),
                GOOD,
            ),
            (
                "of a session",
                a_key(
                    allow(f"arn:aws:sts::{ACCOUNT}:assumed-role/{UNKNOWN_NAME}/s", "kms:ScheduleKeyDeletion")
                ),
                principal(f"{role('${Name}')}, {role('*/${Name}')}"),
            ),
            (
                "and one is denied",
                a_key(
                    allow(SOME_ROLE, "kms:ScheduleKeyDeletion"), deny(role("x/A"), "kms:ScheduleKeyDeletion")
                ),
                undecided(f"{NAMED} except {role('x/A')}"),
            ),
            (
                "and all are denied but one",
                a_key(
                    allow(SOME_ROLE, "kms:ScheduleKeyDeletion"),
                    deny(
                        "*",
                        "kms:ScheduleKeyDeletion",
                        Condition={"ArnNotEquals": {"aws:PrincipalArn": [ROOT, role("x/A")]}},
                    ),
                ),
                undecided(f"{NAMED} and {role('x/A')}"),
            ),
            (
                "on what deployment decides",
                a_key(allow(SOME_ROLE, "kms:ScheduleKeyDeletion", Resource=WHY)),
                undecided(NAMED, "parameter Who has no default"),
            ),
            (
                "in a statement that may not be there",
                a_key(
                    policy=a_policy(ROOT_STATEMENT, Maybe(allow(SOME_ROLE, "kms:ScheduleKeyDeletion"), "x"))
                ),
                undecided(NAMED),
            ),
        )
    },
    "a Deny that may not be there": (
        a_key(
            policy=a_policy(
                ROOT_STATEMENT, allow(role("A"), "kms:ScheduleKeyDeletion"), Maybe(guard(role("B")), "x")
            )
        ),
        [undecided(role("A"), "no request was found that shows it, nor a proof that there is none")],
    ),
    "a Deny that may not be there, and spares one": (
        a_key(
            policy=a_policy(
                ROOT_STATEMENT, allow(role("A"), "kms:ScheduleKeyDeletion"), Maybe(guard(role("A")), "x")
            )
        ),
        [principal(role("A"))],
    ),
    "a statement that may not be there": (
        a_key(policy=a_policy(ROOT_STATEMENT, Maybe(allow(role("A"), "kms:ScheduleKeyDeletion"), "x"))),
        [undecided(role("A"), "whether the statement is there at all is decided at deployment")],
    ),
    "two in one statement": (
        a_key(allow([role("A"), role("B")], "kms:ScheduleKeyDeletion")),
        [principal(f"{role('A')}, {role('B')}")],
    ),
    "one of two authorised": (
        a_key(allow([role("A"), role("BreakGlass")], "kms:ScheduleKeyDeletion"), authorised=AUTHORISED),
        [principal(role("A"))],
    ),
    "under a condition": (
        a_key(
            allow(
                role("A"), "kms:ScheduleKeyDeletion", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
            )
        ),
        [principal(role("A"))],
    ),
    "a Deny with a condition that may fail": (
        a_key(
            allow(role("A"), "kms:ScheduleKeyDeletion"),
            deny("*", "kms:ScheduleKeyDeletion", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}),
        ),
        [principal(role("A"))],
    ),
    "another account, of which KMS takes no such call": (
        a_key(allow(f"arn:aws:iam::{OTHER}:root", "kms:*", sid="Partner")),
        [GOOD],
    ),
    "a role of another account and one of its own": (
        a_key(allow([role("A", OTHER), role("A")], "kms:ScheduleKeyDeletion")),
        [principal(role("A"))],
    ),
    "a session of an authorised role": (
        a_key(
            allow(f"arn:aws:sts::{ACCOUNT}:assumed-role/BreakGlass/alice", "kms:ScheduleKeyDeletion"),
            authorised=AUTHORISED,
        ),
        [GOOD],
    ),
    "a session of a role that is authorised with its path": (
        a_key(
            allow(f"arn:aws:sts::{ACCOUNT}:assumed-role/BreakGlass/alice", "kms:ScheduleKeyDeletion"),
            authorised={"*": (role("ops/BreakGlass"),)},
        ),
        [GOOD],
    ),
    "a session of another role": (
        a_key(
            allow(f"arn:aws:sts::{ACCOUNT}:assumed-role/A/alice", "kms:ScheduleKeyDeletion"),
            authorised=AUTHORISED,
        ),
        [principal(f"{role('A')}, {role('*/A')}")],
    ),
    "a unique id": (
        a_key(allow("AROAEXAMPLEEXAMPLE123", "kms:ScheduleKeyDeletion")),
        [
            Said(
                U,
                "unresolved",
                SECOND,
                "Statement 1 lets the principal with unique id AROAEXAMPLEEXAMPLE123 call "
                "kms:ScheduleKeyDeletion; whether that is only authorised principals is not known: which "
                "role has the unique id AROAEXAMPLEEXAMPLE123 is not known.",
            )
        ],
    ),
    "its whole account is denied it": (
        a_key(
            allow(role("A"), "kms:ScheduleKeyDeletion"),
            deny(ROOT, "kms:ScheduleKeyDeletion"),
        ),
        [GOOD],
    ),
    "everyone": (
        a_key(allow("*", "kms:*")),
        [principal("any principal of any account, any AWS service")],
    ),
    "delegated": (a_key(policy=a_policy(FULL)), [delegated(NOBODY)]),
    "not known who": (
        a_key(allow({"AWS": WHY}, "kms:*")),
        [
            Said(
                U,
                "unresolved",
                SECOND,
                "Statement 1 lets a principal that is not known call "
                "kms:ScheduleKeyDeletion; whether that is only authorised principals is not known: "
                "parameter Who has no default.",
            )
        ],
    ),
    "policy not known": (
        a_key(policy=parse_policy(WHY, path="Properties/KeyPolicy")),
        [
            Said(
                U,
                "policy",
                "Properties/KeyPolicy",
                "The key policy is not known: parameter Who has no default.",
            )
        ],
    ),
}


@pytest.mark.parametrize(("key", "expected"), CASES.values(), ids=CASES)
def test_who_may_schedule_deletion(key: Key, expected: list[Said]) -> None:
    assert said(judge("IAM-KMS-3", key)) == expected


SOMEWHERE = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
ROOT_USER = {"ArnEquals": {"aws:PrincipalArn": ROOT}}
OTHER_ROOT = f"arn:aws:iam::{OTHER}:root"
OPEN_ROOT = Said(
    U,
    "unresolved",
    FIRST,
    f"Statement 'Root' lets the root user of account {ACCOUNT} call kms:ScheduleKeyDeletion; that is "
    "authorised if the key lies in this account, and which account it lies in is decided at deployment only.",
)
UNKNOWN_ACCOUNT_CASES = {
    "denied to all but the root user of a literal account": (a_policy(FULL, guard()), [OPEN_ROOT]),
    "limited to the root user of a literal account": (
        a_policy(allow(ROOT, "kms:ScheduleKeyDeletion", sid="Root", Condition=ROOT_USER)),
        [OPEN_ROOT],
    ),
    "the root user of this account, whichever it is": (
        a_policy(allow(f"arn:aws:iam::{SOMEWHERE}:root", "kms:*", sid="Root"), guard()),
        # The root user of a literal account is exempt from the Deny, and no Allow names it.
        [GOOD],
    ),
    "every principal of a literal account": (a_policy(FULL), [delegated(NOBODY)]),
    "a role of a literal account": (
        a_policy(ROOT_STATEMENT, allow(role("Admin"), "kms:ScheduleKeyDeletion")),
        [principal(role("Admin"))],
    ),
    "the root users of two accounts, one of which is not its own": (
        a_policy(
            allow([ROOT, OTHER_ROOT], "kms:*", sid="Root"),
            guard(OTHER_ROOT),
        ),
        [
            Said(
                V,
                "delegation",
                FIRST,
                "Statement 'Root' leaves kms:ScheduleKeyDeletion to the IAM policies of the root user of "
                f"account {ACCOUNT}, the root user of account {OTHER}; {NOBODY}.",
            )
        ],
    ),
}


@pytest.mark.parametrize(("policy", "expected"), UNKNOWN_ACCOUNT_CASES.values(), ids=UNKNOWN_ACCOUNT_CASES)
def test_a_root_user_may_turn_out_to_be_the_keys_own(policy: Policy, expected: list[Said]) -> None:
    found = judge("IAM-KMS-3", a_key(policy=policy, account=SOMEWHERE))
    assert said(found) == expected
    if expected == [OPEN_ROOT]:
        assert found[0].fix == f"Say which account the template is deployed to: --account {ACCOUNT}."
        assert said(judge("IAM-KMS-3", a_key(policy=policy))) == [GOOD]
        (way_back,) = judge("IAM-KMS-1", a_key(policy=a_policy(FULL), account=SOMEWHERE))
        assert way_back.outcome is U
        assert "--account" in way_back.fix
        # In another account its root user is a foreign principal, of whom KMS takes no such call.
        assert said(judge("IAM-KMS-3", a_key(policy=policy, account=OTHER))) == [GOOD]


@pytest.mark.parametrize(("control", "action"), ACTIONS.items())
def test_each_control_is_about_its_own_action(control: str, action: str) -> None:
    for name in ACTIONS.values():
        found = judge(control, a_key(allow(role("A"), f"kms:{name}"), vocabulary=KEY_POLICY_FILE))
        assert [finding.outcome for finding in found] == [V if name == action else C]


def test_the_configuration_authorises() -> None:
    key = a_key(allow(role("Ops"), "kms:ScheduleKeyDeletion"))
    for authorised in ({"IAM-KMS-3": ("arn:aws:iam::*:role/Ops",)}, {"*": (role("O*"),)}):
        assert said(judge("IAM-KMS-3", key, GuardrailConfig(authorised=authorised))) == [GOOD]
    wrong = GuardrailConfig(authorised={"IAM-KMS-4": (role("Ops"),)})
    assert said(judge("IAM-KMS-3", key, wrong)) == [principal(role("Ops"))]


def test_a_finding_names_the_chain_the_principals_and_the_fix() -> None:
    policy = an_iam_policy(iam_allow("kms:ScheduleKeyDeletion", KEY_ARN))
    found = judge("IAM-KMS-3", a_key(policy=a_policy(FULL)), policies=[policy])
    on_key = next(finding for finding in found if finding.location.logical_id == "Key")
    step = "inline policy 'AppPolicy', statement 0"
    assert said([on_key]) == [delegated(f"in this app {step} gives it to {role('App')}")]
    assert on_key.chain == (
        f"statement 'Root' → delegates to the IAM policies of account {ACCOUNT}",
        f"{step} → {role('App')}",
    )
    assert on_key.principals == (WHOLE_ACCOUNT,)
    assert on_key.fix == (
        "Take kms:ScheduleKeyDeletion out of statement 'Root', or deny it to everyone but the root user and "
        "the authorised principals (Principal '*', ArnNotEquals aws:PrincipalArn)."
    )


def test_a_finding_names_the_first_few_iam_policies() -> None:
    policies = [
        an_iam_policy(iam_allow("kms:*", "*"), id=f"P{index}", name=f"P{index}") for index in range(6)
    ]
    found = judge("IAM-KMS-3", a_key(policy=a_policy(FULL)), policies=policies)
    (on_key,) = [finding for finding in found if finding.location.logical_id == "Key"]
    assert len(on_key.chain) == 1 + 5
    assert on_key.message.endswith(f"'P4', statement 0 gives it to {role('App')}; and more do.")


def on_policy(
    policy: IdentityPolicy, key: Key | None = None, config: GuardrailConfig | None = None
) -> list[Finding]:
    found = judge("IAM-KMS-3", key, config, policies=[policy])
    return [finding for finding in found if finding.location == policy.location]


def gives(keys: str, who: str = role("App")) -> Said:
    return Said(
        V,
        "iam-policy",
        IAM_PATH,
        f"Inline policy 'AppPolicy', statement 0 gives kms:ScheduleKeyDeletion on {keys} to {who}, "
        "not authorised to schedule the key for deletion.",
    )


FINE = Said(
    C,
    "",
    "",
    "What the policy allows of kms:ScheduleKeyDeletion is for authorised principals, or refused by the key.",
)
DELEGATING, GUARDED = a_key(policy=a_policy(FULL)), a_key(policy=a_policy(FULL, guard()))
IAM_CASES: Mapping[str, tuple[IdentityPolicy, Key | None, list[Said]]] = {
    "all keys": (an_iam_policy(iam_allow("kms:*", "*")), GUARDED, [gives("all keys")]),
    "everything": (an_iam_policy(iam_allow("*", "*")), None, [gives("all keys")]),
    "all keys of a Region": (
        an_iam_policy(iam_allow("kms:Sched*", "arn:aws:kms:eu-west-1:111122223333:key/*")),
        GUARDED,
        [gives("keys arn:aws:kms:eu-west-1:111122223333:key/*")],
    ),
    "a key outside the app": (
        an_iam_policy(iam_allow("kms:*", "arn:aws:kms:eu-west-1:111122223333:key/other")),
        GUARDED,
        [gives("a key outside this app (arn:aws:kms:eu-west-1:111122223333:key/other)")],
    ),
    "a key of another account, from which KMS takes no such call": (
        an_iam_policy(iam_allow("kms:*", f"arn:aws:kms:eu-west-1:{OTHER}:key/other")),
        GUARDED,
        [FINE],
    ),
    "all keys, under a condition that nobody satisfies": (
        an_iam_policy(
            iam_allow("kms:*", "*", Condition={"StringEquals": {"aws:PrincipalArn": role("Another")}})
        ),
        None,
        [
            Said(
                U,
                "iam-policy",
                IAM_PATH,
                f"{gives('all keys').message} No request was found that shows it, nor a proof that there is "
                "none.",
            )
        ],
    ),
    "a key of the app that delegates": (
        an_iam_policy(iam_allow("kms:*", KEY_ARN)),
        DELEGATING,
        [gives("key app.json: App/Key")],
    ),
    "a key of the app that refuses": (an_iam_policy(iam_allow("kms:*", KEY_ARN)), GUARDED, [FINE]),
    "a key of the app that does not delegate": (
        an_iam_policy(iam_allow("kms:*", KEY_ARN)),
        a_key(),
        [FINE],
    ),
    "a key of the app that authorises the role": (
        an_iam_policy(iam_allow("kms:*", KEY_ARN)),
        a_key(policy=a_policy(FULL), authorised={"IAM-KMS-3": (role("App"),)}),
        [FINE],
    ),
    "other actions": (an_iam_policy(iam_allow("kms:Decrypt", "*")), DELEGATING, []),
    "other resources": (an_iam_policy(iam_allow("*", "arn:aws:s3:::bucket")), DELEGATING, []),
    "taken off again": (
        an_iam_policy(
            iam_allow("kms:*", "*"), {**iam_allow("kms:ScheduleKeyDeletion", "*"), "Effect": "Deny"}
        ),
        DELEGATING,
        [],
    ),
    "a boundary gives nothing": (
        an_iam_policy(iam_allow("kms:*", "*"), kind=IdentityPolicyKind.BOUNDARY),
        DELEGATING,
        [],
    ),
    "attachable to anyone": (
        an_iam_policy(iam_allow("kms:*", "*"), attached_to=(), attachable=True),
        GUARDED,
        [gives("all keys", WHOLE_ACCOUNT)],
    ),
    "not known on what": (
        an_iam_policy(iam_allow("kms:*", "*") | {"Resource": WHY}),
        GUARDED,
        [
            Said(
                U,
                "unresolved",
                IAM_PATH,
                "Whether inline policy 'AppPolicy', statement 0 gives kms:ScheduleKeyDeletion to "
                f"{role('App')} is not known: parameter Who has no default.",
            )
        ],
    ),
    "not known what": (
        an_iam_policy(policy=parse_policy(WHY, path="Properties/PolicyDocument")),
        GUARDED,
        [
            Said(
                U,
                "unresolved",
                "Properties/PolicyDocument",
                "Whether inline policy 'AppPolicy' gives kms:ScheduleKeyDeletion to "
                f"{role('App')} is not known: parameter Who has no default.",
            )
        ],
    ),
}


@pytest.mark.parametrize(("policy", "key", "expected"), IAM_CASES.values(), ids=IAM_CASES)
def test_iam_policies(policy: IdentityPolicy, key: Key | None, expected: list[Said]) -> None:
    found = on_policy(policy, key)
    assert said(found) == expected
    # Whoever holds the policy is shown in a request; where nobody does, there is none to show.
    objecting = [one for one in found if one.outcome is V and policy.attached_to]
    assert all(one.witness is not None and one.witness.allowed for one in objecting)


def test_the_configuration_authorises_iam_policies() -> None:
    config = GuardrailConfig(authorised={"IAM-KMS-3": (role("App"),)})
    assert said(on_policy(an_iam_policy(iam_allow("kms:*", "*")), None, config)) == [FINE]


@pytest.mark.parametrize(
    ("control", "key", "reason"),
    [
        ("IAM-KMS-2", a_key(), "key material of origin AWS_KMS is not imported and cannot be deleted alone"),
        (
            "IAM-KMS-2",
            a_key(origin="AWS_CLOUDHSM"),
            "key material of origin AWS_CLOUDHSM is not imported and cannot be deleted alone",
        ),
        ("IAM-KMS-7", a_key(key_spec="HMAC_256"), "KMS does not rotate HMAC_256 keys automatically"),
        (
            "IAM-KMS-7",
            a_key(kind=KeyKind.REPLICA),
            "a replica key rotates with its primary key, where rotation is set",
        ),
    ],
)
def test_keys_to_which_the_action_can_do_nothing(control: str, key: Key, reason: str) -> None:
    assert said(judge(control, key)) == [Said(N, "", "", f"Not applicable: {reason}.")]


@pytest.mark.parametrize(
    "key", [a_key(origin="EXTERNAL"), a_key(origin=WHY), a_key(vocabulary=KEY_POLICY_FILE)]
)
def test_keys_that_may_have_imported_material_are_judged(key: Key) -> None:
    assert [finding.outcome for finding in judge("IAM-KMS-2", key)] == [C]


def test_an_iam_policy_may_reach_a_key_that_is_not_known_for_certain() -> None:
    resource = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{hole(HoleKind.UNRESOLVED, 'KeyId')}"
    found = on_policy(an_iam_policy(iam_allow("kms:*", resource)), GUARDED)
    assert said(found) == [gives(f"keys arn:aws:kms:eu-west-1:{ACCOUNT}:key/${{KeyId}}")]


def test_a_key_whose_region_is_not_known_is_still_the_key_that_a_policy_names() -> None:
    key = a_key(policy=a_policy(FULL, guard()), region=WHY)
    policy = an_iam_policy(iam_allow("kms:*", key.arn_pattern))
    assert said(on_policy(policy, key)) == [FINE]
    (decrypts,) = [one for one in judge("KMS:004", key, policies=[policy]) if one.location == policy.location]
    assert decrypts.outcome is C


def test_a_service_control_policy_shrinks_who_may() -> None:
    scp = parse_policy(
        {
            "Statement": {
                "Effect": "Deny",
                "Action": "kms:ScheduleKeyDeletion",
                "Resource": "*",
                "Condition": {"ArnNotLike": {"aws:PrincipalArn": role("BreakGlass")}},
            }
        }
    )
    key = a_key(policy=a_policy(FULL), authorised=AUTHORISED)
    assert said(judge("IAM-KMS-3", key)) == [delegated(NOBODY)]
    # It does not bind service-linked roles, and those do not count: AWS alone writes their policies.
    assert said(judge("IAM-KMS-3", key, organization=Organization(scps=(scp,)))) == [GOOD]


def test_a_service_linked_role_counts_when_the_key_policy_names_it() -> None:
    linked = role("aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling")
    assert said(judge("IAM-KMS-3", a_key(allow(linked, "kms:*")))) == [principal(linked)]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso-b", "aws-eusc"])
def test_principals_are_called_as_they_are_in_their_partition(partition: str) -> None:
    ops, home = f"arn:{partition}:iam::{ACCOUNT}:role/Ops", f"arn:{partition}:iam::{ACCOUNT}:root"
    key = a_key(
        policy=a_policy(allow(home, "kms:*"), allow(ops, "kms:*"), guard(home, ops)), partition=partition
    )
    assert said(judge("IAM-KMS-3", key)) == [
        Said(
            V,
            "delegation",
            FIRST,
            f"Statement 0 leaves kms:ScheduleKeyDeletion to the IAM policies of {ops}; {NOBODY}.",
        ),
        principal(ops),
    ]
    assert said(judge("IAM-KMS-3", key, GuardrailConfig(authorised={"IAM-KMS-3": (ops,)}))) == [GOOD]


def test_an_exemption_of_another_partition_exempts_nobody() -> None:
    ops, home = f"arn:aws-cn:iam::{ACCOUNT}:role/Ops", f"arn:aws-cn:iam::{ACCOUNT}:root"
    key = a_key(policy=a_policy(allow(home, "kms:*"), guard(role("Ops"), home)), partition="aws-cn")
    assert said(judge("IAM-KMS-3", key)) == [GOOD]
    denied = deny("*", "kms:*", Condition={"ArnEquals": {"aws:PrincipalArn": role("Ops")}})
    key = a_key(policy=a_policy(allow(ops, "kms:*"), denied), partition="aws-cn")
    assert said(judge("IAM-KMS-3", key)) == [principal(ops, "Statement 0", FIRST)]


def test_a_key_that_a_statement_names_by_its_id_may_be_this_one() -> None:
    by_id = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    key = a_key(
        policy=a_policy(allow(role("Evil"), "kms:*", Resource=by_id)),
        key_id=hole(HoleKind.GENERATED, "Key.Id"),
    )
    assert said(judge("IAM-KMS-3", key)) == [
        Said(
            U,
            "unresolved",
            FIRST,
            f"Statement 0 lets {role('Evil')} call kms:ScheduleKeyDeletion; whether that is only authorised "
            f"principals is not known: whether {by_id} is this key is decided at deployment.",
        )
    ]
