# ruff: noqa: S608 - only names from this package are put into SQL; every value is bound
"""Pages of the artifacts of an orbit or a collection, filtered, sorted by a column or by a metric."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from ..database import keyset
from ..database.keyset import VARIES, Source, Where
from ..responses import http_error
from . import parsing
from .artifacts import artifact_json
from .collections import require_collection
from .context import Context, placeholders, to_json
from .manifests import ALLOWED_TYPES, TYPES
from .validation import Field, one_of, text, uuid_of

LIST_FIELDS = {**parsing.PAGED, "sort_by": Field(text(), "created_at")}
FILTER_FIELDS = {
    **LIST_FIELDS,
    "search": Field(text(), None),
    "types": Field(one_of(*TYPES), None),
    "collection_ids": Field(uuid_of, None),
    "excluded_tracks": Field(uuid_of, None),
}


def page_of_orbit(context: Context) -> dict[str, Any]:
    """A page of the artifacts in the orbit, or in those of its collections that the query names."""
    rows = context.db.execute("SELECT * FROM collections WHERE orbit_id = ?", (context.ids["orbit_id"],)).fetchall()
    chosen = context.query["collection_ids"]
    foreign = sorted(set(chosen or ()) - {row["id"] for row in rows})
    if foreign:
        raise http_error(404, f"You don't have access to the following collections: {', '.join(foreign)}")
    return _page(context, [row for row in rows if not chosen or row["id"] in chosen])


def page_of_collection(context: Context) -> dict[str, Any]:
    """A page of the artifacts in one collection."""
    return _page(context, [require_collection(context)])


def _page(context: Context, collections: Sequence[sqlite3.Row]) -> dict[str, Any]:
    query, sort = context.query, context.query["sort_by"]
    metric = _is_metric(context, sort, [row["id"] for row in collections])
    condition, column = condition_for(query), context.dialect.columns.get(sort, sort)
    sources: list[Source] = []
    for row in collections:
        for kind in _types_in(row, query.get("types") or TYPES):
            if metric:
                sources += by_metric(row["id"], kind, sort, condition)
            else:
                sources.append(by_column(row["id"], kind, column, condition))
    names = {row["id"]: row["name"] for row in collections}

    def render(row: sqlite3.Row) -> dict[str, Any]:
        item = artifact_json(row, context.dialect)
        if context.dialect.has_types:
            item |= {"deployments": [], "collection_name": names[row["collection_id"]]}
        return item

    filters = [context.ids, *(query.get(name) for name in ("collection_ids", "types", "search", "excluded_tracks"))]
    return keyset.page_response(context.db, sources, query, sort, filters, render, numeric=metric or sort == "size")


def _types_in(collection: sqlite3.Row, types: Sequence[str]) -> list[str]:
    """The `types` that the collection can hold; the older dialect puts models into any collection."""
    possible = {"model", *ALLOWED_TYPES[collection["type"]]} if collection["total_artifacts"] else set()
    return sorted(possible.intersection(types))


def _is_metric(context: Context, sort: str, collections: list[str]) -> bool:
    """Whether `sort` is a metric of these collections; 400 if it is neither a metric nor a column."""
    if sort in context.dialect.sortable:
        return False
    if sort == context.dialect.metrics:
        raise http_error(400, "Cannot sort by 'metrics'. Pass a metric key")
    query = "SELECT 1 FROM json_each(?) c JOIN metric_keys k ON k.collection_id = c.value AND k.key = ?"
    if context.row(query, to_json(collections), sort) is None:
        raise http_error(400, f"Invalid sorting column: {sort}")
    return True


def condition_for(query: dict[str, Any]) -> Where:
    """The condition on the rows `a` that the filters of a query ask for."""
    where = Where("1")
    if query.get("search"):
        where &= Where("contains(a.name, ?)", (query["search"].casefold(),))
    if query.get("excluded_tracks"):
        tracks = query["excluded_tracks"]
        held = f"SELECT 1 FROM entries e WHERE e.artifact_id = a.id AND e.track_id IN ({placeholders(tracks)})"
        where &= Where(f"NOT EXISTS ({held})", tuple(tracks))
    return where


def by_column(collection: str, kind: str, column: str, condition: Where) -> Source:
    """Artifacts of one type, sorted by a column.

    Every index starts with the type, so that a page of a rare type does not scan the others.
    """
    select = f"SELECT a.*, a.{column} AS sort_value FROM artifacts a"
    where = Where("a.collection_id = ? AND a.type = ?", (collection, kind)) & condition
    fixed = kind if column == "type" else VARIES
    return Source(select, where, f"a.{column}", "a.id", nullable=column == "description", fixed=fixed)


def by_metric(collection: str, kind: str, key: str, condition: Where) -> list[Source]:
    """Artifacts of one type sorted by a metric: those that have it, in index order, and those without it."""
    with_metric = Source(
        "SELECT a.*, m.value AS sort_value FROM metrics m CROSS JOIN artifacts a ON a.id = m.artifact_id",
        Where("m.collection_id = ? AND m.key = ? AND m.type = ?", (collection, key, kind)) & condition,
        "m.value",
        "m.artifact_id",
    )
    has_it = "SELECT 1 FROM metrics m WHERE m.artifact_id = a.id AND m.key = ?"
    where = Where(f"a.collection_id = ? AND a.type = ? AND NOT EXISTS ({has_it})", (collection, kind, key))
    select = "SELECT a.*, NULL AS sort_value FROM artifacts a"
    return [with_metric, Source(select, where & condition, "NULL", "a.id", fixed=None)]
