"""Live keys: what DescribeKey and its kin answered, as keys of the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from kms_constructs.model.estate import Grant, Key, KeyKind, Location
from kms_constructs.model.live import LiveKey, Unanswered
from kms_constructs.model.policy import Policy, parse_policy
from kms_constructs.model.unknown import Unknown
from kms_constructs.sources.kms_api.answers import KMS, Answer, Answers, Call, Scope
from kms_constructs.sources.kms_api.vocabulary import KMS_API, POLICY_PATH

MANAGED_ALIAS: Final = "alias/aws/"
"""How the aliases of keys begin that AWS manages."""
DEFAULT_POLICY: Final = "default"
NO_ROTATION: Final = "UnsupportedOperationException"
"""What KMS says when a key has no automatic rotation."""
_STACK: Final = "aws:cloudformation:stack-name"
_LOGICAL_ID: Final = "aws:cloudformation:logical-id"
"""Tags that CloudFormation writes, and nobody else can.

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
"""
_ROTATING_SPEC: Final = "SYMMETRIC_DEFAULT"
_ROTATING_ORIGINS: Final = ("AWS_KMS", "EXTERNAL")


def may_rotate(metadata: Mapping[str, object]) -> bool:
    """Whether a key has a rotation status that can be asked for, as far as DescribeKey tells."""
    spec = metadata.get("KeySpec", _ROTATING_SPEC)
    return spec == _ROTATING_SPEC and metadata.get("Origin", "AWS_KMS") in _ROTATING_ORIGINS


def is_managed(aliases: Iterable[str], metadata: Mapping[str, object]) -> bool:
    """Whether AWS manages a key: it is not the customer's, and nobody can change it."""
    return metadata.get("KeyManager") == "AWS" or any(one.startswith(MANAGED_ALIAS) for one in aliases)


def aliases_of(answer: Answer) -> dict[str, list[str]]:
    """Key id to its aliases, from the answer of ListAliases."""
    found: dict[str, list[str]] = {}
    for one in answer.items("Aliases"):
        target, name = one.get("TargetKeyId"), one.get("AliasName")
        if isinstance(target, str) and isinstance(name, str):
            found.setdefault(target, []).append(name)
    return found


def key_ids(answer: Answer) -> list[str]:
    """The key ids of an answer of ListKeys, each once."""
    return list(
        dict.fromkeys(one["KeyId"] for one in answer.items("Keys") if isinstance(one.get("KeyId"), str))  # type: ignore[misc]  # asked in the same line
    )


def policy_names(answer: Answer) -> list[str]:
    """The names of a key's policies; the default one, when they are not known."""
    listed = answer.content.get("PolicyNames")
    names = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    return names or [DEFAULT_POLICY]


