"""A server of raw sockets: every connection is played by a function, so that it can be wrong in any way."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: Any, server: Server) -> None:
        self.sock = sock
        self.server = server
        self._read = b""

    def head(self) -> str:
        """The next request's head, kept in `server.heads`; an EOFError when the client has gone."""
        while b"\r\n\r\n" not in self._read:
            self._receive()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        self.server.heads.append(head.decode())
        return head.decode()

    def body(self, length: int) -> bytes:
        """The next bytes of a request's body."""
        while len(self._read) < length:
            self._receive()
        found, self._read = self._read[:length], self._read[length:]
        return found

    def request(self) -> bytes:
        """A whole request; its body."""
        head = self.head()
        length = next((line[15:] for line in head.lower().split("\r\n") if line.startswith("content-length:")), "0")
        return self.body(int(length))

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.sock.sendall(data)

    def answer(self, body: bytes = b"", status: str = "200 OK", **headers: str) -> None:
        """A correct answer; `content_length=...` makes it a wrong one."""
        fields = {"content-length": str(len(body)), **{name.replace("_", "-"): v for name, v in headers.items()}}
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def drip(self, data: bytes, seconds: float) -> None:
        """Send single bytes, one in so many seconds."""
        for at in range(len(data)):
            self.send(data[at : at + 1])
            if self.server.over.wait(seconds):
                return

    def stall(self) -> None:
        """Neither read nor write until the server ends."""
        self.server.over.wait()

    def reset(self) -> None:
        """Close with a reset instead of an end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _receive(self) -> None:
        data = self.sock.recv(1 << 20)
        if not data:
            raise EOFError
        self._read += data


class Server:
    """A listening socket whose connections are played by `script(peer, number)`, number counting from 0."""

    def __init__(self, script: Callable[[Peer, int], None], context: ssl.SSLContext | None) -> None:
        self.script = script
        self.context = context
        self.heads: list[str] = []
        self.connections = 0
        self.over = threading.Event()
        self._socks: list[Any] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self._begin(self._accept)

    def _begin(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else a reset overtakes the answer before it
            self.connections += 1
            self._socks.append(sock)
            self._begin(self._play, sock, self.connections - 1)

    def _play(self, sock: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, EOFError), contextlib.ExitStack() as stack:
            stack.callback(sock.close)
            wrapped: Any = sock
            if self.context is not None:
                wrapped = self.context.wrap_socket(sock, server_side=True)
                self._socks.append(wrapped)
                stack.callback(wrapped.close)
            self.script(Peer(wrapped, self), number)

    def close(self) -> None:
        """End every connection and wait for their threads."""
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._socks:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        deadline = time.monotonic() + 60
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            assert not thread.is_alive(), "a connection's script did not end"


@contextmanager
def serving(script: Callable[[Peer, int], None], tls: Certificate | None = None) -> Iterator[Server]:
    """A server that plays a script, plain or with TLS."""
    server = Server(script, tls.context() if tls is not None else None)
    try:
        yield server
    finally:
        server.close()


def always(*answers: Callable[[Peer], None]) -> Callable[[Peer, int], None]:
    """A script that plays its answers in turn on every connection, the last one repeatedly, after whole requests."""

    def script(peer: Peer, number: int) -> None:
        turn = 0
        while True:
            peer.request()
            answers[min(turn, len(answers) - 1)](peer)
            turn += 1

    return script


class Certificate:
    """A self-signed certificate for 127.0.0.1, in a file that SSL_CERT_FILE may name; valid for some days from now."""

    def __init__(self, folder: Path, days: int = 2) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a server of these tests")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256())
        )
        self.path = folder / "certificate.pem"
        self._key = folder / "key.pem"
        self.path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        self._key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def context(self) -> ssl.SSLContext:
        """A server's context with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self._key)
        return context
