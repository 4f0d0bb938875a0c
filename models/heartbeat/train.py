"""Trains `heartbeat` on DS1: cross-validation over records for choices and the temperature, then the final networks.

    python prepare.py --mitdb DIR --binary recipe_tensors --work DIR
    python train.py --work DIR            # cross-validation, then five networks;
                                          # writes DIR/heartbeat.pt
"""

import argparse
import json
import pathlib
import sys
import time

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "training"))
import metrics
import records as mit
from net import Net, augment, temperature

DEFAULTS = dict(steps=1200, batch=512, rate=3e-3, decay=0.02, alpha=0.5, beta=0.5, focal=2.0, mixup=0.2,
                smoothing=0.05, second_lead=0.3, dropout=0.25, channels=(8, 12, 16, 16, 4), hidden=16, drop_features=())


class Beats:
    """Every draw of some records, with a sampling weight for each beat."""

    def __init__(self, work, names, c):
        parts = [(np.load(f"{work}/train-{r}-{lead}.npz"), k, lead) for k, r in enumerate(names) for lead in (0, 1)]
        column = lambda key: np.concatenate([p[key] for p, _, _ in parts])
        y, record = column("y"), np.concatenate([np.full(len(p["y"]), k) for p, k, _ in parts])
        lead = np.concatenate([np.full(len(p["y"]), l) for p, _, l in parts])
        weight = np.zeros(len(y))
        for cls in range(4):
            for l, share in ((0, 1 - c["second_lead"]), (1, c["second_lead"])):
                of_class = (y == cls) & (lead == l)
                counts = np.bincount(record[of_class], minlength=len(names)).astype(float)
                mass = np.where(counts > 0, np.maximum(counts, 1) ** c["beta"], 0)
                mass *= share * of_class.sum() ** (1 - c["alpha"]) / max(mass.sum(), 1e-9)
                per_beat = mass / np.maximum(counts, 1)
                weight[of_class] = per_beat[record[of_class]]
        keep = weight > 0
        self.beat = torch.from_numpy(column("beat")[keep])
        self.rr = torch.from_numpy(column("rr")[keep]).float()
        self.y = torch.from_numpy(y[keep]).long()
        self.cumulative = np.cumsum(weight[keep]) / weight.sum()

    def draw(self, count, rng):
        return torch.from_numpy(np.minimum(np.searchsorted(self.cumulative, rng.random(count)), len(self.y) - 1))


def train(beats, seed, c):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Net(mit.FEATURES, c["channels"], c["hidden"], c["dropout"])
    optimiser = torch.optim.AdamW(net.parameters(), lr=c["rate"], weight_decay=c["decay"], betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, c["rate"], c["steps"], pct_start=0.15)
    dropped = list(c["drop_features"])
    for _ in range(c["steps"]):
        index = beats.draw(c["batch"], rng)
        beat, rr = augment(beats.beat[index].float(), generator), beats.rr[index].clone()
        rr[:, dropped] = 0
        target = torch.nn.functional.one_hot(beats.y[index], 4).float()
        if c["mixup"]:
            keep = float(rng.beta(c["mixup"], c["mixup"]))
            keep = max(keep, 1 - keep)
            other = torch.from_numpy(rng.permutation(c["batch"]))
            mix = lambda x: keep * x + (1 - keep) * x[other]
            beat, rr, target = mix(beat), mix(rr), mix(target)
        target = target * (1 - c["smoothing"]) + c["smoothing"] / 4
        log_p = torch.log_softmax(net(beat, rr), 1)
        loss = -(target * (1 - log_p.exp()) ** c["focal"] * log_p).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
    return net.eval()


@torch.no_grad()
def logits(net, test, c):
    rr = torch.from_numpy(test["rr"]).clone()
    rr[:, list(c["drop_features"])] = 0
    return net(torch.from_numpy(test["beat"]), rr)


def cross_validate(work, c, seeds):
    """Scores on the left-out records of DS1 (detected beats, first lead) for each seed, and the temperature."""
    results, everything = [], []
    for seed in seeds:
        tables, out, labels = {}, [], []
        for fold in mit.FOLDS:
            beats = Beats(work, [r for r in mit.DS1 if r not in fold], c)
            net = train(beats, seed, c)
            for record in fold:
                test = dict(np.load(f"{work}/test-{record}-0.npz"))
                z = logits(net, test, c)
                tables[record] = metrics.confusion(*metrics.beats(test, z.argmax(1).numpy()))
                known = (test["pair"] >= 0)
                y = test["what"][test["pair"][known]]
                out.append(z[torch.from_numpy(known)][y < 4])
                labels.append(torch.from_numpy(y[y < 4]).long())
        everything.append(torch.cat(out))
        results.append(metrics.scores(sum(tables.values())))
        print(f"cv seed {seed}: {metrics.line(results[-1])}", flush=True)
    # The networks are shipped as the mean of their logits, so the temperature is fitted to that mean.
    return results, temperature(torch.stack(everything).mean(0), torch.cat(labels)) if seeds else 0.6


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", required=True)
    args.add_argument("--set", default="{}", help="JSON of settings that differ from the defaults")
    args.add_argument("--cv-seeds", default="11")
    args.add_argument("--seeds", default="202,203,204,205,206",
                      help="the first two are shipped, the others only show the spread")
    args.add_argument("--out", default="heartbeat.pt")
    args = args.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    c = DEFAULTS | json.loads(args.set)
    seeds = lambda text: [int(s) for s in text.split(",") if s]
    print(json.dumps(c), flush=True)
    cv, t = cross_validate(args.work, c, seeds(args.cv_seeds))
    if cv:
        mean = {k: float(np.mean([s[k] for s in cv])) for k in cv[0]}
        print("cv mean:", metrics.line(mean), f"mean S V {(mean['S_f1'] + mean['V_f1']) / 2:.3f} T {t:.2f}", flush=True)
    if not args.seeds:
        return
    beats = Beats(args.work, mit.DS1, c)
    nets = []
    for seed in seeds(args.seeds):
        started = time.time()
        nets.append(train(beats, seed, c).state_dict())
        print(f"trained seed {seed} in {time.time() - started:.0f} s", flush=True)
    torch.save({"settings": c, "temperature": t, "seeds": seeds(args.seeds), "nets": nets}, f"{args.work}/{args.out}")


if __name__ == "__main__":
    main()
