"""Sequences of storage requests: uploads in parts and blocks, replaced objects and their readers, expired URLs."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from urllib.parse import urlencode

import pytest

from luml_lite.local.registry import Registry
from luml_lite.local.responses import Bytes
from luml_lite.local.storage.buckets import Layout
from luml_lite.local.storage.object_index import ObjectName

from ..client import BASE, Desk, completion, element, model


def digest(content: bytes) -> str:
    """The MD5 of some bytes in hex."""
    return md5(content, usedforsecurity=False).hexdigest()


def files(registry: Registry) -> int:
    """The number of stored files."""
    return sum(1 for path in Path(registry.objects.root).rglob("*") if path.is_file())


class Upload:
    """An artifact that is uploaded in parts."""

    def __init__(self, desk: Desk, content: bytes) -> None:
        self.desk = desk
        self.content = content
        made = desk.made(len(content))
        self.details = made["upload_details"]
        self.path = f"{desk.artifacts}/{made['artifact']['id']}"
        self.id: str | None = None

    def begin(self) -> str:
        """Open the upload."""
        self.id = element(self.desk.ask("POST", self.details["url"]).body, "UploadId")
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
        answer = self.desk.ask("POST", "/v1/bucket-secrets/upload/multipart", wanted)
        assert answer.status == 200, answer
        found: dict[str, object] = answer.body
        return found

    def pieces(self) -> Iterator[tuple[str, bytes]]:
        """Each part's URL with its bytes."""
        for part in self.parts()["parts"]:  # type: ignore[attr-defined]
            yield part["url"], self.content[part["start_byte"] : part["end_byte"] + 1]

    def download(self, **headers: str) -> object:
        """Request the download URL."""
        url = self.desk.ask("GET", f"{self.path}/download-url").body["url"]
        return self.desk.ask("GET", url, **headers)


@pytest.fixture
def upload(desk: Desk) -> Upload:
    """An upload in three parts."""
    return Upload(desk, b"a" * 1000 + b"b" * 1000 + b"c" * 500)


def test_a_completion_joins_the_parts_and_can_be_repeated(desk: Desk, upload: Upload) -> None:
    upload.begin()
    sent = [(desk.ask("PUT", url, piece), piece) for url, piece in upload.pieces()]
    etags = [answer.headers["etag"] for answer, _ in sent]
    assert etags == [f'"{digest(piece)}"' for _, piece in sent]
    complete = str(upload.parts()["complete_url"])
    first = desk.ask("POST", complete, completion(etags))
    joined = b"".join(bytes.fromhex(digest(piece)) for _, piece in sent)
    assert element(first.body, "ETag") == f'"{digest(joined)}-3"'
    assert desk.ask("POST", complete, completion(etags)).body == first.body
    assert upload.download().body == upload.content  # type: ignore[attr-defined]
    assert files(desk.registry) == 3


def test_an_incomplete_or_wrong_list_of_parts_is_refused_and_loses_nothing(desk: Desk, upload: Upload) -> None:
    upload.begin()
    complete = str(upload.parts()["complete_url"])
    etags = [desk.ask("PUT", url, piece).headers["etag"] for url, piece in upload.pieces()]
    for listed, code in (
        (completion([*etags[:2], '"0"']), "InvalidPart"),
        (completion([*etags, etags[0]]), "InvalidPart"),
        (completion([]), "MalformedXML"),
        (b"<CompleteMultipartUpload>", "MalformedXML"),
        (completion(etags).replace(b"<PartNumber>1<", b"<PartNumber>3<"), "InvalidPartOrder"),
    ):
        answer = desk.ask("POST", complete, listed)
        assert (answer.status, element(answer.body, "Code")) == (400, code)
    assert desk.ask("POST", complete, completion(etags)).status == 200


def test_a_part_sent_again_replaces_the_earlier_one(desk: Desk, upload: Upload) -> None:
    upload.begin()
    etags = [desk.ask("PUT", url, piece).headers["etag"] for url, piece in upload.pieces()]
    url = next(upload.pieces())[0]
    again = desk.ask("PUT", url, b"z" * 1000).headers["etag"]
    complete = str(upload.parts()["complete_url"])
    assert element(desk.ask("POST", complete, completion(etags)).body, "Code") == "InvalidPart"
    assert desk.ask("POST", complete, completion([again, *etags[1:]])).status == 200
    assert files(desk.registry) == 3


