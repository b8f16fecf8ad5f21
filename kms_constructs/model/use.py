"""What uses a key and how: the resources on the way to it, as far as a template tells.

An alarm names a topic and the topic a key: that is one `Use`, of the requirement for alarms. Who calls KMS
for it, and what the calls carry, stands in the requirement; here stands what this one app adds to it.
"""

from __future__ import annotations

from kms_constructs.model.frozen import Frozen
from kms_constructs.model.location import Location
from kms_constructs.model.service_requirement import KeyForm
from kms_constructs.model.unknown import Unknown


class Link(Frozen, frozen=True, kw_only=True):
    """One resource on the way to a key.

    Args:
        location: The resource.
        resource_type: ``AWS::CloudWatch::Alarm``.
        path: Its property that names the next resource, or the key.
        arn: Its ARN, which may have holes; empty where nothing of it is known.
    """

    location: Location
    resource_type: str
    path: str
    arn: str = ""

    @property
    def name(self) -> str:
        """The resource as a message calls it."""
        return self.location.construct_path or self.location.logical_id


class UsingRole(Frozen, frozen=True):
    """A role that calls KMS for a use.

    Args:
        caller: The place of its caller in the requirement.
        arn: Its ARN, which may have holes, or unknown.
        unseen: Whether another application makes it, under a name that no policy written before can hold.
    """

    caller: int
    arn: str | Unknown
    unseen: bool = False


class Use(Frozen, frozen=True, kw_only=True):
    """One resource for which a service uses a key.

    Args:
        requirement: Name of the requirement (`kms_constructs.model.services`).
        key: `Key.id` of the key; empty for a key that AWS manages.
        managed: The alias of the key that AWS manages: ``alias/aws/sns``.
        chain: The resources, from the one for which the service acts to the one that names the key.
        form: How that one names the key.
        account: Account that the resources are made in: twelve digits, or text with holes.
        region: Their Region; may have holes.
        partition: Their partition.
        creator: ARN of the role that makes them; None where the source does not say.
        roles: The roles that call KMS; none where the resource has no role.
        mentioned: ARNs that the first resource mentions: what it acts for, where that is not itself.
        doubt: Why the use may not be there; empty when it is.
    """

    requirement: str
    key: str
    managed: str = ""
    chain: tuple[Link, ...]
    form: KeyForm
    account: str
    region: str
    partition: str
    creator: str | None = None
    roles: tuple[UsingRole, ...] = ()
    mentioned: tuple[str, ...] = ()
    doubt: str = ""

    @property
    def user(self) -> Link:
        """The resource for which the service acts."""
        return self.chain[0]

    @property
    def holder(self) -> Link:
        """The resource that names the key."""
        return self.chain[-1]

    @property
    def way(self) -> str:
        """The resources as a message lists them: ``Alarm → Topic``."""
        return " → ".join(link.name for link in self.chain)
