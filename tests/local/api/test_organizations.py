"""A new directory has one of each resource."""

from __future__ import annotations

from ..client import Desk


def test_a_directory_starts_with_one_of_each(desk: Desk) -> None:
    assert [item["role"] for item in desk.ask("GET", "/v1/users/me/organizations").body] == ["owner"]
    (orbit,) = desk.ask("GET", f"{desk.organization}/orbits").body
    assert (orbit["total_collections"], orbit["total_members"], orbit["role"]) == (1, 1, None)
    (collection,) = desk.ask("GET", f"{desk.orbit}/collections").body["items"]
    assert collection["type"] == "mixed"
    assert desk.ask("GET", "/v1/auth/api-keys/validate").status == 204
    for nothing in ("deployments", "satellites"):
        assert desk.ask("GET", f"{desk.orbit}/{nothing}").body == []
