"""Cloud assemblies (``cdk.out``): the templates that a CDK app was synthesized to.

Only files are read, so neither CDK nor Node is needed.

See: https://docs.aws.amazon.com/cdk/v2/guide/deploy.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from kms_constructs.errors import SourceError
from kms_constructs.model.estate import Deployment, SourceProblem
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.location import CodeLine
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.sources.cloudformation.inner import deployed_assets, nested_templates
from kms_constructs.sources.cloudformation.made_at import made_at
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.values import partition_of
from kms_constructs.sources.decode import decode_document, read_text
from kms_constructs.sources.positions import Marks

MANIFEST: Final = "manifest.json"
TEMPLATE_FILE: Final = "aws:cdk:templateFile"
"""Type of the metadata entry that every stack has."""
_LOGICAL_ID: Final = "aws:cdk:logicalId"
_ENVIRONMENT = re.compile(r"aws://([^/]+)/([^/]+)")
_FIX: Final = "Synthesize the app again"


Metadata = Mapping[str, Sequence[tuple[str, object]]]
"""Entries by their type: construct path and data of each. Most are of types that nobody here asks for."""


class Assembly(Struct):
    """The templates of an assembly and its nested assemblies, and what could not be read.

    Args:
        templates: One a stack, and one a nested stack's template.
        problems: Files that are missing or broken.
        metadata: What CDK wrote down of constructs, one an artifact.
        directories: The assembly's own directory, and those of the assemblies within it.
        made_at: The lines of the app that made resources, by construct path, as far as it left them.
    """

    templates: list[TemplateInput] = field(default_factory=list)
    problems: list[SourceProblem] = field(default_factory=list)
    metadata: list[Metadata] = field(default_factory=list)
    directories: list[Path] = field(default_factory=list)
    made_at: dict[str, CodeLine] = field(default_factory=dict)

    def entries(self, kind: str) -> Iterator[tuple[str, object]]:
        """Construct path without its first slash, and data of every metadata entry of a type."""
        for metadata in self.metadata:
            for path, data in metadata.get(kind, ()):
                yield path.strip("/"), data


class CloudAssembly(Frozen, frozen=True):
    """A directory that is a cloud assembly; its manifest is decoded once.

    Args:
        directory: A ``cdk.out`` directory.
        manifest: The manifest; None when it cannot be read.
        problem: Why it cannot be read.
    """

    directory: Path
    manifest: Mapping[str, object] | None
    problem: SourceProblem | None = None

    def read(self, deployment: Deployment = Deployment()) -> Assembly:  # noqa: B008 - it cannot be changed
        """Reads every stack, those of the stages, and the nested stacks' templates.

        Args:
            deployment: Account and Region of stacks whose environment does not say them.
        """
        assembly = Assembly()
        assembly.made_at.update(made_at(self.directory, assembly.problems))
        _AssemblyReader(assembly, self, deployment, set()).read()
        return assembly


def open_assembly(directory: Path) -> CloudAssembly | None:
    """A directory as a cloud assembly, when it is one: its manifest lists artifacts; else None.

    One whose manifest is broken is an assembly still when it has the mark that CDK leaves in each.
    """
    path = directory / MANIFEST
    if not path.is_file():
        return None
    opened = _opened(directory)
    if opened.manifest is None:
        return opened if (directory / "cdk.out").is_file() else None
    return opened if "artifacts" in opened.manifest and "version" in opened.manifest else None


def _opened(directory: Path) -> CloudAssembly:
    problems: list[SourceProblem] = []
    manifest = _document(problems, directory / MANIFEST)
    return CloudAssembly(directory, manifest, problems[0] if problems else None)


class _AssemblyReader(Struct):
    assembly: Assembly
    opened: CloudAssembly
    deployment: Deployment
    seen: set[Path]
    assets: dict[str, str] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        return self.opened.directory

    def read(self) -> None:
        if self.directory.resolve() in self.seen:
            return
        self.seen.add(self.directory.resolve())
        self.assembly.directories.append(self.directory)
        if self.opened.problem is not None:
            self.assembly.problems.append(self.opened.problem)
        manifest = self.opened.manifest
        if manifest is None:
            return
        artifacts = manifest.get("artifacts")
        if not isinstance(artifacts, Mapping):
            source = str(self.directory / MANIFEST)
            self.assembly.problems.append(SourceProblem(source, "it lists no artifacts", _FIX))
            return
        self.assets = _asset_files(self.assembly.problems, self.directory, artifacts)
        for name, artifact in artifacts.items():
            if isinstance(artifact, Mapping):
                self._artifact(str(name), artifact)

    def _artifact(self, name: str, artifact: Mapping[str, object]) -> None:
        metadata = _by_type(self._metadata(artifact))
        if metadata:
            self.assembly.metadata.append(metadata)
        properties = artifact.get("properties")
        if not isinstance(properties, Mapping):
            return
        match artifact.get("type"):
            case "cdk:cloud-assembly":
                place = properties.get("directoryName")
                inner = _inside(self.assembly.problems, self.directory, place, name)
                if inner is not None:
                    _AssemblyReader(self.assembly, _opened(inner), self.deployment, self.seen).read()
            case "aws:cloudformation:stack":
                self._stack(name, artifact, properties, metadata)
            case _:
                return

    def _metadata(self, artifact: Mapping[str, object]) -> Mapping[str, object]:
        """What is written down of the constructs of an artifact: in the manifest, or in a file of its own."""
        found = artifact.get("metadata")
        extra = artifact.get("additionalMetadataFile")
        path = self.directory / extra if isinstance(extra, str) else None
        if path is not None and path.is_file():
            more = _document(self.assembly.problems, path) or {}
            return {**found, **more} if isinstance(found, Mapping) else more
        return found if isinstance(found, Mapping) else {}

    def _stack(
        self,
        name: str,
        artifact: Mapping[str, object],
        properties: Mapping[str, object],
        metadata: Metadata,
    ) -> None:
        path = _inside(self.assembly.problems, self.directory, properties.get("templateFile"), name)
        template = _read(self.assembly.problems, path) if path else None
        if path is None or template is None:
            return
        account, region = self.deployment.account, self.deployment.region
        environment = _ENVIRONMENT.fullmatch(str(artifact.get("environment", "")))
        if environment and environment.group(1) != "unknown-account":
            account = environment.group(1)
        if environment and environment.group(2) != "unknown-region":
            region = environment.group(2)
        stack = properties.get("stackName")
        paths = _construct_paths(metadata, str(properties.get("templateFile")))
        item = TemplateInput(
            template.data,
            str(path),
            stack=stack if isinstance(stack, str) else name,
            account=account,
            region=region,
            construct_paths=paths.get(path.name),
            assets=self.assets,
            marks=template.marks,
            creator=_execution_role(properties, account, region),
            made_at=self.assembly.made_at,
        )
        self.assembly.templates.append(item)
        self._nested(item, paths)

    def _nested(self, parent: TemplateInput, paths: Mapping[str, Mapping[str, str]]) -> None:
        own = ((source, "") for _, source in nested_templates(parent) if not source.startswith("//"))
        name = parent.within or parent.stack
        elsewhere = ((source, f"{name}.{logical_id}") for logical_id, source in deployed_assets(parent))
        for source, within in (*own, *elsewhere):
            path = Path(source)
            known = any(item.source == source for item in self.assembly.templates)
            if known or not path.resolve().is_relative_to(self.directory.resolve()):
                continue
            template = _read(self.assembly.problems, path)
            if template is not None:
                item = TemplateInput(
                    template.data,
                    source,
                    account=None if within else parent.account,
                    region=None if within else parent.region,
                    construct_paths=paths.get(path.name),
                    assets=self.assets,
                    marks=template.marks,
                    within=within,
                    creator=parent.creator,
                    made_at=parent.made_at,
                )
                self.assembly.templates.append(item)
                self._nested(item, paths)


def _execution_role(properties: Mapping[str, object], account: str | None, region: str | None) -> str | None:
    """The role that CloudFormation makes the stack's resources with, as the stack's synthesizer says."""
    role = properties.get("cloudFormationExecutionRoleArn")
    if not isinstance(role, str):
        return None
    known = {
        "AWS::Partition": partition_of(region),
        "AWS::AccountId": account,
        "AWS::Region": region,
    }
    for name, value in known.items():
        role = role.replace(f"${{{name}}}", value or hole(HoleKind.ENVIRONMENT, name))
    return role


def _construct_paths(metadata: Metadata, own: str) -> dict[str, dict[str, str]]:
    """Construct path by logical id, by template file: a stack's metadata covers its nested stacks too."""
    files = {path: data for path, data in metadata.get(TEMPLATE_FILE, ()) if isinstance(data, str)}
    logical_ids = {path: data for path, data in metadata.get(_LOGICAL_ID, ()) if isinstance(data, str)}
    found: dict[str, dict[str, str]] = {}
    for path, logical_id in logical_ids.items():
        owner, parent = own, path
        while parent:
            parent = parent.rpartition("/")[0]
            if parent in files:
                owner = files[parent]
                break
        found.setdefault(owner, {})[logical_id] = path.removeprefix("/")
    return found


