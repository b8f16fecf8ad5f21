"""What must hold of every policy: the region misses nobody whom the evaluator lets in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kms_constructs.analysis.evaluate import Request, evaluate
from kms_constructs.analysis.principals import Cell
from kms_constructs.analysis.reach import Reach, reach_of
from kms_constructs.analysis.separation import MANAGING_ACTIONS, overlaps, using_actions_of
from kms_constructs.model.arn import OPEN_PARTITION, PARTITIONS
from kms_constructs.model.estate import Grant, IdentityPolicy, IdentityPolicyKind, Key
from kms_constructs.model.policy import named_partition, parse_policy
from kms_constructs.model.text import FIELD_ANY, FIELD_STAR, HoleKind, hole
from tests import strategies as world

EVERYTHING = parse_policy(world.EVERYTHING)

# Every example asks about each principal and each action, more than a hundred questions.
few = settings(max_examples=settings.default.max_examples // 4)


def _matches(pattern: str, name: str, holes: Mapping[str, str]) -> bool:
    """A wildcard match of its own making, so that no fault of the tested one hides another."""
    for found, value in holes.items():
        pattern = pattern.replace(found, value)
    wildcards = {"*": ".*", "?": ".", FIELD_STAR: "[^:]*", FIELD_ANY: "[^:]"}
    translated = "".join(wildcards.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(translated, name, re.DOTALL) is not None


def _in_cell(cell: Cell, request: Request, holes: Mapping[str, str]) -> bool:
    name = request.principal
    return (
        cell.kind is request.kind
        and all(_matches(pattern, name, holes) for pattern in cell.include)
        and not any(_matches(pattern, name, holes) for pattern in cell.exclude)
    )


def _contains(region: Reach, request: Request, holes: Mapping[str, str] | None = None) -> bool:
    return any(_in_cell(cell, request, holes or {}) for cell in region.cells)


def _allowed(key: Key, requests: list[Request], **policies: Any) -> list[Request]:
    """The requests that are allowed in some reading of what AWS's documents leave open."""
    return [
        request
        for request in requests
        if any(evaluate(request, key, assume=assume, **policies).allowed for assume in (None, True, False))
    ]


@few
@given(
    document=world.documents(),
    identity=world.identity_documents,
    scp=world.organization_documents,
    rcp=world.resource_control_documents(),
    grants=st.lists(world.grants(), max_size=2),
    context=world.contexts(),
    known=world.context_keys,
    for_aws=st.sampled_from((None, True, False)),
)
def test_a_region_misses_no_allowed_request(  # noqa: PLR0917 - hypothesis passes them by name
    document: dict[str, Any],
    identity: dict[str, Any],
    scp: dict[str, Any],
    rcp: dict[str, Any],
    grants: list[Grant],
    context: dict[str, Any],
    known: frozenset[str],
    for_aws: bool | None,
) -> None:
    key = world.key_of(document, grants=tuple(grants))
    requests = world.requests(context, for_aws)
    scps, rcps = [parse_policy(scp)], [parse_policy(rcp)]
    for policies in (
        {"identity_policies": [EVERYTHING]},
        {"identity_policies": [parse_policy(identity)]},
        {"identity_policies": [EVERYTHING], "scps": scps, "rcps": rcps},
    ):
        organization = {name: found for name, found in policies.items() if name != "identity_policies"}
        for request in _allowed(key, requests, **policies):
            told = world.known_of(request, known)
            region = reach_of(key, request.action, context=told, **organization)
            assert _contains(region, request), (request, document, told)


@few
@given(data=st.data(), document=world.documents(), context=world.contexts())
def test_not_knowing_a_part_never_makes_a_region_smaller(
    data: st.DataObject, document: dict[str, Any], context: dict[str, Any]
) -> None:
    requests = world.requests(context, None)
    key = world.key_of(document)
    blurred = data.draw(world.blurred(document))
    unsure = world.key_of(blurred)
    for request in _allowed(key, requests, identity_policies=[EVERYTHING]):
        assert _contains(reach_of(unsure, request.action), request), (request, document)


