"""Asks one question of AWS, with all its pages, and makes an answer of whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from kms_constructs.runtime.pace import Pace
from kms_constructs.sources.kms_api.answers import Answer, Answers, Call, Refusal, clean

EXPIRED: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "TokenRefreshRequired",
        "UnauthorizedSSOTokenError",
    }
)
"""Codes after which no further call of the account can succeed."""
_PAGED: Final[Mapping[str, tuple[str, str, str]]] = {
    "GetAccountAuthorizationDetails": ("Marker", "Marker", "IsTruncated"),
    "ListAliases": ("Marker", "NextMarker", "Truncated"),
    "ListGrants": ("Marker", "NextMarker", "Truncated"),
    "ListKeyPolicies": ("Marker", "NextMarker", "Truncated"),
    "ListKeys": ("Marker", "NextMarker", "Truncated"),
    "ListParents": ("NextToken", "NextToken", ""),
    "ListPoliciesForTarget": ("NextToken", "NextToken", ""),
    "ListResourceTags": ("Marker", "NextMarker", "Truncated"),
}
"""Of operations with pages: the parameter that asks for the next, the member that names it, what says so."""
_LIMITS: Final[Mapping[str, tuple[str, int]]] = {
    "GetAccountAuthorizationDetails": ("MaxItems", 1000),
    "ListAliases": ("Limit", 100),
    "ListGrants": ("Limit", 100),
    "ListKeys": ("Limit", 1000),
}
"""The largest pages that there are: the fewest calls."""
_FILTERED: Final[Mapping[str, Mapping[str, object]]] = {
    # With the trails of other Regions and of the organization; the default, and relied upon.
    "DescribeTrails": {"includeShadowTrails": True},
    "GetAccountAuthorizationDetails": {
        "Filter": ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]
    },
}


ClientFor = Callable[[str, str, str], Any]
"""Hands out the client of a service: ``("111122223333", "eu-west-1", "kms")``."""


class Asker:
    """Asks what has no answer yet, and keeps what is answered. May be called from many threads.

    Args:
        answers: Where answers are kept; those that are there are not asked for again.
        client_for: Hands out clients.
        pace: How fast to ask.
        kept: Called with each new answer, in any thread, one at a time.
        today: The day of an answer.
    """

    def __init__(
        self,
        answers: Answers,
        client_for: ClientFor,
        *,
        pace: Pace | None = None,
        kept: Callable[[Call, Answer], None] | None = None,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self.answers = answers
        self.requests = 0
        self._client_for = client_for
        self._pace = pace or Pace()
        self._kept = kept
        self._today = today
        self._lock = threading.Lock()
        self._expired: dict[str, Refusal] = {}

    def ask(self, call: Call) -> Answer:
        """The answer to a question: never raises for what AWS says, or for a way to it that is broken."""
        if self.answers.has(call):
            return self.answers.of(call)
        refusal = self._expired.get(call.account)
        answer = Answer(refusal=refusal) if refusal is not None else self._pages(call)
        with self._lock:
            self.answers.given[call] = answer
            if answer.refusal is not None and answer.refusal.code in EXPIRED:
                self._expired.setdefault(call.account, answer.refusal)
            if self._kept is not None:
                self._kept(call, answer)
        return answer

    def _pages(self, call: Call) -> Answer:
        found: dict[str, Any] = {}
        refusal: Refusal | None = None
        asks, names, says = _PAGED.get(call.operation, ("", "", ""))
        parameters: dict[str, Any] = {**dict(call.parameters), **_FILTERED.get(call.operation, {})}
        if call.operation in _LIMITS:
            name, most = _LIMITS[call.operation]
            parameters[name] = most
        try:
            client = self._client_for(call.account, call.region, call.service)
            operation = getattr(client, _snake(call.operation))
            while True:
                self._pace.wait(call.account, call.region, call.operation)
                with self._lock:
                    self.requests += 1
                page = operation(**parameters)
                _add(found, page, without=(names, says))
                following = page.get(names) if names else None
                if not following or (says and not page.get(says)):
                    break
                if parameters.get(asks) == following:
                    refusal = Refusal("NoProgress", "a page names itself as the next")
                    break
                parameters[asks] = following
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            refusal = refusal_of(error)
        return Answer(trimmed(call, found), refusal, self._today().isoformat())


def refusal_of(error: ClientError | BotoCoreError | ResponseParserError) -> Refusal:
    """What went wrong, without anything that looks like a credential."""
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        return Refusal(clean(str(told.get("Code", "Error"))), clean(str(told.get("Message", ""))))
    return Refusal(type(error).__name__, clean(str(error)))


def trimmed(call: Call, content: Mapping[str, Any]) -> dict[str, Any]:
    """The answer without what is never looked at and would make a saved file many times as large."""
    found = dict(content)
    if call.operation == "GetAccountAuthorizationDetails":
        found["Policies"] = [
            {
                **one,
                "PolicyVersionList": [
                    version for version in one.get("PolicyVersionList", ()) if version.get("IsDefaultVersion")
                ],
            }
            for one in found.get("Policies", ())
            if one.get("AttachmentCount", 1)
            or one.get("PermissionsBoundaryUsageCount", 0)
            or ":iam::aws:" not in str(one.get("Arn"))
        ]
        found["RoleDetailList"] = [
            {name: value for name, value in one.items() if name not in _UNUSED_OF_ROLES}
            for one in found.get("RoleDetailList", ())
        ]
    return found


_UNUSED_OF_ROLES: Final = ("AssumeRolePolicyDocument", "InstanceProfileList", "RoleLastUsed", "Tags")


def _add(found: dict[str, Any], page: Mapping[str, Any], *, without: tuple[str, ...]) -> None:
    for name, value in page.items():
        if name == "ResponseMetadata" or name in without:
            continue
        plain = _plain(value)
        if isinstance(plain, list) and isinstance(found.get(name), list):
            found[name] = [*found[name], *plain]
        else:
            found[name] = plain


def _plain(value: Any) -> Any:  # noqa: ANN401 - an answer of any shape
    """The answer as JSON has it: times as text."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _snake(operation: str) -> str:
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in operation).lstrip("_")
