# %% [markdown]
# # Train, log to MLflow, serve, compare, roll back
#
# Two models of single beats, normal or ventricular, from the signal behind each R peak: the recipe `kaggle-heartbeat-v1`. They are trained
# here in PyTorch on a few minutes of the MIT-BIH Arrhythmia Database, so they are toys.
#
#     train_and_compare.py EINTHOVEN MLFLOW RECORDS
#
# with the owner's key in EINTHOVEN_KEY. RECORDS is a folder of WFDB records in format 212 with reference beats in `.atr` files. Run it cell by cell
# where your editor knows `# %%`, or as a whole.

# %%
import sys
import tempfile
import time
from pathlib import Path

import mlflow
import numpy as np
import onnx
import torch
from einthoven_client import Einthoven, Problem, answered
from einthoven_client.generated.api.experiments import get_experiment, get_verdict, start_experiment
from einthoven_client.generated.api.predictions import create_label
from einthoven_client.generated.api.sources import pull_from_source, set_source
from einthoven_client.generated.models import LabelsMark, NewExperiment, NewPull, NewSource

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
# By way of lists: a PyTorch and a numpy of different years share no memory.
inputs, targets = torch.tensor(x[:, None].tolist()), torch.tensor(y.tolist())


def fit(hidden, steps):
    """A network from a row to a score for each class, and its final loss."""
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(ROW, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 2))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(inputs), targets)
        loss.backward()
        optimizer.step()
    return network, loss.item()


def exported(network):
    """The same as ONNX, for any number of beats, with the softmax that makes probabilities of scores."""
    whole = torch.nn.Sequential(network, torch.nn.Softmax(dim=1)).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/model.onnx"
        names = {"input_names": ["row"], "output_names": ["probabilities"]}
        many = {"row": {0: "beats"}, "probabilities": {0: "beats"}}
        torch.onnx.export(whole, (inputs[:2],), path, opset_version=17, dynamic_axes=many, **names)
        model = onnx.load(path)
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
        network, loss = fit(hidden, steps)
        mlflow.log_params({"hidden": hidden, "steps": steps})
        mlflow.log_metric("loss", loss)
        logged = mlflow.onnx.log_model(
            exported(network), name="model", input_example=x[:4, None], save_as_external_data=False, pip_requirements=["onnx", "onnxruntime"]
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
