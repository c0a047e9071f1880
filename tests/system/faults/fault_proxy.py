"""A proxy on real sockets between a client and a real HTTP server, which spoils chosen exchanges.

It counts the requests that reach it and hands each one to a function: `faithful`, or the fault where it is the turn of
one (`wire.py` has them). The Host header goes on as it came, since presigned URLs are signed for it.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

PATIENCE = 100.0  # seconds that a socket of the proxy waits at most


class Answer(NamedTuple):
    """What the server answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class Gone(Exception):
    """The client has closed its connection, or the proxy has."""


class Exchange:
    """One request that has begun to arrive, number `number` of all; nothing of it is read yet."""

    def __init__(self, proxy: Proxy, sock: socket.socket, number: int) -> None:
        self.proxy = proxy
        self.sock = sock
        self.number = number
        self.method = self.target = ""
        self.headers: list[tuple[str, str]] = []
        self.length = 0
        self.body: bytes | bytearray = b""
        self.over = False  # whether the connection has ended

    @property
    def presigned(self) -> bool:
        """Whether it goes to a bucket."""
        return "X-Amz-" in self.target or "sig=" in self.target

    def read(self, share: float = 1.0) -> None:
        """Read the head, and of the body as much as the share says."""
        data = b""
        while not self.method:
            head, end, rest = data.partition(b"\r\n\r\n")
            if not end:
                data += self._received(65536)
                continue
            first, *lines = head.decode("latin-1").split("\r\n")
            self.target = first.split(" ")[1]
            self.headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
            length = next((value for name, value in self.headers if name.lower() == "content-length"), "0")
            self.length, self.body, self.method = int(length), bytearray(rest), first.split(" ")[0]
        while len(self.body) < int(self.length * share):
            self.body += self._received(self.length - len(self.body))
        if share == 1.0:
            self.proxy.seen.append(self)

    def _received(self, most: int) -> bytes:
        data = self.sock.recv(most)
        if not data:
            raise Gone
        return data

    def forward(self, share: float = 1.0) -> Answer:
        """Have the server act on the request; with a share, it gets only so much of the body and never an answer."""
        upstream = http.client.HTTPConnection(self.proxy.host, self.proxy.port, timeout=PATIENCE)
        try:
            upstream.putrequest(self.method, self.target, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers:
                upstream.putheader(name, value)
            upstream.endheaders()
            upstream.send(self.body[: int(self.length * share)])
            if share < 1:
                return Answer(0, [], b"")
            response = upstream.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            upstream.close()

    def give(self, answer: Answer, share: float = 1.0, *, close: bool = False) -> None:
        """Send the head of an answer, and of its body as much as the share says; `close` announces the end."""
        lines = [f"HTTP/1.1 {answer.status} {http.client.responses.get(answer.status, '')}"]
        dropped = {"connection", "transfer-encoding", "content-length"}
        lines += [f"{name}: {value}" for name, value in answer.headers if name.lower() not in dropped]
        if answer.status not in (204, 304):
            lines.append(f"content-length: {len(answer.body)}")
        if close:
            lines.append("connection: close")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        self.sock.sendall(head + answer.body[: int(len(answer.body) * share)])

    def reset(self) -> None:
        """End the connection with a reset."""
        self.over = True
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def end(self) -> None:
        """End the connection without a word."""
        self.over = True
        self.sock.close()

    def hang(self) -> None:
        """Do nothing until the client gives up."""
        with contextlib.suppress(OSError):
            while self.sock.recv(65536):
                pass
        self.end()


Fault: TypeAlias = Callable[[Exchange], None]


def faithful(exchange: Exchange) -> None:
    """What a proxy is for."""
    exchange.read()
    exchange.give(exchange.forward())


class Proxy:
    """Listens on a port of its own; `arm` chooses what is spoilt, `seen` is what came since."""

    def __init__(self, upstream: str) -> None:
        place = urlsplit(upstream)
        assert place.hostname is not None
        assert place.port is not None
        self.host, self.port = place.hostname, place.port
        self.seen: list[Exchange] = []
        self._fault: Fault = faithful
        self._at, self._lasting = -1, False
        self._count = 0
        self._refuses = False
        self._lock = threading.Lock()
        self._socks: dict[socket.socket, bool] = {}  # of every open connection, whether a request is on its way
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        # Holds the port while nobody listens on it, so that connecting is refused and nobody else gets it.
        self._holder = self._bound(0)
        self.own_port: int = self._holder.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.own_port}{place.path}"
        self._listen()

    def arm(self, fault: Fault = faithful, at: int = -1, *, lasting: bool = False) -> None:
        """Count from 0 again, and spoil request number `at`, or all from there on."""
        with self._lock:
            self._fault, self._at, self._lasting = fault, at, lasting
            self._count, self._refuses = 0, False
            self.seen = []
        self._listen()
        if at == 0 and hasattr(fault, "beforehand"):
            fault.beforehand(self, lasting)

    def refuse(self, seconds: float | None = None) -> None:
        """Refuse connections for some seconds, or until armed again, and end those that are idle."""
        self._refuses = True
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            idle = [sock for sock, busy in self._socks.items() if not busy]
        for sock in idle:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        if seconds is not None:
            self._begin(self._reopen, seconds)

    def connections(self) -> int:
        """How many connections are open."""
        return len(self._socks)

    @property
    def count(self) -> int:
        """How many requests have come."""
        return self._count

    def close(self) -> None:
        """End every connection and wait for their threads."""
        self.refuse()
        self._holder.close()
        self.drop()
        end = time.monotonic() + PATIENCE + 5
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
            assert not thread.is_alive(), "a connection did not end"

    def drop(self) -> None:
        """End every connection."""
        for sock in tuple(self._socks):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _bound(self, port: int) -> socket.socket:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("127.0.0.1", port))
        return sock

    def _listen(self) -> None:
        with self._lock:
            if self._listener is None:
                self._listener = self._bound(self.own_port)
                self._listener.listen(64)
                self._begin(self._accept, self._listener)

    def _reopen(self, seconds: float) -> None:
        time.sleep(seconds)
        if self._refuses:
            self._refuses = False
            self._listen()

    def _begin(self, target: Callable[..., None], *args: object) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=target, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.settimeout(PATIENCE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socks[sock] = False
            self._begin(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        try:
            with contextlib.suppress(ConnectionError, TimeoutError, Gone, http.client.HTTPException):
                over = False
                while not over and sock.recv(1, socket.MSG_PEEK):
                    self._socks[sock] = True
                    over = self._play(sock)
                    self._socks[sock] = False
        finally:
            sock.close()
            self._socks.pop(sock, None)

    def _play(self, sock: socket.socket) -> bool:
        with self._lock:
            number = self._count
            self._count += 1
        exchange = Exchange(self, sock, number)
        if number == self._at or (self._lasting and 0 <= self._at < number):
            self._fault(exchange)
        else:
            last = getattr(self._fault, "beforehand", None)
            if last is None or number != self._at - 1:
                faithful(exchange)
            else:  # a fault that must be there before its request is
                exchange.read()
                answer = exchange.forward()
                last(self, self._lasting)
                exchange.give(answer, close=True)
                exchange.end()
        return exchange.over


@contextmanager
def before(upstream: str) -> Iterator[Proxy]:
    """A proxy before a server while the block runs."""
    proxy = Proxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()
