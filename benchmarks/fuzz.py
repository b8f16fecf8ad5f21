"""Broken templates and policies by the hundred thousand: no crash, no hang, and nothing unknown that passes.

Every run takes a seed document (a template or a key policy), breaks it in one to four places, and takes it
through the whole way of `kms-constructs check`: load, judge, render. Breaking means dropping, doubling,
retyping and nesting parts, replacing them by intrinsic functions that lead nowhere or in circles, by parts of
other documents, by huge or odd text. In every third run, something that a guardrail reads is replaced at last
by a reference to a parameter without a value: the guardrail must not call the key compliant.

    python benchmarks/fuzz.py                          # 2,000 runs
    python benchmarks/fuzz.py --runs 100000 --seed 3   # the run that the changelog speaks of
    python benchmarks/fuzz.py --seed 3 --only 4711     # one of them again
    python benchmarks/fuzz.py --seeds DIR              # with templates and policies (JSON) from a directory

Run N of a seed is the same on every machine, whatever ran before it. Exit code 1 when anything was found.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kms_constructs.analysis.within import EstateAccess
from kms_constructs.errors import SourceError
from kms_constructs.guardrails.engine import INTERNAL_ERROR, judge
from kms_constructs.guardrails.finding import Outcome, Report
from kms_constructs.model.estate import Estate
from kms_constructs.reports.json_report import access_json, report_json
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from kms_constructs.sources.decode import decode
from kms_constructs.sources.policy_file import key_from_policy, policy_in

SEED = 3
SLOW = 1.0
"""Seconds of processor time that one input may take."""
RENDERED = 5
"""Every so many runs the report and the access matrix are rendered, which takes longer than the rest."""

ACCOUNT = "111122223333"
BLIND = {"Ref": "ParameterWithoutValue"}

_ROOT = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
_ADMINISTRATION = ["kms:DescribeKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource"]
_USE = ["kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"]


def _allow(sid: str, principal: object, action: object, **more: object) -> dict[str, object]:
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}


_HARDENED = {
    "Version": "2012-10-17",
    "Statement": [
        _allow("RootAccount", {"AWS": _ROOT}, _ADMINISTRATION),
        _allow("Administrators", {"AWS": [f"arn:aws:iam::{ACCOUNT}:role/Admin"]}, _ADMINISTRATION),
        _allow("Users", {"AWS": {"Fn::GetAtt": ["Role", "Arn"]}}, _USE),
        _allow(
            "Grants",
            {"AWS": {"Fn::GetAtt": ["Role", "Arn"]}},
            ["kms:CreateGrant", "kms:ListGrants"],
            Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        _allow(
            "Logs",
            {"Service": {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}},
            _USE,
            Condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:*:{ACCOUNT}:*"}},
        ),
        {
            "Sid": "DenyPolicyChange",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"],
            "Resource": "*",
            "Condition": {
                "ArnNotEquals": {"aws:PrincipalArn": [_ROOT, f"arn:aws:iam::{ACCOUNT}:role/Admin"]}
            },
        },
    ],
}
_CONSOLE = {
    "Id": "key-consolepolicy-3",
    "Version": "2012-10-17",
    "Statement": [
        _allow("Enable IAM User Permissions", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "kms:*"),
        _allow("Administrators", {"AWS": f"arn:aws:iam::{ACCOUNT}:user/alice"}, ["kms:Create*", "kms:Put*"]),
        {
            **_allow("Users", "*", "kms:Decrypt"),
            "Condition": {
                "StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": "s3.eu-west-1.amazonaws.com"}
            },
        },
    ],
}
_TAGS = [{"Key": "data-classification", "Value": "confidential"}, {"Key": "owner", "Value": "payments"}]
_TEMPLATE: dict[str, object] = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Parameters": {"Window": {"Type": "Number", "Default": 30}, "Admin": {"Type": "String"}},
    "Conditions": {"IsProduction": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}},
    "Mappings": {"Periods": {"eu-west-1": {"Days": 365}}},
    "Resources": {
        "Key": {
            "Type": "AWS::KMS::Key",
            "DeletionPolicy": "RetainExceptOnCreate",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "EnableKeyRotation": True,
                "RotationPeriodInDays": 365,
                "PendingWindowInDays": {"Ref": "Window"},
                "KeyPolicy": _HARDENED,
                "Tags": _TAGS,
            },
        },
        "Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/data", "TargetKeyId": {"Ref": "Key"}},
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Statement": []},
                "Policies": [
                    {
                        "PolicyName": "Use",
                        "PolicyDocument": {
                            "Statement": {
                                "Effect": "Allow",
                                "Action": "kms:Decrypt",
                                "Resource": {"Fn::GetAtt": "Key.Arn"},
                            }
                        },
                    }
                ],
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": {"Fn::Join": ["-", ["data", {"Ref": "AWS::AccountId"}]]}},
        },
    },
    "Outputs": {"KeyArn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}, "Export": {"Name": "key"}}},
}
_SECOND: dict[str, object] = {
    "Resources": {
        "Primary": {
            "Type": "AWS::KMS::Key",
            "Condition": "IsProduction",
            "Properties": {
                "MultiRegion": True,
                "EnableKeyRotation": {"Fn::If": ["IsProduction", True, False]},
                "KeyPolicy": _CONSOLE,
            },
        },
        "Signing": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY", "PendingWindowInDays": 7},
        },
        "Replica": {
            "Type": "AWS::KMS::ReplicaKey",
            "Properties": {"PrimaryKeyArn": {"Fn::ImportValue": "key"}, "KeyPolicy": _CONSOLE},
        },
        "Trail": {
            "Type": "AWS::CloudTrail::Trail",
            "Properties": {"IsLogging": True, "EventSelectors": [{"IncludeManagementEvents": True}]},
        },
        "Policy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": ["kms:*"], "Resource": "*"}]},
                "Roles": [{"Ref": "SomeRole"}],
            },
        },
    }
}
SEEDS: tuple[dict[str, object], ...] = (_TEMPLATE, _SECOND, _HARDENED, _CONSOLE)


# --- breaking ---------------------------------------------------------------------------------------------

_TEXTS = (
    "",
    " ",
    "*",
    "?",
    "kms:*",
    "arn:aws:iam::111122223333:root",
    "arn:::::",
    "${",
    "${AWS::AccountId}",
    "${aws:username}",
    "a" * 5_000,
    "*a" * 500,
    "arn:aws:iam::" + "*?" * 300 + ":role/" + "x" * 300,
    "\x00\x1f",
    "\ue000u:x\ue001",
    "\ue000",
    "\ue001\ue000g:",
    "K\u212aS:*",
    "\u0661" * 12,
    "\U0001f511",
    "\ud800",
    "true",
    "-1",
    "2027-13-45",
)
_VALUES = (
    *(
        None,
        True,
        False,
        0,
        -1,
        7,
        10**400,
        1.5,
        float("nan"),
        float("inf"),
        [],
        {},
        [[]],
        [None],
        {"": None},
    ),
    *_TEXTS,
)
_INTRINSICS: tuple[object, ...] = (
    {"Ref": "Nothing"},
    {"Ref": "AWS::AccountId"},
    {"Ref": "AWS::NoValue"},
    {"Ref": "Key"},
    {"Ref": []},
    {"Fn::GetAtt": ["Key", "Arn"]},
    {"Fn::GetAtt": "Key"},
    {"Fn::GetAtt": ["Nothing", {"Ref": "Nothing"}]},
    {"Fn::Sub": "${Key.Arn}${!Literal}${Nothing}${AWS::Region}"},
    {"Fn::Sub": ["${a}", {"a": {"Ref": "Admin"}}]},
    {"Fn::Sub": ["${a}"]},
    {"Fn::Join": ["", ["arn:aws:iam::", {"Ref": "AWS::AccountId"}, ":role/", {"Ref": "Admin"}]]},
    {"Fn::Join": [",", "no list"]},
    {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "Admin"}]}]},
    {"Fn::Select": [99, ["a"]]},
    {"Fn::Split": ["", "abc"]},
    {"Fn::If": ["IsProduction", "yes", {"Ref": "AWS::NoValue"}]},
    {"Fn::If": ["Nothing", 1, 2]},
    {"Fn::If": []},
    {"Fn::ImportValue": "key"},
    {"Fn::ImportValue": {"Fn::Sub": "${Nothing}-key"}},
    {"Fn::GetStackOutput": {"StackName": "Other", "OutputName": "KeyArn", "Region": "eu-west-1"}},
    {"Fn::FindInMap": ["Periods", {"Ref": "AWS::Region"}, "Days"]},
    {"Fn::FindInMap": ["Periods", "nowhere", "Days", {"DefaultValue": 90}]},
    {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/k"}}},
    {"Fn::ForEach::Each": ["x", ["a", "b"], {"Key${x}": {"Type": "AWS::KMS::Key"}}]},
    {"Fn::ToJsonString": {"Statement": []}},
    {"Fn::Length": [1, 2]},
    {"Fn::Base64": "YQ=="},
    {"Fn::Nothing": 1},
    {"Ref": "Nothing", "Fn::Sub": "x"},
)

Node = dict[Any, Any] | list[Any]


def _places(document: object) -> list[tuple[Node, Any]]:
    """Every part of the document, as its container and its key or index."""
    found: list[tuple[Node, Any]] = []
    todo = [document]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            found.extend((node, key) for key in node)
            todo.extend(node.values())
        elif isinstance(node, list):
            found.extend((node, index) for index in range(len(node)))
            todo.extend(node)
    return found


def _copy(value: object) -> Any:
    return (
        {key: _copy(one) for key, one in value.items()}
        if isinstance(value, dict)
        else ([_copy(one) for one in value] if isinstance(value, list) else value)
    )


def _drop(node: Node, key: Any, dice: random.Random, seeds: tuple[Any, ...]) -> None:
    del node[key]


def _double(node: Node, key: Any, dice: random.Random, seeds: tuple[Any, ...]) -> None:
    if isinstance(node, list):
        node.extend([_copy(node[key])] * dice.choice((1, 1, 30)))
    else:
        node[dice.choice((f"{key}2", str(key).upper(), str(key).lower(), f" {key}"))] = _copy(node[key])


def _retype(node: Node, key: Any, dice: random.Random, seeds: tuple[Any, ...]) -> None:
    node[key] = _copy(dice.choice(_VALUES))


def _nest(node: Node, key: Any, dice: random.Random, seeds: tuple[Any, ...]) -> None:
    value = node[key]
    for _ in range(dice.choice((1, 1, 2, 60))):
        value = dice.choice(([value], {"x": value}, {"Fn::Sub": value}, {"Fn::Join": ["", [value]]}))
    node[key] = value


def _intrinsic(node: Node, key: Any, dice: random.Random, seeds: tuple[Any, ...]) -> None:
    node[key] = _copy(dice.choice(_INTRINSICS))


def _conditional(node: Node, key: Any, dice: random.Random, seeds: tuple[Any, ...]) -> None:
    node[key] = {"Fn::If": ["Unresolved", node[key], dice.choice((None, {"Ref": "AWS::NoValue"}, node[key]))]}


def _text(node: Node, key: Any, dice: random.Random, seeds: tuple[Any, ...]) -> None:
    value = node[key]
    if not isinstance(value, str):
        node[key] = dice.choice(_TEXTS)
        return
    place = dice.randint(0, len(value))
    extra = dice.choice((*"*?:/$", *_TEXTS))
    cut = dice.choice((value[place:], value[place + 1 :]))
    node[key] = dice.choice((value[:place] + extra + cut, value.swapcase(), value * 3, value[:place]))


def _rename(node: Node, key: Any, dice: random.Random, seeds: tuple[Any, ...]) -> None:
    if isinstance(node, dict):
        value = node.pop(key)
        node[dice.choice((str(key).swapcase(), f"Not{key}", f"Fn::{key}", "", *_TEXTS[:14]))] = value


def _graft(node: Node, key: Any, dice: random.Random, seeds: tuple[Any, ...]) -> None:
    other, place = dice.choice(_places(dice.choice(seeds)))
    node[key] = _copy(other[place])


_BREAKS: tuple[Callable[[Node, Any, random.Random, tuple[Any, ...]], None], ...] = (
    _drop,
    _double,
    _retype,
    _nest,
    _intrinsic,
    _intrinsic,
    _conditional,
    _text,
    _rename,
    _graft,
)

# --- what must not pass -----------------------------------------------------------------------------------

_POLICY_CONTROLS = (*(f"IAM-KMS-{number}" for number in range(1, 9)), "KMS:004")
_READS: dict[str, tuple[str, ...]] = {
    "KeyPolicy": _POLICY_CONTROLS,
    "Statement": _POLICY_CONTROLS,
    "EnableKeyRotation": ("KMS:001",),
    "RotationPeriodInDays": ("KMS:001",),
    "PendingWindowInDays": ("KMS:002",),
    "Tags": ("KMS:008",),
    "Principal": ("IAM-KMS-5",),
    "Action": ("IAM-KMS-5",),
}


def _blind(document: Any, dice: random.Random) -> tuple[str, str] | None:
    """Hides something that guardrails read from them; the key's logical id and what was hidden."""
    resources = document.get("Resources") if isinstance(document, dict) else None
    if not isinstance(resources, dict):
        return None
    keys = [
        name
        for name, one in resources.items()
        if isinstance(one, dict)
        and one.get("Type") == "AWS::KMS::Key"
        and isinstance(one.get("Properties"), dict)
    ]
    if not keys:
        return None
    name = dice.choice(keys)
    properties = resources[name]["Properties"]
    hidden = dice.choice(tuple(_READS))
    if hidden in {"Statement", "Principal", "Action"}:
        properties["KeyPolicy"] = policy = _copy(dice.choice((_HARDENED, _CONSOLE)))
        if hidden == "Statement":
            policy["Statement"] = _copy(BLIND)
        else:
            policy["Statement"] = [_allow("All", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "kms:*")]
            policy["Statement"][0][hidden] = _copy(BLIND)
    else:
        properties[hidden] = _copy(BLIND)
        if hidden == "RotationPeriodInDays":
            properties["EnableKeyRotation"] = True
    return str(name), hidden


