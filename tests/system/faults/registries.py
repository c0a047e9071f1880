"""Registries whose storage splits uploads into small parts, in the style of S3 or Azure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

import luml_lite
from luml_lite import Config, Retry, local
from luml_lite.core.request import Json, Request
from luml_lite.local.storage.buckets import Layout

QUICK = Retry(attempts=4, base=0.0005, cap=0.001)
SMALL = 64 * 1024  # the part size here, in bytes


def open_registry(place: Path, storage: str) -> Config:
    """A fresh registry whose storage is of one kind."""
    layout = None if storage == "S3 at once" else Layout(SMALL, SMALL)
    cfg = local.open(str(place / "registry"), layout=layout)
    cfg = cfg.replace(retry=QUICK, check_parts=True, concurrency=2)
    return on_azure(cfg) if storage == "Azure blocks" else cfg


def on_azure(cfg: Config) -> Config:
    """The Config of an orbit that stores in Azure style, made where there is none yet."""
    base = f"/v1/organizations/{cfg.organization}"
    orbits: Any = send_json(cfg, "GET", f"{base}/orbits")
    orbit = next((orbit["id"] for orbit in orbits if orbit["name"] == "azure"), None)
    if orbit is None:
        secret = {"type": "azure", "endpoint": "UseDevelopmentStorage=true", "bucket_name": "b"}
        made: Any = send_json(cfg, "POST", f"{base}/bucket-secrets", secret)
        orbit = send_json(cfg, "POST", f"{base}/orbits", {"name": "azure", "bucket_secret_id": made["id"]})["id"]
        send_json(cfg, "POST", f"{base}/orbits/{orbit}/collections", {"name": "c", "description": "", "type": "mixed"})
    return luml_lite.resolve(cfg.replace(orbit=orbit, collection=None))


def send_json(cfg: Config, method: str, path: str, body: Any = None) -> Any:
    """One request that the library has no verb for here."""
    content = b"" if body is None else msgspec.json.encode(body)
    headers = (("Content-Type", "application/json"),)
    return luml_lite.run(Request(method=method, url=path, headers=headers, body=content, reply=Json(Any)), cfg)
