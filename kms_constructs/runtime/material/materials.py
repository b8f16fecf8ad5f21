"""The materials that a symmetric key has, and the rotation from one to the next.

See: https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-on-demand.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kms_constructs.errors import MaterialError
from kms_constructs.runtime.material.calls import Clients, call
from kms_constructs.runtime.material.importing import Kind
from kms_constructs.runtime.material.keys import MaterialKey

CURRENT = "CURRENT"
PENDING_ROTATION = "PENDING_ROTATION"
PENDING_REPLICAS = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
_PENDING = frozenset({PENDING_ROTATION, PENDING_REPLICAS})

PAUSE_SECONDS = 2.0
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Material:
    """One material of a symmetric key, as KMS lists it.

    Args:
        id: KMS's ``KeyMaterialId``.
        state: ``CURRENT``, ``NON_CURRENT``, ``PENDING_ROTATION`` or
            ``PENDING_MULTI_REGION_IMPORT_AND_ROTATION``.
        imported: Whether KMS has it; an expired or deleted one has to be imported again.
        valid_to: When it expires; None for never, and for one that KMS does not have.
        description: What the importer wrote of it.
        rotated_on: When the key was rotated to it; None for the first, and for one to come.
    """

    id: str
    state: str
    imported: bool
    valid_to: datetime | None = None
    description: str = ""
    rotated_on: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether the key is to be rotated to it."""
        return self.state in _PENDING


def materials_of(clients: Clients, key: MaterialKey) -> tuple[Material, ...]:
    """Every material of a symmetric key.

    Raises:
        KmsCallError: KMS refused the call.
    """
    request: dict[str, Any] = {"KeyId": key.arn, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}
    found: list[Material] = []
    while True:
        answer = call(clients.of(key.region), "list_key_rotations", key.arn, **request)
        found += map(_read, answer.get("Rotations", ()))
        if not answer.get("Truncated"):
            return tuple(found)
        request["Marker"] = answer["NextMarker"]


def _read(entry: Mapping[str, Any]) -> Material:
    return Material(
        id=str(entry.get("KeyMaterialId", "")),
        state=str(entry.get("KeyMaterialState", "")),
        imported=entry.get("ImportState") == "IMPORTED",
        valid_to=entry.get("ValidTo"),
        description=str(entry.get("KeyMaterialDescription", "")),
        rotated_on=entry.get("RotationDate"),
    )


def waiting(materials: Sequence[Material]) -> Material | None:
    """The material that waits to be rotated to; KMS lets one wait at most."""
    return next((one for one in materials if one.waits), None)


def check_rotatable(key: MaterialKey, materials: Sequence[Material]) -> None:
    """Refuses a key that cannot be rotated, with what to do instead.

    Raises:
        MaterialError: It is a replica, or of another spec, or lacks one of its materials.
    """
    if not key.spec.several:
        raise MaterialError(
            key.arn,
            f"a {key.spec.key_spec} key keeps its material for good",
            "make a new key, and move its alias there",
        )
    if key.is_replica:
        raise MaterialError(
            key.arn, "it is a replica, which rotates with its primary key", f"rotate {key.primary}"
        )
    if not materials:
        raise MaterialError(
            key.arn, "it has no material yet", "import one first with kms-constructs material import"
        )
    lacking = [one.id for one in materials if not one.imported and not one.waits]
    if lacking:
        raise MaterialError(
            key.arn,
            f"material that it has had is not there: {', '.join(lacking)}",
            "import that again first, with kms-constructs material import --material-id",
        )


def kind_of_rotation(key: MaterialKey, materials: Sequence[Material]) -> Kind:
    """What is imported for a rotation: new material, or once more that which waits already.

    A rotation that broke off after the import is so taken up again: KMS refuses anything else than the very
    material that waits.

    Raises:
        MaterialError: The key cannot be rotated.
    """
    check_rotatable(key, materials)
    already = waiting(materials)
    return Kind(new=True) if already is None else Kind(material_id=already.id)


def rotate(
    clients: Clients,
    key: MaterialKey,
    *,
    sleep: Callable[[float], None] = time.sleep,
    patience: float = PATIENCE_SECONDS,
) -> Material | None:
    """Rotates a key to the material that waits for it.

    Args:
        clients: The clients of KMS.
        key: The key; of relatives the primary.
        sleep: Waits between two looks.
        patience: Seconds to wait for KMS at most, before the rotation and after it was ordered.

    Returns:
        The material that is current now; None when KMS has not finished yet.

    Raises:
        MaterialError: No material waits, or it is not in every Region yet.
        KmsCallError: KMS refused a call.
    """

    def seen(until: Callable[[Sequence[Material]], bool]) -> tuple[Material, ...]:
        looked = materials_of(clients, key)
        for _ in range(int(patience / PAUSE_SECONDS)):
            if until(looked):
                break
            sleep(PAUSE_SECONDS)
            looked = materials_of(clients, key)
        return looked

    next_one = waiting(
        seen(lambda found: (one := waiting(found)) is not None and one.state == PENDING_ROTATION)
    )
    if next_one is None:
        raise MaterialError(
            key.arn,
            "no material waits for a rotation",
            "give new material with --from-file, --from-command or --generate",
        )
    if next_one.state == PENDING_REPLICAS:
        raise MaterialError(
            key.arn,
            f"the material {next_one.id} is not in every replica yet",
            "run kms-constructs material rotate with the same material again, which imports it there",
        )
    call(clients.of(key.region), "rotate_key_on_demand", key.arn, KeyId=key.arn)

    def is_current(found: Sequence[Material]) -> bool:
        return any(one.id == next_one.id and one.state == CURRENT for one in found)

    after = seen(is_current)
    return next((one for one in after if one.id == next_one.id), None) if is_current(after) else None
