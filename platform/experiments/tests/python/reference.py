"""Figures of scipy and numpy for the numbers on standard input, as JSON on standard output."""

import itertools
import json
import sys

import numpy as np
from scipy import special, stats

given = json.load(sys.stdin)
answer = {}

answer["quantiles"] = [float(stats.norm.ppf(p)) for p in given["shares"]]
answer["below"] = [float(stats.norm.cdf(z)) for z in given["quantiles"]]


def interval(drawn, level, method, samples):
    """The interval of draws that were made elsewhere. The statistic answers what the figure is without a unit."""

    class Result:
        bootstrap_distribution = np.array(drawn["draws"])

    result = stats.bootstrap(
        samples,
        given["statistics"][drawn["name"]],
        n_resamples=0,
        bootstrap_result=Result(),
        confidence_level=level,
        method=method,
        vectorized=False,
    ).confidence_interval
    return [float(result.low), float(result.high)]


def mean_of(values):
    return float(np.mean(values))


def apart(first, second):
    return float(np.mean(second) - np.mean(first))


given["statistics"] = {"mean": mean_of, "apart": apart}
answer["intervals"] = {}
for drawn in given["drawn"]:
    samples = tuple(np.array(sample) for sample in drawn["samples"])
    answer["intervals"][drawn["name"]] = {
        "BCa": interval(drawn, given["level"], "BCa", samples),
        "percentile": interval(drawn, given["level"], "percentile", samples),
    }

# Sign flips, all of them; for a figure that is no mean too: pooled F1, both arms' names changed within recordings.
flips = np.array(given["differences"])
answer["sign_flip"] = float(
    stats.permutation_test(
        (flips,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    ).pvalue
)


def f1(counts):
    hit, missed, wrong = counts.sum(axis=0)
    return 2 * hit / (2 * hit + missed + wrong)


arms = np.array(given["counts"], dtype=float)
seen = f1(arms[:, 1]) - f1(arms[:, 0])
hits = total = 0
for names in itertools.product([0, 1], repeat=len(arms)):
    names = np.array(names)
    at = np.arange(len(arms))
    value = f1(arms[at, 1 - names]) - f1(arms[at, names])
    hits += abs(value) >= abs(seen) * (1 - 1e-12)
    total += 1
answer["pooled_flip"] = hits / total
answer["pooled_difference"] = float(seen)

# Cohen's kappa by its definition, from the beats themselves.
table = np.array(given["table"])
pairs = [(i, j) for i in range(len(table)) for j in range(len(table)) for _ in range(table[i, j])]
first, second = np.array(pairs).T
agreed = np.mean(first == second)
chance = sum(np.mean(first == k) * np.mean(second == k) for k in range(len(table)))
answer["kappa"] = float((agreed - chance) / (1 - chance))

answer["ks"] = []
for first, second in given["ks"]:
    result = stats.ks_2samp(first, second, method="exact")
    answer["ks"].append([float(result.statistic), float(result.pvalue)])
answer["kolmogorov"] = [float(special.kolmogorov(z)) for z in given["scaled"]]


def psi(first, second):
    edges = np.quantile(first, np.linspace(0, 1, 11))[1:-1]
    share = lambda values: np.maximum(
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=10) / len(values), 1e-4
    )
    p, q = share(first), share(second)
    return float(np.sum((p - q) * np.log(p / q)))


answer["psi"] = [psi(first, second) for first, second in given["psi"]]

# Wealth by its definition, every product taken anew.
bets = np.array(given["bets"])
values = (np.array(given["differences"]) + 1) / 2
most = 1.0
for n in range(1, len(values) + 1):
    more = np.mean([np.prod(1 + bet / 0.5 * (values[:n] - 0.5)) for bet in bets])
    less = np.mean([np.prod(1 - bet / 0.5 * (values[:n] - 0.5)) for bet in bets])
    most = max(most, more, less)
answer["evidence"] = float(most / 2)

needed = [
    ((stats.norm.isf(0.025) + stats.norm.ppf(0.8)) * deviation / difference) ** 2
    for deviation, difference in given["needed"]
]
answer["needed"] = [float(np.ceil(value)) for value in needed]

json.dump(answer, sys.stdout)
