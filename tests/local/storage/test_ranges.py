"""Ranges of an object."""

from __future__ import annotations

import pytest

from ..client import RegistryClient


@pytest.mark.parametrize(
    ("header", "status", "expected"),
    [
        ("bytes=0-0", 206, b"0"),
        ("bytes=3-", 206, b"3456789"),
        ("bytes=3-99", 206, b"3456789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=10-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=5-3", 200, b"0123456789"),
        ("bytes=0-1,3-4", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
        ("bytes=", 200, b"0123456789"),
        (f"bytes={10**30}-", 200, b"0123456789"),
        ("bytes=\u0663-", 200, b"0123456789"),
    ],
)
def test_a_range_gives_these_bytes(client: RegistryClient, header: str, status: int, expected: bytes | None) -> None:
    identity = client.uploaded(b"0123456789")
    url = client.ask("GET", f"{client.artifacts}/{identity}/download-url").body["url"]
    answer = client.ask("GET", url, range=header)
    assert answer.status == status
    if expected is not None:
        assert answer.body == expected
    etag = answer.headers.get("etag", "")
    assert client.ask("GET", url, range=header, if_match='"other"').status == 412
    if status != 416:
        assert client.ask("GET", url, range=header, if_match=etag).status == status
