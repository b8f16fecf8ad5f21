"""Many keys from one file, over as many stacks as they need, each where it always was."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
from constructs import Construct

from kms_constructs.cdk.fleet.catalog_file import (
    CatalogEntry,
    CatalogFile,
    catalog_of,
    json_schema,
    read_catalog,
)
from kms_constructs.cdk.key.hardened_key import HardenedKey
from kms_constructs.cdk.key.key_arguments import DEFAULTS, KeyArguments
from kms_constructs.cdk.key.replica_plan import COMPACT_TEMPLATE_CONTEXT, ReplicaConfig
from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.errors import ArgumentError, SourceError
from kms_constructs.policies.direct_grant import DirectGrant
from kms_constructs.policies.external_access import ExternalAccess
from kms_constructs.policies.root_access import RootAccess
from kms_constructs.policies.services.service_access import ServiceAccess

STACK_CAPACITY = 480
"""Resources that a stack of the catalogue takes: CloudFormation's 500, less what CDK adds of its own."""
OUTPUT_CAPACITY = 190
"""Outputs that a stack takes: CloudFormation's 200, less some for stacks that use a key of the catalogue.
A key with replicas takes one, by which the stacks of the replicas find it."""
TEMPLATE_CAPACITY = 960_000
"""Bytes of keys that a template takes: CloudFormation's million, less what stands around the keys. The CDK
only warns when a template is larger, and the deployment fails."""

_REMOVAL = {
    "retain": cdk.RemovalPolicy.RETAIN,
    "retain-on-update-or-delete": cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    "destroy": cdk.RemovalPolicy.DESTROY,
}
_ROOT = {
    "administration": RootAccess.ADMINISTRATION,
    "full-delegation": RootAccess.FULL_DELEGATION,
    "root-user-only": RootAccess.ROOT_USER_ONLY,
}


@dataclass(frozen=True, slots=True)
class CatalogKeys(Mapping[str, SecureKmsKey]):
    """The keys that a catalogue made, by their names in it.

    Args:
        keys: The keys.
        stacks: The stacks that hold them, by stack name.
    """

    keys_by_name: Mapping[str, SecureKmsKey]
    stacks: Mapping[str, cdk.Stack]

    def __getitem__(self, name: str) -> SecureKmsKey:
        return self.keys_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys_by_name)

    def __len__(self) -> int:
        return len(self.keys_by_name)


