"""What one statement of a policy gives, and what it takes: the halves that regions are made of.

See: https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from kms_constructs.analysis.conditions import Atom, RequestContext, decide, open_atom, principal_atom
from kms_constructs.analysis.contribution import Contribution
from kms_constructs.analysis.key_names import KeyName, open_resource, speaks_of_key
from kms_constructs.analysis.principals import (
    Cell,
    PrincipalCells,
    PrincipalKind,
    everyone,
    is_session,
    principal_cells,
)
from kms_constructs.model.actions import ACTIONS, expand
from kms_constructs.model.globs import globs_meet
from kms_constructs.model.policy import Condition, Principal, Statement
from kms_constructs.model.text import has_hole
from kms_constructs.model.unknown import Unknown

PERHAPS_THERE = "whether the statement is there at all is decided at deployment"
"""Why nothing is known of what a statement allows that a condition of the source may leave out."""


def applies_to_action(statement: Statement, action: str, *, certainly: bool) -> bool:
    """Whether the statement speaks of the action.

    Args:
        statement: The statement.
        action: Name of a KMS action, without ``kms:``.
        certainly: Whether an unknown element counts as no (for a Deny) or as yes (for an Allow).
    """
    return action in statement_actions(statement.actions, statement.not_actions, certainly)


_ALL_ACTIONS = frozenset(ACTIONS)


@lru_cache(maxsize=8192)
def statement_actions(
    actions: tuple[str, ...] | Unknown | None, not_actions: tuple[str, ...] | Unknown | None, certainly: bool
) -> frozenset[str]:
    """Names of the KMS actions that an Action or NotAction element speaks of.

    Args:
        actions: The Action element.
        not_actions: The NotAction element.
        certainly: Whether what is unknown counts as no (for a Deny) or as yes (for an Allow).
    """
    if actions is not None:
        if isinstance(actions, Unknown):
            return frozenset() if certainly else _ALL_ACTIONS
        return frozenset().union(*(_action_names(pattern, certainly) for pattern in actions))
    if not_actions is not None:
        if isinstance(not_actions, Unknown):
            return frozenset() if certainly else _ALL_ACTIONS
        return _ALL_ACTIONS.difference(*(_action_names(pattern, not certainly) for pattern in not_actions))
    return frozenset()


@lru_cache(maxsize=8192)
def _action_names(pattern: str, certainly: bool) -> frozenset[str]:
    if not has_hole(pattern):
        return frozenset(expand(pattern))
    if certainly:
        return frozenset()
    return frozenset(name for name in ACTIONS if globs_meet(pattern.lower(), f"kms:{name}".lower()))


def allowed(
    statement: Statement, action: str, context: RequestContext, key: KeyName
) -> tuple[Contribution, ...]:
    """What an Allow of a key policy may give, never too little.

    Args:
        statement: A statement that speaks of the action, and may be an Allow.
        action: Name of the action.
        context: What is known of the request.
        key: The key whose policy it stands in.
    """
    if speaks_of_key(statement, key) is False:
        return ()
    unresolved = open_resource(statement, key)
    for element in (statement.effect, statement.actions, statement.not_actions):
        if isinstance(element, Unknown):
            unresolved = element.reason
    atoms: list[Atom] = []
    assumed: list[Condition] = []
    if isinstance(statement.conditions, Unknown):
        unresolved = unresolved or statement.conditions.reason
    else:
        for condition in statement.conditions:
            verdict = decide(condition, action, context)
            if verdict is False:
                return ()
            if verdict is None:
                atom = principal_atom(condition, key.partition) or open_atom(condition, key.partition)
                if atom is None:
                    assumed.append(condition)
                else:
                    atoms.append(atom)
    doubt = next((atom.doubt for atom in atoms if atom.doubt), "")
    found: list[Contribution] = []
    for part in _statement_principals(statement, key.partition):
        cells = _satisfying(part.cells, atoms)
        if not cells:
            continue
        reason = unresolved or part.unresolved or (None if statement.certain else PERHAPS_THERE)
        given = Contribution(
            cells, statement, delegated=part.delegated, unresolved=reason, conditions=tuple(assumed)
        )
        if doubt:
            sure = _satisfying(part.cells, [atom.taken_for(satisfied=False) for atom in atoms])
            found.extend(given.doubted(sure, doubt))
        else:
            found.append(given)
    return tuple(found)


def _satisfying(cells: tuple[Cell, ...], atoms: Sequence[Atom]) -> tuple[Cell, ...]:
    for atom in atoms:
        cells = tuple(dict.fromkeys(left for cell in cells for left in atom.satisfying(cell)))
    return cells


def _statement_principals(statement: Statement, partition: str) -> tuple[PrincipalCells, ...]:
    if isinstance(statement.principals, Unknown):
        return (PrincipalCells(everyone(partition), unresolved=statement.principals.reason),)
    if statement.principals is not None:
        return tuple(principal_cells(principal, partition) for principal in statement.principals)
    if statement.not_principals is not None:
        # An Allow with NotPrincipal is open to everyone else in the world.
        return (PrincipalCells(everyone(partition)),)
    return ()


def denial(
    statement: Statement, action: str, context: RequestContext, key: KeyName, *, in_key_policy: bool
) -> tuple[Atom, ...] | None:
    """What must hold of a principal for the Deny to hit it for certain; None when it may not hit at all.

    Args:
        statement: A Deny that speaks of the action.
        action: Name of the action.
        context: What is known of the request.
        key: The key that it is asked for.
        in_key_policy: Whether it stands in the key's policy and not in one of the organization.
    """
    if speaks_of_key(statement, key) is not True:
        return None
    if isinstance(statement.conditions, Unknown):
        return None
    atoms: list[Atom] = []
    for condition in statement.conditions:
        verdict = decide(condition, action, context)
        if verdict is False:
            return None
        if verdict is None:
            atom = principal_atom(condition, key.partition)
            if atom is None:
                return None
            atoms.append(atom)
    if statement.principals is None:
        # An organization policy may leave the principal out; a key policy may not, and NotPrincipal is
        # too easily escaped (the session, the account) to count on.
        return None if in_key_policy or statement.not_principals is not None else tuple(atoms)
    if isinstance(statement.principals, Unknown):
        return None
    named = _denied_principals(statement.principals, key.partition)
    return tuple(atoms) if named is None else (named, *atoms)


def _denied_principals(principals: Sequence[Principal], partition: str) -> Atom | None:
    """The principals that a Deny hits for certain, as an atom; None when it hits everyone.

    See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    patterns: dict[PrincipalKind, list[str]] = {kind: [] for kind in PrincipalKind}
    for principal in principals:
        if principal.value == "*" and principal.type in ("AWS", "*"):
            return None
        found = principal_cells(principal, partition)
        # One session that is denied leaves the other sessions of its role.
        if found.unresolved is not None or is_session(principal.value):
            continue
        for cell in found.cells:
            # A Deny on an account principal hits everyone of the account, its sessions included.
            if found.delegated:
                patterns[cell.kind].extend(cell.include)
            elif cell.literal is not None:
                patterns[cell.kind].append(cell.literal)
    return Atom(tuple((kind, tuple(found)) for kind, found in patterns.items()))
