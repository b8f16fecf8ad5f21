"""`verify-sharing` from the command line, between three accounts of the emulator that hold their own IAM.

moto evaluates IAM policies of the caller, so that an outsider without any is refused. It evaluates neither
key policies nor dry runs: a dry run that IAM allows brings an error of moto's own, and stays open.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError
from moto.core import set_initial_no_auth_action_count

from kms_constructs.cli import main as entry
from tests.runtime.replay import client_error

pytestmark = [pytest.mark.emulator]
REGION = "eu-west-1"
OWNER, READER, STRANGER = "111122223333", "444455556666", "777788889999"
BUCKET = "shared-data"


def allow(*actions: str, resource: str = "*", **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def policy(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def role(account: str) -> str:
    return f"arn:aws:iam::{account}:role/Data"


READS_IAM = allow("iam:GetAccountAuthorizationDetails")
ROLES = {
    OWNER: [READS_IAM, allow("s3:*"), allow("kms:*")],
    READER: [READS_IAM, allow("s3:GetObject"), allow("kms:Decrypt")],
    STRANGER: [READS_IAM],
}
VIA_S3 = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}


@dataclass
class Accounts:
    """Three accounts, a key and a bucket, and how to look into the bucket."""

    key: str
    s3: Any
    calls: list[str] = field(default_factory=list)

    def objects(self) -> list[str]:
        found = self.s3.list_object_versions(Bucket=BUCKET)
        kept = [*found.get("Versions", ()), *found.get("DeleteMarkers", ())]
        for one in kept:
            self.s3.delete_object(Bucket=BUCKET, Key=one["Key"], VersionId=one["VersionId"])
        return [one["Key"] for one in kept]


@pytest.fixture(scope="module")
def accounts(emulator: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    folder = tmp_path_factory.mktemp("aws")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MOTO_ACCOUNT_ID")  # else every caller is of that account
        clients: dict[str, dict[str, Any]] = {}
        profiles: list[str] = []
        for name, account in (("source", OWNER), ("target", READER), ("outsider", STRANGER)):
            made = boto3.client("sts", region_name=REGION).assume_role(
                RoleArn=f"arn:aws:iam::{account}:role/Setup", RoleSessionName="setup"
            )["Credentials"]
            keys = {
                "aws_access_key_id": made["AccessKeyId"],
                "aws_secret_access_key": made["SecretAccessKey"],
                "aws_session_token": made["SessionToken"],
            }
            clients[account] = {
                service: boto3.client(service, region_name=REGION, **keys) for service in ("iam", "kms", "s3")
            }
            iam = clients[account]["iam"]
            trust = policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
            iam.create_role(RoleName="Data", AssumeRolePolicyDocument=trust)
            iam.put_role_policy(RoleName="Data", PolicyName="p", PolicyDocument=policy(*ROLES[account]))
            given = boto3.client("sts", region_name=REGION, **keys).assume_role(
                RoleArn=role(account), RoleSessionName="me"
            )["Credentials"]
            profiles += [
                f"[{name}]",
                f"aws_access_key_id = {given['AccessKeyId']}",
                f"aws_secret_access_key = {given['SecretAccessKey']}",
                f"aws_session_token = {given['SessionToken']}",
            ]
        credentials = folder / "credentials"
        credentials.write_text("\n".join(profiles) + "\n", "utf-8")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.delenv(name)
        root = f"arn:aws:iam::{OWNER}:root"
        shared = policy(
            {**allow("kms:PutKeyPolicy", "kms:GetKeyPolicy"), "Principal": {"AWS": root}},
            {**allow("kms:GenerateDataKey"), "Principal": {"AWS": role(OWNER)}, "Condition": VIA_S3},
            {**allow("kms:Decrypt"), "Principal": {"AWS": role(READER)}, "Condition": VIA_S3},
        )
        key = clients[OWNER]["kms"].create_key(Policy=shared)["KeyMetadata"]["Arn"]
        s3 = clients[OWNER]["s3"]
        where = {"LocationConstraint": REGION}
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        yield Accounts(key, s3)


Run = Callable[..., tuple[object, list[dict[str, str]], str]]


@pytest.fixture
def verify(accounts: Accounts, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command, and fails one of its calls when that is asked for."""

    def run(fails: int | None = None, error: BaseException | None = None, *, after: bool = False) -> Any:
        accounts.calls.clear()
        real = botocore.client.BaseClient._make_api_call

        def call(client: Any, operation: str, parameters: Any) -> Any:
            number = len(accounts.calls)
            accounts.calls.append(operation)
            if number == fails and error is not None:
                if after:
                    with contextlib.suppress(ClientError):
                        real(client, operation, parameters)
                raise error
            return real(client, operation, parameters)

        arguments = ["verify-sharing", "--yes", "--format", "json", "--bucket", BUCKET, "--key", accounts.key]
        for name in ("source", "target", "outsider"):
            arguments += [f"--{name}-profile", name]
        with monkeypatch.context() as patch:
            patch.setattr(botocore.client.BaseClient, "_make_api_call", call)
            with pytest.raises(SystemExit) as exit_:
                set_initial_no_auth_action_count(0)(entry.main)(arguments)
        told = capsys.readouterr()
        return exit_.value.code, json.loads(told.out or "[]"), told.err

    return run


