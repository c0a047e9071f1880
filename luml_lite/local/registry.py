# ruff: noqa: S608 - only names from this package are put into SQL; every value is bound
"""The application: it answers one request, and knows neither HTTP nor threads. Both faces call `Registry.handle`.

Opening a directory makes what is missing, and sweeps what a crash left behind when nobody else has it open.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import BinaryIO, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from .api.context import Context
from .api.parsing import json_body, query_values
from .api.permissions import Role, add_user, require_permission, user_of
from .api.routes import find
from .database.database import Database, new_id, now
from .responses import Body, HTTPError, Response, http_error, json_response
from .settings import Settings
from .storage import azure, s3
from .storage.buckets import LIFETIME, STORAGE, Bucket, Layout
from .storage.file_store import FileStore
from .storage.object_index import ObjectIndex
from .storage.request import StorageRequest, read_whole

try:
    import fcntl
except ImportError:  # a system without flock: directories are shared, but never swept
    fcntl = None  # type: ignore[assignment]


class Names(NamedTuple):
    """What a directory holds from the start: the ids of its first organization, orbit and collection, and its key."""

    key: str
    organization: str
    orbit: str
    collection: str
    bucket_secret: str


class Registry:
    """One open directory; safe for threads, and for several processes at once.

    `layout` says where uploads are split, `lifetime` how many seconds a URL is good for, `artifact_limit` how many
    artifacts the organization may have (None: any number). `bucket` stands for an external bucket under the first
    orbit: then the registry signs, and never sees bytes. `clock` gives the time that URLs expire by.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        layout: Layout | None = None,
        lifetime: int = LIFETIME,
        artifact_limit: int | None = None,
        bucket: Bucket | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = os.path.abspath(path)
        os.makedirs(self.path, mode=0o700, exist_ok=True)
        self.database = Database(os.path.join(self.path, "registry.db"))
        self.objects = FileStore(os.path.join(self.path, "objects"))
        self.blobs = ObjectIndex(self.database, self.objects)
        self._clock = clock
        kind = bucket.type if bucket else "s3"
        with _hold_lock(os.path.join(self.path, "opening.lock")):
            # Whoever comes later waits here; so the sweep is alone if nobody has the directory open.
            present, alone = _in_use_lock(os.path.join(self.path, "present.lock"))
            # A registry that is dropped leaves the directory as one that is closed does.
            self.close = weakref.finalize(self, _release, self.database, present)
            try:
                self.database.create(lambda db: _bootstrap(db, kind))
                if alone:
                    self._sweep(lifetime)
                    _share(present)
                with self.database.reading() as db:
                    kept = dict(db.execute("SELECT name, value FROM settings").fetchall())
            except BaseException:
                self.close()
                raise
        self.names = Names(**{name: kept[name] for name in Names._fields})
        self.settings = Settings(
            layout=layout or Layout(),
            lifetime=lifetime,
            artifact_limit=artifact_limit,
            external_bucket=bucket,
            external_bucket_id=self.names.bucket_secret,
            signer=bytes.fromhex(kept["signer"]),
            clock=clock,
        )

    def handle(self, method: str, target: str, headers: dict[str, str], body: Body, base_url: str) -> Response:
        """Answer one request.

        `target` is the path with its query, `headers` have lower-case names, `base_url` is how the client reaches
        the registry: the URLs that are handed out start with it.
        """
        path, _, query_string = target.partition("?")
        try:
            decoded = unquote(path, errors="strict")
            pairs = tuple(parse_qsl(query_string, keep_blank_values=True, errors="strict"))
            "".join((decoded, *(name + value for name, value in pairs))).encode()
        except ValueError:
            return json_response({"detail": "The URL is not UTF-8"}, 400)
        try:
            if decoded.startswith(STORAGE):
                return self._storage(method, decoded, pairs, headers, body, base_url)
            return self._api(method, decoded, pairs, headers, body, base_url)
        except HTTPError as refusal:
            return refusal.reply
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            return Response(507)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                return Response(507)
            if error.sqlite_errorcode not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            return Response(503, {"retry-after": "1"})

    def make_key(self, role: Role = "owner", name: str = "Local User", orbit: str | None = None) -> str:
        """A key of a new user with that role; the orbit roles are for `orbit`, by default the first one."""
        with self.database.writing() as db:
            return add_user(db, name, role, self.names.organization, orbit or self.names.orbit)

    def _api(
        self,
        method: str,
        path: str,
        pairs: tuple[tuple[str, str], ...],
        headers: dict[str, str],
        body: Body,
        base_url: str,
    ) -> Response:
        found = find(path)
        if found is None:
            bare = path.rstrip("/")
            if bare != path and find(bare):
                query = f"?{urlencode(pairs)}" if pairs else ""
                return Response(307, {"location": base_url + quote(bare) + query})
            raise http_error(404, "Not Found")
        place, match = found
        if method == "OPTIONS":
            return Response(200, {"content-type": "text/plain; charset=utf-8"}, b"OK")
        route = place.routes.get(method)
        if route is None:
            reply = json_response({"detail": "Method Not Allowed"}, 405)
            return Response(405, {**reply.headers, "allow": ", ".join(place.routes)}, reply.body)
        with self.database.reading() as db:
            user = user_of(db, headers.get("authorization", ""))
        ids = place.ids(match)
        asked = query_values(pairs, route.query, route.many)
        content = json_body(read_whole(body), route.body) if route.body else None
        with self.database.writing() if route.writes else self.database.reading() as db:
            if route.right:
                require_permission(db, user, ids["organization_id"], ids.get("orbit_id"), *route.right)
            if "orbit_id" in ids:
                _require_orbit(db, ids)
            result = route.run(Context(db, self.settings, place.dialect, user, base_url, ids, asked, content))
        if isinstance(result, Response):
            return result
        return Response(204) if result is None else json_response(result)

    def _storage(
        self,
        method: str,
        path: str,
        pairs: tuple[tuple[str, str], ...],
        headers: dict[str, str],
        body: Body,
        base_url: str,
    ) -> Response:
        bucket, _, key = path.removeprefix(STORAGE).partition("/")
        with self.database.reading() as db:
            row = db.execute("SELECT type FROM bucket_secrets WHERE id = ?", (bucket,)).fetchone()
        external_bucket = self.settings.external_bucket is not None and bucket == self.settings.external_bucket_id
        if row is None or external_bucket or not key:
            raise s3.error("NoSuchBucket", key)
        part_size = self.settings.layout.part_size
        request = StorageRequest(
            method=method,
            host=urlsplit(base_url).netloc,
            path=path,
            url=base_url + quote(path),
            query=pairs,
            headers=headers,
            body=body,
            bucket=bucket,
            key=key,
            moment=self.settings.now(),
            signer=self.settings.signer,
            smallest_part=min(s3.SMALLEST_PART, part_size or s3.SMALLEST_PART),
            blobs=self.blobs,
            objects=self.objects,
        )
        return s3.handle(request) if row["type"] == "s3" else azure.handle(request)

    def _sweep(self, lifetime: int) -> None:
        """Remove what no artifact can ever need again: orphaned objects, uploads and files."""
        # An artifact's URLs outlive its row, so an object may come back until they have expired.
        before = (datetime.fromtimestamp(self._clock(), UTC) - timedelta(seconds=lifetime)).isoformat()
        orphaned = "NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.bucket_location = key)"
        with self.database.writing() as db:
            db.execute(f"DELETE FROM objects WHERE modified_at < ? AND {orphaned}", (before,))
            unfinished = f"{orphaned[:-1]} AND a.status = 'pending_upload')"
            db.execute(f"DELETE FROM uploads WHERE created_at < ? AND {unfinished}", (before,))
        self.objects.sweep(self.blobs.is_known)


