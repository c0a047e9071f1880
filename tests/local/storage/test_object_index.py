"""The index of objects: which file is behind a key."""

from __future__ import annotations

from ..client import BASE, Bytes, Desk
from .uploads import file_count


def test_an_object_of_the_same_key_is_replaced_and_its_readers_keep_the_old_one(desk: Desk) -> None:
    url = desk.made(3)["upload_details"]["url"]
    desk.ask("PUT", url, b"old")
    identity = desk.ask("GET", f"{desk.orbit}/artifacts").body["items"][0]["id"]
    read = desk.ask("GET", f"{desk.artifacts}/{identity}/download-url").body["url"]
    reply = desk.registry.handle("GET", read.removeprefix(BASE), {}, Bytes(), BASE)
    assert not isinstance(reply.body, bytes)
    desk.ask("PUT", url, b"newer")
    assert reply.body[0].open().read() == b"old"
    reply.close()
    assert desk.ask("GET", read).body == b"newer"
    assert file_count(desk.registry) == 1
