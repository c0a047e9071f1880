"""An orbit that stores in Azure style."""

from __future__ import annotations

import pytest

from ..client import Desk


@pytest.fixture
def azure(desk: Desk) -> Desk:
    """A client in an orbit with an Azure bucket."""
    secret = {"type": "azure", "endpoint": "AccountName=a;AccountKey=k", "bucket_name": "b"}
    made = desk.ask("POST", f"{desk.organization}/bucket-secrets", secret).body["id"]
    orbit = desk.ask("POST", f"{desk.organization}/orbits", {"name": "o", "bucket_secret_id": made}).body["id"]
    desk.orbit = f"{desk.organization}/orbits/{orbit}"
    body = {"name": "c", "description": "", "type": "mixed"}
    collection = desk.ask("POST", f"{desk.orbit}/collections", body).body["id"]
    desk.collection = f"{desk.orbit}/collections/{collection}"
    desk.artifacts = f"{desk.collection}/artifacts"
    return desk
