"""What the key policy guarantees, proven for every IAM policy of the account that may exist.

Each claim is shown twice: by the region of everyone who may call an action, which over-approximates, and by
the evaluator, for callers that hold an IAM policy which allows every KMS action on everything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.analysis.evaluate import Request, evaluate
from kms_constructs.analysis.principals import any_meet, named_cells
from kms_constructs.analysis.reach import reach_of
from kms_constructs.analysis.separation import MANAGING_ACTIONS, overlaps
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Outcome
from kms_constructs.model.actions import ActionClass, actions_of
from kms_constructs.model.estate import Estate, Key, Location
from kms_constructs.model.key_specs import KEY_SPECS, using_actions
from kms_constructs.model.policy import parse_policy
from kms_constructs.policies.declared_grant import DeclaredGrant
from kms_constructs.policies.key_policy import KeyPolicySpec, declaration, key_policy
from kms_constructs.policies.root_access import RootAccess
from kms_constructs.policies.statements import statement

ACCOUNT = "111122223333"


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ADMIN, RESCUE, DEPLOY, USER = role("KeyAdmin"), role("BreakGlass"), role("Deploy"), role("App")
WRITER, READER, STRANGER = role("Writer"), role("Reader"), role("Stranger")
FOREIGN = "arn:aws:iam::444455556666:role/Admin"
EVERYTHING = parse_policy({"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}})
DIRECT = {"kms:grantisforawsresource": "false"}
USES = actions_of(ActionClass.CRYPTOGRAPHIC)
SPEC = KeyPolicySpec(
    root_arn=ROOT,
    administrators=(ADMIN,),
    deployment=(DEPLOY,),
    users=(USER,),
    encrypt_only=(WRITER,),
    decrypt_only=(READER,),
)


@dataclass(frozen=True)
class Written:
    """A key policy and the key that has it."""

    spec: KeyPolicySpec
    key: Key

    def may(self, principal: str, action: str, **context: str) -> bool:
        """Whether a caller with every IAM permission may call an action."""
        request = Request(principal=principal, action=action, context=context)
        return evaluate(request, self.key, identity_policies=[EVERYTHING]).allowed


def written(spec: KeyPolicySpec) -> Written:
    key = Key(
        id="key",
        location=Location("test", logical_id="Key"),
        account=ACCOUNT,
        region="eu-west-1",
        policy=parse_policy(key_policy(spec)),
        key_spec=spec.key_spec,
        key_usage=spec.key_usage.value,
        multi_region=spec.multi_region,
        authorised=declaration(spec).authorised,
    )
    return Written(spec, key)


SHAPES = [
    pytest.param(
        written(
            replace(
                SPEC,
                root_access=mode,
                break_glass=rescue,
                deployment_may_delete=destroy,
                key_spec=name,
                key_usage=KEY_SPECS[name].usages[0],
                multi_region=multi,
                via_services=via,
            )
        ),
        id="-".join(
            [
                name,
                mode.value,
                "break-glass" if rescue else "plain",
                "destroy" if destroy else "retain",
                "multi" if multi else "single",
                "via" if via else "direct",
            ]
        ),
    )
    for name in ("SYMMETRIC_DEFAULT", "RSA_2048", "HMAC_256")
    for mode in RootAccess
    for rescue in ((), (RESCUE,))
    for destroy, multi, via in (
        (False, False, ()),
        (True, False, ()),
        (False, True, ("s3.eu-west-1.amazonaws.com",)),
    )
]
every_shape = pytest.mark.parametrize("made", SHAPES)
DELEGATING = RootAccess.FULL_DELEGATION


@every_shape
@pytest.mark.parametrize(
    ("action", "control"),
    [
        ("DeleteImportedKeyMaterial", "IAM-KMS-2"),
        ("ScheduleKeyDeletion", "IAM-KMS-3"),
        ("DisableKey", "IAM-KMS-4"),
        ("PutKeyPolicy", "IAM-KMS-5"),
        ("DisableKeyRotation", "IAM-KMS-7"),
    ],
)
def test_only_the_named_delete_disable_and_rewrite(made: Written, action: str, control: str) -> None:
    named = made.key.authorised[control]
    root = () if control == "IAM-KMS-7" else (ROOT,)
    region = reach_of(made.key, action)
    assert region.escapes([*named, *root]) == ()
    assert not region.undetermined
    window = {"kms:scheduledeletionpendingwindowindays": "30"}
    for principal in (ADMIN, RESCUE, DEPLOY, USER, WRITER, READER, STRANGER, ROOT, FOREIGN):
        if made.may(principal, action, **window):
            assert principal in {*named, *root}


@every_shape
def test_nobody_turns_rotation_off(made: Written) -> None:
    assert reach_of(made.key, "DisableKeyRotation").contributions == ()


@every_shape
def test_administrators_do_not_use_the_key(made: Written) -> None:
    """Under any IAM policy, unless the declaration delegates use to IAM."""
    delegates = made.spec.root_access is DELEGATING
    for manager in (ADMIN, *made.spec.break_glass, DEPLOY):
        for action in USES:
            assert made.may(manager, action) is delegates, (manager, action)
        assert not made.may(manager, "CreateGrant", **DIRECT), manager
        assert not made.may(manager, "CreateGrant"), manager


@every_shape
def test_users_do_not_manage_the_key(made: Written) -> None:
    """Under any IAM policy, whatever the declaration delegates."""
    for user in (USER, WRITER, READER):
        for action in MANAGING_ACTIONS:
            assert not made.may(user, action), (user, action)
            assert not any_meet(named_cells(user), reach_of(made.key, action).cells), (user, action)


@every_shape
def test_users_keep_the_grants_of_aws_services(made: Written) -> None:
    """What they list and revoke of them is theirs, and no managing."""
    if made.spec.key_spec == "SYMMETRIC_DEFAULT":
        context = {"kms:grantisforawsresource": "true"}
        if made.spec.via_services:
            context["kms:viaservice"] = made.spec.via_services[0]
        assert made.may(USER, "RevokeGrant", **context)
        assert made.may(USER, "ListGrants", **context)


@every_shape
def test_use_stays_with_the_named(made: Written) -> None:
    everybody = {USER, WRITER, READER} | (
        {ROOT, STRANGER, ADMIN} if made.spec.root_access is DELEGATING else set()
    )
    for action in USES:
        region = reach_of(made.key, action)
        if made.spec.root_access is not DELEGATING:
            assert region.escapes([USER, WRITER, READER]) == (), action
        for principal in (ADMIN, DEPLOY, STRANGER, ROOT, FOREIGN):
            if made.may(principal, action):
                assert principal in everybody | {DEPLOY}
    assert not made.may(FOREIGN, "Decrypt")


@every_shape
def test_administrators_change_the_policy_only_without_break_glass(made: Written) -> None:
    assert made.may(ADMIN, "PutKeyPolicy") is not bool(made.spec.break_glass)
    assert made.may(ADMIN, "DisableKey") is not bool(made.spec.break_glass)
    assert made.may(RESCUE, "PutKeyPolicy") is bool(made.spec.break_glass)


@every_shape
def test_the_root_user_can_recover(made: Written) -> None:
    for action in ("PutKeyPolicy", "ScheduleKeyDeletion", "CancelKeyDeletion", "EnableKey", "DisableKey"):
        assert made.may(ROOT, action), action


@every_shape
def test_the_deployer_keeps_the_key_up_to_date(made: Written) -> None:
    for action in ("PutKeyPolicy", "DescribeKey", "CreateAlias", "DeleteAlias", "TagResource"):
        assert made.may(DEPLOY, action), action
    assert made.may(DEPLOY, "ScheduleKeyDeletion") is made.spec.deployment_may_delete
    assert not made.may(DEPLOY, "PutKeyPolicy", **{"kms:bypasspolicylockoutsafetycheck": "true"})


@every_shape
def test_shorter_windows_and_bypass_are_denied_to_all(made: Written) -> None:
    short = {"kms:schedulekeydeletionpendingwindowindays": "7"}
    for principal in (ROOT, ADMIN, RESCUE, DEPLOY):
        assert not made.may(principal, "ScheduleKeyDeletion", **short)
        assert not made.may(principal, "PutKeyPolicy", **{"kms:bypasspolicylockoutsafetycheck": "true"})


@every_shape
def test_grants_are_for_aws_services_only(made: Written) -> None:
    for principal in (ROOT, ADMIN, USER, WRITER, READER, STRANGER):
        assert not made.may(principal, "CreateGrant", **DIRECT)
    for_aws = {"kms:grantisforawsresource": "true"}
    if made.spec.via_services:
        for_aws["kms:viaservice"] = made.spec.via_services[0]
    assert made.may(USER, "CreateGrant", **for_aws) is (
        made.spec.key_spec == "SYMMETRIC_DEFAULT" or made.spec.root_access is DELEGATING
    )


@every_shape
def test_duties_are_separated_but_under_full_delegation(made: Written) -> None:
    found = overlaps(made.key)
    if made.spec.root_access is DELEGATING:
        assert {one.through for one in found} == {"delegation"}
    else:
        assert found == ()


@every_shape
def test_the_guardrails_on_policies_agree(made: Written) -> None:
    report = judge(Estate(keys=(made.key,)), GuardrailConfig())
    passing = {Outcome.COMPLIANT, Outcome.NOT_APPLICABLE}
    failed = {one.control for one in report.findings if one.outcome not in passing}
    policies = {one for one in failed if one.startswith("IAM-KMS")}
    assert policies == ({"IAM-KMS-8"} if made.spec.root_access is DELEGATING else set())


names = st.lists(st.sampled_from("ABCDEFGHIJKL"), min_size=6, max_size=12, unique=True)


@given(names=names, mode=st.sampled_from(RootAccess), destroy=st.booleans())
def test_whoever_is_named(names: list[str], mode: RootAccess, destroy: bool) -> None:
    """The same for any number of principals on each side."""
    arns = [role(name) for name in names]
    made = written(
        replace(
            SPEC,
            administrators=tuple(arns[:1]),
            break_glass=tuple(arns[1:2]),
            deployment=tuple(arns[2:3]),
            users=tuple(arns[3:5]),
            encrypt_only=tuple(arns[5:]),
            decrypt_only=(),
            root_access=mode,
            deployment_may_delete=destroy,
        )
    )
    for control, action in (("IAM-KMS-3", "ScheduleKeyDeletion"), ("IAM-KMS-5", "PutKeyPolicy")):
        assert reach_of(made.key, action).escapes([ROOT, *made.key.authorised[control]]) == ()
    assert (overlaps(made.key) == ()) is (mode is not DELEGATING)


EXTERNAL = [f"arn:aws:iam::444455556666:{name}" for name in ("role/App", "user/Ann", "root")]


@given(
    names=names,
    mode=st.sampled_from(RootAccess),
    key_spec=st.sampled_from(sorted(KEY_SPECS)),
    foreign=st.lists(st.sampled_from(EXTERNAL), min_size=1, unique=True),
    data=st.data(),
)
def test_whoever_uses_the_key_manages_it_under_no_iam_policy(
    names: list[str],
    mode: RootAccess,
    key_spec: str,
    foreign: list[str],
    data: st.DataObject,
) -> None:
    """Users by argument, by a service, from another account, by a grant; a deployment principal is none."""
    admin, deploy, user, writer, reader, caller, *rest = [role(name) for name in names]
    usage = data.draw(st.sampled_from(KEY_SPECS[key_spec].usages))
    some = data.draw(st.sampled_from([one for one in using_actions(key_spec, usage) if one in USES]))
    spec = KeyPolicySpec(
        root_arn=ROOT,
        root_access=mode,
        administrators=(admin,),
        deployment=(deploy,),
        users=(user,),
        encrypt_only=(writer,),
        decrypt_only=(reader,),
        key_spec=key_spec,
        key_usage=usage,
        multi_region=data.draw(st.booleans()),
        direct_grants=tuple(
            DeclaredGrant(grantee=one, operations=("DescribeKey",), created_by=(caller,)) for one in rest
        ),
        further=(
            statement("ServiceS3Use", "Allow", f"kms:{some}", principal={"AWS": [caller, deploy]}),
            statement("ExternalUse", "Allow", [f"kms:{some}"], principal={"AWS": foreign}),
        ),
    )
    made = written(spec)
    for action in MANAGING_ACTIONS:
        for one in (user, writer, reader, caller, *rest, *EXTERNAL):
            assert not made.may(one, action), (one, action)
    assert made.may(deploy, "TagResource")
    assert made.may(deploy, "PutKeyPolicy")
    assert made.may(admin, "EnableKey")
