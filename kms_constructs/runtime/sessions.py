"""Sessions of boto3 for an audit: profiles, a role to assume, the Regions of an account, its organization."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from kms_constructs.errors import SourceError
from kms_constructs.model.arn import is_account_id, is_region_name, of_region, parse_arn
from kms_constructs.runtime.asking import refusal_of
from kms_constructs.runtime.sharing import Party
from kms_constructs.sources.kms_api.answers import ASSUME_ROLE, GLOBAL, KMS, Refusal, Scope
from kms_constructs.sources.kms_api.organization import ORGANIZATIONS

SESSION_NAME: Final = "kms-constructs-audit"
ORGANIZATION: Final = "organization"
"""What ``--accounts`` says for every active account of the organization."""
CONFIG: Final = Config(
    retries={"mode": "adaptive", "max_attempts": 6},
    max_pool_connections=32,
    connect_timeout=10,
    read_timeout=30,
    user_agent_extra="kms-constructs/audit",
)
_FALLBACK_REGION: Final = "us-east-1"
_WHO: Final = "sts:GetCallerIdentity"


@dataclass(slots=True)
class Sessions:
    """The sessions of the accounts that are audited, and one client a service, account and Region.

    Args:
        by_account: Account to session.
        scopes: What is to be asked.
        management: The session that may ask Organizations.
    """

    by_account: dict[str, boto3.Session] = field(default_factory=dict)
    scopes: list[Scope] = field(default_factory=list)
    management: boto3.Session | None = None
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, account: str, region: str, service: str) -> Any:  # noqa: ANN401 - clients have no types
        """The client of a service for an account and a Region, made once: making one is slow and not safe."""
        place = account, region, service
        with self._lock:
            if place not in self._clients:
                session = self.by_account[account]
                if service == ORGANIZATIONS and self.management is not None:
                    session = self.management
                where = region if region != GLOBAL else session.region_name or _FALLBACK_REGION
                self._clients[place] = session.client(service, region_name=where, config=CONFIG)
            return self._clients[place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be audited.

    Args:
        profiles: Names of profiles; none for the default credentials.
        role_arn: Role that is assumed; may hold ``{account}``.
        regions: Regions; none for all that are enabled.
        accounts: Account ids, or `ORGANIZATION` alone; none for the account of each profile.
        last_usage: Whether to ask when keys were last used.
    """

    profiles: tuple[str, ...] = ()
    role_arn: str | None = None
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    last_usage: bool = True


def sessions_for(wanted: Wanted) -> Sessions:
    """The sessions of every account that is to be audited, and what is to be asked of each.

    An account whose role cannot be assumed is one that cannot be asked; the others are asked all the same.

    Raises:
        SourceError: There are no credentials, or the arguments make no sense together.
    """
    _check(wanted)
    found = Sessions()
    for profile in wanted.profiles or (None,):
        label = f"profile {profile}" if profile else "the default credentials"
        try:
            session = boto3.Session(profile_name=profile)
            if session.region_name is None and wanted.regions:
                # The partition is that of the Regions: us-east-1 knows nobody of another.
                session = boto3.Session(profile_name=profile, region_name=wanted.regions[0])
            own = _identity(session)
        except (BotoCoreError, ClientError) as error:
            if len(wanted.profiles) > 1 and not isinstance(error, ProfileNotFound):
                # The others are asked all the same.
                found.scopes.append(Scope(account=label, regions=(), refusal=refusal_of(error), refused=_WHO))
                continue
            raise SourceError(
                label, f"AWS cannot be asked with it ({refusal_of(error)})",
                "Sign in again, or give another --profile",
            ) from error  # fmt: skip
        for account in _accounts(session, own, wanted, found):
            _add(found, session, own, account, wanted)
    return found


def unheard_of(regions: Iterable[str]) -> tuple[str, ...]:
    """The Regions that boto3 has no endpoint of KMS for: misspelt, or newer than it."""
    session = boto3.Session()
    known = {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions(KMS, partition_name=partition)
    }
    return tuple(one for one in regions if one not in known)


def _check(wanted: Wanted) -> None:
    """That what is wanted can be: what AWS would refuse for its form is not asked for."""
    for region in wanted.regions:
        if not is_region_name(region):
            raise SourceError(f"--region {region}", "it is no name of a Region", "Give one such as eu-west-1")
    role = parse_arn((wanted.role_arn or "").replace("{account}", "0" * 12))
    if wanted.role_arn is not None and (role is None or not role.resource.startswith("role/")):
        raise SourceError(
            f"--role-arn {wanted.role_arn}", "it is no ARN of a role", "Give arn:aws:iam::{account}:role/NAME"
        )


def _identity(session: boto3.Session) -> str:
    client = session.client("sts", region_name=session.region_name or _FALLBACK_REGION, config=CONFIG)
    return str(client.get_caller_identity()["Account"])


