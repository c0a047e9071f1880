"""The models of uploads."""

from __future__ import annotations

from luml_lite.core.redaction import redact_url


def test_a_url_is_shown_without_its_query() -> None:
    """Whether there was one is still seen."""
    assert redact_url("https://b.example/k?sig=s") == "https://b.example/k?..."
    assert redact_url("https://b.example/k") == "https://b.example/k"
    assert redact_url(None) is None