def test_small_parts_are_refused_but_for_the_last(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "r", layout=Layout(1000, None))
    desk = Desk(registry)
    upload = Upload(desk, b"x" * 1001)
    upload.begin()
    complete = str(upload.parts()["complete_url"])
    url = next(upload.pieces())[0]
    first = desk.ask("PUT", url, b"x")
    second_key = upload.details["bucket_location"]
    stored = registry.objects.receive(Bytes(b"y"), lambda _: None)
    registry.blobs.add_part(ObjectName(upload.details["bucket_secret_id"], second_key), str(upload.id), 2, stored)
    answer = desk.ask("POST", complete, completion([first.headers["etag"], digest(b"y")]))
    assert element(answer.body, "Code") == "EntityTooSmall"
    registry.close()


def test_an_aborted_upload_is_gone_with_its_parts(desk: Desk, upload: Upload) -> None:
    upload_id = upload.begin()
    for url, piece in upload.pieces():
        desk.ask("PUT", url, piece)
    bucket = desk.registry.names.bucket_secret
    assert desk.registry.blobs.abort_upload(ObjectName(bucket, upload.details["bucket_location"]), upload_id)
    assert files(desk.registry) == 0
    answer = desk.ask("PUT", next(upload.pieces())[0], b"x")
    assert (answer.status, element(answer.body, "Code")) == (404, "NoSuchUpload")


def test_an_object_of_the_same_key_is_replaced_and_its_readers_keep_the_old_one(desk: Desk) -> None:
    url = desk.made(3)["upload_details"]["url"]
    desk.ask("PUT", url, b"old")
    identity = desk.ask("GET", f"{desk.orbit}/artifacts").body["items"][0]["id"]
    read = desk.ask("GET", f"{desk.artifacts}/{identity}/download-url").body["url"]
    reply = desk.registry.handle("GET", read.removeprefix(BASE), {}, Bytes(), BASE)
    assert not isinstance(reply.body, bytes)
    desk.ask("PUT", url, b"newer")
    assert reply.body[0].open().read() == b"old"
    reply.close()
    assert desk.ask("GET", read).body == b"newer"
    assert files(desk.registry) == 1


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
def test_a_range_gives_these_bytes(desk: Desk, header: str, status: int, expected: bytes | None) -> None:
    identity = desk.uploaded(b"0123456789")
    url = desk.ask("GET", f"{desk.artifacts}/{identity}/download-url").body["url"]
    answer = desk.ask("GET", url, range=header)
    assert answer.status == status
    if expected is not None:
        assert answer.body == expected
    etag = answer.headers.get("etag", "")
    assert desk.ask("GET", url, range=header, if_match='"other"').status == 412
    if status != 416:
        assert desk.ask("GET", url, range=header, if_match=etag).status == status


def test_a_body_with_another_digest_is_not_kept(desk: Desk) -> None:
    url = desk.made(3)["upload_details"]["url"]
    right = base64.b64encode(bytes.fromhex(digest(b"abc"))).decode()
    assert desk.ask("PUT", url, b"abd", content_md5=right).status == 400
    assert element(desk.ask("PUT", url, b"abc", content_md5="nonsense").body, "Code") == "InvalidDigest"
    assert files(desk.registry) == 0
    assert desk.ask("PUT", url, b"abc", content_md5=right).status == 200


def test_a_url_works_for_its_time_its_method_and_its_object_only(tmp_path: Path) -> None:
    clock = [1_800_000_000.0]
    registry = Registry(tmp_path / "r", lifetime=60, clock=lambda: clock[0])
    desk = Desk(registry)
    url = desk.made(3)["upload_details"]["url"]
    assert desk.ask("GET", url).status == 403
    assert desk.ask("PUT", url.replace("m.luml", "n.luml"), b"abc").status == 403
    assert desk.ask("PUT", url.replace("Expires=60", "Expires=600"), b"abc").status == 403
    assert desk.ask("PUT", url, b"abc", x_amz_acl="public-read").status == 403
    assert desk.ask("PUT", url, b"abc").status == 200
    clock[0] += 59
    assert desk.ask("PUT", url, b"abc").status == 200
    clock[0] += 1
    answer = desk.ask("PUT", url, b"abc")
    assert (answer.status, element(answer.body, "Code")) == (403, "AccessDenied")
    registry.close()


