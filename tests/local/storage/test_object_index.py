"""The index of objects: which file is behind a key."""

from __future__ import annotations

from ..client import BASE, Bytes, RegistryClient
from .uploads import file_count


def test_an_object_of_the_same_key_is_replaced_and_its_readers_keep_the_old_one(client: RegistryClient) -> None:
    url = client.made(3)["upload_details"]["url"]
    client.ask("PUT", url, b"old")
    identity = client.ask("GET", f"{client.orbit}/artifacts").body["items"][0]["id"]
    read = client.ask("GET", f"{client.artifacts}/{identity}/download-url").body["url"]
    reply = client.registry.handle("GET", read.removeprefix(BASE), {}, Bytes(), BASE)
    assert not isinstance(reply.body, bytes)
    client.ask("PUT", url, b"newer")
    assert reply.body[0].open().read() == b"old"
    reply.close()
    assert client.ask("GET", read).body == b"newer"
    assert file_count(client.registry) == 1