def by_step(steps: list[dict[str, str]]) -> dict[str, str]:
    return {f"{one['proof']}: {one['what']}": one["result"] for one in steps}


def test_what_is_shared_is_proven_and_tried_and_nothing_stays_behind(accounts: Accounts, verify: Run) -> None:
    code, steps, err = verify()
    found = by_step(steps)
    dry = {name: result for name, result in found.items() if "by itself" in name}
    assert {name: result for name, result in found.items() if name not in dry} == {
        "policy: The source may call kms:GenerateDataKey through S3": "holds",
        "policy: The target may call kms:Decrypt through S3": "holds",
        "policy: The outsider may not call kms:Decrypt through S3": "holds",
        "call: The source writes an object under the key, with the encryption context": "holds",
        "call: The target reads what the source wrote": "holds",
        "call: The outsider cannot read it": "holds",
        "call: The object is gone": "holds",
    }
    assert "fails" not in dry.values()
    assert code == (3 if "not known" in dry.values() else 0)
    assert accounts.objects() == []
    assert err == ""


PROVING = ("ListGrants", "ListKeyPolicies", "GetKeyPolicy", "PutObject", "GetObject", "DeleteObject")
"""Calls without which some step does not hold: the policies here ask for no tags, nor name the outsider."""


def sites_of(accounts: Accounts, verify: Run, *, writing: bool = False) -> list[tuple[int, str, bool]]:
    """Each call of a run; the write also as one that is carried out and brings no answer."""
    verify()
    begun = accounts.calls.index("PutObject") if writing else 0
    sites = [(number, one, False) for number, one in enumerate(accounts.calls) if number >= begun]
    return [*sites, (accounts.calls.index("PutObject"), "PutObject", True)]


@pytest.mark.parametrize("versions", [False, True])
def test_whatever_call_fails_what_rests_on_it_does_not_hold_and_nothing_stays_behind(
    accounts: Accounts, verify: Run, *, versions: bool
) -> None:
    status = {"Status": "Enabled" if versions else "Suspended"}
    accounts.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=status)
    _, whole, _ = verify()
    for number, operation, after in sites_of(accounts, verify, writing=versions):
        code, steps, err = verify(number, client_error("InternalError"), after=after)
        assert "Traceback" not in err
        if operation == "GetCallerIdentity":
            assert (code, steps) == (2, [])
            continue
        before, now = by_step(whole), by_step(steps)
        changed = {name: result for name, result in now.items() if before.get(name) != result}
        assert changed or operation not in PROVING, operation
        assert "holds" not in changed.values(), operation
        assert code in (1, 3), operation
        kept = accounts.objects()
        if operation == "DeleteObject":
            # Nobody else may delete it: the step says where it is.
            assert [one["why"] for one in steps if f"delete s3://{BUCKET}/{kept[0]}" in one["why"]]
        else:
            assert kept == [], operation


def test_wherever_it_is_interrupted_nothing_stays_behind(accounts: Accounts, verify: Run) -> None:
    for number, operation, after in sites_of(accounts, verify, writing=True):
        code, steps, err = verify(number, KeyboardInterrupt(), after=after)
        assert (code not in (0, 1, 3), steps) == (True, []), operation
        assert "Traceback" not in err
        assert accounts.objects() == [] or operation == "DeleteObject", operation


def test_an_object_that_cannot_be_deleted_is_named_when_the_run_is_interrupted(
    accounts: Accounts, verify: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kms_constructs.runtime.sharing.Sharing._reads", interrupted)
    verify()
    number = accounts.calls.index("DeleteObject")
    _, _, err = verify(number, client_error("AccessDenied"))
    assert f"delete s3://{BUCKET}/" in err
    assert len(accounts.objects()) == 1
