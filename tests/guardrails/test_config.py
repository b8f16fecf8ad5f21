from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from kms_constructs.errors import ConfigurationError
from kms_constructs.guardrails.catalogue import CATALOGUE, DECLARABLE
from kms_constructs.guardrails.config import (
    Acknowledgement,
    GuardrailConfig,
    load_config,
)
from kms_constructs.guardrails.finding import Severity

FULL = """
trusted-accounts = ["444455556666"]
organization-id = "o-a1b2c3d4e5"
multi-region-classifications = ["restricted"]
minimum-pending-window = 14
production_pending_window = 21
production-environments = ["live"]
ephemeral-environments = ["preview"]
rotation-period-ceiling = 180
scoped-services = ["logs.*"]
review-max-age = 90
undetermined-fails = false

[authorised]
"*" = ["arn:aws:iam::111122223333:role/BreakGlass"]
"iam-kms-3" = ["arn:*:iam::*:role/cdk-*"]

[severities]
"kms:010" = "High"
"iam-kms-8[CreateGrant]" = "low"

[disabled]
"KMS:003" = "used by machines outside AWS "

[[acknowledgements]]
id = "kms:001[period:3fa9c2d10b7e]"
reason = " the partner wants two years "
resource = "*/Legacy*"
until = 2027-01-31

[[acknowledgements]]
id = "KMS:008[*]"
reason = "reviewed on paper"

[[acknowledgements]]
id = "kms:010[missing]"
fingerprint = "0123456789ab"
reason = "found by its ARN"

[excluded]
"Legacy/*" = "goes in March "

[may-declare]
"iam-kms-3" = ["arn:aws:iam::*:role/BreakGlass"]
"""
EXPECTED = GuardrailConfig(
    trusted_accounts=("444455556666",),
    organization_id="o-a1b2c3d4e5",
    multi_region_classifications=("restricted",),
    minimum_pending_window=14,
    production_pending_window=21,
    production_environments=("live",),
    ephemeral_environments=("preview",),
    rotation_period_ceiling=180,
    scoped_services=("logs.*",),
    review_max_age=90,
    undetermined_fails=False,
    authorised={
        "*": ("arn:aws:iam::111122223333:role/BreakGlass",),
        "IAM-KMS-3": ("arn:*:iam::*:role/cdk-*",),
    },
    severities={"KMS:010": Severity.HIGH, "IAM-KMS-8[CreateGrant]": Severity.LOW},
    disabled={"KMS:003": "used by machines outside AWS"},
    acknowledgements=(
        Acknowledgement(
            "KMS:001[period:3fa9c2d10b7e]", "the partner wants two years", "*/Legacy*", until="2027-01-31"
        ),
        Acknowledgement("KMS:008[*]", "reviewed on paper"),
        Acknowledgement("KMS:010[missing:0123456789ab]", "found by its ARN"),
    ),
    excluded={"Legacy/*": "goes in March"},
    may_declare={"IAM-KMS-3": ("arn:aws:iam::*:role/BreakGlass",)},
)


SETTINGS = tuple(item.name for item in fields(GuardrailConfig) if item.name != "source")


def same(left: GuardrailConfig, right: GuardrailConfig) -> bool:
    return all(getattr(left, name) == getattr(right, name) for name in SETTINGS)


def test_a_file_gives_every_setting(tmp_path: Path) -> None:
    path = tmp_path / "guardrails.toml"
    path.write_text(FULL, encoding="utf-8")
    found = GuardrailConfig.from_toml(path)
    assert same(found, EXPECTED)
    assert found.source == str(path)
    assert not any(getattr(found, name) == getattr(GuardrailConfig(), name) for name in SETTINGS), (
        "a setting that the file does not change"
    )


def test_pyproject_holds_it_under_tool(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(
        '[project]\nname = "x"\n[tool.kms-constructs]\ntrusted-accounts = ["444455556666"]\n', "utf-8"
    )
    assert GuardrailConfig.from_pyproject(path).trusted_accounts == ("444455556666",)


def test_a_pyproject_without_the_table_gives_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool.other]\nx = 1\n", encoding="utf-8")
    assert same(GuardrailConfig.from_pyproject(path), GuardrailConfig())


