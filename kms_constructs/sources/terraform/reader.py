"""The reader of what ``terraform show -json`` and ``tofu show -json`` write: plans and states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from kms_constructs.model.estate import Deployment, Estate, SourceProblem
from kms_constructs.sources.reader import Document, Reader
from kms_constructs.sources.terraform.formats import is_shown, mistaken, undecodable, version_problem
from kms_constructs.sources.terraform.plan import Json


class TerraformReader(Reader):
    """Takes in plans and states, each by itself."""

    kinds: ClassVar[Mapping[str, str]] = {"Terraform plan": "a Terraform plan (terraform show -json)"}
    lacking: ClassVar[str] = "a Terraform plan (no format_version)"
    suffixes: ClassVar[tuple[str, ...]] = (".json",)

    def __init__(self, deployment: Deployment, problems: list[SourceProblem]) -> None:
        super().__init__(deployment, problems)
        self._plans: list[tuple[Json, str]] = []

    def looks_relevant(self, text: str) -> bool:
        """Whether it speaks of a format version and of resources of AWS."""
        return '"format_version"' in text and "aws_" in text

    def take(self, document: Document) -> bool:
        """Takes in what has a format version that is known; tells of another."""
        content = document.content
        if not isinstance(content, Mapping) or not is_shown(content):
            return False
        wrong = version_problem(content)
        if wrong is not None:
            self.problems.append(SourceProblem(document.source, *wrong))
        else:
            self._plans.append((content, document.source))
        return True

    def why_not(self, content: Mapping[str, object]) -> str | None:
        """What is wrong with what Terraform has written in another form."""
        return mistaken(content)

    def other_form(self, name: str, head: bytes) -> tuple[str, str] | None:
        """A plan in binary form, configuration, a log."""
        return undecodable(name, head)

    def estate(self) -> Estate:
        """All plans as one estate."""
        if not self._plans:
            return Estate()
        # Most runs read no plan, and what reads one is as much as all that reads templates.
        from kms_constructs.sources.terraform.plans import estate_from_plans

        return estate_from_plans(self._plans, self.deployment, self.problems)
