"""Malformed requests at the HTTP form: no 500, no hang, no leak, no file outside the directory.

LUML_FUZZ_EXAMPLES says how many of each kind are tried; every run tries others.
"""

from __future__ import annotations

import copy
import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luml_lite.local import Bounds, Served, serve
from luml_lite.local.storage.buckets import Layout

from ..local.client import RegistryClient, element, model

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("LUML_FUZZ_EXAMPLES", "150"))
TRIED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
BOUNDS = Bounds(head=2.0, idle=2.0, stall=2.0, body=1_000_000)


def shut(connection: socket.socket) -> None:
    """Shut down the sending side, unless the server has ended the connection already."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


class Target:
    """A served registry with some rows and objects, and raw requests to it."""

    def __init__(self, served: Served, place: Path) -> None:
        self.served = served
        self.place = place
        self.where = urlsplit(served.base_url)
        client = RegistryClient(served.registry)
        artifact = client.uploaded(b"0123456789")
        track = client.ask(
            "POST", f"{client.orbit}/tracks", {"name": "t", "artifact_type": "model", "stages": ["a"]}
        ).body
        names = served.names
        secret = {"type": "azure", "endpoint": "AccountName=a;AccountKey=k", "bucket_name": "b"}
        azure = client.ask("POST", f"{client.organization}/bucket-secrets", secret).body["id"]
        self.ids = [*names[1:], artifact, track["id"], azure, "abc", "0" * 32, "", "..", "%2e%2e", "%ff", "a" * 300]
        cursor = client.ask("GET", f"{client.orbit}/artifacts?limit=1&sort_by=name").body["cursor"] or ""
        self.words = [cursor, "name", "F1", "asc", "model", "1", "100", "created_at", *self.ids[:6]]
        wanted = {"bucket_id": azure, "bucket_location": "k", "size": 3000}
        in_parts = client.made(3000)["upload_details"]
        upload = element(client.ask("POST", in_parts["url"]).body, "UploadId")
        s3 = {"bucket_id": names.bucket_secret, "bucket_location": in_parts["bucket_location"], "size": 3000}
        older = "/bucket-secrets/upload/multipart"
        parts = client.ask("POST", older, {**s3, "upload_id": upload}).body
        probes = client.ask("POST", "/v1/bucket-secrets/urls", secret).body
        self.urls = [
            *probes.values(),
            *(part["url"] for part in parts["parts"]),
            parts["complete_url"],
            f"{probes['download_url']}&comp=blocklist&blocklisttype=all",
            client.made(5)["upload_details"]["url"],
            client.made(5000)["upload_details"]["url"],
            client.ask("GET", f"{client.artifacts}/{artifact}/download-url").body["url"],
            *(part["url"] for part in client.ask("POST", older, wanted).body["parts"]),
            client.ask("POST", older, wanted).body["complete_url"],
        ]
        self.urls = [re.sub(r"^http://[^/]+", "", url) for url in self.urls]

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes, *, length: str | None = None) -> int:
        """Send one raw request; the status of the response, or 0 if the connection ended without one."""
        said = str(len(body)) if length is None else length
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.where.netloc}", f"Content-Length: {said}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join((*lines, "Connection: close", "", "")).encode("utf-8", "surrogateescape")
        with socket.create_connection((str(self.where.hostname), int(self.where.port or 80)), timeout=15) as connection:
            answer = b""
            try:
                connection.sendall(head + body)
                if length is not None:
                    shut(connection)
                while chunk := connection.recv(65536):
                    answer += chunk
            except ConnectionError:
                pass
            found = re.match(rb"HTTP/1.1 (\d{3}) ", answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n"))
            return int(found[1]) if found else 0

    def key(self) -> dict[str, str]:
        """The header with the owner's key."""
        return {"Authorization": f"Bearer {self.served.api_key}"}

    def check(self) -> None:
        """Check that the server answers and that files exist only where they belong."""
        assert self.send("GET", "/v1/users/me/organizations", self.key(), b"") == 200
        assert [path.name for path in self.place.iterdir()] == ["registry"]
        names = {path.name for path in (self.place / "registry").iterdir()}
        database = {"registry.db", "registry.db-wal", "registry.db-shm"}
        assert names <= {*database, "objects", "opening.lock", "present.lock"}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """One target for all tests; at the end no thread and no file may be left."""
    place = tmp_path_factory.mktemp("fuzz")
    threads = threading.active_count()
    with serve(place / "registry", bounds=BOUNDS, layout=Layout(1000, 1000)) as served:
        target = Target(served, place)
        target.check()
        open_files = _open_files()
        yield target
        deadline = time.monotonic() + 10
        while _open_files() > open_files + 8 and time.monotonic() < deadline:
            time.sleep(0.1)  # the last connections are still being closed
        assert _open_files() <= open_files + 8, "connections to the database are kept, a few"
        target.check()
        assert not os.listdir(served.registry.files.arriving)
    assert threading.active_count() <= threads


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


