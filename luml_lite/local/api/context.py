# ruff: noqa: S608 - only names from this package are put into SQL; every value is bound
"""What an operation gets: one request, checked and entitled, inside one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ..database.database import now
from ..responses import http_error
from ..settings import Settings
from ..storage.buckets import Bucket, OwnBucket
from .dialects import Dialect
from .permissions import User


@dataclass(frozen=True)
class Context:
    """One request to the API: `ids` are the path's, `query` and `body` were checked by the route."""

    db: sqlite3.Connection
    settings: Settings
    dialect: Dialect
    user: User
    base_url: str
    ids: dict[str, str]
    query: dict[str, Any]
    body: Any

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        row: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return row

    def get_or_404(self, missing: str, sql: str, *values: Any) -> sqlite3.Row:
        """The first row of a query, or a 404 that says what is missing."""
        row = self.row(sql, *values)
        if row is None:
            raise http_error(404, missing)
        return row

    def change(self, table: str, identity: str, values: dict[str, Any]) -> None:
        """Set some columns of a row, and when that was."""
        values = {**values, "updated_at": now()}
        columns = ", ".join(f"{name} = ?" for name in values)
        self.db.execute(f"UPDATE {table} SET {columns} WHERE id = ?", (*values.values(), identity))

    def bucket(self, secret_id: str) -> Bucket:
        """The bucket behind a bucket secret: the one that was external_bucket in, or the registry's own."""
        if self.settings.external_bucket is not None and secret_id == self.settings.external_bucket_id:
            return self.settings.external_bucket
        row = self.get_or_404("Bucket secret not found", "SELECT type FROM bucket_secrets WHERE id = ?", secret_id)
        return self.own_bucket(row["type"], secret_id)

    def own_bucket(self, kind: str, secret_id: str) -> Bucket:
        """A bucket that the registry keeps itself."""
        settings = self.settings
        return OwnBucket(kind, secret_id, self.base_url, settings.signer, settings.now(), settings.lifetime)


def to_json(value: Any) -> str | None:
    """A value for a JSON column; None stays NULL."""
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def from_json(value: str | None) -> Any:
    """The value of a JSON column."""
    return None if value is None else json.loads(value)


def placeholders(values: Collection[Any]) -> str:
    """Question marks for a list of values."""
    return ", ".join("?" * len(values))
