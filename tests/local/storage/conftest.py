"""An orbit that stores in Azure style."""

from __future__ import annotations

import pytest

from ..client import RegistryClient


@pytest.fixture
def azure(client: RegistryClient) -> RegistryClient:
    """A client in an orbit with an Azure bucket."""
    secret = {"type": "azure", "endpoint": "AccountName=a;AccountKey=k", "bucket_name": "b"}
    made = client.ask("POST", f"{client.organization}/bucket-secrets", secret).body["id"]
    orbit = client.ask("POST", f"{client.organization}/orbits", {"name": "o", "bucket_secret_id": made}).body["id"]
    client.orbit = f"{client.organization}/orbits/{orbit}"
    body = {"name": "c", "description": "", "type": "mixed"}
    collection = client.ask("POST", f"{client.orbit}/collections", body).body["id"]
    client.collection = f"{client.orbit}/collections/{collection}"
    client.artifacts = f"{client.collection}/artifacts"
    return client
