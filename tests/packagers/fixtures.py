"""One real archive of each kind for the session, with what it holds and the packager's own way to open it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from luml_lite.testing import write_model

from . import fnnx_models, luml_archives

NEEDS_SDK = "luml-sdk needs Python 3.12 and the extra test-all"


class Packaged(NamedTuple):
    """An archive with its type and metrics; `opens(copy)` is true where the packager can use the copy."""

    path: Path
    type: str
    metrics: dict[str, Any]
    opens: Callable[[Path], bool]


def _fnnx(folder: Path) -> Packaged:
    return Packaged(fnnx_models.build(folder / "plain.fnnx"), "model", {}, _doubles)


def _fnnx_registry_metrics(folder: Path) -> Packaged:
    metrics = {"F1": 0.875, "loss": 2, "note": "good"}
    entry = fnnx_models.meta_entry(fnnx_models.REGISTRY_METRICS, {"metrics": metrics})
    path = fnnx_models.build(folder / "with metrics.pyfnx", meta=[entry])
    return Packaged(path, "model", metrics, _doubles)


def _fnnx_tabular(folder: Path) -> Packaged:
    performance = {"eval_holdout": {"F1": 0.75, "N_SAMPLES": 20}, "eval_cv": {"F1": 0.5}}
    entry = fnnx_models.meta_entry(fnnx_models.CLASSIFICATION_METRICS, {"metrics": {"performance": performance}})
    path = fnnx_models.build(folder / "tabular.dfs", tags=[fnnx_models.CLASSIFICATION], meta=[entry])
    return Packaged(path, "model", {"F1": 0.75}, _doubles)


def _sklearn(folder: Path) -> Packaged:
    path, predicted = luml_archives.save_model(folder / "tree.luml")
    return Packaged(path, "model", {}, lambda copy: fnnx_models.compute(copy, {"x0": [0.0, 1.0]}) == predicted)


def _dataset(folder: Path) -> Packaged:
    path = luml_archives.save_dataset(folder)
    return Packaged(path, "dataset", {}, lambda copy: luml_archives.dataset_rows(copy) == luml_archives.ROWS)


def _experiment(folder: Path) -> Packaged:
    path, experiment = luml_archives.save_experiment(folder)
    return Packaged(path, "experiment", {}, lambda copy: luml_archives.experiment_id(copy) == experiment)


def _doubles(copy: Path) -> bool:
    return fnnx_models.compute(copy, {"x": [1.5, -2.0]}) == [3.0, -4.0]


BUILDERS = {
    "fnnx": _fnnx,
    "fnnx-registry-metrics": _fnnx_registry_metrics,
    "fnnx-tabular": _fnnx_tabular,
    "sklearn": _sklearn,
    "dataset": _dataset,
    "experiment": _experiment,
}
FROM_SDK = frozenset({_sklearn, _dataset, _experiment})


@pytest.fixture(scope="session", params=list(BUILDERS))
def packaged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    """An archive made by the format's own packager, one after the other of each kind."""
    build = BUILDERS[request.param]
    if build in FROM_SDK and find_spec("luml") is None:
        pytest.skip(NEEDS_SDK)
    return build(tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model file."""
    path = tmp_path_factory.mktemp("model") / "model.fnnx"
    write_model(path, {"F1": 0.5})
    return path
