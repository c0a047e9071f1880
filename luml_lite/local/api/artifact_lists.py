# ruff: noqa: S608 - only names from this package are put into SQL; every value is bound
"""The lists of artifacts: pages of an orbit or a collection, filtered, sorted by a column or by a metric."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from ..database import keyset
from ..database.keyset import VARIES, Source, Where
from ..responses import http_error
from . import parsing
from .artifacts import from_row
from .collections import require_collection
from .context import Context, placeholders, to_json
from .manifests import ALLOWED, TYPES
from .validation import Field, one_of, text, uuid_of

LIST_FIELDS = {**parsing.PAGED, "sort_by": Field(text(), "created_at")}
FILTER_FIELDS = {
    **LIST_FIELDS,
    "search": Field(text(), None),
    "types": Field(one_of(*TYPES), None),
    "collection_ids": Field(uuid_of, None),
    "excluded_tracks": Field(uuid_of, None),
}


def list_of_orbit(context: Context) -> dict[str, Any]:
    """A page of the orbit's artifacts, or of some of its collections."""
    rows = context.db.execute("SELECT * FROM collections WHERE orbit_id = ?", (context.ids["orbit_id"],)).fetchall()
    asked = context.query["collection_ids"]
    foreign = sorted(set(asked or ()) - {row["id"] for row in rows})
    if foreign:
        raise http_error(404, f"You don't have access to the following collections: {', '.join(foreign)}")
    return _page(context, [row for row in rows if not asked or row["id"] in asked])


def list_of_collection(context: Context) -> dict[str, Any]:
    """A page of one collection's artifacts."""
    return _page(context, [require_collection(context)])


def _page(context: Context, collections: Sequence[sqlite3.Row]) -> dict[str, Any]:
    query, sort = context.query, context.query["sort_by"]
    metric = _is_metric(context, sort, [row["id"] for row in collections])
    condition, column = _filter(query), context.dialect.columns.get(sort, sort)
    sources = [
        source
        for row in collections
        for kind in _types_of(row, query.get("types") or TYPES)
        for source in (
            by_metric(row["id"], kind, sort, condition) if metric else [by_column(row["id"], kind, column, condition)]
        )
    ]
    in_orbit = "SELECT id, name FROM collections WHERE orbit_id = ?"
    names = dict(context.db.execute(in_orbit, (context.ids["orbit_id"],)).fetchall()) if context.dialect.typed else {}

    def render(row: sqlite3.Row) -> dict[str, Any]:
        item = from_row(row, context.dialect)
        if context.dialect.typed:
            item |= {"deployments": [], "collection_name": names[row["collection_id"]]}
        return item

    filters = [context.ids, *(query.get(name) for name in ("collection_ids", "types", "search", "excluded_tracks"))]
    return keyset.page_response(context.db, sources, query, sort, filters, render, numeric=metric or sort == "size")


def _types_of(collection: sqlite3.Row, asked: Sequence[str]) -> list[str]:
    """Those of the types that the collection may hold; the older generation puts models anywhere."""
    possible = {"model", *ALLOWED[collection["type"]]} if collection["total_artifacts"] else set()
    return sorted(possible.intersection(asked))


def _is_metric(context: Context, sort: str, collections: list[str]) -> bool:
    """Whether `sort` is a metric and not a column; what is neither is the platform's 400."""
    if sort in context.dialect.sortable:
        return False
    if sort == context.dialect.metrics:
        raise http_error(400, "Cannot sort by 'metrics'. Pass a metric key")
    query = "SELECT 1 FROM json_each(?) c JOIN metric_keys k ON k.collection_id = c.value AND k.key = ?"
    if context.row(query, to_json(collections), sort) is None:
        raise http_error(400, f"Invalid sorting column: {sort}")
    return True


def _filter(query: dict[str, Any]) -> Where:
    where = Where("1")
    if query.get("search"):
        where &= Where("contains(a.name, ?)", (query["search"].casefold(),))
    if query.get("excluded_tracks"):
        tracks = query["excluded_tracks"]
        held = f"SELECT 1 FROM entries e WHERE e.artifact_id = a.id AND e.track_id IN ({placeholders(tracks)})"
        where &= Where(f"NOT EXISTS ({held})", tuple(tracks))
    return where


def by_column(collection: str, kind: str, column: str, condition: Where) -> Source:
    """Those of one type by a column; each type has its own stretch of every index, so that a rare one is found."""
    select = f"SELECT a.*, a.{column} AS sort_value FROM artifacts a"
    where = Where("a.collection_id = ? AND a.type = ?", (collection, kind)) & condition
    fixed = kind if column == "type" else VARIES
    return Source(select, where, f"a.{column}", "a.id", nullable=column == "description", fixed=fixed)


def by_metric(collection: str, kind: str, key: str, condition: Where) -> list[Source]:
    """Those of one type that have the metric, from its own index, and those that have not."""
    having = Source(
        "SELECT a.*, m.value AS sort_value FROM metrics m CROSS JOIN artifacts a ON a.id = m.artifact_id",
        Where("m.collection_id = ? AND m.key = ? AND m.type = ?", (collection, key, kind)) & condition,
        "m.value",
        "m.artifact_id",
    )
    has_it = "SELECT 1 FROM metrics m WHERE m.artifact_id = a.id AND m.key = ?"
    where = Where(f"a.collection_id = ? AND a.type = ? AND NOT EXISTS ({has_it})", (collection, kind, key))
    select = "SELECT a.*, NULL AS sort_value FROM artifacts a"
    return [having, Source(select, where & condition, "NULL", "a.id", fixed=None)]
