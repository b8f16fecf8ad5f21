"""What the random policies say in their conditions, and what requests carry for the same keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.worlds.vocabulary import ATTACKER, HOME, KEY_ID, ORGANIZATION, OTHER, RESOURCES, arn

_STRING = ("StringEquals", "StringLike", "StringEquals", "StringLike", "StringNotEquals", "StringNotLike")
_FOLDED = ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")
_ARN = ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike")
_BOOL = ("Bool",)
_DATE = ("DateGreaterThan", "DateLessThan", "DateEquals", "DateNotEquals", "DateLessThanEquals")
_NUMBER = ("NumericGreaterThan", "NumericLessThan", "NumericEquals", "NumericNotEquals")
_IP = ("IpAddress", "NotIpAddress")

PRINCIPAL = "principal"
"""Keys that follow from who calls."""
FACT = "fact"
"""Keys that follow from the key that is called."""
ALWAYS = "always"
"""Keys that every call carries, with a value that nobody can foresee."""
OPTIONAL = "optional"
"""Keys that a call may carry."""
GRANT = "grant"
"""Keys of calls on grants alone."""


@dataclass(frozen=True)
class ConditionKey:
    """A condition key: how policies use it, and what requests carry."""

    feature: str
    origin: str
    operators: tuple[str, ...]
    values: tuple[str, ...]
    carried: tuple[str | tuple[str, ...], ...] = ()


_ARN_PATTERNS = (
    "{home}:role/App*",
    "{home}:role/*-ops",
    "{home}:role/prod-*",
    "{home}:role/*",
    "{home}:*",
    "arn:*:iam::" + HOME + ":role/App",
    "arn:*",
    "arn:{p}:iam::*:role/App",
    "arn:{p}:iam::*:user/*",
    "arn:{p}:sts::*:federated-user/*",
    "arn:aws:iam::" + HOME + ":role/App",
    "arn:aws-cn:iam::" + HOME + ":role/*",
    "arn:{p}:*::" + HOME + ":role/*",
    "arn:{p}:iam::*:role/aws-service-role/*",
    "*",
    "*:role/*",
    "{home}:r?ot",
)

KEYS: Mapping[str, ConditionKey] = {
    "aws:PrincipalArn": ConditionKey(
        "principal-arn",
        PRINCIPAL,
        (*_STRING, *_ARN, *_ARN, *_ARN),
        (*("{home}:" + resource for resource in RESOURCES), "{home}:root", "{home}:root", "{home}:root"),
    ),
    "aws:PrincipalAccount": ConditionKey("account", PRINCIPAL, _STRING, (HOME, OTHER, "1111*", "*")),
    "kms:CallerAccount": ConditionKey("account", PRINCIPAL, _STRING, (HOME, OTHER, "4444*")),
    "aws:PrincipalType": ConditionKey(
        "type",
        PRINCIPAL,
        ("StringEquals", "StringNotEquals", "StringLike"),
        ("Account", "User", "AssumedRole"),
    ),
    "aws:PrincipalIsAWSService": ConditionKey("service-flag", PRINCIPAL, _BOOL, ("true", "false")),
    "aws:userid": ConditionKey(
        "userid", PRINCIPAL, _STRING, (HOME, "AROAEXAMPLEAPP:*", "AIDAEXAMPLEALICE", "*:*", "*")
    ),
    "aws:PrincipalOrgID": ConditionKey("org", PRINCIPAL, _STRING, (ORGANIZATION, "o-*", "o-other12345", "*")),
    "aws:PrincipalOrgPaths": ConditionKey(
        "org",
        PRINCIPAL,
        ("ForAnyValue:StringLike", "ForAnyValue:StringEquals"),
        (f"{ORGANIZATION}/r-ab12/ou-ab12-11111111/*", "o-*/*", f"{ORGANIZATION}/*", "*"),
    ),
    "aws:PrincipalTag/team": ConditionKey("tags", OPTIONAL, _STRING, ("ops", "o*"), ("ops", "dev")),
    "kms:KeyOrigin": ConditionKey("fact", FACT, _STRING[:5], ("AWS_KMS", "EXTERNAL")),
    "kms:KeySpec": ConditionKey("fact", FACT, _STRING[:5], ("SYMMETRIC_DEFAULT", "RSA_2048", "SYM*")),
    "kms:KeyUsage": ConditionKey("fact", FACT, _STRING[:5], ("ENCRYPT_DECRYPT", "SIGN_VERIFY")),
    "kms:MultiRegion": ConditionKey("fact", FACT, _BOOL, ("true", "false")),
    "aws:RequestedRegion": ConditionKey("region", FACT, _STRING, ("{r}", "us-east-1", "eu-*")),
    "aws:ResourceAccount": ConditionKey("resource-account", FACT, _STRING, (HOME, OTHER)),
    "aws:CurrentTime": ConditionKey(
        "date",
        ALWAYS,
        _DATE,
        ("2026-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        ("2019-06-01T12:00:00Z", "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2031-01-01T00:00:00Z"),
    ),
    "aws:EpochTime": ConditionKey(
        "date", ALWAYS, ("DateGreaterThan", *_NUMBER[:2]), ("1767225600",), ("1500000000", "1900000000")
    ),
    "aws:SourceIp": ConditionKey(
        "ip",
        ALWAYS,
        _IP,
        ("10.0.0.0/8", "203.0.113.0/24", "0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/0", "::/0", "2001:db8::/32"),
        ("203.0.113.9", "10.1.2.3", "198.51.100.7", "2001:db9::1"),
    ),
    "aws:SecureTransport": ConditionKey("transport", ALWAYS, _BOOL, ("true", "false"), ("true",)),
    "aws:ViaAWSService": ConditionKey("via", OPTIONAL, _BOOL, ("true", "false"), ("true", "false")),
    "kms:ViaService": ConditionKey(
        "via",
        OPTIONAL,
        _STRING,
        ("s3.{r}.amazonaws.com", "rds.*", "*.amazonaws.com", "*"),
        ("s3.{r}.amazonaws.com", "rds.{r}.amazonaws.com"),
    ),
    "kms:EncryptionContext:dept": ConditionKey(
        "context", OPTIONAL, _STRING, ("finance", "f*", "*"), ("finance", "attack")
    ),
    "kms:EncryptionContextKeys": ConditionKey(
        "context",
        OPTIONAL,
        ("ForAnyValue:StringEquals", "ForAllValues:StringEquals", "StringEquals", "ForAllValues:StringLike"),
        ("dept", "d*", "stage"),
        (("dept",), ("dept", "stage"), ("attack",)),
    ),
    "aws:MultiFactorAuthPresent": ConditionKey("mfa", OPTIONAL, _BOOL, ("true", "false"), ("true", "false")),
    "aws:MultiFactorAuthAge": ConditionKey("mfa", OPTIONAL, _NUMBER, ("3600",), ("10", "3600", "9999")),
    "aws:SourceVpc": ConditionKey("vpc", OPTIONAL, _STRING, ("vpc-0123", "vpc-*"), ("vpc-0123", "vpc-0evil")),
    "aws:SourceVpce": ConditionKey(
        "vpc", OPTIONAL, _STRING, ("vpce-0123", "vpce-*"), ("vpce-0123", "vpce-0evil")
    ),
    "aws:SourceArn": ConditionKey(
        "source",
        OPTIONAL,
        ("ArnLike", "ArnEquals", "StringLike", "StringEquals", "ArnNotLike"),
        (
            "arn:{p}:sns:{r}:" + HOME + ":orders",
            "arn:{p}:*:*:" + HOME + ":*",
            "arn:{p}:*",
            "arn:*:sns:*",
            "arn:{p}:s3:::*",
            "arn:{p}:s3:::orders",
            "arn:{p}:sns:*:9*:*",
            "*",
        ),
        (
            "arn:{p}:sns:{r}:" + HOME + ":orders",
            "arn:{p}:s3:::orders",
            "arn:{p}:sns:{r}:" + ATTACKER + ":evil",
        ),
    ),
    "aws:SourceAccount": ConditionKey(
        "source", OPTIONAL, _STRING, (HOME, "9*", "*", OTHER), (HOME, ATTACKER)
    ),
    "aws:SourceOrgID": ConditionKey("source", OPTIONAL, _STRING, (ORGANIZATION, "o-*"), (ORGANIZATION,)),
    "kms:GrantIsForAWSResource": ConditionKey(
        "grant-flag", GRANT, _BOOL, ("true", "true", "false"), ("true", "false")
    ),
    "kms:GranteePrincipal": ConditionKey(
        "grantee",
        GRANT,
        (*_STRING[:3], *_ARN[:2]),
        ("{home}:role/App", "*"),
        ("{home}:role/App", "{home}:role/Evil"),
    ),
    "kms:GrantOperations": ConditionKey(
        "grantee",
        GRANT,
        ("ForAllValues:StringEquals", "ForAnyValue:StringEquals"),
        ("Decrypt", "Encrypt"),
        (("Decrypt",), ("Decrypt", "Encrypt")),
    ),
    "kms:ResourceAliases": ConditionKey(
        "aliases",
        OPTIONAL,
        ("ForAnyValue:StringEquals", "ForAnyValue:StringLike"),
        ("alias/app", "alias/*"),
        (("alias/app",),),
    ),
}
"""Every condition key that the random policies use, as a policy writes it."""

FOLDED: Mapping[str, ConditionKey] = {key.lower(): found for key, found in KEYS.items()}
KEY_ARN = "arn:{p}:kms:{r}:" + HOME + ":key/" + KEY_ID


def filled(text: str, partition: str, region: str) -> str:
    """The text for one partition and Region."""
    home = arn(partition, HOME, "")[:-1]
    return text.replace("{home}", home).replace("{p}", partition).replace("{r}", region)


def values_of(key: str, partition: str, region: str, *, patterns: bool = True) -> tuple[str, ...]:
    """The values that policies give a condition key."""
    found = FOLDED.get(key.lower())
    if found is None:
        return ("x",)
    extra = _ARN_PATTERNS if patterns and key.lower() == "aws:principalarn" else ()
    kept = (
        found.values
        if patterns
        else tuple(value for value in found.values if "*" not in value and "?" not in value)
    )
    return tuple(filled(value, partition, region) for value in (*(kept or found.values), *extra))


def carried_of(key: str, partition: str, region: str) -> tuple[str | tuple[str, ...], ...]:
    """The values that requests carry for a condition key."""
    return tuple(
        filled(value, partition, region) if isinstance(value, str) else value for value in FOLDED[key].carried
    )
