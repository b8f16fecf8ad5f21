"""Which keys a Resource names: a key of which the id is not known yet may be one that is named by its id.

A template does not tell the id of the key that it makes, and the template of an imported key, or of one that
an IaC generator wrote down, may well name its own key by it. So a literal key ARN is open there: it counts
where it allows and not where it denies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from msgspec.structs import replace

from kms_constructs.analysis.principals import localised
from kms_constructs.model.estate import Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.globs import glob_covers, globs_meet, has_variable
from kms_constructs.model.once import once
from kms_constructs.model.policy import Statement, named_partition
from kms_constructs.model.text import CLOSE, FIELD_STAR, OPEN, HoleKind, display, has_hole, hole
from kms_constructs.model.unknown import Unknown

_GENERATED = f"{OPEN}{HoleKind.GENERATED.value}:"
_GENERATED_HOLE = re.compile(f"{_GENERATED}[^{CLOSE}]*{CLOSE}")
_SOME_ID = hole(HoleKind.UNRESOLVED, "KeyId")


def home_partition(key: Key) -> str:
    """The partition that a key lies in: what its Region tells, else what the principals of its policy tell.

    KMS takes no policy that names a principal of another partition, so an ARN in a statement that is there
    for certain settles it. Else it is a hole: any partition.
    """
    return key.partition if not has_hole(key.partition) else named_partition(key.policy) or key.partition


class KeyName(Frozen, frozen=True):
    """What Resource elements are held against for one key.

    Args:
        arn: ARN of the key as far as it is known.
        partition: The partition that it lies in.
        account: The account that it lies in.
        in_own_policy: Whether the Resource stands in the policy of the key.
    """

    arn: str
    partition: str
    account: str
    in_own_policy: bool = False

    @classmethod
    def of(cls, key: Key, *, in_own_policy: bool = False) -> KeyName:
        """The name of a key."""
        return _name_in_own_policy(key) if in_own_policy else _name_of(key)

    @property
    def any_id(self) -> str:
        """The ARN with an id that may be any, where deployment generates it.

        A statement of a key policy is meant for that key: where it names a key of another Region, the
        template was written there, and is deployed to more Regions than the one that it is judged for.
        """
        open_ = _GENERATED_HOLE.sub(_SOME_ID, self.arn)
        if not self.in_own_policy or open_ == self.arn:
            return open_
        arn, partition, service, _, rest = open_.split(":", 4)
        return ":".join((arn, partition, service, FIELD_STAR, rest))

    def names(self, resource: str) -> bool | None:
        """Whether a pattern of a Resource element names the key; None where that is open.

        Args:
            resource: ``*``, an ARN pattern, or text with holes. An alias ARN names the alias and no key.
        """
        return _names(resource, self)


@once
def _name_of(key: Key) -> KeyName:
    partition = home_partition(key)
    return KeyName(localised(key.arn_pattern, partition), partition, key.account)


@once
def _name_in_own_policy(key: Key) -> KeyName:
    return replace(_name_of(key), in_own_policy=True)


@lru_cache(maxsize=65536)
def _names(resource: str, key: KeyName) -> bool | None:
    if resource == "*":
        return True
    text = localised(resource, key.partition)
    if glob_covers(text, key.arn):
        return True
    if globs_meet(text, key.arn):
        return None
    # A generated id is that of one key of the estate; a literal one may be that of any.
    return None if _GENERATED not in text and globs_meet(text, key.any_id) else False


def speaks_of_key(
    statement: Statement, key: KeyName, fill: Callable[[str], str | None] | None = None
) -> bool | None:
    """Whether a statement speaks of a key by its Resource or NotResource; None where that is open.

    A statement without either has no effect at all.

    Args:
        statement: The statement.
        key: The key.
        fill: Replaces the policy variables of a text by what a request carries; None where that is open.
            Without it they stay as they are.
    """
    listed, wanted = statement.resources, True
    if listed is None:
        listed, wanted = statement.not_resources, False
    if listed is None:
        return False
    if isinstance(listed, Unknown):
        return None
    # Nearly every statement of a key policy says "*".
    answer = True if "*" in listed else _best(listed if fill is None else map(fill, listed), key)
    return answer if answer is None else answer is wanted


def _best(resources: Iterable[str | None], key: KeyName) -> bool | None:
    answers = {None if resource is None else key.names(resource) for resource in resources}
    return True if True in answers else None if None in answers else False


def open_resource(statement: Statement, key: KeyName) -> str | None:
    """Why it is not known whether a statement speaks of a key; None when it is, or the request decides.

    What a policy variable stands for is no riddle of the deployment but a condition on the request.
    """
    listed = statement.resources if statement.resources is not None else statement.not_resources
    if isinstance(listed, Unknown):
        return listed.reason
    if listed is None or speaks_of_key(statement, key) is not None:
        return None
    texts = [one for one in listed if key.names(one) is None]
    if any(map(has_variable, texts)):
        return None
    return f"whether {display(texts[0])} is this key is decided at deployment"
