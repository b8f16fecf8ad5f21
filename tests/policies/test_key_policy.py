"""Statements of the key policy, whole, from plain data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kms_constructs.model.actions import ACTIONS, ActionClass, KeyUsage
from kms_constructs.model.key_specs import KEY_SPECS, MAXIMUM_KEY_POLICY_BYTES, using_actions
from kms_constructs.model.policy import parse_policy
from kms_constructs.policies import key_policy as written
from kms_constructs.policies.declared_grant import DeclaredGrant
from kms_constructs.policies.key_policy import KeyPolicySpec, declaration, key_policy
from kms_constructs.policies.root_access import RootAccess

ROOT = "arn:aws:iam::111122223333:root"
ADMIN = "arn:aws:iam::111122223333:role/KeyAdmin"
RESCUE = "arn:aws:iam::111122223333:role/BreakGlass"
DEPLOY = "arn:aws:iam::111122223333:role/Deploy"
USER = "arn:aws:iam::111122223333:role/App"
WRITER = "arn:aws:iam::111122223333:role/Writer"
READER = "arn:aws:iam::111122223333:role/Reader"

SPEC = KeyPolicySpec(root_arn=ROOT, administrators=(ADMIN,), deployment=(DEPLOY,))

READS = [
    "kms:DescribeKey",
    "kms:GetKeyLastUsage",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
]
MANAGES = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:RotateKeyOnDemand",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
]
GUARDS = ["kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]
ROTATION = {"kms:EnableKeyRotation", "kms:RotateKeyOnDemand"}
DEPLOYS = [
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
]
USES = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]


def allow(sid: str, who: object, actions: object, **condition: dict[str, object]) -> dict[str, object]:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": who}, "Action": actions, "Resource": "*"}
    return statement | ({"Condition": condition} if condition else {})


def deny(sid: str, actions: str | list[str], **condition: dict[str, object]) -> dict[str, object]:
    statement = {"Sid": sid, "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": actions, "Resource": "*"}
    return statement | ({"Condition": condition} if condition else {})


def but(*exempt: str) -> dict[str, object]:
    return {"aws:PrincipalArn": list(exempt)}


ALWAYS_DENIED = [
    deny("DenyRotationOff", "kms:DisableKeyRotation"),
    deny(
        "DenyShortDeletionWindow",
        "kms:ScheduleKeyDeletion",
        NumericLessThan={"kms:ScheduleKeyDeletionPendingWindowInDays": "30"},
    ),
    deny("DenyLockoutBypass", "kms:PutKeyPolicy", Bool={"kms:BypassPolicyLockoutSafetyCheck": "true"}),
    {
        "Sid": "DenyDirectGrants",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {
            "BoolIfExists": {"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"}
        },
    },
]


def statements(spec: KeyPolicySpec) -> list[dict[str, object]]:
    found = key_policy(spec)["Statement"]
    assert isinstance(found, list)
    return found


def test_the_smallest_policy() -> None:
    assert key_policy(SPEC) == {
        "Version": "2012-10-17",
        "Statement": [
            allow("RootAccount", ROOT, sorted([*READS, *MANAGES, *GUARDS, "kms:RevokeGrant"])),
            allow("KeyAdministrators", ADMIN, sorted([*READS, *MANAGES, *GUARDS, "kms:RevokeGrant"])),
            allow("Deployment", DEPLOY, DEPLOYS),
            deny(
                "DenyDestruction",
                ["kms:DeleteImportedKeyMaterial", "kms:DisableKey", "kms:ScheduleKeyDeletion"],
                ArnNotEquals=but(ROOT, ADMIN),
            ),
            deny("DenyPolicyChange", "kms:PutKeyPolicy", ArnNotEquals=but(ROOT, ADMIN, DEPLOY)),
            *ALWAYS_DENIED,
        ],
    }


DENIED_TO_USERS = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetParametersForImport",
    "kms:ImportKeyMaterial",
    "kms:ReplicateKey",
    "kms:RotateKeyOnDemand",
    "kms:SynchronizeMultiRegionKey",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
    "kms:UpdatePrimaryRegion",
]


def deny_management(*users: str) -> dict[str, object]:
    who = users[0] if len(users) == 1 else list(users)
    return deny("DenyManagementToUsers", DENIED_TO_USERS, ArnEquals={"aws:PrincipalArn": who})


def test_a_policy_with_every_duty() -> None:
    spec = replace(
        SPEC,
        break_glass=(RESCUE,),
        users=(USER,),
        encrypt_only=(WRITER,),
        decrypt_only=(READER,),
        further=({"Sid": "ServiceSns", "Effect": "Allow"},),
    )
    assert statements(spec) == [
        allow("RootAccount", ROOT, sorted([*READS, *MANAGES, *GUARDS, "kms:RevokeGrant"])),
        allow("KeyAdministrators", ADMIN, sorted([*READS, *MANAGES, "kms:RevokeGrant"])),
        allow(
            "BreakGlass",
            RESCUE,
            sorted(
                [*GUARDS, "kms:CancelKeyDeletion", "kms:DescribeKey", "kms:EnableKey", "kms:GetKeyPolicy"]
            ),
        ),
        allow("Deployment", DEPLOY, DEPLOYS),
        allow("KeyUsers", USER, USES),
        allow(
            "KeyUsersGrants",
            USER,
            ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
            Bool={"kms:GrantIsForAWSResource": "true"},
        ),
        allow(
            "EncryptOnly",
            WRITER,
            [
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyPair",
                "kms:GenerateDataKeyPairWithoutPlaintext",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptTo",
            ],
        ),
        allow("DecryptOnly", READER, ["kms:Decrypt", "kms:DescribeKey", "kms:ReEncryptFrom"]),
        {"Sid": "ServiceSns", "Effect": "Allow"},
        deny(
            "DenyDestruction",
            ["kms:DeleteImportedKeyMaterial", "kms:DisableKey", "kms:ScheduleKeyDeletion"],
            ArnNotEquals=but(ROOT, RESCUE),
        ),
        deny("DenyPolicyChange", "kms:PutKeyPolicy", ArnNotEquals=but(ROOT, RESCUE, DEPLOY)),
        ALWAYS_DENIED[0],
        deny_management(USER, WRITER, READER),
        *ALWAYS_DENIED[1:],
    ]


THEIRS, SETUP, GRANTED = "arn:aws:iam::444455556666:role/App", f"{ADMIN}Setup", f"{USER}Granted"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(SPEC, (), id="nobody uses it"),
        pytest.param(replace(SPEC, root_access=RootAccess.FULL_DELEGATION), (), id="all is left to IAM"),
        pytest.param(replace(SPEC, users=(USER, WRITER), decrypt_only=(USER,)), (USER, WRITER), id="once"),
        pytest.param(
            replace(SPEC, further=(allow("ServiceX", [USER, DEPLOY], ["kms:GenerateDataKey*"]),)),
            (USER,),
            id="through a service, the deployment principal too",
        ),
        pytest.param(
            replace(
                SPEC,
                further=(allow("ServiceX", [USER, f"{DEPLOY}/"], "kms:Decrypt"),),
                deployment_as_users=(f"{DEPLOY}/",),
            ),
            (USER,),
            id="the deployment principal in another spelling",
        ),
        pytest.param(
            replace(SPEC, further=(allow("ServiceX", USER, "kms:CreateGrant"),)),
            (USER,),
            id="grants for AWS resources alone",
        ),
        pytest.param(
            replace(SPEC, further=(allow("ServiceX", USER, ["kms:DescribeKey", "kms:ListGrants"]),)),
            (),
            id="reading is no use",
        ),
        pytest.param(
            replace(
                SPEC,
                further=({**allow("X", "", "kms:Decrypt"), "Principal": {"Service": "sns.amazonaws.com"}},),
            ),
            (),
            id="a service has no IAM policies",
        ),
        pytest.param(
            replace(
                SPEC,
                further=(allow("External", [THEIRS, THEIRS.replace("role/App", "root")], "kms:Decrypt"),),
            ),
            (THEIRS,),
            id="other accounts: their roles, not the account",
        ),
        pytest.param(
            replace(
                SPEC,
                direct_grants=(DeclaredGrant(grantee=GRANTED, operations=("Decrypt",), created_by=(SETUP,)),),
            ),
            (SETUP, GRANTED),
            id="a grant's creator and its grantee",
        ),
    ],
)
def test_users_do_not_manage(spec: KeyPolicySpec, expected: tuple[str, ...]) -> None:
    found = [one for one in statements(spec) if one["Sid"] == "DenyManagementToUsers"]
    assert found == ([deny_management(*expected)] if expected else [])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        pytest.param(
            RootAccess.ADMINISTRATION,
            allow("RootAccount", ROOT, sorted([*READS, *MANAGES, *GUARDS, "kms:RevokeGrant"])),
            id="administration",
        ),
        pytest.param(
            RootAccess.FULL_DELEGATION,
            {**allow("RootAccount", ROOT, []), "Action": "kms:*"},
            id="full-delegation",
        ),
        pytest.param(
            RootAccess.ROOT_USER_ONLY,
            allow(
                "RootAccount",
                ROOT,
                sorted([*READS, *MANAGES, *GUARDS, "kms:RevokeGrant"]),
                ArnEquals={"aws:PrincipalArn": ROOT},
            ),
            id="root-user-only",
        ),
    ],
)
def test_the_root_statement(mode: RootAccess, expected: dict[str, object]) -> None:
    assert written.root_account(replace(SPEC, root_access=mode)) == expected


def test_a_key_that_may_be_destroyed_lets_its_deployer_delete_and_nothing_more() -> None:
    spec = replace(SPEC, deployment_may_delete=True)
    by_sid = {statement["Sid"]: statement for statement in statements(spec)}
    assert by_sid["Deployment"] == allow("Deployment", DEPLOY, sorted([*DEPLOYS, "kms:ScheduleKeyDeletion"]))
    assert by_sid["DenyDestruction"] == deny(
        "DenyDestruction",
        ["kms:DeleteImportedKeyMaterial", "kms:DisableKey"],
        ArnNotEquals=but(ROOT, ADMIN),
    )
    assert by_sid["DenyDeletion"] == deny(
        "DenyDeletion", "kms:ScheduleKeyDeletion", ArnNotEquals=but(ROOT, ADMIN, DEPLOY)
    )


def test_users_through_services() -> None:
    spec = replace(SPEC, users=(USER,), via_services=("s3.eu-west-1.amazonaws.com",))
    via = {"kms:ViaService": ["s3.eu-west-1.amazonaws.com"]}
    assert written.key_users(spec) == allow("KeyUsers", USER, USES, StringEquals=via)
    assert written.key_users_grants(spec) == allow(
        "KeyUsersGrants",
        USER,
        ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
        Bool={"kms:GrantIsForAWSResource": "true"},
        StringEquals=via,
    )


def test_an_imported_key_names_its_material() -> None:
    spec = replace(SPEC, origin="EXTERNAL")
    administrators = written.key_administrators(spec)["Action"]
    assert isinstance(administrators, list)
    assert "kms:DeleteImportedKeyMaterial" in administrators
    assert ROTATION & set(administrators) == {"kms:RotateKeyOnDemand"}


COMBINATIONS = [
    pytest.param(name, usage, id=f"{name}-{usage}")
    for name, spec in KEY_SPECS.items()
    for usage in spec.usages
]


@pytest.mark.parametrize(("name", "usage"), COMBINATIONS)
def test_what_users_may_do_follows_spec_and_usage(name: str, usage: KeyUsage) -> None:
    spec = replace(SPEC, users=(USER,), key_spec=name, key_usage=usage)
    by_sid = {statement["Sid"]: statement for statement in statements(spec)}
    uses = sorted(f"kms:{action}" for action in using_actions(name, usage))
    assert by_sid["KeyUsers"] == allow("KeyUsers", USER, uses)
    assert ("KeyUsersGrants" in by_sid) is (name == "SYMMETRIC_DEFAULT")
    for sid in ("RootAccount", "KeyAdministrators", "Deployment"):
        actions = set(by_sid[sid]["Action"])  # type: ignore[call-overload]
        assert bool(ROTATION & actions) is (name == "SYMMETRIC_DEFAULT"), sid


EVERY_SHAPE = [
    pytest.param(
        replace(
            SPEC,
            root_access=mode,
            users=(USER,),
            encrypt_only=(WRITER,),
            decrypt_only=(READER,),
            break_glass=rescue,
            deployment_may_delete=destroy,
            key_spec=name,
            key_usage=KEY_SPECS[name].usages[0],
            multi_region=multi,
        ),
        id=f"{name}-{mode}-{'break-glass' if rescue else 'plain'}-{'destroy' if destroy else 'retain'}"
        f"{'-multi' if multi else ''}",
    )
    for name in ("SYMMETRIC_DEFAULT", "RSA_2048", "HMAC_256", "ML_KEM_768")
    for mode in RootAccess
    for rescue in ((), (RESCUE,))
    for destroy in (False, True)
    for multi in (False, True)
]


@pytest.mark.parametrize("spec", EVERY_SHAPE)
def test_every_policy_is_well_formed(spec: KeyPolicySpec) -> None:
    policy = parse_policy(key_policy(spec))
    assert policy.problems == ()
    assert policy.size is not None
    assert policy.size < MAXIMUM_KEY_POLICY_BYTES
    sids = [statement.sid for statement in policy.statements]
    assert len(set(sids)) == len(sids)
    allowed = {
        statement.sid: statement.actions for statement in policy.statements if statement.effect == "Allow"
    }
    for sid, actions in allowed.items():
        assert isinstance(actions, tuple)
        if sid == "RootAccount" and spec.root_access is RootAccess.FULL_DELEGATION:
            continue
        assert not [one for one in actions if "*" in one], sid
        classes = {ACTIONS[one.removeprefix("kms:")].classification for one in actions}
        if sid in {"RootAccount", "KeyAdministrators", "BreakGlass", "Deployment"}:
            assert ActionClass.CRYPTOGRAPHIC not in classes, sid
            assert "kms:CreateGrant" not in actions, sid
        if sid in {"KeyUsers", "EncryptOnly", "DecryptOnly"}:
            assert classes <= {ActionClass.CRYPTOGRAPHIC, ActionClass.READ}, sid


def test_an_empty_list_writes_no_statement() -> None:
    sids = [statement["Sid"] for statement in statements(SPEC)]
    for absent in ("BreakGlass", "KeyUsers", "KeyUsersGrants", "EncryptOnly", "DecryptOnly"):
        assert absent not in sids


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(
            SPEC,
            {
                "IAM-KMS-2": [ADMIN],
                "IAM-KMS-3": [ADMIN],
                "IAM-KMS-4": [ADMIN],
                "IAM-KMS-5": [ADMIN, DEPLOY],
                "IAM-KMS-7": [],
            },
            id="administrators guard",
        ),
        pytest.param(
            replace(SPEC, break_glass=(RESCUE,), deployment_may_delete=True),
            {
                "IAM-KMS-2": [RESCUE],
                "IAM-KMS-3": [RESCUE, DEPLOY],
                "IAM-KMS-4": [RESCUE],
                "IAM-KMS-5": [RESCUE, DEPLOY],
                "IAM-KMS-7": [],
            },
            id="break-glass, destroyed with its stack",
        ),
    ],
)
def test_who_is_authorised(spec: KeyPolicySpec, expected: dict[str, list[str]]) -> None:
    assert declaration(spec).to_json()["authorised"] == expected
