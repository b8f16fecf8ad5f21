"""Policy documents of templates: made fit for `parse_policy`.

A parameter without a default resolves to text that is one hole. Where a policy wants an object (the document,
a statement, a principal, a condition) or a keyword (the effect), such text is an unknown value and no mistake
of the author.
"""

from __future__ import annotations

from collections.abc import Mapping

from kms_constructs.model.policy import Policy, parse_policy
from kms_constructs.model.text import has_hole, split_holes, undecided


def policy_of(document: object, path: str) -> Policy:
    """Reads a resolved policy document.

    Args:
        document: An object, JSON text, or unknown.
        path: Where it stands.
    """
    if isinstance(document, str) and has_hole(document) and len(split_holes(document)) == 1:
        document = undecided(document)
    return parse_policy(document, path=path, prepare=_statement)


def _statement(statement: object) -> object:
    if isinstance(statement, str):
        return undecided(statement) if has_hole(statement) else statement
    if not isinstance(statement, Mapping):
        return statement
    changed: dict[object, object] = {}
    for key, value in statement.items():
        folded = str(key).lower()
        if isinstance(value, str) and has_hole(value) and folded in _NO_TEXT:
            changed[key] = undecided(value)
        elif folded == "condition" and isinstance(value, Mapping):
            changed[key] = {
                operator: undecided(keys) if isinstance(keys, str) and has_hole(keys) else keys
                for operator, keys in value.items()
            }
        else:
            changed[key] = value
    return changed


_NO_TEXT = ("effect", "principal", "notprincipal", "condition")
