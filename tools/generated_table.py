"""A table of the documentation that is made of the code: between marks, and held current by tests."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class GeneratedTable:
    """A table and where it stands.

    Args:
        name: Stands in the marks: ``<!-- name:begin -->`` and ``<!-- name:end -->``.
        markdown: Makes the table, with the line break at its end.
    """

    name: str
    markdown: Callable[[], str]

    @property
    def begin(self) -> str:
        """The mark before the table."""
        return f"<!-- {self.name}:begin -->"

    @property
    def end(self) -> str:
        """The mark behind the table."""
        return f"<!-- {self.name}:end -->"

    def put_into(self, text: str) -> str:
        """The text with the table between its marks made current.

        Raises:
            ValueError: The marks do not stand there one after the other.
        """
        begin, end = text.find(self.begin), text.find(self.end)
        if begin < 0 or end < begin:
            raise ValueError(f"the marks {self.begin} and {self.end} do not stand one after the other")
        return f"{text[:begin]}{self.begin}\n{self.markdown()}{text[end:]}"

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Writes or checks the table; returns 0, or 1 when it is not current."""
        parser = argparse.ArgumentParser(description=f"The table of {self.name}, between its marks.")
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--write", metavar="FILE", type=Path, help="make the table in FILE current")
        how.add_argument("--check", metavar="FILE", type=Path, help="exit with 1 when it is not")
        given = parser.parse_args(arguments)
        path: Path = given.write or given.check
        text = path.read_text(encoding="utf-8")
        current = self.put_into(text)
        if given.write:
            path.write_text(current, encoding="utf-8")
            return 0
        if current != text:
            print(  # noqa: T201 - this is the output of a command
                f"{path}: the table of {self.name} is not current: run with --write", file=sys.stderr
            )
            return 1
        return 0


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; bars within cells are escaped."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "".join(
        f"|{'|'.join(line)}|\n" if number == 1 else f"| {' | '.join(line)} |\n"
        for number, line in enumerate(lines)
    )
