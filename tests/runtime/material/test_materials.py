"""Rotation of imported material: new material everywhere, then the rotation, again after a break."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from kms_constructs.errors import KmsCallError, MaterialError
from kms_constructs.runtime.material.calls import Clients
from kms_constructs.runtime.material.expiry import Wish
from kms_constructs.runtime.material.importing import import_material, keys_for, plan
from kms_constructs.runtime.material.materials import (
    PAUSE_SECONDS,
    Material,
    kind_of_rotation,
    materials_of,
    rotate,
)
from kms_constructs.runtime.material.secret import Secret
from kms_constructs.runtime.material.wrapping import WrappingKeySpec
from tests.runtime.material.fake_kms import FakeKms, stub_client
from tests.runtime.material.samples import key_arn

OLD, NEW = b"\x00old" * 8, b"\x00new" * 8
NOW = datetime.now(UTC)


def no_sleep(_seconds: float) -> None:
    pass


def rotation(kms: FakeKms, name: str, data: bytes) -> Material | None:
    clients = kms.clients()
    keys = keys_for(clients, name, all_replicas=True)
    kind = kind_of_rotation(keys[0], materials_of(clients, keys[0]))
    steps = plan(clients, keys, Wish(valid_for=30), kind, NOW)
    import_material(clients, steps, Secret(bytearray(data)), kind, wrapping_key=WrappingKeySpec.RSA_2048)
    return rotate(clients, keys[0], sleep=no_sleep)


def test_a_key_is_rotated_to_new_material(kms: FakeKms) -> None:
    key = kms.add(had=[OLD], state="Enabled")
    done = rotation(kms, key.arn, NEW)
    assert key.had == [NEW, OLD]
    assert done is not None
    assert (done.id, done.state) == (key.id_of(NEW), "CURRENT")
    assert kms.sent("ImportKeyMaterial")[0]["ImportType"] == "NEW_KEY_MATERIAL"


def test_the_replicas_get_it_before_the_rotation(kms: FakeKms) -> None:
    keys = kms.add_multi_region("eu-west-1", "us-east-1", "eu-north-1")
    for key in keys:
        key.had, key.state = [OLD], "Enabled"
    rotation(kms, keys[1].arn, NEW)
    assert [key.had for key in keys] == [[NEW, OLD]] * 3
    assert [request["ImportType"] for request in kms.sent("ImportKeyMaterial")] == [
        "NEW_KEY_MATERIAL",
        "EXISTING_KEY_MATERIAL",
        "EXISTING_KEY_MATERIAL",
    ]
    assert kms.operations().count("RotateKeyOnDemand") == 1


@pytest.mark.parametrize("fault", ["AccessDeniedException", "unreachable"])
def test_a_rotation_that_broke_off_is_taken_up_again(kms: FakeKms, fault: str) -> None:
    keys = kms.add_multi_region("eu-west-1", "us-east-1")
    for key in keys:
        key.had, key.state = [OLD], "Enabled"
    kms.faults = [("RotateKeyOnDemand", fault)] * 6
    with pytest.raises(KmsCallError):
        rotation(kms, keys[0].arn, NEW)
    assert [key.waits for key in keys] == [NEW, NEW]
    kms.faults = []

    with pytest.raises(KmsCallError, match="KMS refuses the material"):
        rotation(kms, keys[0].arn, b"\x00third" * 5 + b"xx")
    rotation(kms, keys[0].arn, NEW)

    assert [key.had for key in keys] == [[NEW, OLD]] * 2
    assert kms.sent("ImportKeyMaterial")[-2]["KeyMaterialId"] == keys[0].id_of(NEW)


def test_an_answer_that_is_lost_after_the_import_is_made_good_by_running_it_again(kms: FakeKms) -> None:
    key = kms.add(had=[OLD], state="Enabled")
    kms.faults = [("ImportKeyMaterial", "lost")]
    # The client tries again by itself, and KMS has the material already.
    with pytest.raises(
        KmsCallError, match=r"new where the same was said.*run kms-constructs material rotate again"
    ):
        rotation(kms, key.arn, NEW)
    assert (key.had, key.waits) == ([OLD], NEW)
    rotation(kms, key.arn, NEW)
    assert key.had == [NEW, OLD]


def test_one_that_broke_off_between_the_regions_is_completed(kms: FakeKms) -> None:
    primary, replica = kms.add_multi_region("eu-west-1", "us-east-1")
    for key in (primary, replica):
        key.had, key.state = [OLD], "Enabled"
    primary.waits = NEW
    clients = kms.clients()
    with pytest.raises(MaterialError, match="is not in every replica yet"):
        rotate(clients, keys_for(clients, primary.arn, all_replicas=False)[0], sleep=no_sleep)
    rotation(kms, primary.arn, NEW)
    assert replica.had == [NEW, OLD]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"spec": "HMAC_256"}, "a HMAC_256 key keeps its material for good.*make a new key"),
        ({"had": []}, "it has no material yet.*material import"),
        ({"missing": {OLD}}, "material that it has had is not there.*--material-id"),
        ({"primary": key_arn("us-east-1")}, "it is a replica.*rotate arn:aws:kms:us-east-1"),
    ],
)
def test_what_cannot_be_rotated_is_refused(kms: FakeKms, changed: dict[str, Any], problem: str) -> None:
    key = kms.add(had=[OLD], state="Enabled")
    vars(key).update(changed)
    clients = kms.clients()
    (found,) = keys_for(clients, key.arn, all_replicas=False)
    materials = () if key.spec != "SYMMETRIC_DEFAULT" else materials_of(clients, found)
    with pytest.raises(MaterialError, match=problem):
        kind_of_rotation(found, materials)


def test_without_material_that_waits_there_is_no_rotation(kms: FakeKms) -> None:
    key = kms.add(had=[OLD], state="Enabled")
    clients = kms.clients()
    (found,) = keys_for(clients, key.arn, all_replicas=False)
    with pytest.raises(MaterialError, match="no material waits for a rotation"):
        rotate(clients, found, sleep=no_sleep)
    assert "RotateKeyOnDemand" not in kms.operations()


# By the answers that KMS documents: states, times and pages.

ENTRY = {"KeyId": key_arn(), "KeyMaterialId": "a" * 64, "ImportState": "IMPORTED"}
WAITING = {**ENTRY, "KeyMaterialId": "b" * 64, "KeyMaterialState": "PENDING_ROTATION"}
DESCRIBED = {
    "KeyMetadata": {
        "KeyId": "k",
        "Arn": key_arn(),
        "KeySpec": "SYMMETRIC_DEFAULT",
        "Origin": "EXTERNAL",
        "KeyState": "Enabled",
    }
}


def stubbed() -> tuple[Clients, Stubber]:
    client = stub_client()
    stub = Stubber(client)
    stub.add_response("describe_key", DESCRIBED, {"KeyId": key_arn()})
    stub.activate()
    return Clients(lambda _: client), stub


def list_rotations(stub: Stubber, *entries: dict[str, Any], **rest: Any) -> None:
    marker = rest.pop("asked", None)
    stub.add_response(
        "list_key_rotations",
        {"Rotations": list(entries), "Truncated": False, **rest},
        {
            "KeyId": key_arn(),
            "IncludeKeyMaterial": "ALL_KEY_MATERIAL",
            **({"Marker": marker} if marker else {}),
        },
    )


def test_every_page_of_materials_is_read() -> None:
    clients, stub = stubbed()
    expires = datetime(2027, 1, 31, tzinfo=UTC)
    rotated = datetime(2026, 6, 1, tzinfo=UTC)
    list_rotations(
        stub,
        {
            **ENTRY,
            "KeyMaterialState": "NON_CURRENT",
            "ExpirationModel": "KEY_MATERIAL_EXPIRES",
            "ValidTo": expires,
            "KeyMaterialDescription": "first",
        },
        Truncated=True,
        NextMarker="more",
    )
    list_rotations(
        stub,
        {
            **ENTRY,
            "KeyMaterialId": "c" * 64,
            "KeyMaterialState": "CURRENT",
            "RotationDate": rotated,
            "ImportState": "PENDING_IMPORT",
        },
        WAITING,
        asked="more",
    )
    (key,) = keys_for(clients, key_arn(), all_replicas=False)

    assert materials_of(clients, key) == (
        Material("a" * 64, "NON_CURRENT", True, expires, "first"),
        Material("c" * 64, "CURRENT", False, None, "", rotated),
        Material("b" * 64, "PENDING_ROTATION", True),
    )


def test_it_is_waited_for_the_end_of_the_rotation() -> None:
    clients, stub = stubbed()
    old = {**ENTRY, "KeyMaterialState": "CURRENT"}
    # Eventual consistency: the new material is not in the first list.
    list_rotations(stub, old)
    list_rotations(stub, old, WAITING)
    stub.add_response("rotate_key_on_demand", {"KeyId": key_arn()}, {"KeyId": key_arn()})
    list_rotations(stub, old, WAITING)
    list_rotations(
        stub, {**old, "KeyMaterialState": "NON_CURRENT"}, {**WAITING, "KeyMaterialState": "CURRENT"}
    )
    (key,) = keys_for(clients, key_arn(), all_replicas=False)
    pauses: list[float] = []

    done = rotate(clients, key, sleep=pauses.append)

    assert done == Material("b" * 64, "CURRENT", True)
    assert pauses == [PAUSE_SECONDS] * 2
    stub.assert_no_pending_responses()


def test_a_rotation_that_takes_long_is_not_waited_for_without_end() -> None:
    clients, stub = stubbed()
    list_rotations(stub, ENTRY, WAITING)
    stub.add_response("rotate_key_on_demand", {"KeyId": key_arn()}, {"KeyId": key_arn()})
    for _ in range(4):
        list_rotations(stub, ENTRY, WAITING)
    (key,) = keys_for(clients, key_arn(), all_replicas=False)
    assert rotate(clients, key, sleep=no_sleep, patience=3 * PAUSE_SECONDS) is None
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("ConflictException", "a rotation of this key is under way already"),
        ("LimitExceededException", "a limit of KMS is reached; a key is rotated on demand 25 times at most"),
        ("DisabledException", "KMS refuses it"),
        ("KMSInvalidStateException", "the state of the key does not allow this"),
        ("AccessDeniedException", "access is denied"),
    ],
)
def test_an_error_of_the_rotation_is_told(code: str, problem: str) -> None:
    clients, stub = stubbed()
    list_rotations(stub, ENTRY, WAITING)
    stub.add_client_error("rotate_key_on_demand", code, "no")
    (key,) = keys_for(clients, key_arn(), all_replicas=False)
    with pytest.raises(KmsCallError, match=f"RotateKeyOnDemand: {problem}"):
        rotate(clients, key, sleep=no_sleep)


def test_days_of_a_whole_key_are_those_of_its_first_material_to_expire() -> None:
    from kms_constructs.runtime.material.upkeep import status_of

    clients, stub = stubbed()
    list_rotations(
        stub,
        {**ENTRY, "KeyMaterialState": "CURRENT", "ValidTo": NOW + timedelta(days=90)},
        {**ENTRY, "KeyMaterialState": "NON_CURRENT", "ValidTo": NOW + timedelta(days=7, hours=1)},
    )
    (status,) = status_of(clients, keys_for(clients, key_arn(), all_replicas=False))
    assert status.days_left(NOW) == 7
