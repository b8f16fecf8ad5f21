"""The reader of CloudFormation templates and of cloud assemblies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace

from kms_constructs.model.estate import Acceptance, Deployment, Estate, SourceProblem
from kms_constructs.sources.cloudformation.acceptances import accepted_in, acknowledged
from kms_constructs.sources.cloudformation.assembly import (
    MANIFEST,
    Assembly,
    CloudAssembly,
    open_assembly,
)
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from kms_constructs.sources.reader import Bundle, Document, Reader

_RESOURCE_TYPE = re.compile(r"\bAWS::[A-Za-z0-9]+::[A-Za-z0-9]+")


class CloudFormationReader(Reader):
    """Takes in templates and assemblies: what one template exports another imports."""

    kinds: ClassVar[Mapping[str, str]] = {
        "template": "a CloudFormation template",
        "assembly": "a cdk.out directory",
    }
    lacking: ClassVar[str] = "a template (no Resources)"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".yaml", ".yml", ".template")

    def __init__(self, deployment: Deployment, problems: list[SourceProblem]) -> None:
        super().__init__(deployment, problems)
        self._templates: list[TemplateInput] = []
        self._acknowledged: list[Acceptance] = []

    def bundle(self, path: Path) -> Bundle | None:
        """A ``cdk.out`` directory, or its manifest."""
        directory = path.parent if path.name == MANIFEST and not path.is_dir() else path
        assembly = open_assembly(directory)
        return Bundle(directory, partial(self.add_assembly, assembly)) if assembly is not None else None

    def add_assembly(self, assembly: CloudAssembly) -> Assembly:
        """Takes an assembly in whole."""
        found = assembly.read(self.deployment)
        self._templates.extend(found.templates)
        self.problems.extend(found.problems)
        self._acknowledged.extend(acknowledged(found))
        return found

    def looks_relevant(self, text: str) -> bool:
        """Whether it speaks of resources and of their types."""
        return "Resources" in text and _RESOURCE_TYPE.search(text) is not None

    def take(self, document: Document) -> bool:
        """Takes in what has Resources."""
        content = document.content
        if not isinstance(content, Mapping) or not isinstance(content.get("Resources"), Mapping):
            return False
        where = self.deployment
        item = TemplateInput(
            content, document.source, account=where.account, region=where.region, marks=document.marks
        )
        self._templates.append(item)
        return True

    def why_not(self, content: Mapping[str, object]) -> str | None:
        """What is wrong with what would be a template or a manifest."""
        if "Resources" in content:
            return "Resources is no object"
        return "it is the manifest of no assembly" if "artifacts" in content else None

    def parameters(self) -> frozenset[str]:
        """The parameters of all templates."""
        return frozenset(
            str(name)
            for item in self._templates
            if isinstance(section := item.template.get("Parameters"), Mapping)
            for name in section
        )

    def estate(self) -> Estate:
        """All templates, resolved together."""
        where = self.deployment
        found = estate_from_templates(
            self._templates, parameters=where.parameters, ignore_defaults=where.ignore_defaults
        )
        problems: list[SourceProblem] = []
        accepted = (*self._acknowledged, *accepted_in(self._templates, problems))
        return replace(found, acceptances=accepted, problems=(*found.problems, *problems))
