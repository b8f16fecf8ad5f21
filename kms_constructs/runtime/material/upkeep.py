"""What there is of imported material, Region by Region, and its deletion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kms_constructs.errors import KmsCallError, MaterialError
from kms_constructs.runtime.material.calls import Clients, call
from kms_constructs.runtime.material.keys import ENABLED, MaterialKey
from kms_constructs.runtime.material.materials import Material, materials_of

_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """The material of one key in one Region.

    Args:
        key: The key.
        materials: Its materials; none for keys that can have only one.
        unknown: Why the materials are not known; empty when they are.
    """

    key: MaterialKey
    materials: tuple[Material, ...] = ()
    unknown: str = ""

    @property
    def usable(self) -> bool:
        """Whether the key can be used now."""
        return self.key.state == ENABLED

    def days_left(self, now: datetime) -> int | None:
        """Whole days until the first of its materials expires; None when none does."""
        dates = [one.valid_to for one in self.materials if one.imported and one.valid_to]
        first = min([*dates, *([self.key.valid_to] if self.key.valid_to else [])], default=None)
        return None if first is None else math.floor((first - now).total_seconds() / _SECONDS_A_DAY)


def status_of(clients: Clients, keys: Sequence[MaterialKey]) -> tuple[KeyStatus, ...]:
    """What material each key has. What cannot be read is told as unknown, never left out.

    Raises:
        KmsCallError: KMS could not be reached.
    """
    return tuple(_status(clients, key) for key in keys)


def _status(clients: Clients, key: MaterialKey) -> KeyStatus:
    if not key.spec.several:
        return KeyStatus(key)
    try:
        return KeyStatus(key, materials_of(clients, key))
    except KmsCallError as error:
        if not error.code:
            raise
        return KeyStatus(key, unknown=error.problem)


def delete_material(clients: Clients, key: MaterialKey, material_id: str | None) -> str | None:
    """Deletes the material of a key: it cannot be used from then on, until the same is imported again.

    Args:
        clients: The clients of KMS.
        key: The key.
        material_id: Which material of a symmetric key; None for the current one.

    Returns:
        KMS's id of the deleted material; None for keys that can have only one.

    Raises:
        MaterialError: A key that can have only one material has no ids.
        KmsCallError: KMS refused it.
    """
    if material_id and not key.spec.several:
        raise MaterialError(
            key.arn, f"the material of a {key.spec.key_spec} key has no id", "leave --material-id out"
        )
    request = {"KeyId": key.arn} | ({"KeyMaterialId": material_id} if material_id else {})
    answer = call(clients.of(key.region), "delete_imported_key_material", key.arn, **request)
    found = answer.get("KeyMaterialId")
    return None if found is None else str(found)
