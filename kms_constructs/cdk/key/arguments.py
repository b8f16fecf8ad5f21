"""The arguments of `SecureKmsKey`, checked one by one at construction.

Each refusal names the argument, the value, the rule and the fix. What CDK tokens stand for is not known here:
it is left to the checks of the synthesized template.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from aws_cdk import Duration, RemovalPolicy

from kms_constructs.errors import ArgumentError
from kms_constructs.model.actions import KeyUsage
from kms_constructs.model.declaration import Tag
from kms_constructs.model.key_specs import (
    DEFAULT_ROTATION_PERIOD_DAYS,
    KEY_SPECS,
    MAXIMUM_PENDING_WINDOW_DAYS,
    MAXIMUM_ROTATION_PERIOD_DAYS,
    MINIMUM_PENDING_WINDOW_DAYS,
    MINIMUM_ROTATION_PERIOD_DAYS,
    Origin,
    can_rotate,
)
from kms_constructs.policies.principals import NamedPrincipal, named_principal, overlap
from kms_constructs.policies.root_access import RootAccess
from kms_constructs.policies.target import StatementSource, is_token

MAXIMUM_ALIAS_LENGTH = 256
MAXIMUM_DESCRIPTION_LENGTH = 8192
MAXIMUM_TAGS = 50
MAXIMUM_TAG_KEY_LENGTH = 128
MAXIMUM_TAG_VALUE_LENGTH = 256

TAG_ENVIRONMENT = Tag.ENVIRONMENT.written
TAG_SERVICE = Tag.SERVICE.written
TAG_CLASSIFICATION = Tag.DATA_CLASSIFICATION.written
TAG_OWNER = Tag.OWNER.written
TAG_ALIAS = Tag.ALIAS.written
TAG_REVIEWED = Tag.POLICY_REVIEWED_ON.written
TAG_MATERIAL = Tag.MATERIAL_EXPIRES.written
_OWN_TAGS = {
    TAG_ENVIRONMENT: "environment",
    TAG_SERVICE: "service",
    TAG_CLASSIFICATION: "data_classification",
    TAG_OWNER: "owner",
    TAG_ALIAS: "alias",
    TAG_REVIEWED: "policy_reviewed_on",
    TAG_MATERIAL: "material_expires",
}


@dataclass(frozen=True, slots=True)
class Refusals:
    """Makes the errors of one construct.

    Args:
        where: Construct path.
    """

    where: str

    def refuse(self, argument: str, value: object, rule: str, fix: str) -> ArgumentError:
        """The error for one argument."""
        return ArgumentError(argument, value, rule, fix, where=self.where)

    def alias(self, argument: str, value: object) -> str:
        """A checked alias name, with ``alias/``."""
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(argument, value, "an alias is a name", "give one, such as 'prod/s3-data'")
        name = value if value.startswith("alias/") else f"alias/{value}"
        if is_token(name):
            return name
        bare = name.removeprefix("alias/")
        if bare.startswith("aws/"):
            raise self.refuse(
                argument,
                value,
                "alias/aws/… belongs to AWS managed keys",
                "choose a name that starts otherwise",
            )
        if not re.fullmatch(r"[A-Za-z0-9/_-]+", bare):
            raise self.refuse(
                argument,
                value,
                "an alias holds letters, digits, /, _ and - after alias/, and nothing else (no colon)",
                f"write {re.sub(r'[^A-Za-z0-9/_-]+', '-', bare).strip('-') or 'prod/s3-data'!r}",
            )
        if len(name) > MAXIMUM_ALIAS_LENGTH:
            raise self.refuse(
                argument,
                value,
                f"an alias has at most {MAXIMUM_ALIAS_LENGTH} characters with alias/, and this has"
                f" {len(name)}",
                "shorten it",
            )
        return name

    def aliases(self, alias: object, additional: object) -> tuple[str, list[str]]:
        """The alias and the additional ones, no name twice."""
        first = self.alias("alias", alias)
        more = [self.alias("additional_aliases", one) for one in self.texts("additional_aliases", additional)]
        self.distinct("additional_aliases", [first, *more])
        return first, more

    def distinct(self, argument: str, names: Sequence[str]) -> None:
        """No name stands twice; the last of two equal ones is blamed."""
        for position, name in enumerate(names):
            if name in names[:position]:
                raise self.refuse(argument, name, "this alias is there already", "name each alias once")

    def text(self, argument: str, value: object, what: str, longest: int = MAXIMUM_TAG_VALUE_LENGTH) -> str:
        """A text that is neither empty nor blank nor too long."""
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(argument, value, f"{what} is required and may not be blank", "say it in words")
        if not is_token(value) and len(value) > longest:
            raise self.refuse(
                argument, value, f"it has {len(value)} characters and may have {longest}", "shorten it"
            )
        return value

    def days(self, argument: str, value: object, low: int, high: int) -> int:
        """A number of days within bounds, from an int or a Duration."""
        given = value
        if isinstance(value, Duration):
            given = value.to_days(integral=False)
        if isinstance(given, bool) or not isinstance(given, int | float) or given != int(given):
            raise self.refuse(
                argument, value, "whole days are wanted", f"give {low} to {high} days, as an int"
            )
        if not low <= given <= high:
            raise self.refuse(
                argument, int(given), f"KMS allows {low} to {high} days", f"give {low} to {high} days"
            )
        return int(given)

    def key_type(self, key_spec: object, key_usage: object, origin: object) -> tuple[str, KeyUsage, str]:
        """Key spec, usage and origin that go together."""
        spec_name = _enum_text(key_spec)
        spec = KEY_SPECS.get(spec_name)
        if spec is None:
            raise self.refuse(
                "key_spec", spec_name, "KMS has no such key spec", f"one of {', '.join(KEY_SPECS)}"
            )
        allowed = ", ".join(usage.value for usage in spec.usages)
        if key_usage is None:
            if len(spec.usages) > 1:
                raise self.refuse(
                    "key_usage", None, f"a {spec_name} key can be used in several ways", f"one of {allowed}"
                )
            usage = spec.usages[0]
        else:
            usage_name = _enum_text(key_usage)
            try:
                usage = KeyUsage(usage_name)
            except ValueError:
                raise self.refuse(
                    "key_usage", usage_name, "KMS has no such key usage", f"one of {allowed}"
                ) from None
            if usage not in spec.usages:
                fitting = ", ".join(name for name, one in KEY_SPECS.items() if usage in one.usages)
                raise self.refuse(
                    "key_usage",
                    usage_name,
                    f"a {spec_name} key is for {allowed}",
                    f"change the usage, or take one of the specs for {usage_name}: {fitting}",
                )
        origin_name = _enum_text(origin)
        if origin_name not in {Origin.AWS_KMS, Origin.EXTERNAL}:
            raise self.refuse(
                "origin",
                origin_name,
                "CloudFormation makes keys of origin AWS_KMS and EXTERNAL only",
                "leave origin out; make keys of custom key stores by the KMS API",
            )
        return spec_name, usage, origin_name

    def rotation_period(self, value: object, spec: str, origin: str) -> int | None:
        """Rotation period in days; None for a key that cannot rotate."""
        if not can_rotate(spec, origin):
            if value is not None:
                raise self.refuse(
                    "rotation_period",
                    value,
                    f"KMS rotates symmetric encryption keys of its own making, and no {spec} key",
                    "leave rotation_period out, and replace the key by hand when its time has come",
                )
            return None
        if value is None:
            return DEFAULT_ROTATION_PERIOD_DAYS
        return self.days("rotation_period", value, MINIMUM_ROTATION_PERIOD_DAYS, MAXIMUM_ROTATION_PERIOD_DAYS)

    def pending_window(self, value: object) -> int:
        """Pending window in days."""
        return self.days("pending_window", value, MINIMUM_PENDING_WINDOW_DAYS, MAXIMUM_PENDING_WINDOW_DAYS)

    def removal_policy(self, value: object) -> RemovalPolicy:
        """The removal policy."""
        allowed = (
            RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
            RemovalPolicy.RETAIN,
            RemovalPolicy.DESTROY,
        )
        if not isinstance(value, RemovalPolicy) or value not in allowed:
            raise self.refuse(
                "removal_policy",
                _enum_text(value),
                "a key is retained or destroyed; there is nothing else to do with it",
                "RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, RETAIN or DESTROY",
            )
        return value

    def root_access(self, value: object) -> RootAccess:
        """The root access mode."""
        try:
            return RootAccess(_enum_text(value))
        except ValueError:
            names = ", ".join(f"RootAccess.{mode.name}" for mode in RootAccess)
            raise self.refuse("root_access", value, "there is no such mode", f"one of {names}") from None

    def reviewed_on(self, value: object) -> str | None:
        """The review date as ISO text."""
        if value is None:
            return None
        found: date
        if isinstance(value, datetime):
            found = value.date()
        elif isinstance(value, date):
            found = value
        else:
            try:
                found = date.fromisoformat(str(value))
            except ValueError:
                raise self.refuse(
                    "policy_reviewed_on", value, "a date is wanted", "give a datetime.date or 'YYYY-MM-DD'"
                ) from None
        if found > datetime.now(UTC).date():
            raise self.refuse(
                "policy_reviewed_on",
                found.isoformat(),
                "that day has not come yet, so nobody has reviewed the policy on it",
                "give the day of the last review",
            )
        return found.isoformat()

    def tags(self, value: object) -> dict[str, str]:
        """Further tags, none of which is one that the construct writes itself."""
        if not isinstance(value, Mapping):
            raise self.refuse(
                "tags", value, "a mapping of tag keys to values is wanted", "tags={'team': 'data'}"
            )
        found: dict[str, str] = {}
        for key, text in value.items():
            entry = f"tags[{key!r}]"
            if not isinstance(key, str) or not key.strip() or len(key) > MAXIMUM_TAG_KEY_LENGTH:
                raise self.refuse(
                    entry, text, f"a tag key has 1 to {MAXIMUM_TAG_KEY_LENGTH} characters", "rename the tag"
                )
            if key.lower().startswith("aws:"):
                raise self.refuse(
                    entry, text, "tag keys that start with aws: belong to AWS", "rename the tag"
                )
            own = _OWN_TAGS.get(key.lower())
            if own is not None:
                raise self.refuse(entry, text, f"the argument {own} writes this tag", f"use {own}=…")
            if not isinstance(text, str) or (not is_token(text) and len(text) > MAXIMUM_TAG_VALUE_LENGTH):
                raise self.refuse(
                    entry,
                    text,
                    f"a tag value is text of at most {MAXIMUM_TAG_VALUE_LENGTH} characters",
                    "shorten it",
                )
            found[key] = text
        limit = MAXIMUM_TAGS - len(_OWN_TAGS)
        if len(found) > limit:
            raise self.refuse(
                "tags",
                len(found),
                f"a key has at most {MAXIMUM_TAGS} tags",
                f"give at most {limit} of your own",
            )
        return found

    def logical_id(self, value: object) -> str:
        """A logical id that CloudFormation accepts."""
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,254}", value):
            raise self.refuse(
                "logical_id",
                value,
                "a logical id is letters and digits, at most 255, starting with a letter",
                "give the id of the key in the deployed template",
            )
        return value

    def parameter_name(self, value: object) -> str:
        """A name for an SSM parameter."""
        if is_token(str(value)):
            return str(value)
        good = isinstance(value, str) and re.fullmatch(r"(/[A-Za-z0-9_.-]+){1,15}|[A-Za-z0-9_.-]+", value)
        reserved = re.match(r"/?(aws|ssm)", str(value), re.IGNORECASE)
        if not good or reserved or len(str(value)) > 1011:
            raise self.refuse(
                "parameter_name",
                value,
                "an SSM parameter name is letters, digits, . _ - and up to 15 levels that start with /,"
                " and does not start with aws or ssm",
                "write it like '/keys/prod/s3-data'",
            )
        return str(value)

    def sources(self, argument: str, value: object) -> tuple[StatementSource, ...]:
        """Objects that bring statements: ServiceAccess, ExternalAccess."""
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise self.refuse(argument, value, "a list is wanted", f"write {argument}=[…]")
        found = tuple(value)
        for one in found:
            if not callable(getattr(one, "statements", None)):
                kind = "ServiceAccess.…" if argument == "services" else "ExternalAccess(…)"
                raise self.refuse(argument, one, f"a list of {kind} is wanted", f"write {argument}=[{kind}]")
        return found

    def texts(self, argument: str, value: object) -> tuple[str, ...]:
        """A sequence of texts."""
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise self.refuse(argument, value, "a list of texts is wanted", f"write {argument}=[{value!r}]")
        found = tuple(value)
        for one in found:
            if not isinstance(one, str):
                raise self.refuse(argument, one, "a list of texts is wanted", "give each as text")
        return found

    def administrators(self, value: Sequence[NamedPrincipal], given: object) -> None:
        """There has to be at least one administrator."""
        if not value:
            raise self.refuse(
                "key_administrators",
                given,
                "a key without administrators cannot be managed, and an AWS default would let the"
                " whole account",
                "name at least one role: key_administrators=['arn:aws:iam::111122223333:role/KeyAdmin']",
            )

    def deployers(self, value: Sequence[NamedPrincipal], given: object) -> None:
        """There has to be at least one who deploys."""
        if not value:
            raise self.refuse(
                "deployment_principals",
                given,
                "KMS refuses a policy that its author cannot change again, so the deployer has to be in it",
                "name it, or leave the argument out to take the CloudFormation execution role",
            )

    def separation(
        self,
        managing: Mapping[str, Sequence[NamedPrincipal]],
        using: Mapping[str, Sequence[NamedPrincipal]],
    ) -> None:
        """No principal both manages and uses."""
        for manager, some in managing.items():
            for user, others in using.items():
                both = overlap(some, others)
                if both is None:
                    continue
                left, right = both
                spelt = "" if left.arn == right.arn else f" (there spelt {left.arn})"
                raise self.refuse(
                    user,
                    right.arn,
                    f"the same principal stands in {manager}{spelt}, and whoever manages a key may"
                    " not use it",
                    _FIX_FOR_DEPLOYER.format(user=user)
                    if manager == "deployment_principals"
                    else f"take it out of {manager} or out of {user}",
                )

    def brought(
        self, managing: Mapping[str, Sequence[NamedPrincipal]], statements: Iterable[Mapping[str, Any]]
    ) -> None:
        """No administrator or break-glass principal gets use of the key by `services` or `external_access`.

        Deployment principals may: whoever creates a database or a secret has to use its key through the
        service.
        """
        for argument, person in self._brought_people(statements):
            for manager in ("key_administrators", "break_glass_principals"):
                self.separation({manager: managing[manager]}, {argument: [person]})

    def deployment_as_users(
        self, deployment: Sequence[NamedPrincipal], statements: Iterable[Mapping[str, Any]]
    ) -> tuple[str, ...]:
        """How `services` and `external_access` spell deployment principals who use the key as well."""
        people = dict.fromkeys(person for _, person in self._brought_people(statements))
        return tuple(person.arn for person in people if any(person.same_as(one) for one in deployment))

    def _brought_people(
        self, statements: Iterable[Mapping[str, Any]]
    ) -> Iterator[tuple[str, NamedPrincipal]]:
        """The roles and users of statements, each with the argument that brought it."""
        for statement in statements:
            found = statement["Principal"].get("AWS", []) if isinstance(statement["Principal"], dict) else []
            for arn in [found] if isinstance(found, str) else found:
                argument = "external_access" if str(statement["Sid"]).startswith("External") else "services"
                if not str(arn).endswith(":root"):
                    yield argument, named_principal(argument, arn, where=self.where)


_FIX_FOR_DEPLOYER = (
    "take it out of {user}: without its deployer KMS refuses the key policy; what it creates through "
    "services, declare for each: services=[ServiceAccess.efs([…])], dynamodb, secrets_manager and so on"
)
"""Whoever deploys the key may not leave its policy, and creates what the key encrypts."""


def _enum_text(value: object) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value)
