"""Archives made and opened by the platform's own `luml-sdk` (Python 3.12 and newer)."""

from __future__ import annotations

import gc
import io
import warnings
import zipfile
from pathlib import Path

ROWS = "x,y\n1,2\n3,4\n"


def save_model(path: Path) -> tuple[Path, list[int]]:
    """A scikit-learn classifier with a model card appended, and its own predictions for [[0.0], [1.0]]."""
    import numpy
    from luml.integrations.sklearn import save_sklearn
    from sklearn.tree import DecisionTreeClassifier

    inputs = numpy.array([[0.0], [0.2], [0.8], [1.0]])
    estimator = DecisionTreeClassifier(random_state=0).fit(inputs, [0, 0, 1, 1])
    reference = save_sklearn(estimator, inputs, path=str(path), manifest_model_name="iris tree")
    reference.add_model_card("<h1>A tree</h1>")
    return path, [int(label) for label in estimator.predict([[0.0], [1.0]])]


def save_dataset(folder: Path) -> Path:
    """A tabular dataset of two rows."""
    from luml import save_tabular_dataset

    rows = folder / "rows.csv"
    rows.write_text(ROWS)
    path = folder / "rows.tar"
    save_tabular_dataset(str(rows), file_format="csv", name="rows", output_path=str(path))
    return path


def save_experiment(folder: Path) -> tuple[Path, str]:
    """A finished experiment with one attachment, and its id."""
    from luml.artifacts.experiment import save_experiment as save
    from luml.experiments.tracker import ExperimentTracker

    path = folder / "baseline.tar"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # luml-sdk leaves database connections to the collector
        with ExperimentTracker(f"sqlite://{folder / 'experiments'}") as tracker:
            experiment = tracker.start_experiment(name="baseline", tags=["first"])
            tracker.log_static("learning_rate", 0.1)
            tracker.log_dynamic("loss", 0.5, step=1)
            tracker.log_attachment("notes.txt", "it converged")
            tracker.end_experiment(experiment)
            save(tracker, experiment, str(path))
        gc.collect()
    return path, experiment


def dataset_rows(path: Path) -> str:
    """The rows that luml-sdk reads from a dataset."""
    from luml.artifacts.dataset import DatasetReference

    reference = DatasetReference(str(path))
    (chunk,) = reference.get_manifest().payload.subsets["default"].splits["train"].chunk_files
    rows: bytes = reference.extract_file(chunk)
    return rows.decode()


def experiment_id(path: Path) -> str:
    """The id that luml-sdk reads from an experiment, whose database must be whole."""
    from luml.artifacts.experiment import ExperimentReference

    reference = ExperimentReference(str(path))
    with zipfile.ZipFile(io.BytesIO(reference.extract_file("exp.db.zip"))) as database:
        assert database.testzip() is None
    return str(reference.get_manifest().payload.local_experiment_id)