class KeyCatalog:
    """A catalogue of keys.

    The name of a key decides, by a hash, which of the catalogue's stacks it lives in, and nothing else does:
    keys that come or go never move another one, and a key that moves between stacks would be replaced. The
    price is that the number of stacks is chosen once. When a stack is full, new keys name a ``stack`` of
    their own. Replicas live in a stack of their Region for each stack of the catalogue, so they move no more
    than their primary keys do.

    Args:
        file: What was read.

    Example:
        ```yaml
        # keys.yaml
        version: 1
        stacks: 16       # fixed for life; about 80 keys each
        defaults:
          environment: prod
          key_administrators: ["arn:aws:iam::111122223333:role/KeyAdmin"]
        keys:
          orders/data:
            description: Orders at rest
            service: orders
            data_classification: confidential
            key_users: ["arn:aws:iam::111122223333:role/Orders"]
            replica_regions:
              - us-east-1
              - {region: us-west-2, key_users: ["arn:aws:iam::111122223333:role/Recovery"]}
        ```

        ```python
        keys = KeyCatalog.from_file("keys.yaml").create(app, env=cdk.Environment(...))
        bucket = s3.Bucket(stack, "Orders", encryption_key=keys["orders/data"])
        ```

    See: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    """

    def __init__(self, file: CatalogFile) -> None:
        self._file = file
        self._check_capacity()

    @classmethod
    def from_file(cls, path: str | Path) -> KeyCatalog:
        """Reads a catalogue from a YAML or JSON file.

        Args:
            path: The file.

        Raises:
            SourceError: The file cannot be read, is no catalogue, or fills a stack beyond its limit; every
                error is listed with its line.
        """
        return cls(read_catalog(path))

    @classmethod
    def from_mapping(cls, data: Mapping[str, object], *, source: str = "catalogue") -> KeyCatalog:
        """Takes a catalogue as plain data.

        Args:
            data: What a file would hold.
            source: What to call it in messages.

        Raises:
            SourceError: It is no catalogue, or fills a stack beyond its limit.
        """
        return cls(catalog_of(data, source=source))

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """The JSON schema of a catalogue: give it to an editor to have keys.yaml checked while typing."""
        return json_schema()

    @property
    def entries(self) -> tuple[CatalogEntry, ...]:
        """The keys, in the order of the file, defaults filled in."""
        return self._file.entries

    def stack_of(self, name: str) -> str:
        """Suffix of the stack that a key of this name lives in, unless it names one itself.

        The same for ever: it depends on the name and on the number of stacks alone.
        """
        digest = hashlib.sha256(name.encode("utf-8")).digest()
        return str(int.from_bytes(digest[:8], "big") % self._file.stacks)

    def placement(self) -> dict[str, str]:
        """Suffix of the stack of every key."""
        return {entry.name: self._placed(entry) for entry in self.entries}

    def create(
        self,
        scope: Construct,
        *,
        env: cdk.Environment | None = None,
        stack_prefix: str = "Keys",
        termination_protection: bool = True,
    ) -> CatalogKeys:
        """Makes the keys.

        Args:
            scope: The app or stage.
            env: Account and Region of the stacks.
            stack_prefix: What the names of the stacks start with: ``Keys-0``, ``Keys-1``, …
            termination_protection: Whether the stacks are protected from being deleted.

        Returns:
            The keys by name, and the stacks.

        Raises:
            SourceError: A key was refused; names file, line and key, and the reason.
        """
        stacks: dict[str, cdk.Stack] = {}
        keys: dict[str, SecureKmsKey] = {}
        refused: list[str] = []
        for entry in self.entries:
            suffix = self._placed(entry)
            name = f"{stack_prefix}-{suffix}"
            if name not in stacks:
                stacks[name] = _stack(scope, name, suffix, env, termination_protection)
            try:
                keys[entry.name] = SecureKmsKey(stacks[name], construct_id(entry.name), **_arguments(entry))
            except ArgumentError as error:
                refused.append(f"{_place(entry)}{error}")
        if refused:
            raise SourceError(self._file.source, "; ".join(refused), "Correct these keys")
        self._check_size(keys)
        return CatalogKeys(keys, stacks)

    def _placed(self, entry: CatalogEntry) -> str:
        given = entry.settings.get("stack")
        return str(given) if given is not None else self.stack_of(entry.name)

    def _check_capacity(self) -> None:
        resources: Counter[str] = Counter()
        outputs: Counter[str] = Counter()
        for entry in self.entries:
            suffix = self._placed(entry)
            resources[f"stack {suffix}"] += _resources(entry)
            for region, count in _replica_resources(entry):
                resources[f"the replica stack of {suffix} in {region}"] += count
            outputs[f"stack {suffix}"] += "replica_regions" in entry.settings
        self._refuse_full(resources, STACK_CAPACITY, "resources")
        self._refuse_full(outputs, OUTPUT_CAPACITY, "outputs (one for each key with replicas)")

    def _check_size(self, keys: Mapping[str, SecureKmsKey]) -> None:
        """Sizes are known only when the policies are."""
        sizes: Counter[str] = Counter()
        for entry in self.entries:
            key, suffix = keys[entry.name], self._placed(entry)
            more = _A_RESOURCE * (_resources(entry) - 2)
            sizes[f"the template of stack {suffix}"] += size_in_template(key) + more
            for region, replica in key.replicas.items():
                sizes[f"the template of the replica stack of {suffix} in {region}"] += (
                    size_in_template(replica) + more
                )
        self._refuse_full(sizes, TEMPLATE_CAPACITY, "bytes")

    def _refuse_full(self, load: Mapping[str, int], most: int, what: str) -> None:
        full = sorted((place, count) for place, count in load.items() if count > most)
        if full:
            told = ", ".join(f"{place} has {count} {what}" for place, count in full)
            raise SourceError(
                self._file.source,
                f"{told}, and {most} is the most",
                "For keys that are not deployed yet, name a further stack: `stack: more-1`. Raising `stacks` "
                "would move keys that exist, and so replace them",
            )


