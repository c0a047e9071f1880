"""luml-mlflow 0.1.0, which pins luml-api 0.2, syncs a run to `luml-lite serve`, and all of it reads back equal."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import venv
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

import luml_lite
from luml_lite import local

pytestmark = [
    pytest.mark.published,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.version_info < (3, 12), reason="luml-mlflow needs Python 3.12"),
]
PINS = ["luml-mlflow==0.1.0", "scikit-learn>=1.5"]


@pytest.fixture(scope="module")
def tools(pytestconfig: pytest.Config) -> Path:
    """The programs of an environment with nothing but luml-mlflow and scikit-learn; it is kept between runs."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir(f"luml-mlflow-{sys.version_info.major}.{sys.version_info.minor}")
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    done = folder / "installed.txt"
    if not done.exists() or done.read_text() != str(PINS):
        venv.create(folder, clear=True, with_pip=True)
        install = [programs / "python", "-m", "pip", "install", "-q", "--no-compile", "--only-binary", ":all:", *PINS]
        subprocess.run(install, check=True, timeout=500)
        done.write_text(str(PINS))
    return programs


def run(tools: Path, served: local.Served, folder: Path, *command: str | Path, **more: str) -> str:
    """What a program of that environment prints; it knows the registry and keeps everything else in the folder."""
    settings = {"LUML_BASE_URL": served.base_url, "LUML_API_KEY": served.api_key, "HOME": str(folder)}
    settings |= {"LUML_BACKEND_STORE_URI": str(folder / "store"), "LUML_MLFLOW_AUTOSYNC": "false", **more}
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "SYSTEMROOT", "TMPDIR")}
    program = subprocess.run(
        [tools / command[0], *command[1:]], env=kept | settings, cwd=folder, text=True, capture_output=True, timeout=300
    )
    assert program.returncode == 0, program.stderr
    return program.stdout


def logged_in(archive: Path, folder: Path) -> tuple[dict[str, list[float]], dict[str, bytes]]:
    """The metrics and the artifacts of the run that an archive holds."""
    with tarfile.open(archive) as members:
        parts = {Path(name).name: members.extractfile(name) for name in members.getnames() if "/." not in name}
        database, attachments = parts["exp.db.zip"], parts["attachments.tar"]
        assert database is not None
        assert attachments is not None
        with zipfile.ZipFile(database) as zipped:
            (name,) = zipped.namelist()
            path = zipped.extract(name, folder)
        with tarfile.open(fileobj=attachments) as inner:
            files = {name: inner.extractfile(name) for name in inner.getnames()}
            artifacts = {name: file.read() for name, file in files.items() if file is not None}
    metrics: dict[str, list[float]] = {}
    with closing(sqlite3.connect(path)) as db:
        for name, value in db.execute("SELECT key, value FROM dynamic_metrics ORDER BY step"):
            metrics.setdefault(name, []).append(value)
    return metrics, artifacts


def test_a_run_with_a_model_metrics_and_an_artifact_arrives_whole(tools: Path, tmp_path: Path) -> None:
    """Once with all of it in the package of the model, and once with the model and the run as two artifacts."""
    script = Path(__file__).with_name("mlflow_run.py")
    with local.serve(tmp_path / "registry") as served:
        target = f"luml://{served.organization}/{served.orbit}"
        logged = json.loads(run(tools, served, tmp_path, "python", script, target, tmp_path).splitlines()[-1])
        for mode in ("auto", "separate"):
            said = run(tools, served, tmp_path, "luml-mlflow", "sync", "--all", "--force", LUML_MLFLOW_UPLOAD_MODE=mode)
            assert f"{logged['run']}: uploaded" in said
        (collection,) = [each for each in luml_lite.collections.list(served.config).items if each.name == "churn"]
        cfg = served.config.replace(collection=collection.id)
        rows = [*luml_lite.list_all(cfg, order="asc")]
        copies = [tmp_path / row.id for row in rows]
        for row, copy in zip(rows, copies, strict=True):
            luml_lite.download(cfg, row.id, str(copy))
            assert (row.status, row.size) == ("uploaded", copy.stat().st_size)
            assert row.file_hash == hashlib.sha256(copy.read_bytes()).hexdigest()
    assert (collection.type, collection.description) == ("mixed", "MLflow experiment 'churn'")
    assert [(row.type, row.model_name) for row in rows] == [
        ("model", "classifier"),
        ("model", "classifier"),
        ("experiment", "first"),
    ]
    kept = tmp_path / "store" / logged["run"] / "models" / "classifier.fnnx"
    assert copies[1].read_bytes() == kept.read_bytes()
    for number in (0, 2):
        metrics, artifacts = logged_in(copies[number], tmp_path / f"run-{number}")
        assert metrics == logged["metrics"]
        assert [*artifacts.values()] == [(tmp_path / "notes.txt").read_bytes()]
