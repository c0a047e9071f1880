"""The in-process face: a transport whose requests reach the registry by a function call.

It is pickled as its path and options, and opens the directory again where it arrives. A URL that is not the registry's
own, as an external bucket's, goes on to the pool that the process shares.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from os import SEEK_SET
from typing import Any

from ..core.cancellation import CancelToken, Stopped
from ..core.limits import Timeouts
from ..core.request import FileSlice, Request, Response
from ..errors import ConnectionFailed
from ..files.buffers import buffer
from ..files.streams import SinkWriter, SliceReader
from . import responses
from .registry import Registry

_log = logging.getLogger("luml_lite.local")


def address(organization: str) -> str:
    """The base URL of a registry that is reached in-process; the name can never be resolved."""
    return f"http://{organization}.luml.invalid"


class LocalTransport:
    """A transport into the registry of one directory."""

    def __init__(self, path: str, options: dict[str, Any]) -> None:
        self.path = path
        self.options = options
        self._lock = threading.Lock()
        self._opened: Registry | None = None

    @property
    def registry(self) -> Registry:
        """The registry, opened when it is first needed."""
        if self._opened is None:
            with self._lock:
                if self._opened is None:
                    self._opened = Registry(self.path, **self.options)
        return self._opened

    def send(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: CancelToken, on_bytes: Callable[[int], None]
    ) -> Response:
        """Answer one prepared request; see `luml_lite.transport` for what it raises."""
        base_url = address(self.registry.names.organization)
        if not request.url.startswith(base_url + "/"):
            from ..transport.pool import SHARED

            return SHARED.send(request, timeouts=timeouts, stop=stop, on_bytes=on_bytes)
        body = _ClientBody(request.body, stop, on_bytes)
        headers = {name.lower(): value for name, value in request.headers}
        try:
            reply = self.registry.handle(request.method, request.url[len(base_url) :], headers, body, base_url)
        except (OSError, sqlite3.Error) as error:
            _log.exception("%s failed", request.method)
            raise ConnectionFailed(f"the registry's directory failed: {error}") from error
        try:
            return _response(request, reply, body, self.registry.settings.clock(), stop, on_bytes)
        finally:
            reply.close()

    def close(self) -> None:
        """Leave the directory; it is opened again when it is needed."""
        with self._lock:
            registry, self._opened = self._opened, None
        if registry is not None:
            registry.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return LocalTransport, (self.path, self.options)

    def __repr__(self) -> str:
        return f"LocalTransport({self.path!r})"


class _ClientBody:
    """A request's body as the registry reads it."""

    def __init__(self, body: bytes | FileSlice, stop: CancelToken, on_bytes: Callable[[int], None]) -> None:
        self.length = len(body) if isinstance(body, bytes) else body.length
        self.slice = SliceReader(body, on_bytes) if isinstance(body, FileSlice) else None
        self.chunks = (body,) if isinstance(body, bytes) else self.slice
        self.stop = stop

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for chunk in self.chunks or ():
            if self.stop.flag:
                raise Stopped
            yield chunk

    @property
    def md5(self) -> str:
        """The digest of what was sent, where one was asked for."""
        return self.slice.md5 if self.slice is not None else ""


def _response(
    request: Request[Any],
    reply: responses.Response,
    body: _ClientBody,
    moment: float,
    stop: CancelToken,
    on_bytes: Callable[[int], None],
) -> Response:
    headers = {"date": formatdate(moment, usegmt=True), "content-length": str(reply.length), **reply.headers}
    sink = request.into
    if sink is not None and _belongs_in_sink(reply, sink.offset):
        with SinkWriter(sink, on_bytes) as writer:
            for view in _content(reply, stop):
                writer.write(view)
            return Response(reply.status, headers, b"", writer.received, writer.sha256(), body.md5)
    content = b"" if request.method == "HEAD" else b"".join(bytes(view) for view in _content(reply, stop))
    return Response(reply.status, headers, content, sent_md5=body.md5)


def _belongs_in_sink(reply: responses.Response, offset: int) -> bool:
    start = re.match(r"bytes (\d+)-", reply.headers.get("content-range", ""))
    return reply.status in (200, 206) and (int(start[1]) if start else 0) == offset


def _content(reply: responses.Response, stop: CancelToken) -> Iterator[bytes | memoryview]:
    if isinstance(reply.body, bytes):
        yield reply.body
        return
    view = buffer()
    for part in reply.body:
        try:
            opened = part.open()
        except FileNotFoundError as error:
            raise ConnectionFailed("the object was replaced while it was read") from error
        with opened as file:
            file.seek(part.offset, SEEK_SET)
            left = part.length
            while left:
                if stop.flag:
                    raise Stopped
                count = file.readinto(view[: min(len(view), left)])  # type: ignore[attr-defined]
                if not count:
                    raise ConnectionFailed("a stored file is shorter than its record says")
                yield view[:count]
                left -= count
