"""Writes what statsmodels says about a few numbers into the fixtures of the tests, with the numbers: it is no part of their environment.

    pip install statsmodels==0.15.0 && python statsmodels_figures.py
"""

import json
import math
from pathlib import Path

import numpy as np
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa
from statsmodels.stats.power import normal_sample_size_one_tail
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import CompareMeans

PLATFORM = Path(__file__).resolve().parents[3]
random = np.random.default_rng(57)

tables = [
    [[61, 4, 9, 2], [3, 75, 0, 11], [8, 1, 80, 5], [0, 2, 6, 44]],
    [[500, 1, 0, 0], [2, 30, 0, 1], [0, 0, 0, 0], [1, 0, 4, 9]],
    [[5, 20, 1, 7], [19, 3, 2, 0], [1, 8, 6, 3], [9, 2, 2, 4]],
]
kappas = [float(cohens_kappa(np.array(table), return_results=False)) for table in tables]

# Two errors above and below the share that two more failures and two more successes give (Agresti, Coull 1998).
shares = [[12, 10], [60, 60], [200, 31], [1000, 80]]
errors = []
for requests, failed in shares:
    low, high = proportion_confint(failed, requests, alpha=2 * stats.norm.sf(2.0), method="agresti_coull")
    # Intervals are cut off at 0 and 1, so the middle is known by itself.
    middle = (failed + 2) / (requests + 4)
    errors.append(float(middle - low) / 2)

# Shares of withheld beats of each person, of two arms.
withheld = [[int(value) for value in random.integers(0, 60, size)] for size in (25, 31)]
withheld[1] = [value + 150 for value in withheld[1]]
of_all = [np.array(arm) / 1000 for arm in withheld]
means = CompareMeans.from_data(of_all[1], of_all[0])
apart = {"difference": float(of_all[1].mean() - of_all[0].mean()), "error": float(means.std_meandiff_separatevar)}

needed = [[0.1, 0.03], [0.2, 0.01], [0.05, 0.06]]
sizes = [
    float(math.ceil(normal_sample_size_one_tail(difference, 0.8, 0.025, std_null=deviation)))
    for deviation, difference in needed
]

# Beats by things that may be said; every row has the same number of readers.
said = [[int(value) for value in random.multinomial(5, [0.7, 0.2, 0.1])] for _ in range(40)]


def write(path, content):
    path.write_text(json.dumps(content) + "\n")


write(
    PLATFORM / "experiments/tests/fixtures/statsmodels.json",
    {
        "tables": tables,
        "kappas": kappas,
        "shares": shares,
        "errors": errors,
        "withheld": withheld,
        "apart": apart,
        "needed": needed,
        "sizes": sizes,
    },
)
write(
    PLATFORM / "journal/tests/journal/statsmodels.json",
    {"said": said, "fleiss": float(fleiss_kappa(np.array(said))), "tables": tables, "kappas": kappas},
)
