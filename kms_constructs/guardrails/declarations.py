"""What a template says of itself in its metadata: shown, and limited where somebody else reads it.

An app that declares its break-glass role decides on it. Whoever checks a template that came from elsewhere
may think otherwise: a template that authorises its own principals would pass whatever they may do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from kms_constructs.guardrails.finding import Remark, RemarkKind
from kms_constructs.guardrails.settings import ANY_CONTROL
from kms_constructs.model.arn import canonical
from kms_constructs.model.estate import Estate, Grant, Key
from kms_constructs.model.globs import glob_covers
from kms_constructs.model.text import display
from kms_constructs.model.unknown import is_unknown

_GRANTS = "IAM-KMS-6"
"""The control that declared grants are let off from."""


def declared(estate: Estate) -> Iterator[Remark]:
    """Who is authorised by what templates say of themselves in any world, in the order of the findings."""
    # Worlds share the keys that are the same in them; what is said in several is told once.
    keys = {id(key): key for world in estate.every_world for key in world.estate.keys}
    yield from dict.fromkeys(
        remark
        for key in sorted(keys.values(), key=lambda key: key.location.order)
        for remark in _declared_by(key)
    )
    for one in sorted(estate.acceptances, key=lambda one: (str(one), one.id)):
        yield Remark(RemarkKind.DECLARATION, f"{one} accepts {one.id}: {one.reason}")


def _declared_by(key: Key) -> Iterator[Remark]:
    """One line a key: a declaration for each control would hide in their number what is unusual."""
    controls: dict[tuple[str, ...], list[str]] = {}
    for control, names in key.authorised.items():
        if names:
            controls.setdefault(names, []).append(control)
    authorised = "; ".join(
        f"for {', '.join(of_them)}: {', '.join(map(display, names))}" for names, of_them in controls.items()
    )
    grantees = [_grantee(grant) for grant in key.grants if not grant.live]
    grants = f"{'grants' if len(grantees) > 1 else 'a grant'} to {', '.join(grantees)}"
    parts = ([f"who is authorised {authorised}"] if authorised else []) + ([grants] if grantees else [])
    if parts:
        who = f"{key.location} declares itself"
        if key.live is not None:
            who = f"What {key.location} is held against declares"
        yield Remark(RemarkKind.DECLARATION, f"{who} {'; and '.join(parts)}.")


def limited(estate: Estate, may_declare: Mapping[str, tuple[str, ...]] | None) -> Estate:
    """The estate without what its keys may not declare.

    Args:
        estate: What was read.
        may_declare: Control id, or ``"*"``, to ARN globs; None: anything.
    """
    if may_declare is None:
        return estate
    known: dict[int, Key] = {}  # worlds share their keys, and what is found of a key is found once

    def of(one: Estate) -> Estate:
        for key in one.keys:
            known.setdefault(id(key), _limited(key, may_declare))
        return replace(one, keys=tuple(known[id(key)] for key in one.keys))

    worlds = tuple(replace(world, estate=of(world.estate)) for world in estate.worlds)
    return replace(of(estate), worlds=worlds)


def refused(estate: Estate) -> Estate:
    """The estate as if it declared nothing: nobody authorised, no grant, nothing accepted."""
    return replace(limited(estate, {}), acceptances=())


def _limited(key: Key, may_declare: Mapping[str, tuple[str, ...]]) -> Key:
    if not key.authorised and not key.grants:
        return key

    def allowed(control: str, principal: str) -> bool:
        globs = (*may_declare.get(ANY_CONTROL, ()), *may_declare.get(control, ()))
        return any(glob_covers(canonical(glob), canonical(principal)) for glob in globs)

    return replace(
        key,
        authorised={
            control: tuple(name for name in names if allowed(control, name))
            for control, names in key.authorised.items()
        },
        grants=tuple(
            grant
            for grant in key.grants
            if grant.live or (not is_unknown(grant.grantee) and allowed(_GRANTS, grant.grantee))
        ),
    )


def _grantee(grant: Grant) -> str:
    return "whom it is not known" if is_unknown(grant.grantee) else display(grant.grantee)
