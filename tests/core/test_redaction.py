"""No value, error or header shows a secret."""

from __future__ import annotations

from luml_lite.core.request import Request, no_content


def test_secret_headers_are_hidden_in_any_case() -> None:
    """The bearer, and cookies."""
    for name in ("Authorization", "authorization", "Proxy-Authorization", "Cookie"):
        assert "SECRET" not in repr(Request(method="GET", url="/x", headers=((name, "SECRET"),), reply=no_content))
