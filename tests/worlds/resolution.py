"""One way in which a case can turn out: each hole a text, each unknown element a value.

A resolution also decides what AWS's documentation leaves open and the evaluator therefore does not decide:
whether a missing key satisfies ``ForAnyValue:…IfExists``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from kms_constructs.model.text import has_hole, split_holes
from kms_constructs.model.unknown import Maybe, Unknown
from tests.worlds.case import Case, Document, Iam
from tests.worlds.conditions import values_of
from tests.worlds.vocabulary import GENERATED_ROLE, HOME, KEY_ID, OTHER, OTHER_KEY_ID, arn

Pick = Callable[[Sequence[Any]], Any]
"""Chooses from values of which the first allows the most."""

_HOLE = re.compile("\ue000([geu]):([^\ue000\ue001]*)\ue001")
_ABSENT = object()


def resolutions(case: Case, seed: int = 0) -> Iterator[Case]:
    """The case as it is when nothing is open; else one that allows much, one that allows little, two
    others."""
    if not is_open(case):
        yield case
        return
    rng = random.Random(f"resolution {seed}")  # noqa: S311 - random tests, no secrets
    wide = _Resolution(case, lambda values: values[0])
    narrow = _Resolution(case, lambda values: values[-1])
    for way in (wide, narrow, _Resolution(case, rng.choice), _Resolution(case, rng.choice)):
        yield way.case()


def is_open(case: Case) -> bool:
    """Whether anything of the case is not known, or not documented."""
    return any(
        map(_open, (case.account, case.key_id, case.statements, [iam.document for iam in case.iam]))
    ) or (any(_open(document) for document in (*case.scps, *case.rcps)))


def _open(value: object) -> bool:
    if isinstance(value, str):
        return has_hole(value) or _undocumented(value)
    if isinstance(value, dict):
        return any(_open(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return any(map(_open, value))
    return isinstance(value, Unknown | Maybe)


def _undocumented(operator: str) -> bool:
    return operator.lower().startswith("foranyvalue:") and operator.lower().endswith("ifexists")


class _Resolution:
    """Remembers what each hole became, for the same hole is the same text everywhere."""

    def __init__(self, case: Case, pick: Pick) -> None:
        self._given = case
        self._pick = pick
        self._texts: dict[str, str] = {}

    def case(self) -> Case:
        """The case without anything open."""
        given = self._given
        return replace(
            given,
            account=self._text(given.account, "Account"),
            key_id=self._text(given.key_id, "KeyId"),
            statements=self._statements(given.statements),
            iam=tuple(self._iam(one) for one in given.iam),
            scps=tuple(self._document(one) for one in given.scps),
            rcps=tuple(self._document(one) for one in given.rcps),
        )

    def _iam(self, iam: Iam) -> Iam:
        attached = tuple(self._text(one, "Name") for one in iam.attached)
        return replace(iam, document=self._document(iam.document), attached=attached)

    def _document(self, document: Document) -> Document:
        return {"Statement": list(self._statements(document["Statement"]))}

    def _statements(self, given: Sequence[Any]) -> tuple[Document, ...]:
        found: list[Document] = []
        for one in given:
            statement = one.value if isinstance(one, Maybe) else one
            effect = statement.get("Effect") if isinstance(statement, dict) else None
            pick = (lambda values: self._pick(values[::-1])) if effect == "Deny" else self._pick
            if isinstance(one, Maybe) and not pick((True, False)):
                continue
            found.append({name: self._element(name, value, pick) for name, value in statement.items()})
        return tuple({name: value for name, value in one.items() if value is not _ABSENT} for one in found)

    def _element(self, name: str, value: object, pick: Pick) -> object:
        if isinstance(value, Unknown):
            return self._unknown(name, pick)
        if name == "Condition":
            return self._condition(value, pick)
        if name in {"Principal", "NotPrincipal"} and isinstance(value, dict):
            return {kind: self._listed(values, "Principal", pick) for kind, values in value.items()}
        return self._listed(value, name, pick)

    def _unknown(self, name: str, pick: Pick) -> object:
        home = arn(self._given.partition, HOME, "root")
        choices: dict[str, tuple[object, ...]] = {
            "Effect": ("Allow", "Deny"),
            "Principal": ("*", {"AWS": home}, {"AWS": arn(self._given.partition, HOME, "role/AppAdmin")}),
            "NotPrincipal": ({"AWS": home}, {"AWS": OTHER}),
            "Action": ("kms:*", "kms:Decrypt"),
            "NotAction": ("s3:*", "kms:*"),
            "Resource": ("*", "arn:aws:s3:::bucket"),
            "NotResource": ("arn:aws:s3:::bucket", "*"),
            "Condition": (_ABSENT, {"StringEquals": {"aws:PrincipalTag/none": "nobody"}}),
        }
        return pick(choices[name])

    def _condition(self, given: Any, pick: Pick) -> dict[str, dict[str, object]]:
        found: dict[str, dict[str, object]] = {}
        for operator, keys in given.items():
            name = operator
            if _undocumented(operator):
                # Either a missing key satisfies it, or it needs a value.
                bare = operator.partition(":")[2]
                name = pick((bare, operator[: -len("IfExists")]))
            for key, values in keys.items():
                found.setdefault(name, {})[key] = self._listed(values, f"Value:{key}", pick)
        return found

    def _listed(self, value: Any, where: str, pick: Pick) -> object:
        if isinstance(value, list):
            kept = [
                one.value if isinstance(one, Maybe) else one
                for one in value
                if not isinstance(one, Maybe) or pick((True, False))
            ]
            # A list that lost all of its members would be refused.
            kept = kept or [one.value if isinstance(one, Maybe) else one for one in value[:1]]
            return [self._scalar(one, where, pick) for one in kept]
        return self._scalar(value, where, pick)

    def _scalar(self, value: object, where: str, pick: Pick) -> object:
        if isinstance(value, Unknown):
            return pick(self._pool(where, "u"))
        return self._text(value, where) if isinstance(value, str) else value

    def _text(self, text: str, where: str) -> str:
        if not has_hole(text):
            return text
        whole = len(split_holes(text)) == 1
        return _HOLE.sub(lambda found: self._hole(found.group(1), found.group(2), where, whole=whole), text)

    def _hole(self, kind: str, identity: str, where: str, *, whole: bool) -> str:
        if identity not in self._texts:
            pool = self._pool(where if whole else "Name", kind, identity)
            self._texts[identity] = self._pick(pool)
        return self._texts[identity]

    def _pool(self, where: str, kind: str, identity: str = "") -> Sequence[str]:
        case = self._given
        if identity == "AWS::AccountId":
            return (HOME, OTHER)
        if identity == "AWS::Region":
            return (case.region,)
        if identity == "AWS::Partition":
            return (case.partition,)
        if identity.endswith("KeyId"):
            return (KEY_ID, OTHER_KEY_ID)
        if kind == "g":
            return (GENERATED_ROLE,)
        if where.startswith("Value:"):
            return (*values_of(where.removeprefix("Value:"), case.partition, case.region), "*")
        return {
            "Principal": (
                "*",
                arn(case.partition, HOME, "root"),
                OTHER,
                arn(case.partition, HOME, "user/Stranger"),
                arn(case.partition, HOME, "role/AppAdmin"),
            ),
            "Name": ("Stranger", "AppAdmin", "App"),
            "Action": ("kms:*", "kms:Decrypt", "kms:ScheduleKeyDeletion", "s3:GetObject"),
            "NotAction": ("s3:*", "kms:*"),
            "Resource": (
                "*",
                f"arn:{case.partition}:kms:{case.region}:{HOME}:key/{KEY_ID}",
                "arn:aws:s3:::b",
            ),
            "NotResource": ("arn:aws:s3:::b", "*"),
            "Effect": ("Allow", "Deny"),
        }.get(where, ("x",))
