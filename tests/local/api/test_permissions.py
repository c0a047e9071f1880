"""The permissions of each role."""

from __future__ import annotations

from typing import Any

import pytest

from luml_lite.local.api.permissions import ROLES, Role

from ..client import RegistryClient, model


def client_for(client: RegistryClient, role: Role) -> RegistryClient:
    """The same registry, asked with the key of a new user in that role."""
    return RegistryClient(client.registry, client.registry.make_key(role))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_the_permissions_that_the_platform_gives_it(client: RegistryClient, role: Role) -> None:
    theirs = client_for(client, role)
    made = client.made()["artifact"]
    path = f"{client.artifacts}/{made['id']}"
    everything = role in ("owner", "admin")
    deletes = role != "orbit_member"
    collection = {"name": "c", "description": "", "type": "model"}
    parts = {"bucket_id": client.registry.names.bucket_secret, "bucket_location": "k", "size": 1, "upload_id": "u"}
    allowed = {
        ("GET", f"{client.organization}/orbits"): True,
        ("GET", client.orbit): True,
        ("GET", f"{client.orbit}/artifacts"): True,
        ("GET", path): True,
        ("POST", client.artifacts): True,
        ("PATCH", path): True,
        ("POST", f"{client.orbit}/collections"): True,
        ("GET", f"{path}/delete-url"): deletes,
        ("DELETE", path): deletes,
        ("GET", f"{client.organization}/bucket-secrets"): everything,
        ("POST", "/v1/bucket-secrets/upload/multipart"): everything,
        ("POST", f"{client.organization}/orbits"): everything,
    }
    bodies: dict[Any, Any] = {
        ("POST", client.artifacts): model(),
        ("PATCH", path): {"status": "uploaded"},
        ("POST", f"{client.orbit}/collections"): collection,
        ("POST", "/v1/bucket-secrets/upload/multipart"): parts,
        ("POST", f"{client.organization}/orbits"): {
            "name": "o",
            "bucket_secret_id": client.registry.names.bucket_secret,
        },
    }
    for (method, url), allows in allowed.items():
        answer = theirs.ask(method, url, bodies.get((method, url)))
        assert (answer.status < 300) is allows, (method, url, answer)
        if not allows:
            assert answer.body == {"detail": "Not enough rights"}


def test_a_member_sees_their_orbit_only(client: RegistryClient) -> None:
    secret = client.registry.names.bucket_secret
    other = client.ask("POST", f"{client.organization}/orbits", {"name": "o", "bucket_secret_id": secret}).body["id"]
    theirs = client_for(client, "orbit_member")
    shown = theirs.ask("GET", f"{client.organization}/orbits").body
    assert [(orbit["id"], orbit["role"]) for orbit in shown] == [(client.registry.names.orbit, "member")]
    assert "delete" not in shown[0]["permissions"]["artifact"]
    for path, status in (("", 404), ("/artifacts", 403), ("/collections", 403)):
        assert theirs.ask("GET", f"{client.organization}/orbits/{other}{path}").status == status
    own = theirs.ask("GET", client.orbit).body
    assert (own["role"], own["permissions"]) == (None, shown[0]["permissions"]), "as on the platform"
    assert (shown[0]["total_artifacts"], own["total_artifacts"]) == (None, 0)
    missing = "00000000-0000-0000-0000-000000000000"
    for path in ("", "/artifacts", "/collections", "/tracks"):
        answer = theirs.ask("GET", f"{client.organization}/orbits/{missing}{path}")
        assert (answer.status, answer.body) == (404, {"detail": "Orbit not found"})
