"""The bodies that create artifacts: the registry accepts those that the platform accepts."""

from __future__ import annotations

from typing import Any

import pytest

from ..client import RegistryClient, model


@pytest.mark.parametrize(
    ("change", "status", "detail"),
    [
        ({"file_index": {}}, 400, "Could not define artifact type."),
        ({"type": "dataset"}, 400, "Artifact's real type does not match the type you specified."),
        ({"file_name": "../x.luml"}, 200, None),
        ({"file_name": "a/../x.luml"}, 400, "Failed to generate upload URL: "),
        ({"size": 5_497_558_138_880}, 200, None),
        ({"size": 5_497_558_138_881}, 422, "size"),
        ({"size": -(10**30)}, 422, "size"),
        ({"extra_values": []}, 422, "extra_values"),
        ({"file_index": {"a": [1]}}, 422, "file_index"),
        ({"manifest": {}}, 422, "manifest"),
        ({"manifest": None}, 422, "manifest"),
        ({"name": None}, 422, "name"),
        ({"name": "a\0b"}, 422, "name"),
        ({"name": "\ud800"}, 422, "body"),
        ({"tags": "t"}, 422, "tags"),
        ({"extra_values": {"F1": 10**400, "F2": "high", "F3": True}}, 200, None),
    ],
)
def test_creation_accepts_the_bodies_that_the_platform_accepts(
    client: RegistryClient, change: dict[str, Any], status: int, detail: str
) -> None:
    answer = client.ask("POST", client.artifacts, model(**change))
    assert answer.status == status, answer
    assert detail is None or detail in str(answer.body["detail"])