@few
@given(document=world.documents(), context=world.contexts())
def test_an_undecided_account_stands_for_every_account_that_it_can_be(
    document: dict[str, Any], context: dict[str, Any]
) -> None:
    key = world.key_of(document)
    undecided = _filled(document, world.HOME, world.ACCOUNT_HOLE)
    unsure = world.key_of(undecided, account=world.ACCOUNT_HOLE)
    for request in _allowed(key, world.requests(context, None), identity_policies=[EVERYTHING]):
        region = reach_of(unsure, request.action)
        assert _contains(region, request, {world.ACCOUNT_HOLE: world.HOME}), (request, document)


@few
@given(document=world.documents(), deny=world.statements(effects=("Deny",)), context=world.contexts())
def test_another_deny_never_adds_access(
    document: dict[str, Any], deny: dict[str, Any], context: dict[str, Any]
) -> None:
    before = world.key_of(document)
    after = world.key_of({"Statement": [*document["Statement"], deny]})
    _assert_not_more(after, before, context)


@few
@given(data=st.data(), document=world.documents(), context=world.contexts())
def test_an_allow_less_never_adds_access(
    data: st.DataObject, document: dict[str, Any], context: dict[str, Any]
) -> None:
    statements = document["Statement"]
    allows = [place for place, found in enumerate(statements) if found["Effect"] == "Allow"]
    if not allows:
        return
    gone = data.draw(st.sampled_from(allows))
    after = world.key_of({"Statement": statements[:gone] + statements[gone + 1 :]})
    _assert_not_more(after, world.key_of(document), context)


@few
@given(
    data=st.data(),
    partition=st.sampled_from(sorted(PARTITIONS)),
    document=world.documents(),
    scp=world.organization_documents,
    context=world.contexts(),
)
def test_a_region_misses_no_allowed_request_in_any_partition(
    data: st.DataObject,
    partition: str,
    document: dict[str, Any],
    scp: dict[str, Any],
    context: dict[str, Any],
) -> None:
    """Patterns that name the partition, another one, or any."""
    key = world.key_of(data.draw(world.mixed(document, partition)), partition=partition)
    scps = [parse_policy(data.draw(world.mixed(scp, partition)))]
    for request in _allowed(
        key, world.requests(context, None, partition), identity_policies=[EVERYTHING], scps=scps
    ):
        assert _contains(reach_of(key, request.action, scps=scps), request), (request, document)


@few
@given(data=st.data(), document=world.documents(), context=world.contexts())
def test_an_undecided_partition_stands_for_every_partition_that_it_can_be(
    data: st.DataObject, document: dict[str, Any], context: dict[str, Any]
) -> None:
    """For those in which KMS takes the policy: not where it names principals of another one."""
    written = data.draw(world.mixed(document, OPEN_PARTITION))
    unsure = world.key_of(written, partition=OPEN_PARTITION)
    named = named_partition(unsure.policy)
    partition = named or data.draw(st.sampled_from(sorted(PARTITIONS)))
    key = world.key_of(_filled(written, OPEN_PARTITION, partition), partition=partition)
    for request in _allowed(key, world.requests(context, None, partition), identity_policies=[EVERYTHING]):
        region = reach_of(unsure, request.action)
        assert _contains(region, request, {OPEN_PARTITION: partition}), (request, written)


@few
@given(document=world.documents(), context=world.contexts())
def test_a_generated_id_stands_for_every_id_that_it_can_be(
    document: dict[str, Any], context: dict[str, Any]
) -> None:
    """A Resource that names a key by its id may name the one that the template makes."""
    unsure = world.key_of(document, key_id=hole(HoleKind.GENERATED, "Stack.Key"))
    key = world.key_of(document)
    for request in _allowed(key, world.requests(context, None), identity_policies=[EVERYTHING]):
        assert _contains(reach_of(unsure, request.action), request), (request, document)


def _filled(value: Any, undecided: str, decided: str) -> Any:
    if isinstance(value, dict):
        return {name: _filled(member, undecided, decided) for name, member in value.items()}
    if isinstance(value, list):
        return [_filled(member, undecided, decided) for member in value]
    return value.replace(undecided, decided)


