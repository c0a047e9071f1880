"""A server that never answers."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from luml_lite import Config, Timeouts
from luml_lite.core.request import FileSlice, Request, Response, raw_response

PATIENT = Config(timeouts=Timeouts(connect=1000, read=1000, stall_window=1000))  # nothing ends by itself
PROMPT = 30  # seconds, on a busy machine


@contextmanager
def silent_server() -> Iterator[str]:
    """A server that accepts connections, reads nothing, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def put_request(base: str, path: Path) -> Request[Response]:
    """A presigned PUT of a file to the silent server."""
    size = path.stat().st_size
    return Request(
        method="PUT", url=f"{base}/x", body=FileSlice(str(path), 0, size), presigned=True, reply=raw_response
    )


def socket_count() -> int:
    """The number of open sockets of this process."""
    links = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
    return sum(os.readlink(link).startswith("socket:") for link in links if os.path.lexists(link))
