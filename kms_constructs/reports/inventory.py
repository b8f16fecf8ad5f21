"""The keys themselves, a row each: what they are, what they cost, and whether they outlive quantum computers.

The cost is what KMS charges for keeping a key, in US dollars a month: 1 for each key and replica, 1 more for
each of its first two rotations, nothing while it waits for its deletion. How often a key has rotated is not
asked, so the cost has a least and a most. Requests cost beside it. China's Regions have prices of their own.

See: https://aws.amazon.com/kms/pricing/ and https://docs.aws.amazon.com/kms/latest/developerguide/mldsa.html
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Final

from kms_constructs.model.estate import Estate, Key
from kms_constructs.model.text import display
from kms_constructs.model.unknown import is_unknown
from kms_constructs.reports.csv_report import safe_cell

COLUMNS: Final = (
    "account",
    "region",
    "key_id",
    "aliases",
    "kind",
    "key_spec",
    "key_usage",
    "origin",
    "state",
    "created",
    "deletion_date",
    "rotation",
    "rotation_period",
    "material_expires",
    "last_used",
    "grants",
    "replicas",
    "monthly_cost_least",
    "monthly_cost_most",
    "quantum",
    "tags",
)
"""Names of the columns, in the first line. New ones are added behind."""

UNKNOWN: Final = "unknown"
_PENDING: Final = ("PendingDeletion", "PendingReplicaDeletion")
_SIGNING: Final = "SIGN_VERIFY"
_ROTATIONS_CHARGED: Final = 2


def inventory_csv(estate: Estate) -> str:
    """The keys of an estate as CSV (RFC 4180), in the order of their accounts, Regions and ids."""
    file = StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    for row in inventory(estate):
        writer.writerow({name: safe_cell(value) for name, value in row.items()})
    return file.getvalue()


def inventory(estate: Estate) -> Iterator[dict[str, str]]:
    """The rows of the inventory."""
    for key in sorted(estate.keys, key=lambda one: (one.account, str(one.region), one.key_id or one.id)):
        yield _row(key)


def quantum(spec: object, usage: object) -> str:
    """Whether what a key of a spec protects outlives quantum computers.

    Example:
        >>> quantum("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
        'resistant: AES-256'
        >>> quantum("RSA_2048", "SIGN_VERIFY")
        'vulnerable: signatures can be forged later'
    """
    if not isinstance(spec, str):
        return UNKNOWN
    if spec == "SYMMETRIC_DEFAULT":
        return "resistant: AES-256"
    if spec.startswith("HMAC_"):
        return f"resistant: {spec.replace('_', '-SHA-')}"
    if spec.startswith(("ML_DSA_", "ML_KEM_")):
        return f"post-quantum: {spec.replace('_', '-')}"
    if spec.startswith(("RSA_", "ECC_")) or spec == "SM2":
        if usage == _SIGNING:
            return "vulnerable: signatures can be forged later"
        return "vulnerable: what is recorded today can be decrypted later"
    return UNKNOWN


def monthly_cost(key: Key) -> tuple[str, str]:
    """Least and most that KMS charges for keeping the key; empty where there is no price here."""
    if key.partition == "aws-cn":
        return "", ""
    if is_unknown(key.key_state):
        return "0", str(1 + _ROTATIONS_CHARGED)
    if key.key_state in _PENDING:
        return "0", "0"
    may_have_rotated = is_unknown(key.rotation_enabled) or key.rotation_enabled is not None
    return "1", str(1 + _ROTATIONS_CHARGED) if may_have_rotated else "1"


def _row(key: Key) -> dict[str, str]:
    live = key.live
    least, most = monthly_cost(key)
    tags = key.tags
    return {
        "account": display(key.account),
        "region": _said(key.region),
        "key_id": display(key.key_id or key.id),
        "aliases": UNKNOWN if key.aliases_unknown is not None else " ".join(map(display, key.aliases)),
        "kind": key.kind.value,
        "key_spec": _said(key.key_spec),
        "key_usage": _said(key.key_usage),
        "origin": _said(key.origin),
        "state": _said(key.key_state),
        "created": _said(live.created if live else None),
        "deletion_date": _said(live.deletion_date if live else None),
        "rotation": _said(key.rotation_enabled),
        "rotation_period": _said(key.rotation_period),
        "material_expires": _said(key.material_expires),
        "last_used": _last_used(key),
        "grants": _grants(key),
        "replicas": " ".join(live.replicas) if live and not is_unknown(live.replicas) else "",
        "monthly_cost_least": least,
        "monthly_cost_most": most,
        "quantum": quantum(key.key_spec, key.key_usage),
        "tags": UNKNOWN
        if is_unknown(tags)
        else " ".join(f"{display(name)}={_said(value)}" for name, value in sorted(tags.items())),
    }


def _grants(key: Key) -> str:
    known = [one for one in key.grants if not is_unknown(one.grantee)]
    return UNKNOWN if len(known) < len(key.grants) else str(len(known))


def _last_used(key: Key) -> str:
    live = key.live
    if live is None or is_unknown(live.last_used):
        return UNKNOWN
    if live.seen_in_trail:
        return f"{live.last_used} or later"
    return live.last_used or f"never since {live.tracked_since}"


def _said(value: object) -> str:
    if is_unknown(value):
        return UNKNOWN
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else display(str(value))