class Keys(Struct):
    """The live keys of one Region of one account.

    Args:
        answers: What was answered.
        scope: The account.
        region: The Region.
        unanswered: Where calls are told that brought nothing.
    """

    answers: Answers
    scope: Scope
    region: str
    unanswered: list[Unanswered]
    _aliases: dict[str, list[str]] = field(default_factory=dict)
    _aliases_unknown: Unknown | None = None

    @property
    def _place(self) -> str:
        return f"{self.scope.account}/{self.region}"

    def read(self) -> Iterator[Key]:
        """The customer managed keys."""
        everything = Location(self._place)
        aliases = self._ask("ListAliases", everything, "which aliases the keys have")
        self._aliases = aliases_of(aliases)
        self._aliases_unknown = _unknown(aliases, "ListAliases")
        listed = self._ask("ListKeys", everything, "which keys there are")
        for key_id in key_ids(listed):
            names = self._aliases.get(key_id, [])
            if not is_managed(names, {}):
                yield from self._key(key_id, names)

    def _call(self, operation: str, **parameters: str) -> Call:
        return Call.of(self.scope.account, self.region, KMS, operation, **parameters)

    def _ask(self, operation: str, location: Location, what: str, **parameters: str) -> Answer:
        call = self._call(operation, **parameters)
        answer = self.answers.of(call)
        if answer.refusal is not None:
            self.unanswered.append(unanswered(call, answer, location, what))
        return answer

    def _key(self, key_id: str, aliases: list[str]) -> Iterator[Key]:
        named = next(iter(sorted(aliases)), "")
        location = Location(self._place, logical_id=key_id, alias=named)
        described = self._ask("DescribeKey", location, "what the key is", KeyId=key_id)
        raw = described.content.get("KeyMetadata")
        metadata: Mapping[str, object] = raw if isinstance(raw, Mapping) else {}
        if is_managed(aliases, metadata):
            return
        why = _unknown(described, "DescribeKey")
        if why is None and not metadata:
            why = Unknown("DescribeKey answered without KeyMetadata")
        arn = f"arn:{self.scope.partition}:kms:{self.region}:{self.scope.account}:key/{key_id}"
        key = Key(
            id=arn,
            key_id=key_id,
            location=location,
            policy=self._policy(key_id, location),
            account=self.scope.account,
            region=self.region,
            partition=self.scope.partition,
            multi_region=key_id.startswith("mrk-"),
            tags=self._tags(key_id, location),
            aliases=tuple(sorted(aliases)),
            aliases_unknown=self._aliases_unknown,
            grants=self._grants(key_id, location),
            vocabulary=KMS_API,
        )
        usage = self._usage(key_id, location)
        stack, logical_id = self._made_by(key_id)
        if why is not None:
            open_ = ("key_spec", "key_usage", "origin", "key_state", "material_expires", "description")
            key = replace(key, **dict.fromkeys(open_, why))
            rotation, period = self._rotation(key_id, location)
            live = LiveKey(
                deletion_date=why,
                replicas=why,
                last_used=usage[0],
                tracked_since=usage[1],
                stack=stack,
                logical_id=logical_id,
            )
            yield replace(key, rotation_enabled=rotation, rotation_period=period, live=live)
            return
        rotation, period = self._rotation(key_id, location) if may_rotate(metadata) else (None, None)
        yield replace(
            key,
            **_facts(metadata),
            rotation_enabled=rotation,
            rotation_period=period,
            live=LiveKey(
                created=_day(metadata.get("CreationDate")),
                deletion_date=_day(metadata.get("DeletionDate")),
                last_used=usage[0],
                tracked_since=usage[1],
                replicas=_replicas(metadata),
                next_rotation=self._next_rotation(key_id),
                key_store=str(metadata.get("CustomKeyStoreId") or ""),
                stack=stack,
                logical_id=logical_id,
            ),
        )

    def _policy(self, key_id: str, location: Location) -> Policy:
        """Every policy of the key as one: a second one, of AWS RAM, allows as the first does."""
        names = self._ask("ListKeyPolicies", location, "which policies the key has", KeyId=key_id)
        why = _unknown(names, "ListKeyPolicies")
        policies: list[Policy] = []
        for name in policy_names(names):
            answer = self._ask("GetKeyPolicy", location, "the key policy", KeyId=key_id, PolicyName=name)
            if why is None:
                why = _unknown(answer, "GetKeyPolicy")
            path = POLICY_PATH if name == DEFAULT_POLICY else f"GetKeyPolicy/{name}/Policy"
            document: object = answer.content.get("Policy")
            policies.append(
                parse_policy(document if document is not None else Unknown("there is no Policy"), path=path)
            )
        if why is not None:
            return Policy(unknown=why, path=POLICY_PATH)
        return _joined(policies)

    def _tags(self, key_id: str, location: Location) -> Mapping[str, str | Unknown] | Unknown:
        answer = self._ask("ListResourceTags", location, "the tags", KeyId=key_id)
        found: dict[str, str | Unknown] = {}
        for one in answer.items("Tags"):
            name, value = one.get("TagKey"), one.get("TagValue")
            if isinstance(name, str) and isinstance(value, str) and not name.startswith("aws:"):
                found[name] = value
        why = _unknown(answer, "ListResourceTags")
        return found if why is None else why

    def _next_rotation(self, key_id: str) -> str | None:
        answer = self.answers.of(self._call("GetKeyRotationStatus", KeyId=key_id))
        return _day(answer.content.get("NextRotationDate"))

    def _made_by(self, key_id: str) -> tuple[str, str]:
        """The stack that made the key, and its name there."""
        tags = self.answers.of(self._call("ListResourceTags", KeyId=key_id)).items("Tags")
        found = {name: one.get("TagValue") for one in tags if isinstance(name := one.get("TagKey"), str)}
        stack, logical_id = found.get(_STACK), found.get(_LOGICAL_ID)
        return str(stack or ""), str(logical_id or "")

    def _rotation(
        self, key_id: str, location: Location
    ) -> tuple[bool | Unknown | None, int | Unknown | None]:
        call = self._call("GetKeyRotationStatus", KeyId=key_id)
        answer = self.answers.of(call)
        if answer.refusal is not None and answer.refusal.code == NO_ROTATION:
            return None, None
        why = _unknown(answer, "GetKeyRotationStatus")
        if why is not None:
            self.unanswered.append(unanswered(call, answer, location, "whether the key rotates"))
            return why, why
        enabled, period = (answer.content.get(n) for n in ("KeyRotationEnabled", "RotationPeriodInDays"))
        return (
            enabled if isinstance(enabled, bool) else Unknown("GetKeyRotationStatus does not say it"),
            period if isinstance(period, int) and not isinstance(period, bool) else None,
        )

    def _grants(self, key_id: str, location: Location) -> tuple[Grant, ...]:
        answer = self._ask("ListGrants", location, "the grants", KeyId=key_id)
        found = [_grant(one) for one in answer.items("Grants")]
        why = _unknown(answer, "ListGrants")
        if why is not None:
            found.append(Grant(grantee=why, operations=why, id="unknown"))
        return tuple(found)

    def _usage(self, key_id: str, location: Location) -> tuple[str | Unknown | None, str | None]:
        if not self.scope.last_usage:
            return Unknown("the last usage was not asked for"), None
        answer = self._ask("GetKeyLastUsage", location, "when the key was last used", KeyId=key_id)
        why = _unknown(answer, "GetKeyLastUsage")
        if why is not None:
            return why, None
        raw = answer.content.get("KeyLastUsage")
        last = raw if isinstance(raw, Mapping) else {}
        since = _day(answer.content.get("TrackingStartDate"))
        used = _day(last.get("Timestamp"))
        made = _day(answer.content.get("KeyCreationDate"))
        if used is None and (since is None or made is None or made < since):
            return Unknown("KMS has kept no usage, and the key is older than its records"), since
        return used, since


