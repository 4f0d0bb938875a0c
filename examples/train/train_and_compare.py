# %% [markdown]
# # Train, log to MLflow, serve, compare, roll back
#
# Two models of single beats, normal or ventricular, from the signal behind each R peak: the recipe `kaggle-heartbeat-v1`. They are trained
# here on a few minutes of the MIT-BIH Arrhythmia Database, so they are toys. With PyTorch where it is installed; else the same network is
# trained with numpy.
#
#     train_and_compare.py EINTHOVEN MLFLOW RECORDS
#
# with the owner's key in EINTHOVEN_KEY. RECORDS is a folder of WFDB records in format 212 with reference beats in `.atr` files. Run it cell by cell
# where your editor knows `# %%`, or as a whole.

# %%
import importlib.util
import sys
import time
from pathlib import Path

import mlflow
import numpy as np
import onnx
from einthoven_client import Einthoven, Problem, answered
from einthoven_client.generated.api.experiments import get_experiment, get_verdict, start_experiment
from einthoven_client.generated.api.predictions import create_label
from einthoven_client.generated.api.sources import pull_from_source, set_source
from einthoven_client.generated.models import LabelsMark, NewExperiment, NewPull, NewSource
from onnx import TensorProto, helper, numpy_helper

EINTHOVEN, MLFLOW, RECORDS = sys.argv[1], sys.argv[2], Path(sys.argv[3])
MODEL, LABELS, ROW = "toy-beats", ["N", "V"], 187
names = sorted(path.stem for path in RECORDS.glob("*.atr"))


# %% [markdown]
# ## Beats to train on
#
# The `wfdb` package reads every record; these few lines read the two kinds of file that are here.


# %%
def signal(name):
    """The first of two leads of a record in format 212: three bytes hold a sample of each."""
    bytes_ = np.fromfile(RECORDS / f"{name}.dat", np.uint8).astype(np.int32).reshape(-1, 3)
    first = bytes_[:, 0] + ((bytes_[:, 1] & 15) << 8)
    return np.where(first > 2047, first - 4096, first).astype(np.float32)


def beats(name):
    """Samples and codes of the reference beats: words of 6 bits of code and 10 bits of time since the one before."""
    words, at = np.fromfile(RECORDS / f"{name}.atr", "<u2"), 0
    for word in words:
        code, time_ = word >> 10, int(word & 1023)
        if word == 0:
            return
        if code < 50:
            at += time_
            if code in (1, 5):  # normal, ventricular
                yield at, 0 if code == 1 else 1


