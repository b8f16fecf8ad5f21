"""What limits an Allow: for each condition key, the values that an attacker cannot have.

One table for who writes policies and for who judges them. A condition limits its statement when each of its
values pins something that nobody else can show: an account, one organization, a bucket, a VPC. A pattern that
an attacker's own resource can match pins nothing, however much text it has: ``arn:aws:sns:*:*:orders`` is
matched by anybody's topic of that name. Every key that is not in the table limits nothing, and so does every
operator that also holds for a request without the key, or for all values but some.

What a value pins is read as IAM compares it: ``StringEquals`` knows no wildcards, so whatever a parameter
turns out to be, it is one value; a wildcard of ``StringLike`` runs over the colons of an ARN, one of
``ArnLike`` does not.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from kms_constructs.model.arn import parse_arn
from kms_constructs.model.condition_operators import CONDITION_OPERATORS, ConditionOperator, ValueType
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import has_wildcard
from kms_constructs.model.policy import Condition
from kms_constructs.model.text import HoleKind, has_hole, has_unresolved_hole, hole
from kms_constructs.model.unknown import is_unknown

ENCRYPTION_CONTEXT = "kms:encryptioncontext:"
"""Prefix of the keys that compare one pair of the encryption context, folded."""

SOURCE_KEYS = frozenset({"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"})
"""Keys that say for whose resource an AWS service acts, folded."""
_WITH_SOURCE = frozenset({"cloudtrail.amazonaws.com"})
"""Services whose documented policies have a source condition beside the encryption context."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_OF_THE_KEY = {
    "${aws:resourceaccount}": "account",
    "${aws:resourceorgid}": "organization",
}
"""Policy variables that stand for a fact of the key, and so for one value that no caller decides."""
_OPEN = hole(HoleKind.UNRESOLVED, "a policy variable")


class _Value(Frozen, frozen=True):
    """One value, and how it is compared.

    Args:
        text: The value, with a hole for each policy variable.
        patterns: Whether wildcards in it, or in what a hole turns out to be, are wildcards.
        crossing: Whether they run over the colons of an ARN.
    """

    text: str
    patterns: bool
    crossing: bool

    def one(self, text: str | None = None) -> bool | None:
        """Whether the value, or a part of it, stands for one text; None when deployment decides that."""
        text = self.text if text is None else text
        if not text:
            return False
        if not self.patterns:
            return True
        if has_wildcard(text):
            return False
        return None if has_unresolved_hole(text) else True

    def says_something(self) -> bool | None:
        """Whether the value has a letter or a digit of its own, so that it does not match everything."""
        if not self.patterns:
            return bool(self.text)
        if re.search(r"[^\W_]", _HOLE.sub("", self.text)) or (
            has_hole(self.text) and not has_unresolved_hole(self.text)
        ):
            return True
        return None if has_unresolved_hole(self.text) else False


_HOLE = re.compile("\ue000[^\ue001]*\ue001")


def _account(value: _Value) -> bool | None:
    return value.one()


def _arn(value: _Value) -> bool | None:
    """An account, or for ARNs that have none the whole name: of an S3 bucket, a hosted zone."""
    if not value.patterns:
        return value.one()
    arn = parse_arn(value.text)
    if arn is None:
        return value.one()
    before = (arn.partition, arn.service, arn.region)
    if value.crossing and any(map(has_wildcard, before[:2])):
        # Such a wildcard may run over the account: it is then found in somebody else's resource part.
        return False
    if any(map(has_unresolved_hole, before)):
        return None
    if arn.account:
        return value.one(arn.account)
    if has_wildcard(arn.service):
        return False
    return value.one(arn.resource.partition("/")[0] if arn.service == "s3" else arn.resource)


def _principal(value: _Value) -> bool | None:
    """Principals of one account by more than their kind: a name, a path, or a part of one."""
    pinned = _arn(value)
    arn = parse_arn(value.text)
    if not pinned or not value.patterns or arn is None:
        return pinned
    kind, slash, name = arn.resource.partition("/")
    if not slash:
        return value.one(kind)
    if has_wildcard(kind):
        return False
    return _Value(name, patterns=True, crossing=True).says_something()


def _path(value: _Value) -> bool | None:
    """A path of Organizations: its first part is the organization."""
    organization, slash, _ = value.text.partition("/")
    if not slash:
        return value.one()
    return value.one(organization)


