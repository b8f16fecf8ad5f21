"""The key that statements are written for, and what the parts of a key policy have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import KeyUsage
from kms_constructs.model.arn import is_account_id
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.limits import limits
from kms_constructs.model.policy import Condition
from kms_constructs.model.service_requirement import ACCOUNT, PARTITION, REGION, SUFFIX
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.policies.statements import PolicyStatementJson as PolicyStatementJson  # noqa: PLC0414 - presets
from kms_constructs.policies.statements import one_or_list, qualified, statement

_TOKEN = re.compile(r"\$\{Token\[[^\]]*\]\}")
_ARN_PARTS = 6


class PolicyTarget(Frozen, frozen=True, kw_only=True):
    """The key whose policy is being written.

    Args:
        partition: ``aws``, ``aws-cn``, … or a CDK token.
        account: Twelve digits or a CDK token.
        region: Region or a CDK token.
        key_spec: KMS's ``KeySpec``: ``SYMMETRIC_DEFAULT``, ``ECC_NIST_P256``, …
        key_usage: What the key is for.
        where: Construct path of the key, for error messages.
    """

    partition: str
    account: str
    region: str
    key_spec: str = "SYMMETRIC_DEFAULT"
    key_usage: KeyUsage = KeyUsage.ENCRYPT_DECRYPT
    where: str = ""

    @property
    def _suffix(self) -> str:
        china = self.partition == "aws-cn" or self.region.startswith("cn-")
        return "amazonaws.com.cn" if china else "amazonaws.com"

    def fill(self, value: Any) -> Any:  # noqa: ANN401 - JSON goes in and comes out
        """Puts what is decided by the key where `PARTITION`, `ACCOUNT`, `REGION`, `SUFFIX` stand."""
        if isinstance(value, str):
            for placeholder, text in (
                (PARTITION, self.partition),
                (ACCOUNT, self.account),
                (REGION, self.region),
                (SUFFIX, self._suffix),
            ):
                value = value.replace(placeholder, text)
            return value
        if isinstance(value, Mapping):
            return {self.fill(key): self.fill(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.fill(item) for item in value]
        return value


class StatementSource(Protocol):
    """What contributes statements to a key policy: `ServiceAccess`, `ExternalAccess`."""

    def statements(self, target: PolicyTarget) -> list[PolicyStatementJson]:
        """The statements for this key."""
        ...


def statements_of(sources: Iterable[StatementSource], target: PolicyTarget) -> list[PolicyStatementJson]:
    """The statements of all sources, in order, with Sids that are unique among them.

    The second statement with the Sid ``ServiceSns`` becomes ``ServiceSns2``, so the same preset can be given
    twice, and adding one at the end changes no Sid that was there before.
    """
    found: list[PolicyStatementJson] = []
    taken: set[str] = set()
    for source in sources:
        for one in source.statements(target):
            sid = base = str(one["Sid"])
            number = 1
            while sid in taken:
                number += 1
                sid = f"{base}{number}"
            taken.add(sid)
            found.append({**one, "Sid": sid})
    return found


def is_token(text: str) -> bool:
    """Whether a CDK token stands somewhere in the text, so that not all of it is known yet."""
    return _TOKEN.search(text) is not None


def arn_parts(arn: str) -> tuple[str, ...] | None:
    """Partition, service, Region, account and resource of an ARN, tokens kept whole.

    Returns:
        None when the text is no ARN, or is so far one single token.
    """
    tokens: list[str] = []

    def keep(match: re.Match[str]) -> str:
        tokens.append(match.group(0))
        return f"<{len(tokens) - 1}>"

    parts = _TOKEN.sub(keep, arn).split(":", _ARN_PARTS - 1)
    if len(parts) != _ARN_PARTS or parts[0] != "arn":
        return None
    return tuple(re.sub(r"<(\d+)>", lambda match: tokens[int(match.group(1))], part) for part in parts[1:])


def as_deployed(values: str | Sequence[str]) -> tuple[str, ...]:
    """Values of a condition as guardrails read them: a text that deployment decides for each token."""
    listed = [values] if isinstance(values, str) else values
    # Without the dollar sign: what is left of it would be taken for a policy variable.
    return tuple(
        _TOKEN.sub(lambda found: hole(HoleKind.ENVIRONMENT, found.group(0)[2:-1]), one) for one in listed
    )


def check_account(argument: str, value: str, where: str = "") -> str:
    """The account id, which has to be twelve digits unless a token or `ACCOUNT` stands for it."""
    if not is_token(value) and value != ACCOUNT and not is_account_id(value):
        raise account_refused(argument, value, where)
    return value


def account_refused(argument: str, shown: object, where: str = "") -> ArgumentError:
    """The error for what is no account id."""
    return ArgumentError(
        argument,
        shown,
        "an account id is twelve digits",
        "give all twelve digits as text, leading zeros included",
        where=where,
    )


def organization_refused(argument: str, shown: object, where: str = "") -> ArgumentError:
    """The error for what is no organization id."""
    return ArgumentError(
        argument,
        shown,
        "an organization id is o- and 10 to 32 lower-case letters or digits",
        "copy it from `aws organizations describe-organization`",
        where=where,
    )


def check_list(argument: str, values: Sequence[object], where: str = "") -> None:
    """Refuses an empty list, and a bare text where a list is wanted."""
    if isinstance(values, str):
        raise ArgumentError(
            argument, values, "a list is wanted, not one text", f"write {argument}=[{values!r}]", where=where
        )
    if not values:
        raise ArgumentError(
            argument,
            values,
            "the list is empty, and a statement for nobody is a mistake",
            "name at least one, or leave the whole entry out",
            where=where,
        )


def allow(
    sid: str,
    principal: Mapping[str, str | Sequence[str]],
    actions: Iterable[str],
    conditions: Mapping[str, Mapping[str, str | Sequence[str]]],
) -> PolicyStatementJson:
    """An Allow statement of a key policy: sorted actions with prefix, ``Resource`` always ``*``."""
    return statement(
        sid,
        "Allow",
        qualified(actions),
        principal={kind: one_or_list(value) for kind, value in principal.items()},
        conditions={
            operator: {key: one_or_list(value) for key, value in keys.items()}
            for operator, keys in conditions.items()
        },
    )


def via_service(name: str, target: PolicyTarget, argument: str = "via_services") -> str:
    """The value of `kms:ViaService` for a service in the key's Region: ``s3.eu-west-1.amazonaws.com``.

    Args:
        name: ``s3``, or the whole value, which is kept.
        target: The key.
        argument: Name of the argument, for errors.

    Raises:
        ArgumentError: Neither a service name nor a whole value.
    """
    if re.fullmatch(r"[a-z][a-z0-9-]*", name):
        return f"{name}.{target.region}.amazonaws.com"
    if is_token(name) or re.fullmatch(r"[a-z][a-z0-9-]*\.[a-z0-9-]+\.amazonaws\.com", name):
        return name
    raise ArgumentError(
        argument,
        name,
        "a service is named as kms:ViaService does, in one Region",
        "write 's3' for the key's Region, or 's3.eu-west-1.amazonaws.com'",
        where=target.where,
    )


def context_conditions(context: Mapping[str, str | Sequence[str]]) -> dict[str, dict[str, Any]]:
    """Conditions on the encryption context: StringEquals, or StringLike for pairs with a wildcard.

    Raises:
        ArgumentError: An empty key, no value, or a value that narrows nothing.
    """
    conditions: dict[str, dict[str, Any]] = {}
    for key, given in context.items():
        values = [given] if isinstance(given, str) else list(given)
        like = any("*" in value or "?" in value for value in values)
        operator = "StringLike" if like else "StringEquals"
        name = f"kms:EncryptionContext:{key}"
        if not key or not values or limits(Condition(operator, name, as_deployed(values))) is not True:
            raise ArgumentError(
                "encryption_context",
                dict(context),
                "each key is a text, and each value a text that narrows",
                "name the value that the caller has to send",
            )
        conditions.setdefault(operator, {})[name] = values
    return conditions
