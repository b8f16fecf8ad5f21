"""Cloud assemblies (``cdk.out``): the templates that a CDK app was synthesized to.

Only files are read, so neither CDK nor Node is needed.

See: https://docs.aws.amazon.com/cdk/v2/guide/deploy.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kms_constructs.errors import SourceError
from kms_constructs.model.estate import SourceProblem
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.world import nested_templates
from kms_constructs.sources.decode import decode, decode_document, read_text
from kms_constructs.sources.positions import Marks

MANIFEST: Final = "manifest.json"
_ENVIRONMENT = re.compile(r"aws://([^/]+)/([^/]+)")
_FIX: Final = "Synthesize the app again"


@dataclass(slots=True)
class Assembly:
    """The templates of an assembly and its nested assemblies, and what could not be read.

    Args:
        templates: One a stack, and one a nested stack's template.
        problems: Files that are missing or broken.
    """

    templates: list[TemplateInput] = field(default_factory=list)
    problems: list[SourceProblem] = field(default_factory=list)


def is_assembly(directory: Path) -> bool:
    """Whether a directory is a cloud assembly: its manifest lists artifacts."""
    path = directory / MANIFEST
    if not path.is_file():
        return False
    try:
        manifest = decode(read_text(path, str(path)), str(path))
    except SourceError:
        return (directory / "cdk.out").is_file()
    return isinstance(manifest, Mapping) and "artifacts" in manifest and "version" in manifest


def read_assembly(directory: Path, *, account: str | None = None, region: str | None = None) -> Assembly:
    """Reads every stack of an assembly, of its stages, and the nested stacks' templates.

    Args:
        directory: A ``cdk.out`` directory.
        account: Account of stacks whose environment does not say it.
        region: Region of stacks whose environment does not say it.
    """
    assembly = Assembly()
    _Reader(assembly, directory, account, region, set()).read()
    return assembly


@dataclass(slots=True)
class _Reader:
    assembly: Assembly
    directory: Path
    account: str | None
    region: str | None
    seen: set[Path]
    assets: dict[str, str] = field(default_factory=dict)

    def read(self) -> None:
        if self.directory.resolve() in self.seen:
            return
        self.seen.add(self.directory.resolve())
        manifest = _document(self.assembly, self.directory / MANIFEST)
        if manifest is None:
            return
        artifacts = manifest.get("artifacts")
        if not isinstance(artifacts, Mapping):
            source = str(self.directory / MANIFEST)
            self.assembly.problems.append(SourceProblem(source, "it lists no artifacts", _FIX))
            return
        self.assets = _asset_files(self.assembly, self.directory, artifacts)
        for name, artifact in artifacts.items():
            if not isinstance(artifact, Mapping):
                continue
            properties = artifact.get("properties")
            if not isinstance(properties, Mapping):
                continue
            match artifact.get("type"):
                case "cdk:cloud-assembly":
                    inner = _inside(self.assembly, self.directory, properties.get("directoryName"), str(name))
                    if inner is not None:
                        _Reader(self.assembly, inner, self.account, self.region, self.seen).read()
                case "aws:cloudformation:stack":
                    self._stack(str(name), artifact, properties)
                case _:
                    continue

    def _stack(self, name: str, artifact: Mapping[str, object], properties: Mapping[str, object]) -> None:
        path = _inside(self.assembly, self.directory, properties.get("templateFile"), name)
        template = _read(self.assembly, path) if path else None
        if path is None or template is None:
            return
        account, region = self.account, self.region
        environment = _ENVIRONMENT.fullmatch(str(artifact.get("environment", "")))
        if environment and environment.group(1) != "unknown-account":
            account = environment.group(1)
        if environment and environment.group(2) != "unknown-region":
            region = environment.group(2)
        stack = properties.get("stackName")
        paths = _construct_paths(self.assembly, self.directory, artifact)
        item = TemplateInput(
            template.data,
            str(path),
            stack=stack if isinstance(stack, str) else name,
            account=account,
            region=region,
            construct_paths=paths.get(path.name),
            assets=self.assets,
            marks=template.marks,
        )
        self.assembly.templates.append(item)
        self._nested(item, paths)

    def _nested(self, parent: TemplateInput, paths: Mapping[str, Mapping[str, str]]) -> None:
        for _, source in nested_templates(parent):
            path = Path(source)
            known = any(item.source == source for item in self.assembly.templates)
            if known or not path.resolve().is_relative_to(self.directory.resolve()):
                continue
            template = _read(self.assembly, path)
            if template is not None:
                item = TemplateInput(
                    template.data,
                    source,
                    account=parent.account,
                    region=parent.region,
                    construct_paths=paths.get(path.name),
                    assets=self.assets,
                    marks=template.marks,
                )
                self.assembly.templates.append(item)
                self._nested(item, paths)


def _construct_paths(
    assembly: Assembly, directory: Path, artifact: Mapping[str, object]
) -> dict[str, dict[str, str]]:
    """Construct path by logical id, by template file: a stack's metadata covers its nested stacks too."""
    metadata = artifact.get("metadata")
    extra = artifact.get("additionalMetadataFile")
    if not isinstance(metadata, Mapping) and isinstance(extra, str) and (directory / extra).is_file():
        metadata = _document(assembly, directory / extra)
    if not isinstance(metadata, Mapping):
        return {}
    files: dict[str, str] = {}
    logical_ids: dict[str, str] = {}
    for path, kind, data in _entries(metadata):
        if kind == "aws:cdk:templateFile":
            files[path] = data
        elif kind == "aws:cdk:logicalId":
            logical_ids[path] = data
    properties = artifact.get("properties")
    own = properties.get("templateFile") if isinstance(properties, Mapping) else None
    found: dict[str, dict[str, str]] = {}
    for path, logical_id in logical_ids.items():
        owner, parent = str(own), path
        while parent:
            parent = parent.rpartition("/")[0]
            if parent in files:
                owner = files[parent]
                break
        found.setdefault(owner, {})[logical_id] = path.removeprefix("/")
    return found


