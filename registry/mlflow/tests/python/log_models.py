"""Logs what the tests look for into the MLflow server at argv[1]; prints what it made as one line of JSON."""

import json
import sys
import tempfile
from pathlib import Path

import mlflow
import numpy as np
from mlflow.models import infer_signature
from onnx import TensorProto, helper

mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("ecg")
client = mlflow.MlflowClient()
folder_argument = "name" if mlflow.__version__.startswith("3") else "artifact_path"


class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input


def sigmoid():
    ecg = helper.make_tensor_value_info("ecg", TensorProto.FLOAT, ["N", 1, 8])
    probability = helper.make_tensor_value_info("p", TensorProto.FLOAT, ["N", 1, 8])
    graph = helper.make_graph([helper.make_node("Sigmoid", ["ecg"], ["p"])], "sigmoid", [ecg], [probability])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


x = np.linspace(-1, 1, 8, dtype=np.float32).reshape(1, 1, 8)


def log(folder, signature, example):
    return mlflow.onnx.log_model(
        sigmoid(),
        **{folder_argument: folder},
        signature=signature,
        input_example=example,
        registered_model_name="beat",
        save_as_external_data=False,
    )


with mlflow.start_run() as run:
    run_id = run.info.run_id
    first = log("named", infer_signature({"ecg": x}, {"p": x}), {"ecg": x})
    log("unnamed", infer_signature(x, x), x)
    mlflow.pyfunc.log_model(
        python_model=Echo(), **{folder_argument: "pickled"}, registered_model_name="pickled"
    )
    with tempfile.TemporaryDirectory() as work:
        mlflow.onnx.save_model(sigmoid(), f"{work}/old", save_as_external_data=False)
        mlflow.log_artifacts(f"{work}/old", "old")
        large = Path(work) / "large" / "deep" / "er"
        large.mkdir(parents=True)
        rng = np.random.default_rng(7)
        (large / "weights 1.bin").write_bytes(rng.bytes(3_000_017))
        (large.parent / "note.txt").write_text("a note")
        mlflow.log_artifacts(f"{work}/large", "large")

# Versions registered by name of a run's model, of a run's folder, and of a place.
client.create_model_version("beat", f"runs:/{run_id}/named", run_id)
client.create_model_version("beat", f"runs:/{run_id}/old", run_id)
client.create_model_version("beat", f"{run.info.artifact_uri}/old", run_id)
client.set_registered_model_alias("beat", "champion", "1")
client.set_registered_model_alias("beat", "by-run", "3")
client.set_model_version_tag("beat", "1", "checked", "yes")
client.set_registered_model_tag("beat", "team", "ecg")
client.update_registered_model("beat", "beats of one lead")
for number in range(12):
    client.create_registered_model(f"many-{number:02}")

print(json.dumps({"run": run_id, "model_id": getattr(first, "model_id", None), "version": mlflow.__version__}))
