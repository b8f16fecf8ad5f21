"""Statements that ask for a Nitro enclave, and for which one.

See: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-attestation.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kms_constructs.model.policy import Condition, Effect, Policy, Statement
from kms_constructs.model.unknown import is_unknown

_ATTESTATION: Final = "kms:recipientattestation:"
_IMAGE: Final = tuple(f"{_ATTESTATION}{name}" for name in ("imagesha384", "pcr0", "pcr8"))
"""What names an image: its digest, or the certificate that it was signed with. The other registers name a
kernel, a role or an instance, on which any image may run."""


def without_image(policy: Policy) -> Iterator[Statement]:
    """The Allows that ask for an attestation, and take that of any image."""
    for statement in policy.statements:
        conditions = statement.conditions
        if statement.effect is not Effect.ALLOW or is_unknown(conditions):
            continue
        asked = [one for one in conditions if one.folded_key.startswith(_ATTESTATION)]
        if asked and not any(map(_names_image, asked)):
            yield statement


def _names_image(condition: Condition) -> bool:
    """Whether a condition holds for listed images alone: without the attestation it does not hold either."""
    return (
        condition.folded_key in _IMAGE
        and condition.base in ("stringequals", "stringequalsignorecase")
        and not condition.if_exists
        and condition.qualifier != "forallvalues"
        and not is_unknown(condition.values)
    )
