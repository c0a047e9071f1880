"""The paths that the registry answers."""

from __future__ import annotations

import pytest

from ..client import RegistryClient


def test_a_trailing_slash_is_redirected_to_the_path_without_it(client: RegistryClient) -> None:
    answer = client.ask("GET", f"{client.orbit}/artifacts/?limit=1&search=a+b")
    assert answer.status == 307
    assert answer.headers["location"].endswith(f"{client.orbit}/artifacts?limit=1&search=a+b")
    assert client.ask("GET", answer.headers["location"].removeprefix("http://registry.test")).status == 200


@pytest.mark.parametrize("prefix", ["/v1", ""])
def test_what_needs_a_password_refuses_a_key(client: RegistryClient, prefix: str) -> None:
    """Also for a wrong id and a wrong body, which the platform looks at later."""
    organization, orbit = (path.replace("/v1", prefix) for path in (client.organization, client.orbit))
    for method, path in (
        ("GET", organization),
        ("POST", f"{prefix}/organizations"),
        ("POST", f"{prefix}/users/me/api-keys"),
        ("GET", f"{prefix}/auth/users/me"),
        ("POST", f"{orbit}/members"),
        ("DELETE", f"{orbit}/members/nobody"),
    ):
        answer = client.ask(method, path, {})
        assert (answer.status, answer.body) == (403, {"detail": "This endpoint requires jwt authentication."})
        assert client.ask(method, path, {}, authorization="Bearer dfs_wrong").status == 401
    refused = client.ask("GET", f"{prefix}/organizations")
    assert (refused.status, refused.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("deployments", "Deployment not found"),
        ("satellites", "Satellite not found"),
        ("secrets", "Orbit secret not found"),
    ],
)
def test_a_directory_has_no_deployments_satellites_and_orbit_secrets(
    client: RegistryClient, name: str, detail: str
) -> None:
    assert client.ask("GET", f"{client.orbit}/{name}").body == []
    for method in ("GET", "DELETE"):
        answer = client.ask(method, f"{client.orbit}/{name}/{client.registry.names.orbit}")
        assert (answer.status, answer.body) == (404, {"detail": detail})


def test_a_word_in_place_of_an_id_is_an_id_where_only_that_path_has_the_method(client: RegistryClient) -> None:
    track = client.ask("POST", f"{client.orbit}/tracks", {"name": "t", "artifact_type": "model"}).body["id"]
    path = f"{client.orbit}/tracks/{track}/entries/by-stage"
    assert client.ask("GET", path).body["detail"][0]["loc"] == ["query", "stage_id"]
    for method, body in (("PATCH", {}), ("DELETE", None)):
        answer = client.ask(method, path, body)
        assert (answer.status, answer.body["detail"][0]["loc"]) == (422, ["path", "entry_id"])
    assert client.ask("PUT", path).headers["allow"] == "GET"
