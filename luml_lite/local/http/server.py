"""The HTTP face: the standard library's server with threads, and the limits that make it safe to leave running.

A connection gets a thread, up to a number of them; a watchdog cuts those that send their head too slowly, move too few
bytes, or say nothing for too long. Bodies go through one buffer a thread and files leave by sendfile, so memory does
not grow with what is stored.
"""

from __future__ import annotations

import logging
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from typing import Any

from ..registry import Registry
from ..responses import BodyLost
from .connection import Connection, SeenRequest
from .limits import Limits

_log = logging.getLogger("luml_lite.local")
_FINISH = 10.0  # seconds that requests in flight get when the server stops
_ABORT = 5.0  # seconds that their threads then get to clean up


class Server(socketserver.TCPServer):
    """Serves one registry on one address until `stop`."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self,
        registry: Registry,
        host: str,
        port: int,
        limits: Limits,
        on_request: Callable[[SeenRequest], None] | None = None,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.registry = registry
        self.limits = limits
        self.on_request = on_request
        self._free = threading.BoundedSemaphore(limits.connections)
        self._taken = 0
        self._watched: set[Connection] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        super().__init__((host, port), Connection)
        shown = f"[{host}]" if ":" in host else host
        self.base_url = f"http://{shown}:{self.server_address[1]}"
        self._watchdog = threading.Thread(target=self._watch, name="luml-local-watchdog", daemon=True)
        self._watchdog.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread; while all are taken, further ones wait in the backlog."""
        while not self._free.acquire(timeout=0.1):
            if self._ended.is_set():
                self.shutdown_request(request)
                return
        self._count(1)
        thread = threading.Thread(target=self._connection, args=(request, client_address), daemon=True)
        try:
            thread.start()
        except BaseException:
            self._give_back()
            raise

    def stop(self) -> None:
        """Stop listening, let every request that has begun end, for a while, and end the connections."""
        self._ended.set()
        self.shutdown()
        self.server_close()
        self._drain(Connection.finish_and_close, _FINISH)
        self._drain(Connection.abort, _ABORT)
        self._watchdog.join()

    def _drain(self, end: Callable[[Connection], None], seconds: float) -> None:
        """End connections until each has given its place back, or the time is over."""
        deadline = time.monotonic() + seconds
        while self._taken and time.monotonic() < deadline:
            for handler in self._handlers():
                end(handler)
            time.sleep(0.01)

    def _handlers(self) -> list[Connection]:
        with self._lock:
            return list(self._watched)

    def watch(self, handler: Connection) -> None:
        """Have the watchdog look at a connection."""
        with self._lock:
            self._watched.add(handler)

    def unwatch(self, handler: Connection) -> None:
        """The connection is over."""
        with self._lock:
            self._watched.discard(handler)

    def _connection(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except (OSError, BodyLost):
            pass  # the client is gone, or was cut off
        except Exception:
            _log.exception("a connection failed")
        finally:
            self.shutdown_request(request)
            self._give_back()

    def _count(self, change: int) -> None:
        with self._lock:
            self._taken += change

    def _give_back(self) -> None:
        self._count(-1)
        self._free.release()

    def _watch(self) -> None:
        while not self._ended.wait(min(0.5, self.limits.head / 4, self.limits.idle / 4, self.limits.stall / 4)):
            moment = time.monotonic()
            for handler in self._handlers():
                if moment >= handler.deadline:
                    handler.abort()
