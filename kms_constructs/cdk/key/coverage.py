"""Whether the declared key policy lets a principal do something already: asked of the analysis.

One role has many spellings: its ARN as text, with the partition as a reference, by Fn::GetAtt, Fn::Sub or
Fn::Join, imported, or as the account it lies in. So declared policy and wish are read as the template of the
stack would be, and their principals are compared as the sets that they stand for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import Stack

from kms_constructs.analysis.key_names import home_partition
from kms_constructs.analysis.principals import Cell, PrincipalCells, principal_cells
from kms_constructs.analysis.reach import reach_of
from kms_constructs.cdk.key.references import identities_of, written_out
from kms_constructs.model.arn import canonical
from kms_constructs.model.estate import Key
from kms_constructs.model.globs import glob_covers
from kms_constructs.policies.target import is_token
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates

_DECLARED = "Declared"
_WISHED = "Wished"


def covers(
    declared: Sequence[Mapping[str, object]],
    wish: Mapping[str, object],
    actions: Iterable[str],
    *,
    via: Sequence[str],
    stack: Stack,
) -> bool:
    """Whether declared statements let every principal of a wish do all the actions, in some request.

    The conditions that were declared keep holding: somebody who may decrypt through S3 is let decrypt. That
    the account's own IAM policies could allow it is not enough for a role or user; they may not.

    Args:
        declared: Statements of the key policy, with tokens.
        wish: A statement with tokens that allows something.
        actions: Names of the actions to ask for.
        via: Services through which the requests come, as ``kms:ViaService`` has them; empty for any.
        stack: The stack of the key.
    """
    keys = _read({_DECLARED: declared, _WISHED: [wish]}, stack)
    policy, asked = keys[_DECLARED], keys[_WISHED]
    partition = home_partition(policy)
    contexts = [{"kms:viaservice": one} for one in via] or [{}]
    wanted = tuple(actions)
    for statement in asked.policy.statements:
        if not isinstance(statement.principals, tuple):
            return False
        for principal in statement.principals:
            found = principal_cells(principal, partition)
            if found.unresolved is not None:
                return False
            for context in contexts:
                if not all(_allowed(policy, action, context, found) for action in wanted):
                    return False
    return bool(wanted)


def _allowed(policy: Key, action: str, context: Mapping[str, str], asked: PrincipalCells) -> bool:
    given = [
        cell
        for part in reach_of(policy, action, context=context).contributions
        if part.unresolved is None
        for cell in part.cells
        if asked.delegated or not (part.delegated and cell.account == policy.account)
    ]
    return all(any(_within(cell, wide) for wide in given) for cell in asked.cells)


def _within(cell: Cell, wide: Cell) -> bool:
    return (
        cell.kind is wide.kind
        and not wide.exclude
        and all(
            any(glob_covers(canonical(pattern), canonical(one)) for one in cell.include)
            for pattern in wide.include
        )
    )


def _read(policies: Mapping[str, Sequence[Mapping[str, object]]], stack: Stack) -> dict[str, Key]:
    resources: dict[str, object] = {
        name: {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "KeyPolicy": {"Statement": stack.resolve([_spelt_out(one, stack) for one in statements])}
            },
        }
        for name, statements in policies.items()
    }
    made = {"Resources": {**identities_of(stack), **resources}}
    account, region = (None if is_token(one) else one for one in (stack.account, stack.region))
    read = estate_from_templates([TemplateInput(made, stack.stack_name, account=account, region=region)])
    return {key.location.logical_id: key for key in read.keys}


def _spelt_out(statement: Mapping[str, object], stack: Stack) -> dict[str, object]:
    """The statement with the names of roles and users that were given names, those of other stacks too."""
    principal = statement.get("Principal")
    if not isinstance(principal, Mapping):
        return dict(statement)
    named = {
        kind: [written_out(one, stack) if isinstance(one, str) else one for one in _listed(values)]
        for kind, values in principal.items()
    }
    return {**statement, "Principal": named}


def _listed(values: object) -> list[object]:
    return list(values) if isinstance(values, list | tuple) else [values]
