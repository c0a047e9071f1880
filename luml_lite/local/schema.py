"""The records: the tables, their version, and the connections to them.

Every write is one IMMEDIATE transaction, so that what a rule looked at is still true when it writes, in any number of
processes. Totals and metric keys are kept by triggers, so that no listing ever counts.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from secrets import randbits
from uuid import UUID

VERSION = 1
_BUSY = 30.0  # seconds a writer waits for another one

TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE api_keys (
    digest BLOB PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE
) STRICT;
CREATE TABLE organizations (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, logo TEXT, total_artifacts INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL, updated_at TEXT
) STRICT;
CREATE TABLE organization_members (
    organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) STRICT;
CREATE TABLE bucket_secrets (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    type TEXT NOT NULL, endpoint TEXT NOT NULL, bucket_name TEXT NOT NULL, access TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT
) STRICT;
CREATE INDEX bucket_secrets_of ON bucket_secrets (organization_id, id);
CREATE TABLE orbits (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    bucket_secret_id TEXT NOT NULL REFERENCES bucket_secrets ON DELETE RESTRICT,
    name TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT
) STRICT;
CREATE INDEX orbits_of ON orbits (organization_id, id);
CREATE INDEX orbits_with ON orbits (bucket_secret_id);
CREATE TABLE orbit_members (
    orbit_id TEXT NOT NULL REFERENCES orbits ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (orbit_id, user_id)
) STRICT;
CREATE TABLE collections (
    id TEXT PRIMARY KEY, orbit_id TEXT NOT NULL REFERENCES orbits ON DELETE CASCADE,
    name TEXT NOT NULL, description TEXT NOT NULL, type TEXT NOT NULL, tags TEXT,
    total_artifacts INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL, updated_at TEXT
) STRICT;
CREATE INDEX collections_by_created_at ON collections (orbit_id, created_at, id);
CREATE INDEX collections_by_name ON collections (orbit_id, name, id);
CREATE TABLE artifacts (
    id TEXT PRIMARY KEY, collection_id TEXT NOT NULL REFERENCES collections ON DELETE RESTRICT,
    file_name TEXT NOT NULL, name TEXT NOT NULL, description TEXT, size INTEGER NOT NULL, type TEXT NOT NULL,
    status TEXT NOT NULL, file_hash TEXT NOT NULL, tags TEXT, bucket_location TEXT NOT NULL,
    unique_identifier TEXT NOT NULL, created_by_user TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT,
    extra_values TEXT NOT NULL, manifest TEXT NOT NULL, file_index TEXT NOT NULL
) STRICT;
CREATE INDEX artifacts_by_created_at ON artifacts (collection_id, type, created_at, id);
CREATE INDEX artifacts_by_name ON artifacts (collection_id, type, name, id);
CREATE INDEX artifacts_by_size ON artifacts (collection_id, type, size, id);
CREATE INDEX artifacts_by_description ON artifacts (collection_id, type, description, id);
CREATE INDEX artifacts_by_status ON artifacts (collection_id, type, status, id);
CREATE INDEX artifacts_by_type ON artifacts (collection_id, type, id);
CREATE INDEX artifacts_by_file_hash ON artifacts (collection_id, type, file_hash, id);
CREATE INDEX artifacts_by_location ON artifacts (bucket_location);
CREATE INDEX artifacts_tagged ON artifacts (collection_id, tags) WHERE tags IS NOT NULL;
CREATE TABLE metrics (
    collection_id TEXT NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL, value ANY NOT NULL,
    artifact_id TEXT NOT NULL REFERENCES artifacts ON DELETE CASCADE,
    PRIMARY KEY (collection_id, key, type, value, artifact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX metrics_of ON metrics (artifact_id, key);
CREATE TABLE metric_keys (
    collection_id TEXT NOT NULL REFERENCES collections ON DELETE CASCADE, key TEXT NOT NULL, artifacts INTEGER NOT NULL,
    PRIMARY KEY (collection_id, key)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER artifact_made AFTER INSERT ON artifacts BEGIN
    UPDATE collections SET total_artifacts = total_artifacts + 1 WHERE id = new.collection_id;
    UPDATE organizations SET total_artifacts = total_artifacts + 1 WHERE id = (
        SELECT o.organization_id FROM orbits o JOIN collections c ON c.orbit_id = o.id WHERE c.id = new.collection_id);
END;
CREATE TRIGGER artifact_gone AFTER DELETE ON artifacts BEGIN
    UPDATE collections SET total_artifacts = total_artifacts - 1 WHERE id = old.collection_id;
    UPDATE organizations SET total_artifacts = total_artifacts - 1 WHERE id = (
        SELECT o.organization_id FROM orbits o JOIN collections c ON c.orbit_id = o.id WHERE c.id = old.collection_id);
END;
CREATE TRIGGER metric_made AFTER INSERT ON metrics BEGIN
    INSERT INTO metric_keys VALUES (new.collection_id, new.key, 1)
        ON CONFLICT DO UPDATE SET artifacts = artifacts + 1;
END;
CREATE TRIGGER metric_gone AFTER DELETE ON metrics BEGIN
    UPDATE metric_keys SET artifacts = artifacts - 1 WHERE collection_id = old.collection_id AND key = old.key;
    DELETE FROM metric_keys WHERE collection_id = old.collection_id AND key = old.key AND artifacts = 0;
END;
CREATE TABLE tracks (
    id TEXT PRIMARY KEY, orbit_id TEXT NOT NULL REFERENCES orbits ON DELETE CASCADE, name TEXT NOT NULL,
    artifact_type TEXT NOT NULL, description TEXT, tags TEXT, next_version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL, updated_at TEXT
) STRICT;
CREATE INDEX tracks_by_created_at ON tracks (orbit_id, created_at, id);
CREATE TABLE stages (
    id TEXT PRIMARY KEY, track_id TEXT NOT NULL REFERENCES tracks ON DELETE CASCADE, name TEXT NOT NULL,
    position INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT, UNIQUE (track_id, name)
) STRICT;
CREATE TABLE entries (
    id TEXT PRIMARY KEY, track_id TEXT NOT NULL REFERENCES tracks ON DELETE CASCADE,
    artifact_id TEXT NOT NULL REFERENCES artifacts ON DELETE RESTRICT, version INTEGER NOT NULL,
    stage_id TEXT UNIQUE REFERENCES stages ON DELETE SET NULL, added_by TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT, UNIQUE (track_id, artifact_id)
) STRICT;
CREATE INDEX entries_of ON entries (artifact_id);
CREATE TABLE objects (
    bucket_id TEXT NOT NULL, key TEXT NOT NULL, etag TEXT NOT NULL, md5 TEXT, size INTEGER NOT NULL,
    content_type TEXT NOT NULL, modified_at TEXT NOT NULL, upload_id TEXT,
    PRIMARY KEY (bucket_id, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE segments (
    bucket_id TEXT NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL, start INTEGER NOT NULL,
    size INTEGER NOT NULL, file TEXT NOT NULL UNIQUE, name ANY,
    PRIMARY KEY (bucket_id, key, position),
    FOREIGN KEY (bucket_id, key) REFERENCES objects ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE uploads (
    id TEXT PRIMARY KEY, bucket_id TEXT NOT NULL, key TEXT NOT NULL, created_at TEXT NOT NULL
) STRICT;
CREATE TABLE parts (
    upload_id TEXT NOT NULL REFERENCES uploads ON DELETE CASCADE, name ANY NOT NULL, file TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL, md5 BLOB NOT NULL,
    PRIMARY KEY (upload_id, name)
) STRICT, WITHOUT ROWID;
"""


