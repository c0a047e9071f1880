"""The index of objects, shared by S3 and Azure: rows in the database that name stored files.

An object is a row and an ordered list of files, its segments. Completing an upload turns the files of its parts into
segments in one transaction, which takes the same time for any size. Files that no row names any more are removed after
the transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from ..database.database import Database, new_id, now
from ..responses import FileRange
from .file_store import FileStore, StoredFile


class ObjectName(NamedTuple):
    """The id of a bucket, and the key of an object in it."""

    bucket: str
    key: str


class StoredObject(NamedTuple):
    """An object without its content; `upload_id` is the multipart upload that created it."""

    etag: str
    md5: str | None
    size: int
    content_type: str
    modified_at: str
    upload_id: str | None


class Part(NamedTuple):
    """A stored part of an S3 upload (`name` is its number) or block of an Azure blob (`name` is its id)."""

    name: Any
    file: str
    size: int
    md5: bytes


class AlreadyExists(Exception):
    """The object exists, and the request forbids replacing it."""


class ObjectIndex:
    """The objects in the registry's own buckets."""

    def __init__(self, database: Database, files: FileStore) -> None:
        self.database = database
        self.files = files

    def find(self, name: ObjectName) -> StoredObject | None:
        """The object of that name, or None."""
        with self.database.reading() as db:
            return _find(db, name)

    def read(self, name: ObjectName, blob: StoredObject, start: int, end: int) -> tuple[FileRange, ...] | None:
        """The bytes [start, end) of an object as file ranges, the first one open; None if it was replaced meanwhile."""
        with self.database.reading() as db:
            if _find(db, name) != blob:
                return None
            rows = db.execute(
                "SELECT start, size, file FROM segments"
                " WHERE bucket_id = ? AND key = ? AND start < ? AND start + size > ? ORDER BY position",
                (*name, end, start),
            ).fetchall()
        ranges = []
        for row in rows:
            low, high = max(start, row["start"]), min(end, row["start"] + row["size"])
            ranges.append(FileRange(self.files.path(row["file"]), low - row["start"], high - low))
        if ranges:
            try:
                ranges[0] = replace(ranges[0], file=ranges[0].open())
            except FileNotFoundError:
                return None
        return tuple(ranges)

    def put(
        self, name: ObjectName, stored: StoredFile, etag: str, content_type: str, *, only_new: bool = False
    ) -> StoredObject:
        """Make a stored file the object of that name, in place of an earlier one unless `only_new`."""
        blob = StoredObject(etag, stored.md5.hex(), stored.size, content_type, now(), None)
        with self._writing(stored) as db:
            if only_new and _find(db, name) is not None:
                raise AlreadyExists
            before = _files(db, name)
            _write(db, name, blob, [Part(None, stored.file, stored.size, stored.md5)])
        self.files.discard(before)
        return blob

    @contextmanager
    def _writing(self, stored: StoredFile) -> Iterator[sqlite3.Connection]:
        """A transaction that stores a row for a file; if it fails, the file is removed."""
        try:
            with self.database.writing() as db:
                yield db
        except BaseException:
            # An interruption may arrive after the commit, when the file is in use.
            if not self.is_known(stored.file):
                self.files.discard([stored.file])
            raise

    def delete(self, name: ObjectName) -> bool:
        """Remove an object; False if there is none."""
        with self.database.writing() as db:
            files = _files(db, name)
            count = db.execute("DELETE FROM objects WHERE bucket_id = ? AND key = ?", name).rowcount
        self.files.discard(files)
        return bool(count)

    def begin_upload(self, name: ObjectName) -> str:
        """Open an upload and return its id."""
        upload_id = new_id().replace("-", "")
        with self.database.writing() as db:
            _begin(db, name, upload_id)
        return upload_id

    def has_upload(self, name: ObjectName, upload_id: str) -> bool:
        """Whether the upload is open for that object."""
        with self.database.reading() as db:
            return _has_upload(db, name, upload_id)

    def add_part(
        self, name: ObjectName, upload_id: str, part_name: Any, stored: StoredFile, *, opening: bool = False
    ) -> bool:
        """Add a part to an upload, in place of an earlier part of that name; False if the upload is not open.

        `opening` opens the upload first.
        """
        with self._writing(stored) as db:
            if opening:
                _begin(db, name, upload_id)
            is_open = _has_upload(db, name, upload_id)
            query = "SELECT file FROM parts WHERE upload_id = ? AND name = ?"
            replaced = [row["file"] for row in db.execute(query, (upload_id, part_name))]
            if is_open:
                db.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?)", (upload_id, part_name, *stored))
        self.files.discard(replaced if is_open else [stored.file])
        return is_open

    def parts(self, upload_id: str) -> list[Part]:
        """The parts of an open upload, by name."""
        with self.database.reading() as db:
            return _parts(db, upload_id)

    def committed_parts(self, name: ObjectName) -> list[Part]:
        """The committed blocks of an Azure blob, in order."""
        with self.database.reading() as db:
            return _committed_parts(db, name)

    def assemble(
        self,
        name: ObjectName,
        upload_id: str,
        choose: Callable[[list[Part], list[Part]], tuple[Sequence[Part], str, str | None]],
        content_type: str,
        *,
        only_new: bool = False,
        opening: bool = False,
    ) -> StoredObject | None:
        """Make parts the object of that name and close the upload; None if it is not open and not `opening`.

        `choose` is called with the parts of the upload and the committed parts of the present object. It returns the
        parts of the new object, its ETag, and its MD5 or None. If it raises, nothing changes.
        """
        with self.database.writing() as db:
            if not opening and not _has_upload(db, name, upload_id):
                return None
            parts = _parts(db, upload_id)
            chosen, etag, md5 = choose(parts, _committed_parts(db, name))
            if only_new and _find(db, name) is not None:
                raise AlreadyExists
            blob = StoredObject(etag, md5, sum(part.size for part in chosen), content_type, now(), upload_id)
            before = {*_files(db, name), *(part.file for part in parts)}
            db.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
            _write(db, name, blob, chosen)
        self.files.discard(before - {part.file for part in chosen})
        return blob

    def abort_upload(self, name: ObjectName, upload_id: str) -> bool:
        """Remove an upload and its parts; False if it is not open."""
        with self.database.writing() as db:
            if not _has_upload(db, name, upload_id):
                return False
            files = [part.file for part in _parts(db, upload_id)]
            db.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
        self.files.discard(files)
        return True

    def is_known(self, file: str) -> bool:
        """Whether a row names the file."""
        with self.database.reading() as db:
            query = "SELECT 1 FROM segments WHERE file = ? UNION ALL SELECT 1 FROM parts WHERE file = ?"
            return db.execute(query, (file, file)).fetchone() is not None


