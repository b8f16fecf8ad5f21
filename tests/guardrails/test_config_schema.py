from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from datetime import date

import jsonschema
import pytest

from kms_constructs.errors import ConfigurationError
from kms_constructs.guardrails.catalogue import AUTHORISABLE
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.config_schema import config_schema, documented, settings
from kms_constructs.guardrails.settings import Acknowledgement, Settings
from tests.guardrails.test_config import FULL, WRONG

VALIDATOR = jsonschema.Draft202012Validator(config_schema())
NOT_TOLD = {
    "both spellings",
    "production may not be short-lived",
    "acknowledgement of a pattern that fits no control",
    "acknowledgement until no day of the calendar",
}
"""What no JSON schema tells; its own documentation says so."""

ROLE = "arn:aws:iam::111122223333:role/A"
RIGHT: dict[str, Mapping[str, object]] = {
    "nothing": {},
    # Editors take a date of TOML for a string.
    "every setting": json.loads(json.dumps(tomllib.loads(FULL), default=date.isoformat)),
    "underscores": {"review_max_age": 1},
    "both in one name": {"minimum-pending_window": 7},
    "the bounds": {"minimum-pending-window": 7, "production-pending-window": 30, "review-max-age": 3650},
    "no accounts": {"trusted-accounts": []},
    "ids in any case": {"disabled": {"kms:003": "why", "Kms:Lint": "why"}},
    "severities in any case": {"severities": {"KMS:010": "HIGH"}},
    "ids with spaces around": {"severities": {" KMS:010 ": "low"}},
    "a finding": {"acknowledgements": [{"id": "IAM-KMS-8[CreateGrant]", "reason": "why"}]},
    "a fingerprint": {"acknowledgements": [{"id": "kms:003[unused:0123456789ab] ", "reason": "why"}]},
    "a fingerprint of no detail": {"acknowledgements": [{"id": "KMS:003[:0123456789ab]", "reason": "why"}]},
    "a fingerprint apart": {
        "acknowledgements": [{"id": "KMS:003[a:b]", "fingerprint": " 0123456789ab", "reason": "why"}]
    },
    "nothing where it may be left out": {
        "acknowledgements": [{"id": "KMS:003[*]", "fingerprint": "", "until": "", "reason": "why"}]
    },
    "everything of a kind": {"acknowledgements": [{"id": " IAM-KMS-?[Create*:*] ", "reason": "why"}]},
    "everything of a pack": {"acknowledgements": [{"id": "IAM-KMS-*", "reason": "why"}]},
    "until a day": {"acknowledgements": [{"id": "*", "until": " 2027-01-31", "reason": "why"}]},
    "a stack excluded": {"excluded": {"Legacy*": "why"}},
    "nothing may be declared": {"may_declare": {"*": [], "iam-kms-3": [ROLE]}},
    "no resource": {"acknowledgements": [{"id": "KMS:003", "reason": "why"}]},
    "any account": {"authorised": {"*": ["arn:aws:iam::*:role/A"]}},
    "all of an account": {"authorised": {"*": ["arn:aws:iam::111122223333:*"]}},
    "AWS's own policies": {"authorised": {"*": ["arn:aws:iam::aws:role/A"]}},
    "an account with a wildcard": {"authorised": {"*": ["arn:aws:iam::1111*:role/A"]}},
    "no account": {"authorised": {"*": ["arn:aws:iam:::role/A"]}},
    "a service in capitals": {"authorised": {"*": ["arn:AWS:IAM::111122223333:role/A"]}},
    "any partition": {"authorised": {"*": ["arn:*:sts::111122223333:assumed-role/A/*"]}},
    **{f"authorised for {control}": {"authorised": {control: [ROLE]}} for control in AUTHORISABLE},
}
MORE_WRONG: dict[str, Mapping[str, object]] = {
    "dots for dashes": {"review.max.age": 1},
    "a setting of the class that is none": {"source": "here"},
    "thirteen digits": {"trusted-accounts": ["1111222233334"]},
    "digits of another script": {"trusted-accounts": ["١١١١٢٢٢٢٣٣٣٣"]},
    "a number for a reason": {"disabled": {"KMS:003": 1}},
    "no name": {"disabled": {"": "why"}},
    "a finding for a control": {"disabled": {"KMS:003[x]": "why"}},
    "a control with spaces where none may be": {"disabled": {" KMS:003": "why"}},
    "aws as an id": {"acknowledgements": [{"id": "aws", "reason": "why"}]},
    "brackets in brackets": {"severities": {"KMS:010[[x]]": "low"}},
    "no detail acknowledged": {"acknowledgements": [{"id": "KMS:010[]", "reason": "why"}]},
    "no control acknowledged": {"acknowledgements": [{"id": " [*]", "reason": "why"}]},
    "brackets in a pattern": {"acknowledgements": [{"id": "KMS:010[*]]", "reason": "why"}]},
    "a pattern for a control that there is not": {"acknowledgements": [{"id": "KMS:999[*]", "reason": "w"}]},
    "spaces for a day": {"acknowledgements": [{"id": "*", "until": " ", "reason": "why"}]},
    "spaces for a fingerprint": {"acknowledgements": [{"id": "KMS:003", "fingerprint": " ", "reason": "w"}]},
    "stars excluded": {"excluded": {"* *": "why"}},
    "a service declared": {"may-declare": {"*": ["s3.amazonaws.com"]}},
    "no detail": {"severities": {"KMS:010[]": "low"}},
    "a service": {"authorised": {"*": ["s3.amazonaws.com"]}},
    "an ARN in capitals": {"authorised": {"*": ["ARN:aws:iam::111122223333:role/A"]}},
    "a Region": {"authorised": {"*": ["arn:aws:iam:eu-west-1:111122223333:role/A"]}},
    "a bucket": {"authorised": {"*": ["arn:aws:s3:::bucket"]}},
    "everyone of every account by marks": {"authorised": {"*": ["arn:aws:iam::?*:*?"]}},
    "thirteen digits in an ARN": {"authorised": {"*": ["arn:aws:iam::1111222233334:role/A"]}},
    "no partition": {"authorised": {"*": ["arn::iam::111122223333:role/A"]}},
    "nobody": {"authorised": {"*": ["arn:aws:iam::111122223333:"]}},
}