def _assert_not_more(after: Key, before: Key, context: dict[str, Any]) -> None:
    requests = world.requests(context, None)
    allowed = _allowed(before, requests, identity_policies=[EVERYTHING])
    for request in requests:
        if request not in allowed:
            assert not evaluate(request, after, identity_policies=[EVERYTHING]).allowed, request
        if not _contains(reach_of(before, request.action), request):
            assert not _contains(reach_of(after, request.action), request), request


def _answers(key: Key, context: dict[str, Any]) -> list[tuple[bool, bool]]:
    return [
        (
            evaluate(request, key, identity_policies=[EVERYTHING]).allowed,
            _contains(reach_of(key, request.action), request),
        )
        for request in world.requests(context, None)
    ]


@few
@given(data=st.data(), document=world.documents(), context=world.contexts())
def test_neither_order_nor_spelling_matters(
    data: st.DataObject, document: dict[str, Any], context: dict[str, Any]
) -> None:
    shuffled = {"Statement": data.draw(st.permutations(document["Statement"]))}
    answers = _answers(world.key_of(document), context)
    assert _answers(world.key_of(shuffled), context) == answers
    assert _answers(world.key_of(world.respelled(document)), context) == answers


_authorised = st.lists(
    st.sampled_from((*world.PRINCIPALS, f"arn:aws:iam::{world.HOME}:*", "arn:aws:iam::*:role/*", "*")),
    max_size=3,
)


@few
@given(document=world.documents(), fewer=_authorised, more=_authorised)
def test_authorising_more_lets_less_escape(
    document: dict[str, Any], fewer: list[str], more: list[str]
) -> None:
    key = world.key_of(document)
    for action in world.ACTIONS:
        region = reach_of(key, action)
        assert region.escapes(()) == region.contributions
        assert region.escapes(("*",)) == ()
        escaped = {cell for part in region.escapes(fewer) for cell in part.cells}
        still = {cell for part in region.escapes(fewer + more) for cell in part.cells}
        assert still <= escaped
        for request in world.requests({}, None):
            inside = any(_matches(pattern, request.principal, {}) for pattern in fewer)
            if request.action == action and not inside and _contains(region, request):
                assert any(_in_cell(cell, request, {}) for cell in escaped), (request, fewer)


@few
@given(
    document=world.duty_documents(),
    grants=st.sampled_from(((), (), (Grant(world.ROLES[0], ("Decrypt",)),))),
    context=world.contexts(),
)
def test_without_an_overlap_nobody_manages_and_uses(
    document: dict[str, Any], grants: tuple[Grant, ...], context: dict[str, Any]
) -> None:
    """Whatever IAM gives, and to whom."""
    key = world.key_of(document, grants=grants)
    if overlaps(key):
        return
    using = {*using_actions_of(key), "CreateGrant"}
    requests = world.requests(context, for_aws=False)
    may = {(one.principal, one.action) for one in _allowed(key, requests, identity_policies=[EVERYTHING])}
    for name in world.PRINCIPALS:
        uses = {action for action in using if (name, action) in may}
        manages = {action for action in MANAGING_ACTIONS if (name, action) in may}
        assert not (manages and uses), (name, manages, uses)


@few
@given(document=world.duty_documents(), identity=world.identity_documents, context=world.contexts())
def test_without_an_overlap_no_policy_of_the_estate_joins_duties(
    document: dict[str, Any], identity: dict[str, Any], context: dict[str, Any]
) -> None:
    """An IAM policy that makes a user of the key its manager is reported."""
    key = world.key_of(document)
    holder = world.ROLES[0]
    policy = IdentityPolicy(
        id="policy",
        location=key.location,
        name="Mine",
        kind=IdentityPolicyKind.INLINE,
        policy=parse_policy(identity),
        attached_to=(holder,),
        account=world.HOME,
    )
    if overlaps(key, [policy]):
        return
    requests = world.requests(context, for_aws=False)
    allowed = _allowed(key, requests, identity_policies=[policy.policy])
    actions = {request.action for request in allowed if request.principal == holder}
    assert not (actions & set(MANAGING_ACTIONS) and actions & {*using_actions_of(key), "CreateGrant"}), (
        actions
    )
