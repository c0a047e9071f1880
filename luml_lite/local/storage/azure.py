"""The Azure interface of a bucket: blobs, blocks and block lists, authorized by a SAS.

Responses are those that Azurite was observed to give. A block that is sent again replaces the earlier one. A list that
names a missing block is refused and changes nothing, and a repeated list is 201. A range that starts at the end is
empty.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import md5
from html import escape, unescape
from re import finditer
from secrets import randbits

from ..responses import HTTPError, Response
from .object_index import AlreadyExists, Part, StoredObject, block_upload_id
from .ranges import read_object
from .request import OCTET_STREAM, StorageRequest, VendorError, is_only_new, md5_header, read_whole, receive
from .signing import check_azure

MAX_BLOCK = 4000 * 1024**2  # bytes: https://learn.microsoft.com/rest/api/storageservices/put-block#remarks
MAX_BLOCK_ID = 64  # bytes, decoded: https://learn.microsoft.com/rest/api/storageservices/put-block#uri-parameters
MAX_BLOCKS = 50_000  # https://learn.microsoft.com/rest/api/storageservices/put-block-list#remarks

# https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
_ERRORS = {
    "AuthorizationFailure": (403, "Server failed to authenticate the request."),
    "AuthorizationPermissionMismatch": (403, "This request is not authorized to do this using this permission."),
    "BlobAlreadyExists": (409, "The specified blob already exists."),
    "ConditionNotMet": (412, "The condition specified using HTTP conditional header(s) is not met."),
    "BlobNotFound": (404, "The specified blob does not exist."),
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
_PERMISSIONS = {"GET": "r", "HEAD": "r", "PUT": "cw", "DELETE": "d"}
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_ALIASES = {  # the codes of S3, which both vendors share, and those of Azure
    "BadDigest": "InvalidOperation",
    "EntityTooLarge": "RequestBodyTooLarge",
    "InvalidDigest": "InvalidHeaderValue",
    "MissingContentLength": "MissingContentLengthHeader",
    "NoSuchKey": "BlobNotFound",
    "PreconditionFailed": "ConditionNotMet",
}


def handle(request: StorageRequest) -> Response:
    """Answer one request for a blob; an HTTPError refuses it."""
    try:
        needed = _PERMISSIONS.get(request.method)
        if needed is None:
            raise VendorError("UnsupportedHttpVerb")
        code = check_azure(request.signer, needed, request.path, request.query, request.moment)
        if code:
            raise VendorError(code)
        return _dispatch(request, dict(request.query))
    except AlreadyExists:
        raise _error("BlobAlreadyExists") from None
    except VendorError as refusal:
        raise _error(refusal.code, refusal.headers) from None


def _dispatch(request: StorageRequest, parameters: dict[str, str]) -> Response:
    match request.method, parameters.get("comp"):
        case "GET" | "HEAD", None:
            return _get(request)
        case "GET", "blocklist":
            return _block_list(request, parameters.get("blocklisttype", "committed").lower())
        case "PUT", None:
            return _put(request)
        case "PUT", "block":
            return _put_block(request, parameters.get("blockid", ""))
        case "PUT", "blocklist":
            return _commit(request)
        case "DELETE", None:
            if not request.objects.delete(request.name):
                raise VendorError("BlobNotFound")
            return Response(202)
    raise VendorError("UnsupportedHttpVerb")


def _error(code: str, headers: dict[str, str] | None = None) -> HTTPError:
    """The error response of Azure for a code of _ERRORS, or the code of S3 for the same error."""
    code = _ALIASES.get(code, code)
    status, message = _ERRORS[code]
    headers = {"content-type": "application/xml", "x-ms-error-code": code, **(headers or {})}
    content = f"{_XML}<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return HTTPError(Response(status, headers, content))


def _get(request: StorageRequest) -> Response:
    has_range = "range" in request.headers or "x-ms-range" in request.headers

    def headers_of(blob: StoredObject) -> dict[str, str]:
        digest = {"content-md5": b64encode(bytes.fromhex(blob.md5)).decode()} if blob.md5 and not has_range else {}
        return {"x-ms-blob-type": "BlockBlob", **digest}

    return read_object(request, past_end_is_empty=True, headers_of=headers_of)


def _put(request: StorageRequest) -> Response:
    if request.headers.get("x-ms-blob-type", "").lower() != "blockblob":
        raise VendorError("MissingRequiredHeader")
    only_new = is_only_new(request)
    stored = receive(request, MAX_BLOCK)
    headers = request.headers
    content_type = headers.get("x-ms-blob-content-type") or headers.get("content-type") or OCTET_STREAM
    blob = request.objects.put(request.name, stored, _etag(), content_type, only_new=only_new)
    return Response(201, {"etag": blob.etag, "content-md5": b64encode(stored.md5).decode()})


def _put_block(request: StorageRequest, block_id: str) -> Response:
    try:
        if not 0 < len(b64decode(block_id, validate=True)) <= MAX_BLOCK_ID:
            raise ValueError
    except ValueError:
        raise VendorError("InvalidBlockId") from None
    stored = receive(request, MAX_BLOCK)
    request.objects.add_part(request.name, block_upload_id(request.name), block_id, stored, opening=True)
    return Response(201)


def _block_list(request: StorageRequest, kind: str) -> Response:
    name, upload_id = request.name, block_upload_id(request.name)
    blob = request.objects.find(name)
    if blob is None and not request.objects.has_upload(name, upload_id):
        raise VendorError("BlobNotFound")
    committed = request.objects.committed_parts(name) if kind in ("committed", "all") else []
    uncommitted = request.objects.parts(upload_id) if kind in ("uncommitted", "all") else []
    blocks = _blocks("CommittedBlocks", committed) + _blocks("UncommittedBlocks", uncommitted)
    headers = {"content-type": "application/xml"}
    if blob is not None:
        headers["etag"] = blob.etag
    return Response(200, headers, f"{_XML}<BlockList>{blocks}</BlockList>".encode())


def _blocks(name: str, parts: Sequence[Part]) -> str:
    if not parts:
        return f"<{name}/>"
    blocks = (f"<Block><Name>{escape(part.name)}</Name><Size>{part.size}</Size></Block>" for part in parts)
    return f"<{name}>{''.join(blocks)}</{name}>"


def _commit(request: StorageRequest) -> Response:
    document = read_whole(request.body)
    expected = md5_header(request, "content-md5")
    digest = md5(document, usedforsecurity=False).digest()
    if expected not in (None, digest):
        raise VendorError("InvalidOperation")
    listed = _listed_blocks(document.decode("utf-8", "replace"))
    if listed is None:
        raise VendorError("InvalidBlockList")
    blob_md5 = md5_header(request, "x-ms-blob-content-md5")

    def choose(uncommitted: list[Part], committed: list[Part]) -> tuple[Sequence[Part], str, str | None]:
        new, old = ({part.name: part for part in parts} for parts in (uncommitted, committed))
        sources = {"Latest": {**old, **new}, "Committed": old, "Uncommitted": new}
        try:
            chosen = [sources[source][name] for source, name in listed]
        except KeyError:
            raise VendorError("InvalidBlockList") from None
        # Each file belongs to one segment, so a block cannot be in a blob twice.
        if len({part.file for part in chosen}) != len(chosen):
            raise VendorError("InvalidBlockList")
        return chosen, _etag(), blob_md5.hex() if blob_md5 else None

    only_new = is_only_new(request)
    content_type = request.headers.get("x-ms-blob-content-type", OCTET_STREAM)
    upload_id = block_upload_id(request.name)
    blob = request.objects.assemble(request.name, upload_id, choose, content_type, only_new=only_new, opening=True)
    return Response(201, {"etag": blob.etag if blob else "", "content-md5": b64encode(digest).decode()})


def _listed_blocks(document: str) -> list[tuple[str, str]] | None:
    """Source and id of each block in a block list; None if it is malformed or too long."""
    if "<BlockList" not in document:
        return None
    blocks = finditer(r"<(Latest|Committed|Uncommitted)>([^<]*)</", document)
    listed = [(block[1], unescape(block[2])) for block in blocks]
    return listed if len(listed) <= MAX_BLOCKS else None


def _etag() -> str:
    return f'"0x{randbits(60):015X}"'
