"""The command line: `luml-lite demo` shows the main job, `luml-lite serve` starts an embedded registry."""

from __future__ import annotations

import argparse
import io
import os
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from typing import TextIO

import msgspec

from . import __version__
from .errors import LumlError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    parser = argparse.ArgumentParser(prog="luml-lite", description="A small client core for LUML registries.")
    parser.add_argument("--version", action="version", version=f"luml-lite {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="{demo,serve}", required=True)
    commands.add_parser("demo", help="upload, find, download, update and delete a model in a temporary registry")
    commands.add_parser("serve", help="serve a registry from a directory over HTTP; serve --help", add_help=False)
    chosen, rest = parser.parse_known_args(argv)
    if chosen.command == "serve":
        from .local.__main__ import main as serve

        return serve(rest, prog="luml-lite serve")
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        demo(_say)
    except (LumlError, OSError) as error:
        _say(f"error: {error}", sys.stderr)
        return 1
    return 0


def _say(line: str, file: TextIO | None = None) -> None:
    print(line, file=file or sys.stdout)


def demo(say: Callable[[str], None]) -> None:
    """The main job against an embedded registry in a temporary directory, told line by line."""
    from . import local
    from .clients import groups
    from .models.artifacts import ModelArtifactSortBy

    with tempfile.TemporaryDirectory(prefix="luml-lite-demo-") as place:
        cfg = local.open(os.path.join(place, "registry"))
        path = os.path.join(place, "model.fnnx")
        write_model(path, {"F1": 0.96, "ACC": 0.95})
        say(f"made       model.fnnx, {os.path.getsize(path)} bytes")
        model = groups.upload(cfg, path, "Production Model", tags=["demo"])
        say(f"uploaded   {model.id} as {model.model_name!r}: {model.status}, sha256 {model.file_hash[:16]}...")
        for item in groups.list_all(cfg, sort_by=ModelArtifactSortBy.METRICS, metric_key="F1"):
            say(f"listed     {item.model_name!r}: F1={item.metrics['F1']}, {item.size} bytes")
        found = groups.get(cfg, "Production Model")
        say(f"found      {found.id if found else None} by its name")
        copy = os.path.join(place, "copy.fnnx")
        groups.download(cfg, model.id, copy)
        with open(path, "rb") as one, open(copy, "rb") as two:
            same = one.read() == two.read()
        say(f"downloaded copy.fnnx, digest verified, {'equal to' if same else 'DIFFERENT FROM'} the original")
        manifest = groups.read_member(cfg, model.id, "manifest.json")
        say(f"read       manifest.json alone, {len(manifest)} bytes of the archive")
        renamed = groups.update(cfg, model.id, model_name="Retired Model")
        say(f"updated    it is now {renamed.model_name!r}")
        groups.delete(cfg, model.id)
        say(f"deleted    it; the registry now finds {groups.get(cfg, model.id)}")


def write_model(path: str, metrics: dict[str, float], weights: int = 200_000) -> None:
    """Write a small valid model archive with the given metrics; `weights` is the size of its payload in bytes."""
    manifest = {
        "variant": "pipeline",
        "name": "demo",
        "version": None,
        "description": "a model made to show the registry",
        "producer_name": "luml_lite",
        "producer_version": "0.1.0",
        "producer_tags": ["dataforce.studio::registry_metrics:v1"],
        "inputs": [
            {"name": "x", "content_type": "NDJSON", "dtype": "Array[float32]", "shape": ["batch", 2], "tags": None}
        ],
        "outputs": [
            {"name": "y", "content_type": "NDJSON", "dtype": "Array[float32]", "shape": ["batch", 1], "tags": None}
        ],
        "dynamic_attributes": [],
        "env_vars": [],
    }
    entry = {"id": "demo", "producer": "luml_lite", "producer_version": "0.1.0"}
    meta = [entry | {"producer_tags": ["dataforce.studio::registry_metrics:v1"], "payload": {"metrics": metrics}}]
    contents: dict[str, object] = {
        "manifest.json": manifest,
        "env.json": {},
        "ops.json": [],
        "meta.json": meta,
        "dtypes.json": {},
        "variant_config.json": {},
    }
    with tarfile.open(path, "w") as tar:
        for name, value in contents.items():
            _add(tar, name, msgspec.json.encode(value))
        _add(tar, "ops_artifacts/weights.bin", os.urandom(weights))


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))