def accepted(mapping: Mapping[str, object]) -> bool:
    try:
        GuardrailConfig.from_mapping(mapping)
    except ConfigurationError:
        return False
    return True


@pytest.mark.parametrize("mapping", RIGHT.values(), ids=RIGHT)
def test_both_accept(mapping: Mapping[str, object]) -> None:
    assert (VALIDATOR.is_valid(mapping), accepted(mapping)) == (True, True)


@pytest.mark.parametrize(
    "mapping",
    [
        *(pytest.param(given, id=name) for name, (given, _) in WRONG.items() if name not in NOT_TOLD),
        *(pytest.param(given, id=name) for name, given in MORE_WRONG.items()),
    ],
)
def test_both_refuse(mapping: Mapping[str, object]) -> None:
    assert (VALIDATOR.is_valid(mapping), accepted(mapping)) == (False, False)


@pytest.mark.parametrize("name", sorted(NOT_TOLD))
def test_what_a_schema_does_not_tell(name: str) -> None:
    given, _ = WRONG[name]
    assert (VALIDATOR.is_valid(given), accepted(given)) == (True, False)


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(config_schema())
    assert json.loads(json.dumps(config_schema())) == config_schema()


def test_the_defaults_are_those_of_the_settings_and_fit() -> None:
    defaults = {
        name: schema["default"]
        for name, schema in config_schema()["properties"].items()
        if "default" in schema
    }
    assert GuardrailConfig.from_mapping(defaults, source="default configuration") == GuardrailConfig()
    VALIDATOR.validate(defaults)


def test_every_setting_and_member_is_described() -> None:
    assert [item.name for item, schema in settings() if not schema["description"]] == []
    assert documented(Settings).keys() == {item.name for item in fields(Settings)}
    assert documented(Acknowledgement).keys() == {item.name for item in fields(Acknowledgement)}


def patterns(value: object) -> list[str]:
    if isinstance(value, Mapping):
        own = [value["pattern"]] if isinstance(value.get("pattern"), str) else []
        keys = value.get("patternProperties", {})
        return [*own, *keys, *(found for one in value.values() for found in patterns(one))]
    return []


def test_patterns_are_those_of_editors_too() -> None:
    """JSON schemas have ECMA's patterns: no named groups, no flags, no escape of what is not special."""
    found = patterns(config_schema())
    assert found
    assert [one for one in found if re.search(r"\(\?|\\[-:' ]|\\A|\\Z", one)] == []
