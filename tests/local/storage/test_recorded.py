"""The registry reproduces recorded storage exchanges of real buckets; each one runs on a bucket prepared for it.

Signatures cannot be replayed, so each request is signed anew with the permission that its URL had; bodies of which only
the size was recorded are zeros of a smaller size.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import pytest

from luml_lite.local.database.database import now
from luml_lite.local.registry import Registry
from luml_lite.local.responses import Response
from luml_lite.local.storage.buckets import OwnBucket
from luml_lite.local.storage.object_index import ObjectName, Part, block_upload_id

from ..client import Bytes

WIRE = Path(__file__).parents[2] / "recorded_servers"
BASE = "http://registry.test"
FULL_PART = 5 * 1024**2

# What the registry answers otherwise, and why; by file and line, counted from 0.
EXCEPTIONS = {
    "a part that was sent again replaces the earlier one, as on AWS: its old ETag is refused": ("recovery-2",),
    "a range carries no MD5 of its own; nobody asks for one": ("recovery-127",),
    "the answer was made up by a server that plays faults": (
        *("model_artifacts_era-236", "model_artifacts_era-249", "model_artifacts_era-253", "model_artifacts_era-259"),
        *("model_artifacts_era-264", "model_artifacts_era-265", "model_artifacts_era-266", "model_artifacts_era-331"),
        "current-350",
    ),
}
REASONS = {place: reason for reason, places in EXCEPTIONS.items() for place in places}

# rclone and moto answer otherwise than AWS in more than one way (recovery.md has the table); theirs are not vectors.
OTHER_SERVERS = {"rclone", "moto"}


# The method that a URL was signed for, where the request used it for another one.
SIGNED_FOR = {
    "url_get_with_put_url": "PUT",
    "az_get_blocklist_with_write_sas": "PUT",
    "mp_resume_head_with_get_url": "GET",
    "del2.confirm": "DELETE",
}
NOWHERE = "00000000-0000-0000-0000-000000000000"


class Vector(NamedTuple):
    """One recorded exchange with a bucket."""

    place: str
    case: str
    azure: bool
    method: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int
    answer: dict[str, str]
    text: str


def vectors() -> Iterator[Any]:
    """Every recorded storage exchange that the registry is to reproduce."""
    for file in sorted(WIRE.glob("*.jsonl")):
        for number, line in enumerate(file.read_text().splitlines()):
            row = json.loads(line)
            if row["to"] != "storage" or row["status"] is None or row.get("server") in OTHER_SERVERS:
                continue
            if "rclone" in row["case"] or row["case"] == "s3_tampered_sig":
                continue
            query = dict(parse_qsl(row["query"] or "", keep_blank_values=True))
            azure = "sig" in query or row["path"].startswith("/devstoreaccount1")
            found = row["response_body"] or {}
            yield pytest.param(
                Vector(
                    place=f"{file.stem}-{number}",
                    case=row["case"],
                    azure=azure,
                    method=row["method"],
                    key=row["path"].lstrip("/").split("/", 2 if azure else 1)[-1],
                    query={name: value for name, value in query.items() if not re.match(r"X-Amz|s[epvrti]", name)},
                    headers={name.lower(): value for name, value in (row["request_headers"] or {}).items()},
                    body=sent(row["request_body"] or {}),
                    status=row["status"],
                    answer={name.lower(): value for name, value in (row["response_headers"] or {}).items()},
                    text=found.get("text", ""),
                ),
                id=f"{file.stem}-{number}-{row['case']}",
            )


def sent(body: dict[str, Any]) -> bytes:
    """The body of a request, or zeros if only its size was recorded."""
    if "text" in body:
        return str(body["text"]).encode("utf-8", "surrogateescape")
    return bytes(min(int(body.get("bytes", body.get("content_length") or 0)), 10_000))


class Stage:
    """A registry with one S3 and one Azure bucket, emptied for each exchange."""

    def __init__(self, registry: Registry, azure_id: str) -> None:
        self.registry = registry
        self.ids = {False: registry.names.bucket_secret, True: azure_id}
        self.objects = registry.objects

    def prepare(self, vector: Vector) -> None:
        """Create the objects, uploads and parts that the recorded response implies."""
        bucket, key = self.ids[vector.azure], vector.key
        with self.registry.database.writing() as db:
            for table in ("segments", "objects", "parts", "uploads"):
                db.execute(f"DELETE FROM {table}")
        if self._has_object(vector):
            self._put(bucket, key, vector)
        upload = vector.query.get("uploadId")
        if upload and vector.status not in (404,):
            self._upload(bucket, key, upload)
            self._parts(upload, vector)
        if vector.azure and "blocklist" in vector.query.get("comp", "") and vector.status not in (404,):
            upload = block_upload_id(ObjectName(bucket, key))
            self._upload(bucket, key, upload)
            for name, size in self._blocks(vector):
                self._part(upload, Part(name, f"f{name}", size, b""))

    def _has_object(self, vector: Vector) -> bool:
        if vector.method in ("GET", "HEAD"):
            return vector.status != 404 and vector.query.get("comp") is None
        wants_new = vector.headers.get("if-none-match") == "*" and vector.status in (409, 412)
        return wants_new or (vector.method == "DELETE" and vector.status in (202, 204))

    def _put(self, bucket: str, key: str, vector: Vector) -> None:
        total = re.search(r"/(\d+)$", vector.answer.get("content-range", ""))
        size = int(total[1]) if total else int(vector.answer.get("content-length") or len(vector.text))
        content = vector.text.encode() if len(vector.text) == size else bytes(min(size, 10_000))
        stored = self.registry.files.receive(Bytes(content), lambda digest: None)
        etag = vector.answer.get("etag", '"x"')
        if_match = vector.headers.get("if-match")
        if if_match and vector.status != 412:
            etag = if_match
        kind = vector.answer.get("content-type", "application/octet-stream")
        self.objects.put(ObjectName(bucket, key), stored, etag, kind)
        with self.registry.database.writing() as db:  # the rest of a large object is a hole that nobody reads
            known = vector.answer.get("content-md5")
            digest = base64.b64decode(known).hex() if known else None
            db.execute("UPDATE objects SET size = ?, md5 = ?", (size, digest))
            db.execute("UPDATE segments SET size = ?", (size,))
        path = self.registry.files.path(stored.file)
        with open(path, "r+b") as file:
            file.truncate(size)

    def _upload(self, bucket: str, key: str, upload: str) -> None:
        with self.registry.database.writing() as db:
            db.execute("INSERT INTO uploads VALUES (?, ?, ?, ?)", (upload, bucket, key, now()))

    def _parts(self, upload: str, vector: Vector) -> None:
        listed = re.findall(r"<PartNumber>(\d+)</PartNumber><ETag>\"?(\w*)\"?</ETag>", vector.body.decode())
        size = 1 if "EntityTooSmall" in vector.text else FULL_PART
        for number, etag in listed:
            wrong = "InvalidPart" in vector.text or "stale_etag" in vector.case
            digest = bytes(16) if wrong else bytes.fromhex(etag)
            self._part(upload, Part(int(number), f"f{number}", size, digest))

    def _part(self, upload: str, part: Part) -> None:
        with self.registry.database.writing() as db:
            db.execute("INSERT INTO parts VALUES (?, ?, ?, ?, ?)", (upload, *part))

    def _blocks(self, vector: Vector) -> list[tuple[str, int]]:
        shown = re.findall(r"<Name>([^<]*)</Name><Size>(\d+)</Size>", vector.text)
        listed = re.findall(r"<Latest>([^<]*)</Latest>", vector.body.decode())
        if "InvalidBlockList" in vector.text:
            listed = listed[:-1]
        return [(name, int(size)) for name, size in shown] or [(name, 5) for name in listed]

    def ask(self, vector: Vector) -> Response:
        """Send the request with a signature like that of its URL."""
        registry, kind = self.registry, "azure" if vector.azure else "s3"
        moment = registry.settings.now()
        lifetime = -1 if "expired" in vector.case else 3600
        where = NOWHERE if "NoSuchBucket" in vector.text else self.ids[vector.azure]
        bucket = OwnBucket(kind, where, BASE, registry.settings.signer, moment, lifetime)
        signed_for = SIGNED_FOR.get(vector.case, vector.method)
        extra = {} if vector.case == "abort_with_delete_url_and_upload_id" else vector.query
        target = bucket.presign(signed_for, vector.key, extra).removeprefix(BASE)
        if vector.case == "abort_with_delete_url_and_upload_id":
            target += "&uploadId=x"
        if "wrong_signature" in vector.case or "not_yet_valid" in vector.case:
            target = re.sub(r"(Signature|sig)=..", r"\1=zz", target)
        headers = dict(vector.headers)
        if "content-md5" in headers and vector.status < 300:
            headers["content-md5"] = base64.b64encode(md5(vector.body, usedforsecurity=False).digest()).decode()
        return registry.handle(vector.method, target, headers, Bytes(vector.body), BASE)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One registry for all exchanges."""
    registry = Registry(tmp_path_factory.mktemp("storage"))
    azure_id = "00000000-0000-7000-8000-0000000000a2"
    with registry.database.writing() as db:
        row = (azure_id, registry.names.organization, now())
        db.execute("INSERT INTO bucket_secrets VALUES (?, ?, 'azure', 'e', 'b', '{}', ?, NULL)", row)
    yield Stage(registry, azure_id)
    registry.close()


