"""What a trail would have recorded of the calls that the run makes itself.

The emulator records calls, but neither whose they were nor on which key. So the calls of the run's own
clients are written down here as CloudTrail writes them, and delivered as a trail delivers them.
"""

from __future__ import annotations

import gzip
import json
import time
import uuid
from typing import Any

Record = dict[str, Any]


def record(client: Any, records: list[Record], *, caller: str, account: str, region: str) -> None:
    """Has a client of KMS write its calls down.

    Args:
        client: A client of boto3.
        records: Where the records go.
        caller: ARN of the role that the calls are made as.
        account: Account of the keys.
        region: Region of the client.
    """
    begun: list[Record] = []

    def before(params: dict[str, Any], model: Any, **_: object) -> None:
        begun.append(_record(model.name, params, caller=caller, account=account, region=region))

    def after(http_response: Any, parsed: dict[str, Any], **_: object) -> None:
        one = begun.pop()
        if http_response.status_code >= 300:
            one["errorCode"] = parsed.get("Error", {}).get("Code", "Failure")
        records.append(one)

    client.meta.events.register("provide-client-params.kms.*", before)
    client.meta.events.register("after-call.kms.*", after)


def delivered(s3: Any, bucket: str, records: list[Record], *, account: str, region: str) -> str:
    """Puts the records into a bucket as a trail does, and returns the place to read them from."""
    day = time.strftime("%Y/%m/%d", time.gmtime())
    prefix = f"AWSLogs/{account}/CloudTrail/{region}/{day}/"
    stamp = time.strftime("%Y%m%dT%H%MZ", time.gmtime())
    name = f"{account}_CloudTrail_{region}_{stamp}_{uuid.uuid4().hex[:16]}.json.gz"
    body = gzip.compress(json.dumps({"Records": records}).encode())
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=f"{prefix}{name}", Body=body)
    return f"s3://{bucket}/AWSLogs/"


def _record(name: str, params: dict[str, Any], *, caller: str, account: str, region: str) -> Record:
    role = caller.rpartition("/")[2]
    plain: Record = {
        key[0].lower() + key[1:]: value for key, value in params.items() if isinstance(value, str | int)
    }
    if context := params.get("EncryptionContext"):
        plain["encryptionContext"] = context
    key = params.get("KeyId")
    arn = key if isinstance(key, str) and key.startswith("arn:") else None
    read_only = name.startswith(("Describe", "Get", "List")) or name in ("Encrypt", "Decrypt")
    return {
        "eventVersion": "1.11",
        "eventID": str(uuid.uuid4()),
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "eventSource": "kms.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "e2e",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:e2e",
            "arn": f"arn:aws:sts::{account}:assumed-role/{role}/e2e",
            "accountId": account,
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": caller, "userName": role}},
        },
        "requestParameters": plain,
        "responseElements": None,
        "resources": [{"ARN": arn, "accountId": account, "type": "AWS::KMS::Key"}] if arn else [],
        "eventType": "AwsApiCall",
        "readOnly": read_only,
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
