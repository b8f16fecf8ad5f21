"""Which resources of templates use which keys: every way that a requirement of a service knows.

Only resources of types that requirements name are looked at, each once. What leads to a resource that is not
among the templates, or to a key that is not, is left out: nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from kms_constructs.model.estate import Key, Location
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.service_requirement import Caller, Consumer, KeyForm, ServiceRequirement, Step, Who
from kms_constructs.model.services import requirements
from kms_constructs.model.text import HoleKind, has_hole, hole, holes
from kms_constructs.model.unknown import Unknown, is_unknown
from kms_constructs.model.use import Link, Use, UsingRole
from kms_constructs.sources.cloudformation.keys import location_of, may_name
from kms_constructs.sources.cloudformation.scope import Resource, Scope, Stacks
from kms_constructs.sources.cloudformation.ways import Named, has, named_by, text_at

_MANAGED: Final = "alias/aws/"
_APPLICATION: Final = "AWS::Serverless::Application"
_CONDITIONAL: Final = "a condition that cannot be resolved decides whether the resource exists"
_ARN_ATTRIBUTES: Final = {"AWS::SNS::Topic": "TopicArn"}
_NAMED_SOURCES: Final = {
    "AWS::CloudWatch::Alarm": "cloudwatch:{region}:{account}:alarm:{AlarmName}",
    "AWS::CloudWatch::CompositeAlarm": "cloudwatch:{region}:{account}:alarm:{AlarmName}",
    "AWS::Events::EventBus": "events:{region}:{account}:event-bus/{Name}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{Name}",
    "AWS::SES::ReceiptRule": "ses:{region}:{account}:receipt-rule-set/{RuleSetName}:receipt-rule/{Rule/Name}",
}
"""ARNs that services send and no function of templates returns, with the properties that name it."""

_Place = tuple[Scope, Resource]
FindKeys = Callable[[str, Scope], Iterable[Key]]
"""The keys that a text names by id, ARN or alias."""


class _Ways(Frozen, frozen=True):
    """Every consumer by the type of its first resource, and the types that lie further on.

    With each consumer the properties that its way may begin at.
    """

    by_type: Mapping[str, tuple[tuple[ServiceRequirement, Consumer, frozenset[str]], ...]]
    further: frozenset[str]


@lru_cache(maxsize=1)
def _ways() -> _Ways:
    by_type: dict[str, list[tuple[ServiceRequirement, Consumer, frozenset[str]]]] = {}
    further: set[str] = set()
    for one in requirements().values():
        for consumer in one.consumers:
            begins = frozenset(written.split("/")[0] for written in consumer.steps[0].properties)
            by_type.setdefault(consumer.resource, []).append((one, consumer, begins))
            further.update(step.resource for step in consumer.steps[1:])
        for caller in one.callers:
            further.update(step.resource for way in caller.roles for step in way[1:])
    return _Ways({kind: tuple(found) for kind, found in by_type.items()}, frozenset(further))


def using_properties() -> Mapping[str, frozenset[str]]:
    """Types of the resources that stand on a way to a key, and the properties that a way goes by."""
    found: dict[str, set[str]] = {}
    for one in requirements().values():
        ways = [consumer.steps for consumer in one.consumers]
        ways += [way for caller in one.callers for way in caller.roles]
        for step in (step for way in ways for step in way):
            names = (written.split("/")[0] for written in step.properties)
            found.setdefault(step.resource, set()).update(names)
    return {kind: frozenset(names) for kind, names in found.items()}


def uses_of(stacks: Stacks, keys: FindKeys, any_key: bool) -> tuple[Use, ...]:
    """Every use of a key, in the order of the templates.

    Args:
        stacks: The stacks.
        keys: Finds the keys that a text names.
        any_key: Whether the templates have keys at all: without, only keys that AWS manages are used.
    """
    if not any_key and not any(_mentions_managed(scope) for scope in stacks.scopes):
        return ()
    graph = _Graph(stacks, keys)
    return tuple(use for scope, begun in stacks.each(_begun) for use in graph.uses_in(scope, begun))


def _mentions_managed(scope: Scope) -> bool:
    return any(_MANAGED in str(one.raw.get("Properties")) for one in scope.resources.values())


class _Held(Frozen, frozen=True):
    """The key at the end of a way: see `Use`."""

    key: str
    managed: str
    form: KeyForm
    doubt: str


class _Graph:
    """The resources that ways lead to, found by what names them."""

    def __init__(self, stacks: Stacks, keys: FindKeys) -> None:
        self._keys = keys
        self._by_identity: dict[str, _Place] = {}
        self._by_text: dict[str, _Place] = {}
        self._facts: dict[tuple[str, str], tuple[Location, str]] = {}
        for scope, led_to in stacks.each(_led_to):
            for resource, texts in led_to:
                place = (scope, resource)
                self._by_identity[f"{scope.label}.{resource.logical_id}"] = place
                for text in texts:
                    self._by_text.setdefault(text, place)

    def uses_in(self, scope: Scope, begun: Iterable[tuple[Resource, tuple[_Begun, ...]]]) -> Iterator[Use]:
        """The uses of which the first resource stands in a stack, by the ways that begin there."""
        for resource, ways in begun:
            seen: set[object] = set()
            for way in ways:
                yield from self._uses(way, (scope, resource), seen)

    def _uses(self, way: _Begun, first: _Place, seen: set[object]) -> Iterator[Use]:
        requirement = way.requirement
        for chain, text, doubt in self._further(way.consumer.steps[1:], first, way.named):
            holder = chain[-1][0]
            for key, managed in self._held(text, holder[0]):
                same = (
                    requirement.name,
                    key.id if key is not None else "",
                    managed,
                    holder[0].label,
                    holder[1].logical_id,
                )
                if same not in seen:
                    seen.add(same)
                    of_key = key.id if key is not None else ""
                    yield self._use(requirement, chain, _Held(of_key, managed, _form(text), doubt))

    def _followed(
        self, steps: tuple[Step, ...], place: _Place
    ) -> Iterator[tuple[tuple[tuple[_Place, Named], ...], str, str]]:
        """The resources on each way with what they name, what the last one names, and why it may be off."""
        step = steps[0]
        scope, resource = place
        if resource.type == step.resource:
            named = scope.kept(_named, resource.logical_id, id(step), step=step)
            yield from self._further(steps[1:], place, named)

    def _further(
        self, rest: tuple[Step, ...], place: _Place, every: tuple[Named, ...]
    ) -> Iterator[tuple[tuple[tuple[_Place, Named], ...], str, str]]:
        """The same, from a resource on of which it is known what it names."""
        for named in every:
            doubt = named.doubt or (_CONDITIONAL if place[1].conditional else "")
            if not rest:
                yield ((place, named),), named.text, doubt
                continue
            next_place = self.named(named.text)
            if next_place is None:
                continue
            for chain, text, further in self._followed(rest, next_place):
                yield ((place, named), *chain), text, doubt or further

    def named(self, text: str) -> _Place | None:
        """The resource that a text names: by its ARN or name, or by what only deployment makes of it."""
        found = self._by_text.get(text) or self._by_text.get(_bare(text))
        if found is not None or not has_hole(text):
            return found
        for _, identity in holes(text):
            name = identity
            while "." in name:
                name = name.rpartition(".")[0]
                if name in self._by_identity:
                    return self._by_identity[name]
        return None

    def _held(self, text: str, scope: Scope) -> Iterator[tuple[Key | None, str]]:
        if _MANAGED in text:
            yield None, text[text.index(_MANAGED) :]
            return
        for key in self._keys(text, scope):
            yield key, ""

    def _use(
        self, requirement: ServiceRequirement, chain: tuple[tuple[_Place, Named], ...], held: _Held
    ) -> Use:
        scope, resource = chain[0][0]
        return Use(
            requirement=requirement.name,
            key=held.key,
            managed=held.managed,
            chain=tuple(self._link(place, named) for place, named in chain),
            form=held.form,
            account=scope.account,
            region=scope.region,
            partition=scope.partition,
            creator=scope.input.creator,
            roles=tuple(self._roles(requirement.callers, chain)),
            mentioned=tuple(_mentioned(scope, resource)),
            doubt=held.doubt,
        )

    def _link(self, place: _Place, named: Named) -> Link:
        scope, resource = place
        where = (scope.label, resource.logical_id)
        facts = self._facts.get(where)
        if facts is None:
            facts = self._facts[where] = location_of(scope, resource), _arn_of(scope, resource)
        return Link(
            location=facts[0],
            resource_type=resource.type,
            path="/".join(("Properties", *named.path)),
            arn=facts[1],
        )

    def _roles(
        self, callers: tuple[Caller, ...], chain: tuple[tuple[_Place, Named], ...]
    ) -> Iterator[UsingRole]:
        """The roles that call."""
        for number, caller in enumerate(callers):
            if caller.who is not Who.ROLE:
                continue
            for way in caller.roles:
                for place, _ in chain:
                    yield from dict.fromkeys(self._role(number, caller, way, place))

    def _role(self, number: int, caller: Caller, way: tuple[Step, ...], place: _Place) -> Iterator[UsingRole]:
        scope, resource = place
        step, *rest = way
        properties = scope.properties(resource.logical_id)
        if resource.type != step.resource or is_unknown(properties):
            return
        if any(has(properties, path) for path in caller.unseen):
            yield UsingRole(number, _made_out_of_sight(scope, resource), unseen=True)
            return
        for named in scope.kept(_named, resource.logical_id, id(step), step=step):
            if not rest:
                yield UsingRole(number, _role_arn(scope, named.text))
                continue
            next_place = self.named(named.text)
            if next_place is None:
                reason = "the resource that has the role is not in the templates given"
                yield UsingRole(number, Unknown(reason))
            elif next_place[1].type == _APPLICATION:
                yield UsingRole(number, _made_out_of_sight(*next_place), unseen=True)
            else:
                yield from self._role(number, caller, tuple(rest), next_place)


def _led_to(scope: Scope) -> tuple[tuple[Resource, tuple[str, ...]], ...]:
    """The resources that ways lead to, with what names them."""
    further = _ways().further
    found: list[tuple[Resource, tuple[str, ...]]] = []
    for resource in scope.resources.values():
        if resource.type in further or resource.type == _APPLICATION:
            texts = _arn_of(scope, resource), scope.attribute(resource.logical_id, "Ref", 0)
            found.append((resource, tuple(text for text in texts if isinstance(text, str) and text)))
    return tuple(found)


class _Begun(Frozen, frozen=True):
    """A way that begins at a resource.

    Args:
        requirement: The requirement that knows it.
        consumer: The way.
        named: What the resource names.
    """

    requirement: ServiceRequirement
    consumer: Consumer
    named: tuple[Named, ...]


def _begun(scope: Scope) -> tuple[tuple[Resource, tuple[_Begun, ...]], ...]:
    """The resources that ways begin at, with those ways."""
    by_type = _ways().by_type
    found: list[tuple[Resource, tuple[_Begun, ...]]] = []
    for resource in scope.resources.values():
        ways = by_type.get(resource.type)
        if ways is None:
            continue
        properties = scope.properties(resource.logical_id)
        if is_unknown(properties):
            continue
        begun: list[_Begun] = []
        for requirement, consumer, begins in ways:
            # Most ways begin at a property that is not there.
            if not begins.isdisjoint(properties):
                named = tuple(named_by(consumer.steps[0], properties))
                if len(consumer.steps) == 1:
                    named = tuple(one for one in named if _MANAGED in one.text or may_name(one.text))
                if named:
                    begun.append(_Begun(requirement, consumer, named))
        if begun:
            found.append((resource, tuple(begun)))
    return tuple(found)


def _named(scope: Scope, logical_id: str, number: int, step: Step) -> tuple[Named, ...]:
    """What the properties of a resource name by a step; the number stands for the step."""
    properties = scope.properties(logical_id)
    return () if is_unknown(properties) else tuple(named_by(step, properties))


def _made_out_of_sight(scope: Scope, resource: Resource) -> str:
    """A role that another application makes: of a name that no policy written before it can hold."""
    name = hole(HoleKind.GENERATED, f"{scope.label}.{resource.logical_id}.Role")
    return f"arn:{scope.partition}:iam::{scope.account}:role/{name}"


def _role_arn(scope: Scope, text: str) -> str | Unknown:
    """The ARN of a role that a property names by its ARN or by its name."""
    if text.startswith("arn:"):
        return text
    if has_hole(text) and any(kind is HoleKind.UNRESOLVED for kind, _ in holes(text)):
        return Unknown("the role is decided at deployment")
    return f"arn:{scope.partition}:iam::{scope.account}:role/{text}"


def _arn_of(scope: Scope, resource: Resource) -> str:
    """The ARN of a resource as far as its template decides it; empty when nothing of it is known."""
    if resource.type in _NAMED_SOURCES:
        return _named_source(scope, resource)
    found = scope.attribute(resource.logical_id, _ARN_ATTRIBUTES.get(resource.type, "Arn"), 0)
    if not isinstance(found, str) or not found.startswith("arn:"):
        return ""
    return found.removesuffix(":*") if resource.type == "AWS::Logs::LogGroup" else found


def _named_source(scope: Scope, resource: Resource) -> str:
    """The ARN that the properties of a resource make; empty when one of them is not there."""
    properties = scope.properties(resource.logical_id)
    head, *parts = _NAMED_SOURCES[resource.type].split("{")
    for part in parts:
        path, _, literal = part.partition("}")
        name: str | None = {"region": scope.region, "account": scope.account}.get(path)
        if name is None and not is_unknown(properties):
            name = text_at(properties, path)
        if name is None:
            return ""
        head += name + literal
    return f"arn:{scope.partition}:{head}"


def _mentioned(scope: Scope, resource: Resource) -> Iterator[str]:
    """ARNs that stand as properties of a resource: a subscription acts for its topic."""
    properties = scope.properties(resource.logical_id)
    if not is_unknown(properties):
        yield from (
            value for value in properties.values() if isinstance(value, str) and value.startswith("arn:")
        )


def _bare(text: str) -> str:
    """An ARN of a bucket without the prefix of keys in it, a function's without its version."""
    return text.partition("/")[0] if text.startswith("arn:") and ":s3:::" in text else text


def _form(text: str) -> KeyForm:
    if "alias/" in text:
        return KeyForm.ALIAS
    return KeyForm.ARN if ":key/" in text else KeyForm.ID