def rows(name):
    """As the recipe makes them: from an R peak to a fifth behind the next, every third sample, 0 to 1, zeros behind."""
    marked, lead = list(beats(name)), signal(name)
    for (start, label), (end, _), (after, _) in zip(marked, marked[1:], marked[2:]):
        part = lead[start : end + (after - end) // 5 : 3][:ROW]
        part = (part - part.min()) / max(float(np.ptp(part)), 1.0)
        yield np.pad(part, (0, ROW - len(part))), label


every = [row for name in names for row in rows(name)]
x, y = np.stack([row for row, _ in every]).astype(np.float32), np.array([label for _, label in every])
print(f"{len(y)} beats, {y.sum()} of them ventricular")


# %% [markdown]
# ## Train: one hidden layer


# %%
def fit(x, y, hidden, steps):
    """Weights and biases of both layers, and their final loss."""
    generator = np.random.default_rng(1)
    w1 = generator.normal(0, 0.1, (ROW, hidden)).astype(np.float32)
    w2 = generator.normal(0, 0.1, (hidden, 2)).astype(np.float32)
    weights = [w1, np.zeros(hidden, np.float32), w2, np.zeros(2, np.float32)]
    if importlib.util.find_spec("torch"):
        import torch

        tensors = [torch.tensor(weight, requires_grad=True) for weight in weights]
        optimizer = torch.optim.SGD(tensors, lr=0.5)
        inputs, targets = torch.tensor(x), torch.tensor(y)
        for _ in range(steps):
            optimizer.zero_grad()
            scores = torch.relu(inputs @ tensors[0] + tensors[1]) @ tensors[2] + tensors[3]
            loss = torch.nn.functional.cross_entropy(scores, targets)
            loss.backward()
            optimizer.step()
        return [tensor.detach().numpy() for tensor in tensors], loss.item()
    for _ in range(steps):
        inner = np.maximum(x @ weights[0] + weights[1], 0)
        scores = inner @ weights[2] + weights[3]
        shares = np.exp(scores - scores.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        loss = -np.log(shares[np.arange(len(y)), y]).mean()
        back = (shares - np.eye(2, dtype=np.float32)[y]) / len(y)
        below = (back @ weights[2].T) * (inner > 0)
        slopes = [x.T @ below, below.sum(0), inner.T @ back, back.sum(0)]
        weights = [weight - 0.5 * slope for weight, slope in zip(weights, slopes)]
    return [weight.astype(np.float32) for weight in weights], float(loss)


def network(weights):
    """The same as ONNX, with the softmax."""
    nodes = [
        helper.make_node("Flatten", ["row"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w1", "b1"], ["inner"]),
        helper.make_node("Relu", ["inner"], ["rectified"]),
        helper.make_node("Gemm", ["rectified", "w2", "b2"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        MODEL,
        [helper.make_tensor_value_info("row", TensorProto.FLOAT, ["beats", 1, ROW])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["beats", 2])],
        [numpy_helper.from_array(weight, name) for weight, name in zip(weights, ["w1", "b1", "w2", "b2"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


# %% [markdown]
# ## Log both to MLflow
#
# What no file tells, the recipe and the labels, are tags of the version.

# %%
mlflow.set_tracking_uri(MLFLOW)
mlflow.set_experiment("toy-beats")
for hidden, steps in ((2, 5), (16, 400)):
    with mlflow.start_run():
        weights, loss = fit(x, y, hidden, steps)
        mlflow.log_params({"hidden": hidden, "steps": steps})
        mlflow.log_metric("loss", loss)
        logged = mlflow.onnx.log_model(
            network(weights), name="model", input_example=x[:4, None], save_as_external_data=False, pip_requirements=["onnx", "onnxruntime"]
        )
    tags = {"einthoven.recipe": "kaggle-heartbeat-v1", "einthoven.labels": ",".join(LABELS)}
    print(f"version {mlflow.register_model(logged.model_uri, MODEL, tags=tags).version}: loss {loss:.3f}")

# %% [markdown]
# ## Serve: the first version answers

# %%
client = Einthoven(EINTHOVEN)
answered(set_source.sync_detailed("lab", client=client.api, body=NewSource.from_dict({"settings": {"url": MLFLOW}})))
for version in ("1", "2"):
    pull = NewPull.from_dict({"reference": f"{MODEL}/{version}", "wait_s": 120, "promote": version == "1"})
    pulled = answered(pull_from_source.sync_detailed("lab", client=client.api, body=pull))
    print(f"{pulled.model}/{pulled.name} is {pulled.phase.state}")

# %% [markdown]
# ## Compare: the second computes beside it
#
# The rows of each record are classified by the first version and by the second; the reference beats then say who was right.

# %%
shadows = [{"version": "2", "percent": 100}]
settings = {"primary": "v_f1"}
begun = {"name": "toy", "model": MODEL, "shadows": shadows, "rules": {"settings": settings}, "reason": "more hidden units"}
answered(start_experiment.sync_detailed(client=client.api, body=NewExperiment.from_dict(begun)))
for name in names:
    table, truth = zip(*rows(name))
    csv = "\n".join(",".join(f"{value:.4f}" for value in row) for row in table)
    answer = client.classify({f"{name}.csv": csv.encode()}, model=MODEL, subject=name)
    marks = [{"at": row.row, "is": "class", "class": LABELS[label]} for row, label in zip(answer.rows, truth)]
    labels = LabelsMark.from_dict({"marks": marks, "why": "reference"})
    taken = answered(create_label.sync_detailed(answer.prediction, client=client.api, body=labels))
    print(f"{name}: {len(answer.rows)} beats, {taken.new} labelled")
while get_verdict.sync("toy", client=client.api, challenger="2").numbers.both < len(names):
    time.sleep(0.1)
verdict = answered(get_verdict.sync_detailed("toy", client=client.api, challenger="2"))
print(verdict.sentence)
for row in verdict.labelled.figures:
    if row.figure == "v_f1":
        print(f"F1 for V beats: {row.champion} before, {row.challenger} now")

# %% [markdown]
# ## Promote, and take it back
#
# A few minutes are too few for a verdict, and it says so. Promoting is for people to decide; a rollback is one call.

# %%
print(f"{client.promote(MODEL, '2', 'a try').champion} answers")
print(f"{client.roll_back(MODEL, 'it was only a try').champion} answers again")
assert not get_experiment.sync("toy", client=client.api).running, "other traffic ends the experiment"
try:
    client.promote(MODEL, "3")
except Problem as problem:
    print(problem.code)
