"""The registry's lists of artifacts: pages, order, search and filters."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from ..client import RegistryClient, rows_of


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("types", [[], ["dataset"], ["experiment", "model"]], ids=str)
@pytest.mark.parametrize("sort", ["created_at", "name", "size", "description", "status", "type", "file_hash", "F1"])
def test_the_pages_together_are_the_sorted_list(
    client: RegistryClient, sort: str, order: str, types: list[str]
) -> None:
    rows = [row for row in rows_of(client) if row["type"] in (types or ("model", "dataset"))]

    def key(row: dict[str, Any]) -> Any:
        value = row.get(sort, row["extra_values"].get(sort))
        if sort == "F1" and (not isinstance(value, int | float) or isinstance(value, bool)):
            value = None
        return value is not None, value if value is not None else 0, row["id"]

    expected = [row["id"] for row in sorted(rows, key=key, reverse=order == "desc")]
    for limit in (1, 5, 100):
        found: list[str] = []
        cursor = None
        while True:
            query = {"sort_by": sort, "order": order, "limit": limit, "types": types}
            query |= {"cursor": cursor} if cursor else {}
            page = client.ask("GET", f"{client.orbit}/artifacts?{urlencode(query, doseq=True)}").body
            found += [item["id"] for item in page["items"]]
            cursor = page["cursor"]
            if cursor is None:
                break
        assert found == expected


def test_search_finds_a_part_of_the_name_in_any_case(client: RegistryClient) -> None:
    """As a LIKE pattern, whose wildcards a backslash escapes."""
    for name in ("Größe", "100%", "a_b", "other"):
        client.made(name=name)
    for search, found in (
        ("GRÖSSE", ["Größe"]),
        (r"\%", ["100%"]),
        (r"\_", ["a_b"]),
        ("a_b", ["a_b"]),
        ("1%%", ["100%"]),
        ("1%0_", ["100%"]),
        ("THE", ["other"]),
        ("nope", []),
    ):
        items = client.ask("GET", f"{client.orbit}/artifacts?{urlencode({'search': search})}").body["items"]
        assert [item["name"] for item in items] == found
