"""What a guardrail is, as data: for rules, packs, organization policies and the documentation alike."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import field

from kms_constructs.guardrails.finding import Severity
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.vocabulary import CLOUDFORMATION, Vocabulary


class Subject(StrEnum):
    """What a control looks at."""

    KEY_POLICY = "key policy"
    IDENTITY_POLICY = "IAM policy"
    KEY = "key"
    TRAIL = "trail"


class Framework(StrEnum):
    """Catalogues of others that a control maps to."""

    CIS_5 = "CIS AWS Foundations 5.0"
    CIS_7 = "CIS AWS Foundations 7.0"
    SOC_2 = "SOC 2"
    SECURITY_HUB = "Security Hub"
    NIST = "NIST 800-53 r5"
    PCI_DSS = "PCI DSS 4.0.1"


class Control(Frozen, frozen=True, kw_only=True):
    """One guardrail of the catalogue.

    Args:
        id: ``IAM-KMS-8``, ``KMS:001``.
        title: The compliant state, as a sentence without a full stop.
        rationale: What goes wrong without it.
        advice: What to do about a violation, with slots for the words of a source (`Vocabulary.say`).
        references: Pages of AWS's documentation.
        scope: What it looks at.
        actions: KMS actions that it is about, with prefix; empty when it is about properties.
        severity: Unless the configuration overrides it.
        mappings: Requirements of other catalogues that the control serves, by framework.
        preventable: Whether an organization policy (SCP or RCP) can enforce it.
        authorisable: Whether the configuration may authorise principals for it.
    """

    id: str
    title: str
    rationale: str
    advice: str
    references: tuple[str, ...]
    scope: tuple[Subject, ...]
    actions: tuple[str, ...] = ()
    severity: Severity
    mappings: Mapping[Framework, tuple[str, ...]] = field(default_factory=dict)
    preventable: bool = False
    authorisable: bool = False

    @property
    def remediation(self) -> str:
        """What to do about a violation, as the catalogue says it: in the words of templates."""
        return self.remedy(CLOUDFORMATION)

    def remedy(self, vocabulary: Vocabulary) -> str:
        """What to do about a violation, in the words of a source."""
        return vocabulary.say(self.advice)
