"""What must hold of every call: certain means that the evaluator allows it, never that it does not."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kms_constructs.analysis.certain import Answer, Attached, Call, Fact, InView, certain
from kms_constructs.analysis.evaluate import Request, evaluate
from kms_constructs.model.estate import Grant, Key
from kms_constructs.model.policy import parse_policy
from tests import strategies as world

few = settings(max_examples=settings.default.max_examples // 4)
ORDER = (Answer.NEVER, Answer.OPEN, Answer.CERTAIN)


def _decisions(key: Key, request: Request, **policies: Any) -> set[bool]:
    """What the evaluator says in every reading of what AWS's documents leave open."""
    return {evaluate(request, key, assume=assume, **policies).allowed for assume in (True, False)}


def _call(request: Request, known: frozenset[str] | None) -> Call:
    """The request when only these condition keys are known; None when all of them are."""
    if known is None:
        return Call(principal=request.principal, action=request.action, context=request.context, others=None)
    context: dict[str, Fact] = {name: request.values(name) for name in known}
    return Call(principal=request.principal, action=request.action, context=context)


def _check(found: Answer, decisions: set[bool], told: object) -> None:
    if found is Answer.CERTAIN:
        assert decisions == {True}, told
    if found is Answer.NEVER:
        assert decisions == {False}, told


policies = st.fixed_dictionaries(
    {
        "identity": st.lists(world.identity_documents.map(parse_policy), max_size=2),
        "boundary": st.lists(world.identity_documents.map(parse_policy), max_size=1),
        "scps": st.lists(world.organization_documents.map(parse_policy), max_size=1),
        "rcps": st.lists(world.resource_control_documents().map(parse_policy), max_size=1),
    }
)


@few
@given(
    document=world.documents(),
    found=policies,
    grants=st.lists(world.grants(), max_size=2),
    context=world.contexts(),
    known=st.one_of(st.none(), world.context_keys),
    for_aws=st.sampled_from((None, True, False)),
    attached=st.lists(st.booleans(), min_size=2, max_size=2),
    really=st.lists(st.booleans(), min_size=2, max_size=2),
)
def test_the_answer_is_the_evaluators_in_every_case(  # noqa: PLR0917 - hypothesis passes them by name
    document: dict[str, Any],
    found: dict[str, Any],
    grants: list[Grant],
    context: dict[str, Any],
    known: frozenset[str] | None,
    for_aws: bool | None,
    attached: list[bool],
    really: list[bool],
) -> None:
    key = world.key_of(document, grants=tuple(grants))
    view = InView(
        identity=tuple(
            Attached(policy, certain=sure) for policy, sure in zip(found["identity"], attached, strict=False)
        ),
        boundaries=tuple(map(Attached, found["boundary"])),
        scps=tuple(found["scps"]),
        rcps=tuple(found["rcps"]),
    )
    identity = [one.policy for one, there in zip(view.identity, really, strict=False) if one.certain or there]
    for request in world.requests(context, for_aws):
        named = request.account is not None and not request.principal.endswith(":root")
        decisions = _decisions(
            key,
            request,
            identity_policies=identity if named else (),
            boundaries=found["boundary"] if named else (),
            scps=found["scps"],
            rcps=found["rcps"],
        )
        seen = view if named else InView(scps=view.scps, rcps=view.rcps)
        answer = certain(_call(request, known), key, seen).answer
        _check(answer, decisions, (request, document, known))


@few
@given(data=st.data(), document=world.documents(), context=world.contexts())
def test_it_holds_whatever_the_unknown_parts_are(
    data: st.DataObject, document: dict[str, Any], context: dict[str, Any]
) -> None:
    key = world.key_of(document)
    unsure = world.key_of(data.draw(world.blurred(document)))
    everything = parse_policy(world.EVERYTHING)
    for request in world.requests(context, None):
        decisions = _decisions(key, request, identity_policies=[everything])
        answer = certain(_call(request, None), unsure, InView(identity=(Attached(everything),))).answer
        _check(answer, decisions, (request, document))


@few
@given(
    document=world.documents(), context=world.contexts(), account=st.sampled_from((world.HOME, world.OTHER))
)
def test_it_holds_whatever_account_the_key_lies_in(
    document: dict[str, Any], context: dict[str, Any], account: str
) -> None:
    everything = parse_policy(world.EVERYTHING)
    unsure = world.key_of(document, account=world.ACCOUNT_HOLE)
    key = world.key_of(document, account=account)
    for request in world.requests(context, None):
        decisions = _decisions(key, request, identity_policies=[everything])
        answer = certain(_call(request, None), unsure, InView(identity=(Attached(everything),))).answer
        _check(answer, decisions, (request, document))


@few
@given(
    document=world.documents(most=3),
    more=world.documents(most=1, effects=("Allow",)),
    less=world.documents(most=1, effects=("Deny",)),
    context=world.contexts(),
    known=world.context_keys,
)
def test_an_allow_never_lowers_and_a_deny_never_raises_an_answer(
    document: dict[str, Any],
    more: dict[str, Any],
    less: dict[str, Any],
    context: dict[str, Any],
    known: frozenset[str],
) -> None:
    keys = [
        world.key_of({"Statement": [*document["Statement"], *added]})
        for added in (less["Statement"], (), more["Statement"])
    ]
    for request in world.requests(context, None):
        call = _call(request, known)
        answers = [ORDER.index(certain(call, key).answer) for key in keys]
        assert answers == sorted(answers), (request, document)


@few
@given(document=world.documents(), context=world.contexts(), known=world.context_keys)
def test_knowing_more_never_takes_an_answer_back(
    document: dict[str, Any], context: dict[str, Any], known: frozenset[str]
) -> None:
    key = world.key_of(document)
    for request in world.requests(context, None):
        before, after = (certain(_call(request, told), key).answer for told in (known, None))
        assert before in (after, Answer.OPEN), (request, document)
