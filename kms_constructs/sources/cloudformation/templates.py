"""CloudFormation templates, taken together, as one estate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from msgspec.structs import replace

from kms_constructs.model.estate import Estate, IdentityPolicy, Key, Trail
from kms_constructs.model.home import home_account
from kms_constructs.model.text import HoleKind, display, hole
from kms_constructs.model.worlds import Assignment, World
from kms_constructs.sources.cloudformation.dangling import dangling
from kms_constructs.sources.cloudformation.identities import Identities
from kms_constructs.sources.cloudformation.keys import Keys, aliases_of, keys_of
from kms_constructs.sources.cloudformation.layout import Layout
from kms_constructs.sources.cloudformation.own_policies import (
    attachments_of,
    memberships_of,
    policies_of,
    principals_of,
)
from kms_constructs.sources.cloudformation.references import pointing
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.trails import trails_of
from kms_constructs.sources.cloudformation.uses import uses_of
from kms_constructs.sources.cloudformation.values import ACCOUNT, Values
from kms_constructs.sources.cloudformation.world import Stock
from kms_constructs.sources.cloudformation.world import World as Stacks
from kms_constructs.sources.cloudformation.worlds import Choices, choices_of

UNKNOWN_ACCOUNT: Final = hole(HoleKind.ENVIRONMENT, ACCOUNT)
"""What stands for the account of stacks of which nobody said it."""
_Thing = TypeVar("_Thing", Key, IdentityPolicy, Trail)


def estate_from_templates(
    templates: Iterable[TemplateInput],
    *,
    parameters: Mapping[str, str] | None = None,
    ignore_defaults: bool = False,
) -> Estate:
    """Everything that the templates declare about KMS keys and who may use them, resolved together.

    What one template exports another imports; nested stacks get their parameters from their parents. What
    cannot be resolved is unknown and never absent. Never raises for what a template holds. A nested stack is
    looked into when its template is among those given. Stacks of unknown accounts count as one account: the
    one that a key policy gives away, see `home_account`.

    Where parameters, conditions or mappings decide what a key, an alias, an IAM policy or a trail is, the
    estate has a world for each choice that can be deployed, and is itself the first of them. A parameter that
    decides nothing has its default.

    Args:
        templates: The templates of one app or deployment.
        parameters: Values of template parameters by name: they leave no choice.
        ignore_defaults: Whether a parameter that is not among them has no value, whatever its default.

    Example:
        >>> template = {"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {}}}}
        >>> estate = estate_from_templates([TemplateInput(template, "app.json")])
        >>> [key.id for key in estate.keys]
        ['app.Key']
    """
    inputs, given = tuple(templates), parameters or {}
    base = Values(given, ignore_defaults=ignore_defaults)
    layout = Layout(inputs)
    stock = Stock(layout)
    first = stock.with_(base)
    choices = choices_of(first.stacks, given)
    if choices is None:
        return _in_its_account(inputs, stock, first)
    return _merged(_made(inputs, layout, choices.worlds(base)), choices)


def _made(
    inputs: tuple[TemplateInput, ...], layout: Layout, worlds: Iterable[tuple[Values, Assignment]]
) -> list[tuple[Estate, Assignment]]:
    """The estates of all worlds."""
    wanted = tuple(worlds)
    stock = Stock(layout)
    made = [
        (_in_its_account(inputs, stock, stock.with_(values)), assignment) for values, assignment in wanted
    ]
    if not stock.course.is_deep:
        return made
    # Where something is cut off hangs on who asked first.
    made = []
    for values, assignment in wanted:
        stock = Stock(layout)
        made.append((_in_its_account(inputs, stock, stock.with_(values)), assignment))
    return made


def _merged(made: Sequence[tuple[Estate, Assignment]], choices: Choices) -> Estate:
    """The estate of the first world, with every world that differs from the others."""
    pool = _Pool()
    found: list[tuple[Estate, list[Assignment]]] = []
    for estate, assignment in made:
        shared = pool.shared(estate)
        same = next((assignments for known, assignments in found if _is_same(known, shared)), None)
        if same is None:
            found.append((shared, [assignment]))
        else:
            same.append(assignment)
    worlds = tuple(World(estate, tuple(assignments)) for estate, assignments in found)
    return replace(
        worlds[0].estate,
        problems=tuple(dict.fromkeys(problem for world in worlds for problem in world.estate.problems)),
        worlds=worlds if len(worlds) > 1 else (),
        notes=tuple(
            dict.fromkeys((*choices.notes, *(note for world in worlds for note in world.estate.notes)))
        ),
    )


class _Pool:
    """Gives what is equal in two worlds as one object, so that what is known of it serves both."""

    def __init__(self) -> None:
        self._known: dict[tuple[type, str], list[Key | IdentityPolicy | Trail]] = {}

    def shared(self, estate: Estate) -> Estate:
        """The estate, made of objects of the worlds before it where they are equal."""
        return replace(
            estate,
            keys=tuple(map(self._one, estate.keys)),
            identity_policies=tuple(map(self._one, estate.identity_policies)),
            trails=tuple(map(self._one, estate.trails)),
        )

    def _one(self, thing: _Thing) -> _Thing:
        known = self._known.setdefault((type(thing), thing.id), [])
        for other in known:
            if isinstance(other, type(thing)) and other == thing:
                return other
        known.append(thing)
        return thing


def _is_same(one: Estate, other: Estate) -> bool:
    """Whether two estates of one pool are equal."""

    def parts(estate: Estate) -> list[int]:
        return [id(part) for part in (*estate.keys, *estate.identity_policies, *estate.trails)]

    return (
        parts(one) == parts(other)
        and one.problems == other.problems
        and one.unattached_aliases == other.unattached_aliases
        and one.uses == other.uses
    )


def _in_its_account(inputs: tuple[TemplateInput, ...], stock: Stock, stacks: Stacks) -> Estate:
    """The estate of the stacks; when nobody said their account, in the one that a key policy gives away."""
    estate = _estate(inputs, stacks)
    home = _home_of(estate.keys)
    if home is None:
        return estate
    values = stacks.values
    at_home = stock.with_(replace(values, chosen={**values.chosen, ACCOUNT: home}))
    return _estate(inputs, at_home)


def _home_of(keys: Sequence[Key]) -> str | None:
    """The account of the keys whose account is not given: all of them lie in one."""
    homes = {
        home_account(key.policy)
        for key in keys
        if key.account == UNKNOWN_ACCOUNT and key.bypass_lockout_check is False and not key.conditional
    }
    homes.discard(None)
    return homes.pop() if len(homes) == 1 else None


def _estate(inputs: tuple[TemplateInput, ...], world: Stacks) -> Estate:
    problems = world.problems
    keys = Keys(problems)
    for _, own_keys in world.each(keys_of):
        keys.add(own_keys)
    for scope, aliases in world.each(aliases_of):
        keys.add_aliases(scope, aliases)
    identities = Identities()
    for _, principals in world.each(principals_of):
        identities.add_principals(principals)
    for scope, memberships in world.each(memberships_of):
        identities.add_members(scope, memberships)
    for scope, policies in world.each(policies_of):
        identities.add(scope, policies)
    for scope, attachments in world.each(attachments_of):
        identities.attach(scope, attachments)
    # Before what the rest of the templates takes from defaults, which decides nothing of who may do what.
    notes = tuple(
        note
        for scope in world.scopes
        if (taken := world.defaults_taken(scope))
        for note in _notes(scope.input.source, taken)
    )
    for scope, found in world.each(pointing):
        for text, reference in found:
            keys.point(scope, text, reference)
    uses = uses_of(world, keys.named, any_key=bool(keys))
    trails: list[Trail] = []
    for _, own_trails in world.each(trails_of):
        for trail, wrong in own_trails:
            trails.append(trail)
            problems += wrong
    for scope in world.scopes:  # after everything has been resolved
        if world.sought(scope) and (missing := scope.missing):
            problems += scope.kept(dangling, missing)
    return Estate(
        keys=keys.finish(),
        identity_policies=tuple(identities.finish()),
        trails=tuple(trails),
        problems=tuple(dict.fromkeys(problems)),
        sources=tuple(dict.fromkeys(item.source for item in inputs)),
        unattached_aliases=tuple(keys.unattached),
        notes=notes,
        uses=uses,
    )


def _notes(source: str, taken: Mapping[str, str]) -> Iterator[str]:
    for name, value in taken.items():
        yield (
            f"{source}: {display(value)!r} is taken from the default of parameter {name}; "
            f"give its value with --parameter, or leave it open with --ignore-defaults"
        )
