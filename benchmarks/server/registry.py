"""The benchmark server's rows, prepared pages and objects, without sockets.

It implements as much of the current platform as the benchmarks need, and discards the bytes of uploads.
"""

from __future__ import annotations

import itertools
import json
import threading
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from ..archives import MANIFEST

ORGANIZATION = "01a20983-bdfa-7354-abc0-de7385234d8b"
ORBIT = "01a20983-be6e-7b9d-a92c-f5e25d3726f3"
COLLECTION = "01a20983-bf3d-71c4-a264-608aa686cecd"  # holds one artifact
BIG = "01a20983-bf3d-71c4-a264-00000000b16b"  # holds 10,000
BIG_SIZE = 10_000
BUCKET = "01a20983-be21-7068-924f-41a753e5350f"
FIRST = "01a20990-9699-7595-8e42-000000000000"
_STAMP = "2026-11-23T18:00:00.409882Z"
MiB = 1024**2


class FileRange(NamedTuple):
    """A body on disk: the half-open range [start, end) of a file."""

    path: str
    start: int
    end: int


class Response(NamedTuple):
    """A status, headers without Content-Length, and a body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | FileRange


class Object(NamedTuple):
    """An object of the bucket: its size, and the path of its file; the path is empty for uploads."""

    size: int
    path: str


def row(number: int, collection: str = COLLECTION) -> dict[str, Any]:
    """An artifact in a list of the current platform, about 1.4 KB of JSON."""
    return {
        "file_name": f"model-{number}.luml",
        "name": f"model {number}",
        "description": None,
        "extra_values": {"F1": number % 1000 / 1000, "acc": 0.5},
        "manifest": MANIFEST,
        "file_hash": f"{number:064x}",
        "file_index": {
            "env.json": [1536, 2],
            "ops.json": [2560, 2],
            "meta.json": [3584, 165],
            "dtypes.json": [4608, 2],
            "manifest.json": [512, 431],
            "ops_artifacts/w.bin": [6656, 1000],
            "variant_config.json": [5632, 2],
        },
        "size": 10240,
        "tags": ["ml", "production"],
        "type": "model",
        "id": f"01a20990-9699-7595-8e42-{number:012x}",
        "collection_id": collection,
        "bucket_location": f"orbit-{ORBIT}/collection-{collection}/{number:032x}-model.luml",
        "unique_identifier": f"{number:032x}",
        "status": "uploaded",
        "created_by_user": "Somebody",
        "created_at": _STAMP,
        "updated_at": _STAMP,
        "deployments": [],
        "collection_name": "models",
    }


@cache
def page(cursor: str, limit: int) -> bytes:
    """A page of the big collection; the cursor is the number of its first row."""
    start = int(cursor or 0)
    end = min(start + limit, BIG_SIZE)
    next_cursor = str(end) if end < BIG_SIZE else None
    return _json({"items": [row(number, BIG) for number in range(start, end)], "cursor": next_cursor})


def part_size(size: int) -> int:
    """The platform's part size for an object of `size` bytes."""
    for limit, part in ((1024, 32), (5 * 1024, 64), (10 * 1024, 128), (100 * 1024, 512)):
        if size <= limit * MiB:
            return part * MiB
    return 1024 * MiB


