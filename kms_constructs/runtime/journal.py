"""Answers as they come, a line each, so that a run that was interrupted goes on where it was."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from kms_constructs.errors import SourceError
from kms_constructs.model.reading import bounded_text, parsed_json
from kms_constructs.sources.kms_api.answers import Answer, Answers, Call, call_data, read_call

_FIX = "Give the file of an interrupted audit, or a name that does not exist yet"


class Journal:
    """A file that holds the answers of a run. Calls that brought nothing are asked again by the next run.

    Args:
        path: The file; it need not exist. It is readable by its owner alone.

    Raises:
        SourceError: The file cannot be read or written, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: IO[str] | None = None

    def read_into(self, answers: Answers) -> int:
        """Adds the answers of earlier runs, and tells how many there were."""
        try:
            text = bounded_text(self._path) if self._path.exists() else ""
        except (OSError, ValueError) as error:
            raise SourceError(str(self._path), f"it cannot be read: {error}", _FIX) from error
        lines = text.splitlines()
        found = 0
        for number, line in enumerate(lines, start=1):
            try:
                call, answer = read_call(parsed_json(line))
            except (ValueError, KeyError, TypeError) as error:
                if number == len(lines) and not text.endswith("\n"):
                    break  # the line that was being written when the run ended
                raise SourceError(str(self._path), f"line {number} is no answer", _FIX) from error
            if answer.refusal is None:
                answers.given[call] = answer
                found += 1
        return found

    def __enter__(self) -> Self:
        """Opens the file to write behind what it holds."""
        try:
            self._path.touch(mode=0o600)
            torn = self._path.read_bytes()
            if torn and not torn.endswith(b"\n"):
                self._path.write_bytes(torn[: torn.rfind(b"\n") + 1])
            self._file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise SourceError(str(self._path), f"it cannot be written: {error.strerror}", _FIX) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()

    def keep(self, call: Call, answer: Answer) -> None:
        """Writes an answer, at once. What was refused is left out: the next run asks it again."""
        if self._file is None or answer.refusal is not None:
            return
        with self._lock:
            self._file.write(json.dumps(call_data(call, answer), ensure_ascii=False) + "\n")
            self._file.flush()
