"""What the guardrails cost: time per key over a thousand keys, and beside Checkov's KMS checks.

    python benchmarks/guardrails.py
    python benchmarks/guardrails.py --profile     # where the time goes
    CHECKOV=/path/to/checkov python benchmarks/guardrails.py

The keys are hardened ones as `SecureKmsKey` writes them (seven Allows, six Denies), plain ones with the
account's `kms:*`, and ones as the AWS console makes them, in templates of 250. Checkov runs the checks that
it has on keys (CKV_AWS_7, CKV_AWS_33) over the same files in the same run; without it that part is left out
and said so. All figures are processor time, which other work on the machine does not lengthen.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from kms_constructs.guardrails.engine import judge
from kms_constructs.model.estate import Estate
from kms_constructs.sources.files import load

KEYS = 1_000
PER_TEMPLATE = 250
"""A stack holds 500 resources, and each key has an alias."""
ROUNDS = 5
TARGET = 1.0
"""Milliseconds a key for all rules together."""
ACCOUNT = "111122223333"
CHECKS = "CKV_AWS_7,CKV_AWS_33"

_ADMINISTRATION = [
    *("CancelKeyDeletion", "CreateAlias", "DeleteAlias", "DescribeKey", "DisableKey", "EnableKey"),
    *("EnableKeyRotation", "GetKeyPolicy", "GetKeyRotationStatus", "ListGrants", "ListKeyPolicies"),
    *("ListKeyRotations", "ListResourceTags", "PutKeyPolicy", "RevokeGrant", "RotateKeyOnDemand"),
    *("ScheduleKeyDeletion", "TagResource", "UntagResource", "UpdateAlias", "UpdateKeyDescription"),
]
_USE = [
    "Decrypt",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncrypt*",
]


def _statement(
    sid: str, effect: str, principal: object, actions: list[str], **more: object
) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": effect,
        "Principal": principal,
        "Action": [f"kms:{name}" for name in actions],
        "Resource": "*",
        **more,
    }


def _role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def _hardened(number: int) -> dict[str, Any]:
    root = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":iam::{ACCOUNT}:root"]]}
    admin, user, deploy = (_role(f"{name}-{number}") for name in ("admin", "user", "deploy"))
    exempt = {"ArnNotEquals": {"aws:PrincipalArn": [root, admin, deploy]}}
    policy = [
        _statement("RootAccount", "Allow", {"AWS": root}, _ADMINISTRATION),
        _statement("KeyAdministrators", "Allow", {"AWS": admin}, _ADMINISTRATION),
        _statement("Deployment", "Allow", {"AWS": deploy}, _ADMINISTRATION),
        _statement("KeyUsers", "Allow", {"AWS": [user, _role(f"other-{number}")]}, _USE),
        _statement(
            "KeyUsersGrants",
            "Allow",
            {"AWS": user},
            ["CreateGrant", "ListGrants", "RevokeGrant"],
            Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        _statement(
            "EncryptOnly", "Allow", {"AWS": _role(f"writer-{number}")}, ["Encrypt", "GenerateDataKey"]
        ),
        _statement(
            "ServiceLogs",
            "Allow",
            {"Service": "logs.eu-west-1.amazonaws.com"},
            _USE,
            Condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:*:{ACCOUNT}:*"}},
        ),
        _statement("DenyDestruction", "Deny", "*", ["ScheduleKeyDeletion", "DisableKey"], Condition=exempt),
        _statement("DenyMaterial", "Deny", "*", ["DeleteImportedKeyMaterial"], Condition=exempt),
        _statement("DenyPolicyChange", "Deny", "*", ["PutKeyPolicy"], Condition=exempt),
        _statement("DenyRotationOff", "Deny", "*", ["DisableKeyRotation"]),
        _statement(
            "DenyShortDeletionWindow",
            "Deny",
            "*",
            ["ScheduleKeyDeletion"],
            Condition={"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}},
        ),
        _statement(
            "DenyDirectGrants",
            "Deny",
            "*",
            ["CreateGrant"],
            Condition={"Bool": {"kms:GrantIsForAWSResource": "false"}},
        ),
    ]
    properties = {"EnableKeyRotation": True, "RotationPeriodInDays": 365, "PendingWindowInDays": 30}
    return {**properties, "KeyPolicy": {"Version": "2012-10-17", "Statement": policy}}


def _plain(_: int) -> dict[str, Any]:
    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    return {
        "EnableKeyRotation": True,
        "KeyPolicy": {"Version": "2012-10-17", "Statement": [_statement("", "Allow", {"AWS": root}, ["*"])]},
    }


def _console(number: int) -> dict[str, Any]:
    policy = [
        _statement("Enable IAM policies", "Allow", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, ["*"]),
        _statement(
            "Administrators",
            "Allow",
            {"AWS": _role(f"admin-{number}")},
            ["Create*", "Put*", "Disable*", "Get*"],
        ),
        _statement("Users", "Allow", {"AWS": _role(f"user-{number}")}, ["Decrypt", "GenerateDataKey*"]),
    ]
    return {"KeyPolicy": {"Version": "2012-10-17", "Statement": policy}}


def write_templates(directory: Path, keys: int = KEYS) -> None:
    """Writes templates with so many keys, each with an alias and a role that may decrypt with it."""
    kinds = (_hardened, _hardened, _plain, _console)
    for start in range(0, keys, PER_TEMPLATE):
        resources: dict[str, Any] = {}
        for number in range(start, min(start + PER_TEMPLATE, keys)):
            resources[f"Key{number}"] = {
                "Type": "AWS::KMS::Key",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {
                    **kinds[number % len(kinds)](number),
                    "Tags": [
                        {"Key": "data-classification", "Value": "confidential"},
                        {"Key": "environment", "Value": "prod"},
                    ],
                },
            }
            resources[f"Alias{number}"] = {
                "Type": "AWS::KMS::Alias",
                "Properties": {"AliasName": f"alias/prod/{number}", "TargetKeyId": {"Ref": f"Key{number}"}},
            }
        text = json.dumps({"Resources": resources}, indent=1)
        (directory / f"keys-{start:05}.template.json").write_text(text, encoding="utf-8")


def _milliseconds(estate: Estate) -> float:
    started = time.process_time()
    judge(estate, pause_gc=True)
    return (time.process_time() - started) * 1_000 / len(estate.keys)


def _seconds(*command: str) -> float:
    """Processor time of a command and of what it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode not in {0, 1, 3}:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr.decode()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description="Time of the guardrails per key, and beside Checkov.")
    parser.add_argument("--keys", type=int, default=KEYS)
    parser.add_argument("--checkov", default=os.environ.get("CHECKOV") or shutil.which("checkov"))
    parser.add_argument("--profile", action="store_true", help="print where the time goes, and stop")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        write_templates(directory, given.keys)
        started = time.process_time()
        estate = load([directory], account=ACCOUNT, region="eu-west-1")
        reading = (time.process_time() - started) * 1_000 / len(estate.keys)
        if given.profile:
            profile = cProfile.Profile()
            profile.runcall(judge, estate)
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
            return 0
        # A new estate every time: what is remembered of a key must not flatter the figure.
        rounds = [
            _milliseconds(load([directory], account=ACCOUNT, region="eu-west-1")) for _ in range(ROUNDS)
        ]
        best = min(rounds)
        print(f"{len(estate.keys):,} keys: reading {reading:.2f} ms a key")
        median = statistics.median(rounds)
        print(f"all rules: {best:.2f} ms a key at best, {median:.2f} in the median (target {TARGET})")
        command = str(Path(sys.executable).parent / "kms-constructs")
        ours = _seconds(command, "check", folder, "--account", ACCOUNT, "--region", "eu-west-1")
        print(f"kms-constructs check: {ours:.1f} s for all guardrails")
        if given.checkov is None:
            print("checkov: not found; name it with --checkov or CHECKOV to compare")
        else:
            options = ("--framework", "cloudformation", "-c", CHECKS, "--quiet", "--compact")
            theirs = _seconds(given.checkov, "-d", folder, *options)
            print(f"checkov {CHECKS}: {theirs:.1f} s; kms-constructs takes {ours / theirs:.2f} of that")
    return 0 if best <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
