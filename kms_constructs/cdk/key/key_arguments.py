"""The arguments of `SecureKmsKey`: declared once, for the key, its replicas, catalogues and type checkers.

A new argument is a field of `SharedKeyArguments` (a replica takes it over from its primary key) or of
`KeyArguments` (a replica cannot have it), a line in the documentation of `KeyArguments`, and, where it may be
left out, a default in `DEFAULTS`. Signatures, documentation, replicas and the schema of catalogues follow.
"""
# Without `from __future__ import annotations`: as texts, Required and NotRequired would not be seen.

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, NotRequired, Required, TypedDict, TypeVar, cast, get_type_hints

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms

from kms_constructs.cdk.key.replica_plan import ReplicaConfig
from kms_constructs.model.actions import KeyUsage
from kms_constructs.model.key_specs import MAXIMUM_PENDING_WINDOW_DAYS, Origin
from kms_constructs.policies.direct_grant import DirectGrant
from kms_constructs.policies.principals import Principals
from kms_constructs.policies.root_access import RootAccess
from kms_constructs.policies.target import StatementSource


class SharedKeyArguments(TypedDict):
    """What primary keys and replica keys have alike; `KeyArguments` says what each is."""

    alias: Required[str]
    description: Required[str]
    key_administrators: Required[Principals]
    environment: Required[str]
    service: Required[str]
    data_classification: Required[str]
    owner: NotRequired[str | None]
    key_users: NotRequired[Principals]
    encrypt_only_users: NotRequired[Principals]
    decrypt_only_users: NotRequired[Principals]
    break_glass_principals: NotRequired[Principals]
    services: NotRequired[Sequence[StatementSource]]
    external_access: NotRequired[Sequence[StatementSource]]
    direct_grants: NotRequired[Sequence[DirectGrant]]
    via_services: NotRequired[Sequence[str]]
    key_spec: NotRequired[kms.KeySpec | str]
    key_usage: NotRequired[kms.KeyUsage | KeyUsage | str | None]
    origin: NotRequired[Origin | str]
    material_expires: NotRequired[date | str | None]
    key_material_importers: NotRequired[Principals | None]
    pending_window: NotRequired[int | Duration]
    removal_policy: NotRequired[RemovalPolicy]
    root_access: NotRequired[RootAccess]
    deployment_principals: NotRequired[Principals | None]
    additional_aliases: NotRequired[Sequence[str]]
    tags: NotRequired[Mapping[str, str] | None]
    parameter_name: NotRequired[str | None]
    outputs: NotRequired[bool]
    logical_id: NotRequired[str | None]
    policy_reviewed_on: NotRequired[date | str | None]


