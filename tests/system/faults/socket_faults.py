"""What can go wrong on the wire, each as a function that spoils one exchange of the proxy."""

from __future__ import annotations

import time
from email.utils import formatdate

from .fault_proxy import Answer, Exchange, Fault, Proxy, faithful

CLOSED_FOR = 0.02  # seconds that nobody listens, where that is to pass
TEXT = ("content-type", "text/plain; charset=utf-8")
XML = ("content-type", "application/xml")


def refused(exchange: Exchange) -> None:
    """Nobody listens: the request before ends its connection, and no other can be made for a while."""
    faithful(exchange)  # the client was on another connection already, or came when the while was over


def _refuse(proxy: Proxy, lasting: bool) -> None:
    proxy.refuse(None if lasting else CLOSED_FOR)


refused.beforehand = _refuse  # type: ignore[attr-defined]


def reset_before(exchange: Exchange) -> None:
    """The connection is reset before the request is read."""
    exchange.reset()


def reset_in_request(exchange: Exchange) -> None:
    """The connection is reset when half of the body has come; the server sees that half."""
    exchange.read(0.5)
    if exchange.length:
        exchange.forward(0.5)
    exchange.reset()


def answer_lost(exchange: Exchange) -> None:
    """The server acts, and the connection is reset instead of its answer."""
    exchange.read()
    exchange.forward()
    exchange.reset()


def reset_in_answer(exchange: Exchange) -> None:
    """The connection is reset after the head and half of the body."""
    exchange.read()
    exchange.give(exchange.forward(), 0.5)
    exchange.reset()


def truncated(exchange: Exchange) -> None:
    """The connection ends as if nothing was wrong, after half of the body."""
    exchange.read()
    exchange.give(exchange.forward(), 0.5)
    exchange.end()


def stalled(exchange: Exchange) -> None:
    """The request is read and nothing comes back."""
    exchange.read()
    exchange.hang()


def stalled_in_answer(exchange: Exchange) -> None:
    """Half of the answer's body comes, and then nothing."""
    exchange.read()
    answer = exchange.forward()
    exchange.give(answer, 0.5)
    if answer.body:
        exchange.hang()


def failed_500(exchange: Exchange) -> None:
    """The server fails before it acts; the connection is dead and does not say so."""
    exchange.read()
    _dead(exchange)


def acted_500(exchange: Exchange) -> None:
    """The server acts and then fails; the connection is dead and does not say so."""
    exchange.read()
    exchange.forward()
    _dead(exchange)


def _dead(exchange: Exchange) -> None:
    exchange.give(Answer(500, [TEXT], b"Internal Server Error"))
    if exchange.sock.recv(1):  # whoever uses it again finds it reset
        exchange.reset()
    exchange.end()


def busy_503(exchange: Exchange) -> None:
    """The server is busy and says for how long."""
    exchange.read()
    exchange.give(Answer(503, [XML, ("retry-after", "0")], b"<Error><Code>SlowDown</Code></Error>"))


def expired_403(exchange: Exchange) -> None:
    """A presigned URL is over by the server's clock; the platform has no such answer."""
    exchange.read()
    if not exchange.presigned:
        exchange.give(exchange.forward())
        return
    date = formatdate(time.time() + 13 * 3600, usegmt=True)
    said = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
    exchange.give(Answer(403, [XML, ("date", date)], said))


def flipped(exchange: Exchange) -> None:
    """A bit of what goes to a bucket changes on its way, and another one of what comes back."""
    exchange.read()
    if exchange.presigned:
        exchange.body = _bent(exchange.body)
    answer = exchange.forward()
    if exchange.presigned and len(answer.body) > 1:
        answer = answer._replace(body=_bent(answer.body, 3))
    exchange.give(answer)


def _bent(data: bytes, share: int = 2) -> bytes:
    at = len(data) // share
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] if data else data


def error_in_200(exchange: Exchange) -> None:
    """The bucket does nothing, and says so inside a 200."""
    exchange.read()
    if not exchange.presigned:
        exchange.give(exchange.forward())
        return
    exchange.give(Answer(200, [XML], b"<Error><Code>InternalError</Code><Message>Try again</Message></Error>"))


def no_etag(exchange: Exchange) -> None:
    """The bucket does what it was asked, and tells no ETag."""
    exchange.read()
    answer = exchange.forward()
    exchange.give(answer._replace(headers=[each for each in answer.headers if each[0].lower() != "etag"]))


FAULTS: tuple[Fault, ...] = (
    refused,
    reset_before,
    reset_in_request,
    answer_lost,
    reset_in_answer,
    truncated,
    stalled,
    stalled_in_answer,
    failed_500,
    acted_500,
    busy_503,
    expired_403,
    flipped,
    error_in_200,
    no_etag,
)