def _entries(metadata: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    for path, entries in metadata.items():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, Mapping) and isinstance(data := entry.get("data"), str):
                yield path, str(entry.get("type")), data


def _asset_files(assembly: Assembly, directory: Path, artifacts: Mapping[str, object]) -> dict[str, str]:
    """Path of each file asset that may be a template, by its hash."""
    found: dict[str, str] = {}
    for name, artifact in artifacts.items():
        if not isinstance(artifact, Mapping) or artifact.get("type") != "cdk:asset-manifest":
            continue
        properties = artifact.get("properties")
        file = properties.get("file") if isinstance(properties, Mapping) else None
        path = _inside(assembly, directory, file, str(name))
        manifest = _document(assembly, path) if path else None
        files = manifest.get("files") if manifest else None
        for digest, asset in files.items() if isinstance(files, Mapping) else ():
            source = asset.get("source") if isinstance(asset, Mapping) else None
            relative = source.get("path") if isinstance(source, Mapping) else None
            if isinstance(relative, str) and relative.endswith(".json"):
                found[str(digest)] = str(directory / relative)
    return found


def _inside(assembly: Assembly, directory: Path, name: object, artifact: str) -> Path | None:
    """A path of the manifest; it may not lead out of the assembly."""
    source = str(directory / MANIFEST)
    if not isinstance(name, str) or not name:
        assembly.problems.append(SourceProblem(source, f"artifact {artifact} names no file", _FIX))
        return None
    path = directory / name
    if "\0" in name or not path.resolve().is_relative_to(directory.resolve()):
        message = f"artifact {artifact} names a file outside of the assembly"
        assembly.problems.append(SourceProblem(source, message, _FIX))
        return None
    return path


@dataclass(frozen=True, slots=True)
class _Read:
    data: Mapping[str, object]
    marks: Marks


def _read(assembly: Assembly, path: Path) -> _Read | None:
    source = str(path)
    try:
        document = decode_document(read_text(path, source), source)
    except SourceError as error:
        assembly.problems.append(SourceProblem(source, error.problem, error.fix))
        return None
    if not isinstance(document.data, Mapping):
        assembly.problems.append(SourceProblem(source, "it holds no object", _FIX))
        return None
    assembly.problems.extend(document.problems)
    return _Read(document.data, document.marks)


def _document(assembly: Assembly, path: Path) -> Mapping[str, object] | None:
    found = _read(assembly, path)
    return None if found is None else found.data
