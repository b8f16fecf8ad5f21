"""Compiles the reports of a trail to the dialects of the engines that run them.

sqlglot translates, and is pinned. What a query may be made of is an allow list: functions and forms that were
run on more than one engine and gave equal rows. Of others sqlglot writes what looks right and means something
else: of ``isodow`` for Spark, say. Values become literals that sqlglot writes, never text put together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from kms_constructs.errors import ArgumentError, KmsConstructsError
from kms_constructs.runtime.trail.catalogue import CRYPTOGRAPHIC_EVENTS, Query, relations

if TYPE_CHECKING:
    from sqlglot import exp

    Tree: TypeAlias = exp.Query

_Value: TypeAlias = date | str | tuple[str, ...]
Dialect: TypeAlias = Literal["duckdb", "trino", "spark"]
DIALECTS: Final[tuple[Dialect, ...]] = ("duckdb", "trino", "spark")
"""Athena's is Trino's."""

FUNCTIONS: Final = frozenset({"coalesce", "count", "datediff", "extract", "max", "min", "row_number"})
"""What a report may call, by sqlglot's names."""
FORMS: Final = frozenset(
    {
        *(
            "select",
            "from",
            "where",
            "group",
            "order",
            "ordered",
            "limit",
            "join",
            "union",
            "subquery",
            "window",
        ),
        *(
            "table",
            "tablealias",
            "column",
            "identifier",
            "alias",
            "star",
            "placeholder",
            "literal",
            "null",
            "boolean",
        ),
        *("and", "or", "not", "in", "is", "between", "like", "eq", "neq", "gt", "gte", "lt", "lte", "paren"),
        *("add", "sub", "mul", "mod", "neg", "case", "if", "distinct", "cast", "datatype", "var"),
    }
)
"""What else a query may be made of, by sqlglot's names. Not of division: engines differ."""
_UNITS: Final = frozenset({"day", "hour"})
"""What may be counted and taken of a time; of others, such as ``isodow``, engines mean different things."""

_BASE: Final = ("events", "event_keys")
_DERIVED: Final = ("once", "calls", "call_keys")
_KEY_ID: Final = re.compile(r"[0-9a-fA-F-]{36}|mrk-[0-9a-fA-F]{32}")
_KEY_ARN: Final = re.compile(rf"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{{12}}:key/(?:{_KEY_ID.pattern})")
_ALIAS: Final = re.compile(
    r"(?P<home>arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:)?(?P<alias>alias/[a-zA-Z0-9/_-]+)"
)
_DATES: Final = "event_date between $since and $until"


