"""Trains `heartbeat-row`: single Kaggle rows of 187 values, no neighbours, on DS1 and the paced records 102 and 104.

    python train.py --mitdb DIR --binary recipe_tensors --work DIR   # train, export, score on DS2 + 107 + 217
"""

import argparse
import pathlib
import sys

import numpy as np
import torch
import wfdb

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "training"))
import metrics
import package
import records as mit
from graph_onnx import Graph
from net import Net, temperature
from weights import STRIDES, layers

SETTINGS = dict(steps=1500, batch=512, rate=3e-3, decay=0.02, alpha=0.25, beta=0.5, smoothing=0.05, dropout=0.25,
                channels=(8, 12, 16, 16, 4), hidden=24, jitter_s=0.02, second_lead=0.2)
FOLDS = [fold + extra for fold, extra in zip(mit.FOLDS, (["102"], ["104"], [], [], []))]
TRAIN, TEST = mit.DS1 + ["102", "104"], mit.DS2 + ["107", "217"]
INPUTS, LABELS = [("row", [1, mit.ROW])], list(mit.LABELS)


def rows(recipe, folder, record, channel, jitter_s, copies):
    """Rows of one record: at every annotation, as the public tables have them, then with every mark jittered."""
    signal = wfdb.rdrecord(f"{folder}/{record}")
    notes = wfdb.rdann(f"{folder}/{record}", "atr")
    label = np.array([mit.CLASS.get(m, -1) for m in notes.symbol])
    samples = signal.p_signal[:, channel].astype(np.float32)
    rng = np.random.default_rng(mit.seed_of("rows", record, channel))
    jobs, kept = [], []
    for copy in range(copies):
        at = notes.sample + (rng.uniform(-jitter_s, jitter_s, len(label)) * signal.fs if copy else 0.0)
        use = np.ones(len(label), bool) if copy % 2 == 0 else label >= 0
        at = np.clip(at[use], 0, len(samples) - 1)
        order = np.argsort(at, kind="stable")
        distinct = np.concatenate([[True], np.diff(at[order]) > 0])
        jobs.append((samples, signal.fs, at[order][distinct]))
        kept.append(label[use][order][distinct][:-1])
    parts = [(x[y >= 0], y[y >= 0]) for (x, _), y in zip(recipe.run(jobs, "kaggle-heartbeat-v1"), kept)]
    return tuple(np.concatenate(column) for column in zip(*parts))


def weights_of(data, c):
    """Sampling weights: classes by their count to the power 1 - alpha, records inside a class to the power beta."""
    y = np.concatenate([d[1] for d in data])
    record = np.concatenate([np.full(len(d[1]), d[2]) for d in data])
    share = np.concatenate([np.full(len(d[1]), c["second_lead"] if d[3] else 1 - c["second_lead"]) for d in data])
    weight = np.zeros(len(y))
    for cls in range(5):
        of_class = y == cls
        counts = np.maximum(np.bincount(record[of_class], minlength=64), 1).astype(float)
        w = share[of_class] * counts[record[of_class]] ** (c["beta"] - 1)
        weight[of_class] = w / w.sum() * of_class.sum() ** (1 - c["alpha"])
    return weight / weight.sum()


def train(data, seed, c):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(np.concatenate([d[0] for d in data]))
    y = torch.from_numpy(np.concatenate([d[1] for d in data])).long()
    cumulative = np.cumsum(weights_of(data, c))
    net = Net(0, c["channels"], c["hidden"], c["dropout"], 1, mit.ROW, 5)
    optimiser = torch.optim.AdamW(net.parameters(), lr=c["rate"], weight_decay=c["decay"], betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, c["rate"], c["steps"], pct_start=0.15)
    for _ in range(c["steps"]):
        index = torch.from_numpy(np.minimum(np.searchsorted(cumulative, rng.random(c["batch"])), len(y) - 1))
        noise = torch.from_numpy(rng.normal(0, 1, (c["batch"], 1, mit.ROW)).astype(np.float32))
        batch = x[index] + 0.02 * noise * (x[index] != 0)
        loss = torch.nn.functional.cross_entropy(net(batch), y[index], label_smoothing=c["smoothing"])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
    return net.eval()