def unanswered(call: Call, answer: Answer, location: Location, what: str) -> Unanswered:
    """A call without its answer, as the estate tells it."""
    refusal = answer.refusal
    return Unanswered(
        location=location,
        call=call.name,
        code=refusal.code if refusal else "",
        message=refusal.message if refusal else "",
        what=what,
    )


def _unknown(answer: Answer, operation: str) -> Unknown | None:
    if answer.refusal is None:
        return None
    return Unknown(f"{operation} brought {answer.refusal.code}")


def _facts(metadata: Mapping[str, object]) -> dict[str, object]:
    """The fields of a key that DescribeKey tells."""
    configuration = metadata.get("MultiRegionConfiguration")
    regions: Mapping[str, object] = configuration if isinstance(configuration, Mapping) else {}
    primary = regions.get("PrimaryKey")
    is_replica = regions.get("MultiRegionKeyType") == "REPLICA"
    expires = metadata.get("ExpirationModel") != "KEY_MATERIAL_DOES_NOT_EXPIRE"
    return {
        "kind": KeyKind.REPLICA if is_replica else KeyKind.KEY,
        "key_spec": _said(metadata, "KeySpec", metadata.get("CustomerMasterKeySpec")),
        "key_usage": _said(metadata, "KeyUsage"),
        "origin": _said(metadata, "Origin"),
        "multi_region": metadata.get("MultiRegion") is True,
        "key_state": _said(metadata, "KeyState"),
        "description": metadata.get("Description") or None,
        "material_expires": _day(metadata.get("ValidTo")) if expires else None,
        "primary": primary.get("Arn") if is_replica and isinstance(primary, Mapping) else None,
    }


