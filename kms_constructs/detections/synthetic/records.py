"""Records as CloudTrail writes them, made of who, what and on which key.

See: https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

Record = dict[str, object]

KMS = "kms.amazonaws.com"


def identifier(rng: random.Random) -> str:
    """An id in the form of a UUID."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def moment(seconds: float) -> str:
    """A time in seconds since 1970, as CloudTrail writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def role_arn(account: str, name: str) -> str:
    """ARN of a role."""
    return f"arn:aws:iam::{account}:role/{name}"


def role(account: str, name: str, session: str = "session", **further: object) -> Record:
    """A session of a role."""
    unique = f"AROA{abs(hash_of(account, name)):016X}"[:20]
    return {
        "type": "AssumedRole",
        "principalId": f"{unique}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        "accountId": account,
        "accessKeyId": f"ASIAEXAMPLE{unique[-9:]}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": unique,
                "arn": role_arn(account, name),
                "accountId": account,
                "userName": name,
            },
            "attributes": {"creationDate": "2026-04-30T23:55:10Z", "mfaAuthenticated": "false"},
        },
        **further,
    }


def user(account: str, name: str) -> Record:
    """A user of IAM."""
    unique = f"AIDA{abs(hash_of(account, name)):016X}"[:20]
    return {
        "type": "IAMUser",
        "principalId": unique,
        "arn": f"arn:aws:iam::{account}:user/{name}",
        "accountId": account,
        "accessKeyId": f"AKIAEXAMPLE{unique[-9:]}",
        "userName": name,
    }


def root(account: str) -> Record:
    """The root user."""
    return {
        "type": "Root",
        "principalId": account,
        "arn": f"arn:aws:iam::{account}:root",
        "accountId": account,
        "accessKeyId": "",
    }


def service(name: str) -> Record:
    """A service on its own behalf."""
    return {"type": "AWSService", "invokedBy": name}


def internal(account: str) -> Record:
    """KMS itself."""
    return {"accountId": account, "invokedBy": "AWS Internal"}


def stranger(account: str, name: str) -> Record:
    """A caller of another account, as the owner of the key sees it."""
    unique = f"AROA{abs(hash_of(account, name)):016X}"[:20]
    return {"type": "AWSAccount", "principalId": f"{unique}:session", "accountId": account}


def hash_of(*texts: str) -> int:
    """A number that is the same on every machine and in every run, as `hash` is not."""
    return random.Random("/".join(texts)).getrandbits(62)  # noqa: S311 - a label, no secret


def record(
    name: str,
    *,
    by: Record,
    account: str,
    region: str,
    at: str,
    address: str,
    event_id: str,
    request_id: str,
    parameters: Mapping[str, object] | None = None,
    keys: Sequence[str] = (),
    version: str = "1.11",
    source: str = KMS,
    error: str | None = None,
    read_only: bool = False,
    response: Mapping[str, object] | None = None,
    agent: str = "aws-sdk-java/2.31.7 ua/2.1 os/Linux",
    **further: object,
) -> Record:
    """A record, its fields in the order in which CloudTrail writes them.

    Args:
        name: Name of the call.
        by: Identity of the caller.
        account: Whose trail it is.
        region: Where.
        at: When: ISO 8601, UTC.
        address: Where the call came from.
        event_id: Id of the event.
        request_id: Id of the request.
        parameters: Of the request.
        keys: ARNs among the resources.
        version: Of the form of the record.
        source: Service that was called.
        error: Error code, when it failed.
        read_only: As CloudTrail says.
        response: Elements of the response.
        agent: The caller's user agent.
        further: Fields beside these.
    """
    found: Record = {
        "eventVersion": version,
        "userIdentity": by,
        "eventTime": at,
        "eventSource": source,
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": address,
        "userAgent": agent,
    }
    if error is not None:
        found |= {"errorCode": error, "errorMessage": f"The call {name} was refused or failed: {error}"}
    found |= {
        "requestParameters": dict(parameters) if parameters is not None else None,
        "responseElements": dict(response) if response is not None else None,
        "requestID": request_id,
        "eventID": event_id,
        "readOnly": read_only,
    }
    if keys:
        found["resources"] = [
            {"accountId": arn.split(":")[4], "type": "AWS::KMS::Key", "ARN": arn} for arn in keys
        ]
    found |= {"eventType": "AwsApiCall"}
    if version not in ("1.05", "1.02"):
        found |= {"managementEvent": True}
    found |= {"recipientAccountId": account}
    if version not in ("1.05", "1.02"):
        found |= {"eventCategory": "Management"}
    return found | further
