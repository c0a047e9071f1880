"""Presigned uploads to Azure: Put Blob, Put Block, Put Block List.

Limits, 50,000 blocks of 4,000 MiB: https://learn.microsoft.com/rest/api/storageservices/put-block-list
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from html import unescape
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct, structs

from ..core.request import FileSlice, Request, Response
from ..errors import DecodeError
from .presigned import LIMIT, XML

T = TypeVar("T")


def put(url: str, body: FileSlice) -> Request[str]:
    """Send the whole blob; repeating this is harmless."""
    headers = (("x-ms-blob-type", "BlockBlob"),)
    return Request(method="PUT", url=url, headers=headers, body=body, presigned=True, reply=Created(), limit=LIMIT)


def put_block(url: str, body: FileSlice) -> Request[str]:
    """Send one block and return its id; Azure keeps the last block that was sent under an id."""
    return Request(method="PUT", url=url, body=body, presigned=True, reply=Created(block_id(url)), limit=LIMIT)


def add_md5(request: Request[T], digest: bytes) -> Request[T]:
    """Add the MD5 of the body, so that Azure refuses other bytes; its answers carry no MD5 to compare."""
    return structs.replace(request, headers=(*request.headers, ("Content-MD5", b64encode(digest).decode())))


class Created(Struct, frozen=True):
    """A reply parser: the id of the block that was sent, which Azure does not repeat, or the ETag of the blob."""

    id: str = ""

    def __call__(self, response: Response) -> str:
        if response.status != 201:
            raise DecodeError(f"the storage answered {response.status} instead of 201; is there a proxy between?")
        return self.id or response.header("etag").strip('"')


def commit(url: str, ids: Mapping[int, str]) -> Request[str]:
    """Make the blob from its blocks; `ids` has all part numbers, ascending. Repeating this is harmless."""
    rows = "".join(f"<Latest>{each}</Latest>" for each in ids.values())
    body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{rows}</BlockList>'.encode()
    return Request(method="PUT", url=url, headers=XML, body=body, presigned=True, reply=Created(), limit=LIMIT)


def block_id(url: str) -> str:
    """The block id in a presigned block URL."""
    values = parse_qs(urlsplit(url).query.replace("+", "%2B")).get("blockid")
    if not values:
        raise DecodeError("the platform gave a URL for a block without a block id")
    return values[0]


def list_blocks(download_url: str) -> Request[dict[str, int]]:
    """The blocks that are stored but not committed, as id to size; the right to read is enough."""
    url = f"{download_url}&comp=blocklist&blocklisttype=uncommitted"
    return Request(method="GET", url=url, presigned=True, reply=_blocks, limit=8 * LIMIT)


def _blocks(response: Response) -> dict[str, int]:
    text = response.body.decode("utf-8-sig", "replace")
    rows = re.findall(r"<Block>\s*<Name>([^<]*)</Name>\s*<Size>([0-9]{1,19})</Size>", text)
    return {unescape(name): int(size) for name, size in rows}