def _find(db: sqlite3.Connection, name: ObjectName) -> StoredObject | None:
    row = db.execute(
        "SELECT etag, md5, size, content_type, modified_at, upload_id FROM objects WHERE bucket_id = ? AND key = ?",
        name,
    ).fetchone()
    return StoredObject(*row) if row else None


def _files(db: sqlite3.Connection, name: ObjectName) -> list[str]:
    rows = db.execute("SELECT file FROM segments WHERE bucket_id = ? AND key = ?", name)
    return [row["file"] for row in rows]


def _begin(db: sqlite3.Connection, name: ObjectName, upload_id: str) -> None:
    db.execute("INSERT OR IGNORE INTO uploads VALUES (?, ?, ?, ?)", (upload_id, *name, now()))


def _has_upload(db: sqlite3.Connection, name: ObjectName, upload_id: str) -> bool:
    query = "SELECT 1 FROM uploads WHERE id = ? AND bucket_id = ? AND key = ?"
    return db.execute(query, (upload_id, *name)).fetchone() is not None


def _parts(db: sqlite3.Connection, upload_id: str) -> list[Part]:
    query = "SELECT name, file, size, md5 FROM parts WHERE upload_id = ? ORDER BY name"
    return [Part(*row) for row in db.execute(query, (upload_id,))]


def _committed_parts(db: sqlite3.Connection, name: ObjectName) -> list[Part]:
    query = (
        "SELECT name, file, size FROM segments WHERE bucket_id = ? AND key = ? AND name IS NOT NULL ORDER BY position"
    )
    return [Part(row["name"], row["file"], row["size"], b"") for row in db.execute(query, name)]


def _write(db: sqlite3.Connection, name: ObjectName, blob: StoredObject, segments: Sequence[Part]) -> None:
    db.execute("DELETE FROM objects WHERE bucket_id = ? AND key = ?", name)
    row = (*name, blob.etag, blob.md5, blob.size, blob.content_type, blob.modified_at, blob.upload_id)
    db.execute("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    start = 0
    for position, part in enumerate(segments):
        segment = (*name, position, start, part.size, part.file, part.name)
        db.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?)", segment)
        start += part.size


def block_upload_id(name: ObjectName) -> str:
    """The id of the upload that holds the uncommitted blocks of an Azure blob; it has only one."""
    return f"azure:{name.bucket}:{name.key}"
