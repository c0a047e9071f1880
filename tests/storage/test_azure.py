"""The requests that commit blocks to Azure, and the recorded answers to them."""

from __future__ import annotations

import pytest

from luml_lite.core.flow import decode
from luml_lite.core.redaction import scrub
from luml_lite.core.request import FileSlice, Response
from luml_lite.drivers.attempts import error_for
from luml_lite.errors import DecodeError, StorageError
from luml_lite.storage import azure

from ..recorded_exchanges import answer
from .recorded import CASES, text


def test_azure_commits_the_ids_of_its_urls_in_order() -> None:
    """A block id is what the URL says, base64 with its plus and equals signs intact."""
    urls = [
        f"https://a.example/k?sig=s&comp=block&blockid={name}" for name in ("YmxvY2stMDAwMDAwMDE=", "a+b/", "c%2Bd%3D")
    ]
    body = FileSlice("/m", 10, 10)
    ids = ["YmxvY2stMDAwMDAwMDE=", "a+b/", "c+d="]
    assert [decode(azure.put_block(url, body), Response(201)) for url in urls] == ids
    assert azure.put_block(urls[1], body).body == body
    request = azure.commit("https://a.example/k?sig=s&comp=blocklist", dict(enumerate(ids, 1)))
    rows = "".join(f"<Latest>{name}</Latest>" for name in ids)
    assert request.body == f'<?xml version="1.0" encoding="utf-8"?><BlockList>{rows}</BlockList>'.encode()
    assert (request.method, request.repeatable) == ("PUT", True)
    assert azure.put("https://a.example/k", FileSlice("/m", 0, 5)).headers == (("x-ms-blob-type", "BlockBlob"),)
    with pytest.raises(DecodeError):
        azure.block_id("https://a.example/k?sig=s")


@pytest.mark.parametrize("case", ["az_get_blocklist_with_read_sas", "amb_block_list_after_lost"])
def test_the_uncommitted_blocks_are_read_from_a_recorded_list(case: str) -> None:
    """Ids with their sizes; the request is the download URL with the words that Azure wants."""
    exchange = CASES["azurite", case]
    request = azure.list_blocks("https://a.example/k?sig=s")
    assert request.url == "https://a.example/k?sig=s&comp=blocklist&blocklisttype=uncommitted"
    held = decode(request, answer(exchange))
    assert len(held) == text(exchange).count("<Block>") > 0
    assert all(size > 0 and f"<Name>{name}</Name>" in text(exchange) for name, size in held.items())
    assert decode(request, Response(200, {}, b"<BlockList><UncommittedBlocks/></BlockList>")) == {}


@pytest.mark.parametrize("status", [200, 202, 206])
def test_what_is_stored_is_believed_from_a_201_alone(status: int) -> None:
    """Azure says nothing else; a portal answers 200."""
    url, body = "https://a.example/k?sig=s&comp=block&blockid=eA==", FileSlice("/m", 0, 5)
    for request in (azure.put(url, body), azure.put_block(url, body), azure.commit(url, {1: "eA=="})):
        decode(request, Response(201))
        with pytest.raises(DecodeError, match=f"answered {status} instead of 201"):
            decode(request, Response(status))


def test_the_code_of_a_refused_commit_is_not_taken_for_a_secret() -> None:
    """The URL says comp=blocklist, and the upload decides by InvalidBlockList which blocks are sent again."""
    request = azure.commit("https://a.example/k?comp=blocklist&sig=SECRETSECRET", {1: "eA=="})
    error = error_for(request, Response(400, {"x-ms-error-code": "InvalidBlockList"}, b"SECRETSECRET"))
    scrub(error, request.confidential())  # type: ignore[arg-type]
    assert isinstance(error, StorageError)
    assert error.code == "InvalidBlockList"
    assert request.confidential() == ["SECRETSECRET", "SECRETSECRET"]
