"""The packs at synth: every kind of key, acknowledgements, and what CDK's report says."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import cloudformation_include as cfn_include
from cdk_nag import NagPack

from kms_constructs import GuardrailConfig, IamKmsGuardrails, KmsRequirements, enforce_guardrails
from kms_constructs.errors import ConfigurationError, KmsConstructsError
from kms_constructs.guardrails import engine

pytestmark = pytest.mark.cdk

ENV = cdk.Environment(account="111122223333", region="us-east-1")
ADMIN = "arn:aws:iam::111122223333:role/Admin"


@pytest.fixture
def app(tmp_path: Path) -> cdk.App:
    return cdk.App(outdir=str(tmp_path / "cdk.out"), analytics_reporting=False)


@pytest.fixture
def stack(app: cdk.App) -> cdk.Stack:
    return cdk.Stack(app, "App", env=ENV)


def report_of(app: cdk.App) -> dict[str, dict[str, list[str]]]:
    """Synthesizes; per pack and rule, the construct paths in the validation report."""
    try:
        app.synth()
    except RuntimeError as error:
        assert "ValidationFailed" in str(error)  # noqa: PT017 - nothing else may be raised here
    path = Path(app.outdir) / "validation-report.json"
    if not path.exists():
        return {}
    found: dict[str, dict[str, list[str]]] = {}
    for pack in json.loads(path.read_text())["pluginReports"]:
        rules = found.setdefault(pack["pluginName"], {})
        for violation in pack.get("violations", []):
            constructs = (construct["constructPath"] for construct in violation["violatingConstructs"])
            rules[violation["ruleName"]] = sorted([*rules.get(violation["ruleName"], []), *constructs])
    return found


def paths(app: cdk.App, pack: str, rule: str) -> list[str]:
    return report_of(app).get(pack, {}).get(rule, [])


def test_the_packs_are_cdk_nag_packs_and_share_the_catalogue() -> None:
    packs = [IamKmsGuardrails(), KmsRequirements()]

    assert all(isinstance(pack, NagPack) for pack in packs)
    assert [pack.name for pack in packs] == ["IamKmsGuardrails", "KmsRequirements"]
    assert sorted({*packs[0].rule_ids, *packs[1].rule_ids}) == sorted(engine.CATALOGUE)


def test_a_plain_key_with_administrators_fails_with_create_grant_named(
    app: cdk.App, stack: cdk.Stack
) -> None:
    kms.Key(stack, "Key", admins=[iam.ArnPrincipal(ADMIN)])
    enforce_guardrails(app)

    found = report_of(app)["IamKmsGuardrails"]

    assert found["IAM-KMS-8[CreateGrant]"] == ["App/Key/Resource"]
    report = (Path(app.outdir) / "validation-report.json").read_text()
    assert "CreateGrant" in report
    assert ADMIN in report


def test_every_way_to_make_a_key_is_judged(app: cdk.App, stack: cdk.Stack, tmp_path: Path) -> None:
    kms.Key(stack, "L2")
    kms.CfnKey(stack, "L1", key_policy={"Statement": []})
    cdk.CfnResource(stack, "Raw", type="AWS::KMS::Key", properties={"EnableKeyRotation": False})
    s3.Bucket(stack, "Bucket", encryption=s3.BucketEncryption.KMS)
    template = tmp_path / "included.json"
    template.write_text(json.dumps({"Resources": {"Old": {"Type": "AWS::KMS::Key", "Properties": {}}}}))
    cfn_include.CfnInclude(stack, "Include", template_file=str(template))
    kms.Key(cdk.Stack(cdk.Stage(app, "Stage", env=ENV), "Inner"), "Staged")
    enforce_guardrails(app)

    found = report_of(app)["KmsRequirements"]["KMS:010[missing]"]

    assert found == [
        "App/Bucket/Key/Resource",
        "App/Include/Old",
        "App/L1",
        "App/L2/Resource",
        "App/Raw",
        "Stage/Inner/Staged/Resource",
    ]


def test_an_iam_policy_of_the_app_is_judged_too(app: cdk.App, stack: cdk.Stack) -> None:
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    role.add_to_policy(iam.PolicyStatement(actions=["kms:ScheduleKeyDeletion"], resources=["*"]))
    enforce_guardrails(app)

    found = report_of(app)["IamKmsGuardrails"]

    assert any(
        rule.startswith("IAM-KMS-3") and places == ["App/Role/DefaultPolicy/Resource"]
        for rule, places in found.items()
    )


@pytest.mark.parametrize("where", ["key", "stack", "app"])
@pytest.mark.parametrize(
    "given",
    [
        "KmsRequirements::KMS:010",
        "KmsRequirements::KMS:010[missing]",
        "KMS:010",
        "KMS:010[missing]",
    ],
)
def test_an_acknowledgement_silences_its_rule_and_stays_in_the_report(
    app: cdk.App, stack: cdk.Stack, where: str, given: str
) -> None:
    key = kms.Key(stack, "Key")
    target = {"key": key, "stack": stack, "app": app}[where]
    cdk.Validations.of(target).acknowledge(cdk.Acknowledgment(id=given, reason="named by its users"))
    enforce_guardrails(app)

    found = report_of(app)["KmsRequirements"]

    assert "KMS:010[missing]" not in found
    assert "KMS:001[enabled]" in found, "other rules go on"
    report = json.loads((Path(app.outdir) / "validation-report.json").read_text())
    metadata = next(
        pack["metadata"] for pack in report["pluginReports"] if pack["pluginName"] == "KmsRequirements"
    )
    assert metadata == {"acknowledged KMS:010[missing] App/Key/Resource": "named by its users"}


def test_an_acknowledgement_reaches_no_further_than_its_construct(app: cdk.App, stack: cdk.Stack) -> None:
    kms.Key(stack, "Key")
    other = kms.Key(stack, "Other")
    cdk.Validations.of(other).acknowledge(cdk.Acknowledgment(id="KMS:010", reason="named by its users"))
    enforce_guardrails(app)

    assert paths(app, "KmsRequirements", "KMS:010[missing]") == ["App/Key/Resource"]


def test_an_acknowledgement_in_a_stage_counts_and_assets_do_not_matter(app: cdk.App, tmp_path: Path) -> None:
    asset = tmp_path / "asset"
    asset.mkdir()
    (asset / "manifest.json").write_text("[]")  # a file of that name which is no assembly's
    stage = cdk.Stage(app, "Stage", env=ENV)
    stack = cdk.Stack(stage, "Inner")
    s3_assets.Asset(stack, "Asset", path=str(asset))
    kms.Key(stack, "Key")
    other = kms.Key(cdk.Stack(cdk.Stage(app, "Other", env=ENV), "Inner"), "Key")
    for target in (stage, other):
        cdk.Validations.of(target).acknowledge(cdk.Acknowledgment(id="KMS:010", reason="named by its users"))
    enforce_guardrails(app)

    found = report_of(app)["KmsRequirements"]

    assert "KMS:010[missing]" not in found
    assert found["KMS:001[enabled]"] == ["Other/Inner/Key/Resource", "Stage/Inner/Key/Resource"]


def test_an_acknowledgement_of_another_pack_does_not_count(app: cdk.App, stack: cdk.Stack) -> None:
    key = kms.Key(stack, "Key")
    cdk.Validations.of(key).acknowledge(
        cdk.Acknowledgment(id="OtherPack::KMS:010", reason="meant for another pack")
    )
    enforce_guardrails(app)

    assert paths(app, "KmsRequirements", "KMS:010[missing]") == ["App/Key/Resource"]


def test_a_rule_that_crashes_fails_the_synth_and_says_so(
    app: cdk.App, stack: cdk.Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    rule = next(rule for rule in engine.RULES if rule.control.id == "KMS:010")
    monkeypatch.setattr(rule, "check_key", crash)
    kms.Key(stack, "Key")
    cdk.Validations.of(app).add_plugins(KmsRequirements(app))

    assert paths(app, "KmsRequirements", "KMS:010[internal-error]") == ["App/Key/Resource"]
    assert "ZeroDivisionError" in (Path(app.outdir) / "validation-report.json").read_text()


def test_validate_scope_judges_one_stack_with_the_references_of_the_app(
    app: cdk.App, stack: cdk.Stack
) -> None:
    kms.Key(stack, "Key")
    other = cdk.Stack(app, "Other", env=ENV)
    kms.Key(other, "Key")

    report = KmsRequirements().validate_scope(other)

    assert report.success is False
    assert {
        resource.template_path
        for violation in report.violations
        for resource in violation.violating_resources
    } == {str(Path(app.outdir) / "Other.template.json")}


def test_validate_scope_outside_an_app_says_what_to_do() -> None:
    stack = cdk.Stack()
    loose = IamKmsGuardrails()

    # A stack without an app gets one from CDK; a bare construct tree does not.
    assert loose.validate_scope(stack).success is True
    from constructs import RootConstruct

    with pytest.raises(KmsConstructsError, match=r"make the stack in a cdk\.App"):
        loose.validate_scope(RootConstruct())


class TestConfiguration:
    """Where enforce_guardrails takes its configuration from."""

    def test_given_as_an_object(self, app: cdk.App) -> None:
        config = GuardrailConfig(rotation_period_ceiling=90)

        assert enforce_guardrails(app, config) is config

    def test_given_as_plain_data(self, app: cdk.App) -> None:
        assert enforce_guardrails(app, {"rotation-period-ceiling": 90}).rotation_period_ceiling == 90

    def test_given_as_a_file(self, app: cdk.App, tmp_path: Path) -> None:
        path = tmp_path / "guardrails.toml"
        path.write_text("rotation-period-ceiling = 180\n")

        assert enforce_guardrails(app, path).rotation_period_ceiling == 180

    def test_from_cdk_context(self, tmp_path: Path) -> None:
        app = cdk.App(context={"kms-constructs": {"rotation-period-ceiling": 120}})

        assert enforce_guardrails(app).rotation_period_ceiling == 120

    def test_from_the_nearest_pyproject(
        self, app: cdk.App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "pyproject.toml").write_text("[tool.kms-constructs]\nrotation-period-ceiling = 200\n")
        monkeypatch.chdir(tmp_path)

        assert enforce_guardrails(app).rotation_period_ceiling == 200

    def test_context_that_is_no_object_is_refused(self) -> None:
        app = cdk.App(context={"kms-constructs": "strict"})

        with pytest.raises(ConfigurationError, match="it holds a str"):
            enforce_guardrails(app)