def test_context_gives_the_same_as_a_file() -> None:
    found = GuardrailConfig.from_mapping({"review-max-age": 30, "severities": {"KMS:010": "warning"}})
    assert (found.review_max_age, found.severities) == (30, {"KMS:010": Severity.WARNING})
    assert found.source == "CDK context"


def test_authorised_for_joins_the_control_and_the_star() -> None:
    assert EXPECTED.authorised_for("IAM-KMS-3") == (
        "arn:aws:iam::111122223333:role/BreakGlass",
        "arn:*:iam::*:role/cdk-*",
    )
    assert EXPECTED.authorised_for("IAM-KMS-4") == ("arn:aws:iam::111122223333:role/BreakGlass",)
    assert GuardrailConfig().authorised_for("IAM-KMS-4") == ()


def test_load_config_finds_the_nearest_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.kms-constructs]\nreview-max-age = 10\n", "utf-8")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert load_config(start_dir=deep).review_max_age == 10
    (deep / "pyproject.toml").write_text("", encoding="utf-8")
    assert load_config(start_dir=deep).review_max_age == 365


def test_load_config_reads_what_it_is_given(tmp_path: Path) -> None:
    project, own = tmp_path / "pyproject.toml", tmp_path / "own.toml"
    project.write_text("[tool.kms-constructs]\nreview-max-age = 10\n", encoding="utf-8")
    own.write_text("review-max-age = 20\n", encoding="utf-8")
    assert [load_config(path).review_max_age for path in (project, own)] == [10, 20]


def test_load_config_starts_in_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.kms-constructs]\nreview-max-age = 5\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_config().review_max_age == 5


