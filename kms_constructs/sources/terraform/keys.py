"""KMS keys, aliases, grants and key policies of a plan, and what points at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from kms_constructs.model.estate import Grant, Key, KeyKind, Reference
from kms_constructs.model.policy import Policy, default_key_policy
from kms_constructs.model.text import HoleKind, has_hole, has_unresolved_hole, hole
from kms_constructs.model.unknown import Unknown, is_unknown, or_default
from kms_constructs.sources.named_keys import NamedKeys, linked, primaries_by_id
from kms_constructs.sources.terraform.arguments import Arguments, location_of
from kms_constructs.sources.terraform.documents import Documents
from kms_constructs.sources.terraform.plan import Instance, as_list, as_map, as_text
from kms_constructs.sources.terraform.resolver import REPLICA_TYPES, Resolver
from kms_constructs.sources.terraform.vocabulary import DELETED, POLICY_ONLY, REPLACED, TERRAFORM

_OTHER_PLAN: Final = Unknown("the primary key is not in the plans given")
_POLICY_TYPE: Final = "aws_kms_key_policy"
_ORIGINS: Final = {"aws_kms_external_key": "EXTERNAL", "aws_kms_replica_external_key": "EXTERNAL"}


class _Draft(Struct):
    """A key while what points at it is still being collected."""

    key: Key
    instance: Instance
    own_policy: bool
    aliases: dict[str, None] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    referenced_outside: bool = False


class Keys:
    """Collects the keys of a plan, then what points at them.

    Args:
        resolver: Its values.
        documents: Its policy documents.
    """

    def __init__(self, resolver: Resolver, documents: Documents) -> None:
        self._resolver = resolver
        self._documents = documents
        self._drafts: list[_Draft] = []
        self._by_instance: dict[Instance, _Draft] = {}
        self._names: NamedKeys[_Draft] = NamedKeys()
        self.foreign: list[Key] = []
        self.unattached: list[str] = []

    def add(self, instance: Instance) -> None:
        """Adds a key or replica key."""
        # Without one in the configuration, the provider reads back what KMS gives.
        own = self._resolver.is_set(instance, "policy")
        draft = _Draft(self._key(instance, own_policy=own), instance, own)
        self._drafts.append(draft)
        self._by_instance[instance] = draft
        self._names.add(draft.key.key_id, draft)

    def add_alias(self, instance: Instance) -> None:
        """Adds an alias; every key has to be added before."""
        arguments = Arguments(self._resolver, instance)
        target = arguments.text("target_key_id")
        name = self._resolver.text_of(instance, "name")
        drafts = self.named(target, instance) if isinstance(target, str) else []
        for draft in drafts:
            if draft.instance.deleted or not instance.deleted:
                draft.aliases.setdefault(name)
                self._names.add_alias(name, draft)
        if not drafts and not instance.deleted and not _is_known(target):
            self.unattached.append(name)

    def add_policy(self, instance: Instance) -> None:
        """Adds a key policy that is a resource of its own; every key has to be added before."""
        arguments = Arguments(self._resolver, instance)
        target = arguments.text("key_id")
        policy = self._documents.policy(instance, "policy")
        bypass = or_default(arguments.boolean("bypass_policy_lockout_safety_check"), False)
        drafts = self.named(target, instance) if isinstance(target, str) else []
        if instance.deleted:
            for draft in drafts:
                self._lose_policy(draft)
            return
        for draft in drafts:
            draft.own_policy = True
            draft.key = replace(draft.key, policy=policy, bypass_lockout_check=bypass)
        if drafts:
            return
        if _is_known(target):
            self.foreign.append(self._foreign(instance, str(target), policy, bypass))
            return
        doubt = Unknown(f"{instance.address} is the policy of a key that is not known")
        self._resolver.plan.problem(
            "which key it is the policy of is not known",
            "Give key_id as a reference to the key",
            instance.address,
        )
        for draft in self._drafts:
            if not draft.own_policy:
                draft.key = replace(draft.key, policy=Policy(unknown=doubt, path="policy"))

    def _lose_policy(self, draft: _Draft) -> None:
        """Gives a key that stays the policy that it has once the resource of its policy is destroyed."""
        if not draft.instance.deleted and "policy" not in draft.instance.expressions:
            default = default_key_policy(draft.key.partition, draft.key.account)
            draft.key = replace(draft.key, policy=default)

    def add_grant(self, instance: Instance) -> None:
        """Adds a grant; every key has to be added before."""
        if instance.deleted:
            return
        arguments = Arguments(self._resolver, instance)
        target = arguments.text("key_id")
        drafts = self.named(target, instance) if isinstance(target, str) else []
        if not drafts and not _is_known(target):
            self._resolver.plan.problem(
                "which key the grant is on is not known",
                "Give key_id as a reference to the key",
                instance.address,
            )
        for draft in drafts:
            draft.grants.append(_grant(arguments))

    def add_references(self, instance: Instance) -> None:
        """Notes the keys that a resource uses: by reference, or by an id, ARN or alias that is known."""
        if instance.deleted:
            return
        found: dict[tuple[int, str], _Draft] = {}
        for name, expression in instance.expressions.items():
            for draft in self._behind(instance, expression):
                found.setdefault((id(draft), name), draft)
        for name, value in instance.values.items():
            for text in _texts(value, 0):
                for draft in self.named(text, instance):
                    found.setdefault((id(draft), name), draft)
        for (_, name), draft in found.items():
            if draft.instance.deleted:
                continue
            if instance.type == "aws_ssm_parameter":
                draft.referenced_outside = True
                continue
            arguments = Arguments(self._resolver, instance)
            draft.references.append(Reference(arguments.location, instance.type, name, arguments.tags()))

    def add_outputs(self) -> None:
        """Notes the keys that an output of the root module hands on."""
        plan = self._resolver.plan
        outputs = as_map(plan.module_config(()).get("outputs"))
        root = Instance("", (), "", "", "", {})
        for declared in outputs.values():
            for draft in self._behind(root, as_map(declared).get("expression")):
                draft.referenced_outside = True
        for value in plan.outputs().values():
            for text in _texts(value, 0):
                for draft in self.named(text, root):
                    draft.referenced_outside = True

    def finish(self) -> tuple[Key, ...]:
        """The keys, in the order of the plan, with replicas linked to their primaries."""
        primaries = primaries_by_id(draft.key for draft in self._drafts)
        return (*(linked(_finished(draft), primaries) for draft in self._drafts), *self.foreign)

    # --- finding keys ------------------------------------------------------------------------------

    def named(self, text: str, instance: Instance) -> Sequence[_Draft]:
        """The keys that a text names by id, ARN or alias."""
        names = self._names
        found = names.generated(text) or names.of_id(text) or names.of_alias(text)
        return self._in_region(found, text, instance)

    def _in_region(self, found: Sequence[_Draft], text: str, instance: Instance) -> Sequence[_Draft]:
        """Of keys that share a name (a primary and its replicas), those of the Region that is meant."""
        if len(found) < 2:
            return found
        parts = text.split(":")
        region = parts[3] if text.startswith("arn:") and len(parts) > 4 else None
        wanted = region or self._resolver.providers.region(instance)
        return [draft for draft in found if draft.key.region == wanted] or found

    def _behind(self, instance: Instance, expression: object) -> Iterator[_Draft]:
        """The keys that an expression is made of, by aliases and data sources too."""
        for target in self._resolver.reached(instance, expression):
            if target in self._by_instance:
                yield self._by_instance[target]
            elif target.type == "aws_kms_alias" and not target.is_data:
                name = self._resolver.text_of(target, "name")
                yield from self._names.called(name)

    # --- one key -----------------------------------------------------------------------------------

    def _key(self, instance: Instance, *, own_policy: bool) -> Key:
        arguments = Arguments(self._resolver, instance)
        where = self._resolver.providers
        account, partition = where.account(instance), where.partition(instance)
        is_replica = instance.type in REPLICA_TYPES
        gone = instance.deleted or instance.replaced
        key = Key(
            id=f"{self._resolver.plan.label}{instance.address}",
            key_id=self._resolver.key_id(instance),
            location=location_of(self._resolver, instance),
            policy=self._documents.policy(instance, "policy")
            if own_policy
            else default_key_policy(partition, account),
            kind=KeyKind.REPLICA if is_replica else KeyKind.KEY,
            account=account,
            region=where.region(instance),
            partition=partition,
            pending_window=arguments.integer("deletion_window_in_days"),
            deletion_policy="Delete" if instance.deleted else None,
            update_replace_policy="Delete" if gone else None,
            tags=arguments.tags(),
            description=arguments.text("description"),
            enabled=arguments.boolean("is_enabled" if instance.type == "aws_kms_key" else "enabled"),
            bypass_lockout_check=or_default(arguments.boolean("bypass_policy_lockout_safety_check"), False),
            material_expires=arguments.plain_text("valid_to"),
            vocabulary=DELETED if instance.deleted else REPLACED if instance.replaced else TERRAFORM,
        )
        if is_replica:
            primary = arguments.text("primary_key_arn")
            if primary is None or (isinstance(primary, str) and has_unresolved_hole(primary)):
                primary = Unknown("primary_key_arn is known after apply only")
            return replace(
                key,
                multi_region=True,
                primary=primary,
                key_spec=_OTHER_PLAN,
                key_usage=_OTHER_PLAN,
                origin=_ORIGINS.get(instance.type, _OTHER_PLAN),
                rotation_enabled=_OTHER_PLAN,
                rotation_period=_OTHER_PLAN,
            )
        spec = "customer_master_key_spec" if instance.type == "aws_kms_key" else "key_spec"
        return replace(
            key,
            key_spec=or_default(self._given(instance, spec), "SYMMETRIC_DEFAULT"),
            key_usage=or_default(self._given(instance, "key_usage"), "ENCRYPT_DECRYPT"),
            origin=self._origin(instance),
            multi_region=or_default(arguments.boolean("multi_region"), False)
            if self._resolver.is_set(instance, "multi_region")
            else False,
            rotation_enabled=arguments.boolean("enable_key_rotation"),
            rotation_period=self._period(instance),
        )

    def _given(self, instance: Instance, name: str) -> str | Unknown | None:
        """An argument that KMS has a default for: known after apply and not configured, it is absent."""
        if not self._resolver.is_set(instance, name):
            return None
        return Arguments(self._resolver, instance).plain_text(name)

    def _period(self, instance: Instance) -> int | Unknown | None:
        name = "rotation_period_in_days"
        if not self._resolver.is_set(instance, name):
            return None
        return Arguments(self._resolver, instance).integer(name)

    def _origin(self, instance: Instance) -> str | Unknown:
        if instance.type in _ORIGINS:
            return _ORIGINS[instance.type]
        store, external = (self._given(instance, name) for name in ("custom_key_store_id", "xks_key_id"))
        for value in (store, external):
            if is_unknown(value):
                return value
        if external is not None:
            return "EXTERNAL_KEY_STORE"
        return "AWS_CLOUDHSM" if store is not None else "AWS_KMS"

    def _foreign(self, instance: Instance, target: str, policy: Policy, bypass: bool | Unknown) -> Key:
        """A key of which the plan holds the policy alone."""
        where = self._resolver.providers
        account = target.split(":")[4] if target.count(":") > 4 else where.account(instance)
        return Key(
            id=f"{self._resolver.plan.label}{instance.address}",
            key_id=target.rpartition(":key/")[2],
            location=location_of(self._resolver, instance),
            policy=policy,
            account=account,
            region=where.region(instance),
            partition=where.partition(instance),
            bypass_lockout_check=bypass,
            vocabulary=POLICY_ONLY,
        )


def _finished(draft: _Draft) -> Key:
    return replace(
        draft.key,
        aliases=tuple(draft.aliases),
        references=tuple(draft.references),
        referenced_outside=draft.referenced_outside,
        grants=tuple(draft.grants),
    )


def _grant(arguments: Arguments) -> Grant:
    grantee, retiring, name = (
        arguments.text(one) for one in ("grantee_principal", "retiring_principal", "name")
    )
    operations = arguments.texts("operations")
    known = (
        ()
        if is_unknown(operations)
        else tuple(one for one in operations if isinstance(one, str) and not has_hole(one))
    )
    certain = not is_unknown(operations) and bool(known) and len(known) == len(operations)
    return Grant(
        grantee=Unknown("the grant has no grantee") if grantee is None else grantee,
        operations=known if certain else Unknown("the operations of the grant are not known"),
        retiring=hole(HoleKind.UNRESOLVED, f"{arguments.location.logical_id}.retiring_principal")
        if is_unknown(retiring)
        else retiring,
        constraints=_constraints(arguments.raw("constraints")),
        name=name if isinstance(name, str) else None,
    )


def _constraints(blocks: object) -> Mapping[str, Mapping[str, str]]:
    """Constraints that are known in full; one that is not narrows nothing."""
    found: dict[str, Mapping[str, str]] = {}
    for block in as_list(blocks):
        for name, kind in (
            ("encryption_context_equals", "EncryptionContextEquals"),
            ("encryption_context_subset", "EncryptionContextSubset"),
        ):
            pairs = as_map(as_map(block).get(name))
            known = {key: as_text(value) for key, value in pairs.items() if isinstance(value, str)}
            if pairs and len(known) == len(pairs):
                found[kind] = known
    return found


def _is_known(target: object) -> bool:
    return isinstance(target, str) and not has_hole(target)


def _texts(value: object, depth: int) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif depth < 50 and isinstance(value, Mapping | list):
        for member in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(member, depth + 1)
