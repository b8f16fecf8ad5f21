"""What is looked for in trails beside the watches that EventBridge has as well.

See: https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html
"""

from __future__ import annotations

from collections.abc import Iterator

from kms_constructs.detections.catalogue import WATCHES
from kms_constructs.detections.trail.detection import Detection
from kms_constructs.detections.watch import Level, Watch

_PAGES = "https://docs.aws.amazon.com/kms/latest/developerguide/"
_TRAILS = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/"
_CLOUDTRAIL = f"{_PAGES}logging-using-cloudtrail.html"
_REVOKE = "revoke the caller's sessions and credentials"
_ASK = f"Ask the caller's owner whether it was meant. If not, {_REVOKE}"

ROOT_USE = Detection(
    id="root-user-use",
    title="The account's root user called KMS",
    control="IAM-KMS-1",
    level=Level.CRITICAL,
    events="every call of KMS that changes nothing, refused ones included, by the root user",
    expected="nobody",
    reason="The root user is there to bring a key back, and reads or decrypts nothing meanwhile. Whoever "
    "does has its password.",
    respond="Call the holder of the root credentials. If it was not they: change the password, delete access "
    "keys of the root user, and follow the account's plan for incidents.",
    references=("https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html",),
)
DENIED_BURST = Detection(
    id="denied-burst",
    title="KMS refused one caller again and again",
    control="IAM-KMS-8",
    level=Level.ALERT,
    events="cryptographic calls that were refused, ten or more within five minutes, on one key or on several",
    expected="nobody; an application that lost a permission looks the same",
    reason="Somebody tries what they may not decrypt, or an application is down. No rule of EventBridge sees "
    "it, for cryptographic calls count as reads.",
    respond=f"See what else the caller did, and from where. An application: give it back what it lost. "
    f"Otherwise {_REVOKE}.",
    references=(f"{_PAGES}policy-evaluation.html",),
)
NEW_PRINCIPAL = Detection(
    id="principal-never-seen",
    title="A caller used a key that it never used before",
    control="KMS:004",
    level=Level.ALERT,
    events="cryptographic calls that succeeded, compared with those of the baseline on the same key",
    expected="who deploys something new",
    reason="Who uses a key changes with deployments and hardly otherwise. A new caller is a deployment, or "
    "somebody who found a permission.",
    respond=f"Look for the deployment. {_ASK}, and take the permission away.",
    references=(_CLOUDTRAIL,),
)
NEW_NETWORK = Detection(
    id="network-never-seen",
    title="A key was used from a network that it was never used from",
    control="KMS:004",
    level=Level.ALERT,
    events="cryptographic calls that succeeded, by address: /24 of IPv4, /48 of IPv6, private ones as one",
    expected="who moves an application",
    reason="Credentials that were stolen are used from elsewhere.",
    respond=f"Find out whose network it is. {_ASK}.",
    references=(f"{_TRAILS}cloudtrail-event-reference-record-contents.html",),
)
NEW_ENDPOINT = Detection(
    id="endpoint-never-seen",
    title="A key was used through a VPC endpoint that it was never used through",
    control="KMS:004",
    level=Level.ALERT,
    events="cryptographic calls that succeeded, by VPC endpoint",
    expected="who moves an application",
    reason="A VPC endpoint that nobody knows is one of a network that nobody knows, of another account "
    "perhaps; its calls come from private addresses and so look like home.",
    respond=f"See whose endpoint it is: aws ec2 describe-vpc-endpoints --vpc-endpoint-ids ENDPOINT. {_ASK}.",
    references=(f"{_PAGES}kms-vpc-endpoint.html",),
)
NEW_REGION = Detection(
    id="region-never-seen",
    title="A multi-Region key was used in a Region that it was never used in",
    control="KMS:007",
    level=Level.ALERT,
    events="cryptographic calls that succeeded, on related multi-Region keys taken together",
    expected="who moves an application, and everybody when a Region fails",
    reason="A replica decrypts the same data where perhaps nobody watches.",
    respond=f"See who replicated the key, and read the policy of the replica. {_ASK}.",
    references=(f"{_PAGES}multi-region-keys-overview.html",),
)
VOLUME = Detection(
    id="decrypt-volume",
    title="Far more was decrypted than ever",
    control="KMS:004",
    level=Level.ALERT,
    events="Decrypt and ReEncrypt that succeeded, by day: at least 100, ten times the median of the baseline "
    "and eight deviations above it; of one caller on one key, else of one caller, else of one key",
    expected="who moves or restores data",
    reason="Who takes data out decrypts it first, all of it.",
    respond=f"See what was decrypted by its encryption context, and where the data went. {_ASK}.",
    references=(_CLOUDTRAIL,),
)
OUTSIDE_GRANT = Detection(
    id="grant-to-outsider",
    title="A grant gave the key to another account",
    control="KMS:GRANTS",
    level=Level.CRITICAL,
    events="`CreateGrant` whose grantee or retiring principal is of another account",
    expected="nobody, but for accounts that are trusted",
    reason="A grant stands in no policy and lasts until it is retired: the quietest way to hand out a key.",
    respond="Revoke it: aws kms revoke-grant --key-id KEY --grant-id GRANT. Then see what the grantee "
    f"decrypted. {_ASK}.",
    references=(f"{_PAGES}grants.html",),
)
GAINED = Detection(
    id="policy-gained",
    title="A new key policy gave somebody more than the one before",
    control="IAM-KMS-5",
    level=Level.ALERT,
    events="`PutKeyPolicy`, compared in meaning with the policy before, as far as the trail has it",
    expected="break-glass principals, or administrators where a key has none, and who deploys the stack",
    reason="The policy decides who may. What counts is not that its text changed but who can do more now.",
    respond=f"Read who gained what. If it was not meant, put the policy before back. {_ASK}.",
    references=(f"{_PAGES}key-policy-modifying.html",),
)
PUBLIC = Detection(
    id="made-public",
    title="A key policy lets everybody in",
    control="KMS:004",
    level=Level.CRITICAL,
    events="`PutKeyPolicy`, `CreateKey`, `ReplicateKey` whose policy has no limit on who calls",
    expected="nobody",
    reason="Every account of AWS may use the key.",
    respond=f"Put the policy before back at once, and see who used the key since. {_ASK}.",
    references=(f"{_PAGES}least-privilege.html",),
)
USE_AFTER_DELETION = Detection(
    id="use-after-deletion-announced",
    title="A key that is to be deleted is still asked for",
    control="KMS:002",
    level=Level.ALERT,
    events="cryptographic calls after `ScheduleKeyDeletion`, until `CancelKeyDeletion`",
    expected="nobody",
    reason="Something still has data under this key, and loses it for good when the waiting period ends.",
    respond="Cancel the deletion and enable the key: aws kms cancel-key-deletion --key-id KEY; aws kms "
    "enable-key --key-id KEY. Then move the data first.",
    references=(f"{_PAGES}deleting-keys-creating-cloudwatch-alarm.html",),
)
FOREIGN_WRITE = Detection(
    id="foreign-key-write",
    title="Objects were written under a key of another account",
    control="KMS:004",
    level=Level.CRITICAL,
    events="`PutObject`, `CopyObject`, `CreateMultipartUpload`, `PutBucketEncryption` and the like, from "
    "events of S3, data events included, with a key of another account than the trail's",
    expected="nobody, but for accounts that are trusted",
    reason="Ransomware: who copies objects onto themselves under a key of their own holds them, and the "
    "owner does not.",
    respond="Stop the caller, and get the earlier versions of the objects back. Refuse other keys by a "
    f"bucket policy on s3:x-amz-server-side-encryption-aws-kms-key-id. {_ASK}.",
    references=("https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",),
)
TRAIL_WITHOUT_KMS = Detection(
    id="trail-without-kms",
    title="A trail was told to leave out what is done with keys",
    control="KMS:005",
    level=Level.CRITICAL,
    events="`PutEventSelectors` that leaves out KMS events, or management events altogether",
    expected="nobody",
    reason="What follows is recorded nowhere: neither here nor in any rule of EventBridge.",
    respond="Record management events again, KMS included: aws cloudtrail put-event-selectors --trail-name "
    f"TRAIL. {_ASK}.",
    references=(f"{_TRAILS}logging-management-events-with-cloudtrail.html", _CLOUDTRAIL),
)
TRAIL_KEY = Detection(
    id="trail-key-changed",
    title="A trail's key was changed or taken away",
    control="KMS:005",
    level=Level.CRITICAL,
    events="`UpdateTrail` with `kmsKeyId`",
    expected="who deploys the trail",
    reason="Under somebody else's key, or one that is to be deleted, nobody can read the trail any more.",
    respond=f"Set the key back: aws cloudtrail update-trail --name TRAIL --kms-key-id KEY. {_ASK}.",
    references=(f"{_TRAILS}encrypting-cloudtrail-log-files-with-aws-kms.html",),
)
DEBUG_ENCLAVE = Detection(
    id="enclave-debug",
    title="An enclave in debug mode was given plaintext",
    control="IAM-KMS-6",
    level=Level.CRITICAL,
    events="calls with an attestation document whose measurements PCR0 to PCR2 are all zero, that succeeded",
    expected="nobody outside of tests",
    reason="The host reads along with an enclave in debug mode: what the key decrypts there is no secret.",
    respond="Demand the measurement of the image in the key policy: kms:RecipientAttestation:ImageSha384 or "
    f"kms:RecipientAttestation:PCR0. {_ASK}.",
    references=(f"{_PAGES}ct-nitro-enclave.html",),
)
REPLICA_REGION = Detection(
    id="replica-new-region",
    title="A key was replicated into a Region in which the account had none of KMS",
    control="KMS:007",
    level=Level.ALERT,
    events="`ReplicateKey` into a Region of which the trail has nothing of that account before",
    expected="who deploys into a new Region",
    reason="Nobody watches a Region that is not in use.",
    respond="Read the policy of the replica in its Region. A replica that nobody ordered: schedule its "
    f"deletion. {_ASK}.",
    references=(f"{_PAGES}multi-region-keys-replicate.html",),
)

