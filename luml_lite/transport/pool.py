"""The default transport: a urllib3 pool shared by the process, safe for threads and forks.

Nothing is retried or redirected here, and no error keeps a reference to the URL that it was about.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import urllib3
from urllib3 import exceptions

from ..core.cancellation import CancelToken, Stopped
from ..core.limits import Timeouts
from ..core.request import FileSlice, Request, Response
from ..errors import ConfigurationError, ConnectionFailed, IntegrityError, LumlError, TimedOut
from ..files.buffers import ChunkSizer
from ..files.streams import SinkWriter, SliceReader
from . import watchdog
from .connections import Attempt, current_attempt
from .origins import Opener, OriginPools
from .workers import HASHERS

_AT_ONCE = 16  # times the least that moves in a window: longer bodies come in chunks
_ERROR_KEPT = 64 * 1024  # bytes of an error's body that are kept


class Pool:
    """A transport over pooled connections; `Config.transport=None` is one of these, shared by the process."""

    def __init__(self) -> None:
        self._hosts = OriginPools()

    def send(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: CancelToken, on_bytes: Callable[[int], None]
    ) -> Response:
        """Send one prepared request; see `luml_lite.transport` for what it raises."""
        failure: LumlError
        if stop.flag:
            raise Stopped
        with Attempt(stop, fresh=not request.repeatable) as attempt:
            watch = watchdog.watch(attempt.abort)
            exchange = _Exchange(request, timeouts, attempt, watch, on_bytes)
            try:
                return exchange.run(*self._hosts.route(request.url))
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
        self._hosts.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return Pool, ()


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

    def run(self, opener: Opener, url: str) -> Response:
        request, timeouts = self.request, self.timeouts
        headers = dict(request.headers)
        content = request.body if isinstance(request.body, bytes) else b""
        if self.unsent or content or request.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(self.unsent or len(content))  # never chunked: presigned PUTs refuse it
        if self.unsent:
            self.watch.expect(timeouts.stall_bytes, timeouts.stall_window + timeouts.connect)
        else:
            self._await_head()
        answer = opener.urlopen(
            request.method,
            url,
            body=self.reader if self.unsent else content,
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
        sent_md5 = self.reader.md5 if self.reader is not None else ""
        sink = self.request.into
        if sink is not None and self._wanted(answer.status):
            with SinkWriter(sink, self._received, HASHERS.submit) as writer:
                for view in self._chunks(answer):
                    writer.write(view)
                return Response(answer.status, self.head, b"", writer.received, writer.sha256(), sent_md5)
        body = self._body(answer) if answer.status < 300 and sink is None else self._refusal(answer)
        return Response(answer.status, self.head, body, sent_md5=sent_md5)

    def _wanted(self, status: int) -> bool:
        """Whether the body is the one that the sink is for: errors stay in memory, and so does a wrong range."""
        if status not in (200, 206):
            return False
        start = re.match(r"bytes ([0-9]{1,19})-", self.head.get("content-range", ""))
        offset = self.request.into.offset if self.request.into is not None else 0
        return int(start[1]) == offset if start else offset == 0

    def _body(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        told = re.fullmatch(r"[0-9]{1,19}", self.head.get("content-length", ""))
        length = int(told[0]) if told else sys.maxsize
        least, window = self.timeouts.stall_bytes, self.timeouts.stall_window
        if length <= min(self.request.limit, _AT_ONCE * least):
            # Counted when all of it is there: as many windows as it may take at the least rate.
            self.watch.expect(1, window * (1 + length // least))
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
        sizer = ChunkSizer(self.timeouts.stall_bytes // 2)
        while view := answer.read(sizer.size, decode_content=False):
            yield view
            sizer.moved()
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
        if isinstance(error, exceptions.ProxyError) and "Tunnel connection failed" in str(error.original_error):
            said = str(error.original_error).rpartition(": ")[2][:200]
            problem = f"the proxy would not connect to {host} ({said}); look at HTTPS_PROXY and NO_PROXY"
            return ConnectionFailed(problem, sent=False, permanent=said.startswith("4"))
        # In this order: urllib3's refused connect descends from its slow one.
        if isinstance(error, exceptions.NewConnectionError | exceptions.NameResolutionError):
            problem = f"cannot connect to {host}; is it up, and is the address right?"
            return ConnectionFailed(problem, sent=self.attempt.sent)
        if isinstance(error, exceptions.ConnectTimeoutError):
            return TimedOut(f"no connection to {host} within {self.timeouts.connect:g} s", sent=self.attempt.sent)
        if isinstance(error, exceptions.SSLError) and not (self.attempt.sent or self.watch.expired):
            reason = error.args[0] if error.args else "TLS failed"
            untrusted = type(reason).__name__ == "SSLCertVerificationError"
            problem = f"no trusted TLS connection to {host}: {str(reason)[:200]}"
            return ConnectionFailed(problem, **self._facts(), permanent=untrusted)
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
        url = urllib3.util.parse_url(self.request.url)
        return f"{url.host}:{url.port}" if url.port else url.host or ""

    def _facts(self) -> dict[str, Any]:
        return {"sent": self.attempt.sent, "received": self.received, "headers": self.head}


class _Redacted(logging.Filter):
    """Takes the query out of the URLs that urllib3 logs: a presigned one is a secret."""

    _query = re.compile(r"\?[^\s\"']+")

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and current_attempt() is not None:  # other users of urllib3 keep their logs
            record.args = tuple(self._query.sub("?...", a) if isinstance(a, str) else a for a in record.args)
        return True


for _name in ("urllib3.connectionpool", "urllib3.connection"):
    logging.getLogger(_name).addFilter(_Redacted())

SHARED = Pool()
