"""A live key that takes imported material: what it is, what it is waiting for, and what it intends."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kms_constructs.errors import KmsCallError, MaterialError
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.declaration import Tag, tag_value
from kms_constructs.model.key_specs import Origin
from kms_constructs.model.unknown import is_unknown
from kms_constructs.runtime.material.calls import Clients, call
from kms_constructs.runtime.material.specs import MaterialSpec, material_spec

PENDING_IMPORT = "PendingImport"
ENABLED = "Enabled"
_IMPORTABLE = frozenset({PENDING_IMPORT, ENABLED})
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialKey:
    """A key with imported material, as KMS describes it.

    Args:
        arn: Its ARN, with the Region that it lies in.
        region: That Region.
        spec: The material that it takes.
        state: KMS's ``KeyState``.
        valid_to: When the material expires; None when it does not, or there is none.
        expiration_model: KMS's ``ExpirationModel``; empty before the first import.
        primary: ARN of the primary key, for a multi-Region key.
        replicas: ARNs of the replica keys, of a multi-Region key.
    """

    arn: str
    region: str
    spec: MaterialSpec
    state: str
    valid_to: datetime | None
    expiration_model: str
    primary: str | None
    replicas: tuple[str, ...]

    @property
    def is_replica(self) -> bool:
        """Whether it is the replica of a key in another Region."""
        return self.primary is not None and self.primary != self.arn

    def check_importable(self) -> None:
        """Refuses a key whose state takes no material.

        Raises:
            MaterialError: It is disabled, or about to be deleted, or otherwise unable.
        """
        if self.state in _IMPORTABLE:
            return
        advice = {
            "Disabled": "enable the key first, and import then",
            "PendingDeletion": "cancel the deletion first, and enable the key",
            "PendingReplicaDeletion": "cancel the deletion first, and enable the key",
        }
        raise MaterialError(
            self.arn,
            f"its state is {self.state}, and material is imported in the states {PENDING_IMPORT} and "
            f"{ENABLED} only",
            advice.get(self.state, "wait until the key has another state"),
        )


def find_key(clients: Clients, name: str) -> MaterialKey:
    """The key of an id, an ARN, or the name or ARN of an alias.

    Raises:
        MaterialError: The name is none of a key, there is no such key, or nothing can be imported into it.
    """
    arn = parse_arn(name)
    if arn is not None and arn.service != "kms":
        raise MaterialError(name, "this is no ARN of a KMS key or alias", "give a key's ARN, id or alias")
    if arn is None and not _ID.fullmatch(name) and not name.startswith("alias/"):
        raise MaterialError(
            "KEY",
            "the name is neither the id nor the ARN of a key, nor of an alias",
            "write an alias as alias/NAME",
        )
    answer = call(clients.of(arn.region if arn else None), "describe_key", name, KeyId=name)
    return _read(answer["KeyMetadata"])


def related(clients: Clients, key: MaterialKey) -> tuple[MaterialKey, ...]:
    """A multi-Region key with its relatives, the primary first; the key alone when it has none."""
    arns = [key.primary, *key.replicas] if key.primary is not None else [key.arn]
    return tuple(key if arn == key.arn else find_key(clients, arn) for arn in arns if arn)


def intended_expiry(clients: Clients, key: MaterialKey) -> tuple[str | None, str]:
    """The day in the key's tag, and why it could not be read; None and nothing when there is no such tag.

    Raises:
        KmsCallError: Neither is known: KMS could not be reached.
    """
    tags: dict[str, str] = {}
    request: dict[str, Any] = {"KeyId": key.arn}
    while True:
        try:
            answer = call(clients.of(key.region), "list_resource_tags", key.arn, **request)
        except KmsCallError as error:
            if error.code != "AccessDeniedException":
                raise
            return None, "kms:ListResourceTags is denied"
        tags |= {tag["TagKey"]: tag["TagValue"] for tag in answer["Tags"]}
        if not answer.get("Truncated"):
            break
        request["Marker"] = answer["NextMarker"]
    found = tag_value(tags, Tag.MATERIAL_EXPIRES)
    return None if found is None or is_unknown(found) else found, ""


def _read(metadata: Mapping[str, Any]) -> MaterialKey:
    arn = str(metadata["Arn"])
    region = arn.split(":")[3]
    origin = metadata.get("Origin")
    if origin != Origin.EXTERNAL:
        raise MaterialError(
            arn,
            f"its origin is {origin}, and material is imported into keys of origin {Origin.EXTERNAL} only",
            "make a key with origin='EXTERNAL'",
        )
    regions = metadata.get("MultiRegionConfiguration") or {}
    replicas: Sequence[Mapping[str, str]] = regions.get("ReplicaKeys") or ()
    return MaterialKey(
        arn=arn,
        region=region,
        spec=material_spec(str(metadata["KeySpec"]), region),
        state=str(metadata["KeyState"]),
        valid_to=metadata.get("ValidTo"),
        expiration_model=str(metadata.get("ExpirationModel") or ""),
        primary=(regions.get("PrimaryKey") or {}).get("Arn"),
        replicas=tuple(replica["Arn"] for replica in replicas),
    )
