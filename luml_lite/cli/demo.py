"""`luml-lite demo`: the main job against a registry in a temporary directory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable

from .. import local
from ..clients import groups
from ..models.artifacts import ModelArtifactSortBy
from ..testing import write_model


def demo(say: Callable[[str], None]) -> None:
    """Upload, list, find, download, update and delete a model; `say` gets a line about each step."""
    with tempfile.TemporaryDirectory(prefix="luml-lite-demo-") as folder:
        cfg = local.open(os.path.join(folder, "registry"))
        path = os.path.join(folder, "model.fnnx")
        write_model(path, {"F1": 0.96, "ACC": 0.95})
        say(f"made       model.fnnx, {os.path.getsize(path)} bytes")
        model = groups.upload(cfg, path, "Production Model", tags=["demo"])
        say(f"uploaded   {model.id} as {model.model_name!r}: {model.status}, sha256 {model.file_hash[:16]}...")
        for item in groups.list_all(cfg, sort_by=ModelArtifactSortBy.METRICS, metric_key="F1"):
            say(f"listed     {item.model_name!r}: F1={item.metrics['F1']}, {item.size} bytes")
        match = groups.get(cfg, "Production Model")
        say(f"found      {match.id if match else None} by its name")
        copy = os.path.join(folder, "copy.fnnx")
        groups.download(cfg, model.id, copy)
        with open(path, "rb") as one, open(copy, "rb") as two:
            is_same = one.read() == two.read()
        say(f"downloaded copy.fnnx, digest verified, {'equal to' if is_same else 'DIFFERENT FROM'} the original")
        manifest = groups.read_member(cfg, model.id, "manifest.json")
        say(f"read       manifest.json alone, {len(manifest)} bytes of the archive")
        renamed = groups.update(cfg, model.id, model_name="Retired Model")
        say(f"updated    it is now {renamed.model_name!r}")
        groups.delete(cfg, model.id)
        say(f"deleted    it; the registry now finds {groups.get(cfg, model.id)}")
