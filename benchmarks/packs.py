"""Both guardrail packs beside cdk-nag's AwsSolutions pack, over the same app in the same run.

Run: ``python benchmarks/packs.py [--keys 200] [--runs 3]``. Each pack validates the same synthesized app
through its own entry point; the figure is what that adds to a synth. Ratios, not seconds, are the result.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace

import aws_cdk as cdk
import cdk_nag
from aws_cdk import aws_kms as kms

from kms_constructs import IamKmsGuardrails, KmsRequirements, SecureKmsKey
from kms_constructs.cdk import nag_pack

ADMIN = "arn:aws:iam::111122223333:role/KeyAdmin"
KEYS_A_STACK = 200


def app_with(keys: int) -> cdk.App:
    app = cdk.App(analytics_reporting=False)
    env = cdk.Environment(account="111122223333", region="eu-west-1")
    stack = cdk.Stack(app, "Keys0", env=env)
    for number in range(keys):
        if number and number % KEYS_A_STACK == 0:
            stack = cdk.Stack(app, f"Keys{number // KEYS_A_STACK}", env=env)
        if number % 2:
            kms.Key(stack, f"Plain{number}", alias=f"plain-{number}", enable_key_rotation=True)
        else:
            SecureKmsKey(
                stack,
                f"Secure{number}",
                alias=f"secure-{number}",
                description="Benchmark",
                environment="prod",
                service="benchmark",
                data_classification="internal",
                key_administrators=[ADMIN],
                key_users=[f"arn:aws:iam::111122223333:role/User{number}"],
            )
    return app


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keys", type=int, default=200, help="keys in the app, half of them plain kms.Key")
    parser.add_argument("--runs", type=int, default=3, help="counted runs; the median is shown")
    given = parser.parse_args()
    app = app_with(given.keys)
    assembly = app.synth()
    templates = [artifact.template_full_path for artifact in assembly.stacks]
    context = SimpleNamespace(template_paths=templates, app_construct=app)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(given.runs):
        nag_pack.forget_assembly()
        ours.append(
            seconds(lambda: (IamKmsGuardrails().validate(context), KmsRequirements().validate(context)))
        )
        theirs.append(seconds(lambda: cdk_nag.AwsSolutionsChecks().validate_scope(app)))
    mine, other = statistics.median(ours), statistics.median(theirs)
    print(f"{given.keys} keys, median of {given.runs} runs")
    print(f"  both guardrail packs     {mine:8.3f} s   {1000 * mine / given.keys:6.2f} ms a key")
    print(f"  cdk-nag AwsSolutions     {other:8.3f} s   {1000 * other / given.keys:6.2f} ms a key")
    print(f"  ratio                    {mine / other:8.2f}")


if __name__ == "__main__":
    main()
