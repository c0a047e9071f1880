"""The permissions of each role."""

from __future__ import annotations

from typing import Any

import pytest

from luml_lite.local.api.permissions import ROLES, Role

from ..client import Desk, model


def desk_for(desk: Desk, role: Role) -> Desk:
    """The same registry, asked with the key of a new user in that role."""
    return Desk(desk.registry, desk.registry.make_key(role))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_the_permissions_that_the_platform_gives_it(desk: Desk, role: Role) -> None:
    theirs = desk_for(desk, role)
    made = desk.made()["artifact"]
    path = f"{desk.artifacts}/{made['id']}"
    everything = role in ("owner", "admin")
    deletes = role != "orbit_member"
    collection = {"name": "c", "description": "", "type": "model"}
    parts = {"bucket_id": desk.registry.names.bucket_secret, "bucket_location": "k", "size": 1, "upload_id": "u"}
    allowed = {
        ("GET", f"{desk.organization}/orbits"): True,
        ("GET", desk.orbit): True,
        ("GET", f"{desk.orbit}/artifacts"): True,
        ("GET", path): True,
        ("POST", desk.artifacts): True,
        ("PATCH", path): True,
        ("POST", f"{desk.orbit}/collections"): True,
        ("GET", f"{path}/delete-url"): deletes,
        ("DELETE", path): deletes,
        ("GET", f"{desk.organization}/bucket-secrets"): everything,
        ("POST", "/v1/bucket-secrets/upload/multipart"): everything,
        ("POST", f"{desk.organization}/orbits"): everything,
    }
    bodies: dict[Any, Any] = {
        ("POST", desk.artifacts): model(),
        ("PATCH", path): {"status": "uploaded"},
        ("POST", f"{desk.orbit}/collections"): collection,
        ("POST", "/v1/bucket-secrets/upload/multipart"): parts,
        ("POST", f"{desk.organization}/orbits"): {
            "name": "o",
            "bucket_secret_id": desk.registry.names.bucket_secret,
        },
    }
    for (method, url), allows in allowed.items():
        answer = theirs.ask(method, url, bodies.get((method, url)))
        assert (answer.status < 300) is allows, (method, url, answer)
        if not allows:
            assert answer.body == {"detail": "Not enough rights"}


def test_a_member_sees_their_orbit_only(desk: Desk) -> None:
    secret = desk.registry.names.bucket_secret
    other = desk.ask("POST", f"{desk.organization}/orbits", {"name": "o", "bucket_secret_id": secret}).body["id"]
    theirs = desk_for(desk, "orbit_member")
    shown = theirs.ask("GET", f"{desk.organization}/orbits").body
    assert [(orbit["id"], orbit["role"]) for orbit in shown] == [(desk.registry.names.orbit, "member")]
    assert "delete" not in shown[0]["permissions"]["artifact"]
    for path in ("", "/artifacts", "/collections"):
        assert theirs.ask("GET", f"{desk.organization}/orbits/{other}{path}").status == 403
