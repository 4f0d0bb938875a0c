"""Scores the shipped graph, or each trained network alone, on records that no network was trained on.

    python evaluate.py --work DIR                          # model.onnx on DS2, from 5:00 and whole
    python evaluate.py --work DIR --nets heartbeat.pt      # mean and spread over the seeds too
    python evaluate.py --work DIR --records DS1            # what it fits of its own training records
"""

import argparse
import pathlib
import sys

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "training"))
import metrics
import package
import records as mit
from train import logits
from net import Net


def tables(work, names, lead, start_s, predict):
    out, confidence, right = {}, [], []
    for record in names:
        test = dict(np.load(f"{work}/test-{record}-{lead}.npz"))
        p = predict(test)
        out[record] = metrics.confusion(*metrics.beats(test, p.argmax(1), start_s))
        pair = test["pair"]
        known = (pair >= 0) & (test["found"] >= start_s * test["rate"])
        confidence.append(p[known])
        right.append(p[known].argmax(1) == test["what"][pair[known]])
    return out, confidence, right


def report(title, result, details):
    out, confidence, right = result
    pooled = metrics.scores(sum(out.values()))
    error = metrics.calibration_error(np.concatenate(confidence), np.concatenate(right))
    print(f"{title}: {metrics.line(pooled)} ECE {error:.4f}")
    if details:
        low_high = metrics.bootstrap(list(out.values()))
        print("  95 % over records:", " ".join(f"{k} {a:.3f}-{b:.3f}" for k, (a, b) in low_high.items()))
        single = {r: metrics.scores(t) for r, t in out.items()}
        for cls, row in (("S", 1), ("V", 2)):
            f1 = [single[r][f"{cls}_f1"] for r in out if out[r][row].sum() >= 10]
            print(f"  mean {cls} F1 over the {len(f1)} records with 10 or more: {np.mean(f1):.3f}")
        print("  mean accuracy over records", f"{np.mean([s['acc'] for s in single.values()]):.3f}")
        print(sum(out.values()))
        print("| record | beats | missed | extra | acc | S | S Se | S +P | V | V Se | V +P | ECE |\n" + "|---" * 12 + "|")
        rate = lambda value, count: f"{value:.3f}" if count else "-"
        for (record, s), p, ok in zip(single.items(), confidence, right):
            t = out[record]
            cells = [record, t[:5, :5].sum(), t[:5, 5].sum(), t[5].sum(), f"{s['acc']:.3f}", t[1].sum(),
                     rate(s["S_se"], t[1].sum()), rate(s["S_pp"], t[:, 1].sum()), t[2].sum(),
                     rate(s["V_se"], t[2].sum()), rate(s["V_pp"], t[:, 2].sum()),
                     f"{metrics.calibration_error(p, ok):.3f}"]
            print("| " + " | ".join(str(cell) for cell in cells) + " |")
    return pooled | {"ece": error}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", required=True)
    args.add_argument("--nets", help="also every network of this file alone")
    args.add_argument("--lead", type=int, default=0)
    args.add_argument("--records", default="DS2", help="DS1, DS2 or names separated by commas")
    args.add_argument("--details", action="store_true")
    args = args.parse_args()
    torch.set_num_threads(1)
    names = {"DS1": mit.DS1, "DS2": mit.DS2}.get(args.records) or args.records.split(",")
    onnx = lambda test: package.run_onnx(HERE / "model.onnx", {k: test[k] for k in ("beat", "rr")})
    for start in (0.0, 300.0):
        result = tables(args.work, names, args.lead, start, onnx)
        report(f"shipped, from {start:.0f} s", result, args.details and start)
        if args.nets:
            trained = torch.load(f"{args.work}/{args.nets}")
            c, single = trained["settings"], []
            for state in trained["nets"]:
                net = Net(mit.FEATURES, c["channels"], c["hidden"], c["dropout"])
                net.load_state_dict(state)
                soft = lambda test: torch.softmax(logits(net.eval(), test, c) / trained["temperature"], 1).numpy()
                single.append(report(f"  one network, from {start:.0f} s", tables(args.work, names, args.lead, start, soft), False))
            print("  mean and spread:", " ".join(f"{k} {np.mean([s[k] for s in single]):.3f}+-"
                                                 f"{np.std([s[k] for s in single]):.3f}" for k in single[0]))


if __name__ == "__main__":
    main()
