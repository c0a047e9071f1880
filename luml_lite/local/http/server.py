"""The HTTP server: the standard library's TCP server with one thread for each connection.

Limits make it safe to leave running. The number of threads is limited, and a watchdog ends connections that are idle
for too long, send their head too slowly or move too few bytes. Memory does not grow with the stored objects, because
request bodies pass through one buffer per thread and files leave by sendfile.
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
_FINISH = 10.0  # seconds for requests in flight when the server stops
_ABORT = 5.0  # seconds for their threads to clean up afterwards


class Server(socketserver.TCPServer):
    """Serves one registry on one address until `stop`; `on_request` is called with every request and its status."""

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
        self._places = threading.BoundedSemaphore(limits.connections)
        self._connections = 0
        self._watched: set[Connection] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        super().__init__((host, port), Connection)
        name = f"[{host}]" if ":" in host else host
        self.base_url: str = f"http://{name}:{self.server_address[1]}"
        self._watchdog = threading.Thread(target=self._end_stalled, name="luml-local-watchdog", daemon=True)
        self._watchdog.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for the connection; while all places are taken, new connections wait in the backlog."""
        while not self._places.acquire(timeout=0.1):
            if self._stopping.is_set():
                self.shutdown_request(request)
                return
        self._count(1)
        thread = threading.Thread(target=self._serve, args=(request, client_address), daemon=True)
        try:
            thread.start()
        except BaseException:
            self._release()
            raise

    def stop(self) -> None:
        """Stop listening, wait some seconds for requests in flight, then end all connections."""
        self._stopping.set()
        self.shutdown()
        self.server_close()
        self._end_all(Connection.finish_and_close, _FINISH)
        self._end_all(Connection.abort, _ABORT)
        self._watchdog.join()

    def _end_all(self, end: Callable[[Connection], None], seconds: float) -> None:
        """Call `end` on all connections until every place is free or the time is over."""
        deadline = time.monotonic() + seconds
        while self._connections and time.monotonic() < deadline:
            for handler in self._handlers():
                end(handler)
            time.sleep(0.01)

    def _handlers(self) -> list[Connection]:
        with self._lock:
            return list(self._watched)

    def watch(self, handler: Connection) -> None:
        """Let the watchdog enforce the deadline of a connection."""
        with self._lock:
            self._watched.add(handler)

    def unwatch(self, handler: Connection) -> None:
        """Remove a connection that has ended."""
        with self._lock:
            self._watched.discard(handler)

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except (OSError, BodyLost):
            pass  # the client went away, or the watchdog ended the connection
        except Exception:
            _log.exception("a connection failed")
        finally:
            self.shutdown_request(request)
            self._release()

    def _count(self, change: int) -> None:
        with self._lock:
            self._connections += change

    def _release(self) -> None:
        self._count(-1)
        self._places.release()

    def _end_stalled(self) -> None:
        while not self._stopping.wait(min(0.5, self.limits.head / 4, self.limits.idle / 4, self.limits.stall / 4)):
            for handler in self._handlers():
                if handler.deadline.has_passed():
                    handler.abort()
