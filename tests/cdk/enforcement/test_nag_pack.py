"""The packs at synth: every kind of key, acknowledgements, and what CDK's report says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import cloudformation_include as cfn_include
from cdk_nag import NagPack

from kms_constructs import GuardrailConfig, IamKmsGuardrails, KmsRequirements, enforce_guardrails
from kms_constructs.cdk.enforcement import nag_pack
from kms_constructs.errors import (
    ArgumentError,
    ConfigurationError,
    GuardrailError,
    KmsConstructsError,
    SourceError,
)
from kms_constructs.guardrails import engine
from kms_constructs.guardrails.baseline import Baseline
from kms_constructs.sources.cloud_assembly import read_cloud_assembly
from kms_constructs.sources.files import load
from tests.cdk.keys import new_key

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
    except GuardrailError:
        pass
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
            name = kind(violation["ruleName"])
            rules[name] = sorted([*rules.get(name, []), *constructs])
    return found


def kind(rule: str) -> str:
    """The id of a finding without its fingerprint."""
    return re.sub(":[0-9a-f]{12}]", "]", rule)


def suppressed(app: cdk.App, pack: str) -> list[tuple[str, str, str]]:
    """What the validation report of a synth holds as accepted: kind, construct path, reason."""
    report = json.loads((Path(app.outdir) / "validation-report.json").read_text("utf-8"))
    return [
        (kind(one["ruleName"]), one["violatingConstructs"][0]["constructPath"], one["reason"])
        for found in report["pluginReports"]
        if found["pluginName"] == pack
        for one in found.get("suppressedViolations", [])
    ]


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
        "KmsRequirements::KMS:010[*]",
        "KmsRequirements::KMS:010[missing:*]",
        "KMS:010[*]",
        "KMS:010[missing:*]",
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
    assert suppressed(app, "KmsRequirements") == [
        ("KMS:010[missing]", "App/Key/Resource", "named by its users")
    ]


def test_an_acknowledgement_reaches_no_further_than_its_construct(app: cdk.App, stack: cdk.Stack) -> None:
    kms.Key(stack, "Key")
    other = kms.Key(stack, "Other")
    cdk.Validations.of(other).acknowledge(cdk.Acknowledgment(id="KMS:010[*]", reason="named by its users"))
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
        cdk.Validations.of(target).acknowledge(
            cdk.Acknowledgment(id="KMS:010[*]", reason="named by its users")
        )
    enforce_guardrails(app)

    found = report_of(app)["KmsRequirements"]

    assert "KMS:010[missing]" not in found
    assert found["KMS:001[enabled]"] == ["Other/Inner/Key/Resource", "Stage/Inner/Key/Resource"]


def test_an_acknowledgement_of_another_pack_does_not_count(app: cdk.App, stack: cdk.Stack) -> None:
    key = kms.Key(stack, "Key")
    cdk.Validations.of(key).acknowledge(
        cdk.Acknowledgment(id="OtherPack::KMS:010[*]", reason="meant for another pack")
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
        if not violation.rule_name.startswith("KMS:008[missing:")  # said once, of the app as a whole
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


def context_of(app: cdk.App) -> Any:
    """What CDK hands to a plugin, of an app that is synthesized without any."""
    assembly = app.synth()
    templates = [artifact.template_full_path for artifact in assembly.stacks]
    return SimpleNamespace(template_paths=templates, app_construct=app)


def rules_of(report: cdk.PolicyValidationPluginReport) -> set[str]:
    return {kind(violation.rule_name) for violation in report.violations}


class TestReading:
    """What a pack has read belongs to it, and is read again when a file has changed."""

    def test_a_rotation_that_is_switched_off_is_seen(self, app: cdk.App, stack: cdk.Stack) -> None:
        kms.Key(stack, "Key", enable_key_rotation=True, alias="key")
        context = context_of(app)
        pack = KmsRequirements(app)
        assert "KMS:001[enabled]" not in rules_of(pack.validate(context))

        template = Path(context.template_paths[0])
        on = template.read_text("utf-8")
        template.write_text(on.replace('"EnableKeyRotation": true', '"EnableKeyRotation": false'), "utf-8")

        assert "KMS:001[enabled]" in rules_of(pack.validate(context))

    def test_a_change_that_keeps_the_size_is_seen(self, app: cdk.App, stack: cdk.Stack) -> None:
        kms.Key(stack, "Key", enable_key_rotation=True, alias="key")
        context = context_of(app)
        pack = KmsRequirements(app)
        assert "KMS:001[enabled]" not in rules_of(pack.validate(context))

        template = Path(context.template_paths[0])
        off = template.read_text("utf-8").replace('"EnableKeyRotation": true', '"EnableKeyRotation":false')
        template.write_text(off, "utf-8")

        assert "KMS:001[enabled]" in rules_of(pack.validate(context))

    def test_packs_that_follow_each_other_ask_the_app_once(
        self, app: cdk.App, stack: cdk.Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kms.Key(stack, "Key")
        template = app.synth().get_stack_by_name("App").template_full_path
        context = SimpleNamespace(template_paths=[template], app_construct=app)
        asked: list[object] = []
        ask = nag_pack.acknowledged_above

        def counted(*given: Any) -> Any:
            asked.append(given)
            return ask(*given)

        monkeypatch.setattr(nag_pack, "acknowledged_above", counted)
        access = IamKmsGuardrails(app)
        requirements = KmsRequirements(app, beside=access)

        def accepted() -> int:
            for pack in (access, requirements):
                pack.validate(context)
            assert requirements.judgement is not None
            return sum(one.acknowledged is not None for one in requirements.judgement.report.findings)

        before = accepted()
        assert len(asked) == 1
        # CDK hands out the same assembly again, and the app may have more to say of it.
        cdk.Validations.of(app).acknowledge(cdk.Acknowledgment(id="KMS:010[*]", reason="named by its users"))
        assert (before, accepted()) == (0, 1)
        assert len(asked) == 2

    def test_packs_beside_each_other_read_once(
        self, app: cdk.App, stack: cdk.Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kms.Key(stack, "Key")
        new_key(stack, "Ours")  # of which the line that made it is left in the assembly
        context = context_of(app)
        read: list[Path] = []

        def reading(directory: Path, *arguments: Any, **more: Any) -> Any:
            read.append(directory)
            return read_cloud_assembly(directory, *arguments, **more)

        monkeypatch.setattr(nag_pack, "read_cloud_assembly", reading)
        access = IamKmsGuardrails(app)
        for pack in (access, KmsRequirements(app, beside=access), access):
            assert not pack.validate(context).success
        assert len(read) == 1
        KmsRequirements(app).validate(context)
        assert len(read) == 2, "another pack knows nothing of it"

    def test_what_belongs_to_the_reading_is_given_once(self) -> None:
        with pytest.raises(ArgumentError, match="give parameters, scps and rcps to that pack alone"):
            KmsRequirements(beside=IamKmsGuardrails(), scps=[{"Statement": []}])

    def test_a_directory_that_is_no_assembly(self, tmp_path: Path) -> None:
        context: Any = SimpleNamespace(template_paths=[str(tmp_path / "a.json")], app_construct=None)
        with pytest.raises(SourceError, match="it is no cloud assembly"):
            KmsRequirements().validate(context)


@pytest.mark.parametrize("kind", ["scps", "rcps"])
def test_organization_policies_count_at_synth(app: cdk.App, stack: cdk.Stack, kind: str) -> None:
    key = kms.Key(stack, "Key", alias="key")
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Ops",
            principals=[iam.ArnPrincipal(ADMIN)],
            actions=["kms:ScheduleKeyDeletion"],
            resources=["*"],
        )
    )
    context = context_of(app)
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}
    if kind == "scps":
        del deny["Principal"]
    organization: dict[str, Any] = {kind: [{"Version": "2012-10-17", "Statement": [deny]}]}

    free = rules_of(IamKmsGuardrails(app).validate(context))
    bound = rules_of(IamKmsGuardrails(app, **organization).validate(context))

    assert {"IAM-KMS-3[principal]", "IAM-KMS-3[delegation]"} <= free
    assert not {rule for rule in bound if rule.startswith("IAM-KMS-3")}


def test_enforce_guardrails_hands_the_organization_to_both_packs(app: cdk.App, stack: cdk.Stack) -> None:
    kms.Key(stack, "Key")
    deny = {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}

    enforce_guardrails(app, scps=[{"Version": "2012-10-17", "Statement": [deny]}, {"Version": "2012-10-17"}])

    found = report_of(app)
    assert [name for name, rules in found.items() if "unreadable[scp 2]" in rules] == [
        "IamKmsGuardrails",
        "KmsRequirements",
    ]
    assert not {rule for rule in found["IamKmsGuardrails"] if rule.startswith(("IAM-KMS-3", "IAM-KMS-5"))}


def test_parameters_decide_at_synth(app: cdk.App, stack: cdk.Stack) -> None:
    rotate = cdk.CfnParameter(stack, "Rotate", type="String")
    key = kms.CfnKey(stack, "Key", key_policy={"Statement": []})
    key.add_property_override("EnableKeyRotation", {"Ref": rotate.logical_id})
    context = context_of(app)

    found = {
        value: {rule for rule in rules_of(pack.validate(context)) if rule.startswith("KMS:001")}
        for value, pack in (
            ("true", KmsRequirements(app, parameters={"Rotate": "true"})),
            ("false", KmsRequirements(app, parameters={"Rotate": "false"})),
        )
    }
    assert found == {"true": set(), "false": {"KMS:001[enabled]"}}


def test_the_nearest_acknowledgement_gives_the_reason(app: cdk.App, stack: cdk.Stack) -> None:
    key = kms.Key(stack, "Key")
    for target, reason in ((app, "of the app"), (stack, "of the stack"), (key, "of the key")):
        cdk.Validations.of(target).acknowledge(cdk.Acknowledgment(id="KMS:010[*]", reason=reason))
    enforce_guardrails(app)

    report_of(app)
    assert suppressed(app, "KmsRequirements") == [("KMS:010[missing]", "App/Key/Resource", "of the key")]


class TestAccepted:
    """What an app accepts, by id and fingerprint, in every report and on the command line."""

    def exact(self, app: cdk.App, rule: str) -> str:
        report = json.loads((Path(app.outdir) / "validation-report.json").read_text("utf-8"))
        (name,) = {
            violation["ruleName"]
            for found in report["pluginReports"]
            for violation in found["violations"]
            if kind(violation["ruleName"]) == rule
        }
        return str(name)

    def made(
        self, directory: Path, *principals: str, acknowledged: str = "", at_app: bool = False
    ) -> cdk.App:
        app = cdk.App(outdir=str(directory), analytics_reporting=False)
        key = kms.Key(cdk.Stack(app, "App", env=ENV), "Key")
        for number, principal in enumerate(principals):
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"Grants{number}",
                    principals=[iam.ArnPrincipal(principal)],
                    actions=["kms:CreateGrant"],
                    resources=["*"],
                    conditions={"StringEquals": {"aws:PrincipalTag/n": str(number)}},
                )
            )
        if acknowledged:
            target = app if at_app else key
            cdk.Validations.of(target).acknowledge(
                cdk.Acknowledgment(id=f"IamKmsGuardrails::{acknowledged}", reason="ticket 1")
            )
        enforce_guardrails(app)
        return app

    def open_grants(self, app: cdk.App) -> list[str]:
        report_of(app)
        document = json.loads((Path(app.outdir) / "kms-constructs-report.json").read_text("utf-8"))
        return sorted(
            principal
            for finding in document["findings"]
            if finding["control"] == "IAM-KMS-6" and finding["fails"]
            for principal in finding["principals"]
        )

    @pytest.mark.parametrize("at_app", [False, True])
    def test_a_fingerprint_accepts_one_statement_and_no_later_one(
        self, tmp_path: Path, *, at_app: bool
    ) -> None:
        first = self.made(tmp_path / "first", ADMIN)
        before = self.open_grants(first)
        report = json.loads((tmp_path / "first" / "kms-constructs-report.json").read_text("utf-8"))
        (exact,) = {
            f"IAM-KMS-6[{finding['detail']}:{finding['fingerprints'][0]}]"
            for finding in report["findings"]
            if finding["control"] == "IAM-KMS-6" and finding["principals"] == [ADMIN]
        }
        contractor = "arn:aws:iam::444455556666:role/Contractor"

        second = self.made(tmp_path / "second", ADMIN, contractor, acknowledged=exact, at_app=at_app)

        assert ADMIN in before
        assert self.open_grants(second) == sorted({*before, contractor} - {ADMIN})
        assert ("IAM-KMS-6[CreateGrant]", "App/Key/Resource", "ticket 1") in suppressed(
            second, "IamKmsGuardrails"
        )
        found = load([second.outdir])
        judged = engine.judge(found, controls=["IAM-KMS-6"])
        assert [one.acknowledged for one in judged.findings if one.principals == (ADMIN,)] == ["ticket 1"]
        refused = engine.judge(found, controls=["IAM-KMS-6"], declarations=False)
        assert not [one for one in refused.findings if one.acknowledged]

    def test_a_kind_alone_accepts_nothing_and_the_error_says_what_to_write(self, tmp_path: Path) -> None:
        app = self.made(tmp_path, ADMIN, acknowledged="IAM-KMS-6[CreateGrant]")
        with pytest.raises(GuardrailError) as raised:
            app.synth()
        said = str(raised.value)
        assert "'IAM-KMS-6[CreateGrant]' (construct App/Key) names a kind of finding" in said
        assert re.search(r"Name what is there: IAM-KMS-6\[CreateGrant:[0-9a-f]{12}\]", said)

    def test_what_has_ended_fails_although_cdk_would_drop_it(self, app: cdk.App, stack: cdk.Stack) -> None:
        key = kms.Key(stack, "Key", enable_key_rotation=True)
        cdk.Validations.of(app).add_plugins(KmsRequirements(app))
        report_of(app)
        exact = self.exact(app, "KMS:010[missing]")

        later = cdk.App(outdir=f"{app.outdir}-later", analytics_reporting=False)
        key = kms.Key(cdk.Stack(later, "App", env=ENV), "Key", enable_key_rotation=True)
        cdk.Validations.of(key).acknowledge(
            cdk.Acknowledgment(id=f"KmsRequirements::{exact}", reason="soon (until 2020-01-31)")
        )
        cdk.Validations.of(later).add_plugins(KmsRequirements(later))

        with pytest.raises(RuntimeError, match="The key has no alias"):
            later.synth()

    def test_a_baseline_is_taken_at_synth(self, tmp_path: Path) -> None:
        report_of(self.made(tmp_path / "first", ADMIN))
        found = engine.judge(load([tmp_path / "first"]))
        file = tmp_path / "baseline.json"
        file.write_text(Baseline.of(found.findings).to_text(), "utf-8")

        app = cdk.App(outdir=str(tmp_path / "second"), analytics_reporting=False)
        key = kms.Key(cdk.Stack(app, "App", env=ENV), "Key")
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ArnPrincipal(ADMIN)], actions=["kms:CreateGrant"], resources=["*"],
                conditions={"StringEquals": {"aws:PrincipalTag/n": "0"}},
            )
        )  # fmt: skip
        enforce_guardrails(app, baseline=file)
        app.synth()
        assert len(suppressed(app, "IamKmsGuardrails")) > 5
