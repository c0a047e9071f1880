# ruff: noqa: S608 - only names from this package are put into SQL; every value is bound
"""The operations on collections. Names need not be unique; the type says which artifacts a collection may hold."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..database import keyset
from ..database.keyset import Source, Where
from ..responses import http_error
from . import parsing
from .context import Context, from_json, placeholders
from .dialects import Dialect
from .manifests import ALLOWED_TYPES
from .validation import ABSENT, Check, Field, list_of, model, nullable, one_of, text

_tags = nullable(list_of(text(longest=64), most=50))
_COLUMNS = ("id", "orbit_id", "description", "name", "type", "tags", "total_artifacts", "created_at", "updated_at")
UPDATE_SCHEMA = model(
    description=Field(text(longest=1000), ABSENT),
    name=Field(text(longest=100), ABSENT),
    tags=Field(_tags, None),  # tags that are left out are removed, as on the platform
)


def create_schema(dialect: Dialect) -> Check:
    """The body of POST."""
    fields = {
        "description": Field(text(longest=1000)),
        "name": Field(text(longest=100)),
        dialect.collection_type: Field(one_of(*ALLOWED_TYPES)),
        "tags": Field(_tags, None),
    }
    return model(**fields)


def list_fields(dialect: Dialect) -> dict[str, Field]:
    """The query of the list."""
    sorts = ("created_at", "name", dialect.collection_type, "description", dialect.collection_total)
    fields = {**parsing.PAGED, "sort_by": Field(one_of(*sorts), "created_at"), "search": Field(text(), None)}
    # As on the platform: the older dialect ignores `types`, and the newer one does not filter by types of two kinds.
    return (
        fields | {"types": Field(one_of("model", "dataset", "experiment", "mixed"), None)}
        if dialect.has_types
        else fields
    )


def create(context: Context) -> dict[str, Any]:
    """Create an empty collection."""
    values = dict(context.body)
    kind = values.pop(context.dialect.collection_type)
    identity = context.insert("collections", {**values, "type": kind, "orbit_id": context.ids["orbit_id"]})
    return collection_json(require_collection(context, identity), context.dialect)


def page(context: Context) -> dict[str, Any]:
    """A page of the collections in the orbit; `search` matches a part of the name or of a tag, in any case."""
    query, dialect = context.query, context.dialect
    columns = {dialect.collection_type: "type", dialect.collection_total: "total_artifacts"}
    column = columns.get(query["sort_by"], query["sort_by"])
    where = Where("c.orbit_id = ?", (context.ids["orbit_id"],))
    if query["search"]:
        folded = query["search"].casefold()
        tagged = "EXISTS (SELECT 1 FROM json_each(c.tags) WHERE contains(value, ?))"
        where &= Where(f"(contains(c.name, ?) OR {tagged})", (folded, folded))
    if query.get("types"):
        where &= Where(f"c.type IN ({placeholders(query['types'])})", tuple(query["types"]))
    source = Source(f"SELECT c.*, c.{column} AS sort_value FROM collections c", where, f"c.{column}", "c.id")
    filters = [context.ids, query["search"], query.get("types")]
    numeric = column == "total_artifacts"

    def render(row: sqlite3.Row) -> dict[str, Any]:
        return collection_json(row, dialect)

    return keyset.page_response(context.db, [source], query, column, filters, render, numeric=numeric)


def get(context: Context) -> dict[str, Any]:
    """One collection with the tags and metric keys of its artifacts."""
    row = require_collection(context)
    tags = context.db.execute(
        "SELECT DISTINCT t.value FROM artifacts a, json_each(a.tags) t"
        " WHERE a.collection_id = ? AND a.tags IS NOT NULL ORDER BY t.value",
        (row["id"],),
    )
    keys = context.db.execute("SELECT key FROM metric_keys WHERE collection_id = ? ORDER BY key", (row["id"],))
    return {
        **collection_json(row, context.dialect),
        context.dialect.collection_tags: [tag[0] for tag in tags],
        context.dialect.collection_metrics: [key[0] for key in keys],
    }


def update(context: Context) -> dict[str, Any]:
    """Update name and description if they are given, and the tags always."""
    row = require_collection(context)
    context.change("collections", row["id"], context.body)
    return collection_json(require_collection(context), context.dialect)


def delete(context: Context) -> None:
    """Remove an empty collection; 409 for one with artifacts."""
    row = require_collection(context)
    if row["total_artifacts"]:
        raise http_error(409, "Collection has artifacts and cant be deleted")
    context.db.execute("DELETE FROM collections WHERE id = ?", (row["id"],))


def collection_json(row: sqlite3.Row, dialect: Dialect) -> dict[str, Any]:
    """A collection's row in the words of the dialect."""
    names = {"type": dialect.collection_type, "total_artifacts": dialect.collection_total}
    item = {names.get(name, name): row[name] for name in _COLUMNS}
    item["tags"] = from_json(row["tags"])
    return item


def require_collection(context: Context, identity: str | None = None) -> sqlite3.Row:
    """The collection of the path, or of that id in the same orbit; 404 if there is none."""
    query = "SELECT * FROM collections WHERE id = ? AND orbit_id = ?"
    return context.get_or_404(
        "Collection not found", query, identity or context.ids["collection_id"], context.ids["orbit_id"]
    )
