"""The reader of saved answers: what ``kms-constructs audit --save`` writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from kms_constructs.errors import SourceError
from kms_constructs.model.estate import Deployment, Estate, SourceProblem
from kms_constructs.sources.kms_api.form import FORMAT
from kms_constructs.sources.plain import plain
from kms_constructs.sources.reader import Document, Reader

if TYPE_CHECKING:
    from kms_constructs.sources.kms_api.answers import Answers


class KmsApiReader(Reader):
    """Takes in saved answers, each file by itself."""

    kinds: ClassVar[Mapping[str, str]] = {"file of saved answers": "what kms-constructs audit --save wrote"}
    lacking: ClassVar[str] = f"saved answers (no {FORMAT})"
    suffixes: ClassVar[tuple[str, ...]] = (".json",)

    def __init__(self, deployment: Deployment, problems: list[SourceProblem]) -> None:
        super().__init__(deployment, problems)
        self._answers: list[Answers] = []

    def looks_relevant(self, text: str) -> bool:
        """Whether it says that it holds answers."""
        return f'"{FORMAT}"' in text

    def take(self, document: Document) -> bool:
        """Takes in what says that it holds answers; tells of what has another form."""
        content = document.content
        if not isinstance(content, Mapping) or FORMAT not in content:
            return False
        from kms_constructs.sources.kms_api.answers import read_answers

        safe = plain(content)
        assert isinstance(safe, Mapping)  # noqa: S101 - it was one, and stays one
        try:
            self._answers.append(read_answers(safe, document.source))
        except SourceError as error:
            self.problems.append(SourceProblem(document.source, error.problem, error.fix))
        return True

    def estate(self) -> Estate:
        """All answers as one estate."""
        if not self._answers:
            return Estate()
        # Most runs read no answers: see the reader of Terraform's plans.
        from kms_constructs.sources.kms_api.estate import estate_from_answers

        return Estate.merge(Estate(), *map(estate_from_answers, self._answers))
