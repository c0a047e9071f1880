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

from .schema import TABLES, VERSION

_BUSY = 30.0  # seconds a writer waits for another one


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
