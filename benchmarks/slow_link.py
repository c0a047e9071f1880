"""A slow link: a proxy process that limits the rate, delays every byte, and cuts some connections.

All connections share one link in each direction. Bytes leave when the link is free and arrive half a round trip later.
A new connection waits one more round trip, as for a handshake. Slow start and packet loss are not modelled.
"""

from __future__ import annotations

import argparse
import json
import queue
import random
import socket
import struct
import sys
import threading
import time

from .subprocesses import Subprocess

_CHUNK = 16 * 1024
_LATE = 0.005  # seconds by which a thread may wake too late


class Link:
    """One direction of the link, which sends `rate` bytes per second."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._lock = threading.Lock()
        self._free = 0.0

    def reserve(self, count: int) -> float:
        """Reserve the link for `count` bytes; return the time of the monotonic clock at which the last one leaves."""
        with self._lock:
            # A thread that wakes late must not leave the link idle, so it may catch up by _LATE.
            self._free = max(self._free, time.monotonic() - _LATE) + count / self._rate
            return self._free


class SlowLink:
    """A context manager that runs the proxy in front of a port, and gives the URL of the proxy.

    `rate` is in bytes per second, `rtt` in seconds. A connection is cut with probability `cut`. The first `cut_first`
    connections are always cut. The cut comes within the first 8 MiB of a connection that carries enough.
    """

    def __init__(self, port: int, rate: float, rtt: float, cut: float, cut_first: int) -> None:
        self._options = [port, rate, rtt, cut, cut_first]

    def __enter__(self) -> str:
        self._process = Subprocess("benchmarks.slow_link", *self._options)
        return f"http://127.0.0.1:{self._process.first_line}"

    def __exit__(self, *failure: object) -> None:
        self._process.stop()


class Cuts:
    """The number of connections that are still to be cut."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._left = count

    def take(self) -> bool:
        """Count one connection down; whether it is to be cut."""
        with self._lock:
            self._left -= 1
            return self._left >= 0


def _pump(
    source: socket.socket,
    sink: socket.socket,
    link: Link,
    delay: float,
    handshake: float,
    cut_at: int,
    cuts: Cuts | None,
) -> None:
    """Carry bytes in one direction until the sender ends, or reset both sides after `cut_at` bytes.

    With `cuts`, the reset happens only if a cut is left.
    """
    # Bytes on their way: little more than the link holds during the delay, so that senders are slowed to its rate.
    in_flight: queue.Queue[tuple[float, bytes]] = queue.Queue(maxsize=128)

    def deliver() -> None:
        while True:
            due, data = in_flight.get()
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
            except OSError:
                return

    threading.Thread(target=deliver, daemon=True).start()
    moved = 0
    try:
        while data := source.recv(_CHUNK):
            moved += len(data)
            if moved >= cut_at and (cuts is None or cuts.take()):
                for each in (source, sink):
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    # Otherwise the thread of the other direction, which reads the socket, delays the reset.
                    each.shutdown(socket.SHUT_RD)
                    each.close()
                return
            if moved >= cut_at:
                cut_at = 1 << 62
            leaves = link.reserve(len(data)) + handshake
            in_flight.put((leaves + delay, data))
            handshake = 0.0
            time.sleep(max(0.0, leaves - time.monotonic()))
        in_flight.put((time.monotonic() + delay, b""))
    except OSError:
        in_flight.put((0.0, b""))


def main() -> None:
    """Run the proxy until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("rate", type=float)
    parser.add_argument("rtt", type=float)
    parser.add_argument("cut", type=float)
    parser.add_argument("cut_first", type=int)
    options = parser.parse_args()
    chance = random.Random(6)
    up, down = Link(options.rate), Link(options.rate)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)

    def accept() -> None:
        cuts = Cuts(options.cut_first)
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", options.port))
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            cut_at = chance.randrange(1 << 20, 8 << 20)
            cut = None if chance.random() < options.cut else cuts
            for way in ((client, server, up, options.rtt), (server, client, down, 0.0)):
                source, sink, link, handshake = way
                work = (source, sink, link, options.rtt / 2, handshake, cut_at, cut)
                threading.Thread(target=_pump, args=work, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(json.dumps(listener.getsockname()[1]), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
