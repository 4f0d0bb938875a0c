"""The MIT-BIH records: splits, leads, classes, and beats through the product's own detector and recipe."""

import hashlib
import pathlib
import subprocess

import numpy as np
import wfdb

DS1 = "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split()
DS2 = "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234".split()
FOLDS = [
    "112 114 115 118 208".split(),
    "106 109 116 209".split(),
    "122 215 220 223 230".split(),
    "108 119 201 205".split(),
    "101 124 203 207".split(),
]
LABELS = "NSVFQ"
# Mapping "aami-dechazal": escape beats count as normal.
CLASS = {symbol: LABELS.index(c) for c, symbols in
         {"N": "NLRBej", "S": "AaJSn", "V": "VEr", "F": "F", "Q": "/fQ?"}.items() for symbol in symbols}
WINDOW, FEATURES, ROW = 128, 30, 187


def lead_order(names):
    """The lead the product takes first (MLII where there is one), then the other."""
    first = names.index("MLII") if "MLII" in names else 0
    return [first] + [i for i in range(len(names)) if i != first]


def load(folder, record, lead=0):
    """(samples in mV, rate, beat samples, classes, first sample of VF episodes and their ends)."""
    path = str(pathlib.Path(folder) / record)
    signal = wfdb.rdrecord(path)
    notes = wfdb.rdann(path, "atr")
    beats = [(s, CLASS[m]) for s, m in zip(notes.sample, notes.symbol) if m in CLASS]
    vf = [s for s, m in zip(notes.sample, notes.symbol) if m in "[]"]
    order = lead_order(signal.sig_name)
    samples = signal.p_signal[:, order[lead]].astype(np.float32)
    where, what = (np.array(x) for x in zip(*beats))
    return samples, float(signal.fs), where.astype(float), what, np.array(vf, float).reshape(-1, 2)


def match(reference, found, reach):
    """Nearest one-to-one pairs within `reach`: for each found beat the reference index or -1."""
    pairs = sorted((abs(found[j] - reference[i]), i, j) for j in range(len(found))
                   for i in range(*np.searchsorted(reference, [found[j] - reach, found[j] + reach + 1e-9])))
    taken, result = set(), np.full(len(found), -1)
    for _, i, j in pairs:
        if i not in taken and result[j] < 0:
            taken.add(i)
            result[j] = i
    return result


class Recipe:
    """Runs the example `recipe_tensors`: what the product feeds the model is what it is trained on."""

    def __init__(self, binary, scratch):
        self.binary, self.scratch = binary, pathlib.Path(scratch)
        self.scratch.mkdir(parents=True, exist_ok=True)

    def run(self, jobs, recipe="beat-rr-v1"):
        """jobs: (samples, rate, R positions or None to detect). Yields (*tensors, r) for each."""
        lines = []
        for k, (samples, rate, peaks) in enumerate(jobs):
            name = self.scratch / f"job{k}"
            samples.astype("<f4").tofile(f"{name}.mv")
            if peaks is not None:
                np.asarray(peaks, "<f8").tofile(f"{name}.peaks")
            lines.append(f"{name}.mv\t{float(rate)!r}\t{'detect' if peaks is None else f'{name}.peaks'}\t{name}\t{recipe}")
        subprocess.run([self.binary], input="\n".join(lines) + "\n", text=True, check=True)
        for k in range(len(jobs)):
            name = self.scratch / f"job{k}"
            r = np.fromfile(f"{name}.r", "<f8")
            shapes = {"row": (1, ROW)} if recipe.startswith("kaggle") else {"beat": (2, WINDOW), "rr": (FEATURES,)}
            yield *(np.fromfile(f"{name}.{key}", "<f4").reshape(-1, *dims) for key, dims in shapes.items()), r
            for file in self.scratch.glob(f"job{k}.*"):
                file.unlink()


def seed_of(*parts):
    """A seed that depends on the names alone."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:4], "little")


def training_draws(recipe, folder, record, lead, draws):
    """Several versions of one lead: detector positions, annotated ones, then jittered ones with other time scales.

    Positions start from the detector where it found the beat (that is what serving sees), else from the annotation.
    The intervals are computed from the jittered positions, and so is the median beat.
    """
    samples, rate, where, what, _ = load(folder, record, lead)
    ((beat, rr, found),) = recipe.run([(samples, rate, None)])
    pair = match(where, found, 0.15 * rate)
    known = pair >= 0
    out = [(beat[known], rr[known], what[pair[known]])]
    start = where.copy()
    start[pair[known]] = found[known]
    rng = np.random.default_rng(seed_of("draws", record, lead))
    jobs, labels = [], []
    for draw in range(draws):
        base = where if draw == 0 else start
        shift = 0.0 if draw == 0 else rng.uniform(-0.008, 0.008) + rng.uniform(-0.02, 0.02, len(where))
        at = np.clip(base + shift * rate, 0, len(samples) - 1)
        order = np.argsort(at, kind="stable")
        keep = np.concatenate([[True], np.diff(at[order]) > 1])
        jobs.append((samples, rate * (1.0 if draw == 0 else np.exp(rng.uniform(-0.05, 0.05))), at[order][keep]))
        labels.append(what[order][keep])
    return out + [(b, r, y) for (b, r, _), y in zip(recipe.run(jobs), labels)]
