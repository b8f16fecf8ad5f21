"""What CDK writes: cross-stack references, a nested stack, stages, a replica by a weak reference."""

from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from kms_constructs.model.estate import Estate, Key, KeyKind
from kms_constructs.model.text import display
from kms_constructs.sources import load
from tests.sources.support import ACCOUNT

pytestmark = pytest.mark.cdk


class _Production(cdk.Stage):
    """A multi-Region key, and its replica in a stack that refers to it weakly."""

    def __init__(self, app: cdk.App) -> None:
        super().__init__(app, "Prod", env=cdk.Environment(account=ACCOUNT, region="us-east-1"))
        keys = cdk.Stack(self, "Keys")
        admin = iam.Role(keys, "Admin", assumed_by=iam.AccountRootPrincipal(), role_name="admin")
        primary = kms.Key(keys, "Key", multi_region=True, admins=[admin], alias="prod/data")
        replica = cdk.Stack(self, "Replica", env=cdk.Environment(account=ACCOUNT, region="eu-west-1"))
        cdk.CrossStackReferences.of(replica).consume(cdk.ReferenceStrength.WEAK)
        kms.CfnReplicaKey(replica, "Copy", primary_key_arn=primary.key_arn, key_policy={"Statement": []})


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    directory = tmp_path_factory.mktemp("assembly") / "cdk.out"
    app = cdk.App(analytics_reporting=False, outdir=str(directory))
    keys, users = cdk.Stack(app, "Keys"), cdk.Stack(app, "Users")
    key = kms.Key(keys, "Key", alias="app/data", enable_key_rotation=True)
    s3.Bucket(users, "Bucket", encryption=s3.BucketEncryption.KMS, encryption_key=key)
    role = iam.Role(users, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    key.grant_decrypt(role)
    nested = cdk.NestedStack(keys, "Nested")
    sqs.Queue(nested, "Queue", encryption_master_key=key)
    inner = kms.Key(nested, "Inner")
    s3.Bucket(keys, "Own", encryption=s3.BucketEncryption.KMS, encryption_key=inner)
    _Production(app)
    app.synth()
    return load([Path(directory)])


def _key(estate: Estate, path: str) -> Key:
    return next(key for key in estate.keys if key.location.construct_path == path)


def test_everything_is_read(estate: Estate) -> None:
    assert estate.problems == ()
    assert sorted(str(key.location.construct_path) for key in estate.keys) == [
        "Keys/Key/Resource",
        "Keys/Nested/Inner/Resource",
        "Prod/Keys/Key/Resource",
        "Prod/Replica/Copy",
    ]


def test_uses_across_stacks_and_in_nested_stacks(estate: Estate) -> None:
    used = {
        path: _key(estate, path).references for path in ("Keys/Key/Resource", "Keys/Nested/Inner/Resource")
    }
    assert {
        path: sorted(str(use.location.construct_path) for use in uses) for path, uses in used.items()
    } == {
        "Keys/Key/Resource": ["Keys/Nested/Queue/Resource", "Users/Bucket/Resource"],
        "Keys/Nested/Inner/Resource": ["Keys/Own/Resource"],
    }


def test_aliases(estate: Estate) -> None:
    assert _key(estate, "Keys/Key/Resource").aliases == ("alias/app/data",)
    assert _key(estate, "Prod/Keys/Key/Resource").aliases == ("alias/prod/data",)


def test_the_replica_knows_its_primary(estate: Estate) -> None:
    primary, replica = _key(estate, "Prod/Keys/Key/Resource"), _key(estate, "Prod/Replica/Copy")
    assert (primary.primary, replica.kind, replica.primary) == (None, KeyKind.REPLICA, primary.id)


def test_grants_reach_the_key_across_stacks(estate: Estate) -> None:
    granted = {
        display(str(policy.attached_to[0])): policy.policy.statements[0].resources
        for policy in estate.identity_policies
        if isinstance(policy.attached_to, tuple)
    }
    assert granted[f"arn:aws:iam::{ACCOUNT}:role/admin"] == (
        _key(estate, "Prod/Keys/Key/Resource").arn_pattern,
    )
    (reader,) = (role for role in granted if "Users" in role)
    assert reader.startswith("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${Users.Role")
    assert granted[reader] == (_key(estate, "Keys/Key/Resource").arn_pattern,)