class Registry:
    """The rows and objects of one run."""

    def __init__(self, single_limit: int) -> None:
        self.single_limit = single_limit
        self.lock = threading.Lock()
        self._number = itertools.count(1_000_000)
        self._rows: dict[str, dict[str, Any]] = {FIRST: row(0)}
        self._objects: dict[str, Object] = {}
        self._parts: dict[str, int] = {}  # bytes received for a multipart upload, all parts together
        self._first = _json(row(0))

    def answer(self, method: str, path: str, query: str, body: bytes, base: str) -> Response:
        """Answer a request of the API or the bucket; `base` is the address that the client used."""
        path = path.removeprefix("/v1")
        names = path.strip("/").split("/")
        if names[0] == "bucket":
            return self._bucket(method, names[1], query, 0)
        if names[0] == "-":
            return self._add_artifact(json.loads(body))
        if names[0] == "users":
            return _ok([{**_resource(ORGANIZATION, "Org"), "logo": None}])
        if path == "/bucket-secrets/upload/multipart":
            return self._plan(json.loads(body), base)
        if names[2:] == ["orbits"]:
            return _ok([{**_resource(ORBIT, "Orbit"), "organization_id": ORGANIZATION, "bucket_secret_id": BUCKET}])
        if names[4:] == ["artifacts"]:
            return self._list(parse_qs(query))
        if names[4:] == ["collections"]:
            found = [_collection(COLLECTION, 1), _collection(BIG, BIG_SIZE)]
            return _ok({"items": found, "cursor": None})
        if names[6:] == ["artifacts"] and method == "POST":
            return self._create_artifact(json.loads(body), base)
        if names[6:7] == ["artifacts"]:
            return self._artifact(method, names[7:], body, base)
        return Response(404, (), b'{"detail":"Not Found"}')

    def put(self, key: str, query: str, length: int, md5: str) -> Response:
        """Answer a PUT of `length` bytes of an object or part; the ETag is their MD5 where that is known."""
        response = self._bucket("PUT", key, query, length)
        return Response(200, (("ETag", f'"{md5}"'), ("x-amz-request-id", "1")), b"") if md5 else response

    def _artifact(self, method: str, names: list[str], body: bytes, base: str) -> Response:
        artifact_id, *then = names
        if artifact_id == FIRST and not then:
            return Response(200, _JSON, self._first)
        if then:
            return _ok({"url": f"{base}/bucket/{artifact_id}?X-Amz-Signature=0"})
        with self.lock:
            found = self._rows.get(artifact_id)
            if found is None:
                return Response(404, _JSON, b'{"detail":"Artifact not found"}')
            if method == "PATCH":
                found.update(json.loads(body))
            return _ok(found)

    def _create_artifact(self, wanted: dict[str, Any], base: str) -> Response:
        made = {**row(next(self._number)), **wanted, "status": "pending_upload"}
        self._rows[made["id"]] = made
        multipart = made["size"] > self.single_limit
        details = {
            "type": "s3",
            "url": f"{base}/bucket/{made['id']}?{'uploads=&' if multipart else ''}X-Amz-Signature=0",
            "multipart": multipart,
            "bucket_location": made["id"],
            "bucket_secret_id": BUCKET,
        }
        return _ok({"artifact": made, "upload_details": details})

    def _plan(self, wanted: dict[str, Any], base: str) -> Response:
        key, size, upload_id = wanted["bucket_location"], wanted["size"], wanted["upload_id"]
        step = part_size(size)
        url = f"{base}/bucket/{key}?uploadId={upload_id}&X-Amz-Signature=0"
        parts = [
            {
                "part_number": number,
                "url": f"{url}&partNumber={number}",
                "start_byte": start,
                "end_byte": min(start + step, size) - 1,
                "part_size": min(step, size - start),
            }
            for number, start in enumerate(range(0, size, step), 1)
        ]
        return _ok({"type": "s3", "upload_id": upload_id, "parts": parts, "complete_url": url})

    def _bucket(self, method: str, key: str, query: str, length: int) -> Response:
        words = parse_qs(query, keep_blank_values=True)
        with self.lock:
            if method == "PUT":
                if "partNumber" in words:
                    self._parts[key] = self._parts.get(key, 0) + length
                else:
                    self._objects[key] = Object(length, "")
                return Response(200, (("ETag", '"not-an-md5"'), ("x-amz-request-id", "1")), b"")
            if method == "POST" and "uploads" in words:
                namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
                name = "InitiateMultipartUploadResult"
                return Response(200, _XML, f'<{name} xmlns="{namespace}"><UploadId>one</UploadId></{name}>'.encode())
            if method == "POST":
                self._objects[key] = Object(self._parts.pop(key, 0), "")
                name = "CompleteMultipartUploadResult"
                return Response(200, _XML, f'<{name}><ETag>"made-of-parts"</ETag></{name}>'.encode())
            if method == "DELETE":
                self._objects.pop(key, None)
                return Response(204, (), b"")
            return Response(404, (), b"<Error><Code>NoSuchKey</Code></Error>")

    def read(self, key: str, ranged: tuple[int, int | None] | None) -> Response:
        """Answer a GET of an object or an inclusive range of its bytes; of an upload, only one byte can be read."""
        found = self._objects.get(key)
        if found is None:
            return Response(404, (), b"<Error><Code>NoSuchKey</Code></Error>")
        start, end = 0, found.size
        status = 200
        headers: tuple[tuple[str, str], ...] = (("ETag", '"not-an-md5"'), ("Accept-Ranges", "bytes"))
        if ranged is not None:
            start = ranged[0]
            end = found.size if ranged[1] is None else min(ranged[1] + 1, found.size)
            status = 206
            headers += (("Content-Range", f"bytes {start}-{end - 1}/{found.size}"),)
        if not found.path:
            assert end - start == 1, "the bytes of uploads are discarded"
            return Response(status, headers, b"\0")
        return Response(status, headers, FileRange(found.path, start, end))

    def _list(self, words: dict[str, list[str]]) -> Response:
        if words["collection_ids"] == [BIG]:
            return Response(200, _JSON, page(words.get("cursor", [""])[0], int(words["limit"][0])))
        return _ok({"items": [row(0)], "cursor": None})

    def _add_artifact(self, args: dict[str, Any]) -> Response:
        made = row(next(self._number))
        made.update(size=args["size"], file_hash=args["sha256"], file_index=args["file_index"])
        self._rows[made["id"]] = made
        self._objects[made["id"]] = Object(args["size"], args["path"])
        return _ok({"id": made["id"]})


_JSON = (("Content-Type", "application/json"),)
_XML = (("Content-Type", "application/xml"),)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _ok(value: Any) -> Response:
    return Response(200, _JSON, _json(value))


def _resource(thing: str, name: str) -> dict[str, Any]:
    return {"id": thing, "name": name, "created_at": _STAMP, "updated_at": None}


def _collection(collection: str, total: int) -> dict[str, Any]:
    return {
        **_resource(collection, f"collection of {total}"),
        "description": "",
        "orbit_id": ORBIT,
        "type": "model",
        "tags": None,
        "total_artifacts": total,
    }
