"""Values of resources: what the plan knows, and texts with holes for what is known after apply only.

An argument that is known after apply is resolved by the references of its expression: made of one attribute
of one resource alone, it is taken to be that attribute, for what else an expression does with it no plan
tells. Made of several, or of what cannot be followed, it is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import CLOSE, OPEN, HoleKind, hole
from kms_constructs.model.unknown import Unknown, is_unknown
from kms_constructs.sources.terraform.plan import Instance, Plan, as_list, as_map, as_text
from kms_constructs.sources.terraform.providers import Providers
from kms_constructs.sources.terraform.references import Found, Place, References, Target, place_of, spoken

KEY_TYPES: Final = frozenset(
    {"aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key", "aws_kms_replica_external_key"}
)
REPLICA_TYPES: Final = frozenset({"aws_kms_replica_key", "aws_kms_replica_external_key"})
MAX_NESTING: Final = 60
"""Levels of nesting of a value that are looked into."""
MAX_FOLLOWED: Final = 30
"""Attributes of resources that are followed, one to the next."""

_MARKS: Final = re.compile(f"[{OPEN}{CLOSE}]|(?i:\\\\ue00[01])")
_SENSITIVE: Final = Unknown("it is marked sensitive")
_TOO_DEEP: Final = Unknown("it is nested too deeply")
_NAMED: Final = {
    "aws_cloudtrail": ("name", "cloudtrail:{region}:{account}:trail/{name}"),
    "aws_cloudwatch_event_rule": ("name", "events:{region}:{account}:rule/{name}"),
    "aws_cloudwatch_log_group": ("name", "logs:{region}:{account}:log-group:{name}"),
    "aws_dynamodb_table": ("name", "dynamodb:{region}:{account}:table/{name}"),
    "aws_iam_group": ("name", "iam::{account}:group{path}{name}"),
    "aws_iam_policy": ("name", "iam::{account}:policy{path}{name}"),
    "aws_iam_role": ("name", "iam::{account}:role{path}{name}"),
    "aws_iam_user": ("name", "iam::{account}:user{path}{name}"),
    "aws_kms_alias": ("name", "kms:{region}:{account}:{name}"),
    "aws_lambda_function": ("function_name", "lambda:{region}:{account}:function:{name}"),
    "aws_s3_bucket": ("bucket", "s3:::{name}"),
    "aws_sns_topic": ("name", "sns:{region}:{account}:{name}"),
    "aws_sqs_queue": ("name", "sqs:{region}:{account}:{name}"),
}
"""Argument that names a resource, and its ARN after the partition."""
_ID_IS_NAME: Final = frozenset(
    {"aws_iam_group", "aws_iam_role", "aws_iam_user", "aws_kms_alias", "aws_s3_bucket", "aws_dynamodb_table"}
)
_ID_IS_ARN: Final = frozenset({"aws_iam_policy", "aws_sns_topic"})
_GENERATED: Final = frozenset({"arn", "id", "unique_id"})
"""Attributes that AWS makes up: no two resources have the same, and none is a text that anyone wrote."""


def clean(text: str) -> str:
    """The text without the characters that mark holes, written out or escaped."""
    return _MARKS.sub("\ufffd", text) if OPEN in text or CLOSE in text or "\\" in text else text


class _Part(Frozen, frozen=True, kw_only=True):
    """A value, or a part of one, with all that a plan says of it."""

    value: object
    unknown: object
    sensitive: object
    expression: object
    where: str
    place: Place
    depth: int = 0

    def member(self, name: str) -> _Part:
        """One member of an object."""
        return _Part(
            value=as_map(self.value).get(name),
            unknown=as_map(self.unknown).get(name),
            sensitive=as_map(self.sensitive).get(name),
            expression=as_map(self.expression).get(name),
            where=f"{self.where}.{clean(str(name))}",
            place=self.place,
            depth=self.depth + 1,
        )

    def element(self, index: int, expression: object) -> _Part:
        """One element of a list, whose expression is found apart."""
        return _Part(
            value=_at(as_list(self.value), index),
            unknown=_at(as_list(self.unknown), index),
            sensitive=_at(as_list(self.sensitive), index),
            expression=expression,
            where=f"{self.where}[{index}]",
            place=self.place,
            depth=self.depth + 1,
        )


def _at(values: Sequence[object], index: int) -> object:
    return values[index] if index < len(values) else None


class Resolver:
    """Resolves values of one plan.

    Args:
        plan: The plan.
        providers: Where its resources are.
    """

    def __init__(self, plan: Plan, providers: Providers) -> None:
        self.plan = plan
        self.providers = providers
        self.references = References(plan)
        self._values: dict[tuple[Instance, str], object] = {}
        self._following: list[tuple[Instance, str]] = []

    # --- values ------------------------------------------------------------------------------------

    def value(self, instance: Instance, name: str) -> object:
        """An argument or attribute of a resource.

        Returns:
            Plain data of which texts may have holes and any part may be unknown; None when it is absent.
        """
        key = (instance, name)
        if key not in self._values:
            if key in self._following or len(self._following) > MAX_FOLLOWED:
                return Unknown("its references lead round in a circle")
            self._following.append(key)
            self._values[key] = self._merged(
                _Part(
                    value=instance.values.get(name),
                    unknown=instance.unknown.get(name),
                    sensitive=instance.sensitive.get(name),
                    expression=instance.expressions.get(name),
                    where=self.identity(instance, name),
                    place=place_of(instance),
                )
            )
            self._following.pop()
        return self._values[key]

    def is_set(self, instance: Instance, name: str) -> bool:
        """Whether an argument has a value, or will have one that the configuration gives it."""
        if instance.unknown.get(name) is True:
            return not self.is_computed(instance, name)
        return instance.values.get(name) not in (None, "", [])

    def is_computed(self, instance: Instance, name: str) -> bool:
        """Whether an argument that is known after apply is left to the provider.

        So it is when the configuration does not give it, or gives null by what is known: an expression of
        which every part is known has a value that is known, or none.
        """
        expression = as_map(instance.expressions.get(name))
        if not expression or "constant_value" in expression:
            return name not in instance.expressions or "constant_value" in expression
        found = self.made_of(expression, place_of(instance))
        return found.complete and not found.targets and bool(spoken(expression))

    def knows(self, instance: Instance, name: str) -> bool:
        """Whether the plan holds a value, in part at least."""
        return instance.values.get(name) is not None and instance.unknown.get(name) is not True

    def _merged(self, part: _Part) -> object:
        """What is known of a value, and for the rest what its expression is made of."""
        value, unknown = part.value, part.unknown
        if part.sensitive is True:
            return None if value is None and unknown is not True else _SENSITIVE
        if part.depth > MAX_NESTING:
            return _TOO_DEEP
        if unknown is True:
            return self._resolved(part.expression, part.place)
        if isinstance(value, list) or (value is None and isinstance(unknown, list)):
            return self._list(part)
        if isinstance(value, Mapping) or (value is None and isinstance(unknown, Mapping)):
            names = dict.fromkeys((*as_map(value), *as_map(unknown)))
            return {clean(str(name)): self._merged(part.member(name)) for name in names}
        return clean(value) if isinstance(value, str) else value

    def _list(self, part: _Part) -> list[object]:
        values, unknown = as_list(part.value), as_list(part.unknown)
        count = max(len(values), len(unknown))
        elements = [_at(values, index) for index in range(count)]
        gaps = [
            index
            for index in range(count)
            if _at(unknown, index) is True and _at(as_list(part.sensitive), index) is not True
        ]
        texts = self._each(part.expression, part.place, len(gaps)) if gaps else ()
        filled = dict(zip(gaps, texts, strict=bool(texts))) if texts else {}
        blocks = _matched(part.expression, elements)
        return [
            filled.get(index, hole(HoleKind.UNRESOLVED, f"{part.where}[{index}]"))
            if index in gaps
            else self._merged(part.element(index, blocks[index]))
            for index in range(count)
        ]

    # --- what is known after apply -----------------------------------------------------------------

    def made_of(self, expression: object, place: Place) -> Found:
        """The resources that an expression is made of and whose attributes are known after apply only."""
        found = self.references.follow(expression, place)
        return Found(
            tuple(target for target in found.targets if self._is_open(target)), complete=found.complete
        )

    def _is_open(self, target: Target) -> bool:
        name = re.split(r"[.\[]", target.attribute, maxsplit=1)[0]
        instance = target.instance
        if not name:
            return bool(instance.unknown)
        unknown = instance.unknown.get(name)
        return not (unknown is None or unknown is False) or instance.values.get(name) is None

    def _resolved(self, expression: object, place: Place) -> object:
        found = self.made_of(expression, place)
        if found.complete and len(found.targets) == 1:
            return self.text(found.targets[0])
        names = ", ".join(spoken(expression))
        return Unknown("it is known after apply only" + (f", from {names}" if names else ""))

    def _each(self, expression: object, place: Place, count: int) -> tuple[str, ...]:
        """Texts of as many elements of a list as are known after apply, in any order; none when in doubt."""
        found = self.made_of(expression, place)
        if not found.complete or len(found.targets) != count:
            return ()
        texts = tuple(self.text(target) for target in found.targets)
        return (
            tuple(text for text in texts if isinstance(text, str)) if not any(map(is_unknown, texts)) else ()
        )

    def text(self, target: Target) -> object:
        """What an attribute of a resource is, as far as it is known.

        A reference that does not tell the attribute (``aws_iam_role.each[each.key].arn``) is taken for the
        ARN: it says which resource it is, and that is asked.
        """
        instance, name = target.instance, target.attribute or "arn"
        known = instance.values.get(name)
        if known is not None or instance.sensitive.get(name) is True:
            return self.value(instance, name)
        if instance.type in KEY_TYPES and not instance.is_data:
            if name in ("id", "key_id"):
                return self.key_id(instance)
            if name == "arn":
                return self.key_arn(instance)
        if not instance.is_data and instance.type in _NAMED:
            named, arn = _NAMED[instance.type]
            if name == "arn" or (name == "id" and instance.type in _ID_IS_ARN):
                return self._arn(instance, named, arn)
            if name == named or (name == "id" and instance.type in _ID_IS_NAME):
                return self._name(instance, named)
        if name in instance.expressions:
            return self.value(instance, name)
        kind = HoleKind.GENERATED if name in _GENERATED and not instance.is_data else HoleKind.UNRESOLVED
        return hole(kind, self.identity(instance, name))

    def text_of(self, instance: Instance, name: str) -> str:
        """An attribute as text; a hole where it is not known."""
        found = self.text(Target(instance, name))
        return found if isinstance(found, str) else hole(HoleKind.UNRESOLVED, self.identity(instance, name))

    def reached(self, instance: Instance, expression: object) -> Iterator[Instance]:
        """The resources that an expression is made of, and those that its data sources are made of."""
        seen: set[Instance] = set()
        todo = [(expression, place_of(instance))]
        while todo:
            for target in self.references.follow(*todo.pop()).targets:
                one = target.instance
                if one not in seen:
                    seen.add(one)
                    yield one
                    if one.is_data:
                        todo.append((one.expressions, place_of(one)))

    def identity(self, instance: Instance, name: str) -> str:
        """A name for what is not known of a resource, unique among all plans that are read together."""
        return clean(f"{self.plan.label}{instance.address}.{name}")

    def arn(self, instance: Instance) -> str:
        """ARN of a resource, with holes."""
        return self.text_of(instance, "arn")

    def name(self, instance: Instance) -> str:
        """Name of a role, user, group or policy, with holes."""
        return self._name(instance, "name")

    def _arn(self, instance: Instance, named: str, arn: str) -> str:
        path = self.value(instance, "path")
        where = self.providers
        tail = arn.format(
            region=where.region(instance),
            account=where.account(instance),
            path="/" if path is None else self._as_text(path, instance, "path"),
            name=self._name(instance, named),
        )
        return f"arn:{where.partition(instance)}:{tail}"

    def _name(self, instance: Instance, named: str) -> str:
        prefix = instance.values.get(f"{named}_prefix")
        made_up = hole(HoleKind.GENERATED, self.identity(instance, named))
        if instance.unknown.get(named) is True:
            if isinstance(prefix, str) and prefix and not instance.sensitive.get(f"{named}_prefix"):
                return clean(prefix) + made_up
            if self.is_computed(instance, named):
                return made_up
        value = self.value(instance, named)
        return made_up if value is None else self._as_text(value, instance, named)

    def _as_text(self, value: object, instance: Instance, name: str) -> str:
        return value if isinstance(value, str) else hole(HoleKind.UNRESOLVED, self.identity(instance, name))

    # --- keys --------------------------------------------------------------------------------------

    def key_id(self, instance: Instance) -> str:
        """Key id of a key as ARNs hold it; a replica has its primary's."""
        known = as_text(instance.values.get("key_id"))
        if known and instance.sensitive.get("key_id") is not True:
            return clean(known)
        if instance.type in REPLICA_TYPES:
            primary = self.value(instance, "primary_key_arn")
            if isinstance(primary, str) and ":key/" in primary:
                return primary.rpartition(":key/")[2]
            return hole(HoleKind.UNRESOLVED, self.identity(instance, "key_id"))
        return hole(HoleKind.GENERATED, self.identity(instance, "key_id"))

    def key_arn(self, instance: Instance) -> str:
        """ARN of a key."""
        where = self.providers
        tail = f"{where.region(instance)}:{where.account(instance)}:key/{self.key_id(instance)}"
        return f"arn:{where.partition(instance)}:kms:{tail}"


def _matched(expression: object, elements: Sequence[object]) -> list[object]:
    """The expressions of nested blocks, each with the element that it makes; None where that is in doubt.

    Blocks of a set are in an order of their own, so a block is found by what it says.
    """
    given = as_list(expression)
    if len(given) != len(elements):
        return [None] * len(elements)
    found: list[object] = []
    for index, element in enumerate(elements):
        fitting = [block for block in given if _fits(block, element)]
        if len(fitting) != 1:
            # Statements are a list, whose order is the configuration's.
            fitting = [given[index]] if "sid" in as_map(element) and _fits(given[index], element) else []
        found.append(fitting[0] if fitting else None)
    return found


def _fits(block: object, element: object) -> bool:
    """Whether a block may make an element, by what is constant in it."""
    held = as_map(element)
    return all(
        _same(as_map(expression)["constant_value"], held.get(name))
        for name, expression in as_map(block).items()
        if "constant_value" in as_map(expression)
    )


def _same(constant: object, value: object) -> bool:
    if isinstance(constant, list) and isinstance(value, list):
        return sorted(map(repr, constant)) == sorted(map(repr, value))
    return value is None or str(constant) == str(value)