def _user(value: _Value) -> bool | None:
    """A unique id, or one with any name of a session: ``AROA…:*``."""
    return value.one(value.text.partition(":")[0])


def _service(value: _Value) -> bool | None:
    """A service, in one Region or in any: ``s3.*.amazonaws.com``."""
    name, dot, _ = value.text.partition(".")
    return value.one(name if dot else None)


def _alias(value: _Value) -> bool | None:
    if value.text.startswith("alias/"):
        value = _Value(value.text.removeprefix("alias/"), value.patterns, value.crossing)
    return value.says_something()


def _something(value: _Value) -> bool | None:
    return value.says_something()


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_TOO_MANY_ADDRESSES = {4: 2**25, 6: 2**113}
"""Twice the largest blocks that one network has (a /8, a /16): so many are the addresses of anyone."""


def _addresses(values: tuple[str, ...]) -> bool | None:
    """Whether the ranges together are so few addresses that they can be one network's.

    Ranges that are not routed in public are no caller's: they let nobody in, and count as nothing.
    """
    sizes = {4: 0, 6: 0}
    networks: list[_Network] = []
    for text in values:
        try:
            networks.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            return None
    for network in _joined(networks):
        sizes[network.version] += network.num_addresses
    return all(size < _TOO_MANY_ADDRESSES[version] for version, size in sizes.items())


_NOT_ROUTED_4 = tuple(
    map(
        ipaddress.IPv4Network,
        ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    )
)
_NOT_ROUTED_6 = tuple(map(ipaddress.IPv6Network, ("::1/128", "fc00::/7", "fe80::/10")))


def _joined(networks: list[_Network]) -> Iterator[_Network]:
    """The ranges that are routed, joined where they meet."""
    yield from ipaddress.collapse_addresses(
        one
        for one in networks
        if isinstance(one, ipaddress.IPv4Network) and not any(map(one.subnet_of, _NOT_ROUTED_4))
    )
    yield from ipaddress.collapse_addresses(
        one
        for one in networks
        if isinstance(one, ipaddress.IPv6Network) and not any(map(one.subnet_of, _NOT_ROUTED_6))
    )


class Limit(Frozen, frozen=True):
    """What a condition key can be limited to.

    Args:
        pins: Whether a value pins it; None when deployment decides that.
        lacking: What is to be said of a value that does not: ``names no account``.
        fact: Which policy variables stand for one value here.
        addresses: Whether its values are ranges of IP addresses, which count together.
    """

    pins: Callable[[_Value], bool | None]
    lacking: str
    fact: str = ""
    addresses: bool = False


_ACCOUNT = Limit(_account, "names no account", "account")
_ORGANIZATION = Limit(_account, "names no organization", "organization")
_PATHS = Limit(_path, "names no organization")
_SOURCE = Limit(_arn, "names no account, and no bucket")
_NEVER = Limit(lambda _: False, "is a name that anybody can give")
_CONTEXT = Limit(_something, "matches everything")
_CONTEXT_ARN = Limit(_arn, "names no account, and no bucket")

LIMITS: dict[str, Limit] = {
    "aws:principalaccount": _ACCOUNT,
    "aws:principalarn": Limit(_principal, "names no principals of one account"),
    "aws:principalorgid": _ORGANIZATION,
    "aws:principalorgpaths": _PATHS,
    "aws:sourceaccount": _ACCOUNT,
    "aws:sourcearn": _SOURCE,
    "aws:sourceip": Limit(_something, "is more addresses than one network has", addresses=True),
    "aws:sourceorgid": _ORGANIZATION,
    "aws:sourceorgpaths": _PATHS,
    "aws:sourcevpc": Limit(_account, "names no VPC"),
    "aws:sourcevpce": Limit(_account, "names no VPC endpoint"),
    "aws:userid": Limit(_user, "names no principal"),
    "kms:calleraccount": _ACCOUNT,
    "kms:granteeprincipal": Limit(_account, "names no grantee"),
    "kms:granteeserviceprincipal": Limit(_account, "names no service"),
    "kms:requestalias": Limit(_alias, "names no alias"),
    "kms:resourcealiases": Limit(_alias, "names no alias"),
    "kms:viaservice": Limit(_service, "names no service"),
}
"""Folded condition key to what limits it. What is not here limits nothing."""