def _accounts(session: boto3.Session, own: str, wanted: Wanted, found: Sessions) -> Sequence[str]:
    if not wanted.accounts:
        role = parse_arn(wanted.role_arn) if wanted.role_arn and "{" not in wanted.role_arn else None
        return [role.account if role is not None and role.account else own]
    if wanted.accounts == (ORGANIZATION,):
        found.management = session
        try:
            client = session.client(ORGANIZATIONS, region_name=_FALLBACK_REGION, config=CONFIG)
            pages = client.get_paginator("list_accounts").paginate()
            return [str(one["Id"]) for page in pages for one in page["Accounts"] if one["Status"] == "ACTIVE"]
        except (BotoCoreError, ClientError) as error:
            raise SourceError(
                "--accounts organization", f"its accounts cannot be listed ({refusal_of(error)})",
                "Give the account ids, or credentials of the management or a delegated administrator account",
            ) from error  # fmt: skip
    wrong = [one for one in wanted.accounts if not is_account_id(one)]
    if wrong:
        raise SourceError(
            "--accounts", f"{wrong[0]!r} is no account id", f"Give twelve digits each, or {ORGANIZATION}"
        )
    return list(dict.fromkeys(wanted.accounts))


def _add(found: Sessions, session: boto3.Session, own: str, account: str, wanted: Wanted) -> None:
    if account in found.by_account or any(one.account == account for one in found.scopes):
        return
    regions: tuple[str, ...] = wanted.regions or ((session.region_name,) if session.region_name else ())
    organization = found.management is not None
    partition = of_region(regions[0] if regions else _FALLBACK_REGION).name
    refusal: Refusal | None = None
    call = ASSUME_ROLE
    mine = session
    try:
        if wanted.role_arn is not None:
            mine = _assumed(session, wanted.role_arn.replace("{account}", account))
            call = _WHO
            if (actual := _identity(mine)) != account:
                call = ASSUME_ROLE
                refusal = Refusal(
                    "WrongAccount", f"the role is one of account {actual}: write {{account}} in it"
                )
        elif own != account:
            refusal = Refusal("NoRole", "it is another account: give --role-arn with {account} in it")
        if refusal is None and not wanted.regions:
            call = "ec2:DescribeRegions"
            regions = _enabled(mine)
    except (BotoCoreError, ClientError) as error:
        refusal = refusal_of(error)
    if refusal is None:
        found.by_account[account] = mine
    found.scopes.append(
        Scope(
            account=account,
            regions=regions,
            partition=partition,
            last_usage=wanted.last_usage,
            organization=organization,
            refusal=refusal,
            refused=call,
        )
    )


def _assumed(session: boto3.Session, role: str) -> boto3.Session:
    client = session.client("sts", region_name=session.region_name or _FALLBACK_REGION, config=CONFIG)
    given = client.assume_role(RoleArn=role, RoleSessionName=SESSION_NAME)["Credentials"]
    return boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        region_name=session.region_name,
    )


def _enabled(session: boto3.Session) -> tuple[str, ...]:
    """The Regions that are enabled for the account."""
    client = session.client("ec2", region_name=session.region_name or _FALLBACK_REGION, config=CONFIG)
    answer = client.describe_regions(
        Filters=[{"Name": "opt-in-status", "Values": ["opt-in-not-required", "opted-in"]}]
    )
    return _sorted(str(one["RegionName"]) for one in answer["Regions"])


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def party(name: str, profile: str, region: str) -> Party:
    """Somebody who takes part in sharing, by profile.

    Args:
        name: What it is called.
        profile: Name of the profile.
        region: Region of the key.

    Raises:
        SourceError: AWS cannot be asked with the profile.
    """
    try:
        session = boto3.Session(profile_name=profile)
        client = session.client("sts", region_name=region, config=CONFIG)
        arn = str(client.get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError) as error:
        raise SourceError(
            f"profile {profile}", f"AWS cannot be asked with it ({refusal_of(error)})",
            "Sign in again, or give another profile",
        ) from error  # fmt: skip
    clients: dict[str, Any] = {}

    def client_of(service: str) -> Any:  # noqa: ANN401 - clients have no types
        if service not in clients:
            clients[service] = session.client(service, region_name=region, config=CONFIG)
        return clients[service]

    return Party(name, arn, client_of)


def key_client(key_arn: str, profile: str | None) -> Any:  # noqa: ANN401 - clients have no types
    """A client of KMS that may change a key: in its Region, of its account.

    Args:
        key_arn: ARN of the key.
        profile: Name of the profile; None for the default credentials.

    Raises:
        SourceError: AWS cannot be asked, or the credentials are of another account.
    """
    arn = parse_arn(key_arn)
    if arn is None or not is_region_name(arn.region):
        raise SourceError(key_arn, "it is no ARN of a key", "Plan anew")
    try:
        session = boto3.Session(profile_name=profile)
        account = _identity(session)
    except (BotoCoreError, ClientError) as error:
        raise SourceError(
            f"profile {profile}" if profile else "the default credentials",
            f"AWS cannot be asked with it ({refusal_of(error)})", "Sign in again, or give another --profile",
        ) from error  # fmt: skip
    if account != arn.account:
        raise SourceError(
            key_arn, f"the credentials are of account {account}", f"Give a --profile of account {arn.account}"
        )
    return session.client("kms", region_name=arn.region, config=CONFIG)
