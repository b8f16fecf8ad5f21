"""What a key declares of itself: tags, environments, and metadata for the guardrails.

`SecureKmsKey` writes a declaration, sources read it, and rules judge by it: its one definition is here. Tags
are read in whatever spelling an organization writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache

from msgspec import field

from kms_constructs.model.estate import Grant
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.text import has_hole, undecided
from kms_constructs.model.unknown import Unknown, elements, is_unknown

METADATA_NAME = "kms-constructs"
"""The name under which a declaration stands in the metadata of a resource."""

DELEGATION_CONTROL = "IAM-KMS-8"
"""The control under which a key declares, by its account's root principal, that IAM policies give its use."""

PRODUCTION_ENVIRONMENTS = ("prd", "prod", "production", "live")
"""Environments that are production: their keys outlive their stacks."""

EPHEMERAL_ENVIRONMENTS = ("dev", "development", "sandbox", "test")
"""Environments whose keys may be deleted with their stack."""


class Tag(Enum):
    """A tag and its spellings, folded: in lower case, without dashes, underscores and spaces."""

    ENVIRONMENT = ("environment", "env")
    SERVICE = ("service",)
    OWNER = ("owner",)
    ALIAS = ("kms:alias",)
    DATA_CLASSIFICATION = ("dataclassification", "datacategory")
    POLICY_REVIEWED_ON = ("kms:policyreviewedon",)
    MATERIAL_EXPIRES = ("kms:materialexpires",)

    @property
    def written(self) -> str:
        """The tag key that SecureKmsKey writes."""
        return {
            Tag.ENVIRONMENT: "environment",
            Tag.SERVICE: "service",
            Tag.OWNER: "owner",
            Tag.ALIAS: "kms:alias",
            Tag.DATA_CLASSIFICATION: "data-classification",
            Tag.POLICY_REVIEWED_ON: "kms:policy-reviewed-on",
            Tag.MATERIAL_EXPIRES: "kms:material-expires",
        }[self]


_FOLD = str.maketrans("", "", "-_ ")


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    return name.lower().translate(_FOLD)


def tag_value(tags: Mapping[str, str | Unknown] | Unknown, tag: Tag) -> str | Unknown | None:
    """Value of a tag; None when it is absent, unknown when the tags or the value cannot be resolved.

    When several spellings are there, the first of `Tag` counts.
    """
    if is_unknown(tags):
        return tags
    if not tags:
        return None
    folded = {_folded(name): value for name, value in tags.items()}
    return next((folded[name] for name in tag.value if name in folded), None)


def is_environment(environment: str | None, names: Iterable[str]) -> bool:
    """Whether an environment is one of these, however it is spelt; none is not.

    Example:
        >>> is_environment("Live ", PRODUCTION_ENVIRONMENTS)
        True
    """
    return environment is not None and environment.strip().casefold() in {name.casefold() for name in names}


class Declaration(Frozen, frozen=True, kw_only=True):
    """What a key says of itself in its metadata, for the guardrails.

    Args:
        authorised: Control id to the ARNs of principals that the key authorises for it.
        direct_grants: Grants that people make themselves.
        material_expires: Last day, as ISO date, on which imported key material may be valid.
    """

    authorised: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    direct_grants: tuple[Grant, ...] = ()
    material_expires: str | Unknown | None = None

    def to_json(self) -> dict[str, object]:
        """The declaration as metadata; `from_json` reads it back.

        Example:
            >>> Declaration(authorised={"IAM-KMS-7": ()}).to_json()
            {'authorised': {'IAM-KMS-7': []}}
        """
        found: dict[str, object] = {
            "authorised": {control: list(names) for control, names in self.authorised.items()}
        }
        if self.direct_grants:
            found["directGrants"] = [_grant_to_json(grant) for grant in self.direct_grants]
        if self.material_expires is not None:
            found["materialExpires"] = self.material_expires
        return found

    @classmethod
    def from_json(cls, declared: object) -> Declaration:
        """Reads resolved metadata, whoever wrote it: what is not understood gives nobody anything.

        What cannot be resolved, or may be absent, authorises nobody; nor does a pattern, for a key names its
        principals: patterns are for the configuration, which is not the template's to write. A grant that is
        not understood is there, with what it gives unknown.
        """
        if not isinstance(declared, Mapping):
            return cls()
        by_control = declared.get("authorised")
        grants = declared.get("directGrants")
        expires = declared.get("materialExpires")
        if isinstance(expires, str) and has_hole(expires):
            expires = undecided(expires)
        if expires is not None and not isinstance(expires, str) and not is_unknown(expires):
            expires = Unknown("materialExpires is no date")
        return cls(
            authorised={str(control): _names(names) for control, names in by_control.items()}
            if isinstance(by_control, Mapping)
            else {},
            direct_grants=()
            if grants is None
            else tuple(_grant_from_json(entry) for entry, _ in elements(grants)),
            material_expires=expires,
        )


def _names(listed: object) -> tuple[str, ...]:
    """The principals of a list that are certainly there, without patterns."""
    return tuple(
        name
        for name, doubt in elements(listed)
        if isinstance(name, str) and not doubt and not {"*", "?"} & set(name)
    )


def _grant_to_json(grant: Grant) -> dict[str, object]:
    operations = grant.operations
    found: dict[str, object] = {
        "grantee": grant.grantee,
        "operations": operations if is_unknown(operations) else list(operations),
    }
    if grant.created_by is not None:
        found["createdBy"] = list(grant.created_by)
    if grant.constraints:
        found["constraints"] = {kind: dict(pairs) for kind, pairs in grant.constraints.items()}
    if grant.retiring is not None:
        found["retiring"] = grant.retiring
    if grant.name is not None:
        found["name"] = grant.name
    return found


def _grant_from_json(entry: object) -> Grant:
    if not isinstance(entry, Mapping):
        doubt = entry if is_unknown(entry) else Unknown("a declared grant is no object")
        return Grant(grantee=doubt, operations=doubt)
    grantee = entry.get("grantee")
    operations = entry.get("operations")
    retiring = entry.get("retiring")
    name = entry.get("name")
    creators = entry.get("createdBy")
    constraints: dict[str, Mapping[str, str]] = {}
    declared = entry.get("constraints")
    if isinstance(declared, Mapping):
        for kind, pairs in declared.items():
            if isinstance(pairs, Mapping) and all(isinstance(value, str) for value in pairs.values()):
                constraints[str(kind)] = {str(key): str(value) for key, value in pairs.items()}
    values = [] if operations is None else [value for value, _ in elements(operations)]
    names = tuple(value for value in values if isinstance(value, str))
    certain = bool(names) and len(names) == len(values)
    return Grant(
        grantee=grantee if isinstance(grantee, str) else Unknown("the grantee of a grant is no text"),
        operations=names if certain else Unknown("the operations of a declared grant are not known"),
        retiring=retiring if isinstance(retiring, str) else None,
        constraints=constraints,
        created_by=None if creators is None else _names(creators),
        name=name if isinstance(name, str) else None,
    )
