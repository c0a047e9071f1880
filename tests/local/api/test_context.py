"""The user of a request: its key decides."""

from __future__ import annotations

import hmac

import pytest

from luml_lite.local.api import permissions

from ..client import RegistryClient


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer dfs_wrong", "Basic Zm9v", "bearer \udcff", "x"])
def test_a_request_without_a_known_key_is_not_authenticated(client: RegistryClient, header: str) -> None:
    answer = client.ask("GET", f"{client.orbit}/artifacts", authorization=header)
    assert (answer.status, answer.body) == (401, {"detail": "Not authenticated"})


@pytest.mark.parametrize("known", [True, False])
def test_keys_are_compared_as_digests_in_constant_time(
    client: RegistryClient, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """A request makes one comparison, known key or not, and it takes the same time wherever the digests differ."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac_digest(one, other)

    hmac_digest = hmac.compare_digest
    monkeypatch.setattr(permissions.hmac, "compare_digest", compare)
    key = client.key if known else client.key[:-1] + "?"
    assert client.ask("GET", client.orbit, authorization=f"Bearer {key}").status == (200 if known else 401)
    ((one, other),) = compared
    assert (len(one), other) == (32, permissions.digest_of(key))