class QueryError(KmsConstructsError):
    """A query uses what is not known to mean the same on every engine.

    Args:
        file: Name of its file.
        problem: What it uses.
        fix: What to do about it.
    """

    def __init__(self, file: str, problem: str, fix: str) -> None:
        self.file = file
        super().__init__(f"{file}: {problem}. Fix: {fix}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is asked about.

    Args:
        since: First day, UTC.
        until: Last day, UTC; that day is included.
        key: ARN or id of a key, or name or ARN of an alias: only calls that name that key count. An alias
            stands for every key that the trail shows behind it within these days.
        most: Rows at most; None for all.

    Raises:
        ArgumentError: The days are the wrong way round, or the key is none.
    """

    since: date
    until: date
    key: str | None = None
    most: int | None = None

    def __post_init__(self) -> None:
        if self.since > self.until:
            raise ArgumentError(
                "since", f"{self.since}", f"it is after until, {self.until}", "give the earlier day first"
            )
        if self.key is not None:
            _condition(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What ``events`` and ``event_keys`` are, in an engine.

    Args:
        made_of: Their queries, and before them what these are made of; none where they are tables.
        unique: Whether every record is there once, and every key of a record. A trail may deliver a record
            twice, and two trails record the same.
    """

    made_of: Mapping[str, Tree] = field(default_factory=dict)
    unique: bool


TABLES: Final = Sources(unique=True)
"""Tables as the store has them."""


def compile_query(query: Query, dialect: Dialect, asked: Asked, sources: Sources = TABLES) -> str:
    """The SQL of a report.

    Args:
        query: The report.
        dialect: Of the engine.
        asked: What it is asked about.
        sources: What ``events`` and ``event_keys`` are there.

    Raises:
        QueryError: It uses what is not allowed, or cannot be parsed.

    Example:
        >>> from kms_constructs.runtime.trail.catalogue import reports
        >>> may = Asked(since=date(2026, 5, 1), until=date(2026, 5, 31))
        >>> sql = compile_query(reports()["by-event"], "trino", may)
        >>> "event_date BETWEEN CAST('2026-05-01' AS DATE) AND CAST('2026-05-31' AS DATE)" in sql
        True
    """
    return assemble(query, asked, sources).sql(dialect=dialect, pretty=True, comments=False, copy=False)


def assemble(query: Query, asked: Asked, sources: Sources = TABLES) -> Tree:
    """The report with all that it is made of, and its values, in no dialect yet."""
    whole = parse(query)
    steps = dict(_steps(asked, sources))
    needed = _reached(whole, steps)
    for name, made in steps.items():
        if name in needed:
            # Copied once: with_ would copy all that is there already for every step.
            whole = whole.with_(name, as_=made.copy(), append=True, copy=False)
    if asked.most is not None:
        whole = whole.limit(asked.most, copy=False)
    return bind(whole, _values(asked))


def parse(query: Query, functions: frozenset[str] = FUNCTIONS, forms: frozenset[str] = FORMS) -> Tree:
    """The query as a tree.

    Args:
        query: In DuckDB's dialect.
        functions: What it may call.
        forms: What else it may be made of.

    Raises:
        QueryError: It uses something else, or cannot be parsed.
    """
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(query.sql, read="duckdb")
    except sqlglot.ParseError as error:
        raise QueryError(query.file, f"it cannot be parsed: {error}", "mend the SQL") from error
    if not isinstance(tree, exp.Query):
        raise _refused(query, tree.key, frozenset({"select"}))
    for node in tree.walk():
        if isinstance(node, (exp.DateDiff, exp.Extract)):
            unit = node.args["unit"] if isinstance(node, exp.DateDiff) else node.this
            if unit.name.lower() not in _UNITS:
                raise _refused(query, f"{unit.name.lower()} of a time", _UNITS)
        name = _name(node)
        if node.key in forms or (isinstance(node, exp.Func) and name in functions):
            continue
        raise _refused(query, name, functions)
    return tree


def bind(tree: Tree, values: Mapping[str, _Value]) -> Tree:
    """The tree with its placeholders made literals: this very tree, for a copy takes longer than all else.

    Raises:
        KeyError: There is no value for a placeholder.
    """
    from sqlglot import exp

    for node in list(tree.find_all(exp.Placeholder)):
        value = values[node.name]
        if isinstance(value, tuple) and (within := node.find_ancestor(exp.In)):
            within.set("expressions", [exp.Literal.string(one) for one in value])
        elif isinstance(value, date):
            node.replace(exp.cast(exp.Literal.string(value.isoformat()), "date"))
        else:
            node.replace(exp.Literal.string(str(value)))
    return tree


def scans(tree: Tree, table: str) -> int:
    """How often a query reads a table. Engines may read what is named twice twice: Trino does.

    Args:
        tree: The query, with all that it is made of.
        table: Name of the table.
    """
    made = {cte.alias: cte.this for cte in tree.ctes}

    def count(part: Tree) -> int:
        return sum(count(made[one]) if one in made else one == table for one in _tables(part))

    body = tree.copy()
    body.set("with_", None)
    return count(body)


def _name(node: exp.Expr) -> str:
    from sqlglot import exp

    if isinstance(node, (exp.Anonymous, exp.AnonymousAggFunc)):
        return str(node.name).lower()
    return str(node.sql_name()).lower() if isinstance(node, exp.Func) else str(node.key)


def _refused(query: Query, what: str, allowed: frozenset[str]) -> QueryError:
    return QueryError(
        query.file,
        f"{what} is not known to mean the same on every engine",
        f"use {', '.join(sorted(allowed))}, or run it on all engines, compare the rows, and allow it",
    )


def _values(asked: Asked) -> dict[str, _Value]:
    named = {} if asked.key is None else _condition(asked.key)[1]
    return {"since": asked.since, "until": asked.until, "cryptographic": CRYPTOGRAPHIC_EVENTS, **named}


def _steps(asked: Asked, sources: Sources) -> Iterator[tuple[str, Tree]]:
    """Everything that a report may be made of, each after what it is made of itself."""
    yield from sources.made_of.items()
    renamed = {}
    if asked.key is not None:
        renamed = {name: f"{name}_of_key" for name in _BASE}
        condition, _ = _condition(asked.key)
        yield "event_keys_of_key", _selected("event_keys", condition)
        yield "events_of_key", _selected("events", "event_id in (select event_id from event_keys_of_key)")
    for name in _DERIVED:
        file = "once_of_unique" if name == "once" and sources.unique else name
        tree = _relation(file)
        yield name, _renamed(tree.copy(), renamed) if renamed else tree


@cache
def _relation(file: str) -> Tree:
    """A relation of the files beside this one; whoever changes it takes a copy."""
    return parse(relations()[file])


def _selected(table: str, condition: str) -> Tree:
    # Words of this module alone: what was asked for are placeholders.
    sql = f"select * from {table} where {_DATES} and {condition}"
    return parse(Query("of-key", "", "", {}, sql))


def _condition(key: str) -> tuple[str, dict[str, _Value]]:
    """What holds of the rows of a key, and the values in it.

    An alias stands for the keys that some row shows behind it.
    """
    if _KEY_ARN.fullmatch(key):
        return "key = $key", {"key": key}
    if _KEY_ID.fullmatch(key):
        return "key like $key", {"key": f"%:key/{key}"}
    found = _ALIAS.fullmatch(key)
    if found is None:
        raise ArgumentError(
            "key", key, "it is no ARN or id of a key, and no name or ARN of an alias",
            "give it as arn:aws:kms:…:key/…, as its id, or as alias/…",
        )  # fmt: skip
    behind = f"select key from event_keys where {_DATES} and alias = $alias and key like $home"
    return f"key in ({behind})", {"alias": found["alias"], "home": f"{found['home'] or ''}%"}


def _renamed(tree: Tree, names: Mapping[str, str]) -> Tree:
    from sqlglot import exp

    for table in tree.find_all(exp.Table):
        if new := names.get(table.name):
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
            table.set("this", exp.to_identifier(new))
    return tree


def _tables(tree: Tree) -> list[str]:
    from sqlglot import exp

    return [table.name for table in tree.find_all(exp.Table)]


def _reached(tree: Tree, steps: Mapping[str, Tree]) -> set[str]:
    """What a query is made of, through whatever."""
    reached: set[str] = set()
    left = [tree]
    while left:
        for name in _tables(left.pop()):
            if name in steps and name not in reached:
                reached.add(name)
                left.append(steps[name])
    return reached
