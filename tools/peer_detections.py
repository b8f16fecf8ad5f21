"""What others look for in KMS's events, and what catches the same here; each row has a test with events.

``tests/detections/trail/test_peers.py`` runs the events of each row.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.generated_table import GeneratedTable, table


@dataclass(frozen=True, slots=True)
class Peer:
    """A detection of another product.

    Args:
        product: Whose it is.
        rule: Its name there.
        url: Where it stands.
        ours: Ids of the detections here that catch what it catches.
        difference: What is caught otherwise here.
    """

    product: str
    rule: str
    url: str
    ours: tuple[str, ...]
    difference: str


_ELASTIC = "https://github.com/elastic/detection-rules/tree/main/rules/integrations/aws"
_PANTHER = "https://github.com/panther-labs/panther-analysis/tree/develop/rules/aws_cloudtrail_rules"
_SPLUNK = "https://github.com/splunk/security_content/tree/develop/detections/cloud"
_TURBOT = "https://github.com/turbot/tailpipe-mod-aws-cloudtrail-log-detections/tree/main/detections"
_SIGMA = "https://github.com/SigmaHQ/sigma/tree/master/rules/cloud/aws/cloudtrail"

PEERS: tuple[Peer, ...] = (
    Peer("Sigma", "AWS KMS Imported Key Material Usage", _SIGMA,
         ("import-key-material", "delete-imported-key-material"),
         "deletion is critical, import information: it is how such keys work"),
    Peer("Elastic", "AWS KMS Customer Managed Key Disabled or Scheduled for Deletion", _ELASTIC,
         ("disable-key", "schedule-key-deletion"), "authorised principals are told from others"),
    Peer("Elastic", "AWS KMS Key Policy Updated via PutKeyPolicy", _ELASTIC,
         ("put-key-policy", "policy-gained"), "and who gained what by it"),
    Peer("Elastic", "AWS KMS Imported Key Material Deleted", _ELASTIC, ("delete-imported-key-material",),
         "authorised principals are told from others"),
    Peer("Elastic", "AWS S3 Object Encryption Using External KMS Key", _ELASTIC, ("foreign-key-write",),
         "every write and the default of a bucket, not copies alone"),
    Peer("Panther", "KMS CMK Disabled or Deleted", _PANTHER, ("disable-key", "schedule-key-deletion"),
         "authorised principals are told from others"),
    Peer("Panther", "S3 objects copied under another account's key", _PANTHER, ("foreign-key-write",),
         "every write and the default of a bucket, not copies alone"),
    Peer("Panther", "Sensitive API Calls Via VPC Endpoint", _PANTHER, ("schedule-key-deletion",),
         "told whichever way they come; an endpoint that is new to a key is `endpoint-never-seen`"),
    Peer("Panther", "VPC Endpoint Access Denied", _PANTHER, ("endpoint-denied",), "of KMS's endpoints"),
    Peer("Panther", "External Principal Accessing AWS Resources Via VPC Endpoint", _PANTHER,
         ("endpoint-outsider",), "of KMS's endpoints"),
    Peer("Panther", "AWS Resource Made Public", _PANTHER, ("made-public",),
         "decided by the policy's meaning: conditions, Denies and NotPrincipal count"),
    Peer("Splunk", "AWS Detect Users creating keys with encrypt policy without MFA", _SPLUNK,
         ("made-public",), "any cryptographic action, not `kms:Encrypt` by its text"),
    Peer("Splunk", "AWS Detect Users with KMS keys performing encryption S3", _SPLUNK, ("foreign-key-write",),
         "copies under keys of the account itself are what buckets ought to have, and are not told"),
    Peer("Turbot", "KMS Key Scheduled Deletion", _TURBOT, ("schedule-key-deletion",),
         "authorised principals are told from others; use that follows is `use-after-deletion-announced`"),
    Peer("Turbot", "CloudTrail Trails with KMS Key Updated", _TURBOT, ("trail-key-changed",),
         "and when encryption is taken away"),
)  # fmt: skip


def markdown_table() -> str:
    """The detections of others, one row each."""
    rows = [
        (
            peer.product,
            f"[{peer.rule}]({peer.url})",
            ", ".join(f"`{one}`" for one in peer.ours),
            peer.difference,
        )
        for peer in PEERS
    ]
    return table(("Product", "Looks for", "Caught here by", "What differs"), rows)


TABLE = GeneratedTable("peer-detections", markdown_table)

if __name__ == "__main__":
    raise SystemExit(TABLE.main())