def construct_id(name: str) -> str:
    """Construct id of a key in its stack: the name, with what CDK does not allow in it replaced.

    A dot cannot stand in a name, so no two names share an id.
    """
    return name.replace("/", ".")


def _stack(
    scope: Construct, name: str, suffix: str, env: cdk.Environment | None, termination_protection: bool
) -> cdk.Stack:
    stack = cdk.Stack(
        scope,
        name,
        env=env,
        termination_protection=termination_protection,
        suppress_template_indentation=True,
        description=f"KMS keys of the catalogue, stack {suffix}",
    )
    # Templates have a limit in bytes, and a third of them is indentation. The replica stacks read it here.
    stack.node.set_context(COMPACT_TEMPLATE_CONTEXT, True)
    return stack


def _resources(entry: CatalogEntry) -> int:
    settings = entry.settings
    return 2 + len(settings.get("additional_aliases", ())) + ("parameter_name" in settings)


def _replica_resources(entry: CatalogEntry) -> Iterator[tuple[str, int]]:
    """The Regions of a key's replicas, and how many resources it has in each."""
    for one in entry.settings.get("replica_regions", ()):
        if isinstance(one, str) or "aliases" not in one:
            yield (one if isinstance(one, str) else one["region"]), _resources(entry)
        else:
            yield one["region"], 1 + len(one["aliases"]) + ("parameter_name" in entry.settings)


def size_in_template(key: HardenedKey) -> int:
    """About how large the key is in a template without indentation: more rather than less."""
    parts = (key.declared_properties(), key.declared_tags(), key.declared_metadata(), key.node.path)
    text = json.dumps(parts, separators=(",", ":"), default=str)
    return len(text.encode()) + _AROUND_A_KEY + _A_TOKEN * text.count("${")


_AROUND_A_KEY = 700
"""Bytes for what is not declared: type, removal policy, aliases, the output for replicas."""
_A_TOKEN = 15
"""Bytes by which the intrinsic function of a token is larger than the token."""
_A_RESOURCE = 400
"""Bytes of a further alias or of a parameter."""


def _place(entry: CatalogEntry) -> str:
    return f"line {entry.line}: {entry.name}: " if entry.line else f"{entry.name}: "


def _arguments(entry: CatalogEntry) -> KeyArguments:
    """The arguments of `SecureKmsKey`, made from the settings of the file."""
    found = {name: value for name, value in entry.settings.items() if name != "stack"}
    found.setdefault("alias", entry.name)
    for required in KeyArguments.__required_keys__ - set(DEFAULTS):
        # SecureKmsKey says what is missing, and how to mend it.
        found.setdefault(required, "")
    if "removal_policy" in found:
        found["removal_policy"] = _REMOVAL[found["removal_policy"]]
    if "root_access" in found:
        found["root_access"] = _ROOT[found["root_access"]]
    if "replica_regions" in found:
        found["replica_regions"] = [
            one if isinstance(one, str) else ReplicaConfig(**_made(one)) for one in found["replica_regions"]
        ]
    return cast(KeyArguments, _made(found))


def _made(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with services, external access and grants as objects."""
    makers: dict[str, Callable[[Any], object]] = {
        "services": _service,
        "external_access": lambda one: ExternalAccess(**one),
        "direct_grants": lambda one: DirectGrant(**one),
    }
    return {
        name: [makers[name](one) for one in value] if name in makers else value
        for name, value in settings.items()
    }


def _service(given: str | Mapping[str, Mapping[str, Any]]) -> ServiceAccess:
    name, arguments = (given, {}) if isinstance(given, str) else next(iter(given.items()))
    preset: Callable[..., ServiceAccess] = getattr(ServiceAccess, name)
    try:
        inspect.signature(preset).bind(**arguments)
    except TypeError as error:
        raise ArgumentError(
            f"services.{name}", dict(arguments), str(error), "write the preset with its arguments"
        ) from error
    return preset(**arguments)
