"""Sending a response body from memory or from files, so that progress can be observed."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from ...files.buffers import CHUNK
from ..responses import BodyLost, FileRange

_MAX_UNSENT = 128 * 1024  # bytes in the kernel's buffer that are not on their way yet


def send_body(connection: socket.socket, body: bytes | tuple[FileRange, ...], on_bytes: Callable[[int], None]) -> None:
    """Send a body, and call `on_bytes(count)` as bytes leave; BodyLost if a file is too short.

    The socket is non-blocking and the kernel buffers little meanwhile, so that `on_bytes` reports real progress.
    """
    connection.setblocking(False)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _MAX_UNSENT)
    with selectors.DefaultSelector() as writable:
        writable.register(connection, selectors.EVENT_WRITE)
        if isinstance(body, bytes):
            _send_all(writable, len(body), partial(_send_memory, connection, memoryview(body)), on_bytes)
        else:
            for part in body:
                with part.open() as file:
                    _send_all(writable, part.length, partial(_send_file, connection, file, part.offset), on_bytes)
    connection.setblocking(True)


def _send_all(
    writable: selectors.BaseSelector, length: int, send: Callable[[int, int], int], on_bytes: Callable[[int], None]
) -> None:
    """Call `send(start, count)`, which returns how many bytes it sent, until `length` bytes are sent."""
    done = 0
    while done < length:
        writable.select()
        try:
            sent = send(done, min(CHUNK, length - done))
        except BlockingIOError:
            continue
        if not sent:
            raise BodyLost
        done += sent
        on_bytes(sent)


def _send_memory(connection: socket.socket, content: memoryview, start: int, count: int) -> int:
    return connection.send(content[start : start + count])


def _send_file(connection: socket.socket, file: BinaryIO, offset: int, start: int, count: int) -> int:
    if hasattr(os, "sendfile"):
        return os.sendfile(connection.fileno(), file.fileno(), offset + start, count)
    file.seek(offset + start)
    return connection.send(file.read(count))
