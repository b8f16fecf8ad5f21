"""Calls into Node and time to build one SecureKmsKey, beside kms.Key, in one process.

The peers are kms.Key(alias, admins), and kms.Key with the policy that SecureKmsKey writes.

Run: python benchmarks/jsii_calls.py [keys [rounds]]

Counted are all messages to the Node process, answers to its callbacks included. "with synth" is constructor
and synthesis, in an app with nothing else in it.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

os.environ["CDK_VALIDATION"] = "false"  # the built-in template validation costs seconds whatever the app

from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from jsii._kernel.providers.process import _NodeProcess

from kms_constructs import SecureKmsKey
from kms_constructs.cdk.key.stack_facts import facts_of
from kms_constructs.policies.key_policy import KeyPolicySpec, key_policy

ADMIN = "arn:aws:iam::111122223333:role/KeyAdmin"
messages = 0
_send = _NodeProcess.send


def _counting(self: _NodeProcess, *arguments: object, **options: object) -> object:
    global messages  # noqa: PLW0603 - the counter of this process
    messages += 1
    return _send(self, *arguments, **options)  # type: ignore[arg-type]


_NodeProcess.send = _counting  # type: ignore[method-assign,assignment]


def plain_key(stack: Stack, number: int) -> None:
    kms.Key(stack, f"Key{number}", alias=f"plain/{number}", admins=[iam.ArnPrincipal(ADMIN)])


def secure_key(stack: Stack, number: int) -> None:
    SecureKmsKey(
        stack,
        f"Key{number}",
        alias=f"secure/{number}",
        description=f"Data of tenant {number}",
        environment="dev",
        service="tenants",
        data_classification="confidential",
        owner="platform",
        key_administrators=[ADMIN],
        key_users=[f"arn:aws:iam::111122223333:role/Tenant{number}"],
    )


def key_with_the_same_policy(stack: Stack, number: int) -> None:
    """What a user would write who wants the same policy on a `kms.Key`; tags, metadata and guard left out."""
    facts = facts_of(stack)
    policy = key_policy(
        KeyPolicySpec(
            root_arn=facts.root_arn,
            administrators=(ADMIN,),
            deployment=(facts.execution_role or ADMIN,),
            users=(f"arn:aws:iam::111122223333:role/Tenant{number}",),
        )
    )
    kms.Key(
        stack,
        f"Key{number}",
        alias=f"same/{number}",
        description=f"Data of tenant {number}",
        enable_key_rotation=True,
        policy=iam.PolicyDocument.from_json(policy),
    )


@dataclass(frozen=True)
class Figures:
    """What one key costs: messages and milliseconds, without and with synth."""

    build_calls: float
    all_calls: float
    build_ms: float
    all_ms: float


def measure(make: Callable[[Stack, int], None], keys: int) -> Figures:
    gc.collect()
    with tempfile.TemporaryDirectory() as folder:
        app = App(analytics_reporting=False, outdir=folder)
        stack = Stack(app, "Keys")
        calls, start = messages, time.perf_counter()
        for number in range(keys):
            make(stack, number)
        built_calls, built = messages - calls, time.perf_counter() - start
        app.synth()
        return Figures(
            built_calls / max(keys, 1),
            (messages - calls) / max(keys, 1),
            built * 1000 / max(keys, 1),
            (time.perf_counter() - start) * 1000 / max(keys, 1),
        )


def main(keys: int = 240, rounds: int = 5) -> None:
    makers = (plain_key, key_with_the_same_policy, secure_key)
    for make in makers:
        measure(make, 5)  # warm: imports, caches, first use of Node
    runs = [[measure(make, keys) for make in makers] for _ in range(rounds)]
    print(f"{keys} keys in one stack, best of {rounds} runs each, in turn, one process")
    print(f"{'per key':32}{'kms.Key':>10}{'same policy':>13}{'SecureKmsKey':>14}{'ratio':>8}{'same':>8}")
    for name, label in (
        ("build_calls", "calls into Node, constructor"),
        ("all_calls", "calls into Node, with synth"),
        ("build_ms", "ms, constructor"),
        ("all_ms", "ms, with synth"),
    ):
        plain, same, secure = (min(getattr(run[n], name) for run in runs) for n in range(3))
        ratios = f"{secure / plain:8.2f}{secure / same:8.2f}"
        print(f"{label:32}{plain:10.2f}{same:13.2f}{secure:14.2f}{ratios}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