def _said(metadata: Mapping[str, object], name: str, otherwise: object = None) -> str | Unknown:
    value = metadata.get(name, otherwise)
    return value if isinstance(value, str) else Unknown(f"DescribeKey does not say {name}")


def _replicas(metadata: Mapping[str, object]) -> tuple[str, ...]:
    configuration = metadata.get("MultiRegionConfiguration")
    listed = configuration.get("ReplicaKeys") if isinstance(configuration, Mapping) else None
    arns = (one.get("Arn") for one in listed if isinstance(one, Mapping)) if isinstance(listed, list) else ()
    return tuple(sorted(arn for arn in arns if isinstance(arn, str)))


def _day(value: object) -> str | None:
    """The day of a time stamp that was made text."""
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError:
        return None


def _joined(policies: list[Policy]) -> Policy:
    """Several policies of one key as one."""
    if len(policies) == 1:
        return policies[0]
    sizes = [one.size for one in policies]
    numbered = enumerate(statement for one in policies for statement in one.statements)
    return Policy(
        statements=tuple(replace(statement, index=index) for index, statement in numbered),
        unknown=next((one.unknown for one in policies if one.unknown is not None), None),
        problems=tuple(problem for one in policies for problem in one.problems),
        path=POLICY_PATH,
        size=sizes[0],  # KMS bounds each policy by itself
    )


def _grant(one: Mapping[str, object]) -> Grant:
    service = one.get("GranteeServicePrincipal")
    principal = service or one.get("GranteePrincipal")
    retiring = one.get("RetiringServicePrincipal") or one.get("RetiringPrincipal")
    operations = one.get("Operations")
    listed = [name for name in operations if isinstance(name, str)] if isinstance(operations, list) else []
    grant_id = str(one.get("GrantId") or "unknown")
    grantee = principal if isinstance(principal, str) and principal else None
    return Grant(
        grantee=grantee or Unknown(f"ListGrants does not name the grantee of {grant_id}"),
        operations=tuple(listed) or Unknown(f"ListGrants does not name the operations of {grant_id}"),
        retiring=retiring if isinstance(retiring, str) else None,
        constraints=_constraints(one.get("Constraints")),
        for_aws_service=bool(service) or _serves_aws(grantee or ""),
        name=one["Name"] if isinstance(one.get("Name"), str) and one["Name"] else None,  # type: ignore[arg-type]  # asked before
        id=grant_id,
        created=_day(one.get("CreationDate")),
    )


def _serves_aws(grantee: str) -> bool:
    """Whether a grantee is an AWS service, or a role of AWS's own such as ``aws:ec2-infrastructure``."""
    return grantee.endswith((".amazonaws.com", ".amazonaws.com.cn")) or ":assumed-role/aws:" in grantee


def _constraints(value: object) -> Mapping[str, Mapping[str, str]]:
    """Constraints on the encryption context. One that is not understood narrows nothing."""
    found: dict[str, Mapping[str, str]] = {}
    for name, pairs in value.items() if isinstance(value, Mapping) else ():
        if name in ("EncryptionContextEquals", "EncryptionContextSubset") and isinstance(pairs, Mapping):
            known = {str(key): text for key, text in pairs.items() if isinstance(text, str)}
            if pairs and len(known) == len(pairs):
                found[str(name)] = known
    return found
