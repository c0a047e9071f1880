"""The paths that the registry answers."""

from __future__ import annotations

from ..client import RegistryClient


def test_a_trailing_slash_is_redirected_to_the_path_without_it(client: RegistryClient) -> None:
    answer = client.ask("GET", f"{client.orbit}/artifacts/?limit=1&search=a+b")
    assert answer.status == 307
    assert answer.headers["location"].endswith(f"{client.orbit}/artifacts?limit=1&search=a+b")
    assert client.ask("GET", answer.headers["location"].removeprefix("http://registry.test")).status == 200
