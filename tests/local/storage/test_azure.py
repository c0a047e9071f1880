"""Storage requests in Azure style: blobs, blocks and their lists."""

from __future__ import annotations

import base64
from urllib.parse import urlencode

from ..client import RegistryClient
from .uploads import Upload, block_list, file_count


def test_a_blob_is_put_whole(azure: RegistryClient) -> None:
    identity = azure.uploaded(b"whole")
    assert azure.content(identity) == b"whole"
    url = azure.made(3)["upload_details"]["url"]
    assert azure.ask("PUT", url, b"abc").headers["x-ms-error-code"] == "MissingRequiredHeader"


def test_blocks_are_listed_committed_and_committed_again(azure: RegistryClient) -> None:
    upload = Upload(azure, b"a" * 1000 + b"b" * 1000 + b"c")
    names = [base64.b64encode(b"block-%08d" % number).decode() for number in (1, 2, 3)]
    url = azure.ask("GET", f"{upload.path}/download-url").body["url"]
    pieces = list(upload.pieces())
    for piece_url, piece in pieces[:2]:
        assert azure.ask("PUT", piece_url, piece).status == 201
    listed = azure.ask("GET", f"{url}&{urlencode({'comp': 'blocklist', 'blocklisttype': 'all'})}").body.decode()
    assert listed.count("<Block>") == 2
    assert f"<Name>{names[0]}</Name><Size>1000</Size>" in listed
    complete = str(upload.parts()["complete_url"])
    missing = azure.ask("PUT", complete, block_list(*names))
    assert missing.headers["x-ms-error-code"] == "InvalidBlockList"
    assert azure.ask("GET", url).headers["x-ms-error-code"] == "BlobNotFound"
    azure.ask("PUT", *pieces[2])
    assert azure.ask("PUT", complete, block_list(*names)).status == 201
    assert azure.ask("GET", url).body == upload.content
    assert azure.ask("PUT", complete, block_list(*names)).status == 201
    assert azure.ask("GET", url).body == upload.content
    assert azure.ask("PUT", complete, block_list(names[1])).status == 201
    assert azure.ask("GET", url).body == b"b" * 1000
    assert file_count(azure.registry) == 1


def test_an_azure_single_upload_is_renewed_by_asking_for_blocks(azure: RegistryClient) -> None:
    upload = Upload(azure, b"abc")
    ((url, piece),) = upload.pieces()
    assert azure.ask("PUT", url, piece).status == 201
    name = base64.b64encode(b"block-00000001").decode()
    assert azure.ask("PUT", str(upload.parts()["complete_url"]), block_list(name)).status == 201
    assert azure.content(upload.path.rpartition("/")[2]) == b"abc"
