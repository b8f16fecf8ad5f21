"""The use of keys as a trail tells it, taken together as far as policies cannot tell it apart.

Counting is done by the engine: a million calls become the few thousand that differ in what policies ask for.

See: https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kms_constructs.analysis.recorded.asked import CONTEXT_NAMES, Asked, Compared
from kms_constructs.analysis.recorded.call import Recorded, RecordedCall, RecordedGrant, RecordedKey
from kms_constructs.analysis.recorded.facts import parameters_of
from kms_constructs.model.actions import find_action
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.estate import Grant
from kms_constructs.model.unknown import Unknown
from kms_constructs.runtime.trail.times import possible

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ROWS = 10_000
"""Rows that are fetched at once."""

_TIME = "strftime({}, '%Y-%m-%dT%H:%M:%SZ')"

_CALLED = """
    SELECT {columns} FROM events
    WHERE event_source = 'kms.amazonaws.com' AND error_code IS NULL
      AND coalesce(event_type, 'AwsApiCall') = 'AwsApiCall'
      AND (CAST($since AS TIMESTAMP) IS NULL OR event_time >= CAST($since AS TIMESTAMP))
      AND (CAST($until AS TIMESTAMP) IS NULL OR event_time < CAST($until AS TIMESTAMP))
"""

# One call that concerns two accounts is recorded in both, and only in the caller's with his name.
_ONCE = """
    SELECT min_by(event_id, CASE WHEN caller IS NULL THEN '1' ELSE '0' END || event_id) AS event_id
    FROM called WHERE shared_event_id IS NOT NULL GROUP BY shared_event_id
"""

# A ReEncrypt is judged twice: by the policy of the key that it takes, and of the key that it gives. Where the
# record tells one key alone it is both.
_USES = """
    SELECT c.*, k.key, k.alias, c.event_name AS action, c.encryption_context AS carried
    FROM counted AS c LEFT JOIN event_keys AS k ON k.event_id = c.event_id
    WHERE c.event_name <> 'ReEncrypt'
    UNION ALL
    SELECT c.*, k.key, k.alias, a.action,
      CASE WHEN a.action = 'ReEncryptTo' THEN c.destination_encryption_context ELSE c.encryption_context END
    FROM counted AS c
    JOIN event_keys AS k ON k.event_id = c.event_id
    JOIN (SELECT event_id, count(*) AS number FROM event_keys
          WHERE event_id IN (SELECT event_id FROM counted WHERE event_name = 'ReEncrypt')
          GROUP BY event_id) AS n ON n.event_id = c.event_id
    JOIN (VALUES ('ReEncryptFrom'), ('ReEncryptTo')) AS a(action)
      ON n.number = 1 OR (a.action = 'ReEncryptTo') = (k.use = 'destination')
    WHERE c.event_name = 'ReEncrypt'
"""

# Not every record has invokedBy that comes from a service, but where it came from is the service's name then.
_SERVICE = """
    coalesce(service, CASE WHEN source_address = 'AWS Internal' OR source_address LIKE '%.amazonaws.com'
                           THEN source_address END) AS service
