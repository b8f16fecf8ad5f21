"""Says so when the L1 of a hardened key is changed by an escape hatch, for the change is discarded.

The guard writes the properties of a key as raw overrides, and so over those of others. What others had
overridden cannot be read back from Node afterwards; it is seen when it is done, or never. What they had set
as properties is seen by the guard, which reads them in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps

from aws_cdk import CfnDeletionPolicy, CfnResource
from aws_cdk.aws_kms import CfnKey
from constructs import IConstruct

from kms_constructs.cdk.annotations import annotations_of

WARNING = "kms-constructs:discarded-override"
"""Id by which the warning is acknowledged."""
_HATCHES = (
    "add_deletion_override",
    "add_override",
    "add_property_deletion_override",
    "add_property_override",
)
_WRITTEN_OVER = "Properties"


def tell_of_properties(
    resource: CfnKey,
    current: Mapping[str, object],
    made_with: Mapping[str, object],
    written: Callable[[], Mapping[str, object]],
) -> None:
    """Warns of properties of the L1 that somebody has set since the construct made it.

    Args:
        resource: The L1.
        current: Its properties now, as the L1 names them.
        made_with: Its properties as the construct made it.
        written: What the construct writes in their place, as templates name it, None for what it takes out;
            asked when there is need. What is not there stays as it was set.
    """
    changed = {
        _template_name(name): current.get(name)
        for name in {*current, *made_with} - {"tags"}
        if not _same(current.get(name), made_with.get(name))
    }
    if changed:
        instead = written()
        lost = [name for name, value in changed.items() if name in instead and value != instead[name]]
        _tell_of(resource, sorted(lost))


def tell_of_removal(resource: CfnKey, deletion_policy: str) -> None:
    """Warns of another deletion policy than the one that is written.

    Args:
        resource: The L1.
        deletion_policy: What the construct writes: ``RetainExceptOnCreate``.
    """
    given = resource.cfn_options.deletion_policy
    if given is not None and given is not _DELETION_POLICIES[deletion_policy]:
        _tell_of(resource, ["DeletionPolicy"])


_DELETION_POLICIES = {
    "Delete": CfnDeletionPolicy.DELETE,
    "Retain": CfnDeletionPolicy.RETAIN,
    "RetainExceptOnCreate": CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE,
}


def _tell_of(resource: CfnKey, names: Sequence[str]) -> None:
    if names:
        _warn(resource, f"What was set of {', '.join(names)}")


def _template_name(name: str) -> str:
    """What templates call a property of an L1: ``EnableKeyRotation``."""
    return f"{name[0].upper()}{name[1:]}"


def _same(one: object, other: object) -> bool:
    """Whether two values are the same; an object of Node's when it is that very one."""
    left, right = (getattr(value, "__jsii_ref__", value) for value in (one, other))
    return bool(left == right)


def _warn(resource: CfnKey, what: str) -> None:
    annotations_of(resource).add_warning_v2(
        WARNING,
        f"{what} is discarded: the construct writes what it declares over it. "
        "Use an argument of the construct, or a kms.Key where there is none.",
    )


def tell_of_overrides(is_guarded: Callable[[IConstruct | None], bool]) -> None:
    """Has every escape hatch of `CfnKey` tell when it changes a key that is written over.

    The guard itself calls those of `CfnResource`.

    Args:
        is_guarded: Whether the construct that a `CfnKey` lies in is such a key.
    """
    for name in _HATCHES:
        setattr(CfnKey, name, _telling(name, is_guarded))


def _telling(name: str, is_guarded: Callable[[IConstruct | None], bool]) -> Callable[..., None]:
    original: Callable[..., None] = getattr(CfnResource, name)
    whole = "property" not in name

    @wraps(original)
    def method(self: CfnKey, path: str, *value: object) -> None:
        if not whole or path.split(".", maxsplit=1)[0] == _WRITTEN_OVER:
            scope = self.node.scope
            if is_guarded(scope):
                _warn(self, f"The override of {path}")
        original(self, path, *value)

    return method
