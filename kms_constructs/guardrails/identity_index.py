"""The IAM policies of an estate, looked up by the key that they reach.

An application has about as many IAM policies as keys, and nearly all of them name their keys. Asking every
policy about every key would take quadratic time; this asks each policy once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kms_constructs.analysis.globs import has_wildcard
from kms_constructs.analysis.identity import IdentityGrant, identity_grants, reaches
from kms_constructs.model.estate import IdentityPolicy, Key
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
            grant for policy in policies for grant in identity_grants(policy, wanted)
        )
        self._named: dict[str, dict[int, IdentityGrant]] = {}
        self._open: dict[int, IdentityGrant] = {}
        for grant in self.grants:
            for resource in grant.resources:
                if is_open(resource):
                    self._open[id(grant)] = grant
                else:
                    self._named.setdefault(resource, {})[id(grant)] = grant

    def reaching(self, key: Key) -> Iterator[IdentityGrant]:
        """What reaches a key, or may."""
        named = self._named.get(key.arn_pattern, {})
        yield from named.values()
        for identity, grant in self._open.items():
            if identity in named:
                continue
            covered = reaches(grant, key)
            if is_unknown(covered) or covered:
                yield grant

    def policies_reaching(self, key: Key) -> tuple[IdentityPolicy, ...]:
        """The policies behind `reaching`, each once."""
        return tuple({id(grant.policy): grant.policy for grant in self.reaching(key)}.values())


def is_open(resource: str) -> bool:
    """Whether a resource pattern may mean keys other than the one that it names."""
    return has_wildcard(resource) or has_unresolved_hole(resource)
