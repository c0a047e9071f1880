"""Pages of long lists by keyset: where a page starts is a value and an id, so a page costs the same wherever it is.

A cursor is bound to the sort, the order and the filter that it was made for; any other, and anything that does not
decode, is ignored and the list starts again, as on the platform. NULLs are the smallest values; ties go by id.
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

VARIES: Any = object()


class Where(NamedTuple):
    """A condition with its parameters."""

    sql: str
    values: tuple[Any, ...] = ()

    def __and__(self, other: Where) -> Where:
        return Where(f"{self.sql} AND {other.sql}", self.values + other.values)


class Source(NamedTuple):
    """Rows of one scope: SELECT with the sort value as `sort_value` and the id as `id`, and where the two come from.

    `nullable` says that the value may be NULL there, `fixed` is the value where all rows have the same.
    """

    select: str
    where: Where
    value: str
    id: str
    nullable: bool = False
    fixed: Any = VARIES


class Position(NamedTuple):
    """The last row of the page before."""

    value: Any
    id: str


def scope_of(*filters: Any) -> str:
    """What binds a cursor to its filter."""
    return md5(json.dumps(filters, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def encode(position: Position, sort: str, order: str, scope: str) -> str:
    """The cursor of the page after a position."""
    return urlsafe_b64encode(json.dumps([position.id, position.value, sort, order, scope]).encode()).decode()


def decode(cursor: str | None, sort: str, order: str, scope: str, *, numeric: bool) -> Position | None:
    """The position in a cursor, or None when it was not made for this list."""
    try:
        where, value, *made_for = json.loads(urlsafe_b64decode((cursor or "").encode()))
        f"{where}{value}".encode()  # half a surrogate pair is no text
    except (ValueError, TypeError, RecursionError):
        return None
    kind: Any = (int, float) if numeric else str
    if made_for != [sort, order, scope] or not isinstance(where, str) or isinstance(value, bool):
        return None
    if value is not None and not isinstance(value, kind):
        return None
    if isinstance(value, int) and abs(value) >= 2**63:
        return None
    return Position(value, where)


def page(
    db: sqlite3.Connection, sources: Iterable[Source], order: str, after: Position | None, limit: int
) -> tuple[list[sqlite3.Row], Position | None]:
    """One page of the merged sources, and the position of its last row when more rows follow."""
    cursors: list[sqlite3.Cursor] = []
    try:
        streams = [_rows(db, source, order, after, cursors) for source in sources]
        merged = heapq.merge(*streams, key=_key, reverse=order == "desc")
        rows = list(islice(merged, limit + 1))
    finally:
        for cursor in cursors:
            cursor.close()
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], Position(last["sort_value"], last["id"])


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
    """One page as it is answered; `filters` is whatever else the cursor is bound to."""
    order, scope = query["order"], scope_of(*filters)
    after = decode(query["cursor"], sort, order, scope, numeric=numeric)
    rows, last = page(db, sources, order, after, query["limit"])
    return {"items": [render(row) for row in rows], "cursor": encode(last, sort, order, scope) if last else None}


def _key(row: sqlite3.Row) -> tuple[bool, Any, str]:
    return *_rank(row["sort_value"]), row["id"]


def _rank(value: Any) -> tuple[bool, Any]:
    return value is not None, 0 if value is None else value


def _rows(
    db: sqlite3.Connection, source: Source, order: str, after: Position | None, cursors: list[sqlite3.Cursor]
) -> Iterator[sqlite3.Row]:
    for sql, values in statements(source, order, after):
        cursor = db.execute(sql, values)
        cursors.append(cursor)
        yield from cursor


def statements(source: Source, order: str, after: Position | None) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The statements that yield a source's rows behind a position, in order; each one is answered from an index."""
    value, id_ = source.value, source.id
    descending = order == "desc"
    compare, direction = ("<", "DESC") if descending else (">", "ASC")

    def select(condition: Where | None, by: Sequence[str]) -> tuple[str, tuple[Any, ...]]:
        where = source.where if condition is None else source.where & condition
        columns = ", ".join(f"{name} {direction}" for name in by)
        return f"{source.select} WHERE {where.sql} ORDER BY {columns}", where.values

    behind_id = None if after is None else Where(f"{id_} {compare} ?", (after.id,))
    if source.fixed is not VARIES and after is not None:
        one, other = (_rank(source.fixed), _rank(after.value))[:: 1 if descending else -1]
        if one <= other:
            yield select(behind_id if one == other else None, (id_,))
        return
    if after is None:
        yield select(None, (id_,) if source.fixed is not VARIES else (value, id_))
        return
    null = Where(f"{value} IS NULL")
    if after.value is None:
        if source.nullable and behind_id is not None:
            yield select(null & behind_id, (id_,))
        if not descending:
            yield select(Where(f"{value} IS NOT NULL"), (value, id_))
        return
    yield select(Where(f"({value}, {id_}) {compare} (?, ?)", (after.value, after.id)), (value, id_))
    if descending and source.nullable:
        yield select(null, (id_,))
