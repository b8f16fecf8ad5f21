"""The guardrails as cdk-nag packs: what `kms-constructs check` finds, found at ``cdk synth``.

A pack does not look at constructs one by one. It reads the cloud assembly that CDK has just written, all
stacks and stages together, so that cross-stack references resolve and every IAM policy of the app counts;
packs that stand beside each other share one reading. The construct tree is only asked for acknowledgements
of what has failed.

See: https://docs.aws.amazon.com/cdk/v2/guide/policy-validation-synthesis.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import aws_cdk as cdk
import cdk_nag
from constructs import IConstruct

from kms_constructs.errors import ArgumentError, KmsConstructsError
from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import INTERNAL_ERROR, judge
from kms_constructs.guardrails.finding import Finding, Outcome, Report
from kms_constructs.model.estate import Deployment, Estate, SourceProblem
from kms_constructs.sources.cloud_assembly import read_cloud_assembly
from kms_constructs.sources.cloudformation.assembly import MANIFEST, TEMPLATE_FILE, Assembly
from kms_constructs.sources.files import OrganizationPolicy

if TYPE_CHECKING:
    from cdk_nag import NagPack
else:
    NagPack = cdk_nag.NagPack

_UNNAMED = "annotation"
"""What CDK puts before the id of an acknowledgement that names no pack."""


class AssemblyReading:
    """Reads the assembly that CDK has just written, once for all packs that share it.

    Args:
        deployment: What the assembly does not say itself.
        scps: The service control policies in force, as dicts or paths of JSON files.
        rcps: The resource control policies in force.
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

    def of(self, directory: Path) -> tuple[Assembly, Estate]:
        """An assembly and its estate, read again only when one of its files has changed."""
        if self._read is None or self._stamp != _stamp_of(directory, self._read[0].directories):
            self._read = read_cloud_assembly(directory, self._deployment, scps=self._scps, rcps=self._rcps)
            self._stamp = _stamp_of(directory, self._read[0].directories)
        return self._read