class KeyArguments(SharedKeyArguments):
    """The keyword arguments of `SecureKmsKey`.

    A type for functions of your own that make keys with something in common; what is given last wins.

    Args:
        alias: Name, with or without ``alias/``: letters, digits, ``/``, ``_``, ``-``.
        description: What the key protects; at most 8192 characters.
        key_administrators: Who manages the key and may not use it; at least one role or user.
        environment: Where it runs; written as tag. ``prod``, ``production``, ``prd`` and ``live`` are
            production, ``dev``, ``development``, ``sandbox`` and ``test`` short-lived; the guardrails may be
            configured otherwise.
        service: What it serves; written as tag.
        data_classification: How sensitive the data is; written as tag.
        owner: Who answers for it; written as tag.
        key_users: Who encrypts and decrypts, or does whatever `key_usage` is.
        encrypt_only_users: Who only encrypts, signs, makes MACs.
        decrypt_only_users: Who only decrypts, verifies.
        break_glass_principals: When given, deletion, disabling and policy changes are theirs and no
            longer the administrators'.
        services: `ServiceAccess` presets for AWS services that use the key as themselves.
        external_access: `ExternalAccess` for principals of other accounts.
        direct_grants: `DirectGrant` declarations: grants that people make themselves, each of them an
            exception from the Deny on direct grants, which the guardrails report.
        via_services: Limits `key_users` to requests that come through these services: ``"s3"``, or the whole
            ``"s3.eu-west-1.amazonaws.com"``. It limits all of them: to let one role in through one service,
            name it in a preset of `services`, such as ``ServiceAccess.ebs([role])``.
        key_spec: `kms.KeySpec` or its text; every spec that KMS has.
        key_usage: `kms.KeyUsage` or its text; needed only for specs with several usages.
        origin: ``AWS_KMS``, or ``EXTERNAL`` for imported key material. The material is imported by API and
            never stands in a template; KMS does not rotate it.
        material_expires: For imported material, and required then: the last day on which it may be valid, at
            most 365 days ahead. The key policy refuses an import without expiry or with a later one. Written
            as tag, too, from which `kms-constructs material` takes it.
        key_material_importers: Who imports the material; by default the administrators.
        pending_window: 7 to 30 days between the order to delete the key and its end; shorter windows are
            denied. 30 in production, unless the guardrails are configured otherwise
            (``production-pending-window``).
        removal_policy: RETAIN_ON_UPDATE_OR_DELETE by default: the key survives its stack. A stack whose very
            creation fails after the key was made is rolled back as far as the key, which only the named may
            delete: CloudFormation reports ROLLBACK_FAILED then. With RETAIN it leaves the key behind without
            that. DESTROY is refused but in short-lived environments, and for a key with replicas.
        root_access: What the account's IAM policies may grant; see `RootAccess`.
        deployment_principals: Who deploys the stack. By default the CloudFormation execution role that the
            stack's synthesizer knows; to be named when it knows none.
        additional_aliases: Further names.
        tags: Further tags.
        parameter_name: Publishes the key's ARN in an SSM parameter of this name.
        outputs: Whether the stack gets CfnOutputs for key ARN, key id, alias name and alias ARN.
        logical_id: Pins the logical id, so that moving the construct does not replace the key.
        policy_reviewed_on: Day of the last review of the policy, written as tag.
        rotation_period: 90 to 365 days, as int or Duration; 365 by default. Up to KMS's 2560 where the
            guardrails are configured so (``rotation-period-ceiling``). There is no way to turn rotation off.
            Refused for specs that KMS does not rotate.
        multi_region: Whether the key is a multi-Region primary key. Cannot be changed later. The policy
            denies replication into Regions that `replica_regions` does not name.
        replica_regions: Regions with a replica key: ``"eu-west-1"``, or a `ReplicaConfig` for a replica with
            administrators, users, aliases of its own. Implies `multi_region`. Each Region gets a stack beside
            this one, called ``<stack>-replicas-<region>``, shared by the keys of this stack. Bootstrap the
            Regions first: the key policy names their execution roles, and KMS refuses roles that do not
            exist. A Region that is taken out later leaves its stack and its replica behind in AWS, to be
            deleted by hand.

    Example:
        ```python
        def team_key(scope: Construct, construct_id: str, **own: Unpack[KeyArguments]) -> SecureKmsKey:
            arguments: KeyArguments = {"owner": "platform", "rotation_period": 180, **own}
            return SecureKmsKey(scope, construct_id, **arguments)
        ```
    """

    rotation_period: NotRequired[int | Duration | None]
    multi_region: NotRequired[bool]
    replica_regions: NotRequired[Sequence[str | ReplicaConfig]]


class ReplicaKeyArguments(SharedKeyArguments):
    """The keyword arguments of `SecureKmsReplicaKey`.

    Args:
        primary_key_arn: ARN of the multi-Region primary key; its key id starts with ``mrk-``.
    """

    primary_key_arn: Required[str]


DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "key_administrators": (),  # required; who leaves it out is told why, and not by a TypeError
        "owner": None,
        "key_users": (),
        "encrypt_only_users": (),
        "decrypt_only_users": (),
        "break_glass_principals": (),
        "services": (),
        "external_access": (),
        "direct_grants": (),
        "via_services": (),
        "key_spec": "SYMMETRIC_DEFAULT",
        "key_usage": None,
        "origin": Origin.AWS_KMS,
        "material_expires": None,
        "key_material_importers": None,
        "pending_window": MAXIMUM_PENDING_WINDOW_DAYS,
        "removal_policy": RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        "root_access": RootAccess.ADMINISTRATION,
        "deployment_principals": None,
        "additional_aliases": (),
        "tags": None,
        "parameter_name": None,
        "outputs": False,
        "logical_id": None,
        "policy_reviewed_on": None,
        "rotation_period": None,
        "multi_region": False,
        "replica_regions": (),
    }
)
"""What is assumed for an argument that is left out."""

ARGUMENTS: Mapping[str, Any] = MappingProxyType(get_type_hints(KeyArguments))
"""Every argument of `SecureKmsKey` with its type."""

