"""What a reader of one kind of input is. A new kind is one reader, and one line in the registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from kms_constructs.model.estate import Deployment, Estate, SourceProblem
from kms_constructs.model.frozen import Frozen
from kms_constructs.sources.positions import Marks


class Document(Frozen, frozen=True):
    """A file, decoded.

    Args:
        content: Plain data.
        source: Name of the file.
        named: Whether the caller named the file; else it was found in a directory.
        marks: Where its values stand in the file; None for data that came from none.
        problems: What decoding had to say of it; a reader that takes it tells them.
    """

    content: object
    source: str
    named: bool = True
    marks: Marks | None = None
    problems: tuple[SourceProblem, ...] = ()


class Bundle(Frozen, frozen=True):
    """A directory that is one input.

    Args:
        directory: The directory.
        read: Takes it in.
    """

    directory: Path
    read: Callable[[], object]


class Reader(ABC):
    """Reads one kind of input.

    One instance serves one reading: what it takes in is resolved together when the estate is asked for.

    Args:
        deployment: What the input does not say itself.
        problems: Where what cannot be read is told, in the order in which it is met.
    """

    kinds: ClassVar[Mapping[str, str]]
    """What it reads, for messages: the kind in one word or two, and as it would be asked for."""
    lacking: ClassVar[str]
    """What a file would be, and what it lacks to be that, for messages."""
    suffixes: ClassVar[tuple[str, ...]]
    """Endings of the files that it looks at in a directory, in lower case."""

    def __init__(self, deployment: Deployment, problems: list[SourceProblem]) -> None:
        self.deployment = deployment
        self.problems = problems

    def bundle(self, path: Path) -> Bundle | None:
        """The directory that a path stands for as a whole, when it is one of this kind; else None."""
        return None

    @abstractmethod
    def looks_relevant(self, text: str) -> bool:
        """Whether a file that nobody named may be of this kind: cheap, and before it is decoded."""

    @abstractmethod
    def take(self, document: Document) -> bool:
        """Takes a document in, when it is one of this kind."""

    def why_not(self, content: Mapping[str, object]) -> str | None:
        """Why an object that looks like one of this kind is none; None when it does not look like one."""
        return None

    def other_form(self, name: str, head: bytes) -> tuple[str, str] | None:
        """What a file is that holds one of this kind in a form that is not read, and what to do about it.

        Args:
            name: Name of the file.
            head: Its first bytes.
        """
        return None

    def parameters(self) -> frozenset[str]:
        """The parameters that what was taken in has: the others that the caller gave are mistakes."""
        return frozenset()

    @abstractmethod
    def estate(self) -> Estate:
        """Everything that was taken in, resolved together."""
