"""The metrics of a model file, chosen as the published client chooses them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luml_lite.files import archive

from ..packagers import fnnx_models
from .tars import MANIFEST, write_tar

TABULAR = ("tabular_classification", "tabular_regression")
FALCON, STUDIO = "falcon.beastbyte.ai", "dataforce.studio"


def entry(tag: str, metrics: Any) -> dict[str, Any]:
    """An entry of meta.json, with the fields that fnnx writes."""
    producer = {"producer": "tests", "producer_version": "1", "producer_tags": [tag]}
    return {"id": "metrics", **producer, "payload": {"metrics": metrics}}


def metrics_of(tags: Any, meta: Any) -> dict[str, Any]:
    return archive.metrics({"producer_tags": tags}, json.dumps(meta).encode())


REGISTRY = entry(fnnx_models.REGISTRY_METRICS, {"own": 1})


@pytest.mark.parametrize("producer", [FALCON, STUDIO])
@pytest.mark.parametrize("task", TABULAR)
def test_a_tabular_model_has_the_metrics_of_its_holdout(producer: str, task: str) -> None:
    performance = {"eval_cv": {"F1": 0.1}, "eval_holdout": {"F1": 0.9, "N_SAMPLES": 10}}
    meta = [REGISTRY, entry(f"{FALCON}::{task}_metrics:v1", {"performance": performance})]
    assert metrics_of(["other", f"{producer}::{task}:v1"], meta) == {"F1": 0.9}


@pytest.mark.parametrize("holdout", [{}, {"eval_holdout": None}, {"eval_holdout": {}}])
def test_without_a_holdout_the_cross_validation_counts(holdout: dict[str, Any]) -> None:
    performance = {**holdout, "eval_cv": {"F1": 0.1, "N_SAMPLES": 10}}
    meta = [entry(f"{FALCON}::tabular_regression_metrics:v1", {"performance": performance})]
    assert metrics_of([f"{STUDIO}::tabular_regression:v1"], meta) == {"F1": 0.1}


@pytest.mark.parametrize("task", TABULAR)
def test_a_tabular_model_may_carry_either_kind_of_metrics(task: str) -> None:
    meta = [entry(f"{FALCON}::tabular_regression_metrics:v1", {"performance": {"eval_holdout": {"R2": 0.5}}})]
    assert metrics_of([f"{FALCON}::{task}:v1"], meta) == {"R2": 0.5}


@pytest.mark.parametrize(
    "tabular",
    [
        [],
        [entry(fnnx_models.CLASSIFICATION_METRICS, {})],
        [entry(fnnx_models.CLASSIFICATION_METRICS, {"performance": {}})],
        [entry(fnnx_models.CLASSIFICATION_METRICS, None)],
    ],
)
def test_a_tabular_model_without_its_own_metrics_has_the_registry_s(tabular: list[Any]) -> None:
    assert metrics_of([fnnx_models.CLASSIFICATION], [*tabular, REGISTRY]) == {"own": 1}


@pytest.mark.parametrize("tags", [[], None, "text", [1, None], ["sklearn"], {"a": 1}])
def test_any_other_model_has_the_registry_metrics(tags: Any) -> None:
    performance = entry(fnnx_models.CLASSIFICATION_METRICS, {"performance": {"eval_holdout": {"F1": 1}}})
    assert metrics_of(tags, [performance, REGISTRY]) == {"own": 1}


def test_n_samples_is_dropped_from_tabular_metrics_only() -> None:
    assert metrics_of([], [entry(fnnx_models.REGISTRY_METRICS, {"N_SAMPLES": 3})]) == {"N_SAMPLES": 3}


@pytest.mark.parametrize(
    "meta",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b"null",
        b"{}",
        b"[]",
        b"[1, null, []]",
        b'[{"producer_tags": null}]',
        b'[{"producer_tags": 7}]',
        json.dumps([{"producer_tags": [fnnx_models.REGISTRY_METRICS]}]).encode(),
        json.dumps([{"producer_tags": [fnnx_models.REGISTRY_METRICS], "payload": []}]).encode(),
        json.dumps([entry(fnnx_models.REGISTRY_METRICS, [1])]).encode(),
    ],
)
@pytest.mark.parametrize("tags", [[], [fnnx_models.CLASSIFICATION]])
def test_unreadable_metadata_is_no_metrics(meta: bytes, tags: list[str]) -> None:
    assert archive.metrics({"producer_tags": tags}, meta) == {}


def test_an_archive_without_metadata_has_no_metrics(tmp_path: Path) -> None:
    assert archive.inspect(write_tar(tmp_path / "m.fnnx", {"manifest.json": MANIFEST})).metrics == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([fnnx_models.REGISTRY_METRICS, "metrics"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["producer_tags", "payload", "metrics", "performance", "eval_cv"]), inner)
    ),
)


@given(manifest=st.dictionaries(st.just("producer_tags"), JSON), meta=JSON)
def test_no_metadata_whatever_is_an_error(manifest: dict[str, Any], meta: Any) -> None:
    assert isinstance(archive.metrics(manifest, json.dumps(meta).encode()), dict)
