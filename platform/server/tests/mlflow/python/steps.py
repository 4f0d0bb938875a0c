"""One step at the MLflow server at argv[1]: `STEP ARGUMENT...`, see the functions. Prints what it made."""

import sys

import mlflow
import onnx

client = mlflow.MlflowClient
folder = "name" if mlflow.__version__.startswith("3") else "artifact_path"


def alias(name, alias, version):
    client().set_registered_model_alias(name, alias, version)


def webhook(url, secret, name):
    from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent

    event = WebhookEvent(WebhookEntity.MODEL_VERSION_ALIAS, WebhookAction.CREATED)
    client().create_webhook(name, url, [event], secret=secret)


def pickled(name):
    class Echo(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input

    with mlflow.start_run():
        mlflow.pyfunc.log_model(python_model=Echo(), **{folder: "model"}, registered_model_name=name)


def by_run(path, name):
    """Registered by its place in a run, as programs for MLflow 2 do. What is not in the file stands in its metadata."""
    stated = {"einthoven.recipe": "kaggle-heartbeat-v1", "einthoven.labels": "N,S,V,F,Q"}
    with mlflow.start_run() as run:
        mlflow.onnx.log_model(
            onnx.load(path), **{folder: "model"}, metadata=stated, save_as_external_data=False,
            pip_requirements=["onnx"],
        )
    print(mlflow.register_model(f"runs:/{run.info.run_id}/model", name).version)


mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("steps")
globals()[sys.argv[2]](*sys.argv[3:])
