"""What is planted into a synthetic trail, with the findings that it has to lead to and no others.

Incidents are in the second half of the trail. Each that would tell on another has a key of its own.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kms_constructs.detections.synthetic import records
from kms_constructs.detections.synthetic.flows import Flow, recipient, s3_parameters, s3_resources
from kms_constructs.detections.synthetic.records import Record, moment, record
from kms_constructs.detections.synthetic.world import (
    OUTSIDER,
    Caller,
    SampleKey,
    TrailOptions,
    World,
    hosts,
    policy,
)
from kms_constructs.model.frozen import Frozen

_DAY = 86_400
_OFFICE = "198.51.100.24"
_ELSEWHERE = "203.0.113.99"
NEW_REGION = "ap-southeast-3"
ZERO_PCR = "0" * 96


class Planted(Frozen, frozen=True):
    """A record and when it stands in the trail, in seconds since 1970."""

    at: float
    record: Record


class Spike(Frozen, frozen=True):
    """A flow within an hour, as often as there are ids of events; too many to be kept as records.

    Args:
        at: Begin, in seconds since 1970.
        flow: What happens.
        ids: Ids of the events.
    """

    at: float
    flow: Flow
    ids: tuple[str, ...]


class Incident(Frozen, frozen=True):
    """Something planted.

    Args:
        kind: Short name.
        findings: Id of a detection to the ids of the events for which it has to be raised.
        key: ARN of the key, where it is about one.
        principal: ARN of the caller, where it is about one.
        routine: Whether it is work of those who are authorised: reported, but no harm.
    """

    kind: str
    findings: Mapping[str, tuple[str, ...]]
    key: str = ""
    principal: str = ""
    routine: bool = False


@dataclass
class _Plan:
    """What is planted so far. Each incident has a day of its own as far as days go."""

    world: World
    options: TrailOptions
    rng: random.Random
    planted: list[Planted] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self.account = self.world.accounts[0]
        self.region = self.options.regions[0]
        self.spare = iter(self.world.spare)

    def next_time(self) -> float:
        """The time of the next incident: in the second half, a day ahead of the end at least."""
        first, last = self.options.days // 2 + 1, self.options.days - 2
        day = first + self.count % max(1, last - first)
        self.count += 1
        return self.options.start.timestamp() + day * _DAY + 9 * 3600 + self.count * 97

    def event(self, name: str, at: float, *, by: Record, **further: object) -> tuple[str, Record]:
        """Plants a record; what is not said is usual."""
        event_id = records.identifier(self.rng)
        given: dict[str, object] = {
            "account": self.account,
            "region": self.region,
            "address": _OFFICE,
            "request_id": records.identifier(self.rng),
        } | further
        made = record(name, by=by, at=moment(at), event_id=event_id, **given)  # type: ignore[arg-type]
        self.planted.append(Planted(at, made))
        return event_id, made

    def on_key(self, name: str, at: float, key: SampleKey, *, by: Record, **further: object) -> str:
        """Plants a call on a key."""
        parameters = {"keyId": key.arn, **dict(further.pop("parameters", {}))}  # type: ignore[call-overload]
        given: dict[str, object] = {
            "account": key.account,
            "region": key.region,
            "keys": (key.arn,),
        } | further
        return self.event(name, at, by=by, parameters=parameters, **given)[0]

    def incident(
        self,
        kind: str,
        findings: Mapping[str, Sequence[str]],
        key: str = "",
        principal: str = "",
        *,
        routine: bool = False,
    ) -> None:
        """Tells what was planted."""
        told = {detection: tuple(ids) for detection, ids in findings.items()}
        self.incidents.append(Incident(kind, told, key, principal, routine))

    def role(self, name: str, **further: object) -> Record:
        """A session of a role of the account."""
        return records.role(self.account, name, "console", **further)


def plant(
    world: World,
    options: TrailOptions,
    flows: Sequence[Flow],
    share: Callable[[Flow], float],
    rng: random.Random,
) -> tuple[list[Planted], Spike, tuple[Incident, ...]]:
    """Every incident, and what those who are authorised do.

    Args:
        world: Accounts, keys, callers.
        options: Of the trail.
        flows: What is usual.
        share: The share of a flow among all events.
        rng: Chooses.
    """
    plan = _Plan(world, options, rng)
    _guarded(plan)
    _policies(plan)
    _grants(plan)
    _further(plan)
    _endpoints(plan)
    _trails(plan)
    _never_seen(plan, flows)
    spike = _volumes(plan, flows, share)
    _authorised(plan)
    return plan.planted, spike, tuple(plan.incidents)


def _guarded(plan: _Plan) -> None:
    """Guarded actions by somebody who may not."""
    by, who = plan.role("Contractor"), records.role_arn(plan.account, "Contractor")
    for name, detection in {
        "DisableKey": "disable-key-unauthorised",
        "DeleteImportedKeyMaterial": "delete-imported-key-material-unauthorised",
        "DisableKeyRotation": "disable-key-rotation",
    }.items():
        key, at = next(plan.spare), plan.next_time()
        plan.incident(detection, {detection: [plan.on_key(name, at, key, by=by)]}, key.arn, who)
    key, at = next(plan.spare), plan.next_time()
    scheduled = plan.on_key(
        "ScheduleKeyDeletion", at, key, by=by, parameters={"pendingWindowInDays": 7},
        response={"keyId": key.arn, "keyState": "PendingDeletion", "pendingWindowInDays": 7},
    )  # fmt: skip
    app = plan.role("app-late")
    used = [
        plan.on_key("Decrypt", at + _DAY + minute * 60, key, by=app, error="KMSInvalidStateException",
                    read_only=True)
        for minute in range(3)
    ]  # fmt: skip
    plan.incident(
        "schedule-key-deletion-unauthorised",
        {"schedule-key-deletion-unauthorised": [scheduled]},
        key.arn,
        who,
    )
    plan.incident(
        "use-after-deletion-announced", {"use-after-deletion-announced": used}, key.arn,
        records.role_arn(plan.account, "app-late"),
    )  # fmt: skip
    key, at = next(plan.spare), plan.next_time()
    refused = plan.on_key("EnableKey", at, key, by=by, error="AccessDenied")
    plan.incident("denied-management", {"denied-management": [refused]}, key.arn, who)


def _policies(plan: _Plan) -> None:
    """Policies whose predecessor is in the trail."""
    contractor, deploy = plan.role("Contractor"), plan.role("Deploy")
    first = plan.options.start.timestamp() + 3600
    app = records.role_arn(plan.account, "app-0")
    outsider = records.role_arn(OUTSIDER, "reader")
    for kind, by, text, further, findings in (
        ("policy-gained", contractor, policy(plan.account, app, outsider), {},
         ("put-key-policy-unauthorised", "policy-gained")),
        ("made-public", deploy, policy(plan.account, app, public=True), {},
         ("put-key-policy", "policy-gained", "made-public")),
        ("lockout-bypass", plan.role("BreakGlass"), policy(plan.account, app),
         {"bypassPolicyLockoutSafetyCheck": True}, ("put-key-policy", "lockout-bypass")),
        ("policy-narrowed", deploy, policy(plan.account), {}, ("put-key-policy",)),
    ):  # fmt: skip
        key, at = next(plan.spare), plan.next_time()
        _create(plan, key, first, policy(plan.account, app))
        changed = plan.on_key(
            "PutKeyPolicy", at, key, by=by, parameters={"policyName": "default", "policy": text, **further}
        )
        who = _issuer(by)
        plan.incident(
            kind, {one: [changed] for one in findings}, key.arn, who, routine=kind == "policy-narrowed"
        )


def _create(plan: _Plan, key: SampleKey, at: float, text: str) -> None:
    plan.event(
        "CreateKey", at, by=plan.role("Deploy", invokedBy="cloudformation.amazonaws.com"),
        parameters={"policy": text, "keySpec": "SYMMETRIC_DEFAULT", "origin": "AWS_KMS"},
        response={"keyMetadata": {"arn": key.arn, "keyId": key.key_id, "aWSAccountId": key.account}},
        keys=(key.arn,), address="cloudformation.amazonaws.com",
    )  # fmt: skip


def _issuer(by: Record) -> str:
    issuer = by["sessionContext"]["sessionIssuer"]  # type: ignore[index]
    return str(issuer["arn"])


def _grants(plan: _Plan) -> None:
    by, who = plan.role("Contractor"), records.role_arn(plan.account, "Contractor")
    for kind, grantee, findings in (
        ("create-grant", records.role_arn(plan.account, "app-0"), ("create-grant",)),
        ("grant-to-outsider", records.role_arn(OUTSIDER, "reader"), ("create-grant", "grant-to-outsider")),
    ):
        key, at = next(plan.spare), plan.next_time()
        made = plan.on_key(
            "CreateGrant", at, key, by=by,
            parameters={"granteePrincipal": grantee, "operations": ["Decrypt"]},
            response={"grantId": "ab12cd34", "keyId": key.arn},
        )  # fmt: skip
        plan.incident(kind, {one: [made] for one in findings}, key.arn, who)


def _further(plan: _Plan) -> None:
    key, at = next(plan.spare), plan.next_time()
    root, root_arn = records.root(plan.account), f"arn:aws:iam::{plan.account}:root"
    plan.incident("root-user", {"root-user": [plan.on_key("EnableKey", at, key, by=root)]}, key.arn, root_arn)
    used = plan.on_key("Decrypt", at + 300, key, by=root, read_only=True)
    plan.incident("root-user-use", {"root-user-use": [used]}, key.arn, root_arn)

    by, who = plan.role("Contractor"), records.role_arn(plan.account, "Contractor")
    usual = [region for region in plan.options.regions if region != plan.region] or [plan.region]
    for kind, name, parameters, findings in (
        ("replicate-key", "ReplicateKey", {"replicaRegion": usual[0]}, ("replicate-key",)),
        ("replica-new-region", "ReplicateKey", {"replicaRegion": NEW_REGION},
         ("replicate-key", "replica-new-region")),
        ("update-primary-region", "UpdatePrimaryRegion", {"primaryRegion": usual[0]},
         ("update-primary-region",)),
    ):  # fmt: skip
        key, at = next(plan.spare), plan.next_time()
        made = plan.on_key(name, at, key, by=by, parameters=parameters)
        plan.incident(kind, {one: [made] for one in findings}, key.arn, who)

    for name, detection in {
        "DeleteKey": "key-deleted",
        "DeleteExpiredKeyMaterial": "material-expired",
    }.items():
        key, at = next(plan.spare), plan.next_time()
        event, _ = plan.event(
            name, at, by=records.internal(plan.account), address="AWS Internal", agent="AWS Internal",
            keys=(key.arn,), eventType="AwsServiceEvent", serviceEventDetails={"keyId": key.key_id},
        )  # fmt: skip
        plan.incident(detection, {detection: [event]}, key.arn)

    foreign = f"arn:aws:kms:{plan.region}:{OUTSIDER}:key/{records.identifier(plan.rng)}"
    at = plan.next_time()
    copied, _ = plan.event(
        "CopyObject", at, by=by, source="s3.amazonaws.com", parameters=s3_parameters("app-0", foreign),
        resources=s3_resources("app-0", plan.account), eventCategory="Data", managementEvent=False,
        additionalEventData={"SSEApplied": "SSE_KMS", "SignatureVersion": "SigV4"},
    )  # fmt: skip
    plan.incident("foreign-key-write", {"foreign-key-write": [copied]}, foreign, who)

    key, at = next(plan.spare), plan.next_time()
    debug = plan.on_key(
        "Decrypt", at, key, by=plan.role("app-enclave"), read_only=True,
        additionalEventData=recipient(ZERO_PCR),
    )  # fmt: skip
    enclave = records.role_arn(plan.account, "app-enclave")
    plan.incident("enclave-debug", {"enclave-debug": [debug]}, key.arn, enclave)


def _endpoints(plan: _Plan) -> None:
    """What a VPC endpoint saw: records without a request and without a key."""
    seen: dict[str, object] = {
        "address": "10.250.3.7",
        "vpcEndpointId": "vpce-0a1b2c3d4e5f60718",
        "vpcEndpointAccountId": plan.account,
        "eventType": "AwsVpceEvent",
        "eventCategory": "NetworkActivity",
    }
    refused, _ = plan.event(
        "Decrypt", plan.next_time(), by=plan.role("app-0"), error="VpceAccessDenied", **seen
    )
    plan.incident(
        "endpoint-denied", {"endpoint-denied": [refused]}, "", records.role_arn(plan.account, "app-0")
    )
    foreign = records.role(OUTSIDER, "collector", "run")
    outside, _ = plan.event("GenerateDataKey", plan.next_time(), by=foreign, **seen)
    who = records.role_arn(OUTSIDER, "collector")
    plan.incident("endpoint-outsider", {"endpoint-outsider": [outside]}, "", who)
    # The call has a record of its own; what the endpoint saw of it is told by nobody again.
    plan.event("Decrypt", plan.next_time(), by=plan.role("app-0"), **seen)


def _trails(plan: _Plan) -> None:
    by, who = plan.role("Contractor"), records.role_arn(plan.account, "Contractor")
    trail = f"arn:aws:cloudtrail:{plan.region}:{plan.account}:trail/organization"
    without = {
        "trailName": trail,
        "eventSelectors": [
            {"readWriteType": "All", "includeManagementEvents": True,
             "excludeManagementEventSources": ["kms.amazonaws.com"]}
        ],
    }  # fmt: skip
    foreign = f"arn:aws:kms:{plan.region}:{OUTSIDER}:key/{records.identifier(plan.rng)}"
    for kind, name, parameters, findings in (
        ("trail-stopped", "StopLogging", {"name": trail}, ("trail-stopped",)),
        ("trail-without-kms", "PutEventSelectors", without, ("trail-stopped", "trail-without-kms")),
        ("trail-key-changed", "UpdateTrail", {"name": trail, "kmsKeyId": foreign},
         ("trail-stopped", "trail-key-changed")),
    ):  # fmt: skip
        at = plan.next_time()
        event, _ = plan.event(name, at, by=by, source="cloudtrail.amazonaws.com", parameters=parameters)
        plan.incident(kind, {one: [event] for one in findings}, "", who)


def _never_seen(plan: _Plan, flows: Sequence[Flow]) -> None:
    """What was never seen on a key that is in much use."""
    flow, caller, key = _busiest(plan, flows)
    named = {"region": key.region, "account": key.account, "read_only": True}
    place: dict[str, object] = {"address": flow.addresses[0]}
    if caller.endpoint:
        place["vpcEndpointId"] = caller.endpoint
    at, used = plan.next_time(), caller_identity(caller)
    new = plan.on_key("Decrypt", at, key, by=records.role(key.account, "Nightly"), **named, **place)
    who = records.role_arn(key.account, "Nightly")
    plan.incident("principal-never-seen", {"principal-never-seen": [new]}, key.arn, who)
    new = plan.on_key("Decrypt", plan.next_time(), key, by=used, address=_ELSEWHERE, **named)
    plan.incident("network-never-seen", {"network-never-seen": [new]}, key.arn, caller.arn)
    inside = hosts("10.251.9.0/24", plan.rng, 1)[0]
    new = plan.on_key(
        "Decrypt",
        plan.next_time(),
        key,
        by=used,
        address=inside,
        vpcEndpointId="vpce-0badc0de0badc0de0",
        **named,
    )
    plan.incident("endpoint-never-seen", {"endpoint-never-seen": [new]}, key.arn, caller.arn)

    related = _busiest(plan, flows, related=True, others=key)
    elsewhere = SampleKey(related[2].account, "sa-east-1", related[2].key_id, "", "")
    place = {"address": related[0].addresses[0]}
    if related[1].endpoint:
        place["vpcEndpointId"] = related[1].endpoint
    by = caller_identity(related[1])
    new = plan.on_key("Decrypt", plan.next_time(), elsewhere, by=by, read_only=True, **place)
    plan.incident("region-never-seen", {"region-never-seen": [new]}, elsewhere.arn, related[1].arn)


def caller_identity(caller: Caller) -> Record:
    """Who calls, in a session of its own."""
    if caller.is_user:
        return records.user(caller.account, caller.name)
    return records.role(caller.account, caller.name, "elsewhere")


def _busiest(
    plan: _Plan, flows: Sequence[Flow], *, related: bool = False, others: SampleKey | None = None
) -> tuple[Flow, Caller, SampleKey]:
    """A flow of decryption by a caller of the key's own account, the more usual the better."""
    keys = {key.arn: key for key in plan.world.keys}
    callers = {caller.arn: caller for caller in plan.world.callers}
    for flow in flows:
        caller, key = callers.get(flow.caller), keys.get(flow.key)
        if caller is None or key is None or flow.event != "Decrypt" or caller.account != key.account:
            continue
        if flow.addresses != caller.addresses or key == others:
            continue
        if not related or key.key_id.startswith("mrk-"):
            return flow, caller, key
    raise LookupError("no such flow: the trail is too small")