_PREFIXES = {"aws:resourcetag/": Limit(_something, "matches everything")}
_ANYBODYS = frozenset({"aws:ecs:clustername", "aws:dynamodb:tablename"})
"""Pairs of the encryption context that hold a name which is not unique to an account."""


@lru_cache(maxsize=4096)
def limit_of(folded_key: str) -> Limit | None:
    """What limits a condition key; None when nothing does."""
    if folded_key.startswith(ENCRYPTION_CONTEXT):
        pair = folded_key.removeprefix(ENCRYPTION_CONTEXT)
        if pair in _ANYBODYS:
            return _NEVER
        if pair.endswith("arn"):
            return _CONTEXT_ARN
        return _ACCOUNT if pair.endswith(("account", "subscriberid")) else _CONTEXT
    found = LIMITS.get(folded_key)
    if found is not None:
        return found
    return next((limit for prefix, limit in _PREFIXES.items() if folded_key.startswith(prefix)), None)


@lru_cache(maxsize=16384)
def limits(condition: Condition) -> bool | None:
    """Whether a condition limits the Allow that it stands in; None when its values are not known.

    Example:
        >>> limits(Condition("ArnLike", "aws:SourceArn", ("arn:aws:sns:*:111122223333:*",)))
        True
        >>> limits(Condition("ArnLike", "aws:SourceArn", ("arn:aws:sns:*:*:orders",)))
        False
    """
    limit, operator = limit_of(condition.folded_key), CONDITION_OPERATORS.get(condition.base)
    if limit is None or operator is None or not operator.pins:
        return False
    if condition.if_exists or condition.qualifier == "forallvalues":
        return False
    if is_unknown(condition.values) or not condition.values:
        return None
    if limit.addresses is not (operator.values is ValueType.ADDRESS) or operator.values is ValueType.BOOL:
        # AWS does not say what comes of an operator on a key of another type.
        return None
    if limit.addresses:
        return _addresses(condition.values)
    verdicts = [_pinned(limit, value, operator) for value in condition.values]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _pinned(limit: Limit, text: str, operator: ConditionOperator) -> bool | None:
    if limit.fact and _OF_THE_KEY.get(text.lower()) == limit.fact:
        return True
    exact = operator.values is ValueType.STRING and operator.base != "stringlike"
    open_text = _VARIABLE.sub(_OPEN, text)
    # What IAM puts for a variable is decided by the request, so it is no one value.
    value = _Value(open_text, patterns=not exact or open_text != text, crossing=operator.base == "stringlike")
    if limit is _CONTEXT and exact:
        return bool(text)
    if limit is _CONTEXT and text.startswith("arn:"):
        limit = _CONTEXT_ARN
    return limit.pins(value)


def source_keys(services: Iterable[str]) -> frozenset[str]:
    """The folded keys that say for whose resource these service principals act.

    The encryption context is one of them but for services whose documented policies have a source condition
    as well; a key that ends in a colon stands for all that it begins.
    """
    return SOURCE_KEYS if _WITH_SOURCE.intersection(services) else SOURCE_KEYS | {ENCRYPTION_CONTEXT}


def pins_account(condition: Condition) -> bool | None:
    """Whether a condition on ``aws:PrincipalArn`` leaves principals of named accounts only.

    Weaker than `limits`, which wants principals of that account to be named as well.
    """
    operator = CONDITION_OPERATORS.get(condition.base)
    if condition.folded_key != "aws:principalarn" or operator is None or not operator.pins:
        return False
    return limits(Condition(condition.operator, "aws:SourceArn", condition.values))


def why_not(condition: Condition) -> str:
    """Why a condition on a key that could be limited does not limit, as a phrase; empty when it does."""
    limit, operator = limit_of(condition.folded_key), CONDITION_OPERATORS.get(condition.base)
    if limit is None or limits(condition) is not False:
        return ""
    if condition.if_exists or condition.qualifier == "forallvalues":
        return f"{condition.operator} also holds for requests that lack the key"
    if operator is None or not operator.pins:
        return f"{condition.operator} lets in everything that it does not name"
    values = () if is_unknown(condition.values) else condition.values
    everything = any(not value.strip("*?") for value in values)
    return f"the value {', '.join(values)} {'matches everything' if everything else limit.lacking}"


__all__ = [
    "ENCRYPTION_CONTEXT",
    "LIMITS",
    "SOURCE_KEYS",
    "Limit",
    "limit_of",
    "limits",
    "pins_account",
    "source_keys",
    "why_not",
]
