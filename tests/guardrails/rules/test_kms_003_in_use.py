from __future__ import annotations

import pytest

from kms_constructs.guardrails.finding import Severity
from kms_constructs.model.estate import Key, KeyKind, Location, Reference
from kms_constructs.model.vocabulary import KEY_POLICY_FILE
from tests.guardrails.factories import C, N, Said, V, a_key, judge, said
from tests.vocabularies import KMS_API


def use(resource_type: str) -> Reference:
    return Reference(Location("app.json", logical_id="User"), resource_type, "Properties/KmsKeyId")


USED = Said(C, "", "", "The key is used, or handed on to others.")
UNUSED = Said(V, "unused", "", "Nothing in the app uses the key, and no output or parameter hands it on.")
CASES = {
    "a bucket uses it": (a_key(referenced_outside=False, references=(use("AWS::S3::Bucket"),)), USED),
    "an IAM policy names it": (a_key(referenced_outside=False, references=(use("AWS::IAM::Policy"),)), USED),
    "handed on": (a_key(), USED),
    "unused": (a_key(referenced_outside=False), UNUSED),
    "an alias is no use": (a_key(referenced_outside=False, references=(use("AWS::KMS::Alias"),)), UNUSED),
    "a replica is no use": (
        a_key(referenced_outside=False, references=(use("AWS::KMS::ReplicaKey"),)),
        UNUSED,
    ),
    "replica": (
        a_key(referenced_outside=False, kind=KeyKind.REPLICA),
        Said(N, "", "", "Not applicable: a replica key stands by for its Region."),
    ),
    "live": (
        a_key(referenced_outside=False, vocabulary=KMS_API),
        Said(N, "", "", "Not applicable: what uses a live key is seen in its last usage, not here."),
    ),
    "policy alone": (
        a_key(vocabulary=KEY_POLICY_FILE),
        Said(N, "", "", "Not applicable: only the key policy was given."),
    ),
}


@pytest.mark.parametrize(("key", "expected"), CASES.values(), ids=CASES)
def test_use(key: Key, expected: Said) -> None:
    assert said(judge("KMS:003", key)) == [expected]


def test_it_is_a_warning() -> None:
    (finding,) = judge("KMS:003", a_key(referenced_outside=False))
    assert (finding.severity, finding.fails) == (Severity.WARNING, False)