# --- running ----------------------------------------------------------------------------------------------


@dataclass
class Result:
    """What the runs found.

    Args:
        problems: What must not have happened, by run.
        outcomes: How often each outcome was given.
        slowest: Processor time and run of the slowest input.
        slow: Runs beyond the limit.
        blind: Runs that hid something from a guardrail.
    """

    problems: list[tuple[int, str]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, -1)
    slow: list[tuple[int, float]] = field(default_factory=list)
    blind: int = 0


def broken(seeds: tuple[Any, ...], seed: int, run: int) -> tuple[Any, tuple[str, str] | None, random.Random]:
    """The document of one run, and what was hidden in it."""
    dice = random.Random(f"{seed}:{run}")  # noqa: S311 - repeatable on purpose
    document = _copy(dice.choice(seeds))
    for _ in range(dice.choice((1, 1, 2, 3, 4))):
        places = _places(document)
        if places:
            node, key = dice.choice(places)
            dice.choice(_BREAKS)(node, key, dice, seeds)
    hidden = _blind(document, dice) if run % 3 == 0 else None
    return document, hidden, dice


def _estate(document: Any, dice: random.Random, *, whole: bool) -> Estate:
    if dice.random() < 0.1:
        try:
            text = json.dumps(document)
            if dice.random() < 0.3 and not whole:
                place = dice.randrange(len(text))
                text = text[:place] + dice.choice(("", '"', "{", "\\", "\x00", "]")) + text[place + 1 :]
            document = decode(text, "fuzz.json")
        except SourceError:
            return Estate()
    if isinstance(document, dict) and isinstance(document.get("Resources"), dict):
        return estate_from_templates([TemplateInput(document, "fuzz.json", "Fuzz", ACCOUNT)])
    policy = policy_in(document)
    return Estate(keys=(key_from_policy(document if policy is None else policy, source="fuzz.json"),))


