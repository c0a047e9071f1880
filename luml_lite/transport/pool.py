"""The default transport: a urllib3 pool shared by the process, safe for threads and forks.

Proxies come from HTTPS_PROXY, HTTP_PROXY and NO_PROXY, certificates from the system or SSL_CERT_FILE. Nothing is
retried or redirected here, and no error keeps a reference to the URL that it was about.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import urllib3
from urllib3 import exceptions

from ..bodies import CHUNK, SinkWriter, SliceReader, Stride
from ..config import Timeouts
from ..errors import ConfigurationError, ConnectionFailed, IntegrityError, LumlError, TimedOut
from ..request import FileSlice, Request, Response
from ..stop import Stop, Stopped
from . import watchdog
from .wire import POOLS, Attempt, current

_POOLED = 32  # connections kept open to one host
_ERROR_KEPT = 64 * 1024  # bytes of an error's body that are kept


class Pool:
    """A transport over pooled connections; `Config.transport=None` is one of these, shared by the process.

    It has no lock of its own: one that another thread held at a fork would never be released in the child.
    """

    def __init__(self) -> None:
        self._managers: dict[tuple[int, str, str | None], urllib3.PoolManager] = {}
        self._context: Any = None

    def send(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: Stop, on_bytes: Callable[[int], None]
    ) -> Response:
        """Send one prepared request; see `luml_lite.transport` for what it raises."""
        failure: LumlError
        if stop.flag:
            raise Stopped
        with Attempt(stop, fresh=not request.repeatable) as attempt:
            watch = watchdog.watch(attempt.cut)
            exchange = _Exchange(request, timeouts, attempt, watch, on_bytes)
            try:
                return exchange.run(self._manager(request.url))
            except exceptions.HTTPError as error:
                failure = exchange.failure(error)
            except (ConnectionError, TimeoutError):
                failure = exchange.broken()
            except LumlError as error:
                failure = error.with_traceback(None)  # urllib3's frames hold the URL
            finally:
                watchdog.done(watch)
        # Raised here and not in the except block: the context would carry the URL along.
        if stop.flag:
            raise Stopped
        raise failure

    def close(self) -> None:
        """Close every idle connection; the pool opens new ones when it is used again."""
        managers, self._managers = self._managers, {}
        for (pid, *_), manager in managers.items():
            if pid == os.getpid():  # a parent's connections are not this process's to close
                manager.clear()

    def __reduce__(self) -> tuple[Any, ...]:
        return Pool, ()

    def _manager(self, url: str) -> urllib3.PoolManager:
        scheme = url[:5].lower().rstrip(":")
        proxy = _proxy(url, scheme)
        key = (os.getpid(), scheme, proxy)
        return self._managers.get(key) or self._managers.setdefault(key, self._made(scheme, proxy))

    def _made(self, scheme: str, proxy: str | None) -> urllib3.PoolManager:
        options: dict[str, Any] = {"num_pools": 16, "maxsize": _POOLED, "retries": False}
        if scheme == "https" or (proxy or "").startswith("https"):
            if self._context is None:
                context = urllib3.util.ssl_.create_urllib3_context()
                context.load_default_certs()  # once: loading them for every connection is slow
                self._context = context
            options["ssl_context"] = self._context
        if proxy is None:
            manager = urllib3.PoolManager(**options)
        else:
            auth = urllib3.util.parse_url(proxy).auth
            headers = urllib3.util.make_headers(proxy_basic_auth=unquote(auth)) if auth else None
            manager = urllib3.ProxyManager(proxy, proxy_headers=headers, **options)
        manager.pool_classes_by_scheme = POOLS
        return manager


class _Exchange:
    """One request and its answer on a connection."""

    def __init__(
        self,
        request: Request[Any],
        timeouts: Timeouts,
        attempt: Attempt,
        watch: watchdog.Watch,
        on_bytes: Callable[[int], None],
    ) -> None:
        self.request = request
        self.timeouts = timeouts
        self.attempt = attempt
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
        body = self._body(answer) if answer.status < 300 and sink is None else self._refusal(answer)
        return Response(answer.status, self.head, body, sent_md5=sent_md5)

    def _wanted(self, status: int) -> bool:
        """Whether the body is the one that the sink is for: errors stay in memory, and so does a wrong range."""
        if status not in (200, 206):
            return False
        start = re.match(r"bytes (\d+)-", self.head.get("content-range", ""))
        offset = self.request.into.offset if self.request.into is not None else 0
        return int(start[1]) == offset if start else offset == 0

    def _body(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        length = self.head.get("content-length", "")
        if length.isdigit() and int(length) <= min(self.request.limit, self.timeouts.stall_bytes):
            return answer.read(decode_content=False)
        parts: list[bytes] = []
        size = 0
        for view in self._chunks(answer):
            size += len(view)
            self.watch.moved(len(view))
            if size > self.request.limit:
                raise IntegrityError(f"the answer is longer than the {self.request.limit} bytes that were asked for")
            parts.append(bytes(view))
        return b"".join(parts)

    def _refusal(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        """The beginning of a body that explains an error; the status counts even where the body breaks off."""
        body = b""
        try:
            for view in self._chunks(answer):
                body += view
                self.watch.moved(len(view))
                if len(body) >= _ERROR_KEPT:
                    break
        except exceptions.HTTPError:
            if self.attempt.stop.flag:
                raise
        return body[:_ERROR_KEPT]

    def _chunks(self, answer: urllib3.BaseHTTPResponse) -> Iterator[memoryview | bytes]:
        if self.head.get("transfer-encoding", "").lower() == "chunked":
            yield from answer.stream(CHUNK, decode_content=False)
            return
        stride = Stride(self.timeouts.stall_bytes // 2)
        while view := answer.read(stride.size, decode_content=False):
            yield view
            stride.taken()
        if "content-length" not in self.head and self.attempt.ended:
            raise exceptions.ProtocolError("cut")  # the end of such a body looks the same as a cut

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
        if isinstance(error, exceptions.LocationValueError):
            return ConfigurationError("an address (of the API, the storage or a proxy) is no valid http or https URL")
        if isinstance(error, exceptions.ProxyError) and isinstance(error.original_error, exceptions.HTTPError):
            error = error.original_error
        host = self._host()
        if isinstance(
            error, exceptions.NewConnectionError | exceptions.NameResolutionError
        ):  # the first is a timeout, too, by descent
            return ConnectionFailed(
                f"cannot connect to {host}; is it up, and is the address right?", sent=self.attempt.sent
            )
        if isinstance(error, exceptions.ConnectTimeoutError):
            return TimedOut(f"no connection to {host} within {self.timeouts.connect:g} s", sent=self.attempt.sent)
        if isinstance(error, exceptions.SSLError) and not (self.attempt.sent or self.watch.expired):
            reason = str(error.args[0]) if error.args else "TLS failed"
            return ConnectionFailed(f"no trusted TLS connection to {host}: {reason[:200]}", **self._facts())
        if isinstance(error, exceptions.TimeoutError):
            return TimedOut(f"{host} stalled: nothing moved for too long", **self._facts())
        return self.broken()

    def broken(self) -> LumlError:
        """A connection that broke, or that the watchdog cut."""
        if self.watch.expired:
            return TimedOut(f"{self._host()} stalled: too little moved for too long", **self._facts())
        return ConnectionFailed(
            f"the connection to {self._host()} broke before the answer was complete", **self._facts()
        )

    def _host(self) -> str:
        return urllib3.util.parse_url(self.request.url).host or ""

    def _facts(self) -> dict[str, Any]:
        return {"sent": self.attempt.sent, "received": self.received, "headers": self.head}


def _proxy(url: str, scheme: str) -> str | None:
    names = (f"{scheme}_proxy", "all_proxy")
    if not any(os.environ.get(name) or os.environ.get(name.upper()) for name in names):
        return None  # the usual case, and much faster than what follows
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

    proxies = getproxies_environment()
    if proxy_bypass_environment(urllib3.util.parse_url(url).netloc or "", proxies):
        return None
    proxy: str | None = proxies.get(scheme) or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


class _Redacted(logging.Filter):
    """Takes the query out of the URLs that urllib3 logs: a presigned one is a secret."""

    _query = re.compile(r"\?[^\s\"']+")

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and current() is not None:  # other users of urllib3 keep their logs
            record.args = tuple(self._query.sub("?...", a) if isinstance(a, str) else a for a in record.args)
        return True


for _name in ("urllib3.connectionpool", "urllib3.connection"):
    logging.getLogger(_name).addFilter(_Redacted())

SHARED = Pool()
