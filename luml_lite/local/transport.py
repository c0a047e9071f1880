"""The in-process transport: it passes requests to the registry by a function call.

A pickle of it holds its path and options; the copy opens the directory itself. Requests to other URLs than the
registry's, such as those of an external bucket, are sent through the process's shared pool.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from os import SEEK_SET
from typing import Any

from ..core.cancellation import CancelToken, Stopped
from ..core.request import FileSlice, Request, Response
from ..core.timeouts import Timeouts
from ..errors import ConnectionFailed
from ..files.buffers import buffer
from ..files.streams import SinkWriter, SliceReader, is_for_sink
from . import responses
from .registry import Registry

_log = logging.getLogger("luml_lite.local")


def address(organization: str) -> str:
    """The base URL of an in-process registry; DNS never resolves the domain `invalid`."""
    return f"http://{organization}.luml.invalid"


class LocalTransport:
    """A transport to the registry of one directory."""

    def __init__(self, path: str, options: dict[str, Any]) -> None:
        self.path = path
        self.options = options
        self._lock = threading.Lock()
        self._registry: Registry | None = None

    @property
    def registry(self) -> Registry:
        """The registry; the first access opens it."""
        if self._registry is None:
            with self._lock:
                if self._registry is None:
                    self._registry = Registry(self.path, **self.options)
        return self._registry

    def send(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: CancelToken, on_bytes: Callable[[int], None]
    ) -> Response:
        """Answer one prepared request; `luml_lite.transport` lists the exceptions."""
        base_url = address(self.registry.names.organization)
        if not request.url.startswith(base_url + "/"):
            from ..transport.pool import SHARED  # here, because it imports urllib3

            return SHARED.send(request, timeouts=timeouts, stop=stop, on_bytes=on_bytes)
        body = _ClientBody(request.body, stop, on_bytes)
        headers = {name.lower(): value for name, value in request.headers}
        try:
            reply = self.registry.handle(request.method, request.url[len(base_url) :], headers, body, base_url)
        except (OSError, sqlite3.Error) as error:
            _log.exception("%s failed", request.method)
            raise ConnectionFailed(f"the registry's directory failed: {error}") from error
        try:
            date = formatdate(self.registry.settings.clock(), usegmt=True)
            headers = {"date": date, "content-length": str(reply.length), **reply.headers}
            sink, chunks = request.into, _content(reply, stop)
            if sink is not None and is_for_sink(sink, reply.status, headers.get("content-range", "")):
                with SinkWriter(sink, on_bytes) as writer:
                    for view in chunks:
                        writer.write(view)
                    return Response(reply.status, headers, b"", writer.received, writer.sha256(), body.md5)
            content = b"" if request.method == "HEAD" else b"".join(bytes(view) for view in chunks)
            return Response(reply.status, headers, content, sent_md5=body.md5)
        finally:
            reply.close()

    def close(self) -> None:
        """Close the registry; the next request opens it again."""
        with self._lock:
            registry, self._registry = self._registry, None
        if registry is not None:
            registry.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return LocalTransport, (self.path, self.options)

    def __repr__(self) -> str:
        return f"LocalTransport({self.path!r})"


class _ClientBody:
    """A request's body in the form that the registry reads."""

    def __init__(self, body: bytes | FileSlice, stop: CancelToken, on_bytes: Callable[[int], None]) -> None:
        self.length = len(body) if isinstance(body, bytes) else body.length
        self.chunks = (body,) if isinstance(body, bytes) else SliceReader(body, on_bytes)
        self.stop = stop

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for chunk in self.chunks:
            if self.stop.flag:
                raise Stopped
            yield chunk

    @property
    def md5(self) -> str:
        """The hex MD5 of the bytes that were read, or an empty string where the request wants none."""
        return self.chunks.md5 if isinstance(self.chunks, SliceReader) else ""


def _content(reply: responses.Response, stop: CancelToken) -> Iterator[bytes | memoryview]:
    if isinstance(reply.body, bytes):
        yield reply.body
        return
    view = buffer()
    for part in reply.body:
        try:
            source = part.open()
        except FileNotFoundError as error:
            raise ConnectionFailed("the object was replaced while it was read") from error
        with source as file:
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
