"""What an app acknowledges of what its stacks lie in: CDK writes that nowhere, so constructs are asked."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct

from kms_constructs.sources.cloudformation.assembly import TEMPLATE_FILE, Assembly


def acknowledged_above(assembly: Assembly, root: IConstruct | None) -> dict[str, dict[str, str]]:
    """Construct path, empty for the app, to ids to reasons.

    Args:
        assembly: The assembly, whose metadata names the stacks.
        root: The app; None when it is not known, and nothing is.
    """
    if root is None:
        return {}
    stacks = {name for name, _ in assembly.entries(TEMPLATE_FILE)}
    found: dict[str, dict[str, str]] = {}
    for path, construct in _above(root, stacks).items():
        for entry in construct.node.metadata:
            if entry.type == cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY and isinstance(
                entry.data, Mapping
            ):
                told = {str(given): str(reason) for given, reason in entry.data.items()}
                found.setdefault(path, {}).update(told)
    return found


def _above(root: IConstruct, stacks: set[str]) -> dict[str, IConstruct]:
    """The root and every construct between it and a stack, by path."""
    found: dict[str, IConstruct] = {"": root}
    for stack in sorted(stacks):
        names = stack.split("/")
        for length in range(1, len(names)):
            path = "/".join(names[:length])
            above = found.get("/".join(names[: length - 1]))
            child = None if above is None or path in found else above.node.try_find_child(names[length - 1])
            if child is not None:
                found[path] = child
    return found
