"""R(X) of small policies: who is in, through what, and under which open conditions."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.analysis.principals import Cell, PrincipalKind
from kms_constructs.analysis.reach import Contribution, reach_of, same_account
from kms_constructs.analysis.statements import PERHAPS_THERE
from kms_constructs.errors import ArgumentError
from kms_constructs.model.arn import OPEN_PARTITION, PARTITIONS
from kms_constructs.model.estate import Grant
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from tests.strategies import HOME, KEY_ARN, OTHER, key_of

APP = f"arn:aws:iam::{HOME}:role/App"
ADMIN = f"arn:aws:iam::{HOME}:role/ops/Admin"
ROOT = f"arn:aws:iam::{HOME}:root"
ANYONE = "any principal of any account, any AWS service"
WHY = Unknown("a test says so")
U = hole(HoleKind.UNRESOLVED, "Admin")


def allow(principal: object, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*", **more}


def deny(**more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", **more}


def only(*arns: str) -> dict[str, Any]:
    return {"ArnNotEquals": {"aws:PrincipalArn": list(arns)}}


def told(part: Contribution) -> str:
    """One contribution in one line: principals, then what else is to be said of it."""
    marks = [
        mark for mark, on in (("delegated", part.delegated), (f"? {part.unresolved}", part.unresolved)) if on
    ]
    marks.extend(f"if {condition.key}" for condition in part.conditions)
    return "; ".join((part.principals, *marks))


COLON = f"arn:aws:iam::{HOME}:role/x:y/App"
NO_COLONS = "AWS does not say whether a wildcard under an Arn operator runs over a colon in a path"
NO_MISSING = "AWS does not say whether ForAnyValue with IfExists holds for a request without the key"
ALL = allow("*")
HOME_ALL = f"any principal of account {HOME}; delegated"

# statements, and who may ScheduleKeyDeletion
CASES: dict[str, tuple[list[object], list[str]]] = {
    "nobody": ([], []),
    "a role": ([allow({"AWS": APP})], [APP]),
    "a role, through no matching action": ([allow({"AWS": APP}, Action="kms:Decrypt")], []),
    "an action in another case": ([allow({"AWS": APP}, Action="KMS:schedulekey*")], [APP]),
    "all but one action": (
        [{"Effect": "Allow", "Principal": {"AWS": APP}, "NotAction": "kms:Decrypt", "Resource": "*"}],
        [APP],
    ),
    "all but this action": (
        [{"Effect": "Allow", "Principal": {"AWS": APP}, "NotAction": "kms:Sched*", "Resource": "*"}],
        [],
    ),
    "all but an undecided action": (
        [{"Effect": "Allow", "Principal": {"AWS": APP}, "NotAction": f"kms:{U}", "Resource": "*"}],
        [f"{APP}; ? kms:${{Admin}} is undecided"],
    ),
    "an undecided action": (
        [allow({"AWS": APP}, Action=f"kms:{U}")],
        [f"{APP}; ? kms:${{Admin}} is undecided"],
    ),
    "an undecided action beside the one asked about": (
        [allow({"AWS": APP}, Action=[f"kms:{U}", "kms:ScheduleKeyDeletion"])],
        [APP],
    ),
    "the account": ([allow({"AWS": HOME})], [HOME_ALL]),
    "another account, of which KMS takes no such call": ([allow({"AWS": OTHER})], []),
    "another account by its pattern": (
        [allow("*", Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/*"}})],
        [],
    ),
    "another account and the own one": (
        [allow({"AWS": [f"arn:aws:iam::{OTHER}:role/App", APP]})],
        [APP],
    ),
    "a unique id": (
        [allow({"AWS": "AROAEXAMPLEEXAMPLE123"})],
        [
            "the principal with unique id AROAEXAMPLEEXAMPLE123; ? which role has the unique id "
            "AROAEXAMPLEEXAMPLE123 is not known"
        ],
    ),
    "a unique id that is denied by name, perhaps": (
        [allow({"AWS": "AIDAEXAMPLEEXAMPLE123"}), deny(Principal={"AWS": f"arn:aws:iam::{HOME}:user/x"})],
        [
            f"the principal with unique id AIDAEXAMPLEEXAMPLE123 except arn:aws:iam::{HOME}:user/x; ? which "
            "user has the unique id AIDAEXAMPLEEXAMPLE123 is not known"
        ],
    ),
    "anyone": ([ALL], [ANYONE]),
    "everyone but one": (
        [{"Effect": "Allow", "NotPrincipal": {"AWS": APP}, "Action": "kms:*", "Resource": "*"}],
        [ANYONE],
    ),
    "a service": ([allow({"Service": "logs.amazonaws.com"})], ["service logs.amazonaws.com"]),
    "several kinds": (
        [allow({"AWS": [APP, HOME], "Service": "s3.amazonaws.com"})],
        [APP, HOME_ALL, "service s3.amazonaws.com"],
    ),
    "only the root user": (
        [allow({"AWS": ROOT}, Condition={"ArnEquals": {"aws:PrincipalArn": ROOT}})],
        [f"the root user of account {HOME}; delegated"],
    ),
    "anyone of an account": (
        [allow("*", Condition={"StringEquals": {"kms:CallerAccount": HOME}})],
        [f"any principal of account {HOME}, any AWS service"],
    ),
    "anyone of a pattern": (
        [allow("*", Condition={"StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/ops/*"}})],
        [f"arn:aws:iam::{HOME}:role/ops/*"],
    ),
    "open condition": (
        [allow({"AWS": APP}, Condition={"StringEquals": {"kms:ViaService": "s3"}})],
        [f"{APP}; if kms:ViaService"],
    ),
    "condition that cannot hold": (
        [allow({"AWS": APP}, Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}})],
        [],
    ),
    "this key": ([allow({"AWS": APP}, Resource=KEY_ARN)], [APP]),
    "every key": ([allow({"AWS": APP}, Resource="arn:aws:kms:*:*:key/*")], [APP]),
    "another key": ([allow({"AWS": APP}, Resource=KEY_ARN[:-1])], []),
    "an alias": ([allow({"AWS": APP}, Resource=f"arn:aws:kms:us-east-1:{HOME}:alias/a")], []),
    "a key by a variable": (
        [allow({"AWS": APP}, Resource="arn:aws:kms:*:${aws:PrincipalAccount}:key/*")],
        [APP],
    ),
    "all but another key": (
        [{"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "*", "NotResource": KEY_ARN[:-1]}],
        [APP],
    ),
    "all but this key": (
        [{"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "*", "NotResource": KEY_ARN}],
        [],
    ),
    "no resource": ([{"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "*"}], []),
    "no principal": ([{"Effect": "Allow", "Action": "*", "Resource": "*"}], []),
    # Denies
    "denied to all": ([allow({"AWS": APP}), deny()], []),
    "denied to all but one": ([allow({"AWS": [APP, ADMIN]}), deny(Condition=only(ADMIN))], [ADMIN]),
    "an account, denied to all but one": (
        [allow({"AWS": HOME}), deny(Condition=only(ADMIN))],
        [f"{ADMIN}; delegated"],
    ),
    "an account, denied to all but the root user": (
        [allow({"AWS": HOME}), deny(Condition=only(ROOT))],
        [f"the root user of account {HOME}; delegated"],
    ),
    "two Denies that leave nobody": (
        [allow({"AWS": HOME}), deny(Condition=only(ADMIN)), deny(Condition=only(APP))],
        [],
    ),
    "two Denies that leave one": (
        [allow({"AWS": HOME}), deny(Condition=only(ADMIN, APP)), deny(Condition=only(APP, ROOT))],
        [f"{APP}; delegated"],
    ),
    "a Deny with an open condition": (
        [allow({"AWS": APP}), deny(Condition={"StringEquals": {"kms:ViaService": "s3"}})],
        [APP],
    ),
    "a Deny of which one half is open": (
        [allow({"AWS": APP}), deny(Condition={**only(ADMIN), "Bool": {"aws:SecureTransport": "false"}})],
        [APP],
    ),
    "a Deny on another action": ([allow({"AWS": APP}), deny(Action="kms:Decrypt")], [APP]),
    "a Deny on all but another action": (
        [
            allow({"AWS": APP}),
            {"Effect": "Deny", "Principal": "*", "NotAction": "kms:Decrypt", "Resource": "*"},
        ],
        [],
    ),
    "a Deny on all but an undecided action": (
        [
            allow({"AWS": APP}),
            {"Effect": "Deny", "Principal": "*", "NotAction": f"kms:{U}", "Resource": "*"},
        ],
        [APP],
    ),
    "a Deny on an undecided action": ([allow({"AWS": APP}), deny(Action=f"kms:{U}")], [APP]),
    "a Deny on every key": ([allow({"AWS": APP}), deny(Resource=[KEY_ARN, "arn:aws:s3:::a"])], []),
    "a Deny on another key": ([allow({"AWS": APP}), deny(Resource=KEY_ARN[:-1])], [APP]),
    "a Deny by a variable": (
        [allow({"AWS": APP}), deny(Resource="arn:aws:kms:*:${aws:PrincipalAccount}:key/*")],
        [APP],
    ),
    "a Deny on all but a variable": (
        [
            allow({"AWS": APP}),
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "*",
                "NotResource": "arn:aws:kms:*:${aws:PrincipalAccount}:key/*",
            },
        ],
        [APP],
    ),
    "a Deny without a resource": (
        [allow({"AWS": APP}), {"Effect": "Deny", "Principal": "*", "Action": "*"}],
        [APP],
    ),
    "a Deny on a role": ([allow({"AWS": [APP, ADMIN]}), deny(Principal={"AWS": APP})], [ADMIN]),
    "a Deny on a role of an account": (
        [allow({"AWS": HOME}), deny(Principal={"AWS": APP})],
        [f"any principal of account {HOME} except {APP}; delegated"],
    ),
    "a Deny on one session": (
        [allow({"AWS": APP}), deny(Principal={"AWS": f"arn:aws:sts::{HOME}:assumed-role/App/s"})],
        [APP],
    ),
    "a Deny on the account hits everyone of it": (
        [allow({"AWS": [APP, HOME], "Service": "s3.amazonaws.com"}), deny(Principal={"AWS": ROOT})],
        ["service s3.amazonaws.com"],
    ),
    "a Deny on another account": ([allow({"AWS": APP}), deny(Principal={"AWS": OTHER})], [APP]),
    "a Deny on an account that is not known": (
        [allow({"AWS": APP}), deny(Principal={"AWS": f"arn:aws:iam::{U}:root"})],
        [APP],
    ),
    "a Deny on a pattern of principals, which KMS does not take": (
        [allow({"AWS": APP}), deny(Principal={"AWS": f"arn:aws:iam::{HOME}:role/*"})],
        [APP],
    ),
    "a Deny on a service": (
        [
            allow({"Service": ["logs.amazonaws.com", "s3.amazonaws.com"]}),
            deny(Principal={"Service": "s3.amazonaws.com"}),
        ],
        ["service logs.amazonaws.com"],
    ),
    "a Deny on all but one principal": (
        [
            allow({"AWS": APP}),
            {"Effect": "Deny", "NotPrincipal": {"AWS": ADMIN}, "Action": "*", "Resource": "*"},
        ],
        [APP],
    ),
    "a Deny on everyone but services": (
        [ALL, deny(Condition={"Bool": {"aws:PrincipalIsAWSService": "false"}})],
        ["any AWS service"],
    ),
    "a negated Deny hits services": (
        [allow({"Service": "s3.amazonaws.com"}), deny(Condition=only(ADMIN))],
        [],
    ),
    "a Deny outside an account leaves services": (
        [
            allow({"AWS": APP, "Service": "s3.amazonaws.com"}),
            deny(Condition={"StringNotEquals": {"aws:PrincipalAccount": OTHER}}),
        ],
        ["service s3.amazonaws.com"],
    ),
    "a Deny by a literal asterisk exempts nobody": (
        [
            allow({"AWS": APP}),
            deny(Condition={"StringNotEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}),
        ],
        [],
    ),
    "a Deny by a pattern exempts": (
        [
            allow({"AWS": APP}),
            deny(Condition={"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}),
        ],
        [APP],
    ),
    "a Deny that exempts by a variable": (
        [allow({"AWS": APP}), deny(Condition=only("arn:aws:iam::${aws:PrincipalAccount}:role/App"))],
        [APP],
    ),
    "a Deny that exempts nobody it can name": (
        [allow({"AWS": APP}), deny(Condition={"ArnNotEquals": {"aws:PrincipalArn": []}})],
        [APP],
    ),
    "a Deny on an ARN of another partition": (
        [
            allow({"AWS": APP}),
            deny(Condition={"ArnEquals": {"aws:PrincipalArn": APP.replace(":aws:", ":aws-cn:")}}),
        ],
        [APP],
    ),
    "an Allow for all but an ARN of another partition": (
        [
            allow(
                {"AWS": APP},
                Condition={"ArnNotEquals": {"aws:PrincipalArn": APP.replace(":aws:", ":aws-cn:")}},
            )
        ],
        [APP],
    ),
    "a Deny on a type in another case": (
        [allow({"AWS": APP}), deny(Condition={"StringEquals": {"aws:PrincipalType": "assumedrole"}})],
        [APP],
    ),
    "a Deny on a missing ARN": (
        [allow({"AWS": APP}), deny(Condition={"Null": {"aws:PrincipalArn": "true"}})],
        [APP],
    ),
    "a Deny that grants alone carry": (
        [allow({"AWS": APP}), deny(Condition={"Bool": {"kms:GrantIsForAWSResource": "false"}})],
        [APP],
    ),
    "a Deny that grants alone carry, if it exists": (
        [allow({"AWS": APP}), deny(Condition={"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}})],
        [],
    ),
    # Paths with colons
    "a Deny by a text pattern runs over colons": (
        [
            allow({"AWS": COLON}),
            deny(Condition={"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}),
        ],
        [],
    ),
    "whether a Deny by an ARN pattern does is open": (
        [allow({"AWS": COLON}), deny(Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}})],
        [f"{COLON}; ? {NO_COLONS}"],
    ),
    "a Deny by an ARN pattern that writes the colon out": (
        [allow({"AWS": COLON}), deny(Condition={"ArnLike": {"aws:PrincipalArn": "arn:*:iam::*:role/x:*"}})],
        [],
    ),
    "a Deny by the ARN itself": (
        [allow({"AWS": COLON}), deny(Condition={"ArnLike": {"aws:PrincipalArn": COLON}})],
        [],
    ),
    "a Deny by an ARN pattern hits names without a colon": (
        [allow({"AWS": APP}), deny(Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}})],
        [],
    ),
    "a Deny by an ARN pattern leaves the account's other kinds": (
        [allow({"AWS": HOME}), deny(Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}})],
        [
            f"any principal of account {HOME}; delegated",
            f"any role of account {HOME} except arn:aws:iam::*:role/*; delegated; ? {NO_COLONS}",
        ],
    ),
    "an exemption by an ARN pattern is no wider than its fields": (
        [
            allow({"AWS": [f"arn:aws:iam::{HOME}:user/x:role/App", APP]}),
            deny(Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/App"}}),
        ],
        [APP],
    ),
    "an exemption by a text pattern is": (
        [
            allow({"AWS": [f"arn:aws:iam::{HOME}:user/x:role/App", APP]}),
            deny(Condition={"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/App"}}),
        ],
        [f"arn:aws:iam::{HOME}:user/x:role/App", APP],
    ),
    "an Allow by an ARN pattern, for a name with a colon": (
        [allow({"AWS": COLON}, Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/*"}})],
        [f"{COLON}; ? {NO_COLONS}"],
    ),
    # A missing key under ForAnyValue with IfExists
    "a Deny of which AWS does not say whether it hits services": (
        [
            allow({"AWS": APP, "Service": "s3.amazonaws.com"}),
            deny(Condition={"ForAnyValue:StringNotLikeIfExists": {"aws:PrincipalArn": ROOT}}),
        ],
        [f"service s3.amazonaws.com; ? {NO_MISSING}"],
    ),
    "an Allow of which AWS does not say whether it is for services": (
        [
            allow(
                {"AWS": APP, "Service": "s3.amazonaws.com"},
                Condition={"ForAnyValue:StringNotLikeIfExists": {"aws:PrincipalArn": ROOT}},
            ),
        ],
        [APP, f"service s3.amazonaws.com; ? {NO_MISSING}"],
    ),
    # What is not known
    "an unknown effect": ([allow({"AWS": APP}, Effect=WHY)], [f"{APP}; ? a test says so"]),
    "an unknown effect denies nobody": (
        [allow({"AWS": APP}), deny(Effect=WHY)],
        [APP, f"{ANYONE}; ? a test says so"],
    ),
    "unknown principals": ([allow(WHY)], [f"{ANYONE}; ? a test says so"]),
    "unknown actions": ([allow({"AWS": APP}, Action=WHY)], [f"{APP}; ? a test says so"]),
    "all but unknown resources": (
        [{"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "*", "NotResource": WHY}],
        [f"{APP}; ? a test says so"],
    ),
    "all but unknown actions": (
        [{"Effect": "Allow", "Principal": {"AWS": APP}, "NotAction": WHY, "Resource": "*"}],
        [f"{APP}; ? a test says so"],
    ),
    "unknown conditions": ([allow({"AWS": APP}, Condition=WHY)], [f"{APP}; ? a test says so"]),
    "unknown values": (
        [allow({"AWS": APP}, Condition={"ArnEquals": {"aws:PrincipalArn": WHY}})],
        [f"{APP}; if aws:PrincipalArn"],
    ),
    "unknown values in a Deny": (
        [allow({"AWS": APP}), deny(Condition={"ArnNotEquals": {"aws:PrincipalArn": WHY}})],
        [APP],
    ),
    "a hole in a Deny": ([allow({"AWS": APP}), deny(Condition=only(U))], [APP]),
    "unknown principals of a Deny": ([allow({"AWS": APP}), deny(Principal=WHY)], [APP]),
    "unknown actions of a Deny": ([allow({"AWS": APP}), deny(Action=WHY)], [APP]),
    "unknown resources of a Deny": ([allow({"AWS": APP}), deny(Resource=WHY)], [APP]),
    "unknown conditions of a Deny": ([allow({"AWS": APP}), deny(Condition=WHY)], [APP]),
    "a statement that may be there": ([Maybe(allow({"AWS": APP}), "x")], [f"{APP}; ? {PERHAPS_THERE}"]),
    "a Deny that may be there": ([allow({"AWS": APP}), Maybe(deny(), "x")], [APP]),
    "an unknown statement": ([WHY], [f"{ANYONE}; ? a test says so"]),
    "an unknown principal": (
        [allow({"AWS": "AROAEXAMPLEID"})],
        [f"{ANYONE}; ? AROAEXAMPLEID is no ARN and no account id"],
    ),
}


@pytest.mark.parametrize(("statements", "expected"), CASES.values(), ids=CASES)
def test_regions(statements: list[object], expected: list[str]) -> None:
    region = reach_of(key_of({"Statement": statements}), "ScheduleKeyDeletion")
    assert [told(part) for part in region.contributions] == expected


GOV = f"arn:aws-us-gov:iam::{HOME}:role/App"
CHINA = f"arn:aws-cn:iam::{HOME}:role/App"
PARTITION = f"arn:{OPEN_PARTITION}:iam::{HOME}:role/App"

# partition of the key, statements, and who may ScheduleKeyDeletion
PARTITION_CASES: dict[str, tuple[str, list[object], list[str]]] = {
    "its own": ("aws-us-gov", [allow({"AWS": GOV})], [GOV]),
    "an account of it": (
        "aws-us-gov",
        [allow({"AWS": HOME}), deny(Condition=only(f"arn:aws-us-gov:iam::{HOME}:root"))],
        [f"the root user of account {HOME}; delegated"],
    ),
    "an exemption of another partition exempts nobody": (
        "aws-us-gov",
        [allow({"AWS": GOV}), deny(Condition=only(APP))],
        [],
    ),
    "a Deny of another partition denies nobody": (
        "aws-us-gov",
        [allow({"AWS": GOV}), deny(Condition={"ArnEquals": {"aws:PrincipalArn": [APP, CHINA]}})],
        [GOV],
    ),
    "a Deny of every partition": (
        "aws-us-gov",
        [
            allow({"AWS": GOV}),
            deny(Condition={"ArnLike": {"aws:PrincipalArn": f"arn:*:iam::{HOME}:role/App"}}),
        ],
        [],
    ),
    "a pattern of every service": (
        "aws-us-gov",
        [
            allow({"AWS": f"arn:aws-us-gov:iam::{HOME}:root"}),
            deny(Condition={"ArnNotLike": {"aws:PrincipalArn": f"arn:aws-us-gov:*::{HOME}:role/*"}}),
        ],
        [f"any role of account {HOME}; delegated"],
    ),
    "a principal of another partition": (
        "aws-us-gov",
        [allow({"AWS": APP})],
        [f"{APP}; ? {APP} lies in partition aws, and the key in aws-us-gov"],
    ),
    "an undecided partition is that of the key": ("aws-cn", [allow({"AWS": PARTITION})], [CHINA]),
    "a Resource of another partition": (
        "aws-cn",
        [allow({"AWS": CHINA}, Resource=f"arn:aws:kms:*:{HOME}:key/*")],
        [],
    ),
    "not known, and nowhere named": (
        OPEN_PARTITION,
        [allow({"AWS": PARTITION}), deny(Condition=only(PARTITION))],
        [PARTITION.replace(OPEN_PARTITION, "${AWS::Partition}")],
    ),
    "not known: a Deny of one denies in one": (
        OPEN_PARTITION,
        [allow({"AWS": PARTITION}), deny(Condition={"ArnEquals": {"aws:PrincipalArn": CHINA}})],
        [f"{PARTITION.replace(OPEN_PARTITION, '${AWS::Partition}')} except {CHINA}"],
    ),
    "not known: a Deny of every one denies": (
        OPEN_PARTITION,
        [
            allow({"AWS": PARTITION}),
            deny(Condition={"ArnLike": {"aws:PrincipalArn": f"arn:*:iam::{HOME}:role/App"}}),
        ],
        [],
    ),
    "not known, but named": (
        OPEN_PARTITION,
        [allow({"AWS": CHINA}), allow({"AWS": PARTITION}), deny(Condition=only(APP))],
        [],
    ),
    "named where it may not be": (
        OPEN_PARTITION,
        [allow({"AWS": APP}), Maybe(allow({"AWS": CHINA}), "x")],
        [APP, f"{CHINA}; ? {CHINA} lies in partition aws-cn, and the key in aws"],
    ),
}


@pytest.mark.parametrize(
    ("partition", "statements", "expected"), PARTITION_CASES.values(), ids=PARTITION_CASES
)
def test_partitions(partition: str, statements: list[object], expected: list[str]) -> None:
    region = reach_of(key_of({"Statement": statements}, partition=partition), "ScheduleKeyDeletion")
    assert [told(part) for part in region.contributions] == expected


@pytest.mark.parametrize("partition", sorted(PARTITIONS))
def test_service_linked_roles_are_spared_in_every_partition(partition: str) -> None:
    names = [f"arn:{partition}:iam::{HOME}:role/{name}" for name in ("App", "aws-service-role/x/Linked")]
    key = key_of({"Statement": allow({"AWS": names})}, partition=partition)
    region = reach_of(key, "Decrypt", scps=[ORGANIZATION])
    assert [part.principals for part in region.contributions] == names[1:]


UNKNOWN_ID = hole(HoleKind.GENERATED, "Stack.Key.Id")
OTHER_ID = hole(HoleKind.GENERATED, "Stack.Other.Id")
THIS = f"arn:aws:kms:us-east-1:{HOME}:key/"
PERHAPS = f"; ? whether {KEY_ARN} is this key is decided at deployment"

# Resource, who is allowed by it, and who is left when it denies
RESOURCE_CASES: dict[str, tuple[str, list[str], list[str]]] = {
    "all": ("*", [APP], []),
    "itself": (THIS + UNKNOWN_ID, [APP], []),
    "a key by its id": (KEY_ARN, [APP + PERHAPS], [APP]),
    "another key of the template": (THIS + OTHER_ID, [], [APP]),
    "every key": (f"{THIS}*", [APP], []),
    "every key of another account": (f"arn:aws:kms:us-east-1:{OTHER}:key/*", [], [APP]),
    "a key of another Region": (
        f"arn:aws:kms:eu-west-1:{HOME}:key/1",
        [APP + PERHAPS.replace(KEY_ARN, f"arn:aws:kms:eu-west-1:{HOME}:key/1")],
        [APP],
    ),
    "an alias": (f"arn:aws:kms:us-east-1:{HOME}:alias/app", [], [APP]),
    "a bucket": ("arn:aws:s3:::bucket", [], [APP]),
}


@pytest.mark.parametrize(("resource", "given", "left"), RESOURCE_CASES.values(), ids=RESOURCE_CASES)
def test_resources_of_a_key_whose_id_is_not_known(resource: str, given: list[str], left: list[str]) -> None:
    for statements, expected in (
        ([allow({"AWS": APP}, Resource=resource)], given),
        ([allow({"AWS": APP}), deny(Resource=resource)], left),
    ):
        key = key_of({"Statement": statements}, key_id=UNKNOWN_ID)
        found = reach_of(key, "ScheduleKeyDeletion").contributions
        assert [told(part) for part in found] == expected


def test_an_unknown_policy_allows_anyone() -> None:
    region = reach_of(key_of(WHY), "Decrypt")
    assert [told(part) for part in region.contributions] == [f"{ANYONE}; ? a test says so"]
    assert region.undetermined


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, [APP]),
        ({"kms:viaservice": "s3"}, [APP]),
        ({"kms:viaservice": "rds"}, []),
        ({"kms:viaservice": None}, []),
    ],
    ids=["open", "holds", "does not hold", "missing"],
)
def test_what_is_known_of_the_request_decides(context: dict[str, str | None], expected: list[str]) -> None:
    key = key_of(
        {"Statement": allow({"AWS": APP}, Condition={"StringEquals": {"KMS:viaservice": "s3"}})},
    )
    region = reach_of(key, "kms:decrypt", context=context)
    assert (region.action, [part.principals for part in region.contributions]) == ("Decrypt", expected)


def test_a_known_request_can_make_a_deny_certain() -> None:
    statements = [allow({"AWS": APP}), deny(Condition={"Bool": {"kms:GrantIsForAWSResource": "false"}})]
    key = key_of({"Statement": statements})
    assert reach_of(key, "CreateGrant").cells
    assert not reach_of(key, "CreateGrant", context={"kms:grantisforawsresource": "false"}).cells
    assert reach_of(key, "CreateGrant", context={"kms:grantisforawsresource": "true"}).cells


LOGS_ROLE = f"arn:aws:iam::{HOME}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"
OPEN = [allow({"AWS": [APP, LOGS_ROLE, f"arn:aws:iam::{OTHER}:role/App"], "Service": "s3.amazonaws.com"})]
ORGANIZATION = parse_policy({"Statement": {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}})
RESOURCE = parse_policy({"Statement": deny()})
BREAK_GLASS = parse_policy(
    {"Statement": {"Effect": "Deny", "Action": "kms:*", "Resource": "*", "Condition": only(APP)}}
)


@pytest.mark.parametrize(
    ("action", "policies", "expected"),
    [
        pytest.param(
            "Decrypt",
            {},
            [APP, LOGS_ROLE, f"arn:aws:iam::{OTHER}:role/App", "service s3.amazonaws.com"],
            id="none",
        ),
        pytest.param(
            "Decrypt",
            {"scps": [ORGANIZATION]},
            [LOGS_ROLE, f"arn:aws:iam::{OTHER}:role/App", "service s3.amazonaws.com"],
            id="an SCP binds the account's own, but no service-linked role",
        ),
        pytest.param(
            "Decrypt",
            {"scps": [BREAK_GLASS]},
            [APP, LOGS_ROLE, f"arn:aws:iam::{OTHER}:role/App", "service s3.amazonaws.com"],
            id="an SCP with an exemption",
        ),
        pytest.param(
            "Decrypt", {"rcps": [RESOURCE]}, [LOGS_ROLE], id="an RCP binds all but service-linked roles"
        ),
        pytest.param(
            "RetireGrant",
            {"rcps": [RESOURCE]},
            [APP, LOGS_ROLE, f"arn:aws:iam::{OTHER}:role/App", "service s3.amazonaws.com"],
            id="no RCP takes RetireGrant",
        ),
        pytest.param(
            "RetireGrant",
            {"scps": [ORGANIZATION]},
            [LOGS_ROLE, f"arn:aws:iam::{OTHER}:role/App", "service s3.amazonaws.com"],
            id="an SCP takes RetireGrant",
        ),
    ],
)
def test_organization_policies(action: str, policies: dict[str, Any], expected: list[str]) -> None:
    region = reach_of(key_of({"Statement": OPEN}), action, **policies)
    assert [part.principals for part in region.contributions] == expected


@pytest.mark.parametrize(
    ("grant", "action", "expected"),
    [
        pytest.param(Grant(APP, ("Decrypt",), name="reports"), "Decrypt", [APP], id="carried"),
        pytest.param(Grant(APP, ("Decrypt",)), "Encrypt", [], id="not carried"),
        pytest.param(
            Grant("s3.amazonaws.com", ("Decrypt",)), "Decrypt", ["service s3.amazonaws.com"], id="service"
        ),
        pytest.param(
            Grant(f"arn:aws:sts::{HOME}:assumed-role/App/s", ("Decrypt",)),
            "Decrypt",
            [f"{APP}, arn:aws:iam::{HOME}:role/*/App"],
            id="session",
        ),
        pytest.param(Grant(HOME, ("Decrypt",)), "Decrypt", [HOME_ALL], id="account"),
        pytest.param(
            Grant(WHY, ("Decrypt",)), "Decrypt", [f"{ANYONE}; ? a test says so"], id="unknown grantee"
        ),
        pytest.param(
            Grant("AROAEXAMPLEID", ("Decrypt",)),
            "Decrypt",
            [f"{ANYONE}; ? AROAEXAMPLEID is no ARN and no account id"],
            id="grantee that is gone",
        ),
        pytest.param(
            Grant(U, ("Decrypt",)),
            "Decrypt",
            [f"{ANYONE}; ? ${{Admin}} is no ARN and no account id"],
            id="hole",
        ),
        pytest.param(Grant(APP, WHY), "Decrypt", [f"{APP}; ? a test says so"], id="unknown operations"),
        pytest.param(
            Grant(APP, WHY), "PutKeyPolicy", [], id="unknown operations, none that a grant can carry"
        ),
    ],
)
def test_grants(grant: Grant, action: str, expected: list[str]) -> None:
    region = reach_of(key_of({"Statement": []}, grants=(grant,)), action)
    assert [told(part) for part in region.contributions] == expected


def test_a_deny_stands_above_a_grant() -> None:
    key = key_of({"Statement": [deny(Condition=only(ADMIN))]}, grants=(Grant(APP, ("Decrypt",)),))
    assert reach_of(key, "Decrypt").contributions == ()


def test_escapes() -> None:
    key = key_of({"Statement": [allow({"AWS": [APP, ADMIN]}), allow({"AWS": HOME}, Sid="Root")]})
    region = reach_of(key, "Decrypt")
    assert [part.principals for part in region.escapes([APP])] == [ADMIN, f"any principal of account {HOME}"]
    assert [part.principals for part in region.escapes([f"arn:aws:iam::{HOME}:role/*"])] == [
        f"any principal of account {HOME}"
    ]
    assert region.escapes([f"arn:aws:iam::{HOME}:*", f"arn:aws:sts::{HOME}:*"]) == ()


def test_labels() -> None:
    key = key_of(
        {"Statement": [allow({"AWS": HOME}, Sid="Root"), allow({"AWS": APP}), allow(WHY, Sid="Who")]},
        grants=(Grant(APP, ("Decrypt",), name="reports"), Grant(ADMIN, ("Decrypt",))),
    )
    assert [part.describe() for part in reach_of(key, "Decrypt").contributions] == [
        f"statement 'Root' → delegates to the IAM policies of account {HOME}",
        f"statement 1 → {APP}",
        f"statement 'Who' → {ANYONE} (not resolved: a test says so)",
        f"grant 'reports' → {APP}",
        f"a grant → {ADMIN}",
    ]


@pytest.mark.parametrize("action", ["Decrypted", "kms:*", "s3:GetObject", ""])
def test_an_action_that_does_not_exist_is_an_error(action: str) -> None:
    with pytest.raises(ArgumentError, match="KMS has no such action"):
        reach_of(key_of({"Statement": []}), action)


def test_same_account() -> None:
    undecided = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
    app = Cell(PrincipalKind.ROLE, (APP,))
    assert same_account(app, HOME) is True
    assert same_account(app, OTHER) is False
    assert same_account(app, undecided) is None
    assert same_account(Cell(PrincipalKind.ROLE, ("arn:aws:iam::*:role/App",)), HOME) is None
    assert same_account(Cell(PrincipalKind.SERVICE, ("s3.amazonaws.com",)), HOME) is False


def test_many_denies_stay_quick_and_sound() -> None:
    """Each exempts a hundred patterns that all meet: cut in full, the region would have a million pieces."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    denies = [
        deny(
            Condition={
                "StringNotLike": {"aws:PrincipalArn": [f"*{place}{x}*{y}*" for x in letters for y in "abc"]}
            }
        )
        for place in range(4)
    ]
    key = key_of({"Statement": [allow({"AWS": HOME}), *denies]})
    assert reach_of(key, "Decrypt").cells
