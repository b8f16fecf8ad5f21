"""The guardrails as cdk-nag packs: what `kms-constructs check` finds, found at ``cdk synth``.

A pack does not look at constructs one by one. It reads the cloud assembly that CDK has just written, all
stacks and stages together, so that cross-stack references resolve and every IAM policy of the app counts;
packs that stand beside each other share one reading. The construct tree is only asked for what is
acknowledged of what the stacks lie in: the rest CDK has written into the assembly.

See: https://docs.aws.amazon.com/cdk/v2/guide/policy-validation-synthesis.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import aws_cdk as cdk
import cdk_nag
from constructs import IConstruct

from kms_constructs.cdk.enforcement.acknowledgements import acknowledged_above
from kms_constructs.cdk.key.made_at import leave_in
from kms_constructs.errors import ArgumentError, KmsConstructsError
from kms_constructs.guardrails.acceptance import one_by_one
from kms_constructs.guardrails.alike import Alikes
from kms_constructs.guardrails.baseline import Baseline
from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, Outcome, Report
from kms_constructs.model.collector import collector_paused
from kms_constructs.model.estate import Deployment, Estate, SourceProblem
from kms_constructs.reports.text import one_line
from kms_constructs.sources.cloud_assembly import read_cloud_assembly
from kms_constructs.sources.cloudformation.acceptances import acknowledgements
from kms_constructs.sources.cloudformation.assembly import MANIFEST, Assembly
from kms_constructs.sources.files import OrganizationPolicy

if TYPE_CHECKING:
    from cdk_nag import NagPack
else:
    NagPack = cdk_nag.NagPack


Above = Mapping[str, Mapping[str, str]]
"""What the app acknowledges of what its stacks lie in: construct path to ids to reasons."""


@dataclass(frozen=True, slots=True)
class _Above:
    """What was found, of which app, and the packs that were told."""

    root: IConstruct | None
    found: Above
    told: set[str] = field(default_factory=set)


class AssemblyReading:
    """Reads the assembly that CDK has just written, once for all packs that share it.

    Args:
        deployment: What the assembly does not say itself.
        scps: The service control policies in force, as dicts or paths of JSON files.
        rcps: The resource control policies in force.

    Attributes:
        alikes: What the packs have found of keys that are alike, in the assembly that was read last.
    """

    def __init__(
        self,
        deployment: Deployment | None = None,
        scps: Sequence[OrganizationPolicy] = (),
        rcps: Sequence[OrganizationPolicy] = (),
    ) -> None:
        self._deployment = deployment or Deployment()
        self._scps = scps
        self._rcps = rcps
        self._stamp: object = None
        self._read: tuple[Assembly, Estate] | None = None
        self._above: _Above | None = None
        self.alikes = Alikes()

    def of(self, directory: Path) -> tuple[Assembly, Estate]:
        """An assembly and its estate, read again only when one of its files has changed."""
        if self._read is None or self._stamp != _stamp_of(directory, self._read[0].directories):
            self._read = read_cloud_assembly(directory, self._deployment, scps=self._scps, rcps=self._rcps)
            self._stamp = _stamp_of(directory, self._read[0].directories)
            self._above = None
            self.alikes = Alikes()
        return self._read

    def above(self, assembly: Assembly, root: IConstruct | None, pack: str) -> Above:
        """What is acknowledged of what the stacks of the assembly lie in.

        Args:
            assembly: The assembly.
            root: The app. Its constructs are asked once for packs that follow each other, for each question
                goes to Node; a pack that comes again may want to know what was acknowledged since.
            pack: Name of the pack.
        """
        if self._above is None or self._above.root is not root or pack in self._above.told:
            self._above = _Above(root, acknowledged_above(assembly, root))
        self._above.told.add(pack)
        return self._above.found


def _stamp_of(assembly: Path, directories: Iterable[Path]) -> object:
    """What tells that an assembly is the one that was read: its files, with time and size of each."""
    files = sorted(file for directory in directories for file in directory.glob("*.json"))
    return (assembly, *((file, file.stat().st_mtime_ns, file.stat().st_size) for file in files))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a pack said of an assembly.

    Args:
        directory: The assembly.
        report: What was found in it.
        above: What the app acknowledges of what its stacks lie in.
        violations: What fails or warns, as CDK takes it.
    """

    directory: Path
    report: Report
    above: Above
    violations: list[cdk.PolicyViolation]

    @property
    def failed(self) -> bool:
        """Whether the guardrails fail."""
        return bool(self.report.failures or self.report.problems)


