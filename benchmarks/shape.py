"""A slow link: a proxy process that limits the rate, delays every byte, and cuts some connections.

One link each way is shared by all connections. Bytes leave when the link is free and arrive half a round trip later; a
new connection waits one round trip more, as its handshake would. Slow start and loss are not modelled.
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

from .peer import Peer

_CHUNK = 16 * 1024
_LATE = 0.005  # seconds


class Link:
    """One direction: a clock that says when the next byte can leave."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._lock = threading.Lock()
        self._free = 0.0

    def departs(self, count: int) -> float:
        """When the last of `count` bytes has left, on the monotonic clock."""
        with self._lock:
            # A thread that wakes a little late must not leave the link idle: it may catch up that much.
            self._free = max(self._free, time.monotonic() - _LATE) + count / self._rate
            return self._free


class Shape:
    """A shaping proxy in front of a port, in a process of its own; a context manager.

    `rate` in bytes a second, `rtt` in seconds. A connection is cut with probability `cut`, and the first `cut_first`
    ones that carry so much for certain, somewhere in their first 8 MiB.
    """

    def __init__(self, port: int, rate: float, rtt: float, cut: float, cut_first: int) -> None:
        self._options = [port, rate, rtt, cut, cut_first]

    def __enter__(self) -> str:
        self._peer = Peer("benchmarks.shape", *self._options)
        return f"http://127.0.0.1:{self._peer.told}"

    def __exit__(self, *failure: object) -> None:
        self._peer.stop()


class Cuts:
    """How many connections are still to be cut for certain."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._left = count

    def take(self) -> bool:
        """Whether this one is among them."""
        with self._lock:
            self._left -= 1
            return self._left >= 0


def _pump(
    source: socket.socket, sink: socket.socket, link: Link, delay: float, greeting: float, cut_at: int, cut: Cuts | None
) -> None:
    """Carry bytes one way until there are no more, or `cut_at` have gone and both sides are reset.

    Without `cut` that happens for certain, else if it has a cut left.
    """
    # What is on its way: at most what the link holds in a delay and a little more, so that senders feel its rate.
    flying: queue.Queue[tuple[float, bytes]] = queue.Queue(maxsize=128)

    def deliver() -> None:
        while True:
            due, data = flying.get()
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
            if moved >= cut_at and (cut is None or cut.take()):
                for each in (source, sink):
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    each.shutdown(socket.SHUT_RD)  # else the other way's thread, which reads it, holds the reset back
                    each.close()
                return
            if moved >= cut_at:
                cut_at = 1 << 62
            leaves = link.departs(len(data)) + greeting
            flying.put((leaves + delay, data))
            greeting = 0.0
            time.sleep(max(0.0, leaves - time.monotonic()))
        flying.put((time.monotonic() + delay, b""))
    except OSError:
        flying.put((0.0, b""))


def main() -> None:
    """Serve until standard input ends."""
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
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", options.port))
            for each in (near, far):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            cut_at = chance.randrange(1 << 20, 8 << 20)
            cut = None if chance.random() < options.cut else cuts
            for way in ((near, far, up, options.rtt), (far, near, down, 0.0)):
                source, sink, link, greeting = way
                work = (source, sink, link, options.rtt / 2, greeting, cut_at, cut)
                threading.Thread(target=_pump, args=work, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(json.dumps(listener.getsockname()[1]), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
