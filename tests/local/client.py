"""Talking to a registry in tests: requests by method and path, bodies that are valid unless a test wants otherwise."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from luml_lite.local.registry import Registry

BASE = "http://registry.test"


class Bytes:
    """A request body in memory."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = content
        self.length: int = len(content)

    def __iter__(self) -> Iterator[bytes]:
        if self.content:
            yield self.content


class Answer(NamedTuple):
    """A status, the JSON or the bytes of the body, and the headers."""

    status: int
    body: Any
    headers: dict[str, str]


class RegistryClient:
    """A registry and the key that asks it."""

    def __init__(self, registry: Registry, key: str | None = None) -> None:
        self.registry = registry
        self.key = key or registry.names.key
        names = registry.names
        self.organization = f"/v1/organizations/{names.organization}"
        self.orbit = f"{self.organization}/orbits/{names.orbit}"
        self.collection = f"{self.orbit}/collections/{names.collection}"
        self.artifacts = f"{self.collection}/artifacts"

    def ask(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        """One request; `body` is sent as JSON unless it is bytes, and a whole URL without the key."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if not url.startswith(BASE):
            sent.setdefault("authorization", f"Bearer {self.key}")
        reply = self.registry.handle(method, url.removeprefix(BASE), sent, Bytes(content), BASE)
        if isinstance(reply.body, bytes):
            found = reply.body
        else:
            found = b""
            for part in reply.body:
                with part.open() as file:
                    file.seek(part.offset)
                    found += file.read(part.length)
        is_json = reply.headers.get("content-type") == "application/json"
        return Answer(reply.status, json.loads(found) if is_json else found, reply.headers)

    def made(self, size: int = 5, name: str = "m", **more: Any) -> dict[str, Any]:
        """The answer to the creation of a valid model."""
        answer = self.ask("POST", self.artifacts, model(size=size, name=name, **more))
        assert answer.status == 200, answer
        made: dict[str, Any] = answer.body
        return made

    def uploaded(self, content: bytes = b"bytes", name: str = "m", **more: Any) -> str:
        """The id of a model with these bytes behind it."""
        made = self.made(len(content), name, **more)
        headers = {"x-ms-blob-type": "BlockBlob"} if made["upload_details"]["type"] == "azure" else {}
        assert self.ask("PUT", made["upload_details"]["url"], content, **headers).status in (200, 201)
        identity: str = made["artifact"]["id"]
        assert self.ask("PATCH", f"{self.artifacts}/{identity}", {"status": "uploaded"}).status == 200
        return identity

    def content(self, identity: str) -> bytes:
        """The bytes behind an artifact."""
        url = self.ask("GET", f"{self.artifacts}/{identity}/download-url").body["url"]
        answer = self.ask("GET", url)
        assert answer.status == 200, answer
        content: bytes = answer.body
        return content


def model(**more: Any) -> dict[str, Any]:
    """A body that creates a model."""
    manifest = {
        "variant": "pipeline",
        "producer_name": "test",
        "producer_version": "1",
        "producer_tags": [],
        "inputs": [{"name": "x", "content_type": "NDJSON", "dtype": "Array[float32]", "shape": ["batch", 2]}],
        "outputs": [{"name": "y", "content_type": "JSON", "dtype": "str"}],
        "dynamic_attributes": [],
        "env_vars": [],
    }
    members = ("dtypes.json", "env.json", "manifest.json", "meta.json", "ops.json", "variant_config.json")
    index = {member: [512, 2] for member in members}
    body = {"file_name": "m.luml", "name": "m", "extra_values": {}, "manifest": manifest, "file_index": index}
    return {**body, "file_hash": "h", "size": 5, **more}


def dataset(**more: Any) -> dict[str, Any]:
    """A body that creates a dataset."""
    manifest = {"artifact_type": "dataset", "variant": "tabular", "producer_name": "t", "producer_version": "1"}
    return model(manifest={**manifest, "producer_tags": [], "payload": {}}, **more)


def element(document: bytes, name: str) -> str:
    """The text of an XML element."""
    found = re.search(f"<{name}>([^<]*)</{name}>", document.decode())
    assert found, document
    return found[1].replace("&quot;", '"')


def completion(etags: list[str]) -> bytes:
    """The list of parts that completes an upload."""
    parts = (f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in enumerate(etags, 1))
    return f"<CompleteMultipartUpload>{''.join(parts)}</CompleteMultipartUpload>".encode()


def rows_of(client: RegistryClient) -> list[dict[str, Any]]:
    """Artifacts in two collections, with equal values, missing values and metrics of all kinds."""
    other = client.ask("POST", f"{client.orbit}/collections", {"name": "o", "description": "", "type": "mixed"}).body[
        "id"
    ]
    chance = random.Random(7)
    values: list[Any] = [None, 0, 1, 1, 2.5, -3, 10**30, "high", True]
    rows = []
    for number in range(37):
        metrics = {} if (value := chance.choice(values)) is None else {"F1": value}
        body = chance.choice([model, dataset])(
            name=chance.choice(["a", "B", "b", "é", "z"]),
            description=chance.choice([None, "", "x", "y"]),
            size=chance.choice([1, 2, 3]),
            extra_values=metrics,
        )
        path = client.artifacts if number % 2 else f"{client.orbit}/collections/{other}/artifacts"
        rows.append(client.ask("POST", path, body).body["artifact"])
    return rows


KEYS = {"access_key": "ours", "secret_key": "shh"}
SECRET = {"type": "s3", "endpoint": "https://s3.example", "bucket_name": "bucket", "region": "r", **KEYS}
AZURE = {"type": "azure", "endpoint": "AccountName=a;AccountKey=k", "bucket_name": "b"}
