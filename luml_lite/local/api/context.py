# ruff: noqa: S608 - only names from this package are put into SQL; every value is bound
"""The argument of every operation: one checked and permitted request, inside one database transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ..database.database import new_id, now
from ..responses import http_error
from ..settings import Settings
from ..storage.buckets import Bucket, OwnBucket
from .dialects import Dialect
from .permissions import User


@dataclass(frozen=True)
class Context:
    """One request to the API: `ids` come from the path; the checks of its route have passed `query` and `body`."""

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
        """The first row of a query; raises a 404 with the message `missing` if there is none."""
        row = self.row(sql, *values)
        if row is None:
            raise http_error(404, missing)
        return row

    def insert(self, table: str, values: dict[str, Any]) -> str:
        """Add a row and return its id; id and created_at are generated unless they are given."""
        values = {"id": new_id(), "created_at": now(), **values}
        sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({placeholders(values)})"
        self.db.execute(sql, _column_values(values))
        identity: str = values["id"]
        return identity

    def change(self, table: str, identity: str, values: dict[str, Any]) -> None:
        """Set columns of a row, and its updated_at if that changes one of them, as on the platform."""
        if values:
            columns = "".join(f"{name} = ?, " for name in values)
            differs = " OR ".join(f"{name} IS NOT ?" for name in values)
            stored = _column_values(values)
            sql = f"UPDATE {table} SET {columns}updated_at = ? WHERE id = ? AND ({differs})"
            self.db.execute(sql, (*stored, now(), identity, *stored))

    def bucket(self, secret_id: str, secret: dict[str, Any] | None = None) -> Bucket:
        """The external bucket if it is configured for this secret, else our own; `secret` replaces the stored one."""
        settings = self.settings
        if settings.external_bucket is not None and secret_id == settings.external_bucket_id:
            return settings.external_bucket
        if secret is None:
            query = "SELECT type, access FROM bucket_secrets WHERE id = ?"
            row = self.get_or_404("Bucket secret not found", query, secret_id)
            secret = {**from_json(row["access"]), "type": row["type"]}
        # The keys are whatever the user wrote; a secret that lost them signs nothing, as on the platform.
        is_signed = secret["type"] == "azure" or all(secret.get(name, "own") for name in ("access_key", "secret_key"))
        times = settings.now(), settings.lifetime
        return OwnBucket(secret["type"], secret_id, self.base_url, settings.signer, *times, is_signed)


def _column_values(values: dict[str, Any]) -> list[Any]:
    return [to_json(value) if isinstance(value, dict | list) else value for value in values.values()]


def to_json(value: Any) -> str:
    """A value as the text of a JSON column."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def from_json(value: str | None) -> Any:
    """The value of a JSON column; None for NULL."""
    return None if value is None else json.loads(value)


def placeholders(values: Collection[Any]) -> str:
    """As many SQL question marks as there are values."""
    return ", ".join("?" * len(values))
