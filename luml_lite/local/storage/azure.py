"""The Azure face of a bucket: blobs, blocks and block lists under a SAS.

As Azurite was seen to answer: a block sent twice counts once, a missing block refuses the list and loses nothing, a
repeated list is 201, and a range that starts at the end is empty and not an error.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import md5
from html import escape, unescape
from re import finditer
from secrets import randbits

from ..responses import HTTPError, Response
from .object_index import AlreadyExists, Part, upload_of
from .ranges import read_object
from .request import StorageRequest, is_only_new, md5_header, read_whole, receive
from .signing import check_azure

MAX_BLOCK = 4000 * 1024**2  # https://learn.microsoft.com/rest/api/storageservices/put-block#remarks
MAX_BLOCKS = 50_000

_ERRORS = {
    "AuthorizationFailure": (403, "Server failed to authenticate the request."),
    "AuthorizationPermissionMismatch": (403, "This request is not authorized to do this using this permission."),
    "BlobAlreadyExists": (409, "The specified blob already exists."),
    "ConditionNotMet": (412, "The condition specified using HTTP conditional header(s) is not met."),
    "BlobNotFound": (404, "The specified blob does not exist."),
    "ContainerNotFound": (404, "The specified container does not exist."),
    "InvalidBlockId": (400, "The specified block ID is invalid. The block ID must be Base64-encoded."),
    "InvalidBlockList": (400, "The specified block list is invalid."),
    "InvalidHeaderValue": (400, "The value for one of the HTTP headers is not in the correct format."),
    "InvalidOperation": (400, "Provided contentMD5 doesn't match."),
    "InvalidRange": (416, "The range specified is invalid for the current size of the resource."),
    "MissingContentLengthHeader": (411, "Content-Length header is required."),
    "MissingRequiredHeader": (400, "An HTTP header that's mandatory for this request is not specified."),
    "RequestBodyTooLarge": (413, "The request body is too large and exceeds the maximum permissible limit."),
    "UnsupportedHttpVerb": (405, "The resource doesn't support the specified HTTP verb."),
}
_PERMISSION = {"GET": "r", "HEAD": "r", "PUT": "cw", "DELETE": "d"}
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_PLAIN = "application/octet-stream"
_ALIASES = {
    "BadDigest": "InvalidOperation",
    "EntityTooLarge": "RequestBodyTooLarge",
    "InvalidDigest": "InvalidHeaderValue",
    "MissingContentLength": "MissingContentLengthHeader",
    "NoSuchKey": "BlobNotFound",
    "PreconditionFailed": "ConditionNotMet",
}


def handle(request: StorageRequest) -> Response:
    """Answer one request for a blob."""
    needed = _PERMISSION.get(request.method)
    if needed is None:
        raise error("UnsupportedHttpVerb", request.key)
    fault = check_azure(request.signer, needed, request.path, request.query, request.moment)
    if fault:
        raise error(fault, request.key)
    try:
        return _authorize(request, dict(request.query))
    except AlreadyExists:
        raise error("BlobAlreadyExists", request.key) from None


def _authorize(request: StorageRequest, named: dict[str, str]) -> Response:
    match request.method, named.get("comp"):
        case "GET" | "HEAD", None:
            return _get(request)
        case "GET", "blocklist":
            return _block_list(request, named.get("blocklisttype", "committed").lower())
        case "PUT", None:
            return _put(request)
        case "PUT", "block":
            return _put_block(request, named.get("blockid", ""))
        case "PUT", "blocklist":
            return _commit(request)
        case "DELETE", None:
            if not request.blobs.delete(request.bucket, request.key):
                raise error("BlobNotFound", request.key)
            return Response(202)
    raise error("UnsupportedHttpVerb", request.key)


def error(code: str, key: str, headers: dict[str, str] | None = None) -> HTTPError:
    """The XML and the header that refuse a request."""
    code = _ALIASES.get(code, code)
    status, message = _ERRORS[code]
    head = {"content-type": "application/xml", "x-ms-error-code": code, **(headers or {})}
    return HTTPError(
        Response(status, head, f"{_XML}<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())
    )


def _get(request: StorageRequest) -> Response:
    blob = request.blobs.find(request.bucket, request.key)
    more = {"x-ms-blob-type": "BlockBlob"}
    ranged = "range" in request.headers or "x-ms-range" in request.headers
    if blob is not None and blob.md5 and not ranged:
        more["content-md5"] = b64encode(bytes.fromhex(blob.md5)).decode()
    return read_object(request, error, past_end_is_empty=True, more=more)


def _put(request: StorageRequest) -> Response:
    if request.headers.get("x-ms-blob-type", "").lower() != "blockblob":
        raise error("MissingRequiredHeader", request.key)
    new = is_only_new(request)
    stored = receive(request, MAX_BLOCK, error)
    kind = request.headers.get("x-ms-blob-content-type") or request.headers.get("content-type") or _PLAIN
    blob = request.blobs.put(request.bucket, request.key, stored, _etag(), kind, only_new=new)
    return Response(201, {"etag": blob.etag, "content-md5": b64encode(stored.md5).decode()})


def _put_block(request: StorageRequest, block_id: str) -> Response:
    try:
        if not 0 < len(b64decode(block_id, validate=True)) <= 64:
            raise ValueError
    except ValueError:
        raise error("InvalidBlockId", request.key) from None
    stored = receive(request, MAX_BLOCK, error)
    upload_id = upload_of(request.bucket, request.key)
    request.blobs.add_part(request.bucket, request.key, upload_id, block_id, stored, opening=True)
    return Response(201)


def _block_list(request: StorageRequest, kind: str) -> Response:
    blob = request.blobs.find(request.bucket, request.key)
    upload_id = upload_of(request.bucket, request.key)
    if blob is None and not request.blobs.has_upload(request.bucket, request.key, upload_id):
        raise error("BlobNotFound", request.key)
    committed = request.blobs.committed(request.bucket, request.key) if kind in ("committed", "all") else []
    uncommitted = request.blobs.parts(upload_id) if kind in ("uncommitted", "all") else []
    document = "".join(
        (
            _XML,
            "<BlockList>",
            _blocks("CommittedBlocks", committed),
            _blocks("UncommittedBlocks", uncommitted),
            "</BlockList>",
        )
    )
    headers = {"content-type": "application/xml"}
    if blob is not None:
        headers["etag"] = blob.etag
    return Response(200, headers, document.encode())


def _blocks(name: str, parts: Sequence[Part]) -> str:
    if not parts:
        return f"<{name}/>"
    blocks = (f"<Block><Name>{escape(part.name)}</Name><Size>{part.size}</Size></Block>" for part in parts)
    return f"<{name}>{''.join(blocks)}</{name}>"


def _commit(request: StorageRequest) -> Response:
    document = read_whole(request.body)
    wanted = md5_header(request, "content-md5", error)
    digest = md5(document, usedforsecurity=False).digest()
    if wanted is not None and wanted != digest:
        raise error("InvalidOperation", request.key)
    text = document.decode("utf-8", "replace")
    if "<BlockList" not in text:
        raise error("InvalidBlockList", request.key)
    listed = [(found[1], unescape(found[2])) for found in finditer(r"<(Latest|Committed|Uncommitted)>([^<]*)</", text)]
    if len(listed) > MAX_BLOCKS:
        raise error("InvalidBlockList", request.key)
    said = md5_header(request, "x-ms-blob-content-md5", error)

    def choose(parts: list[Part], segments: list[Part]) -> tuple[Sequence[Part], str, str | None]:
        fresh, old = ({part.name: part for part in some} for some in (parts, segments))
        sources = {"Latest": {**old, **fresh}, "Committed": old, "Uncommitted": fresh}
        try:
            chosen = [sources[where][name] for where, name in listed]
        except KeyError:
            raise error("InvalidBlockList", request.key) from None
        if len({part.file for part in chosen}) != len(chosen):
            raise error("InvalidBlockList", request.key)  # a block twice in one blob: no file is shared
        return chosen, _etag(), said.hex() if said else None

    new = is_only_new(request)
    kind = request.headers.get("x-ms-blob-content-type", _PLAIN)
    upload_id = upload_of(request.bucket, request.key)
    blob = request.blobs.assemble(request.bucket, request.key, upload_id, choose, kind, only_new=new, opening=True)
    return Response(201, {"etag": blob.etag if blob else "", "content-md5": b64encode(digest).decode()})


def _etag() -> str:
    return f'"0x{randbits(60):015X}"'
