"""The paths that the registry answers."""

from __future__ import annotations

from ..client import Desk


def test_a_trailing_slash_is_redirected_to_the_path_without_it(desk: Desk) -> None:
    answer = desk.ask("GET", f"{desk.orbit}/artifacts/?limit=1&search=a+b")
    assert answer.status == 307
    assert answer.headers["location"].endswith(f"{desk.orbit}/artifacts?limit=1&search=a+b")
    assert desk.ask("GET", answer.headers["location"].removeprefix("http://registry.test")).status == 200
