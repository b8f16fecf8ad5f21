"""The accounts, keys, callers and networks of a synthetic trail."""

from __future__ import annotations

import ipaddress
import json
import random
from datetime import UTC, datetime

from msgspec import field

from kms_constructs.detections.synthetic.records import identifier, role_arn
from kms_constructs.errors import ArgumentError
from kms_constructs.model.frozen import Frozen

KIND_SYMMETRIC, KIND_SIGNING, KIND_HMAC = "SYMMETRIC_DEFAULT", "ECC_NIST_P256", "HMAC_256"

OUTSIDER = "999988887777"
"""An account that belongs to nobody known."""


class TrailOptions(Frozen, frozen=True, kw_only=True):
    """What a synthetic trail is like.

    Args:
        events: How many records, incidents included; at least 1, and 2000 with incidents.
        seed: The same options with the same seed are the same trail, to the byte.
        start: Begin of the first day, UTC.
        days: Length, at least 6.
        accounts: How many accounts, at least 1.
        regions: Regions in which there are keys.
        keys: How many keys, spread over accounts and Regions; at least 6, and 3 for each account.
        principals: How many roles and users call, at least 4, and 2 for each account.
        services: Services that use keys on their own behalf.
        incidents: Whether incidents are planted.
    """

    events: int = 10_000
    seed: int = 1
    start: datetime = datetime(2026, 5, 1, tzinfo=UTC)
    days: int = 30
    accounts: int = 2
    regions: tuple[str, ...] = ("eu-central-1", "us-east-1")
    keys: int = 24
    principals: int = 30
    services: tuple[str, ...] = ("logs.amazonaws.com", "cloudtrail.amazonaws.com", "rds.amazonaws.com")
    incidents: bool = True

    def __post_init__(self) -> None:
        """Refuses what no trail can be made of.

        Raises:
            ArgumentError: A number is too small, there is no Region, or the start has no zone.
        """
        least = {"days": 6, "accounts": 1}
        least |= {"keys": max(6, 3 * self.accounts), "principals": max(4, 2 * self.accounts)}
        least["events"] = 2000 if self.incidents else 1
        for name, bound in least.items():
            if (given := getattr(self, name)) < bound:
                raise ArgumentError(name, given, f"it is at least {bound}", f"write {bound} or more")
        if not self.regions:
            raise ArgumentError("regions", self.regions, "it names a Region at least", "write eu-central-1")
        if self.start.tzinfo is None:
            raise ArgumentError("start", self.start, "it has no time zone", "write tzinfo=UTC")


class SampleKey(Frozen, frozen=True):
    """A key of the trail."""

    account: str
    region: str
    key_id: str
    alias: str
    kind: str

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:kms:{self.region}:{self.account}:key/{self.key_id}"


class Caller(Frozen, frozen=True):
    """A role or user, and where it calls from.

    Args:
        account: Its account.
        name: Its name.
        is_user: Whether it is a user and no role.
        addresses: The addresses that it calls from, all of one network.
        endpoint: The VPC endpoint that its calls go through; empty for none.
    """

    account: str
    name: str
    is_user: bool
    addresses: tuple[str, ...]
    endpoint: str = ""

    @property
    def arn(self) -> str:
        """Its ARN."""
        if self.is_user:
            return f"arn:aws:iam::{self.account}:user/{self.name}"
        return role_arn(self.account, self.name)


class World(Frozen, frozen=True):
    """What there is before anything happens."""

    accounts: tuple[str, ...]
    keys: tuple[SampleKey, ...]
    callers: tuple[Caller, ...]
    spare: tuple[SampleKey, ...] = field(default=())

    @property
    def busy(self) -> tuple[SampleKey, SampleKey, SampleKey]:
        """Keys of the first account that are in much use; the second is a multi-Region key."""
        count = len(self.accounts)
        return self.keys[count], self.keys[0], self.keys[2 * count]

    @property
    def authorised(self) -> dict[str, tuple[str, ...]]:
        """Control id to the principals who may: break-glass roles, and who deploys for key policies."""
        rescue, deploy = role_arn("*", "BreakGlass"), role_arn("*", "Deploy")
        found = {f"IAM-KMS-{number}": (rescue,) for number in (2, 3, 4)}
        return {**found, "IAM-KMS-5": (rescue, deploy)}


def build_world(options: TrailOptions, rng: random.Random) -> World:
    """The world of these options."""
    accounts = _accounts(options.accounts)
    keys = tuple(_key(number, accounts, options, rng) for number in range(options.keys))
    spare = tuple(
        SampleKey(accounts[0], options.regions[0], identifier(rng), f"alias/spare-{number}", KIND_SYMMETRIC)
        for number in range(SPARE_KEYS)
    )
    callers = tuple(_caller(number, accounts, rng) for number in range(options.principals))
    return World(accounts, keys, callers, spare)


SPARE_KEYS = 24
"""Keys that only incidents touch, so that what follows from one does not follow from another."""


def _accounts(count: int) -> tuple[str, ...]:
    known = ["111122223333", "444455556666", "777788889999"]
    return tuple((known + [f"{200000000000 + number}" for number in range(count)])[:count])


def _key(number: int, accounts: tuple[str, ...], options: TrailOptions, rng: random.Random) -> SampleKey:
    key_id = identifier(rng)
    kind = KIND_SIGNING if number % 9 == 5 else KIND_HMAC if number % 11 == 7 else KIND_SYMMETRIC
    if number < 3 * len(accounts):
        kind = KIND_SYMMETRIC
    if number % 8 == 0:
        # Related multi-Region keys share an id of this form.
        key_id = f"mrk-{key_id.replace('-', '')}"
    return SampleKey(
        account=accounts[number % len(accounts)],
        region=options.regions[number // len(accounts) % len(options.regions)],
        key_id=key_id,
        alias=f"alias/app/{number}",
        kind=kind,
    )


def _caller(number: int, accounts: tuple[str, ...], rng: random.Random) -> Caller:
    account = accounts[number % len(accounts)]
    if number % 7 == 3:
        return Caller(account, f"user-{number}", True, hosts(f"198.18.{number % 256}.0/24", rng))
    name = f"app-{number}"
    if number % 3 == 1:
        inside = f"10.{number % 250}.1.0/24" if number % 2 else f"172.{16 + number % 16}.{number % 250}.0/24"
        return Caller(account, name, False, hosts(inside, rng), f"vpce-{rng.getrandbits(68):017x}")
    if number % 5 == 2:
        return Caller(account, name, False, hosts(f"2001:db8:{number:x}::/64", rng))
    return Caller(account, name, False, hosts(f"198.19.{number % 256}.0/24", rng))


def hosts(network: str, rng: random.Random, count: int = 8) -> tuple[str, ...]:
    """Some addresses of a network. All are set aside for documentation, benchmarks or private use."""
    found = ipaddress.ip_network(network)
    most = min(found.num_addresses - 2, 1 << 32)
    return tuple(str(found[rng.randrange(1, most)]) for _ in range(count))


def policy(account: str, *users: str, public: bool = False) -> str:
    """The text of a key policy: the account manages, these use."""
    statements: list[dict[str, object]] = [
        {
            "Sid": "RootAccount",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:PutKeyPolicy", "kms:EnableKey"],
            "Resource": "*",
        }
    ]
    if users:
        statements.append(
            {
                "Sid": "KeyUsers",
                "Effect": "Allow",
                "Principal": {"AWS": sorted(users)},
                "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
                "Resource": "*",
            }
        )
    if public:
        statements.append(
            {
                "Sid": "Everybody",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "kms:Decrypt",
                "Resource": "*",
            }
        )
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
