"""Logs an ONNX model to MLflow, points an alias at it, and watches Einthoven take it over.

Needs mlflow 3 and onnx alone. The address of MLflow is taken from MLFLOW_TRACKING_URI, or from --mlflow; the API key for Einthoven,
which must allow models.read, from EINTHOVEN_KEY.
"""

import argparse
import json
import os
import pathlib
import sys
import time
import urllib.error
import urllib.request

import mlflow
import numpy as np
import onnx
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=pathlib.Path, help="an .onnx file, such as models/heartbeat-row/model.onnx")
    parser.add_argument("--name", default="lab-heartbeat", help="of the registered model, in MLflow and here")
    parser.add_argument("--alias", default="champion", help="the alias that Einthoven follows")
    parser.add_argument("--recipe", default="kaggle-heartbeat-v1", help="how a recording becomes the model's input")
    parser.add_argument("--labels", default="N,S,V,F,Q", help="the class of each output column, in order")
    parser.add_argument("--mlflow", help="address of the MLflow server")
    parser.add_argument("--einthoven", default="http://127.0.0.1:5000", help="address of the Einthoven server")
    parser.add_argument("--wait-s", type=float, default=120, help="how long to watch")
    return parser.parse_args()


def shape(value):
    """Of a graph's input or output; -1 where it is open."""
    return tuple(size.dim_value or -1 for size in value.type.tensor_type.shape.dim)


def log(model, path):
    """The logged model's address, `models:/m-...`."""
    initial = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in initial]

    def schema(values):
        return Schema([TensorSpec(np.dtype("float32"), shape(value), name=value.name) for value in values])

    # With an example that is a real input, Einthoven checks every engine on real numbers.
    example = {
        value.name: np.random.default_rng(1).random([4 if size < 0 else size for size in shape(value)], np.float32)
        for value in inputs
    }
    with mlflow.start_run(run_name=path.stem):
        logged = mlflow.onnx.log_model(
            model,
            name="model",
            signature=ModelSignature(schema(inputs), schema(model.graph.output)),
            input_example=example,
            # One file; Einthoven takes weights in further files too.
            save_as_external_data=False,
            pip_requirements=["onnx", "onnxruntime"],
        )
    return logged.model_uri


def get(base, path):
    """The answer as JSON; none where there is no such thing yet."""
    headers = {"Authorization": f"Bearer {os.environ.get('EINTHOVEN_KEY', '')}"}
    try:
        request = urllib.request.Request(f"{base.rstrip('/')}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as cause:
        if cause.code == 404:
            return None
        raise


def version_here(base, name, number):
    """The newest version in Einthoven that is this one in MLflow."""
    versions = get(base, f"/v1/models/{name}/versions") or {"items": []}
    for version in versions["items"]:
        origin = version["origin"]
        if origin.get("model") == name and origin.get("version") == str(number):
            return version
    return None


def watch(base, name, number, seconds):
    """Waits until the version answers; gives its name here."""
    end = time.monotonic() + seconds
    state = "not there"
    while time.monotonic() < end:
        traffic = get(base, f"/v1/models/{name}/traffic")
        version = version_here(base, name, number)
        if version:
            phase = version["phase"]
            if phase["state"] != state:
                state = phase["state"]
                print(f"{name}/{version['name']} is {state}", flush=True)
            if state == "rejected":
                sys.exit(f"at the step {phase['step']}: {phase['reason']}\nto put it right: {phase['remedy']}")
            if traffic and traffic["champion"] == version["name"]:
                return version["name"]
        time.sleep(0.05)
    sys.exit(f"not live after {seconds:.0f} s, it is {state}; see GET {base}/v1/sources for what holds it up")


def main():
    given = arguments()
    if given.mlflow:
        mlflow.set_tracking_uri(given.mlflow)
    mlflow.set_experiment("einthoven")
    uri = log(onnx.load(given.model), given.model)
    # What no file tells: which recipe feeds the network, and what its columns mean.
    tags = {"einthoven.recipe": given.recipe, "einthoven.labels": given.labels}
    number = mlflow.register_model(uri, given.name, tags=tags).version
    mlflow.MlflowClient().set_registered_model_alias(given.name, given.alias, number)
    start = time.monotonic()
    print(f"{given.name}@{given.alias} is version {number} in MLflow", flush=True)
    name = watch(given.einthoven, given.name, number, given.wait_s)
    print(f"{given.name}/{name} answers, {time.monotonic() - start:.2f} s after the alias was set")


if __name__ == "__main__":
    main()
