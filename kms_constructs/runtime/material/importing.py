"""Imports material: everything is checked first, for every Region, and only then is anything sent.

Each step may be done again. Importing the same material once more changes its expiry and nothing else, and
KMS takes no other material for a key than it has had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kms_constructs.errors import KmsCallError, MaterialError
from kms_constructs.runtime.material.calls import Clients, call
from kms_constructs.runtime.material.ceremony import ImportParameters, WrappedMaterial, wrapped_under
from kms_constructs.runtime.material.expiry import Wish, valid_to
from kms_constructs.runtime.material.keys import (
    ENABLED,
    PENDING_IMPORT,
    MaterialKey,
    find_key,
    intended_expiry,
    related,
)
from kms_constructs.runtime.material.secret import Secret
from kms_constructs.runtime.material.wrapping import (
    WrappingAlgorithm,
    WrappingKeySpec,
    algorithm_for,
)


@dataclass(frozen=True, slots=True)
class Step:
    """The import into one key, decided and checked.

    Args:
        key: The key.
        valid_to: When the material will expire; None for never.
    """

    key: MaterialKey
    valid_to: datetime | None

    @property
    def renews(self) -> bool:
        """Whether the key has material, so that the same is imported again."""
        return self.key.state == ENABLED


@dataclass(frozen=True, slots=True)
class Kind:
    """What is imported: material that the key has had, or a first one, or other material to rotate to.

    Args:
        new: Whether it is other material than the key has had.
        material_id: Which of the key's materials it is, when that is said.
        description: KMS's description of the material.
    """

    new: bool = False
    material_id: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """That material was imported into one key.

    Args:
        step: What was decided.
        material_id: KMS's id of the material; None for keys that can have only one.
    """

    step: Step
    material_id: str | None


def plan(
    clients: Clients, keys: Sequence[MaterialKey], wish: Wish, kind: Kind, now: datetime
) -> tuple[Step, ...]:
    """Decides and checks the imports, without changing anything.

    Args:
        clients: The clients of KMS.
        keys: The keys; of relatives the primary first.
        wish: What the caller says of the expiry.
        kind: What is imported.
        now: The present moment.

    Raises:
        MaterialError: One of the keys takes no material, or the expiry is refused.
    """
    for key in keys:
        key.check_importable()
        if (kind.material_id or kind.description or kind.new) and not key.spec.several:
            raise MaterialError(
                key.arn,
                f"a {key.spec.key_spec} key has one material, without id and description, for good",
                "leave --material-id and --description out; for other material, make a new key",
            )
    _check_primary(clients, keys)
    steps = []
    for key in keys:
        intended, unread = (None, "") if wish.said else intended_expiry(clients, key)
        steps.append(Step(key, valid_to(wish, intended, key.arn, now, unread=unread)))
    return tuple(steps)


def _check_primary(clients: Clients, keys: Sequence[MaterialKey]) -> None:
    """A replica gets its material after the primary key, and the same."""
    given = {key.arn for key in keys}
    for key in keys:
        if key.is_replica and key.primary not in given:
            primary = find_key(clients, str(key.primary))
            if primary.state == PENDING_IMPORT:
                raise MaterialError(
                    key.arn,
                    f"it is a replica, and its primary key {primary.arn} has no material yet",
                    "import into the primary key first, or into all at once with --all-replicas",
                )


def keys_for(clients: Clients, name: str, *, all_replicas: bool) -> tuple[MaterialKey, ...]:
    """The key of a name, or with all its relatives the primary key first.

    Raises:
        MaterialError: There is no such key, or it takes no imported material.
    """
    key = find_key(clients, name)
    return related(clients, key) if all_replicas else (key,)


def parameters_for(
    clients: Clients,
    key: MaterialKey,
    algorithm: WrappingAlgorithm | None,
    wrapping_key: WrappingKeySpec = WrappingKeySpec.RSA_4096,
) -> ImportParameters:
    """Asks KMS for a public key and a token.

    Args:
        clients: The clients of KMS.
        key: The key that the material is for.
        algorithm: How it will be wrapped; None for what AWS documents for the key spec.
        wrapping_key: The longest by default.

    Raises:
        MaterialError: KMS refuses the material under this algorithm, or the call.
    """
    chosen = algorithm_for(key.spec, algorithm, wrapping_key)
    answer = call(
        clients.of(key.region),
        "get_parameters_for_import",
        key.arn,
        KeyId=key.arn,
        WrappingAlgorithm=chosen.value,
        WrappingKeySpec=wrapping_key.value,
    )
    return ImportParameters(
        key=key.arn,
        key_spec=key.spec.key_spec,
        algorithm=chosen,
        wrapping_key=wrapping_key,
        public_key=bytes(answer["PublicKey"]),
        token=bytes(answer["ImportToken"]),
        valid_to=answer["ParametersValidTo"],
    )


def import_material(
    clients: Clients,
    steps: Sequence[Step],
    material: Secret,
    kind: Kind,
    *,
    algorithm: WrappingAlgorithm | None = None,
    wrapping_key: WrappingKeySpec = WrappingKeySpec.RSA_4096,
) -> tuple[Imported, ...]:
    """Wraps and imports material; for every key it is wrapped before the first is changed.

    Args:
        clients: The clients of KMS.
        steps: As `plan` decided them.
        material: As `kms_constructs.runtime.material.specs.checked` returned it.
        kind: What is imported.
        algorithm: How it is wrapped; None for what AWS documents for the key spec.
        wrapping_key: The public key that KMS is asked for.

    Raises:
        MaterialError: The algorithm does not fit, or KMS refused a call.
    """
    parameters = [parameters_for(clients, step.key, algorithm, wrapping_key) for step in steps]
    return send(clients, steps, [wrapped_under(one, material) for one in parameters], kind)


def send(
    clients: Clients, steps: Sequence[Step], wrapped: Sequence[WrappedMaterial], kind: Kind
) -> tuple[Imported, ...]:
    """Imports wrapped material, key by key, the primary of relatives first.

    Raises:
        KmsCallError: KMS refused one; the message tells which keys have the material and which do not.
    """
    by_key = {one.key: one for one in wrapped}
    done: list[Imported] = []
    for step in steps:
        # The id is of the material in the first key; KMS holds the others to that.
        exact = kind if step is steps[0] else replace(kind, material_id=None)
        try:
            answer = call(
                clients.of(step.key.region),
                "import_key_material",
                step.key.arn,
                **_request(step, by_key[step.key.arn], exact),
            )
        except KmsCallError as error:
            raise _with_progress(error, steps, done) from None
        done.append(Imported(step, answer.get("KeyMaterialId")))
    return tuple(done)


def _request(step: Step, wrapped: WrappedMaterial, kind: Kind) -> dict[str, Any]:
    request: dict[str, Any] = {
        "KeyId": step.key.arn,
        "ImportToken": wrapped.token,
        "EncryptedKeyMaterial": wrapped.material,
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }
    if step.valid_to is not None:
        request |= {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": step.valid_to}
    if not step.key.spec.several:
        return request
    # Without it KMS takes the first material as new and any later as existing; of a replica, it is the
    # primary's that exists already.
    if step.key.is_replica or kind.material_id:
        request["ImportType"] = "EXISTING_KEY_MATERIAL"
    elif kind.new:
        request["ImportType"] = "NEW_KEY_MATERIAL"
    if kind.material_id:
        request["KeyMaterialId"] = kind.material_id
    if kind.description:
        request["KeyMaterialDescription"] = kind.description
    return request


def _with_progress(error: KmsCallError, steps: Sequence[Step], done: Sequence[Imported]) -> KmsCallError:
    if len(steps) == 1:
        return error
    there = ", ".join(one.step.key.arn for one in done) or "none"
    missing = ", ".join(step.key.arn for step in steps[len(done) :])
    return KmsCallError(
        error.subject,
        f"{error.problem}. Keys that have the material: {there}; that have not: {missing}",
        f"{error.fix}; then import again, those that have it included",
        code=error.code,
    )