WRONG: Mapping[str, tuple[Mapping[str, object], str]] = {
    "unknown key": (
        {"trusted-account": ["444455556666"]},
        "trusted-account: there is no such setting. Fix: did you mean 'trusted-accounts'?",
    ),
    "unknown key, nothing like it": (
        {"zzz": 1},
        "zzz: there is no such setting. Fix: the settings are authorised, trusted-accounts, organization-id, "
        "multi-region-classifications, minimum-pending-window, production-pending-window, "
        "production-environments, ephemeral-environments, rotation-period-ceiling, scoped-services, "
        "review-max-age, severities, undetermined-fails, disabled, acknowledgements, excluded, "
        "may-declare",
    ),
    "both spellings": (
        {"review-max-age": 1, "review_max_age": 1},
        "review_max_age: it stands twice, with dashes and with underscores. Fix: keep one",
    ),
    "text for a list": (
        {"trusted-accounts": "444455556666"},
        "trusted-accounts: '444455556666' is a str. Fix: write a list of texts, such as [\"…\"]",
    ),
    "number in a list": (
        {"trusted-accounts": [444455556666]},
        "trusted-accounts[0]: 444455556666 is a int. Fix: write text in quotes",
    ),
    "text for a number": (
        {"review-max-age": "30"},
        "review-max-age: '30' is a str. Fix: write a whole number of days",
    ),
    "true for a number": (
        {"review-max-age": True},
        "review-max-age: True is a bool. Fix: write a whole number of days",
    ),
    "text for a flag": (
        {"undetermined-fails": "false"},
        "undetermined-fails: 'false' is a str. Fix: write true or false",
    ),
    "number for text": ({"organization-id": 1}, "organization-id: 1 is a int. Fix: write text in quotes"),
    "list for a table": ({"severities": []}, "severities: [] is a list. Fix: write a table"),
    "eleven digits": (
        {"trusted-accounts": ["44445555666"]},
        "trusted_accounts[0]: '44445555666' is no account id. Fix: write the account's twelve digits, in "
        "quotes",
    ),
    "no organization": (
        {"organization-id": "a1b2"},
        "organization_id: 'a1b2' is no organization id. Fix: write it as in 'o-a1b2c3d4e5'",
    ),
    "window too short": (
        {"minimum-pending-window": 6},
        "minimum_pending_window: 6 days is out of bounds. Fix: write a number from 7 to 30",
    ),
    "window too long": (
        {"production-pending-window": 31},
        "production_pending_window: 31 days is out of bounds. Fix: write a number from 7 to 30",
    ),
    "period too short": (
        {"rotation-period-ceiling": 89},
        "rotation_period_ceiling: 89 days is out of bounds. Fix: write a number from 90 to 2560",
    ),
    "no age": (
        {"review-max-age": 0},
        "review_max_age: 0 days is out of bounds. Fix: write a number from 1 to 3650",
    ),
    "empty name": (
        {"ephemeral-environments": [" "]},
        "ephemeral_environments[0]: it is empty. Fix: remove it or write a value",
    ),
    "production may not be short-lived": (
        {"ephemeral-environments": ["Prod"]},
        "ephemeral_environments: 'prod' is a production environment too. Fix: list it under one of the two",
    ),
    "no such control": (
        {"severities": {"KMS:011": "low"}},
        "severities.KMS:011: there is no control 'KMS:011'. Fix: did you mean 'KMS:010'?",
    ),
    "no such severity": (
        {"severities": {"KMS:010": "critical"}},
        "severities.KMS:010: 'critical' is no severity. Fix: write one of high, medium, low, warning",
    ),
    "not a finding id": (
        {"severities": {"KMS:010[": "low"}},
        "severities.KMS:010[: 'KMS:010[' is no finding id. Fix: write 'KMS:010' or 'KMS:010[detail]'",
    ),
    "nobody is authorised for rotation": (
        {"authorised": {"KMS:001": ["arn:aws:iam::111122223333:role/A"]}},
        "authorised.KMS:001: nobody can be authorised for this control. Fix: use '*' or one of IAM-KMS-2, "
        "IAM-KMS-3, IAM-KMS-4, IAM-KMS-5, IAM-KMS-7, IAM-KMS-6, KMS:004; to accept a finding, use "
        "acknowledgements",
    ),
    "authorises everyone": (
        {"authorised": {"*": ["*"]}},
        "authorised.*[0]: '*': it authorises everyone. Fix: write the ARN of a role or user, with wildcards "
        "if need be, as in 'arn:aws:iam::111122223333:role/Admin*'",
    ),
    "authorises everyone, at length": (
        {"authorised": {"*": ["arn:aws:iam::*:*"]}},
        "authorised.*[0]: 'arn:aws:iam::*:*': it authorises everyone in every account. Fix: name accounts or "
        "principals",
    ),
    "no ARN": (
        {"authorised": {"*": ["Admin"]}},
        "authorised.*[0]: 'Admin': it is no principal's ARN. Fix: write the ARN of a role or user, with "
        "wildcards if need be, as in 'arn:aws:iam::111122223333:role/Admin*'",
    ),
    "short account in an ARN": (
        {"authorised": {"IAM-KMS-3": ["arn:aws:iam::1111:role/Admin"]}},
        "authorised.IAM-KMS-3[0]: '1111' is no account id. Fix: write the account's twelve digits",
    ),
    "disabled without a reason": (
        {"disabled": {"KMS:003": " "}},
        "disabled.KMS:003: the reason is empty. Fix: say why it is switched off",
    ),
    "acknowledgements as a table": (
        {"acknowledgements": {"KMS:003": "why"}},
        "acknowledgements: {'KMS:003': 'why'} is a dict. Fix: write a list of tables with id, reason and "
        "resource",
    ),
    "acknowledgement without a reason": (
        {"acknowledgements": [{"id": "KMS:003"}]},
        "acknowledgements[0].reason: it is missing. Fix: add reason",
    ),
    "acknowledgement with an empty reason": (
        {"acknowledgements": [{"id": "KMS:003", "reason": ""}]},
        "acknowledgements[0].reason: the reason is empty. Fix: say why the finding is accepted",
    ),
    "acknowledgement of nothing": (
        {"acknowledgements": [{"id": "KMS:003", "reason": "r", "resource": ""}]},
        "acknowledgements[0].resource: it is empty. Fix: write a glob, or leave it out for '*'",
    ),
    "acknowledgement with more": (
        {"acknowledgements": [{"id": "KMS:003", "reason": "r", "owner": "me"}]},
        "acknowledgements[0].owner: an acknowledgement has no such member. Fix: use id, reason, resource, "
        "fingerprint, until",
    ),
    "acknowledgement until no day": (
        {"acknowledgements": [{"id": "KMS:003[*]", "reason": "r", "until": "2027"}]},
        "acknowledgements[0].until: '2027' is no day. Fix: write it as in '2027-01-31'",
    ),
    "acknowledgement until a week": (
        {"acknowledgements": [{"id": "KMS:003[*]", "reason": "r", "until": "2027-W05-7"}]},
        "acknowledgements[0].until: '2027-W05-7' is no day. Fix: write it as in '2027-01-31'",
    ),
    "acknowledgement until no day of the calendar": (
        {"acknowledgements": [{"id": "KMS:003[*]", "reason": "r", "until": "2027-02-30"}]},
        "acknowledgements[0].until: '2027-02-30' is no day. Fix: write it as in '2027-01-31'",
    ),
    "acknowledgement with a fingerprint twice": (
        {
            "acknowledgements": [
                {"id": "KMS:003[x:0123456789ab]", "reason": "r", "fingerprint": "0123456789ab"}
            ]
        },
        "acknowledgements[0].fingerprint: the id says already what is accepted. Fix: write it in one "
        "of the two",
    ),
    "acknowledgement with two fingerprints": (
        {"acknowledgements": [{"id": "KMS:003[*]", "reason": "r", "fingerprint": "0123456789ab"}]},
        "acknowledgements[0].fingerprint: the id says already what is accepted. Fix: write it in one "
        "of the two",
    ),
    "acknowledgement with no fingerprint": (
        {"acknowledgements": [{"id": "KMS:003[unused]", "reason": "r", "fingerprint": "0123"}]},
        "acknowledgements[0].fingerprint: '0123' is no fingerprint. Fix: copy the twelve digits from the "
        "report",
    ),
    "acknowledgement of a pattern that fits no control": (
        {"acknowledgements": [{"id": "S3-*", "reason": "r"}]},
        f"acknowledgements[0].id: there is no control 'S3-*'. Fix: the controls are {', '.join(CATALOGUE)}",
    ),
    "everything excluded": (
        {"excluded": {"*": "r"}},
        "excluded.*: it excludes everything. Fix: name a stack, a construct or a resource",
    ),
    "excluded without a reason": (
        {"excluded": {"Legacy": " "}},
        "excluded.Legacy: the reason is empty. Fix: say why it is excluded",
    ),
    "what nobody can be authorised for declared": (
        {"may-declare": {"KMS:001": []}},
        "may_declare.KMS:001: nobody can be authorised for this control. Fix: use '*' or one of "
        f"{', '.join(DECLARABLE)}; to accept a finding, use acknowledgements",
    ),
    "acknowledgement of no control": (
        {"acknowledgements": [{"id": "IAM-KMS-9[x]", "reason": "r"}]},
        "acknowledgements[0].id: there is no control 'IAM-KMS-9'. Fix: did you mean 'IAM-KMS-8'?",
    ),
}


@pytest.mark.parametrize(("mapping", "message"), WRONG.values(), ids=WRONG)
def test_what_is_not_understood_is_refused(mapping: Mapping[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        GuardrailConfig.from_mapping(mapping, source="cdk.json")
    assert str(error.value) == f"cdk.json: {message}"


def test_a_configuration_made_in_python_is_checked_as_well() -> None:
    with pytest.raises(ConfigurationError, match=r"default configuration: trusted_accounts\[0\]: '1' is no"):
        GuardrailConfig(trusted_accounts=("1",))


FILES = {
    "absent": (None, "(file): it cannot be read: No such file or directory"),
    "no TOML": ("trusted accounts = 1", "(file): it is not TOML"),
}


@pytest.mark.parametrize(("content", "message"), FILES.values(), ids=FILES)
@pytest.mark.parametrize("name", ["pyproject.toml", "own.toml"])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        load_config(path)
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_pyproject_whose_table_is_none(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool]\nkms-constructs = "strict"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="it is not a table"):
        GuardrailConfig.from_pyproject(path)