"""

_ALWAYS = ("key", "action", "caller", "caller_type", "caller_account", "service")
_ASKED_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "alias": ("kms:requestalias",),
    "vpc_endpoint": (
        "aws:sourcevpce",
        "aws:sourcevpc",
        "aws:sourcevpcarn",
        "aws:sourceip",
        "aws:vpcsourceip",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
    ),
    "source_address": ("aws:sourceip", "aws:vpcsourceip"),
    "user_agent": ("aws:useragent",),
    "principal_id": ("aws:userid",),
}
"""Columns that are read where policies ask for one of these condition keys, and left together otherwise."""


class RecordedTrail:
    """A trail in a store, as what holds it against policies asks it.

    Args:
        connection: A connection with the relations ``events`` and ``event_keys``.
    """

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self.connection = connection

    @property
    def home(self) -> tuple[str | None, str | None]:
        """See `home_of`."""
        return home_of(self.connection)

    def recorded(
        self, asked: Asked, *, since: datetime | None = None, until: datetime | None = None
    ) -> Recorded:
        """See `recorded_of`."""
        return recorded_of(self.connection, asked, since=since, until=until)


def recorded_of(
    connection: DuckDBPyConnection,
    asked: Asked,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Recorded:
    """What a trail tells of the use of keys.

    Args:
        connection: A connection with the relations ``events`` and ``event_keys``.
        asked: What the policies in question ask of requests.
        since: First moment of the period, UTC; None for the beginning of the trail.
        until: The moment after its end, UTC; None for the end of the trail.
    """
    window = {"since": _naive(since), "until": _naive(until)}
    calls, without_key = _calls(connection, asked, window)
    first, last = _period(connection, window)
    return Recorded(
        calls=calls,
        grants=tuple(_grants(connection)),
        keys=tuple(_keys(connection, calls)),
        first=first,
        last=last,
        without_key=without_key,
    )


def home_of(connection: DuckDBPyConnection) -> tuple[str | None, str | None]:
    """The account and the Region that a trail is of; None where there are several.

    Args:
        connection: As above.
    """
    found = connection.execute(_HOMES).fetchall()
    accounts, regions = {row[0] for row in found}, {row[1] for row in found}
    return _only(accounts), _only(regions)


_HOMES = "SELECT DISTINCT account, region FROM events WHERE event_source = 'kms.amazonaws.com'"


def _only(values: set[str | None]) -> str | None:
    return next(iter(values)) if len(values) == 1 else None


def _naive(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _period(connection: DuckDBPyConnection, window: Mapping[str, str | None]) -> tuple[str, str]:
    ends = f"{_TIME.format('min(event_time)')}, {_TIME.format('max(event_time)')}"
    found = connection.execute(
        f"SELECT {ends} FROM ({_CALLED.format(columns='event_time')})",
        dict(window),
    ).fetchone()
    return (possible(found[0]), possible(found[1])) if found is not None else ("", "")


# The calls


def _calls(
    connection: DuckDBPyConnection, asked: Asked, window: Mapping[str, str | None]
) -> tuple[tuple[RecordedCall, ...], int]:
    reader = _Reader(asked)
    statement = reader.statement()
    cursor = connection.execute(statement, {**window, **reader.values})
    names = [column[0] for column in cursor.description or ()]
    calls: list[RecordedCall] = []
    without_key = 0
    while rows := cursor.fetchmany(_ROWS):
        for row in rows:
            told = dict(zip(names, row, strict=True))
            action = find_action(told["action"])
            if told["key"] is None or (action is not None and not action.on_key):
                without_key += told["calls"]
            else:
                calls.append(reader.call(told))
    return tuple(calls), without_key


_FOUND = (
    "list_transform(list_filter(map_entries(CAST(CAST(carried AS JSON) AS MAP(VARCHAR, VARCHAR))), "
    "lambda one: lower(one.key) = $name{0}), lambda one: one.value) AS found{0}"
)


_ODD = r"[*?$]|[^\x00-\x7f]"
_LONG = 1000


class _Reader:
    """The query for what policies ask for, and its rows as calls."""

    def __init__(self, asked: Asked) -> None:
        self._columns = [
            *_ALWAYS,
            *(name for name, keys in _ASKED_COLUMNS.items() if not asked.keys.isdisjoint(keys)),
        ]
        self._parameters = parameters_of(asked.keys)
        self._all_names = CONTEXT_NAMES in asked.keys
        self._context = sorted(asked.context.items())
        self.values: dict[str, object] = {}

    def statement(self) -> str:
        """The query; its values are in `values`."""
        # Whatever is not asked for is not even read.
        columns = ["event_id", "event_name", "event_time", "shared_event_id"]
        columns += [name for name in self._columns if name not in ("key", "action", "alias", "service")]
        columns.append(_SERVICE)
        columns += ["caller"] if "caller" not in columns else []
        columns += ["request"] if self._parameters else []
        for name in ("encryption_context", "destination_encryption_context"):
            wanted = self._context or self._all_names
            columns.append(name if wanted else f"CAST(NULL AS VARCHAR) AS {name}")
        called = _CALLED.format(columns=", ".join(columns))
        inner = [*self._columns, "event_time"]
        group = list(self._columns)
        outer: list[str] = []
        for number, parameter in enumerate(self._parameters):
            self.values[f"parameter{number}"] = f'$."{parameter}"'
            inner.append(f"CAST(json_extract(request, $parameter{number}) AS VARCHAR) AS parameter{number}")
            group.append(f"parameter{number}")
        if self._all_names:
            inner.append("CAST(list_sort(json_keys(carried)) AS VARCHAR[]) AS context_names")
            group.append("context_names")
        for number, (name, compared) in enumerate(self._context):
            self.values[f"name{number}"] = name
            inner.append(_FOUND.format(number))
            group.append(f"len(found{number})")
            if compared is None:
                group.append(f"found{number}")
            else:
                outer.append(f"min(found{number}) AS found{number}")
                group.extend(self._classes(number, compared))
        select = ", ".join(
            [*(one for one in group if re.fullmatch(r"\w+", one)), *outer, "count(*) AS calls"]
            + [f"{_TIME.format(f'{how}(event_time)')} AS {name}" for how, name in _ENDS]
        )
        return (
            f"WITH called AS ({called}), once AS ({_ONCE}), "
            "counted AS (SELECT * FROM called WHERE shared_event_id IS NULL "
            "OR event_id IN (SELECT event_id FROM once)), "
            f"uses AS ({_USES}), read AS (SELECT {', '.join(inner)} FROM uses) "
            f"SELECT {select} FROM read GROUP BY {', '.join(group)}"
        )

    def _classes(self, number: int, compared: frozenset[Compared]) -> Iterator[str]:
        """Which values of policies a value is like: none tells those apart that are like the same ones."""
        value = f"found{number}[1]"
        for at, one in enumerate(sorted(compared)):
            self.values[f"like{number}_{at}"] = one.expression
            yield f"regexp_full_match({value}, $like{number}_{at}, '{'si' if one.fold else 's'}')"
        # Of what looks like a pattern itself, or is very long, nobody knows what it is like.
        yield f"CASE WHEN regexp_matches({value}, '{_ODD}') OR length({value}) > {_LONG} THEN {value} END"

    def call(self, told: Mapping[str, Any]) -> RecordedCall:
        """A row as calls."""
        context = tuple(
            (name, value)
            for number, (name, _) in enumerate(self._context)
            for value in told[f"found{number}"] or ()
        )
        parameters = tuple(
            (name, value)
            for number, name in enumerate(self._parameters)
            if (value := told[f"parameter{number}"]) is not None and value != "null"
        )
        return RecordedCall(
            **{name: told[name] for name in self._columns},
            context=context,
            context_names=tuple(told["context_names"] or ()) if self._all_names else (),
            parameters=parameters,
            calls=told["calls"],
            first=told["first"],
            last=told["last"],
        )


_ENDS = (("min", "first"), ("max", "last"))


# Keys and grants


def _keys(
    connection: DuckDBPyConnection, calls: Iterable[RecordedCall], further: Iterable[str] = ()
) -> Iterator[RecordedKey]:
    number: dict[str, int] = dict.fromkeys(further, 0)
    for call in calls:
        number[call.key] = number.get(call.key, 0) + call.calls
    aliases = _aliases(connection)
    tags = dict(_tags(connection))
    for arn in sorted({*number, *aliases}):
        stack, logical_id = tags.get(arn, ("", ""))
        yield RecordedKey(
            arn=arn,
            aliases=tuple(sorted(aliases.get(arn, ()))),
            stack=stack,
            logical_id=logical_id,
            calls=number.get(arn, 0),
        )


def recorded_keys(connection: DuckDBPyConnection) -> tuple[RecordedKey, ...]:
    """Every key that a store tells of, with the aliases that named it last; calls are not counted.

    Args:
        connection: Has the views of a store.
    """
    every = connection.execute("SELECT DISTINCT key FROM event_keys").fetchall()
    return tuple(_keys(connection, (), [arn for (arn,) in every]))


_NAMED = """
    SELECT k.key, k.alias, max(epoch_us(k.event_time)) AS time
    FROM event_keys AS k JOIN events AS e ON e.event_id = k.event_id
    WHERE k.alias IS NOT NULL AND k.key LIKE '%:key/%'
      AND e.event_source = 'kms.amazonaws.com' AND e.error_code IS NULL AND e.event_name <> 'DeleteAlias'
    GROUP BY k.key, k.alias
    UNION ALL
    SELECT k.key, json_extract_string(e.request, '$.aliasName'), max(epoch_us(e.event_time))
    FROM events AS e JOIN event_keys AS k ON k.event_id = e.event_id
    WHERE e.event_source = 'kms.amazonaws.com' AND e.error_code IS NULL
      AND e.event_name IN ('CreateAlias', 'UpdateAlias') AND k.use = 'key' AND k.key LIKE '%:key/%'
    GROUP BY ALL