def _by_type(metadata: Mapping[str, object]) -> Metadata:
    found: dict[str, list[tuple[str, object]]] = {}
    for path, entries in metadata.items():
        for entry in entries if isinstance(entries, list) else ():
            if type(entry) is dict:  # as JSON has it
                kind = entry.get("type")
                found.setdefault(kind if type(kind) is str else str(kind), []).append(
                    (path, entry.get("data"))
                )
    return found


def _asset_files(
    problems: list[SourceProblem], directory: Path, artifacts: Mapping[str, object]
) -> dict[str, str]:
    """Path of each file asset that may be a template, by its hash."""
    found: dict[str, str] = {}
    for name, artifact in artifacts.items():
        if not isinstance(artifact, Mapping) or artifact.get("type") != "cdk:asset-manifest":
            continue
        properties = artifact.get("properties")
        file = properties.get("file") if isinstance(properties, Mapping) else None
        path = _inside(problems, directory, file, str(name))
        manifest = _document(problems, path) if path else None
        files = manifest.get("files") if manifest else None
        for digest, asset in files.items() if isinstance(files, Mapping) else ():
            source = asset.get("source") if isinstance(asset, Mapping) else None
            relative = source.get("path") if isinstance(source, Mapping) else None
            if isinstance(relative, str) and relative.endswith(".json"):
                found[str(digest)] = str(directory / relative)
    return found


def _inside(problems: list[SourceProblem], directory: Path, name: object, artifact: str) -> Path | None:
    """A path of the manifest; it may not lead out of the assembly."""
    source = str(directory / MANIFEST)
    if not isinstance(name, str) or not name:
        problems.append(SourceProblem(source, f"artifact {artifact} names no file", _FIX))
        return None
    path = directory / name
    if "\0" in name or not path.resolve().is_relative_to(directory.resolve()):
        message = f"artifact {artifact} names a file outside of the assembly"
        problems.append(SourceProblem(source, message, _FIX))
        return None
    return path


class _Read(Frozen, frozen=True):
    data: Mapping[str, object]
    marks: Marks


def _read(problems: list[SourceProblem], path: Path) -> _Read | None:
    source = str(path)
    try:
        document = decode_document(read_text(path, source), source)
    except SourceError as error:
        problems.append(SourceProblem(source, error.problem, error.fix))
        return None
    if not isinstance(document.data, Mapping):
        problems.append(SourceProblem(source, "it holds no object", _FIX))
        return None
    problems.extend(document.problems)
    return _Read(document.data, document.marks)


def _document(problems: list[SourceProblem], path: Path) -> Mapping[str, object] | None:
    found = _read(problems, path)
    return None if found is None else found.data
