"""Buckets and proxies with habits of their own, on real sockets: everything works, or nothing is lost.

Each habit changes every exchange with the bucket, not one: there is no better answer to wait for.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

import luml_lite
from luml_lite.errors import LumlError, StorageError
from luml_lite.operations import get_object

from .faults.environment import STORAGES, Environment
from .faults.fault_proxy import Answer, Exchange, faithful

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:check_parts has no effect")]

PIECE = 70_000  # bytes of a longer body that a habit lets through at a time


def forwarded(exchange: Exchange, *dropped: str, **changed: str) -> Answer:
    """The bucket's answer without some headers, and with others that are changed where they are."""
    answer = exchange.forward()
    headers = [(name, value) for name, value in answer.headers if name.lower() not in dropped]
    return answer._replace(headers=[(name, changed.get(name.lower(), "{}").format(value)) for name, value in headers])


def without_etags(exchange: Exchange) -> None:
    """No answer has an ETag."""
    exchange.give(forwarded(exchange, "etag"))


def weak_etags(exchange: Exchange) -> None:
    """The ETag of what is read is weak, and a weak one in If-Match matches nothing."""
    if any(name.lower() == "if-match" and value.startswith("W/") for name, value in exchange.headers):
        exchange.give(Answer(412, [], b"<Error><Code>PreconditionFailed</Code></Error>"))
    else:
        exchange.give(forwarded(exchange, **({"etag": "W/{}"} if exchange.method == "GET" else {})))


def foreign_etags(exchange: Exchange) -> None:
    """The ETag of an object looks like S3's and is made in another way."""
    exchange.headers = [each for each in exchange.headers if each[0].lower() != "if-match"]  # it would match
    answer = forwarded(exchange, **({"etag": f'"{"1" * 32}-3"'} if exchange.method == "GET" else {}))
    body = re.sub(rb"[0-9a-f]{32}-\d+", b"1" * 32 + b"-3", answer.body) if exchange.method == "POST" else answer.body
    exchange.give(answer._replace(body=body))


def without_ranges(exchange: Exchange) -> None:
    """Whatever range is asked for, the whole object comes."""
    exchange.headers = [(name, value) for name, value in exchange.headers if name.lower() != "range"]
    exchange.give(forwarded(exchange, "accept-ranges"))


def short_ranges(exchange: Exchange) -> None:
    """A longer range comes with its first bytes only, and says so."""
    answer = exchange.forward()
    found = re.match(r"bytes (\d+)-\d+/(\d+)", answer.header("content-range"))
    if found and len(answer.body) > PIECE:
        said = f"bytes {found[1]}-{int(found[1]) + PIECE - 1}/{found[2]}"
        kept = [each for each in answer.headers if each[0].lower() != "content-range"]
        answer = Answer(206, [*kept, ("content-range", said)], answer.body[:PIECE])
    exchange.give(answer)


def without_lengths(exchange: Exchange) -> None:
    """A longer body has no length, ends with its connection, and is cut."""
    answer = exchange.forward()
    if exchange.method != "GET" or len(answer.body) <= PIECE:
        exchange.give(answer)
        return
    lines = [
        f"{name}: {value}" for name, value in answer.headers if name.lower() not in ("content-length", "connection")
    ]
    head = "\r\n".join([f"HTTP/1.1 {answer.status} OK", "connection: close", *lines, "", ""])
    exchange.sock.sendall(head.encode() + answer.body[:PIECE])
    exchange.end()


def portal(exchange: Exchange) -> None:
    """A page asks for a password, whatever was asked for."""
    exchange.give(Answer(200, [("content-type", "text/html")], b"<html>Please log in</html>"))


def proxy_404(exchange: Exchange) -> None:
    """A proxy does not know the bucket."""
    exchange.give(Answer(404, [("content-type", "text/html")], b"<html>Not found</html>"))


def always(environment: Environment, habit: Any) -> None:
    """Give the bucket a habit; the platform has none."""

    def fault(exchange: Exchange) -> None:
        exchange.read()
        if exchange.presigned:
            habit(exchange)
        else:
            exchange.give(exchange.forward())

    environment.proxy.arm(fault, 0, lasting=True)


HABITS = (without_etags, weak_etags, foreign_etags, without_ranges, short_ranges, without_lengths)


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.__name__)
@pytest.mark.parametrize("storage", STORAGES)
def test_a_bucket_with_a_habit_stores_reads_and_deletes(
    environments: Any, storage: str, habit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With parts that are checked, in one read and in ranges, and what is read in memory is right too."""
    monkeypatch.setattr(get_object, "RANGE", 60_000)
    monkeypatch.setattr(get_object, "WAVE", 120_000)
    environment = environments(storage)
    always(environment, habit)
    cfg = environment.through()
    made = luml_lite.upload(cfg, environment.model, habit.__name__)
    for ranged_from in (None, 1):
        luml_lite.download(cfg.replace(ranged_from=ranged_from), made.id, environment.target)
        assert environment.target.read_bytes() == environment.bytes
        environment.target.unlink()
    if habit is not without_ranges:
        assert b"".join(luml_lite.open_download(cfg, made.id)) == environment.bytes
    luml_lite.delete(cfg, made.id)
    assert luml_lite.get(environment.direct, made.id) is None
    environment.settled(cfg)


@pytest.mark.parametrize("habit", [portal, proxy_404], ids=lambda habit: habit.__name__)
@pytest.mark.parametrize("storage", STORAGES)
def test_nothing_is_believed_of_what_stands_before_a_bucket(environments: Any, storage: str, habit: Any) -> None:
    """No upload has succeeded, no object is deleted, and no target is written."""
    environment = environments(storage)
    made = luml_lite.upload(environment.direct, environment.model)
    always(environment, habit)
    cfg = environment.through()
    for call in (
        lambda: luml_lite.upload(cfg, environment.model, "new"),
        lambda: luml_lite.download(cfg, made.id, environment.target),
        lambda: luml_lite.read_member(cfg, made.id, "manifest.json"),
    ):
        with pytest.raises(LumlError):
            call()
    with pytest.raises(StorageError):
        luml_lite.delete(cfg, made.id)
    environment.proxy.arm(faithful)
    rows = {row.model_name: str(row.status) for row in luml_lite.list_all(environment.direct)}
    assert rows == {made.model_name: "deletion_failed", "new": "upload_failed"}
    assert not environment.target.exists()
    luml_lite.download(environment.direct, made.id, environment.target)
    assert environment.target.read_bytes() == environment.bytes
    environment.target.unlink()
    environment.emptied()
    environment.settled(cfg)