def _volumes(plan: _Plan, flows: Sequence[Flow], share: Callable[[Flow], float]) -> Spike:
    """Many calls at once: refused ones, and more decryption than ever."""
    by, key, at = plan.role("Contractor"), next(plan.spare), plan.next_time()
    denied = [
        plan.on_key("Decrypt", at + 9 * number, key, by=by, error="AccessDenied", read_only=True)
        for number in range(30)
    ]
    who = records.role_arn(plan.account, "Contractor")
    plan.incident("denied-burst", {"denied-burst": denied}, key.arn, who)

    flow = next(one for one in flows if one.key == plan.world.busy[2].arn)
    daily = share(flow) * plan.options.events / plan.options.days
    made = round(300 + 20 * daily)
    ids = tuple(records.identifier(plan.rng) for _ in range(made))
    plan.incident("decrypt-volume", {"decrypt-volume": ids}, flow.key, flow.caller)
    return Spike(plan.next_time(), flow, ids)


def _authorised(plan: _Plan) -> None:
    """Work of those who may: reported as such, and nothing beside it."""
    by, who = plan.role("BreakGlass"), records.role_arn(plan.account, "BreakGlass")
    key, at = next(plan.spare), plan.next_time()
    scheduled = plan.on_key("ScheduleKeyDeletion", at, key, by=by, parameters={"pendingWindowInDays": 30})
    cancelled = plan.on_key("CancelKeyDeletion", at + 3600, key, by=by)
    plan.on_key("EnableKey", at + 3700, key, by=by)
    plan.on_key("Decrypt", at + 3800, key, by=plan.role("app-late"), read_only=True)
    found = {"schedule-key-deletion": [scheduled], "cancel-key-deletion": [cancelled]}
    plan.incident("deletion-cancelled", found, key.arn, who, routine=True)
    key, at = next(plan.spare), plan.next_time()
    imported = plan.on_key(
        "ImportKeyMaterial", at, key, by=by, parameters={"expirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    )
    plan.incident("material-imported", {"import-key-material": [imported]}, key.arn, who, routine=True)
    rotated, _ = plan.event(
        "RotateKey", at + 60, by=records.internal(plan.account), address="AWS Internal", agent="AWS Internal",
        keys=(key.arn,), eventType="AwsServiceEvent", serviceEventDetails={"keyId": key.key_id},
    )  # fmt: skip
    plan.incident("key-rotated", {"key-rotated": [rotated]}, key.arn, routine=True)


def routine(world: World, options: TrailOptions, rng: random.Random) -> Iterator[Planted]:
    """Management that nobody has to hear of, and near misses of the incidents."""
    plan = _Plan(world, options, rng)
    start = options.start.timestamp()
    for number, key in enumerate(itertools.islice(world.keys, 8)):
        by = records.role(key.account, "Deploy", "deploy", invokedBy="cloudformation.amazonaws.com")
        at = start + 600 + 40 * number
        plan.event(
            "CreateAlias", at, by=by, account=key.account, region=key.region, keys=(key.arn,),
            parameters={"aliasName": key.alias, "targetKeyId": key.key_id},
            address="cloudformation.amazonaws.com",
        )  # fmt: skip
        plan.on_key("EnableKeyRotation", at + 5, key, by=by, parameters={"rotationPeriodInDays": 365})
        plan.on_key(
            "TagResource", at + 6, key, by=by, parameters={"tags": [{"tagKey": "a", "tagValue": "b"}]}
        )
        plan.on_key("GetKeyPolicy", at + 9, key, by=by, read_only=True, parameters={"policyName": "default"})
        plan.on_key(
            "CreateGrant", at + 20, key,
            by=records.role(key.account, "Deploy", "deploy", invokedBy="autoscaling.amazonaws.com"),
            parameters={
                "granteePrincipal": records.role_arn(key.account, "AWSServiceRoleForAutoScaling"),
                "retiringPrincipal": "autoscaling.amazonaws.com",
                "operations": ["Decrypt"],
            },
        )  # fmt: skip
        # A few refusals now and then are no burst.
        for day in range(2, options.days - 1, 3):
            plan.on_key(
                "Decrypt", start + day * _DAY + number * 700, key, by=plan.role("Curious"),
                error="AccessDenied", read_only=True,
            )  # fmt: skip
    return iter(plan.planted)
