"""Live keys, with the principals that the template which declares them authorises.

No answer of KMS's says who is meant to change a key: the template says it, in its metadata. A live key that
is held against its template is judged by what that declares, as it was at synth.
"""

from __future__ import annotations

from msgspec.structs import replace

from kms_constructs.guardrails.live.matching import matches_of
from kms_constructs.model.estate import Estate


def as_declared(estate: Estate) -> Estate:
    """The estate, whose live keys authorise whom their declarations authorise.

    Args:
        estate: Live keys, and in `expected` what they are held against. A key whose declaration cannot be
            told for certain authorises nobody.

    Example:
        >>> as_declared(Estate(sources=("111122223333/eu-west-1",))).keys
        ()
    """
    if not any(one.authorised for one in estate.expected):
        return estate
    matches = matches_of(estate)
    keys = []
    for key in estate.keys:
        declared = matches.declared_of(key)
        keys.append(key if declared is None else replace(key, authorised=declared.authorised))
    return replace(estate, keys=tuple(keys))
