"""The SQLite file of a registry: its tables, their version, and connections.

Every write is one IMMEDIATE transaction, so that the rows a rule has checked are unchanged when it writes, however many
processes are writing. Triggers maintain totals and metric keys, so that no list has to count.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from secrets import randbits
from uuid import UUID

from .schema import TABLES, VERSION

_BUSY_TIMEOUT = 30.0  # seconds to wait for another writer


class Database:
    """Connections to one SQLite file, reused between transactions; safe for threads, processes and forks."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._inherited: list[sqlite3.Connection] = []
        _databases.add(self)

    def create(self, fill: Callable[[sqlite3.Connection], None]) -> None:
        """Create the tables and call `fill`, unless they exist; RuntimeError for another version of the schema."""
        # The file holds the owner's key. SQLite gives its journal files the same permissions.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = self._take()
        connection.execute("PRAGMA journal_mode = WAL")
        self._give_back(connection)
        with self.writing() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == VERSION:
                return
            if version:
                versions = f"schema version {version}, and this luml_lite reads version {VERSION}"
                raise RuntimeError(f"{self.path} has {versions}; update luml_lite")
            for statement in re.split(r"\n(?=CREATE )", TABLES):
                db.execute(statement)
            fill(db)
            db.execute(f"PRAGMA user_version = {VERSION}")

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection in a read transaction: all its queries see the same state."""
        return self._transaction("BEGIN")

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection in the only write transaction; its changes are durable when the block ends."""
        return self._transaction("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        connection = self._take()
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

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        connection = sqlite3.connect(self.path, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.create_function("contains", 2, _contains, deterministic=True)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            self._idle.append(connection)

    def reset_after_fork(self) -> None:
        """In a child process, use a new lock and new connections.

        A thread of the parent may hold the lock. The inherited connections stay referenced, since closing them would
        disturb the parent's.
        """
        self._lock = threading.Lock()
        self._inherited += self._idle
        self._idle = []


_databases: weakref.WeakSet[Database] = weakref.WeakSet()


def _reset_all() -> None:
    for database in _databases:
        database.reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)


def _contains(text: str | None, folded: str) -> bool:
    """Whether a text has a part that fits a LIKE pattern in any case; the time is linear in the number of `%`."""
    at = 0
    for segment in _segments(folded):
        found = segment.search(text.casefold(), at) if text is not None else None
        if found is None:
            return False
        at = found.end()
    return True


@lru_cache
def _segments(pattern: str) -> list[re.Pattern[str]]:
    """The parts of a LIKE pattern between its `%`; `_` is any character, and a backslash escapes the next one."""
    parts = [""]
    for each in re.findall(r"\\.|.", pattern, re.DOTALL):
        if each == "%":
            parts.append("")
        else:
            parts[-1] += "." if each == "_" else re.escape(each[-1])
    return [re.compile(part, re.DOTALL) for part in parts]


def now() -> str:
    """The current time as the platform writes it: RFC 3339, UTC, microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_id() -> str:
    """A new UUID, version 7."""
    moment = time.time_ns() // 1_000_000
    return str(UUID(int=moment << 80 | 0x7 << 76 | randbits(12) << 64 | 0b10 << 62 | randbits(62)))
