"""A transport that injects one fault into an exchange with a real registry, before or after the server has acted."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import Any

from msgspec import structs

from luml_lite.core.cancellation import CancelToken
from luml_lite.core.request import FileSink, FileSlice, Request, Response
from luml_lite.core.timeouts import Timeouts
from luml_lite.errors import ConnectionFailed, TimedOut

Forward = Callable[[Request[Any]], Response]


def refused(request: Request[Any], forward: Forward) -> Response:
    """Nobody listens."""
    raise ConnectionFailed("connection refused", sent=False)


def reset_before(request: Request[Any], forward: Forward) -> Response:
    """The connection breaks before the server has the request; the client cannot know."""
    raise ConnectionFailed("connection reset")


def answer_lost(request: Request[Any], forward: Forward) -> Response:
    """The server acts, and its answer never arrives."""
    forward(structs.replace(request, into=None))
    raise ConnectionFailed("connection reset")


def stalled(request: Request[Any], forward: Forward) -> Response:
    """Nothing moves for too long."""
    raise TimedOut("stalled")


def failed_500(request: Request[Any], forward: Forward) -> Response:
    """The server fails before it acts."""
    return Response(500, {"content-type": "text/plain"}, b"Internal Server Error")


def acted_500(request: Request[Any], forward: Forward) -> Response:
    """The server acts and then fails."""
    forward(structs.replace(request, into=None))
    return Response(500, {"content-type": "text/plain"}, b"Internal Server Error")


def busy_503(request: Request[Any], forward: Forward) -> Response:
    """The server is busy and says for how long."""
    return Response(503, {"retry-after": "0"}, b"<Error><Code>SlowDown</Code></Error>")


def expired_403(request: Request[Any], forward: Forward) -> Response:
    """A presigned URL is over; the platform has no such answer."""
    if not request.presigned:
        return forward(request)
    return Response(403, {}, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")


def truncated(request: Request[Any], forward: Forward) -> Response:
    """The body breaks in the middle."""
    response = forward(request)
    sink = request.into
    if sink is None or not response.received:
        raise ConnectionFailed("connection broke", received=0, headers=response.headers)
    kept = response.received // 2
    with open(sink.path, "r+b") as file:
        file.truncate(sink.offset + kept)
    raise ConnectionFailed("connection broke", received=kept, headers=response.headers)


def flipped(request: Request[Any], forward: Forward) -> Response:
    """A byte changes on its way, in either direction."""
    if isinstance(request.body, FileSlice):
        with tempfile.NamedTemporaryFile(delete=False) as other, open(request.body.path, "rb") as file:
            data = bytearray(file.read())
            data[request.body.offset] ^= 1
            other.write(data)
        try:
            response = forward(structs.replace(request, body=structs.replace(request.body, path=other.name)))
        finally:
            os.unlink(other.name)
        return structs.replace(response, sent_md5=_md5(request.body) if request.body.md5 else "")
    response = forward(request)
    if isinstance(request.into, FileSink) and response.received:
        with open(request.into.path, "r+b") as file:
            file.seek(request.into.offset)
            byte = file.read(1)[0]
            file.seek(request.into.offset)
            file.write(bytes([byte ^ 1]))
        return structs.replace(response, sha256="0" * 64 if request.into.digest else "")
    return response


def error_in_200(request: Request[Any], forward: Forward) -> Response:
    """The storage answers 200 with an error inside."""
    if not request.presigned or request.method != "POST":
        return forward(request)
    return Response(200, {}, b"<Error><Code>InternalError</Code></Error>")


def no_etag(request: Request[Any], forward: Forward) -> Response:
    """The storage stores and tells no ETag."""
    response = forward(request)
    headers = {name: value for name, value in response.headers.items() if name != "etag"}
    return structs.replace(response, headers=headers)


FAULTS = (
    refused,
    reset_before,
    answer_lost,
    stalled,
    failed_500,
    acted_500,
    busy_503,
    expired_403,
    truncated,
    flipped,
    error_in_200,
    no_etag,
)


class Faulty:
    """Forwards to another transport and injects `fault` at request number `at`, once or from there on."""

    def __init__(self, inner: Any, fault: Any = None, at: int = -1, *, lasting: bool = False) -> None:
        self.inner = inner
        self.fault = fault
        self.at = at
        self.lasting = lasting
        self.requests: list[Request[Any]] = []

    def send(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: CancelToken, on_bytes: Callable[[int], None]
    ) -> Response:
        number = len(self.requests)
        self.requests.append(request)

        def forward(what: Request[Any]) -> Response:
            return self.inner.send(what, timeouts=timeouts, stop=stop, on_bytes=on_bytes)  # type: ignore[no-any-return]

        hit = self.fault is not None and (number == self.at or (self.lasting and number > self.at))
        return self.fault(request, forward) if hit else forward(request)  # type: ignore[no-any-return]


def _md5(body: FileSlice) -> str:
    from hashlib import md5

    with open(body.path, "rb") as file:
        file.seek(body.offset)
        return md5(file.read(body.length), usedforsecurity=False).hexdigest()
