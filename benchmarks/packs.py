"""Both guardrail packs beside cdk-nag's AwsSolutions pack, over the same apps in the same run.

Run: ``python benchmarks/packs.py [--units 100] [--runs 5]``. Each pack validates the same synthesized app
through its own entry point; the figure is what that adds to a synth. The ratio is the result, not the
seconds. Two apps: one as people write them (a key with a bucket, a queue, a topic, a secret and a role that
use it), and one of nothing but keys.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace

import aws_cdk as cdk
import cdk_nag
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from kms_constructs import IamKmsGuardrails, KmsRequirements, SecureKmsKey

ACCOUNT = "111122223333"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/KeyAdmin"
UNITS_A_STACK = 40


def a_key(stack: cdk.Stack, number: int) -> SecureKmsKey:
    user = f"arn:aws:iam::{ACCOUNT}:role/User{number}"
    return SecureKmsKey(
        stack,
        f"Key{number}",
        alias=f"unit-{number}",
        description="Benchmark",
        environment="prod",
        service="benchmark",
        data_classification="internal",
        key_administrators=[ADMIN],
        key_users=[user],
        policy_reviewed_on="2026-01-31",
    )


def a_unit(stack: cdk.Stack, number: int) -> None:
    key = a_key(stack, number)
    s3.Bucket(stack, f"Bucket{number}", encryption_key=key, enforce_ssl=True)
    sqs.Queue(stack, f"Queue{number}", encryption_master_key=key, enforce_ssl=True)
    sns.Topic(stack, f"Topic{number}", master_key=key)
    secretsmanager.CfnSecret(stack, f"Secret{number}", kms_key_id=key.key_arn)
    role = iam.Role(stack, f"Role{number}", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    key.grant_decrypt(role)


def app_of(make: Callable[[cdk.Stack, int], object], units: int) -> cdk.App:
    app = cdk.App(analytics_reporting=False)
    env = cdk.Environment(account=ACCOUNT, region="eu-west-1")
    for number in range(units):
        if number % UNITS_A_STACK == 0:
            stack = cdk.Stack(app, f"Stack{number // UNITS_A_STACK}", env=env)
        make(stack, number)
    return app


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def validate(context: SimpleNamespace) -> None:
    """What `enforce_guardrails` adds to an app: two packs that share one reading of the assembly."""
    access = IamKmsGuardrails()
    access.validate(context)
    KmsRequirements(beside=access).validate(context)


def compare(title: str, app: cdk.App, units: int, runs: int) -> None:
    assembly = app.synth()
    templates = [artifact.template_full_path for artifact in assembly.stacks]
    context = SimpleNamespace(template_paths=templates, app_construct=app)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(runs):
        ours.append(seconds(lambda: validate(context)))
        theirs.append(seconds(lambda: cdk_nag.AwsSolutionsChecks().validate_scope(app)))
    mine, other = statistics.median(ours), statistics.median(theirs)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"{title}: {units} keys, median of {runs} runs")
    print(f"  both guardrail packs     {mine:8.3f} s   {1000 * mine / units:6.2f} ms a key")
    print(f"  cdk-nag AwsSolutions     {other:8.3f} s   {1000 * other / units:6.2f} ms a key")
    print(
        f"  ratio                    {ratio:8.2f}   (fastest against fastest {min(ours) / min(theirs):.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--units", type=int, default=100, help="keys in each app")
    parser.add_argument("--runs", type=int, default=5, help="counted runs; the median is shown")
    given = parser.parse_args()
    compare("keys with what uses them", app_of(a_unit, given.units), given.units, given.runs)
    compare("nothing but keys", app_of(a_key, given.units), given.units, given.runs)


if __name__ == "__main__":
    main()