def graph_of(nets):
    g, logits = Graph(), []
    for k, net in enumerate(nets):
        x = "row"
        for layer, stride in enumerate(STRIDES):
            x = g.conv(f"net{k}.conv{layer}", x, *net[f"conv{layer}"], stride)
        x = g.dense(f"net{k}.wave", g.op("Flatten", x, axis=1), *net["wave"])
        logits.append(g.dense(f"net{k}.out", x, *net["out"], relu=False))
    total = logits[0]
    for other in logits[1:]:
        total = g.op("Add", total, other)
    g.op("Softmax", total, axis=1, output="probabilities")
    return g.model("heartbeat-row", INPUTS, ("probabilities", [5]))


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--mitdb", required=True)
    args.add_argument("--binary", required=True, help="the built example recipe_tensors")
    args.add_argument("--work", required=True)
    args.add_argument("--version", default="1.0.0")
    args = args.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    c = SETTINGS
    recipe = mit.Recipe(args.binary, pathlib.Path(args.work) / "scratch-row")
    data = {}
    for k, record in enumerate(TRAIN):
        for channel in (0, 1):
            data[record, channel] = (*rows(recipe, args.mitdb, record, channel, c["jitter_s"], 4), k, channel)
    plain = lambda record: rows(recipe, args.mitdb, record, 0, 0, 1)
    logits, labels = [], []
    for fold in FOLDS:
        net = train([d for (r, _), d in data.items() if r not in fold], 11, c)
        for record in fold:
            x, y = plain(record)
            logits.append(net(torch.from_numpy(x)).detach())
            labels.append(torch.from_numpy(y).long())
    z, y = torch.cat(logits), torch.cat(labels)
    t = temperature(z, y)
    print("left-out DS1:", metrics.line(metrics.scores(metrics.confusion(y.numpy(), z.argmax(1).numpy()))), "T", t)
    seeds = [202, 203, 204]
    nets = [layers(train(list(data.values()), seed, c).state_dict(), 1 / (3 * t)) for seed in seeds]
    test = {record: plain(record) for record in TEST}
    seen = {record: plain(record) for record in TRAIN}
    pick = lambda source, names, each: {"row": np.concatenate([source[r][0][5:5 + each] for r in names])}
    package.write(HERE, "heartbeat-row", args.version, "kaggle-heartbeat-v1", INPUTS, LABELS, graph_of(nets), nets,
                  calibration={"temperature": t, "fitted_on": "left-out records of DS1, 102 and 104", "in_graph": True,
                               "networks_averaged": len(seeds)},
                  training={"database": "MIT-BIH Arrhythmia Database 1.0.0 (ODC-By 1.0)", "records": TRAIN,
                            "mapping": "aami-dechazal", "seeds": seeds, "settings": c},
                  calibrate=pick(seen, TRAIN, 40), golden=pick(seen, ["101", "119", "209", "102"], 4),
                  compare=pick(test, TEST, 100))
    tables, p_all, right = {}, [], []
    for record, (x, y) in test.items():
        p = package.run_onnx(HERE / "model.onnx", {"row": x})
        tables[record] = metrics.confusion(y, p.argmax(1))
        p_all.append(p)
        right.append(p.argmax(1) == y)
        print(record, metrics.line(metrics.scores(tables[record])))
    print(sum(tables.values()))
    print("DS2, 107, 217:", metrics.line(metrics.scores(sum(tables.values()))),
          f"ECE {metrics.calibration_error(np.concatenate(p_all), np.concatenate(right)):.3f}")
    print("DS2:", metrics.line(metrics.scores(sum(tables[r] for r in mit.DS2))))
    print({k: (round(a, 3), round(b, 3)) for k, (a, b) in metrics.bootstrap(list(tables.values())).items()})


if __name__ == "__main__":
    main()
