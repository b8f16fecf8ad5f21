"""A bucket and its key, shared with a role of another account: proven by the policies, then tried."""

from __future__ import annotations

import json

from e2e.chain import Chain
from e2e.watched import BUCKET, READER, WRITER
from reference_app.environments import REGION

OUTSIDER = "arn:aws:iam::777788889999:role/somebody"
_ROLES = {"source": WRITER, "target": READER, "outsider": OUTSIDER}


def verified(run: Chain) -> None:
    """Writes as the owner, reads as the other account, and is refused as a third."""
    key = run.made["alias/prod/reports"]
    profiles = "".join(_profile(run, name, arn, key) for name, arn in _ROLES.items())
    credentials = run.directory / "aws-credentials"
    credentials.touch(0o600)
    credentials.write_text(profiles, "utf-8")
    given = [part for name in _ROLES for part in (f"--{name}-profile", name)]
    report = run.json(
        *("kms-constructs", "verify-sharing", *given, "--bucket", BUCKET, "--key", key),
        *("--yes", "--format", "json"),
        codes=[0, 3],
        AWS_ACCESS_KEY_ID="",
        AWS_SECRET_ACCESS_KEY="",
    )
    for step in report:
        run.say(f"{step['result']:9} by {step['proof']:6} {step['what']}: {step['why'][:90]}")
    unknown = [step["what"] for step in report if step["result"] == "not known"]
    run.expect(
        all("may not decrypt by itself" in what for what in unknown),
        f"everything holds but for {len(unknown)} dry runs: the emulator finds no key of another account",
    )
    left = run.client("s3").list_objects_v2(Bucket=BUCKET).get("KeyCount", 0)
    run.expect(left == 0, "nothing is left in the bucket")


def _profile(run: Chain, name: str, arn: str, key: str) -> str:
    """Makes a role with the IAM policies that its account would give it, and gives its credentials."""
    account, role = arn.split(":")[4], arn.rpartition("/")[2]
    iam, sts = run.client("iam", account=account), run.client("sts", account=account)
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    iam.create_role(
        RoleName=role,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}),
    )
    wanted = ["s3:GetObject*", "s3:PutObject*", "s3:DeleteObject*", "s3:GetBucket*", "s3:ListBucket*"]
    allowed = [
        {
            "Effect": "Allow",
            "Action": wanted,
            "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
        },
        {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key},
        {"Effect": "Allow", "Action": "iam:GetAccountAuthorizationDetails", "Resource": "*"},
    ]
    iam.put_role_policy(
        RoleName=role,
        PolicyName="sharing",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}),
    )
    given = sts.assume_role(RoleArn=arn, RoleSessionName="e2e")["Credentials"]
    return (
        f"[{name}]\n"
        f"aws_access_key_id = {given['AccessKeyId']}\n"
        f"aws_secret_access_key = {given['SecretAccessKey']}\n"
        f"aws_session_token = {given['SessionToken']}\n"
        f"region = {REGION}\n"
    )
