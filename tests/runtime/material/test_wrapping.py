"""The private key unwraps it: both algorithms, every public key, every kind of material."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.errors import MaterialError
from kms_constructs.runtime.material import wrapping
from kms_constructs.runtime.material.ceremony import ImportParameters, wrapped_under
from kms_constructs.runtime.material.secret import Secret
from kms_constructs.runtime.material.specs import MATERIAL_SPECS
from kms_constructs.runtime.material.wrapping import WrappingAlgorithm, WrappingKeySpec, algorithm_for, wrap
from tests.runtime.material.samples import (
    SPECS,
    key_arn,
    material,
    material_bytes,
    public_der,
    unwrap,
    wrapping_key,
)

OAEP, BOTH = WrappingAlgorithm.RSAES_OAEP_SHA_256, WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_256
REFUSED = {
    *((f"RSA_{bits}", OAEP, public) for bits in (2048, 3072, 4096) for public in WrappingKeySpec),
    ("ECC_NIST_P521", OAEP, WrappingKeySpec.RSA_2048),
}
"""What AWS documents as impossible."""


def parameters(spec: str, algorithm: WrappingAlgorithm, public: WrappingKeySpec) -> ImportParameters:
    return ImportParameters(
        key=key_arn(),
        key_spec=spec,
        algorithm=algorithm,
        wrapping_key=public,
        public_key=public_der(wrapping_key(public.bits)),
        token=b"token",
        valid_to=datetime.now(UTC) + timedelta(hours=24),
    )


@pytest.mark.parametrize("public", WrappingKeySpec)
@pytest.mark.parametrize("algorithm", WrappingAlgorithm)
@pytest.mark.parametrize("spec", SPECS)
def test_the_private_key_unwraps_the_very_material(spec, algorithm, public) -> None:
    given_ = parameters(spec, algorithm, public)
    if (spec, algorithm, public) in REFUSED:
        with pytest.raises(MaterialError, match="too long for it"):
            wrapped_under(given_, material(spec))
        return

    wrapped = wrapped_under(given_, material(spec))

    assert unwrap(wrapping_key(public.bits), algorithm, wrapped.material) == material_bytes(spec)
    assert (wrapped.key, wrapped.token, wrapped.algorithm) == (key_arn(), b"token", algorithm)
    assert material_bytes(spec) not in wrapped.material
    if MATERIAL_SPECS[spec].asymmetric:
        load_der_private_key(unwrap(wrapping_key(public.bits), algorithm, wrapped.material), None)


@given(st.binary(min_size=1, max_size=3000))
def test_any_length_comes_back(data: bytes) -> None:
    key = wrapping_key(2048)
    assert unwrap(key, BOTH, wrap(Secret(bytearray(data)), key.public_key(), BOTH, "test")) == data


def test_two_wrappings_of_one_material_differ() -> None:
    key = wrapping_key(2048)
    for algorithm in WrappingAlgorithm:
        assert len({wrap(material("HMAC_256"), key.public_key(), algorithm, "x") for _ in range(3)}) == 3


@pytest.mark.parametrize("spec", SPECS)
def test_the_default_is_the_algorithm_that_aws_documents_for_the_material(spec: str) -> None:
    asymmetric = spec.startswith(("RSA", "ECC"))
    assert algorithm_for(MATERIAL_SPECS[spec], None, WrappingKeySpec.RSA_2048) is (
        BOTH if asymmetric else OAEP
    )


def test_what_has_no_room_is_refused() -> None:
    with pytest.raises(MaterialError, match="191 bytes, and RSAES_OAEP_SHA_256 has room for 190"):
        wrap(Secret.random(191), wrapping_key(2048).public_key(), OAEP, "orders")
    assert len(wrap(Secret.random(190), wrapping_key(2048).public_key(), OAEP, "orders")) == 256


@pytest.mark.parametrize(
    ("der", "problem"),
    [
        pytest.param(b"", "cannot be read", id="empty"),
        pytest.param(b"\x30\x03\x02\x01\x00", "cannot be read", id="no public key"),
        pytest.param(
            ec.generate_private_key(ec.SECP256R1())
            .public_key()
            .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            "is no RSA key of 2048, 3072 or 4096 bits",
            id="an EC key",
        ),
        pytest.param(
            public_der(
                rsa.generate_private_key(65_537, 1024)  # noqa: S505 - that is the point
            ),
            "is no RSA key of 2048, 3072 or 4096 bits",
            id="a short RSA key",
        ),
    ],
)
def test_a_public_key_that_is_none_of_kms_is_refused(der: bytes, problem: str) -> None:
    with pytest.raises(MaterialError, match=problem):
        wrapping.public_key_of(der, "orders")
