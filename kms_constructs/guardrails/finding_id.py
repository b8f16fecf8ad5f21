"""Ids by which findings are accepted: ``IAM-KMS-8[CreateGrant:3fa9c2d10b7e]``, or a pattern over such ids."""

from __future__ import annotations

import re
from datetime import date

from kms_constructs.guardrails.catalogue import CATALOGUE, find_control
from kms_constructs.guardrails.finding import INTERNAL_ERROR, Finding
from kms_constructs.guardrails.fingerprint import DIGITS
from kms_constructs.model.frozen import Frozen

DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
FINGERPRINT = re.compile(f"[0-9a-f]{{{DIGITS}}}")
_ID = re.compile(
    rf"(?P<control>[^\[\]*?]+)(?:\[(?P<detail>[^\[\]*?]*?)(?::(?P<fingerprint>{FINGERPRINT.pattern}))?\])?"
)
_PATTERN = re.compile(r"[^\[\]]+(?:\[[^\[\]]*\])?")


class FindingId(Frozen, frozen=True):
    """What an acknowledgement names.

    Args:
        control: Control id; empty for a pattern.
        detail: Detail; empty for a finding without one, and for a whole control.
        fingerprint: The fingerprint; empty where none is named.
        pattern: The pattern, when it has wildcards.

    Example:
        >>> str(FindingId.parse("iam-kms-8[CreateGrant:3fa9c2d10b7e]"))
        'IAM-KMS-8[CreateGrant:3fa9c2d10b7e]'
        >>> FindingId.parse("IAM-KMS-6[CreateGrant]").vague
        True
        >>> FindingId.parse("IAM-KMS-6[CreateGrant:*]").vague
        False
    """

    control: str = ""
    detail: str = ""
    fingerprint: str = ""
    pattern: str | None = None

    @classmethod
    def parse(cls, text: str) -> FindingId | None:
        """The id that a text is; None when it is none, or names a control that there is not."""
        given = text.strip()
        if "*" in given or "?" in given:
            known = _PATTERN.fullmatch(given) and any(
                _glob(given.partition("[")[0]).fullmatch(control) for control in CATALOGUE
            )
            return cls(pattern=given) if known else None
        match = _ID.fullmatch(given)
        control = find_control(match["control"]) if match else None
        if match is None or control is None or (match["detail"] == "" and not match["fingerprint"]):
            return None
        return cls(control.id, match["detail"] or "", match["fingerprint"] or "")

    @property
    def vague(self) -> bool:
        """Whether it names a kind of finding without saying which: it accepts nothing."""
        return self.pattern is None and not self.fingerprint

    def of_kind(self, finding: Finding) -> bool:
        """Whether a finding is of the kind that it names, whatever exactly was found."""
        if self.pattern is not None:
            return bool(self.accepts(finding))
        return self.control == finding.control and (
            self.detail == finding.detail or (self.vague and not self.detail)
        )

    def accepts(self, finding: Finding) -> frozenset[str]:
        """Those of the fingerprints of a finding that it accepts."""
        if self.pattern is not None:
            if finding.detail == INTERNAL_ERROR and INTERNAL_ERROR not in self.pattern:
                return frozenset()  # a rule that failed is nobody's to accept in passing
            if "[" not in self.pattern and self._glob.fullmatch(finding.control):
                return frozenset(finding.fingerprints)
            pairs = zip(finding.exact_ids, finding.fingerprints, strict=True)
            return frozenset(one for exact, one in pairs if self._glob.fullmatch(exact))
        if self.vague or not self.of_kind(finding):
            return frozenset()
        return frozenset({self.fingerprint} & set(finding.fingerprints))

    def concerns(self, control: str) -> bool:
        """Whether findings of a control may be meant."""
        if self.pattern is None:
            return self.control == control
        return _glob(self.pattern.partition("[")[0]).fullmatch(control) is not None

    @property
    def _glob(self) -> re.Pattern[str]:
        return _glob(self.pattern or "")

    def __str__(self) -> str:
        if self.pattern is not None:
            return self.pattern
        if self.fingerprint:
            return f"{self.control}[{self.detail}:{self.fingerprint}]"
        return f"{self.control}[{self.detail}]" if self.detail else self.control


def day_of(text: str) -> date | None:
    """The day that a text is; None when it is none."""
    # Newer Pythons take other ISO forms as well, weeks for one; what holds may not depend on the Python.
    if not DAY.fullmatch(text.strip()):
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _glob(pattern: str) -> re.Pattern[str]:
    # Not fnmatch: there, brackets are a set of characters.
    parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
