"""Multipart uploads to the registry, request by request."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5
from pathlib import Path

from luml_lite.local.registry import Registry

from ..client import RegistryClient, element


def md5_hex(content: bytes) -> str:
    """The MD5 of some bytes in hex."""
    return md5(content, usedforsecurity=False).hexdigest()


def file_count(registry: Registry) -> int:
    """The number of stored files."""
    return sum(1 for path in Path(registry.files.root).rglob("*") if path.is_file())


class Upload:
    """An artifact that is uploaded in parts."""

    def __init__(self, client: RegistryClient, content: bytes) -> None:
        self.client = client
        self.content = content
        made = client.made(len(content))
        self.details = made["upload_details"]
        self.path = f"{client.artifacts}/{made['artifact']['id']}"
        self.id: str | None = None

    def begin(self) -> str:
        """Open the upload."""
        self.id = element(self.client.ask("POST", self.details["url"]).body, "UploadId")
        return self.id

    def parts(self) -> dict[str, object]:
        """The URLs of the parts."""
        wanted = {
            "bucket_id": self.details["bucket_secret_id"],
            "bucket_location": self.details["bucket_location"],
            "size": len(self.content),
        }
        if self.id:
            wanted["upload_id"] = self.id
        answer = self.client.ask("POST", "/v1/bucket-secrets/upload/multipart", wanted)
        assert answer.status == 200, answer
        found: dict[str, object] = answer.body
        return found

    def pieces(self) -> Iterator[tuple[str, bytes]]:
        """Each part's URL with its bytes."""
        for part in self.parts()["parts"]:  # type: ignore[attr-defined]
            yield part["url"], self.content[part["start_byte"] : part["end_byte"] + 1]

    def download(self, **headers: str) -> object:
        """Request the download URL."""
        url = self.client.ask("GET", f"{self.path}/download-url").body["url"]
        return self.client.ask("GET", url, **headers)


def block_list(*ids: str) -> bytes:
    """The list that commits these blocks."""
    return f"<BlockList>{''.join(f'<Latest>{block}</Latest>' for block in ids)}</BlockList>".encode()
