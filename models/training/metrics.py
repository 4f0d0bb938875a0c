"""Beat-by-beat scores with the counting rules of EC57 (a fusion or unknown beat called V is no false positive)."""

import numpy as np

N_, S_, V_, F_, Q_, O_ = range(6)


def confusion(reference, called):
    """6 x 6 counts: rows N S V F Q and O (no reference beat), columns n s v f q and o (missed)."""
    table = np.zeros((6, 6), int)
    np.add.at(table, (reference, called), 1)
    return table


def beats(test, called, start_s=0.0):
    """(reference, called) with 5 for the beat that is not there, from `start_s`, ventricular fibrillation left out."""
    rate, found, where = float(test["rate"]), test["found"], test["where"]
    in_vf = lambda at: np.any([(at >= a) & (at <= b) for a, b in test["vf"]] or [np.zeros(len(at), bool)], axis=0)
    pair = test["pair"]
    matched = pair >= 0
    late = found >= start_s * rate
    reference = np.where(matched, test["what"][np.maximum(pair, 0)], O_)
    keep = late & ~in_vf(found)
    missed = np.setdiff1d(np.arange(len(where)), pair[matched])
    missed = missed[(where[missed] >= start_s * rate) & ~in_vf(where[missed])]
    return (np.concatenate([reference[keep], test["what"][missed]]),
            np.concatenate([called[keep], np.full(len(missed), O_)]))


def scores(t):
    """Accuracy, kappa and j-kappa over matched beats; sensitivity, precision, F1 of S and V by EC57."""
    pairs = t[:5, :5].astype(float)
    total = max(pairs.sum(), 1)
    accuracy = np.trace(pairs) / total
    chance = (pairs.sum(0) * pairs.sum(1)).sum() / total**2
    kappa = (accuracy - chance) / max(1 - chance, 1e-9)
    s_tp, s_fn, s_fp = t[S_, S_], t[S_].sum() - t[S_, S_], t[[N_, V_, F_, O_], S_].sum()
    v_tp, v_fn, v_fp = t[V_, V_], t[V_].sum() - t[V_, V_], t[[N_, S_, O_], V_].sum()
    n_tp, n_fn, n_fp = t[N_, N_], t[N_].sum() - t[N_, N_], t[[S_, V_, F_, Q_, O_], N_].sum()
    ratio = lambda a, b: a / (a + b) if a + b else 0.0
    f1 = lambda tp, fn, fp: ratio(2 * tp, fn + fp)
    out = {"acc": accuracy, "kappa": kappa}
    for name, (tp, fn, fp) in {"S": (s_tp, s_fn, s_fp), "V": (v_tp, v_fn, v_fp)}.items():
        out |= {f"{name}_se": ratio(tp, fn), f"{name}_pp": ratio(tp, fp), f"{name}_f1": f1(tp, fn, fp)}
    out["jk"] = kappa / 2 + (out["S_se"] + out["V_se"] + out["S_pp"] + out["V_pp"]) / 8
    out["F_f1"] = f1(t[F_, F_], t[F_].sum() - t[F_, F_], t[:, F_].sum() - t[F_, F_])
    out["macro"] = (f1(n_tp, n_fn, n_fp) + out["S_f1"] + out["V_f1"]) / 3
    return out


def line(s):
    keys = "acc kappa jk S_se S_pp S_f1 V_se V_pp V_f1 F_f1 macro".split()
    return " ".join(f"{k} {s[k]:.3f}" for k in keys)


def calibration_error(probabilities, right, bins=15):
    """Expected calibration error of the highest probability over equal-width bins."""
    top = probabilities.max(1)
    index = np.minimum((top * bins).astype(int), bins - 1)
    return sum(abs(right[index == b].mean() - top[index == b].mean()) * (index == b).mean()
               for b in range(bins) if (index == b).any())


def bootstrap(tables, draws=1000, seed=1):
    """95 % intervals of each score, drawing whole records with replacement."""
    rng = np.random.default_rng(seed)
    stack = np.stack(tables)
    sample = [scores(stack[rng.integers(0, len(stack), len(stack))].sum(0)) for _ in range(draws)]
    return {k: tuple(np.quantile([s[k] for s in sample], [0.025, 0.975])) for k in sample[0]}
