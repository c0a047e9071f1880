"""What leaves on a connection after the head: bytes of memory or of files, counted as the client takes them."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from ...files.buffers import CHUNK
from ..responses import BodyLost, FileRange

_WAITING = 128 * 1024  # bytes that the kernel holds before they are on their way


def send_body(connection: socket.socket, body: bytes | tuple[FileRange, ...], moved: Callable[[int], None]) -> None:
    """Send a body; `moved` hears of every byte that left, so that a slow client can be told from a dead one.

    For that the socket does not block, and little waits in the kernel. A file that is too short is a BodyLost.
    """
    connection.setblocking(False)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _WAITING)
    with selectors.DefaultSelector() as takes:
        takes.register(connection, selectors.EVENT_WRITE)
        if isinstance(body, bytes):
            _send_all(takes, len(body), partial(_send_memory, connection, memoryview(body)), moved)
        else:
            for part in body:
                with part.open() as file:
                    _send_all(takes, part.length, partial(_send_file, connection, file, part.offset), moved)
    connection.setblocking(True)


def _send_all(
    takes: selectors.BaseSelector, length: int, some: Callable[[int, int], int], moved: Callable[[int], None]
) -> None:
    done = 0
    while done < length:
        takes.select()
        try:
            sent = some(done, min(CHUNK, length - done))
        except BlockingIOError:
            continue
        if not sent:
            raise BodyLost
        done += sent
        moved(sent)


def _send_memory(connection: socket.socket, content: memoryview, start: int, count: int) -> int:
    return connection.send(content[start : start + count])


def _send_file(connection: socket.socket, file: BinaryIO, offset: int, start: int, count: int) -> int:
    if hasattr(os, "sendfile"):
        return os.sendfile(connection.fileno(), file.fileno(), offset + start, count)
    file.seek(offset + start)
    return connection.send(file.read(count))
