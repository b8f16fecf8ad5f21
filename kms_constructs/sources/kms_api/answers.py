"""What was asked of live accounts and what was answered, as plain data; the same in memory and in a file.

A file that ``kms-constructs audit --save`` writes holds such answers, and is judged again without AWS. An
answer that is not there is one that was not given: nothing is taken to be empty because nobody asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct, field

from kms_constructs.errors import SourceError
from kms_constructs.model.frozen import Frozen
from kms_constructs.sources.kms_api.form import FORMAT

_PARTITION: Final = re.compile(r"aws(?:-[a-z]+)*")
VERSION: Final = 1
GLOBAL: Final = "global"
"""The Region of what an account has once: IAM, Organizations."""
KMS: Final = "kms"
_CREDENTIAL: Final = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b|(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{100,}={0,2}"
)
"""An access key id, or what is as long as a session token and looks like one."""
_MAXIMUM_MESSAGE: Final = 400


class Refusal(Frozen, frozen=True):
    """Why a call brought no answer, or not the whole of it.

    Args:
        code: AWS's error code, or the name of what went wrong on the way: ``EndpointConnectionError``.
        message: What was said; `clean` takes out what looks like a credential.
    """

    code: str
    message: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


NOT_ASKED: Final = Refusal("NotAsked", "the run ended before it was asked")


class Call(Frozen, frozen=True):
    """One question: all the pages of one operation.

    Args:
        account: Twelve digits.
        region: Region, or `GLOBAL`.
        service: ``kms``, ``iam``, ``cloudtrail``, ``organizations``.
        operation: ``GetKeyPolicy``.
        parameters: What was asked, sorted by name.
    """

    account: str
    region: str
    service: str
    operation: str
    parameters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, account: str, region: str, service: str, operation: str, **parameters: str) -> Call:
        """A question with its parameters by name."""
        return cls(account, region, service, operation, tuple(sorted(parameters.items())))

    @property
    def name(self) -> str:
        """What permissions call it: ``kms:GetKeyPolicy``."""
        return f"{self.service}:{self.operation}"

    @property
    def subject(self) -> str:
        """What it was asked about: a key id, a trail, or nothing."""
        return next((value for name, value in self.parameters if name in ("KeyId", "Name", "TrailName")), "")

    @property
    def described(self) -> str:
        """The call as a message names it."""
        about = f" of {self.subject}" if self.subject else ""
        return f"{self.name}{about} in {self.account}/{self.region}"


class Answer(Frozen, frozen=True):
    """What a call brought.

    Args:
        content: The answer, or the pages of it that came.
        refusal: Why there is no answer, or only a part of it; None when it is whole.
        day: Day on which it was given, as ISO date; empty where that is not said.
    """

    content: Mapping[str, object] = field(default_factory=dict)
    refusal: Refusal | None = None
    day: str = ""

    def items(self, name: str) -> Iterator[Mapping[str, object]]:
        """The objects in a list of the answer."""
        listed = self.content.get(name)
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, Mapping):
                yield one

    def text(self, name: str) -> str | None:
        """A text of the answer."""
        value = self.content.get(name)
        return value if isinstance(value, str) else None


ASSUME_ROLE: Final = "sts:AssumeRole"


class Scope(Frozen, frozen=True, kw_only=True):
    """What was to be asked of one account.

    Args:
        account: Twelve digits.
        regions: Its Regions.
        partition: ``aws``, ``aws-cn``, …
        last_usage: Whether the last usage of keys is asked for.
        organization: Whether the organization's policies are asked for.
        refusal: Why the account could not be asked at all.
        refused: The call that was refused then: ``ec2:DescribeRegions``.
    """

    account: str
    regions: tuple[str, ...]
    partition: str = "aws"
    last_usage: bool = False
    organization: bool = False
    refusal: Refusal | None = None
    refused: str = ASSUME_ROLE


class Answers(Struct):
    """Answers by question.

    Args:
        scopes: What was to be asked.
        given: What was answered.
    """

    scopes: tuple[Scope, ...] = ()
    given: dict[Call, Answer] = field(default_factory=dict)

    def of(self, call: Call) -> Answer:
        """What a question brought; that it was not asked, when it was not."""
        return self.given.get(call, Answer(refusal=NOT_ASKED))

    def has(self, call: Call) -> bool:
        """Whether a question has its whole answer."""
        found = self.given.get(call)
        return found is not None and found.refusal is None

    def to_text(self) -> str:
        """The document, as JSON."""
        document = {
            FORMAT: VERSION,
            "scopes": [_scope_data(one) for one in self.scopes],
            "answers": [call_data(call, self.given[call]) for call in sorted(self.given, key=_order)],
        }
        return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def read_answers(content: Mapping[str, object], source: str) -> Answers:
    """The answers that a document holds.

    Args:
        content: The document, decoded.
        source: What to call it.

    Raises:
        SourceError: It is of another version, or has not the form that it should have.
    """
    if content.get(FORMAT) != VERSION:
        raise SourceError(
            source,
            f"its answers are of version {content.get(FORMAT)!r}, and {VERSION} is read",
            "Save them again by this version: kms-constructs audit --save FILE",
        )
    try:
        scopes = tuple(_scope(one) for one in _objects(content["scopes"]))
        given = dict(read_call(one) for one in _objects(content["answers"]))
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(
            source,
            f"its answers have not the form that audit --save writes ({type(error).__name__}: {error})",
            "Save them again: kms-constructs audit --save FILE",
        ) from error
    return Answers(scopes, given)


def call_data(call: Call, answer: Answer) -> dict[str, object]:
    """A question and its answer as plain data."""
    found: dict[str, object] = {
        "account": call.account,
        "region": call.region,
        "call": call.name,
        "parameters": dict(call.parameters),
        "day": answer.day,
    }
    if answer.refusal is not None:
        found["refused"] = {"code": answer.refusal.code, "message": answer.refusal.message}
    if answer.content or answer.refusal is None:
        found["answer"] = answer.content
    return found


def read_call(one: Mapping[str, object]) -> tuple[Call, Answer]:
    """A question and its answer, from plain data.

    Raises:
        KeyError: A part is missing.
        TypeError: A part is of another kind.
        ValueError: The call has no service.
    """
    service, colon, operation = _text(one["call"]).partition(":")
    if not colon:
        raise ValueError(f"{one['call']!r} is no call")
    parameters = _object(one.get("parameters", {}))
    call = Call.of(
        _text(one["account"]),
        _text(one["region"]),
        service,
        operation,
        **{str(name): _text(value) for name, value in parameters.items()},
    )
    refused = one.get("refused")
    refusal = None
    if refused is not None:
        refused = _object(refused)
        refusal = Refusal(clean(_text(refused["code"])), clean(_text(refused.get("message", ""))))
    content = _object(one["answer"] if refusal is None else one.get("answer", {}))
    return call, Answer(content, refusal, _text(one.get("day", "")))


def clean(message: str) -> str:
    """A message of AWS without what looks like a credential, in one line of bounded length.

    Example:
        >>> clean("The key ASIAIOSFODNN7EXAMPLE has expired")
        'The key (left out) has expired'
    """
    return " ".join(_CREDENTIAL.sub("(left out)", message).split())[:_MAXIMUM_MESSAGE]


def _scope_data(scope: Scope) -> dict[str, object]:
    found: dict[str, object] = {
        "account": scope.account,
        "partition": scope.partition,
        "regions": list(scope.regions),
        "lastUsage": scope.last_usage,
        "organization": scope.organization,
    }
    if scope.refusal is not None:
        found["refused"] = {
            "call": scope.refused,
            "code": scope.refusal.code,
            "message": scope.refusal.message,
        }
    return found


def _scope(one: Mapping[str, object]) -> Scope:
    refused = one.get("refused")
    found = None if refused is None else _object(refused)
    regions = one["regions"]
    if not isinstance(regions, list):
        raise TypeError("regions is no list")
    return Scope(
        account=_text(one["account"]),
        regions=tuple(map(_text, regions)),
        partition=_partition(one.get("partition", "aws")),
        last_usage=one.get("lastUsage") is True,
        organization=one.get("organization") is True,
        refusal=None
        if found is None
        else Refusal(clean(_text(found["code"])), clean(_text(found.get("message", "")))),
        refused=ASSUME_ROLE if found is None else _text(found.get("call", ASSUME_ROLE)),
    )


def _objects(value: object) -> Iterable[Mapping[str, object]]:
    if not isinstance(value, list):
        raise TypeError("a list is wanted")
    return [_object(one) for one in value]


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"a {type(value).__name__} stands where an object is wanted")
    return value


def _partition(value: object) -> str:
    name = _text(value)
    if not _PARTITION.fullmatch(name):
        raise ValueError(f"{name!r} is no partition")
    return name


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} stands where text is wanted")
    return value


def _order(call: Call) -> tuple[str, str, str, str, tuple[tuple[str, str], ...]]:
    return call.account, call.region, call.service, call.operation, call.parameters