def _require_orbit(db: sqlite3.Connection, ids: dict[str, str]) -> None:
    query = "SELECT 1 FROM orbits WHERE id = ? AND organization_id = ?"
    if db.execute(query, (ids["orbit_id"], ids["organization_id"])).fetchone() is None:
        raise http_error(404, "Orbit not found")


def _bootstrap(db: sqlite3.Connection, bucket_type: str) -> None:
    """Fill a new directory: one organization, one orbit, one collection of type mixed, an owner and their key."""
    organization, orbit, collection, secret = (new_id() for _ in range(4))
    moment = now()
    db.execute("INSERT INTO organizations VALUES (?, 'Local', NULL, 0, ?, NULL)", (organization, moment))
    access = '{"region":"us-east-1"}' if bucket_type == "s3" else "{}"
    kept = (secret, organization, bucket_type, "local", "local", access, moment)
    db.execute("INSERT INTO bucket_secrets VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", kept)
    db.execute("INSERT INTO orbits VALUES (?, ?, ?, 'Local', ?, NULL)", (orbit, organization, secret, moment))
    query = "INSERT INTO collections VALUES (?, ?, 'Local', '', 'mixed', NULL, 0, ?, NULL)"
    db.execute(query, (collection, orbit, moment))
    key = add_user(db, "Local User", "owner", organization, orbit)
    db.execute("INSERT INTO orbit_members SELECT ?, id, 'admin' FROM users", (orbit,))
    settings = dict(zip(Names._fields, (key, organization, orbit, collection, secret), strict=True))
    db.executemany("INSERT INTO settings VALUES (?, ?)", [*settings.items(), ("signer", token_hex(32))])


def _release(database: Database, present: BinaryIO) -> None:
    database.close()
    present.close()


@contextmanager
def _hold_lock(path: str) -> Iterator[None]:
    with open(path, "ab") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _in_use_lock(path: str) -> tuple[BinaryIO, bool]:
    """The file whose lock says that the directory is in use, and whether nobody else holds it."""
    file = open(path, "ab")  # noqa: SIM115 - held as long as the registry is open
    if fcntl is None:
        return file, False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file, True
    except OSError:
        fcntl.flock(file, fcntl.LOCK_SH)
        return file, False


def _share(file: BinaryIO) -> None:
    fcntl.flock(file, fcntl.LOCK_SH)