_ENDPOINTS = f"{_TRAILS}logging-network-events-with-cloudtrail.html"
ENDPOINT_DENIED = Detection(
    id="endpoint-denied",
    title="The policy of a VPC endpoint refused a call to KMS",
    control="KMS:004",
    level=Level.ALERT,
    events="network activity events of KMS with `VpceAccessDenied`",
    expected="nobody; a workload that the policy forgot looks the same",
    reason="Somebody inside of the network wants keys or an account that the network is not for: what takes "
    "data out looks like this.",
    respond=f"See who called and for which account. A workload: extend the policy. Otherwise {_REVOKE}.",
    references=(_ENDPOINTS,),
)
ENDPOINT_OUTSIDER = Detection(
    id="endpoint-outsider",
    title="A caller of another account called KMS through a VPC endpoint of this one",
    control="KMS:004",
    level=Level.ALERT,
    events="network activity events of KMS whose caller is of another account than the endpoint",
    expected="nobody, but for accounts that are trusted",
    reason="Credentials of somebody else's account are used inside of the network: so data is carried out "
    "under a key of theirs.",
    respond="Find the host by its address, and whose credentials it holds. Limit the endpoint's policy by "
    "aws:PrincipalOrgID.",
    references=(_ENDPOINTS,),
)

DETECTIONS: tuple[Detection, ...] = (
    DENIED_BURST,
    NEW_PRINCIPAL,
    NEW_NETWORK,
    NEW_ENDPOINT,
    NEW_REGION,
    VOLUME,
    OUTSIDE_GRANT,
    GAINED,
    PUBLIC,
    USE_AFTER_DELETION,
    FOREIGN_WRITE,
    ROOT_USE,
    TRAIL_WITHOUT_KMS,
    TRAIL_KEY,
    DEBUG_ENCLAVE,
    REPLICA_REGION,
    ENDPOINT_DENIED,
    ENDPOINT_OUTSIDER,
)
"""What is looked for in trails alone."""


def everything() -> Iterator[Watch | Detection]:
    """Everything that is looked for in a trail: watches first."""
    yield from WATCHES
    yield from DETECTIONS
