# ruff: noqa: S608 - only names from this package are put into SQL; every value is bound
"""The application: `Registry.handle` answers one request. It knows neither sockets nor threads.

The HTTP server and the in-process transport both call it. Opening a directory creates the files that are missing. If no
other process has the directory open, it also removes the files and rows that a crash left.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
import weakref
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import BinaryIO, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from ..files.disk import open_writable
from ..files.locks import try_lock
from .api.context import Context
from .api.parsing import json_body, query_values
from .api.permissions import Role, add_user, require_permission, user_of
from .api.routes import find
from .database.database import Database, new_id, now
from .locks import CAN_SHARE, lock, share_lock
from .responses import Body, HTTPError, Response, http_error, json_response
from .settings import Settings
from .storage import azure, s3
from .storage.buckets import LIFETIME, STORAGE, Bucket, Layout
from .storage.file_store import FileStore
from .storage.object_index import ObjectIndex
from .storage.request import StorageRequest, read_whole


class Names(NamedTuple):
    """The owner's API key, and the ids of the organization, orbit, collection and bucket secret of a new directory."""

    key: str
    organization: str
    orbit: str
    collection: str
    bucket_secret: str


class _Request(NamedTuple):
    """One request: `path` and `query` are decoded, `headers` have lower-case names."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: Body
    base_url: str


class Registry:
    """One open directory; safe for threads and for several processes.

    `layout` is the size from which uploads are split, and that of their parts. URLs expire after `lifetime` seconds by
    `clock`. `artifact_limit` is the number of artifacts that the organization may have; None means any number.
    `bucket` is an external bucket for the first orbit: the registry signs its URLs, and never receives the bytes.
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
        self.path: str = os.path.abspath(path)
        os.makedirs(self.path, mode=0o700, exist_ok=True)
        self.database: Database = Database(os.path.join(self.path, "registry.db"))
        self.files: FileStore = FileStore(os.path.join(self.path, "objects"))
        self.objects: ObjectIndex = ObjectIndex(self.database, self.files)
        self._clock = clock
        rows = self._prepare(bucket.type if bucket else "s3", lifetime)
        self.names: Names = Names(**{name: rows[name] for name in Names._fields})
        self.settings: Settings = Settings(
            layout=layout or Layout(),
            lifetime=lifetime,
            artifact_limit=artifact_limit,
            external_bucket=bucket,
            external_bucket_id=self.names.bucket_secret,
            signer=bytes.fromhex(rows["signer"]),
            clock=clock,
        )

    def _prepare(self, bucket_type: str, lifetime: int) -> dict[str, str]:
        """Fill a new directory, sweep an old one, and return the table of settings."""
        with open(open_writable(os.path.join(self.path, "opening.lock"), 0o600), "ab") as opening:
            # Other processes that open the directory wait here, so none can join it during the sweep.
            lock(opening.fileno())
            in_use = open(open_writable(os.path.join(self.path, "present.lock"), 0o600), "ab")  # noqa: SIM115 - held while open
            # Garbage collection closes a registry that nobody has closed.
            self.close: Callable[[], object] = weakref.finalize(self, _release, self.database, in_use)
            try:
                self.database.create(lambda db: _bootstrap(db, bucket_type))
                if CAN_SHARE and try_lock(in_use.fileno()):  # no other process has the directory open
                    self._sweep(lifetime)
                share_lock(in_use.fileno())
                with self.database.reading() as db:
                    return dict(db.execute("SELECT name, value FROM settings").fetchall())
            except BaseException:
                self.close()
                raise

    def handle(self, method: str, target: str, headers: dict[str, str], body: Body, base_url: str) -> Response:
        """Answer one request.

        `target` is the path with its query, `headers` have lower-case names. `base_url` is the address that the client
        uses for the registry; presigned URLs begin with it.
        """
        path, _, query_string = target.partition("?")
        try:
            path = unquote(path, errors="strict")
            query = tuple(parse_qsl(query_string, keep_blank_values=True, errors="strict"))
            "".join((path, *(name + value for name, value in query))).encode()
        except ValueError:
            return json_response({"detail": "The URL is not UTF-8"}, 400)
        request = _Request(method, path, query, headers, body, base_url)
        try:
            return self._storage(request) if path.startswith(STORAGE) else self._api(request)
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
        """Create a user with this role and return their key; `orbit` is for the orbit roles, by default the first."""
        with self.database.writing() as db:
            return add_user(db, name, role, self.names.organization, orbit or self.names.orbit)

    def _api(self, request: _Request) -> Response:
        route_match = find(request.path, request.method)
        if route_match is None:
            bare = request.path.rstrip("/")
            if bare != request.path and find(bare):
                query = f"?{urlencode(request.query)}" if request.query else ""
                return Response(307, {"location": request.base_url + quote(bare) + query})
            raise http_error(404, "Not Found")
        endpoint, match = route_match
        if request.method == "OPTIONS":
            return Response(200, {"content-type": "text/plain; charset=utf-8"}, b"OK")
        route = endpoint.routes.get(request.method)
        if route is None:
            reply = json_response({"detail": "Method Not Allowed"}, 405)
            # The first method alone, as on the platform, whose routes have one each.
            return Response(405, {**reply.headers, "allow": next(iter(endpoint.routes))}, reply.body)
        with self.database.reading() as db:
            user = user_of(db, request.headers.get("authorization", ""))
        if route.run is None:
            raise http_error(403, "This endpoint requires jwt authentication.")
        ids = endpoint.ids(match)
        values = query_values(request.query, route.query, route.many)
        media = request.headers.get("content-type", "")
        content = route.body and json_body(read_whole(request.body), route.body, media)
        with self.database.writing() if route.writes else self.database.reading() as db:
            if route.right:
                require_permission(db, user, ids["organization_id"], ids.get("orbit_id"), *route.right)
            context = Context(db, self.settings, endpoint.dialect, user, request.base_url, ids, values, content)
            result = route.run(context)
        if isinstance(result, Response):
            return result
        return Response(204) if result is None else json_response(result)

    def _storage(self, request: _Request) -> Response:
        bucket, _, key = request.path.removeprefix(STORAGE).partition("/")
        with self.database.reading() as db:
            row = db.execute("SELECT type FROM bucket_secrets WHERE id = ?", (bucket,)).fetchone()
        is_external = self.settings.external_bucket is not None and bucket == self.settings.external_bucket_id
        kind = row["type"] if row else bucket.partition("-probe-")[0]
        vendor = {"s3": s3.handle, "azure": azure.handle}.get(kind)
        if vendor is None or is_external or not key:
            raise s3.error("NoSuchBucket", key)
        storage_request = StorageRequest(
            method=request.method,
            host=urlsplit(request.base_url).netloc,
            path=request.path,
            url=request.base_url + quote(request.path),
            query=request.query,
            headers=request.headers,
            body=request.body,
            bucket=bucket,
            key=key,
            moment=self.settings.now(),
            signer=self.settings.signer,
            smallest_part=min(s3.SMALLEST_PART, self.settings.layout.part_size or s3.SMALLEST_PART),
            objects=self.objects,
        )
        return vendor(storage_request)

    def _sweep(self, lifetime: int) -> None:
        """Remove objects, uploads and files that no artifact can need again."""
        # An artifact's URLs outlive its row, so an object may be sent again until they have expired.
        before = (datetime.fromtimestamp(self._clock(), UTC) - timedelta(seconds=lifetime)).isoformat()
        orphaned = "NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.bucket_location = key)"
        with self.database.writing() as db:
            db.execute(f"DELETE FROM objects WHERE modified_at < ? AND {orphaned}", (before,))
            unfinished = f"{orphaned[:-1]} AND a.status = 'pending_upload')"
            db.execute(f"DELETE FROM uploads WHERE created_at < ? AND {unfinished}", (before,))
        self.files.sweep(self.objects.is_known)