text = st.text(max_size=30)
scalar = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), text, st.just("\ud800"), st.just(10**400))
value = st.recursive(scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3))
methods = st.sampled_from(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "X"))
PIECES = (
    *("v1", "organizations", "orbits", "collections", "artifacts", "model_artifacts", "tracks", "entries", "stages"),
    *("bucket-secrets", "users", "me", "storage", "force", "delete-url", "download-url", "by-stage", "urls"),
)
PATHS = (
    "/v1/organizations/{1}/orbits/{2}/artifacts",
    "/v1/organizations/{1}/orbits/{2}/collections/{3}/artifacts/{4}",
    "/v1/organizations/{1}/orbits/{2}/collections/{3}/artifacts/{4}/delete-url",
    "/v1/organizations/{1}/orbits/{2}/collections/{3}",
    "/v1/organizations/{1}/orbits/{2}/collections",
    "/v1/organizations/{1}/orbits/{2}/tracks/{4}/entries/{5}",
    "/v1/organizations/{1}/orbits/{2}/tracks/{4}/entries",
    "/v1/organizations/{1}/orbits/{2}/tracks",
    "/v1/organizations/{1}/bucket-secrets/{2}",
    "/v1/organizations/{1}/bucket-secrets",
    "/v1/organizations/{1}/orbits",
    "/organizations/{1}/orbits/{2}/collections/{3}/model_artifacts/{4}",
    "/organizations/{1}/orbits/{2}/collections/{3}/model_artifacts",
    "/v1/bucket-secrets/upload/multipart",
    "/v1/bucket-secrets/urls",
    "/storage/{1}/{2}/{3}",
)
HEADERS = (
    *("Range", "If-Match", "If-None-Match", "Content-MD5", "Content-Type", "x-ms-blob-type", "x-ms-range"),
    *("x-ms-blob-content-md5", "Expect", "Authorization", "Accept-Encoding", "x-amz-acl", "If-Range"),
)
header_value = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40),
    st.sampled_from(
        ("bytes=0-", "bytes=-1", "bytes=9-3", "bytes=99999999999999999999-", "*", "BlockBlob", "100-continue")
    ),
)


@TRIED
@given(data=st.data())
def test_any_path_and_query_is_answered(target: Target, data: st.DataObject) -> None:
    ids = st.sampled_from([*target.ids, target.served.organization])
    if data.draw(st.booleans()):
        template = data.draw(st.sampled_from(PATHS))
        real = (target.served.organization, target.served.orbit, target.served.collection, target.ids[4], target.ids[5])
        chosen = [one if data.draw(st.integers(0, 3)) else data.draw(ids) for one in real]
        path = template.format("", *chosen)
    else:
        pieces = st.one_of(st.sampled_from(PIECES), ids, text.map(lambda word: quote(word, safe="", errors="replace")))
        path = "/" + "/".join(data.draw(st.lists(pieces, max_size=9)))
    names = ("cursor", "limit", "sort_by", "order", "search", "types", "collection_ids", "stage", "stage_id", "force")
    words = st.one_of(st.sampled_from(target.words), text, st.just("\0"), st.just("-1"), st.just("9" * 5000))
    query = data.draw(st.lists(st.tuples(st.sampled_from(names), words), max_size=5))
    raw = urlencode(query, errors="replace") + data.draw(st.sampled_from(("", "&%ff=%00", "&&=", "?", "&limit=%d9%a3")))
    body = json.dumps(data.draw(value)).encode() if data.draw(st.booleans()) else b""
    status = target.send(data.draw(methods), f"{path}?{raw}", target.key(), body)
    assert 200 <= status < 500 or (status == 500 and "/entries/" in path), "an unknown entry is 500, as on the platform"