class GuardrailPack(NagPack):
    """Base of the packs: a cdk-nag pack whose rules are the guardrails.

    Args:
        scope: The app; only cdk-nag's own options make use of it.
        config: What the guardrails hold the app to; None for the defaults.
        parameters: Values of template parameters by name; see `Deployment` for the others.
        scps: The service control policies in force, as dicts or paths of JSON files.
        rcps: The resource control policies in force.
        beside: A pack that judges the same app, with which this one shares the reading of the assembly, and
            so `parameters`, `scps` and `rcps`, too.
        baseline: What was there when the guardrails came, and is accepted.
        warn_only: Whether a failed guardrail is reported without failing the synth.

    Attributes:
        quiet: Whether somebody else says what it found: then CDK is not given every violation to print.
        most_warnings: With more of them than this, CDK is given none; None for all.
        judgement: What it said of the assembly that was synthesized last; None before.
    """

    pack_name: ClassVar[str]
    controls: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        scope: IConstruct | None = None,
        *,
        config: GuardrailConfig | None = None,
        parameters: Mapping[str, str] | None = None,
        scps: Sequence[OrganizationPolicy] = (),
        rcps: Sequence[OrganizationPolicy] = (),
        beside: GuardrailPack | None = None,
        baseline: Baseline | None = None,
        warn_only: bool = False,
    ) -> None:
        if beside is not None and (parameters or scps or rcps):
            raise ArgumentError(
                "beside",
                beside.pack_name,
                "the packs share one reading of the assembly",
                "give parameters, scps and rcps to that pack alone",
            )
        super().__init__(scope)
        self._pack_name = self.pack_name
        self._baseline = baseline
        self.warn_only = warn_only
        self.quiet = False
        self.most_warnings: int | None = None
        self.judgement: Judgement | None = None
        self._config = config or GuardrailConfig()
        self._reading: AssemblyReading = (
            AssemblyReading(Deployment(parameters=parameters or {}), scps, rcps)
            if beside is None
            else beside._reading
        )

    @property
    def name(self) -> str:
        """Name of the pack: the part of an acknowledgement's id before ``::``."""
        return self.pack_name

    @property
    def rule_ids(self) -> list[str]:
        """Ids of the controls that the pack enforces."""
        return list(self.controls)

    def _check_resource(self, node: IConstruct) -> None:
        """Not used: the pack reads templates, for one callback costs less than one a resource."""

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Called by CDK at the end of synth: judges everything that was synthesized.

        Args:
            context: What CDK hands to a validation plugin.
        """
        templates = [Path(path) for path in context.template_paths]
        self.judgement = None
        if not templates:
            return cdk.PolicyValidationPluginReport(success=True, violations=[])
        app = getattr(context, "app_construct", None)
        with collector_paused():
            return self._validated(_assembly_of(templates[0]), app, keep=None)

    def validate_scope(self, scope: IConstruct) -> cdk.PolicyValidationPluginReport:
        """Judges an app, a stage or a stack directly, as a test would.

        The whole app is synthesized, so that references across stacks resolve; what lies outside `scope` is
        left out of the report. For tests: CDK keeps what it has synthesized, so a later ``app.synth()`` of
        the same app returns it and runs no validation plugin any more.

        Args:
            scope: The app, stage or stack.

        Raises:
            KmsConstructsError: The scope lies in no app or stage.
        """
        root = scope.node.root
        if not isinstance(root, cdk.Stage):
            raise KmsConstructsError(
                f"{scope.node.path} lies in no App. Fix: make the stack in a cdk.App, then validate it"
            )
        assembly = root.synth()
        path = scope.node.path
        with collector_paused():
            return self._validated(Path(assembly.directory), root, keep=path or None)

    def _validated(
        self, directory: Path, root: IConstruct | None, *, keep: str | None
    ) -> cdk.PolicyValidationPluginReport:
        leave_in(directory, root)  # read with the rest
        assembly, estate = self._reading.of(directory)
        above = self._reading.above(assembly, root, self.pack_name)
        told = tuple(one for path, data in above.items() for one in acknowledgements(path, data))
        report = judge(
            replace(estate, acceptances=tuple(dict.fromkeys((*estate.acceptances, *told)))),
            self._config,
            controls=self.controls,
            baseline=self._baseline,
            alikes=self._reading.alikes,
        )
        # What has no construct path concerns the app as a whole, and so every part of it.
        findings = [
            finding
            for finding in report.findings
            if keep is None or finding.location.lies_in(keep) is not False
        ]
        report = replace(report, findings=tuple(findings))
        expired = {one.id for one in (*estate.acceptances, *told)}
        self.judgement = Judgement(directory, report, above, violations(report, not_as=expired))
        failed = self.judgement.failed and not self.warn_only
        metadata = _metadata(finding for finding in findings if finding.acknowledged is not None)
        if self.quiet:
            return cdk.PolicyValidationPluginReport(
                success=not failed, violations=[], metadata=metadata or None
            )
        given = self.judgement.violations
        if self.most_warnings is not None:
            errors = [one for one in given if one.severity == "error"]
            given = given if len(given) - len(errors) <= self.most_warnings else errors
        return cdk.PolicyValidationPluginReport(
            success=not failed, violations=given, metadata=metadata or None
        )


class IamKmsGuardrails(GuardrailPack):
    """Who may do what with a key: IAM-KMS-1 to IAM-KMS-8, over key policies and every IAM policy of the app.

    Takes the arguments of `GuardrailPack`.

    Example:
        ```python
        Validations.of(app).add_plugins(IamKmsGuardrails(app))
        ```

    See: https://docs.aws.amazon.com/kms/latest/developerguide/iam-policies-best-practices.html
    """

    pack_name = "IamKmsGuardrails"
    controls = tuple(control for control in CATALOGUE if control.startswith("IAM-KMS-"))


class KmsRequirements(GuardrailPack):
    """How a key is made and kept: KMS:001 to KMS:010, and the lint of its policy.

    Takes the arguments of `GuardrailPack`.

    Example:
        ```python
        access = IamKmsGuardrails(app)
        Validations.of(app).add_plugins(access, KmsRequirements(app, beside=access))
        ```

    See: https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html
    """

    pack_name = "KmsRequirements"
    controls = tuple(control for control in CATALOGUE if control.startswith("KMS:"))


def _assembly_of(template: Path) -> Path:
    """The outermost assembly that a template lies in: a stage's assembly lies within that of its app."""
    found = template.parent
    while (found.parent / MANIFEST).is_file():
        found = found.parent
    return found


