"""The baseline: what was there on the day that the guardrails came, so that only what is new or worse fails.

A file of accepted fingerprints, one a line, sorted: two branches that prune it merge, and whoever reviews it
sees what each line accepts. It accepts what it lists and nothing like it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kms_constructs.errors import ConfigurationError
from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.finding import INTERNAL_ERROR, Finding, Remark, RemarkKind, Severity
from kms_constructs.guardrails.fingerprint import principals_of, resource_name
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.reading import bounded_text, parsed_json
from kms_constructs.model.text import display

VERSION = 1
_MOST_NAMED = 5
_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
_TEXTS = ("fingerprint", "control", "finding", "resource", "severity", "principal", "message")


class Entry(Frozen, frozen=True, order=True):
    """One accepted fingerprint, with what a reviewer wants to know of it.

    Args:
        resource: The resource, by construct path or by stack and logical id.
        finding: Control and kind: ``IAM-KMS-8[CreateGrant]``.
        principal: The principal, or the description of those concerned; empty where there is none.
        fingerprint: The fingerprint.
        control: The control.
        severity: How bad it was. What has become worse is not accepted.
        message: What was found.
    """

    resource: str
    finding: str
    principal: str
    fingerprint: str
    control: str
    severity: str
    message: str


@dataclass(slots=True)
class Baseline:
    r"""Accepted fingerprints.

    Args:
        entries: The entries, sorted.
        source: The file.

    Example:
        >>> Baseline.of([]).to_text()
        '{\n  "version": 1,\n  "accepted": []\n}\n'
    """

    entries: tuple[Entry, ...]
    source: str = "baseline"
    _by_fingerprint: dict[str, Entry] = field(init=False)
    _seen: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        """Finds entries by their fingerprints."""
        self._by_fingerprint = {entry.fingerprint: entry for entry in self.entries}

    @classmethod
    def of(cls, findings: Iterable[Finding], source: str = "baseline") -> Baseline:
        """A baseline of everything that fails, apart from rules that failed: these have found nothing."""
        entries = {
            entry.fingerprint: entry
            for finding in findings
            if finding.fails and finding.detail != INTERNAL_ERROR
            for entry in _entries(finding)
        }
        return cls(tuple(sorted(entries.values())), source)

    @classmethod
    def read(cls, path: str | Path) -> Baseline:
        """Reads a baseline.

        Raises:
            ConfigurationError: The file cannot be read, or is no baseline.
        """
        source = str(path)
        try:
            document = parsed_json(bounded_text(Path(path)))
        except OSError as error:
            raise ConfigurationError(
                source, "(file)", f"it cannot be read: {error.strerror}",
                f"make it with `kms-constructs baseline cdk.out -o {source}`",
            ) from error  # fmt: skip
        except ValueError as error:
            raise ConfigurationError(
                source, "(file)", f"it is no JSON: {error}",
                "a merge may have left its marks: keep the lines of both sides",
            ) from error  # fmt: skip
        if not isinstance(document, Mapping) or document.get("version") != VERSION:
            raise ConfigurationError(
                source, "version", f"it is no baseline of version {VERSION}", "make it again"
            )
        listed = document.get("accepted")
        if not isinstance(listed, list):
            raise ConfigurationError(source, "accepted", "it is no list", "make the baseline again")
        return cls(tuple(sorted({_entry(source, place, one) for place, one in enumerate(listed)})), source)

    @property
    def reason(self) -> str:
        """Why what it lists is accepted."""
        return f"in the baseline {self.source}"

    def accepts(self, fingerprint: str, finding: Finding) -> bool:
        """Whether the baseline has a fingerprint, and the finding weighs no more than it did."""
        entry = self._by_fingerprint.get(fingerprint)
        if entry is None or finding.detail == INTERNAL_ERROR:
            return False
        self._seen.add(fingerprint)
        return _RANKS[finding.severity] >= _RANKS[Severity(entry.severity)]

    def left(self, controls: Collection[str] = CATALOGUE) -> tuple[Entry, ...]:
        """The entries that are still there, or whose controls were not judged; to be asked afterwards."""
        return tuple(
            one for one in self.entries if one.fingerprint in self._seen or one.control not in controls
        )

    def fixed(self, controls: Collection[str] = CATALOGUE) -> Iterator[Remark]:
        """The entries that nothing corresponds to any more, together for each kind and principal."""
        left = set(self.left(controls))
        gone: dict[tuple[str, str], list[str]] = {}
        for entry in self.entries:
            if entry not in left:
                gone.setdefault((entry.finding, entry.principal), []).append(entry.resource)
        for (finding, principal), places in sorted(gone.items()):
            more = len(places) - _MOST_NAMED
            named = ", ".join(places[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
            who = f" for {principal}" if principal else ""
            yield Remark(
                RemarkKind.BASELINE,
                f"{finding} of {named}{who} is in the baseline, and is there no more.",
                "`kms-constructs baseline PATH --update` takes it out.",
            )

    def to_text(self) -> str:
        """The file: one line an entry, sorted."""
        lines = [
            "    " + json.dumps({name: getattr(entry, name) for name in _TEXTS})
            for entry in sorted(self.entries)
        ]
        listed = "[\n" + ",\n".join(lines) + "\n  ]" if lines else "[]"
        return f'{{\n  "version": {VERSION},\n  "accepted": {listed}\n}}\n'


def _entries(finding: Finding) -> Iterator[Entry]:
    names = principals_of(finding) or (", ".join(finding.principals),) * len(finding.fingerprints)
    for name, fingerprint in zip(names, finding.fingerprints, strict=True):
        yield Entry(
            resource=display(resource_name(finding.location)),
            finding=finding.id,
            principal=display(name),
            fingerprint=fingerprint,
            control=finding.control,
            severity=finding.severity.value,
            message=display(finding.message),
        )


def _entry(source: str, place: int, value: object) -> Entry:
    texts = {name: value.get(name) for name in _TEXTS} if isinstance(value, Mapping) else {}
    if not texts or not all(isinstance(text, str) for text in texts.values()):
        raise ConfigurationError(
            source, f"accepted[{place}]", f"it has not all of {', '.join(_TEXTS)}", "make the baseline again"
        )
    if texts["severity"] not in set(Severity):
        raise ConfigurationError(
            source, f"accepted[{place}].severity", f"{texts['severity']!r} is no severity",
            "make the baseline again",
        )  # fmt: skip
    return Entry(**{name: str(text) for name, text in texts.items()})
