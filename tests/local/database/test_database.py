"""Transactions of many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from luml_lite.local.registry import Registry

from ..client import RegistryClient


def test_many_threads_find_one_winner_for_a_status(tmp_path: Path) -> None:
    """Of PATCHes to uploaded and to upload_failed at once exactly one is taken."""
    registry = Registry(tmp_path / "r")
    client = RegistryClient(registry)
    for _ in range(10):
        path = f"{client.artifacts}/{client.made()['artifact']['id']}"
        bodies = [{"status": "uploaded"}, {"status": "upload_failed"}] * 3
        with ThreadPoolExecutor(len(bodies)) as threads:
            answers = list(threads.map(partial(client.ask, "PATCH", path), bodies))
        assert sorted(answer.status for answer in answers) == [200, 400, 400, 400, 400, 400]
    registry.close()