def _wrong(report: Report, hidden: tuple[str, str] | None) -> Iterator[str]:
    for finding in report.findings:
        if finding.detail == INTERNAL_ERROR:
            yield f"a rule failed: {finding.control}: {finding.message}"
        if (
            hidden is not None
            and finding.location.logical_id == hidden[0]
            and finding.control in _READS[hidden[1]]
            and finding.outcome is Outcome.COMPLIANT
        ):
            yield f"{finding.control} passes a key of which it cannot know {hidden[1]}"


def check(seeds: tuple[Any, ...], seed: int, run: int, result: Result) -> None:
    """Makes one run and notes what it finds."""
    started = time.process_time()
    try:
        document, hidden, dice = broken(seeds, seed, run)
        # What is hidden must stay so: a misspelt property name would take it out of sight altogether.
        estate = _estate(document, dice, whole=hidden is not None)
        report = judge(estate)
        if run % RENDERED == 0:
            json.loads(report_json(report))
            json.loads(access_json(EstateAccess(estate).matrices(estate.keys)))
        result.problems.extend((run, problem) for problem in _wrong(report, hidden))
        result.outcomes.update(finding.outcome.value for finding in report.findings)
        result.blind += hidden is not None
    except Exception:  # noqa: BLE001 - whatever it is, it must be told and the next run made
        result.problems.append((run, traceback.format_exc()))
    took = time.process_time() - started
    result.slowest = max(result.slowest, (took, run))
    if took > SLOW:
        result.slow.append((run, took))