def _bootstrap(db: sqlite3.Connection, bucket_type: str) -> None:
    """Create one organization, one orbit, one collection of type mixed, an owner and their key."""
    organization, orbit, collection, secret = (new_id() for _ in range(4))
    moment = now()
    db.execute("INSERT INTO organizations VALUES (?, 'Local', NULL, 0, ?, NULL)", (organization, moment))
    access = '{"region":"us-east-1","secure":false}'
    bucket_secret = (secret, organization, bucket_type, "local", "local", access, moment)
    db.execute("INSERT INTO bucket_secrets VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", bucket_secret)
    db.execute("INSERT INTO orbits VALUES (?, ?, ?, 'Local', ?, NULL)", (orbit, organization, secret, moment))
    query = "INSERT INTO collections VALUES (?, ?, 'Local', '', 'mixed', NULL, 0, ?, NULL)"
    db.execute(query, (collection, orbit, moment))
    key = add_user(db, "Local User", "owner", organization, orbit)
    db.execute("INSERT INTO orbit_members SELECT ?, id, 'admin' FROM users", (orbit,))
    settings = dict(zip(Names._fields, (key, organization, orbit, collection, secret), strict=True))
    db.executemany("INSERT INTO settings VALUES (?, ?)", [*settings.items(), ("signer", token_hex(32))])


def _release(database: Database, in_use: BinaryIO) -> None:
    database.close()
    in_use.close()
