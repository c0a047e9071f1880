# ruff: noqa: S608 - only names from this package are put into SQL; every value is bound
"""The operations on collections. Names are not unique; what a collection admits is its type."""

from __future__ import annotations

import sqlite3
from typing import Any

from . import pages
from .calls import Call, from_json, marks, to_json
from .dialects import Dialect
from .manifests import ALLOWED
from .pages import Source, Where
from .replies import refuse
from .schema import new_id, now
from .validation import ABSENT, Check, Field, list_of, model, nullable, one_of, text

_tags = nullable(list_of(text(longest=64), most=50))
_COLUMNS = ("id", "orbit_id", "description", "name", "type", "tags", "total_artifacts", "created_at", "updated_at")


def _column(name: str, dialect: Dialect) -> str:
    """The column behind a wire name."""
    return {dialect.collection_type: "type", dialect.totals: "total_artifacts"}.get(name, name)


def created(dialect: Dialect) -> Check:
    """What POST takes."""
    fields = {
        "description": Field(text(longest=1000)),
        "name": Field(text(longest=100)),
        dialect.collection_type: Field(one_of(*ALLOWED)),
        "tags": Field(_tags, None),
    }
    return model(**fields)


def changed(dialect: Dialect) -> Check:
    """What PATCH takes: tags that are left out are wiped, as on the platform."""
    fields = {
        "description": Field(text(longest=1000), ABSENT),
        "name": Field(text(longest=100), ABSENT),
        "tags": Field(_tags, None),
    }
    return model(**fields)


def listed(dialect: Dialect) -> dict[str, Field]:
    """The query of the list."""
    sorts = ("created_at", "name", dialect.collection_type, "description", dialect.totals)
    return {
        **pages.PAGED,
        "sort_by": Field(one_of(*sorts), "created_at"),
        "search": Field(text(), None),
        "types": Field(one_of(*ALLOWED), None),
    }


def create(call: Call) -> dict[str, Any]:
    """Make an empty collection."""
    identity = new_id()
    call.db.execute(
        "INSERT INTO collections VALUES (?, ?, ?, ?, ?, ?, 0, ?, NULL)",
        (
            identity,
            call.ids["orbit_id"],
            call.body["name"],
            call.body["description"],
            call.body[call.dialect.collection_type],
            to_json(call.body["tags"]),
            now(),
        ),
    )
    return collection_json(the_collection(call, identity), call.dialect)


def page(call: Call) -> dict[str, Any]:
    """A page of the orbit's collections; `search` is a part of the name or of a tag, in any case."""
    query = call.query
    column = _column(query["sort_by"], call.dialect)
    where = Where("c.orbit_id = ?", (call.ids["orbit_id"],))
    if query["search"]:
        folded = query["search"].casefold()
        tagged = "EXISTS (SELECT 1 FROM json_each(c.tags) WHERE contains(value, ?))"
        where &= Where(f"(contains(c.name, ?) OR {tagged})", (folded, folded))
    if query["types"]:
        where &= Where(f"c.type IN ({marks(query['types'])})", tuple(query["types"]))
    source = Source(f"SELECT c.*, c.{column} AS sort_value FROM collections c", where, f"c.{column}", "c.id")
    filters = [call.ids, query["search"], query["types"]]
    numeric = column == "total_artifacts"

    def render(row: sqlite3.Row) -> dict[str, Any]:
        return collection_json(row, call.dialect)

    return pages.listed(call.db, [source], query, column, filters, render, numeric=numeric)


def get(call: Call) -> dict[str, Any]:
    """One collection with the tags and metric keys of its artifacts."""
    row = the_collection(call)
    tags = call.db.execute(
        "SELECT DISTINCT t.value FROM artifacts a, json_each(a.tags) t"
        " WHERE a.collection_id = ? AND a.tags IS NOT NULL ORDER BY t.value",
        (row["id"],),
    )
    keys = call.db.execute("SELECT key FROM metric_keys WHERE collection_id = ? ORDER BY key", (row["id"],))
    return {
        **collection_json(row, call.dialect),
        call.dialect.tags_of: [tag[0] for tag in tags],
        call.dialect.keys_of: [key[0] for key in keys],
    }


def update(call: Call) -> dict[str, Any]:
    """Change name and description where they are given, and the tags always."""
    row = the_collection(call)
    call.change("collections", row["id"], {**call.body, "tags": to_json(call.body["tags"])})
    return collection_json(the_collection(call), call.dialect)


def delete(call: Call) -> None:
    """Remove a collection that is empty."""
    row = the_collection(call)
    if row["total_artifacts"]:
        raise refuse(409, "Collection has artifacts and cant be deleted")
    call.db.execute("DELETE FROM collections WHERE id = ?", (row["id"],))


def collection_json(row: sqlite3.Row, dialect: Dialect) -> dict[str, Any]:
    """A collection as the dialect writes it."""
    names = {"type": dialect.collection_type, "total_artifacts": dialect.totals}
    item = {names.get(name, name): row[name] for name in _COLUMNS}
    item["tags"] = from_json(row["tags"])
    return item


def the_collection(call: Call, identity: str | None = None) -> sqlite3.Row:
    """The collection of the path, or another of its orbit; a 404 where there is none."""
    query = "SELECT * FROM collections WHERE id = ? AND orbit_id = ?"
    return call.the("Collection not found", query, identity or call.ids["collection_id"], call.ids["orbit_id"])