@pytest.mark.parametrize("vector", list(vectors()))
def test_the_registry_stores_as_real_buckets_do(stage: Stage, vector: Vector) -> None:
    stage.prepare(vector)
    reply = stage.ask(vector)
    try:
        assert (differences(vector, reply) == []) is (vector.place not in REASONS), differences(vector, reply)
    finally:
        reply.close()


def differences(vector: Vector, reply: Response) -> list[str]:
    """How a response differs from the recorded one in status, headers that clients read, and error code."""
    found = [] if reply.status == vector.status else [f"status {reply.status} and not {vector.status}"]
    if ("etag" in vector.answer) != ("etag" in reply.headers) and "comp" not in vector.query:
        found.append("ETag")
    names = ["content-range", "x-ms-error-code"]
    if vector.method == "GET":
        names += ["content-md5", "etag"] if "comp" not in vector.query else []
    if vector.method == "PUT" and vector.body and "bytes" not in vector.case and not vector.azure and _whole(vector):
        names.append("etag")
    if "x-ms-blob-type" in vector.answer:
        names.append("x-ms-blob-type")
    found += [name for name in names if vector.answer.get(name) != reply.headers.get(name)]
    if (
        vector.method == "GET"
        and reply.status < 300
        and "content-length" in vector.answer
        and "comp" not in vector.query
    ):
        found += [] if reply.length == int(vector.answer["content-length"]) else ["length"]
    if vector.method != "HEAD" and vector.text.startswith("<") and isinstance(reply.body, bytes):
        text = reply.body.decode()
        found += [name for name in ("Code", "Name", "Size") if _elements(vector.text, name) != _elements(text, name)]
        root = re.search(r"<([A-Z]\w+)", vector.text)
        found += [] if root and f"<{root[1]}" in text else ["root element"]
    return found


def _whole(vector: Vector) -> bool:
    return vector.answer.get("etag") == f'"{md5(vector.body, usedforsecurity=False).hexdigest()}"'


def _elements(text: str, name: str) -> list[str]:
    return re.findall(f"<{name}>([^<]*)</{name}>", text)
