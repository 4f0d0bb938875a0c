"""Scores the shipped graph on DS2 after changing the recordings: rate, gain, polarity, lead, noise, position of R.

Detection runs again on every changed recording, so its errors are in the figures.
"""

import argparse
import pathlib
import sys
from fractions import Fraction

import numpy as np
from scipy.signal import resample_poly

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "training"))
import metrics
import package
import records as mit


def at_rate(target):
    def change(x, rate, rng):
        ratio = Fraction(target / rate).limit_denominator(2000)
        return resample_poly(x, ratio.numerator, ratio.denominator).astype(np.float32), rate * float(ratio)
    return change


def noise(share):
    """White noise with a deviation of that share of the 99 % range of the lead."""
    return lambda x, rate, rng: (x + rng.normal(0, share * np.ptp(np.quantile(x, [0.005, 0.995])), len(x)).astype(np.float32), rate)


def wander(x, rate, rng):
    t = np.arange(len(x)) / rate
    return (x + 0.5 * np.sin(2 * np.pi * 0.25 * t) + 0.3 * np.sin(2 * np.pi * 0.33 * t)).astype(np.float32), rate


CHANGES = {
    "as recorded (360 Hz)": (0, None),
    **{f"{hz} Hz": (0, at_rate(hz)) for hz in (128, 200, 250, 500, 512.844, 1000)},
    "gain x 0.2": (0, lambda x, rate, rng: (x * 0.2, rate)),
    "gain x 5": (0, lambda x, rate, rng: (x * 5, rate)),
    "inverted": (0, lambda x, rate, rng: (-x, rate)),
    "the other lead (V1, V2, V5)": (1, None),
    "white noise, 2 % of the range": (0, noise(0.02)),
    "white noise, 5 % of the range": (0, noise(0.05)),
    "wander of 0.5 mV": (0, wander),
}


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--mitdb", required=True)
    args.add_argument("--binary", required=True)
    args.add_argument("--work", required=True)
    args = args.parse_args()
    recipe = mit.Recipe(args.binary, pathlib.Path(args.work) / "scratch-robust")
    print("| recording | beats found | acc | j-kappa | S F1 | V F1 | macro F1 |\n|---|---|---|---|---|---|---|")
    for title, (lead, change) in CHANGES.items():
        table = 0
        for record in mit.DS2:
            x, rate, where, what, vf = mit.load(args.mitdb, record, lead)
            y, new_rate = change(x, rate, np.random.default_rng(7)) if change else (x, rate)
            ((beat, rr, found),) = recipe.run([(y, new_rate, None)])
            found = found * rate / new_rate
            test = dict(found=found, where=where, what=what, vf=vf, rate=rate, pair=mit.match(where, found, 0.15 * rate))
            called = package.run_onnx(HERE / "model.onnx", {"beat": beat, "rr": rr}).argmax(1)
            table = table + metrics.confusion(*metrics.beats(test, called, 300.0))
        s = metrics.scores(table)
        share = table[:5, :5].sum() / table[:5].sum()
        print(f"| {title} | {share:.4f} | {s['acc']:.3f} | {s['jk']:.3f} | {s['S_f1']:.3f} | {s['V_f1']:.3f} | {s['macro']:.3f} |",
              flush=True)


if __name__ == "__main__":
    main()
