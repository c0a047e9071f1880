"""The default transport: a urllib3 pool that the process shares, safe for threads and forks.

It keeps the contract of `luml_lite.transport`; errors of urllib3 become errors of this package that hide the URL.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import urllib3
from urllib3 import exceptions

from ..core.cancellation import CancelToken, Stopped
from ..core.redaction import clean
from ..core.request import FileSlice, Request, Response
from ..core.timeouts import Timeouts
from ..errors import ConfigurationError, ConnectionFailed, IntegrityError, LumlError, TimedOut, system_limit
from ..files.buffers import CHUNK, ChunkSizer
from ..files.streams import SinkWriter, SliceReader, is_for_sink
from .causes import redacted, system_error, why_broken, why_unconnected
from .connections import Attempt
from .origins import Opener, OriginPools
from .rate import rate_of
from .workers import HASHERS

_SINGLE_READ = 16  # times `stall_bytes`: a shorter body is read in one call, a longer one in chunks
_KEPT_HEADERS = ("etag", "content-range", "date")  # of a broken response; a Location or Set-Cookie may be a secret
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")  # as OpenSSL says
_TLS_ADVICE = "; does the port speak https, is the clock right, and does SSL_CERT_FILE name the CA of a private server?"
_PROXY_ADVICE = "check HTTPS_PROXY, its password, and NO_PROXY"
_MAX_ERROR = 64 * 1024  # bytes of an error's body that are kept


class Pool:
    """A transport over pooled connections. `Config.transport=None` uses one Pool in the whole process."""

    def __init__(self) -> None:
        self._origins = OriginPools()

    def send(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: CancelToken, on_bytes: Callable[[int], None]
    ) -> Response:
        """Send one prepared request; see `luml_lite.transport` for what it raises."""
        failure: LumlError
        if stop.flag:
            raise Stopped
        with Attempt(stop, fresh=not request.repeatable) as attempt:
            exchange = _Exchange(request, timeouts, attempt, on_bytes)
            try:
                return exchange.run(*self._origins.route(request.url))
            except (exceptions.HTTPError, OSError, MemoryError) as error:
                failure = exchange.error_for(error)
                if isinstance(failure, ConnectionFailed):
                    failure.__cause__ = redacted(error)
                    failure.errno = getattr(failure.__cause__, "errno", None)
            except LumlError as error:
                failure = error.with_traceback(None)  # frames of urllib3 refer to the URL
        # Raised outside of the except block, which would add urllib3's error, and with it the URL, as the context.
        if stop.flag:
            raise Stopped
        raise failure

    def close(self) -> None:
        """Close every idle connection; the pool can still be used."""
        self._origins.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return Pool, ()


class _Exchange:
    """One request and its response on a connection."""

    def __init__(
        self, request: Request[Any], timeouts: Timeouts, attempt: Attempt, on_bytes: Callable[[int], None]
    ) -> None:
        self.request = request
        self.timeouts = timeouts
        self.attempt = attempt
        self.on_bytes = on_bytes
        self.rate = rate_of(request.max_rate)
        self.chunk = CHUNK if self.rate is None else min(self.rate.chunk, CHUNK)  # bytes, at most
        body = request.body
        self.reader = SliceReader(body, self._count_sent, self.chunk) if isinstance(body, FileSlice) else None
        self.unsent = body.length if isinstance(body, FileSlice) else 0  # bytes
        self.proxy = ""  # host and port
        self.received = 0
        self.headers: dict[str, str] = {}  # of the response, as soon as they have arrived
        self.watch = attempt.watch

    def run(self, opener: Opener, url: str, target: str) -> Response:
        request, timeouts = self.request, self.timeouts
        self.attempt.target = target
        self.proxy = (opener.proxy and opener.proxy.netloc) or ""
        headers = dict(request.headers)
        content = request.body if isinstance(request.body, bytes) else b""
        if self.unsent or content or request.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(self.unsent or len(content))  # presigned PUTs refuse chunked bodies
        if self.unsent:
            self.watch.expect(timeouts.stall_bytes, timeouts.stall_window + timeouts.connect)
        else:
            self._await_head()
        response = opener.urlopen(
            request.method,
            url,
            body=self.reader if self.unsent else content,  # type: ignore[arg-type] # http.client takes views, too
            headers=headers,
            timeout=urllib3.Timeout(connect=timeouts.connect, read=timeouts.read),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
            assert_same_host=False,
        )
        try:
            return self._read_response(response)
        finally:
            if not response.closed:
                response.close()  # partly read: the connection cannot be reused

    def _read_response(self, response: urllib3.BaseHTTPResponse) -> Response:
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        times, is_patient = self.timeouts, self.request.patient
        self.watch.expect(1 if is_patient else times.stall_bytes, times.read if is_patient else times.stall_window)
        sent_md5 = self.reader.md5 if self.reader is not None else ""
        sink = self.request.into
        if sink is not None and is_for_sink(sink, response.status, self.headers.get("content-range", "")):
            with SinkWriter(sink, self._count_received, HASHERS.submit) as writer:
                for view in self._chunks(response):
                    writer.write(view)
                return Response(response.status, self.headers, b"", writer.received, writer.sha256(), sent_md5)
        return Response(response.status, self.headers, self._read_body(response), sent_md5=sent_md5)

    def _read_body(self, response: urllib3.BaseHTTPResponse) -> bytes:
        """Read a body into memory. Of an error's, the first bytes do; if it breaks, the status is still valid."""
        is_error = response.status >= 300 or self.request.into is not None
        limit = _MAX_ERROR if is_error else self.request.limit
        match = re.fullmatch(r"[0-9]{1,19}", self.headers.get("content-length", ""))
        # A body with both lengths is as long as its chunks say.
        length = int(match[0]) if match and "transfer-encoding" not in self.headers else sys.maxsize
        least, window = self.timeouts.stall_bytes, self.timeouts.stall_window
        if length <= min(limit, _SINGLE_READ * least) and self._may_block and not is_error and self.rate is None:
            # No byte is counted before the read ends, so allow as many windows as the slowest permitted link needs.
            self.watch.expect(1, window * (1 + length // least))
            return response.read(decode_content=False)
        body = bytearray()
        try:
            for view in self._chunks(response):
                body += view
                self.watch.moved(len(view))
                if len(body) > limit:
                    if not (is_error or self.request.drop_surplus):
                        raise IntegrityError(f"the response has more than the {limit} bytes that are allowed here")
                    del body[limit:]
                    break
        except exceptions.HTTPError:
            if not is_error or self.attempt.stop.flag:
                raise
        return bytes(body)

    @property
    def _may_block(self) -> bool:
        """Whether a read may wait until it has all bytes it wants; otherwise each one that arrives must be counted."""
        return self.watch.is_watched and not self.request.patient

    def _chunks(self, response: urllib3.BaseHTTPResponse) -> Iterator[memoryview | bytes]:
        sizer = ChunkSizer(self.timeouts.stall_bytes // 2, self.chunk)
        # read() waits until it has `size` bytes, read1() for the first of them.
        read = response.read if self._may_block else response.read1
        while view := read(sizer.size, decode_content=False):
            yield view
            self._pace(len(view))
            sizer.moved()
        if "content-length" not in self.headers and self.attempt.aborted:
            raise exceptions.ProtocolError("aborted")  # without a length, an abort looks like the end of the body

    def _count_sent(self, count: int) -> None:
        self.unsent -= count
        self.watch.moved(count)
        self.on_bytes(count)
        self._pace(count)
        if not self.unsent:
            self._await_head()

    def _count_received(self, count: int) -> None:
        self.received += count
        self.watch.moved(count)
        self.on_bytes(count)

    def _pace(self, count: int) -> None:
        """Wait as `max_rate` demands."""
        if self.rate is None:
            return
        with self.watch.paused():
            self.rate.wait(count, self.attempt.stop)
        if self.attempt.stop.flag:
            raise Stopped  # what has arrived already could still be read

    def _await_head(self) -> None:
        self.watch.expect(1, self.timeouts.connect + self.timeouts.read)

    def error_for(self, error: Exception) -> LumlError:
        """The error of this package for one of urllib3, of a socket or of this machine."""
        for each in (error, *error.args):
            if (limit := system_limit(each)) is not None:
                limit.sent = self.attempt.sent
                return limit
        if isinstance(error, exceptions.LocationValueError):
            return ConfigurationError("the URL of the API, the storage or a proxy is not a valid http or https URL")
        url = urllib3.util.parse_url(self.request.url)
        host = f"{url.host}:{url.port}" if url.port else url.host or ""
        if isinstance(error, exceptions.ProxyError):
            if "Tunnel connection failed" in (reason := str(error.original_error)):
                reason = clean(reason.rpartition(": ")[2])
                problem = f"the proxy {self.proxy} refused {host} ({reason}); {_PROXY_ADVICE}"
                return ConnectionFailed(problem, sent=False, permanent=reason.startswith("4"))
            host = f"the proxy {self.proxy} for {host}"
            error = error.original_error
        elif self.proxy:
            host = f"{host} through the proxy {self.proxy}"
        cause = error.args[-1] if error.args else error
        kept = {name: value for name, value in self.headers.items() if name in _KEPT_HEADERS}
        facts: dict[str, Any] = {"sent": self.attempt.sent, "received": self.received, "headers": kept}
        # In this order, because NewConnectionError is a subclass of ConnectTimeoutError.
        if isinstance(error, exceptions.NewConnectionError | exceptions.NameResolutionError):
            problem = f"cannot connect to {host}: {why_unconnected(system_error(error))}"
            return ConnectionFailed(problem, sent=self.attempt.sent)
        if isinstance(error, exceptions.ConnectTimeoutError):
            return TimedOut(f"no connection to {host} within {self.timeouts.connect:g} s", sent=self.attempt.sent)
        if isinstance(error, exceptions.SSLError) and not (self.attempt.sent or self.watch.expired):
            is_final = type(cause).__name__ == "SSLCertVerificationError" or getattr(cause, "reason", "") in _NOT_TLS
            problem = f"no trusted TLS connection to {host}: {clean(str(cause))}{_TLS_ADVICE if is_final else ''}"
            return ConnectionFailed(problem, **facts, permanent=is_final)
        is_timeout = isinstance(error, exceptions.TimeoutError | TimeoutError) or isinstance(cause, TimeoutError)
        if is_timeout or self.watch.expired:
            advice = "; does its port speak https?" if url.scheme == "https" and not self.attempt.sent else ""
            return TimedOut(f"{host} stalled: too few bytes were sent or received for too long{advice}", **facts)
        problem = f"the connection to {host} broke{why_broken(system_error(error))} before the response was complete"
        return ConnectionFailed(problem, **facts)


SHARED = Pool()
