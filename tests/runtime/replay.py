"""Clients that give recorded answers, in pages as AWS cuts them, and fail where a test wants them to."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from kms_constructs.sources.kms_api.answers import Answers, Call

PAGED = {
    "list_keys": ("Keys", "Marker", "NextMarker", "Truncated"),
    "list_aliases": ("Aliases", "Marker", "NextMarker", "Truncated"),
    "list_grants": ("Grants", "Marker", "NextMarker", "Truncated"),
    "list_resource_tags": ("Tags", "Marker", "NextMarker", "Truncated"),
    "get_account_authorization_details": ("RoleDetailList", "Marker", "Marker", "IsTruncated"),
}
_UNASKED = ("Limit", "MaxItems", "Marker", "NextToken", "Filter", "includeShadowTrails")


def client_error(code: str, message: str = "it is refused") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


class Replay:
    """A factory of clients over recorded answers.

    Args:
        answers: What is answered.
        fails: What to raise for a call and the number of its page; None to answer.
        page: Items on a page; 0 for all.
    """

    def __init__(
        self,
        answers: Answers,
        fails: Callable[[Call, int], BaseException | None] = lambda _call, _page: None,
        page: int = 0,
    ) -> None:
        self._answers = answers
        self._fails = fails
        self._page = page
        self._lock = threading.Lock()
        self.made: Counter[tuple[str, str, str]] = Counter()
        self.asked: list[Call] = []

    def __call__(self, account: str, region: str, service: str) -> Any:
        with self._lock:
            self.made[account, region, service] += 1
        return _Client(self, account, region, service)

    def answer(self, call: Call, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        paged = PAGED.get(operation)
        start = int(given.get("Marker", 0))
        with self._lock:
            self.asked.append(call)
        error = self._fails(call, start // self._page if self._page else 0)
        if error is not None:
            raise error
        answer = self._answers.of(call)
        if answer.refusal is not None:
            raise client_error(answer.refusal.code)
        content: dict[str, Any] = dict(answer.content)
        if paged and self._page:
            name, _, following, says = paged
            items = list(content.get(name, []))
            content[name] = items[start : start + self._page]
            if start:  # the other lists came with the first page
                content = {name: content[name]}
            more = start + self._page < len(items)
            content[says] = more
            if more:
                content[following] = str(start + self._page)
        return {**content, "ResponseMetadata": {"RequestId": "x"}}


class _Client:
    def __init__(self, replay: Replay, account: str, region: str, service: str) -> None:
        self._place = account, region, service
        self._replay = replay

    def __getattr__(self, operation: str) -> Any:
        name = re.sub(r"(?:^|_)([a-z])", lambda found: found[1].upper(), operation)

        def ask(**given: Any) -> dict[str, Any]:
            kept = {
                key: value
                for key, value in given.items()
                if key not in _UNASKED or (key == "Filter" and isinstance(value, str))
            }
            return self._replay.answer(Call.of(*self._place, name, **kept), operation, given)

        return ask
