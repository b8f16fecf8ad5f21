"""The IAM policies of an estate, looked up by the key that they reach.

An application has about as many IAM policies as keys, and nearly all of them name their keys. Asking every
policy about every key would take quadratic time; this asks each policy once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kms_constructs.analysis.identity import IdentityGrant, identity_grants, may_reach
from kms_constructs.analysis.principals import canonical_arn, principal_cells
from kms_constructs.analysis.reach import statement_actions
from kms_constructs.model.estate import IdentityPolicy, Key
from kms_constructs.model.globs import has_wildcard, is_literal
from kms_constructs.model.policy import Effect
from kms_constructs.model.text import has_unresolved_hole
from kms_constructs.model.unknown import is_unknown


class IdentityIndex:
    """What the IAM policies of an estate allow of some actions.

    Args:
        policies: The IAM policies.
        actions: Names of the actions, without prefix.
    """

    def __init__(self, policies: Iterable[IdentityPolicy], actions: Iterable[str]) -> None:
        wanted = tuple(actions)
        self.grants: tuple[IdentityGrant, ...] = tuple(
            grant
            for policy in policies
            if (spoken_of := _spoken_of(policy, wanted))
            for grant in identity_grants(policy, spoken_of)
        )
        self._named: dict[str, dict[int, IdentityGrant]] = {}
        self._open: dict[int, IdentityGrant] = {}
        for grant in self.grants:
            for resource in grant.resources:
                if is_open(resource):
                    self._open[id(grant)] = grant
                else:
                    self._named.setdefault(resource, {})[id(grant)] = grant
        self._held_by: dict[str, dict[int, list[IdentityGrant]]] = {}
        self._held_by_anyone: dict[int, list[IdentityGrant]] = {}
        seen: set[tuple[int, int, tuple[str, ...]]] = set()
        for grant in self.grants:
            reach = (id(grant.policy), id(grant.statement), grant.resources)
            if reach in seen:
                continue  # another action on the same resources
            seen.add(reach)
            holders = _holders(grant.policy)
            if holders is None:
                self._held_by_anyone.setdefault(id(grant.policy), []).append(grant)
            else:
                for holder in holders:
                    self._held_by.setdefault(holder, {}).setdefault(id(grant.policy), []).append(grant)

    def reaching(self, key: Key) -> Iterator[IdentityGrant]:
        """What reaches a key, or may."""
        named = self._named.get(key.arn_pattern, {})
        yield from named.values()
        for identity, grant in self._open.items():
            if identity not in named and may_reach(grant, key):
                yield grant

    def policies_of(self, key: Key) -> tuple[IdentityPolicy, ...]:
        """The policies that reach a key and hang at principals whom its key policy or a grant names."""
        users = _named_by(key)
        if users is None:
            found = {id(grant.policy): grant for grant in self.reaching(key)}
            return tuple(grant.policy for grant in found.values())
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
            found.add(cells.cells[0].literal)
    for grant in key.grants:
        if is_unknown(grant.grantee) or not is_literal(grant.grantee):
            return None
        found.add(canonical_arn(grant.grantee))
    return frozenset(found)


def _holders(policy: IdentityPolicy) -> tuple[str, ...] | None:
    """Whom a policy is attached to; None when that is not known exactly."""
    if is_unknown(policy.attached_to):
        return None
    found = tuple(canonical_arn(arn) for arn in policy.attached_to)
    return found if all(is_literal(arn) for arn in found) else None


def is_open(resource: str) -> bool:
    """Whether a resource pattern may mean keys other than the one that it names."""
    return has_wildcard(resource) or has_unresolved_hole(resource)
