"""Writes the trained networks in every format, with manifest and golden outputs, and compares the formats.

    python export.py --work DIR --version 1
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "training"))
import package
import records as mit
from graph_onnx import Graph
from weights import STRIDES, layers

INPUTS = [("beat", [2, mit.WINDOW]), ("rr", [mit.FEATURES])]
LABELS = ["N", "S", "V", "F"]
SHIPPED = 2


def onnx_graph(nets):
    g = Graph()
    logits = []
    for k, net in enumerate(nets):
        x = "beat"
        for layer, stride in enumerate(STRIDES):
            x = g.conv(f"net{k}.conv{layer}", x, *net[f"conv{layer}"], stride)
        x = g.dense(f"net{k}.wave", g.op("Flatten", x, axis=1), *net["wave"])
        y = g.dense(f"net{k}.context", "rr", *net["context"])
        z = g.dense(f"net{k}.join", g.op("Concat", x, y, axis=1), *net["join"])
        logits.append(g.dense(f"net{k}.out", z, *net["out"], relu=False))
    total = logits[0]
    for other in logits[1:]:
        total = g.op("Add", total, other)
    g.op("Softmax", total, axis=1, output="probabilities")
    return g.model("heartbeat", INPUTS, ("probabilities", [4]))


def sample(work, records, each, seed):
    """Some beats of each record, as fed in serving."""
    rng = np.random.default_rng(seed)
    beats, rr = [], []
    for record in records:
        test = np.load(f"{work}/test-{record}-0.npz")
        index = np.sort(rng.choice(len(test["rr"]), each, replace=False))
        beats.append(test["beat"][index])
        rr.append(test["rr"][index])
    return {"beat": np.concatenate(beats), "rr": np.concatenate(rr)}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", required=True)
    args.add_argument("--version", required=True)
    args.add_argument("--nets", default="heartbeat.pt")
    args = args.parse_args()
    trained = torch.load(f"{args.work}/{args.nets}")
    # The rule was fixed beforehand: the first seeds, whatever their scores, as many as the time allowed per beat.
    trained["nets"], trained["seeds"] = trained["nets"][:SHIPPED], trained["seeds"][:SHIPPED]
    zeroed = list(trained["settings"]["drop_features"])
    gain = 1 / (trained["temperature"] * len(trained["nets"]))
    nets = [layers(state, gain) for state in trained["nets"]]
    for net in nets:
        net["context"][0][:, zeroed] = 0
    package.write(
        HERE, "heartbeat", args.version, "beat-rr-v1", INPUTS, LABELS, onnx_graph(nets), nets,
        calibration={"temperature": trained["temperature"], "fitted_on": "left-out records of DS1",
                     "in_graph": True, "networks_averaged": len(nets)},
        training={"database": "MIT-BIH Arrhythmia Database 1.0.0 (ODC-By 1.0)", "records": mit.DS1,
                  "mapping": "aami-dechazal", "seeds": trained["seeds"], "settings": trained["settings"]},
        calibrate=sample(args.work, mit.DS1, 40, 1), golden=sample(args.work, ["101", "119", "209", "223"], 4, 2),
        compare=sample(args.work, mit.DS2, 100, 3))


if __name__ == "__main__":
    main()