class Database:
    """Connections to one SQLite file, kept for the next caller; safe for threads, processes and forks."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._inherited: list[sqlite3.Connection] = []
        _databases.add(self)

    def create(self, fill: Callable[[sqlite3.Connection], None]) -> None:
        """Make the tables if there are none, and have them filled; a file of another version is a RuntimeError."""
        # It holds the owner's key. SQLite gives the files beside it the permissions of this one.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = self._connection()
        connection.execute("PRAGMA journal_mode = WAL")
        self._give_back(connection)
        with self.writing() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == VERSION:
                return
            if version:
                said = f"schema version {version}, and this luml_lite reads version {VERSION}; update it"
                raise RuntimeError(f"{self.path} has {said}")
            for statement in _statements(TABLES):
                db.execute(statement)
            fill(db)
            db.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection on which everything read is of one moment."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection on which nobody else writes; what was written is durable when the block is left."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        try:
            connection.execute(begin)
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        finally:
            self._give_back(connection)

    def _connection(self) -> sqlite3.Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        connection = sqlite3.connect(self.path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.create_function("contains", 2, _contains, deterministic=True)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def forked(self) -> None:
        """In a child process: take no lock and no connection over.

        A thread that is not here may hold the lock; and even closing a connection would disturb the parent's.
        """
        self._lock = threading.Lock()
        self._inherited += self._idle
        self._idle = []

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            self._idle.append(connection)


_databases: weakref.WeakSet[Database] = weakref.WeakSet()


def _forked() -> None:
    for database in _databases:
        database.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def _contains(text: str | None, folded: str) -> bool:
    return text is not None and folded in text.casefold()


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def now() -> str:
    """This moment as the platform writes it: RFC 3339, UTC, microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_id() -> str:
    """A fresh UUID, version 7."""
    moment = time.time_ns() // 1_000_000
    return str(UUID(int=moment << 80 | 0x7 << 76 | randbits(12) << 64 | 0b10 << 62 | randbits(62)))
