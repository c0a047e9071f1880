"""Keyset pagination: a page starts after a sort value and an id, so that late pages cost no more than early ones.

A cursor belongs to one sort, order and filter. With any other cursor, or one that cannot be decoded, the list starts
again from its first page, as on the platform. NULL sorts below every value; equal values are sorted by id.
"""

from __future__ import annotations

import heapq
import json
import sqlite3
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import md5
from itertools import islice
from typing import Any, NamedTuple

VARIES: Any = object()  # the sort value differs between the rows of a source


class Where(NamedTuple):
    """An SQL condition and its parameters."""

    sql: str
    values: tuple[Any, ...] = ()

    def __and__(self, other: Where) -> Where:
        return Where(f"{self.sql} AND {other.sql}", self.values + other.values)


class Source(NamedTuple):
    """Some of the rows of a list. A list merges one or more sources.

    `select` yields the sort value as `sort_value` and the id as `id`; `value` and `id` are the SQL expressions of both.
    `nullable` says that the value may be NULL; `fixed` is the value if it is the same in all rows.
    """

    select: str
    where: Where
    value: str
    id: str
    nullable: bool = False
    fixed: Any = VARIES


class Position(NamedTuple):
    """The sort value and the id of the last row on the previous page."""

    value: Any
    id: str


def _decode_cursor(cursor: str | None, sort: str, order: str, scope: str, *, numeric: bool) -> Position | None:
    """The position in a cursor, or None if the cursor does not belong to this list."""
    try:
        identity, value, *bound_to = json.loads(urlsafe_b64decode((cursor or "").encode()))
        f"{identity}{value}".encode()  # fails on a lone surrogate, which SQLite cannot bind
    except (ValueError, TypeError, RecursionError):
        return None
    kind: Any = (int, float) if numeric else str
    if bound_to != [sort, order, scope] or not isinstance(identity, str) or isinstance(value, bool):
        return None
    if value is not None and not isinstance(value, kind):
        return None
    if isinstance(value, int) and abs(value) >= 2**63:
        return None
    return Position(value, identity)


def page_response(
    db: sqlite3.Connection,
    sources: Iterable[Source],
    query: dict[str, Any],
    sort: str,
    filters: Sequence[Any],
    render: Callable[[sqlite3.Row], dict[str, Any]],
    *,
    numeric: bool,
) -> dict[str, Any]:
    """One page of the merged sources, with the cursor for the next page if more rows follow.

    `query` has cursor, order and limit. `filters` are the other parts of the request that bind the cursor. `numeric`
    says that sort values are numbers.
    """
    order, limit = query["order"], query["limit"]
    scope = md5(json.dumps(filters, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
    after = _decode_cursor(query["cursor"], sort, order, scope, numeric=numeric)
    opened: list[sqlite3.Cursor] = []
    try:
        streams = [_rows(db, source, order, after, opened) for source in sources]
        rows = list(islice(heapq.merge(*streams, key=_key, reverse=order == "desc"), limit + 1))
    finally:
        for each in opened:
            each.close()
    cursor = None
    if len(rows) > limit:
        last = rows[limit - 1]
        content = json.dumps([last["id"], last["sort_value"], sort, order, scope])
        cursor = urlsafe_b64encode(content.encode()).decode()
    return {"items": [render(row) for row in rows[:limit]], "cursor": cursor}


def _key(row: sqlite3.Row) -> tuple[bool, Any, str]:
    return *_rank(row["sort_value"]), row["id"]


def _rank(value: Any) -> tuple[bool, Any]:
    return value is not None, 0 if value is None else value


def _rows(
    db: sqlite3.Connection, source: Source, order: str, after: Position | None, opened: list[sqlite3.Cursor]
) -> Iterator[sqlite3.Row]:
    for sql, values in statements(source, order, after):
        cursor = db.execute(sql, values)
        opened.append(cursor)
        yield from cursor


def statements(source: Source, order: str, after: Position | None) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The statements that yield, one after another, the rows of a source after a position; each reads an index."""
    value, id_ = source.value, source.id
    descending = order == "desc"
    compare, direction = ("<", "DESC") if descending else (">", "ASC")

    def select(condition: Where | None, by: Sequence[str]) -> tuple[str, tuple[Any, ...]]:
        where = source.where if condition is None else source.where & condition
        columns = ", ".join(f"{name} {direction}" for name in by)
        return f"{source.select} WHERE {where.sql} ORDER BY {columns}", where.values

    if after is None:
        yield select(None, (value, id_) if source.fixed is VARIES else (id_,))
        return
    after_id = Where(f"{id_} {compare} ?", (after.id,))
    if source.fixed is not VARIES:
        one, other = (_rank(source.fixed), _rank(after.value))[:: 1 if descending else -1]
        if one <= other:
            yield select(after_id if one == other else None, (id_,))
        return
    null = Where(f"{value} IS NULL")
    if after.value is None:
        if source.nullable:
            yield select(null & after_id, (id_,))
        if not descending:
            yield select(Where(f"{value} IS NOT NULL"), (value, id_))
        return
    yield select(Where(f"({value}, {id_}) {compare} (?, ?)", (after.value, after.id)), (value, id_))
    if descending and source.nullable:
        yield select(null, (id_,))
