"""Makes a case smaller while it still shows the same fault, so that what is reported is what matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from kms_constructs.model.unknown import Maybe, Unknown
from tests.worlds.case import Case, Iam, judged, policy_place
from tests.worlds.claims import refuted
from tests.worlds.vocabulary import KEY_ID


def shrunk(case: Case, fails: Callable[[Case], bool]) -> Case:
    """The smallest case that single steps lead to."""
    progress = True
    while progress:
        progress = False
        for smaller in _smaller(case):
            if fails(smaller):
                case, progress = smaller, True
                break
    return case


def still_unsound(control: str, place: int | None, *, seed: int = 0) -> Callable[[Case], bool]:
    """Whether a case still has a control that complies and is refuted, at the key or at an IAM policy."""

    def fails(case: Case) -> bool:
        if place is not None and place >= len(case.iam):
            return False
        verdict = judged(case, (control,))
        where = {"place": policy_place(place)} if place is not None else {}
        if not verdict.complies(control, **where):
            return False
        keys, policies = ([control], []) if place is None else ([], [(control, place)])
        return next(refuted(case, keys, policies, seed=seed), None) is not None

    return fails


def _smaller(case: Case) -> Iterator[Case]:
    for name in ("scps", "rcps", "grants", "iam", "authorised", "trusted"):
        given = getattr(case, name)
        if given and name != "iam":
            yield replace(case, **{name: ()})
        for position in reversed(range(len(given))):
            yield replace(case, **{name: given[:position] + given[position + 1 :]})
    if case.organization is not None:
        yield replace(case, organization=None)
    if case.facts:
        yield replace(case, facts={})
    if case.key_id != KEY_ID:
        yield replace(case, key_id=KEY_ID)
    for position in range(len(case.statements)):
        if len(case.statements) > 1:
            yield replace(case, statements=case.statements[:position] + case.statements[position + 1 :])
    for position, statement in enumerate(case.statements):
        for less in _less(statement):
            changed = (*case.statements[:position], less, *case.statements[position + 1 :])
            yield replace(case, statements=changed)
    for name in ("scps", "rcps"):
        for position, document in enumerate(getattr(case, name)):
            for less in _less_document(document):
                given = getattr(case, name)
                yield replace(case, **{name: (*given[:position], less, *given[position + 1 :])})
    for position, iam in enumerate(case.iam):
        for less in _less_iam(iam):
            yield replace(case, iam=(*case.iam[:position], less, *case.iam[position + 1 :]))


def _less_iam(iam: Iam) -> Iterator[Iam]:
    if iam.attachable:
        yield replace(iam, attachable=False)
    for document in _less_document(iam.document):
        yield replace(iam, document=document)


def _less_document(document: Any) -> Iterator[dict[str, Any]]:
    statements = document["Statement"]
    for position, statement in enumerate(statements):
        if len(statements) > 1:
            yield {"Statement": statements[:position] + statements[position + 1 :]}
        for less in _less(statement):
            yield {"Statement": [*statements[:position], less, *statements[position + 1 :]]}


def _less(statement: Any) -> Iterator[Any]:
    """The statement with one part less; what is not known becomes known where that shows the fault as
    well."""
    if isinstance(statement, Maybe):
        yield statement.value
        for less in _less(statement.value):
            yield Maybe(less, statement.reason)
        return
    if not isinstance(statement, dict):
        return
    condition = statement.get("Condition")
    if condition is not None:
        yield {name: value for name, value in statement.items() if name != "Condition"}
    if isinstance(condition, dict):
        pairs = [(operator, key) for operator, keys in condition.items() for key in keys]
        for operator, key in pairs if len(pairs) > 1 else ():
            rest = {name: value for name, value in condition[operator].items() if name != key}
            left = {name: value for name, value in condition.items() if name != operator}
            yield {**statement, "Condition": {**left, operator: rest} if rest else left}
        for operator, keys in condition.items():
            for key, values in keys.items():
                for fewer in _fewer(values):
                    yield {**statement, "Condition": {**condition, operator: {**keys, key: fewer}}}
    for name, value in statement.items():
        if isinstance(value, Unknown) and name in {"Action", "Resource"}:
            yield {**statement, name: "*"}
        if name == "Resource" and value != "*" and not isinstance(value, Unknown):
            yield {**statement, name: "*"}
        if name in {"Action", "NotAction", "Resource", "NotResource"}:
            for fewer in _fewer(value):
                yield {**statement, name: fewer}
        if name in {"Principal", "NotPrincipal"} and isinstance(value, dict):
            for kind, values in value.items():
                for fewer in _fewer(values):
                    yield {**statement, name: {**value, kind: fewer}}


def _fewer(values: Any) -> Iterator[Any]:
    if not isinstance(values, list):
        return
    if len(values) == 1:
        yield values[0].value if isinstance(values[0], Maybe) else values[0]
        return
    for position in range(len(values)):
        yield values[:position] + values[position + 1 :]
