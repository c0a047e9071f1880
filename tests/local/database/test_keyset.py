"""Cursors of the registry's lists."""

from __future__ import annotations

from ..client import Desk, rows_of


def test_a_cursor_of_another_list_is_ignored(desk: Desk) -> None:
    rows_of(desk)
    path = f"{desk.orbit}/artifacts"
    first = desk.ask("GET", f"{path}?limit=3&sort_by=name").body
    again = desk.ask("GET", f"{path}?limit=3&sort_by=name&cursor={first['cursor']}").body
    assert again["items"] != first["items"]
    for other in ("sort_by=size", "sort_by=name&order=asc", "sort_by=name&search=a", "sort_by=name&types=model"):
        fresh = desk.ask("GET", f"{path}?limit=3&{other}").body
        assert desk.ask("GET", f"{path}?limit=3&{other}&cursor={first['cursor']}").body["items"] == fresh["items"]
