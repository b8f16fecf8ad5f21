"""The one overlap of duties that deployments need: who deploys the key uses it, through services it names.

Whoever deploys a key may rewrite its policy, and so could give itself anything already. Where it makes a
table, a secret or a file system with the key, it calls KMS itself, through the service. A key policy that
lets it do so through named services, and in no other way, gives it nothing new, and is told as a warning. So
are grants that such a service makes in its name without saying that they are for a resource of AWS: EKS's.

See: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from kms_constructs.analysis.contribution import Contribution
from kms_constructs.analysis.principals import Cell, PrincipalKind
from kms_constructs.analysis.separation import CREATE_GRANT, POLICY_ACTION, Overlap
from kms_constructs.guardrails.grant_scope import grants_without_flag
from kms_constructs.model.globs import has_wildcard
from kms_constructs.model.policy import Condition
from kms_constructs.model.text import has_unresolved_hole

DEPLOYMENT_VIA_SERVICE = "deployment via service"
_BY_STATEMENT = frozenset({"key policy", CREATE_GRANT, "delegated policy", "delegated management"})
"""Ways in which statements of the key policy give use, which are the ones to look at."""


def deployers(policy_writers: Sequence[str], guardians: Sequence[str]) -> tuple[str, ...]:
    """Who deploys the key: who may write its policy, and is none of those who may disable it.

    Args:
        policy_writers: Principals authorised for IAM-KMS-5.
        guardians: Principals authorised for IAM-KMS-4: administrators and break-glass principals.
    """
    return tuple(one for one in policy_writers if one not in guardians and not has_wildcard(one))


def told_apart(found: Iterable[Overlap], who: Sequence[str]) -> list[Overlap]:
    """The overlaps, those of deployers through services made one for each deployer, and known by their way.

    Args:
        found: Overlaps of one key.
        who: ARNs of those who deploy it.
    """
    others: list[Overlap] = []
    deploying: dict[tuple[Cell, ...], Overlap] = {}
    for one in found:
        if not (who and _through_services(one) and all(_is_one_of(cell, who) for cell in one.cells)):
            others.append(one)
            continue
        before = deploying.get(one.cells)
        joined = one if before is None else _joined(before, one)
        deploying[one.cells] = replace(joined, through=DEPLOYMENT_VIA_SERVICE)
    return others + list(deploying.values())


def services_of(overlap: Overlap) -> tuple[str, ...]:
    """The services through which it uses the key, sorted."""
    return tuple(sorted({one for _, user in overlap.pairs for one in _named_services(user.part)}))


def _through_services(one: Overlap) -> bool:
    if one.through not in _BY_STATEMENT or one.unresolved is not None or not one.pairs:
        return False
    named = [_named_services(user.part) for _, user in one.pairs]
    return all(named) and (CREATE_GRANT not in one.uses or all(map(grants_without_flag, named)))


def _is_one_of(cell: Cell, who: Sequence[str]) -> bool:
    return cell.kind is not PrincipalKind.ROOT and cell.literal is not None and cell.within(who)


def _named_services(part: Contribution) -> tuple[str, ...]:
    """The services that a statement wants a request to come through; empty when it wants none, or any."""
    if part.delegated or part.statement is None:
        return ()
    return next((named for one in part.conditions if (named := _services(one))), ())


def _services(condition: Condition) -> tuple[str, ...]:
    values = condition.values
    if condition.operator.lower() not in {"stringequals", "stringlike"} or not isinstance(values, tuple):
        return ()
    named = condition.folded_key == "kms:viaservice" and not any(
        has_wildcard(one) or has_unresolved_hole(one) for one in values
    )
    return values if named else ()


def _joined(one: Overlap, other: Overlap) -> Overlap:
    managing = other if POLICY_ACTION in other.manages else one
    return replace(
        managing,
        manages=tuple(sorted({*one.manages, *other.manages})),
        uses=tuple(sorted({*one.uses, *other.uses})),
        chain=tuple(dict.fromkeys((*one.chain, *other.chain))),
        pairs=(*one.pairs, *other.pairs),
    )
