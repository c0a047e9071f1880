"""Azure's presigned uploads: Put Blob, Put Block, Put Block List.

https://learn.microsoft.com/rest/api/storageservices/put-block-list has the limits: 50,000 blocks, 4,000 MiB a block.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from html import unescape
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from ..core.redaction import Redacted
from ..core.request import FileSlice, Pairs, Request, Response, no_content
from ..errors import DecodeError
from ..models.uploads import Part

_BLOB = (("x-ms-blob-type", "BlockBlob"),)


def put(url: str, body: FileSlice, content_md5: bytes = b"") -> Request[None]:
    """Send the whole blob; repeating it is harmless. Its MD5, if given, is compared by the storage."""
    headers = _BLOB + _content_md5(content_md5)
    return Request(method="PUT", url=url, headers=headers, body=body, presigned=True, reply=no_content)


def put_block(part: Part, path: str, content_md5: bytes = b"") -> Request[str]:
    """Send one block; the last one sent under an id counts. Its id comes back."""
    return Request(
        method="PUT",
        url=part.url,
        headers=_content_md5(content_md5),
        body=FileSlice(path, part.start, part.end - part.start),
        presigned=True,
        reply=BlockId(part.url),
    )


def _content_md5(digest: bytes) -> Pairs:
    return (("Content-MD5", b64encode(digest).decode()),) if digest else ()


class BlockId(Redacted, Struct, frozen=True):
    """A reply parser that gives the block id in the URL that was put to: Azure's answer carries none."""

    url: str

    def __call__(self, response: Response) -> str:
        return block_id(self.url)


def commit(url: str, parts: Sequence[Part]) -> Request[None]:
    """Make the blob of its blocks, in order; a shorter list would truncate it. Repeating it is harmless."""
    rows = "".join(f"<Latest>{block_id(part.url)}</Latest>" for part in parts)
    return Request(
        method="PUT",
        url=url,
        headers=(("Content-Type", "application/xml"),),
        body=f'<?xml version="1.0" encoding="utf-8"?><BlockList>{rows}</BlockList>'.encode(),
        presigned=True,
        reply=no_content,
    )


def block_id(url: str) -> str:
    """The block id that a presigned block URL is for."""
    values = parse_qs(urlsplit(url).query.replace("+", "%2B")).get("blockid")
    if not values:
        raise DecodeError("a block URL without a block id; the platform's answer is not what the protocol says")
    return values[0]


def block_list(download_url: str) -> Request[dict[str, int]]:
    """The blocks that are stored but not committed, as id to size; needs only the right to read."""
    url = f"{download_url}&comp=blocklist&blocklisttype=uncommitted"
    return Request(method="GET", url=url, presigned=True, reply=_blocks)


def _blocks(response: Response) -> dict[str, int]:
    text = response.body.decode("utf-8-sig", "replace")
    rows = re.findall(r"<Block>\s*<Name>([^<]*)</Name>\s*<Size>(\d+)</Size>", text)
    return {unescape(name): int(size) for name, size in rows}