SHARED_ARGUMENTS: Mapping[str, Any] = MappingProxyType(get_type_hints(SharedKeyArguments))
"""Every argument that a replica key has, too."""

PRINCIPAL_ARGUMENTS = tuple(
    name for name, kind in SHARED_ARGUMENTS.items() if kind in (Principals, Principals | None)
)
"""Arguments that name roles and users of the key's account."""

OF_ONE_KEY = frozenset({"direct_grants"})
"""Arguments that a replica may have and does not take over: a grant is made on one key."""


def complete(declared: type, arguments: Mapping[str, Any], construct: str) -> KeyArguments:
    """The arguments that were given, with the defaults of the others.

    Args:
        declared: The TypedDict that declares the construct's arguments.
        arguments: What was given.
        construct: Name of the construct, for errors.

    Raises:
        TypeError: There is no such argument, or a required one is missing, as Python says it of signatures.
    """
    known = declared.__annotations__
    for name in arguments:
        if name not in known:
            meant = get_close_matches(name, known, n=1)
            hint = f". Did you mean {meant[0]!r}?" if meant else ""
            raise TypeError(f"{construct}.__init__() got an unexpected keyword argument {name!r}{hint}")
    missing = [name for name in known if name not in arguments and name not in DEFAULTS]
    if missing:
        names = ", ".join(repr(name) for name in missing)
        plural = "s" if len(missing) > 1 else ""
        raise TypeError(
            f"{construct}.__init__() missing {len(missing)} required keyword-only argument{plural}: {names}"
        )
    # What can be read only once is read here: the key and its replicas have to see the same.
    read = {name: tuple(one) if isinstance(one, Iterator) else one for name, one in arguments.items()}
    return cast(KeyArguments, {**DEFAULTS, **read})


def taken_over(given: KeyArguments) -> dict[str, Any]:
    """What a replica takes over from its primary key: all but what it cannot have, or has by itself."""
    return {
        name: value for name, value in given.items() if name in SHARED_ARGUMENTS and name not in OF_ONE_KEY
    }


Init = TypeVar("Init", bound=Callable[..., None])


def documented(declared: type) -> Callable[[Init], Init]:
    """Gives an ``__init__`` that takes ``**arguments`` the signature and the documentation of each argument.

    Type checkers and editors read the TypedDict; ``help()`` and notebooks ask the function itself.

    Args:
        declared: The TypedDict that declares the arguments.
    """

    def applied(init: Init) -> Init:
        own = [one for one in inspect.signature(init).parameters.values() if one.kind is not one.VAR_KEYWORD]
        named = [_parameter(name, kind) for name, kind in get_type_hints(declared).items()]
        signature = inspect.Signature([*own, *named], return_annotation=None)
        init.__signature__ = signature  # type: ignore[attr-defined]  # what inspect looks for first
        init.__doc__ = _told(init.__doc__, [one.name for one in named], declared)
        return init

    return applied


def described(*declared: type) -> dict[str, str]:
    """What the docstrings of declarations say of each argument, on one line."""
    entries = (entry for one in declared for entry in _ENTRY.finditer(inspect.getdoc(one) or ""))
    return {entry["name"]: " ".join(entry["text"].split()) for entry in entries}


_ENTRY = re.compile(r"^    (?P<name>\w+): (?P<text>.*(?:\n {8}.*)*)", re.MULTILINE)
_REST = re.compile(r"^(?P<indent> *)\*\*arguments: .*(?:\n(?P=indent) +.*)*$", re.MULTILINE)


def _parameter(name: str, kind: Any) -> inspect.Parameter:  # noqa: ANN401 - a type, as typing writes it
    required = name in SharedKeyArguments.__required_keys__ | ReplicaKeyArguments.__required_keys__
    default = inspect.Parameter.empty if required else DEFAULTS[name]
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_SPELT.get(kind, kind)
    )


_SPELT = {Principals: "Principals", Principals | None: "Principals | None"}
"""Types whose name says more than what they are made of."""


def _told(text: str | None, names: Iterable[str], declared: type) -> str | None:
    if text is None:  # python -OO
        return None
    documents = described(KeyArguments, declared)
    return _REST.sub(
        lambda rest: "\n".join(f"{rest['indent']}{name}: {documents[name]}" for name in names), text
    )