def seeds_of(directory: str | None) -> tuple[Any, ...]:
    """The seed documents: those of this file, and every JSON object below the directory."""
    found: list[Any] = list(SEEDS)
    for path in sorted(Path(directory).rglob("*.json")) if directory else ():
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        if isinstance(document, dict):
            found.append(document)
    return tuple(found)


def fuzz(runs: range, *, seed: int = SEED, directory: str | None = None, progress: bool = False) -> Result:
    """Makes the runs.

    Args:
        runs: Their numbers.
        seed: The seed; with the number it decides everything.
        directory: A directory of further seed documents.
        progress: Whether to print a line now and then.
    """
    seeds = seeds_of(directory)
    result = Result()
    for run in runs:
        before = len(result.problems)
        check(seeds, seed, run, result)
        if progress:
            for _, problem in result.problems[before:]:
                print(f"run {run}: {problem}", flush=True)
            if run and run % 5000 == 0:
                print(f"{run:,} runs, {len(result.problems)} problems", flush=True)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description="Broken templates and policies: no crash, no hang, no pass.")
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--start", type=int, default=0, help="number of the first run")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--seeds", metavar="DIR", help="directory of further seed documents (JSON)")
    parser.add_argument("--only", type=int, metavar="N", help="make this run alone, and print its document")
    given = parser.parse_args()
    runs = range(given.start, given.start + given.runs)
    if given.only is not None:
        runs = range(given.only, given.only + 1)
        print(json.dumps(broken(seeds_of(given.seeds), given.seed, given.only)[0], indent=1)[:20_000])
    started = time.perf_counter()
    result = fuzz(runs, seed=given.seed, directory=given.seeds, progress=True)
    for run, took in result.slow[:20]:
        print(f"run {run}: took {took:.1f} s")
    took, run = result.slowest
    print(
        f"seed {given.seed}: {len(runs):,} runs in {time.perf_counter() - started:.0f} s, "
        f"{result.blind:,} with something hidden; {len(result.problems)} problems, "
        f"{len(result.slow)} inputs over {SLOW:.0f} s (slowest {took:.2f} s, run {run}); "
        f"{dict(result.outcomes)}"
    )
    return 1 if result.problems or result.slow else 0


if __name__ == "__main__":
    sys.exit(main())
