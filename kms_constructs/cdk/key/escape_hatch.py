"""Says so when the L1 of a hardened key is changed by an escape hatch, for the change is discarded.

The guard writes the properties of a key as raw overrides, and so over those of others. What others had
overridden cannot be read back from Node afterwards; it is seen when it is done, or never.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from aws_cdk import Annotations, CfnResource
from aws_cdk.aws_kms import CfnKey
from constructs import IConstruct

WARNING = "kms-constructs:discarded-override"
"""Id by which the warning is acknowledged."""
_HATCHES = (
    "add_deletion_override",
    "add_override",
    "add_property_deletion_override",
    "add_property_override",
)
_WRITTEN_OVER = "Properties"


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
                Annotations.of(self).add_warning_v2(
                    WARNING,
                    f"The override of {path} is discarded: the construct writes its properties whole. "
                    "Use an argument of the construct, or a kms.Key where there is none.",
                )
        original(self, path, *value)

    return method
