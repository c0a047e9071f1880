"""Objects as records over files: what S3 and Azure have in common.

An object is a row and an ordered list of files (segments); completing an upload only re-labels the files of its parts,
so that it takes one transaction whatever the size. Files that a transaction made superfluous are removed after it.
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


class StoredObject(NamedTuple):
    """What is known of an object without reading it."""

    etag: str
    md5: str | None
    size: int
    content_type: str
    modified_at: str
    upload_id: str | None


class Part(NamedTuple):
    """A part or block that has arrived."""

    name: Any
    file: str
    size: int
    md5: bytes


class AlreadyExists(Exception):
    """The object exists and the request asked for it not to."""


class ObjectIndex:
    """The objects of every bucket that the registry keeps itself."""

    def __init__(self, database: Database, objects: FileStore) -> None:
        self.database = database
        self.objects = objects

    def find(self, bucket: str, key: str) -> StoredObject | None:
        """The object of that key, or None."""
        with self.database.reading() as db:
            return _find(db, bucket, key)

    def read(self, bucket: str, key: str, blob: StoredObject, start: int, end: int) -> tuple[FileRange, ...] | None:
        """The bytes [start, end) of a blob as file ranges, the first one open; None when it was replaced meanwhile."""
        with self.database.reading() as db:
            if _find(db, bucket, key) != blob:
                return None
            rows = db.execute(
                "SELECT start, size, file FROM segments"
                " WHERE bucket_id = ? AND key = ? AND start < ? AND start + size > ? ORDER BY position",
                (bucket, key, end, start),
            ).fetchall()
        ranges = []
        for row in rows:
            low, high = max(start, row["start"]), min(end, row["start"] + row["size"])
            ranges.append(FileRange(self.objects.path(row["file"]), low - row["start"], high - low))
        if ranges:
            try:
                ranges[0] = replace(ranges[0], file=ranges[0].open())
            except FileNotFoundError:
                return None
        return tuple(ranges)

    def put(
        self, bucket: str, key: str, stored: StoredFile, etag: str, content_type: str, *, only_new: bool = False
    ) -> StoredObject:
        """Make a stored file the object of that key."""
        blob = StoredObject(etag, stored.md5.hex(), stored.size, content_type, now(), None)
        with self._naming(stored) as db:
            if only_new and _find(db, bucket, key) is not None:
                raise AlreadyExists
            before = _files(db, bucket, key)
            _write(db, bucket, key, blob, [Part(None, stored.file, stored.size, stored.md5)])
        self.objects.discard(before)
        return blob

    @contextmanager
    def _naming(self, stored: StoredFile) -> Iterator[sqlite3.Connection]:
        """A transaction that gives a file its row; where it fails the file goes."""
        try:
            with self.database.writing() as db:
                yield db
        except BaseException:
            # An interruption may come after the commit, and then the file is an object's.
            if not self.is_known(stored.file):
                self.objects.discard([stored.file])
            raise

    def delete(self, bucket: str, key: str) -> bool:
        """Remove the object; whether there was one."""
        with self.database.writing() as db:
            files = _files(db, bucket, key)
            gone = db.execute("DELETE FROM objects WHERE bucket_id = ? AND key = ?", (bucket, key)).rowcount
        self.objects.discard(files)
        return bool(gone)

    def begin(self, bucket: str, key: str) -> str:
        """Open an upload and return its id."""
        upload_id = new_id().replace("-", "")
        with self.database.writing() as db:
            _begin(db, bucket, key, upload_id)
        return upload_id

    def has_upload(self, bucket: str, key: str, upload_id: str) -> bool:
        """Whether the upload is open for that key."""
        with self.database.reading() as db:
            return _has_upload(db, bucket, key, upload_id)

    def add_part(
        self, bucket: str, key: str, upload_id: str, name: Any, stored: StoredFile, *, opening: bool = False
    ) -> bool:
        """Keep a part, in place of an earlier one of that name; False when the upload is not open.

        `opening` opens the upload when it is not.
        """
        with self._naming(stored) as db:
            if opening:
                _begin(db, bucket, key, upload_id)
            there = _has_upload(db, bucket, key, upload_id)
            query = "SELECT file FROM parts WHERE upload_id = ? AND name = ?"
            replaced = [row["file"] for row in db.execute(query, (upload_id, name))]
            if there:
                db.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?)", (upload_id, name, *stored))
        self.objects.discard(replaced if there else [stored.file])
        return there

    def parts(self, upload_id: str) -> list[Part]:
        """The parts of an open upload, by name."""
        with self.database.reading() as db:
            return _parts(db, upload_id)

    def committed(self, bucket: str, key: str) -> list[Part]:
        """The named segments of an object, in order."""
        with self.database.reading() as db:
            return _committed(db, bucket, key)

    def assemble(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        choose: Callable[[list[Part], list[Part]], tuple[Sequence[Part], str, str | None]],
        content_type: str,
        *,
        only_new: bool = False,
        opening: bool = False,
    ) -> StoredObject | None:
        """Make parts the object of that key and close the upload; None when it is not open, but for `opening`.

        `choose` gets the parts and the segments of the present object and returns those that make up the new one,
        its ETag and its MD5 if that is known; what it raises leaves everything as it was.
        """
        with self.database.writing() as db:
            if not opening and not _has_upload(db, bucket, key, upload_id):
                return None
            parts = _parts(db, upload_id)
            chosen, etag, md5 = choose(parts, _committed(db, bucket, key))
            if only_new and _find(db, bucket, key) is not None:
                raise AlreadyExists
            blob = StoredObject(etag, md5, sum(part.size for part in chosen), content_type, now(), upload_id)
            before = {*_files(db, bucket, key), *(part.file for part in parts)}
            db.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
            _write(db, bucket, key, blob, chosen)
        self.objects.discard(before - {part.file for part in chosen})
        return blob

    def abort(self, bucket: str, key: str, upload_id: str) -> bool:
        """Forget an upload and its parts; False when it is not open."""
        with self.database.writing() as db:
            if not _has_upload(db, bucket, key, upload_id):
                return False
            files = [part.file for part in _parts(db, upload_id)]
            db.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
        self.objects.discard(files)
        return True

    def is_known(self, file: str) -> bool:
        """Whether a row names that file."""
        with self.database.reading() as db:
            query = "SELECT 1 FROM segments WHERE file = ? UNION ALL SELECT 1 FROM parts WHERE file = ?"
            return db.execute(query, (file, file)).fetchone() is not None


def _find(db: sqlite3.Connection, bucket: str, key: str) -> StoredObject | None:
    row = db.execute(
        "SELECT etag, md5, size, content_type, modified_at, upload_id FROM objects WHERE bucket_id = ? AND key = ?",
        (bucket, key),
    ).fetchone()
    return StoredObject(*row) if row else None


def _files(db: sqlite3.Connection, bucket: str, key: str) -> list[str]:
    rows = db.execute("SELECT file FROM segments WHERE bucket_id = ? AND key = ?", (bucket, key))
    return [row["file"] for row in rows]


def _begin(db: sqlite3.Connection, bucket: str, key: str, upload_id: str) -> None:
    db.execute("INSERT OR IGNORE INTO uploads VALUES (?, ?, ?, ?)", (upload_id, bucket, key, now()))


def _has_upload(db: sqlite3.Connection, bucket: str, key: str, upload_id: str) -> bool:
    query = "SELECT 1 FROM uploads WHERE id = ? AND bucket_id = ? AND key = ?"
    return db.execute(query, (upload_id, bucket, key)).fetchone() is not None


def _parts(db: sqlite3.Connection, upload_id: str) -> list[Part]:
    query = "SELECT name, file, size, md5 FROM parts WHERE upload_id = ? ORDER BY name"
    return [Part(*row) for row in db.execute(query, (upload_id,))]


def _committed(db: sqlite3.Connection, bucket: str, key: str) -> list[Part]:
    query = (
        "SELECT name, file, size FROM segments WHERE bucket_id = ? AND key = ? AND name IS NOT NULL ORDER BY position"
    )
    return [Part(row["name"], row["file"], row["size"], b"") for row in db.execute(query, (bucket, key))]


def _write(db: sqlite3.Connection, bucket: str, key: str, blob: StoredObject, segments: Sequence[Part]) -> None:
    db.execute("DELETE FROM objects WHERE bucket_id = ? AND key = ?", (bucket, key))
    row = (bucket, key, blob.etag, blob.md5, blob.size, blob.content_type, blob.modified_at, blob.upload_id)
    db.execute("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    start = 0
    for position, part in enumerate(segments):
        segment = (bucket, key, position, start, part.size, part.file, part.name)
        db.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?)", segment)
        start += part.size


def upload_of(bucket: str, key: str) -> str:
    """The id of the one upload that an Azure blob has: its uncommitted blocks."""
    return f"azure:{bucket}:{key}"
