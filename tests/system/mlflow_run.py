"""An MLflow run that luml-mlflow syncs: `python mlflow_run.py TRACKING_URI FOLDER`, in an environment that has both.

The run has parameters, metrics, a tag, an artifact and a scikit-learn model. What was logged is printed as JSON.
"""

import json
import sys
from pathlib import Path

import mlflow
import mlflow.sklearn
import numpy
from sklearn.linear_model import LogisticRegression

tracking_uri, folder = sys.argv[1:]
losses = [0.5, 0.25]
mlflow.set_tracking_uri(tracking_uri)
mlflow.set_experiment("churn")
notes = Path(folder, "notes.txt")
notes.write_text("what the artifact says")
with mlflow.start_run(run_name="first") as run:
    mlflow.log_param("penalty", "l2")
    for step, loss in enumerate(losses):
        mlflow.log_metric("loss", loss, step=step)
    mlflow.set_tag("team", "risk")
    mlflow.log_artifact(str(notes))
    rows = numpy.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    model = LogisticRegression().fit(rows, [0, 1, 1, 0])
    mlflow.sklearn.log_model(model, name="classifier", input_example=rows)
sys.stdout.write(json.dumps({"run": run.info.run_id, "metrics": {"loss": losses}}))
