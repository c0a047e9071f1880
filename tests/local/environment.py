"""Makes a registry hold what a recorded exchange says was there: rows under the recorded ids, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from luml_lite.local.api.dialects import ARTIFACTS, MODEL_ARTIFACTS
from luml_lite.local.registry import Registry

from .recorded_rows import RecordedRows
from .recorded_scope import Exchange, body_of

_TABLES = "entries stages tracks metrics artifacts metric_keys collections orbit_members orbits bucket_secrets"
_MORE = "organization_members organizations api_keys users segments objects parts uploads"


class RecordedRegistry:
    """One registry, emptied and filled for each exchange; `known` is what any exchange tells of an id, newest last."""

    def __init__(self, registry: Registry, exchanges: Iterable[Exchange]) -> None:
        self.registry = registry
        self.known: dict[str, dict[str, Any]] = {}
        for exchange in exchanges:
            self._learn(body_of(exchange["response_body"]))

    def prepare(self, exchange: Exchange) -> None:
        """Fill the registry with what the exchange needs."""
        dialect = ARTIFACTS if exchange["path"].startswith("/v1") else MODEL_ARTIFACTS
        answer = body_of(exchange["response_body"])
        self._learn(answer)
        with self.registry.database.writing() as db:
            for table in f"{_TABLES} {_MORE}".split():
                db.execute(f"DELETE FROM {table}")
            RecordedRows(db, self.known, exchange, dialect, answer).fill()

    def _learn(self, value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("id"), str):
                self.known.setdefault(value["id"], {}).update(value)
            if "collection_name" in value:
                self.known.setdefault(value["collection_id"], {})["name"] = value["collection_name"]
            for item in value.values():
                self._learn(item)
        elif isinstance(value, list):
            for item in value:
                self._learn(item)