"""


def _aliases(connection: DuckDBPyConnection) -> dict[str, list[str]]:
    """The aliases of each key: whose an alias was last."""
    # As numbers, for DuckDB has times that Python has not.
    last: dict[tuple[str, str, str], tuple[int, str]] = {}
    for key, alias, time in connection.execute(_NAMED).fetchall():
        arn = parse_arn(key)
        if alias is not None and arn is not None:
            place = (arn.account, arn.region, alias)
            last[place] = max(last.get(place, (time, key)), (time, key))
    found: dict[str, list[str]] = {}
    for (_, _, alias), (_, key) in last.items():
        found.setdefault(key, []).append(alias)
    return found


_TAGGED = """
    SELECT k.key, e.request
    FROM events AS e JOIN event_keys AS k ON k.event_id = e.event_id
    WHERE e.event_source = 'kms.amazonaws.com' AND e.error_code IS NULL
      AND e.event_name IN ('CreateKey', 'TagResource') AND k.key LIKE '%:key/%'
    ORDER BY e.event_time, e.event_id
"""
_STACK, _LOGICAL_ID = "aws:cloudformation:stack-name", "aws:cloudformation:logical-id"


def _tags(connection: DuckDBPyConnection) -> Iterator[tuple[str, tuple[str, str]]]:
    """The stack and the logical id that CloudFormation tagged keys with."""
    for key, request in connection.execute(_TAGGED).fetchall():
        told = _object(request).get("tags")
        tags = {
            str(one.get("tagKey")): str(one.get("tagValue"))
            for one in (told if isinstance(told, list) else ())
            if isinstance(one, dict)
        }
        if _STACK in tags and _LOGICAL_ID in tags:
            yield key, (tags[_STACK], tags[_LOGICAL_ID])


_GRANTED = """
    SELECT k.key, e.event_name, e.request, e.response, strftime(e.event_time, '%Y-%m-%dT%H:%M:%SZ')
    FROM events AS e LEFT JOIN event_keys AS k ON k.event_id = e.event_id
    WHERE e.event_source = 'kms.amazonaws.com' AND e.error_code IS NULL
      AND e.event_name IN ('CreateGrant', 'RevokeGrant', 'RetireGrant')
    ORDER BY e.event_time, e.event_id
"""


def _grants(connection: DuckDBPyConnection) -> Iterator[RecordedGrant]:
    made: list[tuple[str, Grant, str]] = []
    ended: dict[str, str] = {}
    for key, name, request, response, time in connection.execute(_GRANTED).fetchall():
        told = _object(request)
        if name != "CreateGrant":
            ended[str(told.get("grantId"))] = time
        elif key is not None:
            made.append((key, _grant(told, str(_object(response).get("grantId") or "")), time))
    for key, grant, time in made:
        yield RecordedGrant(
            key=key, grant=grant, created=time, ended=ended.get(grant.id) if grant.id else None
        )


def _grant(told: Mapping[str, Any], id_: str) -> Grant:
    grantee = told.get("granteePrincipal") or told.get("granteeServicePrincipal")
    operations = told.get("operations")
    return Grant(
        grantee=grantee if isinstance(grantee, str) else Unknown("the trail does not tell the grantee"),
        operations=tuple(map(str, operations))
        if isinstance(operations, list)
        else Unknown("the trail does not tell the operations"),
        id=id_,
    )


def _object(text: str | None) -> Mapping[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
