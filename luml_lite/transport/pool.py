"""The default transport: a urllib3 pool shared by the process, safe for threads and forks.

Proxies come from HTTPS_PROXY, HTTP_PROXY and NO_PROXY, certificates from the system or SSL_CERT_FILE. Nothing is
retried or redirected here, and no error keeps a reference to the URL that it was about.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import urllib3
from urllib3 import exceptions

from ..bodies import CHUNK, FIRST_CHUNK, SinkWriter, SliceReader, next_step
from ..config import Timeouts
from ..errors import ConnectionFailed, IntegrityError, LumlError, TimedOut
from ..request import FileSlice, Request, Response
from ..stop import Stop, Stopped
from . import watchdog
from .wire import POOLS, Attempt

_POOLED = 32  # connections kept open to one host


class Pool:
    """A transport over pooled connections; `Config.transport=None` is one of these, shared by the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._managers: dict[tuple[int, str | None], urllib3.PoolManager] = {}
        self._context: Any = None

    def send(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: Stop, on_bytes: Callable[[int], None]
    ) -> Response:
        """Send one prepared request; see `luml_lite.transport` for what it raises."""
        failure: LumlError
        with Attempt(stop, fresh=not request.repeatable, patience=timeouts.read) as attempt:
            watch = watchdog.watch(attempt.cut)
            exchange = _Exchange(request, timeouts, watch, on_bytes)
            try:
                response = exchange.run(self._manager(request.url))
                if not stop.flag:
                    return response
            except exceptions.HTTPError as error:
                failure = exchange.failure(error)
            except (ConnectionError, TimeoutError) as error:
                failure = exchange.failure(
                    exceptions.ProtocolError(f"connection broken: {type(error).__name__}", error)
                )
            finally:
                watchdog.done(watch)
        # Raised here and not in the except block: the context would carry the URL along.
        if stop.flag:
            raise Stopped
        raise failure

    def close(self) -> None:
        """Close every idle connection; the pool opens new ones when it is used again."""
        with self._lock:
            managers, self._managers = self._managers, {}
        for (pid, _), manager in managers.items():
            if pid == os.getpid():  # a parent's connections are not this process's to close
                manager.clear()

    def __reduce__(self) -> tuple[Any, ...]:
        return Pool, ()

    def _manager(self, url: str) -> urllib3.PoolManager:
        proxy = _proxy(url)
        key = (os.getpid(), proxy)
        manager = self._managers.get(key)
        if manager is None:
            with self._lock:
                manager = self._managers.get(key) or self._managers.setdefault(key, self._made(proxy))
        return manager

    def _made(self, proxy: str | None) -> urllib3.PoolManager:
        options: dict[str, Any] = {"num_pools": 16, "maxsize": _POOLED, "retries": False}
        if self._context is None:
            self._context = urllib3.util.ssl_.create_urllib3_context()
            self._context.load_default_certs()  # once: loading them for every connection is slow
        options["ssl_context"] = self._context
        manager = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
        manager.pool_classes_by_scheme = POOLS
        return manager


