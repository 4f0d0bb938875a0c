"""Makes the tensors for training and evaluation once: DS1 in several draws and both leads, DS2 as detected."""

import argparse
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "training"))
import records as mit


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--mitdb", required=True)
    args.add_argument("--binary", required=True, help="the built example recipe_tensors")
    args.add_argument("--work", required=True)
    args.add_argument("--draws", type=int, default=6)
    args = args.parse_args()
    work = pathlib.Path(args.work)
    recipe = mit.Recipe(args.binary, work / "scratch")
    for record in mit.DS1:
        for lead in (0, 1):
            draws = mit.training_draws(recipe, args.mitdb, record, lead, args.draws)
            beat, rr, y = (np.concatenate(column) for column in zip(*draws))
            draw = np.concatenate([np.full(len(d[2]), k) for k, d in enumerate(draws)])
            np.savez(work / f"train-{record}-{lead}.npz", beat=beat.astype(np.float16), rr=rr.astype(np.float16),
                     y=y.astype(np.int8), draw=draw.astype(np.int8))
    for record in mit.DS1 + mit.DS2:
        for lead in (0, 1):
            samples, rate, where, what, vf = mit.load(args.mitdb, record, lead)
            ((beat, rr, found),) = recipe.run([(samples, rate, None)])
            np.savez(work / f"test-{record}-{lead}.npz", beat=beat, rr=rr, found=found, where=where, what=what, vf=vf,
                     pair=mit.match(where, found, 0.15 * rate), rate=rate)


if __name__ == "__main__":
    main()
