"""The IAM policies of an estate, looked up by the key that they reach.

An application has about as many IAM policies as keys, and nearly all of them name their keys. Asking every
policy about every key would take quadratic time; this asks each policy once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kms_constructs.analysis.identity import IdentityGrant, identity_grants, may_reach
from kms_constructs.analysis.principals import principal_cells
from kms_constructs.analysis.statements import statement_actions
from kms_constructs.model.arn import canonical
from kms_constructs.model.estate import IdentityPolicy, Key
from kms_constructs.model.globs import has_wildcard, is_literal, may_be_generated
from kms_constructs.model.policy import Effect
from kms_constructs.model.text import HoleKind, has_hole, has_unresolved_hole, holes
from kms_constructs.model.unknown import is_unknown


class IdentityIndex:
    """What the IAM policies of an estate allow of some actions.

    Args:
        policies: The IAM policies.
        actions: Names of the actions, without prefix.
    """

    def __init__(self, policies: Iterable[IdentityPolicy], actions: Iterable[str]) -> None:
        wanted = tuple(actions)
        self._policies = tuple(policies)
        numbered = tuple(
            (number, grant)
            for number, policy in enumerate(self._policies)
            if (spoken_of := _spoken_of(policy, wanted))
            for grant in identity_grants(policy, spoken_of)
        )
        self.grants: tuple[IdentityGrant, ...] = tuple(grant for _, grant in numbered)
        self._policy_of = tuple(number for number, _ in numbered)
        # Grants by their place in `grants`: by the resource that they name, by a literal one that a key of
        # which the id is not known yet may turn out to be, and by a pattern.
        self._named: dict[str, set[int]] = {}
        self._by_id: set[int] = set()
        self._open: set[int] = set()
        for place, grant in enumerate(self.grants):
            for resource in grant.resources:
                if is_open(resource):
                    self._open.add(place)
                else:
                    self._named.setdefault(resource, set()).add(place)
                    if not _is_generated(resource):
                        self._by_id.add(place)
        self._held_by: dict[str, dict[int, list[IdentityGrant]]] = {}
        self._held_by_anyone: dict[int, list[IdentityGrant]] = {}
        seen: set[tuple[int, int | None, tuple[str, ...]]] = set()
        for number, grant in numbered:
            statement = grant.statement.index if grant.statement is not None else None
            reach = (number, statement, grant.resources)
            if reach in seen:
                continue  # another action on the same resources
            seen.add(reach)
            holders = _holders(grant.policy)
            if holders is None:
                self._held_by_anyone.setdefault(number, []).append(grant)
            else:
                for holder in holders:
                    self._held_by.setdefault(holder, {}).setdefault(number, []).append(grant)

    def reaching(self, key: Key) -> Iterator[IdentityGrant]:
        """What reaches a key, or may."""
        for place in self._reaching(key):
            yield self.grants[place]

    def _reaching(self, key: Key) -> Iterator[int]:
        named = self._named.get(key.arn_pattern, set())
        others = self._open | self._by_id if has_hole(key.arn_pattern) else self._open
        for place in (*sorted(named), *sorted(others - named)):
            if place in named or may_reach(self.grants[place], key):
                yield place

    def policies_of(self, key: Key) -> tuple[IdentityPolicy, ...]:
        """The policies that reach a key and hang at principals whom its key policy or a grant names."""
        if not self._policies:
            return ()
        users = _named_by(key)
        if users is None:
            found = dict.fromkeys(self._policy_of[place] for place in self._reaching(key))
            return tuple(self._policies[number] for number in found)
        candidates = dict(self._held_by_anyone)
        for user in users:
            candidates.update(self._held_by.get(user, {}))
        return tuple(
            grants[0].policy
            for grants in candidates.values()
            if any(may_reach(grant, key) for grant in grants)
        )


def _spoken_of(policy: IdentityPolicy, actions: tuple[str, ...]) -> tuple[str, ...]:
    """The actions that the policy may allow; most policies speak of none of them."""
    if is_unknown(policy.policy.unknown):
        return actions
    names: frozenset[str] = frozenset().union(
        *(
            statement_actions(statement.actions, statement.not_actions, certainly=False)
            for statement in policy.policy.statements
            if statement.effect is not Effect.DENY
        )
    )
    return tuple(action for action in actions if action in names)


def _named_by(key: Key) -> frozenset[str] | None:
    """The principals that a key policy and its grants name one by one; None when some stand for many.

    A principal that delegates to its account names nobody.
    """
    found: set[str] = set()
    for statement in key.policy.statements:
        if statement.effect is Effect.DENY:
            continue
        if statement.principals is None or is_unknown(statement.principals):
            return None
        for principal in statement.principals:
            cells = principal_cells(principal)
            if principal.type == "Service" or (cells.delegated and cells.unresolved is None):
                continue
            if cells.unresolved is not None or len(cells.cells) != 1 or cells.cells[0].literal is None:
                return None
            if may_be_generated(cells.cells[0].literal):
                return None  # it may be the name of a role that a template makes
            found.add(canonical(cells.cells[0].literal))
    for grant in key.grants:
        if (
            is_unknown(grant.grantee)
            or not is_literal(canonical(grant.grantee))
            or may_be_generated(grant.grantee)
        ):
            return None
        found.add(canonical(grant.grantee))
    return frozenset(found)


def _holders(policy: IdentityPolicy) -> tuple[str, ...] | None:
    """Whom a policy is attached to; None when that is not known exactly."""
    if is_unknown(policy.attached_to):
        return None
    found = tuple(canonical(arn) for arn in policy.attached_to)
    return found if all(is_literal(arn) for arn in found) else None


def is_open(resource: str) -> bool:
    """Whether a resource pattern may mean keys other than the one that it names."""
    return has_wildcard(resource) or has_unresolved_hole(resource)


def _is_generated(resource: str) -> bool:
    """Whether a resource is named by an id that deployment generates: that of one key of the estate."""
    return any(kind is HoleKind.GENERATED for kind, _ in holes(resource))