def _stamp_of(assembly: Path, directories: Iterable[Path]) -> object:
    """What tells that an assembly is the one that was read: its files, with time and size of each."""
    files = sorted(file for directory in directories for file in directory.glob("*.json"))
    return (assembly, *((file, file.stat().st_mtime_ns, file.stat().st_size) for file in files))


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
        if not templates:
            return cdk.PolicyValidationPluginReport(success=True, violations=[])
        app = getattr(context, "app_construct", None)
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
        return self._validated(Path(assembly.directory), root, keep=path or None)

    def _validated(
        self, directory: Path, root: IConstruct | None, *, keep: str | None
    ) -> cdk.PolicyValidationPluginReport:
        assembly, estate = self._reading.of(directory)
        report = judge(estate, self._config, controls=self.controls, pause_gc=True)
        # What has no construct path concerns the app as a whole, and so every part of it.
        findings = [
            finding
            for finding in report.findings
            if keep is None or finding.location.lies_in(keep) is not False
        ]
        acknowledgements = _Acknowledgements(assembly, root, self.pack_name)
        findings = [acknowledgements.applied_to(finding) for finding in findings]
        shown = [
            finding
            for finding in findings
            if finding.outcome in (Outcome.VIOLATION, Outcome.UNDETERMINED) and finding.acknowledged is None
        ]
        accepted = [finding for finding in findings if finding.acknowledged is not None]
        failed = any(finding.fails for finding in shown) or bool(report.problems)
        return cdk.PolicyValidationPluginReport(
            success=not failed,
            violations=[*_violations(shown), *_unreadable(report)],
            metadata=_metadata(accepted),
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


class _Acknowledgements:
    """What the app acknowledges through CDK's own API, read only when something has failed.

    CDK itself takes an id literally. Here the id of a control also covers its findings, and the id may leave
    out the pack; the reason goes into the report. CDK has written what lies within a stack into the assembly;
    only what lies above the stacks has to be asked of the constructs, one call into Node each.
    """

    def __init__(self, assembly: Assembly, root: IConstruct | None, pack_name: str) -> None:
        self._assembly = assembly
        self._root = root
        self._pack_name = pack_name
        self._by_path: dict[str, Mapping[str, str]] | None = None

    def applied_to(self, finding: Finding) -> Finding:
        """The finding, acknowledged if the app says so."""
        path = finding.location.construct_path
        if path is None or finding.acknowledged is not None:
            return finding
        if finding.outcome not in (Outcome.VIOLATION, Outcome.UNDETERMINED):
            return finding
        wanted = (finding.id,) if finding.detail == INTERNAL_ERROR else (finding.id, finding.control)
        for given in self._along(path):
            reason = next((given[one] for one in wanted if one in given), None)
            if reason is not None:
                return replace(finding, acknowledged=reason)
        return finding

    def _along(self, path: str) -> Iterable[Mapping[str, str]]:
        """What is acknowledged on a construct and on each that it lies in, the nearest first."""
        known = self._known()
        names = path.split("/")
        for length in range(len(names), -1, -1):
            given = known.get("/".join(names[:length]))
            if given:
                yield given

    def _known(self) -> Mapping[str, Mapping[str, str]]:
        if self._by_path is None:
            entries: dict[str, dict[str, str]] = {}
            stacks: set[str] = set()
            for name, kind, data in self._assembly.entries():
                if kind == TEMPLATE_FILE:
                    stacks.add(name)
                if kind == cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY:
                    entries.setdefault(name, {}).update(self._read(data))
            for name, construct in self._above(stacks).items():
                for given in construct.node.metadata:
                    if given.type == cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY:
                        entries.setdefault(name, {}).update(self._read(given.data))
            self._by_path = dict(entries)
        return self._by_path

    def _above(self, stacks: Iterable[str]) -> dict[str, IConstruct]:
        """The root and every construct between it and a stack, by path."""
        if self._root is None:
            return {}
        found: dict[str, IConstruct] = {"": self._root}
        for stack in stacks:
            names = stack.split("/")
            for length in range(1, len(names)):
                path = "/".join(names[:length])
                above = found.get("/".join(names[: length - 1]))
                child = (
                    None if above is None or path in found else above.node.try_find_child(names[length - 1])
                )
                if child is not None:
                    found[path] = child
        return found

    def _read(self, data: object) -> Iterable[tuple[str, str]]:
        if not isinstance(data, Mapping):
            return
        for given, reason in data.items():
            pack, separator, identity = str(given).rpartition("::")
            if not separator or pack == self._pack_name or pack.lower() == _UNNAMED:
                yield identity, str(reason)


def _violations(findings: Sequence[Finding]) -> list[cdk.PolicyViolation]:
    found: list[cdk.PolicyViolation] = []
    for finding in findings:
        control = CATALOGUE[finding.control]
        message = finding.message
        if finding.chain:
            message += "\n   " + "\n   ".join(finding.chain)
        metadata = {"title": control.title, "outcome": finding.outcome.value}
        if finding.principals:
            metadata["principals"] = ", ".join(finding.principals)
        found.append(
            cdk.PolicyViolation(
                rule_name=finding.id,
                description=message,
                fix=finding.fix or control.remediation,
                severity="error" if finding.fails else "warning",
                rule_metadata=metadata,
                violating_resources=[_resource(finding)],
            )
        )
    return found


def _resource(finding: Finding) -> cdk.PolicyViolatingResource:
    place = finding.location
    return cdk.PolicyViolatingResource(
        resource_logical_id=place.logical_id or None,
        template_path=place.source,
        construct_path=None if place.logical_id else place.construct_path,
        locations=[finding.path] if finding.path else [],
    )


def _unreadable(report: Report) -> list[cdk.PolicyViolation]:
    """What could not be read was not judged, and what was not judged does not pass."""
    return [
        cdk.PolicyViolation(
            rule_name=f"unreadable[{problem.logical_id or Path(problem.source).name}]",
            description=f"This part of the app could not be judged: {problem.message}",
            fix=problem.fix,
            severity="error",
            violating_resources=[_unread_resource(problem)],
        )
        for problem in report.problems
    ]


def _unread_resource(problem: SourceProblem) -> cdk.PolicyViolatingResource:
    return cdk.PolicyViolatingResource(
        resource_logical_id=problem.logical_id or None, template_path=problem.source, locations=[]
    )


def _metadata(accepted: Sequence[Finding]) -> dict[str, str] | None:
    found = {
        f"acknowledged {finding.id} {finding.location.construct_path or finding.location}": (
            finding.acknowledged or ""
        )
        for finding in accepted
    }
    return found or None