class _Exchange:
    """One request and its answer on a connection."""

    def __init__(
        self, request: Request[Any], timeouts: Timeouts, watch: watchdog.Watch, on_bytes: Callable[[int], None]
    ) -> None:
        self.request = request
        self.timeouts = timeouts
        self.watch = watch
        self.on_bytes = on_bytes
        self.reader = SliceReader(request.body, self._sent) if isinstance(request.body, FileSlice) else None
        self.unsent = request.body.length if isinstance(request.body, FileSlice) else 0
        self.received = 0
        self.head: dict[str, str] = {}

    def run(self, manager: urllib3.PoolManager) -> Response:
        request, timeouts = self.request, self.timeouts
        headers = dict(request.headers)
        content = request.body if isinstance(request.body, bytes) else b""
        if self.unsent or content or request.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(self.unsent or len(content))  # never chunked: presigned PUTs refuse it
        if self.unsent:
            self.watch.expect(timeouts.stall_bytes, timeouts.stall_window + timeouts.connect)
        else:
            self._await_head()
        answer = manager.request(
            request.method,
            request.url,
            body=self.reader if self.unsent else content,  # type: ignore[arg-type]  # an iterable of views
            headers=headers,
            timeout=urllib3.Timeout(connect=timeouts.connect, read=timeouts.read),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
            assert_same_host=False,
        )
        try:
            return self._answer(answer)
        finally:
            if not answer.closed:
                answer.close()  # half read: the connection cannot be used again

    def _answer(self, answer: urllib3.BaseHTTPResponse) -> Response:
        self.head = {name.lower(): value for name, value in answer.headers.items()}
        self.watch.expect(self.timeouts.stall_bytes, self.timeouts.stall_window)
        sent_md5 = self.reader.md5.hexdigest() if self.reader is not None and self.reader.md5 is not None else ""
        sink = self.request.into
        if sink is not None and self._wanted(answer.status):
            with SinkWriter(sink, self._received) as writer:
                for view in self._chunks(answer):
                    writer.write(view)
                return Response(answer.status, self.head, b"", writer.received, writer.sha256(), sent_md5)
        return Response(answer.status, self.head, self._body(answer), sent_md5=sent_md5)

    def _wanted(self, status: int) -> bool:
        """Whether the body is the one that the sink is for: errors stay in memory, and so does a wrong range."""
        if status not in (200, 206):
            return False
        start = re.match(r"bytes (\d+)-", self.head.get("content-range", ""))
        offset = self.request.into.offset if self.request.into is not None else 0
        return int(start[1]) == offset if start else offset == 0

    def _body(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        limit = self.request.limit if answer.status < 300 and self.request.into is None else _ERROR_KEPT
        parts: list[bytes] = []
        size = 0
        length = self.head.get("content-length", "")
        if length.isdigit() and int(length) <= min(limit, CHUNK):
            return answer.read(decode_content=False)
        for view in self._chunks(answer):
            size += len(view)
            self.watch.moved(len(view))
            if size > limit:
                if answer.status < 300 and self.request.into is None:
                    raise IntegrityError(f"the answer is longer than the {limit} bytes that were asked for")
                break
            parts.append(bytes(view))
        return b"".join(parts)

    def _chunks(self, answer: urllib3.BaseHTTPResponse) -> Any:
        if self.head.get("transfer-encoding", "").lower() == "chunked":
            yield from answer.stream(CHUNK, decode_content=False)
            return
        step = FIRST_CHUNK
        before = time.monotonic()
        while view := answer.read(step, decode_content=False):
            yield view
            now = time.monotonic()
            step, before = next_step(step, now - before), now

    def _sent(self, count: int) -> None:
        self.unsent -= count
        self.watch.moved(count)
        self.on_bytes(count)
        if not self.unsent:
            self._await_head()

    def _received(self, count: int) -> None:
        self.received += count
        self.watch.moved(count)
        self.on_bytes(count)

    def _await_head(self) -> None:
        self.watch.expect(1, self.timeouts.connect + self.timeouts.read)

    def failure(self, error: exceptions.HTTPError) -> LumlError:
        """What a urllib3 error means here."""
        if isinstance(error, exceptions.ProxyError) and isinstance(error.original_error, exceptions.HTTPError):
            error = error.original_error
        facts: dict[str, Any] = {"received": self.received, "headers": self.head}
        host = urllib3.util.parse_url(self.request.url).host
        if isinstance(error, exceptions.ConnectTimeoutError):
            return TimedOut(f"no connection to {host} within {self.timeouts.connect:g} s", sent=False)
        if isinstance(error, exceptions.NewConnectionError | exceptions.NameResolutionError):
            return ConnectionFailed(f"cannot connect to {host}; is it up, and is the address right?", sent=False)
        if isinstance(error, exceptions.SSLError):
            reason = str(error.args[0]) if error.args else "TLS failed"
            return ConnectionFailed(f"no trusted TLS connection to {host}: {reason[:200]}", **facts)
        cause = error.args[-1] if error.args else None  # a send that timed out comes wrapped
        if self.watch.expired or isinstance(error, exceptions.TimeoutError) or isinstance(cause, TimeoutError):
            return TimedOut(f"{host} stalled: too little moved for too long", **facts)
        return ConnectionFailed(f"the connection to {host} broke before the answer was complete", **facts)


_ERROR_KEPT = 64 * 1024  # bytes of an error's body that are kept


def _proxy(url: str) -> str | None:
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

    parts = urllib3.util.parse_url(url)
    proxies = getproxies_environment()
    if proxy_bypass_environment(parts.netloc or "", proxies):
        return None
    return proxies.get(parts.scheme or "http") or proxies.get("all")


class _Redacted(logging.Filter):
    """Takes the query out of the URLs that urllib3 logs: a presigned one is a secret."""

    _query = re.compile(r"\?[^\s\"']+")

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(self._query.sub("?...", a) if isinstance(a, str) else a for a in record.args)
        return True


for _name in ("urllib3.connectionpool", "urllib3.connection"):
    logging.getLogger(_name).addFilter(_Redacted())

SHARED = Pool()
if hasattr(os, "register_at_fork"):
    # A lock that another thread held at the fork would never be released in the child.
    os.register_at_fork(after_in_child=lambda: setattr(SHARED, "_lock", threading.Lock()))