def violations(report: Report, not_as: Collection[str] = ()) -> list[cdk.PolicyViolation]:
    """What fails or warns, as CDK takes it: one for each principal, with the id that accepts it.

    Args:
        report: What was found.
        not_as: Ids that the app acknowledges. CDK drops what it finds under one of them, whatever we say;
            what is left here was not accepted, because its time is over, and has to go by another name.
    """
    shown = [
        finding
        for finding in report.findings
        if finding.outcome in (Outcome.VIOLATION, Outcome.UNDETERMINED) and finding.acknowledged is None
    ]
    found = [_violation(part, not_as) for whole in shown for part in one_by_one(whole)]
    return [*found, *_unreadable(report)]


def _violation(finding: Finding, not_as: Collection[str]) -> cdk.PolicyViolation:
    control = CATALOGUE[finding.control]
    message = one_line(finding.message)
    if finding.chain:
        message += "\n   " + "\n   ".join(map(one_line, finding.chain))
    if finding.location.made_at is not None:
        message += f"\n   made at {one_line(str(finding.location.made_at))}"
    metadata = {"title": control.title, "outcome": finding.outcome.value}
    if finding.principals:
        metadata["principals"] = ", ".join(map(one_line, finding.principals))
    name = (*finding.exact_ids, finding.id)[0]
    return cdk.PolicyViolation(
        rule_name=one_line(f"{name[:-1]}:expired]" if name in not_as else name),
        description=message,
        fix=one_line(finding.fix or control.remediation),
        severity="error" if finding.fails else "warning",
        rule_metadata=metadata,
        violating_resources=[_resource(finding)],
    )


def _resource(finding: Finding) -> cdk.PolicyViolatingResource:
    place = finding.location
    return cdk.PolicyViolatingResource(
        resource_logical_id=place.logical_id or None,
        template_path=place.source,
        construct_path=place.construct_path,
        locations=[one_line(finding.path)] if finding.path else [],
    )


def _unreadable(report: Report) -> list[cdk.PolicyViolation]:
    """What could not be read was not judged, and what was not judged does not pass."""
    return [
        cdk.PolicyViolation(
            rule_name=f"unreadable[{one_line(problem.logical_id or Path(problem.source).name)}]",
            description=f"This part of the app could not be judged: {one_line(problem.message)}",
            fix=one_line(problem.fix),
            severity="error",
            violating_resources=[_unread_resource(problem)],
        )
        for problem in report.problems
    ]


def _unread_resource(problem: SourceProblem) -> cdk.PolicyViolatingResource:
    return cdk.PolicyViolatingResource(
        resource_logical_id=problem.logical_id or None, template_path=problem.source, locations=[]
    )


def _metadata(accepted: Iterable[Finding]) -> dict[str, str]:
    found: dict[str, str] = {}
    for finding in accepted:
        place = finding.location.construct_path or finding.location
        found[f"acknowledged {', '.join(finding.exact_ids)} {place}"] = finding.acknowledged or ""
    return found
