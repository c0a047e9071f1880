"""The S3 interface of a bucket: presigned PUT, GET, DELETE and multipart uploads of single objects.

Responses and errors are those of AWS. An ETag is the MD5 of the content or, after a multipart upload, the MD5 of the
parts' MD5s and their count. A part that is sent again replaces the earlier one. A repeated completion returns the
object that the first one created. A PUT needs a Content-Length, and `x-amz-*` headers that are not signed are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5
from html import escape, unescape
from re import search

from ..responses import HTTPError, Response
from .buckets import MAX_PARTS
from .object_index import AlreadyExists, Part
from .ranges import read_object
from .request import OCTET_STREAM, StorageRequest, VendorError, is_only_new, read_whole, receive
from .signing import check_s3

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html, in bytes
MAX_PUT = 5 * 1024**3
SMALLEST_PART = 5 * 1024**2
_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_ERRORS = {
    "AccessDenied": (403, "Request has expired"),
    "BadDigest": (400, "The Content-MD5 you specified did not match what we received."),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed object size."),
    "EntityTooSmall": (400, "Your proposed upload is smaller than the minimum allowed object size."),
    "InvalidArgument": (400, "Part number must be an integer between 1 and 10000, inclusive."),
    "InvalidDigest": (400, "The Content-MD5 you specified is not valid."),
    "InvalidPart": (400, "One or more of the specified parts could not be found or their ETag does not match."),
    "InvalidPartOrder": (400, "The list of parts was not in ascending order."),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "MalformedXML": (400, "The XML you provided was not well-formed or did not validate against our published schema."),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "NoSuchBucket": (404, "The specified bucket does not exist"),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchUpload": (404, "The specified multipart upload does not exist; it may have been aborted or completed."),
    "PreconditionFailed": (412, "At least one of the pre-conditions you specified did not hold"),
    "SignatureDoesNotMatch": (403, "The request signature we calculated does not match the signature you provided."),
}


def handle(request: StorageRequest) -> Response:
    """Answer one request for an object; an HTTPError refuses it."""
    try:
        code = check_s3(request.signer, request.method, request.host, request.path, request.query, request.moment)
        if code is None and any(name.startswith("x-amz-") for name in request.headers):
            code = "SignatureDoesNotMatch"
        if code:
            raise VendorError(code)
        return _dispatch(request, dict(request.query))
    except AlreadyExists:
        raise error("PreconditionFailed", request.key) from None
    except VendorError as refusal:
        raise error(refusal.code, request.key, refusal.headers) from None


def _dispatch(request: StorageRequest, parameters: dict[str, str]) -> Response:
    match request.method:
        case "GET" | "HEAD":
            return read_object(request, past_end_is_empty=False)
        case "PUT" if "uploadId" in parameters:
            return _put_part(request, parameters["uploadId"], parameters.get("partNumber", ""))
        case "PUT":
            return _put(request)
        case "POST" if "uploads" in parameters:
            upload_id = request.objects.begin_upload(request.name)
            where = f"<Bucket>{request.bucket}</Bucket><Key>{escape(request.key)}</Key>"
            content = f"{where}<UploadId>{upload_id}</UploadId>"
            return _xml(200, f"<InitiateMultipartUploadResult {_NAMESPACE}>{content}</InitiateMultipartUploadResult>")
        case "POST" if "uploadId" in parameters:
            return _complete(request, parameters["uploadId"])
        case "DELETE" if "uploadId" in parameters:
            if not request.objects.abort_upload(request.name, parameters["uploadId"]):
                raise VendorError("NoSuchUpload")
            return Response(204)
        case "DELETE":
            request.objects.delete(request.name)
            return Response(204)
    raise VendorError("MethodNotAllowed")


def error(code: str, key: str, headers: dict[str, str] | None = None) -> HTTPError:
    """The error response of AWS for a code of _ERRORS."""
    status, message = _ERRORS[code]
    fields = f"<Code>{code}</Code><Message>{message}</Message><Key>{escape(key)}</Key>"
    return HTTPError(_xml(status, f"<Error>{fields}</Error>", headers))


def _xml(status: int, document: str, headers: dict[str, str] | None = None) -> Response:
    content = f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode()
    return Response(status, {"content-type": "application/xml", **(headers or {})}, content)


def _put(request: StorageRequest) -> Response:
    only_new = is_only_new(request)
    stored = receive(request, MAX_PUT)
    content_type = request.headers.get("content-type", OCTET_STREAM)
    blob = request.objects.put(request.name, stored, f'"{stored.md5.hex()}"', content_type, only_new=only_new)
    return Response(200, {"etag": blob.etag})


def _put_part(request: StorageRequest, upload_id: str, number: str) -> Response:
    if not (number.isascii() and number.isdigit() and len(number) < 6 and 1 <= int(number) <= MAX_PARTS):
        raise VendorError("InvalidArgument")
    if not request.objects.has_upload(request.name, upload_id):
        raise VendorError("NoSuchUpload")
    stored = receive(request, MAX_PUT)
    if not request.objects.add_part(request.name, upload_id, int(number), stored):
        raise VendorError("NoSuchUpload")
    return Response(200, {"etag": f'"{stored.md5.hex()}"'})


def _complete(request: StorageRequest, upload_id: str) -> Response:
    listed = _listed_parts(read_whole(request.body).decode("utf-8", "replace"))
    if not listed:
        raise VendorError("MalformedXML")
    numbers = [number for number, _ in listed]
    if numbers != sorted(set(numbers)):
        raise VendorError("InvalidPartOrder")

    def choose(parts: list[Part], _: list[Part]) -> tuple[Sequence[Part], str, str | None]:
        by_number = {part.name: part for part in parts}
        chosen = [part for number, etag in listed if (part := by_number.get(number)) and part.md5.hex() == etag]
        if len(chosen) != len(listed):
            raise VendorError("InvalidPart")
        if any(part.size < request.smallest_part for part in chosen[:-1]):
            raise VendorError("EntityTooSmall")
        digest = md5(b"".join(part.md5 for part in chosen), usedforsecurity=False).hexdigest()
        return chosen, f'"{digest}-{len(chosen)}"', None

    # The index checks this, since a repeated completion must succeed although the object exists.
    only_new = request.headers.get("if-none-match") == "*"
    blob = request.objects.assemble(request.name, upload_id, choose, OCTET_STREAM, only_new=only_new)
    blob = blob or request.objects.find(request.name)  # which an earlier completion of the upload may have created
    if blob is None or blob.upload_id != upload_id:
        raise VendorError("NoSuchUpload")
    fields = (
        f"<Location>{escape(request.url)}</Location><Bucket>{request.bucket}</Bucket>"
        f"<Key>{escape(request.key)}</Key><ETag>{escape(blob.etag)}</ETag>"
    )
    return _xml(200, f"<CompleteMultipartUploadResult {_NAMESPACE}>{fields}</CompleteMultipartUploadResult>")


def _listed_parts(document: str) -> list[tuple[int, str]]:
    """Numbers and ETags of the parts in a CompleteMultipartUpload; an empty list if it is malformed.

    The document is flat, so it is split and not parsed: an XML parser would expand entities.
    """
    listed = []
    for piece in document.split("<Part>")[1:]:
        part = piece.partition("</Part>")[0]
        number = search(r"<PartNumber>\s*(\d{1,5})\s*</PartNumber>", part)
        etag = search(r"<ETag>([^<]*)</ETag>", part)
        if not number or not etag:
            return []
        listed.append((int(number[1]), unescape(etag[1]).strip().strip('"')))
    return listed
