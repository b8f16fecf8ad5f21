"""IAM policies of templates: which, whose, and what is left out."""

import pytest

from kms_constructs.model.aws_managed import AWS_MANAGED_POLICIES, aws_managed_policy
from kms_constructs.model.estate import IdentityPolicyKind
from kms_constructs.model.unknown import Unknown
from kms_constructs.sources import TemplateInput, estate_from_templates
from tests.sources.support import ACCOUNT, ANY_ACCOUNT, REGION, environment, estate_of, generated

DECRYPT = {"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}]}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
ADMIN = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "Admin", "Path": "/ops/"}}
USER = {"Type": "AWS::IAM::User", "Properties": {"UserName": "ann"}}
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{generated('App.Role.Name')}"
ADMIN_ARN = f"arn:aws:iam::{ACCOUNT}:role/ops/Admin"
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/ann"
MANAGED, INLINE = IdentityPolicyKind.MANAGED, IdentityPolicyKind.INLINE
AWS_MANAGED, BOUNDARY = IdentityPolicyKind.AWS_MANAGED, IdentityPolicyKind.BOUNDARY


def _of(kind: str, **properties: object) -> dict[str, object]:
    return {"Type": kind, "Properties": properties}


def _of_any_path(kind: str, name: str) -> tuple[str, ...]:
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{name}", f"arn:aws:iam::{ACCOUNT}:{kind}/*/{name}"


def _policy(**properties: object) -> dict[str, object]:
    return _of("AWS::IAM::Policy", PolicyName="p", PolicyDocument=DECRYPT, **properties)


def _managed(**properties: object) -> dict[str, object]:
    return _of("AWS::IAM::ManagedPolicy", ManagedPolicyName="m", PolicyDocument=DECRYPT, **properties)


# Resources, and of each policy found: id, kind, holders, whether others may have it.
ATTACHED = {
    "a policy of a role by Ref": (
        {"Role": ROLE, "P": _policy(Roles=[{"Ref": "Role"}])},
        [("App.P", INLINE, (ROLE_ARN,), False)],
    ),
    "a policy of a role by name, with the role's path": (
        {"Admin": ADMIN, "P": _policy(Roles=["Admin"])},
        [("App.P", INLINE, (ADMIN_ARN,), False)],
    ),
    "a policy of a role that is in no template": (
        {"P": _policy(Roles=["Other"])},
        [("App.P", INLINE, _of_any_path("role", "Other"), False)],
    ),
    "a policy of a user": (
        {"Ann": USER, "P": _policy(Users=[{"Ref": "Ann"}])},
        [("App.P", INLINE, (USER_ARN,), False)],
    ),
    "a policy of a group reaches its members": (
        {
            "Group": _of("AWS::IAM::Group"),
            "Ann": _of("AWS::IAM::User", UserName="ann", Groups=[{"Ref": "Group"}]),
            "P": _policy(Groups=[{"Ref": "Group"}]),
        },
        [("App.P", INLINE, (USER_ARN,), True)],
    ),
    "members by an addition": (
        {
            "Group": _of("AWS::IAM::Group"),
            "Ann": USER,
            "Add": _of("AWS::IAM::UserToGroupAddition", GroupName={"Ref": "Group"}, Users=["ann"]),
            "P": _policy(Groups=[{"Ref": "Group"}]),
        },
        [("App.P", INLINE, (USER_ARN,), True)],
    ),
    "a policy of roles that a parameter decides": (
        {"P": _policy(Roles={"Ref": "OpenList"})},
        [
            (
                "App.P",
                INLINE,
                Unknown("parameter OpenList of App has no value that is known before deployment"),
                False,
            )
        ],
    ),
    "a role policy": (
        {"Role": ROLE, "P": _of("AWS::IAM::RolePolicy", RoleName={"Ref": "Role"}, PolicyDocument=DECRYPT)},
        [("App.P", INLINE, (ROLE_ARN,), False)],
    ),
    "a user policy": (
        {"P": _of("AWS::IAM::UserPolicy", UserName="ann", PolicyDocument=DECRYPT)},
        [("App.P", INLINE, _of_any_path("user", "ann"), False)],
    ),
    "a group policy": (
        {"P": _of("AWS::IAM::GroupPolicy", GroupName="g", PolicyDocument=DECRYPT)},
        [("App.P", INLINE, (), True)],
    ),
    "policies inside a role": (
        {"Role": _of("AWS::IAM::Role", Policies=[{"PolicyName": "p", "PolicyDocument": DECRYPT}])},
        [("App.Role/Policies/0", INLINE, (ROLE_ARN,), False)],
    ),
    "a managed policy of nobody yet": ({"M": _managed()}, [("App.M", MANAGED, (), True)]),
    "a managed policy with roles": (
        {"Role": ROLE, "M": _managed(Roles=[{"Ref": "Role"}])},
        [("App.M", MANAGED, (ROLE_ARN,), True)],
    ),
    "a managed policy by its ARN": (
        {"Role": _of("AWS::IAM::Role", ManagedPolicyArns=[{"Ref": "M"}]), "M": _managed()},
        [("App.M", MANAGED, (ROLE_ARN,), True)],
    ),
    "a managed policy by an ARN that is built": (
        {
            "Role": _of(
                "AWS::IAM::Role",
                ManagedPolicyArns=[{"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/m"}],
            ),
            "M": _managed(),
        },
        [("App.M", MANAGED, (ROLE_ARN,), True)],
    ),
    "a managed policy as a boundary": (
        {"Role": _of("AWS::IAM::Role", PermissionsBoundary={"Ref": "M"}), "M": _managed()},
        [("App.M", MANAGED, (), True), ("App.M/boundary", BOUNDARY, (), True)],
    ),
    "a managed policy as a boundary and a policy": (
        {
            "Role": _of("AWS::IAM::Role", PermissionsBoundary={"Ref": "M"}, ManagedPolicyArns=[{"Ref": "M"}]),
            "M": _managed(),
        },
        [("App.M", MANAGED, (ROLE_ARN,), True), ("App.M/boundary", BOUNDARY, (), True)],
    ),
    "an AWS managed policy": (
        {"Role": _of("AWS::IAM::Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"])},
        [("App.Role/ManagedPolicyArns/0", AWS_MANAGED, (ROLE_ARN,), False)],
    ),
    "an AWS managed policy with a path": (
        {
            "Role": _of(
                "AWS::IAM::Role",
                ManagedPolicyArns=[
                    {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/job-function/SystemAdministrator"}
                ],
            )
        },
        [("App.Role/ManagedPolicyArns/0", AWS_MANAGED, (ROLE_ARN,), False)],
    ),
    "a managed policy that a parameter decides": (
        {"Role": _of("AWS::IAM::Role", ManagedPolicyArns=[{"Ref": "Open"}])},
        [("App.Role/ManagedPolicyArns/0", MANAGED, (ROLE_ARN,), False)],
    ),
    "a customer managed policy that is in no template": (
        {"Role": _of("AWS::IAM::Role", ManagedPolicyArns=[f"arn:aws:iam::{ACCOUNT}:policy/elsewhere"])},
        [("App.Role/ManagedPolicyArns/0", MANAGED, (ROLE_ARN,), False)],
    ),
    "an AWS managed policy that only reads": (
        {"Role": _of("AWS::IAM::Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/ReadOnlyAccess"])},
        [],
    ),
    "a managed policy that has the name of one of AWS's": (
        {
            "Role": _of("AWS::IAM::Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/m"]),
            "M": _managed(),
        },
        [("App.M", MANAGED, (), True), ("App.Role/ManagedPolicyArns/0", AWS_MANAGED, (ROLE_ARN,), False)],
    ),
    "an AWS managed policy without its path": (
        {"Role": _of("AWS::IAM::Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/SystemAdministrator"])},
        [("App.Role/ManagedPolicyArns/0", AWS_MANAGED, (ROLE_ARN,), False)],
    ),
    "members by the name of a user that is in no template": (
        {
            "Add": _of("AWS::IAM::UserToGroupAddition", GroupName="ops", Users=["ann"]),
            "P": _policy(Groups=["ops"]),
        },
        [("App.P", INLINE, _of_any_path("user", "ann"), True)],
    ),
    "members of a group that a parameter names": (
        {
            "Ann": _of("AWS::IAM::User", UserName="ann", Groups=[{"Ref": "Open"}]),
            "P": _policy(Groups=["ops"]),
        },
        [("App.P", INLINE, (USER_ARN,), True)],
    ),
    "members that a parameter decides": (
        {
            "Ann": USER,
            "Add": _of("AWS::IAM::UserToGroupAddition", GroupName="ops", Users={"Ref": "OpenList"}),
            "P": _policy(Groups=["ops"]),
            "Q": _policy(Groups=["others"]),
        },
        [
            (
                "App.P",
                INLINE,
                Unknown("parameter OpenList of App has no value that is known before deployment"),
                True,
            ),
            ("App.Q", INLINE, (), True),
        ],
    ),
    "groups that a parameter decides": (
        {
            "Ann": _of("AWS::IAM::User", UserName="ann", Groups={"Ref": "OpenList"}),
            "P": _policy(Groups=["ops"]),
        },
        [
            (
                "App.P",
                INLINE,
                Unknown("parameter OpenList of App has no value that is known before deployment"),
                True,
            )
        ],
    ),
    "a permission set with a customer managed policy": (
        {
            "Set": _of("AWS::SSO::PermissionSet", CustomerManagedPolicyReferences=[{"Name": "m"}]),
            "M": _managed(),
        },
        [("App.M", MANAGED, (), True)],
    ),
    "a permission set with one that is in no template": (
        {"Set": _of("AWS::SSO::PermissionSet", CustomerManagedPolicyReferences=[{"Name": "n"}])},
        [("App.Set/CustomerManagedPolicyReferences/0", MANAGED, (), True)],
    ),
    "a serverless state machine": (
        {"Flow": _of("AWS::Serverless::StateMachine", Policies=[DECRYPT], RolePath="/flows/")},
        [
            (
                "App.Flow/Policies/0",
                INLINE,
                (f"arn:aws:iam::{ACCOUNT}:role/flows/{generated('App.FlowRole.Name')}",),
                False,
            )
        ],
    ),
    "a permission set": (
        {
            "Set": _of(
                "AWS::SSO::PermissionSet",
                Name="Ops",
                InlinePolicy=DECRYPT,
                ManagedPolicies=["arn:aws:iam::aws:policy/PowerUserAccess"],
            )
        },
        [
            ("App.Set/InlinePolicy", INLINE, (), True),
            ("App.Set/ManagedPolicies/0", AWS_MANAGED, (), True),
        ],
    ),
    "a serverless function": (
        {
            "Fn": _of(
                "AWS::Serverless::Function",
                Policies=[
                    "AdministratorAccess",
                    DECRYPT,
                    {"KMSDecryptPolicy": {"KeyId": "1234"}},
                    {"S3ReadPolicy": {}},
                ],
            )
        },
        [
            (
                f"App.Fn/Policies/{index}",
                kind,
                (f"arn:aws:iam::{ACCOUNT}:role/{generated('App.FnRole.Name')}",),
                False,
            )
            for index, kind in ((1, INLINE), (2, INLINE), (0, AWS_MANAGED))
        ],
    ),
    "a serverless function with a role of its own": (
        {"Fn": _of("AWS::Serverless::Function", Policies=[DECRYPT], Role=ADMIN_ARN)},
        [],
    ),
    "a policy whose document is missing": (
        {"P": _of("AWS::IAM::Policy", Roles=["r"])},
        [("App.P", INLINE, _of_any_path("role", "r"), False)],
    ),
}


@pytest.mark.parametrize(("resources", "expected"), ATTACHED.values(), ids=ATTACHED.keys())
def test_attached(resources: dict[str, object], expected: list[object]) -> None:
    parameters = {"Open": {"Type": "String"}, "OpenList": {"Type": "CommaDelimitedList"}}
    found = estate_of(resources, Parameters=parameters).identity_policies
    assert [(policy.id, policy.kind, policy.attached_to, policy.attachable) for policy in found] == expected


KEPT = {
    "kms": ({"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": "*"}, True),
    "everything": ({"Effect": "Allow", "Action": "*", "Resource": "*"}, True),
    "a pattern over services": ({"Effect": "Allow", "Action": "k*:Decrypt", "Resource": "*"}, True),
    "everything but IAM": ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, True),
    "everything but KMS": ({"Effect": "Allow", "NotAction": ["kms:*"], "Resource": "*"}, False),
    "another service": ({"Effect": "Allow", "Action": ["s3:*", "sqs:*"], "Resource": "*"}, False),
    "only a Deny": ({"Effect": "Deny", "Action": "kms:*", "Resource": "*"}, False),
    "an action that is open": ({"Effect": "Allow", "Action": {"Ref": "Open"}, "Resource": "*"}, True),
    "no action": ({"Effect": "Allow", "Resource": "*"}, True),
}


@pytest.mark.parametrize(("statement", "kept"), KEPT.values(), ids=KEPT.keys())
def test_only_policies_that_may_allow_a_kms_action_are_kept(statement: object, kept: bool) -> None:
    policy = _of("AWS::IAM::Policy", PolicyDocument={"Statement": statement}, Roles=["r"])
    found = estate_of({"P": policy}, Parameters={"Open": {"Type": "String"}}).identity_policies
    assert bool(found) is kept


def test_a_literal_arn_means_the_policy_of_an_account_that_deployment_decides() -> None:
    role = _of("AWS::IAM::Role", RoleName="r", ManagedPolicyArns=[f"arn:aws:iam::{ACCOUNT}:policy/m"])
    item = TemplateInput({"Resources": {"Role": role, "M": _managed()}}, "app.json", "App")
    found = estate_from_templates([item]).identity_policies
    assert [(one.id, one.attached_to) for one in found] == [
        ("App.M", (f"arn:{environment('AWS::Partition')}:iam::{ANY_ACCOUNT}:role/r",))
    ]


def test_a_policy_that_is_in_no_template_may_allow_anything() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/elsewhere"
    found = estate_of({"Role": _of("AWS::IAM::Role", ManagedPolicyArns=[arn])}).identity_policies[0]
    assert (found.name, found.policy.unknown) == (arn, Unknown(f"{arn} is in no template given"))


def test_the_resource_of_a_policy_is_the_arn_pattern_of_the_key() -> None:
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": {"Fn::GetAtt": ["Key", "Arn"]}}
    estate = estate_of(
        {
            "Key": {"Type": "AWS::KMS::Key"},
            "P": _of("AWS::IAM::Policy", PolicyDocument={"Statement": statement}),
        }
    )
    found = estate.identity_policies[0].policy.statements[0]
    assert found.resources == (estate.keys[0].arn_pattern,)
    assert found.path == "Properties/PolicyDocument/Statement/0"


def test_sam_templates_name_the_key() -> None:
    function = _of("AWS::Serverless::Function", Policies=[{"KMSDecryptPolicy": {"KeyId": {"Ref": "Key"}}}])
    estate = estate_of({"Key": {"Type": "AWS::KMS::Key"}, "Fn": function})
    found = estate.identity_policies[0].policy.statements[0]
    assert (found.actions, found.resources) == (("kms:Decrypt",), (estate.keys[0].arn_pattern,))
    assert estate.keys[0].arn_pattern.startswith(f"arn:aws:kms:{REGION}:")


def test_what_an_aws_managed_policy_of_another_name_allows_is_not_known() -> None:
    for name in ("NewerFullAccess", "AdministratorAccess2", "administratoraccess"):
        policy = aws_managed_policy(name)
        assert policy is not None
        assert policy.unknown == Unknown(f"no AWS managed policy {name} is known here")


@pytest.mark.parametrize("name", AWS_MANAGED_POLICIES)
def test_every_aws_managed_policy_of_the_table_can_be_read(name: str) -> None:
    policy = aws_managed_policy(name)
    assert policy is not None
    assert policy.problems == ()
    assert policy.unknown is None