@TRIED
@given(data=st.data())
def test_any_body_is_answered(target: Target, data: st.DataObject) -> None:
    """A valid body with one error at a random place, or no JSON."""
    served = target.served
    base = f"/v1/organizations/{served.organization}"
    orbit = f"{base}/orbits/{served.orbit}"
    bodies: dict[tuple[str, str], Any] = {
        ("POST", f"{orbit}/collections/{served.collection}/artifacts"): model(tags=["t"], extra_values={"F1": 1}),
        ("PATCH", f"{orbit}/collections/{served.collection}/artifacts/{target.ids[4]}"): {"name": "n", "tags": ["x"]},
        ("POST", f"{orbit}/collections"): {"name": "c", "description": "", "type": "model", "tags": ["t"]},
        ("POST", f"{orbit}/tracks"): {"name": "t", "artifact_type": "model", "stages": ["a", "b"]},
        ("PATCH", f"{orbit}/tracks/{target.ids[5]}"): {"name": "t", "stages": [{"name": "a"}]},
        ("POST", f"{orbit}/tracks/{target.ids[5]}/entries"): {"artifact_id": target.ids[4], "stage_id": None},
        ("POST", f"{base}/bucket-secrets"): {"type": "s3", "endpoint": "e", "bucket_name": "b", "region": "r"},
        ("POST", "/v1/bucket-secrets/upload/multipart"): {
            "bucket_id": served.names.bucket_secret,
            "bucket_location": "k",
            "size": 3000,
            "upload_id": "u",
        },
    }
    (method, path), valid = data.draw(st.sampled_from(sorted(bodies.items(), key=str)))
    body = copy.deepcopy(valid)
    for _ in range(data.draw(st.integers(0, 3))):
        spoil(body, data)
    content = json.dumps(body).encode()
    if data.draw(st.integers(0, 9)) == 0:
        cut = data.draw(st.integers(0, len(content)))
        content = content[:cut] + data.draw(st.binary(max_size=5)) + content[cut + 1 :]
    if data.draw(st.integers(0, 19)) == 0:
        encoding = data.draw(st.sampled_from(("utf-16", "utf-32", "utf-8-sig", "latin-1", "cesu")))
        said = json.dumps(body, ensure_ascii=encoding == "latin-1")
        content = said.encode(encoding.replace("cesu", "utf-8"), "surrogatepass")
    if data.draw(st.integers(0, 49)) == 0:
        depth = data.draw(st.integers(1, 5000) | st.just(100_000))
        content = content.replace(b": ", b": " + b"[" * depth, 1)
        content += data.draw(st.sampled_from((b"", b"]" * depth)))
    assert 200 <= target.send(method, path, target.key(), content) < 500


def spoil(body: Any, data: st.DataObject) -> None:
    """Replace, add or remove something at a random place."""
    place = body
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        if data.draw(st.integers(0, 4)) == 0:
            del place[key]
        else:
            place[key] = data.draw(value)
        return


@TRIED
@given(data=st.data())
def test_any_request_to_storage_is_answered(target: Target, data: st.DataObject) -> None:
    """Signed URLs with other methods, headers and bodies, and with parts of them changed."""
    url = data.draw(st.sampled_from(target.urls))
    if data.draw(st.booleans()):
        cut = data.draw(st.integers(0, len(url)))
        url = "/" + (
            url[:cut] + quote(data.draw(text), errors="replace") + url[cut + data.draw(st.integers(0, 3)) :]
        ).lstrip("/")
    headers = data.draw(st.dictionaries(st.sampled_from(HEADERS), header_value, max_size=4))
    documents = (
        *(b"<BlockList><Latest>YmxvY2stMDAwMDAwMDE=</Latest></BlockList>", b"<Part>" * 1000, b"<!DOCTYPE x>"),
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
    )
    body = data.draw(st.one_of(st.binary(max_size=300), st.sampled_from(documents)))
    status = target.send(data.draw(methods), url, headers, body)
    assert 200 <= status < 500


@settings(TRIED, max_examples=max(EXAMPLES // 3, 10))
@given(data=st.data())
def test_any_head_is_answered_or_cut(target: Target, data: st.DataObject) -> None:
    """Wrong lengths, and bytes that are not HTTP."""
    if data.draw(st.booleans()):
        lengths = st.sampled_from(("-1", "1e3", "", "99999999999999999999", "900000000", "0x10", "5, 5", "\u0663"))
        length = data.draw(lengths | st.integers(0, 500).map(str))
        url = data.draw(st.sampled_from(target.urls))
        status = target.send(data.draw(methods), url, {}, data.draw(st.binary(max_size=100)), length=length)
        assert status == 0 or 200 <= status < 500
        return
    with socket.create_connection((str(target.where.hostname), int(target.where.port or 80)), timeout=15) as connection:
        try:
            connection.sendall(data.draw(st.binary(min_size=1, max_size=400)) + b"\r\n\r\n")
            shut(connection)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        except ConnectionError:
            return
    found = re.match(rb"HTTP/1.1 (\d{3}) ", answer)
    assert found is None or int(found[1]) < 500 or int(found[1]) in (501, 505)
