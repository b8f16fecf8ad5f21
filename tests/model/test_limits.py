"""What limits an Allow, key by key, for judges and writers."""

from __future__ import annotations

import pytest

from kms_constructs.model.limits import LIMITS, limits, pins_account, source_keys, why_not
from kms_constructs.model.policy import Condition
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown

ACCOUNT = "111122223333"
HERE = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
PARAMETER = hole(HoleKind.UNRESOLVED, "P")
NAME = hole(HoleKind.GENERATED, "App.Topic.Name")
CONTEXT = "kms:EncryptionContext:"


def on(key: str, operator: str, *values: str) -> Condition:
    return Condition(operator, key, values)


def source(operator: str, *values: str) -> Condition:
    return on("aws:SourceArn", operator, *values)


LIMITING = {
    "an account": on("aws:SourceAccount", "StringEquals", ACCOUNT),
    "an account, as a pattern without wildcards": on("aws:SourceAccount", "StringLike", ACCOUNT),
    "this account": on("kms:CallerAccount", "StringLike", HERE),
    "an account, whichever a parameter names": on("kms:CallerAccount", "StringEquals", PARAMETER),
    "the account of the key": on("aws:PrincipalAccount", "StringEquals", "${aws:ResourceAccount}"),
    "an organization": on("aws:PrincipalOrgID", "StringEquals", "o-aaaaaaaaaa"),
    "an organization, whichever a parameter names": on("aws:PrincipalOrgID", "StringEquals", PARAMETER),
    "the organization of the key": on("aws:PrincipalOrgID", "StringEquals", "${aws:ResourceOrgID}"),
    "a part of an organization": on("aws:PrincipalOrgPaths", "ForAnyValue:StringLike", "o-aaaaaaaaaa/r-1/*"),
    "all of an organization": on("aws:SourceOrgPaths", "ForAnyValue:StringLike", "o-aaaaaaaaaa/*"),
    "an ARN": source("StringEquals", f"arn:aws:sns:eu-west-1:{ACCOUNT}:orders"),
    "an ARN with an asterisk that is one": source("StringEquals", f"arn:aws:logs:eu-west-1:{ACCOUNT}:*"),
    "everything of an account, as AWS documents": source("ArnLike", f"arn:aws:logs:eu-west-1:{ACCOUNT}:*"),
    "everything of an account in any Region": source("StringLike", f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"),
    "everything of an account of any service": source("ArnLike", f"arn:*:*:*:{ACCOUNT}:*"),
    "a topic of this account": source("ArnEquals", f"arn:aws:sns:eu-west-1:{HERE}:{NAME}"),
    "a topic whose name is a parameter": source("ArnLike", f"arn:aws:sns:eu-west-1:{ACCOUNT}:{PARAMETER}"),
    "a bucket": source("ArnLike", "arn:aws:s3:::reports"),
    "objects of a bucket": source("StringLike", "arn:aws:s3:::reports/*"),
    "a hosted zone": source("ArnLike", "arn:aws:route53:::hostedzone/Z123"),
    "a VPC": on("aws:SourceVpc", "StringEquals", "vpc-1"),
    "an endpoint": on("aws:SourceVpce", "StringLike", "vpce-1"),
    "sessions of a role, by its id": on("aws:userid", "StringLike", "AROAEXAMPLE:*"),
    "a user, by its id": on("aws:userid", "StringEquals", "AIDAEXAMPLE"),
    "an address": on("aws:SourceIp", "IpAddress", "192.0.2.7"),
    "networks": on("aws:SourceIp", "IpAddress", "203.0.113.0/24", "17.0.0.0/8", "2001:db8::/32"),
    "addresses that no call comes from": on(
        "aws:SourceIp", "IpAddress", "10.0.0.0/8", "172.16.0.0/12", "fc00::/7"
    ),
    "a service": on("kms:ViaService", "StringEquals", "s3.eu-west-1.amazonaws.com"),
    "a service in any Region": on("kms:ViaService", "StringLike", "s3.*.amazonaws.com"),
    "a principal": on("aws:PrincipalArn", "ArnEquals", f"arn:aws:iam::{ACCOUNT}:role/App"),
    "the root user": on("aws:PrincipalArn", "ArnLike", f"arn:aws:iam::{ACCOUNT}:root"),
    "roles by a part of the name": on("aws:PrincipalArn", "ArnLike", f"arn:aws:iam::{ACCOUNT}:role/app-*"),
    "roles by their path": on("aws:PrincipalArn", "ArnLike", f"arn:aws:iam::{ACCOUNT}:role/svc/*"),
    "a grantee": on("kms:GranteePrincipal", "StringEquals", f"arn:aws:iam::{ACCOUNT}:role/App"),
    "an alias": on("kms:ResourceAliases", "ForAnyValue:StringEquals", "alias/app"),
    "an alias, whichever a parameter names": on("kms:ResourceAliases", "ForAnyValue:StringEquals", PARAMETER),
    "aliases by a part of the name": on("kms:RequestAlias", "StringLike", "alias/app-*"),
    "a tag": on("aws:ResourceTag/team", "StringEquals", "orders"),
    "a log group": on(f"{CONTEXT}aws:logs:arn", "ArnLike", f"arn:aws:logs:eu-west-1:{ACCOUNT}:*"),
    "a pair": on(f"{CONTEXT}stage", "StringEquals", "staging"),
    "a pair, in a pattern": on(f"{CONTEXT}stage", "StringLike", "st*"),
    "a pair of an account": on(f"{CONTEXT}aws:ecs:clusterAccount", "StringEquals", ACCOUNT),
    "a pair that is an ARN": on(f"{CONTEXT}trail", "StringLike", f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"),
    "another spelling": on("AWS:SOURCEACCOUNT", "stringequals", ACCOUNT),
}
NOT_LIMITING = {
    "a key that is not in the table": on("aws:RequestedRegion", "StringEquals", "eu-west-1"),
    "a private address in a VPC": on("aws:VpcSourceIp", "IpAddress", "10.0.0.0/8"),
    "the names of context keys": on("kms:EncryptionContextKeys", "ForAnyValue:StringEquals", "stage"),
    "if it exists": on("aws:SourceAccount", "StringEqualsIfExists", ACCOUNT),
    "for all values": on("aws:PrincipalOrgPaths", "ForAllValues:StringLike", "o-aaaaaaaaaa/*"),
    "anything but": on("aws:SourceAccount", "StringNotEquals", ACCOUNT),
    "presence": on("aws:SourceArn", "Null", "false"),
    "one of two values is anything": on("aws:SourceAccount", "StringLike", ACCOUNT, "*"),
    "a part of an account": on("aws:SourceAccount", "StringLike", "9*"),
    "accounts that differ in a digit": on("aws:PrincipalAccount", "StringLike", "11112222333?"),
    "any organization": on("aws:PrincipalOrgID", "StringLike", "o-*"),
    "organizations that begin alike": on("aws:SourceOrgID", "StringLike", "o-aa*"),
    "any path": on("aws:PrincipalOrgPaths", "ForAnyValue:StringLike", "o-*/*"),
    "the same path anywhere": on("aws:PrincipalOrgPaths", "ForAnyValue:StringLike", "*/r-1/*"),
    "organizations that begin alike, as paths": on(
        "aws:PrincipalOrgPaths", "ForAnyValue:StringLike", "o-aa*"
    ),
    "any ARN": source("StringLike", "arn:aws:*"),
    "any topic": source("StringLike", "arn:*:sns:*"),
    "any topic, by fields": source("ArnLike", "arn:aws:sns:*:*:*"),
    "a topic of that name": source("ArnLike", "arn:aws:sqs:*:*:orders"),
    "a part of an account in an ARN": source("ArnLike", "arn:aws:sns:*:9*:*"),
    "an account that may stand in the name": source("StringLike", f"arn:aws:*:*:{ACCOUNT}:*"),
    "an account in no field": source("StringLike", f"*{ACCOUNT}*"),
    "any bucket": source("ArnLike", "arn:aws:s3:::*"),
    "buckets that begin alike": source("ArnLike", "arn:aws:s3:::reports-*"),
    "one object of any bucket": source("StringLike", "arn:aws:s3:::*/report.csv"),
    "any VPC": on("aws:SourceVpc", "StringLike", "vpc-*"),
    "any endpoint": on("aws:SourceVpce", "StringLike", "vpce-*"),
    "any user id": on("aws:userid", "StringLike", "*:*"),
    "a name of a session": on("aws:userid", "StringLike", "*:alice"),
    "any role, by its id": on("aws:userid", "StringLike", "AROA*"),
    "the world": on("aws:SourceIp", "IpAddress", "0.0.0.0/0"),
    "the world of IPv6": on("aws:SourceIp", "IpAddress", "192.0.2.0/24", "::/0"),
    "the world in two halves": on("aws:SourceIp", "IpAddress", "0.0.0.0/1", "128.0.0.0/1"),
    "half of the world": on("aws:SourceIp", "IpAddress", "128.0.0.0/1"),
    "two blocks that do not meet": on("aws:SourceIp", "IpAddress", "16.0.0.0/8", "18.0.0.0/8"),
    "two blocks that meet": on("aws:SourceIp", "IpAddress", "16.0.0.0/8", "17.0.0.0/8"),
    "any service": on("kms:ViaService", "StringLike", "*.amazonaws.com"),
    "any service in a Region": on("kms:ViaService", "StringLike", "*.eu-west-1.amazonaws.com"),
    "services that begin alike": on("kms:ViaService", "StringLike", "s*.eu-west-1.amazonaws.com"),
    "every role of an account": on("aws:PrincipalArn", "ArnLike", f"arn:aws:iam::{ACCOUNT}:role/*"),
    "everyone of an account": on("aws:PrincipalArn", "ArnLike", f"arn:aws:iam::{ACCOUNT}:*"),
    "a role of any account": on("aws:PrincipalArn", "ArnLike", "arn:aws:iam::*:role/App"),
    "any grantee": on("kms:GranteePrincipal", "StringLike", "*"),
    "any alias": on("kms:ResourceAliases", "ForAnyValue:StringLike", "alias/*"),
    "any value of a tag": on("aws:ResourceTag/team", "StringLike", "*"),
    "any log group": on(f"{CONTEXT}aws:logs:arn", "ArnLike", "arn:aws:logs:*:*:log-group:*"),
    "any log group of a name": on(f"{CONTEXT}aws:logs:arn", "StringLike", "*:log-group:/app/*"),
    "any account in a pair": on(f"{CONTEXT}aws:ecs:clusterAccount", "StringLike", "1*"),
    "a name that is not unique": on(f"{CONTEXT}aws:ecs:clusterName", "StringEquals", "prod"),
    "any pair": on(f"{CONTEXT}stage", "StringLike", "?*"),
}
NOT_KNOWN = {
    "values that are not known": Condition("StringEquals", "aws:SourceAccount", Unknown("why")),
    "no values": on("aws:SourceAccount", "StringEquals"),
    "a pattern that a parameter names": on("aws:PrincipalOrgID", "StringLike", PARAMETER),
    "an ARN that a parameter names": source("ArnLike", PARAMETER),
    "an account that a parameter names": source("ArnLike", f"arn:aws:sns:*:{PARAMETER}:orders"),
    "a Region that a parameter names": source("StringLike", f"arn:aws:sns:{PARAMETER}:{ACCOUNT}:orders"),
    "a bucket that a parameter names": source("ArnLike", f"arn:aws:s3:::{PARAMETER}"),
    "a role that a parameter names": on(
        "aws:PrincipalArn", "ArnLike", f"arn:aws:iam::{ACCOUNT}:role/{PARAMETER}"
    ),
    "what the request carries itself": on("aws:SourceAccount", "StringEquals", "${aws:SourceAccount}"),
    "an account that the request carries": source(
        "ArnEquals", "arn:aws:sns:*:${aws:PrincipalAccount}:orders"
    ),
    "the organization of the key, as an account": on(
        "aws:SourceAccount", "StringEquals", "${aws:ResourceOrgID}"
    ),
    "no address": on("aws:SourceIp", "IpAddress", "everywhere"),
    "text as an address": on("aws:SourceIp", "StringLike", "203.0.113.*"),
    "an address as text": on("aws:SourceAccount", "IpAddress", "192.0.2.0/24"),
}


@pytest.mark.parametrize("condition", LIMITING.values(), ids=LIMITING)
def test_limits(condition: Condition) -> None:
    assert limits(condition) is True
    assert why_not(condition) == ""


@pytest.mark.parametrize("condition", NOT_LIMITING.values(), ids=NOT_LIMITING)
def test_does_not_limit(condition: Condition) -> None:
    assert limits(condition) is False


@pytest.mark.parametrize("condition", NOT_KNOWN.values(), ids=NOT_KNOWN)
def test_is_decided_at_deployment(condition: Condition) -> None:
    assert limits(condition) is None
    assert why_not(condition) == ""


@pytest.mark.parametrize("key", LIMITS)
def test_no_key_is_limited_by_what_everyone_has(key: str) -> None:
    operator = "IpAddress" if LIMITS[key].addresses else "StringLike"
    assert limits(on(key, operator, "0.0.0.0/0" if LIMITS[key].addresses else "*")) is False


WHY = {
    "StringEqualsIfExists also holds for requests that lack the key": NOT_LIMITING["if it exists"],
    "StringNotEquals lets in everything that it does not name": NOT_LIMITING["anything but"],
    f"the value {ACCOUNT}, * matches everything": NOT_LIMITING["one of two values is anything"],
    "the value o-* names no organization": NOT_LIMITING["any organization"],
    "the value 128.0.0.0/1 is more addresses than one network has": NOT_LIMITING["half of the world"],
}


@pytest.mark.parametrize(("text", "condition"), WHY.items(), ids=WHY)
def test_says_why_not(text: str, condition: Condition) -> None:
    assert why_not(condition) == text


def test_principals_of_one_account_are_known_without_their_names() -> None:
    assert pins_account(NOT_LIMITING["every role of an account"]) is True
    assert pins_account(NOT_LIMITING["a role of any account"]) is False
    assert pins_account(NOT_KNOWN["a role that a parameter names"]) is True
    assert (
        pins_account(on("aws:PrincipalArn", "ArnLikeIfExists", f"arn:aws:iam::{ACCOUNT}:role/App")) is False
    )
    assert pins_account(LIMITING["an account"]) is False


def test_trails_need_a_source() -> None:
    assert source_keys(["cloudtrail.amazonaws.com"]) < source_keys(["sns.amazonaws.com"])
    assert "kms:encryptioncontext:" not in source_keys(["sns.amazonaws.com", "cloudtrail.amazonaws.com"])
