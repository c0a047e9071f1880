"""Cursors of the registry's lists."""

from __future__ import annotations

from ..client import RegistryClient, rows_of


def test_a_cursor_of_another_list_is_ignored(client: RegistryClient) -> None:
    rows_of(client)
    path = f"{client.orbit}/artifacts"
    first = client.ask("GET", f"{path}?limit=3&sort_by=name").body
    again = client.ask("GET", f"{path}?limit=3&sort_by=name&cursor={first['cursor']}").body
    assert again["items"] != first["items"]
    for other in ("sort_by=size", "sort_by=name&order=asc", "sort_by=name&search=a", "sort_by=name&types=model"):
        fresh = client.ask("GET", f"{path}?limit=3&{other}").body
        assert client.ask("GET", f"{path}?limit=3&{other}&cursor={first['cursor']}").body["items"] == fresh["items"]
