"""Records and log files to ingest."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

ACCOUNT = "111122223333"
REGION = "eu-central-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/orders"


def record(number: int, **more: object) -> dict[str, object]:
    """A record of Decrypt; one event a minute from 1 May 2026."""
    minutes = number % (60 * 24 * 28)
    day, rest = divmod(minutes, 60 * 24)
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLEORDERS:session",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/orders/session",
            "accountId": ACCOUNT,
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}},
        },
        "eventTime": f"2026-05-{day + 1:02}T{rest // 60:02}:{rest % 60:02}:00Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "Decrypt",
        "awsRegion": REGION,
        "sourceIPAddress": "10.0.0.1",
        "userAgent": "aws-sdk",
        "requestParameters": {"encryptionContext": {"order": str(number)}, "keyId": KEY},
        "responseElements": None,
        "eventID": f"e-{number}",
        "readOnly": True,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": KEY}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        **more,
    }


def log(records: Sequence[Mapping[str, object]]) -> bytes:
    """A log file, as CloudTrail writes it, not packed."""
    return json.dumps({"Records": records}, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "backslashreplace"
    )


def deliver(directory: Path, numbers: range, *, per_file: int = 50, region: str = REGION) -> tuple[Path, ...]:
    """Log files with records of these numbers, under the names that CloudTrail gives."""
    made = []
    for start in range(numbers.start, numbers.stop, per_file):
        records = [record(one) for one in range(start, min(start + per_file, numbers.stop))]
        time = str(records[0]["eventTime"])[:16].replace("-", "").replace(":", "")
        file = directory / f"{ACCOUNT}_CloudTrail_{region}_{time}Z_{start:016}.json.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(log(records)))
        made.append(file)
    return tuple(made)