@pytest.fixture
def azure(desk: Desk) -> Desk:
    """A client in an orbit with an Azure bucket."""
    secret = {"type": "azure", "endpoint": "AccountName=a;AccountKey=k", "bucket_name": "b"}
    made = desk.ask("POST", f"{desk.organization}/bucket-secrets", secret).body["id"]
    orbit = desk.ask("POST", f"{desk.organization}/orbits", {"name": "o", "bucket_secret_id": made}).body["id"]
    desk.orbit = f"{desk.organization}/orbits/{orbit}"
    body = {"name": "c", "description": "", "type": "mixed"}
    collection = desk.ask("POST", f"{desk.orbit}/collections", body).body["id"]
    desk.collection = f"{desk.orbit}/collections/{collection}"
    desk.artifacts = f"{desk.collection}/artifacts"
    return desk


def blocks(*ids: str) -> bytes:
    """The list that commits these blocks."""
    return f"<BlockList>{''.join(f'<Latest>{block}</Latest>' for block in ids)}</BlockList>".encode()


def test_a_blob_is_put_whole(azure: Desk) -> None:
    identity = azure.uploaded(b"whole")
    assert azure.content(identity) == b"whole"
    url = azure.made(3)["upload_details"]["url"]
    assert azure.ask("PUT", url, b"abc").headers["x-ms-error-code"] == "MissingRequiredHeader"


def test_blocks_are_listed_committed_and_committed_again(azure: Desk) -> None:
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
    missing = azure.ask("PUT", complete, blocks(*names))
    assert missing.headers["x-ms-error-code"] == "InvalidBlockList"
    assert azure.ask("GET", url).headers["x-ms-error-code"] == "BlobNotFound"
    azure.ask("PUT", *pieces[2])
    assert azure.ask("PUT", complete, blocks(*names)).status == 201
    assert azure.ask("GET", url).body == upload.content
    assert azure.ask("PUT", complete, blocks(*names)).status == 201
    assert azure.ask("GET", url).body == upload.content
    assert azure.ask("PUT", complete, blocks(names[1])).status == 201
    assert azure.ask("GET", url).body == b"b" * 1000
    assert files(azure.registry) == 1


def test_a_blob_url_works_for_its_time_and_its_permission_only(tmp_path: Path, azure: Desk) -> None:
    upload = Upload(azure, b"x" * 3)
    url = str(upload.details["url"])
    assert azure.ask("GET", url).headers["x-ms-error-code"] == "AuthorizationPermissionMismatch"
    assert azure.ask("PUT", url.replace("sp=cw", "sp=r"), b"abc").headers["x-ms-error-code"] == "AuthorizationFailure"
    later = Registry(azure.registry.path, clock=lambda: 4_000_000_000.0)
    assert Desk(later).ask("PUT", url, b"abc", x_ms_blob_type="BlockBlob").status == 403
    later.close()


def test_an_azure_single_upload_is_renewed_by_asking_for_blocks(azure: Desk) -> None:
    upload = Upload(azure, b"abc")
    ((url, piece),) = upload.pieces()
    assert azure.ask("PUT", url, piece).status == 201
    name = base64.b64encode(b"block-00000001").decode()
    assert azure.ask("PUT", str(upload.parts()["complete_url"]), blocks(name)).status == 201
    assert azure.content(upload.path.rpartition("/")[2]) == b"abc"


def test_uploads_are_split_as_on_the_platform(tmp_path: Path) -> None:
    """Uploads above 524,288,000 bytes are split into parts, whose size grows with the upload."""
    registry = Registry(tmp_path / "r")
    desk = Desk(registry)
    for size, multipart in ((524_288_000, False), (524_288_001, True)):
        assert desk.ask("POST", desk.artifacts, model(size=size)).body["upload_details"]["multipart"] is multipart
    GiB = 1024**3
    for size, part in ((GiB, 32), (GiB + 1, 64), (5 * GiB + 1, 128), (10 * GiB + 1, 512), (100 * GiB + 1, 1024)):
        wanted = {"bucket_id": registry.names.bucket_secret, "bucket_location": "k", "size": size, "upload_id": "u"}
        parts = desk.ask("POST", "/v1/bucket-secrets/upload/multipart", wanted).body["parts"]
        assert parts[0]["part_size"] == part * 1024**2
        assert parts[-1]["end_byte"] == size - 1
        assert sum(each["part_size"] for each in parts) == size
    registry.close()
