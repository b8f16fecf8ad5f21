"""Fleets: keys that differ by the names of roles alone, and then by what was broken in one of them."""

from __future__ import annotations

import json
import random
from typing import Any, Final

import fuzz

from fuzzing.documents import broken_copy
from tests.sources.kms_api.build import ACCOUNT, Seed, answers_of
from tests.sources.terraform.plans import made, plan

_ASTERISKS: Final = ("*a" * 24 + "b", "*" * 60, "*-" * 30, "?*" * 40, "*team*admin*", "team-*")


def _role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def _policy(number: int, form: str, pattern: str | None) -> dict[str, Any]:
    admin, user, reader = (_role(form.format(number, part)) for part in ("admin", "user", "reader"))
    root = f"arn:aws:iam::{ACCOUNT}:root"
    statements = [
        fuzz._allow("Root", {"AWS": root}, ["kms:DescribeKey", "kms:PutKeyPolicy"]),
        fuzz._allow("Admins", {"AWS": admin}, ["kms:Create*", "kms:Put*", "kms:ScheduleKeyDeletion"]),
        fuzz._allow("Users", {"AWS": [user, reader]}, ["kms:Decrypt", "kms:GenerateDataKey*"]),
        {
            "Sid": "DenyDeletion", "Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion",
            "Resource": "*", "Condition": {"ArnNotEquals": {"aws:PrincipalArn": [root, admin]}},
        },
    ]  # fmt: skip
    if pattern is not None:
        condition = {"ArnLike": {"aws:PrincipalArn": _role(pattern)}}
        statements.append({**fuzz._allow("Pattern", "*", "kms:Decrypt"), "Condition": condition})
    return {"Version": "2012-10-17", "Statement": statements}


def fleet(kind: str, dice: random.Random, breaks: tuple[int, ...] = (0, 1, 1, 2, 3)) -> Any:
    """A template, a plan or answers with 8 to 20 keys, broken in some places."""
    form = dice.choice(("team-{0}-{1}", "{1}{0}", "a" * 50 + "{0}-{1}", "Team_{0}_{1}", "{1}-{0}-{1}"))
    everywhere = dice.choice((None, None, None, *_ASTERISKS))
    once = dice.choice((None, None, *_ASTERISKS))
    chosen = dice.randrange(8)
    policies = [
        _policy(number, form, once if number == chosen and once else everywhere)
        for number in range(dice.randint(8, 20))
    ]
    return broken_copy(_MAKE[kind](policies, dice), dice, breaks)


def _template(policies: list[dict[str, Any]], dice: random.Random) -> dict[str, Any]:
    resources: dict[str, Any] = {
        f"Vault{number}": {
            "Type": "AWS::KMS::Key",
            "UpdateReplacePolicy": "Retain",
            "DeletionPolicy": "Retain",
            "Properties": {"EnableKeyRotation": True, "PendingWindowInDays": 30, "KeyPolicy": one},
        }
        for number, one in enumerate(policies)
    }
    if dice.random() < 0.3:
        resource = dice.choice(("*", f"arn:aws:kms:*:{ACCOUNT}:key/*", {"Fn::GetAtt": ["Vault3", "Arn"]}))
        statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": resource}
        if dice.random() < 0.5:
            statement["Condition"] = {"StringLike": {"aws:username": dice.choice(_ASTERISKS)}}
        resources["Policy"] = {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "PolicyDocument": {"Statement": [statement]},
                "Roles": [dice.choice(("user1", "team-1-user"))],
            },
        }
    return {"Resources": resources}


def _plan(policies: list[dict[str, Any]], dice: random.Random) -> Any:
    return plan(
        *(
            made(f"aws_kms_key.k{number}", {"policy": json.dumps(one), "enable_key_rotation": True})
            for number, one in enumerate(policies)
        )
    )


def _answers(policies: list[dict[str, Any]], dice: random.Random) -> Any:
    seeds = [
        Seed(key_id=f"11111111-2222-3333-4444-{number:012}", policy=one, aliases=(f"alias/k{number}",))
        for number, one in enumerate(policies)
    ]
    return json.loads(answers_of(*seeds).to_text())


_MAKE: Final = {"template": _template, "plan": _plan, "answers": _answers}
