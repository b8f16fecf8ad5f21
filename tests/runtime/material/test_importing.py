"""Imports: what is sent, in which order, and that nothing is half done when something is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from kms_constructs.errors import KmsCallError, MaterialError
from kms_constructs.runtime.material.calls import ATTEMPTS, Clients
from kms_constructs.runtime.material.ceremony import wrapped_under
from kms_constructs.runtime.material.expiry import Wish
from kms_constructs.runtime.material.importing import (
    Imported,
    Kind,
    import_material,
    keys_for,
    parameters_for,
    plan,
    send,
)
from kms_constructs.runtime.material.wrapping import WrappingAlgorithm, WrappingKeySpec
from tests.runtime.material.fake_kms import FakeKms, stub_client
from tests.runtime.material.samples import SPECS, key_arn, material, material_bytes, public_der, wrapping_key

NOW = datetime.now(UTC).replace(microsecond=0)
IN_A_MONTH = Wish(valid_for=30)
CHANGING = {"ImportKeyMaterial", "DeleteImportedKeyMaterial", "RotateKeyOnDemand"}


def run(
    kms: FakeKms,
    name: str = key_arn(),
    spec: str = "SYMMETRIC_DEFAULT",
    *,
    wish: Wish = IN_A_MONTH,
    kind: Kind = Kind(),  # noqa: B008 - a frozen dataclass
    all_replicas: bool = False,
    algorithm: WrappingAlgorithm | None = None,
) -> tuple[Imported, ...]:
    clients = kms.clients()
    keys = keys_for(clients, name, all_replicas=all_replicas)
    steps = plan(clients, keys, wish, kind, datetime.now(UTC))
    return import_material(
        clients, steps, material(spec), kind, algorithm=algorithm, wrapping_key=WrappingKeySpec.RSA_2048
    )


@pytest.mark.parametrize("algorithm", [None, *WrappingAlgorithm])
@pytest.mark.parametrize("spec", SPECS)
def test_the_key_has_the_very_material(kms: FakeKms, spec: str, algorithm: WrappingAlgorithm | None) -> None:
    key = kms.add(spec)
    if algorithm is WrappingAlgorithm.RSAES_OAEP_SHA_256 and (
        spec.startswith("RSA") or spec.endswith("P521")
    ):
        with pytest.raises(MaterialError, match="too long for it"):
            run(kms, spec=spec, algorithm=algorithm)
        assert key.had == []
        assert not CHANGING.intersection(kms.operations())
        return

    (done,) = run(kms, spec=spec, algorithm=algorithm)

    assert key.had == [material_bytes(spec)]
    assert key.state == "Enabled"
    assert done.material_id == (key.id_of(material_bytes(spec)) if spec == "SYMMETRIC_DEFAULT" else None)


def test_an_alias_is_found_and_the_key_is_named_by_its_arn(kms: FakeKms) -> None:
    key = kms.add()
    kms.aliases["alias/orders"] = key.arn
    run(kms, "alias/orders")
    assert [request["KeyId"] for _, request in kms.calls] == ["alias/orders", key.arn, key.arn]


def test_the_expiry_is_that_of_the_tag_of_each_key(kms: FakeKms) -> None:
    first, second = (NOW.date() + timedelta(days=days) for days in (10, 20))
    primary, replica = kms.add_multi_region("eu-west-1", "us-east-1")
    primary.tags = {"a": "b", "kms:material-expires": first.isoformat(), "z": "c"}
    replica.tags = {"kms:material-expires": second.isoformat()}

    done = run(kms, replica.arn, wish=Wish(), all_replicas=True)

    assert [(one.step.key.arn, one.step.valid_to.date()) for one in done if one.step.valid_to] == [
        (primary.arn, first), (replica.arn, second),
    ]  # fmt: skip
    assert [request.get("ImportType") for request in kms.sent("ImportKeyMaterial")] == [
        None, "EXISTING_KEY_MATERIAL",
    ]  # fmt: skip
    assert primary.had == replica.had == [material_bytes("SYMMETRIC_DEFAULT")]


@pytest.mark.parametrize(
    ("wish", "model", "has_date"),
    [(IN_A_MONTH, "KEY_MATERIAL_EXPIRES", True), (Wish(never=True), "KEY_MATERIAL_DOES_NOT_EXPIRE", False)],
)
def test_the_expiration_model_is_always_said(kms: FakeKms, wish: Wish, model: str, has_date: bool) -> None:
    kms.add()
    run(kms, wish=wish)
    (request,) = kms.sent("ImportKeyMaterial")
    assert (request["ExpirationModel"], "ValidTo" in request) == (model, has_date)


@pytest.mark.parametrize("spec", ["HMAC_256", "RSA_2048"])
def test_keys_with_one_material_are_sent_no_type(kms: FakeKms, spec: str) -> None:
    primary, _ = kms.add_multi_region("eu-west-1", "us-east-1", spec=spec)
    run(kms, primary.arn, spec, all_replicas=True)
    assert all("ImportType" not in request for request in kms.sent("ImportKeyMaterial"))


def test_the_same_material_again_renews_the_expiry(kms: FakeKms) -> None:
    key = kms.add()
    run(kms)
    before = key.valid_to
    (done,) = run(kms, wish=Wish(valid_for=60))
    assert done.step.renews
    assert key.had == [material_bytes("SYMMETRIC_DEFAULT")]
    assert before is not None
    assert key.valid_to == pytest.approx(before + 30 * 86_400, abs=60)


def test_material_that_expired_comes_back(kms: FakeKms) -> None:
    key = kms.add()
    run(kms)
    key.missing, key.state = set(key.had), "PendingImport"
    (done,) = run(kms)
    assert (key.state, key.missing, done.step.renews) == ("Enabled", set(), False)


def test_which_material_it_is_can_be_said(kms: FakeKms) -> None:
    key = kms.add()
    run(kms, kind=Kind(description="from the ceremony of May"))
    run(kms, kind=Kind(material_id=key.id_of(material_bytes("SYMMETRIC_DEFAULT"))))
    first, second = kms.sent("ImportKeyMaterial")
    assert first["KeyMaterialDescription"] == "from the ceremony of May"
    assert second["ImportType"] == "EXISTING_KEY_MATERIAL"
    with pytest.raises(KmsCallError, match="KMS refuses the material"):
        run(kms, kind=Kind(material_id="0" * 64))


def test_other_material_is_refused_and_the_key_keeps_its_own(kms: FakeKms) -> None:
    key = kms.add(had=[b"x" * 32], state="Enabled")
    with pytest.raises(KmsCallError, match="it is other material than the key has had") as caught:
        run(kms)
    assert caught.value.code == "IncorrectKeyMaterialException"
    assert key.had == [b"x" * 32]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        *(
            pytest.param({"state": state}, f"its state is {state}.*{advice}", id=state)
            for state, advice in {
                "Disabled": "enable the key first",
                "PendingDeletion": "cancel the deletion",
                "PendingReplicaDeletion": "cancel the deletion",
                "Unavailable": "wait",
                "Updating": "wait",
                "Creating": "wait",
            }.items()
        ),
        pytest.param({"origin": "AWS_KMS"}, "its origin is AWS_KMS", id="KMS's own material"),
        pytest.param({"origin": "AWS_CLOUDHSM"}, "its origin is AWS_CLOUDHSM", id="a key store"),
        pytest.param({"spec": "ML_DSA_65"}, "is not wrapped here", id="another spec"),
    ],
)
def test_a_key_that_takes_no_material_is_refused_before_anything_is_asked_for(
    kms: FakeKms, changed: dict[str, str], problem: str
) -> None:
    vars(kms.add()).update(changed)
    with pytest.raises(MaterialError, match=problem):
        run(kms)
    assert kms.operations() == ["DescribeKey"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("orders", "write an alias as alias/NAME"),
        ("arn:aws:iam::111122223333:role/Admin", "no ARN of a KMS key"),
        (key_arn(key_id="00000000-0000-0000-0000-000000000000"), "there is no such key"),
    ],
)
def test_a_name_that_is_no_key_is_refused(kms: FakeKms, name: str, problem: str) -> None:
    with pytest.raises(MaterialError, match=problem):
        run(kms, name)


@pytest.mark.parametrize("kind", [Kind(new=True), Kind(material_id="0" * 64), Kind(description="x")])
def test_ids_and_descriptions_are_for_symmetric_keys(kms: FakeKms, kind: Kind) -> None:
    kms.add("HMAC_256")
    with pytest.raises(MaterialError, match="a HMAC_256 key has one material"):
        run(kms, spec="HMAC_256", kind=kind)
    assert not CHANGING.intersection(kms.operations())


def test_a_replica_waits_for_its_primary_key(kms: FakeKms) -> None:
    primary, replica = kms.add_multi_region("eu-west-1", "us-east-1")
    with pytest.raises(MaterialError, match=r"has no material yet.*--all-replicas"):
        run(kms, replica.arn)
    run(kms, primary.arn)
    run(kms, replica.arn)
    assert replica.state == "Enabled"


def test_one_bad_replica_keeps_all_from_being_changed(kms: FakeKms) -> None:
    keys = kms.add_multi_region("eu-west-1", "us-east-1", "eu-north-1")
    keys[2].state = "Disabled"
    with pytest.raises(MaterialError, match=r"eu-north-1.*Disabled"):
        run(kms, keys[0].arn, all_replicas=True)
    assert not CHANGING.intersection(kms.operations())


def test_a_failure_on_the_way_tells_how_far_it_came_and_can_be_run_again(kms: FakeKms) -> None:
    keys = kms.add_multi_region("eu-west-1", "us-east-1", "eu-north-1")
    clients = kms.clients()
    steps = plan(clients, keys_for(clients, keys[0].arn, all_replicas=True), IN_A_MONTH, Kind(), NOW)
    wrapped = [
        wrapped_under(
            parameters_for(clients, step.key, None, WrappingKeySpec.RSA_2048), material("SYMMETRIC_DEFAULT")
        )
        for step in steps
    ]
    spoiled = [wrapped[0], replace(wrapped[1], token=b"another"), wrapped[2]]
    with pytest.raises(KmsCallError) as caught:
        send(clients, steps, spoiled, Kind())
    assert f"Keys that have the material: {keys[0].arn}; that have not: {keys[1].arn}, {keys[2].arn}" in str(
        caught.value
    )
    assert [key.state for key in keys] == ["Enabled", "PendingImport", "PendingImport"]

    run(kms, keys[0].arn, all_replicas=True)

    assert [key.state for key in keys] == ["Enabled"] * 3
    assert [key.had for key in keys] == [[material_bytes("SYMMETRIC_DEFAULT")]] * 3


@pytest.mark.parametrize("operation", ["DescribeKey", "GetParametersForImport", "ImportKeyMaterial"])
@pytest.mark.parametrize("fault", ["ThrottlingException", "unreachable"])
def test_what_passes_is_tried_again(kms: FakeKms, operation: str, fault: str) -> None:
    key = kms.add()
    kms.faults = [(operation, fault)] * (ATTEMPTS - 1)
    run(kms)
    assert key.had == [material_bytes("SYMMETRIC_DEFAULT")]
    assert kms.operations().count(operation) == ATTEMPTS


@pytest.mark.parametrize("operation", ["DescribeKey", "GetParametersForImport", "ImportKeyMaterial"])
@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("ThrottlingException", f"KMS is throttling, after {ATTEMPTS} attempts.*run the same command again"),
        ("unreachable", "got no answer.*whether KMS did it is not known.*run the same command again"),
        ("AccessDeniedException", "access is denied.*key_material_importers"),
    ],
)
def test_what_does_not_pass_is_said_and_the_same_again_works(
    kms: FakeKms, operation: str, fault: str, problem: str
) -> None:
    key = kms.add()
    kms.faults = [(operation, fault)] * ATTEMPTS
    with pytest.raises(KmsCallError, match=problem):
        run(kms)
    assert (key.state, key.had) == ("PendingImport", [])
    kms.faults = []
    run(kms)
    assert key.had == [material_bytes("SYMMETRIC_DEFAULT")]


def test_an_answer_that_is_lost_after_the_import_can_be_run_again(kms: FakeKms) -> None:
    key = kms.add()
    kms.faults = [("ImportKeyMaterial", "lost")] * ATTEMPTS
    with pytest.raises(KmsCallError, match="whether KMS did it is not known"):
        run(kms)
    assert key.state == "Enabled"
    run(kms)
    assert key.had == [material_bytes("SYMMETRIC_DEFAULT")]


def test_tags_that_may_not_be_read_are_told(kms: FakeKms) -> None:
    kms.add(tags={"kms:material-expires": "2026-01-01"})
    kms.faults = [("ListResourceTags", "AccessDeniedException")]
    with pytest.raises(MaterialError, match=r"kms:ListResourceTags is denied.*--valid-to"):
        run(kms, wish=Wish())
    assert not CHANGING.intersection(kms.operations())


# What no emulator checks, by the answers that KMS documents.

DESCRIBED = {
    "KeyMetadata": {
        "KeyId": key_arn().rpartition("/")[2], "Arn": key_arn(), "KeySpec": "SYMMETRIC_DEFAULT",
        "Origin": "EXTERNAL", "KeyState": "PendingImport",
    }
}  # fmt: skip


def stubbed() -> tuple[Clients, Stubber]:
    client = stub_client()
    stub = Stubber(client)
    stub.activate()
    return Clients(lambda _: client), stub


def parameters_answer(valid_to: datetime) -> dict[str, Any]:
    return {
        "KeyId": key_arn(), "ImportToken": b"token", "PublicKey": public_der(wrapping_key(2048)),
        "ParametersValidTo": valid_to,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (
            "ExpiredImportTokenException",
            "the import token has expired; it is valid for 24 hours.*get new ones",
        ),
        ("InvalidImportTokenException", "the import token is not of this key"),
        ("InvalidCiphertextException", "KMS cannot unwrap the material"),
        (
            "IncorrectKeyMaterialException",
            "KMS refuses the material.*the very material that was imported first",
        ),
        ("KMSInvalidStateException", "the state of the key does not allow this.*material status"),
        ("AccessDeniedException", "access is denied.*key_material_importers"),
        ("UnsupportedOperationException", "KMS does not do this for such a key"),
        (
            "SomethingNewException",
            r"KMS refuses it \(SomethingNewException: told by KMS\).*see what KMS says",
        ),
    ],
)
def test_an_error_of_the_import_is_told_with_what_to_do(code: str, problem: str) -> None:
    clients, stub = stubbed()
    valid_to = (NOW + timedelta(days=30)).replace(microsecond=0)
    stub.add_response("describe_key", DESCRIBED, {"KeyId": key_arn()})
    stub.add_response(
        "get_parameters_for_import",
        parameters_answer(NOW + timedelta(hours=24)),
        {"KeyId": key_arn(), "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"},
    )
    stub.add_client_error(
        "import_key_material", code, "told by KMS.",
        expected_params={
            "KeyId": key_arn(), "ImportToken": b"token", "EncryptedKeyMaterial": ANY,
            "ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": valid_to,
        },
    )  # fmt: skip
    keys = keys_for(clients, key_arn(), all_replicas=False)
    steps = plan(clients, keys, Wish(valid_to), Kind(), NOW)

    with pytest.raises(KmsCallError, match=f"^{key_arn()}: ImportKeyMaterial: {problem}") as caught:
        import_material(
            clients, steps, material("SYMMETRIC_DEFAULT"), Kind(), wrapping_key=WrappingKeySpec.RSA_2048
        )

    assert caught.value.code == code
    assert caught.value.__context__ is None
    stub.assert_no_pending_responses()


def test_new_material_is_sent_as_new() -> None:
    clients, stub = stubbed()
    described = {"KeyMetadata": {**DESCRIBED["KeyMetadata"], "KeyState": "Enabled"}}
    stub.add_response("describe_key", described, {"KeyId": key_arn()})
    stub.add_response("get_parameters_for_import", parameters_answer(NOW + timedelta(hours=24)))
    stub.add_response(
        "import_key_material",
        {"KeyId": key_arn(), "KeyMaterialId": "a" * 64},
        {
            "KeyId": key_arn(), "ImportToken": b"token", "EncryptedKeyMaterial": ANY,
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE", "ImportType": "NEW_KEY_MATERIAL",
            "KeyMaterialDescription": "of 2027",
        },
    )  # fmt: skip
    kind = Kind(new=True, description="of 2027")
    steps = plan(clients, keys_for(clients, key_arn(), all_replicas=False), Wish(never=True), kind, NOW)
    (done,) = import_material(clients, steps, material("SYMMETRIC_DEFAULT"), kind)
    assert done.material_id == "a" * 64
    stub.assert_no_pending_responses()


def test_credentials_that_are_not_there_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from kms_constructs.runtime.material.calls import clients_of

    with pytest.raises(MaterialError, match=r"there are no credentials.*log in"):
        keys_for(clients_of(None, "eu-west-1"), key_arn(), all_replicas=False)
    with pytest.raises(MaterialError, match="--profile nobody: there is no such profile"):
        keys_for(clients_of("nobody", "eu-west-1"), key_arn(), all_replicas=False)
    with pytest.raises(MaterialError, match="the Region is not known"):
        keys_for(clients_of(None, None), "alias/orders", all_replicas=False)
    with pytest.raises(MaterialError, match="--region mars: this is no Region"):
        clients_of(None, "mars")
