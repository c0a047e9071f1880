"""A new directory has one of each resource."""

from __future__ import annotations

from ..client import RegistryClient


def test_a_directory_starts_with_one_of_each(client: RegistryClient) -> None:
    assert [item["role"] for item in client.ask("GET", "/v1/users/me/organizations").body] == ["owner"]
    (orbit,) = client.ask("GET", f"{client.organization}/orbits").body
    assert (orbit["total_collections"], orbit["total_members"], orbit["role"]) == (1, 1, None)
    (collection,) = client.ask("GET", f"{client.orbit}/collections").body["items"]
    assert collection["type"] == "mixed"
    assert client.ask("GET", "/v1/auth/api-keys/validate").status == 204
    for nothing in ("deployments", "satellites"):
        assert client.ask("GET", f"{client.orbit}/{nothing}").body == []
